#include "journal_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "file.h"
#include "journal_files.h"
#include "rnd.h"
#include "run.h"
#include "segment.h"

/* ---- entries ---- */

START_TEST(entries_come_back_in_order_and_whole)
{
    open_journal();
    start_journal();
    write_entries(10, 3, 100);
    write_entries(1, 0, 0); /* A mark. */
    write_entries(5, 1, 5000);
    close_journal();
    assert_replays(0, 16);
    for (uint64_t after = 1; after <= 16; after++) {
        assert_replays(after, 16);
    }
}
END_TEST

START_TEST(an_empty_journal_has_nothing_to_replay)
{
    open_journal();
    close_journal();
    assert_replays(0, 0);
}
END_TEST

START_TEST(who_has_all_entries_sees_none)
{
    struct acta_err err;
    uint64_t last;

    open_journal();
    start_journal();
    write_entries(3, 1, 10);
    close_journal();
    open_journal();
    ck_assert_int_eq(journal_replay(journal, 3, see, NULL, &last, &err),
                     ACTA_OK);
    ck_assert_uint_eq(last, 3);
}
END_TEST

/* See the second entry, and no more. */
static enum acta_code
stop_at_second(void *user, const struct journal_entry *entry,
               struct acta_err *err)
{
    ++*(unsigned *)user;
    return entry->sequence < 2 ? ACTA_OK : acta_fail(err, ACTA_MEMORY, "stop");
}

START_TEST(a_visit_that_fails_ends_the_replay)
{
    struct acta_err err;
    unsigned visits = 0;
    uint64_t last;

    open_journal();
    start_journal();
    write_entries(3, 1, 10);
    close_journal();
    open_journal();
    ck_assert_int_eq(
        journal_replay(journal, 0, stop_at_second, &visits, &last, &err),
        ACTA_MEMORY);
    ck_assert_str_eq(err.text, "replay journal: stop");
    ck_assert_uint_eq(visits, 2);
}
END_TEST

START_TEST(a_journal_without_segments_has_kept_nothing)
{
    open_journal();
    ck_assert(!journal_has_after(journal, 0));
    ck_assert_uint_eq(journal_kept(journal, 10), 0);
    let_go(10);
    journal_end(journal);
    ck_assert_uint_eq(journal_size(journal), 0);
}
END_TEST

START_TEST(a_full_segment_goes_without_its_end)
{
    open_journal();
    start_journal();
    write_entries((SEGMENT - SEGMENT_HEADER_SIZE) / SEGMENT_ALIGNMENT, 0, 0);
    ck_assert_uint_eq(journal_room(journal), 0);
    journal_end(journal);
    close_journal();
    assert_replays(0, sequence);
}
END_TEST

START_TEST(files_of_other_names_are_left_alone)
{
    static const char *const names[] = {"segment-", "segment-0123456789abcdeg",
                                        "spare-1", "notes"};

    for (size_t i = 0; i < 4; i++) {
        FILE *file = fopen(tempdir_file(&dir, names[i]), "w");

        ck_assert_ptr_nonnull(file);
        fclose(file);
    }
    open_journal();
    start_journal();
    write_entries(3, 1, 10);
    close_journal();
    assert_replays(0, 3);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(access(tempdir_file(&dir, names[i]), F_OK), 0);
    }
}
END_TEST

START_TEST(a_directory_has_to_leave_room_for_names)
{
    static char path[FILE_PATH_MAX];
    struct acta_err err;

    memset(path, '/', sizeof(path) - 1);
    options.dir = path;
    ck_assert_int_eq(journal_open(&journal, &options, &err), ACTA_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "path is too long"));
}
END_TEST

/* Blocks right below, at and above what fills whole pages. */
START_TEST(entries_of_every_size_around_a_page_come_back)
{
    open_journal();
    start_journal();
    for (size_t size = 3900; size < 4060; size++) {
        write_entries(1, 1, size);
    }
    close_journal();
    assert_replays(0, 160);
}
END_TEST

START_TEST(an_entry_larger_than_a_segment_gets_one_of_its_own)
{
    open_journal();
    start_journal();
    write_entries(1, 1, 10);
    write_entries(1, 1, 3 * SEGMENT);
    write_entries(1, 1, 10);
    write_entries(1, 2, SEGMENT);
    write_entries(1, 1, (size_t)16 << 20);
    write_entries(1, 1, 10);
    close_journal();
    assert_replays(0, 6);
    assert_replays(3, 6);
}
END_TEST

START_TEST(segments_follow_one_another_over_restarts)
{
    open_journal();
    start_journal();
    for (int i = 0; i < 5; i++) {
        write_entries(40, 2, 30000); /* More than two segments. */
        restart();
    }
    ck_assert_uint_eq(sequence, 200);
    ck_assert_uint_eq(position, 400);
    ck_assert_uint_ge(count_files("segment-"), 10);
}
END_TEST

START_TEST(what_is_reserved_can_be_written_without_another_segment)
{
    struct acta_err err;
    size_t before;

    open_journal();
    start_journal();
    write_entries(1, 1, SEGMENT / 2);
    assert_ok(journal_reserve(journal, SEGMENT - SEGMENT_HEADER_SIZE, &err),
              &err);
    before = count_files("segment-");
    write_entries((SEGMENT - SEGMENT_HEADER_SIZE) / 4096, 1, 10);
    ck_assert_uint_eq(count_files("segment-"), before);
    write_entries(1, 1, 10);
    ck_assert_uint_eq(count_files("segment-"), before + 1);
}
END_TEST

/* ---- recycling ---- */

START_TEST(released_segments_are_used_again)
{
    open_journal();
    start_journal();
    for (int i = 0; i < 30; i++) {
        write_entries(20, 1, 60000);
        let_go(sequence);
        ck_assert_uint_le(count_files("segment-"), 2);
        ck_assert_uint_le(count_files("spare-"), options.spares_max + 1);
        ck_assert_uint_le(journal_size(journal), 5 * SEGMENT);
    }
    close_journal();
    assert_replays(sequence, sequence);
}
END_TEST

START_TEST(spares_are_given_up_when_space_is_short)
{
    size_t before;

    open_journal();
    start_journal();
    write_entries(40, 1, 200000);
    release(sequence);
    before = count_files("spare-"); /* The keeper may be at work on one. */
    ck_assert_uint_ge(before, 2);
    journal_drop_spares(journal);
    ck_assert_uint_lt(count_files("spare-"), before);
    write_entries(40, 1, 200000);
    restart();
    ck_assert_uint_eq(sequence, 80);
}
END_TEST

START_TEST(a_segment_is_kept_as_long_as_one_entry_of_it_is_needed)
{
    uint64_t first_of_second;

    open_journal();
    start_journal();
    write_entries(1, 1, 10);
    while (count_files("segment-") < 2) {
        write_entries(1, 1, 60000);
    }
    first_of_second = sequence;
    let_go(first_of_second - 2);
    ck_assert_uint_eq(count_files("segment-"), 2);
    let_go(first_of_second - 1);
    ck_assert_uint_eq(count_files("segment-"), 1);
    let_go(sequence); /* The newest stays. */
    ck_assert_uint_eq(count_files("segment-"), 1);
    close_journal();
    assert_replays(first_of_second - 1, sequence);
}
END_TEST

START_TEST(as_many_released_segments_are_kept_as_spares_as_are_wanted)
{
    options.spares_max = 3;
    open_journal();
    start_journal();
    write_segments(6);
    wait_for_keeper();
    let_go(sequence);
    ck_assert_uint_eq(count_files("segment-"), 1);
    ck_assert_uint_eq(count_files("spare-"), options.spares_max);
}
END_TEST

START_TEST(entries_that_are_read_are_not_released)
{
    uint64_t first_of_second;

    open_journal();
    start_journal();
    write_segments(2);
    first_of_second = sequence;
    write_segments(3);
    journal_read_after(journal, first_of_second - 2);
    let_go(sequence);
    ck_assert_uint_eq(count_files("segment-"), 3);
    journal_read_after(journal, first_of_second - 1);
    let_go(sequence);
    ck_assert_uint_eq(count_files("segment-"), 2);
    journal_read_after(journal, UINT64_MAX);
    let_go(sequence);
    ck_assert_uint_eq(count_files("segment-"), 1);
}
END_TEST

/* The next start looks through it, as after a kill. */
START_TEST(a_segment_that_is_full_has_no_room_for_the_mark_of_an_end)
{
    struct acta_err err;
    size_t room;

    open_journal();
    start_journal();
    write_entries(1, 1, 10);
    room = journal_room(journal); /* Less what comes before the data. */
    assert_ok(write_entry(1, room - 1000, NULL, &err), &err);
    ck_assert_uint_eq(journal_room(journal), 0);
    journal_end(journal);
    restart();
    ck_assert_uint_eq(sequence, 2);
    write_entries(1, 1, 10);
    restart();
    ck_assert_uint_eq(sequence, 3);
}
END_TEST

/* A segment whose file cannot be removed, since it is no file. */
START_TEST(nothing_is_released_behind_what_cannot_be_removed)
{
    struct acta_err err;
    struct seen seen;
    char aside[512];

    options.spares_max = 0;
    open_journal();
    start_journal();
    write_segments(4);
    snprintf(aside, sizeof(aside), "%s", tempdir_file(&dir, "aside"));
    ck_assert_int_eq(rename(segment_path(1), aside), 0);
    ck_assert_int_eq(mkdir(segment_path(1), 0700), 0);
    ck_assert_int_eq(journal_release(journal, sequence, &err), ACTA_IO);
    ck_assert_uint_eq(count_files("segment-"), 4);
    ck_assert_int_eq(rmdir(segment_path(1)), 0);
    ck_assert_int_eq(rename(aside, segment_path(1)), 0);
    close_journal();
    assert_ok(replay(0, &seen, &err), &err);
    ck_assert_uint_eq(seen.last_sequence, sequence);
    start_journal();
    let_go(sequence);
    ck_assert_uint_eq(count_files("segment-"), 1);
}
END_TEST

START_TEST(what_is_kept_is_given_up_when_it_has_become_too_much)
{
    open_journal();
    start_journal();
    write_segments(3);
    journal_keep_after(journal, 0, 2 * SEGMENT);
    let_go(sequence);
    ck_assert_uint_eq(count_files("segment-"), 3);
    ck_assert(journal_has_after(journal, 0));
    write_segments(4);
    let_go(sequence);
    ck_assert_uint_eq(count_files("segment-"), 1);
    ck_assert(!journal_has_after(journal, 0));
    write_segments(2); /* Nor is anything kept from now on. */
    let_go(sequence);
    ck_assert_uint_eq(count_files("segment-"), 1);
}
END_TEST

START_TEST(entries_that_were_released_and_are_needed_are_missed)
{
    struct acta_err err;
    struct seen seen;

    open_journal();
    start_journal();
    write_entries(40, 1, 60000);
    let_go(30);
    close_journal();
    ck_assert_int_eq(replay(0, &seen, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "are missing"));
}
END_TEST

/* A recycled file is full of whole entries of its former life. */
START_TEST(entries_of_a_files_former_life_are_not_read)
{
    options.spares_max = 8;
    open_journal();
    start_journal();
    write_entries(60, 1, 60000);
    release(sequence);
    for (int i = 0; i < 8; i++) {
        uint64_t before = sequence;

        restart();
        ck_assert_uint_eq(sequence, before);
        write_entries(1, 1, 60000);
    }
}
END_TEST

START_TEST(spares_of_another_size_are_removed)
{
    open_journal();
    start_journal();
    write_entries(40, 1, 60000);
    let_go(sequence);
    close_journal();
    options.segment_size = 2 * SEGMENT;
    options.spares_max = 8;
    open_journal();
    ck_assert_uint_eq(count_files("spare-"), 0);
    ck_assert_uint_eq(journal_size(journal), SEGMENT * count_files("segment-"));
}
END_TEST

static size_t
descriptors_count(void)
{
    DIR *open_ones = opendir("/proc/self/fd");
    size_t count = 0;

    ck_assert_ptr_nonnull(open_ones);
    while (readdir(open_ones) != NULL) {
        count++;
    }
    closedir(open_ones);
    return count;
}

/* Of segments that were made, used again and given up. */
START_TEST(a_journal_that_is_closed_has_no_descriptor_left_open)
{
    size_t before = descriptors_count();

    open_journal();
    start_journal();
    write_entries(40, 1, 200000);
    release(sequence);
    write_entries(40, 1, 200000);
    journal_drop_spares(journal);
    restart();
    close_journal();
    ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

/* ---- failing ---- */

/* Sync number n fails, whichever it is: of a new segment, a spare or an entry.
 * The caller is told, unless it was a spare's, and what had been acknowledged
 * is there.
 */
START_TEST(a_failing_sync_is_told_and_costs_nothing_acknowledged)
{
    enum acta_code code = ACTA_OK;
    struct acta_err err;

    open_journal();
    start_journal();
    atomic_store(&sync_calls, 0);
    atomic_store(&sync_fails_at, _i);
    for (int i = 0; i < 40 && code == ACTA_OK; i++) {
        code = write_entry(1, 60000, NULL, &err);
    }
    close_journal();
    if (code != ACTA_OK) {
        ck_assert(code == ACTA_IO || code == ACTA_FULL);
        ck_assert_ptr_nonnull(strstr(err.text, "sync") != NULL
                                  ? err.text
                                  : strstr(err.text, "space"));
    }
    open_journal();
    {
        struct seen seen = {0};
        uint64_t last;

        assert_ok(journal_replay(journal, 0, see, &seen, &last, &err), &err);
        ck_assert_uint_ge(last, sequence);
        ck_assert_uint_le(last, sequence + 1); /* Its outcome is unknown. */
    }
}
END_TEST

START_TEST(a_sync_that_fails_for_an_entry_is_no_success)
{
    struct acta_err err;

    open_journal();
    start_journal();
    write_entries(1, 1, 10);
    atomic_store(&sync_fails_at, atomic_load(&sync_calls) + 1);
    while (write_entry(1, 10, NULL, &err) == ACTA_OK) {
        /* The keeper's sync came first. */
        atomic_store(&sync_fails_at, atomic_load(&sync_calls) + 1);
    }
    ck_assert_int_eq(err.code, ACTA_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "write journal: sync"));
    close_journal();
}
END_TEST

/* Files of a few pages at most stand for a full disk: nothing is written, the
 * caller is told, and goes on when there is room.
 */
START_TEST(a_full_disk_is_told_before_anything_is_written)
{
    struct rlimit small = {.rlim_cur = SEGMENT / 2, .rlim_max = RLIM_INFINITY};
    struct rlimit large = {.rlim_cur = RLIM_INFINITY,
                           .rlim_max = RLIM_INFINITY};
    struct acta_err err;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    open_journal();
    start_journal();
    ck_assert_int_eq(write_entry(1, 10, NULL, &err), ACTA_FULL);
    ck_assert_int_eq(write_entry(1, 2 * SEGMENT, NULL, &err), ACTA_FULL);
    ck_assert_uint_eq(sequence, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
    while (write_entry(1, 10, NULL, &err) != ACTA_OK) {
        ck_assert_int_eq(err.code, ACTA_FULL);
        sched_yield(); /* Until the keeper tries again. */
    }
    write_entries(40, 1, 60000);
    close_journal();
    assert_replays(0, 41);
}
END_TEST

/* ---- at random ---- */

START_TEST(random_lives_lose_nothing)
{
    struct rnd rnd;

    rnd_init(&rnd);
    open_journal();
    start_journal();
    for (unsigned i = 0; i < rnd_effort(30, 1000); i++) {
        uint64_t before;

        for (uint64_t e = rnd_below(&rnd, 10); e > 0; e--) {
            size_t size_max = rnd_once_in(&rnd, 20) ? 2 * SEGMENT : 20000;

            write_entries(1, rnd_below(&rnd, 4), rnd_below(&rnd, size_max));
        }
        before = sequence;
        if (rnd_once_in(&rnd, 3)) {
            release(released + rnd_below(&rnd, before - released + 1));
        }
        if (rnd_once_in(&rnd, 3)) {
            restart();
        }
        ck_assert_uint_eq(sequence, before);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("journal");
    TCase *entries = tcase_create("entries");
    TCase *recycling = tcase_create("recycling");
    TCase *failing = tcase_create("failing");

    suite_add_tcase(suite, entries);
    tcase_add_checked_fixture(entries, setup, teardown);
    tcase_add_test(entries, entries_come_back_in_order_and_whole);
    tcase_add_test(entries, an_empty_journal_has_nothing_to_replay);
    tcase_add_test(entries, who_has_all_entries_sees_none);
    tcase_add_test(entries, a_visit_that_fails_ends_the_replay);
    tcase_add_test(entries, a_journal_without_segments_has_kept_nothing);
    tcase_add_test(entries, a_full_segment_goes_without_its_end);
    tcase_add_test(entries, files_of_other_names_are_left_alone);
    tcase_add_test(entries, a_directory_has_to_leave_room_for_names);
    tcase_add_test(entries, entries_of_every_size_around_a_page_come_back);
    tcase_add_test(entries, an_entry_larger_than_a_segment_gets_one_of_its_own);
    tcase_add_test(entries, segments_follow_one_another_over_restarts);
    tcase_add_test(entries,
                   what_is_reserved_can_be_written_without_another_segment);
    tcase_add_test(entries, random_lives_lose_nothing);

    suite_add_tcase(suite, recycling);
    tcase_add_checked_fixture(recycling, setup, teardown);
    tcase_add_test(recycling, released_segments_are_used_again);
    tcase_add_test(recycling, spares_are_given_up_when_space_is_short);
    tcase_add_test(recycling,
                   a_segment_that_is_full_has_no_room_for_the_mark_of_an_end);
    tcase_add_test(recycling,
                   a_segment_is_kept_as_long_as_one_entry_of_it_is_needed);
    tcase_add_test(recycling,
                   as_many_released_segments_are_kept_as_spares_as_are_wanted);
    tcase_add_test(recycling, entries_that_are_read_are_not_released);
    tcase_add_test(recycling,
                   nothing_is_released_behind_what_cannot_be_removed);
    tcase_add_test(recycling,
                   what_is_kept_is_given_up_when_it_has_become_too_much);
    tcase_add_test(recycling,
                   entries_that_were_released_and_are_needed_are_missed);
    tcase_add_test(recycling, entries_of_a_files_former_life_are_not_read);
    tcase_add_test(recycling, spares_of_another_size_are_removed);
    tcase_add_test(recycling,
                   a_journal_that_is_closed_has_no_descriptor_left_open);

    suite_add_tcase(suite, failing);
    tcase_add_checked_fixture(failing, setup, teardown);
    tcase_add_loop_test(
        failing, a_failing_sync_is_told_and_costs_nothing_acknowledged, 1, 30);
    tcase_add_test(failing, a_sync_that_fails_for_an_entry_is_no_success);
    tcase_add_test(failing, a_full_disk_is_told_before_anything_is_written);
    return run_suite(suite);
}
