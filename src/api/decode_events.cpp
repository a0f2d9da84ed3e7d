#include <algorithm>
#include <chrono>
#include <cstdint>

#include "api/decode.hpp"
#include "api/decode_common.hpp"
#include "api/idempotency.hpp"
#include "core/event_fields.hpp"

namespace boxoffice::http
{

namespace
{

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

// What no rule objects to.
std::string valid_default(const fields::Text& rule) { return rule.least == 0 ? "" : "-"; }
std::string valid_default(const fields::ZoneName&) { return std::string(kDefaultZone); }
std::int64_t valid_default(const fields::Whole& rule) { return rule.least; }
double valid_default(const fields::Degrees&) { return 0; }

/// The patch over a draft that no rule objects to: what is then wrong is wrong with the patch's own fields.
EventDraft over_valid_defaults(const EventPatch& patch, Instant now)
{
    EventDraft draft;
    const auto lay = []<class Field>(const fields::Place&, const Field& field, auto& to, const auto& from) {
        if constexpr (!fields::Has<Field, fields::Moment>) to = from.value_or(valid_default(field.rule));
    };
    fields::each_value(fields::kEventDraft, fields::kBody, lay, draft, patch);
    stand_in_for_missing_times(draft, patch.start_time, patch.end_time, now);
    return draft;
}

}  // namespace

Result<EventDraft> decode_event_draft(const Request& request, const Zones& zones, Instant now)
{
    EventDraft draft;
    auto errors = read_body(request, fields::kEventDraft, draft);
    if (!errors) return std::move(errors).error();
    const auto readable = [&errors](std::string_view field) { return is_readable(*errors, {"body", std::string(field)}); };
    stand_in_for_missing_times(draft, readable("start_time") ? std::optional(draft.start_time) : std::nullopt,
                               readable("end_time") ? std::optional(draft.end_time) : std::nullopt, now);
    add_rule_errors(*errors, check_readable(draft, readable("timezone") ? Zone::known : Zone::unknown, zones, now));
    if (!errors->empty()) return invalid(std::move(*errors));
    return draft;
}

Result<EventPatch> decode_event_patch(const Request& request, const Zones& zones, Instant now)
{
    EventPatch patch;
    auto errors = read_body<Shape::patch>(request, fields::kEventDraft, patch);
    if (!errors) return std::move(errors).error();
    const auto key = idempotency_key(request);
    const bool is_refused_for_its_key = key && key_error(*key);
    if (errors->empty() && !is_refused_for_its_key) return patch;  // judged with the event that it changes
    const Zone zone = patch.timezone ? Zone::known : Zone::unknown;
    add_rule_errors(*errors, check_readable(over_valid_defaults(patch, now), zone, zones, now));
    if (errors->empty()) return patch;
    return invalid(std::move(*errors));
}

}  // namespace boxoffice::http
