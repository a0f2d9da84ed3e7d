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

namespace
{

/// Of the file itself, whatever links lead to it.
std::string path_of_lock(const std::filesystem::path& file)
{
    std::error_code error;
    const auto real = std::filesystem::weakly_canonical(file, error);
    return (error ? file : real).string() + ".lock";
}

/// "another boxoffice process (pid 17)"; the pid is there as soon as its owner has written it.
std::string owner_of(int descriptor)
{
    char pid[32] = {};
    const auto length = ::pread(descriptor, pid, sizeof pid - 1, 0);
    const std::string name = "another boxoffice process";
    return length > 0 ? name + " (pid " + std::string(pid, static_cast<std::size_t>(length)) + ")" : name;
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& file)
{
    std::error_code error;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
    descriptor_ = ::open(path_of_lock(file).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0)
        throw StoreFailure(Code::storage_failed,
                           "cannot write in " + file.parent_path().string() + ": " + std::generic_category().message(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const std::string owner = owner_of(descriptor_);
        ::close(descriptor_);
        throw StoreFailure(Code::busy, file.string() + " is in use by " + owner + "; stop it first");
    }
    const std::string pid = std::to_string(::getpid());
    // The pid only serves the message above; a disk too full for it takes nothing from the lock.
    if (::ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
        const auto written = ::pwrite(descriptor_, pid.data(), pid.size(), 0);
}

WriterLock::~WriterLock() { ::close(descriptor_); }

std::optional<std::string> WriterLock::holder(const std::filesystem::path& file)
{
    const int descriptor = ::open(path_of_lock(file).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return std::nullopt;
    std::optional<std::string> owner;
    if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0) owner = owner_of(descriptor);
    ::close(descriptor);
    return owner;
}

}  // namespace boxoffice::sqlite
