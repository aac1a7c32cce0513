/* The verdict on an append: expected versions, and ids that are known already.
 *
 * A decision depends on nothing but the append, the time it is given, and what
 * was decided before. It refuses before it changes anything. The writer's
 * thread.
 */

#ifndef ACTA_DECIDE_H
#define ACTA_DECIDE_H

#include <stdint.h>

#include "err.h"
#include "heads.h"
#include "job.h"

struct decider;

/* NULL if there is no memory. The heads stay the caller's. */
struct decider *decider_new(struct heads *heads);
void decider_free(struct decider *decider); /* May be NULL. */

/* Decide @append, which is recorded at @time_us if it is taken: its events are
 * then in the active memtable, which has room for them.
 *
 * The outcome is in the append: OK with its runs, or why it was refused.
 * Refusals are CONFLICT, PARTIAL_REPEAT, ID_REUSED, INVALID; and CORRUPT or
 * MEMORY, if the decision needed what could not be read.
 *
 * Returns OK whatever the verdict is. Anything else is the end of the process:
 * the append is half in the memtable.
 */
enum acta_code decide(struct decider *decider, struct job *append,
                      uint64_t time_us, struct acta_err *err) ACTA_CHECKED;

#endif
