#include <fmt/format.h>

#include <cmath>

#include "core/search.hpp"
#include "postgres/migrations.hpp"
#include "postgres/postgres.hpp"

namespace boxoffice
{

namespace
{

using namespace postgres;

Finding check_versions(Connection& db)
{
    const Rows rows = db.ask("SELECT current_setting('server_version'), postgis_lib_version()");
    return {true, "versions", fmt::format("PostgreSQL {}, PostGIS {}", rows.text(0, 0), rows.text(0, 1))};
}

/// Settings that make "paid" mean less than on the disk.
Finding check_durability(Connection& db)
{
    const Rows rows = db.ask(
        "SELECT name, setting FROM pg_settings WHERE (name IN ('fsync', 'full_page_writes') AND setting = 'off') "
        "OR (name = 'synchronous_commit' AND setting IN ('off')) ORDER BY name");
    if (rows.count() == 0) return {true, "durability", "a commit is on the disk before it is acknowledged"};
    std::string off;
    for (int row = 0; row < rows.count(); ++row)
        off += fmt::format("{}{} = {}", row == 0 ? "" : ", ", rows.text(row, 0), rows.text(row, 1));
    return {false, "durability", off + ": a crash of the server can lose acknowledged tickets"};
}

Finding check_counters(Connection& db)
{
    const Rows rows = db.ask(
        "SELECT i.event_id, i.sold, coalesce(l.live, 0) FROM inventory i LEFT JOIN (SELECT event_id, count(*) AS live FROM "
        "tickets "
        "WHERE status IN (0, 1) GROUP BY event_id) l ON l.event_id = i.event_id WHERE i.sold <> coalesce(l.live, 0)");
    if (rows.count() == 0) return {true, "counters", "every event's counter equals its live tickets"};
    return {false, "counters",
            fmt::format("{} wrong; event {}: counter {}, live tickets {}", rows.count(), rows.integer(0, 0), rows.integer(0, 1),
                        rows.integer(0, 2))};
}

Finding check_sold_out(Connection& db)
{
    const std::int64_t wrong = db.ask(
                                     "SELECT count(*) FROM inventory i FULL JOIN sold_out s ON s.event_id = i.event_id "
                                     "WHERE (s.event_id IS NULL) = coalesce(i.sold >= i.total, false)")
                                   .integer(0, 0);
    return {wrong == 0, "sold out",
            wrong == 0 ? "searches leave out exactly the events without a seat"
                       : fmt::format("searches are wrong about {} events", wrong)};
}

Finding check_references(Connection& db)
{
    const std::int64_t broken =
        db.ask(
              "SELECT count(*) FROM tickets t WHERE NOT EXISTS (SELECT 1 FROM inventory i WHERE i.event_id = t.event_id) "
              "OR NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.user_id)")
            .integer(0, 0);
    return {broken == 0, "references",
            broken == 0 ? "every ticket's event and holder exist" : fmt::format("{} tickets point nowhere", broken)};
}

Finding check_indexes(Connection& db)
{
    const Rows rows =
        db.ask("SELECT c.relname::text FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE NOT x.indisvalid");
    if (rows.count() == 0) return {true, "indexes", "all valid"};
    return {false, "indexes", fmt::format("{} is not valid: REINDEX INDEX {}", rows.text(0, 0), rows.text(0, 0))};
}

Finding check_outbox(Connection& db)
{
    const Rows rows = db.ask(
        "SELECT count(*) FILTER (WHERE dead_at IS NULL), count(*) FILTER (WHERE dead_at IS NOT NULL), "
        "coalesce((SELECT why FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at DESC LIMIT 1), '') FROM outbox");
    const std::int64_t dead = rows.integer(0, 1);
    if (dead == 0) return {true, "outbox", fmt::format("{} effects wait, none is dead", rows.integer(0, 0))};
    return {false, "outbox", fmt::format("{} effects are dead; the newest because: {}", dead, rows.text(0, 2))};
}

Finding check_clock(Connection& db, Instant now)
{
    const auto apart = std::chrono::duration<double>(db.ask("SELECT clock_timestamp()").instant(0, 0) - now).count();
    // The store's clock is the one that counts; a difference confuses only those who compare logs.
    constexpr double kApartMax = 5;
    return {std::abs(apart) < kApartMax, "clock",
            std::abs(apart) < kApartMax
                ? "this machine and the database agree"
                : fmt::format("the database is {:.0f} s {} this machine", std::abs(apart), apart > 0 ? "ahead of" : "behind")};
}

/// Nothing to act on: these accounts work. But their owners may ask why.
Finding check_mailboxes(Connection& db)
{
    const Rows rows = db.ask("SELECT id, email, mailbox_of FROM users WHERE mailbox_of IS NOT NULL ORDER BY mailbox_of, id");
    std::string all;
    for (int row = 0; row < rows.count(); ++row)
        all += name_shared_mailbox(rows.integer(row, 0), rows.text(row, 1), rows.integer(row, 2));
    return shared_mailboxes(all);
}

}  // namespace

std::vector<Finding> examine_postgres(const PostgresOptions& options, Instant now)
{
    std::vector<Finding> findings;
    try {
        PostgresOptions patient = options;
        patient.statement_timeout = std::chrono::minutes(10);  // it counts every ticket
        Connection db(patient, Connection::Purpose::read);
        findings.push_back(examine_migrations([&] { return migration_states(db); }));
        findings.push_back(check_durability(db));
        if (!findings.front().good) return findings;
        findings.push_back(check_versions(db));
        findings.push_back(check_counters(db));
        findings.push_back(check_sold_out(db));
        findings.push_back(check_references(db));
        findings.push_back(check_indexes(db));
        findings.push_back(check_outbox(db));
        findings.push_back(check_mailboxes(db));
        findings.push_back(check_clock(db, now));
    } catch (const StoreFailure& failure) {
        findings.push_back({false, "store", failure.what()});
    }
    return findings;
}

}  // namespace boxoffice
