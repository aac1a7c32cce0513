/* Scheduled appends: how many are made, and carried out, a second?
 *
 * --schedules of them, of one event each for a stream at random, are made by
 * appends without events, and all are due at one time, when all have been made.
 * A subscription gets the events.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "clock.h"
#include "fleet.h"
#include "meter.h"
#include "progress.h"

/* Under way while they are made, and what making one may take: they must not be
 * due before.
 */
#define MAKING_MAX 1000
#define MAKING_US  200
#define SPARE_US   UINT64_C(1000000)

#define US_PER_S UINT64_C(1000000)

struct schedules {
    struct bench *bench;
    struct fleet fleet;
    struct acta_append *append; /* owned */
    struct acta_append *later;  /* owned */
    uint64_t count;
    uint64_t due_us; /* Since 1970. */
    uint64_t sent;
    uint64_t made;
    uint64_t done;
    uint64_t first_us; /* When the first event came, since 1970. */
    bool caught_up;
    uint64_t random;
};

static uint64_t
wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / NS_PER_US;
}

/* ---- making ---- */

static void
on_made(void *user, const struct acta_err *err,
        const struct acta_appended *appended)
{
    struct schedules *schedules = user;

    (void)appended;
    if (err != NULL) {
        fleet_fail(&schedules->fleet, err);
    }
    schedules->made++;
}

static void
make_next(struct schedules *schedules)
{
    struct bench *bench = schedules->bench;
    char name[SAMPLE_NAME_SIZE], stream[SAMPLE_NAME_SIZE];
    struct acta_err err;

    sample_stream(&bench->sample,
                  (sample_random(&schedules->random) >> 16) % bench->streams,
                  stream);
    snprintf(name, sizeof(name), "later-%ju", (uintmax_t)schedules->sent);
    acta_append_clear(schedules->later);
    acta_append_stream(schedules->later, stream, ACTA_EXPECT_ANY);
    sample_event(&bench->sample, schedules->sent, schedules->later);
    acta_append_clear(schedules->append);
    acta_append_schedule(schedules->append, name, schedules->due_us,
                         schedules->later);
    schedules->sent++;
    if (acta_append(fleet_client(&schedules->fleet, 0), schedules->append, 0,
                    on_made, schedules, &err) == 0) {
        fleet_fail(&schedules->fleet, &err);
    }
}

static enum acta_code
make_all(struct schedules *schedules, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && schedules->made < schedules->count) {
        while (schedules->sent < schedules->count &&
               schedules->sent - schedules->made < MAKING_MAX) {
            make_next(schedules);
        }
        progress_show("making", "schedules", schedules->made, schedules->count);
        code = fleet_turn(&schedules->fleet, err);
    }
    if (code == ACTA_OK && wall_us() >= schedules->due_us) {
        return acta_fail(err, ACTA_TIMEOUT,
                         "they were due before all were made");
    }
    return code;
}

/* ---- carrying out ---- */

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct schedules *schedules = user;

    if (schedules->done == 0) {
        schedules->first_us = wall_us();
    }
    schedules->done += batch->events_count;
}

static void
on_caught_up(void *user, uint64_t position)
{
    struct schedules *schedules = user;

    (void)position;
    schedules->caught_up = true;
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct schedules *schedules = user;

    (void)position;
    fleet_fail(&schedules->fleet, err);
}

static enum acta_code
follow(struct schedules *schedules, struct acta_err *err)
{
    struct acta_client *client = fleet_client(&schedules->fleet, 1);
    struct acta_follow follow = acta_follow_of(NULL, acta_server(client)->head);
    enum acta_code code = ACTA_OK;

    follow.user = schedules;
    follow.on_events = on_events;
    follow.on_caught_up = on_caught_up;
    follow.on_ended = on_ended;
    if (acta_subscribe(client, &follow, err) == NULL) {
        return err->code;
    }
    while (code == ACTA_OK && !schedules->caught_up) {
        code = fleet_turn(&schedules->fleet, err);
    }
    return code;
}

static enum acta_code
wait_for_all(struct schedules *schedules, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && schedules->done < schedules->count) {
        progress_show("carried out", "schedules", schedules->done,
                      schedules->count);
        code = fleet_turn(&schedules->fleet, err);
    }
    if (code == ACTA_OK && schedules->first_us < schedules->due_us) {
        return acta_fail(err, ACTA_CORRUPT, "one was early by %ju us",
                         (uintmax_t)(schedules->due_us - schedules->first_us));
    }
    return code;
}

/* ---- all of it ---- */

/* From the due time on: the server rests until then. */
static enum acta_code
measure(struct schedules *schedules, struct figures *figures,
        struct acta_err *err)
{
    const struct daemon *daemon = &schedules->bench->daemon;
    double count = (double)schedules->count;
    struct meter start, made, done;
    double seconds;
    enum acta_code code;

    schedules->due_us = wall_us() + schedules->count * MAKING_US + SPARE_US;
    meter_read(&start, daemon);
    code = make_all(schedules, err);
    meter_read(&made, daemon);
    if (code == ACTA_OK) {
        code = wait_for_all(schedules, err);
    }
    seconds = (double)(wall_us() - schedules->due_us) / (double)US_PER_S;
    meter_read(&done, daemon);
    progress_clear();
    if (code != ACTA_OK) {
        return code;
    }
    figures_add(figures, "made_rate", "/s",
                count / meter_seconds(&start, &made));
    figures_add(figures, "carried_rate", "/s", count / seconds);
    figures_add(figures, "carried_first", "us",
                (double)(schedules->first_us - schedules->due_us));
    if (daemon->pid != 0) {
        figures_add(figures, "made_cpu", "us/event",
                    (made.server.cpu_us - start.server.cpu_us) / count);
        figures_add(figures, "carried_cpu", "us/event",
                    (done.server.cpu_us - made.server.cpu_us) / count);
    }
    return ACTA_OK;
}

enum acta_code
bench_schedule(struct bench *bench, struct figures *figures,
               struct acta_err *err)
{
    struct schedules schedules = {
        .bench = bench,
        .append = acta_append_new(),
        .later = acta_append_new(),
        .count = option_number(bench->options, OPTION_SCHEDULES),
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
    };
    enum acta_code code = fleet_open(&schedules.fleet, bench->url, 2, err);

    if (code == ACTA_OK) {
        code = follow(&schedules, err);
    }
    if (code == ACTA_OK) {
        code = measure(&schedules, figures, err);
    }
    fleet_close(&schedules.fleet);
    acta_append_free(schedules.append);
    acta_append_free(schedules.later);
    return code == ACTA_OK ? code : acta_wrap(err, code, "schedule");
}
