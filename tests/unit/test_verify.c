/* Verifying finds what is damaged: bits that were flipped, pages that are gone
 * or in another's place, and tables that do not say the same. What it does not
 * find has no effect.
 */

#include "verify.h"

#include <fcntl.h>
#include <lmdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "checksum.h"
#include "file.h"
#include "limit.h"
#include "msg_consumer.h"
#include "msg_lease.h"
#include "reader.h"
#include "rnd.h"
#include "run.h"

#define ANY       MSG_EXPECT_ANY
#define PAGE      4096u
#define FILES_MAX 16
#define HOUR      UINT64_C(3600000000)

static struct base base;
static struct base copy; /* Of its files, to be opened. */

/* ---- a database with something of everything ---- */

static struct draft
draft_of(uint64_t id)
{
    static const char *const tags[] = {"colour:red", "colour:blue", "big"};
    static const uint8_t data[300] = {'d'};

    return (struct draft){
        .id = id,
        .type = id % 2 == 0 ? "Made" : "Sold",
        .correlation = id % 7,
        .tags = {tags[id % 3], id % 5 == 0 ? "rare" : NULL},
        .data = slice_make(data, id % sizeof(data)),
    };
}

static void
append_some(struct base *of)
{
    struct draft drafts[10];
    uint64_t id = 0;

    for (unsigned a = 0; a < 40; a++) {
        char stream[32];

        for (size_t i = 0; i < 10; i++) {
            drafts[i] = draft_of(++id);
        }
        snprintf(stream, sizeof(stream), "%c-%u", a % 4 == 0 ? 's' : 't',
                 a % 4 == 0 ? 1 : a);
        ck_assert_int_eq(base_append(of, stream, ANY, drafts, 10), ACTA_OK);
    }
}

/* One that takes pages of its own. */
static void
append_large(struct base *of, uint64_t id)
{
    uint8_t *data = malloc(100000);
    struct draft draft = {.id = id, .data = slice_make(data, 100000)};

    memset(data, 'x', 100000);
    ck_assert_int_eq(base_append(of, "large-1", ANY, &draft, 1), ACTA_OK);
    free(data);
}

static void
decide_and_free(struct base *of, struct job *job)
{
    ck_assert_int_eq(base_decide(of, job), ACTA_OK);
    job_free(job);
}

static void
add_rows(struct base *of)
{
    static const uint8_t claim[UUID_SIZE] = {1}, command[UUID_SIZE] = {2};
    struct draft draft = {.id = 5000};
    struct draft_write write = {"later-1", ANY, &draft, 1};
    struct msg_schedule schedule = {
        .name = slice_of("later"), .due_us = HOUR, .is_delay = true};
    struct msg_snapshot snapshot = {
        .stream = slice_of("s-1"), .version = 3, .data = slice_of("state")};
    struct msg_append_more more = {.command_id = command,
                                   .schedules = &schedule,
                                   .schedules_count = 1,
                                   .snapshots = &snapshot,
                                   .snapshots_count = 1};
    struct buf buf;

    decide_and_free(of, draft_consumer(&(struct msg_change_consumer){
                            .name = slice_of("plain"),
                            .kind = MSG_CONSUMER_CLAIM,
                            .query = QUERY_ALL}));
    decide_and_free(of, draft_consumer(&(struct msg_change_consumer){
                            .name = slice_of("group"),
                            .kind = MSG_CONSUMER_CREATE,
                            .query = QUERY_ALL}));
    decide_and_free(
        of, draft_lease(&(struct msg_change_lease){.name = slice_of("lease"),
                                                   .kind = MSG_LEASE_ACQUIRE,
                                                   .holder = slice_of("me"),
                                                   .claim = claim,
                                                   .duration_us = HOUR}));
    decide_and_free(
        of, draft_change(&(struct msg_change){.stream = slice_of("t-1"),
                                              .kind = MSG_SET,
                                              .settings = {.max_count = 1000},
                                              .given = MSG_HAS_MAX_COUNT,
                                              .expected = ANY}));
    buf_init(&buf, SIZE_MAX);
    schedule.writes = draft_writes(&buf, &write, 1);
    decide_and_free(of, draft_append_with(NULL, 0, &more));
    buf_fini(&buf);
}

static void
fill(struct base *of)
{
    append_some(of);
    append_large(of, 1000);
    add_rows(of);
}

static void
fill_a_little(struct base *of)
{
    append_large(of, 2000);
    base_append_many(of, "s-1", 3000, 20, 100);
}

/* With one part in the store, and @killed or not with another in the journal.
 */
static void
make(bool killed)
{
    base.options.checkpoint_events = 150;
    base_open(&base);
    fill(&base);
    base_close(&base);
    base.options.checkpoint_events = 100000;
    if (killed) {
        ck_assert_int_eq(base_killed(&base, fill_a_little), 0);
    } else {
        base_open(&base);
        fill_a_little(&base);
        base_close(&base);
    }
}

static void
setup(void)
{
    base_init(&base);
    base_init(&copy);
}

static void
teardown(void)
{
    base_fini(&copy);
    base_fini(&base);
}

/* ---- verifying ---- */

static char last_problem[sizeof(((struct acta_err *)0)->text)];

static void
note_problem(void *user, const struct acta_err *what)
{
    (void)user;
    ck_assert_int_eq(what->code, ACTA_CORRUPT);
    snprintf(last_problem, sizeof(last_problem), "%s", what->text);
}

static struct verify_report
verify(enum acta_code expected)
{
    struct verify_options options = {.dir = base.path,
                                     .map_size = base.options.store_map_size,
                                     .problem = note_problem};
    struct verify_report report;
    struct acta_err err;
    enum acta_code code = verify_database(&options, &report, &err);

    last_problem[report.problems == 0 ? 0 : strlen(last_problem)] = '\0';
    ck_assert_msg(code == expected, "%s: %s", acta_code_name(code),
                  code == ACTA_OK ? "" : err.text);
    return report;
}

static void
let_go_of_problem(void *user, const struct acta_err *what)
{
    (void)user;
    (void)what;
}

/* In a process of its own. True if it finds something wrong; whatever it finds,
 * it comes to its end.
 */
static bool
finds_damage(void)
{
    int status;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct verify_options options = {.dir = base.path,
                                         .map_size =
                                             base.options.store_map_size,
                                         .problem = let_go_of_problem};
        struct verify_report report;
        struct acta_err err;

        if (verify_database(&options, &report, &err) != ACTA_OK) {
            fprintf(stderr, "verify: %s\n", err.text);
            _exit(2);
        }
        _exit(report.problems > 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "verifying ends by signal %d",
                  WTERMSIG(status));
    ck_assert_int_le(WEXITSTATUS(status), 1);
    return WEXITSTATUS(status) == 1;
}

/* ---- files ---- */

struct file {
    char path[400];
    uint8_t *bytes;
    size_t size;
    size_t used; /* What is behind it says nothing. */
};

static struct file files[FILES_MAX];
static size_t files_count;

static void
read_file(struct file *file, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    snprintf(file->path, sizeof(file->path), "%s", path);
    file->size = (size_t)status.st_size;
    file->bytes = malloc(file->size + 1);
    ck_assert_int_eq(read(fd, file->bytes, file->size), (ssize_t)file->size);
    close(fd);
    file->used = file->size;
    while (file->used > 0 && file->bytes[file->used - 1] == 0) {
        file->used--;
    }
}

static void
load_file(const char *path)
{
    ck_assert_uint_lt(files_count, FILES_MAX);
    read_file(&files[files_count++], path);
}

/* The last entry of the journal is not used for tests: damage to it looks as if
 * it had been torn, and nobody been told of it (J1 in journal.h).
 */
static void
leave_out_last_entry(struct file *newest)
{
    static const uint8_t magic[] = {'A', 'C', 'T', 'J'};
    size_t at = newest->used / PAGE * PAGE;

    while (memcmp(newest->bytes + at, magic, sizeof(magic)) != 0) {
        ck_assert_uint_gt(at, 0);
        at -= PAGE;
    }
    newest->used = at;
}

/* The store's file and all segments. */
static void
load_files(void)
{
    char path[400];

    files_count = 0;
    snprintf(path, sizeof(path), "%s/store/data.mdb", base.path);
    load_file(path);
    for (unsigned number = 1; number < 100; number++) {
        snprintf(path, sizeof(path), "%s/journal/segment-%016x", base.path,
                 number);
        if (access(path, F_OK) == 0) {
            load_file(path);
        }
    }
    ck_assert_uint_gt(files_count, 1);
    leave_out_last_entry(&files[files_count - 1]);
}

static void
free_files(void)
{
    while (files_count > 0) {
        free(files[--files_count].bytes);
    }
}

static void
write_file(const struct file *file, size_t at, const uint8_t *bytes,
           size_t size)
{
    int fd = open(file->path, O_RDWR);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, size, (off_t)at), (ssize_t)size);
    close(fd);
}

/* The file as it was. */
static void
restore(const struct file *file)
{
    ck_assert_int_eq(truncate(file->path, (off_t)file->size), 0);
    write_file(file, 0, file->bytes, file->size);
}

static void
make_dir(const char *name)
{
    char path[400];

    snprintf(path, sizeof(path), "%s%s", copy.path, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* The files as they are now. */
static void
copy_files(void)
{
    struct acta_err err;

    ck_assert_int_eq(file_remove_tree(copy.path, &err), ACTA_OK);
    make_dir("");
    make_dir("/store");
    make_dir("/journal");
    for (size_t i = 0; i < files_count; i++) {
        struct file now, to;

        snprintf(to.path, sizeof(to.path), "%s%s", copy.path,
                 files[i].path + strlen(base.path));
        read_file(&now, files[i].path);
        close(open(to.path, O_CREAT | O_EXCL | O_WRONLY, 0600));
        write_file(&to, 0, now.bytes, now.size);
        free(now.bytes);
    }
}

/* ---- what is in it ---- */

static void
sum_event(void *user, const struct event *event)
{
    uint32_t *sum = user;

    *sum = checksum_extend(*sum, event->content.data, event->content.size);
    *sum = checksum_extend(*sum, event->stream.data, event->stream.size);
}

static enum acta_code
sum_row(void *user, const struct row *row, struct acta_err *err)
{
    uint32_t *sum = user;

    (void)err;
    *sum = checksum_extend(*sum, row->key.data, row->key.size);
    *sum = checksum_extend(*sum, row->value.data, row->value.size);
    return ACTA_OK;
}

/* A sum of all events and rows, as a server reads them. */
static uint32_t
contents(void)
{
    static const enum row_kind kinds[] = {
        ROW_RETENTION, ROW_CONSUMER, ROW_CHECKPOINT, ROW_LEASE,
        ROW_SNAPSHOT,  ROW_SCHEDULE, ROW_SCHEDULED,  ROW_COUNTER};
    struct reader *reader;
    struct acta_err err;
    uint32_t sum = 0;
    bool at_end;

    copy_files();
    base_open(&copy);
    base_check(&copy, sum_event, &sum);
    ck_assert_int_eq(reader_open(&reader, copy.database, &err), ACTA_OK);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ck_assert_int_eq(reader_list_rows(reader, kinds[i], SLICE_NONE,
                                          SLICE_NONE, ACTA_PAGE_ROWS_MAX,
                                          sum_row, &sum, &at_end, &err),
                         ACTA_OK);
        ck_assert(at_end);
    }
    reader_close(reader);
    base_close(&copy);
    return sum;
}

/* Each how many-th page is tried, so that they are about @usual; in a long run
 * it is every one.
 */
static size_t
stride_for(unsigned usual)
{
    size_t pages = 0;

    for (size_t i = 0; i < files_count; i++) {
        pages += files[i].used / PAGE + 1;
    }
    return 1 + pages / rnd_effort(usual, UINT32_MAX);
}

/* Damage was done: it is found, or has no effect. Then all is as it was. */
static bool
is_found(const struct file *file, uint32_t expected)
{
    bool found = finds_damage();

    if (!found) {
        ck_assert_uint_eq(contents(), expected);
    }
    restore(file);
    return found;
}

/* ---- tests ---- */

/* _i: after a close, or after a kill. */
START_TEST(a_whole_database_is_said_to_be_whole_and_stays_as_it_is)
{
    struct verify_report report;

    make(_i == 1);
    load_files();
    report = verify(ACTA_OK);
    ck_assert_msg(report.problems == 0, "%s", last_problem);
    ck_assert_uint_eq(report.events, _i == 1 ? 401 : 422);
    ck_assert_uint_eq(report.ids, report.events);
    ck_assert_uint_gt(report.lists, 30);
    ck_assert_uint_gt(report.rows, 8);
    ck_assert_uint_gt(report.pages, 40);
    ck_assert_uint_gt(report.entries, 0);
    ck_assert_uint_gt(report.segments, 0);
    for (size_t i = 0; i < files_count; i++) {
        struct file now;

        read_file(&now, files[i].path);
        ck_assert_uint_eq(now.size, files[i].size);
        ck_assert_mem_eq(now.bytes, files[i].bytes, now.size);
        free(now.bytes);
    }
    free_files();
}
END_TEST

static bool
is_swept_and_erased(uint64_t count)
{
    struct database_stats stats;

    database_stats(base.database, &stats);
    return stats.swept >= count && stats.erasures_pending == 0;
}

START_TEST(what_is_left_of_swept_and_erased_events_is_whole)
{
    struct verify_report report;
    unsigned waits = 0;

    base.options.checkpoint_events = 100;
    base.options.sweep_interval_ms = 10;
    base_open(&base);
    append_some(&base);
    decide_and_free(&base, draft_change(&(struct msg_change){
                               .stream = slice_of("s-1"),
                               .kind = MSG_SET,
                               .settings = {.truncate_before = 51},
                               .given = MSG_HAS_TRUNCATE_BEFORE,
                               .expected = ANY}));
    decide_and_free(&base,
                    draft_change(&(struct msg_change){.stream = slice_of("t-3"),
                                                      .kind = MSG_ERASE,
                                                      .version = 1,
                                                      .expected = ANY}));
    while (!is_swept_and_erased(50)) {
        ck_assert_uint_lt(waits++, 6000);
        (void)poll(NULL, 0, 10);
    }
    base_close(&base);
    report = verify(ACTA_OK);
    ck_assert_msg(report.problems == 0, "%s", last_problem);
    ck_assert_uint_eq(report.events, 400);
}
END_TEST

START_TEST(what_a_server_has_open_and_what_is_no_database_is_not_verified)
{
    base_open(&base);
    (void)verify(ACTA_IN_USE);
    base_close(&base);
    ck_assert_uint_eq(verify(ACTA_OK).problems, 0);
    tempdir_remove(&base.dir);
    (void)verify(ACTA_NOT_FOUND);
    tempdir_make(&base.dir);
}
END_TEST

/* _i: after a close, or after a kill. */
START_TEST(a_flipped_bit_is_found_or_has_no_effect)
{
    size_t stride, found = 0, tried = 0;
    uint32_t expected;
    struct rnd rnd;

    rnd_init(&rnd);
    make(_i == 1);
    load_files();
    stride = stride_for(24);
    expected = contents();
    for (size_t f = 0; f < files_count; f++) {
        size_t page = rnd_below(&rnd, stride);

        for (; page * PAGE < files[f].used; page += stride) {
            /* In a page's beginning there is more that matters. */
            size_t at =
                page * PAGE + rnd_below(&rnd, rnd_once_in(&rnd, 2) ? 64 : PAGE);
            uint8_t byte;

            byte = files[f].bytes[at] ^ (uint8_t)(1u << rnd_below(&rnd, 8));
            write_file(&files[f], at, &byte, 1);
            found += is_found(&files[f], expected);
            tried++;
        }
    }
    printf("%zu flips, %zu found\n", tried, found);
    ck_assert_uint_gt(found, 0);
    free_files();
}
END_TEST

/* What becomes of a page: zeros, the page behind it, or nothing at all. */
static void
spoil(struct file *file, size_t page, int how)
{
    static const uint8_t zeros[PAGE];
    size_t at = page * PAGE;

    if (how == 0) {
        write_file(file, at, zeros, PAGE);
    } else if (how == 1 && at + 2 * PAGE <= file->size) {
        write_file(file, at, file->bytes + at + PAGE, PAGE);
    } else if (how == 2 && at + 2 * PAGE <= file->size) {
        write_file(file, at, file->bytes + at + PAGE, PAGE);
        write_file(file, at + PAGE, file->bytes + at, PAGE);
    } else {
        ck_assert_int_eq(truncate(file->path, (off_t)at), 0);
    }
}

/* _i: zeroed, doubled, swapped with its neighbour, cut off. */
START_TEST(a_page_that_is_not_what_it_was_is_found_or_has_no_effect)
{
    size_t stride, found = 0, tried = 0;
    uint32_t expected;
    struct rnd rnd;

    rnd_init(&rnd);
    make(false);
    load_files();
    stride = stride_for(12);
    expected = contents();
    for (size_t f = 0; f < files_count; f++) {
        size_t page = rnd_below(&rnd, stride);

        for (; page * PAGE < files[f].used; page += stride) {
            spoil(&files[f], page, _i);
            found += is_found(&files[f], expected);
            tried++;
        }
    }
    printf("%zu pages, %zu found\n", tried, found);
    ck_assert_uint_gt(found, 0);
    free_files();
}
END_TEST

/* ---- tables that do not say the same ---- */

/* Take the first entry at or behind a key out of a table. */
static void
take_out(const char *table, struct slice from)
{
    char path[400];
    MDB_cursor *cursor;
    MDB_val key = {from.size, (void *)(uintptr_t)from.data}, val;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    snprintf(path, sizeof(path), "%s/store", base.path);
    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 8), 0);
    ck_assert_int_eq(mdb_env_set_mapsize(env, CORE_MAP_SIZE), 0);
    ck_assert_int_eq(mdb_env_open(env, path, 0, 0600), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, table, 0, &dbi), 0);
    ck_assert_int_eq(mdb_cursor_open(txn, dbi, &cursor), 0);
    ck_assert_int_eq(mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE), 0);
    ck_assert_int_eq(mdb_cursor_del(cursor, 0), 0);
    mdb_cursor_close(cursor);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static const struct {
    const char *table;
    const char *from;
    const char *says;
} takings[] = {
    {"log", "\0\0\0\0\0\0\0\2", "goes on with position"},
    {"lists", "\4", "lists have not the same events"},
    {"postings", "\0", "list of kind"},
    {"ids", "\0", "ids are not those"},
    {"rows", "\5plain", "row plain of the checkpoints lacks another"},
    {"rows", "\6group", "row group of the consumers lacks another"},
    {"rows", "\14", "row later of the schedules lacks another"},
    {"meta", "m", "meta"},
};

#define TAKINGS (int)(sizeof(takings) / sizeof(takings[0]))

START_TEST(what_is_not_in_a_table_is_missed_in_the_others)
{
    const char *from = takings[_i].from;
    size_t size = strcmp(takings[_i].table, "log") == 0 ? 8 : strlen(from) + 1;

    make(false);
    ck_assert_uint_eq(verify(ACTA_OK).problems, 0);
    if (strcmp(takings[_i].table, "log") != 0 && size > 2) {
        size--; /* Without the end of the text. */
    }
    take_out(takings[_i].table, slice_make(from, size));
    ck_assert_uint_gt(verify(ACTA_OK).problems, 0);
    ck_assert_msg(strstr(last_problem, takings[_i].says) != NULL, "%s",
                  last_problem);
}
END_TEST

START_TEST(a_segment_that_is_gone_is_missed)
{
    make(true);
    load_files();
    ck_assert_int_eq(unlink(files[files_count - 1].path), 0);
    ck_assert_uint_gt(verify(ACTA_OK).problems, 0);
    free_files();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tcase = tcase_create("verify");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 600);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(
        tcase, a_whole_database_is_said_to_be_whole_and_stays_as_it_is, 0, 2);
    tcase_add_test(tcase, what_is_left_of_swept_and_erased_events_is_whole);
    tcase_add_test(
        tcase, what_a_server_has_open_and_what_is_no_database_is_not_verified);
    tcase_add_loop_test(tcase, a_flipped_bit_is_found_or_has_no_effect, 0, 2);
    tcase_add_loop_test(
        tcase, a_page_that_is_not_what_it_was_is_found_or_has_no_effect, 0, 4);
    tcase_add_loop_test(tcase, what_is_not_in_a_table_is_missed_in_the_others,
                        0, TAKINGS);
    tcase_add_test(tcase, a_segment_that_is_gone_is_missed);
    return run_suite(suite);
}
