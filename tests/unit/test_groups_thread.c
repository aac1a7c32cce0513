/* The groups' thread with a real database, by the jobs that sessions send and
 * the mails that they get.
 */

#include "groups.h"

#include <stdio.h>
#include <string.h>

#include "groups_fixture.h"
#include "run.h"

/* ---- handing out ---- */

START_TEST(history_is_handed_out_and_then_what_is_new)
{
    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(3);
    append("a-1", 1);
    wait_for_hands(4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(hands[i].position, i + 1);
        ck_assert_uint_eq(hands[i].membership, HER);
        ck_assert_uint_eq(hands[i].deliveries, 1);
    }
    acknowledge_all(ANN, 0);
    ck_assert_uint_eq(describe().consumer.position, 4);
}
END_TEST

/* It is at the head, and events that it does not want go by. */
START_TEST(event_that_is_wanted_wakes_a_group_that_waits)
{
    struct slice category = slice_of("a");
    struct query_item item = {
        .fields[QUERY_CATEGORIES] = {&category, 1, NULL, 0}};

    create((struct query){&item, 1, NULL}, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    append("b-1", 50);
    append("a-1", 1);
    wait_for_hands(1);
    ck_assert_uint_eq(hands[0].position, 51);
    acknowledge_all(ANN, 0);
    append("b-1", 1);
    ck_assert_uint_eq(describe().consumer.position, 52);
    ck_assert_uint_eq(describe().consumer.lag.events, 0);
}
END_TEST

START_TEST(member_has_no_more_in_hand_than_it_has_slots)
{
    append("a-1", 5);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 2), ACTA_OK);
    wait_for_hands(2);
    ck_assert_uint_eq(describe().consumer.in_hand, 2);
    acknowledge_all(ANN, 0);
    wait_for_hands(4);
}
END_TEST

/* A description comes behind the step in which events were counted. */
START_TEST(groups_at_work_are_counted)
{
    struct database_stats stats;

    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 2), ACTA_OK);
    wait_for_hands(2);
    (void)describe();
    database_stats(db.database, &stats);
    ck_assert_uint_eq(stats.groups, 1);
    ck_assert_uint_eq(stats.group_members, 1);
    ck_assert_uint_eq(stats.group_in_hand, 2);
    acknowledge_all(ANN, 0);
    wait_for_hands(3);
    acknowledge_all(ANN, 2);
    leave(ANN, HER);
    do {
        (void)describe();
        database_stats(db.database, &stats);
    } while (stats.groups > 0);
    ck_assert_uint_eq(stats.group_members, 0);
    ck_assert_uint_eq(stats.group_in_hand, 0);
}
END_TEST

START_TEST(events_of_who_hangs_up_go_to_another)
{
    append("a-1", 2);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(2);
    ck_assert_int_eq(join(BOB, HIS, 10), ACTA_OK);
    hang_up(ANN);
    wait_for_hands(4);
    for (size_t i = 2; i < 4; i++) {
        ck_assert_uint_eq(hands[i].membership, HIS);
        ck_assert_uint_eq(hands[i].position, i - 1);
        ck_assert_uint_gt(hands[i].fence, hands[0].fence);
    }
    ck_assert_uint_eq(hands[2].deliveries, 2);
}
END_TEST

START_TEST(event_that_is_not_answered_is_handed_out_again)
{
    uint64_t settled;

    append("a-1", 1);
    create(QUERY_ALL, MSG_ACK_TIMEOUT_US_MIN);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    while (hands_count < 2) { /* On a slow machine there are more at once. */
        take_some();
    }
    ck_assert_uint_eq(hands[1].position, 1);
    ck_assert_uint_eq(hands[1].deliveries, 2);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_ACK, &settled), ACTA_FENCED);
}
END_TEST

START_TEST(one_connection_has_memberships_of_its_own)
{
    append("a-1", 1);
    append("a-2", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 1), ACTA_OK);
    ck_assert_int_eq(join(ANN, HIS, 1), ACTA_OK);
    ck_assert_int_eq(join(ANN, HIS, 1), ACTA_INVALID);
    wait_for_hands(2);
    ck_assert_uint_ne(hands[0].membership, hands[1].membership);
    leave(ANN, HER);
    leave(ANN, HIS);
    ck_assert_uint_eq(describe().consumer.connected, 0);
}
END_TEST

/* ---- what a connection has not taken ---- */

static void
append_to_many(size_t count, size_t streams)
{
    for (size_t i = 0; i < count; i++) {
        char stream[32];

        snprintf(stream, sizeof(stream), "a-%zu", i % streams);
        append(stream, 1);
    }
}

START_TEST(who_takes_nothing_is_handed_no_more_by_any_membership)
{
    enum { EVENTS = 500, HIGH = 4096, JOINS = 4 };

    append_to_many(EVENTS, EVENTS);
    create(QUERY_ALL, HOUR_US);
    sends_receipts = false;
    output_high = HIGH;
    for (uint64_t i = 0; i < JOINS; i++) { /* The last ones when it is full. */
        ck_assert_int_eq(join(ANN, HER + 1 + i, EVENTS), ACTA_OK);
    }
    output_high = UINT64_MAX;
    ck_assert_int_eq(join(BOB, HER, EVENTS), ACTA_OK);
    wait_for_hands(EVENTS); /* The others are his. */
    ck_assert_uint_gt(ann_size, HIGH);
    ck_assert_uint_le(ann_size, HIGH + record_max);
}
END_TEST

/* Two memberships of one connection; of some bounds any event is larger. */
START_TEST(who_takes_what_it_is_handed_gets_all_in_order)
{
    enum { EVENTS = 300, STREAMS = 3 };
    static const uint64_t highs[] = {0, 1, 500, 4096};
    uint64_t last = 0;

    append_to_many(EVENTS, STREAMS);
    create(QUERY_ALL, HOUR_US);
    output_high = highs[_i];
    ck_assert_int_eq(join(ANN, HER, EVENTS), ACTA_OK);
    ck_assert_int_eq(join(ANN, HIS, EVENTS), ACTA_OK);
    wait_for_hands(EVENTS);
    for (size_t stream = 0; stream < STREAMS; stream++, last = 0) {
        for (size_t i = 0; i < EVENTS; i++) {
            if (hands[i].position % STREAMS == stream) {
                ck_assert_uint_gt(hands[i].position, last);
                last = hands[i].position;
            }
        }
    }
}
END_TEST

START_TEST(receipt_of_who_is_gone_is_nobodys)
{
    append("a-1", 1);
    create(QUERY_ALL, HOUR_US);
    hand_in(JOB_RECEIPT, BOB, 0, false);
    ck_assert_int_eq(join(ANN, HER, 1), ACTA_OK);
    wait_for_hands(1);
}
END_TEST

/* ---- what stays ---- */

START_TEST(what_was_settled_is_not_handed_out_after_a_stop)
{
    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(3);
    acknowledge_all(ANN, 0);
    append("a-1", 1);
    wait_for_hands(4);
    db_reopen(&db);
    free_what_came();
    ck_assert_uint_eq(describe().consumer.position, 3);
    ck_assert_uint_eq(describe().consumer.lag.matching, 1);
    ck_assert_int_eq(join(BOB, HIS, 10), ACTA_OK);
    wait_for_hands(5);
    ck_assert_uint_eq(hands[4].position, 4);
    ck_assert_uint_gt(hands[4].fence, hands[3].fence);
}
END_TEST

START_TEST(parked_event_is_durable_when_that_is_said)
{
    uint64_t settled;
    struct msg_parked parked;
    struct msg_parked_page page;

    append("a-1", 2);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(2);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_PARK, &settled), ACTA_OK);
    ck_assert_uint_eq(settled, 1);
    db_reopen_as_killed(&db);
    free_what_came();
    page = list_parked();
    ck_assert_uint_ge(page.parked_count, 1);
    parked = msg_next_parked(&page.parked);
    ck_assert_uint_eq(parked.position, 1);
    ck_assert_int_eq(parked.state, MSG_PARKED);
    ck_assert(slice_equal(parked.reason, slice_of("no good")));
}
END_TEST

START_TEST(parked_events_are_replayed_in_order_or_dropped)
{
    uint64_t settled;

    append("a-1", 3);
    append("b-1", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(4);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_PARK, &settled), ACTA_OK);
    ck_assert_int_eq(settle(ANN, &hands[3], MSG_PARK, &settled), ACTA_OK);
    ck_assert_uint_eq(describe().consumer.parked, 4);
    ck_assert_uint_eq(change_parked(MSG_PARKED_REPLAY), 2);
    wait_for_hands(6);
    for (size_t i = 4; i < 6; i++) {
        enum msg_settle_kind kind = hands[i].position == 1 ? MSG_ACK : MSG_PARK;

        ck_assert_int_eq(settle(ANN, &hands[i], kind, &settled), ACTA_OK);
    }
    wait_for_hands(8);
    ck_assert_uint_eq(hands[6].position, 2);
    ck_assert_uint_eq(hands[7].position, 3);
    acknowledge_all(ANN, 6);
    ck_assert_uint_eq(change_parked(MSG_PARKED_DROP), 1);
    ck_assert_uint_eq(describe().consumer.parked, 0);
    ck_assert_uint_eq(list_parked().parked_count, 0);
    ck_assert_uint_eq(describe().consumer.position, 4);
}
END_TEST

START_TEST(what_a_paused_group_has_not_taken_up_again_is_before_it)
{
    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(3);
    db_reopen(&db);
    ck_assert_uint_eq(describe().consumer.lag.matching, 3);
    change_to(MSG_CONSUMER_PAUSE, 0);
    ck_assert_int_eq(join(BOB, HIS, 10), ACTA_OK);
    ck_assert_uint_eq(describe().consumer.lag.matching, 3);
    ck_assert_uint_eq(describe().consumer.position, 0);
    ck_assert_uint_eq(describe().consumer.lag.events, 3);
}
END_TEST

/* Nothing that it wants is up to there, so nobody need handle anything. */
START_TEST(group_is_waited_for_at_an_event_that_it_does_not_want)
{
    struct slice text = slice_of("a-1");
    struct query_item item = {.fields[QUERY_STREAMS] = {&text, 1, NULL, 0}};
    struct job *job;

    create((struct query){&item, 1, NULL}, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    append("a-1", 1);
    wait_for_hands(1);
    acknowledge_all(ANN, 0);
    append("b-1", 1);
    msg_await_encode(&request, 1,
                     &(struct msg_await){.consumer = slice_of(GROUP),
                                         .position = 2,
                                         .timeout_us = HOUR_US / 3600});
    job = job_of_request(JOB_AWAIT);
    db_append(&db, job);
    ck_assert_msg(job->outcome.code == ACTA_OK, "%s", job->outcome.text);
    ck_assert_uint_eq(job->outcome.consumer_changed.position, 2);
    job_free(job);
}
END_TEST

START_TEST(members_are_told_when_the_server_stops)
{
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    database_stop_appends(db.database);
    while (lefts_count == 0) {
        take_some();
    }
    ck_assert_int_eq(lefts[0], ACTA_STOPPING);
}
END_TEST

/* ---- many ---- */

#define MANY 200

/* Each waits for a stream of its own; only the one that has an event wakes. */
START_TEST(groups_that_wait_are_woken_one_by_one)
{
    char name[20], stream[20];

    for (uint64_t i = 0; i < MANY; i++) {
        struct slice text;
        struct query_item item = {.fields[QUERY_STREAMS] = {&text, 1, NULL, 0}};

        snprintf(name, sizeof(name), "group-%ju", (uintmax_t)i);
        snprintf(stream, sizeof(stream), "s-%ju", (uintmax_t)i);
        text = slice_of(stream);
        change(&(struct msg_change_consumer){.name = slice_of(name),
                                             .kind = MSG_CONSUMER_CREATE,
                                             .query = {&item, 1, NULL}});
        msg_join_encode(
            &request, HER + i,
            &(struct msg_join){.group = slice_of(name), .slots = 1});
        ck_assert_int_eq(ask(JOB_JOIN, ANN + i / 2, HER + i), ACTA_OK);
    }
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t which = (i * 7) % MANY;

        snprintf(stream, sizeof(stream), "s-%ju", (uintmax_t)which);
        append(stream, 1);
        wait_for_hands(i + 1);
        ck_assert_uint_eq(hands[i].membership, HER + which);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("groups_thread");
    TCase *tcase = tcase_create("groups_thread");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, history_is_handed_out_and_then_what_is_new);
    tcase_add_test(tcase, event_that_is_wanted_wakes_a_group_that_waits);
    tcase_add_test(tcase, member_has_no_more_in_hand_than_it_has_slots);
    tcase_add_test(tcase, groups_at_work_are_counted);
    tcase_add_test(tcase, events_of_who_hangs_up_go_to_another);
    tcase_add_test(tcase, event_that_is_not_answered_is_handed_out_again);
    tcase_add_test(tcase, one_connection_has_memberships_of_its_own);
    tcase_add_test(tcase,
                   who_takes_nothing_is_handed_no_more_by_any_membership);
    tcase_add_loop_test(tcase, who_takes_what_it_is_handed_gets_all_in_order, 0,
                        4);
    tcase_add_test(tcase, receipt_of_who_is_gone_is_nobodys);
    tcase_add_test(tcase, what_was_settled_is_not_handed_out_after_a_stop);
    tcase_add_test(tcase, parked_event_is_durable_when_that_is_said);
    tcase_add_test(tcase, parked_events_are_replayed_in_order_or_dropped);
    tcase_add_test(tcase,
                   what_a_paused_group_has_not_taken_up_again_is_before_it);
    tcase_add_test(tcase,
                   group_is_waited_for_at_an_event_that_it_does_not_want);
    tcase_add_test(tcase, members_are_told_when_the_server_stops);
    tcase_add_test(tcase, groups_that_wait_are_woken_one_by_one);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
