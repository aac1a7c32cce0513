/* A block: records of consecutive positions with a directory in front. The
 * journal's entries and the store's log are made of blocks.
 *
 *     offset  size
 *          0     8  position of the first record
 *          8     4  count: at least 1
 *         12     4  checksum of the 12 bytes above and of the directory
 *         16  8 * count  directory: for each record, where it ends (counted
 *                   from the first record's start) and its checksum, 4 each
 *                   records, one behind the other
 *
 * Numbers are little-endian. The directory makes any record one step away, the
 * checksums make it safe to take that step. Any thread.
 */

#ifndef ACTA_BLOCK_H
#define ACTA_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"

#define BLOCK_HEADER_SIZE 16
#define BLOCK_ENTRY_SIZE  8

/* What a block says of a record, and where its bytes are. */
struct block_record {
    const uint8_t *data;
    uint32_t size;
    uint32_t checksum;
};

/* Have its bytes fetched from memory: it will be looked at soon. The processor
 * goes on by itself with those of a long one.
 */
static inline void
block_record_fetch(const struct block_record *record)
{
    for (uint32_t at = 0; at < record->size && at < 512; at += 64) {
        __builtin_prefetch(record->data + at);
    }
}

/* Size of the block of @count records that have @records_size bytes together.
 */
static inline size_t
block_size(size_t count, size_t records_size)
{
    return BLOCK_HEADER_SIZE + BLOCK_ENTRY_SIZE * count + records_size;
}

/* A block being written, record by record, into memory of the caller's that has
 * block_size() bytes.
 */
struct block_writer {
    uint8_t *to;
    uint8_t *entry;
    uint8_t *records;
    uint8_t *end;
};

void block_writer_init(struct block_writer *writer, uint8_t *to,
                       uint64_t first_position, size_t count);
void block_writer_add(struct block_writer *writer,
                      const struct block_record *record);

/* Seal the block after the last record. Returns what is behind it. */
uint8_t *block_writer_end(struct block_writer *writer);

/* A block being read. It borrows from the bytes it was opened on. */
struct block {
    uint64_t first_position;
    uint32_t count;
    const uint8_t *directory;
    const uint8_t *records;
    size_t size; /* Of the whole block. */
};

/* CORRUPT if the bytes do not begin with a block whose directory is whole. They
 * may be longer than the block. Records are not looked at.
 */
enum acta_code block_open(struct block *block, struct slice bytes,
                          struct acta_err *err) ACTA_CHECKED;

/* The record of @position, which must be in the block. CORRUPT if its checksum
 * is wrong, or if it is not the record of this position.
 */
enum acta_code block_get(const struct block *block, uint64_t position,
                         struct block_record *record,
                         struct acta_err *err) ACTA_CHECKED;

/* The records of @count positions from @position on, which must all be in the
 * block, as block_get() has each. What lies behind each of them is fetched from
 * memory meanwhile. *@found are good, from the first on; all of them, or the
 * code is about the next one.
 */
enum acta_code block_get_run(const struct block *block, uint64_t position,
                             size_t count, struct block_record *records,
                             size_t *found, struct acta_err *err) ACTA_CHECKED;

/* For one record of many blocks: where the record of @position is in @bytes,
 * the block whose first position is @first, if it is anywhere. Nothing of the
 * block is summed, so only block_check() tells whether it is the one; in return
 * nothing is looked at but the front of the block and the record's own entry,
 * for which block_fetch() asks ahead.
 */
void block_fetch(struct slice bytes, uint64_t first, uint64_t position);
bool block_has(struct slice bytes, uint64_t first, uint64_t position);
uint32_t block_count(struct slice bytes);
bool block_pick(struct slice bytes, uint64_t first, uint64_t position,
                struct block_record *record);

/* CORRUPT if the checksum of @record, which was found for @position, is wrong,
 * or if it is not the record of this position.
 */
enum acta_code block_check(const struct block_record *record, uint64_t position,
                           struct acta_err *err) ACTA_CHECKED;

/* Where the record of @position is, which must be in the block, damaged or not.
 * False if its place makes no sense.
 */
bool block_find(const struct block *block, uint64_t position,
                struct block_record *record);

/* Position behind the last record. */
static inline uint64_t
block_end(const struct block *block)
{
    return block->first_position + block->count;
}

#endif
