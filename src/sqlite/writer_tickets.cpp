#include <map>

#include "core/refuse.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/writer.hpp"

namespace boxoffice::sqlite
{

namespace
{

/// How many due holds one reservation gives back at most when the tidier has not come round yet: it needs one.
constexpr std::int64_t kLapseWithReserve = 64;

std::int64_t count_due(Connection& db, EventId event, Instant now)
{
    Rows rows =
        db.query("SELECT count(*) FROM (SELECT 1 FROM tickets WHERE status = 0 AND event_id = ?1 AND expires_at <= ?2 LIMIT ?3)",
                 event, now, kLapseWithReserve);
    rows.next();
    return rows.integer(0);
}

}  // namespace

Outcome Writer::act(const Reserve& act)
{
    Inventory::Stock* const stock = inventory_.find(act.event);
    if (!stock) return refuse(Code::not_found);
    ReserveFacts facts{stock->total, stock->sold, 0, stock->end_time};
    const bool none_due = stock->none_due_known && act.now <= stock->none_due_until;
    if (facts.sold >= facts.total && !none_due) {
        facts.due = count_due(db_, act.event, act.now);
        if (facts.due == 0) {
            stock->none_due_known = true;
            stock->none_due_until = act.now;
        }
    }
    if (const auto decision = decide_reserve(facts, act.now); !decision) return decision.error();

    if (facts.due > 0) inventory_.sell(*stock, -lapse_event(act.event, act.now, kLapseWithReserve), act.now);
    Ticket ticket;
    ticket.user_id = act.user;
    ticket.event_id = act.event;
    ticket.created_at = act.now;
    ticket.expires_at = act.now + act.hold;
    try {
        db_.execute("INSERT INTO tickets (event_id, user_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)", act.event,
                    act.user, ticket.created_at, ticket.expires_at);
    } catch (const SqliteError& error) {
        // The event was just read under the same lock: it is the user who is gone.
        if (error.extended_code() == SQLITE_CONSTRAINT_FOREIGNKEY) return refuse(Code::unauthenticated);
        throw;
    }
    ticket.id = TicketId{db_.last_id()};
    inventory_.sell(*stock, 1, act.now);
    ++reserved_change_;
    return ticket;
}

std::optional<Ticket> Writer::own_ticket(TicketId id, UserId user)
{
    Rows rows = db_.query("SELECT " BOXOFFICE_TICKET_COLUMNS " FROM tickets t WHERE t.id = ?1 AND t.user_id = ?2", id, user);
    if (!rows.next()) return std::nullopt;
    return read_ticket(rows);
}

Outcome Writer::act(const Pay& act)
{
    std::optional<Ticket> ticket = own_ticket(act.ticket, act.user);
    if (!ticket) return refuse(Code::not_found);
    std::optional<TicketId> reference_owner;
    {
        Rows rows = db_.query("SELECT id FROM tickets WHERE payment_reference = ?1", act.reference);
        if (rows.next()) reference_owner = TicketId{rows.integer(0)};
    }
    const auto plan = decide_pay(*ticket, act.reference, reference_owner, act.now);
    if (!plan) return plan.error();
    if (*plan == PayPlan::already_so) return *ticket;

    ticket->status = TicketStatus::paid;
    ticket->paid_at = act.now;
    ticket->payment_reference = act.reference;
    const auto changed =
        db_.execute("UPDATE tickets SET status = 1, paid_at = ?2, payment_reference = ?3 WHERE id = ?1 AND status = 0",
                    ticket->id, act.now, act.reference);
    if (changed != 1) throw StoreFailure(Code::internal, "a reserved ticket could not be marked as paid");
    --reserved_change_;
    note(EffectKind::ticket_paid, ticket->event_id, std::span(&ticket->id, 1), act.now);
    return *ticket;
}

Outcome Writer::act(const Cancel& act)
{
    std::optional<Ticket> ticket = own_ticket(act.ticket, act.user);
    if (!ticket) return refuse(Code::not_found);
    if (const auto decision = decide_cancel(*ticket, act.now); !decision) return decision.error();
    Inventory::Stock* const stock = inventory_.find(ticket->event_id);
    if (!stock) throw StoreFailure(Code::internal, "a live ticket without its event");

    ticket->status = TicketStatus::cancelled;
    const auto changed = db_.execute("UPDATE tickets SET status = 3 WHERE id = ?1 AND status = 0", ticket->id);
    if (changed != 1) throw StoreFailure(Code::internal, "a reserved ticket could not be cancelled");
    inventory_.sell(*stock, -1, act.now);
    --reserved_change_;
    return *ticket;
}

std::int64_t Writer::lapse_event(EventId event, Instant now, std::int64_t most)
{
    std::vector<TicketId> expired;
    {
        Rows rows = db_.query(
            "UPDATE tickets SET status = 2 WHERE id IN "
            "(SELECT id FROM tickets WHERE status = 0 AND event_id = ?1 AND expires_at <= ?2 ORDER BY expires_at LIMIT ?3) "
            "RETURNING id",
            event, now, most);
        while (rows.next()) expired.push_back(TicketId{rows.integer(0)});
    }
    const auto count = static_cast<std::int64_t>(expired.size());
    reserved_change_ -= count;
    if (count > 0) note(EffectKind::hold_expired, event, expired, now);
    return count;
}

Outcome Writer::act(const LapseDue& act)
{
    Lapsed lapsed;
    std::map<EventId, std::vector<TicketId>> expired;
    {
        Rows rows = db_.query(
            "UPDATE tickets SET status = 2 WHERE id IN "
            "(SELECT id FROM tickets WHERE status = 0 AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2) "
            "RETURNING id, event_id, expires_at",
            act.now, static_cast<std::int64_t>(act.most));
        while (rows.next()) {
            expired[EventId{rows.integer(1)}].push_back(TicketId{rows.integer(0)});
            lapsed.deadlines.push_back(rows.instant(2));
        }
    }
    for (const auto& [event, tickets] : expired) {
        Inventory::Stock* const stock = inventory_.find(event);
        if (!stock) throw StoreFailure(Code::internal, "a due hold without its event");
        inventory_.sell(*stock, -static_cast<std::int64_t>(tickets.size()), act.now);
        note(EffectKind::hold_expired, event, tickets, act.now);
        lapsed.events.push_back(event);
    }
    reserved_change_ -= static_cast<std::int64_t>(lapsed.deadlines.size());
    lapsed.more = lapsed.deadlines.size() == act.most;
    return lapsed;
}

}  // namespace boxoffice::sqlite
