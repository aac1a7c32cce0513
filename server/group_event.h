/* An event that a group has in mind: read, and not done, or parked. And where
 * those are: a table by position, and a heap of those that are delayed.
 *
 * Inside of a group: see group_state.h.
 */

#ifndef ACTA_GROUP_EVENT_H
#define ACTA_GROUP_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"

struct group_key;

enum group_event_state {
    GROUP_WAITING, /* In key->waiting. */
    GROUP_DELAYED, /* There, too; nothing goes past it. */
    GROUP_IN_HAND, /* In key->in_hand, of key->member. */
    GROUP_PARKED,  /* In key->parked. */
    GROUP_GONE,    /* Done, but for the removal of its row. It has no key. */
};

/* Thousands are in mind, more than fit the caches: so what most of them ever
 * need is in two lines, and what is for those with a row is behind.
 */
struct group_event {
    uint64_t position;
    struct group_key *key;
    struct ring in_key;
    struct group_event *next; /* Of the same place in the table. */
    struct ring in_hand;      /* Of its member, in the order of handing out. */
    uint64_t fence;           /* Under which it was handed out. */

    uint64_t time_us;    /* When it was handed out, or its delay ends. */
    uint8_t *bytes;      /* owned: its record, or NULL: fetch it */
    uint32_t place;      /* In the heap. */
    uint32_t deliveries; /* How often it was handed out, */
    uint32_t tries;      /* and how many of these count. */
    uint32_t size;       /* Of its record. */
    enum group_event_state state;
    bool is_parked; /* It has a row, or is to have one. */
    bool is_behind; /* Parked because one before it is. */
    bool has_row;   /* It is durable, perhaps in an older form. */
    bool is_saving; /* It is in the save that is on its way. */

    /* Of group->pending, if it has no row that is durable. */
    struct ring in_pending;

    /* Only of one that is_parked: group_event_begin_row(). */
    struct ring dirty;  /* Of group->dirty: its row is to be saved, */
    uint64_t ticket;    /* with this one. */
    uint64_t parked_us; /* Since 1970. */
    uint8_t *reason;    /* owned, until it is durable; may be NULL */
    uint32_t reason_size;
};

_Static_assert(offsetof(struct group_event, dirty) <= 128, "two lines");

/* A new event, in no ring, table or heap. */
void group_event_init(struct group_event *event, uint64_t position,
                      struct group_key *key);

/* It is to have a row from now on. */
void group_event_begin_row(struct group_event *event);

/* By position. All zeros: empty. */
struct group_table {
    struct group_event **places; /* owned */
    size_t size;                 /* A power of two, or 0. */
    size_t count;
};

void group_table_fini(struct group_table *table);

/* Make room for one more. False: there is no memory for any. */
bool group_table_reserve(struct group_table *table);

/* NULL: it is not there. */
struct group_event *group_table_find(const struct group_table *table,
                                     uint64_t position);

/* After group_table_reserve(). */
void group_table_add(struct group_table *table, struct group_event *event);
void group_table_remove(struct group_table *table, struct group_event *event);

/* By time_us, the earliest first. All zeros: empty. */
struct group_heap {
    struct group_event **events; /* owned */
    size_t room;
    size_t count;
};

void group_heap_fini(struct group_heap *heap);

/* Make room for @count in all. False: no memory. */
bool group_heap_reserve(struct group_heap *heap, size_t count);

void group_heap_add(struct group_heap *heap, struct group_event *event);
void group_heap_remove(struct group_heap *heap, struct group_event *event);

static inline struct group_event *
group_heap_first(const struct group_heap *heap)
{
    return heap->count == 0 ? NULL : heap->events[0];
}

#endif
