#include "model.h"

#include <stdlib.h>
#include <string.h>

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
    free(model->events);
}

uint64_t
model_version(const struct model *model, struct slice stream)
{
    uint64_t version = 0;

    for (size_t i = 0; i < model->count; i++) {
        version += slice_equal(model->events[i].event.stream, stream);
    }
    return version;
}

const struct event *
model_event_of(const struct model *model, struct slice stream, uint64_t version)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct event *event = &model->events[i].event;

        if (slice_equal(event->stream, stream) && event->version == version) {
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

        if (slice_equal(event->stream, stream) &&
            memcmp(event->id, id, UUID_SIZE) == 0) {
            return event;
        }
    }
    return NULL;
}

/* Contents here are always packed by the same encoder: bytes will do. */
static bool
same_content(const struct event *a, const struct event *b)
{
    return slice_equal(a->content, b->content);
}

static bool
repeats_itself(const struct msg_append *append)
{
    for (size_t i = 0; i < append->events_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (memcmp(append->events[i].id, append->events[j].id, UUID_SIZE) ==
                    0 &&
                slice_equal(append->events[i].stream,
                            append->events[j].stream)) {
                return true;
            }
        }
    }
    return false;
}

enum acta_code
model_decide(const struct model *model, const struct msg_append *append,
             bool *repeated)
{
    size_t stored_count = 0;
    bool in_order = true, reused = false;
    uint64_t last = 0;

    *repeated = false;
    if (repeats_itself(append)) {
        return ACTA_INVALID;
    }
    for (size_t i = 0; i < append->events_count; i++) {
        const struct event *event = &append->events[i];
        const struct event *stored =
            model_find_id(model, event->stream, event->id);

        if (stored != NULL) {
            stored_count++;
            reused = reused || !same_content(stored, event);
            in_order = in_order && stored->position > last;
            last = stored->position;
        }
    }
    if (reused) {
        return ACTA_ID_REUSED;
    }
    if (stored_count > 0) {
        *repeated = stored_count == append->events_count && in_order;
        return *repeated ? ACTA_OK : ACTA_PARTIAL_REPEAT;
    }
    for (size_t i = 0; i < append->writes_count; i++) {
        const struct msg_write *write = &append->writes[i];
        uint64_t version = model_version(model, write->stream);

        if (write->expected == MSG_EXPECT_EXISTS ? version == 0
            : write->expected == MSG_EXPECT_ANY
                ? false
                : (uint64_t)write->expected != version) {
            return ACTA_CONFLICT;
        }
    }
    return ACTA_OK;
}

/* Write the record and decode it again, so that all slices are in it. */
static void
take_event(struct model *model, const struct event *taken)
{
    struct model_event *kept;
    struct pack_reader reader;
    struct event event = *taken;
    size_t size;

    if (model->count == model->capacity) {
        model->capacity = model->capacity == 0 ? 1024 : 2 * model->capacity;
        model->events =
            realloc(model->events, model->capacity * sizeof(*model->events));
    }
    event.position = model->count + 1;
    event.version = model_version(model, event.stream) + 1;
    size = event_record_size(&event);
    kept = &model->events[model->count++];
    kept->memory = malloc(size);
    event_write_record(kept->memory, &event);
    pack_reader_init(&reader, slice_make(kept->memory, size), NULL);
    event_decode_record(&reader, &kept->event);
}

void
model_take(struct model *model, const struct msg_append *append)
{
    for (size_t i = 0; i < append->events_count; i++) {
        take_event(model, &append->events[i]);
    }
}

uint64_t
model_next(const struct model *model, const struct query *query, uint64_t from,
           bool backward)
{
    uint64_t position = from;

    if (backward && (from == 0 || from > model->count)) {
        position = model->count + 1;
    }
    for (;;) {
        position += backward ? (uint64_t)-1 : 1;
        if (position == 0 || position > model->count) {
            return 0;
        }
        if (query_matches(query, model_at(model, position))) {
            return position;
        }
    }
}
