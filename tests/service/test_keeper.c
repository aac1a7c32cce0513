/* Projections whose model fails: a keeper of the test's own, whose calls fail
 * as it is told, over a store in memory.
 */

#include <acta/acta_memory.h>
#include <acta/acta_projection.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

#define EVENTS 5

static struct acta_memory *memory;
static struct acta_sync *sync_;
static struct acta_projection *projection;
static struct acta_projector *projector;
static struct acta_projector_options options;
static struct acta_err err;

/* The model counts the events that it was told of, in transactions. */
struct model {
    unsigned count;
    uint64_t position;
};
static struct model stored;
static struct model open_; /* In the transaction. */
static bool is_open;

/* Calls, counted, and those that fail: from the first of these numbers on, so
 * many times.
 */
struct call {
    unsigned calls;
    unsigned fail_from;
    unsigned fail_times;
};
static struct call loads, begins, commits;
static bool fails_when_done; /* A commit that fails was done all the same, */
static bool is_late;         /* though only when the next transaction begins. */
static bool is_under_way;    /* Such a one is. */

static bool
is_to_fail(struct call *call)
{
    call->calls++;
    return call->calls >= call->fail_from &&
           call->calls < call->fail_from + call->fail_times;
}

static enum acta_code
load(void *user, const char *name, uint64_t *position, struct acta_err *why)
{
    (void)user;
    (void)name;
    *position = is_open ? open_.position : stored.position;
    return is_to_fail(&loads) ? acta_fail(why, ACTA_IO, "no load") : ACTA_OK;
}

static enum acta_code
begin(void *user, const char *name, struct acta_err *why)
{
    (void)user;
    (void)name;
    if (is_to_fail(&begins)) {
        return acta_fail(why, ACTA_IO, "no beginning");
    }
    if (is_under_way) {
        stored = open_;
        is_under_way = false;
    }
    open_ = stored;
    is_open = true;
    return ACTA_OK;
}

static enum acta_code
save(void *user, const char *name, uint64_t position, struct acta_err *why)
{
    (void)user;
    (void)name;
    (void)why;
    open_.position = position;
    return ACTA_OK;
}

static enum acta_code
commit(void *user, struct acta_err *why)
{
    bool fails = is_to_fail(&commits);

    (void)user;
    is_under_way = fails && is_late;
    if (!fails || (fails_when_done && !is_late)) {
        stored = open_;
    }
    is_open = false;
    return fails ? acta_fail(why, ACTA_IO, "no commit") : ACTA_OK;
}

static void
rollback(void *user)
{
    (void)user;
    is_open = false;
}

/* The event that is poison, and what is wrong with it each time. */
static uint64_t poison;
static enum acta_verdict poison_verdict;
static unsigned poisoned;
static uint64_t attempt;      /* The last one at it. */
static const char *complaint; /* NULL: how often it was complained. */

static enum acta_verdict
count(void *user, struct acta_context *context, const struct acta_event *event)
{
    (void)user;
    open_.count++;
    if (event->position != poison) {
        return ACTA_VERDICT_OK;
    }
    poisoned++;
    attempt = acta_context_attempt(context);
    return complaint == NULL
               ? acta_context_fail(context, poison_verdict, "for the %uth time",
                                   poisoned)
               : acta_context_fail(context, poison_verdict, "%s", complaint);
}

static void
setup(void)
{
    struct acta_keeper keeper = acta_keeper_of(NULL);

    memory = acta_memory_new();
    ck_assert_int_eq(acta_sync_open_memory(&sync_, memory, NULL, &err),
                     ACTA_OK);
    stored = open_ = (struct model){0};
    is_open = false;
    loads = begins = commits = (struct call){0};
    fails_when_done = false;
    is_late = false;
    is_under_way = false;
    poison = 0;
    poison_verdict = ACTA_VERDICT_PARK;
    poisoned = 0;
    complaint = NULL;
    keeper.load = load;
    keeper.begin = begin;
    keeper.save = save;
    keeper.commit = commit;
    keeper.rollback = rollback;
    projection = acta_projection_new("orders");
    acta_projection_on(projection, "Placed", count, NULL);
    acta_projection_keep(projection, &keeper);
    options = acta_projector_options_of();
    options.is_once = true;
    options.retry_ms = 1;
    projector = NULL;
}

static void
teardown(void)
{
    acta_projector_free(projector);
    acta_projection_free(projection);
    acta_sync_close(sync_);
    acta_memory_free(memory);
}

/* ---- the words in which the tests are written ---- */

static void
store_many(unsigned times)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of("Placed", NULL, 0);

    acta_append_stream(append, "order-1", ACTA_EXPECT_ANY);
    while (times-- > 0) {
        acta_append_event(append, &draft);
    }
    ck_assert_int_eq(acta_sync_append(sync_, append, NULL, &err), ACTA_OK);
    acta_append_free(append);
}

static enum acta_code
run_it(void)
{
    if (projector == NULL) {
        ck_assert_int_eq(
            acta_projector_new(&projector, projection, sync_, &options, &err),
            ACTA_OK);
    }
    return acta_projector_run(projector, &err);
}

static void
run_well(void)
{
    ck_assert_msg(run_it() == ACTA_OK, "%s", err.text);
}

static const struct acta_consumer *
consumer(void)
{
    const struct acta_consumer_description *description;

    ck_assert_int_eq(
        acta_sync_describe_consumer(sync_, "orders", &description, &err),
        ACTA_OK);
    return description->consumer;
}

/* The next call after those that there were so far, @times times. */
static void
fail_next(struct call *call, unsigned times)
{
    call->fail_from = call->calls + 1;
    call->fail_times = times;
}

/* ---- tests ---- */

/* How far a commit came that was done though it failed can be asked for only
 * after a while, as with a database that is being started again.
 */
START_TEST(a_commit_in_doubt_is_looked_up_until_that_is_known)
{
    store_many(EVENTS);
    fail_next(&commits, 1);
    fails_when_done = true;
    /* One when the run begins, one in the transaction. */
    loads.fail_from = 3;
    loads.fail_times = 1 + (unsigned)_i;
    run_well();
    ck_assert_uint_eq(stored.count, EVENTS);
    ck_assert_uint_eq(stored.position, EVENTS);
    ck_assert_uint_eq(consumer()->position, EVENTS);
}
END_TEST

/* The connection is lost while the commit goes on in the database, which holds
 * whoever begins until that is done.
 */
START_TEST(a_commit_that_is_still_under_way_is_waited_for)
{
    store_many(EVENTS);
    fail_next(&commits, 1);
    is_late = true;
    run_well();
    ck_assert_uint_eq(stored.count, EVENTS);
    ck_assert_uint_eq(stored.position, EVENTS);
    ck_assert_uint_eq(consumer()->position, EVENTS);
}
END_TEST

START_TEST(a_commit_that_was_not_done_is_done_again)
{
    store_many(EVENTS);
    fail_next(&commits, 1);
    loads.fail_from = 3;
    loads.fail_times = 2;
    run_well();
    ck_assert_uint_eq(stored.count, EVENTS);
    ck_assert_uint_eq(consumer()->position, EVENTS);
}
END_TEST

START_TEST(a_commit_whose_outcome_stays_unknown_stops_it)
{
    store_many(EVENTS);
    fail_next(&commits, 1);
    fails_when_done = true;
    loads.fail_from = 3;
    loads.fail_times = 1000;
    ck_assert_int_eq(run_it(), ACTA_IO);
    loads.fail_times = 0;
    run_well();
    ck_assert_uint_eq(stored.count, EVENTS);
    ck_assert_uint_eq(consumer()->position, EVENTS);
}
END_TEST

START_TEST(a_model_that_cannot_begin_at_first_begins_where_it_is_to)
{
    store_many(EVENTS);
    options.position = 3;
    fail_next(&begins, 2);
    run_well();
    ck_assert_uint_eq(stored.count, EVENTS - 3);
    ck_assert_uint_eq(consumer()->position, EVENTS);
}
END_TEST

START_TEST(what_stops_it_is_noted_also_behind_other_errors)
{
    store_many(EVENTS);
    fail_next(&begins, 1);
    run_well();
    ck_assert_ptr_nonnull(strstr(consumer()->note, "no beginning"));
    /* The model is somewhere else than it was left. */
    store_many(1);
    fail_next(&loads, 1);
    ck_assert_int_eq(run_it(), ACTA_IO);
    ck_assert_str_eq(acta_projector_status(projector)->error_text, "no load");
}
END_TEST

START_TEST(attempts_are_counted_anew_when_it_is_run_again)
{
    store_many(EVENTS);
    poison = 3;
    poison_verdict = ACTA_VERDICT_RETRY;
    options.attempts_max = 2;
    options.on_poison = ACTA_POISON_STOPS;
    for (unsigned run = 1; run <= 2; run++) {
        ck_assert_int_eq(run_it(), ACTA_INVALID);
        ck_assert_uint_eq(attempt, 2);
        ck_assert_uint_eq(poisoned, 2 * run);
    }
}
END_TEST

/* What is wrong with it may be said in other words the next time. */
START_TEST(a_poison_is_noted_once_though_it_is_parked_twice)
{
    store_many(EVENTS);
    poison = 3;
    /* The events before it are a commit; parking it is the next. */
    commits.fail_from = 2;
    commits.fail_times = 1;
    run_well();
    ck_assert_uint_eq(poisoned, 2);
    ck_assert_uint_eq(stored.count, EVENTS - 1);
    ck_assert_uint_eq(consumer()->position, EVENTS + 1);
}
END_TEST

/* What a handler says may be long, and from a library that knows no UTF-8: it
 * is told all the same, as text.
 */
START_TEST(what_a_handler_says_is_told_as_text)
{
    static const struct {
        const char *said, *told;
    } cases[] = {
        {"nicht gen\xc3\xbcgend", "nicht gen\xc3\xbcgend"},
        {"nicht gen\xfcgend \x7f", "nicht gen?gend ?"},
        {"\xc3\xbc \xfc", "?? ?"},
        {"two\nlines \"said\"", "two lines \\\"said\\\""},
        {NULL, NULL}, /* Cut within a character. */
    };
    struct acta_read read = acta_read_of_stream("acta.parked-orders");
    char umlauts[603] = "xx", told[300], noted[320];
    const struct acta_page *page;

    for (size_t i = 2; i < sizeof(umlauts) - 1; i += 2) {
        memcpy(umlauts + i, "\xc3\xbc", 2);
    }
    store_many(EVENTS);
    poison = 3;
    complaint = cases[_i].said == NULL ? umlauts : cases[_i].said;
    run_well();
    snprintf(told, sizeof(told), "%.238s",
             cases[_i].told == NULL ? umlauts : cases[_i].told);
    snprintf(noted, sizeof(noted), "\"text\": \"%s\"}", told);
    ck_assert_msg(strstr(consumer()->note, noted) != NULL, "%s",
                  consumer()->note);
    ck_assert_int_eq(acta_sync_read(sync_, &read, &page, &err), ACTA_OK);
    ck_assert_msg(strstr(page->events[0]->data, noted) != NULL, "%s",
                  (const char *)page->events[0]->data);
}
END_TEST

START_TEST(a_poison_is_noted_once_also_if_the_consumer_was_set_back)
{
    struct acta_projection *plain = acta_projection_new("plain");
    struct acta_read read = acta_read_of_stream("acta.parked-plain");
    const struct acta_page *page;
    struct acta_err why;

    acta_projection_on(plain, "Placed", count, NULL);
    ck_assert_int_eq(
        acta_projector_new(&projector, plain, sync_, &options, &err), ACTA_OK);
    store_many(EVENTS);
    poison = 3;
    run_well();
    ck_assert_int_eq(acta_sync_reset_consumer(sync_, "plain", 0, NULL, &why),
                     ACTA_OK);
    run_well();
    ck_assert_uint_eq(poisoned, 2);
    ck_assert_uint_eq(open_.count, 2 * EVENTS);
    ck_assert_int_eq(acta_sync_read(sync_, &read, &page, &why), ACTA_OK);
    ck_assert_uint_eq(page->events_count, 1);
    acta_projector_free(projector);
    projector = NULL;
    acta_projection_free(plain);
}
END_TEST

/* One event for each, under an id that is made of its position. */
static enum acta_verdict
emit(void *user, struct acta_context *context, const struct acta_event *event)
{
    struct acta_id id = {{0}};
    struct acta_draft draft = acta_draft_of("Billed", NULL, 0);

    (void)user;
    id.bytes[0] = (uint8_t)event->position;
    draft.id = &id;
    acta_context_emit(context, "bill-1", &draft);
    return ACTA_VERDICT_OK;
}

/* In batches of two, then, from the first on, in one of all. */
START_TEST(what_is_emitted_again_under_its_id_counts_once)
{
    struct acta_projection *plain = acta_projection_new("plain");
    struct acta_read read = acta_read_of_stream("bill-1");
    const struct acta_page *page;
    struct acta_err why;

    acta_projection_on(plain, "Placed", emit, NULL);
    options.batch_max = 2;
    ck_assert_int_eq(
        acta_projector_new(&projector, plain, sync_, &options, &err), ACTA_OK);
    store_many(EVENTS);
    run_well();
    acta_projector_free(projector);
    ck_assert_int_eq(acta_sync_reset_consumer(sync_, "plain", 0, NULL, &why),
                     ACTA_OK);
    store_many(EVENTS);
    options.batch_max = 1000;
    ck_assert_int_eq(
        acta_projector_new(&projector, plain, sync_, &options, &err), ACTA_OK);
    run_well();
    ck_assert_int_eq(acta_sync_read(sync_, &read, &page, &why), ACTA_OK);
    ck_assert_uint_eq(page->events_count, 2 * EVENTS);
    acta_projector_free(projector);
    projector = NULL;
    acta_projection_free(plain);
}
END_TEST

static enum acta_verdict
delete_group(void *user, struct acta_context *context,
             const struct acta_event *event)
{
    struct acta_sync *other;
    struct acta_err why;

    (void)user;
    (void)context;
    (void)event;
    ck_assert_int_eq(acta_sync_open_memory(&other, memory, NULL, &why),
                     ACTA_OK);
    (void)acta_sync_delete_consumer(other, "shared", NULL, &why);
    acta_sync_close(other);
    return ACTA_VERDICT_OK;
}

START_TEST(a_member_tells_why_it_has_ended)
{
    struct acta_projection *shared = acta_projection_new("shared");

    acta_projection_on(shared, "Placed", delete_group, NULL);
    options.is_group = true;
    options.is_once = false;
    ck_assert_int_eq(
        acta_projector_new(&projector, shared, sync_, &options, &err), ACTA_OK);
    store_many(EVENTS);
    ck_assert_int_eq(run_it(), ACTA_NOT_FOUND);
    ck_assert_uint_eq(acta_projector_status(projector)->errors, 1);
    ck_assert_str_eq(acta_projector_status(projector)->error_text, err.text);
    ck_assert_int_eq(acta_projector_status(projector)->state,
                     ACTA_PROJECTOR_STOPPED);
    acta_projector_free(projector);
    projector = NULL;
    acta_projection_free(shared);
}
END_TEST

static Suite *
keeper_suite(void)
{
    Suite *suite = suite_create("keeper");
    TCase *tcase = tcase_create("keeper");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(
        tcase, a_commit_in_doubt_is_looked_up_until_that_is_known, 0, 3);
    tcase_add_test(tcase, a_commit_that_is_still_under_way_is_waited_for);
    tcase_add_test(tcase, a_commit_that_was_not_done_is_done_again);
    tcase_add_test(tcase, a_commit_whose_outcome_stays_unknown_stops_it);
    tcase_add_test(tcase,
                   a_model_that_cannot_begin_at_first_begins_where_it_is_to);
    tcase_add_test(tcase, what_stops_it_is_noted_also_behind_other_errors);
    tcase_add_test(tcase, attempts_are_counted_anew_when_it_is_run_again);
    tcase_add_test(tcase, a_poison_is_noted_once_though_it_is_parked_twice);
    tcase_add_loop_test(tcase, what_a_handler_says_is_told_as_text, 0, 5);
    tcase_add_test(tcase,
                   a_poison_is_noted_once_also_if_the_consumer_was_set_back);
    tcase_add_test(tcase, what_is_emitted_again_under_its_id_counts_once);
    tcase_add_test(tcase, a_member_tells_why_it_has_ended);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(keeper_suite());
}
