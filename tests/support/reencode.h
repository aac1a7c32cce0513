/* Any message decoded and written again. */

#ifndef ACTA_TEST_REENCODE_H
#define ACTA_TEST_REENCODE_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

/* Decode @body as a message of @kind with all that is in it, and write what
 * was read to the end of @buf as a frame. The code is the decoder's;
 * UNSUPPORTED if there is no such kind. Nothing useful is in @buf unless it is
 * OK.
 */
enum acta_code reencode(struct buf *buf, uint8_t kind, uint64_t request_id,
                        struct slice body, struct acta_err *err);

#endif
