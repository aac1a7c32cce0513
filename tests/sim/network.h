/* A network in memory: connections of which each direction takes its own time,
 * and which break.
 *
 * A connection keeps what TCP promises: bytes come in order, each once, or the
 * connection is lost. All else is chance: how long it takes, so that of two
 * connections either may be first; how many bytes one read finds, and one write
 * takes.
 */

#ifndef ACTA_SIM_NETWORK_H
#define ACTA_SIM_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct network_odds {
    uint64_t delay_ns;     /* Of most bytes, at most. */
    uint64_t slow_odds;    /* Once in so many pieces: much longer. */
    uint64_t slow_ns;      /* At most. */
    uint64_t split_odds;   /* Reads and writes that are cut short. */
    uint64_t window;       /* Bytes on their way, at most. */
    uint64_t doubled_odds; /* Pieces that come twice: a control. */
};

/* Set how it is from now on: before the first connection. */
void network_init(const struct network_odds *odds);

/* How often each came about. */
struct network_counts {
    uint64_t connections;
    uint64_t bytes;
    uint64_t cuts;
    uint64_t half_closes;
    uint64_t stalls;
    uint64_t partitions;
};

const struct network_counts *network_counts(void);

/* ---- trouble ---- */

/* Break one connection of those that stand: both ends are told, some time
 * later; what was on its way may arrive before, or in part.
 */
void network_cut(void);

/* Let one end of one connection seem to have said all that it has to say. */
void network_half_close(void);

/* Let nothing arrive on one connection, in one or both directions, for so long;
 * then it comes, or, @lost, the connection is broken.
 */
void network_stall(uint64_t for_ns, bool lost);

/* The same of all of them, and of those that are made meanwhile. */
void network_part(uint64_t for_ns, bool lost);

/* No more trouble: what stalls goes on, and no network is so narrow and so slow
 * that what is sent again for want of an answer fills it.
 */
void network_heal(void);

/* Connections that stand. */
size_t network_standing(void);

#endif
