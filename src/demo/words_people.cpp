#include "demo/words.hpp"

namespace boxoffice::demo
{

namespace
{

template <std::size_t N>
using Texts = std::array<std::string_view, N>;

constexpr Texts<14> kEnGiven = {"Alice", "Oliver", "Grace", "Jack", "Charlotte", "Noah",   "Amelia",
                                "Harry", "Ruby",   "Ethan", "Zoe",  "Liam",      "Hannah", "Samuel"};
constexpr Texts<14> kEnFamily = {"Bennett", "Clarke", "Hughes", "Walker", "Reid",   "Murphy", "Campbell",
                                 "Turner",  "Brooks", "Fraser", "Ellis",  "Morgan", "Hayes",  "Palmer"};
constexpr Texts<12> kEsGiven = {"Lucía",  "Mateo",  "Sofía", "Diego",   "Valentina", "Javier",
                                "Camila", "Andrés", "Elena", "Joaquín", "Marta",     "Emilio"};
constexpr Texts<12> kEsFamily = {"García",   "Fernández", "Ramírez", "Torres", "Vargas",  "Molina",
                                 "Castillo", "Rojas",     "Herrera", "Núñez",  "Salazar", "Ibáñez"};
constexpr Texts<12> kPtGiven = {"Beatriz", "João",  "Mariana", "Tiago", "Larissa", "Rafael",
                                "Inês",    "Pedro", "Letícia", "Caio",  "Joana",   "Gustavo"};
constexpr Texts<12> kPtFamily = {"Silva",   "Oliveira", "Almeida", "Costa",    "Carvalho", "Moreira",
                                 "Ribeiro", "Barbosa",  "Tavares", "Nogueira", "Pinto",    "Gonçalves"};
constexpr Texts<12> kFrGiven = {"Camille", "Hugo", "Léa",   "Antoine", "Chloé", "Mathieu",
                                "Inès",    "Théo", "Manon", "Lucas",   "Élise", "Julien"};
constexpr Texts<12> kFrFamily = {"Moreau",  "Lefèvre", "Girard",    "Rousseau", "Fontaine", "Chevalier",
                                 "Lambert", "Mercier", "Blanchard", "Faure",    "Perrin",   "Dubois"};
constexpr Texts<12> kDeGiven = {"Anna",  "Lukas",      "Lena",  "Jonas",  "Mia",    "Felix",
                                "Clara", "Maximilian", "Greta", "Moritz", "Jürgen", "Katharina"};
constexpr Texts<12> kDeFamily = {"Schneider", "Fischer", "Weber",  "Hoffmann",   "Schäfer", "Köhler",
                                 "Vogel",     "Brandt",  "Keller", "Zimmermann", "Krüger",  "Lorenz"};
constexpr Texts<12> kItGiven = {"Giulia",  "Lorenzo", "Chiara", "Matteo",   "Francesca", "Davide",
                                "Alessia", "Marco",   "Elisa",  "Riccardo", "Bianca",    "Paolo"};
constexpr Texts<12> kItFamily = {"Rossi",   "Bianchi", "Ferrari", "Conti", "Marchetti", "Greco",
                                 "Rinaldi", "Caruso",  "Fontana", "Gallo", "Moretti",   "Leone"};
constexpr Texts<12> kNoGiven = {"Astrid", "Lars", "Freja", "Erik", "Sanna",    "Mikkel",
                                "Ingrid", "Aino", "Søren", "Eero", "Sigríður", "Håkon"};
constexpr Texts<12> kNoFamily = {"Lindqvist", "Hansen",   "Virtanen", "Nygård", "Johansson",  "Korhonen",
                                 "Bakken",    "Sørensen", "Ekström",  "Dahl",   "Jónsdóttir", "Mäkelä"};
constexpr Texts<12> kPlGiven = {"Zofia",      "Jakub", "Hanna",     "Tomáš", "Wojciech", "Lucie",
                                "Małgorzata", "Petr",  "Agnieszka", "Marek", "Ana",      "Luka"};
constexpr Texts<12> kPlFamily = {"Kowalski", "Novák",   "Wiśniewski", "Dvořák",   "Zieliński", "Horváth",
                                 "Mazur",    "Svoboda", "Kovačić",    "Petrović", "Szabó",     "Nowak"};
constexpr Texts<12> kRuGiven = {"Anastasia", "Dmitri", "Olena", "Sergei", "Natalia",  "Andriy",
                                "Irina",     "Mykola", "Daria", "Alexei", "Svetlana", "Pavel"};
constexpr Texts<12> kRuFamily = {"Volkov",  "Shevchenko", "Orlov",   "Kovalenko", "Morozov", "Bondarenko",
                                 "Lebedev", "Dimitrov",   "Sokolov", "Melnyk",    "Zaytsev", "Petrenko"};
constexpr Texts<12> kTrGiven = {"Elif",  "Emre",   "Zeynep",  "Kerem", "Aylin", "Deniz",
                                "Aysel", "Rustam", "Gulnara", "Timur", "Leyla", "Murat"};
constexpr Texts<12> kTrFamily = {"Yılmaz",  "Demir",   "Kaya",   "Şahin",  "Çelik",    "Aliyev",
                                 "Karimov", "Nazarov", "Öztürk", "Arslan", "Mammadov", "Aydın"};
constexpr Texts<12> kArGiven = {"Layla", "Omar",  "Fatima", "Youssef", "Mariam", "Khalid",
                                "Noor",  "Tariq", "Salma",  "Hassan",  "Amina",  "Karim"};
constexpr Texts<12> kArFamily = {"Haddad",   "Mansour", "El-Sayed", "Benali", "Khoury", "Farouk",
                                 "Al-Masri", "Nasser",  "Bouzid",   "Saleh",  "Rahman", "Aziz"};
constexpr Texts<12> kInGiven = {"Priya", "Arjun", "Ananya", "Rohan",  "Meera", "Vikram",
                                "Kavya", "Imran", "Nisha",  "Sanjay", "Tara",  "Aditya"};
constexpr Texts<12> kInFamily = {"Sharma", "Patel", "Reddy",  "Nair",  "Banerjee",  "Khan",
                                 "Iyer",   "Gupta", "Perera", "Thapa", "Chowdhury", "Singh"};
constexpr Texts<12> kCnGiven = {"Mei", "Wei", "Xiaoling", "Jun", "Yan", "Hao", "Lin", "Zihan", "Qing", "Bo", "Jiayi", "Ming"};
constexpr Texts<12> kCnFamily = {"Wang", "Chen", "Zhang", "Liu", "Huang", "Zhao", "Lin", "Xu", "Zhou", "Wu", "Tan", "Guo"};
constexpr Texts<12> kJpGiven = {"Yuki",  "Haruto", "Sakura", "Kenji",  "Aoi", "Takumi",
                                "Minji", "Jiho",   "Hana",   "Seojun", "Emi", "Daiki"};
constexpr Texts<12> kJpFamily = {"Sato",     "Tanaka", "Suzuki", "Kim",       "Nakamura", "Park",
                                 "Watanabe", "Choi",   "Ito",    "Kobayashi", "Jung",     "Mori"};
constexpr Texts<12> kSeaGiven = {"Dewi",  "Budi",    "Linh",  "Minh", "Siti", "Rizal",
                                 "Maria", "Somchai", "Putri", "Anh",  "Jose", "Malee"};
constexpr Texts<12> kSeaFamily = {"Santoso", "Nguyen", "Wijaya", "Reyes",    "Tran",     "Saetang",
                                  "Pratama", "Santos", "Le",     "Abdullah", "Bautista", "Chaiyasit"};
constexpr Texts<12> kWaGiven = {"Amara", "Kwame", "Chinwe", "Kofi",  "Aïssatou", "Ibrahim",
                                "Ngozi", "Emeka", "Fatou",  "Tunde", "Abena",    "Moussa"};
constexpr Texts<12> kWaFamily = {"Okafor", "Mensah", "Diallo",  "Adeyemi", "Traoré",  "Owusu",
                                 "Eze",    "Camara", "Balogun", "Ndiaye",  "Boateng", "Keita"};
constexpr Texts<12> kEaGiven = {"Wanjiru", "Thabo", "Makena", "Abebe", "Nomvula", "Juma",
                                "Tendai",  "Selam", "Lerato", "Daudi", "Naledi",  "Mulugeta"};
constexpr Texts<12> kEaFamily = {"Mwangi", "Dlamini", "Otieno", "Bekele", "Nkosi",   "Moyo",
                                 "Kamau",  "Tesfaye", "Phiri",  "Mbeki",  "Ochieng", "Banda"};
constexpr Texts<10> kPaGiven = {"Mele", "Sione", "Litia", "Tevita", "Aroha", "Manaia", "Sefa", "Ana", "Wiremu", "Losa"};
constexpr Texts<10> kPaFamily = {"Taufa", "Vakatawa", "Ngata", "Leota", "Fifita", "Waqa", "Parata", "Tuilagi", "Kaho", "Ioane"};

constexpr std::array kCultures = {
    Culture{"GB US CA AU NZ IE JM BS BB TT GY BZ IM JE GG GI BM KY", kEnGiven, kEnFamily},
    Culture{"ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA UY PR", kEsGiven, kEsFamily},
    Culture{"BR PT AO MZ CV GW ST", kPtGiven, kPtFamily},
    Culture{"FR BE LU MC HT RE GP MQ GF PM BL MF NC", kFrGiven, kFrFamily},
    Culture{"DE AT CH LI NL", kDeGiven, kDeFamily},
    Culture{"IT SM VA MT", kItGiven, kItFamily},
    Culture{"SE NO DK FI IS EE FO AX GL SJ", kNoGiven, kNoFamily},
    Culture{"PL CZ SK HU HR SI RS BA ME LT LV RO MK AL XK", kPlGiven, kPlFamily},
    Culture{"RU UA BY BG MD AM GE GR CY", kRuGiven, kRuFamily},
    Culture{"TR AZ KZ UZ KG TM TJ MN", kTrGiven, kTrFamily},
    Culture{"EG SA IQ SY JO LB YE OM AE QA KW BH MA DZ TN LY SD PS IR AF IL EH", kArGiven, kArFamily},
    Culture{"IN NP BD LK PK BT MV MU", kInGiven, kInFamily},
    Culture{"CN TW HK MO SG", kCnGiven, kCnFamily},
    Culture{"JP KR KP", kJpGiven, kJpFamily},
    Culture{"ID MY PH VN TH KH LA MM TL BN", kSeaGiven, kSeaFamily},
    Culture{"NG GH SN CI ML BF NE TG BJ CM GA CG CD TD CF GN GM SL LR MR GQ", kWaGiven, kWaFamily},
    Culture{"KE TZ UG RW BI ET ER SO SS DJ ZA ZW ZM MW BW NA LS SZ MG KM SC", kEaGiven, kEaFamily},
    Culture{"FJ TO WS PG SB VU KI TV NR MH FM PW CK NU TK AS GU MP PF WF", kPaGiven, kPaFamily},
};

}  // namespace

std::span<const Culture> cultures() { return kCultures; }

std::size_t culture_of(std::string_view country)
{
    for (std::size_t index = 0; index < kCultures.size(); ++index) {
        if (lists(kCultures[index].countries, country)) return index;
    }
    return 0;
}

}  // namespace boxoffice::demo
