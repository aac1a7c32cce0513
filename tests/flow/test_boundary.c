/* Consistency boundaries that are drawn by a query instead of a stream: clients
 * that decide from the same events at once, each of them writing to a stream of
 * its own.
 */

#include <acta/acta_sync.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "msg.h"
#include "patient.h"
#include "require.h"
#include "rig.h"
#include "rnd.h"
#include "run.h"

#define DECIDERS_COUNT 12
#define NAMES_MAX      1000
#define ATTEMPTS_MAX   100000
#define UNSEEN_MAX     1000
#define NAME_SIZE      32

static struct rig rig;

struct decider {
    pthread_t thread;
    unsigned number;
    char stream[NAME_SIZE]; /* Its own. */
    struct acta_sync *sync;
    struct acta_query *query;
    struct acta_append *append;
    unsigned work;
    unsigned wins;
    unsigned losses;
};

/* Who was told to have got a name: number + 1. Written by the winner. */
static unsigned owners[NAMES_MAX];

static void
open_decider(struct decider *decider, unsigned number, unsigned work)
{
    struct acta_options options;
    struct acta_err err;
    char url[64];

    *decider = (struct decider){.number = number, .work = work};
    snprintf(decider->stream, NAME_SIZE, "user-%u", number);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    options = patient_options(url);
    ck_assert_msg(acta_sync_open(&decider->sync, &options, &err) == ACTA_OK,
                  "%s", err.text);
    decider->append = acta_append_new();
    decider->query = acta_query_new();
    require(decider->append != NULL);
    require(decider->query != NULL);
}

static void
close_decider(struct decider *decider)
{
    acta_query_free(decider->query);
    acta_append_free(decider->append);
    acta_sync_close(decider->sync);
}

/* Append one event with its number, if none with @tag is behind @after. */
static enum acta_code
append_if_none(struct decider *decider, const char *tag, uint64_t after,
               uint64_t number, const struct acta_appended **appended)
{
    struct acta_draft draft = acta_draft_of("Decided", &number, sizeof(number));
    struct acta_err err;
    enum acta_code code;

    draft.tags = &tag;
    draft.tags_count = 1;
    acta_append_clear(decider->append);
    acta_append_stream(decider->append, decider->stream, ACTA_EXPECT_ANY);
    acta_append_event(decider->append, &draft);
    acta_append_condition(decider->append, decider->query, after);
    acta_append_unseen(decider->append, UNSEEN_MAX, 0);
    code = acta_sync_append(decider->sync, decider->append, appended, &err);
    ck_assert_msg(code == ACTA_OK || code == ACTA_CONFLICT, "%s", err.text);
    return code;
}

static uint64_t
number_of(const struct acta_event *event)
{
    uint64_t number;

    require(event->data_size == sizeof(number));
    memcpy(&number, event->data, sizeof(number));
    return number;
}

static void
run_deciders(struct decider deciders[DECIDERS_COUNT], unsigned work,
             void *(*run)(void *user))
{
    unsigned wins = 0, losses = 0;

    for (unsigned i = 0; i < DECIDERS_COUNT; i++) {
        open_decider(&deciders[i], i, work);
    }
    for (unsigned i = 0; i < DECIDERS_COUNT; i++) {
        ck_assert_int_eq(
            pthread_create(&deciders[i].thread, NULL, run, &deciders[i]), 0);
    }
    for (unsigned i = 0; i < DECIDERS_COUNT; i++) {
        ck_assert_int_eq(pthread_join(deciders[i].thread, NULL), 0);
        wins += deciders[i].wins;
        losses += deciders[i].losses;
    }
    printf("%u wins, %u losses\n", wins, losses);
}

static void
close_deciders(struct decider deciders[DECIDERS_COUNT])
{
    for (unsigned i = 0; i < DECIDERS_COUNT; i++) {
        close_decider(&deciders[i]);
    }
}

/* ---- one of a name ---- */

static void
name_tag(char tag[NAME_SIZE], unsigned name)
{
    snprintf(tag, NAME_SIZE, "name:%u", name);
}

/* Want one name after the other. Who does not get it is shown who did. */
static void *
want_names(void *user)
{
    struct decider *decider = user;

    for (unsigned name = 0; name < decider->work; name++) {
        const struct acta_appended *appended;
        const struct acta_unseen *unseen;
        char tag[NAME_SIZE];

        name_tag(tag, name);
        acta_query_free(decider->query);
        decider->query = acta_query_new();
        require(decider->query != NULL);
        acta_query_tag(decider->query, tag);
        if (append_if_none(decider, tag, 0, decider->number, &appended) ==
            ACTA_OK) {
            require(owners[name] == 0);
            owners[name] = decider->number + 1;
            decider->wins++;
            continue;
        }
        decider->losses++;
        require(appended->failures_count == 1);
        require(appended->failures[0]->kind == ACTA_FAILED_CONDITION);
        unseen = appended->unseen;
        require(unseen != NULL);
        require(unseen->complete);
        require(unseen->events_count == 1);
        require(unseen->events[0]->position == appended->failures[0]->actual);
        require(unseen->events[0]->position <= unseen->head);
        require(number_of(unseen->events[0]) != decider->number);
        require(unseen->events[0]->tags_count == 1);
        require(strcmp(unseen->events[0]->tags[0], tag) == 0);
    }
    return NULL;
}

/* The one event that has the tag is its owner's. */
static void
check_name(struct decider *decider, unsigned name)
{
    struct acta_read read;
    const struct acta_page *page;
    char tag[NAME_SIZE];

    name_tag(tag, name);
    acta_query_free(decider->query);
    decider->query = acta_query_new();
    acta_query_tag(decider->query, tag);
    read = acta_read_of_query(decider->query);
    ck_assert_int_eq(acta_sync_read(decider->sync, &read, &page, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(page->events_count, 1);
    ck_assert_uint_eq(number_of(page->events[0]) + 1, owners[name]);
}

START_TEST(each_name_is_taken_once)
{
    struct decider deciders[DECIDERS_COUNT];
    unsigned names = rnd_effort(40, NAMES_MAX), wins = 0;

    memset(owners, 0, sizeof(owners));
    rig_start(&rig, "--checkpoint-events=10", NULL);
    run_deciders(deciders, names, want_names);
    for (unsigned i = 0; i < DECIDERS_COUNT; i++) {
        wins += deciders[i].wins;
    }
    ck_assert_uint_eq(wins, names);
    for (unsigned name = 0; name < names; name++) {
        check_name(&deciders[0], name);
    }
    close_deciders(deciders);
    rig_stop(&rig);
}
END_TEST

/* ---- a count over all streams ---- */

/* Append events that are counted through, whoever appends them. Nothing is ever
 * read: what a refusal brings along is all there is to decide again from.
 */
static void *
count_on(void *user)
{
    struct decider *decider = user;
    uint64_t counted = 0, after = 0;

    acta_query_tag(decider->query, "counted");
    for (unsigned i = 0; decider->wins < decider->work; i++) {
        const struct acta_appended *appended;
        const struct acta_unseen *unseen;

        require(i < ATTEMPTS_MAX);
        if (append_if_none(decider, "counted", after, counted + 1, &appended) ==
            ACTA_OK) {
            counted++;
            after = appended->position;
            decider->wins++;
            continue;
        }
        decider->losses++;
        unseen = appended->unseen;
        require(unseen != NULL);
        require(unseen->complete);
        require(unseen->events_count > 0);
        for (size_t e = 0; e < unseen->events_count; e++) {
            require(unseen->events[e]->position > after);
            require(number_of(unseen->events[e]) == ++counted);
        }
        after = unseen->head;
    }
    return NULL;
}

START_TEST(decided_again_from_what_refusals_bring_nothing_is_missed)
{
    struct decider deciders[DECIDERS_COUNT];
    unsigned wins = rnd_effort(10, 100);
    const struct acta_event *event;
    struct acta_cursor *cursor;
    struct acta_read read;
    uint64_t count = 0;

    rig_start(&rig, "--checkpoint-events=25", NULL);
    run_deciders(deciders, wins, count_on);
    read = acta_read_of_query(deciders[0].query);
    ck_assert_int_eq(acta_cursor_open(&cursor, deciders[0].sync, &read, NULL),
                     ACTA_OK);
    for (;;) {
        ck_assert_int_eq(acta_cursor_next(cursor, &event, NULL), ACTA_OK);
        if (event == NULL) {
            break;
        }
        ck_assert_uint_eq(number_of(event), ++count);
    }
    ck_assert_uint_eq(count, wins * DECIDERS_COUNT);
    acta_cursor_close(cursor);
    close_deciders(deciders);
    rig_stop(&rig);
}
END_TEST

/* ---- a peer that leaves ---- */

/* What a refusal brings along is read in a turn of its own: that comes, though
 * the peer has ended its side by then.
 */
START_TEST(refusal_reaches_a_peer_that_says_nothing_more)
{
    struct msg_append_more more = {.unseen.events_max = UNSEEN_MAX};
    uint8_t id[16] = {0xff};
    struct event event = {.type = slice_of("T"), .id = id};
    struct msg_error error;
    struct frame frame;
    struct acta_err err;
    struct peer peer;
    size_t start;

    rig_start(&rig, NULL);
    peer_greet(&peer, rig.port);
    peer_put_append(&peer, 2, "order-1", 0, 3, 10);
    start = msg_append_begin(&peer.out, 3, 1);
    msg_append_write(&peer.out, slice_of("order-1"), 1, 1);
    event_encode_content(&peer.out, &event, NULL, 0);
    msg_append_end(&peer.out, start, &more);
    peer_send(&peer);
    ck_assert_int_eq(shutdown(peer.fd, SHUT_WR), 0);
    peer_expect(&peer, OP_APPENDED, 2);
    frame = peer_expect(&peer, OP_ERROR, 3);
    ck_assert_int_eq(msg_error_decode(&error, frame.body, &err), ACTA_OK);
    ck_assert_int_eq(error.code, ACTA_CONFLICT);
    ck_assert_uint_eq(error.unseen_count, 2);
    peer_expect_close(&peer);
    peer_close(&peer);
    rig_stop(&rig);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("boundary");
    TCase *tcase = tcase_create("boundary");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, each_name_is_taken_once);
    tcase_add_test(tcase,
                   decided_again_from_what_refusals_bring_nothing_is_missed);
    tcase_add_test(tcase, refusal_reaches_a_peer_that_says_nothing_more);
    return run_suite(suite);
}
