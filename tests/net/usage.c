#include "usage.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "require.h"

#define PATH_SIZE 64
#define LINE_SIZE 1024

uint64_t
usage_cpu_ms(pid_t pid)
{
    unsigned long user = 0, system = 0;
    char path[PATH_SIZE], line[LINE_SIZE];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    require(file != NULL);
    require(fgets(line, sizeof(line), file) != NULL);
    fclose(file);
    /* Behind the name, which may have blanks. */
    require(strrchr(line, ')') != NULL);
    require(sscanf(strrchr(line, ')') + 1,
                   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                   &user, &system) == 2);
    return (user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
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

unsigned
usage_descriptors(pid_t pid)
{
    char path[PATH_SIZE];
    unsigned count = 0;
    DIR *list;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    list = opendir(path);
    require(list != NULL);
    while (readdir(list) != NULL) {
        count++;
    }
    closedir(list);
    return count - 2; /* "." and ".." */
}
