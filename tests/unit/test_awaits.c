/* Waiting for consumers, and notes, as the writer decides on them. */

#include "core.h"
#include "decide.h"
#include "run.h"

#define SECOND 1000000u

static struct core core;
static struct completions here;
static uint64_t epoch; /* Of the consumer c. */

static void
no_wake(void *user)
{
    (void)user;
}

static enum acta_code
change(struct msg_change_consumer wanted)
{
    struct job *job;
    enum acta_code code;

    wanted.name = slice_of("c");
    job = draft_consumer(&wanted);
    code = core_decide(&core, job);
    if (job->outcome.consumer_changed.epoch > 0) {
        epoch = job->outcome.consumer_changed.epoch;
    }
    job_free(job);
    return code;
}

static void
setup(void)
{
    struct draft drafts[] = {{.id = 1}, {.id = 2}, {.id = 3}};

    completions_init(&here, no_wake, NULL);
    core_open(&core);
    ck_assert_int_eq(core_append(&core, "s-1", 0, drafts, 3), ACTA_OK);
    ck_assert_int_eq(
        change((struct msg_change_consumer){.kind = MSG_CONSUMER_CLAIM}),
        ACTA_OK);
}

static void
teardown(void)
{
    core_close(&core);
    completions_fini(&here);
}

/* Wait for the consumer of this name. The job is the caller's, or is kept. */
static struct job *
await(const char *name, uint64_t position, uint64_t timeout_us, bool *waits)
{
    struct msg_await wanted = {slice_of(name), position, timeout_us};
    struct job *job = draft_await(&wanted);

    job->completions = &here;
    job->connection_id = 7;
    core_begin(&core);
    *waits = !core_decide_next(&core, job);
    core_end(&core);
    return job;
}

/* What a job that is answered at once is told. */
static enum acta_code
ask(const char *name, uint64_t position, uint64_t timeout_us)
{
    bool waits;
    struct job *job = await(name, position, timeout_us, &waits);
    enum acta_code code = job->outcome.code;

    ck_assert(!waits);
    job_free(job);
    return code;
}

static void
move_to(uint64_t position)
{
    struct msg_checkpoint move = {
        .consumer = slice_of("c"), .epoch = epoch, .to = position};
    struct msg_append_more more = {.checkpoints = &move,
                                   .checkpoints_count = 1};
    struct job *job = draft_append_with(NULL, 0, &more);

    ck_assert_int_eq(core_decide(&core, job), ACTA_OK);
    job_free(job);
}

static void
pass(uint64_t us)
{
    core.mono_us += us;
    core_begin(&core);
    core_end(&core);
}

/* The only job that is done: its code, and where the consumer is. */
static enum acta_code
take_done(uint64_t *position)
{
    struct job *job = decider_take_done(core.decider);
    enum acta_code code;

    ck_assert_ptr_nonnull(job);
    ck_assert_ptr_null(job->next);
    code = job->outcome.code;
    *position = job->outcome.consumer_changed.position;
    job_free(job);
    return code;
}

START_TEST(who_waits_is_told_when_the_consumer_is_there)
{
    uint64_t position;
    bool waits;

    ck_assert_int_eq(ask("c", 0, 0), ACTA_OK);
    ck_assert_int_eq(ask("c", 2, 0), ACTA_TIMEOUT);
    (void)await("c", 2, 10 * SECOND, &waits);
    ck_assert(waits);
    move_to(1);
    ck_assert_ptr_null(decider_take_done(core.decider));
    move_to(3);
    ck_assert_int_eq(take_done(&position), ACTA_OK);
    ck_assert_uint_eq(position, 3);
    ck_assert_int_eq(ask("c", 3, 10 * SECOND), ACTA_OK);
    ck_assert_int_eq(ask("none", 0, 10 * SECOND), ACTA_NOT_FOUND);
}
END_TEST

START_TEST(a_wait_that_is_over_says_so)
{
    uint64_t position;
    bool waits;

    (void)await("c", 2, 10 * SECOND, &waits);
    pass(10 * SECOND - 1);
    ck_assert_ptr_null(decider_take_done(core.decider));
    ck_assert_uint_eq(
        decider_wait_us(core.decider, core.mono_us, core.time_us, SECOND), 1);
    pass(1);
    ck_assert_int_eq(take_done(&position), ACTA_TIMEOUT);
}
END_TEST

START_TEST(waiting_ends_with_the_consumer_and_with_the_connection)
{
    struct acta_err err;
    uint64_t position;
    struct job *forget;
    bool waits;

    (void)await("c", 2, 10 * SECOND, &waits);
    ck_assert_int_eq(
        change((struct msg_change_consumer){.kind = MSG_CONSUMER_DELETE}),
        ACTA_OK);
    ck_assert_int_eq(take_done(&position), ACTA_NOT_FOUND);

    ck_assert_int_eq(
        change((struct msg_change_consumer){.kind = MSG_CONSUMER_CLAIM}),
        ACTA_OK);
    (void)await("c", 2, 10 * SECOND, &waits);
    ck_assert_int_eq(job_new(&forget, JOB_FORGET, SLICE_NONE, &err), ACTA_OK);
    forget->completions = &here;
    forget->connection_id = 7;
    ck_assert_int_eq(core_decide(&core, forget), ACTA_OK);
    job_free(forget);
    ck_assert_int_eq(take_done(&position), ACTA_CANCELLED);
}
END_TEST

START_TEST(of_many_who_wait_those_are_told_whose_position_it_is)
{
    uint64_t position;
    bool waits;

    (void)await("c", 3, 10 * SECOND, &waits);
    (void)await("c", 1, 10 * SECOND, &waits);
    (void)await("c", 2, 10 * SECOND, &waits);
    for (uint64_t p = 1; p <= 3; p++) {
        move_to(p);
        ck_assert_int_eq(take_done(&position), ACTA_OK);
        ck_assert_uint_eq(position, p);
    }
}
END_TEST

START_TEST(only_who_has_claimed_a_consumer_sets_its_note)
{
    struct msg_change_consumer note = {
        .kind = MSG_CONSUMER_NOTE, .epoch = epoch, .note = slice_of("running")};
    uint64_t first = epoch;

    ck_assert_int_eq(change(note), ACTA_OK);
    ck_assert_int_eq(
        change((struct msg_change_consumer){.kind = MSG_CONSUMER_CLAIM}),
        ACTA_OK);
    ck_assert_uint_gt(epoch, first);
    ck_assert_int_eq(change(note), ACTA_FENCED);
    note.epoch = epoch;
    ck_assert_int_eq(change(note), ACTA_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("awaits");
    TCase *tcase = tcase_create("awaits");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, who_waits_is_told_when_the_consumer_is_there);
    tcase_add_test(tcase, a_wait_that_is_over_says_so);
    tcase_add_test(tcase,
                   waiting_ends_with_the_consumer_and_with_the_connection);
    tcase_add_test(tcase, of_many_who_wait_those_are_told_whose_position_it_is);
    tcase_add_test(tcase, only_who_has_claimed_a_consumer_sets_its_note);
    return run_suite(suite);
}
