#include "fake_clock.h"

#include <stdatomic.h>
#include <time.h>

#include "clock.h"

static _Atomic uint64_t wall = 1;
static _Atomic uint64_t passed; /* Of monotonic time, at once. */

void
fake_clock_set(uint64_t wall_us)
{
    atomic_store(&wall, wall_us);
}

void
fake_clock_pass(uint64_t us)
{
    atomic_fetch_add(&passed, us);
}

struct wall_time
clock_wall(void)
{
    return (struct wall_time){atomic_load(&wall)};
}

/* How long things take is not faked: the threads wait by it. */
struct mono_time
clock_mono(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct mono_time){(uint64_t)now.tv_sec * 1000000 +
                              (uint64_t)now.tv_nsec / 1000 +
                              atomic_load(&passed)};
}

uint64_t
clock_us_since(struct mono_time from)
{
    return clock_mono().us - from.us;
}
