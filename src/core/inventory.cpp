#include "core/refuse.hpp"

namespace boxoffice
{

Result<void> decide_reserve(const ReserveFacts& facts, Instant now)
{
    if (now >= facts.end_time) return refuse(Code::event_over);
    if (facts.sold - facts.due >= facts.total) return refuse(Code::sold_out);
    return {};
}

Result<PayPlan> decide_pay(const Ticket& ticket, std::string_view reference, std::optional<TicketId> reference_owner, Instant now)
{
    if (ticket.status == TicketStatus::paid) {
        if (ticket.payment_reference == reference) return PayPlan::already_so;
        return refuse(Code::already_paid);
    }
    if (ticket.status == TicketStatus::cancelled) return refuse(Code::cancelled);
    if (now >= ticket.expires_at) return refuse(Code::hold_expired);
    if (reference_owner && *reference_owner != ticket.id) return refuse(Code::reference_used);
    return ticket.status == TicketStatus::expired ? PayPlan::revive : PayPlan::mark_paid;
}

Result<void> decide_revive(const ReserveFacts& facts)
{
    if (facts.sold - facts.due >= facts.total) return refuse(Code::hold_expired);
    return {};
}

Result<CancelPlan> decide_cancel(const Ticket& ticket, Instant now)
{
    if (ticket.status == TicketStatus::paid) return refuse(Code::already_paid);
    if (ticket.status == TicketStatus::cancelled) return refuse(Code::cancelled);
    if (now >= ticket.expires_at) return refuse(Code::hold_expired);
    return ticket.status == TicketStatus::expired ? CancelPlan::already_free : CancelPlan::give_back;
}

}  // namespace boxoffice
