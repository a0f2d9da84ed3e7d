#include "postgres/batch.hpp"

#include <algorithm>
#include <cmath>

#include "core/refuse.hpp"
#include "core/search.hpp"
#include "text/text.hpp"

namespace boxoffice::postgres
{

namespace
{

std::int64_t take_number(std::vector<std::int64_t>& fresh)
{
    const std::int64_t number = fresh.back();
    fresh.pop_back();
    return number;
}

}  // namespace

void Batch::decide()
{
    for (WriteJob* const job : jobs_) carry_out(*job);
}

void Batch::carry_out(WriteJob& job)
{
    const auto run = [&] {
        const std::size_t before = plan_.effects.kinds.size();
        job.outcome = std::visit([&](const auto& what) { return act(what); }, job.act);
        job.made_effects = plan_.effects.kinds.size() > before;
    };
    job.made_effects = false;
    current_ = &job;
    if (!job.claim) return run();
    const IdempotencyClaim& claim = *job.claim;
    const KeyOfUser name{claim.user.value, claim.key};
    if (const auto kept = facts_.kept.find(name); kept != facts_.kept.end()) {
        if (kept->second.fingerprint == claim.fingerprint)
            job.outcome = KeptAnswer{kept->second.bytes};
        else
            job.outcome = refuse(Code::idempotency_key_reused);
        return;
    }
    run();
    if (!is_final(job.outcome) || job.deferred != Deferred::no) return;
    std::string bytes = claim.render(job.outcome).bytes;
    plan_.answers.users.push_back(claim.user.value);
    plan_.answers.keys.push_back(claim.key);
    plan_.answers.fingerprints.push_back(claim.fingerprint);
    plan_.answers.bytes.push_back(bytes);
    plan_.answers.at.push_back(claim.now);
    facts_.kept.emplace(name, Kept{claim.fingerprint, std::move(bytes)});
}

Outcome Batch::put_off()
{
    if (!current_->deferrable) throw StoreFailure(Code::busy, "what an act is about came to be after its locks were taken");
    current_->deferred = Deferred::unfinished;
    return std::monostate{};
}

void Batch::sell(Stock& stock, std::int64_t count, Instant now)
{
    stock.sold += count;
    stock.unsaved += count;
    stock.changed = true;
    if (stock.sold < 0 || stock.sold > stock.total) throw StoreFailure(Code::internal, "a counter would leave its bounds");
    if (count > 0) stock.pace = advance(stock.pace, now, static_cast<double>(count));
}

void Batch::effect(EffectKind kind, EventId event, std::span<const TicketId> tickets, Instant now)
{
    if (!mails_ && needs_mail(kind)) return;
    std::string list = "{";
    for (const TicketId ticket : tickets) list += (list.size() > 1 ? "," : "") + std::to_string(ticket.value);
    plan_.effects.kinds.push_back(static_cast<std::int64_t>(kind));
    plan_.effects.events.push_back(event);
    plan_.effects.tickets.push_back(list + "}");
    plan_.effects.made.push_back(now);
    plan_.effects.due.push_back(due_at(kind, now));
}

void Batch::effects_of_lapse(EventId event, std::span<const TicketId> tickets, Instant now)
{
    while (!tickets.empty()) {
        const auto some = tickets.first(std::min(kTicketsToAnEffect, tickets.size()));
        effect(EffectKind::hold_expired, event, some, now);
        tickets = tickets.subspan(some.size());
    }
}

std::optional<Instant> Batch::earliest_deadline() const
{
    const auto& deadlines = plan_.reserved.expires;
    if (deadlines.empty()) return std::nullopt;
    return *std::min_element(deadlines.begin(), deadlines.end());
}

// --- Inventory -----------------------------------------------------------------------------------------------------

void Batch::lapse(TicketId ticket)
{
    settled_.insert(ticket);
    plan_.lapsed.push_back(ticket);
    if (const auto found = facts_.tickets.find(ticket); found != facts_.tickets.end())
        found->second.status = TicketStatus::expired;
}

bool Batch::may_lapse(const Stock::Due& due, Instant now) const
{
    return due.expires_at <= now && !settled_.contains(due.ticket) &&
           (arrivals_ == nullptr || !arrivals_->in_time(due.ticket, due.expires_at));
}

std::int64_t Batch::count_due(const Stock& stock, Instant now) const
{
    return std::count_if(stock.due.begin(), stock.due.end(), [&](const Stock::Due& due) { return may_lapse(due, now); });
}

std::int64_t Batch::lapse_event(EventId event, Stock& stock, Instant now)
{
    std::vector<TicketId> gone;
    for (const Stock::Due& due : stock.due) {
        if (!may_lapse(due, now)) continue;
        lapse(due.ticket);
        gone.push_back(due.ticket);
    }
    effects_of_lapse(event, gone, now);
    return static_cast<std::int64_t>(gone.size());
}

Outcome Batch::act(const Reserve& act)
{
    const auto found = facts_.stocks.find(act.event);
    if (found == facts_.stocks.end() || plan_.events_removed.contains(act.event)) return refuse(Code::not_found);
    Stock& stock = found->second;
    ReserveFacts facts{stock.total, stock.sold, 0, stock.end_time};
    if (facts.sold >= facts.total) facts.due = count_due(stock, act.now);
    if (const auto decision = decide_reserve(facts, act.now); !decision) return decision.error();
    if (!facts_.known.contains(act.user)) return refuse(Code::unauthenticated);
    if (facts.due > 0) sell(stock, -lapse_event(act.event, stock, act.now), act.now);

    Ticket ticket;
    ticket.id = TicketId{take_number(facts_.ticket_ids)};
    ticket.user_id = act.user;
    ticket.event_id = act.event;
    ticket.created_at = act.now;
    ticket.expires_at = act.now + act.hold;
    plan_.reserved.ids.push_back(ticket.id);
    plan_.reserved.events.push_back(act.event);
    plan_.reserved.users.push_back(act.user);
    plan_.reserved.created.push_back(ticket.created_at);
    plan_.reserved.expires.push_back(ticket.expires_at);
    sell(stock, 1, act.now);
    return ticket;
}

Ticket* Batch::own_ticket(TicketId id, UserId user)
{
    const auto found = facts_.tickets.find(id);
    return found != facts_.tickets.end() && found->second.user_id == user ? &found->second : nullptr;
}

Outcome Batch::act(const Pay& act)
{
    Ticket* const ticket = own_ticket(act.ticket, act.user);
    if (!ticket) return refuse(Code::not_found);
    std::optional<TicketId> owner;
    if (const auto found = facts_.references.find(act.reference); found != facts_.references.end()) owner = found->second;
    const auto plan = decide_pay(*ticket, act.reference, owner, act.now);
    if (!plan) return plan.error();
    if (*plan == PayPlan::already_so) return *ticket;
    if (*plan == PayPlan::revive) {
        if (const auto revived = revive(*ticket, act.now); !revived) return revived.error();
    }

    ticket->status = TicketStatus::paid;
    ticket->paid_at = act.now;
    ticket->payment_reference = act.reference;
    settled_.insert(ticket->id);
    facts_.references.emplace(act.reference, ticket->id);
    Plan::Paid& paid = *plan == PayPlan::revive ? plan_.revived : plan_.paid;
    paid.ids.push_back(ticket->id);
    paid.at.push_back(act.now);
    paid.references.push_back(act.reference);
    effect(EffectKind::ticket_paid, ticket->event_id, std::span(&ticket->id, 1), act.now);
    return *ticket;
}

Outcome Batch::act(const Cancel& act)
{
    Ticket* const ticket = own_ticket(act.ticket, act.user);
    if (!ticket) return refuse(Code::not_found);
    const auto plan = decide_cancel(*ticket, act.now);
    if (!plan) return plan.error();
    const auto stock = facts_.stocks.find(ticket->event_id);
    const bool frees_a_seat = *plan != CancelPlan::already_free;
    // The ticket was made after its event would have been locked for it.
    if (frees_a_seat && stock == facts_.stocks.end()) return put_off();

    ticket->status = TicketStatus::cancelled;
    settled_.insert(ticket->id);
    if (!frees_a_seat) {
        plan_.cancelled_late.push_back(ticket->id);
        return *ticket;
    }
    plan_.cancelled.push_back(ticket->id);
    sell(stock->second, -1, act.now);
    return *ticket;
}

Outcome Batch::act(const LapseDue& act)
{
    Lapsed lapsed;
    std::map<EventId, std::vector<TicketId>> gone;
    for (std::size_t i = 0; i < facts_.due.size(); ++i) {
        const auto& due = facts_.due[i];
        if (lapsed.deadlines.size() >= act.most) break;
        if (!may_lapse(due, act.now)) continue;
        lapse(due.ticket);
        gone[facts_.due_events[i]].push_back(due.ticket);
        lapsed.deadlines.push_back(due.expires_at);
    }
    for (const auto& [event, tickets] : gone) {
        const auto stock = facts_.stocks.find(event);
        if (stock == facts_.stocks.end()) throw StoreFailure(Code::internal, "a due hold without its event");
        sell(stock->second, -static_cast<std::int64_t>(tickets.size()), act.now);
        lapsed.events.push_back(event);
        effects_of_lapse(event, tickets, act.now);
    }
    lapsed.more = lapsed.deadlines.size() >= act.most || facts_.due.size() >= facts_.due_asked;
    return lapsed;
}

// --- People and events ---------------------------------------------------------------------------------------------

Outcome Batch::act(const AddUser& act)
{
    const std::string folded = fold_email(act.email);
    const std::string key = text::address_key(act.email);
    if (facts_.emails.contains(folded) || facts_.emails.contains(key)) return refuse(Code::email_taken);
    User user;
    user.id = UserId{take_number(facts_.user_ids)};
    user.name = act.name;
    user.email = act.email;
    user.location = act.location;
    user.created_at = act.now;
    facts_.emails.emplace(folded, user.id);
    facts_.emails.emplace(key, user.id);
    plan_.users_new.push_back(user);
    plan_.hashes_new.push_back(act.password_hash);
    return user;
}

Outcome Batch::act(const ChangeUser& act)
{
    const auto found = facts_.users.find(act.user);
    if (found == facts_.users.end()) return refuse(Code::unauthenticated);
    User& user = found->second;
    if (act.name) user.name = *act.name;
    if (act.sets_location) user.location = act.location;
    plan_.users_changed.insert_or_assign(user.id, act.now);
    return user;
}

Outcome Batch::act(const Reindex& act) const
{
    return Done{facts_.unindexed.size() >= act.most || facts_.unkeyed.size() >= act.most ||
                facts_.unindexed_bytes >= kReindexedBytesAtOnce};
}

Outcome Batch::act(const AddEvent& act)
{
    auto decision = decide_add_event(act.draft, act.organizer, zones_, act.now);
    if (!decision) return decision.error();
    if (!facts_.known.contains(act.organizer)) return refuse(Code::unauthenticated);
    if (act.most_a_day > 0) {
        if (const auto may = decide_publishing(nth_newest(act), act.now); !may) return may.error();
        ++facts_.published[act.organizer].added;
    }
    Event event = std::move(*decision);
    event.id = EventId{take_number(facts_.event_ids)};
    plan_.events_new.push_back(event);
    return event;
}

Outcome Batch::act(const ChangeEvent& act)
{
    const auto found = facts_.events.find(act.event);
    if (found == facts_.events.end()) return refuse(Code::not_found);
    const auto counted = facts_.stocks.find(act.event);
    if (counted == facts_.stocks.end()) return put_off();  // the event was made after the locks were taken
    Stock& stock = counted->second;
    found->second.tickets_sold = stock.sold;
    auto decision = decide_change_event(found->second, act.by, act.patch, zones_, act.now, act.only_at);
    if (!decision) return decision.error();
    Event event = std::move(*decision);
    if (event.version == found->second.version) return event;  // nothing to be changed
    stock.total = event.total_tickets;
    stock.end_time = event.end_time;
    stock.changed = true;
    found->second = event;
    plan_.events_changed.insert_or_assign(event.id, act.now);
    effect(EffectKind::event_changed, event.id, {}, act.now);
    return event;
}

Outcome Batch::act(const RemoveEvent& act)
{
    const auto found = facts_.events.find(act.event);
    if (found == facts_.events.end()) return refuse(Code::not_found);
    const auto counted = facts_.stocks.find(act.event);
    if (counted == facts_.stocks.end()) return put_off();
    Stock& stock = counted->second;
    found->second.tickets_sold = stock.sold;
    const auto& event = found->second;
    // Holds whose time is up stand in nobody's way: they lapse here if the tidier has not come round.
    if (event.organizer_id == act.by) {
        if (const auto lapsed = lapse_event(act.event, stock, act.now); lapsed > 0) sell(stock, -lapsed, act.now);
        const bool maybe_more = static_cast<std::int64_t>(stock.due.size()) >= kLapsedAtOnceToRemove;
        if (stock.sold > 0 && maybe_more && current_->deferrable) return put_off();
    }
    if (const auto decision = decide_remove_event(event, act.by, stock.sold, act.only_at); !decision) return decision.error();
    plan_.events_removed.emplace(act.event, act.now);
    effect(EffectKind::event_changed, act.event, {}, act.now);
    facts_.events.erase(found);
    return Done{};
}

}  // namespace boxoffice::postgres
