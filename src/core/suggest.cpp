#include "core/suggest.hpp"

#include <algorithm>
#include <array>
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
constexpr double kPaceHalf = 20;       // tickets a day at which an event counts as half as lively as can be
constexpr double kReasonLeast = 0.25;  // a part below this did not make the score

struct Part {
    double weight;
    double value;  // 0..1
    std::string_view reason;
};

}  // namespace

Suitability suitability(const Candidate& candidate, bool has_past, Instant now)
{
    const double days = std::max(0.0, std::chrono::duration<double, std::ratio<86400>>(candidate.start_time - now).count());
    const double lively = candidate.pace / (candidate.pace + kPaceHalf);
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
