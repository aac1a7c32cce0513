/* ROW_SCHEDULE: name -> when an append takes place. What is appended is in a
 * row of its own, ROW_SCHEDULED, as the writes of the append that scheduled it:
 * it may be large, and does not change when the time does.
 *
 * The value is a msgpack array in the order of the fields. No I/O. Any thread.
 */

#ifndef ACTA_SCHEDULE_H
#define ACTA_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

struct schedule {
    uint64_t due_us;
    uint64_t number; /* Of two that are due at once the lower is first. */
    uint64_t created_us;
    bool has_failed;   /* It was due, and was refused: */
    struct slice text; /* why. */
};

void schedule_encode(struct buf *buf, const struct schedule *schedule);
enum acta_code schedule_decode(struct schedule *schedule, struct slice value,
                               struct acta_err *err) ACTA_CHECKED;

#endif
