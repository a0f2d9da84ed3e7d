#include "sqlite/writer_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
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

bool leads_to(const std::string& path, int descriptor)
{
    struct stat found{};
    struct stat opened{};
    return ::stat(path.c_str(), &found) == 0 && ::fstat(descriptor, &opened) == 0 && found.st_dev == opened.st_dev &&
           found.st_ino == opened.st_ino;
}

}  // namespace

WriterLock::WriterLock(const std::filesystem::path& file)
{
    std::error_code error;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
    path_ = path_of_lock(file);
    for (;;) {
        open();
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
            const std::string owner = owner_of(descriptor_);
            ::close(descriptor_);
            throw StoreFailure(Code::busy, file.string() + " is in use by " + owner + "; stop it first");
        }
        if (leads_to(path_, descriptor_)) break;
        ::close(descriptor_);  // of a file that was discarded meanwhile: whoever comes next would make another
    }
    const std::string pid = std::to_string(::getpid());
    // The pid only serves the message above; a disk too full for it takes nothing from the lock.
    if (::ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
        const auto written = ::pwrite(descriptor_, pid.data(), pid.size(), 0);
}

void WriterLock::open()
{
    constexpr mode_t kOwnersOnly = 0600;
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnersOnly);
    made_ = descriptor_ >= 0;
    if (!made_) descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnersOnly);
    if (descriptor_ >= 0) return;
    throw StoreFailure(Code::storage_failed,
                       fmt::format("{} cannot be written: {}. Run boxoffice as the user that owns the folder (here: uid {}), or "
                                   "name another with --data.",
                                   path_, std::generic_category().message(errno), ::geteuid()));
}

void WriterLock::discard() noexcept
{
    if (made_) ::unlink(path_.c_str());
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
