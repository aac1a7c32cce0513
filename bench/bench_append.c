/* Appends: how many a second, and how long does each take from when it was
 * sent (or, with --rate, from when it was due) to its answer, which says that
 * it is on disk?
 */

#include <errno.h>
#include <stdlib.h>

#include "bench.h"
#include "fleet.h"
#include "limits.h"
#include "pace.h"
#include "progress.h"
#include "span.h"

#define LIMIT_SYNCS 400

struct appends {
    struct bench *bench;
    struct fleet fleet;
    struct pace pace;
    struct span span;
    struct hist hist;
    struct acta_append *append;
    uint64_t random;
    uint64_t number; /* Of the next event. */
    uint64_t events_count;
    bool version_expected;
    bool has_commands;
    bool paced;
    struct slot *slots; /* owned */
    size_t slots_count;
    struct slot *free; /* A list; of a paced run. */
    size_t under_way;
};

/* One append that is under way, or may be. */
struct slot {
    struct appends *appends;
    size_t client;
    uint64_t start_ns;
    struct slot *next;
};

static void on_appended(void *user, const struct acta_err *err,
                        const struct acta_appended *appended);

/* Any stream, but with expected versions only one that belongs to the client:
 * its appends arrive in the order in which they are sent.
 */
static uint64_t
choose_stream(struct appends *appends, size_t client)
{
    uint64_t streams = appends->bench->streams;
    uint64_t clients = appends->fleet.count;
    uint64_t random = sample_random(&appends->random) >> 16;

    if (!appends->version_expected) {
        return random % streams;
    }
    return random % ((streams - client + clients - 1) / clients) * clients +
           client;
}

static void
send_append(struct slot *slot, uint64_t start_ns)
{
    struct appends *appends = slot->appends;
    struct bench *bench = appends->bench;
    uint64_t stream = choose_stream(appends, slot->client);
    char name[SAMPLE_NAME_SIZE];
    struct acta_id command;
    struct acta_err err;

    sample_stream(&bench->sample, stream, name);
    acta_append_clear(appends->append);
    acta_append_stream(appends->append, name,
                       appends->version_expected
                           ? (int64_t)bench->versions[stream]
                           : ACTA_EXPECT_ANY);
    for (uint64_t i = 0; i < appends->events_count; i++) {
        sample_event(&bench->sample, appends->number++, appends->append);
    }
    if (appends->has_commands) {
        if (acta_id_new(&command, &err) != ACTA_OK) {
            fleet_fail(&appends->fleet, &err);
            return;
        }
        acta_append_command_id(appends->append, &command);
    }
    bench->versions[stream] += (uint32_t)appends->events_count;
    slot->start_ns = start_ns;
    appends->under_way++;
    if (acta_append(fleet_client(&appends->fleet, slot->client),
                    appends->append, 0, on_appended, slot, &err) == 0) {
        fleet_fail(&appends->fleet, &err);
    }
}

static bool
send_due(void *user, uint64_t due_ns)
{
    struct appends *appends = user;
    struct slot *slot = appends->free;

    if (slot == NULL) {
        return false;
    }
    appends->free = slot->next;
    send_append(slot, due_ns);
    return true;
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    struct slot *slot = user;
    struct appends *appends = slot->appends;
    uint64_t now_ns = clock_ns();

    (void)appended;
    appends->under_way--;
    if (err != NULL) {
        fleet_fail(&appends->fleet, err);
        return;
    }
    if (span_counts(&appends->span, now_ns)) {
        hist_add(&appends->hist, now_ns - slot->start_ns);
    }
    if (appends->span.over) {
        return;
    }
    if (!appends->paced) {
        send_append(slot, now_ns);
        return;
    }
    slot->next = appends->free;
    appends->free = slot;
    if (slot->next == NULL) {
        pace_go(&appends->pace); /* It may have waited for a free one. */
    }
}

static enum acta_code
make_slots(struct appends *appends, struct acta_err *err)
{
    size_t pipeline = option_number(appends->bench->options, OPTION_PIPELINE);

    appends->slots_count = appends->fleet.count * pipeline;
    appends->slots = calloc(appends->slots_count, sizeof(*appends->slots));
    if (appends->slots == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu requests",
                         appends->slots_count);
    }
    for (size_t i = appends->slots_count; i-- > 0;) {
        struct slot *slot = &appends->slots[i];

        slot->appends = appends;
        slot->client = i % appends->fleet.count;
        slot->next = appends->free;
        appends->free = slot;
    }
    return ACTA_OK;
}

static enum acta_code
start_sending(struct appends *appends, struct acta_err *err)
{
    double rate = (double)option_number(appends->bench->options, OPTION_RATE);

    appends->paced = rate > 0;
    if (appends->paced) {
        return pace_start(&appends->pace, appends->fleet.loop, rate, send_due,
                          appends)
                   ? ACTA_OK
                   : acta_fail(err, ACTA_IO, "timerfd: %s", strerror(errno));
    }
    for (size_t i = 0; i < appends->slots_count; i++) {
        send_append(&appends->slots[i], clock_ns());
    }
    return ACTA_OK;
}

static enum acta_code
measure(struct appends *appends, struct acta_err *err)
{
    enum acta_code code;

    span_start(&appends->span, appends->bench->options,
               &appends->bench->daemon);
    code = start_sending(appends, err);
    while (code == ACTA_OK && !appends->span.over) {
        progress_show("appending", "appends", appends->span.counted, 0);
        code = fleet_turn(&appends->fleet, err);
        span_tick(&appends->span);
    }
    pace_stop(&appends->pace);
    while (code == ACTA_OK && appends->under_way > 0) {
        code = fleet_turn(&appends->fleet, err);
    }
    progress_clear();
    return code;
}

/* The disk on its own, where the server's data is. */
static enum acta_code
tell_limit(const struct appends *appends, struct figures *figures,
           struct acta_err *err)
{
    const struct daemon *daemon = &appends->bench->daemon;
    struct hist hist;
    enum acta_code code;

    if (daemon->pid == 0) {
        return ACTA_OK;
    }
    hist_clear(&hist);
    code = limits_sync(daemon->dir, true, 4096, LIMIT_SYNCS, &hist, err);
    figures_add(figures, "disk_sync_p50", "us",
                (double)hist_percentile(&hist, 50) / NS_PER_US);
    return code;
}

static void
tell(struct appends *appends, struct figures *figures)
{
    static const char *const latencies[5] = {
        "append_p50", "append_p90", "append_p99", "append_p999", "append_max",
    };
    double seconds = span_seconds(&appends->span);
    double count = (double)appends->span.counted;
    double events = count * (double)appends->events_count;

    figures_add(figures, "appends", "/s", count / seconds);
    figures_add(figures, "events", "/s", events / seconds);
    figures_add_latency(figures, latencies, &appends->hist);
    meter_tell(&appends->span.start, &appends->span.end, events, figures);
}

enum acta_code
bench_append(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct appends appends; /* Large. */
    const char *expect = option_text(bench->options, OPTION_EXPECT);
    uint64_t clients = option_number(bench->options, OPTION_CLIENTS);
    enum acta_code code;

    appends = (struct appends){
        .bench = bench,
        .append = acta_append_new(),
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
        .events_count = option_number(bench->options, OPTION_EVENTS),
        .has_commands = option_number(bench->options, OPTION_COMMANDS) != 0,
        .version_expected = expect != NULL && strcmp(expect, "version") == 0,
    };
    if (!appends.version_expected &&
        (expect == NULL || strcmp(expect, "any") != 0)) {
        return acta_fail(err, ACTA_INVALID, "--expect is any or version");
    }
    if (appends.version_expected && bench->streams < clients) {
        return acta_fail(err, ACTA_INVALID,
                         "with --expect version, each connection needs a "
                         "stream: there are fewer");
    }
    code = tell_limit(&appends, figures, err);
    if (code == ACTA_OK) {
        code = fleet_open(&appends.fleet, bench->url, clients, err);
    }
    if (code == ACTA_OK) {
        code = make_slots(&appends, err);
    }
    if (code == ACTA_OK) {
        code = measure(&appends, err);
    }
    if (code == ACTA_OK) {
        tell(&appends, figures);
    }
    fleet_close(&appends.fleet);
    free(appends.slots);
    acta_append_free(appends.append);
    return code;
}
