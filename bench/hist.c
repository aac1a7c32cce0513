#include "hist.h"

#include <math.h>
#include <string.h>

#define LINEAR ((uint64_t)1 << HIST_BITS)

void
hist_clear(struct hist *hist)
{
    memset(hist, 0, sizeof(*hist));
}

/* How many low bits of @value its bucket does not tell. */
static unsigned
shift_of(uint64_t value)
{
    return value < LINEAR ? 0
                          : 63 - (unsigned)__builtin_clzll(value) - HIST_BITS;
}

static size_t
bucket_of(uint64_t value)
{
    unsigned shift = shift_of(value);

    return value < LINEAR
               ? (size_t)value
               : (size_t)(((uint64_t)shift << HIST_BITS) + (value >> shift));
}

/* The largest value that falls into @bucket. */
static uint64_t
largest_of(size_t bucket)
{
    unsigned shift;
    uint64_t top;

    if (bucket < 2 * LINEAR) {
        return bucket;
    }
    shift = (unsigned)(bucket >> HIST_BITS) - 1;
    top = (bucket & (LINEAR - 1)) + LINEAR;
    return (top << shift) + (((uint64_t)1 << shift) - 1);
}

void
hist_add(struct hist *hist, uint64_t value)
{
    hist->buckets[bucket_of(value)]++;
    hist->count++;
    if (value > hist->max) {
        hist->max = value;
    }
}

uint64_t
hist_percentile(const struct hist *hist, double percent)
{
    uint64_t wanted = (uint64_t)ceil((double)hist->count * percent / 100);
    uint64_t seen = 0;

    if (hist->count == 0) {
        return 0;
    }
    for (size_t i = 0; i < HIST_BUCKETS; i++) {
        seen += hist->buckets[i];
        if (seen >= wanted && seen > 0) {
            uint64_t largest = largest_of(i);

            return largest < hist->max ? largest : hist->max;
        }
    }
    return hist->max;
}
