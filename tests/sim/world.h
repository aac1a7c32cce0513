/* A run: a server, its clients, and all that goes wrong, from one seed. Then
 * nothing goes wrong any more, and everything must come to an end, complete.
 */

#ifndef ACTA_SIM_WORLD_H
#define ACTA_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

/* What the world does wrong on purpose: then runs must fail. */
enum control {
    CONTROL_NONE,
    CONTROL_LOSES_SYNCS, /* The disk forgets what was synced. */
    CONTROL_DOUBLES,     /* The network delivers twice. */
    CONTROLS,
};

const char *control_name(enum control control);

/* X(name): what is counted of a run, and summed up over all. */
#define WORLD_COUNTS(X)                                                        \
    X(virtual_ms)                                                              \
    X(lives)                                                                   \
    X(kills)                                                                   \
    X(power_cuts)                                                              \
    X(blocks_lost)                                                             \
    X(write_outs)                                                              \
    X(disk_failures)                                                           \
    X(connections)                                                             \
    X(cuts)                                                                    \
    X(half_closes)                                                             \
    X(stalls)                                                                  \
    X(partitions)                                                              \
    X(freezes)                                                                 \
    X(stored)                                                                  \
    X(refused)                                                                 \
    X(unknown)                                                                 \
    X(repeated)                                                                \
    X(events)                                                                  \
    X(shown)                                                                   \
    X(followed)                                                                \
    X(handed)                                                                  \
    X(leases)                                                                  \
    X(scheduled)                                                               \
    X(cancelled)                                                               \
    X(pruned)                                                                  \
    X(derived)                                                                 \
    X(full_disks)                                                              \
    X(clock_jumps)                                                             \
    X(switches)

struct world_counts {
#define X(name) uint64_t name;
    WORLD_COUNTS(X)
#undef X
};

/* Run it, once a process: sim_fail() ends that. Returns the trace. */
uint64_t world_run(uint64_t seed, enum control control,
                   struct world_counts *counts);

#endif
