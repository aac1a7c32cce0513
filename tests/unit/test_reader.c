/* What a reader says of itself while it reads: how far it came, and that it
 * takes bounded time. That it reads the right events is for test_model.c.
 */

#include "reader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "db.h"
#include "limit.h"
#include "msg.h"
#include "rooms.h"
#include "run.h"

#define PAGE_ROOM  ((size_t)64 << 20)
#define BATCH      1000
#define TYPES      100 /* More than a prefix may stand for. */
#define LARGE_SIZE 100000

static struct db db;
static struct buf page;
static uint64_t last_id;

/* A checkpoint is due after so many events. */
static void
reopen_with(size_t checkpoint_events)
{
    db.options.checkpoint_events = checkpoint_events;
    db_reopen(&db);
}

/* Nothing leaves the memtable by itself. */
static void
setup(void)
{
    db_make(&db);
    reopen_with(100000);
    buf_init(&page, PAGE_ROOM);
    last_id = 0;
}

static void
teardown(void)
{
    buf_fini(&page);
    db_remove(&db);
}

static enum acta_code
append(const char *stream, int64_t expected, struct draft *drafts, size_t count)
{
    struct draft_write write = {stream, expected, drafts, count};
    enum acta_code code;
    struct job *job;

    for (size_t i = 0; i < count; i++) {
        drafts[i].id = ++last_id;
    }
    job = draft_append(&write, 1);
    db_append(&db, job);
    code = job->outcome.code;
    job_free(job);
    return code;
}

static enum acta_code
change_stream(const struct msg_change *change)
{
    struct job *job = draft_change(change);
    enum acta_code code;

    db_append(&db, job);
    code = job->outcome.code;
    job_free(job);
    return code;
}

/* Append @count events of one type, each with @data. */
static void
append_many(const char *type, size_t count, struct slice data)
{
    struct draft drafts[BATCH];

    for (size_t done = 0; done < count;) {
        size_t part = count - done < BATCH ? count - done : BATCH;

        for (size_t i = 0; i < part; i++) {
            drafts[i] = (struct draft){.type = type, .data = data};
        }
        ck_assert_int_eq(append("many-1", MSG_EXPECT_ANY, drafts, part),
                         ACTA_OK);
        done += part;
    }
}

/* Append an event of each type: "T-00" and so on. */
static void
append_types(void)
{
    struct draft drafts[TYPES];
    char types[TYPES][8];

    for (size_t i = 0; i < TYPES; i++) {
        snprintf(types[i], sizeof(types[i]), "T-%02zu", i);
        drafts[i] = (struct draft){.type = types[i]};
    }
    ck_assert_int_eq(append("types-1", MSG_EXPECT_ANY, drafts, TYPES), ACTA_OK);
}

/* Read once what has a type that begins with "T-". */
static struct read_result
read_types(uint64_t from, bool backward)
{
    struct slice prefix = slice_of("T-");
    struct query_item item = {
        .fields[QUERY_TYPES] = {.prefixes = &prefix, .prefixes_count = 1}};
    struct query query = {.items = &item, .items_count = 1};
    struct read_bounds bounds = {.events_max = ACTA_PAGE_EVENTS_MAX,
                                 .bytes_max = ACTA_PAGE_SIZE_MAX};
    struct read_result result;
    struct acta_err err;

    buf_clear(&page);
    ck_assert_msg(reader_read_all(db.reader, &query, from, backward, &bounds,
                                  &page, &result, &err) == ACTA_OK,
                  "%s", err.text);
    return result;
}

/* Find all of append_types(), in calls that each come neither too little nor
 * too far.
 */
static void
assert_reads_in_bounded_calls(bool backward)
{
    struct read_result result = {0};
    size_t found = 0, calls = 0;
    uint64_t from = 0;

    do {
        result = read_types(from, backward);
        found += result.events_count;
        calls++;
        if (!result.at_end) {
            uint64_t begin = backward && from == 0 ? result.head + 1 : from;
            uint64_t way = backward ? begin - result.next : result.next - begin;

            ck_assert_uint_ge(way, 1000);
            ck_assert_uint_le(way, 5000);
        }
        from = result.next;
    } while (!result.at_end);
    ck_assert_uint_eq(found, TYPES);
    ck_assert_uint_ge(calls, 3);
}

START_TEST(a_query_that_looks_at_every_event_tells_how_far_it_came)
{
    append_many("Other", 6000, SLICE_NONE);
    append_types();
    append_many("Other", 6000, SLICE_NONE);
    assert_reads_in_bounded_calls(false);
    assert_reads_in_bounded_calls(true);

    reopen_with(1); /* The same in the store. */
    append_many("Other", 1, SLICE_NONE);
    db_wait_checkpoint(&db);
    assert_reads_in_bounded_calls(false);
    assert_reads_in_bounded_calls(true);
}
END_TEST

START_TEST(a_query_that_looks_at_large_events_looks_at_few_in_a_call)
{
    struct slice data = slice_make(calloc(1, LARGE_SIZE), LARGE_SIZE);
    struct read_result result;

    append_types();
    append_many("Other", 60, data);
    append_many("Other", 60, data);
    result = read_types(TYPES, false);
    ck_assert_uint_eq(result.events_count, 0);
    ck_assert(!result.at_end);
    ck_assert_uint_ge(result.next, TYPES + 10);
    ck_assert_uint_le(result.next, TYPES + 12);
    result = read_types(0, true);
    ck_assert_uint_eq(result.events_count, 0);
    ck_assert_uint_le(result.next, TYPES + 121 - 10);
    ck_assert_uint_ge(result.next, TYPES + 121 - 12);
    free((void *)(uintptr_t)data.data);
}
END_TEST

START_TEST(a_stream_of_which_nothing_is_published_takes_no_ones_place_in_a_list)
{
    static const uint8_t no_id[UUID_SIZE];
    struct memtable *memtable;
    struct draft draft = {0};
    struct slice streams;
    struct acta_err err;
    bool at_end;
    size_t count;

    ck_assert_int_eq(append("b", MSG_EXPECT_ANY, &draft, 1), ACTA_OK);
    /* As the writer does when it has begun with an append. */
    memtable = tail_active(&database_rooms(db.database)->tail);
    ck_assert_ptr_nonnull(
        memtable_add_stream(memtable, slice_of("a"), 0, 0, no_id));
    ck_assert_msg(reader_list_streams(db.reader, SLICE_NONE, SLICE_NONE, 1,
                                      &page, &count, &at_end, &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(count, 1);
    ck_assert(at_end);
    streams = buf_slice(&page);
    ck_assert(slice_equal(msg_next_stream(&streams).name, slice_of("b")));
}
END_TEST

/* ---- many names ---- */

#define STREAMS  4000
#define AT_ONCE  250
#define PAGE_MAX 700 /* More than one call lists. */

/* Append to @count streams, from the one with this number on. Numbers are the
 * names' ends, so that names come in no order.
 */
static void
append_streams(size_t first, size_t count)
{
    static struct draft drafts[AT_ONCE];
    static char names[AT_ONCE][16];
    struct draft_write writes[AT_ONCE];

    for (size_t done = 0; done < count; done += AT_ONCE) {
        struct job *job;

        for (size_t i = 0; i < AT_ONCE; i++) {
            size_t number = first + done + i;

            snprintf(names[i], sizeof(names[i]), "s-%04zu",
                     number * 1777 % STREAMS);
            drafts[i] = (struct draft){.id = ++last_id};
            writes[i] =
                (struct draft_write){names[i], MSG_EXPECT_ANY, &drafts[i], 1};
        }
        job = draft_append(writes, AT_ONCE);
        db_append(&db, job);
        ck_assert_int_eq(job->outcome.code, ACTA_OK);
        job_free(job);
    }
}

/* List all streams behind @after, in pages. Returns how many they are. */
static size_t
list_all(struct reader *reader, const char *after, size_t page_max)
{
    struct slice behind = slice_of(after);
    bool at_end = false;
    size_t total = 0;
    char last[16];
    struct buf out;

    buf_init(&out, PAGE_ROOM);
    while (!at_end) {
        struct slice streams;
        struct acta_err err;
        size_t count;

        buf_clear(&out);
        ck_assert_msg(reader_list_streams(reader, SLICE_NONE, behind, page_max,
                                          &out, &count, &at_end,
                                          &err) == ACTA_OK,
                      "%s", err.text);
        ck_assert(count > 0 || at_end);
        ck_assert_uint_le(count, page_max);
        total += count;
        streams = buf_slice(&out);
        while (streams.size > 0) {
            struct slice name = msg_next_stream(&streams).name;

            ck_assert_int_gt(slice_compare(name, behind), 0);
            ck_assert_uint_lt(name.size, sizeof(last));
            memmove(last, name.data, name.size);
            behind = slice_make(last, name.size);
        }
    }
    buf_fini(&out);
    return total;
}

START_TEST(many_streams_of_store_and_memtable_are_listed_once_and_in_order)
{
    append_streams(0, STREAMS / 2);
    ck_assert_uint_eq(list_all(db.reader, "", PAGE_MAX), STREAMS / 2);
    db_reopen(&db); /* That moves them to the store. */
    append_streams(STREAMS / 4, STREAMS / 4 * 3);
    ck_assert_uint_eq(list_all(db.reader, "", PAGE_MAX), STREAMS);
    ck_assert_uint_eq(list_all(db.reader, "", 1000), STREAMS);
    ck_assert_uint_eq(list_all(db.reader, "s-0999", 100), STREAMS - 1000);
    ck_assert_uint_eq(list_all(db.reader, "s-3999", 1), 0);
}
END_TEST

static atomic_size_t appended; /* STREAMS: that is all. */

/* A listing has at least what was answered before it began. */
static void *
list_meanwhile(void *argument)
{
    struct reader *reader = argument;
    size_t known;

    do {
        known = appended;
        ck_assert_uint_ge(list_all(reader, "", PAGE_MAX), known);
    } while (known < STREAMS);
    return NULL;
}

START_TEST(streams_are_listed_while_more_are_made)
{
    struct reader *reader;
    struct acta_err err;
    pthread_t thread;

    appended = 0;
    ck_assert_int_eq(reader_open(&reader, db.database, &err), ACTA_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, list_meanwhile, reader), 0);
    for (size_t i = 0; i < STREAMS; i += AT_ONCE) {
        append_streams(i, AT_ONCE);
        appended = i + AT_ONCE;
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    reader_close(reader);
}
END_TEST

START_TEST(a_category_without_a_name_is_not_listed)
{
    struct draft draft = {0};
    struct slice names;
    struct acta_err err;
    bool at_end;
    size_t count;

    ck_assert_int_eq(append("-1", MSG_EXPECT_ANY, &draft, 1), ACTA_OK);
    ck_assert_int_eq(append("b-1", MSG_EXPECT_ANY, &draft, 1), ACTA_OK);
    ck_assert_msg(reader_list_names(db.reader, MSG_NAME_CATEGORY, SLICE_NONE,
                                    SLICE_NONE, 10, &page, &count, &at_end,
                                    &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(count, 1);
    ck_assert(at_end);
    names = buf_slice(&page);
    ck_assert(slice_equal(msg_next_name(&names).name, slice_of("b")));
}
END_TEST

/* Also before the space of what was erased is taken back. */
START_TEST(of_erased_events_a_page_has_as_many_as_fit_without_their_data)
{
    static const uint8_t data[1000];
    struct draft drafts[5] = {{.type = "A"}};
    struct msg_change change = {.stream = slice_of("a-1"),
                                .expected = MSG_EXPECT_ANY,
                                .kind = MSG_ERASE};
    struct read_bounds bounds = {.events_max = 10, .bytes_max = 1000};
    struct read_result result;
    struct acta_err err;

    for (size_t i = 0; i < 5; i++) {
        drafts[i].data = slice_make(data, sizeof(data));
    }
    ck_assert_int_eq(append("a-1", 0, drafts, 5), ACTA_OK);
    ck_assert_int_eq(reader_read_stream(db.reader, change.stream, 0, false,
                                        &bounds, &page, &result, &err),
                     ACTA_OK);
    ck_assert_uint_eq(result.events_count, 1);
    ck_assert_int_eq(change_stream(&change), ACTA_OK);
    ck_assert_int_eq(reader_read_stream(db.reader, change.stream, 0, false,
                                        &bounds, &page, &result, &err),
                     ACTA_OK);
    ck_assert_uint_eq(result.events_count, 5);
    ck_assert(result.at_end);
}
END_TEST

/* Whatever lies behind it in its stream. */
START_TEST(an_event_that_is_asked_for_alone_is_a_page_at_its_end)
{
    struct draft drafts[3] = {{.type = "A"}, {.type = "B"}, {.type = "C"}};
    struct read_bounds bounds = {.events_max = 10, .bytes_max = 1 << 20};
    struct read_result result;
    struct acta_err err;

    ck_assert_int_eq(append("a-1", 0, drafts, 3), ACTA_OK);
    for (uint64_t version = 1; version <= 3; version++) {
        struct uuid id = draft_id(version);

        ck_assert_int_eq(reader_read_event(db.reader, slice_of("a-1"), version,
                                           &page, &result, &err),
                         ACTA_OK);
        ck_assert_uint_eq(result.events_count, 1);
        ck_assert(result.at_end);
        ck_assert_int_eq(
            reader_read_id(db.reader, id.bytes, &bounds, &page, &result, &err),
            ACTA_OK);
        ck_assert_uint_eq(result.events_count, 1);
        ck_assert(result.at_end);
    }
}
END_TEST

static uint64_t
position_of_time(uint64_t time_us)
{
    struct acta_err err;
    uint64_t position;

    ck_assert_msg(reader_find_time(db.reader, time_us, &position, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    return position;
}

START_TEST(a_time_is_found_as_the_position_to_begin_behind)
{
    struct draft draft = {0};
    uint64_t times[4] = {0};

    ck_assert_uint_eq(position_of_time(0), 0);
    ck_assert_uint_eq(position_of_time(UINT64_MAX), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        struct read_result result;
        struct acta_err err;

        ck_assert_int_eq(append("a", MSG_EXPECT_ANY, &draft, 1), ACTA_OK);
        buf_clear(&page);
        ck_assert_int_eq(reader_read_event(db.reader, slice_of("a"), i, &page,
                                           &result, &err),
                         ACTA_OK);
        times[i] = event_record_time(buf_slice(&page));
    }
    ck_assert_uint_eq(position_of_time(0), 0);
    ck_assert_uint_eq(position_of_time(times[1]), 0);
    ck_assert_uint_eq(position_of_time(times[3] + 1), 3);
    ck_assert_uint_eq(position_of_time(UINT64_MAX), 3);
    for (uint64_t i = 2; i <= 3; i++) { /* Two may have the same time. */
        ck_assert_uint_eq(
            position_of_time(times[i]),
            times[i] > times[i - 1] ? i - 1 : position_of_time(times[i - 1]));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("reader");
    TCase *tcase = tcase_create("reader");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   a_query_that_looks_at_every_event_tells_how_far_it_came);
    tcase_add_test(tcase,
                   a_query_that_looks_at_large_events_looks_at_few_in_a_call);
    tcase_add_test(
        tcase,
        a_stream_of_which_nothing_is_published_takes_no_ones_place_in_a_list);
    tcase_add_test(
        tcase, many_streams_of_store_and_memtable_are_listed_once_and_in_order);
    tcase_add_test(tcase, streams_are_listed_while_more_are_made);
    tcase_add_test(tcase, a_category_without_a_name_is_not_listed);
    tcase_add_test(
        tcase, of_erased_events_a_page_has_as_many_as_fit_without_their_data);
    tcase_add_test(tcase,
                   an_event_that_is_asked_for_alone_is_a_page_at_its_end);
    tcase_add_test(tcase, a_time_is_found_as_the_position_to_begin_behind);
    return run_suite(suite);
}
