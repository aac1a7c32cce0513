#include "places.h"

#include <stdlib.h>

#include "run.h"

static struct places *places;
static const uint8_t bytes[3];

static void
setup(void)
{
    places = places_new();
    places_for(places, 7);
}

static void
teardown(void)
{
    free(places);
}

/* A block of @count positions from @first on, found by @position. */
static void
keep(uint64_t position, uint64_t first, uint32_t count, const uint8_t *data)
{
    struct place place = {
        .data = data, .size = 100, .count = count, .first = first};

    places_keep(places, position, &place);
}

static const uint8_t *
find(uint64_t position)
{
    struct place place;

    return places_find(places, position, &place) ? place.data : NULL;
}

START_TEST(a_block_that_was_kept_is_found_by_all_its_positions_near_that_one)
{
    keep(130, 100, 40, &bytes[0]);
    for (uint64_t position = 100; position < 140; position++) {
        ck_assert_ptr_eq(find(position), &bytes[0]);
    }
    ck_assert_ptr_null(find(99));
    ck_assert_ptr_null(find(140));
}
END_TEST

START_TEST(two_blocks_that_share_a_slot_are_both_known_if_they_have_others)
{
    keep(100, 70, 70, &bytes[0]);
    keep(139, 70, 70, &bytes[0]);
    keep(140, 140, 70, &bytes[1]);
    keep(200, 140, 70, &bytes[1]);
    for (uint64_t position = 70; position < 210; position++) {
        ck_assert_ptr_eq(find(position), &bytes[position >= 140]);
    }
}
END_TEST

START_TEST(a_new_place_takes_that_of_an_older_one)
{
    uint64_t far = (uint64_t)PLACES_COUNT << PLACES_SHIFT;

    keep(130, 130, 5, &bytes[0]);
    keep(150, 150, 5, &bytes[1]);
    ck_assert_ptr_null(find(130));
    ck_assert_ptr_eq(find(150), &bytes[1]);
    keep(150 + far, 150 + far, 5, &bytes[2]);
    ck_assert_ptr_null(find(150));
    ck_assert_ptr_eq(find(150 + far), &bytes[2]);
}
END_TEST

START_TEST(the_first_slot_and_the_last_are_neighbours)
{
    uint64_t end = (uint64_t)PLACES_COUNT << PLACES_SHIFT;

    keep(end - 1, end - 10, 20, &bytes[0]);
    ck_assert_ptr_eq(find(end + 5), &bytes[0]);
    keep(2 * end, 2 * end - 10, 20, &bytes[1]);
    ck_assert_ptr_eq(find(2 * end - 5), &bytes[1]);
}
END_TEST

START_TEST(places_of_another_state_are_forgotten)
{
    keep(130, 100, 40, &bytes[0]);
    places_for(places, 7);
    ck_assert_ptr_eq(find(130), &bytes[0]);
    places_for(places, 8);
    ck_assert_ptr_null(find(130));
    places_for(places, 7);
    ck_assert_ptr_null(find(130));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("places");
    TCase *tcase = tcase_create("places");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(
        tcase,
        a_block_that_was_kept_is_found_by_all_its_positions_near_that_one);
    tcase_add_test(
        tcase, two_blocks_that_share_a_slot_are_both_known_if_they_have_others);
    tcase_add_test(tcase, the_first_slot_and_the_last_are_neighbours);
    tcase_add_test(tcase, a_new_place_takes_that_of_an_older_one);
    tcase_add_test(tcase, places_of_another_state_are_forgotten);
    return run_suite(suite);
}
