/* The checkpoint thread: moves each sealed memtable to the store, and lets the
 * journal use its segments again. It takes its time for that, as long as nobody
 * waits for it, so that appends find processor and disk free. In between it
 * sweeps (sweep.h), a step at a time, so that a memtable that is sealed waits
 * for one step at most.
 *
 * When there is no space it waits and tries again; nothing is lost, since the
 * journal has what the store does not have yet.
 */

#ifndef ACTA_CHECKPOINT_H
#define ACTA_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database.h"
#include "err.h"
#include "rooms.h"

struct checkpointer;

enum acta_code checkpointer_start(struct checkpointer **checkpointer,
                                  struct rooms *rooms,
                                  const struct database_options *options,
                                  struct acta_err *err) ACTA_CHECKED;

/* A memtable was sealed. The writer's thread. */
void checkpointer_wake(struct checkpointer *checkpointer);

/* Somebody waits for what is being moved, or soon will: do not spread it over
 * more time. Any thread.
 */
void checkpointer_hurry(struct checkpointer *checkpointer);

/* Finish what is sealed, unless there is no space for it, and end the thread.
 * May be NULL.
 */
void checkpointer_stop(struct checkpointer *checkpointer);

/* Why appends are to be refused for want of space, as a sentence that stays;
 * NULL if there is enough. Looked up every now and then. Any thread.
 */
const char *checkpointer_why_full(struct checkpointer *checkpointer);

/* True if the disk at @dir has room to move @memtable to the store, as far as
 * can be told before. Any thread.
 */
bool checkpoint_fits(const char *dir, struct memtable *memtable);

void checkpointer_stats(struct checkpointer *checkpointer,
                        struct database_stats *stats);

#endif
