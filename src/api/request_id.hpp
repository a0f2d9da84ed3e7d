#pragma once
#include <string>
#include <string_view>

namespace boxoffice::http
{

/// 1 to 128 of A-Z a-z 0-9 . _ : - and so harmless in a header, a log and a terminal.
[[nodiscard]] bool is_sane_request_id(std::string_view id);

/// 32 hexadecimal digits that no other request has. For telling requests apart, not for secrets: they come from a generator of
/// this thread's own, seeded once with `random_hex`, because the kernel's would cost more than the rest of a request.
[[nodiscard]] std::string make_request_id(std::string (*random_hex)(std::size_t));

/// The client's own, if that is a sane one, or a new one.
[[nodiscard]] std::string choose_request_id(std::string_view asked, std::string (*random_hex)(std::size_t));

}  // namespace boxoffice::http
