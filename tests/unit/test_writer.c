#include "writer.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "checkpoint.h"
#include "fake_clock.h"
#include "frame.h"
#include "journal.h"
#include "journal_files.h"
#include "limit.h"
#include "msg_consumer.h"
#include "msg_lease.h"
#include "queue.h"
#include "run.h"
#include "store_lmdb.h"

#define ANY  MSG_EXPECT_ANY
#define NOON ((uint64_t)1700000000000000)
#define HOUR UINT64_C(3600000000)

static struct base base;

static void
setup(void)
{
    base_init(&base);
    fake_clock_set(NOON);
}

static void
teardown(void)
{
    base_fini(&base);
}

static struct database_stats
stats(void)
{
    struct database_stats stats;

    database_stats(base.database, &stats);
    return stats;
}

/* ---- time ---- */

static void
note_time(void *user, const struct event *event)
{
    uint64_t *times = user;

    times[event->position] = event->time_us;
}

START_TEST(events_are_recorded_at_the_time_of_their_commit)
{
    uint64_t times[4];

    base_open(&base);
    base_append_many(&base, "a-1", 1, 1, 1);
    fake_clock_set(NOON + 5);
    base_append_many(&base, "a-1", 2, 2, 1);
    base_check(&base, note_time, times);
    ck_assert_uint_eq(times[1], NOON);
    ck_assert_uint_eq(times[2], NOON + 5);
    ck_assert_uint_eq(times[3], NOON + 5);
}
END_TEST

static void
append_one(struct base *of)
{
    base_append_many(of, "a-1", database_head(of->database) + 1, 1, 1);
}

/* The clock goes back by an hour: within one life, over a close, a kill. */
START_TEST(recorded_time_never_goes_back)
{
    uint64_t times[6];

    base_open(&base);
    append_one(&base);
    fake_clock_set(NOON - HOUR);
    append_one(&base);
    base_close(&base);
    base_open(&base);
    append_one(&base);
    base_close(&base);
    ck_assert_int_eq(base_killed(&base, append_one), 0);
    base_open(&base);
    append_one(&base);
    ck_assert_uint_eq(base_check(&base, note_time, times), 5);
    for (size_t i = 1; i <= 5; i++) {
        ck_assert_uint_eq(times[i], NOON);
    }
}
END_TEST

/* ---- sealing ---- */

START_TEST(a_memtable_is_as_old_as_its_first_event)
{
    base.options.checkpoint_age_ms = HOUR / 1000;
    base_open(&base);
    fake_clock_pass(2 * HOUR); /* In which there was nothing. */
    append_one(&base);
    append_one(&base);
    ck_assert_uint_eq(stats().tail_events, 2);
    fake_clock_pass(2 * HOUR);
    append_one(&base); /* Behind those, which were sealed. */
    ck_assert_uint_eq(stats().tail_events, 1);
}
END_TEST

/* ---- space ---- */

START_TEST(less_space_than_the_reserve_refuses_appends_and_not_reads)
{
    struct draft draft = {.id = 2};

    base_open(&base);
    append_one(&base);
    base_close(&base);
    base.options.disk_reserve = SIZE_MAX;
    base_open(&base);
    ck_assert_int_eq(base_append(&base, "a-1", ANY, &draft, 1), ACTA_FULL);
    ck_assert(stats().full);
    ck_assert_uint_eq(stats().refusals, 1);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 1);
    base_close(&base);
    base.options.disk_reserve = 0;
    base_open(&base);
    ck_assert_int_eq(base_append(&base, "a-1", 1, &draft, 1), ACTA_OK);
}
END_TEST

static struct job *
lease_job(enum msg_lease_change kind, const char *name, uint64_t fence)
{
    static const uint8_t claim[UUID_SIZE] = {1};

    return draft_lease(&(struct msg_change_lease){.name = slice_of(name),
                                                  .kind = kind,
                                                  .holder = slice_of("me"),
                                                  .claim = claim,
                                                  .duration_us = HOUR,
                                                  .fence = fence});
}

static enum acta_code
change_lease(enum msg_lease_change kind, const char *name, uint64_t fence,
             uint64_t *given)
{
    struct job *job = lease_job(kind, name, fence);
    enum acta_code code = base_decide(&base, job);

    *given = job->outcome.lease_changed.fence;
    job_free(job);
    return code;
}

static enum acta_code
list_leases(void)
{
    struct acta_err err;
    enum acta_code code;
    struct buf frame;
    struct job *job;

    buf_init(&frame, SIZE_MAX);
    msg_list_encode(&frame, OP_LIST_LEASES, 1, &(struct msg_list){0});
    ck_assert_int_eq(
        job_new(&job, JOB_LIST_LEASES,
                slice_make(buf_slice(&frame).data + FRAME_HEADER_SIZE,
                           buf_size(&frame) - FRAME_HEADER_SIZE),
                &err),
        ACTA_OK);
    buf_fini(&frame);
    code = base_decide(&base, job);
    job_free(job);
    return code;
}

/* What one does by a lease need not append anything here. */
START_TEST(a_lease_is_kept_and_seen_while_there_is_no_space_for_another)
{
    uint64_t fence, same, none;

    base_open(&base);
    ck_assert_int_eq(change_lease(MSG_LEASE_ACQUIRE, "l", 0, &fence), ACTA_OK);
    base_close(&base);
    base.options.disk_reserve = SIZE_MAX;
    base_open(&base);
    ck_assert_int_eq(change_lease(MSG_LEASE_RENEW, "l", fence, &same), ACTA_OK);
    ck_assert_uint_eq(same, fence);
    ck_assert_int_eq(change_lease(MSG_LEASE_ACQUIRE, "l", 0, &same), ACTA_OK);
    ck_assert_uint_eq(same, fence);
    ck_assert_int_eq(list_leases(), ACTA_OK);
    ck_assert_int_eq(change_lease(MSG_LEASE_RENEW, "l", fence + 1, &none),
                     ACTA_FENCED);
    ck_assert_int_eq(change_lease(MSG_LEASE_ACQUIRE, "m", 0, &none), ACTA_FULL);
    ck_assert_int_eq(change_lease(MSG_LEASE_RELEASE, "l", fence, &none),
                     ACTA_FULL);
}
END_TEST

START_TEST(a_store_that_is_full_refuses_appends_and_not_reads)
{
    enum acta_code code = ACTA_OK;
    uint8_t *data = calloc(1, 100000);
    struct draft draft = {.id = 1, .data = slice_make(data, 100000)};
    uint64_t appended = 0;

    base.options.store_map_size = 1 << 20;
    base.options.checkpoint_size = 200000;
    base_open(&base);
    while (appended < 1000 &&
           (code = base_append(&base, "a-1", ANY, &draft, 1)) == ACTA_OK) {
        draft.id++;
        appended++;
    }
    ck_assert_int_eq(code, ACTA_FULL);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), appended);
    base_close(&base);

    base.options.store_map_size = CORE_MAP_SIZE;
    base_open(&base);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), appended);
    ck_assert_int_eq(base_append(&base, "a-1", (int64_t)appended, &draft, 1),
                     ACTA_OK);
    free(data);
}
END_TEST

/* ---- counting ---- */

START_TEST(commits_refusals_and_repeats_are_counted)
{
    struct draft draft = {.id = 1};

    base_open(&base);
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_OK);
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_OK);
    draft.id = 2;
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_CONFLICT);
    ck_assert_uint_eq(stats().commits, 1);
    ck_assert_uint_eq(stats().events, 1);
    ck_assert_uint_eq(stats().repeats, 1);
    ck_assert_uint_eq(stats().refusals, 1);
    ck_assert_uint_eq(stats().queue_size, 0);
}
END_TEST

/* ---- an append as large as they come ---- */

START_TEST(the_largest_append_is_one_commit)
{
    struct draft *drafts = calloc(ACTA_APPEND_EVENTS_MAX, sizeof(struct draft));

    for (uint64_t i = 0; i < ACTA_APPEND_EVENTS_MAX; i++) {
        drafts[i].id = i + 1;
    }
    base.options.checkpoint_events = 1;
    base_open(&base);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(
            base_append(&base, "a-1", ANY, drafts, ACTA_APPEND_EVENTS_MAX),
            ACTA_OK);
        for (uint64_t e = 0; e < ACTA_APPEND_EVENTS_MAX; e++) {
            drafts[e].id += ACTA_APPEND_EVENTS_MAX;
        }
    }
    ck_assert_uint_eq(stats().commits, 3);
    base_close(&base);
    base_open(&base);
    ck_assert_uint_eq(base_check(&base, NULL, NULL),
                      3 * ACTA_APPEND_EVENTS_MAX);
    free(drafts);
}
END_TEST

/* ---- a turn as large as it can be ---- */

#define TURN_JOBS    4
#define EVENTS_A_JOB (WRITER_EVENTS_MAX / 2)

static sem_t sync_begun, sync_may_end, some_came;
static atomic_bool syncs_wait;

/* The journal's keeper makes its spares in its own time. */
static bool
is_of_spare(int fd)
{
    char name[64], path[4096];
    ssize_t size;

    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    size = readlink(name, path, sizeof(path) - 1);
    ck_assert_int_gt(size, 0);
    path[size] = '\0';
    return strstr(path, JOURNAL_SPARE_PREFIX) != NULL;
}

static int
sync_when_told(int fd)
{
    if (!is_of_spare(fd) && atomic_exchange(&syncs_wait, false)) {
        sem_post(&sync_begun);
        sem_wait(&sync_may_end);
    }
    return fdatasync(fd);
}

static void
tell_some_came(void *user)
{
    (void)user;
    sem_post(&some_came);
}

/* Hand it over, and do not wait for it. */
static void
submit(struct completions *completions, struct job *job)
{
    job->completions = completions;
    ck_assert_int_eq(database_submit(base.database, job), ACTA_OK);
}

static void
take_all(struct completions *completions, size_t count)
{
    while (count > 0) {
        struct job *job = completions_take(completions);

        if (job == NULL) {
            sem_wait(&some_came);
        }
        for (struct job *next; job != NULL; job = next) {
            next = job->next;
            ck_assert_int_eq(job->outcome.code, ACTA_OK);
            job_free(job);
            count--;
        }
    }
}

/* An append of as many events as two of make a batch; their ids are not used
 * again.
 */
static struct draft_write
large_write(struct draft *drafts, const char *stream)
{
    static uint64_t last_id = 1000;

    for (size_t i = 0; i < EVENTS_A_JOB; i++) {
        drafts[i] = (struct draft){.id = ++last_id};
    }
    return (struct draft_write){stream, ANY, drafts, EVENTS_A_JOB};
}

static struct job *
large_schedule(struct draft *drafts, const char *name)
{
    struct draft_write write = large_write(drafts, name);
    struct msg_schedule schedule = {.name = slice_of(name),
                                    .due_us = NOON + 1000};
    struct msg_append_more more = {.schedules = &schedule,
                                   .schedules_count = 1};
    struct job *job;
    struct buf buf;

    buf_init(&buf, SIZE_MAX);
    schedule.writes = draft_writes(&buf, &write, 1);
    job = draft_append_with(NULL, 0, &more);
    buf_fini(&buf);
    return job;
}

/* Open the database so that syncs are held up from when syncs_wait is set. */
static void
open_to_wait(struct completions *completions)
{
    sem_init(&sync_begun, 0, 0);
    sem_init(&sync_may_end, 0, 0);
    sem_init(&some_came, 0, 0);
    completions_init(completions, tell_some_came, NULL);
    journal_sync = sync_when_told;
    base_open(&base);
}

/* A batch is due, and another one waits in the queue, when the writer comes
 * back from a sync.
 */
START_TEST(what_is_due_and_what_is_asked_for_are_room_enough_in_one_turn)
{
    struct draft *drafts = calloc(EVENTS_A_JOB, sizeof(*drafts));
    struct completions completions;
    struct draft one = {.id = 1};
    struct draft_write small = {"small-1", ANY, &one, 1};
    struct draft_write large;

    base.options.checkpoint_events = 1;
    open_to_wait(&completions);
    submit(&completions, large_schedule(drafts, "due-1"));
    submit(&completions, large_schedule(drafts, "due-2"));
    take_all(&completions, 2);

    atomic_store(&syncs_wait, true);
    submit(&completions, draft_append(&small, 1));
    sem_wait(&sync_begun);
    fake_clock_set(NOON + 1000);
    large = large_write(drafts, "asked-1");
    submit(&completions, draft_append(&large, 1));
    large = large_write(drafts, "asked-2");
    submit(&completions, draft_append(&large, 1));
    sem_post(&sync_may_end);
    take_all(&completions, 3);
    ck_assert_uint_eq(base_check(&base, NULL, NULL),
                      1 + TURN_JOBS * EVENTS_A_JOB);
    base_close(&base);
    completions_fini(&completions);
    free(drafts);
}
END_TEST

/* ---- deciding ahead ---- */

#define AHEAD 64

static void
wait_until_decided(size_t events)
{
    while (stats().tail_events < events) {
        sched_yield();
    }
}

/* The first sync is held up: two jobs behind it are decided meanwhile, and are
 * one commit. What they expect is what is not durable yet.
 */
START_TEST(what_is_decided_during_a_sync_is_not_seen_before_its_own)
{
    struct draft drafts[AHEAD] = {{0}}, one = {.id = 1}, last = {.id = 2};
    struct draft_write first = {"a-1", 0, &one, 1};
    struct draft_write much = {"a-1", 1, drafts, AHEAD};
    struct draft_write late = {"a-1", 1 + AHEAD, &last, 1};
    struct completions completions;

    for (size_t i = 0; i < AHEAD; i++) {
        drafts[i].id = 100 + i;
    }
    ck_assert_uint_le(queue_ahead_events, AHEAD);
    open_to_wait(&completions);
    base_append_many(&base, "b-1", 1000, 1, 1);
    atomic_store(&syncs_wait, true);
    submit(&completions, draft_append(&first, 1));
    sem_wait(&sync_begun);
    submit(&completions, draft_append(&much, 1));
    wait_until_decided(2 + AHEAD);
    submit(&completions, draft_append(&late, 1));
    ck_assert_uint_eq(database_head(base.database), 1);
    ck_assert_ptr_null(completions_take(&completions));
    sem_post(&sync_may_end);
    take_all(&completions, 3);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 3 + AHEAD);
    base_close(&base);
    base_open(&base);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 3 + AHEAD);
    ck_assert_uint_eq(base_version(&base, "a-1"), 2 + AHEAD);
    completions_fini(&completions);
}
END_TEST

/* A lease is renewed while a commit is open that was begun before: it is held
 * from then, and not from when that began.
 */
START_TEST(a_lease_that_is_renewed_has_its_time_from_when_it_was_asked_for)
{
    struct draft drafts[AHEAD] = {{0}}, one = {.id = 1};
    struct draft_write first = {"a-1", 0, &one, 1};
    struct draft_write much = {"a-1", 1, drafts, AHEAD};
    struct completions completions;
    uint64_t fence, same;

    for (size_t i = 0; i < AHEAD; i++) {
        drafts[i].id = 100 + i;
    }
    open_to_wait(&completions);
    ck_assert_int_eq(change_lease(MSG_LEASE_ACQUIRE, "l", 0, &fence), ACTA_OK);
    atomic_store(&syncs_wait, true);
    submit(&completions, draft_append(&first, 1));
    sem_wait(&sync_begun);
    submit(&completions, draft_append(&much, 1));
    wait_until_decided(1 + AHEAD);
    fake_clock_pass(HOUR / 2);
    submit(&completions, lease_job(MSG_LEASE_RENEW, "l", fence));
    sem_post(&sync_may_end);
    take_all(&completions, 3);
    fake_clock_pass(HOUR / 4 * 3);
    ck_assert_int_eq(change_lease(MSG_LEASE_RENEW, "l", fence, &same), ACTA_OK);
    base_close(&base);
    completions_fini(&completions);
}
END_TEST

/* ---- committing where it comes from ---- */

/* As soon as the writer has nothing to do. */
static struct job *
commit_now(struct completions *completions, struct job *job)
{
    struct job *done;

    job->completions = completions;
    while (!database_commit_now(base.database, job, NULL, &done)) {
        sched_yield();
    }
    return done;
}

START_TEST(an_append_is_committed_by_the_thread_that_brings_it)
{
    struct draft draft = {.id = 1};
    struct draft_write write = {"a-1", 1, &draft, 1};
    struct completions completions;
    struct job *job = draft_append(&write, 1);

    completions_init(&completions, tell_some_came, NULL);
    base_open(&base);
    base_append_many(&base, "a-1", 1000, 1, 1);
    ck_assert_ptr_eq(commit_now(&completions, job), job);
    ck_assert_ptr_null(job->next);
    ck_assert_int_eq(job->outcome.code, ACTA_OK);
    ck_assert_ptr_null(completions_take(&completions));
    ck_assert_uint_eq(database_head(base.database), 2);
    job_free(job);
    draft.id = 2;
    job = draft_append(&write, 1);
    ck_assert_ptr_eq(commit_now(&completions, job), job);
    ck_assert_int_eq(job->outcome.code, ACTA_CONFLICT);
    job_free(job);
    base_append_many(&base, "a-1", 2000, 1, 1);
    ck_assert_uint_eq(stats().commits, 3);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 3);
    base_close(&base);
    base_open(&base);
    ck_assert_uint_eq(base_version(&base, "a-1"), 3);
    completions_fini(&completions);
}
END_TEST

START_TEST(nothing_is_committed_past_what_waits_or_is_under_way)
{
    struct draft draft = {.id = 1}, other = {.id = 2};
    struct draft_write write = {"a-1", ANY, &draft, 1};
    struct draft_write mine = {"a-1", ANY, &other, 1};
    struct completions completions;
    struct job *job = draft_append(&mine, 1);
    struct job *done;

    open_to_wait(&completions);
    base_append_many(&base, "a-1", 1000, 1, 1);
    atomic_store(&syncs_wait, true);
    submit(&completions, draft_append(&write, 1));
    job->completions = &completions;
    ck_assert(!database_commit_now(base.database, job, NULL, &done));
    sem_wait(&sync_begun);
    ck_assert(!database_commit_now(base.database, job, NULL, &done));
    sem_post(&sync_may_end);
    take_all(&completions, 1);
    job_free(job);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 2);
    completions_fini(&completions);
}
END_TEST

/* ---- what a checkpoint keeps waiting ---- */

static _Atomic unsigned hurries;

void __real_checkpointer_hurry(struct checkpointer *checkpointer);
void __wrap_checkpointer_hurry(struct checkpointer *checkpointer);

void
__wrap_checkpointer_hurry(struct checkpointer *checkpointer)
{
    atomic_fetch_add(&hurries, 1);
    __real_checkpointer_hurry(checkpointer);
}

/* The checkpoint waits for a transaction of the test's. The next memtable fills
 * by what is committed past the writer's threads.
 */
START_TEST(a_full_memtable_hurries_the_checkpoint_of_the_one_before)
{
    struct draft drafts[9] = {{0}};
    struct draft_write write = {"a-1", ANY, NULL, 1};
    struct completions completions;
    MDB_txn *txn;

    for (size_t i = 0; i < 9; i++) {
        drafts[i].id = 1 + i;
    }
    base.options.checkpoint_events = 4;
    base_open(&base);
    completions_init(&completions, tell_some_came, NULL);
    ck_assert_int_eq(
        mdb_txn_begin(database_rooms(base.database)->store->env, NULL, 0, &txn),
        0);
    ck_assert_int_eq(base_append(&base, "a-1", ANY, drafts, 4), ACTA_OK);
    ck_assert_int_eq(base_append(&base, "a-1", ANY, drafts + 4, 1), ACTA_OK);
    ck_assert_uint_eq(atomic_load(&hurries), 0);
    for (size_t i = 5; i < 9; i++) {
        struct job *job;

        write.drafts = drafts + i;
        job = draft_append(&write, 1);
        ck_assert_ptr_eq(commit_now(&completions, job), job);
        job_free(job);
    }
    ck_assert_uint_gt(atomic_load(&hurries), 0);
    mdb_txn_abort(txn);
    base_close(&base);
    completions_fini(&completions);
}
END_TEST

START_TEST(what_is_not_a_small_append_is_for_the_writer)
{
    struct draft draft = {.id = 1};
    struct draft_write write = {"a-1", ANY, &draft, 1};
    struct job *job = draft_append(&write, 1);
    struct job *lease = lease_job(MSG_LEASE_ACQUIRE, "l", 0);
    struct completions completions;
    struct job *done;

    completions_init(&completions, tell_some_came, NULL);
    base_open(&base);
    base_append_many(&base, "a-1", 1000, 1, 1);
    ck_assert(!database_commit_now(base.database, lease, NULL, &done));
    job_free(lease);
    job->size = ((size_t)64 << 10) + 1;
    ck_assert(!database_commit_now(base.database, job, NULL, &done));
    job->size--;
    ck_assert_ptr_eq(commit_now(&completions, job), job);
    job_free(job);
    base_close(&base);
    completions_fini(&completions);
}
END_TEST

/* A consumer that nobody else has: its epoch. */
static uint64_t
claim(const char *name)
{
    struct msg_change_consumer wanted = {.name = slice_of(name),
                                         .kind = MSG_CONSUMER_CLAIM};
    struct job *job = draft_consumer(&wanted);
    uint64_t epoch;

    ck_assert_int_eq(base_decide(&base, job), ACTA_OK);
    epoch = job->outcome.consumer_changed.epoch;
    job_free(job);
    return epoch;
}

/* Everything else that an append may carry is committed with it. Who has waited
 * for that is answered, too, and what is due now does not wait for another.
 */
START_TEST(what_an_append_carries_is_committed_by_the_thread_that_brings_it)
{
    struct draft draft = {.id = 1}, timed = {.id = 2};
    struct draft_write write = {"a-1", ANY, &draft, 1};
    struct draft_write later = {"a-1", ANY, &timed, 1};
    struct msg_check check = {slice_of("b-1"), 0};
    struct msg_condition condition = {QUERY_ALL, 1};
    struct msg_checkpoint move = {.consumer = slice_of("c"), .to = 1};
    struct msg_fence fence = {.lease = slice_of("l")};
    struct msg_snapshot snapshot = {.stream = slice_of("a-1"), .version = 1};
    struct msg_schedule schedule = {.name = slice_of("s"), .is_delay = true};
    struct slice cancelled = slice_of("none");
    struct msg_await wanted = {slice_of("c"), 1, HOUR};
    struct msg_append_more more = {
        .checks = &check,
        .checks_count = 1,
        .conditions = &condition,
        .conditions_count = 1,
        .checkpoints = &move,
        .checkpoints_count = 1,
        .leases = &fence,
        .leases_count = 1,
        .snapshots = &snapshot,
        .snapshots_count = 1,
        .schedules = &schedule,
        .schedules_count = 1,
        .cancellations = &cancelled,
        .cancellations_count = 1,
    };
    struct completions completions;
    struct job *job, *waiter;
    struct buf writes;

    buf_init(&writes, SIZE_MAX);
    schedule.writes = draft_writes(&writes, &later, 1);
    completions_init(&completions, tell_some_came, NULL);
    base_open(&base);
    base_append_many(&base, "a-1", 1000, 1, 1);
    move.epoch = claim("c");
    ck_assert_int_eq(change_lease(MSG_LEASE_ACQUIRE, "l", 0, &fence.fence),
                     ACTA_OK);
    waiter = draft_await(&wanted);
    submit(&completions, waiter);
    job = draft_append_with(&write, 1, &more);
    ck_assert_ptr_eq(commit_now(&completions, job), job);
    ck_assert_msg(job->outcome.code == ACTA_OK, "%s", job->outcome.text);
    ck_assert_ptr_eq(job->next, waiter);
    ck_assert_int_eq(waiter->outcome.code, ACTA_OK);
    ck_assert_uint_eq(waiter->outcome.consumer_changed.position, 1);
    job_free(waiter);
    job_free(job);
    while (base_version(&base, "a-1") < 3) {
        sched_yield();
    }
    draft.id = 3;
    job = draft_append_with(&write, 1, &more);
    ck_assert_ptr_eq(commit_now(&completions, job), job);
    ck_assert_int_eq(job->outcome.code, ACTA_CONFLICT);
    job_free(job);
    base_close(&base);
    completions_fini(&completions);
    buf_fini(&writes);
}
END_TEST

/* ---- a sync that fails ---- */

static atomic_bool syncs_fail;

static int
sync_or_fail(int fd)
{
    if (atomic_load(&syncs_fail)) {
        errno = EIO;
        return -1;
    }
    return fdatasync(fd);
}

static void
append_with_failing_sync(struct base *of)
{
    struct draft draft = {.id = 100};

    base_append_many(of, "a-1", 1, 5, 10);
    atomic_store(&syncs_fail, true);
    (void)base_append(of, "a-1", ANY, &draft, 1);
    _exit(EXIT_SUCCESS); /* It was answered, which it must not be. */
}

START_TEST(a_failing_sync_ends_the_process_before_anyone_is_answered)
{
    struct draft draft = {.id = 100};

    journal_sync = sync_or_fail;
    ck_assert_int_eq(base_killed(&base, append_with_failing_sync),
                     BASE_FATAL_STATUS);
    base_open(&base);
    ck_assert_uint_ge(base_check(&base, NULL, NULL), 5);
    /* Sent again it counts once, whichever way it went. */
    ck_assert_int_eq(base_append(&base, "a-1", ANY, &draft, 1), ACTA_OK);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 6);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("writer");
    TCase *tcase = tcase_create("writer");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, events_are_recorded_at_the_time_of_their_commit);
    tcase_add_test(tcase, recorded_time_never_goes_back);
    tcase_add_test(tcase, a_memtable_is_as_old_as_its_first_event);
    tcase_add_test(tcase,
                   less_space_than_the_reserve_refuses_appends_and_not_reads);
    tcase_add_test(
        tcase, a_lease_is_kept_and_seen_while_there_is_no_space_for_another);
    tcase_add_test(tcase, a_store_that_is_full_refuses_appends_and_not_reads);
    tcase_add_test(tcase, commits_refusals_and_repeats_are_counted);
    tcase_add_test(tcase, the_largest_append_is_one_commit);
    tcase_add_test(
        tcase, what_is_due_and_what_is_asked_for_are_room_enough_in_one_turn);
    tcase_add_test(tcase,
                   what_is_decided_during_a_sync_is_not_seen_before_its_own);
    tcase_add_test(
        tcase, a_lease_that_is_renewed_has_its_time_from_when_it_was_asked_for);
    tcase_add_test(tcase, an_append_is_committed_by_the_thread_that_brings_it);
    tcase_add_test(tcase, nothing_is_committed_past_what_waits_or_is_under_way);
    tcase_add_test(tcase,
                   a_full_memtable_hurries_the_checkpoint_of_the_one_before);
    tcase_add_test(tcase, what_is_not_a_small_append_is_for_the_writer);
    tcase_add_test(
        tcase,
        what_an_append_carries_is_committed_by_the_thread_that_brings_it);
    tcase_add_test(tcase,
                   a_failing_sync_ends_the_process_before_anyone_is_answered);
    return run_suite(suite);
}
