#include "clocks.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "task.h"

/* When a run begins: the first of January 2026, more or less. */
#define WALL_BEGIN_US UINT64_C(1767225600000000)

/* Processes are numbered from here by their owners. */
#define PID_BEGIN 1000

#define JUMP_MAX_US UINT64_C(3600000000)

static int64_t wall_offset_us;
static int64_t wall_offset_max_us;

uint64_t
clocks_wall_us(void)
{
    return WALL_BEGIN_US + task_now_ns() / SIM_US + (uint64_t)wall_offset_us;
}

void
clocks_jump(void)
{
    uint64_t by_us = sim_below(JUMP_MAX_US);

    wall_offset_us = sim_once_in(2) ? wall_offset_us + (int64_t)by_us
                                    : wall_offset_us - (int64_t)by_us;
    if (wall_offset_us > wall_offset_max_us) {
        wall_offset_max_us = wall_offset_us;
    }
    sim_say("the clock is set by %lld s", (long long)wall_offset_us / 1000000);
}

void
clocks_mend(void)
{
    wall_offset_us = wall_offset_max_us;
}

SIM_CALL int
clock_gettime(clockid_t clock, struct timespec *time)
{
    uint64_t ns = task_now_ns();

    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        ns = clocks_wall_us() * SIM_US + ns % SIM_US;
    }
    time->tv_sec = (time_t)(ns / SIM_S);
    time->tv_nsec = (long)(ns % SIM_S);
    return 0;
}

SIM_CALL int
gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    uint64_t us = clocks_wall_us();

    (void)zone;
    time->tv_sec = (time_t)(us / 1000000);
    time->tv_usec = (suseconds_t)(us % 1000000);
    return 0;
}

SIM_CALL int
nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)left;
    task_sleep((uint64_t)time->tv_sec * SIM_S + (uint64_t)time->tv_nsec);
    return 0;
}

SIM_CALL ssize_t
getrandom(void *bytes, size_t size, unsigned flags)
{
    (void)flags;
    rnd_bytes(task_rnd(), bytes, size);
    return (ssize_t)size;
}

SIM_CALL pid_t
getpid(void)
{
    return (pid_t)(PID_BEGIN + task_owner());
}

/* Of what is not asked for by name: the clock, by libev, is all that there is.
 */
SIM_CALL long
syscall(long number, ...)
{
    long result = -1;
    va_list arguments;

    va_start(arguments, number);
    if (number == SYS_clock_gettime) {
        clockid_t clock = va_arg(arguments, clockid_t);

        result = clock_gettime(clock, va_arg(arguments, struct timespec *));
    } else {
        errno = ENOSYS;
    }
    va_end(arguments);
    return result;
}
