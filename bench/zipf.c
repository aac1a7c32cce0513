#include "zipf.h"

#include <assert.h>
#include <math.h>

static double
zeta(uint64_t count, double theta)
{
    double sum = 0;

    for (uint64_t i = 1; i <= count; i++) {
        sum += pow((double)i, -theta);
    }
    return sum;
}

void
zipf_init(struct zipf *zipf, uint64_t count, double theta)
{
    assert(count > 0);
    assert(theta >= 0 && theta < 1);

    *zipf = (struct zipf){
        .count = count,
        .theta = theta,
        .zeta = zeta(count, theta),
        .alpha = 1 / (1 - theta),
    };
    zipf->eta = (1 - pow(2.0 / (double)count, 1 - theta)) /
                (1 - zeta(2, theta) / zipf->zeta);
}

uint64_t
zipf_number(const struct zipf *zipf, uint64_t random)
{
    double uniform = (double)(random >> 11) * 0x1p-53;
    double scaled = uniform * zipf->zeta;
    double number;

    if (scaled < 1 || zipf->count == 1) {
        return 0;
    }
    if (scaled < 1 + pow(0.5, zipf->theta) || zipf->count == 2) {
        return 1;
    }
    number = (double)zipf->count *
             pow(zipf->eta * uniform - zipf->eta + 1, zipf->alpha);
    return number < (double)zipf->count ? (uint64_t)number : zipf->count - 1;
}
