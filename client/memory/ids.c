#include "ids.h"

#include <stdlib.h>

#include "memory_store.h"

static size_t
slot_of(const struct ids *ids, const uint8_t *id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (size_t i = 0; i < UUID_SIZE; i++) {
        hash = (hash ^ id[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)hash & (ids->slots_count - 1);
}

/* At the end, so that those of one id stay in order. */
static void
put(struct ids *ids, struct id_node *node)
{
    struct id_node **at = &ids->slots[slot_of(ids, node->id)];

    while (*at != NULL) {
        at = &(*at)->next;
    }
    node->next = NULL;
    *at = node;
}

static void
grow(struct ids *ids)
{
    struct ids larger = {
        .slots_count = ids->slots_count == 0 ? 64 : 2 * ids->slots_count,
        .count = ids->count,
    };

    larger.slots = memory_alloc(larger.slots_count * sizeof(struct id_node *));
    for (size_t i = 0; i < ids->slots_count; i++) {
        struct id_node *next;

        for (struct id_node *node = ids->slots[i]; node != NULL; node = next) {
            next = node->next;
            put(&larger, node);
        }
    }
    free(ids->slots);
    *ids = larger;
}

void
ids_put(struct ids *ids, struct id_node *node, const uint8_t *id)
{
    if (ids->count == ids->slots_count) {
        grow(ids);
    }
    memcpy(node->id, id, UUID_SIZE);
    put(ids, node);
    ids->count++;
}

static void *
find_from(struct id_node *node, const uint8_t *id)
{
    while (node != NULL && memcmp(node->id, id, UUID_SIZE) != 0) {
        node = node->next;
    }
    return node;
}

void *
ids_find(const struct ids *ids, const uint8_t *id)
{
    return ids->slots_count == 0 ? NULL
                                 : find_from(ids->slots[slot_of(ids, id)], id);
}

void *
ids_next(const struct id_node *node)
{
    return find_from(node->next, node->id);
}

void
ids_fini(struct ids *ids)
{
    free(ids->slots);
    *ids = (struct ids){0};
}
