#include "http/json_reader.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "http/times.hpp"

namespace boxoffice::http
{

namespace
{

// simdjson counts a scalar as one level more, so that 33 lets 32 brackets hold something.
constexpr std::size_t kDepthMax = 33;
constexpr std::size_t kTypicalBytes = 4096;
constexpr double kInt64End = 9223372036854775808.0;

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

/// The same text with every number that no machine type holds replaced by one that a double holds and every field refuses:
/// simdjson takes such numbers for bad JSON, the contract for a bad value.
std::string tame_numbers(std::string_view text)
{
    std::string tamed;
    tamed.reserve(text.size() + 64);
    std::size_t i = 0;
    while (i < text.size()) {
        if (text[i] == '"') {
            const std::size_t first = i++;
            while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
            i = std::min(i + 1, text.size());
            tamed.append(text, first, i - first);
        } else if (text[i] == '-' || is_digit(text[i])) {
            const auto length = number_length(text.substr(i));
            const auto number = text.substr(i, std::max<std::size_t>(length, 1));
            if (length != 0 && is_too_large(number)) {
                tamed += number.front() == '-' ? "-1e300" : "1e300";
            } else {
                tamed += number;
            }
            i += number.size();
        } else {
            tamed += text[i++];
        }
    }
    return tamed;
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
    auto fault = bench.parse(body, root);
    if (fault == simdjson::NUMBER_ERROR) fault = bench.parse(tame_numbers(body), root);
    if (fault == simdjson::SUCCESS) return root;
    return Error{Code::malformed, std::string(why_malformed(fault)), simdjson::error_message(fault)};
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
