/* Starts: how long does it take from exec until the server has answered a
 * ping, after it was stopped in order and after it was killed?
 *
 * What it has in memory when it was started, and nothing happened yet, is told
 * as well.
 *
 * Before the kill it has appended events that are in the journal only, as many
 * as the checkpoints have left there.
 */

#include <signal.h>

#include "bench.h"
#include "clock.h"

/* End the server with @signal, start it again, and time that. */
static enum acta_code
time_start(struct bench *bench, int signal, const char *name,
           struct figures *figures, struct acta_err *err)
{
    struct daemon *daemon = &bench->daemon;
    uint64_t start_ns = clock_ns();
    enum acta_code code = daemon_stop(daemon, signal, err);
    uint64_t stopped_ns = clock_ns();

    if (code == ACTA_OK) {
        code = daemon_start(daemon, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    snprintf(bench->url, sizeof(bench->url), "acta://127.0.0.1:%u",
             daemon->port);
    code = bench_head(bench, NULL, err);
    figures_add(figures, name, "ms",
                (double)(clock_ns() - daemon->exec_ns) / NS_PER_MS);
    if (signal == SIGTERM) {
        figures_add(figures, "stop", "ms",
                    (double)(stopped_ns - start_ns) / NS_PER_MS);
    }
    return code;
}

enum acta_code
bench_start(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    enum acta_code code =
        time_start(bench, SIGTERM, "start_after_stop", figures, err);

    figures_add(figures, "idle_memory", "MiB",
                daemon_usage(&bench->daemon).anon_mib);
    if (code == ACTA_OK) {
        code =
            bench_fill(bench, option_number(bench->options, OPTION_DIRTY), err);
    }
    if (code == ACTA_OK) {
        code = time_start(bench, SIGKILL, "start_after_kill", figures, err);
    }
    return code;
}
