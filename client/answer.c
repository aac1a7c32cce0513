#include "answer.h"

#include <stdlib.h>

#include "limit.h"

/* Memory that is kept from one reply to the next. */
#define KEEP ((size_t)1 << 20)

void
answer_fini(struct answer *answer)
{
    view_fini(&answer->view);
    buf_fini(&answer->bytes);
    free(answer->list);
    free(answer->more);
    *answer = (struct answer){.keeps = answer->keeps};
}

void
answer_clear(struct answer *answer)
{
    answer->number = 0;
    answer->page = (struct acta_page){0};
    answer->appended = (struct acta_appended){0};
    answer->status = (struct acta_status){0};
    answer->changed = (struct acta_changed){0};
    answer->streams = (struct acta_streams){0};
    answer->stream = (struct acta_stream){.name = ""};
    answer->description = (struct acta_description){&answer->stream, 0};
    answer->names = (struct acta_names){0};
    answer->batch = (struct acta_batch){0};
    answer->consumer_changed = (struct acta_consumer_changed){0};
    answer->consumers = (struct acta_consumers){0};
    answer->described = (struct acta_consumer_description){0};
    answer->parked = (struct acta_parked_page){0};
    answer->leases = (struct acta_leases){0};
    answer->schedules = (struct acta_schedules){0};
    answer->loaded = (struct acta_loaded){.page = &answer->page};
}

void *
answer_make_list(struct answer *answer, size_t count, size_t size)
{
    size_t heads_size = count * sizeof(void *);
    uint8_t *elements;
    void **pointers;

    free(answer->list);
    answer->list = calloc(count + 1, sizeof(void *) + size);
    if (answer->list == NULL) {
        return NULL;
    }
    pointers = answer->list;
    elements = (uint8_t *)answer->list + heads_size;
    for (size_t i = 0; i < count; i++) {
        pointers[i] = elements + i * size;
    }
    return elements;
}

enum acta_code
answer_read_events(struct answer *answer, uint8_t *body, struct slice base,
                   struct slice events, size_t count, size_t *used,
                   struct acta_err *err)
{
    return view_records(&answer->view, body + (events.data - base.data),
                        events.size, count, used, err);
}

/* The same, and what is behind them in a page or a delivery. */
static enum acta_code
read_events(struct answer *answer, uint8_t *body, struct slice base,
            struct slice events, size_t count, size_t fields_left, size_t *used,
            struct acta_err *err)
{
    enum acta_code code =
        answer_read_events(answer, body, base, events, count, used, err);

    if (code != ACTA_OK) {
        return code;
    }
    return msg_events_end(slice_make(events.data + *used, events.size - *used),
                          fields_left, err);
}

static enum acta_code
read_page(struct answer *answer, uint8_t *body, struct slice base,
          struct acta_err *err)
{
    struct msg_page page;
    size_t size = 0;
    enum acta_code code = msg_page_decode(&page, base, err);

    if (code == ACTA_OK) {
        code = read_events(answer, body, base, page.events, page.events_count,
                           page.fields_left, &size, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    answer->page = (struct acta_page){
        .events = answer->view.pointers,
        .events_count = page.events_count,
        .next = page.next,
        .at_end = page.at_end,
        .head = page.head,
        .version = page.version,
    };
    return ACTA_OK;
}

static enum acta_code
read_delivery(struct answer *answer, uint8_t *body, struct slice base,
              struct acta_err *err)
{
    struct msg_delivery delivery;
    enum acta_code code = msg_delivery_decode(&delivery, base, err);

    if (code == ACTA_OK) {
        code = read_events(answer, body, base, delivery.events,
                           delivery.events_count, delivery.fields_left,
                           &answer->batch_size, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    answer->batch = (struct acta_batch){
        .events = answer->view.pointers,
        .events_count = delivery.events_count,
        .position = delivery.position,
        .head = delivery.head,
    };
    return ACTA_OK;
}

static enum acta_code
read_appended(struct answer *answer, struct slice base, struct acta_err *err)
{
    struct msg_appended appended;
    enum acta_code code = msg_appended_decode(&appended, base, err);
    size_t count = appended.runs_count;
    struct acta_run *runs;

    if (code != ACTA_OK) {
        return code;
    }
    runs = answer_make_list(answer, count, sizeof(*runs));
    if (runs == NULL) {
        return acta_fail(err, ACTA_MEMORY, "answer to an append");
    }
    for (size_t i = 0; i < count; i++) {
        struct msg_run run = msg_appended_next(&appended);

        runs[i] = (struct acta_run){
            .write = run.write,
            .first_version = run.first_version,
            .first_position = run.first_position,
            .count = run.count,
        };
        answer->appended.position = run.first_position + run.count - 1;
        answer->appended.version = run.first_version + run.count - 1;
    }
    answer->appended.repeated = appended.repeated;
    answer->appended.cancelled = appended.cancelled;
    answer->appended.runs = answer->list;
    answer->appended.runs_count = count;
    return ACTA_OK;
}

static enum acta_code
read_unseen(struct answer *answer, uint8_t *body, struct slice base,
            struct acta_err *err)
{
    const struct msg_error *error = &answer->error;
    size_t used;
    enum acta_code code =
        view_records(&answer->view, body + (error->unseen.data - base.data),
                     error->unseen.size, error->unseen_count, &used, err);

    if (code != ACTA_OK) {
        return code;
    }
    answer->unseen = (struct acta_unseen){
        .events = answer->view.pointers,
        .events_count = error->unseen_count,
        .complete = error->unseen_complete,
        .head = error->unseen_head,
    };
    answer->appended.unseen = &answer->unseen;
    return ACTA_OK;
}

static enum acta_code
read_error(struct answer *answer, uint8_t *body, struct slice base,
           struct acta_err *refusal, struct acta_err *err)
{
    struct msg_error *error = &answer->error;
    enum acta_code code = msg_error_decode(error, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    acta_fail(refusal, error->code, "%.*s", (int)error->text.size,
              (const char *)error->text.data);
    for (size_t i = 0; i < error->failures_count; i++) {
        const struct msg_failure *failure = &error->failures[i];

        answer->failures[i] = (struct acta_failure){
            .kind = (enum acta_failure_kind)failure->kind,
            .index = failure->index,
            .event = failure->event,
            .expected = failure->expected,
            .actual = failure->actual,
        };
        answer->failure_pointers[i] = &answer->failures[i];
    }
    answer->appended.failures = answer->failure_pointers;
    answer->appended.failures_count = error->failures_count;
    return error->has_unseen ? read_unseen(answer, body, base, err) : ACTA_OK;
}

const char *
answer_terminate(uint8_t *body, struct slice base, struct slice text)
{
    uint8_t *start = body + (text.data - base.data) - 1;

    memmove(start, start + 1, text.size);
    start[text.size] = '\0';
    return (const char *)start;
}

static enum acta_code
read_status(struct answer *answer, uint8_t *body, struct slice base,
            struct acta_err *err)
{
    struct acta_status_entry *entries;
    struct slice left;
    size_t count;
    enum acta_code code = msg_status_decode(&left, &count, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    entries = answer_make_list(answer, count, sizeof(*entries));
    if (entries == NULL) {
        return acta_fail(err, ACTA_MEMORY, "status");
    }
    for (size_t i = 0; i < count; i++) {
        struct msg_status_entry entry = msg_next_status(&left);

        entries[i].number = entry.number;
        entries[i].name = answer_terminate(body, base, entry.name);
        if (entry.is_text) {
            entries[i].text = answer_terminate(body, base, entry.text);
        }
    }
    answer->status.entries = answer->list;
    answer->status.entries_count = count;
    return ACTA_OK;
}

static struct acta_stream
stream_of(uint8_t *body, struct slice base, const struct msg_stream *stream)
{
    return (struct acta_stream){
        .name = view_terminate(body, base, stream->name),
        .version = stream->version,
        .first_time_us = stream->first_time_us,
        .last_time_us = stream->last_time_us,
        .last_position = stream->last_position,
        .state = (enum acta_stream_state)stream->state,
        .truncate_before = stream->settings.truncate_before,
        .max_count = stream->settings.max_count,
        .max_age_us = stream->settings.max_age_us,
    };
}

static enum acta_code
read_streams(struct answer *answer, uint8_t *body, struct slice base,
             struct acta_err *err)
{
    struct acta_stream *streams;
    struct msg_streams packed;
    enum acta_code code = msg_streams_decode(&packed, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    streams = answer_make_list(answer, packed.streams_count, sizeof(*streams));
    if (streams == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of streams");
    }
    for (size_t i = 0; i < packed.streams_count; i++) {
        struct msg_stream stream = msg_next_stream(&packed.streams);

        streams[i] = stream_of(body, base, &stream);
    }
    answer->streams = (struct acta_streams){
        .streams = answer->list,
        .streams_count = packed.streams_count,
        .at_end = packed.at_end,
    };
    return ACTA_OK;
}

static enum acta_code
read_description(struct answer *answer, uint8_t *body, struct slice base,
                 struct acta_err *err)
{
    struct msg_description description;
    enum acta_code code = msg_description_decode(&description, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    answer->stream = stream_of(body, base, &description.stream);
    answer->description.first_version = description.first_version;
    return ACTA_OK;
}

static enum acta_code
read_names(struct answer *answer, uint8_t *body, struct slice base,
           struct acta_err *err)
{
    struct msg_names packed;
    struct acta_name *names;
    enum acta_code code = msg_names_decode(&packed, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    names = answer_make_list(answer, packed.names_count, sizeof(*names));
    if (names == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of names");
    }
    for (size_t i = 0; i < packed.names_count; i++) {
        struct msg_name name = msg_next_name(&packed.names);

        names[i] = (struct acta_name){
            .name = view_terminate(body, base, name.name),
            .count = name.count,
            .first_time_us = name.first_time_us,
            .last_time_us = name.last_time_us,
            .last_position = name.last_position,
        };
    }
    answer->names = (struct acta_names){
        .names = answer->list,
        .names_count = packed.names_count,
        .at_end = packed.at_end,
    };
    return ACTA_OK;
}

static enum acta_code
read_changed(struct answer *answer, struct slice base, struct acta_err *err)
{
    struct msg_changed changed;
    enum acta_code code = msg_changed_decode(&changed, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    answer->changed = (struct acta_changed){
        .version = changed.version,
        .head = changed.head,
        .changed = changed.changed,
    };
    return ACTA_OK;
}

static enum acta_code
read_consumer_changed(struct answer *answer, struct slice base,
                      struct acta_err *err)
{
    struct msg_consumer_changed changed;
    enum acta_code code = msg_consumer_changed_decode(&changed, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    answer->consumer_changed = (struct acta_consumer_changed){
        .position = changed.position,
        .epoch = changed.epoch,
        .changed = changed.changed,
    };
    return ACTA_OK;
}

static bool
keep_bytes(struct answer *answer, const uint8_t *body, size_t size)
{
    if (answer->bytes.size_max == 0) {
        buf_init(&answer->bytes, ACTA_FRAME_SIZE_MAX);
    }
    buf_clear(&answer->bytes);
    buf_trim(&answer->bytes, KEEP);
    buf_append(&answer->bytes, body, size);
    return !buf_failed(&answer->bytes);
}

static enum acta_code
read_kind(struct answer *answer, uint8_t kind, uint8_t *body, struct slice base,
          struct acta_err *refusal, struct acta_err *err)
{
    struct msg_left left;

    switch (kind) {
    case OP_PAGE:
        return read_page(answer, body, base, err);
    case OP_DELIVERY:
        return read_delivery(answer, body, base, err);
    case OP_APPENDED:
        return read_appended(answer, base, err);
    case OP_ERROR:
        return read_error(answer, body, base, refusal, err);
    case OP_STATUS_REPLY:
        return read_status(answer, body, base, err);
    case OP_STREAMS:
        return read_streams(answer, body, base, err);
    case OP_DESCRIPTION:
        return read_description(answer, body, base, err);
    case OP_NAMES:
        return read_names(answer, body, base, err);
    case OP_CHANGED:
        return read_changed(answer, base, err);
    case OP_CONSUMER_CHANGED:
        return read_consumer_changed(answer, base, err);
    case OP_CONSUMERS:
        return answer_read_consumers(answer, body, base, err);
    case OP_CONSUMER:
        return answer_read_described(answer, body, base, err);
    case OP_PARKED:
        return answer_read_parked(answer, body, base, err);
    case OP_LEASE_CHANGED:
        return msg_lease_changed_decode(&answer->lease, base, err);
    case OP_LEASES:
        return answer_read_leases(answer, body, base, err);
    case OP_SCHEDULES:
        return answer_read_schedules(answer, body, base, err);
    case OP_LOADED:
        return answer_read_loaded(answer, body, base, err);
    case OP_BACKUP_BEGUN:
        return answer_read_backup_begun(answer, body, base, err);
    case OP_BACKUP_CHUNK:
        return answer_read_backup_chunk(answer, base, err);
    case OP_VERIFIED:
        return answer_read_verified(answer, body, base, err);
    case OP_HANDED:
        return answer_read_handed(answer, body, base, err);
    case OP_LEFT:
        return msg_left_decode(&left, base, err);
    case OP_SETTLED:
        return msg_settled_decode(&answer->settled, base, err);
    default:
        return msg_number_decode(&answer->number, kind, base, err);
    }
}

enum acta_code
answer_read(struct answer *answer, uint8_t kind, uint8_t *body, size_t size,
            struct acta_err *refusal, struct acta_err *err)
{
    struct acta_err why;
    enum acta_code code;

    answer_clear(answer);
    if (answer->keeps) {
        if (!keep_bytes(answer, body, size)) {
            return acta_fail(err, ACTA_MEMORY, "reply of %zu bytes", size);
        }
        body = answer->bytes.data + answer->bytes.start;
    }
    code = read_kind(answer, kind, body, slice_make(body, size), refusal, &why);
    if (code == ACTA_OK) {
        return ACTA_OK;
    }
    /* What is wrong with a field is nothing that the caller could put right. */
    return acta_fail(err, code == ACTA_MEMORY ? ACTA_MEMORY : ACTA_PROTOCOL,
                     "%s", why.text);
}
