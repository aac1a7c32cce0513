#include "segment.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block.h"
#include "bytes.h"
#include "checksum.h"
#include "file.h"
#include "row.h"

#define HEADER_MAGIC  "ACTAJNL1"
#define HEADER_SUMMED 16 /* From here */
#define HEADER_END    80 /* to here. */
#define ENTRY_MAGIC   0x4a544341u
#define ENTRY_SUMMED  8

/* Since version 3 the version is summed as well. */
static uint32_t
sum_header(const uint8_t *header)
{
    uint32_t sum = get_u32(header + 8) < 3 ? 0 : checksum_of(header + 8, 4);

    return checksum_extend(sum, header + HEADER_SUMMED,
                           HEADER_END - HEADER_SUMMED);
}

void
segment_encode_header(uint8_t *to, const struct segment_header *header)
{
    memset(to, 0, SEGMENT_HEADER_SIZE);
    memcpy(to, HEADER_MAGIC, 8);
    put_u32(to + 8, SEGMENT_VERSION);
    memcpy(to + 16, header->database_id.bytes, UUID_SIZE);
    put_u64(to + 32, header->salt);
    put_u64(to + 40, header->number);
    put_u64(to + 48, header->first_sequence);
    put_u64(to + 56, header->first_position);
    put_u64(to + 64, header->size);
    put_u32(to + 12, sum_header(to));
}

enum acta_code
segment_decode_header(struct segment_header *header, const uint8_t *from,
                      struct acta_err *err)
{
    if (memcmp(from, HEADER_MAGIC, 8) != 0) {
        return acta_fail(err, ACTA_CORRUPT, "it is no journal segment");
    }
    if (get_u32(from + 8) > SEGMENT_VERSION) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "it has format version %u, this program knows %u",
                         get_u32(from + 8), SEGMENT_VERSION);
    }
    if (get_u32(from + 8) == 0 || get_u32(from + 12) != sum_header(from)) {
        return acta_fail(err, ACTA_CORRUPT, "its header is damaged");
    }
    memcpy(header->database_id.bytes, from + 16, UUID_SIZE);
    header->salt = get_u64(from + 32);
    header->number = get_u64(from + 40);
    header->first_sequence = get_u64(from + 48);
    header->first_position = get_u64(from + 56);
    header->size = get_u64(from + 64);
    return ACTA_OK;
}

void
segment_encode_entry(uint8_t *to, uint64_t salt,
                     const struct journal_entry *entry)
{
    assert(entry->block.size <= UINT32_MAX);
    assert(entry->rows.size <= UINT32_MAX);

    memset(to, 0, SEGMENT_ENTRY_SIZE);
    put_u32(to, ENTRY_MAGIC);
    put_u64(to + 8, salt);
    put_u64(to + 16, entry->sequence);
    put_u64(to + 24, entry->first_position);
    put_u64(to + 32, entry->time_us);
    put_u32(to + 40, (uint32_t)entry->block.size);
    put_u32(to + 44, entry->is_end ? 1 : 0);
    put_u32(to + 48, (uint32_t)entry->rows.size);
    put_u32(to + 4,
            checksum_of(to + ENTRY_SUMMED, SEGMENT_ENTRY_SIZE - ENTRY_SUMMED));
}

bool
segment_decode_entry(struct journal_entry *entry, const uint8_t *from,
                     uint64_t salt)
{
    if (get_u32(from) != ENTRY_MAGIC || get_u64(from + 8) != salt ||
        get_u32(from + 4) != checksum_of(from + ENTRY_SUMMED,
                                         SEGMENT_ENTRY_SIZE - ENTRY_SUMMED)) {
        return false;
    }
    *entry = (struct journal_entry){
        .sequence = get_u64(from + 16),
        .first_position = get_u64(from + 24),
        .time_us = get_u64(from + 32),
        .block = slice_make(NULL, get_u32(from + 40)),
        .is_end = get_u32(from + 44) != 0,
        .rows = slice_make(NULL, get_u32(from + 48)),
    };
    return true;
}

bool
segment_check_body(const struct journal_entry *entry)
{
    struct block_record record;
    struct block block;
    struct slice rows;

    if (rows_open(&rows, entry->rows, NULL) != ACTA_OK) {
        return false;
    }
    if (entry->block.size == 0) {
        return true;
    }
    if (block_open(&block, entry->block, NULL) != ACTA_OK ||
        /* Not tested: two checksums are right, of what is not one entry. */
        block.first_position != entry->first_position ||
        /* Not tested: likewise. */
        block.size != entry->block.size) {
        return false;
    }
    for (uint64_t p = block.first_position; p < block_end(&block); p++) {
        if (block_get(&block, p, &record, NULL) != ACTA_OK) {
            return false;
        }
    }
    return true;
}

static enum acta_code
map_file(struct segment_reader *reader, int fd, const char *path,
         struct acta_err *err)
{
    struct stat status;
    void *map;

    if (fstat(fd, &status) != 0) {
        return file_fail(err, "look at", path);
    }
    if (status.st_size < SEGMENT_HEADER_SIZE) {
        return acta_fail(err, ACTA_CORRUPT, "%s: it has only %jd bytes", path,
                         (intmax_t)status.st_size);
    }
    reader->size = (size_t)status.st_size;
    map = mmap(NULL, reader->size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return file_fail(err, "map", path);
    }
    (void)madvise(map, reader->size, MADV_SEQUENTIAL); /* Only a hint. */
    reader->map = map;
    return ACTA_OK;
}

enum acta_code
segment_reader_open(struct segment_reader *reader, const char *path,
                    struct acta_err *err)
{
    enum acta_code code;
    int fd;

    *reader = (struct segment_reader){.at = SEGMENT_HEADER_SIZE};
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(err, "open", path);
    }
    /* Read what the disk has. A page that could not be written by a sync that
     * failed may still be in memory, and look as if it had been.
     */
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    code = map_file(reader, fd, path, err);
    close(fd);
    if (code != ACTA_OK) {
        return code;
    }
    code = segment_decode_header(&reader->header, reader->map, err);
    if (code == ACTA_OK && reader->header.size != reader->size) {
        code = acta_fail(err, ACTA_CORRUPT, "it has %zu bytes and not %ju",
                         reader->size, (uintmax_t)reader->header.size);
    }
    if (code != ACTA_OK) {
        segment_reader_close(reader);
        return acta_wrap(err, code, "%s", path);
    }
    reader->next_sequence = reader->header.first_sequence;
    return ACTA_OK;
}

void
segment_reader_close(struct segment_reader *reader)
{
    munmap((void *)(uintptr_t)reader->map, reader->size);
    reader->map = NULL;
}

/* A whole entry at @offset, whatever its sequence number. */
static bool
read_entry(const struct segment_reader *reader, size_t offset,
           struct journal_entry *entry, size_t *size)
{
    const uint8_t *body = reader->map + offset + SEGMENT_ENTRY_SIZE;
    size_t body_size;

    if (reader->size - offset < SEGMENT_ALIGNMENT ||
        !segment_decode_entry(entry, reader->map + offset,
                              reader->header.salt)) {
        return false;
    }
    body_size = entry->block.size + entry->rows.size;
    /* Not tested: its checksum is right, and it does not fit in its file. */
    if (body_size > reader->size - offset - SEGMENT_ENTRY_SIZE) {
        return false;
    }
    entry->block.data = body;
    entry->rows.data = body + entry->block.size;
    *size = journal_entry_size(body_size);
    return segment_check_body(entry);
}

bool
segment_reader_next(struct segment_reader *reader, struct journal_entry *entry)
{
    size_t size;

    if (!read_entry(reader, reader->at, entry, &size) ||
        entry->sequence != reader->next_sequence) {
        return false;
    }
    if (entry->is_end) {
        reader->ended = true;
        return false;
    }
    reader->at += size;
    reader->next_sequence++;
    return true;
}

bool
segment_reader_goes_on(const struct segment_reader *reader, size_t *offset)
{
    struct journal_entry entry;
    size_t size;

    if (reader->ended) {
        return false;
    }
    for (size_t at = reader->at; at < reader->size; at += SEGMENT_ALIGNMENT) {
        if (read_entry(reader, at, &entry, &size)) {
            *offset = at;
            return true;
        }
    }
    return false;
}
