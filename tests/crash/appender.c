#include "appender.h"

#include <acta/acta_sync.h>
#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "require.h"
#include "rnd.h"

#define TYPES_COUNT    5
#define SHARED_STREAMS 4
#define OWN_STREAMS    16
#define STREAMS_MAX    4  /* In one append. */
#define EVENTS_MAX     24 /* In one write. */
#define DATA_SIZE      96
#define DATA_SIZE_MAX  9000 /* Over two blocks of a disk. */
#define TAGS_COUNT     7

/* A client that soon gives up: what it asked for is then unknown. */
#define HASTY_TIMEOUT_MS   20
#define PATIENT_TIMEOUT_MS 60000
#define BACKOFF_MAX_MS     20

struct appender {
    pthread_t thread;
    char url[64];
    unsigned number;
    unsigned patience_ms;
    struct rnd rnd;
    struct history *history;
    struct acta_sync *hasty;
    struct acta_sync *patient;
    struct acta_append *append;
    uint64_t appends_count;
    uint64_t answers_count;
    /* Versions as it last saw them: of the streams of all, then of its own. */
    uint64_t versions[SHARED_STREAMS + OWN_STREAMS];
    size_t streams[STREAMS_MAX]; /* Those of the append at hand. */
    size_t streams_count;
};

static atomic_bool stopping;
static void (*tell)(unsigned number, uint64_t answer); /* May be NULL. */

void
appenders_tell(void (*told)(unsigned number, uint64_t answer))
{
    tell = told;
}

void
appenders_stop(void)
{
    atomic_store(&stopping, true);
}

static void
stream_name(const struct appender *appender, size_t index, char name[static 40])
{
    if (index < SHARED_STREAMS) {
        snprintf(name, 40, "shared-%zu", index);
    } else {
        snprintf(name, 40, "own-%u-%zu", appender->number, index);
    }
}

/* ---- making an append ---- */

static int64_t
choose_expected(struct appender *appender, size_t index)
{
    switch (rnd_below(&appender->rnd, 6)) {
    case 0:
    case 1:
        return ACTA_EXPECT_ANY;
    case 2:
        return ACTA_EXPECT_EXISTS;
    default:
        return (int64_t)appender->versions[index];
    }
}

static void
add_event(struct appender *appender)
{
    static const char *const types[TYPES_COUNT] = {
        "OrderPlaced", "OrderPaid", "OrderSent", "OrderReturned", "Noted",
    };
    char tag[2][16], metadata[32];
    const char *tags[] = {tag[0], tag[1]};
    static _Thread_local uint8_t data[DATA_SIZE_MAX];
    struct rnd *rnd = &appender->rnd;
    struct acta_draft draft;
    struct acta_id id;
    size_t size;

    size = rnd_below(rnd, rnd_once_in(rnd, 50) ? DATA_SIZE_MAX : DATA_SIZE);
    rnd_bytes(rnd, data, size);
    draft = acta_draft_of(types[rnd_below(rnd, TYPES_COUNT)], data, size);
    require(acta_id_new(&id, NULL) == ACTA_OK);
    draft.id = &id;
    snprintf(tag[0], sizeof(tag[0]), "tag:%u",
             (unsigned)rnd_below(rnd, TAGS_COUNT));
    snprintf(tag[1], sizeof(tag[1]), "client:%u", appender->number);
    draft.tags = tags;
    draft.tags_count = rnd_below(rnd, 3);
    draft.metadata_size = (size_t)snprintf(metadata, sizeof(metadata),
                                           "%" PRIu64, appender->appends_count);
    draft.metadata = metadata;
    acta_append_event(appender->append, &draft);
    history_append_event(appender->history, &draft);
}

static void
choose_streams(struct appender *appender)
{
    struct rnd *rnd = &appender->rnd;
    size_t wanted = rnd_once_in(rnd, 3) ? 1 + rnd_below(rnd, STREAMS_MAX) : 1;

    appender->streams_count = 0;
    while (appender->streams_count < wanted) {
        size_t index = rnd_below(rnd, SHARED_STREAMS + OWN_STREAMS);
        bool twice = false;

        for (size_t i = 0; i < appender->streams_count; i++) {
            twice |= appender->streams[i] == index;
        }
        if (!twice) {
            appender->streams[appender->streams_count++] = index;
        }
    }
}

static void
make_append(struct appender *appender)
{
    struct rnd *rnd = &appender->rnd;
    char name[40];

    appender->appends_count++;
    acta_append_clear(appender->append);
    history_append_begin(appender->history, appender->appends_count);
    choose_streams(appender);
    for (size_t i = 0; i < appender->streams_count; i++) {
        size_t index = appender->streams[i];
        int64_t expected = choose_expected(appender, index);
        size_t count = rnd_once_in(rnd, 3) ? 1 + rnd_below(rnd, EVENTS_MAX) : 1;

        stream_name(appender, index, name);
        acta_append_stream(appender->append, name, expected);
        history_append_write(appender->history, name, expected);
        while (count-- > 0) {
            add_event(appender);
        }
    }
    history_append_end(appender->history);
}

/* ---- sending it, until it is enough ---- */

/* Take over what the answer says of versions. */
static void
learn(struct appender *appender, enum acta_code code,
      const struct acta_appended *appended)
{
    for (size_t i = 0; code == ACTA_OK && i < appended->runs_count; i++) {
        const struct acta_run *run = appended->runs[i];

        appender->versions[appender->streams[run->write]] =
            run->first_version + run->count - 1;
    }
    for (size_t i = 0; code == ACTA_CONFLICT && i < appended->failures_count;
         i++) {
        const struct acta_failure *failure = appended->failures[i];

        appender->versions[appender->streams[failure->index]] = failure->actual;
    }
}

/* Read an event that was promised. Any answer but "there is none" is no matter:
 * the server may be down.
 */
static void
look(struct appender *appender, struct acta_sync *sync)
{
    size_t index = appender->streams[0];
    const struct acta_event *event = NULL;
    uint64_t version = appender->versions[index];
    enum acta_code code;
    char name[40];

    stream_name(appender, index, name);
    code = acta_sync_read_version(sync, name, version, &event, NULL);
    if (code == ACTA_OK || code == ACTA_NOT_FOUND) {
        history_look(appender->history, name, version,
                     code == ACTA_OK ? event : NULL);
    }
}

static enum acta_code
send_once(struct appender *appender, struct acta_sync *sync)
{
    const struct acta_appended *appended;
    enum acta_code code;

    code = acta_sync_append(sync, appender->append, &appended, NULL);
    history_answer(appender->history, appender->appends_count, code, appended);
    appender->answers_count++;
    if (tell != NULL) {
        tell(appender->number, appender->answers_count);
    }
    learn(appender, code, appended);
    return code;
}

static void
send_append(struct appender *appender)
{
    struct rnd *rnd = &appender->rnd;
    struct acta_sync *sync =
        rnd_once_in(rnd, 3) ? appender->hasty : appender->patient;
    enum acta_code code = send_once(appender, sync);

    if (code == ACTA_UNKNOWN && !rnd_once_in(rnd, 4)) {
        code = send_once(appender, appender->patient);
    }
    if (code == ACTA_OK && rnd_once_in(rnd, 4)) {
        look(appender, appender->patient);
    }
    if (code == ACTA_OK && rnd_once_in(rnd, 8)) {
        (void)send_once(appender, appender->patient);
    }
}

static struct acta_sync *
connect_with(const struct appender *appender, uint64_t timeout_ms)
{
    struct acta_options options = acta_options_of(appender->url);
    struct acta_sync *sync;
    struct acta_err err;

    options.name = "appender";
    options.backoff_min_ms = 1;
    options.backoff_max_ms = BACKOFF_MAX_MS;
    options.timeout_ms = timeout_ms;
    if (appender->patience_ms > 0) {
        options.connect_timeout_ms = appender->patience_ms;
        options.silence_ms = appender->patience_ms;
    }
    /* Only the first connection is the caller's work, and the server may be
     * killed at any time.
     */
    while (acta_sync_open(&sync, &options, &err) != ACTA_OK) {
        ck_assert_msg(acta_code_remedy(err.code) == ACTA_REMEDY_RETRY, "%s",
                      err.text);
    }
    return sync;
}

static void *
run(void *arg)
{
    struct appender *appender = arg;

    appender->hasty = connect_with(appender, HASTY_TIMEOUT_MS);
    appender->patient = connect_with(appender, PATIENT_TIMEOUT_MS);
    while (!atomic_load(&stopping)) {
        make_append(appender);
        send_append(appender);
    }
    acta_sync_close(appender->hasty);
    acta_sync_close(appender->patient);
    return NULL;
}

struct appender *
appender_start(const struct appender_options *options)
{
    struct appender *appender = calloc(1, sizeof(*appender));
    char name[40];

    ck_assert_ptr_nonnull(appender);
    atomic_store(&stopping, false);
    snprintf(appender->url, sizeof(appender->url), "%s", options->url);
    appender->number = options->number;
    appender->patience_ms = options->patience_ms;
    rnd_seed(&appender->rnd, options->seed + options->number);
    snprintf(name, sizeof(name), "append-%u.log", options->number);
    appender->history = history_open(options->dir, name);
    appender->append = acta_append_new();
    ck_assert_ptr_nonnull(appender->append);
    ck_assert_int_eq(pthread_create(&appender->thread, NULL, run, appender), 0);
    return appender;
}

void
appender_join(struct appender *appender)
{
    ck_assert_int_eq(pthread_join(appender->thread, NULL), 0);
    history_close(appender->history);
    acta_append_free(appender->append);
    free(appender);
}
