/* The clock, in place of server/clock.c: wall time is what a test sets, and
 * monotonic time goes on by itself, but can be moved ahead.
 */

#ifndef ACTA_TEST_FAKE_CLOCK_H
#define ACTA_TEST_FAKE_CLOCK_H

#include <stdint.h>

/* What clock_wall() tells from now on, on any thread. */
void fake_clock_set(uint64_t wall_us);

/* So long passes at once, by clock_mono(). */
void fake_clock_pass(uint64_t us);

#endif
