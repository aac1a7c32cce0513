/* What the rows of a named consumer say: its definition, which changes seldom,
 * its checkpoint, and the events that a group has parked.
 *
 * Values are msgpack arrays, in the order of the fields. No I/O. Any thread.
 */

#ifndef ACTA_CONSUMER_H
#define ACTA_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "msg_consumer.h"
#include "slice.h"

/* ROW_CONSUMER: name -> this. */
struct consumer {
    uint64_t number; /* No two ever have the same. */
    enum msg_consumer_kind kind;
    uint64_t created_us;
    bool is_paused;
    struct msg_group_settings settings; /* A group's; else 0. */
    struct slice query;                 /* As on the wire. */
    struct slice note; /* A plain one's, for people and tools; may be empty. */
    uint64_t note_us;  /* When it was set; 0: there is none. */
};

void consumer_encode(struct buf *buf, const struct consumer *consumer);
enum acta_code consumer_decode(struct consumer *consumer, struct slice value,
                               struct acta_err *err) ACTA_CHECKED;

/* ROW_CHECKPOINT: name -> this. A consumer has one always. */
struct checkpoint_row {
    uint64_t epoch;
    uint64_t position;
    uint64_t moved_us;    /* When it last moved; 0: never. */
    struct slice pending; /* A group's events up to position that are not done:
                             group_pending.h. Else empty. */
};

void checkpoint_encode(struct buf *buf, const struct checkpoint_row *row);
enum acta_code checkpoint_decode(struct checkpoint_row *row, struct slice value,
                                 struct acta_err *err) ACTA_CHECKED;

/* ROW_PARKED: number of the group, position -> this. */
struct parked {
    bool is_behind; /* Waits for a parked one of its key. */
    uint64_t deliveries;
    uint64_t time_us;
    struct slice key;
    struct slice reason;
};

#define PARKED_KEY_SIZE 16

/* The row's key, in @bytes: both numbers big-endian, so that they are in order.
 */
struct slice parked_key(uint8_t bytes[static PARKED_KEY_SIZE], uint64_t number,
                        uint64_t position);
uint64_t parked_position(struct slice key);

void parked_encode(struct buf *buf, const struct parked *parked);
enum acta_code parked_decode(struct parked *parked, struct slice value,
                             struct acta_err *err) ACTA_CHECKED;

#endif
