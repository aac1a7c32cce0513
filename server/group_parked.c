/* Parked events: those that members, or the server after too many tries, gave
 * up for now, and those that wait behind them.
 *
 * An event is parked at once, but it stays pending, too, until its row is
 * durable. From then on the row is all that a restart needs, also while the
 * event is being replayed; it goes when the event is done.
 */

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "group_state.h"

/* Put an event that is in no ring among the parked ones of its key. */
static void
rest(struct group *group, struct group_event *event, struct group_event *near)
{
    struct group_key *key = event->key;

    group_change_state(group, event, GROUP_PARKED);
    group_free_bytes(group, event);
    group_touch(group, event->position);
    group_key_put_parked(key, event, near);
    if (ring_is_empty(&key->in_parked)) {
        ring_put_last(&group->parked_keys, &key->in_parked);
    }
}

/* If it was being replayed, it is not any more. */
static void
end_replay(struct group *group, struct group_event *event)
{
    if (event->is_parked) {
        group->replaying--;
        event->key->replayed -= event->is_behind ? 0 : 1;
    }
}

/* Its row begins anew, or for the first time. */
static uint64_t
mark_parked(struct group *group, struct group_event *event, bool is_behind)
{
    if (!event->is_parked) {
        group_event_begin_row(event);
    }
    event->is_behind = is_behind;
    event->parked_us = group->wall_us;
    group->is_changed = true;
    return group_save_row(group, event);
}

/* As rest(), and with a row if it has none. */
static void
rest_behind(struct group *group, struct group_event *event,
            struct group_event *near)
{
    bool had_row = event->is_parked;

    if (event->state == GROUP_DELAYED) {
        group_heap_remove(&group->delays, event);
    }
    end_replay(group, event);
    rest(group, event, near);
    if (!had_row) {
        (void)mark_parked(group, event, true); /* Nobody waits for it. */
    }
}

static void
set_reason(struct group_event *event, struct slice reason)
{
    free(event->reason);
    event->reason = reason.size == 0 ? NULL : malloc(reason.size);
    event->reason_size = 0;
    if (event->reason != NULL) { /* Without memory it is parked without one. */
        memcpy(event->reason, reason.data, reason.size);
        event->reason_size = (uint32_t)reason.size;
    }
}

/* Take an event out of the ring of its key. Returns the one behind it that has
 * to be parked as well, or the ring's end.
 */
static struct ring *
take_from_key(struct group *group, struct group_event *event)
{
    struct ring *end = &event->key->waiting;
    struct ring *behind = end;

    if (event->state == GROUP_IN_HAND) {
        if (group->settings.on_park == MSG_PARK_GOES_ON) {
            group_out_of_hand(group, event);
            return end;
        }
        group_take_back(group, event);
    }
    assert(event->state == GROUP_WAITING);
    if (group->settings.on_park == MSG_PARK_WAITS) {
        behind = event->in_key.next;
    }
    ring_take_out(&event->in_key);
    return behind;
}

uint64_t
group_park(struct group *group, struct group_event *event, struct slice reason)
{
    struct group_key *key = event->key;
    struct group_event *near = event;
    struct ring *behind = take_from_key(group, event);
    uint64_t ticket;

    end_replay(group, event);
    rest(group, event, NULL);
    ticket = mark_parked(group, event, false);
    set_reason(event, reason);
    while (behind != &key->waiting) {
        struct group_event *next =
            ring_holder(behind, struct group_event, in_key);

        behind = behind->next;
        ring_take_out(&next->in_key);
        rest_behind(group, next, near);
        near = next;
    }
    group_place_key(group, key);
    return ticket;
}

uint64_t
group_park_for(struct group *group, struct group_event *event, const char *fmt,
               ...)
{
    char reason[ACTA_TEXT_SIZE_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    return group_park(group, event, slice_of(reason));
}

bool
group_must_wait(const struct group *group, const struct group_key *key,
                uint64_t position)
{
    return group->settings.on_park == MSG_PARK_WAITS &&
           !ring_is_empty(&key->parked) &&
           ring_holder(key->parked.next, struct group_event, in_key)->position <
               position;
}

void
group_park_behind(struct group *group, struct group_event *event)
{
    rest_behind(group, event, NULL);
    group_place_key(group, event->key);
}

/* From among the parked ones to those that wait. */
static void
wake(struct group *group, struct group_event *event)
{
    struct group_key *key = event->key;

    ring_take_out(&event->in_key);
    if (ring_is_empty(&key->parked)) {
        ring_take_out(&key->in_parked);
    }
    group_change_state(group, event, GROUP_WAITING);
    group->replaying++;
}

void
group_release(struct group *group, struct group_event *event)
{
    assert(event->is_behind);

    wake(group, event);
    ring_put_first(&event->key->waiting, &event->in_key);
    if (!event->has_row && !event->is_saving) { /* It needs none any more. */
        ring_take_out(&event->dirty);
        group->replaying--;
        event->is_parked = false;
        event->is_behind = false;
    }
}

void
group_stay_parked(struct group *group, struct group_event *event)
{
    rest(group, event, NULL);
    group_place_key(group, event->key);
}

void
group_stop_replay(struct group *group, struct group_event *event)
{
    end_replay(group, event);
    group_stay_parked(group, event);
}

/* At rest, and not for the sake of another. */
static bool
may_be_replayed(const struct group *group, const struct group_event *event)
{
    return event != NULL && event->state == GROUP_PARKED && !event->is_behind &&
           (group->settings.on_park == MSG_PARK_GOES_ON ||
            event->in_key.prev == &event->key->parked);
}

static void
replay(struct group *group, struct group_event *event)
{
    struct group_key *key = event->key;

    event->tries = 0;
    if (group_is_ahead(group, event->position)) {
        event->is_behind = true; /* Of what is read before it. */
        return;
    }
    wake(group, event);
    ring_put_last(&key->waiting, &event->in_key);
    key->replayed++;
    group_place_key(group, key);
}

bool
group_replay(struct group *group, uint64_t position)
{
    struct group_event *event = group_table_find(&group->table, position);

    group->is_open = false;
    if (!may_be_replayed(group, event)) {
        return false;
    }
    replay(group, event);
    return true;
}

bool
group_drop(struct group *group, uint64_t position, uint64_t *ticket)
{
    struct group_event *event = group_table_find(&group->table, position);

    group->is_open = false;
    *ticket = 0;
    if (event == NULL || !event->is_parked ||
        (event->state == GROUP_PARKED && event->is_behind)) {
        return false;
    }
    *ticket = group_done(group, event);
    group->told = *ticket > group->told ? *ticket : group->told;
    return true;
}

/* All of one key. */
static uint64_t
replay_key(struct group *group, struct group_key *key)
{
    uint64_t count = 0;
    struct ring *next;

    for (struct ring *at = key->parked.next; at != &key->parked; at = next) {
        struct group_event *event = ring_holder(at, struct group_event, in_key);

        next = at->next;
        if (may_be_replayed(group, event)) {
            replay(group, event);
            count++;
        } else if (group->settings.on_park == MSG_PARK_WAITS) {
            break; /* So do all behind it. */
        }
    }
    return count;
}

uint64_t
group_replay_all(struct group *group)
{
    uint64_t count = 0;
    struct ring *next;

    group->is_open = false;
    for (struct ring *at = group->parked_keys.next; at != &group->parked_keys;
         at = next) {
        next = at->next;
        count +=
            replay_key(group, ring_holder(at, struct group_key, in_parked));
    }
    return count;
}

/* All of one key, which may be gone then. */
static uint64_t
drop_key(struct group *group, struct group_key *key, uint64_t *ticket)
{
    struct ring *end = &key->parked;
    uint64_t count = 0;
    struct ring *next;

    for (struct ring *at = end->next; at != end; at = next) {
        struct group_event *event = ring_holder(at, struct group_event, in_key);
        uint64_t removed;

        next = at->next;
        if (group_drop(group, event->position, &removed)) {
            *ticket = removed;
            count++;
        }
    }
    return count;
}

uint64_t
group_drop_all(struct group *group, uint64_t *ticket)
{
    uint64_t count = 0;
    struct ring *next;

    *ticket = 0;
    for (struct ring *at = group->parked_keys.next; at != &group->parked_keys;
         at = next) {
        next = at->next;
        count += drop_key(group, ring_holder(at, struct group_key, in_parked),
                          ticket);
    }
    return count;
}

bool
group_parked_state(const struct group *group, uint64_t position,
                   enum msg_parked_state *state)
{
    const struct group_event *event = group_table_find(&group->table, position);

    if (event == NULL || !event->is_parked) {
        return false;
    }
    *state = MSG_PARKED_REPLAYED;
    if (event->state == GROUP_PARKED) {
        *state = event->is_behind ? MSG_PARKED_BEHIND : MSG_PARKED;
    }
    return true;
}
