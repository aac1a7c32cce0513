/* The keys of a group that have events in its mind, and only these: a key comes
 * with its first event and goes with its last.
 *
 * A key's events are in three rings, each in the order in which they are to be
 * handed out: in the hand of its member, waiting, parked. Those in hand are
 * before those that wait. If the group's events wait for parked ones, all of
 * these are before the parked ones, too.
 *
 * Inside of a group: see group_state.h.
 */

#ifndef ACTA_GROUP_KEY_H
#define ACTA_GROUP_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "group_event.h"
#include "group_pool.h"
#include "ring.h"
#include "slice.h"

struct group_member;

/* A key is hashed to a bucket, which is what members have. */
#define GROUP_BUCKETS 4096

/* Two lines of the cache, if its bytes are few. */
struct group_key {
    struct group_key *next; /* Of the same place in the table. */
    uint64_t hash;
    struct ring in_hand;
    struct ring waiting;
    struct group_member *member; /* Of those in hand; NULL: there are none. */
    uint32_t replayed; /* Parked ones, not behind another, that wait or are
                          in hand again. */
    uint16_t size;
    struct ring ready; /* Of a list of keys that have something to hand. */
    struct ring parked;
    struct ring in_parked; /* Of group->parked_keys: it has parked ones. */
    uint8_t bytes[];
};

static inline struct slice
group_key_bytes(const struct group_key *key)
{
    return slice_make(key->bytes, key->size);
}

static inline size_t
group_key_bucket(const struct group_key *key)
{
    return (size_t)(key->hash >> 32) % GROUP_BUCKETS;
}

static inline struct group_event *
group_key_first(struct ring *ring)
{
    return ring_is_empty(ring)
               ? NULL
               : ring_holder(ring->next, struct group_event, in_key);
}

/* Pools by size: most keys are short, and none is longer than a tag. */
#define GROUP_KEY_POOLS 3

struct group_keys {
    struct group_key **places; /* owned */
    size_t size;               /* A power of two, or 0. */
    size_t count;
    struct group_pool pools[GROUP_KEY_POOLS];
};

void group_keys_init(struct group_keys *keys);
void group_keys_fini(struct group_keys *keys);

/* The key of these bytes will be asked for soon: have it fetched from memory,
 * if it is there.
 */
void group_keys_expect(const struct group_keys *keys, struct slice bytes);

/* The key of these bytes, made if it is not there; NULL: no memory. */
struct group_key *group_keys_get(struct group_keys *keys, struct slice bytes);

/* Let go of a key if it has no event any more. True if it has none. */
bool group_keys_drop_empty(struct group_keys *keys, struct group_key *key);

/* Put @event among the parked ones, in order of position. It goes right behind
 * @near if that is not NULL and the order allows it: so a whole run goes in
 * without a search.
 */
void group_key_put_parked(struct group_key *key, struct group_event *event,
                          struct group_event *near);

#endif
