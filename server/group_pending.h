/* The pending bytes of a group's ROW_CHECKPOINT: how far fences are reserved,
 * and the events up to its position that are not done, in order.
 *
 *     varint   fences up to this one may have been given out
 *     for each run of events whose positions follow each other, and which were
 *     handed out as often:
 *     varint   position of the first, less that of the event before, or 0
 *     varint   deliveries
 *     varint   how many they are, at least 1
 *
 * Empty bytes, as a group is made with, reserve nothing and have no events.
 * Never change this: rows are in stores. No I/O. Any thread.
 */

#ifndef ACTA_GROUP_PENDING_H
#define ACTA_GROUP_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

struct group_pending {
    uint64_t position;
    uint64_t deliveries;
};

/* Writing: begin, add in order, end. Failures show in the buf. */
struct group_pending_writer {
    struct buf *buf;
    uint64_t last; /* Position of the last event of the run before. */
    uint64_t first;
    uint64_t deliveries;
    uint64_t count; /* Of the run that is not written yet. */
};

void group_pending_begin(struct group_pending_writer *writer, struct buf *buf,
                         uint64_t fences);
void group_pending_add(struct group_pending_writer *writer,
                       struct group_pending pending);
void group_pending_end(struct group_pending_writer *writer);

/* Reading. Plain values: a copy goes its own way. */
struct group_pending_reader {
    const uint8_t *at;
    const uint8_t *end;
    struct group_pending next;
    uint64_t left; /* Of its run, the next one included; 0: none are left. */
};

/* Check all of @bytes, which the reader then points into. CORRUPT: they are not
 * whole, or an event is behind @position.
 */
enum acta_code group_pending_open(struct group_pending_reader *reader,
                                  uint64_t *fences, struct slice bytes,
                                  uint64_t position,
                                  struct acta_err *err) ACTA_CHECKED;

/* Look at the next one, and go past it. */
static inline bool
group_pending_peek(const struct group_pending_reader *reader,
                   struct group_pending *pending)
{
    *pending = reader->next;
    return reader->left > 0;
}
void group_pending_skip(struct group_pending_reader *reader);

/* How many are left. */
uint64_t group_pending_count(const struct group_pending_reader *reader);

#endif
