/* What does an append pay for what it carries besides its events?
 *
 *     bare        nothing
 *     checkpoint  a consumer's checkpoint moves to the last append
 *     lease       a lease must be held
 *     snapshot    the stream's state, as many bytes as an event has
 *     schedule    another append is scheduled, and the one before it cancelled
 *
 * All append the same, one connection with one append under way.
 */

#include <stdio.h>

#include <acta/acta_consumer.h>
#include <acta/acta_lease.h>

#include "turns.h"

#define NAME_SIZE 48

/* Longer than any measurement, and never due. */
#define LEASE_MS UINT64_C(86400000)
#define DELAY_MS UINT64_C(86400000)

struct effects {
    struct bench *bench;
    struct fleet fleet;   /* Who claims and acquires. */
    char name[NAME_SIZE]; /* Of the consumer and the lease. */
    uint64_t epoch;
    uint64_t fence;
    uint64_t moved;    /* Where the checkpoint is. */
    uint64_t position; /* Of the last append. */
    uint64_t number;   /* Of the next event. */
    uint64_t schedules_count;
    uint64_t random;
    struct acta_append *later; /* owned: what is scheduled */
};

static uint64_t
add_event(struct turns *turns, struct acta_append *append)
{
    struct effects *effects = turns->user;
    struct bench *bench = turns->bench;
    char name[SAMPLE_NAME_SIZE];
    uint64_t stream = (sample_random(&effects->random) >> 16) % bench->streams;

    sample_stream(&bench->sample, stream, name);
    acta_append_stream(append, name, ACTA_EXPECT_ANY);
    for (uint64_t i = 0; i < turns->events; i++) {
        sample_event(&bench->sample, effects->number++, append);
        bench->versions[stream]++;
    }
    return stream;
}

static void
make_bare(struct turns *turns, struct acta_append *append)
{
    (void)add_event(turns, append);
}

static void
make_checkpoint(struct turns *turns, struct acta_append *append)
{
    struct effects *effects = turns->user;

    (void)add_event(turns, append);
    acta_append_checkpoint(append, effects->name, effects->epoch,
                           effects->moved, effects->position);
    effects->moved = effects->position;
}

static void
make_lease(struct turns *turns, struct acta_append *append)
{
    struct effects *effects = turns->user;

    (void)add_event(turns, append);
    acta_append_lease(append, effects->name, effects->fence);
}

static void
make_snapshot(struct turns *turns, struct acta_append *append)
{
    struct bench *bench = turns->bench;
    char name[SAMPLE_NAME_SIZE];
    uint64_t stream = add_event(turns, append);

    sample_stream(&bench->sample, stream, name);
    acta_append_snapshot(append, name, bench->versions[stream], 1,
                         bench->sample.payload, bench->sample.payload_size);
}

static void
make_schedule(struct turns *turns, struct acta_append *append)
{
    struct effects *effects = turns->user;
    char name[NAME_SIZE + 24];

    (void)add_event(turns, append);
    snprintf(name, sizeof(name), "%s-%ju", effects->name,
             (uintmax_t)effects->schedules_count);
    acta_append_cancel(append, name);
    snprintf(name, sizeof(name), "%s-%ju", effects->name,
             (uintmax_t)++effects->schedules_count);
    acta_append_schedule_in(append, name, DELAY_MS, effects->later);
}

static void
note_position(struct turns *turns, const struct acta_appended *appended)
{
    struct effects *effects = turns->user;

    effects->position = appended->position;
}

/* ---- a consumer whose checkpoint moves, and a lease that is held ---- */

static void
on_claimed(void *user, const struct acta_err *err,
           const struct acta_consumer_changed *changed)
{
    struct effects *effects = user;

    if (err != NULL) {
        fleet_fail(&effects->fleet, err);
        return;
    }
    effects->epoch = changed->epoch;
    effects->moved = changed->position;
}

static void
on_held(void *user, uint64_t fence)
{
    struct effects *effects = user;

    effects->fence = fence;
}

static void
on_ended(void *user, const struct acta_err *err)
{
    struct effects *effects = user;

    fleet_fail(&effects->fleet, err);
}

static enum acta_code
prepare(struct effects *effects, struct acta_err *err)
{
    struct acta_acquire acquire = acta_acquire_of(effects->name, LEASE_MS);
    enum acta_code code =
        fleet_open(&effects->fleet, effects->bench->url, 1, err);
    struct acta_client *client;

    if (code != ACTA_OK) {
        return code;
    }
    client = fleet_client(&effects->fleet, 0);
    acquire.no_renewal = true;
    acquire.user = effects;
    acquire.on_held = on_held;
    acquire.on_ended = on_ended;
    if (acta_claim(client, effects->name, NULL, effects->position, 0,
                   on_claimed, effects, err) == 0 ||
        acta_lease_acquire(client, &acquire, err) == NULL) {
        return err->code;
    }
    while (code == ACTA_OK && (effects->epoch == 0 || effects->fence == 0)) {
        code = fleet_turn(&effects->fleet, err);
    }
    return code;
}

static void
make_later(struct effects *effects)
{
    effects->later = acta_append_new();
    acta_append_stream(effects->later, effects->name, ACTA_EXPECT_ANY);
    sample_event(&effects->bench->sample, 0, effects->later);
}

enum acta_code
bench_effects(struct bench *bench, struct figures *figures,
              struct acta_err *err)
{
    static struct turns turns; /* Large. */
    static unsigned runs;
    struct effects effects = {
        .bench = bench,
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
    };
    enum acta_code code = bench_head(bench, &effects.position, err);

    snprintf(effects.name, sizeof(effects.name), "effects-%08x-%u",
             bench->sample.names, runs++);
    make_later(&effects);
    if (code == ACTA_OK) {
        code = prepare(&effects, err);
    }
    turns = (struct turns){
        .bench = bench,
        .user = &effects,
        .clients = 1, /* One append at a time: it knows what came before. */
        .pipeline = 1,
        .appended = note_position,
        .events = option_number(bench->options, OPTION_EVENTS),
        .count = 5,
        .list =
            {
                {.figures = TURN_FIGURES("bare"), .make = make_bare},
                {.figures = TURN_FIGURES("checkpoint"),
                 .make = make_checkpoint},
                {.figures = TURN_FIGURES("lease"), .make = make_lease},
                {.figures = TURN_FIGURES("snapshot"), .make = make_snapshot},
                {.figures = TURN_FIGURES("schedule"), .make = make_schedule},
            },
    };
    if (code == ACTA_OK) {
        code = turns_run(&turns, err);
    }
    if (code == ACTA_OK) {
        turns_tell(&turns, figures);
    }
    fleet_close(&effects.fleet);
    acta_append_free(effects.later);
    return code == ACTA_OK ? code : acta_wrap(err, code, "effects");
}
