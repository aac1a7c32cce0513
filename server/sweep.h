/* The sweeper: takes back the space of events that are hidden for good, and
 * carries out erasures.
 *
 * It works on the store alone, in steps: each takes one short transaction or
 * writes a few megabytes, so that its caller, the checkpoint thread, can do
 * what is more urgent in between. Whatever it has done when the process ends,
 * the next one goes on from there.
 *
 * Hidden events become stubs: those that were hidden when the last entry that
 * the store has was decided. What hides less by now, and is still in the tail,
 * was decided later, and leaves hidden what was hidden then.
 *
 * Erased ones lose their data, in the log first;
 * then what is left of it is overwritten in the journal's spare files and in
 * the free pages of the store; and only then the row goes that says that there
 * is something to erase.
 */

#ifndef ACTA_SWEEP_H
#define ACTA_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "err.h"
#include "rooms.h"

struct sweeper;

/* Hidden events are looked for every @interval_ms; erasures at once. */
enum acta_code sweeper_new(struct sweeper **sweeper, struct rooms *rooms,
                           uint64_t interval_ms,
                           struct acta_err *err) ACTA_CHECKED;
void sweeper_free(struct sweeper *sweeper); /* May be NULL. */

/* A checkpoint was made: there may be erasures in the store. */
void sweeper_look(struct sweeper *sweeper);

enum sweeper_next {
    SWEEPER_RESTS,   /* There is nothing to do now. */
    SWEEPER_WAITS,   /* Others have to do something first. */
    SWEEPER_GOES_ON, /* There is more to do. */
};

/* Do one step.
 *
 * FULL, MEMORY  It can be tried again.
 * CORRUPT  The store is damaged where it had to read: it begins anew after the
 *          interval.
 * IO       The store must not be used any more.
 */
enum acta_code sweeper_step(struct sweeper *sweeper, struct mono_time now,
                            enum sweeper_next *next,
                            struct acta_err *err) ACTA_CHECKED;

/* For any thread: events whose space was taken back since the start, and
 * records that were to be changed but could not be read.
 */
uint64_t sweeper_swept(const struct sweeper *sweeper);
uint64_t sweeper_damaged(const struct sweeper *sweeper);

#endif
