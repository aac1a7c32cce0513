/* What is checked in for clients in other languages is what the code makes. */

#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "vector.h"

START_TEST(file_is_what_the_code_makes)
{
    const struct vector_file *vector = &vector_files[_i];
    char name[100], expected[4096], found[4096];
    FILE *made = tmpfile();
    unsigned line = 0;
    FILE *file;

    snprintf(name, sizeof(name), "proto/vectors/%s", vector->name);
    file = fopen(run_source(name), "r");
    ck_assert_msg(file != NULL, "there is no %s", name);
    ck_assert_ptr_nonnull(made);
    vector->write(made);
    rewind(made);
    while (fgets(expected, sizeof(expected), made) != NULL) {
        line++;
        if (fgets(found, sizeof(found), file) == NULL ||
            strcmp(expected, found) != 0) {
            ck_abort_msg("%s, line %u must be: %s(if that is meant: "
                         "./dev vectors)",
                         name, line, expected);
        }
    }
    ck_assert_msg(fgets(found, sizeof(found), file) == NULL,
                  "%s has lines behind its end", name);
    ck_assert_uint_gt(line, 10);
    fclose(file);
    fclose(made);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vectors");
    TCase *tcase = tcase_create("vectors");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, file_is_what_the_code_makes, 0,
                        (int)vector_files_count);
    return run_suite(suite);
}
