/* A record as all that read records see it: the server, which looks at the
 * numbers in front, decodes it, and erases it; and libacta, which makes it
 * readable. The input is a record, or, behind a first byte of 1, the content
 * that a client sends.
 *
 * What one accepts the others do, and they see the same in it. What is accepted
 * as content is a record like any other once it has been stored.
 */

#include <string.h>

#include "event.h"
#include "fuzz.h"
#include "msg.h"
#include "record.h"
#include "view.h"

#define RECORDS_MAX ((size_t)1 << 22)

static bool
same_id(const uint8_t *one, const void *other)
{
    return one == NULL || other == NULL ? one == other
                                        : memcmp(one, other, UUID_SIZE) == 0;
}

static bool
same_text(struct slice text, const char *shown)
{
    return memcmp(text.data, shown, text.size) == 0 && shown[text.size] == '\0';
}

static bool
decode(struct event *event, struct slice record)
{
    struct pack_reader reader;
    struct acta_err err;

    pack_reader_init(&reader, record, &err);
    event_decode_record(&reader, event);
    FUZZ_PROMISE(!reader.failed || err.code != ACTA_OK);
    return !reader.failed && reader.at == reader.end;
}

/* All but data, metadata and format. */
static void
check_same_but_data(const struct event *one, const struct event *other)
{
    FUZZ_PROMISE(one->position == other->position);
    FUZZ_PROMISE(one->version == other->version);
    FUZZ_PROMISE(one->time_us == other->time_us);
    FUZZ_PROMISE(slice_equal(one->stream, other->stream));
    FUZZ_PROMISE(slice_equal(one->type, other->type));
    FUZZ_PROMISE(same_id(one->id, other->id));
    FUZZ_PROMISE(same_id(one->correlation_id, other->correlation_id));
    FUZZ_PROMISE(same_id(one->causation_id, other->causation_id));
    FUZZ_PROMISE(one->tags_count == other->tags_count);
}

/* What the server says of the numbers in front. */
static void
check_front(const struct event *event, struct slice record)
{
    if (record_position(record) == 0) {
        return; /* Written in another form, or no position. */
    }
    FUZZ_PROMISE(record_position(record) == event->position);
    FUZZ_PROMISE(record_version(record) == event->version);
    FUZZ_PROMISE(record_time(record) == event->time_us);
    FUZZ_PROMISE(slice_equal(record_stream(record), event->stream));
    FUZZ_PROMISE(!record_is_stub(record));
}

static void
check_erased(const struct event *event, struct slice record)
{
    struct event erased;
    struct acta_err err;
    struct buf buf;

    buf_init(&buf, RECORDS_MAX);
    if (record_erase(&buf, record, &err) == ACTA_OK) {
        FUZZ_PROMISE(decode(&erased, buf_slice(&buf)));
        check_same_but_data(event, &erased);
        FUZZ_PROMISE(erased.format == EVENT_ERASED);
        FUZZ_PROMISE(erased.data.size == 0 && erased.metadata.size == 0);
    } else {
        FUZZ_PROMISE(err.code == ACTA_CORRUPT);
        FUZZ_PROMISE(event->tags_count > ACTA_TAGS_MAX);
    }
    buf_fini(&buf);
}

/* Written again from what was read it says the same. */
static void
check_written(const struct event *event)
{
    size_t size = event_record_size(event);
    uint8_t *record = malloc(size);
    struct event again;

    FUZZ_PROMISE(record != NULL);
    event_write_record(record, event);
    FUZZ_PROMISE(decode(&again, slice_make(record, size)));
    check_same_but_data(event, &again);
    FUZZ_PROMISE(slice_equal(event->data, again.data));
    FUZZ_PROMISE(slice_equal(event->metadata, again.metadata));
    FUZZ_PROMISE(event->format == again.format);
    free(record);
}

/* libacta shows it as the server has read it: @event is NULL if it has not. */
static void
check_viewed(const struct event *event, struct slice record)
{
    uint8_t *bytes = malloc(record.size == 0 ? 1 : record.size);
    const struct acta_event *shown;
    struct view view = {0};
    struct slice tags;
    size_t used;

    FUZZ_PROMISE(bytes != NULL);
    memcpy(bytes, record.data, record.size);
    if (view_records(&view, bytes, record.size, 1, &used, NULL) != ACTA_OK) {
        FUZZ_PROMISE(event == NULL);
        goto done;
    }
    FUZZ_PROMISE(event != NULL || used < record.size);
    if (event == NULL) {
        goto done;
    }
    shown = view.pointers[0];
    FUZZ_PROMISE(used == record.size);
    FUZZ_PROMISE(shown->position == event->position);
    FUZZ_PROMISE(shown->version == event->version);
    FUZZ_PROMISE(shown->time_us == event->time_us);
    FUZZ_PROMISE(same_text(event->stream, shown->stream));
    FUZZ_PROMISE(same_text(event->type, shown->type));
    FUZZ_PROMISE(same_id(event->id, shown->id));
    FUZZ_PROMISE(same_id(event->correlation_id, shown->correlation_id));
    FUZZ_PROMISE(same_id(event->causation_id, shown->causation_id));
    FUZZ_PROMISE(same_text(event->data, shown->data));
    FUZZ_PROMISE(same_text(event->metadata, shown->metadata));
    FUZZ_PROMISE(shown->data_size == event->data.size);
    FUZZ_PROMISE(shown->metadata_size == event->metadata.size);
    FUZZ_PROMISE(shown->tags_count == event->tags_count);
    tags = event->tags;
    for (size_t i = 0; i < event->tags_count; i++) {
        FUZZ_PROMISE(same_text(event_tag(&tags), shown->tags[i]));
    }
done:
    view_fini(&view);
    free(bytes);
}

static void
check_record(struct slice record)
{
    struct event event;
    bool whole = decode(&event, record);

    check_viewed(whole ? &event : NULL, record);
    if (!whole) {
        return;
    }
    check_front(&event, record);
    check_written(&event);
    check_erased(&event, record);
}

/* As the server takes an event of an append, and stores it. */
static void
check_content(struct slice content)
{
    struct pack_reader reader;
    struct event event;
    struct acta_err err;
    uint8_t *record;
    size_t size;

    pack_reader_init(&reader, content, &err);
    event_decode_content(&reader, &event);
    if (reader.failed || reader.at != reader.end) {
        return;
    }
    FUZZ_PROMISE(event.format != EVENT_ERASED);
    event.position = 7;
    event.version = 3;
    event.time_us = 1700000000000000u;
    event.stream = slice_of("order-42");
    check_written(&event);
    size = event_record_size(&event);
    record = malloc(size);
    FUZZ_PROMISE(record != NULL);
    event_write_record(record, &event);
    FUZZ_PROMISE(record_position(slice_make(record, size)) == 7);
    check_record(slice_make(record, size));
    free(record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 1) {
        check_content(slice_make(data + 1, size - 1));
    } else {
        check_record(slice_make(data, size));
    }
    return 0;
}
