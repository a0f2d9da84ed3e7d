#include <algorithm>
#include <chrono>
#include <cstdint>

#include "http/decode.hpp"
#include "http/decode_common.hpp"
#include "http/idempotency.hpp"

namespace boxoffice::http
{

namespace
{

struct VenueBody {
    std::string address;
    double latitude = 0;
    double longitude = 0;
};
BOOST_DESCRIBE_STRUCT(VenueBody, (), (address, latitude, longitude))

struct EventBody {
    std::string title;
    std::optional<std::string> description;
    TimeInput start_time;
    TimeInput end_time;
    std::optional<std::string> timezone;
    std::int64_t total_tickets = 0;
    VenueBody venue;
};
BOOST_DESCRIBE_STRUCT(EventBody, (), (title, description, start_time, end_time, timezone, total_tickets, venue))

struct VenuePatchBody {
    Given<std::string> address;
    Given<double> latitude;
    Given<double> longitude;
};
BOOST_DESCRIBE_STRUCT(VenuePatchBody, (), (address, latitude, longitude))

struct EventPatchBody {
    Given<std::string> title;
    Given<std::string> description;
    Given<TimeInput> start_time;
    Given<TimeInput> end_time;
    Given<std::string> timezone;
    Given<std::int64_t> total_tickets;
    Given<VenuePatchBody> venue;
};
BOOST_DESCRIBE_STRUCT(EventPatchBody, (), (title, description, start_time, end_time, timezone, total_tickets, venue))

/// About when that is, whatever the zone; for stand-ins only.
Instant roughly(const TimeInput& time)
{
    if (const auto* instant = std::get_if<Instant>(&time)) return *instant;
    return Instant(std::get<LocalTime>(time).time_since_epoch());
}

/// Gives a draft a time that no rule objects to where it has none of its own, so that the other one can be judged.
void stand_in_for_missing_times(EventDraft& draft, const std::optional<TimeInput>& start, const std::optional<TimeInput>& end,
                                Instant now)
{
    constexpr std::chrono::days kMoreThanAnyOffset{2};
    draft.end_time = end.value_or(TimeInput(std::max(start ? roughly(*start) : now, now) + kMoreThanAnyOffset));
    draft.start_time = start.value_or(TimeInput(roughly(draft.end_time) - kMoreThanAnyOffset));
}

enum class Zone : std::uint8_t { known, unknown };

/// What the rules say about a draft of which some parts could not be read. Wall times in an unknown zone are not judged.
std::vector<FieldError> check_readable(const EventDraft& draft, Zone zone, const Zones& zones, Instant now)
{
    auto found = check_draft(draft, zones, now);
    const bool has_wall_time =
        std::holds_alternative<LocalTime>(draft.start_time) || std::holds_alternative<LocalTime>(draft.end_time);
    if (zone == Zone::unknown && has_wall_time) {
        std::erase_if(
            found, [](const FieldError& e) { return e.loc.size() > 1 && (e.loc[1] == "start_time" || e.loc[1] == "end_time"); });
    }
    return found;
}

template <class T>
std::optional<T> to_optional(Given<T> given)
{
    if (!given.present) return std::nullopt;
    return std::move(given.value);
}

EventPatch to_patch(EventPatchBody body)
{
    EventPatch patch;
    patch.title = to_optional(std::move(body.title));
    patch.description = to_optional(std::move(body.description));
    patch.start_time = to_optional(body.start_time);
    patch.end_time = to_optional(body.end_time);
    patch.timezone = to_optional(std::move(body.timezone));
    patch.total_tickets = to_optional(body.total_tickets);
    patch.venue_address = to_optional(std::move(body.venue.value.address));
    patch.venue_latitude = to_optional(body.venue.value.latitude);
    patch.venue_longitude = to_optional(body.venue.value.longitude);
    return patch;
}

/// The patch over a draft that no rule objects to: what is then wrong is wrong with the patch's own fields.
EventDraft over_blameless(const EventPatch& patch, Instant now)
{
    EventDraft draft;
    draft.title = patch.title.value_or("-");
    draft.description = patch.description.value_or("");
    draft.timezone = patch.timezone.value_or("UTC");
    draft.total_tickets = patch.total_tickets.value_or(1);
    draft.venue.address = patch.venue_address.value_or("-");
    draft.venue.point = {patch.venue_latitude.value_or(0), patch.venue_longitude.value_or(0)};
    stand_in_for_missing_times(draft, patch.start_time, patch.end_time, now);
    return draft;
}

}  // namespace

Result<EventDraft> decode_event_draft(const Request& request, const Zones& zones, Instant now)
{
    EventBody body;
    auto errors = read_body(request, body);
    if (!errors) return std::move(errors).error();
    const auto readable = [&errors](std::string_view field) { return is_readable(*errors, {"body", std::string(field)}); };

    EventDraft draft;
    draft.title = std::move(body.title);
    draft.description = std::move(body.description).value_or("");
    draft.timezone = std::move(body.timezone).value_or("UTC");
    draft.total_tickets = body.total_tickets;
    draft.venue = {std::move(body.venue.address), {body.venue.latitude, body.venue.longitude}};
    stand_in_for_missing_times(draft, readable("start_time") ? std::optional(body.start_time) : std::nullopt,
                               readable("end_time") ? std::optional(body.end_time) : std::nullopt, now);
    add_rule_errors(*errors, check_readable(draft, readable("timezone") ? Zone::known : Zone::unknown, zones, now));
    if (!errors->empty()) return invalid(std::move(*errors));
    return draft;
}

Result<EventPatch> decode_event_patch(const Request& request, const Zones& zones, Instant now)
{
    EventPatchBody body;
    auto errors = read_body(request, body);
    if (!errors) return std::move(errors).error();
    EventPatch patch = to_patch(std::move(body));
    const auto key = idempotency_key(request);
    const bool is_refused_for_its_key = key && key_error(*key);
    if (errors->empty() && !is_refused_for_its_key) return patch;  // judged with the event that it changes
    const Zone zone = patch.timezone ? Zone::known : Zone::unknown;
    add_rule_errors(*errors, check_readable(over_blameless(patch, now), zone, zones, now));
    if (errors->empty()) return patch;
    return invalid(std::move(*errors));
}

}  // namespace boxoffice::http
