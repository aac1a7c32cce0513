/* What the parts of a decision share. Internal to them: decide.c, repeat.c,
 * judge.c, effects.c, change.c, consumer_change.c, consumer_await.c,
 * lease_change.c and due.c.
 */

#ifndef ACTA_DECIDER_H
#define ACTA_DECIDER_H

#include "awaits.h"
#include "decide.h"
#include "event.h"
#include "leases.h"
#include "schedules.h"
#include "search.h"

struct decider {
    struct heads *heads;
    struct search *search; /* owned */
    size_t steps_spent;    /* By this batch: see decider_is_tired(). */
    struct buf value;      /* owned: of a row that is being set */

    struct leases leases;
    struct schedules schedules;
    struct awaits awaits;
    uint64_t mono_us;       /* See decider_see_time(). */
    uint64_t number;        /* The last that was given, see decider_number(). */
    uint64_t number_saved;  /* The same, in its row. */
    bool is_hindered;       /* See decider_is_hindered(). */
    struct job *done_first; /* owned, as are those behind it: jobs that have */
    struct job *done_last;  /* waited and are decided. */

    /* Of the append that is being decided. */
    struct stream_state *states; /* owned: of each write */
    size_t states_max;
    uint64_t *stored; /* owned: position of each event, 0: it is new */
    size_t stored_max;
    const struct event **sorted; /* owned, as large as stored */
};

static inline enum msg_stream_state
decider_state(const struct stream_state *state)
{
    return retention_state(&state->retention, state->version);
}

/* ---- decide.c ---- */

/* The next number of the database: fences, epochs and the numbers of consumers
 * and schedules are all of one row, so each is greater than all before it.
 */
uint64_t decider_number(struct decider *decider);

/* Set a row to what was put into decider->value, which was cleared by
 * decider_value(); or remove it. A failure is the end of the process.
 */
struct buf *decider_value(struct decider *decider);
enum acta_code decider_set(struct decider *decider, enum row_kind kind,
                           struct slice key, struct acta_err *err) ACTA_CHECKED;
enum acta_code decider_remove(struct decider *decider, enum row_kind kind,
                              struct slice key,
                              struct acta_err *err) ACTA_CHECKED;
enum acta_code decider_set_row(struct decider *decider, const struct row *row,
                               struct acta_err *err) ACTA_CHECKED;

/* @job has waited, and is to go back now. */
void decider_is_done(struct decider *decider, struct job *job);

/* ---- repeat.c ---- */

/* Is an id twice in one stream of this append? */
bool repeat_is_within(struct decider *decider,
                      const struct msg_append *request);

/* Was the command of this append carried out already? Then the outcome has its
 * result.
 */
enum acta_code repeat_find_command(struct decider *decider, struct job *job,
                                   bool *found,
                                   struct acta_err *err) ACTA_CHECKED;

/* Look up the streams of the writes, and which of their events are stored. */
enum acta_code repeat_look_up(struct decider *decider,
                              const struct msg_append *request,
                              size_t *stored_count,
                              struct acta_err *err) ACTA_CHECKED;

/* The verdict when all of the events are stored, or some of them: in the
 * outcome.
 */
void repeat_answer(struct decider *decider, struct job *job);
void repeat_refuse_partial(struct decider *decider, struct job *job,
                           size_t stored_count);

/* Add the event to the outcome's last run if it continues it, else begin one.
 * False if there is no memory.
 */
bool repeat_add_to_runs(struct outcome *outcome, size_t write, uint64_t version,
                        uint64_t position) ACTA_CHECKED;

/* ---- judge.c ---- */

/* Is this what @expected says? (Of a stream that is written to, if it is not
 * tombstoned.)
 */
bool judge_version(int64_t expected, const struct stream_state *state);

/* Refuse the job because of a stream's version; the first reason is the one in
 * the text. @kind and @index are of what expected it.
 */
void judge_refuse_version(struct job *job, enum msg_failure_kind kind,
                          size_t index, struct slice stream, int64_t expected,
                          const struct stream_state *state);

/* Judge all writes, checks, effects and conditions. False: the job is refused,
 * with every failure named.
 */
bool judge(struct decider *decider, struct job *job);

/* ---- effects.c ---- */

/* Judge what an append carries besides events, as judge() does. An error is one
 * of reading.
 */
enum acta_code judge_effects(struct decider *decider, struct job *job,
                             struct acta_err *err) ACTA_CHECKED;

/* Carry them out. A failure is the end of the process. */
enum acta_code apply_effects(struct decider *decider, struct job *job,
                             struct acta_err *err) ACTA_CHECKED;

/* The snapshot of a stream that says something of the event of @version, if
 * there is one, is removed.
 */
enum acta_code effects_drop_snapshot(struct decider *decider,
                                     struct slice stream, uint64_t version,
                                     struct acta_err *err) ACTA_CHECKED;

/* Both rows of a schedule go. */
enum acta_code effects_end_schedule(struct decider *decider, struct slice name,
                                    struct acta_err *err) ACTA_CHECKED;

/* ---- consumer_change.c: these return as decide() does ---- */

enum acta_code change_consumer(struct decider *decider, struct job *job,
                               struct acta_err *err) ACTA_CHECKED;

/* Rows of a group. */
enum acta_code save_group(struct decider *decider, struct job *job,
                          struct acta_err *err) ACTA_CHECKED;

/* ---- consumer_await.c ---- */

/* Answer the job, or keep it: then *@waits is true. Returns the outcome's code.
 */
enum acta_code await_consumer(struct decider *decider, struct job *job,
                              bool *waits);

/* A checkpoint was set to @row, or removed: who has waited for that is done. */
enum acta_code consumer_has_moved(struct decider *decider,
                                  const struct row *row,
                                  struct acta_err *err) ACTA_CHECKED;

/* Whoever has waited long enough is told so. */
void end_awaits(struct decider *decider);

/* ---- lease_change.c: likewise ---- */

/* An acquire may have to wait: then *@waits is true, and the job is kept. */
enum acta_code change_lease(struct decider *decider, struct job *job,
                            bool *waits, struct acta_err *err) ACTA_CHECKED;

/* Will it be as before: held by whom it is held by, for no longer at a time? */
bool lease_stays(const struct decider *decider,
                 const struct msg_change_lease *wanted);

/* Whoever has waited long enough for a lease is told so. */
void end_waits(struct decider *decider);

/* Leases expire, and are given to those who wait: up to LEASES_A_COMMIT. */
#define LEASES_A_COMMIT 256
enum acta_code expire_leases(struct decider *decider,
                             struct acta_err *err) ACTA_CHECKED;

void list_leases(struct decider *decider, struct job *job);

/* ---- due.c ---- */

/* A scheduled append was decided: the end of its schedule, or why it failed; or
 * it is put back, if that need not be for good.
 */
enum acta_code end_schedule(struct decider *decider, struct job *job,
                            struct acta_err *err) ACTA_CHECKED;

/* ---- change.c ---- */

/* Decide a job that changes a stream. Returns as decide() does. */
enum acta_code change_stream(struct decider *decider, struct job *job,
                             struct acta_err *err) ACTA_CHECKED;

#endif
