/* States that a power cut may leave: a database is worked with while all that
 * it does to its files is recorded (shim/trace.c), in several lives, some of
 * which end in a kill. Then, for moments of that record, states of the disk are
 * made in which some of what was not synced has arrived and some has not
 * (disk.h). Each is opened, and must have everything that was acknowledged at
 * that moment, and nothing by halves (past.h).
 *
 * The controls are disks that leave out one kind of sync, as if the server did
 * not have it: each must be found out.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "run.h"
#include "scene.h"
#include "work.h"

#define STATES       400
#define STATES_LONG  30000
#define A_MOMENT     2 /* States, after a lie; it ends with the first bad one. */
#define GOES_ON_ONCE 8
#define PATIENCE_MS  60000

/* The lives of the database that is recorded. The last one only starts and
 * stops.
 */
static const struct {
    unsigned to;
    bool closes;
} lives[] = {
    {20, false}, {21, false}, {52, false}, {70, true}, {96, true}, {96, true},
};

#define LIVES (sizeof(lives) / sizeof(lives[0]))

/* ---- recording ---- */

static void
live(unsigned from, unsigned to, bool closes)
{
    char preload[600], root[600], trace[600], notes[600];
    const char *const extra[] = {preload, root, trace, notes, NULL};
    struct work work = {
        .path = scene_path("disk/main"),
        .notes = scene_path("notes"),
        .from = from,
        .to = to,
        .closes = closes,
        .patience_ms = PATIENCE_MS,
        .extra = extra,
        .said = scene_path("said"),
    };

    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
             run_build("tests/fault/libtrace.so"));
    snprintf(root, sizeof(root), TRACE_DIR "=%s/disk", scene.dir.path);
    snprintf(trace, sizeof(trace), TRACE_FILE "=%s/trace", scene.dir.path);
    snprintf(notes, sizeof(notes), TRACE_NOTES "=%s/notes", scene.dir.path);
    ck_assert_int_eq(work_run(&work), 0);
}

static void
record(void)
{
    unsigned from = 1;

    ck_assert_int_eq(mkdir(scene_path("disk"), 0700), 0);
    for (size_t i = 0; i < LIVES; i++) {
        live(from, lives[i].to, lives[i].closes);
        from = lives[i].to + 1;
    }
}

static void
setup(void)
{
    scene_setup();
    record();
}

/* ---- states ---- */

struct counts {
    unsigned operations;
    unsigned moments; /* At which something was on its way. */
    unsigned states;
    unsigned bad;
};

static void
see_note(const struct disk *disk, struct progress *progress)
{
    const char *bytes;
    const struct trace_op *op = disk_last(disk, &bytes);

    if (op->kind == TRACE_NOTE) {
        progress_note(progress, bytes, op->size);
    }
}

static unsigned
count_moments(void)
{
    struct disk *disk = disk_open(scene_path("trace"), DISK_HONEST);
    unsigned moments = 0;

    while (disk_step(disk)) {
        moments += disk_pending(disk) > 0;
    }
    disk_close(disk);
    return moments;
}

/* Make one state and look into it. A bad one of an honest disk is kept. */
static void
try_state(struct disk *disk, enum disk_lie lie, const struct progress *progress,
          struct counts *counts)
{
    enum disk_draw draw = (enum disk_draw)rnd_below(&scene.rnd, DISK_DRAWS);
    size_t block_size = rnd_below(&scene.rnd, 2) == 0 ? 512 : 4096;
    struct tempdir state;
    struct verdict verdict;
    char path[300];

    snprintf(state.path, sizeof(state.path), "%.200s/state", scene.dir.path);
    ck_assert_int_eq(mkdir(state.path, 0700), 0);
    disk_write(disk, state.path, draw, block_size,
               rnd_below(&scene.rnd, 2) == 0, &scene.rnd);
    snprintf(path, sizeof(path), "%s/main", state.path);
    inspect(&scene.past, progress, path, rnd_once_in(&scene.rnd, GOES_ON_ONCE),
            &verdict);
    counts->states++;
    if (!verdict.is_good) {
        counts->bad++;
        printf("state %u, after operation %u, draw %d, blocks of %zu, step %u "
               "done, %u begun: %s\n",
               counts->states, counts->operations, draw, block_size,
               progress->done, progress->begun, verdict.text);
    }
    if (!verdict.is_good && lie == DISK_HONEST) {
        ck_assert_int_eq(rename(state.path, scene_path("kept")), 0);
    }
    tempdir_remove(&state);
}

/* How many states there are to be up to this moment. */
static uint64_t
states_due(const struct counts *counts, enum disk_lie lie, unsigned moments)
{
    unsigned wanted = rnd_effort(STATES, STATES_LONG);

    if (lie != DISK_HONEST) {
        return (uint64_t)counts->moments * A_MOMENT;
    }
    return (uint64_t)wanted * counts->moments / moments;
}

/* Try states up to the first bad one, at moments that are spread evenly. With a
 * disk that lies, from the first lie on.
 */
static struct counts
try_states(enum disk_lie lie)
{
    unsigned moments = count_moments();
    struct counts counts = {.states = 0};
    struct progress progress = {.done = 0};
    struct disk *disk = disk_open(scene_path("trace"), lie);

    while (counts.bad == 0 && disk_step(disk)) {
        counts.operations++;
        see_note(disk, &progress);
        if (disk_pending(disk) == 0 ||
            (lie != DISK_HONEST && !disk_has_lied(disk))) {
            continue;
        }
        counts.moments++;
        while (counts.bad == 0 &&
               counts.states < states_due(&counts, lie, moments)) {
            try_state(disk, lie, &progress, &counts);
        }
    }
    disk_close(disk);
    printf("{\"test\": \"states\", \"disk\": \"%s\", \"seed\": %" PRIu64
           ", \"operations\": %u, \"moments\": %u, \"states\": %u, \"bad\": "
           "%u}\n",
           disk_lie_name(lie), scene.seed, counts.operations, counts.moments,
           counts.states, counts.bad);
    fflush(stdout);
    return counts;
}

/* ---- tests ---- */

/* Else the states would be those of another program. */
START_TEST(the_record_has_all_that_was_done)
{
    struct disk *disk = disk_open(scene_path("trace"), DISK_HONEST);
    char command[2000];

    while (disk_step(disk)) {
    }
    ck_assert_int_eq(mkdir(scene_path("again"), 0700), 0);
    disk_write(disk, scene_path("again"), DISK_EVERYTHING, 512, false,
               &scene.rnd);
    disk_close(disk);
    snprintf(command, sizeof(command),
             "diff -r -x lock.mdb -x main.lock %s/disk %s/again",
             scene.dir.path, scene.dir.path);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(whatever_a_power_cut_leaves_is_whole)
{
    struct counts counts = try_states(DISK_HONEST);

    ck_assert_uint_eq(counts.bad, 0);
    ck_assert_uint_gt(counts.states, 0);
}
END_TEST

START_TEST(a_sync_that_is_left_out_is_found_out)
{
    struct counts counts = try_states((enum disk_lie)_i);

    ck_assert_msg(counts.bad > 0, "%s is not found out",
                  disk_lie_name((enum disk_lie)_i));
}
END_TEST

int
main(void)
{
    TCase *tcase = tcase_create("states");

    tcase_add_unchecked_fixture(tcase, setup, scene_teardown);
    tcase_add_test(tcase, the_record_has_all_that_was_done);
    tcase_add_test(tcase, whatever_a_power_cut_leaves_is_whole);
    tcase_add_loop_test(tcase, a_sync_that_is_left_out_is_found_out,
                        DISK_HONEST + 1, DISK_LIES);
    return scene_run("states", tcase);
}
