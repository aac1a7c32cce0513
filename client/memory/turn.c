/* What a group does by itself: what is due by the time, and handing out. */

#include "limit.h"
#include "memory_group.h"

/* ---- time ---- */

static uint64_t
due_of(const struct memory_group *group, const struct group_item *item)
{
    switch (item->state) {
    case ITEM_IN_HAND:
        return item->handed_us + group->consumer->settings.ack_timeout_us;
    case ITEM_DELAYED:
        return item->until_us;
    case ITEM_WAITING:
    case ITEM_AT_REST:
        break;
    }
    return UINT64_MAX;
}

static uint64_t
group_due(const struct memory_group *group)
{
    const struct group_item *item;
    uint64_t due_us = UINT64_MAX;

    TAILQ_FOREACH(item, &group->items, in_group)
    {
        uint64_t item_due_us = due_of(group, item);

        due_us = item_due_us < due_us ? item_due_us : due_us;
    }
    return due_us;
}

static void
end_due(struct memory_group *group)
{
    struct group_item *item;

    TAILQ_FOREACH(item, &group->items, in_group)
    {
        if (due_of(group, item) > group->memory->now_us) {
            continue;
        }
        if (item->state == ITEM_DELAYED) {
            item->state = ITEM_WAITING;
            continue;
        }
        item->member->is_late = true;
        if (!group_park_if_tried(group, item, "not answered in time")) {
            group_take_back(item);
        }
    }
}

/* ---- handing out ---- */

static bool
has_room(const struct group_member *member, uint64_t size)
{
    return member->in_hand < member->slots &&
           (member->in_hand == 0 ||
            member->in_hand_size + size <= ACTA_SLOTS_SIZE_MAX);
}

/* The member with the most free slots. One that is late gets something only if
 * all are.
 */
static struct group_member *
choose(const struct memory_group *group, uint64_t size)
{
    struct group_member *member, *best = NULL;
    bool all_late = true;

    TAILQ_FOREACH(member, &group->members, in_group)
    {
        all_late = all_late && member->is_late;
    }
    TAILQ_FOREACH(member, &group->members, in_group)
    {
        if ((all_late || !member->is_late) && has_room(member, size) &&
            (best == NULL ||
             member->slots - member->in_hand > best->slots - best->in_hand)) {
            best = member;
        }
    }
    return best;
}

static void
hand(struct memory_group *group, struct group_item *item,
     struct group_member *member, uint64_t fence)
{
    item->state = ITEM_IN_HAND;
    item->member = member;
    item->fence = fence;
    item->handed_us = group->memory->now_us;
    item->handed++;
    item->tries++;
    item->key->in_hand++;
    item->key->holder = member;
    member->in_hand++;
    member->in_hand_size += item->kept->record.size;
}

/* Hand it out, if its key lets it. False: nobody has room. */
static bool
try_to_hand(struct memory_group *group, struct group_item *item, uint64_t fence)
{
    struct group_key *key = item->key;
    uint64_t size = item->kept->record.size;
    struct group_member *member;

    if (item->state == ITEM_AT_REST || key->blocked == group->turn) {
        return true;
    }
    if (item->state == ITEM_IN_HAND) {
        return true;
    }
    member = key->in_hand > 0 ? key->holder : choose(group, size);
    if (item->state == ITEM_WAITING && member != NULL &&
        has_room(member, size)) {
        hand(group, item, member, fence);
        return true;
    }
    key->blocked = group->turn;
    return choose(group, 0) != NULL;
}

/* The next event that is wanted; NULL: there is none, or no room for it. */
static struct group_item *
read_next(struct memory_group *group)
{
    struct memory_consumer *consumer = group->consumer;
    const struct acta_memory *memory = group->memory;

    while (consumer->position < memory_head(memory) &&
           group->parked_count < ACTA_GROUP_PARKED_MAX &&
           group->items_count - group->parked_count < ACTA_GROUP_PENDING_MAX) {
        struct memory_event *kept = memory_at(memory, ++consumer->position);
        struct group_item *item;

        if (memory_hides(memory, kept) ||
            !query_matches(&consumer->query, &kept->event) ||
            group_find(group, consumer->position) != NULL) {
            continue;
        }
        item = group_add(group, kept);
        if (!group_must_wait(group, item)) {
            return item;
        }
        group_park_behind(group, item);
    }
    return NULL;
}

static void
hand_out(struct memory_group *group)
{
    uint64_t fence = group->memory->counter + 1;
    struct group_item *item = TAILQ_FIRST(&group->items);
    struct group_member *member;
    bool is_room = choose(group, 0) != NULL;

    group->turn++;
    while (is_room && item != NULL) {
        struct group_item *next = TAILQ_NEXT(item, in_group);

        if (item->state == ITEM_WAITING &&
            memory_hides(group->memory, item->kept)) {
            group_done(group, item);
        } else {
            is_room = try_to_hand(group, item, fence);
        }
        item = next;
    }
    while (is_room && (item = read_next(group)) != NULL) {
        is_room = try_to_hand(group, item, fence) && choose(group, 0) != NULL;
    }
    TAILQ_FOREACH(member, &group->members, in_group)
    {
        member_tell_handed(member, fence);
    }
    group->memory->counter = fence;
}

static void
group_turn(struct memory_group *group)
{
    end_due(group);
    if (!group->consumer->is_paused && !TAILQ_EMPTY(&group->members)) {
        hand_out(group);
    }
    if (group_position(group) != group->told_position) {
        group->told_position = group_position(group);
        group->consumer->changed_us = group->memory->now_us;
    }
}

/* ---- all groups ---- */

static struct memory_group *
group_at(const struct acta_memory *memory, size_t index)
{
    return ((struct memory_consumer *)memory->consumers.entries[index])->group;
}

uint64_t
memory_groups_due(const struct acta_memory *memory)
{
    uint64_t due_us = UINT64_MAX;

    for (size_t i = 0; i < memory->consumers.count; i++) {
        const struct memory_group *group = group_at(memory, i);
        uint64_t group_due_us = group == NULL ? UINT64_MAX : group_due(group);

        due_us = group_due_us < due_us ? group_due_us : due_us;
    }
    return due_us;
}

void
memory_turn_groups(struct acta_memory *memory)
{
    for (size_t i = 0; i < memory->consumers.count; i++) {
        struct memory_group *group = group_at(memory, i);

        if (group != NULL) {
            group_turn(group);
        }
    }
}
