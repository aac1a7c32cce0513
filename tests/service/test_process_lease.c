/* Process managers that run at the same time, in threads of their own: each
 * test in front of a whole server, and of a store in memory.
 */

#include <check.h>
#include <pthread.h>
#include <stdio.h>

#include "manage.h"
#include "run.h"

#define ORDERS 20

/* A manager that runs until it is interrupted. */
struct runner {
    pthread_t thread;
    struct acta_sync *sync;
    struct acta_manager *manager;
    enum acta_code code;
    struct acta_err err;
};

static void *
run_it(void *user)
{
    struct runner *runner = user;

    runner->code = acta_manager_run(runner->manager, &runner->err);
    return NULL;
}

static void
start(struct runner *runner)
{
    options.is_once = false;
    runner->sync = connect_to_it();
    must(acta_manager_new(&runner->manager, process, runner->sync, &options,
                          &err));
    ck_assert_int_eq(pthread_create(&runner->thread, NULL, run_it, runner), 0);
}

static void
end(struct runner *runner)
{
    acta_manager_interrupt(runner->manager);
    ck_assert_int_eq(pthread_join(runner->thread, NULL), 0);
    acta_manager_free(runner->manager);
    acta_sync_close(runner->sync);
}

static void
order(unsigned from)
{
    char stream[32];

    for (unsigned i = from; i < from + ORDERS; i++) {
        snprintf(stream, sizeof(stream), "order-%u", i);
        put(stream, "OrderPlaced", "5");
    }
}

/* Until the process has handled all that is stored by now. */
static void
wait_until_handled(void)
{
    must(acta_sync_wait_for(sync_, "payments", head(), MANAGE_PATIENCE_MS,
                            &err));
}

static void
expect_each_once(unsigned from)
{
    char stream[32];

    for (unsigned i = from; i < from + ORDERS; i++) {
        snprintf(stream, sizeof(stream), "payments-%u", i);
        ck_assert_str_eq(told(stream), "ProcessStarted Asked:5");
        snprintf(stream, sizeof(stream), "command-%u", i);
        ck_assert_str_eq(told(stream), "RequestPayment:5");
    }
}

START_TEST(who_stands_by_goes_on_when_the_first_is_gone)
{
    struct runner first, second;

    options.lease_ms = 3600000;
    must(run());
    start(&first);
    order(0);
    wait_until_handled();
    start(&second);
    order(ORDERS);
    wait_until_handled();
    end(&first);
    order(2 * ORDERS);
    wait_until_handled();
    end(&second);
    ck_assert_int_eq(first.code, ACTA_OK);
    ck_assert_int_eq(second.code, ACTA_OK);
    for (unsigned i = 0; i < 3; i++) {
        expect_each_once(i * ORDERS);
    }
}
END_TEST

START_TEST(without_a_lease_the_last_one_that_came_goes_on)
{
    struct runner first, second;

    must(run());
    start(&first);
    order(0);
    wait_until_handled();
    start(&second);
    ck_assert_int_eq(pthread_join(first.thread, NULL), 0);
    ck_assert_int_eq(first.code, ACTA_FENCED);
    acta_manager_free(first.manager);
    acta_sync_close(first.sync);
    order(ORDERS);
    wait_until_handled();
    end(&second);
    ck_assert_int_eq(second.code, ACTA_OK);
    expect_each_once(0);
    expect_each_once(ORDERS);
}
END_TEST

static void
add_tests(TCase *tcase)
{
    tcase_add_test(tcase, who_stands_by_goes_on_when_the_first_is_gone);
    tcase_add_test(tcase, without_a_lease_the_last_one_that_came_goes_on);
}

int
main(void)
{
    Suite *suite = suite_create("process_lease");
    TCase *on_server = tcase_create("server");
    TCase *in_memory = tcase_create("memory");

    tcase_add_checked_fixture(on_server, setup, teardown);
    tcase_add_checked_fixture(in_memory, setup_memory, teardown);
    add_tests(on_server);
    add_tests(in_memory);
    suite_add_tcase(suite, in_memory);
    suite_add_tcase(suite, on_server);
    return run_suite(suite);
}
