#include "core/refuse.hpp"
#include "postgres/batch.hpp"

/// Payments and cancellations that are in time although their hold was lapsed before they could be carried out.
namespace boxoffice::postgres
{

namespace
{

// 2 is expired, of which there is no index that could be read whole.
constexpr std::string_view kRevive =
    "WITH done AS (UPDATE tickets t SET status = 1, paid_at = u.at, payment_reference = u.reference "
    "FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS u(id, at, reference) WHERE t.id = u.id AND t.status = 2 "
    "RETURNING 1) SELECT must_change((SELECT count(*) FROM done), $4)";
constexpr std::string_view kCancelLapsed =
    "WITH done AS (UPDATE tickets SET status = 3 WHERE id = ANY($1::bigint[]) AND status = 2 RETURNING 1) "
    "SELECT must_change((SELECT count(*) FROM done), $2)";

}  // namespace

bool Wanted::add_revived(std::span<WriteJob* const> jobs, const Facts& facts)
{
    bool added = false;
    for (const WriteJob* const job : jobs) {
        const auto* const pay = std::get_if<Pay>(&job->act);
        if (pay == nullptr) continue;
        const auto found = facts.tickets.find(pay->ticket);
        if (found == facts.tickets.end()) continue;
        const Ticket& ticket = found->second;
        const bool needs_seat =
            ticket.user_id == pay->user && ticket.status == TicketStatus::expired && pay->now < ticket.expires_at;
        if (!needs_seat || !revived.insert(ticket.id).second) continue;
        events.insert(ticket.event_id);
        ++reserves[ticket.event_id];
        only_lapse = false;
        added = true;
    }
    return added;
}

Result<void> Batch::revive(const Ticket& ticket, Instant now)
{
    const auto found = facts_.stocks.find(ticket.event_id);
    // Removed, which no live ticket would have allowed.
    if (found == facts_.stocks.end() || plan_.events_removed.contains(ticket.event_id)) return refuse(Code::hold_expired);
    Stock& stock = found->second;
    ReserveFacts facts{stock.total, stock.sold, 0, stock.end_time};
    if (facts.sold >= facts.total) facts.due = count_due(stock, now);
    if (auto decision = decide_revive(facts); !decision) return decision;
    if (facts.due > 0) sell(stock, -lapse_event(ticket.event_id, stock, now), now);
    sell(stock, 1, now);
    return {};
}

void change_lapsed(Flight& flight, const Plan& plan)
{
    const auto& revived = plan.revived;
    if (!revived.ids.empty()) {
        flight.add(kRevive, std::move(Params()
                                          .ids(revived.ids)
                                          .instants(revived.at)
                                          .texts(revived.references)
                                          .integer(static_cast<std::int64_t>(revived.ids.size()))));
    }
    const auto& cancelled = plan.cancelled_late;
    if (!cancelled.empty())
        flight.add(kCancelLapsed, std::move(Params().ids(cancelled).integer(static_cast<std::int64_t>(cancelled.size()))));
}

}  // namespace boxoffice::postgres
