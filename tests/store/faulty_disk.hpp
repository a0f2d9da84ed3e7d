#pragma once
#include <sqlite3.h>

#include <atomic>
#include <mutex>

namespace boxoffice
{

/// SQLite's own file system with faults to order, for every store opened while it lives. One at a time.
class FaultyDisk
{
public:
    FaultyDisk()
    {
        system() = sqlite3_vfs_find(nullptr);
        vfs_ = *system();
        vfs_.zName = "faulty-disk";
        vfs_.pNext = nullptr;
        vfs_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
            const int code = system()->xOpen(system(), name, file, flags, out);
            if (file->pMethods == nullptr) return code;
            // Made once for each kind of file, whose methods differ: several threads open files at a time.
            static std::once_flag of_stores;
            static std::once_flag of_others;
            if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
                std::call_once(of_stores, [file] {
                    plain() = store_methods() = *file->pMethods;
                    store_methods().xSync = sync;
                    store_methods().xWrite = write;
                });
                file->pMethods = &store_methods();
            } else {
                std::call_once(of_others, [file] {
                    methods() = *file->pMethods;
                    methods().xSync = sync;
                });
                file->pMethods = &methods();
            }
            return code;
        };
        sqlite3_vfs_register(&vfs_, 1);
    }
    ~FaultyDisk()
    {
        mend();
        sqlite3_vfs_unregister(&vfs_);
        sqlite3_vfs_register(system(), 1);
    }
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    /// The `nth` sync from now on fails, once, as the kernel tells of it once.
    static void fail_sync(int nth)
    {
        failed_syncs() = 0;
        syncs_until_failure() = nth;
    }
    [[nodiscard]] static int failed() { return failed_syncs(); }
    /// Writes to the store's file fail, as on a disk that is full; in WAL mode only checkpoints make any.
    static void fill_up() { full() = true; }
    static void mend()
    {
        full() = false;
        syncs_until_failure() = 0;
    }

private:
    static int sync(sqlite3_file* file, int flags)
    {
        if (syncs_until_failure() > 0 && --syncs_until_failure() == 0) {
            ++failed_syncs();
            return SQLITE_IOERR_FSYNC;
        }
        return plain().xSync(file, flags);
    }
    static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at)
    {
        return full() ? SQLITE_FULL : plain().xWrite(file, bytes, count, at);
    }

    static sqlite3_vfs*& system()
    {
        static sqlite3_vfs* system = nullptr;
        return system;
    }
    static sqlite3_io_methods& plain()
    {
        static sqlite3_io_methods methods;
        return methods;
    }
    static sqlite3_io_methods& methods()
    {
        static sqlite3_io_methods methods;
        return methods;
    }
    static sqlite3_io_methods& store_methods()
    {
        static sqlite3_io_methods methods;
        return methods;
    }
    static std::atomic<int>& syncs_until_failure()
    {
        static std::atomic<int> count = 0;
        return count;
    }
    static std::atomic<int>& failed_syncs()
    {
        static std::atomic<int> count = 0;
        return count;
    }
    static std::atomic<bool>& full()
    {
        static std::atomic<bool> full = false;
        return full;
    }

    // Outlives the object, as a store that was opened over it may.
    static inline sqlite3_vfs vfs_{};
};

}  // namespace boxoffice
