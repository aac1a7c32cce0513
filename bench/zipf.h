/* Numbers of which some are asked for much more often than others: number i
 * with a probability that falls as 1 / (i + 1)^theta. After Gray et al.,
 * "Quickly generating billion-record synthetic databases" (SIGMOD 1994), as the
 * Yahoo! cloud serving benchmark has it.
 */

#ifndef ACTA_BENCH_ZIPF_H
#define ACTA_BENCH_ZIPF_H

#include <stdint.h>

struct zipf {
    uint64_t count;
    double theta;
    double zeta; /* The sum of all 1 / i^theta. */
    double alpha;
    double eta;
};

/* Of @count numbers, at least 1; @theta is between 0, where all are equal, and
 * 1, which it is not. Takes as many steps as there are numbers.
 */
void zipf_init(struct zipf *zipf, uint64_t count, double theta);

/* The number for @random, any 64 bits: below zipf->count, 0 the most often. */
uint64_t zipf_number(const struct zipf *zipf, uint64_t random);

#endif
