/* What libraries to preload have in common: they stand in front of functions of
 * the C library. To be included before anything else.
 */

#ifndef ACTA_TEST_SHIM_H
#define ACTA_TEST_SHIM_H

/* Else pwrite() would be another name for pwrite64(), or an inline function. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

/* The function that a library stands in front of. */
#define REAL(type, name) ((type *)(uintptr_t)dlsym(RTLD_NEXT, name))

typedef int open_fn(const char *path, int flags, ...);
typedef ssize_t write_fn(int fd, const void *bytes, size_t size);
typedef ssize_t pwrite_fn(int fd, const void *bytes, size_t size, off_t offset);
typedef ssize_t pread_fn(int fd, void *bytes, size_t size, off_t offset);
typedef ssize_t writev_fn(int fd, const struct iovec *parts, int count);
typedef int sync_fn(int fd);
typedef int sync_range_fn(int fd, off_t offset, off_t size, unsigned flags);
typedef int rename_fn(const char *from, const char *to);
typedef int path_fn(const char *path);
typedef int mkdir_fn(const char *path, mode_t mode);
typedef int resize_fn(int fd, off_t size);
typedef int allocate_fn(int fd, off_t offset, off_t size);
typedef void *mmap_fn(void *at, size_t size, int protection, int flags, int fd,
                      off_t offset);

/* The mode that open() gets behind its flags, if it gets one. */
#define MODE_AFTER(flags, mode)                                                \
    do {                                                                       \
        if (((flags)&O_CREAT) != 0) {                                          \
            va_list arguments;                                                 \
                                                                               \
            va_start(arguments, flags);                                        \
            (mode) = va_arg(arguments, mode_t);                                \
            va_end(arguments);                                                 \
        }                                                                      \
    } while (0)

/* The name of an open file; empty if it has none. */
static inline void
path_of(int fd, char path[static PATH_MAX])
{
    char link[64];
    ssize_t size;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size = readlink(link, path, PATH_MAX - 1);
    path[size < 0 ? 0 : size] = '\0';
}

#endif
