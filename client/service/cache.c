#include "cache.h"

#include <stdlib.h>

enum acta_code
cache_init(struct cache *cache, const struct state_kind *kind, size_t count_max,
           struct acta_err *err)
{
    size_t chains_count = 1;

    while (chains_count < count_max && chains_count < (size_t)1 << 20) {
        chains_count *= 2;
    }
    *cache = (struct cache){
        .kind = kind,
        .count_max = count_max,
        .chains = calloc(chains_count, sizeof(*cache->chains)),
        .chains_count = chains_count,
    };
    return cache->chains == NULL ? acta_fail(err, ACTA_MEMORY, "cache")
                                 : ACTA_OK;
}

void
cache_fini(struct cache *cache)
{
    cache_clear(cache);
    free(cache->chains);
}

/* FNV-1a: names of streams are short. */
static struct instance **
chain_of(struct cache *cache, const char *stream)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *stream != '\0'; stream++) {
        hash = (hash ^ (unsigned char)*stream) * UINT64_C(1099511628211);
    }
    return &cache->chains[(hash ^ hash >> 32) & (cache->chains_count - 1)];
}

static void
unlink_from_age(struct cache *cache, struct instance *instance)
{
    *(instance->newer == NULL ? &cache->newest : &instance->newer->older) =
        instance->older;
    *(instance->older == NULL ? &cache->oldest : &instance->older->newer) =
        instance->newer;
}

static void
make_newest(struct cache *cache, struct instance *instance)
{
    instance->newer = NULL;
    instance->older = cache->newest;
    *(cache->newest == NULL ? &cache->oldest : &cache->newest->newer) =
        instance;
    cache->newest = instance;
}

struct instance *
cache_find(struct cache *cache, const char *stream)
{
    struct instance *found = *chain_of(cache, stream);

    while (found != NULL && strcmp(found->stream, stream) != 0) {
        found = found->next;
    }
    if (found != NULL) {
        unlink_from_age(cache, found);
        make_newest(cache, found);
    }
    return found;
}

struct instance *
cache_add(struct cache *cache, const char *stream)
{
    struct instance **chain = chain_of(cache, stream);
    size_t size = strlen(stream) + 1;
    struct instance *added = calloc(1, sizeof(*added) + size);

    if (added == NULL) {
        return NULL;
    }
    memcpy(added->stream, stream, size);
    added->state = state_new(cache->kind);
    if (added->state == NULL) {
        free(added);
        return NULL;
    }
    if (cache->count == cache->count_max) {
        cache_drop(cache, cache->oldest);
    }
    added->next = *chain;
    *chain = added;
    make_newest(cache, added);
    cache->count++;
    return added;
}

bool
cache_reset(struct cache *cache, struct instance *instance)
{
    state_free(cache->kind, instance->state);
    instance->state = state_new(cache->kind);
    instance->version = 0;
    instance->snapshot_version = 0;
    return instance->state != NULL;
}

void
cache_drop(struct cache *cache, struct instance *instance)
{
    struct instance **link = chain_of(cache, instance->stream);

    while (*link != instance) {
        link = &(*link)->next;
    }
    *link = instance->next;
    unlink_from_age(cache, instance);
    state_free(cache->kind, instance->state);
    free(instance);
    cache->count--;
}

void
cache_clear(struct cache *cache)
{
    while (cache->newest != NULL) {
        cache_drop(cache, cache->newest);
    }
}
