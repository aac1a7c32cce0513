/* All paths, one after the other: cost.py runs it under callgrind. */

#include "cost.h"

#include <inttypes.h>
#include <stdio.h>

#include "run.h"

#define NAME_SIZE 64

void
cost_end(const char *path, uint64_t count)
{
    char name[NAME_SIZE];

    CALLGRIND_TOGGLE_COLLECT;
    snprintf(name, sizeof(name), "%s %" PRIu64, path, count);
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_ZERO_STATS;
}

START_TEST(bytes_become_appends_and_events)
{
    cost_wire();
}
END_TEST

START_TEST(appends_are_decided_and_stored)
{
    cost_decide();
}
END_TEST

START_TEST(events_are_found)
{
    cost_read();
}
END_TEST

START_TEST(events_are_handed_out)
{
    cost_group();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cost");
    TCase *tcase = tcase_create("paths");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, bytes_become_appends_and_events);
    tcase_add_test(tcase, appends_are_decided_and_stored);
    tcase_add_test(tcase, events_are_found);
    tcase_add_test(tcase, events_are_handed_out);
    return run_suite(suite);
}
