/* msgpack, written and read with bounds: the only user of msgpack-c.
 *
 * Writing goes through msgpack-c's packer into a buf.
 *
 * Reading never allocates and never believes a length. pack_scan() checks in
 * one pass that bytes are exactly one msgpack value: that every claimed length
 * and count is there, that nesting is bounded, and that nothing follows. A
 * pack_reader then walks over it. (msgpack-c's own unpacker
 * allocates by claimed counts: five bytes are enough for 8 GiB.)
 *
 * A reader keeps the first failure; after it every getter returns zero values,
 * so a message is read without a check at every field, and reader.failed is
 * asked once, before anything that was read is used.
 *
 * One thread at a time per object.
 */

#ifndef ACTA_PACK_H
#define ACTA_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

/* Writing. Failures show in the buf. */

void pack_nil(struct buf *buf);
void pack_bool(struct buf *buf, bool value);
void pack_uint(struct buf *buf, uint64_t value);
void pack_int(struct buf *buf, int64_t value);
void pack_str(struct buf *buf, struct slice text);
void pack_text(struct buf *buf, const char *text);
void pack_bin(struct buf *buf, struct slice bytes);
void pack_array(struct buf *buf, size_t count);

/* A number in nine bytes, whatever its value, so that it can be patched and
 * found at a fixed offset.
 */
void pack_fixed(struct buf *buf, uint64_t value);

/* Overwrite the number that pack_fixed() wrote at @offset of @buf, or the
 * boolean that pack_bool() did.
 */
void pack_patch_fixed(struct buf *buf, size_t offset, uint64_t value);
void pack_patch_bool(struct buf *buf, size_t offset, bool value);

/* The head of an array in five bytes, whose count is patched later. Returns
 * its offset in @buf.
 */
size_t pack_array_begin(struct buf *buf);
void pack_array_end(struct buf *buf, size_t offset, size_t count);

#define PACK_FIXED_SIZE 9

/* Reading. */

/* Check that @bytes are exactly one value, nested at most @depth_max deep.
 * PROTOCOL if not; the text says at which offset.
 */
enum acta_code pack_scan(struct slice bytes, unsigned depth_max,
                         struct acta_err *err) ACTA_CHECKED;

enum pack_type {
    PACK_NIL,
    PACK_BOOL,
    PACK_UINT, /* Also what was written as a signed number that is >= 0. */
    PACK_INT,  /* Below 0. */
    PACK_FLOAT,
    PACK_STR,
    PACK_BIN,
    PACK_EXT,
    PACK_ARRAY,
    PACK_MAP,
    PACK_END, /* No bytes are left, or reading has failed. */
};

struct pack_reader {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *start;
    bool failed;
    enum acta_code code;  /* Of the first failure. */
    struct acta_err *err; /* Says what failed first; may be NULL. */
};

/* Read from @bytes, which stay the caller's and are what the slices that are
 * returned point into.
 */
void pack_reader_init(struct pack_reader *reader, struct slice bytes,
                      struct acta_err *err);

/* The type of the next value, which stays there. */
enum pack_type pack_peek(const struct pack_reader *reader);

/* Mark the reader as failed with a text of the caller's, unless it has failed
 * already. @code is what reading functions then report.
 */
void pack_fail(struct pack_reader *reader, enum acta_code code, const char *fmt,
               ...) ACTA_PRINTF(3, 4);

/* The code of the failure: OK if there is none. */
enum acta_code pack_code(const struct pack_reader *reader);

/* Getters. @what names the field in the text of a failure. A value of another
 * type fails the reader as INVALID, one that is cut short or missing as
 * PROTOCOL: they check each head and length by themselves, so bytes may be read
 * that were not scanned.
 */
bool pack_get_bool(struct pack_reader *reader, const char *what);
uint64_t pack_get_uint(struct pack_reader *reader, const char *what);
int64_t pack_get_int(struct pack_reader *reader, const char *what);
struct slice pack_get_str(struct pack_reader *reader, const char *what);
struct slice pack_get_bin(struct pack_reader *reader, const char *what);
size_t pack_get_array(struct pack_reader *reader, const char *what);
size_t pack_get_map(struct pack_reader *reader, const char *what);

/* An array that must have between @min and @max elements: INVALID if it has
 * fewer. With more it is TOO_LARGE or, where the number is fixed and elements
 * are fields, UNSUPPORTED, since a newer peer may know more of them.
 */
size_t pack_get_array_of(struct pack_reader *reader, size_t min, size_t max,
                         const char *what);

/* Exactly @size bytes, or nil: then NULL is returned. */
const uint8_t *pack_get_bytes_or_nil(struct pack_reader *reader, size_t size,
                                     const char *what);

/* True, and past it, if the next value is nil. */
bool pack_skip_nil(struct pack_reader *reader);

/* Go past the next value with all that is in it. */
void pack_skip(struct pack_reader *reader);

/* What has been read since @from, a former value of reader->at. */
struct slice pack_since(const struct pack_reader *reader, const uint8_t *from);

#endif
