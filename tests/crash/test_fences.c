/* Whoever has something later has it under a greater fence: that is so through
 * kills and resets, where a group is made anew under its name, and whatever the
 * wall clock says.
 */

#include <check.h>
#include <inttypes.h>

#include "daemon.h"
#include "msg_group.h"
#include "msg_lease.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wall_clock.h"
#include "wire.h"

#define ROUNDS       30
#define ROUNDS_LONG  400
#define CLOCK_US_MAX UINT64_C(7200000000) /* Two hours. */
#define HOUR_US      UINT64_C(3600000000)
#define NAME         "one"
#define TIMEOUT_S    600

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    struct wire wire;
    struct wall_clock clock; /* The server's. */
    uint64_t lease_fence;    /* The last ones that were given out: */
    uint64_t group_fence;
    uint64_t epoch;
};

static void
begin(struct scene *scene)
{
    rnd_init(&scene->rnd);
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    wall_clock_init(&scene->clock, &scene->daemon);
    daemon_start(&scene->daemon);
    wire_init(&scene->wire, &scene->daemon);
    wire_connect(&scene->wire);
}

static void
expect_greater(uint64_t *last, uint64_t fence, const char *what)
{
    ck_assert_msg(fence > *last, "the %s is %" PRIu64 ", and has been %" PRIu64,
                  what, fence, *last);
    *last = fence;
}

/* ---- leases ---- */

static void
take_lease(struct scene *scene)
{
    uint8_t claim[UUID_SIZE];
    struct msg_change_lease change = {
        .name = slice_of(NAME),
        .kind = MSG_LEASE_ACQUIRE,
        .holder = slice_of("holder"),
        .claim = claim,
        .duration_us = HOUR_US,
    };
    struct wire *wire = &scene->wire;
    struct msg_lease_changed changed;
    struct frame frame;
    struct acta_err err;
    uint64_t request_id = wire_request(wire);

    rnd_bytes(&scene->rnd, claim, sizeof(claim));
    msg_change_lease_encode(&wire->out, request_id, &change);
    frame = wire_must(wire, request_id, OP_LEASE_CHANGED);
    require(msg_lease_changed_decode(&changed, frame.body, &err) == ACTA_OK);
    expect_greater(&scene->lease_fence, changed.fence, "fence of a lease");
    change.kind = MSG_LEASE_RELEASE;
    change.fence = changed.fence;
    request_id = wire_request(wire);
    msg_change_lease_encode(&wire->out, request_id, &change);
    (void)wire_must(wire, request_id, OP_LEASE_CHANGED);
}

/* ---- the group ---- */

static void
change_group(struct scene *scene, enum msg_consumer_change kind)
{
    struct msg_change_consumer change = {
        .name = slice_of(NAME),
        .kind = kind,
        .query = QUERY_ALL,
        .settings = {.ack_timeout_us = HOUR_US, .deliveries_max = 1000000},
        .given = MSG_HAS_ACK_TIMEOUT | MSG_HAS_DELIVERIES_MAX,
    };
    struct msg_consumer_changed changed =
        wire_change_consumer(&scene->wire, &change);

    if (kind != MSG_CONSUMER_DELETE) {
        expect_greater(&scene->epoch, changed.epoch, "epoch");
    }
}

/* Join, take what is handed out, and leave or die. */
static void
take_event(struct scene *scene)
{
    struct wire wire;
    struct msg_handed handed;
    struct frame frame;
    struct acta_err err;
    uint64_t member, request_id;

    wire_init(&wire, &scene->daemon);
    wire_connect(&wire);
    member = wire_join(&wire, NAME, 1);
    ck_assert_int_eq(
        wire_next(&wire, &frame, (unsigned)(wire_patience_us() / 1000)),
        WIRE_FRAME);
    ck_assert_uint_eq(frame.kind, OP_HANDED);
    require(msg_handed_decode(&handed, frame.body, &err) == ACTA_OK);
    expect_greater(&scene->group_fence, handed.fence, "fence of a group");
    if (rnd_once_in(&scene->rnd, 2)) {
        request_id = wire_request(&wire);
        msg_number_encode(&wire.out, OP_LEAVE, request_id, member);
        (void)wire_must(&wire, request_id, OP_LEFT);
    }
    wire_fini(&wire);
}

/* ---- what comes in between ---- */

static void
disturb(struct scene *scene)
{
    int64_t offset_us = (int64_t)rnd_below(&scene->rnd, 2 * CLOCK_US_MAX) -
                        (int64_t)CLOCK_US_MAX;

    if (rnd_once_in(&scene->rnd, 2)) {
        wall_clock_set(&scene->clock, offset_us);
    }
    if (rnd_once_in(&scene->rnd, 3)) {
        change_group(scene, MSG_CONSUMER_RESET);
    }
    if (rnd_once_in(&scene->rnd, 6)) {
        change_group(scene, MSG_CONSUMER_DELETE);
        change_group(scene, MSG_CONSUMER_CREATE);
    }
    if (rnd_once_in(&scene->rnd, 2)) {
        daemon_kill(&scene->daemon);
        daemon_start(&scene->daemon);
        wire_connect(&scene->wire);
    }
}

START_TEST(fences_and_epochs_grow_whatever_the_clock_says)
{
    struct scene scene = {.epoch = 0};
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin(&scene);
    ck_assert_int_eq(wire_append(&scene.wire, "s", "Happened", NULL, ""),
                     ACTA_OK);
    change_group(&scene, MSG_CONSUMER_CREATE);
    while (rounds-- > 0) {
        take_lease(&scene);
        take_event(&scene);
        disturb(&scene);
    }
    wire_fini(&scene.wire);
    daemon_stop(&scene.daemon);
    wall_clock_fini(&scene.clock);
    tempdir_remove(&scene.dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("fences");
    TCase *tcase = tcase_create("fences");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, fences_and_epochs_grow_whatever_the_clock_says);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
