/* What process managers cannot handle, or should not: each test in front of a
 * whole server, and of a store in memory.
 */

#include <acta/acta_schedule.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "manage.h"
#include "run.h"

/* ---- what cannot be handled ---- */

static unsigned retries;

static enum acta_verdict
retry_twice(const void *state, const struct acta_event *event,
            struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    acta_reaction_own(reaction, "Asked", "7");
    acta_reaction_command(reaction, "command", "7", "Do", NULL);
    if (acta_reaction_attempt(reaction) <= 2) {
        retries++;
        return acta_reaction_fail(
            reaction, acta_reaction_retry_after(reaction, 1), "not yet");
    }
    return ACTA_VERDICT_OK;
}

START_TEST(what_is_tried_again_follows_once)
{
    retries = 0;
    payments_nudge = retry_twice;
    put("note-1", "Nudged", "42");
    must(run());
    ck_assert_uint_eq(retries, 2);
    ck_assert_uint_eq(status()->errors, 2);
    ck_assert_str_eq(status()->error_text, "not yet");
    ck_assert_str_eq(status()->error_stream, "note-1");
    ck_assert_uint_eq(status()->error_position, 1);
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:7");
    ck_assert_str_eq(told("command-7"), "Do");
}
END_TEST

static enum acta_verdict said_verdict;

static enum acta_verdict
say_verdict(const void *state, const struct acta_event *event,
            struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    acta_reaction_own(reaction, "Asked", "7");
    acta_reaction_deadline(reaction, "now", 0, "PaymentLate", NULL);
    return said_verdict;
}

START_TEST(a_parked_event_is_laid_aside_and_nothing_follows)
{
    static const enum acta_verdict verdicts[] = {
        ACTA_VERDICT_PARK,
        ACTA_VERDICT_RETRY,
        (enum acta_verdict)77,
    };

    said_verdict = verdicts[_i];
    options.attempts_max = 2;
    payments_nudge = say_verdict;
    put("note-1", "Nudged", "42");
    put("order-1", "OrderPlaced", "5");
    must(run());
    ck_assert_uint_eq(status()->parked, 1);
    ck_assert_str_eq(told("payments-42"), "");
    ck_assert_str_eq(scheduled(), "payments-1/payment");
    ck_assert_str_eq(told("payments-1"), "ProcessStarted Asked:5");
    ck_assert_msg(strstr(told("acta.parked-payments"), "\"note-1\"") != NULL,
                  "%s", told("acta.parked-payments"));
    ck_assert_uint_eq(checkpoint(), head());
}
END_TEST

START_TEST(a_reaction_can_stop_it_all)
{
    said_verdict = ACTA_VERDICT_STOP;
    payments_nudge = say_verdict;
    put("note-1", "Nudged", "42");
    put("order-1", "OrderPlaced", "5");
    ck_assert_int_eq(run(), ACTA_CANCELLED);
    ck_assert_str_eq(told("payments-1"), "");
    ck_assert_uint_eq(checkpoint(), 0);
    said_verdict = ACTA_VERDICT_OK;
    must(run());
    ck_assert_str_eq(told("payments-1"), "ProcessStarted Asked:5");
}
END_TEST

/* It is of a note, whose number says how. */
static enum acta_verdict
react_wrongly(const void *state, const struct acta_event *event,
              struct acta_reaction *reaction)
{
    static const char control[] = {1, 0};
    struct acta_draft draft = acta_draft_of("Asked", "1", 1);
    char name[256];

    (void)state;
    memset(name, 'x', 255);
    name[255] = '\0';
    acta_reaction_own(reaction, "Asked", "1");
    switch (atoi(event->stream + strlen("note-"))) {
    case 0:
        acta_reaction_command(reaction, "command", control, "Do", NULL);
        break;
    case 1:
        acta_reaction_command(reaction, "command", name, "Do", NULL);
        break;
    case 2:
        acta_reaction_deadline(reaction, "a/b", 1, "PaymentLate", NULL);
        break;
    case 3:
        acta_reaction_deadline(reaction, name, 1, "PaymentLate", NULL);
        break;
    case 4:
        acta_reaction_deadline(reaction, "now", 1, "Asked", NULL);
        break;
    case 5:
        acta_reaction_emit(reaction, "payments-42", &draft);
        break;
    case 6:
        draft.size--;
        acta_reaction_own_event(reaction, &draft);
        break;
    case 7:
        acta_reaction_deadline(reaction, "", 1, "PaymentLate", NULL);
        break;
    case 8:
        acta_reaction_own(reaction, NULL, NULL);
        break;
    default:
        acta_reaction_own(reaction, "", NULL);
        break;
    }
    return ACTA_VERDICT_OK;
}

#define WAYS_TO_REACT_WRONGLY 10

START_TEST(what_is_wrong_with_a_reaction_makes_its_event_poison)
{
    char stream[16];

    snprintf(stream, sizeof(stream), "note-%d", _i);
    payments_nudge = react_wrongly;
    put(stream, "Nudged", "42");
    must(run());
    ck_assert_uint_eq(status()->parked, 1);
    ck_assert_uint_gt(strlen(status()->error_text), 0);
    ck_assert_str_eq(told("payments-42"), "");
    acta_manager_free(manager);
    manager = NULL;
    options.on_poison = ACTA_POISON_STOPS;
    put(stream, "Nudged", "42");
    ck_assert_int_eq(run(), ACTA_INVALID);
}
END_TEST

START_TEST(a_key_that_is_no_text_makes_its_event_poison)
{
    struct acta_draft draft = acta_draft_of("Nudged", "\x01", 1);

    put_draft("note-1", &draft);
    must(run());
    ck_assert_uint_eq(status()->parked, 1);
}
END_TEST

START_TEST(a_stream_that_is_closed_for_ever_makes_its_events_poison)
{
    put("order-1", "OrderPlaced", "5");
    put("order-2", "OrderPlaced", "5");
    put("command-1", "RequestPayment", "0");
    must(acta_sync_tombstone_stream(sync_, "command-1", ACTA_EXPECT_ANY, NULL,
                                    &err));
    must(run());
    ck_assert_uint_eq(status()->parked, 1);
    ck_assert_str_eq(told("payments-1"), "");
    ck_assert_str_eq(told("payments-2"), "ProcessStarted Asked:5");
}
END_TEST

START_TEST(a_state_that_cannot_be_folded_is_no_reason_to_stop)
{
    put("order-1", "OrderPlaced", "5");
    must(run());
    put("payments-1", "Received", "-1");
    pay("1", "1");
    put("order-2", "OrderPlaced", "5");
    must(run());
    ck_assert_uint_eq(status()->parked, 1);
    ck_assert_str_eq(told("payments-2"), "ProcessStarted Asked:5");
}
END_TEST

/* ---- versions ---- */

static bool
double_it(void *user, const struct acta_event *event, struct acta_bytes *data)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "%ld", 2 * atol(event->data));

    (void)user;
    acta_bytes_put(data, text, (size_t)size);
    return true;
}

START_TEST(events_come_as_the_newest_version_and_are_stored_as_that)
{
    payments_late_ms = 1;
    upcasters = acta_upcasters_new();
    acta_upcasters_add(upcasters, "OrderPlaced", 1, double_it, NULL);
    acta_upcasters_add(upcasters, "Asked", 1, double_it, NULL);
    acta_upcasters_add(upcasters, "PaymentLate", 1, double_it, NULL);
    acta_process_upcasters(process, upcasters);
    put("order-1", "OrderPlaced", "5");
    put("order-2", "OrderPlaced.v2", "5");
    put("order-3", "OrderPlaced.v3", "5");
    must(run());
    ck_assert_str_eq(told("payments-3"), "");
    ck_assert_uint_eq(status()->parked, 1);
    ck_assert_msg(strstr(status()->error_text, "known up to version 2") != NULL,
                  "%s", status()->error_text);
    wait_for_deadlines("PaymentLate", 2);
    must(run());
    ck_assert_str_eq(told("payments-1"),
                     "ProcessStarted Asked.v2:10 PaymentLate.v2 ProcessEnded");
    ck_assert_str_eq(told("payments-2"),
                     "ProcessStarted Asked.v2:5 PaymentLate.v2 ProcessEnded");
    ck_assert_str_eq(told("command-1"), "RequestPayment:10 CancelOrder");
}
END_TEST

/* ---- what is told ---- */

START_TEST(it_is_told_to_those_who_list_projections)
{
    const struct acta_consumer_description *description;

    said_verdict = ACTA_VERDICT_PARK;
    payments_nudge = say_verdict;
    put("order-42", "OrderPlaced", "5");
    put("note-1", "Nudged", "42");
    must(run());
    must(acta_sync_describe_consumer(sync_, "payments", &description, &err));
    ck_assert_msg(strstr(description->consumer->note,
                         "{\"projection\": \"payments\", "
                         "\"state\": \"stopped\", \"events\": 1, "
                         "\"skipped\": 0, \"parked\": 1, \"errors\": 1") !=
                      NULL,
                  "%s", description->consumer->note);
}
END_TEST

/* ---- filling ---- */

static void
fill_wrongly(struct acta_process *filled, int way)
{
    switch (way) {
    case 0:
        acta_process_on(filled, "A", 0, NULL);
        break;
    case 1:
        acta_process_on(filled, "A.v2", ACTA_ROUTE_STARTS, NULL);
        break;
    case 2:
        acta_process_on(filled, "A", ACTA_ROUTE_STARTS, NULL);
        acta_process_on_deadline(filled, "A", ACTA_ROUTE_ENDS, NULL);
        break;
    case 3:
        acta_process_on_deadline(filled, "A", ACTA_ROUTE_STARTS, NULL);
        break;
    case 4:
        acta_process_on(filled, "A", 4, NULL);
        break;
    case 5:
        acta_process_key_tag(filled, "a:");
        break;
    case 6:
        acta_process_on(filled, "A", ACTA_ROUTE_STARTS, NULL);
        acta_process_key_tag(filled, "a:");
        acta_process_key_tag(filled, "b:");
        break;
    case 7:
        acta_process_on_deadline(filled, "A", ACTA_ROUTE_ENDS, NULL);
        acta_process_key_tag(filled, "a:");
        break;
    case 8:
        acta_process_on(filled, "A", ACTA_ROUTE_STARTS, NULL);
        acta_process_key(filled, NULL);
        break;
    case 9:
        acta_process_on(filled, "A", ACTA_ROUTE_STARTS, NULL);
        acta_process_evolve(filled, "ProcessEnded", NULL);
        break;
    case 10:
        acta_process_on(filled, NULL, ACTA_ROUTE_STARTS, NULL);
        break;
    default:
        break; /* It has no route. */
    }
}

#define WAYS_TO_FILL_WRONGLY 12

START_TEST(what_is_wrong_with_a_process_is_told)
{
    struct acta_process *filled = acta_process_new("others", 0);
    struct acta_manager *made;

    fill_wrongly(filled, _i);
    ck_assert_int_eq(acta_process_check(filled, &err), ACTA_INVALID);
    ck_assert_int_eq(acta_manager_new(&made, filled, runs_on, NULL, &err),
                     ACTA_INVALID);
    ck_assert_ptr_null(made);
    acta_process_free(filled);
}
END_TEST

START_TEST(what_is_wrong_with_names_and_options_is_told)
{
    static const char *const names[] = {"", "pay-ments", "\x01"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct acta_process *named = acta_process_new(names[i], 0);

        acta_process_on(named, "A", ACTA_ROUTE_STARTS, NULL);
        ck_assert_int_eq(acta_process_check(named, &err), ACTA_INVALID);
        acta_process_free(named);
    }
    ck_assert_int_eq(acta_process_check(NULL, &err), ACTA_MEMORY);
    options.conflicts_max = 0;
    ck_assert_int_eq(
        acta_manager_new(&manager, process, runs_on, &options, &err),
        ACTA_INVALID);
    options = (struct acta_manager_options){.size = 0};
    ck_assert_int_eq(
        acta_manager_new(&manager, process, runs_on, &options, &err),
        ACTA_INVALID);
    acta_process_free(NULL);
    acta_manager_free(NULL);
}
END_TEST

static void
add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_is_tried_again_follows_once);
    tcase_add_loop_test(tcase, a_parked_event_is_laid_aside_and_nothing_follows,
                        0, 3);
    tcase_add_test(tcase, a_reaction_can_stop_it_all);
    tcase_add_loop_test(tcase,
                        what_is_wrong_with_a_reaction_makes_its_event_poison, 0,
                        WAYS_TO_REACT_WRONGLY);
    tcase_add_test(tcase, a_key_that_is_no_text_makes_its_event_poison);
    tcase_add_test(tcase,
                   a_stream_that_is_closed_for_ever_makes_its_events_poison);
    tcase_add_test(tcase, a_state_that_cannot_be_folded_is_no_reason_to_stop);
    tcase_add_test(tcase,
                   events_come_as_the_newest_version_and_are_stored_as_that);
    tcase_add_test(tcase, it_is_told_to_those_who_list_projections);
}

int
main(void)
{
    Suite *suite = suite_create("process_poison");
    TCase *on_server = tcase_create("server");
    TCase *in_memory = tcase_create("memory");
    TCase *filling = tcase_create("filling");

    tcase_add_checked_fixture(on_server, setup, teardown);
    tcase_add_checked_fixture(in_memory, setup_memory, teardown);
    tcase_add_checked_fixture(filling, setup_memory, teardown);
    add_tests(on_server);
    add_tests(in_memory);
    tcase_add_loop_test(filling, what_is_wrong_with_a_process_is_told, 0,
                        WAYS_TO_FILL_WRONGLY);
    tcase_add_test(filling, what_is_wrong_with_names_and_options_is_told);
    suite_add_tcase(suite, in_memory);
    suite_add_tcase(suite, on_server);
    suite_add_tcase(suite, filling);
    return run_suite(suite);
}
