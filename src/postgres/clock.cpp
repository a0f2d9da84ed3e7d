#include "postgres/clock.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "postgres/connection.hpp"

namespace boxoffice
{

namespace
{

using namespace postgres;

/// The same times as the embedded store's (sqlite/clock.cpp), and with the pace what the planner of suggestions goes by.
std::string accept()
{
    return fmt::format(
        "BEGIN; "
        "UPDATE store_identity SET clock_accepted_at = now(), clock_ticket = coalesce((SELECT max(id) FROM tickets), 0); "
        "UPDATE tickets SET expires_at = now() + (expires_at - created_at), created_at = now() "
        "WHERE status = 0 AND expires_at > now() AND created_at > now(); "
        "UPDATE inventory SET paced_at = now(), popularity = CASE WHEN pace > 0 THEN ln(pace) / ln(2::float8) + "
        "extract(epoch FROM now())::float8 / {} ELSE '-Infinity' END WHERE paced_at > now(); "
        "UPDATE kept_answers SET kept_at = now() WHERE kept_at > now(); "
        "UPDATE outbox SET made_at = least(made_at, now()), due_at = least(due_at, now()) WHERE made_at > now() OR due_at > "
        "now(); "
        "UPDATE store_clock SET latest = least(latest, now()); "
        "UPDATE mails SET until = least(until, now()), sent_at = CASE WHEN sent_at > now() THEN now() ELSE sent_at END "
        "WHERE until > now() OR sent_at > now(); "
        "COMMIT",
        kSalesRateHalfLife / std::chrono::seconds(1));
}

}  // namespace

AcceptedClock accept_clock_postgres(const PostgresOptions& options)
{
    // Its caller holds the database for itself, and a session that writes would ask to share it.
    Connection db(options, Connection::Purpose::read);
    db.connect();
    AcceptedClock accepted;
    const Rows latest = db.ask(kLatestInstant);
    const Instant now = db.ask("SELECT clock_timestamp()").instant(0, 0);
    if (!latest.null(0, 0)) accepted.latest = latest.instant(0, 0);
    // What nodes have told each other counts too; a server that runs tells it to the second.
    const Instant told = db.ask("SELECT latest FROM store_clock").instant(0, 0);
    if (told > now + std::chrono::seconds(2)) accepted.latest = std::max(told, accepted.latest.value_or(told));
    if (!accepted.latest || *accepted.latest <= now) return accepted;
    accepted.holds =
        db.ask("SELECT count(*) FROM tickets WHERE status = 0 AND expires_at > now() AND created_at > now()").integer(0, 0);
    db.script(accept());
    accepted.done = true;
    return accepted;
}

}  // namespace boxoffice
