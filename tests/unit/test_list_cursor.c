#include "list_cursor.h"

#include <stdlib.h>

#include "diary.h"
#include "run.h"

static struct diary diary;
static struct store_view *view;
static uint64_t *positions; /* Of the list that is looked at, sorted. */
static size_t count;
static size_t runs; /* Positions that came in runs: it ends when some did. */

static void
setup(void)
{
    diary_open(&diary);
    ck_assert_int_eq(store_view_open(&view, diary.core.rooms.store, NULL),
                     ACTA_OK);
    positions = calloc(DIARY_EVENTS_MAX, sizeof(*positions));
    runs = 0;
}

static void
teardown(void)
{
    store_view_close(view);
    free(positions);
    diary_close(&diary);
}

/* The list's positions from @first to @last. */
static void
collect(const struct list_name *name, uint64_t first, uint64_t last)
{
    count = 0;
    for (uint64_t p = first; p <= last; p++) {
        if (diary_is_in(&diary, p, name)) {
            positions[count++] = p;
        }
    }
}

static uint64_t
expected_ahead(uint64_t position)
{
    for (size_t i = 0; i < count; i++) {
        if (positions[i] >= position) {
            return positions[i];
        }
    }
    return POSITION_NONE_AHEAD;
}

static uint64_t
expected_before(uint64_t position)
{
    for (size_t i = count; i > 0; i--) {
        if (positions[i - 1] <= position) {
            return positions[i - 1];
        }
    }
    return POSITION_NONE_BEFORE;
}

static void
assert_agrees_at(struct list_cursor *cursor, uint64_t position)
{
    uint64_t found;

    ck_assert_int_eq(list_cursor_ahead(cursor, position, &found, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(found, expected_ahead(position));
    ck_assert_int_eq(list_cursor_before(cursor, position, &found, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(found, expected_before(position));
}

/* Every way of moving agrees with the array, in any order of asking. */
static void
assert_agrees(struct list_cursor *cursor)
{
    struct rnd *rnd = &diary.rnd;
    uint64_t found;

    ck_assert_uint_eq(cursor->count, count);
    for (int i = 0; i < 100; i++) {
        uint64_t position = rnd_below(rnd, diary.count + 3);

        if (count > 0 && rnd_once_in(rnd, 2)) { /* Around one that is there. */
            position = positions[rnd_below(rnd, count)] - 1 + rnd_below(rnd, 3);
        }
        assert_agrees_at(cursor, position);
        if (cursor->kind == LIST_STREAM && count > 0) {
            uint64_t ordinal = 1 + rnd_below(rnd, count);

            ck_assert_int_eq(list_cursor_at(cursor, ordinal, &found, NULL),
                             ACTA_OK);
            ck_assert_uint_eq(found, positions[ordinal - 1]);
        }
    }
    assert_agrees_at(cursor, 0);
    assert_agrees_at(cursor, UINT64_MAX);
}

/* From any position on, run by run with one step ahead between them, as many as
 * are asked for and no further than asked: nothing is left out.
 */
static void
assert_runs(struct list_cursor *cursor)
{
    struct rnd *rnd = &diary.rnd;
    uint64_t at = rnd_below(rnd, diary.count + 3);
    uint64_t last = at + rnd_below(rnd, diary.count + 3);
    uint64_t run[20];

    for (;;) {
        size_t wanted = 1 + rnd_below(rnd, 20);
        size_t got = list_cursor_run(cursor, at, last, run, wanted);
        uint64_t found;

        ck_assert_uint_le(got, wanted);
        for (size_t i = 0; i < got; i++) {
            ck_assert_uint_le(run[i], last);
            ck_assert_uint_eq(run[i], expected_ahead(at));
            at = run[i] + 1;
        }
        ck_assert_int_eq(list_cursor_ahead(cursor, at, &found, NULL), ACTA_OK);
        ck_assert_uint_eq(found, expected_ahead(at));
        if (found > last) {
            return;
        }
        runs += got;
        at = found + 1;
    }
}

/* All of it, one behind the other, forward and backward. */
static void
assert_walks(struct list_cursor *cursor)
{
    uint64_t found, at = 0;

    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(list_cursor_ahead(cursor, at, &found, NULL), ACTA_OK);
        ck_assert_uint_eq(found, positions[i]);
        at = found + 1;
    }
    at = UINT64_MAX;
    for (size_t i = count; i > 0; i--) {
        ck_assert_int_eq(list_cursor_before(cursor, at, &found, NULL), ACTA_OK);
        ck_assert_uint_eq(found, positions[i - 1]);
        at = found - 1;
    }
    for (size_t i = 0; cursor->kind == LIST_STREAM && i < count; i++) {
        ck_assert_int_eq(list_cursor_at(cursor, i + 1, &found, NULL), ACTA_OK);
        ck_assert_uint_eq(found, positions[i]);
    }
}

static void
check_store(const struct list_name *name)
{
    struct list_cursor *cursor = malloc(sizeof(*cursor));

    collect(name, 1, diary.stored);
    ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
    ck_assert_int_eq(list_cursor_open_store(cursor, view, name, NULL), ACTA_OK);
    assert_agrees(cursor);
    assert_walks(cursor);
    assert_runs(cursor);
    store_view_end(view);
    free(cursor);
}

static void
check_memtable(const struct list_name *name)
{
    struct memtable *memtable = tail_active(&diary.core.rooms.tail);
    uint64_t head =
        diary.stored + rnd_below(&diary.rnd, diary.count - diary.stored + 1);
    struct list_cursor *cursor = malloc(sizeof(*cursor));

    collect(name, diary.stored + 1, head);
    memtable_lock(memtable);
    list_cursor_open_memtable(cursor, memtable, name, head);
    assert_agrees(cursor);
    assert_walks(cursor);
    assert_runs(cursor);
    memtable_unlock(memtable);
    free(cursor);
}

/* After each of many checkpoints, so that lists end within a chunk, at the end
 * of one, and have none.
 */
START_TEST(lists_of_the_store_agree_with_a_sorted_array)
{
    for (unsigned round = 0; round < rnd_effort(12, 100) || runs == 0;
         round++) {
        diary_add(&diary, 1 + rnd_below(&diary.rnd, 500));
        diary_store(&diary);
        for (int i = 0; i < 12; i++) {
            struct list_name name = diary_name(&diary);

            check_store(&name);
        }
    }
}
END_TEST

START_TEST(lists_of_a_memtable_agree_with_a_sorted_array_up_to_any_head)
{
    diary_add(&diary, 1000);
    diary_store(&diary);
    for (unsigned round = 0; round < rnd_effort(12, 100) || runs == 0;
         round++) {
        diary_add(&diary, 1 + rnd_below(&diary.rnd, 300));
        for (int i = 0; i < 12; i++) {
            struct list_name name = diary_name(&diary);

            check_memtable(&name);
        }
    }
}
END_TEST

/* Exactly at the border of chunks, for a list of each kind. */
START_TEST(lists_that_end_where_a_chunk_does_are_whole)
{
    struct draft drafts[POSTINGS_CHUNK_MAX];
    struct list_cursor *cursor = malloc(sizeof(*cursor));
    struct list_name names[] = {{LIST_STREAM, slice_of("s-1")},
                                {LIST_TYPE, slice_of("Noted")}};

    for (uint64_t i = 0; i < POSTINGS_CHUNK_MAX; i++) {
        drafts[i] = (struct draft){.id = i + 1};
    }
    for (uint64_t round = 1; round <= 3; round++) {
        /* One less than a chunk, then one more event, then the next. */
        for (size_t part = 0; part < 2; part++) {
            size_t from = part == 0 ? 0 : POSTINGS_CHUNK_MAX - 1;
            size_t to = part == 0 ? POSTINGS_CHUNK_MAX - 1 : POSTINGS_CHUNK_MAX;

            ck_assert_int_eq(core_append(&diary.core, "s-1", MSG_EXPECT_ANY,
                                         drafts + from, to - from),
                             ACTA_OK);
            core_checkpoint(&diary.core);
            count = core_head(&diary.core);
            for (size_t i = 0; i < count; i++) {
                positions[i] = i + 1;
            }
            diary.count = count;
            ck_assert_int_eq(store_view_begin(view, NULL), ACTA_OK);
            for (size_t n = 0; n < 2; n++) {
                ck_assert_int_eq(
                    list_cursor_open_store(cursor, view, &names[n], NULL),
                    ACTA_OK);
                assert_agrees(cursor);
                assert_walks(cursor);
            }
            store_view_end(view);
        }
        for (size_t i = 0; i < POSTINGS_CHUNK_MAX; i++) {
            drafts[i].id += POSTINGS_CHUNK_MAX;
        }
    }
    diary.count = 0;
    free(cursor);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("list_cursor");
    TCase *tcase = tcase_create("list_cursor");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, lists_of_the_store_agree_with_a_sorted_array);
    tcase_add_test(
        tcase, lists_of_a_memtable_agree_with_a_sorted_array_up_to_any_head);
    tcase_add_test(tcase, lists_that_end_where_a_chunk_does_are_whole);
    return run_suite(suite);
}
