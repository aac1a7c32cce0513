#include "msg_body.h"

#include "event.h"
#include "limit.h"
#include "name.h"

static size_t
begin(struct pack_reader *reader, struct slice body, struct acta_err *err)
{
    struct acta_err scan_err = {ACTA_OK, ""};
    enum acta_code code = pack_scan(body, ACTA_DEPTH_MAX, &scan_err);

    pack_reader_init(reader, body, err);
    if (code != ACTA_OK) {
        pack_fail(reader, code, "%s", scan_err.text);
        return 0;
    }
    return pack_get_array(reader, "body");
}

size_t
msg_request_begin_of(struct pack_reader *reader, struct slice body,
                     size_t fields_min, size_t fields_max, struct acta_err *err)
{
    size_t count = begin(reader, body, err);

    if (!reader->failed && count > fields_max) {
        pack_fail(reader, ACTA_UNSUPPORTED,
                  "request has %zu fields, this version knows %zu", count,
                  fields_max);
    }
    if (!reader->failed && count < fields_min) {
        pack_fail(reader, ACTA_INVALID, "request has %zu fields, must have %zu",
                  count, fields_min);
    }
    return reader->failed ? 0 : count;
}

void
msg_request_begin(struct pack_reader *reader, struct slice body, size_t fields,
                  struct acta_err *err)
{
    msg_request_begin_of(reader, body, fields, fields, err);
}

static void
check_reply(struct pack_reader *reader, size_t count, size_t fields)
{
    if (!reader->failed && count < fields) {
        pack_fail(reader, ACTA_PROTOCOL, "reply has %zu fields, must have %zu",
                  count, fields);
    }
}

void
msg_reply_begin(struct pack_reader *reader, struct slice body, size_t fields,
                struct acta_err *err)
{
    check_reply(reader, begin(reader, body, err), fields);
}

size_t
msg_events_begin(struct pack_reader *reader, struct slice body, size_t fields,
                 struct acta_err *err)
{
    size_t count;

    pack_reader_init(reader, body, err);
    count = pack_get_array(reader, "body");
    check_reply(reader, count, fields);
    return reader->failed ? 0 : count - fields;
}

size_t
msg_take_events(struct pack_reader *reader, struct slice *events)
{
    size_t count = pack_get_array(reader, "events");

    *events = slice_make(reader->at, (size_t)(reader->end - reader->at));
    if (count > events->size / EVENT_RECORD_SIZE_MIN) {
        pack_fail(reader, ACTA_PROTOCOL, "%zu events are claimed in %zu bytes",
                  count, events->size);
    }
    return reader->failed ? 0 : count;
}

struct slice
msg_take_elements(struct pack_reader *reader, size_t count)
{
    const uint8_t *from = reader->at;

    for (size_t i = 0; i < count && !reader->failed; i++) {
        pack_skip(reader);
    }
    return pack_since(reader, from);
}

void
msg_check_stream(struct pack_reader *reader, struct slice stream)
{
    struct acta_err err;

    if (!reader->failed &&
        name_check(stream, ACTA_STREAM_SIZE_MAX, "stream", &err) != ACTA_OK) {
        pack_fail(reader, err.code, "%s", err.text);
    }
}

void
msg_check_expected(struct pack_reader *reader, int64_t expected)
{
    if (!reader->failed && expected < MSG_EXPECT_EXISTS) {
        pack_fail(reader, ACTA_INVALID,
                  "expected version is %jd, must be a version, -1 for any or "
                  "-2 for exists",
                  (intmax_t)expected);
    }
}

void
msg_encode_bounds(struct buf *buf, const struct msg_bounds *bounds)
{
    pack_uint(buf, bounds->events_max);
    pack_uint(buf, bounds->bytes_max);
}

void
msg_decode_bounds(struct pack_reader *reader, struct msg_bounds *bounds)
{
    bounds->events_max = pack_get_uint(reader, "events_max");
    bounds->bytes_max = pack_get_uint(reader, "bytes_max");
}
