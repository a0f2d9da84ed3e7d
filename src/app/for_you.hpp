#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "core/core.hpp"

namespace boxoffice
{

struct Suggestion {
    Event event;
    double score = 0;
    std::vector<std::string_view> reasons;
    std::optional<double> distance_m;
};

/// Suggests. Plain functions over the Store's reads: call them on the read lane.
class ForYou
{
public:
    explicit ForYou(Store& store) : store_(store) {}

    /// Best first, then by id. `total` of the page counts all candidates.
    [[nodiscard]] Page<Suggestion> recommended(const SuggestionQuery& query, std::int64_t skip, std::int64_t limit);

private:
    Store& store_;
};

}  // namespace boxoffice
