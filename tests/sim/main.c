/* sim: runs of the simulation, each in a process of its own, since what a
 * server that is killed had in memory stays there.
 *
 *     --seed N        the first; without it one that is new, which is said
 *     --count N       how many, one behind the other: 1
 *     --long N        how many if ACTA_TEST_LONG=1 is in the environment
 *     --twice         each must do the same again
 *     --control NAME  what the world does wrong: loses-syncs, doubles
 *     --must-happen   fail if anything that is counted has never happened
 *     --must-fail PATTERN
 *                     stop when one has failed and says so in words like these,
 *                     which is what is wanted; one that ends by a signal, or
 *                     says something else, is told and has shown nothing
 *     --verbose       tell what goes on
 *
 * The last line is JSON, with what happened in all runs together. The exit
 * status is 0 if none has failed; or, if they must, if one has as it must.
 */

#include <inttypes.h>
#include <regex.h>
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
#define LINE_SIZE 1000

struct options {
    uint64_t seed;
    uint64_t count;
    enum control control;
    bool twice;
    bool must_happen;
    bool must_fail;
    regex_t pattern; /* What must be said; only if one must fail. */
};

enum end {
    END_WELL,
    END_FOUND, /* It has failed, and says what must be said. */
    END_BADLY,
};

/* What a run tells. */
struct told {
    uint64_t trace;
    struct world_counts counts;
};

struct totals {
    uint64_t runs;
    uint64_t failed;
    bool found;     /* One has failed as it must. */
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

/* Pass on what a run has @said. Whether that matches. */
static bool
pass_on(FILE *said, const regex_t *pattern)
{
    char line[LINE_SIZE];
    bool matches = false;

    rewind(said);
    while (fgets(line, sizeof(line), said) != NULL) {
        fputs(line, stderr);
        matches |= regexec(pattern, line, 0, NULL, 0) == 0;
    }
    fclose(said);
    return matches;
}

static enum end
run_apart(const struct options *options, uint64_t seed, struct told *told)
{
    FILE *said = options->must_fail ? tmpfile() : NULL;
    bool matches = false;
    int fds[2], status;
    ssize_t got;
    pid_t pid;

    fflush(stdout);
    if (pipe(fds) != 0 || (options->must_fail && said == NULL) ||
        (pid = fork()) < 0) {
        perror("sim");
        exit(1);
    }
    if (pid == 0) {
        if (said != NULL) {
            (void)dup2(fileno(said), STDERR_FILENO);
        }
        run_here(options, seed, fds[1]);
    }
    real_close(fds[1]);
    got = real_read(fds[0], told, sizeof(*told));
    real_close(fds[0]);
    waitpid(pid, &status, 0);
    if (said != NULL) {
        matches = pass_on(said, &options->pattern);
    }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "seed %" PRIu64 " has ended by signal %d\n", seed,
                WTERMSIG(status));
        return END_BADLY;
    }
    if (WEXITSTATUS(status) == 0 && got == (ssize_t)sizeof(*told)) {
        return END_WELL;
    }
    return matches ? END_FOUND : END_BADLY;
}

/* A run that is the same whenever its seed is. */
static enum end
run_twice(const struct options *options, uint64_t seed, struct told *told)
{
    struct told again = {0};
    enum end end = run_apart(options, seed, told);

    if (end == END_WELL) {
        end = run_apart(options, seed, &again);
    }
    if (end == END_WELL && told->trace != again.trace) {
        fprintf(stderr, "seed %" PRIu64 " does not do the same again\n", seed);
        end = END_BADLY;
    }
    return end;
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

/* Whether what is counted has all happened. */
static bool
has_happened(const struct totals *totals)
{
    bool all = true;

#define X(name)                                                                \
    if (totals->counts.name == 0) {                                            \
        fprintf(stderr, "there was nothing of: " #name "\n");                  \
        all = false;                                                           \
    }
    WORLD_COUNTS(X)
#undef X
    return all;
}

static bool
is_good(const struct options *options, const struct totals *totals)
{
    if (options->must_fail) {
        return totals->found;
    }
    return totals->failed == 0 &&
           (!options->must_happen || has_happened(totals));
}

static int
run_all(const struct options *options)
{
    struct totals totals = {0};
    uint64_t began_ms = real_ms();

    printf("seed %" PRIu64 "\n", options->seed);
    while (totals.runs < options->count && !totals.found) {
        uint64_t seed = options->seed + totals.runs++;
        struct told told = {0};
        enum end end =
            (options->twice ? run_twice : run_apart)(options, seed, &told);

        if (end == END_WELL) {
            add(&totals, &told);
        } else {
            totals.failed++;
        }
        totals.found = end == END_FOUND;
    }
    print_totals(options, &totals, real_ms() - began_ms);
    return is_good(options, &totals) ? 0 : 1;
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
    } else if (strcmp(name, "--must-happen") == 0) {
        options->must_happen = true;
    } else if (strcmp(name, "--verbose") == 0) {
        sim_verbose = true;
    } else {
        return false;
    }
    return true;
}

/* False if @name is no option that has this value. */
static bool
take_value(struct options *options, const char *name, const char *value)
{
    uint64_t number = strtoull(value, NULL, 0);

    if (strcmp(name, "--seed") == 0) {
        options->seed = number;
    } else if (strcmp(name, "--count") == 0) {
        options->count = number;
        return number > 0;
    } else if (strcmp(name, "--long") == 0) {
        options->count = rnd_effort((unsigned)options->count, (unsigned)number);
        return number > 0;
    } else if (strcmp(name, "--must-fail") == 0) {
        options->must_fail = true;
        return regcomp(&options->pattern, value, REG_EXTENDED | REG_NOSUB) == 0;
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
