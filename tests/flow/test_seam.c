/* Subscriptions where history and live meet: many subscribers come, go and
 * resume at random while events are appended and checkpoints move them from
 * memory to the store. Whatever happens, the lives of one subscriber put
 * together are what a full read gives: no gap, no repeat, no position told too
 * early.
 */

#include <acta/acta_sync.h>
#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patient.h"
#include "require.h"
#include "rig.h"
#include "rnd.h"
#include "run.h"

#define SUBSCRIBERS     12
#define LIVES           200 /* Of each. */
#define LIVES_LONG      2000
#define EVENTS_PER_LIFE 8 /* That are appended: so that it stays near live. */
#define APPEND_MAX      20
#define NEWS_MAX        6
#define WAIT_MS         5
#define FILTERS         6
#define EVENTS_MAX      ((uint64_t)SUBSCRIBERS * LIVES_LONG * EVENTS_PER_LIFE)

static struct rig rig;

/* What decides whether a subscriber wants an event. */
struct kind {
    uint8_t stream; /* "order-N", or "stock-N" from 2 on. */
    uint8_t type;
    bool tagged;
};

/* Lives that have begun allow so many events to be appended. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t allowed;
    unsigned subscribers_left;
} pace = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

static const char *const streams[] = {"order-1", "order-2", "stock-1",
                                      "stock-2"};
static const char *const types[] = {"Placed", "Paid", "Sent"};

struct subscriber {
    pthread_t thread;
    struct rnd rnd;
    unsigned filter;
    unsigned lives_left;
    uint64_t position; /* Told last. */
    uint64_t *got;     /* owned: positions, in the order they came in */
    size_t got_count;
    uint64_t *told; /* owned: positions told, and how many were got by then */
    size_t *told_after;
    size_t told_count;
    uint64_t head; /* Where to end; 0: not known yet. */
};

/* ---- filters ---- */

static struct acta_query *
make_query(unsigned filter)
{
    struct acta_query *query = acta_query_new();

    switch (filter) {
    case 0:
        break;
    case 1:
        acta_query_category(query, "order");
        break;
    case 2:
        acta_query_type(query, "Paid");
        break;
    case 3:
        acta_query_tag(query, "rare");
        break;
    case 4:
        acta_query_stream(query, "stock-2");
        break;
    default:
        acta_query_category(query, "stock");
        acta_query_type(query, "Placed");
        acta_query_or(query);
        acta_query_tag(query, "rare");
        acta_query_type(query, "Sent");
        break;
    }
    return query;
}

static bool
is_wanted(unsigned filter, const struct kind *kind)
{
    switch (filter) {
    case 0:
        return true;
    case 1:
        return kind->stream < 2;
    case 2:
        return kind->type == 1;
    case 3:
        return kind->tagged;
    case 4:
        return kind->stream == 3;
    default:
        return (kind->stream >= 2 && kind->type == 0) ||
               (kind->tagged && kind->type == 2);
    }
}

/* ---- connecting ---- */

static struct acta_sync *
open_sync(size_t credit_size)
{
    struct acta_options options;
    struct acta_sync *sync;
    struct acta_err err;
    char url[64];

    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    options = patient_options(url);
    options.credit_size = credit_size;
    ck_assert_msg(acta_sync_open(&sync, &options, &err) == ACTA_OK, "%s",
                  err.text);
    return sync;
}

/* ---- the appending side ---- */

static void
allow(uint64_t count)
{
    pthread_mutex_lock(&pace.lock);
    pace.allowed += count;
    pthread_cond_broadcast(&pace.changed);
    pthread_mutex_unlock(&pace.lock);
}

/* How many may be appended now; 0: it is over. */
static uint64_t
take_allowance(void)
{
    uint64_t taken;

    pthread_mutex_lock(&pace.lock);
    while (pace.allowed == 0 && pace.subscribers_left > 0) {
        pthread_cond_wait(&pace.changed, &pace.lock);
    }
    taken = pace.allowed < APPEND_MAX ? pace.allowed : APPEND_MAX;
    pace.allowed -= taken;
    pthread_mutex_unlock(&pace.lock);
    return taken;
}

static void
append_some(struct acta_sync *sync, struct acta_append *append, struct rnd *rnd,
            uint64_t count)
{
    static const char *const rare[] = {"rare"};
    static const uint8_t data[500];
    struct acta_err err;

    acta_append_clear(append);
    acta_append_stream(append, streams[rnd_below(rnd, 4)], ACTA_EXPECT_ANY);
    while (count-- > 0) {
        struct acta_draft draft = acta_draft_of(types[rnd_below(rnd, 3)], data,
                                                rnd_below(rnd, sizeof(data)));

        draft.tags = rare;
        draft.tags_count = rnd_once_in(rnd, 50) ? 1 : 0;
        acta_append_event(append, &draft);
    }
    ck_assert_msg(acta_sync_append(sync, append, NULL, &err) == ACTA_OK, "%s",
                  err.text);
}

static void
append_while_there_are_subscribers(struct rnd *rnd)
{
    struct acta_sync *sync = open_sync(1 << 20);
    struct acta_append *append = acta_append_new();
    uint64_t allowance;

    while ((allowance = take_allowance()) > 0) {
        while (allowance > 0) {
            uint64_t count = 1 + rnd_below(rnd, allowance);

            append_some(sync, append, rnd, count);
            allowance -= count;
        }
    }
    acta_append_free(append);
    acta_sync_close(sync);
}

/* ---- the subscribing side ---- */

static void
take(struct subscriber *subscriber, const struct acta_news *news)
{
    for (size_t i = 0; i < news->events_count; i++) {
        require(subscriber->got_count < EVENTS_MAX);
        subscriber->got[subscriber->got_count++] = news->events[i]->position;
    }
    require(news->position >= subscriber->position);
    require(news->position <= news->head);
    if (news->position > subscriber->position) {
        subscriber->position = news->position;
        subscriber->told[subscriber->told_count] = news->position;
        subscriber->told_after[subscriber->told_count++] =
            subscriber->got_count;
    }
}

/* Follow from where it was, for a few news, or up to the end. */
static void
live_once(struct subscriber *subscriber, struct acta_sync *sync)
{
    uint64_t news_left = rnd_below(&subscriber->rnd, NEWS_MAX);
    struct acta_query *query = make_query(subscriber->filter);
    struct acta_follower *follower;
    const struct acta_news *news;
    struct acta_err err;
    enum acta_code code;

    ck_assert_msg(acta_follower_open(&follower, sync, query,
                                     subscriber->position, &err) == ACTA_OK,
                  "%s", err.text);
    acta_query_free(query);
    allow(EVENTS_PER_LIFE);
    while (subscriber->head != 0 ? subscriber->position < subscriber->head
                                 : news_left-- > 0) {
        code = acta_follower_next(
            follower, subscriber->head != 0 ? RIG_TIMEOUT_S * 1000 : WAIT_MS,
            &news, &err);
        if (code == ACTA_TIMEOUT && subscriber->head == 0) {
            continue;
        }
        ck_assert_msg(code == ACTA_OK, "%s", err.text);
        take(subscriber, news);
    }
    acta_follower_close(follower);
}

static void *
subscribe(void *arg)
{
    struct subscriber *subscriber = arg;
    struct rnd *rnd = &subscriber->rnd;
    struct acta_sync *sync = NULL;

    while (subscriber->lives_left-- > 0) {
        if (sync == NULL) {
            sync = open_sync(1024 + rnd_below(rnd, 20000));
        }
        live_once(subscriber, sync);
        if (rnd_once_in(rnd, 2)) {
            acta_sync_close(sync);
            sync = NULL;
        }
    }
    acta_sync_close(sync);
    pthread_mutex_lock(&pace.lock);
    pace.subscribers_left--;
    pthread_cond_broadcast(&pace.changed);
    pthread_mutex_unlock(&pace.lock);
    return NULL;
}

static void
start_subscriber(struct subscriber *subscriber, unsigned number, uint64_t seed)
{
    *subscriber = (struct subscriber){
        .filter = number % FILTERS,
        .lives_left = rnd_effort(LIVES, LIVES_LONG),
        .got = calloc(EVENTS_MAX, sizeof(uint64_t)),
        .told = calloc(EVENTS_MAX, sizeof(uint64_t)),
        .told_after = calloc(EVENTS_MAX, sizeof(size_t)),
    };
    ck_assert_ptr_nonnull(subscriber->got);
    ck_assert_ptr_nonnull(subscriber->told);
    ck_assert_ptr_nonnull(subscriber->told_after);
    rnd_seed(&subscriber->rnd, seed + number);
    ck_assert_int_eq(
        pthread_create(&subscriber->thread, NULL, subscribe, subscriber), 0);
}

/* ---- the judge ---- */

static uint8_t
index_of(const char *text, const char *const *texts, size_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return i;
        }
    }
    ck_abort_msg("%s was never sent", text);
}

/* The kinds of all events, in memory that the caller frees. */
static struct kind *
read_all(uint64_t *count)
{
    struct kind *kinds = calloc(EVENTS_MAX, sizeof(*kinds));
    struct acta_read read = acta_read_of_query(NULL);
    struct acta_sync *sync = open_sync(1 << 20);
    const struct acta_event *event;
    struct acta_cursor *cursor;

    *count = 0;
    require(kinds != NULL);
    require(acta_cursor_open(&cursor, sync, &read, NULL) == ACTA_OK);
    for (;;) {
        require(acta_cursor_next(cursor, &event, NULL) == ACTA_OK);
        if (event == NULL) {
            break;
        }
        require(*count < EVENTS_MAX);
        kinds[*count] = (struct kind){
            .stream = index_of(event->stream, streams, 4),
            .type = index_of(event->type, types, 3),
            .tagged = event->tags_count > 0,
        };
        require(event->position == ++*count);
    }
    acta_sync_close(sync);
    return kinds;
}

static void
judge(const struct subscriber *subscriber, const struct kind *kinds,
      uint64_t count)
{
    size_t got = 0, told = 0;

    for (uint64_t position = 1; position <= count; position++) {
        if (is_wanted(subscriber->filter, &kinds[position - 1])) {
            require(got < subscriber->got_count);
            require(subscriber->got[got] == position);
            got++;
        }
        /* Who is told a position has all that is wanted up to there, and
         * nothing from behind it.
         */
        if (told < subscriber->told_count &&
            subscriber->told[told] == position) {
            require(subscriber->told_after[told] == got);
            told++;
        }
    }
    require(got == subscriber->got_count);
    require(told == subscriber->told_count);
    require(subscriber->position == count);
}

START_TEST(lives_of_a_subscriber_put_together_are_the_whole_history)
{
    struct subscriber subscribers[SUBSCRIBERS];
    struct acta_sync *sync;
    struct kind *kinds;
    struct rnd rnd;
    uint64_t count, seed;

    rnd_init(&rnd);
    seed = rnd_next(&rnd);
    rig_start(&rig, "--checkpoint-events=100", NULL);
    pace.subscribers_left = SUBSCRIBERS;
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        start_subscriber(&subscribers[i], i, seed);
    }
    append_while_there_are_subscribers(&rnd);
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        ck_assert_int_eq(pthread_join(subscribers[i].thread, NULL), 0);
    }
    kinds = read_all(&count);
    sync = open_sync(1 << 20);
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        subscribers[i].head = count;
        live_once(&subscribers[i], sync);
        judge(&subscribers[i], kinds, count);
        free(subscribers[i].got);
        free(subscribers[i].told);
        free(subscribers[i].told_after);
    }
    printf("%u lives of %u subscribers over %" PRIu64 " events\n",
           SUBSCRIBERS * rnd_effort(LIVES, LIVES_LONG), SUBSCRIBERS, count);
    acta_sync_close(sync);
    free(kinds);
    rig_stop(&rig);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("seam");
    TCase *tcase = tcase_create("seam");

    tcase_add_test(tcase,
                   lives_of_a_subscriber_put_together_are_the_whole_history);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
