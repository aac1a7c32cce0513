#include "schedules.h"

#include <stdlib.h>
#include <string.h>

#include "outer.h"

static void
free_slot(struct name_node *node)
{
    free(OUTER(struct schedule_slot, named, node));
}

void
schedules_fini(struct schedules *schedules)
{
    name_map_fini(&schedules->by_name, free_slot);
    heap_fini(&schedules->dues);
}

struct schedule_slot *
schedules_find(const struct schedules *schedules, struct slice name)
{
    struct name_node *node = name_map_find(&schedules->by_name, name);

    return node == NULL ? NULL : OUTER(struct schedule_slot, named, node);
}

bool
schedules_add(struct schedules *schedules, struct slice name, uint64_t due_us,
              uint64_t number)
{
    struct schedule_slot *slot;

    if (!name_map_reserve(&schedules->by_name, 1) ||
        !heap_reserve(&schedules->dues, 1 + schedules->taken)) {
        return false;
    }
    slot = calloc(1, sizeof(*slot) + name.size);
    if (slot == NULL) {
        return false;
    }
    memcpy(slot->name, name.data, name.size);
    slot->named.name = slice_make(slot->name, name.size);
    slot->due.time = due_us;
    slot->due.order = number;
    name_map_put(&schedules->by_name, &slot->named);
    heap_put(&schedules->dues, &slot->due);
    return true;
}

void
schedules_move(struct schedules *schedules, struct schedule_slot *slot,
               uint64_t due_us)
{
    heap_remove(&schedules->dues, &slot->due);
    slot->due.time = due_us;
    heap_put(&schedules->dues, &slot->due);
}

void
schedules_remove(struct schedules *schedules, struct schedule_slot *slot)
{
    if (slot->due.place == 0) {
        schedules->taken--;
    }
    heap_remove(&schedules->dues, &slot->due);
    name_map_remove(&schedules->by_name, &slot->named);
    free_slot(&slot->named);
}

struct schedule_slot *
schedules_take(struct schedules *schedules, uint64_t now_us)
{
    struct heap_node *node = heap_first(&schedules->dues);

    if (node == NULL || node->time > now_us) {
        return NULL;
    }
    heap_remove(&schedules->dues, node);
    schedules->taken++;
    return OUTER(struct schedule_slot, due, node);
}

void
schedules_put_back(struct schedules *schedules, struct schedule_slot *slot)
{
    schedules->taken--;
    heap_put(&schedules->dues, &slot->due);
}

uint64_t
schedules_next(const struct schedules *schedules)
{
    const struct heap_node *node = heap_first(&schedules->dues);

    return node == NULL ? UINT64_MAX : node->time;
}
