#pragma once
#include <unordered_set>

#include "postgres/facts.hpp"

namespace boxoffice::postgres
{

/// What a batch has decided, as columns: each list goes to the server as one array, in one statement.
struct Plan {
    struct Tickets {
        std::vector<TicketId> ids;
        std::vector<EventId> events;
        std::vector<UserId> users;
        std::vector<Instant> created, expires;
    } reserved;
    struct Paid {
        std::vector<TicketId> ids;
        std::vector<Instant> at;
        std::vector<std::string> references;
    } paid;
    std::vector<TicketId> cancelled;
    std::vector<TicketId> lapsed;
    // Of tickets whose hold was lapsed before the act, which is in time all the same, could be carried out.
    Paid revived;
    std::vector<TicketId> cancelled_late;
    std::vector<User> users_new;
    std::vector<std::string> hashes_new;
    std::map<UserId, Instant> users_changed;
    std::vector<Event> events_new;
    std::map<EventId, Instant> events_changed;
    std::map<EventId, Instant> events_removed;
    struct Effects {
        std::vector<std::int64_t> kinds;
        std::vector<EventId> events;
        std::vector<std::string> tickets;  // as PostgreSQL writes an array: {1,2}
        std::vector<Instant> made, due;
    } effects;
    struct Answers {
        std::vector<std::int64_t> users;
        std::vector<std::string> keys, fingerprints, bytes;
        std::vector<Instant> at;
    } answers;
};

/// What the plan does to holds that were lapsed before an act which is in time all the same.
void change_lapsed(Flight& flight, const Plan& plan);

/// One batch of acts against its facts: asks the rules act by act, in order, each seeing what those before it have done, and
/// gathers the plan. No SQL is run here but what one act needs for itself alone (the outbox's acts), which is added to the
/// flight.
class Batch
{
public:
    /// `mails`: whether effects that need mail are written.
    Batch(std::span<WriteJob* const> jobs, Facts facts, const Zones& zones, const Arrivals* arrivals, bool mails)
        : jobs_(jobs), facts_(std::move(facts)), zones_(zones), arrivals_(arrivals), mails_(mails)
    {
    }

    void decide();
    /// All writes of the plan, without COMMIT. Adds what reads the answers of the outbox's acts to `later`.
    [[nodiscard]] Flight writes(std::vector<std::function<void(const std::vector<Rows>&)>>& later);

    [[nodiscard]] bool made_effects() const { return !plan_.effects.kinds.empty(); }
    [[nodiscard]] std::optional<Instant> earliest_deadline() const;

private:
    void carry_out(WriteJob& job);
    /// To be brought again: what it needs is not among the facts, or a part of it comes first. Throws where nobody would.
    Outcome put_off();
    Outcome act(const AddUser& act);
    Outcome act(const ChangeUser& act);
    [[nodiscard]] Outcome act(const Reindex& act) const;
    Outcome act(const AddEvent& act);
    Outcome act(const ChangeEvent& act);
    Outcome act(const RemoveEvent& act);
    Outcome act(const Reserve& act);
    Outcome act(const Pay& act);
    Outcome act(const Cancel& act);
    Outcome act(const LapseDue& act);
    // Decided by the server alone: their outcome is read after the flight.
    Outcome act(const ForgetAnswers&) { return Done{}; }
    Outcome act(const TakeEffects&) { return Effects{}; }
    Outcome act(const SettleEffects&) { return Done{}; }
    Outcome act(const PostponeEffect&) { return Done{}; }
    Outcome act(const TakeMailTurn&) { return MailTurn::elsewhere; }
    Outcome act(const MarkMailSent&) { return Done{}; }
    Outcome act(const RenewHash&) { return Done{}; }

    /// When the organizer added the event that has to be a day old for another one, as decide_publishing() asks.
    std::optional<Instant> nth_newest(const AddEvent& act) const;
    void sell(Stock& stock, std::int64_t count, Instant now);
    Ticket* own_ticket(TicketId id, UserId user);
    /// Whether this hold may be lapsed at `now`: it is due, nothing in this batch has changed it, and no payment in time waits.
    [[nodiscard]] bool may_lapse(const Stock::Due& due, Instant now) const;
    std::int64_t count_due(const Stock& stock, Instant now) const;
    std::int64_t lapse_event(EventId event, Stock& stock, Instant now);
    /// Gives a lapsed hold, whose payment is in time, a seat again; hold_expired when none is free.
    Result<void> revive(const Ticket& ticket, Instant now);
    void lapse(TicketId ticket);
    void effects_of_lapse(EventId event, std::span<const TicketId> tickets, Instant now);
    void effect(EffectKind kind, EventId event, std::span<const TicketId> tickets, Instant now);

    std::span<WriteJob* const> jobs_;
    Facts facts_;
    const Zones& zones_;
    const Arrivals* arrivals_;
    bool mails_;
    Plan plan_;
    WriteJob* current_ = nullptr;           // the act that is being decided
    std::unordered_set<TicketId> settled_;  // tickets that this batch has given another status
};

}  // namespace boxoffice::postgres
