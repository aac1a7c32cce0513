/* Pieces of memory of one size, which come and go all the time: they are cut
 * from larger ones, which are freed as a whole. One thread.
 */

#ifndef ACTA_GROUP_POOL_H
#define ACTA_GROUP_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct group_pool {
    size_t size;       /* Of a piece. */
    size_t next_count; /* Pieces to be cut from the next chunk. */
    void *free;        /* A list, linked by their first bytes, */
    size_t free_count; /* of so many. */
    void *chunks;      /* owned: likewise */
};

/* @size is at least that of a pointer. */
void group_pool_init(struct group_pool *pool, size_t size);
void group_pool_fini(struct group_pool *pool);

/* See that @count pieces can be taken without memory. False: there is none. */
bool group_pool_reserve(struct group_pool *pool, size_t count);

/* A piece, aligned for anything, with no certain content; NULL: no memory. */
void *group_pool_take(struct group_pool *pool);
void group_pool_give(struct group_pool *pool, void *piece);

/* The same for bytes of any number: few of them are in pieces of some sizes,
 * many are in memory of their own. Whoever gives them back knows how many they
 * are.
 */
#define GROUP_POOLS 3

struct group_pools {
    struct group_pool pools[GROUP_POOLS];
};

void group_pools_init(struct group_pools *pools);
void group_pools_fini(struct group_pools *pools);
void *group_pools_take(struct group_pools *pools, size_t size);
void group_pools_give(struct group_pools *pools, void *bytes, size_t size);

#endif
