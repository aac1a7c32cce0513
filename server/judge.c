/* Versions and conditions. Everything is judged as it was before the append,
 * and all that fails is named.
 */

#include <string.h>

#include "condition.h"
#include "decider.h"
#include "limit.h"

/* Steps that the conditions of one append may take. A step is a look into one
 * list, or part of a look at an event: this many are a few milliseconds at
 * most.
 */
#define STEPS_MAX 8192

/* What a check counts for: its stream may have to be sought in all rooms. */
#define CHECK_STEPS 4

bool
judge_version(int64_t expected, const struct stream_state *state)
{
    bool is_live = decider_state(state) == MSG_STREAM_LIVE;

    switch (expected) {
    case MSG_EXPECT_ANY:
        return true;
    case MSG_EXPECT_EXISTS:
        return state->version > 0 && is_live;
    default:
        /* A stream that was deleted is empty, and has its version all the
         * same: either may be expected.
         */
        return (uint64_t)expected == state->version ||
               (expected == 0 && !is_live);
    }
}

static const char *
state_text(enum msg_stream_state state)
{
    switch (state) {
    case MSG_STREAM_DELETED:
        return " (deleted)";
    case MSG_STREAM_TOMBSTONED:
        return " (tombstoned)";
    case MSG_STREAM_LIVE:
        break;
    }
    return "";
}

void
judge_refuse_version(struct job *job, enum msg_failure_kind kind, size_t index,
                     struct slice stream, int64_t expected,
                     const struct stream_state *state)
{
    struct msg_failure failure = {
        .kind = kind,
        .index = index,
        .expected = expected,
        .actual = state->version,
    };
    const char *is = state_text(decider_state(state));

    if (job->outcome.code == ACTA_OK) {
        if (expected == MSG_EXPECT_EXISTS) {
            job_refuse(job, ACTA_CONFLICT,
                       "stream %.*s: expected to exist, has no events%s",
                       (int)stream.size, (const char *)stream.data, is);
        } else {
            job_refuse(job, ACTA_CONFLICT,
                       "stream %.*s: expected version %jd, found %ju%s",
                       (int)stream.size, (const char *)stream.data,
                       (intmax_t)expected, (uintmax_t)state->version, is);
        }
    }
    job_add_failure(job, &failure);
}

static void
refuse_tombstoned(struct job *job, size_t index, struct slice stream,
                  const struct stream_state *state)
{
    struct msg_failure failure = {
        .kind = MSG_FAILED_WRITE,
        .index = index,
        .expected = job->append.writes[index].expected,
        .actual = state->version,
    };

    if (job->outcome.code != ACTA_TOMBSTONED) {
        job_refuse(job, ACTA_TOMBSTONED,
                   "stream %.*s was tombstoned at version %ju: nothing is "
                   "appended to it any more",
                   (int)stream.size, (const char *)stream.data,
                   (uintmax_t)state->version);
    }
    job_add_failure(job, &failure);
}

static void
judge_writes(struct decider *decider, struct job *job)
{
    const struct msg_append *request = &job->append;

    for (size_t w = 0; w < request->writes_count; w++) {
        const struct msg_write *write = &request->writes[w];
        const struct stream_state *state = &decider->states[w];

        if (decider_state(state) == MSG_STREAM_TOMBSTONED) {
            refuse_tombstoned(job, w, write->stream, state);
        } else if (!judge_version(write->expected, state)) {
            judge_refuse_version(job, MSG_FAILED_WRITE, w, write->stream,
                                 write->expected, state);
        }
    }
}

static enum acta_code
judge_checks(struct decider *decider, struct job *job, struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;

    decider->steps_spent += CHECK_STEPS * more->checks_count;
    for (size_t c = 0; c < more->checks_count; c++) {
        const struct msg_check *check = &more->checks[c];
        struct stream_state state;
        enum acta_code code;

        code = heads_stream(decider->heads, check->stream, &state, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (!judge_version(check->expected, &state)) {
            judge_refuse_version(job, MSG_FAILED_CHECK, c, check->stream,
                                 check->expected, &state);
        }
    }
    return ACTA_OK;
}

static void
add_condition_failure(struct job *job, size_t index, uint64_t position)
{
    uint64_t after = job->append.more.conditions[index].after;
    struct msg_failure failure = {
        .kind = MSG_FAILED_CONDITION,
        .index = index,
        .expected = after > INT64_MAX ? INT64_MAX : (int64_t)after,
        .actual = position,
    };

    job_add_failure(job, &failure);
}

static void
refuse_matched(struct job *job, size_t index, uint64_t position)
{
    if (job->outcome.code == ACTA_OK) {
        job_refuse(job, ACTA_CONFLICT,
                   "condition %zu: the event at position %ju matches, and is "
                   "behind %ju",
                   index, (uintmax_t)position,
                   (uintmax_t)job->append.more.conditions[index].after);
    }
    add_condition_failure(job, index, position);
}

static void
refuse_undecided(struct job *job, size_t index, uint64_t position)
{
    if (job->outcome.code == ACTA_OK) {
        job_refuse(job, ACTA_UNDECIDED,
                   "condition %zu: too much to look at behind position %ju; "
                   "nothing matches up to %ju: read from there, and say what "
                   "was read",
                   index, (uintmax_t)job->append.more.conditions[index].after,
                   (uintmax_t)position);
    }
    add_condition_failure(job, index, position);
}

/* What could not be decided is told only if nothing failed for sure. */
static void
tell_undecided(struct job *job, const struct match *matches)
{
    bool failed = job->outcome.code != ACTA_OK;

    for (size_t c = 0; !failed && c < job->append.more.conditions_count; c++) {
        if (!matches[c].is_decided) {
            refuse_undecided(job, c, matches[c].position);
        }
    }
}

static enum acta_code
judge_conditions(struct decider *decider, struct job *job, struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;
    struct match matches[ACTA_APPEND_CONDITIONS_MAX];
    size_t steps = STEPS_MAX;
    enum acta_code code = ACTA_OK;

    for (size_t c = 0; code == ACTA_OK && c < more->conditions_count; c++) {
        const struct msg_condition *condition = &more->conditions[c];

        code =
            condition_find(decider->heads, decider->search, &condition->query,
                           condition->after, &steps, &matches[c], err);
        if (code == ACTA_OK && matches[c].is_decided &&
            matches[c].position > 0) {
            refuse_matched(job, c, matches[c].position);
        }
    }
    decider->steps_spent += STEPS_MAX - steps;
    if (code == ACTA_OK) {
        tell_undecided(job, matches);
    }
    return code;
}

bool
judge(struct decider *decider, struct job *job)
{
    struct acta_err err;
    enum acta_code code;

    judge_writes(decider, job);
    code = judge_checks(decider, job, &err);
    if (code == ACTA_OK) {
        code = judge_effects(decider, job, &err);
    }
    if (code == ACTA_OK) {
        code = judge_conditions(decider, job, &err);
    }
    if (code != ACTA_OK) {
        job_refuse(job, code, "%s", err.text);
    }
    return job->outcome.code == ACTA_OK;
}
