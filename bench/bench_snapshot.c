/* Loads with a snapshot against loads of all events, in turns on one
 * connection:
 *
 *     whole     all --length events of a stream
 *     snapshot  a snapshot of --state bytes, and the last --behind events
 *     current   nothing: the caller has the stream's version
 *
 * A stream is one of --streams at random. Each has a snapshot; who wants all
 * events says that it cannot read it.
 */

#include <stdlib.h>

#include <acta/acta_snapshot.h>

#include "bench.h"
#include "clock.h"
#include "fleet.h"
#include "progress.h"

#define SCHEMA    1
#define STORE_MAX 100 /* Snapshots in an append, */
#define UNDER_WAY 4   /* and appends. */

struct loads {
    struct bench *bench;
    struct fleet fleet;
    const struct way *way;
    struct hist *hist;
    uint64_t random;
    uint64_t length;
    uint64_t behind;
    uint64_t start_ns;
    bool counts;
    bool over; /* Send no more. */
    size_t under_way;
};

struct way {
    const char *rate;
    const char *p50;
    const char *p99;
    const char *ratio;
    void (*ask)(const struct loads *loads, struct acta_load *load);
    bool (*is_right)(const struct loads *loads,
                     const struct acta_loaded *loaded);
};

/* ---- ways to load ---- */

static void
ask_whole(const struct loads *loads, struct acta_load *load)
{
    (void)loads;
    load->has_schema = true;
    load->schema = SCHEMA + 1;
}

static bool
is_whole(const struct loads *loads, const struct acta_loaded *loaded)
{
    return loaded->snapshot == NULL &&
           loaded->page->events_count == loads->length;
}

static void
ask_snapshot(const struct loads *loads, struct acta_load *load)
{
    (void)loads;
    load->has_schema = true;
    load->schema = SCHEMA;
}

static bool
is_snapshot(const struct loads *loads, const struct acta_loaded *loaded)
{
    return loaded->snapshot != NULL &&
           loaded->page->events_count == loads->behind;
}

static void
ask_current(const struct loads *loads, struct acta_load *load)
{
    load->has_version = true;
    load->version = loads->length;
}

static bool
is_current(const struct loads *loads, const struct acta_loaded *loaded)
{
    (void)loads;
    return loaded->not_modified;
}

static const struct way ways[] = {
    {"whole_rate", "whole_p50", "whole_p99", NULL, ask_whole, is_whole},
    {"snapshot_rate", "snapshot_p50", "snapshot_p99", "snapshot_ratio",
     ask_snapshot, is_snapshot},
    {"current_rate", "current_p50", "current_p99", "current_ratio", ask_current,
     is_current},
};

#define WAYS_COUNT (sizeof(ways) / sizeof(ways[0]))

struct total {
    struct hist hist;
    double seconds;
};

/* ---- snapshots to load ---- */

static void
on_stored(void *user, const struct acta_err *err,
          const struct acta_appended *appended)
{
    struct loads *loads = user;

    (void)appended;
    if (err != NULL) {
        fleet_fail(&loads->fleet, err);
    }
    loads->under_way--;
}

static enum acta_code
store_some(struct loads *loads, uint64_t *stream, const uint8_t *state,
           struct acta_append *append, struct acta_err *err)
{
    struct bench *bench = loads->bench;
    char name[SAMPLE_NAME_SIZE];

    acta_append_clear(append);
    for (int i = 0; i < STORE_MAX && *stream < bench->streams; i++) {
        sample_stream(&bench->sample, (*stream)++, name);
        acta_append_snapshot(append, name, loads->length - loads->behind,
                             SCHEMA, state,
                             option_number(bench->options, OPTION_STATE));
    }
    loads->under_way++;
    return acta_append(fleet_client(&loads->fleet, 0), append, 0, on_stored,
                       loads, err) == 0
               ? err->code
               : ACTA_OK;
}

static enum acta_code
store_all(struct loads *loads, const uint8_t *state, struct acta_append *append,
          struct acta_err *err)
{
    uint64_t count = loads->bench->streams;
    enum acta_code code = ACTA_OK;
    uint64_t stream = 0;

    while (code == ACTA_OK && (stream < count || loads->under_way > 0)) {
        if (stream < count && loads->under_way < UNDER_WAY) {
            code = store_some(loads, &stream, state, append, err);
        } else {
            code = fleet_turn(&loads->fleet, err);
        }
        progress_show("storing", "snapshots", stream, count);
    }
    return code;
}

static enum acta_code
store_snapshots(struct loads *loads, struct acta_err *err)
{
    size_t size = option_number(loads->bench->options, OPTION_STATE);
    struct acta_append *append = acta_append_new();
    uint8_t *state = malloc(size);
    enum acta_code code;

    if (state == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "a state of %zu bytes", size);
    } else {
        for (size_t i = 0; i < size; i++) {
            state[i] = (uint8_t)(sample_random(&loads->random) >> 56);
        }
        code = store_all(loads, state, append, err);
    }
    free(state);
    acta_append_free(append);
    return code;
}

/* ---- loading ---- */

static void on_loaded(void *user, const struct acta_err *err,
                      const struct acta_loaded *loaded);

static void
send_load(struct loads *loads)
{
    struct bench *bench = loads->bench;
    char name[SAMPLE_NAME_SIZE];
    struct acta_load load;
    struct acta_err err;

    sample_stream(&bench->sample,
                  (sample_random(&loads->random) >> 16) % bench->streams, name);
    load = acta_load_of(name);
    loads->way->ask(loads, &load);
    loads->start_ns = clock_ns();
    loads->under_way++;
    if (acta_load(fleet_client(&loads->fleet, 0), &load, 0, on_loaded, loads,
                  &err) == 0) {
        fleet_fail(&loads->fleet, &err);
    }
}

static void
on_loaded(void *user, const struct acta_err *err,
          const struct acta_loaded *loaded)
{
    struct loads *loads = user;
    uint64_t now_ns = clock_ns();
    struct acta_err wrong;

    loads->under_way--;
    if (err != NULL) {
        fleet_fail(&loads->fleet, err);
        return;
    }
    if (!loads->way->is_right(loads, loaded)) {
        acta_fail(&wrong, ACTA_CORRUPT, "%s: a load brought %zu events, and %s",
                  loads->way->rate, loaded->page->events_count,
                  loaded->snapshot == NULL ? "no snapshot" : "a snapshot");
        fleet_fail(&loads->fleet, &wrong);
        return;
    }
    if (loads->counts) {
        hist_add(loads->hist, now_ns - loads->start_ns);
    }
    if (!loads->over) {
        send_load(loads);
    }
}

static enum acta_code
take_turn(struct loads *loads, struct total *total, uint64_t length_ns,
          struct acta_err *err)
{
    uint64_t start_ns = clock_ns();
    enum acta_code code = ACTA_OK;

    loads->hist = &total->hist;
    loads->over = false;
    send_load(loads);
    while (code == ACTA_OK && (!loads->over || loads->under_way > 0)) {
        progress_show("loading", "streams", total->hist.count, 0);
        code = fleet_turn(&loads->fleet, err);
        loads->over = clock_ns() - start_ns >= length_ns;
    }
    if (loads->counts) {
        total->seconds += (double)(clock_ns() - start_ns) / (double)NS_PER_S;
    }
    return code;
}

static enum acta_code
take_turns(struct loads *loads, struct total totals[WAYS_COUNT],
           struct acta_err *err)
{
    const struct options *options = loads->bench->options;
    uint64_t rounds = option_number(options, OPTION_ROUNDS);
    uint64_t length_ns =
        option_number(options, OPTION_DURATION) * NS_PER_MS / rounds;
    enum acta_code code = ACTA_OK;

    for (uint64_t round = 0; round <= rounds; round++) {
        loads->counts = round > 0;
        for (size_t i = 0; i < WAYS_COUNT && code == ACTA_OK; i++) {
            loads->way = &ways[i];
            code = take_turn(loads, &totals[i], length_ns, err);
        }
    }
    progress_clear();
    return code;
}

static void
tell(const struct total totals[WAYS_COUNT], struct figures *figures)
{
    double whole = (double)hist_percentile(&totals[0].hist, 50);

    for (size_t i = 0; i < WAYS_COUNT; i++) {
        double p50 = (double)hist_percentile(&totals[i].hist, 50);
        double p99 = (double)hist_percentile(&totals[i].hist, 99);

        figures_add(figures, ways[i].rate, "/s",
                    (double)totals[i].hist.count / totals[i].seconds);
        figures_add(figures, ways[i].p50, "us", p50 / NS_PER_US);
        figures_add(figures, ways[i].p99, "us", p99 / NS_PER_US);
        if (ways[i].ratio != NULL) {
            figures_add(figures, ways[i].ratio, "", p50 / whole);
        }
    }
}

/* Streams to load, and their snapshots, unless a run before this one has left
 * them here.
 */
static enum acta_code
prepare(struct loads *loads, struct acta_err *err)
{
    struct bench *bench = loads->bench;
    bool is_prepared = bench->versions[0] > 0;
    enum acta_code code = ACTA_OK;

    if (!is_prepared) {
        code = bench_fill(bench, bench->streams * loads->length, err);
    }
    if (code == ACTA_OK) {
        code = fleet_open(&loads->fleet, bench->url, 1, err);
    }
    if (code == ACTA_OK && !is_prepared) {
        code = store_snapshots(loads, err);
    }
    return code;
}

enum acta_code
bench_snapshot(struct bench *bench, struct figures *figures,
               struct acta_err *err)
{
    static struct total totals[WAYS_COUNT]; /* Large. */
    struct loads loads = {
        .bench = bench,
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
        .length = option_number(bench->options, OPTION_LENGTH),
        .behind = option_number(bench->options, OPTION_BEHIND),
    };
    enum acta_code code;

    if (loads.behind >= loads.length) {
        return acta_fail(err, ACTA_INVALID, "--behind must be below --length");
    }
    for (size_t i = 0; i < WAYS_COUNT; i++) {
        hist_clear(&totals[i].hist);
        totals[i].seconds = 0;
    }
    code = prepare(&loads, err);
    if (code == ACTA_OK) {
        code = take_turns(&loads, totals, err);
    }
    if (code == ACTA_OK) {
        tell(totals, figures);
    }
    fleet_close(&loads.fleet);
    return code == ACTA_OK ? code : acta_wrap(err, code, "snapshot");
}
