/* What an append says besides its writes, how a refusal answers it, and changes
 * of streams.
 */

#include "msg.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "hex.h"
#include "limit.h"
#include "run.h"

static struct buf buf;
static struct acta_err err;

static const uint8_t id[UUID_SIZE] = {1, 2, 3};
static const uint8_t command[UUID_SIZE] = {4, 5, 6};

static void
setup(void)
{
    buf_init(&buf, 8u << 20);
    err = (struct acta_err){ACTA_OK, ""};
    alloc_reset();
}

static void
teardown(void)
{
    buf_fini(&buf);
}

/* The body of the frame in buf. */
static struct slice
body(void)
{
    struct slice bytes = buf_slice(&buf);

    ck_assert(!buf_failed(&buf));
    return slice_make(bytes.data + FRAME_HEADER_SIZE,
                      bytes.size - FRAME_HEADER_SIZE);
}

/* An append of one event to the stream s, expected at version 3. */
static size_t
begin_append(void)
{
    struct event event = {.type = slice_of("T"), .id = id};
    size_t start;

    buf_clear(&buf);
    start = msg_append_begin(&buf, 1, 1);
    msg_append_write(&buf, slice_of("s"), 3, 1);
    event_encode_content(&buf, &event, NULL, 0);
    return start;
}

static enum acta_code
decode_append(void)
{
    struct msg_append append;
    enum acta_code code = msg_append_decode(&append, body(), &err);

    if (code != ACTA_OK) {
        ck_assert_ptr_null(append.memory);
        ck_assert_uint_eq(append.more.conditions_count, 0);
    }
    msg_append_fini(&append);
    return code;
}

static enum acta_code
try_more(const struct msg_append_more *more)
{
    msg_append_end(&buf, begin_append(), more);
    return decode_append();
}

/* How many fields the body of the append in buf has. */
static unsigned
fields_count(void)
{
    return body().data[0] & 0x0f;
}

/* ---- append ---- */

START_TEST(append_that_says_no_more_is_one_field)
{
    struct msg_append_more nothing = {.unseen.bytes_max = 100};
    struct slice ended_so, ended_otherwise;
    struct buf other;

    msg_append_end(&buf, begin_append(), NULL);
    ck_assert_uint_eq(fields_count(), 1);
    buf_init(&other, 4096);
    buf_append_slice(&other, buf_slice(&buf));
    ended_so = buf_slice(&other);

    msg_append_end(&buf, begin_append(), &nothing);
    ended_otherwise = buf_slice(&buf);
    assert_slice_eq(ended_otherwise, ended_so);
    frame_end(&buf, begin_append());
    ended_otherwise = buf_slice(&buf);
    assert_slice_eq(ended_otherwise, ended_so);
    buf_fini(&other);
}
END_TEST

START_TEST(fields_that_say_nothing_are_left_out_at_the_end)
{
    struct msg_check check = {slice_of("c"), 1};
    struct msg_condition condition = {QUERY_ALL, 1};
    struct msg_append_more more = {.checks = &check, .checks_count = 1};

    ck_assert_int_eq(try_more(&more), ACTA_OK);
    ck_assert_uint_eq(fields_count(), 2);
    more = (struct msg_append_more){.conditions = &condition,
                                    .conditions_count = 1};
    ck_assert_int_eq(try_more(&more), ACTA_OK);
    ck_assert_uint_eq(fields_count(), 3);
    more = (struct msg_append_more){.command_id = command};
    ck_assert_int_eq(try_more(&more), ACTA_OK);
    ck_assert_uint_eq(fields_count(), 4);
    more = (struct msg_append_more){.unseen.events_max = 1};
    ck_assert_int_eq(try_more(&more), ACTA_OK);
    ck_assert_uint_eq(fields_count(), 5);
}
END_TEST

START_TEST(decoded_append_knows_what_it_depends_on)
{
    struct slice type = slice_of("Paid");
    struct query_item item = {0};
    struct msg_check checks[] = {{slice_of("c-1"), 7},
                                 {slice_of("c-2"), MSG_EXPECT_EXISTS}};
    struct msg_condition conditions[] = {{{&item, 1, NULL}, 4711},
                                         {QUERY_ALL, UINT64_MAX}};
    struct msg_append_more more = {
        .checks = checks,
        .checks_count = 2,
        .conditions = conditions,
        .conditions_count = 2,
        .command_id = command,
        .unseen = {5000, 1u << 30},
    };
    struct msg_append append;

    item.fields[QUERY_TYPES] =
        (struct query_terms){.prefixes = &type, .prefixes_count = 1};
    msg_append_end(&buf, begin_append(), &more);
    ck_assert_int_eq(msg_append_decode(&append, body(), &err), ACTA_OK);
    ck_assert_uint_eq(append.events_count, 1);
    ck_assert_uint_eq(append.more.checks_count, 2);
    assert_slice_eq(append.more.checks[1].stream, slice_of("c-2"));
    ck_assert_int_eq(append.more.checks[0].expected, 7);
    ck_assert_int_eq(append.more.checks[1].expected, MSG_EXPECT_EXISTS);
    ck_assert_uint_eq(append.more.conditions_count, 2);
    ck_assert_uint_eq(append.more.conditions[0].after, 4711);
    ck_assert_uint_eq(append.more.conditions[0].query.items_count, 1);
    assert_slice_eq(append.more.conditions[0]
                        .query.items[0]
                        .fields[QUERY_TYPES]
                        .prefixes[0],
                    type);
    ck_assert_uint_eq(append.more.conditions[1].after, UINT64_MAX);
    ck_assert_uint_eq(append.more.conditions[1].query.items_count, 0);
    ck_assert_mem_eq(append.more.command_id, command, UUID_SIZE);
    ck_assert_uint_eq(append.more.unseen.events_max, 5000);
    ck_assert_uint_eq(append.more.unseen.bytes_max, 1u << 30);
    msg_append_fini(&append);
    ck_assert_ptr_null(append.more.conditions);
    msg_append_fini(&append); /* Nothing is left to free. */
}
END_TEST

START_TEST(condition_without_after_is_about_every_event)
{
    struct msg_append append;

    begin_append();
    buf.data[FRAME_HEADER_SIZE] = 0x93;
    buf_append_slice(&buf, hex("c0 91 92 90 c0"));
    frame_end(&buf, 0);
    ck_assert_msg(msg_append_decode(&append, body(), &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_uint_eq(append.more.conditions_count, 1);
    ck_assert_uint_eq(append.more.conditions[0].after, 0);
    msg_append_fini(&append);
}
END_TEST

static enum acta_code
try_checks(size_t count)
{
    struct msg_check *checks = calloc(count, sizeof(*checks));
    struct msg_append_more more = {.checks = checks, .checks_count = count};
    enum acta_code code;

    for (size_t i = 0; i < count; i++) {
        checks[i] = (struct msg_check){slice_of("c"), 1};
    }
    code = try_more(&more);
    free(checks);
    return code;
}

static enum acta_code
try_conditions(size_t count)
{
    struct slice tag = slice_of("t");
    struct query_item item = {0};
    struct msg_condition conditions[ACTA_APPEND_CONDITIONS_MAX + 1];
    struct msg_append_more more = {.conditions = conditions,
                                   .conditions_count = count};

    item.fields[QUERY_TAGS] = (struct query_terms){.texts = &tag, .count = 1};
    for (size_t i = 0; i < count; i++) {
        conditions[i] = (struct msg_condition){{&item, 1, NULL}, i};
    }
    return try_more(&more);
}

/* All conditions together: each text is a list to look into. */
static enum acta_code
try_terms(size_t count)
{
    struct slice texts[ACTA_QUERY_TERMS_MAX];
    struct query_item items[3] = {0};
    struct msg_condition conditions[3];
    struct msg_append_more more = {.conditions = conditions};

    for (size_t i = 0; i < ACTA_QUERY_TERMS_MAX; i++) {
        texts[i] = slice_of("t");
    }
    for (size_t c = 0; c < 3; c++) {
        size_t here =
            count < ACTA_QUERY_TERMS_MAX ? count : ACTA_QUERY_TERMS_MAX;

        items[c].fields[QUERY_TYPES] =
            (struct query_terms){.texts = texts, .count = here};
        conditions[c] = (struct msg_condition){{&items[c], 1, NULL}, 0};
        more.conditions_count += here > 0;
        count -= here;
    }
    return try_more(&more);
}

START_TEST(names_in_conditions_are_bounded)
{
    ck_assert_int_eq(try_terms(ACTA_APPEND_TERMS_MAX), ACTA_OK);
    ck_assert_int_eq(try_terms(ACTA_APPEND_TERMS_MAX + 1), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text,
                     "condition 2: conditions name more than 512 texts");
}
END_TEST

START_TEST(checks_and_conditions_are_bounded)
{
    ck_assert_int_eq(try_checks(ACTA_APPEND_CHECKS_MAX), ACTA_OK);
    ck_assert_int_eq(try_checks(ACTA_APPEND_CHECKS_MAX + 1), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "1001 checks, the limit is 1000");
    ck_assert_int_eq(try_conditions(ACTA_APPEND_CONDITIONS_MAX), ACTA_OK);
    ck_assert_int_eq(try_conditions(ACTA_APPEND_CONDITIONS_MAX + 1),
                     ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "33 conditions, the limit is 32");
}
END_TEST

static enum acta_code
try_two_checks(const char *a, int64_t expected_a, const char *b,
               int64_t expected_b)
{
    struct msg_check checks[] = {{slice_of(a), expected_a},
                                 {slice_of(b), expected_b}};
    struct msg_append_more more = {.checks = checks, .checks_count = 2};

    return try_more(&more);
}

START_TEST(writes_and_checks_of_one_stream_expect_the_same)
{
    ck_assert_int_eq(try_two_checks("a", 1, "b", 2), ACTA_OK);
    ck_assert_int_eq(try_two_checks("a", 1, "a", 1), ACTA_OK);
    ck_assert_int_eq(try_two_checks("a", 1, "a", 2), ACTA_INVALID);
    ck_assert_str_eq(err.text, "check 0 and check 1 are about one stream but "
                               "expect different versions");
    ck_assert_int_eq(try_two_checks("a", 1, "s", 3), ACTA_OK);
    ck_assert_int_eq(try_two_checks("a", 1, "s", -1), ACTA_INVALID);
    ck_assert_str_eq(err.text, "write 0 and check 1 are about one stream but "
                               "expect different versions");
}
END_TEST

START_TEST(text_of_a_refusal_names_the_check_or_the_condition)
{
    struct slice empty = SLICE_NONE;
    struct query_item item = {0};
    struct msg_condition conditions[] = {{QUERY_ALL, 0}, {{&item, 1, NULL}, 0}};
    struct msg_append_more more = {.conditions = conditions,
                                   .conditions_count = 2};

    ck_assert_int_eq(try_two_checks("a", 1, "", 1), ACTA_INVALID);
    ck_assert_str_eq(err.text, "check 1: stream is empty");
    ck_assert_int_eq(try_two_checks("a", -3, "b", 1), ACTA_INVALID);
    ck_assert_str_eq(err.text, "check 0: expected version is -3, must be a "
                               "version, -1 for any or -2 for exists");
    item.fields[QUERY_TYPES] =
        (struct query_terms){.prefixes = &empty, .prefixes_count = 1};
    ck_assert_int_eq(try_more(&more), ACTA_INVALID);
    ck_assert_str_eq(err.text, "condition 1: type is empty");
}
END_TEST

/* Its arrays, each condition's query, and what expectations are compared in:
 * whichever there is no memory for, all the rest is freed.
 */
START_TEST(append_without_memory_for_all_of_it_is_refused)
{
    struct slice tag = slice_of("t");
    struct query_item item = {0};
    struct msg_check check = {slice_of("c"), 1};
    struct msg_condition conditions[] = {{{&item, 1, NULL}, 1},
                                         {{&item, 1, NULL}, 2}};
    struct msg_append_more more = {.checks = &check,
                                   .checks_count = 1,
                                   .conditions = conditions,
                                   .conditions_count = 2};
    struct msg_append append;
    enum acta_code code;
    struct slice bytes;

    item.fields[QUERY_TAGS] = (struct query_terms){.texts = &tag, .count = 1};
    ck_assert_int_eq(try_more(&more), ACTA_OK);
    bytes = body();
    for (int fail_after = 0; fail_after < 4; fail_after++) {
        alloc_fail_after = fail_after;
        code = msg_append_decode(&append, bytes, NULL);
        alloc_reset();
        ck_assert_int_eq(code, ACTA_MEMORY);
        ck_assert_ptr_null(append.memory);
        msg_append_fini(&append);
    }
    ck_assert_int_eq(msg_append_decode(&append, bytes, NULL), ACTA_OK);
    msg_append_fini(&append);
}
END_TEST

/* What is behind the conditions is wrong: their queries are freed. */
START_TEST(refused_append_frees_its_queries)
{
    begin_append();
    buf.data[FRAME_HEADER_SIZE] = 0x94;
    buf_append_slice(&buf, hex("c0 91 92 91 95 90 91a154 90 90 90 00 05"));
    frame_end(&buf, 0);
    ck_assert_int_eq(decode_append(), ACTA_INVALID);
}
END_TEST

/* ---- error ---- */

static void
put_record(uint64_t position)
{
    struct event event = {.type = slice_of("T"), .id = id};
    struct buf content;
    size_t size;

    buf_init(&content, 4096);
    event_encode_content(&content, &event, NULL, 0);
    event.content =
        slice_make(buf_slice(&content).data + 1, buf_size(&content) - 1);
    event.stream = slice_of("s");
    event.position = position;
    event.version = position;
    size = event_record_size(&event);
    event_write_record(buf_reserve(&buf, size), &event);
    buf_advance(&buf, size);
    buf_fini(&content);
}

START_TEST(refusal_brings_what_was_not_seen)
{
    static struct msg_error error, read;
    struct msg_open open;
    struct event event;

    error.code = ACTA_CONFLICT;
    error.text = slice_of("moved on");
    error.failures_count = 1;
    error.failures[0] =
        (struct msg_failure){MSG_FAILED_CONDITION, 2, 0, INT64_MAX, UINT64_MAX};
    open = msg_error_begin(&buf, 1, &error);
    put_record(70000);
    put_record(70001);
    error.unseen_complete = true;
    error.unseen_head = UINT64_MAX;
    error.unseen_count = 2;
    msg_error_end(&buf, open, &error);

    ck_assert_msg(msg_error_decode(&read, body(), &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_int_eq(read.failures[0].kind, MSG_FAILED_CONDITION);
    ck_assert_int_eq(read.failures[0].expected, INT64_MAX);
    ck_assert_uint_eq(read.failures[0].actual, UINT64_MAX);
    ck_assert(read.has_unseen);
    ck_assert(read.unseen_complete);
    ck_assert_uint_eq(read.unseen_head, UINT64_MAX);
    ck_assert_uint_eq(read.unseen_count, 2);
    for (uint64_t i = 0; i < 2; i++) {
        ck_assert_int_eq(msg_next_event(&read.unseen, &event, &err), ACTA_OK);
        ck_assert_uint_eq(event.position, 70000 + i);
    }
    ck_assert_uint_eq(read.unseen.size, 0);
}
END_TEST

START_TEST(error_that_was_decoded_is_encoded_with_its_events)
{
    static struct msg_error error, read;
    struct msg_open open;
    struct slice bytes;
    struct buf first;

    error.code = ACTA_UNDECIDED;
    error.unseen_count = 1;
    open = msg_error_begin(&buf, 1, &error);
    put_record(9);
    msg_error_end(&buf, open, &error);
    buf_init(&first, 4096);
    buf_append_slice(&first, buf_slice(&buf));
    bytes = buf_slice(&first);
    ck_assert_int_eq(
        msg_error_decode(&read,
                         slice_make(bytes.data + FRAME_HEADER_SIZE,
                                    bytes.size - FRAME_HEADER_SIZE),
                         &err),
        ACTA_OK);
    buf_clear(&buf);
    msg_error_encode(&buf, 1, &read);
    assert_slice_eq(buf_slice(&buf), bytes);
    buf_fini(&first);
}
END_TEST

START_TEST(error_forgets_the_events_of_the_one_before)
{
    static struct msg_error read;

    ck_assert_int_eq(
        msg_error_decode(&read, hex("94 01 a0 90 93 c3 09 90"), &err), ACTA_OK);
    ck_assert(read.has_unseen);
    ck_assert_int_eq(msg_error_decode(&read, hex("94 01 a0 90 c0"), &err),
                     ACTA_OK);
    ck_assert(!read.has_unseen);
    ck_assert(!read.unseen_complete);
    ck_assert_uint_eq(read.unseen_head, 0);
}
END_TEST

START_TEST(unseen_events_that_are_no_records_are_refused)
{
    static const char *const bodies[] = {
        "94 01 a0 90 93 c3 09 91 c0",
        "94 01 a0 90 93 c3 09 91 90",
        "94 01 a0 90 92 c3 09",
        "94 01 a0 90 93 c3 09 92 90",
        "94 01 a0 90 93 c3 09 ddffffffff",
    };
    static struct msg_error read;

    ck_assert_int_ne(msg_error_decode(&read, hex(bodies[_i]), &err), ACTA_OK);
}
END_TEST

/* ---- change-stream ---- */

START_TEST(settings_are_given_or_left)
{
    for (unsigned given = 1; given < 8; given++) {
        struct msg_change change = {
            .stream = slice_of("s"),
            .expected = 4,
            .kind = MSG_SET,
            .settings = {1, 2, 3},
            .given = given,
        };
        struct msg_change read;

        buf_clear(&buf);
        msg_change_encode(&buf, 1, &change);
        ck_assert_int_eq(msg_change_decode(&read, body(), &err), ACTA_OK);
        ck_assert_int_eq(read.kind, MSG_SET);
        ck_assert_int_eq(read.expected, 4);
        ck_assert_uint_eq(read.given, given);
        ck_assert_uint_eq(read.settings.truncate_before,
                          given & MSG_HAS_TRUNCATE_BEFORE ? 1 : 0);
        ck_assert_uint_eq(read.settings.max_count,
                          given & MSG_HAS_MAX_COUNT ? 2 : 0);
        ck_assert_uint_eq(read.settings.max_age_us,
                          given & MSG_HAS_MAX_AGE ? 3 : 0);
    }
}
END_TEST

START_TEST(change_of_a_setting_to_none_is_given)
{
    struct msg_change read;

    ck_assert_int_eq(
        msg_change_decode(&read, hex("94 a173 ff 00 93 c0 00 c0"), &err),
        ACTA_OK);
    ck_assert_uint_eq(read.given, MSG_HAS_MAX_COUNT);
    ck_assert_uint_eq(read.settings.max_count, 0);
    ck_assert_int_eq(
        msg_change_decode(&read, hex("94 a173 ff 00 93 c0 c0 c0"), &err),
        ACTA_INVALID);
    ck_assert_str_eq(err.text, "none of the settings is given");
}
END_TEST

START_TEST(other_changes_have_values_of_their_own)
{
    struct msg_change change;

    ck_assert_int_eq(msg_change_decode(&change, hex("94 a173 ff 01 90"), &err),
                     ACTA_OK);
    ck_assert_int_eq(change.kind, MSG_DELETE);
    ck_assert_int_eq(msg_change_decode(&change, hex("94 a173 ff 02 90"), &err),
                     ACTA_OK);
    ck_assert_int_eq(change.kind, MSG_TOMBSTONE);
    ck_assert_int_eq(
        msg_change_decode(&change, hex("94 a173 ff 03 91 09"), &err), ACTA_OK);
    ck_assert_int_eq(change.kind, MSG_ERASE);
    ck_assert_uint_eq(change.version, 9);
    ck_assert_int_eq(msg_change_decode(&change, hex("94 a173 ff 04 90"), &err),
                     ACTA_INVALID);
    ck_assert_str_eq(err.text, "kind of change is 4, must be 0 to 3");
}
END_TEST

/* ---- lists ---- */

START_TEST(prefix_and_after_of_names_are_as_long_as_names)
{
    char text[257];
    struct msg_list_names list = {.kind = MSG_NAME_TAG};

    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < 4; i++) {
        size_t size = 255 + i / 2;
        struct slice *field = i % 2 == 0 ? &list.prefix : &list.after;

        list.prefix = list.after = SLICE_NONE;
        *field = slice_make(text, size);
        buf_clear(&buf);
        msg_list_names_encode(&buf, 1, &list);
        ck_assert_int_eq(msg_list_names_decode(&list, body(), &err),
                         size == 255 ? ACTA_OK : ACTA_TOO_LARGE);
    }
}
END_TEST

START_TEST(streams_and_names_may_have_fields_of_a_newer_server)
{
    struct slice streams = hex("98 a173 02 03 04 05 01 94 06 07 08 a178 91c0");
    struct msg_stream stream = msg_next_stream(&streams);
    struct slice names;
    struct msg_name name;

    ck_assert_uint_eq(streams.size, 0);
    ck_assert_uint_eq(stream.last_position, 5);
    ck_assert_int_eq(stream.state, MSG_STREAM_DELETED);
    ck_assert_uint_eq(stream.settings.truncate_before, 6);
    ck_assert_uint_eq(stream.settings.max_age_us, 8);
    names = hex("96 a173 02 03 04 05 91c0");
    name = msg_next_name(&names);
    ck_assert_uint_eq(names.size, 0);
    ck_assert_uint_eq(name.count, 2);
    ck_assert_uint_eq(name.last_position, 5);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("msg_more");
    TCase *tcase = tcase_create("msg_more");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, append_that_says_no_more_is_one_field);
    tcase_add_test(tcase, fields_that_say_nothing_are_left_out_at_the_end);
    tcase_add_test(tcase, decoded_append_knows_what_it_depends_on);
    tcase_add_test(tcase, condition_without_after_is_about_every_event);
    tcase_add_test(tcase, checks_and_conditions_are_bounded);
    tcase_add_test(tcase, names_in_conditions_are_bounded);
    tcase_add_test(tcase, writes_and_checks_of_one_stream_expect_the_same);
    tcase_add_test(tcase, text_of_a_refusal_names_the_check_or_the_condition);
    tcase_add_test(tcase, append_without_memory_for_all_of_it_is_refused);
    tcase_add_test(tcase, refused_append_frees_its_queries);
    tcase_add_test(tcase, refusal_brings_what_was_not_seen);
    tcase_add_test(tcase, error_that_was_decoded_is_encoded_with_its_events);
    tcase_add_test(tcase, error_forgets_the_events_of_the_one_before);
    tcase_add_loop_test(tcase, unseen_events_that_are_no_records_are_refused, 0,
                        5);
    tcase_add_test(tcase, settings_are_given_or_left);
    tcase_add_test(tcase, change_of_a_setting_to_none_is_given);
    tcase_add_test(tcase, other_changes_have_values_of_their_own);
    tcase_add_test(tcase, prefix_and_after_of_names_are_as_long_as_names);
    tcase_add_test(tcase, streams_and_names_may_have_fields_of_a_newer_server);
    return run_suite(suite);
}
