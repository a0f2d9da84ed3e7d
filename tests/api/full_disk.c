/* Preloaded into a server, this makes its disk full for as long as the file $FULL_DISK_FLAG exists: whatever would write to a
   file below $FULL_DISK_DIR fails with ENOSPC, everything else goes through. And broken while $BROKEN_SYNC_FLAG exists: what is
   written there stays, and that it is on the disk cannot be made sure. And slow while $SLOW_SYNC_FLAG exists: no sync returns. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Whether the file that `variable` names exists, and `fd` is below the folder. */
static int is_struck(int fd, const char* variable)
{
    const char* flag = getenv(variable);
    const char* dir = getenv("FULL_DISK_DIR");
    if (flag == NULL || dir == NULL) return 0;
    const int errno_before = errno;
    int full = 0;
    if (access(flag, F_OK) == 0) {
        char link[64];
        char file[4096];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        const ssize_t length = readlink(link, file, sizeof file - 1);
        if (length > 0) {
            file[length] = '\0';
            full = strncmp(file, dir, strlen(dir)) == 0;
        }
    }
    errno = errno_before;
    return full;
}

/* Finds the function that this one stands before; the detour through void** is how POSIX allows it in ISO C. */
#define NEXT(result, name, ...)                \
    static result (*next)(__VA_ARGS__) = NULL; \
    if (next == NULL) *(void**)(&next) = dlsym(RTLD_NEXT, #name)

static int is_full(int fd) { return is_struck(fd, "FULL_DISK_FLAG"); }

#define REFUSE_WHEN_FULL(fd) \
    if (is_full(fd)) {       \
        errno = ENOSPC;      \
        return -1;           \
    }

ssize_t write(int fd, const void* bytes, size_t count)
{
    NEXT(ssize_t, write, int, const void*, size_t);
    REFUSE_WHEN_FULL(fd)
    return next(fd, bytes, count);
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset)
{
    NEXT(ssize_t, pwrite, int, const void*, size_t, off_t);
    REFUSE_WHEN_FULL(fd)
    return next(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t offset)
{
    NEXT(ssize_t, pwrite64, int, const void*, size_t, off64_t);
    REFUSE_WHEN_FULL(fd)
    return next(fd, bytes, count, offset);
}

ssize_t writev(int fd, const struct iovec* parts, int count)
{
    NEXT(ssize_t, writev, int, const struct iovec*, int);
    REFUSE_WHEN_FULL(fd)
    return next(fd, parts, count);
}

int ftruncate(int fd, off_t length)
{
    NEXT(int, ftruncate, int, off_t);
    REFUSE_WHEN_FULL(fd)
    return next(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    NEXT(int, ftruncate64, int, off64_t);
    REFUSE_WHEN_FULL(fd)
    return next(fd, length);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    NEXT(int, fallocate, int, int, off_t, off_t);
    REFUSE_WHEN_FULL(fd)
    return next(fd, mode, offset, length);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    NEXT(int, posix_fallocate, int, off_t, off_t);
    if (is_full(fd)) return ENOSPC;
    return next(fd, offset, length);
}

static void wait_while_slow(int fd)
{
    while (is_struck(fd, "SLOW_SYNC_FLAG")) usleep(5000);
}

#define FAIL_WHEN_BROKEN(fd)                \
    wait_while_slow(fd);                    \
    if (is_struck(fd, "BROKEN_SYNC_FLAG")) { \
        errno = EIO;                        \
        return -1;                          \
    }

int fsync(int fd)
{
    NEXT(int, fsync, int);
    FAIL_WHEN_BROKEN(fd)
    return next(fd);
}

int fdatasync(int fd)
{
    NEXT(int, fdatasync, int);
    FAIL_WHEN_BROKEN(fd)
    return next(fd);
}
