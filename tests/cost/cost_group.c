/* Events are handed out to the members of a group, and acked one by one. */

#include <stdio.h>
#include <stdlib.h>

#include "cost.h"
#include "event.h"
#include "group.h"
#include "group_log.h"
#include "run.h"

#define EVENTS  4000
#define KEYS    1000
#define STEP    400
#define MEMBERS 8
#define SLOTS   100
#define PARKED  10000
#define SAVES   100

static struct event_log events;

/* What a member has in hand. */
struct hands {
    struct group_member *member;
    uint64_t fence;
    uint64_t positions[SLOTS];
    size_t count;
};

static void
hand(void *user, void *member, uint64_t fence, uint64_t deliveries,
     struct slice record)
{
    struct hands *hands = member;

    (void)user;
    (void)deliveries;
    hands->fence = fence;
    hands->positions[hands->count++] = event_record_position(record);
}

static enum acta_code
fetch(void *user, uint64_t position, struct slice *record, struct acta_err *err)
{
    (void)user;
    (void)err;
    return log_fetch(&events, position, record);
}

/* Read a step of events, and hand out all that members have room for. */
static void
hand_out(struct group *group, uint64_t from)
{
    struct slice records[STEP];

    for (size_t i = 0; i < STEP; i++) {
        records[i] = log_record(&events, from + i);
    }
    if (group_begin(group, NULL) != ACTA_OK ||
        group_add_all(group, records, STEP, NULL) != ACTA_OK) {
        abort();
    }
}

static uint64_t
ack_all(struct group *group, struct hands *hands)
{
    uint64_t count = 0;

    for (size_t i = 0; i < hands->count; i++) {
        struct msg_answer answer = {
            .kind = MSG_ACK,
            .fence = hands->fence,
            .position = hands->positions[i],
        };
        uint64_t settled = 0;
        uint64_t ticket;

        if (group_settle(group, hands->member, &answer, &settled, &ticket) !=
            ACTA_OK) {
            abort();
        }
        count += settled;
    }
    hands->count = 0;
    return count;
}

/* Until nobody has anything in hand. */
static uint64_t
handle_all(struct group *group, struct hands hands[static MEMBERS])
{
    uint64_t count = 0;
    uint64_t before;

    do {
        before = count;
        for (size_t m = 0; m < MEMBERS; m++) {
            count += ack_all(group, &hands[m]);
        }
        if (group_begin(group, NULL) != ACTA_OK) {
            abort();
        }
    } while (count > before);
    return count;
}

static void
save(struct group *group)
{
    struct buf rows;

    buf_init(&rows, (size_t)1 << 20);
    ck_assert_int_eq(group_take_save(group, slice_of("g"), &rows, NULL),
                     ACTA_OK);
    group_saved(group, true);
    buf_fini(&rows);
}

/* A group that has parked events from before, each of a key of its own. */
static void
load_parked(struct group *group)
{
    for (uint64_t i = 1; i <= PARKED; i++) {
        char key[20];
        struct parked parked = {.deliveries = 3};

        snprintf(key, sizeof(key), "k-%ju", (uintmax_t)i);
        parked.key = slice_of(key);
        ck_assert_int_eq(group_load_parked(group, i, &parked, NULL), ACTA_OK);
    }
}

/* What is parked is not looked at, however much it is. */
static void
cost_save(const struct consumer *consumer, const struct group_ports *ports)
{
    struct checkpoint_row checkpoint = {.epoch = 1, .position = PARKED};
    struct group *group;

    ck_assert_int_eq(group_new(&group, consumer, &checkpoint, ports, NULL),
                     ACTA_OK);
    load_parked(group);
    group_see_time(group, 1, 1);
    save(group);
    cost_begin();
    for (unsigned i = 0; i < SAVES; i++) {
        group_save_soon(group);
        save(group);
    }
    cost_end("group-save-beside-parked", SAVES);
    group_free(group);
}

void
cost_group(void)
{
    const struct group_ports ports = {.hand = hand, .fetch = fetch};
    struct consumer consumer = {
        .number = 7,
        .kind = MSG_CONSUMER_GROUP,
        .settings = {.ack_timeout_us = 1000000, .deliveries_max = 3},
    };
    struct checkpoint_row checkpoint = {.epoch = 1};
    struct hands hands[MEMBERS] = {0};
    struct group *group;
    uint64_t count = 0;

    for (unsigned i = 0; i < EVENTS; i++) {
        log_append(&events, i * 7919 % KEYS, true);
    }
    ck_assert_int_eq(group_new(&group, &consumer, &checkpoint, &ports, NULL),
                     ACTA_OK);
    group_see_time(group, 1, 1);
    for (size_t m = 0; m < MEMBERS; m++) {
        hands[m].member = group_join(group, SLOTS, slice_of("m"), &hands[m]);
        ck_assert_ptr_nonnull(hands[m].member);
    }
    save(group); /* Fences are reserved: now it is open. */

    cost_begin();
    for (uint64_t at = 1; at <= EVENTS; at += STEP) {
        hand_out(group, at);
        count += handle_all(group, hands);
    }
    cost_end("group-hand-and-ack", EVENTS);
    ck_assert_uint_eq(count, EVENTS);
    group_free(group);
    cost_save(&consumer, &ports);
    log_free(&events);
}
