/* What is released leaves the journal's files for good, when that is asked. */

#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "journal_fixture.h"
#include "run.h"

#define WAIT_MS    5
#define WAITS_MAX  12000
#define STEPS_MAX  10000
#define STEP_SIZE  ((size_t)300000) /* No part of a segment. */
#define ENTRY_SIZE 100000

/* ---- the words in which the tests are written ---- */

/* Write an entry that can be found again by its sequence number. */
static void
write_needle(void)
{
    static char data[ENTRY_SIZE];
    struct acta_err err;

    memset(data, '.', sizeof(data));
    for (size_t at = 0; at + 50 < sizeof(data); at += 5000) {
        snprintf(data + at, 20, "needle-%06u", (unsigned)sequence + 1);
    }
    assert_ok(write_entry(1, sizeof(data), data, &err), &err);
}

static void
write_needles(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        write_needle();
    }
}

static unsigned
count_in_file(const char *path, const char *needle)
{
    struct stat status;
    unsigned count = 0;
    uint8_t *bytes, *at;
    size_t size;
    FILE *file;

    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    size = (size_t)status.st_size;
    bytes = malloc(size);
    ck_assert_uint_eq(fread(bytes, 1, size, file), size);
    fclose(file);
    at = memmem(bytes, size, needle, strlen(needle));
    while (at != NULL) {
        count++;
        at = memmem(at + 1, size - (size_t)(at + 1 - bytes), needle,
                    strlen(needle));
    }
    free(bytes);
    return count;
}

/* How often entry @number is in the files whose name begins with @prefix. */
static unsigned
count_needles(const char *prefix, unsigned number)
{
    struct dirent *entry;
    unsigned count = 0;
    char needle[20];
    DIR *list = opendir(dir.path);

    ck_assert_ptr_nonnull(list);
    snprintf(needle, sizeof(needle), "needle-%06u", number);
    while ((entry = readdir(list)) != NULL) {
        if (entry->d_name[0] != '.' &&
            strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            count += count_in_file(tempdir_file(&dir, entry->d_name), needle);
        }
    }
    closedir(list);
    return count;
}

/* Wipe until nothing is left to be overwritten. */
static enum journal_wiped
wipe(uint64_t up_to)
{
    enum journal_wiped wiped = JOURNAL_WIPES_ON;

    for (unsigned i = 0; i < STEPS_MAX && wiped == JOURNAL_WIPES_ON; i++) {
        wiped = journal_wipe(journal, up_to, STEP_SIZE);
    }
    return wiped;
}

/* Turn to a clean file: the keeper may have to make one first. */
static void
turn(void)
{
    unsigned waits = 0;
    bool turned = false;
    struct acta_err err;

    while (!turned) {
        assert_ok(journal_turn(journal, &turned, &err), &err);
        ck_assert_uint_lt(waits++, WAITS_MAX);
        (void)poll(NULL, 0, turned ? 0 : WAIT_MS);
    }
}

/* ---- tests ---- */

START_TEST(spares_are_wiped_of_what_is_meant)
{
    restart();
    write_needles(15); /* Two segments: with the header, ten do not fit. */
    release(sequence);
    ck_assert_uint_gt(count_needles("spare-", 3), 0); /* It can be seen. */
    ck_assert_int_eq(wipe(3), JOURNAL_WIPED);
    ck_assert_uint_eq(count_needles("", 3), 0);
    ck_assert_uint_gt(count_needles("segment-", 15), 0);
    write_needles(30);
    assert_replays(released, sequence);
}
END_TEST

/* A backup that has not taken them yet will take them without. */
START_TEST(what_is_kept_for_a_backup_is_not_kept_from_being_wiped)
{
    restart();
    write_needles(15);
    journal_keep_after(journal, 0, UINT64_MAX);
    release(sequence);
    ck_assert_int_eq(wipe(3), JOURNAL_WAITS);
    ck_assert_uint_gt(count_needles("segment-", 3), 0);
    release(sequence);
    ck_assert_int_eq(wipe(3), JOURNAL_WIPED);
    ck_assert_uint_eq(count_needles("", 3), 0);
}
END_TEST

START_TEST(what_is_newer_than_is_meant_costs_nothing)
{
    restart();
    write_needles(15);
    release(sequence);
    ck_assert_int_eq(journal_wipe(journal, 0, STEP_SIZE), JOURNAL_WIPED);
    ck_assert_uint_gt(count_needles("spare-", 3), 0);
}
END_TEST

START_TEST(a_segment_in_use_is_waited_for)
{
    struct acta_err err;
    bool turned;

    restart();
    write_needles(3);
    assert_ok(journal_turn(journal, &turned, &err), &err);
    ck_assert(!turned); /* Nobody has asked. */
    ck_assert_int_eq(wipe(2), JOURNAL_WAITS);
    turn();
    release(sequence);
    ck_assert_int_eq(wipe(2), JOURNAL_WIPED);
    ck_assert_uint_eq(count_needles("", 1), 0);
    ck_assert_uint_eq(count_needles("", 3), 0); /* It was in the same file. */
    write_needles(3);
    assert_replays(released, sequence);
}
END_TEST

/* A spare as it was becomes a segment: what it has behind its entries is as
 * old as ever, so another one has to follow.
 */
START_TEST(what_is_left_behind_the_newest_entries_is_waited_for)
{
    unsigned waits = 0;

    restart();
    write_needles(25);
    release(sequence);
    while (count_needles("segment-", 8) == 0) { /* The file is used again. */
        write_needles(1);
        ck_assert_uint_lt(waits++, 100);
    }
    release(sequence);
    ck_assert_int_eq(wipe(25), JOURNAL_WAITS);
    turn();
    release(sequence);
    ck_assert_int_eq(wipe(25), JOURNAL_WIPED);
    for (unsigned i = 1; i <= 25; i++) {
        ck_assert_uint_eq(count_needles("", i), 0);
    }
    write_needles(30);
    assert_replays(released, sequence);
}
END_TEST

/* Which of them are left depends on which spares the keeper had made. */
START_TEST(after_a_start_nothing_is_known_to_be_clean)
{
    unsigned left = 0;

    restart();
    write_needles(25);
    release(sequence);
    restart();
    for (unsigned i = 1; i <= 25; i++) {
        left += count_needles("", i);
    }
    ck_assert_uint_gt(left, 0);
    while (wipe(25) == JOURNAL_WAITS) {
        turn();
        release(sequence);
    }
    for (unsigned i = 1; i <= 25; i++) {
        ck_assert_uint_eq(count_needles("", i), 0);
    }
    assert_replays(released, sequence);
}
END_TEST

START_TEST(a_spare_that_cannot_be_wiped_is_removed)
{
    restart();
    write_needles(25);
    release(sequence);
    ck_assert_uint_gt(count_needles("spare-", 3), 0);
    atomic_store(&sync_fails_at, atomic_load(&sync_calls) + 1);
    ck_assert_int_eq(journal_wipe(journal, 25, SEGMENT), JOURNAL_WIPES_ON);
    atomic_store(&sync_fails_at, 0);
    ck_assert_int_ne(wipe(19), JOURNAL_WIPES_ON);
    ck_assert_uint_eq(count_needles("spare-", 3), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("journal wipe");
    TCase *tcase = tcase_create("wipe");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, spares_are_wiped_of_what_is_meant);
    tcase_add_test(tcase,
                   what_is_kept_for_a_backup_is_not_kept_from_being_wiped);
    tcase_add_test(tcase, what_is_newer_than_is_meant_costs_nothing);
    tcase_add_test(tcase, a_segment_in_use_is_waited_for);
    tcase_add_test(tcase, what_is_left_behind_the_newest_entries_is_waited_for);
    tcase_add_test(tcase, after_a_start_nothing_is_known_to_be_clean);
    tcase_add_test(tcase, a_spare_that_cannot_be_wiped_is_removed);
    return run_suite(suite);
}
