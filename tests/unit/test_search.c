#include "search.h"

#include <stdlib.h>

#include "diary.h"
#include "list_cursor.h"
#include "run.h"

static struct diary diary;
static struct store_view *view;
static struct search *search;

static void
setup(void)
{
    diary_open(&diary);
    ck_assert_int_eq(store_view_open(&view, diary.core.rooms.store, NULL),
                     ACTA_OK);
    search = search_new();
    ck_assert_ptr_nonnull(search);
}

static void
teardown(void)
{
    search_free(search);
    store_view_close(view);
    diary_close(&diary);
}

/* The next position from @from on that the query wants, by looking at each. */
static uint64_t
wanted_from(const struct query *query, uint64_t from, uint64_t first,
            uint64_t last, bool backward)
{
    while (from >= first && from <= last) {
        if (query_matches(query, &diary.events[from])) {
            return from;
        }
        from += backward ? (uint64_t)-1 : 1;
    }
    return backward ? POSITION_NONE_BEFORE : POSITION_NONE_AHEAD;
}

/* Search it all with so many steps a call: each call comes further, nothing
 * that is wanted is passed over, and nothing else is found.
 */
static void
assert_finds(const struct query *query, uint64_t first, uint64_t last,
             bool backward, size_t budget)
{
    uint64_t none = backward ? POSITION_NONE_BEFORE : POSITION_NONE_AHEAD;
    uint64_t from = backward ? last : first;

    for (;;) {
        uint64_t expected = wanted_from(query, from, first, last, backward);
        size_t steps = budget;
        uint64_t position;
        bool wanted;

        ck_assert_int_eq(
            search_next(search, from, &position, &wanted, &steps, NULL),
            ACTA_OK);
        ck_assert_uint_le(steps, budget);
        if (wanted) {
            ck_assert_uint_eq(position, expected);
            from = position + (backward ? (uint64_t)-1 : 1);
        } else {
            ck_assert(backward ? position >= expected : position <= expected);
            if (position == none) {
                return;
            }
            ck_assert(backward ? position < from : position > from);
            from = position;
        }
        if (from < first) {
            return;
        }
    }
}

static size_t
random_budget(void)
{
    return rnd_once_in(&diary.rnd, 2) ? 1 + rnd_below(&diary.rnd, 20)
                                      : 1 + rnd_below(&diary.rnd, 2000);
}

static void
check_store(const struct query *query, bool backward)
{
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
    ck_assert_int_eq(search_begin_store(search, query, view, backward, NULL),
                     ACTA_OK);
    assert_finds(query, 1, diary.stored, backward, random_budget());
    store_view_end(view);
}

static void
check_memtable(const struct query *query, bool backward)
{
    struct memtable *memtable = tail_active(&diary.core.rooms.tail);
    uint64_t first = diary.stored + 1;
    uint64_t head = first + rnd_below(&diary.rnd, diary.count - first + 1);

    memtable_lock(memtable);
    ck_assert_int_eq(
        search_begin_memtable(search, query, memtable, head, backward, NULL),
        ACTA_OK);
    assert_finds(query, first, head, backward, random_budget());
    memtable_unlock(memtable);
}

START_TEST(random_queries_find_what_looking_at_every_event_finds)
{
    for (unsigned round = 0; round < rnd_effort(6, 100); round++) {
        diary_add(&diary, 300 + rnd_below(&diary.rnd, 500));
        diary_store(&diary);
        diary_add(&diary, 1 + rnd_below(&diary.rnd, 300));
        for (unsigned i = 0; i < rnd_effort(60, 500); i++) {
            struct query query = diary_query(&diary);

            check_store(&query, i % 2);
            check_memtable(&query, i % 2);
            query_fini(&query);
        }
    }
}
END_TEST

START_TEST(lists_that_never_meet_are_left_behind_in_bounded_steps)
{
    struct draft draft = {.id = 1};
    struct query query = core_query(NULL, NULL, "left right", NULL, NULL);
    size_t steps = 100;
    uint64_t position;
    bool wanted;

    for (uint64_t i = 0; i < 2000; i++) {
        draft.id = i + 1;
        draft.tags[0] = i % 2 == 0 ? "left" : "right";
        ck_assert_int_eq(
            core_append(&diary.core, "a-1", MSG_EXPECT_ANY, &draft, 1),
            ACTA_OK);
    }
    core_checkpoint(&diary.core);
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
    ck_assert_int_eq(search_begin_store(search, &query, view, false, NULL),
                     ACTA_OK);
    ck_assert_int_eq(search_next(search, 1, &position, &wanted, &steps, NULL),
                     ACTA_OK);
    ck_assert(!wanted);
    ck_assert_uint_eq(steps, 0);
    ck_assert_uint_ge(position, 90);
    ck_assert_uint_le(position, 110);
    store_view_end(view);
    query_fini(&query);
}
END_TEST

START_TEST(a_list_with_one_event_leads_over_one_with_many)
{
    struct draft draft = {.tags = {"often"}};
    struct query query = core_query(NULL, NULL, "often once", NULL, NULL);
    size_t steps = 10;
    uint64_t position;
    bool wanted;

    for (uint64_t i = 0; i < 3000; i++) {
        draft.id = i + 1;
        draft.tags[1] = i == 2500 ? "once" : NULL;
        ck_assert_int_eq(
            core_append(&diary.core, "a-1", MSG_EXPECT_ANY, &draft, 1),
            ACTA_OK);
    }
    core_checkpoint(&diary.core);
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
    for (int backward = 0; backward < 2; backward++) {
        steps = 10;
        ck_assert_int_eq(
            search_begin_store(search, &query, view, backward, NULL), ACTA_OK);
        ck_assert_int_eq(search_next(search, backward ? 3000 : 1, &position,
                                     &wanted, &steps, NULL),
                         ACTA_OK);
        ck_assert(wanted);
        ck_assert_uint_eq(position, 2501);
        ck_assert_uint_ge(steps, 6);
    }
    store_view_end(view);
    query_fini(&query);
}
END_TEST

START_TEST(only_a_query_with_an_item_that_wants_all_is_for_all)
{
    struct query all = QUERY_ALL;
    struct query some = core_query("a", NULL, NULL, NULL, NULL);
    struct query mixed[2] = {core_query("a", NULL, NULL, NULL, NULL),
                             core_query(NULL, NULL, NULL, NULL, NULL)};
    struct query either = core_query_or(mixed, 2);

    ck_assert(search_is_all(&all));
    ck_assert(!search_is_all(&some));
    ck_assert(search_is_all(&either));
    query_fini(&some);
    query_fini(&either);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("search");
    TCase *tcase = tcase_create("search");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   random_queries_find_what_looking_at_every_event_finds);
    tcase_add_test(tcase,
                   lists_that_never_meet_are_left_behind_in_bounded_steps);
    tcase_add_test(tcase, a_list_with_one_event_leads_over_one_with_many);
    tcase_add_test(tcase, only_a_query_with_an_item_that_wants_all_is_for_all);
    return run_suite(suite);
}
