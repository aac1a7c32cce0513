#include "memory_group.h"

#include <stdlib.h>

struct memory_group *
group_new(struct acta_memory *memory, struct memory_consumer *consumer)
{
    struct memory_group *group = memory_alloc(sizeof(*group));

    group->memory = memory;
    group->consumer = consumer;
    group->told_position = consumer->position;
    TAILQ_INIT(&group->items);
    TAILQ_INIT(&group->members);
    return group;
}

static void
free_member(struct group_member *member)
{
    TAILQ_REMOVE(&member->group->members, member, in_group);
    member->connection->members_count--;
    memory_free_copy(&member->name);
    free(member);
}

void
group_free(struct memory_group *group)
{
    struct group_member *member;
    struct group_item *item;

    while ((item = TAILQ_FIRST(&group->items)) != NULL) {
        group_done(group, item);
    }
    while ((member = TAILQ_FIRST(&group->members)) != NULL) {
        member_tell_gone(member);
        free_member(member);
    }
    table_fini(&group->keys);
    free(group);
}

void
group_reset(struct memory_group *group)
{
    struct group_item *next;

    for (struct group_item *item = TAILQ_FIRST(&group->items); item != NULL;
         item = next) {
        next = TAILQ_NEXT(item, in_group);
        if (!item->is_parked) {
            group_done(group, item);
        } else if (item->state != ITEM_AT_REST) {
            group_take_back(item);
            item->state = ITEM_AT_REST;
        }
    }
}

uint64_t
group_position(const struct memory_group *group)
{
    const struct group_item *item;

    TAILQ_FOREACH(item, &group->items, in_group)
    {
        if (!item->is_parked) {
            return item->position - 1;
        }
    }
    return group->consumer->position;
}

/* ---- members ---- */

struct group_member *
group_join(struct memory_group *group, struct memory_connection *connection,
           uint64_t request_id, const struct msg_join *join)
{
    struct group_member *member = memory_alloc(sizeof(*member));

    member->group = group;
    member->connection = connection;
    member->request_id = request_id;
    member->slots = join->slots;
    member->name = memory_copy(join->member);
    member->joined_us = group->memory->now_us;
    connection->members_count++;
    TAILQ_INSERT_TAIL(&group->members, member, in_group);
    return member;
}

/* What it had waits again; what was tried often enough is parked. */
void
group_leave(struct group_member *member, bool died)
{
    struct memory_group *group = member->group;
    struct group_item *item;

    TAILQ_FOREACH(item, &group->items, in_group)
    {
        if (item->member != member) {
            continue;
        }
        member->in_hand--;
        item->key->in_hand--;
        item->member = NULL;
        item->state = ITEM_WAITING;
        item->tries -= died ? 0 : 1;
    }
    TAILQ_FOREACH(item, &group->items, in_group)
    {
        /* Only what it had can have been tried so often, and wait. */
        if (died && item->state == ITEM_WAITING) {
            group_park_if_tried(group, item, "its member was lost");
        }
    }
    free_member(member);
}

/* ---- answers ---- */

static void
retry(struct memory_group *group, struct group_item *item, uint64_t delay_us)
{
    if (group_park_if_tried(group, item, "to be retried")) {
        return;
    }
    group_take_back(item);
    if (delay_us > 0) {
        item->state = ITEM_DELAYED;
        item->until_us = group->memory->now_us + delay_us;
    }
}

/* All that was handed to the member up to this one. */
static uint64_t
ack_up_to(struct memory_group *group, struct group_member *member,
          const struct group_item *last)
{
    uint64_t last_fence = last->fence, last_position = last->position;
    struct group_item *next;
    uint64_t count = 0;

    for (struct group_item *item = TAILQ_FIRST(&group->items); item != NULL;
         item = next) {
        next = TAILQ_NEXT(item, in_group);
        if (item->member == member &&
            (item->fence < last_fence ||
             (item->fence == last_fence && item->position <= last_position))) {
            group_done(group, item);
            count++;
        }
    }
    return count;
}

bool
group_settle(struct group_member *member, const struct msg_answer *answer,
             uint64_t *settled)
{
    struct memory_group *group = member->group;
    struct group_item *item = group_find(group, answer->position);

    member->is_late = false;
    *settled = 0;
    if (item == NULL || item->member != member ||
        item->fence != answer->fence) {
        return false;
    }
    *settled = 1;
    switch (answer->kind) {
    case MSG_ACK:
        group_done(group, item);
        member->acked++;
        break;
    case MSG_ACK_UP_TO:
        *settled = ack_up_to(group, member, item);
        member->acked += *settled;
        break;
    case MSG_RETRY:
        retry(group, item, answer->delay_us);
        break;
    case MSG_PARK:
        group_park(group, item, answer->reason);
        break;
    case MSG_SKIP:
        group_done(group, item);
        break;
    }
    return true;
}
