#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/archive.hpp"
#include "core/core.hpp"
#include "core/identity.hpp"
#include "core/job_desk.hpp"

/// The store that several machines share: PostgreSQL 15 or newer with PostGIS 3.3 or newer. Each node executes batches of
/// acts, one transaction a lane at a time; row locks, guarded updates and CHECKs keep nodes from overselling to each other, at
/// READ COMMITTED.
namespace boxoffice
{

struct PostgresOptions {
    std::string url;         // postgresql://user:password@host:port/database?sslmode=…: whatever libpq takes
    unsigned lanes = 2;      // connections that write: one a write lane, and each makes one transaction at a time
    unsigned readers = 4;    // connections that read: as many queries run at once in the server
    unsigned searchers = 1;  // connections for expensive reads, beside them
    Micros search_timeout = std::chrono::seconds(5);  // such a read is broken off after so long
    bool mails = true;                                // false: effects that need mail are not written
    Micros connect_timeout = std::chrono::seconds(5);
    Micros lock_timeout = std::chrono::seconds(5);        // a row that another session has locked for longer ends the transaction
    Micros statement_timeout = std::chrono::seconds(15);  // and so does a statement that runs for longer
    Micros unavailable_max = std::chrono::seconds(20);    // acts wait for a server that restarts for so long, then are refused
    /// A transaction in which this process says nothing for so long is ended by the server: a machine that vanished or was frozen
    /// must not keep an event's row from all others. Between two round trips there are microseconds.
    Micros transaction_silence_max = std::chrono::seconds(10);
    /// A session's plans are made anew after so long. The server itself would keep them until it has counted a table again, a
    /// minute or more: what was planned for empty tables would be done to those that an on-sale has filled.
    Micros plans_for = std::chrono::seconds(1);
    const Arrivals* arrivals = nullptr;  // outlives the store; none: nothing waits outside a batch
};

/// Nothing when the URL can be used, or a sentence about what is wrong with it. Connects to nothing.
[[nodiscard]] std::string why_bad_postgres_url(std::string_view url);
/// The URL with its password replaced by stars, for logs and messages.
[[nodiscard]] std::string hide_password(std::string_view url);

/// Opens the store, applying pending migrations under an advisory lock, so that ten nodes may start at once. Throws
/// StoreFailure with a sentence for the operator.
[[nodiscard]] std::unique_ptr<Store> open_postgres(const PostgresOptions& options, const Zones& zones);

[[nodiscard]] std::unique_ptr<Migrator> migrate_postgres(const PostgresOptions& options);

/// Looks a store over without changing it: versions, migrations, every event's counter against its live tickets, references,
/// the outbox, settings that lose sales (fsync, full_page_writes, synchronous_commit), indexes that are not valid.
[[nodiscard]] std::vector<Finding> examine_postgres(const PostgresOptions& options, Instant now);

/// Has the times that a clock ahead of the database's has left in the store mean nothing any more. Does nothing when no time in
/// the store is later. No server may use it meanwhile: hold open_postgres_archive(). Throws StoreFailure.
AcceptedClock accept_clock_postgres(const PostgresOptions& options);

/// The store's outbox, while servers run or not. Throws StoreFailure with a sentence for the operator.
[[nodiscard]] std::unique_ptr<JobDesk> open_postgres_jobs(const PostgresOptions& options);

/// The store's rows as they lie there, to be copied into. Applies pending migrations first. Throws StoreFailure with a sentence
/// for the operator, busy when a server of ours or another copy uses the database: no other process may, as long as the object
/// lives.
[[nodiscard]] std::unique_ptr<ArchiveTarget> open_postgres_archive(const PostgresOptions& options);

}  // namespace boxoffice
