/* A TCP proxy on loopback that treats bytes as networks do on their worst days:
 * it splits them anywhere, holds them up, cuts connections in the midst of a
 * frame, and forgets that there are any. All of it is drawn from a seed; when
 * it happens depends on the bytes.
 *
 * It can also do what no network does that has checksums: change, lose and
 * repeat bytes of a stream. That is for controls.
 *
 * It runs in a thread of its own. Whatever fails there, fails the test. The
 * functions below are called by one other thread.
 */

#ifndef ACTA_TEST_PROXY_H
#define ACTA_TEST_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon.h"

struct proxy;

enum proxy_fault {
    PROXY_STALL,   /* A direction stands still for a while. */
    PROXY_CLOSE,   /* Both sides are told that the other has closed. */
    PROXY_RESET,   /* Both sides get a reset. */
    PROXY_SWALLOW, /* What comes in one direction is taken and goes nowhere,
                      for ever, and nobody is told. */
    PROXY_FLIP,    /* A bit of a byte is another. */
    PROXY_FAULTS_COUNT,
};

/* How it treats connections; all zeros: well. */
struct proxy_manner {
    unsigned piece_max;     /* Bytes sent at a time, 1 to this; 0: any. */
    unsigned rate;          /* Bytes a second and direction; 0: any. */
    unsigned fault_every;   /* Bytes to the next fault, on average; 0: none. */
    unsigned spared;        /* Bytes of a direction before its first fault. */
    unsigned stall_ms_max;  /* How long PROXY_STALL lasts at most. */
    unsigned forget_one_in; /* Connections that are accepted, and nothing more
                               becomes of them; 0: none. */
    unsigned weights[PROXY_FAULTS_COUNT]; /* What a fault is. */
    bool spares_requests;                 /* Faults in answers only. */
};

struct proxy_counts {
    uint64_t connections;
    uint64_t forgotten;
    uint64_t bytes;
    uint64_t pieces;
    uint64_t faults[PROXY_FAULTS_COUNT];
};

/* Make one in front of @daemon, which has a port by now, and have it run. Who
 * connects before it runs has to wait: so other processes can be made between
 * the two, while there is no thread.
 */
struct proxy *proxy_new(const struct daemon *daemon, struct rnd *rnd);
void proxy_run(struct proxy *proxy);

/* For clients. Valid until proxy_stop(). */
const char *proxy_url(const struct proxy *proxy);

/* A copy of @daemon that has the proxy's address, for who connects to a daemon.
 */
struct daemon proxy_front(const struct proxy *proxy,
                          const struct daemon *daemon);

/* From now on treat bytes of all connections like this. */
void proxy_set(struct proxy *proxy, const struct proxy_manner *manner);

/* Let nothing pass and accept nothing, without telling anybody; or go on. */
void proxy_hold(struct proxy *proxy, bool hold);

/* Reset all connections that there are. */
void proxy_cut(struct proxy *proxy);

struct proxy_counts proxy_counts(struct proxy *proxy);

/* Print a line of JSON with the counts, and the test's name and seed. */
void proxy_tell(struct proxy *proxy, const char *test, uint64_t seed);

/* Cut all connections, and free it. It runs. */
void proxy_stop(struct proxy *proxy);

#endif
