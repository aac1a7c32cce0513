/* The sweeper over a store without threads; and the store's two ways of making
 * less of what it has.
 */

#include "sweep.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core.h"
#include "event.h"
#include "file_calls.h"
#include "record.h"
#include "rnd.h"
#include "run.h"
#include "store_lmdb.h"
#include "sweep_work.h"

#define ANY         MSG_EXPECT_ANY
#define INTERVAL_MS 1000
#define STEPS_MAX   10000
#define EVENTS_MAX  2000
#define DATA_MAX    3000
#define SIZE_ALL    SIZE_MAX

static struct core core;
static struct mono_time now; /* As the sweeper is told. */
static uint64_t next_id;

static void
setup(void)
{
    core_open(&core);
    now = (struct mono_time){1000000};
    next_id = 0;
}

static void
teardown(void)
{
    core_close(&core);
}

static void
assert_ok(enum acta_code code, const struct acta_err *err)
{
    ck_assert_msg(code == ACTA_OK, "%s", err->text);
}

/* ---- the words in which the tests are written ---- */

/* Append an event whose data are @size bytes that say which one it is. */
static void
append(const char *stream, size_t size)
{
    static uint8_t data[DATA_MAX];
    struct draft draft = {.id = ++next_id, .type = "happened"};

    ck_assert_uint_le(size, sizeof(data));
    memset(data, '.', size);
    snprintf((char *)data, size, "needle-%06u", (unsigned)next_id);
    draft.data = slice_make(data, size);
    ck_assert_int_eq(core_append(&core, stream, ANY, &draft, 1), ACTA_OK);
}

static void
append_many(const char *stream, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        append(stream, size);
    }
}

static void
set(const char *stream, unsigned given, uint64_t value)
{
    struct msg_change change = {.stream = slice_of(stream),
                                .expected = ANY,
                                .kind = MSG_SET,
                                .given = given,
                                .settings = {value, value, value}};

    ck_assert_int_eq(core_change(&core, &change), ACTA_OK);
}

static void
erase(const char *stream, uint64_t version)
{
    struct msg_change wanted = {.stream = slice_of(stream),
                                .expected = ANY,
                                .kind = MSG_ERASE,
                                .version = version};

    ck_assert_int_eq(core_change(&core, &wanted), ACTA_OK);
}

static void
change(const char *stream, enum msg_change_kind kind)
{
    struct msg_change wanted = {
        .stream = slice_of(stream), .expected = ANY, .kind = kind};

    ck_assert_int_eq(core_change(&core, &wanted), ACTA_OK);
}

/* Let @sweeper do up to @steps, from the time on that a pass is due. Returns
 * how many it did until there was nothing more to do.
 */
static unsigned
sweep_some(struct sweeper *sweeper, unsigned steps)
{
    enum sweeper_next next = SWEEPER_GOES_ON;
    struct acta_err err;
    unsigned done = 0;

    sweeper_look(sweeper);
    assert_ok(sweeper_step(sweeper, now, &next, &err), &err);
    now.us += INTERVAL_MS * 1000;
    next = SWEEPER_GOES_ON;
    while (done < steps && next == SWEEPER_GOES_ON) {
        assert_ok(sweeper_step(sweeper, now, &next, &err), &err);
        done++;
        ck_assert_uint_lt(done, STEPS_MAX);
    }
    return done;
}

/* A pass of a sweeper that begins anew, as after a start; interrupted after
 * @steps.
 */
static unsigned
sweep_steps(unsigned steps, uint64_t *swept, uint64_t *damaged)
{
    struct sweeper *sweeper;
    struct acta_err err;
    unsigned done;

    assert_ok(sweeper_new(&sweeper, &core.rooms, INTERVAL_MS, &err), &err);
    done = sweep_some(sweeper, steps);
    *swept = sweeper_swept(sweeper);
    *damaged = sweeper_damaged(sweeper);
    sweeper_free(sweeper);
    return done;
}

static uint64_t
sweep(void)
{
    uint64_t swept, damaged;

    sweep_steps(STEPS_MAX, &swept, &damaged);
    ck_assert_uint_eq(damaged, 0);
    return swept;
}

/* ---- what is in the log ---- */

struct kept {
    size_t size; /* Of the record; 0: it could not be read. */
    uint8_t *bytes;
};

struct log {
    uint64_t count;
    struct kept records[EVENTS_MAX + 1]; /* By position. */
    size_t blocks;
    size_t size; /* Of all values. */
};

static void
log_free(struct log *log)
{
    for (uint64_t p = 1; p <= log->count; p++) {
        free(log->records[p].bytes);
    }
    free(log);
}

static struct kept
keep(struct slice record)
{
    struct kept kept = {record.size, malloc(record.size)};

    memcpy(kept.bytes, record.data, record.size);
    return kept;
}

/* All that the store has. Blocks follow one another and are never larger or
 * smaller than they may be.
 */
static struct log *
read_log(void)
{
    struct log *log = calloc(1, sizeof(*log));
    struct store_view *view;
    struct acta_err err;

    assert_ok(store_view_open(&view, core.rooms.store, &err), &err);
    assert_ok(store_view_begin(view, &err), &err);
    log->count = store_view_meta(view)->position;
    ck_assert_uint_le(log->count, EVENTS_MAX);
    for (uint64_t p = 1; p <= log->count; p++) {
        const struct block *block;
        struct block_record record;

        assert_ok(store_view_block(view, p, &block, &err), &err);
        if (p == block->first_position) {
            log->blocks++;
            log->size += block->size < LOG_BLOCK_SIZE_MIN ? LOG_BLOCK_SIZE_MIN
                                                          : block->size;
            ck_assert(block->size <= LOG_BLOCK_SIZE || block->count == 1);
        }
        if (store_view_record(view, p, &record, NULL) == ACTA_OK) {
            log->records[p] = keep(slice_make(record.data, record.size));
        }
    }
    store_view_end(view);
    store_view_close(view);
    return log;
}

static struct slice
record_of(const struct log *log, uint64_t position)
{
    return slice_make(log->records[position].bytes,
                      log->records[position].size);
}

static struct event
event_of(const struct log *log, uint64_t position)
{
    struct pack_reader reader;
    struct event event;

    pack_reader_init(&reader, record_of(log, position), NULL);
    event_decode_record(&reader, &event);
    ck_assert(!reader.failed);
    return event;
}

static void
assert_stub(const struct log *before, const struct log *after, uint64_t p)
{
    struct slice was = record_of(before, p), is = record_of(after, p);

    ck_assert(record_is_stub(is));
    ck_assert_uint_eq(record_position(is), p);
    ck_assert_uint_eq(record_version(is), record_version(was));
    ck_assert_uint_eq(record_time(is), record_time(was));
}

static void
assert_erased(const struct log *before, const struct log *after, uint64_t p)
{
    struct event was = event_of(before, p), is = event_of(after, p);

    ck_assert_int_eq(is.format, EVENT_ERASED);
    ck_assert_uint_eq(is.data.size + is.metadata.size, 0);
    ck_assert_uint_eq(is.position, p);
    ck_assert_uint_eq(is.version, was.version);
    ck_assert_uint_eq(is.time_us, was.time_us);
    ck_assert(slice_equal(is.stream, was.stream));
    ck_assert(slice_equal(is.type, was.type));
    ck_assert_mem_eq(is.id, was.id, UUID_SIZE);
}

static void
assert_same(const struct log *before, const struct log *after, uint64_t p)
{
    ck_assert_msg(slice_equal(record_of(before, p), record_of(after, p)),
                  "position %u has changed", (unsigned)p);
}

/* Of the events before @count, all but those from @first to @last, in steps of
 * @every, are what they were; these are stubs.
 */
static void
assert_stubs(const struct log *before, const struct log *after, uint64_t first,
             uint64_t last, uint64_t every)
{
    ck_assert_uint_eq(before->count, after->count);
    for (uint64_t p = 1; p <= after->count; p++) {
        if (p >= first && p <= last && (p - first) % every == 0) {
            assert_stub(before, after, p);
        } else {
            assert_same(before, after, p);
        }
    }
}

/* ---- the file ---- */

static uint8_t *
read_file(size_t *size)
{
    const char *path = tempdir_file(&core.dir, "data.mdb");
    struct stat status;
    uint8_t *bytes;
    FILE *file;

    ck_assert_int_eq(stat(path, &status), 0);
    *size = (size_t)status.st_size;
    bytes = malloc(*size);
    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

/* How often the data of event @number are in the store's file. */
static unsigned
count_needles(unsigned number)
{
    char needle[20];
    uint8_t *at, *bytes;
    unsigned count = 0;
    size_t size;

    snprintf(needle, sizeof(needle), "needle-%06u", number);
    bytes = read_file(&size);
    at = memmem(bytes, size, needle, strlen(needle));
    while (at != NULL) {
        count++;
        at = memmem(at + 1, size - (size_t)(at + 1 - bytes), needle,
                    strlen(needle));
    }
    free(bytes);
    return count;
}

/* Change a byte in the data of event @number, wherever it is in the file. */
static void
damage(unsigned number)
{
    char needle[20];
    uint8_t *at, *bytes;
    FILE *file;
    size_t size;

    snprintf(needle, sizeof(needle), "needle-%06u", number);
    bytes = read_file(&size);
    at = memmem(bytes, size, needle, strlen(needle));
    ck_assert_ptr_nonnull(at);
    file = fopen(tempdir_file(&core.dir, "data.mdb"), "rb+");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, (long)(at - bytes), SEEK_SET), 0);
    ck_assert_int_eq(fputc('N', file), 'N');
    fclose(file);
    free(bytes);
}

/* Flip a bit in what LMDB's pages say of the size of @stream's key, wherever
 * that is a key: no stream of this name has events.
 */
static void
damage_key_size(const char *stream)
{
    uint8_t node[40] = {0, 0, (uint8_t)(1 + strlen(stream)), 0, ROW_RETENTION};
    size_t node_size = 5 + strlen(stream), size;
    uint8_t *bytes = read_file(&size), *end = bytes + size, *at = bytes;
    FILE *file = fopen(tempdir_file(&core.dir, "data.mdb"), "rb+");
    unsigned count = 0;

    memcpy(node + 5, stream, strlen(stream));
    ck_assert_ptr_nonnull(file);
    while ((at = memmem(at, (size_t)(end - at), node, node_size)) != NULL) {
        ck_assert_int_eq(fseek(file, (long)(at + 3 - bytes), SEEK_SET), 0);
        ck_assert_int_eq(fputc(2, file), 2);
        at += node_size;
        count++;
    }
    fclose(file);
    free(bytes);
    ck_assert_uint_gt(count, 0);
}

/* ---- rewriting ---- */

/* Carry out @edits, in as many calls as it takes. */
static struct store_edited
rewrite(const struct store_edit *edits, size_t count, size_t size_max)
{
    struct store_edited all = {0}, one;
    struct acta_err err;

    while (all.done < count) {
        assert_ok(store_rewrite(core.rooms.store, edits + all.done,
                                count - all.done, size_max, &one, &err),
                  &err);
        ck_assert_uint_gt(one.done, 0);
        all.done += one.done;
        all.changed += one.changed;
        all.damaged += one.damaged;
    }
    return all;
}

/* Random edits of random blocks, in calls of random size, twice. */
START_TEST(rewriting_changes_what_it_is_told_to_and_nothing_else)
{
    struct store_edit edits[EVENTS_MAX];
    struct log *before, *after;
    struct store_edited edited;
    size_t count = 0, at = 0;
    struct rnd rnd;

    rnd_init(&rnd);
    for (unsigned i = 0; i < 800; i++) {
        append(rnd_once_in(&rnd, 3) ? "order-1" : "order-2",
               14 + rnd_below(&rnd, rnd_once_in(&rnd, 4) ? DATA_MAX - 14 : 60));
        if (rnd_once_in(&rnd, 50)) {
            core_checkpoint(&core);
        }
    }
    core_checkpoint(&core);
    before = read_log();
    for (uint64_t p = 1; p <= before->count; p++) {
        if (rnd_below(&rnd, 100) < 20 + 60 * (p / 100 % 2)) {
            edits[count++] = (struct store_edit){
                p, rnd_once_in(&rnd, 2) ? STORE_STUB : STORE_ERASE};
        }
    }
    edited = rewrite(edits, count, rnd_below(&rnd, 200000) + 1);
    ck_assert_uint_eq(edited.changed, count);
    ck_assert_uint_eq(edited.damaged, 0);
    after = read_log();
    ck_assert_uint_lt(after->size, before->size);
    for (uint64_t p = 1; p <= after->count; p++) {
        if (at == count || edits[at].position != p) {
            assert_same(before, after, p);
        } else if (edits[at++].fate == STORE_STUB) {
            assert_stub(before, after, p);
        } else {
            assert_erased(before, after, p);
        }
    }
    edited = rewrite(edits, count, SIZE_ALL);
    ck_assert_uint_eq(edited.changed, 0);
    core_reopen(&core);
    log_free(after);
    after = read_log();
    ck_assert_uint_eq(after->count, before->count);
    log_free(after);
    log_free(before);
}
END_TEST

START_TEST(small_blocks_are_joined)
{
    struct store_edit edits[EVENTS_MAX];
    struct log *before, *after;

    for (unsigned i = 0; i < 20; i++) {
        append_many("order-1", 20, 1000);
        core_checkpoint(&core); /* So none is full. */
    }
    before = read_log();
    ck_assert_uint_eq(before->blocks, 20);
    for (uint64_t p = 1; p <= before->count; p++) {
        edits[p - 1] = (struct store_edit){p, STORE_STUB};
    }
    rewrite(edits, before->count, 1); /* Even one block a call. */
    after = read_log();
    assert_stubs(before, after, 1, before->count, 1);
    ck_assert_uint_eq(after->blocks, 1);
    log_free(after);
    log_free(before);
}
END_TEST

START_TEST(damage_stays_where_it_is)
{
    struct store_edit edits[3] = {
        {2, STORE_ERASE}, {3, STORE_ERASE}, {9, STORE_STUB}};
    struct log *before, *after;
    struct store_edited edited;

    append_many("order-1", 10, 500);
    core_checkpoint(&core);
    before = read_log();
    core_reopen(&core);
    damage(3);
    damage(5);
    edited = rewrite(edits, 3, SIZE_ALL);
    ck_assert_uint_eq(edited.changed, 2);
    ck_assert_uint_eq(edited.damaged, 1);
    after = read_log();
    for (uint64_t p = 1; p <= 10; p++) {
        if (p == 3 || p == 5) {
            ck_assert_uint_eq(after->records[p].size, 0);
        } else if (p == 2) {
            assert_erased(before, after, p);
        } else if (p == 9) {
            assert_stub(before, after, p);
        } else {
            assert_same(before, after, p);
        }
    }
    log_free(after);
    log_free(before);
}
END_TEST

/* ---- scrubbing ---- */

static unsigned scrub_steps; /* Of the last one. */

static enum store_scrubbed
scrub(struct store_scrub *scrub, size_t size_max)
{
    enum store_scrubbed scrubbed = STORE_SCRUBS_ON;
    struct acta_err err;

    scrub_steps = 0;
    while (scrub_steps < STEPS_MAX && scrubbed == STORE_SCRUBS_ON) {
        scrub_steps++;
        assert_ok(
            store_scrub(core.rooms.store, scrub, size_max, &scrubbed, &err),
            &err);
    }
    return scrubbed;
}

/* Many small checkpoints, so that pages and their memory are used again and
 * again; then every second event is erased.
 */
START_TEST(scrubbing_leaves_nothing_of_what_was_erased)
{
    static const size_t sizes[] = {20, 300, 2100, DATA_MAX};
    struct store_edit edits[100];
    struct store_scrub state, again;
    struct log *before, *after;
    struct acta_err err;
    unsigned left = 0;

    if (_i == 2) {
        store_scrub_window = 8; /* There is much where two of them meet. */
    }
    for (unsigned i = 0; i < 200; i++) {
        append(i % 3 == 0 ? "order-1" : "order-2", sizes[i % 7 % 4]);
        if (i % 3 == 0) {
            core_checkpoint(&core);
        }
    }
    core_checkpoint(&core);
    before = read_log();
    for (unsigned i = 0; i < 100; i++) {
        edits[i] = (struct store_edit){2 * i + 1, STORE_ERASE};
    }
    rewrite(edits, 100, _i == 0 ? 50000 : SIZE_ALL);
    for (unsigned i = 1; i <= 200; i += 2) {
        left += count_needles(i);
    }
    ck_assert_uint_gt(left, 0); /* The test can see it. */
    assert_ok(store_scrub_begin(core.rooms.store, &state, &err), &err);
    ck_assert_int_eq(scrub(&state, _i == 0 ? 4096 : SIZE_ALL / 16),
                     STORE_SCRUBBED);
    ck_assert_uint_gt(state.wiped, 0);
    for (unsigned i = 1; i <= 200; i++) {
        ck_assert_msg(count_needles(i) == (i % 2 == 0), "needle %u", i);
    }
    assert_ok(store_scrub_begin(core.rooms.store, &again, &err), &err);
    ck_assert_int_eq(scrub(&again, _i == 1 ? 1024 : SIZE_ALL / 16),
                     STORE_SCRUBBED);
    ck_assert_uint_lt(again.wiped, state.wiped); /* Zeros are left alone, */
    ck_assert(_i != 1 || scrub_steps > 4);       /* but take their time. */
    after = read_log();
    for (uint64_t p = 1; p <= 200; p++) {
        if (p % 2 == 0) {
            assert_same(before, after, p);
        } else {
            assert_erased(before, after, p);
        }
    }
    append_many("order-3", 20, 1000); /* Into pages that were scrubbed. */
    core_reopen(&core);
    ck_assert_uint_eq(core_head(&core), 220);
    log_free(after);
    log_free(before);
}
END_TEST

START_TEST(scrubbing_waits_for_a_reader_that_sees_what_was)
{
    struct store_edit edit = {1, STORE_ERASE};
    struct block_record record;
    struct store_scrub state;
    struct store_view *view;
    struct acta_err err;

    append_many("order-1", 20, 1000);
    core_checkpoint(&core);
    assert_ok(store_view_open(&view, core.rooms.store, &err), &err);
    assert_ok(store_view_begin(view, &err), &err);
    rewrite(&edit, 1, SIZE_ALL);
    assert_ok(store_scrub_begin(core.rooms.store, &state, &err), &err);
    ck_assert_int_eq(scrub(&state, SIZE_ALL / 16), STORE_SCRUB_WAITS);
    ck_assert_uint_gt(count_needles(1), 0);
    assert_ok(store_view_record(view, 1, &record, &err), &err);
    ck_assert_ptr_nonnull(
        memmem(record.data, record.size, "needle-000001", 13));
    store_view_end(view);
    ck_assert_int_eq(scrub(&state, SIZE_ALL / 16), STORE_SCRUBBED);
    ck_assert_uint_eq(count_needles(1), 0);
    ck_assert_uint_eq(count_needles(2), 1);
    store_view_close(view);
}
END_TEST

/* What a sync that failed may have left out is written once more, too: memory
 * has zeros then, whatever the disk has.
 */
START_TEST(scrubbing_goes_on_where_it_has_failed)
{
    static const char *const calls[] = {"calloc", "pread64", "pwrite64",
                                        "fdatasync"};
    struct store_edit edit = {3, STORE_ERASE};
    enum store_scrubbed scrubbed;
    struct store_scrub state;
    struct acta_err err;
    uint64_t wiped;

    append_many("order-1", 20, 1000);
    core_checkpoint(&core);
    rewrite(&edit, 1, SIZE_ALL);
    ck_assert_uint_gt(count_needles(3), 0);
    assert_ok(store_scrub_begin(core.rooms.store, &state, &err), &err);
    file_calls_fail_of(calls[_i], 0, 1, ENOSPC);
    ck_assert_int_ne(
        store_scrub(core.rooms.store, &state, SIZE_ALL / 16, &scrubbed, &err),
        ACTA_OK);
    ck_assert_str_eq(file_calls_succeed(), calls[_i]);
    wiped = state.wiped;
    ck_assert(wiped > 0 || _i < 2);
    ck_assert_int_eq(scrub(&state, SIZE_ALL / 16), STORE_SCRUBBED);
    ck_assert_uint_eq(count_needles(3), 0);
    ck_assert_uint_ge(state.wiped, 2 * wiped);
}
END_TEST

START_TEST(what_lies_behind_the_last_page_is_cut_off)
{
    struct store_scrub state;
    struct acta_err err;
    struct stat seen;
    FILE *file;

    append_many("order-1", 20, 1000);
    core_checkpoint(&core);
    file = fopen(tempdir_file(&core.dir, "data.mdb"), "r+b");
    ck_assert_ptr_nonnull(file);
    /* So far behind it that no transaction uses the page meanwhile. */
    ck_assert_int_eq(fseek(file, 100 * 4096, SEEK_END), 0);
    fputs("needle-999999", file);
    fclose(file);
    ck_assert_uint_eq(count_needles(999999), 1);
    assert_ok(store_scrub_begin(core.rooms.store, &state, &err), &err);
    ck_assert_int_eq(scrub(&state, SIZE_ALL / 16), STORE_SCRUBBED);
    ck_assert_uint_eq(count_needles(999999), 0);
    ck_assert_int_eq(stat(tempdir_file(&core.dir, "data.mdb"), &seen), 0);
    ck_assert_int_eq(seen.st_size, (off_t)store_size(core.rooms.store));
    core_reopen(&core);
    ck_assert_uint_eq(core_head(&core), 20);
}
END_TEST

/* ---- sweeping ---- */

/* Streams a and b take turns: a has the odd positions. One event a second. */
static void
append_turns(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        append("order-a", 700);
        append("order-b", 700);
    }
}

/* Hide the first 30 of stream a's 50 events, in each of the ways there are. */
static void
hide_thirty(int way)
{
    uint64_t second = 1000000;

    switch (way) {
    case 0:
        set("order-a", MSG_HAS_TRUNCATE_BEFORE, 31);
        break;
    case 1:
        set("order-a", MSG_HAS_MAX_COUNT, 20);
        break;
    case 2: /* Its last event is 2 seconds old, its 30th 42. */
        set("order-a", MSG_HAS_MAX_AGE, 41 * second);
        break;
    default:
        change("order-a", way == 3 ? MSG_DELETE : MSG_TOMBSTONE);
        break;
    }
}

START_TEST(what_is_hidden_is_swept_and_all_else_stays)
{
    uint64_t hidden = _i < 3 ? 30 : 50;
    struct log *before, *after;

    append_turns(50);
    hide_thirty(_i);
    core_checkpoint(&core);
    before = read_log();
    ck_assert_uint_eq(sweep(), hidden);
    after = read_log();
    assert_stubs(before, after, 1, 2 * hidden - 1, 2);
    ck_assert_uint_lt(after->size, before->size);
    ck_assert_uint_eq(sweep(), 0);
    log_free(after);
    log_free(before);
}
END_TEST

START_TEST(a_sweep_goes_on_where_the_last_one_was)
{
    struct log *before, *after;

    set("order-a", MSG_HAS_MAX_COUNT, 10);
    append_turns(50);
    core_checkpoint(&core);
    before = read_log();
    ck_assert_uint_eq(sweep(), 40);
    append_turns(5); /* Five more are hidden by that. */
    core_checkpoint(&core);
    ck_assert_uint_eq(sweep(), 5);
    after = read_log();
    for (uint64_t p = 1; p <= before->count; p++) {
        if (p % 2 == 1 && p < 90) {
            assert_stub(before, after, p);
        } else {
            assert_same(before, after, p);
        }
    }
    log_free(after);
    log_free(before);
}
END_TEST

/* A change that is still in the tail may show again what the old setting would
 * hide by now, but nothing that it has hidden.
 */
START_TEST(what_is_in_the_tail_is_not_swept_and_neither_what_it_leaves)
{
    struct log *before, *after;

    append_turns(50);
    set("order-a", MSG_HAS_MAX_COUNT, 20);
    core_checkpoint(&core);
    set("order-a", MSG_HAS_MAX_COUNT, 0);
    append_turns(50); /* With the old setting all fifty were hidden. */
    before = read_log();
    ck_assert_uint_eq(sweep(), 30);
    core_checkpoint(&core);
    ck_assert_uint_eq(sweep(), 0);
    after = read_log();
    for (uint64_t p = 1; p <= before->count; p++) {
        if (p % 2 == 1 && p < 60) {
            assert_stub(before, after, p);
        } else {
            assert_same(before, after, p);
        }
    }
    log_free(after);
    log_free(before);
}
END_TEST

/* Killed after each number of steps, and begun anew. */
START_TEST(a_sweep_that_was_interrupted_is_done_by_the_next)
{
    uint64_t swept = 0, once, damaged;
    struct log *before, *after;
    unsigned interrupted = 0;

    append_turns(50);
    for (unsigned i = 0; i < 100; i++) {
        char stream[20];

        snprintf(stream, sizeof(stream), "cart-%u", i);
        append_many(stream, 5, 500);
        change(stream, MSG_DELETE);
    }
    hide_thirty(0);
    core_checkpoint(&core);
    before = read_log();
    for (unsigned steps = 1; sweep_steps(steps, &once, &damaged) == steps;
         steps++) {
        swept += once;
        interrupted++;
        core_reopen(&core);
    }
    ck_assert_uint_gt(interrupted, 2);
    ck_assert_uint_eq(swept + once, 30 + 500);
    after = read_log();
    for (uint64_t p = 1; p <= before->count; p++) {
        if (p > 100 || (p % 2 == 1 && p < 60)) {
            assert_stub(before, after, p);
        } else {
            assert_same(before, after, p);
        }
    }
    log_free(after);
    log_free(before);
}
END_TEST

START_TEST(a_damaged_event_is_told_and_stops_nothing)
{
    uint64_t swept, damaged;
    struct log *after;

    append_turns(50);
    hide_thirty(0);
    core_checkpoint(&core);
    core_reopen(&core);
    damage(11);
    sweep_steps(STEPS_MAX, &swept, &damaged);
    ck_assert_uint_eq(swept, 29);
    ck_assert_uint_eq(damaged, 1);
    after = read_log();
    ck_assert_uint_eq(after->records[11].size, 0); /* It is still damaged. */
    ck_assert(record_is_stub(record_of(after, 13)));
    log_free(after);
}
END_TEST

/* It is longer than any key may be: there is no place to go on behind it. */
START_TEST(a_row_whose_key_is_damaged_ends_the_pass)
{
    enum sweeper_next next = SWEEPER_GOES_ON;
    enum acta_code code = ACTA_OK;
    struct sweeper *sweeper;
    struct acta_err err;

    set("alone", MSG_HAS_MAX_COUNT, 1);
    append_turns(50);
    hide_thirty(0);
    core_checkpoint(&core);
    core_reopen(&core);
    damage_key_size("alone");
    assert_ok(sweeper_new(&sweeper, &core.rooms, INTERVAL_MS, &err), &err);
    assert_ok(sweeper_step(sweeper, now, &next, &err), &err);
    now.us += INTERVAL_MS * 1000;
    for (unsigned i = 0; i < STEPS_MAX && code == ACTA_OK; i++) {
        code = sweeper_step(sweeper, now, &next, &err);
    }
    ck_assert_int_eq(code, ACTA_CORRUPT);
    sweeper_free(sweeper);
}
END_TEST

/* ---- gathering what is to be erased ---- */

/* Gather from the store as it is now. */
static void
gather_erased(struct sweep_work *work)
{
    struct store_view *view;
    struct acta_err err;

    sweep_work_clear_edits(work);
    assert_ok(store_view_open(&view, core.rooms.store, &err), &err);
    assert_ok(store_view_begin(view, &err), &err);
    assert_ok(sweep_gather_erased(work, view, &err), &err);
    store_view_close(view);
}

/* Is there an edit for the event? */
static bool
has_edit(const struct sweep_work *work, uint64_t position)
{
    for (size_t i = 0; i < work->edits_count; i++) {
        if (work->edits[i].position == position) {
            return true;
        }
    }
    return false;
}

/* Gather the rest of a pass. Was there an edit for the event? */
static bool
gather_rest(struct sweep_work *work, uint64_t position)
{
    bool is_found = false;

    do {
        gather_erased(work);
        is_found |= has_edit(work, position);
    } while (!work->is_last);
    return is_found;
}

/* What is asked for while a stream is erased in steps may come before it in the
 * order of rows: it is not taken for done as far as the stream is.
 */
START_TEST(an_erasure_that_comes_between_two_steps_is_carried_out)
{
    struct sweep_work *work = malloc(sizeof(*work));
    uint64_t last;
    struct acta_err err;

    append("order-a", 100);
    append_many("order-b", sweep_limits.read_size / DATA_MAX + 1, DATA_MAX);
    last = core_head(&core);
    erase("order-b", 0);
    core_checkpoint(&core);
    ck_assert_ptr_nonnull(work);
    assert_ok(sweep_work_init(work, &err), &err);
    gather_erased(work);
    ck_assert(has_edit(work, 2));
    ck_assert(!has_edit(work, last)); /* There is more to do. */
    ck_assert_uint_eq(work->rows_count, 0);

    erase("order-a", _i == 0 ? 1 : 0);
    core_checkpoint(&core);
    ck_assert(gather_rest(work, last));
    ck_assert_uint_eq(work->rows_count, 1);
    sweep_work_restart(work);
    ck_assert(gather_rest(work, 1));
    ck_assert_uint_eq(work->rows_count, 2);
    sweep_work_fini(work);
    free(work);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sweep");
    TCase *tcase = tcase_create("sweep");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   rewriting_changes_what_it_is_told_to_and_nothing_else);
    tcase_add_test(tcase, small_blocks_are_joined);
    tcase_add_test(tcase, damage_stays_where_it_is);
    tcase_add_loop_test(tcase, scrubbing_leaves_nothing_of_what_was_erased, 0,
                        3);
    tcase_add_loop_test(tcase, scrubbing_goes_on_where_it_has_failed, 0, 4);
    tcase_add_test(tcase, scrubbing_waits_for_a_reader_that_sees_what_was);
    tcase_add_test(tcase, what_lies_behind_the_last_page_is_cut_off);
    tcase_add_loop_test(tcase, what_is_hidden_is_swept_and_all_else_stays, 0,
                        5);
    tcase_add_test(tcase, a_sweep_goes_on_where_the_last_one_was);
    tcase_add_test(tcase,
                   what_is_in_the_tail_is_not_swept_and_neither_what_it_leaves);
    tcase_add_test(tcase, a_sweep_that_was_interrupted_is_done_by_the_next);
    tcase_add_test(tcase, a_damaged_event_is_told_and_stops_nothing);
    tcase_add_test(tcase, a_row_whose_key_is_damaged_ends_the_pass);
    tcase_add_loop_test(
        tcase, an_erasure_that_comes_between_two_steps_is_carried_out, 0, 2);
    return run_suite(suite);
}
