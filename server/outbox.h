/* Jobs of one I/O thread that are about to go to the writer.
 *
 * They are gathered while the thread handles what one of its sockets has, and
 * then handed over: so the writer begins a commit while more sockets are read,
 * and what these have is there when the next one begins.
 *
 * If the writer's queue is full the outbox is blocked: what is left in it keeps
 * its order and waits, and sessions leave more of them unread. It is tried
 * again whenever there may be room. One thread.
 */

#ifndef ACTA_OUTBOX_H
#define ACTA_OUTBOX_H

#include <stdbool.h>

#include "database.h"
#include "job.h"

struct outbox {
    struct job *first; /* owned, as are those behind it */
    struct job *last;
    bool blocked;
};

void outbox_init(struct outbox *outbox);

/* Free what is left. */
void outbox_fini(struct outbox *outbox);

/* Put a job behind the others; it is the outbox's. */
void outbox_put(struct outbox *outbox, struct job *job);

/* Hand over to @database as many as it takes. Those that it refuses for good
 * come back through their completions like all others.
 */
void outbox_flush(struct outbox *outbox, struct database *database);

#endif
