/* No memory, at every place where a service asks for some, before a real actad,
 * and no answer from one that hangs: what was asked for fails in its time with
 * an error that says so, or goes well all the same; when it is asked for again
 * it goes well; and then nothing is lost, and nothing there twice.
 */

#include <acta/acta_consumer.h>
#include <acta/acta_dispatch.h>
#include <acta/acta_group.h>
#include <acta/acta_lease.h>
#include <acta/acta_projection.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "alloc.h"
#include "bank.h"
#include "daemon.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"

#define EVENTS       12
#define CALLS_MAX    5000 /* No operation allocates so often. */
#define TIMEOUT_S    1200
#define PATIENCE_MS  30000
#define IMPATIENT_MS 300
#define TRIES_MAX    100
#define ALL          12 /* Of twelve allocations. */
#define SHORTAGE     40 /* Allocations that fail, one after the other. */

static struct tempdir dir;
static struct rnd rnd;
static struct daemon daemon_;
static struct acta_sync *steady; /* To look on with; nothing fails there. */
static struct acta_sync *sync_;  /* What fails. */
static struct acta_options options;
static struct acta_err err;

static unsigned round_; /* Names are of the round. */
static char name[64];   /* "NAME-ROUND" */

/* ---- the words in which the operations are written ---- */

static const char *
name_it(const char *what)
{
    snprintf(name, sizeof(name), "%s-%u", what, round_);
    return name;
}

static void
store_events(void)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of("Placed", "7", 1);

    acta_append_stream(append, name, ACTA_EXPECT_ANY);
    for (int i = 0; i < EVENTS; i++) {
        acta_append_event(append, &draft);
    }
    ck_assert_msg(acta_sync_append(steady, append, NULL, &err) == ACTA_OK, "%s",
                  err.text);
    acta_append_free(append);
}

static void
expect_stored(const char *stream, size_t count)
{
    struct acta_read read = acta_read_of_stream(stream);
    const struct acta_page *page;

    ck_assert_msg(acta_sync_read(steady, &read, &page, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_msg(page->events_count == count, "%zu events in %s, not %zu",
                  page->events_count, stream, count);
}

/* An id that is the same whenever the round asks for it. */
static struct acta_id
id_of_round(void)
{
    struct acta_id id = {{0}};

    memcpy(id.bytes, &round_, sizeof(round_));
    id.bytes[15] = 1;
    return id;
}

static struct acta_query *
query_of_round(void)
{
    struct acta_query *query = acta_query_new();

    acta_query_category(query, name); /* It has one event only: see begin. */
    return query;
}

/* ---- connecting, appending, reading ---- */

static enum acta_code
connect_it(void)
{
    struct acta_sync *made;
    enum acta_code code = acta_sync_open(&made, &options, &err);

    acta_sync_close(made);
    return code;
}

static void
begin_appending(void)
{
    name_it("appended");
}

static enum acta_code
append_it(void)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of("Placed", "7", 1);
    struct acta_id id = id_of_round();
    enum acta_code code;

    acta_append_stream(append, name, 0);
    acta_append_event(append, &draft);
    acta_append_command_id(append, &id);
    code = acta_sync_append(sync_, append, NULL, &err);
    acta_append_free(append);
    return code;
}

static void
expect_appended(void)
{
    expect_stored(name, 1);
}

static void
begin_reading(void)
{
    name_it("read");
    store_events();
}

static enum acta_code
read_it(void)
{
    struct acta_read read = acta_read_of_stream(name);
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    uint64_t version = 0;
    enum acta_code code;

    read.events_max = 5;
    code = acta_cursor_open(&cursor, sync_, &read, &err);
    if (code != ACTA_OK) {
        return code;
    }
    do {
        code = acta_cursor_next(cursor, &event, &err);
        if (code == ACTA_OK && event != NULL && event->version != ++version) {
            code = acta_fail(&err, ACTA_CORRUPT, "an event is missing");
        }
    } while (code == ACTA_OK && event != NULL);
    if (code == ACTA_OK && version != EVENTS) {
        code = acta_fail(&err, ACTA_CORRUPT, "the last are missing");
    }
    acta_cursor_close(cursor);
    return code;
}

/* ---- following ---- */

static enum acta_code
follow_it(void)
{
    struct acta_query *query = query_of_round();
    struct acta_follower *follower = NULL;
    const struct acta_news *news;
    size_t seen = 0;
    enum acta_code code =
        query == NULL
            ? acta_fail(&err, ACTA_MEMORY, "query")
            : acta_follower_claim(&follower, sync_, name, query, 0, &err);

    acta_query_free(query);
    /* From where the checkpoint is: it was moved in an earlier attempt, or not.
     */
    if (code == ACTA_OK && acta_follower_position(follower) > 0) {
        seen = EVENTS;
    }
    while (code == ACTA_OK && seen < EVENTS) {
        code = acta_follower_next(follower, PATIENCE_MS, &news, &err);
        if (code == ACTA_OK) {
            seen += news->events_count;
        }
    }
    if (code == ACTA_OK && seen > EVENTS) {
        code = acta_fail(&err, ACTA_CORRUPT, "%zu events", seen);
    }
    if (code == ACTA_OK) {
        code = acta_follower_checkpoint(follower,
                                        acta_follower_position(follower), &err);
    }
    acta_follower_close(follower);
    return code;
}

static void
begin_following(void)
{
    /* A category of its own. */
    snprintf(name, sizeof(name), "followed%u", round_);
    store_events();
}

static void
expect_lag_of_none(void)
{
    const struct acta_consumer_description *description;

    ck_assert_msg(acta_sync_describe_consumer(steady, name, &description,
                                              &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(description->consumer->lag_matching, 0);
}

/* ---- commands ---- */

static enum acta_code
handle_with(struct acta_sync *with, struct acta_command *command)
{
    struct acta_upcasters *upcasters = acta_upcasters_new();
    struct acta_decider *decider = bank_decider_new(2, 1, upcasters);
    struct acta_registry *registry = acta_registry_new();
    struct acta_handler_options how = acta_handler_options_of();
    struct acta_dispatcher *dispatcher = NULL;
    const struct acta_handled *handled;
    enum acta_code code;

    how.refusals = "refusal";
    acta_registry_decider(registry, decider);
    code = acta_dispatcher_open(&dispatcher, with, registry, &how, &err);
    if (code == ACTA_OK) {
        code = acta_dispatch(dispatcher, command, &handled, &err);
    }
    acta_dispatcher_close(dispatcher);
    acta_registry_free(registry);
    acta_decider_free(decider);
    acta_upcasters_free(upcasters);
    return code;
}

static void
command_well(const char *type, const char *data)
{
    struct acta_command command =
        acta_command_of(type, name, data, strlen(data));

    ck_assert_msg(handle_with(steady, &command) == ACTA_OK, "%s", err.text);
}

/* There are events to be folded, and a snapshot. */
static void
begin_handling(void)
{
    snprintf(name, sizeof(name), "%u", round_);
    command_well("Open", "");
    command_well("Deposit", "10");
    command_well("Deposit", "20");
}

static enum acta_code
deposit_it(void)
{
    struct acta_command command = acta_command_of("Deposit", name, "30", 2);
    struct acta_id id = id_of_round();

    command.id = &id;
    command.traceparent = "00-1-2-03";
    return handle_with(sync_, &command);
}

static void
expect_deposited(void)
{
    char stream[80];

    snprintf(stream, sizeof(stream), "account-%s", name);
    expect_stored(stream, 4);
    ck_assert_int_eq(bank_states, 0);
}

static enum acta_code
be_refused(void)
{
    struct acta_command command = acta_command_of("Withdraw", name, "31", 2);
    struct acta_id id = id_of_round();

    command.id = &id;
    return handle_with(sync_, &command);
}

static void
expect_refused_once(void)
{
    struct acta_id id = id_of_round();
    char text[ACTA_ID_TEXT_SIZE];
    char stream[80];

    acta_id_format(&id, text);
    snprintf(stream, sizeof(stream), "refusal-%s", text);
    expect_stored(stream, 1);
    ck_assert_int_eq(bank_states, 0);
}

/* ---- a decision model: a name is taken once ---- */

static bool
on_taken(void *state, const struct acta_event *event)
{
    (void)event;
    *(bool *)state = true;
    return true;
}

static void
scope_of_name(const struct acta_command *command, struct acta_scope *scope)
{
    acta_scope_fold(scope, "taken", 0);
    acta_scope_tag(scope, "name:%s", command->target);
}

static void
take(const void *state, const struct acta_command *command,
     struct acta_decision *decision)
{
    if (*(const bool *)state) {
        acta_decision_refuse(decision, "taken", NULL, "it is");
        return;
    }
    acta_decision_to(decision, "name-%s", command->target);
    acta_decision_json(decision, "Taken", "{}");
    acta_decision_tag(decision, "name:%s", command->target);
}

static void
begin_naming(void)
{
    name_it("n");
}

static enum acta_code
take_name(void)
{
    struct acta_model *model = acta_model_new(sizeof(bool));
    struct acta_command command = acta_command_of("Take", name, NULL, 0);
    struct acta_id id = id_of_round();
    const struct acta_handled *handled;
    struct acta_handler *handler = NULL;
    enum acta_code code;

    command.id = &id;
    acta_model_on_event(model, "taken", "Taken", on_taken);
    acta_model_on_command(model, "Take", scope_of_name, take);
    code = acta_handler_open_model(&handler, sync_, model, NULL, &err);
    if (code == ACTA_OK) {
        code = acta_handle(handler, &command, &handled, &err);
    }
    if (code == ACTA_OK && handled->refusal != NULL) {
        code = acta_fail(&err, ACTA_CORRUPT, "its own name is refused");
    }
    acta_handler_close(handler);
    acta_model_free(model);
    return code;
}

static void
expect_taken(void)
{
    char stream[80];

    snprintf(stream, sizeof(stream), "name-%s", name);
    expect_stored(stream, 1);
}

/* ---- projections ---- */

/* A model that counts, in transactions. */
static struct {
    size_t count, open_count;
    uint64_t position, open_position;
} model;

static enum acta_code
model_load(void *user, const char *projection, uint64_t *position,
           struct acta_err *why)
{
    (void)user;
    (void)projection;
    (void)why;
    *position = model.position;
    return ACTA_OK;
}

static enum acta_code
model_begin(void *user, const char *projection, struct acta_err *why)
{
    (void)user;
    (void)projection;
    (void)why;
    model.open_count = model.count;
    model.open_position = model.position;
    return ACTA_OK;
}

static enum acta_code
model_save(void *user, const char *projection, uint64_t position,
           struct acta_err *why)
{
    (void)user;
    (void)projection;
    (void)why;
    model.open_position = position;
    return ACTA_OK;
}

static enum acta_code
model_commit(void *user, struct acta_err *why)
{
    (void)user;
    (void)why;
    model.count = model.open_count;
    model.position = model.open_position;
    return ACTA_OK;
}

static void
model_rollback(void *user)
{
    (void)user;
}

static enum acta_verdict
on_placed(void *user, struct acta_context *context,
          const struct acta_event *event)
{
    (void)user;
    (void)context;
    model.open_count++;
    return event->version == 3 ? ACTA_VERDICT_PARK : ACTA_VERDICT_OK;
}

static enum acta_code
run_projection(struct acta_projection *projection)
{
    struct acta_projector_options how = acta_projector_options_of();
    struct acta_query *query = query_of_round();
    struct acta_projector *projector = NULL;
    enum acta_code code;

    how.is_once = true;
    how.retry_ms = 1;
    how.batch_max = 5;
    acta_projection_query(projection, query);
    code = query == NULL
               ? acta_fail(&err, ACTA_MEMORY, "query")
               : acta_projector_new(&projector, projection, sync_, &how, &err);
    if (code == ACTA_OK) {
        code = acta_projector_run(projector, &err);
    }
    acta_projector_free(projector);
    acta_projection_free(projection);
    acta_query_free(query);
    return code;
}

static void
begin_projecting(void)
{
    begin_following();
    memset(&model, 0, sizeof(model));
}

static enum acta_code
project_it(void)
{
    struct acta_keeper keeper = acta_keeper_of(NULL);
    struct acta_projection *projection = acta_projection_new(name);

    keeper.load = model_load;
    keeper.begin = model_begin;
    keeper.save = model_save;
    keeper.commit = model_commit;
    keeper.rollback = model_rollback;
    acta_projection_on(projection, "Placed", on_placed, NULL);
    acta_projection_keep(projection, &keeper);
    return run_projection(projection);
}

static void
expect_projected(void)
{
    char stream[80];

    ck_assert_uint_eq(model.count, EVENTS - 1);
    snprintf(stream, sizeof(stream), "acta.parked-%s", name);
    expect_stored(stream, 1);
    expect_lag_of_none();
}

static enum acta_verdict
emit(void *user, struct acta_context *context, const struct acta_event *event)
{
    struct acta_draft draft = acta_draft_of("Billed", NULL, 0);
    char stream[80];

    (void)user;
    (void)event;
    snprintf(stream, sizeof(stream), "bill-%s", name);
    acta_context_emit(context, stream, &draft);
    return ACTA_VERDICT_OK;
}

static enum acta_code
emit_it(void)
{
    struct acta_projection *projection = acta_projection_new(name);

    acta_projection_on(projection, "Placed", emit, NULL);
    return run_projection(projection);
}

static void
expect_emitted(void)
{
    char stream[80];

    snprintf(stream, sizeof(stream), "bill-%s", name);
    expect_stored(stream, EVENTS);
    expect_lag_of_none();
}

/* ---- groups, leases ---- */

static void
begin_working(void)
{
    struct acta_group group =
        acta_group_of(ACTA_GROUP_QUERY | ACTA_GROUP_ACK_TIMEOUT);
    struct acta_query *query;

    begin_following();
    group.ack_timeout_us = 100000;
    query = query_of_round();
    group.query = query;
    ck_assert_msg(acta_sync_create_group(steady, name, &group, NULL, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    acta_query_free(query);
}

/* Until all is done, by whatever attempts. */
static enum acta_code
work_it(void)
{
    struct acta_join join = acta_join_of(name, 4);
    const struct acta_consumer_description *description;
    const struct acta_handed *handed;
    struct acta_worker *worker = NULL;
    bool is_done = false;
    enum acta_code code = acta_worker_open(&worker, sync_, &join, &err);

    while (code == ACTA_OK && !is_done) {
        code = acta_worker_next(worker, 20, &handed, &err);
        if (code == ACTA_OK) {
            acta_worker_ack(worker, handed->number);
            continue;
        }
        if (code != ACTA_TIMEOUT) {
            break;
        }
        code = acta_worker_settle(worker, &err);
        if (code == ACTA_UNKNOWN || code == ACTA_FENCED) {
            code = ACTA_OK; /* They come again. */
        }
        if (code == ACTA_OK) {
            code = acta_sync_describe_consumer(sync_, name, &description, &err);
            is_done =
                code == ACTA_OK && description->consumer->lag_matching == 0;
        }
    }
    acta_worker_close(worker);
    return code;
}

static void
begin_holding(void)
{
    name_it("lease");
}

static enum acta_code
hold_it(void)
{
    struct acta_acquire acquire = acta_acquire_of(name, PATIENCE_MS);
    struct acta_lease *lease = NULL;
    enum acta_code code;

    acquire.wait_ms = PATIENCE_MS;
    code = acta_sync_acquire(sync_, &acquire, &lease, &err);
    if (code == ACTA_OK) {
        code = acta_sync_renew(sync_, lease, &err);
    }
    if (code == ACTA_OK) {
        return acta_sync_release(sync_, lease, &err);
    }
    (void)acta_sync_release(sync_, lease, NULL); /* There is a reason. */
    return code;
}

static void
expect_free(void)
{
    const struct acta_leases *leases;

    ck_assert_int_eq(
        acta_sync_list_leases(steady, name, NULL, 0, &leases, &err), ACTA_OK);
    ck_assert_uint_eq(leases->leases_count, 0);
}

/* ---- all of them ---- */

static const struct operation {
    const char *name;
    void (*begin)(void); /* May be NULL, as the last. */
    enum acta_code (*run)(void);
    void (*expect)(void); /* After it went well. */
    bool waits;           /* It waits for the server, however long. */
} operations[] = {
    {"connect", NULL, connect_it, NULL, false},
    {"append", begin_appending, append_it, expect_appended, false},
    {"read", begin_reading, read_it, NULL, false},
    {"follow", begin_following, follow_it, expect_lag_of_none, false},
    {"handle", begin_handling, deposit_it, expect_deposited, false},
    {"be refused", begin_handling, be_refused, expect_refused_once, false},
    {"decide from a query", begin_naming, take_name, expect_taken, false},
    {"project", begin_projecting, project_it, expect_projected, true},
    {"emit", begin_following, emit_it, expect_emitted, true},
    {"work", begin_working, work_it, expect_lag_of_none, false},
    {"hold", begin_holding, hold_it, expect_free, false},
};

#define OPERATIONS_COUNT ((int)(sizeof(operations) / sizeof(operations[0])))

static struct acta_sync *
open_sync(uint64_t timeout_ms)
{
    struct acta_sync *made;
    unsigned tries = 0;
    enum acta_code code;

    options = acta_options_of(daemon_.url);
    options.timeout_ms = timeout_ms;
    options.connect_timeout_ms = timeout_ms;
    options.backoff_min_ms = 1;
    options.backoff_max_ms = 5;
    do { /* The machine may be too busy to connect in so little time. */
        code = acta_sync_open(&made, &options, &err);
    } while (code != ACTA_OK && ++tries < TRIES_MAX);
    ck_assert_msg(code == ACTA_OK, "%s", err.text);
    return made;
}

static void
setup(void)
{
    tempdir_make(&dir);
    rnd_seed(&rnd, 1); /* For the daemon's address only. */
    daemon_init(&daemon_, dir.path, &rnd);
    daemon_start(&daemon_);
    steady = open_sync(PATIENCE_MS);
    alloc_reset();
}

static void
teardown(void)
{
    alloc_reset();
    acta_sync_close(steady);
    daemon_stop(&daemon_);
    tempdir_remove(&dir);
}

/* What a call that found no memory may say. */
static bool
is_honest(enum acta_code code)
{
    return code == ACTA_OK || code == ACTA_MEMORY || code == ACTA_TIMEOUT ||
           code == ACTA_UNKNOWN || code == ACTA_UNREACHABLE;
}

/* With the allocation number @n failing, and @times - 1 behind it. False: there
 * are not so many.
 */
static bool
run_with(const struct operation *operation, int n, int times)
{
    enum acta_code code;
    bool has_failed;

    round_++;
    if (operation->begin != NULL) {
        operation->begin();
    }
    alloc_fail_times = times;
    alloc_fail_after = n;
    code = operation->run();
    has_failed = alloc_failed > 0;
    alloc_reset();
    ck_assert_msg(is_honest(code), "%s, %d: %s: %s", operation->name, n,
                  acta_code_name(code), err.text);
    ck_assert_msg(has_failed || code == ACTA_OK, "%s, without a failure: %s",
                  operation->name, err.text);
    if (code != ACTA_OK) {
        code = operation->run();
        ck_assert_msg(code == ACTA_OK, "%s, again after %d: %s: %s",
                      operation->name, n, acta_code_name(code), err.text);
    }
    if (operation->expect != NULL) {
        operation->expect();
    }
    return has_failed;
}

/* Each of them in the long form, else one in three, or in twelve. */
START_TEST(an_allocation_that_fails_costs_an_error_at_most)
{
    const struct operation *operation = &operations[_i];
    int stride = (int)(ALL / rnd_effort(ALL / 3, ALL));
    int failures = 0;
    struct rnd chance;
    int n;

    rnd_init(&chance);
    n = stride == 1 ? 0 : (int)rnd_below(&chance, 3);
    sync_ = open_sync(PATIENCE_MS);
    while (run_with(operation, n, 1)) {
        failures++;
        n += stride;
        ck_assert_int_lt(n, CALLS_MAX);
    }
    acta_sync_close(sync_);
    printf("%s: %d allocations have failed, one in %d\n", operation->name,
           failures, stride);
    ck_assert_int_gt(failures, 0);
}
END_TEST

/* From every seventh on, none can be had for a while. */
START_TEST(a_shortage_that_lasts_costs_an_error_at_most)
{
    const struct operation *operation = &operations[_i];
    int n = 0;

    sync_ = open_sync(PATIENCE_MS);
    while (run_with(operation, n, SHORTAGE)) {
        n += 7;
        ck_assert_int_lt(n, CALLS_MAX);
    }
    acta_sync_close(sync_);
}
END_TEST

/* ---- no answer ---- */

static void
let_it_hang(void)
{
    int status;

    ck_assert_int_eq(kill(daemon_.pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(daemon_.pid, &status, WUNTRACED), daemon_.pid);
    ck_assert(WIFSTOPPED(status));
}

static void
let_it_go_on(void)
{
    ck_assert_int_eq(kill(daemon_.pid, SIGCONT), 0);
}

START_TEST(a_server_that_hangs_is_waited_for_as_long_as_was_said)
{
    const struct operation *operation = &operations[_i];
    enum acta_code code;

    if (operation->waits) {
        return;
    }
    round_++;
    sync_ = open_sync(IMPATIENT_MS);
    if (operation->begin != NULL) {
        operation->begin();
    }
    let_it_hang();
    code = operation->run();
    let_it_go_on();
    ck_assert_msg(code == ACTA_TIMEOUT || code == ACTA_UNKNOWN ||
                      code == ACTA_UNREACHABLE,
                  "%s: %s: %s", operation->name, acta_code_name(code),
                  err.text);
    acta_sync_close(sync_);
    sync_ = steady;
    options.timeout_ms = PATIENCE_MS;
    options.connect_timeout_ms = PATIENCE_MS;
    /* A claim that was sent before may be taken only now: it takes over. */
    code = operation->run();
    if (code == ACTA_FENCED) {
        code = operation->run();
    }
    ck_assert_msg(code == ACTA_OK, "%s: %s", operation->name, err.text);
    if (operation->expect != NULL) {
        operation->expect();
    }
}
END_TEST

/* Its duration is much longer than anybody should wait. */
START_TEST(a_renewal_that_is_not_answered_ends_in_its_time)
{
    struct acta_acquire acquire = acta_acquire_of("lease", 3600000);
    struct acta_lease *lease;

    acquire.wait_ms = PATIENCE_MS;
    sync_ = open_sync(IMPATIENT_MS);
    ck_assert_int_eq(acta_sync_acquire(sync_, &acquire, &lease, &err), ACTA_OK);
    let_it_hang();
    ck_assert_int_eq(acta_sync_renew(sync_, lease, &err), ACTA_TIMEOUT);
    ck_assert(acta_lease_is_held(lease));
    ck_assert_int_eq(acta_sync_release(sync_, lease, &err), ACTA_UNKNOWN);
    let_it_go_on();
    acta_sync_close(sync_);
}
END_TEST

static Suite *
scarce_suite(void)
{
    Suite *suite = suite_create("scarce");
    TCase *tcase = tcase_create("scarce");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, an_allocation_that_fails_costs_an_error_at_most,
                        0, OPERATIONS_COUNT);
    tcase_add_loop_test(tcase, a_shortage_that_lasts_costs_an_error_at_most, 0,
                        OPERATIONS_COUNT);
    tcase_add_loop_test(tcase,
                        a_server_that_hangs_is_waited_for_as_long_as_was_said,
                        0, OPERATIONS_COUNT);
    tcase_add_test(tcase, a_renewal_that_is_not_answered_ends_in_its_time);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(scarce_suite());
}
