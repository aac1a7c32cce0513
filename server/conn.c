#include "conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "io.h"
#include "limit.h"
#include "log.h"

/* Memory that a connection may always have, so that none stands still only
 * because others have too much.
 */
#define FREE_SIZE (64u << 10)

/* A peer that was sent everything has this long to close: closing first would
 * make the kernel reset the connection if the peer still sends, and what it
 * was sent last would be lost on the way.
 */
#define LINGER_MS 2000

/* The largest unfinished frame, and what is read along with its end. */
#define IN_SIZE_MAX                                                            \
    ((size_t)FRAME_HEADER_SIZE + ACTA_FRAME_SIZE_MAX + IO_SCRATCH_SIZE)

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events);
static void on_writable(struct ev_loop *loop, ev_io *watcher, int events);
static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events);

struct conn *
conn_open(struct io *io, int fd, uint64_t id)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    if (conn == NULL) {
        close(fd);
        return NULL;
    }
    conn->io = io;
    conn->id = id;
    conn->fd = fd;
    buf_init(&conn->in, IN_SIZE_MAX);
    buf_init(&conn->out, CONN_OUT_SIZE_MAX);
    session_init(&conn->session, &io->host, id, &conn->out);
    ev_io_init(&conn->read_watcher, on_readable, fd, EV_READ);
    ev_io_init(&conn->write_watcher, on_writable, fd, EV_WRITE);
    ev_init(&conn->timer, on_timeout);
    conn->read_watcher.data = conn;
    conn->write_watcher.data = conn;
    conn->timer.data = conn;
    counter_add(&io->host.counters->connections, 1);
    counter_add(&io->host.counters->accepted, 1);
    return conn;
}

/* Count what it holds now against the memory of all. */
static void
charge(struct conn *conn)
{
    size_t now = conn->in.capacity + conn->out.capacity +
                 conn->session.jobs_size + conn->session.subs.size;

    if (now > conn->charged) {
        atomic_fetch_add_explicit(conn->io->options.memory_used,
                                  now - conn->charged, memory_order_relaxed);
    } else if (now < conn->charged) {
        atomic_fetch_sub_explicit(conn->io->options.memory_used,
                                  conn->charged - now, memory_order_relaxed);
    }
    conn->charged = now;
}

void
conn_close(struct conn *conn)
{
    struct io *io = conn->io;

    ev_io_stop(io->loop, &conn->read_watcher);
    ev_io_stop(io->loop, &conn->write_watcher);
    ev_timer_stop(io->loop, &conn->timer);
    close(conn->fd);
    session_fini(&conn->session);
    buf_fini(&conn->in);
    buf_fini(&conn->out);
    conn->session.jobs_size = 0;
    charge(conn);
    counter_subtract(&io->host.counters->connections, 1);
    io_forget(io, conn);
    free(conn);
}

static void
cut(struct conn *conn, const char *reason)
{
    log_info(log_event("connection cut"), log_number("connection", conn->id),
             log_text("reason", reason));
    conn_close(conn);
}

/* ---- in ---- */

static void
feed(struct conn *conn)
{
    buf_consume(&conn->in, session_feed(&conn->session, buf_slice(&conn->in)));
}

static void
take_bytes(struct conn *conn, struct slice bytes)
{
    if (buf_size(&conn->in) > 0) {
        buf_append_slice(&conn->in, bytes);
        feed(conn);
    } else {
        size_t used = session_feed(&conn->session, bytes);

        buf_append(&conn->in, bytes.data + used, bytes.size - used);
    }
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct conn *conn = watcher->data;
    struct io *io = conn->io;
    ssize_t got = recv(conn->fd, io->scratch, IO_SCRATCH_SIZE, 0);

    (void)loop;
    (void)events;
    if (got < 0) {
        if (errno == ETIMEDOUT) {
            cut(conn, "peer has vanished");
        } else if (errno != EAGAIN && errno != EINTR) {
            conn_close(conn);
        }
        return;
    }
    if (got == 0) {
        conn->peer_done = true;
        if (conn->state == CONN_OPEN) {
            session_end_input(&conn->session);
        }
    } else if (conn->state == CONN_OPEN) {
        counter_add(&io->host.counters->bytes_in, (uint64_t)got);
        io_hear(io, conn);
        take_bytes(conn, slice_make(io->scratch, (size_t)got));
        io_hand_over(io);
    }
    io_mark_dirty(io, conn);
}

void
conn_complete(struct conn *conn, struct job *job)
{
    session_complete(&conn->session, job);
    io_mark_dirty(conn->io, conn);
}

/* ---- out ---- */

static void
swap_room(struct conn *conn)
{
    struct buf room = conn->io->room;

    conn->io->room = conn->out;
    conn->out = room;
}

void
conn_lend_room(struct conn *conn)
{
    if (!conn->has_room && buf_size(&conn->out) == 0 &&
        !buf_failed(&conn->out)) {
        swap_room(conn);
        conn->has_room = true;
    }
}

/* Little is left in much memory: it moves to what the connection has of its
 * own, which stands in for the room as yet.
 */
static void
take_rest(struct conn *conn)
{
    struct buf *own = &conn->io->room;

    buf_append_slice(own, buf_slice(&conn->out));
    if (buf_failed(own)) {
        buf_clear(own);
    } else {
        buf_clear(&conn->out);
        swap_room(conn);
    }
}

/* If much is left to be sent, it stays where it is, and the memory that the
 * connection had is everybody's from now on.
 */
static void
return_room(struct conn *conn)
{
    if (conn->has_room && buf_size(&conn->out) == 0) {
        swap_room(conn);
    } else if (conn->has_room && !buf_failed(&conn->out) &&
               buf_size(&conn->out) < conn->out.capacity / 4) {
        take_rest(conn);
    }
    conn->has_room = false;
}

/* False if the connection is gone. */
static bool
flush(struct conn *conn)
{
    struct slice bytes = buf_slice(&conn->out);
    ssize_t sent;

    if (bytes.size == 0) {
        return true;
    }
    sent = send(conn->fd, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    counter_add(&conn->io->host.counters->bytes_out, (uint64_t)sent);
    buf_consume(&conn->out, (size_t)sent);
    conn->progressed = conn->progressed || sent > 0;
    return true;
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct conn *conn = watcher->data;

    (void)loop;
    (void)events;
    io_mark_dirty(conn->io, conn);
}

/* ---- what to wait for ---- */

static bool
is_starved(const struct conn *conn)
{
    const struct io_options *options = &conn->io->options;

    return conn->charged > FREE_SIZE &&
           atomic_load_explicit(options->memory_used, memory_order_relaxed) >
               options->memory_max;
}

static void
watch(struct conn *conn, ev_io *watcher, bool wanted)
{
    if (wanted) {
        ev_io_start(conn->io->loop, watcher);
    } else {
        ev_io_stop(conn->io->loop, watcher);
    }
}

/* Restart the time-out if it is for something else now, or for output of which
 * some was taken.
 */
static void
wait_for(struct conn *conn, enum conn_wait wait)
{
    const struct io_options *options = &conn->io->options;
    uint64_t timeout_ms = 0;

    if (wait == conn->wait && !(wait == CONN_WAIT_PEER && conn->progressed)) {
        return;
    }
    conn->wait = wait;
    switch (wait) {
    case CONN_WAIT_NONE:
        ev_timer_stop(conn->io->loop, &conn->timer);
        return;
    case CONN_WAIT_HELLO:
        timeout_ms = options->hello_timeout_ms;
        break;
    case CONN_WAIT_PEER:
    case CONN_WAIT_MEMORY:
        timeout_ms = options->peer_timeout_ms;
        break;
    case CONN_WAIT_LINGER:
        timeout_ms = LINGER_MS < options->peer_timeout_ms
                         ? LINGER_MS
                         : options->peer_timeout_ms;
        break;
    }
    conn->timer.repeat = (double)timeout_ms / 1000;
    ev_timer_again(conn->io->loop, &conn->timer);
}

static enum conn_wait
wait_of(const struct conn *conn, bool starved)
{
    if (conn->state == CONN_LINGERING) {
        return CONN_WAIT_LINGER;
    }
    if (conn->session.state == SESSION_NEW) {
        return CONN_WAIT_HELLO;
    }
    if (buf_size(&conn->out) > 0) {
        return CONN_WAIT_PEER;
    }
    return starved ? CONN_WAIT_MEMORY : CONN_WAIT_NONE;
}

/* Has the peer said something that is still to be read? */
static bool
has_word(const struct conn *conn)
{
    char byte;

    return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Nobody is blamed for a time in which this process stood still itself: what
 * the peer has said by now, or taken, was in time.
 */
static void
on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct conn *conn = timer->data;

    (void)loop;
    (void)events;
    switch (conn->wait) {
    case CONN_WAIT_HELLO:
        if (!has_word(conn)) {
            cut(conn, "no hello in time");
        }
        break;
    case CONN_WAIT_PEER:
        if (flush(conn) && !conn->progressed) {
            cut(conn, "takes nothing of what it is sent");
        } else {
            io_mark_dirty(conn->io, conn);
        }
        break;
    case CONN_WAIT_MEMORY:
        session_error(&conn->session, 0, ACTA_BUSY,
                      "connections have too much memory");
        session_end_input(&conn->session);
        io_mark_dirty(conn->io, conn);
        break;
    case CONN_WAIT_NONE:
    case CONN_WAIT_LINGER:
        conn_close(conn);
        break;
    }
}

/* Move on in closing. False if it is closed and gone. */
static bool
close_in_order(struct conn *conn)
{
    bool over = conn->session.state == SESSION_OVER;

    if (conn->state == CONN_OPEN && (over || conn->session.stopping)) {
        /* A server that stops still answers, with a refusal, what has been
         * received in full; and then nothing more.
         */
        if (!over) {
            session_end_input(&conn->session);
        }
        conn->state = CONN_CLOSING;
        buf_clear(&conn->in);
        buf_trim(&conn->in, 0);
    }
    if (conn->state == CONN_CLOSING && conn->session.jobs_count == 0 &&
        buf_size(&conn->out) == 0) {
        if (conn->peer_done) {
            conn_close(conn);
            return false;
        }
        shutdown(conn->fd, SHUT_WR);
        conn->state = CONN_LINGERING;
    }
    if (conn->state == CONN_LINGERING && conn->peer_done) {
        conn_close(conn);
        return false;
    }
    return true;
}

void
conn_settle(struct conn *conn)
{
    bool starved;

    if (conn->state == CONN_OPEN && buf_size(&conn->in) > 0) {
        feed(conn);
    }
    if (buf_failed(&conn->in) || buf_failed(&conn->out)) {
        cut(conn, "out of memory");
        return;
    }
    if (!flush(conn)) {
        conn_close(conn);
        return;
    }
    return_room(conn);
    if (!close_in_order(conn)) {
        return;
    }
    charge(conn);
    starved = is_starved(conn);
    if (!starved) {
        session_sent(&conn->session);
    }
    watch(conn, &conn->read_watcher,
          conn->state == CONN_LINGERING ||
              (conn->state == CONN_OPEN && !starved &&
               !conn->session.left_frame &&
               session_takes_input(&conn->session)));
    watch(conn, &conn->write_watcher, buf_size(&conn->out) > 0);
    wait_for(conn, wait_of(conn, starved));
    conn->progressed = false;
    if (conn->state != CONN_LINGERING && session_has_work(&conn->session)) {
        io_mark_ready(conn->io, conn);
    }
}

void
conn_tick(struct conn *conn)
{
    buf_trim(&conn->in, 0);
    buf_trim(&conn->out, 0);
    if (conn->state == CONN_OPEN) {
        session_tick(&conn->session);
    }
    if (buf_size(&conn->out) > 0 || conn->wait == CONN_WAIT_MEMORY ||
        conn->charged > 0) {
        io_mark_dirty(conn->io, conn);
    }
}

void
conn_stop(struct conn *conn)
{
    session_stop(&conn->session);
    io_mark_dirty(conn->io, conn);
}
