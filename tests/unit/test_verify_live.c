/* What is missing of a journal is found while a server writes to it. */

#include "verify_live.h"

#include <check.h>
#include <stdio.h>

#include "base.h"
#include "file.h"
#include "rooms.h"
#include "run.h"

static struct base base;

static void
setup(void)
{
    base_init(&base);
    base_open(&base);
}

static void
teardown(void)
{
    base_fini(&base);
}

static void
let_go(void *user, const struct acta_err *what)
{
    (void)user;
    (void)what;
}

/* How many problems there are. */
static uint64_t
verify_live(void)
{
    struct verify_options options = {.dir = base.path, .problem = let_go};
    struct verify_live *live;
    struct acta_err err;
    uint64_t problems;
    bool done = false;

    ck_assert_int_eq(
        verify_live_new(&live, database_rooms(base.database), &options, &err),
        ACTA_OK);
    while (!done) {
        ck_assert_int_eq(verify_live_step(live, UINT32_MAX, &done, &err),
                         ACTA_OK);
    }
    problems = verify_live_report(live)->problems;
    verify_live_free(live);
    return problems;
}

/* While segment @number is not there it is found, and not behind that. */
static void
is_missed(unsigned number)
{
    char path[400], away[410];
    struct acta_err err;

    ck_assert_uint_eq(verify_live(), 0);
    snprintf(path, sizeof(path), "%s/journal/segment-%016x", base.path, number);
    snprintf(away, sizeof(away), "%s.away", path);
    ck_assert_int_eq(file_rename(path, away, base.path, &err), ACTA_OK);
    ck_assert_uint_gt(verify_live(), 0);
    ck_assert_int_eq(file_rename(away, path, base.path, &err), ACTA_OK);
    ck_assert_uint_eq(verify_live(), 0);
}

START_TEST(a_journal_that_is_missing_is_found)
{
    is_missed(1);
}
END_TEST

/* Of the newest its entries are missing, of one in the middle those between,
 * and of the oldest those that the store has not.
 */
START_TEST(a_segment_that_is_missing_is_found)
{
    base_append_many(&base, "s-1", 1, 40, 65536);
    ck_assert_uint_eq(base_journal_files(&base, "segment-"), 3);
    for (unsigned number = 1; number <= 3; number++) {
        is_missed(number);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("verify live");
    TCase *tcase = tcase_create("verify live");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_journal_that_is_missing_is_found);
    tcase_add_test(tcase, a_segment_that_is_missing_is_found);
    return run_suite(suite);
}
