#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "core/limits.hpp"
#include "core/refuse.hpp"
#include "text/text.hpp"

namespace boxoffice
{

namespace
{

using Errors = std::vector<FieldError>;

void add(Errors& errors, std::vector<std::string> loc, std::string msg, std::string type)
{
    errors.push_back({std::move(loc), std::move(msg), std::move(type)});
}

void check_text(Errors& errors, std::vector<std::string> loc, std::string_view text, std::size_t least, std::size_t most)
{
    if (text.size() < least) {
        add(errors, std::move(loc), "Must not be empty", "string_too_short");
    } else if (count_chars(text) > most) {
        add(errors, std::move(loc), fmt::format("Has at most {} characters", most), "string_too_long");
    }
}

void check_flaws(Errors& errors, std::vector<std::string> loc, std::string_view text, text::Kind kind)
{
    if (text.empty()) return;  // judged by its length
    if (const auto flaw = text::flaw_of(text, kind))
        add(errors, std::move(loc), std::string(flaw->sentence), std::string(flaw->type));
}

/// What is written anew. What an event has of a time when less was asked for stays, and stands in the way of no other change.
void check_flaws(Errors& errors, const std::string* title, const std::string* description, const std::string* address)
{
    if (title) check_flaws(errors, {"body", "title"}, *title, text::Kind::one_line);
    if (description) check_flaws(errors, {"body", "description"}, *description, text::Kind::paragraphs);
    if (address) check_flaws(errors, {"body", "venue", "address"}, *address, text::Kind::one_line);
}

template <class Value>
const Value* given(const std::optional<Value>& value)
{
    return value ? &*value : nullptr;
}

/// The instant that was meant, or nothing and an error: no clock in that zone ever showed that time.
std::optional<Instant> resolve(Errors& errors, const TimeInput& input, std::string_view zone, const Zones& zones,
                               std::string field)
{
    if (const auto* instant = std::get_if<Instant>(&input)) return *instant;
    if (!zones.exists(zone)) return std::nullopt;  // said once, under "timezone"
    const auto instant = zones.to_instant(std::get<LocalTime>(input), zone);
    if (!instant) {
        add(errors, {"body", std::move(field)}, fmt::format("A clock change skips this time in {}", zone), "nonexistent_time");
    }
    return instant;
}

struct Resolved {
    std::optional<Instant> start;
    std::optional<Instant> end;
};

Resolved check(Errors& errors, const EventDraft& draft, const Zones& zones)
{
    check_text(errors, {"body", "title"}, draft.title, 1, kTitleCharsMax);
    check_text(errors, {"body", "description"}, draft.description, 0, kDescriptionCharsMax);
    if (!zones.exists(draft.timezone)) {
        add(errors, {"body", "timezone"}, "This is not the name of a time zone, such as Europe/Berlin", "unknown_timezone");
    }
    Resolved times;
    times.start = resolve(errors, draft.start_time, draft.timezone, zones, "start_time");
    times.end = resolve(errors, draft.end_time, draft.timezone, zones, "end_time");
    if (times.start && times.end && *times.start >= *times.end) {
        add(errors, {"body", "end_time"}, "Must be later than start_time", "not_after_start");
    }
    if (draft.total_tickets < 1 || draft.total_tickets > kTicketsMax) {
        add(errors, {"body", "total_tickets"}, fmt::format("Must be between 1 and {}", kTicketsMax), "out_of_range");
    }
    check_text(errors, {"body", "venue", "address"}, draft.venue.address, 1, kAddressCharsMax);
    check_point(draft.venue.point, {"body", "venue"}, errors);
    return times;
}

void check_not_over(Errors& errors, std::optional<Instant> end, Instant now)
{
    if (end && *end <= now) add(errors, {"body", "end_time"}, "Must not have passed", "already_over");
}

Error invalid(Errors errors) { return Error{Code::invalid, std::string(default_message(Code::invalid)), {}, std::move(errors)}; }

EventDraft merged(const Event& event, const EventPatch& patch)
{
    EventDraft draft;
    draft.title = patch.title.value_or(event.title);
    draft.description = patch.description.value_or(event.description);
    draft.start_time = patch.start_time.value_or(TimeInput(event.start_time));
    draft.end_time = patch.end_time.value_or(TimeInput(event.end_time));
    draft.timezone = patch.timezone.value_or(event.timezone);
    draft.total_tickets = patch.total_tickets.value_or(event.total_tickets);
    draft.venue.address = patch.venue_address.value_or(event.venue.address);
    draft.venue.point.latitude = patch.venue_latitude.value_or(event.venue.point.latitude);
    draft.venue.point.longitude = patch.venue_longitude.value_or(event.venue.point.longitude);
    return draft;
}

bool is_meant(const Event& event, const OnlyAt& only_at)
{
    return !only_at || std::find(only_at->begin(), only_at->end(), event.version) != only_at->end();
}

/// Whether they agree in all that an organizer can change.
bool is_same(const Event& a, const Event& b)
{
    const auto all = [](const Event& e) {
        return std::tie(e.title, e.description, e.start_time, e.end_time, e.timezone, e.total_tickets, e.venue.address,
                        e.venue.point.latitude, e.venue.point.longitude);
    };
    return all(a) == all(b);
}

void fill(Event& event, const EventDraft& draft, const Resolved& times)
{
    event.title = draft.title;
    event.description = draft.description;
    event.start_time = *times.start;
    event.end_time = *times.end;
    event.timezone = draft.timezone;
    event.total_tickets = draft.total_tickets;
    event.venue = draft.venue;
}

}  // namespace

std::vector<FieldError> check_draft(const EventDraft& draft, const Zones& zones, Instant now)
{
    Errors errors;
    const Resolved times = check(errors, draft, zones);
    check_flaws(errors, &draft.title, &draft.description, &draft.venue.address);
    check_not_over(errors, times.end, now);
    return errors;
}

Result<Event> decide_add_event(const EventDraft& draft, UserId organizer, const Zones& zones, Instant now)
{
    Errors errors;
    const Resolved times = check(errors, draft, zones);
    check_flaws(errors, &draft.title, &draft.description, &draft.venue.address);
    check_not_over(errors, times.end, now);
    if (!errors.empty()) return invalid(std::move(errors));
    Event event;
    fill(event, draft, times);
    event.organizer_id = organizer;
    event.created_at = now;
    event.updated_at = now;
    return event;
}

Result<void> decide_publishing(std::optional<Instant> nth_newest, Instant now)
{
    if (!nth_newest || *nth_newest + kPublishingWindow <= now) return {};
    Error error = refuse(Code::rate_limited);
    error.message = "This account has added as many events as it may in 24 hours.";
    error.retry_after = *nth_newest + kPublishingWindow - now;
    return error;
}

Result<Event> decide_change_event(const Event& event, UserId by, const EventPatch& patch, const Zones& zones, Instant now,
                                  const OnlyAt& only_at)
{
    if (event.organizer_id != by) return refuse(Code::not_organizer);
    if (!is_meant(event, only_at)) return refuse(Code::precondition_failed);
    const EventDraft draft = merged(event, patch);
    Errors errors;
    const Resolved times = check(errors, draft, zones);
    check_flaws(errors, given(patch.title), given(patch.description), given(patch.venue_address));
    if (patch.end_time) check_not_over(errors, times.end, now);
    if (!errors.empty()) return invalid(std::move(errors));
    if (draft.total_tickets < event.tickets_sold) return refuse(Code::below_sold);
    Event changed = event;
    fill(changed, draft, times);
    if (is_same(changed, event)) return event;
    ++changed.version;
    changed.updated_at = now;
    return changed;
}

Result<void> decide_remove_event(const Event& event, UserId by, std::int64_t live, const OnlyAt& only_at)
{
    if (event.organizer_id != by) return refuse(Code::not_organizer);
    if (!is_meant(event, only_at)) return refuse(Code::precondition_failed);
    if (live > 0) return refuse(Code::has_tickets);
    return {};
}

}  // namespace boxoffice
