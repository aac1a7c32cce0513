/* A read model in SQLite has each event exactly once, whatever is killed when:
 * its projection, in a handler, before and behind the checkpoint's saving, the
 * commit, and what the server is told of it; and the server. Two instances of
 * it run at a time, and take each other's place.
 */

#include <acta/acta_sqlite.h>
#include <check.h>
#include <inttypes.h>
#include <stdio.h>

#include "mortal.h"
#include "patient.h"
#include "run.h"

#define ROUNDS      25
#define ROUNDS_LONG 500
#define STREAMS     7
#define STORED_MAX  60 /* In a round. */
#define BATCH_MAX   9
#define DIE_ONCE_IN 60
#define TIMEOUT_S   1800

static struct mortal mortal;
static char model_path[300];
static uint64_t stored;

/* ---- an instance, in a process of its own ---- */

static struct acta_keeper real;

static enum acta_code
save(void *user, const char *name, uint64_t position, struct acta_err *err)
{
    enum acta_code code;

    mortal_step();
    code = real.save(user, name, position, err);
    mortal_step();
    return code;
}

static enum acta_code
commit(void *user, struct acta_err *err)
{
    enum acta_code code = real.commit(user, err);

    mortal_step();
    return code;
}

static enum acta_verdict
count(void *user, struct acta_context *context, const struct acta_event *event)
{
    sqlite3 *db = acta_context_model(context);
    char sql[300];

    (void)user;
    sqlite3_snprintf(sizeof(sql), sql,
                     "INSERT INTO counts VALUES(%Q, 1, %llu) ON CONFLICT "
                     "DO UPDATE SET count = count + 1, sum = sum + %llu",
                     event->stream, (unsigned long long)event->position,
                     (unsigned long long)event->position);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return acta_context_fail(context, ACTA_VERDICT_STOP, "%s",
                                 sqlite3_errmsg(db));
    }
    mortal_step();
    return ACTA_VERDICT_OK;
}

static struct acta_sqlite *
open_model(sqlite3 *db, struct acta_err *err)
{
    static const char *const tables[] = {"counts", NULL};
    struct acta_sqlite *model;

    return acta_sqlite_open(&model, db,
                            "CREATE TABLE IF NOT EXISTS counts(stream TEXT "
                            "PRIMARY KEY, count INTEGER, sum INTEGER)",
                            tables, err) == ACTA_OK
               ? model
               : NULL;
}

static enum acta_code
project(struct mortal *of, struct acta_err *err)
{
    struct acta_projection *projection = acta_projection_new("counts");
    struct acta_projector_options how = acta_projector_options_of();
    struct acta_options options = patient_options(of->daemon.url);
    struct acta_projector *projector = NULL;
    struct acta_sqlite *model;
    struct acta_sync *sync = NULL;
    struct acta_keeper keeper;
    sqlite3 *db = NULL;

    if (sqlite3_open(model_path, &db) != SQLITE_OK) {
        return acta_fail(err, ACTA_IO, "%s", sqlite3_errmsg(db));
    }
    model = open_model(db, err);
    if (model == NULL) {
        sqlite3_close(db);
        return err->code;
    }
    real = *acta_sqlite_keeper(model);
    keeper = real;
    keeper.save = save;
    keeper.commit = commit;
    how.is_once = true;
    how.batch_max = BATCH_MAX;
    acta_projection_on(projection, "Counted", count, NULL);
    acta_projection_keep(projection, &keeper);
    if (acta_sync_open(&sync, &options, err) == ACTA_OK &&
        acta_projector_new(&projector, projection, sync, &how, err) ==
            ACTA_OK) {
        (void)acta_projector_run(projector, err);
    }
    acta_projector_free(projector);
    acta_sync_close(sync);
    acta_sqlite_close(model);
    acta_projection_free(projection);
    sqlite3_close(db);
    return err->code;
}

/* ---- the story ---- */

static void
store(void)
{
    uint64_t count = rnd_below(&mortal.rnd, STORED_MAX) + 1;
    struct acta_append *append = acta_append_new();
    struct acta_sync *sync = mortal_connect(&mortal);
    struct acta_err err;

    stored += count;
    while (count-- > 0) {
        struct acta_draft draft = acta_draft_of("Counted", NULL, 0);
        char stream[32];

        snprintf(stream, sizeof(stream), "s-%" PRIu64,
                 rnd_below(&mortal.rnd, STREAMS));
        acta_append_stream(append, stream, ACTA_EXPECT_ANY);
        acta_append_event(append, &draft);
    }
    ck_assert_msg(acta_sync_append(sync, append, NULL, &err) == ACTA_OK, "%s",
                  err.text);
    acta_sync_close(sync);
    acta_append_free(append);
}

/* ---- what came of it ---- */

struct sums {
    uint64_t count[STREAMS];
    uint64_t sum[STREAMS];
};

static void
fold_log(struct sums *sums)
{
    struct acta_query *query = acta_query_new();
    struct acta_sync *sync = mortal_connect(&mortal);
    struct acta_read read = acta_read_of_query(query);
    const struct acta_event *event;
    struct acta_cursor *cursor;
    struct acta_err err;

    acta_query_type(query, "Counted");
    ck_assert_int_eq(acta_cursor_open(&cursor, sync, &read, &err), ACTA_OK);
    while (acta_cursor_next(cursor, &event, &err) == ACTA_OK && event != NULL) {
        unsigned index;

        ck_assert_int_eq(sscanf(event->stream, "s-%u", &index), 1);
        sums->count[index]++;
        sums->sum[index] += event->position;
    }
    acta_query_free(query);
    acta_sync_close(sync);
}

static void
read_model(struct sums *sums)
{
    sqlite3_stmt *statement;
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(model_path, &db), SQLITE_OK);
    ck_assert_int_eq(
        sqlite3_prepare_v2(db, "SELECT * FROM counts", -1, &statement, NULL),
        SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *stream = (const char *)sqlite3_column_text(statement, 0);
        unsigned index;

        ck_assert_int_eq(sscanf(stream, "s-%u", &index), 1);
        sums->count[index] = (uint64_t)sqlite3_column_int64(statement, 1);
        sums->sum[index] = (uint64_t)sqlite3_column_int64(statement, 2);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static uint64_t
total(const struct sums *sums)
{
    uint64_t all = 0;

    for (int i = 0; i < STREAMS; i++) {
        all += sums->count[i];
    }
    return all;
}

START_TEST(each_event_counts_once_whatever_is_killed)
{
    struct sums log = {0}, model = {0};
    unsigned rounds;

    mortal = (struct mortal){.live = project, .die_once_in = DIE_ONCE_IN};
    mortal_open(&mortal);
    rounds = rnd_effort(ROUNDS, ROUNDS_LONG);
    snprintf(model_path, sizeof(model_path), "%s/model.db", mortal.dir.path);
    while (rounds-- > 0) {
        store();
        mortal_live_and_die(&mortal);
    }
    store();
    mortal_live(&mortal);
    fold_log(&log);
    read_model(&model);
    ck_assert_uint_eq(total(&log), stored);
    ck_assert_mem_eq(&log, &model, sizeof(log));
    mortal_close(&mortal);
}
END_TEST

static Suite *
projection_kill_suite(void)
{
    Suite *suite = suite_create("projection_kill");
    TCase *tcase = tcase_create("projection_kill");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, each_event_counts_once_whatever_is_killed);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(projection_kill_suite());
}
