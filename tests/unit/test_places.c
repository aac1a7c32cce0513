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

START_TEST(a_block_that_was_kept_is_found_by_its_positions_near_that_one)
{
    keep(130, 100, 40, &bytes[0]);
    ck_assert_ptr_eq(find(130), &bytes[0]);
    ck_assert_ptr_eq(find(128), &bytes[0]);
    ck_assert_ptr_eq(find(139), &bytes[0]);
    ck_assert_ptr_null(find(140));
    ck_assert_ptr_null(find(100)); /* That would be another slot. */
    keep(100, 100, 40, &bytes[0]);
    ck_assert_ptr_eq(find(100), &bytes[0]);
    ck_assert_ptr_null(find(99));
}
END_TEST

START_TEST(a_new_place_takes_that_of_an_older_one)
{
    uint64_t far = (uint64_t)PLACES_COUNT << PLACES_SHIFT;

    keep(130, 100, 40, &bytes[0]);
    keep(150, 140, 40, &bytes[1]);
    ck_assert_ptr_null(find(130));
    ck_assert_ptr_eq(find(150), &bytes[1]);
    keep(150 + far, 140 + far, 40, &bytes[2]);
    ck_assert_ptr_null(find(150));
    ck_assert_ptr_eq(find(150 + far), &bytes[2]);
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
        tcase, a_block_that_was_kept_is_found_by_its_positions_near_that_one);
    tcase_add_test(tcase, a_new_place_takes_that_of_an_older_one);
    tcase_add_test(tcase, places_of_another_state_are_forgotten);
    return run_suite(suite);
}
