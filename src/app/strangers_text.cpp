#include "app/strangers_text.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/limits.hpp"

namespace boxoffice
{

namespace
{

constexpr char32_t kNone = 0xFFFD;

/// The characters of a text, each with its bytes; one that is broken is kNone.
struct Char {
    char32_t code = kNone;
    std::string_view bytes;
};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::vector<Char> chars_of(std::string_view text)
{
    std::vector<Char> chars;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t size = 1;
        while (i + size < text.size() && is_continuation(text[i + size])) ++size;
        const auto lead = static_cast<unsigned char>(text[i]);
        char32_t code = kNone;
        if (lead < 0x80 && size == 1) code = lead;
        if (lead >= 0xC0 && size >= 2 && size <= 4) {
            code = lead & (0xFFU >> (size + 1));
            for (std::size_t k = 1; k < size; ++k) code = code << 6U | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
        }
        chars.push_back({code, text.substr(i, size)});
        i += size;
    }
    return chars;
}

bool within(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

bool is_break(char32_t code) { return code < 0x20 || within(code, 0x7F, 0x9F) || code == 0x2028 || code == 0x2029; }

bool is_unseen(char32_t code)
{
    return code == 0xAD || code == 0x61C || code == 0x180E || within(code, 0x200B, 0x200F) || within(code, 0x202A, 0x202E) ||
           within(code, 0x2060, 0x206F) || code == 0xFEFF || within(code, 0xFFF9, 0xFFFB) || within(code, 0xE0000, 0xE007F);
}

/// The dot of a host's name, and those that programmes take for it.
bool is_dot(char32_t code) { return code == '.' || code == 0x2024 || code == 0x3002 || code == 0xFF0E || code == 0xFF61; }

bool is_blank(char32_t code) { return code == ' ' || code == 0xA0 || within(code, 0x2000, 0x200A) || code == 0x3000; }

/// Letters, digits and whatever is beyond ASCII but no blank and no dot: what a label of a host's name may be made of.
bool is_of_label(char32_t code)
{
    if (code >= 0x80) return !is_blank(code) && !is_dot(code);
    return within(code, '0', '9') || within(code, 'a', 'z') || within(code, 'A', 'Z') || code == '-';
}

bool begins_with(std::string_view text, std::string_view lower)
{
    return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), [](char wanted, char c) {
               return wanted == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
           });
}

bool is_web_address(std::string_view word)
{
    while (!word.empty() && std::string_view("\"'(<[{").find(word.front()) != std::string_view::npos) word.remove_prefix(1);
    return word.find("://") != word.npos || begins_with(word, "www.");
}

/// "example.org", "1.2.3.4", "x@y", "a:b", "//x": rather one name too many is not greeted by than one link sent. Initials with
/// dots ("J.R.R. Hartley") and a dot at the end of a word are none.
bool is_like_a_link(std::string_view name)
{
    const std::vector<Char> chars = chars_of(name);
    for (std::size_t i = 0; i < chars.size(); ++i) {
        const char32_t code = chars[i].code;
        const bool has_before = i > 0 && is_of_label(chars[i - 1].code);
        const bool has_after = i + 1 < chars.size() && !is_blank(chars[i + 1].code);
        if (code == '@' || code == 0xFF20) return true;
        if (code == '/' && has_after && chars[i + 1].code == '/') return true;
        if (code == ':' && has_after) return true;
        if (!is_dot(code) || !has_before) continue;
        std::size_t label = 0;
        bool digits = true;
        for (std::size_t k = i + 1; k < chars.size() && is_of_label(chars[k].code); ++k, ++label)
            digits = digits && within(chars[k].code, '0', '9');
        if (label > 1 || (label == 1 && digits)) return true;
    }
    return false;
}

}  // namespace

std::string one_line(std::string_view text)
{
    std::string line;
    for (const Char& c : chars_of(text)) {
        if (is_break(c.code)) {
            line += ' ';
        } else if (!is_unseen(c.code)) {
            line += c.bytes;
        }
    }
    return line;
}

std::string without_links(std::string_view text)
{
    const std::string line = one_line(text);
    std::string plain;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t end = std::min(line.find(' ', begin), line.size());
        const std::string_view word = std::string_view(line).substr(begin, end - begin);
        if (begin > 0) plain += ' ';
        plain += is_web_address(word) ? std::string_view("\u2026") : word;
        begin = end + 1;
    }
    return plain;
}

std::string greeting_name(std::string_view name)
{
    const std::string line = one_line(name);
    if (is_like_a_link(line)) return {};
    std::string greeting;
    std::size_t chars = 0;
    for (const Char& c : chars_of(line)) {
        if (chars == kGreetingCharsMax) break;
        if (is_blank(c.code) && (greeting.empty() || greeting.ends_with(' '))) continue;
        greeting += is_blank(c.code) ? std::string_view(" ") : c.bytes;
        ++chars;
    }
    while (greeting.ends_with(' ')) greeting.pop_back();
    return greeting;
}

}  // namespace boxoffice
