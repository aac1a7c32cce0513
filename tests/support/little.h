/* A little server on loopback, in a thread: one stream of events in memory, one
 * connection at a time, appends that count once. It breaks connections at
 * random if it is told to, in the middle of what it says. For the client's
 * tests of sockets and blocking calls, which need no storage.
 */

#ifndef ACTA_TEST_LITTLE_H
#define ACTA_TEST_LITTLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "msg.h"
#include "rnd.h"

#define LITTLE_EVENTS_MAX 10000

struct little {
    int fd; /* It listens here. */
    pthread_t thread;
    char url[64];

    /* Of the thread, until little_stop(). */
    struct rnd rnd;
    unsigned breaks_once_in; /* Frames; 0: never. */
    unsigned broken;         /* How often it did. */
    const char *greeting;    /* Said instead of all else; NULL: none. */
    struct buf records[LITTLE_EVENTS_MAX];
    uint8_t ids[LITTLE_EVENTS_MAX][16];
    size_t events_count;
    unsigned repeats;             /* Events that came again. */
    struct msg_settings settings; /* Of the stream. */
    bool deleted;
    unsigned changes;      /* Those that changed something. */
    uint64_t subscription; /* Of this connection; 0: none. */
};

/* Start to serve on a free port of 127.0.0.1. */
void little_start(struct little *little, unsigned breaks_once_in,
                  const char *greeting);

/* Every client has to be closed before. */
void little_stop(struct little *little);

/* A URL's host and port where nobody listens: 127.0.0.1:PORT. */
void little_nobody(char text[32]);

#endif
