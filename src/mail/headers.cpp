#include "mail/headers.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace boxoffice::mail
{

namespace
{

/// An encoded word has at most 75 characters (RFC 2047, section 2): 12 for its frame leave 60 of base64, which are 45 bytes.
constexpr std::size_t kEncodedBytesMax = 45;
/// A line should have at most 78 characters (RFC 5322, section 2.1.1); longer plain text goes as encoded words, which fold.
constexpr std::size_t kPlainCharsMax = 60;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

std::string without_controls(std::string_view text)
{
    std::string line(text);
    std::replace_if(line.begin(), line.end(), is_control, ' ');
    return line;
}

std::string base64(std::string_view bytes)
{
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::string_view group = bytes.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i) text += i <= group.size() ? kDigits[bits >> (18 - 6 * i) & 63U] : '=';
    }
    return text;
}

/// Words are cut between characters: each must be readable alone.
std::string encoded_words(std::string_view text)
{
    std::string words;
    while (!text.empty()) {
        std::size_t cut = std::min(text.size(), kEncodedBytesMax);
        while (cut < text.size() && cut > 1 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
        if (!words.empty()) words += "\r\n ";
        words += "=?UTF-8?B?" + base64(text.substr(0, cut)) + "?=";
        text.remove_prefix(cut);
    }
    return words;
}

bool is_plain(std::string_view text)
{
    return text.size() <= kPlainCharsMax && text.find("=?") == text.npos && std::all_of(text.begin(), text.end(), is_ascii);
}

}  // namespace

bool is_address(std::string_view address)
{
    constexpr std::string_view kSpecials = "()<>[]:;,\\\"";
    const auto at = address.find('@');
    return at != address.npos && at > 0 && at + 1 < address.size() && address.find('@', at + 1) == address.npos &&
           std::none_of(address.begin(), address.end(),
                        [&](char c) { return is_control(c) || c == ' ' || kSpecials.find(c) != kSpecials.npos; });
}

std::optional<Mailbox> parse_mailbox(std::string_view text)
{
    const auto trim = [](std::string_view part) {
        const auto begin = part.find_first_not_of(' ');
        return begin == part.npos ? std::string_view{} : part.substr(begin, part.find_last_not_of(' ') - begin + 1);
    };
    if (std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
    text = trim(text);
    Mailbox mailbox;
    if (text.ends_with('>')) {
        const auto open = text.rfind('<');
        if (open == text.npos) return std::nullopt;
        std::string_view name = trim(text.substr(0, open));
        if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) name = name.substr(1, name.size() - 2);
        mailbox.name = name;
        text = text.substr(open + 1, text.size() - open - 2);
    }
    if (!is_address(text)) return std::nullopt;
    mailbox.address = text;
    return mailbox;
}

std::string header_text(std::string_view text)
{
    std::string line = without_controls(text);
    return is_plain(line) ? line : encoded_words(line);
}

std::string header_mailbox(const Mailbox& mailbox)
{
    if (mailbox.name.empty()) return mailbox.address;
    const std::string name = without_controls(mailbox.name);
    if (!is_plain(name)) return encoded_words(name) + "\r\n <" + mailbox.address + ">";
    std::string quoted;
    for (const char c : name) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return fmt::format("\"{}\" <{}>", quoted, mailbox.address);
}

std::string quoted_printable(std::string_view text)
{
    constexpr std::size_t kLineMax = 75;  // and a '=' where a line goes on in the next
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string lines;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\r') continue;
        if (c == '\n') {
            lines += "\r\n";
            column = 0;
            continue;
        }
        const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
        const bool plain = (c > ' ' && c <= '~' && c != '=') || (c == ' ' && !ends_line);
        if (column + (plain ? 1 : 3) > kLineMax) {
            lines += "=\r\n";
            column = 0;
        }
        if (plain) {
            lines += c;
            ++column;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            lines += {'=', kHex[byte >> 4], kHex[byte & 15U]};
            column += 3;
        }
    }
    if (column > 0) lines += "\r\n";
    return lines;
}

std::string header_date(std::chrono::system_clock::time_point time)
{
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string message_id(std::string_view key, std::string_view from_address)
{
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: two keys that look the same once cleaned stay two
    std::string cleaned;
    for (const char c : key) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        cleaned += good ? c : '-';
    }
    return fmt::format("<{}.{:016x}@{}>", cleaned, hash, from_address.substr(from_address.find('@') + 1));
}

}  // namespace boxoffice::mail
