/* What one group does with events, answers and time, told in examples. */

#include "group.h"

#include <check.h>
#include <stdlib.h>

#include "alloc.h"
#include "group_scene.h"
#include "limit.h"
#include "run.h"

/* ---- handing out ---- */

START_TEST(nothing_is_handed_out_before_fences_are_durable)
{
    scene_append(1);
    ck_assert_ptr_nonnull(group_join(scene.group, 1, slice_of("a"), NULL));
    ck_assert_int_eq(group_begin(scene.group, NULL), ACTA_OK);
    ck_assert_uint_eq(group_wants(scene.group), 0);

    ck_assert(group_save_is_due(scene.group));
    (void)scene_save();
    ck_assert_int_eq(group_begin(scene.group, NULL), ACTA_OK);
    ck_assert_uint_gt(group_wants(scene.group), 0);
}
END_TEST

START_TEST(events_of_a_key_are_handed_out_in_order_to_one_member)
{
    scene_append_times(1, 3);
    (void)scene_join("a", 10);
    (void)scene_join("b", 10);
    ck_assert_uint_eq(scene.handed_count, 3);
    for (size_t i = 0; i < 3; i++) {
        scene_assert_handed(i, "a", i + 1, 1);
    }
}
END_TEST

START_TEST(a_member_gets_no_more_than_its_slots)
{
    struct group_member *member;

    for (unsigned i = 0; i < 5; i++) {
        scene_append(i);
    }
    member = scene_join("a", 2);
    ck_assert_uint_eq(scene.handed_count, 2);
    ck_assert_int_eq(scene_answer(member, MSG_ACK, 1), ACTA_OK);
    ck_assert_uint_eq(scene.handed_count, 3);
    scene_assert_handed(2, "a", 3, 1);
}
END_TEST

START_TEST(another_member_takes_keys_of_one_that_is_full)
{
    scene_append(1);
    scene_append(2);
    (void)scene_join("a", 1);
    (void)scene_join("b", 1);
    ck_assert_uint_eq(scene.handed_count, 2);
    scene_assert_handed(0, "a", 1, 1);
    scene_assert_handed(1, "b", 2, 1);
}
END_TEST

START_TEST(a_key_with_an_event_in_hand_waits_for_its_member)
{
    struct group_member *a;

    scene_append_times(1, 2);
    a = scene_join("a", 1);
    (void)scene_join("b", 1);
    ck_assert_uint_eq(scene.handed_count, 1);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_uint_eq(scene.handed_count, 2);
    scene_assert_handed(1, "a", 2, 1);
}
END_TEST

START_TEST(a_key_goes_back_to_its_member)
{
    struct group_member *a;

    scene_append(1);
    a = scene_join("a", 10);
    (void)scene_join("b", 10);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    scene_append(1);
    scene_run();
    scene_assert_handed(1, "a", 2, 1);
}
END_TEST

START_TEST(the_key_may_be_a_tag)
{
    scene.consumer.settings.key_tag = slice_of("tag:");
    scene_restart();
    scene_append_times(1, 2);
    scene_append(2);
    (void)scene_join("a", 1);
    (void)scene_join("b", 1);
    ck_assert_uint_eq(scene.handed_count, 2);
    scene_assert_handed(1, "b", 3, 1);
}
END_TEST

START_TEST(nothing_is_handed_out_while_it_is_paused)
{
    struct group_member *a;

    scene_append(1);
    scene_append(2);
    a = scene_join("a", 1);
    scene.consumer.is_paused = true;
    group_set(scene.group, &scene.consumer);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_uint_eq(scene.handed_count, 1);
    scene.consumer.is_paused = false;
    group_set(scene.group, &scene.consumer);
    scene_run();
    scene_assert_handed(1, "a", 2, 1);
}
END_TEST

/* What waits for a slot for long is not kept, and fetched again then. */
START_TEST(what_is_hidden_while_it_waits_is_done)
{
    struct group_member *a;

    scene_append_times(1, 3);
    a = scene_join("a", 3);
    scene.log.events[2].is_hidden = true;
    ck_assert_int_eq(scene_answer(a, MSG_RETRY, 0), ACTA_OK);
    scene_pass_time(100);
    ck_assert_uint_eq(scene.handed_count, 5);
    scene_assert_handed(3, "a", 1, 2);
    scene_assert_handed(4, "a", 3, 2);
    ck_assert_int_eq(scene_answer(a, MSG_ACK_UP_TO, 4), ACTA_OK);
    ck_assert_uint_eq(group_figures(scene.group).position, 3);
}
END_TEST

START_TEST(what_is_damaged_while_it_waits_is_parked)
{
    struct group_member *a;
    enum msg_parked_state state;

    scene_append(1);
    a = scene_join("a", 3);
    scene.log.events[1].is_damaged = true;
    ck_assert_int_eq(scene_answer(a, MSG_RETRY, 0), ACTA_OK);
    scene_pass_time(100);
    ck_assert_uint_eq(scene.handed_count, 1);
    ck_assert(group_parked_state(scene.group, 1, &state));
    ck_assert_int_eq(state, MSG_PARKED);
}
END_TEST

START_TEST(what_is_before_a_damaged_record_is_taken)
{
    static const uint8_t damaged[512];
    struct slice page[30];

    for (unsigned i = 0; i < 30; i++) {
        scene_append(i);
        page[i] = log_record(&scene.log, i + 1);
        ck_assert_uint_le(page[i].size, sizeof(damaged));
        if (i == 20) {
            page[i].data = damaged;
        }
    }
    ck_assert_ptr_nonnull(group_join(scene.group, 100, slice_of("a"), NULL));
    (void)scene_save();
    ck_assert_int_eq(group_begin(scene.group, NULL), ACTA_OK);
    ck_assert_int_eq(group_add_all(scene.group, page, 30, NULL), ACTA_CORRUPT);
    ck_assert_uint_eq(group_read_to(scene.group), 20);
    ck_assert_uint_eq(scene.handed_count, 20);
    for (size_t i = 0; i < 20; i++) {
        ck_assert_uint_eq(scene.handed[i].position, i + 1);
    }
}
END_TEST

/* ---- answers ---- */

START_TEST(an_answer_counts_once)
{
    struct group_member *a;

    scene_append(1);
    a = scene_join("a", 1);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_FENCED);
}
END_TEST

START_TEST(the_answer_of_another_member_is_refused)
{
    struct group_member *b;

    scene_append(1);
    (void)scene_join("a", 1);
    b = scene_join("b", 1);
    ck_assert_int_eq(scene_answer(b, MSG_ACK, 0), ACTA_FENCED);
}
END_TEST

START_TEST(an_answer_under_an_older_fence_is_refused)
{
    struct group_member *a;

    scene_append(1);
    a = scene_join("a", 1);
    ck_assert_int_eq(scene_answer(a, MSG_RETRY, 0), ACTA_OK);
    scene_pass_time(100);
    ck_assert_uint_eq(scene.handed_count, 2);
    ck_assert_uint_gt(scene.handed[1].fence, scene.handed[0].fence);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_FENCED);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 1), ACTA_OK);
}
END_TEST

START_TEST(ack_up_to_takes_what_was_handed_out_before)
{
    struct group_member *a;
    uint64_t settled;
    uint64_t ticket;

    for (unsigned i = 0; i < 5; i++) {
        scene_append(i);
    }
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 1), ACTA_OK);
    ck_assert_int_eq(scene_settle(a, MSG_ACK_UP_TO, 3, &settled, &ticket),
                     ACTA_OK);
    ck_assert_uint_eq(settled, 3);
    ck_assert_uint_eq(group_figures(scene.group).in_hand, 1);
    ck_assert_uint_eq(group_figures(scene.group).position, 4);
}
END_TEST

START_TEST(what_is_behind_a_retry_is_taken_back)
{
    struct group_member *a;

    scene_append_times(1, 2);
    scene_append(2);
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_RETRY, 0), ACTA_OK);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 1), ACTA_FENCED);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 2), ACTA_OK);
    scene_pass_time(99);
    ck_assert_uint_eq(scene.handed_count, 3);
    scene_pass_time(1);
    scene_assert_handed(3, "a", 1, 2);
    scene_assert_handed(4, "a", 2, 2);
}
END_TEST

START_TEST(what_is_retried_too_often_is_parked)
{
    struct group_member *a;
    enum msg_parked_state state;

    scene_append(1);
    a = scene_join("a", 1);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(scene_answer(a, MSG_RETRY, i), ACTA_OK);
        scene_pass_time(100);
    }
    ck_assert_uint_eq(scene.handed_count, 3);
    ck_assert(group_parked_state(scene.group, 1, &state));
}
END_TEST

/* ---- members that go ---- */

START_TEST(what_a_member_had_goes_to_others_in_order)
{
    struct group_member *a;

    scene_append_times(1, 3);
    a = scene_join("a", 10);
    (void)scene_join("b", 10);
    scene_leave(a, true);
    ck_assert_uint_eq(scene.handed_count, 6);
    for (size_t i = 0; i < 3; i++) {
        scene_assert_handed(3 + i, "b", i + 1, 2);
        ck_assert_uint_gt(scene.handed[3 + i].fence, scene.handed[i].fence);
    }
}
END_TEST

START_TEST(dying_with_it_counts_and_leaving_does_not)
{
    enum msg_parked_state state;

    scene_append(1);
    for (int i = 0; i < 5; i++) {
        scene_leave(scene_join("a", 1), false);
    }
    ck_assert(!group_parked_state(scene.group, 1, &state));
    for (int i = 0; i < 3; i++) {
        ck_assert(!group_parked_state(scene.group, 1, &state));
        scene_leave(scene_join("a", 1), true);
    }
    ck_assert(group_parked_state(scene.group, 1, &state));
}
END_TEST

START_TEST(what_is_not_answered_in_time_goes_to_another)
{
    struct group_member *a;

    scene_append_times(1, 2);
    a = scene_join("a", 10);
    (void)scene_join("b", 10);
    scene_pass_time(SCENE_TIMEOUT_US - 1);
    ck_assert_uint_eq(scene.handed_count, 2);
    scene_pass_time(1);
    scene_assert_handed(2, "b", 1, 2);
    scene_assert_handed(3, "b", 2, 2);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_FENCED);
}
END_TEST

START_TEST(a_member_that_sleeps_gets_nothing_until_it_answers)
{
    struct group_member *a;
    struct group_member *b;

    scene_append(1);
    a = scene_join("a", 10);
    b = scene_join("b", 1);
    scene_pass_time(SCENE_TIMEOUT_US);
    scene_assert_handed(1, "b", 1, 2);
    scene_append(2);
    scene_run();
    ck_assert_uint_eq(scene.handed_count, 2); /* b is full. */
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_FENCED);
    scene_assert_handed(2, "a", 2, 1);
    ck_assert_int_eq(scene_answer(b, MSG_ACK, 1), ACTA_OK);
}
END_TEST

START_TEST(if_all_sleep_all_get_events)
{
    scene_append(1);
    (void)scene_join("a", 10);
    scene_pass_time(SCENE_TIMEOUT_US);
    scene_assert_handed(1, "a", 1, 2);
}
END_TEST

START_TEST(a_shorter_time_out_counts_for_what_is_in_hand)
{
    scene_append(1);
    (void)scene_join("a", 1);
    scene.consumer.settings.ack_timeout_us = 10;
    group_set(scene.group, &scene.consumer);
    scene_pass_time(10);
    scene_assert_handed(1, "a", 1, 2);
}
END_TEST

/* ---- parked events ---- */

START_TEST(what_is_behind_a_parked_event_waits_for_it)
{
    struct group_member *a;
    enum msg_parked_state state;

    scene_append_times(1, 2);
    scene_append(2);
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_PARK, 0), ACTA_OK);
    scene_append(1);
    scene_run();
    ck_assert_uint_eq(scene.handed_count, 3);
    ck_assert(group_parked_state(scene.group, 1, &state));
    ck_assert_int_eq(state, MSG_PARKED);
    ck_assert(group_parked_state(scene.group, 2, &state));
    ck_assert_int_eq(state, MSG_PARKED_BEHIND);
    ck_assert(group_parked_state(scene.group, 4, &state));
    ck_assert_int_eq(state, MSG_PARKED_BEHIND);
    ck_assert_uint_eq(group_figures(scene.group).parked, 3);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 1), ACTA_FENCED);
}
END_TEST

START_TEST(nothing_waits_if_the_group_goes_on)
{
    struct group_member *a;

    scene.consumer.settings.on_park = MSG_PARK_GOES_ON;
    group_set(scene.group, &scene.consumer);
    scene_append_times(1, 2);
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_PARK, 0), ACTA_OK);
    scene_append(1);
    scene_run();
    scene_assert_handed(2, "a", 3, 1);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 1), ACTA_OK);
    ck_assert_uint_eq(group_figures(scene.group).parked, 1);
}
END_TEST

START_TEST(a_replayed_event_stays_parked_until_it_is_acked)
{
    struct group_member *a;
    enum msg_parked_state state;

    scene_append_times(1, 2);
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_PARK, 0), ACTA_OK);
    ck_assert(group_replay(scene.group, 1));
    scene_run();
    ck_assert_uint_eq(scene.handed_count, 3);
    ck_assert(group_parked_state(scene.group, 1, &state));
    ck_assert_int_eq(state, MSG_PARKED_REPLAYED);
    ck_assert(!group_replay(scene.group, 1));

    ck_assert_int_eq(scene_answer(a, MSG_ACK, 2), ACTA_OK);
    ck_assert(!group_parked_state(scene.group, 1, &state));
    scene_assert_handed(3, "a", 2, 2);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 3), ACTA_OK);
    ck_assert_uint_eq(group_figures(scene.group).parked, 0);
}
END_TEST

/* It is still to be loaded when more is replayed than the group may have wait.
 */
START_TEST(what_is_replayed_does_not_shut_out_what_is_pending)
{
    struct parked parked = {.deliveries = 3, .key = slice_of("key-1")};
    struct group_member *a;

    scene.consumer.settings.on_park = MSG_PARK_GOES_ON;
    scene_restart();
    scene_append(1);
    (void)scene_join("a", 1);
    (void)scene_save(); /* It is pending. */
    scene_restart();
    scene.handed_count = 0;
    scene_append(1);
    for (uint64_t i = 0; i < ACTA_GROUP_PENDING_MAX; i++) {
        ck_assert_int_eq(group_load_parked(scene.group, 2 + i, &parked, NULL),
                         ACTA_OK);
    }
    ck_assert_uint_eq(group_replay_all(scene.group), ACTA_GROUP_PENDING_MAX);

    a = scene_join("a", 1);
    ck_assert_uint_eq(scene.handed_count, 1);
    scene_assert_handed(0, "a", 1, 2);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_uint_eq(scene.handed_count, 2);
    scene_assert_handed(1, "a", 2, 4);
}
END_TEST

START_TEST(what_waited_behind_a_dropped_event_goes_on)
{
    struct group_member *a;
    uint64_t ticket;

    scene_append_times(1, 2);
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_PARK, 0), ACTA_OK);
    ck_assert(!group_drop(scene.group, 2, &ticket));
    ck_assert(!group_replay(scene.group, 2));
    ck_assert(group_drop(scene.group, 1, &ticket));
    ck_assert(!group_drop(scene.group, 1, &ticket));
    scene_run();
    scene_assert_handed(2, "a", 2, 2);
}
END_TEST

START_TEST(all_are_replayed_or_dropped_but_those_behind)
{
    struct group_member *a;
    uint64_t ticket;

    for (unsigned i = 0; i < 6; i++) {
        scene_append(i % 3);
    }
    a = scene_join("a", 10);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(scene_answer(a, MSG_PARK, i), ACTA_OK);
    }
    ck_assert_uint_eq(group_figures(scene.group).parked, 6);
    ck_assert_uint_eq(group_replay_all(scene.group), 3);
    ck_assert_uint_eq(group_replay_all(scene.group), 0);
    scene_run();
    for (size_t i = 6; i < 9; i++) {
        ck_assert_int_eq(scene_answer(a, MSG_PARK, i), ACTA_OK);
    }
    ck_assert_uint_eq(group_drop_all(scene.group, &ticket), 3);
    scene_run();
    ck_assert_uint_eq(scene.handed_count, 12);
    ck_assert_int_eq(scene_answer(a, MSG_ACK_UP_TO, 11), ACTA_OK);
    ck_assert_uint_eq(group_figures(scene.group).parked, 0);
    ck_assert_uint_eq(group_figures(scene.group).position, 6);
}
END_TEST

/* ---- saving ---- */

START_TEST(a_park_is_durable_when_its_ticket_is)
{
    struct group_member *a;
    uint64_t settled;
    uint64_t ticket;

    scene_append(1);
    a = scene_join("a", 1);
    ck_assert_int_eq(scene_settle(a, MSG_PARK, 0, &settled, &ticket), ACTA_OK);
    ck_assert_uint_gt(ticket, group_ticket(scene.group));
    ck_assert_uint_eq(group_figures(scene.group).position, 0);
    ck_assert(group_save_is_due(scene.group));
    ck_assert_int_eq(scene_take_save(), 1);
    ck_assert(!group_save_is_due(scene.group));
    ck_assert_uint_gt(ticket, group_ticket(scene.group));
    group_saved(scene.group, true);
    ck_assert_uint_le(ticket, group_ticket(scene.group));
    ck_assert_uint_eq(group_figures(scene.group).position, 1);
}
END_TEST

/* A group of its name that was deleted may have given out those before. */
START_TEST(a_group_begins_behind_its_number)
{
    scene.consumer.number = UINT64_C(1) << 52;
    scene_restart();
    scene_append(1);
    (void)scene_join("a", 1);
    ck_assert_uint_gt(scene.handed[0].fence, scene.consumer.number);
}
END_TEST

/* Also if it was parked a moment ago, and is not on disk as such. */
START_TEST(a_drop_is_durable_when_its_ticket_is)
{
    struct group_member *a;
    uint64_t settled, ticket;

    for (unsigned i = 0; i < 3; i++) {
        scene_append(i);
    }
    a = scene_join("a", 3);
    ck_assert_int_eq(scene_answer(a, MSG_PARK, 0), ACTA_OK);
    for (size_t i = 1; i < 3; i++) {
        ck_assert_int_eq(scene_settle(a, MSG_PARK, i, &settled, &ticket),
                         ACTA_OK);
    }
    ck_assert(group_drop(scene.group, 3, &ticket));
    ck_assert_uint_gt(ticket, group_ticket(scene.group));
    ck_assert_uint_eq(group_drop_all(scene.group, &ticket), 2);
    ck_assert_uint_gt(ticket, group_ticket(scene.group));
    (void)scene_save();
    ck_assert_uint_le(ticket, group_ticket(scene.group));
    scene_restart();
    ck_assert_uint_eq(group_figures(scene.group).position, 3);
}
END_TEST

START_TEST(a_save_that_was_refused_is_made_again)
{
    struct group_member *a;

    scene_append_times(1, 2);
    a = scene_join("a", 2);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    group_saved(scene.group, (scene_take_save(), true));
    group_reset(scene.group, 2, 0);
    scene_run();
    ck_assert_int_eq(scene_answer(a, MSG_PARK, 2), ACTA_OK);
    group_reset(scene.group, 3, 0);
    ck_assert_int_eq(scene_take_save(), 0); /* It was saved by scene_run(). */
    group_saved(scene.group, false);
    ck_assert(group_save_is_due(scene.group));
    ck_assert_uint_eq(scene.checkpoint.epoch, 3);
}
END_TEST

START_TEST(after_a_kill_what_was_not_saved_comes_again)
{
    struct group_member *a;

    for (unsigned i = 0; i < 4; i++) {
        scene_append(i);
    }
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 1), ACTA_OK);
    (void)scene_save();
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 2), ACTA_OK);
    scene_restart();
    (void)scene_join("b", 10);
    ck_assert_uint_eq(scene.handed_count, 7);
    scene_assert_handed(4, "b", 1, 2);
    scene_assert_handed(5, "b", 3, 2);
    scene_assert_handed(6, "b", 4, 2);
    ck_assert_uint_gt(scene.handed[4].fence, scene.handed[3].fence);
}
END_TEST

START_TEST(its_row_has_the_position_of_the_lowest_not_done)
{
    struct group_member *a;
    uint64_t position;

    for (unsigned i = 0; i < 4; i++) {
        scene_append(i);
    }
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 3), ACTA_OK);
    (void)scene_save();
    ck_assert_int_eq(group_row_position(&scene.checkpoint, &position, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(position, 1);
}
END_TEST

START_TEST(a_group_without_members_is_idle_when_all_is_saved)
{
    struct group_member *a;

    ck_assert(group_is_idle(scene.group));
    scene_append(1);
    a = scene_join("a", 1);
    ck_assert(!group_is_idle(scene.group));
    ck_assert_int_eq(scene_answer(a, MSG_PARK, 0), ACTA_OK);
    scene_leave(a, false);
    if (group_save_is_due(scene.group)) {
        (void)scene_save();
    }
    ck_assert(group_is_idle(scene.group));
    ck_assert(group_replay(scene.group, 1));
    ck_assert(!group_is_idle(scene.group));
}
END_TEST

START_TEST(a_reset_takes_back_what_members_have)
{
    struct group_member *a;

    scene_append(1);
    scene_append(2);
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 1), ACTA_OK);
    group_reset(scene.group, 2, 0);
    scene_run();
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_FENCED);
    ck_assert_uint_eq(scene.handed_count, 4);
    scene_assert_handed(2, "a", 1, 1);
    scene_assert_handed(3, "a", 2, 1);
    ck_assert_uint_eq(group_figures(scene.group).epoch, 2);
}
END_TEST

START_TEST(what_was_parked_before_a_reset_comes_behind_what_is_before_it)
{
    struct group_member *a;

    scene_append_times(1, 3);
    a = scene_join("a", 10);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_int_eq(scene_answer(a, MSG_PARK, 1),
                     ACTA_OK); /* And one behind it. */
    group_reset(scene.group, 2, 0);
    ck_assert(group_replay(scene.group, 2));
    scene_run();
    ck_assert_uint_eq(scene.handed_count, 6);
    scene_assert_handed(3, "a", 1, 1);
    scene_assert_handed(4, "a", 2, 2);
    scene_assert_handed(5, "a", 3, 2);
}
END_TEST

/* All in one step, and so under one fence. */
static void
read_all_at_once(void)
{
    ck_assert_int_eq(group_begin(scene.group, NULL), ACTA_OK);
    while (group_read_to(scene.group) < scene.log.head) {
        uint64_t next = group_read_to(scene.group) + 1;

        ck_assert_int_eq(
            group_add(scene.group, log_record(&scene.log, next), NULL),
            ACTA_OK);
    }
    ck_assert_int_eq(group_pass(scene.group, scene.log.head, NULL), ACTA_OK);
}

/* It was to have a row, which did not fit into the first save behind a reset.
 */
START_TEST(what_goes_on_without_a_row_may_come_behind_new_events)
{
    static uint8_t reason[5 << 20];
    struct msg_answer park = {.kind = MSG_PARK, .position = 2};
    struct group_member *a, *b;
    uint64_t settled, ticket;
    struct buf rows;

    scene_append(1);
    a = scene_join("a", 5);
    group_hold(scene.group, a, true);
    b = scene_join("b", 5);
    scene_append(2);
    scene_append(3);
    scene_append(1);
    scene_run();
    ck_assert_uint_eq(scene.handed_count, 3);
    park.fence = scene.handed[1].fence;
    park.reason = slice_make(reason, sizeof(reason));
    ck_assert_int_eq(group_settle(scene.group, b, &park, &settled, &ticket),
                     ACTA_OK);
    ck_assert_int_eq(scene_settle(a, MSG_PARK, 0, &settled, &ticket), ACTA_OK);
    group_leave(scene.group, b, false);

    group_reset(scene.group, 2, 0);
    ck_assert(group_drop(scene.group, 1, &ticket));
    group_hold(scene.group, a, false);
    buf_init(&rows, sizeof(reason) + 4096);
    ck_assert_int_eq(group_take_save(scene.group, slice_of("g"), &rows, NULL),
                     ACTA_OK);
    buf_fini(&rows);
    group_saved(scene.group, true);
    scene.handed_count = 0;
    read_all_at_once();
    ck_assert_uint_eq(scene.handed_count, 3);
    scene_assert_handed(2, "a", 4, 1);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_int_eq(scene_answer(a, MSG_ACK, 2), ACTA_OK);
}
END_TEST

START_TEST(rows_that_are_not_whole_are_corrupt)
{
    struct group *none;
    uint8_t bytes[] = {5, 1, 0}; /* A run that is cut short. */

    scene.checkpoint.position = 9;
    scene.checkpoint.pending = slice_make(bytes, sizeof(bytes));
    ck_assert_int_eq(group_new(&none, &scene.consumer, &scene.checkpoint,
                               &scene_ports, NULL),
                     ACTA_CORRUPT);
    ck_assert_ptr_null(none);
}
END_TEST

/* ---- without memory ---- */

/* Each call that can fail does so once, and again, until it has what it needs;
 * in the end everything is as ever.
 */
START_TEST(without_memory_nothing_is_lost)
{
    struct group_member *a;
    unsigned failures = 0;

    for (unsigned i = 0; i < 40; i++) {
        scene_append(i % 20);
    }
    a = scene_join("a", 10);
    group_free(scene.group);
    scene.handed_count = 0;
    scene.checkpoint = (struct checkpoint_row){.epoch = 1};
    for (int after = 0;; after++) {
        enum acta_code code;

        alloc_fail_after = after;
        code = group_new(&scene.group, &scene.consumer, &scene.checkpoint,
                         &scene_ports, NULL);
        alloc_fail_after = -1;
        if (code == ACTA_OK) {
            break;
        }
        ck_assert_int_eq(code, ACTA_MEMORY);
        failures++;
    }
    group_see_time(scene.group, scene.now_us, scene.now_us);
    alloc_fail_after = 0;
    ck_assert_ptr_null(group_join(scene.group, 100, slice_of("a"), NULL));
    alloc_fail_after = -1;
    a = group_join(scene.group, 10, slice_of("a"), (void *)(uintptr_t) "a");
    ck_assert_ptr_nonnull(a);
    (void)scene_save();
    ck_assert_int_eq(group_begin(scene.group, NULL), ACTA_OK);
    for (uint64_t i = 1; i <= scene.log.head; i++) {
        for (int after = 0;; after++) {
            enum acta_code code;

            alloc_fail_after = after;
            code = group_add(scene.group, log_record(&scene.log, i), NULL);
            if (code == ACTA_OK) {
                alloc_fail_after = -1;
                break;
            }
            ck_assert_int_eq(code, ACTA_MEMORY);
            ck_assert_uint_eq(group_read_to(scene.group), i - 1);
            failures++;
        }
    }
    ck_assert_uint_gt(failures, 4);
    ck_assert_uint_eq(scene.handed_count, 10);

    alloc_fail_after = 0; /* The reason is lost, and nothing else. */
    {
        uint64_t settled;
        uint64_t ticket;

        ck_assert_int_eq(scene_settle(a, MSG_PARK, 0, &settled, &ticket),
                         ACTA_OK);
    }
    alloc_fail_after = -1;
    for (int after = 0;; after++) {
        struct buf rows;
        enum acta_code code;

        buf_init(&rows, 1 << 20);
        alloc_fail_after = after;
        code = group_take_save(scene.group, slice_of("g"), &rows, NULL);
        alloc_fail_after = -1;
        buf_fini(&rows);
        if (code == ACTA_OK) {
            break;
        }
        ck_assert_int_eq(code, ACTA_MEMORY);
    }
    group_saved(scene.group, true);
    while (group_figures(scene.group).position < scene.log.head) {
        ck_assert_uint_gt(group_figures(scene.group).in_hand, 0);
        ck_assert_int_eq(scene_answer(a, MSG_ACK_UP_TO, scene.handed_count - 1),
                         ACTA_OK);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("group");
    TCase *tcase = tcase_create("group");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, scene_setup, scene_teardown);
    tcase_add_test(tcase, nothing_is_handed_out_before_fences_are_durable);
    tcase_add_test(tcase, a_group_begins_behind_its_number);
    tcase_add_test(tcase,
                   events_of_a_key_are_handed_out_in_order_to_one_member);
    tcase_add_test(tcase, a_member_gets_no_more_than_its_slots);
    tcase_add_test(tcase, another_member_takes_keys_of_one_that_is_full);
    tcase_add_test(tcase, a_key_with_an_event_in_hand_waits_for_its_member);
    tcase_add_test(tcase, a_key_goes_back_to_its_member);
    tcase_add_test(tcase, the_key_may_be_a_tag);
    tcase_add_test(tcase, nothing_is_handed_out_while_it_is_paused);
    tcase_add_test(tcase, what_is_hidden_while_it_waits_is_done);
    tcase_add_test(tcase, what_is_damaged_while_it_waits_is_parked);
    tcase_add_test(tcase, what_is_before_a_damaged_record_is_taken);
    tcase_add_test(tcase, an_answer_counts_once);
    tcase_add_test(tcase, the_answer_of_another_member_is_refused);
    tcase_add_test(tcase, an_answer_under_an_older_fence_is_refused);
    tcase_add_test(tcase, ack_up_to_takes_what_was_handed_out_before);
    tcase_add_test(tcase, what_is_behind_a_retry_is_taken_back);
    tcase_add_test(tcase, what_is_retried_too_often_is_parked);
    tcase_add_test(tcase, what_a_member_had_goes_to_others_in_order);
    tcase_add_test(tcase, dying_with_it_counts_and_leaving_does_not);
    tcase_add_test(tcase, what_is_not_answered_in_time_goes_to_another);
    tcase_add_test(tcase, a_member_that_sleeps_gets_nothing_until_it_answers);
    tcase_add_test(tcase, if_all_sleep_all_get_events);
    tcase_add_test(tcase, a_shorter_time_out_counts_for_what_is_in_hand);
    tcase_add_test(tcase, what_is_behind_a_parked_event_waits_for_it);
    tcase_add_test(tcase, nothing_waits_if_the_group_goes_on);
    tcase_add_test(tcase, a_replayed_event_stays_parked_until_it_is_acked);
    tcase_add_test(tcase, what_is_replayed_does_not_shut_out_what_is_pending);
    tcase_add_test(tcase, what_waited_behind_a_dropped_event_goes_on);
    tcase_add_test(tcase, all_are_replayed_or_dropped_but_those_behind);
    tcase_add_test(tcase, a_park_is_durable_when_its_ticket_is);
    tcase_add_test(tcase, a_drop_is_durable_when_its_ticket_is);
    tcase_add_test(tcase, a_save_that_was_refused_is_made_again);
    tcase_add_test(tcase, after_a_kill_what_was_not_saved_comes_again);
    tcase_add_test(tcase, its_row_has_the_position_of_the_lowest_not_done);
    tcase_add_test(tcase, a_group_without_members_is_idle_when_all_is_saved);
    tcase_add_test(tcase, a_reset_takes_back_what_members_have);
    tcase_add_test(
        tcase, what_was_parked_before_a_reset_comes_behind_what_is_before_it);
    tcase_add_test(tcase,
                   what_goes_on_without_a_row_may_come_behind_new_events);
    tcase_add_test(tcase, rows_that_are_not_whole_are_corrupt);
    tcase_add_test(tcase, without_memory_nothing_is_lost);
    return run_suite(suite);
}
