/* Each call of LMDB, and each allocation, that the store makes fails in turn:
 * what it was for is refused, for the reason there is, and what is stored is
 * then what it was before; the same once more is done.
 */

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "core.h"
#include "list.h"
#include "row.h"
#include "run.h"
#include "store.h"
#include "store_calls.h"

#define STREAM     "a-1"
#define FEW        7
#define CALLS_MAX  2000
#define LISTS      1000 /* Of a checkpoint that tells what one costs. */
#define TIMEOUT_S  600
#define SCRUB_SIZE (1u << 20)

static struct core core;
static struct tempdir copied; /* A copy of its store, that nobody has open. */
static struct tempdir empty;
static uint64_t ids_count;
static uint64_t next_edit; /* Events that are rewritten: each once. */

static void
append(size_t count)
{
    while (count-- > 0) {
        struct draft draft = {
            .id = ids_count,
            .type = ids_count % 2 == 0 ? "T" : "U",
            .tags = {"t:1"},
            .data = slice_of("some data"),
        };

        ck_assert_int_eq(core_append(&core, STREAM, MSG_EXPECT_ANY, &draft, 1),
                         ACTA_OK);
        ids_count++;
    }
}

/* A row. */
static void
change_settings(uint64_t max_count)
{
    struct msg_change change = {
        .stream = slice_of("b-1"),
        .expected = MSG_EXPECT_ANY,
        .kind = MSG_SET,
        .settings = {.max_count = max_count},
        .given = MSG_HAS_MAX_COUNT,
    };

    ck_assert_int_eq(core_change(&core, &change), ACTA_OK);
}

/* Chunks behind the heads, and rows. */
static void
setup(void)
{
    char command[900];

    ids_count = 1;
    next_edit = 1;
    core_open(&core);
    tempdir_make(&copied);
    tempdir_make(&empty);
    for (unsigned i = 0; i < 3; i++) {
        append(300);
        core_checkpoint(&core);
    }
    change_settings(2);
    core_checkpoint(&core);
    snprintf(command, sizeof(command), "cp %s/data.mdb %s", core.dir.path,
             copied.path);
    ck_assert_int_eq(system(command), 0);
}

static void
teardown(void)
{
    tempdir_remove(&empty);
    tempdir_remove(&copied);
    core_close(&core);
}

/* ---- what a store does ---- */

/* An assertion would allocate. */
static void
must(bool condition)
{
    if (!condition) {
        ck_abort();
    }
}

static enum acta_code
open_copy(struct acta_err *err)
{
    struct store *store;
    enum acta_code code = store_open(&store, copied.path, CORE_MAP_SIZE, err);

    store_close(store);
    return code;
}

static enum acta_code
open_still(struct acta_err *err)
{
    struct store *store;
    enum acta_code code =
        store_open_still(&store, copied.path, CORE_MAP_SIZE, err);

    store_close(store);
    return code;
}

static enum acta_code
create(struct acta_err *err)
{
    struct uuid id = draft_id(1);

    return store_create(empty.path, CORE_MAP_SIZE, &id, 0, err);
}

static enum acta_code
read_meta(struct acta_err *err)
{
    struct store_meta meta;

    return store_meta(core.rooms.store, &meta, err);
}

static enum acta_code
checkpoint(struct acta_err *err)
{
    struct memtable *sealed;
    enum acta_code code;
    uint64_t sequence;

    sealed = tail_sealed(&core.rooms.tail, &sequence);
    code =
        store_checkpoint(core.rooms.store, sealed, sequence, core.time_us, err);
    memtable_unref(sealed);
    return code;
}

static enum acta_code
set_rows(struct acta_err *err)
{
    struct row rows[] = {
        {ROW_SWEPT, slice_of("b-1"), slice_of("12345678")},
        {ROW_SWEPT, slice_of("b-2"), SLICE_NONE},
    };

    return store_set_rows(core.rooms.store, rows, 2, err);
}

static enum acta_code
rewrite(struct acta_err *err)
{
    struct store_edit edits[] = {{next_edit, STORE_ERASE},
                                 {next_edit + 450, STORE_STUB}};
    struct store_edited edited;

    return store_rewrite(core.rooms.store, edits, 2, SIZE_MAX, &edited, err);
}

/* The last event: its block becomes one with that before it. */
static enum acta_code
join(struct acta_err *err)
{
    struct store_edit edit = {ids_count - 1, STORE_ERASE};
    struct store_edited edited;

    return store_rewrite(core.rooms.store, &edit, 1, SIZE_MAX, &edited, err);
}

static enum acta_code
scrub(struct acta_err *err)
{
    struct store_scrub scrub;
    enum store_scrubbed scrubbed = STORE_SCRUBS_ON;
    enum acta_code code = store_scrub_begin(core.rooms.store, &scrub, err);

    while (code == ACTA_OK && scrubbed == STORE_SCRUBS_ON) {
        code =
            store_scrub(core.rooms.store, &scrub, SCRUB_SIZE, &scrubbed, err);
    }
    return code;
}

static enum acta_code
see_lists(struct store_view *view, struct acta_err *err)
{
    struct list_name name = {LIST_STREAM, slice_of(STREAM)};
    struct slice found_name;
    struct list_head head;
    struct postings chunk;
    enum acta_code code;
    bool found;

    code = store_view_head(view, &name, &head, &found, err);
    if (code == ACTA_OK) {
        must(found);
        code = store_view_chunk_of_ordinal(view, &head, 1, &chunk, err);
    }
    if (code == ACTA_OK) {
        code = store_view_next_chunk(view, LIST_STREAM, &head, &chunk, err);
    }
    if (code == ACTA_OK) {
        code = store_view_chunk_of_position(view, LIST_STREAM, &head, 100,
                                            &chunk, err);
    }
    if (code == ACTA_OK) {
        code = store_view_next_list(view, LIST_TYPE, SLICE_NONE, false,
                                    &found_name, &head, &found, err);
    }
    return code;
}

static enum acta_code
see_rows(struct store_view *view, struct acta_err *err)
{
    struct slice value;
    struct row row;
    enum acta_code code;
    bool found;

    code = store_view_row(view, ROW_RETENTION, slice_of("b-1"), &value, &found,
                          err);
    if (code == ACTA_OK) {
        must(found);
        code = store_view_next_row(view, ROW_RETENTION, SLICE_NONE, &row,
                                   &found, err);
    }
    return code;
}

static enum acta_code
see(struct store_view *view, struct acta_err *err)
{
    uint64_t last = store_view_meta(view)->position;
    uint64_t stream = 0, position;
    struct block_record record;
    struct uuid id = draft_id(1);
    enum acta_code code;

    code = store_view_record(view, 1, &record, err);
    if (code == ACTA_OK) {
        code = store_view_record(view, last, &record, err);
    }
    if (code == ACTA_OK) {
        code = store_view_next_id(view, id.bytes, &stream, &position, err);
    }
    if (code == ACTA_OK) {
        code = store_view_id(view, id.bytes, stream, &position, err);
    }
    if (code == ACTA_OK) {
        must(position == 1);
        code = see_lists(view, err);
    }
    return code == ACTA_OK ? see_rows(view, err) : code;
}

/* Twice, as the second time goes another way. */
static enum acta_code
look(struct acta_err *err)
{
    struct store_view *view;
    enum acta_code code = store_view_open(&view, core.rooms.store, err);

    for (unsigned i = 0; code == ACTA_OK && i < 2; i++) {
        code = store_view_begin(view, err);
        if (code == ACTA_OK) {
            code = see(view, err);
            store_view_end(view);
        }
    }
    store_view_close(view);
    return code;
}

/* ---- failing ---- */

struct deed {
    const char *name;
    enum acta_code (*act)(struct acta_err *err);
    bool adds;        /* It moves what is sealed to the store. */
    bool joins;       /* It wants two small blocks at the end. */
    bool skips;       /* It leaves what is damaged as it is. */
    size_t calls_min; /* It makes so many calls, */
    size_t allocations_min;
};

static const struct deed deeds[] = {
    {"open", open_copy, false, false, false, 12, 1},
    {"open still", open_still, false, false, false, 8, 1},
    {"create", create, false, false, false, 10, 0},
    {"meta", read_meta, false, false, false, 2, 0},
    {"checkpoint", checkpoint, true, false, false, 25, 2},
    {"rows", set_rows, false, false, false, 3, 0},
    {"rewrite", rewrite, false, false, true, 10, 2},
    {"join", join, false, true, true, 9, 2},
    {"scrub", scrub, false, false, false, 5, 2},
    {"look", look, false, false, false, 20, 1},
};

/* What the store has, in the words of its own reader. */
static uint64_t
stored_position(void)
{
    struct store_view *view;
    struct acta_err err;
    uint64_t position;

    ck_assert_msg(look(&err) == ACTA_OK, "%s", err.text);
    ck_assert_int_eq(store_view_open(&view, core.rooms.store, &err), ACTA_OK);
    ck_assert_int_eq(store_view_begin(view, &err), ACTA_OK);
    position = store_view_meta(view)->position;
    for (uint64_t p = 1; p <= position; p++) {
        struct block_record record;

        if (store_view_record(view, p, &record, &err) != ACTA_OK) {
            ck_abort_msg("position %ju: %s", (uintmax_t)p, err.text);
        }
    }
    store_view_end(view);
    store_view_close(view);
    return position;
}

static void
prepare(const struct deed *deed)
{
    tempdir_remove(&empty);
    tempdir_make(&empty);
    next_edit++;
    for (unsigned i = 0; deed->joins && i < 2; i++) {
        append(1);
        core_checkpoint(&core);
    }
    if (deed->adds) {
        append(FEW);
        change_settings(next_edit);
        core_seal(&core);
    }
}

/* It has failed, or not: the store is whole either way, and it can be done. */
static void
end_well(const struct deed *deed, bool is_done, uint64_t before)
{
    struct acta_err err;

    ck_assert_uint_eq(stored_position(),
                      before + (deed->adds && is_done ? FEW : 0));
    if (!is_done) {
        tempdir_remove(&empty);
        tempdir_make(&empty);
        ck_assert_msg(deed->act(&err) == ACTA_OK, "%s again: %s", deed->name,
                      err.text);
    }
    if (deed->adds) {
        tail_drop_sealed(&core.rooms.tail);
        ck_assert_uint_eq(stored_position(), before + FEW);
    }
}

/* Let every call of @deed return @rc in turn. */
static void
fail_calls(const struct deed *deed, int rc, enum acta_code wanted)
{
    const char *failed = "";
    size_t nth;

    for (nth = 0; failed != NULL; nth++) {
        struct acta_err err = {.code = ACTA_OK};
        enum acta_code code;
        uint64_t before;

        ck_assert_uint_lt(nth, CALLS_MAX);
        prepare(deed);
        before = stored_position();
        store_calls_fail(nth, rc);
        code = deed->act(&err);
        failed = store_calls_succeed();
        ck_assert_msg(
            code == (failed == NULL ? ACTA_OK : wanted) ||
                (code == ACTA_OK && wanted == ACTA_CORRUPT && deed->skips),
            "%s, call %zu, %s: %s (%s)", deed->name, nth,
            failed == NULL ? "all well" : failed, acta_code_name(code),
            err.text);
        end_well(deed, code == ACTA_OK, before);
    }
    ck_assert_msg(nth > deed->calls_min, "%s: only %zu calls", deed->name, nth);
}

START_TEST(a_call_that_fails_is_told_and_leaves_the_store_whole)
{
    static const struct {
        int rc;
        enum acta_code code;
    } failures[] = {
        {EIO, ACTA_IO},
        {ENOMEM, ACTA_MEMORY},
        {MDB_MAP_FULL, ACTA_FULL},
        {MDB_CORRUPTED, ACTA_CORRUPT},
        {MDB_VERSION_MISMATCH, ACTA_UNSUPPORTED},
    };
    const struct deed *deed = &deeds[_i];
    size_t count = sizeof(failures) / sizeof(failures[0]);

    for (size_t i = 0; i < count; i++) {
        fail_calls(deed, failures[i].rc, failures[i].code);
    }
}
END_TEST

START_TEST(an_allocation_that_fails_is_told_and_leaves_the_store_whole)
{
    const struct deed *deed = &deeds[_i];
    int failed = 1;
    size_t nth;

    for (nth = 0; failed > 0; nth++) {
        struct acta_err err = {.code = ACTA_OK};
        enum acta_code code;
        uint64_t before;

        ck_assert_uint_lt(nth, CALLS_MAX);
        prepare(deed);
        before = stored_position();
        alloc_reset();
        alloc_fail_after = (int)nth;
        code = deed->act(&err);
        failed = alloc_failed;
        alloc_reset();
        ck_assert_msg(code == (failed > 0 ? ACTA_MEMORY : ACTA_OK),
                      "%s, allocation %zu: %s (%s)", deed->name, nth,
                      acta_code_name(code), err.text);
        end_well(deed, code == ACTA_OK, before);
    }
    ck_assert_msg(nth > deed->allocations_min, "%s: only %zu allocations",
                  deed->name, nth);
}
END_TEST

/* Who asks for the size can do without it. */
START_TEST(a_size_that_cannot_be_told_is_none)
{
    ck_assert_uint_gt(store_size(core.rooms.store), 0);
    for (size_t nth = 0; nth < 2; nth++) {
        uint64_t size;

        store_calls_fail(nth, EIO);
        size = store_size(core.rooms.store);
        ck_assert_ptr_nonnull(store_calls_succeed());
        ck_assert_uint_eq(size, 0);
    }
}
END_TEST

/* Who asks what a list costs goes on with what was known. */
START_TEST(what_cannot_be_learned_is_as_before)
{
    const char *failed = "";

    for (unsigned i = 0; i < LISTS; i++) {
        struct draft draft = {.id = ids_count++};
        char stream[32];

        snprintf(stream, sizeof(stream), "learned-%u", i);
        ck_assert_int_eq(core_append(&core, stream, MSG_EXPECT_ANY, &draft, 1),
                         ACTA_OK);
    }
    core_checkpoint(&core);
    for (size_t nth = 0; failed != NULL; nth++) {
        ck_assert_uint_eq(store_changes(core.rooms.store, 1000), 1000);
        store_calls_fail(nth, EIO);
        store_learn(core.rooms.store);
        failed = store_calls_succeed();
    }
    ck_assert_uint_lt(store_changes(core.rooms.store, 1000), 1000);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("store_failing");
    TCase *tcase = tcase_create("store_failing");
    int count = (int)(sizeof(deeds) / sizeof(deeds[0]));

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(
        tcase, a_call_that_fails_is_told_and_leaves_the_store_whole, 0, count);
    tcase_add_loop_test(
        tcase, an_allocation_that_fails_is_told_and_leaves_the_store_whole, 0,
        count);
    tcase_add_test(tcase, a_size_that_cannot_be_told_is_none);
    tcase_add_test(tcase, what_cannot_be_learned_is_as_before);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
