/* Vigils, without anybody who sleeps. */

#include "vigil.h"

#include "run.h"

#define MAX_US  50
#define SOON_US 10

#define MANY 100 /* More than makes a difference. */

static struct vigil vigil;
static struct mono_time now;

static void
setup(void)
{
    vigil_init(&vigil, MAX_US);
    now.us = 1000000;
}

/* So many pauses of @pause_us each. Returns in how many of them a vigil began.
 */
static unsigned
pause_for(uint64_t pause_us, unsigned count)
{
    unsigned vigils = 0;

    for (unsigned i = 0; i < count; i++) {
        vigil_begin(&vigil, now);
        vigils += vigil_lasts(&vigil, now);
        now.us += pause_us;
        vigil_end(&vigil, now);
        now.us += 100; /* For the answer. */
    }
    return vigils;
}

START_TEST(nobody_is_trusted_at_first)
{
    ck_assert_uint_eq(pause_for(SOON_US, 3), 0);
}
END_TEST

START_TEST(who_asks_soon_again_and_again_is_waited_for)
{
    ck_assert_uint_gt(pause_for(MAX_US - 1, MANY), MANY / 2);
    ck_assert_uint_eq(pause_for(MAX_US - 1, MANY), MANY);
}
END_TEST

START_TEST(who_takes_its_time_costs_nothing)
{
    ck_assert_uint_eq(pause_for(MAX_US, MANY), 0);
    ck_assert_uint_eq(pause_for(1000000, MANY), 0);
}
END_TEST

START_TEST(a_vigil_ends)
{
    (void)pause_for(SOON_US, MANY);
    vigil_begin(&vigil, now);
    now.us += MAX_US - 1;
    ck_assert(vigil_lasts(&vigil, now));
    now.us++;
    ck_assert(!vigil_lasts(&vigil, now));
    now.us += MANY;
    ck_assert(!vigil_lasts(&vigil, now));
}
END_TEST

START_TEST(one_long_pause_is_forgiven)
{
    (void)pause_for(SOON_US, MANY);
    ck_assert_uint_eq(pause_for(MAX_US, 1), 1);
    ck_assert_uint_eq(pause_for(SOON_US, MANY), MANY);
}
END_TEST

START_TEST(who_stops_asking_soon_costs_two_vigils)
{
    (void)pause_for(SOON_US, MANY);
    ck_assert_uint_eq(pause_for(MAX_US, MANY), 2);
}
END_TEST

START_TEST(who_is_late_every_second_time_is_not_waited_for)
{
    unsigned vigils = 0;

    (void)pause_for(SOON_US, MANY);
    for (int i = 0; i < MANY; i++) {
        vigils += pause_for(MAX_US, 1);
        vigils += pause_for(SOON_US, 1);
    }
    ck_assert_uint_lt(vigils, 5);
}
END_TEST

START_TEST(who_is_late_now_and_then_is_waited_for)
{
    unsigned vigils = 0;

    (void)pause_for(SOON_US, MANY);
    for (int i = 0; i < MANY; i++) {
        vigils += pause_for(MAX_US, 1);
        vigils += pause_for(SOON_US, 9);
    }
    ck_assert_uint_eq(vigils, MANY * 10);
}
END_TEST

START_TEST(what_was_there_before_anyone_could_sleep_teaches_nothing)
{
    ck_assert_uint_eq(pause_for(4, MANY), 0);
    (void)pause_for(SOON_US, MANY);
    ck_assert_uint_eq(pause_for(4, MANY), MANY);
    ck_assert_uint_eq(pause_for(MAX_US, MANY), 2);
    (void)pause_for(SOON_US, 7);
    (void)pause_for(4, MANY);
    ck_assert_uint_eq(pause_for(SOON_US, 2), 1);
}
END_TEST

START_TEST(there_is_none_if_none_is_wanted)
{
    vigil_init(&vigil, 0);
    ck_assert_uint_eq(pause_for(SOON_US, MANY), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vigil");
    TCase *tcase = tcase_create("vigil");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, nobody_is_trusted_at_first);
    tcase_add_test(tcase, who_asks_soon_again_and_again_is_waited_for);
    tcase_add_test(tcase, who_takes_its_time_costs_nothing);
    tcase_add_test(tcase, a_vigil_ends);
    tcase_add_test(tcase, one_long_pause_is_forgiven);
    tcase_add_test(tcase, who_stops_asking_soon_costs_two_vigils);
    tcase_add_test(tcase, who_is_late_every_second_time_is_not_waited_for);
    tcase_add_test(tcase, who_is_late_now_and_then_is_waited_for);
    tcase_add_test(tcase,
                   what_was_there_before_anyone_could_sleep_teaches_nothing);
    tcase_add_test(tcase, there_is_none_if_none_is_wanted);
    return run_suite(suite);
}
