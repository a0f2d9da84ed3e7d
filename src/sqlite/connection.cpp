#include "sqlite/connection.hpp"

#include <utility>

namespace boxoffice::sqlite
{

namespace
{

Code code_of(int extended_code)
{
    switch (extended_code & 0xff) {
        case SQLITE_FULL:
            return Code::storage_full;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_INTERRUPT:  // a read that is wanted no more, see StillWanted, or that kept the log from being cut
            return Code::busy;
        case SQLITE_IOERR:
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
            return Code::storage_failed;
        default:
            return Code::internal;
    }
}

[[noreturn]] void fail(sqlite3* handle, std::string_view doing)
{
    const int code = sqlite3_extended_errcode(handle);
    throw SqliteError(code, std::string(doing) + ": " + sqlite3_errmsg(handle) + " (SQLite code " + std::to_string(code) + ")");
}

/// SQLite takes "file:a.db?mode=memory", ":memory:" and "" for something else than files of those names, the first where it was
/// built so. With a folder in front every name is a name.
std::filesystem::path with_folder(const std::filesystem::path& file)
{
    return file.is_absolute() ? file : std::filesystem::path(".") / file;
}

}  // namespace

SqliteError::SqliteError(int extended_code, const std::string& detail)
    : StoreFailure(code_of(extended_code), detail), extended_code_(extended_code)
{
}

Rows::~Rows()
{
    if (statement_) {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
}

bool Rows::next()
{
    switch (sqlite3_step(statement_)) {
        case SQLITE_ROW:
            return true;
        case SQLITE_DONE:
            return false;
        default:
            fail(sqlite3_db_handle(statement_), sqlite3_sql(statement_));
    }
}

std::string_view Rows::text(int column) const
{
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
                 : std::string_view();
}

Connection::Connection(const std::filesystem::path& file, Access access)
{
    const int flags =
        SQLITE_OPEN_NOMUTEX | (access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (sqlite3_open_v2(with_folder(file).c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
        const std::string why = handle_ ? sqlite3_errmsg(handle_) : "out of memory";
        const int code = handle_ ? sqlite3_extended_errcode(handle_) : SQLITE_NOMEM;
        sqlite3_close(handle_);
        throw SqliteError(code, "cannot open " + file.string() + ": " + why);
    }
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, kBusyMs);
    // Only the writer ever checkpoints, and it says when (writer.cpp).
    try {
        script("PRAGMA foreign_keys=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0");
    } catch (...) {
        sqlite3_close_v2(handle_);
        throw;
    }
}

Connection::~Connection()
{
    statements_.clear();
    sqlite3_close_v2(handle_);
}

void Connection::script(const std::string& sql)
{
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(handle_, sql.substr(0, 80));
}

sqlite3_stmt* Connection::prepared(std::string_view sql)
{
    if (const auto found = statements_.find(sql); found != statements_.end()) return found->second.get();
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
        SQLITE_OK) {
        fail(handle_, sql);
    }
    StatementPtr owned(statement);  // before anything may run out of memory
    statements_.emplace(std::string(sql), std::move(owned));
    return statement;
}

void Connection::bind(sqlite3_stmt* statement, int position, std::int64_t value)
{
    if (sqlite3_bind_int64(statement, position, value) != SQLITE_OK) fail(sqlite3_db_handle(statement), sqlite3_sql(statement));
}

void Connection::bind(sqlite3_stmt* statement, int position, double value)
{
    if (sqlite3_bind_double(statement, position, value) != SQLITE_OK) fail(sqlite3_db_handle(statement), sqlite3_sql(statement));
}

void Connection::bind(sqlite3_stmt* statement, int position, std::string_view value)
{
    // STATIC: every caller's text outlives its Rows. An empty view may have no address, which SQLite would read as NULL.
    const char* bytes = value.data() ? value.data() : "";
    if (sqlite3_bind_text64(statement, position, bytes, value.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK) {
        fail(sqlite3_db_handle(statement), sqlite3_sql(statement));
    }
}

void Connection::bind(sqlite3_stmt* statement, int position, std::nullptr_t)
{
    if (sqlite3_bind_null(statement, position) != SQLITE_OK) fail(sqlite3_db_handle(statement), sqlite3_sql(statement));
}

Snapshot::~Snapshot()
{
    // A read transaction has nothing to lose: a failure to end it shows at the next BEGIN. But an interrupt that was meant for
    // the query may come late and hit this, and must not leave the connection in the past.
    while (sqlite3_exec(db_.handle(), "COMMIT", nullptr, nullptr, nullptr) == SQLITE_INTERRUPT) {}
}

}  // namespace boxoffice::sqlite
