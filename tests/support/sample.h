/* Messages to test with: at least one of every kind.
 *
 * They are what proto/vectors/ shows to clients in other languages, what the
 * worked exchange in proto/PROTOCOL.md quotes, and where mutations start.
 */

#ifndef ACTA_TEST_SAMPLE_H
#define ACTA_TEST_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "frame.h"
#include "slice.h"

struct sample {
    const char *name;               /* "append", "append-two-streams" */
    const char *note;               /* A sentence about it. */
    void (*write)(struct buf *buf); /* Writes the whole frame. */
};

extern const struct sample samples[];
extern const size_t samples_count;

/* The sample of this name. Aborts if there is none. */
const struct sample *sample_named(const char *name);

/* Write the sample's frame to @buf, which is cleared first, and decode its
 * header. @frame borrows from @buf.
 */
void sample_write(struct buf *buf, const struct sample *sample,
                  struct frame *frame);

#endif
