#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace boxoffice::sqlite
{

/// One process writes to a store at a time: SQLite itself would let two, and two that checkpoint can corrupt the file.
/// An advisory lock on FILE.lock, which the kernel drops with the process, however it ends.
class WriterLock
{
public:
    /// Makes the folder when it is missing. Throws StoreFailure busy, naming the process that has it, or storage_failed.
    explicit WriterLock(const std::filesystem::path& file);
    ~WriterLock();
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;

    /// Removes the file of the lock where this has made it: for a command that leaves everything as it was.
    void discard() noexcept;

    /// Which process has it, in words for a message; nothing when none does.
    [[nodiscard]] static std::optional<std::string> holder(const std::filesystem::path& file);

private:
    void open();

    std::string path_;
    int descriptor_ = -1;
    bool made_ = false;
};

}  // namespace boxoffice::sqlite
