#include "vigil.h"

/* A vigil in vain costs 50 us or so, and one that is not saves a waking up, of
 * 5 to 20: it pays if more than eight pauses of nine are short.
 */
#define LONG_COSTS 8
#define TRUST_MIN  8
#define TRUST_MAX  16

/* What comes sooner was there when the answer was sent: the client had run on
 * this very processor. No vigil was needed, and one would be in its way when it
 * runs a little later.
 */
#define PAUSE_MIN_US 5

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

void
vigil_end(struct vigil *vigil, struct mono_time now)
{
    uint64_t pause_us = now.us - vigil->began.us;

    if (pause_us >= vigil->max_us) {
        vigil->trust -= vigil->trust < LONG_COSTS ? vigil->trust : LONG_COSTS;
    } else if (pause_us >= PAUSE_MIN_US && vigil->trust < TRUST_MAX) {
        vigil->trust++;
    }
}

bool
vigil_lasts(const struct vigil *vigil, struct mono_time now)
{
    return vigil->trust >= TRUST_MIN &&
           now.us - vigil->began.us < vigil->max_us;
}
