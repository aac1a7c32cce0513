/* The journal's entries as a run of bytes, read beside the writer.
 *
 * Each entry is 32 bytes of header, then its block, then its rows (numbers
 * little-endian):
 *
 *     offset  size
 *          0     8  sequence number
 *          8     8  first position
 *         16     8  time stamp, microseconds since 1970
 *         24     4  size of the block, 0 if it has no events
 *         28     4  size of the rows, 0 if it has none
 *
 * Only entries that are durable may be asked for, and those that are due must
 * be kept from being released: journal_read_after(). Blocks and rows are handed
 * on as they are, with their own checksums, which are for the receiver to
 * check.
 *
 * One thread at a time.
 */

#ifndef ACTA_JOURNAL_CURSOR_H
#define ACTA_JOURNAL_CURSOR_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "journal.h"

#define JOURNAL_CURSOR_HEADER 32

struct journal_cursor;

/* Begin behind the entry @after. NULL: no memory. */
struct journal_cursor *journal_cursor_open(struct journal *journal,
                                           uint64_t after);
void journal_cursor_close(struct journal_cursor *cursor); /* May be NULL. */

/* Put up to @size_max bytes of the entries up to @last at the end of @out. It
 * may put none although there are some, when it had to look for them for long.
 *
 * CORRUPT  An entry that must be there is not, or its header is damaged.
 */
enum acta_code journal_cursor_read(struct journal_cursor *cursor, uint64_t last,
                                   size_t size_max, struct buf *out,
                                   struct acta_err *err) ACTA_CHECKED;

/* The last entry of which all bytes were put. */
uint64_t journal_cursor_done(const struct journal_cursor *cursor);

#endif
