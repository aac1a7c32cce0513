#include "network.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "descriptor.h"
#include "network_inside.h"

/* The system gives up connecting. */
#define CONNECT_NS (6 * SIM_S)

static short end_events(void *of);
static void end_close(void *of);

static const struct descriptor_kind end_kind = {
    .events = end_events,
    .close = end_close,
};

struct network network;

void
network_init(const struct network_odds *odds)
{
    network.odds = *odds;
}

const struct network_counts *
network_counts(void)
{
    return &network.counts;
}

/* ---- time ---- */

static void
nothing(void *a, uint64_t b)
{
    (void)a;
    (void)b;
}

void
network_until(uint64_t time_ns)
{
    if (time_ns > task_now_ns() && time_ns != SIM_NEVER) {
        task_at(time_ns, nothing, NULL, 0);
    }
}

uint64_t
network_delay(void)
{
    uint64_t delay_ns = 1 + sim_below(network.odds.delay_ns);

    if (sim_once_in(network.odds.slow_odds)) {
        delay_ns += sim_below(network.odds.slow_ns);
    }
    return delay_ns;
}

static bool
has_come(uint64_t time_ns)
{
    return time_ns <= task_now_ns();
}

static uint64_t
later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- bytes on their way ---- */

static bool
has_arrived(const struct way *way)
{
    return way->first != NULL && has_come(way->first->arrives_ns) &&
           has_come(way->stalled_ns);
}

static bool
has_ended(const struct way *way)
{
    return way->first == NULL && has_come(way->ends_ns) &&
           has_come(way->stalled_ns);
}

static void
put_piece(struct way *way, const uint8_t *bytes, size_t size)
{
    struct piece *piece = malloc(sizeof(*piece) + size);

    assert(piece != NULL);
    piece->next = NULL;
    piece->size = size;
    piece->taken = 0;
    memcpy(piece->bytes, bytes, size);
    way->last_ns = later_of(way->last_ns, task_now_ns() + network_delay());
    piece->arrives_ns = way->last_ns;
    network_until(piece->arrives_ns);
    if (way->first == NULL) {
        way->first = piece;
    } else {
        way->last->next = piece;
    }
    way->last = piece;
    way->size += size;
}

static size_t
take_arrived(struct way *way, uint8_t *to, size_t size)
{
    size_t done = 0;

    while (done < size && has_arrived(way)) {
        struct piece *piece = way->first;
        size_t left = piece->size - piece->taken;
        size_t part = left < size - done ? left : size - done;

        memcpy(to + done, piece->bytes + piece->taken, part);
        piece->taken += part;
        done += part;
        way->size -= part;
        if (piece->taken == piece->size) {
            way->first = piece->next;
            free(piece);
        }
    }
    return done;
}

/* ---- ends ---- */

void
network_reset(struct end *end, uint64_t delay_ns)
{
    uint64_t time_ns = task_now_ns() + delay_ns;

    if (time_ns < end->reset_ns) {
        end->reset_ns = time_ns;
        network_until(time_ns);
    }
}

static bool
is_reset(const struct end *end)
{
    return has_come(end->reset_ns);
}

static bool
has_room(const struct end *end)
{
    return end->out->size < network.odds.window;
}

static short
end_events(void *of)
{
    const struct end *end = of;
    short events = 0;

    switch (end->state) {
    case END_LISTENS:
        return end->accepted != NULL ? POLLIN : 0;
    case END_CONNECTS:
        if (!has_come(end->settled_ns)) {
            return 0;
        }
        return (short)(end->error == 0 ? POLLOUT : POLLOUT | POLLERR | POLLHUP);
    case END_STANDS:
        if (is_reset(end)) {
            return POLLIN | POLLOUT | POLLERR | POLLHUP;
        }
        if (has_arrived(end->in) || has_ended(end->in)) {
            events |= POLLIN;
        }
        if (has_room(end)) {
            events |= POLLOUT;
        }
        return events;
    case END_NEW:
    case END_CLOSED:
        break;
    }
    return 0;
}

/* What was received and not read, or is sent to it later, is answered with a
 * reset, as the system does.
 */
static void
end_close(void *of)
{
    struct end *end = of;
    struct end *next;

    sim_trace(10, end->owner, end->state);
    for (struct end *e = end->accepted; end->state == END_LISTENS && e != NULL;
         e = next) {
        next = e->accepted;
        network_reset(e->peer, network_delay());
        e->state = END_CLOSED;
    }
    if (end->state == END_STANDS) {
        if (end->in->first != NULL) {
            network_reset(end->peer, network_delay());
        } else if (!end->out->is_silent) {
            uint64_t arrives_ns = task_now_ns() + network_delay();

            if (end->out->ends_ns == SIM_NEVER) {
                end->out->ends_ns = later_of(end->out->last_ns, arrives_ns);
                network_until(end->out->ends_ns);
            }
        }
    }
    end->state = END_CLOSED;
}

/* ---- listening ---- */

#define LISTENERS_MAX 256

static struct end *listeners[LISTENERS_MAX];
static size_t listeners_count;

static struct end *
find_listener(unsigned port)
{
    for (size_t i = 0; i < listeners_count; i++) {
        if (listeners[i]->state == END_LISTENS && listeners[i]->port == port) {
            return listeners[i];
        }
    }
    return NULL;
}

static unsigned
port_of(const struct sockaddr *address)
{
    struct sockaddr_in in;

    assert(address->sa_family == AF_INET);
    memcpy(&in, address, sizeof(in));
    return ntohs(in.sin_port);
}

SIM_CALL int
socket(int domain, int type, int protocol)
{
    struct end *end = calloc(1, sizeof(*end));

    (void)domain;
    (void)type;
    (void)protocol;
    task_yield();
    if (end == NULL) {
        errno = ENOMEM;
        return -1;
    }
    end->reset_ns = SIM_NEVER;
    return descriptor_new(&end_kind, end);
}

SIM_CALL int
bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    struct end *end = descriptor_get(fd, &end_kind);

    (void)size;
    if (end == NULL) {
        return -1;
    }
    if (find_listener(port_of(address.__sockaddr__)) != NULL) {
        errno = EADDRINUSE;
        return -1;
    }
    end->port = port_of(address.__sockaddr__);
    return 0;
}

SIM_CALL int
listen(int fd, int backlog)
{
    struct end *end = descriptor_get(fd, &end_kind);

    (void)backlog;
    if (end == NULL) {
        return -1;
    }
    end->state = END_LISTENS;
    end->owner = task_owner();
    assert(listeners_count < LISTENERS_MAX);
    listeners[listeners_count++] = end;
    return 0;
}

SIM_CALL int
getsockname(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
{
    struct end *end = descriptor_get(fd, &end_kind);
    struct sockaddr_in in = {.sin_family = AF_INET};

    if (end == NULL) {
        return -1;
    }
    in.sin_port = htons((uint16_t)end->port);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(address.__sockaddr__, &in, sizeof(in));
    *size = sizeof(in);
    return 0;
}

SIM_CALL int
accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict size, int flags)
{
    struct end *end = descriptor_get(fd, &end_kind), *first;

    (void)address;
    (void)size;
    (void)flags;
    task_yield();
    if (end == NULL) {
        return -1;
    }
    first = end->accepted;
    if (first == NULL) {
        errno = EAGAIN;
        return -1;
    }
    end->accepted = first->accepted;
    first->accepted = NULL;
    first->owner = task_owner();
    return descriptor_new(&end_kind, first);
}

/* ---- connecting ---- */

static void
settle(struct end *end, int error, uint64_t delay_ns)
{
    end->error = error;
    end->settled_ns = task_now_ns() + delay_ns;
    network_until(end->settled_ns);
}

static struct link *
link_new(struct end *client, unsigned port)
{
    struct link *link = calloc(1, sizeof(*link));

    assert(link != NULL);
    assert(network.links_count < LINKS_MAX);
    network.links[network.links_count++] = link;
    network.counts.connections++;
    link->client = client;
    link->up.ends_ns = SIM_NEVER;
    link->down.ends_ns = SIM_NEVER;
    link->server = (struct end){
        .state = END_STANDS,
        .port = port,
        .peer = client,
        .in = &link->up,
        .out = &link->down,
        .reset_ns = SIM_NEVER,
    };
    client->peer = &link->server;
    client->in = &link->down;
    client->out = &link->up;
    return link;
}

/* The client has arrived where it wants to. */
static void
arrive(void *a, uint64_t port)
{
    struct end *client = a, *listener, **at;
    struct link *link;

    if (client->state == END_CLOSED) {
        return;
    }
    if (!has_come(network.parted_ns)) {
        if (network.is_lost) {
            settle(client, ETIMEDOUT, CONNECT_NS);
        } else {
            task_at(network.parted_ns + network_delay(), arrive, client, port);
        }
        return;
    }
    listener = find_listener((unsigned)port);
    if (listener == NULL) {
        settle(client, ECONNREFUSED, network_delay());
        return;
    }
    link = link_new(client, (unsigned)port);
    for (at = &listener->accepted; *at != NULL; at = &(*at)->accepted) {
    }
    *at = &link->server;
    settle(client, 0, network_delay());
}

SIM_CALL int
connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    struct end *end = descriptor_get(fd, &end_kind);

    (void)size;
    task_yield();
    if (end == NULL) {
        return -1;
    }
    end->state = END_CONNECTS;
    end->settled_ns = SIM_NEVER;
    end->owner = task_owner();
    task_at(task_now_ns() + network_delay(), arrive, end,
            port_of(address.__sockaddr__));
    errno = EINPROGRESS;
    return -1;
}

SIM_CALL int
getsockopt(int fd, int level, int name, void *restrict value,
           socklen_t *restrict size)
{
    struct end *end = descriptor_get(fd, &end_kind);
    int error;

    if (end == NULL) {
        return -1;
    }
    assert(level == SOL_SOCKET && name == SO_ERROR);
    error = end->error;
    if (end->state == END_CONNECTS && has_come(end->settled_ns) && error == 0) {
        end->state = END_STANDS;
    }
    memcpy(value, &error, sizeof(error));
    *size = sizeof(error);
    return 0;
}

SIM_CALL int
setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    (void)level;
    (void)name;
    (void)value;
    (void)size;
    return descriptor_get(fd, &end_kind) == NULL ? -1 : 0;
}

/* ---- sending and receiving ---- */

static size_t
cut_short(size_t size)
{
    return size > 1 && sim_once_in(network.odds.split_odds)
               ? 1 + sim_below(size)
               : size;
}

static int
tell_reset(struct end *end)
{
    int error = end->is_told ? EPIPE : ECONNRESET;

    end->is_told = true;
    errno = error;
    return -1;
}

SIM_CALL ssize_t
recv(int fd, void *bytes, size_t size, int flags)
{
    struct end *end = descriptor_get(fd, &end_kind);
    size_t got;

    (void)flags;
    task_yield();
    if (end == NULL || end->state != END_STANDS) {
        errno = ENOTCONN;
        return -1;
    }
    got = take_arrived(end->in, bytes, cut_short(size < 4096 ? size : 4096));
    if (got == 0 && !is_reset(end) && !has_ended(end->in)) {
        errno = EAGAIN;
        return -1;
    }
    sim_trace(11, end->owner, got);
    if (got == 0 && is_reset(end)) {
        return end->is_told ? 0 : tell_reset(end);
    }
    return (ssize_t)got;
}

SIM_CALL ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room,
                            int flags);

SIM_CALL ssize_t
__recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    (void)room;
    return recv(fd, bytes, size, flags);
}

static size_t
room_of(const struct end *end)
{
    return has_room(end) ? (size_t)(network.odds.window - end->out->size) : 0;
}

static void
send_pieces(struct way *way, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t part = cut_short(size);

        put_piece(way, bytes, part);
        if (sim_once_in(network.odds.doubled_odds)) {
            put_piece(way, bytes, part);
        }
        bytes += part;
        size -= part;
    }
}

SIM_CALL ssize_t
send(int fd, const void *bytes, size_t size, int flags)
{
    struct end *end = descriptor_get(fd, &end_kind);

    (void)flags;
    task_yield();
    if (end == NULL || end->state != END_STANDS) {
        errno = ENOTCONN;
        return -1;
    }
    if (is_reset(end)) {
        return tell_reset(end);
    }
    if (end->is_shut) {
        errno = EPIPE;
        return -1;
    }
    if (!has_room(end)) {
        errno = EAGAIN;
        return -1;
    }
    if (size > room_of(end)) {
        size = room_of(end);
    }
    size = cut_short(size);
    sim_trace(12, end->owner, size);
    network.counts.bytes += size;
    if (end->peer->state == END_CLOSED) {
        network_reset(end, network_delay());
    } else if (!end->out->is_silent) {
        send_pieces(end->out, bytes, size);
    }
    return (ssize_t)size;
}

SIM_CALL int
shutdown(int fd, int how)
{
    struct end *end = descriptor_get(fd, &end_kind);

    assert(how == SHUT_WR);
    task_yield();
    if (end == NULL || end->state != END_STANDS) {
        errno = ENOTCONN;
        return -1;
    }
    end->is_shut = true;
    if (!end->out->is_silent && end->out->ends_ns == SIM_NEVER) {
        end->out->ends_ns =
            later_of(end->out->last_ns, task_now_ns() + network_delay());
        network_until(end->out->ends_ns);
    }
    return 0;
}
