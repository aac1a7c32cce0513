/* Erased events, looked for in every file of a database. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "erase_fixture.h"
#include "rnd.h"
#include "run.h"

#define EVENTS_MAX 400

/* ---- one event, a stream ---- */

/* Number 1 to @count: the odd ones in order-1, the even ones in order-2. */
static void
append_turns(unsigned count, size_t size)
{
    for (unsigned i = 1; i <= count; i++) {
        append(i % 2 == 1 ? "order-1" : "order-2", size);
    }
}

/* Of these, number 9 alone or all the odd ones are nowhere, the others are. */
static void
assert_gone(bool all, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        bool is_gone = i % 2 == 1 && (all || i == 9);

        ck_assert_msg((count_needles(i) == 0) == is_gone, "needle %u", i);
    }
}

/* Version 5 of 10, or all, while they are in the tail or in the store; looked
 * for at once and after a restart.
 */
START_TEST(what_was_erased_is_in_no_file)
{
    bool all = _i % 2 == 1, in_store = _i / 2 == 1;
    size_t erased = all ? 10 : 1;

    if (in_store) {
        base.options.checkpoint_events = 20;
    }
    base_open(&base);
    append_turns(20, 500);
    if (in_store) {
        await(is_stored, 20);
        ck_assert_uint_gt(count_in_dir("store", 9), 0);
    }
    ck_assert_uint_gt(count_needles(9), 0); /* The test can see it. */
    erase("order-1", all ? 0 : 5);
    assert_seen(erased, 20 - erased); /* At once, wherever it is. */
    await_erased();
    assert_gone(all, 20);
    assert_seen(erased, 20 - erased);
    base_close(&base);
    assert_gone(all, 20);
    base_open(&base);
    assert_seen(erased, 20 - erased);
    ck_assert_uint_eq(stats().erasures_pending, 0);
}
END_TEST

/* The erasure is in the journal and in nothing else when the process ends. */
static void
append_and_erase(struct base *of)
{
    (void)of;
    append_turns(20, 500);
    erase("order-1", 5);
}

START_TEST(an_erasure_that_was_acknowledged_outlives_the_process)
{
    base.options.sweep_interval_ms = UINT32_MAX;
    ck_assert_int_eq(base_killed(&base, append_and_erase), EXIT_SUCCESS);
    base_open(&base);
    assert_seen(1, 19);
    await_erased();
    assert_gone(false, 20);
    assert_seen(1, 19);
}
END_TEST

/* Segments are used again, with what was in them, and so are pages. */
START_TEST(what_was_erased_is_not_in_what_is_used_again)
{
    base.options.checkpoint_events = 30;
    base.options.checkpoint_journal = 2 << 20;
    base_open(&base);
    append_turns(EVENTS_MAX, 5000);
    await(is_stored, 30);
    erase("order-1", 5);
    for (unsigned i = 0; i < EVENTS_MAX; i++) {
        append("order-3", 100);
    }
    await_erased();
    ck_assert_uint_eq(count_needles(9), 0);
    erase("order-1", 0);
    await_erased();
    for (unsigned i = 1; i <= EVENTS_MAX; i++) {
        ck_assert_msg((count_needles(i) == 0) == (i % 2 == 1), "needle %u", i);
    }
    assert_seen(EVENTS_MAX / 2, EVENTS_MAX / 2 + EVENTS_MAX);
}
END_TEST

START_TEST(many_erasures_with_many_small_checkpoints)
{
    static const size_t sizes[] = {20, 300, 2100, 5000};

    base.options.checkpoint_events = 3;
    base_open(&base);
    for (unsigned i = 1; i <= 200; i++) {
        append(i % 2 == 1 ? "order-1" : "order-2", sizes[i % 7 % 4]);
        if (i % 10 == 9) {
            erase("order-1", i / 2 - 1); /* Event number i - 4. */
        }
    }
    await_erased();
    for (unsigned i = 1; i <= 200; i++) {
        ck_assert_msg((count_needles(i) == 0) == (i % 10 == 5), "needle %u", i);
    }
    assert_seen(20, 180);
}
END_TEST

/* More than the sweeper takes at once. */
START_TEST(a_large_stream_is_erased_in_steps)
{
    base.options.checkpoint_events = 40;
    base_open(&base);
    append_turns(40, DATA_MAX);
    erase("order-1", 0);
    assert_seen(20, 20);
    await_erased();
    for (unsigned i = 1; i <= 40; i += 13) {
        ck_assert_msg((count_needles(i) == 0) == (i % 2 == 1), "needle %u", i);
    }
    assert_seen(20, 20);
}
END_TEST

/* It is asked for meanwhile, and its row comes before that of the stream. */
START_TEST(an_event_is_erased_beside_a_large_stream)
{
    base.options.checkpoint_events = 20;
    base_open(&base);
    append("order-1", 500);
    for (unsigned i = 2; i <= 20; i++) {
        append("order-2", DATA_MAX);
    }
    await(is_stored, 20);
    erase("order-2", 0);
    erase("order-1", 1);
    await_erased();
    ck_assert_uint_eq(count_needles(1), 0);
    assert_seen(20, 0);
}
END_TEST

/* ---- with what is hidden ---- */

START_TEST(what_is_hidden_can_be_erased)
{
    base.options.checkpoint_events = 20;
    base_open(&base);
    append_turns(20, 500);
    ck_assert_int_eq(change("order-1", MSG_DELETE, 0), ACTA_OK);
    if (_i == 1) { /* When nothing is left of it but stubs, and free pages. */
        for (unsigned i = 0; i < 20; i++) {
            append("order-3", 500);
        }
        await(is_swept, 10);
    }
    ck_assert_uint_gt(count_needles(9), 0);
    erase("order-1", 0);
    await_erased();
    assert_gone(true, 20);
}
END_TEST

/* ---- while others write ---- */

static void *
append_on(void *arg)
{
    struct draft draft = {.type = "other", .data = slice_of("nothing")};
    _Atomic bool *stop = arg;

    for (uint64_t id = 1000000; id < 1100000 && !*stop; id++) {
        draft.id = id;
        ck_assert_int_eq(base_append(&base, "order-9", ANY, &draft, 1),
                         ACTA_OK);
    }
    return NULL;
}

START_TEST(erasures_are_carried_out_while_others_write)
{
    _Atomic bool stop = false;
    pthread_t thread;

    base.options.checkpoint_events = 200;
    base.options.checkpoint_journal = 2 << 20;
    base_open(&base);
    append_turns(20, 500);
    ck_assert_int_eq(pthread_create(&thread, NULL, append_on, &stop), 0);
    for (uint64_t version = 1; version <= 10; version++) {
        erase("order-1", version);
        if (version % 4 == 0) {
            await_erased();
        }
    }
    await_erased();
    stop = true;
    pthread_join(thread, NULL);
    assert_gone(true, 20);
}
END_TEST

/* ---- killed ---- */

/* Append and erase for ever, telling the number of each erased event. */
static void
erase_on(int to)
{
    base_open(&base);
    for (uint64_t version = 1;; version++) {
        unsigned number = append("order-1", 300);

        append("order-2", 300);
        erase("order-1", version);
        if (write(to, &number, sizeof(number)) != sizeof(number)) {
            _exit(EXIT_FAILURE);
        }
    }
}

/* Run that in a process of its own and kill it after it has told @count. */
static unsigned
kill_after(unsigned count)
{
    unsigned number = 0;
    int ends[2], status;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    fflush(stdout);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        erase_on(ends[1]);
    }
    close(ends[1]);
    for (unsigned i = 0; i < count; i++) {
        ck_assert_int_eq(read(ends[0], &number, sizeof(number)),
                         sizeof(number));
    }
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
        /* The last that it has told. */
    }
    close(ends[0]);
    return number;
}

START_TEST(a_kill_at_any_time_leaves_no_erasure_undone)
{
    unsigned rounds = rnd_effort(6, 200);
    struct rnd rnd;

    rnd_init(&rnd);
    base.options.checkpoint_events = 10;
    for (unsigned round = 0; round < rounds; round++) {
        unsigned last;

        base_fini(&base);
        setup();
        base.options.checkpoint_events = 10;
        last = kill_after(1 + (unsigned)rnd_below(&rnd, 60));
        base_open(&base);
        await_erased();
        for (unsigned i = 1; i <= last; i++) {
            ck_assert_msg((count_needles(i) == 0) == (i % 2 == 1),
                          "round %u, needle %u", round, i);
        }
        base_close(&base);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("erase");
    TCase *tcase = tcase_create("erase");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, what_was_erased_is_in_no_file, 0, 4);
    tcase_add_test(tcase,
                   an_erasure_that_was_acknowledged_outlives_the_process);
    tcase_add_test(tcase, what_was_erased_is_not_in_what_is_used_again);
    tcase_add_test(tcase, many_erasures_with_many_small_checkpoints);
    tcase_add_test(tcase, a_large_stream_is_erased_in_steps);
    tcase_add_test(tcase, an_event_is_erased_beside_a_large_stream);
    tcase_add_loop_test(tcase, what_is_hidden_can_be_erased, 0, 2);
    tcase_add_test(tcase, erasures_are_carried_out_while_others_write);
    tcase_add_test(tcase, a_kill_at_any_time_leaves_no_erasure_undone);
    return run_suite(suite);
}
