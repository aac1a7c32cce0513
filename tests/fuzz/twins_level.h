/* What the protocol lets the twins say in different ways, made the same. */

#ifndef ACTA_TEST_TWINS_LEVEL_H
#define ACTA_TEST_TWINS_LEVEL_H

#include "buf.h"
#include "frame.h"

/* Where a page ends, which may be before there is nothing more. */
struct twins_end {
    uint64_t next;
    bool at_end;
};

/* Put @frame, which answers a request of the kind @asked, at the end of @to:
 * an error without its text, a lease without the rest of its time, a page
 * without its end, which goes to @end, events of one id in the order of
 * positions; of a welcome, which is about who says it, nothing.
 */
void twins_level(struct buf *to, const struct frame *frame, uint8_t asked,
                 struct twins_end *end);

#endif
