/* Archives of a database in this process: what is restored from them shows what
 * the database showed when they were made, after whatever was done to it; and
 * damage of an archive is found wherever it is.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "fake_clock.h"
#include "file.h"
#include "rnd.h"
#include "run.h"
#include "script.h"
#include "take.h"
#include "tell.h"

#define PATIENCE_MS  20000
#define BACKUP_ONCE  4  /* A backup after one in so many steps, */
#define RESTORE_ONCE 6  /* and of these one in so many is restored. */
#define ANEW_ONCE    10 /* So many begin anew. */
#define FLIPS        2000
#define TEXT_MAX     ((size_t)64 << 20)
#define SMALL_STEPS  21 /* For an archive to be damaged: none erases. */

static struct tempdir tempdir;
static struct base base;
static struct rnd rnd;
static char dir[280], restored[280], restored_main[290];

static void
setup(void)
{
    rnd_init(&rnd);
    tempdir_make(&tempdir);
    script_init(&base, tempdir_file(&tempdir, "main"));
    snprintf(dir, sizeof(dir), "%s/archive", tempdir.path);
    snprintf(restored, sizeof(restored), "%s/restored", tempdir.path);
    snprintf(restored_main, sizeof(restored_main), "%s/main", restored);
    script_set_time(0);
    base_open(&base);
}

static void
teardown(void)
{
    base_close(&base);
    tempdir_remove(&tempdir);
}

static void
do_step(unsigned step)
{
    uint64_t cuts[SCRIPT_JOBS];
    size_t cuts_count;

    script_set_time(step);
    ck_assert_int_eq(script_do(&base, step, PATIENCE_MS, cuts, &cuts_count),
                     ACTA_OK);
}

static char *
tell_base(void)
{
    struct acta_err err;
    struct buf text;
    char *copy;

    buf_init(&text, TEXT_MAX);
    ck_assert_msg(tell(&base, &text, &err), "%s", err.text);
    copy = strdup((const char *)buf_slice(&text).data);
    buf_fini(&text);
    return copy;
}

/* Where the two differ first, for people. */
static void
assert_same(const char *expected, const char *found)
{
    size_t at = 0;

    while (expected[at] != '\0' && expected[at] == found[at]) {
        at++;
    }
    if (expected[at] != found[at]) {
        while (at > 0 && expected[at - 1] != '\n') {
            at--;
        }
        ck_abort_msg("expected: %.150s\nfound: %.150s", expected + at,
                     found + at);
    }
}

static void
remove_restored(void)
{
    ck_assert_int_eq(file_remove_tree(restored, NULL), ACTA_OK);
}

START_TEST(what_is_restored_shows_what_was_backed_up)
{
    unsigned backups = 0, bases = 0, restores = 0;
    struct take take = {.anew = false};
    struct acta_err err;
    struct took took;

    for (unsigned step = 1; step <= SCRIPT_STEPS; step++) {
        char *expected, *found;

        do_step(step);
        if (!rnd_once_in(&rnd, BACKUP_ONCE) && step < SCRIPT_STEPS) {
            continue;
        }
        take.anew = rnd_once_in(&rnd, ANEW_ONCE);
        take.chunk_size = 1 + rnd_below(&rnd, ARCHIVE_CHUNK_MAX / 100);
        ck_assert_msg(take_backup(&base, dir, &take, &took, &err) == ACTA_OK,
                      "%s", err.text);
        backups++;
        bases += took.had_base;
        ck_assert_uint_eq(took.position, database_head(base.database));
        if (!rnd_once_in(&rnd, RESTORE_ONCE) && step < SCRIPT_STEPS) {
            continue;
        }
        restores++;
        expected = tell_base();
        ck_assert_msg(take_restore(dir, restored, UINT64_MAX, &err) == ACTA_OK,
                      "%s", err.text);
        found = take_tell(&base, restored_main);
        assert_same(expected, found);
        free(expected);
        free(found);
        remove_restored();
    }
    printf("{\"test\": \"archive\", \"backups\": %u, \"bases\": %u, "
           "\"restores\": %u}\n",
           backups, bases, restores);
    ck_assert_uint_gt(backups, bases);
}
END_TEST

/* An archive with a base and entries, of a few steps. */
static void
make_archive(void)
{
    for (unsigned step = 1; step <= SMALL_STEPS; step++) {
        do_step(step);
        if (step % (SMALL_STEPS / 3) == 0) {
            take_it(&base, dir);
        }
    }
}

/* The files of the archive, by number; false: there is no such. */
static bool
file_of(unsigned number, char path[static 400])
{
    struct archive archive;
    bool found = true;

    if (number == 0) {
        snprintf(path, 400, "%s/manifest", dir);
        return true;
    }
    ck_assert_int_eq(archive_open(&archive, dir, NULL), ACTA_OK);
    if (number > archive.parts_count) {
        found = false;
    } else {
        snprintf(path, 400, "%s/part-%016" PRIx64, dir,
                 archive.parts[number - 1].number);
    }
    archive_close(&archive);
    return found;
}

static void
flip(FILE *file, long offset, int bit)
{
    int byte;

    ck_assert_int_eq(fseek(file, offset, SEEK_SET), 0);
    byte = fgetc(file);
    ck_assert_int_ne(byte, EOF);
    ck_assert_int_eq(fseek(file, offset, SEEK_SET), 0);
    ck_assert_int_ne(fputc(byte ^ (1 << bit), file), EOF);
    ck_assert_int_eq(fflush(file), 0);
}

START_TEST(every_flipped_bit_is_found)
{
    unsigned tries = rnd_effort(FLIPS, FLIPS * 10), found = 0, files = 0;
    char path[400];

    make_archive();
    while (file_of(files, path)) {
        files++;
    }
    ck_assert_uint_ge(files, 3);
    for (unsigned i = 0; i < tries; i++) {
        struct acta_err err;
        struct stat status;
        FILE *file;
        long offset;
        int bit;

        /* The manifest is small: each of its bits has its turn soon. */
        ck_assert(file_of(i % 8 == 0 ? 0 : 1 + i % (files - 1), path));
        file = fopen(path, "r+e");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fstat(fileno(file), &status), 0);
        offset = (long)rnd_below(&rnd, (uint64_t)status.st_size);
        bit = (int)rnd_below(&rnd, 8);
        flip(file, offset, bit);
        if (take_verify(dir, &err) == ACTA_OK) {
            ck_abort_msg("bit %d at %ld of %s", bit, offset, path);
        }
        found++;
        flip(file, offset, bit);
        fclose(file);
    }
    ck_assert_int_eq(take_verify(dir, NULL), ACTA_OK);
    printf("{\"test\": \"archive, flipped bits\", \"flipped\": %u, "
           "\"found\": %u}\n",
           tries, found);
}
END_TEST

START_TEST(a_damaged_archive_is_not_restored)
{
    struct acta_err err;
    char path[400];
    FILE *file;

    make_archive();
    ck_assert(file_of(2, path));
    file = fopen(path, "r+e");
    flip(file, 200, 3);
    fclose(file);
    ck_assert_int_eq(take_restore(dir, restored, UINT64_MAX, &err),
                     ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "at offset"));
    ck_assert(!file_exists(restored));
    ck_assert(!file_exists(tempdir_file(&tempdir, "restored.restoring")));
}
END_TEST

START_TEST(what_a_restore_has_left_is_removed_by_the_next)
{
    char left[300];
    char *expected, *found;
    struct acta_err err;
    char path[400];
    FILE *file;

    snprintf(left, sizeof(left), "%s.restoring", restored);
    do_step(1);
    take_it(&base, dir);
    snprintf(path, sizeof(path), "%s/main", left);
    ck_assert_int_eq(mkdir(left, 0700), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/main/store", left);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_assert_int_eq(mkdir(restored, 0700), 0); /* It may be there, empty. */
    ck_assert_msg(take_restore(dir, restored, UINT64_MAX, &err) == ACTA_OK,
                  "%s", err.text);
    expected = tell_base();
    found = take_tell(&base, restored_main);
    assert_same(expected, found);
    free(expected);
    free(found);
}
END_TEST

START_TEST(what_is_cut_off_missing_or_exchanged_is_found)
{
    char path[400], other[400], aside[410];
    struct acta_err err;
    struct stat status;

    make_archive();
    ck_assert(file_of(2, path));
    ck_assert(file_of(3, other));
    snprintf(aside, sizeof(aside), "%s.aside", path);
    ck_assert_int_eq(rename(path, aside), 0);
    ck_assert_int_eq(take_verify(dir, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "missing"));
    ck_assert_int_eq(rename(other, path), 0);
    ck_assert_int_eq(rename(aside, other), 0);
    ck_assert_int_eq(take_verify(dir, &err), ACTA_CORRUPT);
    ck_assert_int_eq(rename(path, aside), 0);
    ck_assert_int_eq(rename(other, path), 0);
    ck_assert_int_eq(rename(aside, other), 0);
    ck_assert_int_eq(take_verify(dir, &err), ACTA_OK);
    ck_assert_int_eq(stat(other, &status), 0);
    ck_assert_int_eq(truncate(other, status.st_size - 1), 0);
    ck_assert_int_eq(take_verify(dir, &err), ACTA_CORRUPT);
}
END_TEST

START_TEST(parts_that_have_lost_their_manifest_are_left_alone)
{
    struct take take = {.chunk_size = ARCHIVE_CHUNK_MAX};
    struct archive archive;
    struct acta_err err;
    struct took took;
    char path[400];

    make_archive();
    ck_assert(file_of(0, path));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(take_backup(&base, dir, &take, &took, &err), ACTA_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "no manifest"));
    snprintf(path, sizeof(path), "%s/part-%016x", dir, 1);
    ck_assert(file_exists(path));
    ck_assert_int_eq(archive_open(&archive, dir, NULL), ACTA_NOT_FOUND);
    archive_close(&archive);
}
END_TEST

START_TEST(what_a_first_backup_has_left_is_removed_by_the_next)
{
    struct archive archive;
    char path[400];
    FILE *file;

    ck_assert_int_eq(archive_open_writer(&archive, dir, NULL), ACTA_OK);
    archive_close(&archive);
    snprintf(path, sizeof(path), "%s/part-%016x", dir, 7);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_assert_int_eq(archive_open(&archive, dir, NULL), ACTA_NOT_FOUND);
    archive_close(&archive);
    do_step(1);
    ck_assert(take_it(&base, dir).had_base);
    ck_assert(!file_exists(path));
    ck_assert_int_eq(take_verify(dir, NULL), ACTA_OK);
}
END_TEST

/* The control: one entry of many is left out. */
START_TEST(an_entry_that_is_left_out_is_found)
{
    struct take take = {.chunk_size = ARCHIVE_CHUNK_MAX};
    struct acta_err err;
    struct took took;

    do_step(1);
    took = take_it(&base, dir);
    take.leave_out = took.sequence + 2;
    for (unsigned step = 2; step <= 6; step++) {
        do_step(step);
    }
    ck_assert_int_eq(take_backup(&base, dir, &take, &took, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "missing"));
    ck_assert_int_eq(take_verify(dir, &err), ACTA_OK); /* What there was. */
    take.leave_out = 0;
    ck_assert_int_eq(take_backup(&base, dir, &take, &took, &err), ACTA_OK);
    ck_assert(!took.had_base);
}
END_TEST

START_TEST(restoring_to_a_position_stops_at_a_commit_before_it)
{
    struct acta_err err;
    char *expected, *found;
    uint64_t position;

    take_it(&base, dir); /* Of nothing. */
    for (unsigned step = 1; step <= 5; step++) {
        do_step(step);
    }
    expected = tell_base();
    position = database_head(base.database);
    for (unsigned step = 6; step <= 10; step++) {
        do_step(step);
    }
    ck_assert_uint_gt(database_head(base.database), position);
    take_it(&base, dir);
    ck_assert_int_eq(take_restore(dir, restored, position, &err), ACTA_OK);
    found = take_tell(&base, restored_main);
    ck_assert_ptr_nonnull(strstr(found, "\nhead "));
    ck_assert_uint_eq(strtoull(strstr(found, "\nhead ") + 6, NULL, 10),
                      position);
    free(expected);
    free(found);
}
END_TEST

START_TEST(a_restored_database_is_another_one)
{
    struct base other = {.options = base.options};
    struct uuid id = database_id(base.database);
    struct take take = {.chunk_size = 1000};
    struct acta_err err;
    struct uuid other_id;
    struct took took;

    do_step(1);
    take_it(&base, dir);
    ck_assert_int_eq(take_restore(dir, restored, UINT64_MAX, &err), ACTA_OK);
    snprintf(other.path, sizeof(other.path), "%s", restored_main);
    other.options.dir = other.path;
    base_open(&other);
    other_id = database_id(other.database);
    ck_assert_int_ne(memcmp(&id, &other_id, sizeof(id)), 0);
    ck_assert_int_eq(take_backup(&other, dir, &take, &took, &err),
                     ACTA_INVALID);
    base_close(&other);
    ck_assert_int_eq(take_restore(dir, restored, UINT64_MAX, &err),
                     ACTA_INVALID); /* There is something. */
}
END_TEST

/* ---- what the server keeps ---- */

static void
reopen(size_t backup_keep)
{
    base_close(&base);
    base.options.backup_keep = backup_keep;
    base_open(&base);
}

/* A segment that could be used again is more than may be kept. */
START_TEST(what_is_kept_for_the_next_one_is_bounded)
{
    struct took took;

    reopen(1);
    do_step(1);
    took = take_it(&base, dir);
    ck_assert(took.had_base);
    ck_assert_uint_eq(took.kept, took.sequence);
    for (unsigned step = 2; step <= SCRIPT_STEPS; step++) {
        do_step(step);
    }
    took = take_it(&base, dir);
    ck_assert(took.had_base);
    ck_assert(took.had_reason);
}
END_TEST

START_TEST(what_is_within_the_bound_is_kept)
{
    do_step(1);
    ck_assert(take_it(&base, dir).had_base);
    for (unsigned step = 2; step <= SMALL_STEPS; step++) {
        do_step(step);
    }
    ck_assert(!take_it(&base, dir).had_base);
}
END_TEST

START_TEST(a_server_that_keeps_nothing_says_so)
{
    struct took took;

    reopen(0);
    do_step(1);
    took = take_it(&base, dir);
    ck_assert_uint_eq(took.kept, 0);
}
END_TEST

START_TEST(one_backup_is_under_way_at_a_time)
{
    struct msg_begin_backup begin = {.after = 0};
    struct msg_backup_begun begun;
    struct backup *first, *second;
    struct acta_err err;

    do_step(1);
    ck_assert_int_eq(backup_begin(&first, base.database, &begin, &begun, &err),
                     ACTA_OK);
    ck_assert_int_eq(backup_begin(&second, base.database, &begin, &begun, &err),
                     ACTA_BUSY);
    ck_assert_ptr_null(second);
    backup_close(first);
    ck_assert_int_eq(backup_begin(&first, base.database, &begin, &begun, &err),
                     ACTA_OK);
    backup_close(first);
}
END_TEST

START_TEST(a_backup_that_has_more_than_the_database_does_not_go_on)
{
    struct uuid id = database_id(base.database);
    struct msg_begin_backup begin = {.after = 1000000, .database = id.bytes};
    struct msg_backup_begun begun;
    struct backup *backup;
    struct acta_err err;

    ck_assert_int_eq(backup_begin(&backup, base.database, &begin, &begun, &err),
                     ACTA_INVALID);
    ck_assert_int_eq(backup_begin(&backup, base.database,
                                  &(struct msg_begin_backup){.after = 0},
                                  &begun, &err),
                     ACTA_OK);
    backup_close(backup);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("archive");
    TCase *tcase = tcase_create("archive");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 600);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_restored_shows_what_was_backed_up);
    tcase_add_test(tcase, every_flipped_bit_is_found);
    tcase_add_test(tcase, a_damaged_archive_is_not_restored);
    tcase_add_test(tcase, what_a_restore_has_left_is_removed_by_the_next);
    tcase_add_test(tcase, what_is_cut_off_missing_or_exchanged_is_found);
    tcase_add_test(tcase, parts_that_have_lost_their_manifest_are_left_alone);
    tcase_add_test(tcase, what_a_first_backup_has_left_is_removed_by_the_next);
    tcase_add_test(tcase, an_entry_that_is_left_out_is_found);
    tcase_add_test(tcase, restoring_to_a_position_stops_at_a_commit_before_it);
    tcase_add_test(tcase, a_restored_database_is_another_one);
    tcase_add_test(tcase, what_is_kept_for_the_next_one_is_bounded);
    tcase_add_test(tcase, what_is_within_the_bound_is_kept);
    tcase_add_test(tcase, a_server_that_keeps_nothing_says_so);
    tcase_add_test(tcase, one_backup_is_under_way_at_a_time);
    tcase_add_test(tcase,
                   a_backup_that_has_more_than_the_database_does_not_go_on);
    return run_suite(suite);
}
