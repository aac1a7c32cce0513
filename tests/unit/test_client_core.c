/* The client's core against a peer without a socket: what it sends, what it
 * makes of answers, and what it does when there are none.
 */

#include <acta/acta_consumer.h>
#include <stdlib.h>

#include "limit.h"
#include "peer.h"
#include "run.h"

/* ---- what callbacks were told ---- */

struct told {
    unsigned count;
    enum acta_code code;
    char text[240];
    uint64_t number; /* Head, position or count of events. */
    size_t failures_count;
    struct acta_failure failure; /* The first. */
    unsigned order;              /* It was the nth of all that were called. */
};

static unsigned called;
static struct peer peer;

/* They outlive the test: what is left is cancelled when it is torn down. */
static struct told *
tolds(size_t count)
{
    static struct told all[8];

    ck_assert_uint_le(count, sizeof(all) / sizeof(all[0]));
    memset(all, 0, sizeof(all));
    return all;
}

static void
note(struct told *told, const struct acta_err *err, uint64_t number)
{
    told->count++;
    told->code = err == NULL ? ACTA_OK : err->code;
    if (err != NULL) {
        memcpy(told->text, err->text, sizeof(told->text));
    }
    told->number = number;
    told->order = ++called;
}

static void
on_pong(void *user, const struct acta_err *err, uint64_t head)
{
    note(user, err, head);
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    struct told *told = user;

    note(told, err, appended->position);
    told->failures_count = appended->failures_count;
    if (appended->failures_count > 0) {
        told->failure = *appended->failures[0];
    }
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    note(user, err, page->events_count);
}

/* ---- the words in which the tests are written ---- */

static uint64_t
ping(struct told *told)
{
    uint64_t id = acta_ping(peer.client, 0, on_pong, told, &peer.err);

    ck_assert_msg(id != 0, "%s", peer.err.text);
    return id;
}

static uint64_t
append(struct told *told, uint64_t timeout_ms)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of("T", "data", 4);
    uint64_t id;

    acta_append_stream(append, "s-1", ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    id = acta_append(peer.client, append, timeout_ms, on_appended, told,
                     &peer.err);
    ck_assert_msg(id != 0, "%s", peer.err.text);
    acta_append_free(append);
    return id;
}

static uint64_t
read_stream(struct told *told, uint64_t timeout_ms)
{
    struct acta_read read = acta_read_of_stream("s-1");
    uint64_t id =
        acta_read(peer.client, &read, timeout_ms, on_page, told, &peer.err);

    ck_assert_msg(id != 0, "%s", peer.err.text);
    return id;
}

static void
setup(void)
{
    called = 0;
    peer_open(&peer, NULL);
}

static void
teardown(void)
{
    peer_close(&peer);
}

/* ---- sending ---- */

START_TEST(hello_comes_first_and_what_was_asked_before_follows_the_welcome)
{
    struct told *told = tolds(3);
    uint64_t ids[3];

    ids[0] = ping(&told[0]);
    ids[1] = append(&told[1], 0);
    ids[2] = read_stream(&told[2], 0);
    peer_expect_silence(&peer);

    client_enter(peer.client);
    core_connected(&peer.client->core, peer_now_ms);
    client_leave(peer.client, peer_now_ms);
    peer_expect(&peer, OP_HELLO);
    peer_expect_silence(&peer);

    msg_welcome_encode(&peer.answer, CORE_ID_HELLO, &peer.welcome);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[0]);
    ck_assert_uint_eq(peer_expect(&peer, OP_APPEND), ids[1]);
    ck_assert_uint_eq(peer_expect(&peer, OP_READ_STREAM), ids[2]);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(server_is_told_to_those_who_ask)
{
    const struct acta_server *server;

    ck_assert_ptr_null(acta_server(peer.client));
    peer.welcome.head = 42;
    peer_connect(&peer);
    server = acta_server(peer.client);
    ck_assert_str_eq(server->version, "1.2.3");
    ck_assert_str_eq(server->database, "main");
    ck_assert_uint_eq(server->head, 42);
    ck_assert_int_eq(server->database_id->bytes[0], 7);
}
END_TEST

START_TEST(answers_find_their_requests_in_any_order)
{
    struct told *told = tolds(3);
    uint64_t ids[3];

    peer_connect(&peer);
    for (int i = 0; i < 3; i++) {
        ids[i] = ping(&told[i]);
    }
    peer_pong(&peer, ids[2], 12);
    peer_pong(&peer, ids[0], 10);
    peer_pong(&peer, ids[1], 11);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(told[i].count, 1);
        ck_assert_int_eq(told[i].code, ACTA_OK);
        ck_assert_uint_eq(told[i].number, 10 + i);
    }
    ck_assert_uint_eq(told[2].order, 1);
    ck_assert_uint_eq(acta_in_flight(peer.client), 0);
}
END_TEST

START_TEST(answers_may_come_in_pieces_of_any_size)
{
    struct told *told = tolds(3);
    uint64_t ids[3];
    size_t size;

    peer_connect(&peer);
    do {
        told = tolds(3);
        ids[0] = ping(&told[0]);
        ids[1] = append(&told[1], 0);
        ids[2] = read_stream(&told[2], 0);
        peer_page(&peer, ids[2], 1, 5, true);
        peer_pong(&peer, ids[0], 9);
        peer_appended(&peer, ids[1], 1, 77, 1);
        size = buf_size(&peer.answer);
        ck_assert_int_eq(peer_say_in_steps(&peer, (size_t)_i + 1), ACTA_OK);
        ck_assert_uint_eq(told[0].number, 9);
        ck_assert_uint_eq(told[1].number, 77);
        ck_assert_uint_eq(told[2].number, 5);
        _i++;
    } while ((size_t)_i < size);
}
END_TEST

START_TEST(no_more_is_on_the_wire_than_the_server_allows)
{
    struct told *told = tolds(5);
    uint64_t ids[5];

    peer.welcome.limits.requests_max = 2;
    peer_connect(&peer);
    for (int i = 0; i < 5; i++) {
        ids[i] = ping(&told[i]);
    }
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[0]);
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[1]);
    peer_expect_silence(&peer);

    peer_pong(&peer, ids[1], 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[2]);
    peer_expect_silence(&peer);

    /* Who gives up waiting does not make room at the server. */
    ck_assert_int_eq(acta_cancel(peer.client, ids[0]), ACTA_OK);
    peer_expect_silence(&peer);
    peer_pong(&peer, ids[0], 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[3]);
    peer_expect_silence(&peer);
}
END_TEST

START_TEST(too_many_requests_are_refused_with_a_clear_error)
{
    struct acta_options options = acta_options_of("acta://127.0.0.1");
    struct told *told = tolds(1);

    peer_close(&peer);
    options.requests_max = 3;
    peer_open(&peer, &options);
    for (int i = 0; i < 3; i++) {
        ping(told);
    }
    ck_assert_uint_eq(acta_ping(peer.client, 0, on_pong, told, &peer.err), 0);
    ck_assert_int_eq(peer.err.code, ACTA_BUSY);
    ck_assert_ptr_nonnull(strstr(peer.err.text, "3 requests"));
    ck_assert_uint_eq(told->count, 0);
}
END_TEST

static void
on_waited(void *user, const struct acta_err *err,
          const struct acta_consumer_changed *changed)
{
    (void)changed;
    ck_assert_ptr_nonnull(err);
    ++*(unsigned *)user;
}

static uint64_t
wait_for(unsigned *told)
{
    return acta_wait_for(peer.client, "c", 1, 60000, on_waited, told,
                         &peer.err);
}

/* Such requests may take hours, and others must not wait behind them. */
START_TEST(what_waits_at_the_server_leaves_room_for_others)
{
    struct acta_options options = acta_options_of("acta://127.0.0.1");
    struct told *told = tolds(3);
    uint64_t first, ids[2];
    unsigned waited = 0;

    peer_close(&peer);
    options.requests_max = 2;
    peer_open(&peer, &options);
    peer.welcome.limits.requests_max = 1;
    peer_connect(&peer);
    first = wait_for(&waited);
    ck_assert_uint_eq(peer_expect(&peer, OP_AWAIT), first);
    for (int i = 1; i < ACTA_WAITS_MAX; i++) {
        ck_assert_uint_ne(wait_for(&waited), 0);
        peer_expect(&peer, OP_AWAIT);
    }
    ck_assert_uint_eq(wait_for(&waited), 0);
    ck_assert_int_eq(peer.err.code, ACTA_BUSY);
    ids[0] = ping(&told[0]);
    ids[1] = ping(&told[1]);
    ck_assert_uint_eq(acta_ping(peer.client, 0, on_pong, told, &peer.err), 0);
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[0]);
    peer_expect_silence(&peer);

    /* The answer to one that was given up is none to the ping. */
    ck_assert_int_eq(acta_cancel(peer.client, first), ACTA_OK);
    ck_assert_uint_eq(waited, 1);
    peer_error(&peer, first, ACTA_NOT_FOUND, "it is gone");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    peer_expect_silence(&peer);
    ck_assert_uint_ne(wait_for(&waited), 0); /* In its order. */
    peer_expect_silence(&peer);
    peer_pong(&peer, ids[0], 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[1]);
    peer_expect(&peer, OP_AWAIT);
    peer_close(&peer);
    ck_assert_uint_eq(waited, ACTA_WAITS_MAX + 1);
    peer_open(&peer, &options);
}
END_TEST

/* ---- lost connections ---- */

/* Lose the connection with _i of four requests answered: the others are sent
 * again as they were, in their order and before what is newer.
 */
START_TEST(what_was_not_answered_is_sent_again_in_order)
{
    struct told *told = tolds(5);
    struct frame frame;
    struct buf before[4];
    uint64_t ids[5];

    peer_connect(&peer);
    for (int i = 0; i < 4; i++) {
        ids[i] = append(&told[i], 0);
        ck_assert(peer_take(&peer, &frame));
        buf_init(&before[i], 4096);
        buf_append_slice(&before[i], frame.body);
    }
    for (int i = 0; i < _i; i++) {
        peer_appended(&peer, ids[i], 1, 1, 1);
    }
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    peer_lose(&peer);
    ids[4] = ping(&told[4]);
    peer_connect(&peer);
    for (int i = _i; i < 4; i++) {
        ck_assert(peer_take(&peer, &frame));
        ck_assert_uint_eq(frame.request_id, ids[i]);
        ck_assert(slice_equal(frame.body, buf_slice(&before[i])));
    }
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[4]);
    peer_expect_silence(&peer);
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(told[i].count, i < _i);
        buf_fini(&before[i]);
    }
}
END_TEST

/* Lose the connection after every number of bytes of the answers: each request
 * is answered once, now or after the next connection.
 */
START_TEST(connection_lost_at_every_byte_costs_nobody_an_answer)
{
    for (size_t cut = 0;; cut++) {
        struct told *told = tolds(3);
        struct frame frame;
        uint64_t ids[3];
        bool whole;

        peer_connect(&peer);
        ids[0] = append(&told[0], 0);
        ids[1] = read_stream(&told[1], 0);
        ids[2] = ping(&told[2]);
        peer_appended(&peer, ids[0], 1, 5, 1);
        peer_page(&peer, ids[1], 1, 2, true);
        peer_pong(&peer, ids[2], 5);
        whole = cut >= buf_size(&peer.answer);
        if (!whole) {
            buf_truncate(&peer.answer, cut);
        }
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        peer_lose(&peer);
        peer_connect(&peer);
        while (peer_take(&peer, &frame)) {
            if (frame.kind == OP_APPEND) {
                peer_appended(&peer, frame.request_id, 1, 5, 1);
            } else if (frame.kind == OP_READ_STREAM) {
                peer_page(&peer, frame.request_id, 1, 2, true);
            } else {
                peer_pong(&peer, frame.request_id, 5);
            }
        }
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        for (int i = 0; i < 3; i++) {
            ck_assert_uint_eq(told[i].count, 1);
            ck_assert_int_eq(told[i].code, ACTA_OK);
        }
        peer_lose(&peer);
        if (whole) {
            break;
        }
    }
}
END_TEST

START_TEST(busy_server_is_asked_again_after_a_pause)
{
    static const enum acta_code passing[] = {ACTA_BUSY, ACTA_STOPPING,
                                             ACTA_UNKNOWN};
    struct told *told = tolds(3);
    uint64_t ids[3];

    peer_connect(&peer);
    ids[0] = append(&told[0], 0);
    ids[1] = append(&told[1], 0);
    peer_expect(&peer, OP_APPEND);
    peer_expect(&peer, OP_APPEND);
    peer_error(&peer, ids[1], passing[_i], "not now");
    peer_error(&peer, ids[0], passing[_i], "not now");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ids[2] = ping(&told[2]);
    peer_expect_silence(&peer);
    ck_assert_uint_le(core_due(&peer.client->core), peer_now_ms + 20);

    ck_assert_int_eq(peer_wait(&peer, 20), ACTA_OK);
    ck_assert_uint_eq(peer_expect(&peer, OP_APPEND), ids[0]);
    ck_assert_uint_eq(peer_expect(&peer, OP_APPEND), ids[1]);
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), ids[2]);
    peer_appended(&peer, ids[0], 1, 1, 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_int_eq(told[0].code, ACTA_OK);
    ck_assert_uint_eq(told[1].count, 0);
}
END_TEST

START_TEST(pauses_of_a_busy_server_grow_up_to_a_limit_and_start_anew)
{
    static const uint64_t pauses[] = {20,   40,   80,   160,  320, 640,
                                      1280, 2560, 5000, 5000, 20};
    struct told *told = tolds(1);
    uint64_t id = read_stream(told, 3600000);

    peer_connect(&peer);
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        if (i == 10) {
            struct told other = {0};
            uint64_t other_id = ping(&other);

            peer_pong(&peer, other_id, 1);
            ck_assert_int_eq(peer_say(&peer), ACTA_OK);
            ck_assert_uint_eq(other.count, 1);
        }
        ck_assert_uint_eq(peer_expect(&peer, OP_READ_STREAM), id);
        if (i == 10) {
            peer_expect(&peer, OP_PING);
        }
        peer_error(&peer, id, ACTA_BUSY, "busy");
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert_int_eq(peer_wait(&peer, pauses[i] - 1), ACTA_OK);
        peer_expect_silence(&peer);
        ck_assert_int_eq(peer_wait(&peer, 1), ACTA_OK);
    }
    ck_assert_uint_eq(told->count, 0);
}
END_TEST

/* ---- deadlines, and giving up ---- */

START_TEST(request_that_was_never_sent_times_out_and_says_why)
{
    struct told *told = tolds(2);

    append(&told[0], 100);
    read_stream(&told[1], 200);
    client_enter(peer.client);
    core_unreachable(&peer.client->core,
                     &(struct acta_err){ACTA_UNREACHABLE, "nobody is there"});
    client_leave(peer.client, peer_now_ms);
    ck_assert_uint_eq(core_due(&peer.client->core), peer_now_ms + 100);
    ck_assert_int_eq(peer_wait(&peer, 99), ACTA_OK);
    ck_assert_uint_eq(told[0].count, 0);

    ck_assert_int_eq(peer_wait(&peer, 1), ACTA_OK);
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_int_eq(told[0].code, ACTA_TIMEOUT);
    ck_assert_str_eq(told[0].text, "deadline has passed: nobody is there");
    ck_assert_uint_eq(told[1].count, 0);
    ck_assert_uint_eq(core_due(&peer.client->core), peer_now_ms + 100);
}
END_TEST

START_TEST(append_that_was_sent_ends_as_unknown_a_read_as_late)
{
    struct told *told = tolds(3);

    peer_connect(&peer);
    append(&told[0], 100);
    append(&told[1], 200);
    read_stream(&told[2], 100);
    ck_assert_int_eq(peer_wait(&peer, 100), ACTA_OK);
    ck_assert_int_eq(told[0].code, ACTA_UNKNOWN);
    ck_assert_int_eq(told[2].code, ACTA_TIMEOUT);
    /* Nor does losing the connection make it known. */
    peer_lose(&peer);
    ck_assert_int_eq(peer_wait(&peer, 100), ACTA_OK);
    ck_assert_int_eq(told[1].code, ACTA_UNKNOWN);
}
END_TEST

START_TEST(append_that_a_busy_server_refused_is_known_not_to_be_done)
{
    struct told *told = tolds(1);
    uint64_t id;

    peer_connect(&peer);
    id = append(told, 10);
    peer_expect(&peer, OP_APPEND);
    peer_error(&peer, id, ACTA_BUSY, "busy");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(peer_wait(&peer, 10), ACTA_OK);
    ck_assert_uint_eq(told->count, 1);
    ck_assert_int_eq(told->code, ACTA_TIMEOUT);
    ck_assert_str_eq(told->text, "deadline has passed: busy");
}
END_TEST

/* What a refusal says of this sending, it does not say of the one before: a
 * server whose disk is full does not look whether it has the events.
 */
START_TEST(append_sent_before_is_known_only_by_a_verdict_on_its_events)
{
    static const struct {
        enum acta_code answer, end;
    } cases[] = {
        {ACTA_FULL, ACTA_UNKNOWN},      {ACTA_IO, ACTA_UNKNOWN},
        {ACTA_MEMORY, ACTA_UNKNOWN},    {ACTA_CORRUPT, ACTA_UNKNOWN},
        {ACTA_CONFLICT, ACTA_CONFLICT}, {ACTA_ID_REUSED, ACTA_ID_REUSED},
        {ACTA_INVALID, ACTA_INVALID},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tolds(2);
        uint64_t id;

        peer_connect(&peer);
        id = append(&told[0], 0);
        ck_assert_uint_eq(peer_expect(&peer, OP_APPEND), id);
        peer_lose(&peer);
        peer_connect(&peer);
        ck_assert_uint_eq(peer_expect(&peer, OP_APPEND), id);
        peer_error(&peer, id, cases[i].answer, "no");
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert_int_eq(told[0].code, cases[i].end);

        id = append(&told[1], 0);
        peer_expect(&peer, OP_APPEND);
        peer_error(&peer, id, cases[i].answer, "no");
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert_int_eq(told[1].code, cases[i].answer);
        peer_lose(&peer);
    }
}
END_TEST

/* The server knows an append again by the ids of its events, or by that of its
 * command. One that has neither may be in its own way: what it moved has taken
 * place by now, what it was fenced by is over.
 */
static uint64_t
move_schedule(struct told *told, const struct acta_id *command_id)
{
    struct acta_append *append = acta_append_new();
    uint64_t id;

    acta_append_move_schedule(append, "reminder", 1);
    if (command_id != NULL) {
        acta_append_command_id(append, command_id);
    }
    id = acta_append(peer.client, append, 0, on_appended, told, &peer.err);
    ck_assert_msg(id != 0, "%s", peer.err.text);
    acta_append_free(append);
    return id;
}

START_TEST(effects_sent_before_are_known_only_if_they_have_an_id)
{
    static const enum acta_code refusals[] = {ACTA_CONFLICT, ACTA_FENCED,
                                              ACTA_UNDECIDED, ACTA_NOT_FOUND};
    const struct acta_id command_id = {.bytes = {1}};

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct told *told = tolds(2);
        uint64_t ids[2];

        peer_connect(&peer);
        ids[0] = move_schedule(&told[0], NULL);
        ids[1] = move_schedule(&told[1], &command_id);
        peer_lose(&peer);
        peer_connect(&peer);
        for (size_t n = 0; n < 2; n++) {
            ck_assert_uint_eq(peer_expect(&peer, OP_APPEND), ids[n]);
            peer_error(&peer, ids[n], refusals[i], "no");
        }
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert_int_eq(told[0].code, ACTA_UNKNOWN);
        ck_assert_str_eq(told[0].text, "it may have been done: no");
        ck_assert_int_eq(told[1].code, refusals[i]);
        peer_lose(&peer);
    }
}
END_TEST

START_TEST(cancelled_request_ends_at_once_and_its_answer_is_passed_over)
{
    struct told *told = tolds(2);
    uint64_t ids[2];

    peer_connect(&peer);
    ids[0] = append(&told[0], 0);
    ids[1] = ping(&told[1]);
    ck_assert_int_eq(acta_cancel(peer.client, ids[0]), ACTA_OK);
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_int_eq(told[0].code, ACTA_CANCELLED);
    ck_assert_int_eq(acta_cancel(peer.client, ids[0]), ACTA_NOT_FOUND);

    peer_appended(&peer, ids[0], 1, 1, 1);
    peer_pong(&peer, ids[1], 3);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_uint_eq(told[1].number, 3);
}
END_TEST

START_TEST(closing_cancels_all_and_refuses_what_its_callbacks_want)
{
    struct told *told = tolds(3);

    ping(&told[0]);
    peer_connect(&peer);
    append(&told[1], 0);
    peer_lose(&peer);
    read_stream(&told[2], 0);
    acta_close(peer.client);
    peer.client = NULL;
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(told[i].count, 1);
        ck_assert_int_eq(told[i].code, ACTA_CANCELLED);
        ck_assert_uint_eq(told[i].order, i + 1);
    }
}
END_TEST

/* ---- refusals ---- */

START_TEST(refused_append_names_what_was_in_the_way)
{
    struct msg_error error = {
        .code = ACTA_CONFLICT,
        .text = slice_of("write 2: s-1 is at 7"),
        .failures_count = 2,
        .failures = {{MSG_FAILED_WRITE, 2, 0, 5, 7},
                     {MSG_FAILED_WRITE, 3, 0, MSG_EXPECT_EXISTS, 0}},
    };
    struct told *told = tolds(1);
    uint64_t id;

    peer_connect(&peer);
    id = append(told, 0);
    msg_error_encode(&peer.answer, id, &error);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(told->code, ACTA_CONFLICT);
    ck_assert_str_eq(told->text, "write 2: s-1 is at 7");
    ck_assert_uint_eq(told->failures_count, 2);
    ck_assert_int_eq(told->failure.kind, ACTA_FAILED_WRITE);
    ck_assert_uint_eq(told->failure.index, 2);
    ck_assert_int_eq(told->failure.expected, 5);
    ck_assert_uint_eq(told->failure.actual, 7);
}
END_TEST

START_TEST(server_that_will_never_have_us_ends_what_waits)
{
    struct told *told = tolds(2);

    ping(&told[0]);
    client_enter(peer.client);
    core_connected(&peer.client->core, peer_now_ms);
    client_leave(peer.client, peer_now_ms);
    peer_error(&peer, CORE_ID_HELLO, ACTA_NOT_FOUND, "no database x");
    ck_assert_int_eq(peer_say(&peer), ACTA_NOT_FOUND);
    ck_assert_str_eq(peer.err.text, "server: no database x");
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_int_eq(told[0].code, ACTA_NOT_FOUND);
}
END_TEST

START_TEST(server_that_is_stopping_ends_nothing)
{
    struct told *told = tolds(1);

    ping(told);
    client_enter(peer.client);
    core_connected(&peer.client->core, peer_now_ms);
    client_leave(peer.client, peer_now_ms);
    peer_error(&peer, CORE_ID_HELLO, ACTA_STOPPING, "stopping");
    ck_assert_int_eq(peer_say(&peer), ACTA_STOPPING);
    ck_assert_uint_eq(told->count, 0);
    peer_connect(&peer);
    peer_expect(&peer, OP_PING);
}
END_TEST

START_TEST(another_database_gets_nothing_that_was_decided_from_the_first)
{
    struct told *told = tolds(3);
    unsigned waited = 0;
    uint64_t read;

    peer_connect(&peer);
    append(&told[0], 0);
    read = read_stream(&told[1], 0);
    peer_lose(&peer);
    append(&told[2], 0);
    wait_for(&waited);
    peer.welcome.database_id.bytes[3]++;
    peer_connect(&peer);
    ck_assert_int_eq(told[0].code, ACTA_UNKNOWN);
    ck_assert_int_eq(told[2].code, ACTA_FENCED);
    ck_assert_str_eq(told[2].text,
                     "another database answers at this address now");
    ck_assert_uint_eq(waited, 1);
    ck_assert_uint_eq(peer_expect(&peer, OP_READ_STREAM), read);
    peer_expect_silence(&peer);
    ck_assert_uint_eq(told[1].count, 0);
}
END_TEST

static void
on_append_again(void *user, const struct acta_err *err,
                const struct acta_appended *appended)
{
    (void)appended;
    ck_assert_int_eq(err->code, ACTA_FENCED);
    append(user, 0);
}

START_TEST(what_is_decided_when_another_database_is_known_goes_there)
{
    struct told *told = tolds(1);
    struct acta_append *first = acta_append_new();
    struct acta_draft draft = acta_draft_of("T", "data", 4);

    peer_connect(&peer);
    peer_lose(&peer);
    acta_append_stream(first, "s-1", ACTA_EXPECT_ANY);
    acta_append_event(first, &draft);
    acta_append(peer.client, first, 0, on_append_again, told, &peer.err);
    acta_append_free(first);
    peer.welcome.database_id.bytes[3]++;
    peer_connect(&peer);
    peer_expect(&peer, OP_APPEND);
    peer_expect_silence(&peer);
    ck_assert_uint_eq(told->count, 0);
}
END_TEST

START_TEST(second_answer_to_one_request_is_passed_over)
{
    struct told *told = tolds(1);
    uint64_t id;

    peer_connect(&peer);
    id = ping(told);
    peer_pong(&peer, id, 1);
    peer_pong(&peer, id, 2);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(told->count, 1);
    ck_assert_uint_eq(told->number, 1);
}
END_TEST

/* ---- silence ---- */

START_TEST(silent_server_is_pinged_and_then_given_up)
{
    struct told *told = tolds(1);

    peer_connect(&peer);
    read_stream(told, 3600000);
    peer_expect(&peer, OP_READ_STREAM);
    ck_assert_int_eq(peer_wait(&peer, 9999), ACTA_OK);
    peer_expect_silence(&peer);
    ck_assert_int_eq(peer_wait(&peer, 1), ACTA_OK);
    peer_expect(&peer, OP_PING);
    peer_pong(&peer, CORE_ID_PING, 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);

    ck_assert_int_eq(peer_wait(&peer, 10000), ACTA_OK);
    peer_expect(&peer, OP_PING);
    ck_assert_int_eq(peer_wait(&peer, 9999), ACTA_OK);
    ck_assert_int_eq(peer_wait(&peer, 1), ACTA_TIMEOUT);
    ck_assert_uint_eq(told->count, 0);
}
END_TEST

START_TEST(silence_while_nothing_is_awaited_is_no_silence)
{
    struct told *told = tolds(1);

    peer_connect(&peer);
    ck_assert_int_eq(peer_wait(&peer, 1000000), ACTA_OK);
    peer_expect_silence(&peer);
    ck_assert_uint_eq(core_due(&peer.client->core), UINT64_MAX);
    ping(told);
    peer_expect(&peer, OP_PING);
    ck_assert_int_eq(peer_wait(&peer, 9999), ACTA_OK);
    peer_expect_silence(&peer);
}
END_TEST

/* ---- callbacks that call ---- */

static struct told nested;

static void
ask_again(void *user, const struct acta_err *err, uint64_t head)
{
    note(user, err, head);
    if (nested.count == 0 && head < 100) {
        acta_ping(peer.client, 0, ask_again, user, NULL);
    }
}

START_TEST(callback_may_ask_again)
{
    struct told *told = tolds(1);
    uint64_t id;

    peer_connect(&peer);
    acta_ping(peer.client, 0, ask_again, told, NULL);
    for (unsigned i = 1; i <= 100; i++) {
        id = peer_expect(&peer, OP_PING);
        peer_pong(&peer, id, i);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert_uint_eq(told->count, i);
    }
    peer_expect_silence(&peer);
}
END_TEST

static void
close_client(void *user, const struct acta_err *err, uint64_t head)
{
    struct acta_client *client = peer.client;

    note(user, err, head);
    peer.client = NULL;
    acta_close(client);
}

START_TEST(callback_may_close_the_client)
{
    struct told *told = tolds(3);
    uint64_t first, second;

    peer_connect(&peer);
    first = acta_ping(peer.client, 0, close_client, &told[0], NULL);
    second = ping(&told[1]);
    append(&told[2], 0);
    peer_pong(&peer, first, 1);
    peer_pong(&peer, second, 2);
    (void)peer_say(&peer);
    ck_assert_ptr_null(peer.client);
    ck_assert_int_eq(told[0].code, ACTA_OK);
    ck_assert_int_eq(told[1].code, ACTA_CANCELLED);
    ck_assert_int_eq(told[2].code, ACTA_CANCELLED);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(told[i].count, 1);
    }
}
END_TEST

static uint64_t victim;

static void
cancel_victim(void *user, const struct acta_err *err, uint64_t head)
{
    note(user, err, head);
    (void)acta_cancel(peer.client, victim);
}

START_TEST(callback_may_cancel_another_request)
{
    struct told *told = tolds(2);
    uint64_t id;

    peer_connect(&peer);
    id = acta_ping(peer.client, 0, cancel_victim, &told[0], NULL);
    victim = ping(&told[1]);
    peer_pong(&peer, id, 1);
    peer_pong(&peer, victim, 2);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(told[1].count, 1);
    ck_assert_int_eq(told[1].code, ACTA_CANCELLED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client core");
    TCase *tcase = tcase_create("client core");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(
        tcase, hello_comes_first_and_what_was_asked_before_follows_the_welcome);
    tcase_add_test(tcase, server_is_told_to_those_who_ask);
    tcase_add_test(tcase, answers_find_their_requests_in_any_order);
    tcase_add_test(tcase, answers_may_come_in_pieces_of_any_size);
    tcase_add_test(tcase, no_more_is_on_the_wire_than_the_server_allows);
    tcase_add_test(tcase, too_many_requests_are_refused_with_a_clear_error);
    tcase_add_test(tcase, what_waits_at_the_server_leaves_room_for_others);
    tcase_add_loop_test(tcase, what_was_not_answered_is_sent_again_in_order, 0,
                        5);
    tcase_add_test(tcase, connection_lost_at_every_byte_costs_nobody_an_answer);
    tcase_add_loop_test(tcase, busy_server_is_asked_again_after_a_pause, 0, 3);
    tcase_add_test(tcase,
                   pauses_of_a_busy_server_grow_up_to_a_limit_and_start_anew);
    tcase_add_test(tcase, request_that_was_never_sent_times_out_and_says_why);
    tcase_add_test(tcase, append_that_was_sent_ends_as_unknown_a_read_as_late);
    tcase_add_test(tcase,
                   append_that_a_busy_server_refused_is_known_not_to_be_done);
    tcase_add_test(tcase,
                   append_sent_before_is_known_only_by_a_verdict_on_its_events);
    tcase_add_test(tcase,
                   effects_sent_before_are_known_only_if_they_have_an_id);
    tcase_add_test(
        tcase, cancelled_request_ends_at_once_and_its_answer_is_passed_over);
    tcase_add_test(tcase,
                   closing_cancels_all_and_refuses_what_its_callbacks_want);
    tcase_add_test(tcase, refused_append_names_what_was_in_the_way);
    tcase_add_test(tcase, server_that_will_never_have_us_ends_what_waits);
    tcase_add_test(tcase, server_that_is_stopping_ends_nothing);
    tcase_add_test(
        tcase, another_database_gets_nothing_that_was_decided_from_the_first);
    tcase_add_test(tcase,
                   what_is_decided_when_another_database_is_known_goes_there);
    tcase_add_test(tcase, second_answer_to_one_request_is_passed_over);
    tcase_add_test(tcase, silent_server_is_pinged_and_then_given_up);
    tcase_add_test(tcase, silence_while_nothing_is_awaited_is_no_silence);
    tcase_add_test(tcase, callback_may_ask_again);
    tcase_add_test(tcase, callback_may_close_the_client);
    tcase_add_test(tcase, callback_may_cancel_another_request);
    return run_suite(suite);
}
