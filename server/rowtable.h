/* The rows of a memtable: every value that was set, each with the sequence
 * number of the entry that set it. So a reader finds what was there at the
 * commit that it looks at, while the writer goes on.
 *
 * Nothing is ever taken out. Adding and finding must not run at once: the
 * memtable's lock sees to that.
 */

#ifndef ACTA_ROWTABLE_H
#define ACTA_ROWTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "row.h"

/* Levels of the order of keys: enough for millions of rows. */
#define ROW_LEVELS_MAX 12

/* One row, and the values it had: the newest first. */
struct row_value {
    struct row_value *older;
    uint64_t sequence;
    struct slice value; /* Empty: removed. */
};

struct row_slot {
    enum row_kind kind;
    struct slice key;
    uint64_t hash;
    struct row_value *newest;
    struct row_slot *next_in_bucket;
    struct row_slot *next; /* All rows, newest first. */

    /* Rows of its kind by key, a skip list: on each level that it is on, the
     * row behind it. A row of a kind that has no order is on none.
     */
    struct row_slot *behind[];
};

/* The first row of a kind on each level. */
struct row_order {
    struct row_slot *first[ROW_LEVELS_MAX];
};

/* All zeros: empty. */
struct rowtable {
    struct arena arena;
    struct row_slot **buckets; /* owned */
    size_t buckets_count;      /* A power of two, or 0. */
    struct row_slot *slots;
    struct row_order orders[ROW_KINDS_END];
    size_t count;    /* Rows. */
    size_t erasures; /* Those of this kind. */
    size_t size;     /* Bytes that they take here, or will in the store. */
};

void rowtable_fini(struct rowtable *table);

/* False if there is no memory; nothing has changed then. */
bool rowtable_set(struct rowtable *table, const struct row *row,
                  uint64_t sequence) ACTA_CHECKED;

/* What entries up to @sequence say of a row: false if they say nothing; an
 * empty value if they removed it. The value stays where it is as long as the
 * table.
 */
bool rowtable_find(const struct rowtable *table, enum row_kind kind,
                   struct slice key, uint64_t sequence, struct slice *value);

/* The same for a row that is at hand. */
bool rowtable_value(const struct row_slot *slot, uint64_t sequence,
                    struct slice *value);

/* The first row of @kind whose key is behind @after, or is @after if
 * @inclusive; NULL if there is none. Of commands, which are many and are never
 * listed, there is no order: always NULL. It stays where it is as long as the
 * table.
 */
struct row_slot *rowtable_behind(const struct rowtable *table,
                                 enum row_kind kind, struct slice after,
                                 bool inclusive);

/* The row behind @slot, which rowtable_behind() or this has found. */
static inline struct row_slot *
rowtable_next(const struct row_slot *slot)
{
    return slot->behind[0];
}

#endif
