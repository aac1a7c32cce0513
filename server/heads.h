/* What the writer decides against: the versions of streams, the ids in them,
 * and rows, with everything counted that has been decided, durable or not.
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
#include "retention.h"
#include "rooms.h"
#include "slice.h"

struct heads {
    struct rooms *rooms;
    struct store_view *view; /* owned */
    bool is_viewing;         /* The view was begun. */
    struct memtable *sealed; /* owned: a reference, or NULL */
    uint64_t sequence;       /* Of the entry that is being decided. */
    uint64_t time_us;        /* And its time. */
    struct buf rows;         /* owned: those that are set by it */
    bool has_erasure;        /* One of them erases. */
};

/* What is known of one stream. */
struct stream_state {
    uint64_t version;
    uint64_t number; /* In the store; 0 if it is not there. */
    bool has_events;
    struct retention retention;
    uint8_t id_max[UUID_SIZE];
    struct memlist *active; /* Its list in the active memtable, or NULL. */
    struct memlist *sealed; /* In the sealed one, if the active one has none;
                               or NULL. */
};

enum acta_code heads_open(struct heads *heads, struct rooms *rooms,
                          struct acta_err *err) ACTA_CHECKED;
void heads_close(struct heads *heads);

/* Around each batch, which becomes the journal's entry @sequence, recorded at
 * @time_us: hold on to the sealed memtable, which a checkpoint may drop at any
 * time, and let go of it and of the store again. What the functions below
 * return is valid in between.
 */
void heads_begin(struct heads *heads, uint64_t sequence, uint64_t time_us);
void heads_end(struct heads *heads);

/* Go on with the same entry after heads_end(). */
void heads_go_on(struct heads *heads);

/* A stream whose name has this hash (list_hash()) will be looked up soon: the
 * memory for that is fetched, in two steps with something else in between.
 */
void heads_fetch_first(const struct heads *heads, uint64_t hash);
void heads_fetch_then(const struct heads *heads, uint64_t hash);

enum acta_code heads_stream(struct heads *heads, struct slice stream,
                            struct stream_state *state,
                            struct acta_err *err) ACTA_CHECKED;

/* The value of a row. *@found is false if there is none. */
enum acta_code heads_row(struct heads *heads, enum row_kind kind,
                         struct slice key, struct slice *value, bool *found,
                         struct acta_err *err) ACTA_CHECKED;

/* Set a row: in the active memtable, and in heads->rows for the journal. Any
 * failure is the end of the process: it may be half done.
 */
enum acta_code heads_set_row(struct heads *heads, const struct row *row,
                             struct acta_err *err) ACTA_CHECKED;

/* Look into the store: heads->view is begun, if it was not yet. */
enum acta_code heads_look_into_store(struct heads *heads,
                                     struct acta_err *err) ACTA_CHECKED;

/* The position of the event with @id in the stream; 0 if it has none. */
enum acta_code heads_find_id(struct heads *heads,
                             const struct stream_state *state,
                             const uint8_t id[static UUID_SIZE],
                             uint64_t *position,
                             struct acta_err *err) ACTA_CHECKED;

/* The position of an event of the stream; @version is between 1 and its. */
enum acta_code heads_position(struct heads *heads, struct slice stream,
                              const struct stream_state *state,
                              uint64_t version, uint64_t *position,
                              struct acta_err *err) ACTA_CHECKED;

/* True if the stream hides @record, now or for ever. */
bool heads_hides(const struct heads *heads, const struct stream_state *state,
                 struct slice record);

/* *@is_gone: @record is hidden or erased, whether its bytes are still there or
 * not.
 */
enum acta_code heads_is_gone(struct heads *heads, struct slice stream,
                             const struct stream_state *state,
                             struct slice record, bool *is_gone,
                             struct acta_err *err) ACTA_CHECKED;

/* *@is_erased: the event of this version is erased, or is to be by a row. */
enum acta_code heads_is_erased(struct heads *heads, struct slice stream,
                               const struct stream_state *state,
                               struct slice record, bool *is_erased,
                               struct acta_err *err) ACTA_CHECKED;

/* The record of a position that was found. */
enum acta_code heads_record(struct heads *heads, uint64_t position,
                            struct block_record *record,
                            struct acta_err *err) ACTA_CHECKED;

#endif
