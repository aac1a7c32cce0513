#include "event.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "limit.h"
#include "name.h"

#define ARRAY_OF_12 0x9c
#define UINT_64     0xcf

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

void
event_decode_content(struct pack_reader *reader, struct event *event)
{
    event->position = 0;
    event->version = 0;
    event->time_us = 0;
    event->stream = SLICE_NONE;
    pack_get_array_of(reader, EVENT_CONTENT_FIELDS, EVENT_CONTENT_FIELDS,
                      "event");
    decode_fields(reader, event, EVENT_MSGPACK);
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

void
event_decode_record(struct pack_reader *reader, struct event *event)
{
    size_t fields = pack_get_array_of(reader, EVENT_RECORD_FIELDS, SIZE_MAX,
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
