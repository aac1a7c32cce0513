#include "io.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lookup.h"

/* Reads in a row, before others get their turn in the loop. */
#define READS_MAX 8

#define ADDRESS_TEXT_SIZE 64 /* "2001:db8::1" at its longest, with a scope. */

static void next_address(struct io *io, const struct acta_err *why,
                         uint64_t now_ms);

void
io_init(struct io *io, struct core *core, const struct options *options,
        void (*on_close)(void *owner), uint64_t now_ms)
{
    *io = (struct io){
        .core = core,
        .options = options,
        .on_close = on_close,
        .fd = -1,
        .due_ms = now_ms,
        .backoff_ms = options->given.backoff_min_ms,
    };
    /* Without randomness, what differs between processes has to do. */
    if (getrandom(&io->jitter, sizeof(io->jitter), GRND_NONBLOCK) !=
        sizeof(io->jitter)) {
        io->jitter = now_ms ^ (uint64_t)getpid() << 32;
    }
    io->jitter |= 1;
}

static void
close_socket(struct io *io)
{
    if (io->fd >= 0) {
        io->on_close(io->core->owner);
        if (io->near != NULL) {
            io->near->close(io->near, io->fd);
        } else {
            close(io->fd);
        }
        io->fd = -1;
    }
}

static void
end_lookup(struct io *io)
{
    if (io->lookup != NULL) {
        io->on_close(io->core->owner);
        lookup_free(io->lookup);
        io->lookup = NULL;
    }
}

static void
close_all(struct io *io)
{
    close_socket(io);
    end_lookup(io);
    if (io->addresses != NULL) {
        freeaddrinfo(io->addresses);
        io->addresses = NULL;
    }
    io->address = NULL;
}

void
io_fini(struct io *io)
{
    close_all(io);
}

int
io_fd(const struct io *io)
{
    return io->state == IO_LOOKING_UP ? lookup_fd(io->lookup) : io->fd;
}

unsigned
io_wants(const struct io *io)
{
    switch (io->state) {
    case IO_PAUSED:
        return 0;
    case IO_LOOKING_UP:
        return ACTA_READ;
    case IO_CONNECTING:
        return ACTA_WRITE;
    case IO_UP:
        break;
    }
    return ACTA_READ | (core_output(io->core).size > 0 ? ACTA_WRITE : 0);
}

uint64_t
io_due(const struct io *io)
{
    uint64_t due_ms = core_due(io->core);

    if (io->near != NULL && io->state == IO_UP) {
        uint64_t near_due_ms = io->near->due_ms(io->near, io->fd);

        due_ms = near_due_ms < due_ms ? near_due_ms : due_ms;
    }
    return due_ms < io->due_ms ? due_ms : io->due_ms;
}

/* ---- pauses ---- */

static uint64_t
next_random(struct io *io)
{
    /* xorshift64: good enough to spread clients in time. */
    io->jitter ^= io->jitter << 13;
    io->jitter ^= io->jitter >> 7;
    io->jitter ^= io->jitter << 17;
    return io->jitter;
}

/* Pause for half of the time that is due, and a random part of the rest. */
static void
pause_round(struct io *io, uint64_t now_ms)
{
    uint64_t max_ms = io->options->given.backoff_max_ms;
    uint64_t half_ms = io->backoff_ms / 2;

    close_all(io);
    io->state = IO_PAUSED;
    io->hosts_tried = 0;
    io->due_ms = now_ms + half_ms + next_random(io) % (half_ms + 1);
    io->backoff_ms = io->backoff_ms < max_ms / 2 ? io->backoff_ms * 2 : max_ms;
}

/* ---- making a connection ---- */

static void
look_up(struct io *io, uint64_t now_ms)
{
    const struct host *host = &io->options->hosts[io->host];
    struct acta_err err;

    io->state = IO_LOOKING_UP;
    io->due_ms = now_ms + io->options->given.connect_timeout_ms;
    snprintf(io->where, sizeof(io->where), "look up %.100s", host->name);
    if (lookup_start(&io->lookup, host, &err) != ACTA_OK) {
        io->state = IO_PAUSED;
        next_address(io, &err, now_ms);
    }
}

/* This address was no good: try the next one, of this host or another. */
static void
next_address(struct io *io, const struct acta_err *why, uint64_t now_ms)
{
    struct addrinfo *next = io->address == NULL ? NULL : io->address->ai_next;
    struct acta_err err = *why;

    io->why = err;
    close_socket(io);
    if (next != NULL) {
        io->state = IO_CONNECTING;
        io->address = next;
        io->due_ms = now_ms; /* io_tick() goes on: see connect_address(). */
        return;
    }
    close_all(io);
    io->host = (io->host + 1) % io->options->hosts_count;
    if (++io->hosts_tried < io->options->hosts_count) {
        look_up(io, now_ms);
        return;
    }
    pause_round(io, now_ms);
    core_unreachable(io->core, &err);
}

static void
describe(struct io *io, const struct addrinfo *address)
{
    char host[ADDRESS_TEXT_SIZE], port[8];

    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof(host),
                    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        snprintf(io->where, sizeof(io->where),
                 address->ai_family == AF_INET6 ? "connect [%s]:%s"
                                                : "connect %s:%s",
                 host, port);
    }
}

static void
set_socket_options(struct io *io)
{
    int on = 1;
    int patience_ms = io->options->given.silence_ms < INT32_MAX / 2
                          ? (int)(2 * io->options->given.silence_ms)
                          : INT32_MAX;

    /* Neither is needed to be right, only to be quick. */
    (void)setsockopt(io->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(io->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms,
                     sizeof(patience_ms));
}

static void
is_connected(struct io *io, uint64_t now_ms)
{
    io->state = IO_UP;
    /* Until the welcome, which is a part of connecting. */
    io->due_ms = now_ms + io->options->given.connect_timeout_ms;
    core_connected(io->core, now_ms);
    io_flush(io, now_ms);
}

static void
fail_errno(struct io *io, int error, uint64_t now_ms)
{
    struct acta_err err;

    acta_fail(&err, ACTA_UNREACHABLE, "%s: %s", io->where, strerror(error));
    next_address(io, &err, now_ms);
}

static void
connect_address(struct io *io, uint64_t now_ms)
{
    const struct addrinfo *address = io->address;

    describe(io, address);
    io->state = IO_CONNECTING;
    io->due_ms = now_ms + io->options->given.connect_timeout_ms;
    io->fd = socket(address->ai_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (io->fd < 0) {
        fail_errno(io, errno, now_ms);
        return;
    }
    set_socket_options(io);
    if (connect(io->fd, address->ai_addr, address->ai_addrlen) == 0) {
        is_connected(io, now_ms);
    } else if (errno != EINPROGRESS) {
        fail_errno(io, errno, now_ms);
    }
}

static void
connect_near(struct io *io, uint64_t now_ms)
{
    snprintf(io->where, sizeof(io->where), "connect to memory");
    io->fd = io->near->connect(io->near);
    if (io->fd < 0) {
        fail_errno(io, errno, now_ms);
    } else {
        is_connected(io, now_ms);
    }
}

static void
take_addresses(struct io *io, uint64_t now_ms)
{
    struct acta_err err;
    enum acta_code code = lookup_take(io->lookup, &io->addresses, &err);

    if (code == ACTA_BUSY) {
        return;
    }
    end_lookup(io);
    if (code != ACTA_OK) {
        io->state = IO_PAUSED;
        next_address(io, &err, now_ms);
        return;
    }
    io->address = io->addresses;
    connect_address(io, now_ms);
}

static void
finish_connecting(struct io *io, uint64_t now_ms)
{
    socklen_t size = sizeof(int);
    int error = 0;

    if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) {
        error = errno;
    }
    if (error != 0) {
        fail_errno(io, error, now_ms);
    } else {
        is_connected(io, now_ms);
    }
}

/* ---- a connection ---- */

/* Before the welcome it was an address that is no good; after, what was there
 * comes back soonest where it was.
 */
static void
lose(struct io *io, const struct acta_err *why, uint64_t now_ms)
{
    bool was_ready = io->core->state == CORE_READY;
    struct acta_err err;

    acta_fail(&err, why->code, "%s: %s", io->where, why->text);
    if (!was_ready) {
        core_lost(io->core, &err, now_ms);
        next_address(io, &err, now_ms);
        return;
    }
    if (io->core->useful) {
        io->backoff_ms = io->options->given.backoff_min_ms;
    }
    pause_round(io, now_ms);
    core_lost(io->core, &err, now_ms);
}

static void
lose_errno(struct io *io, int error, uint64_t now_ms)
{
    struct acta_err err;

    acta_fail(&err, ACTA_UNREACHABLE, "%s", strerror(error));
    lose(io, &err, now_ms);
}

static ssize_t
receive(struct io *io, void *bytes, size_t size)
{
    return io->near != NULL ? io->near->receive(io->near, io->fd, bytes, size)
                            : recv(io->fd, bytes, size, 0);
}

static ssize_t
send_bytes(struct io *io, struct slice bytes)
{
    return io->near != NULL
               ? io->near->send(io->near, io->fd, bytes.data, bytes.size)
               : send(io->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
}

/* True if more may be read at once. */
static bool
read_some(struct io *io, uint64_t now_ms)
{
    struct acta_err err;
    uint8_t *room;
    size_t size;
    ssize_t got;

    room = core_room(io->core, &size);
    if (room == NULL) {
        acta_fail(&err, ACTA_MEMORY, "no memory to read into");
        lose(io, &err, now_ms);
        return false;
    }
    got = receive(io, room, size);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            lose_errno(io, errno, now_ms);
        }
        return false;
    }
    if (got == 0) {
        acta_fail(&err, ACTA_UNREACHABLE, "server has closed the connection");
        lose(io, &err, now_ms);
        return false;
    }
    if (io->near != NULL) {
        now_ms = io->near->now_ms(io->near); /* It may have moved by this. */
    }
    if (core_received(io->core, (size_t)got, now_ms, &err) != ACTA_OK) {
        lose(io, &err, now_ms);
        return false;
    }
    if (io->core->state == CORE_READY) {
        io->due_ms = UINT64_MAX;
    }
    return (size_t)got == size;
}

static void
read_all(struct io *io, uint64_t now_ms)
{
    for (int i = 0; i < READS_MAX && !io->core->closing; i++) {
        if (!read_some(io, now_ms)) {
            break;
        }
    }
}

void
io_flush(struct io *io, uint64_t now_ms)
{
    struct acta_err err;

    if (io->state != IO_UP || io->core->closing) {
        return;
    }
    if (core_is_broken(io->core)) {
        acta_fail(&err, ACTA_MEMORY, "no memory to write from");
        lose(io, &err, now_ms);
        return;
    }
    while (core_output(io->core).size > 0) {
        struct slice bytes = core_output(io->core);
        ssize_t sent = send_bytes(io, bytes);

        if (sent < 0) {
            /* What a server said before it hung up is still to be read. */
            if (errno != EAGAIN && errno != EINTR && errno != EPIPE) {
                lose_errno(io, errno, now_ms);
            }
            return;
        }
        core_written(io->core, (size_t)sent, now_ms);
        if ((size_t)sent < bytes.size) {
            return;
        }
    }
}

void
io_ready(struct io *io, unsigned events, uint64_t now_ms)
{
    switch (io->state) {
    case IO_PAUSED:
        break;
    case IO_LOOKING_UP:
        take_addresses(io, now_ms);
        break;
    case IO_CONNECTING:
        finish_connecting(io, now_ms);
        break;
    case IO_UP:
        if (events & ACTA_READ) {
            read_all(io, now_ms);
        }
        break;
    }
    if (io->near != NULL) {
        io_tick(io, now_ms); /* It may be the time that has moved. */
        return;
    }
    io_flush(io, now_ms);
}

static void
patience_is_over(struct io *io, uint64_t now_ms)
{
    struct acta_err err;

    switch (io->state) {
    case IO_PAUSED:
        if (io->near != NULL) {
            connect_near(io, now_ms);
        } else {
            look_up(io, now_ms);
        }
        break;
    case IO_CONNECTING:
        if (io->fd < 0) {
            connect_address(io, now_ms);
            break;
        }
        fail_errno(io, ETIMEDOUT, now_ms);
        break;
    case IO_LOOKING_UP:
        acta_fail(&err, ACTA_UNREACHABLE, "%s: %s", io->where,
                  strerror(ETIMEDOUT));
        next_address(io, &err, now_ms);
        break;
    case IO_UP:
        acta_fail(&err, ACTA_UNREACHABLE, "server does not answer hello");
        lose(io, &err, now_ms);
        break;
    }
}

void
io_tick(struct io *io, uint64_t now_ms)
{
    struct acta_err err;

    if (now_ms >= io->due_ms) {
        patience_is_over(io, now_ms);
    }
    if (io->near != NULL && io->state == IO_UP) {
        read_all(io, now_ms); /* What was waited for may be over. */
    }
    if (core_tick(io->core, now_ms, &err) != ACTA_OK && io->state == IO_UP) {
        lose(io, &err, now_ms);
    }
    io_flush(io, now_ms);
}
