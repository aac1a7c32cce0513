/* Calls of the system that fail: of each kind that a database makes on its
 * files the n-th, once and from then on, with EIO and with ENOSPC; writes that
 * are short; syncs that fail and lose what they were for; and calls before
 * which, or in the midst of which, the process is killed (shim/fail.c).
 *
 * Whatever fails, the database must refuse, or leave open what came of it and
 * end, or be able to go on; and the next start, without a fault, must show all
 * that was acknowledged, nothing that was refused, and what was left open as a
 * whole or not at all. From there on the work is done to its end.
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "fail.h"
#include "run.h"
#include "scene.h"
#include "wire.h"
#include "work.h"

#define STEPS            32   /* Of the script: each kind of step once. */
#define TRIES_PART       12   /* Of each kind of fault one in so many, */
#define TRIES_LONG       1000 /* or all. */
#define TRIES_TO_REACH   10   /* Of each kind, at least once. */
#define GOES_ON_ONCE     4
#define PATIENCE_MS      20000 /* With a fault that happens once, */
#define PATIENCE_GOOD_MS 40    /* and one that stays. */
/* Files of the journal are used again; what is removed is one for which there
 * is no more use, or that could not be made, and none comes of the script.
 */
#define NOT_MADE       FAIL_UNLINK
#define STORAGE_STATUS 74
#define SYNCS_TO_LIVE  12 /* It has started, and something was appended. */
#define APPENDS_MAX    100

/* The lives of a database: the second one begins with recovery. Calls are
 * counted over both.
 */
static const struct {
    unsigned to;
    bool closes;
} lives[] = {{18, false}, {STEPS, true}};

#define LIVES (sizeof(lives) / sizeof(lives[0]))

static const char *const call_names[] = {
#define X(name, text) [FAIL_##name] = text,
    FAIL_CALLS(X)
#undef X
};

static const char *const how_names[] = {"once",      "for good",
                                        "short",     "dropping pages",
                                        "and kills", "and kills half way"};

static struct fail_counts *counts; /* Shared with the process that works. */

static void
setup(void)
{
    scene_setup();
    counts = scene_share("counts", sizeof(*counts));
}

/* ---- faults ---- */

struct fault {
    enum fail_call call;
    enum fail_how how;
    int error;
    uint64_t nth; /* 0: none. */
};

/* Does a call fail in this way, and with this error? */
static bool
makes_sense(const struct fault *fault)
{
    switch (fault->how) {
    case FAIL_SHORT:
    case FAIL_TEAR:
        return fault->error == EIO &&
               (fault->call == FAIL_PWRITE || fault->call == FAIL_WRITEV);
    case FAIL_DROP:
        return fault->error == EIO && (fault->call == FAIL_FDATASYNC ||
                                       fault->call == FAIL_SYNC_RANGE);
    case FAIL_KILL:
        return fault->error == EIO;
    case FAIL_ONCE:
    case FAIL_FOR_GOOD:
    case FAIL_HOWS:
        break;
    }
    return true;
}

/* What the shim is told, for an environment. */
static char settings[6][600];

static void
set_fault(const struct fault *fault, const char *dir)
{
    *counts = (struct fail_counts){.failed = 0};
    snprintf(settings[0], sizeof(settings[0]), FAIL_DIR "=%s", scene_path(dir));
    snprintf(settings[1], sizeof(settings[1]), FAIL_COUNTS "=%s",
             scene_path("counts"));
    snprintf(settings[2], sizeof(settings[2]), FAIL_CALL "=%d", fault->call);
    snprintf(settings[3], sizeof(settings[3]), FAIL_HOW "=%d", fault->how);
    snprintf(settings[4], sizeof(settings[4]), FAIL_ERRNO "=%d", fault->error);
    snprintf(settings[5], sizeof(settings[5]), FAIL_NTH "=%" PRIu64,
             fault->nth);
}

/* Live until a fault ends that, and return how it ended. With a mistake it dies
 * at the end: what the journal has lost would else go to the store.
 */
static int
live_with(const struct fault *fault, const char *mistake, unsigned patience_ms)
{
    char preload[600];
    const char *const extra[] = {
        settings[0], settings[1], settings[2], settings[3], settings[4],
        settings[5], preload,     mistake,     NULL,
    };
    unsigned from = 1;
    int status = 0;

    set_fault(fault, "disk");
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
             run_build("tests/fault/libfail.so"));
    for (size_t i = 0; i < LIVES && status == 0; i++) {
        struct work work = {
            .path = scene_path("disk/main"),
            .notes = scene_path("notes"),
            .from = from,
            .to = lives[i].to,
            .closes = lives[i].closes && mistake == NULL,
            .patience_ms = patience_ms,
            .extra = extra,
            .said = scene_path("said"),
        };

        status = work_run(&work);
        from = lives[i].to + 1;
    }
    return status;
}

/* On a disk of its own. A fault that stays is not waited for; but what is
 * refused before anything has failed is refused for something that passes.
 */
static int
live_on(struct tempdir *disk, const struct fault *fault, const char *mistake)
{
    unsigned patience_ms =
        fault->how == FAIL_FOR_GOOD ? PATIENCE_GOOD_MS : PATIENCE_MS;
    int status;

    snprintf(disk->path, sizeof(disk->path), "%.200s/disk", scene.dir.path);
    ck_assert_int_eq(mkdir(disk->path, 0700), 0);
    status = live_with(fault, mistake, patience_ms);
    if (WIFEXITED(status) && WEXITSTATUS(status) == WORK_GAVE_UP_STATUS &&
        counts->failed == 0) {
        ck_assert_int_eq(unlink(scene_path("notes")), 0);
        tempdir_remove(disk);
        ck_assert_int_eq(mkdir(disk->path, 0700), 0);
        status = live_with(fault, mistake, PATIENCE_MS);
    }
    return status;
}

/* Has it ended in one of the ways that are in order? */
static bool
ended_well(const struct fault *fault, int status)
{
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGKILL &&
               (fault->how == FAIL_KILL || fault->how == FAIL_TEAR);
    }
    return WEXITSTATUS(status) == 0 ||
           (counts->failed > 0 &&
            (WEXITSTATUS(status) == BASE_FATAL_STATUS ||
             WEXITSTATUS(status) == WORK_GAVE_UP_STATUS ||
             WEXITSTATUS(status) == WORK_NOT_OPENED_STATUS));
}

struct sums {
    unsigned runs;
    unsigned reached; /* In which something has failed. */
    unsigned bad;
    unsigned killed;
    unsigned ends[256]; /* Else, by exit status. */
};

/* Work with a fault, and look at what is left of it. */
static void
try_fault(const struct fault *fault, const char *mistake, struct sums *sums,
          struct verdict *verdict)
{
    struct progress progress;
    struct tempdir disk;
    bool goes_on;
    int status;

    status = live_on(&disk, fault, mistake);
    progress_read(&progress, scene_path("notes"));
    sums->runs++;
    sums->reached += counts->failed > 0;
    *verdict = (struct verdict){.is_good = ended_well(fault, status)};
    if (!verdict->is_good) {
        snprintf(verdict->text, sizeof(verdict->text), "status 0x%x: %s",
                 (unsigned)status, scene_last_words());
    } else {
        if (WIFSIGNALED(status)) {
            sums->killed++;
        } else {
            sums->ends[WEXITSTATUS(status)]++;
        }
        goes_on = rnd_once_in(&scene.rnd, GOES_ON_ONCE);
        inspect(&scene.past, &progress, scene_path("disk/main"), INSPECT_STARTS,
                verdict);
        if (verdict->is_good && goes_on) {
            scene_do_the_rest(verdict->step + 1, STEPS, verdict);
        }
    }
    unlink(scene_path("notes"));
    tempdir_remove(&disk);
}

/* ---- tests ---- */

static void
try_and_count(const struct fault *fault, const char *mistake, struct sums *sums)
{
    struct verdict verdict;

    try_fault(fault, mistake, sums, &verdict);
    if (!verdict.is_good) {
        sums->bad++;
        printf("%s number %" PRIu64 " fails %s with %s: %s\n",
               call_names[fault->call], fault->nth, how_names[fault->how],
               strerrorname_np(fault->error), verdict.text);
    }
}

static void
tell(const char *test, const struct sums *sums)
{
    printf("{\"test\": \"%s\", \"seed\": %" PRIu64
           ", \"runs\": %u, \"reached\": %u, \"went_on\": %u, "
           "\"ended\": %u, \"gave_up\": %u, \"not_opened\": %u, "
           "\"killed\": %u, \"bad\": %u}\n",
           test, scene.seed, sums->runs, sums->reached, sums->ends[0],
           sums->ends[BASE_FATAL_STATUS], sums->ends[WORK_GAVE_UP_STATUS],
           sums->ends[WORK_NOT_OPENED_STATUS], sums->killed, sums->bad);
    fflush(stdout);
}

/* How often each call is made when nothing fails. */
static struct fail_counts
count_calls(void)
{
    struct fault none = {.nth = 0};
    struct sums sums = {.runs = 0};

    try_and_count(&none, NULL, &sums);
    ck_assert_uint_eq(sums.bad, 0);
    return *counts;
}

/* All n of one kind of fault, or some of them. */
static void
try_some(struct fault *fault, uint64_t calls, struct sums *sums)
{
    unsigned tries = rnd_effort(1 + (unsigned)calls / TRIES_PART, TRIES_LONG);

    if (tries >= calls) {
        for (fault->nth = 1; fault->nth <= calls; fault->nth++) {
            try_and_count(fault, NULL, sums);
        }
        return;
    }
    for (unsigned i = 0; i < tries; i++) {
        fault->nth = 1 + rnd_below(&scene.rnd, calls);
        try_and_count(fault, NULL, sums);
    }
}

/* What one run calls so often, another may not: the first is reached. */
static void
try_kind(struct fault *fault, uint64_t calls, struct sums *sums)
{
    unsigned before = sums->reached;

    try_some(fault, calls, sums);
    fault->nth = 1;
    for (unsigned i = 0; i < TRIES_TO_REACH && sums->reached == before; i++) {
        try_and_count(fault, NULL, sums);
    }
    ck_assert_msg(sums->reached > before, "no %s has failed %s with %s",
                  call_names[fault->call], how_names[fault->how],
                  strerrorname_np(fault->error));
}

START_TEST(whatever_call_fails_nothing_is_lost)
{
    struct fail_counts calls = count_calls();
    struct sums sums = {.runs = 0};
    static const int errors[] = {EIO, ENOSPC};

    for (int call = 0; call < FAIL_CALLS_COUNT; call++) {
        if (calls.calls[call] == 0) {
            ck_assert_msg(call == NOT_MADE, "%s is never called",
                          call_names[call]);
            continue;
        }
        for (int how = 0; how < FAIL_HOWS; how++) {
            for (size_t i = 0; i < 2; i++) {
                struct fault fault = {.call = (enum fail_call)call,
                                      .how = (enum fail_how)how,
                                      .error = errors[i]};

                if (makes_sense(&fault)) {
                    try_kind(&fault, calls.calls[call], &sums);
                }
            }
        }
    }
    tell("errors", &sums);
    ck_assert_uint_eq(sums.bad, 0);
    ck_assert_uint_gt(sums.ends[BASE_FATAL_STATUS], 0);
}
END_TEST

/* The control: the kernel says yes the second time, and has lost the pages. */
START_TEST(a_sync_that_is_tried_again_is_found_out)
{
    struct fail_counts calls = count_calls();
    struct sums sums = {.runs = 0};
    struct fault fault = {
        .call = FAIL_FDATASYNC, .how = FAIL_DROP, .error = EIO};

    for (fault.nth = 1;
         fault.nth <= calls.calls[FAIL_FDATASYNC] && sums.bad == 0;
         fault.nth++) {
        try_and_count(&fault, WORK_SYNCS_AGAIN, &sums);
    }
    tell("errors, a sync is tried again", &sums);
    ck_assert_uint_gt(sums.bad, 0);
}
END_TEST

/* The control: what could not be written out is told once, and the sync that
 * follows has nothing to say.
 */
START_TEST(a_sync_behind_a_failed_writeback_is_found_out)
{
    struct sums sums = {.runs = 0};
    struct fault fault = {
        .call = FAIL_SYNC_RANGE, .how = FAIL_DROP, .error = EIO};

    do {
        fault.nth++;
        try_and_count(&fault, WORK_BELIEVES_SYNC, &sums);
    } while (sums.bad == 0 && sums.reached == sums.runs);
    tell("errors, a sync behind a failed writeback", &sums);
    ck_assert_uint_gt(sums.bad, 0);
}
END_TEST

/* What the same looks like from outside. */
START_TEST(a_server_whose_sync_fails_ends_with_74_and_answers_nobody)
{
    struct fault fault = {.call = FAIL_FDATASYNC,
                          .how = FAIL_FOR_GOOD,
                          .error = EIO,
                          .nth = SYNCS_TO_LIVE};
    enum acta_code code = ACTA_OK;
    struct daemon daemon;
    struct wire wire;
    char shim[600];
    int status;

    snprintf(shim, sizeof(shim), "%s", run_build("tests/fault/libfail.so"));
    set_fault(&fault, "data");
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        ck_assert_int_eq(putenv(settings[i]), 0);
    }
    daemon_init(&daemon, scene.dir.path, &scene.rnd);
    daemon.shim = shim;
    daemon_start(&daemon);
    wire_init(&wire, &daemon);
    wire_connect(&wire);
    for (int i = 0; i < APPENDS_MAX && code == ACTA_OK; i++) {
        code = wire_append(&wire, "order-1", "Placed", "tag", "data");
    }
    ck_assert_int_eq(code, ACTA_UNKNOWN);
    wire_fini(&wire);
    ck_assert_int_eq(waitpid(daemon.pid, &status, 0), daemon.pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), STORAGE_STATUS);
    ck_assert(daemon_has_said(&daemon, "storage failed"));
}
END_TEST

int
main(void)
{
    TCase *tcase = tcase_create("errors");

    tcase_add_unchecked_fixture(tcase, setup, scene_teardown);
    tcase_add_test(tcase, whatever_call_fails_nothing_is_lost);
    tcase_add_test(tcase, a_sync_that_is_tried_again_is_found_out);
    tcase_add_test(tcase, a_sync_behind_a_failed_writeback_is_found_out);
    tcase_add_test(tcase,
                   a_server_whose_sync_fails_ends_with_74_and_answers_nobody);
    return scene_run("errors", tcase);
}
