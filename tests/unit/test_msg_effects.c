/* What an append does besides adding events: limits, names, and what is wrong
 * with it.
 */

#include "msg.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "hex.h"
#include "limit.h"
#include "run.h"

static struct buf buf;
static struct buf writes; /* Of a schedule. */
static struct acta_err err;
static uint8_t *letters; /* As many as the largest snapshot has, and one. */

static const uint8_t id[UUID_SIZE] = {1, 2, 3};

static void
setup(void)
{
    buf_init(&buf, ACTA_FRAME_SIZE_MAX + (32u << 20));
    buf_init(&writes, ACTA_FRAME_SIZE_MAX + (32u << 20));
    err = (struct acta_err){ACTA_OK, ""};
    alloc_reset();
    letters = malloc(ACTA_SNAPSHOT_SIZE_MAX + 1);
    memset(letters, 'x', ACTA_SNAPSHOT_SIZE_MAX + 1);
}

static void
teardown(void)
{
    buf_fini(&buf);
    buf_fini(&writes);
    free(letters);
}

static struct slice
text_of(size_t size)
{
    return slice_make(letters, size);
}

/* The body of the frame in buf. */
static struct slice
body(void)
{
    struct slice bytes = buf_slice(&buf);

    ck_assert(!buf_failed(&buf));
    return slice_make(bytes.data + FRAME_HEADER_SIZE,
                      bytes.size - FRAME_HEADER_SIZE);
}

static void
write_one(struct buf *to, const char *stream, size_t data_size)
{
    struct event event = {
        .type = slice_of("T"), .id = id, .data = text_of(data_size)};

    msg_append_write(to, slice_of(stream), MSG_EXPECT_ANY, 1);
    event_encode_content(to, &event, NULL, 0);
}

/* @count writes of one event of @data_size bytes each. */
static struct slice
writes_of(size_t count, size_t data_size)
{
    buf_clear(&writes);
    pack_array(&writes, count);
    for (size_t i = 0; i < count; i++) {
        write_one(&writes, "s", data_size);
    }
    return buf_slice(&writes);
}

/* An append without events that says @more. */
static enum acta_code
try_more(const struct msg_append_more *more)
{
    struct msg_append append;
    enum acta_code code;

    buf_clear(&buf);
    msg_append_end(&buf, msg_append_begin(&buf, 1, 0), more);
    code = msg_append_decode(&append, body(), &err);
    if (code != ACTA_OK) {
        ck_assert_ptr_null(append.memory);
        ck_assert_int_eq(err.code, code);
    }
    msg_append_fini(&append);
    return code;
}

static enum acta_code
try_checkpoint(struct msg_checkpoint checkpoint)
{
    struct msg_append_more more = {.checkpoints = &checkpoint,
                                   .checkpoints_count = 1};

    return try_more(&more);
}

static enum acta_code
try_snapshot(struct msg_snapshot snapshot)
{
    struct msg_append_more more = {.snapshots = &snapshot,
                                   .snapshots_count = 1};

    return try_more(&more);
}

static enum acta_code
try_schedule(struct msg_schedule schedule)
{
    struct msg_append_more more = {.schedules = &schedule,
                                   .schedules_count = 1};

    return try_more(&more);
}

START_TEST(append_without_writes_does_something_else)
{
    struct msg_check check = {slice_of("s"), 1};
    struct msg_fence lease = {slice_of("l"), 1};
    struct slice name = slice_of("n");
    struct msg_append_more more = {.checks = &check,
                                   .checks_count = 1,
                                   .leases = &lease,
                                   .leases_count = 1,
                                   .unseen.events_max = 1};

    ck_assert_int_eq(try_more(&more), ACTA_INVALID);
    ck_assert_str_eq(err.text,
                     "append does nothing: it has no writes, checkpoints, "
                     "snapshots, schedules or cancellations");
    more.cancellations = &name;
    more.cancellations_count = 1;
    ck_assert_int_eq(try_more(&more), ACTA_OK);
    ck_assert_int_eq(
        try_snapshot((struct msg_snapshot){slice_of("s"), 1, 0, false, name}),
        ACTA_OK);
    ck_assert_int_eq(
        try_checkpoint((struct msg_checkpoint){name, 1, false, 0, 0}), ACTA_OK);
    ck_assert_int_eq(try_schedule((struct msg_schedule){.name = name}),
                     ACTA_OK);
}
END_TEST

START_TEST(decoded_append_knows_its_effects)
{
    struct msg_checkpoint checkpoints[] = {
        {slice_of("c-1"), 7, true, 0, UINT64_MAX},
        {slice_of("c-2"), UINT64_MAX, false, 0, 5},
    };
    struct msg_fence leases[] = {{slice_of("l-1"), UINT64_MAX}};
    struct msg_snapshot snapshots[] = {
        {slice_of("s-1"), UINT64_MAX, 3, false, slice_of("data")},
        {slice_of("s-2"), 1, UINT64_MAX, false, SLICE_NONE},
        {.stream = slice_of("s-3"), .is_removed = true},
    };
    struct msg_schedule schedules[] = {
        {.name = slice_of("d-1"),
         .due_us = ACTA_DUE_US_MAX,
         .is_delay = true,
         .writes = writes_of(3, 10)},
        {.name = slice_of("d-2"), .due_us = 9},
    };
    struct slice cancellations[] = {slice_of("d-1"), slice_of("x")};
    struct msg_append_more more = {
        .checkpoints = checkpoints,
        .checkpoints_count = 2,
        .leases = leases,
        .leases_count = 1,
        .snapshots = snapshots,
        .snapshots_count = 3,
        .schedules = schedules,
        .schedules_count = 2,
        .cancellations = cancellations,
        .cancellations_count = 2,
    };
    const struct msg_append_more *read;
    struct msg_append append, later;
    size_t start = msg_append_begin(&buf, 1, 1);

    write_one(&buf, "s-1", 0);
    msg_append_end(&buf, start, &more);
    ck_assert_msg(msg_append_decode(&append, body(), &err) == ACTA_OK, "%s",
                  err.text);
    read = &append.more;
    ck_assert_uint_eq(append.events_count, 1);
    ck_assert_uint_eq(read->checkpoints_count, 2);
    assert_slice_eq(read->checkpoints[1].consumer, slice_of("c-2"));
    ck_assert_uint_eq(read->checkpoints[1].epoch, UINT64_MAX);
    ck_assert(read->checkpoints[0].has_from);
    ck_assert(!read->checkpoints[1].has_from);
    ck_assert_uint_eq(read->checkpoints[0].to, UINT64_MAX);
    ck_assert_uint_eq(read->leases_count, 1);
    ck_assert_uint_eq(read->leases[0].fence, UINT64_MAX);
    ck_assert_uint_eq(read->snapshots_count, 3);
    ck_assert_uint_eq(read->snapshots[0].version, UINT64_MAX);
    assert_slice_eq(read->snapshots[0].data, slice_of("data"));
    ck_assert_uint_eq(read->snapshots[1].data.size, 0);
    ck_assert(!read->snapshots[1].is_removed);
    ck_assert(read->snapshots[2].is_removed);
    ck_assert_uint_eq(read->schedules_count, 2);
    ck_assert(read->schedules[0].is_delay);
    ck_assert_uint_eq(read->schedules[0].due_us, ACTA_DUE_US_MAX);
    assert_slice_eq(read->schedules[0].writes, buf_slice(&writes));
    ck_assert_uint_eq(read->schedules[1].writes.size, 0);
    ck_assert_uint_eq(read->cancellations_count, 2);
    assert_slice_eq(read->cancellations[1], slice_of("x"));

    ck_assert_int_eq(msg_writes_decode(&later, read->schedules[0].writes, &err),
                     ACTA_OK);
    ck_assert_uint_eq(later.writes_count, 3);
    ck_assert_uint_eq(later.events_count, read->schedules[0].events_count);
    ck_assert_uint_eq(later.records_size, read->schedules[0].records_size);
    ck_assert_uint_eq(later.more.checkpoints_count, 0);
    msg_append_fini(&later);
    msg_append_fini(&append);
}
END_TEST

START_TEST(effects_are_left_out_at_the_end)
{
    struct slice name = slice_of("n");
    struct msg_fence lease = {name, 1};
    struct msg_checkpoint checkpoint = {name, 1, false, 0, 1};
    struct msg_append_more more = {.checkpoints = &checkpoint,
                                   .checkpoints_count = 1};

    ck_assert_int_eq(try_more(&more), ACTA_OK);
    ck_assert_uint_eq(body().data[0], 0x96);
    more.leases = &lease;
    more.leases_count = 1;
    ck_assert_int_eq(try_more(&more), ACTA_OK);
    ck_assert_uint_eq(body().data[0], 0x97);
    more.cancellations = &name;
    more.cancellations_count = 1;
    ck_assert_int_eq(try_more(&more), ACTA_OK);
    ck_assert_uint_eq(body().data[0], 0x9a);
}
END_TEST

START_TEST(the_first_wrong_lease_is_told)
{
    struct msg_fence leases[] = {{slice_of("\xff"), 1}, {slice_of("a"), 1}};
    struct msg_checkpoint checkpoint = {slice_of("c"), 1, false, 0, 1};
    struct msg_append_more more = {.checkpoints = &checkpoint,
                                   .checkpoints_count = 1,
                                   .leases = leases,
                                   .leases_count = 2};

    ck_assert_int_eq(try_more(&more), ACTA_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "lease 0"));
}
END_TEST

/* @count cancellations of different names, or one less and a twin. */
static enum acta_code
try_cancellations(size_t count, bool twin)
{
    struct slice *names = calloc(count, sizeof(*names));
    char(*texts)[16] = calloc(count, sizeof(*texts));
    struct msg_append_more more = {.cancellations = names,
                                   .cancellations_count = count};
    enum acta_code code;

    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof(texts[i]), "n-%zu",
                 twin && i == count - 1 ? 0 : i);
        names[i] = slice_of(texts[i]);
    }
    code = try_more(&more);
    free(names);
    free(texts);
    return code;
}

START_TEST(effects_are_bounded_together)
{
    struct msg_checkpoint checkpoint = {slice_of("c"), 1, false, 0, 1};
    struct slice *names = calloc(ACTA_APPEND_EFFECTS_MAX, sizeof(*names));
    struct msg_append_more more = {.checkpoints = &checkpoint,
                                   .checkpoints_count = 1,
                                   .cancellations = names,
                                   .cancellations_count =
                                       ACTA_APPEND_EFFECTS_MAX};

    ck_assert_int_eq(try_cancellations(ACTA_APPEND_EFFECTS_MAX, false),
                     ACTA_OK);
    ck_assert_int_eq(try_cancellations(ACTA_APPEND_EFFECTS_MAX + 1, false),
                     ACTA_TOO_LARGE);
    ck_assert_int_eq(try_more(&more), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "append has more than 1000 checkpoints, leases, "
                               "snapshots, schedules and cancellations");
    free(names);
}
END_TEST

START_TEST(name_is_in_a_list_once)
{
    struct slice name = slice_of("a");
    struct msg_checkpoint checkpoints[] = {{name, 1, false, 0, 1},
                                           {name, 2, false, 0, 2}};
    struct msg_fence leases[] = {{name, 1}, {name, 1}};
    struct msg_snapshot snapshots[] = {{name, 1, 1, false, name},
                                       {.stream = name, .is_removed = true}};
    struct msg_schedule schedules[] = {{.name = name}, {.name = name}};
    struct msg_append_more all[] = {
        {.checkpoints = checkpoints, .checkpoints_count = 2},
        {.leases = leases,
         .leases_count = 2,
         .checkpoints = checkpoints,
         .checkpoints_count = 1},
        {.snapshots = snapshots, .snapshots_count = 2},
        {.schedules = schedules, .schedules_count = 2},
    };
    static const char *const texts[] = {
        "consumer is in the list twice: a",
        "lease is in the list twice: a",
        "snapshot is in the list twice: a",
        "schedule is in the list twice: a",
    };

    ck_assert_int_eq(try_more(&all[_i]), ACTA_INVALID);
    ck_assert_str_eq(err.text, texts[_i]);
}
END_TEST

START_TEST(cancellation_is_in_its_list_once_however_long_it_is)
{
    ck_assert_int_eq(try_cancellations(2, true), ACTA_INVALID);
    ck_assert_int_eq(try_cancellations(ACTA_APPEND_EFFECTS_MAX, true),
                     ACTA_INVALID);
    ck_assert_str_eq(err.text, "cancellation is in the list twice: n-0");
}
END_TEST

static enum acta_code
try_lease(struct slice name)
{
    struct slice cancelled = slice_of("n");
    struct msg_fence lease = {name, 1};
    struct msg_append_more more = {.leases = &lease,
                                   .leases_count = 1,
                                   .cancellations = &cancelled,
                                   .cancellations_count = 1};

    return try_more(&more);
}

static enum acta_code
try_cancellation(struct slice name)
{
    struct msg_append_more more = {.cancellations = &name,
                                   .cancellations_count = 1};

    return try_more(&more);
}

START_TEST(names_of_effects_are_names)
{
    struct slice names[] = {SLICE_NONE, slice_of("a\nb"),
                            text_of(ACTA_NAME_SIZE_MAX),
                            text_of(ACTA_NAME_SIZE_MAX + 1)};
    static const enum acta_code codes[] = {ACTA_INVALID, ACTA_INVALID, ACTA_OK,
                                           ACTA_TOO_LARGE};
    struct slice name = names[_i];

    ck_assert_int_eq(
        try_checkpoint((struct msg_checkpoint){name, 1, false, 0, 0}),
        codes[_i]);
    ck_assert_int_eq(try_lease(name), codes[_i]);
    ck_assert_int_eq(
        try_snapshot((struct msg_snapshot){name, 1, 1, false, SLICE_NONE}),
        codes[_i]);
    ck_assert_int_eq(try_schedule((struct msg_schedule){.name = name}),
                     codes[_i]);
    ck_assert_int_eq(try_cancellation(name), codes[_i]);
}
END_TEST

START_TEST(checkpoint_does_not_go_back)
{
    struct slice name = slice_of("c");

    ck_assert_int_eq(
        try_checkpoint((struct msg_checkpoint){name, 1, true, 5, 5}), ACTA_OK);
    ck_assert_int_eq(
        try_checkpoint((struct msg_checkpoint){name, 1, true, 5, 4}),
        ACTA_INVALID);
    ck_assert_str_eq(err.text, "checkpoint 0: it goes back from 5 to 4");
}
END_TEST

START_TEST(snapshot_is_of_a_version_and_bounded)
{
    struct msg_snapshot snapshot = {slice_of("s"), 1, 0, false,
                                    text_of(ACTA_SNAPSHOT_SIZE_MAX)};

    ck_assert_int_eq(try_snapshot(snapshot), ACTA_OK);
    snapshot.data.size++;
    ck_assert_int_eq(try_snapshot(snapshot), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "snapshot 0: it is 16777217 bytes, the limit is "
                               "16777216");
    snapshot = (struct msg_snapshot){slice_of("s"), 0, 1, false, SLICE_NONE};
    ck_assert_int_eq(try_snapshot(snapshot), ACTA_INVALID);
    ck_assert_str_eq(err.text, "snapshot 0: version must be at least 1");
}
END_TEST

/* Four snapshots of 16 MiB are all that an append may bring. */
START_TEST(all_that_an_append_brings_is_bounded_together)
{
    struct msg_snapshot snapshots[] = {
        {slice_of("a"), 1, 1, false, text_of(ACTA_SNAPSHOT_SIZE_MAX)},
        {slice_of("b"), 1, 1, false, text_of(ACTA_SNAPSHOT_SIZE_MAX)},
        {slice_of("c"), 1, 1, false, text_of(ACTA_SNAPSHOT_SIZE_MAX)},
        {slice_of("d"), 1, 1, false, SLICE_NONE},
    };
    struct msg_schedule schedule = {.name = slice_of("n"),
                                    .writes = writes_of(1, 1000)};
    struct msg_append_more more = {.snapshots = snapshots,
                                   .snapshots_count = 4,
                                   .schedules = &schedule,
                                   .schedules_count = 1};

    snapshots[3].data = text_of(ACTA_SNAPSHOT_SIZE_MAX - schedule.writes.size);
    ck_assert_int_eq(try_more(&more), ACTA_OK);
    snapshots[3].data.size++;
    ck_assert_int_eq(try_more(&more), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text,
                     "append is 67108865 bytes, the limit is 67108864");
}
END_TEST

START_TEST(schedule_is_due_within_reason)
{
    struct msg_schedule schedule = {.name = slice_of("n"),
                                    .due_us = ACTA_DUE_US_MAX};

    ck_assert_int_eq(try_schedule(schedule), ACTA_OK);
    schedule.due_us++;
    ck_assert_int_eq(try_schedule(schedule), ACTA_TOO_LARGE);
}
END_TEST

START_TEST(writes_of_a_schedule_are_those_of_an_append)
{
    static const struct {
        const char *writes;
        enum acta_code code;
        const char *text;
    } cases[] = {
        {"90", ACTA_INVALID, "schedule 0: 0 writes, must be at least 1"},
        {"91 93 a173 00 90", ACTA_INVALID,
         "schedule 0: write 0: 0 events, must be at least 1"},
        {"91 93 a0 00 91 90", ACTA_INVALID,
         "schedule 0: write 0: stream is empty"},
        {"91 93 a173 fd 91 90", ACTA_INVALID,
         "schedule 0: write 0: expected version is -3, must be a version, -1 "
         "for any or -2 for exists"},
        {"91 94 a173 00 91 90 c0", ACTA_UNSUPPORTED,
         "schedule 0: write 0: write has 4 fields, must have 3"},
        {"05", ACTA_INVALID,
         "schedule 0: writes must be an array, is a number"},
    };
    struct msg_schedule schedule = {.name = slice_of("n"),
                                    .writes = hex(cases[_i].writes)};

    ck_assert_int_eq(try_schedule(schedule), cases[_i].code);
    ck_assert_str_eq(err.text, cases[_i].text);
}
END_TEST

START_TEST(writes_that_are_cut_short_are_told)
{
    struct msg_append append;

    ck_assert_int_eq(msg_writes_decode(&append, hex("91 93 a173 00"), &err),
                     ACTA_PROTOCOL);
}
END_TEST

START_TEST(each_schedule_has_the_limits_of_an_append)
{
    struct msg_schedule schedules[2] = {{.name = slice_of("a")},
                                        {.name = slice_of("b")}};
    struct msg_append_more more = {.schedules = schedules,
                                   .schedules_count = 2};

    schedules[0].writes = schedules[1].writes =
        writes_of(ACTA_APPEND_EVENTS_MAX, 0);
    ck_assert_msg(try_more(&more) == ACTA_OK, "%s", err.text);
    schedules[1].writes = writes_of(ACTA_APPEND_EVENTS_MAX + 1, 0);
    schedules[0].writes = SLICE_NONE;
    ck_assert_int_eq(try_more(&more), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "schedule 1: 10001 writes, the limit is 10000");
}
END_TEST

/* Tags of an event that is scheduled are as deep as anything may be. */
START_TEST(event_that_is_scheduled_has_tags)
{
    struct slice tag = slice_of("t");
    struct event event = {.type = slice_of("T"), .id = id};
    struct msg_schedule schedule = {.name = slice_of("n")};
    struct slice bytes;

    pack_array(&writes, 1);
    msg_append_write(&writes, slice_of("s"), 0, 1);
    event_encode_content(&writes, &event, &tag, 1);
    schedule.writes = buf_slice(&writes);
    ck_assert_msg(try_schedule(schedule) == ACTA_OK, "%s", err.text);
    bytes = body();
    ck_assert_int_eq(pack_scan(bytes, ACTA_DEPTH_MAX, &err), ACTA_OK);
    ck_assert_int_eq(pack_scan(bytes, ACTA_DEPTH_MAX - 1, &err), ACTA_PROTOCOL);
}
END_TEST

/* Its arrays, a schedule's writes and their expectations, and what names are
 * compared in: whichever there is no memory for, all the rest is freed.
 */
START_TEST(append_without_memory_for_its_effects_is_refused)
{
    struct slice names[] = {slice_of("a"), slice_of("b")};
    struct msg_schedule schedule = {.name = slice_of("n"),
                                    .writes = writes_of(2, 0)};
    struct msg_append_more more = {.schedules = &schedule,
                                   .schedules_count = 1,
                                   .cancellations = names,
                                   .cancellations_count = 2};
    struct msg_append append;
    enum acta_code code;
    struct slice bytes;

    ck_assert_int_eq(try_more(&more), ACTA_OK);
    bytes = body();
    for (int fail_after = 0; fail_after < 4; fail_after++) {
        alloc_fail_after = fail_after;
        code = msg_append_decode(&append, bytes, NULL);
        alloc_reset();
        ck_assert_int_eq(code, ACTA_MEMORY);
        ck_assert_ptr_null(append.memory);
    }
    ck_assert_int_eq(msg_append_decode(&append, bytes, NULL), ACTA_OK);
    msg_append_fini(&append);
}
END_TEST

/* Claims are checked before memory is spent on them. */
START_TEST(effects_are_not_claimed_that_there_are_no_bytes_for)
{
    static const char *const bodies[] = {
        "96 90 c0 c0 c0 c0 ddffffffff",
        "97 90 c0 c0 c0 c0 c0 ddffffffff",
        "98 90 c0 c0 c0 c0 c0 c0 ddffffffff",
        "99 90 c0 c0 c0 c0 c0 c0 c0 91 94 a16e 01 c2 ddffffffff",
        "9a 90 c0 c0 c0 c0 c0 c0 c0 c0 ddffffffff",
    };
    struct slice bytes = hex(bodies[_i]);
    struct msg_append append;
    enum acta_code code;
    size_t calls;

    alloc_reset();
    code = msg_append_decode(&append, bytes, &err);
    calls = alloc_calls;
    ck_assert_int_eq(code, ACTA_PROTOCOL);
    ck_assert_uint_eq(calls, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("msg_effects");
    TCase *tcase = tcase_create("msg_effects");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, append_without_writes_does_something_else);
    tcase_add_test(tcase, decoded_append_knows_its_effects);
    tcase_add_test(tcase, effects_are_left_out_at_the_end);
    tcase_add_test(tcase, the_first_wrong_lease_is_told);
    tcase_add_test(tcase, effects_are_bounded_together);
    tcase_add_loop_test(tcase, name_is_in_a_list_once, 0, 4);
    tcase_add_test(tcase, cancellation_is_in_its_list_once_however_long_it_is);
    tcase_add_loop_test(tcase, names_of_effects_are_names, 0, 4);
    tcase_add_test(tcase, checkpoint_does_not_go_back);
    tcase_add_test(tcase, snapshot_is_of_a_version_and_bounded);
    tcase_add_test(tcase, all_that_an_append_brings_is_bounded_together);
    tcase_add_test(tcase, schedule_is_due_within_reason);
    tcase_add_loop_test(tcase, writes_of_a_schedule_are_those_of_an_append, 0,
                        6);
    tcase_add_test(tcase, writes_that_are_cut_short_are_told);
    tcase_add_test(tcase, each_schedule_has_the_limits_of_an_append);
    tcase_add_test(tcase, event_that_is_scheduled_has_tags);
    tcase_add_test(tcase, append_without_memory_for_its_effects_is_refused);
    tcase_add_loop_test(
        tcase, effects_are_not_claimed_that_there_are_no_bytes_for, 0, 5);
    return run_suite(suite);
}
