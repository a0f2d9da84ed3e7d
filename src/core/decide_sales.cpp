#include <map>

#include "core/deciding.hpp"
#include "core/refuse.hpp"

/// Tickets: reserved, paid, given back, and lapsed.
namespace boxoffice
{

namespace
{

/// How many due holds one reservation gives back at most when the expiry worker has not come round yet: it needs one.
constexpr std::size_t kLapseWithReserve = 64;

/// What a seat is decided on. Due holds are only looked for where it takes one of them.
struct SeatFacts {
    ReserveFacts facts;
    std::vector<DueHold> due;
};

template <class A>
SeatFacts seat_facts(Known<A> known, Stock& stock, Instant now)
{
    SeatFacts seat{{stock.row.total, stock.row.sold, 0, stock.row.end_time}, {}};
    if (seat.facts.sold < seat.facts.total) return seat;
    bool more = false;
    seat.due = known.due_holds_of(stock, now, kLapseWithReserve, more);
    seat.facts.due = static_cast<std::int64_t>(seat.due.size());
    return seat;
}

/// Gives a lapsed hold, whose payment is in time, a seat again; hold_expired when none is free.
Result<void> take_seat_again(const Pay& act, const Ticket& ticket, Known<Pay> known, Deciding& batch)
{
    Stock* const stock = known.stock(ticket.event_id);
    if (stock == nullptr) return refuse(Code::hold_expired);  // removed, which no live ticket would have allowed
    const SeatFacts seat = seat_facts(known, *stock, act.now);
    if (auto decision = decide_revive(seat.facts); !decision) return decision;
    batch.lapse(*stock, seat.due, act.now);
    batch.sell(*stock, 1, act.now);
    return {};
}

}  // namespace

Outcome decide(const Reserve& act, Known<Reserve> known, Deciding& batch)
{
    Stock* const stock = known.stock(act.event);
    if (stock == nullptr) return refuse(Code::not_found);
    const SeatFacts seat = seat_facts(known, *stock, act.now);
    if (const auto decision = decide_reserve(seat.facts, act.now); !decision) return decision.error();
    if (!known.has_user(act.user)) return refuse(Code::unauthenticated);

    Ticket ticket;
    ticket.id = known.ticket_number();
    ticket.user_id = act.user;
    ticket.event_id = act.event;
    ticket.created_at = act.now;
    ticket.expires_at = act.now + act.hold;
    batch.lapse(*stock, seat.due, act.now);
    batch.sell(*stock, 1, act.now);
    batch.add(ticket);
    return ticket;
}

Outcome decide(const Pay& act, Known<Pay> known, Deciding& batch)
{
    const Ticket* const found = known.own_ticket(act.ticket, act.user);
    if (found == nullptr) return refuse(Code::not_found);
    Ticket ticket = *found;
    const auto plan = decide_pay(ticket, act.reference, known.ticket_paid_with(act.reference), act.now);
    if (!plan) return plan.error();
    if (*plan == PayPlan::already_so) return ticket;
    if (*plan == PayPlan::revive) {
        if (const auto again = take_seat_again(act, ticket, known, batch); !again) return again.error();
    }

    ticket.status = TicketStatus::paid;
    ticket.paid_at = act.now;
    ticket.payment_reference = act.reference;
    batch.change(ticket);
    batch.effect(EffectKind::ticket_paid, ticket.event_id, std::span(&ticket.id, 1), act.now);
    return ticket;
}

Outcome decide(const Cancel& act, Known<Cancel> known, Deciding& batch)
{
    const Ticket* const found = known.own_ticket(act.ticket, act.user);
    if (found == nullptr) return refuse(Code::not_found);
    Ticket ticket = *found;
    const auto plan = decide_cancel(ticket, act.now);
    if (!plan) return plan.error();
    if (*plan == CancelPlan::give_back) {
        Stock* const stock = known.stock(ticket.event_id);
        if (stock == nullptr) throw StoreFailure(Code::internal, "a live ticket without its event");
        batch.sell(*stock, -1, act.now);
    }
    ticket.status = TicketStatus::cancelled;
    batch.change(ticket);
    return ticket;
}

Outcome decide(const ExpireHolds& act, Known<ExpireHolds> known, Deciding& batch)
{
    ExpiredHolds lapsed;
    std::map<EventId, std::vector<DueHold>> due;
    for (const DueHold& hold : known.due_holds(act.now, act.most, lapsed.more)) {
        due[hold.event].push_back(hold);
        lapsed.deadlines.push_back(hold.expires_at);
    }
    for (const auto& [event, holds] : due) {
        Stock* const stock = known.stock(event);
        if (stock == nullptr) throw StoreFailure(Code::internal, "a due hold without its event");
        batch.lapse(*stock, holds, act.now);
        lapsed.events.push_back(event);
    }
    return lapsed;
}

}  // namespace boxoffice
