#include "frame.h"

#include <stdlib.h>

#include "hex.h"
#include "limit.h"
#include "rnd.h"
#include "run.h"

static struct buf buf;

static void
setup(void)
{
    buf_init(&buf, ACTA_FRAME_SIZE_MAX + 4096u);
}

static void
teardown(void)
{
    buf_fini(&buf);
}

static void
write_frame(uint8_t kind, uint64_t request_id, struct slice body)
{
    size_t start = frame_begin(&buf, kind, request_id);

    buf_append_slice(&buf, body);
    frame_end(&buf, start);
}

START_TEST(header_is_sixteen_bytes_in_network_order)
{
    write_frame(0x10, 0x0102030405060708, slice_of("abc"));
    assert_hex(buf_slice(&buf), "ac 10 0000 00000003 0102030405060708 616263");
}
END_TEST

START_TEST(frames_come_out_as_they_went_in)
{
    struct slice left;
    struct frame frame;
    size_t used;

    write_frame(1, 0, SLICE_NONE);
    write_frame(0xff, UINT64_MAX, slice_of("body"));

    left = buf_slice(&buf);
    ck_assert_int_eq(frame_decode(&frame, &used, left, 4, NULL), ACTA_OK);
    ck_assert_uint_eq(used, FRAME_HEADER_SIZE);
    ck_assert_uint_eq(frame.kind, 1);
    ck_assert_uint_eq(frame.request_id, 0);
    ck_assert_uint_eq(frame.body.size, 0);

    left = slice_make(left.data + used, left.size - used);
    ck_assert_int_eq(frame_decode(&frame, &used, left, 4, NULL), ACTA_OK);
    ck_assert_uint_eq(used, FRAME_HEADER_SIZE + 4);
    ck_assert_uint_eq(frame.kind, 0xff);
    ck_assert_uint_eq(frame.request_id, UINT64_MAX);
    assert_slice_eq(frame.body, slice_of("body"));
}
END_TEST

/* The bytes lie in memory of their exact size, so that a sanitizer sees a read
 * that goes too far.
 */
START_TEST(part_of_a_frame_waits_for_more)
{
    struct frame frame;
    size_t used = 1;
    size_t size = (size_t)_i;
    uint8_t *part = malloc(size + 1);

    write_frame(3, 9, slice_of("0123456789"));
    ck_assert_uint_lt(size, buf_size(&buf));
    memcpy(part, buf_slice(&buf).data, size);
    part = realloc(part, size == 0 ? 1 : size);
    ck_assert_int_eq(
        frame_decode(&frame, &used, slice_make(part, size), 10, NULL), ACTA_OK);
    ck_assert_uint_eq(used, 0);
    free(part);
}
END_TEST

START_TEST(nothing_at_all_waits_for_more)
{
    struct frame frame;
    size_t used = 1;

    ck_assert_int_eq(frame_decode(&frame, &used, SLICE_NONE, 0, NULL), ACTA_OK);
    ck_assert_uint_eq(used, 0);
}
END_TEST

START_TEST(first_byte_alone_is_enough_to_refuse)
{
    struct acta_err err;
    struct frame frame;
    uint8_t first = (uint8_t)_i;
    size_t used;
    enum acta_code code =
        frame_decode(&frame, &used, slice_make(&first, 1), 10, &err);

    ck_assert_int_eq(code, first == FRAME_MAGIC ? ACTA_OK : ACTA_PROTOCOL);
    ck_assert_uint_eq(used, 0);
    if (first == 'G') {
        ck_assert_str_eq(err.text, "frame begins with byte 0x47, not 0xac");
    }
}
END_TEST

START_TEST(flags_must_be_zero)
{
    struct frame frame;
    uint8_t bytes[FRAME_HEADER_SIZE];
    size_t used;

    write_frame(1, 1, SLICE_NONE);
    memcpy(bytes, buf_slice(&buf).data, sizeof(bytes));
    bytes[2 + _i / 8] = (uint8_t)(1 << _i % 8);
    ck_assert_int_eq(
        frame_decode(&frame, &used, slice_make(bytes, sizeof(bytes)), 10, NULL),
        ACTA_PROTOCOL);
    ck_assert_uint_eq(used, 0);
}
END_TEST

START_TEST(claimed_size_over_the_limit_is_refused_by_the_header_alone)
{
    struct frame frame;
    struct acta_err err;
    size_t used;

    ck_assert_int_eq(frame_decode(&frame, &used,
                                  hex("ac010000 00001000 0000000000000001"),
                                  4096, &err),
                     ACTA_OK);
    ck_assert_uint_eq(used, 0);
    ck_assert_int_eq(frame_decode(&frame, &used,
                                  hex("ac010000 00001001 0000000000000001"),
                                  4096, &err),
                     ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "frame of 4097 bytes is over the limit of 4096");
    ck_assert_int_eq(frame_decode(&frame, &used,
                                  hex("ac010000 ffffffff 0000000000000001"),
                                  ACTA_FRAME_SIZE_MAX, NULL),
                     ACTA_TOO_LARGE);
}
END_TEST

START_TEST(body_may_be_as_large_as_the_limit_and_no_larger)
{
    size_t start = frame_begin(&buf, 1, 1);
    struct frame frame;
    size_t used;

    ck_assert_ptr_nonnull(buf_reserve(&buf, ACTA_FRAME_SIZE_MAX));
    memset(buf_reserve(&buf, ACTA_FRAME_SIZE_MAX), 0, ACTA_FRAME_SIZE_MAX);
    buf_advance(&buf, ACTA_FRAME_SIZE_MAX);
    frame_end(&buf, start);
    ck_assert(!buf_failed(&buf));
    ck_assert_int_eq(
        frame_decode(&frame, &used, buf_slice(&buf), ACTA_FRAME_SIZE_MAX, NULL),
        ACTA_OK);
    ck_assert_uint_eq(frame.body.size, ACTA_FRAME_SIZE_MAX);

    buf_append(&buf, "x", 1);
    frame_end(&buf, start);
    ck_assert(buf_failed(&buf));
}
END_TEST

START_TEST(frame_in_a_failed_buf_stays_failed)
{
    size_t start;

    buf_fini(&buf);
    buf_init(&buf, FRAME_HEADER_SIZE - 1);
    start = frame_begin(&buf, 1, 1);
    frame_end(&buf, start);
    ck_assert(buf_failed(&buf));
}
END_TEST

START_TEST(any_bytes_decode_to_a_frame_within_them_or_to_none)
{
    struct rnd rnd;

    rnd_init(&rnd);
    for (unsigned i = 0; i < rnd_effort(100000, 10000000); i++) {
        uint8_t bytes[64];
        size_t size = rnd_below(&rnd, sizeof(bytes) + 1);
        struct frame frame;
        size_t used;

        rnd_bytes(&rnd, bytes, size);
        if (size >= 8) {
            memcpy(bytes, "\xac\x01\0\0\0\0", 6);
            bytes[6] = 0;
            bytes[7] %= 64;
        }
        if (frame_decode(&frame, &used, slice_make(bytes, size), 60, NULL) !=
                ACTA_OK ||
            used == 0) {
            continue;
        }
        ck_assert_uint_le(used, size);
        ck_assert_uint_eq(used, FRAME_HEADER_SIZE + frame.body.size);
        ck_assert_ptr_eq(frame.body.data, bytes + FRAME_HEADER_SIZE);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("frame");
    TCase *tcase = tcase_create("frame");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, header_is_sixteen_bytes_in_network_order);
    tcase_add_test(tcase, frames_come_out_as_they_went_in);
    tcase_add_loop_test(tcase, part_of_a_frame_waits_for_more, 0,
                        FRAME_HEADER_SIZE + 10);
    tcase_add_test(tcase, nothing_at_all_waits_for_more);
    tcase_add_loop_test(tcase, first_byte_alone_is_enough_to_refuse, 0, 256);
    tcase_add_loop_test(tcase, flags_must_be_zero, 0, 16);
    tcase_add_test(tcase,
                   claimed_size_over_the_limit_is_refused_by_the_header_alone);
    tcase_add_test(tcase, body_may_be_as_large_as_the_limit_and_no_larger);
    tcase_add_test(tcase, frame_in_a_failed_buf_stays_failed);
    tcase_add_test(tcase, any_bytes_decode_to_a_frame_within_them_or_to_none);
    return run_suite(suite);
}
