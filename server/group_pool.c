#include "group_pool.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first chunk is small, since most groups are; each is twice as large as
 * the one before, up to this.
 */
#define COUNT_MIN 32
#define COUNT_MAX 4096

#define ALIGNMENT sizeof(max_align_t)

static void
link_to(void *piece, void *next)
{
    memcpy(piece, &next, sizeof(next));
}

static void *
linked(const void *piece)
{
    void *next;

    memcpy(&next, piece, sizeof(next));
    return next;
}

void
group_pool_init(struct group_pool *pool, size_t size)
{
    assert(size >= sizeof(void *));

    *pool = (struct group_pool){
        .size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT,
        .next_count = COUNT_MIN,
    };
}

void
group_pool_fini(struct group_pool *pool)
{
    while (pool->chunks != NULL) {
        void *chunk = pool->chunks;

        pool->chunks = linked(chunk);
        free(chunk);
    }
}

static void
cut(struct group_pool *pool)
{
    uint8_t *chunk = malloc(ALIGNMENT + pool->next_count * pool->size);

    if (chunk == NULL) {
        return;
    }
    link_to(chunk, pool->chunks);
    pool->chunks = chunk;
    for (size_t i = pool->next_count; i-- > 0;) {
        group_pool_give(pool, chunk + ALIGNMENT + i * pool->size);
    }
    if (pool->next_count < COUNT_MAX) {
        pool->next_count *= 2;
    }
}

void *
group_pool_take(struct group_pool *pool)
{
    void *piece;

    if (pool->free == NULL) {
        cut(pool);
    }
    piece = pool->free;
    if (piece != NULL) {
        pool->free = linked(piece);
    }
    return piece;
}

void
group_pool_give(struct group_pool *pool, void *piece)
{
    link_to(piece, pool->free);
    pool->free = piece;
}
