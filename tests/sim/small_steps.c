/* The sweeper's limits in a simulation, where a stream has some dozens of
 * events: what it would do at once it does in many steps, and much comes in
 * between.
 */

#include "sweep_limits.h"

const struct sweep_limits sweep_limits = {
    .edits = 7,
    .rows = 3,
    .read_size = 2000,
};
