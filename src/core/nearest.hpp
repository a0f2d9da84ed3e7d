#pragma once
#include <span>
#include <string_view>
#include <vector>

namespace boxoffice
{

/// The word most like `typed` when it is so like it that a slip of the finger explains the difference; else empty.
[[nodiscard]] std::string_view nearest(std::string_view typed, std::span<const std::string_view> words);

}  // namespace boxoffice
