/* Named consumers: claimed once, followed under their epoch, with a checkpoint
 * that is moved one step at a time; and what is told of them.
 */

#include <acta/acta_consumer.h>
#include <acta/acta_lease.h>
#include <acta/acta_schedule.h>
#include <acta/acta_snapshot.h>

#include "msg_consumer.h"
#include "msg_lease.h"
#include "peer.h"
#include "query_build.h"
#include "run.h"

static struct peer peer;

static struct seen {
    struct acta_sub *sub;
    unsigned claimed;
    uint64_t position;
    uint64_t epoch;
    unsigned events;
    unsigned checkpoints;
    uint64_t checkpoint;
    unsigned ended;
    enum acta_code code;
    unsigned told;
    uint64_t number;
} seen;

static void
on_events(void *user, const struct acta_batch *batch)
{
    (void)user;
    seen.events += (unsigned)batch->events_count;
    acta_checkpoint(seen.sub, batch->position);
}

static void
on_claimed(void *user, uint64_t position, uint64_t epoch)
{
    (void)user;
    seen.claimed++;
    seen.position = position;
    seen.epoch = epoch;
}

static void
on_checkpoint(void *user, uint64_t position)
{
    (void)user;
    seen.checkpoints++;
    seen.checkpoint = position;
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    (void)user;
    (void)position;
    seen.ended++;
    seen.code = err->code;
    seen.sub = NULL;
}

/* ---- the words in which the tests are written ---- */

static void
follow(void)
{
    struct acta_follow given = acta_follow_of(NULL, 3);

    given.consumer = "invoices";
    given.on_events = on_events;
    given.on_claimed = on_claimed;
    given.on_checkpoint = on_checkpoint;
    given.on_ended = on_ended;
    seen.sub = acta_subscribe(peer.client, &given, &peer.err);
    ck_assert_msg(seen.sub != NULL, "%s", peer.err.text);
}

static struct frame
take(enum opcode kind)
{
    struct frame frame;

    ck_assert(peer_take(&peer, &frame));
    ck_assert_msg(frame.kind == kind, "the client sends %s, not %s",
                  opcode_text(frame.kind), opcode_text(kind));
    return frame;
}

static uint64_t
take_claim(void)
{
    struct frame frame = take(OP_CHANGE_CONSUMER);
    struct msg_change_consumer change;

    ck_assert_int_eq(msg_change_consumer_decode(&change, frame.body, NULL),
                     ACTA_OK);
    ck_assert_int_eq(change.kind, MSG_CONSUMER_CLAIM);
    ck_assert(slice_equal(change.name, slice_of("invoices")));
    ck_assert_uint_eq(change.position, 3);
    query_fini(&change.query);
    return frame.request_id;
}

static void
say_changed(uint64_t id, uint64_t position, uint64_t epoch)
{
    struct msg_consumer_changed changed = {position, epoch, true};

    msg_consumer_changed_encode(&peer.answer, id, &changed);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
}

static uint64_t
take_subscribe(uint64_t after, uint64_t epoch)
{
    struct frame frame = take(OP_SUBSCRIBE);
    struct msg_subscribe subscribe;

    ck_assert_int_eq(msg_subscribe_decode(&subscribe, frame.body, NULL),
                     ACTA_OK);
    ck_assert(slice_equal(subscribe.consumer, slice_of("invoices")));
    ck_assert_uint_eq(subscribe.epoch, epoch);
    ck_assert_uint_eq(subscribe.after, after);
    query_fini(&subscribe.query);
    return frame.request_id;
}

/* Take a move of the checkpoint. Returns the id of its append. */
static uint64_t
take_move(uint64_t to, uint64_t epoch)
{
    struct frame frame = take(OP_APPEND);
    struct msg_append append;

    ck_assert_int_eq(msg_append_decode(&append, frame.body, &peer.err),
                     ACTA_OK);
    ck_assert_uint_eq(append.writes_count, 0);
    ck_assert_uint_eq(append.more.checkpoints_count, 1);
    ck_assert(
        slice_equal(append.more.checkpoints[0].consumer, slice_of("invoices")));
    ck_assert_uint_eq(append.more.checkpoints[0].epoch, epoch);
    ck_assert_uint_eq(append.more.checkpoints[0].to, to);
    msg_append_fini(&append);
    return frame.request_id;
}

static void
say_moved(uint64_t id)
{
    msg_appended_end(&peer.answer,
                     msg_appended_begin(&peer.answer, id, false, 0), 0);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
}

static void
refuse(uint64_t id, enum acta_code code)
{
    peer_error(&peer, id, code, "no");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
}

/* Follow behind 10 under epoch 5. */
static uint64_t
claim(void)
{
    peer_connect(&peer);
    follow();
    say_changed(take_claim(), 10, 5);
    return take_subscribe(10, 5);
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

/* ---- claiming ---- */

START_TEST(consumer_is_claimed_and_followed_from_its_checkpoint)
{
    claim();
    ck_assert_uint_eq(seen.claimed, 1);
    ck_assert_uint_eq(seen.position, 10);
    ck_assert_uint_eq(seen.epoch, 5);
    ck_assert_uint_eq(acta_sub_epoch(seen.sub), 5);
    ck_assert_uint_eq(acta_sub_position(seen.sub), 10);
}
END_TEST

START_TEST(claim_whose_answer_was_lost_is_made_again)
{
    peer_connect(&peer);
    follow();
    take_claim();
    peer_expect_silence(&peer);
    peer_lose(&peer);
    peer_connect(&peer);
    say_changed(take_claim(), 10, 6);
    take_subscribe(10, 6);
    ck_assert_uint_eq(seen.claimed, 1);
}
END_TEST

START_TEST(lost_connection_goes_on_in_the_same_epoch)
{
    uint64_t id = claim();

    peer_delivery(&peer, id, 11, 12, 20);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    say_moved(take_move(12, 5));
    peer_lose(&peer);
    peer_connect(&peer);
    take_subscribe(12, 5);
    ck_assert_uint_eq(seen.claimed, 1);
}
END_TEST

START_TEST(group_of_that_name_ends_it)
{
    peer_connect(&peer);
    follow();
    refuse(take_claim(), ACTA_EXISTS);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_EXISTS);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(full_disk_is_claimed_on_later)
{
    peer_connect(&peer);
    follow();
    refuse(take_claim(), ACTA_FULL);
    ck_assert_int_eq(peer_wait(&peer, 1000), ACTA_OK);
    say_changed(take_claim(), 10, 5);
    ck_assert_uint_eq(seen.claimed, 1);
}
END_TEST

START_TEST(claim_by_another_ends_it)
{
    uint64_t id = claim();
    struct msg_unsubscribed said = {ACTA_FENCED, slice_of("claimed"), 10};

    msg_unsubscribed_encode(&peer.answer, id, &said);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_FENCED);
}
END_TEST

START_TEST(unsubscribing_while_claiming_forgets_the_claim)
{
    uint64_t id;

    peer_connect(&peer);
    follow();
    id = take_claim();
    acta_unsubscribe(seen.sub);
    say_changed(id, 10, 5);
    ck_assert_uint_eq(seen.claimed, 0);
    ck_assert_uint_eq(acta_in_flight(peer.client), 0);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(name_that_is_none_is_refused_at_once)
{
    struct acta_follow given = acta_follow_of(NULL, 0);

    given.consumer = "";
    given.on_events = on_events;
    ck_assert_ptr_null(acta_subscribe(peer.client, &given, &peer.err));
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
}
END_TEST

/* ---- checkpoints ---- */

START_TEST(one_move_is_under_way_and_the_newest_is_next)
{
    uint64_t move;

    claim();
    acta_checkpoint(seen.sub, 11);
    move = take_move(11, 5);
    acta_checkpoint(seen.sub, 12);
    acta_checkpoint(seen.sub, 15);
    acta_checkpoint(seen.sub, 14);
    peer_expect_silence(&peer);
    say_moved(move);
    ck_assert_uint_eq(seen.checkpoint, 11);
    say_moved(take_move(15, 5));
    ck_assert_uint_eq(seen.checkpoint, 15);
    ck_assert_uint_eq(seen.checkpoints, 2);
    acta_checkpoint(seen.sub, 15);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(move_that_got_lost_is_made_again_with_the_newest)
{
    claim();
    acta_checkpoint(seen.sub, 11);
    take_move(11, 5);
    acta_checkpoint(seen.sub, 12);
    peer_lose(&peer);
    peer_connect(&peer);
    take_subscribe(10, 5);
    say_moved(take_move(12, 5));
    ck_assert_uint_eq(seen.checkpoint, 12);
}
END_TEST

START_TEST(move_that_is_fenced_ends_the_subscription)
{
    claim();
    acta_checkpoint(seen.sub, 11);
    refuse(take_move(11, 5), ACTA_FENCED);
    ck_assert_uint_eq(seen.ended, 1);
    ck_assert_int_eq(seen.code, ACTA_FENCED);
    peer_expect(&peer, OP_UNSUBSCRIBE);
}
END_TEST

START_TEST(checkpoint_that_is_beyond_is_left_there)
{
    claim();
    acta_checkpoint(seen.sub, 11);
    refuse(take_move(11, 5), ACTA_CONFLICT);
    ck_assert_uint_eq(seen.ended, 0);
    ck_assert_uint_eq(seen.checkpoint, 11);
}
END_TEST

START_TEST(full_disk_is_moved_on_later)
{
    claim();
    acta_checkpoint(seen.sub, 11);
    refuse(take_move(11, 5), ACTA_FULL);
    ck_assert_int_eq(peer_wait(&peer, 1000), ACTA_OK);
    say_moved(take_move(11, 5));
    ck_assert_uint_eq(seen.checkpoint, 11);
}
END_TEST

START_TEST(checkpoint_before_the_claim_does_nothing)
{
    follow();
    acta_checkpoint(seen.sub, 11);
    peer_connect(&peer);
    take_claim();
    peer_expect_silence(&peer);
}
END_TEST

/* ---- changes ---- */

static void
on_changed(void *user, const struct acta_err *err,
           const struct acta_consumer_changed *changed)
{
    (void)user;
    seen.told++;
    seen.code = err == NULL ? ACTA_OK : err->code;
    seen.position = changed->position;
    seen.epoch = changed->epoch;
}

/* Take a change of a consumer, and answer it. */
static struct msg_change_consumer
take_change(void)
{
    struct frame frame = take(OP_CHANGE_CONSUMER);
    struct msg_change_consumer change;

    ck_assert_int_eq(msg_change_consumer_decode(&change, frame.body, &peer.err),
                     ACTA_OK);
    query_fini(&change.query);
    say_changed(frame.request_id, 1, 2);
    ck_assert_uint_eq(seen.told, 1);
    ck_assert_int_eq(seen.code, ACTA_OK);
    ck_assert_uint_eq(seen.position, 1);
    ck_assert_uint_eq(seen.epoch, 2);
    seen.told = 0;
    return change;
}

START_TEST(every_change_says_what_it_is)
{
    struct acta_client *client = peer.client;
    struct msg_change_consumer change;

    peer_connect(&peer);
    acta_claim(client, "c", NULL, 9, 0, on_changed, NULL, NULL);
    change = take_change();
    ck_assert_int_eq(change.kind, MSG_CONSUMER_CLAIM);
    ck_assert_uint_eq(change.position, 9);
    acta_pause_group(client, "c", 0, on_changed, NULL, NULL);
    ck_assert_int_eq(take_change().kind, MSG_CONSUMER_PAUSE);
    acta_resume_group(client, "c", 0, on_changed, NULL, NULL);
    ck_assert_int_eq(take_change().kind, MSG_CONSUMER_RESUME);
    acta_reset_consumer(client, "c", 8, 0, on_changed, NULL, NULL);
    change = take_change();
    ck_assert_int_eq(change.kind, MSG_CONSUMER_RESET);
    ck_assert_uint_eq(change.position, 8);
    acta_delete_consumer(client, "c", 0, on_changed, NULL, NULL);
    ck_assert_int_eq(take_change().kind, MSG_CONSUMER_DELETE);
}
END_TEST

START_TEST(group_is_made_and_altered_with_what_is_given)
{
    struct acta_group group =
        acta_group_of(ACTA_GROUP_ACK_TIMEOUT | ACTA_GROUP_ON_PARK);
    struct msg_change_consumer change;

    group.ack_timeout_us = 5000000;
    group.on_park = ACTA_PARK_GOES_ON;
    group.key_tag = "customer:";
    group.position = 4;
    peer_connect(&peer);
    acta_create_group(peer.client, "g", &group, 0, on_changed, NULL, NULL);
    change = take_change();
    ck_assert_int_eq(change.kind, MSG_CONSUMER_CREATE);
    ck_assert_uint_eq(change.given & (MSG_HAS_ACK_TIMEOUT | MSG_HAS_ON_PARK |
                                      MSG_HAS_DELIVERIES_MAX),
                      MSG_HAS_ACK_TIMEOUT | MSG_HAS_ON_PARK);
    ck_assert_uint_eq(change.settings.ack_timeout_us, 5000000);
    ck_assert_int_eq(change.settings.on_park, MSG_PARK_GOES_ON);
    ck_assert_uint_eq(change.position, 4);

    group.given = ACTA_GROUP_DELIVERIES_MAX;
    group.deliveries_max = 3;
    acta_alter_group(peer.client, "g", &group, 0, on_changed, NULL, NULL);
    change = take_change();
    ck_assert_int_eq(change.kind, MSG_CONSUMER_ALTER);
    ck_assert_uint_eq(change.given, MSG_HAS_DELIVERIES_MAX);
    ck_assert_uint_eq(change.settings.deliveries_max, 3);

    group.given = 0;
    ck_assert_uint_eq(acta_alter_group(peer.client, "g", &group, 0, on_changed,
                                       NULL, &peer.err),
                      0);
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
    group.given = 1u << 20;
    ck_assert_uint_eq(acta_alter_group(peer.client, "g", &group, 0, on_changed,
                                       NULL, &peer.err),
                      0);
    ck_assert_int_eq(peer.err.code, ACTA_UNSUPPORTED);
}
END_TEST

START_TEST(change_whose_answer_was_lost_is_sent_again)
{
    struct frame frame;

    peer_connect(&peer);
    acta_delete_consumer(peer.client, "c", 0, on_changed, NULL, NULL);
    take(OP_CHANGE_CONSUMER);
    peer_lose(&peer);
    peer_connect(&peer);
    frame = take(OP_CHANGE_CONSUMER);
    say_changed(frame.request_id, 1, 2);
    ck_assert_uint_eq(seen.told, 1);
}
END_TEST

START_TEST(change_that_was_sent_and_not_answered_is_unknown)
{
    peer_connect(&peer);
    acta_delete_consumer(peer.client, "c", 1000, on_changed, NULL, NULL);
    take(OP_CHANGE_CONSUMER);
    ck_assert_int_eq(peer_wait(&peer, 1000), ACTA_OK);
    ck_assert_uint_eq(seen.told, 1);
    ck_assert_int_eq(seen.code, ACTA_UNKNOWN);
}
END_TEST

/* ---- what is told ---- */

static void
on_consumers(void *user, const struct acta_err *err,
             const struct acta_consumers *consumers)
{
    const struct acta_consumer *group;

    (void)user;
    ck_assert_ptr_null(err);
    seen.told++;
    ck_assert_uint_eq(consumers->consumers_count, 2);
    ck_assert(consumers->at_end);
    ck_assert_str_eq(consumers->consumers[0]->name, "alone");
    ck_assert_uint_eq(consumers->consumers[0]->query_count, 0);
    ck_assert_int_eq(consumers->consumers[0]->kind, ACTA_CONSUMER_PLAIN);
    ck_assert_str_eq(consumers->consumers[0]->key_tag, "");
    group = consumers->consumers[1];
    ck_assert_str_eq(group->name, "group");
    ck_assert_int_eq(group->kind, ACTA_CONSUMER_GROUP);
    ck_assert_str_eq(group->key_tag, "customer:");
    ck_assert_uint_eq(group->lag_matching, 44);
    ck_assert(group->lag_is_counted);
    ck_assert_uint_eq(group->parked, 99);
    ck_assert_uint_eq(group->query_count, 4);
    ck_assert_uint_eq(group->query[0]->item, 0);
    ck_assert_int_eq(group->query[0]->field, ACTA_QUERY_TYPE);
    ck_assert_str_eq(group->query[0]->text, "OrderPaid");
    ck_assert(!group->query[0]->is_prefix);
    ck_assert_str_eq(group->query[1]->text, "Seat");
    ck_assert(group->query[1]->is_prefix);
    ck_assert_int_eq(group->query[2]->field, ACTA_QUERY_TAG);
    ck_assert_uint_eq(group->query[3]->item, 1);
    ck_assert_int_eq(group->query[3]->field, ACTA_QUERY_CORRELATION_ID);
    ck_assert_str_eq(group->query[3]->text,
                     "01000000-0000-0000-0000-000000000000");
}

/* A query in the form of the wire. */
static void
pack_query(struct buf *buf)
{
    struct acta_query *query = acta_query_new();
    struct acta_id id = {{1}};
    struct query built;

    acta_query_type(query, "OrderPaid");
    acta_query_type_prefix(query, "Seat");
    acta_query_tag(query, "customer:7");
    acta_query_or(query);
    acta_query_correlation_id(query, &id);
    ck_assert_int_eq(query_build(query, &built, NULL), ACTA_OK);
    query_encode(buf, &built);
    query_fini(&built);
    acta_query_free(query);
}

START_TEST(consumers_are_told_with_their_queries)
{
    struct msg_consumer alone = {
        .name = slice_of("alone"),
        .query = slice_make("\x90", 1),
    };
    struct msg_consumer group = {
        .name = slice_of("group"),
        .kind = MSG_CONSUMER_GROUP,
        .settings = {.key_tag = slice_of("customer:")},
        .lag = {.matching = 44, .is_counted = true},
        .parked = 99,
    };
    struct msg_open open;
    struct buf query;

    buf_init(&query, 10000);
    pack_query(&query);
    group.query = buf_slice(&query);
    peer_connect(&peer);
    acta_list_consumers(peer.client, "a", NULL, 0, 0, on_consumers, NULL, NULL);
    open =
        msg_consumers_begin(&peer.answer, take(OP_LIST_CONSUMERS).request_id);
    msg_consumers_add(&peer.answer, &open, &alone);
    msg_consumers_add(&peer.answer, &open, &group);
    msg_consumers_end(&peer.answer, open, true);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.told, 1);
    buf_fini(&query);
}
END_TEST

static void
on_description(void *user, const struct acta_err *err,
               const struct acta_consumer_description *description)
{
    (void)user;
    seen.told++;
    if (err != NULL) {
        seen.code = err->code;
        ck_assert_ptr_null(description->consumer);
        ck_assert_uint_eq(description->members_count, 0);
        return;
    }
    ck_assert_str_eq(description->consumer->name, "group");
    ck_assert_uint_eq(description->members_count, 2);
    ck_assert_str_eq(description->members[0]->name, "");
    ck_assert_str_eq(description->members[1]->name, "mailer 2");
    ck_assert_uint_eq(description->members[1]->acked, 5);
}

START_TEST(consumer_is_described_with_its_members)
{
    struct msg_consumer group = {
        .name = slice_of("group"),
        .query = slice_make("\x90", 1),
    };
    struct msg_member one = {.name = slice_of("")};
    struct msg_member two = {.name = slice_of("mailer 2"), .acked = 5};
    struct msg_open open;

    peer_connect(&peer);
    acta_describe_consumer(peer.client, "group", 0, on_description, NULL, NULL);
    open = msg_consumer_begin(&peer.answer,
                              take(OP_DESCRIBE_CONSUMER).request_id, &group);
    msg_consumer_member(&peer.answer, &open, &one);
    msg_consumer_member(&peer.answer, &open, &two);
    msg_consumer_end(&peer.answer, open);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.told, 1);

    acta_describe_consumer(peer.client, "none", 0, on_description, NULL, NULL);
    refuse(take(OP_DESCRIBE_CONSUMER).request_id, ACTA_NOT_FOUND);
    ck_assert_uint_eq(seen.told, 2);
    ck_assert_int_eq(seen.code, ACTA_NOT_FOUND);
}
END_TEST

static void
on_parked(void *user, const struct acta_err *err,
          const struct acta_parked_page *page)
{
    (void)user;
    ck_assert_ptr_null(err);
    seen.told++;
    ck_assert_uint_eq(page->parked_count, 2);
    ck_assert_str_eq(page->parked[0]->key, "s-1");
    ck_assert_str_eq(page->parked[0]->reason, "it is broken");
    ck_assert_int_eq(page->parked[1]->state, ACTA_PARKED_BEHIND);
    ck_assert_str_eq(page->parked[1]->reason, "");
}

static void
on_count(void *user, const struct acta_err *err, uint64_t count)
{
    (void)user;
    ck_assert_ptr_null(err);
    seen.told++;
    seen.number = count;
}

START_TEST(parked_events_are_listed_replayed_and_dropped)
{
    const uint64_t positions[] = {7, 9};
    struct msg_parked first = {.key = slice_of("s-1"),
                               .reason = slice_of("it is broken")};
    struct msg_parked second = {.key = slice_of("s-2"),
                                .state = MSG_PARKED_BEHIND,
                                .reason = slice_of("")};
    struct msg_change_parked change;
    struct msg_open open;
    struct frame frame;

    peer_connect(&peer);
    acta_list_parked(peer.client, "g", 0, 0, 0, on_parked, NULL, NULL);
    open = msg_parked_begin(&peer.answer, take(OP_LIST_PARKED).request_id);
    msg_parked_add(&peer.answer, &open, &first);
    msg_parked_add(&peer.answer, &open, &second);
    msg_parked_end(&peer.answer, open, true);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.told, 1);

    acta_replay_parked(peer.client, "g", positions, 2, 0, on_count, NULL, NULL);
    frame = take(OP_CHANGE_PARKED);
    ck_assert_int_eq(msg_change_parked_decode(&change, frame.body, NULL),
                     ACTA_OK);
    ck_assert_int_eq(change.kind, MSG_PARKED_REPLAY);
    ck_assert_uint_eq(change.positions_count, 2);
    msg_number_encode(&peer.answer, OP_PARKED_CHANGED, frame.request_id, 2);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.number, 2);

    acta_drop_parked(peer.client, "g", NULL, 0, 0, on_count, NULL, NULL);
    frame = take(OP_CHANGE_PARKED);
    ck_assert_int_eq(msg_change_parked_decode(&change, frame.body, NULL),
                     ACTA_OK);
    ck_assert_int_eq(change.kind, MSG_PARKED_DROP);
    ck_assert(change.all);
    msg_number_encode(&peer.answer, OP_PARKED_CHANGED, frame.request_id, 9);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.number, 9);
    ck_assert_uint_eq(acta_drop_parked(peer.client, "g", positions, 0, 0,
                                       on_count, NULL, &peer.err),
                      0);
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
}
END_TEST

static void
on_leases(void *user, const struct acta_err *err,
          const struct acta_leases *leases)
{
    (void)user;
    ck_assert_ptr_null(err);
    seen.told++;
    ck_assert_uint_eq(leases->leases_count, 2);
    ck_assert_str_eq(leases->leases[0]->name, "a");
    ck_assert_str_eq(leases->leases[0]->holder, "me");
    ck_assert_uint_eq(leases->leases[0]->waiters_named, 2);
    ck_assert_str_eq(leases->leases[0]->waiters[0], "you");
    ck_assert_str_eq(leases->leases[0]->waiters[1], "they");
    ck_assert_str_eq(leases->leases[1]->name, "b");
    ck_assert_uint_eq(leases->leases[1]->waiters_named, 0);
}

START_TEST(leases_are_told_with_those_who_wait)
{
    struct msg_lease first = {
        .name = slice_of("a"),
        .holder = slice_of("me"),
        .waiters_count = 2,
        .waiters_named = 2,
        .waiters = {slice_of("you"), slice_of("they")},
    };
    struct msg_lease second = {.name = slice_of("b"), .holder = slice_of("")};
    struct msg_open open;

    peer_connect(&peer);
    acta_list_leases(peer.client, NULL, NULL, 0, 0, on_leases, NULL, NULL);
    open = msg_leases_begin(&peer.answer, take(OP_LIST_LEASES).request_id);
    msg_leases_add(&peer.answer, &open, &first);
    msg_leases_add(&peer.answer, &open, &second);
    msg_leases_end(&peer.answer, open, true);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.told, 1);
}
END_TEST

static void
on_schedules(void *user, const struct acta_err *err,
             const struct acta_schedules *schedules)
{
    (void)user;
    ck_assert_ptr_null(err);
    seen.told++;
    ck_assert_uint_eq(schedules->schedules_count, 1);
    ck_assert_str_eq(schedules->schedules[0]->name, "late");
    ck_assert(schedules->schedules[0]->has_failed);
    ck_assert_str_eq(schedules->schedules[0]->reason, "tombstoned");
    ck_assert_str_eq(schedules->schedules[0]->stream, "s-1");
    ck_assert_str_eq(schedules->schedules[0]->type, "T");
    ck_assert_uint_eq(schedules->schedules[0]->events_count, 2);
}

START_TEST(schedules_are_told)
{
    struct msg_scheduled late = {
        .name = slice_of("late"),
        .due_us = 5,
        .state = MSG_SCHEDULE_FAILED,
        .text = slice_of("tombstoned"),
        .stream = slice_of("s-1"),
        .type = slice_of("T"),
        .events_count = 2,
    };
    struct msg_open open;

    peer_connect(&peer);
    acta_list_schedules(peer.client, NULL, NULL, 0, 0, on_schedules, NULL,
                        NULL);
    open =
        msg_schedules_begin(&peer.answer, take(OP_LIST_SCHEDULES).request_id);
    msg_schedules_add(&peer.answer, &open, &late);
    msg_schedules_end(&peer.answer, open, true);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(seen.told, 1);
}
END_TEST

/* ---- loading ---- */

static void
on_loaded(void *user, const struct acta_err *err,
          const struct acta_loaded *loaded)
{
    bool *not_modified = user;

    ck_assert_ptr_null(err);
    seen.told++;
    *not_modified = loaded->not_modified;
    seen.number = loaded->page->events_count;
    if (loaded->snapshot != NULL) {
        ck_assert_str_eq(loaded->snapshot->data, "state");
        ck_assert_uint_eq(loaded->snapshot->data_size, 5);
        ck_assert_uint_eq(loaded->snapshot->version, 3);
    }
}

/* Answer a load of a stream of version 5 with the events from @first on. */
static void
say_loaded(uint64_t first, bool has_snapshot)
{
    struct msg_loaded loaded = {
        .has_snapshot = has_snapshot,
        .snapshot_version = 3,
        .snapshot = slice_of("state"),
    };
    struct msg_page page = {.next = 5, .at_end = true, .head = 5, .version = 5};
    struct msg_open open =
        msg_loaded_begin(&peer.answer, take(OP_LOAD).request_id, &loaded);

    for (uint64_t position = first; position <= 5; position++) {
        peer_record(&peer.answer, position);
        page.events_count++;
    }
    msg_loaded_end(&peer.answer, open, &page);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
}

START_TEST(load_brings_the_snapshot_and_what_is_behind_it)
{
    struct acta_load load = acta_load_of("s-1");
    bool not_modified;

    peer_connect(&peer);
    acta_load(peer.client, &load, 0, on_loaded, &not_modified, NULL);
    say_loaded(4, true);
    ck_assert_uint_eq(seen.told, 1);
    ck_assert_uint_eq(seen.number, 2);
    ck_assert(!not_modified);
}
END_TEST

START_TEST(load_of_the_version_that_it_has_is_not_modified)
{
    struct acta_load load = acta_load_of("s-1");
    bool not_modified;

    load.has_version = true;
    load.version = 5;
    peer_connect(&peer);
    acta_load(peer.client, &load, 0, on_loaded, &not_modified, NULL);
    say_loaded(6, false);
    ck_assert(not_modified);
    load.version = 4;
    acta_load(peer.client, &load, 0, on_loaded, &not_modified, NULL);
    say_loaded(5, false);
    ck_assert(!not_modified);
    ck_assert_uint_eq(seen.number, 1);
}
END_TEST

static void
add_told(Suite *suite)
{
    TCase *tcase = tcase_create("changes and lists");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_change_says_what_it_is);
    tcase_add_test(tcase, group_is_made_and_altered_with_what_is_given);
    tcase_add_test(tcase, change_whose_answer_was_lost_is_sent_again);
    tcase_add_test(tcase, change_that_was_sent_and_not_answered_is_unknown);
    tcase_add_test(tcase, consumers_are_told_with_their_queries);
    tcase_add_test(tcase, consumer_is_described_with_its_members);
    tcase_add_test(tcase, parked_events_are_listed_replayed_and_dropped);
    tcase_add_test(tcase, leases_are_told_with_those_who_wait);
    tcase_add_test(tcase, schedules_are_told);
    tcase_add_test(tcase, load_brings_the_snapshot_and_what_is_behind_it);
    tcase_add_test(tcase, load_of_the_version_that_it_has_is_not_modified);
}

int
main(void)
{
    Suite *suite = suite_create("client consumer");
    TCase *tcase = tcase_create("following under a name");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, consumer_is_claimed_and_followed_from_its_checkpoint);
    tcase_add_test(tcase, claim_whose_answer_was_lost_is_made_again);
    tcase_add_test(tcase, lost_connection_goes_on_in_the_same_epoch);
    tcase_add_test(tcase, group_of_that_name_ends_it);
    tcase_add_test(tcase, full_disk_is_claimed_on_later);
    tcase_add_test(tcase, claim_by_another_ends_it);
    tcase_add_test(tcase, unsubscribing_while_claiming_forgets_the_claim);
    tcase_add_test(tcase, name_that_is_none_is_refused_at_once);
    tcase_add_test(tcase, one_move_is_under_way_and_the_newest_is_next);
    tcase_add_test(tcase, move_that_got_lost_is_made_again_with_the_newest);
    tcase_add_test(tcase, move_that_is_fenced_ends_the_subscription);
    tcase_add_test(tcase, checkpoint_that_is_beyond_is_left_there);
    tcase_add_test(tcase, full_disk_is_moved_on_later);
    tcase_add_test(tcase, checkpoint_before_the_claim_does_nothing);
    add_told(suite);
    return run_suite(suite);
}
