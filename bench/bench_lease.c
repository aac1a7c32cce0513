/* Leases: how many are acquired and released a second?
 *
 * Each connection acquires a lease, and when it holds it releases it and
 * acquires the next: one of its own, so that nobody waits; or with --leases one
 * of so many that all share, so that most wait in line.
 */

#include <stdio.h>
#include <stdlib.h>

#include <acta/acta_lease.h>

#include "bench.h"
#include "fleet.h"
#include "progress.h"
#include "span.h"

#define LEASE_MS  60000
#define NAME_SIZE 40

struct leases {
    struct bench *bench;
    struct fleet fleet;
    struct span span;
    struct hist hist;
    uint64_t names_count;
    size_t under_way;
};

struct holder {
    struct leases *leases;
    struct acta_client *client;
    struct acta_lease *lease; /* owned: NULL if it has none */
    uint64_t start_ns;
    char name[NAME_SIZE];
};

static void on_held(void *user, uint64_t fence);
static void on_ended(void *user, const struct acta_err *err);

static void
acquire(struct holder *holder)
{
    struct leases *leases = holder->leases;
    struct acta_acquire acquire = acta_acquire_of(holder->name, LEASE_MS);
    struct acta_err err;

    acquire.wait_ms = ACTA_WAIT_FOR_EVER;
    acquire.no_renewal = true;
    acquire.user = holder;
    acquire.on_held = on_held;
    acquire.on_ended = on_ended;
    holder->start_ns = clock_ns();
    holder->lease = acta_lease_acquire(holder->client, &acquire, &err);
    if (holder->lease == NULL) {
        fleet_fail(&leases->fleet, &err);
        return;
    }
    leases->under_way++;
}

static void
on_held(void *user, uint64_t fence)
{
    struct holder *holder = user;
    struct leases *leases = holder->leases;
    uint64_t now_ns = clock_ns();

    (void)fence;
    leases->under_way--;
    if (span_counts(&leases->span, now_ns)) {
        hist_add(&leases->hist, now_ns - holder->start_ns);
    }
    acta_lease_release(holder->lease);
    holder->lease = NULL;
    if (!leases->span.over) {
        acquire(holder);
    }
}

static void
on_ended(void *user, const struct acta_err *err)
{
    struct holder *holder = user;

    holder->lease = NULL;
    fleet_fail(&holder->leases->fleet, err);
}

static enum acta_code
measure(struct leases *leases, struct holder *holders, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    span_start(&leases->span, leases->bench->options, &leases->bench->daemon);
    for (size_t i = 0; i < leases->fleet.count; i++) {
        holders[i].leases = leases;
        holders[i].client = fleet_client(&leases->fleet, i);
        snprintf(holders[i].name, NAME_SIZE, "lease-%08x-%ju",
                 leases->bench->sample.names,
                 (uintmax_t)(i % leases->names_count));
        acquire(&holders[i]);
    }
    while (code == ACTA_OK && (!leases->span.over || leases->under_way > 0)) {
        progress_show("acquiring", "leases", leases->span.counted, 0);
        code = fleet_turn(&leases->fleet, err);
        span_tick(&leases->span);
    }
    progress_clear();
    return code;
}

static void
tell(const struct leases *leases, struct figures *figures)
{
    static const char *const latencies[5] = {
        "lease_p50", "lease_p90", "lease_p99", "lease_p999", "lease_max",
    };
    double count = (double)leases->span.counted;

    figures_add(figures, "leases", "/s", count / span_seconds(&leases->span));
    figures_add_latency(figures, latencies, &leases->hist);
    meter_tell(&leases->span.start, &leases->span.end, count, figures);
}

enum acta_code
bench_lease(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct leases leases; /* Large. */
    size_t clients = option_number(bench->options, OPTION_CLIENTS);
    uint64_t shared = option_number(bench->options, OPTION_LEASES);
    struct holder *holders = calloc(clients, sizeof(*holders));
    enum acta_code code;

    if (holders == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu clients", clients);
    }
    leases = (struct leases){.bench = bench,
                             .names_count = shared > 0 ? shared : clients};
    code = fleet_open(&leases.fleet, bench->url, clients, err);
    if (code == ACTA_OK) {
        code = measure(&leases, holders, err);
    }
    if (code == ACTA_OK) {
        tell(&leases, figures);
    }
    fleet_close(&leases.fleet);
    free(holders);
    return code == ACTA_OK ? code : acta_wrap(err, code, "lease");
}
