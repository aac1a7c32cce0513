/* Jobs that the writer keeps until they can be answered, by the connection that
 * each has come from: so that forgetting those of one connection takes no
 * longer, however many others there are. No I/O. The writer's thread.
 */

#ifndef ACTA_KEPT_H
#define ACTA_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "err.h"
#include "job.h"
#include "name_map.h"

struct kept_peer;

/* A part of what keeps the job. */
struct kept_job {
    struct job *job; /* owned by who keeps it */
    struct kept_peer *peer;
    TAILQ_ENTRY(kept_job) in_peer;
    TAILQ_ENTRY(kept_job) in_all;
};

TAILQ_HEAD(kept_list, kept_job);

struct kept {
    struct name_map peers;
    struct kept_list all; /* In the order in which they came. */
};

void kept_init(struct kept *kept);

/* Nothing may be kept any more. */
void kept_fini(struct kept *kept);

/* Keep @job in @at, which stays where it is. False if there is no memory. */
bool kept_add(struct kept *kept, struct kept_job *at,
              struct job *job) ACTA_CHECKED;

/* It is kept no more. Returns the job. */
struct job *kept_take(struct kept *kept, struct kept_job *at);

/* The first that came from this connection of these completions, or with NULL
 * from any; NULL if there is none.
 */
struct kept_job *kept_first(const struct kept *kept,
                            const struct completions *completions,
                            uint64_t connection_id);

#endif
