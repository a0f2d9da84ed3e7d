#pragma once
#include "core/rules.hpp"

namespace boxoffice
{

/// The refusal of that code with its usual sentence.
[[nodiscard]] inline Error refuse(Code code) { return Error{code, std::string(default_message(code))}; }

}  // namespace boxoffice
