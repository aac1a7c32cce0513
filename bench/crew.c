#include "crew.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "meter.h"
#include "watch.h"

struct hand {
    const struct crew_job *job;
    void *worker;
    uint64_t end_ns;
    pthread_t thread;
    struct hist hist;
    enum acta_code code;
    struct acta_err err;
};

static void *
work(void *user)
{
    struct hand *hand = user;
    uint64_t start_ns = clock_ns();

    while (hand->code == ACTA_OK && start_ns < hand->end_ns) {
        uint64_t now_ns;

        hand->code = hand->job->once(hand->worker, &hand->err);
        now_ns = clock_ns();
        hist_add(&hand->hist, now_ns - start_ns);
        start_ns = now_ns;
        if (hand->code == ACTA_OK) {
            hand->code = watch_check(&hand->err);
        }
    }
    return NULL;
}

static enum acta_code
start_all(const struct crew_job *job, struct hand *hands, size_t *started,
          struct acta_err *err)
{
    uint64_t end_ns = clock_ns() + job->length_ns;

    for (; *started < job->workers_count; ++*started) {
        struct hand *hand = &hands[*started];
        int failed;

        hand->job = job;
        hand->worker = (char *)job->workers + *started * job->worker_size;
        hand->end_ns = end_ns;
        failed = pthread_create(&hand->thread, NULL, work, hand);
        if (failed != 0) {
            return acta_fail(err, ACTA_IO, "thread: %s", strerror(failed));
        }
    }
    return ACTA_OK;
}

static void
add_up(struct hist *sum, const struct hist *part)
{
    sum->count += part->count;
    sum->max = part->max > sum->max ? part->max : sum->max;
    for (size_t i = 0; i < HIST_BUCKETS; i++) {
        sum->buckets[i] += part->buckets[i];
    }
}

enum acta_code
crew_run(const struct crew_job *job, struct crew_lap *lap, struct acta_err *err)
{
    struct hand *hands = calloc(job->workers_count, sizeof(*hands));
    struct meter start, end;
    size_t started = 0;
    enum acta_code code;

    assert(job->workers_count <= CREW_MAX);
    if (hands == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu threads", job->workers_count);
    }
    hist_clear(&lap->hist);
    meter_read(&start, job->daemon);
    code = start_all(job, hands, &started, err);
    for (size_t i = 0; i < started; i++) {
        pthread_join(hands[i].thread, NULL);
    }
    meter_read(&end, job->daemon);
    for (size_t i = 0; i < started; i++) {
        if (code == ACTA_OK && hands[i].code != ACTA_OK) {
            code = hands[i].code;
            *err = hands[i].err;
        }
        add_up(&lap->hist, &hands[i].hist);
    }
    free(hands);
    lap->count = (double)lap->hist.count;
    lap->seconds = meter_seconds(&start, &end);
    lap->client_us = end.client_us - start.client_us;
    lap->server_us = end.server.cpu_us - start.server.cpu_us;
    return code;
}

void
crew_tell(const struct crew_lap *lap, const struct crew_lap *base,
          const char *const names[CREW_FIGURES_COUNT], struct figures *figures)
{
    double rate = lap->count / lap->seconds;

    figures_add(figures, names[0], "/s", rate);
    figures_add(figures, names[1], "us",
                (double)hist_percentile(&lap->hist, 50) / NS_PER_US);
    figures_add(figures, names[2], "us",
                (double)hist_percentile(&lap->hist, 99) / NS_PER_US);
    figures_add(figures, names[3], "us each", lap->client_us / lap->count);
    if (lap->server_us > 0) {
        figures_add(figures, names[4], "us each", lap->server_us / lap->count);
    }
    if (base != NULL) {
        figures_add(figures, names[5], "", rate * base->seconds / base->count);
    }
}
