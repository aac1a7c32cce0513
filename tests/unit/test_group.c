/* What one group does with events, answers and time, told in examples. */

#include "group.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "event.h"
#include "group_log.h"
#include "row.h"
#include "run.h"

#define TIMEOUT_US UINT64_C(1000)

/* ---- fixture: a log, a group, and what was handed out ---- */

struct handed {
    const char *member;
    uint64_t position;
    uint64_t fence;
    uint64_t deliveries;
};

static struct event_log log_of;
static struct consumer consumer;
static struct checkpoint_row checkpoint;
static struct group *group;
static struct handed handed[LOG_EVENTS_MAX];
static size_t handed_count;
static uint64_t now_us;
static unsigned fetches;
static uint8_t pending_bytes[4096];

static void
hand(void *user, void *member, uint64_t fence, uint64_t deliveries,
     struct slice record)
{
    (void)user;
    /* No assertion: Check allocates, which a test may not allow now. */
    handed[handed_count++ % LOG_EVENTS_MAX] = (struct handed){
        .member = member,
        .position = event_record_position(record),
        .fence = fence,
        .deliveries = deliveries,
    };
}

static enum acta_code
fetch(void *user, uint64_t position, struct slice *record, struct acta_err *err)
{
    (void)user;
    (void)err;
    fetches++;
    return log_fetch(&log_of, position, record);
}

static const struct group_ports ports = {.hand = hand, .fetch = fetch};

static void
open_group(void)
{
    ck_assert_int_eq(group_new(&group, &consumer, &checkpoint, &ports, NULL),
                     ACTA_OK);
    group_see_time(group, now_us, now_us);
}

static void
setup(void)
{
    consumer = (struct consumer){
        .number = 7,
        .kind = MSG_CONSUMER_GROUP,
        .settings =
            {
                .ack_timeout_us = TIMEOUT_US,
                .deliveries_max = 3,
                .on_park = MSG_PARK_WAITS,
            },
    };
    checkpoint = (struct checkpoint_row){.epoch = 1};
    handed_count = 0;
    fetches = 0;
    now_us = 1;
    open_group();
}

static void
teardown(void)
{
    group_free(group);
    log_free(&log_of);
}

/* ---- the words of the tests ---- */

static void
append(unsigned key)
{
    log_append(&log_of, key, true);
}

/* Take what is due to be saved; parked rows are counted. Returns how many rows
 * of parked events are set less those that are removed.
 */
static int
take_save(void)
{
    struct slice rows;
    struct row row;
    struct buf buf;
    int count = 0;

    buf_init(&buf, 1 << 20);
    ck_assert_int_eq(group_take_save(group, slice_of("g"), &buf, NULL),
                     ACTA_OK);
    rows_end(&buf);
    ck_assert_int_eq(rows_open(&rows, buf_slice(&buf), NULL), ACTA_OK);
    while (rows_next(&rows, &row)) {
        if (row.kind == ROW_PARKED) {
            count += row.value.size > 0 ? 1 : -1;
            continue;
        }
        ck_assert_int_eq(checkpoint_decode(&checkpoint, row.value, NULL),
                         ACTA_OK);
        ck_assert_uint_le(checkpoint.pending.size, sizeof(pending_bytes));
        memcpy(pending_bytes, checkpoint.pending.data, checkpoint.pending.size);
        checkpoint.pending.data = pending_bytes;
    }
    buf_fini(&buf);
    return count;
}

static int
save(void)
{
    int count = take_save();

    group_saved(group, true);
    return count;
}

/* What the groups' thread does after anything has happened. */
static void
run_group(void)
{
    (void)group_tick(group);
    if (group_save_is_due(group)) {
        (void)save();
    }
    ck_assert_int_eq(group_begin(group, NULL), ACTA_OK);
    while (group_wants(group) > 0) {
        if (group_is_loading(group)) {
            ck_assert_int_eq(group_load(group, 1, NULL), ACTA_OK);
            continue;
        }
        if (group_read_to(group) == log_of.head) {
            break;
        }
        ck_assert_int_eq(
            group_add(group, log_record(&log_of, group_read_to(group) + 1),
                      NULL),
            ACTA_OK);
    }
}

static struct group_member *
join(const char *name, uint64_t slots)
{
    struct group_member *member =
        group_join(group, slots, slice_of(name), (void *)(uintptr_t)name);

    ck_assert_ptr_nonnull(member);
    run_group();
    return member;
}

static void
leave(struct group_member *member, bool died)
{
    group_leave(group, member, died);
    run_group();
}

static void
pass_time(uint64_t us)
{
    now_us += us;
    group_see_time(group, now_us, now_us);
    run_group();
}

/* Answer what was handed out as number @index. */
static enum acta_code
answer(struct group_member *member, enum msg_settle_kind kind, size_t index)
{
    uint64_t settled;
    uint64_t ticket;
    struct msg_answer msg = {
        .kind = kind,
        .fence = handed[index].fence,
        .position = handed[index].position,
        .delay_us = kind == MSG_RETRY ? 100 : 0,
        .reason = slice_of(kind == MSG_PARK ? "no stock" : ""),
    };
    enum acta_code code = group_settle(group, member, &msg, &settled, &ticket);

    run_group();
    return code;
}

static void
assert_handed(size_t index, const char *member, uint64_t position,
              uint64_t deliveries)
{
    ck_assert_uint_lt(index, handed_count);
    ck_assert_str_eq(handed[index].member, member);
    ck_assert_uint_eq(handed[index].position, position);
    ck_assert_uint_eq(handed[index].deliveries, deliveries);
}

/* A kill: only what was saved is left. */
static void
restart(void)
{
    group_free(group);
    open_group();
}

/* ---- handing out ---- */

START_TEST(nothing_is_handed_out_before_fences_are_durable)
{
    append(1);
    ck_assert_ptr_nonnull(group_join(group, 1, slice_of("a"), NULL));
    ck_assert_int_eq(group_begin(group, NULL), ACTA_OK);
    ck_assert_uint_eq(group_wants(group), 0);

    ck_assert(group_save_is_due(group));
    (void)save();
    ck_assert_int_eq(group_begin(group, NULL), ACTA_OK);
    ck_assert_uint_gt(group_wants(group), 0);
}
END_TEST

START_TEST(events_of_a_key_are_handed_out_in_order_to_one_member)
{
    append(1);
    append(1);
    append(1);
    (void)join("a", 10);
    (void)join("b", 10);
    ck_assert_uint_eq(handed_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_handed(i, "a", i + 1, 1);
    }
}
END_TEST

START_TEST(a_member_gets_no_more_than_its_slots)
{
    struct group_member *member;

    for (unsigned i = 0; i < 5; i++) {
        append(i);
    }
    member = join("a", 2);
    ck_assert_uint_eq(handed_count, 2);
    ck_assert_int_eq(answer(member, MSG_ACK, 1), ACTA_OK);
    ck_assert_uint_eq(handed_count, 3);
    assert_handed(2, "a", 3, 1);
}
END_TEST

START_TEST(another_member_takes_keys_of_one_that_is_full)
{
    append(1);
    append(2);
    (void)join("a", 1);
    (void)join("b", 1);
    ck_assert_uint_eq(handed_count, 2);
    assert_handed(0, "a", 1, 1);
    assert_handed(1, "b", 2, 1);
}
END_TEST

START_TEST(a_key_with_an_event_in_hand_waits_for_its_member)
{
    struct group_member *a;

    append(1);
    append(1);
    a = join("a", 1);
    (void)join("b", 1);
    ck_assert_uint_eq(handed_count, 1);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_uint_eq(handed_count, 2);
    assert_handed(1, "a", 2, 1);
}
END_TEST

START_TEST(a_key_goes_back_to_its_member)
{
    struct group_member *a;

    append(1);
    a = join("a", 10);
    (void)join("b", 10);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_OK);
    append(1);
    run_group();
    assert_handed(1, "a", 2, 1);
}
END_TEST

START_TEST(the_key_may_be_a_tag)
{
    consumer.settings.key_tag = slice_of("tag:");
    restart();
    append(1);
    append(1);
    append(2);
    (void)join("a", 1);
    (void)join("b", 1);
    ck_assert_uint_eq(handed_count, 2);
    assert_handed(1, "b", 3, 1);
}
END_TEST

START_TEST(nothing_is_handed_out_while_it_is_paused)
{
    struct group_member *a;

    append(1);
    append(2);
    a = join("a", 1);
    consumer.is_paused = true;
    group_set(group, &consumer);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_uint_eq(handed_count, 1);
    consumer.is_paused = false;
    group_set(group, &consumer);
    run_group();
    assert_handed(1, "a", 2, 1);
}
END_TEST

/* What waits for a slot for long is not kept, and fetched again then. */
START_TEST(what_is_hidden_while_it_waits_is_done)
{
    struct group_member *a;

    append(1);
    append(1);
    append(1);
    a = join("a", 3);
    log_of.events[2].is_hidden = true;
    ck_assert_int_eq(answer(a, MSG_RETRY, 0), ACTA_OK);
    pass_time(100);
    ck_assert_uint_eq(handed_count, 5);
    assert_handed(3, "a", 1, 2);
    assert_handed(4, "a", 3, 2);
    ck_assert_int_eq(answer(a, MSG_ACK_UP_TO, 4), ACTA_OK);
    ck_assert_uint_eq(group_figures(group).position, 3);
}
END_TEST

START_TEST(what_is_damaged_while_it_waits_is_parked)
{
    struct group_member *a;
    enum msg_parked_state state;

    append(1);
    a = join("a", 3);
    log_of.events[1].is_damaged = true;
    ck_assert_int_eq(answer(a, MSG_RETRY, 0), ACTA_OK);
    pass_time(100);
    ck_assert_uint_eq(handed_count, 1);
    ck_assert(group_parked_state(group, 1, &state));
    ck_assert_int_eq(state, MSG_PARKED);
}
END_TEST

START_TEST(what_is_before_a_damaged_record_is_taken)
{
    static const uint8_t damaged[512];
    struct slice page[30];

    for (unsigned i = 0; i < 30; i++) {
        append(i);
        page[i] = log_record(&log_of, i + 1);
        ck_assert_uint_le(page[i].size, sizeof(damaged));
        if (i == 20) {
            page[i].data = damaged;
        }
    }
    ck_assert_ptr_nonnull(group_join(group, 100, slice_of("a"), NULL));
    (void)save();
    ck_assert_int_eq(group_begin(group, NULL), ACTA_OK);
    ck_assert_int_eq(group_add_all(group, page, 30, NULL), ACTA_CORRUPT);
    ck_assert_uint_eq(group_read_to(group), 20);
    ck_assert_uint_eq(handed_count, 20);
    for (size_t i = 0; i < 20; i++) {
        ck_assert_uint_eq(handed[i].position, i + 1);
    }
}
END_TEST

/* ---- answers ---- */

START_TEST(an_answer_counts_once)
{
    struct group_member *a;

    append(1);
    a = join("a", 1);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_FENCED);
}
END_TEST

START_TEST(the_answer_of_another_member_is_refused)
{
    struct group_member *b;

    append(1);
    (void)join("a", 1);
    b = join("b", 1);
    ck_assert_int_eq(answer(b, MSG_ACK, 0), ACTA_FENCED);
}
END_TEST

START_TEST(an_answer_under_an_older_fence_is_refused)
{
    struct group_member *a;

    append(1);
    a = join("a", 1);
    ck_assert_int_eq(answer(a, MSG_RETRY, 0), ACTA_OK);
    pass_time(100);
    ck_assert_uint_eq(handed_count, 2);
    ck_assert_uint_gt(handed[1].fence, handed[0].fence);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_FENCED);
    ck_assert_int_eq(answer(a, MSG_ACK, 1), ACTA_OK);
}
END_TEST

START_TEST(ack_up_to_takes_what_was_handed_out_before)
{
    struct group_member *a;
    uint64_t settled;
    uint64_t ticket;

    for (unsigned i = 0; i < 5; i++) {
        append(i);
    }
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_ACK, 1), ACTA_OK);
    ck_assert_int_eq(group_settle(group, a,
                                  &(struct msg_answer){
                                      .kind = MSG_ACK_UP_TO,
                                      .fence = handed[3].fence,
                                      .position = handed[3].position,
                                  },
                                  &settled, &ticket),
                     ACTA_OK);
    ck_assert_uint_eq(settled, 3);
    ck_assert_uint_eq(group_figures(group).in_hand, 1);
    ck_assert_uint_eq(group_figures(group).position, 4);
}
END_TEST

START_TEST(what_is_behind_a_retry_is_taken_back)
{
    struct group_member *a;

    append(1);
    append(1);
    append(2);
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_RETRY, 0), ACTA_OK);
    ck_assert_int_eq(answer(a, MSG_ACK, 1), ACTA_FENCED);
    ck_assert_int_eq(answer(a, MSG_ACK, 2), ACTA_OK);
    pass_time(99);
    ck_assert_uint_eq(handed_count, 3);
    pass_time(1);
    assert_handed(3, "a", 1, 2);
    assert_handed(4, "a", 2, 2);
}
END_TEST

START_TEST(what_is_retried_too_often_is_parked)
{
    struct group_member *a;
    enum msg_parked_state state;

    append(1);
    a = join("a", 1);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(answer(a, MSG_RETRY, i), ACTA_OK);
        pass_time(100);
    }
    ck_assert_uint_eq(handed_count, 3);
    ck_assert(group_parked_state(group, 1, &state));
}
END_TEST

/* ---- members that go ---- */

START_TEST(what_a_member_had_goes_to_others_in_order)
{
    struct group_member *a;

    append(1);
    append(1);
    append(1);
    a = join("a", 10);
    (void)join("b", 10);
    leave(a, true);
    ck_assert_uint_eq(handed_count, 6);
    for (size_t i = 0; i < 3; i++) {
        assert_handed(3 + i, "b", i + 1, 2);
        ck_assert_uint_gt(handed[3 + i].fence, handed[i].fence);
    }
}
END_TEST

START_TEST(dying_with_it_counts_and_leaving_does_not)
{
    enum msg_parked_state state;

    append(1);
    for (int i = 0; i < 5; i++) {
        leave(join("a", 1), false);
    }
    ck_assert(!group_parked_state(group, 1, &state));
    for (int i = 0; i < 3; i++) {
        ck_assert(!group_parked_state(group, 1, &state));
        leave(join("a", 1), true);
    }
    ck_assert(group_parked_state(group, 1, &state));
}
END_TEST

START_TEST(what_is_not_answered_in_time_goes_to_another)
{
    struct group_member *a;

    append(1);
    append(1);
    a = join("a", 10);
    (void)join("b", 10);
    pass_time(TIMEOUT_US - 1);
    ck_assert_uint_eq(handed_count, 2);
    pass_time(1);
    assert_handed(2, "b", 1, 2);
    assert_handed(3, "b", 2, 2);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_FENCED);
}
END_TEST

START_TEST(a_member_that_sleeps_gets_nothing_until_it_answers)
{
    struct group_member *a;
    struct group_member *b;

    append(1);
    a = join("a", 10);
    b = join("b", 1);
    pass_time(TIMEOUT_US);
    assert_handed(1, "b", 1, 2);
    append(2);
    run_group();
    ck_assert_uint_eq(handed_count, 2); /* b is full. */
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_FENCED);
    assert_handed(2, "a", 2, 1);
    ck_assert_int_eq(answer(b, MSG_ACK, 1), ACTA_OK);
}
END_TEST

START_TEST(if_all_sleep_all_get_events)
{
    append(1);
    (void)join("a", 10);
    pass_time(TIMEOUT_US);
    assert_handed(1, "a", 1, 2);
}
END_TEST

START_TEST(a_shorter_time_out_counts_for_what_is_in_hand)
{
    append(1);
    (void)join("a", 1);
    consumer.settings.ack_timeout_us = 10;
    group_set(group, &consumer);
    pass_time(10);
    assert_handed(1, "a", 1, 2);
}
END_TEST

/* ---- parked events ---- */

START_TEST(what_is_behind_a_parked_event_waits_for_it)
{
    struct group_member *a;
    enum msg_parked_state state;

    append(1);
    append(1);
    append(2);
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_PARK, 0), ACTA_OK);
    append(1);
    run_group();
    ck_assert_uint_eq(handed_count, 3);
    ck_assert(group_parked_state(group, 1, &state));
    ck_assert_int_eq(state, MSG_PARKED);
    ck_assert(group_parked_state(group, 2, &state));
    ck_assert_int_eq(state, MSG_PARKED_BEHIND);
    ck_assert(group_parked_state(group, 4, &state));
    ck_assert_int_eq(state, MSG_PARKED_BEHIND);
    ck_assert_uint_eq(group_figures(group).parked, 3);
    ck_assert_int_eq(answer(a, MSG_ACK, 1), ACTA_FENCED);
}
END_TEST

START_TEST(nothing_waits_if_the_group_goes_on)
{
    struct group_member *a;

    consumer.settings.on_park = MSG_PARK_GOES_ON;
    group_set(group, &consumer);
    append(1);
    append(1);
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_PARK, 0), ACTA_OK);
    append(1);
    run_group();
    assert_handed(2, "a", 3, 1);
    ck_assert_int_eq(answer(a, MSG_ACK, 1), ACTA_OK);
    ck_assert_uint_eq(group_figures(group).parked, 1);
}
END_TEST

START_TEST(a_replayed_event_stays_parked_until_it_is_acked)
{
    struct group_member *a;
    enum msg_parked_state state;

    append(1);
    append(1);
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_PARK, 0), ACTA_OK);
    ck_assert(group_replay(group, 1));
    run_group();
    ck_assert_uint_eq(handed_count, 3);
    ck_assert(group_parked_state(group, 1, &state));
    ck_assert_int_eq(state, MSG_PARKED_REPLAYED);
    ck_assert(!group_replay(group, 1));

    ck_assert_int_eq(answer(a, MSG_ACK, 2), ACTA_OK);
    ck_assert(!group_parked_state(group, 1, &state));
    assert_handed(3, "a", 2, 2);
    ck_assert_int_eq(answer(a, MSG_ACK, 3), ACTA_OK);
    ck_assert_uint_eq(group_figures(group).parked, 0);
}
END_TEST

START_TEST(what_waited_behind_a_dropped_event_goes_on)
{
    struct group_member *a;
    uint64_t ticket;

    append(1);
    append(1);
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_PARK, 0), ACTA_OK);
    ck_assert(!group_drop(group, 2, &ticket));
    ck_assert(!group_replay(group, 2));
    ck_assert(group_drop(group, 1, &ticket));
    ck_assert(!group_drop(group, 1, &ticket));
    run_group();
    assert_handed(2, "a", 2, 2);
}
END_TEST

START_TEST(all_are_replayed_or_dropped_but_those_behind)
{
    struct group_member *a;
    uint64_t ticket;

    for (unsigned i = 0; i < 6; i++) {
        append(i % 3);
    }
    a = join("a", 10);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(answer(a, MSG_PARK, i), ACTA_OK);
    }
    ck_assert_uint_eq(group_figures(group).parked, 6);
    ck_assert_uint_eq(group_replay_all(group), 3);
    ck_assert_uint_eq(group_replay_all(group), 0);
    run_group();
    for (size_t i = 6; i < 9; i++) {
        ck_assert_int_eq(answer(a, MSG_PARK, i), ACTA_OK);
    }
    ck_assert_uint_eq(group_drop_all(group, &ticket), 3);
    run_group();
    ck_assert_uint_eq(handed_count, 12);
    ck_assert_int_eq(answer(a, MSG_ACK_UP_TO, 11), ACTA_OK);
    ck_assert_uint_eq(group_figures(group).parked, 0);
    ck_assert_uint_eq(group_figures(group).position, 6);
}
END_TEST

/* ---- saving ---- */

START_TEST(a_park_is_durable_when_its_ticket_is)
{
    struct group_member *a;
    uint64_t settled;
    uint64_t ticket;

    append(1);
    a = join("a", 1);
    ck_assert_int_eq(group_settle(group, a,
                                  &(struct msg_answer){
                                      .kind = MSG_PARK,
                                      .fence = handed[0].fence,
                                      .position = 1,
                                      .reason = slice_of("no stock"),
                                  },
                                  &settled, &ticket),
                     ACTA_OK);
    ck_assert_uint_gt(ticket, group_ticket(group));
    ck_assert_uint_eq(group_figures(group).position, 0);
    ck_assert(group_save_is_due(group));
    ck_assert_int_eq(take_save(), 1);
    ck_assert(!group_save_is_due(group));
    ck_assert_uint_gt(ticket, group_ticket(group));
    group_saved(group, true);
    ck_assert_uint_le(ticket, group_ticket(group));
    ck_assert_uint_eq(group_figures(group).position, 1);
}
END_TEST

START_TEST(a_save_that_was_refused_is_made_again)
{
    struct group_member *a;

    append(1);
    append(1);
    a = join("a", 2);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_OK);
    group_saved(group, (take_save(), true));
    group_reset(group, 2, 0);
    run_group();
    ck_assert_int_eq(answer(a, MSG_PARK, 2), ACTA_OK);
    group_reset(group, 3, 0);
    ck_assert_int_eq(take_save(), 0); /* It was saved by run_group(). */
    group_saved(group, false);
    ck_assert(group_save_is_due(group));
    ck_assert_uint_eq(checkpoint.epoch, 3);
}
END_TEST

START_TEST(after_a_kill_what_was_not_saved_comes_again)
{
    struct group_member *a;

    for (unsigned i = 0; i < 4; i++) {
        append(i);
    }
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_ACK, 1), ACTA_OK);
    (void)save();
    ck_assert_int_eq(answer(a, MSG_ACK, 2), ACTA_OK);
    restart();
    (void)join("b", 10);
    ck_assert_uint_eq(handed_count, 7);
    assert_handed(4, "b", 1, 2);
    assert_handed(5, "b", 3, 2);
    assert_handed(6, "b", 4, 2);
    ck_assert_uint_gt(handed[4].fence, handed[3].fence);
}
END_TEST

START_TEST(its_row_has_the_position_of_the_lowest_not_done)
{
    struct group_member *a;
    uint64_t position;

    for (unsigned i = 0; i < 4; i++) {
        append(i);
    }
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_OK);
    ck_assert_int_eq(answer(a, MSG_ACK, 3), ACTA_OK);
    (void)save();
    ck_assert_int_eq(group_row_position(&checkpoint, &position, NULL), ACTA_OK);
    ck_assert_uint_eq(position, 1);
}
END_TEST

START_TEST(a_group_without_members_is_idle_when_all_is_saved)
{
    struct group_member *a;

    ck_assert(group_is_idle(group));
    append(1);
    a = join("a", 1);
    ck_assert(!group_is_idle(group));
    ck_assert_int_eq(answer(a, MSG_PARK, 0), ACTA_OK);
    leave(a, false);
    if (group_save_is_due(group)) {
        (void)save();
    }
    ck_assert(group_is_idle(group));
    ck_assert(group_replay(group, 1));
    ck_assert(!group_is_idle(group));
}
END_TEST

START_TEST(a_reset_takes_back_what_members_have)
{
    struct group_member *a;

    append(1);
    append(2);
    a = join("a", 10);
    ck_assert_int_eq(answer(a, MSG_ACK, 1), ACTA_OK);
    group_reset(group, 2, 0);
    run_group();
    ck_assert_int_eq(answer(a, MSG_ACK, 0), ACTA_FENCED);
    ck_assert_uint_eq(handed_count, 4);
    assert_handed(2, "a", 1, 1);
    assert_handed(3, "a", 2, 1);
    ck_assert_uint_eq(group_figures(group).epoch, 2);
}
END_TEST

START_TEST(rows_that_are_not_whole_are_corrupt)
{
    struct group *none;
    uint8_t bytes[] = {5, 1, 0}; /* A run that is cut short. */

    checkpoint.position = 9;
    checkpoint.pending = slice_make(bytes, sizeof(bytes));
    ck_assert_int_eq(group_new(&none, &consumer, &checkpoint, &ports, NULL),
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
        append(i % 20);
    }
    a = join("a", 10);
    group_free(group);
    handed_count = 0;
    checkpoint = (struct checkpoint_row){.epoch = 1};
    for (int after = 0;; after++) {
        enum acta_code code;

        alloc_fail_after = after;
        code = group_new(&group, &consumer, &checkpoint, &ports, NULL);
        alloc_fail_after = -1;
        if (code == ACTA_OK) {
            break;
        }
        ck_assert_int_eq(code, ACTA_MEMORY);
        failures++;
    }
    group_see_time(group, now_us, now_us);
    alloc_fail_after = 0;
    ck_assert_ptr_null(group_join(group, 100, slice_of("a"), NULL));
    alloc_fail_after = -1;
    a = group_join(group, 10, slice_of("a"), (void *)(uintptr_t) "a");
    ck_assert_ptr_nonnull(a);
    (void)save();
    ck_assert_int_eq(group_begin(group, NULL), ACTA_OK);
    for (uint64_t i = 1; i <= log_of.head; i++) {
        for (int after = 0;; after++) {
            enum acta_code code;

            alloc_fail_after = after;
            code = group_add(group, log_record(&log_of, i), NULL);
            if (code == ACTA_OK) {
                alloc_fail_after = -1;
                break;
            }
            ck_assert_int_eq(code, ACTA_MEMORY);
            ck_assert_uint_eq(group_read_to(group), i - 1);
            failures++;
        }
    }
    ck_assert_uint_gt(failures, 4);
    ck_assert_uint_eq(handed_count, 10);

    alloc_fail_after = 0; /* The reason is lost, and nothing else. */
    {
        uint64_t settled;
        uint64_t ticket;

        ck_assert_int_eq(group_settle(group, a,
                                      &(struct msg_answer){
                                          .kind = MSG_PARK,
                                          .fence = handed[0].fence,
                                          .position = handed[0].position,
                                          .reason = slice_of("no stock"),
                                      },
                                      &settled, &ticket),
                         ACTA_OK);
    }
    alloc_fail_after = -1;
    for (int after = 0;; after++) {
        struct buf rows;
        enum acta_code code;

        buf_init(&rows, 1 << 20);
        alloc_fail_after = after;
        code = group_take_save(group, slice_of("g"), &rows, NULL);
        alloc_fail_after = -1;
        buf_fini(&rows);
        if (code == ACTA_OK) {
            break;
        }
        ck_assert_int_eq(code, ACTA_MEMORY);
    }
    group_saved(group, true);
    while (group_figures(group).position < log_of.head) {
        ck_assert_uint_gt(group_figures(group).in_hand, 0);
        ck_assert_int_eq(answer(a, MSG_ACK_UP_TO, handed_count - 1), ACTA_OK);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("group");
    TCase *tcase = tcase_create("group");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_is_handed_out_before_fences_are_durable);
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
    tcase_add_test(tcase, what_waited_behind_a_dropped_event_goes_on);
    tcase_add_test(tcase, all_are_replayed_or_dropped_but_those_behind);
    tcase_add_test(tcase, a_park_is_durable_when_its_ticket_is);
    tcase_add_test(tcase, a_save_that_was_refused_is_made_again);
    tcase_add_test(tcase, after_a_kill_what_was_not_saved_comes_again);
    tcase_add_test(tcase, its_row_has_the_position_of_the_lowest_not_done);
    tcase_add_test(tcase, a_group_without_members_is_idle_when_all_is_saved);
    tcase_add_test(tcase, a_reset_takes_back_what_members_have);
    tcase_add_test(tcase, rows_that_are_not_whole_are_corrupt);
    tcase_add_test(tcase, without_memory_nothing_is_lost);
    return run_suite(suite);
}
