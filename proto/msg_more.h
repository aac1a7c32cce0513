/* What an append says besides its writes: the fields behind them, each of which
 * may be nil, and the last of which may be left out. Internal to proto/.
 */

#ifndef ACTA_MSG_MORE_H
#define ACTA_MSG_MORE_H

#include "buf.h"
#include "msg.h"
#include "msg_effects.h"
#include "pack.h"

#define MSG_MORE_FIELDS (4 + MSG_EFFECTS_FIELDS)

/* How many of the fields have to be written: 0 if none says anything. */
size_t msg_more_fields(const struct msg_append_more *more);

/* Write these fields. */
void msg_more_encode(struct buf *buf, const struct msg_append_more *more);

/* How many of each there are. */
struct msg_more_counts {
    size_t checks;
    size_t conditions;
    struct msg_effects_counts effects;
};

/* Count what is in @fields fields, so that there is room for it. Nothing is
 * over its limit; after a failure of @reader some may be 0.
 */
void msg_more_count(struct pack_reader *reader, size_t fields,
                    struct msg_more_counts *counts);

/* The room that decoding needs. */
size_t msg_more_size(const struct msg_more_counts *counts);

/* Read @fields fields into @memory, of msg_more_size() bytes. Returns what
 * snapshots and schedules take. The queries of more->conditions are to be
 * freed, whatever the outcome.
 */
size_t msg_more_decode(struct pack_reader *reader, size_t fields,
                       const struct msg_more_counts *counts, void *memory,
                       struct msg_append_more *more);

#endif
