/* A library to preload into actad: one allocation fails, of those that the
 * program itself asks for, and not the libraries that it loads.
 *
 * STARVE=n:path in the environment: the n-th fails. The file at the path has
 * room for two numbers: how many were asked for, and how many have failed.
 */

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

struct counts {
    _Atomic uint64_t calls;
    _Atomic uint64_t failed;
};

/* What glibc has for those that put something in front of it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

SHOWN void *malloc(size_t size);
SHOWN void *calloc(size_t count, size_t size);
SHOWN void *realloc(void *old, size_t size);

static struct counts *counts; /* NULL: nothing is counted. */
static uint64_t nth;
static uintptr_t code, code_end; /* Of the program. */

/* The program is the first object that is told. */
static int
find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0) {
            code = info->dlpi_addr + segment->p_vaddr;
            code_end = code + segment->p_memsz;
        }
    }
    return 1;
}

__attribute__((constructor)) static void
begin(void)
{
    const char *text = getenv("STARVE");
    void *map = MAP_FAILED;
    char *path;
    int fd;

    if (text == NULL) {
        return;
    }
    nth = strtoull(text, &path, 10);
    fd = open(path + 1, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        map = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED,
                   fd, 0);
    }
    if (map == MAP_FAILED) {
        _exit(126);
    }
    close(fd);
    (void)dl_iterate_phdr(find_code, NULL);
    counts = map;
}

static bool
fails(const void *caller)
{
    uintptr_t address = (uintptr_t)caller;

    if (counts == NULL || address < code || address >= code_end ||
        atomic_fetch_add(&counts->calls, 1) + 1 != nth) {
        return false;
    }
    atomic_fetch_add(&counts->failed, 1);
    errno = ENOMEM;
    return true;
}

void *
malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL
                                              : __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL
                                              : __libc_realloc(old, size);
}
