/* States of an archive's directory that a power cut may leave while backups are
 * taken: what is done to it is recorded (shim/trace.c), and for moments of the
 * record states are made in which some of what was not synced has arrived and
 * some has not (disk.h). Each must have the last backup that was complete by
 * then, or the one that was under way as a whole: every byte of it is read.
 *
 * The controls are disks that leave out one kind of sync: each must be found
 * out.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "run.h"
#include "take.h"

#define BACKUPS     12
#define STATES      300
#define STATES_LONG 20000
#define A_MOMENT    3 /* States, after a lie. */

static struct tempdir tempdir;
static struct rnd rnd;
static uint64_t seed;

/* The last commits of the backups, in order; the first is 0: there is none. */
static uint64_t sequences[BACKUPS + 1];
static size_t sequences_count;

static void
record(void)
{
    char preload[600], root[400], trace[400], notes[400], archive[400];
    char database[400], to[40], program[600];
    char *environment[] = {preload, root,     trace, notes,
                           archive, database, to,    NULL};
    char *arguments[] = {program, NULL};
    char notes_shown[400];
    int status;
    pid_t child;

    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
             run_build("tests/fault/libtrace.so"));
    snprintf(program, sizeof(program), "%s",
             run_build("tests/backup/work_backups"));
    snprintf(root, sizeof(root), TRACE_DIR "=%s/disk", tempdir.path);
    snprintf(trace, sizeof(trace), TRACE_FILE "=%s/trace", tempdir.path);
    snprintf(notes_shown, sizeof(notes_shown), TRACE_NOTES "=%s/notes",
             tempdir.path);
    snprintf(notes, sizeof(notes), "WORK_NOTES=%s/notes", tempdir.path);
    snprintf(archive, sizeof(archive), "WORK_ARCHIVE=%s/disk/archive",
             tempdir.path);
    snprintf(database, sizeof(database), "WORK_DATABASE=%s/main", tempdir.path);
    snprintf(to, sizeof(to), "WORK_TO=%d", BACKUPS);
    ck_assert_int_eq(mkdir(tempdir_file(&tempdir, "disk"), 0700), 0);
    child = fork();
    if (child == 0) {
        putenv(notes_shown);
        for (size_t i = 0; environment[i] != NULL; i++) {
            putenv(environment[i]);
        }
        execv(program, arguments);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void
read_notes(void)
{
    FILE *file = fopen(tempdir_file(&tempdir, "notes"), "re");

    ck_assert_ptr_nonnull(file);
    while (sequences_count <= BACKUPS &&
           fscanf(file, "%" SCNu64, &sequences[sequences_count]) == 1) {
        sequences_count++;
    }
    fclose(file);
    ck_assert_uint_eq(sequences_count, BACKUPS + 1);
}

static void
setup(void)
{
    rnd_init(&rnd);
    seed = rnd.state;
    tempdir_make(&tempdir);
    record();
    read_notes();
}

static void
teardown(void)
{
    tempdir_remove(&tempdir);
}

/* ---- states ---- */

struct counts {
    unsigned moments;
    unsigned states;
    unsigned old; /* That had the last complete one, */
    unsigned new; /* and those that had the one under way. */
    unsigned bad;
};

/* What is in the archive at @dir: NOT_FOUND, or CORRUPT, or its last commit. */
static enum acta_code
look(const char *dir, uint64_t *sequence, struct acta_err *err)
{
    struct archive archive;
    enum acta_code code = archive_open(&archive, dir, err);

    *sequence = 0;
    if (code == ACTA_OK) {
        *sequence = archive_last(&archive)->sequence;
        code = archive_verify(&archive, NULL, NULL, err);
    }
    archive_close(&archive);
    return code;
}

/* @done backups are complete. */
static void
try_state(struct disk *disk, size_t done, struct counts *counts)
{
    enum disk_draw draw = (enum disk_draw)rnd_below(&rnd, DISK_DRAWS);
    size_t block_size = rnd_below(&rnd, 2) == 0 ? 512 : 4096;
    struct acta_err err = {.code = ACTA_OK, .text = ""};
    struct tempdir state;
    enum acta_code code;
    uint64_t sequence;
    char path[300];

    snprintf(state.path, sizeof(state.path), "%.200s/state", tempdir.path);
    ck_assert_int_eq(mkdir(state.path, 0700), 0);
    disk_write(disk, state.path, draw, block_size, rnd_below(&rnd, 2) == 0,
               &rnd);
    snprintf(path, sizeof(path), "%s/archive", state.path);
    code = look(path, &sequence, &err);
    counts->states++;
    if ((code == ACTA_OK || (code == ACTA_NOT_FOUND && done == 0)) &&
        sequence == sequences[done]) {
        counts->old++;
    } else if (code == ACTA_OK && done < BACKUPS &&
               sequence == sequences[done + 1]) {
        counts->new ++;
    } else {
        counts->bad++;
        printf("%zu complete, the last with commit %" PRIu64
               ": found %s, %" PRIu64 ": %s\n",
               done, sequences[done], acta_code_name(code), sequence, err.text);
    }
    tempdir_remove(&state);
}

static unsigned
count_moments(void)
{
    struct disk *disk = disk_open(DISK_HONEST);
    unsigned moments = 0;

    disk_follow(disk, tempdir_file(&tempdir, "trace"));
    while (disk_step(disk)) {
        moments += disk_pending(disk) > 0;
    }
    disk_close(disk);
    return moments;
}

static struct counts
try_record(enum disk_lie lie, unsigned states, unsigned moments)
{
    struct disk *disk = disk_open(lie);
    struct counts counts = {.states = 0};
    size_t notes = 0;
    const char *bytes;

    disk_follow(disk, tempdir_file(&tempdir, "trace"));
    while (counts.bad == 0 && disk_step(disk)) {
        notes += disk_last(disk, &bytes)->kind == TRACE_NOTE;
        if (disk_pending(disk) == 0 ||
            (lie != DISK_HONEST && !disk_has_lied(disk))) {
            continue;
        }
        counts.moments++;
        while (counts.bad == 0 &&
               counts.states < (uint64_t)counts.moments * states / moments) {
            try_state(disk, notes == 0 ? 0 : notes - 1, &counts);
        }
    }
    disk_close(disk);
    printf("{\"test\": \"backup states, %s\", \"seed\": %" PRIu64
           ", \"moments\": %u, \"states\": %u, \"old\": %u, \"new\": %u, "
           "\"bad\": %u}\n",
           disk_lie_name(lie), seed, counts.moments, counts.states, counts.old,
           counts.new, counts.bad);
    return counts;
}

START_TEST(a_power_cut_leaves_the_last_backup_or_the_next_one)
{
    struct counts counts = try_record(
        DISK_HONEST, rnd_effort(STATES, STATES_LONG), count_moments());

    ck_assert_uint_eq(counts.bad, 0);
    ck_assert_uint_gt(counts.old, 0);
    ck_assert_uint_gt(counts.new, 0);
}
END_TEST

START_TEST(a_sync_that_is_left_out_is_found_out)
{
    struct counts counts = try_record((enum disk_lie)_i, A_MOMENT, 1);

    ck_assert_uint_gt(counts.bad, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("backup_states");
    TCase *tcase = tcase_create("backup_states");

    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 3600);
    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_power_cut_leaves_the_last_backup_or_the_next_one);
    tcase_add_loop_test(tcase, a_sync_that_is_left_out_is_found_out,
                        DISK_LIES + 1, DISK_LIES_END);
    return run_suite(suite);
}
