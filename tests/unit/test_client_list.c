/* What the client asks of streams, names and times, and makes of the answers.
 * Against a peer without a socket.
 */

#include <stdio.h>
#include <stdlib.h>

#include "peer.h"
#include "run.h"

static struct peer peer;

/* What the callbacks were told; names are written down as text. */
static struct told {
    unsigned count;
    enum acta_code code;
    struct acta_stream stream;
    uint64_t number;
    size_t names_count;
    bool at_end;
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
on_description(void *user, const struct acta_err *err,
               const struct acta_description *description)
{
    ck_assert_ptr_eq(user, &told);
    note(err);
    told.stream = *description->stream;
    told.number = description->first_version;
    write_down(description->stream->name);
}

static void
on_streams(void *user, const struct acta_err *err,
           const struct acta_streams *streams)
{
    ck_assert_ptr_eq(user, &told);
    note(err);
    told.stream = *streams->streams[0];
    write_down(streams->streams[0]->name);
}

static void
on_names(void *user, const struct acta_err *err, const struct acta_names *names)
{
    ck_assert_ptr_eq(user, &told);
    note(err);
    told.names_count = names->names_count;
    told.at_end = names->at_end;
    for (size_t i = 0; i < names->names_count; i++) {
        const struct acta_name *name = names->names[i];
        char text[100];

        snprintf(text, sizeof(text), "%s:%ju:%ju:%ju:%ju", name->name,
                 (uintmax_t)name->count, (uintmax_t)name->first_time_us,
                 (uintmax_t)name->last_time_us, (uintmax_t)name->last_position);
        write_down(text);
    }
}

static void
on_position(void *user, const struct acta_err *err, uint64_t position)
{
    ck_assert_ptr_eq(user, &told);
    note(err);
    told.number = position;
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

static const struct msg_stream stream = {
    .name = {(const uint8_t *)"s-1", 3},
    .version = 12,
    .first_time_us = 100,
    .last_time_us = 200,
    .last_position = 55,
    .state = MSG_STREAM_DELETED,
    .settings = {13, 5, 6},
};

static void
assert_stream(void)
{
    ck_assert_str_eq(told.text, "s-1");
    ck_assert_uint_eq(told.stream.version, 12);
    ck_assert_uint_eq(told.stream.first_time_us, 100);
    ck_assert_uint_eq(told.stream.last_time_us, 200);
    ck_assert_uint_eq(told.stream.last_position, 55);
    ck_assert_int_eq(told.stream.state, ACTA_STREAM_DELETED);
    ck_assert_uint_eq(told.stream.truncate_before, 13);
    ck_assert_uint_eq(told.stream.max_count, 5);
    ck_assert_uint_eq(told.stream.max_age_us, 6);
}

START_TEST(stream_is_described_with_its_state_and_settings)
{
    struct msg_description description = {
        .stream = stream,
        .first_version = 13,
    };
    struct frame frame;
    struct slice asked;
    uint64_t id;

    peer_connect(&peer);
    id = acta_describe_stream(peer.client, "s-1", 0, on_description, &told,
                              &peer.err);
    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(msg_describe_stream_decode(&asked, frame.body, &peer.err),
                     ACTA_OK);
    ck_assert(slice_equal(asked, slice_of("s-1")));
    msg_description_encode(&peer.answer, id, &description);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(told.code, ACTA_OK);
    assert_stream();
    ck_assert_uint_eq(told.number, 13);
}
END_TEST

START_TEST(stream_that_cannot_be_described_has_an_empty_description)
{
    uint64_t id;

    peer_connect(&peer);
    id = acta_describe_stream(peer.client, "s-1", 0, on_description, &told,
                              &peer.err);
    peer_error(&peer, id, ACTA_CORRUPT, "damaged");
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(told.code, ACTA_CORRUPT);
    ck_assert_str_eq(told.text, "");
    ck_assert_uint_eq(told.stream.version, 0);

    /* The same where there is no answer at all. */
    id = acta_describe_stream(peer.client, "s-1", 0, on_description, &told,
                              &peer.err);
    ck_assert_int_eq(acta_cancel(peer.client, id), ACTA_OK);
    ck_assert_uint_eq(told.count, 2);
    ck_assert_int_eq(told.code, ACTA_CANCELLED);
    ck_assert_str_eq(told.text, "");
}
END_TEST

START_TEST(listed_streams_have_their_state_and_settings)
{
    struct msg_streams streams = {.streams_count = 1, .at_end = true};
    struct msg_open open;
    uint64_t id;

    peer_connect(&peer);
    id = acta_list(peer.client, NULL, NULL, 0, 0, on_streams, &told, &peer.err);
    open = msg_streams_begin(&peer.answer, id);
    msg_streams_add(&peer.answer, &stream);
    msg_streams_end(&peer.answer, open, &streams);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    assert_stream();
}
END_TEST

static uint64_t (*const list[])(struct acta_client *client, const char *prefix,
                                const char *after, size_t count_max,
                                uint64_t timeout_ms, acta_on_names *done,
                                void *user, struct acta_err *err) = {
    [MSG_NAME_CATEGORY] = acta_list_categories,
    [MSG_NAME_TYPE] = acta_list_types,
    [MSG_NAME_TAG] = acta_list_tags,
};

START_TEST(names_are_listed_with_their_counts)
{
    struct msg_name names[] = {{slice_of("ab"), 7, 1, 2, 30},
                               {slice_of("ac"), 1, 5, 5, 29}};
    struct msg_names answer = {.names_count = 2, .at_end = _i == 1};
    struct msg_list_names asked;
    struct msg_open open;
    struct frame frame;
    uint64_t id;

    peer_connect(&peer);
    id = list[_i](peer.client, "a", "aa", 2, 0, on_names, &told, &peer.err);
    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(msg_list_names_decode(&asked, frame.body, &peer.err),
                     ACTA_OK);
    ck_assert_int_eq(asked.kind, _i);
    ck_assert(slice_equal(asked.prefix, slice_of("a")));
    ck_assert(slice_equal(asked.after, slice_of("aa")));
    ck_assert_uint_eq(asked.count_max, 2);
    open = msg_names_begin(&peer.answer, id);
    msg_names_add(&peer.answer, &names[0]);
    msg_names_add(&peer.answer, &names[1]);
    msg_names_end(&peer.answer, open, &answer);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(told.code, ACTA_OK);
    ck_assert_uint_eq(told.names_count, 2);
    ck_assert(told.at_end == (_i == 1));
    ck_assert_str_eq(told.text, "ab:7:1:2:30 ac:1:5:5:29");
}
END_TEST

START_TEST(position_of_a_time_is_found)
{
    struct frame frame;
    uint64_t asked;
    uint64_t id;

    peer_connect(&peer);
    id = acta_find_time(peer.client, 1700000000000000, 0, on_position, &told,
                        &peer.err);
    ck_assert(peer_take(&peer, &frame));
    ck_assert_int_eq(frame.kind, OP_FIND_TIME);
    ck_assert_int_eq(
        msg_number_decode(&asked, OP_FIND_TIME, frame.body, &peer.err),
        ACTA_OK);
    ck_assert_uint_eq(asked, 1700000000000000);
    msg_number_encode(&peer.answer, OP_FOUND_TIME, id, 41);
    ck_assert_int_eq(peer_say(&peer), ACTA_OK);
    ck_assert_int_eq(told.code, ACTA_OK);
    ck_assert_uint_eq(told.number, 41);
}
END_TEST

START_TEST(what_cannot_be_asked_is_not_sent)
{
    static char prefix[300];

    memset(prefix, 'x', sizeof(prefix) - 1);
    peer_connect(&peer);
    ck_assert_uint_eq(acta_describe_stream(peer.client, "", 0, on_description,
                                           &told, &peer.err),
                      0);
    ck_assert_int_eq(peer.err.code, ACTA_INVALID);
    ck_assert_uint_eq(acta_list_tags(peer.client, prefix, NULL, 0, 0, on_names,
                                     &told, &peer.err),
                      0);
    ck_assert_int_eq(peer.err.code, ACTA_TOO_LARGE);
    ck_assert_uint_eq(acta_list(peer.client, NULL, prefix, 0, 0, on_streams,
                                &told, &peer.err),
                      0);
    ck_assert_int_eq(peer.err.code, ACTA_TOO_LARGE);
    peer_expect_silence(&peer);
    ck_assert_uint_eq(told.count, 0);
}
END_TEST

START_TEST(server_tells_its_limits)
{
    const struct acta_limits *limits;

    peer.welcome.limits.append_conditions_max = 5;
    peer_connect(&peer);
    limits = acta_server(peer.client)->limits;
    ck_assert_uint_eq(limits->append_conditions_max, 5);
    ck_assert_uint_eq(limits->append_checks_max,
                      msg_limits_default.append_checks_max);
    ck_assert_uint_eq(limits->unseen_events_max,
                      msg_limits_default.unseen_events_max);
    ck_assert_uint_eq(limits->query_items_max,
                      msg_limits_default.query_items_max);
    ck_assert_uint_eq(limits->stream_size_max,
                      msg_limits_default.stream_size_max);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client list");
    TCase *tcase = tcase_create("client list");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, stream_is_described_with_its_state_and_settings);
    tcase_add_test(tcase,
                   stream_that_cannot_be_described_has_an_empty_description);
    tcase_add_test(tcase, listed_streams_have_their_state_and_settings);
    tcase_add_loop_test(tcase, names_are_listed_with_their_counts, 0, 3);
    tcase_add_test(tcase, position_of_a_time_is_found);
    tcase_add_test(tcase, what_cannot_be_asked_is_not_sent);
    tcase_add_test(tcase, server_tells_its_limits);
    return run_suite(suite);
}
