/* What runs inside the guest whose power is cut (power.py): actad on the disk
 * of the guest, clients whose histories go to terminals, which the host reads,
 * and the look at what is left. CK_RUN_CASE says which.
 *
 * From the environment:
 *
 *   POWER_DISK     where the disk is mounted
 *   POWER_LOGS     for histories: append-1.log and so on may be terminals
 *   POWER_FIRST    number of the first appender
 *   POWER_DUMP     number of the dump
 *   POWER_LISTS    not empty: lists are dumped as well
 *   POWER_KEEPERS  so many keepers, numbered like the appenders, go on until
 *                  the power is cut;
 *   POWER_HOLDERS  and so many holders,
 *   POWER_WORKERS  and so many members of a group; when it is to come to rest,
 *                  they go on until then
 *   POWER_ANSWERS  so many in all, then it ends; 0: it goes on until it is cut
 *   POWER_LIVES    the server is killed in between, so many times less one
 *   POWER_MARK     dm-log-writes device that gets a mark an answer; or empty
 *   POWER_SHIM     to preload into actad; or empty
 */

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "appender.h"
#include "daemon.h"
#include "dump.h"
#include "feeder.h"
#include "foreman.h"
#include "holder.h"
#include "keeper.h"
#include "mark.h"
#include "nap.h"
#include "rnd.h"
#include "run.h"
#include "worker.h"

#define APPENDERS      3
#define WORKERS_MAX    8
#define FED            200 /* Events for the group, between two cuts. */
#define STORAGE_STATUS 74  /* Of an actad whose disk fails. */
#define TIMEOUT_S      3600
#define WAIT_US        1000

static struct rnd rnd;
static struct daemon daemon_;
static atomic_ulong answers;

static const char *
setting(const char *name)
{
    const char *value = getenv(name);

    return value == NULL ? "" : value;
}

static unsigned
number(const char *name)
{
    return (unsigned)strtoul(setting(name), NULL, 10);
}

static void
start(void)
{
    rnd_init(&rnd);
    daemon_init(&daemon_, setting("POWER_DISK"), &rnd);
    if (setting("POWER_SHIM")[0] != '\0') {
        daemon_.shim = setting("POWER_SHIM");
    }
    daemon_start(&daemon_);
}

/* The mark comes after the answer, so all that it promised is before it. */
static void
told(unsigned appender, uint64_t answer)
{
    const char *device = setting("POWER_MARK");
    char text[64];

    if (device[0] != '\0') {
        snprintf(text, sizeof(text), "%u.%" PRIu64, appender, answer);
        mark(device, text);
    }
    atomic_fetch_add(&answers, 1);
}

static void
wait_for_answers(unsigned long wanted)
{
    while (atomic_load(&answers) < wanted) {
        nap_us(WAIT_US);
    }
}

/* Run a command of acta on the disk's archive; @more are words behind it.
 * Returns its exit code.
 */
static int
run_acta(const char *words, const char *more)
{
    char command[800];
    int status;

    snprintf(command, sizeof(command), "%s %s %s/archive %s >/dev/null 2>&1",
             run_build("tools/acta"), words, setting("POWER_DISK"), more);
    status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
say(const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

/* Take backups until the power is cut. */
static void *
back_up(void *unused)
{
    char server[100];

    (void)unused;
    snprintf(server, sizeof(server), "--server %s", daemon_.url);
    for (;;) {
        ck_assert_int_eq(run_acta("backup", server), 0);
        say("backed up");
    }
    return NULL;
}

static void
start_backups(void)
{
    pthread_t thread;

    if (setting("POWER_BACKS_UP")[0] != '\0') {
        ck_assert_int_eq(pthread_create(&thread, NULL, back_up, NULL), 0);
        ck_assert_int_eq(pthread_detach(thread), 0);
    }
}

static const atomic_bool never;

/* Processes: before there are threads. */
static void
start_holders(void)
{
    uint64_t seed = rnd_next(&rnd);

    for (unsigned i = 0; i < number("POWER_HOLDERS"); i++) {
        (void)holder_start(&daemon_, setting("POWER_LOGS"),
                           number("POWER_FIRST") + i, seed, &never);
    }
}

static void
start_keepers(void)
{
    for (unsigned i = 0; i < number("POWER_KEEPERS"); i++) {
        (void)keeper_start(&daemon_, setting("POWER_LOGS"),
                           number("POWER_FIRST") + i, rnd_next(&rnd), &never);
    }
}

/* ---- a group ---- */

static struct workers workers = {.group = "workers", .key_tag = ""};
static struct foreman foreman; /* Large. */
static struct worker *members[WORKERS_MAX];

/* What is parked after the cut is listed. */
static void
start_workers(void)
{
    foreman_init(&foreman, &daemon_, setting("POWER_LOGS"), &workers,
                 MSG_PARK_WAITS);
    foreman_list(&foreman);
    for (unsigned i = 0; i < number("POWER_WORKERS"); i++) {
        ck_assert_uint_lt(i, WORKERS_MAX);
        members[i] = worker_start(&daemon_, setting("POWER_LOGS"), &workers,
                                  number("POWER_FIRST") + i, rnd_next(&rnd));
    }
}

static void
start_group(void)
{
    if (number("POWER_WORKERS") > 0) {
        start_workers();
        (void)feeder_start(&daemon_, FED, rnd_next(&rnd));
    }
}

START_TEST(settle)
{
    start();
    atomic_store(&workers.calm, true);
    start_workers();
    foreman_rest(&foreman, 0);
    foreman_list(&foreman);
    atomic_store(&workers.stopping, true);
    for (unsigned i = 0; i < number("POWER_WORKERS"); i++) {
        worker_join(members[i]);
    }
    foreman_fini(&foreman);
    daemon_stop(&daemon_);
}
END_TEST

/* ---- the load ---- */

static void
start_appenders(struct appender *appenders[static APPENDERS])
{
    appenders_tell(told);
    for (unsigned i = 0; i < APPENDERS; i++) {
        struct appender_options options = {
            .url = daemon_.url,
            .dir = setting("POWER_LOGS"),
            .number = number("POWER_FIRST") + i,
            .seed = rnd_next(&rnd),
        };

        appenders[i] = appender_start(&options);
    }
}

START_TEST(load)
{
    unsigned long all = number("POWER_ANSWERS");
    unsigned lives = number("POWER_LIVES");
    struct appender *appenders[APPENDERS];

    start();
    start_holders();
    start_appenders(appenders);
    start_keepers();
    start_group();
    start_backups();
    for (unsigned life = 1; life < lives; life++) {
        wait_for_answers(all * life / lives);
        daemon_kill(&daemon_);
        daemon_start(&daemon_);
    }
    wait_for_answers(all == 0 ? ULONG_MAX : all);
    appenders_stop();
    for (unsigned i = 0; i < APPENDERS; i++) {
        appender_join(appenders[i]);
    }
    daemon_stop(&daemon_);
}
END_TEST

/* Do what stands in a file beside the data, which the driver has put there. */
static int
run_script(const char *name)
{
    char command[300];

    snprintf(command, sizeof(command), "sh %s/%s", setting("POWER_DISK"), name);
    return system(command);
}

/* All writes fail, once so many answers have come. What the server was at is
 * left open, so it ends; and the next start, on this disk or after the power
 * was cut, says what came of it.
 */
START_TEST(failing)
{
    struct appender *appenders[APPENDERS];
    int status;

    start();
    start_holders();
    start_appenders(appenders);
    start_keepers();
    wait_for_answers(number("POWER_ANSWERS"));
    ck_assert_int_eq(run_script("break"), 0);
    ck_assert_int_eq(waitpid(daemon_.pid, &status, 0), daemon_.pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == STORAGE_STATUS,
                  "actad ended with status 0x%x", (unsigned)status);
    say("broken");
    ck_assert_int_eq(run_script("mend"), 0);
    if (daemon_try(&daemon_) != 0) {
        ck_assert_int_eq(run_script("remount"), 0);
        daemon_start(&daemon_);
    }
    say("mended");
    wait_for_answers(ULONG_MAX);
}
END_TEST

START_TEST(look)
{
    start();
    (void)dump(daemon_.url, setting("POWER_LOGS"), number("POWER_DUMP"),
               setting("POWER_LISTS")[0] != '\0');
    daemon_stop(&daemon_);
}
END_TEST

/* What the last backup has, as a server shows it that has nothing else. */
START_TEST(restore)
{
    char place[200], more[300];

    snprintf(place, sizeof(place), "%s/restored", setting("POWER_DISK"));
    snprintf(more, sizeof(more), "%s/data", place);
    ck_assert_int_eq(mkdir(place, 0700), 0);
    rnd_init(&rnd);
    daemon_init(&daemon_, place, &rnd);
    ck_assert_int_eq(run_acta("restore", more), 0);
    daemon_start(&daemon_);
    (void)dump(daemon_.url, setting("POWER_LOGS"), 0, false);
    daemon_stop(&daemon_);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("guest");
    TCase *tcase = tcase_create("load");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, load);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("failing");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, failing);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("restore");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, restore);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("settle");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, settle);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("look");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, look);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
