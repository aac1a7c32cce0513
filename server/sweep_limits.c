#include "sweep_limits.h"

const struct sweep_limits sweep_limits = {
    .edits = 65536,
    .rows = SWEEP_ROWS_MAX,
    .read_size = (size_t)16 << 20,
};
