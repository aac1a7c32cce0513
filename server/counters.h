/* What one I/O thread has counted. Each thread adds to its own, any thread may
 * read; figures for people, nothing is decided by them.
 */

#ifndef ACTA_COUNTERS_H
#define ACTA_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "opcode.h"

/* Requests by kind; one more for those of no known kind. */
#define COUNTERS_KINDS (OP_REPLY_FIRST + 1)

struct counters {
    _Atomic uint64_t connections; /* Open now. */
    _Atomic uint64_t accepted;    /* Since the start. */
    _Atomic uint64_t subscriptions;
    _Atomic uint64_t bytes_in;
    _Atomic uint64_t bytes_out;
    _Atomic uint64_t errors; /* Error replies. */
    _Atomic uint64_t requests[COUNTERS_KINDS];
};

static inline void
counter_add(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static inline void
counter_subtract(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_fetch_sub_explicit(counter, count, memory_order_relaxed);
}

static inline uint64_t
counter_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
