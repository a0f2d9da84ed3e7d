#pragma once
#include <array>
#include <unordered_set>

#include "core/facts.hpp"
#include "sqlite/connection.hpp"

namespace boxoffice::sqlite
{

/// The facts of a batch, each looked up when it is asked for, in the batch's own transaction: that is the lock. To gather them
/// before would cost a look-up more for each reservation.
class LiveFacts final : public Facts
{
public:
    explicit LiveFacts(Connection& db);

    /// Another transaction has begun.
    void begin() { next_ids_ = {}; }

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

private:
    Connection& db_;
    std::int64_t ids_after_;
    std::array<std::int64_t, 3> next_ids_{};  // by Numbered; 0: not asked for in this transaction
    std::unordered_set<UserId> users_;        // some that exist, as they do for good
};

}  // namespace boxoffice::sqlite
