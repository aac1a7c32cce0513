/* Each call of the system and each allocation that the journal makes fails in
 * turn: what it was for is refused, for the reason there is, or done all the
 * same; and the next start finds all that was written, and goes on. What fails
 * for the keeper's thread is tried again.
 */

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "file_calls.h"
#include "journal_cursor.h"
#include "journal_files.h"
#include "journal_fixture.h"
#include "nap.h"
#include "run.h"

#define CALLS_MAX  200
#define ENTRY_SIZE 350000 /* Three fill a segment, or nearly. */
#define ENTRIES    5
#define NEEDLE     "a needle in the first entry"
#define PART_SIZE  ((size_t)400000) /* No part of a segment. */
#define ODD_SPARE  "spare-00000000000000ee"

/* A journal that is at work, in several segments. */
static void
begin(void)
{
    static char data[ENTRY_SIZE] = NEEDLE;
    struct acta_err err;

    setup();
    journal_sync = fdatasync; /* That of file_calls.c. */
    open_journal();
    start_journal();
    assert_ok(write_entry(1, ENTRY_SIZE, data, &err), &err);
    write_entries(ENTRIES - 1, 1, ENTRY_SIZE);
}

/* ---- what a journal does ---- */

/* An assertion would allocate. */
static void
must(bool condition)
{
    if (!condition) {
        ck_abort();
    }
}

static enum acta_code
count(void *user, const struct journal_entry *entry, struct acta_err *err)
{
    (void)entry;
    (void)err;
    ++*(uint64_t *)user;
    return ACTA_OK;
}

/* Two spares, and one that is of no use. */
static void
prepare_opening(void)
{
    FILE *odd;

    release(3);
    close_journal();
    odd = fopen(tempdir_file(&dir, ODD_SPARE), "w");
    ck_assert_ptr_nonnull(odd);
    fclose(odd);
}

static enum acta_code
open_and_replay(struct acta_err *err)
{
    enum acta_code code = journal_open(&journal, &options, err);
    uint64_t entries = 0, last;

    if (code == ACTA_OK) {
        code = journal_replay(journal, released, count, &entries, &last, err);
    }
    must(code != ACTA_OK || entries == sequence - released);
    return code;
}

static void
prepare_start(void)
{
    close_journal();
    open_journal();
}

static enum acta_code
start(struct acta_err *err)
{
    return journal_start(journal, sequence + 1, position + 1, err);
}

static void
prepare_nothing(void)
{
}

/* An entry without events, in a segment of its own that has room for @size. */
static enum acta_code
write_in_next(size_t size, struct acta_err *err)
{
    struct journal_entry entry = {
        .sequence = sequence + 1,
        .first_position = position + 1,
        .time_us = CORE_TIME_US + sequence,
    };
    enum acta_code code = journal_reserve(journal, size, err);

    if (code == ACTA_FULL) { /* Then nothing has changed. */
        (void)file_calls_succeed();
        must(journal_reserve(journal, size, NULL) == ACTA_OK);
        return code;
    }
    if (code == ACTA_OK && journal_prepare(journal, 6 * SEGMENT) == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "prepare");
    }
    if (code == ACTA_OK) {
        code = journal_write(journal, &entry, err);
    }
    sequence += code == ACTA_OK;
    return code;
}

static enum acta_code
write_on(struct acta_err *err)
{
    return write_in_next(SEGMENT - SEGMENT_HEADER_SIZE, err);
}

static enum acta_code
write_much(struct acta_err *err)
{
    return write_in_next(2 * SEGMENT, err);
}

/* More than there are to be spares, and one of another size. */
static void
prepare_release(void)
{
    write_entries(1, 1, 2 * SEGMENT);
    write_entries(2 * ENTRIES, 1, ENTRY_SIZE);
}

static enum acta_code
let_all_go(struct acta_err *err)
{
    released = sequence;
    return journal_release(journal, sequence, err);
}

static bool
is_needle_in(const char *name)
{
    static char bytes[2 * SEGMENT];
    FILE *file = fopen(tempdir_file(&dir, name), "rb");
    size_t size;

    ck_assert_ptr_nonnull(file);
    size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    return memmem(bytes, size, NEEDLE, strlen(NEEDLE)) != NULL;
}

static bool
is_needle_there(void)
{
    DIR *list = opendir(dir.path);
    struct dirent *entry;
    bool found = false;

    ck_assert_ptr_nonnull(list);
    while (!found && (entry = readdir(list)) != NULL) {
        found = entry->d_name[0] != '.' && is_needle_in(entry->d_name);
    }
    closedir(list);
    return found;
}

static void
prepare_wipe(void)
{
    release(3);
    ck_assert(is_needle_there());
}

/* Whatever fails: when it says that nothing is left, nothing is. */
static enum acta_code
wipe(struct acta_err *err)
{
    const char *failed;

    (void)err;
    while (journal_wipe(journal, released, PART_SIZE) == JOURNAL_WIPES_ON) {
    }
    failed = file_calls_succeed();
    ck_assert_msg(!is_needle_there(), "%s", failed);
    return ACTA_OK;
}

static enum acta_code
read_behind(struct acta_err *err)
{
    struct journal_cursor *cursor = journal_cursor_open(journal, 0);
    enum acta_code code = ACTA_OK;
    struct buf out;

    buf_init(&out, 2 * (size_t)SEGMENT);
    if (cursor == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "cursor");
    }
    while (code == ACTA_OK && journal_cursor_done(cursor) < sequence) {
        buf_clear(&out);
        code = journal_cursor_read(cursor, sequence, SEGMENT, &out, err);
    }
    journal_cursor_close(cursor);
    buf_fini(&out);
    return code;
}

static enum acta_code
end(struct acta_err *err)
{
    (void)err;
    journal_end(journal);
    return ACTA_OK;
}

/* ---- failing ---- */

struct deed {
    const char *name;
    void (*prepare)(void);
    enum acta_code (*act)(struct acta_err *err);
    bool forgives;    /* It may do without what fails. */
    size_t calls_min; /* It makes so many calls. */
};

static const struct deed deeds[] = {
    {"open", prepare_opening, open_and_replay, true, 20},
    {"start", prepare_start, start, true, 12},
    {"write on", prepare_nothing, write_on, false, 8},
    {"write much", prepare_nothing, write_much, false, 12},
    {"release", prepare_release, let_all_go, true, 10},
    {"wipe", prepare_wipe, wipe, true, 5},
    {"read", prepare_nothing, read_behind, false, 10},
    {"end", prepare_nothing, end, true, 2},
};

/* The next start finds all of it, and goes on. */
static void
end_well(void)
{
    uint64_t acknowledged = sequence;

    close_journal();
    restart();
    ck_assert_uint_ge(sequence, acknowledged);
    ck_assert_uint_le(sequence, acknowledged + 1); /* Its outcome is unknown. */
    write_entries(3, 1, ENTRY_SIZE);
    release(sequence);
    write_entries(1, 1, 10);
    restart();
    teardown();
}

/* Let call number @nth fail. Returns its name, or NULL if there is none. */
static const char *
fail_one(const struct deed *deed, size_t nth, int error)
{
    struct acta_err err = {.code = ACTA_OK};
    enum acta_code code;
    const char *failed;

    begin();
    deed->prepare();
    file_calls_fail(nth, 1, error);
    code = deed->act(&err);
    failed = file_calls_succeed();
    ck_assert_msg(failed != NULL ? code == ACTA_IO || code == ACTA_FULL ||
                                       code == ACTA_MEMORY ||
                                       (code == ACTA_OK && deed->forgives)
                                 : code == ACTA_OK,
                  "%s, call %zu, %s: %s (%s)", deed->name, nth,
                  failed == NULL ? "all well" : failed, acta_code_name(code),
                  err.text);
    end_well();
    return failed;
}

START_TEST(a_call_that_fails_loses_nothing)
{
    static const int errors[] = {EIO, ENOSPC};
    const struct deed *deed = &deeds[_i];

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        size_t nth = 0;

        while (fail_one(deed, nth, errors[i]) != NULL) {
            ck_assert_uint_lt(++nth, CALLS_MAX);
        }
        ck_assert_msg(nth >= deed->calls_min, "%s: only %zu calls", deed->name,
                      nth);
    }
}
END_TEST

/* It says so when a file is opened for them. */
START_TEST(a_file_system_without_direct_writes_will_do)
{
    const char *failed = "";
    struct acta_err err;

    for (size_t nth = 0; strcmp(failed, "open64") != 0; nth++) {
        enum acta_code code;

        begin();
        file_calls_fail(nth, 1, EINVAL);
        code = write_on(&err);
        failed = file_calls_succeed();
        ck_assert_ptr_nonnull(failed);
        ck_assert(strcmp(failed, "open64") != 0 || code == ACTA_OK);
        end_well();
    }
}
END_TEST

/* What was read as whole, and may not have been synced, is to be seen by
 * nobody: a disk without space makes that no better.
 */
START_TEST(a_last_segment_that_cannot_be_synced_is_no_start)
{
    static const char *const calls[] = {"open64", "fdatasync"};
    struct acta_err err;

    begin();
    prepare_start();
    file_calls_fail((size_t)_i, 1, ENOSPC);
    ck_assert_int_eq(start(&err), ACTA_FULL);
    ck_assert_str_eq(file_calls_succeed(), calls[_i]);
    end_well();
}
END_TEST

static bool
is_larger_there(void)
{
    DIR *list = opendir(dir.path);
    struct dirent *entry;
    bool found = false;

    ck_assert_ptr_nonnull(list);
    while (!found && (entry = readdir(list)) != NULL) {
        struct stat status;

        ck_assert_int_eq(fstatat(dirfd(list), entry->d_name, &status, 0), 0);
        found = S_ISREG(status.st_mode) && (uint64_t)status.st_size > SEGMENT;
    }
    closedir(list);
    return found;
}

/* Have call number @nth fail, as on a full disk, while a segment is begun with
 * room for @size. Returns its name, or NULL if there is none.
 */
static const char *
fail_to_begin(size_t size, size_t nth)
{
    struct acta_err err = {.code = ACTA_OK};
    enum acta_code code;
    const char *failed;

    begin();
    prepare_wipe();
    file_calls_fail(nth, 1, ENOSPC);
    code = journal_reserve(journal, size, &err);
    failed = file_calls_succeed();
    if (code == ACTA_FULL) {
        write_entries(1, 1, 10); /* In the segment that there was. */
        (void)wipe(NULL);
        ck_assert_msg(!is_larger_there(), "%s", failed);
    }
    end_well();
    return failed;
}

/* What does not fit is refused, and what does is written; no file is forgotten:
 * what is to be wiped in it is, and its space is not lost.
 */
START_TEST(a_segment_that_cannot_be_begun_changes_nothing)
{
    size_t size = _i == 0 ? SEGMENT - SEGMENT_HEADER_SIZE : 2 * SEGMENT;
    size_t nth = 0;

    while (fail_to_begin(size, nth) != NULL) {
        ck_assert_uint_lt(++nth, CALLS_MAX);
    }
}
END_TEST

/* It is put off until one of both can be done. */
START_TEST(what_can_neither_be_wiped_nor_removed_is_waited_for)
{
    enum journal_wiped wiped;

    begin();
    prepare_wipe();
    file_calls_fail(0, 2, EIO);
    wiped = journal_wipe(journal, released, PART_SIZE);
    ck_assert_str_eq(file_calls_succeed(), "unlink");
    ck_assert_int_eq(wiped, JOURNAL_WAITS);
    ck_assert(is_needle_there());
    (void)wipe(NULL);
    end_well();
}
END_TEST

/* ---- the keeper ---- */

static pthread_t tester;
static atomic_bool is_armed;
static size_t keeper_nth; /* Behind a sync of its first spare, that with 0. */
static const char *_Atomic keeper_failed;

static int
sync_of_keeper(int fd)
{
    const char *failed;

    if (pthread_equal(pthread_self(), tester)) {
        return fdatasync(fd);
    }
    failed = file_calls_succeed();
    if (failed != NULL) {
        atomic_store(&keeper_failed, failed);
    }
    if (atomic_exchange(&is_armed, false)) {
        file_calls_fail(keeper_nth, 1, ENOSPC);
    }
    return fdatasync(fd);
}

/* There is always one, so the writer does not come upon it. */
START_TEST(a_spare_that_cannot_be_made_is_made_later)
{
    static const char *const calls[] = {
        "fdatasync",         "malloc", "open64",
        "posix_fallocate64", "calloc", "pwrite64",
    };

    setup();
    tester = pthread_self();
    keeper_nth = (size_t)_i;
    atomic_store(&keeper_failed, NULL);
    atomic_store(&is_armed, true);
    journal_sync = sync_of_keeper;
    open_journal();
    start_journal();
    for (size_t count = 2; count < 5; count++) {
        wait_for_keeper();
        write_segments(count);
    }
    wait_for_keeper();
    ck_assert_ptr_nonnull(atomic_load(&keeper_failed));
    ck_assert_str_eq(atomic_load(&keeper_failed), calls[_i]);
    end_well();
}
END_TEST

/* Fail, but only once it is to stop. */
static int
sync_until_stopped(int fd)
{
    struct journal_files *files = journal_files_of(journal);
    bool is_stopping = false;

    if (pthread_equal(pthread_self(), tester)) {
        return fdatasync(fd);
    }
    atomic_store(&is_armed, true);
    while (!is_stopping) {
        nap_us(1000);
        pthread_mutex_lock(&files->lock);
        is_stopping = files->stopping;
        pthread_mutex_unlock(&files->lock);
    }
    errno = EIO;
    return -1;
}

static atomic_bool is_to_go_on;

static int
sync_when_told(int fd)
{
    while (!pthread_equal(pthread_self(), tester) &&
           !atomic_load(&is_to_go_on)) {
        nap_us(1000);
    }
    return fdatasync(fd);
}

/* There are no spares, and what is to be gone is in the newest segment. */
START_TEST(a_wipe_waits_for_the_first_spare)
{
    bool turned = false;

    setup();
    tester = pthread_self();
    atomic_store(&is_to_go_on, false);
    journal_sync = sync_when_told;
    open_journal();
    start_journal();
    write_entries(1, 1, 10);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(journal_wipe(journal, sequence, PART_SIZE),
                         JOURNAL_WAITS);
        ck_assert(!journal_wants_turn(journal));
    }
    atomic_store(&is_to_go_on, true);
    wait_for_keeper();
    ck_assert_int_eq(journal_turn(journal, &turned, NULL), ACTA_OK);
    ck_assert(turned);
    end_well();
}
END_TEST

/* The only spare has what is to be gone, and cannot be wiped: the keeper makes
 * a clean one for the newest segment, which has some of it, too.
 */
START_TEST(a_clean_spare_is_made_beside_one_that_is_not)
{
    struct acta_err err;
    bool turned = false;

    begin();
    prepare_wipe();
    for (unsigned i = 0; i < 2; i++) {
        file_calls_fail(0, 2, EIO);
        ck_assert_int_eq(journal_wipe(journal, sequence, PART_SIZE),
                         JOURNAL_WAITS);
        ck_assert_str_eq(file_calls_succeed(), "unlink");
        while (!journal_wants_turn(journal)) {
            nap_us(1000);
        }
        assert_ok(journal_turn(journal, &turned, &err), &err);
        ck_assert(turned);
        write_entries(1, 1, 10);
    }
    released = sequence - 1;
    assert_ok(journal_release(journal, released, &err), &err);
    (void)wipe(NULL);
    end_well();
}
END_TEST

START_TEST(a_keeper_that_fails_as_it_is_stopped_does_not_try_again)
{
    setup();
    tester = pthread_self();
    atomic_store(&is_armed, false);
    journal_sync = sync_until_stopped;
    open_journal();
    start_journal();
    while (!atomic_load(&is_armed)) {
        nap_us(1000);
    }
    close_journal();
    ck_assert_uint_eq(count_files("spare-"), 0);
    journal_sync = fdatasync;
    restart();
    write_entries(3, 1, ENTRY_SIZE);
    end_well();
}
END_TEST

/* Its content is still to be found, then, when it is to be wiped. */
START_TEST(a_spare_that_cannot_be_removed_is_not_forgotten)
{
    begin();
    release(4);
    ck_assert(is_needle_there());
    file_calls_fail_of("unlink", 0, 1, EIO);
    journal_drop_spares(journal);
    ck_assert_str_eq(file_calls_succeed(), "unlink");
    ck_assert(is_needle_there());
    (void)wipe(NULL);
    end_well();
}
END_TEST

/* By somebody else. */
START_TEST(spares_that_are_removed_already_are_given_up)
{
    uint64_t before;

    begin();
    wait_for_keeper();
    release(4);
    before = journal_size(journal);
    file_calls_fail_of("unlink", 0, SIZE_MAX, ENOENT);
    journal_drop_spares(journal);
    ck_assert_str_eq(file_calls_succeed(), "unlink");
    ck_assert_uint_lt(journal_size(journal), before);
    end_well();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("journal_failing");
    TCase *tcase = tcase_create("journal_failing");

    tcase_set_timeout(tcase, 600);
    tcase_add_loop_test(tcase, a_call_that_fails_loses_nothing, 0,
                        (int)(sizeof(deeds) / sizeof(deeds[0])));
    tcase_add_loop_test(tcase, a_last_segment_that_cannot_be_synced_is_no_start,
                        0, 2);
    tcase_add_loop_test(tcase, a_segment_that_cannot_be_begun_changes_nothing,
                        0, 2);
    tcase_add_test(tcase, a_file_system_without_direct_writes_will_do);
    tcase_add_test(tcase, what_can_neither_be_wiped_nor_removed_is_waited_for);
    tcase_add_loop_test(tcase, a_spare_that_cannot_be_made_is_made_later, 0, 6);
    tcase_add_test(tcase,
                   a_keeper_that_fails_as_it_is_stopped_does_not_try_again);
    tcase_add_test(tcase, a_wipe_waits_for_the_first_spare);
    tcase_add_test(tcase, a_clean_spare_is_made_beside_one_that_is_not);
    tcase_add_test(tcase, a_spare_that_cannot_be_removed_is_not_forgotten);
    tcase_add_test(tcase, spares_that_are_removed_already_are_given_up);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
