/* The program's own fdatasync(), for the sake of LMDB's: see writeback.h. All
 * other callers get what they would without it.
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "writeback.h"

static pthread_once_t is_found = PTHREAD_ONCE_INIT;
static int (*next_fdatasync)(int);

static void
find_next(void)
{
    /* As POSIX has it: ISO C knows no such cast. */
    *(void **)&next_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
}

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
    pthread_once(&is_found, find_next);
    if (next_fdatasync == NULL) {
        errno = ENOSYS;
        return -1;
    }
    return writeback(fd) == 0 ? next_fdatasync(fd) : -1;
}
