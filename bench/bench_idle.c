/* What do groups cost that have nothing to do?
 *
 *     alone  appends, and no groups have members
 *     idle   the same, while each of --groups groups has a member that waits,
 *            on --connections connections
 *
 * The groups want the events of categories that nobody writes to. What they
 * take in memory is what the server has more when all are made and joined; what
 * they take while nothing at all happens is measured for a --duration with
 * them, and for one without.
 */

#include <stdio.h>
#include <stdlib.h>

#include <acta/acta_group.h>

#include "clock.h"
#include "meter.h"
#include "progress.h"
#include "turns.h"

/* Requests under way while groups are made. */
#define MAKING_MAX 1000

#define BYTES_PER_MIB 1048576.0

#define SETTLE_NS NS_PER_S

struct idlers {
    struct bench *bench;
    struct fleet fleet;
    struct acta_member **members; /* owned */
    size_t count;
    size_t answered;
    size_t joined;

    double memory;      /* Bytes a group. */
    double quiet_alone; /* Time on processors, of all. */
    double quiet_idle;

    /* Of the appends. */
    uint64_t number;
    uint64_t random;
};

static void
name_group(const struct idlers *idlers, size_t index, char name[static 40])
{
    snprintf(name, 40, "idle-%08x-%zu", idlers->bench->sample.names, index);
}

/* ---- groups and members ---- */

static void
on_changed(void *user, const struct acta_err *err,
           const struct acta_consumer_changed *changed)
{
    struct idlers *idlers = user;

    (void)changed;
    if (err != NULL) {
        fleet_fail(&idlers->fleet, err);
    }
    idlers->answered++;
}

static enum acta_code
make_group(struct idlers *idlers, size_t index, struct acta_err *err)
{
    struct acta_client *client =
        fleet_client(&idlers->fleet, index % idlers->fleet.count);
    struct acta_group group = acta_group_of(ACTA_GROUP_QUERY);
    struct acta_query *query = acta_query_new();
    char name[40];
    uint64_t request;

    name_group(idlers, index, name);
    acta_query_category(query, name);
    group.query = query;
    request =
        acta_create_group(client, name, &group, 0, on_changed, idlers, err);
    acta_query_free(query);
    return request == 0 ? err->code : ACTA_OK;
}

static enum acta_code
make_groups(struct idlers *idlers, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    size_t made = 0;

    idlers->answered = 0;
    while (code == ACTA_OK && idlers->answered < idlers->count) {
        while (code == ACTA_OK && made < idlers->count &&
               made - idlers->answered < MAKING_MAX) {
            code = make_group(idlers, made++, err);
        }
        progress_show("making", "groups", idlers->answered, idlers->count);
        if (code == ACTA_OK) {
            code = fleet_turn(&idlers->fleet, err);
        }
    }
    return code;
}

static void
on_event(void *user, const struct acta_handed *handed)
{
    struct idlers *idlers = user;
    struct acta_err err;

    acta_fail(&err, ACTA_CORRUPT, "an idle group got the event at %ju",
              (uintmax_t)handed->event->position);
    fleet_fail(&idlers->fleet, &err);
}

static void
on_joined(void *user)
{
    struct idlers *idlers = user;

    idlers->joined++;
}

static void
on_ended(void *user, const struct acta_err *err)
{
    struct idlers *idlers = user;

    fleet_fail(&idlers->fleet, err);
}

static enum acta_code
join(struct idlers *idlers, size_t index, struct acta_err *err)
{
    struct acta_join join;
    char name[40];

    name_group(idlers, index, name);
    join = acta_join_of(name, 100);
    join.user = idlers;
    join.on_event = on_event;
    join.on_joined = on_joined;
    join.on_ended = on_ended;
    idlers->members[index] = acta_join(
        fleet_client(&idlers->fleet, index % idlers->fleet.count), &join, err);
    return idlers->members[index] == NULL ? err->code : ACTA_OK;
}

static enum acta_code
join_all(struct idlers *idlers, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    idlers->joined = 0;
    for (size_t i = 0; i < idlers->count && code == ACTA_OK; i++) {
        code = join(idlers, i, err);
    }
    while (code == ACTA_OK && idlers->joined < idlers->count) {
        progress_show("joining", "groups", idlers->joined, idlers->count);
        code = fleet_turn(&idlers->fleet, err);
    }
    return code;
}

static void
on_described(void *user, const struct acta_err *err,
             const struct acta_consumer_description *description)
{
    struct idlers *idlers = user;

    (void)description;
    if (err != NULL) {
        fleet_fail(&idlers->fleet, err);
    }
    idlers->answered++;
}

/* What is asked on a connection behind what it left is answered when that is
 * done.
 */
static enum acta_code
leave_all(struct idlers *idlers, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    char name[40];

    for (size_t i = 0; i < idlers->count; i++) {
        acta_leave(idlers->members[i]);
        idlers->members[i] = NULL;
    }
    idlers->answered = 0;
    name_group(idlers, 0, name);
    for (size_t i = 0; i < idlers->fleet.count; i++) {
        if (acta_describe_consumer(fleet_client(&idlers->fleet, i), name, 0,
                                   on_described, idlers, err) == 0) {
            return err->code;
        }
    }
    while (code == ACTA_OK && idlers->answered < idlers->fleet.count) {
        code = fleet_turn(&idlers->fleet, err);
    }
    return code;
}

/* ---- appends ---- */

static void
make_append(struct turns *turns, struct acta_append *append)
{
    struct idlers *idlers = turns->user;
    struct bench *bench = turns->bench;
    char name[SAMPLE_NAME_SIZE];
    uint64_t stream = (sample_random(&idlers->random) >> 16) % bench->streams;

    sample_stream(&bench->sample, stream, name);
    acta_append_stream(append, name, ACTA_EXPECT_ANY);
    for (uint64_t i = 0; i < turns->events; i++) {
        sample_event(&bench->sample, idlers->number++, append);
        bench->versions[stream]++;
    }
}

/* A turn cannot fail by itself: the appending clients do. */
static void
begin_idle(struct turns *turns)
{
    struct idlers *idlers = turns->user;
    struct acta_err err;

    if (join_all(idlers, &err) != ACTA_OK) {
        fleet_fail(&turns->fleet, &err);
    }
}

static void
end_idle(struct turns *turns)
{
    struct idlers *idlers = turns->user;
    struct acta_err err;

    if (leave_all(idlers, &err) != ACTA_OK) {
        fleet_fail(&turns->fleet, &err);
    }
}

/* ---- nothing happens ---- */

/* Whoever has joined has done so durably a moment later. */
static enum acta_code
let_settle(struct idlers *idlers, struct acta_err *err)
{
    uint64_t start_ns = clock_ns();
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && clock_ns() - start_ns < SETTLE_NS) {
        code = fleet_turn(&idlers->fleet, err);
    }
    return code;
}

/* Milliseconds on processors, of the server, in a second. */
static enum acta_code
measure_quiet(struct idlers *idlers, double *cpu_ms, struct acta_err *err)
{
    const struct bench *bench = idlers->bench;
    uint64_t length_ns =
        option_number(bench->options, OPTION_DURATION) * NS_PER_MS;
    enum acta_code code = let_settle(idlers, err);
    struct meter start, end;

    meter_read(&start, &bench->daemon);
    while (code == ACTA_OK && clock_ns() - start.read_ns < length_ns) {
        progress_show("waiting", "groups", idlers->joined, 0);
        code = fleet_turn(&idlers->fleet, err);
    }
    meter_read(&end, &bench->daemon);
    *cpu_ms = (end.server.cpu_us - start.server.cpu_us) / 1000 /
              meter_seconds(&start, &end);
    return code;
}

static enum acta_code
measure_standing(struct idlers *idlers, struct acta_err *err)
{
    const struct daemon *daemon = &idlers->bench->daemon;
    double before = daemon_usage(daemon).anon_mib;
    enum acta_code code = measure_quiet(idlers, &idlers->quiet_alone, err);

    if (code == ACTA_OK) {
        code = make_groups(idlers, err);
    }
    if (code == ACTA_OK) {
        code = join_all(idlers, err);
    }
    if (code == ACTA_OK) {
        code = measure_quiet(idlers, &idlers->quiet_idle, err);
    }
    idlers->memory = (daemon_usage(daemon).anon_mib - before) * BYTES_PER_MIB /
                     (double)idlers->count;
    return code == ACTA_OK ? leave_all(idlers, err) : code;
}

static enum acta_code
measure(struct idlers *idlers, struct turns *turns, struct acta_err *err)
{
    enum acta_code code = fleet_open(
        &idlers->fleet, idlers->bench->url,
        option_number(idlers->bench->options, OPTION_CONNECTIONS), err);

    if (code == ACTA_OK) {
        code = measure_standing(idlers, err);
    }
    return code == ACTA_OK ? turns_run(turns, err) : code;
}

static void
tell(const struct idlers *idlers, const struct turns *turns,
     struct figures *figures)
{
    turns_tell(turns, figures);
    if (idlers->bench->daemon.pid != 0) {
        figures_add(figures, "idle_memory", "bytes/group", idlers->memory);
        figures_add(figures, "quiet_alone_cpu", "ms/s", idlers->quiet_alone);
        figures_add(figures, "quiet_idle_cpu", "ms/s", idlers->quiet_idle);
    }
}

enum acta_code
bench_idle(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct turns turns; /* Large. */
    const struct options *options = bench->options;
    struct idlers idlers = {
        .bench = bench,
        .count = option_number(options, OPTION_GROUPS),
        .random = sample_random_start(option_number(options, OPTION_SEED)),
    };
    enum acta_code code;

    idlers.members = calloc(idlers.count, sizeof(struct acta_member *));
    if (idlers.members == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu groups", idlers.count);
    }
    turns = (struct turns){
        .bench = bench,
        .user = &idlers,
        .clients = option_number(options, OPTION_CLIENTS),
        .pipeline = option_number(options, OPTION_PIPELINE),
        .events = option_number(options, OPTION_EVENTS),
        .count = 2,
        .list =
            {
                {.figures = TURN_FIGURES("alone"), .make = make_append},
                {.figures = TURN_FIGURES("idle"),
                 .make = make_append,
                 .begin = begin_idle,
                 .end = end_idle},
            },
    };
    code = measure(&idlers, &turns, err);
    if (code == ACTA_OK) {
        tell(&idlers, &turns, figures);
    }
    fleet_close(&idlers.fleet);
    free(idlers.members);
    return code == ACTA_OK ? code : acta_wrap(err, code, "idle");
}
