/* Who waits for consumers to come to a position: jobs that are kept until then,
 * or until they have waited long enough. No I/O, no clock. The writer's thread.
 */

#ifndef ACTA_AWAITS_H
#define ACTA_AWAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "heap.h"
#include "job.h"
#include "kept.h"
#include "name_map.h"
#include "slice.h"

struct await_slot;

struct await {
    struct heap_node position; /* Of its slot's heap: that it waits for. */
    struct heap_node until;    /* When it has waited long enough. */
    struct kept_job kept;
    struct await_slot *slot;
};

/* All who wait for one consumer. */
struct await_slot {
    struct name_node named;
    struct heap positions;
    uint8_t name[];
};

struct awaits {
    struct name_map by_name;
    struct heap waits;
    struct kept kept;
};

void awaits_init(struct awaits *awaits);

/* Free all. Nobody may wait any more. */
void awaits_fini(struct awaits *awaits);

/* Keep @job until the consumer @name is at @position, or @until_us. False if
 * there is no memory.
 */
bool awaits_keep(struct awaits *awaits, struct slice name, uint64_t position,
                 uint64_t until_us, struct job *job) ACTA_CHECKED;

/* Take out one who waits for @name and for a position up to @position; NULL:
 * there is none. The job is the caller's.
 */
struct job *awaits_reached(struct awaits *awaits, struct slice name,
                           uint64_t position);

/* Take out one who has waited long enough at @now_us; NULL: there is none. */
struct job *awaits_tired(struct awaits *awaits, uint64_t now_us);

/* Take out one who came from this connection, or with NULL from any; NULL:
 * there is none. The job is the caller's.
 */
struct job *awaits_forget(struct awaits *awaits,
                          const struct completions *completions,
                          uint64_t connection_id);

/* When the next one has waited long enough; UINT64_MAX: nobody waits. */
uint64_t awaits_next(const struct awaits *awaits);

#endif
