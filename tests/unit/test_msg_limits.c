/* The limits of every message, on both sides, and what is special to one. */

#include "msg.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "hex.h"
#include "limit.h"
#include "msg_backup.h"
#include "run.h"

static struct buf buf;
static struct acta_err err;
static uint8_t *letters; /* As many as the largest event has. */

static const uint8_t id[UUID_SIZE] = {1, 2, 3};

static void
setup(void)
{
    buf_init(&buf, ACTA_FRAME_SIZE_MAX + (8u << 20));
    err = (struct acta_err){ACTA_OK, ""};
    alloc_reset();
    letters = malloc(ACTA_EVENT_SIZE_MAX + 1);
    memset(letters, 'x', ACTA_EVENT_SIZE_MAX + 1);
}

static void
teardown(void)
{
    buf_fini(&buf);
    free(letters);
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

static struct slice
text_of(size_t size)
{
    return slice_make(letters, size);
}

/* ---- hello ---- */

static enum acta_code
try_hello(uint64_t min, uint64_t max, struct slice client,
          struct slice database)
{
    struct msg_hello hello = {min, max, client, database};

    buf_clear(&buf);
    msg_hello_encode(&buf, 1, &hello);
    return msg_hello_decode(&hello, body(), &err);
}

START_TEST(hello_names_are_bounded_texts)
{
    ck_assert_int_eq(try_hello(1, 1, text_of(255), text_of(63)), ACTA_OK);
    ck_assert_int_eq(try_hello(1, 1, text_of(256), text_of(63)),
                     ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "client name is 256 bytes, the limit is 255");
    ck_assert_int_eq(try_hello(1, 1, text_of(255), text_of(64)),
                     ACTA_TOO_LARGE);
    ck_assert_int_eq(try_hello(1, 1, SLICE_NONE, SLICE_NONE), ACTA_OK);
    ck_assert_int_eq(try_hello(1, 1, slice_of("a\nb"), SLICE_NONE),
                     ACTA_INVALID);
    ck_assert_int_eq(try_hello(1, 1, SLICE_NONE, slice_of("\xff")),
                     ACTA_INVALID);
}
END_TEST

START_TEST(hello_versions_are_in_order)
{
    ck_assert_int_eq(try_hello(3, 3, SLICE_NONE, SLICE_NONE), ACTA_OK);
    ck_assert_int_eq(try_hello(0, UINT64_MAX, SLICE_NONE, SLICE_NONE), ACTA_OK);
    ck_assert_int_eq(try_hello(4, 3, SLICE_NONE, SLICE_NONE), ACTA_INVALID);
}
END_TEST

START_TEST(largest_hello_fits_the_limit_before_it)
{
    ck_assert_int_eq(
        try_hello(UINT64_MAX, UINT64_MAX, text_of(255), text_of(63)), ACTA_OK);
    ck_assert_uint_le(body().size, ACTA_HELLO_SIZE_MAX);
}
END_TEST

START_TEST(welcome_tells_the_limits_of_this_server)
{
    struct msg_welcome welcome = {.limits = msg_limits_default};
    struct msg_welcome read;

    msg_welcome_encode(&buf, 1, &welcome);
    ck_assert_int_eq(msg_welcome_decode(&read, body(), &err), ACTA_OK);
    ck_assert_uint_eq(read.limits.frame_size_max, ACTA_FRAME_SIZE_MAX);
    ck_assert_uint_eq(read.limits.event_size_max, ACTA_EVENT_SIZE_MAX);
    ck_assert_uint_eq(read.limits.append_size_max, ACTA_APPEND_SIZE_MAX);
    ck_assert_uint_eq(read.limits.append_events_max, ACTA_APPEND_EVENTS_MAX);
    ck_assert_uint_eq(read.limits.stream_size_max, ACTA_STREAM_SIZE_MAX);
    ck_assert_uint_eq(read.limits.type_size_max, ACTA_TYPE_SIZE_MAX);
    ck_assert_uint_eq(read.limits.tag_size_max, ACTA_TAG_SIZE_MAX);
    ck_assert_uint_eq(read.limits.tags_max, ACTA_TAGS_MAX);
    ck_assert_uint_eq(read.limits.page_size_max, ACTA_PAGE_SIZE_MAX);
    ck_assert_uint_eq(read.limits.requests_max, ACTA_REQUESTS_MAX);
    ck_assert_uint_eq(read.limits.subscriptions_max, ACTA_SUBSCRIPTIONS_MAX);
    ck_assert_uint_eq(read.limits.append_checks_max, ACTA_APPEND_CHECKS_MAX);
    ck_assert_uint_eq(read.limits.append_conditions_max,
                      ACTA_APPEND_CONDITIONS_MAX);
    ck_assert_uint_eq(read.limits.query_items_max, ACTA_QUERY_ITEMS_MAX);
    ck_assert_uint_eq(read.limits.query_terms_max, ACTA_QUERY_TERMS_MAX);
    ck_assert_uint_eq(read.limits.unseen_events_max, ACTA_UNSEEN_EVENTS_MAX);
    ck_assert_uint_eq(read.limits.append_effects_max, ACTA_APPEND_EFFECTS_MAX);
    ck_assert_uint_eq(read.limits.snapshot_size_max, ACTA_SNAPSHOT_SIZE_MAX);
    ck_assert_uint_eq(read.limits.name_size_max, ACTA_NAME_SIZE_MAX);
    ck_assert_uint_eq(read.limits.text_size_max, ACTA_TEXT_SIZE_MAX);
    ck_assert_uint_eq(read.limits.slots_max, ACTA_SLOTS_MAX);
    ck_assert_uint_eq(read.limits.settle_max, ACTA_SETTLE_MAX);
    ck_assert_uint_eq(read.limits.memberships_max, ACTA_MEMBERSHIPS_MAX);
    ck_assert_uint_eq(read.limits.lease_us_max, ACTA_LEASE_US_MAX);
    ck_assert_uint_eq(read.limits.retry_us_max, ACTA_RETRY_US_MAX);
}
END_TEST

/* ---- error ---- */

START_TEST(error_tells_at_most_a_hundred_failures)
{
    static struct msg_error error, read;
    size_t start = frame_begin(&buf, OP_ERROR, 1);

    pack_array(&buf, 4);
    pack_uint(&buf, ACTA_CONFLICT);
    pack_text(&buf, "text");
    pack_array(&buf, MSG_FAILURES_MAX + 1);
    for (uint64_t i = 0; i < MSG_FAILURES_MAX + 1; i++) {
        pack_array(&buf, 5);
        for (int field = 0; field < 5; field++) {
            pack_uint(&buf, i);
        }
    }
    pack_nil(&buf);
    frame_end(&buf, start);
    ck_assert_int_eq(msg_error_decode(&read, body(), &err), ACTA_OK);
    ck_assert_uint_eq(read.failures_count, MSG_FAILURES_MAX);
    ck_assert_uint_eq(read.failures[99].actual, 99);

    error = read;
    buf_clear(&buf);
    msg_error_encode(&buf, 1, &error);
    ck_assert_int_eq(msg_error_decode(&read, body(), &err), ACTA_OK);
    ck_assert_uint_eq(read.failures_count, MSG_FAILURES_MAX);
}
END_TEST

START_TEST(error_without_a_code_is_none)
{
    static struct msg_error read;

    ck_assert_int_eq(msg_error_decode(&read, hex("9400a090c0"), &err),
                     ACTA_PROTOCOL);
    ck_assert_str_eq(err.text, "error has code 0");
    ck_assert_int_eq(msg_error_decode(&read, hex("94cd03e8a090c0"), &err),
                     ACTA_OK);
    ck_assert_int_eq((int)read.code, 1000);
}
END_TEST

/* ---- append ---- */

static struct event
plain_event(void)
{
    return (struct event){.type = slice_of("T"), .id = id};
}

static enum acta_code
decode_append(void)
{
    struct msg_append append;
    enum acta_code code = msg_append_decode(&append, body(), &err);

    if (code != ACTA_OK) {
        ck_assert_ptr_null(append.memory);
    }
    msg_append_fini(&append);
    return code;
}

static enum acta_code
try_event(const struct event *event, const struct slice *tags, size_t count)
{
    size_t start;

    buf_clear(&buf);
    start = msg_append_begin(&buf, 1, 1);
    msg_append_write(&buf, slice_of("s"), 0, 1);
    event_encode_content(&buf, event, tags, count);
    frame_end(&buf, start);
    return decode_append();
}

static enum acta_code
try_write(struct slice stream, int64_t expected)
{
    struct event event = plain_event();
    size_t start;

    buf_clear(&buf);
    start = msg_append_begin(&buf, 1, 1);
    msg_append_write(&buf, stream, expected, 1);
    event_encode_content(&buf, &event, NULL, 0);
    frame_end(&buf, start);
    return decode_append();
}

static enum acta_code
try_counts(size_t writes, size_t events)
{
    struct event event = plain_event();
    size_t start;

    buf_clear(&buf);
    start = msg_append_begin(&buf, 1, writes);
    for (size_t i = 0; i < writes; i++) {
        msg_append_write(&buf, slice_of("s"), -1, events);
        for (size_t j = 0; j < events; j++) {
            event_encode_content(&buf, &event, NULL, 0);
        }
    }
    frame_end(&buf, start);
    return decode_append();
}

START_TEST(append_has_a_write_and_a_write_has_an_event)
{
    ck_assert_int_eq(try_counts(1, 1), ACTA_OK);
    ck_assert_int_eq(try_counts(0, 0), ACTA_INVALID);
    ck_assert_str_eq(err.text,
                     "append does nothing: it has no writes, checkpoints, "
                     "snapshots, schedules or cancellations");
    ck_assert_int_eq(try_counts(2, 0), ACTA_INVALID);
    ck_assert_str_eq(err.text, "write 0: 0 events, must be at least 1");
}
END_TEST

START_TEST(append_has_ten_thousand_events_at_most)
{
    ck_assert_int_eq(try_counts(1, ACTA_APPEND_EVENTS_MAX), ACTA_OK);
    ck_assert_int_eq(try_counts(1, ACTA_APPEND_EVENTS_MAX + 1), ACTA_TOO_LARGE);
    ck_assert_int_eq(try_counts(100, ACTA_APPEND_EVENTS_MAX / 100), ACTA_OK);
    ck_assert_int_eq(try_counts(101, ACTA_APPEND_EVENTS_MAX / 100),
                     ACTA_TOO_LARGE);
    ck_assert_int_eq(try_counts(ACTA_APPEND_EVENTS_MAX, 1), ACTA_OK);
    ck_assert_int_eq(try_counts(ACTA_APPEND_EVENTS_MAX + 1, 1), ACTA_TOO_LARGE);
}
END_TEST

START_TEST(stream_is_a_name)
{
    ck_assert_int_eq(try_write(text_of(1), 0), ACTA_OK);
    ck_assert_int_eq(try_write(text_of(255), 0), ACTA_OK);
    ck_assert_int_eq(try_write(text_of(256), 0), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text,
                     "write 0: stream is 256 bytes, the limit is 255");
    ck_assert_int_eq(try_write(SLICE_NONE, 0), ACTA_INVALID);
    ck_assert_int_eq(try_write(slice_of("a\x01"), 0), ACTA_INVALID);
}
END_TEST

START_TEST(expected_version_is_a_version_any_or_exists)
{
    ck_assert_int_eq(try_write(text_of(1), INT64_MAX), ACTA_OK);
    ck_assert_int_eq(try_write(text_of(1), MSG_EXPECT_ANY), ACTA_OK);
    ck_assert_int_eq(try_write(text_of(1), MSG_EXPECT_EXISTS), ACTA_OK);
    ck_assert_int_eq(try_write(text_of(1), -3), ACTA_INVALID);
    ck_assert_int_eq(try_write(text_of(1), INT64_MIN), ACTA_INVALID);
}
END_TEST

/* The streams a, b, a, each with one event. */
static enum acta_code
try_expectations(int64_t first, int64_t second, int64_t third)
{
    const int64_t expected[] = {first, second, third};
    struct event event = plain_event();
    size_t start;

    buf_clear(&buf);
    start = msg_append_begin(&buf, 1, 3);
    for (size_t i = 0; i < 3; i++) {
        msg_append_write(&buf, slice_of(i == 1 ? "b" : "a"), expected[i], 1);
        event_encode_content(&buf, &event, NULL, 0);
    }
    frame_end(&buf, start);
    return decode_append();
}

START_TEST(writes_to_one_stream_expect_the_same)
{
    ck_assert_int_eq(try_expectations(3, 4, 3), ACTA_OK);
    ck_assert_int_eq(try_expectations(-1, 4, -1), ACTA_OK);
    ck_assert_int_eq(try_expectations(3, 3, 4), ACTA_INVALID);
    ck_assert_str_eq(err.text, "write 0 and write 2 are about one stream but "
                               "expect different versions");
    ck_assert_int_eq(try_expectations(3, 3, -1), ACTA_INVALID);
    ck_assert_int_eq(try_expectations(-1, 3, -2), ACTA_INVALID);
}
END_TEST

START_TEST(type_is_a_name)
{
    struct event event = plain_event();

    event.type = text_of(255);
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_OK);
    event.type = text_of(256);
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text,
                     "write 0, event 0: type is 256 bytes, the limit is 255");
    event.type = SLICE_NONE;
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_INVALID);
    event.type = slice_of("\xc3");
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_INVALID);
}
END_TEST

START_TEST(event_has_an_id)
{
    struct event event = plain_event();

    event.id = NULL;
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_INVALID);
    ck_assert_str_eq(err.text, "write 0, event 0: id must be bytes, is nil");
}
END_TEST

START_TEST(tags_are_different_names_and_thirty_two_at_most)
{
    struct event event = plain_event();
    struct slice tags[ACTA_TAGS_MAX + 1];
    char names[ACTA_TAGS_MAX + 1][8];

    for (size_t i = 0; i < ACTA_TAGS_MAX + 1; i++) {
        snprintf(names[i], sizeof(names[i]), "tag:%zu", i);
        tags[i] = slice_of(names[i]);
    }
    ck_assert_int_eq(try_event(&event, tags, ACTA_TAGS_MAX), ACTA_OK);
    ck_assert_int_eq(try_event(&event, tags, ACTA_TAGS_MAX + 1),
                     ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "write 0, event 0: 33 tags, the limit is 32");

    tags[31] = tags[0];
    ck_assert_int_eq(try_event(&event, tags, ACTA_TAGS_MAX), ACTA_INVALID);
    ck_assert_str_eq(err.text, "write 0, event 0: tag tag:0 is given twice");

    tags[0] = text_of(255);
    ck_assert_int_eq(try_event(&event, tags, 1), ACTA_OK);
    tags[0] = text_of(256);
    ck_assert_int_eq(try_event(&event, tags, 1), ACTA_TOO_LARGE);
    tags[0] = SLICE_NONE;
    ck_assert_int_eq(try_event(&event, tags, 1), ACTA_INVALID);
    tags[0] = slice_of("\x7f");
    ck_assert_int_eq(try_event(&event, tags, 1), ACTA_INVALID);
}
END_TEST

START_TEST(format_is_one_of_three)
{
    struct event event = plain_event();

    event.format = EVENT_MSGPACK;
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_OK);
    event.format = (enum event_format)3;
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_INVALID);
}
END_TEST

START_TEST(data_and_metadata_are_sixteen_mebibytes_together)
{
    struct event event = plain_event();

    event.data = text_of(ACTA_EVENT_SIZE_MAX);
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_OK);
    event.metadata = text_of(1);
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_TOO_LARGE);
    event.data = text_of(ACTA_EVENT_SIZE_MAX - 1);
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_OK);
    event.metadata = text_of(ACTA_EVENT_SIZE_MAX);
    event.data = text_of(1);
    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_TOO_LARGE);
}
END_TEST

/* Four events of 16 MiB less what is around them, and the last one's size
 * decides.
 */
static enum acta_code
try_records_size(size_t records_size)
{
    struct event event = plain_event();
    size_t overhead, start, left = records_size;

    event.data = text_of(ACTA_EVENT_SIZE_MAX);
    buf_clear(&buf);
    event_encode_content(&buf, &event, NULL, 0);
    event.stream = slice_of("s");
    event.content = slice_make(NULL, buf_size(&buf) - 1);
    overhead = event_record_size(&event) - ACTA_EVENT_SIZE_MAX;

    buf_clear(&buf);
    start = msg_append_begin(&buf, 1, 1);
    msg_append_write(&buf, slice_of("s"), 0, 4);
    for (int i = 0; i < 4; i++) {
        size_t size = i < 3 ? ACTA_EVENT_SIZE_MAX - 10 : left - overhead;

        event.data = text_of(size);
        left -= size + overhead;
        event_encode_content(&buf, &event, NULL, 0);
    }
    frame_end(&buf, start);
    return decode_append();
}

START_TEST(records_of_an_append_are_sixty_four_mebibytes_at_most)
{
    ck_assert_int_eq(try_records_size(ACTA_APPEND_SIZE_MAX), ACTA_OK);
    ck_assert_int_eq(try_records_size(ACTA_APPEND_SIZE_MAX + 1),
                     ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text,
                     "append is 67108865 bytes, the limit is 67108864");
}
END_TEST

START_TEST(text_of_a_refusal_names_write_and_event)
{
    struct event good = plain_event();
    struct event bad = plain_event();
    size_t start = msg_append_begin(&buf, 1, 2);

    bad.type = SLICE_NONE;
    msg_append_write(&buf, slice_of("a"), 0, 1);
    event_encode_content(&buf, &good, NULL, 0);
    msg_append_write(&buf, slice_of("b"), 0, 3);
    event_encode_content(&buf, &good, NULL, 0);
    event_encode_content(&buf, &good, NULL, 0);
    event_encode_content(&buf, &bad, NULL, 0);
    frame_end(&buf, start);
    ck_assert_int_eq(decode_append(), ACTA_INVALID);
    ck_assert_str_eq(err.text, "write 1, event 2: type is empty");
}
END_TEST

START_TEST(decoded_append_knows_its_writes_and_records)
{
    struct event event = plain_event();
    struct msg_append append;
    size_t start = msg_append_begin(&buf, 1, 2);
    size_t records_size = 0;

    msg_append_write(&buf, slice_of("a-1"), 3, 2);
    event_encode_content(&buf, &event, NULL, 0);
    event_encode_content(&buf, &event, NULL, 0);
    msg_append_write(&buf, slice_of("b-1"), MSG_EXPECT_ANY, 1);
    event_encode_content(&buf, &event, NULL, 0);
    frame_end(&buf, start);

    ck_assert_int_eq(msg_append_decode(&append, body(), &err), ACTA_OK);
    ck_assert_uint_eq(append.writes_count, 2);
    ck_assert_uint_eq(append.events_count, 3);
    assert_slice_eq(append.writes[0].stream, slice_of("a-1"));
    ck_assert_int_eq(append.writes[0].expected, 3);
    ck_assert_uint_eq(append.writes[0].events_count, 2);
    ck_assert_ptr_eq(append.writes[0].events, append.events);
    ck_assert_ptr_eq(append.writes[1].events, append.events + 2);
    ck_assert_int_eq(append.writes[1].expected, MSG_EXPECT_ANY);
    for (size_t i = 0; i < 3; i++) {
        assert_slice_eq(append.events[i].stream,
                        slice_of(i < 2 ? "a-1" : "b-1"));
        records_size += event_record_size(&append.events[i]);
    }
    ck_assert_uint_eq(append.records_size, records_size);
    msg_append_fini(&append);
    msg_append_fini(&append); /* Nothing is left to free. */
}
END_TEST

START_TEST(append_without_memory_is_refused)
{
    struct event event = plain_event();
    struct msg_append append;
    enum acta_code code;
    struct slice bytes;

    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_OK);
    bytes = body();
    alloc_fail_after = 0;
    code = msg_append_decode(&append, bytes, &err);
    alloc_reset();
    ck_assert_int_eq(code, ACTA_MEMORY);
    ck_assert_ptr_null(append.memory);
}
END_TEST

START_TEST(append_is_decoded_in_room_that_is_large_enough)
{
    struct {
        struct msg_write write;
        struct event event;
    } room;
    struct event event = plain_event();
    struct msg_append append;
    struct slice bytes;

    ck_assert_int_eq(try_event(&event, NULL, 0), ACTA_OK);
    bytes = body();
    alloc_fail_after = 0;
    ck_assert_int_eq(
        msg_append_decode_in(&append, bytes, &room, sizeof(room), &err),
        ACTA_OK);
    alloc_reset();
    ck_assert_ptr_eq(append.writes, &room.write);
    ck_assert_ptr_eq(append.events, &room.event);
    assert_slice_eq(append.events[0].type, event.type);
    msg_append_fini(&append);

    ck_assert_int_eq(
        msg_append_decode_in(&append, bytes, &room, sizeof(room) - 1, &err),
        ACTA_OK);
    ck_assert_ptr_ne(append.writes, &room.write);
    assert_slice_eq(append.events[0].type, event.type);
    msg_append_fini(&append);
}
END_TEST

/* Two writes: their expectations are compared in memory of their own. */
START_TEST(append_of_several_writes_without_memory_is_refused)
{
    struct msg_append append;
    enum acta_code code;
    struct slice bytes;

    ck_assert_int_eq(try_expectations(1, 1, 1), ACTA_OK);
    bytes = body();
    for (int fail_after = 0; fail_after < 2; fail_after++) {
        alloc_fail_after = fail_after;
        code = msg_append_decode(&append, bytes, NULL);
        alloc_reset();
        ck_assert_int_eq(code, ACTA_MEMORY);
        ck_assert_ptr_null(append.memory);
    }
}
END_TEST

START_TEST(nobody_has_to_ask_for_the_text)
{
    struct msg_append append;

    ck_assert_int_eq(
        msg_append_decode(&append, hex("91 91 93 a173 fd 91 90"), NULL),
        ACTA_INVALID);
    ck_assert_int_eq(
        msg_append_decode(&append, hex("91 91 93 a173 00 91 90"), NULL),
        ACTA_INVALID);
}
END_TEST

/* Claims and limits are found out before memory is spent on them. */
START_TEST(refused_append_allocates_nothing_for_its_claims)
{
    static const char *const bodies[] = {
        "91 ddffffffff",
        "91 91 93 a173 00 ddffffffff",
        "91 dc2711 00",
        "91 90",
        "c0",
    };
    struct slice bytes = hex(bodies[_i]);
    struct msg_append append;
    enum acta_code code;
    size_t calls;

    alloc_reset();
    code = msg_append_decode(&append, bytes, &err);
    calls = alloc_calls;
    ck_assert_int_ne(code, ACTA_OK);
    ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(append_refuses_events_with_more_or_fewer_fields)
{
    struct event event = plain_event();
    static const struct {
        uint8_t head;
        enum acta_code code;
    } cases[] = {{0x97, ACTA_INVALID}, {0x99, ACTA_UNSUPPORTED}};
    size_t start = msg_append_begin(&buf, 1, 1);
    size_t at;

    msg_append_write(&buf, slice_of("s"), 0, 1);
    at = buf_size(&buf);
    event_encode_content(&buf, &event, NULL, 0);
    buf_patch(&buf, at, &cases[_i].head, 1);
    if (_i == 0) {
        buf_truncate(&buf, buf_size(&buf) - 1);
    } else {
        pack_nil(&buf);
    }
    frame_end(&buf, start);
    ck_assert_int_eq(decode_append(), cases[_i].code);
}
END_TEST

START_TEST(runs_may_have_fields_of_a_newer_server)
{
    struct msg_appended appended;
    struct msg_run run;

    ck_assert_int_eq(msg_appended_decode(&appended,
                                         hex("93 c2 91 95 00 01 02 03 a178 04"),
                                         &err),
                     ACTA_OK);
    run = msg_appended_next(&appended);
    ck_assert_uint_eq(run.count, 3);
    ck_assert_uint_eq(appended.cancelled, 4);
    ck_assert_uint_eq(appended.runs.size, 0);
}
END_TEST

START_TEST(command_to_find_is_sixteen_bytes)
{
    static const uint8_t bytes[UUID_SIZE + 1] = {1, 2, 3};
    const uint8_t *read;

    for (size_t size = 0; size <= sizeof(bytes); size++) {
        buf_clear(&buf);
        pack_array(&buf, 1);
        pack_bin(&buf, slice_make(bytes, size));
        ck_assert_int_eq(msg_find_command_decode(&read, buf_slice(&buf), &err),
                         size == UUID_SIZE ? ACTA_OK : ACTA_INVALID);
        ck_assert_int_eq(read != NULL, size == UUID_SIZE);
        if (read != NULL) {
            ck_assert_mem_eq(read, bytes, UUID_SIZE);
        }
    }
}
END_TEST

START_TEST(checksum_of_a_part_of_a_backup_has_32_bits)
{
    for (unsigned over = 0; over < 2; over++) {
        struct msg_backup_chunk chunk;

        buf_clear(&buf);
        pack_array(&buf, 6);
        pack_bin(&buf, slice_of("bytes"));
        pack_uint(&buf, (uint64_t)UINT32_MAX + over);
        pack_bool(&buf, true);
        pack_uint(&buf, 1);
        pack_uint(&buf, 2);
        pack_uint(&buf, 3);
        ck_assert_int_eq(msg_backup_chunk_decode(&chunk, buf_slice(&buf), &err),
                         over ? ACTA_INVALID : ACTA_OK);
        ck_assert(over || chunk.checksum == UINT32_MAX);
    }
}
END_TEST

/* ---- reading ---- */

START_TEST(stream_to_read_is_a_name)
{
    struct msg_read_stream read = {.stream = text_of(255)};
    struct msg_read_event event = {.stream = text_of(256), .version = 1};

    msg_read_stream_encode(&buf, 1, &read);
    ck_assert_int_eq(msg_read_stream_decode(&read, body(), &err), ACTA_OK);
    buf_clear(&buf);
    read = (struct msg_read_stream){.stream = text_of(256)};
    msg_read_stream_encode(&buf, 1, &read);
    ck_assert_int_eq(msg_read_stream_decode(&read, body(), &err),
                     ACTA_TOO_LARGE);
    buf_clear(&buf);
    msg_read_event_encode(&buf, 1, &event);
    ck_assert_int_eq(msg_read_event_decode(&event, body(), &err),
                     ACTA_TOO_LARGE);
    ck_assert_int_eq(msg_read_event_decode(&event, hex("93c0a001"), &err),
                     ACTA_INVALID);
    ck_assert_str_eq(err.text, "stream is empty");
}
END_TEST

START_TEST(prefix_and_after_are_as_long_as_names)
{
    struct msg_list_streams list = {text_of(255), text_of(255), 0};

    msg_list_streams_encode(&buf, 1, &list);
    ck_assert_int_eq(msg_list_streams_decode(&list, body(), &err), ACTA_OK);
    buf_clear(&buf);
    list = (struct msg_list_streams){text_of(256), SLICE_NONE, 0};
    msg_list_streams_encode(&buf, 1, &list);
    ck_assert_int_eq(msg_list_streams_decode(&list, body(), &err),
                     ACTA_TOO_LARGE);
    buf_clear(&buf);
    list = (struct msg_list_streams){SLICE_NONE, text_of(256), 0};
    msg_list_streams_encode(&buf, 1, &list);
    ck_assert_int_eq(msg_list_streams_decode(&list, body(), &err),
                     ACTA_TOO_LARGE);
}
END_TEST

START_TEST(query_of_a_request_may_lack_memory)
{
    struct msg_subscribe subscribe;
    struct msg_read_all read;
    struct slice bytes = hex("93 91 95 90 91a154 90 90 90 00 00");
    enum acta_code code;

    alloc_fail_after = 0;
    code = msg_subscribe_decode(&subscribe, bytes, &err);
    ck_assert_int_eq(code, ACTA_MEMORY);
    ck_assert_ptr_null(subscribe.query.memory);
    bytes = hex("95 91 95 90 91a154 90 90 90 00 c2 00 00");
    alloc_fail_after = 0;
    code = msg_read_all_decode(&read, bytes, &err);
    ck_assert_int_eq(code, ACTA_MEMORY);
    ck_assert_ptr_null(read.query.memory);
}
END_TEST

/* A field behind the query is wrong: the query is freed. Sanitizers see it. */
START_TEST(refused_request_frees_its_query)
{
    struct msg_subscribe subscribe;
    struct msg_read_all read;

    ck_assert_int_eq(
        msg_subscribe_decode(&subscribe,
                             hex("93 91 95 90 91a154 90 90 90 00 c0"), &err),
        ACTA_INVALID);
    ck_assert_ptr_null(subscribe.query.memory);
    ck_assert_int_eq(
        msg_read_all_decode(
            &read, hex("95 91 95 90 91a154 90 90 90 00 c2 00 c0"), &err),
        ACTA_INVALID);
    ck_assert_ptr_null(read.query.memory);
}
END_TEST

/* A reader makes room for as many events as are claimed. */
START_TEST(events_are_not_claimed_that_there_are_no_bytes_for)
{
    static const uint8_t nothing[EVENT_RECORD_SIZE_MIN];
    struct msg_delivery delivery = {0};
    struct msg_page page = {0};

    for (size_t count = 1; count <= 1000; count *= 10) {
        for (size_t missing = 0; missing <= 1; missing++) {
            enum acta_code code = missing == 0 ? ACTA_OK : ACTA_PROTOCOL;
            struct msg_open open;

            buf_clear(&buf);
            open = msg_page_begin(&buf, 1);
            for (size_t i = 0; i < count; i++) {
                buf_append(&buf, nothing, sizeof(nothing) - (i == 0) * missing);
            }
            page.events_count = count;
            msg_page_end(&buf, open, &page);
            ck_assert_int_eq(msg_page_decode(&page, body(), &err), code);

            buf_clear(&buf);
            open = msg_delivery_begin(&buf, 1);
            for (size_t i = 0; i < count; i++) {
                buf_append(&buf, nothing, sizeof(nothing) - (i == 0) * missing);
            }
            delivery.events_count = count;
            msg_delivery_end(&buf, open, &delivery);
            ck_assert_int_eq(msg_delivery_decode(&delivery, body(), &err),
                             code);
        }
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("msg_limits");
    TCase *tcase = tcase_create("msg_limits");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, hello_names_are_bounded_texts);
    tcase_add_test(tcase, hello_versions_are_in_order);
    tcase_add_test(tcase, largest_hello_fits_the_limit_before_it);
    tcase_add_test(tcase, welcome_tells_the_limits_of_this_server);
    tcase_add_test(tcase, error_tells_at_most_a_hundred_failures);
    tcase_add_test(tcase, error_without_a_code_is_none);
    tcase_add_test(tcase, append_has_a_write_and_a_write_has_an_event);
    tcase_add_test(tcase, append_has_ten_thousand_events_at_most);
    tcase_add_test(tcase, stream_is_a_name);
    tcase_add_test(tcase, expected_version_is_a_version_any_or_exists);
    tcase_add_test(tcase, writes_to_one_stream_expect_the_same);
    tcase_add_test(tcase, events_are_not_claimed_that_there_are_no_bytes_for);
    tcase_add_test(tcase, type_is_a_name);
    tcase_add_test(tcase, event_has_an_id);
    tcase_add_test(tcase, tags_are_different_names_and_thirty_two_at_most);
    tcase_add_test(tcase, format_is_one_of_three);
    tcase_add_test(tcase, data_and_metadata_are_sixteen_mebibytes_together);
    tcase_add_test(tcase,
                   records_of_an_append_are_sixty_four_mebibytes_at_most);
    tcase_add_test(tcase, text_of_a_refusal_names_write_and_event);
    tcase_add_test(tcase, decoded_append_knows_its_writes_and_records);
    tcase_add_test(tcase, append_without_memory_is_refused);
    tcase_add_test(tcase, append_is_decoded_in_room_that_is_large_enough);
    tcase_add_test(tcase, append_of_several_writes_without_memory_is_refused);
    tcase_add_test(tcase, nobody_has_to_ask_for_the_text);
    tcase_add_loop_test(tcase, refused_append_allocates_nothing_for_its_claims,
                        0, 5);
    tcase_add_loop_test(tcase, append_refuses_events_with_more_or_fewer_fields,
                        0, 2);
    tcase_add_test(tcase, runs_may_have_fields_of_a_newer_server);
    tcase_add_test(tcase, command_to_find_is_sixteen_bytes);
    tcase_add_test(tcase, checksum_of_a_part_of_a_backup_has_32_bits);
    tcase_add_test(tcase, stream_to_read_is_a_name);
    tcase_add_test(tcase, prefix_and_after_are_as_long_as_names);
    tcase_add_test(tcase, query_of_a_request_may_lack_memory);
    tcase_add_test(tcase, refused_request_frees_its_query);
    return run_suite(suite);
}
