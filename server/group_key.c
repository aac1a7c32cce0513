#include "group_key.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "list.h"

#define TABLE_SIZE_MIN 64

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
reserve(struct group_keys *keys)
{
    struct group_keys larger = *keys;

    if (keys->count < keys->size) {
        return true;
    }
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
    memcpy(key->bytes, bytes.data, bytes.size);
    return key;
}

/* Different in every process, so that nobody can choose keys that all fall on
 * one place.
 */
static uint64_t
hash_of(struct slice bytes)
{
    return list_hash_row(0, bytes);
}

void
group_keys_expect(const struct group_keys *keys, struct slice bytes)
{
    if (keys->size > 0) {
        const struct group_key *key = *place_of(keys, hash_of(bytes));

        if (key != NULL) {
            __builtin_prefetch(key, 1);
            __builtin_prefetch(&key->ready, 1);
        }
    }
}

struct group_key *
group_keys_get(struct group_keys *keys, struct slice bytes)
{
    uint64_t hash = hash_of(bytes);

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

bool
group_keys_drop_empty(struct group_keys *keys, struct group_key *key)
{
    struct group_key **at = place_of(keys, key->hash);

    if (!ring_is_empty(&key->in_hand) || !ring_is_empty(&key->waiting) ||
        !ring_is_empty(&key->parked)) {
        return false;
    }
    while (*at != key) {
        at = &(*at)->next;
    }
    *at = key->next;
    keys->count--;
    ring_take_out(&key->ready);
    ring_take_out(&key->in_parked);
    group_pool_give(pool_of(keys, key->size), key);
    return true;
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
