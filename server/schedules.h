/* Which scheduled appends wait, by name and in the order in which they are due.
 * What is to be appended is in their rows. One that has failed is in its row
 * alone.
 *
 * No I/O, no clock. The writer's thread.
 */

#ifndef ACTA_SCHEDULES_H
#define ACTA_SCHEDULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "heap.h"
#include "name_map.h"
#include "slice.h"

struct schedule_slot {
    struct name_node named;
    struct heap_node due; /* Its order is the schedule's number. */
    uint8_t name[];
};

/* All zeros: none. */
struct schedules {
    struct name_map by_name;
    struct heap dues;
    size_t taken; /* See schedules_take(). */
};

void schedules_fini(struct schedules *schedules);

struct schedule_slot *schedules_find(const struct schedules *schedules,
                                     struct slice name);

/* Add one that is not there. False if there is no memory. */
bool schedules_add(struct schedules *schedules, struct slice name,
                   uint64_t due_us, uint64_t number) ACTA_CHECKED;

void schedules_move(struct schedules *schedules, struct schedule_slot *slot,
                    uint64_t due_us);

/* It waits no more: @slot is freed. */
void schedules_remove(struct schedules *schedules, struct schedule_slot *slot);

/* Take the first that is due at @now_us; NULL if none is. It is still found by
 * its name, and is to be removed, or put back.
 */
struct schedule_slot *schedules_take(struct schedules *schedules,
                                     uint64_t now_us);
void schedules_put_back(struct schedules *schedules,
                        struct schedule_slot *slot);

/* When the next one is due; UINT64_MAX if there is none. */
uint64_t schedules_next(const struct schedules *schedules);

#endif
