#include "memory/tables.hpp"

#include <algorithm>

#include "core/search.hpp"
#include "text/text.hpp"

/// What a batch has decided, row by row.
namespace boxoffice::memory
{

namespace
{

void must(bool good, const char* what)
{
    if (!good) throw StoreFailure(Code::internal, std::string(what) + " was not as it must be");
}

std::set<std::string> words_of(const Event& event)
{
    std::set<std::string> words = text::words_of(event.title);
    words.merge(text::words_of(event.description));
    words.merge(text::words_of(event.venue.address));
    return words;
}

}  // namespace

/// What a database's guards would refuse: the rules never ask for it.
void Tables::check(const Changes& changes)
{
    for (const Ticket& ticket : changes.tickets_added) must(ticket.expires_at > ticket.created_at, "a new hold");
    for (const TicketChange& change : changes.tickets_changed) {
        const auto is_new = change.ticket.value > static_cast<std::int64_t>(tickets.size());
        const Ticket* const row = ticket(change.ticket);
        must(is_new ? change.from == TicketStatus::reserved : row != nullptr && row->status == change.from, "a ticket");
        must((change.to == TicketStatus::paid) == (change.payment || (row != nullptr && row->paid_at)), "a payment");
        if (change.payment) must(!by_reference.contains(change.payment->reference), "a reference");
    }
    for (const StockChange& change : changes.stocks) {
        const EventRow* const row = event(change.event);
        const std::int64_t sold = (row == nullptr ? 0 : row->event.tickets_sold) + change.sold_now;
        must(sold >= 0 && sold <= change.row.total, "a counter");
    }
}

void Tables::write(const Changes& changes)
{
    check(changes);
    write_people(changes);
    write_events(changes);
    write_tickets(changes);
    write_what_follows(changes);
}

void Tables::write_people(const Changes& changes)
{
    for (const NewAccount& account : changes.users_added) {
        users.push_back(account.row);
        by_folded.emplace(account.folded, account.row.user.id);
        by_key.emplace(account.key, account.row.user.id);
    }
    for (const UserChange& change : changes.users_changed) *user(change.row.user.id) = change.row;
}

void Tables::write_events(const Changes& changes)
{
    for (const Event& event : changes.events_added) {
        events.push_back({event, SalesRate{0, event.created_at}, false, words_of(event), {}});
        added[event.organizer_id].push_back(event.created_at);
    }
    for (const EventChange& change : changes.events_changed) {
        EventRow& row = *event(change.event.id);
        const std::int64_t sold = row.event.tickets_sold;  // the counter comes by itself
        row.event = change.event;
        row.event.tickets_sold = sold;
        if (change.texts) row.words = words_of(change.event);
    }
    for (const StockChange& change : changes.stocks) {
        EventRow& row = *event(change.event);
        row.event.tickets_sold += change.sold_now;
        row.event.total_tickets = change.row.total;
        row.pace = change.row.pace;
    }
    for (const EventRemoval& removal : changes.events_removed) event(removal.event)->removed = true;
}

void Tables::write_tickets(const Changes& changes)
{
    for (const Ticket& ticket : changes.tickets_added) {
        tickets.push_back(ticket);
        tickets_of[ticket.user_id].push_back(ticket.id);
        holds.emplace(ticket.expires_at, ticket.id);
        events[static_cast<std::size_t>(ticket.event_id.value - 1)].holds.emplace(ticket.expires_at, ticket.id);
    }
    for (const TicketChange& change : changes.tickets_changed) {
        Ticket& row = *ticket(change.ticket);
        if (change.to != TicketStatus::reserved) {
            holds.erase({row.expires_at, row.id});
            events[static_cast<std::size_t>(row.event_id.value - 1)].holds.erase({row.expires_at, row.id});
        }
        row.status = change.to;
        if (const auto& payment = change.payment) {
            row.paid_at = payment->at;
            row.payment_reference = payment->reference;
            by_reference.emplace(payment->reference, row.id);
        }
        if (!change.owner) continue;
        std::erase(tickets_of[row.user_id], row.id);
        auto& theirs = tickets_of[*change.owner];
        theirs.insert(std::upper_bound(theirs.begin(), theirs.end(), row.id), row.id);
        row.user_id = *change.owner;
    }
}

void Tables::write_what_follows(const Changes& changes)
{
    for (const NewEffect& effect : changes.effects) {
        const std::int64_t id = ++last_effect;
        outbox.emplace(id, EffectRow{{id, effect.kind, effect.event, effect.tickets, effect.made_at, 0},
                                     due_at(effect.kind, effect.made_at)});
    }
    for (const NewAnswer& answer : changes.answers)
        answers.insert_or_assign({answer.user, std::string(answer.key)},
                                 AnswerRow{{std::string(answer.fingerprint), answer.bytes}, answer.at});
}

}  // namespace boxoffice::memory
