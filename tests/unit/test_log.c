#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

static char line[LOG_LINE_MAX];

/* The line of @fields as a string, without its end. */
static const char *
format(const struct wall_time *time, const struct log_field *fields)
{
    size_t size = log_format(line, LOG_LEVEL_WARNING, time, fields);

    ck_assert_uint_le(size, LOG_LINE_MAX);
    ck_assert_int_eq(line[size - 1], '\n');
    line[size - 1] = '\0';
    return line;
}

static const char *
format_value(const char *value)
{
    return strchr(format(NULL, LOG_FIELDS(log_text("k", value))), 'k');
}

START_TEST(line_has_time_level_and_fields_in_order)
{
    struct wall_time time = {UINT64_C(1767323045678901)};

    ck_assert_str_eq(format(&time, LOG_FIELDS(log_event("listening"),
                                              log_number("port", 2282))),
                     "time=2026-01-02T03:04:05.678Z level=warning "
                     "event=listening port=2282");
}
END_TEST

START_TEST(line_for_the_journal_begins_with_its_priority)
{
    ck_assert_str_eq(format(NULL, LOG_FIELDS(log_event("e"))),
                     "<4>level=warning event=e");
}
END_TEST

START_TEST(values_are_quoted_only_where_needed)
{
    ck_assert_str_eq(format_value("plain-1.2:3/[x]"), "k=plain-1.2:3/[x]");
    ck_assert_str_eq(format_value(""), "k=\"\"");
    ck_assert_str_eq(format_value("two words"), "k=\"two words\"");
    ck_assert_str_eq(format_value("a=b"), "k=\"a=b\"");
    ck_assert_str_eq(format_value("say \"x\""), "k=\"say \\\"x\\\"\"");
    ck_assert_str_eq(format_value("back\\slash"), "k=\"back\\\\slash\"");
}
END_TEST

/* What a peer sends must not become a line of its own. */
START_TEST(control_characters_never_reach_the_log)
{
    ck_assert_str_eq(format_value("a\nlevel=info\x1b\x7f"),
                     "k=\"a\\x0alevel=info\\x1b\\x7f\"");
}
END_TEST

START_TEST(long_line_is_cut_and_still_ends)
{
    static char text[2 * LOG_LINE_MAX];

    memset(text, 'x', sizeof(text) - 1);
    ck_assert_uint_eq(strlen(format(NULL, LOG_FIELDS(log_text("k", text)))),
                      LOG_LINE_MAX - 1);
}
END_TEST

START_TEST(levels_have_names)
{
    enum log_level level;

    ck_assert(log_parse_level(&level, "error"));
    ck_assert_int_eq(level, LOG_LEVEL_ERROR);
    ck_assert(log_parse_level(&level, "debug"));
    ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
    ck_assert(!log_parse_level(&level, "verbose"));
    ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
}
END_TEST

START_TEST(only_lines_up_to_the_level_are_written)
{
    char got[256];
    ssize_t size;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    log_set_level(LOG_LEVEL_WARNING);
    log_info(log_event("not-this"));
    log_warning(log_event("this"));
    size = read(ends[0], got, sizeof(got) - 1);
    ck_assert_int_gt(size, 0);
    got[size] = '\0';
    ck_assert_ptr_null(strstr(got, "not-this"));
    ck_assert_ptr_nonnull(strstr(got, "event=this\n"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, line_has_time_level_and_fields_in_order);
    tcase_add_test(tcase, line_for_the_journal_begins_with_its_priority);
    tcase_add_test(tcase, values_are_quoted_only_where_needed);
    tcase_add_test(tcase, control_characters_never_reach_the_log);
    tcase_add_test(tcase, long_line_is_cut_and_still_ends);
    tcase_add_test(tcase, levels_have_names);
    tcase_add_test(tcase, only_lines_up_to_the_level_are_written);
    return run_suite(suite);
}
