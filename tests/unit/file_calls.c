#include "file_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static _Thread_local bool is_on;
static _Thread_local const char *only; /* Those of this name; NULL: all. */
static _Thread_local size_t left;      /* Until one fails, */
static _Thread_local size_t fails;     /* and then so many. */
static _Thread_local int error;
static _Thread_local const char *failed;

void
file_calls_fail(size_t nth, size_t count, int number)
{
    left = nth;
    fails = count;
    error = number;
    failed = NULL;
    only = NULL;
    is_on = true;
}

void
file_calls_fail_of(const char *name, size_t nth, size_t count, int number)
{
    file_calls_fail(nth, count, number);
    only = name;
}

const char *
file_calls_succeed(void)
{
    is_on = false;
    return failed;
}

static bool
is_to_fail(const char *name)
{
    if (!is_on || fails == 0 || (only != NULL && strcmp(only, name) != 0)) {
        return false;
    }
    if (left > 0) {
        left--;
        return false;
    }
    fails--;
    failed = name;
    errno = error;
    return true;
}

/* A function that the linker puts in the place of NAME: see --wrap in ld(1). If
 * it fails it returns FAILURE.
 */
#define WRAP(TYPE, NAME, PARAMETERS, ARGUMENTS, FAILURE)                       \
    TYPE __real_##NAME PARAMETERS;                                             \
    TYPE __wrap_##NAME PARAMETERS;                                             \
    TYPE __wrap_##NAME PARAMETERS                                              \
    {                                                                          \
        return is_to_fail(#NAME) ? (FAILURE) : __real_##NAME ARGUMENTS;        \
    }

WRAP(DIR *, opendir, (const char *path), (path), NULL)
WRAP(struct dirent64 *, readdir64, (DIR * list), (list), NULL)
WRAP(int, fstat64, (int fd, struct stat64 *status), (fd, status), -1)
WRAP(ssize_t, pread64, (int fd, void *bytes, size_t size, off64_t at),
     (fd, bytes, size, at), -1)
WRAP(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at),
     (fd, bytes, size, at), -1)
WRAP(int, posix_fallocate64, (int fd, off64_t at, off64_t size), (fd, at, size),
     error)
WRAP(void *, mmap64,
     (void *at, size_t size, int protection, int flags, int fd, off64_t offset),
     (at, size, protection, flags, fd, offset), MAP_FAILED)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1)
WRAP(int, unlink, (const char *path), (path), -1)
WRAP(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags),
     (bytes, size, flags), -1)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes,
      void *(*run)(void *), void *arg),
     (thread, attributes, run, arg), error)
WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAP(void *, realloc, (void *memory, size_t size), (memory, size), NULL)
WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size),
     NULL)
WRAP(char *, strdup, (const char *text), (text), NULL)

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

int
__wrap_open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    if ((flags & O_CREAT) != 0) {
        va_list arguments;

        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return is_to_fail("open64") ? -1 : __real_open64(path, flags, mode);
}

/* Nothing here outlives the system: what is written is as good as synced. */
#define WRAP_SYNC(NAME)                                                        \
    int __wrap_##NAME(int fd);                                                 \
    int __wrap_##NAME(int fd)                                                  \
    {                                                                          \
        (void)fd;                                                              \
        return is_to_fail(#NAME) ? -1 : 0;                                     \
    }

WRAP_SYNC(fsync)
WRAP_SYNC(fdatasync)
