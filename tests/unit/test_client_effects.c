/* Appends that have effects: what they say on the wire, and what is refused
 * before it is sent.
 */

#include <acta/acta.h>
#include <stdio.h>

#include "append.h"
#include "limit.h"
#include "run.h"

static struct acta_append *append;
static struct msg_append decoded;
static struct buf frame;

/* What the server would read. */
static const struct msg_append_more *
read_back(void)
{
    struct acta_err err = {ACTA_OK, ""};
    struct frame read;
    size_t used;

    ck_assert_int_eq(acta_append_check(append, &err), ACTA_OK);
    append_encode(append, &frame, 1);
    ck_assert(!buf_failed(&frame));
    ck_assert_int_eq(frame_decode(&read, &used, buf_slice(&frame),
                                  ACTA_FRAME_SIZE_MAX, NULL),
                     ACTA_OK);
    ck_assert_msg(msg_append_decode(&decoded, read.body, &err) == ACTA_OK, "%s",
                  err.text);
    return &decoded.more;
}

static void
add_event(struct acta_append *to, const char *stream)
{
    struct acta_draft draft = acta_draft_of("T", "data", 4);

    acta_append_stream(to, stream, ACTA_EXPECT_ANY);
    acta_append_event(to, &draft);
}

static void
expect_wrong(enum acta_code code)
{
    struct acta_err err;

    ck_assert_int_eq(acta_append_check(append, &err), code);
    acta_append_clear(append);
}

static void
setup(void)
{
    append = acta_append_new();
    ck_assert_ptr_nonnull(append);
    memset(&decoded, 0, sizeof(decoded));
    buf_init(&frame, 2 * (size_t)ACTA_FRAME_SIZE_MAX);
}

static void
teardown(void)
{
    acta_append_free(append);
    msg_append_fini(&decoded);
    buf_fini(&frame);
}

START_TEST(all_effects_travel_with_the_events)
{
    struct acta_append *later = acta_append_new();
    const struct msg_append_more *more;

    add_event(later, "order-1");
    add_event(append, "s-1");
    acta_append_checkpoint(append, "payments", 5, 10, 12);
    acta_append_checkpoint(append, "others", 6, ACTA_FROM_ANY, 13);
    acta_append_lease(append, "lock", 7);
    acta_append_snapshot(append, "s-1", 1, 2, "state", 5);
    acta_append_remove_snapshot(append, "s-2");
    acta_append_schedule(append, "at", 1000, later);
    acta_append_schedule_in(append, "in", 60, later);
    acta_append_move_schedule(append, "moved", 2000);
    acta_append_move_schedule_in(append, "moved in", 70);
    acta_append_cancel(append, "gone");
    acta_append_free(later);

    more = read_back();
    ck_assert_uint_eq(more->checkpoints_count, 2);
    ck_assert(slice_equal(more->checkpoints[0].consumer, slice_of("payments")));
    ck_assert_uint_eq(more->checkpoints[0].epoch, 5);
    ck_assert(more->checkpoints[0].has_from);
    ck_assert_uint_eq(more->checkpoints[0].from, 10);
    ck_assert_uint_eq(more->checkpoints[0].to, 12);
    ck_assert(!more->checkpoints[1].has_from);
    ck_assert_uint_eq(more->leases_count, 1);
    ck_assert_uint_eq(more->leases[0].fence, 7);
    ck_assert_uint_eq(more->snapshots_count, 2);
    ck_assert(slice_equal(more->snapshots[0].data, slice_of("state")));
    ck_assert_uint_eq(more->snapshots[0].version, 1);
    ck_assert_uint_eq(more->snapshots[0].schema, 2);
    ck_assert(more->snapshots[1].is_removed);
    ck_assert_uint_eq(more->schedules_count, 4);
    ck_assert_uint_eq(more->schedules[0].due_us, 1000);
    ck_assert(!more->schedules[0].is_delay);
    ck_assert_uint_eq(more->schedules[0].events_count, 1);
    ck_assert_uint_eq(more->schedules[1].due_us, 60000);
    ck_assert(more->schedules[1].is_delay);
    ck_assert_uint_eq(more->schedules[2].writes.size, 0);
    ck_assert_uint_eq(more->schedules[3].due_us, 70000);
    ck_assert_uint_eq(more->cancellations_count, 1);
    ck_assert(slice_equal(more->cancellations[0], slice_of("gone")));
}
END_TEST

START_TEST(effects_need_no_events_but_a_lease_does)
{
    acta_append_checkpoint(append, "payments", 5, 10, 12);
    ck_assert_uint_eq(read_back()->checkpoints_count, 1);
    ck_assert_uint_eq(decoded.writes_count, 0);
    acta_append_clear(append);
    expect_wrong(ACTA_INVALID);
    acta_append_lease(append, "lock", 7);
    expect_wrong(ACTA_INVALID);
}
END_TEST

START_TEST(empty_snapshot_is_no_removal)
{
    acta_append_snapshot(append, "s-1", 1, 2, NULL, 0);
    ck_assert_uint_eq(read_back()->snapshots_count, 1);
    ck_assert(!decoded.more.snapshots[0].is_removed);
    ck_assert_uint_eq(decoded.more.snapshots[0].data.size, 0);
}
END_TEST

START_TEST(what_is_scheduled_has_writes_and_nothing_else)
{
    struct acta_append *later = acta_append_new();
    struct acta_id id = {{1}};

    acta_append_schedule(append, "empty", 1, later);
    expect_wrong(ACTA_INVALID);
    acta_append_schedule(append, "none", 1, NULL);
    expect_wrong(ACTA_MEMORY);

    add_event(later, "s-1");
    acta_append_command_id(later, &id);
    acta_append_schedule(append, "command", 1, later);
    expect_wrong(ACTA_INVALID);

    acta_append_clear(later);
    add_event(later, "s-1");
    acta_append_check_stream(later, "s-2", 1);
    acta_append_schedule(append, "check", 1, later);
    expect_wrong(ACTA_INVALID);

    acta_append_clear(later);
    add_event(later, "s-1");
    acta_append_cancel(later, "other");
    acta_append_schedule(append, "effect", 1, later);
    expect_wrong(ACTA_INVALID);
    acta_append_free(later);
}
END_TEST

START_TEST(limits_are_told_before_it_is_sent)
{
    static char data[ACTA_SNAPSHOT_SIZE_MAX + 1];
    char name[ACTA_NAME_SIZE_MAX + 2];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    acta_append_checkpoint(append, name, 1, 1, 1);
    expect_wrong(ACTA_TOO_LARGE);
    acta_append_cancel(append, "");
    expect_wrong(ACTA_INVALID);
    acta_append_lease(append, NULL, 1);
    expect_wrong(ACTA_INVALID);
    acta_append_snapshot(append, "s-1", 1, 1, data, sizeof(data));
    expect_wrong(ACTA_TOO_LARGE);
    acta_append_move_schedule(append, "late", ACTA_DUE_US_MAX + 1);
    expect_wrong(ACTA_TOO_LARGE);
    acta_append_move_schedule_in(append, "late", UINT64_MAX);
    expect_wrong(ACTA_TOO_LARGE);
    for (int i = 0; i <= ACTA_APPEND_EFFECTS_MAX; i++) {
        snprintf(name, sizeof(name), "%d", i);
        acta_append_cancel(append, name);
    }
    expect_wrong(ACTA_TOO_LARGE);
}
END_TEST

START_TEST(no_append_has_no_effects)
{
    acta_append_checkpoint(NULL, "c", 1, 1, 1);
    acta_append_lease(NULL, "l", 1);
    acta_append_snapshot(NULL, "s", 1, 1, "", 0);
    acta_append_remove_snapshot(NULL, "s");
    acta_append_schedule(NULL, "s", 1, append);
    acta_append_move_schedule(NULL, "s", 1);
    acta_append_cancel(NULL, "s");
    ck_assert_int_eq(acta_append_check(NULL, NULL), ACTA_MEMORY);
}
END_TEST

START_TEST(clearing_forgets_the_effects)
{
    acta_append_checkpoint(append, "payments", 5, 10, 12);
    acta_append_snapshot(append, "s-1", 1, 2, "state", 5);
    acta_append_clear(append);
    ck_assert_uint_eq(acta_append_size(append), 0);
    add_event(append, "s-1");
    ck_assert_uint_eq(read_back()->checkpoints_count, 0);
    ck_assert_uint_eq(decoded.more.snapshots_count, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client effects");
    TCase *tcase = tcase_create("client effects");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, all_effects_travel_with_the_events);
    tcase_add_test(tcase, effects_need_no_events_but_a_lease_does);
    tcase_add_test(tcase, empty_snapshot_is_no_removal);
    tcase_add_test(tcase, what_is_scheduled_has_writes_and_nothing_else);
    tcase_add_test(tcase, limits_are_told_before_it_is_sent);
    tcase_add_test(tcase, no_append_has_no_effects);
    tcase_add_test(tcase, clearing_forgets_the_effects);
    return run_suite(suite);
}
