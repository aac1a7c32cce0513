/* A library to preload into actad: its wall clock is wrong, by as much as a
 * test says at any time.
 *
 * WALL_CLOCK_FILE=path in the environment names a file of 8 bytes, a number of
 * microseconds in the machine's own byte order, that is added to what the
 * kernel says. A test maps the same file and sets the clock there, back and
 * forth. The monotonic clock is left alone, as it is by those who set clocks.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

typedef int clock_gettime_fn(clockid_t clock, struct timespec *time);

static _Atomic int64_t no_offset;
static _Atomic int64_t *offset_us = &no_offset;
static clock_gettime_fn *real_clock_gettime;

SHOWN clock_gettime_fn clock_gettime;
SHOWN int gettimeofday(struct timeval *restrict to, void *restrict zone);
SHOWN time_t time(time_t *to);

__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("WALL_CLOCK_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *map = MAP_FAILED;

    real_clock_gettime =
        (clock_gettime_fn *)(uintptr_t)dlsym(RTLD_NEXT, "clock_gettime");
    if (fd >= 0) {
        map = mmap(NULL, sizeof(*offset_us), PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
    }
    if (map == MAP_FAILED) {
        abort(); /* A clock that is right would prove nothing. */
    }
    offset_us = (_Atomic int64_t *)map;
}

int
clock_gettime(clockid_t clock, struct timespec *to)
{
    int64_t us;
    int rc;

    if (real_clock_gettime == NULL) {
        errno = EAGAIN; /* Before this library is ready. */
        return -1;
    }
    rc = real_clock_gettime(clock, to);
    if (rc == 0 &&
        (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        us = to->tv_sec * INT64_C(1000000) + to->tv_nsec / 1000 +
             atomic_load(offset_us);
        to->tv_nsec = us % 1000000 * 1000 + to->tv_nsec % 1000;
        to->tv_sec = us / 1000000;
    }
    return rc;
}

int
gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return -1;
    }
    to->tv_sec = now.tv_sec;
    to->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t
time(time_t *to)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return -1;
    }
    if (to != NULL) {
        *to = now.tv_sec;
    }
    return now.tv_sec;
}
