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
 * *@sequence and *@last_time_us are those of the last entry.
 */
enum acta_code recover(struct rooms *rooms,
                       const struct database_options *options,
                       uint64_t *sequence, uint64_t *last_time_us,
                       struct acta_err *err) ACTA_CHECKED;

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
