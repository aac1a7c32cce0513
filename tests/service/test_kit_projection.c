/* Tests of projections as their authors write them, and that they fail. */

#include <acta/acta_kit_projection.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

static struct acta_projection *projection;
static struct acta_kit_projection *kit;

/* A model: a number that is summed up, in transactions. */
static struct {
    long sum;
    long before; /* When the transaction began. */
    uint64_t position;
    unsigned mails;
} model;

static enum acta_code
load(void *user, const char *name, uint64_t *position, struct acta_err *err)
{
    (void)user;
    (void)name;
    (void)err;
    *position = model.position;
    return ACTA_OK;
}

static enum acta_code
begin(void *user, const char *name, struct acta_err *err)
{
    (void)user;
    (void)name;
    (void)err;
    model.before = model.sum;
    return ACTA_OK;
}

static enum acta_code
save(void *user, const char *name, uint64_t position, struct acta_err *err)
{
    (void)user;
    (void)name;
    (void)err;
    model.position = position;
    return ACTA_OK;
}

static enum acta_code
commit(void *user, struct acta_err *err)
{
    (void)user;
    (void)err;
    return ACTA_OK;
}

static void
rollback(void *user)
{
    (void)user;
    model.sum = model.before;
}

static enum acta_verdict
on_paid(void *user, struct acta_context *context,
        const struct acta_event *event)
{
    long cents = 0;

    (void)user;
    model.sum +=
        sscanf(event->data, "{\"cents\": %ld}", &cents) == 1 ? cents : 1000;
    if (!acta_context_is_replaying(context)) {
        model.mails++;
    }
    return cents > 0
               ? ACTA_VERDICT_OK
               : acta_context_fail(context, ACTA_VERDICT_PARK, "no cents");
}

static enum acta_verdict
on_placed(void *user, struct acta_context *context,
          const struct acta_event *event)
{
    struct acta_draft draft =
        acta_draft_of("Billed", event->data, event->data_size);

    (void)user;
    acta_context_emit(context, "bill-1", &draft);
    return ACTA_VERDICT_OK;
}

static void
setup(void)
{
    memset(&model, 0, sizeof(model));
    projection = acta_projection_new("orders");
    acta_projection_on(projection, "Paid", on_paid, NULL);
    acta_projection_on(projection, "Placed", on_placed, NULL);
    kit = acta_kit_of_projection(projection);
}

static void
setup_model(void)
{
    struct acta_keeper keeper = acta_keeper_of(NULL);

    setup();
    keeper.load = load;
    keeper.begin = begin;
    keeper.save = save;
    keeper.commit = commit;
    keeper.rollback = rollback;
    acta_projection_keep(projection, &keeper);
}

static void
teardown(void)
{
    acta_kit_projection_free(kit);
    acta_projection_free(projection);
}

static void
expect(const char *text)
{
    ck_assert_str_eq(acta_kit_projection_end(kit), text);
}

START_TEST(what_is_handled_is_in_the_model)
{
    acta_kit_projection_when(kit, "Paid", "{\"cents\": 300}");
    acta_kit_projection_when(kit, "Shipped", NULL); /* Nobody handles it. */
    acta_kit_projection_when(kit, "Paid", "{\"cents\": 40}");
    expect("");
    ck_assert_int_eq(model.sum, 340);
    ck_assert_uint_eq(model.position, 3);
    ck_assert_uint_eq(model.mails, 2);
}
END_TEST

START_TEST(what_is_parked_is_rolled_back)
{
    acta_kit_projection_when(kit, "Paid", "{\"cents\": 300}");
    acta_kit_projection_when(kit, "Paid", "{}");
    acta_kit_projection_then(kit, ACTA_VERDICT_PARK);
    expect("");
    ck_assert_int_eq(model.sum, 300);
}
END_TEST

START_TEST(an_event_can_be_replayed)
{
    acta_kit_projection_replays(kit, true);
    acta_kit_projection_when(kit, "Paid", "{\"cents\": 300}");
    expect("");
    ck_assert_uint_eq(model.mails, 0);
}
END_TEST

START_TEST(a_verdict_that_was_not_expected_is_told)
{
    acta_kit_projection_when(kit, "Paid", "{}");
    expect("event 1: PARK, no cents, expected is OK");
    acta_kit_projection_when(kit, "Paid", "{\"cents\": 300}");
    acta_kit_projection_then(kit, ACTA_VERDICT_RETRY);
    expect("event 2: OK, expected is RETRY");
    expect("");
}
END_TEST

START_TEST(what_is_emitted_is_compared)
{
    acta_kit_projection_when(kit, "Placed", "{\"n\": 1}");
    acta_kit_projection_emits(kit, "bill-1", "Billed", "{ \"n\":1 }");
    expect("");
    acta_kit_projection_when(kit, "Placed", "1");
    expect("event 2 emits Billed 1 to bill-1, which is not expected");
    acta_kit_projection_when(kit, "Placed", "1");
    acta_kit_projection_emits(kit, "bill-1", "Billed", "2");
    expect("event 3 emits Billed 1 to bill-1, expected is Billed 2 to bill-1");
    acta_kit_projection_when(kit, "Paid", "{\"cents\": 1}");
    acta_kit_projection_emits(kit, "bill-1", "Billed", "2");
    expect("event 4 does not emit Billed 2 to bill-1");
}
END_TEST

START_TEST(a_model_that_keeps_the_checkpoint_emits_nothing)
{
    acta_kit_projection_when(kit, "Placed", "1");
    expect("event 1: nothing can be emitted: the model keeps the checkpoint");
}
END_TEST

START_TEST(no_kit_is_no_memory)
{
    acta_kit_projection_when(NULL, "Placed", "1");
    acta_kit_projection_then(NULL, ACTA_VERDICT_OK);
    ck_assert_str_eq(acta_kit_projection_end(NULL), "there is no memory");
}
END_TEST

static Suite *
kit_projection_suite(void)
{
    Suite *suite = suite_create("kit_projection");
    TCase *with_model = tcase_create("with a model");
    TCase *without = tcase_create("without a model");

    tcase_add_checked_fixture(with_model, setup_model, teardown);
    tcase_add_test(with_model, what_is_handled_is_in_the_model);
    tcase_add_test(with_model, what_is_parked_is_rolled_back);
    tcase_add_test(with_model, a_model_that_keeps_the_checkpoint_emits_nothing);
    tcase_add_checked_fixture(without, setup, teardown);
    tcase_add_test(without, an_event_can_be_replayed);
    tcase_add_test(without, a_verdict_that_was_not_expected_is_told);
    tcase_add_test(without, what_is_emitted_is_compared);
    tcase_add_test(without, no_kit_is_no_memory);
    suite_add_tcase(suite, with_model);
    suite_add_tcase(suite, without);
    return suite;
}

int
main(void)
{
    return run_suite(kit_projection_suite());
}
