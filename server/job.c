#include "job.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "row.h"

/* What a run takes in the row of a command, and what stands around a row. */
#define RUN_SIZE_MAX   40
#define ROW_EXTRA_MAX  32
#define CHANGE_ROWS    2 /* Of a stream's name and a few numbers each. */
#define CHANGE_ROW_MAX (ROW_EXTRA_MAX + ROW_KEY_SIZE_MAX + 64)

static enum acta_code
decode_append(struct job *job, struct slice body, struct acta_err *err)
{
    enum acta_code code = msg_append_decode(&job->append, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    job->events_count = job->append.events_count;
    job->records_size = job->append.records_size;
    job->size += job->append.writes_count * sizeof(*job->append.writes) +
                 job->append.events_count * sizeof(*job->append.events) +
                 job->append.more.checks_count * sizeof(struct msg_check);
    for (size_t i = 0; i < job->append.more.conditions_count; i++) {
        job->size += sizeof(struct msg_condition) +
                     query_size(&job->append.more.conditions[i].query);
    }
    if (job->append.more.command_id != NULL) {
        job->rows_size =
            ROW_EXTRA_MAX + UUID_SIZE + job->append.writes_count * RUN_SIZE_MAX;
    }
    return ACTA_OK;
}

static enum acta_code
decode_change(struct job *job, struct slice body, struct acta_err *err)
{
    job->rows_size = CHANGE_ROWS * CHANGE_ROW_MAX;
    return msg_change_decode(&job->change, body, err);
}

enum acta_code
job_new(struct job **out, enum job_kind kind, struct slice body,
        struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct slice copy;
    struct job *job;

    *out = NULL;
    job = malloc(sizeof(*job) + body.size);
    if (job == NULL) {
        return acta_fail(err, ACTA_MEMORY, "request");
    }
    *job = (struct job){
        .kind = kind, .is_answered = true, .size = sizeof(*job) + body.size};
    buf_init(&job->outcome.reply, SIZE_MAX);
    if (body.size > 0) {
        memcpy(job->body, body.data, body.size);
    }
    copy = slice_make(job->body, body.size);
    if (kind == JOB_APPEND) {
        code = decode_append(job, copy, err);
    } else if (kind == JOB_CHANGE) {
        code = decode_change(job, copy, err);
    }
    if (code != ACTA_OK) {
        free(job);
        return code;
    }
    *out = job;
    return ACTA_OK;
}

void
job_free(struct job *job)
{
    if (job == NULL) {
        return;
    }
    if (job->kind == JOB_APPEND) {
        msg_append_fini(&job->append);
    }
    buf_fini(&job->outcome.reply);
    free(job->outcome.runs);
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
    vsnprintf(job->outcome.text, sizeof(job->outcome.text), fmt, args);
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
