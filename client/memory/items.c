/* Events of a group: from being read to being done. */

#include <stdio.h>
#include <stdlib.h>

#include "memory_group.h"

struct group_item *
group_find(const struct memory_group *group, uint64_t position)
{
    struct group_item *item;

    TAILQ_FOREACH(item, &group->items, in_group)
    {
        if (item->position >= position) {
            return item->position == position ? item : NULL;
        }
    }
    return NULL;
}

/* Its first tag that begins with the key tag, else its stream. */
static struct slice
key_of(const struct memory_group *group, const struct event *event)
{
    struct slice key_tag = group->consumer->settings.key_tag;
    struct slice tags = event->tags;

    for (size_t i = 0; key_tag.size > 0 && i < event->tags_count; i++) {
        struct slice tag = event_tag(&tags);

        if (slice_starts_with(tag, key_tag)) {
            return tag;
        }
    }
    return event->stream;
}

struct group_item *
group_add(struct memory_group *group, struct memory_event *kept)
{
    struct slice name = key_of(group, &kept->event);
    struct group_key *key = table_find(&group->keys, name);
    struct group_item *item = memory_alloc(sizeof(*item));
    struct group_item *before = TAILQ_LAST(&group->items, group_items);

    if (key == NULL) {
        key = memory_alloc(sizeof(*key));
        table_put(&group->keys, &key->named, name);
    }
    key->items_count++;
    item->kept = kept;
    item->position = kept->event.position;
    item->key = key;
    /* After a reset there may be parked ones behind it. */
    while (before != NULL && before->position > item->position) {
        before = TAILQ_PREV(before, group_items, in_group);
    }
    if (before == NULL) {
        TAILQ_INSERT_HEAD(&group->items, item, in_group);
    } else {
        TAILQ_INSERT_AFTER(&group->items, before, item, in_group);
    }
    group->items_count++;
    return item;
}

static void
out_of_hand(struct group_item *item)
{
    if (item->state == ITEM_IN_HAND) {
        item->member->in_hand--;
        item->member->in_hand_size -= item->kept->record.size;
        item->key->in_hand--;
        item->member = NULL;
        item->state = ITEM_WAITING;
    }
}

/* The first parked event of the key goes on if it is one that has waited. */
static void
release(struct memory_group *group, struct group_key *key)
{
    struct group_item *item;

    TAILQ_FOREACH(item, &group->items, in_group)
    {
        if (item->key == key && item->is_parked) {
            if (item->state == ITEM_AT_REST && item->is_behind) {
                item->state = ITEM_WAITING;
            }
            return;
        }
    }
}

void
group_done(struct memory_group *group, struct group_item *item)
{
    struct group_key *key = item->key;
    bool was_parked = item->is_parked;

    out_of_hand(item);
    TAILQ_REMOVE(&group->items, item, in_group);
    group->items_count--;
    group->parked_count -= was_parked;
    memory_free_copy(&item->reason);
    free(item);
    if (--key->items_count == 0) {
        table_remove(&group->keys, &key->named);
        free(key);
    } else if (was_parked) {
        release(group, key);
    }
}

void
group_take_back(struct group_item *item)
{
    struct group_item *behind = TAILQ_NEXT(item, in_group);

    out_of_hand(item);
    for (; behind != NULL; behind = TAILQ_NEXT(behind, in_group)) {
        if (behind->key == item->key && behind->state == ITEM_IN_HAND) {
            out_of_hand(behind);
            behind->tries--; /* It was not its fault. */
        }
    }
}

/* ---- parking ---- */

static void
rest(struct memory_group *group, struct group_item *item, bool is_behind)
{
    item->state = ITEM_AT_REST;
    group->parked_count += !item->is_parked;
    if (!item->is_parked || !is_behind) {
        item->is_parked = true;
        item->is_behind = is_behind;
        item->parked_us = group->memory->now_us;
    }
}

void
group_park(struct memory_group *group, struct group_item *item,
           struct slice reason)
{
    bool waits = group->consumer->settings.on_park == MSG_PARK_WAITS;
    struct group_item *behind = TAILQ_NEXT(item, in_group);

    if (waits) {
        group_take_back(item);
    } else {
        out_of_hand(item);
    }
    rest(group, item, false);
    memory_free_copy(&item->reason);
    item->reason = memory_copy(reason);
    for (; waits && behind != NULL; behind = TAILQ_NEXT(behind, in_group)) {
        if (behind->key == item->key && behind->state != ITEM_AT_REST) {
            rest(group, behind, true);
        }
    }
}

bool
group_park_if_tried(struct memory_group *group, struct group_item *item,
                    const char *what)
{
    char reason[80];

    if (item->tries < group->consumer->settings.deliveries_max) {
        return false;
    }
    snprintf(reason, sizeof(reason), "%s, at delivery %ju", what,
             (uintmax_t)item->handed);
    group_park(group, item, slice_of(reason));
    return true;
}

bool
group_must_wait(const struct memory_group *group, const struct group_item *item)
{
    const struct group_item *before;

    if (group->consumer->settings.on_park != MSG_PARK_WAITS) {
        return false;
    }
    TAILQ_FOREACH(before, &group->items, in_group)
    {
        if (before == item) {
            return false;
        }
        if (before->key == item->key && before->is_parked) {
            return true;
        }
    }
    return false;
}

void
group_park_behind(struct memory_group *group, struct group_item *item)
{
    rest(group, item, true);
}

bool
group_replay(struct memory_group *group, struct group_item *item)
{
    if (item->state != ITEM_AT_REST || item->is_behind ||
        group_must_wait(group, item)) {
        return false;
    }
    item->state = ITEM_WAITING;
    item->tries = 0;
    return true;
}

bool
group_drop(struct memory_group *group, struct group_item *item)
{
    if (!item->is_parked || (item->state == ITEM_AT_REST && item->is_behind)) {
        return false;
    }
    group_done(group, item);
    return true;
}
