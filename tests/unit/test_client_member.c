/* Memberships of groups: events once each while the connection lasts, answers
 * gathered, what is taken back dropped, and all anew on another connection.
 */

#include <acta/acta_group.h>
#include <stdio.h>

#include "limit.h"
#include "member.h"
#include "msg_group.h"
#include "peer.h"
#include "run.h"

#define EVENTS_MAX 100000

static struct peer peer;

/* What the callbacks were told, and what they do. */
static struct seen {
    struct acta_member *member;
    size_t count;
    uint64_t positions[EVENTS_MAX];
    uint64_t numbers[EVENTS_MAX];
    struct acta_handed handed; /* The last; event: not to be used. */
    unsigned joined;
    unsigned refused;
    struct acta_refused last_refused;
    unsigned ended;
    enum acta_code code;
    bool acks;
    uint64_t retries; /* The event of this position, when it is told. */
    uint64_t parks;
    bool pauses;
    bool leaves;
    bool closes;
} seen;

static void
act(const struct acta_handed *handed)
{
    uint64_t position = handed->event->position;

    if (position == seen.retries) {
        seen.retries = 0;
        acta_retry(seen.member, handed->number, 0);
    } else if (position == seen.parks) {
        seen.parks = 0;
        acta_park(seen.member, handed->number, "it is broken");
    } else if (seen.acks) {
        acta_ack(seen.member, handed->number);
    }
    if (seen.pauses) {
        acta_member_pause(seen.member);
    }
    if (seen.leaves) {
        acta_leave(seen.member);
        seen.member = NULL;
    }
    if (seen.closes) {
        acta_close(peer.client);
        peer.client = NULL;
    }
}

static void
on_event(void *user, const struct acta_handed *handed)
{
    ck_assert_ptr_eq(user, &seen);
    ck_assert_uint_lt(seen.count, EVENTS_MAX);
    seen.positions[seen.count] = handed->event->position;
    seen.numbers[seen.count] = handed->number;
    seen.count++;
    seen.handed = *handed;
    act(handed);
}

static void
on_joined(void *user)
{
    (void)user;
    seen.joined++;
}

static void
on_refused(void *user, const struct acta_refused *refused)
{
    (void)user;
    seen.refused++;
    seen.last_refused = *refused;
}

static void
on_ended(void *user, const struct acta_err *err)
{
    (void)user;
    seen.ended++;
    seen.code = err->code;
    seen.member = NULL;
}

/* ---- the words in which the tests are written ---- */

static struct acta_join
join_of(size_t slots)
{
    struct acta_join join = acta_join_of("mailers", slots);

    join.user = &seen;
    join.on_event = on_event;
    join.on_joined = on_joined;
    join.on_refused = on_refused;
    join.on_ended = on_ended;
    return join;
}

/* Answer the join that the client sends. Returns the membership. */
static uint64_t
take_join(const char *key_tag, enum msg_on_park on_park)
{
    struct msg_joined joined = {
        .position = 0,
        .epoch = 1,
        .key_tag = slice_of(key_tag),
        .on_park = on_park,
    };
    uint64_t id = peer_expect(&peer, OP_JOIN);

    msg_joined_encode(&peer.answer, id, &joined);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    return id;
}

static uint64_t
join(size_t slots)
{
    struct acta_join join = join_of(slots);

    peer_connect(&peer);
    seen.member = acta_join(peer.client, &join, &peer.err);
    ck_assert_msg(seen.member != NULL, "%s", peer.err.text);
    return take_join("", MSG_PARK_WAITS);
}

/* Put a frame with the events of @positions, up to 0, whose streams are named
 * by the last digit: "s-1" has 1, 11, 21.
 */
static void
put_handed(uint64_t id, uint64_t fence, const uint64_t *positions,
           const struct msg_count *counts, size_t counts_count)
{
    struct msg_open open = msg_handed_begin(&peer.answer, id, fence, 1000);
    size_t count = 0;

    for (; positions[count] != 0; count++) {
        char stream[16];

        snprintf(stream, sizeof(stream), "s-%d", (int)(positions[count] % 10));
        peer_record_in(&peer.answer, positions[count], stream);
    }
    msg_handed_end(&peer.answer, open, count, counts, counts_count);
}

#define HAND(id, fence, ...)                                                   \
    do {                                                                       \
        put_handed(id, fence, (const uint64_t[]){__VA_ARGS__, 0}, NULL, 0);    \
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);                            \
    } while (0)

/* Take the settle that the client sends, as a text such as
 * "ack 3, up to 5, retry 7 1000, park 8 reason".
 */
static const char *
take_settle(uint64_t membership, uint64_t *id)
{
    static const char *const kinds[] = {"ack", "up to", "retry", "park",
                                        "skip"};
    static char text[4096];
    struct msg_settle settle;
    struct frame frame;
    size_t size = 0;

    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(frame.kind, OP_SETTLE);
    ck_assert_int_eq(msg_settle_decode(&settle, frame.body, &peer.err),
                     ACTA_OK);
    ck_assert_uint_eq(settle.membership, membership);
    *id = frame.request_id;
    text[0] = '\0';
    for (size_t i = 0; i < settle.answers_count && size < 4000; i++) {
        struct msg_answer answer = msg_next_answer(&settle.answers);

        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s %d",
                                 i == 0 ? "" : ", ", kinds[answer.kind],
                                 (int)answer.position);
        if (answer.kind == MSG_RETRY) {
            size += (size_t)snprintf(text + size, sizeof(text) - size, " %d",
                                     (int)answer.delay_us);
        }
        if (answer.kind == MSG_PARK) {
            size += (size_t)snprintf(text + size, sizeof(text) - size, " %.*s",
                                     (int)answer.reason.size,
                                     (const char *)answer.reason.data);
        }
    }
    return text;
}

static void
settled(uint64_t id, uint64_t count, const uint32_t *refused,
        size_t refused_count)
{
    msg_settled_encode(&peer.answer, id, count, refused, refused_count);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
}

static void
setup(void)
{
    memset(&seen, 0, sizeof(seen));
    peer_open(&peer, NULL);
}

static void
teardown(void)
{
    peer_close(&peer);
}

/* ---- joining ---- */

START_TEST(join_names_group_slots_and_member)
{
    struct acta_join given = join_of(100);
    struct msg_join said;
    struct frame frame;

    given.member = "mailer 1";
    seen.member = acta_join(peer.client, &given, NULL);
    peer_expect_silence(&peer);
    peer_connect(&peer);
    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(frame.kind, OP_JOIN);
    ck_assert_int_eq(msg_join_decode(&said, frame.body, NULL), ACTA_OK);
    ck_assert(slice_equal(said.group, slice_of("mailers")));
    ck_assert(slice_equal(said.member, slice_of("mailer 1")));
    ck_assert_uint_eq(said.slots, 100);
}
END_TEST

START_TEST(join_that_cannot_be_is_refused_at_once)
{
    struct acta_join none = join_of(0);
    struct acta_join many = join_of(ACTA_SLOTS_MAX + 1);
    struct acta_join nameless = join_of(1);
    struct acta_join mute = join_of(1);

    nameless.group = NULL;
    mute.on_event = NULL;
    ck_assert_ptr_null(acta_join(peer.client, &none, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
    ck_assert_ptr_null(acta_join(peer.client, &many, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_TOO_LARGE);
    ck_assert_ptr_null(acta_join(peer.client, &nameless, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
    ck_assert_ptr_null(acta_join(peer.client, &mute, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
}
END_TEST

START_TEST(memberships_are_limited)
{
    struct acta_join given = join_of(1);

    for (int i = 0; i < ACTA_MEMBERSHIPS_MAX; i++) {
        ck_assert_ptr_nonnull(acta_join(peer.client, &given, NULL));
    }
    ck_assert_ptr_null(acta_join(peer.client, &given, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_BUSY);
}
END_TEST

START_TEST(group_that_is_not_there_ends_the_membership)
{
    struct acta_join given = join_of(1);
    uint64_t id;

    peer_connect(&peer);
    seen.member = acta_join(peer.client, &given, NULL);
    id = peer_expect(&peer, OP_JOIN);
    peer_error(&peer, id, ACTA_NOT_FOUND, "there is no group mailers");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_NOT_FOUND);
}
END_TEST

START_TEST(busy_server_is_joined_later)
{
    struct acta_join given = join_of(1);
    uint64_t id;

    peer_connect(&peer);
    seen.member = acta_join(peer.client, &given, NULL);
    id = peer_expect(&peer, OP_JOIN);
    peer_error(&peer, id, ACTA_BUSY, "later");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    peer_expect_silence(&peer);
    ck_assert_int_eq(peer_wait(&peer, 1000), ACTA_OK);
    take_join("", MSG_PARK_WAITS);
    ck_assert_uint_eq(seen.joined, 1);
    ck_assert_uint_eq(seen.ended, 0);
}
END_TEST

START_TEST(deleted_group_ends_the_membership)
{
    uint64_t id = join(10);
    struct msg_left left = {ACTA_NOT_FOUND, slice_of("group was deleted")};

    msg_left_encode(&peer.answer, id, &left);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_NOT_FOUND);
}
END_TEST

START_TEST(other_database_ends_the_membership)
{
    join(10);
    peer_lose(&peer);
    peer.welcome.database_id.bytes[0] ^= 1;
    peer_connect(&peer);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_INVALID);
}
END_TEST

/* ---- events ---- */

START_TEST(events_come_with_fence_deliveries_and_what_is_behind_them)
{
    const struct msg_count counts[] = {{.index = 1, .deliveries = 3}};
    const uint64_t positions[] = {1, 2, 0};
    uint64_t id = join(10);

    seen.pauses = true;
    put_handed(id, 7, positions, counts, 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_uint_eq(seen.handed.fence, 7);
    ck_assert_uint_eq(seen.handed.head, 1000);
    ck_assert_uint_eq(seen.handed.deliveries, 1);
    ck_assert_uint_eq(seen.handed.behind, 1);

    HAND(id, 8, 3);
    acta_member_resume(seen.member);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.handed.deliveries, 3);
    ck_assert_uint_eq(seen.handed.behind, 1);

    acta_member_resume(seen.member);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_uint_eq(seen.handed.fence, 8);
    ck_assert_uint_eq(seen.handed.behind, 0);
    ck_assert_uint_eq(acta_member_in_hand(seen.member), 3);
}
END_TEST

START_TEST(what_is_no_event_ends_the_connection_and_not_the_membership)
{
    uint64_t id = join(10);
    size_t start = frame_begin(&peer.answer, OP_HANDED, id);

    pack_array(&peer.answer, 1);
    pack_nil(&peer.answer);
    frame_end(&peer.answer, start);
    ck_assert_int_eq(peer_say(&peer), ACTA_PROTOCOL);
    peer_connect(&peer);
    take_join("", MSG_PARK_WAITS);
    ck_assert_uint_eq(seen.joined, 2);
}
END_TEST

/* ---- answers ---- */

START_TEST(acks_of_a_turn_are_one_answer)
{
    uint64_t id = join(10), request;

    seen.acks = true;
    HAND(id, 1, 1, 2, 3, 4, 5);
    ck_assert_str_eq(take_settle(id, &request), "up to 5");
    peer_expect_silence(&peer);
    settled(request, 5, NULL, 0);
    ck_assert_uint_eq(seen.refused, 0);
    ck_assert_uint_eq(acta_member_in_hand(seen.member), 0);
}
END_TEST

START_TEST(ack_does_not_take_along_what_is_still_in_hand)
{
    uint64_t id = join(10), request;

    HAND(id, 1, 1, 2, 3, 4, 5, 6);
    acta_ack(seen.member, seen.numbers[0]);
    acta_ack(seen.member, seen.numbers[1]);
    acta_ack(seen.member, seen.numbers[3]);
    acta_ack(seen.member, seen.numbers[4]);
    peer_expect_silence(&peer); /* Before the loop turns. */
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_str_eq(take_settle(id, &request), "up to 2, ack 4, ack 5");

    acta_ack(seen.member, seen.numbers[5]);
    acta_ack(seen.member, seen.numbers[2]);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_str_eq(take_settle(id, &request), "up to 6");
}
END_TEST

START_TEST(ack_up_to_takes_along_what_was_handed_out_before)
{
    uint64_t id = join(10), request;

    HAND(id, 1, 1, 2, 3, 4);
    acta_ack_up_to(seen.member, seen.numbers[2]);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_str_eq(take_settle(id, &request), "up to 3");
    ck_assert_uint_eq(acta_member_in_hand(seen.member), 1);
}
END_TEST

START_TEST(every_answer_is_told_in_the_order_of_handing_out)
{
    uint64_t id = join(10), request;

    HAND(id, 1, 1, 2, 3, 4, 5);
    acta_skip(seen.member, seen.numbers[4]);
    acta_park(seen.member, seen.numbers[3], "no");
    acta_retry(seen.member, seen.numbers[2], 5);
    acta_ack(seen.member, seen.numbers[1]);
    acta_ack(seen.member, seen.numbers[0]);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    /* Something may be taken back with what is retried: acks stand alone. */
    ck_assert_str_eq(take_settle(id, &request),
                     "ack 1, ack 2, retry 3 5000, park 4 no, skip 5");
}
END_TEST

START_TEST(number_that_is_not_in_hand_is_passed_over)
{
    uint64_t id = join(10), request;

    HAND(id, 1, 1);
    acta_ack(seen.member, 0);
    acta_ack(seen.member, 77);
    acta_ack(seen.member, seen.numbers[0]);
    acta_ack(seen.member, seen.numbers[0]);
    acta_retry(seen.member, seen.numbers[0], 0);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_str_eq(take_settle(id, &request), "ack 1");
    acta_ack(seen.member, seen.numbers[0]);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(reason_is_cut_and_made_text)
{
    uint64_t id = join(10), request;
    static char reason[3000];
    const char *told;

    memset(reason, 'x', sizeof(reason) - 1);
    /* A character of two bytes would be cut in half. */
    memcpy(reason + ACTA_TEXT_SIZE_MAX - 1, "\xc3\xa9", 2);
    HAND(id, 1, 1, 2, 3);
    acta_park(seen.member, seen.numbers[0], reason);
    acta_park(seen.member, seen.numbers[1], "not \xff text\x01");
    acta_park(seen.member, seen.numbers[2], NULL);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    told = take_settle(id, &request);
    ck_assert_uint_eq(strspn(told + strlen("park 1 "), "x"),
                      ACTA_TEXT_SIZE_MAX - 1);
    ck_assert_ptr_nonnull(strstr(told, "x, park 2 not ? text?, park 3 "));
}
END_TEST

START_TEST(refused_answers_are_told)
{
    static const uint32_t second[] = {1};
    uint64_t id = join(10), request;

    HAND(id, 9, 1, 2, 3);
    acta_ack(seen.member, seen.numbers[0]);
    acta_ack(seen.member, seen.numbers[2]);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_str_eq(take_settle(id, &request), "ack 1, ack 3");
    settled(request, 1, second, 1);
    ck_assert_uint_eq(seen.refused, 1);
    ck_assert_uint_eq(seen.last_refused.position, 3);
    ck_assert_uint_eq(seen.last_refused.fence, 9);
}
END_TEST

START_TEST(ack_up_to_that_settled_too_little_is_told)
{
    uint64_t id = join(10), request;

    seen.acks = true;
    HAND(id, 9, 1, 2, 3);
    ck_assert_str_eq(take_settle(id, &request), "up to 3");
    settled(request, 2, NULL, 0);
    ck_assert_uint_eq(seen.refused, 1);
    ck_assert_uint_eq(seen.last_refused.position, 0);
}
END_TEST

/* Also to tell them before leaving. */
START_TEST(many_answers_take_several_frames)
{
    uint64_t id = join(ACTA_SLOTS_MAX), request;
    static uint64_t positions[ACTA_SLOTS_MAX + 1];
    struct msg_settle settle;
    struct frame frame;
    size_t told = 0;

    for (size_t i = 0; i < ACTA_SLOTS_MAX; i++) {
        positions[i] = i + 1;
    }
    /* Those of the first frame are late: the server hands them out again. */
    for (uint64_t fence = 1; fence <= 2; fence++) {
        put_handed(id, fence, positions, NULL, 0);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    }
    /* Every other one, so that each needs an answer of its own. */
    for (size_t i = 1; i < seen.count; i += 2) {
        acta_skip(seen.member, seen.numbers[i]);
    }
    acta_skip(seen.member, seen.numbers[0]);
    if (_i == 1) {
        acta_leave(seen.member);
    }
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    while (peer_take(&peer, &frame) && frame.kind != OP_LEAVE) {
        ck_assert_int_eq(msg_settle_decode(&settle, frame.body, NULL), ACTA_OK);
        told += settle.answers_count;
        ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    }
    ck_assert_uint_eq(told, ACTA_SLOTS_MAX + 1);
    (void)request;
}
END_TEST

/* Whoever never answers gets what is handed out again and again, and holds no
 * more than there is room for.
 */
START_TEST(what_is_never_answered_is_given_back)
{
    uint64_t id = join(ACTA_SLOTS_MAX);
    static uint64_t positions[ACTA_SLOTS_MAX + 1];
    struct frame frame;
    bool given_back = false;

    for (size_t i = 0; i < ACTA_SLOTS_MAX; i++) {
        positions[i] = i + 1;
    }
    for (uint64_t fence = 1; fence <= 8; fence++) {
        put_handed(id, fence, positions, NULL, 0);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        for (int i = 0; i < 20; i++) {
            ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
        }
        while (peer_take(&peer, &frame)) {
            given_back |= frame.kind == OP_SETTLE;
        }
    }
    ck_assert(given_back);
    ck_assert_uint_lt(acta_member_in_hand(seen.member), 65536);
    ck_assert_uint_eq(seen.count, 8 * ACTA_SLOTS_MAX);
}
END_TEST

/* ---- what is taken back ---- */

START_TEST(events_behind_a_retried_one_of_its_key_are_dropped)
{
    static const uint32_t dropped[] = {1, 3};
    uint64_t id = join(10), request;

    seen.acks = true;
    seen.retries = 1;
    HAND(id, 1, 1, 11, 2, 21, 12);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_uint_eq(seen.positions[1], 2);
    ck_assert_uint_eq(seen.positions[2], 12);
    /* They are given back, in case that the server did not take them. */
    ck_assert_str_eq(take_settle(id, &request),
                     "retry 1 0, retry 11 1, ack 2, retry 21 1, ack 12");

    /* On its way before the server knew. */
    HAND(id, 2, 31, 3);
    ck_assert_uint_eq(seen.count, 4);
    ck_assert_uint_eq(seen.positions[3], 3);
    settled(request, 3, dropped, 2);
    ck_assert_uint_eq(seen.refused, 0);

    /* They come again. */
    HAND(id, 3, 1, 11, 21, 31);
    ck_assert_uint_eq(seen.count, 8);
    ck_assert_uint_eq(seen.positions[7], 31);
}
END_TEST

/* The server had taken event 1 back itself, so the retry of it takes nothing
 * back; what is dropped because of it does when it is given back.
 */
START_TEST(
    events_behind_one_that_is_given_back_are_dropped_though_the_retry_was_refused)
{
    static const uint32_t first[] = {0};
    uint64_t id = join(10), retry, back;

    seen.acks = true;
    seen.retries = 1;
    HAND(id, 1, 1);
    ck_assert_str_eq(take_settle(id, &retry), "retry 1 0");
    HAND(id, 2, 11);
    settled(retry, 0, first, 1);
    ck_assert_str_eq(take_settle(id, &back), "retry 11 1");

    /* On its way before the server knew that it has event 11 again. */
    HAND(id, 3, 21);
    ck_assert_uint_eq(seen.count, 1);

    settled(back, 1, NULL, 0);
    HAND(id, 4, 11, 21);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_uint_eq(seen.positions[1], 11);
    ck_assert_uint_eq(seen.positions[2], 21);
}
END_TEST

START_TEST(event_that_is_retried_behind_others_is_known_by_its_key)
{
    uint64_t id = join(10);

    HAND(id, 1, 1, 2);
    HAND(id, 2, 3);
    acta_retry(seen.member, seen.numbers[0], 1000);
    HAND(id, 3, 11, 12, 13);
    ck_assert_uint_eq(seen.count, 5);
    ck_assert_uint_eq(seen.positions[3], 12);
    ck_assert_uint_eq(seen.positions[4], 13);
}
END_TEST

START_TEST(retried_event_that_comes_at_once_ends_the_dropping)
{
    uint64_t id = join(10);

    seen.retries = 1;
    HAND(id, 1, 1, 11);
    HAND(id, 2, 1, 11, 21);
    ck_assert_uint_eq(seen.count, 4);
    ck_assert_uint_eq(seen.positions[1], 1);
    ck_assert_uint_eq(seen.positions[3], 21);
}
END_TEST

START_TEST(events_behind_a_parked_one_are_dropped_if_they_wait)
{
    uint64_t id = join(10);

    seen.parks = 1;
    HAND(id, 1, 1, 11, 2);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.positions[1], 2);
}
END_TEST

START_TEST(events_behind_a_parked_one_come_if_the_group_goes_on)
{
    struct acta_join given = join_of(10);
    uint64_t id;

    peer_connect(&peer);
    seen.member = acta_join(peer.client, &given, NULL);
    id = take_join("", MSG_PARK_GOES_ON);
    seen.parks = 1;
    HAND(id, 1, 1, 11, 2);
    ck_assert_uint_eq(seen.count, 3);
}
END_TEST

START_TEST(held_frames_are_looked_through_too)
{
    uint64_t id = join(10);

    seen.pauses = true;
    HAND(id, 1, 1);
    HAND(id, 2, 11, 2);
    seen.pauses = false;
    acta_retry(seen.member, seen.numbers[0], 1000);
    acta_member_resume(seen.member);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.positions[1], 2);
}
END_TEST

/* The server has taken back what it had handed out before the answer, whenever
 * that is told here.
 */
START_TEST(held_frames_from_before_the_answer_are_dropped_after_it)
{
    uint64_t id = join(10), request;

    seen.pauses = true;
    HAND(id, 1, 1);
    HAND(id, 2, 11, 2);
    acta_retry(seen.member, seen.numbers[0], 0);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_str_eq(take_settle(id, &request), "retry 1 0");
    settled(request, 1, NULL, 0);
    seen.pauses = false;
    acta_member_resume(seen.member);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.positions[1], 2);

    HAND(id, 3, 1, 11); /* They come again. */
    ck_assert_uint_eq(seen.count, 4);
    ck_assert_uint_eq(seen.positions[3], 11);
}
END_TEST

/* There is always an event more, of a key of its own, and each is retried. */
START_TEST(keys_are_forgotten_though_events_never_run_out)
{
    uint64_t id = join(10), request;

    seen.pauses = true;
    for (uint64_t p = 1; p <= 2000; p++) {
        struct msg_open open = msg_handed_begin(&peer.answer, id, p, 1000);
        char stream[16];

        snprintf(stream, sizeof(stream), "s-%u", (unsigned)p);
        peer_record_in(&peer.answer, p, stream);
        msg_handed_end(&peer.answer, open, 1, NULL, 0);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        if (p % 2 == 1) {
            continue; /* One is told, and one waits. */
        }
        for (int i = 0; p > 2 && i < 2; i++) {
            acta_member_resume(seen.member);
            ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
            acta_retry(seen.member, seen.numbers[seen.count - 1], 0);
            ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
            take_settle(id, &request);
            settled(request, 1, NULL, 0);
        }
    }
    ck_assert_uint_gt(seen.count, 1990);
    ck_assert_uint_lt(seen.member->taken.capacity, 64);
}
END_TEST

/* ---- connections ---- */

START_TEST(lost_connection_empties_the_hand_and_joins_again)
{
    uint64_t id = join(10), request;

    seen.pauses = true;
    HAND(id, 1, 1, 2);
    HAND(id, 2, 3);
    acta_ack(seen.member, seen.numbers[0]);
    peer_lose(&peer);
    ck_assert_uint_eq(acta_member_in_hand(seen.member), 0);
    seen.pauses = false;
    acta_member_resume(seen.member);

    peer_connect(&peer);
    id = take_join("", MSG_PARK_WAITS);
    ck_assert_uint_eq(seen.joined, 2);
    acta_ack(seen.member, seen.numbers[0]); /* Of the connection before. */
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    peer_expect_silence(&peer);
    ck_assert_uint_eq(seen.count, 1);

    HAND(id, 3, 1, 2);
    ck_assert_uint_eq(seen.count, 3);
    acta_ack_up_to(seen.member, seen.numbers[2]);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_str_eq(take_settle(id, &request), "up to 2");
}
END_TEST

START_TEST(answers_that_were_sent_are_not_sent_again)
{
    uint64_t id = join(10), request;

    seen.acks = true;
    HAND(id, 1, 1);
    take_settle(id, &request);
    peer_lose(&peer);
    ck_assert_uint_eq(acta_in_flight(peer.client), 0);
    peer_connect(&peer);
    take_join("", MSG_PARK_WAITS);
    peer_expect_silence(&peer);
}
END_TEST

/* Who waits until all is known has to be told that it will not be. */
START_TEST(answers_to_what_was_in_hand_when_the_connection_broke_are_lost)
{
    uint64_t id = join(10), request;

    HAND(id, 1, 1, 2, 3);
    acta_ack(seen.member, seen.numbers[0]);
    ck_assert_int_eq(peer_wait(&peer, 0), ACTA_OK);
    ck_assert_str_eq(take_settle(id, &request), "ack 1");
    settled(request, 1, NULL, 0);
    ck_assert(!seen.member->answers_lost);
    peer_lose(&peer);
    peer_connect(&peer);
    id = take_join("", MSG_PARK_WAITS);
    ck_assert(!seen.member->answers_lost);
    acta_ack(seen.member, seen.numbers[0]); /* Is known already. */
    ck_assert(!seen.member->answers_lost);
    acta_ack(seen.member, seen.numbers[2]);
    ck_assert(seen.member->answers_lost);

    /* Up to: once for all that were lost. */
    seen.member->answers_lost = false;
    acta_ack_up_to(seen.member, seen.numbers[0]);
    ck_assert(!seen.member->answers_lost);
    HAND(id, 2, 2);
    acta_ack_up_to(seen.member, seen.numbers[3]);
    ck_assert(seen.member->answers_lost);
    seen.member->answers_lost = false;
    HAND(id, 3, 3);
    acta_ack_up_to(seen.member, seen.numbers[4]);
    ck_assert(!seen.member->answers_lost);
}
END_TEST

START_TEST(leaving_tells_what_was_answered_first)
{
    uint64_t id = join(10), request;
    struct msg_left left = {.code = ACTA_OK};

    HAND(id, 1, 1, 2);
    acta_ack(seen.member, seen.numbers[0]);
    acta_leave(seen.member);
    ck_assert_str_eq(take_settle(id, &request), "ack 1");
    msg_left_encode(&peer.answer, peer_expect(&peer, OP_LEAVE), &left);
    settled(request, 1, NULL, 0);
    ck_assert_uint_eq(acta_in_flight(peer.client), 0);
    HAND(id, 2, 3); /* It was on its way. */
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.ended, 0);
}
END_TEST

START_TEST(callback_may_leave)
{
    uint64_t id = join(10), request;

    seen.acks = true;
    seen.leaves = true;
    HAND(id, 1, 1, 2);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_str_eq(take_settle(id, &request), "ack 1");
    peer_expect(&peer, OP_LEAVE);
}
END_TEST

START_TEST(callback_may_close_the_client)
{
    uint64_t id = join(10);

    seen.closes = true;
    put_handed(id, 1, (const uint64_t[]){1, 2, 0}, NULL, 0);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_CANCELLED);
}
END_TEST

static void
add_events(Suite *suite)
{
    TCase *tcase = tcase_create("events and answers");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   events_come_with_fence_deliveries_and_what_is_behind_them);
    tcase_add_test(tcase,
                   what_is_no_event_ends_the_connection_and_not_the_membership);
    tcase_add_test(tcase, acks_of_a_turn_are_one_answer);
    tcase_add_test(tcase, ack_does_not_take_along_what_is_still_in_hand);
    tcase_add_test(tcase, ack_up_to_takes_along_what_was_handed_out_before);
    tcase_add_test(tcase, every_answer_is_told_in_the_order_of_handing_out);
    tcase_add_test(tcase, number_that_is_not_in_hand_is_passed_over);
    tcase_add_test(tcase, reason_is_cut_and_made_text);
    tcase_add_test(tcase, refused_answers_are_told);
    tcase_add_test(tcase, ack_up_to_that_settled_too_little_is_told);
    tcase_add_loop_test(tcase, many_answers_take_several_frames, 0, 2);
    tcase_add_test(tcase, what_is_never_answered_is_given_back);
    tcase_add_test(tcase, events_behind_a_retried_one_of_its_key_are_dropped);
    tcase_add_test(
        tcase,
        events_behind_one_that_is_given_back_are_dropped_though_the_retry_was_refused);
    tcase_add_test(tcase,
                   event_that_is_retried_behind_others_is_known_by_its_key);
    tcase_add_test(tcase, retried_event_that_comes_at_once_ends_the_dropping);
    tcase_add_test(tcase, events_behind_a_parked_one_are_dropped_if_they_wait);
    tcase_add_test(tcase, events_behind_a_parked_one_come_if_the_group_goes_on);
    tcase_add_test(tcase, held_frames_are_looked_through_too);
    tcase_add_test(tcase,
                   held_frames_from_before_the_answer_are_dropped_after_it);
}

int
main(void)
{
    Suite *suite = suite_create("client member");
    TCase *tcase = tcase_create("joining and leaving");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, join_names_group_slots_and_member);
    tcase_add_test(tcase, join_that_cannot_be_is_refused_at_once);
    tcase_add_test(tcase, memberships_are_limited);
    tcase_add_test(tcase, group_that_is_not_there_ends_the_membership);
    tcase_add_test(tcase, busy_server_is_joined_later);
    tcase_add_test(tcase, deleted_group_ends_the_membership);
    tcase_add_test(tcase, other_database_ends_the_membership);
    tcase_add_test(tcase, keys_are_forgotten_though_events_never_run_out);
    tcase_add_test(tcase, lost_connection_empties_the_hand_and_joins_again);
    tcase_add_test(tcase, answers_that_were_sent_are_not_sent_again);
    tcase_add_test(
        tcase, answers_to_what_was_in_hand_when_the_connection_broke_are_lost);
    tcase_add_test(tcase, leaving_tells_what_was_answered_first);
    tcase_add_test(tcase, callback_may_leave);
    tcase_add_test(tcase, callback_may_close_the_client);
    add_events(suite);
    return run_suite(suite);
}
