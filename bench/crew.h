/* Threads that each do something again and again, and wait for each answer, as
 * services do that are written with the calls that wait.
 */

#ifndef ACTA_BENCH_CREW_H
#define ACTA_BENCH_CREW_H

#include "daemon.h"
#include "figures.h"

#define CREW_MAX 256

/* Do it once. @worker is one of a job's workers. */
typedef enum acta_code crew_do(void *worker, struct acta_err *err);

struct crew_job {
    crew_do *once;
    void *workers; /* An array: each is used by a thread of its own. */
    size_t worker_size;
    size_t workers_count; /* CREW_MAX at most. */
    uint64_t length_ns;   /* How long they go on. */
    const struct daemon *daemon;
};

/* What they did: all that was begun in that time. */
struct crew_lap {
    double count;
    double seconds;
    double client_us; /* On processors: of this process, */
    double server_us; /* and of the server. */
    struct hist hist; /* Nanoseconds of each. */
};

/* Returns when all have ended: with the first failure, if there was one, or
 * what watch_check() says.
 */
enum acta_code crew_run(const struct crew_job *job, struct crew_lap *lap,
                        struct acta_err *err);

/* Names of what is told of a way, in this order. */
#define CREW_FIGURES(name)                                                     \
    {                                                                          \
        name "_rate", name "_p50", name "_p99", name "_client",                \
            name "_server", name "_ratio",                                     \
    }
#define CREW_FIGURES_COUNT 6

/* @base: what its rate is compared with; NULL: it is what others are. */
void crew_tell(const struct crew_lap *lap, const struct crew_lap *base,
               const char *const names[CREW_FIGURES_COUNT],
               struct figures *figures);

#endif
