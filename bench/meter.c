#include "meter.h"

#include <stdio.h>

#include "clock.h"

/* Kinds of time in /proc/stat, of which the last is stolen: proc(5). */
#define TICKS 8

static void
read_processors(struct meter *meter)
{
    double ticks[TICKS] = {0};
    FILE *file = fopen("/proc/stat", "re");
    int count = 0;

    if (file != NULL && fscanf(file, "cpu") == 0) {
        while (count < TICKS && fscanf(file, "%lf", &ticks[count]) == 1) {
            count++;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    meter->machine_ticks = 0;
    for (int i = 0; i < TICKS; i++) {
        meter->machine_ticks += ticks[i];
    }
    meter->stolen_ticks = ticks[TICKS - 1];
}

void
meter_read(struct meter *meter, const struct daemon *daemon)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    meter->client_us = (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
    meter->server = daemon_usage(daemon);
    read_processors(meter);
    meter->read_ns = clock_ns();
}

void
meter_tell(const struct meter *from, const struct meter *to, double count,
           struct figures *figures)
{
    figures_add(figures, "client_cpu", "us/event",
                (to->client_us - from->client_us) / count);
    if (to->machine_ticks > 0) {
        figures_add(figures, "stolen", "%",
                    100 * (to->stolen_ticks - from->stolen_ticks) /
                        (to->machine_ticks - from->machine_ticks));
    }
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
