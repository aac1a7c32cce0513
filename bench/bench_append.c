/* Appends: how many a second, and how long does each take from when it was
 * sent (or, with --rate, from when it was due) to its answer, which says that
 * it is on disk? If it is wanted, beside connections that load and follow.
 */

#include <stdlib.h>
#include <string.h>

#include <acta/acta_sync.h>

#include "audience.h"
#include "fleet.h"
#include "limits.h"
#include "progress.h"
#include "span.h"
#include "timeline.h"
#include "writers.h"

#define LIMIT_SYNCS 400
#define PAGE        4096

enum series { APPENDS, LOADS, DELIVERIES, SERIES };

/* Of a server since its start. */
struct commits {
    double count;
    double events;
    double size; /* Bytes of the journal. */
};

struct appends {
    struct bench *bench;
    struct fleet fleet;
    struct writers writers;
    struct audience audience;
    struct span span;
    struct hist hists[SERIES];
    uint64_t refused;
    struct timeline *timeline;
    struct commits before; /* Of the server, when the load begins. */
    struct echo echo;      /* With the sizes that these appends have had. */
};

static bool
is_measured(const struct appends *appends, uint64_t now_ns)
{
    return span_has_begun(&appends->span) && now_ns >= appends->span.from_ns &&
           !appends->span.over;
}

static void
add_to_timeline(struct appends *appends, enum series series, uint64_t now_ns,
                uint64_t latency_ns)
{
    if (appends->timeline != NULL) {
        timeline_add(appends->timeline, series, now_ns, latency_ns);
    }
}

static void
add(struct appends *appends, enum series series, uint64_t now_ns,
    uint64_t latency_ns)
{
    hist_add(&appends->hists[series], latency_ns);
    add_to_timeline(appends, series, now_ns, latency_ns);
}

static bool
is_by_due(const struct appends *appends)
{
    return appends->writers.is_paced && span_is_by_due(&appends->span);
}

static void
on_append(void *user, uint64_t now_ns, uint64_t latency_ns, bool is_stored)
{
    struct appends *appends = user;
    bool counts = is_stored && span_counts(&appends->span, now_ns);

    if (!is_stored) {
        appends->refused += is_measured(appends, now_ns);
    } else if (is_by_due(appends)
                   ? span_was_due(&appends->span, now_ns - latency_ns)
                   : counts) {
        hist_add(&appends->hists[APPENDS], latency_ns);
    }
    if (counts) {
        add_to_timeline(appends, APPENDS, now_ns, latency_ns);
    }
    if (appends->span.over) {
        writers_stop(&appends->writers);
    }
}

static void
on_load(void *user, uint64_t now_ns, uint64_t latency_ns)
{
    struct appends *appends = user;

    if (is_measured(appends, now_ns)) {
        add(appends, LOADS, now_ns, latency_ns);
    }
}

static void
on_delivery(void *user, uint64_t now_ns, uint64_t latency_ns)
{
    struct appends *appends = user;

    if (is_measured(appends, now_ns)) {
        add(appends, DELIVERIES, now_ns, latency_ns);
    }
}

static enum acta_code
make_timeline(struct appends *appends, struct acta_err *err)
{
    static const char *const names[SERIES] = {"append", "load", "delivery"};
    const struct options *options = appends->bench->options;
    bool has_others = appends->audience.readers_count > 0 ||
                      appends->audience.followers_count > 0;

    if (option_text(options, OPTION_TIMELINE) == NULL) {
        return ACTA_OK;
    }
    appends->timeline =
        timeline_new(option_number(options, OPTION_INTERVAL) * NS_PER_MS, names,
                     has_others ? SERIES : 1);
    return appends->timeline != NULL
               ? ACTA_OK
               : acta_fail(err, ACTA_MEMORY, "a timeline");
}

static enum acta_code
open_appends(struct appends *appends, struct acta_err *err)
{
    const struct options *options = appends->bench->options;
    struct writers *writers = &appends->writers;
    struct audience *audience = &appends->audience;
    enum acta_code code;

    writers->fleet = audience->fleet = &appends->fleet;
    writers->count = audience->first = option_number(options, OPTION_CLIENTS);
    writers->done = on_append;
    writers->user = audience->user = appends;
    audience->readers_count = option_number(options, OPTION_READERS);
    audience->followers_count = option_number(options, OPTION_FOLLOWERS);
    audience->loaded = on_load;
    audience->delivered = on_delivery;

    code = make_timeline(appends, err);
    if (code == ACTA_OK) {
        code = writers_open(writers, appends->bench, err);
    }
    if (code == ACTA_OK) {
        code = fleet_open(&appends->fleet, appends->bench->url,
                          writers->count + audience->readers_count +
                              audience->followers_count,
                          err);
    }
    return code == ACTA_OK ? audience_open(audience, appends->bench, err)
                           : code;
}

static void
close_appends(struct appends *appends)
{
    fleet_close(&appends->fleet);
    writers_close(&appends->writers);
    audience_close(&appends->audience);
    timeline_free(appends->timeline);
}

static enum acta_code
measure(struct appends *appends, struct acta_err *err)
{
    struct writers *writers = &appends->writers;
    struct traffic before = {0}, after = {0};
    enum acta_code code;

    appends->fleet.stays_awake =
        option_number(appends->bench->options, OPTION_BUSY_POLL) != 0;
    fleet_add_traffic(&appends->fleet, writers->count, &before);
    span_start(&appends->span, appends->bench->options,
               &appends->bench->daemon);
    if (appends->timeline != NULL) {
        timeline_start(appends->timeline, appends->span.from_ns);
    }
    audience_start(&appends->audience);
    code = writers_start(writers, err);
    while (code == ACTA_OK && !appends->span.over) {
        progress_show("appending", "appends", appends->span.counted, 0);
        code = fleet_turn(&appends->fleet, err);
        span_tick(&appends->span);
    }
    if (appends->timeline != NULL) {
        timeline_end(appends->timeline, appends->span.end.read_ns);
    }
    writers_stop(writers);
    audience_stop(&appends->audience);
    while (code == ACTA_OK &&
           writers->under_way + appends->audience.under_way > 0) {
        code = fleet_turn(&appends->fleet, err);
    }
    if (code == ACTA_OK && is_by_due(appends)) {
        pace_add_unsent(&writers->pace, appends->span.from_ns,
                        appends->span.to_ns, &appends->hists[APPENDS]);
    }
    fleet_add_traffic(&appends->fleet, writers->count, &after);
    echo_sizes(&appends->echo, &before, &after,
               writers->number / writers->events_count);
    progress_clear();
    return code;
}

/* ---- commits ---- */

static double
number_of(const struct acta_status *status, const char *name)
{
    for (size_t i = 0; i < status->entries_count; i++) {
        if (strcmp(status->entries[i]->name, name) == 0) {
            return (double)status->entries[i]->number;
        }
    }
    return 0;
}

static enum acta_code
read_commits(const struct bench *bench, struct commits *commits,
             struct acta_err *err)
{
    struct acta_options options = acta_options_of(bench->url);
    const struct acta_status *status;
    struct acta_sync *sync;
    enum acta_code code = acta_sync_open(&sync, &options, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = acta_sync_status(sync, &status, err);
    if (code == ACTA_OK) {
        commits->count = number_of(status, "database.commits");
        commits->events = number_of(status, "database.events");
        commits->size = number_of(status, "database.journal_written");
    }
    acta_sync_close(sync);
    return code;
}

/* What a commit had, and what the disk does if nothing is done but write and
 * sync as many bytes, one commit after the other.
 */
static enum acta_code
tell_commits(const struct appends *appends, struct figures *figures,
             struct acta_err *err)
{
    const struct commits *before = &appends->before;
    struct commits after;
    struct hist hist;
    enum acta_code code = read_commits(appends->bench, &after, err);
    double count = after.count - before->count;

    if (code != ACTA_OK || count <= 0) {
        return code;
    }
    after.events = (after.events - before->events) / count;
    after.size = (after.size - before->size) / count;
    hist_clear(&hist);
    code = limits_sync(appends->bench->daemon.dir, true,
                       ((size_t)after.size + PAGE - 1) / PAGE * PAGE,
                       LIMIT_SYNCS, &hist, err);
    if (code == ACTA_OK) {
        figures_add(figures, "commit_events", "events", after.events);
        figures_add(figures, "commit_size", "bytes", after.size);
        figures_add(figures, "bare_loop", "events/s",
                    after.events * 1e9 / (double)hist_percentile(&hist, 50));
    }
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
    code = limits_sync(daemon->dir, true, PAGE, LIMIT_SYNCS, &hist, err);
    figures_add(figures, "disk_sync_p50", "us",
                (double)hist_percentile(&hist, 50) / NS_PER_US);
    return code;
}

static void
tell_series(const struct appends *appends, struct figures *figures)
{
    static const char *const latencies[SERIES][5] = {
        {"append_p50", "append_p90", "append_p99", "append_p999", "append_max"},
        {"load_p50", "load_p90", "load_p99", "load_p999", "load_max"},
        {"delivery_p50", "delivery_p90", "delivery_p99", "delivery_p999",
         "delivery_max"},
    };
    double seconds = span_seconds(&appends->span);

    figures_add_latency(figures, latencies[APPENDS], &appends->hists[APPENDS]);
    if (appends->audience.readers_count > 0) {
        figures_add(figures, "loads", "/s",
                    (double)appends->hists[LOADS].count / seconds);
        figures_add_latency(figures, latencies[LOADS], &appends->hists[LOADS]);
    }
    if (appends->audience.followers_count > 0) {
        figures_add(figures, "deliveries", "/s",
                    (double)appends->hists[DELIVERIES].count / seconds);
        figures_add_latency(figures, latencies[DELIVERIES],
                            &appends->hists[DELIVERIES]);
    }
}

static enum acta_code
tell(struct appends *appends, struct figures *figures, struct acta_err *err)
{
    const struct options *options = appends->bench->options;
    double seconds = span_seconds(&appends->span);
    double count = (double)appends->span.counted;
    double events = count * (double)appends->writers.events_count;

    figures_add(figures, "appends", "/s", count / seconds);
    figures_add(figures, "events", "/s", events / seconds);
    if (appends->writers.expect == EXPECT_SEEN ||
        appends->writers.conditions > 0) {
        figures_add(figures, "refused", "/s",
                    (double)appends->refused / seconds);
    }
    tell_series(appends, figures);
    meter_tell(&appends->span.start, &appends->span.end, events, figures);
    if (appends->timeline == NULL) {
        return ACTA_OK;
    }
    /* People look at it while JSON goes elsewhere. */
    timeline_draw(appends->timeline, stderr);
    return timeline_write(appends->timeline,
                          option_text(options, OPTION_TIMELINE), err);
}

enum acta_code
bench_append(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct appends appends; /* Large. */
    bool is_own = bench->daemon.pid != 0;
    enum acta_code code;

    appends = (struct appends){.bench = bench};
    code = tell_limit(&appends, figures, err);
    if (code == ACTA_OK) {
        code = open_appends(&appends, err);
    }
    if (code == ACTA_OK && is_own) {
        code = read_commits(bench, &appends.before, err);
    }
    if (code == ACTA_OK) {
        code = measure(&appends, err);
    }
    if (code == ACTA_OK) {
        code = tell(&appends, figures, err);
    }
    if (code == ACTA_OK && is_own) {
        code = tell_commits(&appends, figures, err);
    }
    close_appends(&appends);
    if (code == ACTA_OK) {
        code = bench_echo(bench, &appends.echo, figures_get(figures, "appends"),
                          (double)appends.writers.events_count, figures, err);
    }
    return code;
}
