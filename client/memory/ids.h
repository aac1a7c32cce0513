/* Things by their UUIDs, of which several may have the same. Any thread, one at
 * a time.
 */

#ifndef ACTA_MEMORY_IDS_H
#define ACTA_MEMORY_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

/* The first member of what is put in. */
struct id_node {
    struct id_node *next;
    uint8_t id[UUID_SIZE];
};

struct ids {
    struct id_node **slots; /* owned, not what they point to */
    size_t slots_count;
    size_t count;
};

void ids_put(struct ids *ids, struct id_node *node, const uint8_t *id);

/* The first of this id, and the next one; NULL: there are no more. */
void *ids_find(const struct ids *ids, const uint8_t *id);
void *ids_next(const struct id_node *node);

void ids_fini(struct ids *ids);

#endif
