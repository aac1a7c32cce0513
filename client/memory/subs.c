/* Subscriptions. */

#include <stdlib.h>

#include "limit.h"
#include "memory_handle.h"

/* A subscription that lags by more than an append can hold is not live. */
#define LAG_MAX ACTA_APPEND_EVENTS_MAX

/* Records in one delivery, but for one that is larger. */
#define DELIVERY_SIZE_MAX ((size_t)1 << 20)

static struct memory_sub **
find(struct memory_connection *connection, uint64_t id)
{
    struct memory_sub **at = &connection->subs;

    while (*at != NULL && (*at)->request_id != id) {
        at = &(*at)->next;
    }
    return at;
}

static void
drop(struct memory_connection *connection, struct memory_sub **at)
{
    struct memory_sub *sub = *at;

    *at = sub->next;
    connection->subs_count--;
    query_fini(&sub->query);
    memory_free_copy(&sub->consumer);
    free(sub);
}

void
memory_free_subs(struct memory_connection *connection)
{
    while (connection->subs != NULL) {
        drop(connection, &connection->subs);
    }
}

/* ---- feeding ---- */

static void
deliver(struct memory_connection *connection, struct memory_sub *sub)
{
    const struct acta_memory *memory = connection->memory;
    struct msg_delivery told = {.head = memory_head(memory)};
    struct msg_open open =
        msg_delivery_begin(&connection->out, sub->request_id);
    size_t size = 0;

    while (sub->position < told.head && sub->credit > 0 &&
           size < DELIVERY_SIZE_MAX) {
        const struct memory_event *kept = memory_at(memory, sub->position + 1);

        if (!memory_hides(memory, kept) &&
            query_matches(&sub->query, &kept->event)) {
            buf_append_slice(&connection->out, kept->record);
            size += kept->record.size;
            sub->credit -= (int64_t)kept->record.size;
            told.events_count++;
        }
        sub->position++;
    }
    told.position = sub->position;
    msg_delivery_end(&connection->out, open, &told);
}

static void
feed(struct memory_connection *connection, struct memory_sub *sub)
{
    uint64_t head = memory_head(connection->memory);

    if (sub->credit > 0 && sub->is_live && head - sub->position > LAG_MAX) {
        msg_number_encode(&connection->out, OP_FELL_BEHIND, sub->request_id,
                          sub->position);
        sub->is_live = false;
    }
    while (sub->credit > 0 && sub->position < head) {
        deliver(connection, sub);
    }
    if (sub->credit > 0 && !sub->is_live && sub->position == head) {
        msg_number_encode(&connection->out, OP_CAUGHT_UP, sub->request_id,
                          sub->position);
        sub->is_live = true;
    }
}

/* The code that its consumer ends it with: OK if it goes on. */
static enum acta_code
judge_consumer(const struct acta_memory *memory, struct slice name,
               uint64_t epoch)
{
    const struct memory_consumer *consumer =
        table_find(&memory->consumers, name);

    if (name.size == 0) {
        return ACTA_OK;
    }
    if (consumer == NULL) {
        return ACTA_NOT_FOUND;
    }
    if (consumer->epoch != epoch) {
        return ACTA_FENCED;
    }
    /* A group has an epoch, too, but is joined. */
    return consumer->group == NULL ? ACTA_OK : ACTA_INVALID;
}

void
memory_feed_subs(struct memory_connection *connection)
{
    struct memory_sub **at = &connection->subs;

    while (*at != NULL) {
        struct memory_sub *sub = *at;

        if (judge_consumer(connection->memory, sub->consumer, sub->epoch) ==
            ACTA_OK) {
            feed(connection, sub);
            at = &sub->next;
        } else {
            struct msg_unsubscribed told = {
                .code = ACTA_FENCED,
                .text = slice_of("another has taken over this consumer"),
                .position = sub->position,
            };

            msg_unsubscribed_encode(&connection->out, sub->request_id, &told);
            drop(connection, at);
        }
    }
}

/* ---- requests ---- */

static enum acta_code
check(struct memory_connection *connection, uint64_t id,
      const struct msg_subscribe *wanted, struct acta_err *err)
{
    enum acta_code code =
        judge_consumer(connection->memory, wanted->consumer, wanted->epoch);

    if (*find(connection, id) != NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "request id is that of a subscription");
    }
    if (connection->subs_count == ACTA_SUBSCRIPTIONS_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "connection has %d subscriptions, the limit",
                         ACTA_SUBSCRIPTIONS_MAX);
    }
    if (wanted->after > memory_head(connection->memory)) {
        return acta_fail(err, ACTA_INVALID, "position %ju is behind the head",
                         (uintmax_t)wanted->after);
    }
    return code == ACTA_OK
               ? ACTA_OK
               : acta_fail(err, code,
                           "consumer %.*s is not a plain one of this epoch",
                           (int)wanted->consumer.size,
                           (const char *)wanted->consumer.data);
}

enum acta_code
handle_subscribe(struct memory_connection *connection, uint64_t id,
                 struct slice body, struct acta_err *err)
{
    struct msg_subscribe wanted;
    struct memory_sub *sub;
    enum acta_code code = msg_subscribe_decode(&wanted, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = check(connection, id, &wanted, err);
    if (code != ACTA_OK) {
        query_fini(&wanted.query);
        return code;
    }
    sub = memory_alloc(sizeof(*sub));
    *sub = (struct memory_sub){
        .next = connection->subs,
        .request_id = id,
        .query = wanted.query,
        .position = wanted.after,
        .credit = wanted.credit > INT64_MAX / 4 ? INT64_MAX / 4
                                                : (int64_t)wanted.credit,
        .consumer = memory_copy(wanted.consumer),
        .epoch = wanted.epoch,
    };
    connection->subs = sub;
    connection->subs_count++;
    msg_number_encode(&connection->out, OP_SUBSCRIBED, id,
                      memory_head(connection->memory));
    return ACTA_OK;
}

enum acta_code
handle_credit(struct memory_connection *connection, uint64_t id,
              struct slice body, struct acta_err *err)
{
    struct memory_sub *sub = *find(connection, id);
    uint64_t bytes;
    enum acta_code code = msg_number_decode(&bytes, OP_CREDIT, body, err);

    if (code == ACTA_OK && sub != NULL) {
        int64_t room = INT64_MAX / 4 - (sub->credit > 0 ? sub->credit : 0);

        sub->credit += bytes > (uint64_t)room ? room : (int64_t)bytes;
    }
    return code;
}

enum acta_code
handle_unsubscribe(struct memory_connection *connection, uint64_t id,
                   struct slice body, struct acta_err *err)
{
    struct msg_unsubscribed told = {.code = ACTA_OK};
    struct memory_sub **at;
    uint64_t sub_id;
    enum acta_code code = msg_number_decode(&sub_id, OP_UNSUBSCRIBE, body, err);

    (void)id;
    if (code != ACTA_OK) {
        return code;
    }
    at = find(connection, sub_id);
    if (*at == NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no subscription %ju",
                         (uintmax_t)sub_id);
    }
    told.position = (*at)->position;
    msg_unsubscribed_encode(&connection->out, sub_id, &told);
    drop(connection, at);
    return ACTA_OK;
}
