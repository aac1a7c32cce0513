#include "group_key.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "list.h"

#define TABLE_SIZE_MIN 64

/* A table of this size or more grows only if so many places one behind the
 * other have no key that could go.
 */
#define SWEEP_SIZE_MIN 16384
#define SWEEP_PLACES   64

static const size_t pool_sizes[GROUP_KEY_POOLS] = {
    sizeof(struct group_key) + 16,
    sizeof(struct group_key) + 80,
    sizeof(struct group_key) + ACTA_STREAM_SIZE_MAX,
};

_Static_assert(ACTA_TAG_SIZE_MAX <= ACTA_STREAM_SIZE_MAX,
               "a key is a stream or a tag");

void
group_keys_init(struct group_keys *keys)
{
    *keys = (struct group_keys){0};
    for (size_t i = 0; i < GROUP_KEY_POOLS; i++) {
        group_pool_init(&keys->pools[i], pool_sizes[i]);
    }
}

void
group_keys_fini(struct group_keys *keys)
{
    for (size_t i = 0; i < GROUP_KEY_POOLS; i++) {
        group_pool_fini(&keys->pools[i]);
    }
    free(keys->places);
}

static struct group_pool *
pool_of(struct group_keys *keys, size_t size)
{
    size_t i = 0;

    while (sizeof(struct group_key) + size > pool_sizes[i]) {
        i++;
        assert(i < GROUP_KEY_POOLS);
    }
    return &keys->pools[i];
}

static struct group_key **
place_of(const struct group_keys *keys, uint64_t hash)
{
    return &keys->places[hash & (keys->size - 1)];
}

static bool
is_empty(const struct group_key *key)
{
    return !group_key_is_in_hand(key) && ring_is_empty(&key->waiting) &&
           ring_is_empty(&key->parked);
}

/* Let go of those in one place that have no event any more. */
static void
sweep_place(struct group_keys *keys, struct group_key **at)
{
    while (*at != NULL) {
        struct group_key *key = *at;

        if (is_empty(key)) {
            *at = key->next;
            keys->count--;
            group_pool_give(pool_of(keys, key->size), key);
        } else {
            at = &key->next;
        }
    }
}

/* Have fewer than there are places, if it can be had by looking at some. */
static bool
sweep(struct group_keys *keys)
{
    for (size_t i = 0; i < SWEEP_PLACES && keys->count >= keys->size; i++) {
        sweep_place(keys, &keys->places[keys->swept++ & (keys->size - 1)]);
    }
    return keys->count < keys->size;
}

static bool
grow(struct group_keys *keys)
{
    struct group_keys larger = *keys;

    larger.size = keys->size == 0 ? TABLE_SIZE_MIN : 2 * keys->size;
    larger.places = malloc(larger.size * sizeof(struct group_key *));
    if (larger.places == NULL) {
        return keys->size > 0; /* It gets slower. */
    }
    memset(larger.places, 0, larger.size * sizeof(struct group_key *));
    for (size_t i = 0; i < keys->size; i++) {
        struct group_key *next;

        for (struct group_key *key = keys->places[i]; key != NULL; key = next) {
            struct group_key **place = place_of(&larger, key->hash);

            next = key->next;
            key->next = *place;
            *place = key;
        }
    }
    free(keys->places);
    *keys = larger;
    return true;
}

static bool
reserve(struct group_keys *keys)
{
    return keys->count < keys->size ||
           (keys->size >= SWEEP_SIZE_MIN && sweep(keys)) || grow(keys);
}

static struct group_key *
make(struct group_keys *keys, struct slice bytes, uint64_t hash)
{
    struct group_key *key = group_pool_take(pool_of(keys, bytes.size));
    struct group_key **place = place_of(keys, hash);

    if (key == NULL) {
        return NULL;
    }
    key->next = *place;
    *place = key;
    keys->count++;
    key->hash = hash;
    ring_init(&key->in_hand);
    ring_init(&key->waiting);
    ring_init(&key->parked);
    key->member = NULL;
    ring_init(&key->ready);
    ring_init(&key->in_parked);
    key->replayed = 0;
    key->size = (uint16_t)bytes.size;
    key->light = 0;
    memcpy(key->bytes, bytes.data, bytes.size);
    return key;
}

uint64_t
group_keys_hash(struct slice bytes)
{
    return list_hash_row(0, bytes);
}

void
group_keys_fetch_place(const struct group_keys *keys, uint64_t hash)
{
    if (keys->size > 0) {
        __builtin_prefetch(place_of(keys, hash));
    }
}

void
group_keys_fetch(const struct group_keys *keys, uint64_t hash)
{
    if (keys->size > 0) {
        const struct group_key *key = *place_of(keys, hash);

        if (key != NULL) {
            __builtin_prefetch(key, 1);
            __builtin_prefetch(key->bytes);
        }
    }
}

struct group_key *
group_keys_get(struct group_keys *keys, struct slice bytes, uint64_t hash)
{
    if (!reserve(keys)) {
        return NULL;
    }
    for (struct group_key *key = *place_of(keys, hash); key != NULL;
         key = key->next) {
        if (key->hash == hash && slice_equal(group_key_bytes(key), bytes)) {
            return key;
        }
    }
    return make(keys, bytes, hash);
}

static uint64_t
position_at(struct ring *link)
{
    return ring_holder(link, struct group_event, in_key)->position;
}

void
group_key_put_parked(struct group_key *key, struct group_event *event,
                     struct group_event *near)
{
    struct ring *ring = &key->parked;
    struct ring *before = near == NULL ? ring : &near->in_key;

    if ((before != ring && event->position < near->position) ||
        (before->next != ring && position_at(before->next) < event->position)) {
        before = ring->prev;
        while (before != ring && position_at(before) > event->position) {
            before = before->prev;
        }
    }
    ring_put_behind(before, &event->in_key);
}
