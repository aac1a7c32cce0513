/* A program that takes backups of a database that it works with, for others to
 * record what it does to the archive: steps of the script up to WORK_TO, and
 * after each a backup to the directory WORK_ARCHIVE, every fifth of them anew.
 * Each is noted in the file WORK_NOTES when it is complete: a line with its
 * last commit. The database is at WORK_DATABASE. It is a test so that what it
 * uses can fail as tests do.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"
#include "script.h"
#include "take.h"

#define PATIENCE_MS 20000
#define ANEW_EVERY  5

static void
note(int notes, const char *line)
{
    ck_assert(write(notes, line, strlen(line)) == (ssize_t)strlen(line));
}

START_TEST(backups_are_taken)
{
    unsigned to = (unsigned)strtoul(getenv("WORK_TO"), NULL, 10);
    const char *archive = getenv("WORK_ARCHIVE");
    uint64_t cuts[SCRIPT_JOBS];
    struct acta_err err;
    struct base base;
    struct took took;
    size_t cuts_count;
    char line[40];
    int notes;

    notes = open(getenv("WORK_NOTES"),
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(notes, 0);
    note(notes, "0\n");
    script_init(&base, getenv("WORK_DATABASE"));
    script_set_time(0);
    base_open(&base);
    for (unsigned step = 1; step <= to; step++) {
        struct take take = {.anew = step % ANEW_EVERY == 0, .chunk_size = 5000};

        script_set_time(step);
        ck_assert_int_eq(script_do(&base, step, PATIENCE_MS, cuts, &cuts_count),
                         ACTA_OK);
        ck_assert_msg(take_backup(&base, archive, &take, &took, &err) ==
                          ACTA_OK,
                      "%s", err.text);
        snprintf(line, sizeof(line), "%ju\n", (uintmax_t)took.sequence);
        note(notes, line);
    }
    base_close(&base);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("work");
    TCase *tcase = tcase_create("work");

    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, backups_are_taken);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
