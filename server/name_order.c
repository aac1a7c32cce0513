#include "name_order.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"

/* Hashes are not to be foreseen, so neither is on how many levels a node is. */
static size_t
levels_of(struct slice name)
{
    uint64_t hash = list_hash_row(0, name);
    size_t levels = 1;

    for (; levels < NAME_LEVELS && (hash & 7) == 0; hash >>= 3) {
        levels++;
    }
    return levels;
}

void
name_order_put(struct name_order *order, struct name_order_node *node)
{
    struct name_order_node **links = order->first;
    size_t levels = levels_of(node->name);

    for (size_t level = NAME_LEVELS; level > 0; level--) {
        struct name_order_node *other;

        while ((other = links[level - 1]) != NULL &&
               slice_compare(other->name, node->name) < 0) {
            links = other->behind;
        }
        if (level <= levels) {
            node->behind[level - 1] = other;
            links[level - 1] = node;
        }
    }
}

void
name_order_remove(struct name_order *order, struct name_order_node *node)
{
    struct name_order_node **links = order->first;
    struct name_order_node *other = NULL;

    for (size_t level = NAME_LEVELS; level > 0; level--) {
        while ((other = links[level - 1]) != NULL &&
               slice_compare(other->name, node->name) < 0) {
            links = other->behind;
        }
        if (other == node) {
            links[level - 1] = node->behind[level - 1];
        }
    }
    assert(other == node);
}

/* True if the node that is looked for lies behind @node. */
static bool
is_before(const struct name_order_node *node, struct slice after,
          bool inclusive)
{
    int order = slice_compare(node->name, after);

    return order < 0 || (order == 0 && !inclusive);
}

struct name_order_node *
name_order_behind(const struct name_order *order, struct slice after,
                  bool inclusive)
{
    struct name_order_node *const *links = order->first;
    struct name_order_node *node = NULL;

    for (size_t level = NAME_LEVELS; level > 0; level--) {
        while ((node = links[level - 1]) != NULL &&
               is_before(node, after, inclusive)) {
            links = node->behind;
        }
    }
    return node;
}
