#include "reach.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function's address as the pointer to it that @to is. */
#define FIND(to) find(#to, &found.to, sizeof(found.to))

static struct {
    int (*close)(int fd);
    ssize_t (*read)(int fd, void *bytes, size_t size);
    ssize_t (*write)(int fd, const void *bytes, size_t size);
    void *(*mmap)(void *at, size_t size, int protection, int flags, int fd,
                  off_t offset);
    int (*munmap)(void *at, size_t size);
    ssize_t (*getrandom)(void *bytes, size_t size, unsigned flags);
    void (*_exit)(int status);
} found;

static void
find(const char *name, void *to, size_t size)
{
    void *address = dlsym(RTLD_NEXT, name);

    if (address == NULL) {
        fprintf(stderr, "there is no %s\n", name);
        abort();
    }
    memcpy(to, &address, size);
}

void
reach_init(void)
{
    FIND(close);
    FIND(read);
    FIND(write);
    FIND(mmap);
    FIND(munmap);
    FIND(getrandom);
    FIND(_exit);
}

int
real_close(int fd)
{
    return found.close(fd);
}

ssize_t
real_read(int fd, void *bytes, size_t size)
{
    return found.read(fd, bytes, size);
}

ssize_t
real_write(int fd, const void *bytes, size_t size)
{
    return found.write(fd, bytes, size);
}

void *
real_mmap(void *at, size_t size, int protection, int flags, int fd,
          off_t offset)
{
    return found.mmap(at, size, protection, flags, fd, offset);
}

int
real_munmap(void *at, size_t size)
{
    return found.munmap(at, size);
}

void *
real_calloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

uint64_t
real_random(void)
{
    uint32_t number = 1;

    return found.getrandom(&number, sizeof(number), 0) < 0 ? 1 : number;
}

void
real_exit(int status)
{
    found._exit(status);
    abort();
}
