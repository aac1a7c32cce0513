/* Recovery: what the journal has beyond the store goes into the tail, as the
 * writer had put it there. Before any other thread is started.
 */

#ifndef ACTA_RECOVER_H
#define ACTA_RECOVER_H

#include <stdint.h>

#include "database.h"
#include "err.h"
#include "rooms.h"

/* Replay the journal of @rooms, whose tail is empty, behind the store's meta.
 * Checkpoints are made on the way if the journal has more than the tail holds;
 * on a full disk the tail holds it all, so that reads go on.
 * *@sequence and *@last_time_us are those of the last entry. STOPPING: it was
 * told to stop, between two events or rows; the rooms can only be closed then.
 */
enum acta_code recover(struct rooms *rooms,
                       const struct database_options *options,
                       uint64_t *sequence, uint64_t *last_time_us,
                       struct acta_err *err) ACTA_CHECKED;

/* The same with entries from elsewhere, one after the other, behind those that
 * the store of @rooms has. The journal is told what it may release, and not
 * read.
 */
struct recovery;

enum acta_code recovery_begin(struct recovery **recovery, struct rooms *rooms,
                              const struct database_options *options,
                              struct acta_err *err) ACTA_CHECKED;
enum acta_code recovery_add(struct recovery *recovery,
                            const struct journal_entry *entry,
                            struct acta_err *err) ACTA_CHECKED;

/* Free it. *@sequence and *@last_time_us are those of the last entry. May be
 * NULL.
 */
void recovery_end(struct recovery *recovery, uint64_t *sequence,
                  uint64_t *last_time_us);

/* Move what is in the active memtable, if anything is, to the store, in this
 * thread. Nothing must be sealed, and nobody must read.
 *
 * FULL  There is no space for it, and nothing has changed.
 */
enum acta_code recover_flush(struct rooms *rooms,
                             const struct database_options *options,
                             uint64_t sequence, uint64_t last_time_us,
                             struct acta_err *err) ACTA_CHECKED;

#endif
