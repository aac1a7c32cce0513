/* The program itself: how it starts, what it refuses, how it ends. */

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msg.h"
#include "rig.h"
#include "run.h"

#define OPTIONS_MAX 16

static struct tempdir dir;
static int early_signal; /* It waits for who is started; 0: none. */

struct child {
    pid_t pid;
    FILE *output; /* Its log, and what it prints. */
    char line[4096];
};

static void
setup(void)
{
    tempdir_make(&dir);
    early_signal = 0;
}

static void
teardown(void)
{
    tempdir_remove(&dir);
}

/* A signal that is blocked stays, whatever program this process becomes. */
static void
leave_signal(int number)
{
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, number);
    if (sigprocmask(SIG_BLOCK, &blocked, NULL) != 0 ||
        kill(getpid(), number) != 0) {
        _exit(124);
    }
}

/* Does not return. */
static void
become_actad(char **options, int output, rlim_t descriptors)
{
    struct rlimit limit = {descriptors, descriptors};

    if (descriptors > 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        _exit(125);
    }
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
    if (early_signal != 0) {
        leave_signal(early_signal);
    }
    execv(options[0], options);
    _exit(126);
}

/* Start actad with options up to a NULL, and @descriptors if not 0. */
static void
child_start(struct child *child, rlim_t descriptors, const char *first, ...)
{
    char *options[OPTIONS_MAX + 1];
    int count = 0;
    va_list texts;
    int ends[2];

    options[count++] = strdup(run_build("server/actad"));
    options[count++] = strdup("--config=/dev/null");
    va_start(texts, first);
    for (const char *text = first; text != NULL;
         text = va_arg(texts, const char *)) {
        ck_assert_int_lt(count, OPTIONS_MAX);
        options[count++] = strdup(text);
    }
    va_end(texts);
    options[count] = NULL;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    child->pid = fork();
    ck_assert_int_ge(child->pid, 0);
    if (child->pid == 0) {
        become_actad(options, ends[1], descriptors);
    }
    close(ends[1]);
    child->output = fdopen(ends[0], "r");
    while (count > 0) {
        free(options[--count]);
    }
}

/* Read lines until one contains @text; false if the output ends before. */
static bool
child_says(struct child *child, const char *text)
{
    while (fgets(child->line, sizeof(child->line), child->output) != NULL) {
        if (strstr(child->line, text) != NULL) {
            return true;
        }
    }
    return false;
}

/* Wait until it is ready. Returns its port. */
static unsigned
child_port(struct child *child)
{
    const char *colon;

    ck_assert_msg(child_says(child, "event=ready"), "actad: %s", child->line);
    colon = strstr(child->line, "address=127.0.0.1:");
    ck_assert_ptr_nonnull(colon);
    return (unsigned)atoi(colon + strlen("address=127.0.0.1:"));
}

/* Wait for the end. Returns the exit code, or minus the signal. */
static int
child_end(struct child *child)
{
    int status;

    while (child_says(child, "\n")) {
    }
    ck_assert_int_eq(waitpid(child->pid, &status, 0), child->pid);
    fclose(child->output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static const char *
data_dir(void)
{
    static char option[512];

    snprintf(option, sizeof(option), "--data-dir=%s/data", dir.path);
    return option;
}

static void
start(struct child *child)
{
    child_start(child, 0, data_dir(), "--listen=127.0.0.1:0",
                "--disk-reserve=1MiB", "--store-map-size=1GiB", NULL);
}

START_TEST(acknowledged_events_are_there_after_a_restart)
{
    struct child child;
    struct peer peer;

    start(&child);
    peer_greet(&peer, child_port(&child));
    peer_put_append(&peer, 2, "order-1", 0, 5, 100);
    peer_send(&peer);
    peer_expect(&peer, OP_APPENDED, 2);
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    peer_expect_close(&peer);
    ck_assert_int_eq(child_end(&child), 0);
    peer_close(&peer);

    start(&child);
    peer_greet(&peer, child_port(&child));
    ck_assert_uint_eq(peer_status(&peer, "database.head"), 5);
    ck_assert_int_eq(kill(child.pid, SIGINT), 0);
    ck_assert_int_eq(child_end(&child), 0);
    peer_close(&peer);
}
END_TEST

/* Of a server that is killed then. */
static void
append_and_kill(void)
{
    struct child child;
    struct peer peer;

    start(&child);
    peer_greet(&peer, child_port(&child));
    peer_put_append(&peer, 2, "order-1", 0, 5, 100);
    peer_send(&peer);
    peer_expect(&peer, OP_APPENDED, 2);
    ck_assert_int_eq(kill(child.pid, SIGKILL), 0);
    ck_assert_int_eq(child_end(&child), -SIGKILL);
    peer_close(&peer);
}

static void
expect_head(uint64_t head)
{
    struct child child;
    struct peer peer;

    start(&child);
    peer_greet(&peer, child_port(&child));
    ck_assert_uint_eq(peer_status(&peer, "database.head"), head);
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&child), 0);
    peer_close(&peer);
}

START_TEST(a_start_that_has_to_recover_can_be_stopped)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    char port_option[512];
    struct child child;

    append_and_kill();
    early_signal = numbers[_i];
    snprintf(port_option, sizeof(port_option), "--port-file=%s/port", dir.path);
    child_start(&child, 0, data_dir(), "--listen=127.0.0.1:0",
                "--disk-reserve=1MiB", "--store-map-size=1GiB", port_option,
                NULL);
    while (fgets(child.line, sizeof(child.line), child.output) != NULL &&
           strstr(child.line, "event=stopped") == NULL) {
        ck_assert_ptr_null(strstr(child.line, "event=ready"));
        ck_assert_ptr_null(strstr(child.line, "not started"));
    }
    ck_assert_ptr_nonnull(strstr(child.line, "event=stopped"));
    ck_assert_int_eq(child_end(&child), 0);
    ck_assert_int_ne(access(tempdir_file(&dir, "port"), F_OK), 0);
    early_signal = 0;
    expect_head(5);
}
END_TEST

/* It would end a process that does not expect it. */
START_TEST(a_hangup_while_it_starts_is_heard_when_it_is_ready)
{
    struct child child;

    append_and_kill();
    early_signal = SIGHUP;
    start(&child);
    child_port(&child);
    ck_assert(child_says(&child, "event=\"configuration read again\""));
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

START_TEST(data_directory_is_for_the_owner_only)
{
    struct child child;
    struct stat stat_buf;

    start(&child);
    child_port(&child);
    ck_assert_int_eq(stat(tempdir_file(&dir, "data"), &stat_buf), 0);
    ck_assert_uint_eq(stat_buf.st_mode & 0777, 0700);
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

START_TEST(second_server_on_one_directory_is_refused)
{
    struct child first, second;

    start(&first);
    child_port(&first);
    start(&second);
    ck_assert(child_says(&second, "code=IN_USE"));
    ck_assert_int_eq(child_end(&second), 75);
    ck_assert_int_eq(kill(first.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&first), 0);
}
END_TEST

START_TEST(a_database_is_no_data_directory)
{
    char inside[600];
    struct child child;

    child_start(&child, 0, data_dir(), "--listen=127.0.0.1:0",
                "--disk-reserve=1MiB", NULL);
    child_port(&child);
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&child), 0);

    snprintf(inside, sizeof(inside), "%s/main", data_dir());
    child_start(&child, 0, inside, "--listen=127.0.0.1:0", NULL);
    ck_assert(child_says(&child, "is a database itself"));
    ck_assert_int_eq(child_end(&child), 2);
}
END_TEST

START_TEST(address_in_use_is_told)
{
    struct child first, second;
    char listen[64];

    start(&first);
    snprintf(listen, sizeof(listen), "--listen=127.0.0.1:%u",
             child_port(&first));
    child_start(&second, 0, "--dev", listen, NULL);
    ck_assert(child_says(&second, "code=IN_USE"));
    ck_assert_int_eq(child_end(&second), 75);
    ck_assert_int_eq(kill(first.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&first), 0);
}
END_TEST

START_TEST(nothing_is_made_if_the_address_is_in_use)
{
    struct child first, second;
    char listen[64];

    ck_assert_int_eq(setenv("TMPDIR", dir.path, 1), 0);
    child_start(&first, 0, "--dev", "--listen=127.0.0.1:0", NULL);
    ck_assert(child_says(&first, "acta://127.0.0.1:"));
    snprintf(listen, sizeof(listen), "--listen=127.0.0.1:%d",
             atoi(strrchr(first.line, ':') + 1));
    child_start(&second, 0, data_dir(), listen, NULL);
    ck_assert(child_says(&second, "Address already in use"));
    ck_assert_int_eq(child_end(&second), 75);
    ck_assert_int_ne(access(tempdir_file(&dir, "data"), F_OK), 0);
    ck_assert_int_eq(kill(first.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&first), 0);
}
END_TEST

START_TEST(a_second_start_is_told_who_has_the_data)
{
    struct child first, second;
    char listen[64], holder[64];

    start(&first);
    snprintf(listen, sizeof(listen), "--listen=127.0.0.1:%u",
             child_port(&first));
    snprintf(holder, sizeof(holder), "in use by another process (pid %d)",
             (int)first.pid);
    child_start(&second, 0, data_dir(), listen, NULL);
    ck_assert(child_says(&second, holder));
    ck_assert_int_eq(child_end(&second), 75);
    ck_assert_int_eq(kill(first.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&first), 0);
}
END_TEST

START_TEST(address_that_others_can_reach_is_refused_before_anything_is_made)
{
    struct child child;

    child_start(&child, 0, data_dir(), "--listen=0.0.0.0:0", NULL);
    ck_assert(child_says(&child, "others could reach this address"));
    ck_assert_int_eq(child_end(&child), 2);
    ck_assert_int_ne(access(tempdir_file(&dir, "data"), F_OK), 0);
}
END_TEST

START_TEST(dev_mode_leaves_nothing_behind)
{
    struct child child;
    struct peer peer;
    unsigned port;

    ck_assert_int_eq(setenv("TMPDIR", dir.path, 1), 0);
    child_start(&child, 0, "--dev", "--listen=127.0.0.1:0", NULL);
    ck_assert(child_says(&child, "dev mode: data in a temporary directory"));
    ck_assert(child_says(&child, "acta://127.0.0.1:"));
    port = (unsigned)atoi(strrchr(child.line, ':') + 1);
    peer_greet(&peer, port);
    peer_put_append(&peer, 2, "order-1", 0, 5, 100);
    peer_send(&peer);
    peer_expect(&peer, OP_APPENDED, 2);
    peer_close(&peer);
    ck_assert_int_eq(kill(child.pid, SIGINT), 0);
    ck_assert_int_eq(child_end(&child), 0);
    /* The directory is empty again. */
    ck_assert_int_eq(rmdir(dir.path), 0);
}
END_TEST

START_TEST(port_and_process_id_are_written_and_removed)
{
    char port_option[512], pid_option[512];
    struct child child;
    unsigned port, number;
    FILE *file;

    snprintf(port_option, sizeof(port_option), "--port-file=%s/port", dir.path);
    snprintf(pid_option, sizeof(pid_option), "--pid-file=%s/pid", dir.path);
    child_start(&child, 0, data_dir(), "--listen=127.0.0.1:0", port_option,
                pid_option, "--disk-reserve=1MiB", NULL);
    port = child_port(&child);
    file = fopen(tempdir_file(&dir, "port"), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%u", &number), 1);
    fclose(file);
    ck_assert_uint_eq(number, port);
    file = fopen(tempdir_file(&dir, "pid"), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%u", &number), 1);
    fclose(file);
    ck_assert_int_eq((pid_t)number, child.pid);
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&child), 0);
    ck_assert_int_ne(access(tempdir_file(&dir, "port"), F_OK), 0);
    ck_assert_int_ne(access(tempdir_file(&dir, "pid"), F_OK), 0);
}
END_TEST

START_TEST(hangup_reads_the_log_level_again)
{
    const char *path = tempdir_file(&dir, "actad.conf");
    char option[512];
    struct child child;
    FILE *file = fopen(path, "w");

    snprintf(option, sizeof(option), "--config=%s", path);
    ck_assert_ptr_nonnull(file);
    fputs("log-level = info\n", file);
    fclose(file);
    child_start(&child, 0, option, data_dir(), "--listen=127.0.0.1:0",
                "--disk-reserve=1MiB", NULL);
    child_port(&child);
    file = fopen(tempdir_file(&dir, "actad.conf"), "w");
    fputs("log-level = debug\n", file);
    fclose(file);
    ck_assert_int_eq(kill(child.pid, SIGHUP), 0);
    ck_assert(child_says(&child, "log_level=debug"));
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* It would be told as information. Of signals that wait, the hangup is first.
 */
START_TEST(hangup_leaves_the_log_level_of_dev_mode)
{
    struct child child;

    ck_assert_int_eq(setenv("TMPDIR", dir.path, 1), 0);
    child_start(&child, 0, "--dev", "--listen=127.0.0.1:0", NULL);
    ck_assert(child_says(&child, "acta://127.0.0.1:"));
    ck_assert_int_eq(kill(child.pid, SIGHUP), 0);
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert(!child_says(&child, "configuration read again"));
    ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* With a few descriptors, more peers connect than can be accepted. Those that
 * are in are served, and the others get their turn when these leave.
 */
START_TEST(without_descriptors_peers_wait_for_their_turn)
{
    enum { COUNT = 60 };
    struct peer peers[COUNT];
    struct msg_hello hello = {1, 1, slice_of("test"), slice_of("")};
    struct child child;
    unsigned port;

    child_start(&child, 48, data_dir(), "--listen=127.0.0.1:0",
                "--disk-reserve=1MiB", "--io-threads=1",
                "--hello-timeout=10min", NULL);
    port = child_port(&child);
    for (int i = 0; i < COUNT; i++) {
        peer_connect(&peers[i], port);
        msg_hello_encode(&peers[i].out, 1, &hello);
        peer_send(&peers[i]);
    }
    ck_assert(child_says(&child, "event=\"accepting paused\""));
    /* In the order in which they connected, each leaving room for another. */
    for (int i = 0; i < COUNT; i++) {
        peer_expect(&peers[i], OP_WELCOME, 1);
        peer_close(&peers[i]);
    }
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

/* It is ready all the same: what is there can be read. */
START_TEST(too_full_a_disk_is_told_in_the_log)
{
    struct child child;

    child_start(&child, 0, data_dir(), "--listen=127.0.0.1:0",
                "--disk-reserve=64TiB", NULL);
    ck_assert(child_says(&child, "event=\"appends refused\""));
    ck_assert(child_says(&child, "event=ready"));
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_end(&child), 0);
}
END_TEST

START_TEST(help_version_and_check_end_at_once)
{
    static const struct {
        const char *option;
        const char *says;
    } rows[] = {
        {"--help", "usage: actad"},
        {"--version", "actad "},
        {"--check-config", "listen = 127.0.0.1:2282"},
        {"--print-manual-options", ".B listen"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct child child;

        child_start(&child, 0, rows[i].option, NULL);
        ck_assert_msg(child_says(&child, rows[i].says), "%s", rows[i].option);
        ck_assert_int_eq(child_end(&child), 0);
    }
}
END_TEST

START_TEST(wrong_option_is_a_usage_error)
{
    struct child child;

    child_start(&child, 0, "--lisen=x", NULL);
    ck_assert(child_says(&child, "did you mean \"--listen\"?"));
    ck_assert_int_eq(child_end(&child), 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("actad");
    TCase *tcase = tcase_create("actad");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, acknowledged_events_are_there_after_a_restart);
    tcase_add_loop_test(tcase, a_start_that_has_to_recover_can_be_stopped, 0,
                        2);
    tcase_add_test(tcase, a_hangup_while_it_starts_is_heard_when_it_is_ready);
    tcase_add_test(tcase, data_directory_is_for_the_owner_only);
    tcase_add_test(tcase, second_server_on_one_directory_is_refused);
    tcase_add_test(tcase, a_database_is_no_data_directory);
    tcase_add_test(tcase, address_in_use_is_told);
    tcase_add_test(tcase, nothing_is_made_if_the_address_is_in_use);
    tcase_add_test(tcase, a_second_start_is_told_who_has_the_data);
    tcase_add_test(
        tcase,
        address_that_others_can_reach_is_refused_before_anything_is_made);
    tcase_add_test(tcase, dev_mode_leaves_nothing_behind);
    tcase_add_test(tcase, port_and_process_id_are_written_and_removed);
    tcase_add_test(tcase, hangup_reads_the_log_level_again);
    tcase_add_test(tcase, hangup_leaves_the_log_level_of_dev_mode);
    tcase_add_test(tcase, without_descriptors_peers_wait_for_their_turn);
    tcase_add_test(tcase, too_full_a_disk_is_told_in_the_log);
    tcase_add_test(tcase, help_version_and_check_end_at_once);
    tcase_add_test(tcase, wrong_option_is_a_usage_error);
    return run_suite(suite);
}
