#include "io.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "wake.h"

/* What subscriptions may have of one turn, before sockets are looked at again:
 * this is what an append waits for them. Two or three are sent something.
 */
#define WORK_US 25

/* So often in a row a connection has sent something, and no other has, before
 * the thread waits for the disk on its behalf.
 */
#define ALONE_MIN 16

/* Positions have to be told once a second. */
#define TICK_S 0.5

/* ---- connections by id ---- */

/* An id is serial * slots + slot: found without a search, and never the same
 * twice, on no other thread either.
 */
static struct conn *
io_find(const struct io *io, uint64_t id)
{
    struct conn *conn = io->slots[id % io->options.connections_max];

    return conn != NULL && conn->id == id ? conn : NULL;
}

static size_t
take_slot(struct io *io)
{
    while (io->slots[io->slots_free] != NULL) {
        io->slots_free++;
        assert(io->slots_free < io->options.connections_max);
    }
    return io->slots_free;
}

static void
leave_round(struct io *io, struct conn *conn)
{
    if (conn->in_round) {
        conn->in_round = false;
        round_leave(&io->round, database_head(io->host.database), clock_mono());
    }
}

void
io_forget(struct io *io, struct conn *conn)
{
    size_t slot = (size_t)(conn->id % io->options.connections_max);

    assert(io->slots[slot] == conn);
    io->slots[slot] = NULL;
    if (slot < io->slots_free) {
        io->slots_free = slot;
    }
    TAILQ_REMOVE(&io->all, conn, in_all);
    if (conn->is_dirty) {
        TAILQ_REMOVE(&io->dirty, conn, in_dirty);
    }
    if (conn->is_ready) {
        TAILQ_REMOVE(&io->ready, conn, in_ready);
    }
    leave_round(io, conn);
    io->options.closed(io->options.user);
}

void
io_mark_dirty(struct io *io, struct conn *conn)
{
    if (!conn->is_dirty) {
        conn->is_dirty = true;
        TAILQ_INSERT_TAIL(&io->dirty, conn, in_dirty);
    }
}

void
io_mark_ready(struct io *io, struct conn *conn)
{
    if (!conn->is_ready) {
        conn->is_ready = true;
        TAILQ_INSERT_TAIL(&io->ready, conn, in_ready);
    }
}

void
io_hear(struct io *io, const struct conn *conn)
{
    if (io->spoke_last != conn->id) {
        io->spoke_last = conn->id;
        io->alone = 0;
    } else if (io->alone < ALONE_MIN) {
        io->alone++;
    }
    if (!io->is_asked) {
        io->is_asked = true;
        vigil_end(&io->vigil, clock_mono());
    }
}

void
io_hand_over(struct io *io)
{
    if (io->alone < ALONE_MIN && !io->outbox.blocked) {
        outbox_flush(&io->outbox, io->host.database);
    }
}

/* A peer whose machine is gone is noticed by probes when nothing is sent, and
 * by the lack of acknowledgements when something is.
 */
static void
set_socket(const struct io *io, int fd)
{
    unsigned timeout_ms = (unsigned)io->options.peer_timeout_ms;
    int probe_s = timeout_ms < 4000 ? 1 : (int)(timeout_ms / 4000);
    int count = 3;
    int on = 1;

    /* Each only makes things better where it works. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &probe_s, sizeof(probe_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe_s, sizeof(probe_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                     sizeof(timeout_ms));
}

static void
open_conn(struct io *io, int fd)
{
    size_t slot = take_slot(io);
    uint64_t serial = 1 + atomic_fetch_add_explicit(io->options.serial, 1,
                                                    memory_order_relaxed);
    uint64_t id = serial * io->options.connections_max + slot;
    struct conn *conn;

    set_socket(io, fd);
    conn = conn_open(io, fd, id);
    if (conn == NULL) {
        log_warning(log_event("connection refused"),
                    log_text("reason", "out of memory"));
        io->options.closed(io->options.user);
        return;
    }
    io->slots[slot] = conn;
    TAILQ_INSERT_TAIL(&io->all, conn, in_all);
    if (io->is_stopping) {
        conn_stop(conn);
    }
    io_mark_dirty(io, conn);
}

/* ---- what other threads bring ---- */

static void
wake_io(void *user)
{
    struct io *io = user;

    ev_async_send(io->loop, &io->wake);
}

/* Take one that was given; -1 if there is none. The lock is not held during
 * work, so they are taken one by one.
 */
static int
take_given(struct io *io)
{
    int fd = -1;

    pthread_mutex_lock(&io->lock);
    if (io->inbox_count > 0) {
        fd = io->inbox[--io->inbox_count];
    }
    pthread_mutex_unlock(&io->lock);
    return fd;
}

static void
take_inbox(struct io *io)
{
    int fd;

    while ((fd = take_given(io)) >= 0) {
        open_conn(io, fd);
    }
}

static void
complete(struct io *io, struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;
        struct conn *conn = io_find(io, job->connection_id);

        if (conn != NULL) {
            conn_complete(conn, job);
        } else {
            job_free(job);
        }
        job = next;
    }
}

static void
take_outcomes(struct io *io)
{
    complete(io, completions_take(&io->completions));
}

static void
wait_for_rest(struct io *io, uint64_t rest_us)
{
    if (rest_us > 0 && !ev_is_active(&io->rest)) {
        ev_timer_set(&io->rest, (double)rest_us / 1e6, 0.);
        ev_timer_start(io->loop, &io->rest);
    }
}

/* Give subscriptions a turn if there is something new for them, and it is time.
 */
static void
take_head(struct io *io)
{
    uint64_t head = database_head(io->host.database);
    struct mono_time now = clock_mono();
    struct conn *conn;

    if (!round_begin(&io->round, head, now)) {
        wait_for_rest(io, round_rest_us(&io->round, head, now));
        return;
    }
    if (counter_read(&io->host.counters->subscriptions) == 0) {
        return;
    }
    TAILQ_FOREACH(conn, &io->all, in_all)
    {
        session_wake(&conn->session, head);
        if (session_has_work(&conn->session)) {
            io_mark_ready(io, conn);
            conn->in_round = true;
            round_join(&io->round);
        }
    }
}

static void
on_rest(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    take_head(timer->data);
}

/* A connection that has the thread to itself, and an append under way: commit
 * it here, so that it waits for no other thread to wake up.
 */
static void
commit_alone(struct io *io)
{
    struct job *job = io->outbox.first;
    struct job *done;

    if (job != NULL && job->next == NULL && io->alone == ALONE_MIN &&
        database_commit_now(io->host.database, job, &io->watcher, &done)) {
        io->outbox.first = NULL;
        complete(io, done);
        take_head(io);
    }
}

/* Offer the writer what came in. If it takes it again after a time in which it
 * did not, connections that have left requests unread go on.
 */
static void
flush_outbox(struct io *io)
{
    bool was_blocked = io->outbox.blocked;
    struct conn *conn;

    commit_alone(io);
    outbox_flush(&io->outbox, io->host.database);
    if (was_blocked && !io->outbox.blocked) {
        TAILQ_FOREACH(conn, &io->all, in_all)
        {
            if (conn->session.left_frame) {
                io_mark_dirty(io, conn);
            }
        }
    }
}

static void
start_stopping(struct io *io)
{
    struct conn *conn;

    io->is_stopping = true;
    TAILQ_FOREACH(conn, &io->all, in_all)
    {
        conn_stop(conn);
    }
}

static void
on_wake(struct ev_loop *loop, ev_async *watcher, int events)
{
    struct io *io = watcher->data;

    (void)loop;
    (void)events;
    if (atomic_load(&io->end) != IO_RUNS && !io->is_stopping) {
        start_stopping(io);
    }
    take_inbox(io);
    take_outcomes(io);
    take_head(io);
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct io *io = timer->data;
    struct conn *conn;

    (void)loop;
    (void)events;
    TAILQ_FOREACH(conn, &io->all, in_all)
    {
        conn_tick(conn);
    }
    buf_trim(&io->room, IO_ROOM_KEPT);
}

/* ---- a turn ---- */

/* The wait is over, and nothing is handled yet: one look at the clock does for
 * all that is read in this turn.
 */
static void
on_woken(struct ev_loop *loop, ev_check *watcher, int events)
{
    struct io *io = watcher->data;

    (void)loop;
    (void)events;
    reader_set_time(io->host.reader, clock_wall().us);
}

/* True if sockets, or what other threads have brought, should be looked at. */
static bool
has_worked_enough(const struct io *io, struct mono_time from)
{
    return ev_async_pending(&io->wake) || clock_us_since(from) >= WORK_US;
}

/* Let the connections that have work do some of it, each in its turn, and send
 * what comes of it: until none has, or it is enough for one turn of the loop.
 */
static void
work(struct io *io)
{
    struct mono_time from = clock_mono();
    bool enough = false;
    struct conn *conn;

    while (!enough && (conn = TAILQ_FIRST(&io->ready)) != NULL) {
        TAILQ_REMOVE(&io->ready, conn, in_ready);
        conn->is_ready = false;
        conn_lend_room(conn);
        while (!enough && session_pump(&conn->session) > 0) {
            enough = has_worked_enough(io, from);
        }
        leave_round(io, conn);
        conn_settle(conn);
        enough = has_worked_enough(io, from);
    }
}

/* Settling may mark connections as ready, which then are for the next turn, but
 * none as dirty.
 */
static void
settle(struct io *io)
{
    struct conn *conn;

    while ((conn = TAILQ_FIRST(&io->dirty)) != NULL) {
        TAILQ_REMOVE(&io->dirty, conn, in_dirty);
        conn->is_dirty = false;
        conn_settle(conn);
    }
}

/* Is a connection that has the thread to itself about to send the next request?
 */
static bool
stays_awake(struct io *io)
{
    const struct conn *conn = io_find(io, io->spoke_last);
    struct mono_time now;

    if (io->alone < ALONE_MIN || conn == NULL || conn->session.jobs_count > 0) {
        return false;
    }
    now = clock_mono();
    if (io->is_asked) {
        io->is_asked = false;
        vigil_begin(&io->vigil, now);
    }
    return vigil_lasts(&io->vigil, now);
}

static void
on_turn(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    struct io *io = watcher->data;

    (void)events;
    flush_outbox(io);
    settle(io);
    work(io);
    /* Settling handles requests that were left before, and closes connections,
     * which leave word of that. Flushing has more settled only if the writer
     * took nothing before, so this ends.
     */
    while (io->outbox.first != NULL && !io->outbox.blocked) {
        flush_outbox(io);
        settle(io);
    }
    /* The last one of a round may have had its turn, or closed. */
    take_head(io);
    if (TAILQ_EMPTY(&io->ready) && !stays_awake(io)) {
        ev_idle_stop(loop, &io->busy);
    } else {
        ev_idle_start(loop, &io->busy);
    }
    if ((io->is_stopping && TAILQ_EMPTY(&io->all)) ||
        atomic_load(&io->end) == IO_CUTS) {
        ev_break(loop, EVBREAK_ALL);
    }
}

static void
on_busy(struct ev_loop *loop, ev_idle *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

/* ---- the thread ---- */

static void
report_start(struct io *io, enum acta_code code)
{
    pthread_mutex_lock(&io->lock);
    io->is_started = true;
    io->start_code = code;
    pthread_cond_signal(&io->changed);
    pthread_mutex_unlock(&io->lock);
}

static void *
run(void *user)
{
    struct io *io = user;
    struct conn *conn;
    enum acta_code code;

    wake_soon();
    code = reader_open(&io->host.reader, io->host.database, &io->start_err);
    report_start(io, code);
    if (code != ACTA_OK) {
        return NULL;
    }
    database_watch(io->host.database, &io->watcher);
    ev_run(io->loop, 0);
    database_unwatch(io->host.database, &io->watcher);
    while ((conn = TAILQ_FIRST(&io->all)) != NULL) {
        conn_close(conn);
    }
    reader_close(io->host.reader);
    pthread_mutex_lock(&io->lock);
    io->has_ended = true;
    pthread_cond_signal(&io->changed);
    pthread_mutex_unlock(&io->lock);
    return NULL;
}

static void
start_watchers(struct io *io)
{
    ev_async_init(&io->wake, on_wake);
    ev_check_init(&io->woken, on_woken);
    ev_prepare_init(&io->turn, on_turn);
    ev_idle_init(&io->busy, on_busy);
    ev_timer_init(&io->tick, on_tick, TICK_S, TICK_S);
    ev_timer_init(&io->rest, on_rest, 0., 0.);
    io->wake.data = io;
    io->woken.data = io;
    io->turn.data = io;
    io->tick.data = io;
    io->rest.data = io;
    ev_async_start(io->loop, &io->wake);
    ev_check_start(io->loop, &io->woken);
    ev_prepare_start(io->loop, &io->turn);
    ev_timer_start(io->loop, &io->tick);
}

static enum acta_code
wait_for_start(struct io *io, struct acta_err *err)
{
    pthread_mutex_lock(&io->lock);
    while (!io->is_started) {
        pthread_cond_wait(&io->changed, &io->lock);
    }
    pthread_mutex_unlock(&io->lock);
    if (io->start_code != ACTA_OK) {
        *err = io->start_err;
        pthread_join(io->thread, NULL);
    }
    return io->start_code;
}

/* Time-outs are of the monotonic clock: that of the wall may be set. */
static void
init_changed(struct io *io)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&io->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum acta_code
io_start(struct io *io, const struct io_options *options,
         const struct session_host *host, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    *io = (struct io){.options = *options, .host = *host};
    TAILQ_INIT(&io->all);
    TAILQ_INIT(&io->dirty);
    TAILQ_INIT(&io->ready);
    round_init(&io->round);
    vigil_init(&io->vigil, options->busy_poll_us);
    buf_init(&io->room, CONN_OUT_SIZE_MAX);
    outbox_init(&io->outbox);
    completions_init(&io->completions, wake_io, io);
    pthread_mutex_init(&io->lock, NULL);
    init_changed(io);
    io->host.outbox = &io->outbox;
    io->host.completions = &io->completions;
    io->host.limits = options->limits;
    io->watcher.wake = wake_io;
    io->watcher.user = io;
    io->loop = ev_loop_new(EVFLAG_AUTO);
    io->scratch = malloc(IO_SCRATCH_SIZE);
    io->slots = calloc(options->connections_max, sizeof(struct conn *));
    io->inbox = calloc(options->connections_max, sizeof(int));
    if (io->loop == NULL || io->scratch == NULL || io->slots == NULL ||
        io->inbox == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "start I/O thread");
    } else {
        start_watchers(io);
        if (pthread_create(&io->thread, NULL, run, io) != 0) {
            code = acta_fail(err, ACTA_MEMORY, "start I/O thread");
        } else {
            code = wait_for_start(io, err);
        }
    }
    if (code != ACTA_OK) {
        io_free(io);
    }
    return code;
}

void
io_give(struct io *io, int fd)
{
    pthread_mutex_lock(&io->lock);
    assert(io->inbox_count < io->options.connections_max);
    io->inbox[io->inbox_count++] = fd;
    pthread_mutex_unlock(&io->lock);
    wake_io(io);
}

void
io_stop(struct io *io)
{
    atomic_store(&io->end, IO_STOPS);
    wake_io(io);
}

void
io_join(struct io *io, const struct timespec *deadline)
{
    int rc = 0;

    pthread_mutex_lock(&io->lock);
    while (!io->has_ended && rc == 0) {
        rc = pthread_cond_timedwait(&io->changed, &io->lock, deadline);
    }
    pthread_mutex_unlock(&io->lock);
    /* Does nothing to a thread that has ended. */
    atomic_store(&io->end, IO_CUTS);
    wake_io(io);
    pthread_join(io->thread, NULL);
}

void
io_free(struct io *io)
{
    struct job *job = completions_take(&io->completions);
    int fd;

    while (job != NULL) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
    while ((fd = take_given(io)) >= 0) {
        close(fd);
    }
    outbox_fini(&io->outbox);
    completions_fini(&io->completions);
    if (io->loop != NULL) {
        ev_loop_destroy(io->loop);
    }
    pthread_cond_destroy(&io->changed);
    pthread_mutex_destroy(&io->lock);
    free(io->inbox);
    free(io->slots);
    free(io->scratch);
    buf_fini(&io->room);
}
