/* What messages share: opening and closing a body, and fields that many have.
 * Internal to proto/.
 */

#ifndef ACTA_MSG_BODY_H
#define ACTA_MSG_BODY_H

#include "buf.h"
#include "err.h"
#include "msg.h"
#include "pack.h"
#include "slice.h"

/* Scan @body and start to read it as a request of exactly @fields fields. The
 * result is in the reader; @err describes it.
 */
void msg_request_begin(struct pack_reader *reader, struct slice body,
                       size_t fields, struct acta_err *err);

/* The same for a request whose last fields may be left out. Returns how many it
 * has; 0 after a failure.
 */
size_t msg_request_begin_of(struct pack_reader *reader, struct slice body,
                            size_t fields_min, size_t fields_max,
                            struct acta_err *err);

/* The same for a reply, which may have more fields than @fields. */
void msg_reply_begin(struct pack_reader *reader, struct slice body,
                     size_t fields, struct acta_err *err);

/* The same for a page or a delivery, but without a scan: its events are checked
 * one by one when they are taken, and what is behind them by msg_events_end().
 * Returns how many fields there are beyond @fields.
 */
size_t msg_events_begin(struct pack_reader *reader, struct slice body,
                        size_t fields, struct acta_err *err);

/* Read the last of these fields. The events are the front of what is left of
 * the body, and there is room for so many in it.
 */
size_t msg_take_events(struct pack_reader *reader, struct slice *events);

/* Go past @count elements and return them packed. */
struct slice msg_take_elements(struct pack_reader *reader, size_t count);

/* Fail the reader if @stream is no name of a stream. */
void msg_check_stream(struct pack_reader *reader, struct slice stream);

/* Fail the reader if @expected is neither a version nor any nor exists. */
void msg_check_expected(struct pack_reader *reader, int64_t expected);

/* Two fields. */
void msg_encode_bounds(struct buf *buf, const struct msg_bounds *bounds);
void msg_decode_bounds(struct pack_reader *reader, struct msg_bounds *bounds);

#endif
