#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clock.h"

#define SYNC_FILE_SIZE ((size_t)16 << 20)
#define BLOCK          ((size_t)4096)
#define MESSAGE_SIZE   ((size_t)64)
#define COPY_SIZE      ((size_t)256 << 10)
#define MEMORY_SIZE    ((size_t)128 << 20)

/* ---- what it is ---- */

static void
describe_cpu(struct machine *machine)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char *colon = strchr(line, ':');

        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(machine->cpu, sizeof(machine->cpu), "%.90s", colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void
describe_filesystem(struct machine *machine, const char *dir)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {
        {0xef53, "ext4"},
        {0x58465342, "xfs"},
        {0x9123683e, "btrfs"},
        {0x2fc12fc1, "zfs"},
        {0x01021994, "tmpfs (not a disk)"},
        {0x794c7630, "overlay"},
    };
    struct statfs info;

    if (statfs(dir, &info) != 0) {
        return;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if ((unsigned long)info.f_type == known[i].magic) {
            snprintf(machine->filesystem, sizeof(machine->filesystem), "%s",
                     known[i].name);
        }
    }
}

void
limits_describe(struct machine *machine, const char *dir)
{
    struct utsname names;

    *machine = (struct machine){
        .cpu = "unknown",
        .cpus = sysconf(_SC_NPROCESSORS_ONLN),
        .kernel = "unknown",
        .memory_gib = (double)sysconf(_SC_PHYS_PAGES) *
                      (double)sysconf(_SC_PAGESIZE) / (1 << 30),
        .filesystem = "unknown",
    };
    describe_cpu(machine);
    describe_filesystem(machine, dir);
    if (uname(&names) == 0) {
        snprintf(machine->kernel, sizeof(machine->kernel), "%.40s %.50s",
                 names.sysname, names.release);
    }
}

/* ---- disk ---- */

static enum acta_code
fill_file(int fd, const uint8_t *block, size_t size, struct acta_err *err)
{
    for (size_t at = 0; at + size <= SYNC_FILE_SIZE; at += size) {
        if (pwrite(fd, block, size, (off_t)at) != (ssize_t)size) {
            return acta_fail(err, ACTA_IO, "write: %s", strerror(errno));
        }
    }
    if (fsync(fd) != 0) {
        return acta_fail(err, ACTA_IO, "fsync: %s", strerror(errno));
    }
    return ACTA_OK;
}

static enum acta_code
time_syncs(int fd, const uint8_t *block, size_t size, size_t count,
           struct hist *hist, struct acta_err *err)
{
    size_t blocks = SYNC_FILE_SIZE / size;

    for (size_t i = 0; i < count; i++) {
        uint64_t start_ns = clock_ns();

        if (pwrite(fd, block, size, (off_t)(i % blocks * size)) !=
                (ssize_t)size ||
            fdatasync(fd) != 0) {
            return acta_fail(err, ACTA_IO, "write and sync: %s",
                             strerror(errno));
        }
        hist_add(hist, clock_ns() - start_ns);
    }
    return ACTA_OK;
}

enum acta_code
limits_sync(const char *dir, bool direct, size_t size, size_t count,
            struct hist *hist, struct acta_err *err)
{
    int flags = O_RDWR | O_CLOEXEC | (direct ? O_DIRECT : 0);
    char path[600];
    void *block = NULL;
    enum acta_code code;
    int fd;

    snprintf(path, sizeof(path), "%s/sync-XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        return acta_fail(err, ACTA_IO, "make a file in %s: %s", dir,
                         strerror(errno));
    }
    close(fd);
    fd = open(path, flags);
    if (fd < 0 && errno == EINVAL) {
        fd = open(path, flags & ~O_DIRECT); /* Not every file system can. */
    }
    unlink(path);
    if (fd < 0 || posix_memalign(&block, BLOCK, size) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return acta_fail(err, ACTA_IO, "open a file in %s: %s", dir,
                         strerror(errno));
    }
    memset(block, 0x5a, size);
    code = fill_file(fd, block, size, err);
    if (code == ACTA_OK) {
        code = time_syncs(fd, block, size, count, hist, err);
    }
    free(block);
    close(fd);
    return code;
}

/* ---- loopback ---- */

/* Two ends of a TCP connection on loopback. */
static enum acta_code
connect_pair(int ends[2], struct acta_err *err)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    ends[0] = ends[1] = -1;
    if (listener >= 0 &&
        bind(listener, (struct sockaddr *)&address, size) == 0 &&
        listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &size) == 0) {
        ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (ends[0] >= 0 &&
            connect(ends[0], (struct sockaddr *)&address, size) == 0) {
            ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        }
    }
    close(listener);
    if (ends[1] < 0) {
        close(ends[0]);
        return acta_fail(err, ACTA_IO, "connect on loopback: %s",
                         strerror(errno));
    }
    for (int i = 0; i < 2; i++) {
        setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    return ACTA_OK;
}

static bool
receive_message(int fd, uint8_t message[MESSAGE_SIZE])
{
    return recv(fd, message, MESSAGE_SIZE, MSG_WAITALL) ==
           (ssize_t)MESSAGE_SIZE;
}

static bool
send_message(int fd, const uint8_t message[MESSAGE_SIZE])
{
    return send(fd, message, MESSAGE_SIZE, MSG_NOSIGNAL) ==
           (ssize_t)MESSAGE_SIZE;
}

/* The other end of round trips: sends back what comes. */
static void *
echo(void *user)
{
    uint8_t message[MESSAGE_SIZE];
    int fd = *(const int *)user;

    while (receive_message(fd, message) && send_message(fd, message)) {
    }
    return NULL;
}

enum acta_code
limits_round_trip(size_t count, struct hist *hist, struct acta_err *err)
{
    uint8_t message[MESSAGE_SIZE] = {0};
    enum acta_code code;
    pthread_t thread;
    int ends[2];

    code = connect_pair(ends, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (pthread_create(&thread, NULL, echo, &ends[1]) != 0) {
        code = acta_fail(err, ACTA_MEMORY, "thread");
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t start_ns = clock_ns();

        if (!send_message(ends[0], message) ||
            !receive_message(ends[0], message)) {
            code = acta_fail(err, ACTA_IO, "loopback: %s", strerror(errno));
            break;
        }
        hist_add(hist, clock_ns() - start_ns);
    }
    shutdown(ends[0], SHUT_WR);
    pthread_join(thread, NULL);
done:
    close(ends[0]);
    close(ends[1]);
    return code;
}

/* The other end of a copy: sends until nobody takes it. */
static void *
pour(void *user)
{
    static uint8_t bytes[COPY_SIZE];
    int fd = *(const int *)user;

    while (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0) {
    }
    return NULL;
}

enum acta_code
limits_loopback(uint64_t size, double *bytes_s, struct acta_err *err)
{
    static uint8_t bytes[COPY_SIZE];
    uint64_t start_ns, got = 0;
    enum acta_code code;
    pthread_t thread;
    int ends[2];

    code = connect_pair(ends, err);
    if (code != ACTA_OK) {
        return code;
    }
    start_ns = clock_ns();
    if (pthread_create(&thread, NULL, pour, &ends[1]) != 0) {
        code = acta_fail(err, ACTA_MEMORY, "thread");
        goto done;
    }
    while (got < size) {
        ssize_t piece = recv(ends[0], bytes, sizeof(bytes), 0);

        if (piece <= 0) {
            code = acta_fail(err, ACTA_IO, "loopback: %s", strerror(errno));
            break;
        }
        got += (uint64_t)piece;
    }
    *bytes_s = (double)got * (double)NS_PER_S / (double)(clock_ns() - start_ns);
    shutdown(ends[0], SHUT_RDWR);
    shutdown(ends[1], SHUT_RDWR);
    pthread_join(thread, NULL);
done:
    close(ends[0]);
    close(ends[1]);
    return code;
}

/* ---- memory ---- */

enum acta_code
limits_memory(uint64_t size, double *bytes_s, struct acta_err *err)
{
    uint8_t *from = malloc(MEMORY_SIZE), *to = malloc(MEMORY_SIZE);
    uint64_t start_ns, copied = 0;

    if (from == NULL || to == NULL) {
        free(from);
        free(to);
        return acta_fail(err, ACTA_MEMORY, "memory copy");
    }
    /* The kernel gives pages when they are written to: not what is timed. */
    memset(from, 1, MEMORY_SIZE);
    memset(to, 2, MEMORY_SIZE);
    start_ns = clock_ns();
    while (copied < size) {
        memcpy(to, from, MEMORY_SIZE);
        __asm__ volatile("" : : "r"(to) : "memory");
        copied += MEMORY_SIZE;
    }
    *bytes_s =
        (double)copied * (double)NS_PER_S / (double)(clock_ns() - start_ns);
    free(from);
    free(to);
    return ACTA_OK;
}
