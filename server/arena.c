#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)1 << 20)
#define FIRST_SIZE ((size_t)1 << 12) /* Many arenas stay nearly empty. */
#define ALIGNMENT  8

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    uint8_t bytes[];
};

void *
arena_take(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t start = (arena->used + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

    if (chunk == NULL || start > chunk->size || size > chunk->size - start) {
        size_t usual = chunk == NULL ? FIRST_SIZE : CHUNK_SIZE;
        size_t room = size > usual ? size : usual;

        chunk = malloc(sizeof(*chunk) + room);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->size = room;
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
        free(chunk);
    }
    *arena = (struct arena){0};
}
