#include "postgres/facts.hpp"

/// What has been gathered, as core asks for it.
namespace boxoffice::postgres
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

void offer(const std::vector<DueHold>& holds, Instant now, const Facts::TakeHold& take)
{
    for (const DueHold& hold : holds) {
        if (hold.expires_at <= now && !take(hold)) return;  // gathered for the latest of the acts
    }
}

}  // namespace

std::optional<StockRow> Gathered::stock(EventId event)
{
    if (const auto found = stocks.find(event); found != stocks.end()) return found->second.row;
    // Of a ticket, or of an event, that was made after the event would have been locked for it.
    if (!wanted->events.contains(event) || events.contains(event)) throw NotGathered();
    return std::nullopt;
}

std::optional<Event> Gathered::event(EventId event) { return found_in(events, event); }
std::optional<Ticket> Gathered::ticket(TicketId ticket) { return found_in(tickets, ticket); }
std::optional<TicketId> Gathered::ticket_paid_with(std::string_view reference)
{
    return found_in(references, std::string(reference));
}
std::optional<Account> Gathered::user(UserId user) { return found_in(users, user); }
bool Gathered::has_user(UserId user) { return known.contains(user); }

bool Gathered::has_mailbox(std::string_view folded, std::string_view key)
{
    return emails.contains(std::string(folded)) || emails.contains(std::string(key));
}

std::optional<Instant> Gathered::nth_newest_event(UserId organizer, std::int64_t nth)
{
    const std::vector<Instant>& newest = published[organizer];
    const auto place = static_cast<std::size_t>(nth - 1 - wanted->publishers.at(organizer).skipped());
    if (place >= newest.size()) return std::nullopt;
    return newest[place];
}

std::optional<KeptRow> Gathered::kept_answer(UserId user, std::string_view key, Instant)
{
    return found_in(kept, KeyOfUser{user.value, std::string(key)});
}

bool Gathered::offer_due_holds_of(EventId event, Instant now, const TakeHold& take)
{
    const auto found = stocks.find(event);
    if (found == stocks.end()) return false;  // the batch itself has added it
    const std::vector<DueHold>& holds = found->second.due;
    offer(holds, now, take);
    const auto most = wanted->removals.find(event);
    return most != wanted->removals.end() && static_cast<std::int64_t>(holds.size()) >= most->second;
}

bool Gathered::offer_due_holds(Instant now, const TakeHold& take)
{
    offer(due, now, take);
    return due.size() >= wanted->lapse;
}

std::int64_t Gathered::next_id(Numbered what)
{
    std::vector<std::int64_t>& fresh = what == Numbered::ticket ? ticket_ids : what == Numbered::event ? event_ids : user_ids;
    if (fresh.empty()) throw NotGathered();
    const std::int64_t id = fresh.back();
    fresh.pop_back();
    return id;
}

}  // namespace boxoffice::postgres
