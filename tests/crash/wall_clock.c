#include "wall_clock.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "require.h"
#include "run.h"

#define FILE_VARIABLE "WALL_CLOCK_FILE="

void
wall_clock_init(struct wall_clock *clock, struct daemon *daemon)
{
    int fd;

    snprintf(clock->shim, sizeof(clock->shim), "%s",
             run_build("tests/libwall_clock.so"));
    snprintf(clock->file, sizeof(clock->file), FILE_VARIABLE "%s/clock",
             daemon->dir);
    fd = open(clock->file + strlen(FILE_VARIABLE), O_RDWR | O_CREAT | O_CLOEXEC,
              0600);
    require(fd >= 0 && ftruncate(fd, sizeof(*clock->offset_us)) == 0);
    clock->offset_us = mmap(NULL, sizeof(*clock->offset_us),
                            PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    require(clock->offset_us != MAP_FAILED);
    close(fd);
    daemon->shim = clock->shim;
    daemon->switch_on = clock->file;
}

void
wall_clock_fini(struct wall_clock *clock)
{
    munmap(clock->offset_us, sizeof(*clock->offset_us));
}

void
wall_clock_set(struct wall_clock *clock, int64_t offset_us)
{
    atomic_store(clock->offset_us, offset_us);
}
