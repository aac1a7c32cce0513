#include "store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "diary.h"
#include "hex.h"
#include "row.h"
#include "run.h"
#include "store_lmdb.h"

#define LISTS_MANY 1000

static struct diary diary;
static struct core *core;
static struct store_view *view;

static void
open_view(void)
{
    ck_assert_int_eq(store_view_open(&view, core->rooms.store, NULL), ACTA_OK);
}

static void
setup(void)
{
    diary_open(&diary);
    core = &diary.core;
    open_view();
}

static void
teardown(void)
{
    store_view_close(view);
    diary_close(&diary);
}

static void
begin(void)
{
    struct acta_err err;

    ck_assert_msg(store_view_begin(view, &err) == ACTA_OK, "%s", err.text);
}

/* ---- the log ---- */

static void
assert_record(uint64_t position)
{
    struct event *expected = &diary.events[position];
    struct pack_reader reader;
    struct block_record record;
    struct event event;
    struct acta_err err;

    ck_assert_msg(store_view_record(view, position, &record, &err) == ACTA_OK,
                  "%s", err.text);
    pack_reader_init(&reader, slice_make(record.data, record.size), NULL);
    event_decode_record(&reader, &event);
    ck_assert(!reader.failed);
    ck_assert_uint_eq(event.position, position);
    ck_assert(slice_equal(event.stream, expected->stream));
    ck_assert(slice_equal(event.content, expected->content));
}

START_TEST(every_event_of_every_checkpoint_is_read_in_any_order)
{
    for (unsigned round = 0; round < rnd_effort(8, 60); round++) {
        diary_add(&diary, 1 + rnd_below(&diary.rnd, 700));
        diary_store(&diary);
        begin();
        ck_assert_uint_eq(store_view_meta(view)->position, diary.count);
        for (uint64_t p = 1; p <= diary.count; p++) {
            assert_record(p);
        }
        for (uint64_t p = diary.count; p > 0; p--) {
            assert_record(p);
        }
        for (int i = 0; i < 300; i++) {
            assert_record(1 + rnd_below(&diary.rnd, diary.count));
        }
        store_view_end(view);
    }
}
END_TEST

/* Read together, they are what they are one by one. */
static void
assert_records(const uint64_t *positions, size_t count)
{
    struct block_record records[STORE_RECORDS_MAX], record;
    struct acta_err err;
    size_t found;

    ck_assert_msg(store_view_records(view, positions, count, records, &found,
                                     &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(found, count);
    for (size_t i = 0; i < count; i++) {
        assert_record(positions[i]);
        ck_assert_int_eq(store_view_record(view, positions[i], &record, &err),
                         ACTA_OK);
        ck_assert_ptr_eq(records[i].data, record.data);
        ck_assert_uint_eq(records[i].size, record.size);
        ck_assert_uint_eq(records[i].checksum, record.checksum);
    }
}

START_TEST(events_that_lie_apart_are_read_together_at_every_checkpoint)
{
    uint64_t positions[STORE_RECORDS_MAX];

    for (unsigned round = 0; round < rnd_effort(8, 60); round++) {
        diary_add(&diary, 1 + rnd_below(&diary.rnd, 700));
        diary_store(&diary);
        begin();
        for (int turn = 0; turn < 200; turn++) {
            uint64_t apart = 1 + rnd_below(&diary.rnd, 1u << turn % 8);
            size_t count = 1 + rnd_below(&diary.rnd, STORE_RECORDS_MAX);
            uint64_t at = rnd_below(&diary.rnd, diary.count);
            bool backward = rnd_below(&diary.rnd, 2) == 0;

            for (size_t i = 0; i < count; i++) {
                positions[i] = 1 + at;
                at += backward ? diary.count * apart - apart : apart;
                at %= diary.count;
            }
            assert_records(positions, count);
        }
        store_view_end(view);
    }
}
END_TEST

START_TEST(events_up_to_the_largest_come_back_between_small_ones)
{
    static const size_t sizes[] = {0, 32000, 33000, 100000, ACTA_EVENT_SIZE_MAX,
                                   1};
    uint8_t *data = malloc(ACTA_EVENT_SIZE_MAX);

    rnd_bytes(&diary.rnd, data, ACTA_EVENT_SIZE_MAX);
    for (uint64_t i = 0; i < 6; i++) {
        struct draft draft = {.id = i + 1, .data = slice_make(data, sizes[i])};

        ck_assert_int_eq(core_append(core, "a-1", (int64_t)i, &draft, 1),
                         ACTA_OK);
    }
    core_checkpoint(core);
    begin();
    for (uint64_t i = 0; i < 6; i++) {
        struct pack_reader reader;
        struct block_record record;
        struct event event;

        ck_assert_int_eq(store_view_record(view, i + 1, &record, NULL),
                         ACTA_OK);
        pack_reader_init(&reader, slice_make(record.data, record.size), NULL);
        event_decode_record(&reader, &event);
        ck_assert(slice_equal(event.data, slice_make(data, sizes[i])));
    }
    store_view_end(view);
    free(data);
}
END_TEST

/* ---- heads, ids and meta ---- */

static void
assert_head(const struct list_name *name)
{
    uint64_t number = 0, last = 0;
    struct list_head head;
    bool found;

    for (uint64_t p = 1; p <= diary.stored; p++) {
        if (diary_is_in(&diary, p, name)) {
            number++;
            last = p;
        }
    }
    ck_assert_int_eq(store_view_head(view, name, &head, &found, NULL), ACTA_OK);
    ck_assert_int_eq(found, number > 0);
    if (found) {
        ck_assert_uint_eq(head.count, number);
        ck_assert_uint_eq(head.last_position, last);
        ck_assert_uint_le(head.first_time_us, head.last_time_us);
        ck_assert_uint_ge(head.first_time_us, CORE_TIME_US);
        ck_assert_int_eq(head.has_id_max, name->kind == LIST_STREAM);
    }
}

START_TEST(heads_count_what_is_in_their_lists)
{
    for (unsigned round = 0; round < rnd_effort(8, 60); round++) {
        diary_add(&diary, 1 + rnd_below(&diary.rnd, 400));
        diary_store(&diary);
        begin();
        for (int i = 0; i < 20; i++) {
            struct list_name name = diary_name(&diary);

            assert_head(&name);
        }
        store_view_end(view);
    }
}
END_TEST

START_TEST(numbers_of_lists_are_never_used_twice)
{
    struct list_head before, after;
    struct list_name name = {LIST_STREAM, slice_of("new-1")};
    struct draft draft = {.id = 1u << 30};
    struct store_meta meta;
    bool found;

    diary_add(&diary, 500);
    diary_store(&diary);
    ck_assert_int_eq(store_meta(core->rooms.store, &meta, NULL), ACTA_OK);
    ck_assert_int_eq(core_append(core, "new-1", 0, &draft, 1), ACTA_OK);
    core_checkpoint(core);
    begin();
    ck_assert_int_eq(store_view_head(view, &name, &before, &found, NULL),
                     ACTA_OK);
    ck_assert_uint_gt(before.number, meta.lists_count);
    store_view_end(view);
    draft.id++;
    ck_assert_int_eq(core_append(core, "new-1", 1, &draft, 1), ACTA_OK);
    core_checkpoint(core);
    begin();
    ck_assert_int_eq(store_view_head(view, &name, &after, &found, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(after.number, before.number);
    store_view_end(view);
}
END_TEST

START_TEST(ids_lead_to_the_event_of_each_stream_that_has_one)
{
    static const char *const streams[] = {"a-1", "a-2", "b-1"};
    struct draft draft = {.id = 7};
    struct uuid id = draft_id(7);
    uint64_t stream = 0, position;

    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(core_append(core, streams[i], 0, &draft, 1), ACTA_OK);
        core_checkpoint(core);
    }
    begin();
    for (uint64_t i = 1; i <= 3; i++) {
        uint64_t same;

        ck_assert_int_eq(
            store_view_next_id(view, id.bytes, &stream, &position, NULL),
            ACTA_OK);
        ck_assert_uint_eq(position, i);
        ck_assert_int_eq(store_view_id(view, id.bytes, stream, &same, NULL),
                         ACTA_OK);
        ck_assert_uint_eq(same, i);
    }
    ck_assert_int_eq(
        store_view_next_id(view, id.bytes, &stream, &position, NULL), ACTA_OK);
    ck_assert_uint_eq(position, 0);
    ck_assert_int_eq(store_view_id(view, id.bytes, stream + 1, &position, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(position, 0);
    store_view_end(view);
}
END_TEST

START_TEST(names_are_listed_in_the_order_of_their_bytes_and_by_kind)
{
    static const char *const names[] = {"a-1", "a-10", "a-2", "b-1"};
    struct draft draft = {.id = 1};
    struct slice name = SLICE_NONE;
    struct list_head head;
    bool found;

    for (size_t i = 4; i > 0; i--) {
        draft.id++;
        ck_assert_int_eq(core_append(core, names[i - 1], 0, &draft, 1),
                         ACTA_OK);
    }
    core_checkpoint(core);
    begin();
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(store_view_next_list(view, LIST_STREAM, name, false,
                                              &name, &head, &found, NULL),
                         ACTA_OK);
        ck_assert(found);
        ck_assert(slice_equal(name, slice_of(names[i])));
    }
    ck_assert_int_eq(store_view_next_list(view, LIST_STREAM, slice_of("b-1"),
                                          false, &name, &head, &found, NULL),
                     ACTA_OK);
    ck_assert(!found);
    ck_assert_int_eq(store_view_next_list(view, LIST_STREAM, slice_of("b-1"),
                                          true, &name, &head, &found, NULL),
                     ACTA_OK);
    ck_assert(found);
    store_view_end(view);
}
END_TEST

START_TEST(a_view_does_not_change_while_the_store_does)
{
    struct list_name name = {LIST_STREAM, slice_of("a-1")};
    struct draft draft = {.id = 1};
    struct list_head head;
    bool found;

    ck_assert_int_eq(core_append(core, "a-1", 0, &draft, 1), ACTA_OK);
    core_checkpoint(core);
    begin();
    draft.id = 2;
    ck_assert_int_eq(core_append(core, "a-1", 1, &draft, 1), ACTA_OK);
    core_checkpoint(core);
    ck_assert_uint_eq(store_view_meta(view)->position, 1);
    ck_assert_int_eq(store_view_head(view, &name, &head, &found, NULL),
                     ACTA_OK);
    ck_assert_uint_eq(head.count, 1);
    store_view_end(view);
    begin();
    ck_assert_uint_eq(store_view_meta(view)->position, 2);
    store_view_end(view);
}
END_TEST

START_TEST(meta_is_what_the_last_checkpoint_said)
{
    struct store_meta meta;

    diary_add(&diary, 100);
    diary_store(&diary);
    core->sequence = 12345;
    core->time_us = CORE_TIME_US + 77;
    core_checkpoint(core); /* Without events. */
    store_view_close(view);
    core_reopen(core);
    open_view();
    ck_assert_int_eq(store_meta(core->rooms.store, &meta, NULL), ACTA_OK);
    ck_assert_mem_eq(meta.id.bytes, draft_id(1).bytes, UUID_SIZE);
    ck_assert_uint_eq(meta.position, 100);
    ck_assert_uint_eq(meta.sequence, 12345);
    ck_assert_uint_eq(meta.last_time_us, CORE_TIME_US + 77);
}
END_TEST

START_TEST(size_is_that_of_the_file)
{
    struct stat seen;

    diary_add(&diary, 100);
    diary_store(&diary);
    ck_assert_int_eq(stat(tempdir_file(&core->dir, "data.mdb"), &seen), 0);
    ck_assert_int_eq((off_t)store_size(core->rooms.store), seen.st_size);
}
END_TEST

/* New streams, one behind the other, share the pages that they change. */
START_TEST(what_a_list_costs_is_learned_from_the_last_large_checkpoint)
{
    uint64_t few, many;

    ck_assert_uint_eq(store_changes(core->rooms.store, 1000), 1000);
    diary_add(&diary, 10);
    diary_store(&diary);
    store_learn(core->rooms.store); /* It was too small to tell. */
    ck_assert_uint_eq(store_changes(core->rooms.store, 1000), 1000);
    for (uint64_t i = 1; i <= LISTS_MANY; i++) {
        struct draft draft = {.id = 1000 + i};
        char stream[32];

        snprintf(stream, sizeof(stream), "learned-%ju", (uintmax_t)i);
        ck_assert_int_eq(core_append(core, stream, MSG_EXPECT_ANY, &draft, 1),
                         ACTA_OK);
    }
    core_checkpoint(core);
    store_learn(core->rooms.store);
    few = store_changes(core->rooms.store, 1000);
    many = store_changes(core->rooms.store, 1000000);
    ck_assert_uint_lt(few, 1000);
    ck_assert_uint_ge(many, 1000 * few);
}
END_TEST

/* ---- refusals ---- */

START_TEST(a_memtable_that_does_not_follow_is_refused_and_changes_nothing)
{
    struct memtable *gap = memtable_new(12, 10);
    struct store_meta meta;

    diary_add(&diary, 10);
    diary_store(&diary);
    ck_assert_int_eq(store_checkpoint(core->rooms.store, gap, 99, 99, NULL),
                     ACTA_CORRUPT);
    ck_assert_int_eq(store_meta(core->rooms.store, &meta, NULL), ACTA_OK);
    ck_assert_uint_ne(meta.sequence, 99);
    memtable_unref(gap);
}
END_TEST

START_TEST(a_store_that_outgrows_its_map_is_full_and_stays_whole)
{
    struct tempdir dir;
    struct uuid id = draft_id(1);
    struct memtable *memtable = memtable_new(1, 1000);
    uint8_t *data = calloc(1, 100000);
    struct store_meta meta;
    struct store *store;
    struct buf content;

    tempdir_make(&dir);
    buf_init(&content, 1 << 20);
    ck_assert_int_eq(store_create(dir.path, 1 << 20, &id, 0, NULL), ACTA_OK);
    ck_assert_int_eq(store_open(&store, dir.path, 1 << 20, NULL), ACTA_OK);
    for (uint64_t i = 1; i <= 20; i++) {
        struct draft draft = {.id = i, .data = slice_make(data, 100000)};
        struct event event;

        draft_event(&event, &content, "a-1", &draft);
        event.position = event.version = i;
        event.time_us = CORE_TIME_US;
        ck_assert(memtable_add(memtable,
                               memtable_add_stream(memtable, slice_of("a-1"), 0,
                                                   0, draft_id(0).bytes),
                               &event));
    }
    ck_assert_int_eq(store_checkpoint(store, memtable, 1, 1, NULL), ACTA_FULL);
    ck_assert_int_eq(store_meta(store, &meta, NULL), ACTA_OK);
    ck_assert_uint_eq(meta.position, 0);
    store_close(store);

    /* With more room the same memtable goes in. */
    ck_assert_int_eq(store_open(&store, dir.path, 8 << 20, NULL), ACTA_OK);
    ck_assert_int_eq(store_checkpoint(store, memtable, 1, 1, NULL), ACTA_OK);
    ck_assert_int_eq(store_meta(store, &meta, NULL), ACTA_OK);
    ck_assert_uint_eq(meta.position, 20);
    store_close(store);
    memtable_unref(memtable);
    buf_fini(&content);
    free(data);
    tempdir_remove(&dir);
}
END_TEST

START_TEST(what_is_no_store_is_refused)
{
    struct tempdir dir;
    struct store *store;
    struct acta_err err;
    FILE *file;

    tempdir_make(&dir);
    file = fopen(tempdir_file(&dir, "data.mdb"), "w");
    for (int i = 0; i < 20000; i++) {
        fputc('x', file);
    }
    fclose(file);
    ck_assert_int_eq(store_open(&store, dir.path, CORE_MAP_SIZE, &err),
                     ACTA_CORRUPT);
    ck_assert_ptr_null(store);
    tempdir_remove(&dir);
}
END_TEST

/* Take a table out of the store in @dir, past Acta. */
static void
drop_table(const char *dir, const char *name)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;

    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 1), 0);
    ck_assert_int_eq(mdb_env_open(env, dir, 0, 0600), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, name, 0, &table), 0);
    ck_assert_int_eq(mdb_drop(txn, table, 1), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

START_TEST(a_store_without_one_of_its_tables_is_refused)
{
    static const char *const tables[] = {"meta", "log", "rows"};
    struct uuid id = draft_id(1);
    struct tempdir dir;
    struct store *store;
    struct acta_err err;

    tempdir_make(&dir);
    ck_assert_int_eq(store_create(dir.path, CORE_MAP_SIZE, &id, 0, NULL),
                     ACTA_OK);
    drop_table(dir.path, tables[_i]);
    ck_assert_int_eq(store_open(&store, dir.path, CORE_MAP_SIZE, &err),
                     ACTA_CORRUPT);
    ck_assert_ptr_null(store);
    tempdir_remove(&dir);
}
END_TEST

/* ---- damage ---- */

/* Find the bytes in the store's file, of which there may be several copies, and
 * change one byte of each.
 */
static size_t
damage(const void *bytes, size_t size, size_t offset)
{
    const char *path = tempdir_file(&core->dir, "data.mdb");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat status;
    uint8_t *file, *at;
    size_t count = 0;

    ck_assert_int_ge(fd, 0);
    fstat(fd, &status);
    file = malloc((size_t)status.st_size);
    ck_assert_int_eq(pread(fd, file, (size_t)status.st_size, 0),
                     status.st_size);
    at = file;
    while ((at = memmem(at, (size_t)(status.st_size - (at - file)), bytes,
                        size)) != NULL) {
        at[offset] ^= 0x40;
        ck_assert_int_eq(
            pwrite(fd, at + offset, 1, (off_t)(at - file) + (off_t)offset), 1);
        at += size;
        count++;
    }
    free(file);
    close(fd);
    return count;
}

START_TEST(a_damaged_record_is_named_and_the_others_are_served)
{
    struct draft drafts[3] = {{.id = 1, .data = slice_of("first of all")},
                              {.id = 2, .data = slice_of("hurt by a bit")},
                              {.id = 3, .data = slice_of("last of all")}};
    const uint64_t positions[3] = {1, 2, 3};
    struct block_record record, records[3];
    struct acta_err err;
    size_t found;

    ck_assert_int_eq(core_append(core, "a-1", 0, drafts, 3), ACTA_OK);
    core_checkpoint(core);
    ck_assert_uint_ge(damage("hurt by a bit", 13, 5), 1);
    begin();
    ck_assert_int_eq(store_view_record(view, 1, &record, &err), ACTA_OK);
    ck_assert_int_eq(store_view_record(view, 2, &record, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "event at position 2"));
    ck_assert_int_eq(store_view_record(view, 3, &record, &err), ACTA_OK);
    ck_assert_int_eq(
        store_view_records(view, positions, 3, records, &found, &err),
        ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "event at position 2"));
    ck_assert_uint_eq(found, 1);
    ck_assert_int_eq(
        store_view_records(view, positions + 2, 1, records, &found, &err),
        ACTA_OK);
    store_view_end(view);
}
END_TEST

/* However often it is asked for: a block that was refused is not kept. The last
 * entry of the directory is damaged, all records are whole.
 */
START_TEST(nothing_of_a_block_whose_directory_is_damaged_is_served)
{
    struct draft drafts[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
    struct block_record record;
    uint8_t front[12];
    size_t found;

    put_u64(front, 1);
    put_u32(front + 8, 3);
    ck_assert_int_eq(core_append(core, "a-1", 0, drafts, 3), ACTA_OK);
    core_checkpoint(core);
    ck_assert_uint_ge(damage(front, sizeof(front), 16 + 2 * 8), 1);
    begin();
    ck_assert_int_eq(store_view_run(view, 1, 1, &record, &found, NULL),
                     ACTA_CORRUPT);
    ck_assert_uint_eq(found, 0);
    for (uint64_t i = 0; i < 6; i++) {
        ck_assert_int_eq(store_view_record(view, 1 + i % 3, &record, NULL),
                         ACTA_CORRUPT);
    }
    store_view_end(view);
}
END_TEST

START_TEST(a_damaged_head_and_a_damaged_id_are_found)
{
    struct list_name name = {LIST_STREAM, slice_of("stream-to-hurt")};
    struct draft draft = {.id = 0x1122334455667788};
    struct uuid id = draft_id(draft.id);
    uint8_t key[UUID_SIZE + 8] = {0};
    struct list_head head;
    uint64_t position;
    bool found;

    ck_assert_int_eq(core_append(core, "stream-to-hurt", 0, &draft, 1),
                     ACTA_OK);
    core_checkpoint(core);
    begin();
    ck_assert_int_eq(store_view_head(view, &name, &head, &found, NULL),
                     ACTA_OK);
    store_view_end(view);
    memcpy(key, id.bytes, UUID_SIZE);
    key[UUID_SIZE + 7] = (uint8_t)head.number;
    /* The value lies behind its key: ids' position, heads' flags. */
    ck_assert_uint_ge(damage("\1stream-to-hurt", 15, 15 + 4), 1);
    ck_assert_uint_ge(damage(key, sizeof(key), sizeof(key)), 1);
    begin();
    ck_assert_int_eq(store_view_head(view, &name, &head, &found, NULL),
                     ACTA_CORRUPT);
    ck_assert_int_eq(
        store_view_id(view, id.bytes, key[UUID_SIZE + 7], &position, NULL),
        ACTA_CORRUPT);
    store_view_end(view);
}
END_TEST

START_TEST(a_damaged_head_takes_no_more)
{
    struct list_name name = {LIST_TYPE, slice_of("type-to-hurt")};
    struct draft drafts[] = {{.id = 1, .type = "type-to-hurt"},
                             {.id = 2, .type = "type-to-hurt"}};
    uint8_t key[LIST_KEY_SIZE_MAX];
    struct slice in_store = store_list_key(key, &name);
    struct memtable *sealed;
    struct acta_err err;
    uint64_t sequence;

    ck_assert_int_eq(core_append(core, "a-1", 0, drafts, 1), ACTA_OK);
    core_checkpoint(core);
    ck_assert_uint_ge(damage(in_store.data, in_store.size, in_store.size + 4),
                      1);
    ck_assert_int_eq(core_append(core, "a-1", 1, drafts + 1, 1), ACTA_OK);
    core_seal(core);
    sealed = tail_sealed(&core->rooms.tail, &sequence);
    ck_assert_int_eq(store_checkpoint(core->rooms.store, sealed, sequence,
                                      core->time_us, &err),
                     ACTA_CORRUPT);
    memtable_unref(sealed);
}
END_TEST

START_TEST(a_damaged_meta_is_found_and_a_newer_one_told_apart)
{
    static const enum acta_code codes[] = {ACTA_UNSUPPORTED, ACTA_CORRUPT,
                                           ACTA_CORRUPT};
    static const size_t offsets[] = {7, 0, 40};
    struct store_meta meta;
    struct acta_err err;

    diary_add(&diary, 10);
    diary_store(&diary);
    ck_assert_uint_ge(damage("ACTASTO3", 8, offsets[_i]), 1);
    ck_assert_int_eq(store_meta(core->rooms.store, &meta, &err), codes[_i]);
}
END_TEST

/* What a checksum may be right for, and what has none. */
START_TEST(what_cannot_be_a_value_is_damaged)
{
    static const uint8_t bytes[META_SIZE + 1] = "ACTASTO3";
    static const uint8_t old[META_SIZE] = "ACTASTO0";
    static uint8_t key[ROW_STORE_KEY_MAX + 9] = {ROW_LEASE};
    struct slice value = slice_make(bytes, ID_VALUE_SIZE - 1);
    struct store_meta meta;
    uint64_t position;
    struct acta_err err;

    ck_assert_int_eq(store_read_id_value(slice_of("k"), value, &position, &err),
                     ACTA_CORRUPT);
    ck_assert_int_eq(store_read_row(SLICE_NONE, value, &value, &err),
                     ACTA_CORRUPT);
    ck_assert_int_eq(store_read_row(slice_make(key, sizeof(key)),
                                    slice_make(bytes, 20), &value, &err),
                     ACTA_CORRUPT);
    ck_assert_int_eq(store_decode_meta(slice_make(bytes, 8), &meta, &err),
                     ACTA_CORRUPT);
    ck_assert_int_eq(
        store_decode_meta(slice_make(bytes, META_SIZE + 1), &meta, &err),
        ACTA_CORRUPT);
    ck_assert_int_eq(store_decode_meta(slice_make(old, META_SIZE), &meta, &err),
                     ACTA_UNSUPPORTED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("store");
    TCase *kept = tcase_create("kept");
    TCase *refused = tcase_create("refused");

    suite_add_tcase(suite, kept);
    tcase_add_checked_fixture(kept, setup, teardown);
    tcase_add_test(kept, every_event_of_every_checkpoint_is_read_in_any_order);
    tcase_add_test(kept,
                   events_that_lie_apart_are_read_together_at_every_checkpoint);
    tcase_add_test(kept, events_up_to_the_largest_come_back_between_small_ones);
    tcase_add_test(kept, heads_count_what_is_in_their_lists);
    tcase_add_test(kept, numbers_of_lists_are_never_used_twice);
    tcase_add_test(kept, ids_lead_to_the_event_of_each_stream_that_has_one);
    tcase_add_test(kept,
                   names_are_listed_in_the_order_of_their_bytes_and_by_kind);
    tcase_add_test(kept, a_view_does_not_change_while_the_store_does);
    tcase_add_test(kept, meta_is_what_the_last_checkpoint_said);
    tcase_add_test(kept, size_is_that_of_the_file);
    tcase_add_test(kept,
                   what_a_list_costs_is_learned_from_the_last_large_checkpoint);

    suite_add_tcase(suite, refused);
    tcase_add_checked_fixture(refused, setup, teardown);
    tcase_add_test(
        refused,
        a_memtable_that_does_not_follow_is_refused_and_changes_nothing);
    tcase_add_test(refused,
                   a_store_that_outgrows_its_map_is_full_and_stays_whole);
    tcase_add_test(refused, what_is_no_store_is_refused);
    tcase_add_loop_test(refused, a_store_without_one_of_its_tables_is_refused,
                        0, 3);
    tcase_add_test(refused,
                   a_damaged_record_is_named_and_the_others_are_served);
    tcase_add_test(refused,
                   nothing_of_a_block_whose_directory_is_damaged_is_served);
    tcase_add_test(refused, a_damaged_head_and_a_damaged_id_are_found);
    tcase_add_loop_test(
        refused, a_damaged_meta_is_found_and_a_newer_one_told_apart, 0, 3);
    tcase_add_test(refused, what_cannot_be_a_value_is_damaged);
    tcase_add_test(refused, a_damaged_head_takes_no_more);
    return run_suite(suite);
}
