#include "bigmap.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "run.h"

#define THREADS 4
#define ROUNDS  2000

static struct bigmaps maps;

static void
teardown(void)
{
    bigmap_drop(&maps);
}

static void
assert_all(const uint8_t *map, size_t from, size_t size, uint8_t byte)
{
    size_t i = from;

    while (i < size && map[i] == byte) {
        i++;
    }
    ck_assert_uint_eq(i, size);
}

static size_t
kept_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < BIGMAP_KEPT_MAX; i++) {
        count += atomic_load(&maps.kept[i]) != NULL;
    }
    return count;
}

START_TEST(a_new_map_is_all_zeros_and_large_ones_are_aligned)
{
    static const size_t sizes[] = {16,
                                   4095,
                                   4097,
                                   BIGMAP_SIZE - 1,
                                   BIGMAP_SIZE,
                                   BIGMAP_SIZE + 1,
                                   5 * BIGMAP_SIZE / 2};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *map = bigmap_take(&maps, sizes[i]);

        ck_assert_ptr_nonnull(map);
        assert_all(map, 0, sizes[i], 0);
        if (sizes[i] >= BIGMAP_SIZE) {
            ck_assert_uint_eq((uintptr_t)map % BIGMAP_SIZE, 0);
        }
        bigmap_unmap(map, sizes[i]);
    }
    ck_assert_uint_eq(kept_count(), 0);
}
END_TEST

START_TEST(what_was_given_back_is_taken_again_with_zeros_in_front)
{
    uint8_t *map = bigmap_take(&maps, 5000);

    ck_assert_ptr_nonnull(map);
    memset(map, 7, 5000);
    bigmap_give(&maps, map, 5000);
    ck_assert_ptr_eq(bigmap_take(&maps, 5000), map);
    assert_all(map, 0, 16, 0);
    assert_all(map, 16, 5000, 7);
    ck_assert_uint_eq(kept_count(), 0);
    bigmap_unmap(map, 5000);
}
END_TEST

START_TEST(a_map_of_another_size_is_left_where_it_is)
{
    uint8_t *map = bigmap_take(&maps, 5000);
    uint8_t *other;

    ck_assert_ptr_nonnull(map);
    bigmap_give(&maps, map, 5000);
    other = bigmap_take(&maps, 50000);
    ck_assert_ptr_nonnull(other);
    ck_assert_ptr_ne(other, map);
    ck_assert_uint_eq(kept_count(), 1);
    ck_assert_ptr_eq(bigmap_take(&maps, 5000), map);
    bigmap_unmap(map, 5000);
    bigmap_unmap(other, 50000);
}
END_TEST

START_TEST(no_more_are_kept_than_there_is_room_for)
{
    uint8_t *taken[BIGMAP_KEPT_MAX + 1];

    for (size_t i = 0; i <= BIGMAP_KEPT_MAX; i++) {
        taken[i] = bigmap_take(&maps, 16);
        ck_assert_ptr_nonnull(taken[i]);
    }
    for (size_t i = 0; i <= BIGMAP_KEPT_MAX; i++) {
        bigmap_give(&maps, taken[i], 16);
    }
    ck_assert_uint_eq(kept_count(), BIGMAP_KEPT_MAX);
    bigmap_drop(&maps);
    ck_assert_uint_eq(kept_count(), 0);
}
END_TEST

static void *
take_and_give(void *arg)
{
    uint64_t mine = (uint64_t)(uintptr_t)arg;

    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t *map = bigmap_take(&maps, 64);

        if (map == NULL || map[0] != 0 || map[1] != 0) {
            return arg;
        }
        map[0] = map[7] = mine;
        if (i % 16 == 0) {
            bigmap_drop(&maps);
        }
        if (map[0] != mine || map[7] != mine) {
            return arg;
        }
        bigmap_give(&maps, map, 64);
    }
    return NULL;
}

START_TEST(no_two_threads_have_the_same_map)
{
    pthread_t threads[THREADS];
    void *failed;

    for (uintptr_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, take_and_give, (void *)(i + 1)),
            0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("bigmap");
    TCase *tcase = tcase_create("bigmap");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, a_new_map_is_all_zeros_and_large_ones_are_aligned);
    tcase_add_test(tcase,
                   what_was_given_back_is_taken_again_with_zeros_in_front);
    tcase_add_test(tcase, a_map_of_another_size_is_left_where_it_is);
    tcase_add_test(tcase, no_more_are_kept_than_there_is_room_for);
    tcase_add_test(tcase, no_two_threads_have_the_same_map);
    return run_suite(suite);
}
