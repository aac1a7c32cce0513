/* What a process is told of the time and of itself. Wall time can be set. */

#ifndef ACTA_SIM_CLOCKS_H
#define ACTA_SIM_CLOCKS_H

#include <stdint.h>

/* Wall time, in microseconds since 1970. */
uint64_t clocks_wall_us(void);

/* Set the clock on the wall, up to an hour on or back. */
void clocks_jump(void);

/* Set it to where it was furthest, so that nothing is due only then. */
void clocks_mend(void);

#endif
