/* A store is dumped, and made anew of what came out; and what is no dump makes
 * no store.
 */

#include "store_dump.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bytes.h"
#include "core.h"
#include "run.h"
#include "store_calls.h"

#define LARGE       (1 << 20)
#define CALLS_MAX   2000
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

static enum acta_code
try_dump(struct store *store, struct buf *out)
{
    struct store_dump *from;
    struct store_meta meta;
    bool at_end = false;
    enum acta_code code;

    buf_init(out, SIZE_MAX);
    code = store_dump_open(&from, store, &meta, &err);
    while (code == ACTA_OK && !at_end) {
        code = store_dump_read(from, 1000, out, &at_end, &err);
    }
    store_dump_close(from);
    return code;
}

static void
dump(struct store *store, struct buf *out)
{
    ck_assert_int_eq(try_dump(store, out), ACTA_OK);
    ck_assert(!buf_failed(out));
}

static struct store_item
take(struct buf *bytes)
{
    struct store_item item;
    size_t wanted;
    size_t size = store_item_take(&item, buf_slice(bytes), &wanted);

    ck_assert_uint_gt(size, 0);
    ck_assert_uint_eq(buf_slice(bytes).data[1], 0);
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

/* ---- what is missing ---- */

#define CHECKPOINTS 3
#define EVENTS      300 /* Of each: postings are behind the head. */

/* Load all of @bytes but its item @without. False if there is none of that
 * number, or nobody would miss it: an id, a row, a list.
 */
static bool
load_without(const struct buf *bytes, size_t without)
{
    struct slice left = buf_slice(bytes);
    struct store_item item;
    bool is_missed = false;
    size_t wanted, size;

    for (size_t i = 0; (size = store_item_take(&item, left, &wanted)) > 0;
         i++) {
        if (i != without) {
            ck_assert_int_eq(store_load_put(load, &item, &err), ACTA_OK);
        } else {
            is_missed = item.table == STORE_LOG || item.table == STORE_POSTINGS;
        }
        left = slice_make(left.data + size, left.size - size);
    }
    ck_assert_int_eq(end(), ACTA_OK);
    return is_missed;
}

static enum acta_code
see_records(struct store_view *view, uint64_t last)
{
    enum acta_code code = ACTA_OK, again = ACTA_OK;
    struct block_record record;
    size_t found;

    for (uint64_t p = 1; code == ACTA_OK && p <= last; p++) {
        code = store_view_record(view, p, &record, &err);
    }
    for (uint64_t p = 1; again == ACTA_OK && p <= last; p += 7) {
        again = store_view_records(view, &p, 1, &record, &found, &err);
        ck_assert_uint_eq(found, again == ACTA_OK);
    }
    ck_assert_int_eq(again, code);
    return code;
}

/* Each chunk of a list, one after the other. */
static enum acta_code
see_chunks(struct store_view *view, enum list_kind kind, const char *text)
{
    struct list_name name = {kind, slice_of(text)};
    enum acta_code code;
    struct list_head head;
    struct postings chunk;
    uint64_t after = 0;
    bool found;

    code = store_view_head(view, &name, &head, &found, &err);
    ck_assert_int_eq(code, ACTA_OK);
    ck_assert(found);
    while (code == ACTA_OK && after + 1 < head.newest.first_ordinal) {
        code = kind == LIST_STREAM && after > 0
                   ? store_view_chunk_of_ordinal(view, &head, after + 1, &chunk,
                                                 &err)
               : after > 0
                   ? store_view_next_chunk(view, kind, &head, &chunk, &err)
                   : store_view_chunk_of_position(view, kind, &head, 1, &chunk,
                                                  &err);
        if (code == ACTA_OK && chunk.first_ordinal != after + 1) {
            code = ACTA_CORRUPT; /* Its caller finds out. */
        }
        after = chunk.first_ordinal + chunk.count - 1;
    }
    return code;
}

static enum acta_code
see_all(struct store *store)
{
    static const char *const names[] = {
        [LIST_STREAM] = "a-1",
        [LIST_CATEGORY] = "a",
        [LIST_TYPE] = "Made",
        [LIST_TAG] = "big",
    };
    struct store_view *view;
    enum acta_code code;

    ck_assert_int_eq(store_view_open(&view, store, &err), ACTA_OK);
    ck_assert_int_eq(store_view_begin(view, &err), ACTA_OK);
    code = see_records(view, store_view_meta(view)->position);
    for (enum list_kind kind = LIST_STREAM; code == ACTA_OK && kind <= LIST_TAG;
         kind++) {
        code = see_chunks(view, kind, names[kind]);
    }
    store_view_end(view);
    store_view_close(view);
    return code;
}

START_TEST(what_is_missing_is_told_and_nothing_else_served_for_it)
{
    struct slice left;
    struct store_item item;
    size_t count = 0, missed = 0, wanted, size;
    struct buf bytes;

    for (uint64_t i = 1; i <= CHECKPOINTS * EVENTS; i++) {
        struct draft draft = {.id = i, .type = "Made", .tags = {"big"}};

        ck_assert_int_eq(core_append(&core, "a-1", MSG_EXPECT_ANY, &draft, 1),
                         ACTA_OK);
        if (i % EVENTS == 0) {
            core_checkpoint(&core);
        }
    }
    dump(core.rooms.store, &bytes);
    left = buf_slice(&bytes);
    while ((size = store_item_take(&item, left, &wanted)) > 0 &&
           item.table != STORE_IDS) {
        struct store *store;
        bool is_missed;

        is_missed = load_without(&bytes, count++);
        store_load_close(load);
        ck_assert_int_eq(store_open(&store, dir.path, CORE_MAP_SIZE, &err),
                         ACTA_OK);
        if (item.table != STORE_LISTS) {
            ck_assert_int_eq(see_all(store),
                             is_missed ? ACTA_CORRUPT : ACTA_OK);
        }
        missed += is_missed;
        store_close(store);
        tempdir_remove(&dir);
        tempdir_make(&dir);
        ck_assert_int_eq(store_load_begin(&load, dir.path, CORE_MAP_SIZE, &err),
                         ACTA_OK);
        left = slice_make(left.data + size, left.size - size);
    }
    ck_assert_uint_ge(missed, 2 * CHECKPOINTS);
    buf_fini(&bytes);
}
END_TEST

/* ---- what fails ---- */

static enum acta_code
try_load(const struct buf *bytes, const char *path)
{
    struct slice left = buf_slice(bytes);
    struct uuid id = draft_id(77);
    struct store_item item;
    struct store_load *to;
    struct store_meta meta;
    enum acta_code code;
    size_t wanted, size;

    code = store_load_begin(&to, path, CORE_MAP_SIZE, &err);
    while (code == ACTA_OK &&
           (size = store_item_take(&item, left, &wanted)) > 0) {
        code = store_load_put(to, &item, &err);
        left = slice_make(left.data + size, left.size - size);
    }
    if (code == ACTA_OK) {
        code = store_load_end(to, &id, &meta, &err);
    }
    store_load_close(to);
    return code;
}

/* A dump of the core's store, or, with @bytes, a load of these to @path. */
static enum acta_code
dump_or_load(const struct buf *bytes, const char *path)
{
    enum acta_code code;
    struct buf out;

    if (bytes != NULL) {
        return try_load(bytes, path);
    }
    code = try_dump(core.rooms.store, &out);
    buf_fini(&out);
    return code;
}

/* Let each call of LMDB fail in turn with @rc, or each allocation if that is 0.
 * Returns how many there were.
 */
static size_t
fail_each(const struct buf *bytes, int rc, enum acta_code wanted)
{
    bool goes_on = true;
    size_t nth;

    for (nth = 0; goes_on; nth++) {
        struct tempdir own;
        enum acta_code code;
        int failed;

        ck_assert_uint_lt(nth, CALLS_MAX);
        tempdir_make(&own);
        alloc_reset();
        if (rc == 0) {
            alloc_fail_after = (int)nth;
        } else {
            store_calls_fail(nth, rc);
        }
        code = dump_or_load(bytes, own.path);
        failed = alloc_failed;
        alloc_reset();
        goes_on = store_calls_succeed() != NULL || failed > 0;
        ck_assert_msg(code == (goes_on ? wanted : ACTA_OK), "number %zu: %s",
                      nth, acta_code_name(code));
        tempdir_remove(&own);
    }
    return nth - 1;
}

START_TEST(a_call_or_an_allocation_that_fails_is_told)
{
    struct draft draft = {.id = 1, .type = "Made", .tags = {"big"}};
    struct buf bytes;

    ck_assert_int_eq(core_append(&core, "a-1", MSG_EXPECT_ANY, &draft, 1),
                     ACTA_OK);
    core_checkpoint(&core);
    dump(core.rooms.store, &bytes);
    ck_assert_uint_gt(fail_each(NULL, EIO, ACTA_IO), 12);
    ck_assert_uint_gt(fail_each(NULL, 0, ACTA_MEMORY), 2);
    ck_assert_uint_gt(fail_each(&bytes, EIO, ACTA_IO), 12);
    ck_assert_uint_gt(fail_each(&bytes, 0, ACTA_MEMORY), 0);
    buf_fini(&bytes);
}
END_TEST

/* Its checksums may be right, and it be another one. */
START_TEST(a_block_that_is_not_the_one_that_is_due_is_damaged)
{
    struct draft drafts[] = {{.id = 1}, {.id = 2}};
    uint64_t due = 1;
    struct store_item block, other;
    uint8_t key[9], *stream;
    struct buf bytes;

    ck_assert_int_eq(core_append(&core, "a-1", 0, drafts, 2), ACTA_OK);
    core_checkpoint(&core);
    dump(core.rooms.store, &bytes);
    block = take(&bytes);
    ck_assert_int_eq(block.table, STORE_LOG);
    ck_assert_int_eq(store_item_check(&block, &due, &err), ACTA_OK);
    ck_assert_uint_eq(due, 3);
    ck_assert_int_eq(store_item_check(&block, &due, &err), ACTA_CORRUPT);

    due = 1;
    memset(key, 0, sizeof(key));
    other = block;
    other.key = slice_make(key, 9);
    ck_assert_int_eq(store_item_check(&other, &due, &err), ACTA_CORRUPT);
    other.key.size = 8;
    key[7] = 2;
    ck_assert_int_eq(store_item_check(&other, &due, &err), ACTA_CORRUPT);
    other = block;
    other.value.size = 8;
    ck_assert_int_eq(store_item_check(&other, &due, &err), ACTA_CORRUPT);
    stream = memmem(block.value.data, block.value.size, "a-1", 3);
    ck_assert_ptr_nonnull(stream);
    *stream ^= 1; /* In the first of its records. */
    ck_assert_int_eq(store_item_check(&block, &due, &err), ACTA_CORRUPT);
    buf_fini(&bytes);
}
END_TEST

START_TEST(an_item_of_no_table_is_damaged)
{
    struct store_item item = {STORE_META + 1, slice_of("key"), SLICE_NONE};
    uint64_t due = 1;

    ck_assert_int_eq(store_item_check(&item, &due, &err), ACTA_CORRUPT);
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
    tcase_add_test(tcase,
                   what_is_missing_is_told_and_nothing_else_served_for_it);
    tcase_add_test(tcase, a_call_or_an_allocation_that_fails_is_told);
    tcase_add_test(tcase, a_block_that_is_not_the_one_that_is_due_is_damaged);
    tcase_add_test(tcase, an_item_of_no_table_is_damaged);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
