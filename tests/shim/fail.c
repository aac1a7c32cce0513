/* A library to preload into a program that has a database: makes the n-th call
 * of one kind fail, among those that are about files below a directory
 * (fault/fail.h), and counts them.
 */

#include "shim.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fail.h"

#define BLOCK 512

SHOWN open_fn open;
SHOWN open_fn open64;
SHOWN pwrite_fn pwrite;
SHOWN pwrite_fn pwrite64;
SHOWN pread_fn pread;
SHOWN pread_fn pread64;
SHOWN writev_fn writev;
SHOWN sync_fn fdatasync;
SHOWN sync_fn fsync;
SHOWN sync_range_fn sync_file_range;
SHOWN rename_fn rename;
SHOWN path_fn unlink;
SHOWN mkdir_fn mkdir;
SHOWN resize_fn ftruncate;
SHOWN resize_fn ftruncate64;
SHOWN allocate_fn posix_fallocate;
SHOWN allocate_fn posix_fallocate64;
SHOWN mmap_fn mmap;
SHOWN mmap_fn mmap64;

/* What a file had where something was written that is not synced. */
struct before {
    struct before *next;
    ino_t inode;
    off_t offset;
    size_t size;
    char bytes[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards these: */
static struct before *befores;                           /* The newest first. */
static struct fail_counts *counts;
static const char *dir; /* NULL: nothing is counted. */
static enum fail_call call;
static enum fail_how how;
static uint64_t nth;
static int error;
static bool is_ready;

/* ---- who fails ---- */

static uint64_t
number_of(const char *name)
{
    const char *text = getenv(name);

    return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static void
make_ready(void)
{
    const char *path = getenv(FAIL_COUNTS);
    int fd;

    is_ready = true;
    if (getenv(FAIL_DIR) == NULL || path == NULL) {
        return;
    }
    fd = REAL(open_fn, "open")(path, O_RDWR | O_CLOEXEC);
    counts = REAL(mmap_fn, "mmap")(NULL, sizeof(*counts),
                                   PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || counts == MAP_FAILED) {
        abort();
    }
    close(fd);
    dir = getenv(FAIL_DIR);
    call = (enum fail_call)number_of(FAIL_CALL);
    how = (enum fail_how)number_of(FAIL_HOW);
    nth = number_of(FAIL_NTH);
    error = (int)number_of(FAIL_ERRNO);
}

static bool
is_below(const char *path)
{
    size_t size = dir == NULL ? 0 : strlen(dir);

    return dir != NULL && strncmp(path, dir, size) == 0 && path[size] == '/';
}

static void __attribute__((noreturn)) die(void)
{
    kill(getpid(), SIGKILL);
    abort();
}

/* Count a call that is about @path. True if it is to fail. */
static bool
fails_at(enum fail_call kind, const char *path)
{
    bool fails = false;

    pthread_mutex_lock(&lock);
    if (!is_ready) {
        make_ready();
    }
    if (is_below(path)) {
        uint64_t number = ++counts->calls[kind];

        fails = kind == call && nth > 0 &&
                (number == nth || (number > nth && how == FAIL_FOR_GOOD));
        counts->failed += fails;
    }
    pthread_mutex_unlock(&lock);
    if (fails && how == FAIL_KILL) {
        die();
    }
    if (fails) {
        errno = error;
    }
    return fails;
}

static bool
fails(enum fail_call kind, int fd)
{
    char path[PATH_MAX];

    path_of(fd, path);
    return fails_at(kind, path);
}

/* ---- pages that are dropped ---- */

static ino_t
inode_of(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        abort();
    }
    return status.st_ino;
}

/* The same file, for reading and writing anything anywhere. */
static int
open_again(int fd)
{
    char link[64];
    int again;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    again = REAL(open_fn, "open")(link, O_RDWR | O_CLOEXEC);
    if (again < 0) {
        abort();
    }
    return again;
}

/* Remember what the file has there, unless each write is synced. */
static void
keep(int fd, size_t size, off_t offset)
{
    struct before *before;
    ssize_t got;
    int again;

    if (how != FAIL_DROP || size == 0 || (fcntl(fd, F_GETFL) & O_DSYNC) != 0) {
        return;
    }
    before = calloc(1, sizeof(*before) + size);
    again = open_again(fd);
    if (before == NULL) {
        abort();
    }
    *before =
        (struct before){.inode = inode_of(fd), .offset = offset, .size = size};
    got = REAL(pread_fn, "pread")(again, before->bytes, size, offset);
    if (got < 0) { /* What lies behind the end reads as zeros. */
        abort();
    }
    close(again);
    pthread_mutex_lock(&lock);
    before->next = befores;
    befores = before;
    pthread_mutex_unlock(&lock);
}

/* The file is synced; or, if @drops, its pages are gone. */
static void
forget(int fd, bool drops)
{
    struct before **at = &befores;
    ino_t inode;
    int again;

    if (how != FAIL_DROP) {
        return;
    }
    inode = inode_of(fd);
    again = drops ? open_again(fd) : -1;
    pthread_mutex_lock(&lock);
    while (*at != NULL) {
        struct before *before = *at;

        if (before->inode != inode) {
            at = &before->next;
            continue;
        }
        if (drops && REAL(pwrite_fn, "pwrite")(again, before->bytes,
                                               before->size, before->offset) !=
                         (ssize_t)before->size) {
            abort();
        }
        *at = before->next;
        free(before);
    }
    pthread_mutex_unlock(&lock);
    if (again >= 0) {
        close(again);
    }
}

/* ---- files ---- */

int
open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_AFTER(flags, mode);
    return fails_at(FAIL_OPEN, path) ? -1
                                     : REAL(open_fn, "open")(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_AFTER(flags, mode);
    return fails_at(FAIL_OPEN, path)
               ? -1
               : REAL(open_fn, "open64")(path, flags, mode);
}

int
ftruncate(int fd, off_t size)
{
    return fails(FAIL_FTRUNCATE, fd) ? -1
                                     : REAL(resize_fn, "ftruncate")(fd, size);
}

int
ftruncate64(int fd, off_t size)
{
    return fails(FAIL_FTRUNCATE, fd) ? -1
                                     : REAL(resize_fn, "ftruncate64")(fd, size);
}

/* This one returns the error. */
int
posix_fallocate(int fd, off_t offset, off_t size)
{
    return fails(FAIL_FALLOCATE, fd)
               ? error
               : REAL(allocate_fn, "posix_fallocate")(fd, offset, size);
}

int
posix_fallocate64(int fd, off_t offset, off_t size)
{
    return fails(FAIL_FALLOCATE, fd)
               ? error
               : REAL(allocate_fn, "posix_fallocate64")(fd, offset, size);
}

/* ---- reading and writing ---- */

static bool
is_partial(void)
{
    return how == FAIL_SHORT || how == FAIL_TEAR;
}

static ssize_t
write_at(const char *function, int fd, const void *bytes, size_t size,
         off_t offset)
{
    bool failed = fails(FAIL_PWRITE, fd);
    ssize_t done;

    if (failed && !is_partial()) {
        return -1;
    }
    if (failed) { /* By whole blocks: it may be open for direct writes. */
        size = size >= 2 * BLOCK ? size / 2 / BLOCK * BLOCK : size / 2;
    }
    keep(fd, size, offset);
    done = REAL(pwrite_fn, function)(fd, bytes, size, offset);
    if (failed && how == FAIL_TEAR) {
        die();
    }
    return done;
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

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    bool failed = fails(FAIL_WRITEV, fd);
    size_t size = 0;
    ssize_t done;

    if (failed && !is_partial()) {
        return -1;
    }
    if (failed) {
        count = 1;
    }
    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    keep(fd, size, lseek(fd, 0, SEEK_CUR));
    done = REAL(writev_fn, "writev")(fd, parts, count);
    if (failed && how == FAIL_TEAR) {
        die();
    }
    return done;
}

ssize_t
pread(int fd, void *bytes, size_t size, off_t offset)
{
    return fails(FAIL_PREAD, fd)
               ? -1
               : REAL(pread_fn, "pread")(fd, bytes, size, offset);
}

ssize_t
pread64(int fd, void *bytes, size_t size, off_t offset)
{
    return fails(FAIL_PREAD, fd)
               ? -1
               : REAL(pread_fn, "pread64")(fd, bytes, size, offset);
}

/* ---- syncs ---- */

static int
sync_file(const char *function, enum fail_call kind, int fd)
{
    if (fails(kind, fd)) {
        int saved = errno;

        forget(fd, true);
        errno = saved;
        return -1;
    }
    forget(fd, false);
    return REAL(sync_fn, function)(fd);
}

int
fdatasync(int fd)
{
    return sync_file("fdatasync", FAIL_FDATASYNC, fd);
}

int
fsync(int fd)
{
    return sync_file("fsync", FAIL_FSYNC, fd);
}

/* What it has written out is not synced, so it is not forgotten; but the kernel
 * tells an error once, and the sync behind it would succeed.
 */
int
sync_file_range(int fd, off_t offset, off_t size, unsigned flags)
{
    if (fails(FAIL_SYNC_RANGE, fd)) {
        int saved = errno;

        forget(fd, true);
        errno = saved;
        return -1;
    }
    return REAL(sync_range_fn, "sync_file_range")(fd, offset, size, flags);
}

/* ---- names ---- */

int
rename(const char *from, const char *to)
{
    return fails_at(FAIL_RENAME, from) ? -1
                                       : REAL(rename_fn, "rename")(from, to);
}

int
unlink(const char *path)
{
    return fails_at(FAIL_UNLINK, path) ? -1 : REAL(path_fn, "unlink")(path);
}

int
mkdir(const char *path, mode_t mode)
{
    return fails_at(FAIL_MKDIR, path) ? -1
                                      : REAL(mkdir_fn, "mkdir")(path, mode);
}

/* ---- memory ---- */

static void *
map(const char *function, void *at, size_t size, int protection, int flags,
    int fd, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) == 0 && fails(FAIL_MMAP, fd)) {
        return MAP_FAILED;
    }
    return REAL(mmap_fn, function)(at, size, protection, flags, fd, offset);
}

void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return map("mmap", at, size, protection, flags, fd, offset);
}

void *
mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return map("mmap64", at, size, protection, flags, fd, offset);
}
