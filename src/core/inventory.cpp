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
    if (visible_at(ticket, now).status == TicketStatus::expired) return refuse(Code::hold_expired);
    if (reference_owner && *reference_owner != ticket.id) return refuse(Code::reference_used);
    return PayPlan::mark_paid;
}

Result<void> decide_cancel(const Ticket& ticket, Instant now)
{
    switch (visible_at(ticket, now).status) {
        case TicketStatus::paid:
            return refuse(Code::already_paid);
        case TicketStatus::cancelled:
            return refuse(Code::cancelled);
        case TicketStatus::expired:
            return refuse(Code::hold_expired);
        case TicketStatus::reserved:
            break;
    }
    return {};
}

}  // namespace boxoffice
