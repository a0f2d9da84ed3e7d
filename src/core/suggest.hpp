#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/queries.hpp"

/// What suits a user: one documented score (docs/mechanisms/search.md, "For you") from four parts, each 0..1, with the weights in
/// one place.
namespace boxoffice
{

/// How far back a user's taste reaches: their newest tickets, and the newest events among them.
inline constexpr std::int64_t kTasteTickets = 500;
inline constexpr std::size_t kTasteEvents = 20;
/// A word says something of taste when it is long enough and rare enough: in at most so many events.
inline constexpr std::size_t kTasteWordBytesMin = 4;
inline constexpr std::int64_t kTasteWordEventsMax = 5000;
/// Each kind of candidate is at most so many: enough for many pages of suggestions.
inline constexpr std::size_t kCandidatesOfAKind = 500;

/// As of when scores are: the whole minute before. A client that asks twice within it, or two stores, gets the same scores in the
/// same order. What may be suggested at all (nothing that has begun or is held) goes by `now` itself.
[[nodiscard]] constexpr Instant scored_at(Instant now) { return std::chrono::floor<std::chrono::minutes>(now); }

/// A word of a past event's title, and how many events have it.
struct TasteWord {
    std::string word;
    std::int64_t events = 0;
};
/// A word to look for, and what it is worth.
struct WeighedWord {
    std::string word;
    std::int64_t weight = 0;
};
/// The rarest few of those that say something, rarest first; whole numbers, so that sums are the same in whatever order.
[[nodiscard]] std::vector<WeighedWord> taste_of_words(std::vector<TasteWord> words);

/// What an engine knows of an upcoming event with seats that the user does not hold a ticket for.
struct CandidateFacts {
    EventId event;
    Instant start_time;
    std::optional<double> distance_m;  // to the millimetre
    std::int64_t weight = 0;           // of the words of taste that it has
    bool same_organizer = false;       // as a past event's
    double share_sold = 0;
    double pace = 0;  // tickets a day, as of scored_at()
};

/// The candidates among `facts`: the soonest, the liveliest, the nearest, those with the weightiest words, and the soonest of the
/// same organizers, each at most kCandidatesOfAKind; in any order. `facts` has at least those of each kind, and may have more.
[[nodiscard]] std::vector<Candidate> choose_candidates(std::span<const CandidateFacts> facts);

struct Suitability {
    double score = 0;                       // 0..1
    std::vector<std::string_view> reasons;  // near_you, similar_to_past, popular, soon: those that made the score, most first
};

/// How well a candidate suits. Parts that cannot be known (no place, no past) leave the score to the others, so that
/// a new user's list is as full as an old one's. As of scored_at(now). Pure.
[[nodiscard]] Suitability suitability(const Candidate& candidate, bool has_past, Instant now);

}  // namespace boxoffice
