#include "bytes.h"

#include "hex.h"
#include "rnd.h"
#include "run.h"

START_TEST(numbers_of_files_are_little_endian_and_those_of_keys_big_endian)
{
    uint8_t bytes[8];

    put_u32(bytes, 0x01020304);
    assert_hex(slice_make(bytes, 4), "04030201");
    ck_assert_uint_eq(get_u32(bytes), 0x01020304);
    put_u64(bytes, 0x0102030405060708);
    assert_hex(slice_make(bytes, 8), "0807060504030201");
    ck_assert_uint_eq(get_u64(bytes), 0x0102030405060708);
    put_key_u64(bytes, 0x0102030405060708);
    assert_hex(slice_make(bytes, 8), "0102030405060708");
    ck_assert_uint_eq(get_key_u64(bytes), 0x0102030405060708);
}
END_TEST

struct row {
    uint64_t value;
    const char *hex;
};

static const struct row varints[] = {
    {0, "00"},
    {1, "01"},
    {127, "7f"},
    {128, "8001"},
    {300, "ac02"},
    {16383, "ff7f"},
    {16384, "808001"},
    {UINT32_MAX, "ffffffff0f"},
    {UINT64_C(1) << 63, "80808080808080808001"},
    {UINT64_MAX, "ffffffffffffffffff01"},
};

START_TEST(varints_are_leb128)
{
    const struct row *row = &varints[_i];
    uint8_t bytes[VARINT_SIZE_MAX];
    const uint8_t *at = bytes;
    uint8_t *end = put_varint(bytes, row->value);
    uint64_t value;

    assert_hex(slice_make(bytes, (size_t)(end - bytes)), row->hex);
    ck_assert_uint_eq(varint_size(row->value), (size_t)(end - bytes));
    ck_assert(get_varint(&at, end, &value));
    ck_assert_uint_eq(value, row->value);
    ck_assert_ptr_eq(at, end);
}
END_TEST

START_TEST(a_varint_that_is_cut_off_or_too_long_is_refused_and_stays)
{
    static const char *const wrong[] = {
        "",
        "80",
        "ffffff",
        "ffffffffffffffffff",     /* Ten bytes begun, nine are there. */
        "ffffffffffffffffff02",   /* 65 bits. */
        "ffffffffffffffffff81",   /* Goes on after the tenth. */
        "8080808080808080808001", /* Eleven. */
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct slice bytes = hex(wrong[i]);
        const uint8_t *at = bytes.data;
        uint64_t value = 42;

        ck_assert(!get_varint(&at, bytes.data + bytes.size, &value));
        ck_assert_ptr_eq(at, bytes.data);
        ck_assert_uint_eq(value, 42);
    }
}
END_TEST

START_TEST(random_varints_come_back_one_behind_the_other)
{
    static uint8_t bytes[1000 * VARINT_SIZE_MAX];
    static uint64_t values[1000];
    const uint8_t *at = bytes;
    uint8_t *end = bytes;
    struct rnd rnd;

    rnd_init(&rnd);
    for (size_t i = 0; i < 1000; i++) {
        values[i] = rnd_edgy(&rnd);
        end = put_varint(end, values[i]);
    }
    for (size_t i = 0; i < 1000; i++) {
        uint64_t value;

        ck_assert(get_varint(&at, end, &value));
        ck_assert_uint_eq(value, values[i]);
    }
    ck_assert_ptr_eq(at, end);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("bytes");
    TCase *tcase = tcase_create("bytes");

    suite_add_tcase(suite, tcase);
    tcase_add_test(
        tcase, numbers_of_files_are_little_endian_and_those_of_keys_big_endian);
    tcase_add_loop_test(tcase, varints_are_leb128, 0,
                        (int)(sizeof(varints) / sizeof(varints[0])));
    tcase_add_test(tcase,
                   a_varint_that_is_cut_off_or_too_long_is_refused_and_stays);
    tcase_add_test(tcase, random_varints_come_back_one_behind_the_other);
    return run_suite(suite);
}
