#include "server.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io.h"
#include "log.h"

#define BACKLOG 1024

/* Accepted in one turn, before the loop looks at anything else. */
#define ACCEPT_MAX 64

/* When the process is out of descriptors or memory, which may not be ours to
 * free: try again so often.
 */
#define RETRY_S 0.25

/* Descriptors that connections never get: of the loop of a thread, and of files
 * that are opened as the server goes on. Without the next file of the journal
 * it would have to end.
 */
#define LOOP_DESCRIPTORS 4
#define FILE_DESCRIPTORS 16

struct server {
    /* Fixed while it runs. */
    struct address address;
    struct database *database;
    struct server_info info;
    size_t connections_max;
    uint64_t stop_timeout_ms;
    struct io *ios;            /* owned */
    struct counters *counters; /* owned: one for each of them */
    size_t ios_count;
    size_t ios_started;
    int fd; /* owned: listens */

    /* Of the accepting thread. */
    pthread_t thread;
    struct ev_loop *loop; /* owned */
    ev_io acceptable;
    ev_timer retry;
    ev_async wake;
    size_t next_io;
    bool queued; /* It was said that clients have to wait. */

    /* Of all threads. */
    _Atomic size_t connections;
    _Atomic size_t memory_used;
    _Atomic uint64_t serial;
    atomic_bool paused; /* To be woken when a connection closes. */
    atomic_bool stop;
};

/* ---- accepting ---- */

/* It is said once, until nobody waits any more: others come and go at the
 * limit, and try again and again.
 */
static void
pause_accepting(struct server *server, bool retry, const char *reason)
{
    if (!server->queued) {
        log_warning(
            log_event("accepting paused"), log_text("reason", reason),
            log_number("connections", atomic_load(&server->connections)));
    }
    server->queued = true;
    ev_io_stop(server->loop, &server->acceptable);
    if (retry) {
        ev_timer_again(server->loop, &server->retry);
    }
}

static void
resume_accepting(struct server *server)
{
    ev_timer_stop(server->loop, &server->retry);
    ev_io_start(server->loop, &server->acceptable);
}

/* False at the limit. Whoever closes a connection after paused is set wakes the
 * accepting thread; who closed one before is seen by the second look.
 */
static bool
may_accept(struct server *server)
{
    if (atomic_load(&server->connections) < server->connections_max) {
        return true;
    }
    atomic_store(&server->paused, true);
    if (atomic_load(&server->connections) < server->connections_max) {
        atomic_store(&server->paused, false);
        return true;
    }
    pause_accepting(server, false, "as many connections as may be");
    return false;
}

static void
on_closed(void *user)
{
    struct server *server = user;

    atomic_fetch_sub(&server->connections, 1);
    if (atomic_exchange(&server->paused, false)) {
        ev_async_send(server->loop, &server->wake);
    }
}

/* False if there is nothing more to accept now. */
static bool
accept_one(struct server *server)
{
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        atomic_fetch_add(&server->connections, 1);
        io_give(&server->ios[server->next_io], fd);
        server->next_io = (server->next_io + 1) % server->ios_count;
        return true;
    }
    switch (errno) {
    case EAGAIN:
        if (server->queued) {
            log_info(log_event("accepting goes on"));
            server->queued = false;
        }
        return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        /* The connection stays in the queue, so the socket stays readable: to
         * go on at once would be to go round in circles.
         */
        atomic_store(&server->paused, true);
        pause_accepting(server, true, strerror(errno));
        return false;
    default:
        return true; /* The peer was faster: it has gone already. */
    }
}

static void
on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct server *server = watcher->data;

    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPT_MAX; i++) {
        if (!may_accept(server) || !accept_one(server)) {
            return;
        }
    }
}

static void
on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    resume_accepting(timer->data);
}

static void
on_wake(struct ev_loop *loop, ev_async *watcher, int events)
{
    struct server *server = watcher->data;

    (void)events;
    if (atomic_load(&server->stop)) {
        ev_break(loop, EVBREAK_ALL);
        return;
    }
    resume_accepting(server);
}

static void *
run(void *user)
{
    struct server *server = user;

    ev_run(server->loop, 0);
    return NULL;
}

static enum acta_code
start_accepting(struct server *server, struct acta_err *err)
{
    server->loop = ev_loop_new(EVFLAG_AUTO);
    if (server->loop == NULL) {
        return acta_fail(err, ACTA_MEMORY, "start to accept");
    }
    ev_io_init(&server->acceptable, on_acceptable, server->fd, EV_READ);
    ev_init(&server->retry, on_retry);
    ev_async_init(&server->wake, on_wake);
    server->retry.repeat = RETRY_S;
    server->acceptable.data = server;
    server->retry.data = server;
    server->wake.data = server;
    ev_io_start(server->loop, &server->acceptable);
    ev_async_start(server->loop, &server->wake);
    return ACTA_OK;
}

/* ---- listening ---- */

static enum acta_code
listen_at(struct server *server, const char *text, struct acta_err *err)
{
    struct sockaddr *address = (struct sockaddr *)&server->address.storage;
    enum acta_code code = address_parse(&server->address, text, err);
    int on = 1;

    if (code != ACTA_OK) {
        return code;
    }
    /* config_load() has refused all others. */
    assert(address_is_loopback(&server->address));
    server->fd = socket(server->address.storage.ss_family,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->fd < 0 ||
        setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) !=
            0 ||
        bind(server->fd, address, server->address.size) != 0 ||
        listen(server->fd, BACKLOG) != 0 ||
        getsockname(server->fd, address, &server->address.size) != 0) {
        return acta_fail(err, errno == EADDRINUSE ? ACTA_IN_USE : ACTA_IO,
                         "listen on %s: %s", text, strerror(errno));
    }
    return ACTA_OK;
}

/* ---- start and stop ---- */

static struct session_limits
limits_of(const struct config *config)
{
    return (struct session_limits){
        .requests_max = config_number(config, CONFIG_REQUESTS_MAX),
        .requests_memory = config_number(config, CONFIG_REQUESTS_MEMORY),
        .output_high = config_number(config, CONFIG_OUTPUT_HIGH),
        .output_low = config_number(config, CONFIG_OUTPUT_LOW),
        .subscription_step = config_number(config, CONFIG_SUBSCRIPTION_STEP),
    };
}

static size_t
threads_of(const struct config *config)
{
    uint64_t count = config_number(config, CONFIG_IO_THREADS);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (count > 0) {
        return (size_t)count;
    }
    return cores < 4 ? 1 : (size_t)cores / 2;
}

/* Who stays awake on the only processor keeps it from those that it waits for.
 */
static uint64_t
busy_poll_of(const struct config *config)
{
    cpu_set_t cpus;

    return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
                   CPU_COUNT(&cpus) == 1
               ? 0
               : config_number(config, CONFIG_BUSY_POLL);
}

/* As many connections as are wanted and can be had, one at least. */
static void
bound_connections(struct server *server, const struct config *config)
{
    uint64_t wanted = config_number(config, CONFIG_CONNECTIONS_MAX);
    uint64_t kept = FILE_DESCRIPTORS + LOOP_DESCRIPTORS * server->ios_count;
    int lowest = dup(server->fd); /* All below it are taken. */
    struct rlimit limit;
    uint64_t left = 1;

    server->connections_max = (size_t)wanted;
    if (lowest < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        limit.rlim_cur = 0;
    }
    if (limit.rlim_cur > (uint64_t)lowest + kept) {
        left = limit.rlim_cur - (uint64_t)lowest - kept;
    }
    if (left < wanted) {
        log_warning(log_event("too few descriptors"),
                    log_number("descriptors", limit.rlim_cur),
                    log_number("connections", left));
        server->connections_max = (size_t)left;
    }
    if (lowest >= 0) {
        close(lowest);
    }
}

static enum acta_code
start_ios(struct server *server, const struct config *config,
          struct acta_err *err)
{
    struct io_options options = {
        .limits = limits_of(config),
        .hello_timeout_ms = config_number(config, CONFIG_HELLO_TIMEOUT),
        .peer_timeout_ms = config_number(config, CONFIG_PEER_TIMEOUT),
        .busy_poll_us = busy_poll_of(config),
        .memory_max = config_number(config, CONFIG_CONNECTIONS_MEMORY),
        .memory_used = &server->memory_used,
        .serial = &server->serial,
        .closed = on_closed,
        .user = server,
    };

    server->ios_count = threads_of(config);
    bound_connections(server, config);
    options.connections_max = server->connections_max;
    server->ios = calloc(server->ios_count, sizeof(*server->ios));
    server->counters = calloc(server->ios_count, sizeof(*server->counters));
    if (server->ios == NULL || server->counters == NULL) {
        return acta_fail(err, ACTA_MEMORY, "start I/O threads");
    }
    server->info.counters = server->counters;
    server->info.threads_count = server->ios_count;
    for (size_t i = 0; i < server->ios_count; i++) {
        struct session_host host = {.database = server->database,
                                    .counters = &server->counters[i],
                                    .info = &server->info};
        enum acta_code code = io_start(&server->ios[i], &options, &host, err);

        if (code != ACTA_OK) {
            return code;
        }
        server->ios_started++;
    }
    return ACTA_OK;
}

static void
stop_ios(struct server *server)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)(server->stop_timeout_ms / 1000);
    deadline.tv_nsec += (long)(server->stop_timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    for (size_t i = 0; i < server->ios_started; i++) {
        io_stop(&server->ios[i]);
    }
    for (size_t i = 0; i < server->ios_started; i++) {
        io_join(&server->ios[i], &deadline);
    }
}

static enum acta_code
make_id(struct uuid *id, struct acta_err *err)
{
    uint8_t digest[UUID_SIZE];

    if (getrandom(digest, sizeof(digest), 0) != (ssize_t)sizeof(digest)) {
        return acta_fail(err, ACTA_IO, "random number: %s", strerror(errno));
    }
    uuid_v8(id, digest);
    return ACTA_OK;
}

enum acta_code
server_listen(struct server **out, const struct config *config,
              struct acta_err *err)
{
    struct server *server = calloc(1, sizeof(*server));
    enum acta_code code;

    *out = NULL;
    if (server == NULL) {
        return acta_fail(err, ACTA_MEMORY, "start server");
    }
    server->fd = -1;
    server->stop_timeout_ms = config_number(config, CONFIG_STOP_TIMEOUT);
    code = make_id(&server->info.id, err);
    if (code == ACTA_OK) {
        code = listen_at(server, config_text(config, CONFIG_LISTEN), err);
    }
    if (code != ACTA_OK) {
        server_free(server);
        return code;
    }
    *out = server;
    return ACTA_OK;
}

enum acta_code
server_start(struct server *server, const struct config *config,
             struct database *database, struct acta_err *err)
{
    enum acta_code code;

    server->database = database;
    server->info.version = ACTA_VERSION;
    server->info.started = clock_mono();
    code = start_accepting(server, err);
    if (code == ACTA_OK) {
        code = start_ios(server, config, err);
    }
    if (code == ACTA_OK &&
        pthread_create(&server->thread, NULL, run, server) != 0) {
        code = acta_fail(err, ACTA_MEMORY, "start accepting thread");
    }
    if (code != ACTA_OK) {
        stop_ios(server);
    }
    return code;
}

const struct address *
server_address(const struct server *server)
{
    return &server->address;
}

void
server_stop(struct server *server)
{
    atomic_store(&server->stop, true);
    ev_async_send(server->loop, &server->wake);
    pthread_join(server->thread, NULL);
    /* From here on who tries to connect is refused by the kernel. */
    close(server->fd);
    server->fd = -1;
    database_stop_appends(server->database);
    stop_ios(server);
}

void
server_free(struct server *server)
{
    if (server == NULL) {
        return;
    }
    for (size_t i = 0; i < server->ios_started; i++) {
        io_free(&server->ios[i]);
    }
    if (server->loop != NULL) {
        ev_loop_destroy(server->loop);
    }
    if (server->fd >= 0) {
        close(server->fd);
    }
    free(server->counters);
    free(server->ios);
    free(server);
}
