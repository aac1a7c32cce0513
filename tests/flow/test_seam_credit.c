/* Credit as a peer sees it that speaks the protocol itself: nothing is sent
 * without credit, and never more than one event over it.
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "rig.h"
#include "rnd.h"
#include "run.h"

#define SUB_ID 1000

static struct rig rig;

/* What has come of the subscription. */
struct taken {
    uint64_t granted;    /* Bytes of credit given. */
    uint64_t size;       /* Bytes of records that came. */
    uint64_t last_size;  /* Of the last record. */
    uint64_t position;   /* Told last. */
    uint64_t count;      /* Events. */
    unsigned deliveries; /* Frames with events. */
    bool caught_up;
};

static void
take_delivery(struct taken *taken, const struct frame *frame)
{
    struct msg_delivery delivery;
    struct acta_err err;

    ck_assert_int_eq(msg_delivery_decode(&delivery, frame->body, &err),
                     ACTA_OK);
    taken->deliveries += delivery.events_count > 0 ? 1 : 0;
    for (size_t i = 0; i < delivery.events_count; i++) {
        const uint8_t *start = delivery.events.data;
        struct event event;

        /* It may only be on its way if there was credit left before it. */
        ck_assert_uint_lt(taken->size, taken->granted);
        ck_assert_int_eq(msg_next_event(&delivery.events, &event, &err),
                         ACTA_OK);
        ck_assert_uint_eq(event.position, ++taken->count);
        taken->last_size = (uint64_t)(delivery.events.data - start);
        taken->size += taken->last_size;
    }
    ck_assert_uint_eq(delivery.position, taken->count);
    taken->position = delivery.position;
}

/* Ping, and take what was on its way before the answer. */
static void
ping_and_take(struct peer *peer, struct taken *taken)
{
    static uint64_t id = 5000;
    struct frame frame;

    msg_empty_encode(&peer->out, OP_PING, ++id);
    peer_send(peer);
    for (;;) {
        ck_assert(peer_next(peer, &frame));
        if (frame.kind == OP_PONG) {
            ck_assert_uint_eq(frame.request_id, id);
            return;
        }
        ck_assert_uint_eq(frame.request_id, SUB_ID);
        if (frame.kind == OP_DELIVERY) {
            take_delivery(taken, &frame);
        } else {
            ck_assert(frame.kind == OP_CAUGHT_UP ||
                      frame.kind == OP_FELL_BEHIND);
            taken->caught_up = frame.kind == OP_CAUGHT_UP;
        }
    }
}

static void
append(struct peer *peer, size_t count, size_t size)
{
    static uint64_t id = 100;

    peer_put_append(peer, ++id, "order-1", MSG_EXPECT_ANY, count, size);
    peer_send(peer);
    peer_expect(peer, OP_APPENDED, id);
}

static void
subscribe(struct peer *peer, struct taken *taken, uint64_t credit)
{
    struct msg_subscribe subscribe = {.query = QUERY_ALL, .credit = credit};

    memset(taken, 0, sizeof(*taken));
    taken->granted = credit;
    msg_subscribe_encode(&peer->out, SUB_ID, &subscribe);
    peer_send(peer);
    peer_expect(peer, OP_SUBSCRIBED, SUB_ID);
}

static void
grant(struct peer *peer, struct taken *taken, uint64_t credit)
{
    taken->granted += credit;
    msg_number_encode(&peer->out, OP_CREDIT, SUB_ID, credit);
    peer_send(peer);
}

/* Wait for what must come: a server that sends less fails by its time-out. */
static void
take_until(struct peer *peer, struct taken *taken, uint64_t count)
{
    struct frame frame;

    while (taken->count < count) {
        ck_assert(peer_next(peer, &frame));
        if (frame.kind == OP_CAUGHT_UP || frame.kind == OP_FELL_BEHIND) {
            taken->caught_up = frame.kind == OP_CAUGHT_UP;
            continue;
        }
        ck_assert_int_eq(frame.kind, OP_DELIVERY);
        take_delivery(taken, &frame);
    }
}

START_TEST(without_credit_nothing_is_sent)
{
    struct taken taken;
    struct peer peer, other;

    rig_start(&rig, NULL);
    peer_greet(&other, rig.port);
    peer_greet(&peer, rig.port);
    append(&other, 3, 100);
    subscribe(&peer, &taken, 0);
    ping_and_take(&peer, &taken);
    append(&other, 3, 100);
    ping_and_take(&peer, &taken);
    ck_assert_uint_eq(taken.count, 0);
    ck_assert_uint_eq(taken.position, 0);
    ck_assert(!taken.caught_up);
    peer_close(&peer);
    peer_close(&other);
    rig_stop(&rig);
}
END_TEST

START_TEST(event_that_goes_over_the_credit_is_paid_for_later)
{
    struct taken taken;
    struct peer peer;
    uint64_t debt;

    rig_start(&rig, NULL);
    peer_greet(&peer, rig.port);
    append(&peer, 5, 1000);
    subscribe(&peer, &taken, 1);
    take_until(&peer, &taken, 1);
    debt = taken.size - taken.granted;
    ck_assert_uint_ge(debt, 999);

    grant(&peer, &taken, debt);
    ping_and_take(&peer, &taken);
    ping_and_take(&peer, &taken);
    ck_assert_uint_eq(taken.count, 1);

    grant(&peer, &taken, 1);
    take_until(&peer, &taken, 2);
    ping_and_take(&peer, &taken);
    ck_assert_uint_eq(taken.count, 2);

    grant(&peer, &taken, UINT64_MAX - taken.granted);
    take_until(&peer, &taken, 5);
    peer_close(&peer);
    rig_stop(&rig);
}
END_TEST

/* Credit of any size, in the middle of history and live, while checkpoints
 * move what is behind: take_delivery() judges each event.
 */
START_TEST(random_credit_is_never_exceeded_by_more_than_an_event)
{
    unsigned rounds = rnd_effort(400, 10000);
    struct taken taken;
    struct peer peer, other;
    uint64_t appended = 0;
    struct rnd rnd;

    rnd_init(&rnd);
    rig_start(&rig, "--checkpoint-events=30", NULL);
    peer_greet(&other, rig.port);
    peer_greet(&peer, rig.port);
    subscribe(&peer, &taken, rnd_below(&rnd, 1000));
    for (unsigned i = 0; i < rounds; i++) {
        size_t count = 1 + rnd_below(&rnd, 5);

        append(&other, count, rnd_below(&rnd, 800));
        appended += count;
        if (rnd_once_in(&rnd, 2)) {
            grant(&peer, &taken, rnd_below(&rnd, 3000));
        }
        ping_and_take(&peer, &taken);
    }
    grant(&peer, &taken, UINT64_MAX / 2);
    take_until(&peer, &taken, appended);
    ck_assert_uint_eq(taken.position, appended);
    ck_assert_uint_gt(taken.deliveries, 10);
    peer_close(&peer);
    peer_close(&other);
    rig_stop(&rig);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("seam_credit");
    TCase *tcase = tcase_create("credit");

    tcase_add_test(tcase, without_credit_nothing_is_sent);
    tcase_add_test(tcase, event_that_goes_over_the_credit_is_paid_for_later);
    tcase_add_test(tcase,
                   random_credit_is_never_exceeded_by_more_than_an_event);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
