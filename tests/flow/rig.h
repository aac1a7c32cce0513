/* A whole server in this process, on loopback and on a directory of its own;
 * and peers that talk to it with bytes of their choice.
 *
 * Whatever fails, fails the test. Peers wait for an answer for RIG_TIMEOUT_S at
 * most: a server that hangs fails the test, one that is slow does not.
 */

#ifndef ACTA_TEST_RIG_H
#define ACTA_TEST_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "codes.h"
#include "config.h"
#include "database.h"
#include "frame.h"
#include "server.h"
#include "slice.h"
#include "tempdir.h"

#define RIG_TIMEOUT_S 30

struct rig {
    struct tempdir dir;
    struct config config;
    struct database *database;
    struct server *server;
    unsigned port;
};

/* Start with options as of the command line, up to a NULL. */
void rig_start(struct rig *rig, const char *first, ...);

/* Stop in order, and remove the directory. */
void rig_stop(struct rig *rig);

struct peer {
    int fd;
    struct buf in;  /* Received, and not yet taken by peer_next(). */
    struct buf out; /* To be sent by peer_send(). */
};

/* Connect to @port of 127.0.0.1, and say nothing. */
void peer_connect(struct peer *peer, unsigned port);

/* Connect, say hello with request id 1, and take the welcome. */
void peer_greet(struct peer *peer, unsigned port);

void peer_close(struct peer *peer);

/* Send what stands in out. */
void peer_send(struct peer *peer);

/* The next frame, valid until the next call. False if the server has closed. */
bool peer_next(struct peer *peer, struct frame *frame);

/* Take the next frame, which must be of this kind and for this request. */
struct frame peer_expect(struct peer *peer, uint8_t kind, uint64_t request_id);

/* Take an error. */
void peer_expect_error(struct peer *peer, uint64_t request_id,
                       enum acta_code code);

/* The server must close, without another frame. */
void peer_expect_close(struct peer *peer);

/* Write an append of @count events with @size bytes of data to out. */
void peer_put_append(struct peer *peer, uint64_t request_id, const char *stream,
                     int64_t expected, size_t count, size_t size);

/* A number of the status reply; the connection must be idle. */
uint64_t peer_status(struct peer *peer, const char *name);

#endif
