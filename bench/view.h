/* A projection that is measured: its handler does nothing, and the server keeps
 * its checkpoint; or it is kept in a ledger.
 *
 * The struct is the caller's, and must stay where it is while it is open; one
 * thread at a time.
 */

#ifndef ACTA_BENCH_VIEW_H
#define ACTA_BENCH_VIEW_H

#include "bench.h"
#include "ledger.h"

#define VIEW_TIMEOUT_MS 10000

struct view {
    char name[48];
    struct acta_sync *sync;             /* owned */
    struct acta_projection *projection; /* owned */
    struct acta_projector *projector;   /* owned */
    struct ledger ledger;
};

/* @options are those of the projector. A server that is lost, or Ctrl-C,
 * interrupts it. The caller calls view_close(), whatever this returns.
 */
enum acta_code view_open(struct view *view, const struct bench *bench,
                         bool has_ledger,
                         const struct acta_projector_options *options,
                         struct acta_err *err);

/* Its consumer goes away as well. */
void view_close(struct view *view);

#endif
