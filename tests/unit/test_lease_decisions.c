/* Leases as the writer decides on them: against a model, and in words. */

#include <stdio.h>
#include <string.h>

#include "core.h"
#include "decider.h"
#include "lease.h"
#include "limit.h"
#include "msg_lease.h"
#include "rnd.h"
#include "run.h"

#define SECOND 1000000u

static struct core core;
static struct completions here, elsewhere; /* Where jobs come from. */

static void
no_wake(void *user)
{
    (void)user;
}

static uint64_t duration_us; /* What is asked for. */

static void
setup(void)
{
    duration_us = 10 * SECOND;
    completions_init(&here, no_wake, NULL);
    completions_init(&elsewhere, no_wake, NULL);
    core_open(&core);
}

static void
teardown(void)
{
    struct job *job;

    decider_stop(core.decider);
    while ((job = decider_take_done(core.decider)) != NULL) {
        while (job != NULL) {
            struct job *next = job->next;

            job_free(job);
            job = next;
        }
    }
    core_close(&core);
    completions_fini(&elsewhere);
    completions_fini(&here);
}

/* Ask for a lease that the claim @who names; the job is the caller's, or is
 * kept: *@waits.
 */
static struct job *
ask(const char *name, enum msg_lease_change kind, uint64_t who, uint64_t wait,
    uint64_t fence, bool *waits)
{
    struct uuid claim = draft_id(who);
    struct job *job;
    char holder[32];

    snprintf(holder, sizeof(holder), "worker %ju", (uintmax_t)who);
    job = draft_lease(&(struct msg_change_lease){
        .name = slice_of(name),
        .kind = kind,
        .holder = slice_of(holder),
        .claim = claim.bytes,
        .duration_us = duration_us,
        .wait_us = wait,
        .fence = fence,
    });
    job->completions = &here;
    job->connection_id = who;
    core_begin(&core);
    *waits = !core_decide_next(&core, job);
    core_end(&core);
    return job;
}

/* The fence of a lease that is given at once; 0: it is not. */
static uint64_t
acquire(const char *name, uint64_t who)
{
    uint64_t fence = 0;
    bool waits;
    struct job *job = ask(name, MSG_LEASE_ACQUIRE, who, 0, 0, &waits);

    ck_assert(!waits);
    if (job->outcome.code == ACTA_OK) {
        fence = job->outcome.lease_changed.fence;
        ck_assert_uint_gt(fence, 0);
    } else {
        ck_assert_int_eq(job->outcome.code, ACTA_HELD);
    }
    job_free(job);
    return fence;
}

static void
wait_for(const char *name, uint64_t who, uint64_t wait)
{
    bool waits;

    (void)ask(name, MSG_LEASE_ACQUIRE, who, wait, 0, &waits);
    ck_assert(waits);
}

static enum acta_code
renew(const char *name, uint64_t fence)
{
    bool waits;
    struct job *job = ask(name, MSG_LEASE_RENEW, 1, 0, fence, &waits);
    enum acta_code code = job->outcome.code;

    job_free(job);
    return code;
}

static bool
release(const char *name, uint64_t fence)
{
    bool waits;
    struct job *job = ask(name, MSG_LEASE_RELEASE, 1, 0, fence, &waits);
    bool changed = job->outcome.lease_changed.changed;

    ck_assert_int_eq(job->outcome.code, ACTA_OK);
    job_free(job);
    return changed;
}

/* Time passes. */
static void
pass(uint64_t us)
{
    core.mono_us += us;
    core_begin(&core);
    core_end(&core);
}

/* The next job that has waited and is decided; NULL if there is none. */
static struct job *done_rest;

static struct job *
take_done(void)
{
    struct job *job;

    if (done_rest == NULL) {
        done_rest = decider_take_done(core.decider);
    }
    job = done_rest;
    if (job != NULL) {
        done_rest = job->next;
    }
    return job;
}

/* ---- in words ---- */

START_TEST(a_lease_has_one_holder_until_it_is_released)
{
    uint64_t first = acquire("l", 1);

    ck_assert_uint_gt(first, 0);
    ck_assert_uint_eq(acquire("l", 2), 0);
    ck_assert_uint_gt(acquire("other", 2), first);
    ck_assert(release("l", first));
    ck_assert_uint_gt(acquire("l", 2), first);
    ck_assert_int_eq(renew("l", first), ACTA_FENCED);
    ck_assert(!release("l", first));
}
END_TEST

START_TEST(a_lease_expires_by_the_monotonic_clock_alone)
{
    uint64_t first = acquire("l", 1);

    core.time_us += 3600u * SECOND; /* The wall's goes ahead an hour. */
    ck_assert_uint_eq(acquire("l", 2), 0);
    pass(10 * SECOND - 1);
    ck_assert_uint_eq(acquire("l", 2), 0);
    ck_assert_int_eq(renew("l", first), ACTA_OK);
    pass(10 * SECOND - 1);
    ck_assert_uint_eq(acquire("l", 2), 0);
    pass(1);
    ck_assert_int_eq(renew("l", first), ACTA_FENCED);
    ck_assert_uint_gt(acquire("l", 2), first);
}
END_TEST

START_TEST(who_waits_longest_is_next_and_is_told_how_long)
{
    uint64_t first = acquire("l", 1);
    struct job *job;

    wait_for("l", 2, 60 * SECOND);
    pass(SECOND);
    wait_for("l", 3, 60 * SECOND);
    ck_assert_ptr_null(take_done());
    pass(SECOND);
    ck_assert(release("l", first));
    job = take_done();
    ck_assert_ptr_nonnull(job);
    ck_assert_uint_eq(job->connection_id, 2);
    ck_assert_int_eq(job->outcome.code, ACTA_OK);
    ck_assert_uint_gt(job->outcome.lease_changed.fence, first);
    ck_assert_uint_eq(job->outcome.lease_changed.waited_us, 2 * SECOND);
    ck_assert_uint_eq(job->outcome.lease_changed.remaining_us, 10 * SECOND);
    job_free(job);
    ck_assert_ptr_null(take_done());
    pass(10 * SECOND); /* Its time is over, too. */
    job = take_done();
    ck_assert_ptr_nonnull(job);
    ck_assert_uint_eq(job->connection_id, 3);
    job_free(job);
}
END_TEST

START_TEST(a_wait_that_is_over_is_refused_and_says_who_holds_it)
{
    struct job *job;

    ck_assert_uint_gt(acquire("l", 1), 0);
    wait_for("l", 2, SECOND);
    pass(SECOND - 1);
    ck_assert_ptr_null(take_done());
    pass(1);
    job = take_done();
    ck_assert_ptr_nonnull(job);
    ck_assert_int_eq(job->outcome.code, ACTA_HELD);
    ck_assert_ptr_nonnull(strstr(job->outcome.text, "worker 1"));
    job_free(job);
}
END_TEST

START_TEST(a_wait_is_over_in_time_while_nothing_can_be_decided)
{
    struct job *job;

    ck_assert_uint_gt(acquire("l", 1), 0);
    wait_for("l", 2, SECOND);
    core.mono_us += 30 * SECOND; /* The lease is over as well, */
    decider_end_waits(core.decider, core.mono_us);
    job = take_done();
    ck_assert_ptr_nonnull(job);
    ck_assert_int_eq(job->outcome.code, ACTA_HELD);
    job_free(job);
    ck_assert_ptr_null(take_done());
    ck_assert_uint_gt(acquire("l", 3), 0); /* and free with the next entry. */
}
END_TEST

/* What the writer may sleep: until a lease is over or a wait is. */
static uint64_t
time_left(void)
{
    return decider_wait_us(core.decider, core.mono_us, 0, 60 * SECOND);
}

START_TEST(the_next_time_is_that_of_the_first_wait_or_lease_to_be_over)
{
    ck_assert_uint_eq(time_left(), 60 * SECOND);
    ck_assert_uint_gt(acquire("l", 1), 0);
    ck_assert_uint_eq(time_left(), 10 * SECOND);
    wait_for("l", 2, 30 * SECOND);
    ck_assert_uint_eq(time_left(), 10 * SECOND);
    wait_for("l", 3, SECOND);
    ck_assert_uint_eq(time_left(), SECOND);
    pass(SECOND);
    job_free(take_done());
    ck_assert_uint_eq(time_left(), 9 * SECOND);
}
END_TEST

START_TEST(who_sends_its_claim_again_gets_the_same_fence)
{
    uint64_t first = acquire("l", 1);

    pass(9 * SECOND);
    ck_assert_uint_eq(acquire("l", 1), first);
    pass(9 * SECOND); /* Its time began anew. */
    ck_assert_uint_eq(acquire("l", 2), 0);
}
END_TEST

/* As if there were so many. */
START_TEST(with_as_many_leases_as_may_be_those_there_are_can_be_kept)
{
    size_t *count = &core.decider->leases.by_name.count;
    uint64_t first = acquire("l", 1);
    struct job *job;
    bool waits;

    *count += ACTA_LEASES_MAX - 1;
    job = ask("m", MSG_LEASE_ACQUIRE, 2, 0, 0, &waits);
    ck_assert_int_eq(job->outcome.code, ACTA_BUSY);
    job_free(job);
    ck_assert_int_eq(renew("l", first), ACTA_OK);
    ck_assert(release("l", first));
    ck_assert_uint_gt(acquire("m", 2), first);
    *count -= ACTA_LEASES_MAX - 1;
}
END_TEST

/* Its connection may be dead, which the server does not know yet. */
START_TEST(who_waits_with_the_same_claim_again_takes_its_own_place_in_line)
{
    uint64_t first = acquire("l", 1);
    struct job *job;

    wait_for("l", 2, 20 * SECOND);
    wait_for("l", 3, 60 * SECOND);
    ck_assert_uint_gt(acquire("other", 2), first); /* It is of one lease. */
    pass(SECOND);
    wait_for("l", 2, 60 * SECOND);
    job = take_done();
    ck_assert_ptr_nonnull(job);
    ck_assert_uint_eq(job->connection_id, 2);
    ck_assert_int_eq(job->outcome.code, ACTA_CANCELLED);
    job_free(job);
    ck_assert_ptr_null(take_done());

    pass(SECOND);
    ck_assert(release("l", first));
    job = take_done();
    ck_assert_ptr_nonnull(job);
    ck_assert_uint_eq(job->connection_id, 2);
    ck_assert_int_eq(job->outcome.code, ACTA_OK);
    ck_assert_uint_eq(job->outcome.lease_changed.waited_us, SECOND);
    job_free(job);
    ck_assert_ptr_null(take_done());
}
END_TEST

START_TEST(those_who_wait_go_with_their_connection)
{
    struct job *forget, *job;
    struct acta_err err;

    ck_assert_uint_gt(acquire("l", 1), 0);
    wait_for("l", 2, 60 * SECOND);
    wait_for("l", 3, 60 * SECOND);
    ck_assert_int_eq(job_new(&forget, JOB_FORGET, SLICE_NONE, &err), ACTA_OK);
    forget->connection_id = 2;
    forget->completions = &elsewhere; /* Another thread's 2. */
    ck_assert_int_eq(core_decide(&core, forget), ACTA_OK);
    ck_assert_ptr_null(take_done());
    forget->completions = &here;
    ck_assert_int_eq(core_decide(&core, forget), ACTA_OK);
    job_free(forget);
    job = take_done();
    ck_assert_ptr_nonnull(job);
    ck_assert_uint_eq(job->connection_id, 2);
    ck_assert_int_ne(job->outcome.code, ACTA_OK);
    job_free(job);
    pass(10 * SECOND);
    job = take_done();
    ck_assert_ptr_nonnull(job);
    ck_assert_uint_eq(job->connection_id, 3);
    job_free(job);
}
END_TEST

START_TEST(a_lease_that_is_held_lives_its_whole_time_after_a_restart)
{
    uint64_t first = acquire("l", 1);
    uint64_t gone = acquire("gone", 1);

    ck_assert(release("gone", gone));
    pass(9 * SECOND);
    core.mono_us = 5; /* It means nothing outside of a process. */
    core_reopen(&core);
    ck_assert_uint_eq(acquire("l", 2), 0);
    ck_assert_uint_gt(acquire("gone", 2), gone);
    pass(10 * SECOND - 1);
    ck_assert_uint_eq(acquire("l", 2), 0);
    ck_assert_int_eq(renew("l", first), ACTA_OK);
    pass(10 * SECOND);
    ck_assert_uint_gt(acquire("l", 2), first);
}
END_TEST

START_TEST(a_lease_renewed_for_longer_lives_as_long_after_a_restart)
{
    uint64_t first = acquire("l", 1);

    duration_us = 20 * SECOND;
    ck_assert_int_eq(renew("l", first), ACTA_OK);
    core_reopen(&core);
    pass(20 * SECOND - 1);
    ck_assert_uint_eq(acquire("l", 2), 0);
    pass(1);
    ck_assert_uint_gt(acquire("l", 2), first);
}
END_TEST

/* What an append demands of a lease. */
static enum acta_code
append_under(const char *name, uint64_t fence)
{
    static uint64_t id;
    struct draft draft = {.id = ++id};
    struct draft_write write = {"s-1", MSG_EXPECT_ANY, &draft, 1};
    struct msg_fence wanted = {slice_of(name), fence};
    struct msg_append_more more = {.leases = &wanted, .leases_count = 1};
    struct job *job = draft_append_with(&write, 1, &more);
    enum acta_code code = core_decide(&core, job);

    if (code != ACTA_OK) {
        ck_assert_uint_eq(job->outcome.failures_count, 1);
        ck_assert_int_eq(job->outcome.failures[0].kind, MSG_FAILED_LEASE);
    }
    job_free(job);
    return code;
}

START_TEST(an_append_under_a_lost_lease_is_refused)
{
    uint64_t first = acquire("l", 1), second;

    ck_assert_int_eq(append_under("l", first), ACTA_OK);
    ck_assert_int_eq(append_under("l", first + 1), ACTA_FENCED);
    ck_assert_int_eq(append_under("none", first), ACTA_FENCED);
    core.mono_us += 10 * SECOND;
    ck_assert_int_eq(append_under("l", first), ACTA_FENCED);
    second = acquire("l", 2);
    ck_assert_int_eq(append_under("l", first), ACTA_FENCED);
    ck_assert_int_eq(append_under("l", second), ACTA_OK);
    ck_assert_uint_eq(core_head(&core), 2);
}
END_TEST

/* ---- listing ---- */

static struct slice
body_of(const struct buf *frame)
{
    return slice_make(buf_slice(frame).data + FRAME_HEADER_SIZE,
                      buf_size(frame) - FRAME_HEADER_SIZE);
}

/* Ask for a page. It is in the job, which is the caller's. */
static struct job *
list(const struct msg_list *wanted, struct msg_leases *page)
{
    struct buf frame;
    struct job *job;

    buf_init(&frame, SIZE_MAX);
    msg_list_encode(&frame, OP_LIST_LEASES, 1, wanted);
    ck_assert_int_eq(job_new(&job, JOB_LIST_LEASES, body_of(&frame), NULL),
                     ACTA_OK);
    buf_fini(&frame);
    ck_assert_int_eq(core_decide(&core, job), ACTA_OK);
    ck_assert_int_eq(
        msg_leases_decode(page, body_of(&job->outcome.reply), NULL), ACTA_OK);
    return job;
}

START_TEST(leases_are_listed_in_order_with_those_who_wait)
{
    struct msg_list wanted = {.prefix = slice_of("l"), .count_max = 2};
    struct msg_leases leases;
    struct msg_lease lease;
    struct job *job;

    ck_assert_uint_gt(acquire("l-2", 1), 0);
    ck_assert_uint_gt(acquire("a", 1), 0);
    ck_assert_uint_gt(acquire("l-3", 1), 0);
    ck_assert_uint_gt(acquire("l-1", 1), 0);
    wait_for("l-2", 7, SECOND);
    wait_for("l-2", 8, SECOND);
    job = list(&wanted, &leases);
    ck_assert_uint_eq(leases.leases_count, 2);
    ck_assert(!leases.at_end);
    lease = msg_next_lease(&leases.leases);
    ck_assert(slice_equal(lease.name, slice_of("l-1")));
    ck_assert_uint_eq(lease.waiters_count, 0);
    lease = msg_next_lease(&leases.leases);
    ck_assert(slice_equal(lease.name, slice_of("l-2")));
    ck_assert(slice_equal(lease.holder, slice_of("worker 1")));
    ck_assert_uint_eq(lease.waiters_count, 2);
    ck_assert_uint_eq(lease.waiters_named, 2);
    ck_assert(slice_equal(lease.waiters[1], slice_of("worker 8")));
    job_free(job);
}
END_TEST

#define MANY      2000
#define NAME_SIZE 32

/* What a batch has taken decides when it is cut: see decider_is_tired(). */
START_TEST(a_page_of_many_leases_takes_as_long_as_what_is_on_it)
{
    struct msg_list wanted = {.prefix = slice_of("l"), .count_max = 3};
    struct uuid claim = draft_id(1);
    struct lease lease = {.fence = 1, .claim = claim.bytes};
    struct msg_leases page;

    for (unsigned i = 0; i < MANY; i++) {
        char name[NAME_SIZE];

        snprintf(name, sizeof(name), "l-%05u", i);
        ck_assert_ptr_nonnull(leases_hold(&core.decider->leases, NULL,
                                          slice_of(name), &lease,
                                          core.mono_us + 60 * SECOND));
    }
    job_free(list(&wanted, &page));
    ck_assert_uint_eq(page.leases_count, 3);
    ck_assert(!page.at_end);
    ck_assert_uint_le(core.decider->steps_spent, 3);
}
END_TEST

#define LISTED  90
#define CHANGES 1000

static uint64_t held[LISTED]; /* Under which fence; 0: it is not. */

static const char *
listed_name(size_t i)
{
    static char name[NAME_SIZE];

    /* Some are the beginning of others. */
    snprintf(name, sizeof(name), "%c-%zu", "klm"[i % 3], i / 3);
    return name;
}

static void
change_listed(struct rnd *rnd)
{
    size_t i = rnd_below(rnd, LISTED);

    if (held[i] == 0) {
        held[i] = acquire(listed_name(i), 1);
        ck_assert_uint_gt(held[i], 0);
    } else if (rnd_once_in(rnd, 4)) {
        ck_assert_int_eq(renew(listed_name(i), held[i]), ACTA_OK);
    } else {
        ck_assert(release(listed_name(i), held[i]));
        held[i] = 0;
    }
}

/* The first name behind @after that is held and begins with @prefix. Returns
 * which it is; LISTED: there is none.
 */
static size_t
next_held(struct slice prefix, struct slice after)
{
    char best[NAME_SIZE] = "";
    size_t found = LISTED;

    for (size_t i = 0; i < LISTED; i++) {
        struct slice name = slice_of(listed_name(i));

        if (held[i] != 0 && slice_starts_with(name, prefix) &&
            slice_compare(name, after) > 0 &&
            (found == LISTED || slice_compare(name, slice_of(best)) < 0)) {
            memcpy(best, name.data, name.size + 1);
            found = i;
        }
    }
    return found;
}

/* Check a page behind @after, a name that is changed to the last on the page,
 * or to none at the end.
 */
static void
check_page(struct slice prefix, char *after, size_t after_size, size_t max)
{
    struct msg_list wanted = {
        .prefix = prefix, .after = slice_of(after), .count_max = max};
    struct msg_leases page;
    struct job *job = list(&wanted, &page);

    for (size_t n = 0; n < page.leases_count; n++) {
        struct msg_lease lease = msg_next_lease(&page.leases);
        size_t i = next_held(prefix, slice_of(after));

        ck_assert_uint_lt(i, LISTED);
        ck_assert(slice_equal(lease.name, slice_of(listed_name(i))));
        ck_assert_uint_eq(lease.fence, held[i]);
        snprintf(after, after_size, "%s", listed_name(i));
    }
    ck_assert_int_eq(page.at_end, next_held(prefix, slice_of(after)) == LISTED);
    ck_assert(page.at_end || page.leases_count == max);
    if (page.at_end) {
        after[0] = '\0';
    }
    job_free(job);
}

START_TEST(pages_of_leases_are_right_while_leases_come_and_go)
{
    static const char *const prefixes[] = {"", "l", "l-1", "l-12", "z"};
    struct slice prefix = slice_of("");
    char after[NAME_SIZE] = "";
    struct rnd rnd;

    rnd_init(&rnd);
    memset(held, 0, sizeof(held));
    for (size_t i = 0; i < CHANGES; i++) {
        change_listed(&rnd);
        if (rnd_once_in(&rnd, 10)) {
            if (after[0] == '\0') {
                prefix = slice_of(prefixes[rnd_below(&rnd, 5)]);
                snprintf(after, sizeof(after), "%s",
                         rnd_once_in(&rnd, 2)
                             ? ""
                             : listed_name(rnd_below(&rnd, LISTED)));
            }
            check_page(prefix, after, sizeof(after), 1 + rnd_below(&rnd, 20));
        }
    }
}
END_TEST

/* ---- against a model ---- */

#define NAMES 3
#define WHOS  6
#define STEPS 400

/* What a lease is to be like: who holds it until when, and who waits. */
struct model_lease {
    uint64_t holder; /* 0: nobody. */
    uint64_t fence;
    uint64_t until;
    uint64_t line[WHOS]; /* In the order in which they came. */
    uint64_t tired[WHOS];
    size_t line_count;
};

static struct model_lease model[NAMES];
static uint64_t fence_max;
static const char *const names[NAMES] = {"a", "b", "c"};

static void
leave_line(struct model_lease *lease, size_t at)
{
    lease->line_count--;
    for (size_t i = at; i < lease->line_count; i++) {
        lease->line[i] = lease->line[i + 1];
        lease->tired[i] = lease->tired[i + 1];
    }
}

static struct model_lease *
model_of(struct slice name)
{
    size_t i = 0;

    while (!slice_equal(slice_of(names[i]), name)) {
        i++;
    }
    return &model[i];
}

/* Take what is done, and hold it against the model: a lease may only come to
 * who is first in line, when its holder is over; and under a greater fence than
 * any before.
 */
static void
check_done(void)
{
    struct job *job;

    while ((job = take_done()) != NULL) {
        struct model_lease *lease = model_of(job->lease.name);
        size_t at = 0;

        while (lease->line[at] != job->connection_id) {
            at++;
            ck_assert_uint_lt(at, lease->line_count);
        }
        if (job->outcome.code == ACTA_OK) {
            ck_assert_uint_eq(at, 0);
            ck_assert(lease->holder == 0 || lease->until <= core.mono_us);
            lease->holder = job->connection_id;
            lease->fence = job->outcome.lease_changed.fence;
            lease->until = core.mono_us + 10 * SECOND;
            ck_assert_uint_gt(lease->fence, fence_max);
            fence_max = lease->fence;
        } else {
            ck_assert_int_eq(job->outcome.code, ACTA_HELD);
            ck_assert_uint_le(lease->tired[at], core.mono_us);
        }
        leave_line(lease, at);
        job_free(job);
    }
}

/* Nobody waits longer than it said, or for a lease that nobody holds. */
static void
check_rest(void)
{
    for (size_t n = 0; n < NAMES; n++) {
        if (model[n].until <= core.mono_us) {
            model[n].holder = 0;
        }
        for (size_t i = 0; i < model[n].line_count; i++) {
            ck_assert_uint_gt(model[n].tired[i], core.mono_us);
            ck_assert_uint_ne(model[n].holder, 0);
        }
    }
}

static bool
is_in_line(const struct model_lease *lease, uint64_t who)
{
    for (size_t i = 0; i < lease->line_count; i++) {
        if (lease->line[i] == who) {
            return true;
        }
    }
    return false;
}

static void
step_acquire(struct rnd *rnd, size_t n)
{
    uint64_t who = 1 + rnd_below(rnd, WHOS);
    uint64_t wait = rnd_below(rnd, 3) * rnd_below(rnd, 20) * SECOND;
    struct model_lease *lease = &model[n];
    bool waits, is_free;
    struct job *job;

    if (is_in_line(lease, who)) {
        return;
    }
    job = ask(names[n], MSG_LEASE_ACQUIRE, who, wait, 0, &waits);
    is_free = lease->holder == 0;
    if (lease->holder == who) {
        ck_assert(!waits);
        ck_assert_uint_eq(job->outcome.lease_changed.fence, lease->fence);
        lease->until = core.mono_us + 10 * SECOND;
    } else if (is_free) {
        ck_assert(!waits);
        ck_assert_int_eq(job->outcome.code, ACTA_OK);
        lease->holder = who;
        lease->fence = job->outcome.lease_changed.fence;
        lease->until = core.mono_us + 10 * SECOND;
        ck_assert_uint_gt(lease->fence, fence_max);
        fence_max = lease->fence;
    } else {
        ck_assert_int_eq(waits, wait > 0);
        if (waits) {
            lease->line[lease->line_count] = who;
            lease->tired[lease->line_count++] = core.mono_us + wait;
            return; /* The job is kept. */
        }
        ck_assert_int_eq(job->outcome.code, ACTA_HELD);
    }
    job_free(job);
}

static void
step(struct rnd *rnd)
{
    size_t n = rnd_below(rnd, NAMES);
    struct model_lease *lease = &model[n];
    uint64_t fence =
        rnd_once_in(rnd, 4) ? rnd_below(rnd, fence_max + 2) : lease->fence;
    bool is_holder = lease->holder != 0 && fence == lease->fence;

    switch (rnd_below(rnd, 5)) {
    case 0:
        pass(rnd_below(rnd, 6 * SECOND));
        break;
    case 1:
        ck_assert_int_eq(renew(names[n], fence) == ACTA_OK, is_holder);
        if (is_holder) {
            lease->until = core.mono_us + 10 * SECOND;
        }
        break;
    case 2:
        ck_assert_int_eq(release(names[n], fence), is_holder);
        if (is_holder) {
            lease->holder = 0;
        }
        break;
    default:
        step_acquire(rnd, n);
        break;
    }
    check_done();
    check_rest();
}

START_TEST(leases_do_what_the_model_does)
{
    struct rnd rnd;

    rnd_init(&rnd);
    memset(model, 0, sizeof(model));
    for (unsigned i = rnd_effort(STEPS, 50 * STEPS); i > 0; i--) {
        step(&rnd);
    }
    ck_assert_uint_gt(fence_max, 1); /* Few steps give few. */
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("lease_decisions");
    TCase *tcase = tcase_create("leases");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_lease_has_one_holder_until_it_is_released);
    tcase_add_test(tcase, a_lease_expires_by_the_monotonic_clock_alone);
    tcase_add_test(tcase, who_waits_longest_is_next_and_is_told_how_long);
    tcase_add_test(tcase, a_wait_that_is_over_is_refused_and_says_who_holds_it);
    tcase_add_test(tcase, a_wait_is_over_in_time_while_nothing_can_be_decided);
    tcase_add_test(tcase,
                   the_next_time_is_that_of_the_first_wait_or_lease_to_be_over);
    tcase_add_test(tcase, who_sends_its_claim_again_gets_the_same_fence);
    tcase_add_test(tcase,
                   with_as_many_leases_as_may_be_those_there_are_can_be_kept);
    tcase_add_test(
        tcase, who_waits_with_the_same_claim_again_takes_its_own_place_in_line);
    tcase_add_test(tcase, those_who_wait_go_with_their_connection);
    tcase_add_test(tcase,
                   a_lease_that_is_held_lives_its_whole_time_after_a_restart);
    tcase_add_test(tcase,
                   a_lease_renewed_for_longer_lives_as_long_after_a_restart);
    tcase_add_test(tcase, an_append_under_a_lost_lease_is_refused);
    tcase_add_test(tcase, leases_are_listed_in_order_with_those_who_wait);
    tcase_add_test(tcase, a_page_of_many_leases_takes_as_long_as_what_is_on_it);
    tcase_add_test(tcase, pages_of_leases_are_right_while_leases_come_and_go);
    tcase_add_test(tcase, leases_do_what_the_model_does);
    return run_suite(suite);
}
