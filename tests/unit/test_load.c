/* Loading: a snapshot, and what came behind it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_rows.h"
#include "limit.h"
#include "run.h"
#include "snapshot.h"

#define ANY    MSG_EXPECT_ANY
#define STREAM "a-1"

static struct core core;
static struct reader *reader;
static uint64_t next_id;

static void
setup(void)
{
    core_open(&core);
    reader = core_reader(&core);
    next_id = 0;
}

static void
teardown(void)
{
    reader_close(reader);
    core_close(&core);
}

/* ---- the words in which the tests are written ---- */

static void
append(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct draft draft = {.id = ++next_id, .data = slice_of("data")};

        ck_assert_int_eq(core_append(&core, STREAM, ANY, &draft, 1), ACTA_OK);
    }
}

static void
put(uint64_t version, uint64_t schema)
{
    struct snapshot snapshot = {version, schema, 77, slice_of("state")};
    struct buf value;

    buf_init(&value, 1 << 10);
    snapshot_encode(&value, &snapshot);
    core_set_row(&core, ROW_SNAPSHOT, STREAM, buf_slice(&value));
    buf_fini(&value);
}

static void
change(enum msg_change_kind kind)
{
    struct msg_change wanted = {
        .stream = slice_of(STREAM), .expected = ANY, .kind = kind};

    ck_assert_int_eq(core_change(&core, &wanted), ACTA_OK);
}

/* Wherever rows and events are. */
static void
move(int place)
{
    if (place == 1) {
        core_seal(&core);
    } else if (place == 2) {
        core_checkpoint(&core);
    }
}

/* What a call came to. */
struct load {
    enum acta_code code;
    unsigned begun;
    uint64_t snapshot; /* Its version; 0: none. */
    struct read_result result;
    uint64_t first; /* Version of the first event; 0: none. */
    struct acta_err err;
};

static void
begin(void *user, const struct msg_loaded *loaded)
{
    struct load *load = user;

    load->begun++;
    load->snapshot = loaded->snapshot_version;
    ck_assert_int_eq(loaded->has_snapshot, loaded->snapshot_version > 0);
    if (loaded->has_snapshot) {
        ck_assert(slice_equal(loaded->snapshot, slice_of("state")));
        ck_assert_uint_eq(loaded->snapshot_time_us, 77);
    } else {
        ck_assert_uint_eq(loaded->snapshot.size, 0);
    }
}

static struct load
load_with(const struct msg_load *wanted, uint64_t events_max)
{
    struct read_bounds bounds = {.events_max = events_max,
                                 .bytes_max = ACTA_PAGE_SIZE_MAX};
    struct load load = {.begun = 0};
    struct slice events;
    struct event event;
    struct buf out;

    buf_init(&out, 1 << 20);
    load.code = reader_load(reader, wanted, &bounds, begin, &load, &out,
                            &load.result, &load.err);
    events = buf_slice(&out);
    for (uint64_t i = 0; events.size > 0; i++) {
        ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
        load.first = i == 0 ? event.version : load.first;
        ck_assert_uint_eq(event.version, load.first + i);
    }
    ck_assert_int_eq(load.begun, load.code == ACTA_OK);
    buf_fini(&out);
    return load;
}

static struct load
load(void)
{
    return load_with(&(struct msg_load){.stream = slice_of(STREAM)}, 100);
}

static void
assert_loaded(const struct load *load, uint64_t snapshot, uint64_t first,
              size_t count, uint64_t version)
{
    ck_assert_msg(load->code == ACTA_OK, "%s", load->err.text);
    ck_assert_uint_eq(load->snapshot, snapshot);
    ck_assert_uint_eq(load->first, first);
    ck_assert_uint_eq(load->result.events_count, count);
    ck_assert_uint_eq(load->result.version, version);
    ck_assert_uint_eq(load->result.next, version);
    ck_assert(load->result.at_end);
    ck_assert_uint_eq(load->result.head, core_head(&core));
}

/* ---- tests ---- */

START_TEST(a_stream_without_a_snapshot_is_loaded_from_its_beginning)
{
    struct load loaded = load();

    assert_loaded(&loaded, 0, 0, 0, 0);
    append(3);
    move(_i);
    loaded = load();
    assert_loaded(&loaded, 0, 1, 3, 3);
}
END_TEST

START_TEST(a_snapshot_comes_with_what_is_behind_it)
{
    struct load loaded;

    append(5);
    put(3, 1);
    move(_i);
    loaded = load();
    assert_loaded(&loaded, 3, 4, 2, 5);
    put(5, 1);
    loaded = load();
    assert_loaded(&loaded, 5, 0, 0, 5);
    append(1);
    loaded = load();
    assert_loaded(&loaded, 5, 6, 1, 6);
    core_set_row(&core, ROW_SNAPSHOT, STREAM, SLICE_NONE);
    loaded = load();
    assert_loaded(&loaded, 0, 1, 6, 6);
}
END_TEST

START_TEST(who_has_a_state_gets_what_is_behind_it_and_no_snapshot)
{
    struct msg_load wanted = {.stream = slice_of(STREAM), .has_version = true};
    struct load loaded;

    append(5);
    put(3, 1);
    move(_i);
    loaded = load_with(&wanted, 100);
    assert_loaded(&loaded, 0, 1, 5, 5);
    wanted.version = 2;
    loaded = load_with(&wanted, 100);
    assert_loaded(&loaded, 0, 3, 3, 5);
    wanted.version = 5; /* Not modified. */
    loaded = load_with(&wanted, 100);
    assert_loaded(&loaded, 0, 0, 0, 5);
    wanted.version = 6;
    loaded = load_with(&wanted, 100);
    ck_assert_int_eq(loaded.code, ACTA_INVALID);
    ck_assert_ptr_nonnull(strstr(loaded.err.text, STREAM));
}
END_TEST

START_TEST(a_snapshot_of_another_schema_is_of_no_use)
{
    struct msg_load wanted = {.stream = slice_of(STREAM), .has_schema = true};
    struct load loaded;

    append(5);
    put(3, 7);
    for (wanted.schema = 6; wanted.schema <= 8; wanted.schema++) {
        bool serves = wanted.schema == 7;

        loaded = load_with(&wanted, 100);
        assert_loaded(&loaded, serves ? 3 : 0, serves ? 4 : 1, serves ? 2 : 5,
                      5);
    }
}
END_TEST

/* Its row is put back here, as if it had been left behind. */
START_TEST(a_snapshot_of_what_was_deleted_does_not_serve)
{
    struct load loaded;

    append(3);
    put(3, 1);
    change(MSG_DELETE);
    put(3, 1);
    move(_i);
    loaded = load();
    assert_loaded(&loaded, 0, 0, 0, 3);
    append(2);
    loaded = load();
    assert_loaded(&loaded, 0, 4, 2, 5);
    put(4, 1);
    loaded = load();
    assert_loaded(&loaded, 4, 5, 1, 5);
    change(MSG_TOMBSTONE);
    put(5, 1);
    loaded = load();
    assert_loaded(&loaded, 0, 0, 0, 5);
}
END_TEST

START_TEST(a_page_that_is_full_says_from_where_to_go_on)
{
    struct msg_load wanted = {.stream = slice_of(STREAM)};
    struct load loaded;

    append(9);
    put(3, 1);
    loaded = load_with(&wanted, 2);
    ck_assert_int_eq(loaded.code, ACTA_OK);
    ck_assert_uint_eq(loaded.snapshot, 3);
    ck_assert_uint_eq(loaded.first, 4);
    ck_assert_uint_eq(loaded.result.next, 5);
    ck_assert(!loaded.result.at_end);
    wanted.has_version = true;
    wanted.version = loaded.result.next;
    loaded = load_with(&wanted, 100);
    assert_loaded(&loaded, 0, 6, 4, 9);
}
END_TEST

START_TEST(a_damaged_snapshot_is_named_and_never_served)
{
    struct msg_load wanted = {.stream = slice_of(STREAM), .has_version = true};
    struct load loaded;

    append(5);
    switch (_i) {
    case 0:
        put(3, 1);
        core_checkpoint(&core);
        ck_assert_uint_ge(core_damage(&core, slice_of("\xc4\5state"), -1), 1);
        break;
    case 1: /* The checksum is right, and it makes no sense. */
        core_set_row(&core, ROW_SNAPSHOT, STREAM, slice_of("state"));
        break;
    default:
        put(6, 1);
        break;
    }
    loaded = load();
    ck_assert_int_eq(loaded.code, ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(loaded.err.text, "snapshot"));
    ck_assert_ptr_nonnull(strstr(loaded.err.text, STREAM));
    loaded = load_with(&wanted, 100); /* It does not need it. */
    assert_loaded(&loaded, 0, 1, 5, 5);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("load");
    TCase *tcase = tcase_create("load");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(
        tcase, a_stream_without_a_snapshot_is_loaded_from_its_beginning, 0, 3);
    tcase_add_loop_test(tcase, a_snapshot_comes_with_what_is_behind_it, 0, 3);
    tcase_add_loop_test(
        tcase, who_has_a_state_gets_what_is_behind_it_and_no_snapshot, 0, 3);
    tcase_add_test(tcase, a_snapshot_of_another_schema_is_of_no_use);
    tcase_add_loop_test(tcase, a_snapshot_of_what_was_deleted_does_not_serve, 0,
                        3);
    tcase_add_test(tcase, a_page_that_is_full_says_from_where_to_go_on);
    tcase_add_loop_test(tcase, a_damaged_snapshot_is_named_and_never_served, 0,
                        3);
    return run_suite(suite);
}
