/* What an append says besides its writes: the fields behind them, each of which
 * may be nil, and the last of which may be left out. Internal to proto/.
 */

#ifndef ACTA_MSG_MORE_H
#define ACTA_MSG_MORE_H

#include "buf.h"
#include "msg.h"
#include "pack.h"

#define MSG_MORE_FIELDS 4

/* How many of the fields have to be written: 0 if none says anything. */
size_t msg_more_fields(const struct msg_append_more *more);

/* Write these fields. */
void msg_more_encode(struct buf *buf, const struct msg_append_more *more);

/* Count what is in @fields fields, so that there is room for it. Neither is
 * over its limit; after a failure of @reader it may be 0.
 */
void msg_more_count(struct pack_reader *reader, size_t fields,
                    size_t *checks_count, size_t *conditions_count);

/* Read @fields fields into @checks and @conditions, which have room for what
 * was counted. The queries of more->conditions are to be freed, whatever the
 * outcome.
 */
void msg_more_decode(struct pack_reader *reader, size_t fields,
                     struct msg_append_more *more, struct msg_check *checks,
                     struct msg_condition *conditions);

#endif
