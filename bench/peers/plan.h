/* What is to be measured: the workloads, in their order, and what the options
 * choose of them.
 */

#ifndef ACTA_PEERS_PLAN_H
#define ACTA_PEERS_PLAN_H

#include "work.h"

#define PLAN_NAMES_MAX  16
#define PLAN_EVENTS_MIN 20000 /* So that each slot has streams to fill. */

struct plan {
    const char *only[PLAN_NAMES_MAX]; /* Workloads; none: all. */
    size_t only_count;
    const char *kinds[PLAN_NAMES_MAX]; /* Databases; none: all. */
    size_t kinds_count;
    size_t rounds; /* 1 to FIGURES_RUNS_MAX. */
    uint64_t events;
    double seconds;
    bool busy_poll;
    bool quick;
    const char *json;     /* A file, or NULL. */
    const char *parent;   /* Directory. */
    const char *settings; /* Directory. */
    const char *actad;
};

extern const struct work plan_works[];
extern const size_t plan_works_count;

/* Read the options; strings live as long as @argv. What is wrong is told on
 * stderr. --help ends the process.
 */
bool plan_parse(struct plan *plan, int argc, char **argv);

/* Is @name one of @names? If there are none all are. */
bool plan_names(const char *const *names, size_t count, const char *name);

#endif
