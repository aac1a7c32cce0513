#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "rnd.h"
#include "run.h"
#include "store_lmdb.h"

#define MAP_SIZE ((size_t)256 << 20)
#define STREAMS  5000 /* Of a checkpoint, with an event each. */

#define SMALL_CHECKPOINTS 200
#define PAGE_SIZE         4096

static struct tempdir dir;
static struct store *store;
static uint64_t last; /* Position that the store has. */

static void
setup(void)
{
    struct uuid id = draft_id(1);

    tempdir_make(&dir);
    last = 0;
    ck_assert_int_eq(store_create(dir.path, MAP_SIZE, &id, 0, NULL), ACTA_OK);
    ck_assert_int_eq(store_open(&store, dir.path, MAP_SIZE, NULL), ACTA_OK);
}

static void
teardown(void)
{
    store_close(store);
    tempdir_remove(&dir);
}

/* A name so long that few heads of lists share a page. */
static const char *
name_of(char name[static 201], uint64_t position)
{
    memset(name, 'x', 200);
    snprintf(name, 201, "a-%0198ju", (uintmax_t)position);
    return name;
}

/* Store an event for each of @count new streams. */
static void
add_streams_of(size_t count)
{
    struct memtable *memtable = memtable_new(last + 1, count);
    struct buf content;

    buf_init(&content, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        struct draft draft = {.id = ++last};
        struct memlist *stream;
        struct event event;
        char name[201];

        draft_event(&event, &content, name_of(name, last), &draft);
        event.position = last;
        event.version = 1;
        event.time_us = CORE_TIME_US;
        stream = memtable_add_stream(memtable, slice_of(name), 0, 0,
                                     draft_id(0).bytes);
        ck_assert(stream != NULL && memtable_add(memtable, stream, &event));
    }
    ck_assert_int_eq(store_checkpoint(store, memtable, last, 1, NULL), ACTA_OK);
    memtable_unref(memtable);
    buf_fini(&content);
}

static void
add_streams(void)
{
    add_streams_of(STREAMS);
}

/* The record says its position, and the stream's head leads to it. */
static void
assert_event(struct store_view *view, uint64_t position)
{
    struct list_name list = {LIST_STREAM, {0}};
    struct block_record record;
    struct list_head head;
    struct acta_err err;
    char name[201];
    bool found;

    ck_assert_msg(store_view_record(view, position, &record, &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_int_eq(block_check(&record, position, NULL), ACTA_OK);
    list.name = slice_of(name_of(name, position));
    ck_assert_int_eq(store_view_head(view, &list, &head, &found, NULL),
                     ACTA_OK);
    ck_assert(found);
    ck_assert_uint_eq(head.last_position, position);
}

static size_t
memory(void)
{
    return mallinfo2().uordblks;
}

START_TEST(what_lmdb_keeps_is_given_back_while_no_view_sees_the_store)
{
    struct store_view *old, *fresh;
    size_t before;

    ck_assert_int_eq(store_view_open(&old, store, NULL), ACTA_OK);
    add_streams();
    before = memory();

    ck_assert_int_eq(store_view_begin(old, NULL), ACTA_OK);
    assert_event(old, last);
    ck_assert_int_eq(store_slim(store, NULL), ACTA_OK);
    assert_event(old, 1); /* It saw the store, which stayed as it was. */
    store_view_end(old);
    if (before > 0) { /* A sanitizer's memory is not told. */
        ck_assert_uint_ge(memory() + (64 << 10), before);
    }

    ck_assert_int_eq(store_slim(store, NULL), ACTA_OK);
    if (before > 0) {
        ck_assert_uint_le(memory() + (1 << 20), before);
    }
    ck_assert_int_eq(store_view_open(&fresh, store, NULL), ACTA_OK);
    add_streams();
    ck_assert_int_eq(store_view_begin(old, NULL), ACTA_OK);
    ck_assert_int_eq(store_view_begin(fresh, NULL), ACTA_OK);
    for (uint64_t p = 1; p <= last; p += 97) {
        assert_event(old, p);
        assert_event(fresh, p);
    }
    store_view_end(fresh);
    store_view_end(old);
    store_view_close(fresh);
    store_view_close(old);
}
END_TEST

START_TEST(a_view_forgets_where_records_were_mapped)
{
    uint64_t positions[] = {7, 2000, 4999};
    struct block_record records[3];
    struct store_view *view;
    size_t found;

    ck_assert_int_eq(store_view_open(&view, store, NULL), ACTA_OK);
    add_streams();
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
        ck_assert_int_eq(
            store_view_records(view, positions, 3, records, &found, NULL),
            ACTA_OK);
        ck_assert_uint_eq(found, 3);
        for (size_t r = 0; r < 3; r++) {
            ck_assert_int_eq(block_check(&records[r], positions[r], NULL),
                             ACTA_OK);
        }
        store_view_end(view);
        ck_assert_uint_ne(view->places->state, 0);
        ck_assert_int_eq(store_slim(store, NULL), ACTA_OK);
        ck_assert_uint_eq(view->places->state, 0);
        add_streams(); /* So that the next time there is something to do. */
    }
    store_view_close(view);
}
END_TEST

START_TEST(a_small_checkpoint_does_not_hide_the_large_one_before_it)
{
    add_streams();
    add_streams_of(1);
    ck_assert_uint_ge(store->most_lists, STREAMS);
    ck_assert_int_eq(store_slim(store, NULL), ACTA_OK);
    ck_assert_uint_eq(store->most_lists, 0);
}
END_TEST

/* A process that looks at the store, and dies. */
static void
look_and_die(void)
{
    struct store_view *view;
    struct store *other;
    int status, report[2];
    pid_t child;
    char word;

    ck_assert_int_eq(pipe(report), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (store_open(&other, dir.path, MAP_SIZE, NULL) == ACTA_OK &&
            store_view_open(&view, other, NULL) == ACTA_OK &&
            store_view_begin(view, NULL) == ACTA_OK &&
            write(report[1], "!", 1) == 1) {
            (void)pause();
        }
        _exit(EXIT_FAILURE);
    }
    close(report[1]);
    ck_assert_int_eq(read(report[0], &word, 1), 1);
    close(report[0]);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
}

/* By how much the store grows in checkpoints of one event each. */
static uint64_t
growth(void)
{
    uint64_t before = store_size(store);

    for (unsigned i = 0; i < SMALL_CHECKPOINTS; i++) {
        add_streams_of(1);
    }
    return store_size(store) - before;
}

START_TEST(a_reader_that_is_dead_keeps_no_pages_once_that_is_looked_for)
{
    uint64_t kept, given_back;

    add_streams_of(100);
    look_and_die();
    kept = growth();
    store_check_readers(store);
    given_back = growth();
    ck_assert_uint_gt(kept, SMALL_CHECKPOINTS * PAGE_SIZE);
    ck_assert_uint_lt(given_back, kept / 4);
}
END_TEST

struct looker {
    pthread_t thread;
    struct rnd rnd;
    _Atomic uint64_t *stored;
};

/* Look at events at random until all are there, with a view for some of them.
 */
static void *
look(void *arg)
{
    struct looker *looker = arg;
    struct store_view *view;
    uint64_t stored;

    ck_assert_int_eq(store_view_open(&view, store, NULL), ACTA_OK);
    do {
        stored = atomic_load(looker->stored);
        ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
        assert_event(view, 1 + rnd_below(&looker->rnd, stored));
        if (rnd_once_in(&looker->rnd, 3)) {
            store_view_close(view);
            ck_assert_int_eq(store_view_open(&view, store, NULL), ACTA_OK);
        } else {
            store_view_end(view);
        }
        if (rnd_once_in(&looker->rnd, 3)) {
            store_view_close(view);
            ck_assert_int_eq(store_view_open(&view, store, NULL), ACTA_OK);
        }
        ck_assert_uint_gt(store_size(store), 0);
    } while (stored < 6 * STREAMS);
    store_view_close(view);
    return NULL;
}

START_TEST(threads_that_read_meanwhile_see_all)
{
    struct looker lookers[3];
    _Atomic uint64_t stored;
    struct rnd rnd;

    rnd_init(&rnd);
    add_streams();
    atomic_init(&stored, last);
    for (size_t i = 0; i < 3; i++) {
        lookers[i] = (struct looker){.stored = &stored};
        rnd_seed(&lookers[i].rnd, rnd_next(&rnd));
        ck_assert_int_eq(
            pthread_create(&lookers[i].thread, NULL, look, &lookers[i]), 0);
    }
    for (unsigned round = 1; round < 6; round++) {
        for (unsigned i = 0; i < 200; i++) {
            store->most_lists = STREAMS; /* As if behind a checkpoint. */
            ck_assert_int_eq(store_slim(store, NULL), ACTA_OK);
        }
        add_streams();
        atomic_store(&stored, last);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(lookers[i].thread, NULL);
    }
}
END_TEST

START_TEST(a_store_that_cannot_be_opened_again_is_used_no_more)
{
    struct store_view *view, *other;
    struct store_meta meta;

    ck_assert_int_eq(store_view_open(&view, store, NULL), ACTA_OK);
    add_streams();
    tempdir_remove(&dir);
    ck_assert_int_eq(store_slim(store, NULL), ACTA_IO);
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_IO);
    ck_assert_int_eq(store_view_open(&other, store, NULL), ACTA_IO);
    ck_assert_int_eq(store_meta(store, &meta, NULL), ACTA_IO);
    ck_assert_uint_eq(store_size(store), 0);
    store_view_close(view);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("store slim");
    TCase *tcase = tcase_create("slim");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   what_lmdb_keeps_is_given_back_while_no_view_sees_the_store);
    tcase_add_test(
        tcase, a_reader_that_is_dead_keeps_no_pages_once_that_is_looked_for);
    tcase_add_test(tcase, a_view_forgets_where_records_were_mapped);
    tcase_add_test(tcase,
                   a_small_checkpoint_does_not_hide_the_large_one_before_it);
    tcase_add_test(tcase, threads_that_read_meanwhile_see_all);
    tcase_add_test(tcase, a_store_that_cannot_be_opened_again_is_used_no_more);
    return run_suite(suite);
}
