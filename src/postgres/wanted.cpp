#include "postgres/wanted.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/rules.hpp"
#include "postgres/facts.hpp"
#include "text/text.hpp"

namespace boxoffice::postgres
{

namespace
{

template <class A>
Instant now_of(const A& act)
{
    if constexpr (requires { act.now; })
        return act.now;
    else
        return Instant::min();
}

}  // namespace

void Wanted::add(const need::Seats& need, const WriteJob&)
{
    events.insert(need.event);
    reserves[need.event] += need.seats;
}

void Wanted::add(const need::WholeEvent& need, const WriteJob&)
{
    events.insert(need.event);
    whole_events.insert(need.event);
}

void Wanted::add(const need::DueHoldsOf& need, const WriteJob& job)
{
    std::int64_t& most = removals[need.event];
    most = std::max(most, job.deferrable ? kLapsedAtOnceToRemove : kTicketsMax);
}

void Wanted::add(const need::DueHolds& need, const WriteJob&) { lapse = std::max(lapse, need.most); }
void Wanted::add(const need::CounterOfTicket& need, const WriteJob&) { cancels.insert(need.ticket); }
void Wanted::add(const need::SeatAgain& need, const WriteJob&) { seats_again.push_back(need); }
void Wanted::add(const need::OneTicket& need, const WriteJob&) { tickets.insert(need.ticket); }
void Wanted::add(const need::WholeUser& need, const WriteJob&) { users.insert(need.user); }
void Wanted::add(const need::AnyUser& need, const WriteJob&) { known.insert(need.user); }
void Wanted::add(const need::Reference& need, const WriteJob&) { references.emplace(need.reference); }

void Wanted::add(const need::Mailbox& need, const WriteJob&)
{
    emails.insert(fold_email(need.email));
    emails.insert(text::address_key(need.email));
}

void Wanted::add(const need::NewestEvents& need, const WriteJob&)
{
    if (need.most_a_day == 0) return;
    Publishing& publishing = publishers[need.organizer];
    publishing.most_a_day = need.most_a_day;
    ++publishing.adds;
}

void Wanted::add_act(const WriteJob& job)
{
    std::visit(
        [&]<class A>(const A& act) {
            now = std::max(now, now_of(act));
            if constexpr (std::is_same_v<A, Reindex>) reindex = std::max(reindex, act.most);
            if constexpr (!kByEngine<A>) std::apply([&](const auto&... needs) { (add(needs, job), ...); }, needs_of(act));
        },
        job.act);
}

void Wanted::add_claim(const WriteJob& job)
{
    const KeyOfUser key{job.claim->user.value, job.claim->key};
    keys.emplace(key, job.claim->now - kAnswerLife);
    const bool waits_at_a_row = std::visit(
        []<class A>(const A&) {
            if constexpr (kByEngine<A>)
                return true;  // no two acts ask for it
            else
                return kLocksARow<A>;
        },
        job.act);
    if (!waits_at_a_row) new_keys.emplace(key, Instant::min());
}

Wanted::Wanted(std::span<WriteJob* const> jobs, std::size_t awaited) : now(Instant::min())
{
    for (const WriteJob* const job : jobs) {
        add_act(*job);
        if (job->claim) add_claim(*job);
    }
    // Other acts without an event, such as the outbox's, may be in the same batch.
    only_lapse = lapse > 0 && events.empty() && cancels.empty();
    if (lapse > 0) lapse += awaited;
    for (auto& [event, count] : reserves) count += static_cast<std::int64_t>(awaited);
    std::erase_if(reserves, [this](const auto& entry) { return removals.contains(entry.first); });  // which asks for more
}

bool Wanted::add_revived(const Gathered& facts)
{
    bool added = false;
    for (const need::SeatAgain& need : seats_again) {
        const auto found = facts.tickets.find(need.ticket);
        if (found == facts.tickets.end()) continue;
        const Ticket& ticket = found->second;
        const bool needs_seat =
            ticket.user_id == need.user && ticket.status == TicketStatus::expired && need.arrived < ticket.expires_at;
        if (!needs_seat || !revived.insert(ticket.id).second) continue;
        events.insert(ticket.event_id);
        if (!removals.contains(ticket.event_id)) ++reserves[ticket.event_id];
        only_lapse = false;
        added = true;
    }
    return added;
}

}  // namespace boxoffice::postgres
