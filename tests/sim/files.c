/* Calls to the file system, over the drive. */

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "descriptor.h"
#include "drive_inside.h"
#include "reach.h"
#include "task.h"
#include "writeback.h"

/* Of the disk, when there is room. */
#define BLOCKS_FREE (UINT64_C(1) << 30)

struct open_file {
    struct inode *inode;
    int flags;
    size_t at; /* For read(), write() and lseek(). */
};

static ssize_t file_write(void *of, const void *bytes, size_t size);
static ssize_t file_read(void *of, void *bytes, size_t size);
static void file_close(void *of);

static const struct descriptor_kind file_kind = {
    .read = file_read,
    .write = file_write,
    .close = file_close,
};

static void
file_close(void *of)
{
    struct open_file *file = of;

    if (file->inode->locked_by == file) {
        file->inode->locked_by = NULL;
    }
    free(file);
}

/* ---- opening ---- */

static int
open_file(const char *path, int flags)
{
    const char *last;
    struct inode *inode = drive_find(path);
    struct open_file *file;

    task_yield();
    if (inode == NULL && (flags & O_CREAT)) {
        struct inode *dir = drive_find_parent(path, &last);

        if (dir == NULL) {
            return -1;
        }
        if (drive_is_full()) {
            errno = ENOSPC;
            return -1;
        }
        inode = drive_make(dir, last, false);
        sim_trace(21, inode->number, 0);
    } else if (inode != NULL && (flags & O_EXCL)) {
        errno = EEXIST;
        return -1;
    }
    if (inode == NULL) {
        errno = ENOENT;
        return -1;
    }
    if ((flags & O_TRUNC) && inode->now.size > 0) {
        drive_resize(inode, 0);
    }
    file = real_calloc(1, sizeof(*file));
    file->inode = inode;
    file->flags = flags;
    return descriptor_new(&file_kind, file);
}

SIM_CALL int
open(const char *path, int flags, ...)
{
    return open_file(path, flags);
}

SIM_CALL int
open64(const char *path, int flags, ...)
{
    return open_file(path, flags);
}

static struct inode *
inode_of(int fd)
{
    struct open_file *file = descriptor_get(fd, &file_kind);

    return file == NULL ? NULL : file->inode;
}

/* ---- bytes ---- */

static ssize_t
read_at(struct inode *inode, void *bytes, size_t size, size_t offset)
{
    size_t left = offset < inode->now.size ? inode->now.size - offset : 0;

    size = size < left ? size : left;
    if (size > 0) {
        memcpy(bytes, inode->now.bytes + offset, size);
    }
    return (ssize_t)size;
}

static ssize_t
write_at(struct open_file *file, const void *bytes, size_t size, size_t offset)
{
    struct inode *inode = file->inode;

    task_yield();
    if (drive_fails()) {
        errno = EIO;
        return -1;
    }
    if (drive_is_full() && offset + size > inode->now.size) {
        errno = ENOSPC;
        return -1;
    }
    sim_trace(22, inode->number, offset);
    drive_note_write(size);
    drive_write(inode, bytes, size, offset);
    if ((file->flags & O_DSYNC) && drive_sync(inode) != 0) {
        return -1;
    }
    return (ssize_t)size;
}

static ssize_t
file_read(void *of, void *bytes, size_t size)
{
    struct open_file *file = of;
    ssize_t got = read_at(file->inode, bytes, size, file->at);

    file->at += (size_t)got;
    return got;
}

static ssize_t
file_write(void *of, const void *bytes, size_t size)
{
    struct open_file *file = of;
    ssize_t done = write_at(file, bytes, size, file->at);

    file->at += done > 0 ? (size_t)done : 0;
    return done;
}

SIM_CALL ssize_t
pread(int fd, void *bytes, size_t size, off_t offset)
{
    struct inode *inode = inode_of(fd);

    task_yield();
    return inode == NULL ? -1 : read_at(inode, bytes, size, (size_t)offset);
}

SIM_CALL ssize_t
pread64(int fd, void *bytes, size_t size, off_t offset)
{
    return pread(fd, bytes, size, offset);
}

SIM_CALL ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t offset,
                               size_t room);

SIM_CALL ssize_t
__pread64_chk(int fd, void *bytes, size_t size, off_t offset, size_t room)
{
    (void)room;
    return pread(fd, bytes, size, offset);
}

SIM_CALL ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    struct open_file *file = descriptor_get(fd, &file_kind);

    return file == NULL ? -1 : write_at(file, bytes, size, (size_t)offset);
}

SIM_CALL ssize_t
pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

SIM_CALL ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    struct open_file *file = descriptor_get(fd, &file_kind);
    ssize_t all = 0;

    if (file == NULL) {
        return -1;
    }
    for (int i = 0; i < count; i++) {
        ssize_t done = file_write(file, parts[i].iov_base, parts[i].iov_len);

        if (done < 0) {
            return all > 0 ? all : -1;
        }
        all += done;
    }
    return all;
}

SIM_CALL off_t
lseek(int fd, off_t offset, int whence)
{
    struct open_file *file = descriptor_get(fd, &file_kind);

    if (file == NULL) {
        return -1;
    }
    switch (whence) {
    case SEEK_SET:
        file->at = (size_t)offset;
        break;
    case SEEK_END:
        file->at = file->inode->now.size + (size_t)offset;
        break;
    default:
        file->at += (size_t)offset;
        break;
    }
    return (off_t)file->at;
}

SIM_CALL off_t
lseek64(int fd, off_t offset, int whence)
{
    return lseek(fd, offset, whence);
}

SIM_CALL int
ftruncate(int fd, off_t size)
{
    struct inode *inode = inode_of(fd);

    task_yield();
    if (inode == NULL) {
        return -1;
    }
    drive_resize(inode, (size_t)size);
    return 0;
}

SIM_CALL int
ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

SIM_CALL int
posix_fallocate(int fd, off_t offset, off_t size)
{
    struct inode *inode = inode_of(fd);
    size_t end = (size_t)(offset + size);

    task_yield();
    if (inode == NULL) {
        return EBADF;
    }
    if (drive_is_full()) {
        return ENOSPC;
    }
    if (end > inode->now.size) {
        drive_resize(inode, end);
    }
    return 0;
}

SIM_CALL int
posix_fallocate64(int fd, off_t offset, off_t size)
{
    return posix_fallocate(fd, offset, size);
}

SIM_CALL int
posix_fadvise64(int fd, off_t offset, off_t size, int advice)
{
    (void)fd;
    (void)offset;
    (void)size;
    (void)advice;
    return 0;
}

SIM_CALL int
fsync(int fd)
{
    struct inode *inode = inode_of(fd);

    task_yield();
    return inode == NULL ? -1 : drive_sync(inode);
}

/* As the server's own (fdatasync.c). */
SIM_CALL int
fdatasync(int fd)
{
    return writeback(fd) == 0 ? fsync(fd) : -1;
}

SIM_CALL int
sync_file_range(int fd, off_t offset, off_t size, unsigned flags)
{
    struct inode *inode = inode_of(fd);

    (void)flags;
    return inode == NULL ? -1
                         : drive_write_out(inode, (size_t)offset, (size_t)size);
}

/* ---- memory ---- */

SIM_CALL void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    struct inode *inode;

    if (fd < DESCRIPTOR_FIRST) {
        return real_mmap(at, size, protection, flags, fd, offset);
    }
    inode = inode_of(fd);
    assert(inode != NULL);
    assert((size_t)offset + size <= FILE_SIZE_MAX);
    /* There is memory once there are bytes. */
    if (inode->now.bytes == NULL) {
        drive_resize(inode, 0);
    }
    /* Whoever writes there is not seen: it is never synced. */
    if (protection & PROT_WRITE) {
        memset(inode->now.pages, 1,
               (inode->now.size + PAGE_SIZE - 1) / PAGE_SIZE);
    }
    return inode->now.bytes + offset;
}

SIM_CALL void *
mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return mmap(at, size, protection, flags, fd, offset);
}

SIM_CALL int
munmap(void *at, size_t size)
{
    return drive_has(at) ? 0 : real_munmap(at, size);
}

SIM_CALL int
madvise(void *at, size_t size, int advice)
{
    (void)at;
    (void)size;
    (void)advice;
    return 0;
}

SIM_CALL int
msync(void *at, size_t size, int flags)
{
    (void)at;
    (void)size;
    (void)flags;
    return 0;
}

/* ---- names ---- */

SIM_CALL int
mkdir(const char *path, mode_t mode)
{
    const char *last;
    struct inode *dir = drive_find_parent(path, &last);

    (void)mode;
    task_yield();
    if (dir == NULL) {
        return -1;
    }
    if (drive_find_name(dir, last) != NULL) {
        errno = EEXIST;
        return -1;
    }
    sim_trace(23, dir->number, 0);
    (void)drive_make(dir, last, true);
    return 0;
}

static int
remove_name(const char *path)
{
    const char *last;
    struct inode *dir = drive_find_parent(path, &last);
    struct inode *inode = dir == NULL ? NULL : drive_find_name(dir, last);

    task_yield();
    if (inode == NULL) {
        errno = ENOENT;
        return -1;
    }
    if (inode->names.count > 0) {
        errno = ENOTEMPTY;
        return -1;
    }
    sim_trace(24, dir->number, 0);
    sim_say("removes %s", path);
    drive_name(dir, NULL, NULL, last);
    return 0;
}

SIM_CALL int
rmdir(const char *path)
{
    return remove_name(path);
}

SIM_CALL int
unlink(const char *path)
{
    return remove_name(path);
}

/* Within one directory. */
SIM_CALL int
rename(const char *from, const char *to)
{
    const char *last, *new_last;
    struct inode *dir = drive_find_parent(from, &last);
    struct inode *to_dir = drive_find_parent(to, &new_last);
    struct inode *inode;

    task_yield();
    assert(dir == to_dir);
    inode = dir == NULL ? NULL : drive_find_name(dir, last);
    if (inode == NULL) {
        return -1;
    }
    sim_trace(25, inode->number, 0);
    sim_say("renames %s to %s", from, to);
    drive_name(dir, new_last, inode, last);
    return 0;
}

SIM_CALL int
access(const char *path, int mode)
{
    (void)mode;
    return drive_find(path) == NULL ? -1 : 0;
}

struct dir_list {
    size_t count;
    size_t at;
    struct dirent entries[];
};

/* In any order. */
SIM_CALL DIR *
opendir(const char *path)
{
    struct inode *dir = drive_find(path);
    struct dir_list *list;

    task_yield();
    if (dir == NULL) {
        return NULL;
    }
    list = real_calloc(1, sizeof(*list) +
                              dir->names.count * sizeof(struct dirent));
    for (size_t i = 0; i < dir->names.count; i++) {
        size_t at = sim_below(++list->count);

        list->entries[i] = list->entries[at];
        snprintf(list->entries[at].d_name, sizeof(list->entries[at].d_name),
                 "%s", dir->names.list[i].text);
    }
    return (DIR *)list;
}

SIM_CALL struct dirent *
readdir(DIR *dir)
{
    struct dir_list *list = (struct dir_list *)dir;

    return list->at < list->count ? &list->entries[list->at++] : NULL;
}

SIM_CALL struct dirent64 *
readdir64(DIR *dir)
{
    return (struct dirent64 *)readdir(dir);
}

SIM_CALL int
closedir(DIR *dir)
{
    free(dir);
    return 0;
}

/* ---- what there is to know ---- */

static int
tell(const struct inode *inode, struct stat *status)
{
    if (inode == NULL) {
        return -1;
    }
    *status = (struct stat){
        .st_dev = 1,
        .st_ino = inode->number,
        .st_mode = inode->is_dir ? S_IFDIR | 0700 : S_IFREG | 0600,
        .st_nlink = 1,
        .st_size = (off_t)inode->now.size,
        .st_blksize = PAGE_SIZE,
    };
    return 0;
}

SIM_CALL int
stat(const char *restrict path, struct stat *restrict status)
{
    return tell(drive_find(path), status);
}

SIM_CALL int
stat64(const char *restrict path, struct stat64 *restrict status)
{
    return tell(drive_find(path), (struct stat *)status);
}

SIM_CALL int
lstat64(const char *restrict path, struct stat64 *restrict status)
{
    return tell(drive_find(path), (struct stat *)status);
}

SIM_CALL int
fstat(int fd, struct stat *status)
{
    return tell(inode_of(fd), status);
}

SIM_CALL int
fstat64(int fd, struct stat64 *status)
{
    return tell(inode_of(fd), (struct stat *)status);
}

SIM_CALL int __fxstat(int version, int fd, struct stat *status);

SIM_CALL int
__fxstat(int version, int fd, struct stat *status)
{
    (void)version;
    return fstat(fd, status);
}

SIM_CALL int
statvfs64(const char *restrict path, struct statvfs64 *restrict status)
{
    (void)path;
    *status = (struct statvfs64){
        .f_bsize = PAGE_SIZE,
        .f_frsize = PAGE_SIZE,
        .f_bavail = drive_is_full() ? 0 : BLOCKS_FREE,
    };
    return 0;
}

SIM_CALL int
fstatfs(int fd, struct statfs *status)
{
    (void)fd;
    *status = (struct statfs){.f_bsize = PAGE_SIZE};
    return 0;
}

/* ---- locks: one process at a time is alive, so nobody is in the way ---- */

SIM_CALL int
flock(int fd, int how)
{
    struct open_file *file = descriptor_get(fd, &file_kind);

    if (file == NULL) {
        return -1;
    }
    assert(how & LOCK_EX);
    if (file->inode->locked_by != NULL && file->inode->locked_by != file) {
        errno = EWOULDBLOCK;
        return -1;
    }
    file->inode->locked_by = file;
    return 0;
}

SIM_CALL int
fcntl(int fd, int command, ...)
{
    va_list arguments;

    (void)fd;
    if (command == F_GETLK) {
        va_start(arguments, command);
        va_arg(arguments, struct flock *)->l_type = F_UNLCK;
        va_end(arguments);
    }
    return 0;
}
