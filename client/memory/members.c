/* Memberships: what members say, and are told. */

#include <stdlib.h>

#include "limit.h"
#include "memory_group.h"
#include "memory_handle.h"

static struct group_member *
find_in(const struct memory_group *group,
        const struct memory_connection *connection, uint64_t request_id)
{
    struct group_member *member;

    TAILQ_FOREACH(member, &group->members, in_group)
    {
        if (member->connection == connection &&
            (request_id == 0 || member->request_id == request_id)) {
            break;
        }
    }
    return member;
}

/* A membership of the connection; with a request id of 0, any. */
static struct group_member *
find(const struct memory_connection *connection, uint64_t request_id)
{
    const struct table *consumers = &connection->memory->consumers;
    struct group_member *member = NULL;

    for (size_t i = 0; member == NULL && i < consumers->count; i++) {
        const struct memory_consumer *consumer =
            (const struct memory_consumer *)consumers->entries[i];

        if (consumer->group != NULL) {
            member = find_in(consumer->group, connection, request_id);
        }
    }
    return member;
}

void
memory_drop_members(struct memory_connection *connection)
{
    struct group_member *member;

    while ((member = find(connection, 0)) != NULL) {
        group_leave(member, true);
    }
}

/* ---- what they are told ---- */

void
member_tell_handed(struct group_member *member, uint64_t fence)
{
    struct memory_group *group = member->group;
    struct buf *out = &member->connection->out;
    struct msg_count *counts = NULL;
    size_t events_count = 0, counts_count = 0, counts_capacity = 0;
    struct msg_open open;
    const struct group_item *item;

    TAILQ_FOREACH(item, &group->items, in_group)
    {
        if (item->member != member || item->fence != fence) {
            continue;
        }
        if (events_count == 0) {
            open = msg_handed_begin(out, member->request_id, fence,
                                    memory_head(group->memory));
        }
        if (item->handed > 1) {
            if (counts_count == counts_capacity) {
                counts_capacity = 2 * counts_capacity + 16;
                counts = memory_grow(counts, counts_capacity *
                                                 sizeof(struct msg_count));
            }
            counts[counts_count++] =
                (struct msg_count){events_count, item->handed};
        }
        buf_append_slice(out, item->kept->record);
        events_count++;
    }
    if (events_count > 0) {
        msg_handed_end(out, open, events_count, counts, counts_count);
    }
    free(counts);
}

void
member_tell_gone(struct group_member *member)
{
    struct msg_left left = {
        .code = ACTA_NOT_FOUND,
        .text = slice_of("the group was deleted"),
    };

    msg_left_encode(&member->connection->out, member->request_id, &left);
}

/* ---- what they say ---- */

enum acta_code
handle_join(struct memory_connection *connection, uint64_t id,
            struct slice body, struct acta_err *err)
{
    const struct memory_consumer *consumer;
    struct msg_joined told;
    struct msg_join join;
    enum acta_code code = msg_join_decode(&join, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (connection->members_count >= ACTA_MEMBERSHIPS_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "connection has %d memberships, the limit",
                         ACTA_MEMBERSHIPS_MAX);
    }
    if (find(connection, id) != NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "request id is that of a membership");
    }
    consumer = table_find(&connection->memory->consumers, join.group);
    if (consumer == NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no group of this name");
    }
    if (consumer->group == NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "it is a plain consumer, not a group");
    }
    group_join(consumer->group, connection, id, &join);
    told = (struct msg_joined){
        .position = group_position(consumer->group),
        .epoch = consumer->epoch,
        .key_tag = consumer->settings.key_tag,
        .on_park = consumer->settings.on_park,
    };
    msg_joined_encode(&connection->out, id, &told);
    return ACTA_OK;
}

enum acta_code
handle_settle(struct memory_connection *connection, uint64_t id,
              struct slice body, struct acta_err *err)
{
    struct group_member *member;
    struct msg_settle settle;
    uint64_t settled = 0;
    uint32_t *refused;
    size_t refused_count = 0;
    enum acta_code code = msg_settle_decode(&settle, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    member = find(connection, settle.membership);
    if (member == NULL || settle.membership == 0) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no membership %ju",
                         (uintmax_t)settle.membership);
    }
    refused = memory_alloc(settle.answers_count * sizeof(uint32_t));
    for (uint32_t i = 0; i < settle.answers_count; i++) {
        struct msg_answer answer = msg_next_answer(&settle.answers);
        uint64_t count;

        if (!group_settle(member, &answer, &count)) {
            refused[refused_count++] = i;
        }
        settled += count;
    }
    msg_settled_encode(&connection->out, id, settled, refused, refused_count);
    free(refused);
    return ACTA_OK;
}

enum acta_code
handle_leave(struct memory_connection *connection, uint64_t id,
             struct slice body, struct acta_err *err)
{
    struct msg_left left = {.code = ACTA_OK};
    struct group_member *member;
    uint64_t membership;
    enum acta_code code = msg_number_decode(&membership, OP_LEAVE, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    member = find(connection, membership);
    if (member == NULL || membership == 0) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no membership %ju",
                         (uintmax_t)membership);
    }
    group_leave(member, false);
    msg_left_encode(&connection->out, id, &left);
    return ACTA_OK;
}
