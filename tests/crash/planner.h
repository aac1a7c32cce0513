/* A client that schedules appends, moves some of them and cancels others, and
 * writes down what it asked and was told, for tests/check/check.py.
 * It runs in a thread of its own; what may have been done it sends again.
 */

#ifndef ACTA_TEST_PLANNER_H
#define ACTA_TEST_PLANNER_H

#include <stdint.h>

#include "daemon.h"

#define PLANNER_TYPE "Due" /* Of its events, whose data are the name. */

struct planner_options {
    unsigned number;   /* Of its notes, and in all its names. */
    unsigned count;    /* Schedules. */
    uint64_t first_us; /* From now until the first may be due, */
    uint64_t last_us;  /* and the last. */
    unsigned changes;  /* Moves and cancellations. */
    uint64_t pace_us;  /* Between two of those, at most. */
    uint64_t seed;
};

struct planner;

struct planner *planner_start(const struct daemon *daemon, const char *dir,
                              const struct planner_options *options);

/* Wait until it has planned and changed all. */
void planner_join(struct planner *planner);

/* Microseconds since 1970. */
uint64_t planner_time_us(void);

#endif
