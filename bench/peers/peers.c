/* acta-peers: the same workloads for Acta and for other databases, in one run
 * on one machine, in turns.
 *
 * All servers run for the whole time, but all stand still except the one whose
 * turn it is, so that what one does in the background is no burden to another.
 * Every round of a workload gives each database a turn, beginning with another
 * one each time.
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../clock.h"
#include "../json.h"
#include "../limits.h"
#include "../watch.h"
#include "table.h"

#define ROUNDS_MAX     FIGURES_RUNS_MAX
#define ONLY_MAX       16
#define CATEGORIES     20
#define PAYLOAD_SIZE   256
#define STREAMS        10000
#define LIMIT_COUNT    200
#define LIMIT_COPY     (UINT64_C(128) << 20)
#define LIMIT_SYNC_BIG 65536

static const struct work works[] = {
    {"fill", "fill", work_fill, 8, 16, 1, NULL},
    {"space", "after the first events", work_space, 0, 0, 0, NULL},
    {"read", "read all", work_read, 1, 1, 0, NULL},
    {"read-category", "read one category of twenty", work_read, 1, 1, 0, "c07"},
    {"load-10-1", "load 10 events, 1 connection", work_load, 1, 1, WORK_SHORT,
     NULL},
    {"load-10-64", "load 10 events, 64 connections", work_load, 64, 1,
     WORK_SHORT, NULL},
    {"load-100-8", "load 100 events, 8 connections", work_load, 8, 1, WORK_LONG,
     NULL},
    {"append-1", "append, 1 connection", work_append, 1, 1, 1, NULL},
    {"append-8", "append, 8 connections", work_append, 8, 1, 1, NULL},
    {"append-64", "append, 64 connections", work_append, 64, 1, 1, NULL},
    {"append-8x32", "append, 8 connections, 32 pipelined", work_append, 8, 32,
     1, NULL},
    {"append-100-8", "append 100 events, 8 connections", work_append, 8, 1, 100,
     NULL},
    {"live-1", "1 follower", work_live, 2, 1, 1, NULL},
    {"live-100", "100 followers", work_live, 101, 1, 1, NULL},
    {"live-1000", "1,000 followers", work_live, 1001, 1, 1, NULL},
};

#define WORKS_COUNT (sizeof(works) / sizeof(works[0]))

struct plan {
    const char *only[ONLY_MAX];
    size_t only_count;
    const char *kinds[ONLY_MAX];
    size_t kinds_count;
    size_t rounds;
    uint64_t events;
    double seconds;
    bool quick;
    const char *json;
    const char *parent;
    const char *settings;
    const char *actad;
};

struct run {
    struct plan plan;
    struct field field;
    struct peer peers[TABLE_PEERS_MAX];
    size_t peers_count;
    struct table table;
    char dir[HOST_PATH_SIZE]; /* "": none was made. */
};

/* ---- options ---- */

static const char usage[] =
    "usage: acta-peers [OPTION...]\n"
    "\n"
    "  --peer NAME     measure only this one; may be repeated\n"
    "  --only NAME     run only this workload; may be repeated\n"
    "  --rounds N      turns of each in each workload (5)\n"
    "  --seconds N     of a turn (2)\n"
    "  --events N      stored before anything is measured (1000000)\n"
    "  --quick         one short round, to see that all works\n"
    "  --json FILE     write all rounds there\n"
    "  --dir DIR       where data goes ($TMPDIR or /tmp)\n"
    "  --settings DIR  with the servers' configuration (bench/peers/conf)\n"
    "  --actad PATH    of Acta's server (beside this program's build)\n";

enum {
    OPTION_PEER = 1,
    OPTION_ONLY,
    OPTION_ROUNDS,
    OPTION_SECONDS,
    OPTION_EVENTS,
    OPTION_QUICK,
    OPTION_JSON,
    OPTION_DIR,
    OPTION_SETTINGS,
    OPTION_ACTAD,
    OPTION_HELP,
};

static const struct option options[] = {
    {"peer", required_argument, NULL, OPTION_PEER},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"events", required_argument, NULL, OPTION_EVENTS},
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"json", required_argument, NULL, OPTION_JSON},
    {"dir", required_argument, NULL, OPTION_DIR},
    {"settings", required_argument, NULL, OPTION_SETTINGS},
    {"actad", required_argument, NULL, OPTION_ACTAD},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void
add_name(const char *list[ONLY_MAX], size_t *count)
{
    if (*count < ONLY_MAX) {
        list[(*count)++] = optarg;
    }
}

static void
take_option(struct plan *plan, int option)
{
    switch (option) {
    case OPTION_PEER:
        add_name(plan->kinds, &plan->kinds_count);
        break;
    case OPTION_ONLY:
        add_name(plan->only, &plan->only_count);
        break;
    case OPTION_ROUNDS:
        plan->rounds = strtoul(optarg, NULL, 10);
        break;
    case OPTION_SECONDS:
        plan->seconds = strtod(optarg, NULL);
        break;
    case OPTION_EVENTS:
        plan->events = strtoull(optarg, NULL, 10);
        break;
    case OPTION_QUICK:
        plan->quick = true;
        plan->rounds = 1;
        plan->seconds = 0.3;
        plan->events = 20000;
        break;
    case OPTION_JSON:
        plan->json = optarg;
        break;
    case OPTION_DIR:
        plan->parent = optarg;
        break;
    case OPTION_SETTINGS:
        plan->settings = optarg;
        break;
    case OPTION_ACTAD:
        plan->actad = optarg;
        break;
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(EXIT_SUCCESS);
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static bool
is_named(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return count == 0;
}

/* A name that is none of a workload or database would measure nothing. */
static bool
are_known(const struct plan *plan)
{
    for (size_t i = 0; i < plan->only_count; i++) {
        bool found = false;

        for (size_t j = 0; j < WORKS_COUNT; j++) {
            found = found || strcmp(plan->only[i], works[j].name) == 0;
        }
        if (!found) {
            fprintf(stderr, "acta-peers: no workload %s\n", plan->only[i]);
            return false;
        }
    }
    for (size_t i = 0; i < plan->kinds_count; i++) {
        bool found = false;

        for (size_t j = 0; peer_kinds[j] != NULL; j++) {
            found = found || strcmp(plan->kinds[i], peer_kinds[j]->name) == 0;
        }
        if (!found) {
            fprintf(stderr, "acta-peers: %s is not known to this build\n",
                    plan->kinds[i]);
            return false;
        }
    }
    return true;
}

static bool
parse_options(struct plan *plan, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        take_option(plan, option);
    }
    if (optind < argc || plan->rounds == 0 || plan->rounds > ROUNDS_MAX ||
        plan->seconds <= 0 || plan->events < 20000) {
        fputs(usage, stderr);
        return false;
    }
    return are_known(plan);
}

/* ---- what all have ---- */

static enum acta_code
make_field(struct run *run, struct acta_err *err)
{
    struct field *field = &run->field;
    struct sample sample = {
        .categories = CATEGORIES,
        .tags_of = 1,
        .payload_size = PAYLOAD_SIZE,
    };

    /* Half of the events are in short streams, half in long ones. */
    *field = (struct field){
        .seconds = run->plan.seconds,
        .settles = !run->plan.quick,
        .streams = STREAMS,
        .shorts = run->plan.events / 2 / WORK_SHORT,
        .longs = run->plan.events / 2 / WORK_LONG,
        .appended = sample,
        .short_ones = sample,
        .long_ones = sample,
    };
    field->short_ones.run = 1;
    field->long_ones.run = 2;
    return sample_init(&field->appended, 1, err);
}

/* Needs its own directory, which other users may walk through. */
static enum acta_code
make_dir(struct run *run, struct acta_err *err)
{
    snprintf(run->dir, sizeof(run->dir), "%s/acta-peers-XXXXXX",
             run->plan.parent);
    if (mkdtemp(run->dir) == NULL || chmod(run->dir, 0711) != 0) {
        run->dir[0] = '\0';
        return acta_fail(err, ACTA_IO, "make a directory in %s: %s",
                         run->plan.parent, strerror(errno));
    }
    return ACTA_OK;
}

static enum acta_code
start_peers(struct run *run, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && peer_kinds[i] != NULL; i++) {
        struct peer *peer = &run->peers[run->peers_count];

        if (!is_named(run->plan.kinds, run->plan.kinds_count,
                      peer_kinds[i]->name)) {
            continue;
        }
        *peer = (struct peer){
            .kind = peer_kinds[i],
            .settings = run->plan.settings,
            .actad = run->plan.actad,
        };
        code = peer_start(peer, run->dir, run->field.streams, err);
        if (code == ACTA_NOT_FOUND) {
            fprintf(stderr, "acta-peers: %s\n", err->text);
            peer_stop(peer);
            code = ACTA_OK;
            continue;
        }
        run->table.peers[run->peers_count++] = peer;
        run->table.peers_count = run->peers_count;
        host_pause(&peer->host, true);
    }
    return code;
}

/* ---- rounds ---- */

/* The disk where data is, the loopback, and the journal alone: 64 KiB are some
 * 200 events of this size with what belongs to them.
 */
static enum acta_code
measure_limits(struct run *run, struct acta_err *err)
{
    static struct hist hist; /* Large. */
    static const struct {
        const char *name;
        bool direct;
        size_t size;
    } syncs[] = {
        {"write and sync 4 KiB, direct", true, 4096},
        {"write and sync 4 KiB, buffered", false, 4096},
        {"write and sync 64 KiB, direct", true, LIMIT_SYNC_BIG},
    };
    struct figures *figures = cell_next(&run->table.limits, TABLE_WORKS_MAX);
    enum acta_code code = ACTA_OK;
    double bytes_s = 0;

    if (figures == NULL) {
        return acta_fail(err, ACTA_MEMORY, "limits");
    }
    for (size_t i = 0; code == ACTA_OK && i < 3; i++) {
        hist_clear(&hist);
        code = limits_sync(run->dir, syncs[i].direct, syncs[i].size,
                           LIMIT_COUNT, &hist, err);
        figures_add(figures, syncs[i].name, "µs",
                    (double)hist_percentile(&hist, 50) / NS_PER_US);
    }
    hist_clear(&hist);
    if (code == ACTA_OK) {
        code = limits_round_trip(LIMIT_COUNT, &hist, err);
    }
    figures_add(figures, "round trip on loopback", "µs",
                (double)hist_percentile(&hist, 50) / NS_PER_US);
    if (code == ACTA_OK) {
        code = limits_loopback(LIMIT_COPY, &bytes_s, err);
    }
    figures_add(figures, "copy through loopback", "MB/s", bytes_s / 1e6);
    return code;
}

static enum acta_code
run_turn(struct run *run, size_t row, size_t column, struct acta_err *err)
{
    const struct work *work = run->table.works[row];
    struct peer *peer = &run->peers[column];
    struct figures *figures =
        cell_next(&run->table.cells[row][column], run->table.rounds);
    enum acta_code code;

    if (figures == NULL) {
        return acta_fail(err, ACTA_MEMORY, "figures");
    }
    host_pause(&peer->host, false);
    code = work->run(peer, work, &run->field, figures, err);
    host_pause(&peer->host, true);
    return code == ACTA_OK
               ? code
               : acta_wrap(err, code, "%s, %s", work->name, peer->kind->name);
}

/* One that differs in appends only has no other turns, and none has a turn of
 * what it cannot do.
 */
static bool
is_for(const struct work *work, const struct peer_kind *kind)
{
    if (work->run == work_append) {
        return work->events <= kind->append_max;
    }
    if (work->run == work_load && kind->load == NULL) {
        return false;
    }
    return work->run == work_live || !kind->only_appends;
}

static enum acta_code
run_work(struct run *run, const struct work *work, struct acta_err *err)
{
    bool is_measured = work->run != work_fill && work->run != work_space;
    size_t row = run->table.works_count++;
    size_t rounds = is_measured ? run->plan.rounds : 1;
    uint64_t start_ns = clock_ns();
    enum acta_code code = ACTA_OK;

    run->table.works[row] = work;
    if (is_measured) {
        code = measure_limits(run, err);
    }
    for (size_t round = 0; code == ACTA_OK && round < rounds; round++) {
        for (size_t i = 0; code == ACTA_OK && i < run->peers_count; i++) {
            size_t column = (i + round) % run->peers_count;

            if (is_for(work, run->peers[column].kind)) {
                code = run_turn(run, row, column, err);
            }
        }
    }
    fprintf(stderr, "%s: %.1f s\n", work->name,
            (double)(clock_ns() - start_ns) / 1e9);
    return code;
}

/* What is filled is found by loads and reads, appends are measured on top. */
static enum acta_code
run_all(struct run *run, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    run->table.rounds = run->plan.rounds;
    for (size_t i = 0; code == ACTA_OK && i < WORKS_COUNT; i++) {
        if (works[i].run == work_fill ||
            is_named(run->plan.only, run->plan.only_count, works[i].name)) {
            code = run_work(run, &works[i], err);
        }
    }
    return code;
}

/* ---- the rest ---- */

static enum acta_code
write_json(const struct run *run, struct acta_err *err)
{
    struct machine machine;
    char head[512];
    FILE *file;

    if (run->plan.json == NULL) {
        return ACTA_OK;
    }
    limits_describe(&machine, run->plan.parent);
    snprintf(head, sizeof(head),
             "\"machine\": {\"cpu\": \"%s\", \"cpus\": %ld, "
             "\"memory_gib\": %.1f, \"kernel\": \"%s\", "
             "\"filesystem\": \"%s\"},\n \"rounds\": %zu, \"seconds\": %g, "
             "\"events\": %ju",
             machine.cpu, machine.cpus, machine.memory_gib, machine.kernel,
             machine.filesystem, run->plan.rounds, run->plan.seconds,
             (uintmax_t)field_events(&run->field));
    file = fopen(run->plan.json, "we");
    if (file == NULL) {
        return acta_fail(err, ACTA_IO, "%s: %s", run->plan.json,
                         strerror(errno));
    }
    table_print_json(&run->table, head, file);
    return fclose(file) == 0
               ? ACTA_OK
               : acta_fail(err, ACTA_IO, "write %s", run->plan.json);
}

static void
stop_all(struct run *run)
{
    for (size_t i = 0; i < run->peers_count; i++) {
        peer_stop(&run->peers[i]);
    }
    if (run->dir[0] != '\0') {
        rmdir(run->dir);
    }
    sample_fini(&run->field.appended);
    table_free(&run->table);
}

static enum acta_code
measure(struct run *run, struct acta_err *err)
{
    enum acta_code code = make_field(run, err);

    if (code == ACTA_OK) {
        code = make_dir(run, err);
    }
    if (code == ACTA_OK) {
        code = start_peers(run, err);
    }
    if (code == ACTA_OK) {
        code = run_all(run, err);
    }
    if (code == ACTA_OK) {
        table_print(&run->table, stdout);
        code = write_json(run, err);
    }
    stop_all(run);
    return code;
}

/* In the tree of this program's build, or in one of the directories of $PATH.
 */
static const char *
actad_path(void)
{
    static char path[HOST_PATH_SIZE];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 32);

    if (size > 0) {
        path[size] = '\0';
        strcpy(strrchr(path, '/'), "/../../server/actad");
        if (access(path, X_OK) == 0) {
            return path;
        }
    }
    return "actad";
}

int
main(int argc, char **argv)
{
    static struct run run; /* Large. */
    const char *parent = getenv("TMPDIR");
    struct acta_err err = {ACTA_OK, ""};

    run.plan = (struct plan){
        .rounds = 5,
        .seconds = 2,
        .events = 1000000,
        .parent = parent == NULL ? "/tmp" : parent,
        .settings = "bench/peers/conf",
        .actad = actad_path(),
    };
    if (!parse_options(&run.plan, argc, argv)) {
        return 2;
    }
    watch_signals();
    if (measure(&run, &err) != ACTA_OK) {
        fprintf(stderr, "acta-peers: %s\n", err.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
