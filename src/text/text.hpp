#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

/// Unicode, by ICU: pure functions over UTF-8, the same on every machine with the same ICU. Bytes that are no UTF-8 are read as
/// U+FFFD and never an error. Any thread. Throws std::runtime_error only when ICU itself does not work.
namespace boxoffice::text
{

/// Which pipeline words_of() is: grows when its rules do or ICU does. Words kept of an earlier one are to be made anew.
[[nodiscard]] std::int32_t words_version();

/// The words of a text as searches compare them: without regard to normal form, width, case and accents. Each is of letters,
/// digits and their marks only, of ASCII only 0-9 and a-z, and of 200 bytes at most. Scripts that are written without spaces
/// (Han, kana, Hangul with its particles, Thai and its neighbours) give each character and each pair of neighbours, so that
/// whatever stands in them is found.
[[nodiscard]] std::set<std::string> words_of(std::string_view utf8);

/// What a question asks for: all of `words`, and one word that begins with `prefix` unless that is empty.
struct WordQuery {
    std::set<std::string> words;
    std::string prefix;
    [[nodiscard]] bool empty() const { return words.empty() && prefix.empty(); }
};

/// A text finds itself: what words_of() gives for it is what this asks for. The last word is the prefix, because a user who types
/// has not finished it yet; in a script without spaces that goes without saying.
[[nodiscard]] WordQuery query_of(std::string_view utf8);

/// What a text must not be. one_line: a name, a title, a reference. paragraphs: may have line breaks and tabs, and may be empty.
enum class Kind : std::uint8_t { one_line, paragraphs };
/// A word and a sentence about what is wrong, or nothing: "control_characters", "bidi_controls", "blank".
struct Flaw {
    std::string_view type;
    std::string_view sentence;
};
[[nodiscard]] std::optional<Flaw> flaw_of(std::string_view utf8, Kind kind);

/// Without the white space (of any script) at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view utf8);

/// The name in ASCII, lower case, of a host that can receive mail, by UTS 46; nothing when it is none: a single label, an IP
/// address, a port, what DNS cannot carry.
[[nodiscard]] std::optional<std::string> host_name(std::string_view domain);

/// The form in which e-mail addresses are compared: local part by full case folding, domain as host_name() has it, where it has.
[[nodiscard]] std::string address_key(std::string_view address);

/// The address as a mail server without extensions takes it: its domain in ASCII. As it is when its domain is no host name.
[[nodiscard]] std::string deliverable(std::string_view address);

/// What is hashed of a password (RFC 8265, OpaqueString): NFC, and every space of another script as U+0020. What is no UTF-8
/// stays as it is.
[[nodiscard]] std::string password_form(std::string_view password);

}  // namespace boxoffice::text
