/* Members of a group do what members do, at random, while the server is killed
 * again and again and parked events are replayed and dropped; what they wrote
 * down is judged by tests/check/check.py.
 */

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "dump.h"
#include "feeder.h"
#include "foreman.h"
#include "nap.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"
#include "worker.h"

#define GROUP       "workers"
#define WORKERS     6
#define ROUNDS      8
#define EVENTS      1500
#define ROUNDS_LONG 60
#define EVENTS_LONG 15000
#define LIVES_LONG  10
#define LIFE_US_MAX 350000
#define LOOK_US     2000
#define TIMEOUT_S   1800

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    struct foreman foreman;
    struct workers shared;
    struct worker *workers[WORKERS];
    struct feeder *feeder;
};

static struct scene scene;

static void
look_after_parked(void)
{
    foreman_list(&scene.foreman);
    for (size_t i = 0; i < scene.foreman.parked_count; i++) {
        if (rnd_once_in(&scene.rnd, 6)) {
            foreman_change_parked(&scene.foreman, MSG_PARKED_REPLAY, i);
        } else if (rnd_once_in(&scene.rnd, 12)) {
            foreman_change_parked(&scene.foreman, MSG_PARKED_DROP, i);
        }
    }
}

/* ---- lives and deaths ---- */

static void
kill_and_start(void)
{
    daemon_kill(&scene.daemon);
    daemon_start(&scene.daemon);
    wire_connect(&scene.foreman.wire);
}

static void
live_and_die(void)
{
    nap_us(rnd_below(&scene.rnd, LIFE_US_MAX));
    if (rnd_once_in(&scene.rnd, 3)) {
        foreman_change(&scene.foreman, MSG_CONSUMER_PAUSE);
        nap_us(rnd_below(&scene.rnd, LIFE_US_MAX) / 4);
        foreman_change(&scene.foreman, MSG_CONSUMER_RESUME);
    }
    look_after_parked();
    nap_us(rnd_below(&scene.rnd, LIFE_US_MAX) / 4);
    kill_and_start();
}

static void
wait_until_alone(void)
{
    uint64_t end = notes_time_us() + wire_patience_us();

    while (foreman_describe(&scene.foreman).connected > 0) {
        ck_assert_uint_lt(notes_time_us(), end);
        nap_us(LOOK_US);
    }
}

static void
expect_lag(uint64_t matching, uint64_t events)
{
    struct msg_consumer group = foreman_describe(&scene.foreman);

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
        ck_assert_int_eq(wire_append(&scene.foreman.wire, "late",
                                     i < wanted ? FEEDER_TYPE : "Noise", NULL,
                                     ""),
                         ACTA_OK);
    }
    expect_lag(wanted, wanted + other);
    daemon_stop(&scene.daemon);
    daemon_start(&scene.daemon);
    wire_connect(&scene.foreman.wire);
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
    scene.shared.group = GROUP;
    scene.shared.key_tag = key_tag;
    tempdir_make(&scene.dir);
    daemon_init(&scene.daemon, scene.dir.path, &scene.rnd);
    daemon_start(&scene.daemon);
    foreman_init(&scene.foreman, &scene.daemon, scene.dir.path, &scene.shared,
                 on_park);
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

    dump_by_wire(&scene.foreman.wire, scene.dir.path, 1);
    expect_exact_lag();
    foreman_fini(&scene.foreman);
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
    foreman_rest(&scene.foreman, FOREMAN_PARKED_MAX);
    kill_and_start(); /* What is parked is so for good. */
    foreman_rest(&scene.foreman, FOREMAN_PARKED_MAX);
    look_after_parked();
    foreman_rest(&scene.foreman, 0);
    foreman_list(&scene.foreman);
    kill_and_start();
    foreman_rest(&scene.foreman, 0);
    foreman_list(&scene.foreman);
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
