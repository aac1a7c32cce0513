/* The machine on its own: the limits that other figures stand beside. */

#include "bench.h"
#include "clock.h"
#include "limits.h"

#define SYNCS       4000
#define ROUND_TRIPS 20000
#define COPY_BYTES  (UINT64_C(4) << 30)

static enum acta_code
tell_sync(const char *dir, bool direct, struct figures *figures,
          struct acta_err *err)
{
    struct hist hist;
    enum acta_code code;

    hist_clear(&hist);
    code = limits_sync(dir, direct, 4096, SYNCS, &hist, err);
    figures_add(figures, direct ? "sync_direct_p50" : "sync_buffered_p50", "us",
                (double)hist_percentile(&hist, 50) / NS_PER_US);
    figures_add(figures, direct ? "sync_direct_p99" : "sync_buffered_p99", "us",
                (double)hist_percentile(&hist, 99) / NS_PER_US);
    return code;
}

static enum acta_code
tell_round_trip(struct figures *figures, struct acta_err *err)
{
    struct hist hist;
    enum acta_code code;

    hist_clear(&hist);
    code = limits_round_trip(ROUND_TRIPS, &hist, err);
    figures_add(figures, "round_trip_p50", "us",
                (double)hist_percentile(&hist, 50) / NS_PER_US);
    figures_add(figures, "round_trip_p99", "us",
                (double)hist_percentile(&hist, 99) / NS_PER_US);
    return code;
}

static enum acta_code
tell_copies(struct figures *figures, struct acta_err *err)
{
    double loopback = 0, memory = 0;
    enum acta_code code = limits_loopback(COPY_BYTES, &loopback, err);

    if (code == ACTA_OK) {
        code = limits_memory(COPY_BYTES, &memory, err);
    }
    figures_add(figures, "loopback_copy", "MB/s", loopback / 1e6);
    figures_add(figures, "memory_copy", "MB/s", memory / 1e6);
    return code;
}

enum acta_code
bench_machine(struct bench *bench, struct figures *figures,
              struct acta_err *err)
{
    const char *dir = bench->daemon.dir;
    enum acta_code code = tell_sync(dir, false, figures, err);

    if (code == ACTA_OK) {
        code = tell_sync(dir, true, figures, err);
    }
    if (code == ACTA_OK) {
        code = tell_round_trip(figures, err);
    }
    if (code == ACTA_OK) {
        code = tell_copies(figures, err);
    }
    return code;
}
