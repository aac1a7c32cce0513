/* change-consumer, await and consumer-changed; list-consumers, list-leases and
 * list-schedules.
 */

#include "msg_consumer.h"

#include <assert.h>

#include "limit.h"
#include "msg_body.h"

#define CHANGE_FIELDS  3
#define CLAIM_VALUES   2
#define CREATE_VALUES  6
#define ALTER_VALUES   4
#define RESET_VALUES   1
#define NOTE_VALUES    2
#define AWAIT_FIELDS   3
#define CHANGED_FIELDS 3
#define LIST_FIELDS    3

static void
encode_given(struct buf *buf, bool given, uint64_t value)
{
    if (given) {
        pack_uint(buf, value);
    } else {
        pack_nil(buf);
    }
}

/* The settings that may be left as they are. */
static void
encode_settings(struct buf *buf, const struct msg_change_consumer *change)
{
    const struct msg_group_settings *settings = &change->settings;
    unsigned given = change->given;

    encode_given(buf, given & MSG_HAS_ACK_TIMEOUT, settings->ack_timeout_us);
    encode_given(buf, given & MSG_HAS_DELIVERIES_MAX, settings->deliveries_max);
    encode_given(buf, given & MSG_HAS_ON_PARK, settings->on_park);
}

static void
encode_values(struct buf *buf, const struct msg_change_consumer *change)
{
    switch (change->kind) {
    case MSG_CONSUMER_CLAIM:
        pack_array(buf, CLAIM_VALUES);
        query_encode(buf, &change->query);
        pack_uint(buf, change->position);
        break;
    case MSG_CONSUMER_CREATE:
        pack_array(buf, CREATE_VALUES);
        query_encode(buf, &change->query);
        pack_uint(buf, change->position);
        pack_str(buf, change->settings.key_tag);
        encode_settings(buf, change);
        break;
    case MSG_CONSUMER_ALTER:
        pack_array(buf, ALTER_VALUES);
        if (change->given & MSG_HAS_QUERY) {
            query_encode(buf, &change->query);
        } else {
            pack_nil(buf);
        }
        encode_settings(buf, change);
        break;
    case MSG_CONSUMER_RESET:
        pack_array(buf, RESET_VALUES);
        pack_uint(buf, change->position);
        break;
    case MSG_CONSUMER_NOTE:
        pack_array(buf, NOTE_VALUES);
        pack_uint(buf, change->epoch);
        pack_str(buf, change->note);
        break;
    case MSG_CONSUMER_DELETE:
    case MSG_CONSUMER_PAUSE:
    case MSG_CONSUMER_RESUME:
        pack_array(buf, 0);
        break;
    }
}

void
msg_change_consumer_encode(struct buf *buf, uint64_t request_id,
                           const struct msg_change_consumer *change)
{
    size_t start = frame_begin(buf, OP_CHANGE_CONSUMER, request_id);

    pack_array(buf, CHANGE_FIELDS);
    pack_str(buf, change->name);
    pack_uint(buf, change->kind);
    encode_values(buf, change);
    frame_end(buf, start);
}

static void
decode_key_tag(struct pack_reader *reader, struct msg_group_settings *settings)
{
    settings->key_tag = pack_get_str(reader, "key tag");
    if (settings->key_tag.size > 0) {
        msg_check_name(reader, settings->key_tag, "key tag");
    }
}

static void
decode_ack_timeout(struct pack_reader *reader,
                   struct msg_change_consumer *change)
{
    if (pack_skip_nil(reader)) {
        return;
    }
    change->given |= MSG_HAS_ACK_TIMEOUT;
    change->settings.ack_timeout_us = pack_get_uint(reader, "ack time-out");
    msg_check_time(reader, change->settings.ack_timeout_us,
                   MSG_ACK_TIMEOUT_US_MIN, MSG_ACK_TIMEOUT_US_MAX,
                   "ack time-out");
}

static void
decode_deliveries_max(struct pack_reader *reader,
                      struct msg_change_consumer *change)
{
    if (pack_skip_nil(reader)) {
        return;
    }
    change->given |= MSG_HAS_DELIVERIES_MAX;
    change->settings.deliveries_max = pack_get_uint(reader, "deliveries max");
    if (!reader->failed && change->settings.deliveries_max == 0) {
        pack_fail(reader, ACTA_INVALID, "deliveries max must be at least 1");
    }
}

static void
decode_on_park(struct pack_reader *reader, struct msg_change_consumer *change)
{
    uint64_t on_park;

    if (pack_skip_nil(reader)) {
        return;
    }
    change->given |= MSG_HAS_ON_PARK;
    on_park = pack_get_uint(reader, "on park");
    if (!reader->failed && on_park > MSG_PARK_GOES_ON) {
        pack_fail(reader, ACTA_INVALID, "on park is %ju, must be 0 to %d",
                  (uintmax_t)on_park, MSG_PARK_GOES_ON);
        return;
    }
    change->settings.on_park = (enum msg_on_park)on_park;
}

static void
decode_settings(struct pack_reader *reader, struct msg_change_consumer *change)
{
    decode_ack_timeout(reader, change);
    decode_deliveries_max(reader, change);
    decode_on_park(reader, change);
}

static void
decode_create(struct pack_reader *reader, struct msg_change_consumer *change)
{
    change->settings = (struct msg_group_settings){
        .ack_timeout_us = MSG_ACK_TIMEOUT_US_DEFAULT,
        .deliveries_max = MSG_DELIVERIES_MAX_DEFAULT,
        .on_park = MSG_PARK_WAITS,
    };
    pack_get_array_of(reader, CREATE_VALUES, CREATE_VALUES, "values");
    query_decode(reader, &change->query);
    change->position = pack_get_uint(reader, "position");
    decode_key_tag(reader, &change->settings);
    decode_settings(reader, change);
}

static void
decode_alter(struct pack_reader *reader, struct msg_change_consumer *change)
{
    pack_get_array_of(reader, ALTER_VALUES, ALTER_VALUES, "values");
    if (!pack_skip_nil(reader)) {
        change->given |= MSG_HAS_QUERY;
        query_decode(reader, &change->query);
    }
    decode_settings(reader, change);
    if (!reader->failed && change->given == 0) {
        pack_fail(reader, ACTA_INVALID, "nothing is given to alter");
    }
}

static void
decode_values(struct pack_reader *reader, struct msg_change_consumer *change)
{
    switch (change->kind) {
    case MSG_CONSUMER_CLAIM:
        pack_get_array_of(reader, CLAIM_VALUES, CLAIM_VALUES, "values");
        query_decode(reader, &change->query);
        change->position = pack_get_uint(reader, "position");
        break;
    case MSG_CONSUMER_CREATE:
        decode_create(reader, change);
        break;
    case MSG_CONSUMER_ALTER:
        decode_alter(reader, change);
        break;
    case MSG_CONSUMER_RESET:
        pack_get_array_of(reader, RESET_VALUES, RESET_VALUES, "values");
        change->position = pack_get_uint(reader, "position");
        break;
    case MSG_CONSUMER_NOTE:
        pack_get_array_of(reader, NOTE_VALUES, NOTE_VALUES, "values");
        change->epoch = pack_get_uint(reader, "epoch");
        change->note = pack_get_str(reader, "note");
        msg_check_text(reader, change->note, "note");
        break;
    case MSG_CONSUMER_DELETE:
    case MSG_CONSUMER_PAUSE:
    case MSG_CONSUMER_RESUME:
        pack_get_array_of(reader, 0, 0, "values");
        break;
    }
}

enum acta_code
msg_change_consumer_decode(struct msg_change_consumer *change,
                           struct slice body, struct acta_err *err)
{
    struct pack_reader reader;
    uint64_t kind;

    *change = (struct msg_change_consumer){.query = QUERY_ALL};
    msg_request_begin(&reader, body, CHANGE_FIELDS, err);
    change->name = pack_get_str(&reader, "consumer");
    kind = pack_get_uint(&reader, "kind");
    msg_check_name(&reader, change->name, "consumer");
    if (!reader.failed && kind > MSG_CONSUMER_NOTE) {
        pack_fail(&reader, ACTA_INVALID,
                  "kind of change is %ju, must be 0 to %d", (uintmax_t)kind,
                  MSG_CONSUMER_NOTE);
    }
    if (!reader.failed) {
        change->kind = (enum msg_consumer_change)kind;
        decode_values(&reader, change);
    }
    if (reader.failed) {
        query_fini(&change->query);
    }
    return pack_code(&reader);
}

void
msg_consumer_changed_encode(struct buf *buf, uint64_t request_id,
                            const struct msg_consumer_changed *changed)
{
    size_t start = frame_begin(buf, OP_CONSUMER_CHANGED, request_id);

    pack_array(buf, CHANGED_FIELDS);
    pack_uint(buf, changed->position);
    pack_uint(buf, changed->epoch);
    pack_bool(buf, changed->changed);
    frame_end(buf, start);
}

enum acta_code
msg_consumer_changed_decode(struct msg_consumer_changed *changed,
                            struct slice body, struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, CHANGED_FIELDS, err);
    changed->position = pack_get_uint(&reader, "position");
    changed->epoch = pack_get_uint(&reader, "epoch");
    changed->changed = pack_get_bool(&reader, "changed");
    return pack_code(&reader);
}

void
msg_await_encode(struct buf *buf, uint64_t request_id,
                 const struct msg_await *await)
{
    size_t start = frame_begin(buf, OP_AWAIT, request_id);

    pack_array(buf, AWAIT_FIELDS);
    pack_str(buf, await->consumer);
    pack_uint(buf, await->position);
    pack_uint(buf, await->timeout_us);
    frame_end(buf, start);
}

enum acta_code
msg_await_decode(struct msg_await *await, struct slice body,
                 struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, AWAIT_FIELDS, err);
    await->consumer = pack_get_str(&reader, "consumer");
    await->position = pack_get_uint(&reader, "position");
    await->timeout_us = pack_get_uint(&reader, "time-out");
    msg_check_name(&reader, await->consumer, "consumer");
    msg_check_time(&reader, await->timeout_us, 0, MSG_AWAIT_US_MAX, "time-out");
    return pack_code(&reader);
}

static void
assert_list(uint8_t kind)
{
    assert(kind == OP_LIST_CONSUMERS || kind == OP_LIST_LEASES ||
           kind == OP_LIST_SCHEDULES);
}

void
msg_list_encode(struct buf *buf, uint8_t kind, uint64_t request_id,
                const struct msg_list *list)
{
    size_t start = frame_begin(buf, kind, request_id);

    assert_list(kind);
    pack_array(buf, LIST_FIELDS);
    pack_str(buf, list->prefix);
    pack_str(buf, list->after);
    pack_uint(buf, list->count_max);
    frame_end(buf, start);
}

enum acta_code
msg_list_decode(struct msg_list *list, uint8_t kind, struct slice body,
                struct acta_err *err)
{
    struct pack_reader reader;

    assert_list(kind);
    msg_request_begin(&reader, body, LIST_FIELDS, err);
    list->prefix = pack_get_str(&reader, "prefix");
    list->after = pack_get_str(&reader, "after");
    list->count_max = pack_get_uint(&reader, "count_max");
    msg_check_prefix(&reader, list->prefix, list->after);
    return pack_code(&reader);
}
