/* Changes of streams: how the client asks for them, what it makes of the
 * answer, and what becomes of one whose answer is lost. Against a peer without
 * a socket.
 */

#include <stdlib.h>

#include "peer.h"
#include "run.h"

static struct peer peer;

/* What the callbacks were told. */
static struct told {
    unsigned count;
    enum acta_code code;
    struct acta_changed changed;
} told;

static void
note(const struct acta_err *err)
{
    told.count++;
    told.code = err == NULL ? ACTA_OK : err->code;
}

static void
on_changed(void *user, const struct acta_err *err,
           const struct acta_changed *changed)
{
    ck_assert_ptr_eq(user, &told);
    note(err);
    told.changed = *changed;
}

static void
setup(void)
{
    told = (struct told){0};
    peer_open(&peer, NULL);
}

static void
teardown(void)
{
    peer_close(&peer);
}

/* ---- changes arrive as they were asked for ---- */

static uint64_t
set(void)
{
    struct acta_settings settings =
        acta_settings_of(ACTA_SET_MAX_COUNT | ACTA_SET_MAX_AGE);

    settings.max_count = 100;
    settings.max_age_us = 7;
    return acta_set_stream(peer.client, "s-1", 3, &settings, 0, on_changed,
                           &told, &peer.err);
}

static uint64_t
truncate_it(void)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_TRUNCATE_BEFORE);

    settings.truncate_before = 3;
    return acta_set_stream(peer.client, "s-1", ACTA_EXPECT_ANY, &settings, 0,
                           on_changed, &told, &peer.err);
}

static uint64_t
delete_it(void)
{
    return acta_delete_stream(peer.client, "s-1", ACTA_EXPECT_EXISTS, 0,
                              on_changed, &told, &peer.err);
}

static uint64_t
tombstone(void)
{
    return acta_tombstone_stream(peer.client, "s-1", 0, 0, on_changed, &told,
                                 &peer.err);
}

static uint64_t
erase_event(void)
{
    return acta_erase_event(peer.client, "s-1", 9, 0, on_changed, &told,
                            &peer.err);
}

static uint64_t
erase_stream(void)
{
    return acta_erase_stream(peer.client, "s-1", 12, 0, on_changed, &told,
                             &peer.err);
}

static const struct {
    uint64_t (*ask)(void);
    struct msg_change change;
} changes[] = {
    {set,
     {.kind = MSG_SET,
      .expected = 3,
      .given = MSG_HAS_MAX_COUNT | MSG_HAS_MAX_AGE,
      .settings = {0, 100, 7}}},
    {truncate_it,
     {.kind = MSG_SET,
      .expected = MSG_EXPECT_ANY,
      .given = MSG_HAS_TRUNCATE_BEFORE,
      .settings = {3, 0, 0}}},
    {delete_it, {.kind = MSG_DELETE, .expected = MSG_EXPECT_EXISTS}},
    {tombstone, {.kind = MSG_TOMBSTONE, .expected = 0}},
    {erase_event,
     {.kind = MSG_ERASE, .expected = MSG_EXPECT_ANY, .version = 9}},
    {erase_stream, {.kind = MSG_ERASE, .expected = 12}},
};

#define CHANGES_COUNT ((int)(sizeof(changes) / sizeof(changes[0])))

/* The frame that comes next asks for this change. */
static void
expect_change(uint64_t id, const struct msg_change *change)
{
    struct msg_change seen;
    struct frame frame;

    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(frame.kind, OP_CHANGE_STREAM);
    ck_assert_uint_eq(frame.request_id, id);
    ck_assert_msg(msg_change_decode(&seen, frame.body, &peer.err) == ACTA_OK,
                  "%s", peer.err.text);
    ck_assert(slice_equal(seen.stream, slice_of("s-1")));
    ck_assert_int_eq(seen.kind, change->kind);
    ck_assert_int_eq(seen.expected, change->expected);
    ck_assert_uint_eq(seen.version, change->version);
    ck_assert_uint_eq(seen.given, change->given);
    ck_assert_uint_eq(seen.settings.truncate_before,
                      change->settings.truncate_before);
    ck_assert_uint_eq(seen.settings.max_count, change->settings.max_count);
    ck_assert_uint_eq(seen.settings.max_age_us, change->settings.max_age_us);
}

static void
say_changed(uint64_t id, bool changed)
{
    struct msg_changed answer = {
        .version = 12,
        .head = 99,
        .changed = changed,
    };

    msg_changed_encode(&peer.answer, id, &answer);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
}

START_TEST(change_arrives_as_it_was_asked_for_and_its_answer_is_told)
{
    uint64_t id;

    peer_connect(&peer);
    id = changes[_i].ask();
    expect_change(id, &changes[_i].change);
    say_changed(id, true);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_int_eq(told.code, ACTA_OK);
    ck_assert_uint_eq(told.changed.version, 12);
    ck_assert_uint_eq(told.changed.head, 99);
    ck_assert(told.changed.changed);
}
END_TEST

/* ---- changes whose answer is lost ---- */

START_TEST(change_is_sent_again_and_may_then_have_changed_nothing)
{
    uint64_t id;

    peer_connect(&peer);
    id = changes[_i].ask();
    expect_change(id, &changes[_i].change);
    peer_lose(&peer);
    peer_connect(&peer);
    expect_change(id, &changes[_i].change);
    say_changed(id, false);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_int_eq(told.code, ACTA_OK);
    ck_assert(!told.changed.changed);
    ck_assert_uint_eq(told.changed.version, 12);
}
END_TEST

START_TEST(change_that_was_sent_ends_as_unknown_at_its_deadline)
{
    peer_connect(&peer);
    ck_assert_uint_ne(acta_delete_stream(peer.client, "s-1", 1, 100, on_changed,
                                         &told, &peer.err),
                      0);
    ck_assert_int_eq(peer_wait(&peer, 100), ACTA_OK);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_int_eq(told.code, ACTA_UNKNOWN);
    ck_assert_uint_eq(told.changed.version, 0);
}
END_TEST

START_TEST(change_that_was_not_sent_ends_as_late)
{
    ck_assert_uint_ne(acta_delete_stream(peer.client, "s-1", 1, 100, on_changed,
                                         &told, &peer.err),
                      0);
    ck_assert_int_eq(peer_wait(&peer, 100), ACTA_OK);
    ck_assert_int_eq(told.code, ACTA_TIMEOUT);
}
END_TEST

START_TEST(change_sent_before_is_known_only_by_a_verdict_on_its_stream)
{
    static const struct {
        enum acta_code answer, end;
    } cases[] = {
        {ACTA_FULL, ACTA_UNKNOWN},
        {ACTA_CONFLICT, ACTA_UNKNOWN},
        {ACTA_TOMBSTONED, ACTA_TOMBSTONED},
        {ACTA_NOT_FOUND, ACTA_NOT_FOUND},
    };
    uint64_t id;

    peer_connect(&peer);
    id = delete_it();
    peer_expect(&peer, OP_CHANGE_STREAM);
    peer_lose(&peer);
    peer_connect(&peer);
    peer_expect(&peer, OP_CHANGE_STREAM);
    peer_error(&peer, id, cases[_i].answer, "no");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_int_eq(told.code, cases[_i].end);
}
END_TEST

START_TEST(change_that_may_be_done_is_not_sent_to_another_database)
{
    peer_connect(&peer);
    delete_it();
    peer_expect(&peer, OP_CHANGE_STREAM);
    peer_lose(&peer);
    peer.welcome.database_id.bytes[3]++;
    peer_connect(&peer);
    peer_expect_silence(&peer);
    ck_assert_int_eq(told.code, ACTA_UNKNOWN);
}
END_TEST

START_TEST(change_that_was_never_sent_is_not_sent_to_another_database)
{
    peer_connect(&peer);
    peer_lose(&peer);
    delete_it();
    peer.welcome.database_id.bytes[3]++;
    peer_connect(&peer);
    peer_expect_silence(&peer);
    ck_assert_int_eq(told.code, ACTA_FENCED);
}
END_TEST

/* ---- changes that are refused before they are sent ---- */

static uint64_t
no_stream(void)
{
    return acta_delete_stream(peer.client, NULL, 1, 0, on_changed, &told,
                              &peer.err);
}

static uint64_t
no_such_expectation(void)
{
    return acta_tombstone_stream(peer.client, "s-1", -3, 0, on_changed, &told,
                                 &peer.err);
}

static uint64_t
set_nothing(void)
{
    struct acta_settings settings = acta_settings_of(0);

    return acta_set_stream(peer.client, "s-1", 3, &settings, 0, on_changed,
                           &told, &peer.err);
}

static uint64_t
set_what_is_not_known(void)
{
    struct acta_settings settings = acta_settings_of(8);

    return acta_set_stream(peer.client, "s-1", 3, &settings, 0, on_changed,
                           &told, &peer.err);
}

static uint64_t
set_without_making(void)
{
    struct acta_settings settings = {.given = ACTA_SET_MAX_AGE};

    return acta_set_stream(peer.client, "s-1", 3, &settings, 0, on_changed,
                           &told, &peer.err);
}

/* It would erase all that the stream has. */
static uint64_t
erase_version_zero(void)
{
    return acta_erase_event(peer.client, "s-1", 0, 0, on_changed, &told,
                            &peer.err);
}

static const struct {
    uint64_t (*ask)(void);
    enum acta_code code;
} refused[] = {
    {no_stream, ACTA_INVALID},
    {no_such_expectation, ACTA_INVALID},
    {set_nothing, ACTA_INVALID},
    {set_what_is_not_known, ACTA_UNSUPPORTED},
    {set_without_making, ACTA_INVALID},
    {erase_version_zero, ACTA_INVALID},
};

#define REFUSED_COUNT ((int)(sizeof(refused) / sizeof(refused[0])))

START_TEST(what_cannot_be_is_refused_and_not_sent)
{
    peer_connect(&peer);
    ck_assert_uint_eq(refused[_i].ask(), 0);
    ck_assert_int_eq(peer.err.code, refused[_i].code);
    ck_assert_int_ne(peer.err.text[0], '\0');
    peer_expect_silence(&peer);
    ck_assert_uint_eq(told.count, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client change");
    TCase *tcase = tcase_create("client change");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(
        tcase, change_arrives_as_it_was_asked_for_and_its_answer_is_told, 0,
        CHANGES_COUNT);
    tcase_add_loop_test(tcase,
                        change_is_sent_again_and_may_then_have_changed_nothing,
                        0, CHANGES_COUNT);
    tcase_add_test(tcase, change_that_was_sent_ends_as_unknown_at_its_deadline);
    tcase_add_test(tcase, change_that_was_not_sent_ends_as_late);
    tcase_add_loop_test(
        tcase, change_sent_before_is_known_only_by_a_verdict_on_its_stream, 0,
        4);
    tcase_add_test(tcase,
                   change_that_may_be_done_is_not_sent_to_another_database);
    tcase_add_test(tcase,
                   change_that_was_never_sent_is_not_sent_to_another_database);
    tcase_add_loop_test(tcase, what_cannot_be_is_refused_and_not_sent, 0,
                        REFUSED_COUNT);
    return run_suite(suite);
}
