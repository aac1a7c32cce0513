/* Waits until a server has moved all its events to the store, so that what
 * that costs is counted where it belongs.
 *
 * The server does so when a checkpoint is due: with --checkpoint-age 1s that is
 * soon, with the default in a minute.
 */

#ifndef ACTA_BENCH_SETTLE_H
#define ACTA_BENCH_SETTLE_H

#include "fleet.h"

struct settled {
    uint64_t head;       /* The last position, which the store has. */
    uint64_t store_size; /* Bytes of its file. */
};

/* By means of the fleet's first client. */
enum acta_code settle(struct fleet *fleet, struct settled *settled,
                      struct acta_err *err);

#endif
