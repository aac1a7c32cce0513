/* What the loopback allows, beside what a workload has reached. */

#include "bench.h"
#include "clock.h"

#define DURATION_MS       1000
#define SHORT_DURATION_MS 50 /* Beside so many requests, which may be few. */

static uint64_t
duration_ns(const struct options *options)
{
    uint64_t ms = option_number(options, OPTION_COUNT) > 0
                      ? SHORT_DURATION_MS
                      : option_number(options, OPTION_DURATION);

    return (ms < DURATION_MS ? ms : DURATION_MS) * NS_PER_MS;
}

enum acta_code
bench_echo(struct bench *bench, struct echo *echo, double rate, double events,
           struct figures *figures, struct acta_err *err)
{
    static struct echoed echoed; /* Large. */
    enum acta_code code;

    if (bench->daemon.pid == 0 || rate == 0) {
        return ACTA_OK;
    }
    echo->conns = option_number(bench->options, OPTION_CLIENTS);
    echo->pipeline = option_number(bench->options, OPTION_PIPELINE);
    echo->stays_awake = option_number(bench->options, OPTION_BUSY_POLL) != 0;
    echo->duration_ns = duration_ns(bench->options);
    daemon_pause(&bench->daemon, true);
    code = echo_run(echo, &echoed, err);
    daemon_pause(&bench->daemon, false);
    if (code != ACTA_OK) {
        return code;
    }
    figures_add(figures, "echo", "/s", echoed.rate);
    figures_add(figures, "echo_part", "", rate / echoed.rate);
    figures_add(figures, "echo_p50", "us",
                (double)hist_percentile(&echoed.hist, 50) / NS_PER_US);
    figures_add(figures, "echo_client_cpu", "us/event",
                echoed.client_us / events);
    figures_add(figures, "echo_server_cpu", "us/event",
                echoed.server_us / events);
    return ACTA_OK;
}
