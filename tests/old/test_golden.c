/* A database that a version has left, with everything in it: events, some of
 * them erased and some hidden, commands, settings, consumers, groups with work
 * and parked events, leases, snapshots and schedules, in the store and, behind
 * that, in the journal only. Each later version shows the same, and one that
 * meets a newer format leaves it as it is.
 *
 * everything-N.tar.gz is the directory, everything-N.txt what tell() says of
 * it; ./make has made both.
 */

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "bytes.h"
#include "checksum.h"
#include "run.h"
#include "script.h"
#include "segment.h"
#include "store.h"
#include "tell.h"
#include "tempdir.h"

#define TEXT_MAX             ((size_t)16 << 20)
#define FILES_MAX            32
#define OPEN_DIRECTORIES_MAX 16
#define LATER_ID             99999999

static struct tempdir dir;
static struct base base;
static char *wanted; /* What it shows. */

static char *
read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    char *bytes;

    ck_assert_msg(file != NULL, "there is no %s", path);
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    bytes = calloc(1, (size_t)status.st_size + 1);
    ck_assert_ptr_nonnull(bytes);
    *size = fread(bytes, 1, (size_t)status.st_size, file);
    ck_assert_uint_eq(*size, (size_t)status.st_size);
    fclose(file);
    return bytes;
}

static void
write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "r+e");

    ck_assert_msg(file != NULL, "there is no %s", path);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void
unpack(unsigned version)
{
    char name[64], archive[400], command[900];
    size_t size;

    snprintf(name, sizeof(name), "tests/old/everything-%u.tar.gz", version);
    snprintf(archive, sizeof(archive), "%s", run_source(name));
    snprintf(command, sizeof(command), "tar -xzf %s -C %s", archive, dir.path);
    ck_assert_int_eq(system(command), 0);
    snprintf(name, sizeof(name), "tests/old/everything-%u.txt", version);
    wanted = read_file(run_source(name), &size);
}

static void
setup(void)
{
    tempdir_make(&dir);
    script_init(&base, tempdir_file(&dir, "main"));
    script_set_time(SCRIPT_STEPS);
    unpack(STORE_VERSION);
}

static void
teardown(void)
{
    base_close(&base);
    free(wanted);
    tempdir_remove(&dir);
}

/* ---- this version's own, and those of all before ---- */

static void
assert_shows_all(void)
{
    struct acta_err err;
    struct buf text;

    buf_init(&text, TEXT_MAX);
    ck_assert_msg(tell(&base, &text, &err), "%s", err.text);
    ck_assert_str_eq((const char *)buf_slice(&text).data, wanted);
    buf_fini(&text);
}

static void
do_nothing(struct base *of)
{
    (void)of;
}

START_TEST(everything_is_there_after_a_start_a_stop_and_a_kill)
{
    ck_assert_int_eq(base_killed(&base, do_nothing), 0);
    base_open(&base);
    assert_shows_all();
    base_close(&base);
    base_open(&base);
    assert_shows_all();
}
END_TEST

START_TEST(commands_are_known_and_what_is_new_comes_next)
{
    struct draft draft = {.id = LATER_ID};
    struct draft_write write = {"later-1", 0, &draft, 1};
    unsigned commands = 0;
    uint64_t head;

    base_open(&base);
    head = database_head(base.database);
    for (unsigned step = 1; step <= SCRIPT_STEPS; step++) {
        struct msg_append_more more = {.command_id = NULL};
        struct uuid id;
        struct job *job;

        if (!script_command(step, &id)) {
            continue;
        }
        more.command_id = id.bytes;
        job = draft_append_with(&write, 1, &more);
        ck_assert_int_eq(base_decide(&base, job), ACTA_OK);
        ck_assert(job->outcome.repeated);
        job_free(job);
        commands++;
    }
    ck_assert_uint_gt(commands, 1);
    ck_assert_int_eq(base_append(&base, "later-1", 0, &draft, 1), ACTA_OK);
    ck_assert_uint_eq(database_head(base.database), head + 1);
    ck_assert_uint_eq(base_version(&base, "later-1"), 1);
}
END_TEST

/* So that the start has to bring over what the journal has. */
START_TEST(its_journal_has_what_its_store_has_not)
{
    uint64_t head = strtoull(strstr(wanted, "\nhead ") + 6, NULL, 10);
    struct store *store;
    struct store_meta meta;
    struct acta_err err;
    char path[400];

    snprintf(path, sizeof(path), "%s/store", base.path);
    ck_assert_msg(store_open_still(&store, path, CORE_MAP_SIZE, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    ck_assert_int_eq(store_meta(store, &meta, &err), ACTA_OK);
    ck_assert_uint_gt(meta.position, 0);
    ck_assert_uint_lt(meta.position, head);
    store_close(store);
}
END_TEST

/* ---- a newer one ---- */

struct file {
    char path[400];
    char *bytes; /* owned */
    size_t size;
};

static struct file files[FILES_MAX];
static size_t files_count;

static int
keep_file(const char *path, const struct stat *status, int type,
          struct FTW *place)
{
    (void)status;
    /* Locks come and go with who opens it. */
    if (type == FTW_F && strstr(path + place->base, "lock") == NULL) {
        ck_assert_uint_lt(files_count, FILES_MAX);
        snprintf(files[files_count].path, sizeof(files[0].path), "%s", path);
        files[files_count].bytes = read_file(path, &files[files_count].size);
        files_count++;
    }
    return 0;
}

static void
keep_files(void)
{
    files_count = 0;
    ck_assert_int_eq(nftw(dir.path, keep_file, OPEN_DIRECTORIES_MAX, FTW_PHYS),
                     0);
    ck_assert_uint_gt(files_count, 1);
}

static size_t files_seen;

static int
compare_file(const char *path, const struct stat *status, int type,
             struct FTW *place)
{
    (void)status;
    if (type != FTW_F || strstr(path + place->base, "lock") != NULL) {
        return 0;
    }
    files_seen++;
    for (size_t i = 0; i < files_count; i++) {
        if (strcmp(files[i].path, path) == 0) {
            size_t size;
            char *bytes = read_file(path, &size);

            ck_assert_uint_eq(size, files[i].size);
            ck_assert_msg(memcmp(bytes, files[i].bytes, size) == 0,
                          "%s was changed", path);
            free(bytes);
            return 0;
        }
    }
    ck_abort_msg("%s was not there before", path);
    return 1;
}

static void
assert_untouched(void)
{
    files_seen = 0;
    ck_assert_int_eq(
        nftw(dir.path, compare_file, OPEN_DIRECTORIES_MAX, FTW_PHYS), 0);
    ck_assert_uint_eq(files_seen, files_count);
    for (size_t i = 0; i < files_count; i++) {
        free(files[i].bytes);
    }
}

/* Change what begins with @magic, wherever it is in files whose path has @name.
 */
static void
change_files(const char *name, const char *magic, void (*change)(uint8_t *at))
{
    unsigned changed = 0;

    keep_files();
    for (size_t i = 0; i < files_count; i++) {
        struct file *file = &files[i];
        char *at = file->bytes;

        if (strstr(file->path, name) != NULL) {
            while ((at = memmem(at, file->size - (size_t)(at - file->bytes),
                                magic, strlen(magic))) != NULL) {
                change((uint8_t *)at++);
                changed++;
            }
            write_file(file->path, file->bytes, file->size);
        }
        free(file->bytes);
    }
    ck_assert_uint_gt(changed, 0);
}

static void
assert_refuses_untouched(const char *text)
{
    struct acta_err err;

    keep_files();
    ck_assert_int_eq(base_try(&base, &err), ACTA_UNSUPPORTED);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    assert_untouched();
}

static void
make_store_newer(uint8_t *meta)
{
    meta[7] = '0' + STORE_VERSION + 1;
}

START_TEST(a_newer_store_is_refused_and_left_as_it_is)
{
    change_files("/data.mdb", "ACTASTO", make_store_newer);
    assert_refuses_untouched("store: it has format version 4, this program "
                             "knows 3");
}
END_TEST

/* A flag of what it does without, with the checksum that goes with it. */
static void
make_store_unknown(uint8_t *meta)
{
    meta[63] = 0x80;
    put_u32(meta + 8, checksum_extend(checksum_of(meta, 8), meta + 12, 52));
}

START_TEST(a_store_without_what_is_not_known_is_refused_and_left_as_it_is)
{
    change_files("/data.mdb", "ACTASTO", make_store_unknown);
    assert_refuses_untouched("it does without something that this program "
                             "does not know of");
}
END_TEST

static void
make_segment_newer(uint8_t *header)
{
    header[8] = SEGMENT_VERSION + 1;
}

START_TEST(a_newer_journal_is_refused_and_left_as_it_is)
{
    change_files("/segment-", "ACTAJNL", make_segment_newer);
    assert_refuses_untouched("it has format version 4, this program knows 3");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("golden");
    TCase *tcase = tcase_create("golden");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, everything_is_there_after_a_start_a_stop_and_a_kill);
    tcase_add_test(tcase, commands_are_known_and_what_is_new_comes_next);
    tcase_add_test(tcase, its_journal_has_what_its_store_has_not);
    tcase_add_test(tcase, a_newer_store_is_refused_and_left_as_it_is);
    tcase_add_test(
        tcase, a_store_without_what_is_not_known_is_refused_and_left_as_it_is);
    tcase_add_test(tcase, a_newer_journal_is_refused_and_left_as_it_is);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
