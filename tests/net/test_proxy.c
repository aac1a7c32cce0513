/* Clients reach a real actad through a proxy that splits what they say, holds
 * it up, cuts their connections anywhere, and forgets that there are any; and
 * now and then the server stands still, or the clients do, for longer than
 * either waits for the other. tests/check/check.py judges what they saw, as
 * when the server is killed.
 */

#include <check.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "clients.h"
#include "daemon.h"
#include "dump.h"
#include "nap.h"
#include "proxy.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "watcher.h"

#define ROUNDS       14
#define ROUNDS_LONG  150
#define LIVES_LONG   10
#define ROUND_MS_MAX 160
#define JUDGED_MIN   20  /* Behind all trouble. */
#define EVENTS_MIN   200 /* For the control. */
#define WATCHERS_MAX 40
#define TIMEOUT_S    1800

static const struct proxy_manner well = {.piece_max = 0};

static const struct proxy_manner manners[] = {
    {.piece_max = 9,
     .fault_every = 5000,
     .stall_ms_max = 40,
     .weights = {[PROXY_STALL] = 1}},
    {.piece_max = 700,
     .fault_every = 4000,
     .weights = {[PROXY_CLOSE] = 1, [PROXY_RESET] = 1}},
    {.fault_every = 20000,
     .forget_one_in = 4,
     .weights = {[PROXY_SWALLOW] = 1}},
    {.piece_max = 1500,
     .fault_every = 8000,
     .stall_ms_max = 200,
     .forget_one_in = 8,
     .weights = {[PROXY_STALL] = 6,
                 [PROXY_CLOSE] = 3,
                 [PROXY_RESET] = 3,
                 [PROXY_SWALLOW] = 1}},
    {.rate = 200000},
};

#define MANNERS (sizeof(manners) / sizeof(manners[0]))

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    uint64_t seed;
    struct daemon daemon;
    struct proxy *proxy;
    struct clients clients;
    unsigned stops;
    unsigned holds; /* And cuts, of all connections. */
    unsigned dumps;
};

/* ---- the play ---- */

static void
begin(struct scene *scene)
{
    rnd_init(&scene->rnd);
    scene->seed = rnd_next(&scene->rnd);
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    daemon_option(&scene->daemon, "--peer-timeout=200ms");
    daemon_start(&scene->daemon);
    scene->proxy = proxy_new(&scene->daemon, &scene->rnd);
    clients_start(&scene->clients, proxy_url(scene->proxy), scene->dir.path,
                  scene->seed);
    proxy_run(scene->proxy);
}

/* Longer than clients wait for a word, and the server for its output to be
 * taken.
 */
static void
hold_up(struct scene *scene, pid_t pid, uint64_t ms)
{
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    nap_ms(3 * ms);
    ck_assert_int_eq(kill(pid, SIGCONT), 0);
    scene->stops++;
}

static uint64_t
count_faults(const struct scene *scene)
{
    struct proxy_counts counts = proxy_counts(scene->proxy);
    uint64_t faults = scene->stops + scene->holds + counts.forgotten;

    for (unsigned i = 0; i < PROXY_FAULTS_COUNT; i++) {
        faults += counts.faults[i];
    }
    return faults;
}

/* For a while, the network or the server is as bad as it can be. */
static void
disturb(struct scene *scene)
{
    uint64_t ms = 1 + rnd_below(&scene->rnd, ROUND_MS_MAX);

    switch (rnd_below(&scene->rnd, MANNERS + 4)) {
    case MANNERS:
        proxy_hold(scene->proxy, true);
        nap_ms(2 * ms);
        proxy_hold(scene->proxy, false);
        scene->holds++;
        break;
    case MANNERS + 1:
        hold_up(scene, scene->daemon.pid, ms);
        break;
    case MANNERS + 2:
        hold_up(scene, scene->clients.pid, ms);
        break;
    case MANNERS + 3:
        proxy_cut(scene->proxy);
        scene->holds++;
        break;
    default:
        proxy_set(scene->proxy, &manners[rnd_below(&scene->rnd, MANNERS)]);
        nap_ms(ms);
        break;
    }
}

/* Until there are so many events more than now. */
static void
let_through(struct scene *scene, uint64_t count)
{
    uint64_t head = dump(scene->daemon.url, scene->dir.path, 1, false);

    while (dump(scene->daemon.url, scene->dir.path, 1, false) < head + count) {
        nap_ms(ROUND_MS_MAX);
    }
}

/* Through a network that is well again everybody gets to the end; what is
 * there is read past it.
 */
static int
finish(struct scene *scene)
{
    uint64_t head;

    proxy_set(scene->proxy, &well);
    clients_rest(&scene->clients);
    head = dump(scene->daemon.url, scene->dir.path, ++scene->dumps, true);
    clients_finish(&scene->clients, head);
    return check_history(scene->dir.path);
}

static void
end(struct scene *scene, const char *test)
{
    proxy_tell(scene->proxy, test, scene->seed);
    ck_assert_uint_gt(proxy_counts(scene->proxy).bytes, 0);
    ck_assert_uint_gt(count_faults(scene), 0); /* Else nothing was tried. */
    proxy_stop(scene->proxy);
    daemon_stop(&scene->daemon);
    tempdir_remove(&scene->dir);
}

START_TEST(nothing_is_lost_or_doubled_however_bad_the_network_is)
{
    struct scene scene = {.stops = 0};
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin(&scene);
    /* In a few rounds it may be that nothing has come to what goes wrong. */
    for (unsigned i = 0; i < rounds || count_faults(&scene) == 0; i++) {
        disturb(&scene);
    }
    /* It may have been so bad that nobody was ever told that he has stored
     * something, of which nothing could be judged.
     */
    proxy_set(scene.proxy, &well);
    let_through(&scene, JUDGED_MIN);
    ck_assert_int_eq(finish(&scene), 0);
    printf("{\"test\": \"proxy, stops\", \"stops\": %u}\n", scene.stops);
    end(&scene, "proxy");
}
END_TEST

static void
forget_watcher(struct scene *scene, unsigned number)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/follow-%u.log", scene->dir.path, number);
    ck_assert_int_eq(unlink(path), 0);
}

/* The control: what the checksums of TCP keep out, and TLS for sure. A frame
 * has none of its own, so a bit that is flipped in an event reaches the
 * subscriber. The checker must see it; what it cannot read, as an odd bit may
 * be in a name, has not been judged.
 */
START_TEST(a_network_that_changes_bytes_is_found_out)
{
    static const struct proxy_manner flips = {
        .fault_every = 3000,
        .spared = 600,
        .spares_requests = true,
        .weights = {[PROXY_FLIP] = 1},
    };
    struct scene scene = {.stops = 0};
    struct watcher_options options;
    uint64_t head;
    bool found = false;

    begin(&scene);
    let_through(&scene, EVENTS_MIN);
    ck_assert_int_eq(finish(&scene), 0);
    proxy_set(scene.proxy, &flips);
    options = (struct watcher_options){
        .url = proxy_url(scene.proxy),
        .dir = scene.dir.path,
        .number = 3,
        .restarts = true,
        .seed = scene.seed,
        .patience_ms = CLIENTS_PATIENCE_MS,
    };
    head = dump(scene.daemon.url, scene.dir.path, ++scene.dumps, false);
    /* If there are few events, it may be that bits of none of them are. */
    while (!found && options.number < WATCHERS_MAX) {
        watcher_finish(watcher_start(&options), head);
        found = check_finds(scene.dir.path, "events come as they are stored");
        forget_watcher(&scene, options.number++);
    }
    ck_assert(found);
    end(&scene, "proxy, flips");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("net_proxy");
    TCase *tcase = tcase_create("proxy");
    TCase *control = tcase_create("control");
    int lives = (int)rnd_effort(1, LIVES_LONG);

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_set_timeout(control, TIMEOUT_S);
    tcase_add_loop_test(
        tcase, nothing_is_lost_or_doubled_however_bad_the_network_is, 0, lives);
    tcase_add_test(control, a_network_that_changes_bytes_is_found_out);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, control);
    return run_suite(suite);
}
