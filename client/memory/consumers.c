/* Named consumers: what they are, where they are, what is before them. */

#include <stdlib.h>

#include "limit.h"
#include "memory_group.h"
#include "memory_handle.h"

uint64_t
memory_consumer_position(const struct memory_consumer *consumer)
{
    return consumer->group == NULL ? consumer->position
                                   : group_position(consumer->group);
}

static void
remove_consumer(struct acta_memory *memory, struct memory_consumer *consumer)
{
    if (consumer->group != NULL) {
        group_free(consumer->group);
    }
    table_remove(&memory->consumers, &consumer->named);
    query_fini(&consumer->query);
    memory_free_copy(&consumer->packed);
    memory_free_copy(&consumer->settings.key_tag);
    memory_free_copy(&consumer->note);
    free(consumer);
}

void
memory_consumers_fini(struct acta_memory *memory)
{
    while (memory->consumers.count > 0) {
        remove_consumer(memory, (struct memory_consumer *)memory->consumers
                                    .entries[memory->consumers.count - 1]);
    }
    table_fini(&memory->consumers);
}

/* ---- changes ---- */

/* One change on its way. */
struct change {
    struct acta_memory *memory;
    struct msg_change_consumer *wanted;
    struct slice packed;              /* The query that is wanted, as bytes. */
    struct memory_consumer *consumer; /* NULL: there is none yet. */
    bool changed;
};

static enum acta_code
check_position(const struct change *change, struct acta_err *err)
{
    uint64_t head = memory_head(change->memory);

    return change->wanted->position <= head
               ? ACTA_OK
               : acta_fail(
                     err, ACTA_INVALID, "position %ju is after the head, %ju",
                     (uintmax_t)change->wanted->position, (uintmax_t)head);
}

static void
set_query(struct change *change)
{
    struct memory_consumer *consumer = change->consumer;

    query_fini(&consumer->query);
    memory_free_copy(&consumer->packed);
    consumer->query = change->wanted->query;
    change->wanted->query = QUERY_ALL;
    consumer->packed = memory_copy(change->packed);
}

static enum acta_code
make(struct change *change, enum msg_consumer_kind kind, struct acta_err *err)
{
    enum acta_code code = check_position(change, err);
    struct memory_consumer *consumer;

    if (code != ACTA_OK) {
        return code;
    }
    consumer = memory_alloc(sizeof(*consumer));
    table_put(&change->memory->consumers, &consumer->named,
              change->wanted->name);
    consumer->kind = kind;
    consumer->epoch = ++change->memory->counter;
    consumer->position = change->wanted->position;
    change->consumer = consumer;
    change->changed = true;
    set_query(change);
    if (kind == MSG_CONSUMER_GROUP) {
        consumer->settings = change->wanted->settings;
        consumer->settings.key_tag = memory_copy(consumer->settings.key_tag);
        consumer->group = group_new(change->memory, consumer);
    }
    return ACTA_OK;
}

static enum acta_code
claim(struct change *change, struct acta_err *err)
{
    if (change->consumer == NULL) {
        return make(change, MSG_CONSUMER_PLAIN, err);
    }
    if (change->consumer->group != NULL) {
        return acta_fail(err, ACTA_EXISTS, "it is a group, which is joined");
    }
    set_query(change);
    change->consumer->epoch = ++change->memory->counter;
    change->changed = true;
    return ACTA_OK;
}

static bool
is_same_group(const struct change *change)
{
    const struct msg_group_settings *is = &change->consumer->settings;
    const struct msg_group_settings *wanted = &change->wanted->settings;

    return change->consumer->group != NULL &&
           slice_equal(change->consumer->packed, change->packed) &&
           slice_equal(is->key_tag, wanted->key_tag) &&
           is->ack_timeout_us == wanted->ack_timeout_us &&
           is->deliveries_max == wanted->deliveries_max &&
           is->on_park == wanted->on_park;
}

static enum acta_code
create(struct change *change, struct acta_err *err)
{
    if (change->consumer == NULL) {
        return make(change, MSG_CONSUMER_GROUP, err);
    }
    return is_same_group(change)
               ? ACTA_OK
               : acta_fail(err, ACTA_EXISTS,
                           "there is another one of this name");
}

static void
alter(struct change *change)
{
    const struct msg_change_consumer *wanted = change->wanted;
    struct msg_group_settings *settings = &change->consumer->settings;
    struct msg_group_settings old = *settings;

    if ((wanted->given & MSG_HAS_QUERY) != 0) {
        change->changed =
            !slice_equal(change->consumer->packed, change->packed);
        set_query(change);
    }
    if ((wanted->given & MSG_HAS_ACK_TIMEOUT) != 0) {
        settings->ack_timeout_us = wanted->settings.ack_timeout_us;
    }
    if ((wanted->given & MSG_HAS_DELIVERIES_MAX) != 0) {
        settings->deliveries_max = wanted->settings.deliveries_max;
    }
    if ((wanted->given & MSG_HAS_ON_PARK) != 0) {
        settings->on_park = wanted->settings.on_park;
    }
    change->changed = change->changed ||
                      settings->ack_timeout_us != old.ack_timeout_us ||
                      settings->deliveries_max != old.deliveries_max ||
                      settings->on_park != old.on_park;
}

static void
set_paused(struct change *change, bool is_paused)
{
    change->changed = change->consumer->is_paused != is_paused;
    change->consumer->is_paused = is_paused;
}

static enum acta_code
reset(struct change *change, struct acta_err *err)
{
    struct memory_consumer *consumer = change->consumer;
    enum acta_code code = check_position(change, err);

    if (code != ACTA_OK) {
        return code;
    }
    consumer->epoch = ++change->memory->counter;
    consumer->position = change->wanted->position;
    consumer->changed_us = change->memory->now_us;
    change->changed = true;
    if (consumer->group != NULL) {
        group_reset(consumer->group);
    }
    return ACTA_OK;
}

static enum acta_code
set_note(struct change *change, struct acta_err *err)
{
    struct memory_consumer *consumer = change->consumer;
    struct slice note = change->wanted->note;

    if (consumer->epoch != change->wanted->epoch) {
        return acta_fail(err, ACTA_FENCED, "another has taken over");
    }
    change->changed = !slice_equal(consumer->note, note);
    if (change->changed) {
        memory_free_copy(&consumer->note);
        consumer->note = memory_copy(note);
        consumer->note_us = note.size > 0 ? change->memory->now_us : 0;
    }
    return ACTA_OK;
}

static enum acta_code
check_change(const struct change *change, struct acta_err *err)
{
    enum msg_consumer_change kind = change->wanted->kind;
    bool may_be_absent = kind == MSG_CONSUMER_CLAIM ||
                         kind == MSG_CONSUMER_CREATE ||
                         kind == MSG_CONSUMER_DELETE;
    bool is_group = change->consumer != NULL && change->consumer->group != NULL;

    if (change->consumer == NULL && !may_be_absent) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is none of this name");
    }
    if ((kind == MSG_CONSUMER_ALTER || kind == MSG_CONSUMER_PAUSE ||
         kind == MSG_CONSUMER_RESUME) &&
        !is_group) {
        return acta_fail(err, ACTA_INVALID,
                         "only groups can be altered, paused and resumed");
    }
    if (kind == MSG_CONSUMER_NOTE && is_group) {
        return acta_fail(err, ACTA_INVALID, "it is a group, which has no note");
    }
    return ACTA_OK;
}

static enum acta_code
carry_out(struct change *change, struct acta_err *err)
{
    switch (change->wanted->kind) {
    case MSG_CONSUMER_CLAIM:
        return claim(change, err);
    case MSG_CONSUMER_CREATE:
        return create(change, err);
    case MSG_CONSUMER_ALTER:
        alter(change);
        break;
    case MSG_CONSUMER_DELETE:
        change->changed = change->consumer != NULL;
        break;
    case MSG_CONSUMER_PAUSE:
        set_paused(change, true);
        break;
    case MSG_CONSUMER_RESUME:
        set_paused(change, false);
        break;
    case MSG_CONSUMER_RESET:
        return reset(change, err);
    case MSG_CONSUMER_NOTE:
        return set_note(change, err);
    }
    return ACTA_OK;
}

enum acta_code
handle_change_consumer(struct memory_connection *connection, uint64_t id,
                       struct slice body, struct acta_err *err)
{
    struct acta_memory *memory = connection->memory;
    struct msg_change_consumer wanted;
    struct change change = {.memory = memory, .wanted = &wanted};
    struct msg_consumer_changed told = {0};
    enum acta_code code = msg_change_consumer_decode(&wanted, body, err);
    struct buf packed;

    if (code != ACTA_OK) {
        return code;
    }
    buf_init(&packed, SIZE_MAX);
    query_encode(&packed, &wanted.query);
    change.packed = buf_slice(&packed);
    change.consumer = table_find(&memory->consumers, wanted.name);
    code = check_change(&change, err);
    if (code == ACTA_OK) {
        code = carry_out(&change, err);
    }
    if (code == ACTA_OK) {
        told.changed = change.changed;
        if (change.consumer != NULL) {
            told.position = memory_consumer_position(change.consumer);
            told.epoch = change.consumer->epoch;
        }
        if (wanted.kind == MSG_CONSUMER_DELETE && change.changed) {
            remove_consumer(memory, change.consumer);
        }
        msg_consumer_changed_encode(&connection->out, id, &told);
    }
    buf_fini(&packed);
    query_fini(&wanted.query);
    return code;
}

/* ---- lists ---- */

static uint64_t
count_subs(const struct acta_memory *memory, struct slice name)
{
    uint64_t count = 0;

    for (const struct memory_connection *connection = memory->connections;
         connection != NULL; connection = connection->next) {
        for (const struct memory_sub *sub = connection->subs; sub != NULL;
             sub = sub->next) {
            count += slice_equal(sub->consumer, name);
        }
    }
    return count;
}

static void
count_items(const struct memory_group *group, struct msg_consumer *told)
{
    const struct group_member *member;
    const struct group_item *item;

    TAILQ_FOREACH(member, &group->members, in_group)
    {
        told->connected++;
    }
    TAILQ_FOREACH(item, &group->items, in_group)
    {
        told->parked += item->is_parked;
        told->in_hand += item->state == ITEM_IN_HAND;
        told->delayed += item->state == ITEM_DELAYED;
        told->lag.matching += item->state != ITEM_AT_REST;
    }
}

/* What is wanted and not read, and how old the first that is not handled is. */
static void
measure_lag(const struct acta_memory *memory,
            const struct memory_consumer *consumer, struct msg_consumer *told)
{
    struct msg_lag *lag = &told->lag;
    uint64_t oldest, at = consumer->position;

    while ((at = memory_next(memory, &consumer->query, at)) != 0) {
        lag->matching++;
    }
    lag->is_counted = true;
    if (lag->matching == 0) {
        told->position = told->head;
    }
    lag->events = told->head - told->position;
    oldest = memory_next(memory, &consumer->query, told->position);
    if (lag->matching > 0 && oldest != 0) {
        lag->time_us =
            memory->now_us - memory_at(memory, oldest)->event.time_us;
    }
}

static struct msg_consumer
describe(const struct acta_memory *memory,
         const struct memory_consumer *consumer)
{
    struct msg_consumer told = {
        .name = consumer->named.name,
        .kind = consumer->kind,
        .query = consumer->packed,
        .position = memory_consumer_position(consumer),
        .epoch = consumer->epoch,
        .is_paused = consumer->is_paused,
        .settings = consumer->settings,
        .head = memory_head(memory),
        .changed_us = consumer->changed_us,
        .note = consumer->note,
        .note_us = consumer->note_us,
    };

    if (consumer->group != NULL) {
        count_items(consumer->group, &told);
    } else {
        told.connected = count_subs(memory, consumer->named.name);
    }
    measure_lag(memory, consumer, &told);
    return told;
}

enum acta_code
handle_list_consumers(struct memory_connection *connection, uint64_t id,
                      struct slice body, struct acta_err *err)
{
    const struct acta_memory *memory = connection->memory;
    const struct table *consumers = &memory->consumers;
    size_t left = ACTA_PAGE_ROWS_MAX;
    bool at_end = true;
    struct msg_list list;
    struct msg_open open;
    enum acta_code code = msg_list_decode(&list, OP_LIST_CONSUMERS, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (list.count_max > 0 && list.count_max < left) {
        left = (size_t)list.count_max;
    }
    open = msg_consumers_begin(&connection->out, id);
    for (size_t i = table_first(consumers, list.prefix, list.after);
         at_end && table_has(consumers, i, list.prefix); i++) {
        at_end = left > 0;
        if (left > 0) {
            struct msg_consumer told = describe(
                memory, (const struct memory_consumer *)consumers->entries[i]);

            msg_consumers_add(&connection->out, &open, &told);
            left--;
        }
    }
    msg_consumers_end(&connection->out, open, at_end);
    return ACTA_OK;
}

enum acta_code
handle_describe_consumer(struct memory_connection *connection, uint64_t id,
                         struct slice body, struct acta_err *err)
{
    const struct memory_consumer *consumer;
    const struct group_member *member;
    struct msg_consumer told;
    struct msg_open open;
    struct slice name;
    enum acta_code code = msg_describe_consumer_decode(&name, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    consumer = table_find(&connection->memory->consumers, name);
    if (consumer == NULL) {
        return acta_fail(err, ACTA_NOT_FOUND,
                         "there is no consumer of this name");
    }
    told = describe(connection->memory, consumer);
    open = msg_consumer_begin(&connection->out, id, &told);
    if (consumer->group != NULL) {
        TAILQ_FOREACH(member, &consumer->group->members, in_group)
        {
            struct msg_member described = {
                .name = member->name,
                .slots = member->slots,
                .in_hand = member->in_hand,
                .joined_us = member->joined_us,
                .acked = member->acked,
            };

            msg_consumer_member(&connection->out, &open, &described);
        }
    }
    msg_consumer_end(&connection->out, open);
    return ACTA_OK;
}
