/* The whole database against the model: random histories of appends and changes
 * of streams, with checkpoints, restarts and kills in between, and after each
 * few of them questions of every kind.
 */

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_clock.h"
#include "limit.h"
#include "model_history.h"
#include "msg.h"
#include "run.h"

#define START_US          1700000000000000u
#define STEP_US           2000000u
#define JOBS_MAX          5
#define EVENTS_MAX        6000 /* The model is slow by design. */
#define TOMBSTONES_MAX    20   /* Of a hundred names or so. */
#define FAILURE_TEXT_SIZE 100
#define REST_ONCE_IN      100 /* Steps. */
#define LOOK_MS           10
#define LOOKS_MAX         30
#define GIVEN_UP_ONCE_IN  50 /* Steps, at most. */

/* What is handed to the database, and what must come of it. */
struct step {
    struct job *job;
    struct model_verdict verdict; /* Of a change, only the code. */
    struct msg_changed changed;
};

/* ---- the model's side ---- */

static void
prepare_append(struct history *history, struct step *step)
{
    struct buf *body = &history->last_append;
    struct model *model = &history->model;
    const struct msg_append *append;
    struct acta_err err;
    enum acta_code code;

    if (buf_size(body) == 0 || !rnd_once_in(&history->rnd, 10)) {
        draw_append(history, body);
    }
    /* One that expects two versions of a stream is not even an append. */
    while ((code = job_new(&step->job, JOB_APPEND, buf_slice(body), &err)) !=
           ACTA_OK) {
        ck_assert_msg(code == ACTA_INVALID, "%s", err.text);
        draw_append(history, body);
    }
    append = &step->job->append;
    model_decide(model, append, history->now_us, &step->verdict);
    if (step->verdict.code == ACTA_OK && !step->verdict.repeated) {
        model_take(model, append, history->now_us, &step->verdict);
    }
}

/* Remember data that is about to be erased: what is seen once the memory is
 * full takes the place of something else now and then.
 */
static void
note_erased(struct history *history, const struct msg_change *change)
{
    struct history_erased *erased = &history->erased;

    for (uint64_t p = 1; p <= history->model.count; p++) {
        const struct event *event = model_at(&history->model, p);
        size_t at = erased->count;

        if (!slice_equal(event->stream, change->stream) ||
            (change->version != 0 && event->version != change->version) ||
            event->data.size < HISTORY_ERASED_SIZE) {
            continue;
        }
        if (at >= HISTORY_ERASED) {
            at = rnd_below(&history->rnd, at + 1);
        }
        if (at < HISTORY_ERASED) {
            memcpy(erased->samples[at], event->data.data, HISTORY_ERASED_SIZE);
        }
        erased->count++;
    }
}

static void
prepare_change(struct history *history, struct step *step)
{
    struct history_erased before = history->erased;
    struct acta_err err;
    struct buf body;

    buf_init(&body, 1 << 16);
    draw_change(history, &body);
    ck_assert_msg(job_new(&step->job, JOB_CHANGE, buf_slice(&body), &err) ==
                      ACTA_OK,
                  "%s", err.text);
    if (step->job->change.kind == MSG_ERASE) {
        note_erased(history, &step->job->change);
    }
    step->verdict.code = model_change(&history->model, &step->job->change,
                                      history->now_us, &step->changed);
    if (step->verdict.code != ACTA_OK) {
        history->erased = before;
    }
    buf_fini(&body);
}

/* ---- is it the same? ---- */

static void
compare_runs(const struct outcome *got, const struct model_verdict *wanted)
{
    ck_assert_int_eq(got->repeated, wanted->repeated);
    ck_assert_uint_eq(got->runs_count, wanted->runs_count);
    for (size_t i = 0; i < got->runs_count; i++) {
        const struct msg_run *a = &got->runs[i], *b = &wanted->runs[i];

        ck_assert_uint_eq(a->write, b->write);
        ck_assert_uint_eq(a->first_version, b->first_version);
        ck_assert_uint_eq(a->first_position, b->first_position);
        ck_assert_uint_eq(a->count, b->count);
    }
}

static bool
same_failure(const struct msg_failure *a, const struct msg_failure *b)
{
    return a->kind == b->kind && a->index == b->index && a->event == b->event &&
           a->expected == b->expected && a->actual == b->actual;
}

static const char *
name_failure(char text[static FAILURE_TEXT_SIZE],
             const struct msg_failure *failures, size_t count, size_t index)
{
    static const char *const kinds[] = {"write", "event", "check", "condition"};
    const struct msg_failure *f = &failures[index];

    if (index >= count) {
        return "none";
    }
    snprintf(text, FAILURE_TEXT_SIZE, "%s %ju.%ju: %jd, found %ju",
             kinds[f->kind], (uintmax_t)f->index, (uintmax_t)f->event,
             (intmax_t)f->expected, (uintmax_t)f->actual);
    return text;
}

/* All that the model names, in its order. */
static void
compare_failures(const struct outcome *got, const struct model_verdict *wanted)
{
    char a[FAILURE_TEXT_SIZE], b[FAILURE_TEXT_SIZE];
    size_t got_count = got->failures_count;
    size_t wanted_count = wanted->failures_count;

    for (size_t i = 0; i < got_count || i < wanted_count; i++) {
        ck_assert_msg(i < got_count && i < wanted_count &&
                          same_failure(&got->failures[i], &wanted->failures[i]),
                      "%s: failure %zu is %s instead of %s: %s",
                      acta_code_name(got->code), i,
                      name_failure(a, got->failures, got_count, i),
                      name_failure(b, wanted->failures, wanted_count, i),
                      got->text);
    }
}

/* Of reused ids the first is named at least. */
static void
compare_reused(const struct outcome *got, const struct model_verdict *wanted)
{
    bool is_named = false;

    for (size_t i = 0; i < got->failures_count; i++) {
        is_named =
            is_named || same_failure(&got->failures[i], &wanted->failures[0]);
    }
    ck_assert(is_named);
}

static bool
is_among(const struct msg_failure *failure, const struct msg_failure *failures,
         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (same_failure(failure, &failures[i])) {
            return true;
        }
    }
    return false;
}

/* Of conditions that could not be decided it is said up to where nothing
 * matches.
 */
static bool
is_true_of(const struct msg_failure *undecided,
           const struct model_verdict *wanted)
{
    for (size_t i = 0; i < wanted->failures_count; i++) {
        const struct msg_failure *failure = &wanted->failures[i];

        if (failure->kind != MSG_FAILED_CONDITION ||
            (failure->index == undecided->index &&
             failure->actual <= undecided->actual)) {
            return false;
        }
    }
    return undecided->kind == MSG_FAILED_CONDITION;
}

/* Was a condition given up? With many events that are hidden it may be; the
 * model never does. Then it is named alone, or left out beside what has failed
 * for sure.
 */
static bool
gave_up(const struct model *model, const struct step *step)
{
    const struct outcome *got = &step->job->outcome;
    const struct model_verdict *wanted = &step->verdict;
    size_t lacking = 0;

    if (model->count <= HISTORY_DECIDED_MAX) {
        return false;
    }
    if (got->code == ACTA_UNDECIDED) {
        for (size_t i = 0; i < got->failures_count; i++) {
            ck_assert(is_true_of(&got->failures[i], wanted));
        }
        return true;
    }
    for (size_t i = 0; i < wanted->failures_count; i++) {
        const struct msg_failure *failure = &wanted->failures[i];

        if (!is_among(failure, got->failures, got->failures_count)) {
            if (failure->kind != MSG_FAILED_CONDITION) {
                return false;
            }
            lacking++;
        }
    }
    return lacking > 0 && got->code == wanted->code &&
           got->failures_count + lacking == wanted->failures_count;
}

static void
compare_step(const struct step *step)
{
    const struct outcome *got = &step->job->outcome;
    const struct model_verdict *wanted = &step->verdict;
    bool is_change = step->job->kind == JOB_CHANGE;

    ck_assert_msg(got->code == wanted->code, "%s: %s instead of %s: %s",
                  is_change ? "change" : "append", acta_code_name(got->code),
                  acta_code_name(wanted->code),
                  got->code == ACTA_OK ? "done" : got->text);
    if (is_change && got->code == ACTA_OK) {
        ck_assert_uint_eq(got->changed.version, step->changed.version);
        ck_assert_int_eq(got->changed.changed, step->changed.changed);
    } else if (!is_change && got->code == ACTA_OK) {
        compare_runs(got, wanted);
    } else if (got->code == ACTA_ID_REUSED) {
        compare_reused(got, wanted);
    } else if (!is_change) {
        compare_failures(got, wanted);
    }
}

static void
finish_step(struct history *history, const struct step *step)
{
    if (history->is_apart) {
        return;
    }
    if (gave_up(&history->model, step)) {
        history->given_up++;
        history->is_apart = step->verdict.code == ACTA_OK;
    } else {
        compare_step(step);
    }
}

/* Hand in one job or a few at once, so that a commit may have several. */
static void
take_steps(struct history *history)
{
    struct step steps[JOBS_MAX] = {0};
    struct job *jobs[JOBS_MAX];
    size_t count = rnd_once_in(&history->rnd, 4)
                       ? 1 + rnd_below(&history->rnd, JOBS_MAX)
                       : 1;

    for (size_t i = 0; i < count; i++) {
        if (rnd_once_in(&history->rnd, 6)) {
            prepare_change(history, &steps[i]);
        } else {
            prepare_append(history, &steps[i]);
        }
        jobs[i] = steps[i].job;
    }
    db_run(&history->db, jobs, count);
    for (size_t i = 0; i < count; i++) {
        finish_step(history, &steps[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (!history->is_apart && jobs[i]->kind == JOB_APPEND &&
            jobs[i]->outcome.code != ACTA_OK) {
            ask_unseen(history, &jobs[i]->append);
        }
        model_verdict_fini(&steps[i].verdict);
        job_free(jobs[i]);
    }
    ck_assert(history->is_apart ||
              database_head(history->db.database) == history->model.count);
}

/* ---- histories ---- */

static void
advance_clock(struct history *history, uint64_t by_us)
{
    history->now_us += by_us;
    fake_clock_set(history->now_us);
}

static void
begin(struct history *history)
{
    history->is_apart = false;
    history->erased.count = 0;
    model_init(&history->model);
    db_make(&history->db);
}

static void
end(struct history *history)
{
    if (!history->is_apart) {
        ask_files(history);
    }
    db_remove(&history->db);
    model_fini(&history->model);
}

/* Too long for the model, with too few streams that are not closed, or no
 * longer the same on both sides.
 */
static bool
is_worn_out(const struct history *history)
{
    const struct model *model = &history->model;
    size_t tombstones = 0;

    for (size_t i = 0; i < model->streams_count; i++) {
        tombstones += model->streams[i].is_tombstoned;
    }
    return history->is_apart || model->count > EVENTS_MAX ||
           tombstones > TOMBSTONES_MAX;
}

/* Let the background take back some space, if it will: nothing that is asked
 * may depend on whether it did.
 */
static void
rest(struct history *history)
{
    struct database_stats before, now;
    int looks = 0;

    database_stats(history->db.database, &before);
    do {
        (void)poll(NULL, 0, LOOK_MS);
        database_stats(history->db.database, &now);
    } while (now.swept == before.swept && ++looks < LOOKS_MAX);
}

static void
live_on(struct history *history)
{
    advance_clock(history, rnd_below(&history->rnd, STEP_US));
    take_steps(history);
    if (history->is_apart) {
        return;
    }
    for (uint64_t q = rnd_below(&history->rnd, 3); q > 0; q--) {
        ask(history);
    }
    if (rnd_once_in(&history->rnd, REST_ONCE_IN)) {
        rest(history);
    }
    if (rnd_once_in(&history->rnd, 60)) {
        db_reopen(&history->db);
    } else if (rnd_once_in(&history->rnd, 60)) {
        db_reopen_as_killed(&history->db);
    }
}

START_TEST(a_database_answers_as_the_model_does)
{
    unsigned steps = rnd_effort(600, 6000);
    struct history history = {.now_us = START_US};

    rnd_init(&history.rnd);
    buf_init(&history.last_append, ACTA_FRAME_SIZE_MAX);
    begin(&history);
    for (unsigned i = 0; i < steps; i++) {
        if (is_worn_out(&history)) {
            end(&history);
            begin(&history);
        }
        live_on(&history);
    }
    ck_assert_uint_le(history.given_up, steps / GIVEN_UP_ONCE_IN);
    end(&history);
    buf_fini(&history.last_append);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_database_answers_as_the_model_does, 0,
                        (int)rnd_effort(4, 24));
    return run_suite(suite);
}
