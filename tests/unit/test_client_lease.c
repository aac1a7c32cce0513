/* Leases: held for no longer than is sure, renewed in time, given back, and all
 * of that over any number of connections.
 */

#include <acta/acta_lease.h>

#include "limit.h"
#include "msg_lease.h"
#include "peer.h"
#include "run.h"

#define DURATION_MS 9000

static struct peer peer;

/* What the callbacks were told, and what they do. */
static struct seen {
    struct acta_lease *lease;
    unsigned held;
    uint64_t fence;
    unsigned ended;
    enum acta_code code;
    bool releases;
    bool closes;
} seen;

static void
on_held(void *user, uint64_t fence)
{
    ck_assert_ptr_eq(user, &seen);
    seen.held++;
    seen.fence = fence;
    if (seen.releases) {
        acta_lease_release(seen.lease);
        seen.lease = NULL;
    }
    if (seen.closes) {
        acta_close(peer.client);
        peer.client = NULL;
    }
}

static void
on_ended(void *user, const struct acta_err *err)
{
    ck_assert_ptr_eq(user, &seen);
    seen.ended++;
    seen.code = err->code;
    seen.lease = NULL;
}

/* ---- the words in which the tests are written ---- */

static struct acta_acquire
acquire_of(uint64_t wait_ms)
{
    struct acta_acquire acquire = acta_acquire_of("projection", DURATION_MS);

    acquire.wait_ms = wait_ms;
    acquire.holder = "me";
    acquire.user = &seen;
    acquire.on_held = on_held;
    acquire.on_ended = on_ended;
    return acquire;
}

static void
acquire(uint64_t wait_ms)
{
    struct acta_acquire given = acquire_of(wait_ms);

    seen.lease = acta_lease_acquire(peer.client, &given, &peer.err);
    ck_assert_msg(seen.lease != NULL, "%s", peer.err.text);
}

/* Take the change that the client sends. Returns its id. */
static uint64_t
take_change(struct msg_change_lease *change)
{
    struct frame frame;

    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(frame.kind, OP_CHANGE_LEASE);
    ck_assert_int_eq(msg_change_lease_decode(change, frame.body, &peer.err),
                     ACTA_OK);
    return frame.request_id;
}

static uint64_t
take(enum msg_lease_change kind)
{
    struct msg_change_lease change;
    uint64_t id = take_change(&change);

    ck_assert_int_eq(change.kind, kind);
    return id;
}

static void
answer_for(uint64_t duration_ms, uint64_t id, uint64_t fence,
           uint64_t waited_ms)
{
    struct msg_lease_changed changed = {
        .fence = fence,
        .remaining_us = duration_ms * 1000,
        .changed = true,
        .waited_us = waited_ms * 1000,
    };

    msg_lease_changed_encode(&peer.answer, id, &changed);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
}

static void
answer(uint64_t id, uint64_t fence, uint64_t waited_ms)
{
    answer_for(DURATION_MS, id, fence, waited_ms);
}

static void
refuse(uint64_t id, enum acta_code code)
{
    peer_error(&peer, id, code, "no");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
}

static void
pass(uint64_t ms)
{
    ck_assert_int_eq(peer_wait(&peer, ms), ACTA_OK);
}

/* A lease that is held, since now. */
static void
hold(void)
{
    peer_connect(&peer);
    acquire(0);
    answer(take(MSG_LEASE_ACQUIRE), 7, 0);
    ck_assert_uint_eq(seen.held, 1);
}

static void
setup(void)
{
    struct acta_options options = acta_options_of("acta://127.0.0.1");

    /* The silence of the peer is not what is looked at here. */
    options.silence_ms = 1000000000;
    memset(&seen, 0, sizeof(seen));
    peer_open(&peer, &options);
}

static void
teardown(void)
{
    peer_close(&peer);
}

/* ---- acquiring ---- */

START_TEST(acquire_says_who_for_how_long_and_waits)
{
    struct msg_change_lease change;

    peer_connect(&peer);
    acquire(60000);
    take_change(&change);
    ck_assert_int_eq(change.kind, MSG_LEASE_ACQUIRE);
    ck_assert(slice_equal(change.name, slice_of("projection")));
    ck_assert(slice_equal(change.holder, slice_of("me")));
    ck_assert_uint_eq(change.duration_us, DURATION_MS * UINT64_C(1000));
    ck_assert_uint_eq(change.wait_us, 60000 * UINT64_C(1000));
}
END_TEST

START_TEST(lease_that_cannot_be_is_refused_at_once)
{
    struct acta_acquire nameless = acquire_of(0);
    struct acta_acquire momentary = acquire_of(0);
    struct acta_acquire eternal = acquire_of(0);

    nameless.name = "";
    momentary.duration_ms = 0;
    eternal.duration_ms = ACTA_LEASE_US_MAX / 1000 + 1;
    ck_assert_ptr_null(acta_lease_acquire(peer.client, &nameless, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
    ck_assert_ptr_null(acta_lease_acquire(peer.client, &momentary, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
    ck_assert_ptr_null(acta_lease_acquire(peer.client, &eternal, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_TOO_LARGE);
}
END_TEST

START_TEST(lease_is_held_from_when_it_was_asked_for)
{
    uint64_t id;

    peer_connect(&peer);
    acquire(0);
    id = take(MSG_LEASE_ACQUIRE);
    ck_assert(!acta_lease_is_held(seen.lease));
    pass(1000); /* That is how long the answer takes. */
    answer(id, 7, 0);
    ck_assert_uint_eq(seen.fence, 7);
    ck_assert_uint_eq(acta_lease_fence(seen.lease), 7);
    ck_assert(acta_lease_is_held(seen.lease));
    ck_assert_uint_eq(acta_lease_left_ms(seen.lease), DURATION_MS - 1000);
}
END_TEST

START_TEST(time_in_line_does_not_count)
{
    uint64_t id;

    peer_connect(&peer);
    acquire(ACTA_WAIT_FOR_EVER);
    id = take(MSG_LEASE_ACQUIRE);
    pass(100000);
    answer(id, 7, 99000);
    ck_assert_uint_eq(acta_lease_left_ms(seen.lease), DURATION_MS - 1000);
}
END_TEST

START_TEST(answer_that_comes_too_late_is_asked_for_again)
{
    struct msg_change_lease first, again;
    struct acta_id claim;
    uint64_t id;

    peer_connect(&peer);
    acquire(0);
    id = take_change(&first);
    memcpy(claim.bytes, first.claim, sizeof(claim.bytes));
    pass(DURATION_MS);
    answer(id, 7, 0);
    ck_assert_uint_eq(seen.held, 0);
    id = take_change(&again);
    ck_assert_int_eq(again.kind, MSG_LEASE_ACQUIRE);
    ck_assert_mem_eq(again.claim, claim.bytes, sizeof(claim.bytes));
    answer(id, 7, 0);
    ck_assert_uint_eq(seen.held, 1);
    ck_assert_uint_eq(acta_lease_left_ms(seen.lease), DURATION_MS);
}
END_TEST

START_TEST(lease_that_others_hold_is_refused)
{
    peer_connect(&peer);
    acquire(0);
    refuse(take(MSG_LEASE_ACQUIRE), ACTA_HELD);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_HELD);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(who_waits_waits_again_on_another_connection_for_what_is_left)
{
    struct msg_change_lease first, again;
    struct acta_id claim;

    peer_connect(&peer);
    acquire(60000);
    take_change(&first);
    memcpy(claim.bytes, first.claim, sizeof(claim.bytes));
    pass(10000);
    peer_lose(&peer);
    peer_connect(&peer);
    take_change(&again);
    ck_assert_uint_eq(again.wait_us, 50000 * UINT64_C(1000));
    ck_assert_mem_eq(again.claim, claim.bytes, sizeof(claim.bytes));
    ck_assert_uint_eq(seen.ended, 0);
}
END_TEST

START_TEST(wait_without_an_answer_ends_and_what_may_come_is_given_back)
{
    uint64_t id;

    peer_connect(&peer);
    acquire(60000);
    id = take(MSG_LEASE_ACQUIRE);
    pass(60000 + 30000);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_TIMEOUT);
    answer(id, 7, 0);
    answer(take(MSG_LEASE_RELEASE), 7, 0);
    peer_expect_silence(&peer);
    ck_assert_uint_eq(seen.held, 0);
    ck_assert_uint_eq(acta_in_flight(peer.client), 0);
}
END_TEST

START_TEST(full_disk_is_no_end)
{
    peer_connect(&peer);
    acquire(0);
    refuse(take(MSG_LEASE_ACQUIRE), ACTA_FULL);
    ck_assert_uint_eq(seen.ended, 0);
    pass(1000);
    answer(take(MSG_LEASE_ACQUIRE), 7, 0);
    ck_assert_uint_eq(seen.held, 1);
}
END_TEST

/* ---- holding ---- */

START_TEST(lease_is_renewed_when_a_third_has_passed)
{
    struct msg_change_lease change;
    uint64_t id;

    hold();
    pass(DURATION_MS / 3 - 1);
    peer_expect_silence(&peer);
    pass(1);
    id = take_change(&change);
    ck_assert_int_eq(change.kind, MSG_LEASE_RENEW);
    ck_assert_uint_eq(change.fence, 7);
    pass(500);
    peer_expect_silence(&peer);
    answer(id, 7, 0);
    ck_assert_uint_eq(acta_lease_left_ms(seen.lease), DURATION_MS - 500);
    ck_assert_uint_eq(seen.held, 1);
}
END_TEST

START_TEST(lease_is_not_renewed_if_it_is_not_to_be)
{
    struct acta_acquire given = acquire_of(0);

    given.no_renewal = true;
    peer_connect(&peer);
    seen.lease = acta_lease_acquire(peer.client, &given, NULL);
    answer(take(MSG_LEASE_ACQUIRE), 7, 0);
    pass(DURATION_MS - 1);
    peer_expect_silence(&peer);
    ck_assert(acta_lease_is_held(seen.lease));
    acta_lease_renew(seen.lease);
    answer(take(MSG_LEASE_RENEW), 7, 0);
    ck_assert_uint_eq(acta_lease_left_ms(seen.lease), DURATION_MS);
}
END_TEST

START_TEST(lease_is_not_held_when_its_time_is_over_whatever_was_told)
{
    hold();
    peer_lose(&peer);
    pass(DURATION_MS - 1);
    ck_assert(acta_lease_is_held(seen.lease));
    /* Its time passes while the loop does not turn. */
    peer_now_ms++;
    ck_assert(!acta_lease_is_held(seen.lease));
    ck_assert_uint_eq(acta_lease_left_ms(seen.lease), 0);
    ck_assert_uint_eq(seen.ended, 0);
    pass(0);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_FENCED);
}
END_TEST

START_TEST(renewal_goes_on_over_another_connection)
{
    hold();
    pass(DURATION_MS / 3);
    take(MSG_LEASE_RENEW);
    peer_lose(&peer);
    pass(1000);
    peer_connect(&peer);
    answer(take(MSG_LEASE_RENEW), 7, 0);
    ck_assert_uint_eq(acta_lease_left_ms(seen.lease), DURATION_MS);
    ck_assert_uint_eq(seen.ended, 0);
}
END_TEST

START_TEST(refused_renewal_ends_it)
{
    hold();
    pass(DURATION_MS / 3);
    refuse(take(MSG_LEASE_RENEW), ACTA_FENCED);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_FENCED);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(late_answer_to_a_renewal_does_not_hold_longer_than_is_sure)
{
    uint64_t id;

    hold();
    pass(DURATION_MS / 3);
    id = take(MSG_LEASE_RENEW);
    pass(DURATION_MS / 3);
    answer(id, 7, 0);
    ck_assert_uint_eq(acta_lease_left_ms(seen.lease), 2 * DURATION_MS / 3);
}
END_TEST

/* ---- a server that is busy ---- */

#define SHORT_MS 900

static struct acta_lease *
acquire_short(const char *name, uint64_t wait_ms, struct seen *user)
{
    struct acta_acquire given = acquire_of(wait_ms);

    given.name = name;
    given.duration_ms = SHORT_MS;
    given.user = user;
    given.on_held = user == NULL ? NULL : on_held;
    given.on_ended = user == NULL ? NULL : on_ended;
    return acta_lease_acquire(peer.client, &given, NULL);
}

/* For @ms the server is busy: for all, or but for renewals. Tells how often it
 * said so.
 */
static unsigned
pass_while_busy(uint64_t ms, bool renews)
{
    unsigned refused = 0;

    for (uint64_t end_ms = peer_now_ms + ms; peer_now_ms < end_ms; pass(10)) {
        struct msg_change_lease change;
        struct frame frame;

        while (peer_take(&peer, &frame)) {
            ck_assert_int_eq(frame.kind, OP_CHANGE_LEASE);
            ck_assert_int_eq(
                msg_change_lease_decode(&change, frame.body, &peer.err),
                ACTA_OK);
            if (renews && change.kind == MSG_LEASE_RENEW) {
                answer_for(SHORT_MS, frame.request_id, change.fence, 0);
            } else {
                refuse(frame.request_id, ACTA_BUSY);
                refused++;
            }
        }
    }
    return refused;
}

/* Others have made the client wait for seconds when it gets this one. */
START_TEST(renewal_does_not_wait_as_long_as_others)
{
    uint64_t id;

    peer_connect(&peer);
    seen.lease = acquire_short("projection", 60000, &seen);
    id = take(MSG_LEASE_ACQUIRE);
    ck_assert_ptr_nonnull(acquire_short("other", 60000, NULL));
    ck_assert_uint_ge(pass_while_busy(6000, true), 5);
    answer_for(SHORT_MS, id, 7, 6000);
    ck_assert_uint_ge(pass_while_busy(30000, true), 10);
    ck_assert_uint_eq(seen.held, 1);
    ck_assert_uint_eq(seen.ended, 0);
    ck_assert(acta_lease_is_held(seen.lease));
}
END_TEST

START_TEST(renewal_is_tried_more_often_the_less_time_is_left)
{
    peer_connect(&peer);
    seen.lease = acquire_short("projection", 0, &seen);
    answer_for(SHORT_MS, take(MSG_LEASE_ACQUIRE), 7, 0);
    ck_assert_uint_ge(pass_while_busy(SHORT_MS - 100, false), 5);
    pass_while_busy(SHORT_MS, true);
    ck_assert_uint_eq(seen.ended, 0);
    ck_assert(acta_lease_is_held(seen.lease));
}
END_TEST

/* ---- giving back ---- */

START_TEST(release_tells_the_fence)
{
    struct msg_change_lease change;
    struct acta_lease *lease;

    hold();
    lease = seen.lease;
    acta_lease_release(lease);
    take_change(&change);
    ck_assert_int_eq(change.kind, MSG_LEASE_RELEASE);
    ck_assert_uint_eq(change.fence, 7);
    ck_assert_uint_eq(seen.ended, 0);
}
END_TEST

START_TEST(release_survives_the_connection)
{
    hold();
    acta_lease_release(seen.lease);
    take(MSG_LEASE_RELEASE);
    peer_lose(&peer);
    peer_connect(&peer);
    answer(take(MSG_LEASE_RELEASE), 7, 0);
    peer_expect_silence(&peer);
    ck_assert_uint_eq(acta_in_flight(peer.client), 0);
}
END_TEST

START_TEST(lease_that_was_never_asked_for_is_just_forgotten)
{
    acquire(0);
    acta_lease_release(seen.lease);
    peer_connect(&peer);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(waiting_is_given_up_without_a_trace)
{
    struct msg_change_lease change;
    uint64_t id;

    peer_connect(&peer);
    acquire(ACTA_WAIT_FOR_EVER);
    take(MSG_LEASE_ACQUIRE);
    acta_lease_release(seen.lease);
    peer_expect_silence(&peer);
    peer_lose(&peer);
    peer_connect(&peer);
    /* It may have been granted before: then the claim has it, else nobody
     * waits.
     */
    id = take_change(&change);
    ck_assert_int_eq(change.kind, MSG_LEASE_ACQUIRE);
    ck_assert_uint_eq(change.wait_us, 0);
    answer(id, 9, 0);
    answer(take(MSG_LEASE_RELEASE), 9, 0);
    ck_assert_uint_eq(seen.held, 0);
    ck_assert_uint_eq(seen.ended, 0);
}
END_TEST

START_TEST(callback_may_release)
{
    peer_connect(&peer);
    seen.releases = true;
    acquire(0);
    answer(take(MSG_LEASE_ACQUIRE), 7, 0);
    ck_assert_uint_eq(seen.held, 1);
    take(MSG_LEASE_RELEASE);
}
END_TEST

START_TEST(callback_may_close_the_client)
{
    uint64_t id;
    struct msg_lease_changed changed = {.fence = 7};

    peer_connect(&peer);
    seen.closes = true;
    acquire(0);
    id = take(MSG_LEASE_ACQUIRE);
    msg_lease_changed_encode(&peer.answer, id, &changed);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_CANCELLED);
}
END_TEST

START_TEST(other_database_ends_it)
{
    hold();
    peer_lose(&peer);
    peer.welcome.database_id.bytes[0] ^= 1;
    peer_connect(&peer);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_INVALID);
    peer_expect_silence(&peer);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client lease");
    TCase *tcase = tcase_create("client lease");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, acquire_says_who_for_how_long_and_waits);
    tcase_add_test(tcase, lease_that_cannot_be_is_refused_at_once);
    tcase_add_test(tcase, lease_is_held_from_when_it_was_asked_for);
    tcase_add_test(tcase, time_in_line_does_not_count);
    tcase_add_test(tcase, answer_that_comes_too_late_is_asked_for_again);
    tcase_add_test(tcase, lease_that_others_hold_is_refused);
    tcase_add_test(
        tcase, who_waits_waits_again_on_another_connection_for_what_is_left);
    tcase_add_test(tcase,
                   wait_without_an_answer_ends_and_what_may_come_is_given_back);
    tcase_add_test(tcase, full_disk_is_no_end);
    tcase_add_test(tcase, lease_is_renewed_when_a_third_has_passed);
    tcase_add_test(tcase, lease_is_not_renewed_if_it_is_not_to_be);
    tcase_add_test(tcase,
                   lease_is_not_held_when_its_time_is_over_whatever_was_told);
    tcase_add_test(tcase, renewal_goes_on_over_another_connection);
    tcase_add_test(tcase, refused_renewal_ends_it);
    tcase_add_test(tcase,
                   late_answer_to_a_renewal_does_not_hold_longer_than_is_sure);
    tcase_add_test(tcase, renewal_does_not_wait_as_long_as_others);
    tcase_add_test(tcase, renewal_is_tried_more_often_the_less_time_is_left);
    tcase_add_test(tcase, release_tells_the_fence);
    tcase_add_test(tcase, release_survives_the_connection);
    tcase_add_test(tcase, lease_that_was_never_asked_for_is_just_forgotten);
    tcase_add_test(tcase, waiting_is_given_up_without_a_trace);
    tcase_add_test(tcase, callback_may_release);
    tcase_add_test(tcase, callback_may_close_the_client);
    tcase_add_test(tcase, other_database_ends_it);
    return run_suite(suite);
}
