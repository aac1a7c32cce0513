/* Places: where blocks of the log lie in memory, of those that were looked into
 * last. Finding a block by its position costs a search in the log's tree, as
 * much as reading an event that is in the processor's cache; streams that are
 * loaded once are mostly loaded again.
 *
 * A table of fixed size, in which a new place takes that of an older one. What
 * it says holds for one state of the log: places_for() forgets those of
 * another. One thread.
 */

#ifndef ACTA_PLACES_H
#define ACTA_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A block, and the positions that it has. */
struct place {
    const uint8_t *data;
    uint32_t size;
    uint32_t count; /* 0: not known. */
    uint64_t first;
};

/* Positions that share a slot: less than a block has of usual events, so that
 * one whose slot was taken by the block before or behind it has another.
 */
#define PLACES_SHIFT 6
#define PLACES_COUNT 16384 /* A power of two: those of a million events. */

struct places {
    size_t state; /* The log's, 0: of none. */
    struct place slots[PLACES_COUNT];
};

/* Memory is taken when it is used. NULL if there is none. free() */
struct places *places_new(void);

/* The log is in @state, which is not 0: forget what is of another. */
void places_for(struct places *places, size_t state);

/* Forget all. */
void places_forget(struct places *places);

/* False if the block of @position is not known. */
bool places_find(const struct places *places, uint64_t position,
                 struct place *place);

/* @place, which is known now, has @position. */
void places_keep(struct places *places, uint64_t position,
                 const struct place *place);

#endif
