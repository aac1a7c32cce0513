/* The frame: 16 bytes of header, then a body of msgpack.
 *
 *     offset  size
 *          0     1  0xAC, which is neither the first byte of an HTTP method
 *                   nor of a TLS record
 *          1     1  kind, see opcode.h
 *          2     2  flags; 0 in this version
 *          4     4  size of the body in bytes
 *          8     8  request id
 *
 * Numbers are big-endian. No function here keeps state. Any thread.
 */

#ifndef ACTA_FRAME_H
#define ACTA_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

#define FRAME_MAGIC       0xAC
#define FRAME_HEADER_SIZE 16

struct frame {
    uint8_t kind;
    uint64_t request_id; /* The client's choice; a reply repeats it. */
    struct slice body;   /* In the bytes that were given. */
};

/* Start a frame at the end of @buf. Returns where, for frame_end(). */
size_t frame_begin(struct buf *buf, uint8_t kind, uint64_t request_id);

/* End the frame that was begun at @start: everything written to @buf since
 * then is its body. Fails the buf if the body is over ACTA_FRAME_SIZE_MAX.
 */
void frame_end(struct buf *buf, size_t start);

/* Look for a frame at the front of @bytes.
 *
 * OK with *@used > 0: @frame is set, and is *@used bytes long with its header.
 * OK with *@used = 0: there is no whole frame yet, more bytes are needed.
 * PROTOCOL, TOO_LARGE: these bytes can never become a frame. The header alone
 *     decides, so a peer that claims a body of over @body_size_max is refused
 *     before any memory is spent on it.
 */
enum acta_code frame_decode(struct frame *frame, size_t *used,
                            struct slice bytes, size_t body_size_max,
                            struct acta_err *err) ACTA_CHECKED;

#endif
