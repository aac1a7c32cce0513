#include "named.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "outer.h"

struct count {
    struct name_node node;
    uint64_t open; /* At least 1. */
    uint8_t name[];
};

static struct count *
count_of(struct name_node *node)
{
    return OUTER(struct count, node, node);
}

static void
let_go(struct name_node *node)
{
    free(count_of(node));
}

void
named_init(struct named *named)
{
    *named = (struct named){0};
    pthread_mutex_init(&named->lock, NULL);
}

void
named_fini(struct named *named)
{
    assert(named->counts.count == 0);

    name_map_fini(&named->counts, let_go);
    pthread_mutex_destroy(&named->lock);
}

static enum acta_code
add(struct name_map *counts, struct slice name)
{
    struct name_node *node = name_map_find(counts, name);
    struct count *count;

    if (node != NULL) {
        count_of(node)->open++;
        return ACTA_OK;
    }
    count = calloc(1, sizeof(*count) + name.size);
    if (count == NULL || !name_map_reserve(counts, 1)) {
        free(count);
        return ACTA_MEMORY;
    }
    memcpy(count->name, name.data, name.size);
    count->node.name = slice_make(count->name, name.size);
    count->open = 1;
    name_map_put(counts, &count->node);
    return ACTA_OK;
}

enum acta_code
named_add(struct named *named, struct slice name)
{
    enum acta_code code;

    pthread_mutex_lock(&named->lock);
    code = add(&named->counts, name);
    pthread_mutex_unlock(&named->lock);
    return code;
}

void
named_remove(struct named *named, struct slice name)
{
    struct name_node *node;

    pthread_mutex_lock(&named->lock);
    node = name_map_find(&named->counts, name);
    assert(node != NULL);
    if (--count_of(node)->open == 0) {
        name_map_remove(&named->counts, node);
        free(count_of(node));
    }
    pthread_mutex_unlock(&named->lock);
}

uint64_t
named_count(struct named *named, struct slice name)
{
    struct name_node *node;
    uint64_t open;

    pthread_mutex_lock(&named->lock);
    node = name_map_find(&named->counts, name);
    open = node == NULL ? 0 : count_of(node)->open;
    pthread_mutex_unlock(&named->lock);
    return open;
}
