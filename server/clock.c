#include "clock.h"

#include <assert.h>
#include <time.h>

static uint64_t
read_us(clockid_t clock)
{
    struct timespec now;
    int rc = clock_gettime(clock, &now);

    assert(rc == 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct mono_time
clock_mono(void)
{
    return (struct mono_time){read_us(CLOCK_MONOTONIC)};
}

struct wall_time
clock_wall(void)
{
    return (struct wall_time){read_us(CLOCK_REALTIME)};
}

uint64_t
clock_us_since(struct mono_time from)
{
    return clock_mono().us - from.us;
}
