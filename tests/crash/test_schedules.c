/* Ten thousand scheduled appends, due within seconds of each other, through ten
 * kills of the server, with moves and cancellations: each takes place once,
 * none early, in the order of their times; and so they do after a long stop.
 * tests/check/check.py judges that.
 */

#include <check.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon.h"
#include "dump.h"
#include "msg_lease.h"
#include "nap.h"
#include "notes.h"
#include "planner.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"

#define SCHEDULES    10000
#define KILLS        10
#define CHANGES      400
#define LIVES_LONG   20
#define SOON_US      500000
#define SPAN_US      3000000
#define LIFE_US_MAX  600000
#define STOP_US      400000
#define LEFT_TO_STOP 1000
#define LOOK_US      5000
#define TIMEOUT_S    1800

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    uint64_t seed;
    uint64_t started_us; /* When the server was, by the monotonic clock. */
};

static void
start(struct scene *scene)
{
    daemon_start(&scene->daemon);
    scene->started_us = notes_time_us();
}

static void
begin(struct scene *scene)
{
    rnd_init(&scene->rnd);
    scene->seed = rnd_next(&scene->rnd);
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    start(scene);
}

/* Due long enough ago to have taken place on any machine, by both clocks: it
 * must have been started that long, too.
 */
static bool
is_overdue(const struct scene *scene, const struct msg_scheduled *schedule)
{
    return schedule->due_us + wire_patience_us() < planner_time_us() &&
           scene->started_us + wire_patience_us() < notes_time_us();
}

/* How many wait to take place: counted page by page, so that it may be less if
 * some do so meanwhile.
 */
static size_t
count_schedules(const struct scene *scene, struct wire *wire)
{
    struct msg_list list = {.prefix = SLICE_NONE};
    struct msg_schedules page = {.at_end = false};
    char after[64] = "";
    size_t count = 0;

    while (!page.at_end) {
        uint64_t request_id = wire_request(wire);
        struct frame frame;
        struct acta_err err;

        msg_list_encode(&wire->out, OP_LIST_SCHEDULES, request_id, &list);
        frame = wire_must(wire, request_id, OP_SCHEDULES);
        ck_assert_msg(msg_schedules_decode(&page, frame.body, &err) == ACTA_OK,
                      "%s", err.text);
        count += page.schedules_count;
        for (size_t i = 0; i < page.schedules_count; i++) {
            struct msg_scheduled schedule = msg_next_scheduled(&page.schedules);

            require(schedule.state == MSG_SCHEDULE_WAITS);
            snprintf(after, sizeof(after), "%s", wire_text(schedule.name));
            ck_assert_msg(!is_overdue(scene, &schedule),
                          "%s was due long ago, and is still there", after);
        }
        list.after = slice_of(after);
    }
    return count;
}

static void
wait_until_done(const struct scene *scene, struct wire *wire)
{

    while (count_schedules(scene, wire) > 0) {
        nap_us(LOOK_US);
    }
}

static int
finish(struct scene *scene, struct wire *wire)
{
    wait_until_done(scene, wire);
    daemon_kill(&scene->daemon);
    start(scene);
    wire_connect(wire);
    ck_assert_uint_eq(count_schedules(scene, wire), 0);
    dump_by_wire(wire, scene->dir.path, 1);
    wire_fini(wire);
    daemon_stop(&scene->daemon);
    return check_history(scene->dir.path);
}

START_TEST(each_takes_place_once_and_in_order_through_ten_kills)
{
    unsigned span_us = rnd_effort(SPAN_US, SPAN_US);
    unsigned kills = rnd_effort(KILLS, KILLS);
    struct planner_options options = {
        .number = 1,
        .count = rnd_effort(SCHEDULES, SCHEDULES),
        .first_us = SOON_US,
        .last_us = SOON_US + span_us,
        .changes = rnd_effort(CHANGES, CHANGES),
        .pace_us = (SOON_US + SPAN_US) / CHANGES,
    };
    struct scene scene = {.seed = 0};
    struct planner *planner;
    struct wire wire;

    begin(&scene);
    options.seed = scene.seed;
    planner = planner_start(&scene.daemon, scene.dir.path, &options);
    for (unsigned i = 0; i < kills; i++) {
        nap_us(rnd_below(&scene.rnd, LIFE_US_MAX));
        daemon_kill(&scene.daemon);
        start(&scene);
    }
    planner_join(planner);
    wire_init(&wire, &scene.daemon);
    wire_connect(&wire);
    ck_assert_int_eq(finish(&scene, &wire), 0);
    tempdir_remove(&scene.dir);
}
END_TEST

START_TEST(what_was_due_in_a_long_stop_takes_place_in_order)
{
    struct planner_options options = {
        .number = 1,
        .count = LEFT_TO_STOP,
        .last_us = STOP_US,
        .changes = 20,
        .pace_us = 100,
    };
    struct scene scene = {.seed = 0};
    struct planner *planner;
    struct wire wire;

    begin(&scene);
    options.seed = scene.seed;
    planner = planner_start(&scene.daemon, scene.dir.path, &options);
    planner_join(planner);
    daemon_kill(&scene.daemon);
    nap_us(STOP_US);
    start(&scene);
    wire_init(&wire, &scene.daemon);
    wire_connect(&wire);
    ck_assert_int_eq(finish(&scene, &wire), 0);
    tempdir_remove(&scene.dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("schedules");
    TCase *tcase = tcase_create("schedules");
    int lives = (int)rnd_effort(1, LIVES_LONG);

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_loop_test(
        tcase, each_takes_place_once_and_in_order_through_ten_kills, 0, lives);
    tcase_add_loop_test(tcase, what_was_due_in_a_long_stop_takes_place_in_order,
                        0, lives);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
