/* How many events lie behind a position: against a plain array, and against
 * what reading gives.
 */

#include <stdlib.h>

#include "core_rows.h"
#include "diary.h"
#include "limit.h"
#include "rnd.h"
#include "run.h"

#define ANY MSG_EXPECT_ANY

static struct diary diary;
static struct reader *reader;

static void
setup(void)
{
    diary_open(&diary);
    reader = core_reader(&diary.core);
}

static void
teardown(void)
{
    reader_close(reader);
    diary_close(&diary);
}

/* Another past, where this one has no room for @count more events. */
static void
make_room(size_t count)
{
    if (!diary_has_room(&diary, count)) {
        teardown();
        setup();
    }
}

/* ---- the words in which the tests are written ---- */

/* Count to the end, in as many calls as that takes. Each comes further. */
static struct count_result
count_all(const struct query *query, uint64_t after, size_t *calls)
{
    struct count_result all = {.next = after};

    *calls = 0;
    do {
        struct count_result part;
        struct acta_err err;

        ck_assert_msg(reader_count(reader, query, all.next, &part, &err) ==
                          ACTA_OK,
                      "%s", err.text);
        ck_assert(part.complete || part.next > all.next);
        ck_assert_int_eq(part.count > 0, part.first_position > 0);
        if (all.first_position == 0) {
            all.first_position = part.first_position;
            all.first_time_us = part.first_time_us;
        }
        all.count += part.count;
        all.next = part.next;
        all.head = part.head;
        all.complete = part.complete;
        ++*calls;
    } while (!all.complete);
    return all;
}

/* What the events themselves say. */
static struct count_result
count_events(const struct query *query, uint64_t after)
{
    struct count_result all = {.count = 0};

    for (uint64_t p = after + 1; p <= diary.count; p++) {
        if (query_matches(query, &diary.events[p]) && all.count++ == 0) {
            all.first_position = p;
        }
    }
    return all;
}

/* What reading gives, with what is hidden left out. */
static struct count_result
count_read(const struct query *query, uint64_t after)
{
    struct read_bounds bounds = {.events_max = 1000, .bytes_max = 1 << 20};
    struct count_result all = {.count = 0};
    struct read_result result = {.next = after};
    struct event event;
    struct buf out;

    buf_init(&out, 64 << 20);
    do {
        struct slice events;

        buf_clear(&out);
        ck_assert_int_eq(reader_read_all(reader, query, result.next, false,
                                         &bounds, &out, &result, NULL),
                         ACTA_OK);
        events = buf_slice(&out);
        while (events.size > 0) {
            ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
            if (all.count++ == 0) {
                all.first_position = event.position;
                all.first_time_us = event.time_us;
            }
        }
    } while (!result.at_end);
    buf_fini(&out);
    return all;
}

static void
assert_same(const struct count_result *got, const struct count_result *wanted)
{
    ck_assert_uint_eq(got->count, wanted->count);
    ck_assert_uint_eq(got->first_position, wanted->first_position);
    if (wanted->first_time_us > 0) { /* Else it is not known. */
        ck_assert_uint_eq(got->first_time_us, wanted->first_time_us);
    }
    ck_assert_uint_eq(got->head, diary.count);
    ck_assert_uint_eq(got->next, diary.count);
}

/* From anywhere, more often from near the end or from behind it. */
static uint64_t
some_position(void)
{
    uint64_t back = rnd_edgy(&diary.rnd);

    return back > diary.count ? rnd_below(&diary.rnd, diary.count + 3)
                              : diary.count - back;
}

/* One list, some of a kind, an item with more, several items. */
static struct query
some_query(void)
{
    switch (rnd_below(&diary.rnd, 4)) {
    case 0: {
        struct list_name name = diary_name(&diary);
        struct query_item item = {.fields = {{.count = 0}}};
        struct query query = {&item, 1, NULL};

        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            if (list_kind_of(f) == name.kind) {
                item.fields[f] = (struct query_terms){&name.name, 1, NULL, 0};
            }
        }
        return core_query_or(&query, 1);
    }
    default:
        return diary_query(&diary);
    }
}

/* ---- tests ---- */

START_TEST(what_is_counted_is_what_matches)
{
    unsigned rounds = rnd_effort(60, 500);

    for (unsigned i = 0; i < rounds; i++) {
        make_room(300);
        diary_add(&diary, rnd_below(&diary.rnd, 300));
        if (rnd_once_in(&diary.rnd, 8)) {
            diary_store(&diary);
        }
        for (unsigned k = 0; k < 20; k++) {
            struct query query = some_query();
            uint64_t after = some_position();
            struct count_result wanted = count_events(&query, after);
            struct count_result got;
            size_t calls;

            got = count_all(&query, after, &calls);
            if (after < diary.count) {
                assert_same(&got, &wanted);
            } else {
                ck_assert_uint_eq(got.count, 0);
                ck_assert_uint_eq(got.next, after);
            }
            query_fini(&query);
        }
    }
}
END_TEST

/* One that hides some, or all, of a stream. */
static struct msg_change
some_change(void)
{
    static const char *const streams[] = {"a-1", "b-1", "c-1"};

    return (struct msg_change){
        .stream = slice_of(streams[rnd_below(&diary.rnd, 3)]),
        .expected = ANY,
        .kind = rnd_once_in(&diary.rnd, 3) ? MSG_ERASE : MSG_SET,
        .settings = {.max_count = 1 + rnd_below(&diary.rnd, 30)},
        .given = MSG_HAS_MAX_COUNT,
    };
}

START_TEST(what_is_counted_is_what_is_read_where_some_is_hidden)
{
    unsigned rounds = rnd_effort(30, 500);

    for (unsigned i = 0; i < rounds; i++) {
        struct msg_change change;

        make_room(300);
        change = some_change();
        diary_add(&diary, 1 + rnd_below(&diary.rnd, 300));
        if (rnd_once_in(&diary.rnd, 8)) {
            diary_store(&diary);
        }
        (void)core_change(&diary.core, &change); /* Some are not there. */
        for (unsigned k = 0; k < 10; k++) {
            struct query query = k == 0 ? QUERY_ALL : some_query();
            uint64_t after = rnd_below(&diary.rnd, diary.count);
            struct count_result wanted = count_read(&query, after);
            struct count_result got;
            size_t calls;

            got = count_all(&query, after, &calls);
            assert_same(&got, &wanted);
            query_fini(&query);
        }
    }
}
END_TEST

/* Of lists nothing is looked at, however long they are. */
START_TEST(what_lists_tell_is_counted_in_one_call)
{
    struct query queries[] = {
        QUERY_ALL,
        core_query("a", NULL, NULL, NULL, NULL),
        core_query("a b a", NULL, NULL, NULL, NULL),
        core_query(NULL, NULL, "red", NULL, NULL),
        core_query(NULL, NULL, NULL, "a-1 a-2", NULL),
    };

    diary_add(&diary, 15000);
    if (_i % 2 == 1) {
        diary_store(&diary);
    }
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct count_result wanted = count_events(&queries[i], 0);
        struct count_result got;
        size_t calls;

        got = count_all(&queries[i], 0, &calls);
        ck_assert_uint_eq(calls, 1);
        assert_same(&got, &wanted);
        query_fini(&queries[i]);
    }
}
END_TEST

START_TEST(what_must_be_looked_at_is_counted_in_bounded_calls)
{
    struct msg_change change = {.stream = slice_of("other-1"),
                                .expected = ANY,
                                .kind = MSG_SET,
                                .settings = {.max_count = 1},
                                .given = MSG_HAS_MAX_COUNT};
    struct count_result wanted, got;
    size_t calls;

    diary_add(&diary, 19000);
    ck_assert_int_eq(core_change(&diary.core, &change), ACTA_OK);
    wanted = count_events(&QUERY_ALL, 0);
    got = count_all(&QUERY_ALL, 0, &calls);
    assert_same(&got, &wanted);
    ck_assert_uint_ge(calls, 3);
}
END_TEST

/* It cannot be told whether it counts, nor when it was recorded. */
START_TEST(a_damaged_event_is_not_passed_over)
{
    struct draft drafts[2] = {{.id = 1, .data = slice_of("first of all")},
                              {.id = 2, .data = slice_of("hurt by a bit")}};
    struct count_result result;
    struct acta_err err;

    ck_assert_int_eq(core_append(&diary.core, "a-1", 0, drafts, 2), ACTA_OK);
    core_checkpoint(&diary.core);
    ck_assert_uint_ge(core_damage(&diary.core, slice_of("hurt by a bit"), -3),
                      1);
    ck_assert_int_eq(reader_count(reader, &QUERY_ALL, 1, &result, &err),
                     ACTA_CORRUPT);
    ck_assert_int_eq(reader_count(reader, &QUERY_ALL, 0, &result, &err),
                     ACTA_OK);
    ck_assert_uint_eq(result.count, 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("reader_count");
    TCase *tcase = tcase_create("reader_count");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_counted_is_what_matches);
    tcase_add_test(tcase, what_is_counted_is_what_is_read_where_some_is_hidden);
    tcase_add_loop_test(tcase, what_lists_tell_is_counted_in_one_call, 0, 2);
    tcase_add_test(tcase, what_must_be_looked_at_is_counted_in_bounded_calls);
    tcase_add_test(tcase, a_damaged_event_is_not_passed_over);
    return run_suite(suite);
}
