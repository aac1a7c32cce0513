#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_inside.h"
#include "require.h"

#define PAGE_SIZE 4096

struct drawing {
    enum disk_draw draw;
    size_t block_size;
    bool names_in_order;
    struct rnd *rnd;
    uint64_t odds;  /* Of DISK_ANY: so many of 16 pieces arrive. */
    size_t special; /* The block that is the one of ..._ONE. */
    size_t blocks;  /* Seen so far. */
};

/* Has the next block arrived? */
static bool
has_arrived(struct drawing *drawing)
{
    size_t block = drawing->blocks++;

    switch (drawing->draw) {
    case DISK_EVERYTHING:
        return true;
    case DISK_ANY:
        return rnd_below(drawing->rnd, 16) < drawing->odds;
    case DISK_ALL_BUT_ONE:
        return block != drawing->special;
    case DISK_ONLY_ONE:
        return block == drawing->special;
    case DISK_NOTHING:
    case DISK_DRAWS:
        break;
    }
    return false;
}

/* Where the block ends that @at is in. */
static uint64_t
block_end(const struct drawing *drawing, uint64_t at)
{
    return (at / drawing->block_size + 1) * drawing->block_size;
}

static void
draw_change(struct drawing *drawing, struct content *content,
            const struct change *change)
{
    uint64_t at = change->offset, end = change->offset + change->size;

    if (change->kind != TRACE_WRITE) {
        if (has_arrived(drawing)) {
            content_apply(content, change);
        }
        return;
    }
    while (at < end) {
        uint64_t next = block_end(drawing, at);
        uint64_t part_end = next < end ? next : end;

        if (has_arrived(drawing)) {
            content_put(content, change, at - change->offset, part_end - at);
        }
        at = part_end;
    }
}

static size_t
count_blocks(const struct disk *disk, size_t block_size)
{
    size_t count = 0;

    for (const struct object *o = disk->objects; o != NULL; o = o->next) {
        for (size_t i = 0; i < o->changes_count; i++) {
            const struct change *change = &o->changes[i];

            count += 1;
            if (change->kind == TRACE_WRITE) {
                count += change->size / block_size;
            }
        }
    }
    return count;
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Pages of zeros are left out: the file reads so where nothing was written. */
static void
write_file(const char *path, const struct content *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    require(fd >= 0);
    require(ftruncate(fd, (off_t)content->size) == 0);
    for (size_t at = 0; at < content->size; at += PAGE_SIZE) {
        size_t left = content->size - at;
        size_t size = left < PAGE_SIZE ? left : PAGE_SIZE;

        if (!is_zero(content->bytes + at, size)) {
            require(pwrite(fd, content->bytes + at, size, (off_t)at) ==
                    (ssize_t)size);
        }
    }
    close(fd);
}

static void
draw_file(struct drawing *drawing, const struct object *file, const char *path)
{
    struct content content = {file->bytes, file->size};

    if (file->changes_count > 0) {
        content.bytes = malloc(file->size + 1);
        memcpy(content.bytes, file->bytes == NULL ? content.bytes : file->bytes,
               file->size);
        for (size_t i = 0; i < file->changes_count; i++) {
            draw_change(drawing, &content, &file->changes[i]);
        }
    }
    write_file(path, &content);
    if (file->changes_count > 0) {
        free(content.bytes);
    }
}

/* The names that a directory has, of those that were on their way some. */
static void
draw_names(struct drawing *drawing, const struct object *dir,
           struct entries *names)
{
    bool all =
        drawing->draw == DISK_EVERYTHING || drawing->draw == DISK_ALL_BUT_ONE;
    size_t count = dir->namings_count;

    for (size_t i = 0; i < dir->durable.count; i++) {
        entries_set(names, dir->durable.list[i].name,
                    dir->durable.list[i].target);
    }
    if (!all && drawing->names_in_order) {
        count = rnd_below(drawing->rnd, count + 1);
        all = true;
    }
    for (size_t i = 0; i < count; i++) {
        if (all || rnd_below(drawing->rnd, 2) == 0) {
            entries_apply(names, &dir->namings[i]);
        }
    }
}

static void
draw_dir(struct drawing *drawing, const struct object *dir, const char *path)
{
    struct entries names = {.count = 0};

    draw_names(drawing, dir, &names);
    for (size_t i = 0; i < names.count; i++) {
        char below[DISK_PATH_SIZE];
        int size =
            snprintf(below, sizeof(below), "%s/%s", path, names.list[i].name);

        require(size > 0 && size < DISK_PATH_SIZE);
        if (names.list[i].target->is_dir) {
            require(mkdir(below, 0700) == 0);
            draw_dir(drawing, names.list[i].target, below);
        } else {
            draw_file(drawing, names.list[i].target, below);
        }
    }
    entries_clear(&names);
}

void
disk_write(struct disk *disk, const char *to, enum disk_draw draw,
           size_t block_size, bool names_in_order, struct rnd *rnd)
{
    struct drawing drawing = {
        .draw = draw,
        .block_size = block_size,
        .names_in_order = names_in_order,
        .rnd = rnd,
        .odds = 1 + rnd_below(rnd, 15),
        .special = rnd_below(rnd, count_blocks(disk, block_size) + 1),
    };

    draw_dir(&drawing, disk->root, to);
}
