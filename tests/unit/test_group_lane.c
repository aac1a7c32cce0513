/* What a member has in hand, against the same in a plain array. */

#include "group_lane.h"

#include "group_key.h"
#include "rnd.h"
#include "run.h"

#define STEPS   20000
#define IN_LANE 300 /* At most, but for what is done behind the first. */

/* What is in hand, in the order of handing out, done or not. */
struct given {
    struct group_light lights[STEPS];
    size_t count;
};

static struct group_key key;
static struct given given;
static struct rnd rnd;

/* Hand out some under a new fence: first such as had to wait, in any order. */
static void
hand_out(struct group_lane *lane, uint64_t fence, uint64_t *position)
{
    size_t waited = rnd_below(&rnd, 5);
    size_t count = waited + rnd_below(&rnd, 20);
    uint64_t back = *position;

    *position += 100;
    for (size_t i = 0; i < count && given.count < STEPS; i++) {
        struct group_light light = {
            .key = &key,
            .fence = fence,
            .size = 1,
            .has_waited = i < waited,
        };

        if (i < waited) {
            light.position = back + 1 + (i * 37 + fence) % 99;
        } else {
            light.position = ++*position;
        }
        given.lights[given.count++] = light;
        ck_assert(group_lane_put(lane, &light));
    }
}

static const struct group_light *
first_given(void)
{
    for (size_t i = 0; i < given.count; i++) {
        if (given.lights[i].key != NULL) {
            return &given.lights[i];
        }
    }
    return NULL;
}

static size_t
count_given(void)
{
    size_t count = 0;

    for (size_t i = 0; i < given.count; i++) {
        count += given.lights[i].key != NULL;
    }
    return count;
}

static void
check_first(const struct group_lane *lane)
{
    const struct group_light *first = group_lane_first(lane);
    const struct group_light *expected = first_given();

    ck_assert_int_eq(first == NULL, expected == NULL);
    ck_assert_int_eq(group_lane_is_empty(lane), expected == NULL);
    if (first != NULL) {
        ck_assert_uint_eq(first->position, expected->position);
        ck_assert_uint_eq(first->fence, expected->fence);
    }
}

/* One of all that were ever given, if any were, is found unless it is done. */
static void
take_any(struct group_lane *lane)
{
    struct group_light *some, *found;

    if (given.count == 0) {
        return;
    }
    some = &given.lights[rnd_below(&rnd, given.count)];
    found = group_lane_find(lane, some->position, some->fence);
    ck_assert_ptr_null(group_lane_find(lane, some->position, some->fence + 1));
    if (some->key == NULL) {
        ck_assert_ptr_null(found);
        return;
    }
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(found->position, some->position);
    ck_assert_uint_eq(found->fence, some->fence);
    some->key = NULL;
    group_lane_take(lane, found);
}

static void
take_first(struct group_lane *lane)
{
    struct group_light *first = group_lane_first(lane);
    struct group_light *some;

    if (first != NULL) {
        some = &given.lights[first_given() - given.lights];
        ck_assert_uint_eq(first->position, some->position);
        some->key = NULL;
        group_lane_take(lane, first);
    }
}

START_TEST(a_lane_has_what_was_put_and_not_taken)
{
    struct group_lane lane = {0};
    uint64_t position = 0, fence = 0;

    rnd_init(&rnd);
    hand_out(&lane, fence += 2, &position);
    for (int step = 0; step < 3000 && given.count < STEPS; step++) {
        switch (count_given() < IN_LANE ? rnd_below(&rnd, 4)
                                        : 1 + rnd_below(&rnd, 3)) {
        case 0:
            hand_out(&lane, fence += 2, &position);
            break;
        case 1:
            take_any(&lane);
            break;
        default:
            take_first(&lane);
        }
        check_first(&lane);
    }
    while (!group_lane_is_empty(&lane)) {
        take_first(&lane);
        check_first(&lane);
    }
    ck_assert_uint_eq(count_given(), 0);
    group_lane_fini(&lane);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("group lane");
    TCase *tcase = tcase_create("lane");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_lane_has_what_was_put_and_not_taken);
    return run_suite(suite);
}
