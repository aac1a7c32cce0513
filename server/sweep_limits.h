/* How much the sweeper gathers at most before it does it. A test may link
 * limits of its own, with which a few events are many steps.
 */

#ifndef ACTA_SWEEP_LIMITS_H
#define ACTA_SWEEP_LIMITS_H

#include <stddef.h>

#define SWEEP_ROWS_MAX 1024

struct sweep_limits {
    size_t edits;
    size_t rows; /* Looked at in one step, and kept: SWEEP_ROWS_MAX at most. */
    size_t read_size; /* Of records, in one step. */
};

extern const struct sweep_limits sweep_limits;

#endif
