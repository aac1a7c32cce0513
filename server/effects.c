/* What an append carries besides events: checkpoints of consumers, fences of
 * leases, snapshots, schedules and cancellations.
 */

#include <string.h>

#include "consumer.h"
#include "decider.h"
#include "limit.h"
#include "schedule.h"
#include "snapshot.h"

/* What a look for a row counts for. */
#define ROW_STEPS 4

static int64_t
as_expected(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

/* ---- verdicts ---- */

/* The first failure is the one in the refusal. But if an epoch or a fence is
 * over it says that, whatever else is wrong: what was decided under it is void.
 * A tombstone alone is said before that.
 */
static bool
is_told(enum acta_code code, enum acta_code before)
{
    return before == ACTA_OK || (code == ACTA_FENCED && before != ACTA_FENCED &&
                                 before != ACTA_TOMBSTONED);
}

static void
fail_effect(struct job *job, enum msg_failure_kind kind, size_t index,
            enum acta_code code, uint64_t expected, uint64_t actual,
            const char *text, struct slice name)
{
    struct msg_failure failure = {
        .kind = kind,
        .index = index,
        .expected = as_expected(expected),
        .actual = actual,
    };

    if (is_told(code, job->outcome.code)) {
        job_refuse(job, code, "%.*s: %s", (int)name.size,
                   (const char *)name.data, text);
    }
    job_add_failure(job, &failure);
}

/* ---- checkpoints ---- */

static uint64_t
head_of(const struct decider *decider)
{
    const struct memtable *active = tail_active(&decider->heads->rooms->tail);

    return memtable_first_position(active) + memtable_count(active) - 1;
}

/* A checkpoint is where it is to go. That is fine for one that is only to be
 * there, and for an append without events, which may have come before. One with
 * events has not, or its ids would be known: what made these events has been
 * done by another append, so that with this one it would be done twice.
 */
static bool
may_be_there(const struct job *job, const struct msg_checkpoint *move)
{
    return job->append.writes_count == 0 ||
           (move->has_from && move->from == move->to);
}

static void
judge_checkpoint(struct decider *decider, struct job *job, size_t index,
                 const struct checkpoint_row *at, bool found)
{
    const struct msg_checkpoint *move = &job->append.more.checkpoints[index];
    enum msg_failure_kind kind = MSG_FAILED_CHECKPOINT;
    uint64_t expected = move->has_from ? move->from : move->to;

    if (!found) {
        fail_effect(job, kind, index, ACTA_FENCED, expected, 0,
                    "there is no such consumer", move->consumer);
    } else if (at->epoch != move->epoch) {
        fail_effect(job, kind, index, ACTA_FENCED, expected, at->position,
                    "another has taken over this consumer", move->consumer);
    } else if (at->position == move->to && may_be_there(job, move)) {
        return;
    } else if (at->position >= move->to ||
               (move->has_from && at->position != move->from)) {
        fail_effect(job, kind, index, ACTA_CONFLICT, expected, at->position,
                    "its checkpoint is elsewhere", move->consumer);
    } else if (move->to > head_of(decider)) {
        fail_effect(job, kind, index, ACTA_INVALID, expected, at->position,
                    "a checkpoint cannot be behind the head", move->consumer);
    }
}

static enum acta_code
find_checkpoint(struct decider *decider, struct slice name,
                struct checkpoint_row *row, bool *found, struct acta_err *err)
{
    enum acta_code code;
    struct slice value;

    code = heads_row(decider->heads, ROW_CHECKPOINT, name, &value, found, err);
    return code == ACTA_OK && *found ? checkpoint_decode(row, value, err)
                                     : code;
}

/* A group moves its own. */
static enum acta_code
judge_is_plain(struct decider *decider, struct job *job, size_t index,
               struct acta_err *err)
{
    struct slice name = job->append.more.checkpoints[index].consumer;
    struct consumer consumer;
    enum acta_code code;
    struct slice value;
    bool found;

    code = heads_row(decider->heads, ROW_CONSUMER, name, &value, &found, err);
    if (code == ACTA_OK && found) {
        code = consumer_decode(&consumer, value, err);
    }
    if (code == ACTA_OK && found && consumer.kind != MSG_CONSUMER_PLAIN) {
        fail_effect(job, MSG_FAILED_CHECKPOINT, index, ACTA_INVALID, 0, 0,
                    "it is a group: its members ack events", name);
    }
    return code;
}

static enum acta_code
judge_checkpoints(struct decider *decider, struct job *job,
                  struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < more->checkpoints_count; i++) {
        struct checkpoint_row at;
        bool found;

        code = find_checkpoint(decider, more->checkpoints[i].consumer, &at,
                               &found, err);
        if (code == ACTA_OK) {
            judge_checkpoint(decider, job, i, &at, found);
            code = judge_is_plain(decider, job, i, err);
        }
    }
    return code;
}

static enum acta_code
apply_checkpoint(struct decider *decider, const struct msg_checkpoint *move,
                 struct acta_err *err)
{
    struct checkpoint_row row;
    enum acta_code code;
    bool found;

    code = find_checkpoint(decider, move->consumer, &row, &found, err);
    if (code != ACTA_OK || row.position == move->to) {
        return code;
    }
    row.position = move->to;
    row.moved_us = decider->heads->time_us;
    checkpoint_encode(decider_value(decider), &row);
    return decider_set(decider, ROW_CHECKPOINT, move->consumer, err);
}

/* ---- leases ---- */

static void
judge_leases(struct decider *decider, struct job *job)
{
    const struct msg_append_more *more = &job->append.more;

    for (size_t i = 0; i < more->leases_count; i++) {
        const struct msg_fence *wanted = &more->leases[i];
        const struct lease_slot *slot =
            leases_find(&decider->leases, wanted->lease);
        /* More may have expired than one batch ends. */
        bool is_held = slot != NULL && slot->until.time > decider->mono_us;
        uint64_t fence = is_held ? slot->lease.fence : 0;

        if (fence == 0 || fence != wanted->fence) {
            fail_effect(job, MSG_FAILED_LEASE, i, ACTA_FENCED, wanted->fence,
                        fence, "this lease is lost", wanted->lease);
        }
    }
}

/* ---- snapshots ---- */

/* The version that the stream has when the append is done. */
static enum acta_code
version_after(struct decider *decider, const struct msg_append *request,
              struct slice stream, uint64_t *version, struct acta_err *err)
{
    struct stream_state state;
    enum acta_code code;

    code = heads_stream(decider->heads, stream, &state, err);
    *version = state.version;
    for (size_t w = 0; w < request->writes_count; w++) {
        if (slice_equal(request->writes[w].stream, stream)) {
            *version += request->writes[w].events_count;
        }
    }
    return code;
}

static enum acta_code
judge_snapshots(struct decider *decider, struct job *job, struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < more->snapshots_count; i++) {
        const struct msg_snapshot *snapshot = &more->snapshots[i];
        uint64_t version;

        code = version_after(decider, &job->append, snapshot->stream, &version,
                             err);
        if (code == ACTA_OK && snapshot->version > version) {
            fail_effect(job, MSG_FAILED_SNAPSHOT, i, ACTA_CONFLICT,
                        snapshot->version, version,
                        "a snapshot cannot be ahead of its stream",
                        snapshot->stream);
        }
    }
    return code;
}

static enum acta_code
find_snapshot(struct decider *decider, struct slice stream,
              struct snapshot *snapshot, bool *found, struct acta_err *err)
{
    enum acta_code code;
    struct slice value;

    code = heads_row(decider->heads, ROW_SNAPSHOT, stream, &value, found, err);
    return code == ACTA_OK && *found ? snapshot_decode(snapshot, value, err)
                                     : code;
}

static enum acta_code
apply_snapshot(struct decider *decider, const struct msg_snapshot *wanted,
               struct acta_err *err)
{
    struct snapshot fresh = {
        .version = wanted->version,
        .schema = wanted->schema,
        .time_us = decider->heads->time_us,
        .data = wanted->data,
    };
    struct snapshot old;
    enum acta_code code;
    bool found;

    code = find_snapshot(decider, wanted->stream, &old, &found, err);
    if (code == ACTA_CORRUPT) {
        found = false; /* What is damaged is worth nothing, and goes. */
    } else if (code != ACTA_OK) {
        return code;
    }
    if (wanted->is_removed) {
        return found || code == ACTA_CORRUPT
                   ? decider_remove(decider, ROW_SNAPSHOT, wanted->stream, err)
                   : ACTA_OK;
    }
    if (found &&
        (old.schema > fresh.schema ||
         (old.schema == fresh.schema && old.version >= fresh.version))) {
        return ACTA_OK; /* There is a newer one. */
    }
    snapshot_encode(decider_value(decider), &fresh);
    return decider_set(decider, ROW_SNAPSHOT, wanted->stream, err);
}

enum acta_code
effects_drop_snapshot(struct decider *decider, struct slice stream,
                      uint64_t version, struct acta_err *err)
{
    struct snapshot snapshot;
    enum acta_code code;
    bool found;

    code = find_snapshot(decider, stream, &snapshot, &found, err);
    if (code == ACTA_CORRUPT ||
        (code == ACTA_OK && found && snapshot.version >= version)) {
        return decider_remove(decider, ROW_SNAPSHOT, stream, err);
    }
    return code;
}

/* ---- schedules ---- */

static enum acta_code
find_schedule(struct decider *decider, struct slice name,
              struct schedule *schedule, bool *found, struct acta_err *err)
{
    enum acta_code code;
    struct slice value;

    decider->steps_spent += ROW_STEPS;
    code = heads_row(decider->heads, ROW_SCHEDULE, name, &value, found, err);
    return code == ACTA_OK && *found ? schedule_decode(schedule, value, err)
                                     : code;
}

static bool
is_cancelled(const struct msg_append_more *more, struct slice name)
{
    for (size_t i = 0; i < more->cancellations_count; i++) {
        if (slice_equal(more->cancellations[i], name)) {
            return true;
        }
    }
    return false;
}

/* Is what is scheduled under this name what is sent? */
static enum acta_code
find_same(struct decider *decider, const struct msg_schedule *wanted,
          bool *is_same, struct acta_err *err)
{
    enum acta_code code;
    struct slice writes;
    bool found;

    code = heads_row(decider->heads, ROW_SCHEDULED, wanted->name, &writes,
                     &found, err);
    *is_same = code == ACTA_OK && found && slice_equal(writes, wanted->writes);
    return code;
}

/* Those that are not waiting now, and then will, are counted in *@fresh. */
static enum acta_code
judge_schedule(struct decider *decider, struct job *job, size_t index,
               size_t *fresh, struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;
    const struct msg_schedule *wanted = &more->schedules[index];
    bool found, is_same = true;
    struct schedule there;
    enum acta_code code;

    code = find_schedule(decider, wanted->name, &there, &found, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (found && more->cancellations_count > 0) {
        decider->steps_spent += more->cancellations_count / 8;
        found = !is_cancelled(more, wanted->name);
    }
    if (found && wanted->writes.size > 0) {
        code = find_same(decider, wanted, &is_same, err);
    }
    *fresh += !found || there.has_failed;
    if (!found && wanted->writes.size == 0) {
        fail_effect(job, MSG_FAILED_SCHEDULE, index, ACTA_CONFLICT, 0, 0,
                    "there is no such schedule to be moved", wanted->name);
    } else if (!is_same) {
        fail_effect(job, MSG_FAILED_SCHEDULE, index, ACTA_CONFLICT, 0, 0,
                    "something else is scheduled under this name",
                    wanted->name);
    }
    return code;
}

static enum acta_code
judge_schedules(struct decider *decider, struct job *job, struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;
    enum acta_code code = ACTA_OK;
    size_t fresh = 0;

    for (size_t i = 0; code == ACTA_OK && i < more->schedules_count; i++) {
        code = judge_schedule(decider, job, i, &fresh, err);
    }
    if (code == ACTA_OK && fresh > 0 &&
        decider->schedules.by_name.count + fresh > ACTA_SCHEDULES_MAX) {
        fail_effect(job, MSG_FAILED_SCHEDULE, 0, ACTA_TOO_LARGE, 0, 0,
                    "there are too many schedules", more->schedules[0].name);
    }
    return code;
}

enum acta_code
effects_end_schedule(struct decider *decider, struct slice name,
                     struct acta_err *err)
{
    enum acta_code code = decider_remove(decider, ROW_SCHEDULE, name, err);

    return code == ACTA_OK ? decider_remove(decider, ROW_SCHEDULED, name, err)
                           : code;
}

static enum acta_code
apply_cancellation(struct decider *decider, struct job *job, struct slice name,
                   struct acta_err *err)
{
    struct schedule_slot *slot = schedules_find(&decider->schedules, name);
    struct schedule schedule;
    enum acta_code code;
    bool found = true;

    code = find_schedule(decider, name, &schedule, &found, err);
    if (code != ACTA_OK && code != ACTA_CORRUPT) {
        return code;
    }
    if (!found) {
        return ACTA_OK;
    }
    if (slot != NULL) {
        schedules_remove(&decider->schedules, slot);
    }
    job->outcome.cancelled++;
    return effects_end_schedule(decider, name, err);
}

static uint64_t
due_of(const struct decider *decider, const struct msg_schedule *wanted)
{
    uint64_t due_us = wanted->due_us;

    if (wanted->is_delay && __builtin_add_overflow(decider->heads->time_us,
                                                   wanted->due_us, &due_us)) {
        due_us = UINT64_MAX;
    }
    return due_us;
}

/* Make it wait until @schedule->due_us, in memory and in its row. */
static enum acta_code
schedule_for(struct decider *decider, struct slice name,
             const struct schedule *schedule, struct acta_err *err)
{
    struct schedule_slot *slot = schedules_find(&decider->schedules, name);

    if (slot != NULL) {
        schedules_move(&decider->schedules, slot, schedule->due_us);
    } else if (!schedules_add(&decider->schedules, name, schedule->due_us,
                              schedule->number)) {
        return acta_fail(err, ACTA_MEMORY, "schedule");
    }
    schedule_encode(decider_value(decider), schedule);
    return decider_set(decider, ROW_SCHEDULE, name, err);
}

static enum acta_code
apply_schedule(struct decider *decider, const struct msg_schedule *wanted,
               struct acta_err *err)
{
    struct row writes = {ROW_SCHEDULED, wanted->name, wanted->writes};
    struct schedule schedule;
    enum acta_code code;
    bool found;

    code = find_schedule(decider, wanted->name, &schedule, &found, err);
    if (code == ACTA_OK && !found) {
        schedule = (struct schedule){
            .number = decider_number(decider),
            .created_us = decider->heads->time_us,
        };
        code = heads_set_row(decider->heads, &writes, err);
    } else if (code == ACTA_OK && wanted->writes.size > 0) {
        return ACTA_OK; /* It was sent again. */
    }
    if (code != ACTA_OK) {
        return code;
    }
    schedule.due_us = due_of(decider, wanted);
    schedule.has_failed = false;
    schedule.text = SLICE_NONE;
    return schedule_for(decider, wanted->name, &schedule, err);
}

/* ---- all of them ---- */

enum acta_code
judge_effects(struct decider *decider, struct job *job, struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;
    enum acta_code code;

    decider->steps_spent +=
        ROW_STEPS * (2 * more->checkpoints_count + more->snapshots_count);
    judge_leases(decider, job);
    code = judge_checkpoints(decider, job, err);
    if (code == ACTA_OK) {
        code = judge_snapshots(decider, job, err);
    }
    if (code == ACTA_OK) {
        code = judge_schedules(decider, job, err);
    }
    return code;
}

enum acta_code
apply_effects(struct decider *decider, struct job *job, struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < more->checkpoints_count; i++) {
        code = apply_checkpoint(decider, &more->checkpoints[i], err);
    }
    for (size_t i = 0; code == ACTA_OK && i < more->snapshots_count; i++) {
        code = apply_snapshot(decider, &more->snapshots[i], err);
    }
    for (size_t i = 0; code == ACTA_OK && i < more->cancellations_count; i++) {
        code = apply_cancellation(decider, job, more->cancellations[i], err);
    }
    for (size_t i = 0; code == ACTA_OK && i < more->schedules_count; i++) {
        code = apply_schedule(decider, &more->schedules[i], err);
    }
    return code;
}
