#include "figures.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

void
figures_add(struct figures *figures, const char *name, const char *unit,
            double value)
{
    assert(figures->count < FIGURES_MAX);

    figures->list[figures->count++] =
        (struct figure){name, unit, isfinite(value) ? value : 0};
}

void
figures_add_latency(struct figures *figures, const char *const names[5],
                    const struct hist *hist)
{
    static const double percents[5] = {50, 90, 99, 99.9, 100};

    for (size_t i = 0; i < 5; i++) {
        figures_add(figures, names[i], "us",
                    (double)hist_percentile(hist, percents[i]) / NS_PER_US);
    }
}

double
figures_get(const struct figures *figures, const char *name)
{
    for (size_t i = 0; i < figures->count; i++) {
        if (strcmp(figures->list[i].name, name) == 0) {
            return figures->list[i].value;
        }
    }
    return 0;
}

static int
compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* The values of figure @index over all runs, in order. */
static void
sort_values(double values[FIGURES_RUNS_MAX], const struct figures *runs,
            size_t runs_count, size_t index)
{
    assert(runs_count > 0);
    assert(runs_count <= FIGURES_RUNS_MAX);

    for (size_t i = 0; i < runs_count; i++) {
        values[i] = runs[i].list[index].value;
    }
    qsort(values, runs_count, sizeof(values[0]), compare);
}

static double
middle_of(const double *values, size_t count)
{
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

void
figures_median(struct figures *median, const struct figures *runs,
               size_t runs_count)
{
    double values[FIGURES_RUNS_MAX];

    *median = runs[0];
    for (size_t i = 0; i < median->count; i++) {
        sort_values(values, runs, runs_count, i);
        median->list[i].value = middle_of(values, runs_count);
    }
}

/* Three digits that tell something, and no more than are known. */
static int
decimals_of(double value)
{
    double size = fabs(value);

    return size == 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
}

static void
print_value(double value, FILE *out)
{
    fprintf(out, "%14.*f", decimals_of(value), value);
}

void
figures_print(const struct figures *runs, size_t runs_count, FILE *out)
{
    double values[FIGURES_RUNS_MAX];

    for (size_t i = 0; i < runs[0].count; i++) {
        const struct figure *figure = &runs[0].list[i];

        sort_values(values, runs, runs_count, i);
        fprintf(out, "  %-24s", figure->name);
        print_value(middle_of(values, runs_count), out);
        if (runs_count > 1) {
            print_value(values[0], out);
            print_value(values[runs_count - 1], out);
        }
        fprintf(out, "  %s\n", figure->unit);
    }
}

void
figures_print_json(const struct figures *figures, FILE *out)
{
    fputc('{', out);
    for (size_t i = 0; i < figures->count; i++) {
        fprintf(out, "%s\"%s\": %.3f", i == 0 ? "" : ", ",
                figures->list[i].name, figures->list[i].value);
    }
    fputc('}', out);
}

void
figures_print_csv(const struct figures *figures, const char *prefix, FILE *out)
{
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->list[i];

        fprintf(out, "%s,%s,%s,%.3f\n", prefix, figure->name, figure->unit,
                figure->value);
    }
}
