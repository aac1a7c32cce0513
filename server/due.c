/* Appends that were scheduled, when they are due: each becomes a job as if a
 * client had sent it then. Its events and the end of its schedule are of one
 * entry, so it takes place once.
 */

#include <string.h>

#include "decider.h"
#include "schedule.h"

/* The row has what is the first field of an append. */
static enum acta_code
make_job(struct decider *decider, struct schedule_slot *slot, struct job **job,
         struct acta_err *err)
{
    struct slice writes;
    enum acta_code code;
    struct buf body;
    bool found;

    code = heads_row(decider->heads, ROW_SCHEDULED, slot->named.name, &writes,
                     &found, err);
    if (code == ACTA_OK && !found) {
        code = acta_fail(err, ACTA_CORRUPT, "what was scheduled is not there");
    }
    if (code != ACTA_OK) {
        return code;
    }
    buf_init(&body, SIZE_MAX);
    pack_array(&body, 1);
    buf_append(&body, writes.data, writes.size);
    code = buf_failed(&body) ? acta_fail(err, ACTA_MEMORY, "scheduled append")
                             : job_new(job, JOB_APPEND, buf_slice(&body), err);
    buf_fini(&body);
    if (code == ACTA_OK) {
        (*job)->schedule = slot;
        (*job)->rows_size += ROW_SIZE_SMALL;
    }
    return code;
}

static bool
fits(const struct batch *batch, const struct job *job, size_t events_max,
     size_t size_max)
{
    return batch->first == NULL ||
           (batch->events_count + batch_events_of(job) <= events_max &&
            batch->records_size + batch->rows_size + job->records_size +
                    job->rows_size <=
                size_max);
}

static void
add_to_batch(struct batch *batch, struct job *job)
{
    job->next = NULL;
    if (batch->first == NULL) {
        batch->first = job;
    } else {
        batch->last->next = job;
    }
    batch->last = job;
    batch_count(batch, job);
}

/* One that cannot be read is decided already. */
static enum acta_code
make_failed(struct schedule_slot *slot, struct job **job,
            const struct acta_err *why, struct acta_err *err)
{
    enum acta_code code = job_new(job, JOB_SAVE, SLICE_NONE, err);

    if (code == ACTA_OK) {
        (*job)->schedule = slot;
        (*job)->rows_size = ROW_SIZE_SMALL;
        job_refuse(*job, why->code, "%s", why->text);
    }
    return code;
}

/* What may go well another time. */
static bool
may_pass(enum acta_code code)
{
    return code == ACTA_MEMORY || code == ACTA_IO;
}

void
decider_take_due(struct decider *decider, struct batch *batch, uint64_t now_us,
                 size_t events_max, size_t size_max)
{
    struct schedule_slot *slot;

    *batch = (struct batch){0};
    decider->is_hindered = false;
    while ((slot = schedules_take(&decider->schedules, now_us)) != NULL) {
        struct job *job = NULL;
        struct acta_err err;
        enum acta_code code = make_job(decider, slot, &job, &err);

        if (code != ACTA_OK && !may_pass(code)) {
            code = make_failed(slot, &job, &err, &err);
        }
        if (code != ACTA_OK) {
            schedules_put_back(&decider->schedules, slot);
            decider->is_hindered = true;
            return;
        }
        if (!fits(batch, job, events_max, size_max)) {
            decider_put_back_due(decider, job);
            return;
        }
        add_to_batch(batch, job);
    }
}

bool
decider_is_hindered(const struct decider *decider)
{
    return decider->is_hindered;
}

void
decider_put_back_due(struct decider *decider, struct job *job)
{
    schedules_put_back(&decider->schedules, job->schedule);
    job_free(job);
}

/* It stays, to be seen, until it is moved or cancelled. */
static enum acta_code
keep_failed(struct decider *decider, const struct schedule_slot *slot,
            const char *text, struct acta_err *err)
{
    struct schedule schedule;
    struct slice value;
    enum acta_code code;
    bool found;

    code = heads_row(decider->heads, ROW_SCHEDULE, slot->named.name, &value,
                     &found, err);
    if (code == ACTA_OK && found) {
        code = schedule_decode(&schedule, value, err);
    }
    if (code != ACTA_OK || !found) {
        schedule = (struct schedule){.due_us = slot->due.time,
                                     .number = slot->due.order};
    }
    schedule.has_failed = true;
    schedule.text = slice_of(text);
    schedule_encode(decider_value(decider), &schedule);
    return decider_set(decider, ROW_SCHEDULE, slot->named.name, err);
}

enum acta_code
end_schedule(struct decider *decider, struct job *job, struct acta_err *err)
{
    struct schedule_slot *slot = job->schedule;
    enum acta_code code;

    job->schedule = NULL;
    if (may_pass(job->outcome.code)) {
        schedules_put_back(&decider->schedules, slot);
        decider->is_hindered = true;
        return ACTA_OK;
    }
    code = job->outcome.code == ACTA_OK
               ? effects_end_schedule(decider, slot->named.name, err)
               : keep_failed(decider, slot, job->outcome.text, err);
    schedules_remove(&decider->schedules, slot);
    return code;
}
