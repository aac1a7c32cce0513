/* The bytes of a part's file, which writing and reading have in common.
 * Internal to server/archive*.c.
 *
 * The file begins with a header (numbers little-endian):
 *
 *     offset  size
 *          0     8  "ACTABKP1"
 *          8     4  format version
 *         12     4  checksum of bytes 8 to 11 and 16 to 63
 *         16    16  id of the database
 *         32     4  kind: 1 base, 2 entries
 *         36     4  zero
 *         40     8  number, as in its name
 *         48     8  sequence number: entries behind it are in the part; a
 *                   base has all up to it
 *         56     8  zero
 *
 * Behind it are chunks:
 *
 *          0     4  size of the bytes, 1 to ARCHIVE_CHUNK_MAX
 *          4     4  checksum of how many bytes the chunks before have (8), and
 *                   of the bytes
 *          8        bytes
 */

#ifndef ACTA_ARCHIVE_INSIDE_H
#define ACTA_ARCHIVE_INSIDE_H

#include "archive.h"

#define ARCHIVE_PART_HEADER  64
#define ARCHIVE_CHUNK_HEADER 8

#endif
