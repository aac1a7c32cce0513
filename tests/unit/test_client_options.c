/* URLs and numbers that the client is given. */

#include "options.h"

#include <stdlib.h>

#include "run.h"

static struct options options;
static struct acta_err err;

static enum acta_code
parse(const char *url)
{
    struct acta_options given = acta_options_of(url);

    err = (struct acta_err){ACTA_OK, ""};
    return options_init(&options, &given, &err);
}

static const struct {
    const char *url;
    const char *host, *port, *database;
    size_t hosts;
} good[] = {
    {"acta://localhost", "localhost", "2282", "", 1},
    {"acta://localhost/", "localhost", "2282", "", 1},
    {"acta://127.0.0.1:1", "127.0.0.1", "1", "", 1},
    {"acta://[::1]", "::1", "2282", "", 1},
    {"acta://[2001:db8::1]:65535/shop", "2001:db8::1", "65535", "shop", 1},
    {"acta://a:1,b,[::1]:3/x", "a", "1", "x", 3},
};

START_TEST(url_names_hosts_and_database)
{
    ck_assert_msg(parse(good[_i].url) == ACTA_OK, "%s", err.text);
    ck_assert_str_eq(options.hosts[0].name, good[_i].host);
    ck_assert_str_eq(options.hosts[0].port, good[_i].port);
    ck_assert_str_eq(options.database, good[_i].database);
    ck_assert_uint_eq(options.hosts_count, good[_i].hosts);
    options_fini(&options);
}
END_TEST

START_TEST(hosts_come_in_their_order)
{
    ck_assert_int_eq(parse("acta://a:1,b,[::1]:3/x"), ACTA_OK);
    ck_assert_str_eq(options.hosts[1].name, "b");
    ck_assert_str_eq(options.hosts[1].port, "2282");
    ck_assert_str_eq(options.hosts[2].name, "::1");
    ck_assert_str_eq(options.hosts[2].port, "3");
    options_fini(&options);
}
END_TEST

static const struct {
    const char *url, *text;
} bad[] = {
    {"", ": does not begin with acta://"},
    {"http://a", "http://a: does not begin with acta://"},
    {"acta://", "acta://: a host's name is empty"},
    {"acta://a,", "acta://a,: a host's name is empty"},
    {"acta://:2282", "acta://:2282: a host's name is empty"},
    {"acta://a:", "acta://a:: port \"\" is no number from 1 to 65535"},
    {"acta://a:0", "acta://a:0: port \"0\" is no number from 1 to 65535"},
    {"acta://a:65536",
     "acta://a:65536: port \"65536\" is no number from 1 to 65535"},
    {"acta://a:1x", "acta://a:1x: port \"1x\" is no number from 1 to 65535"},
    {"acta://[::1", "acta://[::1: \"[::1\" has no ]"},
    {"acta://[::1]x", "acta://[::1]x: \"x\" follows a host"},
    {"acta://a/b\nc", "acta://a/b\nc: \"b\nc\" is no name of a database"},
    {"acta://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
     "acta://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a: has over 16 hosts"},
};

START_TEST(wrong_url_is_refused_with_a_reason)
{
    ck_assert_int_eq(parse(bad[_i].url), ACTA_INVALID);
    ck_assert_str_eq(err.text, bad[_i].text);
}
END_TEST

START_TEST(numbers_have_bounds)
{
    struct acta_options given = acta_options_of("acta://a");

    given.backoff_min_ms = 6000;
    ck_assert_int_eq(options_init(&options, &given, &err), ACTA_INVALID);
    ck_assert_str_eq(err.text, "option backoff_max_ms is 5000, must be 6000 to "
                               "31536000000");
    given = acta_options_of("acta://a");
    given.requests_max = 0;
    ck_assert_int_eq(options_init(&options, &given, &err), ACTA_INVALID);
    given.requests_max = 32768;
    ck_assert_int_eq(options_init(&options, &given, &err), ACTA_OK);
    options_fini(&options);
    given.busy_poll_us = 1001;
    ck_assert_int_eq(options_init(&options, &given, &err), ACTA_INVALID);
}
END_TEST

START_TEST(options_that_nobody_made_are_refused)
{
    struct acta_options given;

    memset(&given, 0, sizeof(given));
    ck_assert_int_eq(options_init(&options, &given, &err), ACTA_INVALID);
    given = acta_options_of(NULL);
    ck_assert_int_eq(options_init(&options, &given, &err), ACTA_INVALID);
}
END_TEST

/* Whoever was compiled against another header has more fields, or fewer. */
START_TEST(options_of_other_versions_are_taken)
{
    struct {
        struct acta_options known;
        uint64_t from_the_future;
    } newer = {.known = acta_options_of("acta://a"), .from_the_future = 9};
    struct acta_options older = acta_options_of("acta://a");

    newer.known.size = sizeof(newer);
    ck_assert_int_eq(options_init(&options, &newer.known, &err), ACTA_OK);
    options_fini(&options);
    older.on_link = (acta_on_link *)abort; /* Behind the end: not looked at. */
    older.size = offsetof(struct acta_options, on_link);
    ck_assert_int_eq(options_init(&options, &older, &err), ACTA_OK);
    ck_assert_ptr_null((void *)(uintptr_t)options.given.on_link);
    options_fini(&options);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client options");
    TCase *tcase = tcase_create("client options");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, url_names_hosts_and_database, 0,
                        sizeof(good) / sizeof(good[0]));
    tcase_add_test(tcase, hosts_come_in_their_order);
    tcase_add_loop_test(tcase, wrong_url_is_refused_with_a_reason, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tcase, numbers_have_bounds);
    tcase_add_test(tcase, options_that_nobody_made_are_refused);
    tcase_add_test(tcase, options_of_other_versions_are_taken);
    return run_suite(suite);
}
