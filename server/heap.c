#include "heap.h"

#include <assert.h>
#include <stdlib.h>

#define CAPACITY_MIN 16

void
heap_fini(struct heap *heap)
{
    free(heap->nodes);
    *heap = (struct heap){0};
}

bool
heap_reserve(struct heap *heap, size_t count)
{
    size_t capacity = heap->capacity == 0 ? CAPACITY_MIN : heap->capacity;
    struct heap_node **nodes;

    if (heap->count + count <= heap->capacity) {
        return true;
    }
    while (capacity < heap->count + count) {
        capacity *= 2;
    }
    nodes = realloc(heap->nodes, capacity * sizeof(struct heap_node *));
    if (nodes == NULL) {
        return false;
    }
    heap->nodes = nodes;
    heap->capacity = capacity;
    return true;
}

static bool
is_before(const struct heap_node *a, const struct heap_node *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void
set(struct heap *heap, size_t at, struct heap_node *node)
{
    heap->nodes[at] = node;
    node->place = at + 1;
}

/* Find the place of @node from @at upwards. */
static void
rise(struct heap *heap, size_t at, struct heap_node *node)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;

        if (!is_before(node, heap->nodes[parent])) {
            break;
        }
        set(heap, at, heap->nodes[parent]);
        at = parent;
    }
    set(heap, at, node);
}

/* And downwards. */
static void
sink(struct heap *heap, size_t at, struct heap_node *node)
{
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < heap->count &&
            is_before(heap->nodes[child + 1], heap->nodes[child])) {
            child++;
        }
        if (child >= heap->count || !is_before(heap->nodes[child], node)) {
            break;
        }
        set(heap, at, heap->nodes[child]);
        at = child;
    }
    set(heap, at, node);
}

void
heap_put(struct heap *heap, struct heap_node *node)
{
    assert(node->place == 0);
    assert(heap->count < heap->capacity);

    rise(heap, heap->count++, node);
}

void
heap_remove(struct heap *heap, struct heap_node *node)
{
    size_t at = node->place - 1;
    struct heap_node *last;

    if (node->place == 0) {
        return;
    }
    assert(heap->nodes[at] == node);
    node->place = 0;
    last = heap->nodes[--heap->count];
    if (last == node) {
        return;
    }
    if (at > 0 && is_before(last, heap->nodes[(at - 1) / 2])) {
        rise(heap, at, last);
    } else {
        sink(heap, at, last);
    }
}
