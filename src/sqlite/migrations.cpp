#include "sqlite/migrations.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <map>

#include "assets/assets.hpp"
#include "sqlite/explain.hpp"
#include "sqlite/writer_lock.hpp"

namespace boxoffice
{

namespace sqlite
{

namespace
{

constexpr std::string_view kFolder = "migrations/sqlite/";

bool has_table(Connection& db, std::string_view table)
{
    Rows rows = db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", table);
    return rows.next();
}

}  // namespace

const std::vector<Migration>& migrations()
{
    static const std::vector<Migration> all = parse_migrations(assets(), kFolder);  // assets() is ordered by name
    return all;
}

std::vector<MigrationState> migration_states(Connection& db)
{
    std::map<std::string, std::string> applied;  // version -> checksum; empty when dbmate applied it
    if (has_table(db, "schema_migrations")) {
        for (Rows rows = db.query("SELECT version FROM schema_migrations"); rows.next();) applied.emplace(rows.text(0), "");
    }
    if (has_table(db, "schema_checksums")) {
        for (Rows rows = db.query("SELECT version, checksum FROM schema_checksums"); rows.next();) {
            if (const auto found = applied.find(std::string(rows.text(0))); found != applied.end()) found->second = rows.text(1);
        }
    }
    return boxoffice::migration_states(migrations(), std::move(applied));
}

}  // namespace sqlite

namespace
{
constexpr const char* kChecksums =
    "CREATE TABLE IF NOT EXISTS schema_checksums (version TEXT PRIMARY KEY, checksum TEXT NOT NULL) STRICT";

/// All rows of a table; of a column those that hold something else than each new row does.
std::int64_t count_lost(sqlite::Connection& db, const Dropped& dropped)
{
    if (!sqlite::has_table(db, dropped.table)) return 0;
    std::string sql = "SELECT count(*) FROM " + dropped.table;
    if (!dropped.column.empty()) {
        sqlite::Rows columns =
            db.query("SELECT dflt_value FROM pragma_table_info(?1) WHERE name = ?2", dropped.table, dropped.column);
        if (!columns.next()) return 0;
        sql += " WHERE " + dropped.column + " IS NOT " + (columns.null(0) ? "NULL" : "(" + std::string(columns.text(0)) + ")");
    }
    sqlite::Rows rows = db.query(sql);
    return rows.next() ? rows.integer(0) : 0;
}
}  // namespace

class SqliteMigrator::Self
{
public:
    explicit Self(const std::filesystem::path& file) : lock(file), db(sqlite::writable(file), sqlite::Access::read_write)
    {
        sqlite::refuse_foreign(db, file);
        db.script("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    }

    template <class Work>
    void in_transaction(const Work& work)
    {
        db.script("BEGIN IMMEDIATE");
        try {
            work();
            db.script("COMMIT");
        } catch (...) {
            if (db.in_transaction()) sqlite3_exec(db.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
            throw;
        }
    }

    sqlite::WriterLock lock;
    sqlite::Connection db;
};

SqliteMigrator::SqliteMigrator(const std::filesystem::path& file)
    : file_(file), self_(sqlite::explained(file, [&] { return std::make_unique<Self>(file); }))
{
}
SqliteMigrator::~SqliteMigrator() = default;

std::vector<MigrationState> SqliteMigrator::status()
{
    return sqlite::explained(file_, [&] { return sqlite::migration_states(self_->db); });
}

std::vector<MigrationState> sqlite_migration_states(const std::filesystem::path& file)
{
    return sqlite::explained(file, [&] {
        sqlite::Connection db(file, sqlite::Access::read_only);
        sqlite::refuse_foreign(db, file);
        return sqlite::migration_states(db);
    });
}

void SqliteMigrator::in_transaction(const std::function<void()>& work)
{
    sqlite::explained(file_, [&] { self_->in_transaction(work); });
}

std::vector<std::string> SqliteMigrator::up()
{
    std::vector<std::string> done;
    const std::vector<MigrationState> states = status();
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (states[i].applied) continue;
        const Migration& migration = sqlite::migrations()[i];
        // Outside of one it may come a second time, after a failure between it and its note.
        if (!migration.up_in_transaction) self_->db.script(migration.up);
        in_transaction([&] {
            self_->db.script("CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(128) PRIMARY KEY)");
            self_->db.script(kChecksums);
            if (migration.up_in_transaction) self_->db.script(migration.up);
            self_->db.execute("INSERT INTO schema_migrations (version) VALUES (?1)", migration.version);
            self_->db.execute("INSERT OR REPLACE INTO schema_checksums (version, checksum) VALUES (?1, ?2)", migration.version,
                              migration.checksum);
        });
        done.push_back(migration.name);
    }
    return done;
}

std::vector<std::string> SqliteMigrator::losses()
{
    std::vector<std::string> losses;
    const std::vector<MigrationState> states = status();
    for (std::size_t i = states.size(); i-- > 0;) {
        if (!states[i].applied) continue;
        for (const Dropped& dropped : dropped_by(sqlite::migrations()[i].down)) {
            if (const std::int64_t rows = count_lost(self_->db, dropped); rows > 0) losses.push_back(name_of_loss(dropped, rows));
        }
        break;
    }
    return losses;
}

std::optional<std::string> SqliteMigrator::down()
{
    const std::vector<MigrationState> states = status();
    for (std::size_t i = states.size(); i-- > 0;) {
        if (!states[i].applied) continue;
        const Migration& migration = sqlite::migrations()[i];
        if (!migration.down_in_transaction) self_->db.script(migration.down);
        in_transaction([&] {
            if (migration.down_in_transaction) self_->db.script(migration.down);
            self_->db.execute("DELETE FROM schema_migrations WHERE version = ?1", migration.version);
            self_->db.script(kChecksums);  // missing where dbmate applied the migration
            self_->db.execute("DELETE FROM schema_checksums WHERE version = ?1", migration.version);
        });
        return migration.name;
    }
    return std::nullopt;
}

}  // namespace boxoffice
