#include <fmt/format.h>

#include <algorithm>

#include "core/search.hpp"
#include "postgres/archive_columns.hpp"
#include "postgres/connection.hpp"
#include "postgres/migrations.hpp"
#include "postgres/reindex.hpp"
#include "postgres/use.hpp"

namespace boxoffice
{

namespace
{

using namespace postgres;

constexpr std::string_view kLock = "SELECT pg_advisory_lock(" BOXOFFICE_PG_COPY_LOCK ")::text";

constexpr std::string_view kWrongCounters =
    "SELECT i.event_id, i.sold, coalesce(l.live, 0) FROM inventory i LEFT JOIN "
    "(SELECT event_id, count(*) AS live FROM tickets WHERE status IN (0, 1) GROUP BY event_id) l USING (event_id) "
    "WHERE i.sold <> coalesce(l.live, 0) ORDER BY i.event_id LIMIT 10";

/// The server has looked at the row and will not have it; told by the class of its SQLSTATE: data exception, constraint.
bool blames_the_row(const Refused& refused) { return refused.state().starts_with("22") || refused.state().starts_with("23"); }

/// Throws for what PostgreSQL cannot keep at all, by the name of its row.
template <class Row>
void check(const std::vector<Row>& rows)
{
    for (const Row& row : rows) {
        for_each_column<Row>([&](const auto& column) {
            const std::string_view why = why_not_kept(row.*column.at);
            if (why.empty()) return;
            throw StoreFailure(Code::invalid,
                               fmt::format("{} holds {} in {}, which PostgreSQL cannot keep; change it in the source.",
                                           name_of_row(row), why, column.name));
        });
    }
}

// What the server keeps up with each batch (writes.cpp), for a page of events at once.
constexpr std::string_view kFull =
    "INSERT INTO sold_out (event_id) SELECT event_id FROM inventory WHERE event_id = ANY($1::bigint[]) AND sold >= total "
    "ON CONFLICT DO NOTHING";
constexpr std::string_view kFree =
    "DELETE FROM sold_out s USING inventory i WHERE s.event_id = ANY($1::bigint[]) AND i.event_id = s.event_id "
    "AND i.sold < i.total";

class PostgresArchive final : public ArchiveTarget
{
public:
    explicit PostgresArchive(const PostgresOptions& options)
        : options_(patient(options)), db_(options_, Connection::Purpose::read)
    {
        (void)migrate_postgres(options)->up();
        try {
            (void)db_.ask(kLock);
        } catch (const Refused& refused) {
            if (refused.state() != "55P03") throw;
            throw StoreFailure(Code::busy, "Another copy into this database is under way.");
        }
        if (!use_alone(db_))
            throw StoreFailure(Code::busy, "A boxoffice server or worker uses the target; stop it, then run the copy again.");
        session_ = session();
    }

    ArchivePage next(const ArchivePage& last, std::size_t most) override
    {
        return std::visit(
            [&]<class Row>(const std::vector<Row>& rows) -> ArchivePage {
                const auto limit = static_cast<std::int64_t>(most);
                if (rows.empty()) return read_rows<Row>(db_.ask(select_first<Row>(), std::move(Params().integer(limit))));
                Params params;
                for_each_column<Row, Row::kKeyColumns>([&](const auto& column) { add_one(params, rows.back().*column.at); });
                return read_rows<Row>(db_.ask(select_after<Row>(), std::move(params.integer(limit))));
            },
            last);
    }

    ArchivePage find(const ArchivePage& like) override
    {
        return std::visit(
            [&]<class Row>(const std::vector<Row>& rows) -> ArchivePage {
                check(rows);
                return read_rows<Row>(db_.ask(select_these<Row>(), keys_of(rows)));
            },
            like);
    }

    std::int64_t count(const ArchivePage& table) override
    {
        return std::visit(
            [&]<class Row>(const std::vector<Row>&) {
                return db_.ask(fmt::format("SELECT count(*) FROM {}", Row::kTable)).integer(0, 0);
            },
            table);
    }

    std::int64_t last_id(const ArchivePage& table) override
    {
        return std::visit(
            [&]<class Row>(const std::vector<Row>&) -> std::int64_t {
                if (!Row::kGivesIds) return 0;
                return db_.ask(fmt::format("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}_id_seq", Row::kTable))
                    .integer(0, 0);
            },
            table);
    }

    void put(const ArchivePage& page) override
    {
        std::visit(
            [&]<class Row>(const std::vector<Row>& rows) {
                check(rows);
                try {
                    (void)db_.ask(upsert<Row>(), values_of(rows));
                } catch (const Refused& refused) {
                    if (!blames_the_row(refused)) throw;
                    put_singly(rows);
                }
                if constexpr (std::is_same_v<Row, InventoryRow>) {
                    Pipeline follow;
                    follow.add(kFull, keys_of(rows));
                    follow.add(kFree, keys_of(rows));
                    (void)db_.execute(follow);
                }
            },
            page);
    }

    void remove(const ArchivePage& page) override
    {
        std::visit([&]<class Row>(const std::vector<Row>& rows) { (void)db_.ask(delete_these<Row>(), keys_of(rows)); }, page);
    }

    void give_ids_after(const ArchivePage& table, std::int64_t id) override
    {
        const std::int64_t last = std::max(last_id(table), id);
        if (last == 0) return;
        std::visit(
            [&]<class Row>(const std::vector<Row>&) {
                (void)db_.ask(fmt::format("SELECT setval('{}_id_seq', $1)", Row::kTable), std::move(Params().integer(last)));
            },
            table);
    }

    std::vector<WrongCounter> wrong_counters() override
    {
        const Rows rows = db_.ask(kWrongCounters);
        std::vector<WrongCounter> wrong;
        wrong.reserve(static_cast<std::size_t>(rows.count()));
        for (int row = 0; row < rows.count(); ++row)
            wrong.push_back({rows.id<EventId>(row, 0), rows.integer(row, 1), rows.integer(row, 2)});
        return wrong;
    }

    /// What searches and logins compare, and the planner's statistics: without them the first queries after a
    /// copy are planned as if for empty tables.
    void finish_copy() override
    {
        reindex();
        for_each_table([&]<class Row>() { (void)db_.ask(fmt::format("ANALYZE {}", Row::kTable)); });
    }

    void still_alone() override
    {
        // A session that was lost has lost its locks, whichever session has them now.
        if (session() != session_ || !is_alone(db_))
            throw StoreFailure(
                Code::busy,
                "A boxoffice server or worker has used the target during the copy; stop it, then run the copy again.");
    }

private:
    /// No client waits for an answer here, and a count or a page of a large table may take its time.
    static PostgresOptions patient(PostgresOptions options)
    {
        options.statement_timeout = std::chrono::hours(1);
        return options;
    }

    /// All of it: who serves the copy then answers as the source did, from the first question on.
    void reindex()
    {
        for (bool more = true; more;) {
            Unindexed found;
            ask_unindexed(kReindexedAtOnce, found, [this](std::string_view sql, Params params, const auto& read) {
                read(db_.ask(sql, std::move(params)));
            });
            Pipeline pipeline;
            pipeline.add("BEGIN");
            postgres::reindex(pipeline, found);
            pipeline.add("COMMIT");
            (void)db_.execute(pipeline);
            more = !found.empty();
        }
    }

    /// Finds the row that PostgreSQL will not have. Its message names the rule, not the values.
    template <class Row>
    void put_singly(const std::vector<Row>& rows)
    {
        for (const Row& row : rows) {
            try {
                (void)db_.ask(upsert<Row>(), values_of(std::vector<Row>{row}));
            } catch (const Refused& refused) {
                if (!blames_the_row(refused)) throw;
                throw StoreFailure(Code::invalid, fmt::format("PostgreSQL refuses {}: {}", name_of_row(row), refused.what()));
            }
        }
    }

    std::int64_t session() { return db_.ask("SELECT pg_backend_pid()").integer(0, 0); }

    PostgresOptions options_;
    Connection db_;
    std::int64_t session_ = 0;  // the one that holds the locks
};

}  // namespace

std::unique_ptr<ArchiveTarget> open_postgres_archive(const PostgresOptions& options)
{
    return std::make_unique<PostgresArchive>(options);
}

}  // namespace boxoffice
