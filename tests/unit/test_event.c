#include "event.h"

#include <stdlib.h>

#include "hex.h"
#include "limit.h"
#include "rnd.h"
#include "run.h"

static struct buf buf;
static struct acta_err err;

static const uint8_t id[UUID_SIZE] = {0x11, 1};
static const uint8_t correlation[UUID_SIZE] = {0x22, 2};
static const uint8_t causation[UUID_SIZE] = {0x33, 3};

static void
setup(void)
{
    buf_init(&buf, 1 << 20);
    err = (struct acta_err){ACTA_OK, ""};
}

static void
teardown(void)
{
    buf_fini(&buf);
}

/* Decode the content in buf. */
static enum acta_code
decode(struct event *event)
{
    struct pack_reader reader;

    pack_reader_init(&reader, buf_slice(&buf), &err);
    event_decode_content(&reader, event);
    if (!reader.failed) {
        ck_assert_ptr_eq(reader.at, reader.end);
    }
    return pack_code(&reader);
}

static struct event
full_event(void)
{
    return (struct event){
        .type = slice_of("OrderPaid"),
        .id = id,
        .correlation_id = correlation,
        .causation_id = causation,
        .metadata = slice_of("meta"),
        .data = slice_make("\x00\xff", 2),
        .format = EVENT_MSGPACK,
    };
}

START_TEST(content_comes_out_as_it_went_in)
{
    struct slice tags[] = {slice_of("a:1"), slice_of("b:2")};
    struct event event = full_event();
    struct event read;
    struct slice left, tag;

    event_encode_content(&buf, &event, tags, 2);
    ck_assert_int_eq(decode(&read), ACTA_OK);
    ck_assert_uint_eq(read.position, 0);
    ck_assert_uint_eq(read.version, 0);
    ck_assert_uint_eq(read.time_us, 0);
    ck_assert_uint_eq(read.stream.size, 0);
    assert_slice_eq(read.type, event.type);
    ck_assert_mem_eq(read.id, id, UUID_SIZE);
    ck_assert_mem_eq(read.correlation_id, correlation, UUID_SIZE);
    ck_assert_mem_eq(read.causation_id, causation, UUID_SIZE);
    assert_slice_eq(read.metadata, event.metadata);
    assert_slice_eq(read.data, event.data);
    ck_assert_int_eq(read.format, EVENT_MSGPACK);
    ck_assert_uint_eq(read.tags_count, 2);
    left = read.tags;
    tag = event_tag(&left);
    assert_slice_eq(tag, tags[0]);
    tag = event_tag(&left);
    assert_slice_eq(tag, tags[1]);
    ck_assert_uint_eq(left.size, 0);
    assert_slice_eq(read.content,
                    slice_make(buf_slice(&buf).data + 1, buf_size(&buf) - 1));
}
END_TEST

START_TEST(what_may_be_absent_is_nil_or_empty)
{
    struct event event = {.type = slice_of("T"), .id = id};
    struct event read;

    event_encode_content(&buf, &event, NULL, 0);
    assert_hex(buf_slice(&buf),
               "98 a154 c410 11010000000000000000000000000000 c0 c0 90 c400 "
               "c400 00");
    ck_assert_int_eq(decode(&read), ACTA_OK);
    ck_assert_ptr_null(read.correlation_id);
    ck_assert_ptr_null(read.causation_id);
    ck_assert_uint_eq(read.tags_count, 0);
    ck_assert_uint_eq(read.data.size, 0);
}
END_TEST

static struct slice
record_of(struct event *event, uint8_t *to)
{
    struct event read;

    event_encode_content(&buf, event, NULL, 0);
    ck_assert_int_eq(decode(&read), ACTA_OK);
    event->content = read.content;
    event_write_record(to, event);
    return slice_make(to, event_record_size(event));
}

START_TEST(record_has_its_numbers_at_fixed_offsets)
{
    uint8_t bytes[256];
    struct event event = {.position = 7,
                          .version = 1,
                          .time_us = 0x060a24181e4000,
                          .stream = slice_of("s-1"),
                          .type = slice_of("T"),
                          .id = id};

    assert_hex(record_of(&event, bytes),
               "9c cf0000000000000007 cf0000000000000001 cf00060a24181e4000 "
               "a3732d31 a154 c410 11010000000000000000000000000000 c0 c0 90 "
               "c400 c400 00");
    ck_assert_uint_eq(event_record_position(slice_make(bytes, 10)), 7);
}
END_TEST

/* Only a server erases, so a client cannot send what is erased. */
START_TEST(erased_is_a_format_of_records_only)
{
    struct event event = full_event();
    struct pack_reader reader;
    struct event read;
    uint8_t bytes[256];

    event.stream = slice_of("s-1");
    event.metadata = event.data = SLICE_NONE;
    record_of(&event, bytes);
    bytes[event_record_size(&event) - 1] = EVENT_ERASED;
    pack_reader_init(&reader, slice_make(bytes, event_record_size(&event)),
                     &err);
    event_decode_record(&reader, &read);
    ck_assert_int_eq(pack_code(&reader), ACTA_OK);
    ck_assert_int_eq(read.format, EVENT_ERASED);
    assert_slice_eq(read.type, event.type);
    ck_assert_mem_eq(read.causation_id, causation, UUID_SIZE);

    buf_clear(&buf);
    event.format = EVENT_ERASED;
    event_encode_content(&buf, &event, NULL, 0);
    ck_assert_int_eq(decode(&read), ACTA_INVALID);
    ck_assert_str_eq(err.text, "format is 3, must be 0 to 2");
}
END_TEST

/* Names whose length needs another head, and the shortest and the longest. */
START_TEST(records_of_every_stream_size_are_read_back)
{
    static const size_t sizes[] = {1, 31, 32, 254, 255};
    uint8_t name[255];
    uint8_t *bytes;
    struct event event = full_event();
    struct event read;
    struct pack_reader reader;
    struct slice record;

    memset(name, 'n', sizeof(name));
    event.position = UINT64_MAX;
    event.version = 1;
    event.time_us = 2;
    event.stream = slice_make(name, sizes[_i]);
    event_encode_content(&buf, &event, NULL, 0);
    ck_assert_int_eq(decode(&read), ACTA_OK);
    event.content = read.content;
    bytes = malloc(event_record_size(&event)); /* A byte too far is seen. */
    event_write_record(bytes, &event);
    record = slice_make(bytes, event_record_size(&event));
    ck_assert_uint_le(record.size, event.content.size + EVENT_RECORD_EXTRA_MAX);

    ck_assert_int_eq(pack_scan(record, 3, &err), ACTA_OK);
    pack_reader_init(&reader, record, &err);
    event_decode_record(&reader, &read);
    ck_assert_int_eq(pack_code(&reader), ACTA_OK);
    ck_assert_ptr_eq(reader.at, reader.end);
    ck_assert_uint_eq(read.position, UINT64_MAX);
    ck_assert_uint_eq(read.version, 1);
    ck_assert_uint_eq(read.time_us, 2);
    ck_assert(slice_equal(read.stream, event.stream));
    ck_assert(slice_equal(read.content, event.content));
    ck_assert_uint_eq(event_record_position(record), UINT64_MAX);
    free(bytes);
}
END_TEST

typedef void decode_fn(struct pack_reader *reader, struct event *event);

/* Decode the first @size of @bytes, in memory that ends behind them. */
static enum acta_code
decode_cut(struct slice bytes, size_t size, decode_fn *decode_it)
{
    uint8_t *cut = malloc(size == 0 ? 1 : size);
    struct pack_reader reader;
    struct event read;

    memcpy(cut, bytes.data, size);
    pack_reader_init(&reader, slice_make(cut, size), &err);
    decode_it(&reader, &read);
    free(cut);
    return pack_code(&reader);
}

static void
assert_cut_is_refused(struct slice bytes, decode_fn *decode_it)
{
    for (size_t size = 0; size < bytes.size; size++) {
        ck_assert_int_ne(decode_cut(bytes, size, decode_it), ACTA_OK);
    }
    ck_assert_int_eq(decode_cut(bytes, bytes.size, decode_it), ACTA_OK);
}

/* With short and long names and bytes, which have other heads. */
START_TEST(what_is_cut_anywhere_is_refused)
{
    static uint8_t long_bytes[300];
    static const uint8_t letters[40] =
        "abcdefghijklmnopqrstuvwxyzabcdefghijklm";
    struct slice tags[] = {slice_of("a:1"), slice_make(letters, 39)};
    struct event event = full_event();
    uint8_t bytes[1500];
    struct event read;

    event.position = 1;
    event.stream = slice_of("s");
    if (_i > 0) {
        event.stream = event.type = slice_make(letters, 39);
        event.metadata = event.data =
            slice_make(long_bytes, sizeof(long_bytes));
        event.correlation_id = NULL;
    }
    event_encode_content(&buf, &event, tags, 2);
    assert_cut_is_refused(buf_slice(&buf), event_decode_content);
    ck_assert_int_eq(decode(&read), ACTA_OK);
    event.content = read.content;
    event_write_record(bytes, &event);
    assert_cut_is_refused(slice_make(bytes, event_record_size(&event)),
                          event_decode_record);
}
END_TEST

START_TEST(nothing_is_decoded_behind_a_failure)
{
    struct event event = full_event();
    struct pack_reader reader;
    struct event read;

    event_encode_content(&buf, &event, NULL, 0);
    pack_reader_init(&reader, buf_slice(&buf), &err);
    pack_fail(&reader, ACTA_INVALID, "before");
    event_decode_content(&reader, &read);
    event_decode_record(&reader, &read);
    ck_assert_int_eq(pack_code(&reader), ACTA_INVALID);
    ck_assert_str_eq(err.text, "before");
}
END_TEST

START_TEST(record_of_a_newer_server_may_have_more_fields)
{
    uint8_t bytes[256];
    struct event event = full_event();
    struct pack_reader reader;
    struct event read;
    struct slice record;

    event.position = 1;
    event.stream = slice_of("s");
    record = record_of(&event, bytes);
    bytes[0]++;
    memcpy(bytes + record.size, "\x92\xc0\xc0", 3);
    pack_reader_init(&reader, slice_make(bytes, record.size + 3), &err);
    event_decode_record(&reader, &read);
    ck_assert_int_eq(pack_code(&reader), ACTA_OK);
    ck_assert_ptr_eq(reader.at, reader.end);
    assert_slice_eq(read.content, event.content);
}
END_TEST

/* Each field in the heads that it nearly always has, and in another that says
 * the same.
 */
static const char *const heads[EVENT_RECORD_FIELDS + 1][2] = {
    {"9c", "dc000c"},
    {"cf0000000000000007", "07"},
    {"cf0000000000000101", "cd0101"},
    {"cf0000000000000003", "cc03"},
    {"a173", "da000173"},
    {"d90174", "db0000000174"},
    {"c41000112233445566778899aabbccddeeff",
     "c5001000112233445566778899aabbccddeeff"},
    {"c0", "c0"},
    {"c41000112233445566778899aabbccddeeff",
     "c60000001000112233445566778899aabbccddeeff"},
    {"92a161d90162", "dc0002a161d90162"},
    {"c4016d", "c6000000016d"},
    {"c5000264ff", "c60000000264ff"},
    {"01", "cc01"},
};

static void
add_field(size_t field, size_t way)
{
    buf_append_slice(&buf, hex(heads[field][way]));
}

START_TEST(record_says_the_same_in_any_heads)
{
    struct pack_reader reader;
    struct event event;
    struct slice tags;

    for (size_t field = 0; field <= EVENT_RECORD_FIELDS; field++) {
        add_field(field, field == (size_t)_i);
    }
    pack_reader_init(&reader, buf_slice(&buf), &err);
    event_decode_record(&reader, &event);
    ck_assert_msg(pack_code(&reader) == ACTA_OK, "%s", err.text);
    ck_assert_ptr_eq(reader.at, reader.end);
    ck_assert_uint_eq(event.position, 7);
    ck_assert_uint_eq(event.version, 0x101);
    ck_assert_uint_eq(event.time_us, 3);
    assert_slice_eq(event.stream, slice_of("s"));
    assert_slice_eq(event.type, slice_of("t"));
    ck_assert_uint_eq(event.id[1], 0x11);
    ck_assert_ptr_null(event.correlation_id);
    ck_assert_uint_eq(event.causation_id[15], 0xff);
    ck_assert_uint_eq(event.tags_count, 2);
    tags = event.tags;
    assert_slice_eq(event_tag(&tags), slice_of("a"));
    assert_slice_eq(event_tag(&tags), slice_of("b"));
    ck_assert_uint_eq(tags.size, 0);
    assert_slice_eq(event.metadata, slice_of("m"));
    assert_slice_eq(event.data, slice_make("d\xff", 2));
    ck_assert_int_eq(event.format, EVENT_JSON);
    ck_assert_ptr_eq(event.content.data + event.content.size, reader.end);
}
END_TEST

START_TEST(content_says_the_same_in_any_heads)
{
    struct event event;

    buf_append_slice(&buf, hex(_i == 0 ? "dc0008" : "98"));
    for (size_t field = 1; field <= EVENT_CONTENT_FIELDS; field++) {
        add_field(EVENT_RECORD_FIELDS - EVENT_CONTENT_FIELDS + field,
                  field == (size_t)_i);
    }
    ck_assert_msg(decode(&event) == ACTA_OK, "%s", err.text);
    assert_slice_eq(event.type, slice_of("t"));
    ck_assert_uint_eq(event.id[1], 0x11);
    ck_assert_ptr_null(event.correlation_id);
    ck_assert_uint_eq(event.causation_id[15], 0xff);
    ck_assert_uint_eq(event.tags_count, 2);
    assert_slice_eq(event_tag(&event.tags), slice_of("a"));
    assert_slice_eq(event_tag(&event.tags), slice_of("b"));
    assert_slice_eq(event.metadata, slice_of("m"));
    assert_slice_eq(event.data, slice_make("d\xff", 2));
    ck_assert_int_eq(event.format, EVENT_JSON);
    ck_assert_ptr_eq(event.content.data + event.content.size,
                     buf_slice(&buf).data + buf_size(&buf));
}
END_TEST

/* What is wrong with a field is said whatever heads the others have. */
START_TEST(record_with_a_wrong_field_is_refused_with_its_name)
{
    static const struct {
        size_t field;
        const char *bytes;
        const char *text;
    } wrong[] = {
        {1, "a0", "position must be a number, is a string"},
        {4, "c40173", "stream must be a string, is bytes"},
        {6, "c0", "id must be bytes, is nil"},
        {7, "01", "correlation id must be bytes, is a number"},
        {8, "c40100", "causation id must be 16 bytes, is 1"},
        {9, "9101", "tag must be a string, is a number"},
        {10, "a0", "metadata must be bytes, is a string"},
        {11, "90", "data must be bytes, is an array"},
        {12, "04", "format is 4, must be 0 to 3"},
    };
    struct pack_reader reader;
    struct event event;

    for (size_t field = 0; field <= EVENT_RECORD_FIELDS; field++) {
        if (field == wrong[_i].field) {
            buf_append_slice(&buf, hex(wrong[_i].bytes));
        } else {
            add_field(field, 0);
        }
    }
    pack_reader_init(&reader, buf_slice(&buf), &err);
    event_decode_record(&reader, &event);
    ck_assert_int_eq(pack_code(&reader), ACTA_INVALID);
    ck_assert_str_eq(err.text, wrong[_i].text);
}
END_TEST

START_TEST(bytes_that_are_no_record_have_position_zero)
{
    static const char *const bytes[] = {
        "",
        "9c",
        "9c cf 00000000000000",
        "9b cf 0000000000000007",
        "9c ce 0000000000000007",
        "9c 07 0000000000000007",
    };

    ck_assert_uint_eq(event_record_position(hex(bytes[_i])), 0);
}
END_TEST

/* Names of all sizes, and any bytes as data. */
START_TEST(random_contents_come_out_as_they_went_in)
{
    struct rnd rnd;

    rnd_init(&rnd);
    for (unsigned i = 0; i < rnd_effort(3000, 300000); i++) {
        static uint8_t letters[ACTA_TAGS_MAX][255];
        static uint8_t bytes[1000];
        struct slice tags[ACTA_TAGS_MAX];
        size_t tags_count = rnd_below(&rnd, ACTA_TAGS_MAX + 1);
        struct event event = {
            .type = slice_make(letters[0], 1 + rnd_below(&rnd, 255)),
            .id = id,
            .correlation_id = rnd_once_in(&rnd, 2) ? correlation : NULL,
            .causation_id = rnd_once_in(&rnd, 2) ? causation : NULL,
            .metadata = slice_make(bytes, rnd_below(&rnd, 300)),
            .data = slice_make(bytes, rnd_below(&rnd, sizeof(bytes))),
            .format = (enum event_format)rnd_below(&rnd, 3),
        };
        struct event read;

        rnd_bytes(&rnd, bytes, sizeof(bytes));
        for (size_t t = 0; t < ACTA_TAGS_MAX; t++) {
            memset(letters[t], 'A' + (int)t, sizeof(letters[t]));
            tags[t] = slice_make(letters[t], 1 + rnd_below(&rnd, 255));
        }
        buf_clear(&buf);
        event_encode_content(&buf, &event, tags, tags_count);
        ck_assert_msg(decode(&read) == ACTA_OK, "%s", err.text);
        ck_assert(slice_equal(read.type, event.type));
        ck_assert(slice_equal(read.metadata, event.metadata));
        ck_assert(slice_equal(read.data, event.data));
        ck_assert_int_eq(read.format, event.format);
        ck_assert_int_eq(read.correlation_id == NULL,
                         event.correlation_id == NULL);
        ck_assert_int_eq(read.causation_id == NULL, event.causation_id == NULL);
        ck_assert_uint_eq(read.tags_count, tags_count);
        for (size_t t = 0; t < tags_count; t++) {
            ck_assert(slice_equal(event_tag(&read.tags), tags[t]));
        }
        ck_assert_uint_eq(read.tags.size, 0);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("event");
    TCase *tcase = tcase_create("event");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, content_comes_out_as_it_went_in);
    tcase_add_test(tcase, what_may_be_absent_is_nil_or_empty);
    tcase_add_test(tcase, record_has_its_numbers_at_fixed_offsets);
    tcase_add_test(tcase, erased_is_a_format_of_records_only);
    tcase_add_loop_test(tcase, records_of_every_stream_size_are_read_back, 0,
                        5);
    tcase_add_loop_test(tcase, what_is_cut_anywhere_is_refused, 0, 2);
    tcase_add_test(tcase, nothing_is_decoded_behind_a_failure);
    tcase_add_test(tcase, record_of_a_newer_server_may_have_more_fields);
    tcase_add_loop_test(tcase, record_says_the_same_in_any_heads, 0,
                        EVENT_RECORD_FIELDS + 2);
    tcase_add_loop_test(tcase, content_says_the_same_in_any_heads, 0,
                        EVENT_CONTENT_FIELDS + 2);
    tcase_add_loop_test(
        tcase, record_with_a_wrong_field_is_refused_with_its_name, 0, 9);
    tcase_add_loop_test(tcase, bytes_that_are_no_record_have_position_zero, 0,
                        6);
    tcase_add_test(tcase, random_contents_come_out_as_they_went_in);
    return run_suite(suite);
}
