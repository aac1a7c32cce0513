#include "block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"
#include "core.h"
#include "hex.h"
#include "run.h"

#define FIRST 41 /* Position of the first record. */
#define COUNT 3

static struct buf content;
static uint8_t *records[COUNT];
static struct block_record of[COUNT];
static uint8_t *bytes; /* The block of them. */
static size_t size;

static void
make_record(size_t index)
{
    struct draft draft = {.id = index + 1, .data = slice_of("some data")};
    struct event event;

    draft_event(&event, &content, "a-1", &draft);
    event.position = FIRST + index;
    event.version = index + 1;
    event.time_us = CORE_TIME_US;
    of[index].size = (uint32_t)event_record_size(&event);
    records[index] = malloc(of[index].size);
    event_write_record(records[index], &event);
    of[index].data = records[index];
    of[index].checksum = checksum_of(records[index], of[index].size);
}

static void
setup(void)
{
    struct block_writer writer;
    size_t records_size = 0;

    buf_init(&content, 1000);
    for (size_t i = 0; i < COUNT; i++) {
        make_record(i);
        records_size += of[i].size;
    }
    size = block_size(COUNT, records_size);
    bytes = malloc(size);
    block_writer_init(&writer, bytes, FIRST, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        block_writer_add(&writer, &of[i]);
    }
    ck_assert_ptr_eq(block_writer_end(&writer), bytes + size);
}

static void
teardown(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        free(records[i]);
    }
    free(bytes);
    buf_fini(&content);
}

static enum acta_code
open_as(struct block *block, size_t given)
{
    return block_open(block, slice_make(bytes, given), NULL);
}

START_TEST(every_record_comes_back_as_it_was)
{
    struct block block;

    ck_assert_int_eq(open_as(&block, size), ACTA_OK);
    ck_assert_uint_eq(block.first_position, FIRST);
    ck_assert_uint_eq(block.count, COUNT);
    ck_assert_uint_eq(block.size, size);
    ck_assert_uint_eq(block_end(&block), FIRST + COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        struct block_record got;

        ck_assert_int_eq(block_get(&block, FIRST + i, &got, NULL), ACTA_OK);
        ck_assert_uint_eq(got.checksum, of[i].checksum);
        assert_slice_eq(slice_make(got.data, got.size),
                        slice_make(of[i].data, of[i].size));
    }
}
END_TEST

/* The bytes, as STORAGE.md tells them. */
START_TEST(a_block_is_a_header_a_directory_and_the_records)
{
    uint32_t end = 0;

    ck_assert_uint_eq(get_u64(bytes), FIRST);
    ck_assert_uint_eq(get_u32(bytes + 8), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        end += of[i].size;
        ck_assert_uint_eq(get_u32(bytes + 16 + 8 * i), end);
        ck_assert_uint_eq(get_u32(bytes + 16 + 8 * i + 4), of[i].checksum);
    }
    ck_assert_uint_eq(16 + 8 * COUNT + end, size);
    ck_assert_uint_eq(get_u32(bytes + 12),
                      checksum_extend(checksum_of(bytes, 12), bytes + 16,
                                      sizeof(uint64_t) * COUNT));
}
END_TEST

START_TEST(bytes_behind_a_block_do_not_matter)
{
    struct block block;

    bytes = realloc(bytes, size + 100);
    memset(bytes + size, 0xff, 100);
    ck_assert_int_eq(open_as(&block, size + 100), ACTA_OK);
    ck_assert_uint_eq(block.size, size);
}
END_TEST

START_TEST(a_block_that_is_cut_anywhere_is_refused)
{
    for (size_t given = 0; given < size; given++) {
        uint8_t *exact = malloc(given + 1); /* For the address sanitizer. */
        struct block block;

        memcpy(exact, bytes, given);
        ck_assert_int_eq(block_open(&block, slice_make(exact, given), NULL),
                         ACTA_CORRUPT);
        free(exact);
    }
}
END_TEST

/* A flipped bit costs the block, or the one record that it is in, whose
 * position is then named; the others are served.
 */
START_TEST(every_flipped_bit_is_found_and_costs_only_what_it_is_in)
{
    size_t records_at = 16 + 8 * COUNT;

    for (size_t bit = 0; bit < 8 * size; bit++) {
        size_t damaged = 0;
        struct block block;
        enum acta_code code;

        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        code = open_as(&block, size);
        ck_assert_int_eq(code, bit / 8 < records_at ? ACTA_CORRUPT : ACTA_OK);
        for (size_t i = 0; code == ACTA_OK && i < COUNT; i++) {
            struct block_record got;
            struct acta_err err;

            if (block_get(&block, FIRST + i, &got, &err) != ACTA_OK) {
                char text[60];

                snprintf(text, sizeof(text), "event at position %zu",
                         FIRST + i);
                ck_assert_ptr_nonnull(strstr(err.text, text));
                ck_assert_int_eq(err.code, ACTA_CORRUPT);
                damaged++;
            }
        }
        ck_assert_uint_eq(damaged, code == ACTA_OK);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

START_TEST(a_run_has_what_comes_before_a_damaged_record)
{
    struct block_record run[COUNT], again[COUNT];
    struct block block;
    size_t found;

    ck_assert_int_eq(open_as(&block, size), ACTA_OK);
    ck_assert_int_eq(block_get_run(&block, FIRST, COUNT, run, &found, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(found, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t *damaged = bytes + (run[i].data - bytes) + run[i].size / 2;
        size_t before;

        *damaged ^= 1;
        ck_assert_int_eq(
            block_get_run(&block, FIRST, COUNT, again, &before, NULL),
            ACTA_CORRUPT);
        ck_assert_uint_eq(before, i);
        for (size_t j = 0; j < before; j++) {
            assert_slice_eq(slice_make(again[j].data, again[j].size),
                            slice_make(of[j].data, of[j].size));
        }
        ck_assert_int_eq(block_get_run(&block, FIRST + i + 1, COUNT - i - 1,
                                       again, &found, NULL),
                         ACTA_OK);
        ck_assert_uint_eq(found, COUNT - i - 1);
        *damaged ^= 1;
        ck_assert_int_eq(block_get(&block, FIRST + i, &again[i], NULL),
                         ACTA_OK);
    }
}
END_TEST

/* Right checksums do not make it the right record. */
START_TEST(a_whole_record_in_the_place_of_another_is_found)
{
    struct block_record swapped[COUNT] = {of[1], of[0], of[2]};
    struct block_record got;
    struct block_writer writer;
    struct block block;

    block_writer_init(&writer, bytes, FIRST, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        block_writer_add(&writer, &swapped[i]);
    }
    block_writer_end(&writer);
    ck_assert_int_eq(open_as(&block, size), ACTA_OK);
    ck_assert_int_eq(block_get(&block, FIRST, &got, NULL), ACTA_CORRUPT);
    ck_assert_int_eq(block_get(&block, FIRST + 1, &got, NULL), ACTA_CORRUPT);
    ck_assert_int_eq(block_get(&block, FIRST + 2, &got, NULL), ACTA_OK);
}
END_TEST

static void
seal_directory(void)
{
    put_u32(bytes + 12, checksum_extend(checksum_of(bytes, 12), bytes + 16,
                                        sizeof(uint64_t) * COUNT));
}

/* A checksum is no proof: whoever can write to the disk can make one. */
START_TEST(a_directory_that_makes_no_sense_is_refused_not_followed)
{
    static const uint32_t ends[] = {0xfffffff0, 1u << 30, 0};
    struct block_record run[COUNT], got;
    struct block block;
    size_t found;

    put_u32(bytes + 16 + 8, ends[_i]); /* The end of the second. */
    seal_directory();
    ck_assert_int_eq(open_as(&block, size), ACTA_OK);
    ck_assert_int_eq(block_get(&block, FIRST, &got, NULL), ACTA_OK);
    ck_assert(!block_find(&block, FIRST + 1, &got));
    ck_assert_int_eq(block_get(&block, FIRST + 1, &got, NULL), ACTA_CORRUPT);
    ck_assert_int_eq(block_get(&block, FIRST + 2, &got, NULL), ACTA_CORRUPT);
    ck_assert_int_eq(block_get_run(&block, FIRST, COUNT, run, &found, NULL),
                     ACTA_CORRUPT);
    ck_assert_uint_eq(found, 1);
}
END_TEST

START_TEST(a_count_that_cannot_be_is_refused)
{
    static const uint32_t counts[] = {0, COUNT + 100, UINT32_MAX};
    struct block block;

    put_u32(bytes + 8, counts[_i]);
    seal_directory();
    ck_assert_int_eq(open_as(&block, size), ACTA_CORRUPT);
}
END_TEST

/* ---- one record of many blocks ---- */

static bool
pick(size_t index, const uint8_t *from, size_t given, struct block_record *got)
{
    return block_pick(slice_make(from, given), FIRST, FIRST + index, got) &&
           block_check(got, FIRST + index, NULL) == ACTA_OK;
}

START_TEST(every_record_is_picked_without_the_others)
{
    struct slice all = slice_make(bytes, size);
    struct block_record got;

    ck_assert_uint_eq(block_count(all), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        block_fetch(all, FIRST, FIRST + i);
        ck_assert(block_has(all, FIRST, FIRST + i));
        ck_assert(pick(i, bytes, size, &got));
        assert_slice_eq(slice_make(got.data, got.size),
                        slice_make(of[i].data, of[i].size));
    }
    ck_assert(!block_has(all, FIRST, FIRST - 1));
    ck_assert(!block_has(all, FIRST, FIRST + COUNT));
    ck_assert(!block_has(all, FIRST + 1, FIRST + 1));
    ck_assert(!block_pick(all, FIRST, FIRST - 1, &got));
    ck_assert(!block_pick(all, FIRST, FIRST + COUNT, &got));
    ck_assert(!block_pick(all, FIRST + 1, FIRST + 1, &got));
}
END_TEST

START_TEST(a_record_is_picked_if_the_block_was_cut_behind_it)
{
    size_t ends[COUNT], end = 16 + 8 * COUNT;

    for (size_t i = 0; i < COUNT; i++) {
        ends[i] = end += of[i].size;
    }
    for (size_t given = 0; given < size; given++) {
        uint8_t *exact = malloc(given + 1); /* For the address sanitizer. */

        memcpy(exact, bytes, given);
        for (size_t i = 0; i < COUNT; i++) {
            struct block_record got;

            ck_assert_int_eq(pick(i, exact, given, &got), given >= ends[i]);
        }
        free(exact);
    }
}
END_TEST

/* A flipped bit costs a record if it is in the front of the block, in what the
 * directory says of the record, or in the record, and none if it is elsewhere.
 */
START_TEST(what_is_picked_is_never_another_record_and_no_more_is_lost)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        size_t at = bit / 8, start = 16 + 8 * COUNT;

        bytes[at] ^= (uint8_t)(1u << bit % 8);
        for (size_t i = 0; i < COUNT; i++) {
            size_t entry = 16 + 8 * i;
            bool is_hurt = at < 12 || (at >= entry && at < entry + 8) ||
                           (i > 0 && at >= entry - 8 && at < entry - 4) ||
                           (at >= start && at < start + of[i].size);
            struct block_record got;

            ck_assert_int_eq(pick(i, bytes, size, &got), !is_hurt);
            start += of[i].size;
        }
        bytes[at] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("block");
    TCase *tcase = tcase_create("block");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_record_comes_back_as_it_was);
    tcase_add_test(tcase, a_block_is_a_header_a_directory_and_the_records);
    tcase_add_test(tcase, bytes_behind_a_block_do_not_matter);
    tcase_add_test(tcase, a_block_that_is_cut_anywhere_is_refused);
    tcase_add_test(tcase,
                   every_flipped_bit_is_found_and_costs_only_what_it_is_in);
    tcase_add_test(tcase, a_run_has_what_comes_before_a_damaged_record);
    tcase_add_test(tcase, a_whole_record_in_the_place_of_another_is_found);
    tcase_add_loop_test(
        tcase, a_directory_that_makes_no_sense_is_refused_not_followed, 0, 3);
    tcase_add_loop_test(tcase, a_count_that_cannot_be_is_refused, 0, 3);
    tcase_add_test(tcase, every_record_is_picked_without_the_others);
    tcase_add_test(tcase, a_record_is_picked_if_the_block_was_cut_behind_it);
    tcase_add_test(tcase,
                   what_is_picked_is_never_another_record_and_no_more_is_lost);
    return run_suite(suite);
}
