/* At no time two holders of a lease: with the server killed, held up for longer
 * than leases last, and its wall clock set back and forth, and with clients
 * that are held up too. tests/check/check.py judges what they saw.
 */

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon.h"
#include "dump.h"
#include "holder.h"
#include "msg_lease.h"
#include "nap.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wall_clock.h"
#include "wire.h"

#define HOLDERS      6
#define ROUNDS       24
#define ROUNDS_LONG  1500
#define LIFE_US_MAX  90000
#define CLOCK_US_MAX INT64_C(7200000000) /* Two hours. */
#define TIMEOUT_S    1800

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    struct wall_clock clock; /* The server's. */
    atomic_bool *stopping;   /* In memory that all processes share. */
    pid_t holders[HOLDERS];
};

/* A server whose wall clock is ours. */
static void
begin(struct scene *scene)
{
    rnd_init(&scene->rnd);
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    scene->stopping =
        mmap(NULL, sizeof(*scene->stopping), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(scene->stopping, MAP_FAILED);
    wall_clock_init(&scene->clock, &scene->daemon);
    daemon_start(&scene->daemon);
}

static void
start_holders(struct scene *scene)
{
    uint64_t seed = rnd_next(&scene->rnd);

    for (unsigned i = 0; i < HOLDERS; i++) {
        scene->holders[i] = holder_start(&scene->daemon, scene->dir.path, i + 1,
                                         seed, scene->stopping);
    }
}

/* Long enough for every lease of before to be over. */
static void
hold_up(struct scene *scene, pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    nap_us(HOLDER_DURATION_US_MAX + rnd_below(&scene->rnd, LIFE_US_MAX));
    ck_assert_int_eq(kill(pid, SIGCONT), 0);
}

static void
set_clock(struct scene *scene)
{
    int64_t offset_us =
        (int64_t)rnd_below(&scene->rnd, 2 * CLOCK_US_MAX) - CLOCK_US_MAX;

    wall_clock_set(&scene->clock, offset_us);
}

static void
disturb(struct scene *scene)
{
    nap_us(rnd_below(&scene->rnd, LIFE_US_MAX));
    switch (rnd_below(&scene->rnd, 5)) {
    case 0:
        daemon_kill(&scene->daemon);
        daemon_start(&scene->daemon);
        break;
    case 1:
        hold_up(scene, scene->daemon.pid);
        break;
    case 2:
        hold_up(scene, scene->holders[rnd_below(&scene->rnd, HOLDERS)]);
        break;
    default:
        set_clock(scene);
        break;
    }
}

static void
end(struct scene *scene)
{
    daemon_stop(&scene->daemon);
    wall_clock_fini(&scene->clock);
    munmap(scene->stopping, sizeof(*scene->stopping));
}

/* Returns what the checker says. */
static int
finish(struct scene *scene)
{
    struct wire wire;

    atomic_store(scene->stopping, true);
    for (unsigned i = 0; i < HOLDERS; i++) {
        int status = 0;

        ck_assert_int_eq(waitpid(scene->holders[i], &status, 0),
                         scene->holders[i]);
        ck_assert_int_eq(status, 0);
    }
    wire_init(&wire, &scene->daemon);
    wire_connect(&wire);
    dump_by_wire(&wire, scene->dir.path, 1);
    wire_fini(&wire);
    end(scene);
    return check_history(scene->dir.path);
}

/* ---- one lease, and a clock that is set ---- */

/* Acquire, or renew if *@fence is not 0, by whom @claim tells. */
static enum acta_code
take(struct wire *wire, uint8_t claim, uint64_t duration_us, uint64_t wait_us,
     uint64_t *fence)
{
    uint8_t claims[UUID_SIZE] = {claim};
    struct msg_change_lease change = {
        .name = slice_of("lease"),
        .kind = *fence == 0 ? MSG_LEASE_ACQUIRE : MSG_LEASE_RENEW,
        .holder = slice_of("holder"),
        .claim = claims,
        .duration_us = duration_us,
        .wait_us = wait_us,
        .fence = *fence,
    };
    struct msg_lease_changed changed;
    uint64_t request_id = wire_request(wire);
    struct frame frame;
    struct acta_err err;
    enum acta_code code;

    msg_change_lease_encode(&wire->out, request_id, &change);
    code = wire_call(wire, request_id, OP_LEASE_CHANGED, &frame, NULL);
    if (code == ACTA_OK) {
        ck_assert_msg(msg_lease_changed_decode(&changed, frame.body, &err) ==
                          ACTA_OK,
                      "%s", err.text);
        *fence = changed.fence;
    }
    return code;
}

START_TEST(a_lease_is_held_though_the_wall_clock_is_set)
{
    static const int64_t offsets_us[] = {CLOCK_US_MAX, -CLOCK_US_MAX, 0};
    struct scene scene;
    uint64_t first = 0, second = 0;
    struct wire wire;

    begin(&scene);
    wire_init(&wire, &scene.daemon);
    wire_connect(&wire);
    ck_assert_int_eq(take(&wire, 1, CLOCK_US_MAX / 2, 0, &first), ACTA_OK);
    for (unsigned i = 0; i < 3; i++) {
        wall_clock_set(&scene.clock, offsets_us[i]);
        ck_assert_msg(take(&wire, 2, CLOCK_US_MAX / 2, 0, &second) == ACTA_HELD,
                      "two holders of a lease: %" PRIu64 " and %" PRIu64, first,
                      second);
        ck_assert_int_eq(take(&wire, 1, CLOCK_US_MAX / 2, 0, &first), ACTA_OK);
    }
    wire_fini(&wire);
    end(&scene);
    tempdir_remove(&scene.dir);
}
END_TEST

START_TEST(a_lease_expires_though_the_wall_clock_is_set_back)
{
    struct scene scene;
    uint64_t first = 0, second = 0;
    struct wire wire;

    begin(&scene);
    wire_init(&wire, &scene.daemon);
    wire_connect(&wire);
    ck_assert_int_eq(take(&wire, 1, HOLDER_DURATION_US_MAX, 0, &first),
                     ACTA_OK);
    wall_clock_set(&scene.clock, -CLOCK_US_MAX);
    ck_assert_int_eq(
        take(&wire, 2, HOLDER_DURATION_US_MAX, wire_patience_us() / 2, &second),
        ACTA_OK);
    ck_assert_uint_gt(second, first);
    wire_fini(&wire);
    end(&scene);
    tempdir_remove(&scene.dir);
}
END_TEST

/* ---- many, and all that can happen ---- */

START_TEST(a_lease_has_one_holder_at_a_time)
{
    struct scene scene;
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin(&scene);
    start_holders(&scene);
    while (rounds-- > 0) {
        disturb(&scene);
    }
    ck_assert_int_eq(finish(&scene), 0);
    tempdir_remove(&scene.dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("leases");
    TCase *clock = tcase_create("clock");
    TCase *holders = tcase_create("holders");

    tcase_set_timeout(clock, TIMEOUT_S);
    tcase_add_test(clock, a_lease_is_held_though_the_wall_clock_is_set);
    tcase_add_test(clock, a_lease_expires_though_the_wall_clock_is_set_back);
    suite_add_tcase(suite, clock);
    tcase_set_timeout(holders, TIMEOUT_S);
    tcase_add_test(holders, a_lease_has_one_holder_at_a_time);
    suite_add_tcase(suite, holders);
    return run_suite(suite);
}
