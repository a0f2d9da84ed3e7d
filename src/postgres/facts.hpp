#pragma once
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/facts.hpp"
#include "postgres/reindex.hpp"
#include "postgres/wanted.hpp"

namespace boxoffice::postgres
{

/// The facts of a batch, gathered under its locks in one round trip. Locks are taken event -> ticket -> user, each ascending by
/// id, so that two batches never wait for each other in a circle. `wanted` must outlive it.
struct Gathered final : public Facts {
    struct Counter {
        StockRow row;
        std::vector<DueHold> due;  // that may lapse, locked; earliest deadline first
    };

    explicit Gathered(const Wanted& all) : wanted(&all) {}

    std::optional<StockRow> stock(EventId event) override;
    std::optional<Event> event(EventId event) override;
    std::optional<Ticket> ticket(TicketId ticket) override;
    std::optional<TicketId> ticket_paid_with(std::string_view reference) override;
    std::optional<Account> user(UserId user) override;
    bool has_user(UserId user) override;
    bool has_mailbox(std::string_view folded, std::string_view key) override;
    std::optional<Instant> nth_newest_event(UserId organizer, std::int64_t nth) override;
    std::optional<KeptRow> kept_answer(UserId user, std::string_view key, Instant forgotten) override;
    bool offer_due_holds_of(EventId event, Instant now, const TakeHold& take) override;
    bool offer_due_holds(Instant now, const TakeHold& take) override;
    std::int64_t next_id(Numbered what) override;

    const Wanted* wanted;
    std::unordered_map<EventId, Counter> stocks;  // events that exist
    std::unordered_map<EventId, Event> events;    // whole, of those that may be changed
    std::unordered_map<TicketId, Ticket> tickets;
    std::unordered_map<std::string, TicketId> references;
    std::unordered_map<UserId, Account> users;  // locked, to be changed
    std::unordered_set<UserId> known;           // exist
    std::unordered_set<std::string> emails;     // folded or as keys, taken
    std::map<KeyOfUser, KeptRow> kept;
    /// When an account that may add only so many events a day added the newest of them but those skipped, newest first.
    std::map<UserId, std::vector<Instant>> published;
    std::vector<std::int64_t> ticket_ids, event_ids, user_ids;  // fresh ones, used from the back
    std::vector<DueHold> due;                                   // for the expiry worker
    Unindexed unindexed;
};

/// Begins the transaction and gathers. Throws what execute() throws.
[[nodiscard]] Gathered gather(Connection& db, const Wanted& wanted);

}  // namespace boxoffice::postgres
