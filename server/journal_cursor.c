/* Segments are read with pread() beside the writer, who writes the newest past
 * the page cache. The kernel drops pages that are written over that way, but a
 * page that was being read at that moment may stay. So nothing is read ahead of
 * what was asked for, and a header that makes no sense is read once more from
 * the disk.
 */

#include "journal_cursor.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "journal_files.h"

/* Entries that one call goes past without putting anything. */
#define SKIPS_MAX 256

struct journal_cursor {
    struct journal_files *files;
    uint64_t due; /* The entry that is put now, or next. */

    /* Of the segment that is open. */
    int fd; /* -1: none */
    struct segment_header segment;
    char path[FILE_PATH_MAX];
    off_t entry_at; /* Of the entry that is next there. */

    /* What is left of the entry that is being put. */
    uint8_t header[JOURNAL_CURSOR_HEADER];
    size_t header_left;
    size_t body_left;
    off_t body_at;
};

struct journal_cursor *
journal_cursor_open(struct journal *journal, uint64_t after)
{
    struct journal_cursor *cursor = calloc(1, sizeof(*cursor));

    if (cursor != NULL) {
        cursor->files = journal_files_of(journal);
        cursor->due = after + 1;
        cursor->fd = -1;
    }
    return cursor;
}

static void
close_segment(struct journal_cursor *cursor)
{
    if (cursor->fd >= 0) {
        close(cursor->fd);
        cursor->fd = -1;
    }
}

void
journal_cursor_close(struct journal_cursor *cursor)
{
    if (cursor != NULL) {
        close_segment(cursor);
        free(cursor);
    }
}

uint64_t
journal_cursor_done(const struct journal_cursor *cursor)
{
    return cursor->due - 1;
}

/* ---- finding an entry ---- */

/* The segment that has the entry that is due, if it is there at all. False if
 * there is none that begins at it or before.
 */
static bool
find_segment(struct journal_cursor *cursor, struct segment_header *found)
{
    bool is_found = false;

    pthread_mutex_lock(&cursor->files->lock);
    for (const struct segment *s = cursor->files->segments;
         s != NULL && s->header.first_sequence <= cursor->due; s = s->next) {
        *found = s->header;
        is_found = true;
    }
    pthread_mutex_unlock(&cursor->files->lock);
    return is_found;
}

static enum acta_code
fail_missing(const struct journal_cursor *cursor, struct acta_err *err)
{
    return acta_fail(
        err, ACTA_CORRUPT, "%s: entry %" PRIu64 " is damaged or missing",
        cursor->fd < 0 ? cursor->files->dir : cursor->path, cursor->due);
}

/* Open the segment that has the entry that is due, if it is not the one that is
 * open. It is the last one that can have it: what one before it has under the
 * same number was torn, and nobody was told of it (J4).
 */
static enum acta_code
open_segment(struct journal_cursor *cursor, struct acta_err *err)
{
    struct segment_header found;

    if (!find_segment(cursor, &found)) {
        return fail_missing(cursor, err);
    }
    if (cursor->fd >= 0 && found.number == cursor->segment.number) {
        return ACTA_OK;
    }
    close_segment(cursor);
    cursor->segment = found;
    cursor->entry_at = SEGMENT_HEADER_SIZE;
    journal_files_path(cursor->files, JOURNAL_SEGMENT_PREFIX, found.number,
                       cursor->path);
    cursor->fd = open(cursor->path, O_RDONLY | O_CLOEXEC);
    if (cursor->fd < 0) {
        return file_fail(err, "open", cursor->path);
    }
    /* Read nothing ahead. Only a hint. */
    (void)posix_fadvise(cursor->fd, 0, 0, POSIX_FADV_RANDOM);
    return ACTA_OK;
}

/* Is a whole header of the open segment at entry_at? */
static bool
decode(struct journal_cursor *cursor, const uint8_t *bytes, size_t size,
       struct journal_entry *entry)
{
    return size == SEGMENT_ENTRY_SIZE &&
           segment_decode_entry(entry, bytes, cursor->segment.salt) &&
           /* Not tested: what has a right checksum is where it belongs, */
           entry->sequence <= cursor->due &&
           /* Not tested: and is no larger than its file. */
           entry->block.size + entry->rows.size <=
               cursor->segment.size - (uint64_t)cursor->entry_at -
                   SEGMENT_ENTRY_SIZE;
}

/* Read the header at entry_at. *@found is false if there is none. */
static enum acta_code
read_header(struct journal_cursor *cursor, struct journal_entry *entry,
            bool *found, struct acta_err *err)
{
    uint8_t bytes[SEGMENT_ENTRY_SIZE];
    enum acta_code code = ACTA_OK;
    size_t got;

    *found = false;
    if ((uint64_t)cursor->entry_at + SEGMENT_ENTRY_SIZE >
        cursor->segment.size) {
        return ACTA_OK;
    }
    for (unsigned tries = 0; code == ACTA_OK && !*found && tries < 2; tries++) {
        if (tries > 0) {
            (void)posix_fadvise(cursor->fd, 0, 0, POSIX_FADV_DONTNEED);
        }
        code = file_read_at(cursor->fd, bytes, sizeof(bytes), cursor->entry_at,
                            &got, cursor->path, err);
        *found = code == ACTA_OK && decode(cursor, bytes, got, entry);
    }
    return code;
}

/* Go to the entry that is due, or past one that is before it. */
static enum acta_code
step(struct journal_cursor *cursor, struct acta_err *err)
{
    struct journal_entry entry;
    enum acta_code code;
    size_t size;
    bool found;

    code = open_segment(cursor, err);
    if (code == ACTA_OK) {
        code = read_header(cursor, &entry, &found, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (!found || entry.is_end) {
        return fail_missing(cursor, err);
    }
    size = entry.block.size + entry.rows.size;
    if (entry.sequence == cursor->due) {
        put_u64(cursor->header, entry.sequence);
        put_u64(cursor->header + 8, entry.first_position);
        put_u64(cursor->header + 16, entry.time_us);
        put_u32(cursor->header + 24, (uint32_t)entry.block.size);
        put_u32(cursor->header + 28, (uint32_t)entry.rows.size);
        cursor->header_left = JOURNAL_CURSOR_HEADER;
        cursor->body_left = size;
        cursor->body_at = cursor->entry_at + SEGMENT_ENTRY_SIZE;
    }
    cursor->entry_at += (off_t)journal_entry_size(size);
    return ACTA_OK;
}

/* ---- putting it ---- */

static size_t
put_header(struct journal_cursor *cursor, size_t room, struct buf *out)
{
    size_t size = cursor->header_left < room ? cursor->header_left : room;

    buf_append(out,
               cursor->header + JOURNAL_CURSOR_HEADER - cursor->header_left,
               size);
    cursor->header_left -= size;
    return size;
}

static enum acta_code
put_body(struct journal_cursor *cursor, size_t room, struct buf *out,
         size_t *size, struct acta_err *err)
{
    enum acta_code code;
    uint8_t *to;
    size_t got;

    *size = cursor->body_left < room ? cursor->body_left : room;
    to = buf_reserve(out, *size);
    if (to == NULL) {
        return acta_fail(err, ACTA_MEMORY, "read journal");
    }
    code = file_read_at(cursor->fd, to, *size, cursor->body_at, &got,
                        cursor->path, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (got < *size) {
        return fail_missing(cursor, err);
    }
    buf_advance(out, *size);
    cursor->body_at += (off_t)*size;
    cursor->body_left -= *size;
    return ACTA_OK;
}

enum acta_code
journal_cursor_read(struct journal_cursor *cursor, uint64_t last,
                    size_t size_max, struct buf *out, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    unsigned skips = 0;

    while (code == ACTA_OK && size_max > 0 && skips < SKIPS_MAX) {
        bool is_open = cursor->header_left + cursor->body_left > 0;
        size_t size = 0;

        if (!is_open && cursor->due > last) {
            break;
        }
        if (!is_open) {
            code = step(cursor, err);
            skips++;
            if (cursor->header_left == 0) {
                continue;
            }
        }
        if (cursor->header_left > 0) {
            size = put_header(cursor, size_max, out);
        } else {
            code = put_body(cursor, size_max, out, &size, err);
        }
        size_max -= size;
        if (code == ACTA_OK && cursor->header_left + cursor->body_left == 0) {
            cursor->due++;
            skips = 0;
        }
    }
    return code;
}
