#include <assert.h>
#include <stdlib.h>

#include "msg_backup.h"
#include "msg_consumer.h"
#include "msg_group.h"
#include "msg_lease.h"
#include "msg_verify.h"
#include "opcode.h"
#include "pack.h"
#include "reencode_parts.h"

/* Most messages are decoded into a struct of their own and encoded from it. */
#define AGAIN(name)                                                            \
    static enum acta_code again_##name(                                        \
        struct buf *buf, uint64_t id, struct slice body, struct acta_err *err) \
    {                                                                          \
        struct msg_##name message;                                             \
        enum acta_code code = msg_##name##_decode(&message, body, err);        \
                                                                               \
        if (code == ACTA_OK) {                                                 \
            msg_##name##_encode(buf, id, &message);                            \
        }                                                                      \
        return code;                                                           \
    }

AGAIN(consumer_changed)
AGAIN(await)
AGAIN(verify)
AGAIN(verified)
AGAIN(list_parked)
AGAIN(join)
AGAIN(joined)
AGAIN(left)
AGAIN(change_lease)
AGAIN(lease_changed)
AGAIN(load)

/* A list has a page of elements, which are taken and added one by one. */
#define AGAIN_LIST(name, page_type, list, element_type, next)                  \
    static enum acta_code again_##name(                                        \
        struct buf *buf, uint64_t id, struct slice body, struct acta_err *err) \
    {                                                                          \
        struct page_type page;                                                 \
        struct msg_open open;                                                  \
        enum acta_code code = msg_##name##_decode(&page, body, err);           \
                                                                               \
        if (code != ACTA_OK) {                                                 \
            return code;                                                       \
        }                                                                      \
        open = msg_##name##_begin(buf, id);                                    \
        for (size_t i = 0; i < page.list##_count; i++) {                       \
            struct element_type element = next(&page.list);                    \
                                                                               \
            msg_##name##_add(buf, &open, &element);                            \
        }                                                                      \
        assert(page.list.size == 0);                                           \
        msg_##name##_end(buf, open, page.at_end);                              \
        return ACTA_OK;                                                        \
    }

AGAIN_LIST(consumers, msg_consumers, consumers, msg_consumer, msg_next_consumer)
AGAIN_LIST(parked, msg_parked_page, parked, msg_parked, msg_next_parked)
AGAIN_LIST(leases, msg_leases, leases, msg_lease, msg_next_lease)
AGAIN_LIST(schedules, msg_schedules, schedules, msg_scheduled,
           msg_next_scheduled)

static enum acta_code
again_change_consumer(struct buf *buf, uint64_t id, struct slice body,
                      struct acta_err *err)
{
    struct msg_change_consumer change;
    enum acta_code code = msg_change_consumer_decode(&change, body, err);

    if (code != ACTA_OK) {
        assert(change.query.memory == NULL);
        return code;
    }
    msg_change_consumer_encode(buf, id, &change);
    query_fini(&change.query);
    return ACTA_OK;
}

static enum acta_code
again_list(struct buf *buf, uint8_t kind, uint64_t id, struct slice body,
           struct acta_err *err)
{
    struct msg_list list;
    enum acta_code code = msg_list_decode(&list, kind, body, err);

    if (code == ACTA_OK) {
        msg_list_encode(buf, kind, id, &list);
    }
    return code;
}

static enum acta_code
again_describe_consumer(struct buf *buf, uint64_t id, struct slice body,
                        struct acta_err *err)
{
    struct slice name;
    enum acta_code code = msg_describe_consumer_decode(&name, body, err);

    if (code == ACTA_OK) {
        msg_describe_consumer_encode(buf, id, name);
    }
    return code;
}

static enum acta_code
again_consumer(struct buf *buf, uint64_t id, struct slice body,
               struct acta_err *err)
{
    struct msg_described described;
    struct msg_open open;
    enum acta_code code = msg_consumer_decode(&described, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_consumer_begin(buf, id, &described.consumer);
    for (size_t i = 0; i < described.members_count; i++) {
        struct msg_member member = msg_next_member(&described.members);

        msg_consumer_member(buf, &open, &member);
    }
    assert(described.members.size == 0);
    msg_consumer_end(buf, open);
    return ACTA_OK;
}

static enum acta_code
again_change_parked(struct buf *buf, uint64_t id, struct slice body,
                    struct acta_err *err)
{
    struct msg_change_parked change;
    uint64_t *positions;
    enum acta_code code = msg_change_parked_decode(&change, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    positions = calloc(change.positions_count + 1, sizeof(*positions));
    assert(positions != NULL);
    for (size_t i = 0; i < change.positions_count; i++) {
        positions[i] = msg_next_position(&change.positions);
    }
    assert(change.positions.size == 0);
    msg_change_parked_encode(buf, id, change.group, change.kind, positions,
                             change.positions_count, change.all);
    free(positions);
    return ACTA_OK;
}

/* Counts are behind the events, and are to be read when these have been. */
static enum acta_code
again_handed(struct buf *buf, uint64_t id, struct slice body,
             struct acta_err *err)
{
    struct slice events, counts;
    struct msg_handed handed;
    struct msg_count *all;
    struct msg_open open;
    struct event event;
    size_t count;
    enum acta_code code = msg_handed_decode(&handed, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    events = handed.events;
    for (size_t i = 0; i < handed.events_count; i++) {
        code = msg_next_event(&events, &event, err);
        if (code != ACTA_OK) {
            return code;
        }
    }
    code = msg_handed_counts(&handed, events, &counts, &count, err);
    if (code != ACTA_OK) {
        return code;
    }
    all = calloc(count + 1, sizeof(*all));
    assert(all != NULL);
    for (size_t i = 0; i < count; i++) {
        all[i] = msg_next_count(&counts);
    }
    assert(counts.size == 0);
    open = msg_handed_begin(buf, id, handed.fence, handed.head);
    code =
        reencode_records(buf,
                         slice_make(handed.events.data,
                                    (size_t)(events.data - handed.events.data)),
                         handed.events_count, 0, err);
    assert(code == ACTA_OK);
    msg_handed_end(buf, open, handed.events_count, all, count);
    free(all);
    return ACTA_OK;
}

static enum acta_code
again_settle(struct buf *buf, uint64_t id, struct slice body,
             struct acta_err *err)
{
    struct msg_settle settle;
    size_t start;
    enum acta_code code = msg_settle_decode(&settle, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    start = msg_settle_begin(buf, id, settle.membership, settle.answers_count);
    for (size_t i = 0; i < settle.answers_count; i++) {
        struct msg_answer answer = msg_next_answer(&settle.answers);

        msg_settle_answer(buf, &answer);
    }
    assert(settle.answers.size == 0);
    msg_settle_end(buf, start);
    return ACTA_OK;
}

static enum acta_code
again_settled(struct buf *buf, uint64_t id, struct slice body,
              struct acta_err *err)
{
    struct msg_settled settled;
    uint32_t *refused;
    enum acta_code code = msg_settled_decode(&settled, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    refused = calloc(settled.refused_count + 1, sizeof(*refused));
    assert(refused != NULL);
    for (size_t i = 0; i < settled.refused_count; i++) {
        refused[i] = (uint32_t)msg_next_position(&settled.refused);
    }
    assert(settled.refused.size == 0);
    msg_settled_encode(buf, id, settled.settled, refused,
                       settled.refused_count);
    free(refused);
    return ACTA_OK;
}

static enum acta_code
again_loaded(struct buf *buf, uint64_t id, struct slice body,
             struct acta_err *err)
{
    struct msg_loaded loaded;
    struct msg_open open;
    enum acta_code code = msg_loaded_decode(&loaded, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_loaded_begin(buf, id, &loaded);
    code = reencode_records(buf, loaded.page.events, loaded.page.events_count,
                            loaded.page.fields_left, err);
    msg_loaded_end(buf, open, &loaded.page);
    return code;
}

static enum acta_code
again_begin_backup(struct buf *buf, uint64_t id, struct slice body,
                   struct acta_err *err)
{
    struct msg_begin_backup message;
    enum acta_code code = msg_begin_backup_decode(&message, body, err);

    if (code == ACTA_OK) {
        msg_begin_backup_encode(buf, id, &message);
    }
    return code;
}

static enum acta_code
again_backup_begun(struct buf *buf, uint64_t id, struct slice body,
                   struct acta_err *err)
{
    struct msg_backup_begun message;
    enum acta_code code = msg_backup_begun_decode(&message, body, err);

    if (code == ACTA_OK) {
        msg_backup_begun_encode(buf, id, &message);
    }
    return code;
}

static enum acta_code
again_read_backup(struct buf *buf, uint64_t id, struct slice body,
                  struct acta_err *err)
{
    struct msg_read_backup message;
    enum acta_code code = msg_read_backup_decode(&message, body, err);

    if (code == ACTA_OK) {
        msg_read_backup_encode(buf, id, &message);
    }
    return code;
}

static enum acta_code
again_backup_chunk(struct buf *buf, uint64_t id, struct slice body,
                   struct acta_err *err)
{
    struct msg_backup_chunk message;
    enum acta_code code = msg_backup_chunk_decode(&message, body, err);

    if (code == ACTA_OK) {
        msg_backup_chunk_encode(buf, id, &message);
    }
    return code;
}

enum acta_code
reencode_named(struct buf *buf, uint8_t kind, uint64_t id, struct slice body,
               struct acta_err *err)
{
    switch (kind) {
    case OP_CHANGE_CONSUMER:
        return again_change_consumer(buf, id, body, err);
    case OP_CONSUMER_CHANGED:
        return again_consumer_changed(buf, id, body, err);
    case OP_AWAIT:
        return again_await(buf, id, body, err);
    case OP_VERIFY:
        return again_verify(buf, id, body, err);
    case OP_VERIFIED:
        return again_verified(buf, id, body, err);
    case OP_LIST_CONSUMERS:
    case OP_LIST_LEASES:
    case OP_LIST_SCHEDULES:
        return again_list(buf, kind, id, body, err);
    case OP_CONSUMERS:
        return again_consumers(buf, id, body, err);
    case OP_DESCRIBE_CONSUMER:
        return again_describe_consumer(buf, id, body, err);
    case OP_CONSUMER:
        return again_consumer(buf, id, body, err);
    case OP_LIST_PARKED:
        return again_list_parked(buf, id, body, err);
    case OP_PARKED:
        return again_parked(buf, id, body, err);
    case OP_CHANGE_PARKED:
        return again_change_parked(buf, id, body, err);
    case OP_JOIN:
        return again_join(buf, id, body, err);
    case OP_JOINED:
        return again_joined(buf, id, body, err);
    case OP_HANDED:
        return again_handed(buf, id, body, err);
    case OP_SETTLE:
        return again_settle(buf, id, body, err);
    case OP_SETTLED:
        return again_settled(buf, id, body, err);
    case OP_LEFT:
        return again_left(buf, id, body, err);
    case OP_CHANGE_LEASE:
        return again_change_lease(buf, id, body, err);
    case OP_LEASE_CHANGED:
        return again_lease_changed(buf, id, body, err);
    case OP_LEASES:
        return again_leases(buf, id, body, err);
    case OP_SCHEDULES:
        return again_schedules(buf, id, body, err);
    case OP_LOAD:
        return again_load(buf, id, body, err);
    case OP_LOADED:
        return again_loaded(buf, id, body, err);
    case OP_BEGIN_BACKUP:
        return again_begin_backup(buf, id, body, err);
    case OP_BACKUP_BEGUN:
        return again_backup_begun(buf, id, body, err);
    case OP_READ_BACKUP:
        return again_read_backup(buf, id, body, err);
    case OP_BACKUP_CHUNK:
        return again_backup_chunk(buf, id, body, err);
    default:
        return acta_fail(err, ACTA_UNSUPPORTED, "kind 0x%02x is forgotten here",
                         kind);
    }
}
