/* When a turn of the library's own loop sleeps, and when it stays awake. */

#include <poll.h>
#include <stdbool.h>

static int scripted_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

#define poll scripted_poll
#include <acta/acta_poll.h>

#include "run.h"

#define EVER_US UINT64_C(3600000000) /* No machine is so slow. */

static struct acta_poll loop;
static unsigned looks, sleeps;
static unsigned ready_after; /* So many looks; 0: never. */
static int slept_ms;

static int
scripted_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(fds->fd, loop.fd);
    if (timeout_ms == 0) {
        looks++;
        return looks == ready_after;
    }
    sleeps++;
    slept_ms = timeout_ms;
    return 0;
}

static void
setup(void)
{
    loop = (struct acta_poll){
        .fd = 7, .events = ACTA_READ, .due_ms = ACTA_NO_TIMER};
    looks = sleeps = ready_after = 0;
}

START_TEST(a_turn_sleeps_at_once)
{
    acta_poll_turn(&loop, 5);
    ck_assert_uint_eq(looks, 0);
    ck_assert_uint_eq(sleeps, 1);
    ck_assert_int_eq(slept_ms, 5);
}
END_TEST

START_TEST(a_turn_that_is_to_stay_awake_looks_before_it_sleeps)
{
    loop.busy_us = 1;
    acta_poll_turn(&loop, -1);
    ck_assert_uint_ge(looks, 1);
    ck_assert_uint_eq(sleeps, 1);
    ck_assert_int_eq(slept_ms, -1);
}
END_TEST

START_TEST(a_turn_that_finds_something_does_not_sleep)
{
    loop.busy_us = EVER_US;
    ready_after = 3;
    acta_poll_turn(&loop, -1);
    ck_assert_uint_eq(looks, 3);
    ck_assert_uint_eq(sleeps, 0);
}
END_TEST

START_TEST(a_turn_that_may_not_wait_looks_once)
{
    loop.busy_us = EVER_US;
    acta_poll_turn(&loop, 0);
    ck_assert_uint_eq(looks, 1);
    ck_assert_uint_eq(sleeps, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client poll");
    TCase *tcase = tcase_create("client poll");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_turn_sleeps_at_once);
    tcase_add_test(tcase, a_turn_that_is_to_stay_awake_looks_before_it_sleeps);
    tcase_add_test(tcase, a_turn_that_finds_something_does_not_sleep);
    tcase_add_test(tcase, a_turn_that_may_not_wait_looks_once);
    return run_suite(suite);
}
