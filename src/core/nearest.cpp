#include "core/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace boxoffice
{
namespace
{

/// Damerau's and Levenshtein's distance, one row at a time: two neighbouring letters the wrong way round are one slip.
std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        before.swap(above);
        above.swap(row);
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            row[j + 1] = std::min({above[j] + (a[i] == b[j] ? 0U : 1U), row[j] + 1, above[j + 1] + 1});
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
        }
    }
    return row.back();
}

}  // namespace

std::string_view nearest(std::string_view typed, std::span<const std::string_view> words)
{
    std::string_view best;
    std::size_t least = std::max<std::size_t>(1, typed.size() / 3) + 1;
    for (const std::string_view word : words) {
        const std::size_t steps = distance(typed, word);
        if (steps >= least) continue;
        least = steps;
        best = word;
    }
    return best;
}

}  // namespace boxoffice
