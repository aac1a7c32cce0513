/* What a run has measured: numbers with a name and a unit, and their medians
 * over several runs, for people and for programs.
 */

#ifndef ACTA_BENCH_FIGURES_H
#define ACTA_BENCH_FIGURES_H

#include <stdio.h>

#include "hist.h"

#define FIGURES_MAX      320 /* More than all workloads together have. */
#define FIGURES_RUNS_MAX 101

/* Names and units are constants: "append_p50", "us". */
struct figure {
    const char *whose; /* "", or the workload, in front of the name. */
    const char *name;
    const char *unit;
    double value;
};

struct figures {
    struct figure list[FIGURES_MAX];
    size_t count;
};

/* A quotient of nothing, which is no number, is 0: nothing was measured. */
void figures_add(struct figures *figures, const char *name, const char *unit,
                 double value);

/* Add what workload @whose has found. Of what has a name that is there already
 * its own name is part: "subscribe_events".
 */
void figures_merge(struct figures *figures, const struct figures *more,
                   const char *whose);

/* The percentiles of latencies in nanoseconds, as microseconds under
 * @names: five, for p50, p90, p99, p99.9 and max.
 */
void figures_add_latency(struct figures *figures, const char *const names[5],
                         const struct hist *hist);

/* The value named @name, or 0. */
double figures_get(const struct figures *figures, const char *name);

/* @median gets the medians of @runs, each of those runs that have the figure.
 * @runs_count is 1 to FIGURES_RUNS_MAX.
 */
void figures_median(struct figures *median, const struct figures *runs,
                    size_t runs_count);

/* A line a figure: its name, the median, the unit, and, if there were several
 * runs, the least and the largest.
 */
void figures_print(const struct figures *runs, size_t runs_count, FILE *out);

/* A line a figure: @prefix, its name, its unit and the value. */
void figures_print_csv(const struct figures *figures, const char *prefix,
                       FILE *out);

/* {"append_p50": 181.3, ...} */
void figures_print_json(const struct figures *figures, FILE *out);

#endif
