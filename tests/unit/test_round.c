/* Rounds of live delivery, without anybody who delivers. */

#include "round.h"

#include "run.h"

static struct round rounds;
static struct mono_time now;

static void
setup(void)
{
    round_init(&rounds);
    now.us = 1000000;
}

/* A round for @count, up to @head, in which each turn takes @turn_us; at its
 * end there is @end_head.
 */
static void
deliver(uint64_t head, size_t count, uint64_t turn_us, uint64_t end_head)
{
    ck_assert(round_begin(&rounds, head, now));
    for (size_t i = 0; i < count; i++) {
        round_join(&rounds);
    }
    for (size_t i = 0; i < count; i++) {
        ck_assert(!round_begin(&rounds, end_head, now));
        ck_assert_uint_eq(round_rest_us(&rounds, end_head, now), 0);
        now.us += turn_us;
        round_leave(&rounds, end_head, now);
    }
}

START_TEST(nothing_new_begins_no_round)
{
    ck_assert(!round_begin(&rounds, 0, now));
    deliver(1, 3, 10, 1);
    ck_assert(!round_begin(&rounds, 1, now));
    ck_assert_uint_eq(round_rest_us(&rounds, 1, now), 0);
}
END_TEST

START_TEST(without_followers_a_round_is_over_at_once)
{
    ck_assert(round_begin(&rounds, 1, now));
    ck_assert(round_begin(&rounds, 2, now));
}
END_TEST

START_TEST(what_is_committed_after_a_round_goes_out_at_once)
{
    deliver(1, 100, 10, 1);
    deliver(2, 100, 10, 2);
    deliver(3, 100, 10, 3);
}
END_TEST

START_TEST(one_event_during_a_round_goes_out_in_the_next)
{
    deliver(1, 100, 10, 2);
    deliver(2, 100, 10, 3);
    deliver(3, 100, 10, 3);
}
END_TEST

START_TEST(more_events_make_a_longer_rest)
{
    deliver(1, 100, 10, 3);
    ck_assert_uint_eq(round_rest_us(&rounds, 3, now), 1000);
    now.us += 1000;
    deliver(3, 100, 10, 6);
    ck_assert_uint_eq(round_rest_us(&rounds, 6, now), 2000);
    now.us += 2000;
    deliver(6, 100, 10, 1000);
    ck_assert_uint_eq(round_rest_us(&rounds, 1000, now), 8000);
}
END_TEST

START_TEST(what_is_committed_during_a_round_waits_for_a_rest)
{
    deliver(1, 100, 10, 5);
    ck_assert(!round_begin(&rounds, 5, now));
    ck_assert_uint_eq(round_rest_us(&rounds, 5, now), 3000);
    now.us += 2999;
    ck_assert(!round_begin(&rounds, 5, now));
    ck_assert_uint_eq(round_rest_us(&rounds, 5, now), 1);
    now.us += 1;
    ck_assert_uint_eq(round_rest_us(&rounds, 5, now), 0);
    deliver(5, 100, 10, 5);
    deliver(6, 100, 10, 6);
}
END_TEST

START_TEST(a_rest_has_a_bound)
{
    deliver(1, 100000, 10, 9);
    ck_assert_uint_eq(round_rest_us(&rounds, 9, now), 40000);
}
END_TEST

START_TEST(a_short_round_needs_no_rest)
{
    deliver(1, 12, 10, 99);
    deliver(99, 12, 10, 100);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("round");
    TCase *tcase = tcase_create("round");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, nothing_new_begins_no_round);
    tcase_add_test(tcase, without_followers_a_round_is_over_at_once);
    tcase_add_test(tcase, what_is_committed_after_a_round_goes_out_at_once);
    tcase_add_test(tcase, one_event_during_a_round_goes_out_in_the_next);
    tcase_add_test(tcase, more_events_make_a_longer_rest);
    tcase_add_test(tcase, what_is_committed_during_a_round_waits_for_a_rest);
    tcase_add_test(tcase, a_rest_has_a_bound);
    tcase_add_test(tcase, a_short_round_needs_no_rest);
    return run_suite(suite);
}
