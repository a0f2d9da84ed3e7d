#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/acts.hpp"

namespace boxoffice::http
{

/// Reads RFC 3339 ("2027-05-01T19:30:00.25+02:00"; T, t or a space; Z or z) as an Instant, and the same without an offset
/// as wall time. Seconds may be left out; of up to nine decimals, those after the sixth are dropped. Nothing for whatever is
/// not such a time: other shapes, days the calendar does not have, second 60, years outside 1 to 9999 after taking the
/// offset away.
[[nodiscard]] std::optional<TimeInput> parse_time(std::string_view text);

/// Appends "2027-05-01T17:30:00Z", with ".250000" when the microseconds are not zero. Without quotes.
void append_time(std::string& out, Instant instant);

}  // namespace boxoffice::http
