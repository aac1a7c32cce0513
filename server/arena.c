#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_SIZE ((size_t)4 << 10) /* Many arenas stay nearly empty. */
#define CHUNK_SIZE ((size_t)1 << 20)
#define HUGE_SIZE  ((size_t)2 << 20) /* The processor's large pages. */
#define ALIGNMENT  8

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    bool is_mapped;
    alignas(ALIGNMENT) uint8_t bytes[];
};

/* A chunk in one large page, where the system has them: the first touch of each
 * small one costs an arena that grows all the time more than the bytes that are
 * put there. NULL if there is no memory.
 */
static struct arena_chunk *
map_chunk(void)
{
    uint8_t *map = mmap(NULL, 2 * HUGE_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct arena_chunk *chunk;
    size_t front;

    if (map == MAP_FAILED) {
        return NULL;
    }
    front = (HUGE_SIZE - (uintptr_t)map % HUGE_SIZE) % HUGE_SIZE;
    if (front > 0) {
        (void)munmap(map, front);
    }
    (void)munmap(map + front + HUGE_SIZE, HUGE_SIZE - front);
    chunk = (struct arena_chunk *)(void *)(map + front);
    (void)madvise(chunk, HUGE_SIZE, MADV_HUGEPAGE); /* Else they are small. */
    chunk->is_mapped = true;
    chunk->size = HUGE_SIZE - sizeof(*chunk);
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
    if (last->size < CHUNK_SIZE || size > HUGE_SIZE - sizeof(*last)) {
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
            (void)munmap(chunk, HUGE_SIZE);
        } else {
            free(chunk);
        }
    }
    *arena = (struct arena){0};
}
