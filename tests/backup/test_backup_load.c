/* Backups by acta while four clients append to a real actad, round after round,
 * with something that goes wrong in most: the program is killed at a random
 * moment, or at one of its calls of the system, or such a call fails
 * (shim/fail.c), or the server is killed. After each the archive must be whole;
 * and what is restored from it now and then must be a prefix of history, byte
 * for byte, that has all that was acknowledged before the last backup that was
 * complete had begun.
 */

#include <errno.h>
#include <fcntl.h>
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
#include "file.h"
#include "load.h"
#include "nap.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"

#define CLIENTS      4
#define ROUNDS       10
#define ROUNDS_LONG  100
#define RESTORE_ONCE 4
#define RESTORES_MAX 400
#define LIFE_US_MAX  30000 /* Of a program that is killed. */
#define CALLS_MAX    40    /* The n-th of a kind fails, n up to this. */
#define EXIT_NONE    3     /* acta's: there is no backup. */
#define TIMEOUT_S    1800

static struct tempdir tempdir;
static struct rnd rnd;
static uint64_t seed;
static struct daemon server;
static char archive[300];
static char preload[600], settings[6][400];

/* What was restored: its events as text, of which a hash is kept, and how many
 * there must be at least.
 */
static struct restored {
    uint64_t size;
    uint64_t hash;
    uint64_t lines;
    uint64_t acknowledged;
} restored[RESTORES_MAX];
static unsigned restores;

static struct counts {
    unsigned complete;
    unsigned killed; /* Programs, */
    unsigned failed; /* and those with an error. */
    unsigned servers_killed;
} counts;

static const char *
path_of(const char *name)
{
    static char paths[4][300];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%.250s/%s", tempdir.path, name);
    return path;
}

/* ---- the program ---- */

/* Start acta with arguments up to a NULL; stdout goes to @out. */
static pid_t
start(const char *out, bool with_fault, const char *const *arguments)
{
    char program[600];
    const char *argv[12] = {program};
    pid_t child;

    snprintf(program, sizeof(program), "%s", run_build("tools/acta"));
    for (size_t i = 0; arguments[i] != NULL; i++) {
        ck_assert_uint_lt(i, 10);
        argv[i + 1] = arguments[i];
    }
    child = fork();
    if (child == 0) {
        int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int talk = open(path_of("talk"), O_WRONLY | O_CREAT | O_APPEND, 0600);

        for (size_t i = 0; with_fault && i < 6; i++) {
            putenv(settings[i]);
        }
        if (with_fault) {
            putenv(preload);
        }
        if (dup2(fd, STDOUT_FILENO) >= 0 && dup2(talk, STDERR_FILENO) >= 0) {
            execv(program, (char *const *)(uintptr_t)argv);
        }
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    return child;
}

static int
wait_for(pid_t child)
{
    int status;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 127);
    return status;
}

static int
run_acta(const char *out, const char *const *arguments)
{
    return wait_for(start(out, false, arguments));
}

/* ---- restoring ---- */

static void export(const struct daemon *from, const char *to)
{
    const char *const arguments[] = {"-s", from->url, "export", NULL};

    ck_assert_int_eq(run_acta(to, arguments), 0);
}

/* The first @size_max bytes of the file at @path (FNV-1a). */
static struct restored
read_lines(const char *path, uint64_t size_max)
{
    struct restored lines = {.hash = UINT64_C(0xcbf29ce484222325)};
    FILE *file = fopen(path, "re");
    int byte;

    ck_assert_ptr_nonnull(file);
    while (lines.size < size_max && (byte = getc_unlocked(file)) != EOF) {
        lines.hash = (lines.hash ^ (uint64_t)byte) * UINT64_C(0x100000001b3);
        lines.lines += byte == '\n';
        lines.size++;
    }
    fclose(file);
    return lines;
}

static void
restore(uint64_t acknowledged)
{
    struct restored *next = &restored[restores];
    struct daemon daemon;
    char data[300];
    const char *arguments[] = {"restore", archive, data, NULL};

    ck_assert_uint_lt(restores, RESTORES_MAX);
    restores++;
    daemon_init(&daemon, path_of("other"), &rnd);
    snprintf(data, sizeof(data), "%.280s/data", daemon.dir);
    ck_assert_int_eq(mkdir(daemon.dir, 0700), 0);
    ck_assert_int_eq(run_acta(path_of("said"), arguments), 0);
    daemon_start(&daemon);
    export(&daemon, path_of("some"));
    *next = read_lines(path_of("some"), UINT64_MAX);
    next->acknowledged = acknowledged;
    daemon_stop(&daemon);
    ck_assert_int_eq(file_remove_tree(daemon.dir, NULL), ACTA_OK);
}

/* Are the lines the first of those in the file @all, and enough? */
static bool
is_prefix(const struct restored *some, const char *all)
{
    struct restored front = read_lines(all, some->size);

    return front.size == some->size && front.hash == some->hash &&
           some->lines >= some->acknowledged;
}

/* ---- rounds ---- */

enum trouble {
    NONE,
    KILL_PROGRAM,
    FAIL_CALL_OF_IT,
    KILL_SERVER,
    TROUBLES,
};

static void
set_fault(void)
{
    static const int errors[] = {EIO, ENOSPC};
    static const enum fail_how hows[] = {FAIL_ONCE, FAIL_FOR_GOOD, FAIL_KILL,
                                         FAIL_TEAR};

    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
             run_build("tests/fault/libfail.so"));
    snprintf(settings[0], sizeof(settings[0]), FAIL_DIR "=%s", archive);
    snprintf(settings[1], sizeof(settings[1]), FAIL_COUNTS "=%s",
             path_of("counts"));
    snprintf(settings[2], sizeof(settings[2]), FAIL_CALL "=%u",
             (unsigned)rnd_below(&rnd, FAIL_CALLS_COUNT));
    snprintf(settings[3], sizeof(settings[3]), FAIL_HOW "=%d",
             hows[rnd_below(&rnd, 4)]);
    snprintf(settings[4], sizeof(settings[4]), FAIL_ERRNO "=%d",
             errors[rnd_below(&rnd, 2)]);
    snprintf(settings[5], sizeof(settings[5]), FAIL_NTH "=%u",
             1 + (unsigned)rnd_below(&rnd, CALLS_MAX));
}

/* Of the programs that come, none is counted with those before. */
static void
count_calls_anew(void)
{
    int fd =
        open(path_of("counts"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, sizeof(struct fail_counts)), 0);
    close(fd);
}

static void
live_for_a_while(void)
{
    nap_us(rnd_below(&rnd, LIFE_US_MAX));
}

/* What acta has said last. */
static const char *
last_words(void)
{
    static char words[400];
    FILE *file = fopen(path_of("talk"), "re");
    size_t size = 0;

    if (file != NULL) {
        (void)fseek(file, -(long)(sizeof(words) - 1), SEEK_END);
        size = fread(words, 1, sizeof(words) - 1, file);
        fclose(file);
    }
    words[size] = '\0';
    return words;
}

/* Take a backup, with what goes wrong. True if it is complete. */
static bool
take(enum trouble trouble)
{
    const char *arguments[] = {"-s",      server.url, "--timeout=20s",
                               "--json",  "backup",   archive,
                               "--quiet", NULL,       NULL};
    pid_t child;
    int status;

    if (rnd_once_in(&rnd, 6)) {
        arguments[7] = "--anew";
    } else if (rnd_once_in(&rnd, 3)) {
        arguments[7] = "--verify";
    }
    if (trouble == FAIL_CALL_OF_IT) {
        set_fault();
    }
    child = start(path_of("said"), trouble == FAIL_CALL_OF_IT, arguments);
    if (trouble == KILL_PROGRAM) {
        if (counts.killed > 0) { /* Else it might always come too late. */
            live_for_a_while();
        }
        kill(child, SIGKILL);
    } else if (trouble == KILL_SERVER) {
        live_for_a_while();
        daemon_kill(&server);
        daemon_start(&server);
        counts.servers_killed++;
    }
    status = wait_for(child);
    counts.complete += status == 0;
    counts.killed += WIFSIGNALED(status);
    counts.failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
    ck_assert(!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL);
    ck_assert_msg(trouble != NONE || status == 0, "status 0x%x: %s",
                  (unsigned)status, last_words());
    return status == 0;
}

static void
check_archive(bool has_one)
{
    const char *const arguments[] = {"--quiet", "backup", "verify", archive,
                                     NULL};
    int status = run_acta(path_of("said"), arguments);

    ck_assert(WIFEXITED(status));
    ck_assert(WEXITSTATUS(status) == 0 ||
              (!has_one && WEXITSTATUS(status) == EXIT_NONE));
}

/* Acknowledged before the last complete backup began. */
static uint64_t
do_rounds(struct load *load, unsigned rounds)
{
    uint64_t acknowledged = 0;
    bool has_one = false;

    for (unsigned i = 0; i < rounds; i++) {
        uint64_t before = load_acknowledged(load);
        /* Each in turn, then any. */
        enum trouble trouble =
            (enum trouble)(i < TROUBLES ? i : rnd_below(&rnd, TROUBLES));

        if (take(i + 1 == rounds ? NONE : trouble)) {
            acknowledged = before;
            has_one = true;
        }
        check_archive(has_one);
        if (has_one && (rnd_once_in(&rnd, RESTORE_ONCE) || i + 1 == rounds) &&
            (restores + 1 < RESTORES_MAX || i + 1 == rounds)) {
            restore(acknowledged);
        }
    }
    return acknowledged;
}

static void
setup(void)
{
    rnd_init(&rnd);
    seed = rnd.state;
    tempdir_make(&tempdir);
    snprintf(archive, sizeof(archive), "%.250s/archive", tempdir.path);
    daemon_init(&server, tempdir.path, &rnd);
    daemon_start(&server);
    count_calls_anew();
}

static void
teardown(void)
{
    daemon_kill(&server);
    tempdir_remove(&tempdir);
}

/* ---- each sync ---- */

static void
append_one(void)
{
    const char *const arguments[] = {"-s",  server.url, "append", "s-1",
                                     "Did", "{}",       NULL};

    ck_assert_int_eq(run_acta(path_of("said"), arguments), 0);
}

/* Take a backup whose sync of this number fails. True if it has one. */
static bool
take_without_sync(unsigned number, const char *option)
{
    const char *const arguments[] = {"-s",    server.url, "--quiet", "backup",
                                     archive, option,     NULL};

    count_calls_anew();
    /* So that the directory itself is one of those that are synced. */
    snprintf(settings[0], sizeof(settings[0]), FAIL_DIR "=%s", tempdir.path);
    snprintf(settings[2], sizeof(settings[2]), FAIL_CALL "=%d", FAIL_FSYNC);
    snprintf(settings[3], sizeof(settings[3]), FAIL_HOW "=%d", FAIL_ONCE);
    snprintf(settings[4], sizeof(settings[4]), FAIL_ERRNO "=%d", EIO);
    snprintf(settings[5], sizeof(settings[5]), FAIL_NTH "=%u", number);
    return wait_for(start(path_of("said"), true, arguments)) != 0;
}

START_TEST(no_sync_that_fails_costs_the_last_backup)
{
    const char *option = _i == 0 ? NULL : "--anew";
    unsigned failed = 0;
    bool has_failed;

    set_fault();
    append_one();
    ck_assert(take(NONE));
    do {
        append_one();
        failed++;
        has_failed = take_without_sync(failed, option);
        check_archive(true);
    } while (has_failed);
    ck_assert_uint_gt(failed, 4); /* Part, names, manifest, its name. */
    restore(1);
    ck_assert_uint_eq(restored[0].lines, 1 + failed);
}
END_TEST

/* ---- all of it ---- */

/* The control: one line is missing, and one more was acknowledged. */
static void
check_that_it_can_fail(const char *all)
{
    FILE *from = fopen(all, "re"), *to = fopen(path_of("less"), "we");
    struct restored last = restored[restores - 1], less;
    unsigned line = 0;
    int byte;

    while ((byte = getc(from)) != EOF) {
        if (line != 1) {
            putc(byte, to);
        }
        line += byte == '\n';
    }
    fclose(from);
    fclose(to);
    ck_assert_uint_gt(line, 2);
    less = read_lines(path_of("less"), UINT64_MAX);
    ck_assert(!is_prefix(&less, all));
    last.acknowledged = last.lines + 1;
    ck_assert(!is_prefix(&last, all));
}

START_TEST(what_is_restored_is_a_prefix_with_all_that_was_acknowledged)
{
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);
    struct load *load = load_start(server.url, CLIENTS, seed);
    uint64_t events;
    char all[300];

    snprintf(all, sizeof(all), "%s", path_of("all"));
    (void)do_rounds(load, rounds);
    events = load_stop(load);
    export(&server, all);
    for (unsigned i = 0; i < restores; i++) {
        ck_assert_msg(is_prefix(&restored[i], all),
                      "restored %u of %u, with %" PRIu64 " acknowledged", i + 1,
                      restores, restored[i].acknowledged);
    }
    check_that_it_can_fail(all);
    printf("{\"test\": \"backup under load\", \"seed\": %" PRIu64
           ", \"rounds\": %u, \"complete\": %u, \"killed\": %u, "
           "\"failed\": %u, \"servers_killed\": %u, \"restores\": %u, "
           "\"acknowledged\": %" PRIu64 "}\n",
           seed, rounds, counts.complete, counts.killed, counts.failed,
           counts.servers_killed, restores, events);
    ck_assert_uint_gt(counts.complete, 0);
    ck_assert_uint_gt(counts.killed, 0);
    ck_assert_uint_gt(counts.servers_killed, 0);
    ck_assert_uint_gt(events, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("backup_load");
    TCase *tcase = tcase_create("backup_load");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   what_is_restored_is_a_prefix_with_all_that_was_acknowledged);
    tcase_add_loop_test(tcase, no_sync_that_fails_costs_the_last_backup, 0, 2);
    return run_suite(suite);
}
