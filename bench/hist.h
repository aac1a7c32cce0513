/* A histogram of durations that keeps percentiles exact to one percent, at any
 * scale, in 60 KiB.
 *
 * Values below 128 are counted each; above, every power of two is divided into
 * 128 buckets of one width. The struct is the caller's; one thread at a time.
 */

#ifndef ACTA_BENCH_HIST_H
#define ACTA_BENCH_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_BITS    7
#define HIST_BUCKETS ((size_t)(64 - HIST_BITS + 1) << HIST_BITS)

struct hist {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HIST_BUCKETS];
};

void hist_clear(struct hist *hist);
void hist_add(struct hist *hist, uint64_t value);

/* The smallest value that @percent of all values, 0 to 100, do not exceed, to
 * within one percent upwards; 0 if there are none.
 */
uint64_t hist_percentile(const struct hist *hist, double percent);

#endif
