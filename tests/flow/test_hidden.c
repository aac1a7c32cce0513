/* What a stream hides is hidden from all who read, in the same moment: stream
 * reads, queries, reads of one event, and subscriptions, whether they read
 * history or are live. All of it is done once with events in memory, and once
 * with checkpoints that move them to the store all the time.
 */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "limit.h"
#include "msg.h"
#include "rig.h"
#include "run.h"

#define TEXT_SIZE  256
#define FAR_CREDIT (1u << 20)

static const char *const checkpoints[] = {"--checkpoint-events=1000000",
                                          "--checkpoint-events=1"};

#define WAYS (int)(sizeof(checkpoints) / sizeof(checkpoints[0]))

static struct rig rig;
static struct peer peer;
static struct peer watcher; /* It has a subscription to all, from the start. */
static struct acta_err err;

static void
start(int way)
{
    rig_start(&rig, checkpoints[way], NULL);
    peer_greet(&peer, rig.port);
    peer_greet(&watcher, rig.port);
}

static void
stop(void)
{
    peer_close(&watcher);
    peer_close(&peer);
    rig_stop(&rig);
}

/* ---- what is done ---- */

static void
append(const char *stream, int64_t expected, size_t count)
{
    peer_put_append(&peer, 2, stream, expected, count, 10);
    peer_send(&peer);
    peer_expect(&peer, OP_APPENDED, 2);
}

static void
change(const struct msg_change *change)
{
    struct msg_changed changed;
    struct frame frame;

    msg_change_encode(&peer.out, 3, change);
    peer_send(&peer);
    frame = peer_expect(&peer, OP_CHANGED, 3);
    ck_assert_int_eq(msg_changed_decode(&changed, frame.body, &err), ACTA_OK);
    ck_assert(changed.changed);
}

static void delete (const char *stream)
{
    change(&(struct msg_change){.stream = slice_of(stream),
                                .expected = MSG_EXPECT_EXISTS,
                                .kind = MSG_DELETE});
}

static void
truncate_before(const char *stream, uint64_t version)
{
    change(&(struct msg_change){.stream = slice_of(stream),
                                .expected = MSG_EXPECT_ANY,
                                .kind = MSG_SET,
                                .given = MSG_HAS_TRUNCATE_BEFORE,
                                .settings.truncate_before = version});
}

static void
keep_at_most(const char *stream, uint64_t count)
{
    change(&(struct msg_change){.stream = slice_of(stream),
                                .expected = MSG_EXPECT_ANY,
                                .kind = MSG_SET,
                                .given = MSG_HAS_MAX_COUNT,
                                .settings.max_count = count});
}

/* ---- what is seen ---- */

/* Positions of events, as text: "1 2 7". */
struct seen {
    char text[TEXT_SIZE];
};

static void
see(struct seen *seen, struct slice events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(seen->text);
        struct event event;

        ck_assert_int_eq(msg_next_event(&events, &event, &err), ACTA_OK);
        snprintf(seen->text + used, TEXT_SIZE - used, "%s%ju",
                 used == 0 ? "" : " ", (uintmax_t)event.position);
    }
}

/* Take the page that answers what was put into peer.out. */
static struct seen
take_page(void)
{
    struct seen seen = {""};
    struct msg_page page;
    struct frame frame;

    peer_send(&peer);
    frame = peer_expect(&peer, OP_PAGE, 4);
    ck_assert_int_eq(msg_page_decode(&page, frame.body, &err), ACTA_OK);
    ck_assert(page.at_end);
    see(&seen, page.events, page.events_count);
    return seen;
}

static struct seen
in_stream(const char *stream, bool backward)
{
    struct msg_read_stream read = {.stream = slice_of(stream),
                                   .backward = backward};

    msg_read_stream_encode(&peer.out, 4, &read);
    return take_page();
}

static struct seen
by_query(const struct query *query, bool backward)
{
    struct msg_read_all read = {.query = *query, .backward = backward};

    msg_read_all_encode(&peer.out, 4, &read);
    return take_page();
}

static bool
has_version(const char *stream, uint64_t version)
{
    struct msg_read_event read = {.stream = slice_of(stream),
                                  .version = version};
    struct frame frame;

    msg_read_event_encode(&peer.out, 5, &read);
    peer_send(&peer);
    ck_assert(peer_next(&peer, &frame));
    if (frame.kind == OP_ERROR) {
        struct msg_error error;

        ck_assert_int_eq(msg_error_decode(&error, frame.body, &err), ACTA_OK);
        ck_assert_int_eq(error.code, ACTA_NOT_FOUND);
        return false;
    }
    ck_assert_int_eq(frame.kind, OP_PAGE);
    return true;
}

static void
subscribe(struct peer *subscriber, uint64_t credit)
{
    struct msg_subscribe subscribe = {.query = QUERY_ALL, .credit = credit};

    msg_subscribe_encode(&subscriber->out, 9, &subscribe);
    peer_send(subscriber);
    peer_expect(subscriber, OP_SUBSCRIBED, 9);
}

/* Everything that is delivered until the subscription has come to @position. */
static struct seen
delivered(struct peer *subscriber, uint64_t position)
{
    struct seen seen = {""};
    uint64_t at = 0;

    while (at < position) {
        struct msg_delivery delivery;
        struct frame frame;

        ck_assert(peer_next(subscriber, &frame));
        if (frame.kind == OP_CAUGHT_UP) {
            ck_assert_int_eq(
                msg_number_decode(&at, OP_CAUGHT_UP, frame.body, &err),
                ACTA_OK);
            continue;
        }
        ck_assert_int_eq(frame.kind, OP_DELIVERY);
        ck_assert_int_eq(msg_delivery_decode(&delivery, frame.body, &err),
                         ACTA_OK);
        see(&seen, delivery.events, delivery.events_count);
        at = delivery.position;
    }
    ck_assert_uint_eq(at, position);
    return seen;
}

/* A subscription that begins now, up to @position. */
static struct seen
from_the_start(uint64_t position)
{
    struct peer subscriber;
    struct seen seen;

    peer_greet(&subscriber, rig.port);
    subscribe(&subscriber, FAR_CREDIT);
    seen = delivered(&subscriber, position);
    peer_close(&subscriber);
    return seen;
}

static void
expect_seen(struct seen seen, const char *text)
{
    ck_assert_str_eq(seen.text, text);
}

/* Everybody sees @all of the database, up to its last position, and those of
 * @order of "order-1". Backward, it is the other way round.
 */
static void
expect_all_see(const char *all, const char *all_backward, const char *order,
               const char *order_backward, uint64_t head)
{
    struct slice name = slice_of("order-1");
    struct query_item item = {.fields[QUERY_STREAMS] = {&name, 1, NULL, 0}};
    struct query query = {&item, 1, NULL};

    expect_seen(by_query(&QUERY_ALL, false), all);
    expect_seen(by_query(&QUERY_ALL, true), all_backward);
    expect_seen(in_stream("order-1", false), order);
    expect_seen(in_stream("order-1", true), order_backward);
    expect_seen(by_query(&query, false), order);
    expect_seen(by_query(&query, true), order_backward);
    expect_seen(from_the_start(head), all);
}

START_TEST(deleted_events_are_hidden_from_all_and_later_ones_are_not)
{
    start(_i);
    append("order-1", 0, 3);
    append("order-2", 0, 1);
    expect_all_see("1 2 3 4", "4 3 2 1", "1 2 3", "3 2 1", 4);
    delete ("order-1");
    expect_all_see("4", "4", "", "", 4);
    ck_assert(!has_version("order-1", 3));

    append("order-1", 0, 2);
    expect_all_see("4 5 6", "6 5 4", "5 6", "6 5", 6);
    ck_assert(!has_version("order-1", 3));
    ck_assert(has_version("order-1", 4));
    delete ("order-1");
    append("order-1", 5, 1);
    expect_all_see("4 7", "7 4", "7", "7", 7);
    stop();
}
END_TEST

START_TEST(truncated_events_are_hidden_from_all)
{
    start(_i);
    append("order-1", 0, 5);
    append("order-2", 0, 1);
    truncate_before("order-1", 3);
    expect_all_see("3 4 5 6", "6 5 4 3", "3 4 5", "5 4 3", 6);
    ck_assert(!has_version("order-1", 2));
    ck_assert(has_version("order-1", 3));
    truncate_before("order-1", 6);
    expect_all_see("6", "6", "", "", 6);
    append("order-1", 5, 1);
    expect_all_see("6 7", "7 6", "7", "7", 7);
    stop();
}
END_TEST

/* And what one bound has hidden does not come back with the next one. */
START_TEST(events_beyond_the_greatest_count_are_hidden_from_all)
{
    start(_i);
    append("order-1", 0, 5);
    keep_at_most("order-1", 2);
    expect_all_see("4 5", "5 4", "4 5", "5 4", 5);
    append("order-1", 5, 1);
    expect_all_see("5 6", "6 5", "5 6", "6 5", 6);
    keep_at_most("order-1", 4);
    expect_all_see("5 6", "6 5", "5 6", "6 5", 6);
    append("order-1", 6, 3);
    expect_all_see("6 7 8 9", "9 8 7 6", "6 7 8 9", "9 8 7 6", 9);
    stop();
}
END_TEST

START_TEST(subscription_is_not_sent_what_was_hidden_before_its_turn)
{
    start(_i);
    append("order-1", 0, 4);
    append("order-2", 0, 1);
    /* Credit for one byte brings one event. */
    subscribe(&watcher, 1);
    expect_seen(delivered(&watcher, 1), "1");
    truncate_before("order-1", 4);
    msg_number_encode(&watcher.out, OP_CREDIT, 9, FAR_CREDIT);
    peer_send(&watcher);
    expect_seen(delivered(&watcher, 5), "4 5");
    stop();
}
END_TEST

START_TEST(live_subscription_goes_on_when_a_stream_comes_back)
{
    start(_i);
    append("order-1", 0, 2);
    subscribe(&watcher, FAR_CREDIT);
    expect_seen(delivered(&watcher, 2), "1 2");
    peer_expect(&watcher, OP_CAUGHT_UP, 9);
    delete ("order-1");
    append("order-1", 0, 1);
    append("order-2", 0, 1);
    expect_seen(delivered(&watcher, 4), "3 4");
    stop();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("hidden");
    TCase *tcase = tcase_create("hidden");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(
        tcase, deleted_events_are_hidden_from_all_and_later_ones_are_not, 0,
        WAYS);
    tcase_add_loop_test(tcase, truncated_events_are_hidden_from_all, 0, WAYS);
    tcase_add_loop_test(
        tcase, events_beyond_the_greatest_count_are_hidden_from_all, 0, WAYS);
    tcase_add_loop_test(
        tcase, subscription_is_not_sent_what_was_hidden_before_its_turn, 0,
        WAYS);
    tcase_add_loop_test(
        tcase, live_subscription_goes_on_when_a_stream_comes_back, 0, WAYS);
    return run_suite(suite);
}
