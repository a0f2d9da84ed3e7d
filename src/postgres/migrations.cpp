#include "postgres/migrations.hpp"

#include <chrono>
#include <map>
#include <thread>

#include "assets/assets.hpp"
#include "postgres/use.hpp"

namespace boxoffice
{

namespace postgres
{

namespace
{

constexpr std::string_view kFolder = "migrations/postgres/";

/// Of the advisory lock that a migrating process holds: "boxoffic" in ASCII, so that no other program uses it.
constexpr std::string_view kLock = "SELECT pg_advisory_lock(7094693417594251619)::text";
constexpr std::string_view kUnlock = "SELECT pg_advisory_unlock(7094693417594251619)";

/// A copy that waits for another one's end uses nothing yet: it must not turn out the one that is under way.
constexpr std::string_view kOthers =
    "SELECT count(*) FROM pg_stat_activity a "
    "WHERE a.datname = current_database() AND a.application_name = 'boxoffice' AND a.pid <> pg_backend_pid() "
    "AND NOT EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.objsubid = 1 "
    "AND l.classid::bigint << 32 | l.objid::bigint = " BOXOFFICE_PG_COPY_LOCK ")";
constexpr std::chrono::milliseconds kMoment{100};
constexpr int kMoments = 30;

/// A session that waits for a table's lock keeps all others waiting behind it: so not for long, but often.
constexpr Micros kLockPatience = std::chrono::seconds(1);
constexpr std::chrono::seconds kLockPause{1};

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(128) PRIMARY KEY);"
    "CREATE TABLE IF NOT EXISTS schema_checksums (version varchar(128) PRIMARY KEY, checksum text NOT NULL)";

bool has_table(Connection& db, std::string_view table)
{
    return db.ask("SELECT to_regclass($1) IS NOT NULL", std::move(Params().text(table))).boolean(0, 0);
}

/// A quoted literal for texts that are this binary's own.
std::string quoted(const std::string& text) { return "'" + text + "'"; }

}  // namespace

const std::vector<Migration>& migrations()
{
    static const std::vector<Migration> all = parse_migrations(assets(), kFolder);  // assets() is ordered by name
    return all;
}

std::vector<MigrationState> migration_states(Connection& db)
{
    std::map<std::string, std::string> applied;
    if (has_table(db, "schema_migrations")) {
        const Rows rows = db.ask("SELECT version::text FROM schema_migrations");
        for (int row = 0; row < rows.count(); ++row) applied.emplace(rows.text(row, 0), "");
    }
    if (has_table(db, "schema_checksums")) {
        const Rows rows = db.ask("SELECT version::text, checksum FROM schema_checksums");
        for (int row = 0; row < rows.count(); ++row) {
            if (const auto found = applied.find(std::string(rows.text(row, 0))); found != applied.end())
                found->second = rows.text(row, 1);
        }
    }
    return boxoffice::migration_states(migrations(), std::move(applied));
}

bool is_alone(Connection& db)
{
    for (int i = 0; db.ask(kOthers).integer(0, 0) > 0; ++i) {
        if (i == kMoments) return false;
        std::this_thread::sleep_for(kMoment);
    }
    return true;
}

bool use_alone(Connection& db)
{
    // A server of the version before shares no lock; it shows by its name alone.
    if (!is_alone(db)) return false;
    for (int i = 0; !db.ask(kUseAlone).boolean(0, 0); ++i) {
        if (i == kMoments) return false;
        std::this_thread::sleep_for(kMoment);
    }
    return true;
}

void end_use_alone(Connection& db) noexcept
{
    try {
        if (db.connected()) (void)db.ask(kEndUseAlone);
    } catch (const std::exception&) {
        db.drop();  // and with the session goes the lock
    }
}

namespace
{

class PostgresMigrator final : public Migrator
{
public:
    explicit PostgresMigrator(const PostgresOptions& options)
        : options_(patient(options)), db_(options_, Connection::Purpose::read)
    {
        db_.connect();
    }

    std::vector<MigrationState> status() override { return migration_states(db_); }

    std::vector<std::string> up() override
    {
        std::vector<std::string> done;
        // Most starts find nothing to do, and need no lock to see it.
        if (count_pending(status()) == 0) return done;
        const Locked locked(db_);
        const std::vector<MigrationState> states = status();
        for (std::size_t i = 0; i < states.size(); ++i) {
            if (states[i].applied) continue;
            const Migration& migration = migrations()[i];
            const std::string note = "INSERT INTO schema_migrations (version) VALUES (" + quoted(migration.version) +
                                     ");INSERT INTO schema_checksums (version, checksum) VALUES (" + quoted(migration.version) +
                                     "," + quoted(migration.checksum) + ")";
            run_migration(migration.up, migration.up_in_transaction, note);
            done.push_back(migration.name);
        }
        return done;
    }

    std::vector<std::string> losses() override
    {
        std::vector<std::string> losses;
        const std::vector<MigrationState> states = status();
        for (std::size_t i = states.size(); i-- > 0;) {
            if (!states[i].applied) continue;
            for (const Dropped& dropped : dropped_by(migrations()[i].down)) {
                if (const std::int64_t rows = count_lost(dropped); rows > 0) losses.push_back(name_of_loss(dropped, rows));
            }
            break;
        }
        return losses;
    }

    std::optional<std::string> down() override
    {
        const Locked locked(db_);
        // A server that runs would go on with a schema that it does not know, and answer errors until it is told otherwise.
        if (!use_alone(db_))
            throw StoreFailure(Code::busy, "A boxoffice server or worker uses this database; stop all of them first.");
        const std::unique_ptr<Connection, decltype(&give_back)> alone(&db_, &give_back);
        const std::vector<MigrationState> states = status();
        for (std::size_t i = states.size(); i-- > 0;) {
            if (!states[i].applied) continue;
            const Migration& migration = migrations()[i];
            run_migration(migration.down, migration.down_in_transaction,
                          "DELETE FROM schema_migrations WHERE version = " + quoted(migration.version) +
                              ";DELETE FROM schema_checksums WHERE version = " + quoted(migration.version));
            return migration.name;
        }
        return std::nullopt;
    }

private:
    /// All rows of a table; of a column those that hold something else than each new row does.
    std::int64_t count_lost(const Dropped& dropped)
    {
        if (!has_table(db_, dropped.table)) return 0;
        std::string sql = "SELECT count(*) FROM " + dropped.table;
        if (!dropped.column.empty()) {
            const Rows column = db_.ask(
                "SELECT coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL') FROM pg_attribute a "
                "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
                "WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped",
                std::move(Params().text(std::string_view(dropped.table)).text(std::string_view(dropped.column))));
            if (column.count() == 0) return 0;
            sql += " WHERE " + dropped.column + " IS DISTINCT FROM (" + std::string(column.text(0, 0)) + ")";
        }
        return db_.ask(sql).integer(0, 0);
    }

    /// The statements and the note of them; together, unless the file says `transaction:false`: then each by itself, and they
    /// must bear being executed once more, because a failure may come between them and their note.
    void run_migration(const std::string& statements, bool in_transaction, const std::string& note)
    {
        const auto give_up = std::chrono::steady_clock::now() + options_.lock_timeout;
        const std::string patience = "SET lock_timeout = " + std::to_string(kLockPatience / std::chrono::milliseconds(1)) + ";";
        const auto retry = [&](const std::string& script) {
            for (;;) {
                try {
                    return db_.script(script);
                } catch (const Refused& refused) {
                    if (refused.state() != "55P03" || std::chrono::steady_clock::now() >= give_up) throw;
                    std::this_thread::sleep_for(kLockPause);
                }
            }
        };
        db_.script(patience);
        if (in_transaction) {
            retry(std::string("BEGIN;") + kTables + ";" + statements + ";" + note + ";COMMIT");
        } else {
            retry(statements);
            retry(std::string("BEGIN;") + kTables + ";" + note + ";COMMIT");
        }
        db_.script("SET lock_timeout = " + std::to_string(options_.lock_timeout / std::chrono::milliseconds(1)));
    }

    static void give_back(Connection* db) { end_use_alone(*db); }

    /// A migration of a large table, or the wait for another node's, takes as long as it takes.
    static PostgresOptions patient(PostgresOptions options)
    {
        options.lock_timeout = std::chrono::minutes(10);
        options.statement_timeout = std::chrono::hours(4);
        return options;
    }

    struct Locked {
        explicit Locked(Connection& connection) : db(connection) { (void)db.ask(kLock); }
        ~Locked()
        {
            try {
                if (db.connected()) (void)db.ask(kUnlock);
            } catch (const std::exception&) {
                db.drop();  // and with the session goes the lock
            }
        }
        Locked(const Locked&) = delete;
        Locked& operator=(const Locked&) = delete;
        Connection& db;
    };

    PostgresOptions options_;
    Connection db_;
};

}  // namespace

}  // namespace postgres

std::unique_ptr<Migrator> migrate_postgres(const PostgresOptions& options)
{
    return std::make_unique<postgres::PostgresMigrator>(options);
}

}  // namespace boxoffice
