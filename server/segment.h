/* A segment: one file of the journal. Internal to the journal.
 *
 * The file begins with a header in its first 4096 bytes:
 *
 *     offset  size
 *          0     8  "ACTAJNL1"
 *          8     4  format version
 *         12     4  checksum of bytes 8 to 11 and 16 to 79; before version 3
 *                   of bytes 16 to 79
 *         16    16  id of the database
 *         32     8  salt
 *         40     8  number of the segment: 1, 2, 3 and so on
 *         48     8  sequence number of its first entry
 *         56     8  position of the first event in it, or of the next one
 *         64     8  size of the file
 *         72     8  zero
 *
 * Behind it are entries, each from a multiple of 4096 on:
 *
 *     offset  size
 *          0     4  0x4a544341, "ACTJ"
 *          4     4  checksum of all that follows up to offset 64
 *          8     8  salt of the segment
 *         16     8  sequence number
 *         24     8  first position
 *         32     8  time stamp, microseconds since 1970
 *         40     4  size of the block
 *         44     4  1 if this is no entry but the end of the segment, else 0
 *         48     4  size of the rows
 *         52    12  zero
 *         64        the block (block.h), unless its size is 0; the rows
 *                   (row.h), unless theirs is; zeros up to a multiple of 4096
 *
 * Version 1 had no rows: zero was in their place.
 *
 * To change this, raise SEGMENT_VERSION, keep reading the old one, and add a
 * directory written by it to the tests.
 */

#ifndef ACTA_SEGMENT_H
#define ACTA_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "journal.h"
#include "uuid.h"

#define SEGMENT_VERSION     3
#define SEGMENT_ALIGNMENT   4096
#define SEGMENT_HEADER_SIZE SEGMENT_ALIGNMENT
#define SEGMENT_ENTRY_SIZE  64 /* Of an entry's header. */

static inline size_t
segment_round(size_t size)
{
    return (size + SEGMENT_ALIGNMENT - 1) / SEGMENT_ALIGNMENT *
           SEGMENT_ALIGNMENT;
}

struct segment_header {
    struct uuid database_id;
    uint64_t salt;
    uint64_t number;
    uint64_t first_sequence;
    uint64_t first_position;
    uint64_t size;
};

/* To and from the first SEGMENT_HEADER_SIZE bytes of a file, zeros included.
 * CORRUPT or UNSUPPORTED.
 */
void segment_encode_header(uint8_t *to, const struct segment_header *header);
enum acta_code segment_decode_header(struct segment_header *header,
                                     const uint8_t *from,
                                     struct acta_err *err) ACTA_CHECKED;

/* The header of an entry, SEGMENT_ENTRY_SIZE bytes. */
void segment_encode_entry(uint8_t *to, uint64_t salt,
                          const struct journal_entry *entry);

/* False if there is none. Its block and its rows have the sizes that it claims,
 * and no data yet.
 */
bool segment_decode_entry(struct journal_entry *entry, const uint8_t *from,
                          uint64_t salt);

/* Check that @entry's block is whole, with every record in it, and its rows. */
bool segment_check_body(const struct journal_entry *entry);

/* A segment being read, mapped as a whole. */
struct segment_reader {
    const uint8_t *map; /* owned */
    size_t size;
    size_t at; /* Offset of the next entry. */
    struct segment_header header;
    uint64_t next_sequence;
    bool ended; /* It came to the end that a clean stop has written. */
};

/* Open the file @path and check its header. */
enum acta_code segment_reader_open(struct segment_reader *reader,
                                   const char *path,
                                   struct acta_err *err) ACTA_CHECKED;
void segment_reader_close(struct segment_reader *reader);

/* Read the next entry. False if there is no whole entry with the sequence
 * number that is due; the reader then stays where it is.
 */
bool segment_reader_next(struct segment_reader *reader,
                         struct journal_entry *entry);

/* Is there, anywhere behind the place where the reader stopped, a whole entry
 * of this segment? Then what it stopped at is damage, and *@offset is where the
 * whole entry is.
 */
bool segment_reader_goes_on(const struct segment_reader *reader,
                            size_t *offset);

#endif
