/* What a process is told of the time and of itself. Wall time can be set. */

#ifndef ACTA_SIM_CLOCKS_H
#define ACTA_SIM_CLOCKS_H

#include <stdint.h>

/* Wall time, in microseconds since 1970. */
uint64_t clocks_wall_us(void);

/* Set the clock on the wall on or back, from now on. */
void clocks_set_wall(int64_t by_us);

#endif
