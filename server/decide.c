/* In this order:
 *
 *  1. Look up each write's stream, and which of its events are stored.
 *  2. All stored, in this order, with the same content: a repeat, answered with
 *     what was answered then, whatever is expected now.
 *  3. Some stored: refused, since one of the two appends is wrong.
 *  4. None stored: all expected versions must be right, each as the stream was
 *     before the append.
 *  5. Add the events.
 */

#include "decide.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"

struct decider {
    struct heads *heads;
    struct stream_state *states; /* owned: of each write */
    size_t states_max;
    uint64_t *stored; /* owned: position of each event, 0: it is new */
    size_t stored_max;
    const struct event **sorted; /* owned, as large as stored */
};

struct decider *
decider_new(struct heads *heads)
{
    struct decider *decider = calloc(1, sizeof(*decider));

    if (decider != NULL) {
        decider->heads = heads;
    }
    return decider;
}

void
decider_free(struct decider *decider)
{
    if (decider == NULL) {
        return;
    }
    free(decider->states);
    free(decider->stored);
    free(decider->sorted);
    free(decider);
}

/* Memory for @writes and @events. It only grows, up to what the limits allow.
 */
static bool
make_room(struct decider *decider, size_t writes, size_t events)
{
    if (writes > decider->states_max) {
        free(decider->states);
        decider->states = calloc(writes, sizeof(*decider->states));
        decider->states_max = decider->states == NULL ? 0 : writes;
    }
    if (events > decider->stored_max) {
        free(decider->stored);
        free(decider->sorted);
        decider->stored = calloc(events, sizeof(*decider->stored));
        decider->sorted = calloc(events, sizeof(*decider->sorted));
        decider->stored_max =
            decider->stored == NULL || decider->sorted == NULL ? 0 : events;
    }
    return writes <= decider->states_max && events <= decider->stored_max;
}

/* ---- ids ---- */

static int
compare_ids(const void *a, const void *b)
{
    const struct event *left = *(const struct event *const *)a;
    const struct event *right = *(const struct event *const *)b;
    int order = memcmp(left->id, right->id, UUID_SIZE);

    return order != 0 ? order : slice_compare(left->stream, right->stream);
}

/* Is an id twice in one stream of this append? Ids that grow, as a client makes
 * them, answer that at once.
 */
static bool
repeats_itself(struct decider *decider, const struct msg_append *request)
{
    bool growing = true;

    for (size_t i = 1; i < request->events_count && growing; i++) {
        growing = memcmp(request->events[i - 1].id, request->events[i].id,
                         UUID_SIZE) < 0;
    }
    if (growing) {
        return false;
    }
    for (size_t i = 0; i < request->events_count; i++) {
        decider->sorted[i] = &request->events[i];
    }
    qsort(decider->sorted, request->events_count, sizeof(*decider->sorted),
          compare_ids);
    for (size_t i = 1; i < request->events_count; i++) {
        if (compare_ids(&decider->sorted[i - 1], &decider->sorted[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum acta_code
look_up(struct decider *decider, const struct msg_append *request,
        size_t *stored_count, struct acta_err *err)
{
    size_t at = 0;

    *stored_count = 0;
    for (size_t w = 0; w < request->writes_count; w++) {
        const struct msg_write *write = &request->writes[w];
        struct stream_state *state = &decider->states[w];
        enum acta_code code;

        code = heads_stream(decider->heads, write->stream, state, err);
        if (code != ACTA_OK) {
            return code;
        }
        for (size_t e = 0; e < write->events_count; e++, at++) {
            code = heads_find_id(decider->heads, state, write->events[e].id,
                                 &decider->stored[at], err);
            if (code != ACTA_OK) {
                return code;
            }
            *stored_count += decider->stored[at] != 0;
        }
    }
    return ACTA_OK;
}

static bool
same_id(const uint8_t *a, const uint8_t *b)
{
    return a == b || (a != NULL && b != NULL && memcmp(a, b, UUID_SIZE) == 0);
}

/* The content as values: a client may have packed them in other bytes. */
static bool
same_content(const struct event *a, const struct event *b)
{
    struct slice a_tags = a->tags, b_tags = b->tags;

    if (!slice_equal(a->type, b->type) || a->format != b->format ||
        a->tags_count != b->tags_count ||
        !slice_equal(a->metadata, b->metadata) ||
        !slice_equal(a->data, b->data) ||
        !same_id(a->correlation_id, b->correlation_id) ||
        !same_id(a->causation_id, b->causation_id)) {
        return false;
    }
    for (size_t i = 0; i < a->tags_count; i++) {
        if (!slice_equal(event_tag(&a_tags), event_tag(&b_tags))) {
            return false;
        }
    }
    return true;
}

/* Read the stored event of a position. */
static enum acta_code
read_stored(struct decider *decider, uint64_t position, struct event *event,
            struct acta_err *err)
{
    struct block_record record;
    struct pack_reader reader;
    enum acta_code code;

    code = heads_record(decider->heads, position, &record, err);
    if (code != ACTA_OK) {
        return code;
    }
    pack_reader_init(&reader, slice_make(record.data, record.size), err);
    event_decode_record(&reader, event);
    return pack_code(&reader);
}

/* ---- repeats ---- */

static void
add_event_failure(struct job *append, size_t write, size_t event,
                  uint64_t version)
{
    struct msg_failure failure = {
        .kind = MSG_FAILED_EVENT,
        .index = write,
        .event = event,
        .actual = version,
    };

    job_add_failure(append, &failure);
}

/* Add the event to the last run if it continues it, else begin a run. */
static bool
add_to_runs(struct outcome *outcome, size_t write, const struct event *event)
{
    struct msg_run *last = NULL;
    struct msg_run *runs;

    if (outcome->runs_count > 0) {
        last = &outcome->runs[outcome->runs_count - 1];
    }
    if (last != NULL && last->write == write &&
        last->first_version + last->count == event->version &&
        last->first_position + last->count == event->position) {
        last->count++;
        return true;
    }
    runs = realloc(outcome->runs, (outcome->runs_count + 1) * sizeof(*runs));
    if (runs == NULL) {
        return false;
    }
    runs[outcome->runs_count++] = (struct msg_run){
        .write = write,
        .first_version = event->version,
        .first_position = event->position,
        .count = 1,
    };
    outcome->runs = runs;
    return true;
}

/* Every event is stored: is it this append that they were stored by? */
static enum acta_code
decide_repeat(struct decider *decider, struct job *append, struct acta_err *err)
{
    const struct msg_append *request = &append->request;
    bool in_order = true;
    uint64_t last = 0;
    size_t at = 0;

    for (size_t w = 0; w < request->writes_count; w++) {
        for (size_t e = 0; e < request->writes[w].events_count; e++, at++) {
            const struct event *event = &request->writes[w].events[e];
            struct event stored;
            enum acta_code code;

            code = read_stored(decider, decider->stored[at], &stored, err);
            if (code != ACTA_OK) {
                return job_refuse(append, code, "%s", err->text);
            }
            if (!same_content(event, &stored)) {
                job_refuse(append, ACTA_ID_REUSED,
                           "write %zu, event %zu: its id is stored in "
                           "stream %.*s at version %ju with other content",
                           w, e, (int)event->stream.size,
                           (const char *)event->stream.data,
                           (uintmax_t)stored.version);
                append->outcome.failures_count = 0;
                add_event_failure(append, w, e, stored.version);
                return ACTA_ID_REUSED;
            }
            if (stored.position <= last) {
                in_order = false;
                add_event_failure(append, w, e, stored.version);
            }
            last = stored.position;
            if (!add_to_runs(&append->outcome, w, &stored)) {
                return job_refuse(append, ACTA_MEMORY, "out of memory");
            }
        }
    }
    if (!in_order) {
        return job_refuse(append, ACTA_PARTIAL_REPEAT,
                          "all %zu events are stored already, but in "
                          "another order",
                          request->events_count);
    }
    append->outcome.repeated = true;
    return ACTA_OK;
}

static enum acta_code
refuse_partial(struct decider *decider, struct job *append, size_t stored_count,
               struct acta_err *err)
{
    const struct msg_append *request = &append->request;
    enum acta_code verdict = ACTA_PARTIAL_REPEAT;
    size_t at = 0;

    job_refuse(append, verdict,
               "%zu of the %zu events are stored already, the others are "
               "not",
               stored_count, request->events_count);
    for (size_t w = 0; w < request->writes_count; w++) {
        for (size_t e = 0; e < request->writes[w].events_count; e++, at++) {
            const struct event *event = &request->writes[w].events[e];
            struct event stored;
            enum acta_code code;

            if (decider->stored[at] == 0) {
                continue;
            }
            code = read_stored(decider, decider->stored[at], &stored, err);
            if (code != ACTA_OK) {
                return job_refuse(append, code, "%s", err->text);
            }
            add_event_failure(append, w, e, stored.version);
            if (verdict != ACTA_ID_REUSED && !same_content(event, &stored)) {
                verdict = job_refuse(
                    append, ACTA_ID_REUSED,
                    "write %zu, event %zu: its id is stored in stream %.*s at "
                    "version %ju with other content",
                    w, e, (int)event->stream.size,
                    (const char *)event->stream.data,
                    (uintmax_t)stored.version);
            }
        }
    }
    return verdict;
}

/* ---- expected versions ---- */

static bool
is_expected(int64_t expected, uint64_t version)
{
    switch (expected) {
    case MSG_EXPECT_ANY:
        return true;
    case MSG_EXPECT_EXISTS:
        return version > 0;
    default:
        return (uint64_t)expected == version;
    }
}

static enum acta_code
check_versions(struct decider *decider, struct job *append)
{
    const struct msg_append *request = &append->request;
    enum acta_code code = ACTA_OK;

    for (size_t w = 0; w < request->writes_count; w++) {
        const struct msg_write *write = &request->writes[w];
        uint64_t version = decider->states[w].version;
        struct msg_failure failure = {
            .kind = MSG_FAILED_WRITE,
            .index = w,
            .expected = write->expected,
            .actual = version,
        };

        if (is_expected(write->expected, version)) {
            continue;
        }
        if (code == ACTA_OK && write->expected == MSG_EXPECT_EXISTS) {
            job_refuse(append, ACTA_CONFLICT,
                       "stream %.*s: expected to exist, has no events",
                       (int)write->stream.size,
                       (const char *)write->stream.data);
        } else if (code == ACTA_OK) {
            job_refuse(append, ACTA_CONFLICT,
                       "stream %.*s: expected version %jd, found %ju",
                       (int)write->stream.size,
                       (const char *)write->stream.data,
                       (intmax_t)write->expected, (uintmax_t)version);
        }
        code = ACTA_CONFLICT;
        job_add_failure(append, &failure);
    }
    return code;
}

/* ---- adding ---- */

static enum acta_code
add_events(struct decider *decider, struct job *append, uint64_t time_us,
           struct acta_err *err)
{
    struct memtable *active = tail_active(&decider->heads->rooms->tail);
    const struct msg_append *request = &append->request;

    for (size_t w = 0; w < request->writes_count; w++) {
        const struct msg_write *write = &request->writes[w];
        const struct stream_state *state = &decider->states[w];
        struct memlist *list = state->active;

        if (list == NULL) {
            list = memtable_add_stream(active, write->stream, state->version,
                                       state->number, state->id_max);
        }
        if (list == NULL) {
            return acta_fail(err, ACTA_MEMORY, "add to tail");
        }
        for (size_t e = 0; e < write->events_count; e++) {
            struct event event = write->events[e];

            event.position =
                memtable_first_position(active) + memtable_count(active);
            event.version = list->base_count + list->count + 1;
            event.time_us = time_us;
            if (!memtable_add(active, list, &event) ||
                !add_to_runs(&append->outcome, w, &event)) {
                return acta_fail(err, ACTA_MEMORY, "add to tail");
            }
        }
    }
    return ACTA_OK;
}

enum acta_code
decide(struct decider *decider, struct job *append, uint64_t time_us,
       struct acta_err *err)
{
    const struct msg_append *request = &append->request;
    size_t stored_count;
    enum acta_code code;

    if (!make_room(decider, request->writes_count, request->events_count)) {
        job_refuse(append, ACTA_MEMORY, "out of memory");
        return ACTA_OK;
    }
    if (repeats_itself(decider, request)) {
        job_refuse(append, ACTA_INVALID,
                   "an event id is twice in one stream of this append");
        return ACTA_OK;
    }
    code = look_up(decider, request, &stored_count, err);
    if (code != ACTA_OK) {
        job_refuse(append, code, "%s", err->text);
        return ACTA_OK;
    }
    if (stored_count == request->events_count) {
        (void)decide_repeat(decider, append, err); /* It is in the outcome. */
        return ACTA_OK;
    }
    if (stored_count > 0) {
        (void)refuse_partial(decider, append, stored_count, err);
        return ACTA_OK;
    }
    if (check_versions(decider, append) != ACTA_OK) {
        return ACTA_OK;
    }
    return add_events(decider, append, time_us, err);
}
