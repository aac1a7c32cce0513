#include "figures.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define NAME_SIZE 64

void
figures_add(struct figures *figures, const char *name, const char *unit,
            double value)
{
    assert(figures->count < FIGURES_MAX);

    figures->list[figures->count++] =
        (struct figure){"", name, unit, isfinite(value) ? value : 0};
}

static const struct figure *
find(const struct figures *figures, const char *whose, const char *name)
{
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->list[i];

        if (strcmp(figure->name, name) == 0 &&
            strcmp(figure->whose, whose) == 0) {
            return figure;
        }
    }
    return NULL;
}

void
figures_merge(struct figures *figures, const struct figures *more,
              const char *whose)
{
    assert(figures->count + more->count <= FIGURES_MAX);

    for (size_t i = 0; i < more->count; i++) {
        struct figure figure = more->list[i];

        if (find(figures, "", figure.name) != NULL) {
            figure.whose = whose;
        }
        figures->list[figures->count++] = figure;
    }
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
    const struct figure *figure = find(figures, "", name);

    return figure == NULL ? 0 : figure->value;
}

static int
compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* The values of a figure over all runs that have it, in order. Returns how many
 * these are.
 */
static size_t
sort_values(double values[FIGURES_RUNS_MAX], const struct figures *runs,
            size_t runs_count, const struct figure *wanted)
{
    size_t count = 0;

    assert(runs_count <= FIGURES_RUNS_MAX);

    for (size_t i = 0; i < runs_count; i++) {
        const struct figure *figure =
            find(&runs[i], wanted->whose, wanted->name);

        if (figure != NULL) {
            values[count++] = figure->value;
        }
    }
    qsort(values, count, sizeof(values[0]), compare);
    return count;
}

static double
middle_of(const double *values, size_t count)
{
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* What only some runs have: where there was nothing to divide, or to compare
 * with.
 */
static void
add_others(struct figures *figures, const struct figures *run)
{
    for (size_t i = 0; i < run->count && figures->count < FIGURES_MAX; i++) {
        const struct figure *figure = &run->list[i];

        if (find(figures, figure->whose, figure->name) == NULL) {
            figures->list[figures->count++] = *figure;
        }
    }
}

void
figures_median(struct figures *median, const struct figures *runs,
               size_t runs_count)
{
    double values[FIGURES_RUNS_MAX];

    assert(runs_count > 0);

    *median = runs[0];
    for (size_t i = 1; i < runs_count; i++) {
        add_others(median, &runs[i]);
    }
    for (size_t i = 0; i < median->count; i++) {
        size_t count = sort_values(values, runs, runs_count, &median->list[i]);

        median->list[i].value = middle_of(values, count);
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

static const char *
whole_name(const struct figure *figure, char text[NAME_SIZE])
{
    snprintf(text, NAME_SIZE, "%s%s%s", figure->whose,
             *figure->whose == '\0' ? "" : "_", figure->name);
    return text;
}

void
figures_print(const struct figures *runs, size_t runs_count, FILE *out)
{
    double values[FIGURES_RUNS_MAX];
    struct figures median;
    char name[NAME_SIZE];

    figures_median(&median, runs, runs_count);
    for (size_t i = 0; i < median.count; i++) {
        const struct figure *figure = &median.list[i];
        size_t count = sort_values(values, runs, runs_count, figure);

        fprintf(out, "  %-24s", whole_name(figure, name));
        print_value(figure->value, out);
        if (runs_count > 1) {
            print_value(values[0], out);
            print_value(values[count - 1], out);
        }
        fprintf(out, "  %s\n", figure->unit);
    }
}

void
figures_print_json(const struct figures *figures, FILE *out)
{
    char name[NAME_SIZE];

    fputc('{', out);
    for (size_t i = 0; i < figures->count; i++) {
        fprintf(out, "%s\"%s\": %.6f", i == 0 ? "" : ", ",
                whole_name(&figures->list[i], name), figures->list[i].value);
    }
    fputc('}', out);
}

void
figures_print_csv(const struct figures *figures, const char *prefix, FILE *out)
{
    char name[NAME_SIZE];

    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->list[i];

        fprintf(out, "%s,%s,%s,%.6f\n", prefix, whole_name(figure, name),
                figure->unit, figure->value);
    }
}
