/* The keys of a group that have events in its mind, and some that had: they
 * mostly have more soon, and go when their place is needed.
 *
 * A key's events are in three rings, each in the order in which they are to be
 * handed out: in the hand of its member, waiting, parked. Behind those in hand
 * are the light ones, of which the key knows how many there are. Those in hand
 * are before those that wait. If the group's events wait for parked ones, all
 * of these are before the parked ones, too.
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

/* Thousands are in use at a time: what an ack needs of one is in one line of
 * the cache, and a new event only looks at the bytes besides.
 */
struct group_key {
    struct group_key *next; /* Of the same place in the table. */
    uint64_t hash;
    struct group_member *member; /* Of those in hand; NULL: there are none. */
    uint32_t replayed; /* Parked ones, not behind another, that wait or are
                          in hand again. */
    uint16_t size;
    uint16_t light; /* Events in the lane of its member. */
    struct ring in_hand;
    struct ring waiting;

    struct ring ready; /* Of a list of keys that have something to hand. */
    struct ring parked;
    struct ring in_parked; /* Of group->parked_keys: it has parked ones. */
    uint8_t bytes[];
};

_Static_assert(offsetof(struct group_key, ready) == 64, "one line");

static inline struct slice
group_key_bytes(const struct group_key *key)
{
    return slice_make(key->bytes, key->size);
}

static inline size_t
group_key_bucket(uint64_t hash)
{
    return (size_t)(hash >> 32) % GROUP_BUCKETS;
}

static inline bool
group_key_is_in_hand(const struct group_key *key)
{
    return key->light > 0 || !ring_is_empty(&key->in_hand);
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
    size_t swept; /* The next place to be looked at for keys to let go of. */
    struct group_pool pools[GROUP_KEY_POOLS];
};

void group_keys_init(struct group_keys *keys);
void group_keys_fini(struct group_keys *keys);

/* Different in every process, so that nobody can choose keys that all fall on
 * one place.
 */
uint64_t group_keys_hash(struct slice bytes);

/* A key of this hash will be asked for soon: have its place fetched from memory
 * and, some time later, what is there.
 */
void group_keys_fetch_place(const struct group_keys *keys, uint64_t hash);
void group_keys_fetch(const struct group_keys *keys, uint64_t hash);

/* The key of these bytes, whose hash is @hash, made if it is not there; NULL:
 * no memory. Others that have no events may be gone then.
 */
struct group_key *group_keys_get(struct group_keys *keys, struct slice bytes,
                                 uint64_t hash);

/* Put @event among the parked ones, in order of position. It goes right behind
 * @near if that is not NULL and the order allows it: so a whole run goes in
 * without a search.
 */
void group_key_put_parked(struct group_key *key, struct group_event *event,
                          struct group_event *near);

#endif
