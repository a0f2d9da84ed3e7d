#include <limits>

#include "demo/words.hpp"

namespace boxoffice::demo
{

namespace
{

template <std::size_t N>
using Texts = std::array<std::string_view, N>;

constexpr std::int64_t kAnySize = std::numeric_limits<std::int64_t>::max();

constexpr Texts<8> kGigs = {"{act}",           "{act} + support",          "{act}: album release show", "An evening with {act}",
                            "{act} unplugged", "{genre} night with {act}", "{act} at {venue}",          "Late set: {act}"};
constexpr Texts<6> kGigSentences = {"{act} bring their {genre} to a room small enough to hear every string.",
                                    "Loud, close and over by bedtime: {genre} as it should be heard.",
                                    "A local act opens before {act} take the floor at {venue}.",
                                    "{act} play the new record from start to end, and then the old ones.",
                                    "The last time {act} came to {town}, the neighbours asked for an encore.",
                                    "Standing room, a few stools along the wall, and {genre} until the lights come on."};
constexpr Texts<7> kConcerts = {"{act} in concert",          "{act}: {tour}",
                                "{act} live in {town}",      "{town} Philharmonic plays {subject}",
                                "{act} with string quartet", "Songs of {town}: {act} and friends",
                                "{subject} by candlelight"};
constexpr Texts<6> kConcertSentences = {"Two sets and an interval, and an encore for whoever stays.",
                                        "The programme is announced from the stage.",
                                        "{venue} is known for its sound, and this evening was put together for it.",
                                        "Part of the {town} season of music.",
                                        "A full evening of music, with a pause for the bar.",
                                        "The players meet the audience in the foyer afterwards."};
constexpr Texts<5> kShows = {"{act}: {tour}", "{act} – {tour} {year}", "{act} World Tour", "{tour}: {act} live at {venue}",
                             "{act}: one night only"};
constexpr Texts<5> kShowSentences = {"{act} return to {town} with their largest production yet.",
                                     "The tour calls at {town} for one night, with a stage in the round.",
                                     "Gates open two hours before the show; bags larger than a sheet of paper stay outside.",
                                     "Standing places are in front of the stage, seats in the stands.",
                                     "Expect fireworks, a choir and every chorus you know."};

constexpr Texts<6> kNights = {"{genre} night with {act}",       "{act} all night long",   "{subject}: {act}",
                              "{subject} – {genre} until dawn", "{venue} presents {act}", "{subject} invites {act}"};
constexpr Texts<5> kNightSentences = {"{act} plays {genre} from the first record to the last.",
                                      "One dark room, one good sound system, no photographs on the floor.",
                                      "Residents warm up the room until midnight, then {act} takes over.",
                                      "A night of {genre} for everybody in {town} who would rather dance than talk.",
                                      "Come early: the second floor fills by one."};

constexpr Texts<5> kPlays = {"{subject}", "{subject}", "{subject} – a new production", "{subject} at {venue}",
                             "{town} Players: {subject}"};
constexpr Texts<6> kPlaySentences = {
    "{town}'s own company in a new staging of {subject}.", "{subject} as you have not seen it, set in present-day {town}.",
    "Two acts with an interval of twenty minutes.",        "Directed by {person}, with a cast of twelve and a live band.",
    "Surtitles in English are shown above the stage.",     "A short talk introduces the play half an hour before the curtain."};

constexpr Texts<5> kFootball = {"{home} v {away}", "{home} v {away}", "{home} v {away} – league", "Cup tie: {home} v {away}",
                                "Friendly: {home} v {away}"};
constexpr Texts<5> kFootballSentences = {"{home} meet {away} at {venue}.",
                                         "The visitors from {rival} have not won here for three seasons.",
                                         "Away supporters use the south gate.", "Turnstiles open ninety minutes before kick-off.",
                                         "A derby in all but distance: {home} need the points, {away} the pride."};
constexpr Texts<4> kBasketball = {"{home} vs. {away}", "{home} vs. {away}", "{home} vs. {away} – play-off game",
                                  "Season opener: {home} vs. {away}"};
constexpr Texts<4> kBasketballSentences = {"{home} host {away} for four quarters at {venue}.",
                                           "Children in team colours are given a ball at half-time, while there are any.",
                                           "{away} come from {rival} with the best defence of the league.",
                                           "The hall opens an hour before tip-off."};

constexpr Texts<5> kMeetings = {"{subject} Day {town}", "{subject} Unconference {year}", "{town} {subject} Meetup",
                                "{subject} in Practice", "Open Space: {subject}"};
constexpr Texts<5> kCongresses = {"{subject} Conference {year}", "{subject} Summit {town} {year}",
                                  "International Congress on {subject}", "{subject} World {year}", "{town} Forum on {subject}"};
constexpr Texts<6> kConferenceSentences = {"Talks in the morning, workshops in the afternoon, and time between them.",
                                           "{person} gives the opening keynote on {subject}.",
                                           "Practitioners from the region tell what worked and what did not.",
                                           "Lunch and coffee are included; tell us what you do not eat.",
                                           "All talks are in English, with captions in the main room.",
                                           "The programme was chosen by open call from more than two hundred proposals."};

constexpr Texts<5> kComedyNights = {"Stand-up night with {act}", "{act}: work in progress", "Open mic comedy at {venue}",
                                    "{act}: {subject}", "Improv: {subject}"};
constexpr Texts<4> kComedyShows = {"{act}: {subject}", "{act} live: {subject}", "{town} Comedy Gala", "{act} – {subject} Tour"};
constexpr Texts<5> kComedySentences = {
    "{act} tries out an hour of new jokes on {town}.", "Four comedians, one host, and no refunds for the front row.",
    "Not suited to children, nor to anybody easily quoted.", "The show that sold out everywhere except where it was set.",
    "Stories about family, trains and {town}."};

constexpr Texts<6> kFestivals = {"{town} {subject} Festival", "{subject} Fest {year}",
                                 "{subject} in the Park",     "{town} International {subject} Festival",
                                 "{subject} Weekend {town}",  "Days of {subject}"};
constexpr Texts<5> kFestivalSentences = {
    "Three stages, forty makers and one long table.", "The whole of {venue} is given over to {subject}.",
    "Under-twelves come in free with a grown-up.", "{act} close the programme on the main stage.",
    "Bring a cup: there are no disposable ones on the site."};

constexpr Texts<5> kExhibitions = {"{subject}", "{subject}: {person}", "{subject} – works from the {town} collection",
                                   "{person}: a retrospective", "Treasures of {town}: {subject}"};
constexpr Texts<5> kExhibitionSentences = {
    "More than a hundred works, many shown in {town} for the first time.",
    "The ticket is good for one visit on any day of the exhibition.", "{person} spent nine years on the works in these rooms.",
    "Guided tours leave on the hour from the front desk.", "An exhibition on {subject}, with a room for drawing."};

constexpr Texts<5> kWorkshops = {"{subject} for Beginners", "Workshop: {subject}", "{subject} with {person}",
                                 "An Introduction to {subject}", "{subject}: weekend class"};
constexpr Texts<5> kWorkshopSentences = {"{person} teaches {subject} in a small group; no experience needed.",
                                         "All materials and tea are included.", "You take home what you have made.",
                                         "Wear something that may get dirty.",
                                         "For those who have always wanted to try {subject} and never had the room."};

constexpr Texts<12> kClosings = {"The doors open well before the start.",
                                 "The venue is accessible by wheelchair through the side entrance.",
                                 "Tickets cannot be exchanged, but may be passed on.",
                                 "There is a cloakroom by the entrance.",
                                 "Buses run from the main station to the door.",
                                 "Please be on time: there is no second start.",
                                 "Please come by bicycle or public transport: parking is scarce.",
                                 "Free for carers who accompany a ticket holder.",
                                 "Organized together with the town of {town}.",
                                 "Food from local kitchens is sold on the spot.",
                                 "Questions are answered by the people at the door.",
                                 "Ask at the door for a hearing loop."};

constexpr std::array kPhrases = {
    Phrases{Kind::concert, 700, kGigs, kGigSentences},
    Phrases{Kind::concert, 5'000, kConcerts, kConcertSentences},
    Phrases{Kind::concert, kAnySize, kShows, kShowSentences},
    Phrases{Kind::club_night, kAnySize, kNights, kNightSentences},
    Phrases{Kind::theatre, kAnySize, kPlays, kPlaySentences},
    Phrases{Kind::football, kAnySize, kFootball, kFootballSentences},
    Phrases{Kind::basketball, kAnySize, kBasketball, kBasketballSentences},
    Phrases{Kind::conference, 350, kMeetings, kConferenceSentences},
    Phrases{Kind::conference, kAnySize, kCongresses, kConferenceSentences},
    Phrases{Kind::comedy, 500, kComedyNights, kComedySentences},
    Phrases{Kind::comedy, kAnySize, kComedyShows, kComedySentences},
    Phrases{Kind::festival, kAnySize, kFestivals, kFestivalSentences},
    Phrases{Kind::exhibition, kAnySize, kExhibitions, kExhibitionSentences},
    Phrases{Kind::workshop, kAnySize, kWorkshops, kWorkshopSentences},
};

}  // namespace

const Phrases& phrases(Kind kind, std::int64_t seats)
{
    for (const Phrases& some : kPhrases) {
        if (some.kind == kind && seats <= some.seats_max) return some;
    }
    return kPhrases.back();
}

Words closings() { return kClosings; }

}  // namespace boxoffice::demo
