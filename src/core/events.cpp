#include <fmt/core.h>

#include <algorithm>

#include "core/event_fields.hpp"
#include "core/limits.hpp"
#include "core/refuse.hpp"

namespace boxoffice
{

namespace
{

using Errors = std::vector<FieldError>;

void add(Errors& errors, std::vector<std::string> loc, std::string msg, std::string type)
{
    errors.push_back({std::move(loc), std::move(msg), std::move(type)});
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

Resolved check_times(Errors& errors, const EventDraft& draft, const Zones& zones)
{
    if (!zones.exists(draft.timezone)) {
        add(errors, {"body", "timezone"}, "This is not the name of a time zone, such as Europe/Berlin", "unknown_timezone");
    }
    Resolved times;
    times.start = resolve(errors, draft.start_time, draft.timezone, zones, "start_time");
    times.end = resolve(errors, draft.end_time, draft.timezone, zones, "end_time");
    if (times.start && times.end && *times.start >= *times.end) {
        add(errors, {"body", "end_time"}, "Must be later than start_time", "not_after_start");
    }
    return times;
}

Resolved check(Errors& errors, const EventDraft& draft, const Zones& zones)
{
    std::optional<Resolved> times;
    const auto judge = [&]<class Field>(const fields::Place& place, const Field& field, const auto& value) {
        if constexpr (fields::Has<Field, fields::Text>) {
            check_length(field.rule, value, place, errors);
        } else if constexpr (fields::Has<Field, fields::Moment> || fields::Has<Field, fields::ZoneName>) {
            if (!times) times = check_times(errors, draft, zones);  // all that is said of time is judged with the first of it
        } else {
            check(field.rule, value, place, errors);
        }
    };
    each_value(fields::kEventDraft, fields::kBody, judge, draft);
    return times.value_or(Resolved{});
}

template <class Value>
const Value* given(const Value& value)
{
    return &value;
}
template <class Value>
const Value* given(const std::optional<Value>& value)
{
    return value ? &*value : nullptr;
}

/// Of what a draft or a patch writes anew. What an event has of a time when less was asked for stays, and stands in the way of no
/// other change.
template <class Written>
void check_content(Errors& errors, const Written& written)
{
    const auto judge = [&errors]<class Field>(const fields::Place& place, const Field& field, const auto& value) {
        if constexpr (fields::Has<Field, fields::Text>) {
            if (const auto* text = given(value)) check_content(field.rule, *text, place, errors);
        }
    };
    each_value(fields::kEventDraft, fields::kBody, judge, written);
}

void check_not_over(Errors& errors, std::optional<Instant> end, Instant now)
{
    if (end && *end <= now) add(errors, {"body", "end_time"}, "Must not have passed", "already_over");
}

Error invalid(Errors errors) { return Error{Code::invalid, std::string(default_message(Code::invalid)), {}, std::move(errors)}; }

EventDraft merged(const Event& event, const EventPatch& patch)
{
    EventDraft draft;
    const auto merge = [](const fields::Place&, const auto&, auto& to, const auto& now, const auto& instead) {
        if (instead) {
            to = *instead;
        } else {
            to = now;
        }
    };
    each_value(fields::kEventDraft, fields::kBody, merge, draft, event, patch);
    return draft;
}

bool is_meant(const Event& event, const OnlyAt& only_at)
{
    return !only_at || std::find(only_at->begin(), only_at->end(), event.version) != only_at->end();
}

/// Whether they agree in all that an organizer can change.
bool is_same(const Event& a, const Event& b)
{
    bool same = true;
    const auto compare = [&same](const fields::Place&, const auto&, const auto& one, const auto& other) {
        same = same && one == other;
    };
    each_value(fields::kEventDraft, fields::kBody, compare, a, b);
    return same;
}

void fill(Event& event, const EventDraft& draft, const Resolved& times)
{
    const auto copy = []<class Field>(const fields::Place&, const Field&, auto& to, const auto& from) {
        if constexpr (!fields::Has<Field, fields::Moment>) to = from;
    };
    each_value(fields::kEventDraft, fields::kBody, copy, event, draft);
    event.start_time = *times.start;
    event.end_time = *times.end;
}

}  // namespace

std::vector<FieldError> check_draft(const EventDraft& draft, const Zones& zones, Instant now)
{
    Errors errors;
    const Resolved times = check(errors, draft, zones);
    check_content(errors, draft);
    check_not_over(errors, times.end, now);
    return errors;
}

Result<Event> decide_add_event(const EventDraft& draft, UserId organizer, const Zones& zones, Instant now)
{
    Errors errors;
    const Resolved times = check(errors, draft, zones);
    check_content(errors, draft);
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
    check_content(errors, patch);
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
