/* Members of a group who reach the server through a bad network, and a server
 * that stands still now and then. tests/check/check.py judges what they
 * wrote down: every event is handled, each key in order and by one member at a
 * time, whatever was said again.
 */

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon.h"
#include "dump.h"
#include "feeder.h"
#include "msg_consumer.h"
#include "notes.h"
#include "proxy.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"
#include "worker.h"

#define GROUP          "workers"
#define WORKERS        4
#define ROUNDS         8
#define ROUNDS_LONG    100
#define EVENTS         300
#define EVENTS_LONG    8000
#define LIVES_LONG     6
#define EVENTS_MORE    10
#define DELIVERIES_MAX 4
#define ROUND_MS_MAX   200
#define LOOK_NS        2000000
#define TIMEOUT_S      1800

static const struct proxy_manner manners[] = {
    {.piece_max = 9,
     .fault_every = 2000,
     .stall_ms_max = 60,
     .weights = {[PROXY_STALL] = 1}},
    {.piece_max = 300,
     .fault_every = 1500,
     .weights = {[PROXY_CLOSE] = 1, [PROXY_RESET] = 1}},
    {.piece_max = 900,
     .fault_every = 3000,
     .stall_ms_max = 250,
     .weights = {[PROXY_STALL] = 3, [PROXY_CLOSE] = 1, [PROXY_RESET] = 1}},
};

#define MANNERS (sizeof(manners) / sizeof(manners[0]))

static const struct proxy_manner well = {.piece_max = 0};

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    uint64_t seed;
    struct daemon daemon;
    struct daemon front; /* As members see it. */
    struct proxy *proxy;
    struct wire wire; /* The operator's: past the proxy. */
    struct notes *notes;
    struct workers shared;
    struct worker *workers[WORKERS];
    struct feeder *feeder;
};

static struct scene scene;

/* ---- the operator ---- */

static void
create_group(void)
{
    struct slice type = slice_of(FEEDER_TYPE);
    struct query_item item = {
        .fields = {[QUERY_TYPES] = {.texts = &type, .count = 1}},
    };
    struct msg_change_consumer change = {
        .name = slice_of(GROUP),
        .kind = MSG_CONSUMER_CREATE,
        .query = {&item, 1, NULL},
        .settings = {.ack_timeout_us = WORKER_TIMEOUT_US,
                     .deliveries_max = DELIVERIES_MAX,
                     .on_park = MSG_PARK_WAITS},
        .given = MSG_HAS_ACK_TIMEOUT | MSG_HAS_DELIVERIES_MAX | MSG_HAS_ON_PARK,
    };
    uint64_t request_id = wire_request(&scene.wire);

    msg_change_consumer_encode(&scene.wire.out, request_id, &change);
    (void)wire_must(&scene.wire, request_id, OP_CONSUMER_CHANGED);
    note(scene.notes,
         "{\"group\":\"%s\",\"type\":\"%s\",\"key_tag\":\"\",\"waits\":true,"
         "\"timeout\":%" PRIu64 ",\"deliveries_max\":%d}",
         GROUP, FEEDER_TYPE, WORKER_TIMEOUT_US, DELIVERIES_MAX);
}

static struct msg_consumer
describe(void)
{
    uint64_t request_id = wire_request(&scene.wire);
    struct msg_described described;
    struct frame frame;
    struct acta_err err;

    msg_describe_consumer_encode(&scene.wire.out, request_id, slice_of(GROUP));
    frame = wire_must(&scene.wire, request_id, OP_CONSUMER);
    ck_assert_msg(msg_consumer_decode(&described, frame.body, &err) == ACTA_OK,
                  "%s", err.text);
    return described.consumer;
}

/* Note what is parked. Returns how much of it is so since members said so, or
 * else all; the first two positions go to @positions.
 */
static size_t
list_parked(bool by_members, uint64_t positions[static 2])
{
    struct msg_list_parked list = {.group = slice_of(GROUP)};
    struct msg_parked_page page = {.at_end = false};
    size_t count = 0, counted = 0;

    note_part(scene.notes, "{\"list\":%" PRIu64 ",\"parked\":[",
              notes_time_us());
    while (!page.at_end) {
        uint64_t request_id = wire_request(&scene.wire);
        struct frame frame;
        struct acta_err err;

        msg_list_parked_encode(&scene.wire.out, request_id, &list);
        frame = wire_must(&scene.wire, request_id, OP_PARKED);
        require(msg_parked_decode(&page, frame.body, &err) == ACTA_OK);
        for (size_t i = 0; i < page.parked_count; i++) {
            struct msg_parked parked = msg_next_parked(&page.parked);

            note_part(scene.notes, "%s[%" PRIu64 ",%d,%" PRIu64 ",\"%s\"]",
                      count > 0 ? "," : "", parked.position, (int)parked.state,
                      parked.deliveries, wire_text(parked.key));
            if (count < 2) {
                positions[count] = parked.position;
            }
            count++;
            counted +=
                !by_members || slice_equal(parked.reason, slice_of("no"));
            list.after = parked.position;
        }
    }
    note_part(scene.notes, "],\"at\":%" PRIu64 "}", notes_time_us());
    note_end(scene.notes);
    return counted;
}

static void
change_parked(enum msg_parked_change kind, uint64_t position)
{
    uint64_t request_id = wire_request(&scene.wire);
    uint64_t sent_us = notes_time_us();
    struct frame frame;
    struct acta_err err;
    uint64_t count = 0;

    msg_change_parked_encode(&scene.wire.out, request_id, slice_of(GROUP), kind,
                             &position, 1, false);
    frame = wire_must(&scene.wire, request_id, OP_PARKED_CHANGED);
    require(msg_number_decode(&count, OP_PARKED_CHANGED, frame.body, &err) ==
            ACTA_OK);
    note(scene.notes,
         "{\"%s\":[%" PRIu64 "],\"sent\":%" PRIu64 ",\"count\":%" PRIu64
         ",\"at\":%" PRIu64 "}",
         kind == MSG_PARKED_DROP ? "drop" : "replay", position, sent_us, count,
         notes_time_us());
}

/* Over a network that is well, have members park two more events: then drop
 * one, and replay one.
 */
static void
look_after_parked(void)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    uint64_t positions[2];
    size_t before = list_parked(true, positions);
    unsigned number = 0;

    while (list_parked(true, positions) < before + 2) {
        ck_assert_msg(notes_time_us() < end, "nobody parks anything");
        for (int i = 0; i < EVENTS_MORE; i++) {
            char stream[16];

            snprintf(stream, sizeof(stream), "more-%u", number++);
            require(wire_append(&scene.wire, stream, FEEDER_TYPE, NULL, "") ==
                    ACTA_OK);
        }
    }
    change_parked(MSG_PARKED_DROP, positions[0]);
    change_parked(MSG_PARKED_REPLAY, positions[1]);
}

static void
replay_all(void)
{
    uint64_t request_id = wire_request(&scene.wire);

    note(scene.notes, "{\"replay\":null,\"sent\":%" PRIu64 "}",
         notes_time_us());
    msg_change_parked_encode(&scene.wire.out, request_id, slice_of(GROUP),
                             MSG_PARKED_REPLAY, NULL, 0, true);
    (void)wire_must(&scene.wire, request_id, OP_PARKED_CHANGED);
}

/* Members are calm: nothing is left to do, and nothing parked. */
static void
come_to_rest(void)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    struct timespec pause = {.tv_nsec = LOOK_NS};
    struct msg_consumer group = describe();
    uint64_t positions[2];

    while (group.lag.matching > 0 || group.in_hand > 0 || group.delayed > 0 ||
           group.parked > 0) {
        ck_assert_msg(notes_time_us() < end,
                      "no rest: %" PRIu64 " matching, %" PRIu64
                      " in hand, %" PRIu64 " delayed, %" PRIu64 " parked",
                      group.lag.matching, group.in_hand, group.delayed,
                      group.parked);
        if (group.parked > 0 && group.in_hand == 0 && group.delayed == 0) {
            replay_all();
        }
        nanosleep(&pause, NULL);
        group = describe();
    }
    note(scene.notes,
         "{\"rest\":%" PRIu64 ",\"head\":%" PRIu64 ",\"events\":%" PRIu64
         ",\"matching\":0,\"in_hand\":0,\"delayed\":0,\"parked\":0"
         ",\"position\":%" PRIu64 "}",
         notes_time_us(), group.head, group.lag.events, group.position);
    require(list_parked(false, positions) == 0);
}

/* ---- the play ---- */

static void
begin(void)
{
    memset(&scene, 0, sizeof(scene));
    rnd_init(&scene.rnd);
    scene.seed = rnd_next(&scene.rnd);
    scene.shared.group = GROUP;
    scene.shared.key_tag = "";
    tempdir_make(&scene.dir);
    scene.notes = notes_open(scene.dir.path, "operator.log");
    daemon_init(&scene.daemon, scene.dir.path, &scene.rnd);
    daemon_start(&scene.daemon);
    scene.proxy = proxy_new(&scene.daemon, &scene.rnd);
    proxy_run(scene.proxy);
    scene.front = proxy_front(scene.proxy, &scene.daemon);
    wire_init(&scene.wire, &scene.daemon);
    wire_connect(&scene.wire);
    create_group();
    for (unsigned i = 0; i < WORKERS; i++) {
        scene.workers[i] = worker_start(&scene.front, scene.dir.path,
                                        &scene.shared, i + 1, scene.seed);
    }
    scene.feeder =
        feeder_start(&scene.front, rnd_effort(EVENTS, EVENTS_LONG), scene.seed);
}

static void
pause_ms(uint64_t ms)
{
    struct timespec pause = {.tv_nsec = (long)ms * 1000000};

    nanosleep(&pause, NULL);
}

static void
disturb(void)
{
    uint64_t ms = 1 + rnd_below(&scene.rnd, ROUND_MS_MAX);
    uint64_t dice = rnd_below(&scene.rnd, MANNERS + 2);

    if (dice < MANNERS) {
        proxy_set(scene.proxy, &manners[dice]);
        pause_ms(ms);
    } else if (dice == MANNERS) {
        proxy_hold(scene.proxy, true);
        pause_ms(ms);
        proxy_hold(scene.proxy, false);
    } else {
        ck_assert_int_eq(kill(scene.daemon.pid, SIGSTOP), 0);
        pause_ms(ms);
        ck_assert_int_eq(kill(scene.daemon.pid, SIGCONT), 0);
    }
}

static int
finish(void)
{
    atomic_store(&scene.shared.stopping, true);
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_join(scene.workers[i]);
    }
    dump_by_wire(&scene.wire, scene.dir.path, 1);
    wire_fini(&scene.wire);
    notes_close(scene.notes);
    proxy_tell(scene.proxy, "members", scene.seed);
    proxy_stop(scene.proxy);
    daemon_stop(&scene.daemon);
    return check_history(scene.dir.path);
}

START_TEST(all_is_handled_in_order_however_bad_the_network_is)
{
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin();
    while (rounds-- > 0) {
        disturb();
    }
    proxy_set(scene.proxy, &well);
    feeder_join(scene.feeder);
    look_after_parked();
    atomic_store(&scene.shared.calm, true);
    come_to_rest();
    ck_assert_int_eq(finish(), 0);
    tempdir_remove(&scene.dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("net_members");
    TCase *tcase = tcase_create("members");
    int lives = (int)rnd_effort(1, LIVES_LONG);

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_loop_test(
        tcase, all_is_handled_in_order_however_bad_the_network_is, 0, lives);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
