/* No memory, at every place where the client asks for some: an error where it
 * was asked, or a connection that is made again, but no answer is lost and no
 * callback called twice.
 */

#include <stdlib.h>

#include <acta/acta_group.h>
#include <acta/acta_lease.h>

#include "alloc.h"
#include "member.h"
#include "msg_lease.h"
#include "peer.h"
#include "run.h"

static struct peer peer;

static struct told {
    unsigned count;
    enum acta_code code;
} appended, page, refused;

static size_t unseen_count;

static unsigned events_seen;
static unsigned out_of_order;

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *what)
{
    (void)user;
    (void)what;
    appended.count++;
    appended.code = err == NULL ? ACTA_OK : err->code;
}

static void
on_refused(void *user, const struct acta_err *err,
           const struct acta_appended *what)
{
    (void)user;
    refused.count++;
    refused.code = err == NULL ? ACTA_OK : err->code;
    unseen_count = what->unseen == NULL ? 0 : what->unseen->events_count;
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *what)
{
    (void)user;
    (void)what;
    page.count++;
    page.code = err == NULL ? ACTA_OK : err->code;
}

static void
on_events(void *user, const struct acta_batch *batch)
{
    (void)user;
    /* Check allocates for each assertion: not here, where none may fail. */
    for (size_t i = 0; i < batch->events_count; i++) {
        events_seen++;
        out_of_order += batch->events[i]->position != events_seen;
    }
}

/* ---- what lasts: a consumer, a member of a group, a lease ---- */

#define HANDED_COUNT 200

static struct lasting {
    struct acta_sub *sub;
    struct acta_member *member;
    struct acta_lease *lease;
    uint64_t checkpoint;
    unsigned handed;
    unsigned held;
    unsigned ended;
    int fail_leaving; /* The member leaves when it is handed the second event,
                         with this allocation failing; -1: it does not. */
} lasting;

static void
on_consumed(void *user, const struct acta_batch *batch)
{
    (void)user;
    acta_checkpoint(lasting.sub, batch->position);
}

static void
on_checkpoint(void *user, uint64_t position)
{
    (void)user;
    lasting.checkpoint = position;
}

static void
on_sub_ended(void *user, const struct acta_err *err, uint64_t position)
{
    (void)user;
    (void)err;
    (void)position;
    lasting.ended++;
}

static void
on_handed(void *user, const struct acta_handed *handed)
{
    (void)user;
    lasting.handed++;
    if (lasting.fail_leaving >= 0 && lasting.handed == 2) {
        alloc_fail_after = lasting.fail_leaving;
        acta_leave(lasting.member);
        alloc_fail_after = -1;
        return;
    }
    if (handed->event->position % 50 == 0) {
        acta_park(lasting.member, handed->number, "every fiftieth");
    } else {
        acta_ack(lasting.member, handed->number);
    }
}

static void
on_held(void *user, uint64_t fence)
{
    (void)user;
    (void)fence;
    lasting.held++;
}

static void
on_ended(void *user, const struct acta_err *err)
{
    (void)user;
    (void)err;
    lasting.ended++;
}

/* Begin all three, with the allocation number @n failing. What is refused is
 * tried again; true if something was.
 */
static bool
begin_lasting(int n)
{
    struct acta_follow follow = acta_follow_of(NULL, 0);
    struct acta_join join = acta_join_of("group", 1000);
    struct acta_acquire acquire = acta_acquire_of("lease", 10000);
    bool failed = false;

    follow.consumer = "consumer";
    follow.on_events = on_consumed;
    follow.on_checkpoint = on_checkpoint;
    follow.on_ended = on_sub_ended;
    join.on_event = on_handed;
    join.on_ended = on_ended;
    acquire.on_held = on_held;
    acquire.on_ended = on_ended;
    alloc_fail_after = n;
    while (lasting.sub == NULL) {
        lasting.sub = acta_subscribe(peer.client, &follow, &peer.err);
        failed |= lasting.sub == NULL;
    }
    while (lasting.member == NULL) {
        lasting.member = acta_join(peer.client, &join, &peer.err);
        failed |= lasting.member == NULL;
    }
    while (lasting.lease == NULL) {
        lasting.lease = acta_lease_acquire(peer.client, &acquire, &peer.err);
        failed |= lasting.lease == NULL;
    }
    failed |= alloc_fail_after == -1;
    alloc_fail_after = -1;
    return failed;
}

static void
hand_out(uint64_t id)
{
    struct msg_joined joined = {.epoch = 1, .on_park = MSG_PARK_GOES_ON};
    struct msg_open open;

    msg_joined_encode(&peer.answer, id, &joined);
    open = msg_handed_begin(&peer.answer, id, 5, HANDED_COUNT);
    for (uint64_t position = 1; position <= HANDED_COUNT; position++) {
        peer_record(&peer.answer, position);
    }
    msg_handed_end(&peer.answer, open, HANDED_COUNT, NULL, 0);
}

/* Settle all that it says. */
static void
settle(const struct frame *frame)
{
    struct msg_settle said;

    ck_assert_int_eq(msg_settle_decode(&said, frame->body, NULL), ACTA_OK);
    msg_settled_encode(&peer.answer, frame->request_id, HANDED_COUNT, NULL, 0);
}

/* Answer what the client asks. True if it asked something. */
static bool
answer_lasting(void)
{
    struct msg_consumer_changed claimed = {.epoch = 1};
    struct msg_lease_changed lease = {.fence = 3};
    struct msg_subscribe subscribe;
    struct frame frame;
    bool asked = false;

    while (peer_take(&peer, &frame)) {
        asked = true;
        switch (frame.kind) {
        case OP_CHANGE_CONSUMER:
            msg_consumer_changed_encode(&peer.answer, frame.request_id,
                                        &claimed);
            break;
        case OP_SUBSCRIBE:
            ck_assert_int_eq(msg_subscribe_decode(&subscribe, frame.body, NULL),
                             ACTA_OK);
            query_fini(&subscribe.query);
            if (subscribe.after < 6) {
                peer_delivery(&peer, frame.request_id, subscribe.after + 1, 6,
                              6);
            }
            break;
        case OP_APPEND:
            msg_appended_end(
                &peer.answer,
                msg_appended_begin(&peer.answer, frame.request_id, false, 0),
                0);
            break;
        case OP_JOIN:
            hand_out(frame.request_id);
            break;
        case OP_SETTLE:
            settle(&frame);
            break;
        case OP_CHANGE_LEASE:
            msg_lease_changed_encode(&peer.answer, frame.request_id, &lease);
            break;
        default:
            break;
        }
    }
    return asked;
}

/* Talk until there is nothing more to say, with the allocation number @n of
 * those failing that the client makes while it listens. True if it was made.
 */
static bool
talk(int n)
{
    bool asked = true;
    bool failed = false;

    while (asked || peer.client->core.state == CORE_DOWN) {
        if (peer.client->core.state == CORE_DOWN) {
            peer_connect(&peer);
        }
        asked = answer_lasting();
        alloc_fail_after = failed ? -1 : n;
        (void)peer_say(&peer);
        failed |= n != -1 && alloc_fail_after == -1;
        n = alloc_fail_after;
        alloc_fail_after = -1;
        if (peer.client->core.state != CORE_DOWN) {
            /* It is tried again when the pause is over. */
            bool is_held = peer.client->core.hold_until_ms > peer_now_ms;

            ck_assert_int_eq(
                peer_wait(&peer, is_held ? peer.client->core.hold_until_ms -
                                               peer_now_ms
                                         : 0),
                ACTA_OK);
            asked |= is_held;
        }
    }
    return failed;
}

static void
setup(void)
{
    memset(&lasting, 0, sizeof(lasting));
    lasting.fail_leaving = -1;
    alloc_reset();
    appended = (struct told){0};
    page = (struct told){0};
    refused = (struct told){0};
    unseen_count = 0;
    events_seen = 0;
    out_of_order = 0;
    peer_open(&peer, NULL);
}

static void
teardown(void)
{
    alloc_reset();
    peer_close(&peer);
}

/* Send an append that will be refused, with all that it can say. Its number. */
static uint64_t
append_on_terms(void)
{
    struct acta_draft draft = acta_draft_of("T", "data", 4);
    struct acta_append *append = acta_append_new();
    struct acta_query *query = acta_query_new();
    struct acta_id command_id = {{1}};
    uint64_t id = 0;

    acta_append_stream(append, "s-1", 0);
    acta_append_event(append, &draft);
    acta_append_check_stream(append, "s-2", 1);
    acta_append_command_id(append, &command_id);
    acta_append_unseen(append, 100, 0);
    acta_query_type_prefix(query, "T");
    if (query != NULL) {
        acta_append_condition(append, query, 1);
        id = acta_append(peer.client, append, 0, on_refused, NULL, &peer.err);
    } else {
        acta_fail(&peer.err, ACTA_MEMORY, "query");
    }
    acta_query_free(query);
    acta_append_free(append);
    return id;
}

/* Fill and send appends, read, and subscribe, with the allocation number @n
 * failing. What is refused is tried again; true if something was.
 */
static bool
ask_everything(int n)
{
    static const char data[3000];
    struct acta_follow follow = acta_follow_of(NULL, 0);
    struct acta_read read = acta_read_of_stream("s-1");
    struct acta_draft draft = acta_draft_of("T", data, sizeof(data));
    uint64_t append_id, terms_id, read_id;
    struct acta_append *append;
    struct acta_sub *sub;
    bool failed = false;

    follow.on_events = on_events;
    alloc_fail_after = n;
    do {
        append = acta_append_new();
        acta_append_stream(append, "s-1", 0);
        acta_append_event(append, &draft);
        append_id =
            acta_append(peer.client, append, 0, on_appended, NULL, &peer.err);
        acta_append_free(append);
        failed |= append_id == 0;
    } while (append_id == 0);
    do {
        terms_id = append_on_terms();
        failed |= terms_id == 0;
    } while (terms_id == 0);
    do {
        read_id = acta_read(peer.client, &read, 0, on_page, NULL, &peer.err);
        failed |= read_id == 0;
    } while (read_id == 0);
    do {
        sub = acta_subscribe(peer.client, &follow, &peer.err);
        failed |= sub == NULL;
    } while (sub == NULL);
    failed |= alloc_fail_after == -1;
    alloc_fail_after = -1;
    return failed;
}

/* The append with a stream to check is refused, the other one done. */
static void
answer_append(const struct frame *frame)
{
    struct msg_error error = {
        .code = ACTA_CONFLICT,
        .has_unseen = true,
        .unseen_complete = true,
        .unseen_count = 200,
    };
    struct msg_append append;
    struct msg_open open;
    bool is_on_terms;

    ck_assert_int_eq(msg_append_decode(&append, frame->body, NULL), ACTA_OK);
    is_on_terms = append.more.checks_count > 0;
    msg_append_fini(&append);
    if (!is_on_terms) {
        peer_appended(&peer, frame->request_id, 1, 1, 1);
        return;
    }
    open = msg_error_begin(&peer.answer, frame->request_id, &error);
    for (uint64_t position = 1; position <= error.unseen_count; position++) {
        peer_record(&peer.answer, position);
    }
    msg_error_end(&peer.answer, open, &error);
}

/* Answer what the client asks, from a log of six events. */
static void
answer_everything(void)
{
    struct frame frame;

    while (peer_take(&peer, &frame)) {
        struct msg_subscribe subscribe;

        switch (frame.kind) {
        case OP_APPEND:
            answer_append(&frame);
            break;
        case OP_READ_STREAM:
            peer_page(&peer, frame.request_id, 1, 300, true);
            break;
        case OP_SUBSCRIBE:
            ck_assert_int_eq(msg_subscribe_decode(&subscribe, frame.body, NULL),
                             ACTA_OK);
            if (subscribe.after < 6) {
                peer_delivery(&peer, frame.request_id, subscribe.after + 1, 6,
                              6);
            }
            query_fini(&subscribe.query);
            break;
        default:
            break;
        }
    }
}

START_TEST(failing_allocation_while_asking_is_told_to_who_asks)
{
    bool failed = true;

    for (int n = 0; failed; n++) {
        teardown();
        setup();
        failed = ask_everything(n);
        ck_assert(!failed || peer.err.code == ACTA_MEMORY ||
                  peer.err.code == ACTA_TOO_LARGE);
        peer_connect(&peer);
        answer_everything();
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert_uint_eq(appended.count, 1);
        ck_assert_uint_eq(refused.count, 1);
        ck_assert_int_eq(refused.code, ACTA_CONFLICT);
        ck_assert_uint_eq(unseen_count, 200);
        ck_assert_uint_eq(page.count, 1);
        ck_assert_uint_eq(events_seen, 6);
        ck_assert_uint_eq(out_of_order, 0);
        ck_assert_int_lt(n, 1000);
    }
}
END_TEST

START_TEST(failing_allocation_while_receiving_costs_a_connection_at_most)
{
    bool failed = true;

    for (int n = 0; failed; n++) {
        teardown();
        setup();
        ask_everything(-1);
        peer_connect(&peer);
        answer_everything();
        alloc_fail_after = n;
        if (peer_say(&peer) != ACTA_OK) {
            ck_assert_int_eq(peer.err.code, ACTA_MEMORY);
        }
        failed = alloc_fail_after == -1;
        alloc_fail_after = -1;
        if (peer.client->core.state == CORE_DOWN) {
            peer_connect(&peer);
        }
        answer_everything();
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert_uint_eq(appended.count, 1);
        ck_assert_int_eq(appended.code, ACTA_OK);
        ck_assert_uint_eq(refused.count, 1);
        ck_assert_int_eq(refused.code, ACTA_CONFLICT);
        ck_assert_uint_eq(unseen_count, 200);
        ck_assert_uint_eq(page.count, 1);
        ck_assert_int_eq(page.code, ACTA_OK);
        ck_assert_uint_eq(events_seen, 6);
        ck_assert_uint_eq(out_of_order, 0);
        ck_assert_int_lt(n, 1000);
    }
}
END_TEST

static void
expect_all_lasts(void)
{
    ck_assert_uint_eq(lasting.ended, 0);
    ck_assert_uint_eq(lasting.checkpoint, 6);
    ck_assert_uint_eq(lasting.held, 1);
    ck_assert_uint_ge(lasting.handed, HANDED_COUNT);
    ck_assert_uint_eq(acta_member_in_hand(lasting.member), 0);
    ck_assert_uint_eq(lasting.member->hand.answered, 0);
    ck_assert_uint_eq(acta_in_flight(peer.client), 0);
}

START_TEST(failing_allocation_while_beginning_what_lasts_is_told)
{
    bool failed = true;

    for (int n = 0; failed; n++) {
        teardown();
        setup();
        failed = begin_lasting(n);
        ck_assert(!failed || peer.err.code == ACTA_MEMORY);
        (void)talk(-1);
        expect_all_lasts();
        ck_assert_int_lt(n, 1000);
    }
}
END_TEST

START_TEST(failing_allocation_does_not_end_what_lasts)
{
    bool failed = true;

    for (int n = 0; failed; n++) {
        teardown();
        setup();
        begin_lasting(-1);
        failed = talk(n);
        expect_all_lasts();
        ck_assert_int_lt(n, 1000);
    }
}
END_TEST

/* What was answered cannot be told any more, and nobody is told of that. */
START_TEST(a_member_leaves_within_its_callback_without_memory)
{
    lasting.fail_leaving = _i;
    (void)begin_lasting(-1);
    (void)talk(-1);
    ck_assert_uint_eq(lasting.handed, 2);
    ck_assert_uint_eq(lasting.ended, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client memory");
    TCase *tcase = tcase_create("client memory");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, failing_allocation_while_asking_is_told_to_who_asks);
    tcase_add_test(
        tcase, failing_allocation_while_receiving_costs_a_connection_at_most);
    tcase_add_test(tcase,
                   failing_allocation_while_beginning_what_lasts_is_told);
    tcase_add_test(tcase, failing_allocation_does_not_end_what_lasts);
    tcase_add_loop_test(
        tcase, a_member_leaves_within_its_callback_without_memory, 0, 6);
    return run_suite(suite);
}
