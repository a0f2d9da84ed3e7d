#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace boxoffice::http
{

struct TextPlace {
    std::size_t line = 1;
    std::size_t column = 1;  // in characters
};

/// Where a text stops being JSON: the first character that cannot follow, or its end. Nothing when it is JSON after all. Slower
/// than parse_json(), which only tells that there is a fault.
[[nodiscard]] std::optional<TextPlace> where_json_breaks(std::string_view text);

}  // namespace boxoffice::http
