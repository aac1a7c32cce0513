#include "event.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "limit.h"
#include "name.h"

#define ARRAY_OF_0  0x90
#define ARRAY_OF_12 0x9c
#define STR_OF_0    0xa0
#define NIL         0xc0
#define BIN_8       0xc4
#define BIN_16      0xc5
#define UINT_64     0xcf
#define STR_8       0xd9

/* In line at each place where it stands, so that a pointer into the record
 * stays in a register all the way through it.
 */
#define IN_LINE static inline __attribute__((always_inline))

struct slice
event_tag(struct slice *tags)
{
    struct pack_reader reader;
    struct slice tag;

    pack_reader_init(&reader, *tags, NULL);
    tag = pack_get_str(&reader, "tag");
    *tags = slice_make(reader.at, (size_t)(reader.end - reader.at));
    return tag;
}

static void
encode_id(struct buf *buf, const uint8_t *id)
{
    if (id == NULL) {
        pack_nil(buf);
    } else {
        pack_bin(buf, slice_make(id, UUID_SIZE));
    }
}

void
event_encode_content(struct buf *buf, const struct event *event,
                     const struct slice *tags, size_t tags_count)
{
    pack_array(buf, EVENT_CONTENT_FIELDS);
    pack_str(buf, event->type);
    encode_id(buf, event->id);
    encode_id(buf, event->correlation_id);
    encode_id(buf, event->causation_id);
    pack_array(buf, tags_count);
    for (size_t i = 0; i < tags_count; i++) {
        pack_str(buf, tags[i]);
    }
    pack_bin(buf, event->metadata);
    pack_bin(buf, event->data);
    pack_uint(buf, event->format);
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

/* A tag counts once, however often it is given: the list of a tag has each
 * position once. Few tags make comparing all pairs the fastest way.
 */
static void
check_tags(struct pack_reader *reader, const struct event *event)
{
    struct slice seen[ACTA_TAGS_MAX];
    struct slice left = event->tags;

    for (size_t i = 0; i < event->tags_count && !reader->failed; i++) {
        seen[i] = event_tag(&left);
        check_name(reader, seen[i], ACTA_TAG_SIZE_MAX, "tag");
        for (size_t j = 0; j < i && !reader->failed; j++) {
            if (slice_equal(seen[i], seen[j])) {
                pack_fail(reader, ACTA_INVALID, "tag %.*s is given twice",
                          (int)seen[i].size, (const char *)seen[i].data);
            }
        }
    }
}

/* The eight that contents and records share, but for the highest format. */
static void
decode_fields(struct pack_reader *reader, struct event *event,
              enum event_format format_max)
{
    const uint8_t *from = reader->at;
    const uint8_t *tags_from;
    uint64_t format;

    event->type = pack_get_str(reader, "type");
    event->id = pack_get_bytes_or_nil(reader, UUID_SIZE, "id");
    event->correlation_id =
        pack_get_bytes_or_nil(reader, UUID_SIZE, "correlation id");
    event->causation_id =
        pack_get_bytes_or_nil(reader, UUID_SIZE, "causation id");

    event->tags_count = pack_get_array(reader, "tags");
    if (event->tags_count > ACTA_TAGS_MAX) {
        pack_fail(reader, ACTA_TOO_LARGE, "%zu tags, the limit is %d",
                  event->tags_count, ACTA_TAGS_MAX);
    }
    tags_from = reader->at;
    for (size_t i = 0; i < event->tags_count && !reader->failed; i++) {
        pack_get_str(reader, "tag");
    }
    event->tags = pack_since(reader, tags_from);

    event->metadata = pack_get_bin(reader, "metadata");
    event->data = pack_get_bin(reader, "data");
    format = pack_get_uint(reader, "format");
    if (format > format_max) {
        pack_fail(reader, ACTA_INVALID, "format is %ju, must be 0 to %d",
                  (uintmax_t)format, format_max);
    }
    event->format = (enum event_format)format;
    event->content = pack_since(reader, from);

    if (!reader->failed && event->id == NULL) {
        pack_fail(reader, ACTA_INVALID, "id must be bytes, is nil");
    }
}

static size_t
name_head_size(struct slice name)
{
    return name.size < 32 ? 1 : 2;
}

size_t
event_record_size(const struct event *event)
{
    return 1 + 3 * PACK_FIXED_SIZE + name_head_size(event->stream) +
           event->stream.size + event->content.size;
}

static uint8_t *
put_fixed(uint8_t *to, uint64_t value)
{
    uint64_t value_be = htobe64(value);

    to[0] = UINT_64;
    memcpy(to + 1, &value_be, sizeof(value_be));
    return to + PACK_FIXED_SIZE;
}

void
event_write_record(uint8_t *to, const struct event *event)
{
    assert(event->stream.size > 0);
    assert(event->stream.size <= ACTA_STREAM_SIZE_MAX);

    *to++ = ARRAY_OF_12;
    to = put_fixed(to, event->position);
    to = put_fixed(to, event->version);
    to = put_fixed(to, event->time_us);
    if (event->stream.size < 32) {
        *to++ = (uint8_t)(0xa0 | event->stream.size);
    } else {
        *to++ = 0xd9;
        *to++ = (uint8_t)event->stream.size;
    }
    memcpy(to, event->stream.data, event->stream.size);
    to += event->stream.size;
    memcpy(to, event->content.data, event->content.size);
}

/* ---- records and contents as they nearly always are ----
 *
 * Members and subscribers decode millions of records a second, more than they
 * do anything else, and so does a server with what it is to append. So the
 * heads that nearly all of them have are read first, field by field. Each of
 * these functions takes one field at @at off the front of what ends at @end;
 * false if it is not as it nearly always is, or not whole. Such a record is
 * read again by the getters of pack.h, which say what is wrong.
 */

IN_LINE uint64_t
load_number(const uint8_t *at)
{
    uint64_t value_be;

    memcpy(&value_be, at, sizeof(value_be));
    return be64toh(value_be);
}

IN_LINE bool
take_numbers(const uint8_t **at, const uint8_t *end, struct event *event)
{
    const uint8_t *numbers;

    if (end - *at < 1 + 3 * PACK_FIXED_SIZE || **at != ARRAY_OF_12) {
        return false;
    }
    numbers = *at + 1;
    if (numbers[0] != UINT_64 || numbers[PACK_FIXED_SIZE] != UINT_64 ||
        numbers[2 * PACK_FIXED_SIZE] != UINT_64) {
        return false;
    }
    event->position = load_number(numbers + 1);
    event->version = load_number(numbers + PACK_FIXED_SIZE + 1);
    event->time_us = load_number(numbers + 2 * PACK_FIXED_SIZE + 1);
    *at = numbers + 3 * PACK_FIXED_SIZE;
    return true;
}

IN_LINE bool
take_sized(const uint8_t **at, const uint8_t *end, size_t head, size_t size,
           struct slice *bytes)
{
    if ((size_t)(end - *at) < head + size) {
        return false;
    }
    *bytes = slice_make(*at + head, size);
    *at += head + size;
    return true;
}

IN_LINE bool
take_name(const uint8_t **at, const uint8_t *end, struct slice *name)
{
    const uint8_t *head = *at;

    if (end - head < 2) {
        return false;
    }
    if ((head[0] & 0xe0) == STR_OF_0) {
        return take_sized(at, end, 1, head[0] & 0x1f, name);
    }
    return head[0] == STR_8 && take_sized(at, end, 2, head[1], name);
}

IN_LINE bool
take_id(const uint8_t **at, const uint8_t *end, const uint8_t **id)
{
    const uint8_t *head = *at;

    if (end - head >= 2 + UUID_SIZE && head[0] == BIN_8 &&
        head[1] == UUID_SIZE) {
        *id = head + 2;
        *at = head + 2 + UUID_SIZE;
        return true;
    }
    if (head >= end || head[0] != NIL) {
        return false;
    }
    *id = NULL;
    *at = head + 1;
    return true;
}

_Static_assert(ACTA_TAGS_MAX >= 0x0f, "a short array is not too many tags");

IN_LINE bool
take_tags(const uint8_t **at, const uint8_t *end, struct event *event)
{
    const uint8_t *head = *at;
    struct slice tag;

    if (head >= end || (head[0] & 0xf0) != ARRAY_OF_0) {
        return false;
    }
    event->tags_count = head[0] & 0x0f;
    *at = head + 1;
    for (size_t i = 0; i < event->tags_count; i++) {
        if (!take_name(at, end, &tag)) {
            return false;
        }
    }
    event->tags = slice_make(head + 1, (size_t)(*at - head - 1));
    return true;
}

IN_LINE bool
take_bytes(const uint8_t **at, const uint8_t *end, struct slice *bytes)
{
    const uint8_t *head = *at;

    if (end - head < 3) {
        return false;
    }
    if (head[0] == BIN_8) {
        return take_sized(at, end, 2, head[1], bytes);
    }
    return head[0] == BIN_16 &&
           take_sized(at, end, 3, (size_t)head[1] << 8 | head[2], bytes);
}

IN_LINE bool
take_format(const uint8_t **at, const uint8_t *end, enum event_format max,
            struct event *event)
{
    if (*at >= end || **at > max) {
        return false;
    }
    event->format = (enum event_format) * *at;
    ++*at;
    return true;
}

/* All that follows the stream in a record, and the whole of a content. */
IN_LINE bool
take_content(const uint8_t **at, const uint8_t *end, enum event_format max,
             struct event *event)
{
    const uint8_t *content = *at;

    if (!take_name(at, end, &event->type) || !take_id(at, end, &event->id) ||
        event->id == NULL || !take_id(at, end, &event->correlation_id) ||
        !take_id(at, end, &event->causation_id) || !take_tags(at, end, event) ||
        !take_bytes(at, end, &event->metadata) ||
        !take_bytes(at, end, &event->data) ||
        !take_format(at, end, max, event)) {
        return false;
    }
    event->content = slice_make(content, (size_t)(*at - content));
    return true;
}

static bool
decode_usual(struct pack_reader *reader, struct event *event)
{
    const uint8_t *at = reader->at;
    const uint8_t *end = reader->end;

    if (reader->failed || !take_numbers(&at, end, event) ||
        !take_name(&at, end, &event->stream) ||
        !take_content(&at, end, EVENT_ERASED, event)) {
        return false;
    }
    reader->at = at;
    return true;
}

static bool
decode_usual_content(struct pack_reader *reader, struct event *event)
{
    const uint8_t *at = reader->at;
    const uint8_t *end = reader->end;

    if (reader->failed || at >= end ||
        *at++ != (ARRAY_OF_0 | EVENT_CONTENT_FIELDS) ||
        !take_content(&at, end, EVENT_MSGPACK, event)) {
        return false;
    }
    reader->at = at;
    return true;
}

void
event_decode_content(struct pack_reader *reader, struct event *event)
{
    event->position = 0;
    event->version = 0;
    event->time_us = 0;
    event->stream = SLICE_NONE;
    if (!decode_usual_content(reader, event)) {
        pack_get_array_of(reader, EVENT_CONTENT_FIELDS, EVENT_CONTENT_FIELDS,
                          "event");
        decode_fields(reader, event, EVENT_MSGPACK);
    }
    check_name(reader, event->type, ACTA_TYPE_SIZE_MAX, "type");
    if (!reader->failed && event->tags_count > 0) {
        check_tags(reader, event);
    }
    if (!reader->failed &&
        event->data.size + event->metadata.size > ACTA_EVENT_SIZE_MAX) {
        pack_fail(reader, ACTA_TOO_LARGE,
                  "data and metadata are %zu bytes, the limit is %u",
                  event->data.size + event->metadata.size, ACTA_EVENT_SIZE_MAX);
    }
}

void
event_decode_record(struct pack_reader *reader, struct event *event)
{
    size_t fields;

    if (decode_usual(reader, event)) {
        return;
    }
    fields = pack_get_array_of(reader, EVENT_RECORD_FIELDS, SIZE_MAX,
                               "event fields");
    event->position = pack_get_uint(reader, "position");
    event->version = pack_get_uint(reader, "version");
    event->time_us = pack_get_uint(reader, "time");
    event->stream = pack_get_str(reader, "stream");
    decode_fields(reader, event, EVENT_ERASED);
    for (; fields > EVENT_RECORD_FIELDS && !reader->failed; fields--) {
        pack_skip(reader);
    }
}

uint64_t
event_record_position(struct slice record)
{
    uint64_t position_be;

    if (record.size < 1 + PACK_FIXED_SIZE || record.data[0] != ARRAY_OF_12 ||
        record.data[1] != UINT_64) {
        return 0;
    }
    memcpy(&position_be, record.data + 2, sizeof(position_be));
    return be64toh(position_be);
}

uint64_t
event_record_time(struct slice record)
{
    uint64_t time_be;

    assert(record.size >= 1 + 3 * PACK_FIXED_SIZE);
    memcpy(&time_be, record.data + 1 + 2 * PACK_FIXED_SIZE + 1,
           sizeof(time_be));
    return be64toh(time_be);
}
