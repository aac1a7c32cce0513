/* Parked events: listing, replaying, dropping. */

#include "limit.h"
#include "memory_group.h"
#include "memory_handle.h"

static enum acta_code
find_group(const struct acta_memory *memory, struct slice name,
           struct memory_group **group, struct acta_err *err)
{
    const struct memory_consumer *consumer =
        table_find(&memory->consumers, name);

    if (consumer == NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no group of this name");
    }
    if (consumer->group == NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "it is a plain consumer, not a group");
    }
    *group = consumer->group;
    return ACTA_OK;
}

static struct msg_parked
describe(const struct group_item *item)
{
    enum msg_parked_state at_rest =
        item->is_behind ? MSG_PARKED_BEHIND : MSG_PARKED;

    return (struct msg_parked){
        .position = item->position,
        .key = item->key->named.name,
        .state = item->state == ITEM_AT_REST ? at_rest : MSG_PARKED_REPLAYED,
        .deliveries = item->handed,
        .time_us = item->parked_us,
        .reason = item->reason,
    };
}

enum acta_code
handle_list_parked(struct memory_connection *connection, uint64_t id,
                   struct slice body, struct acta_err *err)
{
    size_t left = ACTA_PAGE_ROWS_MAX;
    const struct group_item *item;
    struct msg_list_parked list;
    struct memory_group *group = NULL;
    struct msg_open open;
    bool at_end = true;
    enum acta_code code = msg_list_parked_decode(&list, body, err);

    if (code == ACTA_OK) {
        code = find_group(connection->memory, list.group, &group, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (list.count_max > 0 && list.count_max < left) {
        left = (size_t)list.count_max;
    }
    open = msg_parked_begin(&connection->out, id);
    TAILQ_FOREACH(item, &group->items, in_group)
    {
        struct msg_parked told = describe(item);

        if (!item->is_parked || item->position <= list.after) {
            continue;
        }
        if (left == 0) {
            at_end = false;
            break;
        }
        msg_parked_add(&connection->out, &open, &told);
        left--;
    }
    msg_parked_end(&connection->out, open, at_end);
    return ACTA_OK;
}

static bool
change(struct memory_group *group, struct group_item *item,
       enum msg_parked_change kind)
{
    return kind == MSG_PARKED_REPLAY ? group_replay(group, item)
                                     : group_drop(group, item);
}

static uint64_t
change_all(struct memory_group *group, enum msg_parked_change kind)
{
    struct group_item *next;
    uint64_t count = 0;

    for (struct group_item *item = TAILQ_FIRST(&group->items); item != NULL;
         item = next) {
        next = TAILQ_NEXT(item, in_group);
        if (item->is_parked && item->state == ITEM_AT_REST) {
            count += change(group, item, kind);
        }
    }
    return count;
}

static uint64_t
change_some(struct memory_group *group, const struct msg_change_parked *wanted)
{
    struct slice positions = wanted->positions;
    uint64_t count = 0;

    for (size_t i = 0; i < wanted->positions_count; i++) {
        struct group_item *item =
            group_find(group, msg_next_position(&positions));

        count += item != NULL && change(group, item, wanted->kind);
    }
    return count;
}

enum acta_code
handle_change_parked(struct memory_connection *connection, uint64_t id,
                     struct slice body, struct acta_err *err)
{
    struct msg_change_parked wanted;
    struct memory_group *group = NULL;
    enum acta_code code = msg_change_parked_decode(&wanted, body, err);

    if (code == ACTA_OK) {
        code = find_group(connection->memory, wanted.group, &group, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    msg_number_encode(&connection->out, OP_PARKED_CHANGED, id,
                      wanted.all ? change_all(group, wanted.kind)
                                 : change_some(group, &wanted));
    return ACTA_OK;
}
