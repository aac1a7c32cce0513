/* Read models in PostgreSQL, in front of a whole server. ACTA_TEST_POSTGRES in
 * the environment says where a PostgreSQL is, as "host=/tmp dbname=test" does;
 * without it there is no test. Everything is in schemas of the test's own.
 */

#include <acta/acta_postgres.h>
#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "patient.h"
#include "rig.h"
#include "run.h"

static const char *where;
static struct rig rig;
static char url[64];
static char schema[64];
static struct acta_sync *sync_;
static struct acta_projection *projection;
static struct acta_projector *projector;
static struct acta_projector_options options;
static struct acta_postgres *model;
static PGconn *db;
static struct acta_err err;
static uint64_t bad_position;
static void (*in_handler)(void); /* Called once. */
static unsigned replayed;

static void
run_sql(PGconn *on, const char *sql)
{
    PGresult *result = PQexec(on, sql);

    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK ||
                      PQresultStatus(result) == PGRES_TUPLES_OK,
                  "%s: %s", sql, PQerrorMessage(on));
    PQclear(result);
}

static PGconn *
connect_to_postgres(void)
{
    char all[300];
    PGconn *made;

    snprintf(all, sizeof(all),
             "%s options='-csearch_path=%s -cclient_min_messages=error'", where,
             schema);
    made = PQconnectdb(all);
    ck_assert_msg(PQstatus(made) == CONNECTION_OK, "%s", PQerrorMessage(made));
    return made;
}

static struct acta_postgres *
open_model(PGconn *in)
{
    static const char *const tables[] = {"counts", NULL};
    struct acta_postgres *made;

    ck_assert_msg(acta_postgres_open(&made, in,
                                     "CREATE TABLE IF NOT EXISTS counts("
                                     "type text PRIMARY KEY, count bigint)",
                                     tables, &err) == ACTA_OK,
                  "%s", err.text);
    return made;
}

static void
setup(void)
{
    struct acta_options to;
    char sql[100];

    rig_start(&rig, NULL);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    to = patient_options(url);
    ck_assert_int_eq(acta_sync_open(&sync_, &to, &err), ACTA_OK);
    snprintf(schema, sizeof(schema), "acta_test_%ld", (long)getpid());
    db = connect_to_postgres();
    snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", schema);
    run_sql(db, sql);
    model = open_model(db);
    projection = acta_projection_new(schema); /* Names the rebuild's schema. */
    acta_projection_keep(projection, acta_postgres_keeper(model));
    options = acta_projector_options_of();
    options.is_once = true;
    options.retry_ms = 1;
    projector = NULL;
    bad_position = 0;
    in_handler = NULL;
    replayed = 0;
}

static void
teardown(void)
{
    char sql[100];

    acta_projector_free(projector);
    acta_projection_free(projection);
    acta_postgres_close(model);
    snprintf(sql, sizeof(sql), "DROP SCHEMA %s CASCADE", schema);
    run_sql(db, sql);
    PQfinish(db);
    acta_sync_close(sync_);
    rig_stop(&rig);
}

/* ---- the words in which the tests are written ---- */

static void
store_many(unsigned count)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of("Placed", NULL, 0);

    acta_append_stream(append, "order-1", ACTA_EXPECT_ANY);
    while (count-- > 0) {
        acta_append_event(append, &draft);
    }
    ck_assert_msg(acta_sync_append(sync_, append, NULL, &err) == ACTA_OK, "%s",
                  err.text);
    acta_append_free(append);
}

static enum acta_verdict
count(void *user, struct acta_context *context, const struct acta_event *event)
{
    PGconn *to = acta_context_model(context);
    void (*call)(void) = in_handler;
    PGresult *result;

    (void)user;
    replayed += acta_context_is_replaying(context);
    in_handler = NULL;
    if (call != NULL) {
        call();
    }
    if (PQresultStatus(
            result = PQexec(
                to, "INSERT INTO counts VALUES('Placed', 1) ON CONFLICT (type) "
                    "DO UPDATE SET count = counts.count + 1")) !=
        PGRES_COMMAND_OK) {
        PQclear(result);
        return acta_context_fail(context, ACTA_VERDICT_RETRY, "%s",
                                 PQerrorMessage(to));
    }
    PQclear(result);
    if (event->position == bad_position) {
        PQclear(PQexec(to, "SELECT no_such_column"));
        return acta_context_fail(context, ACTA_VERDICT_PARK, "no column");
    }
    return ACTA_VERDICT_OK;
}

static enum acta_code
run_it(void)
{
    if (projector == NULL) {
        acta_projection_on(projection, "Placed", count, NULL);
        ck_assert_msg(acta_projector_new(&projector, projection, sync_,
                                         &options, &err) == ACTA_OK,
                      "%s", err.text);
    }
    return acta_projector_run(projector, &err);
}

static void
run_well(void)
{
    ck_assert_msg(run_it() == ACTA_OK, "%s", err.text);
}

static int
number_in(PGconn *in, const char *sql)
{
    PGresult *result = PQexec(in, sql);
    int value;

    ck_assert_msg(PQntuples(result) == 1, "%s: %s", sql, PQerrorMessage(in));
    value = atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

static int
number(const char *sql)
{
    return number_in(db, sql);
}

static int
counted(void)
{
    return number("SELECT coalesce(sum(count), 0) FROM counts");
}

static int
checkpoint(void)
{
    return number("SELECT position FROM acta_checkpoint");
}

/* ---- tests ---- */

START_TEST(each_event_counts_once)
{
    store_many(5);
    run_well();
    store_many(2);
    run_well();
    ck_assert_int_eq(counted(), 7);
    ck_assert_int_eq(checkpoint(), 7);
    ck_assert_int_eq(acta_sync_wait_for(sync_, schema, 7, 0, &err), ACTA_OK);
}
END_TEST

START_TEST(a_statement_that_fails_spoils_its_event_only)
{
    store_many(5);
    bad_position = 3;
    run_well();
    ck_assert_int_eq(counted(), 4);
    ck_assert_uint_eq(acta_projector_status(projector)->parked, 1);
}
END_TEST

static void
roll_back(void)
{
    run_sql(db, "ROLLBACK");
}

static void
roll_back_at_the_next(void)
{
    in_handler = roll_back;
}

/* Which it must not. What it does then may count twice, but what was done by
 * those before it is not lost.
 */
START_TEST(a_handler_that_rolls_back_takes_no_other_event_along)
{
    store_many(2);
    in_handler = roll_back_at_the_next;
    run_well();
    ck_assert_int_ge(counted(), 2);
    ck_assert_int_eq(checkpoint(), 2);
    ck_assert_uint_eq(acta_projector_status(projector)->errors, 1);
}
END_TEST

static void
lose_the_connection(void)
{
    PGconn *other = connect_to_postgres();
    char sql[100];

    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)",
             PQbackendPID(db));
    run_sql(other, sql);
    PQfinish(other);
}

static struct acta_keeper real;
static bool has_lost; /* The connection, once. */

static enum acta_code
save_in_vain(void *user, const char *name, uint64_t position,
             struct acta_err *why)
{
    if (!has_lost) {
        has_lost = true;
        lose_the_connection();
    }
    return real.save(user, name, position, why);
}

START_TEST(a_connection_that_is_lost_is_made_again)
{
    struct acta_keeper keeper = *acta_postgres_keeper(model);

    real = keeper;
    keeper.save = save_in_vain;
    has_lost = false;
    acta_projection_keep(projection, &keeper);
    store_many(5);
    run_well();
    ck_assert_int_eq(counted(), 5);
    ck_assert_uint_eq(acta_projector_status(projector)->errors, 1);
}
END_TEST

static enum acta_code
commit_unheard(void *user, struct acta_err *why)
{
    enum acta_code code = real.commit(user, why);

    if (code == ACTA_OK && !has_lost) {
        has_lost = true;
        lose_the_connection();
        code = acta_fail(why, ACTA_IO, "nothing was heard of it");
    }
    return code;
}

START_TEST(a_commit_that_was_done_counts_once_though_its_connection_was_lost)
{
    struct acta_keeper keeper = *acta_postgres_keeper(model);

    real = keeper;
    keeper.commit = commit_unheard;
    has_lost = false;
    acta_projection_keep(projection, &keeper);
    store_many(5);
    run_well();
    ck_assert_int_eq(counted(), 5);
    ck_assert_int_eq(checkpoint(), 5);
}
END_TEST

START_TEST(a_run_begins_with_a_connection_that_was_lost)
{
    store_many(2);
    run_well();
    lose_the_connection();
    PQclear(PQexec(db, "SELECT 1")); /* It is noticed. */
    store_many(2);
    run_well();
    ck_assert_int_eq(counted(), 4);
}
END_TEST

/* Another instance runs to the end, with connections of its own. */
static void
run_another(void)
{
    struct acta_projection *other = acta_projection_new(schema);
    struct acta_options to = patient_options(url);
    PGconn *in = connect_to_postgres();
    struct acta_postgres *into = open_model(in);
    struct acta_projector *another;
    struct acta_sync *on;

    store_many(2);
    acta_projection_on(other, "Placed", count, NULL);
    acta_projection_keep(other, acta_postgres_keeper(into));
    ck_assert_int_eq(acta_sync_open(&on, &to, &err), ACTA_OK);
    ck_assert_int_eq(acta_projector_new(&another, other, on, &options, &err),
                     ACTA_OK);
    ck_assert_msg(acta_projector_run(another, &err) == ACTA_OK, "%s", err.text);
    acta_projector_free(another);
    acta_postgres_close(into);
    PQfinish(in);
    acta_sync_close(on);
    acta_projection_free(other);
}

START_TEST(a_rebuild_takes_the_place_of_the_model)
{
    store_many(3);
    run_well();
    run_sql(db, "UPDATE counts SET count = 1000");
    in_handler = run_another;
    ck_assert_msg(acta_projector_rebuild(projector, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_int_eq(counted(), 5);
    ck_assert_uint_eq(replayed, 5);
    ck_assert_int_eq(checkpoint(), 5);
    ck_assert_int_eq(number("SELECT count(*) FROM pg_namespace WHERE nspname "
                            "LIKE 'acta\\_rebuild\\_' || current_schema()"),
                     0);
    store_many(1);
    run_well();
    ck_assert_int_eq(counted(), 6);
}
END_TEST

static void
lose_the_rebuild(void)
{
    run_sql(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND application_name = "
                "current_setting('application_name') "
                "AND datname = current_database()");
}

/* What it does after that is done where it was, and not to the model. */
START_TEST(a_rebuild_whose_connection_is_lost_stays_beside_the_model)
{
    store_many(3);
    run_well();
    run_sql(db, "UPDATE counts SET count = 1000");
    in_handler = lose_the_rebuild;
    ck_assert_msg(acta_projector_rebuild(projector, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_int_eq(counted(), 3);
    ck_assert_int_eq(checkpoint(), 3);
}
END_TEST

/* The name of a projection that is 50 bytes, and @more. */
static enum acta_code
begin_rebuild(const char *more, struct acta_keeper *beside)
{
    const struct acta_keeper *keeper = acta_postgres_keeper(model);
    char name[100];

    snprintf(name, sizeof(name), "%s%0*d%s", schema, 50 - (int)strlen(schema),
             0, more);
    return keeper->open_beside(keeper->user, name, beside, &err);
}

/* PostgreSQL's names end at 63 bytes, of which "acta_rebuild_" is 13. */
START_TEST(long_names_of_which_one_begins_the_other_have_schemas_of_their_own)
{
    static const char *const more[] = {"", "1", "12", "13"};
    const struct acta_keeper *keeper = acta_postgres_keeper(model);
    struct acta_keeper beside[4];
    char sql[100];

    for (int i = 0; i < 4; i++) {
        ck_assert_msg(begin_rebuild(more[i], &beside[i]) == ACTA_OK, "%s",
                      err.text);
        snprintf(sql, sizeof(sql), "INSERT INTO counts VALUES('Placed', %d)",
                 i);
        run_sql(beside[i].model(beside[i].user), sql);
    }
    for (int i = 0; i < 4; i++) {
        PGconn *in = beside[i].model(beside[i].user);

        ck_assert_int_eq(number_in(in, "SELECT count FROM counts"), i);
    }
    for (int i = 0; i < 4; i++) {
        keeper->close_beside(keeper->user, &beside[i]);
    }
}
END_TEST

/* Stands in for that of libpq: the statement that moves a new connection to the
 * rebuild's schema fails, once, and the connection does not.
 */
static bool is_astray;

__attribute__((visibility("default"))) PGresult *
PQexecParams(PGconn *conn, const char *command, int count, const Oid *types,
             const char *const *values, const int *lengths, const int *formats,
             int format)
{
    __typeof__(&PQexecParams) next =
        (__typeof__(&PQexecParams))(uintptr_t)dlsym(RTLD_NEXT, "PQexecParams");

    if (is_astray && strstr(command, "current_setting('search_path')")) {
        is_astray = false;
        return PQexec(conn, "SELECT no_such_column");
    }
    return next(conn, command, count, types, values, lengths, formats, format);
}

static void
lose_the_rebuild_and_its_schema(void)
{
    lose_the_rebuild();
    is_astray = true;
}

START_TEST(a_rebuild_whose_schema_was_not_found_again_leaves_the_model_alone)
{
    store_many(3);
    run_well();
    in_handler = lose_the_rebuild_and_its_schema;
    ck_assert_msg(acta_projector_rebuild(projector, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert(!is_astray);
    ck_assert_int_eq(counted(), 3);
    ck_assert_int_eq(checkpoint(), 3);
}
END_TEST

static Suite *
projection_postgres_suite(void)
{
    Suite *suite = suite_create("projection_postgres");
    TCase *tcase = tcase_create("projection_postgres");

    tcase_set_timeout(tcase, RIG_TIMEOUT_S * 2);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_event_counts_once);
    tcase_add_test(tcase, a_statement_that_fails_spoils_its_event_only);
    tcase_add_test(tcase, a_handler_that_rolls_back_takes_no_other_event_along);
    tcase_add_test(tcase, a_connection_that_is_lost_is_made_again);
    tcase_add_test(
        tcase,
        a_commit_that_was_done_counts_once_though_its_connection_was_lost);
    tcase_add_test(tcase, a_run_begins_with_a_connection_that_was_lost);
    tcase_add_test(tcase,
                   a_rebuild_whose_connection_is_lost_stays_beside_the_model);
    tcase_add_test(
        tcase,
        a_rebuild_whose_schema_was_not_found_again_leaves_the_model_alone);
    tcase_add_test(tcase, a_rebuild_takes_the_place_of_the_model);
    tcase_add_test(
        tcase,
        long_names_of_which_one_begins_the_other_have_schemas_of_their_own);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    where = getenv("ACTA_TEST_POSTGRES");
    if (where == NULL) {
        printf("skipped: ACTA_TEST_POSTGRES does not say where a PostgreSQL "
               "is\n");
        return RUN_SKIPPED;
    }
    return run_suite(projection_postgres_suite());
}
