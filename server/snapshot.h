/* ROW_SNAPSHOT: stream -> the newest snapshot of its state. The value is a
 * msgpack array in the order of the fields. No I/O. Any thread.
 */

#ifndef ACTA_SNAPSHOT_H
#define ACTA_SNAPSHOT_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

struct snapshot {
    uint64_t version; /* Of the stream. */
    uint64_t schema;
    uint64_t time_us; /* When it was put. */
    struct slice data;
};

void snapshot_encode(struct buf *buf, const struct snapshot *snapshot);
enum acta_code snapshot_decode(struct snapshot *snapshot, struct slice value,
                               struct acta_err *err) ACTA_CHECKED;

#endif
