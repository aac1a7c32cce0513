/* Subscriptions against a reader of this file, which hands out a script: what
 * a database would do is not in question here.
 */

#include "sub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer.h"
#include "limit.h"
#include "msg.h"
#include "row.h"
#include "run.h"
#include "sub_set.h"

#define RECORD_SIZE 100

/* The database: positions up to the head, of which every @every-th matches, in
 * records of RECORD_SIZE bytes of nonsense. A read looks at up to @steps_max
 * positions.
 */
static struct {
    uint64_t head;
    uint64_t every;
    uint64_t steps_max;
    uint64_t reads;
    uint64_t broken_at; /* Position of a damaged record; 0: none. */
    uint64_t epoch;     /* Of the consumer "mailer"; 0: there is none. */
} world;

enum acta_code
reader_read_all(struct reader *reader, const struct query *query, uint64_t from,
                bool backward, const struct read_bounds *bounds,
                struct buf *out, struct read_result *result,
                struct acta_err *err)
{
    static const uint8_t record[RECORD_SIZE];
    uint64_t end = world.head;
    uint64_t steps = 0;
    uint64_t size = 0;

    (void)reader;
    (void)query;
    ck_assert(!backward);
    world.reads++;
    if (bounds->last > 0 && bounds->last < end) {
        end = bounds->last;
    }
    *result = (struct read_result){.next = from, .head = world.head};
    while (result->next < end && steps < world.steps_max) {
        uint64_t position = result->next + 1;

        if (position == world.broken_at) {
            return acta_fail(err, ACTA_CORRUPT, "position %ju is damaged",
                             (uintmax_t)position);
        }
        if (position % world.every == 0) {
            if (result->events_count > 0 &&
                (size + RECORD_SIZE > bounds->bytes_max ||
                 result->events_count == bounds->events_max)) {
                break;
            }
            buf_append(out, record, sizeof(record));
            size += RECORD_SIZE;
            result->events_count++;
        }
        result->next = position;
        steps++;
    }
    result->at_end = result->next == end;
    return ACTA_OK;
}

enum acta_code
reader_get_row(struct reader *reader, enum row_kind kind, struct slice key,
               struct buf *copy, bool *found, struct acta_err *error)
{
    struct checkpoint_row row = {.epoch = world.epoch};

    (void)reader;
    (void)error;
    ck_assert_int_eq(kind, ROW_CHECKPOINT);
    ck_assert(slice_equal(key, slice_of("mailer")));
    world.reads++;
    *found = world.epoch > 0;
    if (*found) {
        checkpoint_encode(copy, &row);
    }
    return ACTA_OK;
}

static struct named named;
static struct buf out;
static struct sub *sub;
static struct acta_err err;
static const struct read_bounds step = {.events_max = 1000,
                                        .bytes_max = 10 * RECORD_SIZE};

static void
setup(void)
{
    buf_init(&out, 1 << 30);
    world.head = 0;
    world.every = 1;
    world.steps_max = 1000;
    world.broken_at = 0;
    named_init(&named);
}

static void
teardown(void)
{
    sub_free(sub);
    sub = NULL;
    named_fini(&named);
    buf_fini(&out);
}

static void
subscribe(uint64_t after, uint64_t credit)
{
    struct msg_subscribe subscribe = {
        .query = QUERY_ALL, .after = after, .credit = credit};

    sub = sub_new(7, &subscribe, &named);
    ck_assert_ptr_nonnull(sub);
}

static enum sub_next
take_step(void)
{
    return sub_step(sub, NULL, &step, &out, &err);
}

/* Go on until it waits for something; returns the steps it took. */
static unsigned
run_until_it_waits(void)
{
    unsigned steps = 1;

    while (take_step() == SUB_GO_ON) {
        steps++;
        ck_assert_uint_lt(steps, 1000000);
    }
    return steps;
}

/* What was sent since the last call, in words: "3..5" is a delivery of three
 * events that moves the position to 5.
 */
static const char *
sent(void)
{
    static char words[65536];
    size_t size = 0;

    words[0] = '\0';
    while (buf_size(&out) > 0) {
        struct msg_delivery delivery;
        uint64_t number = 0;
        struct frame frame;
        size_t used;

        ck_assert_int_eq(frame_decode(&frame, &used, buf_slice(&out),
                                      ACTA_FRAME_SIZE_MAX, NULL),
                         ACTA_OK);
        ck_assert_uint_gt(used, 0);
        ck_assert_uint_eq(frame.request_id, 7);
        if (frame.kind == OP_DELIVERY) {
            /* The records are nonsense: only what is before can be read. */
            struct pack_reader reader;

            pack_reader_init(&reader, frame.body, NULL);
            pack_get_array(&reader, "body");
            delivery.position = pack_get_uint(&reader, "position");
            pack_get_uint(&reader, "head");
            delivery.events_count = pack_get_array(&reader, "events");
            size += (size_t)snprintf(words + size, sizeof(words) - size,
                                     "%s%zu..%ju", size > 0 ? " " : "",
                                     delivery.events_count,
                                     (uintmax_t)delivery.position);
        } else {
            ck_assert_int_eq(
                msg_number_decode(&number, frame.kind, frame.body, NULL),
                ACTA_OK);
            size +=
                (size_t)snprintf(words + size, sizeof(words) - size, "%s%s@%ju",
                                 size > 0 ? " " : "", opcode_text(frame.kind),
                                 (uintmax_t)number);
        }
        buf_consume(&out, used);
    }
    return words;
}

START_TEST(empty_database_is_caught_up_at_once)
{
    subscribe(0, 1000);
    ck_assert_int_eq(take_step(), SUB_WAIT);
    ck_assert_str_eq(sent(), "caught-up@0");
}
END_TEST

START_TEST(history_comes_in_steps_and_then_caught_up)
{
    world.head = 25;
    subscribe(0, UINT64_MAX);
    ck_assert_uint_eq(run_until_it_waits(), 3);
    ck_assert_str_eq(sent(), "10..10 10..20 5..25 caught-up@25");
}
END_TEST

START_TEST(live_events_follow_without_further_words)
{
    world.head = 5;
    subscribe(5, UINT64_MAX);
    take_step();
    sent();
    for (int i = 0; i < 3; i++) {
        world.head++;
        ck_assert_int_eq(take_step(), SUB_WAIT);
    }
    ck_assert_str_eq(sent(), "1..6 1..7 1..8");
}
END_TEST

/* Of which the last is also where all others who live are. */
static enum sub_next
take_step_to(uint64_t last)
{
    struct read_bounds bounds = step;

    bounds.last = last;
    return sub_step(sub, NULL, &bounds, &out, &err);
}

START_TEST(who_lives_gets_what_is_up_to_the_end_that_is_given)
{
    world.head = 5;
    subscribe(5, UINT64_MAX);
    take_step();
    sent();
    world.head = 12;
    ck_assert_int_eq(take_step_to(8), SUB_WAIT);
    ck_assert_str_eq(sent(), "3..8");
    world.reads = 0;
    ck_assert_int_eq(take_step_to(8), SUB_WAIT);
    ck_assert_uint_eq(world.reads, 0);
    ck_assert_str_eq(sent(), "");
    ck_assert_int_eq(take_step_to(12), SUB_WAIT);
    ck_assert_str_eq(sent(), "4..12");
}
END_TEST

START_TEST(who_is_in_history_goes_on_to_the_head)
{
    world.head = 25;
    subscribe(0, UINT64_MAX);
    ck_assert_int_eq(take_step_to(5), SUB_GO_ON);
    ck_assert_int_eq(take_step_to(5), SUB_GO_ON);
    ck_assert_int_eq(take_step_to(5), SUB_WAIT);
    ck_assert_str_eq(sent(), "10..10 10..20 5..25 caught-up@25");
}
END_TEST

START_TEST(nothing_is_sent_or_read_without_credit)
{
    world.head = 5;
    subscribe(0, 0);
    world.reads = 0;
    ck_assert_int_eq(take_step(), SUB_NO_CREDIT);
    sub_tell_position(sub, world.head, &out);
    ck_assert_uint_eq(world.reads, 0);
    ck_assert_str_eq(sent(), "");
}
END_TEST

START_TEST(credit_bounds_what_is_sent)
{
    world.head = 100;
    subscribe(0, 3 * RECORD_SIZE);
    ck_assert_int_eq(take_step(), SUB_NO_CREDIT);
    ck_assert_str_eq(sent(), "3..3");
    sub_add_credit(sub, 2 * RECORD_SIZE);
    ck_assert_int_eq(take_step(), SUB_NO_CREDIT);
    ck_assert_str_eq(sent(), "2..5");
}
END_TEST

START_TEST(event_over_the_credit_is_sent_and_counts_against_later_credit)
{
    world.head = 100;
    subscribe(0, 1);
    ck_assert_int_eq(take_step(), SUB_NO_CREDIT);
    ck_assert_str_eq(sent(), "1..1");
    sub_add_credit(sub, RECORD_SIZE - 1);
    ck_assert_int_eq(take_step(), SUB_NO_CREDIT);
    ck_assert_str_eq(sent(), "");
    sub_add_credit(sub, 1);
    ck_assert_int_eq(take_step(), SUB_NO_CREDIT);
    ck_assert_str_eq(sent(), "1..2");
}
END_TEST

START_TEST(credit_does_not_overflow)
{
    world.head = 1;
    subscribe(0, UINT64_MAX);
    sub_add_credit(sub, UINT64_MAX);
    sub_add_credit(sub, 1);
    ck_assert_int_eq(sub->credit, INT64_MAX);
    ck_assert_int_eq(take_step(), SUB_WAIT);
}
END_TEST

START_TEST(position_over_events_that_do_not_match_is_told_once)
{
    world.every = 1000;
    world.head = 5;
    subscribe(5, 1000);
    take_step();
    sent();
    world.head = 50;
    ck_assert_int_eq(take_step(), SUB_WAIT);
    ck_assert_str_eq(sent(), "");
    sub_tell_position(sub, world.head, &out);
    ck_assert_str_eq(sent(), "0..50");
    sub_tell_position(sub, world.head, &out);
    ck_assert_str_eq(sent(), "");
    ck_assert_int_eq(sub->credit, 1000);
}
END_TEST

START_TEST(long_search_goes_on_in_steps)
{
    world.every = 5000;
    world.head = 10000;
    subscribe(0, UINT64_MAX);
    ck_assert_uint_eq(run_until_it_waits(), 10);
    ck_assert_str_eq(sent(), "1..5000 1..10000 caught-up@10000");
}
END_TEST

/* However it is divided into commits, what one append can hold is no reason to
 * say that the subscriber has fallen behind.
 */
START_TEST(largest_append_does_not_make_it_flap)
{
    subscribe(0, UINT64_MAX);
    take_step();
    ck_assert_str_eq(sent(), "caught-up@0");
    for (int i = 0; i < 3; i++) {
        world.head += ACTA_APPEND_EVENTS_MAX;
        run_until_it_waits();
        ck_assert_ptr_null(strstr(sent(), "@"));
    }
}
END_TEST

START_TEST(falling_behind_is_told_once_and_so_is_catching_up_again)
{
    subscribe(0, UINT64_MAX);
    take_step();
    sent();
    world.head = ACTA_APPEND_EVENTS_MAX + 21;
    ck_assert_int_eq(take_step(), SUB_GO_ON);
    ck_assert_str_eq(sent(), "10..10 fell-behind@10");
    ck_assert_int_eq(take_step(), SUB_GO_ON);
    ck_assert_str_eq(sent(), "10..20");
    run_until_it_waits();
    ck_assert_ptr_nonnull(strstr(sent(), "caught-up@10021"));
    world.head++;
    ck_assert_int_eq(take_step(), SUB_WAIT);
    ck_assert_str_eq(sent(), "1..10022");
}
END_TEST

START_TEST(damage_ends_it_and_leaves_no_half_delivery)
{
    world.head = 20;
    world.broken_at = 14;
    subscribe(0, UINT64_MAX);
    ck_assert_int_eq(take_step(), SUB_GO_ON);
    ck_assert_str_eq(sent(), "10..10");
    ck_assert_int_eq(take_step(), SUB_FAILED);
    ck_assert_int_eq(err.code, ACTA_CORRUPT);
    ck_assert_str_eq(sent(), "");
    ck_assert_uint_eq(sub->position, 10);
}
END_TEST

/* ---- named ---- */

static struct sub *
subscribe_as(const char *name, uint64_t epoch)
{
    struct msg_subscribe subscribe = {
        .query = QUERY_ALL, .consumer = slice_of(name), .epoch = epoch};
    struct sub *new = sub_new(7, &subscribe, &named);

    ck_assert_ptr_nonnull(new);
    return new;
}

START_TEST(epoch_of_its_consumer_is_the_right_one_until_it_is_over)
{
    sub = subscribe_as("mailer", 3);
    world.epoch = 3;
    ck_assert_int_eq(sub_check(sub, NULL, &err), ACTA_OK);
    world.epoch = 4;
    ck_assert_int_eq(sub_check(sub, NULL, &err), ACTA_FENCED);
    ck_assert_str_eq(err.text, "consumer \"mailer\" is in epoch 4, not 3");
    world.epoch = 0;
    ck_assert_int_eq(sub_check(sub, NULL, &err), ACTA_NOT_FOUND);
    ck_assert_str_eq(err.text, "there is no consumer \"mailer\"");
}
END_TEST

START_TEST(without_a_name_there_is_nothing_to_check)
{
    uint64_t reads = world.reads;

    subscribe(0, 1);
    ck_assert_int_eq(sub_check(sub, NULL, &err), ACTA_OK);
    ck_assert_uint_eq(world.reads, reads);
}
END_TEST

START_TEST(those_with_one_name_are_counted_together)
{
    struct sub *second;

    sub = subscribe_as("mailer", 3);
    ck_assert_uint_eq(named_count(&named, slice_of("mailer")), 1);
    ck_assert_uint_eq(named_count(&named, slice_of("mail")), 0);
    second = subscribe_as("mailer", 4);
    ck_assert_uint_eq(named_count(&named, slice_of("mailer")), 2);
    sub_free(second);
    ck_assert_uint_eq(named_count(&named, slice_of("mailer")), 1);
    sub_free(sub);
    sub = NULL;
    ck_assert_uint_eq(named_count(&named, slice_of("mailer")), 0);
}
END_TEST

START_TEST(a_thousand_names_are_told_apart)
{
    struct sub *subs[1000];
    char name[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        subs[i] = subscribe_as(name, 1);
    }
    for (int i = 0; i < 1000; i += 2) {
        sub_free(subs[i]);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        ck_assert_uint_eq(named_count(&named, slice_of(name)),
                          (uintmax_t)i % 2);
    }
    for (int i = 1; i < 1000; i += 2) {
        sub_free(subs[i]);
    }
}
END_TEST

/* ---- sets ---- */

static struct sub_set set;

static void
add(uint64_t request_id, uint64_t credit)
{
    struct msg_subscribe subscribe = {.query = QUERY_ALL, .credit = credit};
    struct sub *added = sub_new(request_id, &subscribe, &named);

    ck_assert_ptr_nonnull(added);
    ck_assert_int_eq(sub_set_add(&set, added), ACTA_OK);
}

static uint64_t
take_id(void)
{
    struct sub *taken = sub_set_take_ready(&set);

    return taken == NULL ? 0 : taken->request_id;
}

START_TEST(set_finds_what_was_added_and_not_removed)
{
    sub_set_init(&set);
    ck_assert_ptr_null(sub_set_find(&set, 1));
    for (uint64_t id = 1; id <= ACTA_SUBSCRIPTIONS_MAX; id++) {
        add(id * 1000, 1);
    }
    for (uint64_t id = 1; id <= ACTA_SUBSCRIPTIONS_MAX; id += 2) {
        sub_set_remove(&set, sub_set_find(&set, id * 1000));
    }
    ck_assert_uint_eq(set.count, ACTA_SUBSCRIPTIONS_MAX / 2);
    for (uint64_t id = 1; id <= ACTA_SUBSCRIPTIONS_MAX; id++) {
        ck_assert_int_eq(sub_set_find(&set, id * 1000) != NULL, id % 2 == 0);
    }
    ck_assert_uint_eq(take_id(), 2000);
    sub_set_fini(&set);
    ck_assert_uint_eq(set.count, 0);
}
END_TEST

START_TEST(set_knows_the_memory_of_its_subscriptions)
{
    struct slice name = slice_of("order-1");
    struct query_item item = {
        .fields[QUERY_STREAMS] = {.texts = &name, .count = 1}};
    struct msg_subscribe subscribe = {
        .query = {.items = &item, .items_count = 1}};
    size_t query = query_size(&subscribe.query);
    struct pack_reader reader;
    struct buf bytes;

    sub_set_init(&set);
    add(1, 1);
    ck_assert_uint_eq(set.size, sizeof(struct sub));
    buf_init(&bytes, SIZE_MAX);
    query_encode(&bytes, &subscribe.query);
    pack_reader_init(&reader, buf_slice(&bytes), &err);
    query_decode(&reader, &subscribe.query);
    buf_fini(&bytes);
    ck_assert_int_eq(sub_set_add(&set, sub_new(2, &subscribe, &named)),
                     ACTA_OK);
    ck_assert_uint_eq(set.size, 2 * sizeof(struct sub) + query);
    sub_set_remove(&set, sub_set_find(&set, 1));
    ck_assert_uint_eq(set.size, sizeof(struct sub) + query);
    sub_set_fini(&set);
    ck_assert_uint_eq(set.size, 0);
}
END_TEST

START_TEST(turns_go_round_robin)
{
    sub_set_init(&set);
    add(1, 1);
    add(2, 1);
    add(3, 1);
    ck_assert_uint_eq(take_id(), 1);
    sub_set_make_ready(&set, sub_set_find(&set, 1));
    sub_set_make_ready(&set, sub_set_find(&set, 1));
    ck_assert_uint_eq(take_id(), 2);
    ck_assert_uint_eq(take_id(), 3);
    ck_assert_uint_eq(take_id(), 1);
    ck_assert_uint_eq(take_id(), 0);
    sub_set_fini(&set);
}
END_TEST

START_TEST(removed_in_the_middle_of_the_row_has_no_turn)
{
    sub_set_init(&set);
    add(1, 1);
    add(2, 1);
    add(3, 1);
    sub_set_remove(&set, sub_set_find(&set, 3));
    sub_set_remove(&set, sub_set_find(&set, 1));
    add(4, 1);
    ck_assert_uint_eq(take_id(), 2);
    ck_assert_uint_eq(take_id(), 4);
    ck_assert_uint_eq(take_id(), 0);
    sub_set_fini(&set);
}
END_TEST

START_TEST(commit_wakes_those_with_credit_and_events_before_them)
{
    sub_set_init(&set);
    add(1, 1);
    add(2, 0);
    add(3, 1);
    while (take_id() != 0) {
    }
    sub_set_find(&set, 3)->position = 9;
    sub_set_wake(&set, 9);
    ck_assert_uint_eq(take_id(), 1);
    ck_assert_uint_eq(take_id(), 0);
    sub_set_fini(&set);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sub");
    TCase *tcase = tcase_create("sub");
    TCase *sets = tcase_create("set");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, empty_database_is_caught_up_at_once);
    tcase_add_test(tcase, history_comes_in_steps_and_then_caught_up);
    tcase_add_test(tcase, live_events_follow_without_further_words);
    tcase_add_test(tcase, who_lives_gets_what_is_up_to_the_end_that_is_given);
    tcase_add_test(tcase, who_is_in_history_goes_on_to_the_head);
    tcase_add_test(tcase, nothing_is_sent_or_read_without_credit);
    tcase_add_test(tcase, credit_bounds_what_is_sent);
    tcase_add_test(
        tcase, event_over_the_credit_is_sent_and_counts_against_later_credit);
    tcase_add_test(tcase, credit_does_not_overflow);
    tcase_add_test(tcase, position_over_events_that_do_not_match_is_told_once);
    tcase_add_test(tcase, long_search_goes_on_in_steps);
    tcase_add_test(tcase, largest_append_does_not_make_it_flap);
    tcase_add_test(tcase,
                   falling_behind_is_told_once_and_so_is_catching_up_again);
    tcase_add_test(tcase, damage_ends_it_and_leaves_no_half_delivery);

    tcase_add_test(tcase,
                   epoch_of_its_consumer_is_the_right_one_until_it_is_over);
    tcase_add_test(tcase, without_a_name_there_is_nothing_to_check);
    tcase_add_test(tcase, those_with_one_name_are_counted_together);
    tcase_add_test(tcase, a_thousand_names_are_told_apart);

    suite_add_tcase(suite, sets);
    tcase_add_checked_fixture(sets, setup, teardown);
    tcase_add_test(sets, set_finds_what_was_added_and_not_removed);
    tcase_add_test(sets, set_knows_the_memory_of_its_subscriptions);
    tcase_add_test(sets, turns_go_round_robin);
    tcase_add_test(sets, removed_in_the_middle_of_the_row_has_no_turn);
    tcase_add_test(sets, commit_wakes_those_with_credit_and_events_before_them);
    return run_suite(suite);
}
