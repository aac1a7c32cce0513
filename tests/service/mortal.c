#include "mortal.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "patient.h"

#define SERVER_DIES_ONCE_IN 3

enum end { END_DONE = 0, END_FENCED = 1, END_ALONE = 2, END_BAD = 3 };

/* Of the instance that this process is. */
static struct rnd fate;
static unsigned dies_once_in; /* 0: never */

void
mortal_step(void)
{
    if (dies_once_in > 0 && rnd_once_in(&fate, dies_once_in)) {
        kill(getpid(), SIGKILL);
    }
}

static enum end
end_of(const struct acta_err *err)
{
    switch ((int)err->code) {
    case ACTA_OK:
        return END_DONE;
    case ACTA_FENCED:
        return END_FENCED;
    case ACTA_UNREACHABLE:
        return END_ALONE;
    default:
        fprintf(stderr, "instance: %s: %s\n", acta_code_name(err->code),
                err->text);
        return END_BAD;
    }
}

static pid_t
start(struct mortal *mortal, unsigned die_once_in)
{
    uint64_t seed = rnd_next(&mortal->rnd);
    struct acta_err err = {ACTA_OK, ""};
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        rnd_seed(&fate, seed);
        dies_once_in = die_once_in;
        (void)mortal->live(mortal, &err);
        _exit((int)end_of(&err));
    }
    return pid;
}

/* How it ended; END_DONE if it was killed, which is its fate. */
static enum end
wait_for(struct mortal *mortal, pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        ck_assert_int_eq(WTERMSIG(status), SIGKILL);
        mortal->deaths++;
        return END_DONE;
    }
    ck_assert_int_ne(WEXITSTATUS(status), END_BAD);
    return (enum end)WEXITSTATUS(status);
}

void
mortal_open(struct mortal *mortal)
{
    rnd_init(&mortal->rnd);
    tempdir_make(&mortal->dir);
    daemon_init(&mortal->daemon, mortal->dir.path, &mortal->rnd);
    daemon_start(&mortal->daemon);
}

void
mortal_close(struct mortal *mortal)
{
    printf("%u instances and %u servers have died\n", mortal->deaths,
           mortal->daemon_deaths);
    ck_assert_uint_gt(mortal->deaths, 0);
    ck_assert_uint_gt(mortal->daemon_deaths, 0);
    daemon_stop(&mortal->daemon);
    tempdir_remove(&mortal->dir);
}

void
mortal_live_and_die(struct mortal *mortal)
{
    pid_t instances[MORTAL_INSTANCES];

    for (int i = 0; i < MORTAL_INSTANCES; i++) {
        instances[i] = start(mortal, mortal->die_once_in);
    }
    if (mortal->daemon_deaths == 0 ||
        rnd_once_in(&mortal->rnd, SERVER_DIES_ONCE_IN)) {
        daemon_kill(&mortal->daemon);
        mortal->daemon_deaths++;
        daemon_start(&mortal->daemon);
    }
    for (int i = 0; i < MORTAL_INSTANCES; i++) {
        (void)wait_for(mortal, instances[i]); /* Any end but a bad one. */
    }
}

void
mortal_live(struct mortal *mortal)
{
    ck_assert_int_eq(wait_for(mortal, start(mortal, 0)), END_DONE);
}

struct acta_sync *
mortal_connect(const struct mortal *mortal)
{
    struct acta_options options = patient_options(mortal->daemon.url);
    struct acta_sync *sync;
    struct acta_err err;

    ck_assert_msg(acta_sync_open(&sync, &options, &err) == ACTA_OK, "%s",
                  err.text);
    return sync;
}
