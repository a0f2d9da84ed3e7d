#pragma once
#include <unordered_map>

#include "sqlite/connection.hpp"
#include "sqlite/places.hpp"

namespace boxoffice::sqlite
{

/// The counters of the events that a transaction touches: each is read once, changed here, and written once, by a
/// guarded UPDATE, before the commit. So a thousand sales of one event cost one write of its counter.
class Inventory
{
public:
    struct Stock {
        std::int64_t total = 0;
        std::int64_t sold = 0;  // as it will be after the commit
        Instant end_time;
        Pace pace;
        std::int64_t unsaved = 0;  // what `sold` and the row differ by
        bool changed = false;
        bool none_due_known = false;  // a refused buyer found no due hold up to none_due_until
        Instant none_due_until;
    };

    explicit Inventory(Connection& db) : db_(db) {}

    /// The event's stock, or nullptr when there is no such event. Valid until forget() or clear().
    Stock* find(EventId event);
    /// Sells `count` (or gives back, when negative); `now` moves the pace when seats are sold.
    void sell(Stock& stock, std::int64_t count, Instant now);
    /// Writes one event's counter and drops it from memory: before another statement changes the row.
    void forget(EventId event);
    /// Writes all counters; throws StoreFailure when one would leave 0 <= sold <= total, which no rule allows.
    void save();
    /// After a commit: tells `places` what was saved. Then, or after a rollback: clear().
    void tell(Places& places) const;
    void clear()
    {
        stocks_.clear();
        saved_.clear();
    }

private:
    void save_one(EventId event, Stock& stock);

    Connection& db_;
    struct Saved {
        std::int64_t sold;
        Pace pace;
    };
    std::unordered_map<EventId, Stock> stocks_;
    std::unordered_map<EventId, Saved> saved_;  // what this transaction has written, also of stocks forgotten since
};

}  // namespace boxoffice::sqlite
