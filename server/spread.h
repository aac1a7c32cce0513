/* Work that need not be done at once is spread over the time that it has.
 *
 * A checkpoint takes a processor and the disk for tenths of a second, and has
 * until the next one is due. In between it pauses, so that those for whom
 * somebody waits come first: what has to wait for it waits for one step, not
 * for all of it.
 *
 * A spread is the calling thread's own: what is called below it need not know.
 */

#ifndef ACTA_SPREAD_H
#define ACTA_SPREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"

struct spread {
    struct mono_time begun;
    uint64_t time_us;              /* What it has, from then on. */
    const _Atomic bool *is_urgent; /* It has become: no more pauses. */
    void (*on_pause)(void *user);  /* Called behind each piece of a pause, a few
                                      milliseconds; may be NULL. */
    void *user;
};

/* What the calling thread does from now on is @spread, which stays where it is
 * until the next call; NULL: it has no time to spare, as at first. Returns what
 * it was before.
 */
const struct spread *spread_begin(const struct spread *spread);

/* A step is done, after which @done of @total are: pause if that is more than
 * would be due by now if all were to take half of the time that there is.
 */
void spread_step(size_t done, size_t total);

/* True if there is time left to pause. */
bool spread_has_time(void);

/* Pause for @us, or for what is left. */
void spread_pause(uint64_t us);

#endif
