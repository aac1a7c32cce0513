#include "world.h"

#include <assert.h>
#include <string.h>

#include <acta/acta_sync.h>

#include "clocks.h"
#include "drive.h"
#include "life.h"
#include "network.h"
#include "oracle.h"
#include "prune.h"
#include "roles.h"
#include "task.h"

/* How long everything may take once nothing goes wrong any more. */
#define PATIENCE_NS (300 * SIM_S)

/* What a run is like. */
struct plan {
    uint64_t busy_ns; /* How long clients begin new things. */
    uint64_t gap_ns;  /* Between two troubles, at most. */
    unsigned writers;
    unsigned subscribers;
    unsigned members;
    unsigned holders;
    unsigned planners;
    unsigned processors;
    unsigned pruners;
    bool erases_only; /* They hide nothing. */
    bool kills;
    bool power_cuts;
    bool stops;
    bool network;
    bool freezes;
    bool disk;
    bool clock;
    bool full;
};

static struct {
    enum control control;
    struct plan plan;
    struct world_counts counts;
    bool is_over; /* No server is started any more. */
} world;

const char *
control_name(enum control control)
{
    switch (control) {
    case CONTROL_LOSES_SYNCS:
        return "loses-syncs";
    case CONTROL_DOUBLES:
        return "doubles";
    case CONTROL_NONE:
    case CONTROLS:
        break;
    }
    return "none";
}

/* ---- drawing ---- */

static void
draw_plan(struct plan *plan)
{
    *plan = (struct plan){
        .busy_ns = 2 * SIM_S + sim_below(10 * SIM_S),
        .gap_ns = 200 * SIM_MS + sim_below(3 * SIM_S),
        .writers = 1 + (unsigned)sim_below(3),
        .subscribers = (unsigned)sim_below(4),
        .members = sim_once_in(2) ? 1 + (unsigned)sim_below(3) : 0,
        .holders = sim_once_in(3) ? 2 + (unsigned)sim_below(2) : 0,
        .planners = sim_once_in(3) ? 1 : 0,
        .processors = sim_once_in(3) ? 1 + (unsigned)sim_below(2) : 0,
        .kills = sim_once_in(2),
        .power_cuts = sim_once_in(2),
        .stops = sim_once_in(3),
        .network = sim_once_in(2),
        .freezes = sim_once_in(4),
        .disk = sim_once_in(4),
        .clock = sim_once_in(4),
        .full = sim_once_in(6),
    };
}

/* What was added later is not drawn from the world's chance: so the seeds of
 * worlds without that still mean what they meant before.
 */
static uint64_t
hash_of(uint64_t seed)
{
    return seed * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static unsigned
pruners_of(uint64_t seed)
{
    uint64_t hash = hash_of(seed);

    return hash % 2 == 0 ? 0 : 1 + (unsigned)(hash / 2 % ORACLE_PRUNED);
}

static bool
erases_only_in(uint64_t seed)
{
    return hash_of(seed) / 64 % 2 != 0;
}

static bool
writes_out_in(uint64_t seed)
{
    return hash_of(seed) / 16 % 4 != 0;
}

/* Odds, or none. */
static uint64_t
draw_odds(uint64_t least, uint64_t most)
{
    return sim_once_in(2) ? sim_between(least, most) : 0;
}

static void
draw_network(void)
{
    struct network_odds odds = {
        .delay_ns = 20 * SIM_US + sim_below(5 * SIM_MS),
        .slow_odds = draw_odds(20, 220),
        .slow_ns = 500 * SIM_MS,
        .split_odds = draw_odds(1, 20),
        .window = sim_once_in(3) ? 512 + sim_below(8192) : 256 << 10,
        .doubled_odds = world.control == CONTROL_DOUBLES ? 20 : 0,
    };

    network_init(&odds);
}

static void
draw_drive(uint64_t seed)
{
    struct drive_odds odds = {
        .sync_ns = 100 * SIM_US + sim_below(5 * SIM_MS),
        .slow_odds = draw_odds(10, 110),
        .slow_ns = 800 * SIM_MS,
        .names_in_order = sim_once_in(2),
        .writes_out = writes_out_in(seed),
        .loses_syncs = world.control == CONTROL_LOSES_SYNCS,
    };

    drive_init(&odds);
}

static void
draw_life(void)
{
    struct life_options options = {
        .io_threads = 1 + (unsigned)sim_below(2),
        .checkpoint_events =
            sim_once_in(2) ? 1 + (unsigned)sim_below(20) : 1000,
        .checkpoint_age_ms = 50 + (unsigned)sim_below(5000),
        .sweep_interval_ms = 200 + (unsigned)sim_below(5000),
        .output_high = sim_once_in(2) ? 4096 : 1 << 20,
        .subscription_step = sim_once_in(2) ? 1024 : 256 << 10,
        .queue_size = sim_once_in(4) ? 4096 : 1 << 20,
    };

    life_init(&options);
}

/* ---- trouble ---- */

static void
cut_power(void)
{
    sim_say("the power is cut");
    if (!life_is_over()) {
        life_kill();
    }
    drive_cut_power();
    world.counts.power_cuts++;
}

static void
make_room(void *a, uint64_t b)
{
    (void)a;
    (void)b;
    drive_fill(false);
}

static void
make_trouble(void)
{
    const struct plan *plan = &world.plan;
    uint64_t for_ns = sim_below(6 * SIM_S);
    bool lost = sim_once_in(2);

    switch (sim_below(12)) {
    case 0:
        if (plan->kills && !life_is_over()) {
            sim_say("the server is killed");
            world.counts.kills++;
            life_kill();
        }
        break;
    case 1:
        if (plan->power_cuts) {
            cut_power();
        }
        break;
    case 2:
        if (plan->stops && life_state() == LIFE_RUNS) {
            sim_say("the server is asked to stop");
            life_stop();
        }
        break;
    case 3:
    case 4:
        if (plan->network) {
            network_cut();
        }
        break;
    case 5:
        if (plan->network) {
            network_half_close();
        }
        break;
    case 6:
        if (plan->network) {
            network_stall(for_ns, lost);
        }
        break;
    case 7:
        if (plan->network && sim_once_in(3)) {
            network_part(for_ns, lost);
        }
        break;
    case 8:
        if (plan->freezes) {
            unsigned owner = sim_once_in(2)
                                 ? life_owner()
                                 : 1 + (unsigned)sim_below(party_count());

            sim_say("process %u stands still", owner);
            world.counts.freezes++;
            task_freeze(owner, for_ns);
        }
        break;
    case 9:
        if (plan->clock) {
            world.counts.clock_jumps++;
            clocks_jump();
        }
        break;
    case 10:
        if (plan->full) {
            world.counts.full_disks++;
            drive_fill(true);
            task_at(task_now_ns() + for_ns, make_room, NULL, 0);
        }
        break;
    default:
        if (plan->disk) {
            drive_fail_soon(1 + sim_below(30));
        }
        break;
    }
}

/* Starts the server again, whenever it is over. */
static bool
must_start(void *arg)
{
    (void)arg;
    return life_is_over() || world.is_over;
}

static void *
keep_alive(void *user)
{
    (void)user;
    while (!world.is_over) {
        if (life_is_over()) {
            task_sleep(sim_below(500 * SIM_MS));
            life_start();
        }
        (void)task_wait(must_start, NULL, SIM_NEVER);
    }
    return NULL;
}

/* ---- the end ---- */

static bool
runs(void *arg)
{
    (void)arg;
    return life_state() == LIFE_RUNS;
}

static bool
is_over(void *arg)
{
    (void)arg;
    return life_is_over();
}

static void
await(bool (*ready)(void *arg), const char *what)
{
    if (!task_wait(ready, NULL, task_now_ns() + PATIENCE_NS)) {
        sim_fail("%s, after %u s without trouble", what,
                 (unsigned)(PATIENCE_NS / SIM_S));
    }
}

/* From @position to @to nothing is shown. */
static void
pass_hidden(uint64_t *position, uint64_t to)
{
    while (*position < to) {
        const struct fact *fact = oracle_at(++*position);

        if (fact == NULL || !prune_may_hide(fact->stream, fact->version)) {
            sim_fail("position %ju is missing", (uintmax_t)*position);
        }
    }
}

/* Read everything, and compare it with what must be there. */
static void
read_all(void)
{
    struct acta_options options = acta_options_of("acta://127.0.0.1:2282");
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_event *event;
    struct acta_cursor *cursor;
    struct acta_sync *sync;
    struct acta_err err;
    uint64_t begun_ns = task_now_ns();
    uint64_t position = 0;

    options.timeout_ms = 60000;
    read.events_max = 1 + sim_below(100);
    while (acta_sync_open(&sync, &options, &err) != ACTA_OK) {
        if (task_now_ns() > begun_ns + PATIENCE_NS) {
            sim_fail("nobody can connect any more: %s", err.text);
        }
        task_sleep(100 * SIM_MS);
    }
    if (acta_cursor_open(&cursor, sync, &read, &err) != ACTA_OK) {
        sim_fail("nobody can read any more: %s", err.text);
    }
    for (;;) {
        if (acta_cursor_next(cursor, &event, &err) != ACTA_OK) {
            sim_fail("not everything can be read: %s", err.text);
        }
        if (event == NULL) {
            break;
        }
        pass_hidden(&position, event->position - 1);
        position = event->position;
        prune_check(oracle_saw(event)->stream, event);
    }
    pass_hidden(&position, oracle_head());
    oracle_check(position);
    role_subscriber_check(position);
    if (world.plan.processors > 0) {
        role_processor_check(position);
    }
    if (world.plan.members > 0) {
        role_member_check(position);
    }
    acta_sync_close(sync);
}

static bool
all_done(void *arg)
{
    const char **name = arg;

    return party_all_done(name);
}

static void
calm_down(void)
{
    const char *name = "";

    sim_say("no more trouble");
    network_heal();
    drive_mend();
    clocks_mend();
    if (!task_wait(all_done, &name, task_now_ns() + PATIENCE_NS)) {
        sim_fail("%s does not come to an end, after %u s without trouble", name,
                 (unsigned)(PATIENCE_NS / SIM_S));
    }
    await(runs, "the server does not run");
    read_all();
    life_stop();
    await(is_over, "the server does not stop");
    await(runs, "the server does not start");
    read_all();
    world.is_over = true;
    life_stop();
    await(is_over, "the server does not stop");
}

static void
start_writing(const char *name, unsigned count,
              void (*role)(struct party *party))
{
    for (unsigned i = 0; i < count; i++) {
        roles_begin_writing();
        (void)party_start(name, i, role);
    }
}

static void *
run(void *user)
{
    (void)user;
    (void)task_start("keeper", SIM_OWNER_WORLD, keep_alive, NULL);
    roles_end(task_now_ns() + world.plan.busy_ns);
    start_writing("writer", world.plan.writers, role_writer);
    start_writing("holder", world.plan.holders, role_holder);
    start_writing("pruner", world.plan.pruners,
                  world.plan.erases_only ? role_eraser : role_pruner);
    start_writing("planner", world.plan.planners, role_planner);
    for (unsigned i = 0; i < world.plan.processors; i++) {
        roles_begin_deriving();
        (void)party_start("processor", i, role_processor);
    }
    for (unsigned i = 0; i < world.plan.subscribers; i++) {
        (void)party_start("subscriber", i, role_subscriber);
    }
    for (unsigned i = 0; i < world.plan.members; i++) {
        (void)party_start("member", i, role_member);
    }
    while (roles_go_on()) {
        task_sleep(sim_below(world.plan.gap_ns));
        make_trouble();
    }
    calm_down();
    return NULL;
}

static void
count(struct world_counts *counts)
{
    *counts = world.counts;
    counts->virtual_ms = task_now_ns() / SIM_MS - 1000000;
    counts->lives = life_count();
    counts->blocks_lost = drive_counts()->lost;
    counts->write_outs = drive_counts()->write_outs;
    counts->disk_failures = drive_counts()->failures;
    counts->connections = network_counts()->connections;
    counts->cuts = network_counts()->cuts;
    counts->half_closes = network_counts()->half_closes;
    counts->stalls = network_counts()->stalls;
    counts->partitions = network_counts()->partitions;
    counts->stored = oracle_counts()->stored;
    counts->refused = oracle_counts()->refused;
    counts->unknown = oracle_counts()->unknown;
    counts->repeated = oracle_counts()->repeated;
    counts->events = oracle_counts()->events;
    counts->shown = oracle_counts()->shown;
    counts->followed = roles_counts()->followed;
    counts->handed = roles_counts()->handed;
    counts->leases = roles_counts()->leases;
    counts->scheduled = roles_counts()->scheduled;
    counts->cancelled = roles_counts()->cancelled;
    counts->pruned = roles_counts()->pruned;
    counts->derived = roles_counts()->derived;
    counts->switches = sim_switches();
}

uint64_t
world_run(uint64_t seed, enum control control, struct world_counts *counts)
{
    static const struct task_odds odds[] = {
        {1, 300}, {3, 1000}, {10, 0}, {40, 0}, {5, 0}, {2, 0},
    };

    task_init(seed, &odds[seed % (sizeof(odds) / sizeof(odds[0]))]);
    world.control = control;
    draw_plan(&world.plan);
    world.plan.pruners = pruners_of(seed);
    world.plan.erases_only = erases_only_in(seed);
    draw_network();
    draw_drive(seed);
    draw_life();
    task_run_all(run, NULL);
    count(counts);
    return sim_trace_sum();
}
