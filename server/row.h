/* Rows: what a database remembers besides its events.
 *
 * A row is a value under a kind and a key. It is set as a whole, by an entry of
 * the journal that may have events as well, and an empty value removes it. As
 * events are, rows are in the memtable until a checkpoint moves them to the
 * store; the newest value counts.
 *
 * The rows of an entry are one piece of bytes (numbers little-endian):
 *
 *     offset  size
 *          0     4  checksum of all that follows
 *          4     4  count of rows, at least 1
 *          8        for each row: kind (1), size of its key (2), size of its
 *                   value (4), key, value
 *
 * No I/O. Any thread.
 */

#ifndef ACTA_ROW_H
#define ACTA_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "limit.h"
#include "slice.h"

/* The values are in journals and stores: never change one. */
enum row_kind {
    ROW_RETENTION = 1,  /* Stream -> retention.h. */
    ROW_ERASURE = 2,    /* Stream, version -> erasure.h. */
    ROW_COMMAND = 3,    /* Command id -> command.h. */
    ROW_SWEPT = 4,      /* Stream -> last version that was swept, 8 bytes,
                           little-endian. In the store only. */
    ROW_CONSUMER = 5,   /* Name -> consumer.h. */
    ROW_CHECKPOINT = 6, /* Name of a consumer -> consumer.h. */
    ROW_PARKED = 7,     /* Number of a group, position -> consumer.h. */
    ROW_LEFT = 8,       /* Number of a group that was deleted -> 1 byte: its
                           parked events are still to be removed. */
    ROW_LEASE = 9,      /* Name -> lease.h. */
    ROW_SNAPSHOT = 10,  /* Stream -> snapshot.h. */
    ROW_SCHEDULE = 11,  /* Name -> schedule.h. */
    ROW_SCHEDULED = 12, /* Name of a schedule -> its writes, as in an append. */
    ROW_COUNTER = 13,   /* No key -> the last number given to a consumer or a
                           schedule, as an epoch or as a fence: 8 bytes,
                           little-endian. */
};

#define ROW_KINDS_END 14 /* All kinds are below. */

#define ROW_KEY_SIZE_MAX (ACTA_STREAM_SIZE_MAX + 8)

struct row {
    enum row_kind kind;
    struct slice key;
    struct slice value; /* Empty: there is none any more. */
};

/* What the rows of a kind are, in the plural. */
const char *row_kind_name(unsigned kind);

/* The stream that a row is about; empty if it is about none. */
static inline struct slice
row_stream(const struct row *row)
{
    switch (row->kind) {
    case ROW_RETENTION:
        return row->key;
    case ROW_ERASURE: /* A version stands behind it. */
        return slice_make(row->key.data,
                          row->key.size < 8 ? 0 : row->key.size - 8);
    case ROW_COMMAND:
    case ROW_SWEPT:
    case ROW_CONSUMER:
    case ROW_CHECKPOINT:
    case ROW_PARKED:
    case ROW_LEFT:
    case ROW_LEASE:
    case ROW_SNAPSHOT: /* It hides nothing. */
    case ROW_SCHEDULE:
    case ROW_SCHEDULED:
    case ROW_COUNTER:
        break;
    }
    return SLICE_NONE;
}

/* True of rows that have what was in events, or will be. In the store each of
 * them takes this much, at least: store_lmdb.h says why.
 */
static inline bool
row_has_events(unsigned kind)
{
    return kind == ROW_SNAPSHOT || kind == ROW_SCHEDULED;
}

#define ROW_EVENTS_SIZE_MIN (2 * 4096 - 16)

/* A row of which name and text are as long as they may be, at most. */
#define ROW_SIZE_SMALL (ROW_KEY_SIZE_MAX + ACTA_TEXT_SIZE_MAX + 128)

/* What rows_add() takes for one row at most, and what stands before them. */
#define ROWS_HEADER_SIZE 8
static inline size_t
row_size(const struct row *row)
{
    return 1 + 2 + 4 + row->key.size + row->value.size;
}

/* Build the piece of bytes in @buf, which is empty when it begins. Without any
 * row between begin and end it stays empty.
 */
void rows_add(struct buf *buf, const struct row *row);
void rows_end(struct buf *buf);

/* Open the rows of an entry: *@rows becomes what rows_next() takes them from.
 * CORRUPT if they are not whole. An empty piece has none.
 */
enum acta_code rows_open(struct slice *rows, struct slice bytes,
                         struct acta_err *err) ACTA_CHECKED;

/* Take the next row off the front of @rows. False if there is none. */
bool rows_next(struct slice *rows, struct row *row);

#endif
