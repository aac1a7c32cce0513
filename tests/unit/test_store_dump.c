/* A store is dumped, and made anew of what came out; and what is no dump makes
 * no store.
 */

#include "store_dump.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "core.h"
#include "run.h"

#define LARGE       (1 << 20)
#define LARGE_COUNT 20 /* More than a load has in one transaction. */

static struct core core;
static struct tempdir dir;
static struct store_load *load;
static struct acta_err err;

static void
setup(void)
{
    tempdir_make(&dir);
    core_open(&core);
    ck_assert_int_eq(store_load_begin(&load, dir.path, CORE_MAP_SIZE, &err),
                     ACTA_OK);
}

static void
teardown(void)
{
    store_load_close(load);
    core_close(&core);
    tempdir_remove(&dir);
}

/* ---- items ---- */

static void
dump(struct store *store, struct buf *out)
{
    struct store_dump *from;
    struct store_meta meta;
    bool at_end = false;

    buf_init(out, SIZE_MAX);
    ck_assert_int_eq(store_dump_open(&from, store, &meta, &err), ACTA_OK);
    while (!at_end) {
        ck_assert_int_eq(store_dump_read(from, 1000, out, &at_end, &err),
                         ACTA_OK);
    }
    store_dump_close(from);
    ck_assert(!buf_failed(out));
}

static struct store_item
take(struct buf *bytes)
{
    struct store_item item;
    size_t wanted;
    size_t size = store_item_take(&item, buf_slice(bytes), &wanted);

    ck_assert_uint_gt(size, 0);
    buf_consume(bytes, size);
    return item;
}

static enum acta_code
put(enum store_table table, const char *key, size_t key_size,
    struct slice value)
{
    struct store_item item = {table, slice_make(key, key_size), value};

    return store_load_put(load, &item, &err);
}

/* The item of meta, the last one of a dump: it borrows from @bytes. */
static struct store_item
dump_meta(struct buf *bytes)
{
    struct store_item item;

    dump(core.rooms.store, bytes);
    do {
        item = take(bytes);
    } while (item.table != STORE_META);
    ck_assert_uint_eq(buf_size(bytes), 0);
    return item;
}

static enum acta_code
end(void)
{
    struct uuid id = draft_id(77);
    struct store_meta meta;

    return store_load_end(load, &id, &meta, &err);
}

/* ---- tests ---- */

START_TEST(what_is_made_of_a_dump_is_dumped_as_the_same)
{
    struct buf bytes, again;
    struct store *store;

    for (uint64_t i = 1; i <= 50; i++) {
        struct draft draft = {.id = i, .type = "Made", .tags = {"big"}};

        ck_assert_int_eq(core_append(&core, i % 2 == 0 ? "a-1" : "b-1",
                                     MSG_EXPECT_ANY, &draft, 1),
                         ACTA_OK);
    }
    core_checkpoint(&core);
    dump(core.rooms.store, &bytes);
    while (buf_size(&bytes) > 0) {
        struct store_item item = take(&bytes);

        ck_assert_int_eq(store_load_put(load, &item, &err), ACTA_OK);
    }
    ck_assert_int_eq(end(), ACTA_OK);
    store_load_close(load);
    load = NULL;

    ck_assert_int_eq(store_open(&store, dir.path, CORE_MAP_SIZE, &err),
                     ACTA_OK);
    buf_fini(&bytes);
    dump(core.rooms.store, &bytes);
    dump(store, &again);
    while (buf_size(&bytes) > 0) {
        struct store_item item = take(&bytes), other = take(&again);

        ck_assert_int_eq(item.table, other.table);
        ck_assert(slice_equal(item.key, other.key));
        /* Meta has the id of the database that it is now. */
        ck_assert(item.table == STORE_META ||
                  slice_equal(item.value, other.value));
    }
    ck_assert_uint_eq(buf_size(&again), 0);
    store_close(store);
    buf_fini(&bytes);
    buf_fini(&again);
}
END_TEST

START_TEST(a_load_may_be_larger_than_a_transaction)
{
    uint8_t *large = calloc(1, LARGE);
    struct store_item meta;
    struct store *store;
    struct buf bytes;
    unsigned count = 0;

    meta = dump_meta(&bytes);
    for (uint64_t i = 1; i <= LARGE_COUNT; i++) {
        char key[8];

        put_key_u64((uint8_t *)key, i);
        ck_assert_int_eq(
            put(STORE_LOG, key, sizeof(key), slice_make(large, LARGE)),
            ACTA_OK);
    }
    ck_assert_int_eq(store_load_put(load, &meta, &err), ACTA_OK);
    ck_assert_int_eq(end(), ACTA_OK);
    store_load_close(load);
    load = NULL;
    buf_fini(&bytes);

    ck_assert_int_eq(store_open(&store, dir.path, CORE_MAP_SIZE, &err),
                     ACTA_OK);
    dump(store, &bytes);
    while (take(&bytes).table == STORE_LOG) {
        count++;
    }
    ck_assert_uint_eq(count, LARGE_COUNT);
    store_close(store);
    buf_fini(&bytes);
    free(large);
}
END_TEST

START_TEST(items_come_table_by_table_in_the_order_of_their_keys)
{
    char long_key[600] = {1};
    struct slice value = slice_of("value");

    ck_assert_int_eq(put(STORE_LISTS, "b", 1, value), ACTA_OK);
    ck_assert_int_eq(put(STORE_LISTS, "b", 1, value), ACTA_CORRUPT);
    ck_assert_int_eq(put(STORE_LISTS, "a", 1, value), ACTA_CORRUPT);
    ck_assert_int_eq(put(STORE_LOG, "c", 1, value), ACTA_CORRUPT);
    ck_assert_int_eq(put(STORE_ROWS, "", 0, value), ACTA_CORRUPT);
    ck_assert_int_eq(put(STORE_ROWS, long_key, sizeof(long_key), value),
                     ACTA_CORRUPT);
    ck_assert_int_eq(put(STORE_META + 1, "d", 1, value), ACTA_CORRUPT);
    ck_assert_int_eq(put(STORE_LISTS, "c", 1, value), ACTA_OK);
}
END_TEST

START_TEST(without_meta_or_with_more_behind_it_it_is_no_store)
{
    struct store_item meta;
    struct buf bytes;

    meta = dump_meta(&bytes);
    ck_assert_int_eq(end(), ACTA_CORRUPT);
    ck_assert_int_eq(store_load_put(load, &meta, &err), ACTA_OK);
    ck_assert_int_eq(put(STORE_META, "x", 1, SLICE_NONE), ACTA_CORRUPT);
    ck_assert_int_eq(store_load_put(load, &meta, &err), ACTA_CORRUPT);
    buf_fini(&bytes);
}
END_TEST

START_TEST(meta_that_is_damaged_makes_no_store)
{
    struct store_item meta;
    uint8_t damaged[512];
    struct buf bytes;

    meta = dump_meta(&bytes);
    ck_assert_uint_le(meta.value.size, sizeof(damaged));
    memcpy(damaged, meta.value.data, meta.value.size);
    damaged[meta.value.size / 2] ^= 1;
    meta.value.data = damaged;
    ck_assert_int_eq(store_load_put(load, &meta, &err), ACTA_OK);
    ck_assert_int_eq(end(), ACTA_CORRUPT);
    buf_fini(&bytes);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("store_dump");
    TCase *tcase = tcase_create("store_dump");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_made_of_a_dump_is_dumped_as_the_same);
    tcase_add_test(tcase, a_load_may_be_larger_than_a_transaction);
    tcase_add_test(tcase, items_come_table_by_table_in_the_order_of_their_keys);
    tcase_add_test(tcase, without_meta_or_with_more_behind_it_it_is_no_store);
    tcase_add_test(tcase, meta_that_is_damaged_makes_no_store);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
