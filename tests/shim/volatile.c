/* A library to preload into actad: makes what it writes to its journal volatile
 * until it syncs.
 *
 * SIGKILL alone loses nothing that was written: the kernel has it, and a
 * program that never syncs looks as good as one that does. With this library
 * writes to files below a directory named "journal" stay in the memory of the
 * process, and are carried out when that file is synced; names change when the
 * directory is synced. So SIGKILL loses what a power cut may lose.
 *
 * Nothing reads what it is about to sync: the journal is only read at a start,
 * when nothing is held back yet. A file that is made, or removed, is so at
 * once: it costs nothing to find it, or to find it gone, after a power cut.
 *
 * VOLATILE_SYNC_EVERY=N in the environment makes a liar of the disk: of the
 * syncs of a segment only every N-th does anything, the others only say so. To
 * clients this is a server that acknowledges before it syncs.
 */

#include "shim.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A write that is held back. */
struct held_write {
    struct held_write *next;
    dev_t device;
    ino_t inode;
    int fd; /* Of its own: the writer's may be closed by then. */
    off_t offset;
    size_t size;
    char bytes[];
};

struct held_rename {
    struct held_rename *next;
    char from[PATH_MAX];
    char to[PATH_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards these: */
static struct held_write *writes;
static struct held_rename *renames;
static unsigned long syncs_count;

SHOWN pwrite_fn pwrite;
SHOWN pwrite_fn pwrite64;
SHOWN sync_fn fdatasync;
SHOWN sync_fn fsync;
SHOWN rename_fn rename;

/* ---- what is a journal's ---- */

static bool
is_journal_file(const char *path)
{
    return strstr(path, "/journal/") != NULL;
}

static bool
is_journal_dir(const char *path)
{
    const char *name = strrchr(path, '/');

    return name != NULL && strcmp(name, "/journal") == 0;
}

static bool
is_segment(const char *path)
{
    return strstr(path, "/journal/segment-") != NULL;
}

/* ---- writes ---- */

static ssize_t
hold_write(int fd, const void *bytes, size_t size, off_t offset)
{
    struct held_write **last = &writes;
    struct held_write *held;
    struct stat status;
    char link[64];

    held = malloc(sizeof(*held) + size);
    if (held == NULL || fstat(fd, &status) != 0) {
        abort();
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    *held = (struct held_write){
        .device = status.st_dev,
        .inode = status.st_ino,
        .fd = open(link, O_WRONLY | O_CLOEXEC),
        .offset = offset,
        .size = size,
    };
    if (held->fd < 0) {
        abort();
    }
    memcpy(held->bytes, bytes, size);
    pthread_mutex_lock(&lock);
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = held;
    pthread_mutex_unlock(&lock);
    return (ssize_t)size;
}

static void
carry_out(struct held_write *held)
{
    pwrite_fn *real = REAL(pwrite_fn, "pwrite");
    size_t done = 0;

    while (done < held->size) {
        ssize_t part = real(held->fd, held->bytes + done, held->size - done,
                            held->offset + (off_t)done);

        if (part <= 0) {
            abort();
        }
        done += (size_t)part;
    }
    close(held->fd);
    free(held);
}

/* Carry out, in order, what is held back of one file. */
static void
release_writes(int fd)
{
    struct held_write **at = &writes;
    struct stat status;

    if (fstat(fd, &status) != 0) {
        abort();
    }
    pthread_mutex_lock(&lock);
    while (*at != NULL) {
        struct held_write *held = *at;

        if (held->device == status.st_dev && held->inode == status.st_ino) {
            *at = held->next;
            carry_out(held);
        } else {
            at = &held->next;
        }
    }
    pthread_mutex_unlock(&lock);
}

static ssize_t
write_at(const char *name, int fd, const void *bytes, size_t size, off_t offset)
{
    char path[PATH_MAX];

    path_of(fd, path);
    if (is_journal_file(path)) {
        return hold_write(fd, bytes, size, offset);
    }
    return REAL(pwrite_fn, name)(fd, bytes, size, offset);
}

ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_at("pwrite", fd, bytes, size, offset);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_at("pwrite64", fd, bytes, size, offset);
}

/* ---- names ---- */

int
rename(const char *from, const char *to)
{
    struct held_rename **last = &renames;
    struct held_rename *held;

    if (!is_journal_file(from) || access(from, F_OK) != 0) {
        return REAL(rename_fn, "rename")(from, to);
    }
    held = calloc(1, sizeof(*held));
    if (held == NULL || strlen(from) >= PATH_MAX || strlen(to) >= PATH_MAX) {
        abort();
    }
    strcpy(held->from, from);
    strcpy(held->to, to);
    pthread_mutex_lock(&lock);
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = held;
    pthread_mutex_unlock(&lock);
    return 0;
}

static void
release_renames(void)
{
    rename_fn *real = REAL(rename_fn, "rename");

    pthread_mutex_lock(&lock);
    while (renames != NULL) {
        struct held_rename *held = renames;

        if (real(held->from, held->to) != 0) {
            abort();
        }
        renames = held->next;
        free(held);
    }
    pthread_mutex_unlock(&lock);
}

/* ---- syncs ---- */

static bool
is_skipped(const char *path)
{
    const char *every = getenv("VOLATILE_SYNC_EVERY");
    unsigned long times = every == NULL ? 1 : strtoul(every, NULL, 10);
    bool skipped;

    if (times <= 1 || !is_segment(path)) {
        return false;
    }
    pthread_mutex_lock(&lock);
    skipped = ++syncs_count % times != 0;
    pthread_mutex_unlock(&lock);
    return skipped;
}

static int
sync_file(const char *name, int fd)
{
    char path[PATH_MAX];

    path_of(fd, path);
    if (is_skipped(path)) {
        return 0;
    }
    if (is_journal_file(path)) {
        release_writes(fd);
    } else if (is_journal_dir(path)) {
        release_renames();
    }
    return REAL(sync_fn, name)(fd);
}

int
fdatasync(int fd)
{
    return sync_file("fdatasync", fd);
}

int
fsync(int fd)
{
    return sync_file("fsync", fd);
}
