#include "row_walk.h"

uint64_t
row_walk_sequence(const struct store_view *store, const struct tail_view *tail)
{
    uint64_t stored = store_view_meta(store)->sequence;

    return stored > tail->sequence ? stored : tail->sequence;
}

bool
row_walk_is_stored(const struct store_view *store,
                   const struct memtable *memtable)
{
    uint64_t sealed_at = memtable_sealed_at(memtable);

    return sealed_at != 0 && sealed_at <= store_view_meta(store)->sequence;
}

/* The first row of the store that is behind @from, or is @from if @inclusive.
 */
static enum acta_code
next_in_store(struct row_walk *walk, struct row *row, struct slice from,
              bool inclusive, bool *found, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    *found = false;
    if (inclusive) {
        row->kind = walk->kind;
        row->key = from;
        code = store_view_row(walk->store, walk->kind, from, &row->value, found,
                              err);
    }
    if (code != ACTA_OK || *found) {
        return code;
    }
    return store_view_next_row(walk->store, walk->kind, from, row, found, err);
}

/* The source moves on behind @from, where it is, or to where it begins. */
static enum acta_code
step(struct row_walk *walk, struct row_source *source, struct slice from,
     bool inclusive, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (source->memtable == NULL) {
        code = next_in_store(walk, &source->row, from, inclusive,
                             &source->found, err);
    } else {
        source->found =
            memtable_next_row(source->memtable, walk->kind, from, inclusive,
                              walk->sequence, &source->slot, &source->row);
    }
    /* Keys with the prefix lie together. */
    source->found =
        source->found && slice_starts_with(source->row.key, walk->prefix);
    return code;
}

enum acta_code
row_walk_begin(struct row_walk *walk, struct store_view *store,
               const struct tail_view *tail, enum row_kind kind,
               struct slice prefix, struct slice after, struct acta_err *err)
{
    bool at_prefix = after.size == 0 || slice_compare(prefix, after) > 0;
    struct slice from = at_prefix ? prefix : after;
    enum acta_code code = ACTA_OK;

    *walk = (struct row_walk){
        .kind = kind,
        .prefix = prefix,
        .sequence = row_walk_sequence(store, tail),
        .store = store,
    };
    for (size_t i = tail->count; i > 0; i--) {
        if (row_walk_is_stored(store, tail->tables[i - 1])) {
            break;
        }
        walk->sources[walk->sources_count++].memtable = tail->tables[i - 1];
    }
    walk->sources_count++; /* The store. */
    for (size_t i = 0; code == ACTA_OK && i < walk->sources_count; i++) {
        code = step(walk, &walk->sources[i], from, at_prefix, err);
    }
    return code;
}

/* The source with the first key; of those that have it the newest. NULL if all
 * are at their ends.
 */
static const struct row_source *
first_source(const struct row_walk *walk)
{
    const struct row_source *first = NULL;

    for (size_t i = 0; i < walk->sources_count; i++) {
        const struct row_source *source = &walk->sources[i];

        if (source->found &&
            (first == NULL ||
             slice_compare(source->row.key, first->row.key) < 0)) {
            first = source;
        }
    }
    return first;
}

/* All sources that have the row that was taken last move on. */
static enum acta_code
step_over(struct row_walk *walk, size_t *steps, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < walk->sources_count; i++) {
        struct row_source *source = &walk->sources[i];

        if (source->found && slice_equal(source->row.key, walk->key)) {
            code = step(walk, source, walk->key, false, err);
            ++*steps;
        }
    }
    return code;
}

enum acta_code
row_walk_next(struct row_walk *walk, struct row *row, bool *found,
              size_t *steps, struct acta_err *err)
{
    *found = false;
    while (!*found) {
        enum acta_code code = ACTA_OK;
        const struct row_source *source;

        if (walk->is_on) {
            code = step_over(walk, steps, err);
        }
        if (code != ACTA_OK) {
            return code;
        }
        source = first_source(walk);
        if (source == NULL) {
            return ACTA_OK;
        }
        *row = source->row;
        *found = row->value.size > 0; /* Else it was removed. */
        walk->key = row->key;
        walk->is_on = true;
    }
    return ACTA_OK;
}
