/* What is damaged is found also while a server has the database open, and of
 * what is not damaged everything can be salvaged, where it was.
 */

#include "salvage.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block.h"
#include "bytes.h"
#include "checksum.h"
#include "file.h"
#include "pagefile.h"
#include "rnd.h"
#include "rooms.h"
#include "rot.h"
#include "run.h"
#include "segment.h"
#include "verify.h"
#include "verify_live.h"

#define EVENTS_MAX 1000
#define STEP       65536
#define STEPS_MAX  100000
#define TEXTS_SIZE 65536
#define FOUND      1
#define NOT_FOUND  0

/* ---- what is in a database ---- */

struct contents {
    size_t count;
    struct {
        uint32_t sum; /* Of all of it. */
        char stream[32];
        uint64_t version;
        bool is_lost;
    } events[EVENTS_MAX];
};

static void
note_event(void *user, const struct event *event)
{
    struct contents *contents = user;
    struct slice tags = event->tags;
    uint32_t sum =
        checksum_extend(checksum_of(event->stream.data, event->stream.size),
                        event->content.data, event->content.size);
    size_t at = event->position;

    ck_assert_uint_lt(at, EVENTS_MAX);
    contents->count = at;
    contents->events[at].sum = sum;
    contents->events[at].version = event->version;
    snprintf(contents->events[at].stream, 32, "%.*s", (int)event->stream.size,
             (const char *)event->stream.data);
    contents->events[at].is_lost = false;
    for (size_t i = 0; i < event->tags_count; i++) {
        if (slice_equal(event_tag(&tags), slice_of(SALVAGE_LOST_TAG))) {
            contents->events[at].is_lost = true;
        }
    }
}

static void
read_contents(struct base *of, struct contents *contents)
{
    memset(contents, 0, sizeof(*contents));
    base_open(of);
    base_check(of, note_event, contents);
    base_close(of);
}

/* ---- salvaging ---- */

struct told {
    size_t lost;
    size_t notes;
    bool is_known; /* Of all that are lost, where they were. */
};

static void
on_lost(void *user, const struct salvage_lost *lost)
{
    struct told *told = user;

    told->lost++;
    told->is_known = told->is_known && lost->is_known;
}

static void
on_note(void *user, const char *text)
{
    struct told *told = user;

    (void)text;
    told->notes++;
}

/* Salvage rot_base to rot_copy. */
static enum acta_code
salvage_all(struct told *told, struct salvage_report *report)
{
    struct salvage_options options = {.from = rot_base.path,
                                      .to = rot_copy.path,
                                      .lost = on_lost,
                                      .note = on_note,
                                      .user = told};
    struct acta_err err;
    enum acta_code code;

    *told = (struct told){.is_known = true};
    ck_assert_int_eq(file_remove_tree(rot_copy.path, &err), ACTA_OK);
    code = salvage(&options, report, &err);
    ck_assert_msg(code == ACTA_OK, "salvage: %s", err.text);
    return code;
}

/* ---- what may be lost ---- */

/* Is the page of the store's file in a run of the log, which begins at *@first?
 */
static bool
is_in_block(const struct rot_file *file, size_t page, size_t *first,
            struct block *block)
{
    for (size_t n = 2; n < file->size / ROT_PAGE; n++) {
        const uint8_t *at = file->bytes + n * ROT_PAGE;
        size_t count = get_u32(at + 12);

        if (get_u64(at) != n || get_u16(at + 10) != PAGE_RUN || page < n ||
            page >= n + count) {
            continue;
        }
        *first = n;
        return block_open(
                   block,
                   slice_make(at + PAGE_HEADER, count * ROT_PAGE - PAGE_HEADER),
                   NULL) == ACTA_OK;
    }
    return false;
}

/* How many events @page has a part of, that are in the store alone. */
static size_t
events_on(const struct rot_file *file, size_t page)
{
    struct block block;
    size_t first, count = 0;

    if (!is_in_block(file, page, &first, &block)) {
        return 0;
    }
    for (uint64_t p = block.first_position; p < block_end(&block); p++) {
        struct block_record record;
        size_t from, to;

        ck_assert(block_find(&block, p, &record));
        from = (size_t)(record.data - file->bytes) / ROT_PAGE;
        to = (size_t)(record.data + record.size - 1 - file->bytes) / ROT_PAGE;
        count += page == first || (from <= page && page <= to);
    }
    return count;
}

static size_t
events_behind(const struct rot_file *file, size_t page)
{
    size_t count = 0;

    for (; page < file->size / ROT_PAGE; page++) {
        count += events_on(file, page);
    }
    return count;
}

/* All that may be lost when rot_spoil() or, with @how -1, a flipped bit has
 * made something else of a page.
 */
static size_t
may_be_lost(const struct rot_file *file, size_t page, int how)
{
    switch (how) {
    case 2:
        return events_on(file, page) + events_on(file, page + 1);
    case 3:
        return events_behind(file, page);
    default:
        return events_on(file, page);
    }
}

static void
is_salvaged(const struct contents *before, size_t lost_max)
{
    static struct contents after; /* Large. */
    struct salvage_report report;
    struct told told;

    salvage_all(&told, &report);
    ck_assert_uint_eq(report.head, before->count);
    ck_assert_uint_eq(report.lost, told.lost);
    ck_assert_uint_le(report.lost, lost_max);
    ck_assert_uint_eq(report.notes, told.notes);
    read_contents(&rot_copy, &after);
    ck_assert_uint_eq(after.count, before->count);
    for (size_t p = 1; p <= before->count; p++) {
        if (!after.events[p].is_lost) {
            ck_assert_uint_eq(after.events[p].sum, before->events[p].sum);
        } else if (told.is_known) {
            ck_assert_str_eq(after.events[p].stream, before->events[p].stream);
        }
        told.lost -= after.events[p].is_lost;
        if (told.is_known || !after.events[p].is_lost) {
            ck_assert_uint_eq(after.events[p].version,
                              before->events[p].version);
        }
    }
    ck_assert_uint_eq(told.lost, 0);
}

/* ---- verifying ---- */

static void
let_go(void *user, const struct acta_err *what)
{
    (void)user;
    (void)what;
}

static bool
is_found_off_line(void)
{
    struct verify_options options = {.dir = rot_base.path,
                                     .map_size =
                                         rot_base.options.store_map_size,
                                     .problem = let_go};
    static struct verify_report report; /* Large. */
    struct acta_err err;

    ck_assert_msg(verify_database(&options, &report, &err) == ACTA_OK, "%s",
                  err.text);
    return report.problems > 0;
}

/* Verify rot_copy, which is open, to its end in steps of @bytes. */
static uint64_t
verify_in_steps(const struct verify_options *options, uint64_t bytes)
{
    struct verify_live *live;
    struct acta_err err;
    uint64_t problems;
    unsigned steps = 0;
    bool done = false;

    enum acta_code code = verify_live_new(
        &live, database_rooms(rot_copy.database), options, &err);

    if (code == ACTA_CORRUPT) {
        return 1; /* What LMDB itself must have: it says so at once. */
    }
    ck_assert_msg(code == ACTA_OK, "%s", err.text);
    while (!done && code == ACTA_OK) {
        ck_assert_uint_lt(steps++, STEPS_MAX);
        code = verify_live_step(live, bytes, &done, &err);
        ck_assert_msg(code == ACTA_OK || code == ACTA_CORRUPT, "%s", err.text);
    }
    problems = verify_live_report(live)->problems + (code == ACTA_CORRUPT);
    verify_live_free(live);
    return problems;
}

static uint64_t
verify_live(void)
{
    struct verify_options options = {.dir = rot_copy.path, .problem = let_go};

    return verify_in_steps(&options, STEP);
}

/* LMDB met a damaged page before the verification did: it gives up, follows
 * what the page says to where nothing is, or fails, which is fatal to a server.
 * Or what is mapped cannot be had any more (tests/crash/test_damage.c).
 */
static bool
has_ended(int status)
{
    return WIFSIGNALED(status)
               ? WTERMSIG(status) == SIGABRT || WTERMSIG(status) == SIGBUS ||
                     WTERMSIG(status) == SIGSEGV
               : WEXITSTATUS(status) == BASE_FATAL_STATUS;
}

/* Damage @page of the store under a database that is open, in a process of its
 * own. It is found, or ends that process.
 */
static bool
is_found_on_line(size_t page, int how, size_t at, uint8_t byte)
{
    struct rot_file damaged = rot_files[0];
    int status;
    pid_t child;

    rot_copy_files();
    snprintf(damaged.path, sizeof(damaged.path), "%s/store/data.mdb",
             rot_copy.path);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        base_open(&rot_copy);
        if (how < 0) {
            rot_write_file(&damaged, at, &byte, 1);
        } else {
            rot_spoil(&damaged, page, how);
        }
        _exit(verify_live() > 0 ? FOUND : NOT_FOUND);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (has_ended(status)) {
        return true;
    }
    ck_assert(WIFEXITED(status));
    ck_assert_int_le(WEXITSTATUS(status), FOUND);
    return WEXITSTATUS(status) == FOUND;
}

static void
setup(void)
{
    rot_init();
}

static void
teardown(void)
{
    rot_fini();
}

/* ---- tests ---- */

/* _i: after a close, or after a kill. */
START_TEST(what_is_whole_is_salvaged_whole)
{
    static struct contents before; /* Large. */
    struct salvage_report report;
    struct told told;

    rot_make(_i == 1);
    rot_load_files();
    salvage_all(&told, &report);
    ck_assert_uint_eq(told.lost + told.notes, 0);
    ck_assert_uint_gt(report.rows, 8);
    read_contents(&rot_base, &before);
    ck_assert_uint_eq(before.count, 422);
    is_salvaged(&before, 0);
    rot_free_files();
}
END_TEST

/* _i: a flipped bit (-1), or what rot_spoil() does. */
START_TEST(
    of_a_damaged_page_what_is_not_on_it_is_salvaged_and_it_is_found_on_line)
{
    static struct contents before; /* Large. */
    size_t page, stride, tried = 0, found = 0;
    struct rnd rnd;

    rnd_init(&rnd);
    rot_make(false);
    read_contents(&rot_base, &before);
    rot_load_files();
    stride = rot_stride_for(4);
    for (page = rnd_below(&rnd, stride); page * ROT_PAGE < rot_files[0].used;
         page += stride) {
        size_t at = page * ROT_PAGE +
                    rnd_below(&rnd, rnd_once_in(&rnd, 2) ? 64 : ROT_PAGE);
        uint8_t byte =
            rot_files[0].bytes[at] ^ (uint8_t)(1u << rnd_below(&rnd, 8));
        bool is_found;

        if (_i < 0) {
            rot_write_file(&rot_files[0], at, &byte, 1);
        } else {
            rot_spoil(&rot_files[0], page, _i);
        }
        is_found = is_found_off_line();
        is_salvaged(&before, may_be_lost(&rot_files[0], page, _i));
        rot_restore(&rot_files[0]);
        if (is_found) {
            ck_assert_msg(is_found_on_line(page, _i, at, byte),
                          "page %zu, offset %zu is not found on line", page,
                          at);
        }
        found += is_found;
        tried++;
    }
    printf("{\"test\":\"salvage\",\"damaged\":%zu,\"found\":%zu}\n", tried,
           found);
    rot_free_files();
}
END_TEST

/* Of a page of LMDB, and of a node in it. */
#define PAGE_FLAGS_AT 10
#define PAGE_END_AT   12 /* Where the offsets of its nodes end. */
#define PAGE_NODES_AT PAGE_HEADER
#define NODE_FLAGS_AT 4
#define NO_FLAG       8 /* There is none with this number. */

static bool
is_leaf(const uint8_t *page)
{
    return get_u16(page + PAGE_FLAGS_AT) == PAGE_LEAF &&
           (size_t)get_u16(page + PAGE_NODES_AT) + NODE_FLAGS_AT < ROT_PAGE;
}

/* Is it found off line that the bits @flip of the byte at @at of the store are
 * others? Then it is on line, too.
 */
static bool
is_found_if_flipped(size_t at, unsigned flip)
{
    uint8_t byte = rot_files[0].bytes[at] ^ (uint8_t)flip;
    size_t page = at / ROT_PAGE;
    bool is_found;

    rot_write_file(&rot_files[0], at, &byte, 1);
    is_found = is_found_off_line();
    rot_restore(&rot_files[0]);
    if (is_found) {
        ck_assert_msg(is_found_on_line(page, -1, at, byte),
                      "page %zu is not found on line", page);
    }
    return is_found;
}

START_TEST(what_no_entry_says_of_itself_is_found_on_line_as_off_line)
{
    size_t tried = 0;

    rot_make(false);
    rot_load_files();
    for (size_t page = 2; page < rot_files[0].used / ROT_PAGE; page++) {
        size_t at = page * ROT_PAGE;
        const uint8_t *bytes = rot_files[0].bytes + at;

        if (is_leaf(bytes)) { /* Or it only looks like a page. */
            at += get_u16(bytes + PAGE_NODES_AT) + NODE_FLAGS_AT;
            tried += is_found_if_flipped(at, NO_FLAG);
        }
    }
    ck_assert_uint_gt(tried, 5); /* Of each table there is one. */
    rot_free_files();
}
END_TEST

/* What follows the last offset is none. */
START_TEST(a_page_that_says_it_has_more_entries_is_found_on_line_as_off_line)
{
    size_t tried = 0;

    rot_make(false);
    rot_load_files();
    for (size_t page = 2; page < rot_files[0].used / ROT_PAGE; page++) {
        size_t at = page * ROT_PAGE;
        const uint8_t *bytes = rot_files[0].bytes + at;
        unsigned more = 2;

        if (is_leaf(bytes)) {
            at += PAGE_END_AT;
            while (more < 128 && (rot_files[0].bytes[at] & more) != 0) {
                more *= 2;
            }
            tried += is_found_if_flipped(at, more);
        }
    }
    ck_assert_uint_gt(tried, 5);
    rot_free_files();
}
END_TEST

/* Of what is said of a tree. */
#define TREE_RUNS_AT    24
#define TREE_ENTRIES_AT 32

START_TEST(what_is_said_of_a_table_is_found_on_line_as_off_line)
{
    size_t tried = 0;

    rot_make(false);
    rot_load_files();
    for (size_t page = 2; page < rot_files[0].used / ROT_PAGE; page++) {
        const uint8_t *bytes = rot_files[0].bytes + page * ROT_PAGE;
        size_t end = is_leaf(bytes) ? get_u16(bytes + PAGE_END_AT) : 0;
        struct page_node node;

        for (size_t at = PAGE_NODES_AT; at < end; at += 2) {
            if (page_node_read(&node, bytes, ROT_PAGE, get_u16(bytes + at),
                               true) &&
                node.flags == NODE_TREE) {
                size_t tree = (size_t)(node.value - rot_files[0].bytes);

                tried += is_found_if_flipped(tree + TREE_RUNS_AT, 1);
                tried += is_found_if_flipped(tree + TREE_ENTRIES_AT, 1);
            }
        }
    }
    ck_assert_uint_ge(tried, 12); /* There are six tables. */
    rot_free_files();
}
END_TEST

/* No tree leads to the block any more, and what is on the pages that it still
 * has is whole. There is one such block at least.
 */
START_TEST(of_a_block_that_a_cut_file_ends_in_the_beginning_is_salvaged)
{
    static struct contents before; /* Large. */
    struct block block, next;
    size_t first, behind, tried = 0;

    rot_make(false);
    read_contents(&rot_base, &before);
    rot_load_files();
    for (size_t page = 2; page < rot_files[0].size / ROT_PAGE; page++) {
        if (!is_in_block(&rot_files[0], page, &first, &block) ||
            page == first ||
            (is_in_block(&rot_files[0], page + 1, &behind, &next) &&
             behind == first)) {
            continue;
        }
        rot_spoil(&rot_files[0], page, 3);
        is_salvaged(&before, may_be_lost(&rot_files[0], page, 3));
        rot_restore(&rot_files[0]);
        tried++;
    }
    ck_assert_uint_gt(tried, 0);
    rot_free_files();
}
END_TEST

/* Of the journal's newest file, the entry at @page, which has events: how many?
 * 0: there is none.
 */
static size_t
events_of_entry(const struct rot_file *file, size_t page)
{
    const uint8_t *at = file->bytes + page * ROT_PAGE;
    struct slice bytes = {at + SEGMENT_ENTRY_SIZE, get_u32(at + 40)};
    struct block block;

    if (memcmp(at, "ACTJ", 4) != 0 || bytes.size == 0) {
        return 0;
    }
    ck_assert_int_eq(block_open(&block, bytes, NULL), ACTA_OK);
    return block.count;
}

/* In the count of the block of the entry at @page. */
static void
flip_in_count(const struct rot_file *file, size_t page, unsigned bit)
{
    size_t at = page * ROT_PAGE + SEGMENT_ENTRY_SIZE + 8 + bit / 8;
    uint8_t byte = file->bytes[at] ^ (uint8_t)(1u << bit % 8);

    rot_write_file(file, at, &byte, 1);
}

START_TEST(no_more_is_lost_than_there_was_whatever_a_damaged_count_says)
{
    static const unsigned bits[] = {0, 2, 5, 8, 12, 31};
    static struct contents before; /* Large. */
    struct rot_file *newest;
    size_t tried = 0;

    rot_make(true);
    rot_load_files();
    rot_copy_files();
    read_contents(&rot_copy, &before);
    newest = &rot_files[rot_files_count - 1];
    for (size_t page = 1; page * ROT_PAGE < newest->used; page++) {
        size_t count = events_of_entry(newest, page);

        for (size_t i = 0; count > 0 && i < sizeof(bits) / sizeof(*bits); i++) {
            flip_in_count(newest, page, bits[i]);
            is_salvaged(&before, count);
            rot_restore(newest);
            tried++;
        }
    }
    ck_assert_uint_gt(tried, 0);
    rot_free_files();
}
END_TEST

/* Nothing follows it, so that nobody may have been told of it. */
START_TEST(of_the_last_entry_a_damaged_count_is_noted_and_not_believed)
{
    static struct contents before; /* Large. */
    struct salvage_report report;
    struct rot_file *newest;
    struct told told;
    size_t count;

    rot_make(true);
    rot_load_files();
    rot_copy_files();
    read_contents(&rot_copy, &before);
    newest = &rot_files[rot_files_count - 1];
    count = events_of_entry(newest, newest->used / ROT_PAGE);
    ck_assert_uint_gt(count, 0);
    flip_in_count(newest, newest->used / ROT_PAGE, 8);
    salvage_all(&told, &report);
    ck_assert_uint_eq(report.head, before.count - count);
    ck_assert_uint_eq(told.lost, 0);
    ck_assert_uint_eq(told.notes, 1);
    rot_free_files();
}
END_TEST

static void
append_three(struct base *of)
{
    struct draft drafts[3] = {{.id = 7001}, {.id = 7002}, {.id = 7003}};

    ck_assert_int_eq(base_append(of, "torn-1", MSG_EXPECT_ANY, drafts, 3),
                     ACTA_OK);
}

/* The block of the last entry in @file that has events. Behind it, up to @end,
 * there may be marks; and entries of a former life behind them.
 */
static struct slice
find_last_block(const struct rot_file *file, size_t *end)
{
    struct segment_header header;
    struct slice found = SLICE_NONE;
    struct journal_entry entry;
    struct acta_err err;

    ck_assert_msg(segment_decode_header(&header, file->bytes, &err) == ACTA_OK,
                  "%s", err.text);
    *end = ROT_PAGE;
    while (segment_decode_entry(&entry, file->bytes + *end, header.salt)) {
        if (entry.block.size > 0) {
            found = slice_make(file->bytes + *end + SEGMENT_ENTRY_SIZE,
                               entry.block.size);
        }
        *end += segment_round(SEGMENT_ENTRY_SIZE + entry.block.size +
                              entry.rows.size);
    }
    return found;
}

/* As if the power had failed while it was written: of the last entry's last
 * record the end is not there, and no mark was written behind it.
 */
static void
tear_last_entry(void)
{
    const struct rot_file *newest = &rot_files[rot_files_count - 1];
    struct block_record record;
    struct acta_err err;
    struct block block;
    size_t end, from;
    uint8_t *zeros;

    ck_assert_msg(block_open(&block, find_last_block(newest, &end), &err) ==
                      ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(block.count, 3);
    ck_assert(block_find(&block, block_end(&block) - 1, &record));
    from = (size_t)(record.data + record.size / 2 - newest->bytes);
    zeros = calloc(1, end - from);
    rot_write_file(newest, from, zeros, end - from);
    free(zeros);
}

static void
append_another(struct base *of)
{
    struct draft draft = {.id = 7004};

    ck_assert_int_eq(base_append(of, "s-1", MSG_EXPECT_ANY, &draft, 1),
                     ACTA_OK);
}

/* A start has passed over it, and given its positions to others: what is whole
 * in it is not an event that anybody was told of. _i: so it is if the header of
 * its segment (1), or of the one that follows (2), is damaged.
 */
START_TEST(what_was_torn_and_passed_over_does_not_come_back)
{
    static const uint8_t zeros[ROT_PAGE];
    static struct contents before; /* Large. */
    int torn, next;

    rot_make(true);
    ck_assert_int_eq(base_killed(&rot_base, append_three), 0);
    rot_load_files();
    tear_last_entry();
    torn = open(rot_files[rot_files_count - 1].path, O_WRONLY);
    rot_free_files();
    ck_assert_int_eq(base_killed(&rot_base, append_another), 0);
    rot_load_files();
    next = open(rot_files[rot_files_count - 1].path, O_WRONLY);
    rot_copy_files();
    read_contents(&rot_copy, &before);
    if (_i > 0) {
        ck_assert_int_eq(pwrite(_i == 1 ? torn : next, zeros, ROT_PAGE, 0),
                         ROT_PAGE);
    }
    close(torn);
    close(next);
    is_salvaged(&before, 0);
    rot_free_files();
}
END_TEST

static void
note_text(void *user, const struct acta_err *what)
{
    char *texts = user;
    size_t used = strlen(texts);

    ck_assert_uint_lt(used + sizeof(what->text) + 1, TEXTS_SIZE);
    snprintf(texts + used, TEXTS_SIZE - used, "%s\n", what->text);
}

/* @block with its directory damaged (0), or as one of an earlier (1) or a later
 * (2) place. To be freed.
 */
static uint8_t *
spoil_block(const struct block *block, int how)
{
    uint64_t first = how == 2 ? block->first_position + 1000000 : 1;
    uint8_t *spoilt = malloc(block->size);
    struct block_writer writer;

    block_writer_init(&writer, spoilt, first, block->count);
    for (uint64_t p = block->first_position; p < block_end(block); p++) {
        struct block_record record;

        ck_assert(block_find(block, p, &record));
        block_writer_add(&writer, &record);
    }
    (void)block_writer_end(&writer);
    spoilt[BLOCK_HEADER_SIZE] ^= how == 0;
    return spoilt;
}

/* True if a damaged block is told of, and all that is told is the same whatever
 * the steps.
 */
static bool
is_told_in_any_steps(void)
{
    static const uint64_t steps[] = {1, ROT_PAGE, STEP};
    static char expected[TEXTS_SIZE], told[TEXTS_SIZE];
    struct verify_options options = {
        .dir = rot_copy.path, .problem = note_text, .user = expected};

    expected[0] = '\0';
    (void)verify_in_steps(&options, UINT32_MAX);
    options.user = told;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        told[0] = '\0';
        (void)verify_in_steps(&options, steps[i]);
        ck_assert_str_eq(told, expected);
    }
    return strstr(expected, "the block of the log at position") != NULL;
}

/* _i: what spoil_block() does. */
START_TEST(a_damaged_block_of_the_log_is_told_of_once_in_any_steps)
{
    struct rot_file store;
    struct block block;
    size_t first, found = 0;

    rot_make(false);
    rot_load_files();
    rot_copy_files();
    base_open(&rot_copy);
    store = rot_files[0];
    snprintf(store.path, sizeof(store.path), "%s/store/data.mdb",
             rot_copy.path);
    for (size_t page = 2; page * ROT_PAGE < store.used; page++) {
        size_t at = page * ROT_PAGE + PAGE_HEADER;
        uint8_t *spoilt;

        if (is_in_block(&store, page, &first, &block) && first == page &&
            (_i != 1 || block.first_position != 1)) {
            spoilt = spoil_block(&block, _i);
            rot_write_file(&store, at, spoilt, block.size);
            found += is_told_in_any_steps();
            rot_write_file(&store, at, store.bytes + at, block.size);
            free(spoilt);
        }
    }
    ck_assert_uint_ge(found, 2);
    ck_assert_uint_eq(verify_live(), 0);
    base_close(&rot_copy);
    rot_free_files();
}
END_TEST

/* A journal that a server writes to: each block of it in turn. */
START_TEST(a_block_of_the_journal_that_is_damaged_is_found_on_line)
{
    static const uint8_t zeros[ROT_PAGE];
    char path[400];
    struct rot_file file;
    size_t tried = 0;

    base_open(&rot_copy);
    base_append_many(&rot_copy, "s-1", 1, 6, 100);
    ck_assert_uint_eq(verify_live(), 0);
    snprintf(path, sizeof(path), "%s/journal/segment-%016x", rot_copy.path, 1);
    rot_read_file(&file, path);
    for (size_t page = 0; page * ROT_PAGE < file.used && page < 7; page++) {
        rot_write_file(&file, page * ROT_PAGE, zeros, ROT_PAGE);
        ck_assert_uint_gt(verify_live(), 0);
        rot_write_file(&file, page * ROT_PAGE, file.bytes + page * ROT_PAGE,
                       ROT_PAGE);
        tried++;
    }
    ck_assert_uint_ge(tried, 7);
    ck_assert_uint_eq(verify_live(), 0);
    free(file.bytes);
}
END_TEST

/* While events are appended and moved to the store between its steps. */
START_TEST(a_whole_database_that_changes_is_said_to_be_whole)
{
    struct verify_options options = {.dir = rot_copy.path, .problem = let_go};
    struct verify_live *live;
    struct acta_err err;
    bool done = false;
    uint64_t id = 0;

    rot_copy.options.checkpoint_events = 100;
    base_open(&rot_copy);
    rot_append_some(&rot_copy);
    ck_assert_int_eq(verify_live_new(&live, database_rooms(rot_copy.database),
                                     &options, &err),
                     ACTA_OK);
    while (!done) {
        if (id < 300) { /* Three checkpoints, at least. */
            base_append_many(&rot_copy, "u-1", 10000 + id, 10, 50);
            id += 10;
        }
        ck_assert_int_eq(verify_live_step(live, 4096, &done, &err), ACTA_OK);
    }
    ck_assert_uint_eq(verify_live_report(live)->problems, 0);
    ck_assert_uint_gt(verify_live_report(live)->entries, 0);
    verify_live_free(live);
}
END_TEST

/* The whole store is gone: all is in the journal, or lost for good. */
START_TEST(a_database_without_its_store_is_salvaged_from_its_journal)
{
    static struct contents after; /* Large. */
    struct salvage_report report;
    struct told told;

    rot_base.options.checkpoint_events = 100000;
    base_open(&rot_base);
    rot_append_some(&rot_base);
    base_close(&rot_base);
    rot_load_files();
    ck_assert_int_eq(truncate(rot_files[0].path, 0), 0);
    salvage_all(&told, &report);
    ck_assert_uint_eq(report.head, 400);
    ck_assert_uint_eq(report.lost, 0);
    ck_assert_uint_gt(report.notes, 0);
    read_contents(&rot_copy, &after);
    ck_assert_uint_eq(after.count, 400);
    rot_free_files();
}
END_TEST

/* A promise must not vanish without a word: the server does not start, and says
 * why; salvaging leaves it out, and says so.
 */
START_TEST(a_lease_that_cannot_be_read_keeps_the_server_and_is_left_out)
{
    static const uint8_t key[] = {ROW_LEASE, 'l', 'e', 'a', 's', 'e'};
    struct salvage_report report;
    const uint8_t *found;
    struct acta_err err;
    struct told told;
    uint8_t byte;
    size_t at;

    rot_make(false);
    rot_load_files();
    found = memmem(rot_files[0].bytes, rot_files[0].size, key, sizeof(key));
    while (found != NULL) { /* On free pages as well. */
        at = (size_t)(found - rot_files[0].bytes) + sizeof(key) + 8;
        byte = rot_files[0].bytes[at] ^ 1;
        rot_write_file(&rot_files[0], at, &byte, 1);
        found =
            memmem(found + 1,
                   rot_files[0].size - (size_t)(found + 1 - rot_files[0].bytes),
                   key, sizeof(key));
    }
    ck_assert(is_found_off_line());
    ck_assert_int_eq(base_try(&rot_base, &err), ACTA_CORRUPT);
    ck_assert_msg(strstr(err.text, "row lease of the leases is damaged") !=
                      NULL,
                  "%s", err.text);
    salvage_all(&told, &report);
    ck_assert_uint_eq(told.lost, 0);
    ck_assert_uint_eq(told.notes, 1);
    base_open(&rot_copy);
    base_close(&rot_copy);
    rot_free_files();
}
END_TEST

START_TEST(nothing_is_salvaged_over_something_or_from_under_a_server)
{
    struct salvage_options options = {.from = rot_base.path,
                                      .to = rot_copy.path,
                                      .lost = on_lost,
                                      .note = on_note};
    struct salvage_report report;
    struct acta_err err;

    ck_assert_int_eq(salvage(&options, &report, &err), ACTA_NOT_FOUND);
    base_open(&rot_base);
    ck_assert_int_eq(salvage(&options, &report, &err), ACTA_IN_USE);
    base_close(&rot_base);
    base_open(&rot_copy);
    base_close(&rot_copy);
    ck_assert_int_eq(salvage(&options, &report, &err), ACTA_EXISTS);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("salvage");
    TCase *tcase = tcase_create("salvage");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 900);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, what_is_whole_is_salvaged_whole, 0, 2);
    tcase_add_loop_test(
        tcase,
        of_a_damaged_page_what_is_not_on_it_is_salvaged_and_it_is_found_on_line,
        -1, 4);
    tcase_add_test(tcase,
                   what_no_entry_says_of_itself_is_found_on_line_as_off_line);
    tcase_add_test(
        tcase,
        a_page_that_says_it_has_more_entries_is_found_on_line_as_off_line);
    tcase_add_test(tcase, what_is_said_of_a_table_is_found_on_line_as_off_line);
    tcase_add_test(
        tcase, of_a_block_that_a_cut_file_ends_in_the_beginning_is_salvaged);
    tcase_add_loop_test(
        tcase, a_damaged_block_of_the_log_is_told_of_once_in_any_steps, 0, 3);
    tcase_add_test(tcase,
                   a_block_of_the_journal_that_is_damaged_is_found_on_line);
    tcase_add_test(
        tcase, no_more_is_lost_than_there_was_whatever_a_damaged_count_says);
    tcase_add_test(tcase,
                   of_the_last_entry_a_damaged_count_is_noted_and_not_believed);
    tcase_add_loop_test(tcase, what_was_torn_and_passed_over_does_not_come_back,
                        0, 3);
    tcase_add_test(tcase, a_whole_database_that_changes_is_said_to_be_whole);
    tcase_add_test(tcase,
                   a_database_without_its_store_is_salvaged_from_its_journal);
    tcase_add_test(
        tcase, a_lease_that_cannot_be_read_keeps_the_server_and_is_left_out);
    tcase_add_test(tcase,
                   nothing_is_salvaged_over_something_or_from_under_a_server);
    return run_suite(suite);
}
