/* Commands that are decided from a stream: each test against a whole server,
 * and against a store in memory.
 */

#include <acta/acta_decider.h>
#include <acta/acta_memory.h>
#include <acta/acta_snapshot.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bank.h"
#include "patient.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static struct acta_memory *memory; /* NULL: the server. */
static struct acta_sync *sync_;
static struct acta_sync *other; /* Of others, who are faster. */
static struct acta_upcasters *upcasters;
static struct acta_decider *decider;
static struct acta_handler *handler;
static const struct acta_handled *handled;
static struct acta_err err;

static struct acta_sync *
connect_to_it(void)
{
    struct acta_options options;
    struct acta_sync *opened;
    enum acta_code code;
    char url[64];

    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    options = patient_options(url);
    code = memory != NULL ? acta_sync_open_memory(&opened, memory, NULL, &err)
                          : acta_sync_open(&opened, &options, &err);
    ck_assert_msg(code == ACTA_OK, "%s", err.text);
    return opened;
}

/* Handle from now on with a new decider and handler. */
static void
handle_anew(uint64_t every, uint64_t schema,
            const struct acta_handler_options *options)
{
    acta_handler_close(handler);
    acta_decider_free(decider);
    decider = bank_decider_new(every, schema, upcasters);
    ck_assert_msg(acta_handler_open(&handler, sync_, decider, options, &err) ==
                      ACTA_OK,
                  "%s", err.text);
}

static void
connect_both(void)
{
    sync_ = connect_to_it();
    other = connect_to_it();
    bank_states = 0;
    bank_before_deciding = NULL;
    upcasters = NULL;
    handler = NULL;
    decider = NULL;
    handle_anew(0, 0, NULL);
}

static void
setup(void)
{
    rig_start(&rig, NULL);
    memory = NULL;
    connect_both();
}

static void
setup_memory(void)
{
    memory = acta_memory_new();
    ck_assert_ptr_nonnull(memory);
    connect_both();
}

static void
teardown(void)
{
    acta_handler_close(handler);
    acta_decider_free(decider);
    acta_upcasters_free(upcasters);
    acta_sync_close(other);
    acta_sync_close(sync_);
    if (memory == NULL) {
        rig_stop(&rig);
    }
    acta_memory_free(memory);
    ck_assert_int_eq(bank_states, 0);
}

/* ---- the words in which the tests are written ---- */

/* What comes of a command: "ok VERSION", its refusal, or the name of an error.
 */
static const char *
handle_it(const struct acta_command *command)
{
    static char text[64];
    enum acta_code code = acta_handle(handler, command, &handled, &err);

    if (code != ACTA_OK) {
        return acta_code_name(code);
    }
    if (handled->refusal != NULL) {
        return handled->refusal->code;
    }
    snprintf(text, sizeof(text), "ok %ju", (uintmax_t)handled->version);
    return text;
}

static const char *
handle_id(const char *type, const char *cents, const struct acta_id *id)
{
    struct acta_command command =
        acta_command_of(type, "1", cents, strlen(cents));

    command.id = id;
    return handle_it(&command);
}

static const char *
handle(const char *type, const char *cents)
{
    return handle_id(type, cents, NULL);
}

/* Store an event past the handler. */
static void
store(const char *stream, const char *type, const char *data)
{
    struct acta_draft draft = acta_draft_of(type, data, strlen(data));
    struct acta_append *append = acta_append_new();
    struct acta_err why;

    acta_append_stream(append, stream, ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    ck_assert_msg(acta_sync_append(other, append, NULL, &why) == ACTA_OK, "%s",
                  why.text);
    acta_append_free(append);
}

static const struct account *
account(const char *target)
{
    const void *state;

    ck_assert_msg(acta_handler_state(handler, target, &state, NULL, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    return state;
}

static const struct acta_event *
event(const char *stream, uint64_t version)
{
    const struct acta_event *found;

    ck_assert_msg(
        acta_sync_read_version(other, stream, version, &found, &err) == ACTA_OK,
        "%s", err.text);
    return found;
}

static const struct acta_snapshot *
snapshot(void)
{
    struct acta_load load = acta_load_of("account-1");
    const struct acta_loaded *loaded;

    ck_assert_int_eq(acta_sync_load(other, &load, &loaded, &err), ACTA_OK);
    return loaded->snapshot;
}

/* ---- results ---- */

START_TEST(accepted_command_stores_what_was_decided)
{
    ck_assert_str_eq(handle("Open", ""), "ok 1");
    ck_assert_str_eq(handle("Deposit", "500"), "ok 2");
    ck_assert_str_eq(handle("Close", ""), "ok 4");
    ck_assert_str_eq(handled->stream, "account-1");
    ck_assert_uint_eq(handled->events_count, 2);
    ck_assert_uint_eq(handled->position, 4);
    ck_assert_uint_eq(handled->runs_count, 1);
    ck_assert_uint_eq(handled->runs[0]->first_version, 3);
    ck_assert_uint_eq(handled->attempts, 1);
    ck_assert(!handled->repeated);
    ck_assert_str_eq(event("account-1", 3)->type, "Withdrawn");
    ck_assert_str_eq(event("account-1", 3)->data, "500");
    ck_assert_str_eq(event("account-1", 4)->type, "Closed");
}
END_TEST

START_TEST(refused_command_is_a_result_and_stores_nothing)
{
    handle("Open", "");
    ck_assert_str_eq(handle("Withdraw", "1"), "too_little");
    ck_assert_str_eq(handled->refusal->field, "cents");
    ck_assert_str_eq(handled->refusal->text, "there are only 0");
    ck_assert_uint_eq(handled->version, 1);
    ck_assert_uint_eq(handled->events_count, 0);
    ck_assert_str_eq(handle("Open", ""), "is_open");
    ck_assert_str_eq(handled->refusal->field, "");
    ck_assert_str_eq(handle("Deposit", "1"), "ok 2");
}
END_TEST

START_TEST(command_may_be_accepted_and_change_nothing)
{
    handle("Open", "");
    ck_assert_str_eq(handle("Deposit", "0"), "ok 1");
    ck_assert_uint_eq(handled->position, 0);
    ck_assert_uint_eq(handled->runs_count, 0);
}
END_TEST

START_TEST(what_cannot_be_handled_is_an_error)
{
    struct acta_command command = acta_command_of("Open", "1", NULL, 0);

    ck_assert_str_eq(handle("Steal", "1"), "UNSUPPORTED");
    ck_assert_str_eq(handle("BreakDown", ""), "IO");
    ck_assert_str_eq(err.text, "no luck");
    command.target = "";
    ck_assert_str_eq(handle_it(&command), "INVALID");
    command.target = NULL;
    ck_assert_str_eq(handle_it(&command), "INVALID");
    command.target = "1";
    command.type = NULL;
    ck_assert_str_eq(handle_it(&command), "INVALID");
    command.size = 0;
    ck_assert_str_eq(handle_it(&command), "INVALID");
    ck_assert_str_eq(handle("Open", ""), "ok 1");
}
END_TEST

/* ---- where it comes from ---- */

START_TEST(events_say_what_caused_them)
{
    struct acta_command command = acta_command_of("Open", "1", NULL, 0);
    const struct acta_event *opened;
    struct acta_id id, correlation;

    ck_assert_int_eq(acta_id_new(&id, NULL), ACTA_OK);
    ck_assert_int_eq(acta_id_new(&correlation, NULL), ACTA_OK);
    command.id = &id;
    command.correlation_id = &correlation;
    command.traceparent = "00-4bf92f-00f067-01";
    ck_assert_str_eq(handle_it(&command), "ok 1");
    ck_assert_mem_eq(handled->command_id, &id, sizeof(id));
    opened = event("account-1", 1);
    ck_assert_mem_eq(opened->causation_id, &id, sizeof(id));
    ck_assert_mem_eq(opened->correlation_id, &correlation, sizeof(correlation));
    ck_assert_str_eq(opened->metadata,
                     "{\"traceparent\": \"00-4bf92f-00f067-01\"}");
}
END_TEST

START_TEST(command_without_a_correlation_begins_one)
{
    ck_assert_str_eq(handle("Open", ""), "ok 1");
    ck_assert_mem_eq(event("account-1", 1)->correlation_id, handled->command_id,
                     sizeof(struct acta_id));
    ck_assert_uint_eq(event("account-1", 1)->metadata_size, 0);
}
END_TEST

START_TEST(trace_context_is_found_in_the_metadata_of_a_command)
{
    static const char metadata[] =
        " {\"n\" : [1, {\"traceparent\": \"no\"}], \"trace\\u0070arent\": "
        "\"00-\\u00e9\\\"-01\"}";
    struct acta_command command = acta_command_of("Close", "1", NULL, 0);

    handle("Open", "");
    command.metadata = metadata;
    command.metadata_size = strlen(metadata);
    ck_assert_str_eq(handle_it(&command), "ok 2");
    ck_assert_str_eq(event("account-1", 2)->metadata,
                     "{\"traceparent\": \"00-\xc3\xa9\\\"-01\", "
                     "\"by\": \"the \\\"bank\\\"\"}");
}
END_TEST

/* ---- once ---- */

START_TEST(command_takes_effect_once_under_its_id)
{
    struct acta_id id;

    ck_assert_int_eq(acta_id_new(&id, NULL), ACTA_OK);
    handle("Open", "");
    ck_assert_str_eq(handle_id("Deposit", "5", &id), "ok 2");
    handle("Deposit", "7");
    ck_assert_str_eq(handle_id("Deposit", "5", &id), "ok 2");
    ck_assert(handled->repeated);
    ck_assert_uint_eq(handled->position, 2);
    handle_anew(0, 0, NULL);
    ck_assert_str_eq(handle_id("Deposit", "5", &id), "ok 2");
    ck_assert_int_eq(account("1")->cents, 12);
}
END_TEST

START_TEST(command_that_would_be_refused_now_is_answered_as_at_first)
{
    struct acta_id id;

    ck_assert_int_eq(acta_id_new(&id, NULL), ACTA_OK);
    ck_assert_str_eq(handle_id("Open", "", &id), "ok 1");
    ck_assert_str_eq(handle("Deposit", "5"), "ok 2");
    ck_assert_str_eq(handle("Open", ""), "is_open");
    ck_assert_str_eq(handle_id("Open", "", &id), "ok 1");
    ck_assert(handled->repeated);
    ck_assert_uint_eq(handled->events_count, 1);
    ck_assert_uint_eq(acta_handler_counts(handler)->repeated, 1);
    ck_assert_uint_eq(acta_handler_counts(handler)->refused, 1);
}
END_TEST

START_TEST(refusal_that_is_kept_is_the_answer_for_ever)
{
    struct acta_handler_options options = acta_handler_options_of();
    struct acta_id id;
    char stream[64] = "refused-";

    options.refusals = "refused";
    handle_anew(0, 0, &options);
    ck_assert_int_eq(acta_id_new(&id, NULL), ACTA_OK);
    acta_id_format(&id, stream + strlen(stream));
    handle("Open", "");
    ck_assert_str_eq(handle_id("Withdraw", "5", &id), "too_little");
    ck_assert(!handled->repeated);
    ck_assert_str_eq(event(stream, 1)->type, "CommandRefused");
    ck_assert_str_eq(event(stream, 1)->data,
                     "{\"command\": \"Withdraw\", \"target\": \"1\", \"code\": "
                     "\"too_little\", \"field\": \"cents\", \"text\": \"there "
                     "are only 0\"}");
    handle("Deposit", "5");
    ck_assert_str_eq(handle_id("Withdraw", "5", &id), "too_little");
    ck_assert(handled->repeated);
    ck_assert_str_eq(handled->refusal->field, "cents");
    ck_assert_str_eq(handled->refusal->text, "there are only 0");
    ck_assert_uint_eq(handled->events_count, 0);
    handle("Withdraw", "5");
    ck_assert_str_eq(handle_id("Withdraw", "5", &id), "too_little");
    ck_assert(handled->repeated);
}
END_TEST

/* ---- others ---- */

static unsigned withdrawals;

static void
withdraw_by_another(void)
{
    if (withdrawals > 0) {
        withdrawals--;
        store("account-1", "Withdrawn", "300");
    }
}

START_TEST(conflict_is_decided_again_from_what_was_missed)
{
    store("account-1", "Opened", "");
    store("account-1", "Deposited", "1000");
    withdrawals = 2;
    bank_before_deciding = withdraw_by_another;
    err = (struct acta_err){ACTA_OK, ""};
    ck_assert_str_eq(handle("Withdraw", "400"), "ok 5");
    ck_assert_int_eq(err.code, ACTA_OK);
    ck_assert_uint_eq(handled->attempts, 3);
    ck_assert_uint_eq(acta_handler_counts(handler)->conflicts, 2);
    ck_assert_uint_eq(acta_handler_counts(handler)->misses, 1);
    ck_assert_uint_eq(acta_handler_counts(handler)->hits, 0);
    ck_assert_int_eq(account("1")->cents, 0);
}
END_TEST

START_TEST(conflict_may_turn_what_was_accepted_into_a_refusal)
{
    store("account-1", "Deposited", "500");
    withdrawals = 1;
    bank_before_deciding = withdraw_by_another;
    ck_assert_str_eq(handle("Withdraw", "400"), "too_little");
    ck_assert_str_eq(handled->refusal->text, "there are only 200");
    ck_assert_uint_eq(handled->version, 2);
}
END_TEST

START_TEST(conflicts_without_an_end_are_given_up)
{
    struct acta_handler_options options = acta_handler_options_of();

    options.attempts_max = 3;
    handle_anew(0, 0, &options);
    store("account-1", "Deposited", "9000");
    withdrawals = 100;
    bank_before_deciding = withdraw_by_another;
    ck_assert_str_eq(handle("Withdraw", "1"), "CONFLICT");
    ck_assert_uint_eq(handled->attempts, 3);
    ck_assert_uint_eq(withdrawals, 97);
    bank_before_deciding = NULL;
    ck_assert_str_eq(handle("Withdraw", "1"), "ok 5");
}
END_TEST

static void
deposit_a_lot(void)
{
    if (withdrawals > 0) {
        withdrawals--;
        for (int i = 0; i < 1100; i++) {
            store("account-1", "Deposited", "1");
        }
    }
}

START_TEST(what_a_refusal_cannot_bring_is_loaded)
{
    withdrawals = 1;
    bank_before_deciding = deposit_a_lot;
    store("account-1", "Deposited", "1");
    ck_assert_str_eq(handle("Withdraw", "1"), "ok 1102");
    ck_assert_int_eq(account("1")->cents, 1100);
}
END_TEST

/* ---- the cache ---- */

START_TEST(state_in_memory_is_only_brought_what_is_new)
{
    handle("Open", "");
    handle("Deposit", "5");
    ck_assert_uint_eq(acta_handler_counts(handler)->events, 1);
    store("account-1", "Deposited", "7");
    ck_assert_int_eq(account("1")->cents, 12);
    ck_assert_uint_eq(acta_handler_counts(handler)->events, 3);
    ck_assert_int_eq(account("1")->cents, 12);
    ck_assert_uint_eq(acta_handler_counts(handler)->events, 3);
    ck_assert_uint_eq(account("1")->events, 3);
    ck_assert_uint_eq(acta_handler_counts(handler)->misses, 1);
    ck_assert_uint_eq(acta_handler_counts(handler)->hits, 4);
}
END_TEST

/* As when a backup was restored: its streams go on differently from there. */
START_TEST(states_of_another_database_are_forgotten)
{
    char listen[64];

    handle("Open", "");
    handle("Deposit", "500");
    ck_assert_int_eq(account("1")->cents, 500);
    rig_stop(&rig);
    snprintf(listen, sizeof(listen), "--listen=127.0.0.1:%u", rig.port);
    rig_start(&rig, listen, NULL);
    acta_sync_close(other);
    other = connect_to_it();
    store("account-1", "Opened", "");
    store("account-1", "Deposited", "3");
    ck_assert_str_eq(handle("Withdraw", "100"), "too_little");
    ck_assert_int_eq(account("1")->cents, 3);
}
END_TEST

START_TEST(no_more_states_are_in_memory_than_may_be)
{
    struct acta_handler_options options = acta_handler_options_of();

    options.states_max = 2;
    handle_anew(0, 0, &options);
    store("account-1", "Deposited", "1");
    store("account-2", "Deposited", "2");
    store("account-3", "Deposited", "3");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(account("1")->cents, 1);
        ck_assert_int_eq(account("2")->cents, 2);
        ck_assert_int_eq(account("1")->cents, 1);
        ck_assert_int_eq(account("3")->cents, 3);
        ck_assert_int_eq(bank_states, 2);
    }
    /* The one that was not used for longest is the one that goes. */
    ck_assert_uint_eq(acta_handler_counts(handler)->hits, 5);
    ck_assert_uint_eq(acta_handler_counts(handler)->misses, 7);
}
END_TEST

START_TEST(stream_that_was_deleted_and_goes_on_is_known_anew)
{
    store("account-1", "Deposited", "5");
    store("account-1", "Deposited", "5");
    ck_assert_int_eq(account("1")->cents, 10);
    ck_assert_int_eq(acta_sync_delete_stream(other, "account-1",
                                             ACTA_EXPECT_ANY, NULL, &err),
                     ACTA_OK);
    store("account-1", "Deposited", "3");
    store("account-1", "Deposited", "4");
    ck_assert_int_eq(acta_sync_delete_stream(other, "account-1",
                                             ACTA_EXPECT_ANY, NULL, &err),
                     ACTA_OK);
    ck_assert_int_eq(account("1")->cents, 0);
    store("account-1", "Deposited", "7");
    ck_assert_int_eq(account("1")->cents, 7);
    ck_assert_str_eq(handle("Withdraw", "7"), "ok 6");
}
END_TEST

START_TEST(stream_of_many_pages_is_folded_to_its_end)
{
    struct acta_draft draft = acta_draft_of("Deposited", "1", 1);
    struct acta_append *append = acta_append_new();

    for (int i = 0; i < 10; i++) {
        acta_append_clear(append);
        acta_append_stream(append, "account-1", ACTA_EXPECT_ANY);
        for (int k = 0; k < 7000; k++) {
            acta_append_event(append, &draft);
        }
        ck_assert_int_eq(acta_sync_append(other, append, NULL, &err), ACTA_OK);
    }
    acta_append_free(append);
    ck_assert_int_eq(account("1")->cents, 70000);
    ck_assert_str_eq(handle("Withdraw", "70000"), "ok 70001");
}
END_TEST

/* ---- snapshots ---- */

static void
deposit(unsigned times)
{
    while (times-- > 0) {
        handle("Deposit", "1");
    }
}

START_TEST(snapshot_is_kept_when_enough_has_happened)
{
    handle_anew(3, 1, NULL);
    handle("Open", "");
    deposit(2);
    ck_assert_ptr_null(snapshot());
    deposit(1);
    ck_assert_uint_eq(snapshot()->version, 3);
    ck_assert_str_eq(snapshot()->data, "1 2 3");
    deposit(2);
    ck_assert_uint_eq(snapshot()->version, 3);
    deposit(1);
    ck_assert_uint_eq(snapshot()->version, 6);
    ck_assert_uint_eq(acta_handler_counts(handler)->snapshots, 2);
    handle_anew(3, 1, NULL);
    ck_assert_int_eq(account("1")->cents, 6);
    ck_assert_uint_eq(account("1")->events, 7);
    ck_assert_uint_eq(acta_handler_counts(handler)->events, 1);
}
END_TEST

START_TEST(command_that_is_repeated_keeps_no_snapshot)
{
    struct acta_id id;

    ck_assert_int_eq(acta_id_new(&id, NULL), ACTA_OK);
    handle_anew(3, 1, NULL);
    handle("Open", "");
    deposit(1);
    ck_assert_str_eq(handle_id("Deposit", "5", &id), "ok 3");
    ck_assert_str_eq(handle_id("Deposit", "5", &id), "ok 3");
    ck_assert(handled->repeated);
    ck_assert_uint_eq(acta_handler_counts(handler)->snapshots, 0);
    ck_assert_ptr_null(snapshot());
    deposit(1);
    ck_assert_uint_eq(acta_handler_counts(handler)->snapshots, 1);
    ck_assert_uint_eq(snapshot()->version, 3);
}
END_TEST

START_TEST(snapshot_of_an_old_schema_is_not_used_and_replaced)
{
    handle_anew(3, 1, NULL);
    handle("Open", "");
    deposit(3);
    ck_assert_uint_eq(snapshot()->schema, 1);
    handle_anew(3, 2, NULL);
    ck_assert_int_eq(account("1")->cents, 3);
    ck_assert_uint_eq(acta_handler_counts(handler)->events, 4);
    deposit(1);
    ck_assert_uint_eq(snapshot()->schema, 2);
    ck_assert_uint_eq(snapshot()->version, 4);
}
END_TEST

START_TEST(snapshot_that_cannot_be_read_is_passed_over)
{
    struct acta_append *append = acta_append_new();

    store("account-1", "Deposited", "5");
    store("account-1", "Deposited", "6");
    acta_append_snapshot(append, "account-1", 2, 1, "nonsense", 8);
    ck_assert_int_eq(acta_sync_append(other, append, NULL, &err), ACTA_OK);
    acta_append_free(append);
    handle_anew(3, 1, NULL);
    ck_assert_int_eq(account("1")->cents, 11);
}
END_TEST

START_TEST(decider_without_snapshots_uses_none_of_others)
{
    struct acta_append *append = acta_append_new();

    store("account-1", "Deposited", "5");
    acta_append_snapshot(append, "account-1", 1, 0, "1 99 1", 6);
    ck_assert_int_eq(acta_sync_append(other, append, NULL, &err), ACTA_OK);
    acta_append_free(append);
    ck_assert_int_eq(account("1")->cents, 5);
}
END_TEST

/* ---- versions of events ---- */

/* Version 1 was in whole euros. */
static bool
in_cents(void *user, const struct acta_event *old, struct acta_bytes *data)
{
    (void)user;
    acta_bytes_put(data, old->data, old->data_size);
    acta_bytes_put(data, "00", 2);
    return true;
}

START_TEST(old_events_are_upcast_and_new_ones_stored_as_the_newest)
{
    upcasters = acta_upcasters_new();
    acta_upcasters_add(upcasters, "Deposited", 1, in_cents, NULL);
    handle_anew(0, 0, NULL);
    store("account-1", "Opened", "");
    store("account-1", "Deposited", "3");
    store("account-1", "Deposited.v2", "4");
    ck_assert_int_eq(account("1")->cents, 304);
    ck_assert_str_eq(handle("Deposit", "5"), "ok 4");
    ck_assert_str_eq(event("account-1", 4)->type, "Deposited.v2");
    ck_assert_int_eq(account("1")->cents, 309);
}
END_TEST

START_TEST(version_that_is_not_known_is_told_and_not_passed_over)
{
    store("account-1", "Opened", "");
    store("account-1", "Deposited.v2", "4");
    ck_assert_str_eq(handle("Deposit", "5"), "UNSUPPORTED");
    ck_assert_str_eq(err.text, "event at position 2 of stream account-1 is a "
                               "Deposited.v2, known up to version 1");
    ck_assert_str_eq(handle("Deposit", "5"), "UNSUPPORTED");
}
END_TEST

START_TEST(events_of_no_matter_are_passed_over)
{
    store("account-1", "Opened", "");
    store("account-1", "Audited.v7", "4");
    ck_assert_str_eq(handle("Deposit", "5"), "ok 3");
}
END_TEST

START_TEST(event_that_cannot_be_folded_is_told)
{
    store("account-1", "Deposited", "five");
    ck_assert_str_eq(handle("Deposit", "5"), "CORRUPT");
    ck_assert_str_eq(err.text, "event at position 1 of stream account-1: this "
                               "Deposited cannot be folded");
    ck_assert_int_eq(bank_states, 0);
}
END_TEST

/* ---- mistakes ---- */

START_TEST(mistake_in_a_decider_is_told_when_it_is_used)
{
    struct acta_decider *wrong = acta_decider_new("a-b", 1);
    struct acta_handler *none;

    ck_assert_int_eq(acta_handler_open(&none, sync_, wrong, NULL, &err),
                     ACTA_INVALID);
    ck_assert_ptr_null(none);
    acta_decider_free(wrong);
    wrong = acta_decider_new("a", 1);
    acta_decider_on_event(wrong, "Opened.v2", NULL);
    ck_assert_int_eq(acta_decider_check(wrong, &err), ACTA_INVALID);
    acta_decider_free(wrong);
    ck_assert_int_eq(acta_handler_open(&none, sync_, NULL, NULL, &err),
                     ACTA_MEMORY);
}
END_TEST

static void
add_tests(Suite *suite, const char *name, void (*begin)(void))
{
    TCase *tcase = tcase_create(name);

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, begin, teardown);
    tcase_add_test(tcase, accepted_command_stores_what_was_decided);
    tcase_add_test(tcase, refused_command_is_a_result_and_stores_nothing);
    tcase_add_test(tcase, command_may_be_accepted_and_change_nothing);
    tcase_add_test(tcase, what_cannot_be_handled_is_an_error);
    tcase_add_test(tcase, events_say_what_caused_them);
    tcase_add_test(tcase, command_without_a_correlation_begins_one);
    tcase_add_test(tcase, trace_context_is_found_in_the_metadata_of_a_command);
    tcase_add_test(tcase, command_takes_effect_once_under_its_id);
    tcase_add_test(tcase,
                   command_that_would_be_refused_now_is_answered_as_at_first);
    tcase_add_test(tcase, refusal_that_is_kept_is_the_answer_for_ever);
    tcase_add_test(tcase, conflict_is_decided_again_from_what_was_missed);
    tcase_add_test(tcase, conflict_may_turn_what_was_accepted_into_a_refusal);
    tcase_add_test(tcase, conflicts_without_an_end_are_given_up);
    tcase_add_test(tcase, what_a_refusal_cannot_bring_is_loaded);
    tcase_add_test(tcase, state_in_memory_is_only_brought_what_is_new);
    tcase_add_test(tcase, no_more_states_are_in_memory_than_may_be);
    tcase_add_test(tcase, stream_that_was_deleted_and_goes_on_is_known_anew);
    tcase_add_test(tcase, stream_of_many_pages_is_folded_to_its_end);
    tcase_add_test(tcase, snapshot_is_kept_when_enough_has_happened);
    tcase_add_test(tcase, command_that_is_repeated_keeps_no_snapshot);
    tcase_add_test(tcase, snapshot_of_an_old_schema_is_not_used_and_replaced);
    tcase_add_test(tcase, snapshot_that_cannot_be_read_is_passed_over);
    tcase_add_test(tcase, decider_without_snapshots_uses_none_of_others);
    tcase_add_test(tcase,
                   old_events_are_upcast_and_new_ones_stored_as_the_newest);
    tcase_add_test(tcase,
                   version_that_is_not_known_is_told_and_not_passed_over);
    tcase_add_test(tcase, events_of_no_matter_are_passed_over);
    tcase_add_test(tcase, event_that_cannot_be_folded_is_told);
    tcase_add_test(tcase, mistake_in_a_decider_is_told_when_it_is_used);
}

static void
add_server_tests(Suite *suite)
{
    TCase *tcase = tcase_create("another server");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, states_of_another_database_are_forgotten);
}

int
main(void)
{
    Suite *suite = suite_create("handler");

    add_tests(suite, "server", setup);
    add_server_tests(suite);
    add_tests(suite, "memory", setup_memory);
    return run_suite(suite);
}
