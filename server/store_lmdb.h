/* What the files of the store share: LMDB's handles, and the bytes of keys and
 * of meta. Internal to server/store*.c, and to server/verify*.c, which reads
 * what they have written.
 *
 * Tables:
 *
 *     meta      "meta"                            -> struct store_meta
 *     log       first position                    -> block of records
 *     lists     kind (1 byte), name               -> head of the list
 *     postings  list number, x                    -> chunk of postings
 *     ids       event id (16), stream's number    -> position, checksum
 *     rows      kind (1 byte), key                -> checksum, value; with
 *                                                    contents of events also
 *                                                    the value's size
 *
 * Numbers in keys are 8 bytes, big-endian. In postings x is the first ordinal
 * for the list of a stream, which is sought by version, and the first position
 * for all other lists, which are sought by position.
 *
 * Ids are ordered by id and then by stream, not the other way round: ids of
 * version 7 grow with time, so those of a checkpoint are neighbours and share
 * pages, however many streams they are in.
 */

#ifndef ACTA_STORE_LMDB_H
#define ACTA_STORE_LMDB_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "block.h"
#include "bytes.h"
#include "places.h"
#include "store.h"

#define LOG_KEY_SIZE      8
#define LIST_KEY_SIZE_MAX (1 + 255)
#define CHUNK_KEY_SIZE    16
#define ID_KEY_SIZE       (UUID_SIZE + 8)
#define ID_VALUE_SIZE     12
#define ROW_STORE_KEY_MAX (1 + ROW_KEY_SIZE_MAX)
#define ROW_VALUE_FRONT   4 /* The checksum before a row's value. */
#define ROW_PADDED_FRONT  8 /* Of one with data of events also its size. */
#define META_SIZE         64

/* What has data of events is never less than two pages, less LMDB's header:
 * LMDB keeps a single page's memory for other pages, whose unused ends would
 * then carry the data to places where nobody erases it.
 */
#define LOG_BLOCK_SIZE_MIN (2 * 4096 - 16)
_Static_assert(ROW_EVENTS_SIZE_MIN == LOG_BLOCK_SIZE_MIN,
               "rows with data of events are as large as blocks must be");

/* A block fills whole pages: eight of them. */
#define LOG_BLOCK_SIZE (8 * 4096 - 16)

/* The table of the pages that are free, for cursors that only read. */
#define FREE_LIST 0

/* Pages of the file that a step of a scrub looks at, with a bit for each: a
 * multiple of 8. Tests make it small.
 */
extern size_t store_scrub_window;

struct store {
    MDB_env *env;
    MDB_dbi meta;
    MDB_dbi log;
    MDB_dbi lists;
    MDB_dbi postings;
    MDB_dbi ids;
    MDB_dbi rows;

    /* The last checkpoint: what it was, and how many lists it added to; the
     * checkpoint thread's own.
     */
    size_t last_txn;
    size_t last_lists;
    size_t most_lists; /* Of a checkpoint since the environment was opened. */
    _Atomic uint64_t pages_a_k; /* Pages that it changed for 1,024 of them. */

    /* To be opened again with. */
    char *dir; /* owned */
    size_t map_size;

    pthread_mutex_t lock; /* Guards what follows, and env while none reads. */
    size_t readers;       /* That have begun: env stays as it is. */
    struct store_view *views;
};

/* A cursor of a view. Most calls of a reader need one or two of them: each is
 * renewed when it is first used.
 */
struct store_cursor {
    MDB_cursor *lmdb; /* owned */
    uint64_t renewed; /* For the use of this number. */
};

struct store_view {
    struct store *store;
    struct store_view *next; /* Of the store's views, and what points here. */
    struct store_view **link;
    bool has_begun;
    MDB_txn *txn; /* owned; NULL: to be opened when it begins. */
    uint64_t use; /* Counts the uses of the view. */
    struct store_cursor log;
    struct store_cursor lists;
    struct store_cursor postings;
    struct store_cursor ids;
    struct store_cursor rows;
    struct store_meta meta;
    size_t meta_txn;       /* LMDB's number of the transaction that it is of. */
    struct block block;    /* Where the last record was; count 0: none. */
    struct slice ahead;    /* Of the log's file, was asked of the disk last. */
    struct places *places; /* owned: of records that were not beside it */
};

static inline MDB_val
val_of(struct slice bytes)
{
    /* LMDB only reads the bytes that it gets, its type does not say so. */
    return (MDB_val){.mv_data = (void *)(uintptr_t)bytes.data,
                     .mv_size = bytes.size};
}

static inline struct slice
slice_of_val(MDB_val val)
{
    return slice_make(val.mv_data, val.mv_size);
}

/* Between these two the environment stays open. The first is EIO if it could
 * not be opened again; the second only follows if it is 0.
 */
int store_enter(struct store *store);
void store_leave(struct store *store);

/* Close what the view has of the environment, and forget what it knows of its
 * memory: with the store's lock, while the view has not begun.
 */
void store_view_let_go(struct store_view *view);

/* Open the environment that was closed, as it was opened first. */
enum acta_code store_open_again(struct store *store,
                                struct acta_err *err) ACTA_CHECKED;

/* mdb_cursor_get() with a cursor of the view. */
int store_cursor_get(struct store_view *view, struct store_cursor *cursor,
                     MDB_val *key, MDB_val *val, MDB_cursor_op op);

/* An LMDB failure as an error. */
enum acta_code store_fail(struct acta_err *err, int rc, const char *doing);

struct slice store_list_key(uint8_t to[static LIST_KEY_SIZE_MAX],
                            const struct list_name *name);
struct slice store_chunk_key(uint8_t to[static CHUNK_KEY_SIZE], uint64_t number,
                             uint64_t x);
struct slice store_id_key(uint8_t to[static ID_KEY_SIZE],
                          const uint8_t id[static UUID_SIZE], uint64_t stream);
void store_id_value(uint8_t to[static ID_VALUE_SIZE], struct slice key,
                    uint64_t position);
enum acta_code store_read_id_value(struct slice key, struct slice value,
                                   uint64_t *position,
                                   struct acta_err *err) ACTA_CHECKED;

struct slice store_row_key(uint8_t to[static ROW_STORE_KEY_MAX],
                           enum row_kind kind, struct slice key);

/* The checksum that stands before a row's value, over key and value. */
uint32_t store_row_checksum(struct slice key, struct slice value);

/* Take the value out of what is stored. CORRUPT */
enum acta_code store_read_row(struct slice key, struct slice stored,
                              struct slice *value,
                              struct acta_err *err) ACTA_CHECKED;

/* The block of the log that has @position, valid until the next is asked for.
 * CORRUPT
 */
enum acta_code store_view_block(struct store_view *view, uint64_t position,
                                const struct block **block,
                                struct acta_err *err) ACTA_CHECKED;

/* What x is for the chunk of a list of @kind. */
static inline uint64_t
store_chunk_x(enum list_kind kind, const struct postings *chunk)
{
    return kind == LIST_STREAM ? chunk->first_ordinal : chunk->positions[0];
}

/* Open an environment in the empty directory @dir, and begin a transaction in
 * which its tables are made. Environment and transaction are the caller's,
 * whatever this returns: LMDB's code.
 */
int store_make_tables(struct store *store, const char *dir, size_t map_size,
                      MDB_txn **txn);

/* Move a memtable's rows over, in the transaction of a checkpoint. */
enum acta_code store_write_rows(struct store *store, MDB_txn *txn,
                                const struct memtable *memtable,
                                struct acta_err *err) ACTA_CHECKED;

enum acta_code store_decode_meta(struct slice bytes, struct store_meta *meta,
                                 struct acta_err *err) ACTA_CHECKED;
enum acta_code store_read_meta(struct store *store, MDB_txn *txn,
                               struct store_meta *meta,
                               struct acta_err *err) ACTA_CHECKED;
int store_write_meta(struct store *store, MDB_txn *txn,
                     const struct store_meta *meta);

#endif
