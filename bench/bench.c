#include "bench.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <acta/acta_sync.h>

#include "json.h"
#include "limits.h"
#include "progress.h"
#include "watch.h"

static const struct workload {
    const char *name;
    enum workload_bit bit;
    workload_run *run;
    uint64_t fill;    /* Events to store before, if nothing else is said. */
    bool needs_fresh; /* Each run wants a server without events. */
    const char *text;
} workloads[] = {
    {"append", W_APPEND, bench_append, 0, true, "append events"},
    {"read", W_READ, bench_read, 1000000, false,
     "read everything, a query or a stream, page by page"},
    {"subscribe", W_SUBSCRIBE, bench_subscribe, 1000000, false,
     "replay everything or a query by a subscription"},
    {"live", W_LIVE, bench_live, 0, false,
     "deliver events to subscribers as they are appended"},
    {"load", W_LOAD, bench_load, 0, false, "load whole streams"},
    {"start", W_START, bench_start, 1000000, false,
     "start after a stop, and after a kill"},
    {"fill", W_FILL, bench_filling, 1000000, true,
     "store events as fast as may be, until the store has them all"},
    {"find", W_FIND, bench_find, 1000000, false,
     "read what is rare among many events, and among few"},
    {"condition", W_CONDITION, bench_condition, 1000000, false,
     "append under conditions, over short lists and long ones"},
    {"spread", W_SPREAD, bench_spread, 1000000, false,
     "append with one tag or ten, to ten streams or all"},
    {"beside", W_BESIDE, bench_beside, 1000000, false,
     "append alone, and beside readers that filter and list"},
    {"group", W_GROUP, bench_group, 1000000, false,
     "hand events out to the members of a group, and deliver them plainly"},
    {"idle", W_IDLE, bench_idle, 0, true,
     "append with and without groups that have nothing to do"},
    {"lease", W_LEASE, bench_lease, 0, false, "acquire and release leases"},
    {"effects", W_EFFECTS, bench_effects, 0, false,
     "append with a checkpoint, a lease, a snapshot, a schedule, and without"},
    {"schedule", W_SCHEDULE, bench_schedule, 0, false,
     "make scheduled appends, and let them take place"},
    {"snapshot", W_SNAPSHOT, bench_snapshot, 0, false,
     "load streams with a snapshot and without"},
    {"decide", W_DECIDE, bench_decide, 100000, false,
     "handle commands with a decider, by states that are cached, cold, hot"},
#ifdef BENCH_HAS_SQLITE
    {"project", W_PROJECT, bench_project, 1000000, false,
     "give events to a handler that does nothing, and to one with SQLite"},
    {"wait", W_WAIT, bench_wait, 0, false, "append, and wait for a projection"},
#endif
    {"machine", W_MACHINE, bench_machine, 0, false,
     "the disk, the memory and the loopback without Acta"},
};

#define RUN_PREFIX_SIZE 256
#define WORKLOADS_COUNT (sizeof(workloads) / sizeof(workloads[0]))

/* The workloads of the command line, to be run in turn on one server. */
struct plan {
    const struct workload *list[WORKLOADS_COUNT];
    size_t count;
    unsigned bits;
    uint64_t fill;
    const char *text; /* "find,condition" */
};

/* ---- help ---- */

static void
print_help(FILE *out)
{
    fprintf(out, "usage: acta-bench WORKLOAD[,WORKLOAD...] [OPTION...] "
                 "[-- OPTION-OF-ACTAD...]"
                 "\n       acta-bench WORKLOAD --help\n\nWorkloads:\n");
    for (size_t i = 0; i < WORKLOADS_COUNT; i++) {
        fprintf(out, "  %-10s %s\n", workloads[i].name, workloads[i].text);
    }
    fprintf(out, "\nOptions, each for some of them:\n");
    options_print_help(W_ALL, out);
    fprintf(out, "\nWithout --server it starts an actad of its own and removes "
                 "it with its data.\n");
}

static void
print_plan_help(const struct plan *plan, FILE *out)
{
    for (size_t i = 0; i < plan->count; i++) {
        fprintf(out, "acta-bench %s: %s\n", plan->list[i]->name,
                plan->list[i]->text);
    }
    fputc('\n', out);
    options_print_help(plan->bits, out);
}

static const struct workload *
find_workload(const char *name, size_t size)
{
    for (size_t i = 0; i < WORKLOADS_COUNT; i++) {
        if (strlen(workloads[i].name) == size &&
            strncmp(workloads[i].name, name, size) == 0) {
            return &workloads[i];
        }
    }
    return NULL;
}

/* Read "find,condition": each once. What is wrong is told on stderr. */
static bool
make_plan(struct plan *plan, const char *text)
{
    *plan = (struct plan){.text = text};
    for (const char *name = text; name != NULL;) {
        const char *end = strchrnul(name, ',');
        const struct workload *workload =
            find_workload(name, (size_t)(end - name));

        if (workload == NULL) {
            fprintf(stderr, "acta-bench: there is no workload %.*s\n",
                    (int)(end - name), name);
            return false;
        }
        if ((plan->bits & workload->bit) != 0) {
            fprintf(stderr, "acta-bench: %s is named twice\n", workload->name);
            return false;
        }
        plan->list[plan->count++] = workload;
        plan->bits |= workload->bit;
        plan->fill = workload->fill > plan->fill ? workload->fill : plan->fill;
        name = *end == '\0' ? NULL : end + 1;
    }
    for (size_t i = 0; i < plan->count && plan->count > 1; i++) {
        if (plan->list[i]->needs_fresh || plan->list[i]->bit == W_MACHINE) {
            fprintf(stderr, "acta-bench: %s is run by itself\n",
                    plan->list[i]->name);
            return false;
        }
    }
    return true;
}

static bool
asks_for_help(const char *argument)
{
    return argument != NULL &&
           (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0 ||
            strcmp(argument, "help") == 0);
}

/* ---- a server to measure ---- */

static enum acta_code
open_server(struct bench *bench, struct acta_err *err)
{
    const struct options *options = bench->options;
    const char *server = option_text(options, OPTION_SERVER);
    enum acta_code code;

    if (server != NULL) {
        snprintf(bench->url, sizeof(bench->url), "%s", server);
        return ACTA_OK;
    }
    code = daemon_init(
        &bench->daemon, daemon_path(option_text(options, OPTION_ACTAD)),
        option_text(options, OPTION_DIR), option_text(options, OPTION_DATA),
        options->server_arguments, err);
    if (code != ACTA_OK || options->workloads == W_MACHINE) {
        return code;
    }
    code = daemon_start(&bench->daemon, err);
    snprintf(bench->url, sizeof(bench->url), "acta://127.0.0.1:%u",
             bench->daemon.port);
    return code;
}

enum acta_code
bench_head(const struct bench *bench, uint64_t *head, struct acta_err *err)
{
    struct acta_options options = acta_options_of(bench->url);
    struct acta_sync *sync;
    enum acta_code code = acta_sync_open(&sync, &options, err);

    if (code == ACTA_OK) {
        code = acta_sync_ping(sync, head, err);
        acta_sync_close(sync);
    }
    return code;
}

/* How large the data of an event is, at most. */
static enum acta_code
read_sizes(struct bench *bench, struct acta_err *err)
{
    const char *sizes = option_text(bench->options, OPTION_SIZES);
    enum acta_code code = ACTA_OK;

    bench->sample.payload_size = option_number(bench->options, OPTION_PAYLOAD);
    if (sizes != NULL) {
        code = sizes_read(&bench->sizes, sizes, PAYLOAD_LEAST, PAYLOAD_LARGEST,
                          err);
        bench->sample.payload_size = bench->sizes.largest;
    }
    return code;
}

static enum acta_code
open_bench(struct bench *bench, struct acta_err *err)
{
    const struct options *options = bench->options;
    uint64_t fill = option_number(options, OPTION_FILL);
    enum acta_code code;

    bench->streams = option_number(options, OPTION_STREAMS);
    bench->versions = calloc(bench->streams, sizeof(*bench->versions));
    if (bench->versions == NULL) {
        return acta_fail(err, ACTA_MEMORY, "streams");
    }
    bench->sample = (struct sample){
        .categories = option_number(options, OPTION_CATEGORIES),
        .tags_count = option_number(options, OPTION_TAGS),
        .tags_of = option_number(options, OPTION_TAGS_OF),
        .correlated = option_number(options, OPTION_CORRELATED),
        .first = option_number(options, OPTION_FIRST),
        .names = (uint32_t)option_number(options, OPTION_NAMES),
    };
    code = read_sizes(bench, err);
    if (code == ACTA_OK) {
        code = sample_init(&bench->sample, option_number(options, OPTION_SEED),
                           err);
    }
    if (code == ACTA_OK) {
        code = open_server(bench, err);
    }
    if (code == ACTA_OK && fill > 0 && options->workloads != W_FILL) {
        code = bench_fill(bench, fill, err);
    }
    if (code == ACTA_OK && options->workloads != W_MACHINE) {
        code = bench_head(bench, &bench->head, err);
    }
    return code;
}

static void
close_bench(struct bench *bench)
{
    daemon_remove(&bench->daemon);
    sample_fini(&bench->sample);
    free(bench->versions);
    *bench = (struct bench){.options = bench->options};
}

/* ---- runs ---- */

static enum acta_code
run_once(const struct plan *plan, struct bench *bench, struct figures *figures,
         struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; i < plan->count && code == ACTA_OK; i++) {
        struct figures found = {.count = 0};

        code = plan->list[i]->run(bench, &found, err);
        figures_merge(figures, &found, plan->list[i]->name);
    }
    return code;
}

static enum acta_code
run_all(const struct plan *plan, struct bench *bench, struct figures *runs,
        size_t runs_count, struct acta_err *err)
{
    enum acta_code code = open_bench(bench, err);

    for (size_t i = 0; i < runs_count && code == ACTA_OK; i++) {
        if (i > 0 && plan->list[0]->needs_fresh) {
            close_bench(bench);
            code = open_bench(bench, err);
        }
        if (code == ACTA_OK) {
            code = run_once(plan, bench, &runs[i], err);
        }
    }
    return code;
}

static const char *
data_dir(const struct options *options)
{
    const char *dir = option_text(options, OPTION_DIR);
    const char *temporary = getenv("TMPDIR");

    return dir != NULL ? dir : temporary != NULL ? temporary : "/tmp";
}

static void
print_text(const struct plan *plan, const struct options *options,
           const struct figures *runs, size_t runs_count)
{
    struct machine machine;

    limits_describe(&machine, data_dir(options));
    printf("%s:", plan->text);
    options_print(options, stdout);
    printf("\n%s, %ld processors, %.0f GiB, %s, %s\n", machine.cpu,
           machine.cpus, machine.memory_gib, machine.filesystem,
           machine.kernel);
    if (runs_count > 1) {
        printf("  %-24s%14s%14s%14s\n", "", "median", "least", "most");
    }
    figures_print(runs, runs_count, stdout);
}

static void
print_json(const struct plan *plan, const struct options *options,
           const struct figures *runs, size_t runs_count)
{
    struct machine machine;
    struct figures median;

    limits_describe(&machine, data_dir(options));
    printf("{\"workload\": \"%s\", \"version\": ", plan->text);
    json_print_text(acta_version(), stdout);
    printf(", \"settings\": ");
    options_print_json(options, stdout);
    printf(", \"machine\": {\"cpu\": ");
    json_print_text(machine.cpu, stdout);
    printf(", \"cpus\": %ld, \"memory_gib\": %.1f, \"kernel\": ", machine.cpus,
           machine.memory_gib);
    json_print_text(machine.kernel, stdout);
    printf(", \"filesystem\": ");
    json_print_text(machine.filesystem, stdout);
    printf("}, \"runs\": [");
    for (size_t i = 0; i < runs_count; i++) {
        printf("%s", i == 0 ? "" : ", ");
        figures_print_json(&runs[i], stdout);
    }
    figures_median(&median, runs, runs_count);
    printf("], \"median\": ");
    figures_print_json(&median, stdout);
    printf("}\n");
}

static void
print_csv(const struct plan *plan, const struct figures *runs,
          size_t runs_count)
{
    printf("workload,run,figure,unit,value\n");
    for (size_t i = 0; i < runs_count; i++) {
        char prefix[RUN_PREFIX_SIZE];

        snprintf(prefix, sizeof(prefix), "\"%s\",%zu", plan->text, i + 1);
        figures_print_csv(&runs[i], prefix, stdout);
    }
}

static int
run(const struct plan *plan, const struct options *options)
{
    static struct figures runs[FIGURES_RUNS_MAX];
    size_t runs_count = option_number(options, OPTION_RUNS);
    struct bench bench = {.options = options};
    enum acta_code code;
    struct acta_err err;

    watch_signals();
    code = run_all(plan, &bench, runs, runs_count, &err);
    progress_clear();
    if (code != ACTA_OK) {
        daemon_explain(&bench.daemon, &err);
    }
    close_bench(&bench);
    if (code != ACTA_OK) {
        fprintf(stderr, "acta-bench: %s\n", err.text);
        return EXIT_FAILURE;
    }
    if (option_number(options, OPTION_CSV)) {
        print_csv(plan, runs, runs_count);
    } else if (option_number(options, OPTION_JSON)) {
        print_json(plan, options, runs, runs_count);
    } else {
        print_text(plan, options, runs, runs_count);
    }
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    struct options options;
    struct plan plan;
    int status;

    if (argc < 2 || asks_for_help(argv[1])) {
        print_help(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : EXIT_SUCCESS;
    }
    if (!make_plan(&plan, argv[1])) {
        return 2;
    }
    if (asks_for_help(argv[2])) {
        print_plan_help(&plan, stdout);
        return EXIT_SUCCESS;
    }
    if (!options_parse(&options, plan.bits, argv + 2)) {
        options_free(&options);
        return 2;
    }
    /* What is there already is what is read. */
    if ((option_text(&options, OPTION_SERVER) == NULL &&
         option_text(&options, OPTION_DATA) == NULL) ||
        plan.bits == W_FILL) {
        options_default(&options, OPTION_FILL, plan.fill);
    }
    status = run(&plan, &options);
    options_free(&options);
    return status;
}
