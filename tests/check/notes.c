#include "notes.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"

#define LINE_SIZE_MAX ((size_t)64 << 20)
#define PART_SIZE_MAX 4096

struct notes {
    int fd;
    struct buf line;
};

struct notes *
notes_open(const char *dir, const char *name)
{
    struct notes *notes = calloc(1, sizeof(*notes));
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    ck_assert_ptr_nonnull(notes);
    notes->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_msg(notes->fd >= 0, "%s: %s", path, strerror(errno));
    buf_init(&notes->line, LINE_SIZE_MAX);
    return notes;
}

void
notes_close(struct notes *notes)
{
    close(notes->fd);
    buf_fini(&notes->line);
    free(notes);
}

static void add(struct notes *notes, const char *fmt, va_list arguments)
    ACTA_PRINTF(2, 0);

static void
add(struct notes *notes, const char *fmt, va_list arguments)
{
    char part[PART_SIZE_MAX];
    int size = vsnprintf(part, sizeof(part), fmt, arguments);

    ck_assert_msg(size >= 0 && size < PART_SIZE_MAX, "too long: %s", fmt);
    buf_append(&notes->line, part, (size_t)size);
}

void
note_part(struct notes *notes, const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    add(notes, fmt, arguments);
    va_end(arguments);
}

void
note_end(struct notes *notes)
{
    struct slice line;

    buf_append(&notes->line, "\n", 1);
    line = buf_slice(&notes->line);
    if (write(notes->fd, line.data, line.size) != (ssize_t)line.size) {
        ck_abort_msg("cannot write notes: %s", strerror(errno));
    }
    buf_clear(&notes->line);
}

void
note(struct notes *notes, const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    add(notes, fmt, arguments);
    va_end(arguments);
    note_end(notes);
}

uint64_t
notes_time_us(void)
{
    const char *begin = getenv("ACTA_TEST_TIME_US");
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (begin == NULL ? 0 : strtoull(begin, NULL, 10)) +
           (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
