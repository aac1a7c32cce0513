#include "record.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "event.h"
#include "limit.h"

#define ARRAY_OF_3  0x93
#define ARRAY_OF_12 0x9c
#define UINT_64     0xcf

/* The number at @index of the three in front. */
static uint64_t
number_at(struct slice record, size_t index)
{
    uint64_t number_be;

    assert(record.size >= RECORD_STUB_SIZE);
    memcpy(&number_be, record.data + 1 + index * PACK_FIXED_SIZE + 1,
           sizeof(number_be));
    return be64toh(number_be);
}

/* Has it the three in front, in nine bytes each? */
static bool
has_numbers(struct slice record)
{
    return record.size >= RECORD_STUB_SIZE && record.data[1] == UINT_64 &&
           record.data[1 + PACK_FIXED_SIZE] == UINT_64 &&
           record.data[1 + 2 * PACK_FIXED_SIZE] == UINT_64;
}

uint64_t
record_position(struct slice record)
{
    if (!has_numbers(record) ||
        (record.data[0] != ARRAY_OF_12 && record.data[0] != ARRAY_OF_3)) {
        return 0;
    }
    return number_at(record, 0);
}

uint64_t
record_version(struct slice record)
{
    return number_at(record, 1);
}

uint64_t
record_time(struct slice record)
{
    return number_at(record, 2);
}

bool
record_is_stub(struct slice record)
{
    return record.size == RECORD_STUB_SIZE && record.data[0] == ARRAY_OF_3;
}

struct slice
record_stream(struct slice record)
{
    struct pack_reader reader;
    struct slice stream;

    pack_reader_init(&reader,
                     slice_make(record.data + RECORD_STUB_SIZE,
                                record.size - RECORD_STUB_SIZE),
                     NULL);
    stream = pack_get_str(&reader, "stream");
    return reader.failed ? SLICE_NONE : stream;
}

void
record_write_stub(uint8_t to[static RECORD_STUB_SIZE], struct slice record)
{
    assert(record.size >= RECORD_STUB_SIZE);

    memcpy(to, record.data, RECORD_STUB_SIZE);
    to[0] = ARRAY_OF_3;
}

/* Encode what is left of the event's content, and make its record of that. */
static enum acta_code
write_erased(struct buf *buf, struct event *event, struct buf *content,
             struct acta_err *err)
{
    struct slice tags[ACTA_TAGS_MAX], left = event->tags;
    uint8_t *to;
    size_t size;

    /* Not tested: an event with more has never been taken. */
    if (event->tags_count > ACTA_TAGS_MAX) {
        return acta_fail(err, ACTA_CORRUPT, "record has %zu tags",
                         event->tags_count);
    }
    for (size_t i = 0; i < event->tags_count; i++) {
        tags[i] = event_tag(&left);
    }
    event->metadata = SLICE_NONE;
    event->data = SLICE_NONE;
    event->format = EVENT_ERASED;
    event_encode_content(content, event, tags, event->tags_count);
    if (buf_failed(content)) {
        return acta_fail(err, ACTA_MEMORY, "erase record");
    }
    /* The head of the content's array is not part of it. */
    event->content =
        slice_make(buf_slice(content).data + 1, buf_slice(content).size - 1);
    size = event_record_size(event);
    to = buf_reserve(buf, size);
    if (to == NULL) {
        return acta_fail(err, ACTA_MEMORY, "erase record");
    }
    event_write_record(to, event);
    buf_advance(buf, size);
    return ACTA_OK;
}

enum acta_code
record_erase(struct buf *buf, struct slice record, struct acta_err *err)
{
    struct pack_reader reader;
    struct buf content;
    struct event event;
    enum acta_code code;

    pack_reader_init(&reader, record, err);
    event_decode_record(&reader, &event);
    if (reader.failed) {
        return acta_fail(err, ACTA_CORRUPT, "erase: a record cannot be read");
    }
    buf_init(&content, SIZE_MAX);
    code = write_erased(buf, &event, &content, err);
    buf_fini(&content);
    return code;
}
