/* Trees of causes and effects, without a server. */

#include "trace.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static struct trace trace;

static void
setup(void)
{
    trace_init(&trace);
}

static void
teardown(void)
{
    trace_fini(&trace);
}

/* ---- the words of the tests: events are named by a number above 0 ---- */

static struct acta_id
id_of(unsigned number)
{
    struct acta_id id = {{0}};

    memcpy(id.bytes + 12, &number, sizeof(number));
    return id;
}

/* An event of this id at a position, caused by another; 0: by none. */
static void
add_at(uint64_t position, unsigned number, unsigned cause)
{
    struct acta_id id = id_of(number);
    struct acta_id causation_id = id_of(cause);
    struct acta_event event = {
        .position = position,
        .version = 1,
        .time_us = position * 1000,
        .stream = "order-42",
        .type = "Happened",
        .id = &id,
        .causation_id = cause == 0 ? NULL : &causation_id,
    };

    ck_assert(trace_add(&trace, &event));
}

/* At the position of its own number. */
static void
add(unsigned number, unsigned cause)
{
    add_at(number, number, cause);
}

static void
add_command(unsigned number)
{
    struct acta_id id = id_of(number);

    ck_assert(trace_add_command(&trace, &id));
}

/* Link, and write down all nodes in order: "1 .2 ..3 4" is 1 with its effect 2,
 * of which 3 is one, and 4. A node that is no event has its id in brackets, one
 * that was cut from its cause a mark.
 */
static const char *
trees(void)
{
    static char text[4096];
    size_t used = 0;

    text[0] = '\0';
    ck_assert(trace_link(&trace));
    for (size_t at = trace.first; at != TRACE_NONE;
         at = trace_next(&trace, at)) {
        const struct trace_node *node = &trace.nodes[at];
        bool is_event = node->kind == TRACE_EVENT;
        unsigned number;

        memcpy(&number, node->id.bytes + 12, sizeof(number));
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
                                 used == 0 ? "" : " ");
        for (size_t i = 0; i < node->depth; i++) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, ".");
        }
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u%s%s",
                                 is_event                      ? ""
                                 : node->kind == TRACE_COMMAND ? "[command "
                                                               : "[",
                                 number, is_event ? "" : "]",
                                 node->is_cut ? "!" : "");
        ck_assert_uint_lt(used, sizeof(text));
    }
    return text;
}

START_TEST(nothing_makes_no_tree)
{
    ck_assert_str_eq(trees(), "");
}
END_TEST

START_TEST(effects_stand_below_their_cause_in_order)
{
    add(1, 0);
    add(2, 1);
    add(3, 2);
    add(4, 1);
    ck_assert_str_eq(trees(), "1 .2 ..3 .4");
}
END_TEST

START_TEST(the_order_in_which_events_are_added_does_not_matter)
{
    add(4, 1);
    add(3, 2);
    add(2, 1);
    add(1, 0);
    ck_assert_str_eq(trees(), "1 .2 ..3 .4");
}
END_TEST

START_TEST(an_event_that_is_added_twice_is_there_once)
{
    add(1, 0);
    add(1, 0);
    ck_assert_str_eq(trees(), "1");
}
END_TEST

START_TEST(several_roots_come_in_their_order)
{
    add(3, 0);
    add(1, 0);
    add(4, 1);
    add(2, 0);
    ck_assert_str_eq(trees(), "1 .4 2 3");
}
END_TEST

START_TEST(effects_of_a_cause_that_is_no_event_stay_together)
{
    add(2, 100);
    add(3, 0);
    add(4, 100);
    add(5, 200);
    add_command(200);
    ck_assert_str_eq(trees(), "[100] .2 .4 3 [command 200] .5");
}
END_TEST

START_TEST(missing_causes_are_named)
{
    struct acta_id missing = id_of(100);
    size_t at = 0;

    add(1, 0);
    add(2, 1);
    add(3, 100);
    ck_assert_mem_eq(trace_missing(&trace, &at), &missing, sizeof(missing));
    ck_assert_ptr_null(trace_missing(&trace, &at));
}
END_TEST

START_TEST(a_cause_of_several_events_is_the_last_before_the_effect)
{
    add_at(1, 7, 0);
    add_at(3, 7, 0);
    add_at(5, 7, 0);
    add_at(4, 9, 7);
    ck_assert_str_eq(trees(), "7 7 .9 7");
}
END_TEST

START_TEST(a_cause_may_come_behind_its_effect)
{
    int64_t delay_us;

    add(1, 2);
    add(2, 0);
    ck_assert_str_eq(trees(), "2 .1");
    ck_assert(trace_delay(&trace, 0, &delay_us));
    ck_assert_int_eq(delay_us, -1000);
    ck_assert(!trace_delay(&trace, 1, &delay_us));
}
END_TEST

START_TEST(a_circle_is_cut_where_it_begins_first)
{
    add(2, 4);
    add(3, 2);
    add(4, 3);
    add(5, 4);
    add(1, 0);
    ck_assert_str_eq(trees(), "1 2! .3 ..4 ...5");
}
END_TEST

START_TEST(an_event_that_caused_itself_is_a_circle)
{
    add(1, 1);
    add(2, 1);
    ck_assert_str_eq(trees(), "1! .2");
}
END_TEST

START_TEST(two_circles_are_both_cut)
{
    add(1, 2);
    add(2, 1);
    add(3, 4);
    add(4, 3);
    ck_assert_str_eq(trees(), "1! .2 3! .4");
}
END_TEST

/* A chain, a fan and a circle of so many, each event in one tree once. */
#define MANY 5000

enum shape {
    CHAIN,
    FAN,
    CIRCLE,
    SHAPES,
};

static unsigned
cause_of(enum shape shape, unsigned number)
{
    if (number == 1) {
        return shape == CIRCLE ? MANY : 0;
    }
    return shape == FAN ? 1 : number - 1;
}

START_TEST(thousands_of_effects_are_all_there_once)
{
    enum shape shape = (enum shape)_i;
    uint64_t last = 0;
    size_t count = 0;

    for (unsigned i = MANY; i > 0; i--) {
        add(i, cause_of(shape, i));
    }
    ck_assert(trace_link(&trace));
    for (size_t at = trace.first; at != TRACE_NONE;
         at = trace_next(&trace, at)) {
        ck_assert_uint_eq(trace.nodes[at].position, last + 1);
        ck_assert_uint_eq(trace.nodes[at].depth,
                          shape == FAN ? last > 0 : last);
        last = trace.nodes[at].position;
        count++;
    }
    ck_assert_uint_eq(count, MANY);
}
END_TEST

/* Any causes at all: each event is in one tree once, and has its own cause in
 * front of it unless it was cut.
 */
START_TEST(any_causes_make_trees)
{
    unsigned seed = 17 + (unsigned)_i;
    const unsigned events = 200;
    bool seen[256] = {false};
    unsigned causes[256];
    size_t count = 0;

    printf("seed %u\n", seed);
    srand(seed);
    for (unsigned i = 1; i <= events; i++) {
        causes[i] = (unsigned)rand() % 230;
        add(i, causes[i]);
    }
    ck_assert(trace_link(&trace));
    for (size_t at = trace.first; at != TRACE_NONE;
         at = trace_next(&trace, at)) {
        const struct trace_node *node = &trace.nodes[at];
        size_t cause = node->cause;

        if (node->kind != TRACE_EVENT) {
            ck_assert_uint_eq(node->depth, 0);
            continue;
        }
        ck_assert(!seen[node->position]);
        seen[node->position] = true;
        count++;
        if (cause == TRACE_NONE) {
            ck_assert(node->is_cut || causes[node->position] == 0);
            ck_assert_uint_eq(node->depth, 0);
        } else {
            ck_assert_mem_eq(&trace.nodes[cause].id, &node->causation_id,
                             sizeof(node->causation_id));
            ck_assert_uint_eq(node->depth, trace.nodes[cause].depth + 1);
        }
    }
    ck_assert_uint_eq(count, events);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("trace");
    TCase *tcase = tcase_create("trace");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 600);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_makes_no_tree);
    tcase_add_test(tcase, effects_stand_below_their_cause_in_order);
    tcase_add_test(tcase, the_order_in_which_events_are_added_does_not_matter);
    tcase_add_test(tcase, an_event_that_is_added_twice_is_there_once);
    tcase_add_test(tcase, several_roots_come_in_their_order);
    tcase_add_test(tcase, effects_of_a_cause_that_is_no_event_stay_together);
    tcase_add_test(tcase, missing_causes_are_named);
    tcase_add_test(tcase,
                   a_cause_of_several_events_is_the_last_before_the_effect);
    tcase_add_test(tcase, a_cause_may_come_behind_its_effect);
    tcase_add_test(tcase, a_circle_is_cut_where_it_begins_first);
    tcase_add_test(tcase, an_event_that_caused_itself_is_a_circle);
    tcase_add_test(tcase, two_circles_are_both_cut);
    tcase_add_loop_test(tcase, thousands_of_effects_are_all_there_once, 0,
                        SHAPES);
    tcase_add_loop_test(tcase, any_causes_make_trees, 0, 50);
    return run_suite(suite);
}
