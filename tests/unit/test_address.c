#include "address.h"

#include <stdlib.h>

#include "run.h"

static const struct {
    const char *text;
    const char *formatted; /* NULL: refused. */
    bool loopback;
} addresses[] = {
    {"127.0.0.1:2282", "127.0.0.1:2282", true},
    {"127.9.9.9:0", "127.9.9.9:0", true},
    {"localhost:1", "127.0.0.1:1", true},
    {"[::1]:65535", "[::1]:65535", true},
    {"0.0.0.0:2282", "0.0.0.0:2282", false},
    {"192.168.1.10:2282", "192.168.1.10:2282", false},
    {"[::]:2282", "[::]:2282", false},
    {"[2001:db8::1]:2282", "[2001:db8::1]:2282", false},
    {"[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1", false},
    {"", NULL, false},
    {"2282", NULL, false},
    {":2282", NULL, false},
    {"127.0.0.1", NULL, false},
    {"127.0.0.1:", NULL, false},
    {"127.0.0.1:65536", NULL, false},
    {"127.0.0.1:-1", NULL, false},
    {"127.0.0.1:000001", NULL, false},
    {"127.0.0.1:1x", NULL, false},
    {"127.0.0:1", NULL, false},
    {"::1:2282", NULL, false},
    {"[::1:2282", NULL, false},
    {"[:2282", NULL, false},
    {"[]:2282", NULL, false},
    {"[127.0.0.1]:2282", NULL, false},
    {"actad.example:2282", NULL, false},
    {"0000000000000000000000000000000000000000000000000000000:1", NULL, false},
};

#define ADDRESSES_COUNT (int)(sizeof(addresses) / sizeof(addresses[0]))

START_TEST(address_is_read_and_written_back_or_refused)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address;
    struct acta_err err;
    enum acta_code code = address_parse(&address, addresses[_i].text, &err);

    if (addresses[_i].formatted == NULL) {
        ck_assert_int_eq(code, ACTA_INVALID);
        ck_assert_str_ne(err.text, "");
        return;
    }
    ck_assert_int_eq(code, ACTA_OK);
    address_format(&address, text);
    ck_assert_str_eq(text, addresses[_i].formatted);
    ck_assert_int_eq(address_is_loopback(&address), addresses[_i].loopback);
}
END_TEST

START_TEST(port_is_told)
{
    struct address address;

    ck_assert_int_eq(address_parse(&address, "[::1]:2282", NULL), ACTA_OK);
    ck_assert_uint_eq(address_port(&address), 2282);
    ck_assert_int_eq(address_parse(&address, "127.0.0.1:80", NULL), ACTA_OK);
    ck_assert_uint_eq(address_port(&address), 80);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("address");
    TCase *tcase = tcase_create("address");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, address_is_read_and_written_back_or_refused, 0,
                        ADDRESSES_COUNT);
    tcase_add_test(tcase, port_is_told);
    return run_suite(suite);
}
