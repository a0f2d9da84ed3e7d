#pragma once
#include <string>
#include <string_view>

/// What a person typed, made fit for a message to a stranger: addresses are not verified, so
/// an account's name, an event's title or a reference must not carry a stranger's message into another one's mailbox.
namespace boxoffice
{

/// As one line: controls and line breaks are spaces, and what has no look of its own or turns the direction of writing is left
/// out.
[[nodiscard]] std::string one_line(std::string_view text);

/// one_line, and "…" in place of each word that is a web address.
[[nodiscard]] std::string without_links(std::string_view text);

/// A name for the greeting: one_line of at most kGreetingCharsMax characters; empty when any of it is what a mail programme
/// would make a link of, or when nothing is left.
[[nodiscard]] std::string greeting_name(std::string_view name);

}  // namespace boxoffice
