/* One connection: a socket, its buffers, its time-outs and its session.
 *
 * Bytes are read into memory that all connections of a thread share, and only
 * what is left of an unfinished frame is kept: so an idle connection holds no
 * buffers, and a claimed length costs nothing until the bytes are there.
 * Output gathers during a turn of the loop and is sent at its end. What is
 * delivered gathers in memory that is shared, too: one that takes all it is
 * sent needs none of its own, and a thousand of them use the same cache lines.
 *
 * It is not read from while its session takes no input: the peer's own sending
 * then stops, by TCP's flow control. It is cut when it says no hello in time,
 * and when nothing that it is sent is taken for the time-out. One that is
 * merely slow is not.
 *
 * All of it belongs to the thread of its struct io.
 */

#ifndef ACTA_CONN_H
#define ACTA_CONN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "buf.h"
#include "session.h"

/* One answer, whatever its size, is written when output is below its mark; and
 * those of all appends in flight.
 */
#define CONN_OUT_SIZE_MAX ((size_t)1 << 40)

struct io;

enum conn_state {
    CONN_OPEN,
    CONN_CLOSING,   /* Nothing more is taken in; answers go out. */
    CONN_LINGERING, /* All is sent; waits for the peer to close. */
};

/* What the time-out is for. */
enum conn_wait {
    CONN_WAIT_NONE,
    CONN_WAIT_HELLO,
    CONN_WAIT_PEER,   /* To take output. */
    CONN_WAIT_MEMORY, /* To become free, of other connections. */
    CONN_WAIT_LINGER,
};

struct conn {
    TAILQ_ENTRY(conn) in_all;
    TAILQ_ENTRY(conn) in_dirty;
    TAILQ_ENTRY(conn) in_ready;
    bool is_dirty; /* To be settled at the end of the turn. */
    bool is_ready; /* Has work that waits for nothing but its turn. */
    bool in_round; /* And is one of those whom the round waits for. */

    struct io *io;
    uint64_t id;
    int fd; /* owned */
    enum conn_state state;
    bool peer_done;  /* Has sent all that it will. */
    bool progressed; /* Some output was taken since the last settling. */
    ev_io read_watcher;
    ev_io write_watcher;
    ev_timer timer;
    enum conn_wait wait;
    struct buf in; /* The front of an unfinished frame, or what waits. */
    struct buf out;
    bool has_room;  /* Its own memory for output is in io->room meanwhile. */
    size_t charged; /* Bytes counted against the memory of all connections. */
    struct session session;
};

TAILQ_HEAD(conn_list, conn);

/* Take over a connected socket that does not block. NULL if there is no
 * memory; the socket is closed then.
 */
struct conn *conn_open(struct io *io, int fd, uint64_t id);

/* Have output gather in io->room, until the next conn_settle(). */
void conn_lend_room(struct conn *conn);

/* Close at once, and free. */
void conn_close(struct conn *conn);

/* The end of a turn: handle what was left, send what there is, and see what to
 * wait for. May close and free it.
 */
void conn_settle(struct conn *conn);

/* Give memory back that an idle connection does not need, and have positions
 * told to subscribers.
 */
void conn_tick(struct conn *conn);

/* The outcome of a job has come back; the job is the connection's. */
void conn_complete(struct conn *conn, struct job *job);

/* The server stops: no new requests; closes when all is answered and sent. */
void conn_stop(struct conn *conn);

#endif
