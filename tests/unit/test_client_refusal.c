/* What a program is told of a refused append, the events that it has missed
 * among it, and of one that was done before. Against a peer without a socket.
 */

#include <stdio.h>
#include <stdlib.h>

#include "peer.h"
#include "run.h"

static struct peer peer;

/* What the callbacks were told; the data of events is written down as text. */
static struct told {
    unsigned count;
    enum acta_code code;
    bool repeated, by_command;
    bool has_unseen;
    struct acta_unseen unseen;
    size_t failures_count;
    struct acta_failure failures[4];
    char text[1000];
} told;

static void
note(const struct acta_err *err)
{
    told.count++;
    told.code = err == NULL ? ACTA_OK : err->code;
}

static void
write_down(const char *text)
{
    size_t used = strlen(told.text);

    snprintf(told.text + used, sizeof(told.text) - used, "%s%s",
             used == 0 ? "" : " ", text);
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    ck_assert_ptr_eq(user, &told);
    note(err);
    told.repeated = appended->repeated;
    told.by_command = appended->by_command;
    told.failures_count = appended->failures_count;
    for (size_t i = 0; i < appended->failures_count && i < 4; i++) {
        told.failures[i] = *appended->failures[i];
    }
    told.has_unseen = appended->unseen != NULL;
    if (!told.has_unseen) {
        return;
    }
    told.unseen = *appended->unseen;
    for (size_t i = 0; i < appended->unseen->events_count; i++) {
        write_down(appended->unseen->events[i]->data);
    }
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

static uint64_t
append(const struct acta_id *command_id)
{
    struct acta_draft draft = acta_draft_of("T", "data", 4);
    struct acta_append *filled = acta_append_new();
    uint64_t id;

    acta_append_stream(filled, "s-1", 3);
    acta_append_event(filled, &draft);
    acta_append_unseen(filled, 10, 0);
    if (command_id != NULL) {
        acta_append_command_id(filled, command_id);
    }
    id = acta_append(peer.client, filled, 0, on_appended, &told, &peer.err);
    acta_append_free(filled);
    return id;
}

static void
say_refused(uint64_t id, const struct msg_error *error, uint64_t first,
            uint64_t last)
{
    struct msg_open open = msg_error_begin(&peer.answer, id, error);

    for (uint64_t position = first; position <= last; position++) {
        peer_record(&peer.answer, position);
    }
    msg_error_end(&peer.answer, open, error);
}

START_TEST(refusal_brings_along_the_events_that_were_not_seen)
{
    struct msg_error error = {
        .code = ACTA_CONFLICT,
        .text = slice_of("no"),
        .failures_count = 3,
        .failures = {{MSG_FAILED_WRITE, 0, 0, 3, 5},
                     {MSG_FAILED_CHECK, 1, 0, MSG_EXPECT_EXISTS, 0},
                     {MSG_FAILED_CONDITION, 2, 0, 17, 40}},
        .has_unseen = true,
        .unseen_complete = true,
        .unseen_head = 40,
        .unseen_count = 3,
    };
    uint64_t id;

    peer_connect(&peer);
    id = append(NULL);
    say_refused(id, &error, 4, 6);
    peer_pong(&peer, CORE_ID_PING, 1); /* What lies behind is left alone. */
    ck_assert_int_eq(peer_say_in_steps(&peer, (size_t)_i + 1), ACTA_OK);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_int_eq(told.code, ACTA_CONFLICT);
    ck_assert_uint_eq(told.failures_count, 3);
    ck_assert_int_eq(told.failures[1].kind, ACTA_FAILED_CHECK);
    ck_assert_uint_eq(told.failures[1].index, 1);
    ck_assert_int_eq(told.failures[1].expected, ACTA_EXPECT_EXISTS);
    ck_assert_int_eq(told.failures[2].kind, ACTA_FAILED_CONDITION);
    ck_assert_uint_eq(told.failures[2].index, 2);
    ck_assert_int_eq(told.failures[2].expected, 17);
    ck_assert_uint_eq(told.failures[2].actual, 40);
    ck_assert(told.has_unseen);
    ck_assert(told.unseen.complete);
    ck_assert_uint_eq(told.unseen.head, 40);
    ck_assert_uint_eq(told.unseen.events_count, 3);
    ck_assert_str_eq(told.text, "event 4 event 5 event 6");
}
END_TEST

START_TEST(refusal_may_bring_nothing_along)
{
    struct msg_error error = {
        .code = ACTA_UNDECIDED,
        .text = slice_of("no"),
        .failures_count = 1,
        .failures = {{MSG_FAILED_CONDITION, 0, 0, 1, 1000}},
        .has_unseen = true,
        .unseen_head = 2000,
    };
    uint64_t id;

    peer_connect(&peer);
    id = append(NULL);
    say_refused(id, &error, 1, 0);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(told.code, ACTA_UNDECIDED);
    ck_assert(told.has_unseen);
    ck_assert(!told.unseen.complete);
    ck_assert_uint_eq(told.unseen.events_count, 0);

    id = append(NULL);
    peer_error(&peer, id, ACTA_CONFLICT, "no");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert(!told.has_unseen);

    /* Nor is there anything left of a refusal in the answer after it. */
    id = append(NULL);
    peer_appended(&peer, id, 1, 1, 1);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(told.code, ACTA_OK);
    ck_assert(!told.has_unseen);
    ck_assert_uint_eq(told.failures_count, 0);
}
END_TEST

START_TEST(repeat_is_one_of_a_command_only_if_it_has_an_id)
{
    struct msg_run run = {.first_version = 1, .first_position = 1, .count = 1};
    struct acta_id command_id = {{1}};

    peer_connect(&peer);
    for (int i = 0; i < 4; i++) {
        bool has_id = i & 1;
        bool repeated = i & 2;
        uint64_t id = append(has_id ? &command_id : NULL);
        size_t start = msg_appended_begin(&peer.answer, id, repeated, 1);

        msg_appended_run(&peer.answer, &run);
        msg_appended_end(&peer.answer, start, 0);
        ck_assert_int_eq(peer_say(&peer), ACTA_OK);
        ck_assert(told.repeated == repeated);
        ck_assert(told.by_command == (repeated && has_id));
    }
}
END_TEST

START_TEST(erased_event_is_seen_as_such)
{
    struct acta_event *copy;
    struct view view = {0};
    struct buf content, record;
    uint8_t id[UUID_SIZE] = {1};
    struct event event = {
        .position = 1,
        .version = 1,
        .stream = slice_of("s-1"),
        .type = slice_of("T"),
        .id = id,
        .format = EVENT_ERASED,
    };
    size_t used;

    buf_init(&content, 1000);
    buf_init(&record, 1000);
    event_encode_content(&content, &event, NULL, 0);
    event.content = buf_slice(&content);
    event.content.data++;
    event.content.size--;
    ck_assert_ptr_nonnull(buf_reserve(&record, event_record_size(&event)));
    event_write_record(buf_reserve(&record, event_record_size(&event)), &event);
    buf_advance(&record, event_record_size(&event));
    ck_assert_int_eq(view_records(&view, record.data + record.start,
                                  buf_size(&record), 1, &used, &peer.err),
                     ACTA_OK);
    copy = acta_event_copy(view.pointers[0]);
    ck_assert_int_eq(copy->format, ACTA_FORMAT_ERASED);
    ck_assert_str_eq(copy->type, "T");
    ck_assert_uint_eq(copy->data_size, 0);
    acta_event_free(copy);
    view_fini(&view);
    buf_fini(&content);
    buf_fini(&record);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client refusal");
    TCase *tcase = tcase_create("client refusal");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(
        tcase, refusal_brings_along_the_events_that_were_not_seen, 0, 40);
    tcase_add_test(tcase, refusal_may_bring_nothing_along);
    tcase_add_test(tcase, repeat_is_one_of_a_command_only_if_it_has_an_id);
    tcase_add_test(tcase, erased_event_is_seen_as_such);
    return run_suite(suite);
}
