#pragma once
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/decide.hpp"
#include "core/rules.hpp"

/// Private to core/decide*.cpp: a batch while it is decided.
namespace boxoffice
{

/// An event's counter as it will be after the acts so far.
struct Stock {
    EventId event;
    StockRow row;
    std::int64_t sold_now = 0;
    bool was_full = false;
    bool changed = false;
    bool removed = false;
    // A refused buyer found no due hold up to then: ten thousand of them need not ask ten thousand times.
    std::optional<Instant> none_due_until;
};

template <class A>
class Known;

/// The facts of a batch with what it has done so far, and the changes that it makes. What an act may look up is offered by Known.
class Deciding
{
public:
    Deciding(Facts& facts, const DecideOptions& options) : facts_(facts), options_(options) {}

    void decide(WriteJob& job);
    [[nodiscard]] Changes finish();

    [[nodiscard]] const Zones& zones() const { return options_.zones; }
    /// Whether the act that is being decided may come back; then it can be done in several steps.
    [[nodiscard]] bool deferrable() const { return current_->deferrable; }
    /// The act goes on in a batch of its own.
    Outcome unfinished();

    /// Sells `count` seats (or gives back, when negative); `now` moves the pace when seats are sold.
    void sell(Stock& stock, std::int64_t count, Instant now);
    /// Marks due holds of one event as expired, gives their seats back and notes the effect.
    void lapse(Stock& stock, std::span<const DueHold> holds, Instant now);
    void change(const Ticket& ticket);
    void add(const Ticket& ticket) { changes_.tickets_added.push_back(ticket); }
    void add(const Account& row, std::string folded, std::string key);
    void add(const Event& event);
    void change(const Event& event);
    void remove(EventId event, Instant now);
    void change(const Account& row, Instant now);
    /// What follows from a change, in rows of so many tickets; one row when there are none.
    void effect(EffectKind kind, EventId event, std::span<const TicketId> tickets, Instant now);

private:
    template <class A>
    friend class Known;

    struct KnownEvent {
        Event event;
        bool changed = false;
        bool texts = false;
    };
    struct KnownUser {
        Account row;
        std::optional<Instant> changed_at{};
    };
    using KeyOfUser = std::pair<UserId, std::string_view>;

    Outcome outcome_of(WriteJob& job);
    void keep_answer(const WriteJob& job);
    [[nodiscard]] std::optional<Outcome> answered_before(const IdempotencyClaim& claim);

    // Look-ups: see Known.
    Stock* stock(EventId event);
    Event* event(EventId id);
    Ticket* ticket(TicketId id);
    Account* user(UserId id);
    std::optional<TicketId> ticket_paid_with(const std::string& reference);
    bool has_user(UserId user);
    bool has_mailbox(const std::string& folded, const std::string& key);
    std::optional<Instant> nth_newest_event(UserId organizer, std::int64_t nth, Instant now);
    std::vector<DueHold> due_holds_of(Stock& stock, Instant now, std::size_t most, bool& more);
    std::vector<DueHold> due_holds(Instant now, std::size_t most, bool& more);
    /// Whether this hold may lapse at `now`: it is due, still a hold, and no payment in time waits for it.
    [[nodiscard]] bool may_lapse(const DueHold& hold, Instant now) const;
    TicketChange& change_of(TicketId ticket, TicketStatus from);

    Facts& facts_;
    const DecideOptions& options_;
    Changes changes_;
    WriteJob* current_ = nullptr;

    // With nothing for what is not there. References to what is in them stay good until the end.
    std::unordered_map<EventId, std::optional<Stock>> stocks_;
    std::unordered_map<EventId, std::optional<KnownEvent>> events_;
    std::unordered_map<TicketId, std::optional<Ticket>> tickets_;
    std::unordered_map<UserId, std::optional<KnownUser>> users_;

    std::unordered_map<TicketId, std::size_t> ticket_changes_;  // where each one's stands
    std::map<KeyOfUser, std::size_t> answers_;                  // likewise
    std::map<std::string, TicketId> references_;                // of payments made by this batch
    std::set<std::string> mailboxes_;                           // of accounts added by it
    std::map<UserId, std::int64_t> events_added_;
};

/// What is known for an act: only what it has stated as its needs can be looked up.
template <class A>
class Known
{
public:
    explicit Known(Deciding& batch) : batch_(batch) {}

    /// nullptr when there is no such event.
    Stock* stock(EventId event) const
        requires kNeeds<A, need::Seats, need::WholeEvent, need::DueHolds, need::CounterOfTicket, need::SeatAgain>
    {
        return batch_.stock(event);
    }
    /// With the tickets sold so far; nullptr when there is no such event.
    Event* event(EventId event) const
        requires kNeeds<A, need::WholeEvent>
    {
        return batch_.event(event);
    }
    /// nullptr unless it is the user's own.
    Ticket* own_ticket(TicketId id, UserId user) const
        requires kNeeds<A, need::OneTicket>
    {
        Ticket* const ticket = batch_.ticket(id);
        return ticket != nullptr && ticket->user_id == user ? ticket : nullptr;
    }
    Account* user(UserId user) const
        requires kNeeds<A, need::WholeUser>
    {
        return batch_.user(user);
    }
    std::optional<TicketId> ticket_paid_with(const std::string& reference) const
        requires kNeeds<A, need::Reference>
    {
        return batch_.ticket_paid_with(reference);
    }
    bool has_user(UserId user) const
        requires kNeeds<A, need::AnyUser>
    {
        return batch_.has_user(user);
    }
    bool has_mailbox(const std::string& folded, const std::string& key) const
        requires kNeeds<A, need::Mailbox>
    {
        return batch_.has_mailbox(folded, key);
    }
    std::optional<Instant> nth_newest_event(UserId organizer, std::int64_t nth, Instant now) const
        requires kNeeds<A, need::NewestEvents>
    {
        return batch_.nth_newest_event(organizer, nth, now);
    }
    /// Up to `most` holds of one event that may lapse, earliest deadline first; `more`: there may be others.
    std::vector<DueHold> due_holds_of(Stock& stock, Instant now, std::size_t most, bool& more) const
        requires kNeeds<A, need::Seats, need::SeatAgain, need::DueHoldsOf>
    {
        return batch_.due_holds_of(stock, now, most, more);
    }
    std::vector<DueHold> due_holds(Instant now, std::size_t most, bool& more) const
        requires kNeeds<A, need::DueHolds>
    {
        return batch_.due_holds(now, most, more);
    }
    TicketId ticket_number() const
        requires kNeeds<A, need::TicketNumber>
    {
        return TicketId{batch_.facts_.next_id(Numbered::ticket)};
    }
    EventId event_number() const
        requires kNeeds<A, need::EventNumber>
    {
        return EventId{batch_.facts_.next_id(Numbered::event)};
    }
    UserId user_number() const
        requires kNeeds<A, need::UserNumber>
    {
        return UserId{batch_.facts_.next_id(Numbered::user)};
    }

private:
    Deciding& batch_;
};

// One for each act that is decided here. What may not be known (NotGathered) is looked up before anything is changed.
Outcome decide(const AddUser& act, Known<AddUser> known, Deciding& batch);
Outcome decide(const ChangeUser& act, Known<ChangeUser> known, Deciding& batch);
Outcome decide(const RenewHash& act, Known<RenewHash> known, Deciding& batch);
Outcome decide(const AddEvent& act, Known<AddEvent> known, Deciding& batch);
Outcome decide(const ChangeEvent& act, Known<ChangeEvent> known, Deciding& batch);
Outcome decide(const RemoveEvent& act, Known<RemoveEvent> known, Deciding& batch);
Outcome decide(const Reserve& act, Known<Reserve> known, Deciding& batch);
Outcome decide(const Pay& act, Known<Pay> known, Deciding& batch);
Outcome decide(const Cancel& act, Known<Cancel> known, Deciding& batch);
Outcome decide(const ExpireHolds& act, Known<ExpireHolds> known, Deciding& batch);

}  // namespace boxoffice
