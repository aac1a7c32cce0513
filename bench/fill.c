/* Several connections with several appends each under way, of many events for
 * as many streams: what the server takes fastest.
 */

#include "bench.h"
#include "fleet.h"
#include "meter.h"
#include "progress.h"
#include "settle.h"

#define FILL_CLIENTS  4
#define FILL_PIPELINE 4
#define FILL_EVENTS   250

struct filler;

struct fill_client {
    struct filler *filler;
    struct acta_client *client;
};

struct filler {
    struct bench *bench;
    struct fleet fleet;
    /* Answers find them, until the fleet is closed. */
    struct fill_client clients[FILL_CLIENTS];
    struct acta_append *append;
    uint64_t count;
    uint64_t sent;
    uint64_t stored;
};

/* A prime, larger than a step to the next category: neighbours in time are far
 * apart by number.
 */
static uint64_t
mixed(uint64_t number, uint64_t streams)
{
    return number % streams * 1000003 % streams;
}

/* All streams in turn, again and again; or as many as are filled together,
 * until they have their share of the events, and then the next.
 */
static uint64_t
fill_stream(const struct filler *filler, uint64_t number)
{
    uint64_t streams = filler->bench->streams;
    uint64_t together = option_number(filler->bench->options, OPTION_TOGETHER);
    uint64_t share, first;

    if (together == 0 || together >= streams) {
        return mixed(number, streams);
    }
    share = filler->count > streams ? filler->count / streams : 1;
    first = number / (together * share) * together % streams;
    if (together > streams - first) {
        together = streams - first; /* The last ones. */
    }
    return first + mixed(number, together);
}

static void on_stored(void *user, const struct acta_err *err,
                      const struct acta_appended *appended);

static void
send_next(struct fill_client *from)
{
    struct filler *filler = from->filler;
    struct bench *bench = filler->bench;
    char name[SAMPLE_NAME_SIZE];
    struct acta_id command;
    struct acta_err err;

    if (filler->sent == filler->count) {
        return;
    }
    acta_append_clear(filler->append);
    for (int i = 0; i < FILL_EVENTS && filler->sent < filler->count; i++) {
        uint64_t stream = fill_stream(filler, filler->sent);

        sample_stream(&bench->sample, stream, name);
        acta_append_stream(filler->append, name, ACTA_EXPECT_ANY);
        sample_event(&bench->sample, filler->sent, filler->append);
        bench->versions[stream]++;
        filler->sent++;
    }
    if (option_number(bench->options, OPTION_COMMANDS) != 0) {
        if (acta_id_new(&command, &err) != ACTA_OK) {
            fleet_fail(&filler->fleet, &err);
            return;
        }
        acta_append_command_id(filler->append, &command);
    }
    if (acta_append(from->client, filler->append, 0, on_stored, from, &err) ==
        0) {
        fleet_fail(&filler->fleet, &err);
    }
}

static void
on_stored(void *user, const struct acta_err *err,
          const struct acta_appended *appended)
{
    struct fill_client *from = user;

    if (err != NULL) {
        fleet_fail(&from->filler->fleet, err);
        return;
    }
    for (size_t i = 0; i < appended->runs_count; i++) {
        from->filler->stored += appended->runs[i]->count;
    }
    send_next(from);
}

static enum acta_code
fill(struct filler *filler, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; i < FILL_CLIENTS; i++) {
        filler->clients[i] = (struct fill_client){
            .filler = filler,
            .client = fleet_client(&filler->fleet, i),
        };
        for (int j = 0; j < FILL_PIPELINE; j++) {
            send_next(&filler->clients[i]);
        }
    }
    while (code == ACTA_OK && filler->stored < filler->count) {
        progress_show("filling", "events", filler->stored, filler->count);
        code = fleet_turn(&filler->fleet, err);
    }
    progress_clear();
    return code;
}

static enum acta_code
open_filler(struct filler *filler, struct bench *bench, uint64_t count,
            struct acta_err *err)
{
    *filler = (struct filler){
        .bench = bench,
        .append = acta_append_new(),
        .count = count,
    };
    return fleet_open(&filler->fleet, bench->url, FILL_CLIENTS, err);
}

static void
close_filler(struct filler *filler)
{
    fleet_close(&filler->fleet);
    acta_append_free(filler->append);
}

enum acta_code
bench_fill(struct bench *bench, uint64_t count, struct acta_err *err)
{
    struct filler filler;
    enum acta_code code = open_filler(&filler, bench, count, err);

    if (code == ACTA_OK) {
        code = fill(&filler, err);
    }
    close_filler(&filler);
    return code == ACTA_OK ? code : acta_wrap(err, code, "fill");
}

enum acta_code
bench_filling(struct bench *bench, struct figures *figures,
              struct acta_err *err)
{
    double count = (double)option_number(bench->options, OPTION_FILL);
    struct meter start, answered, stored;
    struct settled settled = {0};
    struct filler filler;
    enum acta_code code;

    code = open_filler(&filler, bench, (uint64_t)count, err);
    meter_read(&start, &bench->daemon);
    if (code == ACTA_OK) {
        code = fill(&filler, err);
    }
    meter_read(&answered, &bench->daemon);
    if (code == ACTA_OK) {
        code = settle(&filler.fleet, &settled, err);
    }
    meter_read(&stored, &bench->daemon);
    close_filler(&filler);
    if (code != ACTA_OK) {
        return acta_wrap(err, code, "fill");
    }
    figures_add(figures, "events", "/s",
                count / meter_seconds(&start, &answered));
    figures_add(figures, "stored", "/s",
                count / meter_seconds(&start, &stored));
    figures_add(figures, "store", "bytes/event",
                (double)settled.store_size / (double)settled.head);
    meter_tell(&start, &stored, count, figures);
    return ACTA_OK;
}
