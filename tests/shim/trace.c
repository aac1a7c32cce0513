/* A library to preload into a program that has a database: writes down, in
 * their order, everything that it does to the files below a directory
 * (fault/trace.h). From that the states are made that a power cut may leave.
 *
 * One operation at a time: each is done and written down with a lock held, so
 * the trace has the order in which they took effect. What is written to memory
 * that is mapped is not seen; the database does no such thing, but for LMDB's
 * lock file, whose content means nothing to the next start.
 */

#include "shim.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards these: */
static int trace_fd = -1;
static const char *traced_dir; /* NULL: nothing is traced. */
static const char *notes_path;
static bool is_ready;

SHOWN open_fn open;
SHOWN open_fn open64;
SHOWN write_fn write;
SHOWN pwrite_fn pwrite;
SHOWN pwrite_fn pwrite64;
SHOWN writev_fn writev;
SHOWN sync_fn fdatasync;
SHOWN sync_fn fsync;
SHOWN rename_fn rename;
SHOWN path_fn unlink;
SHOWN path_fn rmdir;
SHOWN mkdir_fn mkdir;
SHOWN resize_fn ftruncate;
SHOWN resize_fn ftruncate64;
SHOWN allocate_fn posix_fallocate;
SHOWN allocate_fn posix_fallocate64;

/* ---- the trace ---- */

static void
make_ready(void)
{
    const char *path = getenv(TRACE_FILE);

    traced_dir = getenv(TRACE_DIR);
    notes_path = getenv(TRACE_NOTES);
    is_ready = true;
    if (traced_dir == NULL) {
        return;
    }
    if (path != NULL) {
        trace_fd = REAL(open_fn, "open")(
            path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    if (trace_fd < 0) {
        abort();
    }
}

static void
begin(void)
{
    pthread_mutex_lock(&lock);
    if (!is_ready) {
        make_ready();
    }
}

static void
end(void)
{
    pthread_mutex_unlock(&lock);
}

/* The part of a path that is below the directory; NULL: it is elsewhere. */
static const char *
name_below(const char *path)
{
    size_t size;

    if (traced_dir == NULL || path == NULL) {
        return NULL;
    }
    size = strlen(traced_dir);
    if (strncmp(path, traced_dir, size) != 0 || path[size] != '/') {
        return NULL;
    }
    return path + size + 1;
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static void
put(struct trace_op *op, const char *name, const char *second,
    const void *bytes)
{
    struct iovec parts[4];
    size_t size = 0;

    op->name_size = (uint16_t)(name == NULL ? 0 : strlen(name));
    op->second_size = (uint16_t)(second == NULL ? 0 : strlen(second));
    op->bytes_size = op->size;
    if (bytes == NULL || op->size == 0 ||
        (op->kind != TRACE_NOTE && is_zero(bytes, op->size))) {
        op->bytes_size = 0;
    }
    parts[0] = (struct iovec){op, sizeof(*op)};
    parts[1] = (struct iovec){(void *)(uintptr_t)name, op->name_size};
    parts[2] = (struct iovec){(void *)(uintptr_t)second, op->second_size};
    parts[3] = (struct iovec){(void *)(uintptr_t)bytes, op->bytes_size};
    for (size_t i = 0; i < 4; i++) {
        size += parts[i].iov_len;
    }
    if (REAL(writev_fn, "writev")(trace_fd, parts, 4) != (ssize_t)size) {
        abort();
    }
}

static uint64_t
inode_of(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        abort();
    }
    return status.st_ino;
}

/* Of an open file, if it is traced, or of the directory itself. */
static void
put_file(int fd, enum trace_kind kind, uint64_t offset, uint64_t size,
         const void *bytes)
{
    struct trace_op op = {.kind = kind, .offset = offset, .size = size};
    char path[PATH_MAX];

    path_of(fd, path);
    if (name_below(path) != NULL) {
        op.inode = inode_of(fd);
    } else if (traced_dir == NULL || strcmp(path, traced_dir) != 0) {
        return;
    }
    put(&op, NULL, NULL, bytes);
}

static void
put_write(int fd, const void *bytes, ssize_t size, off_t offset)
{
    bool syncs = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;

    if (size > 0) {
        put_file(fd, syncs ? TRACE_WRITE_SYNC : TRACE_WRITE, (uint64_t)offset,
                 (uint64_t)size, bytes);
    }
}

/* ---- files ---- */

static int
open_file(const char *function, const char *path, int flags, mode_t mode)
{
    const char *name;
    bool is_new;
    int fd;

    begin();
    name = name_below(path);
    is_new = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
    fd = REAL(open_fn, function)(path, flags, mode);
    if (fd >= 0 && name != NULL && is_new) {
        struct trace_op op = {.kind = TRACE_CREATE, .inode = inode_of(fd)};

        put(&op, name, NULL, NULL);
    } else if (fd >= 0 && name != NULL && (flags & O_TRUNC) != 0) {
        put_file(fd, TRACE_RESIZE, 0, 0, NULL);
    }
    end();
    return fd;
}

int
open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_AFTER(flags, mode);
    return open_file("open", path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_AFTER(flags, mode);
    return open_file("open64", path, flags, mode);
}

static int
resize(const char *function, int fd, off_t size)
{
    int rc;

    begin();
    rc = REAL(resize_fn, function)(fd, size);
    if (rc == 0) {
        put_file(fd, TRACE_RESIZE, 0, (uint64_t)size, NULL);
    }
    end();
    return rc;
}

int
ftruncate(int fd, off_t size)
{
    return resize("ftruncate", fd, size);
}

int
ftruncate64(int fd, off_t size)
{
    return resize("ftruncate64", fd, size);
}

static int
allocate(const char *function, int fd, off_t offset, off_t size)
{
    int rc;

    begin();
    rc = REAL(allocate_fn, function)(fd, offset, size);
    if (rc == 0) {
        put_file(fd, TRACE_ALLOCATE, 0, (uint64_t)(offset + size), NULL);
    }
    end();
    return rc;
}

int
posix_fallocate(int fd, off_t offset, off_t size)
{
    return allocate("posix_fallocate", fd, offset, size);
}

int
posix_fallocate64(int fd, off_t offset, off_t size)
{
    return allocate("posix_fallocate64", fd, offset, size);
}

/* ---- writes ---- */

static ssize_t
write_at(const char *function, int fd, const void *bytes, size_t size,
         off_t offset)
{
    ssize_t done;

    begin();
    done = REAL(pwrite_fn, function)(fd, bytes, size, offset);
    put_write(fd, bytes, done, offset);
    end();
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

/* LMDB writes runs of pages this way, after a seek. */
ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    off_t at;
    ssize_t done;

    begin();
    at = lseek(fd, 0, SEEK_CUR);
    done = REAL(writev_fn, "writev")(fd, parts, count);
    for (ssize_t left = done; left > 0; parts++) {
        ssize_t part =
            left < (ssize_t)parts->iov_len ? left : (ssize_t)parts->iov_len;

        put_write(fd, parts->iov_base, part, at);
        at += part;
        left -= part;
    }
    end();
    return done;
}

/* What the program says; to files that are traced nothing is written so. */
ssize_t
write(int fd, const void *bytes, size_t size)
{
    struct trace_op op = {.kind = TRACE_NOTE, .size = size};
    char path[PATH_MAX];
    ssize_t done;

    begin();
    done = REAL(write_fn, "write")(fd, bytes, size);
    path_of(fd, path);
    if (traced_dir != NULL && notes_path != NULL &&
        strcmp(path, notes_path) == 0) {
        put(&op, NULL, NULL, bytes);
    }
    end();
    return done;
}

/* ---- syncs ---- */

static int
sync_file(const char *function, int fd)
{
    int rc;

    begin();
    rc = REAL(sync_fn, function)(fd);
    if (rc == 0) {
        put_file(fd, TRACE_SYNC, 0, 0, NULL);
    }
    end();
    return rc;
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

/* ---- names ---- */

int
rename(const char *from, const char *to)
{
    struct trace_op op = {.kind = TRACE_RENAME};
    const char *name, *second;
    int rc;

    begin();
    name = name_below(from);
    second = name_below(to);
    rc = REAL(rename_fn, "rename")(from, to);
    if (rc == 0 && name != NULL && second != NULL) {
        put(&op, name, second, NULL);
    }
    end();
    return rc;
}

static int
remove_name(const char *function, enum trace_kind kind, const char *path)
{
    struct trace_op op = {.kind = kind};
    const char *name;
    int rc;

    begin();
    name = name_below(path);
    rc = REAL(path_fn, function)(path);
    if (rc == 0 && name != NULL) {
        put(&op, name, NULL, NULL);
    }
    end();
    return rc;
}

int
unlink(const char *path)
{
    return remove_name("unlink", TRACE_UNLINK, path);
}

int
rmdir(const char *path)
{
    return remove_name("rmdir", TRACE_REMOVE_DIR, path);
}

int
mkdir(const char *path, mode_t mode)
{
    struct trace_op op = {.kind = TRACE_MAKE_DIR};
    struct stat status;
    const char *name;
    int rc;

    begin();
    name = name_below(path);
    rc = REAL(mkdir_fn, "mkdir")(path, mode);
    if (rc == 0 && name != NULL) {
        if (stat(path, &status) != 0) {
            abort();
        }
        op.inode = status.st_ino;
        put(&op, name, NULL, NULL);
    }
    end();
    return rc;
}
