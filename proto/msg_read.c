/* read-stream, read-all, read-event and page; list-streams and streams. */

#include "msg.h"

#include "limit.h"
#include "msg_body.h"
#include "name.h"

#define READ_STREAM_FIELDS  5
#define READ_ALL_FIELDS     5
#define READ_EVENT_FIELDS   3
#define PAGE_FIELDS         5
#define LIST_STREAMS_FIELDS 3
#define STREAMS_FIELDS      2
#define STREAM_FIELDS       5

static void
encode_bounds(struct buf *buf, const struct msg_bounds *bounds)
{
    pack_uint(buf, bounds->events_max);
    pack_uint(buf, bounds->bytes_max);
}

static void
decode_bounds(struct pack_reader *reader, struct msg_bounds *bounds)
{
    bounds->events_max = pack_get_uint(reader, "events_max");
    bounds->bytes_max = pack_get_uint(reader, "bytes_max");
}

static void
check_stream(struct pack_reader *reader, struct slice stream)
{
    struct acta_err err;

    if (!reader->failed &&
        name_check(stream, ACTA_STREAM_SIZE_MAX, "stream", &err) != ACTA_OK) {
        pack_fail(reader, err.code, "%s", err.text);
    }
}

void
msg_read_stream_encode(struct buf *buf, uint64_t request_id,
                       const struct msg_read_stream *read)
{
    size_t start = frame_begin(buf, OP_READ_STREAM, request_id);

    pack_array(buf, READ_STREAM_FIELDS);
    pack_str(buf, read->stream);
    pack_uint(buf, read->from);
    pack_bool(buf, read->backward);
    encode_bounds(buf, &read->bounds);
    frame_end(buf, start);
}

enum acta_code
msg_read_stream_decode(struct msg_read_stream *read, struct slice body,
                       struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, READ_STREAM_FIELDS, err);
    read->stream = pack_get_str(&reader, "stream");
    read->from = pack_get_uint(&reader, "from");
    read->backward = pack_get_bool(&reader, "backward");
    decode_bounds(&reader, &read->bounds);
    check_stream(&reader, read->stream);
    return pack_code(&reader);
}

void
msg_read_all_encode(struct buf *buf, uint64_t request_id,
                    const struct msg_read_all *read)
{
    size_t start = frame_begin(buf, OP_READ_ALL, request_id);

    pack_array(buf, READ_ALL_FIELDS);
    query_encode(buf, &read->query);
    pack_uint(buf, read->from);
    pack_bool(buf, read->backward);
    encode_bounds(buf, &read->bounds);
    frame_end(buf, start);
}

enum acta_code
msg_read_all_decode(struct msg_read_all *read, struct slice body,
                    struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, READ_ALL_FIELDS, err);
    query_decode(&reader, &read->query);
    read->from = pack_get_uint(&reader, "from");
    read->backward = pack_get_bool(&reader, "backward");
    decode_bounds(&reader, &read->bounds);
    if (reader.failed) {
        query_fini(&read->query);
    }
    return pack_code(&reader);
}

void
msg_read_event_encode(struct buf *buf, uint64_t request_id,
                      const struct msg_read_event *read)
{
    size_t start = frame_begin(buf, OP_READ_EVENT, request_id);

    pack_array(buf, READ_EVENT_FIELDS);
    if (read->id != NULL) {
        pack_bin(buf, slice_make(read->id, UUID_SIZE));
    } else {
        pack_nil(buf);
    }
    pack_str(buf, read->stream);
    pack_uint(buf, read->version);
    frame_end(buf, start);
}

enum acta_code
msg_read_event_decode(struct msg_read_event *read, struct slice body,
                      struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, READ_EVENT_FIELDS, err);
    read->id = pack_get_bytes_or_nil(&reader, UUID_SIZE, "id");
    read->stream = pack_get_str(&reader, "stream");
    read->version = pack_get_uint(&reader, "version");
    if (read->id == NULL) {
        check_stream(&reader, read->stream);
    }
    return pack_code(&reader);
}

/* What is known only at the end of a page stands before its events, in fields
 * of fixed size that are patched: a reader has it before the events, and need
 * not go past them to find it.
 */
#define PAGE_NEXT_AT    (FRAME_HEADER_SIZE + 1)
#define PAGE_AT_END_AT  (PAGE_NEXT_AT + PACK_FIXED_SIZE)
#define PAGE_HEAD_AT    (PAGE_AT_END_AT + 1)
#define PAGE_VERSION_AT (PAGE_HEAD_AT + PACK_FIXED_SIZE)

struct msg_open
msg_page_begin(struct buf *buf, uint64_t request_id)
{
    struct msg_open open = {.frame = frame_begin(buf, OP_PAGE, request_id)};

    pack_array(buf, PAGE_FIELDS);
    pack_fixed(buf, 0);
    pack_bool(buf, false);
    pack_fixed(buf, 0);
    pack_fixed(buf, 0);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_page_end(struct buf *buf, struct msg_open open, const struct msg_page *page)
{
    pack_patch_fixed(buf, open.frame + PAGE_NEXT_AT, page->next);
    pack_patch_bool(buf, open.frame + PAGE_AT_END_AT, page->at_end);
    pack_patch_fixed(buf, open.frame + PAGE_HEAD_AT, page->head);
    pack_patch_fixed(buf, open.frame + PAGE_VERSION_AT, page->version);
    pack_array_end(buf, open.count, page->events_count);
    frame_end(buf, open.frame);
}

enum acta_code
msg_page_decode(struct msg_page *page, struct slice body, struct acta_err *err)
{
    struct pack_reader reader;

    page->fields_left = msg_events_begin(&reader, body, PAGE_FIELDS, err);
    page->next = pack_get_uint(&reader, "next");
    page->at_end = pack_get_bool(&reader, "at end");
    page->head = pack_get_uint(&reader, "head");
    page->version = pack_get_uint(&reader, "version");
    page->events_count = msg_take_events(&reader, &page->events);
    return pack_code(&reader);
}

enum acta_code
msg_next_event(struct slice *events, struct event *event, struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, *events, err);
    event_decode_record(&reader, event);
    *events = slice_make(reader.at, (size_t)(reader.end - reader.at));
    return pack_code(&reader);
}

enum acta_code
msg_events_end(struct slice events, size_t fields_left, struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, events, err);
    msg_take_elements(&reader, fields_left);
    if (reader.at != reader.end) {
        pack_fail(&reader, ACTA_PROTOCOL, "%td bytes follow the events",
                  reader.end - reader.at);
    }
    return pack_code(&reader);
}

void
msg_list_streams_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_list_streams *list)
{
    size_t start = frame_begin(buf, OP_LIST_STREAMS, request_id);

    pack_array(buf, LIST_STREAMS_FIELDS);
    pack_str(buf, list->prefix);
    pack_str(buf, list->after);
    pack_uint(buf, list->count_max);
    frame_end(buf, start);
}

enum acta_code
msg_list_streams_decode(struct msg_list_streams *list, struct slice body,
                        struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, LIST_STREAMS_FIELDS, err);
    list->prefix = pack_get_str(&reader, "prefix");
    list->after = pack_get_str(&reader, "after");
    list->count_max = pack_get_uint(&reader, "count_max");
    if (!reader.failed && (list->prefix.size > ACTA_STREAM_SIZE_MAX ||
                           list->after.size > ACTA_STREAM_SIZE_MAX)) {
        pack_fail(&reader, ACTA_TOO_LARGE,
                  "prefix and after are limited to %d bytes",
                  ACTA_STREAM_SIZE_MAX);
    }
    return pack_code(&reader);
}

struct msg_open
msg_streams_begin(struct buf *buf, uint64_t request_id)
{
    struct msg_open open = {.frame = frame_begin(buf, OP_STREAMS, request_id)};

    pack_array(buf, STREAMS_FIELDS);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_streams_add(struct buf *buf, const struct msg_stream *stream)
{
    pack_array(buf, STREAM_FIELDS);
    pack_str(buf, stream->name);
    pack_uint(buf, stream->version);
    pack_uint(buf, stream->first_time_us);
    pack_uint(buf, stream->last_time_us);
    pack_uint(buf, stream->last_position);
}

void
msg_streams_end(struct buf *buf, struct msg_open open,
                const struct msg_streams *streams)
{
    pack_array_end(buf, open.count, streams->streams_count);
    pack_bool(buf, streams->at_end);
    frame_end(buf, open.frame);
}

static struct msg_stream
read_stream(struct pack_reader *reader)
{
    struct msg_stream stream;
    size_t fields =
        pack_get_array_of(reader, STREAM_FIELDS, SIZE_MAX, "stream fields");

    stream.name = pack_get_str(reader, "name");
    stream.version = pack_get_uint(reader, "version");
    stream.first_time_us = pack_get_uint(reader, "first time");
    stream.last_time_us = pack_get_uint(reader, "last time");
    stream.last_position = pack_get_uint(reader, "last position");
    if (!reader->failed) {
        msg_take_elements(reader, fields - STREAM_FIELDS);
    }
    return stream;
}

enum acta_code
msg_streams_decode(struct msg_streams *streams, struct slice body,
                   struct acta_err *err)
{
    struct pack_reader reader;
    const uint8_t *from;

    msg_reply_begin(&reader, body, STREAMS_FIELDS, err);
    streams->streams_count = pack_get_array(&reader, "streams");
    from = reader.at;
    for (size_t i = 0; i < streams->streams_count && !reader.failed; i++) {
        read_stream(&reader);
    }
    streams->streams = pack_since(&reader, from);
    streams->at_end = pack_get_bool(&reader, "at end");
    return pack_code(&reader);
}

struct msg_stream
msg_next_stream(struct slice *streams)
{
    struct pack_reader reader;
    struct msg_stream stream;

    pack_reader_init(&reader, *streams, NULL);
    stream = read_stream(&reader);
    *streams = slice_make(reader.at, (size_t)(reader.end - reader.at));
    return stream;
}
