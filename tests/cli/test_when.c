#include "when.h"

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#include "run.h"

#define SECOND_US UINT64_C(1000000)
#define DAY_US    (86400 * SECOND_US)
#define NOW_US    (1795299756 * SECOND_US) /* 2026-11-21T22:22:36Z */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text;
    uint64_t us;
} spans[] = {
    {"1us", 1},
    {"500ms", 500000},
    {"90s", 90 * SECOND_US},
    {"5min", 300 * SECOND_US},
    {"2h", 7200 * SECOND_US},
    {"6d", 6 * DAY_US},
    {"2w", 14 * DAY_US},
};

START_TEST(spans_are_read_and_written_the_same)
{
    for (size_t i = 0; i < COUNT(spans); i++) {
        char text[WHEN_SIZE];
        uint64_t us;

        ck_assert(when_parse_span(spans[i].text, NULL, &us));
        ck_assert_uint_eq(us, spans[i].us);
        when_format_span(us, text);
        ck_assert_str_eq(text, spans[i].text);
    }
}
END_TEST

START_TEST(minutes_have_a_short_name)
{
    uint64_t us;

    ck_assert(when_parse_span("30m", NULL, &us));
    ck_assert_uint_eq(us, 1800 * SECOND_US);
    ck_assert(when_parse_span("30", "m", &us));
    ck_assert_uint_eq(us, 1800 * SECOND_US);
}
END_TEST

START_TEST(a_span_is_written_in_the_largest_unit_without_a_rest)
{
    char text[WHEN_SIZE];

    when_format_span(7 * DAY_US, text);
    ck_assert_str_eq(text, "1w");
    when_format_span(120 * SECOND_US, text);
    ck_assert_str_eq(text, "2min");
    when_format_span(SECOND_US + 1, text);
    ck_assert_str_eq(text, "1000001us");
}
END_TEST

START_TEST(a_number_alone_needs_a_unit_to_count)
{
    uint64_t us;

    ck_assert(!when_parse_span("1500", NULL, &us));
    ck_assert(when_parse_span("1500", "ms", &us));
    ck_assert_uint_eq(us, 1500000);
}
END_TEST

START_TEST(what_is_no_span_is_refused)
{
    static const char *const wrong[] = {
        "",
        "s",
        "-1s",
        " 1s",
        "1 s",
        "1.5h",
        "1S",
        "1M",
        "1mi",
        "1sec",
        "99999999999999999999s",
        "9223372036854775807s",
    };
    uint64_t us;

    for (size_t i = 0; i < COUNT(wrong); i++) {
        ck_assert_msg(!when_parse_span(wrong[i], "ms", &us), "%s", wrong[i]);
    }
}
END_TEST

START_TEST(a_duration_has_its_two_largest_units)
{
    static const struct {
        uint64_t us;
        const char *text;
    } durations[] = {
        {0, "0 s"},
        {SECOND_US - 1, "0 s"},
        {59 * SECOND_US, "59 s"},
        {60 * SECOND_US, "1 min 0 s"},
        {182 * SECOND_US, "3 min 2 s"},
        {3599 * SECOND_US, "59 min 59 s"},
        {7500 * SECOND_US, "2 h 5 min"},
        {DAY_US, "1 day 0 h"},
        {3 * DAY_US + 4 * 3600 * SECOND_US, "3 days 4 h"},
        {UINT64_MAX, "213503982 days 8 h"},
    };

    for (size_t i = 0; i < COUNT(durations); i++) {
        char text[WHEN_SIZE];

        when_format_duration(durations[i].us, text);
        ck_assert_str_eq(text, durations[i].text);
    }
}
END_TEST

START_TEST(a_delay_is_told_as_exactly_as_it_matters)
{
    static const struct {
        uint64_t us;
        const char *text;
    } delays[] = {
        {0, "0.00 ms"},
        {340, "0.34 ms"},
        {999, "1.00 ms"},
        {1000, "1 ms"},
        {SECOND_US - 1, "999 ms"},
        {SECOND_US, "1.0 s"},
        {60 * SECOND_US - 1, "59.9 s"},
        {182 * SECOND_US, "3 min 2 s"},
    };

    for (size_t i = 0; i < COUNT(delays); i++) {
        char text[WHEN_SIZE];

        when_format_delay(delays[i].us, text);
        ck_assert_str_eq(text, delays[i].text);
    }
}
END_TEST

START_TEST(times_are_spans_ago_or_dates)
{
    static const struct {
        const char *text;
        uint64_t us;
    } times[] = {
        {"1h", NOW_US - 3600 * SECOND_US},
        {"1970-01-01", 0},
        {"1970-01-02", DAY_US},
        {"2026-11-21T22:22:36", NOW_US},
        {"2026-11-21T22:22:36Z", NOW_US},
        {"2026-11-21 22:22:36Z", NOW_US},
        {"2026-11-21T22:22Z", NOW_US - 36 * SECOND_US},
        {"2026-11-21 22:22", NOW_US - 36 * SECOND_US},
        {"2026-11-21T22:22:36.5", NOW_US + 500000},
        {"2026-11-21T22:22:36.000001Z", NOW_US + 1},
        {"2026-11-21T22:22:36.1234567Z", NOW_US + 123456},
    };

    for (size_t i = 0; i < COUNT(times); i++) {
        uint64_t us;

        ck_assert_msg(when_parse_time(times[i].text, NOW_US, &us), "%s",
                      times[i].text);
        ck_assert_msg(us == times[i].us, "%s: %ju", times[i].text,
                      (uintmax_t)us);
    }
}
END_TEST

START_TEST(a_time_before_all_times_is_the_first)
{
    uint64_t us;

    ck_assert(when_parse_time("9999w", NOW_US, &us));
    ck_assert_uint_eq(us, 0);
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
    static const char *const wrong[] = {
        "",
        "yesterday",
        "1500",
        "2026",
        "2026-11",
        "2026-13-01",
        "2026-02-31",
        "2025-02-29",
        "2026-11-21T",
        "2026-11-21T25:00",
        "2026-11-21T22:22:61",
        "2026-11-21T22",
        "2026-11-21T22:22:",
        "2026-11-21T22:22:36+01:00",
        "2026-11-21x",
        "1969-12-31",
        "2026-11-21T22:22ZZ",
    };
    uint64_t us;

    for (size_t i = 0; i < COUNT(wrong); i++) {
        ck_assert_msg(!when_parse_time(wrong[i], NOW_US, &us), "%s", wrong[i]);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("when");
    TCase *tcase = tcase_create("when");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, spans_are_read_and_written_the_same);
    tcase_add_test(tcase, minutes_have_a_short_name);
    tcase_add_test(tcase, a_span_is_written_in_the_largest_unit_without_a_rest);
    tcase_add_test(tcase, a_number_alone_needs_a_unit_to_count);
    tcase_add_test(tcase, what_is_no_span_is_refused);
    tcase_add_test(tcase, a_duration_has_its_two_largest_units);
    tcase_add_test(tcase, a_delay_is_told_as_exactly_as_it_matters);
    tcase_add_test(tcase, times_are_spans_ago_or_dates);
    tcase_add_test(tcase, a_time_before_all_times_is_the_first);
    tcase_add_test(tcase, what_is_no_time_is_refused);
    return run_suite(suite);
}
