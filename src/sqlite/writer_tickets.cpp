#include <map>
#include <utility>

#include "core/refuse.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/writer.hpp"

namespace boxoffice::sqlite
{

namespace
{

/// How many due holds one reservation gives back at most when the tidier has not come round yet: it needs one.
constexpr std::size_t kLapseWithReserve = 64;

}  // namespace

Outcome Writer::act(const Reserve& act)
{
    Inventory::Stock* const stock = inventory_.find(act.event);
    if (!stock) return refuse(Code::not_found);
    ReserveFacts facts{stock->total, stock->sold, 0, stock->end_time};
    std::vector<TicketId> due;
    const bool none_due = stock->none_due_known && act.now <= stock->none_due_until;
    if (facts.sold >= facts.total && !none_due) {
        due = due_holds(act.event, act.now, kLapseWithReserve);
        facts.due = static_cast<std::int64_t>(due.size());
        if (due.empty()) {
            stock->none_due_known = true;
            stock->none_due_until = act.now;
        }
    }
    if (const auto decision = decide_reserve(facts, act.now); !decision) return decision.error();

    if (!due.empty()) lapse(act.event, *stock, due, act.now);
    Ticket ticket;
    ticket.user_id = act.user;
    ticket.event_id = act.event;
    ticket.created_at = act.now;
    ticket.expires_at = act.now + act.hold;
    try {
        db_.execute("INSERT INTO tickets (id, event_id, user_id, created_at, expires_at) VALUES (?5, ?1, ?2, ?3, ?4)", act.event,
                    act.user, ticket.created_at, ticket.expires_at, first_id(Numbered::ticket));
    } catch (const SqliteError& error) {
        // The event was just read under the same lock: it is the user who is gone.
        if (error.extended_code() == SQLITE_CONSTRAINT_FOREIGNKEY) return refuse(Code::unauthenticated);
        throw;
    }
    ticket.id = TicketId{given_id(Numbered::ticket)};
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

    if (*plan == PayPlan::revive) {
        if (const auto revived = revive(*ticket, act.now); !revived) return revived.error();
    } else {
        --reserved_change_;
    }

    const TicketStatus before = std::exchange(ticket->status, TicketStatus::paid);
    ticket->paid_at = act.now;
    ticket->payment_reference = act.reference;
    const auto changed =
        db_.execute("UPDATE tickets SET status = 1, paid_at = ?2, payment_reference = ?3 WHERE id = ?1 AND status = ?4",
                    ticket->id, act.now, act.reference, static_cast<int>(before));
    if (changed != 1) throw StoreFailure(Code::internal, "a ticket could not be marked as paid");
    note(EffectKind::ticket_paid, ticket->event_id, std::span(&ticket->id, 1), act.now);
    return *ticket;
}

Result<void> Writer::revive(const Ticket& ticket, Instant now)
{
    Inventory::Stock* const stock = inventory_.find(ticket.event_id);
    if (!stock) return refuse(Code::hold_expired);  // removed, which no live ticket would have allowed
    ReserveFacts facts{stock->total, stock->sold, 0, stock->end_time};
    std::vector<TicketId> due;
    if (facts.sold >= facts.total) due = due_holds(ticket.event_id, now, kLapseWithReserve);
    facts.due = static_cast<std::int64_t>(due.size());
    if (auto decision = decide_revive(facts); !decision) return decision;
    if (!due.empty()) lapse(ticket.event_id, *stock, due, now);
    inventory_.sell(*stock, 1, now);
    return {};
}

Outcome Writer::act(const Cancel& act)
{
    std::optional<Ticket> ticket = own_ticket(act.ticket, act.user);
    if (!ticket) return refuse(Code::not_found);
    const auto plan = decide_cancel(*ticket, act.now);
    if (!plan) return plan.error();

    const TicketStatus before = std::exchange(ticket->status, TicketStatus::cancelled);
    const auto changed =
        db_.execute("UPDATE tickets SET status = 3 WHERE id = ?1 AND status = ?2", ticket->id, static_cast<int>(before));
    if (changed != 1) throw StoreFailure(Code::internal, "a ticket could not be cancelled");
    if (*plan == CancelPlan::already_free) return *ticket;
    Inventory::Stock* const stock = inventory_.find(ticket->event_id);
    if (!stock) throw StoreFailure(Code::internal, "a live ticket without its event");
    inventory_.sell(*stock, -1, act.now);
    --reserved_change_;
    return *ticket;
}

bool Writer::is_awaited(TicketId ticket, Instant deadline) const
{
    return arrivals_ != nullptr && arrivals_->in_time(ticket, deadline);
}

std::vector<TicketId> Writer::due_holds(EventId event, Instant now, std::size_t most)
{
    std::vector<TicketId> due;
    Rows rows = db_.query(
        "SELECT id, expires_at FROM tickets WHERE status = 0 AND event_id = ?1 AND expires_at <= ?2 ORDER BY expires_at", event,
        now);
    while (due.size() < most && rows.next()) {
        if (!is_awaited(TicketId{rows.integer(0)}, rows.instant(1))) due.push_back(TicketId{rows.integer(0)});
    }
    return due;
}

void Writer::lapse(EventId event, Inventory::Stock& stock, std::span<const TicketId> holds, Instant now)
{
    for (const TicketId hold : holds) {
        if (db_.execute("UPDATE tickets SET status = 2 WHERE id = ?1 AND status = 0", hold) != 1)
            throw StoreFailure(Code::internal, "a due hold could not be lapsed");
    }
    const auto count = static_cast<std::int64_t>(holds.size());
    inventory_.sell(stock, -count, now);
    reserved_change_ -= count;
    note(EffectKind::hold_expired, event, holds, now);
}

Outcome Writer::act(const LapseDue& act)
{
    Lapsed lapsed;
    std::map<EventId, std::vector<TicketId>> due;
    {
        Rows rows = db_.query(
            "SELECT id, event_id, expires_at FROM tickets WHERE status = 0 AND expires_at <= ?1 ORDER BY expires_at", act.now);
        while (lapsed.deadlines.size() < act.most && rows.next()) {
            if (is_awaited(TicketId{rows.integer(0)}, rows.instant(2))) continue;
            due[EventId{rows.integer(1)}].push_back(TicketId{rows.integer(0)});
            lapsed.deadlines.push_back(rows.instant(2));
        }
    }
    for (const auto& [event, holds] : due) {
        Inventory::Stock* const stock = inventory_.find(event);
        if (!stock) throw StoreFailure(Code::internal, "a due hold without its event");
        lapse(event, *stock, holds, act.now);
        lapsed.events.push_back(event);
    }
    lapsed.more = lapsed.deadlines.size() == act.most;
    return lapsed;
}

}  // namespace boxoffice::sqlite
