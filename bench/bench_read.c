/* Reads and replays, from the start to the end: how many events a second come
 * over the socket, page by page (read) or pushed (subscribe), all of them or
 * those of a query?
 */

#include <stdlib.h>

#include "bench.h"
#include "clock.h"
#include "fleet.h"
#include "limits.h"
#include "meter.h"
#include "progress.h"

#define LIMIT_BYTES (UINT64_C(256) << 20)

struct readers {
    struct bench *bench;
    struct fleet fleet;
    struct acta_query *query; /* owned; NULL: all */
    struct acta_read read;
    struct reader *list; /* owned: one a client */
    size_t finished;
    uint64_t events_count;
    uint64_t bytes_count;
    struct meter start;
    struct meter end;
};

struct reader {
    struct readers *readers;
    struct acta_client *client;
    struct acta_read read;
    struct acta_sub *sub;
    uint64_t until; /* Position, of a subscription. */
    uint64_t events_count;
};

static void
count_events(struct reader *reader, const struct acta_event *const *events,
             size_t count)
{
    struct readers *readers = reader->readers;

    for (size_t i = 0; i < count; i++) {
        readers->bytes_count += events[i]->data_size;
    }
    reader->events_count += count;
    readers->events_count += count;
}

/* As many as are wanted have come, if not all are. */
static bool
is_enough(const struct reader *reader)
{
    uint64_t most = option_number(reader->readers->bench->options, OPTION_MOST);

    return most > 0 && reader->events_count >= most;
}

static void
finish_one(struct readers *readers)
{
    readers->finished++;
    if (readers->finished == readers->fleet.count) {
        meter_read(&readers->end, &readers->bench->daemon);
    }
}

static void
make_query(struct readers *readers)
{
    const struct options *options = readers->bench->options;
    const char *category = option_text(options, OPTION_CATEGORY);
    const char *type = option_text(options, OPTION_TYPE);
    const char *tag = option_text(options, OPTION_TAG);

    if (category == NULL && type == NULL && tag == NULL) {
        return;
    }
    readers->query = acta_query_new();
    if (category != NULL) {
        acta_query_category(readers->query, category);
    }
    if (type != NULL) {
        acta_query_type(readers->query, type);
    }
    if (tag != NULL) {
        acta_query_tag(readers->query, tag);
    }
}

/* ---- page by page ---- */

static void on_page(void *user, const struct acta_err *err,
                    const struct acta_page *page);

static void
ask_for_page(struct reader *reader)
{
    struct acta_err err;

    if (acta_read(reader->client, &reader->read, 0, on_page, reader, &err) ==
        0) {
        fleet_fail(&reader->readers->fleet, &err);
    }
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    struct reader *reader = user;

    if (err != NULL) {
        fleet_fail(&reader->readers->fleet, err);
        return;
    }
    count_events(reader, page->events, page->events_count);
    reader->read.from = page->next;
    if (page->at_end || is_enough(reader)) {
        finish_one(reader->readers);
    } else {
        ask_for_page(reader);
    }
}

static void
start_reading(struct reader *reader)
{
    const struct options *options = reader->readers->bench->options;
    const char *stream = option_text(options, OPTION_STREAM);

    reader->read = stream != NULL ? acta_read_of_stream(stream)
                                  : acta_read_of_query(reader->readers->query);
    reader->read.from = option_number(options, OPTION_FROM);
    reader->read.events_max = option_number(options, OPTION_PAGE);
    ask_for_page(reader);
}

/* ---- pushed ---- */

/* Up to the end that was there when it began: what follows is another matter.
 */
static void
move(struct reader *reader, uint64_t position)
{
    if (reader->sub != NULL &&
        (position >= reader->until || is_enough(reader))) {
        acta_unsubscribe(reader->sub);
        reader->sub = NULL;
        finish_one(reader->readers);
    }
}

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct reader *reader = user;

    count_events(reader, batch->events, batch->events_count);
    move(reader, batch->position);
}

static void
on_moved(void *user, uint64_t position, uint64_t head)
{
    (void)head;
    move(user, position);
}

static void
on_caught_up(void *user, uint64_t position)
{
    move(user, position);
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct reader *reader = user;

    (void)position;
    reader->sub = NULL;
    fleet_fail(&reader->readers->fleet, err);
}

static void
start_subscribing(struct reader *reader)
{
    struct acta_follow follow = acta_follow_of(
        reader->readers->query,
        option_number(reader->readers->bench->options, OPTION_FROM));
    struct acta_err err;

    follow.user = reader;
    follow.on_events = on_events;
    follow.on_moved = on_moved;
    follow.on_caught_up = on_caught_up;
    follow.on_ended = on_ended;
    reader->until = acta_server(reader->client)->head;
    reader->sub = acta_subscribe(reader->client, &follow, &err);
    if (reader->sub == NULL) {
        fleet_fail(&reader->readers->fleet, &err);
    }
}

/* ---- both ---- */

static enum acta_code
measure(struct readers *readers, void (*start)(struct reader *),
        struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    readers->list = calloc(readers->fleet.count, sizeof(*readers->list));
    if (readers->list == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu readers", readers->fleet.count);
    }
    meter_read(&readers->start, &readers->bench->daemon);
    for (size_t i = 0; i < readers->fleet.count; i++) {
        readers->list[i].readers = readers;
        readers->list[i].client = fleet_client(&readers->fleet, i);
        start(&readers->list[i]);
    }
    while (code == ACTA_OK && readers->finished < readers->fleet.count) {
        progress_show("reading", "events", readers->events_count, 0);
        code = fleet_turn(&readers->fleet, err);
    }
    progress_clear();
    return code;
}

static void
tell(const struct readers *readers, struct figures *figures)
{
    double seconds = meter_seconds(&readers->start, &readers->end);
    double events = (double)readers->events_count;

    figures_add(figures, "events", "/s", events / seconds);
    figures_add(figures, "data", "MB/s",
                (double)readers->bytes_count / 1e6 / seconds);
    figures_add(figures, "events_read", "events", events);
    figures_add(figures, "seconds", "s", seconds);
    meter_tell(&readers->start, &readers->end, events, figures);
}

/* A copy through the loopback, of which data is a part. */
static enum acta_code
tell_limit(struct figures *figures, struct acta_err *err)
{
    double bytes_s = 0;
    enum acta_code code = limits_loopback(LIMIT_BYTES, &bytes_s, err);

    figures_add(figures, "loopback_copy", "MB/s", bytes_s / 1e6);
    return code;
}

static enum acta_code
run_readers(struct bench *bench, struct figures *figures,
            void (*start)(struct reader *), struct acta_err *err)
{
    struct readers readers = {.bench = bench};
    enum acta_code code;

    make_query(&readers);
    code = tell_limit(figures, err);
    if (code == ACTA_OK) {
        code = fleet_open(&readers.fleet, bench->url,
                          option_number(bench->options, OPTION_CLIENTS), err);
    }
    if (code == ACTA_OK) {
        code = measure(&readers, start, err);
    }
    if (code == ACTA_OK && readers.events_count == 0) {
        code = acta_fail(err, ACTA_NOT_FOUND, "there was nothing to read");
    }
    if (code == ACTA_OK) {
        tell(&readers, figures);
    }
    fleet_close(&readers.fleet);
    free(readers.list);
    acta_query_free(readers.query);
    return code;
}

enum acta_code
bench_read(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    return run_readers(bench, figures, start_reading, err);
}

enum acta_code
bench_subscribe(struct bench *bench, struct figures *figures,
                struct acta_err *err)
{
    return run_readers(bench, figures, start_subscribing, err);
}
