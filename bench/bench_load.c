/* Loads: a whole stream in one round trip, as a command service does before it
 * decides.
 */

#include <stdlib.h>

#include "bench.h"
#include "fleet.h"
#include "progress.h"
#include "span.h"

struct loads {
    struct bench *bench;
    struct fleet fleet;
    struct span span;
    struct hist hist;
    uint64_t random;
    uint64_t length; /* 0: the streams were there, and have any. */
    uint64_t events;
    uint64_t answered; /* Counted or not. */
    size_t under_way;
    struct echo echo; /* With the sizes that these loads have had. */
};

struct slot {
    struct loads *loads;
    struct acta_client *client;
    uint64_t start_ns;
};

static void on_page(void *user, const struct acta_err *err,
                    const struct acta_page *page);

static void
send_load(struct slot *slot)
{
    struct loads *loads = slot->loads;
    struct bench *bench = loads->bench;
    char name[SAMPLE_NAME_SIZE];
    struct acta_read read;
    struct acta_err err;

    sample_stream(&bench->sample,
                  (sample_random(&loads->random) >> 16) % bench->streams, name);
    read = acta_read_of_stream(name);
    slot->start_ns = clock_ns();
    loads->under_way++;
    if (acta_read(slot->client, &read, 0, on_page, slot, &err) == 0) {
        fleet_fail(&loads->fleet, &err);
    }
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    struct slot *slot = user;
    struct loads *loads = slot->loads;
    uint64_t now_ns = clock_ns();
    struct acta_err wrong;

    loads->under_way--;
    loads->answered++;
    if (err != NULL) {
        fleet_fail(&loads->fleet, err);
        return;
    }
    if (loads->length > 0 ? page->events_count != loads->length
                          : page->events_count == 0) {
        acta_fail(&wrong, ACTA_CORRUPT, "a stream has %zu events, not %ju",
                  page->events_count, (uintmax_t)loads->length);
        fleet_fail(&loads->fleet, &wrong);
        return;
    }
    if (span_counts(&loads->span, now_ns)) {
        loads->events += page->events_count;
        hist_add(&loads->hist, now_ns - slot->start_ns);
    }
    if (!loads->span.over) {
        send_load(slot);
    }
}

static enum acta_code
measure(struct loads *loads, struct slot *slots, size_t slots_count,
        struct acta_err *err)
{
    struct traffic before = {0}, after = {0};
    enum acta_code code = ACTA_OK;

    fleet_add_traffic(&loads->fleet, loads->fleet.count, &before);
    loads->fleet.stays_awake =
        option_number(loads->bench->options, OPTION_BUSY_POLL) != 0;
    span_start(&loads->span, loads->bench->options, &loads->bench->daemon);
    for (size_t i = 0; i < slots_count; i++) {
        slots[i].loads = loads;
        slots[i].client = fleet_client(&loads->fleet, i % loads->fleet.count);
        send_load(&slots[i]);
    }
    while (code == ACTA_OK && (!loads->span.over || loads->under_way > 0)) {
        progress_show("loading", "streams", loads->span.counted, 0);
        code = fleet_turn(&loads->fleet, err);
        span_tick(&loads->span);
    }
    fleet_add_traffic(&loads->fleet, loads->fleet.count, &after);
    echo_sizes(&loads->echo, &before, &after, loads->answered);
    progress_clear();
    return code;
}

static void
tell(const struct loads *loads, struct figures *figures)
{
    static const char *const latencies[5] = {
        "load_p50", "load_p90", "load_p99", "load_p999", "load_max",
    };
    double count = (double)loads->span.counted;
    double events = (double)loads->events;
    double seconds = span_seconds(&loads->span);

    figures_add(figures, "loads", "/s", count / seconds);
    figures_add(figures, "events", "/s", events / seconds);
    figures_add_latency(figures, latencies, &loads->hist);
    meter_tell(&loads->span.start, &loads->span.end, events, figures);
}

enum acta_code
bench_load(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct loads loads; /* Large. */
    size_t clients = option_number(bench->options, OPTION_CLIENTS);
    size_t slots_count =
        clients * option_number(bench->options, OPTION_PIPELINE);
    struct slot *slots = calloc(slots_count, sizeof(*slots));
    enum acta_code code = ACTA_OK;

    loads = (struct loads){
        .bench = bench,
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
        .length = option_text(bench->options, OPTION_DATA) == NULL
                      ? option_number(bench->options, OPTION_LENGTH)
                      : 0,
    };
    if (slots == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu requests", slots_count);
    }
    /* Streams to load, unless a run before this one has left them here. */
    if (loads.length > 0 && bench->versions[0] == 0) {
        code = bench_fill(bench, bench->streams * loads.length, err);
    }
    if (code == ACTA_OK) {
        code = fleet_open(&loads.fleet, bench->url, clients, err);
    }
    if (code == ACTA_OK) {
        code = measure(&loads, slots, slots_count, err);
    }
    if (code == ACTA_OK) {
        tell(&loads, figures);
    }
    fleet_close(&loads.fleet);
    free(slots);
    if (code == ACTA_OK) {
        code = bench_echo(bench, &loads.echo, figures_get(figures, "loads"),
                          (double)loads.events / (double)loads.span.counted,
                          figures, err);
    }
    return code;
}
