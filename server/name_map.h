/* A hash table from names to structs that have a node in them. The node's name
 * points to bytes of the struct's own. No I/O. One thread.
 */

#ifndef ACTA_NAME_MAP_H
#define ACTA_NAME_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"

struct name_node {
    struct slice name;
    uint64_t hash;
    struct name_node *next_in_bucket;
};

/* All zeros: empty. */
struct name_map {
    struct name_node **buckets; /* owned, but for what is in them */
    size_t buckets_count;       /* A power of two, or 0. */
    size_t count;
};

/* Free the table; with each node that is in it @let_go is called. */
void name_map_fini(struct name_map *map,
                   void (*let_go)(struct name_node *node));

/* The node of @name; NULL if there is none. */
struct name_node *name_map_find(const struct name_map *map, struct slice name);

/* Make room for another @count names. False if there is no memory. */
bool name_map_reserve(struct name_map *map, size_t count) ACTA_CHECKED;

/* Put @node, whose name is set and is not in the map. There must be room. */
void name_map_put(struct name_map *map, struct name_node *node);

/* Take out @node, which is in the map. */
void name_map_remove(struct name_map *map, struct name_node *node);

#endif
