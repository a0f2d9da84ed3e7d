#pragma once
#include <atomic>

#include "postgres/batch.hpp"

namespace boxoffice::postgres
{

/// What the lanes of one process know together: when which notice was last given.
struct Notices {
    std::atomic<std::int64_t> hold_until = 0;    // a tidier elsewhere has been told of a deadline that comes no later than this
    std::atomic<std::int64_t> effect_after = 0;  // not before
};

/// Carries out batches over one connection, each in one transaction of two round trips: facts, then plan and COMMIT. One thread
/// at a time.
class Writer
{
public:
    Writer(const PostgresOptions& options, const Zones& zones, Notices& notices);

    /// Throws StoreFailure. Retries what may well work the next time; waits for a server that restarts, `away_max` in all, after
    /// which it throws one that says away(), at once to whoever comes later.
    void carry_out(std::span<WriteJob* const> jobs);

private:
    void attempt(std::span<WriteJob* const> jobs);
    /// Throws when the server has been away for too long.
    void note_away(const Gone& gone);
    void commit(Batch& batch, Instant now);
    /// Whether the transaction with this mark was committed; if not, it never will be. Throws StoreFailure, unclear, when nobody
    /// answers.
    [[nodiscard]] bool was_committed(std::span<const unsigned char, 16> mark);

    const PostgresOptions& options_;
    const Zones& zones_;
    Notices& notices_;
    Connection db_;
    /// Since when the server has been away, and when that was last seen: whoever comes later does not wait anew.
    struct Outage {
        std::chrono::steady_clock::time_point since;
        std::chrono::steady_clock::time_point seen;
    };
    std::optional<Outage> outage_;
};

}  // namespace boxoffice::postgres
