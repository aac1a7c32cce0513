/* A database whose process dies at a named point: before or after each step of
 * writing and syncing the journal, publishing, answering, checkpoints, segments
 * that are made, begun and used again, creation, recovery, erasing and stopping
 * (server/failpoint.h). What was written is there; what was acknowledged must
 * be, nothing by halves, and from there on the work is done to its end.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failpoint_counts.h"
#include "run.h"
#include "scene.h"
#include "work.h"

#define STEPS       64 /* Of the script. */
#define TRIES       1  /* Of each point, */
#define TRIES_LONG  40
#define PATIENCE_MS 60000

#define RUNS_TO_REACH  10
#define TRIES_TO_DIE   10 /* At a point, at least once. */
#define WORK_THAT_DIES "fault_work_dies"

/* The lives of a database; the last one only starts and stops. */
static const struct {
    unsigned to;
    bool closes;
} lives[] = {{18, false}, {19, false}, {STEPS, true}, {STEPS, true}};

#define LIVES (sizeof(lives) / sizeof(lives[0]))

static struct failpoint_counts *counts; /* Shared with those that die. */

static void
setup(void)
{
    scene_setup();
    counts = scene_share("counts", sizeof(*counts));
}

/* ---- one death ---- */

struct death {
    const char *program;
    const char *point; /* NULL: none. */
    uint64_t nth;
};

/* Live until death, and return how it ended: 0 if death has not come. */
static int
live(const struct death *death)
{
    char counting[600], failing[100];
    const char *const extra[] = {counting,
                                 death->point == NULL ? NULL : failing, NULL};
    unsigned from = 1;

    memset(counts, 0, sizeof(*counts));
    snprintf(counting, sizeof(counting), "ACTA_FAILPOINT_COUNTS=%s",
             scene_path("counts"));
    snprintf(failing, sizeof(failing), "ACTA_FAILPOINT=%s:%" PRIu64,
             death->point == NULL ? "" : death->point, death->nth);
    for (size_t i = 0; i < LIVES; i++) {
        struct work work = {
            .program = death->program,
            .path = scene_path("disk/main"),
            .notes = scene_path("notes"),
            .from = from,
            .to = lives[i].to,
            .closes = lives[i].closes,
            .patience_ms = PATIENCE_MS,
            .extra = extra,
            .said = scene_path("said"),
        };
        int status = work_run(&work);

        if (status != 0) {
            return status;
        }
        from = lives[i].to + 1;
    }
    return 0;
}

struct sums {
    unsigned points;
    unsigned deaths;
    unsigned missed; /* The point was not reached so often this time. */
    unsigned bad;
};

static void
try_death(const struct death *death, struct sums *sums)
{
    struct progress progress;
    struct verdict verdict;
    struct tempdir disk;
    int status;

    snprintf(disk.path, sizeof(disk.path), "%.200s/disk", scene.dir.path);
    ck_assert_int_eq(mkdir(disk.path, 0700), 0);
    status = live(death);
    sums->deaths += status == SIGKILL;
    sums->missed += status == 0;
    progress_read(&progress, scene_path("notes"));
    inspect(&scene.past, &progress, scene_path("disk/main"), INSPECT_STARTS,
            &verdict);
    if (verdict.is_good && status != 0 && status != SIGKILL) {
        verdict.is_good = false;
        snprintf(verdict.text, sizeof(verdict.text), "status 0x%x: %s",
                 (unsigned)status, scene_last_words());
    }
    if (verdict.is_good) {
        scene_do_the_rest(verdict.step + 1, STEPS, &verdict);
    }
    if (!verdict.is_good) {
        sums->bad++;
        printf("killed at %s number %" PRIu64 ", step %u done, %u begun: %s\n",
               death->point, death->nth, progress.done, progress.begun,
               verdict.text);
    }
    unlink(scene_path("notes"));
    tempdir_remove(&disk);
}

/* How often each point is reached when nobody dies. */
static struct failpoint_counts
count_visits(const char *program)
{
    struct death none = {.program = program};
    struct sums sums = {.deaths = 0};

    try_death(&none, &sums);
    ck_assert_uint_eq(sums.bad, 0);
    return *counts;
}

static void
tell(const char *test, const struct sums *sums)
{
    printf("{\"test\": \"%s\", \"seed\": %" PRIu64 ", \"points\": %u, "
           "\"deaths\": %u, \"missed\": %u, \"bad\": %u}\n",
           test, scene.seed, sums->points, sums->deaths, sums->missed,
           sums->bad);
    fflush(stdout);
}

/* ---- tests ---- */

/* The names in the sources, each as often as it is there. */
static unsigned
read_names(char names[FAILPOINTS_MAX][FAILPOINT_NAME_MAX])
{
    char command[600];
    unsigned count = 0;
    FILE *found;

    snprintf(command, sizeof(command),
             "cat %s/*.c | sed -n 's/.*FAILPOINT(\"\\(.*\\)\").*/\\1/p'",
             run_source("server"));
    found = popen(command, "re");
    ck_assert_ptr_nonnull(found);
    while (fgets(names[count], FAILPOINT_NAME_MAX, found) != NULL) {
        names[count][strcspn(names[count], "\n")] = '\0';
        ck_assert_uint_lt(++count, FAILPOINTS_MAX);
    }
    ck_assert_int_eq(pclose(found), 0);
    return count;
}

/* How often it was reached, which is 0 too if it is not there. */
static uint64_t
visits_of(const struct failpoint_counts *visits, const char *name)
{
    size_t i = 0;

    while (visits->points[i].name[0] != '\0' &&
           strcmp(visits->points[i].name, name) != 0) {
        i++;
    }
    return visits->points[i].count;
}

/* Else there are points at which nobody ever died. What the threads in the
 * background come to is not the same in every run.
 */
START_TEST(every_point_of_the_server_is_reached)
{
    char names[FAILPOINTS_MAX][FAILPOINT_NAME_MAX];
    unsigned count = read_names(names), reached = 0;

    ck_assert_uint_gt(count, 0);
    for (unsigned runs = 0; runs < RUNS_TO_REACH && reached < count; runs++) {
        struct failpoint_counts visits = count_visits(WORK_THAT_DIES);

        for (unsigned i = 0; i < count; i++) {
            if (names[i][0] != '\0' && visits_of(&visits, names[i]) > 0) {
                names[i][0] = '\0';
                reached++;
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        ck_assert_msg(names[i][0] == '\0', "%s is never reached", names[i]);
    }
}
END_TEST

/* Die there now and then, and at least once: what one run came to so often,
 * another may not.
 */
static void
die_at(const char *point, uint64_t count, struct sums *sums)
{
    struct death death = {.program = WORK_THAT_DIES, .point = point};
    unsigned tries = rnd_effort(TRIES, TRIES_LONG);
    unsigned before = sums->deaths;

    for (unsigned i = 0; i < tries && i < count; i++) {
        death.nth = tries < count ? 1 + rnd_below(&scene.rnd, count) : i + 1;
        try_death(&death, sums);
    }
    death.nth = 1;
    for (unsigned i = 0; i < TRIES_TO_DIE && sums->deaths == before; i++) {
        try_death(&death, sums);
    }
    ck_assert_msg(sums->deaths > before, "nobody has died at %s", point);
    sums->points++;
}

START_TEST(wherever_it_dies_nothing_is_lost)
{
    char names[FAILPOINTS_MAX][FAILPOINT_NAME_MAX];
    unsigned count = read_names(names);
    struct failpoint_counts visits = count_visits(WORK_THAT_DIES);
    struct sums sums = {.deaths = 0};

    ck_assert_uint_gt(count, 0);
    for (unsigned i = 0; i < count; i++) {
        die_at(names[i], visits_of(&visits, names[i]), &sums);
    }
    tell("failpoints", &sums);
    ck_assert_uint_eq(sums.bad, 0);
}
END_TEST

/* The control: a server that releases its journal before the store has it. */
START_TEST(a_journal_that_is_released_early_is_found_out)
{
    const char *program = "fault_work_releases_early";
    struct sums sums = {.points = 1};
    struct death death = {.program = program, .point = "checkpoint"};

    for (death.nth = 1; death.nth <= 10 && sums.bad == 0; death.nth++) {
        try_death(&death, &sums);
    }
    tell("failpoints, the journal is released early", &sums);
    ck_assert_uint_gt(sums.bad, 0);
}
END_TEST

int
main(void)
{
    TCase *tcase = tcase_create("failpoints");

    tcase_add_unchecked_fixture(tcase, setup, scene_teardown);
    tcase_add_test(tcase, every_point_of_the_server_is_reached);
    tcase_add_test(tcase, wherever_it_dies_nothing_is_lost);
    tcase_add_test(tcase, a_journal_that_is_released_early_is_found_out);
    return scene_run("failpoints", tcase);
}
