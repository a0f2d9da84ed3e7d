#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <vector>

#include "sqlite/explain.hpp"
#include "sqlite/files.hpp"
#include "sqlite/identity.hpp"
#include "sqlite/migrations.hpp"
#include "sqlite/sqlite.hpp"
#include "sqlite/writer_lock.hpp"

namespace boxoffice
{

namespace
{

using namespace sqlite;

constexpr std::array<std::string_view, 4> kBeside{"-wal", "-shm", "-journal", ".lock"};

/// The store in the making: beside its place, so that it gets there by a rename. Gone with the object unless it was placed.
class Part
{
public:
    explicit Part(std::filesystem::path path) : path_(std::move(path)) { remove(); }
    ~Part() { remove(); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    void remove() const
    {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
        for (const std::string_view beside : kBeside) std::filesystem::remove(path_.string() + std::string(beside), ignored);
    }

    std::filesystem::path path_;
};

std::int64_t number(Connection& db, std::string_view sql)
{
    Rows rows = db.query(sql);
    return rows.next() ? rows.integer(0) : 0;
}

/// The highest id that any table has given.
std::int64_t highest_id(Connection& db)
{
    std::int64_t highest = number(db,
                                  "SELECT max(ifnull((SELECT max(id) FROM users), 0), ifnull((SELECT max(id) FROM events), 0), "
                                  "ifnull((SELECT max(id) FROM tickets), 0))");
    if (number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'") > 0)
        highest = std::max(highest, number(db, "SELECT max(seq) FROM sqlite_sequence"));
    if (number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'store_identity'") > 0)
        highest = std::max(highest, read_ids_after(db));
    return highest;
}

/// Of the store that is to be replaced, for what it can still tell; damaged, it tells nothing.
std::int64_t highest_id_of(const std::filesystem::path& file)
{
    if (!std::filesystem::exists(file)) return 0;
    try {
        Connection db(file, Access::read_only);
        return highest_id(db);
    } catch (const StoreFailure&) {
        return 0;
    }
}

/// Leaves no trace of a restore that was refused: neither the file of its lock nor the folders that were made for that.
class Traces
{
public:
    explicit Traces(const std::filesystem::path& file)
    {
        std::error_code ignored;
        for (auto folder = file.parent_path(); !folder.empty() && !std::filesystem::exists(folder, ignored);
             folder = folder.parent_path()) {
            made_.push_back(folder);
        }
        lock_.emplace(file);
    }
    ~Traces()
    {
        if (kept_) return;
        lock_->discard();
        std::error_code ignored;
        for (const auto& folder : made_) std::filesystem::remove(folder, ignored);  // only an empty one goes
    }
    Traces(const Traces&) = delete;
    Traces& operator=(const Traces&) = delete;
    void keep() { kept_ = true; }

private:
    std::vector<std::filesystem::path> made_;
    std::optional<WriterLock> lock_;
    bool kept_ = false;
};

[[noreturn]] void refuse_backup(const std::filesystem::path& backup, Code code, std::string why)
{
    while (why.ends_with('.')) why.pop_back();
    throw StoreFailure(code, fmt::format("{} cannot be restored: {}. Nothing was changed.", backup.native(), why));
}

std::string why_damaged(const std::filesystem::path& backup, const SqliteError& error)
{
    switch (error.extended_code() & 0xff) {
        case SQLITE_NOTADB:
            return "it is not an SQLite database, or damaged from its first page on; name another backup";
        case SQLITE_CORRUPT:
            return "it is damaged; name an older backup";
        default:
            return explain(backup, error);
    }
}

/// Copies the backup and looks it over, before anything else is touched.
void take_backup(const std::filesystem::path& backup, const std::filesystem::path& part, const std::filesystem::path& file)
{
    try {
        copy_store(backup, part, file);
        Connection db(part, Access::read_only);
        (void)migration_states(db);
        Rows rows = db.query("PRAGMA integrity_check(1)");
        rows.next();
        if (rows.text(0) != "ok") refuse_backup(backup, Code::storage_failed, "it is damaged; name an older backup");
        if (number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migrations'") > 0) return;
    } catch (const SqliteError& error) {
        refuse_backup(backup, error.code(), why_damaged(backup, error));
    } catch (const StoreFailure& failure) {
        if (std::string_view(failure.what()).ends_with("Nothing was changed.")) throw;
        refuse_backup(backup, failure.code(), failure.what());
    }
    throw StoreFailure(Code::invalid,
                       fmt::format("{} is not a backup of a boxoffice store. Nothing was changed.", backup.native()));
}

void begin_another_life(Connection& db, std::int64_t highest, Instant now, RestoredStore& restored)
{
    const std::int64_t generation = generation_after(read_identity(db).generation, now);
    restored.ids_after = ids_after_restore(highest, now);
    db.script("BEGIN IMMEDIATE");
    db.execute("UPDATE store_identity SET generation = ?1, plain_until = 0, ids_after = ?2", generation, restored.ids_after);
    db.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE "
        "name = 'outbox')");
    db.execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'outbox'", restored.ids_after);
    db.script("COMMIT");
}

/// "boxoffice.db.before-20261128-031500", with another number where that is taken.
std::filesystem::path name_aside(const std::filesystem::path& file, Instant now)
{
    const std::string name =
        fmt::format("{}.before-{:%Y%m%d-%H%M%S}", file.native(), std::chrono::floor<std::chrono::seconds>(now));
    std::string free = name;
    for (int i = 2; std::filesystem::exists(free); ++i) free = fmt::format("{}-{}", name, i);
    return free;
}

/// Where root restores for the account that serves: the store stays that one's.
void keep_owner(const std::filesystem::path& file, const std::filesystem::path& part)
{
    struct stat old{};
    if (::stat(file.c_str(), &old) != 0) return;
    // Only root may give a file away; any other account is the one that serves, or sees at the start what is wrong.
    [[maybe_unused]] const bool given = ::chown(part.c_str(), old.st_uid, old.st_gid) == 0;
    ::chmod(part.c_str(), old.st_mode & 07777U);
}

/// Gives the old store another name without taking its own away: at no moment is there no store. Its log goes with it.
void keep_aside(const std::filesystem::path& file, const std::filesystem::path& aside)
{
    try {
        // What its log holds goes into the file, where that can be done, and with it the log.
        Connection old(file, Access::read_write);
        (void)number(old, "SELECT count(*) FROM sqlite_schema");  // only who has read knows of the log
        (void)sqlite3_wal_checkpoint_v2(old.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    } catch (const StoreFailure&) {
        // Damaged: it is kept as it lies.
    }
    std::error_code error;
    std::filesystem::create_hard_link(file, aside, error);
    if (error) std::filesystem::rename(file, aside);  // a file system without links
    const std::string log = file.string() + "-wal";
    if (std::filesystem::exists(log)) std::filesystem::rename(log, aside.string() + "-wal");
    std::filesystem::remove(file.string() + "-shm");
}

}  // namespace

RestoredStore restore_sqlite(const std::filesystem::path& backup, const std::filesystem::path& file, Instant now)
{
    if (!std::filesystem::exists(backup)) throw StoreFailure(Code::not_found, backup.native() + " does not exist");
    if (std::filesystem::is_directory(backup))
        throw StoreFailure(Code::invalid, backup.native() + " is a folder; name the backup in it. Nothing was changed.");
    if (!std::filesystem::is_regular_file(backup))
        throw StoreFailure(Code::invalid, backup.native() + " is not a regular file; name a backup. Nothing was changed.");
    if (std::filesystem::exists(file) && std::filesystem::equivalent(backup, file))
        throw StoreFailure(Code::invalid, backup.native() + " is the store itself; name a backup");
    Traces traces(file);
    const Part part(file.string() + ".restoring");
    take_backup(backup, part.path(), file);

    RestoredStore restored;
    restored.migrations = SqliteMigrator(part.path()).up();
    {
        Connection db(part.path(), Access::read_write);
        restored.latest = latest_instant(db);
        restored.users = number(db, "SELECT count(*) FROM users");
        restored.events = number(db, "SELECT count(*) FROM events WHERE removed_at IS NULL");
        restored.tickets = number(db, "SELECT count(*) FROM tickets");
        const std::int64_t highest = std::max(highest_id(db), highest_id_of(file));
        // A clock that has been set back, or is not set yet, must not bring ids back.
        begin_another_life(db, highest, std::max(now, restored.latest.value_or(now)), restored);
        db.script("PRAGMA journal_mode=DELETE");
    }
    for (Finding& finding : examine_sqlite(part.path(), now)) {
        if (!finding.good) restored.findings.push_back(std::move(finding));
    }
    sync_file(part.path());
    traces.keep();
    if (std::filesystem::exists(file)) {
        keep_owner(file, part.path());
        restored.kept = name_aside(file, now);
        keep_aside(file, restored.kept);
    }
    std::filesystem::rename(part.path(), file);
    sync_folder_of(file);
    return restored;
}

}  // namespace boxoffice
