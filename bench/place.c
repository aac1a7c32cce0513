#include "place.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void
place_path(const char *dir, const char *name, char path[PLACE_PATH_SIZE])
{
    snprintf(path, PLACE_PATH_SIZE, "%s/%s", dir, name);
}

/* ---- the log ---- */

void
place_log(const char *dir)
{
    char log[PLACE_PATH_SIZE];
    int fd;

    place_path(dir, "log", log);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd >= 0) {
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
    }
}

void
place_last_words(const char *dir, char *words, size_t size)
{
    char log[PLACE_PATH_SIZE];
    FILE *file;

    place_path(dir, "log", log);
    snprintf(words, size, "it said nothing");
    file = fopen(log, "re");
    if (file == NULL) {
        return;
    }
    while (fgets(words, (int)size, file) != NULL) {
        words[strcspn(words, "\n")] = '\0';
    }
    fclose(file);
}

/* ---- the directory ---- */

static double disk_bytes; /* Of the walk that is under way. */

static int
count_entry(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)path;
    (void)type;
    (void)at;
    disk_bytes += (double)stat->st_blocks * 512;
    return 0;
}

double
place_disk_bytes(const char *dir)
{
    disk_bytes = 0;
    nftw(dir, count_entry, 16, FTW_PHYS);
    return disk_bytes;
}

static int
remove_entry(const char *path, const struct stat *stat, int type,
             struct FTW *at)
{
    (void)stat;
    (void)type;
    (void)at;
    return remove(path);
}

bool
place_remove(const char *dir)
{
    return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

/* ---- the process ---- */

/* The clock that counts a process's time on processors counts nanoseconds;
 * /proc/PID/stat only counts ticks.
 */
double
place_cpu_us(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}
