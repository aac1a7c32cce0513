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

/* Start to read a part of a reply, an array that may have more fields than
 * @fields; and go past those. Begin returns how many there are, for end.
 */
size_t msg_part_begin(struct pack_reader *reader, size_t fields,
                      const char *what);
void msg_part_end(struct pack_reader *reader, size_t fields_left);

/* Read an array with a function that reads one of its elements, and return
 * these packed. @what names them.
 */
struct slice msg_take_list(struct pack_reader *reader, size_t *count,
                           void (*take)(struct pack_reader *reader),
                           const char *what);

/* What a reader of packed elements has not read yet. */
struct slice msg_rest(const struct pack_reader *reader);

/* Fail the reader if @stream is no name of a stream; or @name none of a
 * consumer, a lease or a schedule, which @what it is.
 */
void msg_check_stream(struct pack_reader *reader, struct slice stream);
void msg_check_name(struct pack_reader *reader, struct slice name,
                    const char *what);

/* Fail the reader if @text, which may be empty, is no text for people. */
void msg_check_text(struct pack_reader *reader, struct slice text,
                    const char *what);

/* Fail the reader if @value, a time in microseconds, is not from @min to @max.
 */
void msg_check_time(struct pack_reader *reader, uint64_t value, uint64_t min,
                    uint64_t max, const char *what);

/* Fail the reader if a prefix of names, or the name behind which a list begins,
 * is too long. They need not be names: any bytes divide the names into those
 * before and those behind.
 */
void msg_check_prefix(struct pack_reader *reader, struct slice prefix,
                      struct slice after);

/* Fail the reader if @expected is neither a version nor any nor exists. */
void msg_check_expected(struct pack_reader *reader, int64_t expected);

/* A reply that is a list, counted only at its end, and whether it is at the end
 * of all: its two fields.
 */
#define MSG_LIST_FIELDS 2
struct msg_open msg_list_begin(struct buf *buf, uint8_t kind,
                               uint64_t request_id);
void msg_list_end(struct buf *buf, struct msg_open open, size_t count,
                  bool at_end);

/* Two fields. */
void msg_encode_bounds(struct buf *buf, const struct msg_bounds *bounds);
void msg_decode_bounds(struct pack_reader *reader, struct msg_bounds *bounds);

#endif
