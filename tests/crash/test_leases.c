/* At no time two holders of a lease: with the server killed, held up for longer
 * than leases last, and its wall clock set back and forth, and with clients
 * that are held up too. tests/check/check_leases.py judges what they saw.
 */

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "dump.h"
#include "holder.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"

#define HOLDERS      6
#define ROUNDS       24
#define ROUNDS_LONG  1500
#define LIFE_US_MAX  90000
#define CLOCK_US_MAX UINT64_C(7200000000) /* Two hours. */
#define TIMEOUT_S    1800

/* In memory that all processes share. */
struct shared {
    _Atomic int64_t offset_us; /* First: the shim maps it. */
    atomic_bool stopping;
};

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    struct shared *shared;
    pid_t holders[HOLDERS];
};

static void
sleep_us(uint64_t us)
{
    struct timespec pause = {
        .tv_sec = (time_t)(us / 1000000),
        .tv_nsec = (long)(us % 1000000) * 1000,
    };

    nanosleep(&pause, NULL);
}

static void
share(struct scene *scene, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, sizeof(*scene->shared)), 0);
    scene->shared = mmap(NULL, sizeof(*scene->shared), PROT_READ | PROT_WRITE,
                         MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(scene->shared, MAP_FAILED);
    close(fd);
}

static void
begin(struct scene *scene)
{
    static char shim[512], file[512];
    uint64_t seed;

    rnd_init(&scene->rnd);
    seed = rnd_next(&scene->rnd);
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    snprintf(file, sizeof(file), "%s", tempdir_file(&scene->dir, "clock"));
    share(scene, file);
    snprintf(file, sizeof(file), "WALL_CLOCK_FILE=%s/clock", scene->dir.path);
    snprintf(shim, sizeof(shim), "%s", run_build("tests/libwall_clock.so"));
    scene->daemon.shim = shim;
    scene->daemon.switch_on = file;
    daemon_start(&scene->daemon);
    for (unsigned i = 0; i < HOLDERS; i++) {
        scene->holders[i] = holder_start(&scene->daemon, scene->dir.path, i + 1,
                                         seed, &scene->shared->stopping);
    }
}

/* Long enough for every lease of before to be over. */
static void
hold_up(struct scene *scene, pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    sleep_us(HOLDER_DURATION_US_MAX + rnd_below(&scene->rnd, LIFE_US_MAX));
    ck_assert_int_eq(kill(pid, SIGCONT), 0);
}

static void
set_clock(struct scene *scene)
{
    int64_t offset_us = (int64_t)rnd_below(&scene->rnd, 2 * CLOCK_US_MAX) -
                        (int64_t)CLOCK_US_MAX;

    atomic_store(&scene->shared->offset_us, offset_us);
}

static void
disturb(struct scene *scene)
{
    sleep_us(rnd_below(&scene->rnd, LIFE_US_MAX));
    switch (rnd_below(&scene->rnd, 5)) {
    case 0:
        daemon_kill(&scene->daemon);
        daemon_start(&scene->daemon);
        break;
    case 1:
        hold_up(scene, scene->daemon.pid);
        break;
    case 2:
        hold_up(scene, scene->holders[rnd_below(&scene->rnd, HOLDERS)]);
        break;
    default:
        set_clock(scene);
        break;
    }
}

static void
note_event(void *user, const struct event *event)
{
    char data[64];

    snprintf(data, sizeof(data), "%s", wire_text(event->data));
    note(user, "{\"event\":%" PRIu64 ",\"stream\":\"%s\",\"data\":\"%s\"}",
         event->position, wire_text(event->stream), data);
}

static int
finish(struct scene *scene)
{
    struct notes *notes = notes_open(scene->dir.path, "dump.log");
    struct wire wire;

    atomic_store(&scene->shared->stopping, true);
    for (unsigned i = 0; i < HOLDERS; i++) {
        int status = 0;

        ck_assert_int_eq(waitpid(scene->holders[i], &status, 0),
                         scene->holders[i]);
        ck_assert_int_eq(status, 0);
    }
    wire_init(&wire, &scene->daemon);
    wire_connect(&wire);
    wire_read_all(&wire, note_event, notes);
    wire_fini(&wire);
    notes_close(notes);
    daemon_stop(&scene->daemon);
    munmap(scene->shared, sizeof(*scene->shared));
    return check_notes("check_leases", scene->dir.path);
}

START_TEST(a_lease_has_one_holder_at_a_time)
{
    struct scene scene = {.shared = NULL};
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin(&scene);
    while (rounds-- > 0) {
        disturb(&scene);
    }
    ck_assert_int_eq(finish(&scene), 0);
    tempdir_remove(&scene.dir);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("leases");
    TCase *tcase = tcase_create("leases");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, a_lease_has_one_holder_at_a_time);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
