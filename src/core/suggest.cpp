#include "core/suggest.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>
#include <utility>

namespace boxoffice
{

namespace
{

// The weights, in one place. They are shares of one whole; a part that cannot be known gives its share to the others.
constexpr double kNear = 0.35;  // most people go to what they can reach
constexpr double kSimilar = 0.30;
constexpr double kPopular = 0.20;
constexpr double kSoon = 0.15;

constexpr double kNearHalfM = 25'000;  // an event this far is half as near as one next door: a ride across a city region
constexpr double kSoonHalfDays = 14;   // one this far ahead is half as soon as one that starts now
constexpr double kSalesRateHalf = 20;  // tickets a day at which an event counts as half as lively as can be
constexpr double kReasonLeast = 0.25;  // a part below this did not make the score

/// How alike an event is that has nothing in common with a past one but its organizer.
constexpr double kSameOrganizer = 0.5;
/// Of a user's title words the rarest so many are looked for.
constexpr std::size_t kTasteWords = 8;
/// A word of one event in 2^13 would weigh nothing, and kTasteWordEventsMax is less: every word that is asked for counts.
constexpr double kWeightBits = 13;
constexpr double kWeightUnit = 1000;

struct Part {
    double weight;
    double value;  // 0..1
    std::string_view reason;
};

}  // namespace

std::vector<WeighedWord> taste_of_words(std::vector<TasteWord> words)
{
    std::erase_if(words, [](const TasteWord& word) {
        return word.word.size() < kTasteWordBytesMin || word.events < 2 || word.events > kTasteWordEventsMax;
    });
    std::sort(words.begin(), words.end(), [](const TasteWord& a, const TasteWord& b) {
        return a.events != b.events ? a.events < b.events : a.word < b.word;
    });
    if (words.size() > kTasteWords) words.resize(kTasteWords);
    std::vector<WeighedWord> weighed;
    for (TasteWord& word : words) {
        const double bits = std::log2(static_cast<double>(word.events));
        weighed.push_back({std::move(word.word), std::llround(kWeightUnit * (kWeightBits - bits))});
    }
    return weighed;
}

std::vector<Candidate> choose_candidates(std::span<const CandidateFacts> facts)
{
    std::vector<const CandidateFacts*> all;
    std::int64_t heaviest = 0;
    for (const CandidateFacts& one : facts) {
        all.push_back(&one);
        heaviest = std::max(heaviest, one.weight);
    }
    std::unordered_set<EventId> taken;
    std::vector<Candidate> chosen;
    const auto take = [&](const CandidateFacts& one) {
        if (!taken.insert(one.event).second) return;
        Candidate& candidate = chosen.emplace_back();
        candidate.event = one.event;
        candidate.start_time = one.start_time;
        candidate.distance_m = one.distance_m;
        // The best match there is counts as 1: how rare words are says nothing of how much one can like.
        if (one.weight > 0) candidate.likeness = static_cast<double>(one.weight) / static_cast<double>(heaviest);
        if (one.same_organizer) candidate.likeness = std::max(candidate.likeness, kSameOrganizer);
        candidate.share_sold = one.share_sold;
        candidate.pace = one.pace;
    };
    // The first of those that `counts`, by `value` and then by id.
    const auto take_first = [&](const auto& counts, const auto& value) {
        const auto end = std::partition(all.begin(), all.end(), [&](const CandidateFacts* one) { return counts(*one); });
        const auto some = all.begin() + std::min(static_cast<std::ptrdiff_t>(kCandidatesOfAKind), end - all.begin());
        std::partial_sort(all.begin(), some, end, [&](const CandidateFacts* a, const CandidateFacts* b) {
            return std::pair(value(*a), a->event) < std::pair(value(*b), b->event);
        });
        std::for_each(all.begin(), some, [&](const CandidateFacts* one) { take(*one); });
    };
    const auto any = [](const CandidateFacts&) { return true; };
    const auto start = [](const CandidateFacts& one) { return one.start_time; };
    take_first(any, start);
    take_first(any, [](const CandidateFacts& one) { return -one.pace; });
    take_first([](const CandidateFacts& one) { return one.distance_m.has_value(); },
               [](const CandidateFacts& one) { return *one.distance_m; });
    take_first([](const CandidateFacts& one) { return one.weight > 0; }, [](const CandidateFacts& one) { return -one.weight; });
    take_first([](const CandidateFacts& one) { return one.same_organizer; }, start);
    return chosen;
}

Suitability suitability(const Candidate& candidate, bool has_past, Instant now)
{
    const auto ahead = candidate.start_time - scored_at(now);
    const double days = std::max(0.0, std::chrono::duration<double, std::ratio<86400>>(ahead).count());
    const double lively = candidate.pace / (candidate.pace + kSalesRateHalf);
    std::array<Part, 4> parts = {{
        {candidate.distance_m ? kNear : 0, candidate.distance_m ? kNearHalfM / (kNearHalfM + *candidate.distance_m) : 0,
         "near_you"},
        {has_past ? kSimilar : 0, std::clamp(candidate.likeness, 0.0, 1.0), "similar_to_past"},
        {kPopular, std::clamp((candidate.share_sold + lively) / 2, 0.0, 1.0), "popular"},
        {kSoon, kSoonHalfDays / (kSoonHalfDays + days), "soon"},
    }};
    double weights = 0;
    double sum = 0;
    for (const Part& part : parts) {
        weights += part.weight;
        sum += part.weight * part.value;
    }
    Suitability result;
    result.score = std::clamp(sum / weights, 0.0, 1.0);
    std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
        return std::pair(a.weight * a.value, a.reason) > std::pair(b.weight * b.value, b.reason);
    });
    for (const Part& part : parts) {
        if (part.weight > 0 && part.value >= kReasonLeast) result.reasons.push_back(part.reason);
    }
    // Never a suggestion without a word of why: the part that gave most is the reason even when it gave little.
    if (result.reasons.empty()) result.reasons.push_back(parts.front().reason);
    return result;
}

}  // namespace boxoffice
