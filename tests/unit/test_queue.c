#include "queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "core.h"
#include "limit.h"
#include "run.h"

#define ROOM      1000
#define LONG_WAIT 60000 /* Never over: something comes before. */

static struct queue queue;

static void
setup(void)
{
    queue_init(&queue, ROOM);
}

static void
teardown(void)
{
    queue_fini(&queue);
}

/* An append that only a queue looks at. */
static struct job *
append_of(size_t size, size_t events, size_t records_size)
{
    struct job *job = calloc(1, sizeof(*job));

    job->size = size;
    job->events_count = events;
    job->records_size = records_size;
    return job;
}

static enum acta_code
put(struct job *job)
{
    return queue_put(&queue, job);
}

static bool
take(struct batch *batch, size_t events_max, size_t size_max)
{
    queue_take(&queue, batch, events_max, size_max, true);
    return batch->first != NULL;
}

static size_t
free_all(struct batch *batch)
{
    size_t count = 0;

    while (batch->first != NULL) {
        struct job *job = batch->first;

        batch->first = job->next;
        free(job);
        count++;
    }
    return count;
}

/* Take everything that is there. Returns how many that was. */
static size_t
empty(void)
{
    struct batch batch;

    (void)take(&batch, SIZE_MAX, SIZE_MAX);
    return free_all(&batch);
}

START_TEST(appends_come_out_in_the_order_they_went_in)
{
    struct job *appends[3];
    struct batch batch;

    for (size_t i = 0; i < 3; i++) {
        appends[i] = append_of(10, 1 + i, 100);
        ck_assert_int_eq(put(appends[i]), ACTA_OK);
    }
    ck_assert_uint_eq(queue_size(&queue), 30);
    ck_assert(take(&batch, SIZE_MAX, SIZE_MAX));
    ck_assert_ptr_eq(batch.first, appends[0]);
    ck_assert_ptr_eq(batch.first->next, appends[1]);
    ck_assert_ptr_eq(batch.last, appends[2]);
    ck_assert_ptr_null(batch.last->next);
    ck_assert_uint_eq(batch.events_count, 6);
    ck_assert_uint_eq(batch.records_size, 300);
    ck_assert_uint_eq(queue_size(&queue), 0);
    free_all(&batch);
}
END_TEST

START_TEST(a_batch_ends_before_the_append_that_would_go_over_its_events)
{
    struct batch batch;

    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(put(append_of(1, 5, 1)), ACTA_OK);
    }
    ck_assert(take(&batch, 10, SIZE_MAX));
    ck_assert_uint_eq(batch.events_count, 10);
    ck_assert_uint_eq(free_all(&batch), 2);
    ck_assert(take(&batch, 4, SIZE_MAX));
    ck_assert_uint_eq(free_all(&batch), 1);
}
END_TEST

START_TEST(a_batch_ends_before_the_append_that_would_go_over_its_size)
{
    struct batch batch;

    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(put(append_of(1, 1, 50)), ACTA_OK);
    }
    ck_assert(take(&batch, SIZE_MAX, 149));
    ck_assert_uint_eq(batch.records_size, 100);
    ck_assert_uint_eq(free_all(&batch), 2);
    ck_assert_uint_eq(empty(), 1);
}
END_TEST

/* Each takes the writer's time, though it has no events. */
START_TEST(a_change_counts_as_an_event)
{
    struct batch batch;

    for (size_t i = 0; i < 3; i++) {
        struct job *change = append_of(1, 0, 0);

        change->kind = JOB_CHANGE;
        ck_assert_int_eq(put(change), ACTA_OK);
    }
    ck_assert(take(&batch, 2, SIZE_MAX));
    ck_assert_uint_eq(free_all(&batch), 2);
    ck_assert_uint_eq(empty(), 1);
}
END_TEST

START_TEST(rows_count_to_the_size_of_a_batch)
{
    struct batch batch;

    for (size_t i = 0; i < 3; i++) {
        struct job *job = append_of(1, 1, 20);

        job->rows_size = 30;
        ck_assert_int_eq(put(job), ACTA_OK);
    }
    ck_assert(take(&batch, SIZE_MAX, 149));
    ck_assert_uint_eq(batch.records_size, 40);
    ck_assert_uint_eq(batch.rows_size, 60);
    ck_assert_uint_eq(free_all(&batch), 2);
    ck_assert_uint_eq(empty(), 1);
}
END_TEST

/* Queues are bounded by it. */
START_TEST(checks_and_conditions_count_to_the_memory_of_a_job)
{
    static const struct draft draft = {.id = 1};
    struct draft_write write = {"a-1", 0, &draft, 1};
    struct msg_check checks[ACTA_APPEND_CHECKS_MAX];
    struct msg_condition conditions[ACTA_APPEND_CONDITIONS_MAX];
    struct msg_append_more more = {
        .checks = checks,
        .checks_count = ACTA_APPEND_CHECKS_MAX,
        .conditions = conditions,
        .conditions_count = ACTA_APPEND_CONDITIONS_MAX,
    };
    struct job *plain, *full;

    for (size_t i = 0; i < ACTA_APPEND_CHECKS_MAX; i++) {
        checks[i] = (struct msg_check){slice_of("b"), 0};
    }
    for (size_t i = 0; i < ACTA_APPEND_CONDITIONS_MAX; i++) {
        conditions[i] = (struct msg_condition){QUERY_ALL, 0};
    }
    plain = draft_append(&write, 1);
    full = draft_append_with(&write, 1, &more);
    ck_assert_uint_ge(full->size,
                      plain->size + sizeof(checks) + sizeof(conditions));
    job_free(plain);
    job_free(full);
}
END_TEST

START_TEST(a_batch_has_one_append_at_least)
{
    struct batch batch;

    ck_assert_int_eq(put(append_of(1, 500, 500)), ACTA_OK);
    ck_assert(take(&batch, 1, 1));
    ck_assert_uint_eq(free_all(&batch), 1);
}
END_TEST

START_TEST(a_full_queue_refuses_and_takes_again_when_there_is_room)
{
    struct job *refused = append_of(1, 1, 1);

    ck_assert_int_eq(put(append_of(ROOM - 1, 1, 1)), ACTA_OK);
    ck_assert_int_eq(put(append_of(1, 1, 1)), ACTA_OK);
    ck_assert_int_eq(put(refused), ACTA_BUSY);
    ck_assert_uint_eq(queue_size(&queue), ROOM);
    ck_assert_uint_eq(empty(), 2);
    ck_assert_int_eq(put(refused), ACTA_OK);
    ck_assert_uint_eq(empty(), 1);
}
END_TEST

START_TEST(an_empty_queue_takes_one_append_of_any_size_and_then_no_more)
{
    struct job *refused = append_of(1, 1, 1);

    ck_assert_int_eq(put(append_of(ROOM + 1, 1, 1)), ACTA_OK);
    ck_assert_int_eq(put(refused), ACTA_BUSY);
    free(refused);
    ck_assert_uint_eq(empty(), 1);
}
END_TEST

START_TEST(a_closed_queue_refuses_and_gives_out_what_it_has)
{
    struct job *refused = append_of(1, 1, 1);
    struct batch batch;

    ck_assert_int_eq(put(append_of(1, 1, 1)), ACTA_OK);
    queue_close(&queue);
    ck_assert_int_eq(put(refused), ACTA_STOPPING);
    free(refused);
    ck_assert(take(&batch, SIZE_MAX, SIZE_MAX));
    ck_assert_uint_eq(free_all(&batch), 1);
    ck_assert_int_eq(queue_await(&queue), QUEUE_OVER);
}
END_TEST

START_TEST(what_does_not_fit_is_left_where_one_is_not_asked_for)
{
    struct batch batch;

    ck_assert_int_eq(put(append_of(1, 500, 500)), ACTA_OK);
    queue_take(&queue, &batch, 499, SIZE_MAX, false);
    ck_assert_ptr_null(batch.first);
    ck_assert_uint_eq(batch.events_count, 0);
    queue_take(&queue, &batch, SIZE_MAX, 499, false);
    ck_assert_ptr_null(batch.first);
    ck_assert_uint_eq(empty(), 1);
}
END_TEST

/* ---- turns ---- */

/* What is there is committed, and the next turn is in a long time. */
static void
commit_all(void)
{
    ck_assert_int_eq(queue_await(&queue), QUEUE_COMMIT);
    empty();
    queue_begin_write(&queue, false, LONG_WAIT);
    queue_end_write(&queue, true);
}

START_TEST(when_the_time_is_over_there_is_a_turn_with_nothing_to_take)
{
    ck_assert_int_eq(queue_await(&queue), QUEUE_COMMIT);
    ck_assert_uint_eq(empty(), 0);
    queue_begin_write(&queue, false, 1);
    queue_end_write(&queue, true);
    ck_assert_int_eq(queue_await(&queue), QUEUE_COMMIT);
    ck_assert_uint_eq(empty(), 0);
}
END_TEST

START_TEST(a_job_gives_a_turn_before_the_time_is_over)
{
    commit_all();
    ck_assert_int_eq(put(append_of(1, 1, 1)), ACTA_OK);
    ck_assert_int_eq(queue_await(&queue), QUEUE_COMMIT);
    ck_assert_uint_eq(empty(), 1);
}
END_TEST

START_TEST(what_was_taken_and_is_not_committed_gives_another_turn)
{
    ck_assert_int_eq(queue_await(&queue), QUEUE_COMMIT);
    queue_begin_write(&queue, true, LONG_WAIT);
    queue_end_write(&queue, true);
    commit_all();
}
END_TEST

START_TEST(while_one_writes_what_is_much_is_decided_ahead)
{
    commit_all();
    ck_assert_int_eq(put(append_of(1, 1, 1)), ACTA_OK);
    ck_assert_int_eq(queue_await(&queue), QUEUE_COMMIT);
    ck_assert_uint_eq(empty(), 1);
    queue_begin_write(&queue, false, LONG_WAIT);
    ck_assert_int_eq(put(append_of(1, queue_ahead_events - 1, 1)), ACTA_OK);
    ck_assert(!queue_is_long(&queue));
    ck_assert_int_eq(put(append_of(1, 1, 1)), ACTA_OK);
    ck_assert(queue_is_long(&queue));
    ck_assert_int_eq(queue_await(&queue), QUEUE_AHEAD);
    ck_assert_uint_eq(empty(), 2);
    queue_end_ahead(&queue, true, false);
    queue_end_write(&queue, true);
    commit_all(); /* What was decided. */
}
END_TEST

/* As long as one that writes takes, unless it is no use. */
START_TEST(what_is_much_is_decided_ahead_again_and_again)
{
    commit_all();
    ck_assert(queue_try_commit(&queue));
    queue_begin_write(&queue, false, LONG_WAIT);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(put(append_of(1, queue_ahead_events, 1)), ACTA_OK);
        ck_assert_int_eq(queue_await(&queue), QUEUE_AHEAD);
        ck_assert_uint_eq(empty(), 1);
        queue_end_ahead(&queue, true, false);
    }
    queue_end_write(&queue, true);
    commit_all();
}
END_TEST

static void *
await_commit(void *arg)
{
    enum queue_turn *turn = arg;

    *turn = queue_await(&queue);
    return NULL;
}

/* A thread that waits for a turn by now. */
static pthread_t
start_waiting(enum queue_turn *turn)
{
    bool waits = false;
    pthread_t thread;

    *turn = QUEUE_OVER;
    ck_assert_int_eq(pthread_create(&thread, NULL, await_commit, turn), 0);
    while (!waits) {
        pthread_mutex_lock(&queue.lock);
        waits = queue.waiting > 0;
        pthread_mutex_unlock(&queue.lock);
        sched_yield();
    }
    return thread;
}

/* Who writes here does not come back: he is of another thread. */
START_TEST(what_came_while_another_wrote_wakes_who_waits)
{
    enum queue_turn turn;
    pthread_t thread;

    commit_all();
    thread = start_waiting(&turn);
    ck_assert(queue_try_commit(&queue));
    queue_begin_write(&queue, false, LONG_WAIT);
    ck_assert_int_eq(put(append_of(1, 1, 1)), ACTA_OK);
    queue_end_write(&queue, false);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(turn, QUEUE_COMMIT);
    ck_assert_uint_eq(empty(), 1);
}
END_TEST

START_TEST(who_waits_is_told_that_time_will_be_over_sooner)
{
    enum queue_turn turn;
    pthread_t thread;

    commit_all();
    thread = start_waiting(&turn);
    ck_assert(queue_try_commit(&queue));
    queue_begin_write(&queue, false, 1);
    queue_end_write(&queue, false);
    queue_look_again(&queue);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(turn, QUEUE_COMMIT);
    ck_assert_uint_eq(empty(), 0);
}
END_TEST

/* Both at once would change the order. */
START_TEST(nobody_else_commits_while_a_turn_lasts_or_something_waits)
{
    commit_all();
    ck_assert(queue_try_commit(&queue));
    ck_assert(!queue_try_commit(&queue));
    queue_begin_write(&queue, false, LONG_WAIT);
    ck_assert(!queue_try_commit(&queue));
    queue_end_write(&queue, false);
    ck_assert_int_eq(put(append_of(1, 1, 1)), ACTA_OK);
    ck_assert(!queue_try_commit(&queue));
    commit_all();
    ck_assert(queue_try_commit(&queue));
    queue_begin_write(&queue, true, LONG_WAIT);
    queue_end_write(&queue, false);
    ck_assert(!queue_try_commit(&queue));
    commit_all();
    queue_close(&queue);
    ck_assert(!queue_try_commit(&queue));
}
END_TEST

#define PUTTERS    4
#define PUTS       500
#define PUT_ROUNDS (PUTTERS * PUTS)
#define TAKERS     2

static void *
put_many(void *arg)
{
    size_t number = *(size_t *)arg;

    for (size_t i = 0; i < PUTS; i++) {
        struct job *job = append_of(1 + i % 300, 1 + i % 40, i);

        job->request_id = number;
        while (queue_put(&queue, job) == ACTA_BUSY) {
            sched_yield();
        }
    }
    return NULL;
}

/* By whose turn it is. */
static struct {
    size_t next[PUTTERS];
    size_t decided;
    size_t open; /* Decided, and not written. */
    size_t written;
    bool is_writing;
} seen;

static void
decide_some(void)
{
    struct batch batch;

    ck_assert(take(&batch, 200, SIZE_MAX));
    for (struct job *a = batch.first; a != NULL; a = a->next) {
        ck_assert_uint_lt(a->request_id, PUTTERS);
        ck_assert_uint_eq(a->records_size, seen.next[a->request_id]++);
        seen.decided++;
        seen.open++;
    }
    free_all(&batch);
}

static void
commit_seen(void)
{
    size_t count;

    if (seen.open == 0 && queue_size(&queue) > 0) {
        decide_some();
    }
    count = seen.open;
    seen.open = 0;
    queue_begin_write(&queue, false, LONG_WAIT);
    ck_assert(!seen.is_writing);
    seen.is_writing = true;
    seen.written += count;
    seen.is_writing = false;
    queue_end_write(&queue, true);
}

static void *
take_turns(void *arg)
{
    enum queue_turn turn;

    while ((turn = queue_await(&queue)) != QUEUE_OVER) {
        if (turn == QUEUE_COMMIT) {
            commit_seen();
        } else {
            decide_some();
            queue_end_ahead(&queue, true, false);
        }
    }
    return arg;
}

START_TEST(what_many_threads_put_comes_out_once_and_in_each_ones_order)
{
    size_t numbers[PUTTERS];
    pthread_t threads[PUTTERS + TAKERS];

    for (size_t i = 0; i < PUTTERS + TAKERS; i++) {
        if (i < PUTTERS) {
            numbers[i] = i;
        }
        ck_assert_int_eq(pthread_create(&threads[i], NULL,
                                        i < PUTTERS ? put_many : take_turns,
                                        i < PUTTERS ? &numbers[i] : NULL),
                         0);
    }
    for (size_t i = 0; i < PUTTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    queue_close(&queue);
    for (size_t i = 0; i < TAKERS; i++) {
        pthread_join(threads[PUTTERS + i], NULL);
    }
    ck_assert_uint_eq(seen.written, PUT_ROUNDS);
    ck_assert_uint_eq(seen.open, 0);
    for (size_t i = 0; i < PUTTERS; i++) {
        ck_assert_uint_eq(seen.next[i], PUTS);
    }
    ck_assert_uint_eq(queue_size(&queue), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("queue");
    TCase *tcase = tcase_create("queue");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, appends_come_out_in_the_order_they_went_in);
    tcase_add_test(
        tcase, a_batch_ends_before_the_append_that_would_go_over_its_events);
    tcase_add_test(tcase,
                   a_batch_ends_before_the_append_that_would_go_over_its_size);
    tcase_add_test(tcase, a_change_counts_as_an_event);
    tcase_add_test(tcase, rows_count_to_the_size_of_a_batch);
    tcase_add_test(tcase, checks_and_conditions_count_to_the_memory_of_a_job);
    tcase_add_test(tcase, a_batch_has_one_append_at_least);
    tcase_add_test(tcase,
                   a_full_queue_refuses_and_takes_again_when_there_is_room);
    tcase_add_test(
        tcase, an_empty_queue_takes_one_append_of_any_size_and_then_no_more);
    tcase_add_test(tcase, a_closed_queue_refuses_and_gives_out_what_it_has);
    tcase_add_test(tcase, what_does_not_fit_is_left_where_one_is_not_asked_for);
    tcase_add_test(tcase,
                   when_the_time_is_over_there_is_a_turn_with_nothing_to_take);
    tcase_add_test(tcase, a_job_gives_a_turn_before_the_time_is_over);
    tcase_add_test(tcase,
                   what_was_taken_and_is_not_committed_gives_another_turn);
    tcase_add_test(tcase, while_one_writes_what_is_much_is_decided_ahead);
    tcase_add_test(tcase, what_is_much_is_decided_ahead_again_and_again);
    tcase_add_test(tcase, what_came_while_another_wrote_wakes_who_waits);
    tcase_add_test(tcase, who_waits_is_told_that_time_will_be_over_sooner);
    tcase_add_test(tcase,
                   nobody_else_commits_while_a_turn_lasts_or_something_waits);
    tcase_add_test(tcase,
                   what_many_threads_put_comes_out_once_and_in_each_ones_order);
    return run_suite(suite);
}
