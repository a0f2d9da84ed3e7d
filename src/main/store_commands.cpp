#include <fmt/chrono.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <boost/version.hpp>
#include <cstdio>

#include "app/revive.hpp"
#include "cli/copy_run.hpp"
#include "cli/demo_sales.hpp"
#include "cli/progress.hpp"
#include "cli/version.hpp"
#include "demo/demo.hpp"
#include "main/commands.hpp"
#include "main/parts.hpp"
#include "security/security.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice
{

namespace
{

/// The store in words, without its password.
std::string name_of(const cli::Config& config)
{
    return is_shared(config) ? hide_password(config.postgres_url) : config.database.native();
}

void require_store(const cli::Config& config)
{
    std::error_code error;
    if (is_shared(config) || std::filesystem::exists(config.database, error)) return;
    if (error) {
        throw std::runtime_error(fmt::format(
            "{} cannot be reached: {}. Run this as the user that the server runs as, who owns the data folder (here: uid {}).",
            config.database.native(), error.message(), ::geteuid()));
    }
    throw std::runtime_error(fmt::format("There is no store at {} yet; boxoffice serve makes one.", config.database.native()));
}

/// Of a file that is to be made: that its folder is there.
void require_folder(const std::filesystem::path& file)
{
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    std::error_code error;
    if (std::filesystem::is_directory(folder, error)) return;
    throw std::runtime_error(fmt::format("{} cannot be made: {}. Make the folder first: mkdir -p {}", file.native(),
                                         error ? error.message() : folder.native() + " is not a folder", folder.native()));
}

std::unique_ptr<Migrator> migrator_of(const cli::Config& config)
{
    if (is_shared(config)) return migrate_postgres(postgres_options(config));
    return std::make_unique<SqliteMigrator>(config.database);
}

}  // namespace

int migrate_up(const cli::Config& config)
{
    const auto applied = migrator_of(config)->up();
    for (const std::string& name : applied) fmt::print("applied {}\n", name);
    if (applied.empty()) fmt::print("Nothing to apply: {} is up to date.\n", name_of(config));
    return 0;
}

int migrate_down(const cli::Config& config)
{
    require_store(config);
    const auto migrator = migrator_of(config);
    if (const auto losses = migrator->losses(); !losses.empty() && !config.yes) {
        throw std::runtime_error(
            fmt::format("Undoing the last migration of {} loses {}. Take a backup; then, if that is what you "
                        "want: boxoffice migrate down --yes",
                        name_of(config), fmt::join(losses, ", ")));
    }
    const auto undone = migrator->down();
    fmt::print("{}\n", undone ? "undid " + *undone : "Nothing to undo: no migration is applied.");
    return 0;
}

int migrate_status(const cli::Config& config)
{
    require_store(config);
    const auto states = is_shared(config) ? migrator_of(config)->status() : sqlite_migration_states(config.database);
    for (const MigrationState& state : states) fmt::print("[{}] {}\n", state.applied ? 'x' : ' ', state.name);
    return 0;
}

int play_demo(const cli::Config& config)
{
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    const auto first_day = config.demo_from.value_or(today);
    const auto zones = make_zones();
    const auto store = is_shared(config) ? open_postgres(postgres_options(config), *zones)
                                         : open_sqlite({.file = config.database, .readers = 1}, *zones);
    EventQuery any;
    any.limit = 1;
    const std::int64_t there = store->list_events(any).total;
    if (there > 0 && !config.demo_add) {
        throw std::runtime_error(fmt::format("{} already has {} events; give --add to add to them.", name_of(config), there));
    }
    const auto catalogue = demo::make_catalogue({.events = config.demo_events, .seed = config.demo_seed, .first_day = first_day});

    // A day's distance, because the first day begins up to 14 hours earlier in the east; and never in the future, because
    // the server's clock goes on from the latest row.
    const Instant before = std::min(first_day, today) - std::chrono::days(1);
    cli::Progress bar("acts");
    const auto totals =
        cli::play_catalogue(*store, catalogue, before, [&bar](std::int64_t done, std::int64_t total) { bar.show(done, total); });
    fmt::print("Wrote {} events, {} people and {} paid tickets to {} (seed {}).\n", totals.events, totals.people, totals.tickets,
               name_of(config), config.demo_seed);
    return 0;
}

namespace
{

std::string moment(Instant instant)
{
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", std::chrono::floor<std::chrono::seconds>(instant));
}

/// Holds the store of several machines for itself; in words that fit any command.
std::unique_ptr<ArchiveTarget> alone_with(const PostgresOptions& options)
{
    try {
        return open_postgres_archive(options);
    } catch (const StoreFailure& failure) {
        if (failure.code() != Code::busy) throw;
        throw StoreFailure(Code::busy, "A boxoffice server, worker or copy uses this database; stop all of them first.");
    }
}

void accept_clock(const cli::Config& config)
{
    const auto alone = is_shared(config) ? alone_with(postgres_options(config)) : nullptr;
    const AcceptedClock accepted =
        is_shared(config) ? accept_clock_postgres(postgres_options(config)) : accept_clock_sqlite(config.database, system_now());
    if (!accepted.done) {
        fmt::print("The clock is not behind the store: there is nothing to accept.\n");
        return;
    }
    fmt::print("Accepted the clock, which says {}: that of the newest ticket, {}, is taken for wrong.\n", moment(system_now()),
               moment(*accepted.latest));
    if (accepted.holds > 0) fmt::print("{} holds of that time have been given their length anew from now on.\n", accepted.holds);
}

int restore_shared(const cli::Config& config)
{
    if (!config.restore_from.empty()) {
        throw std::runtime_error(
            "A PostgreSQL store takes a backup back by its own tools (pg_restore): do that first, then the same without FILE.");
    }
    const auto store = alone_with(postgres_options(config));
    const Revived revived = revive(*store, system_now());
    fmt::print("Another life of {} has begun: ids go on above {}, and all people have to log in again.\n", name_of(config),
               revived.ids_after);
    return 0;
}

}  // namespace

int restore(const cli::Config& config)
{
    if (is_shared(config)) return restore_shared(config);
    if (config.restore_from.empty()) throw std::runtime_error("Say which backup to put back: boxoffice restore FILE.");
    const RestoredStore restored = restore_sqlite(config.restore_from, config.database, system_now());
    for (const std::string& name : restored.migrations) fmt::print("applied {}\n", name);
    fmt::print("Restored {} from {}: {} people, {} events, {} tickets{}.\n", config.database.native(),
               config.restore_from.native(), restored.users, restored.events, restored.tickets,
               restored.latest ? "; the newest is of " + moment(*restored.latest) : std::string());
    fmt::print("Ids go on above {}, and all people have to log in again.\n", restored.ids_after);
    if (!restored.kept.empty()) fmt::print("The store that was there before is {} now.\n", restored.kept.native());
    for (const Finding& finding : restored.findings) fmt::print("✗ {}: {}\n", finding.what, finding.detail);
    return 0;
}

int doctor(const cli::Config& config)
{
    require_store(config);
    if (config.accept_clock) accept_clock(config);
    auto findings = is_shared(config) ? examine_postgres(postgres_options(config), system_now())
                                      : examine_sqlite(config.database, system_now());
    if (!config.redis_url.empty()) {
        for (Finding& finding : examine_redis(redis_options(config))) findings.push_back(std::move(finding));
    }
    for (const Finding& finding : findings) {
        fmt::print("{} {}{}{}\n", finding.good ? "✓" : "✗", finding.what, finding.detail.empty() ? "" : ": ", finding.detail);
    }
    return std::all_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.good; }) ? 0 : 1;
}

int backup(const cli::Config& config)
{
    require_store(config);
    require_folder(config.backup_to);
    backup_sqlite(config.database, config.backup_to);
    fmt::print("Copied {} to {} ({} bytes).\n", config.database.native(), config.backup_to.native(),
               std::filesystem::file_size(config.backup_to));
    return 0;
}

int copy(const cli::Config& config)
{
    const auto source = open_sqlite_archive(config.database);
    const auto target = open_postgres_archive(postgres_options(config));
    const int code = cli::run_copy(*source, *target, config.database.native(), hide_password(config.postgres_url));
    if (const auto writer = writer_of_sqlite(config.database); writer && code == 0) {
        fmt::print(stderr,
                   "boxoffice: {} still sells from the source, and what it has sold since the copy began is not in it. "
                   "Stop it, then run the same command again: only what is new is copied.\n",
                   *writer);
    }
    return code;
}

int print_version()
{
    fmt::print("boxoffice {}\nSQLite {}\nlibpq {}.{}\nBoost {}.{}.{}\n{}\n", cli::version(), sqlite3_libversion(),
               PQlibVersion() / 10'000, PQlibVersion() % 10'000, BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1000,
               BOOST_VERSION % 100, OpenSSL_version(OPENSSL_VERSION));
    return 0;
}

}  // namespace boxoffice
