#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum acta_code
file_fail(struct acta_err *err, const char *doing, const char *path)
{
    enum acta_code code;

    switch (errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        code = ACTA_FULL;
        break;
    case ENOMEM:
        code = ACTA_MEMORY;
        break;
    default:
        code = ACTA_IO;
        break;
    }
    return acta_fail(err, code, "%s %s: %s", doing, path, strerror(errno));
}

enum acta_code
file_join(char path[static FILE_PATH_MAX], const char *dir, const char *name,
          struct acta_err *err)
{
    int size = snprintf(path, FILE_PATH_MAX, "%s/%s", dir, name);

    if (size < 0 || size >= FILE_PATH_MAX) {
        return acta_fail(err, ACTA_IO, "path is too long: %s/%s", dir, name);
    }
    return ACTA_OK;
}

enum acta_code
file_write_at(int fd, const void *bytes, size_t size, off_t offset,
              const char *path, struct acta_err *err)
{
    const uint8_t *at = bytes;

    while (size > 0) {
        ssize_t done = pwrite(fd, at, size, offset);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            if (done == 0) {
                errno = EIO;
            }
            return file_fail(err, "write", path);
        }
        at += done;
        offset += done;
        size -= (size_t)done;
    }
    return ACTA_OK;
}

enum acta_code
file_read_at(int fd, void *bytes, size_t size, off_t offset, size_t *got,
             const char *path, struct acta_err *err)
{
    uint8_t *at = bytes;

    *got = 0;
    while (*got < size) {
        ssize_t done = pread(fd, at + *got, size - *got, offset + (off_t)*got);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return file_fail(err, "read", path);
        }
        if (done == 0) {
            break;
        }
        *got += (size_t)done;
    }
    return ACTA_OK;
}

enum acta_code
file_sync_dir(const char *dir, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return file_fail(err, "open", dir);
    }
    if (fsync(fd) != 0) {
        code = file_fail(err, "sync", dir);
    }
    close(fd);
    return code;
}

enum acta_code
file_make_dir(const char *path, mode_t mode, struct acta_err *err)
{
    bool made = mkdir(path, mode) == 0;
    char copy[FILE_PATH_MAX];
    enum acta_code code;

    if (!made && errno != EEXIST) {
        return file_fail(err, "make directory", path);
    }
    if (strlen(path) >= sizeof(copy)) {
        return acta_fail(err, ACTA_IO, "path is too long: %s", path);
    }
    strcpy(copy, path);
    code = file_sync_dir(dirname(copy), err);
    /* One that was there may lie where we may not read. */
    return made ? code : ACTA_OK;
}

enum acta_code
file_rename(const char *from, const char *to, const char *dir,
            struct acta_err *err)
{
    if (rename(from, to) != 0) {
        return file_fail(err, "rename", from);
    }
    return file_sync_dir(dir, err);
}

enum acta_code
file_next(DIR *list, const char *dir, struct dirent **entry,
          struct acta_err *err)
{
    /* Only so a failure is told from the end: both return NULL. */
    errno = 0;
    *entry = readdir(list);
    return *entry != NULL || errno == 0 ? ACTA_OK : file_fail(err, "read", dir);
}

/* Directories here are two levels deep: recursion ends soon. */
enum acta_code
file_remove_tree(const char *dir, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    char path[FILE_PATH_MAX];
    struct dirent *entry;
    struct stat status;
    DIR *list = opendir(dir);

    if (list == NULL) {
        return errno == ENOENT ? ACTA_OK : file_fail(err, "open", dir);
    }
    while (code == ACTA_OK &&
           (code = file_next(list, dir, &entry, err)) == ACTA_OK &&
           entry != NULL) {
        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        code = file_join(path, dir, entry->d_name, err);
        if (code != ACTA_OK) {
            break;
        }
        if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            code = file_remove_tree(path, err);
        } else if (unlink(path) != 0) {
            code = file_fail(err, "remove", path);
        }
    }
    closedir(list);
    if (code == ACTA_OK && rmdir(dir) != 0) {
        code = file_fail(err, "remove", dir);
    }
    return code;
}

bool
file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

uint64_t
file_space(const char *path)
{
    struct statvfs status;

    if (statvfs(path, &status) != 0) {
        return 0;
    }
    return (uint64_t)status.f_bavail * status.f_frsize;
}
