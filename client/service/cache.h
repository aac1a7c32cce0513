/* States of instances that were folded before, each with the version of its
 * stream: as many as there may be, the one that was not used for longest goes
 * first.
 *
 * One thread at a time.
 */

#ifndef ACTA_SERVICE_CACHE_H
#define ACTA_SERVICE_CACHE_H

#include "fold.h"

struct instance {
    struct instance *newer, *older; /* By when they were used. */
    struct instance *next;          /* In its chain. */
    void *state;                    /* owned */
    uint64_t version;               /* The state is as of this one. */
    uint64_t snapshot_version;      /* Of the last snapshot that is known of. */
    char stream[];
};

struct cache {
    const struct state_kind *kind;
    size_t count_max;
    size_t count;
    struct instance *newest, *oldest;
    struct instance **chains; /* owned */
    size_t chains_count;      /* A power of 2. */
};

/* MEMORY. */
enum acta_code cache_init(struct cache *cache, const struct state_kind *kind,
                          size_t count_max, struct acta_err *err) ACTA_CHECKED;
void cache_fini(struct cache *cache);

/* The instance of @stream, which is now the newest; NULL: it is not here. */
struct instance *cache_find(struct cache *cache, const char *stream);

/* Add one that is not here, in its initial state at version 0. NULL: there is
 * no memory.
 */
struct instance *cache_add(struct cache *cache, const char *stream);

/* Make its state initial again, at version 0. False: there is no memory; it is
 * to be dropped.
 */
bool cache_reset(struct cache *cache, struct instance *instance);

void cache_drop(struct cache *cache, struct instance *instance);
void cache_clear(struct cache *cache); /* Drop all. */

#endif
