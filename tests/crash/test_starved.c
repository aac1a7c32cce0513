/* A real actad of which the n-th allocation fails, from its start to its end,
 * with recovery, appends, reads, a consumer that is claimed, followed and
 * checkpointed, and checkpoints: it refuses, or ends in order, and the next
 * start has all that was acknowledged.
 */

#include <acta/acta_consumer.h>
#include <acta/acta_sync.h>
#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "patient.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"

#define APPENDS        4
#define TRIES          12  /* Drawn from the first so many, */
#define NTH_MAX        100 /* of which all are made; or */
#define NTH_LONG       2000
#define TIMEOUT_MS     1000 /* An answer may never come. */
#define TIMEOUT_S      3600
#define STORAGE_STATUS 74
#define TEMPORARY      75

struct counts {
    uint64_t calls;
    uint64_t failed;
};

static struct rnd rnd;

struct sums {
    unsigned runs;
    unsigned failed; /* In which an allocation has. */
    unsigned ended;  /* By it. */
    uint64_t acknowledged;
};

static enum acta_code
append_one(struct acta_sync *sync, const char *stream, uint64_t *position)
{
    struct acta_draft draft = acta_draft_of("Stored", "data", 4);
    struct acta_append *append = acta_append_new();
    const struct acta_appended *appended;
    enum acta_code code;

    acta_append_stream(append, stream, ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    code = acta_sync_append(sync, append, &appended, NULL);
    if (code == ACTA_OK) {
        *position = appended->runs[0]->first_position;
    }
    acta_append_free(append);
    return code;
}

static void
follow(struct acta_sync *sync)
{
    struct acta_follower *follower = NULL;
    const struct acta_news *news;

    if (acta_follower_claim(&follower, sync, "printer", NULL, 0, NULL) ==
        ACTA_OK) {
        if (acta_follower_next(follower, TIMEOUT_MS, &news, NULL) == ACTA_OK) {
            (void)acta_follower_checkpoint(follower, news->position, NULL);
        }
    }
    acta_follower_close(follower);
}

/* Whatever is answered. Returns how many appends were acknowledged. */
static uint64_t
ask(const struct daemon *daemon, uint64_t *last)
{
    struct acta_options options = acta_options_of(daemon->url);
    const struct acta_event *event;
    uint64_t acknowledged = 0;
    struct acta_sync *sync;

    options.timeout_ms = TIMEOUT_MS;
    options.connect_timeout_ms = TIMEOUT_MS;
    if (acta_sync_open(&sync, &options, NULL) != ACTA_OK) {
        return 0;
    }
    for (unsigned i = 0; i < APPENDS; i++) {
        acknowledged +=
            append_one(sync, i % 2 == 0 ? "a-1" : "b-1", last) == ACTA_OK;
    }
    (void)acta_sync_read_version(sync, "a-1", 1, &event, NULL);
    follow(sync);
    acta_sync_close(sync);
    return acknowledged;
}

/* How it ends, if need be by SIGTERM. */
static int
end(struct daemon *daemon)
{
    int status;

    (void)kill(daemon->pid, SIGTERM);
    ck_assert_int_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    daemon->pid = 0;
    ck_assert_msg(WIFEXITED(status), "status 0x%x", (unsigned)status);
    return WEXITSTATUS(status);
}

/* All that was acknowledged is there. */
static void
look(struct daemon *daemon, uint64_t acknowledged, uint64_t last)
{
    struct acta_options options = patient_options(daemon->url);
    struct acta_sync *sync;
    uint64_t head;

    daemon->shim = NULL;
    daemon_start(daemon);
    ck_assert_int_eq(acta_sync_open(&sync, &options, NULL), ACTA_OK);
    ck_assert_int_eq(acta_sync_ping(sync, &head, NULL), ACTA_OK);
    ck_assert_uint_ge(head, acknowledged);
    ck_assert_uint_ge(head, last);
    acta_sync_close(sync);
    daemon_stop(daemon);
}

/* False if it has not asked so often. */
static bool
try_nth(uint64_t nth, struct sums *sums)
{
    static char shim[600], switch_on[400];
    uint64_t acknowledged = 0, last = 0;
    struct counts *counts;
    struct daemon daemon;
    struct tempdir dir;
    bool has_failed;
    int code, fd;

    tempdir_make(&dir);
    fd = open(tempdir_file(&dir, "counts"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert(fd >= 0 && ftruncate(fd, sizeof(*counts)) == 0);
    counts = mmap(NULL, sizeof(*counts), PROT_READ, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(counts, MAP_FAILED);
    close(fd);
    daemon_init(&daemon, dir.path, &rnd);
    daemon_option(&daemon, "--checkpoint-events=3");
    daemon_start(&daemon);
    acknowledged = ask(&daemon, &last); /* So that there is recovery. */
    daemon_kill(&daemon);
    snprintf(shim, sizeof(shim), "%s", run_build("tests/libstarve.so"));
    snprintf(switch_on, sizeof(switch_on), "STARVE=%" PRIu64 ":%s/counts", nth,
             dir.path);
    daemon.shim = shim;
    daemon.switch_on = switch_on;
    code = daemon_try(&daemon);
    if (code == 0) {
        acknowledged += ask(&daemon, &last);
        code = end(&daemon);
    }
    ck_assert_msg(code == 0 || code == STORAGE_STATUS || code == TEMPORARY,
                  "number %" PRIu64 " ends it with %d", nth, code);
    has_failed = counts->failed > 0;
    ck_assert(code == 0 || has_failed);
    look(&daemon, acknowledged, last);
    sums->runs++;
    sums->failed += has_failed;
    sums->ended += code != 0;
    sums->acknowledged += acknowledged;
    munmap(counts, sizeof(*counts));
    tempdir_remove(&dir);
    return has_failed;
}

START_TEST(nothing_is_lost_whichever_allocation_fails)
{
    unsigned tries = rnd_effort(TRIES, 0);
    struct sums sums = {.runs = 0};
    uint64_t seed;

    rnd_init(&rnd);
    seed = rnd.state;
    for (unsigned i = 0; i < tries; i++) {
        (void)try_nth(1 + rnd_below(&rnd, NTH_MAX), &sums);
    }
    for (uint64_t nth = 1; tries == 0 && nth <= NTH_LONG; nth++) {
        if (!try_nth(nth, &sums)) {
            break;
        }
    }
    printf("{\"test\": \"starved\", \"seed\": %" PRIu64 ", \"runs\": %u, "
           "\"failed\": %u, \"ended\": %u, \"acknowledged\": %" PRIu64 "}\n",
           seed, sums.runs, sums.failed, sums.ended, sums.acknowledged);
    ck_assert_uint_gt(sums.failed, 0);
    ck_assert_uint_gt(sums.acknowledged, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("starved");
    TCase *tcase = tcase_create("starved");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, nothing_is_lost_whichever_allocation_fails);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
