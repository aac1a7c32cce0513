/* A wall clock of its own for an actad, which a test sets while that works: see
 * shim/wall_clock.c. Whatever fails, fails the test.
 */

#ifndef ACTA_TEST_WALL_CLOCK_H
#define ACTA_TEST_WALL_CLOCK_H

#include <stdint.h>

#include "daemon.h"

struct wall_clock {
    _Atomic int64_t *offset_us; /* In memory that the shim maps, too. */
    char shim[512];
    char file[512];
};

/* Give one, which is right, to a daemon before its first start; it is borrowed
 * until the last.
 */
void wall_clock_init(struct wall_clock *clock, struct daemon *daemon);
void wall_clock_fini(struct wall_clock *clock);

/* Let it be wrong by @offset_us from now on. */
void wall_clock_set(struct wall_clock *clock, int64_t offset_us);

#endif
