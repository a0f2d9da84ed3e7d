#include "cli/toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace boxoffice::cli
{
namespace
{

constexpr std::string_view kBlank = " \t\r";
constexpr std::string_view kKeyChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool append_utf8(std::string& out, std::uint32_t point)
{
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
    if (point < 0x80) {
        byte(point);
    } else if (point < 0x800) {
        byte(0xC0 | point >> 6);
        byte(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        byte(0xE0 | point >> 12);
        byte(0x80 | (point >> 6 & 0x3F));
        byte(0x80 | (point & 0x3F));
    } else {
        byte(0xF0 | point >> 18);
        byte(0x80 | (point >> 12 & 0x3F));
        byte(0x80 | (point >> 6 & 0x3F));
        byte(0x80 | (point & 0x3F));
    }
    return true;
}

/// Reads one escape after its backslash; `at` stands on the letter and is left on the escape's last character.
bool append_escape(std::string& out, std::string_view text, std::size_t& at)
{
    constexpr std::string_view kLetters = "btnfr\"\\";
    constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\";
    const char letter = text[at];
    if (const std::size_t which = kLetters.find(letter); which != std::string_view::npos) {
        out += kMeanings[which];
        return true;
    }
    const std::size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    if (digits == 0 || at + digits >= text.size()) return false;
    std::uint32_t point = 0;
    const char* const from = text.data() + at + 1;
    const auto [end, error] = std::from_chars(from, from + digits, point, 16);
    if (error != std::errc{} || end != from + digits) return false;
    at += digits;
    return append_utf8(out, point);
}

/// The string that `text` begins with, and in `rest` what follows it; nothing when it does not end or has a bad escape.
std::optional<std::string> read_string(std::string_view text, std::string_view& rest)
{
    const char quote = text.front();
    std::string out;
    for (std::size_t at = 1; at < text.size(); ++at) {
        const char c = text[at];
        if (c == quote) {
            rest = text.substr(at + 1);
            return out;
        }
        if (c == '\\' && quote == '"') {
            ++at;
            if (at == text.size() || !append_escape(out, text, at)) return std::nullopt;
        } else {
            out += c;
        }
    }
    return std::nullopt;
}

bool is_plain_value(std::string_view value)
{
    if (value == "true" || value == "false") return true;
    double number = 0;
    const std::string_view digits = value.starts_with('+') ? value.substr(1) : value;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc{} && end == digits.data() + digits.size();
}

void read_line(std::string_view line, int number, TomlText& out)
{
    const auto mistake = [&out, number](std::string what) { out.mistakes.push_back({number, std::move(what)}); };
    line = trimmed(line);
    if (line.empty() || line.front() == '#') return;
    if (line.front() == '[')
        return mistake("tables are not used here; write the setting's own name, such as hold-seconds = 120.");

    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return mistake("this line is not of the form: setting = value.");
    const std::string_view key = trimmed(line.substr(0, equals));
    if (key.empty() || key.find_first_not_of(kKeyChars) != std::string_view::npos) {
        return mistake(fmt::format("\"{}\" is not the name of a setting.", key));
    }
    std::string_view rest = trimmed(line.substr(equals + 1));
    std::string value;
    if (rest.starts_with('"') || rest.starts_with('\'')) {
        auto text = read_string(rest, rest);
        if (!text) return mistake(fmt::format("the text of {} does not end on its line or holds a wrong escape.", key));
        value = std::move(*text);
        rest = trimmed(rest);
        if (!rest.empty() && rest.front() != '#') return mistake(fmt::format("something stands after the value of {}.", key));
    } else {
        value = trimmed(rest.substr(0, rest.find('#')));
        std::erase(value, '_');
        if (!is_plain_value(value))
            return mistake(fmt::format("the value of {0} must be a number, or text in quotes; write {0} = \"{1}\".", key, value));
        if (value.starts_with('+')) value.erase(0, 1);
    }

    std::string name(key);
    std::replace(name.begin(), name.end(), '_', '-');
    for (const TomlEntry& entry : out.entries) {
        if (entry.key == name) return mistake(fmt::format("{} is set a second time; line {} has it already.", key, entry.line));
    }
    out.entries.push_back({std::move(name), std::move(value), number});
}

}  // namespace

TomlText read_toml(std::string_view text)
{
    TomlText out;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        read_line(text.substr(0, end), number, out);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

}  // namespace boxoffice::cli
