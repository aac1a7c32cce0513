/* Entries are read beside the writer, in pieces, and what must be there and is
 * not is told of.
 */

#include "journal_cursor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "bytes.h"
#include "core.h"
#include "journal_fixture.h"
#include "run.h"
#include "segment.h"

#define ENTRIES 6
#define SIZE    2000 /* Of an event: an entry of one takes a block. */

static struct buf out;
static struct acta_err err;

static void
begin(void)
{
    buf_init(&out, SIZE_MAX);
    open_journal();
    start_journal();
}

static void
end(void)
{
    close_journal();
    buf_fini(&out);
}

/* Read what there is behind @after, so many bytes at a time. */
static enum acta_code
read_behind(uint64_t after, size_t piece, uint64_t *done)
{
    struct journal_cursor *cursor = journal_cursor_open(journal, after);
    enum acta_code code = ACTA_OK;

    ck_assert_ptr_nonnull(cursor);
    buf_clear(&out);
    while (code == ACTA_OK && journal_cursor_done(cursor) < sequence) {
        size_t before = buf_size(&out);

        code = journal_cursor_read(cursor, sequence, piece, &out, &err);
        ck_assert_uint_le(buf_size(&out), before + piece);
    }
    *done = journal_cursor_done(cursor);
    journal_cursor_close(cursor);
    return code;
}

/* Entries from @first on, each whole and behind the other. */
static void
assert_entries(uint64_t first)
{
    uint64_t due_position = 0;
    uint64_t due = first;

    while (buf_size(&out) > 0) {
        const uint8_t *at = buf_slice(&out).data;
        size_t size;

        ck_assert_uint_ge(buf_size(&out), JOURNAL_CURSOR_HEADER);
        ck_assert_uint_eq(get_u64(at), due);
        if (due > first || due == 1) {
            ck_assert_uint_eq(get_u64(at + 8), due > first ? due_position : 1);
        }
        ck_assert_uint_eq(get_u64(at + 16), CORE_TIME_US + due - 1);
        size = JOURNAL_CURSOR_HEADER + get_u32(at + 24) + get_u32(at + 28);
        ck_assert_uint_ge(buf_size(&out), size);
        due_position = get_u64(at + 8) +
                       block_count(slice_make(at + JOURNAL_CURSOR_HEADER,
                                              size - JOURNAL_CURSOR_HEADER));
        buf_consume(&out, size);
        due++;
    }
    ck_assert_uint_eq(due, sequence + 1);
}

static void
assert_missing(uint64_t after, uint64_t entry)
{
    char text[60];
    uint64_t done;

    snprintf(text, sizeof(text), "entry %ju is damaged or missing",
             (uintmax_t)entry);
    ck_assert_int_eq(read_behind(after, 1000, &done), ACTA_CORRUPT);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    ck_assert_uint_eq(done, entry - 1);
}

/* ---- tests ---- */

START_TEST(entries_come_whole_in_pieces_of_any_size)
{
    static const size_t pieces[] = {31, 33, 1000, 1 << 20};
    uint64_t done;

    begin();
    write_entries(ENTRIES, 1, SIZE);
    write_entries(2, 40, 7000); /* With what takes segments of its own. */
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        for (uint64_t after = 0; after < sequence; after += 3) {
            assert_ok(read_behind(after, pieces[i], &done), &err);
            ck_assert_uint_eq(done, sequence);
            assert_entries(after + 1);
        }
    }
    end();
}
END_TEST

START_TEST(an_entry_whose_header_is_damaged_is_missing)
{
    begin();
    write_entries(ENTRIES, 1, SIZE);
    for (uint64_t e = 1; e <= ENTRIES; e++) {
        size_t at = SEGMENT_HEADER_SIZE + 4096 * ((size_t)e - 1);

        flip(1, at + 9);
        assert_missing(0, e);
        assert_missing(e - 1, e);
        flip(1, at + 9);
    }
    end();
}
END_TEST

START_TEST(entries_of_a_file_that_is_cut_short_are_missing)
{
    begin();
    write_entries(ENTRIES, 1, SIZE);
    ck_assert_int_eq(
        truncate(segment_path(1), SEGMENT_HEADER_SIZE + 2 * 4096 + 100), 0);
    assert_missing(0, 3); /* Its header is there, and its end is not. */
    assert_missing(3, 4);
    end();
}
END_TEST

START_TEST(what_was_released_is_missing)
{
    begin();
    write_entries(20, 20, 7000);
    release(sequence - 1);
    assert_missing(0, 1);
    end();
}
END_TEST

START_TEST(a_segment_that_cannot_be_opened_is_told_of)
{
    uint64_t done;

    begin();
    write_entries(ENTRIES, 1, SIZE);
    ck_assert_int_eq(unlink(segment_path(1)), 0);
    ck_assert_int_eq(read_behind(0, 1000, &done), ACTA_IO);
    ck_assert_uint_eq(done, 0);
    end();
}
END_TEST

START_TEST(what_is_wanted_may_lie_behind_many_others)
{
    uint64_t done;

    options.segment_size = 2 * SEGMENT;
    begin();
    write_entries(300, 0, 0);
    ck_assert_int_eq(read_behind(299, 1000, &done), ACTA_OK);
    ck_assert_uint_eq(done, 300);
    assert_entries(300);
    end();
}
END_TEST

/* Behind the word of a clean stop, and behind the last block of a file. */
START_TEST(what_was_never_written_is_missing)
{
    begin();
    write_entries(2, 1, SIZE);
    journal_end(journal);
    sequence++;
    assert_missing(0, 3);
    end();
    teardown();

    setup();
    begin();
    write_entries((SEGMENT - SEGMENT_HEADER_SIZE) / SEGMENT_ALIGNMENT, 0, 0);
    sequence++;
    assert_missing(sequence - 2, sequence);
    end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("journal_cursor");
    TCase *tcase = tcase_create("journal_cursor");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, entries_come_whole_in_pieces_of_any_size);
    tcase_add_test(tcase, an_entry_whose_header_is_damaged_is_missing);
    tcase_add_test(tcase, entries_of_a_file_that_is_cut_short_are_missing);
    tcase_add_test(tcase, what_was_released_is_missing);
    tcase_add_test(tcase, what_is_wanted_may_lie_behind_many_others);
    tcase_add_test(tcase, what_was_never_written_is_missing);
    tcase_add_test(tcase, a_segment_that_cannot_be_opened_is_told_of);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
