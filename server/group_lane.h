/* What a member has in hand of events to which nothing has happened but that
 * they were handed out, once: a few words each, in the order of handing out.
 * Most events are never more than that.
 *
 * So their fences grow. Under one fence those come first that had to wait, in
 * any order, and then those that were handed out as they were read, in order of
 * position: what is looked for is found among these in a few steps.
 *
 * Inside of a group: see group_state.h.
 */

#ifndef ACTA_GROUP_LANE_H
#define ACTA_GROUP_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct group_key;

struct group_light {
    uint64_t position;
    struct group_key *key; /* NULL: it is done. */
    uint64_t fence;        /* Under which it was handed out, */
    uint64_t time_us;      /* and when. */
    uint32_t size;         /* Of its record. */
    bool has_waited;
};

/* All zeros: empty. The first one is not done. */
struct group_lane {
    struct group_light *places; /* owned */
    size_t room;                /* A power of two, or 0. */
    size_t first;               /* Places are counted on, and on from there. */
    size_t end;
};

void group_lane_fini(struct group_lane *lane);

static inline bool
group_lane_is_empty(const struct group_lane *lane)
{
    return lane->first == lane->end;
}

/* The one at @place, from lane->first up to before lane->end. */
static inline struct group_light *
group_lane_at(const struct group_lane *lane, size_t place)
{
    return &lane->places[place & (lane->room - 1)];
}

/* NULL: there is none. */
static inline struct group_light *
group_lane_first(const struct group_lane *lane)
{
    return group_lane_is_empty(lane) ? NULL : group_lane_at(lane, lane->first);
}

/* Have the key of one that will be the first soon fetched from memory. Always
 * inline: gcc takes a call that does nothing else for one that does nothing.
 */
__attribute__((always_inline)) static inline void
group_lane_fetch_key(const struct group_lane *lane)
{
    size_t place = lane->first + 32;

    if (place < lane->end) {
        __builtin_prefetch(group_lane_at(lane, place)->key, 1);
    }
}

/* Is its place behind the others? Not if it had to wait, and a new one was
 * handed out before under the same fence.
 */
bool group_lane_is_next(const struct group_lane *lane,
                        const struct group_light *light);

/* Put one behind the others, which is its place. False: no memory. */
bool group_lane_put(struct group_lane *lane, const struct group_light *light);

/* NULL: it is not there, or done. */
struct group_light *group_lane_find(const struct group_lane *lane,
                                    uint64_t position, uint64_t fence);

/* It is done. A pointer to another one stays good. */
void group_lane_take(struct group_lane *lane, struct group_light *light);

#endif
