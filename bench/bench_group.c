/* Does a group hand events out as fast as a plain subscription delivers them?
 *
 *     plain  one subscription on one connection gets every event
 *     group  --members members, each on a connection of its own, are handed
 *            the same events by stream, and ack each
 *
 * Both begin before the first event and end with the last one that was there
 * when the measurement began: of a group when the server has all answers. Each
 * has its turn, round after round, with a new group every time; what is told of
 * two ways is the median of the rounds.
 */

#include <stdio.h>
#include <stdlib.h>

#include <acta/acta_group.h>

#include "bench.h"
#include "clock.h"
#include "fleet.h"
#include "meter.h"
#include "progress.h"
#include "rounds.h"

#define GROUP_NAME_SIZE 48

struct member {
    struct race *race;
    struct acta_member *handle;
};

struct race {
    struct bench *bench;
    struct fleet fleet;
    struct member *members; /* owned */
    size_t members_count;
    size_t joined;
    char group[GROUP_NAME_SIZE];
    uint64_t head; /* How many events there are. */
    uint64_t round;
    uint64_t events_count; /* Of this turn. */
    bool answered;         /* What was asked for last. */
    bool finished;         /* All is handled, and known to the server. */
};

/* One turn, measured. */
struct lap {
    double seconds;
    double client_us;
    double server_us;
};

static void
end_lap(const struct race *race, const struct meter *start, struct lap *lap)
{
    struct meter end;

    meter_read(&end, &race->bench->daemon);
    lap->seconds = meter_seconds(start, &end);
    lap->client_us = end.client_us - start->client_us;
    lap->server_us = end.server.cpu_us - start->server.cpu_us;
}

static enum acta_code
turn_until(struct race *race, const bool *done, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && !*done) {
        progress_show("delivering", "events", race->events_count, race->head);
        code = fleet_turn(&race->fleet, err);
    }
    return code;
}

/* ---- plain ---- */

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct race *race = user;

    race->events_count += batch->events_count;
    race->finished = race->events_count >= race->head;
}

static void
on_sub_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct race *race = user;

    (void)position;
    fleet_fail(&race->fleet, err);
}

static enum acta_code
run_plain(struct race *race, struct lap *lap, struct acta_err *err)
{
    struct acta_follow follow = acta_follow_of(NULL, 0);
    struct acta_sub *sub;
    struct meter start;
    enum acta_code code;

    follow.user = race;
    follow.on_events = on_events;
    follow.on_ended = on_sub_ended;
    race->events_count = 0;
    race->finished = false;
    meter_read(&start, &race->bench->daemon);
    sub = acta_subscribe(fleet_client(&race->fleet, 0), &follow, err);
    if (sub == NULL) {
        return err->code;
    }
    code = turn_until(race, &race->finished, err);
    end_lap(race, &start, lap);
    acta_unsubscribe(sub);
    return code;
}

/* ---- group ---- */

static void
on_changed(void *user, const struct acta_err *err,
           const struct acta_consumer_changed *changed)
{
    struct race *race = user;

    (void)changed;
    if (err != NULL) {
        fleet_fail(&race->fleet, err);
    }
    race->answered = true;
}

static enum acta_code
create_group(struct race *race, struct acta_err *err)
{
    struct acta_group group = acta_group_of(0);

    snprintf(race->group, sizeof(race->group), "bench-%08x-%ju",
             race->bench->sample.names, (uintmax_t)race->round++);
    race->answered = false;
    if (acta_create_group(fleet_client(&race->fleet, 0), race->group, &group, 0,
                          on_changed, race, err) == 0) {
        return err->code;
    }
    return turn_until(race, &race->answered, err);
}

static enum acta_code
delete_group(struct race *race, struct acta_err *err)
{
    race->answered = false;
    if (acta_delete_consumer(fleet_client(&race->fleet, 0), race->group, 0,
                             on_changed, race, err) == 0) {
        return err->code;
    }
    return turn_until(race, &race->answered, err);
}

static void
on_described(void *user, const struct acta_err *err,
             const struct acta_consumer_description *description)
{
    struct race *race = user;

    race->answered = true;
    if (err != NULL) {
        fleet_fail(&race->fleet, err);
        return;
    }
    race->finished = description->consumer->position >= race->head;
}

static void
on_event(void *user, const struct acta_handed *handed)
{
    struct member *member = user;

    acta_ack(member->handle, handed->number);
    member->race->events_count++;
}

static void
on_joined(void *user)
{
    struct member *member = user;

    member->race->joined++;
}

static void
on_refused(void *user, const struct acta_refused *refused)
{
    struct member *member = user;
    struct acta_err err;

    acta_fail(&err, ACTA_FENCED, "the ack of position %ju was refused",
              (uintmax_t)refused->position);
    fleet_fail(&member->race->fleet, &err);
}

static void
on_ended(void *user, const struct acta_err *err)
{
    struct member *member = user;

    member->handle = NULL;
    fleet_fail(&member->race->fleet, err);
}

static enum acta_code
join_all(struct race *race, struct acta_err *err)
{
    struct acta_join join = acta_join_of(
        race->group, option_number(race->bench->options, OPTION_SLOTS));

    join.on_event = on_event;
    join.on_joined = on_joined;
    join.on_refused = on_refused;
    join.on_ended = on_ended;
    for (size_t i = 0; i < race->members_count; i++) {
        struct member *member = &race->members[i];

        join.user = member;
        member->race = race;
        member->handle = acta_join(fleet_client(&race->fleet, i), &join, err);
        if (member->handle == NULL) {
            return err->code;
        }
    }
    return ACTA_OK;
}

static void
leave_all(struct race *race)
{
    for (size_t i = 0; i < race->members_count; i++) {
        acta_leave(race->members[i].handle);
        race->members[i].handle = NULL;
    }
}

/* All were handed out, and acked; the server is asked until it knows. */
static enum acta_code
finish(struct race *race, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && race->events_count < race->head) {
        progress_show("handing out", "events", race->events_count, race->head);
        code = fleet_turn(&race->fleet, err);
    }
    while (code == ACTA_OK && !race->finished) {
        race->answered = false;
        if (acta_describe_consumer(fleet_client(&race->fleet, 0), race->group,
                                   0, on_described, race, err) == 0) {
            return err->code;
        }
        code = turn_until(race, &race->answered, err);
    }
    return code;
}

static enum acta_code
run_group(struct race *race, struct lap *lap, struct acta_err *err)
{
    struct meter start;
    enum acta_code code = create_group(race, err);

    race->events_count = 0;
    race->finished = false;
    if (code != ACTA_OK) {
        return code;
    }
    meter_read(&start, &race->bench->daemon);
    code = join_all(race, err);
    if (code == ACTA_OK) {
        code = finish(race, err);
    }
    end_lap(race, &start, lap);
    leave_all(race);
    return code == ACTA_OK ? delete_group(race, err) : code;
}

/* ---- the race ---- */

static enum acta_code
run_round(void *user, struct figures *round, struct acta_err *err)
{
    struct race *race = user;
    double events = (double)race->head;
    struct lap plain = {0}, group = {0};
    enum acta_code code = run_plain(race, &plain, err);

    if (code == ACTA_OK) {
        code = run_group(race, &group, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    figures_add(round, "plain_rate", "/s", events / plain.seconds);
    figures_add(round, "group_rate", "/s", events / group.seconds);
    figures_add(round, "group_ratio", "", plain.seconds / group.seconds);
    figures_add(round, "plain_client", "us/event", plain.client_us / events);
    figures_add(round, "group_client", "us/event", group.client_us / events);
    if (race->bench->daemon.pid != 0) {
        figures_add(round, "plain_server", "us/event",
                    plain.server_us / events);
        figures_add(round, "group_server", "us/event",
                    group.server_us / events);
    }
    return ACTA_OK;
}

enum acta_code
bench_group(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    struct race race = {
        .bench = bench,
        .members_count = option_number(bench->options, OPTION_MEMBERS),
    };
    enum acta_code code = bench_head(bench, &race.head, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (race.head == 0) {
        return acta_fail(err, ACTA_INVALID, "there are no events to hand out");
    }
    race.members = calloc(race.members_count, sizeof(*race.members));
    if (race.members == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu members", race.members_count);
    }
    code = fleet_open(&race.fleet, bench->url, race.members_count, err);
    if (code == ACTA_OK) {
        code = rounds_run(bench, run_round, &race, figures, err);
    }
    fleet_close(&race.fleet);
    free(race.members);
    return code == ACTA_OK ? code : acta_wrap(err, code, "group");
}
