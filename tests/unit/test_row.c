/* Rows and what they lie in: an entry's piece of bytes, a memtable's table, the
 * marks of streams that have some.
 */

#include "row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "arena.h"
#include "bytes.h"
#include "checksum.h"
#include "erasure.h"
#include "marks.h"
#include "rnd.h"
#include "rowtable.h"
#include "run.h"

/* ---- an entry's rows ---- */

static struct buf bytes;

static void
setup_bytes(void)
{
    buf_init(&bytes, 1 << 20);
}

static void
teardown_bytes(void)
{
    buf_fini(&bytes);
}

static void
add(enum row_kind kind, const char *key, const char *value)
{
    rows_add(&bytes, &(struct row){kind, slice_of(key), slice_of(value)});
}

static void
assert_next(struct slice *rows, enum row_kind kind, const char *key,
            const char *value)
{
    struct row row;

    ck_assert(rows_next(rows, &row));
    ck_assert_int_eq(row.kind, kind);
    ck_assert(slice_equal(row.key, slice_of(key)));
    ck_assert(slice_equal(row.value, slice_of(value)));
}

static enum acta_code
open_copy(const uint8_t *from, size_t size)
{
    /* Of its own size, so that a sanitizer sees a read behind its end. */
    uint8_t *copy = malloc(size + (size == 0));
    struct slice rows;
    enum acta_code code;

    memcpy(copy, from, size);
    code = rows_open(&rows, slice_make(copy, size), NULL);
    free(copy);
    return code;
}

START_TEST(rows_come_out_as_they_went_in)
{
    struct slice rows;
    struct row row;

    add(ROW_RETENTION, "order-1", "settings");
    add(ROW_COMMAND, "0123456789abcdef", "");
    add(ROW_RETENTION, "order-1", "others");
    rows_end(&bytes);
    ck_assert_int_eq(rows_open(&rows, buf_slice(&bytes), NULL), ACTA_OK);
    assert_next(&rows, ROW_RETENTION, "order-1", "settings");
    assert_next(&rows, ROW_COMMAND, "0123456789abcdef", "");
    assert_next(&rows, ROW_RETENTION, "order-1", "others");
    ck_assert(!rows_next(&rows, &row));
}
END_TEST

START_TEST(no_rows_are_no_bytes)
{
    struct slice rows;
    struct row row;

    rows_end(&bytes);
    ck_assert_uint_eq(buf_size(&bytes), 0);
    ck_assert_int_eq(rows_open(&rows, buf_slice(&bytes), NULL), ACTA_OK);
    ck_assert(!rows_next(&rows, &row));
}
END_TEST

START_TEST(what_a_row_takes_is_what_is_reserved_for_it)
{
    struct row row = {ROW_RETENTION, slice_of("order-1"), slice_of("settings")};

    rows_add(&bytes, &row);
    ck_assert_uint_eq(buf_size(&bytes), ROWS_HEADER_SIZE + row_size(&row));
    rows_add(&bytes, &row);
    ck_assert_uint_eq(buf_size(&bytes), ROWS_HEADER_SIZE + 2 * row_size(&row));
}
END_TEST

START_TEST(any_damaged_byte_of_rows_is_found)
{
    uint8_t copy[256];
    size_t size;

    add(ROW_RETENTION, "order-1", "settings");
    add(ROW_COMMAND, "0123456789abcdef", "runs");
    rows_end(&bytes);
    size = buf_size(&bytes);
    ck_assert_uint_le(size, sizeof(copy));
    for (size_t i = 0; i < size; i++) {
        memcpy(copy, buf_slice(&bytes).data, size);
        ck_assert_int_eq(open_copy(copy, size), ACTA_OK);
        copy[i] ^= 0x10;
        ck_assert_int_eq(open_copy(copy, size), ACTA_CORRUPT);
        if (i > 0) {
            ck_assert_int_eq(open_copy(buf_slice(&bytes).data, i),
                             ACTA_CORRUPT);
        }
    }
}
END_TEST

/* The checksum is right, and what it is of makes no sense. */
START_TEST(rows_that_are_not_what_they_claim_are_refused)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } lies[] = {
        {4, 0},  /* No row, but bytes. */
        {4, 1},  /* One row less than there are. */
        {4, 3},  /* One more. */
        {9, 8},  /* The first key reaches into its value, all is shifted. */
        {11, 0}, /* The first value is empty, and its bytes are a row. */
        {14, 1}, /* 16 MiB of value. */
    };
    uint8_t copy[256];
    size_t size;

    add(ROW_RETENTION, "order-1", "settings");
    add(ROW_RETENTION, "order-2", "others");
    rows_end(&bytes);
    size = buf_size(&bytes);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        memcpy(copy, buf_slice(&bytes).data, size);
        ck_assert_uint_ne(copy[lies[i].at], lies[i].byte);
        copy[lies[i].at] = lies[i].byte;
        put_u32(copy, checksum_of(copy + 4, size - 4));
        ck_assert_msg(open_copy(copy, size) == ACTA_CORRUPT, "lie %zu", i);
    }
}
END_TEST

START_TEST(rows_without_memory_fail_as_a_whole)
{
    alloc_reset();
    alloc_fail_after = 0;
    add(ROW_RETENTION, "order-1", "settings");
    rows_end(&bytes);
    alloc_reset();
    ck_assert(buf_failed(&bytes));
}
END_TEST

START_TEST(a_row_knows_the_stream_that_it_is_about)
{
    uint8_t key[ERASURE_KEY_SIZE_MAX];
    struct row row = {.kind = ROW_RETENTION, .key = slice_of("order-1")};

    ck_assert(slice_equal(row_stream(&row), slice_of("order-1")));
    row.kind = ROW_COMMAND;
    ck_assert_uint_eq(row_stream(&row).size, 0);
    row.kind = ROW_ERASURE;
    row.key = erasure_key(key, slice_of("order-1"), 7);
    ck_assert(slice_equal(row_stream(&row), slice_of("order-1")));
    row.key.size = 7; /* Damaged: no version behind it. */
    ck_assert_uint_eq(row_stream(&row).size, 0);
}
END_TEST

/* ---- a memtable's rows ---- */

static struct rowtable table;

static void
setup_table(void)
{
    table = (struct rowtable){0};
}

static void
teardown_table(void)
{
    rowtable_fini(&table);
}

static void
set(enum row_kind kind, const char *key, const char *value, uint64_t sequence)
{
    ck_assert(rowtable_set(
        &table, &(struct row){kind, slice_of(key), slice_of(value)}, sequence));
}

static void
assert_value(enum row_kind kind, const char *key, uint64_t sequence,
             const char *value)
{
    struct slice found;

    ck_assert(rowtable_find(&table, kind, slice_of(key), sequence, &found));
    ck_assert(slice_equal(found, slice_of(value)));
}

static bool
has(enum row_kind kind, const char *key, uint64_t sequence)
{
    struct slice found;

    return rowtable_find(&table, kind, slice_of(key), sequence, &found);
}

START_TEST(a_row_has_the_value_of_the_commit_that_is_looked_at)
{
    set(ROW_RETENTION, "a", "one", 5);
    set(ROW_RETENTION, "a", "two", 7);
    set(ROW_RETENTION, "a", "", 9);
    set(ROW_RETENTION, "a", "three", 9); /* Twice in one entry. */
    ck_assert(!has(ROW_RETENTION, "a", 4));
    assert_value(ROW_RETENTION, "a", 5, "one");
    assert_value(ROW_RETENTION, "a", 6, "one");
    assert_value(ROW_RETENTION, "a", 7, "two");
    assert_value(ROW_RETENTION, "a", 8, "two");
    assert_value(ROW_RETENTION, "a", 9, "three");
    assert_value(ROW_RETENTION, "a", UINT64_MAX, "three");
    ck_assert_uint_eq(table.count, 1);
}
END_TEST

START_TEST(a_row_that_was_removed_is_said_to_be_empty)
{
    set(ROW_RETENTION, "a", "one", 5);
    set(ROW_RETENTION, "a", "", 6);
    assert_value(ROW_RETENTION, "a", 6, "");
    assert_value(ROW_RETENTION, "a", 5, "one");
    set(ROW_RETENTION, "b", "", 6); /* It may be in the store. */
    assert_value(ROW_RETENTION, "b", 6, "");
}
END_TEST

START_TEST(rows_of_different_kinds_and_keys_are_different_rows)
{
    set(ROW_RETENTION, "a", "one", 1);
    set(ROW_COMMAND, "a", "two", 1);
    set(ROW_RETENTION, "ab", "three", 1);
    assert_value(ROW_RETENTION, "a", 1, "one");
    assert_value(ROW_COMMAND, "a", 1, "two");
    assert_value(ROW_RETENTION, "ab", 1, "three");
    ck_assert(!has(ROW_ERASURE, "a", 1));
    ck_assert(!has(ROW_RETENTION, "", 1));
    ck_assert_uint_eq(table.count, 3);
}
END_TEST

START_TEST(values_stay_where_they_are_while_many_are_added)
{
    unsigned many = rnd_effort(5000, 5000);
    struct slice first, found;
    const uint8_t *at;
    char key[32];

    set(ROW_COMMAND, "first", "value", 1);
    ck_assert(rowtable_find(&table, ROW_COMMAND, slice_of("first"), 1, &first));
    at = first.data;
    for (unsigned i = 0; i < many; i++) {
        snprintf(key, sizeof(key), "key-%u", i);
        set(ROW_COMMAND, key, key, 2);
    }
    for (unsigned i = 0; i < many; i++) {
        snprintf(key, sizeof(key), "key-%u", i);
        assert_value(ROW_COMMAND, key, 2, key);
    }
    ck_assert(rowtable_find(&table, ROW_COMMAND, slice_of("first"), 9, &found));
    ck_assert_ptr_eq(found.data, at);
    ck_assert(slice_equal(first, slice_of("value")));
    ck_assert_uint_eq(table.count, many + 1);
}
END_TEST

/* A value that needs a chunk of the arena for itself: every other time there is
 * none.
 */
START_TEST(without_memory_a_row_keeps_the_value_it_had)
{
    size_t big_size = ((size_t)2 << 20) + 1;
    uint8_t *big = calloc(1, big_size);
    char key[32];

    for (int i = 0; i < 24; i++) {
        struct row row = {.kind = ROW_COMMAND,
                          .value = slice_make(big, big_size)};
        bool is_set;

        snprintf(key, sizeof(key), "key-%d", i);
        set(ROW_RETENTION, key, "before", 1);
        row.key = slice_of(key);
        alloc_reset();
        alloc_fail_after = i % 2 ? -1 : 0;
        is_set = rowtable_set(&table, &row, 2);
        alloc_reset();
        ck_assert_int_eq(is_set, i % 2);
        ck_assert_int_eq(has(ROW_COMMAND, key, 2), is_set);
        set(ROW_COMMAND, key, "after", 3);
        assert_value(ROW_COMMAND, key, 3, "after");
        assert_value(ROW_RETENTION, key, 3, "before");
    }
    free(big);
    ck_assert_uint_eq(table.count, 2 * 24);
}
END_TEST

#define KEYS 3000

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Keys are drawn from few letters, so that many begin alike. */
static void
draw_key(struct rnd *rnd, char key[static 16])
{
    size_t size = 1 + rnd_below(rnd, 14);

    for (size_t i = 0; i < size; i++) {
        key[i] = (char)('a' + rnd_below(rnd, 3));
    }
    key[size] = '\0';
}

/* The rows that are there must be @keys, sorted, from any place on. */
static void
assert_in_order(enum row_kind kind, char keys[][16], size_t count)
{
    const struct row_slot *slot;

    slot = rowtable_behind(&table, kind, SLICE_NONE, true);
    for (size_t i = 0; i < count; i++) {
        struct slice key = slice_of(keys[i]);

        ck_assert_ptr_nonnull(slot);
        ck_assert(slice_equal(slot->key, key));
        ck_assert_ptr_eq(rowtable_behind(&table, kind, key, true), slot);
        ck_assert_ptr_eq(rowtable_behind(&table, kind, key, false),
                         rowtable_next(slot));
        slot = rowtable_next(slot);
    }
    ck_assert_ptr_null(slot);
}

START_TEST(rows_of_a_kind_are_in_the_order_of_their_keys)
{
    static char keys[KEYS][16];
    size_t count = 0;
    struct rnd rnd;

    rnd_init(&rnd);
    while (count < KEYS) {
        draw_key(&rnd, keys[count]);
        if (!has(ROW_LEASE, keys[count], 1)) {
            set(ROW_LEASE, keys[count], "value", 1);
            set(ROW_CONSUMER, "consumer", "value", 1); /* Of another kind. */
            count++;
        }
    }
    qsort(keys, count, sizeof(keys[0]), compare_keys);
    assert_in_order(ROW_LEASE, keys, count);
    for (int i = 0; i < 100; i++) {
        const struct row_slot *slot;
        char key[16];

        draw_key(&rnd, key);
        slot = rowtable_behind(&table, ROW_LEASE, slice_of(key), true);
        for (size_t k = 0; k < count; k++) {
            ck_assert_int_eq(strcmp(keys[k], key) >= 0,
                             slot != NULL && slice_compare(slice_of(keys[k]),
                                                           slot->key) >= 0);
        }
    }
    ck_assert_ptr_null(rowtable_behind(&table, ROW_PARKED, SLICE_NONE, true));
}
END_TEST

/* Nobody lists commands; and of other kinds a newer program may know. */
START_TEST(commands_have_no_order)
{
    set(ROW_COMMAND, "a", "value", 1);
    set((enum row_kind)ROW_KINDS_END, "a", "value", 1);
    set((enum row_kind)255, "a", "value", 1);
    ck_assert_ptr_null(rowtable_behind(&table, ROW_COMMAND, SLICE_NONE, true));
    ck_assert_ptr_null(
        rowtable_behind(&table, (enum row_kind)255, SLICE_NONE, true));
    assert_value(ROW_COMMAND, "a", 1, "value");
    assert_value((enum row_kind)255, "a", 1, "value");
}
END_TEST

/* Every other row finds no memory for its key, and is on no level then. */
START_TEST(without_memory_a_row_is_not_in_the_order)
{
    size_t big_size = ((size_t)2 << 20) + 1;
    char *big = calloc(1, big_size), kept[12][16];
    size_t count = 0;

    for (int i = 0; i < 24; i++) {
        bool is_set;

        struct row row = {.kind = ROW_LEASE,
                          .value = slice_make((uint8_t *)big, big_size)};
        char key[16];

        snprintf(key, sizeof(key), "key-%02d", i);
        row.key = slice_of(key);
        alloc_reset();
        alloc_fail_after = i % 2 ? -1 : 0;
        is_set = rowtable_set(&table, &row, 1);
        alloc_reset();
        ck_assert_int_eq(is_set, i % 2);
        if (is_set) {
            memcpy(kept[count++], key, sizeof(key));
        }
        assert_in_order(ROW_LEASE, kept, count);
    }
    free(big);
}
END_TEST

/* ---- the memory under it ---- */

START_TEST(pieces_of_an_arena_are_aligned_and_do_not_overlap)
{
    static const size_t sizes[] = {1, 0, 7, 8, 4095, 9, 1 << 20, 3, 4096, 40};
    struct arena arena = {0};
    uint8_t *pieces[10];

    for (size_t i = 0; i < 10; i++) {
        pieces[i] = arena_take(&arena, sizes[i]);
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq((uintptr_t)pieces[i] % 8, 0);
        memset(pieces[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < 10; i++) {
        size_t same = 0;

        while (same < sizes[i] && pieces[i][same] == i + 1) {
            same++;
        }
        ck_assert_uint_eq(same, sizes[i]);
    }
    arena_free(&arena);
    ck_assert_ptr_null(arena.chunks);
}
END_TEST

START_TEST(an_arena_goes_on_after_there_was_no_memory)
{
    struct arena arena = {0};
    struct slice copy;
    bool copied;

    alloc_reset();
    alloc_fail_after = 0;
    copied = arena_copy(&arena, slice_of("text"), &copy);
    alloc_reset();
    ck_assert(!copied);
    ck_assert(arena_copy(&arena, slice_of("text"), &copy));
    ck_assert(slice_equal(copy, slice_of("text")));
    ck_assert(arena_copy(&arena, SLICE_NONE, &copy));
    ck_assert_uint_eq(copy.size, 0);
    arena_free(&arena);
}
END_TEST

/* ---- marks ---- */

static struct slice
stream_name(char name[static 32], int number)
{
    snprintf(name, 32, "order-%d", number);
    return slice_of(name);
}

START_TEST(a_stream_that_was_marked_is_never_missed)
{
    struct marks marks = {.tables = NULL};
    int many = (int)rnd_effort(5000, 5000);
    char name[32];
    int others = 0;

    ck_assert(marks_none(&marks));
    ck_assert(!marks_has(&marks, slice_of("order-0")));
    for (int i = 0; i < many; i++) {
        ck_assert(marks_add(&marks, stream_name(name, i)));
        ck_assert(marks_add(&marks, stream_name(name, i / 2))); /* Again. */
        ck_assert(marks_has(&marks, slice_of("order-0")));
        ck_assert(marks_has(&marks, stream_name(name, i)));
    }
    for (int i = 0; i < many; i++) {
        ck_assert(marks_has(&marks, stream_name(name, i)));
        others += marks_has(&marks, stream_name(name, many + i));
    }
    ck_assert_int_eq(others, 0); /* Hashes of 64 bits do not meet so soon. */
    ck_assert(!marks_none(&marks));
    marks_fini(&marks);
    ck_assert(marks_none(&marks));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("row");
    TCase *entry = tcase_create("entry");
    TCase *rowtable = tcase_create("table");
    TCase *memory = tcase_create("memory");

    suite_add_tcase(suite, entry);
    tcase_add_checked_fixture(entry, setup_bytes, teardown_bytes);
    tcase_add_test(entry, rows_come_out_as_they_went_in);
    tcase_add_test(entry, no_rows_are_no_bytes);
    tcase_add_test(entry, what_a_row_takes_is_what_is_reserved_for_it);
    tcase_add_test(entry, any_damaged_byte_of_rows_is_found);
    tcase_add_test(entry, rows_that_are_not_what_they_claim_are_refused);
    tcase_add_test(entry, rows_without_memory_fail_as_a_whole);
    tcase_add_test(entry, a_row_knows_the_stream_that_it_is_about);

    suite_add_tcase(suite, rowtable);
    tcase_add_checked_fixture(rowtable, setup_table, teardown_table);
    tcase_add_test(rowtable,
                   a_row_has_the_value_of_the_commit_that_is_looked_at);
    tcase_add_test(rowtable, a_row_that_was_removed_is_said_to_be_empty);
    tcase_add_test(rowtable,
                   rows_of_different_kinds_and_keys_are_different_rows);
    tcase_add_test(rowtable, values_stay_where_they_are_while_many_are_added);
    tcase_add_test(rowtable, without_memory_a_row_keeps_the_value_it_had);
    tcase_add_test(rowtable, rows_of_a_kind_are_in_the_order_of_their_keys);
    tcase_add_test(rowtable, commands_have_no_order);
    tcase_add_test(rowtable, without_memory_a_row_is_not_in_the_order);

    suite_add_tcase(suite, memory);
    tcase_add_test(memory, pieces_of_an_arena_are_aligned_and_do_not_overlap);
    tcase_add_test(memory, an_arena_goes_on_after_there_was_no_memory);
    tcase_add_test(memory, a_stream_that_was_marked_is_never_missed);
    return run_suite(suite);
}
