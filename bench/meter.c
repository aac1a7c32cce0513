#include "meter.h"

#include "clock.h"

void
meter_read(struct meter *meter, const struct daemon *daemon)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    meter->client_us = (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
    meter->server = daemon_usage(daemon);
    meter->read_ns = clock_ns();
}

void
meter_tell(const struct meter *from, const struct meter *to, double count,
           struct figures *figures)
{
    if (count <= 0) {
        return;
    }
    figures_add(figures, "client_cpu", "us/event",
                (to->client_us - from->client_us) / count);
    if (to->server.cpu_us == 0) {
        return;
    }
    figures_add(figures, "server_cpu", "us/event",
                (to->server.cpu_us - from->server.cpu_us) / count);
    figures_add(figures, "server_written", "bytes/event",
                (to->server.written - from->server.written) / count);
    if (to->server.device > 0) {
        figures_add(figures, "device_written", "bytes/event",
                    (to->server.device - from->server.device) / count);
    }
    figures_add(figures, "server_memory", "MiB", to->server.anon_mib);
}
