/* What goes on beside appends: connections that load streams, each as soon as
 * it has the one before, and others that follow everything live.
 */

#ifndef ACTA_BENCH_AUDIENCE_H
#define ACTA_BENCH_AUDIENCE_H

#include "choice.h"
#include "fleet.h"

struct audience_reader;

struct audience {
    /* Set by the caller. */
    struct fleet *fleet;
    size_t first; /* Of the fleet: readers, and behind them followers. */
    size_t readers_count;
    size_t followers_count;
    void (*loaded)(void *user, uint64_t now_ns, uint64_t latency_ns);
    /* An event that sample_stamped() had made so long ago. */
    void (*delivered)(void *user, uint64_t now_ns, uint64_t latency_ns);
    void *user;

    struct choice choice;
    struct audience_reader *readers; /* owned */
    size_t caught_up;
    bool is_over;
    size_t under_way; /* Loads. */
};

/* Followers begin at the head that there is now, and have caught up when this
 * returns; what readers load is chosen as what is appended to.
 */
enum acta_code audience_open(struct audience *audience, struct bench *bench,
                             struct acta_err *err);
void audience_close(struct audience *audience);

void audience_start(struct audience *audience);

/* Load no more. What is under way is still answered. */
void audience_stop(struct audience *audience);

#endif
