#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/archive.hpp"
#include "core/core.hpp"
#include "core/identity.hpp"
#include "core/job_desk.hpp"

/// The embedded store: one SQLite file in WAL mode, one connection that alone writes and checkpoints (SQLite before
/// 3.51.3 can corrupt a WAL database when two connections checkpoint), several that read.
namespace boxoffice
{

/// Pages (4 KiB) of the write-ahead log at which something is done about its length. A longer log makes reads slower and the next
/// start later, a shorter one syncs the file more often.
struct LogLimits {
    int idle = 1'000;       // worth a checkpoint when nothing waits
    int forced = 8'000;     // checkpointed between two batches
    int held = 12'000;      // checkpoints alone have not made it begin anew: readers are held for a moment
    int again = 2'000;      // and held again after so many more, because each time costs sales and reads some milliseconds
    int most = 16'000;      // slow reads are ended: no sequence of them makes it longer
    int worrying = 24'000;  // only a reader outside this process can have led here
};

struct SqliteOptions {
    std::filesystem::path file;  // data/boxoffice.db
    unsigned readers = 3;        // connections for reads: one a read-lane thread and one to spare
    bool mails = true;           // false: effects that need mail are not written
    /// Hears of what the operator should know, such as a checkpoint that failed; on the write lane's thread.
    std::function<void(std::string_view)> on_warning{};
    LogLimits log{};
    const Arrivals* arrivals = nullptr;  // outlives the store; none: nothing waits outside a batch
};

/// Changes the schema. Takes the store's writer lock for as long as it lives (throws StoreFailure busy, naming the
/// process, when another holds it). Makes the file and its folder when they do not exist.
class SqliteMigrator final : public Migrator
{
public:
    explicit SqliteMigrator(const std::filesystem::path& file);
    ~SqliteMigrator() override;
    SqliteMigrator(const SqliteMigrator&) = delete;
    SqliteMigrator& operator=(const SqliteMigrator&) = delete;
    [[nodiscard]] std::vector<MigrationState> status() override;
    std::vector<std::string> up() override;
    std::optional<std::string> down() override;
    [[nodiscard]] std::vector<std::string> losses() override;

private:
    class Self;
    void in_transaction(const std::function<void()>& work);

    std::filesystem::path file_;
    std::unique_ptr<Self> self_;
};

/// What SqliteMigrator::status() says, read beside a server that holds the writer lock.
[[nodiscard]] std::vector<MigrationState> sqlite_migration_states(const std::filesystem::path& file);

/// Opens the store, applying pending migrations; takes the writer lock. Throws StoreFailure with a sentence for the operator.
[[nodiscard]] std::unique_ptr<Store> open_sqlite(const SqliteOptions& options, const Zones& zones);

/// Looks a store over without changing it, while a server runs or not: SQLite's integrity check, every event's counter
/// against its live tickets, foreign keys, migrations, free disk, the clock against the newest row, the outbox.
[[nodiscard]] std::vector<Finding> examine_sqlite(const std::filesystem::path& file, Instant now);

/// Has the times that a clock ahead of `now` has left in the store mean nothing any more, so that it goes on by `now`. Takes the
/// writer lock. Does nothing when no time in the store is later. Throws StoreFailure.
AcceptedClock accept_clock_sqlite(const std::filesystem::path& file, Instant now);

/// What went wrong with the store in `file` in a sentence for the operator: path, cause, remedy, and no SQL, which what() of a
/// failure may hold.
[[nodiscard]] std::string explain_sqlite(const StoreFailure& failure, const std::filesystem::path& file);

/// What restore_sqlite() has done.
struct RestoredStore {
    std::filesystem::path kept;           // where the store that was there lies now; empty when there was none
    std::vector<std::string> migrations;  // applied to it
    std::int64_t users = 0, events = 0, tickets = 0;
    std::optional<Instant> latest;  // time in its rows
    std::int64_t ids_after = 0;     // ids given from now on are higher
    std::vector<Finding> findings;  // to act on, though it was restored
};

/// Puts a backup in the place of the store and begins another life of it, in which what the lost one left means nothing: ids go
/// on beyond any that it may have given, tokens and jobs of it are refused. The backup is only read, and looked over first. Takes
/// the writer lock. Throws StoreFailure with a sentence for the operator; then nothing has changed.
[[nodiscard]] RestoredStore restore_sqlite(const std::filesystem::path& backup, const std::filesystem::path& file, Instant now);

/// A consistent copy of the store in a new file, while a server runs or not; refuses to overwrite, also what another backup makes
/// at the same time. Throws StoreFailure.
void backup_sqlite(const std::filesystem::path& from, const std::filesystem::path& to);

/// The store's rows as they are at this moment, and stay for as long as the object lives, while a server runs or not; its file is
/// only read. As long as that lasts, a running server's WAL grows. Throws StoreFailure when there is no store, or when it lacks a
/// migration of this binary.
[[nodiscard]] std::unique_ptr<ArchiveSource> open_sqlite_archive(const std::filesystem::path& file);

/// The store's outbox, while a server runs or not. Throws StoreFailure with a sentence for the operator.
[[nodiscard]] std::unique_ptr<JobDesk> open_sqlite_jobs(const std::filesystem::path& file);

/// Who sells from the store at this moment, as "another boxoffice process (pid 17)"; nothing when none does.
[[nodiscard]] std::optional<std::string> writer_of_sqlite(const std::filesystem::path& file);

}  // namespace boxoffice
