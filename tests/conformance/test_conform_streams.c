/* Streams: reading, changing, loading, listing, in memory and on a server. */

#include <string.h>

#include "words.h"

#define ANY ACTA_EXPECT_ANY

/* a: X Y, b-1: X, a: Z, b-2: Y; with some tags. */
static void
fill(void)
{
    struct acta_append *append = write_to(NULL, "a", 0);

    add(append, "Xen", "1", "t:1", "u:1", NULL);
    add(append, "Yak", "2", "t:2", NULL);
    write_to(append, "b-1", 0);
    add(append, "Xen", "3", "t:1", NULL);
    send_it(append, ACTA_OK);
    append = write_to(NULL, "a", 2);
    add(append, "Zoo", "4", NULL);
    write_to(append, "b-2", 0);
    add(append, "Yak", "5", "t:1", "u:2", NULL);
    send_it(append, ACTA_OK);
}

static void
set(const char *stream, unsigned given, uint64_t truncate_before,
    uint64_t max_count, uint64_t max_age_us, enum acta_code code)
{
    struct acta_settings settings = acta_settings_of(given);

    settings.truncate_before = truncate_before;
    settings.max_count = max_count;
    settings.max_age_us = max_age_us;
    expect(code, acta_sync_set_stream(place.sync, stream, ANY, &settings, NULL,
                                      &place.err));
}

/* ---- reading ---- */

START_TEST(streams_are_read_both_ways)
{
    struct acta_read read = acta_read_of_stream("a");

    place_begin(_i);
    fill();
    ck_assert_str_eq(stream_text("a", 0, false),
                     "1 a.1 Xen 1\n2 a.2 Yak 2\n4 a.3 Zoo 4\n"
                     "next 3 at end, head 5, version 3");
    ck_assert_str_eq(stream_text("a", 2, false),
                     "4 a.3 Zoo 4\nnext 3 at end, head 5, version 3");
    ck_assert_str_eq(stream_text("a", 9, false),
                     "next 3 at end, head 5, version 3");
    ck_assert_str_eq(stream_text("a", 3, true),
                     "2 a.2 Yak 2\n1 a.1 Xen 1\n"
                     "next 1 at end, head 5, version 3");
    ck_assert_str_eq(stream_text("none", 0, true),
                     "next 1 at end, head 5, version 0");
    read.events_max = 2;
    ck_assert_str_eq(page_text(&read), "1 a.1 Xen 1\n2 a.2 Yak 2\n"
                                       "next 2, head 5, version 3");
    read.backward = true;
    read.bytes_max = 1;
    ck_assert_str_eq(page_text(&read),
                     "4 a.3 Zoo 4\nnext 3, head 5, version 3");
    place_end();
}
END_TEST

START_TEST(queries_find_what_they_name)
{
    struct acta_query *query = acta_query_new();
    struct acta_read read;

    place_begin(_i);
    fill();
    ck_assert_str_eq(query_text(NULL, 3, false),
                     "4 a.3 Zoo 4\n5 b-2.1 Yak 5\n"
                     "next 5 at end, head 5, version 0");
    ck_assert_str_eq(query_text(NULL, 9, false),
                     "next 9 at end, head 5, version 0");
    acta_query_tag(query, "t:1");
    acta_query_type(query, "Xen");
    acta_query_or(query);
    acta_query_stream_prefix(query, "b-");
    acta_query_type_prefix(query, "Y");
    ck_assert_str_eq(query_text(query, 0, false),
                     "1 a.1 Xen 1\n3 b-1.1 Xen 3\n5 b-2.1 Yak 5\n"
                     "next 5 at end, head 5, version 0");
    ck_assert_str_eq(query_text(query, 5, true),
                     "3 b-1.1 Xen 3\n1 a.1 Xen 1\n"
                     "next 1 at end, head 5, version 0");
    read = acta_read_of_query(query);
    read.events_max = 1;
    ck_assert_str_eq(page_text(&read),
                     "1 a.1 Xen 1\nnext 2, head 5, version 0");
    acta_query_or(query);
    acta_query_category(query, "a");
    acta_query_tag(query, "t:2");
    ck_assert_str_eq(query_text(query, 1, false),
                     "2 a.2 Yak 2\n3 b-1.1 Xen 3\n5 b-2.1 Yak 5\n"
                     "next 5 at end, head 5, version 0");
    acta_query_free(query);
    place_end();
}
END_TEST

START_TEST(events_are_found_by_version_id_and_time)
{
    const struct acta_event *event;
    const struct acta_page *page;
    struct acta_id id;
    uint64_t position, time_us;

    place_begin(_i);
    fill();
    expect(ACTA_OK,
           acta_sync_read_version(place.sync, "a", 3, &event, &place.err));
    ck_assert_uint_eq(event->position, 4);
    id = *event->id;
    time_us = event->time_us;
    expect(ACTA_NOT_FOUND,
           acta_sync_read_version(place.sync, "a", 4, &event, &place.err));
    expect(ACTA_OK, acta_sync_read_id(place.sync, &id, &page, &place.err));
    ck_assert_uint_eq(page->events_count, 1);
    ck_assert_uint_eq(page->events[0]->position, 4);
    id.bytes[15] ^= 1;
    expect(ACTA_NOT_FOUND,
           acta_sync_read_id(place.sync, &id, &page, &place.err));
    expect(ACTA_OK,
           acta_sync_find_time(place.sync, time_us + 1, &position, &place.err));
    ck_assert_uint_eq(position, 5);
    expect(ACTA_OK, acta_sync_find_time(place.sync, 1, &position, &place.err));
    ck_assert_uint_eq(position, 0);
    place_end();
}
END_TEST

/* ---- changes ---- */

START_TEST(settings_hide_and_never_show_again)
{
    const struct acta_description *told;

    place_begin(_i);
    store("a", "X", 6);
    set("a", ACTA_SET_MAX_COUNT, 0, 2, 0, ACTA_OK);
    ck_assert_str_eq(stream_text("a", 0, false),
                     "5 a.5 X data\n6 a.6 X data\n"
                     "next 6 at end, head 6, version 6");
    ck_assert_str_eq(stream_text("a", 0, true),
                     "6 a.6 X data\n5 a.5 X data\n"
                     "next 5 at end, head 6, version 6");
    set("a", ACTA_SET_MAX_COUNT, 0, 5, 0, ACTA_OK);
    ck_assert_str_eq(query_text(NULL, 0, false),
                     "5 a.5 X data\n6 a.6 X data\n"
                     "next 6 at end, head 6, version 0");
    expect(ACTA_OK,
           acta_sync_describe_stream(place.sync, "a", &told, &place.err));
    ck_assert_uint_eq(told->first_version, 5);
    ck_assert_uint_eq(told->stream->truncate_before, 5);
    ck_assert_uint_eq(told->stream->max_count, 5);
    set("a", ACTA_SET_TRUNCATE_BEFORE, 4, 0, 0, ACTA_INVALID);
    set("a", ACTA_SET_TRUNCATE_BEFORE, 8, 0, 0, ACTA_INVALID);
    set("a", ACTA_SET_TRUNCATE_BEFORE, 7, 0, 0, ACTA_OK);
    ck_assert_str_eq(stream_text("a", 0, false),
                     "next 6 at end, head 6, version 6");
    set("new", ACTA_SET_MAX_AGE, 0, 0, 1000, ACTA_OK);
    expect(ACTA_OK,
           acta_sync_describe_stream(place.sync, "new", &told, &place.err));
    ck_assert_uint_eq(told->stream->version, 0);
    ck_assert_uint_eq(told->stream->max_age_us, 1000);
    place_end();
}
END_TEST

START_TEST(deleted_streams_go_on_and_tombstoned_ones_do_not)
{
    const struct acta_changed *changed;

    place_begin(_i);
    expect(ACTA_NOT_FOUND,
           acta_sync_delete_stream(place.sync, "a", ANY, NULL, &place.err));
    fill();
    expect(ACTA_CONFLICT,
           acta_sync_delete_stream(place.sync, "a", 1, NULL, &place.err));
    expect(ACTA_OK,
           acta_sync_delete_stream(place.sync, "a", 3, &changed, &place.err));
    ck_assert(changed->changed);
    expect(ACTA_OK,
           acta_sync_delete_stream(place.sync, "a", 3, &changed, &place.err));
    ck_assert(!changed->changed);
    ck_assert_uint_eq(changed->version, 3);
    ck_assert_uint_eq(changed->head, 5);
    ck_assert_str_eq(query_text(NULL, 0, false),
                     "3 b-1.1 Xen 3\n5 b-2.1 Yak 5\n"
                     "next 5 at end, head 5, version 0");
    store("a", "Again", 1);
    ck_assert_str_eq(stream_text("a", 0, false),
                     "6 a.4 Again data\nnext 4 at end, head 6, version 4");
    expect(ACTA_OK,
           acta_sync_tombstone_stream(place.sync, "a", ANY, NULL, &place.err));
    expect(ACTA_OK, acta_sync_tombstone_stream(place.sync, "a", ANY, &changed,
                                               &place.err));
    ck_assert(!changed->changed);
    expect(ACTA_TOMBSTONED,
           acta_sync_delete_stream(place.sync, "a", ANY, NULL, &place.err));
    set("a", ACTA_SET_MAX_COUNT, 0, 1, 0, ACTA_TOMBSTONED);
    expect(ACTA_OK, acta_sync_tombstone_stream(place.sync, "never", 0, NULL,
                                               &place.err));
    place_end();
}
END_TEST

START_TEST(erased_events_keep_all_but_their_data)
{
    const struct acta_changed *changed;
    const struct acta_event *event;

    place_begin(_i);
    fill();
    expect(ACTA_NOT_FOUND,
           acta_sync_erase_event(place.sync, "a", 9, NULL, &place.err));
    expect(ACTA_OK,
           acta_sync_erase_event(place.sync, "a", 1, &changed, &place.err));
    ck_assert(changed->changed);
    expect(ACTA_OK,
           acta_sync_erase_event(place.sync, "a", 1, &changed, &place.err));
    ck_assert(!changed->changed);
    expect(ACTA_OK,
           acta_sync_read_version(place.sync, "a", 1, &event, &place.err));
    ck_assert_int_eq(event->format, ACTA_FORMAT_ERASED);
    ck_assert_uint_eq(event->tags_count, 2);
    ck_assert_str_eq(event->tags[1], "u:1");
    expect(ACTA_OK,
           acta_sync_erase_stream(place.sync, "a", ANY, &changed, &place.err));
    ck_assert(changed->changed);
    store("a", "After", 1);
    ck_assert_str_eq(stream_text("a", 2, false),
                     "4 a.3 Zoo erased\n6 a.4 After data\n"
                     "next 4 at end, head 6, version 4");
    place_end();
}
END_TEST

/* ---- loading ---- */

static const struct acta_loaded *
load(uint64_t version, uint64_t schema)
{
    struct acta_load wanted = acta_load_of("a");
    const struct acta_loaded *loaded;

    wanted.has_version = version > 0;
    wanted.version = version;
    wanted.has_schema = schema > 0;
    wanted.schema = schema;
    expect(ACTA_OK, acta_sync_load(place.sync, &wanted, &loaded, &place.err));
    return loaded;
}

static void
snapshot(uint64_t version, uint64_t schema, const char *data)
{
    struct acta_append *append = acta_append_new();

    acta_append_snapshot(append, "a", version, schema, data, strlen(data));
    send_it(append, ACTA_OK);
}

START_TEST(a_snapshot_is_loaded_with_what_came_behind_it)
{
    const struct acta_loaded *loaded;
    struct acta_load beyond = acta_load_of("a");
    struct acta_append *append;

    place_begin(_i);
    ck_assert_uint_eq(load(0, 0)->page->version, 0);
    store("a", "X", 4);
    snapshot(3, 1, "three");
    snapshot(2, 1, "two"); /* An older one is passed over. */
    loaded = load(0, 0);
    ck_assert_ptr_nonnull(loaded->snapshot);
    ck_assert_str_eq(loaded->snapshot->data, "three");
    ck_assert_uint_eq(loaded->page->events_count, 1);
    ck_assert_ptr_null(load(0, 2)->snapshot);
    snapshot(1, 2, "one"); /* A greater schema counts more. */
    ck_assert_uint_eq(load(0, 2)->page->events_count, 3);
    loaded = load(4, 0);
    ck_assert(loaded->not_modified);
    ck_assert_ptr_null(loaded->snapshot);
    ck_assert_uint_eq(load(3, 0)->page->events_count, 1);
    beyond.has_version = true;
    beyond.version = 5;
    expect(ACTA_INVALID,
           acta_sync_load(place.sync, &beyond, &loaded, &place.err));

    /* What is erased is not kept in a snapshot. */
    expect(ACTA_OK,
           acta_sync_erase_event(place.sync, "a", 3, NULL, &place.err));
    ck_assert_ptr_nonnull(load(0, 0)->snapshot);
    expect(ACTA_OK,
           acta_sync_erase_event(place.sync, "a", 1, NULL, &place.err));
    ck_assert_ptr_null(load(0, 0)->snapshot);
    snapshot(4, 1, "four");
    append = acta_append_new();
    acta_append_remove_snapshot(append, "a");
    send_it(append, ACTA_OK);
    ck_assert_ptr_null(load(0, 0)->snapshot);
    snapshot(4, 1, "four");
    expect(ACTA_OK,
           acta_sync_delete_stream(place.sync, "a", ANY, NULL, &place.err));
    ck_assert_ptr_null(load(0, 0)->snapshot);
    place_end();
}
END_TEST

/* ---- lists ---- */

START_TEST(streams_and_names_are_listed_in_order)
{
    const struct acta_streams *streams;
    const struct acta_names *names;

    place_begin(_i);
    fill();
    set("aa", ACTA_SET_MAX_COUNT, 0, 1, 0, ACTA_OK); /* It has no events. */
    expect(ACTA_OK,
           acta_sync_delete_stream(place.sync, "a", ANY, NULL, &place.err));
    expect(ACTA_OK,
           acta_sync_list(place.sync, "", "", 2, &streams, &place.err));
    ck_assert_uint_eq(streams->streams_count, 2);
    ck_assert(!streams->at_end);
    ck_assert_str_eq(streams->streams[0]->name, "a");
    ck_assert_int_eq(streams->streams[0]->state, ACTA_STREAM_DELETED);
    ck_assert_uint_eq(streams->streams[0]->last_position, 4);
    expect(ACTA_OK,
           acta_sync_list(place.sync, "b-", "b-1", 0, &streams, &place.err));
    ck_assert_uint_eq(streams->streams_count, 1);
    ck_assert(streams->at_end);
    expect(ACTA_OK,
           acta_sync_list_tags(place.sync, "t:", "", 0, &names, &place.err));
    ck_assert_uint_eq(names->names_count, 2);
    ck_assert_str_eq(names->names[0]->name, "t:1");
    ck_assert_uint_eq(names->names[0]->count, 3);
    expect(ACTA_OK, acta_sync_list_categories(place.sync, "", "", 0, &names,
                                              &place.err));
    ck_assert_uint_eq(names->names_count, 2);
    ck_assert_str_eq(names->names[1]->name, "b");
    ck_assert_uint_eq(names->names[1]->count, 2);
    expect(ACTA_OK,
           acta_sync_list_types(place.sync, "", "Xen", 1, &names, &place.err));
    ck_assert_uint_eq(names->names_count, 1);
    ck_assert_str_eq(names->names[0]->name, "Yak");
    ck_assert(!names->at_end);
    place_end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conform_streams");
    TCase *tcase = tcase_create("conform_streams");

#define CASE(name) tcase_add_loop_test(tcase, name, 0, PLACES)
    CASE(streams_are_read_both_ways);
    CASE(queries_find_what_they_name);
    CASE(events_are_found_by_version_id_and_time);
    CASE(settings_hide_and_never_show_again);
    CASE(deleted_streams_go_on_and_tombstoned_ones_do_not);
    CASE(erased_events_keep_all_but_their_data);
    CASE(a_snapshot_is_loaded_with_what_came_behind_it);
    CASE(streams_and_names_are_listed_in_order);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
