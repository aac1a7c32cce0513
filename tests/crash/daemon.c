#include "daemon.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nap.h"
#include "run.h"

#define START_S_MAX      60
#define LOOK_US          500
#define ENVIRONMENT_MAX  256
#define ARGUMENT_SIZE    320
#define LOG_SHOWN        4000
#define LOG_SIZE_MAX     (1 << 20)
#define ARGUMENTS_OF_OWN 5
#define RUNNER_MAX       16

extern char **environ;

void
daemon_init(struct daemon *daemon, const char *dir, struct rnd *rnd)
{
    *daemon = (struct daemon){.port = 0};
    snprintf(daemon->dir, sizeof(daemon->dir), "%s", dir);
    snprintf(daemon->address, sizeof(daemon->address), "127.%u.%u.%u",
             1 + (unsigned)rnd_below(rnd, 250), (unsigned)rnd_below(rnd, 250),
             2 + (unsigned)rnd_below(rnd, 250));
    daemon_option(daemon, "--journal-segment-size=1MiB");
    daemon_option(daemon, "--store-map-size=4GiB");
    daemon_option(daemon, "--disk-reserve=1MiB");
    daemon_option(daemon, "--checkpoint-events=200");
    daemon_option(daemon, "--io-threads=2");
}

void
daemon_option(struct daemon *daemon, const char *option)
{
    ck_assert_uint_lt(daemon->options_count, DAEMON_OPTIONS_MAX);
    daemon->options[daemon->options_count++] = option;
}

static void
path_of(char path[static ARGUMENT_SIZE], const struct daemon *daemon,
        const char *name)
{
    snprintf(path, ARGUMENT_SIZE, "%s/%s", daemon->dir, name);
}

/* The last part of what it said, for the message of a test that fails. */
static const char *
last_words(const struct daemon *daemon)
{
    static char words[LOG_SHOWN + 1];
    char path[ARGUMENT_SIZE];
    size_t size = 0;
    FILE *file;

    path_of(path, daemon, "log");
    file = fopen(path, "re");
    if (file != NULL) {
        if (fseek(file, -LOG_SHOWN, SEEK_END) != 0) {
            rewind(file);
        }
        size = fread(words, 1, LOG_SHOWN, file);
        fclose(file);
    }
    words[size] = '\0';
    return words;
}

/* In the child, where only what a signal handler may do is allowed. */
static void
become(char *const *arguments, char *const *environment, int log_fd,
       pid_t parent, unsigned descriptors_max)
{
    struct rlimit limit = {descriptors_max, descriptors_max};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (descriptors_max > 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        _exit(126);
    }
    if (getppid() == parent && dup2(log_fd, STDOUT_FILENO) >= 0 &&
        dup2(log_fd, STDERR_FILENO) >= 0) {
        execve(arguments[0], arguments, environment);
    }
    _exit(127);
}

static void
make_environment(const struct daemon *daemon, char *preload, size_t size,
                 const char **environment)
{
    size_t count = 0;

    for (char **at = environ; *at != NULL && count < ENVIRONMENT_MAX; at++) {
        environment[count++] = *at;
    }
    if (daemon->shim != NULL) {
        snprintf(preload, size, "LD_PRELOAD=%s", daemon->shim);
        environment[count++] = preload;
    }
    if (daemon->switch_on != NULL) {
        environment[count++] = daemon->switch_on;
    }
    environment[count] = NULL;
}

static void
spawn(struct daemon *daemon)
{
    char data[ARGUMENT_SIZE], listen[ARGUMENT_SIZE], port[ARGUMENT_SIZE];
    char log[ARGUMENT_SIZE], path[ARGUMENT_SIZE], preload[ARGUMENT_SIZE * 4];
    const char
        *arguments[RUNNER_MAX + DAEMON_OPTIONS_MAX + ARGUMENTS_OF_OWN + 1];
    const char *environment[ENVIRONMENT_MAX + 3];
    const char *planted = getenv("ACTA_TEST_ACTAD");
    pid_t parent = getpid();
    size_t count = 0;
    int log_fd;

    snprintf(path, sizeof(path), "%s",
             planted != NULL ? planted : run_build("server/actad"));
    snprintf(data, sizeof(data), "--data-dir=%s/data", daemon->dir);
    snprintf(listen, sizeof(listen), "--listen=%s:%u", daemon->address,
             daemon->port);
    snprintf(port, sizeof(port), "--port-file=%s/port", daemon->dir);
    for (size_t i = 0; daemon->runner != NULL && daemon->runner[i] != NULL;
         i++) {
        ck_assert_uint_lt(count, RUNNER_MAX);
        arguments[count++] = daemon->runner[i];
    }
    arguments[count++] = path;
    arguments[count++] = "--config=/dev/null";
    arguments[count++] = data;
    arguments[count++] = listen;
    arguments[count++] = port;
    for (size_t i = 0; i < daemon->options_count; i++) {
        arguments[count++] = daemon->options[i];
    }
    arguments[count] = NULL;
    make_environment(daemon, preload, sizeof(preload), environment);

    path_of(log, daemon, "log");
    log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(log_fd, 0);
    path_of(log, daemon, "port");
    unlink(log);
    daemon->pid = fork();
    if (daemon->pid == 0) {
        become((char *const *)(uintptr_t)arguments,
               (char *const *)(uintptr_t)environment, log_fd, parent,
               daemon->descriptors_max);
    }
    ck_assert_int_gt(daemon->pid, 0);
    close(log_fd);
}

static void
pause_shortly(void)
{

    nap_us(LOOK_US);
}

/* Wait for its port, or for its end. True if it is ready. */
static bool
wait_until_ready(struct daemon *daemon, int *status)
{
    char path[ARGUMENT_SIZE];
    struct timespec start, now;
    FILE *file;

    path_of(path, daemon, "port");
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        file = fopen(path, "re");
        if (file != NULL) {
            ck_assert_int_eq(fscanf(file, "%u", &daemon->port), 1);
            fclose(file);
            snprintf(daemon->url, sizeof(daemon->url), "acta://%s:%u",
                     daemon->address, daemon->port);
            return true;
        }
        if (waitpid(daemon->pid, status, WNOHANG) == daemon->pid) {
            daemon->pid = 0;
            return false;
        }
        pause_shortly();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < START_S_MAX);
    daemon_kill(daemon);
    ck_abort_msg("actad was not ready in %d s:\n%s", START_S_MAX,
                 last_words(daemon));
}

void
daemon_start(struct daemon *daemon)
{
    int status = 0;

    spawn(daemon);
    if (!wait_until_ready(daemon, &status)) {
        ck_abort_msg("actad did not start, status 0x%x:\n%s", (unsigned)status,
                     last_words(daemon));
    }
}

int
daemon_try(struct daemon *daemon)
{
    int status = 0;

    spawn(daemon);
    if (wait_until_ready(daemon, &status)) {
        return 0;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        return -SIGKILL;
    }
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) != 0,
                  "actad ended with status 0x%x:\n%s", (unsigned)status,
                  last_words(daemon));
    return WEXITSTATUS(status);
}

int
daemon_start_in_vain(struct daemon *daemon)
{
    int code = daemon_try(daemon);

    if (code == 0) {
        daemon_kill(daemon);
        ck_abort_msg("actad did start");
    }
    return code;
}

/* It has ended with @status: it must have been killed. */
static void
bury(struct daemon *daemon, int status)
{
    daemon->pid = 0;
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "actad had ended by itself, status 0x%x:\n%s",
                  (unsigned)status, last_words(daemon));
}

bool
daemon_is_dead(struct daemon *daemon)
{
    int status = 0;

    ck_assert_int_gt(daemon->pid, 0);
    if (waitpid(daemon->pid, &status, WNOHANG) != daemon->pid) {
        return false;
    }
    bury(daemon, status);
    return true;
}

void
daemon_kill(struct daemon *daemon)
{
    int status = 0;

    ck_assert_int_gt(daemon->pid, 0);
    kill(daemon->pid, SIGKILL);
    ck_assert_int_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    bury(daemon, status);
}

void
daemon_stop(struct daemon *daemon)
{
    int status = 0;

    ck_assert_int_gt(daemon->pid, 0);
    kill(daemon->pid, SIGTERM);
    ck_assert_int_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    daemon->pid = 0;
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "actad stopped with status 0x%x:\n%s", (unsigned)status,
                  last_words(daemon));
}

int
daemon_wait(struct daemon *daemon)
{
    int status = 0;

    ck_assert_int_gt(daemon->pid, 0);
    ck_assert_int_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    daemon->pid = 0;
    ck_assert_msg(WIFEXITED(status), "actad ended with status 0x%x:\n%s",
                  (unsigned)status, last_words(daemon));
    return WEXITSTATUS(status);
}

bool
daemon_has_said(const struct daemon *daemon, const char *text)
{
    static char words[LOG_SIZE_MAX + 1];
    char path[ARGUMENT_SIZE];
    size_t size;
    FILE *file;

    path_of(path, daemon, "log");
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    size = fread(words, 1, LOG_SIZE_MAX, file);
    fclose(file);
    words[size] = '\0';
    return strstr(words, text) != NULL;
}
