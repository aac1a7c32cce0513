/* Bytes that changed on the disk: what was acknowledged and is damaged is
 * reported and never served, and what nobody was told of is cut off.
 */

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "needles.h"
#include "patient.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"

#define BLOCK_SIZE   4096
#define SEGMENT_SIZE (1 << 20)

/* Entries of one block that a segment holds, beside its header. */
#define SEGMENT_ENTRIES (SEGMENT_SIZE / BLOCK_SIZE - 1)

#define ENTRY_BLOCKS 4 /* Of an entry of several. */
#define EXIT_DAMAGED 65
#define EXIT_STORAGE 74
#define TIMEOUT_S    300

static struct tempdir dir;
static struct daemon daemon_;

static void
begin(const char *checkpoint)
{
    struct rnd rnd;

    rnd_init(&rnd);
    tempdir_make(&dir);
    daemon_init(&daemon_, dir.path, &rnd);
    daemon_option(&daemon_, checkpoint);
    daemon_start(&daemon_);
}

static void
end(void)
{
    daemon_stop(&daemon_);
    tempdir_remove(&dir);
}

/* Append needles and be killed: all of them are in the journal. */
static void
append_and_die(uint64_t from, uint64_t to, size_t size)
{
    struct acta_sync *sync = needles_connect(daemon_.url);

    needles_append(sync, from, to, size);
    acta_sync_close(sync);
    daemon_kill(&daemon_);
}

/* Start, and find needles 1 to @to and no others. */
static void
start_and_check(uint64_t to)
{
    struct acta_sync *sync;

    daemon_start(&daemon_);
    sync = needles_connect(daemon_.url);
    needles_check(sync, to);
    acta_sync_close(sync);
}

/* Damage a needle in the journal. Returns the segment it is in, in memory that
 * the next call overwrites; *@offset is where.
 *
 * When nothing comes for a while the server writes a mark, an entry of one
 * block that tells what is before it to be whole. So on a busy machine there
 * may be one anywhere between needles, or behind them.
 */
static const char *
damage_journal(uint64_t number, size_t *offset)
{
    static char path[512];
    unsigned count = 0;
    glob_t found;

    ck_assert_int_eq(glob(tempdir_file(&dir, "data/main/journal/segment-*"), 0,
                          NULL, &found),
                     0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (needles_damage(found.gl_pathv[i], number, offset) > 0) {
            snprintf(path, sizeof(path), "%s", found.gl_pathv[i]);
            count++;
        }
    }
    ck_assert_uint_eq(count, 1);
    globfree(&found);
    return path;
}

/* The same for the last needle of the first of two segments, which has needle
 * @number or, if there are marks, one before it.
 */
static const char *
damage_end_of_segment(uint64_t number, size_t *offset)
{
    const char *path = damage_journal(number, offset);

    while (*offset < SEGMENT_SIZE / 2) {
        needles_repair(path, *offset);
        path = damage_journal(--number, offset);
    }
    return path;
}

/* Make zeros of @blocks from @offset on: they were not written. */
static void
unwrite(const char *path, size_t offset, size_t blocks)
{
    static const uint8_t zeros[ENTRY_BLOCKS * BLOCK_SIZE];
    size_t size = blocks * BLOCK_SIZE;
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    require(size <= sizeof(zeros));
    ck_assert_int_eq(pwrite(fd, zeros, size, (off_t)offset), (ssize_t)size);
    close(fd);
}

static const char *
store_path(void)
{
    return tempdir_file(&dir, "data/main/store/data.mdb");
}

/* ---- what all files are, in one number ---- */

static uint64_t files_hash;

static int
hash_file(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    static uint8_t bytes[1 << 16];
    size_t got;
    FILE *file;

    (void)ftw;
    files_hash = files_hash * 31 + (uint64_t)stat->st_ino;
    if (type != FTW_F) {
        return 0;
    }
    file = fopen(path, "re");
    require(file != NULL);
    while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        for (size_t i = 0; i < got; i++) {
            files_hash = (files_hash ^ bytes[i]) * UINT64_C(0x100000001b3);
        }
    }
    fclose(file);
    return 0;
}

static uint64_t
hash_files(void)
{
    files_hash = UINT64_C(0xcbf29ce484222325);
    ck_assert_int_eq(
        nftw(tempdir_file(&dir, "data/main/journal"), hash_file, 8, FTW_PHYS),
        0);
    ck_assert_int_eq(hash_file(store_path(), &(struct stat){0}, FTW_F, NULL),
                     0);
    return files_hash;
}

/* ---- the journal ---- */

START_TEST(damage_of_an_acknowledged_entry_is_refused_and_nothing_is_changed)
{
    char said[64];
    const char *path;
    uint64_t before;
    size_t offset;

    begin("--checkpoint-events=100000");
    append_and_die(1, 9, 200);
    path = damage_journal(5, &offset);
    before = hash_files();

    ck_assert_int_eq(daemon_start_in_vain(&daemon_), EXIT_DAMAGED);
    ck_assert_msg(daemon_has_said(&daemon_, strrchr(path, '/') + 1),
                  "the log does not name the file");
    snprintf(said, sizeof(said), "offset %zu ",
             offset / BLOCK_SIZE * BLOCK_SIZE);
    ck_assert_msg(daemon_has_said(&daemon_, said),
                  "the log does not say \"%s\"", said);
    ck_assert_uint_eq(hash_files(), before);

    needles_repair(path, offset);
    start_and_check(9);
    end();
}
END_TEST

START_TEST(
    damage_of_a_segments_last_entry_is_refused_if_another_segment_follows)
{
    const char *path;
    size_t offset;

    begin("--checkpoint-events=100000");
    append_and_die(1, SEGMENT_ENTRIES + 5, 200);
    path = damage_end_of_segment(SEGMENT_ENTRIES, &offset);
    ck_assert_uint_ge(offset, SEGMENT_SIZE - 2 * BLOCK_SIZE);
    ck_assert_int_eq(daemon_start_in_vain(&daemon_), EXIT_DAMAGED);
    needles_repair(path, offset);
    start_and_check(SEGMENT_ENTRIES + 5);
    end();
}
END_TEST

START_TEST(last_entry_that_is_damaged_is_cut_off)
{
    struct acta_sync *sync;
    const char *path;
    size_t offset;

    begin("--checkpoint-events=100000");
    append_and_die(1, 9, 200);
    path = damage_journal(9, &offset);
    unwrite(path, offset / BLOCK_SIZE * BLOCK_SIZE + BLOCK_SIZE, 1);
    start_and_check(8);
    sync = needles_connect(daemon_.url);
    needles_append(sync, 9, 12, 200);
    acta_sync_close(sync);
    daemon_kill(&daemon_);
    start_and_check(12);
    end();
}
END_TEST

/* An entry of several blocks, of which the last _i did not get there. */
START_TEST(last_entry_that_is_torn_is_cut_off)
{
    size_t torn = (size_t)_i;
    const char *path;
    size_t offset, from;

    begin("--checkpoint-events=100000");
    append_and_die(1, 3, 200);
    daemon_start(&daemon_);
    append_and_die(4, 4, (ENTRY_BLOCKS - 1) * BLOCK_SIZE + 100);
    path = damage_journal(4, &offset);
    needles_repair(path, offset);
    from = offset / BLOCK_SIZE * BLOCK_SIZE;
    unwrite(path, from + (ENTRY_BLOCKS - torn) * BLOCK_SIZE, torn);
    unwrite(path, from + ENTRY_BLOCKS * BLOCK_SIZE, 1);
    start_and_check(3);
    end();
}
END_TEST

/* ---- the store ---- */

START_TEST(damaged_event_of_the_store_is_named_and_all_others_are_served)
{
    const struct acta_news *news;
    struct acta_follower *follower;
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    struct acta_sync *sync;
    uint64_t read_before = 0, delivered = 0;
    enum acta_code code;
    struct acta_err err;
    size_t offset;

    begin("--checkpoint-events=100");
    sync = needles_connect(daemon_.url);
    needles_append(sync, 1, 300, 150);
    needles_await_stored(sync, 200);
    acta_sync_close(sync);
    daemon_kill(&daemon_);
    ck_assert_uint_gt(needles_damage(store_path(), 42, &offset), 0);

    daemon_start(&daemon_);
    sync = needles_connect(daemon_.url);
    for (uint64_t number = 1; number <= 300; number++) {
        code = needles_read(sync, number, &err);
        require(code == (number == 42 ? ACTA_CORRUPT : ACTA_OK));
        ck_assert_msg(number != 42 || strstr(err.text, "position 42") != NULL,
                      "the error does not name the position: %s", err.text);
    }

    ck_assert_int_eq(acta_cursor_open(&cursor, sync, &read, &err), ACTA_OK);
    while ((code = acta_cursor_next(cursor, &event, &err)) == ACTA_OK) {
        require(event != NULL && event->position == ++read_before);
    }
    ck_assert_int_eq(code, ACTA_CORRUPT);
    ck_assert_uint_eq(read_before, 41);
    ck_assert_ptr_nonnull(strstr(err.text, "position 42"));
    acta_cursor_close(cursor);

    ck_assert_int_eq(acta_follower_open(&follower, sync, NULL, 0, &err),
                     ACTA_OK);
    while ((code = acta_follower_next(follower, -1, &news, &err)) == ACTA_OK) {
        delivered += news->events_count;
        require(news->position == delivered);
    }
    ck_assert_int_eq(code, ACTA_CORRUPT);
    ck_assert_uint_eq(delivered, 41);
    acta_follower_close(follower);

    needles_append(sync, 301, 310, 150);
    acta_sync_close(sync);
    end();
}
END_TEST

START_TEST(store_that_is_cut_short_is_refused_and_nothing_is_changed)
{
    struct acta_sync *sync;
    struct stat stat_;
    uint64_t before;

    begin("--checkpoint-events=100");
    sync = needles_connect(daemon_.url);
    needles_append(sync, 1, 300, 150);
    needles_await_stored(sync, 200);
    acta_sync_close(sync);
    daemon_kill(&daemon_);
    ck_assert_int_eq(stat(store_path(), &stat_), 0);
    ck_assert_int_eq(
        truncate(store_path(), stat_.st_size / BLOCK_SIZE / 2 * BLOCK_SIZE), 0);
    before = hash_files();
    ck_assert_int_eq(daemon_start_in_vain(&daemon_), EXIT_DAMAGED);
    ck_assert(daemon_has_said(&daemon_, "store/data.mdb is cut short"));
    ck_assert_uint_eq(hash_files(), before);
    tempdir_remove(&dir);
}
END_TEST

/* While it is open: the first who touches what is missing ends the process, and
 * its last word says where that was.
 */
START_TEST(store_that_is_cut_short_under_a_server_ends_it_with_a_message)
{
    struct acta_options options;
    struct acta_sync *sync;
    struct acta_err err;

    begin("--checkpoint-events=100");
    sync = needles_connect(daemon_.url);
    needles_append(sync, 1, 300, 150);
    needles_await_stored(sync, 200);
    acta_sync_close(sync);
    options = patient_options(daemon_.url);
    options.timeout_ms = 1000; /* It will not be answered. */
    ck_assert_int_eq(acta_sync_open(&sync, &options, &err), ACTA_OK);
    ck_assert_int_eq(truncate(store_path(), 2 * BLOCK_SIZE), 0);
    ck_assert_int_ne(needles_read(sync, 1, &err), ACTA_OK);
    acta_sync_close(sync);
    ck_assert_int_eq(daemon_wait(&daemon_), EXIT_STORAGE);
    ck_assert(daemon_has_said(&daemon_, "a page of a file cannot be read"));
    ck_assert(daemon_has_said(&daemon_, "store/data.mdb\" offset="));
    tempdir_remove(&dir);
}
END_TEST

/* As an assertion of LMDB's does that meets a damaged page. */
START_TEST(server_that_aborts_says_so)
{
    int status = 0;

    begin("--checkpoint-events=100");
    ck_assert_int_eq(kill(daemon_.pid, SIGABRT), 0);
    ck_assert_int_eq(waitpid(daemon_.pid, &status, 0), daemon_.pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert(daemon_has_said(&daemon_, "a fault ends the process"));
    ck_assert(daemon_has_said(&daemon_, "signal=SIGABRT"));
    tempdir_remove(&dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("damage");
    TCase *tcase = tcase_create("damage");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(
        tcase,
        damage_of_an_acknowledged_entry_is_refused_and_nothing_is_changed);
    tcase_add_test(
        tcase,
        damage_of_a_segments_last_entry_is_refused_if_another_segment_follows);
    tcase_add_test(tcase, last_entry_that_is_damaged_is_cut_off);
    tcase_add_loop_test(tcase, last_entry_that_is_torn_is_cut_off, 1,
                        ENTRY_BLOCKS + 1);
    tcase_add_test(
        tcase, damaged_event_of_the_store_is_named_and_all_others_are_served);
    tcase_add_test(tcase,
                   store_that_is_cut_short_is_refused_and_nothing_is_changed);
    tcase_add_test(
        tcase, store_that_is_cut_short_under_a_server_ends_it_with_a_message);
    tcase_add_test(tcase, server_that_aborts_says_so);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
