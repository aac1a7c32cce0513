/* acta-peers: the same workloads for Acta and for other databases, in one run
 * on one machine, in turns.
 *
 * All servers run for the whole time, but all stand still except the one whose
 * turn it is, so that what one does in the background is no burden to another.
 * Every round of a workload gives each database a turn, beginning with another
 * one each time.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../clock.h"
#include "../json.h"
#include "../limits.h"
#include "../watch.h"
#include "plan.h"
#include "table.h"

#define CATEGORIES     20
#define PAYLOAD_SIZE   256
#define STREAMS        10000
#define LIMIT_COUNT    200
#define LIMIT_COPY     (UINT64_C(128) << 20)
#define LIMIT_SYNC_BIG 65536

struct run {
    struct plan plan;
    struct field field;
    struct peer peers[TABLE_PEERS_MAX];
    size_t peers_count;
    bool failed; /* One of them. */
    struct table table;
    char dir[HOST_PATH_SIZE]; /* "": none was made. */
};

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
    field->short_ones.names = 1;
    field->long_ones.names = 2;
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

        if (!plan_names(run->plan.kinds, run->plan.kinds_count,
                        peer_kinds[i]->name)) {
            continue;
        }
        *peer = (struct peer){
            .kind = peer_kinds[i],
            .settings = run->plan.settings,
            .actad = run->plan.actad,
            .stays_awake = run->plan.busy_poll,
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

/* As many requests of as many bytes, while all databases stand still. */
static enum acta_code
run_echo(struct run *run, size_t row, const struct peer *peer,
         struct acta_err *err)
{
    static struct echoed echoed; /* Large. */
    const struct work *work = run->table.works[row];
    double events = work->run == work_append ? (double)work->events : 1;
    struct figures *figures;
    enum acta_code code;

    if (peer->echo.duration_ns == 0) {
        return ACTA_OK;
    }
    figures = cell_next(&run->table.echoes[row], run->table.rounds);
    if (figures == NULL) {
        return acta_fail(err, ACTA_MEMORY, "figures");
    }
    code = echo_run(&peer->echo, &echoed, err);
    figures_add(figures, "rate", "/s", echoed.rate * events);
    figures_add(figures, "p50", "us",
                (double)hist_percentile(&echoed.hist, 50) / NS_PER_US);
    figures_add(figures, "p99", "us",
                (double)hist_percentile(&echoed.hist, 99) / NS_PER_US);
    figures_add(figures, "server_cpu", "us", echoed.server_us / events);
    figures_add(figures, "client_cpu", "us", echoed.client_us / events);
    return code;
}

/* One that fails has no turns any more, and keeps nobody else from theirs. */
static enum acta_code
run_turn(struct run *run, size_t row, size_t column, struct acta_err *err)
{
    const struct work *work = run->table.works[row];
    struct cell *cell = &run->table.cells[row][column];
    struct figures *figures = cell_next(cell, run->table.rounds);
    struct peer *peer = &run->peers[column];
    enum acta_code code;

    if (figures == NULL) {
        return acta_fail(err, ACTA_MEMORY, "figures");
    }
    peer->echo = (struct echo){0};
    host_pause(&peer->host, false);
    code = work->run(peer, work, &run->field, figures, err);
    host_pause(&peer->host, true);
    if (code == ACTA_OK) {
        return run_echo(run, row, peer, err);
    }
    if (code == ACTA_CANCELLED) {
        return code;
    }
    fprintf(stderr, "acta-peers: %s, %s: %s\n", work->name, peer->kind->name,
            err->text);
    peer->failed = true;
    run->failed = true;
    cell->count--;
    watch_begin();
    return ACTA_OK;
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

            if (!run->peers[column].failed &&
                is_for(work, run->peers[column].kind)) {
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
    for (size_t i = 0; code == ACTA_OK && i < plan_works_count; i++) {
        if (plan_works[i].run == work_fill ||
            plan_names(run->plan.only, run->plan.only_count,
                       plan_works[i].name)) {
            code = run_work(run, &plan_works[i], err);
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
             "\"busy_poll\": %s, \"events\": %ju",
             machine.cpu, machine.cpus, machine.memory_gib, machine.kernel,
             machine.filesystem, run->plan.rounds, run->plan.seconds,
             run->plan.busy_poll ? "true" : "false",
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

int
main(int argc, char **argv)
{
    static struct run run; /* Large. */
    struct acta_err err = {ACTA_OK, ""};

    if (!plan_parse(&run.plan, argc, argv)) {
        return 2;
    }
    watch_signals();
    if (measure(&run, &err) != ACTA_OK) {
        fprintf(stderr, "acta-peers: %s\n", err.text);
        return EXIT_FAILURE;
    }
    return run.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
