/* What services ask besides: what became of a command, whether a consumer has
 * come to where something was appended, and how it says it goes.
 */

#include <acta/acta_consumer.h>
#include <acta/acta_sync.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "patient.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static char url[64];
static struct acta_sync *sync_;
static struct acta_err err;

static struct acta_sync *
connect_to_it(void)
{
    struct acta_options options = patient_options(url);
    struct acta_sync *opened;

    ck_assert_msg(acta_sync_open(&opened, &options, &err) == ACTA_OK, "%s",
                  err.text);
    return opened;
}

static void
setup(void)
{
    rig_start(&rig, NULL);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    sync_ = connect_to_it();
}

static void
teardown(void)
{
    acta_sync_close(sync_);
    rig_stop(&rig);
}

/* ---- the words in which the tests are written ---- */

/* Store @count events. Returns the position of the last. */
static uint64_t
store(const char *stream, size_t count, const struct acta_id *command)
{
    struct acta_draft draft = acta_draft_of("Happened", "data", 4);
    struct acta_append *append = acta_append_new();
    const struct acta_appended *appended;

    acta_append_stream(append, stream, ACTA_EXPECT_ANY);
    for (size_t i = 0; i < count; i++) {
        acta_append_event(append, &draft);
    }
    if (command != NULL) {
        acta_append_command_id(append, command);
    }
    ck_assert_msg(acta_sync_append(sync_, append, &appended, &err) == ACTA_OK,
                  "%s", err.text);
    acta_append_free(append);
    return appended->position;
}

static uint64_t
claim(void)
{
    const struct acta_consumer_changed *changed;

    ck_assert_msg(acta_sync_claim(sync_, "totals", NULL, 0, &changed, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    return changed->epoch;
}

static void
move(struct acta_sync *by, uint64_t epoch, uint64_t to)
{
    struct acta_append *append = acta_append_new();

    acta_append_checkpoint(append, "totals", epoch, ACTA_FROM_ANY, to);
    ck_assert_msg(acta_sync_append(by, append, NULL, &err) == ACTA_OK, "%s",
                  err.text);
    acta_append_free(append);
}

static const struct acta_consumer *
described(void)
{
    const struct acta_consumer_description *description;

    ck_assert_msg(acta_sync_describe_consumer(sync_, "totals", &description,
                                              &err) == ACTA_OK,
                  "%s", err.text);
    return description->consumer;
}

static enum acta_code
wait_for(uint64_t position, uint64_t wait_ms)
{
    return acta_sync_wait_for(sync_, "totals", position, wait_ms, &err);
}

/* ---- commands ---- */

START_TEST(command_is_found_with_what_it_has_stored)
{
    const struct acta_appended *found;
    struct acta_id id;

    ck_assert_int_eq(acta_id_new(&id, &err), ACTA_OK);
    store("order-1", 2, NULL);
    store("order-1", 3, &id);
    store("order-1", 1, NULL);
    ck_assert_int_eq(acta_sync_find_command(sync_, &id, &found, &err), ACTA_OK);
    ck_assert(found->repeated);
    ck_assert(found->by_command);
    ck_assert_uint_eq(found->runs_count, 1);
    ck_assert_uint_eq(found->runs[0]->first_version, 3);
    ck_assert_uint_eq(found->runs[0]->first_position, 3);
    ck_assert_uint_eq(found->runs[0]->count, 3);
    ck_assert_uint_eq(found->position, 5);
    ck_assert_uint_eq(found->version, 5);
}
END_TEST

START_TEST(command_that_nobody_gave_is_not_found)
{
    const struct acta_appended *found;
    struct acta_id id;

    ck_assert_int_eq(acta_id_new(&id, &err), ACTA_OK);
    store("order-1", 1, NULL);
    ck_assert_int_eq(acta_sync_find_command(sync_, &id, &found, &err),
                     ACTA_NOT_FOUND);
    ck_assert_uint_eq(found->runs_count, 0);
}
END_TEST

/* ---- waiting ---- */

START_TEST(consumer_that_is_there_is_not_waited_for)
{
    uint64_t position = store("order-1", 2, NULL);

    move(sync_, claim(), position);
    ck_assert_int_eq(wait_for(position, 0), ACTA_OK);
    ck_assert_int_eq(wait_for(position - 1, 60000), ACTA_OK);
}
END_TEST

START_TEST(consumer_that_is_not_there_in_time_is_told)
{
    uint64_t position = store("order-1", 2, NULL);

    move(sync_, claim(), position - 1);
    ck_assert_int_eq(wait_for(position, 0), ACTA_TIMEOUT);
    ck_assert_int_eq(wait_for(position, 1), ACTA_TIMEOUT);
}
END_TEST

START_TEST(consumer_that_there_is_none_of_is_not_found)
{
    ck_assert_int_eq(wait_for(0, 60000), ACTA_NOT_FOUND);
    ck_assert_int_eq(acta_sync_wait_for(sync_, "", 0, 0, &err), ACTA_INVALID);
    ck_assert_int_eq(wait_for(0, 24 * 3600 * 1000 + 1), ACTA_TOO_LARGE);
}
END_TEST

struct mover {
    struct acta_sync *sync;
    uint64_t epoch;
    uint64_t to;
};

static void *
move_on(void *arg)
{
    struct mover *mover = arg;

    for (uint64_t i = 1; i <= mover->to; i++) {
        move(mover->sync, mover->epoch, i);
    }
    return NULL;
}

START_TEST(who_waits_is_told_when_the_consumer_comes_there)
{
    struct mover mover = {.sync = connect_to_it(), .epoch = claim()};
    pthread_t thread;

    mover.to = store("order-1", 100, NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, move_on, &mover), 0);
    ck_assert_msg(wait_for(mover.to, 60000) == ACTA_OK, "%s", err.text);
    ck_assert_uint_eq(described()->position, mover.to);
    pthread_join(thread, NULL);
    acta_sync_close(mover.sync);
}
END_TEST

/* ---- notes ---- */

START_TEST(note_is_shown_with_the_consumer_until_the_next)
{
    uint64_t epoch = claim();

    ck_assert_str_eq(described()->note, "");
    ck_assert_uint_eq(described()->note_us, 0);
    ck_assert_int_eq(
        acta_sync_note_consumer(sync_, "totals", epoch, "running\nwell", &err),
        ACTA_OK);
    ck_assert_str_eq(described()->note, "running\nwell");
    ck_assert_uint_gt(described()->note_us, 0);
    ck_assert_int_eq(acta_sync_note_consumer(sync_, "totals", epoch, "", &err),
                     ACTA_OK);
    ck_assert_str_eq(described()->note, "");
}
END_TEST

START_TEST(note_is_for_the_one_whose_epoch_it_is)
{
    uint64_t before = claim();
    uint64_t epoch = claim();
    char text[1026];

    ck_assert_int_eq(
        acta_sync_note_consumer(sync_, "totals", before, "late", &err),
        ACTA_FENCED);
    memset(text, 'x', sizeof(text));
    text[1025] = '\0';
    ck_assert_int_eq(
        acta_sync_note_consumer(sync_, "totals", epoch, text, &err),
        ACTA_TOO_LARGE);
    text[1024] = '\0';
    ck_assert_int_eq(
        acta_sync_note_consumer(sync_, "totals", epoch, text, &err), ACTA_OK);
    ck_assert_str_eq(described()->note, text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("waits");
    TCase *tcase = tcase_create("waits");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, command_is_found_with_what_it_has_stored);
    tcase_add_test(tcase, command_that_nobody_gave_is_not_found);
    tcase_add_test(tcase, consumer_that_is_there_is_not_waited_for);
    tcase_add_test(tcase, consumer_that_is_not_there_in_time_is_told);
    tcase_add_test(tcase, consumer_that_there_is_none_of_is_not_found);
    tcase_add_test(tcase, who_waits_is_told_when_the_consumer_comes_there);
    tcase_add_test(tcase, note_is_shown_with_the_consumer_until_the_next);
    tcase_add_test(tcase, note_is_for_the_one_whose_epoch_it_is);
    return run_suite(suite);
}
