#include "uuid.h"

#include <stdlib.h>

#include "hex.h"
#include "rnd.h"
#include "run.h"

#define TEXT "0190163d-8694-739b-aea5-966c26f8ad91"

static const uint8_t ZEROS[10];

static uint64_t
time_of(const struct uuid *uuid)
{
    uint64_t time = 0;

    for (int i = 0; i < 6; i++) {
        time = time << 8 | uuid->bytes[i];
    }
    return time;
}

static void
assert_is_version(const struct uuid *uuid, int version)
{
    ck_assert_int_eq(uuid->bytes[6] >> 4, version);
    ck_assert_int_eq(uuid->bytes[8] >> 6, 2);
}

START_TEST(version_7_has_time_counter_and_randomness_in_their_places)
{
    static const uint8_t random[10] = {0x0f, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7};
    struct uuid_source source = {0};
    struct uuid uuid;

    uuid_v7(&uuid, &source, 0x0190163d8694, random);
    assert_hex(slice_make(uuid.bytes, UUID_SIZE),
               "0190163d8694 77ff bf01020304050607");
}
END_TEST

START_TEST(ids_of_one_millisecond_are_ordered_as_they_were_made)
{
    struct uuid_source source = {0};
    struct uuid last, next;
    struct rnd rnd;

    rnd_init(&rnd);
    uuid_v7(&last, &source, 1000, ZEROS);
    for (int i = 0; i < 10000; i++) {
        uint8_t random[10];

        rnd_bytes(&rnd, random, sizeof(random));
        uuid_v7(&next, &source, 1000, random);
        ck_assert_int_lt(memcmp(&last, &next, UUID_SIZE), 0);
        assert_is_version(&next, 7);
        last = next;
    }
    /* 10,000 ids are more than two and less than five counters' worth. */
    ck_assert_uint_ge(time_of(&last), 1002);
    ck_assert_uint_le(time_of(&last), 1005);
}
END_TEST

START_TEST(clock_that_goes_back_does_not_disturb_the_order)
{
    struct uuid_source source = {0};
    struct uuid last, next;

    uuid_v7(&last, &source, 5000, ZEROS);
    uuid_v7(&next, &source, 100, ZEROS);
    ck_assert_int_lt(memcmp(&last, &next, UUID_SIZE), 0);
    ck_assert_uint_eq(time_of(&next), 5000);
    last = next;
    uuid_v7(&next, &source, 5001, ZEROS);
    ck_assert_int_lt(memcmp(&last, &next, UUID_SIZE), 0);
    ck_assert_uint_eq(time_of(&next), 5001);
}
END_TEST

START_TEST(any_clock_gives_growing_ids)
{
    struct uuid_source source = {0};
    struct uuid last = {{0}}, next;
    struct rnd rnd;

    rnd_init(&rnd);
    for (unsigned i = 0; i < rnd_effort(100000, 5000000); i++) {
        uint8_t random[10];

        rnd_bytes(&rnd, random, sizeof(random));
        uuid_v7(&next, &source, rnd_below(&rnd, 100 + i / 100), random);
        ck_assert_int_lt(memcmp(&last, &next, UUID_SIZE), 0);
        last = next;
    }
}
END_TEST

START_TEST(version_8_keeps_the_digest_but_for_six_bits)
{
    struct uuid uuid;

    uuid_v8(&uuid, hex("ffffffffffffffffffffffffffffffff").data);
    assert_hex(slice_make(uuid.bytes, UUID_SIZE),
               "ffffffffffff8fffbfffffffffffffff");
    uuid_v8(&uuid, hex("00000000000000000000000000000000").data);
    assert_hex(slice_make(uuid.bytes, UUID_SIZE),
               "00000000000080008000000000000000");
    uuid_v8(&uuid, hex("0123456789abcdef123456789abcdef0").data);
    assert_hex(slice_make(uuid.bytes, UUID_SIZE),
               "0123456789ab8def923456789abcdef0");
}
END_TEST

START_TEST(texts_are_read_and_written_alike)
{
    char text[UUID_TEXT_SIZE];
    struct uuid uuid;

    ck_assert(uuid_parse(&uuid, slice_of(TEXT)));
    assert_hex(slice_make(uuid.bytes, UUID_SIZE),
               "0190163d8694739baea5966c26f8ad91");
    uuid_format(uuid.bytes, text);
    ck_assert_str_eq(text, TEXT);
    ck_assert(
        uuid_parse(&uuid, slice_of("0190163D-8694-739B-AEA5-966C26F8AD91")));
    assert_hex(slice_make(uuid.bytes, UUID_SIZE),
               "0190163d8694739baea5966c26f8ad91");
}
END_TEST

/* Every byte of the text, replaced by every other. */
START_TEST(only_hex_digits_and_dashes_in_their_places_are_read)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[] = TEXT;
        bool is_digit = (byte >= '0' && byte <= '9') ||
                        (byte >= 'a' && byte <= 'f') ||
                        (byte >= 'A' && byte <= 'F');
        struct uuid uuid;

        text[_i] = (char)byte;
        ck_assert_msg(uuid_parse(&uuid, slice_make(text, 36)) ==
                          (TEXT[_i] == '-' ? byte == '-' : is_digit),
                      "byte 0x%02x at %d", byte, _i);
    }
}
END_TEST

START_TEST(text_of_another_size_is_refused)
{
    struct uuid uuid;

    ck_assert(!uuid_parse(&uuid, SLICE_NONE));
    ck_assert(!uuid_parse(&uuid, slice_make(TEXT, 35)));
    ck_assert(!uuid_parse(&uuid, slice_make(TEXT "0", 37)));
    ck_assert(!uuid_parse(&uuid, slice_make(TEXT, 37)));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("uuid");
    TCase *tcase = tcase_create("uuid");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase,
                   version_7_has_time_counter_and_randomness_in_their_places);
    tcase_add_test(tcase, ids_of_one_millisecond_are_ordered_as_they_were_made);
    tcase_add_test(tcase, clock_that_goes_back_does_not_disturb_the_order);
    tcase_add_test(tcase, any_clock_gives_growing_ids);
    tcase_add_test(tcase, version_8_keeps_the_digest_but_for_six_bits);
    tcase_add_test(tcase, texts_are_read_and_written_alike);
    tcase_add_loop_test(
        tcase, only_hex_digits_and_dashes_in_their_places_are_read, 0, 36);
    tcase_add_test(tcase, text_of_another_size_is_refused);
    return run_suite(suite);
}
