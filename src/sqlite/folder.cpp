#include "sqlite/folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/ports.hpp"

namespace boxoffice::sqlite
{

std::filesystem::path folder_of(const std::filesystem::path& file)
{
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
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
