/* Subscriptions: each event once and in order, whatever happens to the
 * connection; credit; pausing; ends.
 */

#include <stdlib.h>

#include "peer.h"
#include "rnd.h"
#include "run.h"
#include "sub.h"

static struct peer peer;

/* What the callbacks were told, and what they do. */
static struct seen {
    struct acta_sub *sub;
    uint64_t last;   /* Position of the last event. */
    unsigned count;  /* Events, */
    unsigned pieces; /* and so often some were told. */
    unsigned moved;
    unsigned caught_up;
    unsigned fell_behind;
    unsigned ended;
    struct acta_err err;
    uint64_t position; /* Told last. */
    bool pauses;
    bool leaves;
    bool closes;
} seen;

static void
act(void)
{
    if (seen.pauses) {
        acta_pause(seen.sub);
    }
    if (seen.leaves) {
        acta_unsubscribe(seen.sub);
        seen.sub = NULL;
    }
    if (seen.closes) {
        acta_close(peer.client);
        peer.client = NULL;
    }
}

static void
on_events(void *user, const struct acta_batch *batch)
{
    ck_assert_ptr_eq(user, &seen);
    ck_assert_uint_gt(batch->events_count, 0);
    for (size_t i = 0; i < batch->events_count; i++) {
        ck_assert_uint_gt(batch->events[i]->position, seen.last);
        seen.last = batch->events[i]->position;
        seen.count++;
    }
    ck_assert_uint_ge(batch->position, seen.last);
    ck_assert_uint_ge(batch->head, batch->position);
    seen.pieces++;
    seen.position = batch->position;
    act();
}

static void
on_moved(void *user, uint64_t position, uint64_t head)
{
    ck_assert_ptr_eq(user, &seen);
    ck_assert_uint_ge(head, position);
    seen.moved++;
    seen.position = position;
    act();
}

static void
on_caught_up(void *user, uint64_t position)
{
    (void)user;
    seen.caught_up++;
    seen.position = position;
    act();
}

static void
on_fell_behind(void *user, uint64_t position)
{
    (void)user;
    seen.fell_behind++;
    seen.position = position;
    act();
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    (void)user;
    seen.ended++;
    seen.err = *err;
    seen.position = position;
    seen.sub = NULL;
}

static void
subscribe(const struct acta_query *query, uint64_t after)
{
    struct acta_follow follow = acta_follow_of(query, after);

    follow.user = &seen;
    follow.on_events = on_events;
    follow.on_moved = on_moved;
    follow.on_caught_up = on_caught_up;
    follow.on_fell_behind = on_fell_behind;
    follow.on_ended = on_ended;
    seen.last = after;
    seen.position = after;
    seen.sub = acta_subscribe(peer.client, &follow, &peer.err);
    ck_assert_msg(seen.sub != NULL, "%s", peer.err.text);
}

/* Take a subscribe that begins after @after. Returns its id. */
static uint64_t
expect_subscribe(uint64_t after)
{
    struct msg_subscribe subscribe;
    struct frame frame;

    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(frame.kind, OP_SUBSCRIBE);
    ck_assert_int_eq(msg_subscribe_decode(&subscribe, frame.body, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(subscribe.after, after);
    ck_assert_uint_eq(subscribe.credit, peer.client->options.given.credit_size);
    query_fini(&subscribe.query);
    return frame.request_id;
}

static void
say_number(enum opcode kind, uint64_t id, uint64_t number)
{
    msg_number_encode(&peer.answer, (uint8_t)kind, id, number);
}

static void
setup(void)
{
    seen = (struct seen){0};
    peer_open(&peer, NULL);
}

static void
teardown(void)
{
    seen.closes = false;
    peer_close(&peer);
}

START_TEST(events_and_places_are_told_in_order)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 10);
    id = expect_subscribe(10);
    say_number(OP_SUBSCRIBED, id, 30);
    peer_delivery(&peer, id, 11, 20, 30);
    peer_delivery(&peer, id, 21, 30, 30);
    say_number(OP_CAUGHT_UP, id, 30);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.count, 20);
    ck_assert_uint_eq(seen.last, 30);
    ck_assert_uint_eq(seen.caught_up, 1);
    ck_assert_uint_eq(acta_sub_position(seen.sub), 30);

    say_number(OP_FELL_BEHIND, id, 30);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.fell_behind, 1);
}
END_TEST

START_TEST(position_moves_over_what_does_not_match)
{
    struct msg_delivery nothing = {.position = 500, .head = 900};
    struct msg_open open;
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    open = msg_delivery_begin(&peer.answer, id);
    msg_delivery_end(&peer.answer, open, &nothing);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.moved, 1);
    ck_assert_uint_eq(seen.position, 500);
    say_number(OP_CAUGHT_UP, id, 900);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    peer_lose(&peer);
    peer_connect(&peer);
    expect_subscribe(900);
}
END_TEST

START_TEST(query_goes_to_the_server_each_time)
{
    struct acta_query *query = acta_query_new();
    struct msg_subscribe subscribed;
    struct frame frame;

    acta_query_category(query, "order");
    acta_query_or(query);
    acta_query_tag(query, "a");
    acta_query_tag(query, "b");
    subscribe(query, 0);
    acta_query_free(query);
    for (int i = 0; i < 3; i++) {
        peer_connect(&peer);
        ck_assert(peer_take(&peer, &frame));
        ck_assert_int_eq(msg_subscribe_decode(&subscribed, frame.body, NULL),
                         ACTA_OK);
        ck_assert_uint_eq(subscribed.query.items_count, 2);
        ck_assert_uint_eq(
            subscribed.query.items[0].fields[QUERY_CATEGORIES].count, 1);
        ck_assert_uint_eq(subscribed.query.items[1].fields[QUERY_TAGS].count,
                          2);
        query_fini(&subscribed.query);
        peer_lose(&peer);
    }
}
END_TEST

/* A whole life of a subscription, with the connection cut after every number of
 * bytes: what follows begins exactly behind what was delivered.
 */
START_TEST(cut_at_every_byte_neither_loses_nor_repeats_an_event)
{
    size_t cut = 0;
    bool whole;

    do {
        uint64_t id, after;

        peer_connect(&peer);
        seen = (struct seen){0};
        subscribe(NULL, 0);
        id = expect_subscribe(0);
        say_number(OP_SUBSCRIBED, id, 6);
        peer_delivery(&peer, id, 1, 2, 6);
        peer_delivery(&peer, id, 3, 3, 6);
        peer_delivery(&peer, id, 4, 6, 6);
        say_number(OP_CAUGHT_UP, id, 6);
        whole = cut >= buf_size(&peer.answer);
        if (!whole) {
            buf_truncate(&peer.answer, cut);
        }
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        after = seen.last;
        ck_assert(after == 0 || after == 2 || after == 3 || after == 6);
        peer_lose(&peer);

        peer_connect(&peer);
        id = expect_subscribe(after);
        if (after < 6) {
            peer_delivery(&peer, id, after + 1, 6, 6);
        }
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert_uint_eq(seen.count, 6);
        acta_unsubscribe(seen.sub);
        peer_lose(&peer);
        cut++;
    } while (!whole);
}
END_TEST

/* ---- credit ---- */

static size_t
records_size(uint64_t first, uint64_t last)
{
    struct buf buf;
    size_t size;

    buf_init(&buf, 1u << 20);
    for (uint64_t position = first; position <= last; position++) {
        peer_record(&buf, position);
    }
    size = buf_size(&buf);
    buf_fini(&buf);
    return size;
}

START_TEST(credit_comes_back_for_what_was_taken)
{
    struct acta_options options = acta_options_of("acta://127.0.0.1");
    size_t granted = 0;
    size_t sent = 0;
    uint64_t id;

    peer_close(&peer);
    options.credit_size = 2048;
    peer_open(&peer, &options);
    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    for (uint64_t position = 1; position <= 200; position += 2) {
        struct frame frame;

        sent += records_size(position, position + 1);
        peer_delivery(&peer, id, position, position + 1, 1000);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        while (peer_take(&peer, &frame)) {
            uint64_t credit;

            ck_assert_int_eq(frame.kind, OP_CREDIT);
            ck_assert_uint_eq(frame.request_id, id);
            ck_assert_int_eq(
                msg_number_decode(&credit, OP_CREDIT, frame.body, NULL),
                ACTA_OK);
            granted += credit;
        }
        ck_assert_uint_le(granted, sent);
        ck_assert_uint_le(sent - granted, options.credit_size / 4);
    }
    ck_assert_uint_gt(granted, 0);
}
END_TEST

START_TEST(paused_subscription_gets_nothing_and_gives_no_credit)
{
    struct acta_options options = acta_options_of("acta://127.0.0.1");
    uint64_t id;

    peer_close(&peer);
    options.credit_size = 1024;
    peer_open(&peer, &options);
    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    acta_pause(seen.sub);
    peer_delivery(&peer, id, 1, 10, 20);
    peer_delivery(&peer, id, 11, 20, 20);
    say_number(OP_CAUGHT_UP, id, 20);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(peer_wait(&peer, 1), ACTA_OK);
    ck_assert_uint_eq(seen.count, 0);
    ck_assert_uint_eq(seen.caught_up, 0);
    ck_assert_uint_eq(acta_sub_position(seen.sub), 0);
    peer_expect_silence(&peer);

    acta_resume(seen.sub);
    ck_assert_uint_eq(seen.count, 0);
    ck_assert_uint_eq(core_due(&peer.client->core), 0);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.count, 20);
    ck_assert_uint_eq(seen.caught_up, 1);
    peer_expect(&peer, OP_CREDIT);
    ck_assert_uint_gt(core_due(&peer.client->core), peer_now_ms);
}
END_TEST

START_TEST(subscription_that_pauses_itself_is_given_one_thing_at_a_time)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    seen.pauses = true;
    id = expect_subscribe(0);
    for (uint64_t i = 1; i <= 5; i++) {
        peer_delivery(&peer, id, i, i, 5);
    }
    say_number(OP_CAUGHT_UP, id, 5);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    for (unsigned i = 1; i <= 5; i++) {
        ck_assert_uint_eq(seen.count, i);
        ck_assert_uint_eq(seen.caught_up, 0);
        acta_resume(seen.sub);
        ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    }
    ck_assert_uint_eq(seen.caught_up, 1);
}
END_TEST

START_TEST(what_a_paused_subscription_holds_is_asked_for_again_if_lost)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    peer_delivery(&peer, id, 1, 1, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    acta_pause(seen.sub);
    peer_delivery(&peer, id, 2, 9, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    peer_lose(&peer);
    acta_resume(seen.sub);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.count, 1);
    peer_connect(&peer);
    id = expect_subscribe(1);
    peer_delivery(&peer, id, 2, 9, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.count, 9);
}
END_TEST

static void
deliver_nothing(uint64_t id, uint64_t position, uint64_t head)
{
    struct msg_delivery nothing = {.position = position, .head = head};
    struct msg_open open = msg_delivery_begin(&peer.answer, id);

    msg_delivery_end(&peer.answer, open, &nothing);
}

/* Positions cost no credit, so only the client itself keeps them from becoming
 * more and more.
 */
START_TEST(paused_subscription_holds_only_the_last_position)
{
    uint64_t id;
    size_t held = 0;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    acta_pause(seen.sub);
    deliver_nothing(id, 1, 1);
    peer_delivery(&peer, id, 2, 3, 3);
    for (uint64_t position = 4; position <= 100; position++) {
        deliver_nothing(id, position, position + 10);
    }
    say_number(OP_CAUGHT_UP, id, 100);
    deliver_nothing(id, 101, 120);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    for (const struct held *at = seen.sub->first; at != NULL; at = at->next) {
        held++;
    }
    ck_assert_uint_eq(held, 5);

    acta_resume(seen.sub);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.moved, 3);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.caught_up, 1);
    ck_assert_uint_eq(acta_sub_position(seen.sub), 101);
}
END_TEST

/* Nor do these cost credit: an append of thousands of events that do not match
 * is enough for two.
 */
START_TEST(paused_subscription_holds_only_the_last_catching_up)
{
    uint64_t id;
    size_t held = 0;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    acta_pause(seen.sub);
    say_number(OP_CAUGHT_UP, id, 0);
    peer_delivery(&peer, id, 1, 2, 2);
    for (uint64_t position = 2; position <= 100; position += 2) {
        say_number(OP_FELL_BEHIND, id, position);
        deliver_nothing(id, position + 1, position + 10);
        say_number(OP_CAUGHT_UP, id, position + 2);
    }
    say_number(OP_FELL_BEHIND, id, 103);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    for (const struct held *at = seen.sub->first; at != NULL; at = at->next) {
        held++;
    }
    ck_assert_uint_eq(held, 6);

    acta_resume(seen.sub);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.caught_up, 2);
    ck_assert_uint_eq(seen.fell_behind, 2);
    ck_assert_uint_eq(seen.moved, 1);
    ck_assert_uint_eq(acta_sub_position(seen.sub), 103);
}
END_TEST

/* What was held is handed out by then. */
START_TEST(subscription_that_is_paused_again_holds_what_comes_then)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    for (uint64_t position = 1; position <= 3; position++) {
        acta_pause(seen.sub);
        say_number(OP_CAUGHT_UP, id, position);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        acta_resume(seen.sub);
        ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
        ck_assert_uint_eq(seen.caught_up, position);
        ck_assert_uint_eq(seen.position, position);
    }
}
END_TEST

/* ---- what is merged ---- */

static uint64_t
subscribe_merging(void)
{
    peer_connect(&peer);
    subscribe(NULL, 0);
    seen.sub->merges = true;
    return expect_subscribe(0);
}

static void
take_what_is_due(void)
{
    ck_assert_uint_eq(core_due(&peer.client->core), 0);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
}

START_TEST(what_came_in_together_is_told_as_one)
{
    uint64_t id = subscribe_merging();

    seen.pauses = true;
    peer_delivery(&peer, id, 1, 2, 6);
    peer_delivery(&peer, id, 3, 3, 7);
    peer_delivery(&peer, id, 4, 6, 8);
    deliver_nothing(id, 7, 9);
    say_number(OP_CAUGHT_UP, id, 9);
    peer_delivery(&peer, id, 10, 10, 10);
    peer_delivery(&peer, id, 11, 11, 11);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.count, 0);

    take_what_is_due();
    ck_assert_uint_eq(seen.pieces, 1);
    ck_assert_uint_eq(seen.count, 6);
    ck_assert_uint_eq(seen.position, 7);
    ck_assert_uint_eq(acta_sub_position(seen.sub), 7);
    ck_assert_uint_eq(seen.caught_up, 0);
    acta_resume(seen.sub);
    take_what_is_due();
    ck_assert_uint_eq(seen.caught_up, 1);
    ck_assert_uint_eq(seen.pieces, 1);
    acta_resume(seen.sub);
    take_what_is_due();
    ck_assert_uint_eq(seen.pieces, 2);
    ck_assert_uint_eq(seen.last, 11);
}
END_TEST

START_TEST(one_alone_is_told_at_once)
{
    uint64_t id = subscribe_merging();

    for (uint64_t i = 1; i <= 3; i++) {
        peer_delivery(&peer, id, i, i, i);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        take_what_is_due();
        ck_assert_uint_eq(seen.pieces, i);
    }
}
END_TEST

#define MANY 1000

START_TEST(what_is_merged_is_no_more_than_some_size)
{
    uint64_t id = subscribe_merging();
    unsigned frames = 0;
    size_t size = 0;

    for (uint64_t first = 1; size < 3u << 20; first += MANY) {
        peer_delivery(&peer, id, first, first + MANY - 1, first + MANY);
        size += buf_size(&peer.answer);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        acta_pause(seen.sub);
        frames++;
    }
    acta_resume(seen.sub);
    take_what_is_due();
    ck_assert_uint_eq(seen.count, frames * MANY);
    ck_assert_uint_ge(seen.pieces, 3);
    ck_assert_uint_le(seen.pieces, 6);
}
END_TEST

START_TEST(what_is_wrong_is_found_also_if_it_is_to_be_merged)
{
    uint64_t id = subscribe_merging();

    peer_delivery(&peer, id, 1, 5, 9);
    if (_i == 0) {
        peer_delivery(&peer, id, 3, 6, 9);
    } else {
        deliver_nothing(id, 8, 9);
        peer_delivery(&peer, id, 6, 7, 9);
    }
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_PROTOCOL);
    ck_assert_uint_le(seen.count, 5);
}
END_TEST

/* ---- ends ---- */

START_TEST(unsubscribing_is_told_to_the_server_and_to_nobody_here)
{
    struct frame frame;
    uint64_t id, ended;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    acta_unsubscribe(seen.sub);
    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(frame.kind, OP_UNSUBSCRIBE);
    ck_assert_int_eq(
        msg_number_decode(&ended, OP_UNSUBSCRIBE, frame.body, NULL), ACTA_OK);
    ck_assert_uint_eq(ended, id);

    peer_delivery(&peer, id, 1, 5, 5);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.count, 0);
    ck_assert_uint_eq(seen.ended, 0);
}
END_TEST

START_TEST(callback_may_unsubscribe)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    seen.leaves = true;
    id = expect_subscribe(0);
    peer_delivery(&peer, id, 1, 3, 9);
    peer_delivery(&peer, id, 4, 9, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_uint_eq(seen.ended, 0);
    peer_expect(&peer, OP_UNSUBSCRIBE);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(callback_may_unsubscribe_while_what_was_held_is_handed_out)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    acta_pause(seen.sub);
    peer_delivery(&peer, id, 1, 3, 9);
    peer_delivery(&peer, id, 4, 9, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    seen.leaves = true;
    acta_resume(seen.sub);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.count, 3);
}
END_TEST

START_TEST(callback_may_close_the_client)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    seen.closes = true;
    id = expect_subscribe(0);
    peer_delivery(&peer, id, 1, 3, 9);
    peer_delivery(&peer, id, 4, 9, 9);
    (void)peer_say(&peer);
    ck_assert_ptr_null(peer.client);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.err.code, ACTA_CANCELLED);
    /* The callback had not returned: these events do not count as handled. */
    ck_assert_uint_eq(seen.position, 0);
}
END_TEST

static void
say_unsubscribed(uint64_t id, enum acta_code code, uint64_t position)
{
    struct msg_unsubscribed said = {code, slice_of("because"), position};

    msg_unsubscribed_encode(&peer.answer, id, &said);
}

START_TEST(server_ends_it_for_good_with_a_reason)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    peer_delivery(&peer, id, 1, 3, 9);
    say_unsubscribed(id, ACTA_CORRUPT, 3);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.err.code, ACTA_CORRUPT);
    ck_assert_str_eq(seen.err.text, "because");
    ck_assert_uint_eq(seen.position, 3);
    peer_lose(&peer);
    peer_connect(&peer);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(refused_subscription_ends_with_the_refusal)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 99);
    id = expect_subscribe(99);
    peer_error(&peer, id, ACTA_INVALID, "99 is after the head");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.err.code, ACTA_INVALID);
    ck_assert_uint_eq(seen.position, 99);
}
END_TEST

START_TEST(stopping_server_is_asked_again_later)
{
    uint64_t id, again;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    peer_delivery(&peer, id, 1, 3, 9);
    say_unsubscribed(id, ACTA_STOPPING, 3);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.ended, 0);
    peer_expect_silence(&peer);
    ck_assert_int_eq(peer_wait(&peer, 20), ACTA_OK);
    again = expect_subscribe(3);
    ck_assert_uint_ne(again, id);
    /* What still comes of the one before is of no interest. */
    peer_delivery(&peer, id, 4, 9, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.count, 3);
}
END_TEST

START_TEST(another_database_ends_it_rather_than_going_on_there)
{
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    peer_delivery(&peer, id, 1, 3, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    peer_lose(&peer);
    peer.welcome.database_id.bytes[15]++;
    peer_connect(&peer);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.err.code, ACTA_INVALID);
    ck_assert_uint_eq(seen.position, 3);
    peer_expect_silence(&peer);
}
END_TEST

/* ---- a server that does it wrong ---- */

START_TEST(event_that_comes_again_breaks_the_connection)
{
    static const uint64_t wrong[][2] = {{3, 5}, {1, 1}, {5, 4}};
    uint64_t id;

    peer_connect(&peer);
    subscribe(NULL, 0);
    id = expect_subscribe(0);
    peer_delivery(&peer, id, 1, 5, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    peer_delivery(&peer, id, wrong[_i][0], wrong[_i][1], 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_PROTOCOL);
    ck_assert_uint_eq(seen.count, 5);
    peer_connect(&peer);
    expect_subscribe(5);
}
END_TEST

START_TEST(as_many_as_allowed_and_no_more)
{
    struct acta_follow follow = acta_follow_of(NULL, 0);
    struct acta_sub *subs[SUBS_MAX];

    follow.on_events = on_events;
    for (size_t i = 0; i < SUBS_MAX; i++) {
        subs[i] = acta_subscribe(peer.client, &follow, &peer.err);
        ck_assert_ptr_nonnull(subs[i]);
    }
    ck_assert_ptr_null(acta_subscribe(peer.client, &follow, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_BUSY);
    acta_unsubscribe(subs[17]);
    subs[17] = acta_subscribe(peer.client, &follow, &peer.err);
    ck_assert_ptr_nonnull(subs[17]);
}
END_TEST

/* ---- at random: a log that grows, and a connection that breaks ---- */

START_TEST(each_event_comes_once_and_in_order_through_any_disturbance)
{
    struct rnd rnd;
    uint64_t head = 0;
    uint64_t sent = 0; /* Delivered on this connection. */
    uint64_t id = 0;   /* Of the subscription there; 0: not connected. */

    rnd_init(&rnd);
    subscribe(NULL, 0);
    seen.sub->merges = _i == 1;
    for (unsigned i = 0; i < rnd_effort(20000, 1000000); i++) {
        uint64_t left = head - sent;

        head += rnd_below(&rnd, 3);
        if (rnd_once_in(&rnd, 20)) {
            acta_pause(seen.sub);
        } else if (rnd_once_in(&rnd, 10)) {
            acta_resume(seen.sub);
        }
        if (id == 0) {
            peer_connect(&peer);
            sent = seen.position;
            id = expect_subscribe(sent);
        } else if (rnd_once_in(&rnd, 30)) {
            peer_lose(&peer);
            id = 0;
        } else if (rnd_once_in(&rnd, 50)) {
            say_unsubscribed(id, ACTA_STOPPING, sent);
            ck_assert_int_eq(peer_say(&peer), ACTA_OK);
            peer_lose(&peer);
            ck_assert_int_eq(peer_wait(&peer, 10000), ACTA_OK);
            id = 0;
        } else if (left > 0) {
            uint64_t count = 1 + rnd_below(&rnd, left < 5 ? left : 5);
            size_t cut;

            peer_delivery(&peer, id, sent + 1, sent + count, head);
            sent += count;
            cut = buf_size(&peer.answer);
            if (rnd_once_in(&rnd, 20)) {
                cut = rnd_below(&rnd, cut);
                buf_truncate(&peer.answer, cut);
                ck_assert_int_eq(peer_say(&peer), ACTA_OK);
                peer_lose(&peer);
                id = 0;
            } else {
                ck_assert_int_eq(
                    peer_say_in_steps(&peer, 1 + rnd_below(&rnd, cut)),
                    ACTA_OK);
            }
        }
        ck_assert_int_eq(peer_wait(&peer, 1), ACTA_OK);
        ck_assert_uint_eq(seen.count, seen.last);
    }
    ck_assert_uint_gt(seen.count, 100);
    ck_assert_uint_eq(seen.ended, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client sub");
    TCase *tcase = tcase_create("client sub");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, events_and_places_are_told_in_order);
    tcase_add_test(tcase, position_moves_over_what_does_not_match);
    tcase_add_test(tcase, query_goes_to_the_server_each_time);
    tcase_add_test(tcase, cut_at_every_byte_neither_loses_nor_repeats_an_event);
    tcase_add_test(tcase, credit_comes_back_for_what_was_taken);
    tcase_add_test(tcase, paused_subscription_gets_nothing_and_gives_no_credit);
    tcase_add_test(
        tcase, subscription_that_pauses_itself_is_given_one_thing_at_a_time);
    tcase_add_test(tcase,
                   what_a_paused_subscription_holds_is_asked_for_again_if_lost);
    tcase_add_test(tcase, paused_subscription_holds_only_the_last_position);
    tcase_add_test(tcase, paused_subscription_holds_only_the_last_catching_up);
    tcase_add_test(tcase,
                   subscription_that_is_paused_again_holds_what_comes_then);
    tcase_add_test(tcase,
                   unsubscribing_is_told_to_the_server_and_to_nobody_here);
    tcase_add_test(tcase, what_came_in_together_is_told_as_one);
    tcase_add_test(tcase, one_alone_is_told_at_once);
    tcase_add_test(tcase, what_is_merged_is_no_more_than_some_size);
    tcase_add_loop_test(
        tcase, what_is_wrong_is_found_also_if_it_is_to_be_merged, 0, 2);
    tcase_add_test(tcase, callback_may_unsubscribe);
    tcase_add_test(tcase,
                   callback_may_unsubscribe_while_what_was_held_is_handed_out);
    tcase_add_test(tcase, callback_may_close_the_client);
    tcase_add_test(tcase, server_ends_it_for_good_with_a_reason);
    tcase_add_test(tcase, refused_subscription_ends_with_the_refusal);
    tcase_add_test(tcase, stopping_server_is_asked_again_later);
    tcase_add_test(tcase, another_database_ends_it_rather_than_going_on_there);
    tcase_add_loop_test(tcase, event_that_comes_again_breaks_the_connection, 0,
                        3);
    tcase_add_test(tcase, as_many_as_allowed_and_no_more);
    tcase_add_loop_test(
        tcase, each_event_comes_once_and_in_order_through_any_disturbance, 0,
        2);
    return run_suite(suite);
}
