/* sim: runs of the simulation, each in a process of its own, since what a
 * server that is killed had in memory stays there.
 *
 *     --seed N        the first; without it one that is new, which is said
 *     --count N       how many, one behind the other: 1
 *     --long N        how many if ACTA_TEST_LONG=1 is in the environment
 *     --twice         each must do the same again
 *     --control NAME  what the world does wrong: loses-syncs, doubles
 *     --must-fail     stop when one has failed, which is what is wanted
 *     --verbose       tell what goes on
 *
 * The last line is JSON, with what happened in all runs together. The exit
 * status is 0 if none has failed; or, if they must, if one has.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue.h"
#include "reach.h"
#include "task.h"
#include "world.h"

/* Of processor time: a run that takes longer hangs. */
#define RUN_MAX_S 60

struct options {
    uint64_t seed;
    uint64_t count;
    enum control control;
    bool twice;
    bool must_fail;
};

/* What a run tells. */
struct told {
    uint64_t trace;
    struct world_counts counts;
};

struct totals {
    uint64_t runs;
    uint64_t failed;
    uint64_t trace; /* Of all traces together. */
    struct world_counts counts;
};

/* Wall time as the system has it: the virtual clock has taken the names. */
static uint64_t
real_ms(void)
{
    struct rusage usage;
    uint64_t ms = 0;

    for (int i = 0; i < 2; i++) {
        getrusage(i == 0 ? RUSAGE_SELF : RUSAGE_CHILDREN, &usage);
        ms += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000;
        ms +=
            (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
    }
    return ms;
}

static void
run_here(const struct options *options, uint64_t seed, int fd)
{
    struct rlimit limit = {RUN_MAX_S, RUN_MAX_S};
    struct told told = {0};

    (void)setrlimit(RLIMIT_CPU, &limit);
    limit.rlim_cur = limit.rlim_max = 0;
    (void)setrlimit(RLIMIT_CORE, &limit);
    told.trace = world_run(seed, options->control, &told.counts);
    if (real_write(fd, &told, sizeof(told)) != (ssize_t)sizeof(told)) {
        real_exit(1);
    }
    real_exit(0);
}

/* False if it has failed. */
static bool
run_apart(const struct options *options, uint64_t seed, struct told *told)
{
    int fds[2], status;
    ssize_t got;
    pid_t pid;

    fflush(stdout);
    if (pipe(fds) != 0 || (pid = fork()) < 0) {
        perror("sim");
        exit(1);
    }
    if (pid == 0) {
        run_here(options, seed, fds[1]);
    }
    real_close(fds[1]);
    got = real_read(fds[0], told, sizeof(*told));
    real_close(fds[0]);
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "seed %" PRIu64 " has ended by signal %d\n", seed,
                WTERMSIG(status));
        return false;
    }
    return WEXITSTATUS(status) == 0 && got == (ssize_t)sizeof(*told);
}

/* A run that is the same whenever its seed is. */
static bool
run_twice(const struct options *options, uint64_t seed, struct told *told)
{
    struct told again = {0};

    if (!run_apart(options, seed, told) || !run_apart(options, seed, &again)) {
        return false;
    }
    if (told->trace != again.trace) {
        fprintf(stderr, "seed %" PRIu64 " does not do the same again\n", seed);
    }
    return told->trace == again.trace;
}

static void
add(struct totals *totals, const struct told *told)
{
    totals->trace = totals->trace * 31 + told->trace;
#define X(name) totals->counts.name += told->counts.name;
    WORLD_COUNTS(X)
#undef X
}

static void
print_totals(const struct options *options, const struct totals *totals,
             uint64_t ms)
{
    printf("{\"test\": \"sim\", \"control\": \"%s\", \"seed\": %" PRIu64
           ", \"seeds\": %" PRIu64 ", \"failed\": %" PRIu64
           ", \"trace\": \"%016" PRIx64 "\"",
           control_name(options->control), options->seed, totals->runs,
           totals->failed, totals->trace);
#define X(name) printf(", \"" #name "\": %" PRIu64, totals->counts.name);
    WORLD_COUNTS(X)
#undef X
    printf(", \"cpu_ms\": %" PRIu64 ", \"factor\": %" PRIu64
           ", \"seeds_per_minute\": %" PRIu64 "}\n",
           ms, ms == 0 ? 0 : totals->counts.virtual_ms / ms,
           ms == 0 ? 0 : totals->runs * 60000 / ms);
}

static int
run_all(const struct options *options)
{
    struct totals totals = {0};
    uint64_t began_ms = real_ms();

    printf("seed %" PRIu64 "\n", options->seed);
    for (; totals.runs < options->count; totals.runs++) {
        uint64_t seed = options->seed + totals.runs;
        struct told told = {0};

        if ((options->twice ? run_twice : run_apart)(options, seed, &told)) {
            add(&totals, &told);
        } else {
            totals.failed++;
        }
        if (options->must_fail && totals.failed > 0) {
            totals.runs++;
            break;
        }
    }
    print_totals(options, &totals, real_ms() - began_ms);
    return (totals.failed > 0) == options->must_fail ? 0 : 1;
}

static bool
find_control(const char *name, enum control *control)
{
    for (int i = 0; i < CONTROLS; i++) {
        *control = (enum control)i;
        if (strcmp(name, control_name(*control)) == 0) {
            return true;
        }
    }
    return false;
}

/* Take the option @name, which has no value. False if it is none. */
static bool
take_switch(struct options *options, const char *name)
{
    if (strcmp(name, "--twice") == 0) {
        options->twice = true;
    } else if (strcmp(name, "--must-fail") == 0) {
        options->must_fail = true;
    } else if (strcmp(name, "--verbose") == 0) {
        sim_verbose = true;
    } else {
        return false;
    }
    return true;
}

static bool
take_value(struct options *options, const char *name, const char *value)
{
    uint64_t number = strtoull(value, NULL, 0);

    if (strcmp(name, "--seed") == 0) {
        options->seed = number;
    } else if (strcmp(name, "--count") == 0) {
        options->count = number;
    } else if (strcmp(name, "--long") == 0) {
        options->count = rnd_effort((unsigned)options->count, (unsigned)number);
    } else {
        return strcmp(name, "--control") == 0 &&
               find_control(value, &options->control);
    }
    return true;
}

int
main(int argc, char **argv)
{
    struct options options = {.count = 1};

    reach_init();
    setenv("LIBEV_FLAGS", "2", 1); /* poll(2) is what there is. */
    queue_ahead_events = 2;        /* Little is under way here. */
    options.seed = real_random();
    for (int i = 1; i < argc; i++) {
        if (take_switch(&options, argv[i])) {
            continue;
        }
        if (i + 1 == argc || !take_value(&options, argv[i], argv[i + 1])) {
            fprintf(stderr, "sim: %s: main.c has the options\n", argv[i]);
            return 2;
        }
        i++;
    }
    return run_all(&options);
}
