/* Streams and their events. */

#include <stdlib.h>

#include "limit.h"
#include "memory_store.h"
#include "name.h"
#include "pack.h"

struct memory_stream *
memory_find_stream(struct acta_memory *memory, struct slice name)
{
    return table_find(&memory->streams, name);
}

struct memory_stream *
memory_get_stream(struct acta_memory *memory, struct slice name)
{
    struct memory_stream *stream = memory_find_stream(memory, name);

    if (stream == NULL) {
        stream = memory_alloc(sizeof(*stream));
        table_put(&memory->streams, &stream->named, name);
    }
    return stream;
}

bool
memory_hides(const struct acta_memory *memory, const struct memory_event *kept)
{
    const struct msg_settings *settings = &kept->stream->settings;
    const struct event *event = &kept->event;

    return event->version < settings->truncate_before ||
           (settings->max_count > 0 &&
            kept->stream->version - event->version >= settings->max_count) ||
           (settings->max_age_us > 0 && memory->now_us > event->time_us &&
            memory->now_us - event->time_us > settings->max_age_us);
}

uint64_t
memory_first_version(const struct acta_memory *memory,
                     const struct memory_stream *stream)
{
    uint64_t first = 1;

    /* What is hidden is at the front. */
    while (first <= stream->version &&
           memory_hides(memory, memory_version(stream, first))) {
        first++;
    }
    return first;
}

uint64_t
memory_next(const struct acta_memory *memory, const struct query *query,
            uint64_t after)
{
    uint64_t head = memory_head(memory);

    for (uint64_t p = after; p < head; p++) {
        const struct memory_event *kept = memory->events[p];

        if (!memory_hides(memory, kept) && query_matches(query, &kept->event)) {
            return p + 1;
        }
    }
    return 0;
}

struct memory_event *
memory_find_id(const struct acta_memory *memory, struct slice stream,
               const uint8_t *id)
{
    struct memory_event *kept = ids_find(&memory->event_ids, id);

    while (kept != NULL && !slice_equal(kept->event.stream, stream)) {
        kept = ids_next(&kept->by_id);
    }
    return kept;
}

/* ---- adding ---- */

/* Write the record and read it again, so that all of the event is in it. */
static void
keep(struct memory_event *kept, const struct event *event)
{
    size_t size = event_record_size(event);
    uint8_t *record = memory_alloc(size);
    struct pack_reader reader;

    event_write_record(record, event);
    memory_free_copy(&kept->record);
    kept->record = slice_make(record, size);
    pack_reader_init(&reader, kept->record, NULL);
    event_decode_record(&reader, &kept->event);
}

static void
count_name(struct acta_memory *memory, enum msg_name_kind kind,
           struct slice text, const struct event *event)
{
    struct memory_name *name = table_find(&memory->names[kind], text);

    if (name == NULL) {
        name = memory_alloc(sizeof(*name));
        table_put(&memory->names[kind], &name->named, text);
        name->told.name = name->named.name;
        name->told.first_time_us = event->time_us;
    }
    name->told.count++;
    name->told.last_time_us = event->time_us;
    name->told.last_position = event->position;
}

static void
count_names(struct acta_memory *memory, const struct event *event)
{
    struct slice tags = event->tags;

    count_name(memory, MSG_NAME_CATEGORY, name_category(event->stream), event);
    count_name(memory, MSG_NAME_TYPE, event->type, event);
    for (size_t i = 0; i < event->tags_count; i++) {
        count_name(memory, MSG_NAME_TAG, event_tag(&tags), event);
    }
}

static size_t
doubled(size_t capacity)
{
    return capacity == 0 ? 16 : 2 * capacity;
}

void
memory_add_event(struct acta_memory *memory, const struct event *event)
{
    struct memory_stream *stream = memory_get_stream(memory, event->stream);
    struct memory_event *kept = memory_alloc(sizeof(*kept));
    struct event added = *event;

    if (memory->events_count == memory->events_capacity) {
        memory->events_capacity = doubled(memory->events_capacity);
        memory->events =
            memory_grow(memory->events, memory->events_capacity *
                                            sizeof(struct memory_event *));
    }
    if (stream->version == stream->capacity) {
        stream->capacity = doubled(stream->capacity);
        stream->events = memory_grow(
            stream->events, stream->capacity * sizeof(struct memory_event *));
    }
    stream->events[stream->version++] = kept;
    memory->events[memory->events_count++] = kept;
    stream->is_deleted = false;

    added.position = memory->events_count;
    added.version = stream->version;
    added.time_us = memory->now_us;
    kept->stream = stream;
    keep(kept, &added);
    ids_put(&memory->event_ids, &kept->by_id, kept->event.id);
    count_names(memory, &kept->event);
}

/* ---- erasing ---- */

void
memory_erase_event(struct memory_event *kept)
{
    struct event event = kept->event;
    struct slice tags[ACTA_TAGS_MAX], left = event.tags;
    struct slice packed;
    struct buf buf;

    if (event.format == EVENT_ERASED) {
        return;
    }
    for (size_t i = 0; i < event.tags_count; i++) {
        tags[i] = event_tag(&left);
    }
    event.data = SLICE_NONE;
    event.metadata = SLICE_NONE;
    event.format = EVENT_ERASED;
    buf_init(&buf, SIZE_MAX);
    event_encode_content(&buf, &event, tags, event.tags_count);
    packed = buf_slice(&buf);
    event.content = slice_make(packed.data + 1, packed.size - 1);
    keep(kept, &event);
    buf_fini(&buf);
}

void
memory_drop_snapshot(struct memory_stream *stream)
{
    memory_free_copy(&stream->snapshot);
    stream->has_snapshot = false;
}

void
memory_streams_fini(struct acta_memory *memory)
{
    for (size_t i = 0; i < memory->events_count; i++) {
        memory_free_copy(&memory->events[i]->record);
        free(memory->events[i]);
    }
    free(memory->events);
    while (memory->streams.count > 0) {
        struct memory_stream *stream =
            (struct memory_stream *)
                memory->streams.entries[memory->streams.count - 1];

        table_remove(&memory->streams, &stream->named);
        memory_drop_snapshot(stream);
        free(stream->events);
        free(stream);
    }
    for (size_t kind = 0; kind < 3; kind++) {
        struct table *names = &memory->names[kind];

        while (names->count > 0) {
            struct table_entry *name = names->entries[names->count - 1];

            table_remove(names, name);
            free(name);
        }
        table_fini(names);
    }
    table_fini(&memory->streams);
    ids_fini(&memory->event_ids);
}
