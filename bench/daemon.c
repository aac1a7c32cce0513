#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "place.h"

#define START_TIMEOUT_NS (120 * NS_PER_S)
#define END_TIMEOUT_NS   (5 * NS_PER_S)
#define LOOK_EVERY_NS    (500 * NS_PER_US)
#define ARGUMENTS_MAX    64 /* With the NULL at their end. */

const char *
daemon_path(const char *given)
{
    static char path[PLACE_PATH_SIZE];
    ssize_t size;
    char *end;

    if (given != NULL) {
        return given;
    }
    size = readlink("/proc/self/exe", path, sizeof(path) - 32);
    if (size > 0) {
        path[size] = '\0';
        end = strrchr(path, '/');
        strcpy(end, "/../server/actad");
        if (access(path, X_OK) == 0) {
            return path;
        }
    }
    return "actad";
}

static enum acta_code
use_kept(struct daemon *daemon, const char *kept, struct acta_err *err)
{
    if (strlen(kept) >= sizeof(daemon->dir) ||
        (mkdir(kept, 0700) != 0 && errno != EEXIST)) {
        return acta_fail(err, ACTA_IO, "make %s: %s", kept, strerror(errno));
    }
    strcpy(daemon->dir, kept);
    daemon->is_kept = true;
    return ACTA_OK;
}

enum acta_code
daemon_init(struct daemon *daemon, const char *path, const char *parent,
            const char *kept, char **arguments, struct acta_err *err)
{
    *daemon = (struct daemon){.path = path, .arguments = arguments};
    if (kept != NULL) {
        return use_kept(daemon, kept, err);
    }
    if (parent == NULL) {
        parent = getenv("TMPDIR");
    }
    if (parent == NULL) {
        parent = "/tmp";
    }
    if (snprintf(daemon->dir, sizeof(daemon->dir), "%s/acta-bench-XXXXXX",
                 parent) >= (int)sizeof(daemon->dir) ||
        mkdtemp(daemon->dir) == NULL) {
        daemon->dir[0] = '\0';
        return acta_fail(err, ACTA_IO, "make a directory in %s: %s", parent,
                         strerror(errno));
    }
    return ACTA_OK;
}

/* ---- start ---- */

/* In the child: become actad. It ends with its parent, however that ends, and
 * a Ctrl-C on the terminal is for the parent only.
 */
static _Noreturn void
become(const struct daemon *daemon, char *const *arguments)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    place_log(daemon->dir);
    execvp(daemon->path, arguments);
    fprintf(stderr, "%s: %s\n", daemon->path, strerror(errno));
    _exit(127);
}

static bool
read_port(struct daemon *daemon, const char *path)
{
    FILE *file = fopen(path, "re");
    bool ok;

    if (file == NULL) {
        return false;
    }
    ok = fscanf(file, "%hu", &daemon->port) == 1;
    fclose(file);
    return ok;
}

static enum acta_code
wait_for_port(struct daemon *daemon, const char *port_file,
              struct acta_err *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
    char words[160];

    while (!read_port(daemon, port_file)) {
        if (waitpid(daemon->pid, NULL, WNOHANG) == daemon->pid) {
            daemon->pid = 0;
            place_last_words(daemon->dir, words, sizeof(words));
            return acta_fail(err, ACTA_IO, "%s did not start: %s", daemon->path,
                             words);
        }
        if (clock_ns() - daemon->exec_ns > START_TIMEOUT_NS) {
            return acta_fail(err, ACTA_TIMEOUT, "%s did not start",
                             daemon->path);
        }
        nanosleep(&pause, NULL);
    }
    return ACTA_OK;
}

enum acta_code
daemon_start(struct daemon *daemon, struct acta_err *err)
{
    char data[PLACE_PATH_SIZE], port_file[PLACE_PATH_SIZE];
    char *arguments[ARGUMENTS_MAX] = {
        "actad",       "--data-dir", data,          "--listen", "127.0.0.1:0",
        "--port-file", port_file,    "--log-level", "warning",
    };
    size_t count = 9;

    place_path(daemon->dir, "data", data);
    place_path(daemon->dir, "port", port_file);
    for (char **more = daemon->arguments; *more != NULL; more++) {
        if (count == ARGUMENTS_MAX - 1) {
            return acta_fail(err, ACTA_INVALID, "too many arguments for actad");
        }
        arguments[count++] = *more;
    }
    unlink(port_file);
    daemon->exec_ns = clock_ns();
    daemon->pid = fork();
    if (daemon->pid < 0) {
        daemon->pid = 0;
        return acta_fail(err, ACTA_IO, "fork: %s", strerror(errno));
    }
    if (daemon->pid == 0) {
        become(daemon, arguments);
    }
    return wait_for_port(daemon, port_file, err);
}

/* ---- stop ---- */

enum acta_code
daemon_stop(struct daemon *daemon, int signal, struct acta_err *err)
{
    char words[160];
    int status;

    if (daemon->pid == 0) {
        return ACTA_OK;
    }
    kill(daemon->pid, signal);
    while (waitpid(daemon->pid, &status, 0) < 0 && errno == EINTR) {
    }
    daemon->pid = 0;
    if (signal != SIGKILL && status != 0) {
        place_last_words(daemon->dir, words, sizeof(words));
        return acta_fail(err, ACTA_IO, "actad ended badly: %s", words);
    }
    return ACTA_OK;
}

/* How the end of a server looks from a connection. */
static bool
is_lost(enum acta_code code)
{
    return code == ACTA_UNREACHABLE || code == ACTA_UNKNOWN ||
           code == ACTA_STOPPING || code == ACTA_TIMEOUT;
}

/* A process that is killed loses its connections before it can be waited for,
 * and a large one takes a while in between.
 */
static bool
has_ended(const struct daemon *daemon, enum acta_code code, int *status)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
    uint64_t begun = clock_ns();
    pid_t ended = 0;

    while ((ended = waitpid(daemon->pid, status, WNOHANG)) == 0 &&
           is_lost(code) && clock_ns() - begun < END_TIMEOUT_NS) {
        nanosleep(&pause, NULL);
    }
    return ended == daemon->pid;
}

void
daemon_explain(struct daemon *daemon, struct acta_err *err)
{
    char words[160];
    int status;

    if (daemon->pid == 0 || !has_ended(daemon, err->code, &status)) {
        return;
    }
    daemon->pid = 0;
    place_last_words(daemon->dir, words, sizeof(words));
    acta_wrap(err, err->code, "actad has ended (%s %d: %.120s)",
              WIFSIGNALED(status) ? "signal" : "exit code",
              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
              words);
}

void
daemon_remove(struct daemon *daemon)
{
    (void)daemon_stop(daemon, daemon->is_kept ? SIGTERM : SIGKILL, NULL);
    if (daemon->dir[0] != '\0' && !daemon->is_kept &&
        !place_remove(daemon->dir)) {
        fprintf(stderr, "acta-bench: left behind: %s\n", daemon->dir);
    }
    daemon->dir[0] = '\0';
}

void
daemon_pause(const struct daemon *daemon, bool paused)
{
    if (daemon->pid != 0) {
        kill(daemon->pid, paused ? SIGSTOP : SIGCONT);
    }
}

/* ---- what it uses ---- */

/* The number behind "@name" in a file of /proc, or 0. */
static double
proc_number(pid_t pid, const char *file, const char *name)
{
    char path[64], line[256];
    double number = 0;
    FILE *stream;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    stream = fopen(path, "re");
    if (stream == NULL) {
        return 0;
    }
    while (fgets(line, sizeof(line), stream) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            number = strtod(line + strlen(name), NULL);
            break;
        }
    }
    fclose(stream);
    return number;
}

/* The kernel counts sectors of 512 bytes that are written to a disk, from all
 * that have files there: the seventh number.
 */
static double
device_bytes(const char *dir)
{
    struct stat stat_of;
    double sectors = 0;
    char path[64];
    FILE *file;

    if (stat(dir, &stat_of) != 0) {
        return 0;
    }
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/stat",
             major(stat_of.st_dev), minor(stat_of.st_dev));
    file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    if (fscanf(file, "%*f %*f %*f %*f %*f %*f %lf", &sectors) != 1) {
        sectors = 0;
    }
    fclose(file);
    return sectors * 512;
}

/* Of the two counts of written bytes, wchar has what was given to write(): all
 * of it goes to files here, since sockets are sent to. The other one,
 * write_bytes, counts what became dirty in the page cache by whole folios: a
 * page of 4 KiB in one of 2 MiB counts as 2 MiB.
 */
struct daemon_usage
daemon_usage(const struct daemon *daemon)
{
    if (daemon->pid == 0) {
        return (struct daemon_usage){0};
    }
    return (struct daemon_usage){
        .cpu_us = place_cpu_us(daemon->pid),
        .written = proc_number(daemon->pid, "io", "wchar:"),
        .device = device_bytes(daemon->dir),
        .anon_mib = proc_number(daemon->pid, "status", "RssAnon:") / 1024,
    };
}
