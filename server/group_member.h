/* A member of a group, and what it has in hand.
 *
 * Inside of a group: see group_state.h.
 */

#ifndef ACTA_GROUP_MEMBER_H
#define ACTA_GROUP_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "group.h"
#include "group_event.h"
#include "group_lane.h"
#include "limit.h"
#include "ring.h"
#include "slice.h"

struct group_member {
    void *user;
    uint64_t slots;     /* As it joined with, */
    uint64_t slots_now; /* and 0 while it is held. */
    uint64_t in_hand_count;
    uint64_t in_hand_size;     /* Bytes of their records. */
    struct ring in_hand;       /* Events in the order of handing out, */
    struct group_lane lane;    /* and behind these the light ones. */
    struct ring in_members;    /* Of group->members. */
    struct ring in_free;       /* Of group->free or group->free_asleep. */
    struct ring ready;         /* Keys of its buckets that nobody has. */
    struct ring held_ready;    /* Keys of which it has events. */
    struct ring in_overloaded; /* Of group->overloaded: others may take from
                                  ready. */
    bool is_asleep;            /* A time-out passed since its last answer. */
    bool takes_held;           /* Its turn: held_ready, then ready. */
    uint64_t joined_us;
    uint64_t acked;
    uint16_t name_size;
    uint8_t name[ACTA_NAME_SIZE_MAX];
};

/* A member with nothing in hand; NULL: no memory. */
struct group_member *group_member_new(uint64_t slots, struct slice name,
                                      void *user);
void group_member_free(struct group_member *member);

static inline bool
group_member_has_room(const struct group_member *member)
{
    return member->in_hand_count < member->slots_now &&
           member->in_hand_size < ACTA_SLOTS_SIZE_MAX;
}

/* The first one that is not light; NULL: it has none. */
static inline struct group_event *
group_member_first(const struct group_member *member)
{
    return ring_is_empty(&member->in_hand)
               ? NULL
               : ring_holder(member->in_hand.next, struct group_event, in_hand);
}

#endif
