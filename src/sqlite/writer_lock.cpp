#include "sqlite/writer_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "core/ports.hpp"

namespace boxoffice::sqlite
{

WriterLock::WriterLock(const std::filesystem::path& file)
{
    std::error_code error;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
    const std::string path = file.string() + ".lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0)
        throw StoreFailure(Code::storage_failed,
                           "cannot write in " + file.parent_path().string() + ": " + std::generic_category().message(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        char owner[32] = {};
        const auto length = ::pread(descriptor_, owner, sizeof owner - 1, 0);
        ::close(descriptor_);
        throw StoreFailure(
            Code::busy, file.string() + " is in use by another boxoffice process" +
                            (length > 0 ? " (pid " + std::string(owner, static_cast<std::size_t>(length)) + ")" : std::string()) +
                            "; stop it first");
    }
    const std::string pid = std::to_string(::getpid());
    // The pid only serves the message above; a disk too full for it takes nothing from the lock.
    if (::ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
        const auto written = ::pwrite(descriptor_, pid.data(), pid.size(), 0);
}

WriterLock::~WriterLock() { ::close(descriptor_); }

}  // namespace boxoffice::sqlite
