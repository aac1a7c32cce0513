#include "rowtable.h"

#include <stdlib.h>

#include "list.h"

#define BUCKETS_MIN 64

void
rowtable_fini(struct rowtable *table)
{
    free(table->buckets);
    arena_free(&table->arena);
    *table = (struct rowtable){0};
}

static struct row_slot *
find_slot(const struct rowtable *table, enum row_kind kind, struct slice key,
          uint64_t hash)
{
    struct row_slot *slot;

    if (table->buckets_count == 0) {
        return NULL;
    }
    slot = table->buckets[hash & (table->buckets_count - 1)];
    while (slot != NULL && (slot->hash != hash || slot->kind != kind ||
                            !slice_equal(slot->key, key))) {
        slot = slot->next_in_bucket;
    }
    return slot;
}

static void
put_in_bucket(struct rowtable *table, struct row_slot *slot)
{
    struct row_slot **bucket =
        &table->buckets[slot->hash & (table->buckets_count - 1)];

    slot->next_in_bucket = *bucket;
    *bucket = slot;
}

/* As many buckets as there are rows, at least. */
static bool
make_buckets(struct rowtable *table)
{
    size_t count =
        table->buckets_count == 0 ? BUCKETS_MIN : 2 * table->buckets_count;
    struct row_slot **buckets;

    if (table->count < table->buckets_count) {
        return true;
    }
    buckets = calloc(count, sizeof(struct row_slot *));
    if (buckets == NULL) {
        return false;
    }
    free(table->buckets);
    table->buckets = buckets;
    table->buckets_count = count;
    for (struct row_slot *slot = table->slots; slot != NULL;
         slot = slot->next) {
        put_in_bucket(table, slot);
    }
    return true;
}

/* ---- the order of keys ---- */

/* Of a kind that an entry of a newer program may have set, nothing is known. */
static bool
is_ordered(enum row_kind kind)
{
    return kind < ROW_KINDS_END && kind != ROW_COMMAND;
}

/* On how many levels a row is: on each of them a fourth of those below. Hashes
 * are not to be foreseen, so neither is this.
 */
static size_t
levels_of(enum row_kind kind, uint64_t hash)
{
    size_t levels = 1;

    if (!is_ordered(kind)) {
        return 0;
    }
    for (; levels < ROW_LEVELS_MAX && (hash >> 40 & 3) == 0; hash >>= 2) {
        levels++;
    }
    return levels;
}

static void
put_in_order(struct rowtable *table, struct row_slot *slot, size_t levels)
{
    struct row_slot **links;

    if (levels == 0) {
        return;
    }
    links = table->orders[slot->kind].first;
    for (size_t level = ROW_LEVELS_MAX; level > 0; level--) {
        struct row_slot *other;

        while ((other = links[level - 1]) != NULL &&
               slice_compare(other->key, slot->key) < 0) {
            links = other->behind;
        }
        if (level <= levels) {
            slot->behind[level - 1] = other;
            links[level - 1] = slot;
        }
    }
}

/* True if the row that is looked for lies behind @slot. */
static bool
is_before(const struct row_slot *slot, struct slice after, bool inclusive)
{
    int order = slice_compare(slot->key, after);

    return order < 0 || (order == 0 && !inclusive);
}

struct row_slot *
rowtable_behind(const struct rowtable *table, enum row_kind kind,
                struct slice after, bool inclusive)
{
    struct row_slot *const *links;
    struct row_slot *slot = NULL;

    if (!is_ordered(kind)) {
        return NULL;
    }
    links = table->orders[kind].first;
    for (size_t level = ROW_LEVELS_MAX; level > 0; level--) {
        while ((slot = links[level - 1]) != NULL &&
               is_before(slot, after, inclusive)) {
            links = slot->behind;
        }
    }
    return slot;
}

/* ---- rows and their values ---- */

static struct row_slot *
add_slot(struct rowtable *table, const struct row *row, uint64_t hash)
{
    size_t levels = levels_of(row->kind, hash);
    size_t size = sizeof(struct row_slot) + levels * sizeof(struct row_slot *);
    struct row_slot *slot;

    if (!make_buckets(table)) {
        return NULL;
    }
    slot = arena_take(&table->arena, size);
    if (slot == NULL) {
        return NULL;
    }
    *slot = (struct row_slot){.kind = row->kind, .hash = hash};
    if (!arena_copy(&table->arena, row->key, &slot->key)) {
        return NULL;
    }
    slot->next = table->slots;
    table->slots = slot;
    table->count++;
    table->erasures += row->kind == ROW_ERASURE;
    table->size += size + row->key.size;
    if (row_has_events(row->kind)) {
        table->size += ROW_EVENTS_SIZE_MIN;
    }
    put_in_bucket(table, slot);
    put_in_order(table, slot, levels);
    return slot;
}

bool
rowtable_set(struct rowtable *table, const struct row *row, uint64_t sequence)
{
    uint64_t hash = list_hash_row(row->kind, row->key);
    struct row_value *value = arena_take(&table->arena, sizeof(*value));
    struct row_slot *slot = find_slot(table, row->kind, row->key, hash);

    if (value == NULL ||
        !arena_copy(&table->arena, row->value, &value->value)) {
        return false;
    }
    if (slot == NULL) {
        slot = add_slot(table, row, hash);
    }
    if (slot == NULL) {
        return false;
    }
    value->sequence = sequence;
    value->older = slot->newest;
    slot->newest = value;
    table->size += sizeof(*value) + row->value.size;
    return true;
}

bool
rowtable_value(const struct row_slot *slot, uint64_t sequence,
               struct slice *value)
{
    const struct row_value *at = slot->newest;

    while (at != NULL && at->sequence > sequence) {
        at = at->older;
    }
    if (at == NULL) {
        return false;
    }
    *value = at->value;
    return true;
}

bool
rowtable_find(const struct rowtable *table, enum row_kind kind,
              struct slice key, uint64_t sequence, struct slice *value)
{
    const struct row_slot *slot =
        find_slot(table, kind, key, list_hash_row(kind, key));

    return slot != NULL && rowtable_value(slot, sequence, value);
}
