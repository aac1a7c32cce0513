/* In this order:
 *
 *  1. The command was carried out: its result.
 *  2. Look up each write's stream, and which of its events are stored.
 *  3. All stored, in this order, with the same content: a repeat, answered with
 *     what was answered then, whatever is expected now.
 *  4. Some stored: refused, since one of the two appends is wrong.
 *  5. None stored: all versions and conditions must hold, each as it was before
 *     the append.
 *  6. Add the events.
 */

#include <stdlib.h>

#include "command.h"
#include "decider.h"

/* Steps after which a batch is cut: see decider_is_tired(). */
#define STEPS_A_COMMIT 8192

struct decider *
decider_new(struct heads *heads)
{
    struct decider *decider = calloc(1, sizeof(*decider));

    if (decider == NULL) {
        return NULL;
    }
    decider->heads = heads;
    decider->search = search_new();
    if (decider->search == NULL) {
        decider_free(decider);
        return NULL;
    }
    return decider;
}

void
decider_free(struct decider *decider)
{
    if (decider == NULL) {
        return;
    }
    search_free(decider->search);
    free(decider->states);
    free(decider->stored);
    free(decider->sorted);
    free(decider);
}

void
decider_begin(struct decider *decider)
{
    decider->steps_spent = 0;
}

bool
decider_is_tired(const struct decider *decider)
{
    return decider->steps_spent >= STEPS_A_COMMIT;
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

/* ---- adding ---- */

static enum acta_code
add_events(struct decider *decider, struct job *job, struct acta_err *err)
{
    struct memtable *active = tail_active(&decider->heads->rooms->tail);
    const struct msg_append *request = &job->append;

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
            event.time_us = decider->heads->time_us;
            if (!memtable_add(active, list, &event) ||
                !repeat_add_to_runs(&job->outcome, w, event.version,
                                    event.position)) {
                return acta_fail(err, ACTA_MEMORY, "add to tail");
            }
        }
    }
    return ACTA_OK;
}

/* Remember what came of a command, for those who send it again. */
static enum acta_code
remember_command(struct decider *decider, const struct job *job,
                 struct acta_err *err)
{
    const uint8_t *id = job->append.more.command_id;
    struct row row = {.kind = ROW_COMMAND};
    enum acta_code code;
    struct buf value;

    if (id == NULL) {
        return ACTA_OK;
    }
    buf_init(&value, SIZE_MAX);
    command_encode(&value, job->outcome.runs, job->outcome.runs_count);
    if (buf_failed(&value)) {
        code = acta_fail(err, ACTA_MEMORY, "remember command");
    } else {
        row.key = slice_make(id, UUID_SIZE);
        row.value = buf_slice(&value);
        code = heads_set_row(decider->heads, &row, err);
    }
    buf_fini(&value);
    return code;
}

/* Clients send again what was not answered. Where no event ids are kept, only a
 * version that cannot come again, or a command id, keeps that from being stored
 * twice.
 */
static bool
counts_once(struct decider *decider, struct job *job)
{
    const struct msg_append *request = &job->append;

    if ((decider->heads->rooms->without & STORE_WITHOUT_EVENT_IDS) == 0 ||
        request->more.command_id != NULL) {
        return true;
    }
    for (size_t w = 0; w < request->writes_count; w++) {
        if (request->writes[w].expected < 0) {
            job_refuse(job, ACTA_UNSUPPORTED,
                       "write %zu: this database was made to keep no event "
                       "ids: an append has to expect a version, or to have a "
                       "command id",
                       w);
            return false;
        }
    }
    return true;
}

/* The verdict on an append, in its outcome: true if its events are to be added.
 */
static bool
is_taken(struct decider *decider, struct job *job)
{
    const struct msg_append *request = &job->append;
    size_t stored_count = 0;
    struct acta_err err;
    enum acta_code code;
    bool found;

    if (!make_room(decider, request->writes_count, request->events_count)) {
        job_refuse(job, ACTA_MEMORY, "out of memory");
        return false;
    }
    if (!counts_once(decider, job)) {
        return false;
    }
    code = repeat_find_command(decider, job, &found, &err);
    if (code == ACTA_OK && found) {
        return false;
    }
    if (code == ACTA_OK && repeat_is_within(decider, request)) {
        job_refuse(job, ACTA_INVALID,
                   "an event id is twice in one stream of this append");
        return false;
    }
    if (code == ACTA_OK) {
        code = repeat_look_up(decider, request, &stored_count, &err);
    }
    if (code != ACTA_OK) {
        job_refuse(job, code, "%s", err.text);
        return false;
    }
    if (stored_count == request->events_count) {
        repeat_answer(decider, job);
        return false;
    }
    if (stored_count > 0) {
        repeat_refuse_partial(decider, job, stored_count);
        return false;
    }
    return judge(decider, job);
}

enum acta_code
decide(struct decider *decider, struct job *job, struct acta_err *err)
{
    enum acta_code code;

    if (job->kind == JOB_CHANGE) {
        return change_stream(decider, job, err);
    }
    if (!is_taken(decider, job)) {
        return ACTA_OK;
    }
    code = add_events(decider, job, err);
    return code == ACTA_OK ? remember_command(decider, job, err) : code;
}
