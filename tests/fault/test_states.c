/* States that a power cut may leave: a database is worked with while all that
 * it does to its files is recorded (shim/trace.c), in several lives, some of
 * which end in a kill. Then, for moments of that record, states of the disk are
 * made in which some of what was not synced has arrived and some has not
 * (disk.h). Each is opened, and must have everything that was acknowledged at
 * that moment, and nothing by halves (past.h).
 *
 * The same is done while a database recovers from such a state, and soon after.
 *
 * The controls are disks that leave out one kind of sync, as if the server did
 * not have it: each must be found out.
 */

#include <inttypes.h>
#include <signal.h>
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
#define ERASES_ONCE  12

/* Of power cuts that come soon after another. */
#define FIRST        6
#define FIRST_LONG   400
#define A_SECOND_IN  6 /* Moments. */
#define STEPS_SECOND 4

#define PATIENCE_MS 60000

/* How a life ends. */
enum end {
    DIES,         /* When its steps are done. */
    DIES_WRITING, /* Between the write and the sync of its first entry. */
    STOPS,
};

/* The lives of the database that is recorded. One dies as it writes the entry
 * of its only step, which the next start finds whole, and shows: so from then
 * on it must be there. The last one only starts and stops.
 */
static const struct {
    unsigned to;
    enum end end;
} lives[] = {
    {20, DIES}, {21, DIES},  {23, DIES},  {24, DIES_WRITING},
    {52, DIES}, {70, STOPS}, {96, STOPS}, {96, STOPS},
};

#define LIVES (sizeof(lives) / sizeof(lives[0]))

/* ---- recording ---- */

/* Do steps in the directory @name, and record that in @name.trace. */
static void
live(const char *name, unsigned from, unsigned to, enum end end)
{
    const char *dir = scene.dir.path;
    char preload[600], root[600], trace[600], notes[600], path[600];
    const char *const extra[] = {
        preload,
        root,
        trace,
        notes,
        end == DIES_WRITING ? "ACTA_FAILPOINT=entry-sync:1" : NULL,
        NULL,
    };
    struct work work = {
        .program = end == DIES_WRITING ? "fault_work_dies" : NULL,
        .path = path,
        .notes = notes + strlen(TRACE_NOTES "="),
        .from = from,
        .to = to,
        .closes = end == STOPS,
        .patience_ms = PATIENCE_MS,
        .extra = extra,
        .said = scene_path("said"),
    };

    snprintf(path, sizeof(path), "%s/%s/main", dir, name);
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
             run_build("tests/fault/libtrace.so"));
    snprintf(root, sizeof(root), TRACE_DIR "=%s/%s", dir, name);
    snprintf(trace, sizeof(trace), TRACE_FILE "=%s/%s.trace", dir, name);
    snprintf(notes, sizeof(notes), TRACE_NOTES "=%s/%s.notes", dir, name);
    ck_assert_int_eq(work_run(&work), end == DIES_WRITING ? SIGKILL : 0);
}

static void
record(void)
{
    unsigned from = 1;

    ck_assert_int_eq(mkdir(scene_path("disk"), 0700), 0);
    for (size_t i = 0; i < LIVES; i++) {
        live("disk", from, lives[i].to, lives[i].end);
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
    unsigned erased; /* Events whose data were looked for in the files, */
    unsigned found;  /* and that were there before it went on. */
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
    struct disk *disk = disk_open(DISK_HONEST);
    unsigned moments = 0;

    disk_follow(disk, scene_path("disk.trace"));
    while (disk_step(disk)) {
        moments += disk_pending(disk) > 0;
    }
    disk_close(disk);
    return moments;
}

/* How a state is drawn. The same numbers draw the same state. */
struct draw {
    enum disk_draw kind;
    size_t block_size;
    bool names_in_order;
    uint64_t seed;
};

static struct draw
draw_one(void)
{
    return (struct draw){
        .kind = (enum disk_draw)rnd_below(&scene.rnd, DISK_DRAWS),
        .block_size = rnd_below(&scene.rnd, 2) == 0 ? 512 : 4096,
        .names_in_order = rnd_below(&scene.rnd, 2) == 0,
        .seed = rnd_next(&scene.rnd),
    };
}

static void
write_state(struct disk *disk, const struct draw *draw, const char *to)
{
    struct rnd rnd;

    rnd_seed(&rnd, draw->seed);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    disk_write(disk, to, draw->kind, draw->block_size, draw->names_in_order,
               &rnd);
}

static enum inspection
draw_inspection(void)
{
    if (rnd_once_in(&scene.rnd, GOES_ON_ONCE)) {
        return INSPECT_GOES_ON;
    }
    return rnd_once_in(&scene.rnd, ERASES_ONCE) ? INSPECT_ERASES
                                                : INSPECT_STARTS;
}

/* Make a state and look into it. A bad one of an honest disk is kept. */
static struct verdict
try_state(struct disk *disk, enum disk_lie lie, const struct draw *draw,
          const struct progress *progress, struct counts *counts)
{
    struct tempdir state;
    struct verdict verdict;
    char path[300];

    snprintf(state.path, sizeof(state.path), "%.200s/state", scene.dir.path);
    write_state(disk, draw, state.path);
    snprintf(path, sizeof(path), "%s/main", state.path);
    inspect(&scene.past, progress, path, draw_inspection(), &verdict);
    counts->states++;
    counts->erased += verdict.erased;
    counts->found += verdict.found;
    if (!verdict.is_good) {
        counts->bad++;
        printf("state %u, after operation %u, draw %d, blocks of %zu, step %u "
               "done, %u begun: %s\n",
               counts->states, counts->operations, draw->kind, draw->block_size,
               progress->done, progress->begun, verdict.text);
    }
    if (!verdict.is_good && lie == DISK_HONEST) {
        write_state(disk, draw, scene_path("kept"));
    }
    tempdir_remove(&state);
    return verdict;
}

/* Follow the trace up to the first bad state, and try @states of them in every
 * @moments. With a disk that lies, from the first lie on.
 */
static void
try_moments(struct disk *disk, enum disk_lie lie, struct progress *progress,
            unsigned states, unsigned moments, struct counts *counts)
{
    while (counts->bad == 0 && disk_step(disk)) {
        counts->operations++;
        see_note(disk, progress);
        if (disk_pending(disk) == 0 ||
            (lie != DISK_HONEST && !disk_has_lied(disk))) {
            continue;
        }
        counts->moments++;
        while (counts->bad == 0 && (uint64_t)counts->states * moments <
                                       (uint64_t)counts->moments * states) {
            struct draw draw = draw_one();

            (void)try_state(disk, lie, &draw, progress, counts);
        }
    }
}

static void
tell(const char *test, const struct counts *counts)
{
    printf("{\"test\": \"states, %s\", \"seed\": %" PRIu64
           ", \"operations\": %u, \"moments\": %u, \"states\": %u, "
           "\"erased\": %u, \"found_before\": %u, \"bad\": %u}\n",
           test, scene.seed, counts->operations, counts->moments,
           counts->states, counts->erased, counts->found, counts->bad);
    fflush(stdout);
}

static void
add_counts(struct counts *sums, const struct counts *counts)
{
    sums->operations += counts->operations;
    sums->moments += counts->moments;
    sums->states += counts->states;
    sums->erased += counts->erased;
    sums->found += counts->found;
    sums->bad += counts->bad;
}

/* All of the record, with @states in every @moments. */
static struct counts
try_record(enum disk_lie lie, unsigned states, unsigned moments)
{
    struct counts counts = {.states = 0};
    struct progress progress = {.done = 0};
    struct disk *disk = disk_open(lie);

    disk_follow(disk, scene_path("disk.trace"));
    try_moments(disk, lie, &progress, states, moments, &counts);
    disk_close(disk);
    tell(disk_lie_name(lie), &counts);
    return counts;
}

/* The power goes, and while the database recovers from that, or soon after, it
 * goes again.
 */
static void
try_twice(struct disk *first, struct progress progress, struct counts *counts)
{
    struct draw draw = draw_one();
    struct verdict verdict =
        try_state(first, DISK_HONEST, &draw, &progress, counts);
    struct disk *disk = disk_open(DISK_HONEST);
    struct counts again = {.states = 0};
    unsigned to = verdict.step + STEPS_SECOND;
    struct tempdir second;

    ck_assert(verdict.is_good);
    snprintf(second.path, sizeof(second.path), "%.200s/second", scene.dir.path);
    write_state(first, &draw, second.path);
    disk_load(disk, second.path);
    live("second", verdict.step + 1, to < SCRIPT_STEPS ? to : SCRIPT_STEPS,
         rnd_below(&scene.rnd, 2) == 0 ? DIES : STOPS);
    disk_follow(disk, scene_path("second.trace"));
    try_moments(disk, DISK_HONEST, &progress, 1, A_SECOND_IN, &again);
    add_counts(counts, &again);
    disk_close(disk);
    tempdir_remove(&second);
    unlink(scene_path("second.trace"));
    unlink(scene_path("second.notes"));
}

/* ---- tests ---- */

/* Else the states would be those of another program. */
START_TEST(the_record_has_all_that_was_done)
{
    struct disk *disk = disk_open(DISK_HONEST);
    char command[2000];

    disk_follow(disk, scene_path("disk.trace"));
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
    struct counts counts = try_record(
        DISK_HONEST, rnd_effort(STATES, STATES_LONG), count_moments());

    ck_assert_uint_eq(counts.bad, 0);
    ck_assert_uint_gt(counts.states, 0);
    ck_assert_uint_gt(counts.found, 0);
}
END_TEST

START_TEST(a_power_cut_soon_after_another_leaves_it_whole)
{
    unsigned moments = count_moments(), at = 0, tried = 0;
    unsigned firsts = rnd_effort(FIRST, FIRST_LONG);
    struct counts counts = {.states = 0};
    struct progress progress = {.done = 0};
    struct disk *disk = disk_open(DISK_HONEST);

    disk_follow(disk, scene_path("disk.trace"));
    while (counts.bad == 0 && disk_step(disk)) {
        see_note(disk, &progress);
        at += disk_pending(disk) > 0;
        if (disk_pending(disk) > 0 && tried < (uint64_t)at * firsts / moments) {
            try_twice(disk, progress, &counts);
            tried++;
        }
    }
    disk_close(disk);
    tell("one power cut after another", &counts);
    ck_assert_uint_eq(counts.bad, 0);
    ck_assert_uint_gt(counts.states, tried);
}
END_TEST

START_TEST(a_sync_that_is_left_out_is_found_out)
{
    struct counts counts = try_record((enum disk_lie)_i, A_MOMENT, 1);

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
    tcase_add_test(tcase, a_power_cut_soon_after_another_leaves_it_whole);
    tcase_add_loop_test(tcase, a_sync_that_is_left_out_is_found_out,
                        DISK_HONEST + 1, DISK_LIES);
    return scene_run("states", tcase);
}
