/* A process manager that appends a command, a deadline and its checkpoint at
 * once does each exactly once, whatever is killed: the manager, the server, or
 * both; and with two managers that take each other's turn.
 */

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "daemon.h"
#include "manager.h"
#include "msg_lease.h"
#include "nap.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"

#define MANAGERS     2
#define ORDERS       300
#define ROUNDS       25
#define LIVES_LONG   60
#define LIFE_US_MAX  60000
#define POSITION_MAX 100000
#define LOOK_US      5000
#define TIMEOUT_S    1800

/* What became of the order at a position. */
struct order {
    bool is_there;
    unsigned commands;
    unsigned deadlines;
};

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    struct wire wire;
    atomic_bool *stopping;
    pid_t managers[MANAGERS];
    unsigned orders_left;
};

static struct order orders[POSITION_MAX];

static void
begin(struct scene *scene)
{
    rnd_init(&scene->rnd);
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    daemon_start(&scene->daemon);
    scene->orders_left = ORDERS;
    scene->stopping =
        mmap(NULL, sizeof(*scene->stopping), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(scene->stopping, MAP_FAILED);
    for (unsigned i = 0; i < MANAGERS; i++) {
        scene->managers[i] = manager_start(
            &scene->daemon, rnd_next(&scene->rnd), scene->stopping);
    }
    wire_init(&scene->wire, &scene->daemon);
    wire_connect(&scene->wire);
}

static void
kill_manager(struct scene *scene)
{
    pid_t *manager = &scene->managers[rnd_below(&scene->rnd, MANAGERS)];
    int status = 0;

    ck_assert_int_eq(kill(*manager, SIGKILL), 0);
    ck_assert_int_eq(waitpid(*manager, &status, 0), *manager);
    ck_assert_msg(WIFSIGNALED(status), "a manager had ended: 0x%x",
                  (unsigned)status);
    *manager =
        manager_start(&scene->daemon, rnd_next(&scene->rnd), scene->stopping);
}

static void
kill_server(struct scene *scene)
{
    daemon_kill(&scene->daemon);
    daemon_start(&scene->daemon);
    wire_connect(&scene->wire);
}

static void
order(struct scene *scene, unsigned count)
{
    while (count-- > 0 && scene->orders_left > 0) {
        scene->orders_left--;
        ck_assert_int_eq(
            wire_append(&scene->wire, "orders", MANAGER_ORDER, NULL, ""),
            ACTA_OK);
    }
}

static void
live_and_die(struct scene *scene)
{
    order(scene, (unsigned)rnd_below(&scene->rnd, 2 * ORDERS / ROUNDS));
    nap_us(rnd_below(&scene->rnd, LIFE_US_MAX));
    if (rnd_once_in(&scene->rnd, 2)) {
        kill_manager(scene);
    }
    if (rnd_once_in(&scene->rnd, 2)) {
        kill_server(scene);
    }
}

/* ---- what came of it ---- */

static struct order *
order_of(const struct event *event)
{
    uint64_t position = strtoull(wire_text(event->data), NULL, 10);

    require(position > 0 && position < POSITION_MAX);
    return &orders[position];
}

static void
count_event(void *user, const struct event *event)
{
    size_t *count = user;

    if (slice_equal(event->type, slice_of(MANAGER_ORDER))) {
        require(event->position < POSITION_MAX);
        orders[event->position].is_there = true;
    } else if (slice_equal(event->type, slice_of(MANAGER_COMMAND))) {
        order_of(event)->commands++;
    } else if (slice_equal(event->type, slice_of(MANAGER_DEADLINE))) {
        order_of(event)->deadlines++;
        ++*count;
    }
}

/* How many deadlines have passed; all are counted in orders. */
static size_t
count_all(struct wire *wire)
{
    size_t count = 0;

    for (size_t i = 0; i < POSITION_MAX; i++) {
        orders[i] = (struct order){.is_there = false};
    }
    wire_read_all(wire, count_event, &count);
    return count;
}

static size_t
count_schedules(struct wire *wire)
{
    struct msg_list list = {.prefix = SLICE_NONE};
    uint64_t request_id = wire_request(wire);
    struct msg_schedules page;
    struct frame frame;
    struct acta_err err;

    msg_list_encode(&wire->out, OP_LIST_SCHEDULES, request_id, &list);
    frame = wire_must(wire, request_id, OP_SCHEDULES);
    require(msg_schedules_decode(&page, frame.body, &err) == ACTA_OK);
    return page.schedules_count;
}

static void
wait_until_done(struct scene *scene)
{
    uint64_t end = notes_time_us() + wire_patience_us();

    while (count_all(&scene->wire) < ORDERS) {
        ck_assert_uint_lt(notes_time_us(), end);
        nap_us(LOOK_US);
    }
}

static void
stop_managers(struct scene *scene)
{
    atomic_store(scene->stopping, true);
    for (unsigned i = 0; i < MANAGERS; i++) {
        int status = 0;

        ck_assert_int_eq(waitpid(scene->managers[i], &status, 0),
                         scene->managers[i]);
        ck_assert_int_eq(status, 0);
    }
}

/* Nobody works any more: when nothing is scheduled, nothing will come. */
static void
expect_each_once(struct scene *scene)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    unsigned found = 0;

    while (count_schedules(&scene->wire) > 0) {
        ck_assert_uint_lt(notes_time_us(), end);
        nap_us(LOOK_US);
    }
    (void)count_all(&scene->wire);
    for (size_t i = 0; i < POSITION_MAX; i++) {
        unsigned wanted = orders[i].is_there ? 1 : 0;

        found += wanted;
        if (orders[i].commands != wanted || orders[i].deadlines != wanted) {
            ck_abort_msg("the order at %zu has %u commands and %u deadlines", i,
                         orders[i].commands, orders[i].deadlines);
        }
    }
    ck_assert_uint_eq(found, ORDERS);
}

START_TEST(what_follows_from_an_order_happens_once)
{
    struct scene scene = {.orders_left = 0};

    begin(&scene);
    for (unsigned i = 0; i < ROUNDS; i++) {
        live_and_die(&scene);
    }
    order(&scene, ORDERS);
    wait_until_done(&scene);
    stop_managers(&scene);
    expect_each_once(&scene);
    wire_fini(&scene.wire);
    daemon_stop(&scene.daemon);
    munmap(scene.stopping, sizeof(*scene.stopping));
    tempdir_remove(&scene.dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("process_manager");
    TCase *tcase = tcase_create("process_manager");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_loop_test(tcase, what_follows_from_an_order_happens_once, 0,
                        (int)rnd_effort(1, LIVES_LONG));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
