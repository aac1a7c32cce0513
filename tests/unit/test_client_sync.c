/* Blocking calls, over real sockets, from a little server that may break
 * connections as it likes.
 */

#include <acta/acta_sync.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "little.h"
#include "patient.h"
#include "run.h"

static struct little little;
static struct acta_sync *sync_;
static struct acta_append *to_append;
static struct acta_err err;
static unsigned links_up, links_down;

static void
on_link(void *user, bool up, const struct acta_err *why)
{
    ck_assert_ptr_eq(user, &links_up);
    ck_assert(up == (why == NULL));
    links_up += up;
    links_down += !up;
}

static struct acta_options
options_for(const char *url)
{
    struct acta_options options = patient_options(url);

    options.backoff_min_ms = 1;
    options.backoff_max_ms = 1;
    options.on_link = on_link;
    options.user = &links_up;
    return options;
}

static void
start(unsigned breaks_once_in)
{
    struct acta_options options;

    little_start(&little, breaks_once_in, NULL);
    options = options_for(little.url);
    while (acta_sync_open(&sync_, &options, &err) != ACTA_OK) {
        ck_assert_msg(breaks_once_in > 0, "%s", err.text);
    }
    links_up = 0;
    links_down = 0;
}

static void
setup(void)
{
    err = (struct acta_err){ACTA_OK, ""};
    to_append = acta_append_new();
    sync_ = NULL;
    start(0);
}

static void
teardown(void)
{
    acta_sync_close(sync_);
    acta_append_free(to_append);
    little_stop(&little);
}

/* Append @count events of which each has its number, from @first, as data. */
static void
append(unsigned first, unsigned count)
{
    const struct acta_appended *appended;

    acta_append_clear(to_append);
    acta_append_stream(to_append, "first", ACTA_EXPECT_ANY);
    for (unsigned i = first; i < first + count; i++) {
        struct acta_draft draft;
        char data[16];

        snprintf(data, sizeof(data), "%u", i);
        draft = acta_draft_of("T", data, strlen(data));
        acta_append_event(to_append, &draft);
    }
    ck_assert_msg(acta_sync_append(sync_, to_append, &appended, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(appended->runs_count, 1);
    ck_assert_uint_eq(appended->runs[0]->count, count);
    ck_assert_uint_eq(appended->position,
                      appended->runs[0]->first_position + count - 1);
}

static unsigned
number_of(const struct acta_event *event)
{
    return (unsigned)strtoul(event->data, NULL, 10);
}

START_TEST(every_call_gets_its_answer)
{
    const struct acta_status *status;
    const struct acta_streams *streams;
    const struct acta_event *event;
    const struct acta_page *page;
    struct acta_read read = acta_read_of_stream("first");
    struct acta_id id;
    uint64_t head;

    append(0, 3);
    ck_assert_int_eq(acta_sync_ping(sync_, &head, &err), ACTA_OK);
    ck_assert_uint_eq(head, 3);

    ck_assert_int_eq(acta_sync_status(sync_, &status, &err), ACTA_OK);
    ck_assert_uint_eq(status->entries_count, 3);
    ck_assert_str_eq(status->entries[0]->name, "head");
    ck_assert_uint_eq(status->entries[0]->number, 3);
    ck_assert_ptr_null(status->entries[0]->text);
    ck_assert_str_eq(status->entries[1]->name, "version");
    ck_assert_str_eq(status->entries[1]->text, "little");
    ck_assert_str_eq(status->entries[2]->name, "empty");
    ck_assert_str_eq(status->entries[2]->text, "");

    ck_assert_int_eq(acta_sync_list(sync_, NULL, NULL, 0, &streams, &err),
                     ACTA_OK);
    ck_assert_uint_eq(streams->streams_count, 2);
    ck_assert_str_eq(streams->streams[0]->name, "first");
    ck_assert_str_eq(streams->streams[1]->name, "second");
    ck_assert_uint_eq(streams->streams[1]->version, 3);

    ck_assert_int_eq(acta_sync_read(sync_, &read, &page, &err), ACTA_OK);
    ck_assert_uint_eq(page->events_count, 3);
    ck_assert_uint_eq(number_of(page->events[2]), 2);
    id = *page->events[1]->id;

    ck_assert_int_eq(acta_sync_read_id(sync_, &id, &page, &err), ACTA_OK);
    ck_assert_uint_eq(page->events_count, 1);
    ck_assert_uint_eq(number_of(page->events[0]), 1);
    ck_assert_int_eq(acta_sync_read_version(sync_, "first", 3, &event, &err),
                     ACTA_OK);
    ck_assert_uint_eq(number_of(event), 2);
    ck_assert_int_eq(acta_sync_read_version(sync_, "first", 4, &event, &err),
                     ACTA_NOT_FOUND);
    ck_assert_ptr_null(event);
    ck_assert_str_eq(acta_sync_server(sync_)->version, "little");
}
END_TEST

START_TEST(every_call_about_streams_and_names_gets_its_answer)
{
    static const struct {
        enum acta_code (*list)(struct acta_sync *sync, const char *prefix,
                               const char *after, size_t count_max,
                               const struct acta_names **names,
                               struct acta_err *err);
        const char *kind;
    } lists[] = {
        {acta_sync_list_categories, "category"},
        {acta_sync_list_types, "type"},
        {acta_sync_list_tags, "tag"},
    };
    const struct acta_description *description;
    const struct acta_names *names;
    uint64_t position;

    append(0, 3);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        ck_assert_int_eq(lists[i].list(sync_, NULL, NULL, 0, &names, &err),
                         ACTA_OK);
        ck_assert_uint_eq(names->names_count, 1);
        ck_assert_str_eq(names->names[0]->name, lists[i].kind);
        ck_assert_uint_eq(names->names[0]->count, 3);
        ck_assert(names->at_end);
    }
    ck_assert_int_eq(acta_sync_find_time(sync_, 1, &position, &err), ACTA_OK);
    ck_assert_uint_eq(position, 3);
    ck_assert_int_eq(
        acta_sync_describe_stream(sync_, "first", &description, &err), ACTA_OK);
    ck_assert_str_eq(description->stream->name, "first");
    ck_assert_uint_eq(description->stream->version, 3);
    ck_assert_int_eq(description->stream->state, ACTA_STREAM_LIVE);
    ck_assert_uint_eq(description->first_version, 1);
    ck_assert_int_eq(acta_sync_describe_stream(sync_, "", &description, &err),
                     ACTA_INVALID);
    ck_assert_str_eq(description->stream->name, "");
}
END_TEST

START_TEST(every_change_of_a_stream_gets_its_answer)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_TRUNCATE_BEFORE);
    const struct acta_description *description;
    const struct acta_changed *changed;

    append(0, 3);
    settings.truncate_before = 2;
    ck_assert_int_eq(
        acta_sync_set_stream(sync_, "first", 3, &settings, &changed, &err),
        ACTA_OK);
    ck_assert(changed->changed);
    ck_assert_uint_eq(changed->version, 3);
    ck_assert_int_eq(acta_sync_delete_stream(sync_, "first", 3, &changed, &err),
                     ACTA_OK);
    ck_assert(changed->changed);
    ck_assert_int_eq(
        acta_sync_tombstone_stream(sync_, "first", 3, &changed, &err), ACTA_OK);
    ck_assert(!changed->changed);
    ck_assert_int_eq(acta_sync_erase_event(sync_, "first", 2, NULL, &err),
                     ACTA_OK);
    ck_assert_int_eq(acta_sync_erase_stream(sync_, "first", 2, &changed, &err),
                     ACTA_CONFLICT);
    ck_assert_str_eq(err.text, "another version");
    ck_assert_uint_eq(changed->version, 0);
    ck_assert_int_eq(
        acta_sync_describe_stream(sync_, "first", &description, &err), ACTA_OK);
    ck_assert_int_eq(description->stream->state, ACTA_STREAM_DELETED);
    ck_assert_uint_eq(description->stream->truncate_before, 2);
}
END_TEST

START_TEST(refused_append_brings_what_was_not_seen)
{
    struct acta_draft draft = acta_draft_of("T", "9", 1);
    const struct acta_appended *appended;
    uint64_t head;

    append(0, 5);
    acta_append_clear(to_append);
    acta_append_stream(to_append, "second", 0);
    acta_append_event(to_append, &draft);
    acta_append_check_stream(to_append, "first", 2);
    acta_append_unseen(to_append, 100, 0);
    ck_assert_int_eq(acta_sync_append(sync_, to_append, &appended, &err),
                     ACTA_CONFLICT);
    ck_assert_uint_eq(appended->failures_count, 1);
    ck_assert_int_eq(appended->failures[0]->kind, ACTA_FAILED_CHECK);
    ck_assert_uint_eq(appended->failures[0]->actual, 5);
    ck_assert_uint_eq(appended->unseen->events_count, 3);
    ck_assert(appended->unseen->complete);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(number_of(appended->unseen->events[i]), 2 + i);
    }
    ck_assert_int_eq(acta_sync_ping(sync_, &head, &err), ACTA_OK);
    ck_assert_uint_eq(head, 5);
}
END_TEST

START_TEST(cursor_goes_through_all_pages)
{
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_event *event;
    struct acta_cursor *cursor;

    append(0, 100);
    read.events_max = 7;
    ck_assert_int_eq(acta_cursor_open(&cursor, sync_, &read, &err), ACTA_OK);
    for (unsigned i = 0; i < 100; i++) {
        /* Other calls do not disturb what was asked for ahead. */
        if (i % 10 == 0) {
            ck_assert_int_eq(acta_sync_ping(sync_, NULL, &err), ACTA_OK);
        }
        ck_assert_int_eq(acta_cursor_next(cursor, &event, &err), ACTA_OK);
        ck_assert_uint_eq(number_of(event), i);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(acta_cursor_next(cursor, &event, &err), ACTA_OK);
        ck_assert_ptr_null(event);
    }
    ck_assert_uint_eq(acta_cursor_head(cursor), 100);
    acta_cursor_close(cursor);
}
END_TEST

START_TEST(cursor_may_be_closed_at_any_place)
{
    struct acta_read read = acta_read_of_stream("first");
    const struct acta_event *event;
    struct acta_cursor *cursors[20];

    append(0, 10);
    read.events_max = 3;
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(acta_cursor_open(&cursors[i], sync_, &read, &err),
                         ACTA_OK);
        for (unsigned n = 0; n < i % 12; n++) {
            ck_assert_int_eq(acta_cursor_next(cursors[i], &event, &err),
                             ACTA_OK);
        }
        if (i % 2 == 0) {
            acta_cursor_close(cursors[i]);
        }
    }
    append(10, 1);
}
END_TEST

START_TEST(follower_hands_out_history_then_what_is_new)
{
    struct acta_follower *follower;
    const struct acta_news *news;
    unsigned count = 0;
    bool live = false;

    append(0, 5);
    ck_assert_int_eq(acta_follower_open(&follower, sync_, NULL, 2, &err),
                     ACTA_OK);
    while (!live) {
        ck_assert_int_eq(acta_follower_next(follower, -1, &news, &err),
                         ACTA_OK);
        count += (unsigned)news->events_count;
        live = news->live;
    }
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(news->position, 5);
    ck_assert_int_eq(acta_follower_next(follower, 0, &news, &err),
                     ACTA_TIMEOUT);
    append(5, 1);
    ck_assert_int_eq(acta_follower_next(follower, -1, &news, &err), ACTA_OK);
    ck_assert_uint_eq(news->events_count, 1);
    ck_assert_uint_eq(number_of(news->events[0]), 5);
    /* Another call does not touch the news that are being looked at. */
    append(6, 1);
    ck_assert_uint_eq(number_of(news->events[0]), 5);
    ck_assert_int_eq(acta_follower_next(follower, -1, &news, &err), ACTA_OK);
    ck_assert_uint_eq(number_of(news->events[0]), 6);
    acta_follower_close(follower);
}
END_TEST

static void *
interrupt(void *follower)
{
    acta_follower_interrupt(follower);
    return NULL;
}

START_TEST(follower_can_be_interrupted)
{
    struct acta_follower *follower;
    const struct acta_news *news;
    enum acta_code code;
    pthread_t thread;

    ck_assert_int_eq(acta_follower_open(&follower, sync_, NULL, 0, &err),
                     ACTA_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, interrupt, follower), 0);
    do {
        code = acta_follower_next(follower, -1, &news, &err);
    } while (code == ACTA_OK);
    ck_assert_int_eq(code, ACTA_CANCELLED);
    pthread_join(thread, NULL);
    append(0, 1);
    do {
        ck_assert_int_eq(acta_follower_next(follower, -1, &news, &err),
                         ACTA_OK);
    } while (news->events_count == 0);
}
END_TEST

/* ---- connections that cannot be made ---- */

START_TEST(nobody_there_is_an_error_that_says_where)
{
    struct acta_options options;
    struct acta_sync *none;
    char nobody[32], url[64], text[128];

    little_nobody(nobody);
    snprintf(url, sizeof(url), "acta://%s", nobody);
    options = options_for(url);
    ck_assert_int_eq(acta_sync_open(&none, &options, &err), ACTA_UNREACHABLE);
    ck_assert_ptr_null(none);
    snprintf(text, sizeof(text), "connect %s: Connection refused", nobody);
    ck_assert_str_eq(err.text, text);
}
END_TEST

START_TEST(next_host_is_tried)
{
    struct acta_options options;
    struct acta_sync *other;
    char nobody[32], url[256];

    acta_sync_close(sync_);
    sync_ = NULL;
    little_nobody(nobody);
    snprintf(url, sizeof(url), "acta://%s,%.63s", nobody,
             little.url + strlen("acta://"));
    options = options_for(url);
    ck_assert_msg(acta_sync_open(&other, &options, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_int_eq(acta_sync_ping(other, NULL, &err), ACTA_OK);
    acta_sync_close(other);
}
END_TEST

/* Listen on a port of the system's choice, and never answer. */
static int
listen_mutely(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Each host may take as long as all of them: so the second may be begun in the
 * last moment, and the third is not.
 */
START_TEST(time_to_connect_is_that_of_all_hosts_together)
{
    struct acta_options options;
    unsigned ports[3];
    char url[100];
    int fds[3];

    for (size_t i = 0; i < 3; i++) {
        fds[i] = listen_mutely(&ports[i]);
    }
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u",
             ports[0], ports[1], ports[2]);
    acta_sync_close(sync_);
    options = options_for(url);
    options.timeout_ms = 50;
    options.connect_timeout_ms = 50;
    ck_assert_int_eq(acta_sync_open(&sync_, &options, &err), ACTA_UNREACHABLE);
    ck_assert_ptr_null(sync_);
    ck_assert_ptr_nonnull(strstr(err.text, "connect 127.0.0.1:"));
    ck_assert_int_lt(accept(fds[2], NULL, NULL), 0);
    ck_assert_int_eq(errno, EAGAIN);
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
}
END_TEST

START_TEST(host_is_looked_up_by_name)
{
    struct acta_options options;
    struct acta_sync *other;
    char url[64];

    acta_sync_close(sync_);
    sync_ = NULL;
    snprintf(url, sizeof(url), "acta://localhost%s", strrchr(little.url, ':'));
    options = options_for(url);
    ck_assert_msg(acta_sync_open(&other, &options, &err) == ACTA_OK, "%s",
                  err.text);
    acta_sync_close(other);
}
END_TEST

START_TEST(server_of_another_kind_is_told_apart)
{
    static struct little web;
    struct acta_options options;
    struct acta_sync *none;

    little_start(&web, 0, "HTTP/1.1 400 Bad Request\r\n\r\n");
    options = options_for(web.url);
    ck_assert_int_eq(acta_sync_open(&none, &options, &err), ACTA_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(err.text, "begins with byte 0x48"));
    little_stop(&web);
}
END_TEST

/* ---- connections that break ---- */

START_TEST(broken_connections_neither_lose_nor_repeat_anything)
{
    struct acta_read read = acta_read_of_query(NULL);
    struct acta_follower *follower;
    struct acta_cursor *cursor;
    const struct acta_event *event;
    const struct acta_news *news;
    unsigned followed = 0;

    acta_sync_close(sync_);
    little_stop(&little);
    start(5);
    ck_assert_int_eq(acta_follower_open(&follower, sync_, NULL, 0, &err),
                     ACTA_OK);
    for (unsigned i = 0; i < 300; i += 3) {
        append(i, 3);
    }
    while (followed < 300) {
        ck_assert_msg(acta_follower_next(follower, -1, &news, &err) == ACTA_OK,
                      "%s", err.text);
        for (size_t i = 0; i < news->events_count; i++) {
            ck_assert_uint_eq(number_of(news->events[i]), followed);
            followed++;
        }
    }
    acta_follower_close(follower);

    read.events_max = 20;
    ck_assert_int_eq(acta_cursor_open(&cursor, sync_, &read, &err), ACTA_OK);
    for (unsigned i = 0; i < 300; i++) {
        ck_assert_int_eq(acta_cursor_next(cursor, &event, &err), ACTA_OK);
        ck_assert_uint_eq(number_of(event), i);
        ck_assert_uint_eq(event->position, i + 1);
    }
    ck_assert_int_eq(acta_cursor_next(cursor, &event, &err), ACTA_OK);
    ck_assert_ptr_null(event);
    acta_cursor_close(cursor);
    ck_assert_uint_gt(links_up, 1);
    ck_assert_uint_gt(links_down, 1);
}
END_TEST

START_TEST(broken_connections_do_no_change_twice)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_TRUNCATE_BEFORE);
    const struct acta_changed *changed;
    unsigned told = 0;

    acta_sync_close(sync_);
    little_stop(&little);
    start(5);
    for (unsigned i = 1; i <= 300; i++) {
        settings.truncate_before = i;
        ck_assert_msg(acta_sync_set_stream(sync_, "first", ACTA_EXPECT_ANY,
                                           &settings, &changed,
                                           &err) == ACTA_OK,
                      "%s", err.text);
        told += changed->changed;
    }
    acta_sync_close(sync_);
    sync_ = NULL;
    little_stop(&little);
    ck_assert_uint_eq(little.changes, 300);
    /* Some answers were lost, and those to the same again said no. */
    ck_assert_uint_lt(told, 300);
    ck_assert_uint_gt(links_up, 1);
    start(0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client sync");
    TCase *tcase = tcase_create("client sync");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_call_gets_its_answer);
    tcase_add_test(tcase, every_call_about_streams_and_names_gets_its_answer);
    tcase_add_test(tcase, every_change_of_a_stream_gets_its_answer);
    tcase_add_test(tcase, refused_append_brings_what_was_not_seen);
    tcase_add_test(tcase, cursor_goes_through_all_pages);
    tcase_add_test(tcase, cursor_may_be_closed_at_any_place);
    tcase_add_test(tcase, follower_hands_out_history_then_what_is_new);
    tcase_add_test(tcase, follower_can_be_interrupted);
    tcase_add_test(tcase, nobody_there_is_an_error_that_says_where);
    tcase_add_test(tcase, next_host_is_tried);
    tcase_add_test(tcase, time_to_connect_is_that_of_all_hosts_together);
    tcase_add_test(tcase, host_is_looked_up_by_name);
    tcase_add_test(tcase, server_of_another_kind_is_told_apart);
    tcase_add_test(tcase, broken_connections_neither_lose_nor_repeat_anything);
    tcase_add_test(tcase, broken_connections_do_no_change_twice);
    return run_suite(suite);
}
