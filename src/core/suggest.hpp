#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "core/queries.hpp"

/// What suits a user: one documented score (docs/HOUSE.md, "For you") from four parts, each 0..1, with the weights in one place.
namespace boxoffice
{

struct Suitability {
    double score = 0;                       // 0..1
    std::vector<std::string_view> reasons;  // near_you, similar_to_past, popular, soon: those that made the score, most first
};

/// How well a candidate suits. Parts that cannot be known (no place, no past) leave the score to the others, so that
/// a new user's list is as full as an old one's. Pure.
[[nodiscard]] Suitability suitability(const Candidate& candidate, bool has_past, Instant now);

}  // namespace boxoffice
