/* Of what a stream hides, the last event is shown. */

#include "retention.h"

uint64_t __real_retention_first(const struct retention *retention,
                                uint64_t version);
uint64_t __wrap_retention_first(const struct retention *retention,
                                uint64_t version);

uint64_t
__wrap_retention_first(const struct retention *retention, uint64_t version)
{
    uint64_t first = __real_retention_first(retention, version);

    return first > 1 ? first - 1 : first;
}
