#include "name_map.h"

#include <assert.h>
#include <stdlib.h>

#include "list.h"

#define BUCKETS_MIN 64

void
name_map_fini(struct name_map *map, void (*let_go)(struct name_node *node))
{
    for (size_t i = 0; i < map->buckets_count; i++) {
        struct name_node *node = map->buckets[i];

        while (node != NULL) {
            struct name_node *next = node->next_in_bucket;

            let_go(node);
            node = next;
        }
    }
    free(map->buckets);
    *map = (struct name_map){0};
}

/* The hash is different in every process, so that nobody can choose names that
 * fall together.
 */
static uint64_t
hash_of(struct slice name)
{
    return list_hash_row(0, name);
}

static struct name_node **
bucket_of(const struct name_map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->buckets_count - 1)];
}

struct name_node *
name_map_find(const struct name_map *map, struct slice name)
{
    uint64_t hash = hash_of(name);
    struct name_node *node;

    if (map->buckets_count == 0) {
        return NULL;
    }
    node = *bucket_of(map, hash);
    while (node != NULL &&
           (node->hash != hash || !slice_equal(node->name, name))) {
        node = node->next_in_bucket;
    }
    return node;
}

static void
link_node(struct name_map *map, struct name_node *node)
{
    struct name_node **bucket = bucket_of(map, node->hash);

    node->next_in_bucket = *bucket;
    *bucket = node;
}

bool
name_map_reserve(struct name_map *map, size_t count)
{
    struct name_map old = *map;
    size_t buckets_count =
        old.buckets_count == 0 ? BUCKETS_MIN : old.buckets_count;
    struct name_node **buckets;

    while (buckets_count < old.count + count) {
        buckets_count *= 2;
    }
    if (buckets_count == old.buckets_count) {
        return true;
    }
    buckets = calloc(buckets_count, sizeof(struct name_node *));
    if (buckets == NULL) {
        return false;
    }
    map->buckets = buckets;
    map->buckets_count = buckets_count;
    for (size_t i = 0; i < old.buckets_count; i++) {
        struct name_node *node = old.buckets[i];

        while (node != NULL) {
            struct name_node *next = node->next_in_bucket;

            link_node(map, node);
            node = next;
        }
    }
    free(old.buckets);
    return true;
}

void
name_map_put(struct name_map *map, struct name_node *node)
{
    assert(map->count < map->buckets_count);

    node->hash = hash_of(node->name);
    link_node(map, node);
    map->count++;
}

void
name_map_remove(struct name_map *map, struct name_node *node)
{
    struct name_node **at = bucket_of(map, node->hash);

    while (*at != node) {
        at = &(*at)->next_in_bucket;
    }
    *at = node->next_in_bucket;
    map->count--;
}
