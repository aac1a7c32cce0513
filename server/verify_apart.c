#include "verify_apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A problem on its way, in a pipe. */
struct message {
    char file[FILE_PATH_MAX];
    struct acta_err what;
};

/* Memory of both processes: what is here at the death of the other one tells
 * how far it came.
 */
struct shared {
    struct verify_report report;
    struct acta_err err;
    enum acta_code code;
    bool ended; /* It came to its end: @code is valid. */
    int pipe;   /* Where it writes problems to. */
};

/* ---- in the other process ---- */

/* Signals that a process gets for what it does itself. */
static const int faults[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT};

#define FAULTS_COUNT (sizeof(faults) / sizeof(faults[0]))

static void
send_problem(void *user, const struct acta_err *what)
{
    struct shared *shared = user;
    struct message message = {.what = *what};
    const char *bytes = (const char *)&message;
    size_t sent = 0;

    strcpy(message.file, shared->report.file);
    while (sent < sizeof(message)) {
        ssize_t size =
            write(shared->pipe, bytes + sent, sizeof(message) - sent);

        if (size < 0 && errno != EINTR) {
            _exit(1); /* Nobody listens any more. */
        }
        sent += size < 0 ? 0 : (size_t)size;
    }
}

/* It is to leave nothing behind: no process, no core. */
static void
prepare_to_die(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        signal(faults[i], SIG_DFL);
    }
}

static void
run_in_child(const struct verify_options *options, struct shared *shared)
{
    struct verify_options own = *options;

    prepare_to_die();
    own.problem = send_problem;
    own.user = shared;
    shared->code = verify_database(&own, &shared->report, &shared->err);
    shared->ended = true;
    _exit(0);
}

/* ---- in this one ---- */

/* False at the end. */
static bool
receive(int from, struct message *message)
{
    char *bytes = (char *)message;
    size_t got = 0;

    while (got < sizeof(*message)) {
        ssize_t size = read(from, bytes + got, sizeof(*message) - got);

        if (size == 0 || (size < 0 && errno != EINTR)) {
            return false;
        }
        got += size < 0 ? 0 : (size_t)size;
    }
    return true;
}

static void
pass_on(const struct verify_options *options, struct verify_report *report,
        int from)
{
    struct message message;

    while (receive(from, &message)) {
        strcpy(report->file, message.file);
        options->problem(options->user, &message.what);
    }
}

static bool
is_fault(int signal)
{
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        if (faults[i] == signal) {
            return true;
        }
    }
    return false;
}

static enum acta_code
fail_end(const struct verify_options *options, struct verify_report *report,
         int status, struct acta_err *err)
{
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    struct acta_err what;

    if (!is_fault(signal)) {
        return acta_fail(err, ACTA_IO, "verifying was ended: %s",
                         signal == 0 ? "exit" : strsignal(signal));
    }
    (void)acta_fail(&what, ACTA_CORRUPT,
                    signal == SIGBUS
                        ? "a part of it cannot be read, the rest was not "
                          "looked at: the disk fails, or the file is cut short"
                        : "looking at it has failed (%s), the rest was not "
                          "looked at",
                    strsignal(signal));
    report->problems++;
    options->problem(options->user, &what);
    return ACTA_OK;
}

static enum acta_code
wait_for_end(const struct verify_options *options, struct verify_report *report,
             const struct shared *shared, pid_t child, struct acta_err *err)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return acta_fail(err, ACTA_IO, "wait: %s", strerror(errno));
        }
    }
    *report = shared->report;
    if (!shared->ended) {
        return fail_end(options, report, status, err);
    }
    if (shared->code != ACTA_OK && err != NULL) {
        *err = shared->err;
    }
    return shared->code;
}

static enum acta_code
run_and_listen(const struct verify_options *options,
               struct verify_report *report, struct shared *shared,
               struct acta_err *err)
{
    enum acta_code code;
    pid_t child;
    int ends[2];

    if (pipe(ends) != 0) {
        return acta_fail(err, ACTA_IO, "pipe: %s", strerror(errno));
    }
    shared->pipe = ends[1];
    child = fork();
    if (child == 0) {
        close(ends[0]);
        run_in_child(options, shared);
    }
    close(ends[1]);
    if (child < 0) {
        code = acta_fail(err, ACTA_MEMORY, "fork: %s", strerror(errno));
    } else {
        pass_on(options, report, ends[0]);
        code = wait_for_end(options, report, shared, child, err);
    }
    close(ends[0]);
    return code;
}

enum acta_code
verify_apart(const struct verify_options *options, struct verify_report *report,
             struct acta_err *err)
{
    struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    enum acta_code code;

    *report = (struct verify_report){0};
    if (shared == MAP_FAILED) {
        return acta_fail(err, ACTA_MEMORY, "map: %s", strerror(errno));
    }
    code = run_and_listen(options, report, shared, err);
    munmap(shared, sizeof(*shared));
    return code;
}
