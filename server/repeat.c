/* What is stored already: ids of events, and commands.
 *
 * The content of a stored event is compared with what is sent under its id, as
 * long as it is to be seen: what was hidden or erased may be gone from the
 * disk, and is known by its id alone. (It is not compared either while it is
 * still there: the answer must not depend on whether its space was taken back.)
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "decider.h"
#include "record.h"

/* ---- ids ---- */

static int
compare_ids(const void *a, const void *b)
{
    const struct event *left = *(const struct event *const *)a;
    const struct event *right = *(const struct event *const *)b;
    int order = memcmp(left->id, right->id, UUID_SIZE);

    return order != 0 ? order : slice_compare(left->stream, right->stream);
}

bool
repeat_is_within(struct decider *decider, const struct msg_append *request)
{
    bool growing = true;

    /* Ids that grow, as a client makes them, answer it at once. */

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

enum acta_code
repeat_look_up(struct decider *decider, const struct msg_append *request,
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

/* A stored event, as far as it is needed to answer who sends it again. */
struct stored {
    uint64_t position;
    uint64_t version;
    bool is_same; /* As what was sent. */
};

/* Look at the stored event whose id is that of @event in the write of index
 * @write.
 */
static enum acta_code
look_at_stored(struct decider *decider, uint64_t position,
               const struct stream_state *state, const struct event *event,
               struct stored *stored, struct acta_err *err)
{
    struct block_record found;
    struct pack_reader reader;
    struct event content;
    enum acta_code code;
    struct slice record;
    bool is_gone;

    code = heads_record(decider->heads, position, &found, err);
    if (code != ACTA_OK) {
        return code;
    }
    record = slice_make(found.data, found.size);
    *stored = (struct stored){position, record_version(record), true};
    code = heads_is_gone(decider->heads, event->stream, state, record, &is_gone,
                         err);
    if (code != ACTA_OK || is_gone) {
        return code;
    }
    pack_reader_init(&reader, record, err);
    event_decode_record(&reader, &content);
    stored->is_same = !reader.failed && same_content(event, &content);
    return pack_code(&reader);
}

/* ---- verdicts ---- */

static void
add_event_failure(struct job *job, size_t write, size_t event, uint64_t version)
{
    struct msg_failure failure = {
        .kind = MSG_FAILED_EVENT,
        .index = write,
        .event = event,
        .actual = version,
    };

    job_add_failure(job, &failure);
}

/* Room for one run more: the first has its place in the outcome, so that an
 * append of one write, which nearly all are, takes no memory for it.
 */
static struct msg_run *
grow_runs(struct outcome *outcome)
{
    struct msg_run *runs = outcome->runs;

    if (outcome->runs_count == 0) {
        return &outcome->only_run;
    }
    if (runs != &outcome->only_run) {
        return realloc(runs, (outcome->runs_count + 1) * sizeof(*runs));
    }
    runs = calloc(outcome->runs_count + 1, sizeof(*runs));
    if (runs != NULL) {
        runs[0] = outcome->only_run;
    }
    return runs;
}

bool
repeat_add_to_runs(struct outcome *outcome, size_t write, uint64_t version,
                   uint64_t position)
{
    struct msg_run *last = NULL;
    struct msg_run *runs;

    if (outcome->runs_count > 0) {
        last = &outcome->runs[outcome->runs_count - 1];
    }
    if (last != NULL && last->write == write &&
        last->first_version + last->count == version &&
        last->first_position + last->count == position) {
        last->count++;
        return true;
    }
    runs = grow_runs(outcome);
    if (runs == NULL) {
        return false;
    }
    runs[outcome->runs_count++] = (struct msg_run){
        .write = write,
        .first_version = version,
        .first_position = position,
        .count = 1,
    };
    outcome->runs = runs;
    return true;
}

/* Refuse because of an id that is stored with other content. Those are then all
 * that is named: the first one in the text.
 */
static void
name_reused(struct job *job, size_t write, size_t event, uint64_t version,
            bool *is_reused)
{
    struct slice stream = job->append.writes[write].stream;

    if (!*is_reused) {
        job_refuse(job, ACTA_ID_REUSED,
                   "write %zu, event %zu: its id is stored in stream %.*s at "
                   "version %ju with other content",
                   write, event, (int)stream.size, (const char *)stream.data,
                   (uintmax_t)version);
        job->outcome.failures_count = 0;
    }
    *is_reused = true;
    add_event_failure(job, write, event, version);
}

/* Every event is stored: is it this append that they were stored by? */
void
repeat_answer(struct decider *decider, struct job *job)
{
    const struct msg_append *request = &job->append;
    bool in_order = true, is_reused = false;
    uint64_t last = 0;
    size_t at = 0;

    for (size_t w = 0; w < request->writes_count; w++) {
        for (size_t e = 0; e < request->writes[w].events_count; e++, at++) {
            struct stored stored;
            struct acta_err err;
            enum acta_code code;

            code = look_at_stored(decider, decider->stored[at],
                                  &decider->states[w],
                                  &request->writes[w].events[e], &stored, &err);
            if (code != ACTA_OK) {
                job_refuse(job, code, "%s", err.text);
                return;
            }
            if (!stored.is_same) {
                name_reused(job, w, e, stored.version, &is_reused);
            } else if (!is_reused && stored.position <= last) {
                in_order = false;
                add_event_failure(job, w, e, stored.version);
            }
            last = stored.position;
            if (!repeat_add_to_runs(&job->outcome, w, stored.version,
                                    stored.position)) {
                job_refuse(job, ACTA_MEMORY, "out of memory");
                return;
            }
        }
    }
    if (is_reused) {
        return;
    }
    if (!in_order) {
        job_refuse(job, ACTA_PARTIAL_REPEAT,
                   "all %zu events are stored already, but in another order",
                   request->events_count);
        return;
    }
    job->outcome.repeated = true;
}

void
repeat_refuse_partial(struct decider *decider, struct job *job,
                      size_t stored_count)
{
    const struct msg_append *request = &job->append;
    bool is_reused = false;
    size_t at = 0;

    job_refuse(job, ACTA_PARTIAL_REPEAT,
               "%zu of the %zu events are stored already, the others are not",
               stored_count, request->events_count);
    for (size_t w = 0; w < request->writes_count; w++) {
        for (size_t e = 0; e < request->writes[w].events_count; e++, at++) {
            struct stored stored;
            struct acta_err err;
            enum acta_code code;

            if (decider->stored[at] == 0) {
                continue;
            }
            code = look_at_stored(decider, decider->stored[at],
                                  &decider->states[w],
                                  &request->writes[w].events[e], &stored, &err);
            if (code != ACTA_OK) {
                job_refuse(job, code, "%s", err.text);
                return;
            }
            if (!stored.is_same) {
                name_reused(job, w, e, stored.version, &is_reused);
            } else if (!is_reused) {
                add_event_failure(job, w, e, stored.version);
            }
        }
    }
}

/* ---- commands ---- */

enum acta_code
repeat_find_command(struct decider *decider, struct job *job, bool *found,
                    struct acta_err *err)
{
    const uint8_t *id = job->append.more.command_id;
    struct outcome *outcome = &job->outcome;
    struct slice value;
    enum acta_code code;

    *found = false;
    if (id == NULL) {
        return ACTA_OK;
    }
    if ((decider->heads->rooms->without & STORE_WITHOUT_COMMAND_IDS) != 0) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "this database was made to keep no command ids");
    }
    code = heads_row(decider->heads, ROW_COMMAND, slice_make(id, UUID_SIZE),
                     &value, found, err);
    if (code != ACTA_OK || !*found) {
        return code;
    }
    outcome->repeated = true;
    return command_decode(&outcome->runs, &outcome->runs_count, value, err);
}
