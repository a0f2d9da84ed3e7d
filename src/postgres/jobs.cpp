#include <utility>

#include "core/job_desk.hpp"
#include "postgres/connection.hpp"

namespace boxoffice
{

namespace
{

using namespace postgres;

#define JOB_COLUMNS "id, kind, event_id, tickets, made_at, tries, due_at, dead_at, coalesce(why, '')"
constexpr std::string_view kDead =
    "SELECT " JOB_COLUMNS " FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at DESC, id DESC LIMIT $1";
constexpr std::string_view kWaiting = "SELECT " JOB_COLUMNS " FROM outbox WHERE dead_at IS NULL ORDER BY due_at, id LIMIT $1";

class PostgresJobs final : public JobDesk
{
public:
    explicit PostgresJobs(PostgresOptions options) : options_(std::move(options)), db_(options_, Connection::Purpose::write)
    {
        if (!db_.ask("SELECT to_regclass('outbox') IS NOT NULL").boolean(0, 0))
            throw StoreFailure(Code::invalid, "The database has no jobs yet: it lacks a migration, which serve applies");
    }

    JobList list(bool dead_only, std::size_t most) override
    {
        const Rows counts = db_.ask("SELECT count(*) FILTER (WHERE dead_at IS NULL), count(dead_at) FROM outbox");
        JobList found{{counts.integer(0, 0), counts.integer(0, 1), {}}, {}};
        read(kDead, most, found.rows);
        if (!dead_only) read(kWaiting, most - found.rows.size(), found.rows);
        return found;
    }

    std::vector<std::int64_t> dead() override
    {
        return ids(db_.ask("SELECT id FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at, id"));
    }

    std::vector<std::int64_t> retry(std::span<const std::int64_t> jobs) override
    {
        // As of when it was made: due by whatever clock.
        auto changed =
            ids(db_.ask("UPDATE outbox SET due_at = made_at, dead_at = NULL, tries = 0 WHERE id = ANY($1::bigint[]) RETURNING id",
                        std::move(Params().integers(jobs))));
        (void)db_.ask("SELECT pg_notify('boxoffice', 'effect')");
        return changed;
    }

    std::vector<std::int64_t> drop(std::span<const std::int64_t> jobs) override
    {
        return ids(db_.ask("DELETE FROM outbox WHERE id = ANY($1::bigint[]) RETURNING id", std::move(Params().integers(jobs))));
    }

private:
    static std::vector<std::int64_t> ids(const Rows& rows)
    {
        std::vector<std::int64_t> all;
        all.reserve(static_cast<std::size_t>(rows.count()));
        for (int row = 0; row < rows.count(); ++row) all.push_back(rows.integer(row, 0));
        return all;
    }

    void read(std::string_view sql, std::size_t most, std::vector<JobRow>& into)
    {
        const Rows rows = db_.ask(sql, std::move(Params().integer(static_cast<std::int64_t>(most))));
        for (int row = 0; row < rows.count(); ++row) {
            JobRow& job = into.emplace_back();
            job.effect.id = rows.integer(row, 0);
            job.effect.kind = static_cast<EffectKind>(rows.integer(row, 1));
            job.effect.event = rows.id<EventId>(row, 2);
            for (const std::int64_t ticket : rows.integers(row, 3)) job.effect.tickets.push_back(TicketId{ticket});
            job.effect.made_at = rows.instant(row, 4);
            job.effect.tries = static_cast<int>(rows.integer(row, 5));
            job.due_at = rows.instant(row, 6);
            if (!rows.null(row, 7)) job.dead_at = rows.instant(row, 7);
            job.why = rows.text(row, 8);
        }
    }

    const PostgresOptions options_;
    Connection db_;
};

}  // namespace

std::unique_ptr<JobDesk> open_postgres_jobs(const PostgresOptions& options) { return std::make_unique<PostgresJobs>(options); }

}  // namespace boxoffice
