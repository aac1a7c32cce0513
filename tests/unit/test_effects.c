/* What an append carries besides events, and the consumers whose checkpoints it
 * moves.
 */

#include <string.h>

#include "alloc.h"
#include "consumer.h"
#include "core.h"
#include "decider.h"
#include "group_pending.h"
#include "limit.h"
#include "run.h"
#include "schedule.h"
#include "snapshot.h"

#define ANY    MSG_EXPECT_ANY
#define SECOND 1000000u

static struct core core;
static uint64_t id; /* Of the last event. */

static void
setup(void)
{
    core_open(&core);
    id = 0;
}

static void
teardown(void)
{
    core_close(&core);
}

/* ---- an append with effects ---- */

/* What a test carries in the next append. */
static struct msg_append_more carried;
static struct job *last;

/* Decide an append of @count events to the stream s-1, and of what is carried.
 */
static enum acta_code
append(size_t count)
{
    struct draft drafts[4];
    struct draft_write write = {"s-1", ANY, drafts, count};

    for (size_t i = 0; i < count; i++) {
        drafts[i] = (struct draft){.id = ++id, .type = "Happened"};
    }
    job_free(last);
    last = draft_append_with(&write, count > 0, &carried);
    carried = (struct msg_append_more){0};
    return core_decide(&core, last);
}

static void
forget(void)
{
    job_free(last);
    last = NULL;
}

static void
assert_failed(enum msg_failure_kind kind, uint64_t index, uint64_t actual)
{
    ck_assert_uint_eq(last->outcome.failures_count, 1);
    ck_assert_int_eq(last->outcome.failures[0].kind, kind);
    ck_assert_uint_eq(last->outcome.failures[0].index, index);
    ck_assert_uint_eq(last->outcome.failures[0].actual, actual);
}

static bool
has_row(enum row_kind kind, const char *key, struct slice *value)
{
    struct acta_err err;
    bool found;

    heads_begin(&core.heads, core.sequence, core.time_us);
    ck_assert_int_eq(
        heads_row(&core.heads, kind, slice_of(key), value, &found, &err),
        ACTA_OK);
    heads_end(&core.heads);
    return found;
}

/* ---- consumers ---- */

static struct msg_consumer_changed changed;

static enum acta_code
change(const char *name, struct msg_change_consumer wanted)
{
    struct job *job;
    enum acta_code code;

    wanted.name = slice_of(name);
    job = draft_consumer(&wanted);
    code = core_decide(&core, job);
    changed = job->outcome.consumer_changed;
    job_free(job);
    return code;
}

static enum acta_code
claim(const char *name)
{
    return change(name,
                  (struct msg_change_consumer){.kind = MSG_CONSUMER_CLAIM});
}

/* Carry the move of a checkpoint, with @events. */
static enum acta_code
move_with(size_t events, const char *name, uint64_t epoch, int64_t from,
          uint64_t to)
{
    struct msg_checkpoint checkpoint = {
        .consumer = slice_of(name),
        .epoch = epoch,
        .has_from = from >= 0,
        .from = from < 0 ? 0 : (uint64_t)from,
        .to = to,
    };

    carried.checkpoints = &checkpoint;
    carried.checkpoints_count = 1;
    return append(events);
}

/* And with nothing else. */
static enum acta_code
move(const char *name, uint64_t epoch, int64_t from, uint64_t to)
{
    return move_with(0, name, epoch, from, to);
}

static uint64_t
position_of(const char *name)
{
    struct checkpoint_row row;
    struct acta_err err;
    struct slice value;

    ck_assert(has_row(ROW_CHECKPOINT, name, &value));
    ck_assert_int_eq(checkpoint_decode(&row, value, &err), ACTA_OK);
    return row.position;
}

START_TEST(a_checkpoint_moves_by_compare_and_set)
{
    ck_assert_int_eq(append(4), ACTA_OK);
    ck_assert_int_eq(claim("c"), ACTA_OK);
    ck_assert_uint_eq(changed.position, 0);
    ck_assert_int_eq(move("c", changed.epoch, 0, 2), ACTA_OK);
    ck_assert_uint_eq(position_of("c"), 2);
    ck_assert_int_eq(move("c", changed.epoch, 0, 2), ACTA_OK); /* Again. */
    ck_assert_int_eq(move("c", changed.epoch, 1, 3), ACTA_CONFLICT);
    assert_failed(MSG_FAILED_CHECKPOINT, 0, 2);
    ck_assert_int_eq(move("c", changed.epoch, -1, 1), ACTA_CONFLICT);
    ck_assert_int_eq(move("c", changed.epoch, -1, 4), ACTA_OK);
    ck_assert_int_eq(move("c", changed.epoch, -1, 5), ACTA_INVALID);
    ck_assert_uint_eq(position_of("c"), 4);
    forget();
}
END_TEST

START_TEST(what_was_done_is_not_done_by_other_events_again)
{
    ck_assert_int_eq(append(4), ACTA_OK);
    ck_assert_int_eq(claim("c"), ACTA_OK);
    ck_assert_int_eq(move_with(1, "c", changed.epoch, 0, 2), ACTA_OK);
    ck_assert_int_eq(move_with(1, "c", changed.epoch, 0, 2), ACTA_CONFLICT);
    assert_failed(MSG_FAILED_CHECKPOINT, 0, 2);
    ck_assert_int_eq(move_with(1, "c", changed.epoch, -1, 2), ACTA_CONFLICT);
    ck_assert_int_eq(move_with(1, "c", changed.epoch, 2, 2), ACTA_OK);
    ck_assert_uint_eq(position_of("c"), 2);
    forget();
}
END_TEST

START_TEST(who_lost_its_turn_moves_nothing)
{
    uint64_t first;

    ck_assert_int_eq(append(4), ACTA_OK);
    ck_assert_int_eq(claim("c"), ACTA_OK);
    first = changed.epoch;
    ck_assert_int_eq(move("c", first, 0, 2), ACTA_OK);
    ck_assert_int_eq(claim("c"), ACTA_OK);
    ck_assert_uint_gt(changed.epoch, first);
    ck_assert_uint_eq(changed.position, 2);
    ck_assert_int_eq(move("c", first, 2, 3), ACTA_FENCED);
    assert_failed(MSG_FAILED_CHECKPOINT, 0, 2);
    ck_assert_int_eq(move("none", first, 2, 3), ACTA_FENCED);
    assert_failed(MSG_FAILED_CHECKPOINT, 0, 0);
    ck_assert_int_eq(move("c", changed.epoch, 2, 3), ACTA_OK);
    forget();
}
END_TEST

START_TEST(a_reset_begins_a_new_epoch_and_goes_anywhere)
{
    uint64_t first;

    ck_assert_int_eq(append(4), ACTA_OK);
    ck_assert_int_eq(claim("c"), ACTA_OK);
    first = changed.epoch;
    ck_assert_int_eq(move("c", first, 0, 3), ACTA_OK);
    ck_assert_int_eq(
        change("c", (struct msg_change_consumer){.kind = MSG_CONSUMER_RESET,
                                                 .position = 1}),
        ACTA_OK);
    ck_assert_uint_eq(position_of("c"), 1);
    ck_assert_int_eq(move("c", first, 3, 4), ACTA_FENCED);
    ck_assert_int_eq(
        change("c", (struct msg_change_consumer){.kind = MSG_CONSUMER_RESET,
                                                 .position = 5}),
        ACTA_INVALID);
    forget();
}
END_TEST

static struct msg_change_consumer
group(void)
{
    return (struct msg_change_consumer){
        .kind = MSG_CONSUMER_CREATE,
        .settings = {.ack_timeout_us = SECOND, .deliveries_max = 3},
        .given = MSG_HAS_ACK_TIMEOUT | MSG_HAS_DELIVERIES_MAX,
    };
}

START_TEST(a_group_is_made_once_and_no_other_of_its_name)
{
    struct msg_change_consumer wanted = group();

    ck_assert_int_eq(change("g", wanted), ACTA_OK);
    ck_assert(changed.changed);
    ck_assert_int_eq(change("g", wanted), ACTA_OK); /* Sent again. */
    ck_assert(!changed.changed);
    wanted.settings.deliveries_max = 4;
    ck_assert_int_eq(change("g", wanted), ACTA_EXISTS);
    ck_assert_int_eq(claim("g"), ACTA_EXISTS);
    ck_assert_int_eq(append(1), ACTA_OK);
    ck_assert_int_eq(move("g", changed.epoch, -1, 1), ACTA_INVALID);
    forget();
}
END_TEST

START_TEST(what_only_groups_can_is_refused_for_others)
{
    static const enum msg_consumer_change kinds[] = {
        MSG_CONSUMER_ALTER, MSG_CONSUMER_PAUSE, MSG_CONSUMER_RESUME};

    ck_assert_int_eq(claim("c"), ACTA_OK);
    ck_assert_int_eq(change("g", group()), ACTA_OK);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct msg_change_consumer wanted = {
            .kind = kinds[i],
            .settings = {.deliveries_max = 9},
            .given = MSG_HAS_DELIVERIES_MAX,
        };

        ck_assert_int_eq(change("c", wanted), ACTA_INVALID);
        ck_assert_int_eq(change("none", wanted), ACTA_NOT_FOUND);
        ck_assert_int_eq(change("g", wanted), ACTA_OK);
        ck_assert(changed.changed);
        ck_assert_int_eq(change("g", wanted), ACTA_OK);
        ck_assert(!changed.changed);
    }
}
END_TEST

/* A change that says nothing of it makes room for it in the journal, too: see
 * core_decide().
 */
START_TEST(a_group_of_a_long_query_is_paused_and_altered)
{
    char texts[ACTA_QUERY_TERMS_MAX][ACTA_STREAM_SIZE_MAX];
    struct slice streams[ACTA_QUERY_TERMS_MAX];
    struct query_item item = {
        .fields = {[QUERY_STREAMS] = {.prefixes = streams,
                                      .prefixes_count = ACTA_QUERY_TERMS_MAX}}};
    struct msg_change_consumer wanted = group();

    memset(texts, 'x', sizeof(texts));
    for (size_t i = 0; i < ACTA_QUERY_TERMS_MAX; i++) {
        texts[i][0] = (char)('a' + i % 26);
        texts[i][1] = (char)('a' + i / 26);
        streams[i] = slice_make(texts[i], sizeof(texts[i]));
    }
    wanted.query = (struct query){.items = &item, .items_count = 1};
    ck_assert_int_eq(change("g", wanted), ACTA_OK);
    ck_assert_int_eq(
        change("g", (struct msg_change_consumer){.kind = MSG_CONSUMER_PAUSE}),
        ACTA_OK);
    ck_assert_int_eq(
        change("g",
               (struct msg_change_consumer){.kind = MSG_CONSUMER_ALTER,
                                            .settings = {.deliveries_max = 9},
                                            .given = MSG_HAS_DELIVERIES_MAX}),
        ACTA_OK);
    ck_assert(changed.changed);
}
END_TEST

START_TEST(what_a_deleted_group_has_left_is_noted)
{
    uint8_t number[8] = {0};
    struct slice value;
    struct acta_err err;
    bool found;

    ck_assert_int_eq(change("g", group()), ACTA_OK);
    number[7] = (uint8_t)changed.epoch; /* The first: it is its number, too. */
    ck_assert_int_eq(
        change("g", (struct msg_change_consumer){.kind = MSG_CONSUMER_DELETE}),
        ACTA_OK);
    ck_assert(changed.changed);
    ck_assert_int_eq(
        change("g", (struct msg_change_consumer){.kind = MSG_CONSUMER_DELETE}),
        ACTA_OK); /* Sent again. */
    ck_assert(!changed.changed);
    ck_assert(!has_row(ROW_CONSUMER, "g", &value));
    ck_assert(!has_row(ROW_CHECKPOINT, "g", &value));
    heads_begin(&core.heads, core.sequence, core.time_us);
    ck_assert_int_eq(heads_row(&core.heads, ROW_LEFT,
                               slice_make(number, sizeof(number)), &value,
                               &found, &err),
                     ACTA_OK);
    ck_assert(found);
    heads_end(&core.heads);
    ck_assert_int_eq(change("g", group()), ACTA_OK);
    ck_assert_uint_gt(changed.epoch, number[7]);
}
END_TEST

/* A row as a group saves it that has given out fences so far. */
static void
save_fences(const char *name, uint64_t fences)
{
    struct group_pending_writer writer;
    struct checkpoint_row at = {.epoch = changed.epoch};
    struct row row = {.kind = ROW_CHECKPOINT, .key = slice_of(name)};
    struct buf pending, value;
    struct acta_err err;

    buf_init(&pending, SIZE_MAX);
    buf_init(&value, SIZE_MAX);
    group_pending_begin(&writer, &pending, fences);
    group_pending_end(&writer);
    at.pending = buf_slice(&pending);
    checkpoint_encode(&value, &at);
    row.value = buf_slice(&value);
    core_begin(&core);
    ck_assert_int_eq(heads_set_row(&core.heads, &row, &err), ACTA_OK);
    core_end(&core);
    buf_fini(&value);
    buf_fini(&pending);
}

/* Else it would be refused by whoever has seen those, until the clock has come
 * there again.
 */
START_TEST(a_group_that_is_made_anew_begins_behind_the_fences_there_were)
{
    uint64_t fences = core.time_us + (uint64_t)_i * 3600000000u;
    uint64_t number;

    ck_assert_int_eq(change("g", group()), ACTA_OK);
    number = changed.epoch;
    save_fences("g", fences);
    ck_assert_int_eq(
        change("g", (struct msg_change_consumer){.kind = MSG_CONSUMER_DELETE}),
        ACTA_OK);
    ck_assert_int_eq(change("g", group()), ACTA_OK);
    if (_i == 0) { /* The time is behind them. */
        ck_assert_uint_eq(changed.epoch, number + 1);
    } else {
        ck_assert_uint_gt(changed.epoch, fences);
    }
}
END_TEST

/* ---- all or nothing ---- */

START_TEST(what_is_carried_takes_place_with_the_events_or_not_at_all)
{
    struct msg_checkpoint checkpoint = {.consumer = slice_of("c"), .to = 1};
    struct msg_snapshot snapshot = {
        .stream = slice_of("s-1"), .version = 2, .data = slice_of("state")};
    struct slice value;

    ck_assert_int_eq(append(1), ACTA_OK);
    ck_assert_int_eq(claim("c"), ACTA_OK);
    checkpoint.epoch = changed.epoch + 1; /* Wrong. */
    carried.checkpoints = &checkpoint;
    carried.checkpoints_count = 1;
    carried.snapshots = &snapshot;
    carried.snapshots_count = 1;
    ck_assert_int_eq(append(1), ACTA_FENCED);
    ck_assert_uint_eq(core_head(&core), 1);
    ck_assert(!has_row(ROW_SNAPSHOT, "s-1", &value));

    checkpoint.epoch = changed.epoch;
    carried.checkpoints = &checkpoint;
    carried.checkpoints_count = 1;
    carried.snapshots = &snapshot;
    carried.snapshots_count = 1;
    ck_assert_int_eq(append(1), ACTA_OK);
    ck_assert_uint_eq(core_head(&core), 2);
    ck_assert(has_row(ROW_SNAPSHOT, "s-1", &value));
    ck_assert_uint_eq(position_of("c"), 1);
    forget();
}
END_TEST

/* What came after it does not matter: it was done once. */
START_TEST(an_append_that_is_sent_again_has_had_its_effects)
{
    struct msg_checkpoint checkpoint = {.consumer = slice_of("c"), .to = 1};

    ck_assert_int_eq(append(1), ACTA_OK);
    ck_assert_int_eq(claim("c"), ACTA_OK);
    checkpoint.epoch = changed.epoch;
    carried.checkpoints = &checkpoint;
    carried.checkpoints_count = 1;
    ck_assert_int_eq(append(1), ACTA_OK);
    ck_assert_int_eq(claim("c"), ACTA_OK);
    ck_assert_int_eq(move("c", changed.epoch, 1, 2), ACTA_OK);

    id--; /* The event of before. */
    carried.checkpoints = &checkpoint;
    carried.checkpoints_count = 1;
    ck_assert_int_eq(append(1), ACTA_OK);
    ck_assert(last->outcome.repeated);
    ck_assert_uint_eq(position_of("c"), 2);
    forget();
}
END_TEST

/* ---- snapshots ---- */

static enum acta_code
put_snapshot(uint64_t version, uint64_t schema, const char *data)
{
    struct msg_snapshot snapshot = {
        .stream = slice_of("s-1"),
        .version = version,
        .schema = schema,
        .is_removed = data == NULL,
        .data = slice_of(data == NULL ? "" : data),
    };

    carried.snapshots = &snapshot;
    carried.snapshots_count = 1;
    return append(0);
}

static const char *
snapshot_data(void)
{
    static char text[32];
    struct snapshot snapshot;
    struct acta_err err;
    struct slice value;

    if (!has_row(ROW_SNAPSHOT, "s-1", &value)) {
        return NULL;
    }
    ck_assert_int_eq(snapshot_decode(&snapshot, value, &err), ACTA_OK);
    memcpy(text, snapshot.data.data, snapshot.data.size);
    text[snapshot.data.size] = '\0';
    return text;
}

START_TEST(the_newest_snapshot_counts_by_schema_and_version)
{
    ck_assert_int_eq(append(4), ACTA_OK);
    ck_assert_int_eq(put_snapshot(5, 1, "ahead"), ACTA_CONFLICT);
    assert_failed(MSG_FAILED_SNAPSHOT, 0, 4);
    ck_assert_int_eq(put_snapshot(3, 1, "three"), ACTA_OK);
    ck_assert_int_eq(put_snapshot(2, 1, "two"), ACTA_OK);
    ck_assert_str_eq(snapshot_data(), "three");
    ck_assert_int_eq(put_snapshot(1, 2, "newer"), ACTA_OK);
    ck_assert_str_eq(snapshot_data(), "newer");
    ck_assert_int_eq(put_snapshot(4, 1, "older"), ACTA_OK);
    ck_assert_str_eq(snapshot_data(), "newer");
    ck_assert_int_eq(put_snapshot(0, 0, NULL), ACTA_OK);
    ck_assert_ptr_null(snapshot_data());
    forget();
}
END_TEST

START_TEST(a_snapshot_ends_with_what_it_may_tell_of)
{
    struct msg_change erase = {.stream = slice_of("s-1"),
                               .expected = ANY,
                               .kind = MSG_ERASE,
                               .version = 3};
    struct msg_change end = {
        .stream = slice_of("s-1"), .expected = ANY, .kind = MSG_DELETE};

    ck_assert_int_eq(append(4), ACTA_OK);
    ck_assert_int_eq(put_snapshot(2, 1, "two"), ACTA_OK);
    ck_assert_int_eq(core_change(&core, &erase), ACTA_OK);
    ck_assert_str_eq(snapshot_data(), "two"); /* It is from before. */
    erase.version = 2;
    ck_assert_int_eq(core_change(&core, &erase), ACTA_OK);
    ck_assert_ptr_null(snapshot_data());

    ck_assert_int_eq(put_snapshot(4, 1, "four"), ACTA_OK);
    erase.version = 0;
    ck_assert_int_eq(core_change(&core, &erase), ACTA_OK);
    ck_assert_ptr_null(snapshot_data());

    ck_assert_int_eq(put_snapshot(4, 1, "four"), ACTA_OK);
    ck_assert_int_eq(core_change(&core, &end), ACTA_OK);
    ck_assert_ptr_null(snapshot_data());
    forget();
}
END_TEST

/* ---- schedules ---- */

static enum acta_code
schedule(const char *name, uint64_t due, bool is_delay, uint64_t event)
{
    struct draft draft = {.id = event, .type = "Due"};
    struct draft_write write = {"d-1", ANY, &draft, 1};
    struct msg_schedule wanted = {
        .name = slice_of(name), .due_us = due, .is_delay = is_delay};
    enum acta_code code;
    struct buf writes;

    buf_init(&writes, SIZE_MAX);
    if (event > 0) {
        wanted.writes = draft_writes(&writes, &write, 1);
    }
    carried.schedules = &wanted;
    carried.schedules_count = 1;
    code = append(0);
    buf_fini(&writes);
    return code;
}

static uint64_t
cancel(const char *name)
{
    struct slice wanted = slice_of(name);

    carried.cancellations = &wanted;
    carried.cancellations_count = 1;
    ck_assert_int_eq(append(0), ACTA_OK);
    return last->outcome.cancelled;
}

/* Carry out what is due by now. Returns how many. */
static size_t
carry_out_due(void)
{
    struct batch batch;
    struct job *job;
    size_t count = 0;

    heads_begin(&core.heads, core.sequence + 1, core.time_us);
    decider_take_due(core.decider, &batch, core.time_us, 100, 1 << 20);
    heads_end(&core.heads);
    core_begin(&core);
    for (job = batch.first; job != NULL; count++) {
        struct job *next = job->next;

        ck_assert(core_decide_next(&core, job));
        job_free(job);
        job = next;
    }
    core_end(&core);
    return count;
}

START_TEST(what_is_scheduled_takes_place_once_and_in_order_of_time)
{
    struct slice value;

    ck_assert_int_eq(schedule("b", core.time_us + 100 * SECOND, false, 1000),
                     ACTA_OK);
    ck_assert_int_eq(schedule("a", 50 * SECOND, true, 2000), ACTA_OK);
    ck_assert_int_eq(schedule("c", core.time_us + 500 * SECOND, false, 3000),
                     ACTA_OK);
    ck_assert_uint_eq(carry_out_due(), 0);
    core_reopen(&core);
    core.time_us += 200 * SECOND;
    ck_assert_uint_eq(carry_out_due(), 2);
    ck_assert_uint_eq(core_head(&core), 2);
    ck_assert(memtable_record(tail_active(&core.rooms.tail), 1).size > 0);
    ck_assert(!has_row(ROW_SCHEDULE, "a", &value));
    ck_assert(!has_row(ROW_SCHEDULED, "a", &value));
    ck_assert_uint_eq(carry_out_due(), 0);
    core_reopen(&core);
    ck_assert_uint_eq(carry_out_due(), 0);
    ck_assert_uint_eq(decider_counts(core.decider).schedules, 1);
    forget();
}
END_TEST

/* It cannot expect a version, and is gone when it is done. */
START_TEST(what_is_scheduled_takes_place_once_without_event_ids)
{
    core.rooms.without = STORE_WITHOUT_EVENT_IDS;
    ck_assert_int_eq(schedule("a", 50 * SECOND, true, 2000), ACTA_OK);
    core.time_us += 100 * SECOND;
    ck_assert_uint_eq(carry_out_due(), 1);
    ck_assert_uint_eq(core_head(&core), 1);
    ck_assert_uint_eq(carry_out_due(), 0);
    forget();
}
END_TEST

START_TEST(a_schedule_is_sent_again_moved_and_cancelled_by_its_name)
{
    ck_assert_int_eq(schedule("a", 50 * SECOND, true, 1000), ACTA_OK);
    ck_assert_int_eq(schedule("a", 90 * SECOND, true, 1000), ACTA_OK);
    ck_assert_int_eq(schedule("a", 50 * SECOND, true, 2000), ACTA_CONFLICT);
    assert_failed(MSG_FAILED_SCHEDULE, 0, 0);
    ck_assert_int_eq(schedule("none", 50 * SECOND, true, 0), ACTA_CONFLICT);
    ck_assert_int_eq(schedule("a", 5000 * SECOND, true, 0), ACTA_OK);
    core.time_us += 200 * SECOND;
    ck_assert_uint_eq(carry_out_due(), 0);
    ck_assert_uint_eq(cancel("a"), 1);
    ck_assert_uint_eq(cancel("a"), 0);
    core.time_us += 9000u * SECOND;
    ck_assert_uint_eq(carry_out_due(), 0);
    ck_assert_int_eq(schedule("a", 1, true, 2000), ACTA_OK);
    core.time_us += SECOND;
    ck_assert_uint_eq(carry_out_due(), 1);
    forget();
}
END_TEST

START_TEST(one_that_is_refused_stays_and_says_why_until_it_is_moved)
{
    struct msg_change tombstone = {
        .stream = slice_of("d-1"), .expected = ANY, .kind = MSG_TOMBSTONE};
    struct schedule row;
    struct acta_err err;
    struct slice value;

    ck_assert_int_eq(schedule("a", SECOND, true, 1000), ACTA_OK);
    ck_assert_int_eq(core_change(&core, &tombstone), ACTA_OK);
    core.time_us += 10 * SECOND;
    ck_assert_uint_eq(carry_out_due(), 1);
    ck_assert_uint_eq(core_head(&core), 0);
    ck_assert(has_row(ROW_SCHEDULE, "a", &value));
    ck_assert_int_eq(schedule_decode(&row, value, &err), ACTA_OK);
    ck_assert(row.has_failed);
    ck_assert_uint_gt(row.text.size, 0);
    ck_assert_uint_eq(carry_out_due(), 0);
    ck_assert_int_eq(schedule("a", 1, true, 0), ACTA_OK); /* Tried again. */
    core.time_us += SECOND;
    ck_assert_uint_eq(carry_out_due(), 1);
    ck_assert_uint_eq(cancel("a"), 1);
    ck_assert(!has_row(ROW_SCHEDULED, "a", &value));
    forget();
}
END_TEST

/* It was carried out, and then its sender, who had no answer, sends it again.
 */
START_TEST(one_that_was_carried_out_and_is_sent_again_changes_nothing)
{
    ck_assert_int_eq(schedule("a", 1, true, 1000), ACTA_OK);
    core.time_us += SECOND;
    ck_assert_uint_eq(carry_out_due(), 1);
    ck_assert_int_eq(schedule("a", 1, true, 1000), ACTA_OK);
    core.time_us += SECOND;
    ck_assert_uint_eq(carry_out_due(), 1);
    ck_assert_uint_eq(core_head(&core), 1);
    forget();
}
END_TEST

START_TEST(one_that_could_not_be_tried_is_put_back)
{
    struct batch batch;

    ck_assert_int_eq(schedule("a", 1, true, 1000), ACTA_OK);
    core.time_us += SECOND;
    heads_begin(&core.heads, core.sequence + 1, core.time_us);
    decider_take_due(core.decider, &batch, core.time_us, 100, 1 << 20);
    heads_end(&core.heads);
    ck_assert_ptr_nonnull(batch.first);
    decider_put_back_due(core.decider, batch.first);
    ck_assert_uint_eq(carry_out_due(), 1);
    ck_assert_uint_eq(core_head(&core), 1);
    forget();
}
END_TEST

/* As if there were so many. */
START_TEST(with_as_many_schedules_as_may_be_those_there_are_can_be_moved)
{
    size_t *count = &core.decider->schedules.by_name.count;

    ck_assert_int_eq(schedule("a", 100 * SECOND, true, 1000), ACTA_OK);
    *count += ACTA_SCHEDULES_MAX - 1;
    ck_assert_int_eq(schedule("b", 1, true, 2000), ACTA_TOO_LARGE);
    ck_assert_int_eq(schedule("a", 1, true, 0), ACTA_OK);
    ck_assert_int_eq(schedule("a", 1, true, 1000), ACTA_OK);
    *count -= 1;
    ck_assert_int_eq(schedule("b", 1, true, 2000), ACTA_OK);
    *count -= ACTA_SCHEDULES_MAX - 2;
    core.time_us += SECOND;
    ck_assert_uint_eq(carry_out_due(), 2);
    forget();
}
END_TEST

/* Neither is for good: it is due as before, and whoever carries it out is told
 * to wait a while.
 */
START_TEST(one_for_which_there_is_no_memory_stays_due)
{
    struct batch batch;

    ck_assert_int_eq(schedule("a", 1, true, 1000), ACTA_OK);
    core.time_us += SECOND;
    heads_begin(&core.heads, core.sequence + 1, core.time_us);
    alloc_fail_after = 0;
    decider_take_due(core.decider, &batch, core.time_us, 100, 1 << 20);
    ck_assert_ptr_null(batch.first);
    ck_assert(decider_is_hindered(core.decider));

    decider_take_due(core.decider, &batch, core.time_us, 100, 1 << 20);
    heads_end(&core.heads);
    ck_assert_ptr_nonnull(batch.first);
    ck_assert(!decider_is_hindered(core.decider));
    job_refuse(batch.first, ACTA_MEMORY, "while it was decided");
    core_begin(&core);
    ck_assert(core_decide_next(&core, batch.first));
    core_end(&core);
    job_free(batch.first);
    ck_assert(decider_is_hindered(core.decider));
    ck_assert_uint_eq(decider_counts(core.decider).schedules, 1);

    ck_assert_uint_eq(carry_out_due(), 1);
    ck_assert_uint_eq(core_head(&core), 1);
    ck_assert(!decider_is_hindered(core.decider));
    forget();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("effects");
    TCase *consumers = tcase_create("consumers");
    TCase *effects = tcase_create("effects");
    TCase *schedules = tcase_create("schedules");

    suite_add_tcase(suite, consumers);
    tcase_add_checked_fixture(consumers, setup, teardown);
    tcase_add_test(consumers, a_checkpoint_moves_by_compare_and_set);
    tcase_add_test(consumers, what_was_done_is_not_done_by_other_events_again);
    tcase_add_test(consumers, who_lost_its_turn_moves_nothing);
    tcase_add_test(consumers, a_reset_begins_a_new_epoch_and_goes_anywhere);
    tcase_add_test(consumers, a_group_is_made_once_and_no_other_of_its_name);
    tcase_add_test(consumers, what_only_groups_can_is_refused_for_others);
    tcase_add_test(consumers, a_group_of_a_long_query_is_paused_and_altered);
    tcase_add_test(consumers, what_a_deleted_group_has_left_is_noted);
    tcase_add_loop_test(
        consumers,
        a_group_that_is_made_anew_begins_behind_the_fences_there_were, 0, 2);
    suite_add_tcase(suite, effects);
    tcase_add_checked_fixture(effects, setup, teardown);
    tcase_add_test(effects,
                   what_is_carried_takes_place_with_the_events_or_not_at_all);
    tcase_add_test(effects, an_append_that_is_sent_again_has_had_its_effects);
    tcase_add_test(effects, the_newest_snapshot_counts_by_schema_and_version);
    tcase_add_test(effects, a_snapshot_ends_with_what_it_may_tell_of);
    suite_add_tcase(suite, schedules);
    tcase_add_checked_fixture(schedules, setup, teardown);
    tcase_add_test(schedules,
                   what_is_scheduled_takes_place_once_and_in_order_of_time);
    tcase_add_test(schedules,
                   what_is_scheduled_takes_place_once_without_event_ids);
    tcase_add_test(schedules,
                   a_schedule_is_sent_again_moved_and_cancelled_by_its_name);
    tcase_add_test(schedules,
                   one_that_is_refused_stays_and_says_why_until_it_is_moved);
    tcase_add_test(schedules,
                   one_that_was_carried_out_and_is_sent_again_changes_nothing);
    tcase_add_test(schedules, one_that_could_not_be_tried_is_put_back);
    tcase_add_test(
        schedules,
        with_as_many_schedules_as_may_be_those_there_are_can_be_moved);
    tcase_add_test(schedules, one_for_which_there_is_no_memory_stays_due);
    return run_suite(suite);
}
