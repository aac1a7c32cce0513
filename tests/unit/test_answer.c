/* Answers to appends and changes that a database has refused or done. */

#include "fake_database.h"
#include "limit.h"
#include "msg.h"
#include "run.h"
#include "session_fixture.h"

static void
say_change(uint64_t id, const char *stream, int64_t expected)
{
    struct msg_change change = {
        .stream = slice_of(stream), .expected = expected, .kind = MSG_DELETE};

    msg_change_encode(&in, id, &change);
}

/* An append that may only be if no event of this type is behind @after. */
static void
say_append_if_none(uint64_t id, const char *type, uint64_t after,
                   const struct msg_bounds *unseen)
{
    struct slice text = slice_of(type);
    struct query_item item = {.fields[QUERY_TYPES] = {&text, 1, NULL, 0}};
    struct msg_condition condition = {{&item, 1, NULL}, after};
    struct msg_append_more more = {
        .conditions = &condition, .conditions_count = 1, .unseen = *unseen};
    size_t start = msg_append_begin(&in, id, 1);
    uint8_t event_id[16] = {0xff, (uint8_t)id};
    struct event event = {.type = text, .id = event_id};

    msg_append_write(&in, slice_of("order-9"), MSG_EXPECT_ANY, 1);
    event_encode_content(&in, &event, NULL, 0);
    msg_append_end(&in, start, &more);
}

START_TEST(refusal_tells_every_failure)
{
    struct msg_error error;

    greet();
    say_append(2, "order-1", 5);
    feed();
    commit();
    error = expect_error(2, ACTA_CONFLICT);
    ck_assert_uint_eq(error.failures_count, 1);
    ck_assert_int_eq(error.failures[0].expected, 5);
    ck_assert_uint_eq(error.failures[0].actual, 0);
}
END_TEST

START_TEST(change_of_a_stream_is_answered_when_it_is_committed)
{
    struct msg_changed changed;
    struct frame frame;

    greet();
    say_append(2, "order-1", 0);
    say_change(3, "order-1", 1);
    feed();
    expect_nothing();
    ck_assert_uint_eq(session.jobs_count, 2);
    commit();
    expect(OP_APPENDED, 2);
    frame = expect(OP_CHANGED, 3);
    ck_assert_int_eq(msg_changed_decode(&changed, frame.body, &err), ACTA_OK);
    ck_assert_uint_eq(changed.version, 1);
    ck_assert_uint_eq(changed.head, 1);
    ck_assert(changed.changed);
    ck_assert_uint_eq(session.jobs_count, 0);
    ck_assert_uint_eq(session.jobs_size, 0);
}
END_TEST

START_TEST(change_that_is_refused_tells_why)
{
    struct msg_error error;

    greet();
    say_change(3, "order-1", 7);
    feed();
    commit();
    error = expect_error(3, ACTA_CONFLICT);
    ck_assert_uint_eq(error.failures_count, 1);
    ck_assert_int_eq(error.failures[0].expected, 7);
    ck_assert_uint_eq(error.failures[0].actual, 0);
    ck_assert(!error.has_unseen);
}
END_TEST

/* ---- what a refused append has not seen ---- */

static const struct msg_bounds ten = {.events_max = 10};

START_TEST(refusal_brings_what_was_not_seen)
{
    struct msg_error error;

    greet();
    store(5);
    say_append_if_none(6, "T", 2, &ten);
    feed();
    commit();
    pump();
    error = expect_error(6, ACTA_CONFLICT);
    ck_assert_uint_eq(error.failures_count, 1);
    ck_assert_uint_eq(error.failures[0].actual, 3);
    ck_assert(error.has_unseen);
    ck_assert(error.unseen_complete);
    ck_assert_uint_eq(error.unseen_head, 5);
    ck_assert_uint_eq(error.unseen_count, 3);
    ck_assert_uint_eq(session.jobs_count, 0);
    ck_assert_uint_eq(session.jobs_size, 0);
}
END_TEST

START_TEST(refusal_brings_no_more_than_was_asked_for)
{
    struct msg_bounds two = {.events_max = 2};
    struct msg_bounds small = {.events_max = 10, .bytes_max = 1};
    struct msg_error error;

    greet();
    store(5);
    say_append_if_none(6, "T", 0, &two);
    say_append_if_none(7, "T", 0, &small);
    feed();
    commit();
    pump();
    error = expect_error(6, ACTA_CONFLICT);
    ck_assert_uint_eq(error.unseen_count, 2);
    ck_assert(!error.unseen_complete);
    error = expect_error(7, ACTA_CONFLICT);
    ck_assert_uint_eq(error.unseen_count, 1);
    ck_assert(!error.unseen_complete);
}
END_TEST

/* The database holds twice as many; a page of reads would bring them all. */
START_TEST(refusal_brings_no_more_than_the_server_gives)
{
    struct msg_bounds all = {.events_max = UINT64_MAX, .bytes_max = UINT64_MAX};
    struct msg_error error;

    greet();
    say_append_of(5, "order-1", 0, 2 * ACTA_UNSEEN_EVENTS_MAX, 0);
    feed();
    commit();
    expect(OP_APPENDED, 5);
    say_append_if_none(6, "T", 0, &all);
    feed();
    commit();
    pump();
    error = expect_error(6, ACTA_CONFLICT);
    ck_assert_uint_eq(error.unseen_count, ACTA_UNSEEN_EVENTS_MAX);
    ck_assert_uint_le(error.unseen.size, ACTA_UNSEEN_SIZE_MAX);
    ck_assert(!error.unseen_complete);
}
END_TEST

START_TEST(refusal_that_nobody_asked_about_brings_nothing)
{
    struct msg_bounds none = {0};
    struct msg_error error;

    greet();
    store(5);
    fake_database.reads = 0;
    say_append_if_none(6, "T", 0, &none);
    feed();
    commit();
    error = expect_error(6, ACTA_CONFLICT);
    ck_assert(!error.has_unseen);
    ck_assert_uint_eq(fake_database.reads, 0);
}
END_TEST

START_TEST(refusal_is_true_without_events_that_cannot_be_read)
{
    struct msg_error error;

    greet();
    store(5);
    fake_database.broken_at = 4;
    say_append_if_none(6, "T", 2, &ten);
    feed();
    commit();
    pump();
    error = expect_error(6, ACTA_CONFLICT);
    ck_assert_uint_eq(error.failures_count, 1);
    ck_assert(!error.has_unseen);
    expect_nothing();
}
END_TEST

/* A page of reads each, so they come one a turn, and none while output waits.
 */
START_TEST(refusals_with_events_wait_while_output_is_not_taken)
{
    greet();
    store(40);
    for (uint64_t i = 0; i < 5; i++) {
        say_append_if_none(10 + i, "T", 0, &(struct msg_bounds){1000, 0});
    }
    feed();
    commit();
    expect_nothing();
    ck_assert(session_has_work(&session));
    pump();
    ck_assert_uint_eq(session.jobs_count, 3);
    ck_assert(!session_has_work(&session));
    expect_error(10, ACTA_CONFLICT);
    expect_error(11, ACTA_CONFLICT);
    expect_nothing();
    ck_assert(session_has_work(&session));
    pump();
    expect_error(12, ACTA_CONFLICT);
    expect_error(13, ACTA_CONFLICT);
    pump();
    expect_error(14, ACTA_CONFLICT);
    ck_assert_uint_eq(session.jobs_count, 0);
}
END_TEST

START_TEST(refusal_with_events_is_sent_though_the_peer_says_nothing_more)
{
    greet();
    store(5);
    say_append_if_none(6, "T", 2, &ten);
    feed();
    session_end_input(&session);
    commit();
    ck_assert(session_has_work(&session));
    pump();
    expect_error(6, ACTA_CONFLICT);
    ck_assert(!session_has_work(&session));
}
END_TEST

/* What the session keeps is freed with it: the sanitizer tells. */
START_TEST(session_may_end_with_answers_that_wait)
{
    greet();
    store(5);
    say_append_if_none(6, "T", 2, &ten);
    say_append_if_none(7, "T", 2, &ten);
    feed();
    commit();
    ck_assert_uint_eq(session.jobs_count, 2);
    expect_nothing();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("answer");
    TCase *tcase = tcase_create("answer");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, session_setup, session_teardown);
    tcase_add_test(tcase, refusal_tells_every_failure);
    tcase_add_test(tcase, change_of_a_stream_is_answered_when_it_is_committed);
    tcase_add_test(tcase, change_that_is_refused_tells_why);
    tcase_add_test(tcase, refusal_brings_what_was_not_seen);
    tcase_add_test(tcase, refusal_brings_no_more_than_was_asked_for);
    tcase_add_test(tcase, refusal_brings_no_more_than_the_server_gives);
    tcase_add_test(tcase, refusal_that_nobody_asked_about_brings_nothing);
    tcase_add_test(tcase, refusal_is_true_without_events_that_cannot_be_read);
    tcase_add_test(tcase, refusals_with_events_wait_while_output_is_not_taken);
    tcase_add_test(
        tcase, refusal_with_events_is_sent_though_the_peer_says_nothing_more);
    tcase_add_test(tcase, session_may_end_with_answers_that_wait);
    return run_suite(suite);
}
