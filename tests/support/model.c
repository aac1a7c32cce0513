#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "model_stream.h"
#include "pack.h"

void
model_init(struct model *model)
{
    *model = (struct model){0};
}

void
model_fini(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        free(model->events[i].memory);
    }
    for (size_t i = 0; i < model->streams_count; i++) {
        free((void *)(uintptr_t)model->streams[i].name.data);
    }
    for (size_t i = 0; i < model->commands_count; i++) {
        free(model->commands[i].runs);
    }
    free(model->events);
    free(model->streams);
    free(model->commands);
}

/* ---- streams ---- */

const struct model_stream *
model_stream(const struct model *model, struct slice name)
{
    static const struct model_stream absent;

    for (size_t i = 0; i < model->streams_count; i++) {
        if (slice_equal(model->streams[i].name, name)) {
            return &model->streams[i];
        }
    }
    return &absent;
}

struct model_stream *
model_make_stream(struct model *model, struct slice name)
{
    const struct model_stream *known = model_stream(model, name);
    struct model_stream *made;
    uint8_t *bytes;

    if (known->name.size > 0) {
        return &model->streams[known - model->streams];
    }
    bytes = malloc(name.size);
    memcpy(bytes, name.data, name.size);
    model->streams = realloc(model->streams, (model->streams_count + 1) *
                                                 sizeof(*model->streams));
    made = &model->streams[model->streams_count++];
    *made = (struct model_stream){.name = slice_make(bytes, name.size)};
    return made;
}

uint64_t
model_version(const struct model *model, struct slice stream)
{
    return model_stream(model, stream)->version;
}

static bool
is_hidden(const struct model_stream *stream, const struct event *event,
          uint64_t now_us)
{
    const struct msg_settings *settings = &stream->settings;

    return event->version < settings->truncate_before ||
           (settings->max_count > 0 &&
            stream->version - event->version >= settings->max_count) ||
           (settings->max_age_us > 0 && now_us > event->time_us &&
            now_us - event->time_us > settings->max_age_us);
}

bool
model_hides(const struct model *model, uint64_t position, uint64_t now_us)
{
    const struct model_event *kept = &model->events[position - 1];

    return is_hidden(&model->streams[kept->stream], &kept->event, now_us);
}

uint64_t
model_first_version(const struct model *model,
                    const struct model_stream *stream, uint64_t now_us)
{
    uint64_t first = 1;

    for (size_t i = 0; i < model->count; i++) {
        const struct event *event = &model->events[i].event;

        if (slice_equal(event->stream, stream->name) &&
            is_hidden(stream, event, now_us)) {
            first = event->version + 1;
        }
    }
    return first;
}

static enum msg_stream_state
state_of(const struct model_stream *stream)
{
    if (stream->is_tombstoned) {
        return MSG_STREAM_TOMBSTONED;
    }
    return stream->is_deleted ? MSG_STREAM_DELETED : MSG_STREAM_LIVE;
}

struct msg_description
model_describe(const struct model *model, struct slice name, uint64_t now_us)
{
    const struct model_stream *stream = model_stream(model, name);
    struct msg_description description = {
        .stream = {.name = name,
                   .version = stream->version,
                   .settings = stream->settings,
                   .state = state_of(stream)},
        .first_version = model_first_version(model, stream, now_us),
    };

    if (stream->version > 0) {
        const struct event *last = model_event_of(model, name, stream->version);

        description.stream.first_time_us =
            model_event_of(model, name, 1)->time_us;
        description.stream.last_time_us = last->time_us;
        description.stream.last_position = last->position;
    }
    return description;
}

/* ---- events ---- */

const struct event *
model_event_of(const struct model *model, struct slice stream, uint64_t version)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct event *event = &model->events[i].event;

        if (event->version == version && slice_equal(event->stream, stream)) {
            return event;
        }
    }
    return NULL;
}

const struct event *
model_find_id(const struct model *model, struct slice stream, const uint8_t *id)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct event *event = &model->events[i].event;

        if (memcmp(event->id, id, UUID_SIZE) == 0 &&
            slice_equal(event->stream, stream)) {
            return event;
        }
    }
    return NULL;
}

uint64_t
model_find_time(const struct model *model, uint64_t time_us)
{
    uint64_t before = 0;

    while (before < model->count &&
           model_at(model, before + 1)->time_us < time_us) {
        before++;
    }
    return before;
}

/* Write the record and decode it again, so that all slices are in it. */
void
model_keep(struct model_event *kept, const struct event *event)
{
    size_t size = event_record_size(event);
    uint8_t *memory = malloc(size);
    struct pack_reader reader;

    event_write_record(memory, event);
    free(kept->memory);
    kept->memory = memory;
    pack_reader_init(&reader, slice_make(memory, size), NULL);
    event_decode_record(&reader, &kept->event);
}

static void
take_event(struct model *model, const struct event *taken, uint64_t now_us)
{
    struct model_stream *stream = model_make_stream(model, taken->stream);
    struct event event = *taken;
    struct model_event *kept;

    if (model->count == model->capacity) {
        model->capacity = model->capacity == 0 ? 1024 : 2 * model->capacity;
        model->events =
            realloc(model->events, model->capacity * sizeof(*model->events));
    }
    kept = &model->events[model->count++];
    *kept = (struct model_event){.stream = (size_t)(stream - model->streams)};
    stream->version++;
    stream->is_deleted = false;
    event.position = model->count;
    event.version = stream->version;
    event.time_us = now_us;
    model_keep(kept, &event);
}

static void
take_command(struct model *model, const uint8_t *id,
             const struct model_verdict *verdict)
{
    size_t size = verdict->runs_count * sizeof(*verdict->runs);
    struct model_command *command;

    model->commands = realloc(model->commands, (model->commands_count + 1) *
                                                   sizeof(*model->commands));
    command = &model->commands[model->commands_count++];
    memcpy(command->id.bytes, id, UUID_SIZE);
    command->runs = malloc(size);
    memcpy(command->runs, verdict->runs, size);
    command->runs_count = verdict->runs_count;
}

void
model_take(struct model *model, const struct msg_append *append,
           uint64_t now_us, const struct model_verdict *verdict)
{
    for (size_t i = 0; i < append->events_count; i++) {
        take_event(model, &append->events[i], now_us);
    }
    if (append->more.command_id != NULL) {
        take_command(model, append->more.command_id, verdict);
    }
}

/* ---- queries ---- */

static bool
names(const struct query_terms *terms, struct slice text)
{
    bool named = terms->count == 0 && terms->prefixes_count == 0;

    for (size_t i = 0; i < terms->count; i++) {
        named = named || slice_equal(terms->texts[i], text);
    }
    for (size_t i = 0; i < terms->prefixes_count; i++) {
        named = named || slice_starts_with(text, terms->prefixes[i]);
    }
    return named;
}

static bool
has_tag(const struct event *event, struct slice tag)
{
    struct slice tags = event->tags;
    bool has = false;

    for (size_t i = 0; i < event->tags_count; i++) {
        has = slice_equal(event_tag(&tags), tag) || has;
    }
    return has;
}

static struct slice
category_of(struct slice stream)
{
    size_t size = 0;

    while (size < stream.size && stream.data[size] != '-') {
        size++;
    }
    return slice_make(stream.data, size);
}

static bool
item_matches(const struct query_item *item, const struct event *event)
{
    const struct query_terms *fields = item->fields;
    const uint8_t *correlation = event->correlation_id;
    struct slice correlation_id =
        slice_make(correlation, correlation == NULL ? 0 : UUID_SIZE);
    bool matches =
        names(&fields[QUERY_CATEGORIES], category_of(event->stream)) &&
        names(&fields[QUERY_TYPES], event->type) &&
        names(&fields[QUERY_STREAMS], event->stream) &&
        names(&fields[QUERY_CORRELATION_IDS], correlation_id);

    for (size_t i = 0; i < fields[QUERY_TAGS].count; i++) {
        matches = matches && has_tag(event, fields[QUERY_TAGS].texts[i]);
    }
    return matches;
}

bool
model_matches(const struct query *query, const struct event *event)
{
    bool matches = query->items_count == 0;

    for (size_t i = 0; i < query->items_count; i++) {
        matches = matches || item_matches(&query->items[i], event);
    }
    return matches;
}

uint64_t
model_next(const struct model *model, const struct query *query, uint64_t from,
           bool backward, uint64_t now_us)
{
    uint64_t position = from;

    if (backward && (from == 0 || from > model->count)) {
        position = model->count + 1;
    } else if (!backward && from >= model->count) {
        return 0;
    }
    for (;;) {
        position += backward ? (uint64_t)-1 : 1;
        if (position == 0 || position > model->count) {
            return 0;
        }
        if (!model_hides(model, position, now_us) &&
            model_matches(query, model_at(model, position))) {
            return position;
        }
    }
}

/* ---- names ---- */

/* One of the names of an event: is it the one that is sought, or one that comes
 * before it?
 */
static void
look_at_name(struct msg_name *best, struct slice name, struct slice prefix,
             struct slice after, const struct event *event)
{
    if (!slice_starts_with(name, prefix) || slice_compare(name, after) <= 0) {
        return;
    }
    if (best->count == 0 || slice_compare(name, best->name) < 0) {
        *best = (struct msg_name){
            .name = name,
            .first_time_us = event->time_us,
        };
    }
    if (slice_equal(name, best->name)) {
        best->count++;
        best->last_time_us = event->time_us;
        best->last_position = event->position;
    }
}

struct msg_name
model_next_name(const struct model *model, enum msg_name_kind kind,
                struct slice prefix, struct slice after)
{
    struct msg_name best = {0};

    for (size_t i = 0; i < model->count; i++) {
        const struct event *event = &model->events[i].event;
        struct slice tags = event->tags;

        switch (kind) {
        case MSG_NAME_CATEGORY:
            look_at_name(&best, category_of(event->stream), prefix, after,
                         event);
            break;
        case MSG_NAME_TYPE:
            look_at_name(&best, event->type, prefix, after, event);
            break;
        case MSG_NAME_TAG:
            for (size_t t = 0; t < event->tags_count; t++) {
                look_at_name(&best, event_tag(&tags), prefix, after, event);
            }
            break;
        }
    }
    return best;
}
