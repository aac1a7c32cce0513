/* Kills a real actad again and again while clients append and subscribe, and
 * lets tests/check/check.py judge what they saw.
 *
 * With the shim (tests/shim) what the server has not synced is lost as well:
 * then an acknowledgement that comes before the sync is a lie, which the last
 * test tells on purpose, to see that it is found out.
 */

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appender.h"
#include "daemon.h"
#include "dump.h"
#include "nap.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "watcher.h"

#define APPENDERS     4
#define LIVES_LONG    10
#define ROUNDS        40
#define ROUNDS_LONG   100
#define ROUNDS_TO_LIE 25
#define DUMP_EVERY    15
#define TIMEOUT_S     1800
#define LIFE_MS_MIN   5
#define LIFE_MS_MAX   100

#define WANTED "refused,repeated,reads_after_ack"

struct loop {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    uint64_t seed;
    unsigned dumps_count;
    struct appender *appenders[APPENDERS];
    struct watcher *resuming;
    struct watcher *from_start;
};

static void
start_clients(struct loop *loop)
{
    struct watcher_options options = {
        .url = loop->daemon.url,
        .dir = loop->dir.path,
        .number = 1,
        .type = "OrderPaid",
        .restarts = true,
        .seed = loop->seed,
    };

    for (unsigned i = 0; i < APPENDERS; i++) {
        loop->appenders[i] = appender_start(&(struct appender_options){
            .url = loop->daemon.url,
            .dir = loop->dir.path,
            .number = i + 1,
            .seed = loop->seed,
        });
    }
    loop->resuming = watcher_start(&options);
    options.number = 2;
    options.type = NULL;
    options.restarts = false;
    loop->from_start = watcher_start(&options);
}

static void
live_for_a_while(struct rnd *rnd)
{
    uint64_t us =
        1000 * LIFE_MS_MIN + rnd_below(rnd, 1000 * (LIFE_MS_MAX - LIFE_MS_MIN));

    nap_us(us);
}

static void
begin(struct loop *loop, const char *switch_on, const char *option)
{
    static char shim[512];

    rnd_init(&loop->rnd);
    loop->seed = rnd_next(&loop->rnd);
    tempdir_make(&loop->dir);
    daemon_init(&loop->daemon, loop->dir.path, &loop->rnd);
    if (option != NULL) {
        daemon_option(&loop->daemon, option);
    }
    if (switch_on != NULL) {
        snprintf(shim, sizeof(shim), "%s", run_build("tests/libvolatile.so"));
        loop->daemon.shim = shim;
        loop->daemon.switch_on = switch_on;
    }
    daemon_start(&loop->daemon);
    start_clients(loop);
}

static void
take_dump(struct loop *loop, bool lists)
{
    (void)dump(loop->daemon.url, loop->dir.path, ++loop->dumps_count, lists);
}

static void
kill_often(struct loop *loop, unsigned rounds)
{
    for (unsigned i = 1; i <= rounds; i++) {
        live_for_a_while(&loop->rnd);
        if (i % DUMP_EVERY == 0) {
            take_dump(loop, false);
        }
        daemon_kill(&loop->daemon);
        daemon_start(&loop->daemon);
    }
}

/* Let all come to rest, and look at what is there: before and after one more
 * start.
 */
static void
finish(struct loop *loop)
{
    uint64_t head;

    appenders_stop();
    for (unsigned i = 0; i < APPENDERS; i++) {
        appender_join(loop->appenders[i]);
    }
    head = dump(loop->daemon.url, loop->dir.path, ++loop->dumps_count, false);
    watcher_finish(loop->resuming, head);
    watcher_finish(loop->from_start, head);
    daemon_kill(&loop->daemon);
    daemon_start(&loop->daemon);
    take_dump(loop, true);
    daemon_stop(&loop->daemon);
}

START_TEST(nothing_is_lost_or_doubled_however_often_it_is_killed)
{
    struct loop loop = {.dumps_count = 0};

    begin(&loop, NULL, NULL);
    kill_often(&loop, rnd_effort(ROUNDS, ROUNDS_LONG));
    finish(&loop);
    ck_assert_int_eq(check_history_with(loop.dir.path, WANTED), 0);
    tempdir_remove(&loop.dir);
}
END_TEST

START_TEST(nothing_is_lost_when_what_was_not_synced_is_gone)
{
    struct loop loop = {.dumps_count = 0};

    begin(&loop, "VOLATILE_SYNC_EVERY=1", NULL);
    kill_often(&loop, rnd_effort(ROUNDS, ROUNDS_LONG));
    finish(&loop);
    ck_assert_int_eq(check_history_with(loop.dir.path, WANTED), 0);
    tempdir_remove(&loop.dir);
}
END_TEST

/* The control. A segment holds more than is written between two kills: where
 * one segment has lost its end and another follows, the server would find out
 * by itself, and refuse to start.
 */
START_TEST(a_server_that_acknowledges_before_the_sync_is_found_out)
{
    struct loop loop = {.dumps_count = 0};

    begin(&loop, "VOLATILE_SYNC_EVERY=16", "--journal-segment-size=32MiB");
    kill_often(&loop, ROUNDS_TO_LIE);
    finish(&loop);
    ck_assert(check_finds(loop.dir.path, "what is acknowledged is not lost"));
    tempdir_remove(&loop.dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("kill");
    TCase *tcase = tcase_create("kill");
    /* Many short lives and not a long one: what a checker has to hold in mind
     * stays bounded.
     */
    int lives = (int)rnd_effort(1, LIVES_LONG);

    tcase_set_timeout(tcase, TIMEOUT_S);

    tcase_add_loop_test(
        tcase, nothing_is_lost_or_doubled_however_often_it_is_killed, 0, lives);
    tcase_add_loop_test(tcase, nothing_is_lost_when_what_was_not_synced_is_gone,
                        0, lives);
    tcase_add_test(tcase,
                   a_server_that_acknowledges_before_the_sync_is_found_out);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
