/* Decision models on a store in memory: what they read on conflicts, which
 * versions of events they see, and mistakes in their scopes. And on a server,
 * that another one takes the place of.
 */

#include <acta/acta_decider.h>
#include <acta/acta_memory.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patient.h"
#include "rig.h"
#include "run.h"

struct sum {
    long before; /* Of no fold. */
    long total;
};

static struct rig rig;
static struct acta_memory *memory;
static struct acta_sync *sync_;
static struct acta_sync *other;
static struct acta_upcasters *upcasters;
static struct acta_model *model;
static struct acta_handler *handler;
static const struct acta_handled *handled;
static struct acta_err err;
static unsigned others; /* Events that others store while it is decided. */
static void (*in_fold)(void); /* Called once; NULL: nothing. */

/* Store events as others do. */
static void
store(const char *type, const char *data, unsigned count)
{
    static const char *const tags[] = {"sum:1"};
    struct acta_draft draft = acta_draft_of(type, data, strlen(data));
    struct acta_append *append = acta_append_new();
    struct acta_err why;

    draft.tags = tags;
    draft.tags_count = 1;
    acta_append_stream(append, "others", ACTA_EXPECT_ANY);
    for (unsigned i = 0; i < count; i++) {
        acta_append_event(append, &draft);
    }
    ck_assert_msg(acta_sync_append(other, append, NULL, &why) == ACTA_OK, "%s",
                  why.text);
    acta_append_free(append);
}

static bool
on_added(void *state, const struct acta_event *event)
{
    void (*call)(void) = in_fold;
    long *total = state;

    in_fold = NULL;
    if (call != NULL) {
        call();
    }
    *total += atol(event->data);
    return true;
}

static void
scope(const struct acta_command *command, struct acta_scope *scope)
{
    acta_scope_fold(scope, "total", offsetof(struct sum, total));
    acta_scope_tag(scope, "sum:%s", command->target);
}

static void
scope_wrong(const struct acta_command *command, struct acta_scope *scope)
{
    if (strcmp(command->target, "unknown") == 0) {
        acta_scope_fold(scope, "average", 0);
    } else if (strcmp(command->target, "outside") == 0) {
        acta_scope_fold(scope, "total", sizeof(struct sum) + 1);
    } else {
        acta_scope_tag(scope, "sum:1");
    }
}

static void
add(const void *state, const struct acta_command *command,
    struct acta_decision *decision)
{
    const struct sum *sum = state;

    if (others > 0) {
        store("Added", "1", others);
        others = 0;
    }
    if (sum->total + atol(command->data) > 2000) {
        acta_decision_refuse(decision, "too_much", NULL, "it is %ld by now",
                             sum->total);
        return;
    }
    if (strcmp(command->type, "AddNowhere") != 0) {
        acta_decision_to(decision, "sum-%s", command->target);
    }
    acta_decision_json(decision, "Added", command->data);
    acta_decision_tag(decision, "sum:%s", command->target);
}

static bool
double_it(void *user, const struct acta_event *event, struct acta_bytes *data)
{
    char text[32];

    (void)user;
    snprintf(text, sizeof(text), "%ld", 2 * atol(event->data));
    acta_bytes_put(data, text, strlen(text));
    return true;
}

static void
make_model(void)
{
    others = 0;
    in_fold = NULL;
    upcasters = acta_upcasters_new();
    acta_upcasters_add(upcasters, "Added", 1, double_it, NULL);
    model = acta_model_new(sizeof(struct sum));
    acta_model_upcasters(model, upcasters);
    acta_model_on_event(model, "total", "Added", on_added);
    acta_model_on_command(model, "Add", scope, add);
    acta_model_on_command(model, "AddNowhere", scope, add);
    acta_model_on_command(model, "AddWrong", scope_wrong, add);
    ck_assert_int_eq(
        acta_handler_open_model(&handler, sync_, model, NULL, &err), ACTA_OK);
}

static void
setup(void)
{
    memory = acta_memory_new();
    ck_assert_int_eq(acta_sync_open_memory(&sync_, memory, NULL, &err),
                     ACTA_OK);
    ck_assert_int_eq(acta_sync_open_memory(&other, memory, NULL, &err),
                     ACTA_OK);
    make_model();
}

static void
teardown(void)
{
    acta_handler_close(handler);
    acta_model_free(model);
    acta_upcasters_free(upcasters);
    acta_sync_close(other);
    acta_sync_close(sync_);
    acta_memory_free(memory);
}

static struct acta_sync *
connect_to_rig(void)
{
    struct acta_options options;
    struct acta_sync *made;
    char url[64];

    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    options = patient_options(url);
    ck_assert_msg(acta_sync_open(&made, &options, &err) == ACTA_OK, "%s",
                  err.text);
    return made;
}

static void
setup_rig(void)
{
    memory = NULL;
    rig_start(&rig, NULL);
    sync_ = connect_to_rig();
    other = connect_to_rig();
    make_model();
}

static void
teardown_rig(void)
{
    teardown();
    rig_stop(&rig);
}

/* What comes of a command: "ok POSITION", its refusal, or an error. */
static const char *
handle(const char *type, const char *target, const char *data)
{
    static char text[64];
    struct acta_command command =
        acta_command_of(type, target, data, strlen(data));
    enum acta_code code = acta_handle(handler, &command, &handled, &err);

    if (code != ACTA_OK) {
        return acta_code_name(code);
    }
    if (handled->refusal != NULL) {
        return handled->refusal->text;
    }
    snprintf(text, sizeof(text), "ok %ju", (uintmax_t)handled->position);
    return text;
}

START_TEST(what_a_conflict_brings_is_decided_from)
{
    others = 10;
    ck_assert_str_eq(handle("Add", "1", "1"), "ok 11");
    ck_assert_uint_eq(handled->attempts, 2);
    others = 10;
    ck_assert_str_eq(handle("Add", "1", "1970"), "it is 41 by now");
    ck_assert_uint_eq(acta_handler_counts(handler)->conflicts, 2);
}
END_TEST

START_TEST(what_a_conflict_cannot_bring_is_read)
{
    others = 1100;
    ck_assert_str_eq(handle("Add", "1", "1"), "it is 2200 by now");
    ck_assert_uint_eq(handled->attempts, 2);
}
END_TEST

/* As when a backup was restored: it has something else in its place. */
static void
replace_database(void)
{
    char listen[64];

    snprintf(listen, sizeof(listen), "--listen=127.0.0.1:%u", rig.port);
    rig_stop(&rig);
    rig_start(&rig, listen, NULL);
    acta_sync_close(other);
    other = connect_to_rig();
    store("Added", "1000", 1);
}

/* Pages are of 4 MiB: one is read, one was asked for, and one is not yet. */
START_TEST(what_is_decided_is_of_one_database)
{
    static char large[1000000] = "1 ";

    memset(large + 2, '-', sizeof(large) - 3);
    for (int i = 0; i < 11; i++) {
        store("Added", large, 1);
    }
    in_fold = replace_database;
    ck_assert_str_eq(handle("Add", "1", "10"), "it is 2000 by now");
    ck_assert_str_eq(handle("Add", "1", "0"), "ok 2");
}
END_TEST

START_TEST(events_without_its_tags_are_no_conflict)
{
    others = 10;
    ck_assert_str_eq(handle("Add", "2", "1"), "ok 11");
    ck_assert_uint_eq(handled->attempts, 1);
}
END_TEST

START_TEST(all_versions_are_read_and_the_newest_is_stored)
{
    store("Added", "3", 1);
    store("Added.v2", "4", 1);
    ck_assert_str_eq(handle("Add", "1", "1991"), "it is 10 by now");
    ck_assert_str_eq(handle("Add", "1", "1990"), "ok 3");
    ck_assert_str_eq(handle("Add", "1", "1"), "it is 2000 by now");
}
END_TEST

START_TEST(version_that_is_not_known_is_told_and_not_passed_over)
{
    store("Added.v3", "4", 1);
    ck_assert_str_eq(handle("Add", "1", "1"), "UNSUPPORTED");
    ck_assert_str_eq(err.text, "event at position 1 of stream others is a "
                               "Added.v3, known up to version 2");
    ck_assert_str_eq(handle("Add", "2", "1"), "ok 2");
}
END_TEST

START_TEST(event_of_a_model_needs_a_stream)
{
    ck_assert_str_eq(handle("AddNowhere", "1", "1"), "INVALID");
    ck_assert_str_eq(err.text, "decision: no stream is named for an event");
}
END_TEST

START_TEST(mistake_in_a_scope_is_told)
{
    ck_assert_str_eq(handle("AddWrong", "unknown", "1"), "INVALID");
    ck_assert_str_eq(err.text, "scope of AddWrong: there is no fold average");
    ck_assert_str_eq(handle("AddWrong", "outside", "1"), "INVALID");
    ck_assert_str_eq(handle("AddWrong", "tag", "1"), "INVALID");
    ck_assert_str_eq(err.text,
                     "scope of AddWrong: a tag comes before its fold");
}
END_TEST

START_TEST(model_has_no_instances)
{
    const void *state;

    ck_assert_int_eq(acta_handler_state(handler, "1", &state, NULL, &err),
                     ACTA_INVALID);
    ck_assert_ptr_null(state);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("decision model");
    TCase *tcase = tcase_create("decision model");
    TCase *rig_tcase = tcase_create("decision model on a server");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_a_conflict_brings_is_decided_from);
    tcase_add_test(tcase, what_a_conflict_cannot_bring_is_read);
    tcase_add_test(tcase, events_without_its_tags_are_no_conflict);
    tcase_add_test(tcase, all_versions_are_read_and_the_newest_is_stored);
    tcase_add_test(tcase,
                   version_that_is_not_known_is_told_and_not_passed_over);
    tcase_add_test(tcase, event_of_a_model_needs_a_stream);
    tcase_add_test(tcase, mistake_in_a_scope_is_told);
    tcase_add_test(tcase, model_has_no_instances);
    suite_add_tcase(suite, rig_tcase);
    tcase_add_checked_fixture(rig_tcase, setup_rig, teardown_rig);
    tcase_add_test(rig_tcase, what_is_decided_is_of_one_database);
    return run_suite(suite);
}
