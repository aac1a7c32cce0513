/* Requests that wait, by frames: in memory and on a server. */

#include "limit.h"
#include "msg_consumer.h"
#include "msg_lease.h"
#include "wire.h"
#include "words.h"

#define HOUR_US UINT64_C(3600000000)

/* Ask for lease "l" with the claim @number. */
static void
acquire(struct wire *wire, uint64_t id, uint32_t number, uint64_t wait_us)
{
    uint8_t claim[UUID_SIZE] = {0};
    struct msg_change_lease change = {
        .name = slice_of("l"),
        .kind = MSG_LEASE_ACQUIRE,
        .holder = slice_of("somebody"),
        .claim = claim,
        .duration_us = HOUR_US,
        .wait_us = wait_us,
    };

    memcpy(claim, &number, sizeof(number));
    msg_change_lease_encode(&wire->peer.out, id, &change);
    wire_send(wire);
}

static void
await(struct wire *wire, uint64_t id, uint64_t timeout_us)
{
    struct msg_await await = {slice_of("c"), 1, timeout_us};

    msg_await_encode(&wire->peer.out, id, &await);
    wire_send(wire);
}

/* The lease is given. Returns its fence. */
static uint64_t
expect_lease(struct wire *wire, uint64_t id)
{
    struct frame frame = wire_expect(wire, OP_LEASE_CHANGED, id);
    struct msg_lease_changed told;
    struct acta_err err;

    ck_assert_int_eq(msg_lease_changed_decode(&told, frame.body, &err),
                     ACTA_OK);
    return told.fence;
}

static void
release(struct wire *wire, uint64_t id, uint64_t fence)
{
    struct msg_change_lease change = {
        .name = slice_of("l"),
        .kind = MSG_LEASE_RELEASE,
        .fence = fence,
    };

    msg_change_lease_encode(&wire->peer.out, id, &change);
    wire_send(wire);
    expect_lease(wire, id);
}

/* Nothing was said to what was sent before. */
static void
expect_silence(struct wire *wire)
{
    msg_empty_encode(&wire->peer.out, OP_PING, 9999);
    wire_send(wire);
    wire_expect(wire, OP_PONG, 9999);
}

/* What was sent by several connections has come in if so many wait. */
static void
expect_line(size_t count)
{
    const struct acta_leases *list;

    do {
        expect(ACTA_OK,
               acta_sync_list_leases(place.sync, "", "", 0, &list, &place.err));
        ck_assert_uint_eq(list->leases_count, 1);
    } while (list->leases[0]->waiters_count < count);
    ck_assert_uint_eq(list->leases[0]->waiters_count, count);
}

START_TEST(a_claim_that_comes_again_waits_in_its_own_place)
{
    struct wire holder, lost, other, back;
    uint64_t fence;

    place_begin(_i);
    wire_open(&holder);
    wire_open(&lost);
    wire_open(&other);
    wire_open(&back);
    acquire(&holder, 2, 1, 0);
    fence = expect_lease(&holder, 2);
    acquire(&lost, 7, 2, HOUR_US);
    expect_line(1);
    acquire(&other, 3, 3, HOUR_US);
    expect_line(2);
    acquire(&back, 4, 2, HOUR_US);
    wire_expect_error(&lost, 7, ACTA_CANCELLED);
    expect_line(2);
    release(&holder, 5, fence);
    fence = expect_lease(&back, 4);
    expect_line(1);
    release(&back, 5, fence);
    expect_lease(&other, 3);
    expect_silence(&lost);
    wire_close(&holder);
    wire_close(&lost);
    wire_close(&other);
    wire_close(&back);
    place_end();
}
END_TEST

START_TEST(who_waits_too_often_is_refused_and_can_do_all_else)
{
    struct wire holder, waiter;
    uint64_t fence;
    uint32_t id;

    place_begin(_i);
    claim("c", NULL, 0);
    wire_open(&holder);
    wire_open(&waiter);
    acquire(&holder, 2, 1, 0);
    fence = expect_lease(&holder, 2);
    for (id = 2; id < 2 + ACTA_WAITS_MAX - 1; id++) {
        acquire(&waiter, id, id, HOUR_US);
    }
    await(&waiter, id, HOUR_US);
    expect_line(ACTA_WAITS_MAX - 1);
    expect_silence(&waiter);

    acquire(&waiter, id + 1, id + 1, HOUR_US);
    wire_expect_error(&waiter, id + 1, ACTA_TOO_LARGE);
    await(&waiter, id + 2, HOUR_US);
    wire_expect_error(&waiter, id + 2, ACTA_TOO_LARGE);
    acquire(&waiter, id + 3, id + 3, 0);
    wire_expect_error(&waiter, id + 3, ACTA_HELD);
    await(&waiter, id + 4, 0);
    wire_expect_error(&waiter, id + 4, ACTA_TIMEOUT);

    release(&holder, 3, fence); /* One of them does not wait any more. */
    expect_lease(&waiter, 2);
    acquire(&waiter, id + 5, id + 5, HOUR_US);
    expect_silence(&waiter);
    await(&waiter, id + 6, HOUR_US);
    wire_expect_error(&waiter, id + 6, ACTA_TOO_LARGE);
    wire_close(&holder);
    wire_close(&waiter);
    place_end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conform_waits");
    TCase *tcase = tcase_create("conform_waits");

#define CASE(name) tcase_add_loop_test(tcase, name, 0, PLACES)
    CASE(a_claim_that_comes_again_waits_in_its_own_place);
    CASE(who_waits_too_often_is_refused_and_can_do_all_else);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
