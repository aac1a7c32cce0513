#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int ran, failed;

    srunner_run_all(runner, CK_ENV);
    ran = srunner_ntests_run(runner);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (ran == 0) {
        fprintf(stderr, "no test was run\n");
    }
    return ran > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *
join(const char *root, const char *name)
{
    static char path[1024];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    return path;
}

const char *
run_source(const char *name)
{
    return join(SOURCE_ROOT, name);
}

const char *
run_build(const char *name)
{
    return join(BUILD_ROOT, name);
}

const char *
run_data(const char *name)
{
    const char *path = join(SOURCE_ROOT "/../shared/data", name);

    if (access(path, R_OK) != 0) {
        printf("skipped: there is no %s\n", path);
        return NULL;
    }
    return path;
}
