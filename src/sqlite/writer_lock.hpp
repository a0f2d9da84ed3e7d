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

    /// Which process has it, in words for a message; nothing when none does.
    [[nodiscard]] static std::optional<std::string> holder(const std::filesystem::path& file);

private:
    int descriptor_ = -1;
};

}  // namespace boxoffice::sqlite
