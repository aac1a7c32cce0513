/* What the writer decides against: the versions of streams and the ids in them,
 * with everything counted that has been decided, durable or not.
 *
 * It looks into the active memtable, then the sealed one, then the store. Most
 * ids need no look at all: a stream remembers the greatest id it has, and ids
 * of version 7 grow. The writer's thread.
 */

#ifndef ACTA_HEADS_H
#define ACTA_HEADS_H

#include <stdbool.h>
#include <stdint.h>

#include "block.h"
#include "err.h"
#include "memtable.h"
#include "rooms.h"
#include "slice.h"

struct heads {
    struct rooms *rooms;
    struct store_view *view; /* owned */
    bool is_viewing;         /* The view was begun. */
    struct memtable *sealed; /* owned: a reference, or NULL */
};

/* What is known of one stream. */
struct stream_state {
    uint64_t version;
    uint64_t number; /* In the store; 0 if it is not there. */
    bool has_events;
    uint8_t id_max[UUID_SIZE];
    struct memlist *active; /* Its list in the active memtable, or NULL. */
    struct memlist *sealed; /* In the sealed one, or NULL. */
};

enum acta_code heads_open(struct heads *heads, struct rooms *rooms,
                          struct acta_err *err) ACTA_CHECKED;
void heads_close(struct heads *heads);

/* Around each batch: hold on to the sealed memtable, which a checkpoint may
 * drop at any time, and let go of it and of the store again. What the functions
 * below return is valid in between.
 */
void heads_begin(struct heads *heads);
void heads_end(struct heads *heads);

enum acta_code heads_stream(struct heads *heads, struct slice stream,
                            struct stream_state *state,
                            struct acta_err *err) ACTA_CHECKED;

/* The position of the event with @id in the stream; 0 if it has none. */
enum acta_code heads_find_id(struct heads *heads,
                             const struct stream_state *state,
                             const uint8_t id[static UUID_SIZE],
                             uint64_t *position,
                             struct acta_err *err) ACTA_CHECKED;

/* The record of a position that was found. */
enum acta_code heads_record(struct heads *heads, uint64_t position,
                            struct block_record *record,
                            struct acta_err *err) ACTA_CHECKED;

#endif
