/* Rows of one kind in the order of their keys, over the store and the memtables
 * on top of it as if they were one: the newest value of each counts, and what
 * was removed hides what the store has.
 *
 * The view and the memtables stay open and pinned as long as the walk. One
 * thread.
 */

#ifndef ACTA_ROW_WALK_H
#define ACTA_ROW_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "memtable.h"
#include "row.h"
#include "store.h"
#include "tail.h"

/* Where the walk is in the store, or in one memtable. */
struct row_source {
    struct memtable *memtable; /* NULL: the store. */
    struct row_slot *slot;
    struct row row;
    bool found; /* Else there is none more. */
};

struct row_walk {
    enum row_kind kind;
    struct slice prefix;
    uint64_t sequence;
    struct store_view *store;
    struct row_source sources[TAIL_TABLES_MAX + 1]; /* The newest first. */
    size_t sources_count;
    struct slice key; /* Of the row that was taken last, if there is one. */
    bool is_on;
};

/* Begin in front of the first row of @kind whose key begins with @prefix and is
 * behind @after (any, if that is empty); both stay the caller's, and as they
 * are. @tail was pinned before @store was begun.
 */
enum acta_code row_walk_begin(struct row_walk *walk, struct store_view *store,
                              const struct tail_view *tail, enum row_kind kind,
                              struct slice prefix, struct slice after,
                              struct acta_err *err) ACTA_CHECKED;

/* Take the next row. *@found is false if there is none more. Rows that were
 * looked at, removed ones as well, are counted in *@steps.
 *
 * CORRUPT  The next row of the store is damaged: it is named. The walk is over.
 */
enum acta_code row_walk_next(struct row_walk *walk, struct row *row,
                             bool *found, size_t *steps,
                             struct acta_err *err) ACTA_CHECKED;

/* Entries up to this one tell what is in such a view. */
uint64_t row_walk_sequence(const struct store_view *store,
                           const struct tail_view *tail);

/* True if the store has all of @memtable, and maybe newer rows. */
bool row_walk_is_stored(const struct store_view *store,
                        const struct memtable *memtable);

#endif
