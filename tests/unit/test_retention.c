/* What of a stream is to be seen, and what is left of what is not. */

#include "retention.h"
#include "rooms.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core.h"
#include "erasure.h"
#include "limit.h"
#include "record.h"
#include "run.h"

#define ANY    MSG_EXPECT_ANY
#define STREAM "a-1"

static struct buf buf;

static void
setup_buf(void)
{
    buf_init(&buf, 1 << 20);
}

static void
teardown_buf(void)
{
    buf_fini(&buf);
}

/* ---- bytes ---- */

START_TEST(a_retention_comes_out_as_it_went_in_and_never_in_part)
{
    struct retention in = {.settings = {5, UINT64_MAX, 1u << 30},
                           .deleted_at = 4,
                           .is_tombstoned = true,
                           .erased_to = 3};
    struct retention out;

    retention_encode(&buf, &in);
    ck_assert_int_eq(retention_decode(&out, buf_slice(&buf), NULL), ACTA_OK);
    ck_assert_mem_eq(&out.settings, &in.settings, sizeof(in.settings));
    ck_assert_uint_eq(out.deleted_at, in.deleted_at);
    ck_assert(out.is_tombstoned);
    ck_assert_uint_eq(out.erased_to, in.erased_to);
    for (size_t size = 0; size < buf_size(&buf); size++) {
        struct slice part = slice_make(buf_slice(&buf).data, size);

        ck_assert_int_eq(retention_decode(&out, part, NULL), ACTA_CORRUPT);
    }
}
END_TEST

START_TEST(runs_of_a_command_come_out_as_they_went_in_and_never_in_part)
{
    struct msg_run in[] = {{0, 1, 1, 300}, {7, UINT64_MAX, 1u << 31, 1}};
    struct msg_run *out;
    size_t count;

    command_encode(&buf, in, 2);
    ck_assert_int_eq(command_decode(&out, &count, buf_slice(&buf), NULL),
                     ACTA_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_mem_eq(out, in, sizeof(in));
    free(out);
    for (size_t size = 0; size < buf_size(&buf); size++) {
        struct slice part = slice_make(buf_slice(&buf).data, size);

        ck_assert_int_eq(command_decode(&out, &count, part, NULL),
                         ACTA_CORRUPT);
        ck_assert_ptr_null(out);
    }
}
END_TEST

START_TEST(an_erasure_comes_out_as_it_went_in_and_never_in_part)
{
    uint8_t key[ERASURE_KEY_SIZE_MAX], value[ERASURE_VALUE_SIZE];
    struct slice k = erasure_key(key, slice_of(STREAM), 9);
    struct slice v = erasure_value(value, 12);
    struct erasure out;

    ck_assert_int_eq(erasure_decode(&out, k, v, NULL), ACTA_OK);
    ck_assert(slice_equal(out.stream, slice_of(STREAM)));
    ck_assert_uint_eq(out.version, 9);
    ck_assert_uint_eq(out.last, 12);
    v.size--;
    ck_assert_int_eq(erasure_decode(&out, k, v, NULL), ACTA_CORRUPT);
    v.size++;
    k.size = 8;
    ck_assert_int_eq(erasure_decode(&out, k, v, NULL), ACTA_CORRUPT);
}
END_TEST

/* Versions of a stream lie in order of the keys, so that a sweep meets them so.
 */
START_TEST(erasures_of_a_stream_are_ordered_by_version)
{
    uint8_t a[ERASURE_KEY_SIZE_MAX], b[ERASURE_KEY_SIZE_MAX];
    static const uint64_t versions[] = {0, 1, 255, 256, 65536, UINT64_MAX};

    for (size_t i = 1; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct slice left = erasure_key(a, slice_of(STREAM), versions[i - 1]);
        struct slice right = erasure_key(b, slice_of(STREAM), versions[i]);

        ck_assert_int_lt(slice_compare(left, right), 0);
    }
}
END_TEST

/* ---- what is hidden ---- */

struct bounds {
    struct msg_settings settings; /* Before, count, age. */
    uint64_t last;                /* The stream's version. */
    uint64_t first;               /* The first version that is shown. */
};

START_TEST(the_first_version_is_that_which_no_bound_hides)
{
    static const struct bounds table[] = {
        {{0, 0, 0}, 0, 1},
        {{0, 0, 0}, 9, 1},
        {{1, 0, 0}, 9, 1},
        {{4, 0, 0}, 9, 4},
        {{10, 0, 0}, 9, 10}, /* All are hidden. */
        {{0, 3, 0}, 9, 7},
        {{0, 9, 0}, 9, 1},
        {{0, 10, 0}, 9, 1},
        {{0, 1, 0}, 9, 9},
        {{0, UINT64_MAX, 0}, 9, 1},
        {{8, 3, 0}, 9, 8}, /* The one that hides more. */
        {{4, 3, 0}, 9, 7},
        {{0, 3, 0}, 0, 1}, /* Settings without events. */
        {{1, 3, 0}, 0, 1},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct retention retention = {.settings = table[i].settings};

        ck_assert_msg(retention_first(&retention, table[i].last) ==
                          table[i].first,
                      "row %zu", i);
        for (uint64_t v = 1; v <= table[i].last; v++) {
            ck_assert_msg(retention_hides(&retention, v, 0, table[i].last,
                                          UINT64_MAX) == (v < table[i].first),
                          "row %zu, version %ju", i, (uintmax_t)v);
        }
    }
}
END_TEST

START_TEST(an_event_is_too_old_behind_its_age_and_not_at_it)
{
    struct retention retention = {.settings = {.max_age_us = 100}};

    ck_assert(!retention_is_old(&retention, 1000, 1100));
    ck_assert(retention_is_old(&retention, 1000, 1101));
    ck_assert(!retention_is_old(&retention, 1000, 0)); /* A clock went back. */
    retention.settings.max_age_us = UINT64_MAX;
    ck_assert(!retention_is_old(&retention, 1, UINT64_MAX));
    retention.settings.max_age_us = 0;
    ck_assert(!retention_is_old(&retention, 0, UINT64_MAX));
}
END_TEST

START_TEST(a_stream_is_deleted_until_it_goes_on_and_tombstoned_for_ever)
{
    struct retention retention = RETENTION_NONE;

    ck_assert_int_eq(retention_state(&retention, 0), MSG_STREAM_LIVE);
    retention.deleted_at = 3;
    ck_assert_int_eq(retention_state(&retention, 3), MSG_STREAM_DELETED);
    ck_assert_int_eq(retention_state(&retention, 4), MSG_STREAM_LIVE);
    retention.is_tombstoned = true;
    ck_assert_int_eq(retention_state(&retention, 3), MSG_STREAM_TOMBSTONED);
    ck_assert_int_eq(retention_state(&retention, 0), MSG_STREAM_TOMBSTONED);
}
END_TEST

/* ---- records ---- */

static struct slice
write_record(struct buf *to)
{
    static const struct draft draft = {
        .id = 5,
        .type = "Placed",
        .correlation = 6,
        .tags = {"red", "big"},
        .metadata = {(const uint8_t *)"meta", 4},
        .data = {(const uint8_t *)"data", 4},
    };
    struct buf content;
    struct event event;

    buf_init(&content, 1 << 16);
    draft_event(&event, &content, STREAM, &draft);
    event.position = 11;
    event.version = 3;
    event.time_us = CORE_TIME_US;
    event_write_record(buf_reserve(to, event_record_size(&event)), &event);
    buf_advance(to, event_record_size(&event));
    buf_fini(&content);
    return buf_slice(to);
}

START_TEST(a_stub_has_the_numbers_of_its_record_and_nothing_else)
{
    struct slice record = write_record(&buf);
    uint8_t bytes[RECORD_STUB_SIZE];
    struct slice stub = slice_make(bytes, sizeof(bytes));

    ck_assert(!record_is_stub(record));
    ck_assert(slice_equal(record_stream(record), slice_of(STREAM)));
    record_write_stub(bytes, record);
    ck_assert(record_is_stub(stub));
    ck_assert_uint_eq(record_position(stub), 11);
    ck_assert_uint_eq(record_version(stub), 3);
    ck_assert_uint_eq(record_time(stub), CORE_TIME_US);
}
END_TEST

/* Version and time would be looked for where they do not stand. */
START_TEST(a_record_with_a_number_of_another_size_has_no_position)
{
    struct slice record = write_record(&buf);
    uint8_t bytes[256];

    ck_assert_uint_le(record.size, sizeof(bytes));
    for (size_t i = 0; i < 3; i++) {
        memcpy(bytes, record.data, record.size);
        ck_assert_uint_eq(record_position(slice_make(bytes, record.size)), 11);
        bytes[1 + i * PACK_FIXED_SIZE] = 3;
        ck_assert_uint_eq(record_position(slice_make(bytes, record.size)), 0);
    }
}
END_TEST

START_TEST(an_erased_record_has_all_but_data_and_metadata)
{
    struct slice record = write_record(&buf);
    struct pack_reader reader;
    struct event before, after;
    struct buf out, again;

    buf_init(&out, 1 << 16);
    buf_init(&again, 1 << 16);
    ck_assert_int_eq(record_erase(&out, record, NULL), ACTA_OK);
    pack_reader_init(&reader, record, NULL);
    event_decode_record(&reader, &before);
    ck_assert(!reader.failed);
    pack_reader_init(&reader, buf_slice(&out), NULL);
    event_decode_record(&reader, &after);
    ck_assert(!reader.failed);
    ck_assert_int_eq(after.format, EVENT_ERASED);
    ck_assert_uint_eq(after.data.size + after.metadata.size, 0);
    ck_assert_uint_eq(after.position, before.position);
    ck_assert_uint_eq(after.version, before.version);
    ck_assert_uint_eq(after.time_us, before.time_us);
    ck_assert(slice_equal(after.stream, before.stream));
    ck_assert(slice_equal(after.type, before.type));
    ck_assert_mem_eq(after.id, before.id, UUID_SIZE);
    ck_assert_mem_eq(after.correlation_id, before.correlation_id, UUID_SIZE);
    ck_assert_ptr_null(after.causation_id);
    ck_assert_uint_eq(after.tags_count, 2);
    ck_assert(slice_equal(after.tags, before.tags));
    /* Erased again it stays as it is. */
    ck_assert_int_eq(record_erase(&again, buf_slice(&out), NULL), ACTA_OK);
    ck_assert(slice_equal(buf_slice(&again), buf_slice(&out)));
    buf_fini(&out);
    buf_fini(&again);
}
END_TEST

/* What a checksum has passed is read with care all the same. */
START_TEST(what_is_no_record_is_not_erased)
{
    struct slice record = write_record(&buf);
    struct acta_err err;
    struct buf out;

    buf_init(&out, 1 << 16);
    for (size_t size = 0; size < record.size; size++) {
        ck_assert_int_eq(
            record_erase(&out, slice_make(record.data, size), &err),
            ACTA_CORRUPT);
    }
    ck_assert_uint_eq(buf_size(&out), 0);
    ck_assert_uint_eq(
        record_stream(slice_make(record.data, RECORD_STUB_SIZE)).size, 0);
    ck_assert(!record_is_stub(slice_make(record.data, RECORD_STUB_SIZE)));
    buf_fini(&out);
}
END_TEST

/* Of as many tags as an event may have, and one more. */
START_TEST(a_record_is_erased_unless_it_has_more_tags_than_an_event)
{
    size_t tags_count = ACTA_TAGS_MAX + (size_t)_i;
    struct slice tags[ACTA_TAGS_MAX + 1];
    struct pack_reader reader;
    struct buf record, content, out;
    struct acta_err err;
    struct event event;

    buf_init(&record, 1 << 16);
    buf_init(&content, 1 << 16);
    buf_init(&out, 1 << 16);
    pack_reader_init(&reader, write_record(&buf), NULL);
    event_decode_record(&reader, &event);
    for (size_t i = 0; i < tags_count; i++) {
        tags[i] = slice_of("same");
    }
    event_encode_content(&content, &event, tags, tags_count);
    event.content =
        slice_make(buf_slice(&content).data + 1, buf_slice(&content).size - 1);
    event_write_record(buf_reserve(&record, event_record_size(&event)), &event);
    buf_advance(&record, event_record_size(&event));
    ck_assert_int_eq(record_erase(&out, buf_slice(&record), &err),
                     _i == 0 ? ACTA_OK : ACTA_CORRUPT);
    buf_fini(&out);
    buf_fini(&content);
    buf_fini(&record);
}
END_TEST

/* ---- changed bounds: what was hidden stays hidden ---- */

static struct core core;

static void
setup_core(void)
{
    struct draft draft = {.id = 0};

    core_open(&core);
    for (draft.id = 1; draft.id <= 10; draft.id++) {
        ck_assert_int_eq(core_append(&core, STREAM, ANY, &draft, 1), ACTA_OK);
    }
}

static void
teardown_core(void)
{
    core_close(&core);
}

static enum acta_code
set(unsigned given, uint64_t before, uint64_t count, uint64_t age_s)
{
    struct msg_change change = {
        .stream = slice_of(STREAM),
        .expected = ANY,
        .kind = MSG_SET,
        .settings = {before, count, age_s * 1000000},
        .given = given,
    };

    return core_change(&core, &change);
}

static uint64_t
truncated_before(void)
{
    struct stream_state state;
    struct acta_err err;

    heads_begin(&core.heads, core.sequence + 1, core.time_us);
    ck_assert_int_eq(heads_stream(&core.heads, slice_of(STREAM), &state, &err),
                     ACTA_OK);
    heads_end(&core.heads);
    return state.retention.settings.truncate_before;
}

/* Wherever the events are: they have to be looked at for their times. */
static void
move(int place)
{
    if (place == 1) {
        core_seal(&core);
    } else if (place == 2) {
        core_checkpoint(&core);
    }
}

START_TEST(what_a_count_hid_stays_hidden_when_it_is_raised)
{
    move(_i);
    ck_assert_int_eq(set(MSG_HAS_MAX_COUNT, 0, 3, 0), ACTA_OK);
    ck_assert_uint_eq(truncated_before(), 0);
    ck_assert_int_eq(set(MSG_HAS_MAX_COUNT, 0, 5, 0), ACTA_OK);
    ck_assert_uint_eq(truncated_before(), 8);
    ck_assert_int_eq(set(MSG_HAS_TRUNCATE_BEFORE, 7, 0, 0), ACTA_INVALID);
    ck_assert_int_eq(set(MSG_HAS_TRUNCATE_BEFORE, 8, 0, 0), ACTA_OK);
    ck_assert_int_eq(set(MSG_HAS_TRUNCATE_BEFORE, 11, 0, 0), ACTA_OK);
    ck_assert_int_eq(set(MSG_HAS_TRUNCATE_BEFORE, 12, 0, 0), ACTA_INVALID);
    ck_assert_uint_eq(truncated_before(), 11);
}
END_TEST

/* A second passes with every batch: the last event is of second 10, the age of
 * 4 seconds is set at 11 and taken away at 12, when versions up to 7 are older.
 */
START_TEST(what_an_age_hid_stays_hidden_when_it_is_taken_away)
{
    move(_i);
    ck_assert_int_eq(set(MSG_HAS_MAX_AGE, 0, 0, 4), ACTA_OK);
    ck_assert_uint_eq(truncated_before(), 0);
    ck_assert_int_eq(set(MSG_HAS_MAX_AGE, 0, 0, 0), ACTA_OK);
    ck_assert_uint_eq(truncated_before(), 8);
}
END_TEST

START_TEST(a_bound_that_is_set_again_as_it_was_changes_nothing)
{
    struct msg_change change = {
        .stream = slice_of(STREAM),
        .expected = ANY,
        .kind = MSG_SET,
        .settings = {.max_count = 3},
        .given = MSG_HAS_MAX_COUNT,
    };
    struct job *job;

    ck_assert_int_eq(core_change(&core, &change), ACTA_OK);
    job = draft_change(&change);
    ck_assert_int_eq(core_decide(&core, job), ACTA_OK);
    ck_assert(!job->outcome.changed.changed);
    ck_assert_uint_eq(job->outcome.changed.version, 10);
    ck_assert_uint_eq(truncated_before(), 0);
    job_free(job);
}
END_TEST

/* A clock may be put back: what was too old stays so. */
START_TEST(time_that_was_seen_does_not_go_back)
{
    struct rooms rooms = {0};

    ck_assert_uint_eq(rooms_see_time(&rooms, 5), 5);
    ck_assert_uint_eq(rooms_see_time(&rooms, 3), 5);
    ck_assert_uint_eq(rooms_see_time(&rooms, 7), 7);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("retention");
    TCase *bytes = tcase_create("bytes");
    TCase *bounds = tcase_create("bounds");
    TCase *changes = tcase_create("changes");

    suite_add_tcase(suite, bytes);
    tcase_add_checked_fixture(bytes, setup_buf, teardown_buf);
    tcase_add_test(bytes, time_that_was_seen_does_not_go_back);
    tcase_add_test(bytes,
                   a_retention_comes_out_as_it_went_in_and_never_in_part);
    tcase_add_test(
        bytes, runs_of_a_command_come_out_as_they_went_in_and_never_in_part);
    tcase_add_test(bytes, an_erasure_comes_out_as_it_went_in_and_never_in_part);
    tcase_add_test(bytes, erasures_of_a_stream_are_ordered_by_version);
    tcase_add_test(bytes,
                   a_stub_has_the_numbers_of_its_record_and_nothing_else);
    tcase_add_test(bytes,
                   a_record_with_a_number_of_another_size_has_no_position);
    tcase_add_test(bytes, an_erased_record_has_all_but_data_and_metadata);
    tcase_add_test(bytes, what_is_no_record_is_not_erased);
    tcase_add_loop_test(
        bytes, a_record_is_erased_unless_it_has_more_tags_than_an_event, 0, 2);

    suite_add_tcase(suite, bounds);
    tcase_add_test(bounds, the_first_version_is_that_which_no_bound_hides);
    tcase_add_test(bounds, an_event_is_too_old_behind_its_age_and_not_at_it);
    tcase_add_test(
        bounds, a_stream_is_deleted_until_it_goes_on_and_tombstoned_for_ever);

    suite_add_tcase(suite, changes);
    tcase_add_checked_fixture(changes, setup_core, teardown_core);
    tcase_add_loop_test(changes,
                        what_a_count_hid_stays_hidden_when_it_is_raised, 0, 3);
    tcase_add_loop_test(
        changes, what_an_age_hid_stays_hidden_when_it_is_taken_away, 0, 3);
    tcase_add_test(changes,
                   a_bound_that_is_set_again_as_it_was_changes_nothing);
    return run_suite(suite);
}
