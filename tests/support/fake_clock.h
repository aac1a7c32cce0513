/* The clock, in place of server/clock.c: wall time is what a test sets. */

#ifndef ACTA_TEST_FAKE_CLOCK_H
#define ACTA_TEST_FAKE_CLOCK_H

#include <stdint.h>

/* What clock_wall() tells from now on, on any thread. */
void fake_clock_set(uint64_t wall_us);

#endif
