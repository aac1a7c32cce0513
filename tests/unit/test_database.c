#include "database.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "file.h"
#include "journal.h"
#include "run.h"
#include "store.h"

#define ANY MSG_EXPECT_ANY

static struct base base;

static void
setup(void)
{
    base_init(&base);
}

static void
teardown(void)
{
    base_fini(&base);
}

static struct database_stats
stats_of(struct base *of)
{
    struct database_stats stats;

    database_stats(of->database, &stats);
    return stats;
}

static void
restart(void)
{
    base_close(&base);
    base_open(&base);
}

/* ---- opening and closing ---- */

START_TEST(a_new_database_is_empty_and_keeps_its_id)
{
    struct uuid id;

    base_open(&base);
    id = database_id(base.database);
    ck_assert_uint_eq(database_head(base.database), 0);
    ck_assert_str_eq(database_name(base.database), "main");
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 0);
    restart();
    ck_assert_mem_eq(id.bytes, database_id(base.database).bytes, UUID_SIZE);
    ck_assert_uint_eq(database_head(base.database), 0);
}
END_TEST

START_TEST(what_was_appended_is_there_after_closing_and_opening)
{
    base_open(&base);
    base_append_many(&base, "a-1", 1, 10, 100);
    ck_assert_uint_eq(database_head(base.database), 10);
    restart();
    ck_assert_uint_eq(database_head(base.database), 10);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 10);
    base_append_many(&base, "a-1", 11, 5, 100);
    ck_assert_uint_eq(base_version(&base, "a-1"), 15);
}
END_TEST

START_TEST(closing_in_order_leaves_nothing_to_replay)
{
    base_open(&base);
    base_append_many(&base, "a-1", 1, 10, 100);
    ck_assert_uint_eq(stats_of(&base).stored, 0);
    restart();
    ck_assert_uint_eq(stats_of(&base).stored, 10);
    ck_assert_uint_eq(stats_of(&base).tail_events, 0);
}
END_TEST

START_TEST(a_second_process_is_refused_until_the_first_has_closed)
{
    struct acta_err err;

    base_open(&base);
    ck_assert_int_eq(base_try(&base, &err), ACTA_IN_USE);
    ck_assert_ptr_nonnull(strstr(err.text, "is in use by another process"));
    base_append_many(&base, "a-1", 1, 1, 1);
    base_close(&base);
    ck_assert_int_eq(base_try(&base, &err), ACTA_OK);
}
END_TEST

START_TEST(stopping_refuses_new_appends_and_still_reads)
{
    struct draft draft = {.id = 2};

    base_open(&base);
    base_append_many(&base, "a-1", 1, 1, 1);
    database_stop_appends(base.database);
    ck_assert_int_eq(base_append(&base, "a-1", ANY, &draft, 1), ACTA_STOPPING);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 1);
}
END_TEST

/* ---- first creation, cut off at every step ---- */

static void
make_dir(const char *suffix)
{
    char path[400];

    snprintf(path, sizeof(path), "%s%s", base.path, suffix);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
make_file(const char *suffix, const char *content)
{
    char path[400];
    FILE *file;

    snprintf(path, sizeof(path), "%s%s", base.path, suffix);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    fclose(file);
}

enum creation {
    NOTHING_YET,
    LOCK_ONLY,
    EMPTY_NAME, /* Made by the operator, or removed by nobody. */
    NEW_DIR,
    NEW_STORE_DIR,
    NEW_BOTH_DIRS,
    NEW_TORN_STORE,
    NEW_WHOLE_STORE,
    CREATIONS,
};

static void
make_cut_off(enum creation step)
{
    struct uuid id = draft_id(9);
    char path[400];

    if (step >= LOCK_ONLY) {
        make_file(".lock", step == LOCK_ONLY ? "" : "12345678\n");
    }
    if (step == EMPTY_NAME) {
        make_dir("");
    }
    if (step >= NEW_DIR) {
        make_dir(".new");
    }
    if (step >= NEW_STORE_DIR) {
        make_dir(".new/store");
    }
    if (step >= NEW_BOTH_DIRS) {
        make_dir(".new/journal");
    }
    if (step == NEW_TORN_STORE) {
        make_file(".new/store/data.mdb", "half of a page");
    }
    if (step >= NEW_WHOLE_STORE) {
        snprintf(path, sizeof(path), "%s.new/store", base.path);
        ck_assert_int_eq(store_create(path, CORE_MAP_SIZE, &id, 0, NULL),
                         ACTA_OK);
    }
}

START_TEST(a_creation_that_was_cut_off_is_begun_anew)
{
    char path[400];

    make_cut_off((enum creation)_i);
    base_open(&base);
    base_append_many(&base, "a-1", 1, 3, 10);
    restart();
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 3);
    snprintf(path, sizeof(path), "%s.new", base.path);
    ck_assert(!file_exists(path));
}
END_TEST

/* A database that is whole is not touched by what another creation left. */
START_TEST(a_leftover_creation_beside_a_database_does_no_harm)
{
    base_open(&base);
    base_append_many(&base, "a-1", 1, 3, 10);
    base_close(&base);
    make_dir(".new");
    make_dir(".new/store");
    base_open(&base);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 3);
}
END_TEST

START_TEST(a_directory_of_something_else_is_refused_and_left_alone)
{
    char path[400];
    struct acta_err err;

    make_dir("");
    make_file("/letter", "dear");
    ck_assert_int_eq(base_try(&base, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "it is no database"));
    snprintf(path, sizeof(path), "%s/letter", base.path);
    ck_assert(file_exists(path));
}
END_TEST

START_TEST(a_database_without_its_journal_is_refused)
{
    char path[400];
    struct acta_err err;

    base_open(&base);
    base_append_many(&base, "a-1", 1, 3, 10);
    base_close(&base);
    snprintf(path, sizeof(path), "%s/journal", base.path);
    ck_assert_int_eq(file_remove_tree(path, NULL), ACTA_OK);
    ck_assert_int_eq(base_try(&base, &err), ACTA_CORRUPT);
    if (_i == 1) { /* Nor does an empty one do. */
        make_dir("/journal");
        ck_assert_int_eq(base_try(&base, &err), ACTA_CORRUPT);
    }
}
END_TEST

START_TEST(a_parent_that_is_missing_is_named)
{
    struct acta_err err;

    base.options.dir = "/nowhere/at/all";
    ck_assert_int_eq(base_try(&base, &err), ACTA_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all"));
}
END_TEST

/* ---- killed ---- */

static void
append_hundred(struct base *of)
{
    uint64_t head = database_head(of->database);

    base_append_many(of, "a-1", head + 1, 50, 300);
    base_append_many(of, "a-2", head + 51, 50, 300);
}

START_TEST(what_was_acknowledged_is_there_after_a_kill)
{
    for (uint64_t round = 1; round <= 5; round++) {
        ck_assert_int_eq(base_killed(&base, append_hundred), 0);
        if (round % 2 == 0) {
            base_open(&base);
            ck_assert_uint_eq(base_check(&base, NULL, NULL), 100 * round);
            base_close(&base);
        }
    }
}
END_TEST

START_TEST(a_retry_after_a_kill_counts_once)
{
    struct draft draft = {.id = 1, .data = {(const uint8_t *)"x", 1}};

    base_open(&base);
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_OK);
    base_close(&base);
    ck_assert_int_eq(base_killed(&base, append_hundred), 0);
    base_open(&base);
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_OK);
    draft.id = 60;
    draft.data = SLICE_NONE;
    ck_assert_int_eq(base_append(&base, "a-2", 0, &draft, 1), ACTA_ID_REUSED);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 101);
}
END_TEST

#define LARGE 5000 /* Events of one append: it may be told to stop within. */

static void
append_some_and_many(struct base *of)
{
    static struct draft drafts[LARGE];

    base_append_many(of, "a-1", 1, 10, 100);
    for (size_t i = 0; i < LARGE; i++) {
        drafts[i] = (struct draft){.id = 1000 + i};
    }
    ck_assert_int_eq(base_append(of, "a-2", 0, drafts, LARGE), ACTA_OK);
}

static unsigned asks_left; /* Until it is told to stop. */

static bool
is_to_stop(void *user)
{
    (void)user;
    return asks_left-- == 0;
}

/* At each point at which it asks, one after the other. */
START_TEST(a_start_that_is_told_to_stop_leaves_all_to_the_next)
{
    struct acta_err err;
    unsigned stops = 0;

    ck_assert_int_eq(base_killed(&base, append_some_and_many), 0);
    base.options.is_to_stop = is_to_stop;
    asks_left = 0;
    while (base_try(&base, &err) == ACTA_STOPPING) {
        asks_left = ++stops;
    }
    ck_assert_uint_ge(stops, 10 + LARGE / 256);
    base.options.is_to_stop = NULL;
    base_open(&base);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 10 + LARGE);
}
END_TEST

/* Append an event by a command, at any version. */
static void
send_command(uint64_t command, const struct draft *draft, bool is_repeated)
{
    struct draft_write write = {"a-1", MSG_EXPECT_ANY, draft, 1};
    struct uuid id = draft_id(command);
    struct msg_append_more more = {.command_id = id.bytes};
    struct job *job = draft_append_with(&write, 1, &more);

    ck_assert_int_eq(base_decide(&base, job), ACTA_OK);
    ck_assert(job->outcome.repeated == is_repeated);
    job_free(job);
}

/* What it is made without is so for ever, and says so. */
START_TEST(a_database_without_event_ids_knows_no_repeats)
{
    struct draft draft = {.id = 1, .data = {(const uint8_t *)"x", 1}};
    struct acta_err err;

    base.options.event_ids = false;
    base_open(&base);
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_OK);
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_CONFLICT);
    ck_assert_int_eq(base_append(&base, "a-1", 1, &draft, 1), ACTA_OK);
    restart();
    ck_assert_int_eq(base_append(&base, "a-1", MSG_EXPECT_ANY, &draft, 1),
                     ACTA_UNSUPPORTED);
    ck_assert_int_eq(base_append(&base, "a-1", 2, &draft, 1), ACTA_OK);
    ck_assert_uint_eq(base_version(&base, "a-1"), 3);
    send_command(4, &draft, false); /* Which says what it is by itself. */
    send_command(4, &draft, true);
    ck_assert_uint_eq(base_version(&base, "a-1"), 4);
    base_close(&base);

    base.options.event_ids = true;
    ck_assert_int_eq(base_try(&base, &err), ACTA_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "event-ids off"));
}
END_TEST

/* The journal holds many times what the tail may: recovery has to make
 * checkpoints on its way.
 */
START_TEST(a_journal_much_larger_than_the_tail_is_recovered)
{
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(base_killed(&base, append_hundred), 0);
    }
    base.options.checkpoint_events = 64;
    base.options.checkpoint_size = 1 << 14;
    base_open(&base);
    ck_assert_uint_ge(stats_of(&base).stored, 2000 - 2 * 64);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 2000);
    base_append_many(&base, "a-1", 5000, 1, 1);
    restart();
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 2001);
}
END_TEST

#define MANY 40000 /* More than a memtable of the smallest size holds. */

static void
append_many_at_once(struct base *of)
{
    struct draft drafts[1000];

    for (uint64_t i = 0; i < MANY / 1000; i++) {
        for (uint64_t d = 0; d < 1000; d++) {
            drafts[d] = (struct draft){.id = 1 + 1000 * i + d};
        }
        ck_assert_int_eq(base_append(of, "a-1", MSG_EXPECT_ANY, drafts, 1000),
                         ACTA_OK);
    }
}

/* No checkpoint can be made on the way, and one memtable does not hold it all.
 */
START_TEST(a_journal_much_larger_than_the_tail_is_recovered_on_a_full_disk)
{
    size_t map_size = base.options.store_map_size;

    base.options.checkpoint_events = 2 * MANY;
    ck_assert_int_eq(base_killed(&base, append_many_at_once), 0);
    base.options.checkpoint_events = 1;
    base.options.store_map_size = 1 << 17;
    base_open(&base);
    ck_assert_uint_eq(stats_of(&base).stored, 0);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), MANY);
    ck_assert_uint_eq(base_version(&base, "a-1"), MANY);
    base_close(&base);

    base.options.store_map_size = map_size;
    base_open(&base);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), MANY);
    base_append_many(&base, "a-1", MANY + 1, 1, 1);
    restart();
    ck_assert_uint_eq(base_check(&base, NULL, NULL), MANY + 1);
}
END_TEST

/* The first checkpoint behind those for which there was no space. */
static struct {
    _Atomic enum {
        FIRST_IS_ANY, /* Nobody asks. */
        FIRST_HAS_NO_SPACE,
        FIRST_IS_NEXT,
        FIRST_IS_KNOWN,
    } state;
    uint64_t time_us; /* What it has said, */
    uint64_t last_us; /* and the time of its last event. */
} first_one;

enum acta_code __real_store_checkpoint(struct store *store,
                                       struct memtable *memtable,
                                       uint64_t sequence, uint64_t last_time_us,
                                       struct acta_err *err);
enum acta_code __wrap_store_checkpoint(struct store *store,
                                       struct memtable *memtable,
                                       uint64_t sequence, uint64_t last_time_us,
                                       struct acta_err *err);

static uint64_t
last_time_of(const struct memtable *memtable)
{
    struct block_record last =
        memtable_record(memtable, memtable_first_position(memtable) +
                                      memtable_count(memtable) - 1);

    return event_record_time(slice_make(last.data, last.size));
}

enum acta_code
__wrap_store_checkpoint(struct store *store, struct memtable *memtable,
                        uint64_t sequence, uint64_t last_time_us,
                        struct acta_err *err)
{
    if (atomic_load(&first_one.state) == FIRST_HAS_NO_SPACE) {
        return acta_fail(err, ACTA_FULL, "there is no space");
    }
    if (atomic_load(&first_one.state) == FIRST_IS_NEXT) {
        first_one.time_us = last_time_us;
        first_one.last_us = last_time_of(memtable);
        atomic_store(&first_one.state, FIRST_IS_KNOWN);
    }
    return __real_store_checkpoint(store, memtable, sequence, last_time_us,
                                   err);
}

/* By its time the ages of events are judged that are swept: with that of what
 * is still in memory more would be too old than the settings behind it leave.
 */
START_TEST(what_was_recovered_first_is_stored_with_its_own_time)
{
    base.options.checkpoint_events = 2 * MANY;
    ck_assert_int_eq(base_killed(&base, append_many_at_once), 0);
    base.options.checkpoint_events = 1;
    atomic_store(&first_one.state, FIRST_HAS_NO_SPACE);
    base_open(&base);
    ck_assert_uint_eq(stats_of(&base).head, MANY);
    atomic_store(&first_one.state, FIRST_IS_NEXT);
    while (atomic_load(&first_one.state) != FIRST_IS_KNOWN) {
        sched_yield();
    }
    ck_assert_uint_eq(first_one.time_us, first_one.last_us);
}
END_TEST

/* ---- what it keeps ---- */

static void
do_nothing(struct base *of)
{
    (void)of;
}

/* Wait for the checkpoint of what was recovered, which runs beside all else. */
static void
append_and_wait(struct base *of)
{
    base_append_many(of, "a-1", database_head(of->database) + 1, 1, 10);
    while (stats_of(of).stored + 1 < stats_of(of).head) {
        sched_yield();
    }
}

/* Segments are of a fixed size, so that each start could cost one for ever. */
START_TEST(starting_often_does_not_make_the_journal_grow)
{
    static void (*const lives[])(struct base * of) = {do_nothing,
                                                      append_and_wait};
    struct acta_err err;

    base_open(&base);
    base_append_many(&base, "a-1", 1, 3, 10);
    base_close(&base);
    for (int i = 0; i < 12; i++) {
        if (_i < 2) {
            ck_assert_int_eq(base_killed(&base, lives[_i]), 0);
        } else {
            ck_assert_msg(base_try(&base, &err) == ACTA_OK, "%s", err.text);
        }
    }
    ck_assert_uint_le(base_journal_files(&base, "segment-"), 3);
}
END_TEST

START_TEST(checkpoints_give_segments_back_to_be_used_again)
{
    base.options.checkpoint_events = 64;
    base.options.checkpoint_journal = JOURNAL_SEGMENT_SIZE_MIN;
    base_open(&base);
    base_append_many(&base, "a-1", 1, 2000, 100); /* Eight segments. */
    restart();
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 2000);
    ck_assert_uint_le(base_journal_files(&base, "segment-"), 4);
    ck_assert_uint_le(base_journal_files(&base, "spare-"), 2);
}
END_TEST

/* What is not known yet is taken to be a page a list. */
START_TEST(a_checkpoint_begins_at_as_many_pages_as_it_may_change)
{
    base.options.checkpoint_pages = 10;
    base_open(&base);
    for (uint64_t i = 0; i < 20; i++) {
        struct draft draft = {.id = i + 1};
        char stream[16];

        snprintf(stream, sizeof(stream), "a-%u", (unsigned)i);
        ck_assert_int_eq(base_append(&base, stream, 0, &draft, 1), ACTA_OK);
    }
    while (stats_of(&base).stored < 8) {
        sched_yield();
    }
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 20);
}
END_TEST

/* Appends larger than a checkpoint's worth make the writer wait for each of
 * them; none may be slept through.
 */
START_TEST(a_writer_that_has_to_wait_for_checkpoints_goes_on_after_each)
{
    struct draft drafts[40];

    base.options.checkpoint_events = 8;
    base_open(&base);
    for (uint64_t i = 0; i < 300; i++) {
        for (uint64_t e = 0; e < 40; e++) {
            drafts[e] = (struct draft){.id = 40 * i + e + 1};
        }
        ck_assert_int_eq(base_append(&base, "a-1", ANY, drafts, 40), ACTA_OK);
    }
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 300 * 40);
}
END_TEST

/* ---- many threads ---- */

#define APPENDERS 4
#define APPENDS   200

static void *
append_own(void *arg)
{
    const char *stream = arg;

    base_append_many(&base, stream, 1, APPENDS, 50);
    return NULL;
}

static void *
append_to_shared(void *arg)
{
    uint64_t first = *(const uint64_t *)arg;

    base_append_many(&base, "shared-1", first, APPENDS, 50);
    return NULL;
}

/* Read again and again what is there, until told to stop. */
static void *
keep_reading(void *arg)
{
    atomic_bool *stop = arg;
    uint64_t before = 0;

    while (!atomic_load(stop)) {
        uint64_t count = base_check(&base, NULL, NULL);

        ck_assert_uint_ge(count, before);
        before = count;
    }
    return NULL;
}

START_TEST(appends_of_many_threads_are_all_there_while_others_read)
{
    char streams[APPENDERS][16];
    uint64_t firsts[APPENDERS];
    pthread_t threads[2 * APPENDERS], reader;
    atomic_bool stop = false;

    base.options.checkpoint_events = 100;
    base_open(&base);
    pthread_create(&reader, NULL, keep_reading, &stop);
    for (size_t i = 0; i < APPENDERS; i++) {
        snprintf(streams[i], sizeof(streams[i]), "own-%zu", i);
        firsts[i] = 1 + APPENDS * i;
        pthread_create(&threads[i], NULL, append_own, streams[i]);
        pthread_create(&threads[APPENDERS + i], NULL, append_to_shared,
                       &firsts[i]);
    }
    for (size_t i = 0; i < 2 * APPENDERS; i++) {
        pthread_join(threads[i], NULL);
    }
    atomic_store(&stop, true);
    pthread_join(reader, NULL);
    restart();
    for (size_t i = 0; i < APPENDERS; i++) {
        ck_assert_uint_eq(base_version(&base, streams[i]), APPENDS);
    }
    ck_assert_uint_eq(base_version(&base, "shared-1"), APPENDERS * APPENDS);
    ck_assert_uint_eq(base_check(&base, NULL, NULL), 2 * APPENDERS * APPENDS);
}
END_TEST

static void
count_wake(void *user)
{
    atomic_uint *wakes = user;

    atomic_fetch_add(wakes, 1);
}

START_TEST(watchers_are_told_of_commits_until_they_leave)
{
    atomic_uint stayed = 0, left = 0;
    struct watcher stays = {.wake = count_wake, .user = &stayed};
    struct watcher leaves = {.wake = count_wake, .user = &left};
    struct draft draft = {.id = 1};

    base_open(&base);
    database_watch(base.database, &stays);
    database_watch(base.database, &leaves);
    base_append_many(&base, "a-1", 1, 1, 1);
    while (atomic_load(&left) == 0) {
        sched_yield(); /* Watchers are told after the answer was given. */
    }
    database_unwatch(base.database, &leaves);
    base_append_many(&base, "a-1", 2, 1, 1);
    /* Neither a repeat nor a refusal is a commit. */
    ck_assert_int_eq(base_append(&base, "a-1", 7, &draft, 1), ACTA_ID_REUSED);
    draft.id = 9;
    ck_assert_int_eq(base_append(&base, "a-1", 7, &draft, 1), ACTA_CONFLICT);
    base_close(&base);
    ck_assert_uint_eq(atomic_load(&stayed), 2);
    ck_assert_uint_eq(atomic_load(&left), 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("database");
    TCase *opening = tcase_create("opening");
    TCase *killed = tcase_create("killed");
    TCase *threads = tcase_create("threads");

    suite_add_tcase(suite, opening);
    tcase_add_checked_fixture(opening, setup, teardown);
    tcase_add_test(opening, a_new_database_is_empty_and_keeps_its_id);
    tcase_add_test(opening,
                   what_was_appended_is_there_after_closing_and_opening);
    tcase_add_test(opening, closing_in_order_leaves_nothing_to_replay);
    tcase_add_test(opening, a_database_without_event_ids_knows_no_repeats);
    tcase_add_test(opening,
                   a_second_process_is_refused_until_the_first_has_closed);
    tcase_add_test(opening, stopping_refuses_new_appends_and_still_reads);
    tcase_add_loop_test(opening, a_creation_that_was_cut_off_is_begun_anew, 0,
                        CREATIONS);
    tcase_add_test(opening, a_leftover_creation_beside_a_database_does_no_harm);
    tcase_add_test(opening,
                   a_directory_of_something_else_is_refused_and_left_alone);
    tcase_add_loop_test(opening, a_database_without_its_journal_is_refused, 0,
                        2);
    tcase_add_test(opening, a_parent_that_is_missing_is_named);

    suite_add_tcase(suite, killed);
    tcase_add_checked_fixture(killed, setup, teardown);
    tcase_add_test(killed, what_was_acknowledged_is_there_after_a_kill);
    tcase_add_test(killed, a_retry_after_a_kill_counts_once);
    tcase_add_test(killed, a_start_that_is_told_to_stop_leaves_all_to_the_next);
    tcase_add_test(killed, a_journal_much_larger_than_the_tail_is_recovered);
    tcase_add_test(
        killed,
        a_journal_much_larger_than_the_tail_is_recovered_on_a_full_disk);
    tcase_add_test(killed,
                   what_was_recovered_first_is_stored_with_its_own_time);
    tcase_add_loop_test(killed, starting_often_does_not_make_the_journal_grow,
                        0, 3);

    suite_add_tcase(suite, threads);
    tcase_add_checked_fixture(threads, setup, teardown);
    tcase_add_test(threads, checkpoints_give_segments_back_to_be_used_again);
    tcase_add_test(threads,
                   a_checkpoint_begins_at_as_many_pages_as_it_may_change);
    tcase_add_test(
        threads, a_writer_that_has_to_wait_for_checkpoints_goes_on_after_each);
    tcase_add_test(threads,
                   appends_of_many_threads_are_all_there_while_others_read);
    tcase_add_test(threads, watchers_are_told_of_commits_until_they_leave);
    return run_suite(suite);
}
