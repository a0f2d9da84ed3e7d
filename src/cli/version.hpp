#pragma once
#include <string_view>

namespace boxoffice::cli
{

/// "0.1.0", or "0.1.0 (v0.1.0-3-gabc1234)" when the build knows the commit.
[[nodiscard]] std::string_view version();

}  // namespace boxoffice::cli
