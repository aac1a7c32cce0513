#include "usage.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nap.h"
#include "require.h"

#define PATH_SIZE 64
#define LINE_SIZE 1024

#define ENOUGH_IN_A_ROW 20
#define LOOK_MS         5

/* Has this thread a processor, or does it wait for one? Not if it has ended. */
static bool
wants_processor(pid_t pid, const char *thread)
{
    char path[PATH_SIZE], line[LINE_SIZE] = "";
    const char *state;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/task/%.20s/stat", (int)pid, thread);
    file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    (void)!fgets(line, sizeof(line), file);
    fclose(file);
    state = strrchr(line, ')'); /* Behind the name, which may have blanks. */
    return state != NULL && strncmp(state, ") R", 3) == 0;
}

static bool
is_at_rest(pid_t pid)
{
    const struct dirent *entry;
    char path[PATH_SIZE];
    bool rests = true;
    DIR *threads;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    threads = opendir(path);
    require(threads != NULL);
    while ((entry = readdir(threads)) != NULL) {
        rests = rests && !wants_processor(pid, entry->d_name);
    }
    closedir(threads);
    return rests;
}

unsigned
usage_looks_to_rest(pid_t pid)
{
    unsigned looks = 0, in_a_row = 0;

    while (looks < USAGE_RESTLESS && in_a_row < ENOUGH_IN_A_ROW) {
        in_a_row = is_at_rest(pid) ? in_a_row + 1 : 0;
        looks++;
        nap_ms(LOOK_MS);
    }
    return looks;
}

uint64_t
usage_memory(pid_t pid)
{
    char path[PATH_SIZE], line[LINE_SIZE];
    uint64_t kib = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    file = fopen(path, "re");
    require(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL &&
           sscanf(line, "RssAnon: %" SCNu64, &kib) != 1) {
    }
    fclose(file);
    require(kib > 0);
    return kib << 10;
}

/* Descriptors of @pid that are something whose name begins with @kind. */
static unsigned
count_descriptors(pid_t pid, const char *kind)
{
    const struct dirent *entry;
    char path[PATH_SIZE];
    unsigned count = 0;
    DIR *list;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    list = opendir(path);
    require(list != NULL);
    while ((entry = readdir(list)) != NULL) {
        char target[LINE_SIZE];
        ssize_t size =
            readlinkat(dirfd(list), entry->d_name, target, sizeof(target));

        /* "." and ".." are no links. */
        count += size >= (ssize_t)strlen(kind) &&
                 memcmp(target, kind, strlen(kind)) == 0;
    }
    closedir(list);
    return count;
}

unsigned
usage_descriptors(pid_t pid)
{
    return count_descriptors(pid, "");
}

unsigned
usage_sockets(pid_t pid)
{
    return count_descriptors(pid, "socket:");
}
