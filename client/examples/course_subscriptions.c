/* Students subscribe to courses. A course has a capacity and a student takes
 * only so many courses: one decision needs both, and no stream knows both. It
 * is made from two small folds, one of the course and one of the student.
 *
 *     course_subscriptions acta://127.0.0.1:2282 DefineCourse history 30
 *     course_subscriptions acta://127.0.0.1:2282 ChangeCapacity history 25
 *     course_subscriptions acta://127.0.0.1:2282 Subscribe history anna
 */

#include <acta/acta_decider.h>
#include <stdio.h>
#include <stdlib.h>

#define COURSES_OF_A_STUDENT_MAX 5

/* ---- the domain: a course ---- */

struct course {
    bool is_defined;
    unsigned capacity;
    unsigned subscribed;
};

static bool
on_defined(void *state, const struct acta_event *event)
{
    struct course *course = state;

    course->is_defined = true;
    return sscanf(event->data, "{\"capacity\": %u}", &course->capacity) == 1;
}

static bool
on_capacity_changed(void *state, const struct acta_event *event)
{
    struct course *course = state;

    return sscanf(event->data, "{\"capacity\": %u}", &course->capacity) == 1;
}

static bool
on_seat_taken(void *state, const struct acta_event *event)
{
    struct course *course = state;

    (void)event;
    course->subscribed++;
    return true;
}

/* ---- a student ---- */

struct student {
    unsigned courses;
};

static bool
on_course_taken(void *state, const struct acta_event *event)
{
    struct student *student = state;

    (void)event;
    student->courses++;
    return true;
}

/* ---- both together: a student in a course ---- */

struct pair {
    bool is_subscribed;
};

static bool
on_met(void *state, const struct acta_event *event)
{
    struct pair *pair = state;

    (void)event;
    pair->is_subscribed = true;
    return true;
}

/* ---- decisions ---- */

struct subscription {
    struct course course;
    struct student student;
    struct pair pair;
};

static void
scope_course(const struct acta_command *command, struct acta_scope *scope)
{
    acta_scope_fold(scope, "course", offsetof(struct subscription, course));
    acta_scope_tag(scope, "course:%s", command->target);
}

static void
scope_subscription(const struct acta_command *command, struct acta_scope *scope)
{
    const char *student = command->data;

    scope_course(command, scope);
    acta_scope_fold(scope, "student", offsetof(struct subscription, student));
    acta_scope_tag(scope, "student:%s", student);
    acta_scope_fold(scope, "pair", offsetof(struct subscription, pair));
    acta_scope_tag(scope, "course:%s", command->target);
    acta_scope_tag(scope, "student:%s", student);
}

static void
set_capacity(struct acta_decision *decision, const char *type,
             const struct acta_command *command)
{
    char json[64];

    snprintf(json, sizeof(json), "{\"capacity\": %u}",
             (unsigned)strtoul(command->data, NULL, 10));
    acta_decision_to(decision, "course-%s", command->target);
    acta_decision_json(decision, type, json);
    acta_decision_tag(decision, "course:%s", command->target);
}

static void
define_course(const void *state, const struct acta_command *command,
              struct acta_decision *decision)
{
    const struct subscription *subscription = state;

    if (subscription->course.is_defined) {
        acta_decision_refuse(decision, "is_defined", "course",
                             "there is a course %s already", command->target);
        return;
    }
    set_capacity(decision, "CourseDefined", command);
}

static void
change_capacity(const void *state, const struct acta_command *command,
                struct acta_decision *decision)
{
    const struct subscription *subscription = state;

    if (!subscription->course.is_defined) {
        acta_decision_refuse(decision, "no_course", "course",
                             "there is no course %s", command->target);
        return;
    }
    set_capacity(decision, "CourseCapacityChanged", command);
}

static void
subscribe(const void *state, const struct acta_command *command,
          struct acta_decision *decision)
{
    const struct subscription *subscription = state;
    const struct course *course = &subscription->course;
    const char *student = command->data;

    if (!course->is_defined) {
        acta_decision_refuse(decision, "no_course", "course",
                             "there is no course %s", command->target);
    } else if (subscription->pair.is_subscribed) {
        acta_decision_refuse(decision, "is_subscribed", "student",
                             "%s is in the course already", student);
    } else if (course->subscribed >= course->capacity) {
        acta_decision_refuse(decision, "course_full", "course",
                             "all %u seats are taken", course->capacity);
    } else if (subscription->student.courses >= COURSES_OF_A_STUDENT_MAX) {
        acta_decision_refuse(decision, "too_many_courses", "student",
                             "%s is in %u courses already", student,
                             subscription->student.courses);
    } else {
        acta_decision_to(decision, "course-%s", command->target);
        acta_decision_json(decision, "StudentSubscribed", NULL);
        acta_decision_tag(decision, "course:%s", command->target);
        acta_decision_tag(decision, "student:%s", student);
    }
}

static struct acta_model *
subscription_model_new(void)
{
    struct acta_model *model = acta_model_new(sizeof(struct subscription));

    acta_model_on_event(model, "course", "CourseDefined", on_defined);
    acta_model_on_event(model, "course", "CourseCapacityChanged",
                        on_capacity_changed);
    acta_model_on_event(model, "course", "StudentSubscribed", on_seat_taken);
    acta_model_on_event(model, "student", "StudentSubscribed", on_course_taken);
    acta_model_on_event(model, "pair", "StudentSubscribed", on_met);
    acta_model_on_command(model, "DefineCourse", scope_course, define_course);
    acta_model_on_command(model, "ChangeCapacity", scope_course,
                          change_capacity);
    acta_model_on_command(model, "Subscribe", scope_subscription, subscribe);
    return model;
}

/* ---- the program ---- */

int
main(int argc, char **argv)
{
    struct acta_model *model = subscription_model_new();
    const struct acta_handled *handled;
    struct acta_handler *handler = NULL;
    struct acta_err err = {ACTA_OK, ""};
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_command command;

    if (argc != 5) {
        fprintf(stderr,
                "usage: %s acta://HOST:PORT DefineCourse|ChangeCapacity COURSE "
                "CAPACITY\n       %s acta://HOST:PORT Subscribe COURSE "
                "STUDENT\n",
                argv[0], argv[0]);
        acta_model_free(model);
        return EXIT_FAILURE;
    }
    options = acta_options_of(argv[1]);
    options.name = "example course_subscriptions";
    command = acta_command_of(argv[2], argv[3], argv[4], strlen(argv[4]));
    if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
        acta_handler_open_model(&handler, sync, model, NULL, &err) == ACTA_OK &&
        acta_handle(handler, &command, &handled, &err) == ACTA_OK) {
        printf("%s\n",
               handled->refusal == NULL ? "done" : handled->refusal->text);
    }
    if (err.code != ACTA_OK) {
        fprintf(stderr, "%s: %s\n", argv[0], err.text);
    }
    acta_handler_close(handler);
    acta_sync_close(sync);
    acta_model_free(model);
    return err.code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
