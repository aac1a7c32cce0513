/* A binary heap of times, whose nodes are parts of other structs: the least
 * first, and of two that are equal the one with the lower order.
 *
 * It holds pointers: a node stays where it is while it is in a heap. No I/O.
 * One thread.
 */

#ifndef ACTA_HEAP_H
#define ACTA_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct heap_node {
    uint64_t time;
    uint64_t order;
    size_t place; /* In the heap, from 1; 0: it is in none. */
};

/* All zeros: empty. */
struct heap {
    struct heap_node **nodes; /* owned, but for what they point to */
    size_t count;
    size_t capacity;
};

void heap_fini(struct heap *heap);

/* Make room for another @count nodes. False if there is no memory. */
bool heap_reserve(struct heap *heap, size_t count) ACTA_CHECKED;

/* Put @node, which is in no heap. There must be room for it. */
void heap_put(struct heap *heap, struct heap_node *node);

/* Take @node out, if it is in this heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* The least; NULL if there is none. */
static inline struct heap_node *
heap_first(const struct heap *heap)
{
    return heap->count == 0 ? NULL : heap->nodes[0];
}

#endif
