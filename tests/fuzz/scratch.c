#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define OPEN_MAX_OF_WALK 16

static char directory[SCRATCH_PATH_MAX / 2];

static int
remove_below(const char *path, const struct stat *stat, int type,
             struct FTW *walk)
{
    (void)stat;
    (void)type;
    return walk->level > 0 ? remove(path) : 0;
}

void
scratch_clear(void)
{
    FUZZ_PROMISE(nftw(scratch_dir(), remove_below, OPEN_MAX_OF_WALK,
                      FTW_DEPTH | FTW_PHYS) == 0);
}

static void
remove_all(void)
{
    scratch_clear();
    rmdir(directory);
}

const char *
scratch_dir(void)
{
    if (directory[0] == '\0') {
        const char *parent =
            access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

        snprintf(directory, sizeof(directory), "%s/acta-fuzz-XXXXXX", parent);
        FUZZ_PROMISE(mkdtemp(directory) != NULL);
        atexit(remove_all);
    }
    return directory;
}

const char *
scratch_path(char path[static SCRATCH_PATH_MAX], const char *name)
{
    int size = snprintf(path, SCRATCH_PATH_MAX, "%s/%s", scratch_dir(), name);

    FUZZ_PROMISE(size > 0 && size < SCRATCH_PATH_MAX);
    return path;
}

void
scratch_write(const char *path, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_PROMISE(fd >= 0);
    FUZZ_PROMISE(write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size);
    FUZZ_PROMISE(close(fd) == 0);
}

bool
scratch_has(const char *path, struct slice bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    bool same;
    void *map;

    if (fd < 0) {
        return false;
    }
    FUZZ_PROMISE(fstat(fd, &stat) == 0);
    same = (size_t)stat.st_size == bytes.size;
    if (same && bytes.size > 0) {
        map = mmap(NULL, bytes.size, PROT_READ, MAP_PRIVATE, fd, 0);
        FUZZ_PROMISE(map != MAP_FAILED);
        same = memcmp(map, bytes.data, bytes.size) == 0;
        munmap(map, bytes.size);
    }
    close(fd);
    return same;
}
