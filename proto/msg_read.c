/* read-stream, read-all, read-event and page. */

#include "msg.h"

#include "msg_body.h"

#define READ_STREAM_FIELDS 5
#define READ_ALL_FIELDS    5
#define READ_EVENT_FIELDS  3
#define PAGE_FIELDS        5

void
msg_read_stream_encode(struct buf *buf, uint64_t request_id,
                       const struct msg_read_stream *read)
{
    size_t start = frame_begin(buf, OP_READ_STREAM, request_id);

    pack_array(buf, READ_STREAM_FIELDS);
    pack_str(buf, read->stream);
    pack_uint(buf, read->from);
    pack_bool(buf, read->backward);
    msg_encode_bounds(buf, &read->bounds);
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
    msg_decode_bounds(&reader, &read->bounds);
    msg_check_stream(&reader, read->stream);
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
    msg_encode_bounds(buf, &read->bounds);
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
    msg_decode_bounds(&reader, &read->bounds);
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
        msg_check_stream(&reader, read->stream);
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
