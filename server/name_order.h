/* Structs that have a node in them, in the order of their names: a skip list.
 * The node's name points to bytes of the struct's own. To put, to take out and
 * to find take as many steps as the number of nodes has digits; to go on from
 * one to the next takes one. No I/O. One thread.
 */

#ifndef ACTA_NAME_ORDER_H
#define ACTA_NAME_ORDER_H

#include <stdbool.h>

#include "slice.h"

/* Each has an eighth of the nodes of the one below: enough for a hundred
 * thousand.
 */
#define NAME_LEVELS 6

struct name_order_node {
    struct slice name;
    /* On each level that it is on, the node behind it. */
    struct name_order_node *behind[NAME_LEVELS];
};

/* All zeros: empty. */
struct name_order {
    struct name_order_node *first[NAME_LEVELS];
};

/* Put @node, whose name is set and is not there. */
void name_order_put(struct name_order *order, struct name_order_node *node);

/* Take out @node, which is there. */
void name_order_remove(struct name_order *order, struct name_order_node *node);

/* The first node whose name is behind @after, or is @after if @inclusive; NULL
 * if there is none.
 */
struct name_order_node *name_order_behind(const struct name_order *order,
                                          struct slice after, bool inclusive);

/* The node behind @node. */
static inline struct name_order_node *
name_order_next(const struct name_order_node *node)
{
    return node->behind[0];
}

#endif
