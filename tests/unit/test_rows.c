/* Rows on their way through a whole database: journal, memtable, checkpoint,
 * store, and back after a stop or a kill.
 */

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "base.h"
#include "journal.h"
#include "msg_lease.h"
#include "reader.h"
#include "run.h"

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

static void
change(struct base *of, const char *stream, struct msg_change wanted)
{
    struct job *job;

    wanted.stream = slice_of(stream);
    wanted.expected = ANY;
    job = draft_change(&wanted);
    ck_assert_msg(base_decide(of, job) == ACTA_OK, "%s", job->outcome.text);
    ck_assert(job->outcome.changed.changed);
    job_free(job);
}

static struct msg_description
describe(struct base *of, const char *stream)
{
    struct msg_description description;
    struct reader *reader;
    struct acta_err err;

    ck_assert_int_eq(reader_open(&reader, of->database, &err), ACTA_OK);
    ck_assert_int_eq(
        reader_describe_stream(reader, slice_of(stream), &description, &err),
        ACTA_OK);
    reader_close(reader);
    return description;
}

/* ---- what is done, and must be there ---- */

#define COMMAND 77

static struct job *
draft_command(uint64_t event_id)
{
    struct draft draft = {.id = event_id};
    struct draft_write write = {"e-1", ANY, &draft, 1};
    struct uuid id = draft_id(COMMAND);
    struct msg_append_more more = {.command_id = id.bytes};

    return draft_append_with(&write, 1, &more);
}

/* A row of each kind; the last entries have no events. */
static void
do_all(struct base *of)
{
    struct job *job = draft_command(500);

    base_append_many(of, "a-1", 1, 5, 10);
    base_append_many(of, "b-1", 10, 3, 10);
    base_append_many(of, "c-1", 20, 3, 10);
    ck_assert_int_eq(base_decide(of, job), ACTA_OK);
    ck_assert(!job->outcome.repeated);
    job_free(job);
    change(of, "a-1",
           (struct msg_change){.kind = MSG_SET,
                               .settings = {.max_count = 2},
                               .given = MSG_HAS_MAX_COUNT});
    change(of, "a-1",
           (struct msg_change){.kind = MSG_SET,
                               .settings = {.max_count = 4},
                               .given = MSG_HAS_MAX_COUNT});
    change(of, "b-1", (struct msg_change){.kind = MSG_DELETE});
    change(of, "c-1", (struct msg_change){.kind = MSG_ERASE, .version = 2});
    change(of, "d-1", (struct msg_change){.kind = MSG_TOMBSTONE});
}

#define HEAD 12

static void
note_erased(void *user, const struct event *event)
{
    size_t *erased = user;

    if (event->format == EVENT_ERASED) {
        ck_assert(slice_equal(event->stream, slice_of("c-1")));
        ck_assert_uint_eq(event->version, 2);
        ck_assert_uint_eq(event->data.size, 0);
        ++*erased;
    } else {
        ck_assert_uint_eq(event->data.size,
                          slice_equal(event->stream, slice_of("e-1")) ? 0 : 10);
    }
}

static void
read_stream(const char *stream, void (*visit)(void *, const struct event *),
            void *user, uint64_t count)
{
    struct read_bounds bounds = {.events_max = 100, .bytes_max = UINT64_MAX};
    struct read_result result;
    struct reader *reader;
    struct slice events;
    struct event event;
    struct acta_err err;
    struct buf out;

    buf_init(&out, 1 << 20);
    ck_assert_int_eq(reader_open(&reader, base.database, &err), ACTA_OK);
    ck_assert_int_eq(reader_read_stream(reader, slice_of(stream), 0, false,
                                        &bounds, &out, &result, &err),
                     ACTA_OK);
    ck_assert_uint_eq(result.events_count, count);
    events = buf_slice(&out);
    while (events.size > 0) {
        ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
        visit(user, &event);
    }
    reader_close(reader);
    buf_fini(&out);
}

static void
check_all(void)
{
    struct job *job = draft_command(501);
    struct draft draft = {.id = 900};
    size_t erased = 0;

    ck_assert_uint_eq(database_head(base.database), HEAD);
    ck_assert_uint_eq(describe(&base, "a-1").stream.settings.max_count, 4);
    ck_assert_uint_eq(describe(&base, "a-1").first_version, 4);
    ck_assert_int_eq(describe(&base, "b-1").stream.state, MSG_STREAM_DELETED);
    ck_assert_int_eq(describe(&base, "d-1").stream.state,
                     MSG_STREAM_TOMBSTONED);
    ck_assert_int_eq(describe(&base, "e-1").stream.state, MSG_STREAM_LIVE);
    read_stream("a-1", note_erased, &erased, 2);
    read_stream("b-1", note_erased, &erased, 0);
    read_stream("c-1", note_erased, &erased, 3);
    ck_assert_uint_eq(erased, 1);
    ck_assert_int_eq(base_append(&base, "d-1", ANY, &draft, 1),
                     ACTA_TOMBSTONED);
    ck_assert_int_eq(base_decide(&base, job), ACTA_OK);
    ck_assert(job->outcome.repeated);
    ck_assert_uint_eq(job->outcome.runs_count, 1);
    ck_assert_uint_eq(job->outcome.runs[0].first_position, HEAD);
    job_free(job);
    ck_assert_uint_eq(database_head(base.database), HEAD);
}

static void
do_nothing(struct base *of)
{
    (void)of;
}

static void
restart(void)
{
    base_close(&base);
    base_open(&base);
}

START_TEST(rows_are_there_after_closing_and_opening)
{
    base_open(&base);
    do_all(&base);
    check_all();
    restart();
    check_all();
    restart();
    check_all();
}
END_TEST

/* With the rows in the journal only, or with checkpoints under way. */
/* The fence of a lease that is given. */
static uint64_t
acquire(struct base *of, const char *name)
{
    static const uint8_t claim[UUID_SIZE] = {1};
    struct job *job = draft_lease(
        &(struct msg_change_lease){.name = slice_of(name),
                                   .kind = MSG_LEASE_ACQUIRE,
                                   .holder = slice_of("me"),
                                   .claim = claim,
                                   .duration_us = UINT64_C(3600000000)});
    uint64_t fence;

    ck_assert_int_eq(base_decide(of, job), ACTA_OK);
    fence = job->outcome.lease_changed.fence;
    job_free(job);
    return fence;
}

/* The row of the last number has a key of no bytes. */
START_TEST(no_fence_is_given_twice_over_a_restart)
{
    uint64_t before;

    base_open(&base);
    (void)acquire(&base, "one");
    before = acquire(&base, "two");
    base_close(&base);
    base_open(&base);
    ck_assert_uint_gt(acquire(&base, "three"), before);
    base_close(&base);
}
END_TEST

START_TEST(rows_are_there_after_a_kill)
{
    base.options.checkpoint_events = _i == 0 ? 10000 : 2;
    ck_assert_int_eq(base_killed(&base, do_all), 0);
    ck_assert_int_eq(base_killed(&base, do_nothing), 0);
    base_open(&base);
    check_all();
    restart();
    check_all();
}
END_TEST

START_TEST(events_go_on_behind_entries_that_had_none)
{
    ck_assert_int_eq(base_killed(&base, do_all), 0);
    base_open(&base);
    base_append_many(&base, "f-1", 600, 2, 10);
    ck_assert_uint_eq(database_head(base.database), HEAD + 2);
    ck_assert_uint_eq(base_version(&base, "f-1"), 2);
    base_append_many(&base, "b-1", 610, 1, 10);
    ck_assert_int_eq(describe(&base, "b-1").stream.state, MSG_STREAM_LIVE);
    ck_assert_uint_eq(describe(&base, "b-1").first_version, 4);
}
END_TEST

/* ---- damage ---- */

#define NEEDLE "needle-in-the-journal"

static void
change_needle(struct base *of)
{
    change(of, NEEDLE, (struct msg_change){.kind = MSG_TOMBSTONE});
    base_append_many(of, "a-1", 1, 1, 10);
}

/* Change one byte of NEEDLE in the file. True if it is there. */
static bool
damage_file(const char *path)
{
    static char bytes[4 * JOURNAL_SEGMENT_SIZE_MIN];
    ssize_t size;
    char *found;
    int fd;

    fd = open(path, O_RDWR);
    ck_assert_int_ge(fd, 0);
    size = read(fd, bytes, sizeof(bytes));
    ck_assert_int_ge(size, 0);
    found = memmem(bytes, (size_t)size, NEEDLE, strlen(NEEDLE));
    if (found != NULL) {
        ck_assert_int_eq(pwrite(fd, "N", 1, found - bytes), 1);
    }
    close(fd);
    return found != NULL;
}

static unsigned
damage_journal(void)
{
    struct dirent *entry;
    unsigned damaged = 0;
    char path[700];
    DIR *dir;

    snprintf(path, sizeof(path), "%s/journal", base.path);
    dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, "segment-", 8) == 0) {
            snprintf(path, sizeof(path), "%s/journal/%s", base.path,
                     entry->d_name);
            damaged += damage_file(path);
        }
    }
    closedir(dir);
    return damaged;
}

START_TEST(rows_that_were_acknowledged_and_are_damaged_are_reported)
{
    struct acta_err err;

    ck_assert_int_eq(base_killed(&base, change_needle), 0);
    ck_assert_uint_eq(damage_journal(), 1);
    ck_assert_int_eq(base_try(&base, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "segment-"));
}
END_TEST

/* ---- batches that are cut ---- */

#define JOBS   60
#define CHECKS 1000

/* Three appends of a thousand checks make a batch long enough. */
START_TEST(every_job_of_a_batch_that_is_cut_is_answered_in_order)
{
    struct msg_check *checks = calloc(CHECKS, sizeof(*checks));
    struct database_stats stats;
    struct answers answers;
    uint64_t answered = 0;

    base_open(&base);
    answers_init(&answers);
    for (size_t i = 0; i < CHECKS; i++) {
        checks[i] = (struct msg_check){slice_of("a-1"), 0};
    }
    for (uint64_t i = 1; i <= JOBS; i++) {
        struct draft draft = {.id = i};
        struct draft_write write = {"z-1", (int64_t)i - 1, &draft, 1};
        struct job *job =
            draft_append_with(&write, 1,
                              &(struct msg_append_more){
                                  .checks = checks, .checks_count = CHECKS});

        job->completions = &answers.completions;
        job->request_id = i;
        ck_assert_int_eq(database_submit(base.database, job), ACTA_OK);
    }
    while (answered < JOBS) {
        struct job *job = answers_take(&answers);

        while (job != NULL) {
            struct job *next = job->next;

            ck_assert_uint_eq(job->request_id, ++answered);
            ck_assert_msg(job->outcome.code == ACTA_OK, "%s",
                          job->outcome.text);
            ck_assert_uint_eq(job->outcome.runs[0].first_version, answered);
            job_free(job);
            job = next;
        }
    }
    database_stats(base.database, &stats);
    ck_assert_uint_ge(stats.commits, JOBS / 3);
    ck_assert_uint_eq(stats.events, JOBS);
    answers_fini(&answers);
    free(checks);
}
END_TEST

/* ---- readers beside the writer ---- */

#define ROUNDS  100
#define READERS 2

static atomic_bool is_over;

struct watcher_of_rows {
    pthread_t thread;
    uint64_t looks;
    uint64_t wrong;
};

/* The writer appends, then truncates before the next version: so in every view
 * truncate_before is the version, or the one behind it.
 */
static void *
watch(void *arg)
{
    struct watcher_of_rows *watcher = arg;
    struct reader *reader;

    if (reader_open(&reader, base.database, NULL) != ACTA_OK) {
        watcher->wrong++;
        return NULL;
    }
    do {
        struct msg_description seen;
        enum acta_code code;
        uint64_t before;

        code = reader_describe_stream(reader, slice_of("a-1"), &seen, NULL);
        before = seen.stream.settings.truncate_before;
        watcher->looks++;
        watcher->wrong +=
            code != ACTA_OK || (before != seen.stream.version &&
                                before != seen.stream.version + 1);
    } while (!atomic_load(&is_over));
    reader_close(reader);
    return NULL;
}

START_TEST(readers_see_events_and_rows_of_the_same_commit)
{
    struct watcher_of_rows watchers[READERS] = {0};

    base.options.checkpoint_events = 7;
    base_open(&base);
    base_append_many(&base, "a-1", 1, 1, 10);
    change(&base, "a-1",
           (struct msg_change){.kind = MSG_SET,
                               .settings = {.truncate_before = 2},
                               .given = MSG_HAS_TRUNCATE_BEFORE});
    atomic_store(&is_over, false);
    for (size_t i = 0; i < READERS; i++) {
        ck_assert_int_eq(
            pthread_create(&watchers[i].thread, NULL, watch, &watchers[i]), 0);
    }
    for (uint64_t v = 2; v < ROUNDS; v++) {
        base_append_many(&base, "a-1", v, 1, 10);
        change(&base, "a-1",
               (struct msg_change){.kind = MSG_SET,
                                   .settings = {.truncate_before = v + 1},
                                   .given = MSG_HAS_TRUNCATE_BEFORE});
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(watchers[i].thread, NULL);
        ck_assert_uint_gt(watchers[i].looks, 0);
        ck_assert_uint_eq(watchers[i].wrong, 0);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rows");
    TCase *tcase = tcase_create("rows");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, rows_are_there_after_closing_and_opening);
    tcase_add_test(tcase, no_fence_is_given_twice_over_a_restart);
    tcase_add_loop_test(tcase, rows_are_there_after_a_kill, 0, 2);
    tcase_add_test(tcase, events_go_on_behind_entries_that_had_none);
    tcase_add_test(tcase,
                   rows_that_were_acknowledged_and_are_damaged_are_reported);
    tcase_add_test(tcase,
                   every_job_of_a_batch_that_is_cut_is_answered_in_order);
    tcase_add_test(tcase, readers_see_events_and_rows_of_the_same_commit);
    return run_suite(suite);
}
