/* Given, when, then: stories that are as they are told, and what is said of
 * those that are not.
 */

#include <acta/acta_kit.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "bank.h"
#include "run.h"

static struct acta_decider *decider;
static struct acta_upcasters *upcasters;
static struct acta_kit *kit;

static void
begin(uint64_t every)
{
    acta_kit_free(kit);
    acta_decider_free(decider);
    decider = bank_decider_new(every, 1, upcasters);
    kit = acta_kit_of_decider(decider);
}

static void
setup(void)
{
    bank_states = 0;
    decider = NULL;
    kit = NULL;
    upcasters = NULL;
    begin(0);
}

static void
teardown(void)
{
    acta_kit_free(kit);
    acta_decider_free(decider);
    acta_upcasters_free(upcasters);
    ck_assert_int_eq(bank_states, 0);
}

#define ENDS_WELL()     ck_assert_str_eq(acta_kit_end(kit), "")
#define ENDS_WITH(text) ck_assert_str_eq(acta_kit_end(kit), text)

/* ---- stories that are as they should be ---- */

START_TEST(events_that_are_expected_are_no_surprise)
{
    acta_given(kit, "Opened", NULL);
    acta_given(kit, "Deposited", "500");
    acta_when(kit, "Close", "42", NULL);
    acta_then(kit, "Withdrawn", "500");
    acta_then(kit, "Closed", NULL);
    ENDS_WELL();
}
END_TEST

START_TEST(refusal_that_is_expected_is_no_surprise)
{
    acta_given(kit, "Deposited", "500");
    acta_when(kit, "Withdraw", "42", "700");
    acta_then_refused(kit, "too_little");
    ENDS_WELL();
    acta_when(kit, "Withdraw", "42", "1");
    acta_then_refused_field(kit, "too_little", "cents");
    ENDS_WELL();
}
END_TEST

START_TEST(nothing_is_something_to_expect)
{
    acta_given(kit, "Opened", NULL);
    acta_when(kit, "Deposit", "42", "0");
    acta_then_nothing(kit);
    ENDS_WELL();
}
END_TEST

START_TEST(event_can_be_told_in_all_that_it_is)
{
    struct acta_draft draft = acta_draft_of("Deposited", "5", 1);

    draft.format = ACTA_FORMAT_JSON;
    acta_given(kit, "Opened", NULL);
    acta_when(kit, "Deposit", "42", "5");
    acta_then_event(kit, "account-42", &draft);
    ENDS_WELL();
    acta_given(kit, "Opened", NULL);
    acta_when(kit, "Deposit", "42", "5");
    acta_then_event(kit, "account-43", &draft);
    ENDS_WITH("event 1 is\n    Deposited 5\nand not\n    Deposited 5 in "
              "account-43");
    draft.format = ACTA_FORMAT_MSGPACK;
    acta_given(kit, "Opened", NULL);
    acta_when(kit, "Deposit", "42", "5");
    acta_then_event(kit, NULL, &draft);
    ENDS_WITH("event 1 is\n    Deposited 5\nand not\n    Deposited (1 bytes)");
}
END_TEST

static bool
in_cents(void *user, const struct acta_event *old, struct acta_bytes *data)
{
    (void)user;
    acta_bytes_put(data, old->data, old->data_size);
    acta_bytes_put(data, "00", 2);
    return true;
}

START_TEST(versions_are_those_that_are_stored)
{
    upcasters = acta_upcasters_new();
    acta_upcasters_add(upcasters, "Deposited", 1, in_cents, NULL);
    begin(0);
    acta_given(kit, "Opened", NULL);
    acta_given(kit, "Deposited", "3");
    acta_given(kit, "Deposited.v2", "4");
    acta_when(kit, "Withdraw", "42", "304");
    acta_then(kit, "Withdrawn", "304");
    ENDS_WELL();
    acta_given(kit, "Opened", NULL);
    acta_when(kit, "Deposit", "42", "1");
    acta_then(kit, "Deposited.v2", "1");
    ENDS_WELL();
    acta_given(kit, "Deposited.v3", "4");
    acta_when(kit, "Withdraw", "42", "1");
    acta_then(kit, "Withdrawn", "1");
    ENDS_WITH("UNSUPPORTED: event at position 1 of stream account-42 is a "
              "Deposited.v3, known up to version 2");
}
END_TEST

/* ---- stories that are not ---- */

START_TEST(event_that_is_another_is_told)
{
    acta_given(kit, "Opened", NULL);
    acta_when(kit, "Deposit", "42", "500");
    acta_then(kit, "Deposited", "501");
    ENDS_WITH("event 1 is\n    Deposited 500\nand not\n    Deposited 501");
    acta_given(kit, "Opened", NULL);
    acta_when(kit, "Deposit", "42", "500");
    acta_then(kit, "Withdrawn", "500");
    ENDS_WITH("event 1 is\n    Deposited 500\nand not\n    Withdrawn 500");
}
END_TEST

START_TEST(event_that_is_missing_is_told)
{
    acta_given(kit, "Opened", NULL);
    acta_when(kit, "Deposit", "42", "5");
    acta_then(kit, "Deposited", "5");
    acta_then(kit, "Thanked", NULL);
    ENDS_WITH("there is no event 2:\n    Thanked");
}
END_TEST

START_TEST(event_that_is_one_too_many_is_told)
{
    acta_given(kit, "Opened", NULL);
    acta_given(kit, "Deposited", "5");
    acta_when(kit, "Close", "42", NULL);
    acta_then(kit, "Withdrawn", "5");
    ENDS_WITH("there is one more event:\n    Closed");
    acta_when(kit, "Open", "42", NULL);
    acta_then_nothing(kit);
    ENDS_WITH("there is one more event:\n    Opened");
}
END_TEST

START_TEST(refusal_that_is_another_is_told)
{
    acta_when(kit, "Close", "42", NULL);
    acta_then_refused(kit, "too_late");
    ENDS_WITH("it is refused: not_open (it is not open)\nand not: too_late");
    acta_when(kit, "Withdraw", "42", "5");
    acta_then_refused_field(kit, "too_little", "name");
    ENDS_WITH("to blame is \"cents\" and not \"name\"");
    acta_when(kit, "Withdraw", "42", "5");
    acta_then(kit, "Withdrawn", "5");
    ENDS_WITH("it is refused: too_little (there are only 0)");
    acta_when(kit, "Open", "42", NULL);
    acta_then_refused(kit, "too_late");
    ENDS_WITH("it is accepted, and not refused: too_late");
}
END_TEST

START_TEST(story_without_a_command_or_an_expectation_is_none)
{
    acta_given(kit, "Opened", NULL);
    ENDS_WITH("nothing was done");
    acta_when(kit, "Open", "42", NULL);
    ENDS_WITH("nothing is expected, not even that nothing happens");
    acta_when(kit, "Open", "42", NULL);
    acta_when(kit, "Close", "42", NULL);
    acta_then(kit, "Opened", NULL);
    ENDS_WITH("a story has one command, Close is a second");
    acta_when(kit, "Steal", "42", NULL);
    acta_then_nothing(kit);
    ENDS_WITH("no command Steal is known");
    acta_when(kit, "BreakDown", "42", NULL);
    acta_then_nothing(kit);
    ENDS_WITH("IO: no luck");
    acta_kit_tag(kit, "lonely");
    acta_when(kit, "Open", "42", NULL);
    acta_then(kit, "Opened", NULL);
    ENDS_WITH("a tag comes before its event, or is one too many");
    ck_assert_str_eq(acta_kit_end(NULL), "out of memory");
}
END_TEST

/* ---- JSON ---- */

static const struct {
    const char *said;
    const char *expected;
    bool is_same;
} jsons[] = {
    {"{\"a\": 1}", "{\"a\":1}", true},
    {"{\"a\": 1}", " {\n\t\"a\" : 1 } ", true},
    {"{\"a\": \"b c\"}", "{\"a\":\"bc\"}", false},
    {"{\"a\": \"b\\\" c\"}", "{\"a\":\"b\\\" c\"}", true},
    {"{\"a\": \"b\\\" c\"}", "{\"a\":\"b\\\"c\"}", false},
    {"[1, 2]", "[1, 2, 3]", false},
    {"[1, 2]", "[1]", false},
    {"\"\\\\\" ", "\"\\\\\"", true},
};

static void
echo(const void *state, const struct acta_command *command,
     struct acta_decision *decision)
{
    (void)state;
    acta_decision_json(decision, "Said", command->data);
}

START_TEST(json_is_compared_without_its_white_space)
{
    struct acta_decider *parrot = acta_decider_new("parrot", 0);
    const char *told;

    acta_decider_on_command(parrot, "Say", echo);
    acta_kit_free(kit);
    kit = acta_kit_of_decider(parrot);
    acta_when(kit, "Say", "1", jsons[_i].said);
    acta_then(kit, "Said", jsons[_i].expected);
    told = acta_kit_end(kit);
    ck_assert_msg((told[0] == '\0') == jsons[_i].is_same, "%s", told);
    acta_decider_free(parrot);
}
END_TEST

/* ---- snapshots ---- */

START_TEST(decision_from_a_snapshot_is_the_same)
{
    begin(1);
    acta_given(kit, "Opened", NULL);
    acta_given(kit, "Deposited", "500");
    acta_when(kit, "Withdraw", "42", "300");
    acta_then(kit, "Withdrawn", "300");
    ENDS_WELL();
}
END_TEST

static bool
put_nothing(const void *state, struct acta_bytes *bytes)
{
    (void)state;
    (void)bytes;
    return true;
}

static bool
forget(void *state, const void *data, size_t size)
{
    (void)state;
    (void)data;
    return size == 0;
}

START_TEST(snapshot_that_forgets_is_found_out)
{
    acta_decider_snapshots(decider, 1, 1, put_nothing, forget);
    acta_given(kit, "Opened", NULL);
    acta_given(kit, "Deposited", "500");
    acta_when(kit, "Withdraw", "42", "300");
    acta_then(kit, "Withdrawn", "300");
    ENDS_WITH("decided from a snapshot, it is refused: too_little");
    acta_given(kit, "Opened", NULL);
    acta_given(kit, "Deposited", "500");
    acta_when(kit, "Open", "42", NULL);
    acta_then_refused(kit, "is_open");
    ENDS_WITH("decided from a snapshot, it is not refused");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("kit");
    TCase *tcase = tcase_create("kit");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, events_that_are_expected_are_no_surprise);
    tcase_add_test(tcase, refusal_that_is_expected_is_no_surprise);
    tcase_add_test(tcase, nothing_is_something_to_expect);
    tcase_add_test(tcase, event_can_be_told_in_all_that_it_is);
    tcase_add_test(tcase, versions_are_those_that_are_stored);
    tcase_add_test(tcase, event_that_is_another_is_told);
    tcase_add_test(tcase, event_that_is_missing_is_told);
    tcase_add_test(tcase, event_that_is_one_too_many_is_told);
    tcase_add_test(tcase, refusal_that_is_another_is_told);
    tcase_add_test(tcase, story_without_a_command_or_an_expectation_is_none);
    tcase_add_loop_test(tcase, json_is_compared_without_its_white_space, 0,
                        (int)(sizeof(jsons) / sizeof(jsons[0])));
    tcase_add_test(tcase, decision_from_a_snapshot_is_the_same);
    tcase_add_test(tcase, snapshot_that_forgets_is_found_out);
    return run_suite(suite);
}
