#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boxoffice::http
{

/// Names and values of an application/x-www-form-urlencoded text (a form's body, a URL's query), decoded, in order.
using FormFields = std::vector<std::pair<std::string, std::string>>;

/// Nothing when a '%' is not followed by two hexadecimal digits or the decoded text is not UTF-8.
[[nodiscard]] std::optional<FormFields> parse_form(std::string_view encoded);

/// True when a name stands there twice.
[[nodiscard]] bool has_repeated_field(const FormFields& fields);

/// The value of that name, the last of several.
[[nodiscard]] const std::string* find_field(const FormFields& fields, std::string_view name);

}  // namespace boxoffice::http
