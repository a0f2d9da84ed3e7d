#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// The words of a message's header, by RFC 5322 and 2047. Nothing that goes in can begin a line of its own.
namespace boxoffice::mail
{

struct Mailbox {
    std::string name;  // may be empty
    std::string address;
};

/// "Box office <tickets@example.org>" or a bare address; nothing when it is neither.
[[nodiscard]] std::optional<Mailbox> parse_mailbox(std::string_view text);

/// Whether an address can stand in an envelope and between < and >: one @, no spaces, controls or specials.
[[nodiscard]] bool is_address(std::string_view address);

/// Free text of a header: as it is when it is plain ASCII, otherwise encoded words, folded.
[[nodiscard]] std::string header_text(std::string_view text);
[[nodiscard]] std::string header_mailbox(const Mailbox& mailbox);
/// Lines of text by RFC 2045, section 6.7: ASCII stays readable, no line is longer than 76 characters, and each ends in CRLF.
[[nodiscard]] std::string quoted_printable(std::string_view text);
[[nodiscard]] std::string header_date(std::chrono::system_clock::time_point time);

/// The same for the same key, so that a program that gets a message twice can tell: <key.hash@domain of from>.
[[nodiscard]] std::string message_id(std::string_view key, std::string_view from_address);

}  // namespace boxoffice::mail
