#include "sqlite/explain.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "sqlite/sqlite.hpp"

namespace boxoffice::sqlite
{

namespace
{

constexpr std::string_view kPutBack =
    "Keep a copy of it, then put the last backup in its place; docs/operating.md says how. \"boxoffice doctor\" tells more.";
/// A name or two say whose file it is.
constexpr std::int64_t kTablesNamed = 3;

/// A file of the store that this user may not write.
struct Unwritable {
    std::filesystem::path file;
    int why = 0;
};

/// The first there is: the store, its log, the index of that.
std::optional<Unwritable> find_unwritable(const std::filesystem::path& file)
{
    for (const char* const beside : {"", "-wal", "-shm"}) {
        std::filesystem::path one = file.string() + beside;
        if (::access(one.c_str(), W_OK) == 0) continue;
        if (const int why = errno; why != ENOENT) return Unwritable{std::move(one), why};
    }
    return std::nullopt;
}

std::string denied(const std::filesystem::path& file, std::string_view wanted)
{
    return fmt::format(
        "{} cannot be {} by this user (uid {}). Run boxoffice as the user that owns the file and its folder, or change "
        "their owner or mode.",
        file.native(), wanted, ::geteuid());
}

std::string not_written(const std::filesystem::path& file)
{
    const auto found = find_unwritable(file);
    if (found && found->why == EROFS) {
        return fmt::format("{} lies on a file system that is mounted read-only. Mount it for writing, or name another place.",
                           found->file.native());
    }
    return denied(found ? found->file : file, "written");
}

std::string not_opened(const std::filesystem::path& file)
{
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (error == std::errc::permission_denied) return denied(file, "reached");
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    if (!std::filesystem::exists(folder, error))
        return fmt::format("The folder {} does not exist; make it first.", folder.native());
    if (std::filesystem::exists(status) && ::access(file.c_str(), R_OK) != 0) return denied(file, "read");
    if (::access(folder.c_str(), W_OK | X_OK) != 0) return denied(file, "written beside");
    return fmt::format("{} cannot be opened; look at the disk and at the limit on open files.", file.native());
}

}  // namespace

std::string explain(const std::filesystem::path& file, const SqliteError& error)
{
    const std::string& name = file.native();
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) return fmt::format("{} is a folder; name the file in it.", name);
    switch (error.extended_code() & 0xff) {
        case SQLITE_NOTADB:
            return fmt::format(
                "{} is no boxoffice store: it is not an SQLite database, or damaged from its first page on. If it was one, "
                "put the last backup in its place (docs/operating.md); else name another with --data or --database-url.",
                name);
        case SQLITE_CORRUPT:
            return fmt::format("{} is damaged. {}", name, kPutBack);
        case SQLITE_FULL:
            return fmt::format(
                "The disk that {} lies on is full. Make room and run this again; what was not written whole was undone.", name);
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return not_opened(file);
        case SQLITE_READONLY:
            return not_written(file);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return fmt::format(
                "{} is locked by another program, such as an sqlite3 shell with an open transaction. End that first.", name);
        case SQLITE_IOERR:
            return fmt::format(
                "The disk that {} lies on failed to read or write ({}). Look at the kernel's log, and at its free space.", name,
                sqlite3_errstr(error.extended_code()));
        default:
            return fmt::format("{} cannot be used: {} (SQLite code {}).", name, sqlite3_errstr(error.extended_code()),
                               error.extended_code());
    }
}

void refuse_foreign(Connection& db, const std::filesystem::path& file)
{
    std::string names;
    std::int64_t tables = 0;
    for (Rows rows = db.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                              "ORDER BY name");
         rows.next();) {
        if (rows.text(0) == "schema_migrations") return;
        if (++tables <= kTablesNamed) names += fmt::format("{}{}", names.empty() ? "" : ", ", rows.text(0));
    }
    if (tables == 0) return;
    if (tables > kTablesNamed) names += ", …";
    throw StoreFailure(
        Code::storage_failed,
        fmt::format("{} is another program's database (with the tables {}), and is left as it is. Name another file or "
                    "folder with --data or --database-url sqlite:PATH (of a copy: --from sqlite:PATH).",
                    file.native(), names));
}

std::filesystem::path writable(std::filesystem::path file)
{
    if (find_unwritable(file)) throw StoreFailure(Code::storage_failed, not_written(file));
    return file;
}

}  // namespace boxoffice::sqlite

std::string boxoffice::explain_sqlite(const StoreFailure& failure, const std::filesystem::path& file)
{
    const auto* const error = dynamic_cast<const sqlite::SqliteError*>(&failure);
    return error != nullptr ? sqlite::explain(file, *error) : failure.what();
}
