/* A real actad in a process of its own, to be killed.
 *
 * It listens on a loopback address of its own, which differs from the one that
 * clients connect from: so a client that tries while no server is there can
 * neither take its port nor, by chance, be connected to itself, and a server
 * that is started again gets its port back.
 *
 * ACTA_TEST_ACTAD=path in the environment runs another one in its place: one
 * that has a mistake planted in it (tests/plant).
 *
 * Whatever fails, fails the test. Processes end with the thread that started
 * them.
 */

#ifndef ACTA_TEST_DAEMON_H
#define ACTA_TEST_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rnd.h"

#define DAEMON_OPTIONS_MAX 16

struct daemon {
    char dir[256];         /* Its data and what it says are in here. */
    char address[32];      /* 127.A.B.C */
    char url[64];          /* For clients; the same after each start. */
    unsigned port;         /* 0: not known yet */
    const char *shim;      /* A library to preload; NULL: none. */
    const char *switch_on; /* "NAME=value" for the shim; may be NULL. */
    /* What it is run by, which becomes it in the same process: path and
     * arguments, the last one NULL; or NULL.
     */
    const char *const *runner;
    const char *options[DAEMON_OPTIONS_MAX];
    size_t options_count;
    unsigned descriptors_max; /* 0: as many as the system lets it have. */
    pid_t pid;                /* 0: it does not run. */
};

/* Prepare one whose files are below @dir, and whose journal and checkpoints are
 * as small as they can be, so that all happens often.
 */
void daemon_init(struct daemon *daemon, const char *dir, struct rnd *rnd);

/* Add an option: "--name=value", borrowed. Later ones count. */
void daemon_option(struct daemon *daemon, const char *option);

/* Start, and wait until clients can connect. */
void daemon_start(struct daemon *daemon);

/* Start it if it can: returns 0 if clients can connect, else its exit code, or
 * -SIGKILL if something has killed it.
 */
int daemon_try(struct daemon *daemon);

/* Start it when it is expected to give up: returns its exit code. */
int daemon_start_in_vain(struct daemon *daemon);

/* True if something has killed it. Any other end fails the test. */
bool daemon_is_dead(struct daemon *daemon);

/* SIGKILL, and wait for the end. */
void daemon_kill(struct daemon *daemon);

/* SIGTERM, and wait for the end, which must be one in order. */
void daemon_stop(struct daemon *daemon);

/* Wait for it to end by itself: returns its exit code. */
int daemon_wait(struct daemon *daemon);

/* True if it has ever logged @text. */
bool daemon_has_said(const struct daemon *daemon, const char *text);

#endif
