/* Rows as readers see them, wherever they are: against a plain array. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_rows.h"
#include "limit.h"
#include "rnd.h"
#include "rows_visit.h"
#include "run.h"

#define KEYS_MAX 200 /* Of each kind. */

static const enum row_kind kinds[] = {ROW_CONSUMER, ROW_LEASE, ROW_SNAPSHOT};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct core core;
static struct reader *reader;
static struct rnd rnd;
static unsigned model[KINDS][KEYS_MAX]; /* What was set last; 0: no row. */
static unsigned last_value;

static void
setup(void)
{
    core_open(&core);
    reader = core_reader(&core);
    memset(model, 0, sizeof(model));
    last_value = 0;
}

static void
teardown(void)
{
    reader_close(reader);
    core_close(&core);
}

/* ---- what happens ---- */

/* In the order of numbers. One key is the beginning of another now and then. */
static const char *
key_of(unsigned number, char text[static 32])
{
    snprintf(text, 32, "key-%03u%s", number / 2, number % 2 == 1 ? "-b" : "");
    return text;
}

static void
set_some(void)
{
    char keys[20][32], values[20][16];
    size_t count = 1 + rnd_below(&rnd, 20);
    struct row rows[20];

    for (size_t i = 0; i < count; i++) {
        size_t kind = rnd_below(&rnd, KINDS);
        unsigned number = (unsigned)rnd_below(&rnd, KEYS_MAX);
        bool removes = rnd_once_in(&rnd, 3);

        model[kind][number] = removes ? 0 : ++last_value;
        snprintf(values[i], sizeof(values[i]), "%u", last_value);
        rows[i] = (struct row){kinds[kind], slice_of(key_of(number, keys[i])),
                               removes ? SLICE_NONE : slice_of(values[i])};
    }
    core_set_rows(&core, rows, count);
}

static void
happen(void)
{
    if (rnd_once_in(&rnd, 8) && !tail_is_sealed(&core.rooms.tail)) {
        core_seal(&core);
    } else if (rnd_once_in(&rnd, 8) && tail_is_sealed(&core.rooms.tail)) {
        core_store(&core);
    } else {
        set_some();
    }
}

/* ---- what is seen ---- */

struct seen {
    enum row_kind kind;
    size_t count;
    char last[32];
    unsigned values[KEYS_MAX]; /* By number of the key. */
};

static enum acta_code
see(void *user, const struct row *row, struct acta_err *err)
{
    struct seen *seen = user;
    unsigned number;
    char key[32];

    (void)err;
    ck_assert_int_eq(row->kind, seen->kind);
    ck_assert_uint_lt(row->key.size, sizeof(seen->last));
    ck_assert_int_gt(slice_compare(row->key, slice_of(seen->last)), 0);
    memcpy(seen->last, row->key.data, row->key.size);
    seen->last[row->key.size] = '\0';
    number = 2 * (unsigned)atoi(seen->last + 4) + (row->key.size > 7);
    ck_assert_str_eq(seen->last, key_of(number, key));
    snprintf(key, sizeof(key), "%.*s", (int)row->value.size,
             (const char *)row->value.data);
    seen->values[number] = (unsigned)atoi(key);
    seen->count++;
    return ACTA_OK;
}

/* List in pages of random size; the keys of numbers @first to @end - 1 must be
 * seen, those that have rows.
 */
static void
assert_lists(size_t kind, const char *prefix, const char *after, size_t first,
             size_t end)
{
    struct seen seen = {.kind = kinds[kind]};
    bool at_end = false;

    snprintf(seen.last, sizeof(seen.last), "%s", after);
    while (!at_end) {
        size_t before = seen.count, most = 1 + rnd_below(&rnd, KEYS_MAX);
        struct acta_err err;
        char last[32];

        strcpy(last, seen.last);
        ck_assert_msg(reader_list_rows(reader, kinds[kind], slice_of(prefix),
                                       slice_of(last), most, see, &seen,
                                       &at_end, &err) == ACTA_OK,
                      "%s", err.text);
        ck_assert_uint_le(seen.count - before, most);
        ck_assert(at_end || seen.count > before);
    }
    for (size_t i = 0; i < KEYS_MAX; i++) {
        ck_assert_uint_eq(seen.values[i],
                          i >= first && i < end ? model[kind][i] : 0);
    }
}

static void
assert_seen(void)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        size_t number = rnd_below(&rnd, KEYS_MAX);
        struct seen seen = {.kind = kinds[kind]};
        char key[32];

        assert_lists(kind, "", "", 0, KEYS_MAX);
        assert_lists(kind, "", key_of((unsigned)number, key), number + 1,
                     KEYS_MAX);
        assert_lists(kind, "key-02", "", 40, 60);
        assert_lists(kind, "key-02", key_of((unsigned)number, key),
                     number + 1 > 40 ? number + 1 : 40, 60);
        assert_lists(kind, "key-020", "", 40, 42); /* Itself one of them. */
        assert_lists(kind, "kez", "", 0, 0);
        ck_assert_int_eq(rows_visit(&core.rooms, kinds[kind], see, &seen, NULL),
                         ACTA_OK);
        ck_assert_mem_eq(seen.values, model[kind], sizeof(model[kind]));
    }
}

static void
assert_got(size_t kind, unsigned number)
{
    char key[32], text[16];
    struct buf copy;
    bool found;

    buf_init(&copy, 100);
    ck_assert_int_eq(reader_get_row(reader, kinds[kind],
                                    slice_of(key_of(number, key)), &copy,
                                    &found, NULL),
                     ACTA_OK);
    ck_assert_int_eq(found, model[kind][number] != 0);
    snprintf(text, sizeof(text), "%u", model[kind][number]);
    ck_assert(
        slice_equal(buf_slice(&copy), found ? slice_of(text) : SLICE_NONE));
    buf_fini(&copy);
}

START_TEST(rows_are_listed_once_in_order_as_they_were_set_last)
{
    unsigned rounds = rnd_effort(80, 3000);

    rnd_init(&rnd);
    for (unsigned i = 0; i < rounds; i++) {
        happen();
        assert_seen();
        for (size_t kind = 0; kind < KINDS; kind++) {
            assert_got(kind, (unsigned)rnd_below(&rnd, KEYS_MAX));
        }
    }
}
END_TEST

START_TEST(a_row_without_a_key_is_visited)
{
    struct seen seen = {.kind = ROW_COUNTER};
    char number[32];

    core_set_row(&core, ROW_COUNTER, "", slice_of("17"));
    for (int i = 0; i < 2; i++) {
        struct buf copy;
        bool found;

        buf_init(&copy, 100);
        ck_assert_int_eq(reader_get_row(reader, ROW_COUNTER, SLICE_NONE, &copy,
                                        &found, NULL),
                         ACTA_OK);
        ck_assert(found);
        ck_assert(slice_equal(buf_slice(&copy), slice_of("17")));
        buf_fini(&copy);
        core_checkpoint(&core);
    }
    core_set_row(&core, ROW_LEASE, key_of(0, number), slice_of("1"));
    seen.kind = ROW_LEASE;
    ck_assert_int_eq(rows_visit(&core.rooms, ROW_LEASE, see, &seen, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(seen.count, 1);
}
END_TEST

static enum acta_code
refuse(void *user, const struct row *row, struct acta_err *err)
{
    size_t *left = user;

    (void)row;
    if (*left == 0) {
        return acta_fail(err, ACTA_FULL, "enough");
    }
    --*left;
    return ACTA_OK;
}

START_TEST(a_visit_ends_when_the_visitor_says_so)
{
    char key[32];
    size_t left = 2;
    bool at_end;

    for (unsigned i = 0; i < 5; i++) {
        core_set_row(&core, ROW_LEASE, key_of(i, key), slice_of("1"));
    }
    ck_assert_int_eq(rows_visit(&core.rooms, ROW_LEASE, refuse, &left, NULL),
                     ACTA_FULL);
    left = 2;
    ck_assert_int_eq(reader_list_rows(reader, ROW_LEASE, SLICE_NONE, SLICE_NONE,
                                      10, refuse, &left, &at_end, NULL),
                     ACTA_FULL);
    ck_assert(!at_end);
}
END_TEST

/* A page is of bounded size, whatever is asked for: of rows, and of bytes. */
START_TEST(a_page_of_rows_is_bounded)
{
    static uint8_t data[ACTA_PAGE_SIZE_MAX / 4];
    struct row rows[8];
    char keys[8][32];
    size_t left = 100;
    bool at_end;

    for (unsigned i = 0; i < 8; i++) {
        rows[i] = (struct row){ROW_LEASE, slice_of(key_of(i, keys[i])),
                               slice_make(data, sizeof(data))};
    }
    core_set_rows(&core, rows, 8);
    ck_assert_int_eq(reader_list_rows(reader, ROW_LEASE, SLICE_NONE, SLICE_NONE,
                                      8, refuse, &left, &at_end, NULL),
                     ACTA_OK);
    ck_assert(!at_end);
    ck_assert_uint_ge(100 - left, 1);
    ck_assert_uint_le(100 - left, 4);
}
END_TEST

/* ---- damage, and no memory ---- */

/* Row 3 of 6 in the store is damaged: the others are listed, it never is. */
START_TEST(a_damaged_row_is_named_and_never_served)
{
    struct seen seen = {.kind = ROW_LEASE};
    char key[32], value[8];
    struct acta_err err;
    struct buf copy;
    bool at_end, found;

    buf_init(&copy, 100);
    for (unsigned i = 0; i < 6; i++) {
        snprintf(value, sizeof(value), "%u", i + 1);
        core_set_row(&core, ROW_LEASE, key_of(i, key), slice_of(value));
    }
    core_checkpoint(&core);
    ck_assert_uint_ge(core_damage(&core, slice_of("\x09key-001-b"), 4), 1);

    ck_assert_int_eq(reader_list_rows(reader, ROW_LEASE, SLICE_NONE, SLICE_NONE,
                                      10, see, &seen, &at_end, &err),
                     ACTA_OK);
    ck_assert(!at_end);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_int_eq(reader_list_rows(reader, ROW_LEASE, SLICE_NONE,
                                      slice_of("key-001"), 10, see, &seen,
                                      &at_end, &err),
                     ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "key-001-b"));
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_int_eq(reader_get_row(reader, ROW_LEASE, slice_of("key-001-b"),
                                    &copy, &found, &err),
                     ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "leases"));
    ck_assert(!found);
    ck_assert_uint_eq(buf_size(&copy), 0);
    ck_assert_int_eq(reader_list_rows(reader, ROW_LEASE, SLICE_NONE,
                                      slice_of("key-001-b"), 10, see, &seen,
                                      &at_end, &err),
                     ACTA_OK);
    ck_assert_uint_eq(seen.count, 5);
    seen = (struct seen){.kind = ROW_LEASE};
    ck_assert_int_eq(rows_visit(&core.rooms, ROW_LEASE, see, &seen, &err),
                     ACTA_CORRUPT);
    buf_fini(&copy);
}
END_TEST

/* Every byte of what is stored counts: checksum, size and value. */
START_TEST(a_damaged_snapshot_is_found_wherever_the_damage_is)
{
    struct buf copy;
    bool found;

    buf_init(&copy, 100);
    core_set_row(&core, ROW_SNAPSHOT, "a-1", slice_of("state"));
    core_checkpoint(&core);
    ck_assert_int_eq(reader_get_row(reader, ROW_SNAPSHOT, slice_of("a-1"),
                                    &copy, &found, NULL),
                     ACTA_OK);
    ck_assert(slice_equal(buf_slice(&copy), slice_of("state")));
    buf_clear(&copy);
    /* Before it stand its checksum and its size. */
    ck_assert_uint_ge(
        core_damage(&core, slice_make((const uint8_t *)"\5\0\0\0state", 9),
                    _i - 9 - 4),
        1);
    ck_assert_int_eq(reader_get_row(reader, ROW_SNAPSHOT, slice_of("a-1"),
                                    &copy, &found, NULL),
                     ACTA_CORRUPT);
    ck_assert_uint_eq(buf_size(&copy), 0);
    buf_fini(&copy);
}
END_TEST

START_TEST(a_row_that_there_is_no_room_for_is_not_got_in_part)
{
    struct buf copy;
    bool found;

    buf_init(&copy, 3);
    core_set_row(&core, ROW_LEASE, "key-000", slice_of("value"));
    ck_assert_int_eq(reader_get_row(reader, ROW_LEASE, slice_of("key-000"),
                                    &copy, &found, NULL),
                     ACTA_MEMORY);
    ck_assert(!found);
    buf_fini(&copy);
}
END_TEST

/* ---- while others write ---- */

#define TOGETHER 40 /* Rows that are always set in one commit. */

static atomic_bool is_done;

/* All rows of a view have the value of one commit, and each is there. */
struct one_commit {
    size_t count;
    char value[16];
};

static enum acta_code
see_together(void *user, const struct row *row, struct acta_err *err)
{
    struct one_commit *seen = user;

    (void)err;
    if (seen->count++ == 0) {
        snprintf(seen->value, sizeof(seen->value), "%.*s", (int)row->value.size,
                 (const char *)row->value.data);
    }
    ck_assert(slice_equal(row->value, slice_of(seen->value)));
    return ACTA_OK;
}

static void *
list_all_the_time(void *user)
{
    struct reader *own = user;
    size_t calls = 0;
    bool at_end;

    do {
        struct one_commit seen = {.count = 0};
        struct acta_err err;

        ck_assert_msg(reader_list_rows(own, ROW_CONSUMER, SLICE_NONE,
                                       SLICE_NONE, 1000, see_together, &seen,
                                       &at_end, &err) == ACTA_OK,
                      "%s", err.text);
        ck_assert(at_end);
        ck_assert(seen.count == 0 || seen.count == TOGETHER);
        calls++;
    } while (!atomic_load(&is_done) || calls < 10);
    return NULL;
}

/* Other rows come and go in between, of this kind and of others, so that the
 * order of keys grows while it is walked. Every seventh commit there is none of
 * those that are set together.
 */
START_TEST(a_listing_sees_one_commit_while_others_write)
{
    unsigned commits = rnd_effort(3000, 50000);
    struct row rows[TOGETHER + 1];
    char keys[TOGETHER + 1][32], value[16];
    pthread_t thread;

    atomic_store(&is_done, false);
    ck_assert_int_eq(pthread_create(&thread, NULL, list_all_the_time, reader),
                     0);
    for (unsigned i = 1; i <= commits; i++) {
        snprintf(value, sizeof(value), "%u", i);
        for (unsigned k = 0; k < TOGETHER; k++) {
            rows[k] = (struct row){ROW_CONSUMER, slice_of(key_of(k, keys[k])),
                                   i % 7 == 0 ? SLICE_NONE : slice_of(value)};
        }
        snprintf(keys[TOGETHER], 32, "other-%u", i);
        rows[TOGETHER] = (struct row){i % 2 == 0 ? ROW_LEASE : ROW_CONSUMER,
                                      slice_of(keys[TOGETHER]), SLICE_NONE};
        core_set_rows(&core, rows, TOGETHER + 1);
        if (i % 300 == 0) {
            core_seal(&core);
        } else if (i % 300 == 150 && tail_is_sealed(&core.rooms.tail)) {
            core_store(&core);
        }
    }
    atomic_store(&is_done, true);
    pthread_join(thread, NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("reader_rows");
    TCase *tcase = tcase_create("reader_rows");
    TCase *damage = tcase_create("damage");
    TCase *threads = tcase_create("threads");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, rows_are_listed_once_in_order_as_they_were_set_last);
    tcase_add_test(tcase, a_row_without_a_key_is_visited);
    tcase_add_test(tcase, a_visit_ends_when_the_visitor_says_so);
    tcase_add_test(tcase, a_page_of_rows_is_bounded);

    suite_add_tcase(suite, damage);
    tcase_add_checked_fixture(damage, setup, teardown);
    tcase_add_test(damage, a_damaged_row_is_named_and_never_served);
    tcase_add_loop_test(
        damage, a_damaged_snapshot_is_found_wherever_the_damage_is, 0, 13);
    tcase_add_test(damage, a_row_that_there_is_no_room_for_is_not_got_in_part);

    suite_add_tcase(suite, threads);
    tcase_add_checked_fixture(threads, setup, teardown);
    tcase_add_test(threads, a_listing_sees_one_commit_while_others_write);
    return run_suite(suite);
}
