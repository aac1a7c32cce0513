#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "data_text.h"
#include "json.h"
#include "out.h"
#include "out_named.h"
#include "out_text.h"
#include "query_text.h"
#include "when.h"

/* A consumer is live as long as nothing that it wants waits for longer. */
#define LIVE_US UINT64_C(1000000)

#define COLUMNS(columns) columns, sizeof(columns) / sizeof((columns)[0])

static void
digits_cell(struct table *table, uint64_t number)
{
    char digits[OUT_DIGITS_SIZE];

    out_digits(number, digits);
    table_cell(table, "%s", digits);
}

/* ---- consumers ---- */

const char *
out_consumer_state(const struct acta_consumer *consumer)
{
    bool is_group = consumer->kind == ACTA_CONSUMER_GROUP;

    if (consumer->is_paused) {
        return "paused";
    }
    if (consumer->connected == 0) {
        return is_group ? "no members" : "not connected";
    }
    return (consumer->lag_matching == 0 && consumer->lag_is_counted) ||
                   consumer->lag_us < LIVE_US
               ? "live"
               : "catching up";
}

static void
print_consumer(const struct cli *cli, struct table *table,
               const struct acta_consumer *consumer)
{
    static const struct table_column columns[] = {
        {"CONSUMER", false}, {"KIND", false},   {"AT", true},
        {"BEHIND", true},    {"MEMBERS", true}, {"IN HAND", true},
        {"DELAYED", true},   {"PARKED", true},  {"STATE", false},
    };
    bool is_group = consumer->kind == ACTA_CONSUMER_GROUP;

    (void)cli;
    table_row(table, COLUMNS(columns));
    table_cell(table, "%s", consumer->name);
    table_cell(table, "%s", is_group ? "group" : "plain");
    digits_cell(table, consumer->position);
    digits_cell(table, consumer->lag_events);
    digits_cell(table, consumer->connected);
    if (is_group) {
        digits_cell(table, consumer->in_hand);
        digits_cell(table, consumer->delayed);
        digits_cell(table, consumer->parked);
    } else {
        table_cell(table, "-");
        table_cell(table, "-");
        table_cell(table, "-");
    }
    table_cell(table, "%s", out_consumer_state(consumer));
}

static void
rate_cell(struct table *table, const struct out_lag *lag)
{
    if (!lag->has_rate) {
        table_cell(table, "-");
    } else if (lag->rate >= 1000000) {
        table_cell(table, "%.1fM", lag->rate / 1000000);
    } else if (lag->rate >= 1000) {
        table_cell(table, "%.1fk", lag->rate / 1000);
    } else {
        table_cell(table, "%.0f", lag->rate);
    }
}

static void
lag_state_cell(struct table *table, const struct out_lag *lag)
{
    const struct acta_consumer *consumer = lag->consumer;
    const char *state = out_consumer_state(consumer);
    char left[WHEN_SIZE];

    if (consumer->parked > 0) {
        table_cell(table, "%s, %" PRIu64 " parked", state, consumer->parked);
    } else if (lag->has_eta && lag->eta_s >= 1 && lag->eta_s < 1e9) {
        when_format_duration((uint64_t)(lag->eta_s * 1e6), left);
        table_cell(table, "%s, ETA %s", state, left);
    } else {
        table_cell(table, "%s", state);
    }
}

static void
print_lag(const struct cli *cli, struct table *table, const struct out_lag *lag)
{
    static const struct table_column columns[] = {
        {"CONSUMER", false}, {"AT", true},   {"HEAD", true},   {"EVENTS", true},
        {"MATCHING", true},  {"TIME", true}, {"RATE/s", true}, {"STATE", false},
    };
    const struct acta_consumer *consumer = lag->consumer;
    char digits[OUT_DIGITS_SIZE];
    char time[WHEN_SIZE];

    (void)cli;
    table_row(table, COLUMNS(columns));
    table_cell(table, "%s", consumer->name);
    digits_cell(table, consumer->position);
    digits_cell(table, consumer->head);
    digits_cell(table, consumer->lag_events);
    out_digits(consumer->lag_matching, digits);
    table_cell(table, "%s%s", digits, consumer->lag_is_counted ? "" : "+");
    when_format_duration(consumer->lag_us, time);
    table_cell(table, "%s", time);
    rate_cell(table, lag);
    lag_state_cell(table, lag);
}

/* What only a group has. */
static void
print_group_rows(const struct cli *cli, const struct acta_consumer *consumer)
{
    char timeout[WHEN_SIZE];

    when_format_span(consumer->ack_timeout_us, timeout);
    out_row(cli, "key", "%s%s",
            *consumer->key_tag == '\0' ? "stream" : "first tag that begins ",
            consumer->key_tag);
    out_row(cli, "ack timeout", "%s", timeout);
    out_row(cli, "deliveries", "%" PRIu64 " at most, then parked",
            consumer->deliveries_max);
    out_row(cli, "on park", "%s",
            consumer->on_park == ACTA_PARK_WAITS
                ? "what is behind it in its key waits"
                : "what is behind it in its key goes on");
    out_row(cli, "in hand", "%" PRIu64, consumer->in_hand);
    out_row(cli, "delayed", "%" PRIu64, consumer->delayed);
    out_row(cli, "parked", "%" PRIu64, consumer->parked);
}

static void
print_consumer_rows(const struct cli *cli, const struct acta_consumer *consumer)
{
    char *query = query_text(consumer->query, consumer->query_count);
    char time[OUT_TIME_SIZE];
    char age[WHEN_SIZE];

    printf("%s%s%s\n", bold(cli), consumer->name, plain(cli));
    out_row(cli, "kind", "%s",
            consumer->kind == ACTA_CONSUMER_GROUP ? "group" : "plain");
    out_row(cli, "state", "%s", out_consumer_state(consumer));
    out_row(cli, "events", "%s", query == NULL ? "" : query);
    free(query);
    out_row(cli, "at", "%" PRIu64 " of %" PRIu64 ", epoch %" PRIu64,
            consumer->position, consumer->head, consumer->epoch);
    when_format_duration(consumer->lag_us, age);
    out_row(cli, "behind",
            "%" PRIu64 " events, %" PRIu64 "%s of them matching, the oldest %s",
            consumer->lag_events, consumer->lag_matching,
            consumer->lag_is_counted ? "" : " or more", age);
    if (consumer->changed_us > 0) {
        out_time(consumer->changed_us, time);
        out_row(cli, "moved", "%s", time);
    }
    if (consumer->kind == ACTA_CONSUMER_GROUP) {
        print_group_rows(cli, consumer);
    } else {
        out_row(cli, "connected", "%" PRIu64, consumer->connected);
    }
}

static void
print_described(const struct cli *cli,
                const struct acta_consumer_description *description)
{
    static const struct table_column columns[] = {
        {"MEMBER", false}, {"IN HAND", true}, {"SLOTS", true},
        {"ACKED", true},   {"SINCE", false},
    };
    struct table table;

    print_consumer_rows(cli, description->consumer);
    table_init(&table);
    for (size_t i = 0; i < description->members_count; i++) {
        const struct acta_member_info *member = description->members[i];
        char time[OUT_TIME_SIZE];

        out_time_short(member->joined_us, time);
        table_row(&table, COLUMNS(columns));
        table_cell(&table, "%s", *member->name == '\0' ? "-" : member->name);
        digits_cell(&table, member->in_hand);
        digits_cell(&table, member->slots);
        digits_cell(&table, member->acked);
        table_cell(&table, "%s", time);
    }
    if (description->members_count > 0) {
        putchar('\n');
    }
    table_print(&table, dim(cli), plain(cli));
    table_fini(&table);
}

static void
print_consumer_changed(const struct cli *cli,
                       const struct out_consumer_changed *what)
{
    (void)cli;
    printf("%s\n", what->text);
}

/* ---- parked events ---- */

const char *
out_parked_state(enum acta_parked_state state)
{
    switch (state) {
    case ACTA_PARKED:
        return "parked";
    case ACTA_PARKED_BEHIND:
        return "behind";
    case ACTA_PARKED_REPLAYED:
        return "replayed";
    }
    return "unknown";
}

static void
print_parked(const struct cli *cli, struct table *table, const char *group,
             const struct acta_parked *parked)
{
    static const struct table_column columns[] = {
        {"POSITION", true}, {"KEY", false},    {"STATE", false},
        {"TRIES", true},    {"PARKED", false}, {"REASON", false},
    };
    char time[OUT_TIME_SIZE];

    (void)cli;
    (void)group;
    out_time_short(parked->time_us, time);
    table_row(table, COLUMNS(columns));
    table_cell(table, "%" PRIu64, parked->position);
    table_cell(table, "%s", parked->key);
    table_cell(table, "%s", out_parked_state(parked->state));
    table_cell(table, "%" PRIu64, parked->deliveries);
    table_cell(table, "%s", time);
    table_cell(table, "%s", parked->reason);
}

static void
print_parked_event(const struct cli *cli, const char *group,
                   const struct acta_parked *parked,
                   const struct acta_event *event)
{
    char time[OUT_TIME_SIZE];

    (void)group;
    out_time(parked->time_us, time);
    out_row(cli, "state", "%s", out_parked_state(parked->state));
    out_row(cli, "key", "%s", parked->key);
    out_row(cli, "tries", "%" PRIu64, parked->deliveries);
    out_row(cli, "parked", "%s", time);
    out_row(cli, "reason", "%s", parked->reason);
    putchar('\n');
    if (event == NULL) {
        printf("position %" PRIu64 ": its event is hidden by now\n",
               parked->position);
    } else {
        out_text.single(cli, event);
    }
}

static void
print_counted(const struct cli *cli, const char *group, uint64_t count,
              const char *text)
{
    (void)cli;
    (void)group;
    (void)count;
    printf("%s\n", text);
}

/* ---- leases, schedules, snapshots ---- */

static void
print_lease(const struct cli *cli, struct table *table,
            const struct acta_lease_info *lease)
{
    static const struct table_column columns[] = {
        {"LEASE", false}, {"HOLDER", false}, {"FENCE", true},
        {"LEFT", true},   {"SINCE", false},  {"WAITING", false},
    };
    uint64_t unnamed = lease->waiters_count - lease->waiters_named;
    char since[OUT_TIME_SIZE];
    char left[WHEN_SIZE];
    char *waiting = NULL;
    size_t size;
    FILE *out = open_memstream(&waiting, &size);

    (void)cli;
    if (out == NULL) {
        return;
    }
    for (size_t i = 0; i < lease->waiters_named; i++) {
        fprintf(out, "%s%s", i == 0 ? "" : ", ", lease->waiters[i]);
    }
    if (unnamed > 0) {
        fprintf(out, ", and %" PRIu64 " more", unnamed);
    }
    fclose(out);
    out_time_short(lease->since_us, since);
    table_row(table, COLUMNS(columns));
    table_cell(table, "%s", lease->name);
    table_cell(table, "%s", lease->holder);
    table_cell(table, "%" PRIu64, lease->fence);
    if (lease->remaining_us < 60000000) {
        table_cell(table, "%.1f s", (double)lease->remaining_us / 1e6);
    } else {
        when_format_duration(lease->remaining_us, left);
        table_cell(table, "%s", left);
    }
    table_cell(table, "%s", since);
    table_cell(table, "%s", lease->waiters_count == 0 ? "-" : waiting);
    free(waiting);
}

static void
print_schedule(const struct cli *cli, struct table *table,
               const struct acta_schedule *schedule)
{
    static const struct table_column columns[] = {
        {"SCHEDULE", false}, {"DUE", false},    {"STATE", false},
        {"EVENTS", true},    {"STREAM", false}, {"TYPE", false},
    };
    char due[OUT_TIME_SIZE];

    (void)cli;
    out_time_short(schedule->due_us, due);
    table_row(table, COLUMNS(columns));
    table_cell(table, "%s", schedule->name);
    table_cell(table, "%s", due);
    if (schedule->has_failed) {
        table_cell(table, "failed: %s", schedule->reason);
    } else {
        table_cell(table, "waits");
    }
    table_cell(table, "%" PRIu64, schedule->events_count);
    table_cell(table, "%s", schedule->stream);
    table_cell(table, "%s", schedule->type);
}

static void
print_scheduled(const struct cli *cli, const struct out_scheduled *what)
{
    (void)cli;
    printf("%s\n", what->text);
}

static void
print_snapshot(const struct cli *cli, const char *stream,
               const struct acta_snapshot *snapshot, uint64_t stream_version)
{
    struct slice data = slice_make(snapshot->data, snapshot->data_size);
    char time[OUT_TIME_SIZE];

    out_time(snapshot->time_us, time);
    printf("%s%s%s\n", bold(cli), stream, plain(cli));
    out_row(cli, "version", "%" PRIu64 " of %" PRIu64, snapshot->version,
            stream_version);
    out_row(cli, "schema", "%" PRIu64, snapshot->schema);
    out_row(cli, "stored", "%s", time);
    out_row(cli, "size", "%zu B", data.size);
    if (data.size > 0) {
        data_text_print(stdout, data,
                        json_is_value(data) ? ACTA_FORMAT_JSON
                                            : ACTA_FORMAT_BINARY,
                        2, cli->color);
    }
}

const struct out_named out_named_text = {
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
