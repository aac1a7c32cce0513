/* A session asked for consumers, leases, snapshots and schedules. */

#include "fake_database.h"
#include "limit.h"
#include "msg_consumer.h"
#include "msg_lease.h"
#include "named.h"
#include "run.h"
#include "session_fixture.h"

/* ---- words ---- */

static void
say_acquire(uint64_t id, const char *name, uint64_t wait_us)
{
    static const uint8_t claim[16] = {1, 2, 3};
    struct msg_change_lease change = {.name = slice_of(name),
                                      .kind = MSG_LEASE_ACQUIRE,
                                      .holder = slice_of("me"),
                                      .claim = claim,
                                      .duration_us = 5000000,
                                      .wait_us = wait_us};

    msg_change_lease_encode(&in, id, &change);
}

static void
say_await(uint64_t id, const char *consumer, uint64_t timeout_us)
{
    struct msg_await await = {slice_of(consumer), 1, timeout_us};

    msg_await_encode(&in, id, &await);
}

static void
say_claim(uint64_t id, const char *name, uint64_t position)
{
    struct msg_change_consumer change = {.name = slice_of(name),
                                         .kind = MSG_CONSUMER_CLAIM,
                                         .query = QUERY_ALL,
                                         .position = position};

    msg_change_consumer_encode(&in, id, &change);
}

static void
say_subscribe_as(uint64_t id, const char *name, uint64_t epoch)
{
    struct msg_subscribe subscribe = {.query = QUERY_ALL,
                                      .credit = 1 << 20,
                                      .consumer = slice_of(name),
                                      .epoch = epoch};

    msg_subscribe_encode(&in, id, &subscribe);
}

static void
say_load(uint64_t id, bool has_version, uint64_t version)
{
    struct msg_load load = {.stream = slice_of("order-1"),
                            .has_version = has_version,
                            .version = version};

    msg_load_encode(&in, id, &load);
}

static void
say_list_schedules(uint64_t id, uint64_t count_max)
{
    struct msg_list list = {.count_max = count_max};

    msg_list_encode(&in, OP_LIST_SCHEDULES, id, &list);
}

static struct msg_loaded
expect_loaded(uint64_t id)
{
    struct frame frame = expect(OP_LOADED, id);
    struct msg_loaded loaded;

    ck_assert_int_eq(msg_loaded_decode(&loaded, frame.body, &err), ACTA_OK);
    return loaded;
}

static void
expect_unsubscribed(uint64_t id, enum acta_code code)
{
    struct frame frame = expect(OP_UNSUBSCRIBED, id);
    struct msg_unsubscribed unsubscribed;

    ck_assert_int_eq(msg_unsubscribed_decode(&unsubscribed, frame.body, &err),
                     ACTA_OK);
    ck_assert_int_eq(unsubscribed.code, code);
    ck_assert_uint_gt(unsubscribed.text.size, 0);
}

static uint64_t
connected(const char *name)
{
    return named_count(database_named(host.database), slice_of(name));
}

/* ---- leases ---- */

START_TEST(lease_is_told_when_it_is_granted)
{
    struct msg_lease_changed changed;
    struct frame frame;

    greet();
    say_acquire(2, "lock", 0);
    feed();
    expect_nothing();
    commit();
    frame = expect(OP_LEASE_CHANGED, 2);
    ck_assert_int_eq(msg_lease_changed_decode(&changed, frame.body, &err),
                     ACTA_OK);
    ck_assert_uint_eq(changed.fence, 1);
    ck_assert_uint_eq(changed.remaining_us, 5000000);
    ck_assert(changed.changed);
    ck_assert_uint_eq(session.jobs_count, 0);
    ck_assert_uint_eq(session.jobs_size, 0);
}
END_TEST

START_TEST(lease_that_is_held_is_refused_to_who_does_not_wait)
{
    greet();
    fake_database.lease_is_held = true;
    say_acquire(2, "lock", 0);
    feed();
    commit();
    expect_error(2, ACTA_HELD);
}
END_TEST

START_TEST(leases_are_listed)
{
    struct msg_list list = {.count_max = 3};
    struct msg_leases leases;
    struct frame frame;

    greet();
    msg_list_encode(&in, OP_LIST_LEASES, 2, &list);
    feed();
    commit();
    frame = expect(OP_LEASES, 2);
    ck_assert_int_eq(msg_leases_decode(&leases, frame.body, &err), ACTA_OK);
    ck_assert(leases.at_end);
    ck_assert_uint_eq(session.jobs_count, 0);
}
END_TEST

/* Waiting may take long, and who waits has other things to do. */
START_TEST(however_many_wait_others_are_taken_and_one_too_many_is_refused)
{
    uint64_t id = 100;

    greet();
    fake_database.lease_is_held = true;
    host.limits.requests_memory = 16 << 20;
    for (size_t i = 0; i < ACTA_WAITS_MAX; i++) {
        say_acquire(id++, "lock", 1000000);
    }
    feed();
    commit();
    expect_nothing();
    ck_assert_uint_gt(ACTA_WAITS_MAX, host.limits.requests_max);
    ck_assert_uint_eq(session.jobs_count, ACTA_WAITS_MAX);
    say_acquire(id, "lock", 1000000);
    say_await(id + 1, "mailer", 1000000);
    say_acquire(id + 2, "lock", 0);
    say_append(id + 3, "order-1", MSG_EXPECT_ANY);
    feed();
    expect_error(id, ACTA_TOO_LARGE);
    expect_error(id + 1, ACTA_TOO_LARGE);
    commit();
    expect_error(id + 2, ACTA_HELD);
    expect(OP_APPENDED, id + 3);
    session_end_input(&session);
    commit();
    ck_assert_uint_eq(session.waits_count, 0);
    ck_assert_uint_eq(session.jobs_count, 0);
}
END_TEST

/* Nothing comes back to a peer that is gone, and nothing is left of it. */
START_TEST(who_waits_for_a_lease_is_forgotten_when_its_connection_ends)
{
    greet();
    fake_database.lease_is_held = true;
    say_acquire(2, "lock", 1000000);
    say_acquire(3, "lock", 1000000);
    feed();
    commit();
    expect_nothing();
    ck_assert_uint_eq(session.jobs_count, 2);
    session_end_input(&session);
    ck_assert_ptr_nonnull(outbox.first);
    ck_assert_int_eq(outbox.first->kind, JOB_FORGET);
    ck_assert_uint_eq(outbox.first->connection_id, session.id);
    commit();
    ck_assert_uint_eq(session.jobs_count, 0);
    ck_assert_uint_eq(session.jobs_size, 0);
    expect_error(3, ACTA_CANCELLED);
    expect_error(2, ACTA_CANCELLED);
    expect_nothing();
}
END_TEST

START_TEST(farewell_goes_behind_all_that_came_before_and_only_once)
{
    greet();
    say_acquire(2, "lock", 1000000);
    say_append(3, "order-1", 0);
    feed();
    session_end_input(&session);
    ck_assert_int_eq(outbox.first->kind, JOB_LEASE);
    ck_assert_int_eq(outbox.first->next->kind, JOB_APPEND);
    ck_assert_int_eq(outbox.first->next->next->kind, JOB_FORGET);
    ck_assert_ptr_eq(outbox.first->next->next, outbox.last);
    session_end_input(&session);
    ck_assert_ptr_null(outbox.last->next);
}
END_TEST

START_TEST(farewell_is_for_those_who_keep_something)
{
    greet();
    say_append(2, "order-1", 0);
    feed();
    commit();
    expect(OP_APPENDED, 2);
    session_end_input(&session);
    ck_assert_ptr_null(outbox.first);
}
END_TEST

START_TEST(farewell_to_groups_is_apart_from_that_to_the_writer)
{
    greet();
    ck_assert_int_eq(session_leave_farewell(&session, JOB_FORGET_MEMBERS, &err),
                     ACTA_OK);
    ck_assert_int_eq(session_leave_farewell(&session, JOB_FORGET_MEMBERS, &err),
                     ACTA_OK);
    session_end_input(&session);
    ck_assert_int_eq(outbox.first->kind, JOB_FORGET_MEMBERS);
    ck_assert_ptr_eq(outbox.first, outbox.last);
    ck_assert(!outbox.first->is_answered);
    commit();
    expect_nothing();
}
END_TEST

START_TEST(mail_is_passed_on_and_is_nobodys_answer)
{
    struct job *mail;

    greet();
    say_append(2, "order-1", 0);
    feed();
    ck_assert_int_eq(job_new(&mail, JOB_MAIL, SLICE_NONE, &err), ACTA_OK);
    mail->is_answered = false;
    mail->connection_id = session.id;
    msg_number_encode(&mail->outcome.reply, OP_CAUGHT_UP, 70, 5);
    msg_number_encode(&mail->outcome.reply, OP_CAUGHT_UP, 71, 6);
    session_complete(&session, mail);
    ck_assert_uint_eq(session.jobs_count, 1);
    expect(OP_CAUGHT_UP, 70);
    expect(OP_CAUGHT_UP, 71);
    expect_nothing();
    commit();
    expect(OP_APPENDED, 2);
}
END_TEST

/* From the groups' thread, which wants to know when it was sent. */
static struct job *
make_mail(void)
{
    struct job *mail;

    ck_assert_int_eq(job_new(&mail, JOB_MAIL, SLICE_NONE, &err), ACTA_OK);
    mail->is_answered = false;
    mail->wants_receipt = true;
    mail->connection_id = session.id;
    return mail;
}

START_TEST(mail_goes_back_when_what_it_brought_is_sent)
{
    struct job *mail;

    greet();
    mail = make_mail();
    while (buf_size(&mail->outcome.reply) <= host.limits.output_low) {
        msg_number_encode(&mail->outcome.reply, OP_CAUGHT_UP, 70, 5);
    }
    session_complete(&session, mail);
    session_sent(&session);
    ck_assert_ptr_null(outbox.first); /* More than output-low is there. */
    expect(OP_CAUGHT_UP, 70);
    session_sent(&session);
    ck_assert_ptr_eq(outbox.first, mail);
    ck_assert_int_eq(mail->kind, JOB_RECEIPT);
    ck_assert_uint_eq(mail->outcome.reply.capacity, 0);
    session_sent(&session);
    ck_assert_ptr_eq(outbox.last, mail); /* Once. */
    buf_clear(&out);
    commit(); /* The fake gives it back, and it is freed. */
    expect_nothing();
}
END_TEST

START_TEST(mail_that_did_not_go_back_ends_with_the_session)
{
    struct job *mail;

    greet();
    mail = make_mail();
    session_complete(&session, mail);
    ck_assert_ptr_eq(session.receipt, mail);
}
END_TEST

/* ---- consumers ---- */

START_TEST(claim_tells_where_to_go_on_and_under_which_epoch)
{
    struct msg_consumer_changed changed;
    struct frame frame;

    greet();
    store(5);
    say_claim(2, "mailer", 4);
    feed();
    commit();
    frame = expect(OP_CONSUMER_CHANGED, 2);
    ck_assert_int_eq(msg_consumer_changed_decode(&changed, frame.body, &err),
                     ACTA_OK);
    ck_assert_uint_eq(changed.position, 4);
    ck_assert_uint_eq(changed.epoch, 1);
    ck_assert(changed.changed);
}
END_TEST

START_TEST(named_subscription_lasts_while_the_epoch_does)
{
    greet();
    fake_database.epoch = 3;
    say_subscribe_as(7, "mailer", 3);
    feed();
    expect(OP_SUBSCRIBED, 7);
    ck_assert_uint_eq(connected("mailer"), 1);
    pump();
    expect(OP_CAUGHT_UP, 7);
    session_tick(&session);
    expect_nothing();
    fake_database.epoch = 4;
    fake_database.changes++;
    session_tick(&session);
    expect_unsubscribed(7, ACTA_FENCED);
    ck_assert_uint_eq(session.subs.count, 0);
    ck_assert_uint_eq(counter_read(&counters.subscriptions), 0);
    ck_assert_uint_eq(connected("mailer"), 0);
    session_tick(&session);
    expect_nothing();
}
END_TEST

START_TEST(named_subscription_ends_with_its_consumer_and_others_go_on)
{
    greet();
    fake_database.epoch = 3;
    say_subscribe(6, 0, 1 << 20);
    say_subscribe_as(7, "mailer", 3);
    say_subscribe(8, 0, 1 << 20);
    feed();
    expect(OP_SUBSCRIBED, 6);
    expect(OP_SUBSCRIBED, 7);
    expect(OP_SUBSCRIBED, 8);
    fake_database.epoch = 0;
    fake_database.changes++;
    session_tick(&session);
    expect_unsubscribed(7, ACTA_FENCED);
    expect_nothing();
    ck_assert_uint_eq(session.subs.count, 2);
    ck_assert_uint_eq(counter_read(&counters.subscriptions), 2);
}
END_TEST

START_TEST(subscriptions_are_looked_at_only_when_a_consumer_was_changed)
{
    size_t reads;

    greet();
    fake_database.epoch = 3;
    for (uint64_t id = 10; id < 20; id++) {
        say_subscribe_as(id, "mailer", 3);
    }
    feed();
    fake_database.changes++; /* Of another. */
    session_tick(&session);
    reads = fake_database.reads;
    ck_assert_uint_gt(reads, 0);
    session_tick(&session);
    ck_assert_uint_eq(fake_database.reads, reads);
    ck_assert_uint_eq(session.subs.count, 10);
}
END_TEST

/* Who does not read cannot keep the place of another. */
START_TEST(fenced_subscription_ends_though_output_is_not_taken)
{
    greet();
    store(80);
    fake_database.epoch = 3;
    say_subscribe_as(7, "mailer", 3);
    feed();
    expect(OP_SUBSCRIBED, 7);
    pump();
    ck_assert_uint_gt(buf_size(&out), host.limits.output_high);
    fake_database.epoch = 4;
    fake_database.changes++;
    session_tick(&session);
    ck_assert_uint_eq(session.subs.count, 0);
}
END_TEST

START_TEST(subscription_under_a_wrong_name_or_epoch_is_refused)
{
    greet();
    say_subscribe_as(7, "mailer", 3);
    feed();
    expect_error(7, ACTA_NOT_FOUND);
    fake_database.epoch = 4;
    say_subscribe_as(7, "mailer", 3);
    feed();
    expect_error(7, ACTA_FENCED);
    fake_database.is_group = true;
    say_subscribe_as(7, "mailer", 4);
    feed();
    expect_error(7, ACTA_INVALID);
    ck_assert_uint_eq(session.subs.count, 0);
    ck_assert_uint_eq(connected("mailer"), 0);
}
END_TEST

START_TEST(names_are_not_counted_beyond_their_connection)
{
    greet();
    fake_database.epoch = 3;
    say_subscribe_as(7, "mailer", 3);
    say_subscribe_as(8, "mailer", 3);
    feed();
    ck_assert_uint_eq(connected("mailer"), 2);
    session_end_input(&session);
    ck_assert_uint_eq(connected("mailer"), 0);
}
END_TEST

/* ---- loading ---- */

START_TEST(load_brings_the_snapshot_and_what_came_behind_it)
{
    struct msg_loaded loaded;

    greet();
    store(5);
    fake_database.snapshot_at = 3;
    say_load(2, false, 0);
    feed();
    loaded = expect_loaded(2);
    ck_assert(loaded.has_snapshot);
    ck_assert_uint_eq(loaded.snapshot_version, 3);
    ck_assert(slice_equal(loaded.snapshot, slice_of("state")));
    ck_assert_uint_eq(loaded.page.events_count, 2);
    ck_assert_uint_eq(loaded.page.version, 5);
    ck_assert(loaded.page.at_end);
}
END_TEST

START_TEST(load_brings_nothing_to_who_is_current)
{
    struct msg_loaded loaded;

    greet();
    store(5);
    fake_database.snapshot_at = 3;
    say_load(2, true, 5);
    feed();
    loaded = expect_loaded(2);
    ck_assert(!loaded.has_snapshot);
    ck_assert_uint_eq(loaded.page.events_count, 0);
    ck_assert_uint_eq(loaded.page.version, 5);
}
END_TEST

/* Whether it is found before the answer was begun, or behind it. */
START_TEST(load_that_fails_is_an_error_and_nothing_else)
{
    greet();
    store(5);
    say_load(2, true, 6);
    feed();
    expect_error(2, ACTA_INVALID);
    expect_nothing();
    fake_database.broken_at = 1;
    say_load(3, false, 0);
    feed();
    expect_error(3, ACTA_CORRUPT);
    expect_nothing();
}
END_TEST

/* ---- schedules ---- */

START_TEST(schedules_are_listed_up_to_the_count_that_is_asked_for)
{
    struct msg_schedules schedules;
    struct frame frame;

    greet();
    fake_database.schedules_count = 3;
    say_list_schedules(2, 2);
    say_list_schedules(3, 0);
    feed();
    frame = expect(OP_SCHEDULES, 2);
    ck_assert_int_eq(msg_schedules_decode(&schedules, frame.body, &err),
                     ACTA_OK);
    ck_assert_uint_eq(schedules.schedules_count, 2);
    ck_assert(!schedules.at_end);
    frame = expect(OP_SCHEDULES, 3);
    ck_assert_int_eq(msg_schedules_decode(&schedules, frame.body, &err),
                     ACTA_OK);
    ck_assert_uint_eq(schedules.schedules_count, 3);
    ck_assert(schedules.at_end);
}
END_TEST

START_TEST(schedules_that_cannot_be_read_are_an_error)
{
    greet();
    fake_database.broken_at = 1;
    say_list_schedules(2, 0);
    feed();
    expect_error(2, ACTA_CORRUPT);
    expect_nothing();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("session_consumer");
    TCase *tcase = tcase_create("session_consumer");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, session_setup, session_teardown);
    tcase_add_test(tcase, lease_is_told_when_it_is_granted);
    tcase_add_test(tcase, lease_that_is_held_is_refused_to_who_does_not_wait);
    tcase_add_test(tcase, leases_are_listed);
    tcase_add_test(
        tcase, however_many_wait_others_are_taken_and_one_too_many_is_refused);
    tcase_add_test(tcase,
                   who_waits_for_a_lease_is_forgotten_when_its_connection_ends);
    tcase_add_test(tcase,
                   farewell_goes_behind_all_that_came_before_and_only_once);
    tcase_add_test(tcase, farewell_is_for_those_who_keep_something);
    tcase_add_test(tcase, farewell_to_groups_is_apart_from_that_to_the_writer);
    tcase_add_test(tcase, mail_is_passed_on_and_is_nobodys_answer);
    tcase_add_test(tcase, mail_goes_back_when_what_it_brought_is_sent);
    tcase_add_test(tcase, mail_that_did_not_go_back_ends_with_the_session);
    tcase_add_test(tcase, claim_tells_where_to_go_on_and_under_which_epoch);
    tcase_add_test(tcase, named_subscription_lasts_while_the_epoch_does);
    tcase_add_test(tcase,
                   named_subscription_ends_with_its_consumer_and_others_go_on);
    tcase_add_test(
        tcase, subscriptions_are_looked_at_only_when_a_consumer_was_changed);
    tcase_add_test(tcase, fenced_subscription_ends_though_output_is_not_taken);
    tcase_add_test(tcase, subscription_under_a_wrong_name_or_epoch_is_refused);
    tcase_add_test(tcase, names_are_not_counted_beyond_their_connection);
    tcase_add_test(tcase, load_brings_the_snapshot_and_what_came_behind_it);
    tcase_add_test(tcase, load_brings_nothing_to_who_is_current);
    tcase_add_test(tcase, load_that_fails_is_an_error_and_nothing_else);
    tcase_add_test(tcase,
                   schedules_are_listed_up_to_the_count_that_is_asked_for);
    tcase_add_test(tcase, schedules_that_cannot_be_read_are_an_error);
    return run_suite(suite);
}
