#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "cli/config.hpp"

namespace boxoffice::cli
{

/// The help of a command, of the family "migrate", or of all (no command, family ""). Ends with a newline.
[[nodiscard]] std::string help_text(std::optional<Command> command, std::string_view family);

}  // namespace boxoffice::cli
