/* In this order:
 *
 *  1. The command was carried out: its result.
 *  2. Look up each write's stream, and which of its events are stored.
 *  3. All stored, in this order, with the same content: a repeat, answered with
 *     what was answered then, whatever is expected now.
 *  4. Some stored: refused, since one of the two appends is wrong.
 *  5. None stored: all versions and conditions must hold, each as it was before
 *     the append, and what it carries besides must be possible.
 *  6. Add the events, and carry out the rest.
 */

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "command.h"
#include "decider.h"
#include "rows_visit.h"
#include "schedule.h"

/* Steps after which a batch is cut: see decider_is_tired(). */
#define STEPS_A_COMMIT 8192

/* Memory for a row's value that is kept from one to the next. */
#define VALUE_KEEP ((size_t)64 << 10)

struct decider *
decider_new(struct heads *heads)
{
    struct decider *decider = calloc(1, sizeof(*decider));

    if (decider == NULL) {
        return NULL;
    }
    decider->heads = heads;
    buf_init(&decider->value, SIZE_MAX);
    leases_init(&decider->leases);
    awaits_init(&decider->awaits);
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
    buf_fini(&decider->value);
    leases_fini(&decider->leases);
    schedules_fini(&decider->schedules);
    awaits_fini(&decider->awaits);
    free(decider);
}

/* ---- what is kept in memory ---- */

static enum acta_code
load_lease(void *user, const struct row *row, struct acta_err *err)
{
    struct decider *decider = user;
    struct lease lease;
    enum acta_code code = lease_decode(&lease, row->value, err);

    if (code == ACTA_OK &&
        leases_hold(&decider->leases, NULL, row->key, &lease,
                    decider->mono_us + lease.duration_us) == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "load leases");
    }
    return code;
}

static enum acta_code
load_schedule(void *user, const struct row *row, struct acta_err *err)
{
    struct decider *decider = user;
    struct schedule schedule;
    enum acta_code code = schedule_decode(&schedule, row->value, err);

    if (code == ACTA_OK && !schedule.has_failed &&
        !schedules_add(&decider->schedules, row->key, schedule.due_us,
                       schedule.number)) {
        code = acta_fail(err, ACTA_MEMORY, "load schedules");
    }
    return code;
}

static enum acta_code
load_number(void *user, const struct row *row, struct acta_err *err)
{
    struct decider *decider = user;

    if (row->value.size != sizeof(decider->number)) {
        return acta_fail(err, ACTA_CORRUPT, "the last number is damaged");
    }
    decider->number = get_u64(row->value.data);
    decider->number_saved = decider->number;
    return ACTA_OK;
}

enum acta_code
decider_load(struct decider *decider, uint64_t mono_us, struct acta_err *err)
{
    struct rooms *rooms = decider->heads->rooms;
    enum acta_code code;

    decider->mono_us = mono_us;
    code = rows_visit(rooms, ROW_COUNTER, load_number, decider, err);
    if (code == ACTA_OK) {
        code = rows_visit(rooms, ROW_LEASE, load_lease, decider, err);
    }
    if (code == ACTA_OK) {
        code = rows_visit(rooms, ROW_SCHEDULE, load_schedule, decider, err);
    }
    return code;
}

struct decider_counts
decider_counts(const struct decider *decider)
{
    return (struct decider_counts){
        .leases = decider->leases.by_name.count,
        .waiters = decider->leases.waits.count,
        .schedules = decider->schedules.by_name.count,
    };
}

/* ---- a batch ---- */

enum acta_code
decider_begin(struct decider *decider, uint64_t mono_us, struct acta_err *err)
{
    decider->steps_spent = 0;
    decider->mono_us = mono_us;
    /* Not tested: only if memory or the store fails just then. */
    if (expire_leases(decider, err) != ACTA_OK) {
        return err->code;
    }
    decider_end_waits(decider, mono_us);
    return ACTA_OK;
}

void
decider_see_time(struct decider *decider, uint64_t mono_us)
{
    if (mono_us > decider->mono_us) { /* Others may have read it before. */
        decider->mono_us = mono_us;
    }
}

void
decider_end_waits(struct decider *decider, uint64_t mono_us)
{
    decider_see_time(decider, mono_us);
    end_awaits(decider);
    end_waits(decider);
}

enum acta_code
decider_end(struct decider *decider, struct acta_err *err)
{
    uint8_t bytes[sizeof(decider->number)];
    enum acta_code code;

    if (decider->number == decider->number_saved) {
        return ACTA_OK;
    }
    put_u64(bytes, decider->number);
    buf_append(decider_value(decider), bytes, sizeof(bytes));
    code = decider_set(decider, ROW_COUNTER, SLICE_NONE, err);
    decider->number_saved = decider->number;
    return code;
}

bool
decider_is_tired(const struct decider *decider)
{
    return decider->steps_spent >= STEPS_A_COMMIT;
}

size_t
decider_rows_size(const struct decider *decider, uint64_t mono_us)
{
    bool some_expire = leases_next(&decider->leases) <= mono_us;

    /* One is for the last number. */
    return (some_expire ? LEASES_A_COMMIT + 1 : 1) * ROW_SIZE_SMALL;
}

uint64_t
decider_wait_us(const struct decider *decider, uint64_t mono_us,
                uint64_t now_us, uint64_t max_us)
{
    uint64_t lease = leases_next(&decider->leases);
    uint64_t await = awaits_next(&decider->awaits);
    uint64_t mono = lease < await ? lease : await;
    uint64_t due = schedules_next(&decider->schedules);
    uint64_t mono_left = mono > mono_us ? mono - mono_us : 0;
    uint64_t due_left = due > now_us ? due - now_us : 0;
    uint64_t left = mono_left < due_left ? mono_left : due_left;

    return left < max_us ? left : max_us;
}

void
decider_is_done(struct decider *decider, struct job *job)
{
    job->next = NULL;
    if (decider->done_first == NULL) {
        decider->done_first = job;
    } else {
        decider->done_last->next = job;
    }
    decider->done_last = job;
}

struct job *
decider_take_done(struct decider *decider)
{
    struct job *first = decider->done_first;

    decider->done_first = NULL;
    decider->done_last = NULL;
    return first;
}

/* All that is kept for a connection, or with NULL for any, is refused. */
static void
end_waiting(struct decider *decider, const struct completions *completions,
            uint64_t connection_id, enum acta_code code, const char *text)
{
    struct job *job;

    while ((job = awaits_forget(&decider->awaits, completions,
                                connection_id)) != NULL ||
           (job = leases_forget(&decider->leases, completions,
                                connection_id)) != NULL) {
        job_refuse(job, code, "%s", text);
        decider_is_done(decider, job);
    }
}

void
decider_stop(struct decider *decider)
{
    end_waiting(decider, NULL, 0, ACTA_STOPPING, "server is stopping");
}

/* ---- rows ---- */

uint64_t
decider_number(struct decider *decider)
{
    return ++decider->number;
}

struct buf *
decider_value(struct decider *decider)
{
    buf_clear(&decider->value);
    buf_trim(&decider->value, VALUE_KEEP);
    return &decider->value;
}

enum acta_code
decider_set_row(struct decider *decider, const struct row *row,
                struct acta_err *err)
{
    enum acta_code code = heads_set_row(decider->heads, row, err);

    return code == ACTA_OK && row->kind == ROW_CHECKPOINT
               ? consumer_has_moved(decider, row, err)
               : code;
}

enum acta_code
decider_set(struct decider *decider, enum row_kind kind, struct slice key,
            struct acta_err *err)
{
    struct row row = {
        .kind = kind, .key = key, .value = buf_slice(&decider->value)};

    if (buf_failed(&decider->value)) {
        return acta_fail(err, ACTA_MEMORY, "set row");
    }
    return decider_set_row(decider, &row, err);
}

enum acta_code
decider_remove(struct decider *decider, enum row_kind kind, struct slice key,
               struct acta_err *err)
{
    struct row row = {.kind = kind, .key = key};

    return decider_set_row(decider, &row, err);
}

/* ---- an append ---- */

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
 * twice. (What was scheduled is gone when it is done.)
 */
static bool
counts_once(struct decider *decider, struct job *job)
{
    const struct msg_append *request = &job->append;

    if ((decider->heads->rooms->without & STORE_WITHOUT_EVENT_IDS) == 0 ||
        request->more.command_id != NULL || job->schedule != NULL) {
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
    if (stored_count > 0 && stored_count == request->events_count) {
        repeat_answer(decider, job);
        return false;
    }
    if (stored_count > 0) {
        repeat_refuse_partial(decider, job, stored_count);
        return false;
    }
    return judge(decider, job);
}

static enum acta_code
decide_append(struct decider *decider, struct job *job, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (is_taken(decider, job)) {
        code = add_events(decider, job, err);
        if (code == ACTA_OK) {
            code = apply_effects(decider, job, err);
        }
        if (code == ACTA_OK) {
            code = remember_command(decider, job, err);
        }
    }
    return code;
}

bool
decider_needs_entry(const struct decider *decider, const struct job *job)
{
    if (job->kind == JOB_LEASE) {
        return !lease_stays(decider, &job->lease);
    }
    return job->kind != JOB_LIST_LEASES && job->kind != JOB_AWAIT &&
           job->kind != JOB_FORGET;
}

enum acta_code
decide(struct decider *decider, struct job *job, bool *waits,
       struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    *waits = false;
    if (job->outcome.code != ACTA_OK) {
        return end_schedule(decider, job, err); /* It could not be read. */
    }
    switch (job->kind) {
    case JOB_APPEND:
        code = decide_append(decider, job, err);
        break;
    case JOB_CHANGE:
        code = change_stream(decider, job, err);
        break;
    case JOB_CONSUMER:
        code = change_consumer(decider, job, err);
        break;
    case JOB_LEASE:
        code = change_lease(decider, job, waits, err);
        break;
    case JOB_LIST_LEASES:
        list_leases(decider, job);
        break;
    case JOB_AWAIT:
        (void)await_consumer(decider, job, waits);
        break;
    case JOB_FORGET:
        end_waiting(decider, job->completions, job->connection_id,
                    ACTA_CANCELLED, "the connection is closed");
        break;
    case JOB_SAVE:
        code = save_group(decider, job, err);
        break;
    case JOB_VERIFY:
    case JOB_LIST_CONSUMERS:
    case JOB_DESCRIBE_CONSUMER:
    case JOB_LIST_PARKED:
    case JOB_CHANGE_PARKED:
    case JOB_JOIN:
    case JOB_SETTLE:
    case JOB_LEAVE:
    case JOB_FORGET_MEMBERS:
    case JOB_RECEIPT:
    case JOB_MAIL:
        job_refuse(job, ACTA_UNSUPPORTED, "the writer has nothing to decide");
        break;
    }
    return code == ACTA_OK && job->schedule != NULL
               ? end_schedule(decider, job, err)
               : code;
}
