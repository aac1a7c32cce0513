/* A program that cannot be started is told of through a second pipe, which
 * closes without a word when exec() has worked.
 */

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"

/* ---- start ---- */

/* In the new process: become the program, or tell why not through @report. */
static void
become(char *const *argv, int input, int report)
{
    int error;

    signal(SIGPIPE, SIG_DFL);
    if (input < 0 || dup2(input, STDIN_FILENO) >= 0) {
        execvp(argv[0], argv);
    }
    error = errno;
    (void)!write(report, &error, sizeof(error));
    _exit(127);
}

static enum acta_code
start(struct child *child, char *const *argv, int input, struct acta_err *err)
{
    int report[2];
    int error = 0;

    if (pipe2(report, O_CLOEXEC) != 0) {
        return acta_fail(err, ACTA_IO, "pipe: %s", strerror(errno));
    }
    child->pid = fork();
    if (child->pid == 0) {
        become(argv, input, report[1]);
    }
    close(report[1]);
    if (child->pid < 0) {
        error = errno;
        child->pid = 0;
    } else if (read(report[0], &error, sizeof(error)) == sizeof(error)) {
        child_wait(child);
    }
    close(report[0]);
    if (error != 0) {
        return acta_fail(err, error == ENOENT ? ACTA_NOT_FOUND : ACTA_IO,
                         "%s: %s", argv[0], strerror(error));
    }
    return ACTA_OK;
}

enum acta_code
child_start_program(struct child *child, char *const *argv,
                    struct acta_err *err)
{
    *child = (struct child){.input = -1};
    return start(child, argv, -1, err);
}

enum acta_code
child_start_line(struct child *child, const char *line, struct acta_err *err)
{
    char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, strdupa(line), NULL};
    enum acta_code code;
    int input[2];

    *child = (struct child){.input = -1};
    if (pipe2(input, O_CLOEXEC) != 0) {
        return acta_fail(err, ACTA_IO, "pipe: %s", strerror(errno));
    }
    code = start(child, argv, input[0], err);
    close(input[0]);
    if (code != ACTA_OK) {
        close(input[1]);
        return code;
    }
    signal(SIGPIPE, SIG_IGN); /* That it reads no more is seen by EPIPE. */
    fcntl(input[1], F_SETFL, O_NONBLOCK);
    child->input = input[1];
    return ACTA_OK;
}

/* ---- its input ---- */

bool
child_feed(struct child *child, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0 && child->input >= 0 && interrupt_caught() == 0) {
        struct pollfd pollfd = {.fd = child->input, .events = POLLOUT};
        ssize_t written = write(child->input, at, size);

        if (written > 0) {
            at += written;
            size -= (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            interrupt_wait(&pollfd, 1, -1);
        } else if (written < 0 && errno != EINTR) {
            child_end_input(child);
        }
    }
    return size == 0;
}

void
child_end_input(struct child *child)
{
    if (child->input >= 0) {
        close(child->input);
        child->input = -1;
    }
}

/* ---- its end ---- */

/* @options: of waitpid(). */
static void
look(struct child *child, int options)
{
    pid_t pid;

    do {
        pid = waitpid(child->pid, &child->status, options);
    } while (pid < 0 && errno == EINTR);
    if (pid == child->pid) {
        child->pid = 0;
    }
}

bool
child_has_ended(struct child *child)
{
    if (child->pid != 0) {
        look(child, WNOHANG);
    }
    return child->pid == 0;
}

void
child_wait(struct child *child)
{
    while (!child_has_ended(child) && interrupt_caught() == 0) {
        interrupt_wait(NULL, 0, -1);
    }
    if (child->pid != 0) {
        child_pass(child, interrupt_caught());
        look(child, 0);
    }
}

void
child_pass(const struct child *child, int number)
{
    bool is_from_terminal =
        number == SIGINT && tcgetpgrp(STDIN_FILENO) == getpgrp();

    if (!is_from_terminal) {
        kill(child->pid, number);
    }
}

int
child_exit_code(const struct child *child)
{
    return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status)
                                      : WEXITSTATUS(child->status);
}

void
child_describe(const struct child *child, char text[static CHILD_TEXT_SIZE])
{
    if (WIFSIGNALED(child->status)) {
        snprintf(text, CHILD_TEXT_SIZE, "was ended by signal %d",
                 WTERMSIG(child->status));
    } else {
        snprintf(text, CHILD_TEXT_SIZE, "exited with %d",
                 WEXITSTATUS(child->status));
    }
}
