#include "watcher.h"

#include <acta/acta_sync.h>
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "history.h"
#include "rnd.h"

#define BACKOFF_MAX_MS 20
#define WAIT_MS        50
#define FINISH_S_MAX   60
#define CREDIT_SIZE    20000 /* Small, so that it is often used up. */
#define RESTART_EVERY  40    /* News, on average. */

struct watcher {
    struct watcher_options options;
    pthread_t thread;
    struct rnd rnd;
    struct history *history;
    uint64_t position; /* The checkpoint. */
    bool ended;        /* By the server. */
    _Atomic uint64_t goal;
    _Atomic int64_t deadline_s; /* 0: none yet. */
};

static int64_t
now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool
is_done(struct watcher *watcher)
{
    int64_t deadline_s = atomic_load(&watcher->deadline_s);

    return watcher->ended ||
           (deadline_s != 0 &&
            (watcher->position >= atomic_load(&watcher->goal) ||
             now_s() > deadline_s));
}

static void
take(struct watcher *watcher, const struct acta_news *news)
{
    for (size_t i = 0; i < news->events_count; i++) {
        history_event(watcher->history, news->events[i]);
    }
    if (news->position != watcher->position) {
        history_position(watcher->history, news->position);
        watcher->position = news->position;
    }
}

static void
follow(struct watcher *watcher, struct acta_follower *follower)
{
    struct rnd *rnd = &watcher->rnd;
    uint64_t news_left = 1 + rnd_below(rnd, 2 * RESTART_EVERY);
    const struct acta_news *news;
    struct acta_err err;

    while (!is_done(watcher)) {
        enum acta_code code =
            acta_follower_next(follower, WAIT_MS, &news, &err);

        if (code == ACTA_TIMEOUT) {
            continue;
        }
        if (code != ACTA_OK) {
            history_ended(watcher->history, &err);
            watcher->ended = true;
            return;
        }
        take(watcher, news);
        if (watcher->options.restarts && --news_left == 0) {
            return;
        }
    }
}

/* One life: connect, follow from the checkpoint, close. */
static void
live(struct watcher *watcher)
{
    struct acta_options options = acta_options_of(watcher->options.url);
    struct acta_query *query = acta_query_new();
    struct acta_follower *follower;
    struct acta_sync *sync;
    struct acta_err err;

    options.name = "watcher";
    options.backoff_min_ms = 1;
    options.backoff_max_ms = BACKOFF_MAX_MS;
    options.credit_size = CREDIT_SIZE;
    if (watcher->options.patience_ms > 0) {
        options.connect_timeout_ms = watcher->options.patience_ms;
        options.silence_ms = watcher->options.patience_ms;
    }
    if (watcher->options.type != NULL) {
        acta_query_type(query, watcher->options.type);
    }
    if (acta_sync_open(&sync, &options, &err) != ACTA_OK) {
        /* There is no server at the moment. */
        ck_assert_msg(acta_code_remedy(err.code) == ACTA_REMEDY_RETRY, "%s",
                      err.text);
        acta_query_free(query);
        return;
    }
    ck_assert_msg(acta_follower_open(&follower, sync, query, watcher->position,
                                     &err) == ACTA_OK,
                  "%s", err.text);
    acta_query_free(query);
    history_follow(watcher->history, watcher->position, watcher->options.type);
    follow(watcher, follower);
    acta_sync_close(sync);
}

static void *
run(void *arg)
{
    struct watcher *watcher = arg;

    while (!is_done(watcher)) {
        live(watcher);
    }
    history_reach(watcher->history, atomic_load(&watcher->goal));
    return NULL;
}

struct watcher *
watcher_start(const struct watcher_options *options)
{
    struct watcher *watcher = calloc(1, sizeof(*watcher));
    char name[40];

    ck_assert_ptr_nonnull(watcher);
    watcher->options = *options;
    rnd_seed(&watcher->rnd, options->seed + 1000 + options->number);
    snprintf(name, sizeof(name), "follow-%u.log", options->number);
    watcher->history = history_open(options->dir, name);
    ck_assert_int_eq(pthread_create(&watcher->thread, NULL, run, watcher), 0);
    return watcher;
}

void
watcher_finish(struct watcher *watcher, uint64_t position)
{
    atomic_store(&watcher->goal, position);
    atomic_store(&watcher->deadline_s, now_s() + FINISH_S_MAX);
    ck_assert_int_eq(pthread_join(watcher->thread, NULL), 0);
    history_close(watcher->history);
    free(watcher);
}
