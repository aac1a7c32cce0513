/* Live delivery: how long does it take from the start of an append (or from
 * when it was due, with --rate) until a subscriber has the event, and how much
 * of that is the append itself?
 *
 * One connection appends, the others subscribe. Sender and receivers are one
 * process with one clock, and the event carries the time it was sent at.
 */

#include <errno.h>
#include <stdlib.h>

#include "bench.h"
#include "fleet.h"
#include "pace.h"
#include "progress.h"
#include "span.h"

/* Appends under way, in an open loop. */
#define LIVE_PIPELINE 1024

struct live {
    struct bench *bench;
    struct fleet fleet; /* The first appends. */
    struct pace pace;
    struct span span;
    struct hist appends_hist;
    struct hist deliveries_hist;
    struct acta_append *append;
    struct acta_sub **subs; /* owned */
    size_t subs_count;
    size_t caught_up;
    bool paced;
    uint64_t random;
    uint64_t sent;
    uint64_t answered;
    uint64_t delivered;
    uint64_t delivered_counted;      /* In the time that is measured. */
    uint64_t sent_ns[LIVE_PIPELINE]; /* Of those under way, by number. */
};

static void on_appended(void *user, const struct acta_err *err,
                        const struct acta_appended *appended);

static void
send_event(struct live *live, uint64_t start_ns)
{
    struct bench *bench = live->bench;
    char name[SAMPLE_NAME_SIZE];
    struct acta_err err;

    sample_stream(&bench->sample,
                  (sample_random(&live->random) >> 16) % bench->streams, name);
    acta_append_clear(live->append);
    acta_append_stream(live->append, name, ACTA_EXPECT_ANY);
    sample_stamped(&bench->sample, live->sent, start_ns, live->append);
    live->sent_ns[live->sent++ % LIVE_PIPELINE] = start_ns;
    if (acta_append(fleet_client(&live->fleet, 0), live->append, 0, on_appended,
                    live, &err) == 0) {
        fleet_fail(&live->fleet, &err);
    }
}

static bool
send_due(void *user, uint64_t due_ns)
{
    struct live *live = user;

    if (live->sent - live->answered == LIVE_PIPELINE) {
        return false;
    }
    send_event(live, due_ns);
    return true;
}

/* In a closed loop, the next event is sent when all have the one before. */
static void
go_on(struct live *live)
{
    if (live->span.over) {
        return;
    }
    if (live->paced) {
        pace_go(&live->pace);
    } else if (live->answered == live->sent &&
               live->delivered == live->sent * live->subs_count) {
        send_event(live, clock_ns());
    }
}

/* Is that counted which was sent, or due, at @start_ns, and has ended when the
 * measurement is on, or not?
 */
static bool
is_timed(const struct live *live, uint64_t start_ns, bool ended_in_time)
{
    return live->paced && span_is_by_due(&live->span)
               ? span_was_due(&live->span, start_ns)
               : ended_in_time;
}

/* Appends of one connection are answered in their order. */
static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    struct live *live = user;
    uint64_t start_ns = live->sent_ns[live->answered % LIVE_PIPELINE];
    uint64_t now_ns = clock_ns();

    (void)appended;
    if (err != NULL) {
        fleet_fail(&live->fleet, err);
        return;
    }
    if (is_timed(live, start_ns, span_counts(&live->span, now_ns))) {
        hist_add(&live->appends_hist, now_ns - start_ns);
    }
    live->answered++;
    go_on(live);
}

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct live *live = user;
    uint64_t now_ns = clock_ns();
    bool in_time = now_ns >= live->span.from_ns && !live->span.over;

    for (size_t i = 0; i < batch->events_count; i++) {
        uint64_t start_ns = sample_stamp(batch->events[i]);

        if (is_timed(live, start_ns, in_time)) {
            hist_add(&live->deliveries_hist, now_ns - start_ns);
        }
    }
    live->delivered_counted += in_time ? batch->events_count : 0;
    live->delivered += batch->events_count;
    go_on(live);
}

static void
on_caught_up(void *user, uint64_t position)
{
    struct live *live = user;

    (void)position;
    live->caught_up++;
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct live *live = user;

    (void)position;
    fleet_fail(&live->fleet, err);
}

/* From the end that there is now, until all are live. */
static enum acta_code
subscribe_all(struct live *live, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    live->subs = calloc(live->subs_count, sizeof(struct acta_sub *));
    if (live->subs == NULL) {
        return acta_fail(err, ACTA_MEMORY, "subscriptions");
    }
    for (size_t i = 0; i < live->subs_count; i++) {
        struct acta_client *client = fleet_client(&live->fleet, i + 1);
        struct acta_follow follow =
            acta_follow_of(NULL, acta_server(client)->head);

        follow.user = live;
        follow.on_events = on_events;
        follow.on_caught_up = on_caught_up;
        follow.on_ended = on_ended;
        live->subs[i] = acta_subscribe(client, &follow, err);
        if (live->subs[i] == NULL) {
            return err->code;
        }
    }
    while (code == ACTA_OK && live->caught_up < live->subs_count) {
        code = fleet_turn(&live->fleet, err);
    }
    return code;
}

/* Nobody got what could not be sent. */
static void
add_unsent(struct live *live)
{
    const struct span *span = &live->span;

    for (size_t i = 0; i < live->subs_count; i++) {
        struct pace pace = live->pace;

        pace_add_unsent(&pace, span->from_ns, span->to_ns,
                        &live->deliveries_hist);
    }
    pace_add_unsent(&live->pace, span->from_ns, span->to_ns,
                    &live->appends_hist);
}

static enum acta_code
measure(struct live *live, struct acta_err *err)
{
    double rate = (double)option_number(live->bench->options, OPTION_RATE);
    enum acta_code code = ACTA_OK;

    live->fleet.stays_awake =
        option_number(live->bench->options, OPTION_BUSY_POLL) != 0;
    span_start(&live->span, live->bench->options, &live->bench->daemon);
    live->paced = rate > 0;
    if (!live->paced) {
        send_event(live, clock_ns());
    } else if (!pace_start(&live->pace, live->fleet.loop, rate, send_due,
                           live)) {
        return acta_fail(err, ACTA_IO, "timerfd: %s", strerror(errno));
    }
    while (code == ACTA_OK && !live->span.over) {
        progress_show("delivering", "events", live->delivered, 0);
        code = fleet_turn(&live->fleet, err);
        span_tick(&live->span);
    }
    pace_stop(&live->pace);
    while (code == ACTA_OK &&
           (live->answered < live->sent ||
            live->delivered < live->sent * live->subs_count)) {
        code = fleet_turn(&live->fleet, err);
    }
    if (code == ACTA_OK && live->paced && span_is_by_due(&live->span)) {
        add_unsent(live);
    }
    progress_clear();
    return code;
}

static void
tell(const struct live *live, struct figures *figures)
{
    static const char *const appends[5] = {
        "append_p50", "append_p90", "append_p99", "append_p999", "append_max",
    };
    static const char *const deliveries[5] = {
        "delivery_p50",  "delivery_p90", "delivery_p99",
        "delivery_p999", "delivery_max",
    };
    double seconds = span_seconds(&live->span);

    figures_add(figures, "appends", "/s", (double)live->span.counted / seconds);
    figures_add(figures, "deliveries", "/s",
                (double)live->delivered_counted / seconds);
    figures_add_latency(figures, appends, &live->appends_hist);
    figures_add_latency(figures, deliveries, &live->deliveries_hist);
    meter_tell(&live->span.start, &live->span.end,
               (double)live->delivered_counted, figures);
}

enum acta_code
bench_live(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct live live; /* Large. */
    enum acta_code code;

    live = (struct live){
        .bench = bench,
        .append = acta_append_new(),
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
        .subs_count = option_number(bench->options, OPTION_CLIENTS),
    };
    code = fleet_open(&live.fleet, bench->url, live.subs_count + 1, err);
    if (code == ACTA_OK) {
        code = subscribe_all(&live, err);
    }
    if (code == ACTA_OK) {
        code = measure(&live, err);
    }
    if (code == ACTA_OK) {
        tell(&live, figures);
    }
    fleet_close(&live.fleet);
    free(live.subs);
    acta_append_free(live.append);
    return code;
}
