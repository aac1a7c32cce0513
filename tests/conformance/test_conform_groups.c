/* Groups and their workers, in memory and on a server. */

#include <stdio.h>
#include <string.h>

#include "msg.h"
#include "opcode.h"
#include "wire.h"
#include "words.h"

#define SLOTS 10

static void
create(unsigned given, uint64_t ack_timeout_us, uint64_t deliveries_max,
       enum acta_on_park on_park)
{
    struct acta_group group = acta_group_of(given);

    group.ack_timeout_us = ack_timeout_us;
    group.deliveries_max = deliveries_max;
    group.on_park = on_park;
    group.key_tag = "key:";
    expect(ACTA_OK,
           acta_sync_create_group(place.sync, "g", &group, NULL, &place.err));
}

/* Events for keys, one a letter. */
static void
store_keys(const char *keys)
{
    struct acta_append *append = write_to(NULL, "a", ACTA_EXPECT_ANY);

    for (; *keys != '\0'; keys++) {
        char tag[] = "key:?";

        tag[4] = *keys;
        add(append, "Job", tag + 4, tag, NULL);
    }
    send_it(append, ACTA_OK);
}

static struct acta_worker *
work(struct acta_sync *sync, size_t slots)
{
    struct acta_join join = acta_join_of("g", slots);
    struct acta_worker *worker;

    join.member = "worker";
    expect(ACTA_OK, acta_worker_open(&worker, sync, &join, &place.err));
    return worker;
}

/* The next event, which must be at a position. */
static const struct acta_handed *
next(struct acta_worker *worker, uint64_t position, uint64_t deliveries)
{
    const struct acta_handed *handed;

    expect(ACTA_OK,
           acta_worker_next(worker, PLACE_PATIENCE_MS, &handed, &place.err));
    ck_assert_uint_eq(handed->event->position, position);
    ck_assert_uint_eq(handed->deliveries, deliveries);
    return handed;
}

static void
ack(struct acta_worker *worker, uint64_t position, uint64_t deliveries)
{
    acta_worker_ack(worker, next(worker, position, deliveries)->number);
}

static void
settle(struct acta_worker *worker)
{
    expect(ACTA_OK, acta_worker_settle(worker, &place.err));
}

/* Nothing is to come: what was taken back here is dropped, and what was settled
 * told.
 */
static void
idle(struct acta_worker *worker)
{
    const struct acta_handed *handed;

    expect(ACTA_TIMEOUT, acta_worker_next(worker, 0, &handed, &place.err));
}

/* What is parked, as text: "1 key:x parked why, 3 key:x behind ". */
static const char *
parked_text(void)
{
    static const char *const states[] = {"parked", "behind", "replayed"};
    const struct acta_parked_page *page;
    static char text[1024];
    size_t size = 0;

    expect(ACTA_OK,
           acta_sync_list_parked(place.sync, "g", 0, 0, &page, &place.err));
    text[0] = '\0';
    for (size_t i = 0; i < page->parked_count; i++) {
        const struct acta_parked *parked = page->parked[i];

        size += (size_t)snprintf(text + size, sizeof(text) - size,
                                 "%s%ju %s %s %s", i == 0 ? "" : ", ",
                                 (uintmax_t)parked->position, parked->key,
                                 states[parked->state], parked->reason);
    }
    return text;
}

static struct acta_consumer
describe(void)
{
    const struct acta_consumer_description *told;

    expect(ACTA_OK,
           acta_sync_describe_consumer(place.sync, "g", &told, &place.err));
    return *told->consumer;
}

/* ---- handing out ---- */

START_TEST(events_are_handed_out_and_acked)
{
    struct acta_worker *worker;
    struct acta_consumer told;

    place_begin(_i);
    store_keys("xyx");
    create(0, 0, 0, 0);
    told = describe();
    ck_assert_int_eq(told.kind, ACTA_CONSUMER_GROUP);
    ck_assert_uint_eq(told.lag_matching, 3);
    ck_assert_str_eq(told.key_tag, "key:");
    ck_assert_uint_eq(told.ack_timeout_us, 30000000);
    ck_assert_uint_eq(told.deliveries_max, 10);
    worker = work(place.sync, SLOTS);
    ack(worker, 1, 1);
    acta_worker_skip(worker, next(worker, 2, 1)->number);
    settle(worker);
    told = describe();
    ck_assert_uint_eq(told.in_hand, 1);
    ck_assert_uint_eq(told.connected, 1);
    ck_assert_uint_eq(told.position, 2);
    ck_assert_uint_eq(told.lag_events, 1);
    acta_worker_ack_up_to(worker, next(worker, 3, 1)->number);
    settle(worker);
    ck_assert_uint_eq(describe().position, 3);
    store_keys("z");
    ack(worker, 4, 1);
    acta_worker_close(worker);
    ck_assert_uint_eq(describe().connected, 0);
    place_end();
}
END_TEST

START_TEST(a_key_is_in_one_hand_and_what_is_left_behind_comes_again)
{
    struct acta_worker *first, *second;
    const struct acta_handed *handed;
    struct acta_sync *other;

    place_begin(_i);
    create(0, 0, 0, 0);
    first = work(place.sync, SLOTS);
    store_keys("xxx");
    next(first, 1, 1);
    next(first, 2, 1);
    other = place_client();
    second = work(other, SLOTS);
    expect(ACTA_TIMEOUT, acta_worker_next(second, 0, &handed, &place.err));
    acta_worker_close(first);
    handed = next(second, 1, 2);
    ck_assert_uint_gt(handed->fence, 0);
    acta_worker_ack(second, handed->number);
    ack(second, 2, 2);
    ack(second, 3, 2);
    settle(second);
    acta_sync_close(other);
    place_end();
}
END_TEST

START_TEST(what_is_retried_comes_again_and_holds_its_key)
{
    struct acta_worker *worker;

    place_begin(_i);
    create(ACTA_GROUP_DELIVERIES_MAX, 0, 2, 0);
    worker = work(place.sync, SLOTS);
    store_keys("xyx");
    acta_worker_retry(worker, next(worker, 1, 1)->number, 20);
    ack(worker, 2, 1);
    if (place.memory != NULL) { /* Elsewhere the time does not wait. */
        idle(worker);
    }
    place_pass_ms(20);
    acta_worker_retry(worker, next(worker, 1, 2)->number, 0);
    idle(worker); /* That was once too often. */
    settle(worker);
    ck_assert_str_eq(parked_text(),
                     "1 key:x parked to be retried, at delivery 2, "
                     "3 key:x behind ");
    ck_assert_uint_eq(describe().position, 3);
    ck_assert_uint_eq(describe().parked, 2);
    acta_worker_close(worker);
    place_end();
}
END_TEST

START_TEST(what_is_not_answered_in_time_comes_again)
{
    struct acta_worker *worker;

    place_begin(_i);
    create(ACTA_GROUP_ACK_TIMEOUT, 50000, 0, 0);
    worker = work(place.sync, SLOTS);
    store_keys("x");
    next(worker, 1, 1);
    place_pass_ms(50);
    next(worker, 1, 2);
    acta_worker_close(worker);
    place_end();
}
END_TEST

/* ---- parking ---- */

START_TEST(what_is_parked_is_replayed_or_dropped_and_then_the_next)
{
    struct acta_worker *worker;
    uint64_t position = 1, count;

    place_begin(_i);
    create(0, 0, 0, 0);
    worker = work(place.sync, SLOTS);
    store_keys("xxyx");
    acta_worker_park(worker, next(worker, 1, 1)->number, "poison");
    ack(worker, 3, 1);
    idle(worker);
    settle(worker);
    ck_assert_str_eq(parked_text(), "1 key:x parked poison, 2 key:x behind , "
                                    "4 key:x behind ");
    expect(ACTA_OK, acta_sync_replay_parked(place.sync, "g", &position, 1,
                                            &count, &place.err));
    ck_assert_uint_eq(count, 1);
    acta_worker_park(worker, next(worker, 1, 2)->number, "still");
    settle(worker);
    position = 2; /* It waits for another. */
    expect(ACTA_OK, acta_sync_replay_parked(place.sync, "g", &position, 1,
                                            &count, &place.err));
    ck_assert_uint_eq(count, 0);
    expect(ACTA_OK,
           acta_sync_drop_parked(place.sync, "g", NULL, 0, &count, &place.err));
    ck_assert_uint_ge(count, 1);
    place_end();
}
END_TEST

START_TEST(behind_a_parked_one_others_go_on_if_they_may)
{
    struct acta_worker *worker;
    uint64_t count;

    place_begin(_i);
    create(ACTA_GROUP_ON_PARK, 0, 0, ACTA_PARK_GOES_ON);
    worker = work(place.sync, SLOTS);
    store_keys("xx");
    acta_worker_park(worker, next(worker, 1, 1)->number, NULL);
    ack(worker, 2, 1);
    settle(worker);
    ck_assert_str_eq(parked_text(), "1 key:x parked ");
    expect(ACTA_OK, acta_sync_replay_parked(place.sync, "g", NULL, 0, &count,
                                            &place.err));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(parked_text(), "1 key:x replayed ");
    ack(worker, 1, 2);
    settle(worker);
    ck_assert_str_eq(parked_text(), "");
    place_end();
}
END_TEST

/* ---- changes ---- */

START_TEST(groups_are_paused_reset_altered_and_deleted)
{
    struct acta_group alter = acta_group_of(ACTA_GROUP_DELIVERIES_MAX);
    const struct acta_consumer_changed *changed;
    const struct acta_handed *handed;
    struct acta_worker *worker;
    enum acta_code code;

    place_begin(_i);
    create(0, 0, 0, 0);
    create(0, 0, 0, 0); /* The same again. */
    worker = work(place.sync, SLOTS);
    expect(ACTA_OK,
           acta_sync_pause_group(place.sync, "g", &changed, &place.err));
    ck_assert(changed->changed);
    store_keys("x");
    expect(ACTA_TIMEOUT, acta_worker_next(worker, 0, &handed, &place.err));
    ck_assert(describe().is_paused);
    expect(ACTA_OK, acta_sync_resume_group(place.sync, "g", NULL, &place.err));
    ack(worker, 1, 1);
    settle(worker);
    expect(ACTA_OK,
           acta_sync_reset_consumer(place.sync, "g", 0, NULL, &place.err));
    next(worker, 1, 1);
    alter.deliveries_max = 3;
    expect(ACTA_OK, acta_sync_alter_group(place.sync, "g", &alter, &changed,
                                          &place.err));
    ck_assert(changed->changed);
    ck_assert_uint_eq(describe().deliveries_max, 3);
    expect(ACTA_EXISTS,
           acta_sync_claim(place.sync, "g", NULL, 0, NULL, &place.err));
    expect(ACTA_OK,
           acta_sync_delete_consumer(place.sync, "g", NULL, &place.err));
    do {
        code = acta_worker_next(worker, PLACE_PATIENCE_MS, &handed, &place.err);
    } while (code == ACTA_OK);
    expect(ACTA_NOT_FOUND, code);
    acta_worker_close(worker);
    expect(ACTA_NOT_FOUND,
           acta_sync_list_parked(place.sync, "g", 0, 0,
                                 &(const struct acta_parked_page *){NULL},
                                 &place.err));
    place_end();
}
END_TEST

START_TEST(a_group_is_joined_and_not_subscribed_to)
{
    const struct acta_consumer_changed *changed;
    struct acta_group group = acta_group_of(0);
    struct msg_subscribe wanted = {
        .query = QUERY_ALL,
        .credit = 1000,
        .consumer = slice_of("g"),
    };
    struct wire wire;

    place_begin(_i);
    expect(ACTA_OK, acta_sync_create_group(place.sync, "g", &group, &changed,
                                           &place.err));
    wanted.epoch = changed->epoch;
    wire_open(&wire);
    msg_subscribe_encode(&wire.peer.out, 2, &wanted);
    wire_send(&wire);
    wire_expect_error(&wire, 2, ACTA_INVALID);
    wanted.epoch++;
    msg_subscribe_encode(&wire.peer.out, 3, &wanted);
    wire_send(&wire);
    wire_expect_error(&wire, 3, ACTA_FENCED);
    wire_close(&wire);
    place_end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conform_groups");
    TCase *tcase = tcase_create("conform_groups");

#define CASE(name) tcase_add_loop_test(tcase, name, 0, PLACES)
    CASE(events_are_handed_out_and_acked);
    CASE(a_key_is_in_one_hand_and_what_is_left_behind_comes_again);
    CASE(what_is_retried_comes_again_and_holds_its_key);
    CASE(what_is_not_answered_in_time_comes_again);
    CASE(what_is_parked_is_replayed_or_dropped_and_then_the_next);
    CASE(behind_a_parked_one_others_go_on_if_they_may);
    CASE(groups_are_paused_reset_altered_and_deleted);
    CASE(a_group_is_joined_and_not_subscribed_to);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
