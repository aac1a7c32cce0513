/* How many subscriptions are open under the name of each consumer, for who asks
 * what is connected. Nothing is decided by it. Any thread.
 */

#ifndef ACTA_NAMED_H
#define ACTA_NAMED_H

#include <pthread.h>
#include <stdint.h>

#include "err.h"
#include "name_map.h"
#include "slice.h"

struct named {
    pthread_mutex_t lock; /* Guards counts. */
    struct name_map counts;
};

void named_init(struct named *named);

/* No subscription may be open any more. */
void named_fini(struct named *named);

/* One more is open under @name. MEMORY: it is not counted, and must not be
 * opened.
 */
enum acta_code named_add(struct named *named, struct slice name) ACTA_CHECKED;

/* One that was added is over. */
void named_remove(struct named *named, struct slice name);

uint64_t named_count(struct named *named, struct slice name);

#endif
