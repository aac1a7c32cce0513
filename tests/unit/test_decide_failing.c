/* Each call of LMDB and each allocation that a decision makes fails in turn: it
 * is refused, for the reason there is, and has changed nothing, so that the
 * same once more is done; or the process would end there. So does each that is
 * made when what waits is loaded.
 */

#include <errno.h>
#include <stdio.h>

#include "alloc.h"
#include "core.h"
#include "msg_consumer.h"
#include "msg_lease.h"
#include "run.h"
#include "store_calls.h"

#define CALLS_MAX 2000
#define TIMEOUT_S 600
#define HOUR_US   UINT64_C(3600000000)
#define EVENTS    3

static struct core core;

/* What is stored before: a stream, a lease, and what is due some day. */
static void
prepare(void)
{
    struct draft drafts[] = {{.id = 1}, {.id = 2}, {.id = 3}};
    struct draft_write later = {"later-1", MSG_EXPECT_ANY, drafts, 1};
    struct uuid claim = draft_id(21);
    struct msg_change_lease take = {
        .name = slice_of("lease"),
        .kind = MSG_LEASE_ACQUIRE,
        .claim = claim.bytes,
        .duration_us = HOUR_US,
    };
    struct msg_schedule schedule = {
        .name = slice_of("later"), .due_us = HOUR_US, .is_delay = true};
    struct msg_append_more more = {.schedules = &schedule,
                                   .schedules_count = 1};
    struct buf buf;
    struct job *job;

    core_open(&core);
    ck_assert_int_eq(core_append(&core, "a-1", 0, drafts, EVENTS), ACTA_OK);
    job = draft_lease(&take);
    ck_assert_int_eq(core_decide(&core, job), ACTA_OK);
    job_free(job);
    buf_init(&buf, 4096);
    schedule.writes = draft_writes(&buf, &later, 1);
    job = draft_append_with(NULL, 0, &more);
    ck_assert_int_eq(core_decide(&core, job), ACTA_OK);
    job_free(job);
    buf_fini(&buf);
    core_reopen(&core);
}

/* ---- what is decided ---- */

static struct job *
append(void)
{
    static const struct draft drafts[] = {
        {.id = 11, .tags = {"t:1"}}, {.id = 12}, {.id = 13}};
    struct draft_write writes[] = {{"a-1", EVENTS, drafts, 2},
                                   {"b-1", 0, drafts + 2, 1}};
    struct uuid command = draft_id(99);
    struct msg_check check = {slice_of("c-1"), 0};
    struct query query = core_query(NULL, "Other", NULL, NULL, NULL);
    struct msg_condition condition = {.query = query};
    struct msg_append_more more = {
        .command_id = command.bytes,
        .checks = &check,
        .checks_count = 1,
        .conditions = &condition,
        .conditions_count = 1,
    };
    struct job *job = draft_append_with(writes, 2, &more);

    query_fini(&query);
    return job;
}

static struct job *
change(void)
{
    struct msg_change wanted = {
        .stream = slice_of("a-1"),
        .expected = MSG_EXPECT_ANY,
        .kind = MSG_SET,
        .settings = {.max_count = 2},
        .given = MSG_HAS_MAX_COUNT,
    };

    return draft_change(&wanted);
}

static struct job *
consumer(void)
{
    struct msg_change_consumer wanted = {
        .name = slice_of("reader"),
        .kind = MSG_CONSUMER_CLAIM,
        .query = QUERY_ALL,
    };

    return draft_consumer(&wanted);
}

static struct job *
lease(void)
{
    struct uuid claim = draft_id(22);
    struct msg_change_lease wanted = {
        .name = slice_of("other"),
        .kind = MSG_LEASE_ACQUIRE,
        .claim = claim.bytes,
        .duration_us = HOUR_US,
    };

    return draft_lease(&wanted);
}

struct deed {
    const char *name;
    struct job *(*draft)(void);
    size_t calls_min;       /* It makes so many calls, */
    size_t allocations_min; /* for the first time that it is done. */
};

static const struct deed deeds[] = {
    {"append", append, 5, 3},
    {"change", change, 1, 1},
    {"consumer", consumer, 1, 1},
    {"lease", lease, 0, 1},
};

/* ---- failing ---- */

/* What fails: the call number @nth of LMDB, with @rc, or if that is 0 the
 * allocation.
 */
struct failure {
    size_t nth;
    int rc;
};

static void
begin(const struct failure *failure)
{
    alloc_reset();
    if (failure->rc == 0) {
        alloc_fail_after = (int)failure->nth;
    } else {
        store_calls_fail(failure->nth, failure->rc);
    }
}

/* True if something has failed. */
static bool
end(void)
{
    int failed = alloc_failed;

    alloc_reset();
    return store_calls_succeed() != NULL || failed > 0;
}

struct verdict {
    enum acta_code code;
    bool has_failed; /* The call, */
    bool is_end;     /* and with it the process. */
    char text[240];  /* As long as that of an error. */
};

static struct verdict
do_deed(const struct deed *deed, const struct failure *failure)
{
    struct verdict verdict = {.code = ACTA_OK};
    struct job *job = deed->draft();
    struct acta_err err;
    bool waits;

    core_begin(&core);
    begin(failure);
    verdict.code = decide(core.decider, job, &waits, &err);
    verdict.has_failed = end();
    verdict.is_end = verdict.code != ACTA_OK;
    snprintf(verdict.text, sizeof(verdict.text), "%s",
             verdict.is_end ? err.text : job->outcome.text);
    if (!verdict.is_end) {
        core_end(&core);
        verdict.code = job->outcome.code;
    }
    job_free(job);
    return verdict;
}

/* Let each call of @deed fail in turn, with a database of its own. Returns how
 * many there were.
 */
static size_t
fail_each(const struct deed *deed, int rc, enum acta_code wanted)
{
    static const struct failure none = {SIZE_MAX, EIO};
    bool goes_on = true;
    size_t nth;

    for (nth = 0; goes_on; nth++) {
        struct failure failure = {nth, rc};
        struct verdict verdict;
        uint64_t head;

        ck_assert_uint_lt(nth, CALLS_MAX);
        prepare();
        head = core_head(&core);
        verdict = do_deed(deed, &failure);
        goes_on = verdict.has_failed;
        ck_assert_msg(verdict.code == (goes_on ? wanted : ACTA_OK),
                      "%s, number %zu: %s (%s)", deed->name, nth,
                      acta_code_name(verdict.code), verdict.text);
        if (goes_on && !verdict.is_end) {
            ck_assert_uint_eq(core_head(&core), head);
            verdict = do_deed(deed, &none);
            ck_assert_msg(verdict.code == ACTA_OK, "%s again: %s", deed->name,
                          verdict.text);
        }
        core_close(&core);
    }
    return nth - 1;
}

START_TEST(a_call_that_fails_refuses_what_could_not_be_decided)
{
    const struct deed *deed = &deeds[_i];

    ck_assert_uint_ge(fail_each(deed, EIO, ACTA_IO), deed->calls_min);
}
END_TEST

START_TEST(an_allocation_that_fails_refuses_what_could_not_be_decided)
{
    const struct deed *deed = &deeds[_i];

    ck_assert_uint_ge(fail_each(deed, 0, ACTA_MEMORY), deed->allocations_min);
}
END_TEST

/* As the first thing that a process does. */
static size_t
fail_loading(int rc, enum acta_code wanted)
{
    bool goes_on = true;
    size_t nth;

    prepare();
    for (nth = 0; goes_on; nth++) {
        struct failure failure = {nth, rc};
        struct decider *decider;
        enum acta_code code = ACTA_MEMORY;
        struct acta_err err;

        ck_assert_uint_lt(nth, CALLS_MAX);
        begin(&failure);
        decider = decider_new(&core.heads);
        if (decider != NULL) {
            code = decider_load(decider, 0, &err);
        }
        goes_on = end();
        ck_assert_int_eq(code, goes_on ? wanted : ACTA_OK);
        decider_free(decider);
    }
    core_close(&core);
    return nth - 1;
}

START_TEST(what_waits_is_loaded_as_a_whole_or_not_at_all)
{
    ck_assert_uint_ge(fail_loading(EIO, ACTA_IO), 3);
    ck_assert_uint_ge(fail_loading(0, ACTA_MEMORY), 3);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("decide_failing");
    TCase *tcase = tcase_create("decide_failing");
    int count = (int)(sizeof(deeds) / sizeof(deeds[0]));

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_loop_test(
        tcase, a_call_that_fails_refuses_what_could_not_be_decided, 0, count);
    tcase_add_loop_test(
        tcase, an_allocation_that_fails_refuses_what_could_not_be_decided, 0,
        count);
    tcase_add_test(tcase, what_waits_is_loaded_as_a_whole_or_not_at_all);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
