#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "out.h"
#include "out_json.h"
#include "out_named.h"
#include "query_text.h"

static const char *
truth(bool is)
{
    return is ? "true" : "false";
}

/* ,"name":"text" */
static void
put_member(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    json_put_text(stdout, text);
}

/* ---- consumers ---- */

/* An object without its end. */
static void
put_consumer(const struct acta_consumer *consumer)
{
    char *query = query_text(consumer->query, consumer->query_count);
    bool is_group = consumer->kind == ACTA_CONSUMER_GROUP;

    fputs("{\"consumer\":", stdout);
    json_put_text(stdout, consumer->name);
    put_member("kind", is_group ? "group" : "plain");
    put_member("state", out_consumer_state(consumer));
    put_member("query", query == NULL ? "" : query);
    free(query);
    printf(",\"position\":%" PRIu64 ",\"epoch\":%" PRIu64 ",\"head\":%" PRIu64
           ",\"lag\":{\"events\":%" PRIu64 ",\"matching\":%" PRIu64
           ",\"counted\":%s,\"seconds\":%.3f}",
           consumer->position, consumer->epoch, consumer->head,
           consumer->lag_events, consumer->lag_matching,
           truth(consumer->lag_is_counted), (double)consumer->lag_us / 1e6);
    if (consumer->changed_us > 0) {
        json_put_time(stdout, "moved", consumer->changed_us);
    }
    printf(",\"connected\":%" PRIu64, consumer->connected);
    if (!is_group) {
        return;
    }
    put_member("key_tag", consumer->key_tag);
    printf(",\"ack_timeout_us\":%" PRIu64 ",\"deliveries_max\":%" PRIu64,
           consumer->ack_timeout_us, consumer->deliveries_max);
    put_member("on_park",
               consumer->on_park == ACTA_PARK_WAITS ? "wait" : "go-on");
    printf(",\"paused\":%s,\"in_hand\":%" PRIu64 ",\"delayed\":%" PRIu64
           ",\"parked\":%" PRIu64,
           truth(consumer->is_paused), consumer->in_hand, consumer->delayed,
           consumer->parked);
}

static void
print_consumer(const struct cli *cli, struct table *table,
               const struct acta_consumer *consumer)
{
    (void)cli;
    (void)table;
    put_consumer(consumer);
    puts("}");
}

/* A number that may not be known. */
static void
put_estimate(const char *name, bool is_known, double number)
{
    if (is_known) {
        printf(",\"%s\":%.1f", name, number);
    } else {
        printf(",\"%s\":null", name);
    }
}

static void
print_lag(const struct cli *cli, struct table *table, const struct out_lag *lag)
{
    (void)cli;
    (void)table;
    put_consumer(lag->consumer);
    put_estimate("rate", lag->has_rate, lag->rate);
    put_estimate("eta_seconds", lag->has_eta, lag->eta_s);
    puts("}");
}

static void
print_described(const struct cli *cli,
                const struct acta_consumer_description *description)
{
    (void)cli;
    put_consumer(description->consumer);
    fputs(",\"members\":[", stdout);
    for (size_t i = 0; i < description->members_count; i++) {
        const struct acta_member_info *member = description->members[i];

        fputs(i == 0 ? "{\"member\":" : ",{\"member\":", stdout);
        json_put_text(stdout, member->name);
        printf(",\"slots\":%" PRIu64 ",\"in_hand\":%" PRIu64
               ",\"acked\":%" PRIu64,
               member->slots, member->in_hand, member->acked);
        json_put_time(stdout, "since", member->joined_us);
        putchar('}');
    }
    puts("]}");
}

static void
print_consumer_changed(const struct cli *cli,
                       const struct out_consumer_changed *what)
{
    (void)cli;
    fputs("{\"consumer\":", stdout);
    json_put_text(stdout, what->name);
    if (what->has_before) {
        printf(",\"before\":%" PRIu64, what->before);
    }
    printf(",\"position\":%" PRIu64 ",\"epoch\":%" PRIu64 ",\"changed\":%s}\n",
           what->position, what->epoch, truth(what->changed));
}

/* ---- parked events ---- */

/* An object without its end. */
static void
put_parked(const char *group, const struct acta_parked *parked)
{
    fputs("{\"consumer\":", stdout);
    json_put_text(stdout, group);
    printf(",\"position\":%" PRIu64, parked->position);
    put_member("key", parked->key);
    put_member("state", out_parked_state(parked->state));
    printf(",\"deliveries\":%" PRIu64, parked->deliveries);
    json_put_time(stdout, "time", parked->time_us);
    put_member("reason", parked->reason);
}

static void
print_parked(const struct cli *cli, struct table *table, const char *group,
             const struct acta_parked *parked)
{
    (void)cli;
    (void)table;
    put_parked(group, parked);
    puts("}");
}

static void
print_parked_event(const struct cli *cli, const char *group,
                   const struct acta_parked *parked,
                   const struct acta_event *event)
{
    (void)cli;
    put_parked(group, parked);
    fputs(",\"event\":", stdout);
    if (event != NULL) {
        json_put_event(stdout, event);
    } else {
        fputs("null", stdout);
    }
    puts("}");
}

static void
print_counted(const struct cli *cli, const char *group, uint64_t count,
              const char *text)
{
    (void)cli;
    (void)text;
    fputs("{\"consumer\":", stdout);
    json_put_text(stdout, group);
    printf(",\"count\":%" PRIu64 "}\n", count);
}

/* ---- leases, schedules, snapshots ---- */

static void
print_lease(const struct cli *cli, struct table *table,
            const struct acta_lease_info *lease)
{
    (void)cli;
    (void)table;
    fputs("{\"lease\":", stdout);
    json_put_text(stdout, lease->name);
    put_member("holder", lease->holder);
    printf(",\"fence\":%" PRIu64 ",\"duration_us\":%" PRIu64
           ",\"remaining_us\":%" PRIu64,
           lease->fence, lease->duration_us, lease->remaining_us);
    json_put_time(stdout, "since", lease->since_us);
    printf(",\"waiting\":%" PRIu64 ",\"waiters\":[", lease->waiters_count);
    for (size_t i = 0; i < lease->waiters_named; i++) {
        fputs(i == 0 ? "" : ",", stdout);
        json_put_text(stdout, lease->waiters[i]);
    }
    puts("]}");
}

static void
print_schedule(const struct cli *cli, struct table *table,
               const struct acta_schedule *schedule)
{
    (void)cli;
    (void)table;
    fputs("{\"schedule\":", stdout);
    json_put_text(stdout, schedule->name);
    json_put_time(stdout, "due", schedule->due_us);
    json_put_time(stdout, "created", schedule->created_us);
    put_member("state", schedule->has_failed ? "failed" : "waits");
    put_member("reason", schedule->reason);
    put_member("stream", schedule->stream);
    put_member("type", schedule->type);
    printf(",\"events\":%" PRIu64 "}\n", schedule->events_count);
}

static void
print_scheduled(const struct cli *cli, const struct out_scheduled *what)
{
    (void)cli;
    fputs("{\"schedule\":", stdout);
    json_put_text(stdout, what->name);
    put_member("state", what->state);
    if (what->due != NULL && what->due->is_delay) {
        printf(",\"delay_us\":%" PRIu64, what->due->us);
    } else if (what->due != NULL) {
        json_put_time(stdout, "due", what->due->us);
    }
    puts("}");
}

static void
print_snapshot(const struct cli *cli, const char *stream,
               const struct acta_snapshot *snapshot, uint64_t stream_version)
{
    struct slice data = slice_make(snapshot->data, snapshot->data_size);

    (void)cli;
    fputs("{\"stream\":", stdout);
    json_put_text(stdout, stream);
    printf(",\"stream_version\":%" PRIu64 ",\"version\":%" PRIu64
           ",\"schema\":%" PRIu64,
           stream_version, snapshot->version, snapshot->schema);
    json_put_time(stdout, "time", snapshot->time_us);
    printf(",\"size\":%zu", data.size);
    json_put_bytes(stdout, "data", data, json_fits_in_line(data));
    puts("}");
}

const struct out_named out_named_json = {
    .consumer = print_consumer,
    .lag = print_lag,
    .described = print_described,
    .consumer_changed = print_consumer_changed,
    .parked = print_parked,
    .parked_event = print_parked_event,
    .counted = print_counted,
    .lease = print_lease,
    .schedule = print_schedule,
    .scheduled = print_scheduled,
    .snapshot = print_snapshot,
};
