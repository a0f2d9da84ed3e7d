#include <algorithm>

#include "core/job_desk.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice
{

namespace
{

using namespace sqlite;

/// So many rows per transaction: a server beside waits for its end.
constexpr std::size_t kAtOnce = 1000;

#define JOB_COLUMNS "id, kind, event_id, tickets, made_at, tries, due_at, dead_at, ifnull(why, '')"
constexpr std::string_view kDead =
    "SELECT " JOB_COLUMNS " FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at DESC, id DESC LIMIT ?1";
constexpr std::string_view kWaiting = "SELECT " JOB_COLUMNS " FROM outbox WHERE dead_at IS NULL ORDER BY due_at, id LIMIT ?1";

/// Beside a server this is a second process that writes, which SQLite orders by its locks; what two must never do is checkpoint,
/// and this one never does, not even when it is the last to close the file.
class SqliteJobs final : public JobDesk
{
public:
    explicit SqliteJobs(const std::filesystem::path& file) : db_(file, Access::read_write)
    {
        sqlite3_db_config(db_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        db_.script("PRAGMA synchronous=FULL");
        if (!db_.query("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").next())
            throw StoreFailure(Code::invalid, file.string() + " has no jobs yet: it lacks a migration, which serve applies");
    }

    JobList list(bool dead_only, std::size_t most) override
    {
        const Snapshot snapshot(db_);
        JobList found{outbox_counts(db_), {}};
        read(kDead, most, found.rows);
        if (!dead_only) read(kWaiting, most - found.rows.size(), found.rows);
        return found;
    }

    std::vector<std::int64_t> dead() override
    {
        std::vector<std::int64_t> ids;
        Rows rows = db_.query("SELECT id FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at, id");
        while (rows.next()) ids.push_back(rows.integer(0));
        return ids;
    }

    std::vector<std::int64_t> retry(std::span<const std::int64_t> jobs) override
    {
        // As of when it was made: due by whatever clock.
        return each("UPDATE outbox SET due_at = made_at, dead_at = NULL, tries = 0 WHERE id = ?1", jobs);
    }

    std::vector<std::int64_t> drop(std::span<const std::int64_t> jobs) override
    {
        return each("DELETE FROM outbox WHERE id = ?1", jobs);
    }

private:
    void read(std::string_view sql, std::size_t most, std::vector<JobRow>& into)
    {
        Rows rows = db_.query(sql, static_cast<std::int64_t>(most));
        while (rows.next()) {
            JobRow& row = into.emplace_back();
            row.effect = {rows.integer(0),          static_cast<EffectKind>(rows.integer(1)),
                          EventId{rows.integer(2)}, tickets_of(rows.text(3)),
                          rows.instant(4),          static_cast<int>(rows.integer(5))};
            row.due_at = rows.instant(6);
            if (!rows.null(7)) row.dead_at = rows.instant(7);
            row.why = rows.text(8);
        }
    }

    std::vector<std::int64_t> each(std::string_view sql, std::span<const std::int64_t> jobs)
    {
        std::vector<std::int64_t> changed;
        for (; !jobs.empty(); jobs = jobs.subspan(std::min(kAtOnce, jobs.size()))) {
            db_.execute("BEGIN IMMEDIATE");
            for (const std::int64_t job : jobs.first(std::min(kAtOnce, jobs.size()))) {
                if (db_.execute(sql, job) == 1) changed.push_back(job);
            }
            db_.execute("COMMIT");
        }
        return changed;
    }

    Connection db_;
};

}  // namespace

std::unique_ptr<JobDesk> open_sqlite_jobs(const std::filesystem::path& file) { return std::make_unique<SqliteJobs>(file); }

}  // namespace boxoffice
