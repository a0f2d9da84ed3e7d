#include "runtime/lane_acts.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "core/limits.hpp"

namespace boxoffice
{

namespace
{

/// Registrations wait for a password first, which is slower by far than a lane: a quarter of the places is plenty.
constexpr std::size_t kPeopleShare = 4;
/// A sixteenth: an act of the catalogue may cost as much as fifty reservations.
constexpr std::size_t kCatalogueShare = 16;
/// An event without a word: its rows, and the indexes of times and places.
constexpr std::size_t kEventWeight = 256;

std::uint64_t key_of(const Act& act)
{
    return std::visit(
        [](const auto& one) -> std::uint64_t {
            using One = std::remove_cvref_t<decltype(one)>;
            // What a worker does for the outbox does not stand behind what it does for holds.
            constexpr bool kOfTheOutbox = std::is_same_v<One, TakeEffects> || std::is_same_v<One, SettleEffects> ||
                                          std::is_same_v<One, PostponeEffect> || std::is_same_v<One, TakeMailTurn> ||
                                          std::is_same_v<One, MarkMailSent>;
            if constexpr (kOfTheOutbox)
                return 1;
            else if constexpr (requires { one.event.value; })
                return static_cast<std::uint64_t>(one.event.value);
            else if constexpr (requires { one.ticket.value; })
                return static_cast<std::uint64_t>(one.ticket.value);
            else if constexpr (requires { one.user.value; })
                return static_cast<std::uint64_t>(one.user.value);
            else if constexpr (requires { one.email; })
                return std::hash<std::string>{}(one.email);
            else
                return 0;
        },
        act);
}

}  // namespace

WriteClass class_of(const Act& act)
{
    return std::visit(
        []<class One>(const One&) {
            const auto is = []<class... Kinds>(std::type_identity<std::variant<Kinds...>>) {
                return (std::is_same_v<One, Kinds> || ...);
            };
            if (is(std::type_identity<std::variant<Pay, Cancel>>())) return WriteClass::payment;
            if (is(std::type_identity<std::variant<ExpireHolds>>())) return WriteClass::lapse;
            if (is(std::type_identity<std::variant<Reserve>>())) return WriteClass::reservation;
            if (is(std::type_identity<std::variant<AddEvent, ChangeEvent, RemoveEvent>>())) return WriteClass::catalogue;
            if (is(std::type_identity<std::variant<AddUser, ChangeUser>>())) return WriteClass::people;
            return WriteClass::upkeep;
        },
        act);
}

std::string_view write_class(const Act& act)
{
    constexpr std::array<std::string_view, kUrgencies> kWords{"payment", "lapse", "reservation", "upkeep", "people", "catalogue"};
    return kWords[static_cast<std::size_t>(class_of(act))];
}

std::size_t places_of(WriteClass cls, std::size_t depth_max)
{
    if (cls == WriteClass::people) return std::max<std::size_t>(1, depth_max / kPeopleShare);
    if (cls == WriteClass::catalogue) return std::max<std::size_t>(1, depth_max / kCatalogueShare);
    return depth_max;
}

std::size_t weight_of(const Act& act)
{
    const auto of = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
    std::size_t weight = kEventWeight;
    if (const auto* const add = std::get_if<AddEvent>(&act)) {
        weight += add->draft.title.size() + add->draft.description.size() + add->draft.venue.address.size();
    } else if (const auto* const change = std::get_if<ChangeEvent>(&act)) {
        const EventPatch& patch = change->patch;
        // Any text that changes has all words of the event taken out and put in again.
        if (patch.title || patch.description || patch.venue.address)
            weight += kDescriptionCharsMax + of(patch.title) + of(patch.description) + of(patch.venue.address);
    } else if (std::holds_alternative<RemoveEvent>(act)) {
        weight += kDescriptionCharsMax;
    }
    return weight;
}

UserId publisher_of(const Act& act)
{
    if (const auto* const add = std::get_if<AddEvent>(&act)) return add->organizer;
    if (const auto* const change = std::get_if<ChangeEvent>(&act)) return change->by;
    if (const auto* const remove = std::get_if<RemoveEvent>(&act)) return remove->by;
    return {};
}

std::size_t lane_of(const Act& act, std::size_t lanes)
{
    return lanes == 1 ? 0 : (key_of(act) * 0x9E3779B97F4A7C15ull >> 32) % lanes;
}

bool has_written(const WriteJob& job)
{
    return std::holds_alternative<User>(job.outcome) || std::holds_alternative<Event>(job.outcome) ||
           (std::holds_alternative<Ticket>(job.outcome) && !std::holds_alternative<Pay>(job.act));
}

void gather_news(const LaneJob& job, BatchNews& news)
{
    news.made_effects = news.made_effects || job.made_effects;
    const auto changed = [&](EventId event) {
        if (std::find(news.changed.begin(), news.changed.end(), event) == news.changed.end()) news.changed.push_back(event);
    };
    if (const auto* const ticket = std::get_if<Ticket>(&job.outcome)) {
        changed(ticket->event_id);
        if (ticket->status == TicketStatus::reserved && (!news.earliest_deadline || ticket->expires_at < *news.earliest_deadline))
            news.earliest_deadline = ticket->expires_at;
    } else if (const auto* const lapsed = std::get_if<ExpiredHolds>(&job.outcome)) {
        for (const EventId event : lapsed->events) changed(event);
    } else if (const auto* const event = std::get_if<Event>(&job.outcome)) {
        changed(event->id);
    } else if (const auto* const remove = std::get_if<RemoveEvent>(&job.act)) {
        if (std::holds_alternative<Done>(job.outcome)) changed(remove->event);
    }
}

}  // namespace boxoffice
