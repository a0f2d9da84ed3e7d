#include "demo/words.hpp"

namespace boxoffice::demo
{

namespace
{

template <std::size_t N>
using Texts = std::array<std::string_view, N>;

constexpr Texts<14> kComposers = {"Vivaldi", "Bach",   "Mozart", "Beethoven",      "Chopin",       "Brahms", "Tchaikovsky",
                                  "Debussy", "Dvořák", "Verdi",  "Clara Schumann", "Scott Joplin", "Holst",  "Handel"};
constexpr Texts<12> kClubSeries = {"Nocturne",    "Basement Bloom", "Low Tide",        "Strobe & Fog",
                                   "Afterhours",  "Red Room",       "Pulse",           "Second Floor",
                                   "Night Ferry", "Slow Burn",      "Concrete Garden", "Moonlight Society"};
constexpr Texts<24> kTheatre = {"Hamlet",
                                "A Doll's House",
                                "The Cherry Orchard",
                                "Carmen",
                                "The Tempest",
                                "Antigone",
                                "La Traviata",
                                "A Midsummer Night's Dream",
                                "The Seagull",
                                "Tartuffe",
                                "Swan Lake",
                                "The Importance of Being Earnest",
                                "Shakuntala",
                                "The Government Inspector",
                                "Life Is a Dream",
                                "The Magic Flute",
                                "Peer Gynt",
                                "Lysistrata",
                                "The Peony Pavilion",
                                "Cyrano de Bergerac",
                                "Miss Julie",
                                "The Nutcracker",
                                "Faust",
                                "Much Ado About Nothing"};
constexpr Texts<24> kTopics = {"Databases",           "Renewable Energy",  "Public Health",    "Web Accessibility",
                               "Urban Planning",      "Machine Learning",  "Open Source",      "Marine Biology",
                               "Cyber Security",      "Education",         "Logistics",        "Women in Engineering",
                               "Cloud Operations",    "Digital Libraries", "Water Management", "Game Design",
                               "Sustainable Fashion", "Food Safety",       "Embedded Systems", "Tourism",
                               "Civic Tech",          "Agriculture",       "Nursing",          "Type Design"};
constexpr Texts<14> kComedy = {
    "Mostly Harmless Lies", "Terms and Conditions", "My Mother Was Right", "Window Seat",  "Reply All", "Small Talk",
    "Second Helping",       "Out of Office",        "Lost Luggage",        "Nobody Asked", "Plan C",    "Wrong Number",
    "Still Learning",       "The Quiet Carriage"};
constexpr Texts<16> kFestival = {"Jazz",    "Street Food", "Film",   "Folk Music", "Literature",       "Beer",
                                 "Reggae",  "Light",       "Wine",   "Kite",       "Electronic Music", "Dance",
                                 "Science", "Blues",       "Comics", "Lantern"};
constexpr Texts<16> kThemes = {"Maps of the Unknown",  "Light and Water",     "The Weavers' Hands", "Portraits of a Harbour",
                               "Ice and Iron",         "Paper Cities",        "Gardens in Exile",   "Ten Thousand Bowls",
                               "The Photographed Sea", "Machines That Dream", "Silk and Salt",      "After the Flood",
                               "Letters from Afar",    "Masks and Mirrors",   "The Night Sky",      "Everyday Gods"};
constexpr Texts<20> kCrafts = {"Pottery",         "Screen Printing", "Sourdough Baking", "Salsa",
                               "Bookbinding",     "Watercolour",     "Bicycle Repair",   "Black-and-white Photography",
                               "Calligraphy",     "Indigo Dyeing",   "Woodcarving",      "Creative Writing",
                               "Dumpling Making", "Soldering",       "Drumming",         "Beekeeping",
                               "Batik",           "Tango",           "First Aid",        "Weaving"};

constexpr Texts<20> kMusicGenres = {"indie rock", "jazz",    "folk",       "cumbia", "afrobeat",    "hip-hop",   "soul",
                                    "metal",      "fado",    "bossa nova", "reggae", "blues",       "synth-pop", "flamenco",
                                    "highlife",   "qawwali", "country",    "punk",   "chamber pop", "tango"};
constexpr Texts<10> kClubGenres = {"Techno",    "House",  "Drum & Bass", "Amapiano", "Disco",
                                   "Reggaeton", "Trance", "Baile Funk",  "Dub",      "Afro House"};

constexpr Texts<32> kAdjectives = {"Copper",  "Quiet",   "Electric", "Paper",     "Midnight", "Crooked",  "Velvet",   "Northern",
                                   "Salt",    "Hollow",  "Golden",   "Wandering", "Neon",     "Broken",   "Winter",   "Secret",
                                   "Scarlet", "Lunar",   "Dusty",    "Silver",    "Thirteen", "Restless", "Burning",  "Borrowed",
                                   "Tidal",   "Saffron", "Distant",  "Marble",    "Feral",    "Cobalt",   "Sleeping", "Monsoon"};
constexpr Texts<32> kNouns = {"Lanterns",      "Foxes",   "Harbours", "Satellites", "Orchard", "Machines", "Ravens",
                              "Avenue",        "Tigers",  "Choir",    "Radio",      "Ghosts",  "Parade",   "Compass",
                              "Wolves",        "Theory",  "Sparrows", "Republic",   "Rivers",  "Kites",    "Mirrors",
                              "Bicycles",      "Ferries", "Arcade",   "Comets",     "Garden",  "Sisters",  "Brothers",
                              "Cartographers", "Thieves", "Islands",  "Engines"};
constexpr Texts<10> kFootballClubs = {"FC",        "United",   "City",    "Athletic", "Rovers",
                                      "Wanderers", "Sporting", "Rangers", "Dynamo",   "Town"};
constexpr Texts<12> kBasketballClubs = {"Hawks", "Comets",   "Giants", "Lions", "Sharks", "Flyers",
                                        "Storm", "Pioneers", "Cobras", "Bears", "Waves",  "Rockets"};
constexpr Texts<14> kTours = {"Afterglow Tour", "The Long Way Round", "Horizons",   "Night Drive",        "Homecoming",
                              "Echoes",         "Gravity Tour",       "Wildfire",   "Second Sun",         "Everything Loud",
                              "Atlas Tour",     "Parallel Lines",     "Open Skies", "The Last Train Tour"};
constexpr Texts<12> kCompanies = {"Presents",   "Productions", "Live", "Concerts", "Events", "Stages",
                                  "Collective", "& Daughters", "Arts", "Agency",   "Nights", "Box Office"};

}  // namespace

Words subjects(Kind kind)
{
    switch (kind) {
        case Kind::club_night:
            return kClubSeries;
        case Kind::conference:
            return kTopics;
        case Kind::comedy:
            return kComedy;
        case Kind::festival:
            return kFestival;
        case Kind::exhibition:
            return kThemes;
        case Kind::workshop:
            return kCrafts;
        case Kind::concert:
            return kComposers;
        case Kind::football:
        case Kind::basketball:
        case Kind::theatre:
            break;
    }
    return kTheatre;
}

Words genres(Kind kind) { return kind == Kind::club_night ? Words(kClubGenres) : Words(kMusicGenres); }

Words act_adjectives() { return kAdjectives; }

Words act_nouns() { return kNouns; }

Words football_suffixes() { return kFootballClubs; }

Words basketball_suffixes() { return kBasketballClubs; }

Words tour_names() { return kTours; }

Words company_suffixes() { return kCompanies; }

}  // namespace boxoffice::demo
