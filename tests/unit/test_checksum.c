#include "checksum.h"

#include <stdlib.h>
#include <string.h>

#include "rnd.h"
#include "run.h"

/* RFC 3720, B.4. */
START_TEST(checksums_are_those_of_the_standard)
{
    uint8_t bytes[32];

    ck_assert_uint_eq(checksum_of("123456789", 9), 0xe3069283);
    memset(bytes, 0, sizeof(bytes));
    ck_assert_uint_eq(checksum_of(bytes, sizeof(bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    ck_assert_uint_eq(checksum_of(bytes, sizeof(bytes)), 0x62a8ab43);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    ck_assert_uint_eq(checksum_of(bytes, sizeof(bytes)), 0x46dd794e);
    ck_assert_uint_eq(checksum_of(NULL, 0), 0);
}
END_TEST

START_TEST(a_checksum_goes_on_wherever_the_bytes_were_cut)
{
    uint8_t bytes[300];
    struct rnd rnd;

    rnd_init(&rnd);
    rnd_bytes(&rnd, bytes, sizeof(bytes));
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        uint32_t sum = checksum_of(bytes, cut);

        ck_assert_uint_eq(
            checksum_extend(sum, bytes + cut, sizeof(bytes) - cut),
            checksum_of(bytes, sizeof(bytes)));
    }
}
END_TEST

START_TEST(a_checksum_does_not_depend_on_where_the_bytes_lie)
{
    uint8_t bytes[80], copy[128];
    struct rnd rnd;

    rnd_init(&rnd);
    rnd_bytes(&rnd, bytes, sizeof(bytes));
    for (size_t offset = 0; offset < 32; offset++) {
        memcpy(copy + offset, bytes, sizeof(bytes));
        ck_assert_uint_eq(checksum_of(copy + offset, sizeof(bytes)),
                          checksum_of(bytes, sizeof(bytes)));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("checksum");
    TCase *tcase = tcase_create("checksum");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, checksums_are_those_of_the_standard);
    tcase_add_test(tcase, a_checksum_goes_on_wherever_the_bytes_were_cut);
    tcase_add_test(tcase, a_checksum_does_not_depend_on_where_the_bytes_lie);
    return run_suite(suite);
}
