/* Connections as a whole server treats them: many, slow, silent, greedy. */

#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"
#include "msg.h"
#include "msg_group.h"
#include "msg_verify.h"
#include "rig.h"
#include "run.h"

static struct rig rig;

static void
ping(struct peer *peer, uint64_t id)
{
    msg_empty_encode(&peer->out, OP_PING, id);
    peer_send(peer);
    peer_expect(peer, OP_PONG, id);
}

static void
append(struct peer *peer, uint64_t id, size_t count, size_t size)
{
    peer_put_append(peer, id, "order-1", MSG_EXPECT_ANY, count, size);
    peer_send(peer);
    peer_expect(peer, OP_APPENDED, id);
}

static void
subscribe(struct peer *peer, uint64_t id, uint64_t credit)
{
    struct msg_subscribe subscribe = {.query = QUERY_ALL, .credit = credit};

    msg_subscribe_encode(&peer->out, id, &subscribe);
    peer_send(peer);
    peer_expect(peer, OP_SUBSCRIBED, id);
}

START_TEST(append_read_and_subscribe_agree)
{
    struct msg_read_stream read = {.stream = slice_of("order-1")};
    struct msg_delivery delivery;
    struct msg_page page;
    struct frame frame;
    struct peer peer;
    struct acta_err err;

    rig_start(&rig, NULL);
    peer_greet(&peer, rig.port);
    append(&peer, 2, 3, 100);
    msg_read_stream_encode(&peer.out, 3, &read);
    peer_send(&peer);
    frame = peer_expect(&peer, OP_PAGE, 3);
    ck_assert_int_eq(msg_page_decode(&page, frame.body, &err), ACTA_OK);
    ck_assert_uint_eq(page.events_count, 3);
    ck_assert_uint_eq(page.version, 3);
    ck_assert(page.at_end);

    subscribe(&peer, 4, 1 << 20);
    frame = peer_expect(&peer, OP_DELIVERY, 4);
    ck_assert_int_eq(msg_delivery_decode(&delivery, frame.body, &err), ACTA_OK);
    ck_assert_uint_eq(delivery.events_count, 3);
    peer_expect(&peer, OP_CAUGHT_UP, 4);
    peer_put_append(&peer, 5, "order-2", 0, 1, 100);
    peer_send(&peer);
    /* Which of the two is first is not promised. */
    ck_assert(peer_next(&peer, &frame));
    ck_assert_int_eq(frame.kind == OP_APPENDED || frame.kind == OP_DELIVERY, 1);
    ck_assert(peer_next(&peer, &frame));
    peer_close(&peer);
    rig_stop(&rig);
}
END_TEST

START_TEST(who_says_nothing_is_cut)
{
    struct peer peer;

    rig_start(&rig, "--hello-timeout=50ms", NULL);
    peer_connect(&peer, rig.port);
    peer_expect_close(&peer);
    peer_close(&peer);
    rig_stop(&rig);
}
END_TEST

/* Bytes of hello, however often they come, do not put off its time-out. */
START_TEST(who_says_hello_in_drops_is_cut)
{
    struct peer peer;
    uint8_t byte = FRAME_MAGIC;

    rig_start(&rig, "--hello-timeout=50ms", NULL);
    peer_connect(&peer, rig.port);
    ck_assert_int_eq(send(peer.fd, &byte, 1, MSG_NOSIGNAL), 1);
    byte = OP_HELLO;
    ck_assert_int_eq(send(peer.fd, &byte, 1, MSG_NOSIGNAL), 1);
    peer_expect_close(&peer);
    peer_close(&peer);
    rig_stop(&rig);
}
END_TEST

START_TEST(who_is_slow_after_hello_is_served)
{
    struct peer slow, other;
    struct slice bytes;

    rig_start(&rig, "--hello-timeout=50ms", "--peer-timeout=100ms", NULL);
    peer_greet(&slow, rig.port);
    peer_greet(&other, rig.port);
    msg_empty_encode(&slow.out, OP_PING, 5);
    bytes = buf_slice(&slow.out);
    for (size_t i = 0; i < bytes.size; i++) {
        ck_assert_int_eq(send(slow.fd, bytes.data + i, 1, MSG_NOSIGNAL), 1);
        /* Long enough for every time-out that there is, in all. */
        append(&other, 10 + i, 1, 10);
    }
    peer_expect(&slow, OP_PONG, 5);
    peer_close(&slow);
    peer_close(&other);
    rig_stop(&rig);
}
END_TEST

/* Its subscription is given all the credit that there is, and what it is sent
 * is more than sockets hold. Others are served meanwhile, and it is cut.
 */
START_TEST(who_reads_nothing_is_cut_and_holds_up_nobody)
{
    int small = 4096;
    struct peer deaf, other;
    uint64_t id = 100;

    rig_start(&rig, "--peer-timeout=200ms", "--output-high=64KiB",
              "--output-low=16KiB", NULL);
    peer_greet(&other, rig.port);
    append(&other, 2, 100, 100000);
    peer_greet(&deaf, rig.port);
    ck_assert_int_eq(
        setsockopt(deaf.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    subscribe(&deaf, 3, UINT64_MAX);
    ck_assert_uint_eq(peer_status(&other, "server.connections"), 2);
    /* Each round is a round trip, and a commit: the loop ends with the time-out
     * or with the test's.
     */
    while (peer_status(&other, "server.connections") == 2) {
        append(&other, id++, 1, 10);
    }
    peer_close(&deaf);
    peer_close(&other);
    rig_stop(&rig);
}
END_TEST

/* Pipelined reads whose answers are not taken: output stops at its mark. */
START_TEST(answers_wait_for_who_asks_and_does_not_read)
{
    struct msg_read_all read = {.query = QUERY_ALL};
    struct peer peer;

    rig_start(&rig, "--output-high=64KiB", "--output-low=16KiB", NULL);
    peer_greet(&peer, rig.port);
    append(&peer, 2, 100, 10000);
    for (uint64_t i = 0; i < 200; i++) {
        msg_read_all_encode(&peer.out, 1000 + i, &read);
    }
    peer_send(&peer);
    for (uint64_t i = 0; i < 200; i++) {
        peer_expect(&peer, OP_PAGE, 1000 + i);
    }
    peer_close(&peer);
    rig_stop(&rig);
}
END_TEST

START_TEST(thousand_idle_connections_cost_little)
{
    enum { COUNT = 1000 };
    static struct peer idle[COUNT];
    struct peer witness;
    struct rlimit limit;
    struct mallinfo2 before, after;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * COUNT + 100) {
        printf("skipped: no descriptors for a thousand connections\n");
        return;
    }
    rig_start(&rig, NULL);
    peer_greet(&witness, rig.port);
    before = mallinfo2();
    for (int i = 0; i < COUNT; i++) {
        peer_greet(&idle[i], rig.port);
        buf_fini(&idle[i].in);
        buf_fini(&idle[i].out);
    }
    after = mallinfo2();
    ck_assert_uint_eq(peer_status(&witness, "server.connections"), COUNT + 1);
    append(&witness, 5, 10, 100);
    /* Output that was used is given back a moment later: 4 KiB cover it. */
    /* What is done in the background may have given some back. */
    ck_assert_uint_lt(after.uordblks, before.uordblks + COUNT * 4096);
    for (int i = 0; i < COUNT; i++) {
        ping(&idle[i], 7);
        peer_close(&idle[i]);
    }
    peer_close(&witness);
    rig_stop(&rig);
}
END_TEST

START_TEST(over_the_limit_of_connections_clients_wait)
{
    struct peer first, second, third;

    rig_start(&rig, "--connections-max=2", NULL);
    peer_greet(&first, rig.port);
    peer_greet(&second, rig.port);
    peer_connect(&third, rig.port);
    {
        struct msg_hello hello = {1, 1, slice_of("test"), slice_of("")};

        msg_hello_encode(&third.out, 1, &hello);
        peer_send(&third);
    }
    ping(&first, 5);
    ping(&second, 5);
    ck_assert_uint_eq(peer_status(&first, "server.connections"), 2);
    peer_close(&second);
    peer_expect(&third, OP_WELCOME, 1);
    ping(&third, 6);
    peer_close(&first);
    peer_close(&third);
    rig_stop(&rig);
}
END_TEST

/* The header of the largest frame, and nothing behind it. */
START_TEST(claimed_length_costs_nothing)
{
    enum { COUNT = 100 };
    static struct peer peers[COUNT];
    struct mallinfo2 before;
    struct peer witness;

    rig_start(&rig, NULL);
    peer_greet(&witness, rig.port);
    for (int i = 0; i < COUNT; i++) {
        peer_greet(&peers[i], rig.port);
    }
    ping(&witness, 2);
    before = mallinfo2();
    for (int i = 0; i < COUNT; i++) {
        uint8_t header[FRAME_HEADER_SIZE] = {FRAME_MAGIC, OP_APPEND, 0, 0, 4};

        ck_assert_int_eq(send(peers[i].fd, header, sizeof(header), 0),
                         sizeof(header));
        ping(&witness, 100 + (uint64_t)i);
    }
    ck_assert_uint_lt(mallinfo2().uordblks, before.uordblks + COUNT * 4096);
    for (int i = 0; i < COUNT; i++) {
        peer_close(&peers[i]);
    }
    peer_close(&witness);
    rig_stop(&rig);
}
END_TEST

/* Parts of large frames by many connections: over the bound of all, those that
 * hold much wait, and then are told why they are cut; the others go on.
 */
START_TEST(memory_of_all_connections_is_bounded)
{
    enum { COUNT = 8 };
    static uint8_t part[300 << 10];
    struct peer greedy[COUNT], witness;

    part[0] = FRAME_MAGIC;
    part[1] = OP_APPEND;
    part[4] = 4;
    rig_start(&rig, "--connections-memory=1MiB", "--peer-timeout=300ms", NULL);
    peer_greet(&witness, rig.port);
    for (int i = 0; i < COUNT; i++) {
        peer_greet(&greedy[i], rig.port);
        buf_append(&greedy[i].out, part, sizeof(part));
        peer_send(&greedy[i]);
    }
    append(&witness, 2, 1, 100);
    for (int i = 0; i < 2; i++) {
        peer_expect_error(&greedy[COUNT - 1 - i], 0, ACTA_BUSY);
        peer_expect_close(&greedy[COUNT - 1 - i]);
    }
    append(&witness, 3, 1, 100);
    for (int i = 0; i < COUNT; i++) {
        peer_close(&greedy[i]);
    }
    peer_close(&witness);
    rig_stop(&rig);
}
END_TEST

/* Queries of subscriptions take part: the connection that has many is not read
 * from any more, and is told why it is cut.
 */
START_TEST(memory_of_queries_is_bounded)
{
    enum { SUBSCRIPTIONS = 30 };
    static uint8_t name[ACTA_STREAM_SIZE_MAX];
    struct slice names[ACTA_QUERY_TERMS_MAX];
    struct query_item item = {
        .fields[QUERY_STREAMS] = {.texts = names,
                                  .count = ACTA_QUERY_TERMS_MAX}};
    struct msg_subscribe subscribe = {
        .query = {.items = &item, .items_count = 1}};
    struct peer greedy, witness;
    struct frame frame;

    memset(name, 'n', sizeof(name));
    for (size_t i = 0; i < ACTA_QUERY_TERMS_MAX; i++) {
        names[i] = slice_make(name, sizeof(name));
    }
    rig_start(&rig, "--connections-memory=1MiB", "--peer-timeout=300ms", NULL);
    peer_greet(&witness, rig.port);
    peer_greet(&greedy, rig.port);
    for (uint64_t id = 2; id < 2 + SUBSCRIPTIONS; id++) {
        msg_subscribe_encode(&greedy.out, id, &subscribe);
        peer_send(&greedy);
    }
    do {
        ck_assert(peer_next(&greedy, &frame));
        ck_assert_uint_lt(frame.request_id, 2 + SUBSCRIPTIONS - 1);
    } while (frame.kind == OP_SUBSCRIBED);
    ck_assert_int_eq(frame.kind, OP_ERROR);
    ck_assert_uint_eq(frame.request_id, 0);
    peer_expect_close(&greedy);
    append(&witness, 2, 1, 100);
    peer_close(&greedy);
    peer_close(&witness);
    rig_stop(&rig);
}
END_TEST

/* ---- groups ---- */

static void
create_group(struct peer *peer, uint64_t id, const char *name)
{
    struct msg_change_consumer create = {.name = slice_of(name),
                                         .kind = MSG_CONSUMER_CREATE,
                                         .query = QUERY_ALL,
                                         .given = MSG_HAS_ACK_TIMEOUT};

    create.settings.ack_timeout_us = UINT64_C(3600000000);
    msg_change_consumer_encode(&peer->out, id, &create);
    peer_send(peer);
    peer_expect(peer, OP_CONSUMER_CHANGED, id);
}

static void
put_join(struct peer *peer, uint64_t id, const char *name, uint64_t slots)
{
    struct msg_join join = {.group = slice_of(name), .slots = slots};

    msg_join_encode(&peer->out, id, &join);
}

/* Take what a member is handed next, and ack it. Returns how many events. */
static uint64_t
take_handed(struct peer *peer, uint64_t membership)
{
    struct acta_err err;
    struct frame frame;
    struct msg_handed handed;
    struct event event;
    uint64_t count;
    size_t start;

    do { /* Answers to settles are in between. */
        ck_assert(peer_next(peer, &frame));
    } while (frame.kind == OP_SETTLED);
    ck_assert_int_eq(frame.kind, OP_HANDED);
    ck_assert_int_eq(msg_handed_decode(&handed, frame.body, &err), ACTA_OK);
    count = handed.events_count;
    start = msg_settle_begin(&peer->out, 1000, membership, count);
    for (uint64_t i = 0; i < count; i++) {
        ck_assert_int_eq(msg_next_event(&handed.events, &event, &err), ACTA_OK);
        msg_settle_answer(&peer->out,
                          &(struct msg_answer){.kind = MSG_ACK,
                                               .fence = handed.fence,
                                               .position = event.position});
    }
    msg_settle_end(&peer->out, start);
    peer_send(peer);
    return count;
}

/* A connection with many memberships that reads nothing is handed what sockets
 * hold, and output-high; the rest goes to another member.
 */
START_TEST(member_that_reads_nothing_is_handed_little)
{
    enum { EVENTS = 400, SIZE = 100 << 10, JOINS = 16 };
    enum { SOCKETS_SIZE = 16 << 20 };
    uint64_t taken = 0;
    struct peer deaf, other;
    int size = 64 << 10;

    rig_start(&rig, "--output-high=64KiB", "--output-low=16KiB",
              "--peer-timeout=3600s", NULL);
    peer_greet(&other, rig.port);
    create_group(&other, 2, "workers");
    for (int i = 0; i < EVENTS; i++) {
        char stream[32];

        snprintf(stream, sizeof(stream), "order-%d", i);
        peer_put_append(&other, 3, stream, 0, 1, SIZE);
        peer_send(&other);
        peer_expect(&other, OP_APPENDED, 3);
    }
    peer_greet(&deaf, rig.port);
    ck_assert_int_eq(
        setsockopt(deaf.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
    for (uint64_t id = 10; id < 10 + JOINS; id++) {
        put_join(&deaf, id, "workers", 1000);
    }
    peer_send(&deaf);
    peer_expect(&deaf, OP_JOINED, 10);
    put_join(&other, 4, "workers", 10);
    peer_send(&other);
    peer_expect(&other, OP_JOINED, 4);
    while (taken < EVENTS - SOCKETS_SIZE / SIZE) {
        taken += take_handed(&other, 4);
    }
    peer_close(&deaf);
    while (taken < EVENTS) {
        taken += take_handed(&other, 4);
    }
    ck_assert_uint_eq(taken, EVENTS);
    peer_close(&other);
    rig_stop(&rig);
}
END_TEST

/* Appends that are many times the writer's queue all go through. */
START_TEST(full_queue_delays_and_loses_nothing)
{
    enum { PEERS = 4, APPENDS = 400 };
    struct peer peers[PEERS];

    rig_start(&rig, "--queue-size=4KiB", NULL);
    for (int i = 0; i < PEERS; i++) {
        peer_greet(&peers[i], rig.port);
        for (uint64_t k = 0; k < APPENDS; k++) {
            char stream[32];

            snprintf(stream, sizeof(stream), "order-%d", i);
            peer_put_append(&peers[i], 10 + k, stream, (int64_t)k, 1, 1000);
        }
        peer_send(&peers[i]);
    }
    for (int i = 0; i < PEERS; i++) {
        for (uint64_t k = 0; k < APPENDS; k++) {
            peer_expect(&peers[i], OP_APPENDED, 10 + k);
        }
        peer_close(&peers[i]);
    }
    rig_stop(&rig);
}
END_TEST

START_TEST(thousand_subscribers_get_every_commit)
{
    enum { CONNECTIONS = 10, EACH = 100, COMMITS = 5 };
    static struct peer peers[CONNECTIONS];
    struct peer writer;

    rig_start(&rig, NULL);
    peer_greet(&writer, rig.port);
    for (int i = 0; i < CONNECTIONS; i++) {
        peer_greet(&peers[i], rig.port);
        for (uint64_t k = 0; k < EACH; k++) {
            struct msg_subscribe subscribe = {.query = QUERY_ALL,
                                              .credit = 1 << 20};

            msg_subscribe_encode(&peers[i].out, 100 + k, &subscribe);
        }
        peer_send(&peers[i]);
    }
    for (int i = 0; i < COMMITS; i++) {
        append(&writer, 10 + (uint64_t)i, 1, 100);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        uint64_t got[EACH] = {0};
        size_t whole = 0;

        while (whole < EACH) {
            struct msg_delivery delivery;
            struct frame frame;
            struct acta_err err;

            ck_assert(peer_next(&peers[i], &frame));
            if (frame.kind != OP_DELIVERY) {
                continue;
            }
            ck_assert_int_eq(msg_delivery_decode(&delivery, frame.body, &err),
                             ACTA_OK);
            ck_assert_uint_ge(frame.request_id, 100);
            ck_assert_uint_lt(frame.request_id, 100 + EACH);
            got[frame.request_id - 100] += delivery.events_count;
            ck_assert_uint_le(got[frame.request_id - 100], COMMITS);
            whole += delivery.events_count > 0 &&
                     got[frame.request_id - 100] == COMMITS;
        }
        peer_close(&peers[i]);
    }
    peer_close(&writer);
    rig_stop(&rig);
}
END_TEST

/* The position moves on over what does not match, without an event. */
START_TEST(subscriber_whom_nothing_concerns_learns_positions)
{
    struct slice text = slice_of("invoice");
    struct query_item item = {
        .fields[QUERY_CATEGORIES] = {.texts = &text, .count = 1}};
    struct msg_subscribe subscribe = {
        .query = {.items = &item, .items_count = 1}, .credit = 1000};
    struct msg_delivery delivery;
    struct frame frame;
    struct peer peer;
    struct acta_err err;

    rig_start(&rig, NULL);
    peer_greet(&peer, rig.port);
    msg_subscribe_encode(&peer.out, 5, &subscribe);
    peer_send(&peer);
    peer_expect(&peer, OP_SUBSCRIBED, 5);
    peer_expect(&peer, OP_CAUGHT_UP, 5);
    append(&peer, 6, 10, 10);
    frame = peer_expect(&peer, OP_DELIVERY, 5);
    ck_assert_int_eq(msg_delivery_decode(&delivery, frame.body, &err), ACTA_OK);
    ck_assert_uint_eq(delivery.events_count, 0);
    ck_assert_uint_eq(delivery.position, 10);
    peer_close(&peer);
    rig_stop(&rig);
}
END_TEST

static void *
stop(void *user)
{
    server_stop(user);
    return NULL;
}

/* @thread stops the server, which ends @peer. */
static void
end_stopped(struct peer *peer, pthread_t thread)
{
    peer_close(peer);
    pthread_join(thread, NULL);
    database_close(rig.database);
    server_free(rig.server);
    tempdir_remove(&rig.dir);
}

START_TEST(stopping_answers_what_is_in_flight_and_closes)
{
    struct msg_unsubscribed unsubscribed;
    struct frame frame;
    struct peer peer;
    struct acta_err err;
    pthread_t thread;
    size_t answers = 0;

    rig_start(&rig, NULL);
    peer_greet(&peer, rig.port);
    subscribe(&peer, 3, 1 << 20);
    peer_expect(&peer, OP_CAUGHT_UP, 3);
    for (uint64_t i = 0; i < 100; i++) {
        peer_put_append(&peer, 100 + i, "order-1", MSG_EXPECT_ANY, 1, 100);
    }
    peer_send(&peer);
    peer_expect(&peer, OP_APPENDED, 100);
    ck_assert_int_eq(pthread_create(&thread, NULL, stop, rig.server), 0);
    /* Until the end there are answers, deliveries, and one farewell. */
    unsubscribed.code = ACTA_OK;
    while (peer_next(&peer, &frame)) {
        if (frame.kind == OP_UNSUBSCRIBED) {
            ck_assert_int_eq(
                msg_unsubscribed_decode(&unsubscribed, frame.body, &err),
                ACTA_OK);
        }
        answers += frame.kind == OP_APPENDED || frame.kind == OP_ERROR;
    }
    ck_assert_int_eq(unsubscribed.code, ACTA_STOPPING);
    ck_assert_uint_le(answers, 99);
    end_stopped(&peer, thread);
}
END_TEST

static void
put_acquire(struct peer *peer, uint64_t request_id, uint8_t claim)
{
    uint8_t id[UUID_SIZE] = {claim};
    struct msg_change_lease acquire = {
        .name = slice_of("l"),
        .kind = MSG_LEASE_ACQUIRE,
        .holder = slice_of("me"),
        .claim = id,
        .duration_us = ACTA_LEASE_US_MAX,
        .wait_us = ACTA_LEASE_US_MAX,
    };

    msg_change_lease_encode(&peer->out, request_id, &acquire);
}

/* Who waits is told at once: else the connection would be cut without a word,
 * when stopping has taken as long as it may.
 */
START_TEST(stopping_answers_those_who_wait_for_a_lease_or_a_consumer)
{
    struct msg_change_consumer claim = {.name = slice_of("c"),
                                        .kind = MSG_CONSUMER_CLAIM};
    struct msg_await await = {.consumer = slice_of("c"),
                              .position = 1,
                              .timeout_us = ACTA_LEASE_US_MAX};
    struct msg_error error;
    struct frame frame;
    struct peer peer;
    struct acta_err err;
    unsigned answered = 0;
    pthread_t thread;

    rig_start(&rig, NULL);
    peer_greet(&peer, rig.port);
    put_acquire(&peer, 2, 1);
    msg_change_consumer_encode(&peer.out, 3, &claim);
    put_acquire(&peer, 4, 2);
    msg_await_encode(&peer.out, 5, &await);
    peer_send(&peer);
    peer_expect(&peer, OP_LEASE_CHANGED, 2);
    peer_expect(&peer, OP_CONSUMER_CHANGED, 3);
    /* Decided behind those that wait. */
    append(&peer, 6, 1, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, stop, rig.server), 0);
    while (peer_next(&peer, &frame)) {
        ck_assert_int_eq(frame.kind, OP_ERROR);
        ck_assert_int_eq(msg_error_decode(&error, frame.body, &err), ACTA_OK);
        ck_assert_int_eq(error.code, ACTA_STOPPING);
        answered |= 1u << frame.request_id;
    }
    ck_assert_uint_eq(answered, 1u << 4 | 1u << 5);
    end_stopped(&peer, thread);
}
END_TEST

/* Begin a verification that reads a byte a second. Returns its id. */
static uint64_t
begin_to_verify(struct peer *peer)
{
    static struct msg_verified verified; /* Large. */
    struct frame frame;

    msg_verify_encode(&peer->out, 2, &(struct msg_verify){.rate = 1});
    peer_send(peer);
    frame = peer_expect(peer, OP_VERIFIED, 2);
    ck_assert_int_eq(msg_verified_decode(&verified, frame.body, NULL), ACTA_OK);
    ck_assert(!verified.is_done);
    return verified.id;
}

/* Each would wait for half a second, one after the other, and the connection be
 * cut before most of them are answered.
 */
START_TEST(stopping_answers_those_who_wait_for_a_verification)
{
    enum { COUNT = 60 };
    struct msg_verify verify = {.rate = 1};
    struct msg_error error;
    struct frame frame;
    struct peer peer;
    pthread_t thread;
    size_t refused = 0, answered = 0;

    rig_start(&rig, "--stop-timeout=5s", NULL);
    peer_greet(&peer, rig.port);
    verify.id = begin_to_verify(&peer);
    for (uint64_t i = 0; i < COUNT; i++) {
        msg_verify_encode(&peer.out, 100 + i, &verify);
    }
    peer_send(&peer);
    peer_expect(&peer, OP_VERIFIED, 100); /* The others are there. */
    ck_assert_int_eq(pthread_create(&thread, NULL, stop, rig.server), 0);
    while (peer_next(&peer, &frame)) {
        if (frame.kind == OP_ERROR) {
            ck_assert_int_eq(msg_error_decode(&error, frame.body, NULL),
                             ACTA_OK);
            ck_assert_int_eq(error.code, ACTA_STOPPING);
            refused++;
        } else { /* That it was at, or has come to meanwhile. */
            ck_assert_int_eq(frame.kind, OP_VERIFIED);
            answered++;
        }
    }
    ck_assert_uint_eq(refused + answered, COUNT - 1);
    ck_assert_uint_gt(refused, 0);
    end_stopped(&peer, thread);
}
END_TEST

/* A peer that takes nothing cannot keep the server from stopping. */
START_TEST(stopping_takes_no_longer_than_allowed)
{
    struct peer deaf;

    rig_start(&rig, "--stop-timeout=100ms", "--output-high=64KiB",
              "--output-low=16KiB", NULL);
    peer_greet(&deaf, rig.port);
    append(&deaf, 2, 100, 100000);
    subscribe(&deaf, 3, UINT64_MAX);
    rig_stop(&rig);
    peer_close(&deaf);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("server");
    TCase *tcase = tcase_create("server");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, append_read_and_subscribe_agree);
    tcase_add_test(tcase, who_says_nothing_is_cut);
    tcase_add_test(tcase, who_says_hello_in_drops_is_cut);
    tcase_add_test(tcase, who_is_slow_after_hello_is_served);
    tcase_add_test(tcase, who_reads_nothing_is_cut_and_holds_up_nobody);
    tcase_add_test(tcase, answers_wait_for_who_asks_and_does_not_read);
    tcase_add_test(tcase, thousand_idle_connections_cost_little);
    tcase_add_test(tcase, over_the_limit_of_connections_clients_wait);
    tcase_add_test(tcase, claimed_length_costs_nothing);
    tcase_add_test(tcase, memory_of_all_connections_is_bounded);
    tcase_add_test(tcase, memory_of_queries_is_bounded);
    tcase_add_test(tcase, member_that_reads_nothing_is_handed_little);
    tcase_add_test(tcase, full_queue_delays_and_loses_nothing);
    tcase_add_test(tcase, thousand_subscribers_get_every_commit);
    tcase_add_test(tcase, subscriber_whom_nothing_concerns_learns_positions);
    tcase_add_test(tcase, stopping_answers_what_is_in_flight_and_closes);
    tcase_add_test(tcase,
                   stopping_answers_those_who_wait_for_a_lease_or_a_consumer);
    tcase_add_test(tcase, stopping_answers_those_who_wait_for_a_verification);
    tcase_add_test(tcase, stopping_takes_no_longer_than_allowed);
    return run_suite(suite);
}
