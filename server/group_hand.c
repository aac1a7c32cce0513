/* Who gets what: keys that have something to hand out, and members that have
 * room, find each other here.
 *
 * A key that is ready is in one of these lists: that of its member, if there
 * are events of it in hand, since nobody else may have the next one; that of
 * the member that has its bucket; or the orphans, if nobody has it. A member
 * with room takes from its own two lists in turn, so that a key with many
 * events does not hold up the others. Only when these are empty it takes what
 * is another's, and the bucket with it.
 *
 * At rest there is no key that is ready in nobody's hand while a member has
 * room. So an event that has just been read, and is its key's only one, is
 * handed out without being put in any list.
 */

#include <assert.h>
#include <stdlib.h>

#include "group_state.h"

_Static_assert(ACTA_SLOTS_MAX <= UINT16_MAX, "a key counts its light events");

/* ---- members ---- */

static bool
is_usable(const struct group *group, const struct group_member *member)
{
    return group_member_has_room(member) &&
           (!member->is_asleep || group->awake_count == 0);
}

static struct ring *
usable_ring(struct group *group)
{
    return group->awake_count > 0 ? &group->free : &group->free_asleep;
}

/* Is there a member that takes events now? */
static bool
has_room(const struct group *group)
{
    return !ring_is_empty(group->awake_count > 0 ? &group->free
                                                 : &group->free_asleep);
}

uint64_t
group_room(const struct group *group)
{
    const struct ring *ring =
        group->awake_count > 0 ? &group->free : &group->free_asleep;
    uint64_t room = 0;

    for (struct ring *at = ring->next; at != ring; at = at->next) {
        struct group_member *member =
            ring_holder(at, struct group_member, in_free);

        room += member->slots_now - member->in_hand_count;
    }
    return room;
}

void
group_place_member(struct group *group, struct group_member *member)
{
    bool is_free = !ring_is_empty(&member->in_free);

    if (group_member_has_room(member) == is_free) {
        return;
    }
    if (is_free) {
        ring_take_out(&member->in_free);
        return;
    }
    ring_put_last(member->is_asleep ? &group->free_asleep : &group->free,
                  &member->in_free);
}

void
group_let_sleep(struct group *group, struct group_member *member,
                bool is_asleep)
{
    if (member->is_asleep == is_asleep) {
        return;
    }
    member->is_asleep = is_asleep;
    group->awake_count += is_asleep ? UINT64_MAX : 1;
    ring_take_out(&member->in_free);
    group_place_member(group, member);
}

/* Slots tell it, which are looked at anyway: most members are never held. */
void
group_hold(struct group *group, struct group_member *member, bool is_held)
{
    member->slots_now = is_held ? 0 : member->slots;
    group_place_member(group, member);
}

/* A group that never had anything to hand out has no buckets: they are most of
 * what it would take. Without memory for them keys do not stay with a member.
 */
static bool
has_buckets(struct group *group)
{
    if (group->buckets == NULL) {
        group->buckets = calloc(GROUP_BUCKETS, sizeof(struct group_member *));
    }
    return group->buckets != NULL;
}

/* The next one in turn, which then has the bucket. */
static struct group_member *
take_bucket(struct group *group, size_t bucket)
{
    struct ring *ring = usable_ring(group);
    struct group_member *member;

    if (ring_is_empty(ring)) {
        return NULL;
    }
    member = ring_holder(ring->next, struct group_member, in_free);
    ring_take_out(&member->in_free);
    ring_put_last(ring, &member->in_free);
    if (has_buckets(group)) {
        group->buckets[bucket] = member;
    }
    return member;
}

/* Who gets the key's next event now; NULL: nobody. */
static struct group_member *
member_for(struct group *group, const struct group_key *key)
{
    struct group_member *owner = group_owner(group, key);

    if (key->member != NULL) {
        return is_usable(group, key->member) ? key->member : NULL;
    }
    if (owner != NULL && is_usable(group, owner)) {
        return owner;
    }
    return take_bucket(group, group_key_bucket(key->hash));
}

/* ---- keys ---- */

/* The event to hand out next; NULL: none, or it has to wait. */
static struct group_event *
next_of(const struct group *group, struct group_key *key)
{
    struct group_event *waiting = group_key_first(&key->waiting);
    struct group_event *behind = group_key_first(&key->parked);

    if (behind != NULL && behind->is_behind && key->replayed == 0 &&
        !group_is_loading(group) && !group_is_ahead(group, behind->position) &&
        (waiting == NULL || behind->position < waiting->position)) {
        return behind;
    }
    if (waiting == NULL || waiting->state != GROUP_WAITING) {
        return NULL;
    }
    /* What comes from rows may be before it. */
    return waiting->is_parked && group_is_loading(group) ? NULL : waiting;
}

/* It waits for what is read before it. */
static void
note_ahead(struct group *group, struct group_key *key)
{
    struct group_event *parked = group_key_first(&key->parked);

    if (parked != NULL && group_is_ahead(group, parked->position) &&
        parked->position < group->ahead) {
        group->ahead = parked->position;
    }
}

void
group_place_key(struct group *group, struct group_key *key)
{
    struct group_member *owner = group_owner(group, key);

    ring_take_out(&key->ready);
    if (next_of(group, key) == NULL) {
        note_ahead(group, key);
        return;
    }
    if (key->member != NULL) {
        ring_put_last(&key->member->held_ready, &key->ready);
        return;
    }
    if (owner == NULL) {
        ring_put_last(&group->orphans, &key->ready);
        return;
    }
    ring_put_last(&owner->ready, &key->ready);
    if (ring_is_empty(&owner->in_overloaded)) {
        ring_put_last(&group->overloaded, &owner->in_overloaded);
    }
}

static struct group_key *
first_ready(const struct ring *ring)
{
    return ring_is_empty(ring)
               ? NULL
               : ring_holder(ring->next, struct group_key, ready);
}

/* A key of the member's own. */
static struct group_key *
own_ready(struct group_member *member)
{
    struct group_key *held = first_ready(&member->held_ready);
    struct group_key *free = first_ready(&member->ready);

    member->takes_held = !member->takes_held;
    if (held == NULL || free == NULL) {
        return held == NULL ? free : held;
    }
    return member->takes_held ? held : free;
}

/* A key that nobody has events of. */
static struct group_key *
any_ready(struct group *group)
{
    struct group_key *key = first_ready(&group->orphans);

    while (key == NULL && !ring_is_empty(&group->overloaded)) {
        struct group_member *member = ring_holder(
            group->overloaded.next, struct group_member, in_overloaded);

        key = first_ready(&member->ready);
        if (key == NULL) {
            ring_take_out(&member->in_overloaded);
        }
    }
    return key;
}

/* ---- handing out ---- */

/* The next event of @key at @position, of @size bytes, goes to @member. */
static void
count_handed(struct group *group, struct group_key *key,
             struct group_member *member, uint64_t position, size_t size)
{
    uint64_t deadline_us = group->now_us + group->settings.ack_timeout_us;

    assert(key->member == NULL || key->member == member);

    key->member = member;
    group_touch(group, position);
    if (deadline_us < group->timeout_us) {
        group->timeout_us = deadline_us;
    }
    member->in_hand_count++;
    member->in_hand_size += size;
    group_place_member(group, member);
}

static bool
hand_light(struct group *group, struct group_key *key,
           struct group_member *member, uint64_t position, struct slice record,
           bool has_waited)
{
    struct group_light light = {
        .position = position,
        .key = key,
        .fence = group->fence,
        .time_us = group->now_us,
        .size = (uint32_t)record.size,
        .has_waited = has_waited,
    };

    if (!group_lane_is_next(&member->lane, &light) ||
        !group_reserve_event(group) || !group_lane_put(&member->lane, &light)) {
        return false;
    }
    key->light++;
    group->light++;
    group->counts[GROUP_IN_HAND]++;
    count_handed(group, key, member, position, record.size);
    group->ports.hand(group->ports.user, member->user, light.fence, 1, record);
    return true;
}

/* As a light one, if it was never handed out and has no row. */
static bool
hand_first_time(struct group *group, struct group_event *event,
                struct group_member *member, struct slice record)
{
    if (event->deliveries > 0 || event->is_parked ||
        !hand_light(group, event->key, member, event->position, record, true)) {
        return false;
    }
    group->counts[event->state]--;
    group_table_remove(&group->table, event);
    ring_take_out(&event->in_pending);
    group_free_bytes(group, event);
    group_pool_give(&group->events, event);
    return true;
}

/* @event is the one that waited first; it is in no ring. */
static void
hand(struct group *group, struct group_event *event,
     struct group_member *member, struct slice record)
{
    struct group_key *key = event->key;

    if (hand_first_time(group, event, member, record)) {
        return;
    }
    group_make_heavy(group, member);
    group_change_state(group, event, GROUP_IN_HAND);
    ring_put_last(&key->in_hand, &event->in_key);
    ring_put_last(&member->in_hand, &event->in_hand);
    event->fence = group->fence;
    event->time_us = group->now_us;
    event->deliveries++;
    event->tries++;
    count_handed(group, key, member, event->position, event->size);
    group->ports.hand(group->ports.user, member->user, event->fence,
                      event->deliveries, record);
    group_free_bytes(group, event);
}

/* The record of an event that waits. */
static enum acta_code
record_of(struct group *group, const struct group_event *event,
          struct slice *record, struct acta_err *err)
{
    if (event->bytes != NULL) {
        *record = slice_make(event->bytes, event->size);
        return ACTA_OK;
    }
    return group->ports.fetch(group->ports.user, event->position, record, err);
}

/* Hand out the next event of a key that is ready. */
static enum acta_code
hand_next(struct group *group, struct group_key *key, struct acta_err *err)
{
    struct group_event *event = next_of(group, key);
    struct group_member *member;
    struct slice record;
    enum acta_code code;

    if (event->state == GROUP_PARKED) {
        group_release(group, event);
    }
    code = record_of(group, event, &record, err);
    if (code == ACTA_NOT_FOUND) {
        (void)group_done(group, event); /* Nobody waits for it. */
        return ACTA_OK;
    }
    if (code == ACTA_CORRUPT) {
        group_park_for(group, event, "its record is damaged");
        return ACTA_OK;
    }
    if (code != ACTA_OK) {
        return code;
    }

    member = member_for(group, key);
    assert(member != NULL);
    ring_take_out(&event->in_key);
    if (event->bytes == NULL) {
        event->size = (uint32_t)record.size;
    }
    hand(group, event, member, record);
    group_place_key(group, key);
    return ACTA_OK;
}

/* Hand out what members have a right to, and then what others left. Returns
 * whether there was anything.
 */
static bool
hand_round(struct group *group, enum acta_code *code, struct acta_err *err)
{
    bool has_handed = false;
    struct group_key *key;

    for (struct ring *at = group->members.next; at != &group->members;
         at = at->next) {
        struct group_member *member =
            ring_holder(at, struct group_member, in_members);

        while (*code == ACTA_OK && is_usable(group, member) &&
               (key = own_ready(member)) != NULL) {
            *code = hand_next(group, key, err);
            has_handed = true;
        }
    }
    while (*code == ACTA_OK && has_room(group) &&
           (key = any_ready(group)) != NULL) {
        *code = hand_next(group, key, err);
        has_handed = true;
    }
    return has_handed;
}

enum acta_code
group_hand_waiting(struct group *group, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    /* Who took a key from another goes on with it in the next round. */
    while (hand_round(group, &code, err) && code == ACTA_OK) {
    }
    return code;
}

struct group_member *
group_member_for_new(struct group *group, const struct group_key *key)
{
    return group->is_open && ring_is_empty(&key->waiting)
               ? member_for(group, key)
               : NULL;
}

bool
group_hand_new(struct group *group, struct group_key *key,
               struct group_member *member, uint64_t position,
               struct slice record)
{
    return hand_light(group, key, member, position, record, false);
}
