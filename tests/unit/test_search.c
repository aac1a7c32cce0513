#include "search.h"

#include <stdio.h>
#include <stdlib.h>

#include "diary.h"
#include "list_cursor.h"
#include "record.h"
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

/* What looking at the record itself says of a position that may be wanted. */
static bool
check(const struct query *query, uint64_t position)
{
    struct block_record record;
    struct acta_err err;
    bool wanted;

    if (position <= diary.stored) {
        ck_assert_int_eq(store_view_record(view, position, &record, &err),
                         ACTA_OK);
    } else {
        record = memtable_record(tail_active(&diary.core.rooms.tail), position);
    }
    ck_assert_msg(search_check(query, &record, &wanted, &err) == ACTA_OK, "%s",
                  err.text);
    return wanted;
}

/* Search it all with so many steps a call: each call comes further, nothing
 * that is wanted is passed over, and nothing else is found. Returns how many
 * calls that took.
 */
static size_t
assert_finds(const struct query *query, uint64_t first, uint64_t last,
             bool backward, size_t budget)
{
    uint64_t none = backward ? POSITION_NONE_BEFORE : POSITION_NONE_AHEAD;
    uint64_t from = backward ? last : first;

    for (size_t calls = 1;; calls++) {
        uint64_t expected = wanted_from(query, from, first, last, backward);
        enum search_verdict verdict;
        size_t steps = budget;
        uint64_t position;

        ck_assert_int_eq(
            search_next(search, from, &position, &verdict, &steps, NULL),
            ACTA_OK);
        ck_assert_uint_le(steps, budget);
        ck_assert(backward ? position >= expected : position <= expected);
        if (position == none) {
            return calls;
        }
        if (verdict == SEARCH_UNKNOWN) {
            ck_assert(backward ? position < from : position > from);
            from = position;
            continue;
        }
        if (verdict == SEARCH_WANTED) {
            ck_assert_uint_eq(position, expected);
        } else {
            ck_assert(steps == 0 || steps <= budget - SEARCH_CHECK_STEPS);
            ck_assert_int_eq(check(query, position), position == expected);
        }
        from = position + (backward ? (uint64_t)-1 : 1);
        if (from < first) {
            return calls;
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
    (void)assert_finds(query, 1, diary.stored, backward, random_budget());
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
    (void)assert_finds(query, first, head, backward, random_budget());
    memtable_unlock(memtable);
}

START_TEST(random_queries_find_what_looking_at_every_event_finds)
{
    for (unsigned round = 0; round < rnd_effort(6, 20); round++) {
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

/* The query with prefixes in some of its items, which it shares. */
static struct query
add_prefixes(const struct query *query, struct query_item *items)
{
    static const struct slice types[] = {
        {(const uint8_t *)"A", 1},   {(const uint8_t *)"Mov", 3},
        {(const uint8_t *)"Ta", 2},  {(const uint8_t *)"Lo", 2},
        {(const uint8_t *)"Add", 3}, {(const uint8_t *)"Movedx", 6},
    };
    static const struct slice streams[] = {
        {(const uint8_t *)"a", 1},   {(const uint8_t *)"b-", 2},
        {(const uint8_t *)"c-1", 3}, {(const uint8_t *)"a-", 2},
        {(const uint8_t *)"d", 1},   {(const uint8_t *)"b-12", 4},
    };

    for (size_t i = 0; i < query->items_count; i++) {
        struct query_terms *type = &items[i].fields[QUERY_TYPES];
        struct query_terms *stream = &items[i].fields[QUERY_STREAMS];

        items[i] = query->items[i];
        if (rnd_once_in(&diary.rnd, 2)) {
            type->prefixes = types + rnd_below(&diary.rnd, 4);
            type->prefixes_count = 1 + rnd_below(&diary.rnd, 3);
        }
        if (rnd_once_in(&diary.rnd, 2)) {
            stream->prefixes = streams + rnd_below(&diary.rnd, 4);
            stream->prefixes_count = 1 + rnd_below(&diary.rnd, 3);
        }
    }
    return (struct query){.items = items, .items_count = query->items_count};
}

START_TEST(random_prefixes_find_what_looking_at_every_event_finds)
{
    struct query_item items[ACTA_QUERY_ITEMS_MAX];

    for (unsigned round = 0; round < rnd_effort(6, 20); round++) {
        diary_add(&diary, 300 + rnd_below(&diary.rnd, 500));
        diary_store(&diary);
        diary_add(&diary, 1 + rnd_below(&diary.rnd, 300));
        for (unsigned i = 0; i < rnd_effort(60, 500); i++) {
            struct query query = diary_query(&diary);
            struct query more = add_prefixes(&query, items);

            check_store(&more, i % 2);
            check_memtable(&more, i % 2);
            query_fini(&query);
        }
    }
}
END_TEST

/* ---- prefixes that stand for many lists ---- */

#define MANY 400

static char type_names[MANY][16];   /* "Type-000" and so on. */
static char stream_names[MANY][16]; /* "many-000" and so on. */

/* Note @count events, each in a stream and of a type of its own. */
static void
note_many(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct event *event = &diary.events[diary.count + 1];
        struct buf *content = &diary.contents[diary.count + 1];
        struct draft draft = {.id = diary.count + 1, .type = type_names[i]};

        snprintf(type_names[i], sizeof(type_names[i]), "Type-%03zu", i);
        snprintf(stream_names[i], sizeof(stream_names[i]), "many-%03zu", i);
        if (i % 50 == 0) {
            draft.tags[0] = "seldom";
        }
        buf_init(content, 1000);
        draft_event(event, content, stream_names[i], &draft);
        event->position = ++diary.count;
        ck_assert_int_eq(core_append(&diary.core, stream_names[i],
                                     MSG_EXPECT_ANY, &draft, 1),
                         ACTA_OK);
    }
}

/* Many of them in the store, and again in the memtable. */
static void
note_many_twice(size_t count)
{
    note_many(count);
    diary_store(&diary);
    note_many(count);
}

/* The query of one item with these prefixes, each of which may be NULL, and
 * with a tag, which may be.
 */
static struct query
prefix_query(const char *type, const char *stream, const char *tag)
{
    static struct slice texts[3];
    static struct query_item item;

    item = (struct query_item){0};
    if (type != NULL) {
        texts[0] = slice_of(type);
        item.fields[QUERY_TYPES] =
            (struct query_terms){.prefixes = &texts[0], .prefixes_count = 1};
    }
    if (stream != NULL) {
        texts[1] = slice_of(stream);
        item.fields[QUERY_STREAMS] =
            (struct query_terms){.prefixes = &texts[1], .prefixes_count = 1};
    }
    if (tag != NULL) {
        texts[2] = slice_of(tag);
        item.fields[QUERY_TAGS] =
            (struct query_terms){.texts = &texts[2], .count = 1};
    }
    return (struct query){.items = &item, .items_count = 1};
}

START_TEST(prefixes_of_many_lists_find_what_looking_at_every_event_finds)
{
    diary_add(&diary, 500);
    note_many_twice(MANY);
    for (unsigned i = 0; i < rnd_effort(100, 500); i++) {
        /* Of hundreds, of a hundred, of ten, of one, of none. */
        static const char *const types[] = {"T",        "Type-1",   "Type-22",
                                            "Type-333", "Type-4x1", NULL};
        static const char *const streams[] = {"m",       "many-",    "many-2",
                                              "many-33", "many-111", "man-",
                                              "many-1x", NULL};
        const char *type = types[rnd_below(&diary.rnd, 6)];
        const char *stream = streams[rnd_below(&diary.rnd, 8)];

        bool has_tag =
            (type == NULL && stream == NULL) || rnd_once_in(&diary.rnd, 3);
        struct query query =
            prefix_query(type, stream, has_tag ? "seldom" : NULL);

        check_store(&query, i % 2);
        check_memtable(&query, i % 2);
    }
}
END_TEST

/* Search the store for all of @query with so many steps, and return how many
 * are left.
 */
static size_t
search_store_all(const struct query *query, size_t steps, size_t *sure,
                 size_t *maybe)
{
    enum search_verdict verdict;
    uint64_t position = 0;

    *sure = 0;
    *maybe = 0;
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
    ck_assert_int_eq(search_begin_store(search, query, view, false, NULL),
                     ACTA_OK);
    do {
        ck_assert_uint_gt(steps, 0);
        ck_assert_int_eq(search_next(search, position + 1, &position, &verdict,
                                     &steps, NULL),
                         ACTA_OK);
        *sure += verdict == SEARCH_WANTED;
        *maybe += verdict == SEARCH_MAYBE;
    } while (position != POSITION_NONE_AHEAD);
    store_view_end(view);
    return steps;
}

START_TEST(a_search_takes_steps_by_what_it_finds_not_by_what_it_skips)
{
    size_t sure, maybe;

    diary_add(&diary, 5000);
    note_many(MANY);
    diary_add(&diary, 5000);
    diary_store(&diary);

    for (int i = 0; i < 2; i++) {
        struct query query = prefix_query(i == 0 ? "Type-33" : NULL,
                                          i == 1 ? "many-33" : NULL, NULL);
        size_t left = search_store_all(&query, 1000, &sure, &maybe);

        ck_assert_uint_eq(sure, 10);
        ck_assert_uint_eq(maybe, 0);
        ck_assert_uint_ge(left, 1000 - 40);
    }
}
END_TEST

START_TEST(a_prefix_of_too_many_lists_leaves_the_search_to_the_others)
{
    size_t sure, maybe;
    struct query query;

    diary_add(&diary, 3000);
    note_many(MANY);
    diary_store(&diary);

    /* Only the events with the tag are looked at, all eight of them. */
    query = prefix_query("Type-", NULL, "seldom");
    ck_assert_uint_ge(search_store_all(&query, 1000, &sure, &maybe), 900);
    ck_assert_uint_eq(sure, 0);
    ck_assert_uint_eq(maybe, 8);

    /* Only those of the category. */
    query = prefix_query(NULL, "many-1", NULL);
    ck_assert_uint_ge(search_store_all(&query, 10000, &sure, &maybe), 7000);
    ck_assert_uint_eq(sure, 0);
    ck_assert_uint_eq(maybe, MANY);

    /* A category begins like it, and nothing else is in it. */
    query = prefix_query(NULL, "man", NULL);
    ck_assert_uint_ge(search_store_all(&query, 1000, &sure, &maybe), 500);
    ck_assert_uint_eq(sure, MANY);
    query = prefix_query(NULL, "many-", NULL);
    ck_assert_uint_ge(search_store_all(&query, 1000, &sure, &maybe), 500);
    ck_assert_uint_eq(sure, MANY);
    ck_assert_uint_eq(maybe, 0);
}
END_TEST

START_TEST(
    a_bare_prefix_of_too_many_lists_looks_at_every_event_in_bounded_steps)
{
    struct query query;
    size_t calls;

    note_many(MANY);
    diary_store(&diary);
    query = prefix_query("T", NULL, NULL);
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
    for (int backward = 0; backward < 2; backward++) {
        size_t steps = 10 * (SEARCH_CHECK_STEPS + 1);
        uint64_t from = backward ? MANY : 1;

        ck_assert_int_eq(
            search_begin_store(search, &query, view, backward, NULL), ACTA_OK);
        for (calls = 0; steps > 0; calls++) {
            enum search_verdict verdict;
            uint64_t position;

            ck_assert_int_eq(
                search_next(search, from, &position, &verdict, &steps, NULL),
                ACTA_OK);
            ck_assert_int_eq(verdict, SEARCH_MAYBE);
            ck_assert_uint_eq(position, from);
            from = backward ? from - 1 : from + 1;
        }
        ck_assert_uint_eq(calls, 10);
    }
    store_view_end(view);
}
END_TEST

/* Where the search, begun anew, comes to from @from on. */
static uint64_t
store_position(const struct query *query, uint64_t from, bool backward,
               enum search_verdict *verdict)
{
    size_t steps = 100;
    uint64_t position;

    ck_assert_int_eq(search_begin_store(search, query, view, backward, NULL),
                     ACTA_OK);
    ck_assert_int_eq(
        search_next(search, from, &position, verdict, &steps, NULL), ACTA_OK);
    return position;
}

START_TEST(a_search_that_looks_at_every_event_stays_in_its_room)
{
    struct query query = prefix_query("T", NULL, NULL);
    enum search_verdict verdict;

    note_many(MANY);
    diary_store(&diary);
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
    ck_assert_uint_eq(store_position(&query, 0, false, &verdict), 1);
    ck_assert_uint_eq(store_position(&query, MANY, false, &verdict), MANY);
    ck_assert_uint_eq(store_position(&query, MANY + 1, false, &verdict),
                      POSITION_NONE_AHEAD);
    ck_assert_uint_eq(store_position(&query, MANY + 9, true, &verdict), MANY);
    ck_assert_uint_eq(store_position(&query, 1, true, &verdict), 1);
    ck_assert_uint_eq(store_position(&query, 0, true, &verdict),
                      POSITION_NONE_BEFORE);
    store_view_end(view);
}
END_TEST

START_TEST(what_one_item_is_sure_of_needs_no_look_because_of_another)
{
    struct query_item items[2] = {*prefix_query("T", NULL, NULL).items,
                                  *prefix_query(NULL, NULL, "seldom").items};
    struct query query = {.items = items, .items_count = 2};
    struct slice type = slice_of("T"), tag = slice_of("seldom");
    enum search_verdict verdict;

    items[0].fields[QUERY_TYPES].prefixes = &type;
    items[1].fields[QUERY_TAGS].texts = &tag;
    note_many(MANY);
    diary_store(&diary);
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
    ck_assert_uint_eq(store_position(&query, 1, false, &verdict), 1);
    ck_assert_int_eq(verdict, SEARCH_WANTED);
    ck_assert_uint_eq(store_position(&query, 2, false, &verdict), 2);
    ck_assert_int_eq(verdict, SEARCH_MAYBE);
    ck_assert_uint_eq(store_position(&query, 51, false, &verdict), 51);
    ck_assert_int_eq(verdict, SEARCH_WANTED);
    store_view_end(view);
}
END_TEST

START_TEST(the_writer_searches_its_memtable_to_the_last_event_without_a_lock)
{
    struct query query = prefix_query(NULL, "many", NULL);

    diary_add(&diary, 10);
    diary_store(&diary);
    diary_add(&diary, 10);
    note_many(20);
    for (int i = 0; i < 3; i++) {
        struct memtable *memtable = tail_active(&diary.core.rooms.tail);
        bool backward = i == 1;

        if (i == 2) { /* Too many names to look at each: every position. */
            note_many(MANY);
            query = prefix_query("Type-", NULL, NULL);
        }
        ck_assert_int_eq(search_begin_memtable(search, &query, memtable,
                                               UINT64_MAX, backward, NULL),
                         ACTA_OK);
        ck_assert_uint_ge(
            assert_finds(&query, diary.stored + 1, diary.count, backward, 1000),
            20);
    }
}
END_TEST

START_TEST(lists_that_never_meet_are_left_behind_in_bounded_steps)
{
    struct draft draft = {.id = 1};
    struct query query = core_query(NULL, NULL, "left right", NULL, NULL);
    size_t steps = 100;
    enum search_verdict verdict;
    uint64_t position;

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
    ck_assert_int_eq(search_next(search, 1, &position, &verdict, &steps, NULL),
                     ACTA_OK);
    ck_assert_int_eq(verdict, SEARCH_UNKNOWN);
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
    enum search_verdict verdict;
    uint64_t position;

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
                                     &verdict, &steps, NULL),
                         ACTA_OK);
        ck_assert_int_eq(verdict, SEARCH_WANTED);
        ck_assert_uint_eq(position, 2501);
        ck_assert_uint_ge(steps, 6);
    }
    store_view_end(view);
    query_fini(&query);
}
END_TEST

START_TEST(no_query_wants_what_is_left_of_an_event)
{
    struct query query = prefix_query("T", NULL, NULL);
    uint8_t stub[RECORD_STUB_SIZE];
    struct block_record record;
    struct acta_err err;
    bool wanted;

    note_many(1);
    ck_assert(check(&query, 1));
    record = memtable_record(tail_active(&diary.core.rooms.tail), 1);
    record_write_stub(stub, slice_make(record.data, record.size));
    record.data = stub;
    record.size = sizeof(stub);
    ck_assert_msg(search_check(&query, &record, &wanted, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert(!wanted);
    record.size--;
    ck_assert_int_eq(search_check(&query, &record, &wanted, &err),
                     ACTA_CORRUPT);
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
    tcase_set_timeout(tcase, 600);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   random_queries_find_what_looking_at_every_event_finds);
    tcase_add_test(tcase,
                   random_prefixes_find_what_looking_at_every_event_finds);
    tcase_add_test(
        tcase, prefixes_of_many_lists_find_what_looking_at_every_event_finds);
    tcase_add_test(tcase,
                   a_search_takes_steps_by_what_it_finds_not_by_what_it_skips);
    tcase_add_test(tcase,
                   a_prefix_of_too_many_lists_leaves_the_search_to_the_others);
    tcase_add_test(
        tcase,
        a_bare_prefix_of_too_many_lists_looks_at_every_event_in_bounded_steps);
    tcase_add_test(tcase, a_search_that_looks_at_every_event_stays_in_its_room);
    tcase_add_test(tcase,
                   what_one_item_is_sure_of_needs_no_look_because_of_another);
    tcase_add_test(
        tcase,
        the_writer_searches_its_memtable_to_the_last_event_without_a_lock);
    tcase_add_test(tcase,
                   lists_that_never_meet_are_left_behind_in_bounded_steps);
    tcase_add_test(tcase, a_list_with_one_event_leads_over_one_with_many);
    tcase_add_test(tcase, no_query_wants_what_is_left_of_an_event);
    tcase_add_test(tcase, only_a_query_with_an_item_that_wants_all_is_for_all);
    return run_suite(suite);
}
