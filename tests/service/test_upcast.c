/* Versions of events: what a type's name says, and how events of old versions
 * become new ones.
 */

#include <acta/acta_upcast.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "run.h"

static struct acta_upcasters *upcasters;
static struct acta_upcast *upcast;
static struct acta_err err;

static void
setup(void)
{
    upcasters = acta_upcasters_new();
    upcast = acta_upcast_new();
    err = (struct acta_err){ACTA_OK, ""};
}

static void
teardown(void)
{
    acta_upcast_free(upcast);
    acta_upcasters_free(upcasters);
}

/* ---- the words in which the tests are written ---- */

/* "12" becomes "12+a". */
static bool
add_text(void *user, const struct acta_event *event, struct acta_bytes *data)
{
    acta_bytes_put(data, event->data, event->data_size);
    acta_bytes_put(data, "+", 1);
    acta_bytes_put(data, user, strlen(user));
    return true;
}

static bool
cannot_read(void *user, const struct acta_event *event, struct acta_bytes *data)
{
    (void)user;
    (void)event;
    (void)data;
    return false;
}

static struct acta_event
event_of(const char *type, const char *data)
{
    return (struct acta_event){
        .position = 7,
        .stream = "order-42",
        .type = type,
        .data = data,
        .data_size = strlen(data),
        .format = ACTA_FORMAT_JSON,
    };
}

/* What becomes of it: "Type data". */
static const char *
newest_of(const char *type, const char *data)
{
    static char text[200];
    struct acta_event event = event_of(type, data);
    const struct acta_event *newest;

    if (acta_upcast_event(upcast, upcasters, &event, &newest, &err) !=
        ACTA_OK) {
        return acta_code_name(err.code);
    }
    ck_assert_uint_eq(newest->data_size, strlen(newest->data));
    ck_assert_uint_eq(newest->position, 7);
    snprintf(text, sizeof(text), "%s %s", newest->type,
             (const char *)newest->data);
    return text;
}

/* ---- names ---- */

static const struct {
    const char *type;
    uint64_t version;
    size_t base_size;
} names[] = {
    {"OrderPlaced", 1, 11},
    {"OrderPlaced.v2", 2, 11},
    {"OrderPlaced.v10", 10, 11},
    {"OrderPlaced.v1", 1, 14},
    {"OrderPlaced.v0", 1, 14},
    {"OrderPlaced.v02", 1, 15},
    {"OrderPlaced.vip", 1, 15},
    {"OrderPlaced.v", 1, 13},
    {"OrderPlaced.v2x", 1, 15},
    {"OrderPlaced-v2", 1, 14},
    {"a.v2", 2, 1},
    {".v2", 1, 3},
    {"v2", 1, 2},
    {"2", 1, 1},
    {"a.v2.v3", 3, 4},
    {"a.v999999999999999999", 999999999999999999, 1},
    {"a.v1000000000000000000", 1, 22},
};

START_TEST(version_is_what_the_name_of_the_type_ends_with)
{
    size_t base_size;

    ck_assert_uint_eq(acta_type_version(names[_i].type, &base_size),
                      names[_i].version);
    ck_assert_uint_eq(base_size, names[_i].base_size);
    ck_assert_uint_eq(acta_type_version(names[_i].type, NULL),
                      names[_i].version);
}
END_TEST

/* ---- chains ---- */

START_TEST(old_event_takes_every_step_to_the_newest)
{
    acta_upcasters_add(upcasters, "Placed", 2, add_text, "b");
    acta_upcasters_add(upcasters, "Placed", 1, add_text, "a");
    acta_upcasters_add(upcasters, "Placed", 3, add_text, "c");
    acta_upcasters_add(upcasters, "Paid", 1, add_text, "x");
    ck_assert_int_eq(acta_upcasters_check(upcasters, &err), ACTA_OK);
    ck_assert_uint_eq(acta_upcasters_newest(upcasters, "Placed"), 4);
    ck_assert_uint_eq(acta_upcasters_newest(upcasters, "Paid"), 2);
    ck_assert_uint_eq(acta_upcasters_newest(upcasters, "Sent"), 1);
    ck_assert_str_eq(newest_of("Placed", "1"), "Placed 1+a+b+c");
    ck_assert_str_eq(newest_of("Placed.v2", "1"), "Placed 1+b+c");
    ck_assert_str_eq(newest_of("Placed.v3", "1"), "Placed 1+c");
    ck_assert_str_eq(newest_of("Paid", "2"), "Paid 2+x");
}
END_TEST

START_TEST(newest_event_loses_only_the_version_in_its_type)
{
    acta_upcasters_add(upcasters, "Placed", 1, add_text, "a");
    ck_assert_str_eq(newest_of("Placed.v2", "1"), "Placed 1");
}
END_TEST

START_TEST(event_that_has_no_upcasters_stays_what_it_is)
{
    struct acta_event event = event_of("Sent", "1");
    const struct acta_event *newest;

    ck_assert_int_eq(acta_upcast_event(upcast, NULL, &event, &newest, &err),
                     ACTA_OK);
    ck_assert_ptr_eq(newest, &event);
}
END_TEST

START_TEST(version_that_is_not_known_is_told_with_its_place)
{
    acta_upcasters_add(upcasters, "Placed", 1, add_text, "a");
    ck_assert_str_eq(newest_of("Placed.v3", "1"), "UNSUPPORTED");
    ck_assert_str_eq(err.text, "event at position 7 of stream order-42 is a "
                               "Placed.v3, known up to version 2");
    ck_assert_str_eq(newest_of("Sent.v2", "1"), "UNSUPPORTED");
}
END_TEST

START_TEST(event_that_an_upcaster_cannot_read_is_told_with_its_place)
{
    acta_upcasters_add(upcasters, "Placed", 1, cannot_read, NULL);
    ck_assert_str_eq(newest_of("Placed", "1"), "CORRUPT");
    ck_assert_str_eq(err.text, "event at position 7 of stream order-42: no "
                               "version 2 of Placed");
}
END_TEST

START_TEST(erased_event_only_loses_its_version)
{
    struct acta_event event = event_of("Placed.v2", "");
    const struct acta_event *newest;

    event.format = ACTA_FORMAT_ERASED;
    acta_upcasters_add(upcasters, "Placed", 1, cannot_read, NULL);
    acta_upcasters_add(upcasters, "Placed", 2, cannot_read, NULL);
    ck_assert_int_eq(
        acta_upcast_event(upcast, upcasters, &event, &newest, &err), ACTA_OK);
    ck_assert_str_eq(newest->type, "Placed");
    ck_assert_int_eq(newest->format, ACTA_FORMAT_ERASED);
    ck_assert_uint_eq(newest->data_size, 0);
}
END_TEST

/* ---- mistakes ---- */

START_TEST(step_that_is_missing_is_told)
{
    acta_upcasters_add(upcasters, "Placed", 1, add_text, "a");
    acta_upcasters_add(upcasters, "Placed", 3, add_text, "c");
    ck_assert_int_eq(acta_upcasters_check(upcasters, &err), ACTA_INVALID);
    ck_assert_str_eq(err.text, "Placed: no upcaster from version 2");
}
END_TEST

START_TEST(first_mistake_is_the_one_that_is_told)
{
    acta_upcasters_add(upcasters, "Placed", 1, add_text, "a");
    acta_upcasters_add(upcasters, "Placed", 1, add_text, "a");
    acta_upcasters_add(upcasters, "Paid.v2", 1, add_text, "a");
    ck_assert_int_eq(acta_upcasters_check(upcasters, &err), ACTA_INVALID);
    ck_assert_str_eq(err.text, "Placed: two upcasters from version 1");
}
END_TEST

START_TEST(upcasters_name_types_without_versions)
{
    acta_upcasters_add(upcasters, "Paid.v2", 1, add_text, "a");
    ck_assert_int_eq(acta_upcasters_check(upcasters, &err), ACTA_INVALID);
}
END_TEST

START_TEST(version_zero_is_none)
{
    acta_upcasters_add(upcasters, "Paid", 0, add_text, "a");
    ck_assert_int_eq(acta_upcasters_check(upcasters, &err), ACTA_INVALID);
}
END_TEST

START_TEST(memory_that_there_is_none_of_is_told)
{
    static const char text[] = "text";
    struct acta_event event = event_of("Placed", "1");
    const struct acta_event *newest;
    enum acta_code code = ACTA_MEMORY;
    int failures = 0;

    acta_upcasters_add(upcasters, "Placed", 1, add_text,
                       (void *)(uintptr_t)text);
    for (; code != ACTA_OK && failures < 10; failures++) {
        acta_upcast_free(upcast);
        upcast = acta_upcast_new();
        alloc_fail_after = failures;
        code = acta_upcast_event(upcast, upcasters, &event, &newest, &err);
        alloc_reset();
        ck_assert(code == ACTA_OK || code == ACTA_MEMORY);
    }
    ck_assert_int_eq(code, ACTA_OK);
    ck_assert_int_gt(failures, 1);
    ck_assert_int_eq(acta_upcasters_check(NULL, &err), ACTA_MEMORY);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("upcast");
    TCase *tcase = tcase_create("upcast");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, version_is_what_the_name_of_the_type_ends_with,
                        0, (int)(sizeof(names) / sizeof(names[0])));
    tcase_add_test(tcase, old_event_takes_every_step_to_the_newest);
    tcase_add_test(tcase, newest_event_loses_only_the_version_in_its_type);
    tcase_add_test(tcase, event_that_has_no_upcasters_stays_what_it_is);
    tcase_add_test(tcase, version_that_is_not_known_is_told_with_its_place);
    tcase_add_test(tcase,
                   event_that_an_upcaster_cannot_read_is_told_with_its_place);
    tcase_add_test(tcase, erased_event_only_loses_its_version);
    tcase_add_test(tcase, step_that_is_missing_is_told);
    tcase_add_test(tcase, first_mistake_is_the_one_that_is_told);
    tcase_add_test(tcase, upcasters_name_types_without_versions);
    tcase_add_test(tcase, version_zero_is_none);
    tcase_add_test(tcase, memory_that_there_is_none_of_is_told);
    return run_suite(suite);
}
