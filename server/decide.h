/* The verdict on a job: whether an append is taken or a stream changed.
 *
 * A decision depends on nothing but the job, the time of its entry, and what
 * was decided before. It refuses before it changes anything. The writer's
 * thread.
 *
 * decide.c has the order, and adds events; repeat.c knows what is stored
 * already; judge.c judges versions and conditions; change.c changes streams.
 */

#ifndef ACTA_DECIDE_H
#define ACTA_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "heads.h"
#include "job.h"

struct decider;

/* NULL if there is no memory. The heads stay the caller's. */
struct decider *decider_new(struct heads *heads);
void decider_free(struct decider *decider); /* May be NULL. */

/* A batch begins. */
void decider_begin(struct decider *decider);

/* True if conditions, checks and changes have taken so long that what is
 * decided should be made durable first: others wait for their answers.
 */
bool decider_is_tired(const struct decider *decider);

/* Decide @job as part of the entry that the heads are begun for. If it is
 * taken, its events are in the active memtable, which has room for them, and
 * its rows are set.
 *
 * The outcome is in the job: OK with what was done, or why it was refused.
 * Refusals are CONFLICT, PARTIAL_REPEAT, ID_REUSED, TOMBSTONED, UNDECIDED,
 * NOT_FOUND, INVALID; and CORRUPT or MEMORY, if the decision needed what could
 * not be read.
 *
 * Returns OK whatever the verdict is. Anything else is the end of the process:
 * the job is half done.
 */
enum acta_code decide(struct decider *decider, struct job *job,
                      struct acta_err *err) ACTA_CHECKED;

#endif
