/* The example of dcb.events: courses with a capacity and students with a limit,
 * as stories, and on a whole server with several who want the last seat.
 */

int example_main(int argc, char **argv);

#define main example_main
#include "../../client/examples/course_subscriptions.c"
#undef main

#include <acta/acta_kit.h>
#include <check.h>
#include <pthread.h>

#include "patient.h"
#include "rig.h"
#include "run.h"

#define SEATS    6
#define THREADS  3
#define STUDENTS 8 /* Of each thread. */

static struct acta_model *model;
static struct acta_kit *kit;

static void
setup(void)
{
    model = subscription_model_new();
    kit = acta_kit_of_model(model);
}

static void
teardown(void)
{
    acta_kit_free(kit);
    acta_model_free(model);
}

/* ---- the words in which the tests are written ---- */

static void
given_course(const char *course, const char *json)
{
    acta_given(kit, "CourseDefined", json);
    acta_kit_tag(kit, "course:%s", course);
}

static void
given_subscribed(const char *course, const char *student)
{
    acta_given(kit, "StudentSubscribed", NULL);
    acta_kit_tag(kit, "course:%s", course);
    acta_kit_tag(kit, "student:%s", student);
}

#define ENDS_WELL() ck_assert_str_eq(acta_kit_end(kit), "")

/* ---- stories ---- */

START_TEST(course_is_defined_once)
{
    given_course("art", "{\"capacity\": 1}");
    acta_when(kit, "DefineCourse", "history", "30");
    acta_then(kit, "CourseDefined", "{\"capacity\": 30}");
    acta_kit_tag(kit, "course:history");
    ENDS_WELL();
    given_course("history", "{\"capacity\": 1}");
    acta_when(kit, "DefineCourse", "history", "30");
    acta_then_refused_field(kit, "is_defined", "course");
    ENDS_WELL();
}
END_TEST

START_TEST(student_gets_a_seat_that_is_left)
{
    given_course("history", "{\"capacity\": 2}");
    given_subscribed("history", "bert");
    given_subscribed("art", "carl");
    acta_when(kit, "Subscribe", "history", "anna");
    acta_then(kit, "StudentSubscribed", NULL);
    acta_kit_tag(kit, "student:anna");
    acta_kit_tag(kit, "course:history");
    ENDS_WELL();
}
END_TEST

START_TEST(course_that_is_full_takes_nobody)
{
    given_course("history", "{\"capacity\": 1}");
    given_subscribed("history", "bert");
    acta_when(kit, "Subscribe", "history", "anna");
    acta_then_refused_field(kit, "course_full", "course");
    ENDS_WELL();
}
END_TEST

START_TEST(capacity_can_change)
{
    given_course("history", "{\"capacity\": 1}");
    given_subscribed("history", "bert");
    acta_given(kit, "CourseCapacityChanged", "{\"capacity\": 2}");
    acta_kit_tag(kit, "course:history");
    acta_when(kit, "Subscribe", "history", "anna");
    acta_then(kit, "StudentSubscribed", NULL);
    ENDS_WELL();
    acta_when(kit, "ChangeCapacity", "history", "2");
    acta_then_refused(kit, "no_course");
    ENDS_WELL();
}
END_TEST

START_TEST(student_takes_so_many_courses_and_no_more)
{
    given_course("history", "{\"capacity\": 9}");
    for (int i = 0; i < COURSES_OF_A_STUDENT_MAX; i++) {
        char course[16];

        snprintf(course, sizeof(course), "course-%d", i);
        given_subscribed(course, "anna");
    }
    acta_when(kit, "Subscribe", "history", "anna");
    acta_then_refused_field(kit, "too_many_courses", "student");
    ENDS_WELL();
}
END_TEST

START_TEST(student_is_in_a_course_once)
{
    given_course("history", "{\"capacity\": 9}");
    given_subscribed("history", "anna");
    acta_when(kit, "Subscribe", "history", "anna");
    acta_then_refused(kit, "is_subscribed");
    ENDS_WELL();
}
END_TEST

START_TEST(tags_are_compared_if_they_are_named)
{
    acta_when(kit, "DefineCourse", "history", "30");
    acta_then(kit, "CourseDefined", "{\"capacity\": 30}");
    acta_kit_tag(kit, "course:art");
    ck_assert_str_eq(acta_kit_end(kit),
                     "event 1 is\n"
                     "    CourseDefined {\"capacity\": 30} #course:history in "
                     "course-history\n"
                     "and not\n"
                     "    CourseDefined {\"capacity\": 30} #course:art");
}
END_TEST

/* ---- on a server ---- */

static char url[64];

struct crowd {
    pthread_t thread;
    unsigned number;
    unsigned subscribed;
    unsigned refused;
    uint64_t conflicts;
};

static struct acta_handler *
open_handler(struct acta_sync **sync)
{
    struct acta_handler_options handling = acta_handler_options_of();
    struct acta_options options = patient_options(url);
    struct acta_handler *handler;
    struct acta_err err;

    handling.attempts_max = THREADS * STUDENTS + 1;
    ck_assert_int_eq(acta_sync_open(sync, &options, &err), ACTA_OK);
    ck_assert_int_eq(
        acta_handler_open_model(&handler, *sync, model, &handling, &err),
        ACTA_OK);
    return handler;
}

static const struct acta_handled *
want(struct acta_handler *handler, const char *type, const char *data,
     const struct acta_id *id)
{
    struct acta_command command =
        acta_command_of(type, "history", data, strlen(data));
    const struct acta_handled *handled;
    struct acta_err err;

    command.id = id;
    ck_assert_msg(acta_handle(handler, &command, &handled, &err) == ACTA_OK,
                  "%s", err.text);
    return handled;
}

static void *
subscribe_all(void *arg)
{
    struct crowd *crowd = arg;
    struct acta_sync *sync;
    struct acta_handler *handler = open_handler(&sync);
    char student[32];

    for (unsigned i = 0; i < STUDENTS; i++) {
        const struct acta_handled *handled;

        snprintf(student, sizeof(student), "%u-%u", crowd->number, i);
        handled = want(handler, "Subscribe", student, NULL);
        crowd->subscribed += handled->refusal == NULL;
        crowd->refused += handled->refusal != NULL;
    }
    crowd->conflicts = acta_handler_counts(handler)->conflicts;
    acta_handler_close(handler);
    acta_sync_close(sync);
    return NULL;
}

static void
start_rig(struct rig *rig)
{
    rig_start(rig, NULL);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig->port);
}

START_TEST(seats_are_never_given_twice)
{
    struct crowd crowds[THREADS] = {{.number = 0}};
    struct acta_handler *handler;
    struct acta_sync *sync;
    unsigned subscribed = 0, refused = 0;
    struct rig rig;

    start_rig(&rig);
    handler = open_handler(&sync);
    ck_assert_ptr_null(want(handler, "DefineCourse", "6", NULL)->refusal);
    for (unsigned i = 0; i < THREADS; i++) {
        crowds[i].number = i;
        ck_assert_int_eq(
            pthread_create(&crowds[i].thread, NULL, subscribe_all, &crowds[i]),
            0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(crowds[i].thread, NULL);
        subscribed += crowds[i].subscribed;
        refused += crowds[i].refused;
    }
    ck_assert_uint_eq(subscribed, SEATS);
    ck_assert_uint_eq(refused, THREADS * STUDENTS - SEATS);
    ck_assert_str_eq(want(handler, "Subscribe", "late", NULL)->refusal->code,
                     "course_full");
    acta_handler_close(handler);
    acta_sync_close(sync);
    rig_stop(&rig);
}
END_TEST

START_TEST(subscription_that_is_sent_again_is_answered_as_at_first)
{
    const struct acta_handled *handled;
    struct acta_handler *handler;
    struct acta_sync *sync;
    struct acta_id id;
    struct rig rig;

    start_rig(&rig);
    handler = open_handler(&sync);
    ck_assert_int_eq(acta_id_new(&id, NULL), ACTA_OK);
    want(handler, "DefineCourse", "1", NULL);
    handled = want(handler, "Subscribe", "anna", &id);
    ck_assert_ptr_null(handled->refusal);
    ck_assert_uint_eq(handled->position, 2);
    handled = want(handler, "Subscribe", "anna", &id);
    ck_assert_ptr_null(handled->refusal);
    ck_assert(handled->repeated);
    ck_assert_uint_eq(handled->position, 2);
    ck_assert_str_eq(want(handler, "Subscribe", "anna", NULL)->refusal->code,
                     "is_subscribed");
    acta_handler_close(handler);
    acta_sync_close(sync);
    rig_stop(&rig);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("course");
    TCase *tcase = tcase_create("course");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, course_is_defined_once);
    tcase_add_test(tcase, student_gets_a_seat_that_is_left);
    tcase_add_test(tcase, course_that_is_full_takes_nobody);
    tcase_add_test(tcase, capacity_can_change);
    tcase_add_test(tcase, student_takes_so_many_courses_and_no_more);
    tcase_add_test(tcase, student_is_in_a_course_once);
    tcase_add_test(tcase, tags_are_compared_if_they_are_named);
    tcase_add_test(tcase, seats_are_never_given_twice);
    tcase_add_test(tcase,
                   subscription_that_is_sent_again_is_answered_as_at_first);
    return run_suite(suite);
}
