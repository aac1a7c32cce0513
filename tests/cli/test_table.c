/* Tables as they are printed: stdout is a file for as long. */

#include "table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COLUMNS(columns) columns, sizeof(columns) / sizeof((columns)[0])

static const struct table_column fruit[] = {
    {"FRUIT", false},
    {"COUNT", true},
    {"WHERE", false},
};

static struct table table;
static int stdout_before;
static FILE *file;

static void
setup(void)
{
    table_init(&table);
    fflush(stdout);
    stdout_before = dup(STDOUT_FILENO);
    file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(dup2(fileno(file), STDOUT_FILENO), 0);
}

static void
teardown(void)
{
    table_fini(&table);
    fclose(file);
}

static void
row(const char *name, unsigned count, const char *where)
{
    table_row(&table, COLUMNS(fruit));
    table_cell(&table, "%s", name);
    table_cell(&table, "%u", count);
    table_cell(&table, "%s", where);
}

/* What was printed since setup() is @wanted. */
static void
expect(const char *wanted)
{
    char text[1024];
    size_t size;

    fflush(stdout);
    dup2(stdout_before, STDOUT_FILENO);
    close(stdout_before);
    rewind(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    ck_assert_str_eq(text, wanted);
}

START_TEST(columns_are_as_wide_as_what_is_in_them)
{
    row("apple", 5, "here");
    row("pomegranate", 123456, "");
    table_print(&table, "<", ">");
    expect("<FRUIT         COUNT  WHERE>\n"
           "apple             5  here\n"
           "pomegranate  123456  \n");
}
END_TEST

START_TEST(a_character_of_several_bytes_is_one_wide)
{
    row("\xc3\xa4pfel", 1, "x");
    row("kiwi", 2, "y");
    table_print(&table, "", "");
    expect("FRUIT  COUNT  WHERE\n"
           "\xc3\xa4pfel      1  x\n"
           "kiwi       2  y\n");
}
END_TEST

START_TEST(a_row_is_one_line_whatever_is_in_it)
{
    row("a\nb\tc\033[1m", 1, "x");
    table_print(&table, "", "");
    expect("FRUIT      COUNT  WHERE\n"
           "a b c [1m      1  x\n");
}
END_TEST

START_TEST(bunches_have_one_title_and_do_not_get_narrower)
{
    row("pomegranate", 1, "x");
    table_print(&table, "", "");
    row("fig", 2, "y");
    table_print(&table, "", "");
    table_print(&table, "", "");
    expect("FRUIT        COUNT  WHERE\n"
           "pomegranate      1  x\n"
           "fig              2  y\n");
}
END_TEST

START_TEST(a_table_without_rows_is_not_there)
{
    table_print(&table, "<", ">");
    expect("");
}
END_TEST

/* More cells than there was room for at first. */
START_TEST(a_table_grows)
{
    for (unsigned i = 0; i < 1000; i++) {
        row("fig", i, "x");
    }
    ck_assert_uint_eq(table.cells_count, 3000);
    ck_assert_str_eq(table.cells[2998], "999");
    expect("");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("table");
    TCase *tcase = tcase_create("table");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, columns_are_as_wide_as_what_is_in_them);
    tcase_add_test(tcase, a_character_of_several_bytes_is_one_wide);
    tcase_add_test(tcase, a_row_is_one_line_whatever_is_in_it);
    tcase_add_test(tcase, bunches_have_one_title_and_do_not_get_narrower);
    tcase_add_test(tcase, a_table_without_rows_is_not_there);
    tcase_add_test(tcase, a_table_grows);

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
