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

#include "daemon.h"
#include "dump.h"
#include "feeder.h"
#include "foreman.h"
#include "nap.h"
#include "notes.h"
#include "proxy.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"
#include "worker.h"

#define GROUP        "workers"
#define WORKERS      4
#define ROUNDS       8
#define ROUNDS_LONG  100
#define EVENTS       300
#define EVENTS_LONG  8000
#define LIVES_LONG   6
#define EVENTS_MORE  10
#define ROUND_MS_MAX 200
#define TIMEOUT_S    1800

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
    struct foreman foreman; /* Past the proxy. */
    struct workers shared;
    struct worker *workers[WORKERS];
    struct feeder *feeder;
};

static struct scene scene;

/* Over a network that is well, have members park two more events: then drop
 * one, and replay one.
 */
static void
look_after_parked(void)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    struct foreman *foreman = &scene.foreman;
    unsigned number = 0;
    size_t before;

    foreman_list(foreman);
    before = foreman->rejected_count;
    while (foreman->rejected_count < before + 2) {
        ck_assert_msg(notes_time_us() < end, "nobody parks anything");
        for (int i = 0; i < EVENTS_MORE; i++) {
            char stream[16];

            snprintf(stream, sizeof(stream), "more-%u", number++);
            require(wire_append(&foreman->wire, stream, FEEDER_TYPE, NULL,
                                "") == ACTA_OK);
        }
        foreman_list(foreman);
    }
    foreman_change_parked(foreman, MSG_PARKED_DROP, 0);
    foreman_change_parked(foreman, MSG_PARKED_REPLAY, 1);
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
    daemon_init(&scene.daemon, scene.dir.path, &scene.rnd);
    daemon_start(&scene.daemon);
    scene.proxy = proxy_new(&scene.daemon, &scene.rnd);
    proxy_run(scene.proxy);
    scene.front = proxy_front(scene.proxy, &scene.daemon);
    foreman_init(&scene.foreman, &scene.daemon, scene.dir.path, &scene.shared,
                 MSG_PARK_WAITS);
    for (unsigned i = 0; i < WORKERS; i++) {
        scene.workers[i] = worker_start(&scene.front, scene.dir.path,
                                        &scene.shared, i + 1, scene.seed);
    }
    scene.feeder =
        feeder_start(&scene.front, rnd_effort(EVENTS, EVENTS_LONG), scene.seed);
}

static void
disturb(void)
{
    uint64_t ms = 1 + rnd_below(&scene.rnd, ROUND_MS_MAX);
    uint64_t dice = rnd_below(&scene.rnd, MANNERS + 2);

    if (dice < MANNERS) {
        proxy_set(scene.proxy, &manners[dice]);
        nap_ms(ms);
    } else if (dice == MANNERS) {
        proxy_hold(scene.proxy, true);
        nap_ms(ms);
        proxy_hold(scene.proxy, false);
    } else {
        ck_assert_int_eq(kill(scene.daemon.pid, SIGSTOP), 0);
        nap_ms(ms);
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
    dump_by_wire(&scene.foreman.wire, scene.dir.path, 1);
    foreman_fini(&scene.foreman);
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
    foreman_rest(&scene.foreman, 0); /* Nothing is left to do, nor parked. */
    foreman_list(&scene.foreman);
    require(scene.foreman.parked_count == 0);
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
