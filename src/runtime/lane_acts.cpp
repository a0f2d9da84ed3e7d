#include "runtime/lane_acts.hpp"

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace boxoffice
{

namespace
{

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

std::size_t urgency_of(const Act& act)
{
    if (std::holds_alternative<Pay>(act) || std::holds_alternative<Cancel>(act)) return 0;
    if (std::holds_alternative<Reserve>(act) || std::holds_alternative<LapseDue>(act)) return 1;
    return 2;
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
    } else if (const auto* const lapsed = std::get_if<Lapsed>(&job.outcome)) {
        for (const EventId event : lapsed->events) changed(event);
    } else if (const auto* const event = std::get_if<Event>(&job.outcome)) {
        changed(event->id);
    } else if (const auto* const remove = std::get_if<RemoveEvent>(&job.act)) {
        if (std::holds_alternative<Done>(job.outcome)) changed(remove->event);
    }
}

}  // namespace boxoffice
