/* The contract of a stream store as programs see it: libacta's blocking calls
 * against a whole server.
 */

#include <acta/acta_sync.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "patient.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static struct acta_sync *sync_;
static struct acta_append *append;
static struct acta_query *query;
static const struct acta_appended *appended;
static const struct acta_changed *changed;
static struct acta_err err;

static void
setup(void)
{
    struct acta_options options;
    char url[64];

    rig_start(&rig, NULL);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    options = patient_options(url);
    ck_assert_msg(acta_sync_open(&sync_, &options, &err) == ACTA_OK, "%s",
                  err.text);
    append = acta_append_new();
    query = acta_query_new();
}

static void
teardown(void)
{
    acta_query_free(query);
    acta_append_free(append);
    acta_sync_close(sync_);
    rig_stop(&rig);
}

/* ---- the words in which the tests are written ---- */

/* Begin an append anew, with a write to @stream. */
static void
begin(const char *stream, int64_t expected)
{
    acta_append_clear(append);
    acta_append_stream(append, stream, expected);
}

static void
add(const char *type, const char *tag)
{
    struct acta_draft draft = acta_draft_of(type, "data", 4);

    draft.tags = &tag;
    draft.tags_count = tag == NULL ? 0 : 1;
    acta_append_event(append, &draft);
}

static enum acta_code
send_it(void)
{
    return acta_sync_append(sync_, append, &appended, &err);
}

static void
store(const char *stream, const char *type, const char *tag)
{
    begin(stream, ACTA_EXPECT_ANY);
    add(type, tag);
    ck_assert_msg(send_it() == ACTA_OK, "%s", err.text);
}

/* The versions that a stream shows, as text: "3 4". */
static const char *
shown(const char *stream)
{
    static char text[100];
    struct acta_read read = acta_read_of_stream(stream);
    const struct acta_page *page;

    text[0] = '\0';
    ck_assert_msg(acta_sync_read(sync_, &read, &page, &err) == ACTA_OK, "%s",
                  err.text);
    for (size_t i = 0; i < page->events_count; i++) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof(text) - used, "%s%ju",
                 used == 0 ? "" : " ", (uintmax_t)page->events[i]->version);
    }
    return text;
}

/* The positions that the query finds, as text. */
static const char *
found(void)
{
    static char text[100];
    struct acta_read read = acta_read_of_query(query);
    const struct acta_event *event;
    struct acta_cursor *cursor;

    text[0] = '\0';
    ck_assert_int_eq(acta_cursor_open(&cursor, sync_, &read, &err), ACTA_OK);
    do {
        size_t used = strlen(text);

        ck_assert_msg(acta_cursor_next(cursor, &event, &err) == ACTA_OK, "%s",
                      err.text);
        if (event != NULL) {
            snprintf(text + used, sizeof(text) - used, "%s%ju",
                     used == 0 ? "" : " ", (uintmax_t)event->position);
        }
    } while (event != NULL);
    acta_cursor_close(cursor);
    return text;
}

/* ---- appends on terms ---- */

START_TEST(append_holds_only_if_what_it_was_decided_from_does)
{
    store("order-1", "OrderPlaced", NULL);
    acta_query_tag(query, "coupon:7");
    begin("order-1", 1);
    add("CouponUsed", "coupon:7");
    acta_append_check_stream(append, "shop-1", 0);
    acta_append_condition(append, query, 0);
    ck_assert_msg(send_it() == ACTA_OK, "%s", err.text);
    ck_assert_uint_eq(appended->version, 2);

    store("shop-1", "ShopOpened", NULL);
    begin("order-2", 5);
    add("CouponUsed", "coupon:7");
    acta_append_check_stream(append, "shop-1", 0);
    acta_append_check_stream(append, "order-1", 2);
    acta_append_condition(append, query, 2);
    acta_append_condition(append, query, 1);
    ck_assert_int_eq(send_it(), ACTA_CONFLICT);
    ck_assert_uint_eq(appended->failures_count, 3);
    ck_assert_int_eq(appended->failures[0]->kind, ACTA_FAILED_WRITE);
    ck_assert_int_eq(appended->failures[0]->expected, 5);
    ck_assert_uint_eq(appended->failures[0]->actual, 0);
    ck_assert_int_eq(appended->failures[1]->kind, ACTA_FAILED_CHECK);
    ck_assert_uint_eq(appended->failures[1]->index, 0);
    ck_assert_uint_eq(appended->failures[1]->actual, 1);
    ck_assert_int_eq(appended->failures[2]->kind, ACTA_FAILED_CONDITION);
    ck_assert_uint_eq(appended->failures[2]->index, 1);
    ck_assert_uint_eq(appended->failures[2]->actual, 2);
    ck_assert_ptr_null(appended->unseen);
    ck_assert_str_eq(shown("order-2"), "");
}
END_TEST

START_TEST(refusal_brings_what_it_takes_to_decide_again)
{
    const struct acta_unseen *unseen;

    store("order-1", "A", NULL);
    store("order-1", "B", "customer:1");
    store("order-2", "C", "customer:1");
    store("order-3", "D", "customer:2");
    acta_query_tag(query, "customer:1");
    begin("order-1", 1);
    add("E", NULL);
    acta_append_condition(append, query, 1);
    acta_append_unseen(append, 10, 0);
    ck_assert_int_eq(send_it(), ACTA_CONFLICT);
    unseen = appended->unseen;
    ck_assert_ptr_nonnull(unseen);
    ck_assert(unseen->complete);
    ck_assert_uint_eq(unseen->head, 4);
    ck_assert_uint_eq(unseen->events_count, 2);
    ck_assert_str_eq(unseen->events[0]->type, "B");
    ck_assert_str_eq(unseen->events[1]->type, "C");
    ck_assert_str_eq(unseen->events[1]->stream, "order-2");

    acta_append_clear(append);
    acta_append_stream(append, "order-1", 2);
    add("E", NULL);
    acta_append_condition(append, query, 4);
    ck_assert_msg(send_it() == ACTA_OK, "%s", err.text);

    begin("order-1", 0);
    add("F", NULL);
    acta_append_unseen(append, 2, 0);
    ck_assert_int_eq(send_it(), ACTA_CONFLICT);
    ck_assert(!appended->unseen->complete);
    ck_assert_uint_eq(appended->unseen->events_count, 2);
}
END_TEST

START_TEST(command_takes_effect_once_whatever_its_events_are)
{
    struct acta_id command_id;

    ck_assert_int_eq(acta_id_new(&command_id, &err), ACTA_OK);
    begin("order-1", 0);
    add("A", NULL);
    add("B", NULL);
    acta_append_command_id(append, &command_id);
    ck_assert_msg(send_it() == ACTA_OK, "%s", err.text);
    ck_assert(!appended->repeated);
    ck_assert(!appended->by_command);
    store("order-1", "C", NULL);

    /* Made anew, its events have other ids. */
    begin("order-1", 0);
    add("A", NULL);
    acta_append_command_id(append, &command_id);
    ck_assert_msg(send_it() == ACTA_OK, "%s", err.text);
    ck_assert(appended->repeated);
    ck_assert(appended->by_command);
    ck_assert_uint_eq(appended->version, 2);
    ck_assert_uint_eq(appended->position, 2);
    ck_assert_uint_eq(appended->runs_count, 1);
    ck_assert_uint_eq(appended->runs[0]->count, 2);
    ck_assert_str_eq(shown("order-1"), "1 2 3");
}
END_TEST

/* ---- the life of a stream ---- */

START_TEST(deleted_stream_reads_as_empty_until_it_is_appended_to)
{
    const struct acta_description *description;

    store("order-1", "A", NULL);
    store("order-1", "B", NULL);
    ck_assert_msg(
        acta_sync_delete_stream(sync_, "order-1", 2, &changed, &err) == ACTA_OK,
        "%s", err.text);
    ck_assert(changed->changed);
    ck_assert_uint_eq(changed->version, 2);
    ck_assert_str_eq(shown("order-1"), "");
    ck_assert_int_eq(
        acta_sync_delete_stream(sync_, "order-1", 2, &changed, &err), ACTA_OK);
    ck_assert(!changed->changed);
    ck_assert_int_eq(
        acta_sync_describe_stream(sync_, "order-1", &description, &err),
        ACTA_OK);
    ck_assert_int_eq(description->stream->state, ACTA_STREAM_DELETED);
    ck_assert_uint_eq(description->first_version, 3);

    begin("order-1", 0);
    add("C", NULL);
    ck_assert_msg(send_it() == ACTA_OK, "%s", err.text);
    ck_assert_uint_eq(appended->version, 3);
    ck_assert_str_eq(shown("order-1"), "3");
    ck_assert_int_eq(acta_sync_delete_stream(sync_, "none", 0, NULL, &err),
                     ACTA_NOT_FOUND);
}
END_TEST

START_TEST(tombstoned_stream_is_never_appended_to_again)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_MAX_COUNT);

    store("order-1", "A", NULL);
    ck_assert_int_eq(acta_sync_tombstone_stream(sync_, "order-1",
                                                ACTA_EXPECT_EXISTS, NULL, &err),
                     ACTA_OK);
    ck_assert_int_eq(
        acta_sync_tombstone_stream(sync_, "reserved", 0, NULL, &err), ACTA_OK);
    begin("order-1", ACTA_EXPECT_ANY);
    add("B", NULL);
    ck_assert_int_eq(send_it(), ACTA_TOMBSTONED);
    begin("reserved", 0);
    add("B", NULL);
    ck_assert_int_eq(send_it(), ACTA_TOMBSTONED);
    ck_assert_int_eq(acta_sync_set_stream(sync_, "order-1", ACTA_EXPECT_ANY,
                                          &settings, NULL, &err),
                     ACTA_TOMBSTONED);
}
END_TEST

START_TEST(settings_hide_events_from_all_who_read)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_MAX_COUNT);
    const struct acta_description *description;
    const struct acta_event *event;

    for (int i = 0; i < 5; i++) {
        store("order-1", "A", "t");
    }
    acta_query_tag(query, "t");
    settings.max_count = 2;
    ck_assert_msg(acta_sync_set_stream(sync_, "order-1", 5, &settings, &changed,
                                       &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert(changed->changed);
    ck_assert_str_eq(shown("order-1"), "4 5");
    ck_assert_str_eq(found(), "4 5");
    ck_assert_int_eq(acta_sync_read_version(sync_, "order-1", 3, &event, &err),
                     ACTA_NOT_FOUND);
    begin("order-2", 0);
    add("B", NULL);
    acta_append_condition(append, query, 5);
    ck_assert_msg(send_it() == ACTA_OK, "%s", err.text);

    settings = acta_settings_of(ACTA_SET_TRUNCATE_BEFORE);
    settings.truncate_before = 5;
    ck_assert_int_eq(acta_sync_set_stream(sync_, "order-1", ACTA_EXPECT_ANY,
                                          &settings, NULL, &err),
                     ACTA_OK);
    ck_assert_str_eq(found(), "5");
    ck_assert_int_eq(
        acta_sync_describe_stream(sync_, "order-1", &description, &err),
        ACTA_OK);
    ck_assert_uint_eq(description->stream->truncate_before, 5);
    ck_assert_uint_eq(description->stream->max_count, 2);
    ck_assert_uint_eq(description->first_version, 5);
}
END_TEST

START_TEST(erased_event_stays_without_its_data)
{
    const struct acta_event *event;

    store("order-1", "A", "t");
    store("order-1", "B", NULL);
    ck_assert_msg(acta_sync_erase_event(sync_, "order-1", 1, &changed, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    ck_assert(changed->changed);
    ck_assert_int_eq(acta_sync_read_version(sync_, "order-1", 1, &event, &err),
                     ACTA_OK);
    ck_assert_int_eq(event->format, ACTA_FORMAT_ERASED);
    ck_assert_uint_eq(event->data_size, 0);
    ck_assert_str_eq(event->type, "A");
    ck_assert_str_eq(event->tags[0], "t");
    ck_assert_int_eq(acta_sync_erase_event(sync_, "order-1", 1, &changed, &err),
                     ACTA_OK);
    ck_assert(!changed->changed);
    ck_assert_int_eq(acta_sync_erase_event(sync_, "order-1", 3, NULL, &err),
                     ACTA_NOT_FOUND);

    ck_assert_int_eq(
        acta_sync_erase_stream(sync_, "order-1", 2, &changed, &err), ACTA_OK);
    ck_assert(changed->changed);
    ck_assert_int_eq(acta_sync_read_version(sync_, "order-1", 2, &event, &err),
                     ACTA_OK);
    ck_assert_int_eq(event->format, ACTA_FORMAT_ERASED);
}
END_TEST

/* ---- finding ---- */

START_TEST(query_finds_by_how_types_and_streams_begin)
{
    store("order-1", "OrderPlaced", NULL);
    store("order-2026-1", "OrderPaid", NULL);
    store("payment-1", "PaymentMade", NULL);
    store("invoice-1", "Sent", NULL);
    acta_query_type_prefix(query, "Order");
    acta_query_type(query, "Sent");
    ck_assert_str_eq(found(), "1 2 4");
    acta_query_stream_prefix(query, "order-2");
    acta_query_stream(query, "invoice-1");
    ck_assert_str_eq(found(), "2 4");
}
END_TEST

static void
assert_names(const struct acta_names *names, const char *first,
             const char *second)
{
    ck_assert_uint_eq(names->names_count, second == NULL ? 1 : 2);
    ck_assert_str_eq(names->names[0]->name, first);
    if (second != NULL) {
        ck_assert_str_eq(names->names[1]->name, second);
    }
    ck_assert(names->at_end);
}

START_TEST(names_are_listed_with_how_often_they_were_used)
{
    const struct acta_names *names;

    store("order-1", "A", "x:1");
    store("order-2", "B", "x:1");
    store("payment-1", "A", "y:1");
    ck_assert_msg(acta_sync_list_categories(sync_, NULL, NULL, 0, &names,
                                            &err) == ACTA_OK,
                  "%s", err.text);
    assert_names(names, "order", "payment");
    ck_assert_uint_eq(names->names[0]->count, 2);
    ck_assert_uint_eq(names->names[0]->last_position, 2);
    ck_assert_int_eq(acta_sync_list_types(sync_, NULL, "A", 0, &names, &err),
                     ACTA_OK);
    assert_names(names, "B", NULL);
    ck_assert_int_eq(acta_sync_list_tags(sync_, "x:", NULL, 0, &names, &err),
                     ACTA_OK);
    assert_names(names, "x:1", NULL);
    ck_assert_uint_eq(names->names[0]->count, 2);
}
END_TEST

START_TEST(time_is_found_before_its_first_event)
{
    const struct acta_event *event;
    uint64_t position, time_us;

    store("order-1", "A", NULL);
    store("order-1", "B", NULL);
    ck_assert_int_eq(acta_sync_read_version(sync_, "order-1", 1, &event, &err),
                     ACTA_OK);
    time_us = event->time_us;
    ck_assert_int_eq(acta_sync_find_time(sync_, time_us, &position, &err),
                     ACTA_OK);
    ck_assert_uint_eq(position, 0);
    ck_assert_int_eq(acta_sync_read_version(sync_, "order-1", 2, &event, &err),
                     ACTA_OK);
    ck_assert_int_eq(
        acta_sync_find_time(sync_, event->time_us + 1, &position, &err),
        ACTA_OK);
    ck_assert_uint_eq(position, 2);
}
END_TEST

/* Stop the server, and start one with another database in its place, which has
 * as many events.
 */
static void
replace_database(unsigned events)
{
    struct acta_sync *before = sync_;
    struct acta_options options;
    char listen[64], url[64];

    snprintf(listen, sizeof(listen), "--listen=127.0.0.1:%u", rig.port);
    rig_stop(&rig);
    rig_start(&rig, listen, NULL);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    options = patient_options(url);
    ck_assert_msg(acta_sync_open(&sync_, &options, &err) == ACTA_OK, "%s",
                  err.text);
    for (unsigned i = 0; i < events; i++) {
        store("s-1", "Restored", NULL);
    }
    acta_sync_close(sync_);
    sync_ = before;
}

START_TEST(cursor_does_not_go_on_in_another_database)
{
    struct acta_read read = acta_read_of_stream("s-1");
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    enum acta_code code;

    for (int i = 0; i < 10; i++) {
        store("s-1", "First", NULL);
    }
    read.events_max = 2;
    ck_assert_int_eq(acta_cursor_open(&cursor, sync_, &read, &err), ACTA_OK);
    ck_assert_int_eq(acta_cursor_next(cursor, &event, &err), ACTA_OK);
    replace_database(10);
    /* One page was asked for ahead. */
    while ((code = acta_cursor_next(cursor, &event, &err)) == ACTA_OK) {
        ck_assert_ptr_nonnull(event);
        ck_assert_str_eq(event->type, "First");
    }
    ck_assert_int_eq(code, ACTA_FENCED);
    ck_assert_int_eq(acta_cursor_next(cursor, &event, &err), ACTA_FENCED);
    ck_assert_ptr_null(event);
    acta_cursor_close(cursor);
    /* A new one reads what is there. */
    ck_assert_int_eq(acta_cursor_open(&cursor, sync_, &read, &err), ACTA_OK);
    ck_assert_int_eq(acta_cursor_next(cursor, &event, &err), ACTA_OK);
    ck_assert_str_eq(event->type, "Restored");
    acta_cursor_close(cursor);
}
END_TEST

START_TEST(server_tells_what_it_takes)
{
    const struct acta_limits *limits = acta_sync_server(sync_)->limits;

    ck_assert_uint_eq(limits->append_checks_max, 1000);
    ck_assert_uint_eq(limits->append_conditions_max, 32);
    ck_assert_uint_eq(limits->unseen_events_max, 1000);
    ck_assert_uint_eq(limits->query_items_max, 128);
    ck_assert_uint_eq(limits->query_terms_max, 256);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("contract");
    TCase *tcase = tcase_create("contract");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, append_holds_only_if_what_it_was_decided_from_does);
    tcase_add_test(tcase, refusal_brings_what_it_takes_to_decide_again);
    tcase_add_test(tcase, command_takes_effect_once_whatever_its_events_are);
    tcase_add_test(tcase,
                   deleted_stream_reads_as_empty_until_it_is_appended_to);
    tcase_add_test(tcase, tombstoned_stream_is_never_appended_to_again);
    tcase_add_test(tcase, settings_hide_events_from_all_who_read);
    tcase_add_test(tcase, erased_event_stays_without_its_data);
    tcase_add_test(tcase, query_finds_by_how_types_and_streams_begin);
    tcase_add_test(tcase, names_are_listed_with_how_often_they_were_used);
    tcase_add_test(tcase, time_is_found_before_its_first_event);
    tcase_add_test(tcase, cursor_does_not_go_on_in_another_database);
    tcase_add_test(tcase, server_tells_what_it_takes);
    return run_suite(suite);
}
