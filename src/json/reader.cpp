#include "json/reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "json/fault.hpp"
#include "json/times.hpp"

namespace boxoffice::http
{

namespace
{

// simdjson counts a scalar as one level more, so that 33 lets 32 brackets hold something.
constexpr std::size_t kDepthMax = 33;
constexpr std::size_t kTypicalBytes = 4096;
constexpr double kInt64End = 9223372036854775808.0;
constexpr std::int64_t kBodyBytesMax = 64 * 1024;  // no number has more digits

/// What one thread parses with; both parts keep their memory between requests.
struct Workbench {
    simdjson::dom::parser parser;
    std::vector<char> padded;

    simdjson::error_code parse(std::string_view text, simdjson::dom::element& out)
    {
        if (padded.size() < text.size() + simdjson::SIMDJSON_PADDING || parser.capacity() < text.size()) {
            const std::size_t bytes = std::max(text.size(), kTypicalBytes);
            if (const auto fault = parser.allocate(bytes, kDepthMax)) return fault;
            padded.assign(bytes + simdjson::SIMDJSON_PADDING, '\0');
        }
        std::memcpy(padded.data(), text.data(), text.size());
        return parser.parse(padded.data(), text.size(), false).get(out);
    }
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The length of the JSON number (RFC 8259, 6) that `text` begins with; 0 when it begins with none.
std::size_t number_length(std::string_view text)
{
    std::size_t i = 0;
    const auto digits = [&] {
        const std::size_t first = i;
        while (i < text.size() && is_digit(text[i])) ++i;
        return i - first;
    };
    if (i < text.size() && text[i] == '-') ++i;
    const bool zero_first = i < text.size() && text[i] == '0';
    const auto whole = digits();
    if (whole == 0 || (zero_first && whole > 1)) return 0;
    if (i < text.size() && text[i] == '.') {
        ++i;
        if (digits() == 0) return 0;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (digits() == 0) return 0;
    }
    return i;
}

bool is_too_large(std::string_view number)
{
    if (number.find_first_of(".eE") == number.npos) {
        std::int64_t value = 0;
        return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc::result_out_of_range;
    }
    return std::isinf(std::strtod(std::string(number).c_str(), nullptr));
}

/// "1.50e1" -> "15": the 64-bit integer that a number with a point or an exponent is, digit by digit; empty when it is none.
std::string whole(std::string_view number)
{
    constexpr std::int64_t kDigitsMax = 19;  // of 2^63
    const bool is_negative = number.front() == '-';
    const auto mark = number.find_first_of("eE");
    std::string_view mantissa = number.substr(is_negative ? 1 : 0, mark == number.npos ? mark : mark - (is_negative ? 1 : 0));
    std::int64_t exponent = 0;
    if (mark != number.npos) {
        std::string_view text = number.substr(mark + 1);
        if (text.front() == '+') text.remove_prefix(1);
        if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc{}) {
            exponent = text.front() == '-' ? -kBodyBytesMax : kBodyBytesMax;
        }
        exponent = std::clamp(exponent, -2 * kBodyBytesMax, 2 * kBodyBytesMax);
    }
    std::string digits(mantissa.substr(0, mantissa.find('.')));
    if (const auto point = mantissa.find('.'); point != mantissa.npos) {
        digits += mantissa.substr(point + 1);
        exponent -= static_cast<std::int64_t>(mantissa.size() - point - 1);
    }
    digits.erase(0, digits.find_first_not_of('0'));
    if (digits.empty()) return "0";
    while (digits.back() == '0') {
        digits.pop_back();
        ++exponent;
    }
    if (exponent < 0 || static_cast<std::int64_t>(digits.size()) + exponent > kDigitsMax) return {};
    digits.append(static_cast<std::size_t>(exponent), '0');
    if (is_negative) digits.insert(0, 1, '-');
    return is_too_large(digits) ? std::string() : digits;
}

/// Whether a number has a point or an exponent, or something within a string looks as if.
bool may_have_fractions(std::string_view text)
{
    for (std::size_t i = 1; i < text.size(); ++i) {
        if ((text[i] == '.' || text[i] == 'e' || text[i] == 'E') && is_digit(text[i - 1])) return true;
    }
    return false;
}

/// The same text with each number written so that simdjson and the fields agree on it: 100.0 as 100, because a whole number may
/// stand where an integer must; and one that no machine type holds as one that a double holds and every field refuses, because
/// simdjson takes such numbers for bad JSON and the contract for a bad value.
std::string plain_numbers(std::string_view text)
{
    std::string plain;
    plain.reserve(text.size() + 64);
    std::size_t i = 0;
    while (i < text.size()) {
        if (text[i] == '"') {
            const std::size_t first = i++;
            while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
            i = std::min(i + 1, text.size());
            plain.append(text, first, i - first);
        } else if (text[i] == '-' || is_digit(text[i])) {
            const auto length = number_length(text.substr(i));
            const auto number = text.substr(i, std::max<std::size_t>(length, 1));
            // What goes on as no number may is left for simdjson to refuse.
            const bool ends = i + number.size() == text.size() ||
                              std::string_view("0123456789.eE+-").find(text[i + number.size()]) == std::string_view::npos;
            const bool has_fraction = length != 0 && ends && number.find_first_of(".eE") != number.npos;
            const std::string integer = has_fraction ? whole(number) : std::string();
            if (!integer.empty()) {
                plain += integer;
            } else if (length != 0 && ends && is_too_large(number)) {
                plain += number.front() == '-' ? "-1e300" : "1e300";
            } else {
                plain += number;
            }
            i += number.size();
        } else {
            plain += text[i++];
        }
    }
    return plain;
}

/// A field name that an object has twice; empty when there is none. Bodies are nested 32 deep at most.
std::string_view repeated_name(simdjson::dom::element in)  // NOLINT(misc-no-recursion)
{
    constexpr std::size_t kFewFields = 16;  // fewer are compared faster than sorted
    if (in.is_array()) {
        for (const auto item : in.get_array().value_unsafe()) {
            if (const auto name = repeated_name(item); name.data() != nullptr) return name;
        }
    }
    if (!in.is_object()) return {};
    std::array<std::string_view, kFewFields> few;
    std::vector<std::string_view> many;
    std::size_t count = 0;
    for (const auto field : in.get_object().value_unsafe()) {
        if (const auto name = repeated_name(field.value); name.data() != nullptr) return name;
        if (count < kFewFields) {
            const auto end = few.begin() + static_cast<std::ptrdiff_t>(count);
            if (std::find(few.begin(), end, field.key) != end) return field.key;
            few[count] = field.key;
        } else {
            many.push_back(field.key);
        }
        ++count;
    }
    if (many.empty()) return {};
    many.insert(many.end(), few.begin(), few.end());
    std::sort(many.begin(), many.end());
    const auto twice = std::adjacent_find(many.begin(), many.end());
    return twice == many.end() ? std::string_view{} : *twice;
}

/// As much of a name as a sentence bears.
std::string shown(std::string_view name)
{
    constexpr std::size_t kBytesShown = 64;
    if (name.size() <= kBytesShown) return std::string(name);
    std::size_t end = kBytesShown;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;  // no character is cut in two
    return std::string(name.substr(0, end)) + "...";
}

std::string_view why_malformed(simdjson::error_code fault)
{
    switch (fault) {
        case simdjson::EMPTY:
            return "The body is empty where JSON was expected.";
        case simdjson::UTF8_ERROR:
            return "The body is not UTF-8.";
        case simdjson::DEPTH_ERROR:
            return "The JSON of the body is nested too deeply.";
        default:
            return "The body is not valid JSON.";
    }
}

Error malformed(simdjson::error_code fault, std::string_view body)
{
    std::string message(why_malformed(fault));
    if (const auto place = where_json_breaks(body)) {
        message.pop_back();
        message += fmt::format(": line {}, column {}.", place->line, place->column);
    }
    return Error{Code::malformed, std::move(message), simdjson::error_message(fault)};
}

}  // namespace

void Reading::refuse(std::string_view msg, std::string_view type)
{
    FieldError error;
    error.loc.assign(path_.begin(), path_.end());
    error.msg = msg;
    error.type = type;
    errors.push_back(std::move(error));
}

Result<simdjson::dom::element> parse_json(std::string_view body)
{
    thread_local Workbench bench;
    simdjson::dom::element root;
    auto fault = may_have_fractions(body) ? simdjson::NUMBER_ERROR : bench.parse(body, root);
    if (fault == simdjson::NUMBER_ERROR) fault = bench.parse(plain_numbers(body), root);
    if (fault != simdjson::SUCCESS) return malformed(fault, body);
    if (const auto name = repeated_name(root); name.data() != nullptr) {
        return Error{Code::malformed, fmt::format("An object in the JSON of the body has the field \"{}\" twice.", shown(name))};
    }
    return root;
}

void refuse_fields(simdjson::dom::element in, std::span<const fields::Refused> refused, Reading& reading)
{
    for (const fields::Refused& field : refused) {
        simdjson::dom::element found;
        if (!in.is_object() || in.get_object().at_key(field.name).get(found) != simdjson::SUCCESS) continue;
        reading.enter(field.name);
        reading.refuse(field.why, "refused_field");
        reading.leave();
    }
}

void read(simdjson::dom::element in, std::string& out, Reading& reading)
{
    std::string_view text;
    if (in.get(text) != simdjson::SUCCESS) return reading.refuse("Input should be a valid string", "string_type");
    if (text.find('\0') != text.npos) return reading.refuse("Must not contain the character U+0000", "string_nul");
    out = text;
}

void read(simdjson::dom::element in, std::int64_t& out, Reading& reading)
{
    if (in.get(out) == simdjson::SUCCESS) return;
    double value = 0;
    if (in.get(value) == simdjson::SUCCESS && std::abs(value) >= kInt64End) {
        return reading.refuse("Input should be a 64-bit integer", "int_range");
    }
    reading.refuse("Input should be a valid integer", "int_type");
}

void read(simdjson::dom::element in, double& out, Reading& reading)
{
    if (in.get(out) != simdjson::SUCCESS) reading.refuse("Input should be a valid number", "float_type");
}

void read(simdjson::dom::element in, TimeInput& out, Reading& reading)
{
    std::string_view text;
    if (in.get(text) != simdjson::SUCCESS) return reading.refuse("Input should be a time as a string", "datetime_type");
    if (auto time = parse_time(text)) {
        out = *time;
    } else {
        reading.refuse("Input should be a time such as 2027-05-01T19:30:00Z, or without Z to mean the event's own zone",
                       "datetime_parsing");
    }
}

}  // namespace boxoffice::http
