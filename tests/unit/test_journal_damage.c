/* Journals that were cut, changed or mixed up. */

#include "journal_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "checksum.h"
#include "core.h"
#include "file.h"
#include "run.h"
#include "segment.h"

#define SECTOR 512

/* ---- torn ---- */

/* The last entry got as far as some sector, or some sectors of it did not get
 * there at all: it never was.
 */
START_TEST(a_last_entry_torn_at_any_sector_was_never_there)
{
    uint8_t *whole;
    size_t size, from, used, to;

    open_journal();
    start_journal();
    write_entries(2, 1, 2000);
    write_entries(1, 2, 9000);
    close_journal();
    whole = read_segment(1, &size);
    from = SEGMENT_HEADER_SIZE + 2 * 4096;
    used = from + SEGMENT_ENTRY_SIZE + get_u32(whole + from + 40);
    to = segment_round(used);
    for (size_t cut = from; cut < to; cut += SECTOR) {
        static const uint8_t zeros[32768];
        bool is_part = cut < used;

        /* All from here on is missing. */
        change_segment(1, cut, zeros, to - cut);
        assert_replays(0, is_part ? 2 : 3);
        change_segment(1, cut, whole + cut, to - cut);

        /* Only this sector is. */
        change_segment(1, cut, zeros, SECTOR);
        assert_replays(0, is_part ? 2 : 3);
        change_segment(1, cut, whole + cut, SECTOR);
    }
    assert_replays(0, 3);
    free(whole);
}
END_TEST

START_TEST(the_next_start_goes_on_behind_a_torn_entry)
{
    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    flip(1, SEGMENT_HEADER_SIZE + 2 * 4096 + 100);
    restart();
    ck_assert_uint_eq(sequence, 2);
    write_entries(4, 1, 2000);
    restart();
    ck_assert_uint_eq(sequence, 6);
}
END_TEST

/* ---- damaged ---- */

START_TEST(damage_before_a_whole_entry_is_reported_with_its_place)
{
    char text[60];

    open_journal();
    start_journal();
    write_entries(5, 1, 2000);
    close_journal();
    for (uint64_t e = 0; e < 4; e++) {
        size_t at = SEGMENT_HEADER_SIZE + 4096 * (size_t)e;

        snprintf(text, sizeof(text), "entry %" PRIu64 " at offset %zu", e + 1,
                 at);
        for (size_t offset = 0; offset < 2100; offset += 97) {
            flip(1, at + offset);
            assert_refuses(ACTA_CORRUPT, text);
            flip(1, at + offset);
        }
    }
    assert_replays(0, 5);
}
END_TEST

/* With a mark behind it the last entry with events is known to have been
 * acknowledged.
 */
START_TEST(damage_before_a_mark_is_reported)
{
    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    write_entries(1, 0, 0);
    close_journal();
    flip(1, SEGMENT_HEADER_SIZE + 2 * 4096 + 500);
    assert_refuses(ACTA_CORRUPT, "entry 3 at offset");
}
END_TEST

/* A copy of an entry further on is what a start after a kill looks for. After a
 * clean stop it does not look: the end is where the end is.
 */
START_TEST(nothing_is_looked_for_behind_the_end_of_a_clean_stop)
{
    size_t copy_at = SEGMENT_HEADER_SIZE + 9 * 4096, size;
    bool clean = _i == 1;
    uint8_t *segment;

    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    if (clean) {
        journal_end(journal);
    }
    close_journal();
    segment = read_segment(1, &size);
    change_segment(1, copy_at, segment + SEGMENT_HEADER_SIZE, 4096);
    free(segment);
    if (clean) {
        assert_replays(0, 3);
        restart();
        ck_assert_uint_eq(sequence, 3);
    } else {
        assert_refuses(ACTA_CORRUPT, "a whole one follows");
    }
}
END_TEST

START_TEST(damage_before_the_end_of_a_clean_stop_is_reported)
{
    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    journal_end(journal);
    close_journal();
    flip(1, SEGMENT_HEADER_SIZE + 2 * 4096 + 500);
    assert_refuses(ACTA_CORRUPT, "entry 3 at offset");
}
END_TEST

START_TEST(damage_at_the_end_of_a_segment_before_another_is_reported)
{
    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    restart();
    write_entries(3, 1, 2000);
    close_journal();
    flip(1, SEGMENT_HEADER_SIZE + 2 * 4096 + 500);
    assert_refuses(ACTA_CORRUPT, "entry 3 at offset");
}
END_TEST

/* Three segments of one entry each. */
static void
write_three_segments(void)
{
    open_journal();
    start_journal();
    write_entries(1, 1, 100);
    for (int i = 0; i < 2; i++) {
        restart();
        write_entries(1, 1, 100);
    }
    close_journal();
}

START_TEST(a_segment_that_is_missing_is_reported)
{
    static const char *const texts[] = {"entries 1 to 1 are missing",
                                        "segment 0000000000000002 is missing"};

    write_three_segments();
    ck_assert_int_eq(unlink(segment_path((uint64_t)_i + 1)), 0);
    assert_refuses(ACTA_CORRUPT, texts[_i]);
}
END_TEST

START_TEST(a_journal_without_segments_behind_a_store_is_reported)
{
    struct acta_err err;
    struct seen seen;

    ck_assert_int_eq(replay(5, &seen, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "there is no segment"));
}
END_TEST

START_TEST(segments_that_changed_names_are_reported)
{
    char first[300], second[300], other[300];

    write_three_segments();
    snprintf(first, sizeof(first), "%s", segment_path(1));
    snprintf(second, sizeof(second), "%s", segment_path(2));
    snprintf(other, sizeof(other), "%s", tempdir_file(&dir, "other"));
    ck_assert_int_eq(rename(first, other), 0);
    ck_assert_int_eq(rename(second, first), 0);
    ck_assert_int_eq(rename(other, second), 0);
    assert_refuses(ACTA_CORRUPT, "it says that its number is");
}
END_TEST

START_TEST(a_segment_of_another_database_is_reported)
{
    write_three_segments();
    options.id = draft_id(2);
    assert_refuses(ACTA_CORRUPT, "it is of another database");
}
END_TEST

/* Change the header of segment 1, with its checksum made right again. */
static void
change_header(size_t offset, const void *bytes, size_t size)
{
    size_t segment_size;
    uint8_t *segment = read_segment(1, &segment_size);

    memcpy(segment + offset, bytes, size);
    put_u32(segment + 12, checksum_of(segment + 16, 64));
    change_segment(1, 0, segment, SEGMENT_HEADER_SIZE);
    free(segment);
}

START_TEST(a_segment_of_a_newer_version_is_not_taken_for_damage)
{
    static const uint8_t newer[] = {SEGMENT_VERSION + 1, 0, 0, 0};

    write_three_segments();
    change_header(8, newer, sizeof(newer));
    assert_refuses(ACTA_UNSUPPORTED, "it has format version 4");
}
END_TEST

START_TEST(a_file_that_is_no_segment_is_reported)
{
    write_three_segments();
    change_header(0, "ACTAJNL9", 8);
    assert_refuses(ACTA_CORRUPT, "it is no journal segment");
}
END_TEST

START_TEST(every_flipped_bit_of_a_segments_header_is_found)
{
    write_three_segments();
    for (size_t bit = 0; bit < 8 * 72; bit++) {
        uint8_t header[SEGMENT_HEADER_SIZE], *whole;
        struct segment_header decoded;
        size_t size;

        whole = read_segment(1, &size);
        memcpy(header, whole, sizeof(header));
        free(whole);
        header[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(segment_decode_header(&decoded, header, NULL),
                         ACTA_OK);
    }
}
END_TEST

START_TEST(a_segment_that_was_cut_is_reported)
{
    static const off_t sizes[] = {0, 100, 4096, SEGMENT - 1};

    write_three_segments();
    ck_assert_int_eq(truncate(segment_path(2), sizes[_i]), 0);
    assert_refuses(ACTA_CORRUPT, "bytes");
}
END_TEST

#define FORGED_SIZE (4 * (size_t)4096)

/* Where the data of the entry at @offset of segment 1 begin, which are made of
 * @byte.
 */
static size_t
find_data(size_t offset, uint8_t byte)
{
    uint8_t run[32];
    uint8_t *segment, *found;
    size_t size;

    memset(run, byte, sizeof(run));
    segment = read_segment(1, &size);
    found = memmem(segment + offset, size - offset, run, sizeof(run));
    ck_assert_ptr_nonnull(found);
    size = (size_t)(found - segment);
    free(segment);
    return size;
}

/* Data that look like entries wherever entries may begin. The entry that has
 * them is torn: whoever took them for a whole one would see damage. Nobody can
 * know the salt; with it, to show that the forgery is a good one, they are.
 */
START_TEST(data_of_events_are_never_taken_for_entries)
{
    struct journal_entry forged = {.sequence = 3, .first_position = 3};
    uint64_t salts[] = {0, UINT64_MAX, 0};
    uint8_t *data = calloc(1, FORGED_SIZE);
    size_t entry_at, data_at, size;
    struct acta_err err;
    uint8_t *segment;

    open_journal();
    start_journal();
    write_entries(1, 1, FORGED_SIZE); /* Of the same shape. */
    data_at = find_data(SEGMENT_HEADER_SIZE, 1) % 4096;
    segment = read_segment(1, &size);
    salts[2] = get_u64(segment + 32);
    entry_at = SEGMENT_HEADER_SIZE + /* Behind the first. */
               journal_entry_size(get_u32(segment + SEGMENT_HEADER_SIZE + 40));
    free(segment);
    for (size_t at = 4096 - data_at; at + 64 <= FORGED_SIZE; at += 4096) {
        segment_encode_entry(data + at, salts[_i], &forged);
    }
    assert_ok(write_entry(1, FORGED_SIZE, data, &err), &err);
    close_journal();
    flip(1, entry_at + 70); /* In the block's front. */
    if (_i < 2) {
        assert_replays(0, 1);
    } else {
        assert_refuses(ACTA_CORRUPT, "a whole one follows");
    }
    free(data);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("journal damage");
    TCase *damage = tcase_create("damage");

    suite_add_tcase(suite, damage);
    tcase_add_checked_fixture(damage, setup, teardown);
    tcase_add_test(damage, a_last_entry_torn_at_any_sector_was_never_there);
    tcase_add_test(damage, the_next_start_goes_on_behind_a_torn_entry);
    tcase_add_test(damage,
                   damage_before_a_whole_entry_is_reported_with_its_place);
    tcase_add_test(damage, damage_before_a_mark_is_reported);
    tcase_add_loop_test(
        damage, nothing_is_looked_for_behind_the_end_of_a_clean_stop, 0, 2);
    tcase_add_test(damage, damage_before_the_end_of_a_clean_stop_is_reported);
    tcase_add_test(damage,
                   damage_at_the_end_of_a_segment_before_another_is_reported);
    tcase_add_loop_test(damage, a_segment_that_is_missing_is_reported, 0, 2);
    tcase_add_test(damage,
                   a_journal_without_segments_behind_a_store_is_reported);
    tcase_add_test(damage, segments_that_changed_names_are_reported);
    tcase_add_test(damage, a_segment_of_another_database_is_reported);
    tcase_add_test(damage,
                   a_segment_of_a_newer_version_is_not_taken_for_damage);
    tcase_add_test(damage, a_file_that_is_no_segment_is_reported);
    tcase_add_test(damage, every_flipped_bit_of_a_segments_header_is_found);
    tcase_add_loop_test(damage, a_segment_that_was_cut_is_reported, 0, 4);
    tcase_add_loop_test(damage, data_of_events_are_never_taken_for_entries, 0,
                        3);
    return run_suite(suite);
}
