/* The life of a group, its members and their answers. group_state.h tells where
 * the rest is, and how it hangs together.
 */

#include "group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "group_state.h"

/* ---- its life ---- */

static void
init(struct group *group, const struct consumer *consumer,
     const struct checkpoint_row *row)
{
    struct ring *rings[] = {
        &group->parked_keys, &group->members,    &group->free,
        &group->free_asleep, &group->overloaded, &group->orphans,
        &group->dirty,       &group->pending,
    };

    for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
        ring_init(rings[i]);
    }
    group_pool_init(&group->events, sizeof(struct group_event));
    group_pools_init(&group->records);
    group_keys_init(&group->keys);
    group->timeout_us = UINT64_MAX;

    group->number = consumer->number;
    if (consumer->settings.key_tag.size > 0) {
        memcpy(group->key_tag, consumer->settings.key_tag.data,
               consumer->settings.key_tag.size);
    }
    group_set(group, consumer);

    group->epoch = row->epoch;
    group->read_to = row->position;
    group->touched = row->position;
    group->moved_us = row->moved_us;
}

static uint64_t
max_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What its row calls pending, and the fences that it may have given out. */
static enum acta_code
open_pending(struct group *group, const struct consumer *consumer,
             const struct checkpoint_row *row, struct acta_err *err)
{
    size_t size = row->pending.size;
    enum acta_code code;
    uint64_t fences;

    if (size > 0) {
        group->row_pending = malloc(size);
        if (group->row_pending == NULL) {
            return acta_fail(err, ACTA_MEMORY, "no memory for a group");
        }
        memcpy(group->row_pending, row->pending.data, size);
    }
    code = group_pending_open(&group->to_load, &fences,
                              slice_make(group->row_pending, size),
                              row->position, err);
    group->fence = max_of(max_of(fences, consumer->number),
                          max_of(consumer->created_us, row->moved_us));
    group->fences_reserved = group->fence;
    return code;
}

enum acta_code
group_new(struct group **group, const struct consumer *consumer,
          const struct checkpoint_row *row, const struct group_ports *ports,
          struct acta_err *err)
{
    struct group *made;
    enum acta_code code;

    *group = NULL;
    if (consumer->settings.key_tag.size > ACTA_TAG_SIZE_MAX) {
        return acta_fail(err, ACTA_CORRUPT, "key tag of a group is too long");
    }
    made = malloc(sizeof(*made));
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "no memory for a group");
    }
    *made = (struct group){.ports = *ports};
    init(made, consumer, row);
    code = open_pending(made, consumer, row, err);
    if (code != ACTA_OK) {
        group_free(made);
        return code;
    }
    made->saved_position = group_figures(made).position;
    *group = made;
    return ACTA_OK;
}

void
group_free(struct group *group)
{
    if (group == NULL) {
        return;
    }
    while (!ring_is_empty(&group->members)) {
        struct group_member *member =
            ring_holder(group->members.next, struct group_member, in_members);

        ring_take_out(&member->in_members);
        group_member_free(member);
    }
    for (size_t i = 0; i < group->table.size; i++) {
        for (struct group_event *event = group->table.places[i]; event != NULL;
             event = event->next) {
            group_free_bytes(group, event);
            if (event->is_parked) {
                free(event->reason);
            }
        }
    }
    free(group->buckets);
    group_table_fini(&group->table);
    group_heap_fini(&group->delays);
    group_keys_fini(&group->keys);
    group_pools_fini(&group->records);
    group_pool_fini(&group->events);
    free(group->row_pending);
    free(group->saving);
    free(group);
}

void
group_see_time(struct group *group, uint64_t now_us, uint64_t wall_us)
{
    assert(now_us >= group->now_us);

    group->now_us = now_us;
    group->wall_us = wall_us;
}

void
group_set(struct group *group, const struct consumer *consumer)
{
    size_t key_tag_size = consumer->settings.key_tag.size;

    group->settings = consumer->settings;
    group->settings.key_tag = slice_make(group->key_tag, key_tag_size);
    group->is_paused = consumer->is_paused;
    group->timeout_us = 0; /* Look again. */
    group_meet_parked(group);
    group->is_open = false;
}

/* An event that has no row is read again, if it is behind the position. */
static void
forget(struct group *group, struct group_event *event)
{
    if (event->state == GROUP_IN_HAND) {
        group_out_of_hand(group, event);
        group_change_state(group, event, GROUP_WAITING);
    } else if (event->state == GROUP_DELAYED) {
        group_heap_remove(&group->delays, event);
        group_change_state(group, event, GROUP_WAITING);
    }
    ring_take_out(&event->in_pending);
    if (event->state == GROUP_PARKED) {
        return;
    }
    ring_take_out(&event->in_key);
    if (event->is_parked) {
        group_stop_replay(group, event);
    } else {
        (void)group_done(group, event); /* It has no row. */
    }
}

void
group_reset(struct group *group, uint64_t epoch, uint64_t position)
{
    struct group_event *next;

    group->is_open = false;
    group->met = max_of(group->met, group->read_to);
    group->to_load = (struct group_pending_reader){0};
    for (struct ring *at = group->members.next; at != &group->members;
         at = at->next) {
        group_make_heavy(group,
                         ring_holder(at, struct group_member, in_members));
    }
    for (size_t i = 0; i < group->table.size; i++) {
        for (struct group_event *event = group->table.places[i]; event != NULL;
             event = next) {
            next = event->next;
            forget(group, event);
        }
    }
    group->epoch = epoch;
    group->read_to = position;
    group->touched = position;
    group_meet_parked(group);
    group->fences_reserved = group->fence; /* The new row has no reserve, */
    group->fences_saving = group->fence;   /* nor has one that it replaced. */
    group->is_changed = true;
}

/* ---- members ---- */

struct group_member *
group_join(struct group *group, uint64_t slots, struct slice name, void *user)
{
    struct group_member *member = group_member_new(slots, name, user);

    group->is_open = false;
    if (member == NULL) {
        return NULL;
    }
    member->joined_us = group->wall_us;
    ring_put_last(&group->members, &member->in_members);
    group->members_count++;
    group->awake_count++;
    group_place_member(group, member);
    return member;
}

static void
lose_buckets(struct group *group, const struct group_member *member)
{
    for (size_t i = 0; group->buckets != NULL && i < GROUP_BUCKETS; i++) {
        if (group->buckets[i] == member) {
            group->buckets[i] = NULL;
        }
    }
}

/* What it had waits again, in the order that it was in; then what was tried
 * often enough is parked, the first of each key first.
 */
static void
take_all_back(struct group *group, struct group_member *member, bool died)
{
    struct ring taken;
    struct group_event *event;

    ring_init(&taken);
    group_make_heavy(group, member);
    while (!ring_is_empty(&member->in_hand)) {
        event = ring_holder(member->in_hand.prev, struct group_event, in_hand);
        group_take_back(group, event); /* None is behind it. */
        event->tries -= died ? 0 : 1;
        ring_put_first(&taken, &event->in_hand);
    }
    while (!ring_is_empty(&taken)) {
        event = ring_holder(taken.next, struct group_event, in_hand);
        ring_take_out(&event->in_hand);
        if (event->state == GROUP_WAITING && died &&
            event->tries >= group->settings.deliveries_max) {
            group_park_for(group, event, "its member was lost, at delivery %u",
                           (unsigned)event->deliveries);
        }
    }
}

void
group_leave(struct group *group, struct group_member *member, bool died)
{
    group->is_open = false;
    lose_buckets(group, member);
    take_all_back(group, member, died);
    ring_move_all(&group->orphans, &member->ready);
    assert(ring_is_empty(&member->held_ready));

    ring_take_out(&member->in_overloaded);
    ring_take_out(&member->in_free);
    ring_take_out(&member->in_members);
    group->members_count--;
    group->is_changed = true; /* Fewer fences are to be reserved. */
    group->awake_count -= member->is_asleep ? 0 : 1;
    group_member_free(member);
}

struct group_member *
group_next_member(const struct group *group, const struct group_member *member)
{
    struct ring *next =
        member == NULL ? group->members.next : member->in_members.next;

    return next == &group->members
               ? NULL
               : ring_holder(next, struct group_member, in_members);
}

/* ---- answers ---- */

static uint64_t
ack_up_to(struct group *group, struct group_member *member,
          const struct group_event *last, uint64_t *settled)
{
    struct group_event *event;
    uint64_t ticket = 0;

    do {
        event = group_member_first(member);
        ticket = max_of(ticket, group_done(group, event));
        ++*settled;
    } while (event != last);
    return ticket;
}

/* As ack_up_to(), for a light one: all others are before it. */
static uint64_t
ack_up_to_light(struct group *group, struct group_member *member,
                const struct group_light *last, uint64_t *settled)
{
    struct group_light *light;
    uint64_t ticket = 0;

    if (!ring_is_empty(&member->in_hand)) {
        ticket = ack_up_to(
            group, member,
            ring_holder(member->in_hand.prev, struct group_event, in_hand),
            settled);
    }
    do {
        light = group_lane_first(&member->lane);
        group_lane_fetch_key(&member->lane);
        group_light_done(group, member, light);
        ++*settled;
    } while (light != last);
    return ticket;
}

/* It waits, and nothing of its key goes past it. */
static uint64_t
retry(struct group *group, struct group_event *event, uint64_t delay_us)
{
    if (event->tries >= group->settings.deliveries_max) {
        return group_park_for(group, event, "to be retried, at delivery %u",
                              (unsigned)event->deliveries);
    }
    group_take_back(group, event);
    if (delay_us > 0) {
        event->time_us = group->now_us + delay_us;
        group_change_state(group, event, GROUP_DELAYED);
        group_heap_add(&group->delays, event);
        group_place_key(group, event->key);
    }
    return 0;
}

/* The answer to an event that is in its hand. */
static uint64_t
settle(struct group *group, struct group_member *member,
       struct group_event *event, const struct msg_answer *answer,
       uint64_t *settled)
{
    *settled = 1;
    switch (answer->kind) {
    case MSG_ACK:
    case MSG_SKIP:
        return group_done(group, event);
    case MSG_ACK_UP_TO:
        *settled = 0;
        return ack_up_to(group, member, event, settled);
    case MSG_RETRY:
        return retry(group, event, answer->delay_us);
    case MSG_PARK:
        return group_park(group, event, answer->reason);
    }
    return 0;
}

/* The same for a light one. */
static uint64_t
settle_light(struct group *group, struct group_member *member,
             struct group_light *light, const struct msg_answer *answer,
             uint64_t *settled)
{
    uint64_t position = light->position;
    uint64_t ticket = 0;

    if (answer->kind == MSG_RETRY || answer->kind == MSG_PARK) {
        group_make_heavy(group, member);
        return settle(group, member, group_table_find(&group->table, position),
                      answer, settled);
    }
    if (answer->kind == MSG_ACK_UP_TO) {
        ticket = ack_up_to_light(group, member, light, settled);
    } else {
        group_light_done(group, member, light);
        *settled = 1;
    }
    group_place_member(group, member);
    return ticket;
}

static bool
is_in_hand(const struct group_event *event, const struct group_member *member,
           uint64_t fence)
{
    return event != NULL && event->state == GROUP_IN_HAND &&
           event->key->member == member && event->fence == fence;
}

enum acta_code
group_settle(struct group *group, struct group_member *member,
             const struct msg_answer *answer, uint64_t *settled,
             uint64_t *ticket)
{
    struct group_light *light =
        group_lane_find(&member->lane, answer->position, answer->fence);
    struct group_event *event;

    group->is_open = false;
    group_let_sleep(group, member, false);
    *settled = 0;
    *ticket = 0;
    if (light != NULL) {
        *ticket = settle_light(group, member, light, answer, settled);
    } else {
        event = group_table_find(&group->table, answer->position);
        if (!is_in_hand(event, member, answer->fence)) {
            return ACTA_FENCED;
        }
        *ticket = settle(group, member, event, answer, settled);
    }
    if (answer->kind == MSG_ACK || answer->kind == MSG_ACK_UP_TO) {
        member->acked += *settled;
    }
    group->told = max_of(group->told, *ticket);
    return ACTA_OK;
}

/* ---- time ---- */

/* The oldest of a member was not answered in time. Its key goes to another, if
 * there is one.
 */
static void
time_out(struct group *group, struct group_member *member,
         struct group_event *event)
{
    group_let_sleep(group, member, true);
    if (group_owner(group, event->key) == member) {
        group->buckets[group_key_bucket(event->key->hash)] = NULL;
    }
    if (event->tries >= group->settings.deliveries_max) {
        group_park_for(group, event, "not answered in time, at delivery %u",
                       (unsigned)event->deliveries);
    } else {
        group_take_back(group, event);
    }
}

/* When the first time-out of a member passes, or UINT64_MAX. */
static uint64_t
deadline_of(const struct group *group, const struct group_member *member)
{
    const struct group_event *event = group_member_first(member);
    const struct group_light *light = group_lane_first(&member->lane);

    if (event != NULL) {
        return event->time_us + group->settings.ack_timeout_us;
    }
    return light == NULL ? UINT64_MAX
                         : light->time_us + group->settings.ack_timeout_us;
}

static void
end_overdue(struct group *group)
{
    if (group->now_us < group->timeout_us) {
        return;
    }
    group->timeout_us = UINT64_MAX;
    for (struct ring *at = group->members.next; at != &group->members;
         at = at->next) {
        struct group_member *member =
            ring_holder(at, struct group_member, in_members);

        while (deadline_of(group, member) <= group->now_us) {
            group_make_heavy(group, member);
            time_out(group, member, group_member_first(member));
        }
        if (deadline_of(group, member) < group->timeout_us) {
            group->timeout_us = deadline_of(group, member);
        }
    }
}

static void
end_delays(struct group *group)
{
    struct group_event *event;

    while ((event = group_heap_first(&group->delays)) != NULL &&
           event->time_us <= group->now_us) {
        group_heap_remove(&group->delays, event);
        group_change_state(group, event, GROUP_WAITING);
        group_place_key(group, event->key);
    }
}

uint64_t
group_tick(struct group *group)
{
    uint64_t next_us;

    group->is_open = false;
    end_overdue(group);
    end_delays(group);

    next_us = group->timeout_us;
    if (group_heap_first(&group->delays) != NULL &&
        group_heap_first(&group->delays)->time_us < next_us) {
        next_us = group_heap_first(&group->delays)->time_us;
    }
    if (group_save_time(group) < next_us) {
        next_us = group_save_time(group);
    }
    return next_us;
}

enum acta_code
group_begin(struct group *group, struct acta_err *err)
{
    enum acta_code code;

    group->is_open = !group->is_paused && group->members_count > 0 &&
                     group->fence < group->fences_reserved;
    if (!group->is_open) {
        return ACTA_OK;
    }
    group->fence++;
    code = group_hand_waiting(group, err);
    group->is_open = code == ACTA_OK;
    return code;
}

/* ---- figures ---- */

/* The first event that is neither done nor durably parked. */
static bool
first_pending(const struct group *group, uint64_t *position)
{
    struct group_pending pending;

    if (group_first_pending(group, position)) {
        return true;
    }
    *position = 0;
    if (!group_pending_peek(&group->to_load, &pending)) {
        return false;
    }
    *position = pending.position;
    return true;
}

uint64_t
group_in_hand(const struct group *group)
{
    return group->counts[GROUP_IN_HAND];
}

struct group_figures
group_figures(const struct group *group)
{
    uint64_t position;

    return (struct group_figures){
        .position =
            first_pending(group, &position) ? position - 1 : group->read_to,
        .epoch = group->epoch,
        .members = group->members_count,
        .in_hand = group->counts[GROUP_IN_HAND],
        .delayed = group->counts[GROUP_DELAYED],
        .parked = group->counts[GROUP_PARKED] + group->replaying,
        .waiting = group->counts[GROUP_WAITING],
        .unloaded = group_pending_count(&group->to_load),
        .moved_us = group->moved_us,
    };
}

enum acta_code
group_row_position(const struct checkpoint_row *row, uint64_t *position,
                   struct acta_err *err)
{
    struct group_pending_reader reader;
    struct group_pending pending;
    uint64_t fences;
    enum acta_code code =
        group_pending_open(&reader, &fences, row->pending, row->position, err);

    *position = row->position;
    if (code == ACTA_OK && group_pending_peek(&reader, &pending)) {
        *position = pending.position - 1;
    }
    return code;
}
