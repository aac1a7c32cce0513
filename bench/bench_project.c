/* How fast are events projected?
 *
 *     plain   a subscription gets every event, and does nothing with it
 *     handler a projection gives every event to a handler that does nothing
 *     sqlite  a projection into a table in SQLite, a row an event, with the
 *             checkpoint in the same transaction
 *     table   the same rows in as large transactions, by SQLite alone: no event
 *             is read
 *
 * Each takes all events that were there when the measurement began, with
 * --transaction of them in a batch at most, and has its turn, round after
 * round, from the start. The ratio of each is that of its rate to the plain
 * one's; that of SQLite to the table's is told, too.
 */

#include <acta/acta_sync.h>

#include "clock.h"
#include "meter.h"
#include "rounds.h"
#include "view.h"
#include "watch.h"

struct lap {
    double seconds;
    double client_us;
    double server_us;
};

struct projecting {
    const struct bench *bench;
    uint64_t head; /* How many events there are. */
    struct meter start;
};

static void
begin_lap(struct projecting *projecting)
{
    meter_read(&projecting->start, &projecting->bench->daemon);
}

static void
end_lap(const struct projecting *projecting, struct lap *lap)
{
    const struct meter *start = &projecting->start;
    struct meter end;

    meter_read(&end, &projecting->bench->daemon);
    lap->seconds = meter_seconds(start, &end);
    lap->client_us = end.client_us - start->client_us;
    lap->server_us = end.server.cpu_us - start->server.cpu_us;
}

/* ---- ways ---- */

static enum acta_code
follow(struct acta_sync *sync, uint64_t head, struct acta_err *err)
{
    struct acta_follower *follower;
    const struct acta_news *news;
    uint64_t position = 0;
    enum acta_code code = acta_follower_open(&follower, sync, NULL, 0, err);

    while (code == ACTA_OK && position < head) {
        code = acta_follower_next(follower, VIEW_TIMEOUT_MS, &news, err);
        if (code == ACTA_OK) {
            position = news->position;
            code = watch_check(err);
        }
    }
    acta_follower_close(follower);
    return code;
}

static enum acta_code
run_plain(struct projecting *projecting, struct lap *lap, struct acta_err *err)
{
    struct acta_options options = acta_options_of(projecting->bench->url);
    struct acta_sync *sync;
    enum acta_code code;

    options.name = "acta-bench";
    options.timeout_ms = VIEW_TIMEOUT_MS;
    code = acta_sync_open(&sync, &options, err);
    if (code == ACTA_OK) {
        begin_lap(projecting);
        code = follow(sync, projecting->head, err);
        end_lap(projecting, lap);
    }
    acta_sync_close(sync);
    return code;
}

static enum acta_code
run_view(struct projecting *projecting, bool has_ledger, struct lap *lap,
         struct acta_err *err)
{
    const struct bench *bench = projecting->bench;
    struct acta_projector_options options = acta_projector_options_of();
    struct view view;
    enum acta_code code;

    options.is_once = true;
    options.batch_max = option_number(bench->options, OPTION_TRANSACTION);
    code = view_open(&view, bench, has_ledger, &options, err);
    if (code == ACTA_OK) {
        begin_lap(projecting);
        code = acta_projector_run(view.projector, err);
        end_lap(projecting, lap);
    }
    if (code == ACTA_OK) {
        code = watch_check(err);
    }
    if (code == ACTA_OK &&
        acta_projector_status(view.projector)->handled != projecting->head) {
        code =
            acta_fail(err, ACTA_CORRUPT, "%ju events were handled, of %ju",
                      (uintmax_t)acta_projector_status(view.projector)->handled,
                      (uintmax_t)projecting->head);
    }
    view_close(&view);
    return code;
}

static enum acta_code
write_rows(const struct projecting *projecting, struct ledger *ledger,
           struct acta_err *err)
{
    const struct bench *bench = projecting->bench;
    const struct acta_keeper *keeper = acta_sqlite_keeper(ledger->model);
    uint64_t batch = option_number(bench->options, OPTION_TRANSACTION);
    char stream[SAMPLE_NAME_SIZE];
    enum acta_code code = ACTA_OK;

    for (uint64_t done = 0; done < projecting->head && code == ACTA_OK;) {
        code = keeper->begin(keeper->user, "table", err);
        for (uint64_t i = 0;
             code == ACTA_OK && i < batch && done < projecting->head;
             i++, done++) {
            sample_stream(&bench->sample, done * 1000003 % bench->streams,
                          stream);
            code = ledger_add(ledger, stream, bench->sample.payload_size, err);
        }
        if (code == ACTA_OK) {
            code = keeper->save(keeper->user, "table", done, err);
        }
        if (code == ACTA_OK) {
            code = keeper->commit(keeper->user, err);
        }
        if (code == ACTA_OK) {
            code = watch_check(err);
        }
    }
    return code;
}

static enum acta_code
run_table(struct projecting *projecting, struct lap *lap, struct acta_err *err)
{
    const struct bench *bench = projecting->bench;
    struct ledger ledger;
    enum acta_code code =
        ledger_open(&ledger, option_text(bench->options, OPTION_DIR), err);

    if (code == ACTA_OK) {
        begin_lap(projecting);
        code = write_rows(projecting, &ledger, err);
        end_lap(projecting, lap);
    }
    ledger_close(&ledger);
    return code;
}

/* ---- rounds ---- */

static enum acta_code
run_round(void *user, struct figures *round, struct acta_err *err)
{
    struct projecting *projecting = user;
    double events = (double)projecting->head;
    struct lap plain, handler, sqlite, table;
    enum acta_code code = run_plain(projecting, &plain, err);

    if (code == ACTA_OK) {
        code = run_view(projecting, false, &handler, err);
    }
    if (code == ACTA_OK) {
        code = run_view(projecting, true, &sqlite, err);
    }
    if (code == ACTA_OK) {
        code = run_table(projecting, &table, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    figures_add(round, "plain_rate", "/s", events / plain.seconds);
    figures_add(round, "handler_rate", "/s", events / handler.seconds);
    figures_add(round, "sqlite_rate", "/s", events / sqlite.seconds);
    figures_add(round, "table_rate", "/s", events / table.seconds);
    figures_add(round, "handler_ratio", "", plain.seconds / handler.seconds);
    figures_add(round, "sqlite_ratio", "", plain.seconds / sqlite.seconds);
    figures_add(round, "sqlite_table_ratio", "",
                table.seconds / sqlite.seconds);
    figures_add(round, "plain_client", "us/event", plain.client_us / events);
    figures_add(round, "handler_client", "us/event",
                handler.client_us / events);
    figures_add(round, "sqlite_client", "us/event", sqlite.client_us / events);
    figures_add(round, "table_client", "us/event", table.client_us / events);
    if (projecting->bench->daemon.pid != 0) {
        figures_add(round, "plain_server", "us/event",
                    plain.server_us / events);
        figures_add(round, "handler_server", "us/event",
                    handler.server_us / events);
        figures_add(round, "sqlite_server", "us/event",
                    sqlite.server_us / events);
    }
    return ACTA_OK;
}

enum acta_code
bench_project(struct bench *bench, struct figures *figures,
              struct acta_err *err)
{
    struct projecting projecting = {.bench = bench};
    enum acta_code code = bench_head(bench, &projecting.head, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (projecting.head == 0) {
        return acta_fail(err, ACTA_INVALID, "there are no events to project");
    }
    watch_begin();
    code = rounds_run(bench, run_round, &projecting, figures, err);
    return code == ACTA_OK ? code : acta_wrap(err, code, "project");
}
