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

/* A line of the cache: no two pieces share one. */
#define ALIGNMENT 64

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

static bool
cut(struct group_pool *pool)
{
    uint8_t *chunk = malloc(2 * ALIGNMENT + pool->next_count * pool->size);
    uint8_t *first;

    if (chunk == NULL) {
        return false;
    }
    link_to(chunk, pool->chunks);
    pool->chunks = chunk;
    first = chunk + 2 * ALIGNMENT - (uintptr_t)chunk % ALIGNMENT;
    for (size_t i = pool->next_count; i-- > 0;) {
        group_pool_give(pool, first + i * pool->size);
    }
    if (pool->next_count < COUNT_MAX) {
        pool->next_count *= 2;
    }
    return true;
}

bool
group_pool_reserve(struct group_pool *pool, size_t count)
{
    while (pool->free_count < count) {
        if (!cut(pool)) {
            return false;
        }
    }
    return true;
}

void *
group_pool_take(struct group_pool *pool)
{
    void *piece;

    if (!group_pool_reserve(pool, 1)) {
        return NULL;
    }
    piece = pool->free;
    pool->free = linked(piece);
    pool->free_count--;
    __builtin_prefetch(pool->free, 1); /* The next is taken soon. */
    return piece;
}

void
group_pool_give(struct group_pool *pool, void *piece)
{
    link_to(piece, pool->free);
    pool->free = piece;
    pool->free_count++;
}

/* ---- by size ---- */

#define POOLS_SIZE_MIN 256 /* Each next one's pieces are twice as large. */

/* NULL: these are too many for any. */
static struct group_pool *
pool_for(struct group_pools *pools, size_t size)
{
    for (size_t i = 0; i < GROUP_POOLS; i++) {
        if (size <= pools->pools[i].size) {
            return &pools->pools[i];
        }
    }
    return NULL;
}

void
group_pools_init(struct group_pools *pools)
{
    for (size_t i = 0; i < GROUP_POOLS; i++) {
        group_pool_init(&pools->pools[i], (size_t)POOLS_SIZE_MIN << i);
    }
}

void
group_pools_fini(struct group_pools *pools)
{
    for (size_t i = 0; i < GROUP_POOLS; i++) {
        group_pool_fini(&pools->pools[i]);
    }
}

void *
group_pools_take(struct group_pools *pools, size_t size)
{
    struct group_pool *pool = pool_for(pools, size);

    return pool == NULL ? malloc(size) : group_pool_take(pool);
}

void
group_pools_give(struct group_pools *pools, void *bytes, size_t size)
{
    struct group_pool *pool = pool_for(pools, size);

    if (pool == NULL) {
        free(bytes);
    } else {
        group_pool_give(pool, bytes);
    }
}
