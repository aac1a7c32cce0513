#include "vigil.h"

/* A vigil in vain costs 50 us or so, and one that is not saves a waking up, of
 * 5 to 20: it pays if more than eight pauses of nine are short.
 */
#define LONG_COSTS 8
#define TRUST_MIN  8
#define TRUST_MAX  16

void
vigil_init(struct vigil *vigil, uint64_t max_us)
{
    *vigil = (struct vigil){.max_us = max_us};
}

void
vigil_begin(struct vigil *vigil, struct mono_time now)
{
    vigil->began = now;
}

static bool
is_short(const struct vigil *vigil, struct mono_time now)
{
    return now.us - vigil->began.us < vigil->max_us;
}

void
vigil_end(struct vigil *vigil, struct mono_time now)
{
    if (is_short(vigil, now)) {
        vigil->trust += vigil->trust < TRUST_MAX;
    } else {
        vigil->trust -= vigil->trust < LONG_COSTS ? vigil->trust : LONG_COSTS;
    }
}

bool
vigil_lasts(const struct vigil *vigil, struct mono_time now)
{
    return vigil->trust >= TRUST_MIN && is_short(vigil, now);
}
