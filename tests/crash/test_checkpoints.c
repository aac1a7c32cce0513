/* Checkpoints of consumers move under their epoch, and never back, through
 * kills of the server: several clients claim the same consumers from each
 * other. tests/check/check.py judges what they saw.
 */

#include <check.h>
#include <stdatomic.h>

#include "daemon.h"
#include "dump.h"
#include "keeper.h"
#include "nap.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"

#define KEEPERS     4
#define ROUNDS      8
#define ROUNDS_LONG 400
#define LIFE_US_MIN 30000
#define LIFE_US_MAX 60000
#define TIMEOUT_S   1800

static void
live_for_a_while(struct rnd *rnd)
{
    nap_us(LIFE_US_MIN + rnd_below(rnd, LIFE_US_MAX));
}

START_TEST(checkpoints_move_under_their_epoch_and_never_back)
{
    static atomic_bool stopping;
    struct keeper *keepers[KEEPERS];
    struct daemon daemon;
    struct tempdir dir;
    struct wire wire;
    struct rnd rnd;
    uint64_t seed;

    rnd_init(&rnd);
    seed = rnd_next(&rnd);
    tempdir_make(&dir);
    daemon_init(&daemon, dir.path, &rnd);
    daemon_start(&daemon);
    atomic_store(&stopping, false);
    for (unsigned i = 0; i < KEEPERS; i++) {
        keepers[i] = keeper_start(&daemon, dir.path, i + 1, seed, &stopping);
    }
    for (unsigned i = rnd_effort(ROUNDS, ROUNDS_LONG); i > 0; i--) {
        live_for_a_while(&rnd);
        daemon_kill(&daemon);
        daemon_start(&daemon);
    }
    live_for_a_while(&rnd);
    atomic_store(&stopping, true);
    for (unsigned i = 0; i < KEEPERS; i++) {
        keeper_join(keepers[i]);
    }
    wire_init(&wire, &daemon);
    wire_connect(&wire);
    dump_by_wire(&wire, dir.path, 1);
    wire_fini(&wire);
    daemon_stop(&daemon);
    ck_assert_int_eq(check_history(dir.path), 0);
    tempdir_remove(&dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("checkpoints");
    TCase *tcase = tcase_create("checkpoints");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, checkpoints_move_under_their_epoch_and_never_back);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
