/* Preloaded into a server, makes every disk sync take longer by BOXOFFICE_SLOW_SYNC_US microseconds (1000): the virtual
 * disk of a development machine often answers a sync from its host's memory, and a real one does not. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void dawdle(void)
{
    const char *text = getenv("BOXOFFICE_SLOW_SYNC_US");
    long us = text ? strtol(text, NULL, 10) : 1000;
    if (us < 0 || us > 1000000) us = 1000;
    struct timespec left = {us / 1000000, (us % 1000000) * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

int fsync(int fd)
{
    dawdle();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    dawdle();
    return (int)syscall(SYS_fdatasync, fd);
}
