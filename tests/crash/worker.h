/* A member of a group that is as bad as members are: it joins, takes and
 * answers events, stalls until its time is over, dies, leaves, answers twice
 * and too late, and writes down all of it for tests/check/check.py. Each
 * runs in a thread of its own.
 */

#ifndef ACTA_TEST_WORKER_H
#define ACTA_TEST_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon.h"

#define WORKER_TIMEOUT_US                                                      \
    UINT64_C(150000) /* The group's time for an answer.                        \
                      */

#define WORKER_REASON "no" /* Why one parks an event. */

/* What all workers of a test look at. */
struct workers {
    const char *group;
    const char *key_tag; /* The group's. */
    atomic_bool calm;    /* They join and acknowledge, and nothing else. */
    atomic_bool stopping;
};

struct worker;

/* Start the worker @number; its notes are in @dir. @workers is shared, the rest
 * is copied.
 */
struct worker *worker_start(const struct daemon *daemon, const char *dir,
                            struct workers *workers, unsigned number,
                            uint64_t seed);

/* Wait for its end, which workers->stopping brings about, and free it. */
void worker_join(struct worker *worker);

#endif
