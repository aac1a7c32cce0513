/* The verdict on a job: whether an append is taken, a stream or a consumer
 * changed, a lease given.
 *
 * A decision depends on nothing but the job, the times that it is told, and
 * what was decided before. It refuses before it changes anything. The writer's
 * thread.
 *
 * decide.c has the order, and adds events; repeat.c knows what is stored
 * already; judge.c judges versions and conditions, effects.c what an append
 * carries besides events; change.c changes streams, consumer_change.c
 * consumers, lease_change.c leases; due.c has the appends that were scheduled.
 */

#ifndef ACTA_DECIDE_H
#define ACTA_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "heads.h"
#include "job.h"
#include "queue.h"

struct decider;

/* NULL if there is no memory. The heads stay the caller's. */
struct decider *decider_new(struct heads *heads);
void decider_free(struct decider *decider); /* May be NULL. */

/* Take up what the rows have that is kept in memory as well: leases, whose time
 * begins at @mono_us, and schedules. Before the first batch.
 */
enum acta_code decider_load(struct decider *decider, uint64_t mono_us,
                            struct acta_err *err) ACTA_CHECKED;

/* A batch begins, at @mono_us of the monotonic clock. The heads are begun. What
 * time has brought is decided: leases that expire. A failure, here and in
 * decider_end(), is the end of the process.
 */
enum acta_code decider_begin(struct decider *decider, uint64_t mono_us,
                             struct acta_err *err) ACTA_CHECKED;

/* It is @mono_us by now, which was read after all jobs had come that are
 * decided from here on: a lease is held from when it was asked for, or later,
 * and never from before.
 */
void decider_see_time(struct decider *decider, uint64_t mono_us);

/* Who has waited long enough at @mono_us goes back: that needs no entry, and is
 * done also while there is no space for one.
 */
void decider_end_waits(struct decider *decider, uint64_t mono_us);

/* It ends: its last row is set. */
enum acta_code decider_end(struct decider *decider,
                           struct acta_err *err) ACTA_CHECKED;

/* Bytes of rows that a batch which begins at @mono_us may set without any job,
 * at most.
 */
size_t decider_rows_size(const struct decider *decider, uint64_t mono_us);

/* Microseconds until time brings something, at most @max_us. */
uint64_t decider_wait_us(const struct decider *decider, uint64_t mono_us,
                         uint64_t now_us, uint64_t max_us);

/* Jobs that carry out what was scheduled until @now_us, in order, within the
 * bounds of queue_take(). The heads are begun. Each is to be decided, or given
 * back by decider_put_back_due(), which frees it.
 */
void decider_take_due(struct decider *decider, struct batch *batch,
                      uint64_t now_us, size_t events_max, size_t size_max);
void decider_put_back_due(struct decider *decider, struct job *job);

/* True if something of what was due, when it was taken last, could not be read
 * or decided for want of memory, or because the disk has failed: it stays due,
 * and may succeed later.
 */
bool decider_is_hindered(const struct decider *decider);

/* Jobs that had been kept waiting and are decided now, linked by next: to be
 * given back when what was decided is durable. NULL if there is none.
 */
struct job *decider_take_done(struct decider *decider);

/* Decide all that wait: refused, since the server stops. */
void decider_stop(struct decider *decider);

struct decider_counts {
    size_t leases;
    size_t waiters;
    size_t schedules; /* That wait to be due. */
};

struct decider_counts decider_counts(const struct decider *decider);

/* True if conditions, checks and changes have taken so long that what is
 * decided should be made durable first: others wait for their answers.
 */
bool decider_is_tired(const struct decider *decider);

/* False if deciding @job now, at the time of the last decider_begin() or
 * decider_end_waits(), neither adds events nor sets rows: so that it can be
 * done while there is no space for an entry.
 */
bool decider_needs_entry(const struct decider *decider, const struct job *job);

/* Decide @job as part of the entry that the heads are begun for. If it is
 * taken, its events are in the active memtable, which has room for them, and
 * its rows are set. If *@waits it is kept, until decider_take_done() has it.
 *
 * The outcome is in the job: OK with what was done, or why it was refused.
 * Refusals are CONFLICT, PARTIAL_REPEAT, ID_REUSED, TOMBSTONED, UNDECIDED,
 * NOT_FOUND, INVALID, FENCED, HELD, EXISTS; and CORRUPT or MEMORY, if the
 * decision needed what could not be read.
 *
 * Returns OK whatever the verdict is. Anything else is the end of the process:
 * the job is half done.
 */
enum acta_code decide(struct decider *decider, struct job *job, bool *waits,
                      struct acta_err *err) ACTA_CHECKED;

#endif
