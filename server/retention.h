/* Retention: what of a stream is still to be seen. The row of a stream that has
 * settings, or was deleted.
 *
 * What is hidden once stays hidden: truncate_before never goes back, and before
 * a bound is changed, what it hides at that moment is put below truncate_before
 * (see change.c). So it does not matter whether the space of what is hidden has
 * been taken back already.
 *
 * The value of the row is a msgpack array: truncate before, max count, max age
 * in microseconds, deleted at, is tombstoned, erased to. No I/O. Any thread.
 */

#ifndef ACTA_RETENTION_H
#define ACTA_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "msg.h"
#include "slice.h"

struct retention {
    struct msg_settings settings; /* Of 0: no bound. */
    uint64_t deleted_at; /* The version it was deleted at: still deleted, if it
                            is still at that version. 0: never. */
    bool is_tombstoned;
    uint64_t erased_to; /* Events up to this version are erased, or will be. */
};

/* The retention of a stream that has no row. */
#define RETENTION_NONE ((struct retention){0})

void retention_encode(struct buf *buf, const struct retention *retention);
enum acta_code retention_decode(struct retention *retention, struct slice value,
                                struct acta_err *err) ACTA_CHECKED;

/* Of a stream at @version. */
enum msg_stream_state retention_state(const struct retention *retention,
                                      uint64_t version);

/* The first version that settings other than max_age leave to be seen. */
uint64_t retention_first(const struct retention *retention, uint64_t version);

/* True if an event recorded at @time_us is too old at @now_us. */
static inline bool
retention_is_old(const struct retention *retention, uint64_t time_us,
                 uint64_t now_us)
{
    uint64_t age = retention->settings.max_age_us;

    return age > 0 && time_us < now_us && now_us - time_us > age;
}

/* True if an event is hidden: its version and time, in a stream at @last. */
static inline bool
retention_hides(const struct retention *retention, uint64_t version,
                uint64_t time_us, uint64_t last, uint64_t now_us)
{
    return version < retention_first(retention, last) ||
           retention_is_old(retention, time_us, now_us);
}

#endif
