/* No memory, at every place where the client asks for some: an error where it
 * was asked, or a connection that is made again, but no answer is lost and no
 * callback called twice.
 */

#include <stdlib.h>

#include "alloc.h"
#include "peer.h"
#include "run.h"

static struct peer peer;

static struct told {
    unsigned count;
    enum acta_code code;
} appended, page;

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

static void
setup(void)
{
    alloc_reset();
    appended = (struct told){0};
    page = (struct told){0};
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

/* Fill and send an append, read, and subscribe, with the allocation number @n
 * failing. What is refused is tried again; true if something was.
 */
static bool
ask_everything(int n)
{
    static const char data[3000];
    struct acta_follow follow = acta_follow_of(NULL, 0);
    struct acta_read read = acta_read_of_stream("s-1");
    struct acta_draft draft = acta_draft_of("T", data, sizeof(data));
    uint64_t append_id, read_id;
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

/* Answer what the client asks, from a log of six events. */
static void
answer_everything(void)
{
    struct frame frame;

    while (peer_take(&peer, &frame)) {
        struct msg_subscribe subscribe;

        switch (frame.kind) {
        case OP_APPEND:
            peer_appended(&peer, frame.request_id, 1, 1, 1);
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
        ck_assert_uint_eq(page.count, 1);
        ck_assert_int_eq(page.code, ACTA_OK);
        ck_assert_uint_eq(events_seen, 6);
        ck_assert_uint_eq(out_of_order, 0);
        ck_assert_int_lt(n, 1000);
    }
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
    return run_suite(suite);
}
