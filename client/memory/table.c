#include "table.h"

#include <stdlib.h>

#include "memory_store.h"

/* The index of the first entry that is not before @name. */
static size_t
lower_bound(const struct table *table, struct slice name)
{
    size_t low = 0, end = table->count;

    while (low < end) {
        size_t middle = low + (end - low) / 2;

        if (slice_compare(table->entries[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            end = middle;
        }
    }
    return low;
}

static bool
is_at(const struct table *table, size_t index, struct slice name)
{
    return index < table->count &&
           slice_equal(table->entries[index]->name, name);
}

void *
table_find(const struct table *table, struct slice name)
{
    size_t index = lower_bound(table, name);

    return is_at(table, index, name) ? table->entries[index] : NULL;
}

void
table_put(struct table *table, struct table_entry *entry, struct slice name)
{
    size_t index = lower_bound(table, name);

    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 16 : 2 * table->capacity;
        table->entries = memory_grow(
            table->entries, table->capacity * sizeof(struct table_entry *));
    }
    memmove(&table->entries[index + 1], &table->entries[index],
            (table->count - index) * sizeof(struct table_entry *));
    entry->name = memory_copy(name);
    table->entries[index] = entry;
    table->count++;
}

void
table_remove(struct table *table, struct table_entry *entry)
{
    size_t index = lower_bound(table, entry->name);

    table->count--;
    memmove(&table->entries[index], &table->entries[index + 1],
            (table->count - index) * sizeof(struct table_entry *));
    memory_free_copy(&entry->name);
}

void
table_fini(struct table *table)
{
    free(table->entries);
    *table = (struct table){0};
}

size_t
table_first(const struct table *table, struct slice prefix, struct slice after)
{
    size_t index = lower_bound(table, prefix);
    size_t behind = lower_bound(table, after);

    if (is_at(table, behind, after)) {
        behind++;
    }
    return index > behind ? index : behind;
}

bool
table_has(const struct table *table, size_t index, struct slice prefix)
{
    return index < table->count &&
           slice_starts_with(table->entries[index]->name, prefix);
}
