/* What does a command pay for being decided?
 *
 *     append  nothing is decided: an event is appended, at any version
 *     cached  a command for an aggregate of this connection's own, whose state
 *             is in its cache
 *     cold    for another aggregate each time, whose events have to be read
 *     hot     for one of --hot aggregates that all connections share, so that
 *             others are faster now and then, and it is decided again
 *
 * Each decides and stores one event of --payload bytes. Connections are threads
 * that wait for their answers. Each way has its turn, round after round.
 *
 * Cold aggregates are the filled streams of the first category: with --fill
 * ten times --streams, and --categories 1, each has ten events.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <acta/acta_decider.h>

#include "bench.h"
#include "clock.h"
#include "crew.h"
#include "rounds.h"
#include "watch.h"

#define OWN_AGGREGATES 16
#define ATTEMPTS_MAX   1000 /* What is hot is decided often, but in the end. */
#define TIMEOUT_MS     10000
#define TARGET_SIZE    48

enum way { WAY_APPEND, WAY_CACHED, WAY_COLD, WAY_HOT, WAYS };

static const char *const names[WAYS][CREW_FIGURES_COUNT] = {
    [WAY_APPEND] = CREW_FIGURES("append"),
    [WAY_CACHED] = CREW_FIGURES("cached"),
    [WAY_COLD] = CREW_FIGURES("cold"),
    [WAY_HOT] = CREW_FIGURES("hot"),
};

struct desk;

struct clerk {
    struct desk *desk;
    size_t index;
    struct acta_sync *sync; /* owned */
    struct acta_handler
        *handlers[WAYS];        /* owned: of WAY_APPEND there is none. */
    struct acta_append *append; /* owned */
    uint64_t random;
    uint64_t number; /* Of the next command. */
};

struct desk {
    struct bench *bench;
    struct acta_decider *decider; /* owned */
    struct clerk *clerks;         /* owned */
    size_t clerks_count;
    enum way way;
    struct crew_lap laps[WAYS];
};

/* ---- the domain ---- */

struct aggregate {
    uint64_t events_count;
};

static bool
on_event(void *state, const struct acta_event *event)
{
    struct aggregate *aggregate = state;

    (void)event;
    aggregate->events_count++;
    return true;
}

static void
decide(const void *state, const struct acta_command *command,
       struct acta_decision *decision)
{
    struct acta_draft draft =
        acta_draft_of("T0", command->data, command->data_size);

    (void)state;
    acta_decision_event(decision, &draft);
}

static struct acta_decider *
make_decider(void)
{
    struct acta_decider *decider =
        acta_decider_new("c00", sizeof(struct aggregate));
    char type[3] = "T0";

    for (int i = 0; i < SAMPLE_TYPES; i++) {
        type[1] = "0123456789ABCDEF"[i];
        acta_decider_on_event(decider, type, on_event);
    }
    acta_decider_on_command(decider, "Decide", decide);
    return decider;
}

/* ---- what a thread does ---- */

/* A filled stream of category c00: numbers of streams are modulo categories. */
static uint64_t
cold_stream(struct clerk *clerk)
{
    const struct bench *bench = clerk->desk->bench;
    uint64_t categories = bench->sample.categories;
    uint64_t count = (bench->streams + categories - 1) / categories;

    return (sample_random(&clerk->random) >> 16) % count * categories;
}

static void
name_target(struct clerk *clerk, char target[TARGET_SIZE])
{
    const struct bench *bench = clerk->desk->bench;
    uint64_t hot = option_number(bench->options, OPTION_HOT);
    char stream[SAMPLE_NAME_SIZE];

    switch (clerk->desk->way) {
    case WAY_HOT:
        snprintf(target, TARGET_SIZE, "hot-%08x-%" PRIu64, bench->sample.names,
                 sample_random(&clerk->random) % hot);
        return;
    case WAY_COLD:
        sample_stream(&bench->sample, cold_stream(clerk), stream);
        snprintf(target, TARGET_SIZE, "%s", stream + strlen("c00-"));
        return;
    case WAY_APPEND:
    case WAY_CACHED:
    case WAYS:
        snprintf(target, TARGET_SIZE, "own-%08x-%zu-%" PRIu64,
                 bench->sample.names, clerk->index,
                 clerk->number % OWN_AGGREGATES);
    }
}

static enum acta_code
append_once(struct clerk *clerk, const char *target, struct acta_err *err)
{
    const struct sample *sample = &clerk->desk->bench->sample;
    struct acta_draft draft =
        acta_draft_of("T0", sample->payload, sample->payload_size);
    char stream[TARGET_SIZE + 4];

    snprintf(stream, sizeof(stream), "c00-%s", target);
    acta_append_clear(clerk->append);
    acta_append_stream(clerk->append, stream, ACTA_EXPECT_ANY);
    acta_append_event(clerk->append, &draft);
    return acta_sync_append(clerk->sync, clerk->append, NULL, err);
}

static enum acta_code
work_once(void *worker, struct acta_err *err)
{
    struct clerk *clerk = worker;
    const struct sample *sample = &clerk->desk->bench->sample;
    enum way way = clerk->desk->way;
    const struct acta_handled *handled;
    char target[TARGET_SIZE];
    struct acta_command command;

    name_target(clerk, target);
    clerk->number++;
    if (way == WAY_APPEND) {
        return append_once(clerk, target, err);
    }
    command = acta_command_of("Decide", target, sample->payload,
                              sample->payload_size);
    command.format = ACTA_FORMAT_BINARY;
    return acta_handle(clerk->handlers[way], &command, &handled, err);
}

/* ---- opening and closing ---- */

static enum acta_code
open_clerk(struct clerk *clerk, struct acta_err *err)
{
    static const size_t states_max[WAYS] = {
        [WAY_CACHED] = OWN_AGGREGATES, [WAY_COLD] = 1, [WAY_HOT] = 0};
    const struct bench *bench = clerk->desk->bench;
    struct acta_options options = acta_options_of(bench->url);
    enum acta_code code;

    clerk->random = sample_random_start(
        option_number(bench->options, OPTION_SEED) + clerk->index);
    clerk->append = acta_append_new();
    options.name = "acta-bench";
    options.timeout_ms = TIMEOUT_MS;
    code = acta_sync_open(&clerk->sync, &options, err);
    for (enum way way = WAY_CACHED; code == ACTA_OK && way < WAYS; way++) {
        struct acta_handler_options handling = acta_handler_options_of();

        handling.states_max = states_max[way];
        handling.attempts_max = ATTEMPTS_MAX;
        code = acta_handler_open(&clerk->handlers[way], clerk->sync,
                                 clerk->desk->decider, &handling, err);
    }
    return code;
}

static void
close_clerk(struct clerk *clerk)
{
    for (enum way way = WAY_CACHED; way < WAYS; way++) {
        acta_handler_close(clerk->handlers[way]);
    }
    acta_sync_close(clerk->sync);
    acta_append_free(clerk->append);
}

static enum acta_code
open_desk(struct desk *desk, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    desk->decider = make_decider();
    desk->clerks = calloc(desk->clerks_count, sizeof(*desk->clerks));
    if (desk->clerks == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu clients", desk->clerks_count);
    }
    for (size_t i = 0; code == ACTA_OK && i < desk->clerks_count; i++) {
        desk->clerks[i].desk = desk;
        desk->clerks[i].index = i;
        code = open_clerk(&desk->clerks[i], err);
    }
    return code;
}

static void
close_desk(struct desk *desk)
{
    for (size_t i = 0; desk->clerks != NULL && i < desk->clerks_count; i++) {
        close_clerk(&desk->clerks[i]);
    }
    free(desk->clerks);
    acta_decider_free(desk->decider);
}

/* ---- rounds ---- */

/* Of hot aggregates: others were faster, and it was decided again. */
static double
conflicts_of(const struct desk *desk)
{
    uint64_t conflicts = 0;

    for (size_t i = 0; i < desk->clerks_count; i++) {
        conflicts +=
            acta_handler_counts(desk->clerks[i].handlers[WAY_HOT])->conflicts;
    }
    return (double)conflicts;
}

static enum acta_code
run_round(void *user, struct figures *round, struct acta_err *err)
{
    struct desk *desk = user;
    const struct options *options = desk->bench->options;
    const struct crew_job job = {
        .once = work_once,
        .workers = desk->clerks,
        .worker_size = sizeof(*desk->clerks),
        .workers_count = desk->clerks_count,
        .length_ns = option_number(options, OPTION_DURATION) * NS_PER_MS /
                     option_number(options, OPTION_ROUNDS),
        .daemon = &desk->bench->daemon,
    };
    double conflicts = conflicts_of(desk);
    enum acta_code code = ACTA_OK;

    for (desk->way = 0; code == ACTA_OK && desk->way < WAYS; desk->way++) {
        struct crew_lap *lap = &desk->laps[desk->way];

        code = crew_run(&job, lap, err);
        crew_tell(lap, desk->way == WAY_APPEND ? NULL : &desk->laps[WAY_APPEND],
                  names[desk->way], round);
    }
    figures_add(round, "hot_conflicts", "each",
                (conflicts_of(desk) - conflicts) / desk->laps[WAY_HOT].count);
    return code;
}

enum acta_code
bench_decide(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct desk desk; /* Large. */
    enum acta_code code;

    desk = (struct desk){
        .bench = bench,
        .clerks_count = option_number(bench->options, OPTION_CLIENTS),
    };
    if (bench->head == 0 || desk.clerks_count > CREW_MAX) {
        return acta_fail(err, ACTA_INVALID,
                         "decide: there are no events to decide from, or over "
                         "%d clients",
                         CREW_MAX);
    }
    watch_begin();
    code = open_desk(&desk, err);
    if (code == ACTA_OK) {
        code = rounds_run(bench, run_round, &desk, figures, err);
    }
    close_desk(&desk);
    return code == ACTA_OK ? code : acta_wrap(err, code, "decide");
}
