#include "block.h"

#include <assert.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"
#include "record.h"

#define COUNT_AT     8
#define CHECKSUM_AT  12
#define SUMMED_FRONT CHECKSUM_AT

/* How far ahead of what is summed memory is asked for what is summed later:
 * some hundred nanoseconds' worth.
 */
#define AHEAD_SIZE 4096

void
block_writer_init(struct block_writer *writer, uint8_t *to,
                  uint64_t first_position, size_t count)
{
    assert(count > 0);
    assert(count <= UINT32_MAX);

    put_u64(to, first_position);
    put_u32(to + COUNT_AT, (uint32_t)count);
    writer->to = to;
    writer->entry = to + BLOCK_HEADER_SIZE;
    writer->records = writer->entry + BLOCK_ENTRY_SIZE * count;
    writer->end = writer->records;
}

void
block_writer_add(struct block_writer *writer, const struct block_record *record)
{
    assert(writer->entry < writer->records);

    memcpy(writer->end, record->data, record->size);
    writer->end += record->size;
    put_u32(writer->entry, (uint32_t)(writer->end - writer->records));
    put_u32(writer->entry + 4, record->checksum);
    writer->entry += BLOCK_ENTRY_SIZE;
}

/* The directory ends where the records begin. */
static uint32_t
directory_checksum(const uint8_t *block, const uint8_t *records)
{
    const uint8_t *directory = block + BLOCK_HEADER_SIZE;
    uint32_t sum = checksum_of(block, SUMMED_FRONT);

    return checksum_extend(sum, directory, (size_t)(records - directory));
}

uint8_t *
block_writer_end(struct block_writer *writer)
{
    assert(writer->entry == writer->records);

    put_u32(writer->to + CHECKSUM_AT,
            directory_checksum(writer->to, writer->records));
    return writer->end;
}

static uint32_t
end_of(const struct block *block, size_t index)
{
    return get_u32(block->directory + BLOCK_ENTRY_SIZE * index);
}

enum acta_code
block_open(struct block *block, struct slice bytes, struct acta_err *err)
{
    size_t directory_size;
    size_t left;

    if (bytes.size < BLOCK_HEADER_SIZE) {
        return acta_fail(err, ACTA_CORRUPT, "block has only %zu bytes",
                         bytes.size);
    }
    block->first_position = get_u64(bytes.data);
    block->count = get_u32(bytes.data + COUNT_AT);
    left = bytes.size - BLOCK_HEADER_SIZE;
    if (block->count == 0 || block->count > left / BLOCK_ENTRY_SIZE) {
        return acta_fail(err, ACTA_CORRUPT,
                         "block of position %ju claims %u records",
                         (uintmax_t)block->first_position, block->count);
    }
    directory_size = BLOCK_ENTRY_SIZE * (size_t)block->count;
    left -= directory_size;
    block->directory = bytes.data + BLOCK_HEADER_SIZE;
    block->records = block->directory + directory_size;
    if (get_u32(bytes.data + CHECKSUM_AT) !=
        directory_checksum(bytes.data, block->records)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "directory of the block of position %ju is damaged",
                         (uintmax_t)block->first_position);
    }
    if (end_of(block, block->count - 1) > left) {
        return acta_fail(err, ACTA_CORRUPT,
                         "block of position %ju is cut short",
                         (uintmax_t)block->first_position);
    }
    block->size =
        BLOCK_HEADER_SIZE + directory_size + end_of(block, block->count - 1);
    return ACTA_OK;
}

static inline bool
find(const struct block *block, uint64_t position, struct block_record *record)
{
    size_t index = (size_t)(position - block->first_position);
    uint32_t start, end;

    assert(position >= block->first_position);
    assert(position < block_end(block));

    /* The directory's checksum was right, but a checksum is no proof. */
    start = index == 0 ? 0 : end_of(block, index - 1);
    end = end_of(block, index);
    if (start > end || end > end_of(block, block->count - 1)) {
        return false;
    }
    record->data = block->records + start;
    record->size = end - start;
    record->checksum = get_u32(block->directory + BLOCK_ENTRY_SIZE * index + 4);
    return true;
}

bool
block_find(const struct block *block, uint64_t position,
           struct block_record *record)
{
    return find(block, position, record);
}

/* Where the entry of @position is; where it would be, if the block has none. */
static const uint8_t *
entry_of(struct slice bytes, uint64_t first, uint64_t position)
{
    return bytes.data + BLOCK_HEADER_SIZE +
           BLOCK_ENTRY_SIZE * (size_t)(position - first);
}

void
block_fetch(struct slice bytes, uint64_t first, uint64_t position)
{
    const uint8_t *entry = entry_of(bytes, first, position);

    __builtin_prefetch(bytes.data);
    __builtin_prefetch(entry - BLOCK_ENTRY_SIZE);
    __builtin_prefetch(entry + BLOCK_ENTRY_SIZE - 1);
}

uint32_t
block_count(struct slice bytes)
{
    return get_u32(bytes.data + COUNT_AT);
}

bool
block_has(struct slice bytes, uint64_t first, uint64_t position)
{
    return bytes.size >= BLOCK_HEADER_SIZE && get_u64(bytes.data) == first &&
           position >= first && position - first < block_count(bytes);
}

bool
block_pick(struct slice bytes, uint64_t first, uint64_t position,
           struct block_record *record)
{
    size_t front, start, end;
    const uint8_t *entry;

    if (!block_has(bytes, first, position)) {
        return false;
    }
    entry = entry_of(bytes, first, position);
    front = block_size(block_count(bytes), 0);
    if (front > bytes.size) {
        return false;
    }
    start = position == first ? 0 : get_u32(entry - BLOCK_ENTRY_SIZE);
    end = get_u32(entry);
    if (start > end || end > bytes.size - front) {
        return false;
    }
    record->data = bytes.data + front + start;
    record->size = (uint32_t)(end - start);
    record->checksum = get_u32(entry + 4);
    return true;
}

static inline enum acta_code
check(const struct block_record *record, uint64_t position,
      struct acta_err *err)
{
    if (checksum_of(record->data, record->size) != record->checksum) {
        return acta_fail(err, ACTA_CORRUPT,
                         "event at position %ju is damaged: its checksum is "
                         "wrong",
                         (uintmax_t)position);
    }
    if (record_position(slice_make(record->data, record->size)) != position) {
        return acta_fail(err, ACTA_CORRUPT,
                         "event at position %ju is damaged: another one is in "
                         "its place",
                         (uintmax_t)position);
    }
    return ACTA_OK;
}

enum acta_code
block_check(const struct block_record *record, uint64_t position,
            struct acta_err *err)
{
    return check(record, position, err);
}

static enum acta_code
fail_place(uint64_t position, struct acta_err *err)
{
    return acta_fail(err, ACTA_CORRUPT,
                     "event at position %ju is damaged: its place in the "
                     "block makes no sense",
                     (uintmax_t)position);
}

enum acta_code
block_get(const struct block *block, uint64_t position,
          struct block_record *record, struct acta_err *err)
{
    return find(block, position, record) ? check(record, position, err)
                                         : fail_place(position, err);
}

enum acta_code
block_get_run(const struct block *block, uint64_t position, size_t count,
              struct block_record *records, size_t *found, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    assert(count <= block_end(block) - position);

    for (*found = 0; *found < count; ++*found) {
        struct block_record *record = &records[*found];
        struct block_record ahead;

        if (!find(block, position + *found, record)) {
            return fail_place(position + *found, err);
        }
        /* Blocks lie one behind the other, as records do; to fetch what is not
         * there does no harm.
         */
        ahead = *record;
        ahead.data += AHEAD_SIZE;
        block_record_fetch(&ahead);
        code = check(record, position + *found, err);
        if (code != ACTA_OK) {
            break;
        }
    }
    return code;
}
