/* What an append does besides adding events. */

#include <stdlib.h>

#include "limit.h"
#include "pack.h"
#include "verdict.h"

static int64_t
as_expected(uint64_t number)
{
    return number < INT64_MAX ? (int64_t)number : INT64_MAX;
}

static void
fail(struct verdict *verdict, enum msg_failure_kind kind, size_t index,
     enum acta_code code, uint64_t expected, uint64_t actual, const char *text,
     struct slice name)
{
    verdict_fail(verdict, code,
                 &(struct msg_failure){
                     .kind = kind,
                     .index = index,
                     .expected = as_expected(expected),
                     .actual = actual,
                 },
                 "%.*s: %s", (int)name.size, (const char *)name.data, text);
}

/* ---- leases ---- */

static void
judge_leases(struct acta_memory *memory, const struct msg_append_more *more,
             struct verdict *verdict)
{
    for (size_t i = 0; i < more->leases_count; i++) {
        const struct msg_fence *wanted = &more->leases[i];
        const struct memory_lease *lease =
            table_find(&memory->leases, wanted->lease);
        uint64_t fence = lease == NULL ? 0 : lease->fence;

        if (fence == 0 || fence != wanted->fence) {
            fail(verdict, MSG_FAILED_LEASE, i, ACTA_FENCED, wanted->fence,
                 fence, "this lease is lost", wanted->lease);
        }
    }
}

/* ---- checkpoints ---- */

/* Is it fine that the checkpoint is where it is to go? With events it is not:
 * they were not stored, so another append has done what they are about.
 */
static bool
may_be_there(const struct msg_append *append, const struct msg_checkpoint *move)
{
    return append->events_count == 0 ||
           (move->has_from && move->from == move->to);
}

static void
judge_checkpoint(struct acta_memory *memory, const struct msg_append *append,
                 size_t index, struct verdict *verdict)
{
    const struct msg_checkpoint *move = &append->more.checkpoints[index];
    const struct memory_consumer *consumer =
        table_find(&memory->consumers, move->consumer);
    uint64_t expected = move->has_from ? move->from : move->to;
    const enum msg_failure_kind kind = MSG_FAILED_CHECKPOINT;
    uint64_t is_at = consumer == NULL ? 0 : consumer->position;

    if (consumer == NULL) {
        fail(verdict, kind, index, ACTA_FENCED, expected, 0,
             "there is no such consumer", move->consumer);
        return;
    }
    if (consumer->epoch != move->epoch) {
        fail(verdict, kind, index, ACTA_FENCED, expected, is_at,
             "another has taken over this consumer", move->consumer);
    } else if (is_at != move->to || !may_be_there(append, move)) {
        if (is_at >= move->to || (move->has_from && is_at != move->from)) {
            fail(verdict, kind, index, ACTA_CONFLICT, expected, is_at,
                 "its checkpoint is elsewhere", move->consumer);
        } else if (move->to > memory_head(memory)) {
            fail(verdict, kind, index, ACTA_INVALID, expected, is_at,
                 "a checkpoint cannot be behind the head", move->consumer);
        }
    }
    if (consumer->group != NULL) {
        fail(verdict, kind, index, ACTA_INVALID, 0, 0,
             "it is a group: its members ack events", move->consumer);
    }
}

static void
apply_checkpoint(struct acta_memory *memory, const struct msg_checkpoint *move)
{
    struct memory_consumer *consumer =
        table_find(&memory->consumers, move->consumer);

    if (consumer->position != move->to) {
        consumer->position = move->to;
        consumer->changed_us = memory->now_us;
    }
}

/* ---- snapshots ---- */

/* The version that the stream has when the append is done. */
static uint64_t
version_after(struct acta_memory *memory, const struct msg_append *append,
              struct slice name)
{
    const struct memory_stream *stream = memory_find_stream(memory, name);
    uint64_t version = stream == NULL ? 0 : stream->version;

    for (size_t w = 0; w < append->writes_count; w++) {
        if (slice_equal(append->writes[w].stream, name)) {
            version += append->writes[w].events_count;
        }
    }
    return version;
}

static void
judge_snapshots(struct acta_memory *memory, const struct msg_append *append,
                struct verdict *verdict)
{
    for (size_t i = 0; i < append->more.snapshots_count; i++) {
        const struct msg_snapshot *snapshot = &append->more.snapshots[i];
        uint64_t version = version_after(memory, append, snapshot->stream);

        if (snapshot->version > version) {
            fail(verdict, MSG_FAILED_SNAPSHOT, i, ACTA_CONFLICT,
                 snapshot->version, version,
                 "a snapshot cannot be ahead of its stream", snapshot->stream);
        }
    }
}

static bool
is_newer(const struct memory_stream *stream, const struct msg_snapshot *wanted)
{
    return !stream->has_snapshot || wanted->schema > stream->snapshot_schema ||
           (wanted->schema == stream->snapshot_schema &&
            wanted->version > stream->snapshot_version);
}

static void
apply_snapshot(struct acta_memory *memory, const struct msg_snapshot *wanted)
{
    struct memory_stream *stream = memory_find_stream(memory, wanted->stream);

    if (stream == NULL) {
        return; /* There is none to be removed. */
    }
    if (wanted->is_removed) {
        memory_drop_snapshot(stream);
    } else if (is_newer(stream, wanted)) {
        memory_drop_snapshot(stream);
        stream->has_snapshot = true;
        stream->snapshot_version = wanted->version;
        stream->snapshot_schema = wanted->schema;
        stream->snapshot_time_us = memory->now_us;
        stream->snapshot = memory_copy(wanted->data);
    }
}

/* ---- schedules ---- */

static bool
is_cancelled(const struct msg_append_more *more, struct slice name)
{
    bool found = false;

    for (size_t i = 0; i < more->cancellations_count; i++) {
        found = found || slice_equal(more->cancellations[i], name);
    }
    return found;
}

/* Only those that do not wait now, and then will, can be too many. */
static void
judge_schedules(struct acta_memory *memory, const struct msg_append_more *more,
                struct verdict *verdict)
{
    size_t fresh = 0;

    for (size_t i = 0; i < more->schedules_count; i++) {
        const struct msg_schedule *wanted = &more->schedules[i];
        const struct memory_schedule *there =
            is_cancelled(more, wanted->name)
                ? NULL
                : table_find(&memory->schedules, wanted->name);

        fresh += there == NULL || there->has_failed;
        if (there == NULL && wanted->writes.size == 0) {
            fail(verdict, MSG_FAILED_SCHEDULE, i, ACTA_CONFLICT, 0, 0,
                 "there is no such schedule to be moved", wanted->name);
        } else if (there != NULL && wanted->writes.size > 0 &&
                   !slice_equal(there->writes, wanted->writes)) {
            fail(verdict, MSG_FAILED_SCHEDULE, i, ACTA_CONFLICT, 0, 0,
                 "something else is scheduled under this name", wanted->name);
        }
    }
    if (fresh > 0 && memory->schedules_waiting + fresh > ACTA_SCHEDULES_MAX) {
        fail(verdict, MSG_FAILED_SCHEDULE, 0, ACTA_TOO_LARGE, 0, 0,
             "there are too many schedules", more->schedules[0].name);
    }
}

/* What is told of a schedule in lists: of its first write. */
static void
read_writes(struct memory_schedule *schedule)
{
    struct pack_reader reader;
    struct event event;
    size_t writes;

    pack_reader_init(&reader, schedule->writes, NULL);
    writes = pack_get_array(&reader, "writes");
    for (size_t w = 0; w < writes; w++) {
        struct slice stream;
        size_t events;

        pack_get_array(&reader, "write");
        stream = pack_get_str(&reader, "stream");
        pack_get_int(&reader, "expected version");
        events = pack_get_array(&reader, "events");
        for (size_t e = 0; e < events; e++) {
            event_decode_content(&reader, &event);
            if (schedule->events_count++ == 0) {
                schedule->stream = stream;
                schedule->type = event.type;
            }
        }
    }
}

static void
apply_schedule(struct acta_memory *memory, const struct msg_schedule *wanted)
{
    struct memory_schedule *schedule =
        table_find(&memory->schedules, wanted->name);

    if (schedule == NULL) {
        schedule = memory_alloc(sizeof(*schedule));
        schedule->number = ++memory->counter;
        schedule->created_us = memory->now_us;
        schedule->writes = memory_copy(wanted->writes);
        read_writes(schedule);
        memory->schedules_waiting++;
        table_put(&memory->schedules, &schedule->named, wanted->name);
    } else if (wanted->writes.size > 0) {
        return; /* It was sent again. */
    }
    schedule->due_us = wanted->due_us + (wanted->is_delay ? memory->now_us : 0);
    memory->schedules_waiting += schedule->has_failed;
    schedule->has_failed = false;
    schedule->why.text[0] = '\0';
}

/* ---- all of them ---- */

void
memory_judge_effects(struct acta_memory *memory,
                     const struct msg_append *append, struct verdict *verdict)
{
    const struct msg_append_more *more = &append->more;

    judge_leases(memory, more, verdict);
    for (size_t i = 0; i < more->checkpoints_count; i++) {
        judge_checkpoint(memory, append, i, verdict);
    }
    judge_snapshots(memory, append, verdict);
    judge_schedules(memory, more, verdict);
}

uint64_t
memory_apply_effects(struct acta_memory *memory,
                     const struct msg_append *append)
{
    const struct msg_append_more *more = &append->more;
    uint64_t cancelled = 0;

    for (size_t i = 0; i < more->checkpoints_count; i++) {
        apply_checkpoint(memory, &more->checkpoints[i]);
    }
    for (size_t i = 0; i < more->snapshots_count; i++) {
        apply_snapshot(memory, &more->snapshots[i]);
    }
    for (size_t i = 0; i < more->cancellations_count; i++) {
        struct memory_schedule *schedule =
            table_find(&memory->schedules, more->cancellations[i]);

        if (schedule != NULL) {
            memory_remove_schedule(memory, schedule);
            cancelled++;
        }
    }
    for (size_t i = 0; i < more->schedules_count; i++) {
        apply_schedule(memory, &more->schedules[i]);
    }
    return cancelled;
}
