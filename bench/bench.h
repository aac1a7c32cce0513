/* acta-bench: how fast is Acta, and what holds it.
 *
 * A workload is a function that measures once, against a server, and puts what
 * it found into figures. bench.c runs it as often as is wanted, each time with
 * a struct bench that is ready to use. Several workloads may be run one after
 * the other on one server.
 */

#ifndef ACTA_BENCH_BENCH_H
#define ACTA_BENCH_BENCH_H

#include "daemon.h"
#include "echo.h"
#include "figures.h"
#include "options.h"
#include "sample.h"
#include "sizes.h"

struct bench {
    const struct options *options;
    struct sample sample;
    struct sizes sizes;   /* Of its data, if there are several. */
    struct daemon daemon; /* Does not run, if the server is another's. */
    char url[512];
    uint64_t head; /* When it was filled, before anything was measured. */

    /* Of each stream of the sample, the version it has: counted from what this
     * process has appended, since nobody else appends to these streams.
     */
    uint32_t *versions; /* owned */
    uint64_t streams;
};

typedef enum acta_code workload_run(struct bench *bench,
                                    struct figures *figures,
                                    struct acta_err *err);

workload_run bench_append;
workload_run bench_read;
workload_run bench_subscribe;
workload_run bench_live;
workload_run bench_load;
workload_run bench_start;
workload_run bench_machine;
workload_run bench_filling;
workload_run bench_find;
workload_run bench_condition;
workload_run bench_spread;
workload_run bench_beside;
workload_run bench_group;
workload_run bench_idle;
workload_run bench_lease;
workload_run bench_effects;
workload_run bench_schedule;
workload_run bench_snapshot;
workload_run bench_decide;
workload_run bench_project;
workload_run bench_wait;

/* Store @count events, each stream in turn: event i goes to stream
 * fill_stream(i), so that after a multiple of @streams events all streams have
 * the same number of them, far apart from each other.
 */
enum acta_code bench_fill(struct bench *bench, uint64_t count,
                          struct acta_err *err);
/* What as many connections do with requests and answers of the sizes in @echo
 * if nothing is done but send them, while the server stands still: figures
 * whose names begin with echo, beside @rate, which the workload has reached. A
 * request has @events, of which each has its part of the time on processors.
 * Without a server of this process's own, or a rate: nothing.
 */
enum acta_code bench_echo(struct bench *bench, struct echo *echo, double rate,
                          double events, struct figures *figures,
                          struct acta_err *err);
/* Connect, and ask for the last position of the database; @head may be NULL. */
enum acta_code bench_head(const struct bench *bench, uint64_t *head,
                          struct acta_err *err);

#endif
