#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../clock.h"

#define START_TIMEOUT_NS (30 * NS_PER_S)
#define LOOK_EVERY_NS    (5 * NS_PER_MS)
#define CHILDREN_MAX     4096

void
host_path(const struct host *host, const char *name, char path[HOST_PATH_SIZE])
{
    place_path(host->dir, name, path);
}

/* ---- a place ---- */

/* A port that nobody has now: somebody else could take it until the server
 * does, which then does not start.
 */
static uint16_t
free_port(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint16_t port = 0;

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        port = ntohs(address.sin_port);
    }
    if (fd >= 0) {
        close(fd);
    }
    return port;
}

enum acta_code
host_init(struct host *host, const char *parent, const char *name,
          const char *user, struct acta_err *err)
{
    const struct passwd *entry;

    *host = (struct host){
        .port = free_port(),
        .uid = geteuid(),
        .gid = getegid(),
        .stop_signal = SIGTERM,
    };
    if (user != NULL && geteuid() == 0) {
        entry = getpwnam(user);
        if (entry == NULL) {
            return acta_fail(err, ACTA_NOT_FOUND, "there is no user %s", user);
        }
        host->uid = entry->pw_uid;
        host->gid = entry->pw_gid;
    }
    if (snprintf(host->dir, sizeof(host->dir), "%s/%s", parent, name) >=
            (int)sizeof(host->dir) ||
        mkdir(host->dir, 0700) != 0) {
        host->dir[0] = '\0';
        return acta_fail(err, ACTA_IO, "make a directory in %s: %s", parent,
                         strerror(errno));
    }
    if (chown(host->dir, host->uid, host->gid) != 0) {
        return acta_fail(err, ACTA_IO, "%s: %s", host->dir, strerror(errno));
    }
    return ACTA_OK;
}

enum acta_code
host_copy(const struct host *host, const char *from, const char *name,
          struct acta_err *err)
{
    char path[HOST_PATH_SIZE], bytes[4096];
    FILE *in = fopen(from, "re");
    FILE *out;
    size_t size;
    bool ok;

    if (in == NULL) {
        return acta_fail(err, ACTA_IO, "%s: %s", from, strerror(errno));
    }
    host_path(host, name, path);
    out = fopen(path, "we");
    ok = out != NULL;
    while (ok && (size = fread(bytes, 1, sizeof(bytes), in)) > 0) {
        ok = fwrite(bytes, 1, size, out) == size;
    }
    fclose(in);
    if (out != NULL && fclose(out) != 0) {
        ok = false;
    }
    return ok ? ACTA_OK
              : acta_fail(err, ACTA_IO, "%s: %s", path, strerror(errno));
}

/* ---- a process ---- */

/* In the child: become the program. It ends with its parent, however that
 * ends, and a Ctrl-C on the terminal is for the parent only.
 */
static _Noreturn void
become(const struct host *host, char *const *arguments)
{
    place_log(host->dir);
    setpgid(0, 0);
    if ((geteuid() != host->uid &&
         (setgid(host->gid) != 0 || setuid(host->uid) != 0)) ||
        chdir(host->dir) != 0) {
        _exit(127);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(arguments[0], arguments);
    fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

static enum acta_code
fail_with_words(const struct host *host, const char *what, struct acta_err *err)
{
    char words[120];

    place_last_words(host->dir, words, sizeof(words));
    return acta_fail(err, ACTA_IO, "%s failed: %s", what, words);
}

enum acta_code
host_run(const struct host *host, char *const *arguments, struct acta_err *err)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        become(host, arguments);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0 ? ACTA_OK : fail_with_words(host, arguments[0], err);
}

static bool
can_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool can = fd >= 0 &&
               connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return can;
}

enum acta_code
host_start(struct host *host, char *const *arguments, struct acta_err *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_NS};
    uint64_t start_ns = clock_ns();

    host->pid = fork();
    if (host->pid < 0) {
        host->pid = 0;
        return acta_fail(err, ACTA_IO, "fork: %s", strerror(errno));
    }
    if (host->pid == 0) {
        become(host, arguments);
    }
    while (!can_connect(host->port)) {
        if (waitpid(host->pid, NULL, WNOHANG) == host->pid) {
            host->pid = 0;
            return fail_with_words(host, arguments[0], err);
        }
        if (clock_ns() - start_ns > START_TIMEOUT_NS) {
            return acta_fail(err, ACTA_TIMEOUT, "%s did not start",
                             arguments[0]);
        }
        nanosleep(&pause, NULL);
    }
    return ACTA_OK;
}

bool
host_runs(const struct host *host)
{
    siginfo_t info = {0};

    return host->pid != 0 &&
           waitid(P_PID, (id_t)host->pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid == 0;
}

void
host_remove(struct host *host)
{
    if (host->pid != 0) {
        host_pause(host, false);
        kill(host->pid, host->stop_signal);
        while (waitpid(host->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        host->pid = 0;
    }
    if (host->dir[0] != '\0' && !place_remove(host->dir)) {
        fprintf(stderr, "acta-peers: left behind: %s\n", host->dir);
    }
    host->dir[0] = '\0';
}

/* ---- the process and its children ---- */

/* Ids of both, the process's own first. None of the servers has
 * grandchildren.
 */
static size_t
list_processes(const struct host *host, pid_t pids[CHILDREN_MAX])
{
    char path[64];
    FILE *file;
    size_t count = 1;

    if (host->pid == 0) {
        return 0;
    }
    pids[0] = host->pid;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)host->pid,
             (int)host->pid);
    file = fopen(path, "re");
    if (file == NULL) {
        return count;
    }
    while (count < CHILDREN_MAX && fscanf(file, "%d", &pids[count]) == 1) {
        count++;
    }
    fclose(file);
    return count;
}

void
host_pause(const struct host *host, bool paused)
{
    static pid_t pids[CHILDREN_MAX];
    size_t count = list_processes(host, pids);

    for (size_t i = 0; i < count; i++) {
        kill(pids[i], paused ? SIGSTOP : SIGCONT);
    }
}

/* What children of the process that have ended took, in microseconds: known in
 * ticks only.
 */
static double
ended_us(pid_t pid)
{
    unsigned long user = 0, kernel = 0;
    char path[64], line[1024] = "";
    const char *rest;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    /* Behind the name, which may have anything in it: from the third field to
     * the sixteenth and the one behind it.
     */
    if (fgets(line, sizeof(line), file) != NULL &&
        (rest = strrchr(line, ')')) != NULL) {
        (void)sscanf(rest + 1,
                     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
                     "%lu %lu",
                     &user, &kernel);
    }
    fclose(file);
    return (double)(user + kernel) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

double
host_cpu_us(const struct host *host)
{
    static pid_t pids[CHILDREN_MAX];
    size_t count = list_processes(host, pids);
    double sum = count > 0 ? ended_us(pids[0]) : 0;

    for (size_t i = 0; i < count; i++) {
        sum += place_cpu_us(pids[i]);
    }
    return sum;
}

/* Memory that processes share is counted in parts: to each what there is,
 * divided by how many have it.
 */
static double
proportional_kib(pid_t pid)
{
    char path[64], line[256];
    double sum = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "Pss_Anon:", 9) == 0) {
            sum += strtod(line + 9, NULL);
        } else if (strncmp(line, "Pss_Shmem:", 10) == 0) {
            sum += strtod(line + 10, NULL);
        }
    }
    fclose(file);
    return sum;
}

double
host_memory_mib(const struct host *host)
{
    static pid_t pids[CHILDREN_MAX];
    size_t count = list_processes(host, pids);
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += proportional_kib(pids[i]);
    }
    return sum / 1024;
}

/* ---- files ---- */

double
host_disk_bytes(const struct host *host, const char *name)
{
    char path[HOST_PATH_SIZE];

    host_path(host, name, path);
    return place_disk_bytes(path);
}

static bool sync_wanted; /* By the walk that is under way. */

static int
set_sync(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int flags = 0;
    bool ok;

    (void)stat;
    (void)type;
    (void)at;
    if (fd < 0) {
        return errno == ENOENT ? 0 : -1; /* It may have gone in between. */
    }
    ok = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
    flags = sync_wanted ? flags | FS_SYNC_FL : flags & ~FS_SYNC_FL;
    ok = ok && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
    close(fd);
    return ok ? 0 : -1;
}

enum acta_code
host_sync_writes(const struct host *host, const char *name, bool synced,
                 struct acta_err *err)
{
    char path[HOST_PATH_SIZE];

    host_path(host, name, path);
    sync_wanted = synced;
    return nftw(path, set_sync, 16, FTW_PHYS) == 0
               ? ACTA_OK
               : acta_fail(err, ACTA_UNSUPPORTED,
                           "attribute S of files in %s: %s", path,
                           strerror(errno));
}
