/* When a closed or open loop measures, and when it ends: after some time, with
 * a warm-up before, or after so many requests.
 */

#ifndef ACTA_BENCH_SPAN_H
#define ACTA_BENCH_SPAN_H

#include "clock.h"
#include "meter.h"
#include "options.h"

struct span {
    const struct daemon *daemon;
    uint64_t from_ns; /* What ends from here on counts, */
    uint64_t to_ns;   /* up to here. */
    uint64_t wanted;  /* Ends that are to be counted; UINT64_MAX: all. */
    uint64_t counted;
    bool over;
    struct meter start;
    struct meter end;
};

void span_start(struct span *span, const struct options *options,
                const struct daemon *daemon);

/* Something has ended at @now_ns: does it count? */
bool span_counts(struct span *span, uint64_t now_ns);

/* To be called at every turn of the loop. */
void span_tick(struct span *span);

/* The meters were read: what ends from now on lies within the measurement. */
static inline bool
span_has_begun(const struct span *span)
{
    return span->start.read_ns != 0;
}

/* Of an open loop that ends after some time, latencies are those of what was
 * due in that time, however late it is answered: else a stall would be left out
 * that lasts until the end.
 */
static inline bool
span_is_by_due(const struct span *span)
{
    return span->wanted == UINT64_MAX;
}

static inline bool
span_was_due(const struct span *span, uint64_t due_ns)
{
    return due_ns >= span->from_ns && due_ns < span->to_ns;
}

/* How long the measurement was. It is over. */
static inline double
span_seconds(const struct span *span)
{
    return meter_seconds(&span->start, &span->end);
}

#endif
