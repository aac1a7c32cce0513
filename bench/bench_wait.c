/* How long does who has written wait for a projection, to read its own writes?
 *
 *     append  an append alone, without a projection
 *     handler from the start of the append until acta_sync_wait_for() returns,
 *             of a projection whose handler does nothing
 *     sqlite  the same of one that writes a row into SQLite
 *
 * One connection, one append at a time; the projection has a thread and a
 * connection of its own. Each way has its turn, round after round; beside each
 * the append alone is told, which the projection makes slower.
 */

#include <pthread.h>
#include <string.h>

#include <acta/acta_consumer.h>

#include "clock.h"
#include "rounds.h"
#include "view.h"
#include "watch.h"

struct waiting {
    struct bench *bench;
    struct acta_sync *sync;     /* owned */
    struct acta_append *append; /* owned */
    uint64_t random;
    uint64_t number;   /* Of the next event. */
    uint64_t position; /* Of the last append. */
    uint64_t length_ns;
    struct hist appends; /* Of the turn: until the answer to the append, */
    struct hist waits;   /* and until the projection has it. */
};

/* ---- the projection's thread ---- */

struct running {
    struct view view;
    pthread_t thread;
    enum acta_code code;
    struct acta_err err;
};

static void *
project(void *user)
{
    struct running *running = user;

    running->code = acta_projector_run(running->view.projector, &running->err);
    return NULL;
}

static enum acta_code
start(struct running *running, const struct waiting *waiting, bool has_ledger,
      struct acta_err *err)
{
    struct acta_projector_options options = acta_projector_options_of();
    enum acta_code code;
    int failed;

    options.position = waiting->position;
    code = view_open(&running->view, waiting->bench, has_ledger, &options, err);
    if (code != ACTA_OK) {
        return code;
    }
    failed = pthread_create(&running->thread, NULL, project, running);
    return failed == 0
               ? ACTA_OK
               : acta_fail(err, ACTA_IO, "thread: %s", strerror(failed));
}

static enum acta_code
stop(struct running *running, struct acta_err *err)
{
    acta_projector_interrupt(running->view.projector);
    pthread_join(running->thread, NULL);
    if (running->code != ACTA_OK) {
        *err = running->err;
    }
    return running->code;
}

/* ---- appending ---- */

static enum acta_code
append_next(struct waiting *waiting, struct acta_err *err)
{
    struct bench *bench = waiting->bench;
    const struct acta_appended *appended;
    char stream[SAMPLE_NAME_SIZE];
    enum acta_code code;

    acta_append_clear(waiting->append);
    sample_stream(&bench->sample,
                  (sample_random(&waiting->random) >> 16) % bench->streams,
                  stream);
    acta_append_stream(waiting->append, stream, ACTA_EXPECT_ANY);
    sample_event(&bench->sample, waiting->number++, waiting->append);
    code = acta_sync_append(waiting->sync, waiting->append, &appended, err);
    if (code == ACTA_OK) {
        waiting->position = appended->position;
    }
    return code;
}

/* @consumer: NULL, or whom to wait for. */
static enum acta_code
append_for_a_while(struct waiting *waiting, const char *consumer,
                   struct acta_err *err)
{
    uint64_t start_ns = clock_ns(), end_ns = start_ns + waiting->length_ns;
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && start_ns < end_ns) {
        code = append_next(waiting, err);
        hist_add(&waiting->appends, clock_ns() - start_ns);
        if (code == ACTA_OK && consumer != NULL) {
            code = acta_sync_wait_for(waiting->sync, consumer,
                                      waiting->position, VIEW_TIMEOUT_MS, err);
            hist_add(&waiting->waits, clock_ns() - start_ns);
        }
        if (code == ACTA_OK) {
            code = watch_check(err);
        }
        start_ns = clock_ns();
    }
    return code;
}

/* Until the projection has made its consumer, and is up to date. */
static enum acta_code
wait_until_up(struct waiting *waiting, const char *consumer,
              struct acta_err *err)
{
    uint64_t end_ns = clock_ns() + VIEW_TIMEOUT_MS * NS_PER_MS;
    enum acta_code code;

    do {
        code = acta_sync_wait_for(waiting->sync, consumer, waiting->position,
                                  VIEW_TIMEOUT_MS, err);
    } while (code == ACTA_NOT_FOUND && clock_ns() < end_ns);
    return code;
}

static enum acta_code
run_projected(struct waiting *waiting, bool has_ledger, struct acta_err *err)
{
    static struct running running;
    struct acta_err why;
    enum acta_code code, stopped;

    hist_clear(&waiting->appends);
    hist_clear(&waiting->waits);
    running = (struct running){.code = ACTA_OK};
    code = start(&running, waiting, has_ledger, err);
    if (code == ACTA_OK) {
        code = wait_until_up(waiting, running.view.name, err);
        if (code == ACTA_OK) {
            code = append_for_a_while(waiting, running.view.name, err);
        }
        stopped = stop(&running, &why);
        if (stopped != ACTA_OK && code == ACTA_OK) {
            *err = why;
            code = stopped;
        }
    }
    view_close(&running.view);
    return code;
}

/* ---- rounds ---- */

static double
microseconds(const struct hist *hist, double percent)
{
    return (double)hist_percentile(hist, percent) / NS_PER_US;
}

static enum acta_code
run_round(void *user, struct figures *round, struct acta_err *err)
{
    static const struct {
        const char *p50, *p99, *append_p50, *ratio;
    } names[] = {
        {"handler_p50", "handler_p99", "handler_append_p50", "handler_ratio"},
        {"sqlite_p50", "sqlite_p99", "sqlite_append_p50", "sqlite_ratio"},
    };
    struct waiting *waiting = user;
    enum acta_code code;
    double alone;

    hist_clear(&waiting->appends);
    code = append_for_a_while(waiting, NULL, err);
    alone = microseconds(&waiting->appends, 50);
    figures_add(round, "append_p50", "us", alone);
    figures_add(round, "append_p99", "us", microseconds(&waiting->appends, 99));
    for (size_t i = 0; code == ACTA_OK && i < 2; i++) {
        code = run_projected(waiting, i == 1, err);
        figures_add(round, names[i].p50, "us",
                    microseconds(&waiting->waits, 50));
        figures_add(round, names[i].p99, "us",
                    microseconds(&waiting->waits, 99));
        figures_add(round, names[i].append_p50, "us",
                    microseconds(&waiting->appends, 50));
        figures_add(round, names[i].ratio, "",
                    microseconds(&waiting->waits, 50) / alone);
    }
    return code;
}

enum acta_code
bench_wait(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct waiting waiting; /* Large. */
    const struct options *options = bench->options;
    struct acta_options connect = acta_options_of(bench->url);
    enum acta_code code;

    waiting = (struct waiting){
        .bench = bench,
        .append = acta_append_new(),
        .random = sample_random_start(option_number(options, OPTION_SEED)),
        .length_ns = option_number(options, OPTION_DURATION) * NS_PER_MS /
                     option_number(options, OPTION_ROUNDS),
    };
    connect.name = "acta-bench";
    connect.timeout_ms = VIEW_TIMEOUT_MS;
    watch_begin();
    code = acta_sync_open(&waiting.sync, &connect, err);
    if (code == ACTA_OK) {
        code = acta_sync_ping(waiting.sync, &waiting.position, err);
    }
    if (code == ACTA_OK) {
        code = rounds_run(bench, run_round, &waiting, figures, err);
    }
    acta_sync_close(waiting.sync);
    acta_append_free(waiting.append);
    return code == ACTA_OK ? code : acta_wrap(err, code, "wait");
}
