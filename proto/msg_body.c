#include "msg_body.h"

#include "event.h"
#include "limit.h"
#include "name.h"
#include "span.h"

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

size_t
msg_part_begin(struct pack_reader *reader, size_t fields, const char *what)
{
    size_t count = pack_get_array_of(reader, fields, SIZE_MAX, what);

    return reader->failed ? 0 : count - fields;
}

void
msg_part_end(struct pack_reader *reader, size_t fields_left)
{
    msg_take_elements(reader, fields_left);
}

struct slice
msg_take_list(struct pack_reader *reader, size_t *count,
              void (*take)(struct pack_reader *reader), const char *what)
{
    const uint8_t *from;

    *count = pack_get_array(reader, what);
    from = reader->at;
    for (size_t i = 0; i < *count && !reader->failed; i++) {
        take(reader);
    }
    return pack_since(reader, from);
}

struct slice
msg_rest(const struct pack_reader *reader)
{
    return slice_make(reader->at, (size_t)(reader->end - reader->at));
}

static void
check_name(struct pack_reader *reader, struct slice name, size_t size_max,
           const char *what)
{
    struct acta_err err;

    if (!reader->failed && name_check(name, size_max, what, &err) != ACTA_OK) {
        pack_fail(reader, err.code, "%s", err.text);
    }
}

void
msg_check_stream(struct pack_reader *reader, struct slice stream)
{
    check_name(reader, stream, ACTA_STREAM_SIZE_MAX, "stream");
}

void
msg_check_name(struct pack_reader *reader, struct slice name, const char *what)
{
    check_name(reader, name, ACTA_NAME_SIZE_MAX, what);
}

void
msg_check_text(struct pack_reader *reader, struct slice text, const char *what)
{
    if (!reader->failed && text.size > ACTA_TEXT_SIZE_MAX) {
        pack_fail(reader, ACTA_TOO_LARGE, "%s is %zu bytes, the limit is %d",
                  what, text.size, ACTA_TEXT_SIZE_MAX);
    }
    if (!reader->failed && !name_is_lines(text)) {
        pack_fail(reader, ACTA_INVALID,
                  "%s is not UTF-8 without control characters", what);
    }
}

void
msg_check_time(struct pack_reader *reader, uint64_t value, uint64_t min,
               uint64_t max, const char *what)
{
    char is[SPAN_SIZE];
    char limit[SPAN_SIZE];

    if (!reader->failed && value < min) {
        span_format(value, is);
        span_format(min, limit);
        pack_fail(reader, ACTA_INVALID, "%s is %s, must be at least %s", what,
                  is, limit);
    }
    if (!reader->failed && value > max) {
        span_format(value, is);
        span_format(max, limit);
        pack_fail(reader, ACTA_TOO_LARGE, "%s is %s, the limit is %s", what, is,
                  limit);
    }
}

/* Names of all kinds are of one size at most. */
_Static_assert(ACTA_STREAM_SIZE_MAX == ACTA_TYPE_SIZE_MAX &&
                   ACTA_STREAM_SIZE_MAX == ACTA_TAG_SIZE_MAX &&
                   ACTA_STREAM_SIZE_MAX == ACTA_NAME_SIZE_MAX,
               "prefixes of all kinds of names have one limit");

void
msg_check_prefix(struct pack_reader *reader, struct slice prefix,
                 struct slice after)
{
    if (!reader->failed && (prefix.size > ACTA_STREAM_SIZE_MAX ||
                            after.size > ACTA_STREAM_SIZE_MAX)) {
        pack_fail(reader, ACTA_TOO_LARGE,
                  "prefix and after are limited to %d bytes",
                  ACTA_STREAM_SIZE_MAX);
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

struct msg_open
msg_list_begin(struct buf *buf, uint8_t kind, uint64_t request_id)
{
    struct msg_open open = {.frame = frame_begin(buf, kind, request_id)};

    pack_array(buf, MSG_LIST_FIELDS);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_list_end(struct buf *buf, struct msg_open open, size_t count, bool at_end)
{
    pack_array_end(buf, open.count, count);
    pack_bool(buf, at_end);
    frame_end(buf, open.frame);
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
