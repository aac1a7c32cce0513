#include "group_event.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
group_event_init(struct group_event *event, uint64_t position,
                 struct group_key *key)
{
    memset(event, 0, offsetof(struct group_event, dirty));
    event->position = position;
    event->key = key;
    event->state = GROUP_WAITING;
    ring_init(&event->in_key);
    ring_init(&event->in_hand);
    ring_init(&event->in_pending);
}

void
group_event_begin_row(struct group_event *event)
{
    assert(!event->is_parked);

    event->is_parked = true;
    ring_init(&event->dirty);
    event->ticket = 0;
    event->parked_us = 0;
    event->reason = NULL;
    event->reason_size = 0;
}

/* ---- table ---- */

#define TABLE_SIZE_MIN 64

/* Neighbours are eight to a line of the cache, since positions mostly follow
 * each other.
 */
static size_t
place_of(const struct group_table *table, uint64_t position)
{
    uint64_t line = (position >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    return (size_t)(line << 3 | (position & 7)) & (table->size - 1);
}

void
group_table_fini(struct group_table *table)
{
    free(table->places);
}

static void
put(struct group_table *table, struct group_event *event)
{
    struct group_event **place =
        &table->places[place_of(table, event->position)];

    event->next = *place;
    *place = event;
}

bool
group_table_reserve(struct group_table *table)
{
    struct group_table larger = *table;

    if (table->count < table->size) {
        return true;
    }
    larger.size = table->size == 0 ? TABLE_SIZE_MIN : 2 * table->size;
    larger.places = malloc(larger.size * sizeof(struct group_event *));
    if (larger.places == NULL) {
        return table->size > 0; /* It gets slower. */
    }
    memset(larger.places, 0, larger.size * sizeof(struct group_event *));
    for (size_t i = 0; i < table->size; i++) {
        struct group_event *next;

        for (struct group_event *event = table->places[i]; event != NULL;
             event = next) {
            next = event->next;
            put(&larger, event);
        }
    }
    free(table->places);
    *table = larger;
    return true;
}

struct group_event *
group_table_find(const struct group_table *table, uint64_t position)
{
    struct group_event *event;

    if (table->size == 0) {
        return NULL;
    }
    event = table->places[place_of(table, position)];
    while (event != NULL && event->position != position) {
        event = event->next;
    }
    return event;
}

void
group_table_add(struct group_table *table, struct group_event *event)
{
    put(table, event);
    table->count++;
}

void
group_table_remove(struct group_table *table, struct group_event *event)
{
    struct group_event **at = &table->places[place_of(table, event->position)];

    while (*at != event) {
        at = &(*at)->next;
    }
    *at = event->next;
    table->count--;
}

/* ---- heap ---- */

void
group_heap_fini(struct group_heap *heap)
{
    free(heap->events);
}

bool
group_heap_reserve(struct group_heap *heap, size_t count)
{
    size_t room = heap->room == 0 ? 64 : 2 * heap->room;
    struct group_event **events;

    if (count <= heap->room) {
        return true;
    }
    if (room < count) {
        room = count;
    }
    events = malloc(room * sizeof(struct group_event *));
    if (events == NULL) {
        return false;
    }
    if (heap->count > 0) {
        memcpy(events, heap->events,
               heap->count * sizeof(struct group_event *));
    }
    free(heap->events);
    heap->events = events;
    heap->room = room;
    return true;
}

static void
put_at(struct group_heap *heap, size_t place, struct group_event *event)
{
    heap->events[place] = event;
    event->place = (uint32_t)place;
}

static void
sift_up(struct group_heap *heap, size_t place, struct group_event *event)
{
    while (place > 0) {
        struct group_event *parent = heap->events[(place - 1) / 2];

        if (parent->time_us <= event->time_us) {
            break;
        }
        put_at(heap, place, parent);
        place = (place - 1) / 2;
    }
    put_at(heap, place, event);
}

static void
sift_down(struct group_heap *heap, size_t place, struct group_event *event)
{
    for (;;) {
        size_t child = 2 * place + 1;

        if (child + 1 < heap->count &&
            heap->events[child + 1]->time_us < heap->events[child]->time_us) {
            child++;
        }
        if (child >= heap->count ||
            event->time_us <= heap->events[child]->time_us) {
            break;
        }
        put_at(heap, place, heap->events[child]);
        place = child;
    }
    put_at(heap, place, event);
}

void
group_heap_add(struct group_heap *heap, struct group_event *event)
{
    assert(heap->count < heap->room);

    sift_up(heap, heap->count++, event);
}

void
group_heap_remove(struct group_heap *heap, struct group_event *event)
{
    struct group_event *last = heap->events[--heap->count];
    size_t place = event->place;

    if (last == event) {
        return;
    }
    if (place > 0 && last->time_us < heap->events[(place - 1) / 2]->time_us) {
        sift_up(heap, place, last);
    } else {
        sift_down(heap, place, last);
    }
}
