/* What the parts of a decision share. Internal to decide.c, repeat.c, judge.c
 * and change.c.
 */

#ifndef ACTA_DECIDER_H
#define ACTA_DECIDER_H

#include "decide.h"
#include "event.h"
#include "search.h"

struct decider {
    struct heads *heads;
    struct search *search; /* owned */
    size_t steps_spent;    /* By this batch: see decider_is_tired(). */

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

/* Judge all writes, checks and conditions. False: the job is refused, with
 * every failure named.
 */
bool judge(struct decider *decider, struct job *job);

/* ---- change.c ---- */

/* Decide a job that changes a stream. Returns as decide() does. */
enum acta_code change_stream(struct decider *decider, struct job *job,
                             struct acta_err *err) ACTA_CHECKED;

#endif
