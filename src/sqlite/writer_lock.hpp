#pragma once
#include <filesystem>

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

private:
    int descriptor_ = -1;
};

}  // namespace boxoffice::sqlite
