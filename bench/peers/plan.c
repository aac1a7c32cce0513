#include "plan.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../figures.h"

/* What is filled is found by reads and loads, and appends are measured on top:
 * so their order counts.
 */
const struct work plan_works[] = {
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

const size_t plan_works_count = sizeof(plan_works) / sizeof(plan_works[0]);

static const char usage[] =
    "usage: acta-peers [OPTION...]\n"
    "\n"
    "  --peer NAME     measure only this one; may be repeated\n"
    "  --only NAME     run only this workload; may be repeated\n"
    "  --rounds N      turns of each in each workload (5)\n"
    "  --seconds N     of a turn (2)\n"
    "  --events N      stored before anything is measured (1000000)\n"
    "  --busy-poll     the client looks for answers all the time, of each\n"
    "                  database, and never sleeps\n"
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
    OPTION_BUSY_POLL,
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
    {"busy-poll", no_argument, NULL, OPTION_BUSY_POLL},
    {"quick", no_argument, NULL, OPTION_QUICK},
    {"json", required_argument, NULL, OPTION_JSON},
    {"dir", required_argument, NULL, OPTION_DIR},
    {"settings", required_argument, NULL, OPTION_SETTINGS},
    {"actad", required_argument, NULL, OPTION_ACTAD},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void
add_name(const char *list[PLAN_NAMES_MAX], size_t *count)
{
    if (*count < PLAN_NAMES_MAX) {
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
    case OPTION_BUSY_POLL:
        plan->busy_poll = true;
        break;
    case OPTION_QUICK:
        plan->quick = true;
        plan->rounds = 1;
        plan->seconds = 0.3;
        plan->events = PLAN_EVENTS_MIN;
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

bool
plan_names(const char *const *names, size_t count, const char *name)
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

        for (size_t j = 0; j < plan_works_count; j++) {
            found = found || strcmp(plan->only[i], plan_works[j].name) == 0;
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

bool
plan_parse(struct plan *plan, int argc, char **argv)
{
    const char *parent = getenv("TMPDIR");
    int option;

    *plan = (struct plan){
        .rounds = 5,
        .seconds = 2,
        .events = 1000000,
        .parent = parent == NULL ? "/tmp" : parent,
        .settings = "bench/peers/conf",
        .actad = actad_path(),
    };
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        take_option(plan, option);
    }
    if (optind < argc || plan->rounds == 0 || plan->rounds > FIGURES_RUNS_MAX ||
        plan->seconds <= 0 || plan->events < PLAN_EVENTS_MIN) {
        fputs(usage, stderr);
        return false;
    }
    return are_known(plan);
}
