/* An I/O thread: its own loop, its own connections, its own reader.
 *
 * A turn of the loop handles every socket that has something, then hands the
 * jobs that came in over to the writer, sends to each connection what has
 * gathered for it, in one call, and then lets subscriptions deliver for a
 * moment, before it looks at the sockets again. So the requests of many
 * connections share one commit, the answers of one commit one system call a
 * connection, and neither waits for more than a moment of delivering. If only
 * one connection has anything to say for some time, its appends are committed
 * here, and if it goes on soon after each answer, the thread stays awake for
 * it.
 *
 * From other threads come: connections, by io_give(); outcomes of jobs, and
 * word of commits, by the database; and io_stop(). All of them wake the loop
 * through one ev_async.
 */

#ifndef ACTA_IO_H
#define ACTA_IO_H

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "conn.h"
#include "database.h"
#include "err.h"
#include "outbox.h"
#include "round.h"
#include "session.h"
#include "vigil.h"

/* Read at once from one socket, and so what one connection can make the others
 * wait for.
 */
#define IO_SCRATCH_SIZE (256u << 10)

/* Memory that a thread keeps for what its connections are sent. */
#define IO_ROOM_KEPT ((size_t)1 << 20)

struct io_options {
    struct session_limits limits;
    uint64_t hello_timeout_ms;
    uint64_t peer_timeout_ms;
    uint64_t busy_poll_us;       /* See vigil.h. */
    size_t connections_max;      /* Of all threads together. */
    size_t memory_max;           /* Of all connections together. */
    _Atomic size_t *memory_used; /* Shared by all threads, as is */
    _Atomic uint64_t *serial;    /* the count of connections that there were. */
    void (*closed)(void *user);  /* A connection was closed. Any thread. */
    void *user;
};

enum io_end {
    IO_RUNS,
    IO_STOPS, /* When all is answered and sent. */
    IO_CUTS,  /* At once. */
};

struct io {
    /* Fixed once the thread runs. */
    struct io_options options;
    struct session_host host;
    struct ev_loop *loop; /* owned */
    pthread_t thread;
    uint8_t *scratch; /* owned */

    /* These belong to the thread. */
    ev_async wake;
    ev_check woken;
    ev_prepare turn;
    ev_idle busy; /* Runs while there is work, or in a vigil, and keeps the loop
                   * from waiting.
                   */
    ev_timer tick;
    ev_timer rest; /* Runs until a round may begin that is wanted. */
    struct conn_list all;
    struct conn_list dirty;
    struct conn_list ready;
    struct conn **slots; /* owned: by id, see io_find(). */
    size_t slots_free;   /* The lowest one that may be free. */
    struct buf room;     /* owned: see conn_lend_room() */
    struct round round;  /* In which subscriptions are told of a new head. */
    struct outbox outbox;
    uint64_t spoke_last; /* The connection that sent something last, */
    unsigned alone;      /* and how often in a row. */
    bool is_asked;       /* It has, since the vigil for it was begun. */
    struct vigil vigil;
    bool is_stopping;

    /* Used by any thread, under their own rules. */
    struct completions completions;
    struct watcher watcher;
    _Atomic int end;      /* An enum io_end. */
    pthread_mutex_t lock; /* Guards what follows. */
    int *inbox;           /* owned: sockets that were given */
    size_t inbox_count;
    pthread_cond_t changed; /* One of the two below; of the monotonic clock. */
    bool is_started;
    bool has_ended;
    enum acta_code start_code;
    struct acta_err start_err;
};

/* Start the thread. @io stays where it is until io_free(). */
enum acta_code io_start(struct io *io, const struct io_options *options,
                        const struct session_host *host,
                        struct acta_err *err) ACTA_CHECKED;

/* Hand over a connected socket. Any thread. */
void io_give(struct io *io, int fd);

/* Take no more requests, and end when every connection is closed. Returns at
 * once. Any thread.
 */
void io_stop(struct io *io);

/* Wait for the end after io_stop(), until @deadline of the monotonic clock;
 * then cut what is still connected.
 */
void io_join(struct io *io, const struct timespec *deadline);

/* Free what is left. The database must be closed: until then its writer may
 * give back jobs.
 */
void io_free(struct io *io);

/* ---- for conn.c ---- */

/* @conn has sent something. */
void io_hear(struct io *io, const struct conn *conn);

/* What it has sent is handled: what of it is for the writer is handed over,
 * which begins with it while others are read. What a connection that has the
 * thread to itself has sent stays until the end of the turn, when it may be
 * committed here.
 */
void io_hand_over(struct io *io);

/* Have @conn settled at the end of this turn. */
void io_mark_dirty(struct io *io, struct conn *conn);

/* Give @conn a turn for its work, behind the others. */
void io_mark_ready(struct io *io, struct conn *conn);

/* @conn is about to be freed. */
void io_forget(struct io *io, struct conn *conn);

#endif
