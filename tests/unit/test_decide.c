#include "decide.h"

#include <stdio.h>
#include <string.h>

#include "core.h"
#include "core_rows.h"
#include "limit.h"
#include "name.h"
#include "run.h"
#include "schedule.h"

#define ANY    MSG_EXPECT_ANY
#define EXISTS MSG_EXPECT_EXISTS

static struct core core;
static struct job *last; /* The last append, with its outcome. */

static void
setup(void)
{
    core_open(&core);
    last = NULL;
}

static void
teardown(void)
{
    job_free(last);
    core_close(&core);
}

static enum acta_code
decide_writes(const struct draft_write *writes, size_t count)
{
    job_free(last);
    last = draft_append(writes, count);
    return core_decide(&core, last);
}

#define DRAFTS_MAX 8

/* Append events with these ids, up to a 0, to a stream. */
static enum acta_code
append_ids(const char *stream, int64_t expected, const uint64_t *ids)
{
    struct draft drafts[DRAFTS_MAX];
    struct draft_write write = {stream, expected, drafts, 0};

    for (; ids[write.count] != 0; write.count++) {
        drafts[write.count] = (struct draft){.id = ids[write.count]};
    }
    return decide_writes(&write, 1);
}

#define append_events(stream, expected, ...)                                   \
    append_ids(stream, expected, (const uint64_t[]){__VA_ARGS__, 0})

static uint64_t
version_of(const char *stream)
{
    struct stream_state state;
    struct acta_err err;

    heads_begin(&core.heads, core.sequence + 1, core.time_us);
    ck_assert_int_eq(heads_stream(&core.heads, slice_of(stream), &state, &err),
                     ACTA_OK);
    heads_end(&core.heads);
    return state.version;
}

static void
assert_run(size_t index, uint64_t write, uint64_t version, uint64_t position,
           uint64_t count)
{
    const struct msg_run *run;

    ck_assert_int_eq(last->outcome.code, ACTA_OK);
    ck_assert_uint_lt(index, last->outcome.runs_count);
    run = &last->outcome.runs[index];
    ck_assert_uint_eq(run->write, write);
    ck_assert_uint_eq(run->first_version, version);
    ck_assert_uint_eq(run->first_position, position);
    ck_assert_uint_eq(run->count, count);
}

static void
assert_failure(size_t index, enum msg_failure_kind kind, uint64_t write,
               uint64_t event, int64_t expected, uint64_t actual)
{
    const struct msg_failure *failure;

    ck_assert_uint_lt(index, last->outcome.failures_count);
    failure = &last->outcome.failures[index];
    ck_assert_int_eq(failure->kind, kind);
    ck_assert_uint_eq(failure->index, write);
    ck_assert_uint_eq(failure->event, event);
    ck_assert_int_eq(failure->expected, expected);
    ck_assert_uint_eq(failure->actual, actual);
}

/* The last append was a repeat, of one run that began there. */
static void
assert_repeats(uint64_t version, uint64_t position, uint64_t count)
{
    ck_assert_msg(last->outcome.code == ACTA_OK, "%s", last->outcome.text);
    ck_assert(last->outcome.repeated);
    ck_assert_uint_eq(last->outcome.runs_count, 1);
    assert_run(0, 0, version, position, count);
}

/* ---- expected versions ---- */

START_TEST(new_events_are_numbered_in_stream_and_log)
{
    ck_assert_int_eq(append_events("order-1", 0, 1, 2, 3), ACTA_OK);
    ck_assert(!last->outcome.repeated);
    ck_assert_uint_eq(last->outcome.runs_count, 1);
    assert_run(0, 0, 1, 1, 3);
    ck_assert_int_eq(append_events("order-2", 0, 4), ACTA_OK);
    assert_run(0, 0, 1, 4, 1);
    ck_assert_int_eq(append_events("order-1", 3, 5), ACTA_OK);
    assert_run(0, 0, 4, 5, 1);
    ck_assert_uint_eq(core_head(&core), 5);
}
END_TEST

/* Of a stream at version 2 and of one without events. */
struct expectation {
    int64_t expected;
    enum acta_code live;
    enum acta_code absent;
};

static const struct expectation expectations[] = {
    {ANY, ACTA_OK, ACTA_OK},
    {EXISTS, ACTA_OK, ACTA_CONFLICT},
    {0, ACTA_CONFLICT, ACTA_OK},
    {1, ACTA_CONFLICT, ACTA_CONFLICT},
    {2, ACTA_OK, ACTA_CONFLICT},
    {3, ACTA_CONFLICT, ACTA_CONFLICT},
    {INT64_MAX, ACTA_CONFLICT, ACTA_CONFLICT},
};

#define EXPECTATIONS (sizeof(expectations) / sizeof(expectations[0]))

/* Where the stream is: in the active memtable, the sealed one or the store. */
enum place {
    IN_ACTIVE,
    IN_SEALED,
    IN_STORE,
    IN_STORE_REOPENED,
    PLACES,
};

static void
move_to(enum place place)
{
    switch (place) {
    case IN_ACTIVE:
        break;
    case IN_SEALED:
        core_seal(&core);
        break;
    case IN_STORE:
        core_checkpoint(&core);
        break;
    case IN_STORE_REOPENED:
        core_reopen(&core);
        break;
    case PLACES:
        ck_abort();
    }
}

START_TEST(expectations_hold_wherever_the_stream_is)
{
    enum place place = (enum place)(_i / (int)EXPECTATIONS);
    const struct expectation *row = &expectations[_i % (int)EXPECTATIONS];
    uint64_t version = row->live == ACTA_OK ? 3 : 2;

    ck_assert_int_eq(append_events("live-1", 0, 1, 2), ACTA_OK);
    move_to(place);
    ck_assert_int_eq(append_events("live-1", row->expected, 3), row->live);
    if (row->live != ACTA_OK) {
        ck_assert_uint_eq(last->outcome.failures_count, 1);
        assert_failure(0, MSG_FAILED_WRITE, 0, 0, row->expected, 2);
    }
    ck_assert_uint_eq(version_of("live-1"), version);
    ck_assert_int_eq(append_events("absent-1", row->expected, 4), row->absent);
    ck_assert_uint_eq(version_of("absent-1"), row->absent == ACTA_OK);
}
END_TEST

START_TEST(a_conflict_names_every_write_that_fails_and_changes_nothing)
{
    static const struct draft drafts[] = {{.id = 10}, {.id = 11}, {.id = 12}};
    struct draft_write writes[] = {
        {"a-1", 5, &drafts[0], 1},
        {"a-2", 0, &drafts[1], 1},
        {"a-3", EXISTS, &drafts[2], 1},
    };

    ck_assert_int_eq(append_events("a-1", 0, 1), ACTA_OK);
    ck_assert_int_eq(decide_writes(writes, 3), ACTA_CONFLICT);
    ck_assert_uint_eq(last->outcome.failures_count, 2);
    assert_failure(0, MSG_FAILED_WRITE, 0, 0, 5, 1);
    assert_failure(1, MSG_FAILED_WRITE, 2, 0, EXISTS, 0);
    ck_assert_str_eq(last->outcome.text,
                     "stream a-1: expected version 5, found 1");
    ck_assert_uint_eq(core_head(&core), 1);
    ck_assert_uint_eq(version_of("a-2"), 0);
}
END_TEST

/* Three letters in front put the cut at each place of a character. */
START_TEST(a_text_that_is_too_long_ends_with_a_whole_character)
{
    char stream[ACTA_STREAM_SIZE_MAX + 1];

    memset(stream, 'x', (size_t)_i);
    stream[_i] = '\0';
    while (strlen(stream) + 3 < sizeof(stream)) {
        strcat(stream, "\u6ce8");
    }
    ck_assert_int_eq(append_events(stream, 5, 1), ACTA_CONFLICT);
    ck_assert_uint_gt(strlen(last->outcome.text),
                      sizeof(last->outcome.text) - 4);
    ck_assert(name_is_lines(slice_of(last->outcome.text)));
}
END_TEST

START_TEST(one_append_writes_several_streams_at_once)
{
    static const struct draft drafts[] = {{.id = 1}, {.id = 2}, {.id = 3}};
    struct draft_write writes[] = {
        {"a-1", 0, &drafts[0], 2},
        {"a-2", 0, &drafts[2], 1},
    };

    ck_assert_int_eq(decide_writes(writes, 2), ACTA_OK);
    ck_assert_uint_eq(last->outcome.runs_count, 2);
    assert_run(0, 0, 1, 1, 2);
    assert_run(1, 1, 1, 3, 1);
}
END_TEST

START_TEST(one_stream_in_several_writes_expects_what_was_before_the_append)
{
    static const struct draft drafts[] = {{.id = 1}, {.id = 2}, {.id = 3}};
    struct draft_write writes[] = {
        {"a-1", 0, &drafts[0], 1},
        {"a-2", 0, &drafts[1], 1},
        {"a-1", 0, &drafts[2], 1},
    };

    ck_assert_int_eq(decide_writes(writes, 3), ACTA_OK);
    ck_assert_uint_eq(last->outcome.runs_count, 3);
    assert_run(0, 0, 1, 1, 1);
    assert_run(1, 1, 1, 2, 1);
    assert_run(2, 2, 2, 3, 1);

    ck_assert_int_eq(decide_writes(writes, 3), ACTA_OK);
    ck_assert(last->outcome.repeated);
    assert_run(2, 2, 2, 3, 1);
}
END_TEST

START_TEST(appends_of_one_batch_see_each_other)
{
    struct draft draft = {.id = 1};
    struct draft_write write = {"a-1", 0, &draft, 1};
    struct job *first = draft_append(&write, 1);
    struct job *repeat = draft_append(&write, 1);
    struct job *late;

    draft.id = 2;
    late = draft_append(&write, 1);
    core_begin(&core);
    core_decide_next(&core, first);
    core_decide_next(&core, repeat);
    core_decide_next(&core, late);
    core_end(&core);
    ck_assert_int_eq(first->outcome.code, ACTA_OK);
    ck_assert(!first->outcome.repeated);
    ck_assert_int_eq(repeat->outcome.code, ACTA_OK);
    ck_assert(repeat->outcome.repeated);
    ck_assert_int_eq(late->outcome.code, ACTA_CONFLICT);
    job_free(first);
    job_free(repeat);
    job_free(late);
}
END_TEST

/* ---- repeats ---- */

START_TEST(a_repeat_is_answered_as_the_first_time_whatever_is_expected)
{
    static const int64_t expected[] = {ANY, EXISTS, 0, 1, 3, 7};

    ck_assert_int_eq(append_events("a-1", 0, 9), ACTA_OK);
    ck_assert_int_eq(append_events("a-1", 1, 1, 2), ACTA_OK);
    move_to((enum place)_i);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        ck_assert_int_eq(append_events("a-1", expected[i], 1, 2), ACTA_OK);
        assert_repeats(2, 2, 2);
    }
    ck_assert_uint_eq(version_of("a-1"), 3);
    ck_assert_uint_eq(core_head(&core), 3);
}
END_TEST

START_TEST(a_part_of_an_append_repeated_in_order_is_a_repeat)
{
    ck_assert_int_eq(append_events("a-1", 0, 1, 2, 3, 4), ACTA_OK);
    move_to((enum place)_i);
    ck_assert_int_eq(append_events("a-1", 0, 2, 3), ACTA_OK);
    assert_repeats(2, 2, 2);
    ck_assert_int_eq(append_events("a-1", 0, 1, 2, 4), ACTA_OK);
    ck_assert(last->outcome.repeated);
    ck_assert_uint_eq(last->outcome.runs_count, 2);
    assert_run(0, 0, 1, 1, 2);
    assert_run(1, 0, 4, 4, 1);
}
END_TEST

START_TEST(stored_events_in_another_order_are_refused)
{
    ck_assert_int_eq(append_events("a-1", 0, 1, 2), ACTA_OK);
    move_to((enum place)_i);
    ck_assert_int_eq(append_events("a-1", ANY, 2, 1), ACTA_PARTIAL_REPEAT);
    ck_assert_uint_eq(last->outcome.failures_count, 1);
    assert_failure(0, MSG_FAILED_EVENT, 0, 1, 0, 1);
    ck_assert_uint_eq(version_of("a-1"), 2);
}
END_TEST

START_TEST(an_append_that_is_stored_in_part_is_refused_and_names_the_part)
{
    ck_assert_int_eq(append_events("a-1", 0, 1, 2), ACTA_OK);
    move_to((enum place)_i);
    ck_assert_int_eq(append_events("a-1", ANY, 3, 2, 4), ACTA_PARTIAL_REPEAT);
    ck_assert_uint_eq(last->outcome.failures_count, 1);
    assert_failure(0, MSG_FAILED_EVENT, 0, 1, 0, 2);
    ck_assert_uint_eq(version_of("a-1"), 2);
}
END_TEST

/* Every field of a content, changed one at a time. */
static const struct draft stored = {
    .id = 1,
    .type = "Placed",
    .correlation = 5,
    .causation = 6,
    .tags = {"customer:7", "shop:1"},
    .metadata = {(const uint8_t *)"{}", 2},
    .data = {(const uint8_t *)"{\"n\":1}", 7},
    .format = EVENT_JSON,
};

static struct draft
changed(int field)
{
    struct draft draft = stored;

    switch (field) {
    case 0:
        draft.type = "Placed2";
        break;
    case 1:
        draft.correlation = 7;
        break;
    case 2:
        draft.correlation = 0;
        break;
    case 3:
        draft.causation = 0;
        break;
    case 4:
        draft.tags[1] = "shop:2";
        break;
    case 5:
        draft.tags[1] = NULL;
        break;
    case 6:
        draft.tags[0] = "shop:1";
        draft.tags[1] = "customer:7";
        break;
    case 7:
        draft.metadata = slice_of("[]");
        break;
    case 8:
        draft.data = slice_of("{\"n\":2}");
        break;
    case 9:
        draft.format = EVENT_BINARY;
        break;
    default:
        ck_abort();
    }
    return draft;
}

#define CHANGES 10

START_TEST(an_id_with_other_content_is_refused)
{
    enum place place = (enum place)(_i / CHANGES);
    struct draft drafts[] = {changed(_i % CHANGES), {.id = 2}};

    ck_assert_int_eq(core_append(&core, "a-1", 0, &stored, 1), ACTA_OK);
    move_to(place);
    ck_assert_int_eq(core_append(&core, "a-1", ANY, &stored, 1), ACTA_OK);
    ck_assert_int_eq(
        decide_writes(&(struct draft_write){"a-1", ANY, drafts, 1}, 1),
        ACTA_ID_REUSED);
    ck_assert_uint_eq(last->outcome.failures_count, 1);
    assert_failure(0, MSG_FAILED_EVENT, 0, 0, 0, 1);
    /* Together with new events it is the same mistake, not half a repeat. */
    ck_assert_int_eq(
        decide_writes(&(struct draft_write){"a-1", ANY, drafts, 2}, 1),
        ACTA_ID_REUSED);
    ck_assert_uint_eq(version_of("a-1"), 1);
}
END_TEST

/* All of them, and nothing else: whether the other events are stored or new. */
START_TEST(each_id_with_other_content_is_named)
{
    struct draft first[] = {{.id = 1}, {.id = 2}, {.id = 3}};
    struct draft drafts[] = {{.id = 2, .type = "Other"},
                             {.id = 1},
                             {.id = 3, .type = "Other"},
                             {.id = 4}};

    ck_assert_int_eq(core_append(&core, "a-1", 0, first, 3), ACTA_OK);
    for (size_t count = 3; count <= 4; count++) {
        ck_assert_int_eq(
            decide_writes(&(struct draft_write){"a-1", ANY, drafts, count}, 1),
            ACTA_ID_REUSED);
        ck_assert_uint_eq(last->outcome.failures_count, 2);
        assert_failure(0, MSG_FAILED_EVENT, 0, 0, 0, 2);
        assert_failure(1, MSG_FAILED_EVENT, 0, 2, 0, 3);
    }
}
END_TEST

START_TEST(an_id_counts_once_in_a_stream_not_in_the_database)
{
    ck_assert_int_eq(append_events("a-1", 0, 1), ACTA_OK);
    move_to((enum place)_i);
    ck_assert_int_eq(append_events("a-2", 0, 1), ACTA_OK);
    ck_assert(!last->outcome.repeated);
    ck_assert_uint_eq(core_head(&core), 2);
}
END_TEST

START_TEST(an_id_twice_in_one_stream_of_an_append_is_refused)
{
    static const struct draft drafts[] = {{.id = 1}, {.id = 2}, {.id = 1}};
    struct draft_write apart[] = {
        {"a-1", 0, &drafts[0], 1},
        {"a-2", 0, &drafts[1], 1},
        {"a-1", 0, &drafts[2], 1},
    };
    struct draft_write other_stream[] = {
        {"a-1", 0, &drafts[0], 1},
        {"a-2", 0, &drafts[2], 1},
    };

    ck_assert_int_eq(append_events("a-1", 0, 1, 2, 1), ACTA_INVALID);
    ck_assert_int_eq(append_events("a-1", 0, 1, 1), ACTA_INVALID);
    ck_assert_int_eq(decide_writes(apart, 3), ACTA_INVALID);
    ck_assert_uint_eq(core_head(&core), 0);
    ck_assert_int_eq(decide_writes(other_stream, 2), ACTA_OK);
}
END_TEST

START_TEST(a_repeat_over_several_streams_is_answered_write_by_write)
{
    static const struct draft drafts[] = {{.id = 3}, {.id = 2}, {.id = 1}};
    struct draft_write writes[] = {
        {"b-1", 0, &drafts[0], 1},
        {"a-1", 0, &drafts[1], 2},
    };
    struct draft_write swapped[] = {writes[1], writes[0]};

    ck_assert_int_eq(decide_writes(writes, 2), ACTA_OK);
    move_to((enum place)_i);
    ck_assert_int_eq(decide_writes(writes, 2), ACTA_OK);
    ck_assert(last->outcome.repeated);
    assert_run(0, 0, 1, 1, 1);
    assert_run(1, 1, 1, 2, 2);
    ck_assert_int_eq(decide_writes(swapped, 2), ACTA_PARTIAL_REPEAT);
}
END_TEST

/* Ids that do not grow, as of version 4: what a stream has is spread over the
 * store and two memtables, and each of its ids is found, in each of them.
 */
START_TEST(ids_are_found_in_a_stream_that_lies_in_all_rooms)
{
    ck_assert_int_eq(append_events("a-1", 0, 30), ACTA_OK);
    core_checkpoint(&core);
    ck_assert_int_eq(append_events("a-1", 1, 20), ACTA_OK);
    core_seal(&core);
    ck_assert_int_eq(append_events("a-1", 2, 10), ACTA_OK);
    for (uint64_t i = 1; i <= 3; i++) {
        ck_assert_int_eq(append_events("a-1", 0, 40 - 10 * i), ACTA_OK);
        assert_repeats(i, i, 1);
    }
}
END_TEST

/* The stream is new in a memtable, and has its number in the store only after
 * the next one has begun, which never asked for it.
 */
START_TEST(ids_of_a_stream_that_was_new_two_memtables_ago_are_found)
{
    bool ask_in_between = _i % 2;
    bool ask_while_sealed = _i / 2;

    ck_assert_int_eq(append_events("a-1", 0, 30), ACTA_OK);
    core_seal(&core);
    ck_assert_int_eq(append_events("a-1", 1, 40), ACTA_OK);
    core_store(&core);
    if (ask_in_between) {
        ck_assert_int_eq(append_events("a-1", 0, 30), ACTA_OK);
        assert_repeats(1, 1, 1);
    }
    core_seal(&core);
    if (ask_while_sealed) {
        ck_assert_int_eq(append_events("a-1", 0, 30), ACTA_OK);
        assert_repeats(1, 1, 1);
    }
    ck_assert_int_eq(append_events("a-1", 2, 50), ACTA_OK);
    ck_assert_int_eq(append_events("a-1", 0, 30), ACTA_OK);
    assert_repeats(1, 1, 1);
    core_store(&core);
    ck_assert_int_eq(append_events("a-1", 0, 30), ACTA_OK);
    assert_repeats(1, 1, 1);
    core_checkpoint(&core);
    ck_assert_int_eq(append_events("a-1", 0, 50), ACTA_OK);
    assert_repeats(3, 3, 1);
}
END_TEST

START_TEST(a_repeat_takes_no_room_and_no_time)
{
    ck_assert_int_eq(append_events("a-1", 0, 1), ACTA_OK);
    ck_assert_uint_eq(memtable_count(tail_active(&core.rooms.tail)), 1);
    ck_assert_int_eq(append_events("a-1", 0, 1), ACTA_OK);
    ck_assert_int_eq(append_events("a-1", 0, 2), ACTA_CONFLICT);
    ck_assert_uint_eq(memtable_count(tail_active(&core.rooms.tail)), 1);
}
END_TEST

START_TEST(a_refusal_tells_a_bounded_number_of_reasons)
{
    struct draft drafts[MSG_FAILURES_MAX + 5];
    struct draft_write writes[MSG_FAILURES_MAX + 5];
    char streams[MSG_FAILURES_MAX + 5][16];

    for (size_t i = 0; i < MSG_FAILURES_MAX + 5; i++) {
        snprintf(streams[i], sizeof(streams[i]), "a-%zu", i);
        drafts[i] = (struct draft){.id = i + 1};
        writes[i] = (struct draft_write){streams[i], 7, &drafts[i], 1};
    }
    ck_assert_int_eq(decide_writes(writes, MSG_FAILURES_MAX + 5),
                     ACTA_CONFLICT);
    ck_assert_uint_eq(last->outcome.failures_count, MSG_FAILURES_MAX);
}
END_TEST

/* ---- what else it is asked ---- */

/* Load what is kept in memory anew. */
static enum acta_code
load(size_t *schedules)
{
    struct decider *decider = decider_new(&core.heads);
    struct acta_err err;
    enum acta_code code;

    ck_assert_ptr_nonnull(decider);
    code = decider_load(decider, 0, &err);
    *schedules = decider_counts(decider).schedules;
    decider_free(decider);
    return code;
}

START_TEST(damaged_rows_are_not_loaded)
{
    static const struct {
        enum row_kind kind;
        const char *key;
    } rows[] = {{ROW_COUNTER, ""}, {ROW_LEASE, "l"}, {ROW_SCHEDULE, "s"}};
    size_t schedules;

    core_set_row(&core, rows[_i].kind, rows[_i].key, slice_of("?"));
    ck_assert_int_eq(load(&schedules), ACTA_CORRUPT);
}
END_TEST

START_TEST(a_schedule_that_has_failed_waits_for_nothing)
{
    struct schedule schedule = {.due_us = 7, .number = 1};
    size_t schedules;
    struct buf value;

    buf_init(&value, 1 << 10);
    schedule_encode(&value, &schedule);
    core_set_row(&core, ROW_SCHEDULE, "waits", buf_slice(&value));
    buf_clear(&value);
    schedule.has_failed = true;
    schedule_encode(&value, &schedule);
    core_set_row(&core, ROW_SCHEDULE, "has failed", buf_slice(&value));
    buf_fini(&value);
    ck_assert_int_eq(load(&schedules), ACTA_OK);
    ck_assert_uint_eq(schedules, 1);
}
END_TEST

START_TEST(what_only_looks_needs_no_entry)
{
    static const enum job_kind looks[] = {JOB_LIST_LEASES, JOB_AWAIT,
                                          JOB_FORGET};
    static const enum job_kind changes[] = {JOB_APPEND, JOB_CHANGE, JOB_SAVE};

    for (size_t i = 0; i < 3; i++) {
        struct job job = {.kind = looks[i]};

        ck_assert(!decider_needs_entry(core.decider, &job));
        job.kind = changes[i];
        ck_assert(decider_needs_entry(core.decider, &job));
    }
}
END_TEST

/* The kinds that other threads serve. */
START_TEST(what_is_not_for_the_writer_is_refused)
{
    ck_assert_int_eq(append_events("a-1", 0, 1), ACTA_OK);
    last->kind = JOB_VERIFY;
    ck_assert_int_eq(core_decide(&core, last), ACTA_UNSUPPORTED);
    last->kind = JOB_APPEND;
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("decide");
    TCase *versions = tcase_create("versions");
    TCase *repeats = tcase_create("repeats");
    TCase *asked = tcase_create("asked");

    suite_add_tcase(suite, versions);
    tcase_add_checked_fixture(versions, setup, teardown);
    tcase_add_test(versions, new_events_are_numbered_in_stream_and_log);
    tcase_add_loop_test(versions, expectations_hold_wherever_the_stream_is, 0,
                        PLACES * (int)EXPECTATIONS);
    tcase_add_test(versions,
                   a_conflict_names_every_write_that_fails_and_changes_nothing);
    tcase_add_loop_test(
        versions, a_text_that_is_too_long_ends_with_a_whole_character, 0, 3);
    tcase_add_test(versions, one_append_writes_several_streams_at_once);
    tcase_add_test(
        versions,
        one_stream_in_several_writes_expects_what_was_before_the_append);
    tcase_add_test(versions, appends_of_one_batch_see_each_other);
    tcase_add_test(versions, a_refusal_tells_a_bounded_number_of_reasons);

    suite_add_tcase(suite, repeats);
    tcase_add_checked_fixture(repeats, setup, teardown);
    tcase_add_loop_test(
        repeats, a_repeat_is_answered_as_the_first_time_whatever_is_expected, 0,
        PLACES);
    tcase_add_loop_test(
        repeats, a_part_of_an_append_repeated_in_order_is_a_repeat, 0, PLACES);
    tcase_add_loop_test(repeats, stored_events_in_another_order_are_refused, 0,
                        PLACES);
    tcase_add_loop_test(
        repeats, an_append_that_is_stored_in_part_is_refused_and_names_the_part,
        0, PLACES);
    tcase_add_loop_test(repeats, an_id_with_other_content_is_refused, 0,
                        PLACES * CHANGES);
    tcase_add_loop_test(
        repeats, an_id_counts_once_in_a_stream_not_in_the_database, 0, PLACES);
    tcase_add_test(repeats, each_id_with_other_content_is_named);
    tcase_add_test(repeats, an_id_twice_in_one_stream_of_an_append_is_refused);
    tcase_add_loop_test(
        repeats, a_repeat_over_several_streams_is_answered_write_by_write, 0,
        PLACES);
    tcase_add_test(repeats, ids_are_found_in_a_stream_that_lies_in_all_rooms);
    tcase_add_loop_test(
        repeats, ids_of_a_stream_that_was_new_two_memtables_ago_are_found, 0,
        4);
    tcase_add_test(repeats, a_repeat_takes_no_room_and_no_time);
    suite_add_tcase(suite, asked);
    tcase_add_checked_fixture(asked, setup, teardown);
    tcase_add_loop_test(asked, damaged_rows_are_not_loaded, 0, 3);
    tcase_add_test(asked, a_schedule_that_has_failed_waits_for_nothing);
    tcase_add_test(asked, what_only_looks_needs_no_entry);
    tcase_add_test(asked, what_is_not_for_the_writer_is_refused);
    return run_suite(suite);
}
