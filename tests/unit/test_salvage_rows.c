/* What a database remembers besides events is salvaged as it was last, also if
 * the store's newest state cannot be read, or is one that never counted: the
 * journal has what the state before lacks, or it is said that it has not.
 */

#include "salvage.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "pagefile.h"
#include "rot.h"
#include "run.h"
#include "store.h"

#define ROWS_SIZE 65536

/* ---- rows ---- */

struct rows {
    size_t count;
    size_t size;
    uint8_t bytes[ROWS_SIZE]; /* Of all of them: kinds, keys and values. */
};

static void
add_bytes(struct rows *rows, struct slice bytes)
{
    ck_assert_uint_le(bytes.size, ROWS_SIZE - rows->size);
    memcpy(rows->bytes + rows->size, bytes.data, bytes.size);
    rows->size += bytes.size;
}

static void
list_rows(struct store_view *view, enum row_kind kind, struct rows *rows)
{
    uint8_t key[ROW_KEY_SIZE_MAX], of_kind = (uint8_t)kind;
    struct slice after = SLICE_NONE;
    struct acta_err err;
    struct row row;
    bool found;

    for (;;) {
        ck_assert_int_eq(
            store_view_next_row(view, kind, after, &row, &found, &err),
            ACTA_OK);
        if (!found) {
            return;
        }
        add_bytes(rows, slice_make(&of_kind, 1));
        add_bytes(rows, row.key);
        add_bytes(rows, row.value);
        rows->count++;
        memcpy(key, row.key.data, row.key.size);
        after = slice_make(key, row.key.size);
    }
}

/* All that are in the store of @of, which is closed, but for those that no
 * entry of the journal sets.
 */
static void
read_rows(const struct base *of, struct rows *rows)
{
    struct store_view *view;
    struct store *store;
    struct acta_err err;
    char path[400];

    rows->count = rows->size = 0;
    snprintf(path, sizeof(path), "%s/store", of->path);
    ck_assert_msg(store_open_still(&store, path, of->options.store_map_size,
                                   &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_int_eq(store_view_open(&view, store, &err), ACTA_OK);
    ck_assert_int_eq(store_view_begin(view, &err), ACTA_OK);
    for (int kind = ROW_RETENTION; kind < ROW_COUNTER; kind++) {
        if (kind != ROW_SWEPT) {
            list_rows(view, (enum row_kind)kind, rows);
        }
    }
    store_view_end(view);
    store_view_close(view);
    store_close(store);
}

/* ---- a store before and after a checkpoint ---- */

static uint64_t
txn_of(const struct rot_file *store, uint64_t number)
{
    struct page_meta meta;

    ck_assert(page_meta_read(&meta, store->bytes + number * ROT_PAGE, number));
    return meta.txn;
}

static uint64_t
newest_txn(const struct rot_file *store)
{
    uint64_t txn = txn_of(store, 0);

    return txn > txn_of(store, 1) ? txn : txn_of(store, 1);
}

static void
tombstone(struct base *of, const char *stream)
{
    rot_decide_and_free(
        of, draft_change(&(struct msg_change){.stream = slice_of(stream),
                                              .kind = MSG_TOMBSTONE,
                                              .expected = MSG_EXPECT_ANY}));
}

static void
tombstone_two(struct base *of)
{
    tombstone(of, "t-1");
    tombstone(of, "t-2");
}

/* Let the store of rot_base be what it was when its checkpoint had written all
 * but the page that makes it count, or with that page damaged; in the journal
 * is what the checkpoint has taken over. @newest are the rows then.
 */
static void
make_store_between(bool is_killed, struct rows *newest)
{
    static const uint8_t zeros[ROT_PAGE];
    struct rot_file after;
    char path[400];

    rot_make(false);
    ck_assert_int_eq(base_killed(&rot_base, tombstone_two), 0);
    rot_load_files();
    rot_copy_files();
    base_open(&rot_copy);
    base_close(&rot_copy); /* With a checkpoint. */
    read_rows(&rot_copy, newest);
    snprintf(path, sizeof(path), "%s/store/data.mdb", rot_copy.path);
    rot_read_file(&after, path);
    ck_assert_uint_eq(newest_txn(&after), newest_txn(&rot_files[0]) + 1);
    memcpy(after.path, rot_files[0].path, sizeof(after.path));
    rot_write_file(&after, 0, after.bytes, after.size);
    if (is_killed) {
        rot_write_file(&after, 0, rot_files[0].bytes, PAGE_METAS * ROT_PAGE);
    } else {
        rot_write_file(&after, newest_txn(&after) % 2 * ROT_PAGE, zeros,
                       ROT_PAGE);
    }
    free(after.bytes);
}

/* ---- salvaging ---- */

static void
on_lost(void *user, const struct salvage_lost *lost)
{
    (void)user;
    (void)lost;
}

static void
on_note(void *user, const char *text)
{
    (void)user;
    (void)text;
}

static void
salvage_all(struct salvage_report *report)
{
    struct salvage_options options = {.from = rot_base.path,
                                      .to = rot_copy.path,
                                      .lost = on_lost,
                                      .note = on_note};
    struct acta_err err;

    ck_assert_int_eq(file_remove_tree(rot_copy.path, &err), ACTA_OK);
    ck_assert_msg(salvage(&options, report, &err) == ACTA_OK, "%s", err.text);
}

static void
are_equal(const struct rows *a, const struct rows *b)
{
    ck_assert_uint_gt(a->count, 8);
    ck_assert_uint_eq(a->count, b->count);
    ck_assert_uint_eq(a->size, b->size);
    ck_assert_mem_eq(a->bytes, b->bytes, a->size);
}

/* ---- tests ---- */

static struct rows before, after; /* Large. */

/* _i: damaged, or killed. */
START_TEST(what_the_store_lacks_is_taken_from_the_journal)
{
    struct salvage_report report;

    make_store_between(_i == 1, &before);
    salvage_all(&report);
    ck_assert_uint_eq(report.lost, 0);
    ck_assert_uint_eq(report.notes, 0);
    read_rows(&rot_copy, &after);
    are_equal(&before, &after);
    rot_free_files();
}
END_TEST

START_TEST(what_the_journal_lacks_as_well_is_noted)
{
    struct salvage_report report;

    make_store_between(false, &before);
    for (size_t i = 1; i < rot_files_count; i++) {
        ck_assert_int_eq(unlink(rot_files[i].path), 0);
    }
    salvage_all(&report);
    ck_assert_uint_eq(report.lost, 0);
    ck_assert_uint_gt(report.notes, 0);
    rot_free_files();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("salvage rows");
    TCase *tcase = tcase_create("salvage rows");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, rot_init, rot_fini);
    tcase_add_loop_test(tcase, what_the_store_lacks_is_taken_from_the_journal,
                        0, 2);
    tcase_add_test(tcase, what_the_journal_lacks_as_well_is_noted);
    return run_suite(suite);
}
