/* A memtable: events of consecutive positions in memory, with the lists they
 * are in and their ids, and rows. The tail is made of memtables: one that
 * grows, and one that is being moved to the store.
 *
 * The writer alone adds. Readers of any thread look at what has been published
 * (see tail.h) while more is being added: records never move and never change,
 * so they may be read without a lock; lists and ids are read between
 * memtable_lock() and memtable_unlock().
 *
 * What was added is never taken back: when it cannot be made durable, the
 * process ends.
 */

#ifndef ACTA_MEMTABLE_H
#define ACTA_MEMTABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "event.h"
#include "list.h"
#include "name_runs.h"
#include "rowtable.h"
#include "slice.h"
#include "uuid.h"

struct memtable;

/* The events of one list, and what lies before them. */
struct memlist {
    struct list_name name; /* Bytes are the memtable's. */
    uint64_t hash;

    /* Of streams; 0 for other lists. */
    uint64_t base_count; /* The stream's version before this memtable. */
    uint64_t number;     /* The stream's in the store, 0 if it has none yet.
                            The writer's alone. */
    uint8_t id_max[UUID_SIZE]; /* The greatest id in the stream so far. The
                                  writer's alone. */
    uint64_t stored_number;    /* Given by the checkpoint, and its alone. */
    struct memlist *category;  /* The list of its category, once it has an
                                  event. The writer's alone. */

    uint32_t *offsets; /* From the memtable's first position, growing. */
    uint32_t count;
    uint32_t capacity;
    uint32_t inline_offsets[2]; /* Most lists have few. The first one stays
                                   here, for reading without the lock. */

    struct memlist *next_in_bucket;
    struct memlist *next; /* All of this kind with events, newest first. */
};

/* Make a memtable whose first event will have @first_position, for up to
 * @events_max events. NULL if there is no memory. It has one reference.
 */
struct memtable *memtable_new(uint64_t first_position, size_t events_max);

struct memtable *memtable_ref(struct memtable *memtable);

/* Drop a reference; the last one frees it. NULL is fine. Large pages that it
 * had are kept for memtables that come.
 */
void memtable_unref(struct memtable *memtable);

/* Give back what is kept. Any thread. */
void memtable_drop_kept(void);

uint64_t memtable_first_position(const struct memtable *memtable);

/* ---- the writer ---- */

/* Events that it can still take. */
size_t memtable_room(const struct memtable *memtable);

/* Events added, and the bytes of their records and of the rows. */
size_t memtable_count(const struct memtable *memtable);
size_t memtable_size(const struct memtable *memtable);

/* Lists that have events. */
size_t memtable_lists_count(const struct memtable *memtable);

/* True if there are neither events nor rows. */
bool memtable_is_empty(const struct memtable *memtable);

/* The list of @stream, made if it is not there: then @base_count, @number and
 * @id_max are what is known of the stream from before. NULL if there is no
 * memory.
 */
struct memlist *memtable_add_stream(struct memtable *memtable,
                                    struct slice stream, uint64_t base_count,
                                    uint64_t number,
                                    const uint8_t id_max[static UUID_SIZE]);

/* Add the event, whose stream has the list @stream, at the next position;
 * event->position, version and time_us are set already. False if there is no
 * memory: the process must then end, since the event is half added.
 */
bool memtable_add(struct memtable *memtable, struct memlist *stream,
                  const struct event *event) ACTA_CHECKED;

/* Set a row, by the journal's entry @sequence. False if there is no memory. */
bool memtable_set_row(struct memtable *memtable, const struct row *row,
                      uint64_t sequence) ACTA_CHECKED;

/* It gets nothing any more: what it has is of entries up to @sequence, and what
 * comes behind it is recorded at @last_time_us or later.
 */
void memtable_seal(struct memtable *memtable, uint64_t sequence,
                   uint64_t last_time_us);

/* ---- any thread ---- */

/* The last entry whose events and rows it has; 0 if it is not sealed. */
uint64_t memtable_sealed_at(const struct memtable *memtable);

/* The time that it was sealed with. It must be sealed. */
uint64_t memtable_last_time(const struct memtable *memtable);

/* The record of @position, which must have been published. */
struct block_record memtable_record(const struct memtable *memtable,
                                    uint64_t position);

void memtable_lock(struct memtable *memtable);
void memtable_unlock(struct memtable *memtable);

/* A list whose name has this hash will be sought soon: have first the place
 * where it hangs fetched from memory, and some time later the list itself:
 * false if there is none. The writer.
 */
void memtable_fetch_bucket(const struct memtable *memtable, uint64_t hash);
bool memtable_fetch_list(const struct memtable *memtable, uint64_t hash);

/* The list of this name, or NULL. Between lock and unlock, but for the writer.
 */
struct memlist *memtable_find(const struct memtable *memtable,
                              const struct list_name *name);

/* The position of the event that has @id in the stream whose list is @stream,
 * or with NULL in any stream, behind @after: 0 if there is none. Call again
 * with what it returned to find further ones. Between lock and unlock, but for
 * the writer.
 */
uint64_t memtable_find_id(const struct memtable *memtable,
                          const uint8_t id[static UUID_SIZE],
                          const struct memlist *stream, uint64_t after);

/* What entries up to @sequence say of a row here, see rowtable.h. Takes the
 * lock. The value is valid as long as the memtable.
 */
bool memtable_row(struct memtable *memtable, enum row_kind kind,
                  struct slice key, uint64_t sequence, struct slice *value);

/* The first row of @kind that entries up to @sequence say something of: behind
 * *@slot, which becomes it; with *@slot NULL behind the key @from, or from it
 * on if @inclusive. False if there is none. Removed ones are told, too: their
 * value is empty. Takes the lock. The row is valid as long as the memtable.
 */
bool memtable_next_row(struct memtable *memtable, enum row_kind kind,
                       struct slice from, bool inclusive, uint64_t sequence,
                       struct row_slot **slot, struct row *row);

/* How many rows of erasures it has. Any thread. */
size_t memtable_erasures(struct memtable *memtable);

/* All rows: for the checkpoint, when nothing is added any more. */
const struct rowtable *memtable_rows(const struct memtable *memtable);

/* The stream's list of the event at @position, and its id. */
const struct memlist *memtable_stream_of(const struct memtable *memtable,
                                         uint64_t position);
const uint8_t *memtable_id_of(const struct memtable *memtable,
                              uint64_t position);

/* The newest list of @kind that has events, or NULL; the others follow by next.
 * Only this call needs the lock: lists stay linked as they are, as long as the
 * memtable does. Some may have no events yet that were published.
 */
struct memlist *memtable_lists(const struct memtable *memtable,
                               enum list_kind kind);

/* The same lists, by name; of all kinds but LIST_CORRELATION. Must not be
 * called with the memtable locked.
 */
struct name_runs memtable_names(struct memtable *memtable, enum list_kind kind);

#endif
