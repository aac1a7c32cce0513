/* The event: what a client sends, and what is stored and read.
 *
 * A client sends an array of eight, the event's content:
 *
 *     type, id, correlation id, causation id, tags, metadata, data, format
 *
 * The server puts four in front and has the record, an array of twelve:
 *
 *     position, version, time, stream, and the eight as the client wrote them
 *
 * The first three of a record are written in nine bytes each whatever their
 * value. These are the bytes on disk, in memory and on the wire: a record is
 * made once and never written anew.
 *
 * All slices of a struct event borrow from the bytes that were decoded. Any
 * thread.
 */

#ifndef ACTA_EVENT_H
#define ACTA_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "pack.h"
#include "slice.h"
#include "uuid.h"

#define EVENT_CONTENT_FIELDS 8
#define EVENT_RECORD_FIELDS  12

/* The shortest record: heads of a byte, no texts, one id. */
#define EVENT_RECORD_SIZE_MIN 32

/* What a record adds to a content at most: heads, three numbers, stream. */
#define EVENT_RECORD_EXTRA_MAX (1 + 3 * PACK_FIXED_SIZE + 2 + 255)

enum event_format {
    EVENT_BINARY = 0,
    EVENT_JSON = 1,
    EVENT_MSGPACK = 2,
    EVENT_ERASED = 3, /* Data and metadata are gone for good, and empty. */
};

struct event {
    uint64_t position; /* 0 in a content, as are version and time. */
    uint64_t version;
    uint64_t time_us; /* Since 1970, UTC. */
    struct slice stream;
    struct slice type;
    const uint8_t *id;             /* 16 bytes */
    const uint8_t *correlation_id; /* 16 bytes, or NULL */
    const uint8_t *causation_id;   /* 16 bytes, or NULL */
    size_t tags_count;
    struct slice tags; /* Packed strings: see event_tag(). */
    struct slice metadata;
    struct slice data;
    enum event_format format;
    struct slice content; /* The packed eight, without their array's head. */
};

/* Take the next of an event's tags off the front of @tags:
 *
 *     struct slice left = event.tags;
 *     for (size_t i = 0; i < event.tags_count; i++) {
 *         struct slice tag = event_tag(&left);
 */
struct slice event_tag(struct slice *tags);

/* Write a content. The event's tags are @tags, not event->tags. */
void event_encode_content(struct buf *buf, const struct event *event,
                          const struct slice *tags, size_t tags_count);

/* Read a content and check everything in it against proto/limit.h: a failure
 * is the client's, and says which field is wrong. EVENT_ERASED is, since only a
 * server erases.
 */
void event_decode_content(struct pack_reader *reader, struct event *event);

/* Size of the record that event_write_record() makes of @event. */
size_t event_record_size(const struct event *event);

/* Write the record of @event to @to, which has room for event_record_size().
 * Takes position, version, time, stream and content.
 */
void event_write_record(uint8_t *to, const struct event *event);

/* Read one record. For bytes whose checksum was right, or that a server sent:
 * structure is checked, limits are not, and fields behind the twelve, from a
 * newer server, are passed over.
 */
void event_decode_record(struct pack_reader *reader, struct event *event);

/* The position in a record, without decoding the rest; 0 if it is none. */
uint64_t event_record_position(struct slice record);

/* The time in a record that has a position. */
uint64_t event_record_time(struct slice record);

#endif
