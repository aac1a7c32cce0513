/* Having the writer save: what groups have done, and that what deleted groups
 * have parked is gone.
 */

#include "groups_inside.h"

#include <stdlib.h>

#include "bytes.h"
#include "log.h"
#include "row.h"
#include "writer.h"

/* When the writer's queue is full, it is tried again so much later. */
#define BUSY_US 10000

/* Rows that one step of the sweep removes. */
#define SWEEP_ROWS 500

/* When disk or memory are full, it goes on so much later. */
#define SWEEP_PAUSE_US 1000000

/* ---- the job ---- */

/* Rows of the group named @name, or of a deleted one if that is empty. The name
 * must stay until the job has come back. NULL if there is no memory.
 */
static struct job *
make_save(struct groups *groups, struct slice name)
{
    struct job *job;

    if (job_new(&job, JOB_SAVE, SLICE_NONE, NULL) != ACTA_OK) {
        return NULL;
    }
    job->is_answered = false;
    job->completions = &groups->saves;
    job->save.name = name;
    return job;
}

/* Hand it to the writer; if that takes none now, it is freed. */
static enum acta_code
submit(struct groups *groups, struct job *job, struct acta_err *err)
{
    enum acta_code code;

    rows_end(&job->save.rows);
    if (buf_failed(&job->save.rows)) {
        job_free(job);
        return acta_fail(err, ACTA_MEMORY, "rows to be saved");
    }
    job->rows_size = buf_size(&job->save.rows);
    job->size += job->rows_size;
    code = writer_submit(groups->writer, job);
    if (code != ACTA_OK) {
        job_free(job);
        return acta_fail(err, code, "save");
    }
    groups->saves_count++;
    return ACTA_OK;
}

/* ---- groups ---- */

static void
answer_waiting(struct hosted *hosted)
{
    uint64_t durable = group_ticket(hosted->group);
    struct job *job;

    while ((job = hosted->waiting_first) != NULL &&
           job->outcome.ticket <= durable) {
        hosted->waiting_first = job->next;
        job->next = NULL;
        completions_give(job->completions, job, job);
    }
}

void
hosted_refuse_waiting(struct hosted *hosted, enum acta_code code,
                      const char *text)
{
    struct job *job;

    while ((job = hosted->waiting_first) != NULL) {
        hosted->waiting_first = job->next;
        job->next = NULL;
        buf_clear(&job->outcome.reply);
        job_refuse(job, code, "%s", text);
        completions_give(job->completions, job, job);
    }
}

static enum acta_code
save(struct hosted *hosted, struct acta_err *err)
{
    struct groups *groups = hosted->groups;
    struct job *job = make_save(groups, hosted_name(hosted));
    enum acta_code code;

    if (job == NULL) {
        return acta_fail(err, ACTA_MEMORY, "save");
    }
    job->save.number = hosted->consumer.number;
    job->save.epoch = hosted->epoch;
    /* The writer hands it back as it was: so the way back is in it. */
    job->request_id = (uint64_t)(uintptr_t)hosted;
    code = group_take_save(hosted->group, hosted_name(hosted), &job->save.rows,
                           err);
    if (code != ACTA_OK) {
        job_free(job);
        return code;
    }
    code = submit(groups, job, err);
    if (code != ACTA_OK) {
        group_saved(hosted->group, false);
    }
    return code;
}

void
hosted_save(struct hosted *hosted)
{
    struct acta_err err;
    enum acta_code code;

    if (hosted->is_saving || !group_save_is_due(hosted->group)) {
        return;
    }
    code = save(hosted, &err);
    if (code == ACTA_OK) {
        hosted->is_saving = true;
    } else if (code == ACTA_BUSY) {
        hosted_wait_until(hosted, hosted->groups->now_us + BUSY_US);
    } else {
        hosted_trouble(hosted, &err);
    }
}

/* FENCED: the group was reset or deleted meanwhile. */
static void
take_outcome(struct hosted *hosted, const struct outcome *outcome)
{
    struct acta_err err = {.code = outcome->code};

    hosted->is_saving = false;
    if (hosted->group == NULL) {
        return;
    }
    group_see_time(hosted->group, hosted->groups->now_us,
                   hosted->groups->wall_us);
    group_saved(hosted->group, outcome->code == ACTA_OK);
    if (outcome->code == ACTA_OK) {
        answer_waiting(hosted);
    } else if (outcome->code == ACTA_FENCED) {
        hosted->is_stale = true;
    } else {
        acta_fail(&err, outcome->code, "%s", outcome->text);
        hosted_trouble(hosted, &err);
    }
    hosted_make_busy(hosted);
}

/* The disk or memory is full. */
static void
sweep_later(struct groups *groups)
{
    groups->has_left = true;
    groups->sweep_at_us = groups->now_us + SWEEP_PAUSE_US;
}

void
groups_take_saves(struct groups *groups)
{
    struct job *job = completions_take(&groups->saves);

    while (job != NULL) {
        struct hosted *hosted = (struct hosted *)(uintptr_t)job->request_id;
        struct job *next = job->next;

        groups->saves_count--;
        if (hosted == NULL) {
            groups->is_sweeping = false;
            if (job->outcome.code == ACTA_OK) {
                groups->has_left = true; /* There may be more. */
            } else {
                sweep_later(groups);
            }
        } else {
            take_outcome(hosted, &job->outcome);
            hosted_let_go_if_idle(hosted);
        }
        job_free(job);
        job = next;
    }
}

/* ---- groups that were deleted ---- */

struct sweep {
    struct buf *rows;
    uint64_t number; /* 0: no group was found that left any. */
};

static enum acta_code
note_number(void *user, const struct row *row, struct acta_err *err)
{
    struct sweep *sweep = user;

    if (row->key.size != sizeof(uint64_t)) {
        return acta_fail(err, ACTA_CORRUPT, "row of a deleted group");
    }
    sweep->number = get_key_u64(row->key.data);
    return ACTA_OK;
}

static enum acta_code
remove_row(void *user, const struct row *row, struct acta_err *err)
{
    struct sweep *sweep = user;

    (void)err;
    rows_add(sweep->rows, &(struct row){.kind = row->kind, .key = row->key});
    return ACTA_OK;
}

/* Put the removals of some parked events into @rows and, if they are the last
 * ones, that of the word that there are any.
 */
static enum acta_code
sweep_some(struct groups *groups, struct sweep *sweep, struct acta_err *err)
{
    uint8_t number[sizeof(uint64_t)];
    bool at_end;
    enum acta_code code;

    code = reader_list_rows(groups->reader, ROW_LEFT, SLICE_NONE, SLICE_NONE, 1,
                            note_number, sweep, &at_end, err);
    if (code != ACTA_OK || sweep->number == 0) {
        return code;
    }
    put_key_u64(number, sweep->number);
    code = reader_list_rows(groups->reader, ROW_PARKED,
                            slice_make(number, sizeof(number)), SLICE_NONE,
                            SWEEP_ROWS, remove_row, sweep, &at_end, err);
    if (code == ACTA_OK && at_end) {
        rows_add(sweep->rows,
                 &(struct row){.kind = ROW_LEFT,
                               .key = slice_make(number, sizeof(number))});
    }
    return code;
}

void
groups_sweep(struct groups *groups)
{
    struct sweep sweep = {0};
    struct acta_err err;
    enum acta_code code;
    struct job *job;

    if (!groups->has_left || groups->is_sweeping || groups->is_ending ||
        groups->now_us < groups->sweep_at_us) {
        return;
    }
    groups->has_left = false; /* Until something was, or is deleted. */
    job = make_save(groups, SLICE_NONE);
    if (job == NULL) {
        sweep_later(groups);
        return;
    }
    sweep.rows = &job->save.rows;
    code = sweep_some(groups, &sweep, &err);
    if (code != ACTA_OK || sweep.number == 0) {
        job_free(job);
    } else {
        code = submit(groups, job, &err);
        groups->is_sweeping = code == ACTA_OK;
    }
    if (code == ACTA_BUSY || code == ACTA_MEMORY) {
        sweep_later(groups);
    } else if (code != ACTA_OK) {
        log_warning(log_event("parked events of a deleted group stay"),
                    log_text("reason", err.text));
    }
}
