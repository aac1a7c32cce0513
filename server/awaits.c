#include "awaits.h"

#include <stdlib.h>
#include <string.h>

#include "outer.h"

void
awaits_init(struct awaits *awaits)
{
    *awaits = (struct awaits){0};
    kept_init(&awaits->kept);
}

static void
free_slot(struct name_node *node)
{
    struct await_slot *slot = OUTER(struct await_slot, named, node);

    heap_fini(&slot->positions);
    free(slot);
}

void
awaits_fini(struct awaits *awaits)
{
    kept_fini(&awaits->kept);
    name_map_fini(&awaits->by_name, free_slot);
    heap_fini(&awaits->waits);
}

static struct await_slot *
find_slot(const struct awaits *awaits, struct slice name)
{
    struct name_node *node = name_map_find(&awaits->by_name, name);

    return node == NULL ? NULL : OUTER(struct await_slot, named, node);
}

static struct await_slot *
get_slot(struct awaits *awaits, struct slice name)
{
    struct await_slot *slot = find_slot(awaits, name);

    if (slot != NULL) {
        return slot;
    }
    if (!name_map_reserve(&awaits->by_name, 1)) {
        return NULL;
    }
    slot = calloc(1, sizeof(*slot) + name.size);
    if (slot != NULL) {
        memcpy(slot->name, name.data, name.size);
        slot->named.name = slice_make(slot->name, name.size);
        name_map_put(&awaits->by_name, &slot->named);
    }
    return slot;
}

static void
drop_if_empty(struct awaits *awaits, struct await_slot *slot)
{
    if (slot->positions.count == 0) {
        name_map_remove(&awaits->by_name, &slot->named);
        free_slot(&slot->named);
    }
}

bool
awaits_keep(struct awaits *awaits, struct slice name, uint64_t position,
            uint64_t until_us, struct job *job)
{
    struct await *await = malloc(sizeof(*await));
    struct await_slot *slot;

    if (await == NULL || !heap_reserve(&awaits->waits, 1)) {
        free(await);
        return false;
    }
    slot = get_slot(awaits, name);
    if (slot == NULL || !heap_reserve(&slot->positions, 1) ||
        !kept_add(&awaits->kept, &await->kept, job)) {
        if (slot != NULL) {
            drop_if_empty(awaits, slot);
        }
        free(await);
        return false;
    }
    await->position = (struct heap_node){.time = position};
    await->until = (struct heap_node){.time = until_us};
    await->slot = slot;
    heap_put(&slot->positions, &await->position);
    heap_put(&awaits->waits, &await->until);
    return true;
}

static struct job *
take(struct awaits *awaits, struct await *await)
{
    struct job *job = kept_take(&awaits->kept, &await->kept);

    heap_remove(&awaits->waits, &await->until);
    heap_remove(&await->slot->positions, &await->position);
    drop_if_empty(awaits, await->slot);
    free(await);
    return job;
}

struct job *
awaits_reached(struct awaits *awaits, struct slice name, uint64_t position)
{
    struct await_slot *slot = find_slot(awaits, name);
    struct heap_node *first =
        slot == NULL ? NULL : heap_first(&slot->positions);

    return first == NULL || first->time > position
               ? NULL
               : take(awaits, OUTER(struct await, position, first));
}

struct job *
awaits_tired(struct awaits *awaits, uint64_t now_us)
{
    struct heap_node *first = heap_first(&awaits->waits);

    return first == NULL || first->time > now_us
               ? NULL
               : take(awaits, OUTER(struct await, until, first));
}

struct job *
awaits_forget(struct awaits *awaits, const struct completions *completions,
              uint64_t connection_id)
{
    struct kept_job *first =
        kept_first(&awaits->kept, completions, connection_id);

    return first == NULL ? NULL
                         : take(awaits, OUTER(struct await, kept, first));
}

uint64_t
awaits_next(const struct awaits *awaits)
{
    const struct heap_node *first = heap_first(&awaits->waits);

    return first == NULL ? UINT64_MAX : first->time;
}
