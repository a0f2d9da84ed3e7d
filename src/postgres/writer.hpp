#pragma once
#include <atomic>

#include "postgres/blocked.hpp"
#include "postgres/due_floor.hpp"
#include "postgres/facts.hpp"

namespace boxoffice::postgres
{

/// What the lanes of one process share: when which notification was last sent, and which rows other sessions keep locked.
struct SharedState {
    std::atomic<std::int64_t> hold_until = 0;    // another node's expiry worker was told of a deadline no later than this
    std::atomic<std::int64_t> effect_after = 0;  // not before
    Blocked blocked;
    DueFloor due_floor;
};

/// Executes batches over one connection, each in one transaction of two round trips: facts, then plan and COMMIT. One thread
/// at a time.
class Writer
{
public:
    Writer(const PostgresOptions& options, const Zones& zones, SharedState& shared);

    /// Throws StoreFailure. Retries what may well work the next time; waits for a server that restarts, `unavailable_max` in all,
    /// after which it throws one that says unavailable(), at once to later callers. Of deferrable jobs it makes one transaction
    /// at most and defers those whose rows another session keeps locked.
    void execute(std::span<WriteJob* const> all);

private:
    using Jobs = std::vector<WriteJob*>;
    void attempt(std::span<WriteJob* const> jobs, std::optional<Micros> patience);
    [[nodiscard]] Wanted wanted_of(std::span<WriteJob* const> jobs) const;
    /// Defers those that are about rows which are known to be kept, if they still are; true: a row has changed hands, and is
    /// worth waiting for.
    bool leave_out_known(Jobs& jobs);
    /// A lock was waited for in vain: defers those that are about rows which another session keeps. False: it has found none.
    bool leave_out_blocked(Jobs& jobs);
    static void defer(Jobs& jobs, const Probe& probe, const std::set<LockedRow>& blocked);
    /// Where it cannot be seen what is waited for: a half goes on, the other comes again.
    static void halve(Jobs& jobs);
    /// Throws when the server has been unavailable for too long.
    void note_unavailable(const Gone& gone);
    void commit(std::span<WriteJob* const> jobs, const Changes& changes, const Unindexed& unindexed, const Wanted& wanted);
    /// Whether the last commit was asked about in vain, or the server unavailable, a short while ago.
    [[nodiscard]] bool is_silent() const;
    /// The pipeline that ends with COMMIT; nothing when it was committed and its rows were lost on the way.
    [[nodiscard]] std::optional<std::vector<Rows>> execute_and_commit(const Pipeline& pipeline,
                                                                      std::span<const unsigned char, 16> mark);
    /// Whether the transaction with this mark was committed and will outlive whatever a commit outlives here; if not, it never
    /// will be. Throws StoreFailure, unclear, when the server does not answer.
    [[nodiscard]] bool was_committed(std::span<const unsigned char, 16> mark);

    const PostgresOptions& options_;
    const Zones& zones_;
    SharedState& shared_;
    Connection db_;
    /// Since when the server has been unavailable, and when that was last seen: later callers do not wait anew.
    struct Outage {
        std::chrono::steady_clock::time_point since;
        std::chrono::steady_clock::time_point seen;
    };
    std::optional<Outage> outage_;
};

}  // namespace boxoffice::postgres
