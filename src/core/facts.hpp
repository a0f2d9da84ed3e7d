#pragma once
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/model.hpp"
#include "core/sales_rate.hpp"

namespace boxoffice
{

/// What sales of an event depend on.
struct StockRow {
    std::int64_t total = 0;
    std::int64_t sold = 0;  // paid tickets and reserved ones, due or not
    SalesRate pace;
    Instant end_time;
};

struct Account {
    User user;
    std::string password_hash;
};

struct DueHold {
    TicketId ticket;
    EventId event;
    Instant expires_at;
};

struct KeptRow {
    std::string fingerprint;
    std::string bytes;
};

/// Rows whose ids count up.
enum class Numbered : std::uint8_t { user, event, ticket };

/// An engine that gathers before it decides was asked for what it has not gathered, because it came to be after the locks were
/// taken: the act has to be brought again.
class NotGathered : public std::runtime_error
{
public:
    NotGathered() : std::runtime_error("what an act is about came to be after its locks were taken") {}
};

/// What a batch is decided on: the store as it was when the batch began, each row under its lock until the batch is committed.
/// Every engine has its own: one asks the store when it is asked, another has gathered everything that the batch `needs_of`.
/// What the batch itself has done so far is not its affair. Throws NotGathered, and whatever the store throws.
class Facts
{
public:
    virtual ~Facts() = default;

    // Events that were removed are not there.
    virtual std::optional<StockRow> stock(EventId event) = 0;
    virtual std::optional<Event> event(EventId event) = 0;
    virtual std::optional<Ticket> ticket(TicketId ticket) = 0;
    virtual std::optional<TicketId> ticket_paid_with(std::string_view reference) = 0;
    virtual std::optional<Account> user(UserId user) = 0;
    virtual bool has_user(UserId user) = 0;
    /// Whether an account has an address that is compared as `folded`, or its mailbox is `key`.
    virtual bool has_mailbox(std::string_view folded, std::string_view key) = 0;
    /// When the organizer added the `nth` newest event (from 1), removed ones included; nothing when there are fewer.
    virtual std::optional<Instant> nth_newest_event(UserId organizer, std::int64_t nth) = 0;
    /// The first answer to this key, unless it was kept at `forgotten` or before.
    virtual std::optional<KeptRow> kept_answer(UserId user, std::string_view key, Instant forgotten) = 0;

    /// Takes a hold; false: no more are wanted.
    using TakeHold = std::function<bool(const DueHold&)>;
    /// Offers holds that are due at `now`, earliest deadline first, of one event or of all. True: there may be more of them than
    /// were gathered.
    virtual bool offer_due_holds_of(EventId event, Instant now, const TakeHold& take) = 0;
    virtual bool offer_due_holds(Instant now, const TakeHold& take) = 0;

    /// An id that no row has and none will have but the one it is asked for.
    virtual std::int64_t next_id(Numbered what) = 0;
};

}  // namespace boxoffice
