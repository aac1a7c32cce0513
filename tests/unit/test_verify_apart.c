/* Verifying in a process of its own says the same as in this one, and the death
 * of that process is told as what it means.
 */

#include "verify_apart.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "run.h"

#define PAGE 4096

static struct base base;

/* Happens in the other process, before it looks at the store's tables. */
static void (*before_tables)(void);

/* Names that the linker makes: see --wrap in ld(1). */
enum acta_code __real_store_view_begin(struct store_view *view,
                                       struct acta_err *err);
enum acta_code __wrap_store_view_begin(struct store_view *view,
                                       struct acta_err *err);

enum acta_code
__wrap_store_view_begin(struct store_view *view, struct acta_err *err)
{
    if (before_tables != NULL) {
        before_tables();
    }
    return __real_store_view_begin(view, err);
}

static void
setup(void)
{
    before_tables = NULL;
    base_init(&base);
    base_open(&base);
    base_append_many(&base, "order-1", 1, 50, 100);
    base_close(&base);
}

static void
teardown(void)
{
    before_tables = NULL;
    base_fini(&base);
}

static const char *
path_of(const char *name)
{
    static char path[400];

    snprintf(path, sizeof(path), "%s/%s", base.path, name);
    return path;
}

/* ---- verifying ---- */

typedef enum acta_code verify_fn(const struct verify_options *options,
                                 struct verify_report *report,
                                 struct acta_err *err);

/* What was told, each problem with its file. */
struct told {
    struct verify_report report;
    unsigned count;
    char text[4096];
};

static void
note_problem(void *user, const struct acta_err *what)
{
    struct told *told = user;
    size_t used = strlen(told->text);

    ck_assert_int_eq(what->code, ACTA_CORRUPT);
    snprintf(told->text + used, sizeof(told->text) - used, "%s: %s\n",
             told->report.file, what->text);
    told->count++;
}

static enum acta_code
verify_by(verify_fn *verify, struct told *told)
{
    struct verify_options options = {.dir = base.path,
                                     .map_size = base.options.store_map_size,
                                     .problem = note_problem,
                                     .user = told};
    struct acta_err err;

    *told = (struct told){0};
    return verify(&options, &told->report, &err);
}

static void
are_same(const struct verify_report *a, const struct verify_report *b)
{
    ck_assert_str_eq(a->file, b->file);
    ck_assert_uint_eq(a->head, b->head);
    ck_assert_int_eq(a->has_tables, b->has_tables);
    ck_assert_uint_eq(a->pages, b->pages);
    ck_assert_uint_eq(a->events, b->events);
    ck_assert_uint_eq(a->streams, b->streams);
    ck_assert_uint_eq(a->first_entry, b->first_entry);
    ck_assert_uint_eq(a->last_entry, b->last_entry);
    ck_assert_uint_eq(a->problems, b->problems);
}

static void
is_told_the_same(enum acta_code expected)
{
    static struct told here, apart;

    ck_assert_int_eq(verify_by(verify_database, &here), expected);
    ck_assert_int_eq(verify_by(verify_apart, &apart), expected);
    ck_assert_str_eq(apart.text, here.text);
    ck_assert_uint_eq(apart.count, here.report.problems);
    are_same(&apart.report, &here.report);
}

/* One problem, with the store's file. */
static void
is_told_of_the_store(const char *text)
{
    static struct told told;

    ck_assert_int_eq(verify_by(verify_apart, &told), ACTA_OK);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_uint_eq(told.report.problems, 1);
    ck_assert_uint_gt(told.report.pages, 0);
    ck_assert_str_eq(told.report.file, path_of("store/data.mdb"));
    ck_assert_msg(strstr(told.text, text) != NULL, "%s", told.text);
}

/* ---- tests ---- */

START_TEST(what_is_whole_is_told_as_in_this_process)
{
    static struct told told;

    is_told_the_same(ACTA_OK);
    ck_assert_int_eq(verify_by(verify_apart, &told), ACTA_OK);
    ck_assert_uint_eq(told.report.problems, 0);
    ck_assert_uint_eq(told.report.head, 50);
    ck_assert_uint_eq(told.report.events, 50);
    ck_assert_uint_eq(told.report.streams, 1);
    ck_assert_uint_gt(told.report.first_entry, 0);
    ck_assert_uint_ge(told.report.last_entry, told.report.first_entry);
}
END_TEST

START_TEST(problems_come_with_their_files)
{
    static struct told told;

    ck_assert_int_eq(truncate(path_of("store/data.mdb"), 3 * PAGE), 0);
    ck_assert_int_eq(truncate(path_of("journal/segment-0000000000000001"), 0),
                     0);
    is_told_the_same(ACTA_OK);

    ck_assert_int_eq(verify_by(verify_apart, &told), ACTA_OK);
    ck_assert_uint_ge(told.count, 2);
    ck_assert_ptr_nonnull(strstr(told.text, "store/data.mdb: "));
    ck_assert_ptr_nonnull(strstr(told.text, "journal/segment-"));
}
END_TEST

START_TEST(why_it_could_not_begin_is_told)
{
    base_open(&base);
    is_told_the_same(ACTA_IN_USE);
    base_close(&base);
    tempdir_remove(&base.dir);
    is_told_the_same(ACTA_NOT_FOUND);
    tempdir_make(&base.dir);
}
END_TEST

static void
cut_store_short(void)
{
    ck_assert_int_eq(truncate(path_of("store/data.mdb"), 2 * PAGE), 0);
}

START_TEST(a_file_that_is_cut_short_meanwhile_is_a_problem)
{
    before_tables = cut_store_short;
    is_told_of_the_store("a part of it cannot be read");
}
END_TEST

static void
abort_it(void)
{
    abort();
}

static void
fault(void)
{
    raise(SIGSEGV);
}

START_TEST(a_crash_is_a_problem)
{
    before_tables = _i == 0 ? abort_it : fault;
    is_told_of_the_store(strsignal(_i == 0 ? SIGABRT : SIGSEGV));
}
END_TEST

static void
kill_it(void)
{
    raise(SIGKILL);
}

static void
leave(void)
{
    _exit(1);
}

START_TEST(who_ends_the_other_process_has_found_no_damage)
{
    static struct told told;

    before_tables = _i == 0 ? kill_it : leave;
    ck_assert_int_eq(verify_by(verify_apart, &told), ACTA_IO);
    ck_assert_uint_eq(told.count, 0);
    ck_assert_uint_eq(told.report.problems, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("verify_apart");
    TCase *tcase = tcase_create("verify_apart");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_whole_is_told_as_in_this_process);
    tcase_add_test(tcase, problems_come_with_their_files);
    tcase_add_test(tcase, why_it_could_not_begin_is_told);
    tcase_add_test(tcase, a_file_that_is_cut_short_meanwhile_is_a_problem);
    tcase_add_loop_test(tcase, a_crash_is_a_problem, 0, 2);
    tcase_add_loop_test(tcase, who_ends_the_other_process_has_found_no_damage,
                        0, 2);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
