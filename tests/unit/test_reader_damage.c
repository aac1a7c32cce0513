/* What a reader serves of a store that is damaged: what lies before the damage
 * comes first, then an error, and what it does not touch is there as before.
 * And of one that is whole: no less than there is room for.
 */

#include <stdio.h>

#include "core_rows.h"
#include "limit.h"
#include "list.h"
#include "msg.h"
#include "reader_view.h"
#include "run.h"
#include "store_lmdb.h"

#define COUNT 600 /* Events of a stream: two chunks, and some behind them. */

static struct core core;
static struct reader *reader;
static struct buf page;
static uint64_t last_id;

static void
setup(void)
{
    core_open(&core);
    reader = core_reader(&core);
    buf_init(&page, ACTA_PAGE_SIZE_MAX);
    last_id = 0;
}

static void
teardown(void)
{
    buf_fini(&page);
    reader_close(reader);
    core_close(&core);
}

/* ---- what there is, and what becomes of it ---- */

/* Each in a batch of its own, a second after the one before. */
static void
append(const char *stream, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct draft draft = {.id = ++last_id};
        char data[32];

        snprintf(data, sizeof(data), "version %zu.", i + 1);
        draft.data = slice_of(data);
        ck_assert_int_eq(core_append(&core, stream, MSG_EXPECT_ANY, &draft, 1),
                         ACTA_OK);
    }
}

static struct list_head
head_of(const struct list_name *name)
{
    struct list_head head;
    struct acta_err err;
    bool found = false;

    ck_assert_int_eq(reader_begin(reader, &err), ACTA_OK);
    ck_assert_int_eq(store_view_head(reader->store, name, &head, &found, &err),
                     ACTA_OK);
    reader_end(reader);
    ck_assert(found);
    return head;
}

/* Damage the chunk of the stream's list that begins with @version. */
static void
damage_chunk(const char *stream, uint64_t version)
{
    struct list_name name = {LIST_STREAM, slice_of(stream)};
    uint8_t key[CHUNK_KEY_SIZE];

    ck_assert_uint_eq(
        core_damage(&core, store_chunk_key(key, head_of(&name).number, version),
                    8),
        1);
}

static void
damage_head(const struct list_name *name)
{
    uint8_t key[LIST_KEY_SIZE_MAX];

    ck_assert_uint_ge(core_damage(&core, store_list_key(key, name), 8), 1);
}

/* ---- what is read ---- */

static enum acta_code
read_stream(const char *stream, uint64_t from, bool backward,
            struct read_result *result)
{
    struct read_bounds bounds = {.events_max = ACTA_PAGE_EVENTS_MAX,
                                 .bytes_max = ACTA_PAGE_SIZE_MAX};
    struct acta_err err;

    buf_clear(&page);
    return reader_read_stream(reader, slice_of(stream), from, backward, &bounds,
                              &page, result, &err);
}

/* On the page are the versions from @first on, up or down to @last. */
static void
assert_versions(uint64_t first, uint64_t last)
{
    struct slice events = buf_slice(&page);
    struct event event;

    for (uint64_t v = first;; v += last >= first ? 1 : (uint64_t)-1) {
        ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
        ck_assert_uint_eq(event.version, v);
        if (v == last) {
            break;
        }
    }
    ck_assert_uint_eq(events.size, 0);
}

/* ---- a stream ---- */

/* In the middle of what is looked up at once, and where that begins. */
START_TEST(versions_before_a_damaged_chunk_are_served_first)
{
    static const uint64_t starts[] = {0, 1, 10, 128, 200, 255};
    struct read_result result;
    uint64_t from = starts[_i];

    append("a-1", COUNT);
    core_checkpoint(&core);
    damage_chunk("a-1", 257);

    ck_assert_int_eq(read_stream("a-1", from, false, &result), ACTA_OK);
    assert_versions(from + 1, 256);
    ck_assert_uint_eq(result.next, 256);
    ck_assert(!result.at_end);
    ck_assert_int_eq(read_stream("a-1", result.next, false, &result),
                     ACTA_CORRUPT);
    ck_assert_int_eq(read_stream("a-1", 512, false, &result), ACTA_OK);
    assert_versions(513, COUNT);
    ck_assert(result.at_end);
}
END_TEST

START_TEST(going_back_versions_behind_a_damaged_chunk_are_served_first)
{
    static const uint64_t starts[] = {0, COUNT, 520, 514};
    struct read_result result;
    uint64_t from = starts[_i];

    append("a-1", COUNT);
    core_checkpoint(&core);
    damage_chunk("a-1", 257);

    ck_assert_int_eq(read_stream("a-1", from, true, &result), ACTA_OK);
    assert_versions(from == 0 ? COUNT : from - 1, 513);
    ck_assert_uint_eq(result.next, 513);
    ck_assert(!result.at_end);
    ck_assert_int_eq(read_stream("a-1", result.next, true, &result),
                     ACTA_CORRUPT);
    ck_assert_int_eq(read_stream("a-1", 257, true, &result), ACTA_OK);
    assert_versions(256, 1);
    ck_assert(result.at_end);
}
END_TEST

/* When a damaged event was recorded nobody knows. Those beside it tell, unless
 * it lies between the old and the young: then it is taken for one that is to be
 * seen. Of a hundred the last fifty are young enough.
 */
START_TEST(in_a_stream_with_an_age_a_damaged_event_costs_no_other)
{
    static const uint64_t damaged_ones[] = {1, 2, 25, 49, 50, 51, 75, 76, 100};
    struct msg_change change = {.stream = slice_of("a-1"),
                                .expected = MSG_EXPECT_ANY,
                                .kind = MSG_SET,
                                .settings = {.max_age_us = 49500000},
                                .given = MSG_HAS_MAX_AGE};
    uint64_t damaged = damaged_ones[_i], last_us;
    struct read_result result;
    char data[32];

    append("a-1", 100);
    last_us = core.time_us;
    ck_assert_int_eq(core_change(&core, &change), ACTA_OK);
    core_checkpoint(&core);
    reader_set_time(reader, last_us);
    snprintf(data, sizeof(data), "version %ju.", (uintmax_t)damaged);
    ck_assert_uint_ge(core_damage(&core, slice_of(data), -1), 1);

    if (damaged >= 50) {
        ck_assert_int_eq(read_stream("a-1", 0, false, &result),
                         damaged > 51 ? ACTA_OK : ACTA_CORRUPT);
    }
    if (damaged > 51) {
        assert_versions(51, damaged - 1);
    }
    if (damaged < 100) {
        uint64_t from = damaged < 50 ? 0 : damaged;

        ck_assert_int_eq(read_stream("a-1", from, false, &result), ACTA_OK);
        assert_versions(from < 50 ? 51 : from + 1, 100);
        ck_assert(result.at_end);
    }
}
END_TEST

/* ---- everything ---- */

static enum acta_code
read_all(uint64_t from, const struct read_bounds *bounds,
         struct read_result *result)
{
    const struct query all = QUERY_ALL;
    struct acta_err err;

    buf_clear(&page);
    return reader_read_all(reader, &all, from, false, bounds, &page, result,
                           &err);
}

/* Of one stream alone, so that positions are versions. */
START_TEST(events_before_a_damaged_one_are_served_first)
{
    static const uint64_t damaged_ones[] = {1, 2, 16, 17, 18, 50, 100};
    static const struct read_bounds bounds = {
        .events_max = ACTA_PAGE_EVENTS_MAX, .bytes_max = ACTA_PAGE_SIZE_MAX};
    uint64_t damaged = damaged_ones[_i];
    struct read_result result;
    char data[32];

    append("a-1", 100);
    core_checkpoint(&core);
    snprintf(data, sizeof(data), "version %ju.", (uintmax_t)damaged);
    ck_assert_uint_ge(core_damage(&core, slice_of(data), -1), 1);

    if (damaged > 1) {
        ck_assert_int_eq(read_all(0, &bounds, &result), ACTA_OK);
        assert_versions(1, damaged - 1);
        ck_assert_uint_eq(result.next, damaged - 1);
        ck_assert(!result.at_end);
    }
    ck_assert_int_eq(read_all(damaged - 1, &bounds, &result), ACTA_CORRUPT);
    if (damaged < 100) {
        ck_assert_int_eq(read_all(damaged, &bounds, &result), ACTA_OK);
        assert_versions(damaged + 1, 100);
        ck_assert(result.at_end);
    }
}
END_TEST

static size_t sizes[COUNT]; /* Of the records. */

static void
measure_records(void)
{
    static const struct read_bounds bounds = {.events_max = 1, .bytes_max = 1};

    for (uint64_t from = 0; from < COUNT; from++) {
        struct read_result result;

        ck_assert_int_eq(read_all(from, &bounds, &result), ACTA_OK);
        ck_assert_uint_eq(result.events_count, 1);
        sizes[from] = buf_size(&page);
    }
}

/* Of how many events the page behind @from should be. */
static size_t
fitting(uint64_t from, const struct read_bounds *bounds)
{
    size_t count = 0, size = 0;

    while (from + count < COUNT && count < bounds->events_max &&
           (count == 0 || size + sizes[from + count] <= bounds->bytes_max)) {
        size += sizes[from + count++];
    }
    return count;
}

START_TEST(a_page_has_as_many_events_as_there_is_room_for)
{
    static const struct read_bounds all_bounds[] = {
        {.events_max = COUNT, .bytes_max = 1},
        {.events_max = COUNT, .bytes_max = 1500},
        {.events_max = COUNT, .bytes_max = 20000},
        {.events_max = COUNT, .bytes_max = ACTA_PAGE_SIZE_MAX},
        {.events_max = 7, .bytes_max = ACTA_PAGE_SIZE_MAX},
        {.events_max = 16, .bytes_max = ACTA_PAGE_SIZE_MAX},
        {.events_max = 17, .bytes_max = 1500},
    };
    const struct read_bounds *bounds = &all_bounds[_i];
    struct read_result result = {0};

    append("a-1", COUNT);
    core_checkpoint(&core);
    measure_records();
    for (uint64_t from = 0; from < COUNT; from = result.next) {
        size_t count = fitting(from, bounds);

        ck_assert_int_eq(read_all(from, bounds, &result), ACTA_OK);
        ck_assert_uint_eq(result.events_count, count);
        ck_assert_uint_eq(result.next, from + count);
        assert_versions(from + 1, from + count);
    }
}
END_TEST

/* ---- names ---- */

START_TEST(names_before_a_damaged_one_are_listed_first)
{
    struct list_name damaged = {LIST_STREAM, slice_of("c-1")};
    struct acta_err err;
    size_t count;
    bool at_end;

    append("a-1", 1);
    append("b-1", 1);
    append("c-1", 1);
    append("d-1", 1);
    core_checkpoint(&core);
    damage_head(&damaged);

    ck_assert_int_eq(reader_list_streams(reader, SLICE_NONE, SLICE_NONE, 100,
                                         &page, &count, &at_end, &err),
                     ACTA_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert(!at_end);
    ck_assert_int_eq(reader_list_streams(reader, SLICE_NONE, slice_of("b-1"),
                                         100, &page, &count, &at_end, &err),
                     ACTA_CORRUPT);
    ck_assert_int_eq(reader_list_streams(reader, SLICE_NONE, damaged.name, 100,
                                         &page, &count, &at_end, &err),
                     ACTA_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert(at_end);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("reader_damage");
    TCase *tcase = tcase_create("reader_damage");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, versions_before_a_damaged_chunk_are_served_first,
                        0, 6);
    tcase_add_loop_test(
        tcase, going_back_versions_behind_a_damaged_chunk_are_served_first, 0,
        4);
    tcase_add_loop_test(
        tcase, in_a_stream_with_an_age_a_damaged_event_costs_no_other, 0, 9);
    tcase_add_loop_test(tcase, events_before_a_damaged_one_are_served_first, 0,
                        7);
    tcase_add_loop_test(tcase, a_page_has_as_many_events_as_there_is_room_for,
                        0, 7);
    tcase_add_test(tcase, names_before_a_damaged_one_are_listed_first);
    return run_suite(suite);
}
