#include "buf.h"

#include <stdlib.h>

#include "alloc.h"
#include "hex.h"
#include "rnd.h"
#include "run.h"

static struct buf buf;

static void
setup(void)
{
    alloc_reset();
    buf_init(&buf, 1000);
}

static void
teardown(void)
{
    buf_fini(&buf);
}

static void
append_text(const char *text)
{
    buf_append(&buf, text, strlen(text));
}

static void
assert_holds(const char *text)
{
    ck_assert(!buf_failed(&buf));
    ck_assert_uint_eq(buf_size(&buf), strlen(text));
    assert_slice_eq(buf_slice(&buf), slice_of(text));
}

START_TEST(new_buf_is_empty_and_has_allocated_nothing)
{
    ck_assert_uint_eq(buf_size(&buf), 0);
    ck_assert_uint_eq(buf_slice(&buf).size, 0);
    ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(zeroed_buf_takes_nothing)
{
    struct buf zero = {0};

    buf_append(&zero, NULL, 0);
    ck_assert(!buf_failed(&zero));
    buf_append(&zero, "a", 1);
    ck_assert(buf_failed(&zero));
    buf_fini(&zero);
}
END_TEST

START_TEST(appended_bytes_come_one_behind_the_other)
{
    append_text("order");
    buf_append(&buf, NULL, 0);
    buf_append_slice(&buf, slice_of("-42"));
    assert_holds("order-42");
}
END_TEST

START_TEST(the_maximum_is_the_last_size_that_fits)
{
    static const uint8_t bytes[1001];

    buf_append(&buf, bytes, 1000);
    ck_assert(!buf_failed(&buf));
    buf_append(&buf, bytes, 1);
    ck_assert(buf_failed(&buf));

    buf_clear(&buf);
    buf_append(&buf, bytes, 1001);
    ck_assert(buf_failed(&buf));
    ck_assert_uint_eq(buf_size(&buf), 0);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
    append_text("x");
    ck_assert_ptr_null(buf_reserve(&buf, SIZE_MAX));
    ck_assert(buf_failed(&buf));

    buf_fini(&buf);
    buf_init(&buf, SIZE_MAX);
    append_text("x");
    ck_assert_ptr_null(buf_reserve(&buf, SIZE_MAX));
    ck_assert(buf_failed(&buf));
}
END_TEST

/* The size is within the maximum, so that it is memory that lacks. */
START_TEST(growing_to_nearly_all_that_a_size_can_say_ends)
{
    uint8_t *room;

    buf_fini(&buf);
    buf_init(&buf, SIZE_MAX);
    append_text("x");
    alloc_fail_after = 0;
    room = buf_reserve(&buf, SIZE_MAX - 1);
    alloc_reset();
    ck_assert_ptr_null(room);
    ck_assert(buf_failed(&buf));
}
END_TEST

START_TEST(failed_buf_ignores_writes_until_it_is_cleared)
{
    append_text("kept");
    ck_assert_int_eq(buf_failure(&buf), ACTA_OK);
    buf_reserve(&buf, 2000);
    ck_assert_int_eq(buf_failure(&buf), ACTA_TOO_LARGE);
    append_text("lost");
    buf_patch(&buf, 0, "K", 1);
    ck_assert_uint_eq(buf_size(&buf), 4);
    assert_slice_eq(buf_slice(&buf), slice_of("kept"));

    buf_clear(&buf);
    ck_assert_int_eq(buf_failure(&buf), ACTA_OK);
    append_text("new");
    assert_holds("new");
}
END_TEST

START_TEST(missing_memory_fails_the_buf_and_loses_nothing)
{
    append_text("kept");
    alloc_fail_after = 0;
    ck_assert_ptr_null(buf_reserve(&buf, 900));
    ck_assert(buf_failed(&buf));
    ck_assert_int_eq(buf_failure(&buf), ACTA_MEMORY);
    assert_slice_eq(buf_slice(&buf), slice_of("kept"));
}
END_TEST

START_TEST(reserved_bytes_count_only_once_advanced)
{
    uint8_t *room = buf_reserve(&buf, 10);

    ck_assert_ptr_nonnull(room);
    memcpy(room, "abc", 3);
    ck_assert_uint_eq(buf_size(&buf), 0);
    buf_advance(&buf, 3);
    assert_holds("abc");
}
END_TEST

START_TEST(moved_bytes_come_behind_the_others)
{
    struct buf from;

    buf_init(&from, 100);
    buf_append(&from, "34", 2);
    append_text("12");
    buf_move(&buf, &from);
    assert_holds("1234");
    ck_assert_uint_eq(buf_size(&from), 0);
    buf_fini(&from);
}
END_TEST

START_TEST(many_bytes_move_to_an_empty_buf_with_their_memory)
{
    static const uint8_t bytes[8192] = {1, 2, 3};
    struct buf from;
    uint8_t *memory;

    buf_init(&from, SIZE_MAX);
    buf_append(&from, bytes, sizeof(bytes));
    memory = from.data;
    buf_fini(&buf);
    buf_init(&buf, sizeof(bytes));
    buf_move(&buf, &from);
    ck_assert_ptr_eq(buf.data, memory);
    assert_slice_eq(buf_slice(&buf), slice_make(bytes, sizeof(bytes)));
    ck_assert_uint_eq(buf_size(&from), 0);

    buf_append(&buf, "a", 1); /* The maximum is what it was. */
    ck_assert(buf_failed(&buf));
    buf_fini(&from);
}
END_TEST

START_TEST(nothing_moves_to_a_buf_that_has_failed)
{
    static const uint8_t bytes[8192] = {0};
    struct buf from;

    ck_assert_ptr_null(buf_reserve(&buf, SIZE_MAX));
    buf_init(&from, SIZE_MAX);
    buf_append(&from, bytes, sizeof(bytes));
    buf_move(&buf, &from);
    ck_assert(buf_failed(&buf));
    ck_assert_uint_eq(buf_size(&buf), 0);
    buf_fini(&from);
}
END_TEST

START_TEST(more_than_the_maximum_does_not_move)
{
    static const uint8_t bytes[8192] = {0};
    struct buf from;

    buf_init(&from, SIZE_MAX);
    buf_append(&from, bytes, sizeof(bytes));
    buf_move(&buf, &from);
    ck_assert(buf_failed(&buf));
    ck_assert_uint_eq(buf_size(&buf), 0);
    buf_fini(&from);
}
END_TEST

START_TEST(truncating_and_consuming_take_from_the_ends)
{
    append_text("0123456789");
    buf_consume(&buf, 2);
    buf_truncate(&buf, 5);
    assert_holds("23456");
    buf_patch(&buf, 1, "xy", 2);
    assert_holds("2xy56");
    buf_consume(&buf, 5);
    assert_holds("");
}
END_TEST

START_TEST(maximum_is_for_what_is_held_not_for_what_went_through)
{
    uint8_t bytes[400] = {0};

    for (int i = 0; i < 100; i++) {
        buf_append(&buf, bytes, sizeof(bytes));
        buf_append(&buf, bytes, sizeof(bytes));
        buf_consume(&buf, sizeof(bytes));
        buf_consume(&buf, sizeof(bytes) - 1);
        buf_append(&buf, bytes, 1);
        buf_consume(&buf, 1);
        buf_consume(&buf, 1);
    }
    ck_assert(!buf_failed(&buf));
    ck_assert_uint_le(buf.capacity, 2048);
}
END_TEST

START_TEST(trimming_frees_memory_only_of_an_empty_buf)
{
    append_text("held");
    buf_trim(&buf, 0);
    assert_holds("held");
    buf_consume(&buf, 4);
    buf_trim(&buf, 256);
    ck_assert_uint_eq(buf.capacity, 256);
    buf_trim(&buf, 255);
    ck_assert_uint_eq(buf.capacity, 0);
    append_text("again");
    assert_holds("again");
}
END_TEST

START_TEST(trimming_does_not_forget_a_failure)
{
    append_text("x");
    buf_consume(&buf, 1);
    buf_reserve(&buf, 2000);
    buf_trim(&buf, 0);
    ck_assert(buf_failed(&buf));
}
END_TEST

/* Any order of writes at the end and takes at the front gives what a plain
 * array gives.
 */
START_TEST(random_use_agrees_with_a_plain_array)
{
    static uint8_t model[1000];
    size_t model_size = 0;
    struct rnd rnd;

    rnd_init(&rnd);
    for (unsigned i = 0; i < rnd_effort(20000, 2000000); i++) {
        uint8_t bytes[300];
        size_t size = rnd_below(&rnd, sizeof(bytes));

        if (rnd_below(&rnd, 2) == 0) {
            size = size > model_size ? model_size : size;
            buf_consume(&buf, size);
            memmove(model, model + size, model_size - size);
            model_size -= size;
        } else if (model_size + size <= sizeof(model)) {
            rnd_bytes(&rnd, bytes, size);
            buf_append(&buf, bytes, size);
            memcpy(model + model_size, bytes, size);
            model_size += size;
        }
        ck_assert(!buf_failed(&buf));
        ck_assert(slice_equal(buf_slice(&buf), slice_make(model, model_size)));
    }
}
END_TEST

START_TEST(slices_are_ordered_by_bytes_and_then_by_size)
{
    ck_assert_int_lt(slice_compare(slice_of("a"), slice_of("b")), 0);
    ck_assert_int_gt(slice_compare(slice_of("b"), slice_of("ab")), 0);
    ck_assert_int_lt(slice_compare(slice_of("a"), slice_of("ab")), 0);
    ck_assert_int_gt(slice_compare(slice_of("ab"), slice_of("a")), 0);
    ck_assert_int_lt(slice_compare(SLICE_NONE, slice_of("a")), 0);
    ck_assert_int_eq(slice_compare(slice_of("ab"), slice_of("ab")), 0);
    ck_assert_int_eq(slice_compare(SLICE_NONE, slice_of("")), 0);
    ck_assert_int_gt(slice_compare(slice_of("\xff"), slice_of("a")), 0);
}
END_TEST

START_TEST(slices_begin_with_their_prefixes)
{
    ck_assert(slice_starts_with(slice_of("order-1"), slice_of("order")));
    ck_assert(slice_starts_with(slice_of("order"), slice_of("order")));
    ck_assert(slice_starts_with(slice_of("order"), SLICE_NONE));
    ck_assert(!slice_starts_with(slice_of("orde"), slice_of("order")));
    ck_assert(!slice_starts_with(slice_of("Order"), slice_of("order")));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("buf");
    TCase *tcase = tcase_create("buf");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, new_buf_is_empty_and_has_allocated_nothing);
    tcase_add_test(tcase, zeroed_buf_takes_nothing);
    tcase_add_test(tcase, appended_bytes_come_one_behind_the_other);
    tcase_add_test(tcase, the_maximum_is_the_last_size_that_fits);
    tcase_add_test(tcase, sizes_that_overflow_are_refused);
    tcase_add_test(tcase, growing_to_nearly_all_that_a_size_can_say_ends);
    tcase_add_test(tcase, failed_buf_ignores_writes_until_it_is_cleared);
    tcase_add_test(tcase, missing_memory_fails_the_buf_and_loses_nothing);
    tcase_add_test(tcase, reserved_bytes_count_only_once_advanced);
    tcase_add_test(tcase, moved_bytes_come_behind_the_others);
    tcase_add_test(tcase, many_bytes_move_to_an_empty_buf_with_their_memory);
    tcase_add_test(tcase, nothing_moves_to_a_buf_that_has_failed);
    tcase_add_test(tcase, more_than_the_maximum_does_not_move);
    tcase_add_test(tcase, truncating_and_consuming_take_from_the_ends);
    tcase_add_test(tcase,
                   maximum_is_for_what_is_held_not_for_what_went_through);
    tcase_add_test(tcase, trimming_frees_memory_only_of_an_empty_buf);
    tcase_add_test(tcase, trimming_does_not_forget_a_failure);
    tcase_add_test(tcase, random_use_agrees_with_a_plain_array);
    tcase_add_test(tcase, slices_are_ordered_by_bytes_and_then_by_size);
    tcase_add_test(tcase, slices_begin_with_their_prefixes);
    return run_suite(suite);
}
