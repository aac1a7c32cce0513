#include "timeline.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hist.h"

#define COLUMNS 60

/* What an interval was like for one series. */
struct point {
    double rate; /* A second. */
    double p50_us;
    double p99_us;
    double max_us;
};

struct timeline {
    uint64_t interval_ns;
    uint64_t begun_ns; /* When the interval that lasts has begun. */
    const char *names[TIMELINE_SERIES_MAX];
    size_t series;
    struct hist hists[TIMELINE_SERIES_MAX]; /* Of that interval. */
    struct point *points; /* owned: of all intervals, series by series */
    size_t count;         /* Of intervals. */
    size_t room;
};

struct timeline *
timeline_new(uint64_t interval_ns, const char *const *names, size_t count)
{
    struct timeline *timeline = calloc(1, sizeof(*timeline));

    assert(interval_ns > 0);
    assert(count <= TIMELINE_SERIES_MAX);

    if (timeline != NULL) {
        timeline->interval_ns = interval_ns;
        timeline->series = count;
        memcpy(timeline->names, names, count * sizeof(names[0]));
    }
    return timeline;
}

void
timeline_free(struct timeline *timeline)
{
    if (timeline != NULL) {
        free(timeline->points);
        free(timeline);
    }
}

void
timeline_start(struct timeline *timeline, uint64_t now_ns)
{
    timeline->begun_ns = now_ns;
    timeline->count = 0;
    for (size_t i = 0; i < timeline->series; i++) {
        hist_clear(&timeline->hists[i]);
    }
}

static bool
make_room(struct timeline *timeline)
{
    size_t room = timeline->room == 0 ? 1024 : 2 * timeline->room;
    struct point *points;

    if (timeline->count < timeline->room) {
        return true;
    }
    points = reallocarray(timeline->points, room * timeline->series,
                          sizeof(*points));
    if (points == NULL) {
        return false;
    }
    timeline->points = points;
    timeline->room = room;
    return true;
}

static void
end_interval(struct timeline *timeline)
{
    double seconds = (double)timeline->interval_ns / NS_PER_S;
    bool has_room = make_room(timeline);

    for (size_t i = 0; i < timeline->series; i++) {
        struct hist *hist = &timeline->hists[i];

        if (has_room) {
            timeline->points[timeline->count * timeline->series + i] =
                (struct point){
                    .rate = (double)hist->count / seconds,
                    .p50_us = (double)hist_percentile(hist, 50) / NS_PER_US,
                    .p99_us = (double)hist_percentile(hist, 99) / NS_PER_US,
                    .max_us = (double)hist->max / NS_PER_US,
                };
        }
        if (hist->count > 0) {
            hist_clear(hist);
        }
    }
    timeline->count += has_room;
    timeline->begun_ns += timeline->interval_ns;
}

void
timeline_end(struct timeline *timeline, uint64_t now_ns)
{
    while (now_ns >= timeline->begun_ns + timeline->interval_ns) {
        end_interval(timeline);
    }
}

void
timeline_add(struct timeline *timeline, size_t series, uint64_t now_ns,
             uint64_t latency_ns)
{
    timeline_end(timeline, now_ns);
    hist_add(&timeline->hists[series], latency_ns);
}

/* ---- telling ---- */

static const struct point *
point_at(const struct timeline *timeline, size_t interval, size_t series)
{
    return &timeline->points[interval * timeline->series + series];
}

static void
print_rows(const struct timeline *timeline, FILE *out)
{
    double seconds = (double)timeline->interval_ns / NS_PER_S;

    fprintf(out, "second");
    for (size_t i = 0; i < timeline->series; i++) {
        const char *name = timeline->names[i];

        fprintf(out, ",%s_rate,%s_p50,%s_p99,%s_max", name, name, name, name);
    }
    fputc('\n', out);
    for (size_t at = 0; at < timeline->count; at++) {
        fprintf(out, "%.3f", (double)at * seconds);
        for (size_t i = 0; i < timeline->series; i++) {
            const struct point *point = point_at(timeline, at, i);

            fprintf(out, ",%.0f,%.1f,%.1f,%.1f", point->rate, point->p50_us,
                    point->p99_us, point->max_us);
        }
        fputc('\n', out);
    }
}

enum acta_code
timeline_write(const struct timeline *timeline, const char *path,
               struct acta_err *err)
{
    FILE *out = fopen(path, "w");
    bool is_bad;

    if (out == NULL) {
        return acta_fail(err, ACTA_IO, "%s: %s", path, strerror(errno));
    }
    print_rows(timeline, out);
    is_bad = ferror(out) != 0;
    if (fclose(out) != 0 || is_bad) {
        return acta_fail(err, ACTA_IO, "%s: %s", path, strerror(errno));
    }
    return ACTA_OK;
}

enum aspect { RATE, LONGEST };

/* Of the intervals that share a column: the mean of rates, the longest time. */
static double
value_of(const struct timeline *timeline, size_t series, size_t column,
         size_t columns, enum aspect aspect)
{
    size_t from = column * timeline->count / columns;
    size_t to = (column + 1) * timeline->count / columns;
    double value = 0;

    for (size_t at = from; at < to; at++) {
        const struct point *point = point_at(timeline, at, series);

        if (aspect == RATE) {
            value += point->rate / (double)(to - from);
        } else if (point->max_us > value) {
            value = point->max_us;
        }
    }
    return value;
}

static void
draw_line(const struct timeline *timeline, size_t series, enum aspect aspect,
          FILE *out)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄",
                                         "▅", "▆", "▇", "█"};
    size_t columns = timeline->count < COLUMNS ? timeline->count : COLUMNS;
    double values[COLUMNS], top = 0, least = 0;

    for (size_t i = 0; i < columns; i++) {
        values[i] = value_of(timeline, series, i, columns, aspect);
        top = values[i] > top ? values[i] : top;
        least = i == 0 || values[i] < least ? values[i] : least;
    }
    fprintf(out, "  %-10s%-8s ", timeline->names[series],
            aspect == RATE ? "/s" : "longest");
    for (size_t i = 0; i < columns; i++) {
        size_t level = top > 0 ? (size_t)(values[i] / top * 8 + 0.5) : 0;

        fputs(blocks[level == 0 && values[i] > 0 ? 1 : level], out);
    }
    fprintf(out, "  %.0f to %.0f%s\n", least, top, aspect == RATE ? "" : " us");
}

void
timeline_draw(const struct timeline *timeline, FILE *out)
{
    if (timeline->count == 0) {
        return;
    }
    fprintf(out, "over %.1f s, each interval %.0f ms:\n",
            (double)timeline->count * (double)timeline->interval_ns / NS_PER_S,
            (double)timeline->interval_ns / NS_PER_MS);
    for (size_t i = 0; i < timeline->series; i++) {
        draw_line(timeline, i, RATE, out);
        draw_line(timeline, i, LONGEST, out);
    }
}
