#include "rounds.h"

#include "progress.h"

enum acta_code
rounds_run(const struct bench *bench, round_run *run, void *user,
           struct figures *figures, struct acta_err *err)
{
    static struct figures rounds[FIGURES_RUNS_MAX];
    size_t count = option_number(bench->options, OPTION_ROUNDS);
    struct figures warm_up = {.count = 0};
    struct figures median;
    enum acta_code code;

    if (count > FIGURES_RUNS_MAX) {
        return acta_fail(err, ACTA_INVALID, "--rounds: %d at most",
                         FIGURES_RUNS_MAX);
    }
    code = run(user, &warm_up, err);
    for (size_t i = 0; i < count && code == ACTA_OK; i++) {
        progress_show("measuring", "rounds", i, count);
        rounds[i] = (struct figures){.count = 0};
        code = run(user, &rounds[i], err);
    }
    progress_clear();
    if (code != ACTA_OK) {
        return code;
    }
    figures_median(&median, rounds, count);
    for (size_t i = 0; i < median.count; i++) {
        figures_add(figures, median.list[i].name, median.list[i].unit,
                    median.list[i].value);
    }
    return ACTA_OK;
}
