#include "sqlite/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

#include "sqlite/explain.hpp"

namespace boxoffice::sqlite
{

std::filesystem::path folder_of(const std::filesystem::path& file)
{
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

namespace
{

/// Whether the file that was written to is to blame, and not the one that was read.
bool is_of_target(int extended_code)
{
    switch (extended_code) {
        case SQLITE_IOERR_WRITE:
        case SQLITE_IOERR_FSYNC:
        case SQLITE_IOERR_DIR_FSYNC:
        case SQLITE_IOERR_TRUNCATE:
            return true;
        default:
            break;
    }
    const int code = extended_code & 0xff;
    return code == SQLITE_FULL || code == SQLITE_READONLY || code == SQLITE_CANTOPEN;
}

/// Returns how long the copy has to be. Throws SqliteError where `from` is to blame.
std::uintmax_t copy_pages(const std::filesystem::path& from, const std::filesystem::path& to, const std::filesystem::path& name)
{
    Connection source(from, Access::read_only);
    const auto target = explained(name, [&] { return std::make_unique<Connection>(to, Access::read_write); });
    sqlite3_backup* const backup = sqlite3_backup_init(target->handle(), "main", source.handle(), "main");
    if (!backup) throw StoreFailure(Code::storage_failed, name.native() + ": " + sqlite3_errmsg(target->handle()));
    const int stepped = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE || finished != SQLITE_OK) {
        const int code = finished != SQLITE_OK ? finished : stepped;
        const std::string why = std::string("the copy failed: ") + sqlite3_errstr(code);
        if (!is_of_target(code)) throw SqliteError(code, why);
        const SqliteError error(code, why);
        throw StoreFailure(error.code(), explain(name, error));
    }
    return explained(name, [&] {
        target->script("PRAGMA journal_mode=DELETE");
        Rows size = target->query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
        return size.next() ? static_cast<std::uintmax_t>(size.integer(0)) : 0;
    });
}

}  // namespace

void copy_store(const std::filesystem::path& from, const std::filesystem::path& to, const std::filesystem::path& name)
{
    const std::uintmax_t expected = copy_pages(from, to, name);
    // SQLite's word alone is not enough: what counts is what the file system has under this name.
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(to, error);
    if (error || size != expected) {
        throw StoreFailure(
            Code::storage_failed,
            fmt::format("The copy of {} for {} is not whole: {}. Look at the disk, then run this again.", from.native(),
                        name.native(), error ? error.message() : fmt::format("{} of {} bytes", size, expected)));
    }
}

void sync_file(const std::filesystem::path& file)
{
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int why = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) {
        throw StoreFailure(Code::storage_failed,
                           fmt::format("{} could not be synced to disk: {}. Look at the disk, then run this again.",
                                       file.native(), std::generic_category().message(why)));
    }
}

void sync_folder_of(const std::filesystem::path& file)
{
    const std::filesystem::path folder = folder_of(file);
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // Some network file systems know no sync of a folder, and say so by EINVAL.
    const bool synced = descriptor >= 0 && (::fsync(descriptor) == 0 || errno == EINVAL);
    const int why = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced)
        throw StoreFailure(Code::storage_failed, "The folder " + folder.string() + " could not be synced to disk: " +
                                                     std::generic_category().message(why) + ".");
}

}  // namespace boxoffice::sqlite
