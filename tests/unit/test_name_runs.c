#include "name_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "memtable.h"
#include "rnd.h"
#include "run.h"

#define LISTS_MAX 6000
#define SOURCES   3
#define NAME_SIZE 16

/* Lists as a memtable adds them, of several memtables. */
static struct memlist lists[LISTS_MAX];
static char names[LISTS_MAX][NAME_SIZE];
static size_t lists_count;
static struct name_runs sources[SOURCES];
static size_t source_counts[SOURCES];
static struct rnd rnd;

static void
setup(void)
{
    rnd_init(&rnd);
    lists_count = 0;
    memset(sources, 0, sizeof(sources));
    memset(source_counts, 0, sizeof(source_counts));
    alloc_reset();
}

static void
teardown(void)
{
    for (size_t i = 0; i < SOURCES; i++) {
        name_runs_fini(&sources[i]);
    }
}

static void
add_unsorted(size_t source, const char *name)
{
    struct memlist *list = &lists[lists_count];

    ck_assert_uint_lt(lists_count, LISTS_MAX);
    snprintf(names[lists_count], NAME_SIZE, "%s", name);
    *list =
        (struct memlist){.name = {LIST_STREAM, slice_of(names[lists_count])}};
    lists_count++;
    source_counts[source]++;
    name_runs_add(&sources[source], list);
}

static void
add(size_t source, const char *name)
{
    struct name_run *run;

    add_unsorted(source, name);
    run = name_runs_sort(&sources[source]);
    if (run != NULL) {
        name_runs_publish(&sources[source], run);
    }
}

/* No source has a name twice; two may have the same. */
static void
add_random(size_t source, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[NAME_SIZE];

        snprintf(name, sizeof(name), "%03ju-%zu",
                 (uintmax_t)rnd_below(&rnd, 300), source_counts[source]);
        add(source, name);
    }
}

static int
compare(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Walk, and compare with all names from there on, sorted. */
static void
assert_walks_in_order(struct slice from, bool inclusive)
{
    static struct slice wanted[LISTS_MAX];
    struct name_walk walk = {0};
    const struct memlist *list;
    size_t count = 0, at = 0, source;

    for (size_t i = 0; i < lists_count; i++) {
        int order = slice_compare(lists[i].name.name, from);

        if (inclusive ? order >= 0 : order > 0) {
            wanted[count++] = lists[i].name.name;
        }
    }
    qsort(wanted, count, sizeof(wanted[0]), compare);
    for (size_t i = 0; i < SOURCES; i++) {
        ck_assert(name_walk_add(&walk, &sources[i], i, from, inclusive));
    }
    while ((list = name_walk_list(&walk, &source)) != NULL) {
        ck_assert_uint_lt(at, count);
        ck_assert(slice_equal(list->name.name, wanted[at++]));
        name_walk_step(&walk);
    }
    ck_assert_uint_eq(at, count);
    name_walk_fini(&walk);
}

START_TEST(random_names_are_walked_in_order_from_any_of_them_on)
{
    for (size_t i = 0; i < SOURCES; i++) {
        add_random(i, rnd_below(&rnd, LISTS_MAX / SOURCES));
    }
    assert_walks_in_order(SLICE_NONE, false);
    for (int i = 0; lists_count > 0 && i < 20; i++) {
        struct slice name = lists[rnd_below(&rnd, lists_count)].name.name;

        assert_walks_in_order(name, i % 2 == 0);
        name.size = (size_t)rnd_below(&rnd, name.size);
        assert_walks_in_order(name, i % 2 == 0);
    }
    assert_walks_in_order(slice_of("x"), true);
}
END_TEST

START_TEST(a_name_of_two_memtables_comes_once_of_each)
{
    bool seen[SOURCES] = {false};
    struct name_walk walk = {0};
    size_t source;

    add_random(0, 1500);
    add(0, "x");
    add(2, "x");
    for (size_t i = 0; i < SOURCES; i++) {
        ck_assert(name_walk_add(&walk, &sources[i], i, slice_of("x"), true));
    }
    while (name_walk_list(&walk, &source) != NULL) {
        ck_assert(!seen[source]);
        seen[source] = true;
        name_walk_step(&walk);
    }
    ck_assert(seen[0]);
    ck_assert(!seen[1]);
    ck_assert(seen[2]);
    name_walk_fini(&walk);
}
END_TEST

START_TEST(what_was_copied_is_walked_as_it_was_while_more_is_added)
{
    struct name_runs then;
    struct name_walk walk = {0};
    size_t source, count = 0;

    add_random(0, 1500);
    then = sources[0];
    add_random(0, 3000);
    ck_assert(name_walk_add(&walk, &then, 0, SLICE_NONE, false));
    while (name_walk_list(&walk, &source) != NULL) {
        count++;
        name_walk_step(&walk);
    }
    ck_assert_uint_eq(count, 1500);
    name_walk_fini(&walk);
}
END_TEST

/* Else a walk would look at each of them. */
START_TEST(few_lists_stay_unsorted)
{
    for (size_t i = 0; i < LISTS_MAX; i++) {
        add_random(0, 1);
        ck_assert_uint_lt(sources[0].unsorted_count, 1024);
    }
    ck_assert_uint_eq(sources[0].runs_count, LISTS_MAX / 1024);
}
END_TEST

START_TEST(without_memory_for_a_run_names_are_sorted_later)
{
    struct name_run *run;

    add_random(0, 1023);
    add_unsorted(0, "x");
    alloc_fail_after = 0;
    run = name_runs_sort(&sources[0]);
    alloc_reset();
    ck_assert_ptr_null(run);
    ck_assert_uint_eq(sources[0].unsorted_count, 1024);
    assert_walks_in_order(SLICE_NONE, false);
    add_random(0, 1);
    ck_assert_uint_eq(sources[0].unsorted_count, 0);
    assert_walks_in_order(SLICE_NONE, false);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("name_runs");
    TCase *tcase = tcase_create("name_runs");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, random_names_are_walked_in_order_from_any_of_them_on);
    tcase_add_test(tcase, a_name_of_two_memtables_comes_once_of_each);
    tcase_add_test(tcase,
                   what_was_copied_is_walked_as_it_was_while_more_is_added);
    tcase_add_test(tcase, few_lists_stay_unsorted);
    tcase_add_test(tcase, without_memory_for_a_run_names_are_sorted_later);
    return run_suite(suite);
}
