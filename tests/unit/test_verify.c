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
#include "rot.h"
#include "run.h"

#define ANY    MSG_EXPECT_ANY
#define ENOUGH 8 /* Tries, of which some must have had an effect. */

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
    struct verify_options options = {.dir = rot_base.path,
                                     .map_size =
                                         rot_base.options.store_map_size,
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
        struct verify_options options = {.dir = rot_base.path,
                                         .map_size =
                                             rot_base.options.store_map_size,
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

    rot_copy_files();
    base_open(&rot_copy);
    base_check(&rot_copy, sum_event, &sum);
    ck_assert_int_eq(reader_open(&reader, rot_copy.database, &err), ACTA_OK);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ck_assert_int_eq(reader_list_rows(reader, kinds[i], SLICE_NONE,
                                          SLICE_NONE, ACTA_PAGE_ROWS_MAX,
                                          sum_row, &sum, &at_end, &err),
                         ACTA_OK);
        ck_assert(at_end);
    }
    reader_close(reader);
    base_close(&rot_copy);
    return sum;
}

/* Damage was done: it is found, or has no effect. Then all is as it was. */
static bool
is_found(const struct rot_file *file, uint32_t expected)
{
    bool found = finds_damage();

    if (!found) {
        ck_assert_uint_eq(contents(), expected);
    }
    rot_restore(file);
    return found;
}

/* ---- tests ---- */

/* _i: after a close, or after a kill. */
START_TEST(a_whole_database_is_said_to_be_whole_and_stays_as_it_is)
{
    struct verify_report report;

    rot_make(_i == 1);
    rot_load_files();
    report = verify(ACTA_OK);
    ck_assert_msg(report.problems == 0, "%s", last_problem);
    ck_assert_uint_eq(report.events, _i == 1 ? 401 : 422);
    ck_assert_uint_eq(report.ids, report.events);
    ck_assert_uint_gt(report.lists, 30);
    ck_assert_uint_gt(report.rows, 8);
    ck_assert_uint_gt(report.pages, 40);
    ck_assert_uint_gt(report.entries, 0);
    ck_assert_uint_gt(report.segments, 0);
    for (size_t i = 0; i < rot_files_count; i++) {
        struct rot_file now;

        rot_read_file(&now, rot_files[i].path);
        ck_assert_uint_eq(now.size, rot_files[i].size);
        ck_assert_mem_eq(now.bytes, rot_files[i].bytes, now.size);
        free(now.bytes);
    }
    rot_free_files();
}
END_TEST

static bool
is_swept_and_erased(uint64_t count)
{
    struct database_stats stats;

    database_stats(rot_base.database, &stats);
    return stats.swept >= count && stats.erasures_pending == 0;
}

START_TEST(what_is_left_of_swept_and_erased_events_is_whole)
{
    struct verify_report report;
    unsigned waits = 0;

    rot_base.options.checkpoint_events = 100;
    rot_base.options.sweep_interval_ms = 10;
    base_open(&rot_base);
    rot_append_some(&rot_base);
    rot_decide_and_free(&rot_base, draft_change(&(struct msg_change){
                                       .stream = slice_of("s-1"),
                                       .kind = MSG_SET,
                                       .settings = {.truncate_before = 51},
                                       .given = MSG_HAS_TRUNCATE_BEFORE,
                                       .expected = ANY}));
    rot_decide_and_free(
        &rot_base, draft_change(&(struct msg_change){.stream = slice_of("t-3"),
                                                     .kind = MSG_ERASE,
                                                     .version = 1,
                                                     .expected = ANY}));
    while (!is_swept_and_erased(50)) {
        ck_assert_uint_lt(waits++, 6000);
        (void)poll(NULL, 0, 10);
    }
    base_close(&rot_base);
    report = verify(ACTA_OK);
    ck_assert_msg(report.problems == 0, "%s", last_problem);
    ck_assert_uint_eq(report.events, 400);
}
END_TEST

START_TEST(what_a_server_has_open_and_what_is_no_database_is_not_verified)
{
    base_open(&rot_base);
    (void)verify(ACTA_IN_USE);
    base_close(&rot_base);
    ck_assert_uint_eq(verify(ACTA_OK).problems, 0);
    tempdir_remove(&rot_base.dir);
    (void)verify(ACTA_NOT_FOUND);
    tempdir_make(&rot_base.dir);
}
END_TEST

/* _i: after a close, or after a kill. */
START_TEST(a_flipped_bit_is_found_or_has_no_effect)
{
    size_t stride, found = 0, tried = 0;
    uint32_t expected;
    struct rnd rnd;

    rnd_init(&rnd);
    rot_make(_i == 1);
    rot_load_files();
    stride = rot_stride_for(24);
    expected = contents();
    for (size_t f = 0; f < rot_files_count; f++) {
        size_t page = rnd_below(&rnd, stride);

        for (; page * ROT_PAGE < rot_files[f].used; page += stride) {
            /* In a page's beginning there is more that matters. */
            size_t at = page * ROT_PAGE +
                        rnd_below(&rnd, rnd_once_in(&rnd, 2) ? 64 : ROT_PAGE);
            uint8_t byte;

            byte = rot_files[f].bytes[at] ^ (uint8_t)(1u << rnd_below(&rnd, 8));
            rot_write_file(&rot_files[f], at, &byte, 1);
            found += is_found(&rot_files[f], expected);
            tried++;
        }
    }
    printf("%zu flips, %zu found\n", tried, found);
    ck_assert(found > 0 || tried < ENOUGH);
    rot_free_files();
}
END_TEST

/* _i: zeroed, doubled, swapped with its neighbour, cut off. */
START_TEST(a_page_that_is_not_what_it_was_is_found_or_has_no_effect)
{
    size_t stride, found = 0, tried = 0;
    uint32_t expected;
    struct rnd rnd;

    rnd_init(&rnd);
    rot_make(false);
    rot_load_files();
    stride = rot_stride_for(12);
    expected = contents();
    for (size_t f = 0; f < rot_files_count; f++) {
        size_t page = rnd_below(&rnd, stride);

        for (; page * ROT_PAGE < rot_files[f].used; page += stride) {
            rot_spoil(&rot_files[f], page, _i);
            found += is_found(&rot_files[f], expected);
            tried++;
        }
    }
    printf("%zu pages, %zu found\n", tried, found);
    ck_assert(found > 0 || tried < ENOUGH);
    rot_free_files();
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

    snprintf(path, sizeof(path), "%s/store", rot_base.path);
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
    {"postings", "\0", "the list of "},
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

    rot_make(false);
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
    rot_make(true);
    rot_load_files();
    ck_assert_int_eq(unlink(rot_files[rot_files_count - 1].path), 0);
    ck_assert_uint_gt(verify(ACTA_OK).problems, 0);
    rot_free_files();
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
