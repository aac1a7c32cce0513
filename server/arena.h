/* Memory that is taken in small pieces and freed as a whole. One thread. */

#ifndef ACTA_ARENA_H
#define ACTA_ARENA_H

#include <stddef.h>

#include "slice.h"

struct arena_chunk;

/* All zeros: empty. */
struct arena {
    struct arena_chunk *chunks; /* owned: the one in use first */
    size_t used;                /* Of that one. */
};

/* @size bytes, aligned to 8, or NULL. They stay where they are. */
void *arena_take(struct arena *arena, size_t size);

/* A copy of @bytes; false if there is no memory. */
bool arena_copy(struct arena *arena, struct slice bytes, struct slice *copy);

/* Free everything that was taken. Large chunks are kept for other arenas. */
void arena_free(struct arena *arena);

/* Give back what is kept. Any thread. */
void arena_drop_kept(void);

#endif
