/* How often something was done over time, and how long it took, in intervals of
 * one length: so that a stall is seen that an average hides. An interval in
 * which nothing was done is there, too.
 */

#ifndef ACTA_BENCH_TIMELINE_H
#define ACTA_BENCH_TIMELINE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <acta/acta.h>

#define TIMELINE_SERIES_MAX 3

struct timeline;

/* What is told apart: @names are constants ("append"). NULL: no memory. */
struct timeline *timeline_new(uint64_t interval_ns, const char *const *names,
                              size_t count);
void timeline_free(struct timeline *timeline); /* May be NULL. */

/* It begins at @now_ns, and has nothing. */
void timeline_start(struct timeline *timeline, uint64_t now_ns);

/* One of @series has ended at @now_ns, which never goes back, after
 * @latency_ns. Without memory for an interval, that is left out.
 */
void timeline_add(struct timeline *timeline, size_t series, uint64_t now_ns,
                  uint64_t latency_ns);

/* It ends at @now_ns: what has not lasted for an interval is left out. */
void timeline_end(struct timeline *timeline, uint64_t now_ns);

/* A line an interval: the second that it began in, then of each series how many
 * a second, and p50, p99 and the longest in microseconds. IO.
 */
enum acta_code timeline_write(const struct timeline *timeline, const char *path,
                              struct acta_err *err);

/* The same drawn with block characters, for people, in 60 columns. */
void timeline_draw(const struct timeline *timeline, FILE *out);

#endif
