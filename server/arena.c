#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bigmap.h"

#define FIRST_SIZE ((size_t)4 << 10) /* Many arenas stay nearly empty. */
#define CHUNK_SIZE ((size_t)1 << 20)
#define ALIGNMENT  8

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    bool is_mapped;
    alignas(ALIGNMENT) uint8_t bytes[];
};

static struct bigmaps chunks; /* Of all arenas. */

/* A chunk in one large page: the first touch of each small one costs an arena
 * that grows all the time more than the bytes that are put there. NULL if there
 * is no memory.
 */
static struct arena_chunk *
map_chunk(void)
{
    struct arena_chunk *chunk = bigmap_take(&chunks, BIGMAP_SIZE);

    if (chunk != NULL) {
        chunk->is_mapped = true;
        chunk->size = BIGMAP_SIZE - sizeof(*chunk);
    }
    return chunk;
}

static struct arena_chunk *
allocate_chunk(size_t size)
{
    struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);

    if (chunk != NULL) {
        chunk->is_mapped = false;
        chunk->size = size;
    }
    return chunk;
}

/* One with room for @size bytes, larger the more there are. */
static struct arena_chunk *
add_chunk(const struct arena *arena, size_t size)
{
    const struct arena_chunk *last = arena->chunks;

    if (last == NULL) {
        return allocate_chunk(size > FIRST_SIZE ? size : FIRST_SIZE);
    }
    if (last->size < CHUNK_SIZE || size > BIGMAP_SIZE - sizeof(*last)) {
        return allocate_chunk(size > CHUNK_SIZE ? size : CHUNK_SIZE);
    }
    return map_chunk();
}

void *
arena_take(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t start = (arena->used + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

    if (chunk == NULL || start > chunk->size || size > chunk->size - start) {
        chunk = add_chunk(arena, size);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        start = 0;
    }
    arena->used = start + size;
    return chunk->bytes + start;
}

bool
arena_copy(struct arena *arena, struct slice bytes, struct slice *copy)
{
    uint8_t *to = arena_take(arena, bytes.size);

    if (to == NULL) {
        return false;
    }
    if (bytes.size > 0) {
        memcpy(to, bytes.data, bytes.size);
    }
    *copy = slice_make(to, bytes.size);
    return true;
}

void
arena_free(struct arena *arena)
{
    while (arena->chunks != NULL) {
        struct arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        if (chunk->is_mapped) {
            bigmap_give(&chunks, chunk, BIGMAP_SIZE);
        } else {
            free(chunk);
        }
    }
    *arena = (struct arena){0};
}

void
arena_drop_kept(void)
{
    bigmap_drop(&chunks);
}
