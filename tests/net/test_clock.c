/* A server whose wall clock is set, back an hour and forward a year, while it
 * works: recorded times do not go back, what is to take a time takes that time,
 * connections stay, and neither does anything stall nor does everything happen
 * at once. Leases have a test of their own (crash/test_leases.c).
 */

#include <check.h>
#include <inttypes.h>
#include <stdio.h>

#include "clients.h"
#include "daemon.h"
#include "dump.h"
#include "msg_group.h"
#include "nap.h"
#include "notes.h"
#include "pack.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "usage.h"
#include "wall_clock.h"
#include "wire.h"

#define SECOND_US   INT64_C(1000000)
#define HOUR_US     (3600 * SECOND_US)
#define DAY_US      (24 * HOUR_US)
#define YEAR_US     (365 * DAY_US)
#define DELAY_US    300000
#define GROUP       "workers"
#define ROUNDS      10
#define ROUNDS_LONG 400
#define ROUND_MS    40
#define TIMEOUT_S   1800

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    uint64_t seed;
    struct daemon daemon;
    struct wall_clock clock; /* The server's. */
};

static void
begin(struct scene *scene)
{
    rnd_init(&scene->rnd);
    scene->seed = rnd_next(&scene->rnd);
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    wall_clock_init(&scene->clock, &scene->daemon);
    daemon_start(&scene->daemon);
}

static void
end(struct scene *scene)
{
    daemon_stop(&scene->daemon);
    wall_clock_fini(&scene->clock);
    tempdir_remove(&scene->dir);
}

/* ---- under load ---- */

/* Also over a restart, with a clock that is behind what is stored. */
START_TEST(recorded_times_do_not_go_back_and_nothing_stalls)
{
    static const int64_t offsets_us[] = {-HOUR_US, YEAR_US, 0};
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);
    struct clients clients;
    unsigned forward, back;
    uint64_t head;
    struct scene scene;

    begin(&scene);
    clients_start(&clients, scene.daemon.url, scene.dir.path, scene.seed);
    for (unsigned i = 0; i < rounds; i++) {
        wall_clock_set(&scene.clock,
                       i < 3 ? offsets_us[i]
                             : (int64_t)rnd_below(&scene.rnd, 2 * YEAR_US) -
                                   YEAR_US);
        nap_ms(ROUND_MS);
        if (i % 8 == 4) {
            daemon_kill(&scene.daemon);
            wall_clock_set(&scene.clock, -HOUR_US);
            daemon_start(&scene.daemon);
        }
    }
    clients_rest(&clients);
    head = dump(scene.daemon.url, scene.dir.path, 1, true);
    clients_finish(&clients, head);
    wall_clock_set(&scene.clock, 2 * YEAR_US);
    forward = usage_looks_to_rest(scene.daemon.pid);
    wall_clock_set(&scene.clock, -HOUR_US);
    back = usage_looks_to_rest(scene.daemon.pid);
    printf("{\"test\": \"clock, load\", \"seed\": %" PRIu64
           ", \"settings\": %u, \"events\": %" PRIu64
           ", \"looks_forward\": %u, \"looks_back\": %u}\n",
           scene.seed, rounds, head, forward, back);
    fflush(stdout);
    ck_assert_uint_lt(forward, USAGE_RESTLESS);
    ck_assert_uint_lt(back, USAGE_RESTLESS);
    ck_assert_int_eq(check_history(scene.dir.path), 0);
    end(&scene);
}
END_TEST

/* ---- a member's time ---- */

/* The one event that is handed out next: its position, and the fence. */
static uint64_t
take_one(struct wire *wire, uint64_t *fence)
{
    struct msg_handed handed = {.events_count = 0};
    struct event event;
    struct acta_err err;

    while (handed.events_count == 0) {
        struct frame frame;

        ck_assert_msg(
            wire_next(wire, &frame, (unsigned)(wire_patience_us() / 1000)) ==
                WIRE_FRAME,
            "nothing was handed out in time");
        if (frame.kind == OP_HANDED) {
            require(msg_handed_decode(&handed, frame.body, &err) == ACTA_OK);
        }
    }
    ck_assert_msg(handed.events_count == 1, "%zu events at once",
                  handed.events_count);
    require(msg_next_event(&handed.events, &event, &err) == ACTA_OK);
    *fence = handed.fence;
    return event.position;
}

static void
answer(struct wire *wire, uint64_t membership, enum msg_settle_kind kind,
       uint64_t fence, uint64_t position)
{
    struct msg_answer answer = {
        .kind = kind,
        .fence = fence,
        .position = position,
        .delay_us = kind == MSG_RETRY ? DELAY_US : 0,
    };
    uint64_t request_id = wire_request(wire);
    size_t start = msg_settle_begin(&wire->out, request_id, membership, 1);

    msg_settle_answer(&wire->out, &answer);
    msg_settle_end(&wire->out, start);
    (void)wire_must(wire, request_id, OP_SETTLED);
}

/* One event is in hand for half an hour, while a year goes by; another is
 * retried in a moment, though it is an hour earlier by then.
 */
START_TEST(time_outs_and_delays_take_as_long_as_they_should)
{
    struct wire wire, member;
    struct scene scene;
    uint64_t membership, fence, held, held_fence, position;

    begin(&scene);
    wire_init(&wire, &scene.daemon);
    wire_connect(&wire);
    wire_init(&member, &scene.daemon);
    wire_connect(&member);
    wire_create_group(&wire, GROUP, "Placed", HOUR_US / 2);
    membership = wire_join(&member, GROUP, 10);
    require(wire_append(&wire, "order-1", "Placed", NULL, "") == ACTA_OK);
    held = take_one(&member, &held_fence);

    wall_clock_set(&scene.clock, YEAR_US);
    require(wire_append(&wire, "order-2", "Placed", NULL, "") == ACTA_OK);
    position = take_one(&member, &fence); /* And not the first one again. */
    ck_assert_uint_eq(position, held + 1);

    answer(&member, membership, MSG_RETRY, fence, position);
    wall_clock_set(&scene.clock, -HOUR_US);
    ck_assert_uint_eq(take_one(&member, &fence), position);
    answer(&member, membership, MSG_ACK, fence, position);
    answer(&member, membership, MSG_ACK, held_fence, held);
    wire_fini(&member);
    wire_fini(&wire);
    end(&scene);
}
END_TEST

/* ---- schedules and ages ---- */

/* Schedule one event for @due_us of the server's clock, or so long from now. */
static void
schedule(struct wire *wire, const char *name, bool is_delay, uint64_t due_us)
{
    struct msg_schedule schedule = {
        .name = slice_of(name), .due_us = due_us, .is_delay = is_delay};
    struct msg_append_more more = {.schedules = &schedule,
                                   .schedules_count = 1};
    uint64_t request_id = wire_request(wire);
    struct buf writes;
    size_t start;

    buf_init(&writes, 4096);
    pack_array(&writes, 1);
    msg_append_write(&writes, slice_of("due-1"), MSG_EXPECT_ANY, 1);
    wire_put_event(&writes, "Due", NULL, name);
    schedule.writes = buf_slice(&writes);
    start = msg_append_begin(&wire->out, request_id, 0);
    msg_append_end(&wire->out, start, &more);
    (void)wire_must(wire, request_id, OP_APPENDED);
    buf_fini(&writes);
}

/* The last event, and its time. */
static uint64_t
last_of(struct wire *wire, uint64_t *time_us)
{
    struct msg_read_all read = {
        .query = QUERY_ALL, .backward = true, .bounds = {.events_max = 1}};
    uint64_t request_id = wire_request(wire);
    struct msg_page page;
    struct event event;
    struct frame frame;
    struct acta_err err;

    msg_read_all_encode(&wire->out, request_id, &read);
    frame = wire_must(wire, request_id, OP_PAGE);
    require(msg_page_decode(&page, frame.body, &err) == ACTA_OK);
    require(page.events_count == 1);
    require(msg_next_event(&page.events, &event, &err) == ACTA_OK);
    *time_us = event.time_us;
    return event.position;
}

static void
wait_for_head(struct wire *wire, uint64_t head)
{
    uint64_t end = notes_time_us() + wire_patience_us();

    while (wire_head(wire) < head) {
        ck_assert_msg(notes_time_us() < end, "what is due does not take place");
        nap_ms(1);
    }
}

static void
keep_a_day(struct wire *wire)
{
    struct msg_change change = {
        .stream = slice_of("order-1"),
        .expected = MSG_EXPECT_ANY,
        .kind = MSG_SET,
        .settings = {.max_age_us = DAY_US},
        .given = MSG_HAS_MAX_AGE,
    };
    uint64_t request_id = wire_request(wire);

    msg_change_encode(&wire->out, request_id, &change);
    (void)wire_must(wire, request_id, OP_CHANGED);
}

static size_t
events_of_stream(struct wire *wire)
{
    struct msg_read_stream read = {.stream = slice_of("order-1")};
    uint64_t request_id = wire_request(wire);
    struct msg_page page;
    struct frame frame;
    struct acta_err err;

    msg_read_stream_encode(&wire->out, request_id, &read);
    frame = wire_must(wire, request_id, OP_PAGE);
    require(msg_page_decode(&page, frame.body, &err) == ACTA_OK);
    return page.events_count;
}

/* Time of the database never goes back: a schedule is not early by it, and what
 * was too old for it once stays so.
 */
START_TEST(schedules_and_ages_go_by_a_time_that_does_not_go_back)
{
    struct scene scene;
    struct wire wire;
    uint64_t now_us, time_us;

    begin(&scene);
    wire_init(&wire, &scene.daemon);
    wire_connect(&wire);
    keep_a_day(&wire);
    require(wire_append(&wire, "order-1", "Placed", NULL, "") == ACTA_OK);
    ck_assert_uint_eq(last_of(&wire, &now_us), 1);
    /* Back: due is due by the clock, which is an hour away. */
    schedule(&wire, "first", true, HOUR_US / 2);
    wall_clock_set(&scene.clock, -HOUR_US);
    schedule(&wire, "second", false, now_us + HOUR_US);
    require(wire_append(&wire, "order-1", "Placed", NULL, "") == ACTA_OK);
    ck_assert_uint_eq(last_of(&wire, &time_us), 2);
    ck_assert_uint_ge(time_us, now_us);
    ck_assert_uint_lt(time_us, now_us + (uint64_t)HOUR_US / 2);
    ck_assert_uint_eq(events_of_stream(&wire), 2);
    /* Forward: all of the year is due, in its order, and old. */
    wall_clock_set(&scene.clock, YEAR_US);
    wait_for_head(&wire, 4);
    ck_assert_uint_eq(last_of(&wire, &time_us), 4);
    ck_assert_uint_ge(time_us, now_us + (uint64_t)HOUR_US);
    ck_assert_uint_eq(events_of_stream(&wire), 0);
    /* Right again: the year is over all the same, and what is due in it is due
     * at once.
     */
    wall_clock_set(&scene.clock, 0);
    ck_assert_uint_eq(events_of_stream(&wire), 0);
    schedule(&wire, "third", false, now_us + (uint64_t)HOUR_US);
    wait_for_head(&wire, 5);
    wire_fini(&wire);
    end(&scene);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("net_clock");
    TCase *load = tcase_create("load");
    TCase *time = tcase_create("time");

    tcase_set_timeout(load, TIMEOUT_S);
    tcase_set_timeout(time, TIMEOUT_S);
    tcase_add_test(load, recorded_times_do_not_go_back_and_nothing_stalls);
    tcase_add_test(time, time_outs_and_delays_take_as_long_as_they_should);
    tcase_add_test(time, schedules_and_ages_go_by_a_time_that_does_not_go_back);
    suite_add_tcase(suite, load);
    suite_add_tcase(suite, time);
    return run_suite(suite);
}
