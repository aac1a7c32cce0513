/* ROW_LEASE: name -> who holds a lease. There is a row only while it is held.
 * The value is a msgpack array in the order of the fields. No I/O. Any thread.
 */

#ifndef ACTA_LEASE_H
#define ACTA_LEASE_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"
#include "uuid.h"

struct lease {
    uint64_t fence;
    uint64_t duration_us; /* The longest that it was given for. */
    uint64_t since_us;    /* Wall clock, for people. */
    const uint8_t *claim; /* UUID_SIZE bytes. */
    struct slice holder;
};

void lease_encode(struct buf *buf, const struct lease *lease);
enum acta_code lease_decode(struct lease *lease, struct slice value,
                            struct acta_err *err) ACTA_CHECKED;

#endif
