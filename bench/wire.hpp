#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// As much of HTTP/1.1 and JSON as a load generator needs to believe an answer, and no more.
namespace boxoffice::bench
{

/// One whole answer; the views point into whatever it was parsed from.
struct Answer {
    int status = 0;
    std::string_view headers;  // the block after the status line, without the empty line
    std::string_view body;
};

struct FramedAnswer {
    Answer answer;
    std::size_t bytes = 0;  // of the input that the answer takes
};

/// The answer at the front of `input`; nothing while some of it is missing. Throws std::runtime_error when it is not
/// HTTP/1.1 or carries a body without Content-Length.
[[nodiscard]] std::optional<FramedAnswer> parse_answer(std::string_view input);

/// The value of a header by its lower-case name, or empty.
[[nodiscard]] std::string_view header_value(std::string_view headers, std::string_view lower_name);

/// The number that follows the first `"name":` in a JSON text. An object's own member comes first in the server's
/// answers, so that no nesting has to be understood.
[[nodiscard]] std::optional<std::int64_t> integer_member(std::string_view json, std::string_view name);
[[nodiscard]] std::optional<double> number_member(std::string_view json, std::string_view name, std::size_t from,
                                                  std::size_t& end);
/// The text of a string member without escapes in it.
[[nodiscard]] std::string_view text_member(std::string_view json, std::string_view name);
[[nodiscard]] std::size_t count_members(std::string_view json, std::string_view name);

/// A whole request. `token` and `body` may be empty; a body goes as JSON.
[[nodiscard]] std::string compose_request(std::string_view method, std::string_view target, std::string_view token,
                                          std::string_view body);

}  // namespace boxoffice::bench
