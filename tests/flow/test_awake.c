/* An I/O thread between the requests of one connection: it stays awake as long
 * as that is wanted, and no longer. Turns of its loop are counted, since a
 * thread that sleeps makes none.
 */

#include <fcntl.h>
#include <sys/socket.h>

#include "io.h"
#include "msg.h"
#include "rig.h"
#include "run.h"

/* More than any client that is alone must have sent to be waited for. */
#define MANY 64

/* No vigil of 50 us has so many, and one that does not end soon has. */
#define TURNS_MAX 1000

/* Round trips to another thread, each of which takes some microseconds. */
#define LONG_TIME 5000

/* In each of these, one that sleeps makes a turn or two behind the last ping.
 */
#define ROUNDS 200

static struct rig rig;
static struct io io;
static struct peer peer;  /* On that thread, and */
static struct peer other; /* on one of the rig. */
static struct counters counters;
static struct server_info info;
static _Atomic size_t memory_used;
static _Atomic uint64_t serial;
static uint64_t request;

static void
closed(void *user)
{
    (void)user;
}

static void
open_pair(void)
{
    struct msg_hello hello = {1, 1, slice_of("test"), slice_of("")};
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    io_give(&io, fds[0]);
    peer = (struct peer){.fd = fds[1]};
    buf_init(&peer.in, (size_t)1 << 20);
    buf_init(&peer.out, (size_t)1 << 20);
    msg_hello_encode(&peer.out, 1, &hello);
    peer_send(&peer);
    peer_expect(&peer, OP_WELCOME, 1);
}

static void
start(uint64_t busy_poll_us)
{
    struct io_options options = {
        .limits = {.requests_max = 16,
                   .requests_memory = 1 << 20,
                   .output_high = 1 << 20,
                   .output_low = 1 << 18,
                   .subscription_step = 1 << 18},
        .hello_timeout_ms = 60000,
        .peer_timeout_ms = 60000,
        .busy_poll_us = busy_poll_us,
        .connections_max = 1,
        .memory_max = 1 << 30,
        .memory_used = &memory_used,
        .serial = &serial,
        .closed = closed,
    };
    struct session_host host = {.counters = &counters, .info = &info};
    struct acta_err err;

    rig_start(&rig, NULL);
    host.database = rig.database;
    info.version = "1";
    info.counters = &counters;
    info.threads_count = 1;
    ck_assert_msg(io_start(&io, &options, &host, &err) == ACTA_OK, "%s",
                  err.text);
    open_pair();
    peer_greet(&other, rig.port);
    request = 1;
}

static void
stop(void)
{
    struct timespec past = {0};

    peer_close(&peer);
    peer_close(&other);
    io_stop(&io);
    io_join(&io, &past);
    rig_stop(&rig);
    io_free(&io);
}

static void
ping(struct peer *of, unsigned count)
{
    while (count-- > 0) {
        request++;
        msg_empty_encode(&of->out, OP_PING, request);
        peer_send(of);
        peer_expect(of, OP_PONG, request);
    }
}

static unsigned
turns(void)
{
    return ev_iteration(io.loop);
}

START_TEST(a_connection_that_stops_asking_costs_no_turns)
{
    unsigned before;

    start(50);
    ping(&peer, MANY);
    before = turns();
    ping(&other, LONG_TIME);
    ck_assert_uint_lt(turns() - before, TURNS_MAX);
    stop();
}
END_TEST

START_TEST(without_vigils_a_request_costs_a_turn_or_two)
{
    unsigned before;

    start(0);
    before = turns();
    ping(&peer, TURNS_MAX);
    ck_assert_uint_lt(turns() - before, 3 * TURNS_MAX);
    stop();
}
END_TEST

/* A vigil without a bound, so that no machine is too busy for this; but on one
 * that is, most of its pauses may be over before the thread comes to them, and
 * it learns from fewer.
 */
START_TEST(a_thread_stays_awake_for_who_asks_again)
{
    unsigned in_pauses = 0;

    start(UINT64_MAX);
    for (int i = 0; i < ROUNDS && in_pauses < TURNS_MAX; i++) {
        unsigned before;

        for (int k = 0; k < MANY; k++) {
            ping(&peer, 1);
            ping(&other, 1); /* A pause that it could sleep in. */
        }
        before = turns();
        ping(&other, LONG_TIME / 10);
        in_pauses += turns() - before;
    }
    ck_assert_uint_ge(in_pauses, TURNS_MAX);
    ping(&peer, MANY);
    stop();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("awake");
    TCase *tcase = tcase_create("awake");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, a_connection_that_stops_asking_costs_no_turns);
    tcase_add_test(tcase, without_vigils_a_request_costs_a_turn_or_two);
    tcase_add_test(tcase, a_thread_stays_awake_for_who_asks_again);
    return run_suite(suite);
}
