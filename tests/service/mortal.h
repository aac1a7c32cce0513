/* Instances of a service that die, each in a process of its own, at any step
 * that asks its fate; on a server that dies, too. What they leave is the
 * test's to look at.
 *
 * Whatever else goes wrong fails the test. One thread.
 */

#ifndef ACTA_TEST_MORTAL_H
#define ACTA_TEST_MORTAL_H

#include <acta/acta_sync.h>

#include "daemon.h"
#include "rnd.h"
#include "tempdir.h"

#define MORTAL_INSTANCES 2 /* At a time: they take each other's place. */

struct mortal {
    /* Set by the test: what an instance does, until there is nothing left to
     * do, another takes its place (FENCED), or the server is away
     * (UNREACHABLE); and how often it dies of those times it is asked.
     */
    enum acta_code (*live)(struct mortal *mortal, struct acta_err *err);
    unsigned die_once_in;

    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    unsigned deaths;        /* Instances that met their fate, */
    unsigned daemon_deaths; /* and servers. */
};

/* With a server, and a directory for what instances keep. */
void mortal_open(struct mortal *mortal);

/* Fails if no instance has died, or no server: then nothing was tried. */
void mortal_close(struct mortal *mortal);

/* A step of an instance: it may be its last. */
void mortal_step(void);

/* Let instances live until each has ended, and the server die now and then. */
void mortal_live_and_die(struct mortal *mortal);

/* Let one instance live that does not die. It has to come to its end. */
void mortal_live(struct mortal *mortal);

/* The test's own connection: acta_sync_close() it. */
struct acta_sync *mortal_connect(const struct mortal *mortal);

#endif
