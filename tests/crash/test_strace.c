/* A real actad that strace kills at its n-th call of one kind, before the call
 * is carried out: all kinds that change files, and that which answers; all n of
 * each in the long form.
 *
 * A client appends meanwhile, from the making of the database over checkpoints
 * and segments that are used again to an end in order, and sends again what it
 * has no answer to. What was told it is judged as in test_kill.c. The preloaded
 * shim takes away what was not synced, and can lie: that is the control.
 *
 * strace counts the calls of each thread by themselves. So the n-th is that of
 * the thread that comes to it first, and n goes on until none does.
 */

#include <acta/acta_sync.h>
#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "daemon.h"
#include "dump.h"
#include "history.h"
#include "nap.h"
#include "patient.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"

#define APPENDS      70
#define DATA_SIZE    20000 /* So that they are more than a segment. */
#define BACKOFF_MS   5
#define LOOK_US      1000
#define TRIES        4
#define TRIES_TO_LIE 12
#define ANSWERS      30 /* After which one that lies is killed. */
#define NTH_MAX      60 /* For one that is drawn. */
#define NTH_SURE     20 /* Of 70 writes one of three threads makes 24. */
#define NTH_LONG     2000
#define TIMEOUT_S    7200

static const char *const calls[] = {
    "pwrite64",  "writev",    "pwritev", "write",  "fdatasync",
    "fsync",     "openat",    "rename",  "unlink", "mkdir",
    "ftruncate", "fallocate", "sendto",
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* LMDB gathers pages that follow one another, of which these checkpoints have
 * none.
 */
#define NOT_MADE "pwritev"

static struct rnd rnd;

struct run {
    struct tempdir dir;
    struct daemon daemon;
    struct history *history;
    pthread_t client;
    atomic_bool is_done; /* The client is. */
    bool was_killed;
    char inject[80];
    const char *runner[10];
};

/* ---- the client ---- */

static void
append_once(struct run *run, struct acta_sync *sync, struct acta_append *append,
            unsigned number)
{
    static _Thread_local uint8_t data[DATA_SIZE];
    struct acta_draft draft = acta_draft_of("Stored", data, sizeof(data));
    const struct acta_appended *appended;
    enum acta_code code;
    struct acta_id id;

    require(acta_id_new(&id, NULL) == ACTA_OK);
    draft.id = &id;
    memcpy(data, id.bytes, sizeof(id.bytes));
    acta_append_clear(append);
    acta_append_stream(append, "disk-1", ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    history_append_begin(run->history, number);
    history_append_write(run->history, "disk-1", ACTA_EXPECT_ANY);
    history_append_event(run->history, &draft);
    history_append_end(run->history);
    code = acta_sync_append(sync, append, &appended, NULL);
    history_answer(run->history, number, code, appended);
    require(code == ACTA_OK);
}

static void *
append_all(void *arg)
{
    struct run *run = arg;
    struct acta_options options = patient_options(run->daemon.url);
    struct acta_append *append = acta_append_new();
    struct acta_sync *sync;
    struct acta_err err;

    options.backoff_min_ms = 1;
    options.backoff_max_ms = BACKOFF_MS;
    while (acta_sync_open(&sync, &options, &err) != ACTA_OK) {
        require(acta_code_remedy(err.code) == ACTA_REMEDY_RETRY);
    }
    for (unsigned i = 1; i <= APPENDS; i++) {
        append_once(run, sync, append, i);
    }
    acta_sync_close(sync);
    acta_append_free(append);
    atomic_store(&run->is_done, true);
    return NULL;
}

/* ---- the server ---- */

static void
set_up(struct run *run, const char *switch_on)
{
    static char shim[600];

    *run = (struct run){.was_killed = false};
    tempdir_make(&run->dir);
    daemon_init(&run->daemon, run->dir.path, &rnd);
    daemon_option(&run->daemon, "--checkpoint-events=20");
    snprintf(shim, sizeof(shim), "%s", run_build("tests/libvolatile.so"));
    run->daemon.shim = switch_on == NULL ? NULL : shim;
    run->daemon.switch_on = switch_on;
    run->history = history_open(run->dir.path, "append-1.log");
}

/* Let strace kill it at the call. -D: actad stays a child of the test. */
static void
set_trap(struct run *run, const char *call, unsigned nth)
{
    const char *runner[] = {
        "/usr/bin/env", "strace",    "-D", "-f",        "-qq",
        "-o",           "/dev/null", "-e", run->inject, NULL,
    };

    snprintf(run->inject, sizeof(run->inject), "inject=%s:signal=KILL:when=%u",
             call, nth);
    memcpy(run->runner, runner, sizeof(runner));
    run->daemon.runner = run->runner;
}

/* From now on nothing happens to it. */
static void
start_again(struct run *run)
{
    run->was_killed = true;
    run->daemon.runner = NULL;
    daemon_start(&run->daemon);
}

static void
pause_shortly(void)
{
    nap_us(LOOK_US);
}

/* SIGTERM, which it may not survive for another reason. */
static void
stop(struct run *run)
{
    int status;

    kill(run->daemon.pid, SIGTERM);
    ck_assert_int_eq(waitpid(run->daemon.pid, &status, 0), run->daemon.pid);
    run->was_killed |= WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ck_assert(WIFSIGNALED(status) ? run->was_killed : WEXITSTATUS(status) == 0);
}

static void
live(struct run *run)
{
    int code = daemon_try(&run->daemon);

    if (code != 0) {
        ck_assert_int_eq(code, -SIGKILL);
        start_again(run);
    }
    ck_assert_int_eq(pthread_create(&run->client, NULL, append_all, run), 0);
    while (!atomic_load(&run->is_done)) {
        if (daemon_is_dead(&run->daemon)) {
            start_again(run);
        }
        pause_shortly();
    }
    ck_assert_int_eq(pthread_join(run->client, NULL), 0);
    history_close(run->history);
    stop(run);
}

/* Kill it at the @nth of these calls. Returns what the checker says. */
static int
try_call(const char *call, unsigned nth, const char *switch_on,
         bool *was_killed)
{
    struct run run;
    int verdict;

    set_up(&run, switch_on);
    set_trap(&run, call, nth);
    live(&run);
    run.daemon.runner = NULL;
    daemon_start(&run.daemon);
    (void)dump(run.daemon.url, run.dir.path, 1, false);
    daemon_kill(&run.daemon);
    daemon_start(&run.daemon);
    (void)dump(run.daemon.url, run.dir.path, 2, true);
    daemon_stop(&run.daemon);
    verdict = check_history(run.dir.path);
    *was_killed = run.was_killed;
    if (verdict == 0) {
        tempdir_remove(&run.dir);
    }
    return verdict;
}

/* ---- tests ---- */

struct sums {
    uint64_t seed;
    unsigned runs;
    unsigned killed;
    unsigned bad;
};

static bool
try_and_count(struct sums *sums, const char *call, unsigned nth,
              const char *switch_on)
{
    bool was_killed;
    int verdict = try_call(call, nth, switch_on, &was_killed);

    sums->runs++;
    sums->killed += was_killed;
    if (verdict != 0) {
        sums->bad++;
        printf("%s number %u, %s: the checker ends with %d\n", call, nth,
               switch_on, verdict);
    }
    return was_killed;
}

static void
tell(const char *test, const struct sums *sums)
{
    printf("{\"test\": \"%s\", \"seed\": %" PRIu64 ", \"runs\": %u, "
           "\"killed\": %u, \"bad\": %u}\n",
           test, sums->seed, sums->runs, sums->killed, sums->bad);
    fflush(stdout);
}

/* In the long form one kind of call. (A test of Check must end within half an
 * hour.)
 */
START_TEST(nothing_is_lost_whichever_call_is_the_last)
{
    unsigned tries = rnd_effort(TRIES, 0);
    struct sums sums = {.runs = 0};

    rnd_init(&rnd);
    sums.seed = rnd.state;
    for (unsigned i = 0; i < tries; i++) {
        /* The first one is a call that is surely made so often. */
        bool is_sure = i == 0;
        const char *call = calls[is_sure ? 0 : rnd_below(&rnd, CALLS)];
        uint64_t max = is_sure ? NTH_SURE : NTH_MAX;

        (void)try_and_count(&sums, call, 1 + (unsigned)rnd_below(&rnd, max),
                            "VOLATILE_SYNC_EVERY=1");
    }
    for (unsigned nth = 1; tries == 0 && nth <= NTH_LONG; nth++) {
        if (!try_and_count(&sums, calls[_i], nth, "VOLATILE_SYNC_EVERY=1")) {
            break;
        }
    }
    tell(tries == 0 ? calls[_i] : "strace", &sums);
    ck_assert_uint_eq(sums.bad, 0);
    ck_assert(sums.killed > 0 ||
              (tries == 0 && strcmp(calls[_i], NOT_MADE) == 0));
}
END_TEST

/* The control. */
START_TEST(a_server_that_acknowledges_before_the_sync_is_found_out)
{
    struct sums sums = {.runs = 0};

    rnd_init(&rnd);
    sums.seed = rnd.state;
    for (unsigned i = 0; i < TRIES_TO_LIE && sums.bad == 0; i++) {
        (void)try_and_count(&sums, "sendto", ANSWERS + i,
                            "VOLATILE_SYNC_EVERY=16");
    }
    tell("strace, a server that lies", &sums);
    ck_assert_uint_gt(sums.bad, 0);
}
END_TEST

int
main(void)
{
    Suite *suite;
    TCase *tcase;

    if (system("strace -f -qq -o /dev/null true 2>/dev/null") != 0) {
        printf("skipped: there is no strace, or it may not trace\n");
        return RUN_SKIPPED;
    }
    suite = suite_create("strace");
    tcase = tcase_create("strace");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_loop_test(tcase, nothing_is_lost_whichever_call_is_the_last, 0,
                        (int)rnd_effort(1, CALLS));
    tcase_add_test(tcase,
                   a_server_that_acknowledges_before_the_sync_is_found_out);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
