/* Vigils: does a thread that has answered stay awake for the next request?
 *
 * To wake a processor that sleeps takes longer than most requests do. So who is
 * asked again and again, each time soon after it has answered, looks for the
 * next request at once, and again, for some microseconds, before it sleeps.
 *
 * Each pause between an answer and the next request is a lesson: one that was
 * longer than a vigil may be counts as much as several short ones. So an asker
 * that takes its time costs nothing, nor does one that is kept from the
 * processor by the vigil itself; and who stops asking costs a vigil or two.
 *
 * No I/O and no clock. One thread.
 */

#ifndef ACTA_VIGIL_H
#define ACTA_VIGIL_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

struct vigil {
    uint64_t max_us;
    struct mono_time began; /* The pause that is, or was the last one. */
    unsigned trust;         /* That it will be short. */
};

/* Stay awake for less than @max_us at a time. 0: never. */
void vigil_init(struct vigil *vigil, uint64_t max_us);

/* All is answered: a pause begins. */
void vigil_begin(struct vigil *vigil, struct mono_time now);

/* There is something to do again: the pause is over. */
void vigil_end(struct vigil *vigil, struct mono_time now);

/* In a pause: stay awake? */
bool vigil_lasts(const struct vigil *vigil, struct mono_time now);

#endif
