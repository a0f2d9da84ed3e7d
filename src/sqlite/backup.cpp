#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "sqlite/explain.hpp"
#include "sqlite/files.hpp"
#include "sqlite/sqlite.hpp"

namespace boxoffice
{

namespace
{

using namespace sqlite;

[[noreturn]] void refuse_taken(const std::filesystem::path& to)
{
    throw StoreFailure(Code::invalid, to.string() + " already exists; choose another name");
}

/// A file of this backup's own beside the name it is to have, so that two at a time never write into one. Gone with the object.
class Unnamed
{
public:
    explicit Unnamed(const std::filesystem::path& to) : path_(to.string() + ".part-XXXXXX")
    {
        descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
        if (descriptor_ < 0) {
            throw StoreFailure(Code::storage_failed,
                               fmt::format("{} cannot be written: {}. Name a file in a folder that this user (uid {}) may write "
                                           "to, on a disk with room.",
                                           to.native(), std::generic_category().message(errno), ::geteuid()));
        }
    }
    ~Unnamed()
    {
        ::close(descriptor_);
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
        std::filesystem::remove(path_ + "-journal", ignored);
    }
    Unnamed(const Unnamed&) = delete;
    Unnamed& operator=(const Unnamed&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

    /// Throws StoreFailure when the path leads to another file than the one that was made for this backup.
    void expect_same_file() const
    {
        struct stat made{};
        struct stat found{};
        const bool is_same = ::fstat(descriptor_, &made) == 0 && ::stat(path_.c_str(), &found) == 0 &&
                             made.st_dev == found.st_dev && made.st_ino == found.st_ino;
        if (!is_same) throw StoreFailure(Code::storage_failed, path_ + " was replaced while it was written; try again");
    }

    /// Gives the file its name unless that was taken meanwhile.
    void name(const std::filesystem::path& to) const
    {
        if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
        if (errno == EEXIST) refuse_taken(to);
        // A file system that knows no such rename may know links, which do not replace anything either.
        if (::link(path_.c_str(), to.c_str()) == 0) return;
        if (errno == EEXIST || std::filesystem::exists(to)) refuse_taken(to);
        std::filesystem::rename(path_, to);
    }

private:
    std::string path_;
    int descriptor_ = -1;
};

}  // namespace

void backup_sqlite(const std::filesystem::path& from, const std::filesystem::path& to)
{
    if (!std::filesystem::exists(from)) throw StoreFailure(Code::not_found, from.string() + " does not exist");
    if (std::filesystem::exists(to)) refuse_taken(to);
    const Unnamed part(to);
    explained(from, [&] { copy_store(from, part.path(), to); });
    part.expect_same_file();
    sync_file(part.path());  // durable before it has its name
    part.name(to);
    sync_folder_of(to);
}

}  // namespace boxoffice
