#include "view.h"

#include <stdlib.h>

#include "event.h"
#include "msg.h"

/* Make room for @wanted elements of @size bytes. */
static bool
reserve(void **array, size_t capacity, size_t wanted, size_t size)
{
    void *larger;

    if (wanted <= capacity) {
        return true;
    }
    larger = realloc(*array, wanted * size);
    if (larger == NULL) {
        return false;
    }
    *array = larger;
    return true;
}

static size_t
rounded_up(size_t wanted, size_t capacity)
{
    return wanted < 2 * capacity ? 2 * capacity : wanted;
}

static bool
reserve_events(struct view *view, size_t count)
{
    size_t capacity = rounded_up(count, view->capacity);

    if (count <= view->capacity) {
        return true;
    }
    if (!reserve((void **)&view->events, view->capacity, capacity,
                 sizeof(*view->events)) ||
        !reserve((void **)&view->pointers, view->capacity, capacity,
                 sizeof(*view->pointers))) {
        return false;
    }
    view->capacity = capacity;
    return true;
}

static bool
reserve_tags(struct view *view, size_t more)
{
    size_t wanted = view->tags_count + more;
    size_t capacity = rounded_up(wanted, view->tags_capacity);

    if (wanted <= view->tags_capacity) {
        return true;
    }
    if (!reserve((void **)&view->tags, view->tags_capacity, capacity,
                 sizeof(*view->tags))) {
        return false;
    }
    view->tags_capacity = capacity;
    return true;
}

/* Tags first: reading one needs the head behind the one before. */
static void
view_tags(struct view *view, uint8_t *records, struct slice base,
          const struct event *event)
{
    struct slice left = event->tags;
    struct slice before = SLICE_NONE;

    for (size_t i = 0; i < event->tags_count; i++) {
        struct slice tag = event_tag(&left);

        if (before.data != NULL) {
            view_terminate(records, base, before);
        }
        view->tags[view->tags_count++] =
            (const char *)records + (tag.data - base.data);
        before = tag;
    }
    if (before.data != NULL) {
        view_terminate(records, base, before);
    }
}

static const struct acta_id *
id_of(const uint8_t *bytes)
{
    return (const struct acta_id *)bytes;
}

static enum acta_code
view_record(struct view *view, uint8_t *records, struct slice base,
            struct slice *left, struct acta_err *err)
{
    struct acta_event *to = &view->events[view->count];
    struct event event;
    struct acta_err why;

    if (msg_next_event(left, &event, &why) != ACTA_OK) {
        return acta_fail(err, ACTA_PROTOCOL, "event from the server: %s",
                         why.text);
    }
    if (!reserve_tags(view, event.tags_count)) {
        return acta_fail(err, ACTA_MEMORY, "tags of events");
    }
    view_tags(view, records, base, &event);
    *to = (struct acta_event){
        .position = event.position,
        .version = event.version,
        .time_us = event.time_us,
        .stream = view_terminate(records, base, event.stream),
        .type = view_terminate(records, base, event.type),
        .id = id_of(event.id),
        .correlation_id = id_of(event.correlation_id),
        .causation_id = id_of(event.causation_id),
        .tags = NULL,
        .tags_count = event.tags_count,
        .metadata = view_terminate(records, base, event.metadata),
        .metadata_size = event.metadata.size,
        .data = view_terminate(records, base, event.data),
        .data_size = event.data.size,
        .format = (enum acta_format)event.format,
    };
    view->pointers[view->count++] = to;
    return ACTA_OK;
}

enum acta_code
view_records(struct view *view, uint8_t *records, size_t size, size_t count,
             size_t *used, struct acta_err *err)
{
    struct slice base = slice_make(records, size);
    struct slice left = base;
    size_t tags_before = 0;

    view->count = 0;
    view->tags_count = 0;
    if (!reserve_events(view, count)) {
        return acta_fail(err, ACTA_MEMORY, "%zu events", count);
    }
    for (size_t i = 0; i < count; i++) {
        enum acta_code code = view_record(view, records, base, &left, err);

        if (code != ACTA_OK) {
            return code;
        }
    }
    *used = size - left.size;
    /* The tags' array has moved while it grew: only now it stays. */
    for (size_t i = 0; i < count && view->tags_count > 0; i++) {
        view->events[i].tags = view->tags + tags_before;
        tags_before += view->events[i].tags_count;
    }
    return ACTA_OK;
}

void
view_fini(struct view *view)
{
    free(view->events);
    free(view->pointers);
    free(view->tags);
    *view = (struct view){0};
}

/* ---- copies: everything of an event in one piece of memory ---- */

static void *
put(uint8_t **at, const void *bytes, size_t size)
{
    void *start = *at;

    if (size > 0) {
        memcpy(*at, bytes, size);
    }
    (*at)[size] = 0;
    *at += size + 1;
    return start;
}

static const struct acta_id *
put_id(uint8_t **at, const struct acta_id *id)
{
    return id == NULL ? NULL : put(at, id, sizeof(*id));
}

struct acta_event *
acta_event_copy(const struct acta_event *event)
{
    size_t tags_size = event->tags_count * sizeof(char *);
    size_t size = sizeof(*event) + tags_size + strlen(event->stream) + 1 +
                  strlen(event->type) + 1 + 3 * (sizeof(struct acta_id) + 1) +
                  event->metadata_size + 1 + event->data_size + 1;
    struct acta_event *copy;
    const char **tags;
    uint8_t *at;

    for (size_t i = 0; i < event->tags_count; i++) {
        size += strlen(event->tags[i]) + 1;
    }
    copy = malloc(size);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *event;
    tags = (const char **)(void *)(copy + 1);
    at = (uint8_t *)(tags + event->tags_count);
    for (size_t i = 0; i < event->tags_count; i++) {
        tags[i] = put(&at, event->tags[i], strlen(event->tags[i]));
    }
    copy->tags = tags;
    copy->stream = put(&at, event->stream, strlen(event->stream));
    copy->type = put(&at, event->type, strlen(event->type));
    copy->id = put_id(&at, event->id);
    copy->correlation_id = put_id(&at, event->correlation_id);
    copy->causation_id = put_id(&at, event->causation_id);
    copy->metadata = put(&at, event->metadata, event->metadata_size);
    copy->data = put(&at, event->data, event->data_size);
    return copy;
}

void
acta_event_free(struct acta_event *event)
{
    free(event);
}
