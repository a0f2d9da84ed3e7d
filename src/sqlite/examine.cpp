#include <fmt/core.h>

#include <system_error>

#include "core/search.hpp"
#include "sqlite/explain.hpp"
#include "sqlite/identity.hpp"
#include "sqlite/log_keeper.hpp"
#include "sqlite/migrations.hpp"
#include "sqlite/reader.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice
{

namespace
{

using namespace sqlite;

/// Less free disk than this is a finding: a minute of the busiest on-sale (90 bytes of file a sale, and the WAL).
constexpr std::uintmax_t kFreeDiskMin = 256ull << 20;

Finding check_pages(Connection& db)
{
    Rows rows = db.query("PRAGMA integrity_check(1)");
    rows.next();
    const std::string said(rows.text(0));
    return {said == "ok", "file integrity", said == "ok" ? "every page and index is sound" : said};
}

Finding check_foreign_keys(Connection& db)
{
    std::int64_t broken = 0;
    for (Rows rows = db.query("PRAGMA foreign_key_check"); rows.next();) ++broken;
    return {broken == 0, "references", broken == 0 ? "every row's owner exists" : fmt::format("{} rows point nowhere", broken)};
}

Finding check_counters(Connection& db)
{
    Rows rows = db.query(
        "SELECT i.event_id, i.sold, ifnull(l.live, 0) FROM inventory i "
        "LEFT JOIN (SELECT event_id, count(*) AS live FROM tickets WHERE status IN (0, 1) GROUP BY event_id) l ON l.event_id = "
        "i.event_id "
        "WHERE i.sold <> ifnull(l.live, 0) OR i.sold > i.total OR i.sold < 0");
    std::int64_t wrong = 0;
    std::string first;
    while (rows.next()) {
        if (wrong++ == 0)
            first = fmt::format("event {}: counter {}, live tickets {}", rows.integer(0), rows.integer(1), rows.integer(2));
    }
    return {wrong == 0, "counters",
            wrong == 0 ? "every event's counter equals its live tickets" : fmt::format("{} wrong; {}", wrong, first)};
}

Finding check_disk(const std::filesystem::path& file)
{
    std::error_code error;
    const auto space = std::filesystem::space(file.parent_path().empty() ? "." : file.parent_path(), error);
    if (error) return {false, "disk", error.message()};
    return {space.available >= kFreeDiskMin, "disk", fmt::format("{} MiB free", space.available >> 20)};
}

Finding check_log(const std::filesystem::path& file)
{
    std::error_code error;
    const auto size = std::filesystem::file_size(file.string() + "-wal", error);
    const std::int64_t bytes = error ? 0 : static_cast<std::int64_t>(size);
    const std::string worry = worry_of_log(bytes);
    return {worry.empty(), "write-ahead log", worry.empty() ? fmt::format("{} MiB", bytes >> 20) : worry};
}

Finding check_clock(Connection& db, Instant now)
{
    const auto latest = latest_instant(db);
    if (!latest || *latest <= now) return {true, "clock", "not behind the newest ticket"};
    const auto behind = std::chrono::duration_cast<std::chrono::seconds>(*latest - now).count();
    return {
        false, "clock",
        fmt::format("{} s behind the newest ticket: it was set back, or was ahead once, or the store comes from elsewhere; if "
                    "it is right now: boxoffice doctor --accept-clock",
                    behind)};
}

Finding check_outbox(Connection& db)
{
    const OutboxCounts counts = sqlite::outbox_counts(db);
    if (counts.dead == 0) return {true, "outbox", fmt::format("{} effects wait, none is dead", counts.waiting)};
    return {false, "outbox", fmt::format("{} effects are dead; the newest because: {}", counts.dead, counts.last_why)};
}

/// Nothing to act on: these accounts work. But their owners may ask why.
Finding check_mailboxes(Connection& db)
{
    Rows rows = db.query("SELECT id, email, mailbox_of FROM users WHERE mailbox_of IS NOT NULL ORDER BY mailbox_of, id");
    std::string all;
    while (rows.next()) all += name_shared_mailbox(rows.integer(0), rows.text(1), rows.integer(2));
    return shared_mailboxes(all);
}

}  // namespace

std::vector<Finding> examine_sqlite(const std::filesystem::path& file, Instant now)
{
    if (!std::filesystem::exists(file)) return {{false, "store", file.string() + " does not exist"}};
    std::vector<Finding> findings;
    try {
        Connection db(file, Access::read_only);
        refuse_foreign(db, file);
        findings.push_back(examine_migrations([&] { return explained(file, [&] { return migration_states(db); }); }));
        findings.push_back(check_disk(file));
        findings.push_back(check_log(file));
        const Snapshot snapshot(db);
        findings.push_back(check_pages(db));
        if (findings.front().good) {
            findings.push_back(check_foreign_keys(db));
            findings.push_back(check_counters(db));
            findings.push_back(check_clock(db, now));
            findings.push_back(check_outbox(db));
            findings.push_back(check_mailboxes(db));
        }
    } catch (const SqliteError& error) {
        findings.push_back({false, "store", explain(file, error)});
    } catch (const StoreFailure& failure) {
        findings.push_back({false, "store", failure.what()});
    }
    return findings;
}

}  // namespace boxoffice
