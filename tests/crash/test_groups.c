/* Members of a group do what members do, at random, while the server is killed
 * again and again and parked events are replayed and dropped; what they wrote
 * down is judged by tests/check/check.py.
 */

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon.h"
#include "dump.h"
#include "feeder.h"
#include "msg_consumer.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"
#include "worker.h"

#define GROUP          "workers"
#define WORKERS        6
#define ROUNDS         8
#define EVENTS         1500
#define ROUNDS_LONG    60
#define EVENTS_LONG    15000
#define LIVES_LONG     10
#define DELIVERIES_MAX 4
#define PARKED_MAX     20000
#define LIFE_US_MAX    350000
#define LOOK_NS        2000000
#define TIMEOUT_S      1800

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    struct wire wire; /* The operator's. */
    struct notes *notes;
    enum msg_on_park on_park;
    struct workers shared;
    struct worker *workers[WORKERS];
    struct feeder *feeder;
    size_t parked_count;
    struct msg_parked parked[PARKED_MAX]; /* As listed; without texts. */
};

static struct scene scene;

/* ---- the operator ---- */

static struct msg_consumer_changed
change_consumer(const struct msg_change_consumer *change)
{
    uint64_t request_id = wire_request(&scene.wire);
    struct msg_consumer_changed changed;
    struct frame frame;
    struct acta_err err;

    msg_change_consumer_encode(&scene.wire.out, request_id, change);
    frame = wire_must(&scene.wire, request_id, OP_CONSUMER_CHANGED);
    ck_assert_msg(msg_consumer_changed_decode(&changed, frame.body, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    return changed;
}

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
        .settings =
            {
                .key_tag = slice_of(scene.shared.key_tag),
                .ack_timeout_us = WORKER_TIMEOUT_US,
                .deliveries_max = DELIVERIES_MAX,
                .on_park = scene.on_park,
            },
        .given = MSG_HAS_ACK_TIMEOUT | MSG_HAS_DELIVERIES_MAX | MSG_HAS_ON_PARK,
    };

    (void)change_consumer(&change);
    note(scene.notes,
         "{\"group\":\"%s\",\"type\":\"%s\",\"key_tag\":\"%s\",\"waits\":%s,"
         "\"timeout\":%" PRIu64 ",\"deliveries_max\":%d}",
         GROUP, FEEDER_TYPE, scene.shared.key_tag,
         scene.on_park == MSG_PARK_WAITS ? "true" : "false", WORKER_TIMEOUT_US,
         DELIVERIES_MAX);
}

static void
change_group(enum msg_consumer_change kind)
{
    struct msg_change_consumer change = {
        .name = slice_of(GROUP),
        .kind = kind,
    };

    (void)change_consumer(&change);
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

static void
list_parked(void)
{
    struct msg_list_parked list = {.group = slice_of(GROUP)};
    struct msg_parked_page page = {.at_end = false};

    scene.parked_count = 0;
    note_part(scene.notes, "{\"list\":%" PRIu64 ",\"parked\":[",
              notes_time_us());
    while (!page.at_end) {
        uint64_t request_id = wire_request(&scene.wire);
        struct frame frame;
        struct acta_err err;

        msg_list_parked_encode(&scene.wire.out, request_id, &list);
        frame = wire_must(&scene.wire, request_id, OP_PARKED);
        ck_assert_msg(msg_parked_decode(&page, frame.body, &err) == ACTA_OK,
                      "%s", err.text);
        for (size_t i = 0; i < page.parked_count; i++) {
            struct msg_parked parked = msg_next_parked(&page.parked);

            require(scene.parked_count < PARKED_MAX);
            note_part(scene.notes, "%s[%" PRIu64 ",%d,%" PRIu64 ",\"%s\"]",
                      scene.parked_count > 0 ? "," : "", parked.position,
                      (int)parked.state, parked.deliveries,
                      wire_text(parked.key));
            scene.parked[scene.parked_count++] = parked;
            list.after = parked.position;
        }
    }
    note_part(scene.notes, "],\"at\":%" PRIu64 "}", notes_time_us());
    note_end(scene.notes);
}

/* Replay or drop one that was listed. */
static void
change_parked(enum msg_parked_change kind, size_t index)
{
    uint64_t position = scene.parked[index].position;
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

static void
look_after_parked(void)
{
    list_parked();
    for (size_t i = 0; i < scene.parked_count; i++) {
        if (rnd_once_in(&scene.rnd, 6)) {
            change_parked(MSG_PARKED_REPLAY, i);
        } else if (rnd_once_in(&scene.rnd, 12)) {
            change_parked(MSG_PARKED_DROP, i);
        }
    }
}

/* ---- lives and deaths ---- */

static void
pause_us(uint64_t us)
{
    struct timespec pause = {
        .tv_sec = (time_t)(us / 1000000),
        .tv_nsec = (long)(us % 1000000) * 1000,
    };

    nanosleep(&pause, NULL);
}

static void
kill_and_start(void)
{
    daemon_kill(&scene.daemon);
    daemon_start(&scene.daemon);
    wire_connect(&scene.wire);
}

static void
live_and_die(void)
{
    pause_us(rnd_below(&scene.rnd, LIFE_US_MAX));
    if (rnd_once_in(&scene.rnd, 3)) {
        change_group(MSG_CONSUMER_PAUSE);
        pause_us(rnd_below(&scene.rnd, LIFE_US_MAX) / 4);
        change_group(MSG_CONSUMER_RESUME);
    }
    look_after_parked();
    pause_us(rnd_below(&scene.rnd, LIFE_US_MAX) / 4);
    kill_and_start();
}

static void
note_rest(const struct msg_consumer *group)
{
    note(scene.notes,
         "{\"rest\":%" PRIu64 ",\"head\":%" PRIu64 ",\"events\":%" PRIu64
         ",\"matching\":%" PRIu64 ",\"in_hand\":%" PRIu64
         ",\"delayed\":%" PRIu64 ",\"parked\":%" PRIu64 ",\"position\":%" PRIu64
         "}",
         notes_time_us(), group->head, group->lag.events, group->lag.matching,
         group->in_hand, group->delayed, group->parked, group->position);
}

/* Wait until all is handled that can be, and no more than @parked_max are
 * parked: on a busy machine a replayed event may run out of time and be parked
 * again, so they are replayed until they are not.
 */
static void
come_to_rest(uint64_t parked_max)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    struct timespec pause = {.tv_nsec = LOOK_NS};
    struct msg_consumer group;

    for (;;) {
        group = describe();
        require(group.lag.is_counted);
        if (group.lag.matching == 0 && group.in_hand == 0 &&
            group.delayed == 0) {
            if (group.parked <= parked_max) {
                break;
            }
            replay_all();
        }
        ck_assert_msg(notes_time_us() < end,
                      "no rest: %" PRIu64 " matching, %" PRIu64
                      " in hand, %" PRIu64 " delayed, %" PRIu64 " parked",
                      group.lag.matching, group.in_hand, group.delayed,
                      group.parked);
        nanosleep(&pause, NULL);
    }
    note_rest(&group);
}

static void
wait_until_alone(void)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    struct timespec pause = {.tv_nsec = LOOK_NS};

    while (describe().connected > 0) {
        ck_assert_uint_lt(notes_time_us(), end);
        nanosleep(&pause, NULL);
    }
}

static void
expect_lag(uint64_t matching, uint64_t events)
{
    struct msg_consumer group = describe();

    require(group.lag.is_counted);
    ck_assert_uint_eq(group.lag.matching, matching);
    ck_assert_uint_eq(group.lag.events, events);
    ck_assert_uint_eq(group.connected, 0);
}

/* Nobody is there: what is appended now is the lag, to the event; and so it is
 * after a stop in order, which saves all, and after a kill.
 */
static void
expect_exact_lag(void)
{
    uint64_t wanted = 1 + rnd_below(&scene.rnd, 20);
    uint64_t other = rnd_below(&scene.rnd, 20);

    wait_until_alone();
    expect_lag(0, 0);
    for (uint64_t i = 0; i < wanted + other; i++) {
        ck_assert_int_eq(wire_append(&scene.wire, "late",
                                     i < wanted ? FEEDER_TYPE : "Noise", NULL,
                                     ""),
                         ACTA_OK);
    }
    expect_lag(wanted, wanted + other);
    daemon_stop(&scene.daemon);
    daemon_start(&scene.daemon);
    wire_connect(&scene.wire);
    expect_lag(wanted, wanted + other);
    kill_and_start();
    expect_lag(wanted, wanted + other);
}

/* ---- the play ---- */

static void
begin(enum msg_on_park on_park, const char *key_tag, unsigned events)
{
    uint64_t seed;

    memset(&scene, 0, sizeof(scene));
    rnd_init(&scene.rnd);
    seed = rnd_next(&scene.rnd);
    scene.on_park = on_park;
    scene.shared.group = GROUP;
    scene.shared.key_tag = key_tag;
    tempdir_make(&scene.dir);
    scene.notes = notes_open(scene.dir.path, "operator.log");
    daemon_init(&scene.daemon, scene.dir.path, &scene.rnd);
    daemon_start(&scene.daemon);
    wire_init(&scene.wire, &scene.daemon);
    wire_connect(&scene.wire);
    create_group();
    for (unsigned i = 0; i < WORKERS; i++) {
        scene.workers[i] = worker_start(&scene.daemon, scene.dir.path,
                                        &scene.shared, i + 1, seed);
    }
    scene.feeder = feeder_start(&scene.daemon, events, seed);
}

static int
finish(void)
{
    int found;

    dump_by_wire(&scene.wire, scene.dir.path, 1);
    expect_exact_lag();
    wire_fini(&scene.wire);
    notes_close(scene.notes);
    daemon_stop(&scene.daemon);
    found = check_history(scene.dir.path);
    if (found == 0) {
        tempdir_remove(&scene.dir);
    }
    return found;
}

static void
play(enum msg_on_park on_park, const char *key_tag)
{
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin(on_park, key_tag, rnd_effort(EVENTS, EVENTS_LONG));
    while (rounds-- > 0) {
        live_and_die();
    }
    feeder_join(scene.feeder);
    atomic_store(&scene.shared.calm, true);
    come_to_rest(PARKED_MAX);
    kill_and_start(); /* What is parked is so for good. */
    come_to_rest(PARKED_MAX);
    look_after_parked();
    come_to_rest(0);
    list_parked();
    kill_and_start();
    come_to_rest(0);
    list_parked();
    atomic_store(&scene.shared.stopping, true);
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_join(scene.workers[i]);
    }
    ck_assert_int_eq(finish(), 0);
}

START_TEST(streams_are_handled_in_order_and_wait_for_what_is_parked)
{
    play(MSG_PARK_WAITS, "");
}
END_TEST

START_TEST(tags_are_handled_in_order_and_go_on_behind_what_is_parked)
{
    play(MSG_PARK_GOES_ON, FEEDER_KEY_TAG);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("groups");
    TCase *tcase = tcase_create("groups");
    int lives = (int)rnd_effort(1, LIVES_LONG);

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_loop_test(
        tcase, streams_are_handled_in_order_and_wait_for_what_is_parked, 0,
        lives);
    tcase_add_loop_test(
        tcase, tags_are_handled_in_order_and_go_on_behind_what_is_parked, 0,
        lives);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
