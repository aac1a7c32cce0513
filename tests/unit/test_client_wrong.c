/* Answers that are none: what breaks the connection, and what ends the request
 * that it answers. Against a peer without a socket.
 */

#include <stdlib.h>

#include "limit.h"
#include "peer.h"
#include "run.h"

static struct peer peer;

/* What callbacks were told; it outlives the test. */
struct told {
    unsigned count;
    enum acta_code code;
    char text[240];
    uint64_t number; /* Head, position or count of events. */
};
static struct told told[2];

static void
note(struct told *to, const struct acta_err *err, uint64_t number)
{
    to->count++;
    to->code = err == NULL ? ACTA_OK : err->code;
    if (err != NULL) {
        memcpy(to->text, err->text, sizeof(to->text));
    }
    to->number = number;
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
    note(user, err, appended->position);
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    note(user, err, page->events_count);
}

/* ---- the words in which the tests are written ---- */

static uint64_t
asked(uint64_t id)
{
    ck_assert_msg(id != 0, "%s", peer.err.text);
    return id;
}

static uint64_t
ping(struct told *to)
{
    return asked(acta_ping(peer.client, 0, on_pong, to, &peer.err));
}

static uint64_t
append(struct told *to)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of("T", "data", 4);
    uint64_t id;

    acta_append_stream(append, "s-1", ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    id = acta_append(peer.client, append, 0, on_appended, to, &peer.err);
    acta_append_free(append);
    return asked(id);
}

static uint64_t
read_stream(struct told *to, acta_on_page *done)
{
    struct acta_read read = acta_read_of_stream("s-1");

    return asked(acta_read(peer.client, &read, 0, done, to, &peer.err));
}

static void
setup(void)
{
    memset(told, 0, sizeof(told));
    peer_open(&peer, NULL);
    peer_connect(&peer);
}

static void
teardown(void)
{
    peer_close(&peer);
}

/* ---- answers ---- */

static void
wrong_magic(uint64_t id)
{
    (void)id;
    buf_append(&peer.answer, "HTTP/1.1 400 Bad Request", 24);
}

static void
wrong_kind(uint64_t id)
{
    msg_number_encode(&peer.answer, OP_PONG, id, 1);
}

static void
unknown_kind(uint64_t id)
{
    msg_number_encode(&peer.answer, 0xff, id, 1);
}

static void
id_never_given(uint64_t id)
{
    peer_page(&peer, id + (100ull << REQUEST_SLOT_BITS), 1, 1, true);
}

static void
body_cut_short(uint64_t id)
{
    size_t start = frame_begin(&peer.answer, OP_PAGE, id);

    pack_array(&peer.answer, 5);
    pack_array(&peer.answer, 1);
    frame_end(&peer.answer, start);
}

static void
record_of_nonsense(uint64_t id)
{
    struct msg_open open = msg_page_begin(&peer.answer, id);
    struct msg_page page = {.events_count = 1};

    pack_text(&peer.answer, "an event?");
    msg_page_end(&peer.answer, open, &page);
}

static void
unseen_of_nonsense(uint64_t id)
{
    struct msg_error error = {
        .code = ACTA_CONFLICT,
        .has_unseen = true,
        .unseen_count = 1,
    };
    struct msg_open open = msg_error_begin(&peer.answer, id, &error);

    pack_text(&peer.answer, "an event?");
    msg_error_end(&peer.answer, open, &error);
}

static void
too_large(uint64_t id)
{
    static const uint8_t header[] = {FRAME_MAGIC, OP_PAGE, 0, 0, 0xff, 0xff,
                                     0xff,        0xff,    0, 0, 0,    0,
                                     0,           0,       0, 0};

    (void)id;
    buf_append(&peer.answer, header, sizeof(header));
}

static void
error_without_code(uint64_t id)
{
    struct msg_error error = {.code = ACTA_OK};

    msg_error_encode(&peer.answer, id, &error);
}

static void
complaint(uint64_t id)
{
    (void)id;
    peer_error(&peer, 0, ACTA_PROTOCOL, "I cannot understand you");
}

/* What answers no request, or cannot be told from that. */
static void (*const wrong[])(uint64_t id) = {
    wrong_magic,
    id_never_given,
    too_large,
    complaint,
};

#define WRONG_COUNT ((int)(sizeof(wrong) / sizeof(wrong[0])))

START_TEST(wrong_frame_breaks_the_connection_and_nothing_else)
{
    uint64_t id, other;
    enum acta_code code;

    id = read_stream(&told[0], on_page);
    other = ping(&told[1]);
    wrong[_i](id);
    peer_pong(&peer, other, 1);
    code = peer_say(&peer);
    ck_assert_msg(code == ACTA_PROTOCOL || code == ACTA_TOO_LARGE, "%d", code);
    ck_assert_int_ne(peer.err.text[0], '\0');
    ck_assert_uint_eq(told[0].count, 0);
    ck_assert_uint_eq(told[1].count, 0);

    peer_connect(&peer);
    peer_page(&peer, id, 1, 3, true);
    peer_pong(&peer, other, 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_uint_eq(told[0].number, 3);
    ck_assert_uint_eq(told[1].count, 1);
}
END_TEST

/* What answers one request, and can be no answer to it. */
static void (*const unreadable[])(uint64_t id) = {
    wrong_kind,         unknown_kind,       body_cut_short,
    record_of_nonsense, error_without_code, unseen_of_nonsense,
};

#define UNREADABLE_COUNT ((int)(sizeof(unreadable) / sizeof(unreadable[0])))

START_TEST(unreadable_answer_ends_its_request_and_the_connection)
{
    uint64_t id, other;

    id = read_stream(&told[0], on_page);
    other = ping(&told[1]);
    unreadable[_i](id);
    peer_pong(&peer, other, 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_PROTOCOL);
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_int_eq(told[0].code, ACTA_PROTOCOL);
    ck_assert_int_ne(told[0].text[0], '\0');
    ck_assert_uint_eq(told[1].count, 0);

    peer_connect(&peer);
    ck_assert_uint_eq(peer_expect(&peer, OP_PING), other);
    peer_expect_silence(&peer);
    peer_pong(&peer, other, 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_uint_eq(told[1].count, 1);
}
END_TEST

START_TEST(change_with_an_unreadable_answer_is_of_unknown_outcome)
{
    unreadable[_i](append(&told[0]));
    ck_assert_int_eq(peer_say(&peer), ACTA_PROTOCOL);
    ck_assert_uint_eq(told[0].count, 1);
    ck_assert_int_eq(told[0].code, ACTA_UNKNOWN);
}
END_TEST

static void
on_page_close(void *user, const struct acta_err *err,
              const struct acta_page *page)
{
    on_page(user, err, page);
    acta_close(peer.client);
    peer.client = NULL;
}

START_TEST(client_may_be_closed_when_an_answer_is_unreadable)
{
    uint64_t id = read_stream(&told[0], on_page_close);

    ping(&told[1]);
    body_cut_short(id);
    ck_assert_int_eq(peer_say(&peer), ACTA_PROTOCOL);
    ck_assert_int_eq(told[0].code, ACTA_PROTOCOL);
    ck_assert_int_eq(told[1].code, ACTA_CANCELLED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client wrong");
    TCase *tcase = tcase_create("client wrong");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase,
                        wrong_frame_breaks_the_connection_and_nothing_else, 0,
                        WRONG_COUNT);
    tcase_add_loop_test(tcase,
                        unreadable_answer_ends_its_request_and_the_connection,
                        0, UNREADABLE_COUNT);
    tcase_add_loop_test(tcase,
                        change_with_an_unreadable_answer_is_of_unknown_outcome,
                        0, UNREADABLE_COUNT);
    tcase_add_test(tcase, client_may_be_closed_when_an_answer_is_unreadable);
    return run_suite(suite);
}
