#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "sqlite/connection.hpp"
#include "sqlite/read_gate.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice::sqlite
{

inline constexpr std::int64_t kLogPageBytes = 4096;

/// A sentence for the operator; empty when a log of this size is none to worry about.
[[nodiscard]] std::string worry_of_log(std::int64_t bytes, const LogLimits& limits = {});

/// Keeps the write-ahead log short: the only one that checkpoints it, over the writer's connection and on its thread. PASSIVE
/// checkpoints wait for no reader; where readers that overlap keep the log from beginning anew, they are held at the gate for a
/// moment, and where a slow one does, it is ended.
class LogKeeper
{
public:
    /// `on_warning` hears of what the operator should know, on the writer's thread.
    LogKeeper(Connection& db, const SqliteOptions& options, ReadGate& gate);

    /// Between two batches. Throws nothing: a checkpoint that fails is told of and tried again, and loses nothing.
    void tend();
    /// Nothing waits: also when there is less to move, and to give the disk its space back.
    void tend_idle();
    /// The last one, when all readers are gone.
    void finish();

    /// A disk sync has failed: what the disk holds is unknown.
    [[nodiscard]] bool sync_failed() const { return sync_failed_.load(std::memory_order_relaxed); }
    /// From here on nothing is moved out of the log, not even when the connection is closed.
    void note_failed_sync();

    // Any thread.
    [[nodiscard]] std::int64_t bytes() const;
    [[nodiscard]] std::int64_t failures() const { return failures_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::string worry() const;

private:
    [[nodiscard]] int fresh() const { return pages_ - checkpointed_; }
    bool checkpoint(int mode);
    void cut(bool may_interrupt);
    void failed(int code);

    Connection& db_;
    const std::filesystem::path log_file_;
    ReadGate& gate_;
    const std::function<void(std::string_view)> on_warning_;
    const LogLimits limits_;

    // The writer's thread only. How long the log is, and how much of that was there at the last checkpoint: while a reader holds
    // an old state it goes on growing after one, and must not be checkpointed after every batch for that.
    int pages_ = 0;
    int checkpointed_ = 0;
    int highest_ = 0;       // since the file was last cut
    int cut_at_ = 0;        // pages
    bool outside_ = false;  // the last time another process was in the way
    std::atomic<bool> sync_failed_ = false;
    std::atomic<std::int64_t> failures_ = 0;
    mutable std::mutex mutex_;  // protects why_
    std::string why_;           // of the last checkpoint, when it failed
};

/// Whether SQLite says by this extended code that a sync failed.
[[nodiscard]] bool is_sync_failure(int extended_code);

}  // namespace boxoffice::sqlite
