/* Stories about process managers, those that are as expected and those that are
 * not; and without memory.
 */

#include <acta/acta_kit_process.h>
#include <check.h>
#include <stdlib.h>

#include "alloc.h"
#include "payments.h"
#include "run.h"

static struct acta_process *process;
static struct acta_kit_process *kit;

static void
setup(void)
{
    alloc_reset();
    payments_states = 0;
    payments_late_ms = 1000;
    payments_nudge = NULL;
    payments_before_reacting = NULL;
    process = payments_new();
    kit = acta_kit_of_process(process);
}

static void
teardown(void)
{
    acta_kit_process_free(kit);
    acta_process_free(process);
    ck_assert_int_eq(payments_states, 0);
}

/* ---- the words in which the tests are written ---- */

static void
expect_good(void)
{
    ck_assert_str_eq(acta_kit_process_end(kit), "");
}

static void
expect_bad(const char *problem)
{
    ck_assert_str_eq(acta_kit_process_end(kit), problem);
}

static void
place(const char *cents)
{
    acta_kit_process_when(kit, "order-42", "OrderPlaced", cents);
}

static void
expect_asked(const char *cents)
{
    acta_kit_process_own(kit, "Asked", cents);
    acta_kit_process_sends(kit, "command-42", "RequestPayment", cents);
    acta_kit_process_deadline(kit, "payment", 1000, "PaymentLate", NULL);
}

static void
pay(const char *cents)
{
    struct acta_draft draft =
        acta_draft_of("PaymentReceived", cents, strlen(cents));
    const char *const tags[] = {"order:42"};

    draft.tags = tags;
    draft.tags_count = 1;
    acta_kit_process_when_event(kit, "payment-1", &draft);
}

/* ---- good stories ---- */

START_TEST(what_follows_is_as_expected)
{
    place("5");
    expect_asked("5");
    expect_good();
}
END_TEST

START_TEST(a_story_is_told_from_its_beginning)
{
    place("5");
    expect_asked(" 5 "); /* White space does not count. */
    pay("3");
    acta_kit_process_own(kit, "Received", "3");
    pay("2");
    acta_kit_process_own(kit, "Received", "2");
    acta_kit_process_cancels(kit, "payment");
    acta_kit_process_ends(kit);
    pay("1");
    acta_kit_process_ignores(kit);
    expect_good();
}
END_TEST

START_TEST(what_is_given_is_not_looked_at_and_counts)
{
    acta_kit_process_given(kit, "order-42", "OrderPlaced", "5");
    pay("5");
    acta_kit_process_own(kit, "Received", "5");
    acta_kit_process_cancels(kit, "payment");
    acta_kit_process_ends(kit);
    expect_good();
}
END_TEST

START_TEST(own_events_are_given_to_an_instance_that_was_started)
{
    acta_kit_process_given_own(kit, "42", "Asked", "5");
    acta_kit_process_given_own(kit, "42", "Received", "4");
    pay("1");
    acta_kit_process_own(kit, "Received", "1");
    acta_kit_process_cancels(kit, "payment");
    acta_kit_process_ends(kit);
    acta_kit_process_when(kit, "order-43", "OrderCancelled", NULL);
    acta_kit_process_ignores(kit);
    expect_good();
}
END_TEST

START_TEST(a_deadline_passes_once)
{
    acta_kit_process_given(kit, "order-42", "OrderPlaced", "5");
    acta_kit_process_when_deadline(kit, "42", "payment");
    acta_kit_process_sends(kit, "command-42", "CancelOrder", NULL);
    acta_kit_process_ends(kit);
    acta_kit_process_when_deadline(kit, "42", "payment");
    expect_bad("there is no deadline payment of payments-42");
}
END_TEST

START_TEST(events_of_no_instance_are_ignored)
{
    acta_kit_process_when(kit, "order", "OrderPlaced", "5");
    acta_kit_process_ignores(kit);
    acta_kit_process_when(kit, "order-1", "OrderShipped", NULL);
    acta_kit_process_ignores(kit);
    acta_kit_process_when(kit, "payment-1", "PaymentReceived", "5");
    acta_kit_process_ignores(kit);
    acta_kit_process_when(kit, "others-42", "PaymentLate", NULL);
    acta_kit_process_ignores(kit);
    expect_good();
}
END_TEST

static enum acta_verdict
park(const void *state, const struct acta_event *event,
     struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    acta_reaction_own(reaction, "Asked", "1");
    return acta_reaction_fail(reaction, ACTA_VERDICT_PARK, "no such thing");
}

START_TEST(a_verdict_is_expected_and_nothing_follows)
{
    payments_nudge = park;
    acta_kit_process_when(kit, "note-1", "Nudged", "42");
    acta_kit_process_then(kit, ACTA_VERDICT_PARK);
    place("5");
    expect_asked("5");
    expect_good();
}
END_TEST

/* A story does not know what was in the one before. */
START_TEST(each_story_begins_from_nothing)
{
    for (int i = 0; i < 3; i++) {
        place("5");
        expect_asked("5");
        expect_good();
    }
    acta_kit_process_when_deadline(kit, "42", "payment");
    expect_bad("there is no deadline payment of payments-42");
}
END_TEST

/* ---- bad stories ---- */

START_TEST(what_follows_and_is_not_expected_is_told)
{
    place("5");
    expect_bad("from event 1 follows Asked 5, which is not expected");
    place("5");
    acta_kit_process_own(kit, "Asked", "5");
    expect_bad("from event 1 follows RequestPayment 5 to command-42, which is "
               "not expected");
    place("5");
    acta_kit_process_own(kit, "Asked", "5");
    acta_kit_process_sends(kit, "command-42", "RequestPayment", "5");
    expect_bad("from event 1 follows deadline payment after 1000 ms: "
               "PaymentLate, which is not expected");
}
END_TEST

START_TEST(what_does_not_follow_as_expected_is_told)
{
    place("5");
    expect_asked("5");
    acta_kit_process_sends(kit, "command-42", "Ship", NULL);
    expect_bad("from event 1 does not follow Ship to command-42");
    place("5");
    expect_asked("6");
    expect_bad("from event 1 follows Asked 5, expected is Asked 6");
    place("5");
    acta_kit_process_own(kit, "Asked", "5");
    acta_kit_process_sends(kit, "command-42", "RequestPayment", "5");
    acta_kit_process_deadline(kit, "payment", 1001, "PaymentLate", NULL);
    expect_bad("from event 1 follows deadline payment after 1000 ms: "
               "PaymentLate, expected is deadline payment after 1001 ms: "
               "PaymentLate");
    acta_kit_process_given(kit, "order-42", "OrderPlaced", "5");
    acta_kit_process_when(kit, "order-42", "OrderCancelled", NULL);
    acta_kit_process_cancels(kit, "payment");
    expect_bad("from event 2 does not follow the end of deadline payment");
}
END_TEST

START_TEST(ends_that_are_not_expected_or_do_not_come_are_told)
{
    acta_kit_process_given(kit, "order-42", "OrderPlaced", "5");
    acta_kit_process_when(kit, "order-42", "OrderCancelled", NULL);
    expect_bad("with event 2 the instance ends");
    acta_kit_process_given(kit, "order-42", "OrderPlaced", "5");
    pay("1");
    acta_kit_process_own(kit, "Received", "1");
    acta_kit_process_ends(kit);
    expect_bad("with event 2 the instance does not end");
}
END_TEST

START_TEST(what_is_ignored_and_what_is_not_are_told)
{
    place("5");
    acta_kit_process_ignores(kit);
    expect_bad("event 1 is not ignored");
    pay("5");
    acta_kit_process_ends(kit);
    expect_bad("event 1 is ignored");
}
END_TEST

START_TEST(another_verdict_is_told_with_its_reason)
{
    payments_nudge = park;
    acta_kit_process_when(kit, "note-1", "Nudged", "42");
    expect_bad("event 1: PARK, no such thing, expected is OK");
    acta_kit_process_given(kit, "note-1", "Nudged", "42");
    expect_bad("event 1, which is given: PARK, no such thing");
}
END_TEST

static enum acta_verdict
command_nobody(const void *state, const struct acta_event *event,
               struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    acta_reaction_command(reaction, "command", "\x01", "Do", NULL);
    return ACTA_VERDICT_OK;
}

START_TEST(what_could_not_be_stored_is_parked)
{
    payments_nudge = command_nobody;
    acta_kit_process_when(kit, "note-1", "Nudged", "42");
    acta_kit_process_then(kit, ACTA_VERDICT_PARK);
    expect_good();
}
END_TEST

START_TEST(events_of_unknown_versions_are_parked)
{
    acta_kit_process_when(kit, "order-42", "OrderPlaced.v2", "5");
    acta_kit_process_then(kit, ACTA_VERDICT_PARK);
    expect_good();
}
END_TEST

/* ---- filled wrongly, and without memory ---- */

START_TEST(a_process_that_is_wrong_is_told)
{
    acta_process_on(process, "OrderPlaced", ACTA_ROUTE_STARTS, NULL);
    acta_kit_process_free(kit);
    kit = acta_kit_of_process(process);
    expect_bad("process payments: OrderPlaced has two routes");
}
END_TEST

START_TEST(without_a_process_there_is_no_kit)
{
    struct acta_kit_process *none = acta_kit_of_process(NULL);

    ck_assert_ptr_null(none);
    acta_kit_process_given(none, "a", "b", NULL);
    acta_kit_process_given_own(none, "a", "b", NULL);
    acta_kit_process_when(none, "a", "b", NULL);
    acta_kit_process_when_deadline(none, "a", "b");
    acta_kit_process_sends(none, "a", "b", NULL);
    acta_kit_process_deadline(none, "a", 1, "b", NULL);
    acta_kit_process_cancels(none, "a");
    acta_kit_process_ends(none);
    acta_kit_process_ignores(none);
    acta_kit_process_then(none, ACTA_VERDICT_OK);
    ck_assert_str_eq(acta_kit_process_end(none), "there is no memory");
    acta_kit_process_free(none);
}
END_TEST

/* A story with all that there is; @told is filled with how it ended. */
static void
tell_it_all(char told[200])
{
    struct acta_process *told_of = payments_new();

    kit = acta_kit_of_process(told_of);
    place("5");
    expect_asked("5");
    pay("5");
    acta_kit_process_own(kit, "Received", "5");
    acta_kit_process_cancels(kit, "payment");
    acta_kit_process_ends(kit);
    acta_kit_process_given_own(kit, "43", "Asked", "5");
    acta_kit_process_given(kit, "order-44", "OrderPlaced", "5");
    acta_kit_process_when_deadline(kit, "44", "payment");
    acta_kit_process_sends(kit, "command-44", "CancelOrder", NULL);
    acta_kit_process_ends(kit);
    strncpy(told, acta_kit_process_end(kit), 199);
    acta_kit_process_free(kit);
    acta_process_free(told_of);
    kit = NULL;
}

#define ALLOCATIONS_MAX 1000

/* Whichever allocation fails, nothing crashes, nothing is kept, and no story is
 * good by that.
 */
START_TEST(without_memory_no_story_is_good)
{
    char told[200] = "";
    int failed = 0;

    acta_kit_process_free(kit);
    for (; failed < ALLOCATIONS_MAX; failed++) {
        bool all_went_well;

        alloc_reset();
        alloc_fail_after = failed;
        tell_it_all(told);
        all_went_well = alloc_failed == 0;
        alloc_reset();
        ck_assert_int_eq(payments_states, 0);
        if (all_went_well) {
            break;
        }
        ck_assert_msg(told[0] != '\0', "allocation %d", failed);
    }
    ck_assert_str_eq(told, "");
    ck_assert_int_gt(failed, 10);
    ck_assert_int_lt(failed, ALLOCATIONS_MAX);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("kit_process");
    TCase *tcase = tcase_create("kit_process");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_follows_is_as_expected);
    tcase_add_test(tcase, a_story_is_told_from_its_beginning);
    tcase_add_test(tcase, what_is_given_is_not_looked_at_and_counts);
    tcase_add_test(tcase, own_events_are_given_to_an_instance_that_was_started);
    tcase_add_test(tcase, a_deadline_passes_once);
    tcase_add_test(tcase, events_of_no_instance_are_ignored);
    tcase_add_test(tcase, a_verdict_is_expected_and_nothing_follows);
    tcase_add_test(tcase, each_story_begins_from_nothing);
    tcase_add_test(tcase, what_follows_and_is_not_expected_is_told);
    tcase_add_test(tcase, what_does_not_follow_as_expected_is_told);
    tcase_add_test(tcase, ends_that_are_not_expected_or_do_not_come_are_told);
    tcase_add_test(tcase, what_is_ignored_and_what_is_not_are_told);
    tcase_add_test(tcase, another_verdict_is_told_with_its_reason);
    tcase_add_test(tcase, what_could_not_be_stored_is_parked);
    tcase_add_test(tcase, events_of_unknown_versions_are_parked);
    tcase_add_test(tcase, a_process_that_is_wrong_is_told);
    tcase_add_test(tcase, without_a_process_there_is_no_kit);
    tcase_add_test(tcase, without_memory_no_story_is_good);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
