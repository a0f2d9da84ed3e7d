#include "sqlite/log_keeper.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <system_error>

namespace boxoffice::sqlite
{

namespace
{

using std::chrono::milliseconds;

/// Most reads take less. Sales and reads wait as long, so it must not be seen in their tails.
constexpr milliseconds kHeldFor{20};
/// A statement notices an interrupt within some thousand steps of its program.
constexpr milliseconds kEndedWithin{500};

}  // namespace

bool is_sync_failure(int extended_code) { return extended_code == SQLITE_IOERR_FSYNC || extended_code == SQLITE_IOERR_DIR_FSYNC; }

LogKeeper::LogKeeper(Connection& db, const SqliteOptions& options, ReadGate& gate)
    : db_(db),
      log_file_(options.file.string() + "-wal"),
      gate_(gate),
      on_warning_(options.on_warning),
      limits_(options.log),
      cut_at_(limits_.held)
{
    const auto on_commit = [](void* self, sqlite3*, const char*, int pages) noexcept {
        LogKeeper& keeper = *static_cast<LogKeeper*>(self);
        if (pages < keeper.pages_) {  // it began anew
            keeper.checkpointed_ = 0;
            keeper.cut_at_ = keeper.limits_.held;
        }
        keeper.pages_ = pages;
        keeper.highest_ = std::max(keeper.highest_, pages);
        return SQLITE_OK;
    };
    sqlite3_wal_hook(db_.handle(), on_commit, this);
    highest_ = static_cast<int>(std::min<std::int64_t>(bytes() / kLogPageBytes, limits_.most));
}

void LogKeeper::tend()
{
    if (sync_failed_) return;
    if (fresh() >= limits_.forced) (void)checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    if (pages_ >= cut_at_ && !sync_failed_) cut(true);
}

void LogKeeper::tend_idle()
{
    if (sync_failed_) return;
    if (fresh() >= limits_.idle) (void)checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    if (highest_ >= limits_.forced && !sync_failed_) cut(false);
}

void LogKeeper::finish()
{
    if (!sync_failed_) (void)checkpoint(SQLITE_CHECKPOINT_PASSIVE);
}

/// Moves the rest out of the log and cuts its file, in a moment without readers.
void LogKeeper::cut(bool may_interrupt)
{
    ReadGate::Closed closed(gate_);
    bool alone = closed.wait(kHeldFor);
    // A reader of another process is not ended by ending our own.
    if (!alone && may_interrupt && pages_ >= limits_.most && !outside_) alone = closed.interrupt(kEndedWithin);
    // A reader in another process is not waited for.
    sqlite3_busy_timeout(db_.handle(), 0);
    const bool whole = checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    sqlite3_busy_timeout(db_.handle(), kBusyMs);
    outside_ = alone && !whole;
    if (whole) {
        pages_ = checkpointed_ = highest_ = 0;
        cut_at_ = limits_.held;
    } else {
        cut_at_ = pages_ + limits_.again;
        if (const std::string why = worry_of_log(bytes(), limits_); outside_ && on_warning_ && !why.empty()) on_warning_(why);
    }
}

/// True when everything was moved that this mode promises to move.
bool LogKeeper::checkpoint(int mode)
{
    const int code = sqlite3_wal_checkpoint_v2(db_.handle(), nullptr, mode, nullptr, nullptr);
    checkpointed_ = pages_;
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) {
        failed(code);
        return false;
    }
    const std::lock_guard lock(mutex_);
    why_.clear();
    return code == SQLITE_OK;
}

void LogKeeper::failed(int code)
{
    failures_.fetch_add(1, std::memory_order_relaxed);
    std::string why = fmt::format("a checkpoint failed: {} (SQLite code {})", sqlite3_errmsg(db_.handle()), code);
    if (is_sync_failure(code)) note_failed_sync();
    if (on_warning_) on_warning_(why);
    const std::lock_guard lock(mutex_);
    why_ = std::move(why);
}

void LogKeeper::note_failed_sync()
{
    sync_failed_ = true;
    // The log is what is known to be whole: the next start reads it, sum by sum.
    sqlite3_db_config(db_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

std::int64_t LogKeeper::bytes() const
{
    std::error_code error;
    const auto size = std::filesystem::file_size(log_file_, error);
    return error ? 0 : static_cast<std::int64_t>(size);
}

std::string LogKeeper::worry() const
{
    {
        const std::lock_guard lock(mutex_);
        if (!why_.empty()) return why_;
    }
    return worry_of_log(bytes(), limits_);
}

std::string worry_of_log(std::int64_t bytes, const LogLimits& limits)
{
    if (bytes < limits.worrying * kLogPageBytes) return {};
    return fmt::format(
        "the write-ahead log has grown to {} MiB: another process keeps reading an old state of the store, such as a backup or a "
        "shell with an open transaction; the log is cut when that ends",
        bytes >> 20);
}

}  // namespace boxoffice::sqlite
