/* A pause between two looks at what another thread or process does. */

#ifndef ACTA_TEST_NAP_H
#define ACTA_TEST_NAP_H

#include <stdint.h>
#include <time.h>

/* Sleeps for @us microseconds, or less if a signal comes. */
static inline void
nap_us(uint64_t us)
{
    struct timespec pause = {
        .tv_sec = (time_t)(us / 1000000),
        .tv_nsec = (long)(us % 1000000) * 1000,
    };

    nanosleep(&pause, NULL);
}

/* The same for @ms milliseconds. */
static inline void
nap_ms(uint64_t ms)
{
    nap_us(1000 * ms);
}

#endif
