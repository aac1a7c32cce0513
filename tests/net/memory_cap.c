#include "memory_cap.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "nap.h"
#include "require.h"

#define ROOT_FIRST  "/sys/fs/cgroup/memory"
#define ROOT_SECOND "/sys/fs/cgroup"
#define PATH_SIZE   128
#define LINE_SIZE   256
#define LOOK_MS     10
#define LOOKS_MAX   1000

static const char *
file_of(const struct memory_cap *cap, const char *name)
{
    static char path[PATH_SIZE];

    snprintf(path, sizeof(path), "%s/%s", cap->dir, name);
    return path;
}

/* The number behind @word in a file; or the only one, if @word is empty. */
static uint64_t
number_in(const struct memory_cap *cap, const char *name, const char *word)
{
    FILE *file = fopen(file_of(cap, name), "re");
    size_t size = strlen(word);
    char line[LINE_SIZE];
    uint64_t number = 0;

    require(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, word, size) == 0 &&
            sscanf(line + size, "%" SCNu64, &number) == 1) {
            break;
        }
    }
    fclose(file);
    return number;
}

static bool
set_limit(const struct memory_cap *cap, uint64_t size)
{
    FILE *file = fopen(
        file_of(cap, cap->is_first ? "memory.limit_in_bytes" : "memory.max"),
        "we");
    bool done;

    if (file == NULL) {
        return false;
    }
    done = fprintf(file, "%" PRIu64 "\n", size) > 0;
    return fclose(file) == 0 && done;
}

/* In a file system in memory files are what cannot be given back. */
static bool
files_are_memory(void)
{
    const char *parent = getenv("TMPDIR");
    struct statfs status;

    return statfs(parent != NULL && parent[0] != '\0' ? parent : "/tmp",
                  &status) != 0 ||
           status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

bool
memory_cap_make(struct memory_cap *cap, uint64_t size)
{
    cap->dir[0] = '\0';
    if (files_are_memory()) {
        printf("skipped: the files of tests are in memory\n");
        return false;
    }
    cap->is_first = access(ROOT_FIRST "/cgroup.procs", F_OK) == 0;
    snprintf(cap->dir, sizeof(cap->dir), "%s/acta-test-%d",
             cap->is_first ? ROOT_FIRST : ROOT_SECOND, (int)getpid());
    if (mkdir(cap->dir, 0755) != 0) {
        printf("skipped: no control group is permitted: %s\n", strerror(errno));
        cap->dir[0] = '\0';
        return false;
    }
    if (!set_limit(cap, size)) {
        printf("skipped: control groups have no limit of memory\n");
        memory_cap_remove(cap);
        return false;
    }
    return true;
}

void
memory_cap_remove(struct memory_cap *cap)
{
    for (int i = 0; cap->dir[0] != '\0' && i < LOOKS_MAX; i++) {
        if (rmdir(cap->dir) == 0) {
            cap->dir[0] = '\0';
        } else {
            nap_ms(LOOK_MS);
        }
    }
}

const char *
memory_cap_members(const struct memory_cap *cap)
{
    return file_of(cap, "cgroup.procs");
}

uint64_t
memory_cap_reached(const struct memory_cap *cap)
{
    return cap->is_first ? number_in(cap, "memory.failcnt", "")
                         : number_in(cap, "memory.events", "max ");
}

uint64_t
memory_cap_kills(const struct memory_cap *cap)
{
    return number_in(cap,
                     cap->is_first ? "memory.oom_control" : "memory.events",
                     "oom_kill ");
}
