#include <algorithm>

#include "memory/tables.hpp"

namespace boxoffice::memory
{

namespace
{

template <class Map, class Key>
auto found_in(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type>
{
    const auto found = map.find(key);
    if (found == map.end()) return std::nullopt;
    return found->second;
}

}  // namespace

std::optional<StockRow> TableFacts::stock(EventId event)
{
    const Tables::EventRow* const row = tables_.event(event);
    if (row == nullptr) return std::nullopt;
    return StockRow{row->event.total_tickets, row->event.tickets_sold, row->pace, row->event.end_time};
}

std::optional<Event> TableFacts::event(EventId event)
{
    const Tables::EventRow* const row = tables_.event(event);
    return row == nullptr ? std::nullopt : std::optional(row->event);
}

std::optional<Ticket> TableFacts::ticket(TicketId ticket)
{
    const Ticket* const row = tables_.ticket(ticket);
    return row == nullptr ? std::nullopt : std::optional(*row);
}

std::optional<TicketId> TableFacts::ticket_paid_with(std::string_view reference)
{
    return found_in(tables_.by_reference, std::string(reference));
}

std::optional<Account> TableFacts::user(UserId user)
{
    const Account* const row = tables_.user(user);
    return row == nullptr ? std::nullopt : std::optional(*row);
}

bool TableFacts::has_mailbox(std::string_view folded, std::string_view key)
{
    const std::string names[] = {std::string(folded), std::string(key)};
    return std::any_of(std::begin(names), std::end(names), [this](const std::string& name) {
        return tables_.by_folded.contains(name) || tables_.by_key.contains(name);
    });
}

std::optional<Instant> TableFacts::nth_newest_event(UserId organizer, std::int64_t nth)
{
    const auto found = tables_.added.find(organizer);
    if (found == tables_.added.end() || nth > static_cast<std::int64_t>(found->second.size())) return std::nullopt;
    std::vector<Instant> times = found->second;
    const auto place = times.end() - nth;
    std::nth_element(times.begin(), place, times.end());
    return *place;
}

std::optional<KeptRow> TableFacts::kept_answer(UserId user, std::string_view key, Instant forgotten)
{
    const auto found = tables_.answers.find({user, std::string(key)});
    if (found == tables_.answers.end() || found->second.at <= forgotten) return std::nullopt;
    return found->second.kept;
}

bool TableFacts::offer_due_holds_of(EventId event, Instant now, const TakeHold& take)
{
    const Tables::EventRow* const row = tables_.event(event);
    if (row == nullptr) return false;  // the batch itself has added it
    for (const auto& [expires_at, ticket] : row->holds) {
        if (expires_at > now || !take({ticket, event, expires_at})) break;
    }
    return false;
}

bool TableFacts::offer_due_holds(Instant now, const TakeHold& take)
{
    for (const auto& [expires_at, ticket] : tables_.holds) {
        if (expires_at > now || !take({ticket, tables_.ticket(ticket)->event_id, expires_at})) break;
    }
    return false;
}

std::int64_t TableFacts::next_id(Numbered what)
{
    const auto after = [](const auto& rows, std::int64_t& given) { return static_cast<std::int64_t>(rows.size()) + ++given; };
    switch (what) {
        case Numbered::user:
            return after(tables_.users, users_given_);
        case Numbered::event:
            return after(tables_.events, events_given_);
        case Numbered::ticket:
            return after(tables_.tickets, tickets_given_);
    }
    throw std::logic_error("rows of an unknown kind are numbered");
}

}  // namespace boxoffice::memory
