/* Parts are written and read from their beginning to their end. */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive_inside.h"
#include "bytes.h"
#include "checksum.h"
#include "file.h"

#define PART_MAGIC "ACTABKP1"
#define FILE_MODE  0600

/* So much is let pile up in memory before the disk is asked to write. */
#define PILE_SIZE ((uint64_t)8 << 20)

/* ---- bytes ---- */

static uint32_t
sum_header(const uint8_t *header)
{
    return checksum_extend(checksum_of(header + 8, 4), header + 16,
                           ARCHIVE_PART_HEADER - 16);
}

static void
encode_header(uint8_t to[static ARCHIVE_PART_HEADER],
              const struct archive_part *part, const struct uuid *database)
{
    memset(to, 0, ARCHIVE_PART_HEADER);
    memcpy(to, PART_MAGIC, 8);
    put_u32(to + 8, ARCHIVE_VERSION);
    memcpy(to + 16, database->bytes, UUID_SIZE);
    put_u32(to + 32, part->kind);
    put_u64(to + 40, part->number);
    put_u64(to + 48, part->after);
    put_u32(to + 12, sum_header(to));
}

/* Is it the header that @part of @database must have? */
static bool
is_header(const uint8_t from[static ARCHIVE_PART_HEADER],
          const struct archive_part *part, const struct uuid *database)
{
    uint8_t due[ARCHIVE_PART_HEADER];

    encode_header(due, part, database);
    return memcmp(from, due, sizeof(due)) == 0;
}

static uint32_t
chunk_checksum(uint64_t offset, struct slice bytes)
{
    uint8_t front[8];

    put_u64(front, offset);
    return checksum_extend(checksum_of(front, sizeof(front)), bytes.data,
                           bytes.size);
}

/* ---- writing ---- */

static enum acta_code
put(struct archive_writer *writer, const uint8_t *bytes, size_t size,
    struct acta_err *err)
{
    struct archive_part *part = &writer->part;
    enum acta_code code = file_write_at(writer->fd, bytes, size,
                                        (off_t)part->size, writer->path, err);

    part->checksum = checksum_extend(part->checksum, bytes, size);
    part->size += size;
    return code;
}

enum acta_code
archive_writer_begin(struct archive_writer *writer, struct archive *archive,
                     enum archive_kind kind, uint64_t after,
                     struct uuid database, struct acta_err *err)
{
    uint8_t header[ARCHIVE_PART_HEADER];
    enum acta_code code;

    *writer = (struct archive_writer){
        .archive = archive,
        .part = {.kind = kind, .number = ++archive->number, .after = after},
        .fd = -1,
    };
    code = archive_path(archive, writer->part.number, writer->path, err);
    if (code != ACTA_OK) {
        return code;
    }
    writer->fd =
        open(writer->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (writer->fd < 0) {
        return file_fail(err, "make", writer->path);
    }
    encode_header(header, &writer->part, &database);
    return put(writer, header, sizeof(header), err);
}

/* Have the disk begin to write, so that the sync at the end has not all of it
 * to do, and memory is not full of it. Only a hint.
 */
static void
hurry(struct archive_writer *writer)
{
    uint64_t size = writer->part.size - writer->synced;

    if (size >= PILE_SIZE) {
        (void)sync_file_range(writer->fd, (off_t)writer->synced, (off_t)size,
                              SYNC_FILE_RANGE_WRITE);
        writer->synced = writer->part.size;
    }
}

enum acta_code
archive_writer_put(struct archive_writer *writer, struct slice bytes,
                   struct acta_err *err)
{
    uint8_t header[ARCHIVE_CHUNK_HEADER];
    enum acta_code code;

    assert(bytes.size > 0);
    assert(bytes.size <= ARCHIVE_CHUNK_MAX);

    put_u32(header, (uint32_t)bytes.size);
    put_u32(header + 4, chunk_checksum(writer->offset, bytes));
    code = put(writer, header, sizeof(header), err);
    if (code == ACTA_OK) {
        code = put(writer, bytes.data, bytes.size, err);
    }
    writer->offset += bytes.size;
    hurry(writer);
    return code;
}

enum acta_code
archive_writer_finish(struct archive_writer *writer, struct archive_scan *scan,
                      struct acta_err *err)
{
    enum acta_code code = archive_scan_end(scan, err);

    if (code == ACTA_OK && fsync(writer->fd) != 0) {
        code = file_fail(err, "sync", writer->path);
    }
    if (code != ACTA_OK) {
        return code;
    }
    close(writer->fd);
    writer->fd = -1;
    writer->part.sequence = scan->sequence;
    writer->part.position = scan->position;
    writer->part.time_us = scan->time_us;
    writer->part.erases = scan->erases;
    return ACTA_OK;
}

void
archive_writer_abort(struct archive_writer *writer)
{
    if (writer->fd >= 0) {
        close(writer->fd);
        writer->fd = -1;
    }
    if (writer->path[0] != '\0') {
        (void)unlink(writer->path); /* The next backup removes what is left. */
    }
}

/* ---- reading ---- */

struct reading {
    int fd;
    const char *path;
    uint64_t at;     /* In the file. */
    uint64_t offset; /* Of the bytes in chunks. */
    uint32_t checksum;
    uint8_t *bytes; /* owned: ARCHIVE_CHUNK_MAX */
};

/* Read exactly @size bytes. */
static enum acta_code
read_bytes(struct reading *reading, uint8_t *to, size_t size,
           struct acta_err *err)
{
    enum acta_code code;
    size_t got;

    code = file_read_at(reading->fd, to, size, (off_t)reading->at, &got,
                        reading->path, err);
    if (code == ACTA_OK && got < size) {
        code = acta_fail(err, ACTA_CORRUPT, "it is cut off at offset %" PRIu64,
                         reading->at + got);
    }
    reading->at += size;
    reading->checksum = checksum_extend(reading->checksum, to, size);
    return code;
}

/* Read a chunk, of which there are @left bytes in the file at most. */
static enum acta_code
read_chunk(struct reading *reading, uint64_t left, struct slice *bytes,
           struct acta_err *err)
{
    uint8_t header[ARCHIVE_CHUNK_HEADER];
    uint64_t at = reading->at;
    enum acta_code code;
    uint32_t size = 0;

    code = read_bytes(reading, header, sizeof(header), err);
    if (code == ACTA_OK) {
        size = get_u32(header);
        if (size == 0 || size > ARCHIVE_CHUNK_MAX ||
            size + sizeof(header) > left) {
            return acta_fail(err, ACTA_CORRUPT,
                             "the chunk at offset %" PRIu64 " is damaged", at);
        }
        code = read_bytes(reading, reading->bytes, size, err);
    }
    *bytes = slice_make(reading->bytes, size);
    if (code == ACTA_OK &&
        get_u32(header + 4) != chunk_checksum(reading->offset, *bytes)) {
        code = acta_fail(err, ACTA_CORRUPT,
                         "the chunk at offset %" PRIu64 " is damaged", at);
    }
    reading->offset += size;
    return code;
}

static enum acta_code
read_all(struct reading *reading, const struct archive *archive,
         const struct archive_part *part, struct archive_scan *scan,
         void (*progress)(void *user, uint64_t bytes), void *user,
         struct acta_err *err)
{
    uint8_t header[ARCHIVE_PART_HEADER];
    enum acta_code code;
    struct slice bytes;

    code = read_bytes(reading, header, sizeof(header), err);
    if (code == ACTA_OK && !is_header(header, part, &archive->database)) {
        return acta_fail(err, ACTA_CORRUPT, "its header is damaged");
    }
    while (code == ACTA_OK && reading->at < part->size) {
        uint64_t at = reading->at;

        code = read_chunk(reading, part->size - at, &bytes, err);
        if (code == ACTA_OK) {
            code = archive_scan_take(scan, bytes, err);
        }
        if (code == ACTA_OK && progress != NULL) {
            progress(user, reading->at - at);
        }
    }
    if (code == ACTA_OK &&
        (reading->at != part->size || reading->checksum != part->checksum)) {
        code = acta_fail(err, ACTA_CORRUPT,
                         "it is not the one that the manifest means");
    }
    return code == ACTA_OK ? archive_scan_end(scan, err) : code;
}

enum acta_code
archive_read(const struct archive *archive, const struct archive_part *part,
             struct archive_scan *scan,
             void (*progress)(void *user, uint64_t bytes), void *user,
             struct acta_err *err)
{
    struct reading reading = {.fd = -1};
    char path[FILE_PATH_MAX];
    enum acta_code code;

    code = archive_path(archive, part->number, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    reading.path = path;
    reading.bytes = malloc(ARCHIVE_CHUNK_MAX);
    reading.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (reading.bytes == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "read backup");
    } else if (reading.fd < 0 && errno == ENOENT) {
        code = acta_fail(err, ACTA_CORRUPT, "%s is missing", path);
    } else if (reading.fd < 0) {
        code = file_fail(err, "open", path);
    } else {
        /* What the disk has, not what memory still has of it. Only a hint. */
        (void)posix_fadvise(reading.fd, 0, 0, POSIX_FADV_DONTNEED);
        code = read_all(&reading, archive, part, scan, progress, user, err);
        if (code != ACTA_OK) {
            code = acta_wrap(err, code, "%s", path);
        }
    }
    if (reading.fd >= 0) {
        close(reading.fd);
    }
    free(reading.bytes);
    return code;
}

enum acta_code
archive_verify(const struct archive *archive,
               void (*progress)(void *user, uint64_t bytes), void *user,
               struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    uint64_t position = 0;

    for (size_t i = 0; code == ACTA_OK && i < archive->parts_count; i++) {
        const struct archive_part *part = &archive->parts[i];
        struct archive_scan scan;

        archive_scan_init(&scan, part->kind, part->after, position);
        code = archive_read(archive, part, &scan, progress, user, err);
        position = scan.position;
        if (code == ACTA_OK &&
            (scan.sequence != part->sequence || position != part->position)) {
            code =
                acta_fail(err, ACTA_CORRUPT,
                          "%s: part %" PRIu64 " is not what the manifest says",
                          archive->dir, part->number);
        }
        archive_scan_fini(&scan);
    }
    return code;
}
