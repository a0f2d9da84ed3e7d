#include "sqlite/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "sqlite/connection.hpp"

namespace boxoffice::sqlite
{

std::filesystem::path folder_of(const std::filesystem::path& file)
{
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

namespace
{

/// Returns how long the copy has to be.
std::uintmax_t copy_pages(const std::filesystem::path& from, const std::filesystem::path& to)
{
    Connection source(from, Access::read_only);
    Connection target(to, Access::read_write);
    sqlite3_backup* const backup = sqlite3_backup_init(target.handle(), "main", source.handle(), "main");
    if (!backup) throw StoreFailure(Code::storage_failed, sqlite3_errmsg(target.handle()));
    const int stepped = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE || finished != SQLITE_OK)
        throw SqliteError(finished, std::string("the copy failed: ") + sqlite3_errstr(finished));
    target.script("PRAGMA journal_mode=DELETE");
    Rows size = target.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    return size.next() ? static_cast<std::uintmax_t>(size.integer(0)) : 0;
}

}  // namespace

void copy_store(const std::filesystem::path& from, const std::filesystem::path& to)
{
    const std::uintmax_t expected = copy_pages(from, to);
    // SQLite's word alone is not enough: what counts is what the file system has under this name.
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(to, error);
    if (error || size != expected) {
        throw StoreFailure(Code::storage_failed,
                           "the copy of " + from.native() + " is not whole in " + to.native() + ": " +
                               (error ? error.message() : std::to_string(size) + " of " + std::to_string(expected) + " bytes"));
    }
}

void sync_file(const std::filesystem::path& file)
{
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) throw StoreFailure(Code::storage_failed, file.native() + " could not be synced to disk");
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
