#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_inside.h"
#include "require.h"

static void
load_file(struct object *file, const char *path, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    require(fd >= 0);
    file->bytes = malloc(size + 1);
    file->size = size;
    require(read(fd, file->bytes, size) == (ssize_t)size);
    close(fd);
}

/* Directories here are three levels deep. */
static void
load_dir(struct disk *disk, struct object *dir, const char *path)
{
    DIR *list = opendir(path);
    struct dirent *entry;

    require(list != NULL);
    while ((entry = readdir(list)) != NULL) {
        char below[DISK_PATH_SIZE];
        struct object *object;
        struct stat status;
        int size = snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);

        require(size > 0 && size < DISK_PATH_SIZE);
        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        require(lstat(below, &status) == 0);
        object = disk_add(disk, status.st_ino, S_ISDIR(status.st_mode),
                          entry->d_name);
        entries_set(&dir->now, entry->d_name, object);
        entries_set(&dir->durable, entry->d_name, object);
        if (object->is_dir) {
            load_dir(disk, object, below);
        } else {
            load_file(object, below, (size_t)status.st_size);
        }
    }
    closedir(list);
}

void
disk_load(struct disk *disk, const char *dir)
{
    load_dir(disk, disk->root, dir);
}
