#include "demo/kinds.hpp"

namespace boxoffice::demo
{

namespace
{

constexpr int at(int hour, int minute = 0) { return hour * 60 + minute; }

// Nothing starts or ends on the wall between 23:00 and 05:00: that is where the world's clock changes lie, so no time here is
// ever one that a change skips (Nuuk skips 23:00, Havana 00:00, Sydney 02:00, Sofia 03:00).
constexpr std::array kEvenings = {at(19), at(19, 30), at(20), at(20), at(20, 30)};
constexpr std::array kLateAfternoons = {at(16), at(17), at(18)};
constexpr std::array kLate = {at(21, 30), at(22), at(22), at(22, 30)};
constexpr std::array kCurtains = {at(19), at(19, 30), at(19, 30), at(20)};
constexpr std::array kMatinees = {at(14), at(15), at(15), at(16)};
constexpr std::array kKickOffs = {at(15), at(16), at(17, 30), at(18), at(19, 30)};
constexpr std::array kTipOffs = {at(18), at(19), at(19, 30), at(20)};
constexpr std::array kMornings = {at(9), at(9), at(9, 30), at(10)};
constexpr std::array kGates = {at(10), at(11), at(12), at(14)};
constexpr std::array kClasses = {at(10), at(11), at(14), at(18), at(18, 30)};

constexpr std::array kConcerts = {Lasting{90}, Lasting{105}, Lasting{120}, Lasting{120}, Lasting{135}};
constexpr std::array kNights = {Lasting{0, 1, at(5)}, Lasting{0, 1, at(5)}, Lasting{0, 1, at(6)}, Lasting{0, 1, at(7)}};
constexpr std::array kPlays = {Lasting{90}, Lasting{120}, Lasting{135}, Lasting{150}, Lasting{165}};
constexpr std::array kMatches = {Lasting{115}, Lasting{120}};
constexpr std::array kGames = {Lasting{120}, Lasting{135}};
constexpr std::array kConferences = {Lasting{0, 0, at(17)}, Lasting{0, 0, at(18)}, Lasting{0, 1, at(17)}, Lasting{0, 2, at(16)}};
constexpr std::array kSets = {Lasting{75}, Lasting{90}, Lasting{105}};
constexpr std::array kFestivals = {Lasting{0, 0, at(22, 30)}, Lasting{0, 1, at(22)}, Lasting{0, 2, at(22, 30)},
                                   Lasting{0, 2, at(20)}};
constexpr std::array kExhibitions = {Lasting{0, 9, at(18)}, Lasting{0, 30, at(18)}, Lasting{0, 61, at(19)},
                                     Lasting{0, 92, at(18)}};
constexpr std::array kWorkshops = {Lasting{90}, Lasting{120}, Lasting{180}, Lasting{240}};

//                                                      club theatre hall arena stadium centre gallery studio park
constexpr std::array<unsigned, kStages> kConcertStages = {36, 16, 28, 14, 3, 0, 0, 0, 3};
constexpr std::array<unsigned, kStages> kClubStages = {88, 0, 10, 2, 0, 0, 0, 0, 0};
constexpr std::array<unsigned, kStages> kTheatreStages = {2, 88, 8, 0, 0, 0, 0, 0, 2};
constexpr std::array<unsigned, kStages> kFootballStages = {0, 0, 0, 0, 1, 0, 0, 0, 0};
constexpr std::array<unsigned, kStages> kBasketballStages = {0, 0, 40, 60, 0, 0, 0, 0, 0};
constexpr std::array<unsigned, kStages> kConferenceStages = {0, 6, 8, 2, 0, 84, 0, 0, 0};
constexpr std::array<unsigned, kStages> kComedyStages = {55, 30, 10, 5, 0, 0, 0, 0, 0};
constexpr std::array<unsigned, kStages> kFestivalStages = {0, 4, 12, 0, 4, 6, 0, 0, 74};
constexpr std::array<unsigned, kStages> kExhibitionStages = {0, 0, 4, 0, 0, 6, 90, 0, 0};
constexpr std::array<unsigned, kStages> kWorkshopStages = {0, 0, 0, 0, 0, 0, 0, 1, 0};

//                                                Sun Mon Tue Wed Thu Fri Sat
constexpr std::array<unsigned, 7> kMusicDays = {8, 3, 5, 8, 14, 30, 32};
constexpr std::array<unsigned, 7> kClubDays = {1, 0, 0, 2, 7, 42, 48};
constexpr std::array<unsigned, 7> kTheatreDays = {16, 1, 9, 13, 16, 22, 23};
constexpr std::array<unsigned, 7> kFootballDays = {28, 3, 5, 10, 3, 9, 42};
constexpr std::array<unsigned, 7> kBasketballDays = {18, 5, 8, 14, 12, 22, 21};
constexpr std::array<unsigned, 7> kConferenceDays = {0, 16, 26, 26, 22, 8, 2};
constexpr std::array<unsigned, 7> kComedyDays = {6, 3, 7, 10, 18, 28, 28};
constexpr std::array<unsigned, 7> kFestivalDays = {6, 0, 1, 2, 10, 46, 35};
constexpr std::array<unsigned, 7> kExhibitionDays = {14, 2, 12, 14, 16, 22, 20};
constexpr std::array<unsigned, 7> kWorkshopDays = {18, 8, 11, 13, 12, 8, 30};

// In the order of Kind.
constexpr std::array<Habits, kKinds> kHabits = {{
    {26, kMusicDays, kEvenings, kLateAfternoons, kConcerts, kConcertStages},
    {12, kClubDays, kLate, kLate, kNights, kClubStages},
    {15, kTheatreDays, kCurtains, kMatinees, kPlays, kTheatreStages},
    {7, kFootballDays, kKickOffs, kMatinees, kMatches, kFootballStages},
    {5, kBasketballDays, kTipOffs, kLateAfternoons, kGames, kBasketballStages},
    {8, kConferenceDays, kMornings, kMornings, kConferences, kConferenceStages},
    {9, kComedyDays, kEvenings, kLateAfternoons, kSets, kComedyStages},
    {4, kFestivalDays, kGates, kGates, kFestivals, kFestivalStages},
    {5, kExhibitionDays, kMornings, kMornings, kExhibitions, kExhibitionStages},
    {9, kWorkshopDays, kClasses, kClasses, kWorkshops, kWorkshopStages},
}};

// In the order of Stage.
constexpr std::array<Seating, kStages> kSeatings = {{
    {240, 0.8, 80, 900},
    {650, 0.8, 120, 3'200},
    {1'500, 0.8, 300, 6'000},
    {9'000, 0.6, 2'500, 22'000},
    {17'000, 1.05, 2'000, 90'000},
    {600, 1.3, 80, 12'000},
    {220, 0.8, 80, 1'500},
    {24, 0.6, 12, 80},  // a pottery course for eighty would not be believed
    {6'000, 1.2, 500, 60'000},
}};

}  // namespace

const Habits& habits(Kind kind) { return kHabits[static_cast<std::size_t>(kind)]; }

const Seating& seating(Stage stage) { return kSeatings[static_cast<std::size_t>(stage)]; }

Kind draw_kind(Dice& dice)
{
    std::array<unsigned, kKinds> weights{};
    for (std::size_t index = 0; index < kKinds; ++index) weights[index] = kHabits[index].weight;
    return static_cast<Kind>(dice.weighted(weights));
}

}  // namespace boxoffice::demo
