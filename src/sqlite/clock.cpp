#include <fmt/format.h>

#include "sqlite/identity.hpp"
#include "sqlite/sqlite.hpp"
#include "sqlite/writer_lock.hpp"

namespace boxoffice
{

namespace
{

using namespace sqlite;

}  // namespace

AcceptedClock accept_clock_sqlite(const std::filesystem::path& file, Instant now)
{
    (void)SqliteMigrator(file).up();
    const WriterLock lock(file);
    Connection db(file, Access::read_write);
    db.script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    AcceptedClock accepted;
    accepted.latest = latest_instant(db);
    if (!accepted.latest || *accepted.latest <= now) return accepted;
    db.script("BEGIN IMMEDIATE");
    try {
        db.execute("UPDATE store_identity SET clock_accepted_at = ?1, clock_ticket = ifnull((SELECT max(id) FROM tickets), 0)",
                   now);
        // A hold made by the wrong clock keeps its length, from now on; one made before that keeps its deadline.
        accepted.holds = db.execute(
            "UPDATE tickets SET expires_at = ?1 + (expires_at - created_at), created_at = ?1 "
            "WHERE status = 0 AND expires_at > ?1 AND created_at > ?1",
            now);
        // What would otherwise be due, forgotten or paced by that clock.
        db.execute("UPDATE inventory SET paced_at = ?1 WHERE paced_at > ?1", now);
        db.execute("UPDATE kept_answers SET kept_at = ?1 WHERE kept_at > ?1", now);
        db.execute("UPDATE outbox SET made_at = min(made_at, ?1), due_at = min(due_at, ?1) WHERE made_at > ?1 OR due_at > ?1",
                   now);
        db.execute("UPDATE mails SET until = min(until, ?1), sent_at = min(sent_at, ?1) WHERE until > ?1 OR sent_at > ?1", now);
        db.script("COMMIT");
    } catch (...) {
        if (db.in_transaction()) sqlite3_exec(db.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
        throw;
    }
    accepted.done = true;
    return accepted;
}

}  // namespace boxoffice
