/* Rounds, in each of which every way that is compared has its turn: what is
 * told is the median of the rounds, of ratios too. There is one more before,
 * which does not count.
 */

#ifndef ACTA_BENCH_ROUNDS_H
#define ACTA_BENCH_ROUNDS_H

#include "bench.h"

/* Measure all ways once. @round gets the same names in the same order each
 * time.
 */
typedef enum acta_code round_run(void *user, struct figures *round,
                                 struct acta_err *err);

/* As many as --rounds says. INVALID: over FIGURES_RUNS_MAX. */
enum acta_code rounds_run(const struct bench *bench, round_run *run, void *user,
                          struct figures *figures, struct acta_err *err);

#endif
