/* Open addressing. A table that is half full is followed by one of twice the
 * size; the old one stays until the end, since someone may be looking at it:
 * all of them together are no larger than the newest.
 */

#include "marks.h"

#include <stdlib.h>

#include "list.h"

#define SLOTS_MIN 1024

struct mark_table {
    struct mark_table *older;
    size_t mask; /* Slots, less one. */
    size_t count;
    _Atomic uint64_t slots[]; /* 0: empty. */
};

void
marks_fini(struct marks *marks)
{
    while (marks->tables != NULL) {
        struct mark_table *table = marks->tables;

        marks->tables = table->older;
        free(table);
    }
    atomic_store(&marks->table, NULL);
}

static uint64_t
mark_of(struct slice stream)
{
    uint64_t hash = list_hash(&(struct list_name){LIST_STREAM, stream});

    return hash == 0 ? 1 : hash;
}

/* The slot that has @mark, or the empty one where it belongs. */
static size_t
find_slot(const struct mark_table *table, uint64_t mark, uint64_t *found)
{
    size_t slot = mark & table->mask;

    while ((*found = atomic_load_explicit(&table->slots[slot],
                                          memory_order_relaxed)) != 0 &&
           *found != mark) {
        slot = (slot + 1) & table->mask;
    }
    return slot;
}

static void
put(struct mark_table *table, uint64_t mark)
{
    uint64_t found;
    size_t slot = find_slot(table, mark, &found);

    if (found == 0) {
        atomic_store_explicit(&table->slots[slot], mark, memory_order_relaxed);
        table->count++;
    }
}

static struct mark_table *
grow(struct marks *marks)
{
    struct mark_table *old = marks->tables;
    size_t slots = old == NULL ? SLOTS_MIN : 2 * (old->mask + 1);
    struct mark_table *table =
        calloc(1, sizeof(*table) + slots * sizeof(table->slots[0]));

    if (table == NULL) {
        return NULL;
    }
    table->mask = slots - 1;
    table->older = old;
    for (size_t i = 0; old != NULL && i <= old->mask; i++) {
        uint64_t mark =
            atomic_load_explicit(&old->slots[i], memory_order_relaxed);

        if (mark != 0) {
            put(table, mark);
        }
    }
    marks->tables = table;
    atomic_store_explicit(&marks->table, table, memory_order_release);
    return table;
}

bool
marks_add(struct marks *marks, struct slice stream)
{
    struct mark_table *table = marks->tables;

    if (table == NULL || 2 * table->count > table->mask) {
        table = grow(marks);
    }
    if (table == NULL) {
        return false;
    }
    put(table, mark_of(stream));
    atomic_fetch_add_explicit(&marks->count, 1, memory_order_release);
    return true;
}

uint64_t
marks_count(const struct marks *marks)
{
    return atomic_load_explicit(&marks->count, memory_order_acquire);
}

bool
marks_has(const struct marks *marks, struct slice stream)
{
    const struct mark_table *table =
        atomic_load_explicit(&marks->table, memory_order_acquire);
    uint64_t found;

    if (table == NULL) {
        return false;
    }
    find_slot(table, mark_of(stream), &found);
    return found != 0;
}

bool
marks_none(const struct marks *marks)
{
    return atomic_load_explicit(&marks->table, memory_order_relaxed) == NULL;
}
