/* What a measurement costs: time on processors, of this process and of the
 * server, bytes that the server wrote to files, and that the disk was given;
 * and what the host of a virtual machine took from it meanwhile.
 */

#ifndef ACTA_BENCH_METER_H
#define ACTA_BENCH_METER_H

#include "daemon.h"
#include "figures.h"

struct meter {
    uint64_t read_ns;
    double client_us;
    double machine_ticks; /* Of all processors, since the machine began, and */
    double stolen_ticks;  /* what of these its host had for others. */
    struct daemon_usage server;
};

/* Read the meters. */
void meter_read(struct meter *meter, const struct daemon *daemon);

/* What was used between two readings, for each of @count events: 0 if there are
 * none, or it was too short to tell. What is not known of a server that
 * somebody else runs is left out.
 */
void meter_tell(const struct meter *from, const struct meter *to, double count,
                struct figures *figures);

static inline double
meter_seconds(const struct meter *from, const struct meter *to)
{
    return (double)(to->read_ns - from->read_ns) / 1e9;
}

#endif
