/* Sessions in front of a database that commits when the test says so. */

#include <string.h>

#include "fake_database.h"
#include "frame.h"
#include "limit.h"
#include "msg.h"
#include "msg_backup.h"
#include "rnd.h"
#include "run.h"
#include "session_fixture.h"

/* ---- hello ---- */

START_TEST(hello_is_answered_with_welcome)
{
    struct msg_welcome welcome;
    struct frame frame;

    say_hello();
    feed();
    frame = expect(OP_WELCOME, 1);
    ck_assert_int_eq(msg_welcome_decode(&welcome, frame.body, &err), ACTA_OK);
    ck_assert_uint_eq(welcome.protocol, PROTOCOL_VERSION);
    ck_assert(slice_equal(welcome.server_version, slice_of("9.9.9")));
    ck_assert(slice_equal(welcome.database, slice_of("main")));
    ck_assert_uint_eq(welcome.limits.requests_max, 100);
    ck_assert_int_eq(session.state, SESSION_READY);
}
END_TEST

static const struct {
    struct {
        uint64_t min, max;
        const char *database;
    } hello;
    enum acta_code code;
} hellos[] = {
    {{1, 1, "main"}, ACTA_OK},       {{0, 9, "main"}, ACTA_OK},
    {{1, 1, ""}, ACTA_OK},           {{1, 1, "other"}, ACTA_NOT_FOUND},
    {{1, 1, "mai"}, ACTA_NOT_FOUND}, {{2, 9, ""}, ACTA_UNSUPPORTED},
    {{0, 0, ""}, ACTA_UNSUPPORTED},  {{2, 1, ""}, ACTA_INVALID},
    {{1, 1, "a\n"}, ACTA_INVALID},
};

START_TEST(hello_is_checked)
{
    struct msg_hello hello = {hellos[_i].hello.min, hellos[_i].hello.max,
                              slice_of("test"),
                              slice_of(hellos[_i].hello.database)};

    msg_hello_encode(&in, 5, &hello);
    feed();
    if (hellos[_i].code == ACTA_OK) {
        expect(OP_WELCOME, 5);
        ck_assert_int_eq(session.state, SESSION_READY);
    } else {
        expect_error(5, hellos[_i].code);
        ck_assert_int_eq(session.state, SESSION_OVER);
    }
}
END_TEST

START_TEST(anything_before_hello_ends_it)
{
    msg_empty_encode(&in, OP_PING, 3);
    say_hello();
    feed();
    expect_error(3, ACTA_PROTOCOL);
    expect_nothing();
    ck_assert_int_eq(session.state, SESSION_OVER);
    ck_assert_uint_eq(buf_size(&in), 0);
}
END_TEST

START_TEST(stranger_may_not_send_large_frames)
{
    uint8_t header[FRAME_HEADER_SIZE] = {FRAME_MAGIC, OP_HELLO};

    header[6] = (ACTA_HELLO_SIZE_MAX + 1) >> 8;
    header[7] = (ACTA_HELLO_SIZE_MAX + 1) & 255;
    buf_append(&in, header, sizeof(header));
    feed();
    expect_error(0, ACTA_TOO_LARGE);
    ck_assert_int_eq(session.state, SESSION_OVER);
}
END_TEST

START_TEST(second_hello_is_refused_and_the_session_goes_on)
{
    greet();
    say_hello();
    msg_empty_encode(&in, OP_PING, 2);
    feed();
    expect_error(1, ACTA_PROTOCOL);
    expect(OP_PONG, 2);
}
END_TEST

/* ---- frames and requests ---- */

START_TEST(requests_split_at_every_byte_are_answered_all_the_same)
{
    greet();
    msg_empty_encode(&in, OP_PING, 2);
    msg_empty_encode(&in, OP_STATUS, 3);
    for (size_t size = 1; buf_size(&in) > 0; size++) {
        struct slice all = buf_slice(&in);
        size_t used;

        ck_assert_uint_le(size, all.size);
        used = session_feed(&session, slice_make(all.data, size));
        buf_consume(&in, used);
        size -= used;
    }
    expect(OP_PONG, 2);
    expect(OP_STATUS_REPLY, 3);
    expect_nothing();
}
END_TEST

START_TEST(wrong_request_is_an_error_and_the_next_is_served)
{
    static const uint8_t kinds[] = {
        OP_PING,     OP_STATUS,      OP_APPEND,       OP_READ_STREAM,
        OP_READ_ALL, OP_READ_EVENT,  OP_LIST_STREAMS, OP_SUBSCRIBE,
        OP_CREDIT,   OP_UNSUBSCRIBE,
    };

    greet();
    for (size_t i = 0; i < sizeof(kinds); i++) {
        size_t start = frame_begin(&in, kinds[i], 7);

        pack_text(&in, "not an array");
        frame_end(&in, start);
        feed();
        next_frame();
        ck_assert_int_eq(session.state, SESSION_READY);
        expect_nothing();
    }
    msg_empty_encode(&in, OP_PING, 8);
    feed();
    expect(OP_PONG, 8);
}
END_TEST

START_TEST(unknown_kind_is_unsupported)
{
    greet();
    msg_empty_encode(&in, 0x7f, 2);
    msg_empty_encode(&in, OP_PAGE, 3);
    msg_empty_encode(&in, 0x00, 4);
    feed();
    expect_error(2, ACTA_UNSUPPORTED);
    expect_error(3, ACTA_PROTOCOL);
    expect_error(4, ACTA_UNSUPPORTED);
    ck_assert_int_eq(session.state, SESSION_READY);
}
END_TEST

START_TEST(broken_frame_ends_it_after_an_error_to_no_request)
{
    greet();
    msg_empty_encode(&in, OP_PING, 2);
    buf_append(&in, "GET / HTTP/1.1\r\n", 16);
    feed();
    expect(OP_PONG, 2);
    expect_error(0, ACTA_PROTOCOL);
    expect_nothing();
    ck_assert_int_eq(session.state, SESSION_OVER);
    ck_assert_uint_eq(buf_size(&in), 0);
}
END_TEST

START_TEST(bytes_of_any_kind_do_no_harm)
{
    struct rnd rnd;

    rnd_init(&rnd);
    for (int round = 0; round < 300; round++) {
        uint8_t bytes[512];

        session_fini(&session);
        buf_clear(&in);
        buf_clear(&out);
        session_init(&session, &host, 42, &out);
        greet();
        rnd_bytes(&rnd, bytes, sizeof(bytes));
        for (size_t at = 0; at + FRAME_HEADER_SIZE < sizeof(bytes);) {
            size_t size = rnd_below(&rnd, 64);

            memset(bytes + at, 0, FRAME_HEADER_SIZE);
            bytes[at] = FRAME_MAGIC;
            bytes[at + 1] = (uint8_t)(rnd_below(&rnd, 0x40));
            bytes[at + 7] = (uint8_t)size;
            at += FRAME_HEADER_SIZE + size;
        }
        buf_append(&in, bytes, sizeof(bytes));
        feed();
        commit();
        pump();
        ck_assert(!buf_failed(&out));
    }
}
END_TEST

/* ---- appends ---- */

START_TEST(append_is_answered_when_it_is_committed)
{
    struct msg_appended appended;
    struct frame frame;
    struct msg_run run;

    greet();
    say_append_of(2, "order-1", 0, 3, 10);
    feed();
    expect_nothing();
    commit();
    frame = expect(OP_APPENDED, 2);
    ck_assert_int_eq(msg_appended_decode(&appended, frame.body, &err), ACTA_OK);
    ck_assert_uint_eq(appended.runs_count, 1);
    run = msg_appended_next(&appended);
    ck_assert_uint_eq(run.first_version, 1);
    ck_assert_uint_eq(run.first_position, 1);
    ck_assert_uint_eq(run.count, 3);
    ck_assert_uint_eq(session.jobs_count, 0);
    ck_assert_uint_eq(session.jobs_size, 0);
}
END_TEST

START_TEST(appends_of_one_session_keep_their_order)
{
    greet();
    for (int i = 0; i < 50; i++) {
        say_append(100 + (uint64_t)i, "order-1", i);
    }
    feed();
    commit();
    for (uint64_t i = 0; i < 50; i++) {
        expect(OP_APPENDED, 100 + i);
    }
}
END_TEST

/* The queue has room for two. The rest waits, in order, and no request behind
 * an append that waits is lost.
 */
START_TEST(full_queue_makes_appends_wait_and_not_fail)
{
    greet();
    fake_database.queue_max = 2;
    for (int i = 0; i < 5; i++) {
        say_append(100 + (uint64_t)i, "order-1", i);
    }
    feed();
    outbox_flush(&outbox, host.database);
    ck_assert(outbox.blocked);
    say_append(105, "order-1", 5);
    msg_empty_encode(&in, OP_PING, 200);
    feed();
    expect_nothing();
    ck_assert(session.left_frame);
    ck_assert(!session_has_work(&session));

    fake_database_commit();
    for (int i = 0; i < 3; i++) {
        commit();
    }
    ck_assert(!outbox.blocked);
    ck_assert(session_has_work(&session));
    feed();
    commit();
    for (uint64_t i = 0; i < 5; i++) {
        expect(OP_APPENDED, 100 + i);
    }
    expect(OP_PONG, 200);
    expect(OP_APPENDED, 105);
    expect_nothing();
}
END_TEST

START_TEST(full_queue_does_not_hold_up_other_requests)
{
    greet();
    fake_database.queue_max = 0;
    say_append(100, "order-1", 0);
    feed();
    outbox_flush(&outbox, host.database);
    ck_assert(outbox.blocked);
    msg_empty_encode(&in, OP_PING, 200);
    say_read_all(201);
    feed();
    expect(OP_PONG, 200);
    expect(OP_PAGE, 201);
}
END_TEST

START_TEST(too_many_appends_in_flight_are_left_unread)
{
    greet();
    for (uint64_t i = 0; i < 101; i++) {
        say_append(100 + i, "order-1", MSG_EXPECT_ANY);
    }
    feed();
    ck_assert_uint_eq(session.jobs_count, 100);
    ck_assert_uint_gt(buf_size(&in), 0);
    ck_assert(!session_takes_input(&session));
    commit();
    ck_assert(session_takes_input(&session));
    ck_assert(session_has_work(&session));
    feed();
    ck_assert_uint_eq(session.jobs_count, 1);
    ck_assert_uint_eq(buf_size(&in), 0);
}
END_TEST

START_TEST(memory_of_appends_in_flight_is_bounded)
{
    greet();
    for (uint64_t i = 0; i < 8; i++) {
        say_append_of(100 + i, "order-1", MSG_EXPECT_ANY, 1, 512 << 10);
    }
    feed();
    ck_assert_uint_eq(session.jobs_count, 2);
    commit();
    feed();
    ck_assert_uint_eq(session.jobs_count, 2);
}
END_TEST

/* ---- reads ---- */

START_TEST(answers_to_reads_stop_at_the_high_mark_and_go_on_at_the_low_one)
{
    size_t answered = 0;

    greet();
    store(40);
    for (uint64_t i = 0; i < 5; i++) {
        say_read_all(i + 10);
    }
    feed();
    /* A page has 40 KiB: the second one is over the mark of 64. */
    expect(OP_PAGE, 10);
    expect(OP_PAGE, 11);
    expect_nothing();
    for (answered = 2; answered < 5; answered++) {
        ck_assert(session_has_work(&session));
        feed();
        expect(OP_PAGE, 10 + answered);
        if (buf_size(&out) > 0) {
            answered++;
            expect(OP_PAGE, 10 + answered);
        }
    }
    expect_nothing();
    ck_assert_uint_eq(buf_size(&in), 0);
}
END_TEST

START_TEST(many_reads_let_others_have_their_turn)
{
    size_t turns = 1;

    greet();
    for (uint64_t i = 0; i < 3 * SESSION_READS; i++) {
        say_read_all(i + 10);
    }
    feed();
    while (session.left_frame) {
        ck_assert(session_has_work(&session));
        feed();
        turns++;
    }
    ck_assert_uint_eq(turns, 3);
    ck_assert_uint_eq(fake_database.reads, 3 * SESSION_READS);
}
END_TEST

START_TEST(damage_is_an_error_and_no_page)
{
    greet();
    store(3);
    fake_database.broken_at = 2;
    say_read_all(5);
    msg_empty_encode(&in, OP_PING, 6);
    feed();
    expect_error(5, ACTA_CORRUPT);
    expect(OP_PONG, 6);
}
END_TEST

START_TEST(stream_is_described)
{
    struct msg_description description;
    struct frame frame;

    greet();
    store(3);
    msg_describe_stream_encode(&in, 5, slice_of("order-1"));
    feed();
    frame = expect(OP_DESCRIPTION, 5);
    ck_assert_int_eq(msg_description_decode(&description, frame.body, &err),
                     ACTA_OK);
    ck_assert_uint_eq(description.stream.version, 3);
    ck_assert(slice_equal(description.stream.name, slice_of("order-1")));
}
END_TEST

static size_t
count_names(enum msg_name_kind kind, uint64_t count_max)
{
    struct msg_list_names list = {.kind = kind, .count_max = count_max};
    struct msg_names names;
    struct frame frame;

    msg_list_names_encode(&in, 5, &list);
    feed();
    frame = expect(OP_NAMES, 5);
    ck_assert_int_eq(msg_names_decode(&names, frame.body, &err), ACTA_OK);
    return names.names_count;
}

START_TEST(names_are_listed_up_to_the_count_that_is_asked_for)
{
    greet();
    store(3);
    ck_assert_uint_eq(count_names(MSG_NAME_TYPE, 0), 3);
    ck_assert_uint_eq(count_names(MSG_NAME_TYPE, 2), 2);
    ck_assert_uint_eq(count_names(MSG_NAME_TYPE, UINT64_MAX), 3);
}
END_TEST

START_TEST(listing_that_fails_is_an_error_and_no_list)
{
    struct msg_list_names list = {.kind = MSG_NAME_TAG};

    greet();
    msg_list_names_encode(&in, 5, &list);
    msg_empty_encode(&in, OP_PING, 6);
    feed();
    expect_error(5, ACTA_UNSUPPORTED);
    expect(OP_PONG, 6);
}
END_TEST

START_TEST(time_is_found)
{
    struct frame frame;
    uint64_t position;

    greet();
    store(3);
    msg_number_encode(&in, OP_FIND_TIME, 5, UINT64_MAX);
    feed();
    frame = expect(OP_FOUND_TIME, 5);
    ck_assert_int_eq(
        msg_number_decode(&position, OP_FOUND_TIME, frame.body, &err), ACTA_OK);
    ck_assert_uint_eq(position, 3);
}
END_TEST

/* ---- backups ---- */

START_TEST(what_is_read_of_a_backup_that_is_none_is_refused)
{
    struct msg_begin_backup begin = {.after = 0};
    struct msg_read_backup read = {.size_max = 100};

    greet();
    msg_begin_backup_encode(&in, 5, &begin);
    msg_read_backup_encode(&in, 6, &read);
    msg_number_encode(&in, OP_END_BACKUP, 7, 1);
    feed();
    expect_error(5, ACTA_BUSY); /* So the database says. */
    expect_error(6, ACTA_NOT_FOUND);
    expect_error(7, ACTA_NOT_FOUND);
}
END_TEST

/* ---- subscriptions ---- */

START_TEST(subscription_gets_history_and_then_live_events)
{
    greet();
    store(2);
    say_subscribe(5, 0, 1 << 20);
    feed();
    expect(OP_SUBSCRIBED, 5);
    pump();
    expect_delivery(5, 2, 2);
    expect(OP_CAUGHT_UP, 5);
    say_append(6, "order-1", MSG_EXPECT_ANY);
    feed();
    commit();
    expect(OP_APPENDED, 6);
    pump();
    expect_delivery(5, 1, 3);
    expect_nothing();
    ck_assert_uint_eq(counter_read(&counters.subscriptions), 1);
}
END_TEST

START_TEST(credit_lets_a_subscription_go_on)
{
    greet();
    store(2);
    say_subscribe(5, 0, 1);
    feed();
    expect(OP_SUBSCRIBED, 5);
    pump();
    expect_delivery(5, 1, 1);
    expect_nothing();
    msg_number_encode(&in, OP_CREDIT, 5, 1 << 20);
    feed();
    pump();
    expect_delivery(5, 1, 2);
    expect(OP_CAUGHT_UP, 5);
}
END_TEST

START_TEST(credit_for_what_has_ended_is_nothing)
{
    greet();
    msg_number_encode(&in, OP_CREDIT, 77, 1000);
    feed();
    expect_nothing();
    ck_assert_int_eq(session.state, SESSION_READY);
}
END_TEST

START_TEST(unsubscribe_tells_where_to_resume)
{
    struct msg_unsubscribed unsubscribed;
    struct frame frame;

    greet();
    store(2);
    say_subscribe(5, 0, 1 << 20);
    feed();
    pump();
    buf_clear(&out);
    msg_number_encode(&in, OP_UNSUBSCRIBE, 6, 5);
    feed();
    frame = expect(OP_UNSUBSCRIBED, 5);
    ck_assert_int_eq(msg_unsubscribed_decode(&unsubscribed, frame.body, &err),
                     ACTA_OK);
    ck_assert_int_eq(unsubscribed.code, ACTA_OK);
    ck_assert_uint_eq(unsubscribed.position, 2);
    msg_number_encode(&in, OP_UNSUBSCRIBE, 7, 5);
    feed();
    expect_error(7, ACTA_NOT_FOUND);
    ck_assert_uint_eq(counter_read(&counters.subscriptions), 0);
}
END_TEST

START_TEST(subscription_that_cannot_be_is_refused)
{
    greet();
    store(2);
    say_subscribe(5, 3, 1);
    feed();
    expect_error(5, ACTA_INVALID);
    say_subscribe(5, 2, 1);
    say_subscribe(5, 2, 1);
    feed();
    expect(OP_SUBSCRIBED, 5);
    expect_error(5, ACTA_INVALID);
}
END_TEST

START_TEST(subscriptions_are_limited_in_number)
{
    greet();
    host.limits.output_high = 1 << 20;
    for (uint64_t i = 0; i <= ACTA_SUBSCRIPTIONS_MAX; i++) {
        say_subscribe(100 + i, 0, 0);
    }
    feed();
    for (uint64_t i = 0; i < ACTA_SUBSCRIPTIONS_MAX; i++) {
        expect(OP_SUBSCRIBED, 100 + i);
    }
    expect_error(100 + ACTA_SUBSCRIPTIONS_MAX, ACTA_TOO_LARGE);
}
END_TEST

START_TEST(subscriptions_take_turns)
{
    greet();
    store(12);
    say_subscribe(5, 0, 1 << 20);
    say_subscribe(6, 0, 1 << 20);
    feed();
    expect(OP_SUBSCRIBED, 5);
    expect(OP_SUBSCRIBED, 6);
    pump();
    /* A step has 4 KiB, and so three events. */
    expect_delivery(5, 3, 3);
    expect_delivery(6, 3, 3);
    expect_delivery(5, 3, 6);
    expect_delivery(6, 3, 6);
}
END_TEST

START_TEST(subscription_waits_while_output_is_not_taken)
{
    greet();
    store(200);
    say_subscribe(5, 0, 1 << 20);
    feed();
    pump();
    ck_assert_uint_gt(buf_size(&out), 64 << 10);
    ck_assert_uint_lt(buf_size(&out), 72 << 10);
    ck_assert(!session_has_work(&session));
    buf_clear(&out);
    ck_assert(session_has_work(&session));
}
END_TEST

START_TEST(one_commit_costs_each_of_a_thousand_subscribers_one_read)
{
    greet();
    host.limits.output_high = 1 << 20;
    host.limits.output_low = 1 << 20;
    for (uint64_t i = 0; i < 1000; i++) {
        say_subscribe(100 + i, 0, 1 << 20);
    }
    feed();
    pump();
    buf_clear(&out);
    fake_database.reads = 0;
    say_append(5, "order-1", 0);
    feed();
    commit();
    expect(OP_APPENDED, 5);
    pump();
    ck_assert_uint_eq(fake_database.reads, 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        next_frame();
    }
    expect_nothing();
}
END_TEST

START_TEST(damage_ends_the_subscription_and_nothing_else)
{
    struct msg_unsubscribed unsubscribed;
    struct frame frame;

    greet();
    store(3);
    fake_database.broken_at = 2;
    say_subscribe(5, 1, 1 << 20);
    feed();
    expect(OP_SUBSCRIBED, 5);
    pump();
    frame = expect(OP_UNSUBSCRIBED, 5);
    ck_assert_int_eq(msg_unsubscribed_decode(&unsubscribed, frame.body, &err),
                     ACTA_OK);
    ck_assert_int_eq(unsubscribed.code, ACTA_CORRUPT);
    ck_assert_uint_eq(unsubscribed.position, 1);
    msg_empty_encode(&in, OP_PING, 6);
    feed();
    expect(OP_PONG, 6);
}
END_TEST

/* ---- the end ---- */

START_TEST(stopping_refuses_new_requests_and_answers_old_ones)
{
    greet();
    say_subscribe(5, 0, 1);
    say_append(6, "order-1", 0);
    feed();
    expect(OP_SUBSCRIBED, 5);
    outbox_flush(&outbox, host.database);
    session_stop(&session);
    expect(OP_UNSUBSCRIBED, 5);
    say_append(7, "order-1", 1);
    msg_empty_encode(&in, OP_PING, 8);
    feed();
    expect_error(7, ACTA_STOPPING);
    expect_error(8, ACTA_STOPPING);
    commit();
    expect(OP_APPENDED, 6);
}
END_TEST

START_TEST(append_that_the_database_no_longer_takes_is_refused)
{
    greet();
    say_append(6, "order-1", 0);
    feed();
    database_stop_appends(host.database);
    commit();
    expect_error(6, ACTA_STOPPING);
    ck_assert_uint_eq(session.jobs_count, 0);
}
END_TEST

START_TEST(status_has_figures_of_server_and_database)
{
    struct slice entries;
    struct frame frame;
    uint64_t pings = 0, erasures = 0;
    bool has_head = false;
    size_t count;

    greet();
    msg_empty_encode(&in, OP_PING, 2);
    msg_empty_encode(&in, OP_STATUS, 3);
    feed();
    expect(OP_PONG, 2);
    frame = expect(OP_STATUS_REPLY, 3);
    ck_assert_int_eq(msg_status_decode(&entries, &count, frame.body, &err),
                     ACTA_OK);
    for (size_t i = 0; i < count; i++) {
        struct msg_status_entry entry = msg_next_status(&entries);

        if (slice_equal(entry.name, slice_of("requests.ping"))) {
            pings = entry.number;
        }
        if (slice_equal(entry.name, slice_of("database.erasures_pending"))) {
            erasures = entry.number;
        }
        has_head =
            has_head || slice_equal(entry.name, slice_of("database.head"));
    }
    ck_assert_uint_eq(pings, 1);
    ck_assert_uint_eq(erasures, 7);
    ck_assert(has_head);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, session_setup, session_teardown);
    tcase_add_test(tcase, hello_is_answered_with_welcome);
    tcase_add_loop_test(tcase, hello_is_checked, 0,
                        (int)(sizeof(hellos) / sizeof(hellos[0])));
    tcase_add_test(tcase, anything_before_hello_ends_it);
    tcase_add_test(tcase, stranger_may_not_send_large_frames);
    tcase_add_test(tcase, second_hello_is_refused_and_the_session_goes_on);
    tcase_add_test(tcase,
                   requests_split_at_every_byte_are_answered_all_the_same);
    tcase_add_test(tcase, wrong_request_is_an_error_and_the_next_is_served);
    tcase_add_test(tcase, unknown_kind_is_unsupported);
    tcase_add_test(tcase, broken_frame_ends_it_after_an_error_to_no_request);
    tcase_add_test(tcase, bytes_of_any_kind_do_no_harm);
    tcase_add_test(tcase, append_is_answered_when_it_is_committed);
    tcase_add_test(tcase, appends_of_one_session_keep_their_order);
    tcase_add_test(tcase, full_queue_makes_appends_wait_and_not_fail);
    tcase_add_test(tcase, full_queue_does_not_hold_up_other_requests);
    tcase_add_test(tcase, too_many_appends_in_flight_are_left_unread);
    tcase_add_test(tcase, memory_of_appends_in_flight_is_bounded);
    tcase_add_test(
        tcase, answers_to_reads_stop_at_the_high_mark_and_go_on_at_the_low_one);
    tcase_add_test(tcase, many_reads_let_others_have_their_turn);
    tcase_add_test(tcase, damage_is_an_error_and_no_page);
    tcase_add_test(tcase, stream_is_described);
    tcase_add_test(tcase, names_are_listed_up_to_the_count_that_is_asked_for);
    tcase_add_test(tcase, listing_that_fails_is_an_error_and_no_list);
    tcase_add_test(tcase, time_is_found);
    tcase_add_test(tcase, subscription_gets_history_and_then_live_events);
    tcase_add_test(tcase, credit_lets_a_subscription_go_on);
    tcase_add_test(tcase, credit_for_what_has_ended_is_nothing);
    tcase_add_test(tcase, unsubscribe_tells_where_to_resume);
    tcase_add_test(tcase, subscription_that_cannot_be_is_refused);
    tcase_add_test(tcase, subscriptions_are_limited_in_number);
    tcase_add_test(tcase, subscriptions_take_turns);
    tcase_add_test(tcase, subscription_waits_while_output_is_not_taken);
    tcase_add_test(tcase,
                   one_commit_costs_each_of_a_thousand_subscribers_one_read);
    tcase_add_test(tcase, damage_ends_the_subscription_and_nothing_else);
    tcase_add_test(tcase, stopping_refuses_new_requests_and_answers_old_ones);
    tcase_add_test(tcase, append_that_the_database_no_longer_takes_is_refused);
    tcase_add_test(tcase, what_is_read_of_a_backup_that_is_none_is_refused);
    tcase_add_test(tcase, status_has_figures_of_server_and_database);
    return run_suite(suite);
}
