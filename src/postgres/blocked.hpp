#pragma once
#include <atomic>
#include <chrono>
#include <compare>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "postgres/connection.hpp"
#include "postgres/wanted.hpp"

namespace boxoffice::postgres
{

/// A row that the locks of a batch are about.
struct LockedRow {
    enum class Table : std::uint8_t { events, tickets, users } table;
    std::int64_t id;
    auto operator<=>(const LockedRow&) const = default;
};

/// What one look at the locks of a batch has found: the rows that other sessions have locked, each with its holder's mark (xmax),
/// and which event a ticket is of.
struct Probe {
    std::map<LockedRow, std::int64_t> held;
    std::map<TicketId, EventId> events;
};

/// Looks, without waiting, which of the rows that these acts lock can be had now. Rolled back at once; one round trip.
/// `passed_by`: events whose due holds are not looked at.
[[nodiscard]] Probe probe(Connection& db, const Wanted& wanted);

/// Rows that one holder keeps for longer than any transaction of ours lasts: a node that was frozen in the midst of one, an
/// operator's session. A row whose holder changes is not blocked but wanted by many. What the lanes of one process share; any
/// thread.
class Blocked
{
public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }
    /// Those that have been kept for so long that an operator wants to know.
    [[nodiscard]] std::size_t reportable() const;
    /// Whether any row of these is known to be kept.
    [[nodiscard]] bool concerns(const Wanted& wanted) const;
    [[nodiscard]] std::vector<EventId> events() const;

    struct Seen {
        std::set<LockedRow>
            blocked;             // held by the session that held them before; and after a wait in vain also those not known yet
        bool news = false;       // one of these was not known
        bool contended = false;  // a known row is held by another than before: it is worth waiting for
    };
    enum class After : std::uint8_t { nothing, waiting_in_vain };
    /// Takes up what a probe for `wanted` has found. Rows that are free or contended are forgotten, and so are those that no act
    /// has looked at lately.
    Seen learn(const Wanted& wanted, const Probe& probe, After after);

    /// For some seconds due tickets are locked by passing over those that another session has locked.
    void be_careful();
    [[nodiscard]] bool careful() const;

private:
    struct Holder {
        std::int64_t mark = 0;
        Clock::time_point since, seen;
    };
    void forget_old(Clock::time_point now);

    mutable std::mutex mutex_;  // protects rows_
    std::map<LockedRow, Holder> rows_;
    std::atomic<std::size_t> count_ = 0;
    std::atomic<std::int64_t> careful_until_ = 0;  // Clock's ticks
};

/// The rows that one act locks: of a Cancel the event too, which the probe knows.
[[nodiscard]] std::vector<LockedRow> rows_of(const Wanted& wanted, const Probe& probe);

}  // namespace boxoffice::postgres
