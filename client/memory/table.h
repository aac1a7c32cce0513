/* Named things in the order of the bytes of their names. Any thread, one at a
 * time.
 */

#ifndef ACTA_MEMORY_TABLE_H
#define ACTA_MEMORY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "slice.h"

/* The first member of what is put into a table. */
struct table_entry {
    struct slice name; /* owned */
};

struct table {
    struct table_entry **entries; /* owned, not what they point to */
    size_t count;
    size_t capacity;
};

/* The entry of this name, or NULL. */
void *table_find(const struct table *table, struct slice name);

/* Give @entry, which is zeroed memory, a copy of the name and put it in. */
void table_put(struct table *table, struct table_entry *entry,
               struct slice name);

/* Take it out, and free its name. */
void table_remove(struct table *table, struct table_entry *entry);
void table_fini(struct table *table);

/* The first entry that begins with @prefix and is behind @after, as an index;
 * and whether there is one at an index that begins so.
 */
size_t table_first(const struct table *table, struct slice prefix,
                   struct slice after);
bool table_has(const struct table *table, size_t index, struct slice prefix);

#endif
