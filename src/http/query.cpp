#include "http/query.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

#include "core/rules.hpp"
#include "http/times.hpp"
#include "text/text.hpp"

namespace boxoffice::http
{

Result<Query> Query::parse(std::string_view encoded)
{
    auto fields = parse_form(encoded);
    if (!fields) return Error{Code::malformed, "The query of this address cannot be decoded."};
    return Query(std::move(*fields));
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
    if (text == nullptr || *text == "false" || *text == "0") return false;
    if (*text == "true" || *text == "1") return true;
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
    if (slice.limit < 1) refuse("limit", "Input should be greater than or equal to 1", "greater_than_equal");
    if (slice.limit > kPageMax) {
        refuse("limit", fmt::format("Input should be less than or equal to {}", kPageMax), "less_than_equal");
    }
    return slice;
}

void Query::refuse(std::string_view name, std::string msg, std::string_view type)
{
    errors_.push_back({{"query", std::string(name)}, std::move(msg), std::string(type)});
}

Error Query::error() { return Error{Code::invalid, std::string(default_message(Code::invalid)), {}, std::move(errors_)}; }

}  // namespace boxoffice::http
