#include "api/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "api/field_text.hpp"
#include "core/nearest.hpp"
#include "core/rules.hpp"
#include "json/json.hpp"
#include "text/text.hpp"

namespace boxoffice::http
{

namespace
{

/// An address of 8 KiB can hold thousands of unknown names; as many as a person reads are told.
constexpr std::size_t kUnknownNamed = 16;
constexpr std::size_t kNameBytesCompared = 64;  // no slip of the finger explains a longer name

std::vector<std::string_view> words_of(std::string_view list)
{
    std::vector<std::string_view> words;
    while (!list.empty()) {
        const auto word = list.substr(0, list.find(' '));
        words.push_back(word);
        list.remove_prefix(std::min(word.size() + 1, list.size()));
    }
    return words;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words)
{
    return std::any_of(words.begin(), words.end(), [text](std::string_view word) { return is_word(text, word); });
}

/// Names the parameter that was meant, or all there are.
std::string why_unknown(std::string_view name, const std::vector<std::string_view>& known)
{
    if (known.empty()) return "Unknown parameter; this address takes none";
    std::string lower(name.substr(0, kNameBytesCompared));
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const auto like = name.size() <= kNameBytesCompared ? nearest(lower, known) : std::string_view{};
    if (!like.empty()) return fmt::format("Unknown parameter; did you mean {}?", like);
    return fmt::format("Unknown parameter; known are {}", fmt::join(known, ", "));
}

}  // namespace

Result<Query> Query::parse(std::string_view encoded, std::string_view known)
{
    auto fields = parse_form(encoded);
    if (!fields) return Error{Code::malformed, "The query of this address cannot be decoded."};
    if (has_repeated_field(*fields)) return Error{Code::malformed, "The query of this address gives a parameter more than once."};
    Query query(std::move(*fields));
    const auto words = words_of(known);
    for (const auto& [name, value] : query.fields_) {
        if (std::find(words.begin(), words.end(), name) != words.end()) continue;
        if (query.errors_.size() == kUnknownNamed) break;
        query.refuse(name, why_unknown(name, words), "unknown_parameter");
    }
    return query;
}

std::optional<std::int64_t> Query::integer(std::string_view name)
{
    const std::string* text = find_field(fields_, name);
    if (text == nullptr) return std::nullopt;
    std::int64_t value = 0;
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (fault == std::errc{} && end == text->data() + text->size()) return value;
    if (fault == std::errc::result_out_of_range && end == text->data() + text->size()) {
        refuse(name, "Input should be a 64-bit integer", "int_range");
    } else {
        refuse(name, "Input should be a valid integer", "int_parsing");
    }
    return std::nullopt;
}

std::optional<std::int64_t> Query::id(std::string_view name)
{
    const auto value = integer(name);
    if (value && *value < 1) refuse(name, "Input should be greater than or equal to 1", "greater_than_equal");
    return value;
}

std::optional<double> Query::number(std::string_view name)
{
    const std::string* text = find_field(fields_, name);
    if (text == nullptr) return std::nullopt;
    double value = 0;
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (end != text->data() + text->size() || text->empty() || fault == std::errc::invalid_argument) {
        refuse(name, "Input should be a valid number", "float_parsing");
    } else if (fault != std::errc{} || !std::isfinite(value)) {
        refuse(name, "Input should be a finite number", "finite_number");
    } else {
        return value;
    }
    return std::nullopt;
}

bool Query::flag(std::string_view name)
{
    const std::string* text = find_field(fields_, name);
    if (text == nullptr || is_one_of(*text, {"false", "0", "no", "off"})) return false;
    if (is_one_of(*text, {"true", "1", "yes", "on"})) return true;
    refuse(name, "Input should be true or false", "bool_parsing");
    return false;
}

std::string Query::text(std::string_view name)
{
    const std::string* text = find_field(fields_, name);
    if (text == nullptr) return {};
    if (text->find('\0') == text->npos) return *text;
    refuse(name, "Must not contain the character U+0000", "string_nul");
    return {};
}

std::string Query::words(std::string_view name)
{
    std::string asked = text(name);
    const std::string* const found = find_field(fields_, name);
    const bool is_text = found != nullptr && found->find('\0') == found->npos;  // else it is refused already
    if (is_text && boxoffice::text::query_of(asked).empty())
        refuse(name, "Should have a word in it: letters or digits", "no_word");
    return asked;
}

std::optional<Instant> Query::time(std::string_view name)
{
    const std::string* found = find_field(fields_, name);
    if (found == nullptr) return std::nullopt;
    std::string text = *found;
    constexpr std::size_t kOffset = sizeof "+00:00" - 1;
    constexpr std::size_t kWallMin = sizeof "2027-05-01T19:30" - 1;
    if (text.size() >= kWallMin + kOffset && text[text.size() - kOffset] == ' ') text[text.size() - kOffset] = '+';
    const auto input = parse_time(text);
    if (!input) {
        refuse(name, "Input should be a time such as 2027-05-01T19:30:00Z", "datetime_parsing");
        return std::nullopt;
    }
    if (const auto* instant = std::get_if<Instant>(&*input)) return *instant;
    return Instant(std::get<LocalTime>(*input).time_since_epoch());
}

std::optional<TicketStatus> Query::status(std::string_view name)
{
    const std::string* text = find_field(fields_, name);
    if (text == nullptr) return std::nullopt;
    for (const auto status : {TicketStatus::reserved, TicketStatus::paid, TicketStatus::expired, TicketStatus::cancelled}) {
        if (*text == status_word(status)) return status;
    }
    refuse(name, "Input should be reserved, paid, expired or cancelled", "enum");
    return std::nullopt;
}

Slice Query::slice(std::int64_t limit_unless_given)
{
    Slice slice{integer("skip").value_or(0), integer("limit").value_or(limit_unless_given)};
    if (slice.skip < 0) refuse("skip", "Input should be greater than or equal to 0", "greater_than_equal");
    if (slice.skip > kSkipMax) {
        refuse("skip", fmt::format("Input should be less than or equal to {}; beyond it, lists go on by their links", kSkipMax),
               "less_than_equal");
    }
    if (slice.limit < 1) refuse("limit", "Input should be greater than or equal to 1", "greater_than_equal");
    if (slice.limit > kPageMax) {
        refuse("limit", fmt::format("Input should be less than or equal to {}", kPageMax), "less_than_equal");
    }
    return slice;
}

Fields Query::fields()
{
    const std::string* text = find_field(fields_, "fields");
    if (text == nullptr || *text == "full") return Fields::full;
    if (*text != "summary") refuse("fields", "Input should be full or summary", "enum");
    return Fields::summary;
}

void Query::refuse(std::string_view name, std::string msg, std::string_view type)
{
    errors_.push_back({{"query", std::string(name)}, std::move(msg), std::string(type)});
}

Error Query::error() { return Error{Code::invalid, std::string(default_message(Code::invalid)), {}, std::move(errors_)}; }

}  // namespace boxoffice::http
