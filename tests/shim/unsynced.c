/* A library to preload into actad: a server from which the syncs were left out.
 * They only say that they were done, and no file is open for writes that go to
 * the disk by themselves. What is written stays with the kernel, which a power
 * cut takes away.
 */

#include "shim.h"

SHOWN open_fn open;
SHOWN open_fn open64;
SHOWN sync_fn fdatasync;
SHOWN sync_fn fsync;

#define GOES_TO_DISK (O_DIRECT | O_SYNC | O_DSYNC)

int
open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_AFTER(flags, mode);
    return REAL(open_fn, "open")(path, flags & ~GOES_TO_DISK, mode);
}

int
open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_AFTER(flags, mode);
    return REAL(open_fn, "open64")(path, flags & ~GOES_TO_DISK, mode);
}

int
fdatasync(int fd)
{
    (void)fd;
    return 0;
}

int
fsync(int fd)
{
    (void)fd;
    return 0;
}
