/* The lists that every event belongs to: that of its stream, of its category,
 * of its type, of its correlation id, and of each of its tags. Any thread.
 */

#ifndef ACTA_LIST_H
#define ACTA_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "limit.h"
#include "query.h"
#include "slice.h"

/* The values are in the keys of the store: never change one. */
enum list_kind {
    LIST_STREAM = 1,
    LIST_CATEGORY = 2,
    LIST_TYPE = 3,
    LIST_TAG = 4,
    LIST_CORRELATION = 5,
};

#define LIST_KINDS_END 6 /* All kinds are below. */

struct list_name {
    enum list_kind kind;
    struct slice name;
};

#define LIST_NAMES_MAX (4 + ACTA_TAGS_MAX) /* Lists that one event is in. */

static inline bool
list_name_equal(const struct list_name *a, const struct list_name *b)
{
    return a->kind == b->kind && slice_equal(a->name, b->name);
}

/* In the order of the store's keys. */
static inline int
list_name_compare(const struct list_name *a, const struct list_name *b)
{
    return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind)
                              : slice_compare(a->name, b->name);
}

/* The names of the lists that @event is in, its stream's first. Returns how
 * many; they borrow from the event.
 */
size_t list_names_of(const struct event *event,
                     struct list_name names[static LIST_NAMES_MAX]);

/* The kind of list that a query's field names. */
enum list_kind list_kind_of(enum query_field field);

/* A hash of the name, different in every process, so that nobody can choose
 * names that all fall on one place.
 */
uint64_t list_hash(const struct list_name *name);
uint64_t list_hash_id(const uint8_t id[static UUID_SIZE]);
uint64_t list_hash_row(unsigned kind, struct slice key);

#endif
