#include "msg_effects.h"

#include <stdlib.h>

#include "limit.h"
#include "msg_body.h"

#define CHECKPOINT_FIELDS 4
#define FENCE_FIELDS      2
#define SNAPSHOT_FIELDS   4
#define SCHEDULE_FIELDS   4

size_t
msg_effects_fields(const struct msg_append_more *more)
{
    if (more->cancellations_count > 0) {
        return 5;
    }
    if (more->schedules_count > 0) {
        return 4;
    }
    if (more->snapshots_count > 0) {
        return 3;
    }
    if (more->leases_count > 0) {
        return 2;
    }
    return more->checkpoints_count > 0 ? 1 : 0;
}

/* ---- encoding ---- */

static void
encode_checkpoint(struct buf *buf, const struct msg_checkpoint *checkpoint)
{
    pack_array(buf, CHECKPOINT_FIELDS);
    pack_str(buf, checkpoint->consumer);
    pack_uint(buf, checkpoint->epoch);
    if (checkpoint->has_from) {
        pack_uint(buf, checkpoint->from);
    } else {
        pack_nil(buf);
    }
    pack_uint(buf, checkpoint->to);
}

static void
encode_fence(struct buf *buf, const struct msg_fence *fence)
{
    pack_array(buf, FENCE_FIELDS);
    pack_str(buf, fence->lease);
    pack_uint(buf, fence->fence);
}

static void
encode_snapshot(struct buf *buf, const struct msg_snapshot *snapshot)
{
    pack_array(buf, SNAPSHOT_FIELDS);
    pack_str(buf, snapshot->stream);
    if (snapshot->is_removed) {
        pack_uint(buf, 0);
        pack_uint(buf, 0);
        pack_nil(buf);
        return;
    }
    pack_uint(buf, snapshot->version);
    pack_uint(buf, snapshot->schema);
    pack_bin(buf, snapshot->data);
}

static void
encode_schedule(struct buf *buf, const struct msg_schedule *schedule)
{
    pack_array(buf, SCHEDULE_FIELDS);
    pack_str(buf, schedule->name);
    pack_uint(buf, schedule->due_us);
    pack_bool(buf, schedule->is_delay);
    if (schedule->writes.size > 0) {
        buf_append_slice(buf, schedule->writes);
    } else {
        pack_nil(buf);
    }
}

/* The head of a list, or nil if there is nothing in it. */
static void
encode_head(struct buf *buf, size_t count)
{
    if (count > 0) {
        pack_array(buf, count);
    } else {
        pack_nil(buf);
    }
}

void
msg_effects_encode(struct buf *buf, size_t fields,
                   const struct msg_append_more *more)
{
    encode_head(buf, more->checkpoints_count);
    for (size_t i = 0; i < more->checkpoints_count; i++) {
        encode_checkpoint(buf, &more->checkpoints[i]);
    }
    if (fields >= 2) {
        encode_head(buf, more->leases_count);
        for (size_t i = 0; i < more->leases_count; i++) {
            encode_fence(buf, &more->leases[i]);
        }
    }
    if (fields >= 3) {
        encode_head(buf, more->snapshots_count);
        for (size_t i = 0; i < more->snapshots_count; i++) {
            encode_snapshot(buf, &more->snapshots[i]);
        }
    }
    if (fields >= 4) {
        encode_head(buf, more->schedules_count);
        for (size_t i = 0; i < more->schedules_count; i++) {
            encode_schedule(buf, &more->schedules[i]);
        }
    }
    if (fields >= 5) {
        encode_head(buf, more->cancellations_count);
        for (size_t i = 0; i < more->cancellations_count; i++) {
            pack_str(buf, more->cancellations[i]);
        }
    }
}

/* ---- counting ---- */

/* Read the head of the next list. @total is what the lists before it have. */
static size_t
enter_list(struct pack_reader *reader, size_t *total, const char *what)
{
    size_t count;

    if (pack_skip_nil(reader)) {
        return 0;
    }
    count = pack_get_array(reader, what);
    if (!reader->failed && count > ACTA_APPEND_EFFECTS_MAX - *total) {
        pack_fail(reader, ACTA_TOO_LARGE,
                  "append has more than %d checkpoints, leases, snapshots, "
                  "schedules and cancellations",
                  ACTA_APPEND_EFFECTS_MAX);
    }
    if (reader->failed) {
        return 0;
    }
    *total += count;
    return count;
}

static size_t
count_list(struct pack_reader *reader, size_t *total, const char *what)
{
    size_t count = enter_list(reader, total, what);

    msg_take_elements(reader, count);
    return count;
}

void
msg_effects_count(struct pack_reader *reader, size_t fields,
                  struct msg_effects_counts *counts)
{
    size_t total = 0;

    *counts = (struct msg_effects_counts){0};
    counts->checkpoints = count_list(reader, &total, "checkpoints");
    if (fields >= 2) {
        counts->leases = count_list(reader, &total, "leases");
    }
    if (fields >= 3) {
        counts->snapshots = count_list(reader, &total, "snapshots");
    }
    if (fields >= 4) {
        counts->schedules = count_list(reader, &total, "schedules");
    }
    if (fields >= 5) {
        counts->cancellations = count_list(reader, &total, "cancellations");
    }
}

size_t
msg_effects_size(const struct msg_effects_counts *counts)
{
    return counts->checkpoints * sizeof(struct msg_checkpoint) +
           counts->leases * sizeof(struct msg_fence) +
           counts->snapshots * sizeof(struct msg_snapshot) +
           counts->schedules * sizeof(struct msg_schedule) +
           counts->cancellations * sizeof(struct slice);
}

/* ---- decoding ---- */

static void
decode_checkpoint(struct pack_reader *reader, struct msg_checkpoint *checkpoint)
{
    *checkpoint = (struct msg_checkpoint){0};
    pack_get_array_of(reader, CHECKPOINT_FIELDS, CHECKPOINT_FIELDS,
                      "checkpoint");
    checkpoint->consumer = pack_get_str(reader, "consumer");
    checkpoint->epoch = pack_get_uint(reader, "epoch");
    if (!pack_skip_nil(reader)) {
        checkpoint->has_from = true;
        checkpoint->from = pack_get_uint(reader, "from");
    }
    checkpoint->to = pack_get_uint(reader, "to");
    msg_check_name(reader, checkpoint->consumer, "consumer");
    if (!reader->failed && checkpoint->to < checkpoint->from) {
        pack_fail(reader, ACTA_INVALID, "it goes back from %ju to %ju",
                  (uintmax_t)checkpoint->from, (uintmax_t)checkpoint->to);
    }
}

static void
decode_fence(struct pack_reader *reader, struct msg_fence *fence)
{
    pack_get_array_of(reader, FENCE_FIELDS, FENCE_FIELDS, "lease");
    fence->lease = pack_get_str(reader, "lease");
    fence->fence = pack_get_uint(reader, "fence");
    msg_check_name(reader, fence->lease, "lease");
}

static void
check_snapshot(struct pack_reader *reader, const struct msg_snapshot *snapshot)
{
    if (reader->failed) {
        return;
    }
    if (snapshot->is_removed &&
        (snapshot->version != 0 || snapshot->schema != 0)) {
        pack_fail(reader, ACTA_INVALID,
                  "it is removed, so version and schema must be 0");
    }
    if (!snapshot->is_removed && snapshot->version == 0) {
        pack_fail(reader, ACTA_INVALID, "version must be at least 1");
    }
    if (snapshot->data.size > ACTA_SNAPSHOT_SIZE_MAX) {
        pack_fail(reader, ACTA_TOO_LARGE, "it is %zu bytes, the limit is %u",
                  snapshot->data.size, ACTA_SNAPSHOT_SIZE_MAX);
    }
}

static void
decode_snapshot(struct pack_reader *reader, struct msg_snapshot *snapshot)
{
    *snapshot = (struct msg_snapshot){0};
    pack_get_array_of(reader, SNAPSHOT_FIELDS, SNAPSHOT_FIELDS, "snapshot");
    snapshot->stream = pack_get_str(reader, "stream");
    snapshot->version = pack_get_uint(reader, "version");
    snapshot->schema = pack_get_uint(reader, "schema");
    if (pack_skip_nil(reader)) {
        snapshot->is_removed = true;
    } else {
        snapshot->data = pack_get_bin(reader, "data");
    }
    msg_check_stream(reader, snapshot->stream);
    check_snapshot(reader, snapshot);
}

/* The writes are decoded to know that they are in order, and are forgotten:
 * what is kept of them until they are due is their bytes.
 */
static void
check_writes(struct pack_reader *reader, struct msg_schedule *schedule)
{
    struct msg_append append;
    struct acta_err err;

    if (reader->failed) {
        return;
    }
    if (msg_writes_decode(&append, schedule->writes, &err) != ACTA_OK) {
        pack_fail(reader, err.code, "%s", err.text);
        return;
    }
    schedule->events_count = append.events_count;
    schedule->records_size = append.records_size;
    msg_append_fini(&append);
}

static void
decode_schedule(struct pack_reader *reader, struct msg_schedule *schedule)
{
    *schedule = (struct msg_schedule){0};
    pack_get_array_of(reader, SCHEDULE_FIELDS, SCHEDULE_FIELDS, "schedule");
    schedule->name = pack_get_str(reader, "name");
    schedule->due_us = pack_get_uint(reader, "due");
    schedule->is_delay = pack_get_bool(reader, "is a delay");
    msg_check_name(reader, schedule->name, "name");
    msg_check_time(reader, schedule->due_us, 0, ACTA_DUE_US_MAX, "due");
    if (!pack_skip_nil(reader)) {
        schedule->writes = msg_take_elements(reader, 1);
        check_writes(reader, schedule);
    }
}

/* ---- names that are twice in a list ---- */

static int
compare_names(const void *a, const void *b)
{
    const struct slice *left = *(const struct slice *const *)a;
    const struct slice *right = *(const struct slice *const *)b;
    int order = slice_compare(*left, *right);

    /* Equal ones in the order of their list. */
    return order != 0 ? order : (left > right) - (left < right);
}

/* @first is the name of the first of @count elements of a list, each of @size
 * bytes.
 */
static void
refuse_twins(struct pack_reader *reader, const struct slice *first,
             size_t count, size_t size, const char *what)
{
    const struct slice **names;

    if (reader->failed || count < 2) {
        return;
    }
    names = malloc(count * sizeof(*names));
    if (names == NULL) {
        pack_fail(reader, ACTA_MEMORY, "append");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = (const struct slice *)(const void *)((const uint8_t *)first +
                                                        i * size);
    }
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; i < count && !reader->failed; i++) {
        if (slice_equal(*names[i - 1], *names[i])) {
            pack_fail(reader, ACTA_INVALID, "%s is in the list twice: %.*s",
                      what, (int)names[i]->size, (const char *)names[i]->data);
        }
    }
    free(names);
}

/* ---- the lists ---- */

/* Put where it is in front of what is wrong. */
static void
say_where(struct pack_reader *reader, const char *what, size_t index)
{
    if (reader->failed && reader->err != NULL) {
        acta_wrap(reader->err, reader->err->code, "%s %zu", what, index);
    }
}

/* Where an append's lists go. */
struct lists {
    struct msg_append_more *more;
    size_t total; /* Of elements so far. */
    size_t size;  /* Of what snapshots and schedules take. */
};

static void
decode_checkpoints(struct pack_reader *reader, struct msg_checkpoint *list,
                   struct lists *lists)
{
    size_t count = enter_list(reader, &lists->total, "checkpoints");

    for (size_t i = 0; i < count && !reader->failed; i++) {
        decode_checkpoint(reader, &list[i]);
        say_where(reader, "checkpoint", i);
    }
    lists->more->checkpoints = list;
    lists->more->checkpoints_count = count;
    refuse_twins(reader, &list->consumer, count, sizeof(*list), "consumer");
}

static void
decode_leases(struct pack_reader *reader, struct msg_fence *list,
              struct lists *lists)
{
    size_t count = enter_list(reader, &lists->total, "leases");

    for (size_t i = 0; i < count && !reader->failed; i++) {
        decode_fence(reader, &list[i]);
        say_where(reader, "lease", i);
    }
    lists->more->leases = list;
    lists->more->leases_count = count;
    refuse_twins(reader, &list->lease, count, sizeof(*list), "lease");
}

static void
decode_snapshots(struct pack_reader *reader, struct msg_snapshot *list,
                 struct lists *lists)
{
    size_t count = enter_list(reader, &lists->total, "snapshots");

    for (size_t i = 0; i < count && !reader->failed; i++) {
        decode_snapshot(reader, &list[i]);
        say_where(reader, "snapshot", i);
        lists->size += list[i].data.size;
    }
    lists->more->snapshots = list;
    lists->more->snapshots_count = count;
    refuse_twins(reader, &list->stream, count, sizeof(*list), "snapshot");
}

static void
decode_schedules(struct pack_reader *reader, struct msg_schedule *list,
                 struct lists *lists)
{
    size_t count = enter_list(reader, &lists->total, "schedules");

    for (size_t i = 0; i < count && !reader->failed; i++) {
        decode_schedule(reader, &list[i]);
        say_where(reader, "schedule", i);
        lists->size += list[i].writes.size;
    }
    lists->more->schedules = list;
    lists->more->schedules_count = count;
    refuse_twins(reader, &list->name, count, sizeof(*list), "schedule");
}

static void
decode_cancellations(struct pack_reader *reader, struct slice *list,
                     struct lists *lists)
{
    size_t count = enter_list(reader, &lists->total, "cancellations");

    for (size_t i = 0; i < count && !reader->failed; i++) {
        list[i] = pack_get_str(reader, "name");
        msg_check_name(reader, list[i], "name");
        say_where(reader, "cancellation", i);
    }
    lists->more->cancellations = list;
    lists->more->cancellations_count = count;
    refuse_twins(reader, list, count, sizeof(*list), "cancellation");
}

size_t
msg_effects_decode(struct pack_reader *reader, size_t fields,
                   const struct msg_effects_counts *counts, void *memory,
                   struct msg_append_more *more)
{
    struct msg_checkpoint *checkpoints = memory;
    struct msg_fence *leases = (void *)(checkpoints + counts->checkpoints);
    struct msg_snapshot *snapshots = (void *)(leases + counts->leases);
    struct msg_schedule *schedules = (void *)(snapshots + counts->snapshots);
    struct slice *cancellations = (void *)(schedules + counts->schedules);
    struct lists lists = {.more = more};

    decode_checkpoints(reader, checkpoints, &lists);
    if (fields >= 2) {
        decode_leases(reader, leases, &lists);
    }
    if (fields >= 3) {
        decode_snapshots(reader, snapshots, &lists);
    }
    if (fields >= 4) {
        decode_schedules(reader, schedules, &lists);
    }
    if (fields >= 5) {
        decode_cancellations(reader, cancellations, &lists);
    }
    return lists.size;
}
