/* load and loaded. */

#include "msg_body.h"
#include "msg_lease.h"

#define LOAD_FIELDS     5
#define LOADED_FIELDS   6
#define SNAPSHOT_FIELDS 4

static void
encode_known(struct buf *buf, bool is_known, uint64_t value)
{
    if (is_known) {
        pack_uint(buf, value);
    } else {
        pack_nil(buf);
    }
}

static uint64_t
decode_known(struct pack_reader *reader, bool *is_known, const char *what)
{
    *is_known = !pack_skip_nil(reader);
    return *is_known ? pack_get_uint(reader, what) : 0;
}

void
msg_load_encode(struct buf *buf, uint64_t request_id,
                const struct msg_load *load)
{
    size_t start = frame_begin(buf, OP_LOAD, request_id);

    pack_array(buf, LOAD_FIELDS);
    pack_str(buf, load->stream);
    encode_known(buf, load->has_version, load->version);
    encode_known(buf, load->has_schema, load->schema);
    msg_encode_bounds(buf, &load->bounds);
    frame_end(buf, start);
}

enum acta_code
msg_load_decode(struct msg_load *load, struct slice body, struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, LOAD_FIELDS, err);
    load->stream = pack_get_str(&reader, "stream");
    load->version = decode_known(&reader, &load->has_version, "version");
    load->schema = decode_known(&reader, &load->has_schema, "schema");
    msg_decode_bounds(&reader, &load->bounds);
    msg_check_stream(&reader, load->stream);
    return pack_code(&reader);
}

/* As in a page, what is known only at the end is patched; it stands right
 * before the events: how far it is from the head of their array.
 */
#define VERSION_BEFORE PACK_FIXED_SIZE
#define HEAD_BEFORE    (VERSION_BEFORE + PACK_FIXED_SIZE)
#define AT_END_BEFORE  (HEAD_BEFORE + 1)
#define NEXT_BEFORE    (AT_END_BEFORE + PACK_FIXED_SIZE)

struct msg_open
msg_loaded_begin(struct buf *buf, uint64_t request_id,
                 const struct msg_loaded *loaded)
{
    struct msg_open open = {.frame = frame_begin(buf, OP_LOADED, request_id)};

    pack_array(buf, LOADED_FIELDS);
    if (loaded->has_snapshot) {
        pack_array(buf, SNAPSHOT_FIELDS);
        pack_uint(buf, loaded->snapshot_version);
        pack_uint(buf, loaded->snapshot_schema);
        pack_uint(buf, loaded->snapshot_time_us);
        pack_bin(buf, loaded->snapshot);
    } else {
        pack_nil(buf);
    }
    pack_fixed(buf, 0);
    pack_bool(buf, false);
    pack_fixed(buf, 0);
    pack_fixed(buf, 0);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_loaded_end(struct buf *buf, struct msg_open open,
               const struct msg_page *page)
{
    pack_patch_fixed(buf, open.count - NEXT_BEFORE, page->next);
    pack_patch_bool(buf, open.count - AT_END_BEFORE, page->at_end);
    pack_patch_fixed(buf, open.count - HEAD_BEFORE, page->head);
    pack_patch_fixed(buf, open.count - VERSION_BEFORE, page->version);
    pack_array_end(buf, open.count, page->events_count);
    frame_end(buf, open.frame);
}

static void
decode_snapshot(struct pack_reader *reader, struct msg_loaded *loaded)
{
    size_t left;

    loaded->has_snapshot = !pack_skip_nil(reader);
    if (!loaded->has_snapshot) {
        return;
    }
    left = msg_part_begin(reader, SNAPSHOT_FIELDS, "snapshot fields");
    loaded->snapshot_version = pack_get_uint(reader, "version");
    loaded->snapshot_schema = pack_get_uint(reader, "schema");
    loaded->snapshot_time_us = pack_get_uint(reader, "time");
    loaded->snapshot = pack_get_bin(reader, "data");
    msg_part_end(reader, left);
}

enum acta_code
msg_loaded_decode(struct msg_loaded *loaded, struct slice body,
                  struct acta_err *err)
{
    struct msg_page *page = &loaded->page;
    struct pack_reader reader;

    *loaded = (struct msg_loaded){0};
    page->fields_left = msg_events_begin(&reader, body, LOADED_FIELDS, err);
    decode_snapshot(&reader, loaded);
    page->next = pack_get_uint(&reader, "next");
    page->at_end = pack_get_bool(&reader, "at end");
    page->head = pack_get_uint(&reader, "head");
    page->version = pack_get_uint(&reader, "version");
    page->events_count = msg_take_events(&reader, &page->events);
    return pack_code(&reader);
}
