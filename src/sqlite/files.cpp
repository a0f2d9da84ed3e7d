#include "sqlite/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "sqlite/connection.hpp"

namespace boxoffice::sqlite
{

std::filesystem::path folder_of(const std::filesystem::path& file)
{
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

void copy_store(const std::filesystem::path& from, const std::filesystem::path& to)
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
