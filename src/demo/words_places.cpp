#include "demo/words.hpp"

namespace boxoffice::demo
{

namespace
{

using std::string_view_literals::operator""sv;

constexpr std::size_t kTongues = 6;

struct Spoken {
    std::string_view countries;
    Tongue tongue;
};

constexpr std::array kSpoken = {
    Spoken{"ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA UY PR GQ", Tongue::spanish},
    Spoken{"BR PT AO MZ CV GW ST", Tongue::portuguese},
    Spoken{"FR BE LU MC SN CI ML BF NE TG BJ CM GA CG CD TD CF GN MG HT DJ KM RE GP MQ GF YT NC PF PM WF BL MF", Tongue::french},
    Spoken{"DE AT CH LI", Tongue::german},
    Spoken{"IT SM VA", Tongue::italian},
};

// In the order of Stage: club, theatre, hall, arena, stadium, centre, gallery, studio, park.
using Houses = std::array<Words, kStages>;

template <std::size_t N>
using Texts = std::array<std::string_view, N>;

constexpr Texts<6> kEnClub = {"The {word} Room",        "Club {word}", "{word} Cellar", "The {word} Bar",
                              "Upstairs at the {word}", "Bar {word}"};
constexpr Texts<5> kEnTheatre = {"{town} Theatre", "{word} Playhouse", "The {word} Theatre", "The {town} Repertory",
                                 "{town} Opera House"};
constexpr Texts<5> kEnHall = {"{town} Town Hall", "{word} Hall", "{town} Concert Hall", "The {word} Ballroom",
                              "Old {word} Warehouse"};
constexpr Texts<4> kEnArena = {"{town} Arena", "{word} Arena", "{town} Indoor Stadium", "{word} Dome"};
constexpr Texts<4> kEnStadium = {"{town} Stadium", "{word} Park Stadium", "National Stadium, {town}", "{word} Ground"};
constexpr Texts<4> kEnCentre = {"{town} Convention Centre", "{word} Conference Centre", "{town} Expo", "Grand {word} Hotel"};
constexpr Texts<4> kEnGallery = {"{town} Museum", "{word} Gallery", "{town} Art Gallery", "The {word} Collection"};
constexpr Texts<4> kEnStudio = {"{word} Studio", "{town} Makers' Workshop", "{word} House", "{town} Community Centre"};
constexpr Texts<4> kEnPark = {"{word} Park", "{town} Botanical Garden", "{word} Fields", "{town} Waterfront"};
constexpr Houses kEnglish = {kEnClub, kEnTheatre, kEnHall, kEnArena, kEnStadium, kEnCentre, kEnGallery, kEnStudio, kEnPark};

constexpr Texts<4> kEsClub = {"Sala {word}", "Club {word}", "El Sótano de {word}", "Café {word}"};
constexpr Texts<4> kEsTheatre = {"Teatro {word}", "Teatro Municipal de {town}", "Gran Teatro {word}", "Teatro Principal"};
constexpr Texts<3> kEsHall = {"Auditorio de {town}", "Auditorio {word}", "Salón {word}"};
constexpr Texts<3> kEsArena = {"Arena {town}", "Palacio de los Deportes de {town}", "Coliseo {word}"};
constexpr Texts<3> kEsStadium = {"Estadio Municipal de {town}", "Estadio {word}", "Estadio Nacional, {town}"};
constexpr Texts<3> kEsCentre = {"Palacio de Congresos de {town}", "Centro de Convenciones {word}", "Hotel {word}"};
constexpr Texts<3> kEsGallery = {"Museo de {town}", "Galería {word}", "Casa de la Cultura {word}"};
constexpr Texts<3> kEsStudio = {"Taller {word}", "Estudio {word}", "Centro Cívico {word}"};
constexpr Texts<3> kEsPark = {"Parque {word}", "Recinto Ferial de {town}", "Jardines de {word}"};
constexpr Houses kSpanish = {kEsClub, kEsTheatre, kEsHall, kEsArena, kEsStadium, kEsCentre, kEsGallery, kEsStudio, kEsPark};

constexpr Texts<3> kPtClub = {"Clube {word}", "Bar {word}", "Casa {word}"};
constexpr Texts<3> kPtTheatre = {"Teatro {word}", "Teatro Municipal de {town}", "Teatro Nacional {word}"};
constexpr Texts<3> kPtHall = {"Auditório {word}", "Salão {word}", "Casa da Música de {town}"};
constexpr Texts<3> kPtArena = {"Arena {town}", "Ginásio {word}", "Pavilhão {word}"};
constexpr Texts<3> kPtStadium = {"Estádio Municipal de {town}", "Estádio {word}", "Arena {word}"};
constexpr Texts<3> kPtCentre = {"Centro de Convenções de {town}", "Centro de Congressos {word}", "Hotel {word}"};
constexpr Texts<3> kPtGallery = {"Museu de {town}", "Galeria {word}", "Pinacoteca {word}"};
constexpr Texts<3> kPtStudio = {"Oficina {word}", "Ateliê {word}", "Centro Comunitário {word}"};
constexpr Texts<3> kPtPark = {"Parque {word}", "Jardim {word}", "Parque de Exposições de {town}"};
constexpr Houses kPortuguese = {kPtClub, kPtTheatre, kPtHall, kPtArena, kPtStadium, kPtCentre, kPtGallery, kPtStudio, kPtPark};

constexpr Texts<3> kFrClub = {"Le {word}", "La Cave {word}", "Club {word}"};
constexpr Texts<3> kFrTheatre = {"Théâtre {word}", "Théâtre municipal de {town}", "Opéra de {town}"};
constexpr Texts<3> kFrHall = {"Salle {word}", "La Halle {word}", "Salle des fêtes de {town}"};
constexpr Texts<3> kFrArena = {"{town} Arena", "Zénith {word}", "Palais des sports de {town}"};
constexpr Texts<3> kFrStadium = {"Stade {word}", "Stade municipal de {town}", "Grand Stade de {town}"};
constexpr Texts<3> kFrCentre = {"Palais des congrès de {town}", "Centre {word}", "Hôtel {word}"};
constexpr Texts<3> kFrGallery = {"Musée de {town}", "Galerie {word}", "Maison des arts de {town}"};
constexpr Texts<3> kFrStudio = {"Atelier {word}", "Studio {word}", "Maison des associations de {town}"};
constexpr Texts<3> kFrPark = {"Parc {word}", "Jardin {word}", "Esplanade {word}"};
constexpr Houses kFrench = {kFrClub, kFrTheatre, kFrHall, kFrArena, kFrStadium, kFrCentre, kFrGallery, kFrStudio, kFrPark};

constexpr Texts<3> kDeClub = {"Club {word}", "Kulturkeller {word}", "Bar {word}"};
constexpr Texts<3> kDeTheatre = {"Stadttheater {town}", "Schauspielhaus {town}", "Theater {word}"};
constexpr Texts<3> kDeHall = {"Stadthalle {town}", "Alte {word}halle", "Kulturhaus {word}"};
constexpr Texts<3> kDeArena = {"{town}-Arena", "{word}-Arena", "Sporthalle {town}"};
constexpr Texts<3> kDeStadium = {"Stadion {town}", "{word}stadion", "Waldstadion {town}"};
constexpr Texts<3> kDeCentre = {"Kongresszentrum {town}", "Messe {town}", "Hotel {word}"};
constexpr Texts<3> kDeGallery = {"Stadtmuseum {town}", "Galerie {word}", "Kunsthalle {town}"};
constexpr Texts<3> kDeStudio = {"Werkstatt {word}", "Atelier {word}", "Volkshochschule {town}"};
constexpr Texts<3> kDePark = {"{word}park", "Stadtpark {town}", "Festwiese {town}"};
constexpr Houses kGerman = {kDeClub, kDeTheatre, kDeHall, kDeArena, kDeStadium, kDeCentre, kDeGallery, kDeStudio, kDePark};

constexpr Texts<3> kItClub = {"Circolo {word}", "Club {word}", "Cantina {word}"};
constexpr Texts<3> kItTheatre = {"Teatro {word}", "Teatro Comunale di {town}", "Teatro dell'Opera di {town}"};
constexpr Texts<3> kItHall = {"Auditorium {word}", "Sala {word}", "Auditorium di {town}"};
constexpr Texts<3> kItArena = {"PalaSport {town}", "Arena {word}", "Pala{word}"};
constexpr Texts<3> kItStadium = {"Stadio Comunale di {town}", "Stadio {word}", "Nuovo Stadio {word}"};
constexpr Texts<3> kItCentre = {"Palazzo dei Congressi di {town}", "Fiera di {town}", "Hotel {word}"};
constexpr Texts<3> kItGallery = {"Museo Civico di {town}", "Galleria {word}", "Palazzo {word}"};
constexpr Texts<3> kItStudio = {"Bottega {word}", "Laboratorio {word}", "Casa {word}"};
constexpr Texts<3> kItPark = {"Parco {word}", "Giardini {word}", "Villa {word}"};
constexpr Houses kItalian = {kItClub, kItTheatre, kItHall, kItArena, kItStadium, kItCentre, kItGallery, kItStudio, kItPark};

// In the order of Tongue.
constexpr std::array<const Houses*, kTongues> kHouses = {&kEnglish, &kSpanish, &kPortuguese, &kFrench, &kGerman, &kItalian};

constexpr std::array kEnWords = {
    "Copper"sv,  "Lantern"sv, "Harbour"sv,  "Meridian"sv,  "Juniper"sv,  "Falcon"sv,   "Crescent"sv, "Orchard"sv,    "Velvet"sv,
    "Beacon"sv,  "Granite"sv, "Marigold"sv, "Riverside"sv, "Union"sv,    "Jubilee"sv,  "Palm"sv,     "Kingfisher"sv, "Sunrise"sv,
    "Liberty"sv, "Peacock"sv, "Cedar"sv,    "Ivory"sv,     "Tamarind"sv, "Northern"sv, "Golden"sv,   "Compass"sv,    "Amber"sv};
constexpr std::array kEsWords = {"Cervantes"sv,  "La Aurora"sv,     "Libertad"sv,     "El Dorado"sv,  "Santa Lucía"sv,
                                 "Las Palmas"sv, "Bolívar"sv,       "Neptuno"sv,      "San Martín"sv, "La Luna"sv,
                                 "Colón"sv,      "Independencia"sv, "Los Naranjos"sv, "Gaviota"sv};
constexpr std::array kPtWords = {"Ipê"sv,       "Santa Clara"sv, "Camões"sv,    "Boa Vista"sv,  "São Jorge"sv,
                                 "Andorinha"sv, "Liberdade"sv,   "Atlântico"sv, "Rio Branco"sv, "Girassol"sv};
constexpr std::array kFrWords = {"Molière"sv,     "Belle Étoile"sv, "Saint-Michel"sv, "République"sv,  "Mistral"sv,
                                 "Victor-Hugo"sv, "Colibri"sv,      "Bellevue"sv,     "Grand Large"sv, "Tilleul"sv};
constexpr std::array kDeWords = {"Linden"sv, "Schiller"sv, "Mühlen"sv, "Sonnen"sv, "Falken"sv,
                                 "Berg"sv,   "Rosen"sv,    "Adler"sv,  "Kupfer"sv, "Brunnen"sv};
constexpr std::array kItWords = {"Verdi"sv,   "Garibaldi"sv, "Aurora"sv, "San Marco"sv, "Bellini"sv,
                                 "Olimpia"sv, "Belvedere"sv, "Dante"sv,  "Goldoni"sv,   "Margherita"sv};
constexpr std::array<Words, kTongues> kHouseWords = {kEnWords, kEsWords, kPtWords, kFrWords, kDeWords, kItWords};

constexpr std::array kEnStreets = {
    "{number} Market Street"sv,  "{number} Station Road"sv,      "{number} Harbour Road"sv,    "{number} Independence Avenue"sv,
    "{number} Church Street"sv,  "{number} University Avenue"sv, "{number} Mill Lane"sv,       "{number} Liberation Street"sv,
    "{number} Garden Road"sv,    "{number} Republic Square"sv,   "{number} Old Bridge Road"sv, "{number} Victoria Street"sv,
    "{number} Lake View Road"sv, "{number} Main Street"sv,       "{number} Temple Road"sv,     "{number} Palm Avenue"sv};
constexpr std::array kEsStreets = {"Calle Mayor {number}"sv,      "Avenida de la Constitución {number}"sv,
                                   "Calle San Juan {number}"sv,   "Plaza de Armas {number}"sv,
                                   "Calle Bolívar {number}"sv,    "Paseo de la Reforma {number}"sv,
                                   "Avenida Libertad {number}"sv, "Calle del Río {number}"sv};
constexpr std::array kPtStreets = {"Rua das Flores, {number}"sv,     "Avenida da Liberdade, {number}"sv,
                                   "Rua 7 de Setembro, {number}"sv,  "Rua do Comércio, {number}"sv,
                                   "Praça da República, {number}"sv, "Avenida Brasil, {number}"sv};
constexpr std::array kFrStreets = {"{number} rue Victor-Hugo"sv,   "{number} avenue de la République"sv,
                                   "{number} rue de la Gare"sv,    "{number} place de l'Église"sv,
                                   "{number} boulevard du Port"sv, "{number} rue des Écoles"sv};
constexpr std::array kDeStreets = {"Hauptstraße {number}"sv,   "Bahnhofstraße {number}"sv, "Schillerstraße {number}"sv,
                                   "Am Marktplatz {number}"sv, "Gartenweg {number}"sv,     "Mühlenstraße {number}"sv};
constexpr std::array kItStreets = {"Via Roma {number}"sv,     "Via Garibaldi {number}"sv, "Piazza del Duomo {number}"sv,
                                   "Corso Italia {number}"sv, "Via Dante {number}"sv,     "Viale della Stazione {number}"sv};
constexpr std::array<Words, kTongues> kStreets = {kEnStreets, kEsStreets, kPtStreets, kFrStreets, kDeStreets, kItStreets};

}  // namespace

bool lists(std::string_view list, std::string_view name)
{
    // All codes have two letters, so one can only be found where it begins.
    return list.find(name) != std::string_view::npos;
}

Tongue tongue_of(std::string_view country)
{
    for (const Spoken& spoken : kSpoken) {
        if (lists(spoken.countries, country)) return spoken.tongue;
    }
    return Tongue::english;
}

Words house_names(Tongue tongue, Stage stage)
{
    return (*kHouses[static_cast<std::size_t>(tongue)])[static_cast<std::size_t>(stage)];
}

Words house_words(Tongue tongue) { return kHouseWords[static_cast<std::size_t>(tongue)]; }

Words streets(Tongue tongue) { return kStreets[static_cast<std::size_t>(tongue)]; }

}  // namespace boxoffice::demo
