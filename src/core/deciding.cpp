#include "core/deciding.hpp"

#include <algorithm>

/// A batch's facts, seen through what it has done so far.
namespace boxoffice
{

// --- Look-ups ------------------------------------------------------------------------------------------------------

Stock* Deciding::stock(EventId event)
{
    const auto known = stocks_.find(event);
    if (known != stocks_.end()) return known->second && !known->second->removed ? &*known->second : nullptr;
    const std::optional<StockRow> row = facts_.stock(event);
    std::optional<Stock>& stock = stocks_[event];
    if (!row) return nullptr;
    stock = Stock{event, *row, 0, row->sold >= row->total, false, false, {}};
    return &*stock;
}

Event* Deciding::event(EventId id)
{
    auto known = events_.find(id);
    if (known == events_.end()) {
        std::optional<Event> row = facts_.event(id);
        known = events_.try_emplace(id).first;
        if (row) known->second = KnownEvent{*std::move(row)};
    }
    if (!known->second) return nullptr;
    const Stock* const counted = stock(id);
    if (counted == nullptr) return nullptr;  // removed by this batch
    Event& event = known->second->event;
    event.tickets_sold = counted->row.sold;
    return &event;
}

Ticket* Deciding::ticket(TicketId id)
{
    auto known = tickets_.find(id);
    if (known == tickets_.end()) {
        std::optional<Ticket> row = facts_.ticket(id);
        if (!row) {
            const auto added = std::find_if(changes_.tickets_added.begin(), changes_.tickets_added.end(),
                                            [id](const Ticket& ticket) { return ticket.id == id; });
            if (added != changes_.tickets_added.end()) row = *added;
        }
        // It may have lapsed without having been read.
        if (const auto change = ticket_changes_.find(id); row && change != ticket_changes_.end())
            row->status = changes_.tickets_changed[change->second].to;
        known = tickets_.emplace(id, std::move(row)).first;
    }
    return known->second ? &*known->second : nullptr;
}

Account* Deciding::user(UserId id)
{
    auto known = users_.find(id);
    if (known == users_.end()) {
        std::optional<Account> row = facts_.user(id);
        known = users_.try_emplace(id).first;
        if (row) known->second = KnownUser{*std::move(row)};
    }
    return known->second ? &known->second->row : nullptr;
}

std::optional<TicketId> Deciding::ticket_paid_with(const std::string& reference)
{
    if (const auto now = references_.find(reference); now != references_.end()) return now->second;
    return facts_.ticket_paid_with(reference);
}

bool Deciding::has_user(UserId user)
{
    if (const auto known = users_.find(user); known != users_.end()) return known->second.has_value();
    return facts_.has_user(user);
}

bool Deciding::has_mailbox(const std::string& folded, const std::string& key)
{
    return mailboxes_.contains(folded) || mailboxes_.contains(key) || facts_.has_mailbox(folded, key);
}

std::optional<Instant> Deciding::nth_newest_event(UserId organizer, std::int64_t nth, Instant now)
{
    const auto added = events_added_.find(organizer);
    if (added != events_added_.end()) nth -= added->second;
    return nth > 0 ? facts_.nth_newest_event(organizer, nth) : now;
}

bool Deciding::may_lapse(const DueHold& hold, Instant now) const
{
    if (hold.expires_at > now) return false;
    const auto change = ticket_changes_.find(hold.ticket);
    if (change != ticket_changes_.end() && changes_.tickets_changed[change->second].to != TicketStatus::reserved) return false;
    return options_.arrivals == nullptr || !options_.arrivals->in_time(hold.ticket, hold.expires_at);
}

std::vector<DueHold> Deciding::due_holds_of(Stock& stock, Instant now, std::size_t most, bool& more)
{
    std::vector<DueHold> due;
    more = false;
    if (most == 0 || (stock.none_due_until && now <= *stock.none_due_until)) return due;
    const auto take = [&](const DueHold& hold) {
        if (may_lapse(hold, now)) due.push_back(hold);
        return due.size() < most;
    };
    more = facts_.offer_due_holds_of(stock.event, now, take);
    // One of this batch may have waited for so long that its hold is over already.
    for (const Ticket& ticket : changes_.tickets_added) {
        if (ticket.event_id == stock.event && due.size() < most) take({ticket.id, ticket.event_id, ticket.expires_at});
    }
    if (due.empty()) stock.none_due_until = now;
    more = more || due.size() == most;
    return due;
}

std::vector<DueHold> Deciding::due_holds(Instant now, std::size_t most, bool& more)
{
    std::vector<DueHold> due;
    more = facts_.offer_due_holds(now, [&](const DueHold& hold) {
        if (may_lapse(hold, now)) due.push_back(hold);
        return due.size() < most;
    });
    more = more || due.size() >= most;
    return due;
}

// --- Changes -------------------------------------------------------------------------------------------------------

void Deciding::sell(Stock& stock, std::int64_t count, Instant now)
{
    StockRow& row = stock.row;
    row.sold += count;
    stock.sold_now += count;
    stock.changed = true;
    if (row.sold < 0 || row.sold > row.total) throw StoreFailure(Code::internal, "a counter would leave its bounds");
    if (count > 0) row.pace = advance(row.pace, now, static_cast<double>(count));
}

TicketChange& Deciding::change_of(TicketId ticket, TicketStatus from)
{
    const auto [known, is_first] = ticket_changes_.try_emplace(ticket, changes_.tickets_changed.size());
    if (is_first) changes_.tickets_changed.push_back({ticket, from, from, {}, {}});
    return changes_.tickets_changed[known->second];
}

void Deciding::change(const Ticket& ticket)
{
    Ticket& before = *tickets_.at(ticket.id);
    TicketChange& change = change_of(ticket.id, before.status);
    change.to = ticket.status;
    if (ticket.user_id != before.user_id) change.owner = ticket.user_id;
    if (ticket.payment_reference && ticket.payment_reference != before.payment_reference) {
        change.payment = TicketChange::Payment{ticket.paid_at.value(), *ticket.payment_reference};
        references_.insert_or_assign(*ticket.payment_reference, ticket.id);
    }
    before = ticket;
}

void Deciding::lapse(Stock& stock, std::span<const DueHold> holds, Instant now)
{
    if (holds.empty()) return;
    std::vector<TicketId> tickets;
    tickets.reserve(holds.size());
    for (const DueHold& hold : holds) {
        change_of(hold.ticket, TicketStatus::reserved).to = TicketStatus::expired;
        if (const auto known = tickets_.find(hold.ticket); known != tickets_.end() && known->second)
            known->second->status = TicketStatus::expired;
        tickets.push_back(hold.ticket);
    }
    sell(stock, -static_cast<std::int64_t>(holds.size()), now);
    effect(EffectKind::hold_expired, stock.event, tickets, now);
}

void Deciding::add(const Account& row, std::string folded, std::string key)
{
    mailboxes_.insert(folded);
    mailboxes_.insert(key);
    users_.insert_or_assign(row.user.id, KnownUser{row});
    changes_.users_added.push_back({row, std::move(folded), std::move(key)});
}

void Deciding::change(const Account& row, Instant now)
{
    std::optional<KnownUser>& known = users_.at(row.user.id);
    known->row = row;
    known->changed_at = std::max(known->changed_at.value_or(now), now);
}

void Deciding::add(const Event& event)
{
    ++events_added_[event.organizer_id];
    events_.insert_or_assign(event.id, KnownEvent{event});
    const StockRow row{event.total_tickets, 0, SalesRate{0, event.created_at}, event.end_time};
    stocks_.insert_or_assign(event.id, Stock{event.id, row, 0, false, false, false, {}});
    changes_.events_added.push_back(event);
}

void Deciding::change(const Event& event)
{
    KnownEvent& known = *events_.at(event.id);
    const Event& before = known.event;
    known.texts = known.texts || event.title != before.title || event.description != before.description ||
                  event.venue.address != before.venue.address;
    known.changed = true;
    known.event = event;
    Stock& stock = *stocks_.at(event.id);
    stock.row.total = event.total_tickets;
    stock.row.end_time = event.end_time;
    stock.changed = true;
}

void Deciding::remove(EventId event, Instant now)
{
    stocks_.at(event)->removed = true;
    changes_.events_removed.push_back({event, now});
}

void Deciding::effect(EffectKind kind, EventId event, std::span<const TicketId> tickets, Instant now)
{
    if (!options_.mails && needs_mail(kind)) return;
    do {
        const auto some = tickets.first(std::min(tickets.size(), kTicketsToAnEffect));
        changes_.effects.push_back({kind, event, {some.begin(), some.end()}, now});
        tickets = tickets.subspan(some.size());
    } while (!tickets.empty());
}

}  // namespace boxoffice
