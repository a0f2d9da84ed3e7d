#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/ports.hpp"

/// SQLite's C interface with owners: a connection, its prepared statements, and rows. One thread at a time each.
namespace boxoffice::sqlite
{

/// How long a connection waits for a lock before it gives up: doctor and backup only ever hold read locks, so
/// a wait of seconds means that another process writes to the file.
inline constexpr int kBusyMs = 5000;

/// What SQLite said, with its extended code; thrown for everything that is not a row, done, or a constraint that
/// the caller asked to be told of.
class SqliteError : public StoreFailure
{
public:
    SqliteError(int extended_code, const std::string& detail);
    [[nodiscard]] int extended_code() const noexcept { return extended_code_; }

private:
    int extended_code_;
};

/// The rows of one running statement. Resets the statement when it goes. Columns count from 0.
class Rows
{
public:
    explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}
    ~Rows();
    Rows(Rows&& other) noexcept : statement_(other.statement_) { other.statement_ = nullptr; }
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    Rows& operator=(Rows&&) = delete;

    bool next();  // false: no more rows
    [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
    [[nodiscard]] double real(int column) const { return sqlite3_column_double(statement_, column); }
    [[nodiscard]] std::string_view text(int column) const;  // until the next call of next()
    [[nodiscard]] bool null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
    [[nodiscard]] Instant instant(int column) const { return Instant(Micros(integer(column))); }

private:
    sqlite3_stmt* statement_;
};

enum class Access : std::uint8_t { read_only, read_write };

class Connection
{
public:
    Connection(const std::filesystem::path& file, Access access);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Runs `sql` with its ?1, ?2 … bound to `values`; the statement is prepared once and kept. Values beyond its last
    /// parameter are left out, so that a listing can offer all its filters and use some.
    template <class... Values>
    Rows query(std::string_view sql, const Values&... values)
    {
        sqlite3_stmt* const statement = prepared(sql);
        Rows rows(statement);
        [[maybe_unused]] const int parameters = sqlite3_bind_parameter_count(statement);
        [[maybe_unused]] int position = 0;
        ((++position <= parameters ? bind(statement, position, values) : void()), ...);
        return rows;
    }

    /// The same for statements without rows; returns how many rows were changed.
    template <class... Values>
    std::int64_t execute(std::string_view sql, const Values&... values)
    {
        Rows rows = query(sql, values...);
        while (rows.next()) {}
        return sqlite3_changes64(handle_);
    }

    void script(const std::string& sql);  // several statements, nothing bound, nothing kept
    [[nodiscard]] std::int64_t last_id() const { return sqlite3_last_insert_rowid(handle_); }
    [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
    [[nodiscard]] sqlite3* handle() const { return handle_; }

private:
    sqlite3_stmt* prepared(std::string_view sql);
    static void bind(sqlite3_stmt* statement, int position, std::int64_t value);
    static void bind(sqlite3_stmt* statement, int position, int value) { bind(statement, position, std::int64_t{value}); }
    static void bind(sqlite3_stmt* statement, int position, double value);
    static void bind(sqlite3_stmt* statement, int position, std::string_view value);
    static void bind(sqlite3_stmt* statement, int position, const std::string& value)
    {
        bind(statement, position, std::string_view(value));
    }
    static void bind(sqlite3_stmt* statement, int position, std::nullptr_t);
    static void bind(sqlite3_stmt* statement, int position, Instant value)
    {
        bind(statement, position, value.time_since_epoch().count());
    }
    template <class Tag>
    static void bind(sqlite3_stmt* statement, int position, Id<Tag> id)
    {
        bind(statement, position, id.value);
    }
    template <class T>
    static void bind(sqlite3_stmt* statement, int position, const std::optional<T>& value)
    {
        if (value)
            bind(statement, position, *value);
        else
            bind(statement, position, nullptr);
    }

    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    using StatementPtr = std::unique_ptr<sqlite3_stmt, Finalize>;

    sqlite3* handle_ = nullptr;
    std::unordered_map<std::string, StatementPtr, TextHash, std::equal_to<>> statements_;
};

/// A read transaction: all queries of its life see one state of the store.
class Snapshot
{
public:
    explicit Snapshot(Connection& db) : db_(db) { db_.execute("BEGIN"); }
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

private:
    Connection& db_;
};

}  // namespace boxoffice::sqlite
