#include "heap.h"

#include <stdlib.h>

#include "rnd.h"
#include "run.h"

#define NODES 500

static struct heap heap;
static struct heap_node nodes[NODES];

static void
teardown(void)
{
    heap_fini(&heap);
}

static void
put(size_t i, uint64_t time, uint64_t order)
{
    nodes[i].time = time;
    nodes[i].order = order;
    ck_assert(heap_reserve(&heap, 1));
    heap_put(&heap, &nodes[i]);
}

static int
compare(const void *a, const void *b)
{
    const struct heap_node *left = *(struct heap_node *const *)a;
    const struct heap_node *right = *(struct heap_node *const *)b;

    if (left->time != right->time) {
        return left->time < right->time ? -1 : 1;
    }
    return left->order < right->order ? -1 : 1;
}

START_TEST(what_is_put_comes_out_in_order_whatever_is_taken_from_between)
{
    struct heap_node *left[NODES];
    size_t count = 0;
    struct rnd rnd;

    rnd_init(&rnd);
    for (size_t i = 0; i < NODES; i++) {
        put(i, rnd_below(&rnd, 50), i);
    }
    for (size_t i = 0; i < NODES; i++) {
        if (rnd_once_in(&rnd, 3)) {
            heap_remove(&heap, &nodes[i]);
            heap_remove(&heap, &nodes[i]); /* It is in none: nothing. */
        } else {
            left[count++] = &nodes[i];
        }
    }
    qsort(left, count, sizeof(left[0]), compare);
    ck_assert_uint_eq(heap.count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(heap_first(&heap), left[i]);
        heap_remove(&heap, left[i]);
        ck_assert_uint_eq(left[i]->place, 0);
    }
    ck_assert_ptr_null(heap_first(&heap));
}
END_TEST

START_TEST(of_equal_times_the_lower_order_is_first)
{
    put(0, 7, 2);
    put(1, 7, 1);
    put(2, 6, 9);
    ck_assert_ptr_eq(heap_first(&heap), &nodes[2]);
    heap_remove(&heap, &nodes[2]);
    ck_assert_ptr_eq(heap_first(&heap), &nodes[1]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("heap");
    TCase *tcase = tcase_create("heap");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(
        tcase, what_is_put_comes_out_in_order_whatever_is_taken_from_between);
    tcase_add_test(tcase, of_equal_times_the_lower_order_is_first);
    return run_suite(suite);
}
