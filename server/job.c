#include "job.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "row.h"
#include "text.h"

/* What a run takes in the row of a command. */
#define RUN_SIZE_MAX 40

/* Most appends have one write of one event: no memory of its own for those. */
#define ARRAYS_SIZE (sizeof(struct msg_write) + sizeof(struct event))
static_assert(offsetof(struct job, memory) % _Alignof(struct event) == 0,
              "arrays lie in front of the request");

#define CHANGE_ROWS   3 /* Of a stream. */
#define SCHEDULE_ROWS 2
#define CONSUMER_ROWS 3
#define LEASE_ROWS    2 /* It may end another's. */

/* What effects take once they are decoded. */
static size_t
effects_memory(const struct msg_append_more *more)
{
    return more->checkpoints_count * sizeof(struct msg_checkpoint) +
           more->leases_count * sizeof(struct msg_fence) +
           more->snapshots_count * sizeof(struct msg_snapshot) +
           more->schedules_count * sizeof(struct msg_schedule) +
           more->cancellations_count * sizeof(struct slice);
}

/* The rows of effects, at most. */
static size_t
effects_size(const struct msg_append_more *more)
{
    size_t rows =
        more->checkpoints_count + more->snapshots_count +
        SCHEDULE_ROWS * (more->schedules_count + more->cancellations_count);
    size_t size = rows * ROW_SIZE_SMALL;

    for (size_t i = 0; i < more->snapshots_count; i++) {
        size += more->snapshots[i].data.size;
    }
    for (size_t i = 0; i < more->schedules_count; i++) {
        size += more->schedules[i].writes.size;
    }
    return size;
}

static enum acta_code
decode_append(struct job *job, struct slice body, struct acta_err *err)
{
    enum acta_code code =
        msg_append_decode_in(&job->append, body, job->memory, ARRAYS_SIZE, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (job->append.writes_count > 0) {
        job->stream_hash = list_hash(
            &(struct list_name){LIST_STREAM, job->append.writes[0].stream});
    }
    job->events_count = job->append.events_count;
    job->records_size = job->append.records_size;
    if (job->append.memory != NULL) {
        job->size += job->append.writes_count * sizeof(*job->append.writes) +
                     job->append.events_count * sizeof(*job->append.events) +
                     job->append.more.checks_count * sizeof(struct msg_check) +
                     effects_memory(&job->append.more);
    }
    for (size_t i = 0; i < job->append.more.conditions_count; i++) {
        job->size += sizeof(struct msg_condition) +
                     query_size(&job->append.more.conditions[i].query);
    }
    if (job->append.more.command_id != NULL) {
        job->rows_size =
            ROW_SIZE_SMALL + job->append.writes_count * RUN_SIZE_MAX;
    }
    job->rows_size += effects_size(&job->append.more);
    return ACTA_OK;
}

static enum acta_code
decode_change(struct job *job, struct slice body, struct acta_err *err)
{
    job->rows_size = CHANGE_ROWS * ROW_SIZE_SMALL;
    return msg_change_decode(&job->change, body, err);
}

static enum acta_code
decode_consumer(struct job *job, struct slice body, struct acta_err *err)
{
    /* Whatever is changed, a query stays in the row, which the request need not
     * have.
     */
    job->rows_size = CONSUMER_ROWS * ROW_SIZE_SMALL + QUERY_ENCODED_MAX;
    return msg_change_consumer_decode(&job->consumer, body, err);
}

static enum acta_code
decode(struct job *job, struct slice body, struct acta_err *err)
{
    switch (job->kind) {
    case JOB_APPEND:
        return decode_append(job, body, err);
    case JOB_CHANGE:
        return decode_change(job, body, err);
    case JOB_CONSUMER:
        return decode_consumer(job, body, err);
    case JOB_LEASE:
        job->rows_size = LEASE_ROWS * ROW_SIZE_SMALL;
        return msg_change_lease_decode(&job->lease, body, err);
    case JOB_AWAIT:
        return msg_await_decode(&job->await, body, err);
    case JOB_VERIFY:
        return msg_verify_decode(&job->verify, body, err);
    case JOB_LIST_LEASES:
        return msg_list_decode(&job->list, OP_LIST_LEASES, body, err);
    case JOB_LIST_CONSUMERS:
        return msg_list_decode(&job->list, OP_LIST_CONSUMERS, body, err);
    case JOB_DESCRIBE_CONSUMER:
        return msg_describe_consumer_decode(&job->name, body, err);
    case JOB_LIST_PARKED:
        return msg_list_parked_decode(&job->list_parked, body, err);
    case JOB_CHANGE_PARKED:
        return msg_change_parked_decode(&job->change_parked, body, err);
    case JOB_JOIN:
        return msg_join_decode(&job->join, body, err);
    case JOB_SETTLE:
        return msg_settle_decode(&job->settle, body, err);
    case JOB_LEAVE:
        return msg_number_decode(&job->membership, OP_LEAVE, body, err);
    case JOB_SAVE:
        buf_init(&job->save.rows, SIZE_MAX);
        break;
    case JOB_FORGET:
    case JOB_FORGET_MEMBERS:
    case JOB_RECEIPT:
    case JOB_MAIL:
        break;
    }
    return ACTA_OK;
}

enum acta_code
job_new(struct job **out, enum job_kind kind, struct slice body,
        struct acta_err *err)
{
    size_t arrays_size = kind == JOB_APPEND ? ARRAYS_SIZE : 0;
    size_t size = sizeof(struct job) + arrays_size + body.size;
    enum acta_code code = ACTA_OK;
    struct slice copy;
    struct job *job;

    *out = NULL;
    job = malloc(size);
    if (job == NULL) {
        return acta_fail(err, ACTA_MEMORY, "request");
    }
    *job = (struct job){.kind = kind, .is_answered = true, .size = size};
    buf_init(&job->outcome.reply, SIZE_MAX);
    copy = slice_make(job->memory + arrays_size, body.size);
    if (body.size > 0) {
        memcpy(job->memory + arrays_size, body.data, body.size);
    }
    code = decode(job, copy, err);
    if (code != ACTA_OK) {
        free(job);
        return code;
    }
    *out = job;
    return ACTA_OK;
}

bool
job_may_wait(const struct job *job)
{
    if (job->kind == JOB_LEASE) {
        return job->lease.kind == MSG_LEASE_ACQUIRE && job->lease.wait_us > 0;
    }
    return job->kind == JOB_AWAIT && job->await.timeout_us > 0;
}

void
job_free(struct job *job)
{
    if (job == NULL) {
        return;
    }
    if (job->kind == JOB_APPEND) {
        msg_append_fini(&job->append);
    } else if (job->kind == JOB_CONSUMER) {
        query_fini(&job->consumer.query);
    } else if (job->kind == JOB_SAVE) {
        buf_fini(&job->save.rows);
    }
    buf_fini(&job->outcome.reply);
    if (job->outcome.runs != &job->outcome.only_run) {
        free(job->outcome.runs);
    }
    free(job->outcome.failures);
    free(job);
}

enum acta_code
job_refuse(struct job *job, enum acta_code code, const char *fmt, ...)
{
    va_list args;

    assert(code != ACTA_OK);

    job->outcome.code = code;
    va_start(args, fmt);
    text_format(job->outcome.text, sizeof(job->outcome.text), fmt, args);
    va_end(args);
    return code;
}

void
job_add_failure(struct job *job, const struct msg_failure *failure)
{
    struct outcome *outcome = &job->outcome;

    if (outcome->failures == NULL) {
        outcome->failures =
            malloc(MSG_FAILURES_MAX * sizeof(*outcome->failures));
    }
    /* Without memory the code and the text still tell what is wrong. */
    if (outcome->failures != NULL &&
        outcome->failures_count < MSG_FAILURES_MAX) {
        outcome->failures[outcome->failures_count++] = *failure;
    }
}

void
completions_init(struct completions *completions, void (*wake)(void *user),
                 void *user)
{
    *completions = (struct completions){.wake = wake, .user = user};
    pthread_mutex_init(&completions->lock, NULL);
}

void
completions_fini(struct completions *completions)
{
    pthread_mutex_destroy(&completions->lock);
}

void
completions_give(struct completions *completions, struct job *first,
                 struct job *last)
{
    bool was_empty;

    assert(last->next == NULL);

    pthread_mutex_lock(&completions->lock);
    was_empty = completions->first == NULL;
    if (was_empty) {
        completions->first = first;
    } else {
        completions->last->next = first;
    }
    completions->last = last;
    pthread_mutex_unlock(&completions->lock);
    if (was_empty) {
        completions->wake(completions->user);
    }
}

struct job *
completions_take(struct completions *completions)
{
    struct job *first;

    pthread_mutex_lock(&completions->lock);
    first = completions->first;
    completions->first = NULL;
    completions->last = NULL;
    pthread_mutex_unlock(&completions->lock);
    return first;
}
