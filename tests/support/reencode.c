#include "reencode.h"

#include <assert.h>

#include "event.h"
#include "limit.h"
#include "msg.h"
#include "reencode_parts.h"

void
reencode_content(struct buf *buf, const struct event *event)
{
    struct slice tags[ACTA_TAGS_MAX];
    struct slice left = event->tags;

    assert(event->tags_count <= ACTA_TAGS_MAX);
    for (size_t i = 0; i < event->tags_count; i++) {
        tags[i] = event_tag(&left);
    }
    assert(left.size == 0);
    event_encode_content(buf, event, tags, event->tags_count);
}

enum acta_code
reencode_records(struct buf *buf, struct slice events, size_t count,
                 size_t fields_left, struct acta_err *err)
{
    struct event event;

    for (size_t i = 0; i < count; i++) {
        enum acta_code code = msg_next_event(&events, &event, err);
        size_t offset = buf_size(buf);

        if (code != ACTA_OK) {
            return code;
        }
        pack_array(buf, EVENT_RECORD_FIELDS);
        pack_fixed(buf, event.position);
        pack_fixed(buf, event.version);
        pack_fixed(buf, event.time_us);
        pack_str(buf, event.stream);
        if (!buf_failed(buf)) {
            /* Drop the head of the content's array: its fields go on here. */
            size_t before = buf_size(buf);
            uint8_t *bytes;

            reencode_content(buf, &event);
            bytes = buf->data + buf->start + before;
            memmove(bytes, bytes + 1, buf_size(buf) - before - 1);
            buf_truncate(buf, buf_size(buf) - 1);
            assert(event_record_position(
                       slice_make(buf->data + buf->start + offset,
                                  buf_size(buf) - offset)) == event.position);
        }
    }
    return msg_events_end(events, fields_left, err);
}

static enum acta_code
again_hello(struct buf *buf, uint64_t id, struct slice body,
            struct acta_err *err)
{
    struct msg_hello hello;
    enum acta_code code = msg_hello_decode(&hello, body, err);

    if (code == ACTA_OK) {
        msg_hello_encode(buf, id, &hello);
    }
    return code;
}

static enum acta_code
again_welcome(struct buf *buf, uint64_t id, struct slice body,
              struct acta_err *err)
{
    struct msg_welcome welcome;
    enum acta_code code = msg_welcome_decode(&welcome, body, err);

    if (code == ACTA_OK) {
        msg_welcome_encode(buf, id, &welcome);
    }
    return code;
}

static enum acta_code
again_empty(struct buf *buf, uint8_t kind, uint64_t id, struct slice body,
            struct acta_err *err)
{
    enum acta_code code = msg_empty_decode(body, err);

    if (code == ACTA_OK) {
        msg_empty_encode(buf, kind, id);
    }
    return code;
}

static enum acta_code
again_number(struct buf *buf, uint8_t kind, uint64_t id, struct slice body,
             struct acta_err *err)
{
    uint64_t number;
    enum acta_code code = msg_number_decode(&number, kind, body, err);

    if (code == ACTA_OK) {
        msg_number_encode(buf, kind, id, number);
    }
    return code;
}

static enum acta_code
again_error(struct buf *buf, uint64_t id, struct slice body,
            struct acta_err *err)
{
    struct msg_error error;
    struct msg_open open;
    enum acta_code code = msg_error_decode(&error, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (!error.has_unseen) {
        msg_error_encode(buf, id, &error);
        return ACTA_OK;
    }
    open = msg_error_begin(buf, id, &error);
    code = reencode_records(buf, error.unseen, error.unseen_count, 0, err);
    msg_error_end(buf, open, &error);
    return code;
}

static enum acta_code
again_status_reply(struct buf *buf, uint64_t id, struct slice body,
                   struct acta_err *err)
{
    struct msg_open open;
    struct slice entries;
    size_t count;
    enum acta_code code = msg_status_decode(&entries, &count, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_status_begin(buf, id);
    for (size_t i = 0; i < count; i++) {
        struct msg_status_entry entry = msg_next_status(&entries);

        pack_array(buf, 2);
        pack_str(buf, entry.name);
        if (entry.is_text) {
            pack_str(buf, entry.text);
        } else {
            pack_uint(buf, entry.number);
        }
        open.listed++;
    }
    assert(entries.size == 0);
    msg_status_end(buf, open);
    return ACTA_OK;
}

static enum acta_code
again_append(struct buf *buf, uint64_t id, struct slice body,
             struct acta_err *err)
{
    struct msg_append append;
    size_t start;
    enum acta_code code = msg_append_decode(&append, body, err);

    if (code != ACTA_OK) {
        assert(append.memory == NULL);
        return code;
    }
    start = msg_append_begin(buf, id, append.writes_count);
    for (size_t i = 0; i < append.writes_count; i++) {
        const struct msg_write *write = &append.writes[i];

        msg_append_write(buf, write->stream, write->expected,
                         write->events_count);
        for (size_t j = 0; j < write->events_count; j++) {
            reencode_content(buf, &write->events[j]);
        }
    }
    msg_append_end(buf, start, &append.more);
    msg_append_fini(&append);
    return ACTA_OK;
}

static enum acta_code
again_appended(struct buf *buf, uint64_t id, struct slice body,
               struct acta_err *err)
{
    struct msg_appended appended;
    size_t start;
    enum acta_code code = msg_appended_decode(&appended, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    start = msg_appended_begin(buf, id, appended.repeated, appended.runs_count);
    while (appended.runs_count > 0) {
        struct msg_run run = msg_appended_next(&appended);

        msg_appended_run(buf, &run);
    }
    assert(appended.runs.size == 0);
    msg_appended_end(buf, start, appended.cancelled);
    return ACTA_OK;
}

static enum acta_code
again_find_command(struct buf *buf, uint64_t id, struct slice body,
                   struct acta_err *err)
{
    const uint8_t *command_id;
    enum acta_code code = msg_find_command_decode(&command_id, body, err);

    if (code == ACTA_OK) {
        msg_find_command_encode(buf, id, command_id);
    }
    return code;
}

static enum acta_code
again_change(struct buf *buf, uint64_t id, struct slice body,
             struct acta_err *err)
{
    struct msg_change change;
    enum acta_code code = msg_change_decode(&change, body, err);

    if (code == ACTA_OK) {
        msg_change_encode(buf, id, &change);
    }
    return code;
}

static enum acta_code
again_changed(struct buf *buf, uint64_t id, struct slice body,
              struct acta_err *err)
{
    struct msg_changed changed;
    enum acta_code code = msg_changed_decode(&changed, body, err);

    if (code == ACTA_OK) {
        msg_changed_encode(buf, id, &changed);
    }
    return code;
}

static enum acta_code
again_read_stream(struct buf *buf, uint64_t id, struct slice body,
                  struct acta_err *err)
{
    struct msg_read_stream read;
    enum acta_code code = msg_read_stream_decode(&read, body, err);

    if (code == ACTA_OK) {
        msg_read_stream_encode(buf, id, &read);
    }
    return code;
}

static enum acta_code
again_read_all(struct buf *buf, uint64_t id, struct slice body,
               struct acta_err *err)
{
    struct msg_read_all read;
    enum acta_code code = msg_read_all_decode(&read, body, err);

    if (code != ACTA_OK) {
        assert(read.query.memory == NULL);
        return code;
    }
    msg_read_all_encode(buf, id, &read);
    query_fini(&read.query);
    return ACTA_OK;
}

static enum acta_code
again_read_event(struct buf *buf, uint64_t id, struct slice body,
                 struct acta_err *err)
{
    struct msg_read_event read;
    enum acta_code code = msg_read_event_decode(&read, body, err);

    if (code == ACTA_OK) {
        msg_read_event_encode(buf, id, &read);
    }
    return code;
}

static enum acta_code
again_page(struct buf *buf, uint64_t id, struct slice body,
           struct acta_err *err)
{
    struct msg_page page;
    struct msg_open open;
    enum acta_code code = msg_page_decode(&page, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_page_begin(buf, id);
    code = reencode_records(buf, page.events, page.events_count,
                            page.fields_left, err);
    msg_page_end(buf, open, &page);
    return code;
}

static enum acta_code
again_list_streams(struct buf *buf, uint64_t id, struct slice body,
                   struct acta_err *err)
{
    struct msg_list_streams list;
    enum acta_code code = msg_list_streams_decode(&list, body, err);

    if (code == ACTA_OK) {
        msg_list_streams_encode(buf, id, &list);
    }
    return code;
}

static enum acta_code
again_streams(struct buf *buf, uint64_t id, struct slice body,
              struct acta_err *err)
{
    struct msg_streams streams;
    struct msg_open open;
    enum acta_code code = msg_streams_decode(&streams, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_streams_begin(buf, id);
    for (size_t i = 0; i < streams.streams_count; i++) {
        struct msg_stream stream = msg_next_stream(&streams.streams);

        msg_streams_add(buf, &stream);
    }
    assert(streams.streams.size == 0);
    msg_streams_end(buf, open, &streams);
    return ACTA_OK;
}

static enum acta_code
again_describe_stream(struct buf *buf, uint64_t id, struct slice body,
                      struct acta_err *err)
{
    struct slice stream;
    enum acta_code code = msg_describe_stream_decode(&stream, body, err);

    if (code == ACTA_OK) {
        msg_describe_stream_encode(buf, id, stream);
    }
    return code;
}

static enum acta_code
again_description(struct buf *buf, uint64_t id, struct slice body,
                  struct acta_err *err)
{
    struct msg_description description;
    enum acta_code code = msg_description_decode(&description, body, err);

    if (code == ACTA_OK) {
        msg_description_encode(buf, id, &description);
    }
    return code;
}

static enum acta_code
again_list_names(struct buf *buf, uint64_t id, struct slice body,
                 struct acta_err *err)
{
    struct msg_list_names list;
    enum acta_code code = msg_list_names_decode(&list, body, err);

    if (code == ACTA_OK) {
        msg_list_names_encode(buf, id, &list);
    }
    return code;
}

static enum acta_code
again_names(struct buf *buf, uint64_t id, struct slice body,
            struct acta_err *err)
{
    struct msg_names names;
    struct msg_open open;
    enum acta_code code = msg_names_decode(&names, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_names_begin(buf, id);
    for (size_t i = 0; i < names.names_count; i++) {
        struct msg_name name = msg_next_name(&names.names);

        msg_names_add(buf, &name);
    }
    assert(names.names.size == 0);
    msg_names_end(buf, open, &names);
    return ACTA_OK;
}

static enum acta_code
again_subscribe(struct buf *buf, uint64_t id, struct slice body,
                struct acta_err *err)
{
    struct msg_subscribe subscribe;
    enum acta_code code = msg_subscribe_decode(&subscribe, body, err);

    if (code != ACTA_OK) {
        assert(subscribe.query.memory == NULL);
        return code;
    }
    msg_subscribe_encode(buf, id, &subscribe);
    query_fini(&subscribe.query);
    return ACTA_OK;
}

static enum acta_code
again_delivery(struct buf *buf, uint64_t id, struct slice body,
               struct acta_err *err)
{
    struct msg_delivery delivery;
    struct msg_open open;
    enum acta_code code = msg_delivery_decode(&delivery, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_delivery_begin(buf, id);
    code = reencode_records(buf, delivery.events, delivery.events_count,
                            delivery.fields_left, err);
    msg_delivery_end(buf, open, &delivery);
    return code;
}

static enum acta_code
again_unsubscribed(struct buf *buf, uint64_t id, struct slice body,
                   struct acta_err *err)
{
    struct msg_unsubscribed unsubscribed;
    enum acta_code code = msg_unsubscribed_decode(&unsubscribed, body, err);

    if (code == ACTA_OK) {
        msg_unsubscribed_encode(buf, id, &unsubscribed);
    }
    return code;
}

enum acta_code
reencode(struct buf *buf, uint8_t kind, uint64_t id, struct slice body,
         struct acta_err *err)
{
    if (opcode_text(kind) == NULL) {
        return acta_fail(err, ACTA_UNSUPPORTED, "no message is of kind 0x%02x",
                         kind);
    }
    switch ((enum opcode)kind) {
    case OP_HELLO:
        return again_hello(buf, id, body, err);
    case OP_WELCOME:
        return again_welcome(buf, id, body, err);
    case OP_PING:
    case OP_STATUS:
        return again_empty(buf, kind, id, body, err);
    case OP_PONG:
    case OP_CREDIT:
    case OP_UNSUBSCRIBE:
    case OP_SUBSCRIBED:
    case OP_CAUGHT_UP:
    case OP_FELL_BEHIND:
    case OP_FIND_TIME:
    case OP_FOUND_TIME:
    case OP_LEAVE:
    case OP_PARKED_CHANGED:
    case OP_END_BACKUP:
    case OP_BACKUP_ENDED:
        return again_number(buf, kind, id, body, err);
    case OP_ERROR:
        return again_error(buf, id, body, err);
    case OP_STATUS_REPLY:
        return again_status_reply(buf, id, body, err);
    case OP_APPEND:
        return again_append(buf, id, body, err);
    case OP_APPENDED:
        return again_appended(buf, id, body, err);
    case OP_FIND_COMMAND:
        return again_find_command(buf, id, body, err);
    case OP_CHANGE_STREAM:
        return again_change(buf, id, body, err);
    case OP_CHANGED:
        return again_changed(buf, id, body, err);
    case OP_READ_STREAM:
        return again_read_stream(buf, id, body, err);
    case OP_READ_ALL:
        return again_read_all(buf, id, body, err);
    case OP_READ_EVENT:
        return again_read_event(buf, id, body, err);
    case OP_PAGE:
        return again_page(buf, id, body, err);
    case OP_LIST_STREAMS:
        return again_list_streams(buf, id, body, err);
    case OP_STREAMS:
        return again_streams(buf, id, body, err);
    case OP_DESCRIBE_STREAM:
        return again_describe_stream(buf, id, body, err);
    case OP_DESCRIPTION:
        return again_description(buf, id, body, err);
    case OP_LIST_NAMES:
        return again_list_names(buf, id, body, err);
    case OP_NAMES:
        return again_names(buf, id, body, err);
    case OP_SUBSCRIBE:
        return again_subscribe(buf, id, body, err);
    case OP_DELIVERY:
        return again_delivery(buf, id, body, err);
    case OP_UNSUBSCRIBED:
        return again_unsubscribed(buf, id, body, err);
    case OP_CHANGE_CONSUMER:
    case OP_CHANGE_LEASE:
    case OP_CHANGE_PARKED:
    case OP_LOAD:
    case OP_AWAIT:
    case OP_VERIFY:
    case OP_VERIFIED:
    case OP_LIST_CONSUMERS:
    case OP_DESCRIBE_CONSUMER:
    case OP_LIST_PARKED:
    case OP_LIST_LEASES:
    case OP_LIST_SCHEDULES:
    case OP_JOIN:
    case OP_SETTLE:
    case OP_CONSUMER_CHANGED:
    case OP_LEASE_CHANGED:
    case OP_LOADED:
    case OP_CONSUMERS:
    case OP_CONSUMER:
    case OP_PARKED:
    case OP_LEASES:
    case OP_SCHEDULES:
    case OP_JOINED:
    case OP_HANDED:
    case OP_SETTLED:
    case OP_LEFT:
    case OP_BEGIN_BACKUP:
    case OP_READ_BACKUP:
    case OP_BACKUP_BEGUN:
    case OP_BACKUP_CHUNK:
        return reencode_named(buf, kind, id, body, err);
    }
    return acta_fail(err, ACTA_UNSUPPORTED, "kind 0x%02x is forgotten here",
                     kind);
}
