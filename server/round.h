/* Rounds of live delivery: when are those who follow told of new events?
 *
 * In a round every connection that follows gets its turn once, and with that
 * all that is durable by then. What is committed while a round is under way is
 * for the next one. If more than one event was, a rest comes first: events
 * gather, and go out together, for a fraction of what they cost one by one; and
 * those who append find processors free. While nobody appends faster than is
 * delivered, there is no rest.
 *
 * No I/O and no clock. One thread.
 */

#ifndef ACTA_ROUND_H
#define ACTA_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "err.h"

struct round {
    uint64_t head; /* What the last one, or the one under way, began with. */
    size_t left;   /* Connections that have not had their turn in it. */
    struct mono_time began;
    struct mono_time rested; /* From then on there may be a next one. */
};

/* There was never one: the first begins when there is a position above 0. */
void round_init(struct round *round);

/* Begin a round if there is something new up to @head, and none is under way,
 * and it is time. False: there is nothing to do now; see round_rest_us().
 */
bool round_begin(struct round *round, uint64_t head,
                 struct mono_time now) ACTA_CHECKED;

/* One more takes part in the round that has just begun. */
void round_join(struct round *round);

/* One that took part had its turn, or is gone. @head is what there is now. */
void round_leave(struct round *round, uint64_t head, struct mono_time now);

/* Microseconds until a round may begin that is wanted for @head: 0 if none is
 * wanted, or one is under way, whose end will tell.
 */
uint64_t round_rest_us(const struct round *round, uint64_t head,
                       struct mono_time now);

#endif
