/* Projections as their authors see them: in front of a whole server, with read
 * models in SQLite and without.
 */

#include <acta/acta_lease.h>
#include <acta/acta_sqlite.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "patient.h"
#include "rig.h"
#include "run.h"

#define SEEN_SIZE 4096

static struct rig rig;
static char url[64];
static struct acta_sync *sync_;   /* The test's own. */
static struct acta_sync *runs_on; /* The projector's. */
static struct acta_projection *projection;
static struct acta_projector *projector;
static struct acta_projector_options options;
static struct acta_sqlite *model;
static sqlite3 *db;
static struct acta_err err;

/* What the handlers do, and what they have seen: "position:type " each, with a
 * "r" behind it if it was replayed.
 */
static char seen[SEEN_SIZE];
static uint64_t bad_position; /* 0: none. */
static unsigned bad_times;    /* So often it is. */
static enum acta_verdict bad_verdict;
static void (*in_handler)(void); /* Called once. */

static struct acta_sync *
connect_to_rig(void)
{
    struct acta_options to = patient_options(url);
    struct acta_sync *made;

    ck_assert_msg(acta_sync_open(&made, &to, &err) == ACTA_OK, "%s", err.text);
    return made;
}

static void
setup(void)
{
    rig_start(&rig, NULL);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    sync_ = connect_to_rig();
    runs_on = connect_to_rig();
    projection = acta_projection_new("orders");
    options = acta_projector_options_of();
    options.is_once = true;
    options.retry_ms = 1;
    seen[0] = '\0';
    bad_position = 0;
    in_handler = NULL;
    projector = NULL;
    model = NULL;
    db = NULL;
}

static void
teardown(void)
{
    acta_projector_free(projector);
    acta_projection_free(projection);
    acta_sqlite_close(model);
    sqlite3_close(db);
    acta_sync_close(runs_on);
    acta_sync_close(sync_);
    rig_stop(&rig);
}

/* ---- the words in which the tests are written ---- */

static void
store(const char *stream, const char *type)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of(type, "7", 1);

    acta_append_stream(append, stream, ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    ck_assert_msg(acta_sync_append(sync_, append, NULL, &err) == ACTA_OK, "%s",
                  err.text);
    acta_append_free(append);
}

static void
store_many(unsigned count)
{
    while (count-- > 0) {
        store("order-1", "Placed");
    }
}

static sqlite3 *
open_db(void)
{
    sqlite3 *made;

    ck_assert_int_eq(sqlite3_open(tempdir_file(&rig.dir, "model.db"), &made),
                     SQLITE_OK);
    return made;
}

static struct acta_sqlite *
open_model(sqlite3 *in)
{
    static const char *const tables[] = {"counts", NULL};
    struct acta_sqlite *made;

    ck_assert_msg(acta_sqlite_open(&made, in,
                                   "CREATE TABLE IF NOT EXISTS counts("
                                   "type TEXT PRIMARY KEY, count INTEGER)",
                                   tables, &err) == ACTA_OK,
                  "%s", err.text);
    return made;
}

static void
keep_in_sqlite(void)
{
    db = open_db();
    model = open_model(db);
    acta_projection_keep(projection, acta_sqlite_keeper(model));
}

static int
number(sqlite3 *from, const char *sql)
{
    sqlite3_stmt *statement;
    int value;

    ck_assert_msg(sqlite3_prepare_v2(from, sql, -1, &statement, NULL) ==
                      SQLITE_OK,
                  "%s", sqlite3_errmsg(from));
    value = sqlite3_step(statement) == SQLITE_ROW
                ? sqlite3_column_int(statement, 0)
                : -1;
    sqlite3_finalize(statement);
    return value;
}

static int
counted(void)
{
    return number(db, "SELECT total(count) FROM counts");
}

static bool
is_bad(const struct acta_event *event)
{
    if (event->position != bad_position || bad_times == 0) {
        return false;
    }
    bad_times--;
    return true;
}

static void
write_count(sqlite3 *to, const char *type)
{
    char sql[200];

    sqlite3_snprintf(sizeof(sql), sql,
                     "INSERT INTO counts VALUES(%Q, 1) ON CONFLICT DO UPDATE "
                     "SET count = count + 1",
                     type);
    ck_assert_msg(sqlite3_exec(to, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(to));
}

/* Sees the event and counts it, also if it then says that it could not. */
static enum acta_verdict
count(void *user, struct acta_context *context, const struct acta_event *event)
{
    size_t used = strlen(seen);
    void (*call)(void) = in_handler;

    (void)user;
    snprintf(seen + used, sizeof(seen) - used, "%ju:%s%s ",
             (uintmax_t)event->position, event->type,
             acta_context_is_replaying(context) ? "r" : "");
    if (acta_context_model(context) != NULL) {
        write_count(acta_context_model(context), event->type);
    }
    in_handler = NULL;
    if (call != NULL) {
        call();
    }
    return is_bad(event)
               ? acta_context_fail(context, bad_verdict, "no \"seven\" please")
               : ACTA_VERDICT_OK;
}

static void
count_in_sqlite(void)
{
    keep_in_sqlite();
    acta_projection_on(projection, "Placed", count, NULL);
}

static enum acta_code
run_it(void)
{
    if (projector == NULL) {
        ck_assert_msg(acta_projector_new(&projector, projection, runs_on,
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

static void
break_at(uint64_t position, unsigned times, enum acta_verdict verdict)
{
    bad_position = position;
    bad_times = times;
    bad_verdict = verdict;
}

static const struct acta_projector_status *
status(void)
{
    return acta_projector_status(projector);
}

static const struct acta_consumer *
consumer(const char *name)
{
    const struct acta_consumer_description *description;

    ck_assert_msg(
        acta_sync_describe_consumer(sync_, name, &description, &err) == ACTA_OK,
        "%s", err.text);
    return description->consumer;
}

/* The events of a stream, as text: "type=data " each. */
static const char *
stored(const char *stream)
{
    static char text[SEEN_SIZE];
    struct acta_read read = acta_read_of_stream(stream);
    const struct acta_page *page;

    text[0] = '\0';
    ck_assert_int_eq(acta_sync_read(sync_, &read, &page, &err), ACTA_OK);
    for (size_t i = 0; i < page->events_count; i++) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof(text) - used, "%s=%s ",
                 page->events[i]->type, (const char *)page->events[i]->data);
    }
    return text;
}

/* ---- handlers ---- */

START_TEST(handlers_get_their_types_in_order)
{
    store("order-1", "Placed");
    store("order-2", "Shipped");
    store("order-1", "Paid");
    acta_projection_on(projection, "Placed", count, NULL);
    acta_projection_on(projection, "Paid", count, NULL);
    run_well();
    ck_assert_str_eq(seen, "1:Placed 3:Paid ");
    ck_assert_uint_eq(consumer("orders")->position, 3);
}
END_TEST

START_TEST(a_default_gets_all_others)
{
    store("order-1", "Placed");
    store("order-2", "Shipped");
    acta_projection_on_default(projection, count, NULL);
    run_well();
    ck_assert_str_eq(seen, "1:Placed 2:Shipped ");
}
END_TEST

START_TEST(a_second_run_goes_on_behind_the_first)
{
    acta_projection_on(projection, "Placed", count, NULL);
    store_many(2);
    run_well();
    store_many(1);
    run_well();
    ck_assert_str_eq(seen, "1:Placed 2:Placed 3:Placed ");
}
END_TEST

static bool
in_euros(void *user, const struct acta_event *event, struct acta_bytes *data)
{
    (void)user;
    (void)event;
    acta_bytes_put(data, "7 EUR", 5);
    return true;
}

static enum acta_verdict
expect_euros(void *user, struct acta_context *context,
             const struct acta_event *event)
{
    ck_assert_str_eq(event->data, event->position == 1 ? "7 EUR" : "7");
    return count(user, context, event);
}

START_TEST(handlers_get_the_newest_version)
{
    struct acta_upcasters *upcasters = acta_upcasters_new();

    acta_upcasters_add(upcasters, "Placed", 1, in_euros, NULL);
    acta_projection_upcasters(projection, upcasters);
    acta_projection_on(projection, "Placed", expect_euros, NULL);
    store("order-1", "Placed");
    store("order-1", "Placed.v2");
    store("order-1", "Placed.v3"); /* From a newer program. */
    store("order-1", "Placed.v2");
    run_well();
    ck_assert_str_eq(seen, "1:Placed 2:Placed 4:Placed ");
    ck_assert_uint_eq(status()->parked, 1);
    ck_assert_ptr_nonnull(
        strstr(stored("acta.parked-orders"), "\"position\": 3,"));
    acta_upcasters_free(upcasters);
}
END_TEST

START_TEST(mistakes_are_told_before_it_runs)
{
    acta_projection_on(projection, "Placed.v2", count, NULL);
    ck_assert_int_eq(
        acta_projector_new(&projector, projection, runs_on, NULL, &err),
        ACTA_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "Placed.v2"));
    ck_assert_int_eq(acta_projection_check(NULL, &err), ACTA_MEMORY);
}
END_TEST

/* ---- verdicts ---- */

START_TEST(an_event_that_is_retried_takes_effect_once)
{
    count_in_sqlite();
    store_many(5);
    break_at(3, 2, ACTA_VERDICT_RETRY);
    run_well();
    ck_assert_int_eq(counted(), 5);
    ck_assert_uint_eq(status()->handled, 5);
    ck_assert_uint_eq(status()->errors, 2);
    ck_assert_uint_eq(status()->parked, 0);
    ck_assert_uint_eq(status()->error_position, 3);
    ck_assert_str_eq(status()->error_stream, "order-1");
    ck_assert_str_eq(status()->error_text, "no \"seven\" please");
}
END_TEST

START_TEST(poison_is_parked_and_the_rest_is_handled)
{
    count_in_sqlite();
    store_many(5);
    break_at(3, 100, ACTA_VERDICT_RETRY);
    run_well();
    ck_assert_int_eq(counted(), 4);
    ck_assert_uint_eq(status()->errors, options.attempts_max);
    ck_assert_uint_eq(status()->parked, 1);
    ck_assert_str_eq(stored("acta.parked-orders"),
                     "Parked={\"position\": 3, \"stream\": \"order-1\", "
                     "\"type\": \"Placed\", \"attempts\": 5, "
                     "\"text\": \"no \\\"seven\\\" please\"} ");
}
END_TEST

START_TEST(poison_stops_if_it_is_to)
{
    count_in_sqlite();
    options.on_poison = ACTA_POISON_STOPS;
    store_many(5);
    break_at(3, 5, ACTA_VERDICT_RETRY);
    ck_assert_int_eq(run_it(), ACTA_INVALID);
    ck_assert_int_eq(counted(), 2);
    ck_assert_ptr_nonnull(strstr(consumer("orders")->note, "\"stopped\""));
    run_well();
    ck_assert_int_eq(counted(), 5);
}
END_TEST

START_TEST(a_handler_parks_and_stops)
{
    acta_projection_on(projection, "Placed", count, NULL);
    store_many(4);
    break_at(2, 1, ACTA_VERDICT_PARK);
    run_well();
    ck_assert_str_eq(seen, "1:Placed 2:Placed 3:Placed 4:Placed ");
    ck_assert_uint_eq(status()->parked, 1);
    store_many(2);
    seen[0] = '\0';
    break_at(7, 1, ACTA_VERDICT_STOP);
    ck_assert_int_eq(run_it(), ACTA_CANCELLED);
    ck_assert_str_eq(seen, "6:Placed 7:Placed ");
    ck_assert_uint_eq(consumer("orders")->position, 6);
}
END_TEST

START_TEST(skipped_events_are_counted)
{
    acta_projection_on(projection, "Placed", count, NULL);
    store_many(3);
    break_at(2, 1, ACTA_VERDICT_SKIP);
    run_well();
    ck_assert_uint_eq(status()->handled, 3);
    ck_assert_uint_eq(status()->skipped, 1);
    ck_assert_uint_eq(status()->errors, 0);
}
END_TEST

/* ---- where the checkpoint is ---- */

START_TEST(a_model_has_what_was_waited_for)
{
    count_in_sqlite();
    store_many(3);
    store("other-1", "Seen"); /* Not wanted, but waited for. */
    run_well();
    ck_assert_int_eq(acta_sync_wait_for(sync_, "orders", 4, 0, &err), ACTA_OK);
    ck_assert_int_eq(counted(), 3);
    ck_assert_int_eq(number(db, "SELECT position FROM acta_checkpoint"), 4);
}
END_TEST

START_TEST(a_model_that_is_ahead_of_the_server_brings_it_along)
{
    count_in_sqlite();
    store_many(3);
    run_well();
    ck_assert_int_eq(acta_sync_reset_consumer(sync_, "orders", 1, NULL, &err),
                     ACTA_OK);
    run_well();
    ck_assert_int_eq(counted(), 3);
    ck_assert_uint_eq(consumer("orders")->position, 3);
}
END_TEST

START_TEST(a_model_that_was_lost_is_replayed)
{
    count_in_sqlite();
    store_many(3);
    run_well();
    ck_assert_int_eq(sqlite3_exec(db,
                                  "DELETE FROM counts;"
                                  "DELETE FROM acta_checkpoint",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    store_many(1);
    seen[0] = '\0';
    /* It is interrupted on the way, and still known where it has to get to. */
    break_at(2, 1, ACTA_VERDICT_STOP);
    ck_assert_int_eq(run_it(), ACTA_CANCELLED);
    ck_assert_uint_eq(consumer("orders")->position, 1);
    run_well();
    ck_assert_str_eq(seen, "1:Placedr 2:Placedr 1:Placedr "
                           "2:Placedr 3:Placedr 4:Placed ");
    ck_assert_int_eq(counted(), 4);
}
END_TEST

static enum acta_verdict
emit(void *user, struct acta_context *context, const struct acta_event *event)
{
    struct acta_draft draft = acta_draft_of("Billed", "x", 1);

    acta_context_emit(context, "bill-1", &draft);
    return count(user, context, event);
}

START_TEST(emitted_events_and_the_checkpoint_are_one)
{
    const struct acta_event *bill, *order;
    struct acta_id cause;

    acta_projection_on(projection, "Placed", emit, NULL);
    store_many(4);
    break_at(3, 2, ACTA_VERDICT_RETRY);
    run_well();
    ck_assert_str_eq(stored("bill-1"), "Billed=x Billed=x Billed=x Billed=x ");
    ck_assert_uint_eq(consumer("orders")->position, consumer("orders")->head);
    ck_assert_int_eq(acta_sync_read_version(sync_, "bill-1", 3, &bill, &err),
                     ACTA_OK);
    cause = *bill->causation_id;
    ck_assert_int_eq(acta_sync_read_version(sync_, "order-1", 3, &order, &err),
                     ACTA_OK);
    ck_assert_mem_eq(&cause, order->id, sizeof(cause));
}
END_TEST

/* The same event for the same event. */
static enum acta_verdict
emit_again(void *user, struct acta_context *context,
           const struct acta_event *event)
{
    struct acta_draft draft = acta_draft_of("Billed", "x", 1);
    struct acta_id id = *event->id;

    id.bytes[sizeof(id.bytes) - 1] ^= 1;
    draft.id = &id;
    acta_context_emit(context, "bill-1", &draft);
    return count(user, context, event);
}

START_TEST(a_checkpoint_moves_though_all_that_is_emitted_is_there)
{
    acta_projection_on(projection, "Placed", emit_again, NULL);
    store_many(4);
    run_well();
    ck_assert_int_eq(acta_sync_reset_consumer(sync_, "orders", 0, NULL, &err),
                     ACTA_OK);
    run_well();
    ck_assert_str_eq(stored("bill-1"), "Billed=x Billed=x Billed=x Billed=x ");
    ck_assert_uint_eq(consumer("orders")->position, consumer("orders")->head);
}
END_TEST

START_TEST(a_model_that_keeps_the_checkpoint_emits_nothing)
{
    keep_in_sqlite();
    acta_projection_on(projection, "Placed", emit, NULL);
    store_many(1);
    ck_assert_int_eq(run_it(), ACTA_INVALID);
    ck_assert_int_eq(counted(), 0);
}
END_TEST

/* ---- a model that fails ---- */

static struct acta_keeper real;
static unsigned failures_left;
static bool commits_all_the_same;

static enum acta_code
commit_badly(void *user, struct acta_err *why)
{
    if (failures_left == 0) {
        return real.commit(user, why);
    }
    failures_left--;
    if (commits_all_the_same) {
        ck_assert_int_eq(real.commit(user, why), ACTA_OK);
    } else {
        real.rollback(user);
    }
    return acta_fail(why, ACTA_IO, "the line is dead");
}

static void
keep_badly(unsigned failures, bool all_the_same)
{
    struct acta_keeper bad;

    keep_in_sqlite();
    real = *acta_sqlite_keeper(model);
    bad = real;
    bad.commit = commit_badly;
    acta_projection_keep(projection, &bad);
    acta_projection_on(projection, "Placed", count, NULL);
    failures_left = failures;
    commits_all_the_same = all_the_same;
}

START_TEST(a_commit_that_fails_is_tried_again)
{
    keep_badly(2, false);
    store_many(3);
    run_well();
    ck_assert_int_eq(counted(), 3);
    ck_assert_uint_eq(status()->errors, 2);
}
END_TEST

START_TEST(a_commit_that_was_done_though_it_failed_counts_once)
{
    keep_badly(1, true);
    options.batch_max = 2;
    store_many(5);
    run_well();
    ck_assert_int_eq(counted(), 5);
}
END_TEST

START_TEST(a_model_that_always_fails_stops_it)
{
    keep_badly(100, false);
    store_many(3);
    ck_assert_int_eq(run_it(), ACTA_IO);
    ck_assert_int_eq(counted(), 0);
    ck_assert_ptr_nonnull(strstr(consumer("orders")->note, "the line is dead"));
}
END_TEST

static void
undo_the_transaction(void)
{
    const char *sql = "INSERT OR ROLLBACK INTO counts VALUES('Placed', 1)";

    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
}

START_TEST(a_statement_that_undoes_the_transaction_spoils_the_batch)
{
    count_in_sqlite();
    in_handler = undo_the_transaction;
    store_many(5);
    run_well();
    ck_assert_int_eq(counted(), 5);
    ck_assert_uint_eq(status()->errors, 1);
}
END_TEST

/* ---- what comes while it is busy ---- */

#define BURST 100

static unsigned commits;

static enum acta_code
commit_counted(void *user, struct acta_err *why)
{
    commits++;
    return real.commit(user, why);
}

/* The second event is pushed to it on its own; so are those of the burst, while
 * it is busy with that. The last one ends the run.
 */
static enum acta_verdict
count_burst(void *user, struct acta_context *context,
            const struct acta_event *event)
{
    if (event->position <= 2) {
        store_many(event->position == 1 ? 1 : BURST);
    }
    if (event->position == 2 + BURST) {
        acta_projector_interrupt(projector);
    }
    return count(user, context, event);
}

static void
run_through_burst(void)
{
    struct acta_keeper counting;

    keep_in_sqlite();
    real = *acta_sqlite_keeper(model);
    counting = real;
    counting.commit = commit_counted;
    acta_projection_keep(projection, &counting);
    acta_projection_on(projection, "Placed", count_burst, NULL);
    options.is_once = false;
    commits = 0;
    store_many(1);
    run_well();
}

START_TEST(what_comes_while_it_is_busy_is_committed_together)
{
    run_through_burst();
    ck_assert_int_eq(counted(), 2 + BURST);
    ck_assert_uint_eq(status()->handled, 2 + BURST);
    ck_assert_uint_eq(consumer("orders")->position, 2 + BURST);
    ck_assert_uint_le(commits, BURST / 10);
}
END_TEST

START_TEST(what_is_committed_together_is_no_more_than_is_wanted)
{
    options.batch_max = 3;
    run_through_burst();
    ck_assert_int_eq(counted(), 2 + BURST);
    ck_assert_uint_ge(commits, BURST / 3);
    ck_assert_uint_le(commits, BURST / 2);
}
END_TEST

/* What is parked is an event as well, which it may come upon before it ends. */
START_TEST(poison_within_what_is_committed_together_takes_no_other_along)
{
    int position;

    break_at(BURST / 2, 100, ACTA_VERDICT_PARK);
    run_through_burst();
    ck_assert_int_eq(counted(), 1 + BURST);
    ck_assert_uint_eq(status()->handled, 1 + BURST);
    ck_assert_uint_eq(status()->parked, 1);
    position = number(db, "SELECT position FROM acta_checkpoint");
    ck_assert(position == 2 + BURST || position == 3 + BURST);
    ck_assert_uint_le(commits, BURST / 10);
}
END_TEST

/* ---- one or many ---- */

/* Another instance runs to the end, with connections of its own. */
static void
run_another(void)
{
    struct acta_projection *other = acta_projection_new("orders");
    struct acta_sync *on = connect_to_rig();
    sqlite3 *in = model == NULL ? NULL : open_db();
    struct acta_sqlite *into = model == NULL ? NULL : open_model(in);
    struct acta_projector *another;

    acta_projection_on(other, "Placed", count, NULL);
    if (into != NULL) {
        acta_projection_keep(other, acta_sqlite_keeper(into));
    }
    ck_assert_int_eq(acta_projector_new(&another, other, on, &options, &err),
                     ACTA_OK);
    ck_assert_msg(acta_projector_run(another, &err) == ACTA_OK, "%s", err.text);
    acta_projector_free(another);
    acta_sqlite_close(into);
    sqlite3_close(in);
    acta_sync_close(on);
    acta_projection_free(other);
}

START_TEST(the_last_one_that_came_is_the_one)
{
    acta_projection_on(projection, "Placed", count, NULL);
    store_many(3);
    options.batch_max = 1;
    in_handler = run_another; /* Within the first event. */
    ck_assert_int_eq(run_it(), ACTA_FENCED);
    ck_assert_str_eq(seen, "1:Placed 1:Placed 2:Placed 3:Placed ");
}
END_TEST

static bool another_has_run;

/* Another instance comes between two transactions. */
static enum acta_code
begin_late(void *user, const char *name, struct acta_err *why)
{
    if (!another_has_run) {
        another_has_run = true;
        run_another();
    }
    return real.begin(user, name, why);
}

START_TEST(a_model_refuses_who_is_late)
{
    struct acta_keeper late;

    keep_in_sqlite();
    real = *acta_sqlite_keeper(model);
    late = real;
    late.begin = begin_late;
    another_has_run = false;
    acta_projection_keep(projection, &late);
    acta_projection_on(projection, "Placed", count, NULL);
    store_many(3);
    ck_assert_int_eq(run_it(), ACTA_FENCED);
    ck_assert_int_eq(counted(), 3);
}
END_TEST

static void *
run_in_thread(void *user)
{
    struct acta_err *why = user;

    (void)acta_projector_run(projector, why);
    return NULL;
}

START_TEST(an_instance_stands_by_until_the_lease_is_free)
{
    struct acta_acquire acquire = acta_acquire_of("projection.orders", 60000);
    struct acta_err why = {ACTA_OK, ""};
    const struct acta_leases *leases;
    struct acta_lease *lease;
    pthread_t thread;

    acta_projection_on(projection, "Placed", count, NULL);
    store_many(2);
    ck_assert_int_eq(acta_sync_acquire(sync_, &acquire, &lease, &err), ACTA_OK);
    options.lease_ms = 60000;
    ck_assert_int_eq(
        acta_projector_new(&projector, projection, runs_on, &options, &err),
        ACTA_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_in_thread, &why), 0);
    do {
        ck_assert_int_eq(
            acta_sync_list_leases(sync_, NULL, NULL, 0, &leases, &err),
            ACTA_OK);
    } while (leases->leases[0]->waiters_count == 0);
    ck_assert_str_eq(seen, "");
    ck_assert_int_eq(acta_sync_release(sync_, lease, &err), ACTA_OK);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_msg(why.code == ACTA_OK, "%s", why.text);
    ck_assert_str_eq(seen, "1:Placed 2:Placed ");
}
END_TEST

START_TEST(members_of_a_group_handle_each_event)
{
    const struct acta_parked_page *page;

    count_in_sqlite();
    options.is_group = true;
    store_many(3);
    store("order-2", "Placed");
    break_at(4, 100, ACTA_VERDICT_RETRY);
    run_well();
    ck_assert_int_eq(counted(), 3);
    ck_assert_uint_eq(status()->parked, 1);
    ck_assert_int_eq(acta_sync_list_parked(sync_, "orders", 0, 0, &page, &err),
                     ACTA_OK);
    ck_assert_uint_eq(page->parked_count, 1);
    ck_assert_uint_eq(page->parked[0]->position, 4);
    ck_assert_str_eq(page->parked[0]->reason, "no \"seven\" please");
}
END_TEST

START_TEST(an_interruption_ends_a_run)
{
    acta_projection_on(projection, "Placed", count, NULL);
    options.is_once = false;
    ck_assert_int_eq(
        acta_projector_new(&projector, projection, runs_on, &options, &err),
        ACTA_OK);
    store_many(2);
    acta_projector_interrupt(projector);
    run_well();
    ck_assert_str_eq(seen, "");
}
END_TEST

/* ---- what is told ---- */

START_TEST(a_note_tells_how_it_goes)
{
    acta_projection_on(projection, "Placed", count, NULL);
    store_many(3);
    break_at(2, 1, ACTA_VERDICT_PARK);
    run_well();
    ck_assert_str_eq(consumer("orders")->note,
                     "{\"projection\": \"orders\", \"state\": \"stopped\", "
                     "\"events\": 2, \"skipped\": 0, \"parked\": 1, "
                     "\"errors\": 1, \"error\": {\"position\": 2, "
                     "\"stream\": \"order-1\", "
                     "\"text\": \"no \\\"seven\\\" please\"}}");
}
END_TEST

/* ---- rebuilds ---- */

static void
spoil(void)
{
    ck_assert_int_eq(
        sqlite3_exec(db, "UPDATE counts SET count = 1000", NULL, NULL, NULL),
        SQLITE_OK);
}

/* Run on while it is rebuilt: what is new is in the model in use first. */
static void
go_on_meanwhile(void)
{
    store_many(2);
    run_another();
}

START_TEST(a_rebuild_takes_the_place_of_the_model)
{
    count_in_sqlite();
    store_many(3);
    run_well();
    spoil();
    seen[0] = '\0';
    in_handler = go_on_meanwhile;
    ck_assert_msg(acta_projector_rebuild(projector, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_str_eq(seen, "1:Placedr 4:Placed 5:Placed "
                           "2:Placedr 3:Placedr 4:Placedr 5:Placedr ");
    ck_assert_int_eq(counted(), 5);
    ck_assert_int_eq(number(db, "SELECT position FROM acta_checkpoint"), 5);
    store_many(1);
    run_well();
    ck_assert_int_eq(counted(), 6);
    ck_assert_uint_eq(consumer("orders")->position, 6);
}
END_TEST

START_TEST(a_rebuild_that_fails_leaves_the_model_as_it_was)
{
    count_in_sqlite();
    store_many(3);
    run_well();
    break_at(2, 1, ACTA_VERDICT_STOP);
    ck_assert_int_eq(acta_projector_rebuild(projector, &err), ACTA_CANCELLED);
    ck_assert_int_eq(counted(), 3);
    ck_assert_ptr_nonnull(
        strstr(consumer("orders.rebuild")->note, "\"progress\""));
    ck_assert_int_eq(acta_projector_rebuild(projector, &err), ACTA_OK);
    ck_assert_int_eq(counted(), 3);
}
END_TEST

/* The file of a rebuild is named by it, and is beside that of the model. */
START_TEST(a_projection_is_rebuilt_whatever_its_name_is)
{
    acta_projection_free(projection);
    projection = acta_projection_new("../orders/100% new");
    count_in_sqlite();
    store_many(3);
    run_well();
    spoil();
    ck_assert_msg(acta_projector_rebuild(projector, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_int_eq(counted(), 3);
}
END_TEST

START_TEST(a_projection_without_a_model_is_not_rebuilt)
{
    acta_projection_on(projection, "Placed", count, NULL);
    run_well();
    ck_assert_int_eq(acta_projector_rebuild(projector, &err), ACTA_UNSUPPORTED);
}
END_TEST

static Suite *
projection_suite(void)
{
    Suite *suite = suite_create("projection");
    TCase *tcase = tcase_create("projection");

    tcase_set_timeout(tcase, RIG_TIMEOUT_S * 2);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, handlers_get_their_types_in_order);
    tcase_add_test(tcase, a_default_gets_all_others);
    tcase_add_test(tcase, a_second_run_goes_on_behind_the_first);
    tcase_add_test(tcase, handlers_get_the_newest_version);
    tcase_add_test(tcase, mistakes_are_told_before_it_runs);
    tcase_add_test(tcase, an_event_that_is_retried_takes_effect_once);
    tcase_add_test(tcase, poison_is_parked_and_the_rest_is_handled);
    tcase_add_test(tcase, poison_stops_if_it_is_to);
    tcase_add_test(tcase, a_handler_parks_and_stops);
    tcase_add_test(tcase, skipped_events_are_counted);
    tcase_add_test(tcase, a_model_has_what_was_waited_for);
    tcase_add_test(tcase, a_model_that_is_ahead_of_the_server_brings_it_along);
    tcase_add_test(tcase, a_model_that_was_lost_is_replayed);
    tcase_add_test(tcase, emitted_events_and_the_checkpoint_are_one);
    tcase_add_test(tcase,
                   a_checkpoint_moves_though_all_that_is_emitted_is_there);
    tcase_add_test(tcase, a_model_that_keeps_the_checkpoint_emits_nothing);
    tcase_add_test(tcase, a_commit_that_fails_is_tried_again);
    tcase_add_test(tcase, a_commit_that_was_done_though_it_failed_counts_once);
    tcase_add_test(tcase, a_model_that_always_fails_stops_it);
    tcase_add_test(tcase,
                   a_statement_that_undoes_the_transaction_spoils_the_batch);
    tcase_add_test(tcase, what_comes_while_it_is_busy_is_committed_together);
    tcase_add_test(tcase, what_is_committed_together_is_no_more_than_is_wanted);
    tcase_add_test(
        tcase, poison_within_what_is_committed_together_takes_no_other_along);
    tcase_add_test(tcase, the_last_one_that_came_is_the_one);
    tcase_add_test(tcase, a_model_refuses_who_is_late);
    tcase_add_test(tcase, an_instance_stands_by_until_the_lease_is_free);
    tcase_add_test(tcase, members_of_a_group_handle_each_event);
    tcase_add_test(tcase, an_interruption_ends_a_run);
    tcase_add_test(tcase, a_note_tells_how_it_goes);
    tcase_add_test(tcase, a_rebuild_takes_the_place_of_the_model);
    tcase_add_test(tcase, a_rebuild_that_fails_leaves_the_model_as_it_was);
    tcase_add_test(tcase, a_projection_is_rebuilt_whatever_its_name_is);
    tcase_add_test(tcase, a_projection_without_a_model_is_not_rebuilt);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(projection_suite());
}
