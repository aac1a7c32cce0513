/* The store: everything up to the last checkpoint, in one LMDB environment.
 *
 * It is brought forward by checkpoints, each of which moves one memtable over
 * in one transaction, and is read through views. Everything but the log can be
 * made again from the log. STORAGE.md has the bytes of keys and values.
 *
 * Default sync flags, no WRITEMAP: LMDB's promise is kept as it is.
 */

#ifndef ACTA_STORE_H
#define ACTA_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "err.h"
#include "list.h"
#include "memtable.h"
#include "postings.h"
#include "row.h"
#include "slice.h"
#include "uuid.h"

#define STORE_VERSION 3

/* What a store may do without. */
#define STORE_WITHOUT_EVENT_IDS   1u
#define STORE_WITHOUT_COMMAND_IDS 2u

struct store;
struct store_view;

/* What the store says of itself. */
struct store_meta {
    unsigned version;      /* Of the format, when it was read. */
    struct uuid id;        /* Of the database. */
    uint64_t position;     /* It has all events up to here, */
    uint64_t sequence;     /* and all entries of the journal up to here. */
    uint64_t last_time_us; /* No event is recorded before this. */
    uint64_t lists_count;  /* The last number given to a list. */
    uint32_t without;      /* What it does not keep, since it was made. */
};

/* Make a store without events, with @id and @without in its meta, in the empty
 * directory @dir. It is on disk when this returns.
 */
enum acta_code store_create(const char *dir, size_t map_size,
                            const struct uuid *id, uint32_t without,
                            struct acta_err *err) ACTA_CHECKED;

/* Open the store in @dir. CORRUPT, UNSUPPORTED, IO, MEMORY. */
enum acta_code store_open(struct store **store, const char *dir,
                          size_t map_size, struct acta_err *err) ACTA_CHECKED;

/* The same for one that no process has open, to be read only: nothing on disk
 * is changed, and nobody is kept from it. UNSUPPORTED also if it is of an older
 * version, which store_open() would move on.
 */
enum acta_code store_open_still(struct store **store, const char *dir,
                                size_t map_size,
                                struct acta_err *err) ACTA_CHECKED;

/* Close @store, which may be NULL. All views must be closed. */
void store_close(struct store *store);

/* Move @memtable, which is sealed, into the store, and make @sequence and
 * @last_time_us what its meta says: all of it or nothing, on disk when this
 * returns. One thread at a time.
 *
 * FULL     There was no space: it can be tried again.
 * CORRUPT  What is to be added to is damaged.
 * IO       It may be on disk, but this environment must not be used any more.
 */
enum acta_code store_checkpoint(struct store *store, struct memtable *memtable,
                                uint64_t sequence, uint64_t last_time_us,
                                struct acta_err *err) ACTA_CHECKED;

/* Make durable what the store shows. A commit that was cut off by the end of
 * its process may be seen, and yet be in memory only.
 */
enum acta_code store_sync(struct store *store,
                          struct acta_err *err) ACTA_CHECKED;

/* What the store says of itself, as of its last checkpoint. Any thread. */
enum acta_code store_meta(struct store *store, struct store_meta *meta,
                          struct acta_err *err) ACTA_CHECKED;

/* Bytes of the file that are in use. Any thread. */
uint64_t store_size(struct store *store);

/* Learn from the last checkpoint, for store_changes(): its thread. What cannot
 * be read is not learned.
 */
void store_learn(struct store *store);

/* About how many pages of the store a checkpoint changes that adds to @lists
 * lists, by what was learned from the last one; as many, before. LMDB has each
 * in memory until all are written, and keeps that memory. Any thread.
 */
uint64_t store_changes(const struct store *store, uint64_t lists);

/* Give the memory back that LMDB keeps of pages it has changed, which it does
 * only when it is closed; so it is opened again. Nothing is done if that is
 * little, or while a view sees the store. Views that begin meanwhile wait. The
 * thread that makes checkpoints.
 *
 * IO, MEMORY  The store cannot be used any more.
 */
enum acta_code store_slim(struct store *store,
                          struct acta_err *err) ACTA_CHECKED;

/* Free the slots of readers that died without closing. The thread that makes
 * checkpoints.
 */
void store_check_readers(struct store *store);

/* Set or remove rows that no entry of the journal sets: what is noted of work
 * in the background. One thread at a time, the one that makes checkpoints.
 * Errors as of a checkpoint.
 */
enum acta_code store_set_rows(struct store *store, const struct row *rows,
                              size_t count, struct acta_err *err) ACTA_CHECKED;

/* What is to become of the record of an event. */
struct store_edit {
    uint64_t position;
    enum store_fate {
        STORE_STUB, /* Its space is taken back. */
        STORE_ERASE /* Its data and metadata are. */
    } fate;
};

struct store_edited {
    size_t done;    /* Edits that were gone through, from the first on. */
    size_t changed; /* Records that are not any more what they were. */
    size_t damaged; /* Records that could not be read and stay as they are. */
};

/* Carry out @edits, sorted by position, in one transaction, until about
 * @size_max bytes of the log were written anew. What was carried out before is
 * gone through without a change. One thread at a time, the one that makes
 * checkpoints. Errors as of a checkpoint, and nothing has changed then.
 *
 * The bytes that the records had are still in the file: see store_scrub().
 */
enum acta_code store_rewrite(struct store *store,
                             const struct store_edit *edits, size_t count,
                             size_t size_max, struct store_edited *edited,
                             struct acta_err *err) ACTA_CHECKED;

/* Overwriting, with zeros, what transactions have left in the file: all pages
 * that were given up before store_scrub_begin(), and what lies behind the last
 * page in use. It goes over the file from its beginning to its end in steps.
 */
struct store_scrub {
    uint64_t goal;  /* Pages are meant that were given up up to this txn. */
    uint64_t page;  /* All before this one are done. */
    uint64_t wiped; /* Pages that were overwritten. */
    bool is_unsure; /* The disk may not have zeros that memory has. */
};

enum store_scrubbed {
    STORE_SCRUBBED,    /* It has come to the end. */
    STORE_SCRUBS_ON,   /* There is more to do: call it again. */
    STORE_SCRUB_WAITS, /* A reader still sees what is to be overwritten. */
};

enum acta_code store_scrub_begin(struct store *store, struct store_scrub *scrub,
                                 struct acta_err *err) ACTA_CHECKED;

/* Overwrite up to @size_max bytes. They are synced when this returns. The same
 * thread and errors as for a checkpoint.
 */
enum acta_code store_scrub(struct store *store, struct store_scrub *scrub,
                           size_t size_max, enum store_scrubbed *scrubbed,
                           struct acta_err *err) ACTA_CHECKED;

/* ---- views: a view belongs to one thread ---- */

enum acta_code store_view_open(struct store_view **view, struct store *store,
                               struct acta_err *err) ACTA_CHECKED;
void store_view_close(struct store_view *view); /* May be NULL. */

/* See the store as of its last checkpoint, until store_view_end(): a short
 * time, since what is seen cannot be used again meanwhile. What the functions
 * below return is valid until then.
 */
enum acta_code store_view_begin(struct store_view *view,
                                struct acta_err *err) ACTA_CHECKED;
void store_view_end(struct store_view *view);
const struct store_meta *store_view_meta(const struct store_view *view);

/* The record of a position between 1 and meta's. CORRUPT. Neighbours are found
 * without another search.
 */
enum acta_code store_view_record(struct store_view *view, uint64_t position,
                                 struct block_record *record,
                                 struct acta_err *err) ACTA_CHECKED;

/* The records of positions that lie one behind the other from @position on:
 * @count, or as many as there are before the log goes on in another place.
 * *@found are good, from the first on; if none is, the code says why.
 */
enum acta_code store_view_run(struct store_view *view, uint64_t position,
                              size_t count, struct block_record *records,
                              size_t *found, struct acta_err *err) ACTA_CHECKED;

/* The records of @count positions that lie apart, STORE_RECORDS_MAX at most:
 * all are asked of memory before the first is looked at. *@found are good, from
 * the first on; all of them, or the code is about the next one.
 */
#define STORE_RECORDS_MAX 16
enum acta_code store_view_records(struct store_view *view,
                                  const uint64_t *positions, size_t count,
                                  struct block_record *records, size_t *found,
                                  struct acta_err *err) ACTA_CHECKED;

/* The head of a list. *@found is false if it has no events here. */
enum acta_code store_view_head(struct store_view *view,
                               const struct list_name *name,
                               struct list_head *head, bool *found,
                               struct acta_err *err) ACTA_CHECKED;

/* The chunk of a list that has @ordinal, or the last one whose first position
 * is <= @position (the first, if there is none). Only for what is not in the
 * head's newest postings. The first is for streams only.
 */
enum acta_code store_view_chunk_of_ordinal(struct store_view *view,
                                           const struct list_head *head,
                                           uint64_t ordinal,
                                           struct postings *chunk,
                                           struct acta_err *err) ACTA_CHECKED;
enum acta_code store_view_chunk_of_position(struct store_view *view,
                                            enum list_kind kind,
                                            const struct list_head *head,
                                            uint64_t position,
                                            struct postings *chunk,
                                            struct acta_err *err) ACTA_CHECKED;

/* Replace @chunk by the one that follows it, which must not be the newest. */
enum acta_code store_view_next_chunk(struct store_view *view,
                                     enum list_kind kind,
                                     const struct list_head *head,
                                     struct postings *chunk,
                                     struct acta_err *err) ACTA_CHECKED;

/* The position of the event with @id in the stream of number @stream; 0 if it
 * is not here.
 */
enum acta_code store_view_id(struct store_view *view,
                             const uint8_t id[static UUID_SIZE],
                             uint64_t stream, uint64_t *position,
                             struct acta_err *err) ACTA_CHECKED;

/* The same for any stream: the first one with a number above *@stream, which
 * becomes that number.
 */
enum acta_code store_view_next_id(struct store_view *view,
                                  const uint8_t id[static UUID_SIZE],
                                  uint64_t *stream, uint64_t *position,
                                  struct acta_err *err) ACTA_CHECKED;

/* The value of a row; *@found is false if there is none. */
enum acta_code store_view_row(struct store_view *view, enum row_kind kind,
                              struct slice key, struct slice *value,
                              bool *found, struct acta_err *err) ACTA_CHECKED;

/* The first row of @kind whose key is behind @after. *@found is false if there
 * is none.
 */
enum acta_code store_view_next_row(struct store_view *view, enum row_kind kind,
                                   struct slice after, struct row *row,
                                   bool *found,
                                   struct acta_err *err) ACTA_CHECKED;

/* The first list of @kind whose name is behind @after, or is @after if
 * @inclusive. *@found is false if there is none.
 */
enum acta_code store_view_next_list(struct store_view *view,
                                    enum list_kind kind, struct slice after,
                                    bool inclusive, struct slice *name,
                                    struct list_head *head, bool *found,
                                    struct acta_err *err) ACTA_CHECKED;

#endif
