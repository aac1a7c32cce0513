#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../json.h"

/* What the tables show, in their order. */
static const struct {
    const char *heading;
    const char *figure; /* Of which there is a row each. */
    const char *unit;
    bool less_is_better;
} sections[] = {
    {"A second: events, of loads streams", "rate", "/s", false},
    {"Deliveries", "deliveries", "/s", false},
    {"Appends of one writer, who has followers", "writer", "/s", false},
    {"Latency: median", "p50", "µs", true},
    {"Latency: 99 %", "p99", "µs", true},
    {"From the start of the append to a follower: median", "delivery_p50", "µs",
     true},
    {"From the start of the append to a follower: 99 %", "delivery_p99", "µs",
     true},
    {"Time of the server on processors: an event, a load, a delivery",
     "server_cpu", "µs", true},
    {"Time of the client on processors: an event, a load", "client_cpu", "µs",
     true},
    {"Memory", "memory", "MiB", true},
    {"Disk: an event, with everything", "disk", "bytes", true},
    {"Disk: an event, without the log that is recycled", "kept", "bytes", true},
};

#define SECTIONS_COUNT (sizeof(sections) / sizeof(sections[0]))

struct figures *
cell_next(struct cell *cell, size_t rounds_max)
{
    if (cell->rounds == NULL) {
        cell->rounds = calloc(rounds_max, sizeof(*cell->rounds));
    }
    if (cell->rounds == NULL || cell->count == rounds_max) {
        return NULL;
    }
    return &cell->rounds[cell->count++];
}

void
table_free(struct table *table)
{
    for (size_t i = 0; i < TABLE_WORKS_MAX; i++) {
        for (size_t j = 0; j < TABLE_PEERS_MAX; j++) {
            free(table->cells[i][j].rounds);
        }
        free(table->echoes[i].rounds);
    }
    free(table->limits.rounds);
}

static bool
has_figure(const struct cell *cell, const char *name)
{
    for (size_t i = 0; cell->count > 0 && i < cell->rounds[0].count; i++) {
        if (strcmp(cell->rounds[0].list[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static int
compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Sorts @values. */
static double
median_of(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static double
cell_median(const struct cell *cell, const char *figure)
{
    double values[FIGURES_RUNS_MAX];

    for (size_t i = 0; i < cell->count; i++) {
        values[i] = figures_get(&cell->rounds[i], figure);
    }
    return median_of(values, cell->count);
}

/* ---- tables ---- */

static void
print_number(double value, FILE *out)
{
    double size = fabs(value);
    int decimals = size >= 100 || size == 0 ? 0
                   : size >= 10             ? 1
                   : size >= 1              ? 2
                                            : 3;
    char digits[64];
    size_t whole;

    snprintf(digits, sizeof(digits), "%.*f", decimals, value);
    whole = strcspn(digits, ".");
    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0) {
            fputc(',', out);
        }
        fputc(digits[i], out);
    }
}

/* The best of the others in one round; 0: there is none. */
static double
best_other(const struct table *table, size_t work, size_t round,
           const char *figure, bool less_is_better)
{
    double best = 0;

    for (size_t i = 0; i < table->peers_count; i++) {
        const struct cell *cell = &table->cells[work][i];
        double value;

        if (!table->peers[i]->kind->is_durable ||
            strcmp(table->peers[i]->kind->name, "acta") == 0 ||
            round >= cell->count || !has_figure(cell, figure)) {
            continue;
        }
        value = figures_get(&cell->rounds[round], figure);
        if (best == 0 || (less_is_better ? value < best : value > best)) {
            best = value;
        }
    }
    return best;
}

/* Of Acta, which may not be there. */
static void
print_ratio(const struct table *table, size_t work, const char *figure,
            bool less_is_better, FILE *out)
{
    double ratios[FIGURES_RUNS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < table->peers_count; i++) {
        const struct cell *cell = &table->cells[work][i];

        if (strcmp(table->peers[i]->kind->name, "acta") != 0) {
            continue;
        }
        for (size_t round = 0; round < cell->count; round++) {
            double best =
                best_other(table, work, round, figure, less_is_better);

            if (best > 0) {
                ratios[count++] =
                    figures_get(&cell->rounds[round], figure) / best;
            }
        }
    }
    if (count > 0) {
        fprintf(out, " %.3g", median_of(ratios, count));
        if (count > 1) {
            fprintf(out, " (%.3g to %.3g)", ratios[0], ratios[count - 1]);
        }
    }
    fprintf(out, " |\n");
}

static void
print_median(const struct cell *cell, const char *figure, FILE *out)
{
    fputc(' ', out);
    if (has_figure(cell, figure)) {
        print_number(cell_median(cell, figure), out);
    } else {
        fprintf(out, "–");
    }
    fprintf(out, " |");
}

static void
print_row(const struct table *table, size_t work, size_t section,
          bool has_echoes, FILE *out)
{
    const char *figure = sections[section].figure;

    fprintf(out, "| %s |", table->works[work]->title);
    for (size_t i = 0; i < table->peers_count; i++) {
        print_median(&table->cells[work][i], figure, out);
    }
    if (has_echoes) {
        print_median(&table->echoes[work], figure, out);
    }
    print_ratio(table, work, figure, sections[section].less_is_better, out);
}

static void
print_heading(const struct table *table, size_t section, bool has_echoes,
              FILE *out)
{
    fprintf(out, "\n%s (%s)\n\n| workload |", sections[section].heading,
            sections[section].unit);
    for (size_t i = 0; i < table->peers_count; i++) {
        fprintf(out, " %s |", table->peers[i]->kind->title);
    }
    fprintf(out, "%s Acta to the best |\n| --- |",
            has_echoes ? " bare echo |" : "");
    for (size_t i = 0; i <= table->peers_count + has_echoes; i++) {
        fprintf(out, " --- |");
    }
    fputc('\n', out);
}

static void
print_section(const struct table *table, size_t section, FILE *out)
{
    const char *figure = sections[section].figure;
    bool begun = false, has_echoes = false;

    for (size_t work = 0; work < table->works_count; work++) {
        has_echoes = has_echoes || has_figure(&table->echoes[work], figure);
    }
    for (size_t work = 0; work < table->works_count; work++) {
        bool any = false;

        for (size_t i = 0; i < table->peers_count; i++) {
            any = any || has_figure(&table->cells[work][i], figure);
        }
        if (any && !begun) {
            begun = true;
            print_heading(table, section, has_echoes, out);
        }
        if (any) {
            print_row(table, work, section, has_echoes, out);
        }
    }
}

void
table_print(const struct table *table, FILE *out)
{
    for (size_t i = 0; i < table->peers_count; i++) {
        const struct peer *peer = table->peers[i];

        fprintf(out, "%s: %s; %s; %s\n", peer->kind->title, peer->version,
                peer->kind->durability, peer->kind->reading);
    }
    for (size_t section = 0; section < SECTIONS_COUNT; section++) {
        print_section(table, section, out);
    }
    if (table->limits.count > 0) {
        fprintf(out, "\nThe machine alone\n\n| limit | figure | unit |\n"
                     "| --- | --- | --- |\n");
        for (size_t i = 0; i < table->limits.rounds[0].count; i++) {
            const struct figure *figure = &table->limits.rounds[0].list[i];

            fprintf(out, "| %s | ", figure->name);
            print_number(cell_median(&table->limits, figure->name), out);
            fprintf(out, " | %s |\n", figure->unit);
        }
    }
}

/* ---- JSON ---- */

/* {"rate": {"unit": "/s", "median": 1, "rounds": [1, 1]}, ...} */
static void
print_cell(const struct cell *cell, FILE *out)
{
    fputc('{', out);
    for (size_t i = 0; cell->count > 0 && i < cell->rounds[0].count; i++) {
        const struct figure *figure = &cell->rounds[0].list[i];

        fprintf(out,
                "%s\"%s\": {\"unit\": \"%s\", \"median\": %.4f, "
                "\"rounds\": [",
                i == 0 ? "" : ", ", figure->name, figure->unit,
                cell_median(cell, figure->name));
        for (size_t round = 0; round < cell->count; round++) {
            fprintf(out, "%s%.4f", round == 0 ? "" : ", ",
                    cell->rounds[round].list[i].value);
        }
        fprintf(out, "]}");
    }
    fputc('}', out);
}

void
table_print_json(const struct table *table, const char *head, FILE *out)
{
    fprintf(out, "{%s,\n \"peers\": {", head);
    for (size_t i = 0; i < table->peers_count; i++) {
        const struct peer_kind *kind = table->peers[i]->kind;

        fprintf(out, "%s\n  \"%s\": {\"title\": ", i == 0 ? "" : ",",
                kind->name);
        json_print_text(kind->title, out);
        fprintf(out, ", \"version\": ");
        json_print_text(table->peers[i]->version, out);
        fprintf(out, ", \"durability\": ");
        json_print_text(kind->durability, out);
        fprintf(out, ", \"durable\": %s}", kind->is_durable ? "true" : "false");
    }
    fprintf(out, "},\n \"limits\": ");
    print_cell(&table->limits, out);
    fprintf(out, ",\n \"workloads\": {");
    for (size_t work = 0; work < table->works_count; work++) {
        fprintf(out, "%s\n  \"%s\": {", work == 0 ? "" : ",",
                table->works[work]->name);
        for (size_t i = 0; i < table->peers_count; i++) {
            fprintf(out, "%s\n   \"%s\": ", i == 0 ? "" : ",",
                    table->peers[i]->kind->name);
            print_cell(&table->cells[work][i], out);
        }
        if (table->echoes[work].count > 0) {
            fprintf(out, ",\n   \"echo\": ");
            print_cell(&table->echoes[work], out);
        }
        fputc('}', out);
    }
    fprintf(out, "}}\n");
}
