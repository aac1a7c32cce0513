/* Process managers as their authors see them: each test in front of a whole
 * server, and of a store in memory.
 */

#include <acta/acta_schedule.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "manage.h"
#include "run.h"

/* ---- what follows ---- */

START_TEST(an_event_starts_an_instance_and_all_follows)
{
    put("order-42", "OrderPlaced", "5");
    must(run());
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:5");
    ck_assert_str_eq(told("command-42"), "RequestPayment:5");
    ck_assert_str_eq(scheduled(), "payments-42/payment");
    ck_assert_uint_eq(checkpoint(), head());
    ck_assert_uint_eq(status()->handled, 1);
    ck_assert_uint_eq(status()->started, 1);
    ck_assert_uint_eq(status()->stored, 3);
    ck_assert_uint_eq(status()->deadlines, 1);
    ck_assert_uint_eq(status()->ended, 0);
}
END_TEST

START_TEST(an_event_ends_an_instance_and_its_deadline_is_cancelled)
{
    put("order-42", "OrderPlaced", "5");
    pay("42", "3");
    pay("42", "2");
    must(run());
    ck_assert_str_eq(
        told("payments-42"),
        "ProcessStarted Asked:5 Received:3 Received:2 ProcessEnded");
    ck_assert_str_eq(scheduled(), "");
    ck_assert_uint_eq(status()->ended, 1);
}
END_TEST

START_TEST(an_instance_that_is_not_there_or_ended_ignores_events)
{
    pay("42", "5");
    put("order-42", "OrderCancelled", "");
    put("order-42", "OrderPlaced", "5");
    put("order-42", "OrderCancelled", "");
    pay("42", "5");
    put("order-42", "OrderPlaced", "5");
    must(run());
    ck_assert_str_eq(told("payments-42"),
                     "ProcessStarted Asked:5 ProcessEnded");
    ck_assert_str_eq(told("command-42"), "RequestPayment:5");
    ck_assert_uint_eq(status()->handled, 6);
    ck_assert_uint_eq(status()->ignored, 4);
    ck_assert_uint_eq(checkpoint(), head());
}
END_TEST

START_TEST(a_deadline_comes_back_as_an_event_of_the_instance)
{
    payments_late_ms = 1;
    put("order-42", "OrderPlaced", "5");
    must(run());
    wait_for_deadlines("PaymentLate", 1);
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:5 PaymentLate");
    must(run());
    ck_assert_str_eq(told("payments-42"),
                     "ProcessStarted Asked:5 PaymentLate ProcessEnded");
    ck_assert_str_eq(told("command-42"), "RequestPayment:5 CancelOrder");
    ck_assert_uint_eq(status()->ended, 1);
}
END_TEST

/* Another process has an event of the same type. */
START_TEST(a_deadline_of_others_is_none)
{
    put("order-42", "OrderPlaced", "5");
    put("others-42", "PaymentLate", "");
    must(run());
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:5");
    ck_assert_uint_eq(status()->handled, 1);
}
END_TEST

static enum acta_verdict
set_deadlines(const void *state, const struct acta_event *event,
              struct acta_reaction *reaction)
{
    struct acta_draft draft = acta_draft_of("PaymentLate", "2", 1);

    (void)state;
    acta_reaction_deadline(reaction, "a", 3600000, "PaymentLate", "1");
    acta_reaction_deadline_at(reaction, "b", event->time_us + 3600000000,
                              &draft);
    acta_reaction_deadline(reaction, "c", 3600000, "PaymentLate", NULL);
    acta_reaction_cancel(reaction, "c");
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
change_deadlines(const void *state, const struct acta_event *event,
                 struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    acta_reaction_cancel(reaction, "a");
    acta_reaction_cancel(reaction, "b");
    acta_reaction_deadline(reaction, "b", 7200000, "PaymentLate", "3");
    acta_reaction_cancel(reaction, "never");
    return ACTA_VERDICT_OK;
}

START_TEST(deadlines_count_from_the_event_and_are_replaced)
{
    const struct acta_schedules *page;
    const struct acta_event *event;
    uint64_t time_us;

    payments_nudge = set_deadlines;
    put("note-1", "Nudged", "42");
    must(run());
    ck_assert_str_eq(scheduled(), "payments-42/a payments-42/b");
    payments_nudge = change_deadlines;
    put("note-1", "Nudged", "42");
    must(run());
    must(acta_sync_read_version(sync_, "note-1", 2, &event, &err));
    time_us = event->time_us;
    must(acta_sync_list_schedules(sync_, NULL, NULL, 0, &page, &err));
    ck_assert_uint_eq(page->schedules_count, 1);
    ck_assert_str_eq(page->schedules[0]->name, "payments-42/b");
    ck_assert_uint_eq(page->schedules[0]->due_us,
                      time_us + UINT64_C(7200000000));
    ck_assert_str_eq(page->schedules[0]->stream, "payments-42");
}
END_TEST

static enum acta_verdict
note_it(const void *state, const struct acta_event *event,
        struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    acta_reaction_note(reaction, "by", "test");
    acta_reaction_own(reaction, "Asked", "1");
    acta_reaction_command(reaction, "command", "7", "Do", NULL);
    acta_reaction_deadline(reaction, "now", 0, "PaymentLate", NULL);
    return ACTA_VERDICT_OK;
}

static void
expect_caused(const char *stream, uint64_t version, const struct acta_id *cause,
              const struct acta_id *correlation)
{
    const struct acta_event *event;

    must(acta_sync_read_version(sync_, stream, version, &event, &err));
    ck_assert_mem_eq(event->causation_id, cause, sizeof(*cause));
    ck_assert_mem_eq(event->correlation_id, correlation, sizeof(*correlation));
    ck_assert_str_eq(event->metadata,
                     "{\"traceparent\": \"00-1-2-01\", \"by\": \"test\"}");
    ck_assert_int_eq(event->id->bytes[6] >> 4, 5);
}

START_TEST(where_it_comes_from_passes_to_all_that_follows)
{
    static const char metadata[] = "{\"traceparent\": \"00-1-2-01\"}";
    struct acta_draft draft = acta_draft_of("Nudged", "42", 2);
    struct acta_id id, correlation;

    must(acta_id_new(&id, &err));
    must(acta_id_new(&correlation, &err));
    draft.id = &id;
    draft.correlation_id = &correlation;
    draft.metadata = metadata;
    draft.metadata_size = sizeof(metadata) - 1;
    payments_nudge = note_it;
    put_draft("note-1", &draft);
    must(run());
    wait_for_deadlines("PaymentLate", 1);
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:1 PaymentLate");
    for (uint64_t version = 1; version <= 3; version++) {
        expect_caused("payments-42", version, &id, &correlation);
    }
    expect_caused("command-7", 1, &id, &correlation);
}
END_TEST

/* As python3 -c 'import uuid; print(uuid.uuid5(uuid.UUID(...), NAME))' has it.
 */
START_TEST(ids_are_made_from_that_of_the_event)
{
    static const struct {
        const char *stream;
        uint64_t version;
        const char *id;
    } wanted[] = {
        {"payments-42", 1, "09efb97e-38ae-5baa-83cf-a8d364f67ac8"},
        {"payments-42", 2, "9f8d56c2-baac-5fa7-af7c-5cec919404ac"},
        {"command-7", 1, "973d2038-bffe-5d9b-a426-5e74666b2fd3"},
        {"payments-42", 3, "fd6cf43f-b5d9-5393-ba96-6a1b5a927e72"},
    };
    struct acta_draft draft = acta_draft_of("Nudged", "42", 2);
    const struct acta_appended *appended;
    const struct acta_event *event;
    char text[ACTA_ID_TEXT_SIZE];
    struct acta_id id;

    ck_assert(acta_id_parse(&id, "0190163d-8694-739b-aea5-966c26f8ad91"));
    draft.id = &id;
    payments_nudge = note_it;
    put_draft("note-1", &draft);
    must(run());
    wait_for_deadlines("PaymentLate", 1);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        must(acta_sync_read_version(sync_, wanted[i].stream, wanted[i].version,
                                    &event, &err));
        acta_id_format(event->id, text);
        ck_assert_str_eq(text, wanted[i].id);
    }
    ck_assert(acta_id_parse(&id, "8ed89e48-2cca-551d-b554-fcfacf0c08fc"));
    must(acta_sync_find_command(sync_, &id, &appended, &err));
    ck_assert_uint_eq(appended->runs_count, 2);
}
END_TEST

/* ---- states ---- */

static long received_so_far;

static enum acta_verdict
look_at_state(const void *state, const struct acta_event *event,
              struct acta_reaction *reaction)
{
    const struct payment *payment = state;

    (void)event;
    (void)reaction;
    received_so_far = payment->received;
    return ACTA_VERDICT_OK;
}

START_TEST(states_are_folded_from_the_instance_alone_however_few_are_kept)
{
    char key[16];

    options.states_max = (size_t)_i;
    payments_nudge = look_at_state;
    for (int i = 1; i <= 5; i++) {
        snprintf(key, sizeof(key), "%d", i);
        put(i % 2 == 0 ? "order-2" : "order-1", "OrderPlaced", "9");
    }
    must(run());
    for (int i = 0; i < 3; i++) {
        pay("1", "2");
        pay("2", "1");
    }
    put("note-1", "Nudged", "1");
    must(run());
    ck_assert_int_eq(received_so_far, 6);
    ck_assert_int_le(payments_states, _i);
    put("note-1", "Nudged", "2");
    must(run());
    ck_assert_int_eq(received_so_far, 3);
    ck_assert_uint_eq(status()->ignored, 3);
    ck_assert_uint_eq(status()->started, 2);
}
END_TEST

/* ---- once ---- */

/* The consumer is set back, as by an operator. */
static void
reset(uint64_t position)
{
    must(acta_sync_reset_consumer(sync_, "payments", position, NULL, &err));
}

START_TEST(what_followed_before_does_not_follow_again)
{
    uint64_t before;

    put("order-1", "OrderPlaced", "5");
    put("order-2", "OrderPlaced", "6");
    pay("1", "3");
    must(run());
    before = head();
    reset(0);
    must(run());
    ck_assert_uint_eq(head(), before);
    ck_assert_uint_eq(checkpoint(), before);
    ck_assert_uint_eq(status()->repeated, 1);
    ck_assert_str_eq(scheduled(), "payments-1/payment payments-2/payment");
}
END_TEST

static enum acta_verdict
set_one_deadline(const void *state, const struct acta_event *event,
                 struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    acta_reaction_deadline(reaction, "remind", 0, "Reminder", NULL);
    return ACTA_VERDICT_OK;
}

/* No event is stored with the deadline that would tell that it was made. */
START_TEST(a_deadline_that_has_passed_is_not_made_again)
{
    put("order-42", "OrderPlaced", "5");
    payments_nudge = set_one_deadline;
    put("note-1", "Nudged", "42");
    must(run());
    wait_for_deadlines("Reminder", 1);
    must(run());
    ck_assert_uint_eq(status()->repeated, 0);
    reset(1);
    must(run());
    ck_assert_uint_eq(status()->repeated, 2);
    ck_assert_str_eq(scheduled(), "payments-42/payment");
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:5 Reminder");
    ck_assert_str_eq(told("command-42"), "RequestPayment:5 Remind");
    ck_assert_uint_eq(checkpoint(), head());
}
END_TEST

/* ---- others ---- */

static unsigned writes_left;

/* Somebody writes to the stream of the instance, while it is reacted. */
static void
write_between(void)
{
    if (writes_left > 0) {
        writes_left--;
        put("payments-42", "Received", "1");
    }
}

START_TEST(a_reaction_is_asked_for_again_when_the_stream_has_changed)
{
    put("order-42", "OrderPlaced", "5");
    must(run());
    payments_before_reacting = write_between;
    writes_left = 2;
    pay("42", "3");
    must(run());
    ck_assert_uint_eq(status()->conflicts, 2);
    ck_assert_str_eq(
        told("payments-42"),
        "ProcessStarted Asked:5 Received:1 Received:1 Received:3 ProcessEnded");
}
END_TEST

START_TEST(a_reaction_without_own_events_is_of_the_state_that_it_saw)
{
    put("order-42", "OrderPlaced", "5");
    must(run());
    payments_nudge = set_one_deadline;
    payments_before_reacting = write_between;
    writes_left = 1;
    put("note-1", "Nudged", "42");
    must(run());
    ck_assert_uint_eq(status()->conflicts, 1);
}
END_TEST

START_TEST(there_is_an_end_to_conflicts)
{
    options.conflicts_max = 3;
    put("order-42", "OrderPlaced", "5");
    must(run());
    payments_before_reacting = write_between;
    writes_left = 3;
    pay("42", "3");
    ck_assert_int_eq(run(), ACTA_CONFLICT);
    ck_assert_uint_eq(writes_left, 0);
    ck_assert_uint_eq(status()->conflicts, 3);
    ck_assert_uint_eq(checkpoint() < head(), true);
    must(run());
    ck_assert_uint_eq(checkpoint(), head());
}
END_TEST

/* Another one claims the consumer, and does all that there is to do. */
static void
take_over(void)
{
    struct acta_sync *other_sync = connect_to_it();
    struct acta_manager *other;

    payments_before_reacting = NULL;
    must(acta_manager_new(&other, process, other_sync, &options, &err));
    must(acta_manager_run(other, &err));
    acta_manager_free(other);
    acta_sync_close(other_sync);
}

START_TEST(who_is_taken_over_from_stops_and_has_no_effect)
{
    put("order-42", "OrderPlaced", "5");
    must(run());
    payments_before_reacting = take_over;
    pay("42", "3");
    ck_assert_int_eq(run(), ACTA_FENCED);
    ck_assert_msg(strstr(err.text, "another instance has taken over") != NULL,
                  "%s", err.text);
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:5 Received:3");
    must(run());
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:5 Received:3");
}
END_TEST

static void
claim(void)
{
    payments_before_reacting = NULL;
    must(acta_sync_claim(sync_, "payments", NULL, 0, NULL, &err));
}

START_TEST(a_claim_alone_keeps_what_would_follow_from_being_stored)
{
    put("order-42", "OrderPlaced", "5");
    payments_before_reacting = claim;
    ck_assert_int_eq(run(), ACTA_FENCED);
    ck_assert_str_eq(told("payments-42"), "");
    ck_assert_str_eq(told("command-42"), "");
    ck_assert_str_eq(scheduled(), "");
    ck_assert_uint_eq(checkpoint(), 0);
}
END_TEST

/* Somebody moves the checkpoint who knows the epoch. */
static void
move_checkpoint(void)
{
    const struct acta_consumer_description *description;
    struct acta_append *append = acta_append_new();

    payments_before_reacting = NULL;
    must(acta_sync_describe_consumer(sync_, "payments", &description, &err));
    acta_append_checkpoint(append, "payments", description->consumer->epoch,
                           ACTA_FROM_ANY, 1);
    must(acta_sync_append(sync_, append, NULL, &err));
    acta_append_free(append);
}

START_TEST(a_checkpoint_is_moved_from_where_it_is_known_to_be)
{
    put("order", "OrderPlaced", "5"); /* It has no key. */
    put("order-42", "OrderPlaced", "5");
    payments_before_reacting = move_checkpoint;
    ck_assert_int_eq(run(), ACTA_CONFLICT);
    ck_assert_str_eq(told("payments-42"), "");
    ck_assert_uint_eq(checkpoint(), 1);
    must(run());
    ck_assert_str_eq(told("payments-42"), "ProcessStarted Asked:5");
}
END_TEST

/* ---- events that nothing follows from ---- */

START_TEST(events_of_no_instance_are_passed_over_without_a_write)
{
    uint64_t before;

    for (int i = 0; i < 50; i++) {
        put("payment-1", "PaymentReceived", "1"); /* It has no tag. */
        put("order", "OrderPlaced", "5");         /* No key. */
        put("order-7", "OrderShipped", "");       /* No route. */
    }
    before = head();
    must(run());
    ck_assert_uint_eq(head(), before);
    ck_assert_uint_eq(checkpoint(), before);
    ck_assert_uint_eq(status()->handled, 0);
    ck_assert_uint_eq(status()->ignored, 0);
    ck_assert_uint_eq(status()->stored, 0);
}
END_TEST

START_TEST(a_new_process_begins_where_it_is_told)
{
    put("order-1", "OrderPlaced", "5");
    put("order-2", "OrderPlaced", "5");
    options.position = 1;
    must(run());
    ck_assert_str_eq(told("payments-1"), "");
    ck_assert_str_eq(told("payments-2"), "ProcessStarted Asked:5");
}
END_TEST

static void
add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_event_starts_an_instance_and_all_follows);
    tcase_add_test(tcase,
                   an_event_ends_an_instance_and_its_deadline_is_cancelled);
    tcase_add_test(tcase,
                   an_instance_that_is_not_there_or_ended_ignores_events);
    tcase_add_test(tcase, a_deadline_comes_back_as_an_event_of_the_instance);
    tcase_add_test(tcase, a_deadline_of_others_is_none);
    tcase_add_test(tcase, deadlines_count_from_the_event_and_are_replaced);
    tcase_add_test(tcase, where_it_comes_from_passes_to_all_that_follows);
    tcase_add_test(tcase, ids_are_made_from_that_of_the_event);
    tcase_add_loop_test(
        tcase, states_are_folded_from_the_instance_alone_however_few_are_kept,
        1, 3);
    tcase_add_test(tcase, what_followed_before_does_not_follow_again);
    tcase_add_test(tcase, a_deadline_that_has_passed_is_not_made_again);
    tcase_add_test(tcase,
                   a_reaction_is_asked_for_again_when_the_stream_has_changed);
    tcase_add_test(tcase,
                   a_reaction_without_own_events_is_of_the_state_that_it_saw);
    tcase_add_test(tcase, there_is_an_end_to_conflicts);
    tcase_add_test(tcase, who_is_taken_over_from_stops_and_has_no_effect);
    tcase_add_test(tcase,
                   a_claim_alone_keeps_what_would_follow_from_being_stored);
    tcase_add_test(tcase, a_checkpoint_is_moved_from_where_it_is_known_to_be);
    tcase_add_test(tcase,
                   events_of_no_instance_are_passed_over_without_a_write);
    tcase_add_test(tcase, a_new_process_begins_where_it_is_told);
}

int
main(void)
{
    Suite *suite = suite_create("process");
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
