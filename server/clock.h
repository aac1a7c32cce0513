/* What time it is, in two types that cannot be mixed up.
 *
 * Monotonic time is for how long something took or may take; it means nothing
 * outside this process. Wall time is for people. Any thread.
 */

#ifndef ACTA_CLOCK_H
#define ACTA_CLOCK_H

#include <stdint.h>

struct mono_time {
    uint64_t us;
};

struct wall_time {
    uint64_t us; /* Since 1970, UTC. */
};

struct mono_time clock_mono(void);
struct wall_time clock_wall(void);

/* Microseconds from @from until now. */
uint64_t clock_us_since(struct mono_time from);

#endif
