/* The command bus: commands that are dispatched directly, and those that a pool
 * of threads takes from a stream.
 */

#include <acta/acta_dispatch.h>
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bank.h"
#include "patient.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static char url[64];
static struct acta_options options;
static struct acta_sync *sync_;
static struct acta_decider *decider;
static struct acta_model *model;
static struct acta_registry *registry;
static struct acta_dispatcher *dispatcher;
static const struct acta_handled *handled;
static struct acta_err err;

static void
scope_nothing(const struct acta_command *command, struct acta_scope *scope)
{
    (void)command;
    (void)scope;
}

static void
say_hello(const void *state, const struct acta_command *command,
          struct acta_decision *decision)
{
    (void)state;
    acta_decision_to(decision, "greetings-%s", command->target);
    acta_decision_json(decision, "Greeted", "{}");
    acta_decision_tag(decision, "to:%s", command->target);
}

static void
setup(void)
{
    rig_start(&rig, NULL);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    options = patient_options(url);
    ck_assert_int_eq(acta_sync_open(&sync_, &options, &err), ACTA_OK);
    decider = bank_decider_new(0, 0, NULL);
    model = acta_model_new(0);
    acta_model_on_command(model, "Greet", scope_nothing, say_hello);
    registry = acta_registry_new();
    acta_registry_decider(registry, decider);
    acta_registry_model(registry, model);
    ck_assert_int_eq(
        acta_dispatcher_open(&dispatcher, sync_, registry, NULL, &err),
        ACTA_OK);
}

static void
teardown(void)
{
    acta_dispatcher_close(dispatcher);
    acta_sync_close(sync_);
    acta_registry_free(registry);
    acta_model_free(model);
    acta_decider_free(decider);
    rig_stop(&rig);
    ck_assert_int_eq(bank_states, 0);
}

/* ---- the words in which the tests are written ---- */

static enum acta_code
dispatch(const char *type, const char *target, const char *data)
{
    struct acta_command command =
        acta_command_of(type, target, data, strlen(data));

    return acta_dispatch(dispatcher, &command, &handled, &err);
}

/* Store a command as an event. Its id is the event's. */
static struct acta_id
store(const char *stream, const char *type, const char *data)
{
    struct acta_draft draft = acta_draft_of(type, data, strlen(data));
    struct acta_append *append = acta_append_new();
    struct acta_id id;

    acta_append_stream(append, stream, ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    ck_assert_msg(acta_sync_append(sync_, append, NULL, &err) == ACTA_OK, "%s",
                  err.text);
    id = *acta_append_id(append, 0);
    acta_append_free(append);
    return id;
}

static size_t
count(const char *stream, const char *type)
{
    struct acta_read read = acta_read_of_stream(stream);
    const struct acta_event *event;
    struct acta_cursor *cursor;
    size_t found = 0;

    ck_assert_int_eq(acta_cursor_open(&cursor, sync_, &read, &err), ACTA_OK);
    while (acta_cursor_next(cursor, &event, &err) == ACTA_OK && event != NULL) {
        found += strcmp(event->type, type) == 0;
    }
    acta_cursor_close(cursor);
    return found;
}

/* ---- what the threads of a pool have told ---- */

static struct {
    pthread_mutex_t lock; /* Guards the rest. */
    pthread_cond_t changed;
    size_t told;
    size_t accepted;
    size_t refused;
    size_t failed;
    sigset_t blocked; /* In the thread that has told last. */
} told = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
};

static void
on_handled(void *user, const struct acta_command *command,
           const struct acta_handled *result, const struct acta_err *failure)
{
    (void)user;
    (void)command;
    pthread_mutex_lock(&told.lock);
    pthread_sigmask(SIG_BLOCK, NULL, &told.blocked);
    told.told++;
    told.failed += failure != NULL;
    told.refused += result != NULL && result->refusal != NULL;
    told.accepted += result != NULL && result->refusal == NULL;
    pthread_cond_signal(&told.changed);
    pthread_mutex_unlock(&told.lock);
}

static void
wait_until_told(size_t times)
{
    pthread_mutex_lock(&told.lock);
    while (told.told < times) {
        pthread_cond_wait(&told.changed, &told.lock);
    }
    pthread_mutex_unlock(&told.lock);
}

static struct acta_pool *
start(size_t threads, const struct acta_handler_options *handling)
{
    struct acta_pool_options wanted =
        acta_pool_options_of(&options, "commands");
    struct acta_pool *pool;

    wanted.threads = threads;
    wanted.on_handled = on_handled;
    wanted.handling = handling;
    ck_assert_msg(acta_pool_start(&pool, registry, &wanted, &err) == ACTA_OK,
                  "%s", err.text);
    return pool;
}

/* ---- directly ---- */

START_TEST(command_goes_to_what_handles_its_type)
{
    ck_assert_int_eq(dispatch("Open", "1", ""), ACTA_OK);
    ck_assert_str_eq(handled->stream, "account-1");
    ck_assert_int_eq(dispatch("Greet", "anna", ""), ACTA_OK);
    ck_assert_str_eq(handled->stream, "");
    ck_assert_uint_eq(handled->position, 2);
    ck_assert_uint_eq(count("greetings-anna", "Greeted"), 1);
}
END_TEST

START_TEST(command_that_nobody_handles_is_an_error)
{
    ck_assert_int_eq(dispatch("Steal", "1", ""), ACTA_UNSUPPORTED);
    ck_assert_str_eq(err.text, "no command Steal is known");
    ck_assert_ptr_null(handled->refusal);
    ck_assert_int_eq(dispatch("Open", "", ""), ACTA_INVALID);
}
END_TEST

START_TEST(command_type_is_handled_by_one)
{
    struct acta_dispatcher *none;

    acta_registry_decider(registry, decider);
    ck_assert_int_eq(acta_registry_check(registry, &err), ACTA_INVALID);
    ck_assert_str_eq(err.text, "Open: a command is handled by one");
    ck_assert_int_eq(acta_dispatcher_open(&none, sync_, registry, NULL, &err),
                     ACTA_INVALID);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(acta_registry_check(NULL, &err), ACTA_MEMORY);
}
END_TEST

/* ---- by a pool ---- */

#define ACCOUNTS 8
#define DEPOSITS 20

START_TEST(pool_handles_every_command_once)
{
    struct acta_pool *pool;
    char stream[32];

    for (int i = 0; i < ACCOUNTS; i++) {
        snprintf(stream, sizeof(stream), "command-%d", i);
        store(stream, "Open", "");
        for (int k = 0; k < DEPOSITS; k++) {
            store(stream, "Deposit", "1");
        }
        store(stream, "Withdraw", "1000");
    }
    pool = start(3, NULL);
    ck_assert_uint_eq(acta_pool_threads(pool), 3);
    wait_until_told(ACCOUNTS * (DEPOSITS + 2));
    ck_assert_int_eq(acta_pool_stop(pool, &err), ACTA_OK);
    ck_assert_uint_eq(told.accepted, ACCOUNTS * (DEPOSITS + 1));
    ck_assert_uint_eq(told.refused, ACCOUNTS);
    ck_assert_uint_eq(told.failed, 0);
    for (int i = 0; i < ACCOUNTS; i++) {
        snprintf(stream, sizeof(stream), "account-%d", i);
        ck_assert_uint_eq(count(stream, "Deposited"), DEPOSITS);
    }
}
END_TEST

START_TEST(pool_goes_on_where_the_one_before_has_stopped)
{
    struct acta_pool *pool = start(1, NULL);
    struct acta_id id = store("command-1", "Open", "");
    struct acta_command command = acta_command_of("Open", "1", NULL, 0);

    wait_until_told(1);
    ck_assert_int_eq(acta_pool_stop(pool, &err), ACTA_OK);
    store("command-1", "Deposit", "1");
    pool = start(1, NULL);
    wait_until_told(2);
    ck_assert_int_eq(acta_pool_stop(pool, &err), ACTA_OK);
    ck_assert_uint_eq(told.accepted, 2);
    /* The id of the event is that of the command. */
    command.id = &id;
    ck_assert_int_eq(acta_dispatch(dispatcher, &command, &handled, &err),
                     ACTA_OK);
    ck_assert(handled->repeated);
    ck_assert_uint_eq(count("account-1", "Opened"), 1);
}
END_TEST

START_TEST(command_that_cannot_be_handled_is_parked)
{
    const struct acta_parked_page *parked;
    struct acta_pool *pool;

    store("command-1", "Steal", "");
    store("command-2", "BreakDown", "");
    store("command-3", "Open", "");
    pool = start(2, NULL);
    wait_until_told(3);
    ck_assert_int_eq(acta_pool_stop(pool, &err), ACTA_OK);
    ck_assert_uint_eq(told.failed, 2);
    ck_assert_int_eq(
        acta_sync_list_parked(sync_, "commands", 0, 0, &parked, &err), ACTA_OK);
    ck_assert_uint_eq(parked->parked_count, 2);
    ck_assert_str_eq(parked->parked[0]->reason, "no command Steal is known");
    ck_assert_str_eq(parked->parked[1]->reason, "no luck");
}
END_TEST

START_TEST(refusal_can_be_followed_by_who_waits_for_it)
{
    struct acta_handler_options handling = acta_handler_options_of();
    char stream[64] = "reply-";
    struct acta_pool *pool;
    struct acta_id id;

    handling.refusals = "reply";
    id = store("command-1", "Withdraw", "5");
    acta_id_format(&id, stream + strlen(stream));
    pool = start(1, &handling);
    wait_until_told(1);
    ck_assert_int_eq(acta_pool_stop(pool, &err), ACTA_OK);
    ck_assert_uint_eq(told.refused, 1);
    ck_assert_uint_eq(count(stream, "CommandRefused"), 1);
}
END_TEST

/* Signals reach a thread of the program, whatever it has for them: a handler,
 * sigwait(), signalfd(). Who starts the pool goes on as before.
 */
START_TEST(threads_of_a_pool_take_no_signal_but_those_of_their_faults)
{
    struct acta_pool *pool;
    sigset_t before, after;

    store("command-anna", "Greet", "{}");
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    pool = start(1, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    wait_until_told(1);
    ck_assert_int_eq(acta_pool_stop(pool, &err), ACTA_OK);
    ck_assert(sigismember(&told.blocked, SIGTERM));
    ck_assert(!sigismember(&told.blocked, SIGSEGV));
    ck_assert_int_eq(sigismember(&after, SIGTERM),
                     sigismember(&before, SIGTERM));
}
END_TEST

START_TEST(pool_whose_group_is_gone_tells_so_when_it_is_stopped)
{
    struct acta_pool *pool = start(2, NULL);

    ck_assert_int_eq(acta_sync_delete_consumer(sync_, "commands", NULL, &err),
                     ACTA_OK);
    while (acta_pool_threads(pool) > 0) {
        ck_assert_int_eq(acta_sync_ping(sync_, NULL, &err), ACTA_OK);
    }
    ck_assert_int_eq(acta_pool_stop(pool, &err), ACTA_NOT_FOUND);
}
END_TEST

START_TEST(pool_that_cannot_start_leaves_nothing_behind)
{
    struct acta_pool_options wanted =
        acta_pool_options_of(&options, "commands");
    struct acta_pool *none;

    wanted.threads = 0;
    ck_assert_int_eq(acta_pool_start(&none, registry, &wanted, &err),
                     ACTA_INVALID);
    wanted.threads = 65;
    ck_assert_int_eq(acta_pool_start(&none, registry, &wanted, &err),
                     ACTA_INVALID);
    wanted.threads = 2;
    wanted.group = "";
    ck_assert_int_eq(acta_pool_start(&none, registry, &wanted, &err),
                     ACTA_INVALID);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(acta_pool_stop(NULL, &err), ACTA_OK);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("dispatch");
    TCase *tcase = tcase_create("dispatch");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, command_goes_to_what_handles_its_type);
    tcase_add_test(tcase, command_that_nobody_handles_is_an_error);
    tcase_add_test(tcase, command_type_is_handled_by_one);
    tcase_add_test(tcase, pool_handles_every_command_once);
    tcase_add_test(tcase, pool_goes_on_where_the_one_before_has_stopped);
    tcase_add_test(tcase, command_that_cannot_be_handled_is_parked);
    tcase_add_test(tcase, refusal_can_be_followed_by_who_waits_for_it);
    tcase_add_test(tcase,
                   threads_of_a_pool_take_no_signal_but_those_of_their_faults);
    tcase_add_test(tcase, pool_whose_group_is_gone_tells_so_when_it_is_stopped);
    tcase_add_test(tcase, pool_that_cannot_start_leaves_nothing_behind);
    return run_suite(suite);
}
