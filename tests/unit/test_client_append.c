/* Appends and queries as programs fill them, ids, and events as programs see
 * them.
 */

#include "append.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event.h"
#include "limit.h"
#include "msg.h"
#include "query_build.h"
#include "run.h"
#include "view.h"

static struct acta_append *append;
static struct acta_err err;
static struct buf buf;

static void
setup(void)
{
    append = acta_append_new();
    err = (struct acta_err){ACTA_OK, ""};
    buf_init(&buf, 2u * ACTA_FRAME_SIZE_MAX);
}

static void
teardown(void)
{
    acta_append_free(append);
    buf_fini(&buf);
}

static void
add(const char *type)
{
    struct acta_draft draft = acta_draft_of(type, "data", 4);

    acta_append_event(append, &draft);
}

/* Encode the append and decode it as the server does. */
static struct msg_append
as_the_server_sees_it(void)
{
    struct msg_append seen;
    struct frame frame;
    size_t used;

    ck_assert_msg(acta_append_check(append, &err) == ACTA_OK, "%s", err.text);
    buf_clear(&buf);
    append_encode(append, &buf, 9);
    ck_assert_int_eq(
        frame_decode(&frame, &used, buf_slice(&buf), ACTA_FRAME_SIZE_MAX, &err),
        ACTA_OK);
    ck_assert_uint_eq(used, buf_size(&buf));
    ck_assert_msg(msg_append_decode(&seen, frame.body, &err) == ACTA_OK, "%s",
                  err.text);
    return seen;
}

START_TEST(several_writes_arrive_as_they_were_filled_in)
{
    struct msg_append seen;

    acta_append_stream(append, "a-1", 7);
    add("A");
    add("B");
    acta_append_stream(append, "b-2", ACTA_EXPECT_EXISTS);
    add("C");
    seen = as_the_server_sees_it();
    ck_assert_uint_eq(seen.writes_count, 2);
    ck_assert_int_eq(seen.writes[0].expected, 7);
    ck_assert_uint_eq(seen.writes[0].events_count, 2);
    ck_assert(slice_equal(seen.writes[0].stream, slice_of("a-1")));
    ck_assert_int_eq(seen.writes[1].expected, MSG_EXPECT_EXISTS);
    ck_assert(slice_equal(seen.writes[1].stream, slice_of("b-2")));
    ck_assert(slice_equal(seen.events[2].type, slice_of("C")));
    ck_assert_uint_eq(acta_append_count(append), 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_mem_eq(seen.events[i].id, acta_append_id(append, i)->bytes,
                         UUID_SIZE);
    }
    ck_assert_ptr_null(acta_append_id(append, 3));
    msg_append_fini(&seen);
}
END_TEST

START_TEST(all_fields_of_an_event_arrive)
{
    static const char *const tags[] = {"customer:7", "\xc3\xa9t\xc3\xa9"};
    struct acta_id ids[3] = {{{1}}, {{2}}, {{3}}};
    struct acta_draft draft = acta_draft_of("OrderPlaced", "{}", 2);
    struct msg_append seen;
    struct event *event;
    struct slice left;

    draft.format = ACTA_FORMAT_JSON;
    draft.id = &ids[0];
    draft.correlation_id = &ids[1];
    draft.causation_id = &ids[2];
    draft.tags = tags;
    draft.tags_count = 2;
    draft.metadata = "m\0m";
    draft.metadata_size = 3;
    acta_append_stream(append, "order-1", 0);
    acta_append_event(append, &draft);
    seen = as_the_server_sees_it();
    event = &seen.events[0];
    ck_assert(slice_equal(event->data, slice_of("{}")));
    ck_assert(slice_equal(event->metadata, slice_make("m\0m", 3)));
    ck_assert_int_eq(event->format, EVENT_JSON);
    ck_assert_int_eq(event->id[0], 1);
    ck_assert_int_eq(event->correlation_id[0], 2);
    ck_assert_int_eq(event->causation_id[0], 3);
    left = event->tags;
    ck_assert(slice_equal(event_tag(&left), slice_of(tags[0])));
    ck_assert(slice_equal(event_tag(&left), slice_of(tags[1])));
    msg_append_fini(&seen);
}
END_TEST

START_TEST(ids_are_new_sorted_and_of_version_seven)
{
    acta_append_stream(append, "a", ACTA_EXPECT_ANY);
    for (size_t i = 0; i < 1000; i++) {
        add("T");
    }
    ck_assert_int_eq(acta_append_check(append, &err), ACTA_OK);
    for (size_t i = 0; i < 1000; i++) {
        const struct acta_id *id = acta_append_id(append, i);

        ck_assert_int_eq(id->bytes[6] >> 4, 7);
        ck_assert_int_eq(id->bytes[8] >> 6, 2);
        if (i > 0) {
            ck_assert_mem_lt(acta_append_id(append, i - 1)->bytes, id->bytes,
                             sizeof(id->bytes));
        }
    }
}
END_TEST

/* What is random in them differs, so that they do within one millisecond. */
START_TEST(ids_of_a_process_that_was_forked_are_others)
{
    struct acta_id theirs;
    int ends[2], status;
    pid_t child;

    acta_append_stream(append, "s", ACTA_EXPECT_ANY);
    add("A");
    add("B"); /* From here on randomness is fetched ahead. */
    acta_append_clear(append);
    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    acta_append_stream(append, "s", ACTA_EXPECT_ANY);
    add("C");
    if (child == 0) {
        _exit(write(ends[1], acta_append_id(append, 0), sizeof(theirs)) !=
              sizeof(theirs));
    }
    ck_assert_int_eq(read(ends[0], &theirs, sizeof(theirs)), sizeof(theirs));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_mem_ne(&theirs.bytes[8], &acta_append_id(append, 0)->bytes[8], 8);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(id_has_a_text)
{
    static const char *const text = "0190163d-8694-739b-aea5-966c26f8ad91";
    char again[ACTA_ID_TEXT_SIZE];
    struct acta_id id, other;

    ck_assert(acta_id_parse(&id, text));
    acta_id_format(&id, again);
    ck_assert_str_eq(again, text);
    ck_assert(!acta_id_parse(&id, "0190163d"));
    ck_assert(!acta_id_parse(&id, NULL));
    ck_assert_int_eq(acta_id_new(&id, &err), ACTA_OK);
    ck_assert_int_eq(acta_id_new(&other, &err), ACTA_OK);
    ck_assert_mem_ne(id.bytes, other.bytes, sizeof(id.bytes));
}
END_TEST

START_TEST(append_that_is_cleared_is_filled_anew)
{
    struct msg_append seen;

    add("event before the first stream");
    ck_assert_int_eq(acta_append_check(append, &err), ACTA_INVALID);
    acta_append_clear(append);
    acta_append_stream(append, "a", 0);
    add("T");
    seen = as_the_server_sees_it();
    ck_assert_uint_eq(seen.events_count, 1);
    msg_append_fini(&seen);
}
END_TEST

/* ---- what is refused before it is sent ---- */

static void
nothing(void)
{
}

static void
stream_without_events(void)
{
    acta_append_stream(append, "a", 0);
    add("T");
    acta_append_stream(append, "b", 0);
}

static void
event_without_stream(void)
{
    add("T");
}

static void
bad_stream(void)
{
    acta_append_stream(append, "a\n", 0);
}

static void
bad_expectation(void)
{
    acta_append_stream(append, "a", -3);
}

static void
no_type(void)
{
    acta_append_stream(append, "a", 0);
    add("T");
    add("");
}

static void
no_draft(void)
{
    struct acta_draft draft = {0};

    acta_append_stream(append, "a", 0);
    acta_append_event(append, &draft);
}

static void
too_much_data(void)
{
    static const char byte;
    struct acta_draft draft =
        acta_draft_of("T", &byte, (size_t)ACTA_EVENT_SIZE_MAX + 1);

    acta_append_stream(append, "a", 0);
    acta_append_event(append, &draft);
}

static void
too_many_events(void)
{
    acta_append_stream(append, "a", 0);
    for (int i = 0; i <= ACTA_APPEND_EVENTS_MAX; i++) {
        add("T");
    }
}

static const struct {
    void (*fill)(void);
    enum acta_code code;
    const char *text;
} refused[] = {
    {nothing, ACTA_INVALID, "append is empty"},
    {stream_without_events, ACTA_INVALID, "write 1 has no events"},
    {event_without_stream, ACTA_INVALID, "event before the first stream"},
    {bad_stream, ACTA_INVALID, "write 0: "},
    {bad_expectation, ACTA_INVALID, "write 0: expected version is -3"},
    {no_type, ACTA_INVALID, "write 0, event 1: type"},
    {no_draft, ACTA_INVALID, "event is not of acta_draft_of()"},
    {too_much_data, ACTA_TOO_LARGE,
     "write 0, event 0: data and metadata are over the limit"},
    {too_many_events, ACTA_TOO_LARGE, "append has over 10000 events"},
};

START_TEST(wrong_append_says_where_it_is_wrong)
{
    refused[_i].fill();
    if (_i > 1) { /* What comes after does not make it right. */
        acta_append_stream(append, "z", 0);
        add("T");
    }
    ck_assert_int_eq(acta_append_check(append, &err), refused[_i].code);
    ck_assert_msg(
        strncmp(err.text, refused[_i].text, strlen(refused[_i].text)) == 0,
        "%s", err.text);
}
END_TEST

START_TEST(calls_on_an_append_that_there_was_no_memory_for_do_nothing)
{
    struct acta_draft draft = acta_draft_of("T", "", 0);

    acta_append_stream(NULL, "a", 0);
    acta_append_event(NULL, &draft);
    acta_append_clear(NULL);
    acta_append_free(NULL);
    ck_assert_uint_eq(acta_append_count(NULL), 0);
    ck_assert_int_eq(acta_append_check(NULL, &err), ACTA_MEMORY);
}
END_TEST

/* ---- queries ---- */

START_TEST(query_has_the_terms_it_was_given)
{
    struct acta_query *filled = acta_query_new();
    struct acta_id id = {{5}};
    struct acta_query *copy;
    struct query query;

    acta_query_category(filled, "order");
    acta_query_type(filled, "A");
    acta_query_type(filled, "B");
    acta_query_or(filled);
    acta_query_stream(filled, "s-1");
    acta_query_tag(filled, "t");
    acta_query_correlation_id(filled, &id);
    copy = query_copy(filled);
    acta_query_free(filled);
    ck_assert_int_eq(query_build(copy, &query, &err), ACTA_OK);
    acta_query_free(copy);
    ck_assert_uint_eq(query.items_count, 2);
    ck_assert_uint_eq(query.items[0].fields[QUERY_CATEGORIES].count, 1);
    ck_assert_uint_eq(query.items[0].fields[QUERY_TYPES].count, 2);
    ck_assert(slice_equal(query.items[0].fields[QUERY_TYPES].texts[1],
                          slice_of("B")));
    ck_assert_uint_eq(query.items[0].fields[QUERY_TAGS].count, 0);
    ck_assert_uint_eq(query.items[1].fields[QUERY_STREAMS].count, 1);
    ck_assert_uint_eq(query.items[1].fields[QUERY_CORRELATION_IDS].count, 1);
    query_fini(&query);
}
END_TEST

START_TEST(query_of_nothing_means_all)
{
    struct acta_query *filled = acta_query_new();
    struct query query;

    ck_assert_int_eq(query_build(filled, &query, &err), ACTA_OK);
    ck_assert_uint_eq(query.items_count, 0);
    ck_assert_int_eq(query_build(NULL, &query, &err), ACTA_OK);
    ck_assert_uint_eq(query.items_count, 0);
    acta_query_free(filled);
}
END_TEST

START_TEST(wrong_query_says_what_is_wrong)
{
    static char long_name[300];
    struct acta_query *filled = acta_query_new();

    memset(long_name, 'x', sizeof(long_name) - 1);
    acta_query_type(filled, long_name);
    ck_assert_int_eq(acta_query_check(filled, &err), ACTA_TOO_LARGE);
    acta_query_free(filled);

    filled = acta_query_new();
    acta_query_tag(filled, "");
    ck_assert_int_eq(acta_query_check(filled, &err), ACTA_INVALID);
    acta_query_free(filled);

    filled = acta_query_new();
    for (int i = 0; i < ACTA_QUERY_TERMS_MAX; i++) {
        acta_query_type(filled, "T");
    }
    ck_assert_int_eq(acta_query_check(filled, &err), ACTA_OK);
    acta_query_type(filled, "T");
    ck_assert_int_eq(acta_query_check(filled, &err), ACTA_TOO_LARGE);
    acta_query_free(filled);
    ck_assert_int_eq(acta_query_check(NULL, &err), ACTA_MEMORY);
}
END_TEST

/* ---- events as programs see them ---- */

/* Records of what was appended, as the server makes them. */
static void
write_records(void)
{
    struct msg_append seen = as_the_server_sees_it();
    struct buf records;

    buf_init(&records, 1u << 20);
    for (size_t i = 0; i < seen.events_count; i++) {
        struct event *event = &seen.events[i];
        size_t size = event_record_size(event);

        event->position = 100 + i;
        event->version = 1 + i;
        event->time_us = 5;
        event_write_record(buf_reserve(&records, size), event);
        buf_advance(&records, size);
    }
    msg_append_fini(&seen);
    buf_clear(&buf);
    buf_append_slice(&buf, buf_slice(&records));
    buf_fini(&records);
}

static void
check_event(const struct acta_event *event, size_t i)
{
    char data[32];

    snprintf(data, sizeof(data), "data %zu", i);
    ck_assert_uint_eq(event->position, 100 + i);
    ck_assert_uint_eq(event->version, 1 + i);
    ck_assert_str_eq(event->stream, "order-1");
    ck_assert_str_eq(event->type, "T");
    ck_assert_str_eq(event->data, data);
    ck_assert_uint_eq(event->data_size, strlen(data));
    ck_assert_uint_eq(event->tags_count, i % 4);
    for (size_t t = 0; t < event->tags_count; t++) {
        char tag[2] = {(char)('a' + t), '\0'};

        ck_assert_str_eq(event->tags[t], tag);
    }
    ck_assert_uint_eq(event->metadata_size, i % 2 == 0 ? 0 : 4);
    ck_assert_str_eq(event->metadata, i % 2 == 0 ? "" : "meta");
    ck_assert_ptr_null(event->causation_id);
    if (i % 3 == 0) {
        ck_assert_int_eq(event->correlation_id->bytes[0], 9);
    } else {
        ck_assert_ptr_null(event->correlation_id);
    }
}

START_TEST(events_are_seen_as_they_were_sent_with_texts_that_end)
{
    size_t used;
    static const char *const tags[] = {"a", "b", "c"};
    struct acta_id correlation = {{9}};
    struct acta_event *copies[50];
    struct view view = {0};

    acta_append_stream(append, "order-1", 0);
    for (size_t i = 0; i < 50; i++) {
        struct acta_draft draft;
        char data[32];

        snprintf(data, sizeof(data), "data %zu", i);
        draft = acta_draft_of("T", data, strlen(data));
        draft.tags = tags;
        draft.tags_count = i % 4;
        draft.metadata = "meta";
        draft.metadata_size = i % 2 == 0 ? 0 : 4;
        draft.correlation_id = i % 3 == 0 ? &correlation : NULL;
        acta_append_event(append, &draft);
    }
    write_records();
    ck_assert_msg(view_records(&view, buf.data + buf.start, buf_size(&buf), 50,
                               &used, &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(used, buf_size(&buf));
    for (size_t i = 0; i < 50; i++) {
        check_event(view.pointers[i], i);
        ck_assert_mem_eq(view.pointers[i]->id, acta_append_id(append, i),
                         sizeof(struct acta_id));
        copies[i] = acta_event_copy(view.pointers[i]);
    }
    view_fini(&view);
    memset(buf.data, 0xff, buf_size(&buf));
    for (size_t i = 0; i < 50; i++) {
        check_event(copies[i], i);
        acta_event_free(copies[i]);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client append");
    TCase *tcase = tcase_create("client append");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, several_writes_arrive_as_they_were_filled_in);
    tcase_add_test(tcase, all_fields_of_an_event_arrive);
    tcase_add_test(tcase, ids_are_new_sorted_and_of_version_seven);
    tcase_add_test(tcase, ids_of_a_process_that_was_forked_are_others);
    tcase_add_test(tcase, id_has_a_text);
    tcase_add_test(tcase, append_that_is_cleared_is_filled_anew);
    tcase_add_loop_test(tcase, wrong_append_says_where_it_is_wrong, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tcase,
                   calls_on_an_append_that_there_was_no_memory_for_do_nothing);
    tcase_add_test(tcase, query_has_the_terms_it_was_given);
    tcase_add_test(tcase, query_of_nothing_means_all);
    tcase_add_test(tcase, wrong_query_says_what_is_wrong);
    tcase_add_test(tcase,
                   events_are_seen_as_they_were_sent_with_texts_that_end);
    return run_suite(suite);
}
