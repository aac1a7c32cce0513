/* What an append does besides adding events: the last five of its fields, each
 * of which may be nil. Internal to proto/.
 */

#ifndef ACTA_MSG_EFFECTS_H
#define ACTA_MSG_EFFECTS_H

#include "buf.h"
#include "msg.h"
#include "pack.h"

#define MSG_EFFECTS_FIELDS 5

/* How many of each there are. */
struct msg_effects_counts {
    size_t checkpoints;
    size_t leases;
    size_t snapshots;
    size_t schedules;
    size_t cancellations;
};

/* How many of the fields have to be written: 0 if none says anything. */
size_t msg_effects_fields(const struct msg_append_more *more);

/* Write the first @fields fields. */
void msg_effects_encode(struct buf *buf, size_t fields,
                        const struct msg_append_more *more);

/* Count what is in @fields fields, so that there is room for it. Together they
 * are within their limit; after a failure of @reader some may be 0.
 */
void msg_effects_count(struct pack_reader *reader, size_t fields,
                       struct msg_effects_counts *counts);

/* The room that decoding needs. */
size_t msg_effects_size(const struct msg_effects_counts *counts);

/* Read @fields fields into @memory, of msg_effects_size() bytes. Returns what
 * snapshots and schedules take.
 */
size_t msg_effects_decode(struct pack_reader *reader, size_t fields,
                          const struct msg_effects_counts *counts, void *memory,
                          struct msg_append_more *more);

#endif
