#include "memtable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "core.h"
#include "name.h"
#include "rnd.h"
#include "run.h"

#define FIRST      1001
#define EVENTS_MAX 5000

static struct memtable *memtable;
static struct buf content;

static void
setup(void)
{
    memtable = memtable_new(FIRST, EVENTS_MAX);
    ck_assert_ptr_nonnull(memtable);
    buf_init(&content, 1 << 20);
}

static void
teardown(void)
{
    memtable_unref(memtable);
    buf_fini(&content);
}

/* Add an event to a stream that had @base_count events before. */
static uint64_t
add(const char *stream, uint64_t base_count, const struct draft *draft)
{
    struct uuid none = draft_id(0);
    struct memlist *list = memtable_add_stream(memtable, slice_of(stream),
                                               base_count, 0, none.bytes);
    struct event event;

    ck_assert_ptr_nonnull(list);
    draft_event(&event, &content, stream, draft);
    event.position =
        memtable_first_position(memtable) + memtable_count(memtable);
    event.version = list->base_count + list->count + 1;
    event.time_us = CORE_TIME_US;
    ck_assert(memtable_add(memtable, list, &event));
    return event.position;
}

static size_t
count_of(enum list_kind kind, struct slice text)
{
    struct list_name name = {kind, text};
    struct memlist *list = memtable_find(memtable, &name);

    return list == NULL ? 0 : list->count;
}

START_TEST(an_event_is_in_all_its_lists_and_in_no_other)
{
    struct draft draft = {.id = 1,
                          .type = "Placed",
                          .correlation = 9,
                          .causation = 8,
                          .tags = {"red", "big"}};
    struct uuid correlation = draft_id(9);

    ck_assert_uint_eq(add("order-1", 0, &draft), FIRST);
    ck_assert_uint_eq(count_of(LIST_STREAM, slice_of("order-1")), 1);
    ck_assert_uint_eq(count_of(LIST_CATEGORY, slice_of("order")), 1);
    ck_assert_uint_eq(count_of(LIST_TYPE, slice_of("Placed")), 1);
    ck_assert_uint_eq(count_of(LIST_TAG, slice_of("red")), 1);
    ck_assert_uint_eq(count_of(LIST_TAG, slice_of("big")), 1);
    ck_assert_uint_eq(
        count_of(LIST_CORRELATION, slice_make(correlation.bytes, UUID_SIZE)),
        1);
    ck_assert_uint_eq(count_of(LIST_STREAM, slice_of("order")), 0);
    ck_assert_uint_eq(count_of(LIST_TAG, slice_of("Placed")), 0);
    ck_assert_uint_eq(
        count_of(LIST_CORRELATION, slice_make(draft_id(8).bytes, UUID_SIZE)),
        0);
}
END_TEST

/* Whatever the caller's memory becomes, records and names stay. */
START_TEST(records_and_names_are_its_own)
{
    struct draft draft = {.id = 1, .tags = {"red"}, .data = slice_of("data")};
    struct block_record record;
    struct pack_reader reader;
    struct event event;

    add("order-1", 6, &draft);
    memset(content.data, 0xee, content.capacity);
    record = memtable_record(memtable, FIRST);
    ck_assert_uint_eq(record.checksum, checksum_of(record.data, record.size));
    pack_reader_init(&reader, slice_make(record.data, record.size), NULL);
    event_decode_record(&reader, &event);
    ck_assert(!reader.failed);
    ck_assert_uint_eq(event.position, FIRST);
    ck_assert_uint_eq(event.version, 7);
    ck_assert(slice_equal(event.stream, slice_of("order-1")));
    ck_assert(slice_equal(event.data, slice_of("data")));
    ck_assert_uint_eq(count_of(LIST_TAG, slice_of("red")), 1);
    ck_assert_uint_eq(memtable_size(memtable), record.size);
    ck_assert_mem_eq(memtable_id_of(memtable, FIRST), draft_id(1).bytes,
                     UUID_SIZE);
    ck_assert_uint_eq(memtable_stream_of(memtable, FIRST)->base_count, 6);
}
END_TEST

START_TEST(ids_are_found_by_stream_and_in_all_streams)
{
    struct draft draft = {.id = 5};
    struct uuid id = draft_id(5), other = draft_id(6);
    struct list_name a = {LIST_STREAM, slice_of("a-1")};
    struct list_name b = {LIST_STREAM, slice_of("b-1")};

    add("a-1", 0, &draft);
    add("b-1", 0, &draft);
    ck_assert_uint_eq(
        memtable_find_id(memtable, id.bytes, memtable_find(memtable, &a), 0),
        FIRST);
    ck_assert_uint_eq(
        memtable_find_id(memtable, id.bytes, memtable_find(memtable, &b), 0),
        FIRST + 1);
    ck_assert_uint_eq(memtable_find_id(memtable, id.bytes, NULL, 0), FIRST);
    ck_assert_uint_eq(memtable_find_id(memtable, id.bytes, NULL, FIRST),
                      FIRST + 1);
    ck_assert_uint_eq(memtable_find_id(memtable, id.bytes, NULL, FIRST + 1), 0);
    ck_assert_uint_eq(memtable_find_id(memtable, other.bytes, NULL, 0), 0);
}
END_TEST

START_TEST(a_stream_knows_its_greatest_id)
{
    struct list_name name = {LIST_STREAM, slice_of("a-1")};
    static const uint64_t ids[] = {5, 9, 7};

    for (size_t i = 0; i < 3; i++) {
        add("a-1", 0, &(struct draft){.id = ids[i]});
    }
    ck_assert_mem_eq(memtable_find(memtable, &name)->id_max, draft_id(9).bytes,
                     UUID_SIZE);
}
END_TEST

START_TEST(it_takes_as_many_events_as_it_was_made_for)
{
    struct rnd rnd;

    rnd_init(&rnd);
    for (uint64_t i = 0; i < EVENTS_MAX; i++) {
        char stream[32];

        snprintf(stream, sizeof(stream), "s-%ju",
                 (uintmax_t)rnd_below(&rnd, 3 * EVENTS_MAX));
        ck_assert_uint_eq(memtable_room(memtable), EVENTS_MAX - i);
        add(stream, 0, &(struct draft){.id = i * 7919 % 10007});
    }
    ck_assert_uint_eq(memtable_room(memtable), 0);
    ck_assert_uint_eq(count_of(LIST_TYPE, slice_of("Noted")), EVENTS_MAX);
    for (uint64_t i = 0; i < EVENTS_MAX; i++) {
        struct uuid id = draft_id(i * 7919 % 10007);

        ck_assert_uint_eq(memtable_find_id(memtable, id.bytes, NULL, 0),
                          FIRST + i);
    }
}
END_TEST

START_TEST(names_of_lists_with_events_come_in_order)
{
    struct uuid none = draft_id(0);
    struct name_walk walk = {0};
    struct name_runs names;
    const struct memlist *list;
    struct slice before = SLICE_NONE;
    size_t count = 0, source;

    ck_assert_ptr_nonnull(
        memtable_add_stream(memtable, slice_of("s-0"), 0, 0, none.bytes));
    for (uint64_t i = 1; i <= EVENTS_MAX; i++) {
        char stream[32];

        snprintf(stream, sizeof(stream), "s-%ju", (uintmax_t)i * 7919 % 3001);
        if (strcmp(stream, "s-0") != 0) {
            add(stream, 0, &(struct draft){.id = i});
        }
    }
    names = memtable_names(memtable, LIST_STREAM);
    ck_assert(name_walk_add(&walk, &names, 0, SLICE_NONE, false));
    while ((list = name_walk_list(&walk, &source)) != NULL) {
        ck_assert_int_lt(slice_compare(before, list->name.name), 0);
        ck_assert_uint_eq(list->inline_offsets[0], list->offsets[0]);
        before = list->name.name;
        count++;
        name_walk_step(&walk);
    }
    ck_assert_uint_eq(count, 3000);
    name_walk_fini(&walk);
}
END_TEST

START_TEST(the_last_reference_frees_it)
{
    struct memtable *second = memtable_ref(memtable);

    memtable_unref(memtable);
    memtable = second;
    ck_assert_uint_eq(add("a-1", 0, &(struct draft){.id = 1}), FIRST);
    memtable_unref(NULL);
}
END_TEST

START_TEST(one_made_of_the_memory_of_another_is_empty)
{
    struct draft draft = {.id = 1};

    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(memtable_count(memtable), 0);
        ck_assert_uint_eq(count_of(LIST_STREAM, slice_of("a")), 0);
        while (memtable_room(memtable) > 0) {
            draft.id = memtable_count(memtable) + 1;
            add("a", 0, &draft);
        }
        ck_assert_uint_eq(count_of(LIST_STREAM, slice_of("a")), EVENTS_MAX);
        memtable_unref(memtable);
        memtable = memtable_new(FIRST, EVENTS_MAX);
        ck_assert_ptr_nonnull(memtable);
    }
    memtable_drop_kept();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("memtable");
    TCase *tcase = tcase_create("memtable");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_event_is_in_all_its_lists_and_in_no_other);
    tcase_add_test(tcase, records_and_names_are_its_own);
    tcase_add_test(tcase, ids_are_found_by_stream_and_in_all_streams);
    tcase_add_test(tcase, a_stream_knows_its_greatest_id);
    tcase_add_test(tcase, it_takes_as_many_events_as_it_was_made_for);
    tcase_add_test(tcase, names_of_lists_with_events_come_in_order);
    tcase_add_test(tcase, the_last_reference_frees_it);
    tcase_add_test(tcase, one_made_of_the_memory_of_another_is_empty);
    return run_suite(suite);
}
