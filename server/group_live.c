/* Events that are on their way: from one state to the next, until they are
 * done.
 */

#include <assert.h>
#include <stdlib.h>

#include "group_state.h"

void
group_change_state(struct group *group, struct group_event *event,
                   enum group_event_state state)
{
    group->counts[event->state]--;
    group->counts[state]++;
    event->state = state;
}

void
group_free_bytes(struct group *group, struct group_event *event)
{
    if (event->bytes != NULL) {
        group->held_size -= event->size;
        group_pools_give(&group->records, event->bytes, event->size);
        event->bytes = NULL;
    }
}

void
group_out_of_hand(struct group *group, struct group_event *event)
{
    struct group_key *key = event->key;
    struct group_member *member = key->member;

    assert(event->state == GROUP_IN_HAND);

    ring_take_out(&event->in_hand);
    member->in_hand_count--;
    member->in_hand_size -= event->size;
    group_place_member(group, member);

    ring_take_out(&event->in_key);
    if (!group_key_is_in_hand(key)) {
        key->member = NULL;
    }
}

void
group_take_back(struct group *group, struct group_event *event)
{
    struct group_key *key = event->key;
    struct group_event *last;

    if (key->light > 0) {
        group_make_heavy(group, key->member);
    }
    do {
        last = ring_holder(key->in_hand.prev, struct group_event, in_key);
        group_out_of_hand(group, last);
        group_change_state(group, last, GROUP_WAITING);
        ring_put_first(&key->waiting, &last->in_key);
        if (last != event) {
            last->tries--;
        }
    } while (last != event);
    group->is_changed = true;
    group_place_key(group, key);
}

static void
leave_key(struct group *group, struct group_event *event)
{
    struct group_key *key = event->key;

    switch (event->state) {
    case GROUP_IN_HAND:
        group_out_of_hand(group, event);
        break;
    case GROUP_DELAYED:
        group_heap_remove(&group->delays, event);
        ring_take_out(&event->in_key);
        break;
    case GROUP_WAITING:
        ring_take_out(&event->in_key);
        break;
    case GROUP_PARKED:
        ring_take_out(&event->in_key);
        if (ring_is_empty(&key->parked)) {
            ring_take_out(&key->in_parked);
        }
        break;
    case GROUP_GONE:
        assert(false);
    }
    event->key = NULL;
}

/* The row of an event that is no more goes, too. One that was to have a row and
 * has none yet is told by a save as well: else nobody would know when it is
 * durable that it is done.
 */
static uint64_t
lose_row(struct group *group, struct group_event *event)
{
    if (event->is_parked) {
        free(event->reason);
        event->reason = NULL;
        return group_save_row(group, event);
    }
    group_pool_give(&group->events, event);
    return 0;
}

uint64_t
group_done(struct group *group, struct group_event *event)
{
    struct group_key *key = event->key;

    if (event->is_parked && event->state != GROUP_PARKED) {
        group->replaying--;
        key->replayed -= event->is_behind ? 0 : 1;
    }
    leave_key(group, event);
    group->counts[event->state]--;
    event->state = GROUP_GONE;
    group_touch(group, event->position);
    group_table_remove(&group->table, event);
    ring_take_out(&event->in_pending);
    group_free_bytes(group, event);
    group->is_changed = true;
    group_place_key(group, key);
    return lose_row(group, event);
}

/* ---- light ones ---- */

bool
group_reserve_event(struct group *group)
{
    size_t count = group->table.count + group->light;

    if (group->table.count < group->table.size && count < group->delays.room &&
        group->light < group->events.free_count) {
        return true;
    }
    return group_table_reserve(&group->table) &&
           group_heap_reserve(&group->delays,
                              group->table.count + group->light + 1) &&
           group_pool_reserve(&group->events, group->light + 1);
}

static void
make_heavy(struct group *group, struct group_member *member,
           const struct group_light *light)
{
    struct group_event *event = group_pool_take(&group->events);

    assert(event != NULL); /* It was reserved. */

    group_event_init(event, light->position, light->key);
    event->state = GROUP_IN_HAND;
    event->fence = light->fence;
    event->time_us = light->time_us;
    event->deliveries = 1;
    event->tries = 1;
    event->size = light->size;
    ring_put_last(&group->pending, &event->in_pending);
    ring_put_last(&light->key->in_hand, &event->in_key);
    ring_put_last(&member->in_hand, &event->in_hand);
    (void)group_table_reserve(&group->table); /* Without it, it is slower. */
    group_table_add(&group->table, event);
}

void
group_make_heavy(struct group *group, struct group_member *member)
{
    struct group_light *light;

    while ((light = group_lane_first(&member->lane)) != NULL) {
        make_heavy(group, member, light);
        light->key->light--;
        group->light--;
        group_lane_take(&member->lane, light);
    }
}

void
group_light_done(struct group *group, struct group_member *member,
                 struct group_light *light)
{
    struct group_key *key = light->key;

    member->in_hand_count--;
    member->in_hand_size -= light->size;
    group->counts[GROUP_IN_HAND]--;
    group->light--;
    group->is_changed = true;
    group_lane_take(&member->lane, light);
    key->light--;
    if (!group_key_is_in_hand(key)) {
        key->member = NULL;
        if (!ring_is_empty(&key->waiting) || group->counts[GROUP_PARKED] > 0) {
            group_place_key(group, key); /* It is nobody's now. */
        }
    }
}
