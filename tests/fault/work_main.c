/* The program that work_run() starts. It is a test so that what it uses can
 * fail as tests do.
 */

#include <stdlib.h>
#include <unistd.h>

#include "run.h"
#include "work.h"

START_TEST(the_work_is_done)
{
    int status = work_do();

    if (status != EXIT_SUCCESS) {
        _exit(status);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("work");
    TCase *tcase = tcase_create("work");

    tcase_add_test(tcase, the_work_is_done);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
