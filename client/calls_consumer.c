/* The requests of acta_consumer.h. */

#include "client.h"
#include "given.h"
#include "limit.h"
#include "msg_consumer.h"
#include "name.h"
#include "query_build.h"
#include "sub.h"

#define GROUP_ALL                                                              \
    (ACTA_GROUP_QUERY | ACTA_GROUP_ACK_TIMEOUT | ACTA_GROUP_DELIVERIES_MAX |   \
     ACTA_GROUP_ON_PARK)

_Static_assert((unsigned)MSG_HAS_QUERY == ACTA_GROUP_QUERY &&
                   (unsigned)MSG_HAS_ACK_TIMEOUT == ACTA_GROUP_ACK_TIMEOUT &&
                   (unsigned)MSG_HAS_DELIVERIES_MAX ==
                       ACTA_GROUP_DELIVERIES_MAX &&
                   (unsigned)MSG_HAS_ON_PARK == ACTA_GROUP_ON_PARK,
               "the same bits say what is given");
_Static_assert((int)MSG_PARK_GOES_ON == ACTA_PARK_GOES_ON, "the same numbers");

/* Do what @change says to @name; its other fields are set by the caller. */
static uint64_t
change_consumer(struct acta_client *client, const char *name,
                struct msg_change_consumer *change, uint64_t timeout_ms,
                acta_on_consumer_changed *done, void *user,
                struct acta_err *err)
{
    struct buf *buf;
    uint64_t id;

    change->name = slice_of(name == NULL ? "" : name);
    if (name_check(change->name, ACTA_NAME_SIZE_MAX, "consumer", err) !=
        ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_change_consumer_encode(buf, id, change);
    return client_submit(client, OP_CHANGE_CONSUMER, timeout_ms,
                         (union request_done){.consumer_changed = done}, user,
                         err);
}

uint64_t
acta_claim(struct acta_client *client, const char *consumer,
           const struct acta_query *query, uint64_t position,
           uint64_t timeout_ms, acta_on_consumer_changed *done, void *user,
           struct acta_err *err)
{
    struct msg_change_consumer change = {
        .kind = MSG_CONSUMER_CLAIM,
        .position = position,
    };
    uint64_t id;

    if (query_build(query, &change.query, err) != ACTA_OK) {
        return 0;
    }
    id =
        change_consumer(client, consumer, &change, timeout_ms, done, user, err);
    query_fini(&change.query);
    return id;
}

/* ---- groups ---- */

static uint64_t
change_group(struct acta_client *client, const char *name,
             enum msg_consumer_change kind, const struct acta_group *group,
             uint64_t timeout_ms, acta_on_consumer_changed *done, void *user,
             struct acta_err *err)
{
    struct msg_change_consumer change;
    struct acta_group known;
    uint64_t id;

    if (!given_copy(&known, sizeof(known), group)) {
        acta_fail(err, ACTA_INVALID, "group is not of acta_group_of()");
        return 0;
    }
    if (kind == MSG_CONSUMER_ALTER && known.given == 0) {
        acta_fail(err, ACTA_INVALID, "nothing of the group is given");
        return 0;
    }
    if ((known.given & ~GROUP_ALL) != 0) {
        acta_fail(err, ACTA_UNSUPPORTED,
                  "fields 0x%x of a group are given, this library knows 0x%x",
                  known.given, GROUP_ALL);
        return 0;
    }
    change = (struct msg_change_consumer){
        .kind = kind,
        .position = known.position,
        .settings = {slice_of(known.key_tag == NULL ? "" : known.key_tag),
                     known.ack_timeout_us, known.deliveries_max,
                     (enum msg_on_park)known.on_park},
        .given = known.given,
    };
    if (query_build((known.given & ACTA_GROUP_QUERY) != 0 ? known.query : NULL,
                    &change.query, err) != ACTA_OK) {
        return 0;
    }
    id = change_consumer(client, name, &change, timeout_ms, done, user, err);
    query_fini(&change.query);
    return id;
}

uint64_t
acta_create_group(struct acta_client *client, const char *name,
                  const struct acta_group *group, uint64_t timeout_ms,
                  acta_on_consumer_changed *done, void *user,
                  struct acta_err *err)
{
    return change_group(client, name, MSG_CONSUMER_CREATE, group, timeout_ms,
                        done, user, err);
}

uint64_t
acta_alter_group(struct acta_client *client, const char *name,
                 const struct acta_group *group, uint64_t timeout_ms,
                 acta_on_consumer_changed *done, void *user,
                 struct acta_err *err)
{
    return change_group(client, name, MSG_CONSUMER_ALTER, group, timeout_ms,
                        done, user, err);
}

uint64_t
acta_pause_group(struct acta_client *client, const char *name,
                 uint64_t timeout_ms, acta_on_consumer_changed *done,
                 void *user, struct acta_err *err)
{
    struct msg_change_consumer change = {.kind = MSG_CONSUMER_PAUSE};

    return change_consumer(client, name, &change, timeout_ms, done, user, err);
}

uint64_t
acta_resume_group(struct acta_client *client, const char *name,
                  uint64_t timeout_ms, acta_on_consumer_changed *done,
                  void *user, struct acta_err *err)
{
    struct msg_change_consumer change = {.kind = MSG_CONSUMER_RESUME};

    return change_consumer(client, name, &change, timeout_ms, done, user, err);
}

/* ---- both kinds ---- */

uint64_t
acta_reset_consumer(struct acta_client *client, const char *name,
                    uint64_t position, uint64_t timeout_ms,
                    acta_on_consumer_changed *done, void *user,
                    struct acta_err *err)
{
    struct msg_change_consumer change = {
        .kind = MSG_CONSUMER_RESET,
        .position = position,
    };

    return change_consumer(client, name, &change, timeout_ms, done, user, err);
}

uint64_t
acta_delete_consumer(struct acta_client *client, const char *name,
                     uint64_t timeout_ms, acta_on_consumer_changed *done,
                     void *user, struct acta_err *err)
{
    struct msg_change_consumer change = {.kind = MSG_CONSUMER_DELETE};

    return change_consumer(client, name, &change, timeout_ms, done, user, err);
}

uint64_t
acta_note_consumer(struct acta_client *client, const char *name, uint64_t epoch,
                   const char *text, uint64_t timeout_ms,
                   acta_on_consumer_changed *done, void *user,
                   struct acta_err *err)
{
    struct msg_change_consumer change = {
        .kind = MSG_CONSUMER_NOTE,
        .epoch = epoch,
        .note = slice_of(text),
    };

    if (change.note.size > ACTA_TEXT_SIZE_MAX) {
        acta_fail(err, ACTA_TOO_LARGE, "note of %zu bytes, the limit is %d",
                  change.note.size, ACTA_TEXT_SIZE_MAX);
        return 0;
    }
    return change_consumer(client, name, &change, timeout_ms, done, user, err);
}

/* ---- what there is ---- */

uint64_t
acta_wait_for(struct acta_client *client, const char *name, uint64_t position,
              uint64_t wait_ms, acta_on_consumer_changed *done, void *user,
              struct acta_err *err)
{
    struct msg_await await = {
        .consumer = slice_of(name == NULL ? "" : name),
        .position = position,
        .timeout_us = wait_ms * 1000,
    };
    struct buf *buf;
    uint64_t id;

    if (name_check(await.consumer, ACTA_NAME_SIZE_MAX, "consumer", err) !=
        ACTA_OK) {
        return 0;
    }
    if (wait_ms > MSG_AWAIT_US_MAX / 1000) {
        acta_fail(err, ACTA_TOO_LARGE, "24 hours are the longest wait");
        return 0;
    }
    buf = wait_ms > 0 ? core_begin_wait(&client->core, &id, err)
                      : core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_await_encode(buf, id, &await);
    return client_submit(client, OP_AWAIT, wait_ms,
                         (union request_done){.consumer_changed = done}, user,
                         err);
}

uint64_t
acta_list_consumers(struct acta_client *client, const char *prefix,
                    const char *after, size_t count_max, uint64_t timeout_ms,
                    acta_on_consumers *done, void *user, struct acta_err *err)
{
    return client_list(client, OP_LIST_CONSUMERS, prefix, after, count_max,
                       timeout_ms, (union request_done){.consumers = done},
                       user, err);
}

uint64_t
acta_describe_consumer(struct acta_client *client, const char *name,
                       uint64_t timeout_ms, acta_on_consumer_description *done,
                       void *user, struct acta_err *err)
{
    struct slice consumer = slice_of(name == NULL ? "" : name);
    struct buf *buf;
    uint64_t id;

    if (name_check(consumer, ACTA_NAME_SIZE_MAX, "consumer", err) != ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_describe_consumer_encode(buf, id, consumer);
    return client_submit(client, OP_DESCRIBE_CONSUMER, timeout_ms,
                         (union request_done){.described = done}, user, err);
}

/* ---- parked events ---- */

uint64_t
acta_list_parked(struct acta_client *client, const char *group, uint64_t after,
                 size_t count_max, uint64_t timeout_ms, acta_on_parked *done,
                 void *user, struct acta_err *err)
{
    struct msg_list_parked message = {
        .group = slice_of(group == NULL ? "" : group),
        .after = after,
        .count_max = count_max,
    };
    struct buf *buf;
    uint64_t id;

    if (name_check(message.group, ACTA_NAME_SIZE_MAX, "group", err) !=
        ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_list_parked_encode(buf, id, &message);
    return client_submit(client, OP_LIST_PARKED, timeout_ms,
                         (union request_done){.parked = done}, user, err);
}

static uint64_t
change_parked(struct acta_client *client, const char *group,
              enum msg_parked_change kind, const uint64_t *positions,
              size_t positions_count, uint64_t timeout_ms, acta_on_count *done,
              void *user, struct acta_err *err)
{
    struct slice name = slice_of(group == NULL ? "" : group);
    bool all = positions == NULL;
    struct buf *buf;
    uint64_t id;

    if (name_check(name, ACTA_NAME_SIZE_MAX, "group", err) != ACTA_OK) {
        return 0;
    }
    if (!all && positions_count == 0) {
        acta_fail(err, ACTA_INVALID, "no positions are given");
        return 0;
    }
    if (!all && positions_count > ACTA_SETTLE_MAX) {
        acta_fail(err, ACTA_TOO_LARGE, "%zu positions, the limit is %d",
                  positions_count, ACTA_SETTLE_MAX);
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_change_parked_encode(buf, id, name, kind, positions, positions_count,
                             all);
    return client_submit(client, OP_CHANGE_PARKED, timeout_ms,
                         (union request_done){.count = done}, user, err);
}

uint64_t
acta_replay_parked(struct acta_client *client, const char *group,
                   const uint64_t *positions, size_t positions_count,
                   uint64_t timeout_ms, acta_on_count *done, void *user,
                   struct acta_err *err)
{
    return change_parked(client, group, MSG_PARKED_REPLAY, positions,
                         positions_count, timeout_ms, done, user, err);
}

uint64_t
acta_drop_parked(struct acta_client *client, const char *group,
                 const uint64_t *positions, size_t positions_count,
                 uint64_t timeout_ms, acta_on_count *done, void *user,
                 struct acta_err *err)
{
    return change_parked(client, group, MSG_PARKED_DROP, positions,
                         positions_count, timeout_ms, done, user, err);
}

/* ---- checkpoints ---- */

void
acta_checkpoint(struct acta_sub *sub, uint64_t position)
{
    struct acta_client *client = sub->core->owner;
    uint64_t now_ms = client_now_ms(client);

    client_enter(client);
    sub_checkpoint(sub, position);
    core_pump(&client->core, now_ms);
    client_leave(client, now_ms);
}

uint64_t
acta_sub_epoch(const struct acta_sub *sub)
{
    return sub->epoch;
}
