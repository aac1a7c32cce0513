#include "proxy.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "notes.h"
#include "require.h"

#define LINKS_MAX 256
#define FLOW_SIZE 8192
#define BACKLOG   512
#define WAIT_MS   50 /* For what has no descriptor to wait for. */

/* One direction of a link. */
struct flow {
    int from, to;         /* The link's. */
    uint8_t *bytes;       /* owned */
    size_t size;          /* Of what stands in bytes, from the beginning. */
    uint64_t until_fault; /* Bytes to pass before it; UINT64_MAX: none. */
    uint64_t not_before;  /* It stands still until then. */
    bool is_request;      /* From client to server. */
    bool swallows;
    bool has_ended; /* Nothing more comes. */
    bool told_end;  /* And the other side knows. */
};

struct link {
    int client; /* owned; -1: there is no link here. */
    int server; /* owned; -1: was forgotten. */
    struct flow flows[2];
};

struct proxy {
    pthread_t thread;
    struct sockaddr_in target;
    char address[32];
    unsigned port;
    char url[64];
    int listener; /* owned */
    int wake;     /* owned */

    /* Of its thread. */
    struct rnd rnd;
    struct link links[LINKS_MAX];
    struct proxy_manner manner; /* As of this turn. */

    pthread_mutex_t lock; /* Guards what follows. */
    struct proxy_manner wanted;
    bool is_new; /* wanted is. */
    struct proxy_counts counts;
    bool hold;
    bool cut;
    bool stop;
};

static void
count(struct proxy *proxy, uint64_t *counter, uint64_t by)
{
    pthread_mutex_lock(&proxy->lock);
    *counter += by;
    pthread_mutex_unlock(&proxy->lock);
}

/* ---- links ---- */

static void
draw_fault(struct proxy *proxy, struct flow *flow)
{
    uint64_t mean = proxy->manner.fault_every;

    flow->until_fault =
        mean == 0 || (flow->is_request && proxy->manner.spares_requests)
            ? UINT64_MAX
            : 1 + rnd_below(&proxy->rnd, 2 * mean);
}

static void
init_flow(struct proxy *proxy, struct flow *flow, int from, int to,
          bool is_request)
{
    *flow = (struct flow){.from = from, .to = to, .is_request = is_request};
    flow->bytes = malloc(FLOW_SIZE);
    require(flow->bytes != NULL);
    draw_fault(proxy, flow);
    if (flow->until_fault != UINT64_MAX) {
        flow->until_fault += proxy->manner.spared;
    }
}

static void
close_link(struct link *link, bool reset)
{
    struct linger linger = {.l_onoff = reset};

    (void)setsockopt(link->client, SOL_SOCKET, SO_LINGER, &linger,
                     sizeof(linger));
    close(link->client);
    if (link->server >= 0) {
        (void)setsockopt(link->server, SOL_SOCKET, SO_LINGER, &linger,
                         sizeof(linger));
        close(link->server);
    }
    free(link->flows[0].bytes);
    free(link->flows[1].bytes);
    *link = (struct link){.client = -1, .server = -1};
}

static void
send_at_once(int fd)
{
    int on = 1;

    require(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
}

/* Loopback answers at once, also for a server that stands still. */
static int
connect_on(const struct proxy *proxy)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    require(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&proxy->target,
                sizeof(proxy->target)) != 0) {
        close(fd);
        return -1;
    }
    send_at_once(fd);
    return fd;
}

/* One side has gone, and the other does not know. */
static bool
is_half_open(const struct link *link)
{
    return (link->flows[0].swallows && link->flows[0].has_ended) ||
           (link->flows[1].swallows && link->flows[1].has_ended);
}

/* If all are taken, somebody who was left alone is told at last. */
static struct link *
free_link(struct proxy *proxy)
{
    struct link *half_open = NULL;

    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (proxy->links[i].client < 0) {
            return &proxy->links[i];
        }
        if (is_half_open(&proxy->links[i])) {
            half_open = &proxy->links[i];
        }
    }
    ck_assert_msg(half_open != NULL, "more than %d connections", LINKS_MAX);
    close_link(half_open, true);
    return half_open;
}

static void
accept_one(struct proxy *proxy)
{
    unsigned forget = proxy->manner.forget_one_in;
    int fd = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    struct link *link;

    if (fd < 0) {
        return; /* It has gone already. */
    }
    link = free_link(proxy);
    send_at_once(fd);
    *link = (struct link){.client = fd, .server = -1};
    count(proxy, &proxy->counts.connections, 1);
    if (forget > 0 && rnd_once_in(&proxy->rnd, forget)) {
        count(proxy, &proxy->counts.forgotten, 1);
        init_flow(proxy, &link->flows[0], fd, -1, true);
        link->flows[0].swallows = true;
        return;
    }
    link->server = connect_on(proxy);
    if (link->server < 0) {
        close_link(link, true);
        return;
    }
    init_flow(proxy, &link->flows[0], fd, link->server, true);
    init_flow(proxy, &link->flows[1], link->server, fd, false);
}

/* ---- faults ---- */

static enum proxy_fault
choose_fault(struct proxy *proxy)
{
    const unsigned *weights = proxy->manner.weights;
    uint64_t sum = 0, drawn;
    unsigned kind = 0;

    for (unsigned i = 0; i < PROXY_FAULTS_COUNT; i++) {
        sum += weights[i];
    }
    require(sum > 0);
    drawn = rnd_below(&proxy->rnd, sum);
    while (drawn >= weights[kind]) {
        drawn -= weights[kind++];
    }
    return (enum proxy_fault)kind;
}

/* The first byte that stands there is where it happens. False if the link is
 * gone.
 */
static bool
do_fault(struct proxy *proxy, struct link *link, struct flow *flow)
{
    enum proxy_fault kind = choose_fault(proxy);

    count(proxy, &proxy->counts.faults[kind], 1);
    switch (kind) {
    case PROXY_STALL:
        flow->not_before =
            notes_time_us() +
            1000 * rnd_below(&proxy->rnd, proxy->manner.stall_ms_max + 1);
        break;
    case PROXY_CLOSE:
    case PROXY_RESET:
        close_link(link, kind == PROXY_RESET);
        return false;
    case PROXY_SWALLOW:
        flow->swallows = true;
        break;
    case PROXY_FLIP:
        flow->bytes[0] ^= 1; /* Texts mostly stay texts by it. */
        break;
    case PROXY_FAULTS_COUNT:
        break;
    }
    draw_fault(proxy, flow);
    return true;
}

/* ---- bytes ---- */

/* False if the link is gone. */
static bool
take_in(struct link *link, struct flow *flow)
{
    ssize_t got = recv(flow->from, flow->bytes + flow->size,
                       FLOW_SIZE - flow->size, MSG_DONTWAIT);

    if (got > 0) {
        flow->size += (size_t)got;
    } else if (got == 0) {
        flow->has_ended = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        if (flow->swallows) {
            flow->has_ended = true; /* Who is there hears nothing of it. */
        } else {
            close_link(link, true);
            return false;
        }
    }
    if (flow->swallows) {
        flow->size = 0;
    }
    return true;
}

static size_t
piece_of(struct proxy *proxy, const struct flow *flow)
{
    unsigned max = proxy->manner.piece_max;
    size_t size = flow->size;

    if (max > 0 && size > 1) {
        size_t drawn = 1 + rnd_below(&proxy->rnd, max);

        size = size < drawn ? size : drawn;
    }
    return size < flow->until_fault ? size : (size_t)flow->until_fault;
}

/* Send one piece. False if the link is gone. */
static bool
pass_on(struct proxy *proxy, struct link *link, struct flow *flow)
{
    size_t size = piece_of(proxy, flow);
    ssize_t sent =
        send(flow->to, flow->bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return true;
        }
        if (link->flows[0].swallows || link->flows[1].swallows) {
            flow->swallows = true; /* A host that has vanished says nothing. */
            flow->size = 0;
            return true;
        }
        close_link(link, true);
        return false;
    }
    flow->size -= (size_t)sent;
    memmove(flow->bytes, flow->bytes + sent, flow->size);
    if (flow->until_fault != UINT64_MAX) {
        flow->until_fault -= (uint64_t)sent;
    }
    if (proxy->manner.rate > 0) {
        flow->not_before =
            notes_time_us() + (uint64_t)sent * 1000000 / proxy->manner.rate;
    }
    count(proxy, &proxy->counts.bytes, (uint64_t)sent);
    count(proxy, &proxy->counts.pieces, 1);
    return true;
}

/* What @flow has to wait for now, of the side that it comes from and of that
 * which it goes to.
 */
static short
wants_in(const struct flow *flow, uint64_t now)
{
    return flow->bytes != NULL && !flow->has_ended && flow->size < FLOW_SIZE &&
                   now >= flow->not_before
               ? POLLIN
               : 0;
}

static short
wants_out(const struct flow *flow, uint64_t now)
{
    return flow->bytes != NULL && flow->size > 0 && now >= flow->not_before
               ? POLLOUT
               : 0;
}

static bool
move_flow(struct proxy *proxy, struct link *link, struct flow *flow,
          bool readable, bool writable)
{
    uint64_t now = notes_time_us();

    if (readable && wants_in(flow, now) != 0 && !take_in(link, flow)) {
        return false;
    }
    if (flow->size > 0 && flow->until_fault == 0 &&
        !do_fault(proxy, link, flow)) {
        return false;
    }
    if (writable && wants_out(flow, notes_time_us()) != 0 &&
        !pass_on(proxy, link, flow)) {
        return false;
    }
    if (flow->has_ended && flow->size == 0 && !flow->told_end) {
        flow->told_end = true;
        if (!flow->swallows) {
            (void)shutdown(flow->to, SHUT_WR);
        }
    }
    return true;
}

/* ---- the thread ---- */

struct polled {
    struct pollfd fds[2 + 2 * LINKS_MAX];
    struct link *links[LINKS_MAX];
    size_t links_count;
    uint64_t next; /* When the first that stands still goes on. */
};

static void
look_at_link(struct polled *polled, struct link *link, uint64_t now)
{
    struct pollfd *fds = &polled->fds[2 + 2 * polled->links_count];

    fds[0] = (struct pollfd){.fd = link->client};
    fds[1] = (struct pollfd){.fd = link->server};
    for (int i = 0; i < 2; i++) {
        const struct flow *flow = &link->flows[i];

        fds[i].events |= wants_in(flow, now);
        fds[1 - i].events |= wants_out(flow, now);
        if (flow->not_before > now && flow->not_before < polled->next) {
            polled->next = flow->not_before;
        }
    }
    /* Else the kernel would tell at once, and again, that it has closed. */
    for (int i = 0; i < 2; i++) {
        fds[i].fd = fds[i].events == 0 ? -1 : fds[i].fd;
    }
    polled->links[polled->links_count++] = link;
}

static void
wait_for_work(struct proxy *proxy, struct polled *polled, bool hold)
{
    uint64_t now = notes_time_us();
    uint64_t left;

    polled->links_count = 0;
    polled->next = now + WAIT_MS * 1000;
    polled->fds[0] = (struct pollfd){.fd = proxy->wake, .events = POLLIN};
    polled->fds[1] =
        (struct pollfd){.fd = hold ? -1 : proxy->listener, .events = POLLIN};
    for (size_t i = 0; i < LINKS_MAX && !hold; i++) {
        if (proxy->links[i].client >= 0) {
            look_at_link(polled, &proxy->links[i], now);
        }
    }
    left = polled->next - now;
    if (poll(polled->fds, 2 + 2 * polled->links_count,
             (int)((left + 999) / 1000)) < 0) {
        require(errno == EINTR);
    }
}

static void
move_link(struct proxy *proxy, struct link *link, const struct pollfd *fds)
{
    bool is_over = true;

    for (int i = 0; i < 2; i++) {
        struct flow *flow = &link->flows[i];

        if (flow->bytes == NULL) {
            continue;
        }
        if (!move_flow(proxy, link, flow, (fds[i].revents & ~POLLOUT) != 0,
                       (fds[1 - i].revents & ~POLLIN) != 0)) {
            return;
        }
        is_over = is_over && flow->told_end;
    }
    if (is_over) {
        close_link(link, false);
    }
}

static void
cut_all(struct proxy *proxy)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (proxy->links[i].client >= 0) {
            close_link(&proxy->links[i], true);
        }
    }
}

/* The next fault of all that there are is as the new manner says. */
static void
draw_all(struct proxy *proxy)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        for (int k = 0; k < 2 && proxy->links[i].client >= 0; k++) {
            draw_fault(proxy, &proxy->links[i].flows[k]);
        }
    }
}

/* What the test has said meanwhile. False: stop. */
static bool
obey(struct proxy *proxy, bool *hold)
{
    uint64_t wakes;
    bool cut, stop, is_new;

    (void)!read(proxy->wake, &wakes, sizeof(wakes));
    pthread_mutex_lock(&proxy->lock);
    proxy->manner = proxy->wanted;
    is_new = proxy->is_new;
    *hold = proxy->hold;
    cut = proxy->cut;
    stop = proxy->stop;
    proxy->cut = false;
    proxy->is_new = false;
    pthread_mutex_unlock(&proxy->lock);
    if (is_new) {
        draw_all(proxy);
    }
    if (cut || stop) {
        cut_all(proxy);
    }
    return !stop;
}

static void *
run(void *arg)
{
    struct proxy *proxy = arg;
    struct polled polled;
    bool hold;

    while (obey(proxy, &hold)) {
        wait_for_work(proxy, &polled, hold);
        for (size_t i = 0; i < polled.links_count; i++) {
            move_link(proxy, polled.links[i], &polled.fds[2 + 2 * i]);
        }
        if (polled.fds[1].revents != 0) {
            accept_one(proxy);
        }
    }
    return NULL;
}

/* ---- what a test calls ---- */

static void
open_listener(struct proxy *proxy, struct rnd *rnd)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);

    snprintf(proxy->address, sizeof(proxy->address), "127.%u.%u.%u",
             1 + (unsigned)rnd_below(rnd, 250), (unsigned)rnd_below(rnd, 250),
             2 + (unsigned)rnd_below(rnd, 250));
    require(inet_pton(AF_INET, proxy->address, &address.sin_addr) == 1);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(proxy->listener >= 0);
    if (bind(proxy->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(proxy->listener, BACKLOG) != 0 ||
        getsockname(proxy->listener, (struct sockaddr *)&address, &size) != 0) {
        ck_abort_msg("proxy cannot listen: %s", strerror(errno));
    }
    proxy->port = ntohs(address.sin_port);
    snprintf(proxy->url, sizeof(proxy->url), "acta://%s:%u", proxy->address,
             proxy->port);
}

struct proxy *
proxy_new(const struct daemon *daemon, struct rnd *rnd)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));

    ck_assert_ptr_nonnull(proxy);
    proxy->target.sin_family = AF_INET;
    proxy->target.sin_port = htons((in_port_t)daemon->port);
    require(inet_pton(AF_INET, daemon->address, &proxy->target.sin_addr) == 1);
    rnd_seed(&proxy->rnd, rnd_next(rnd));
    for (size_t i = 0; i < LINKS_MAX; i++) {
        proxy->links[i].client = -1;
    }
    proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    require(proxy->wake >= 0);
    open_listener(proxy, rnd);
    require(pthread_mutex_init(&proxy->lock, NULL) == 0);
    return proxy;
}

void
proxy_run(struct proxy *proxy)
{
    require(pthread_create(&proxy->thread, NULL, run, proxy) == 0);
}

const char *
proxy_url(const struct proxy *proxy)
{
    return proxy->url;
}

struct daemon
proxy_front(const struct proxy *proxy, const struct daemon *daemon)
{
    struct daemon front = *daemon;

    snprintf(front.address, sizeof(front.address), "%s", proxy->address);
    snprintf(front.url, sizeof(front.url), "%s", proxy->url);
    front.port = proxy->port;
    return front;
}

/* End what was said to the thread. */
static void
say(struct proxy *proxy)
{
    uint64_t one = 1;

    pthread_mutex_unlock(&proxy->lock);
    require(write(proxy->wake, &one, sizeof(one)) == sizeof(one));
}

void
proxy_set(struct proxy *proxy, const struct proxy_manner *manner)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted = *manner;
    proxy->is_new = true;
    say(proxy);
}

void
proxy_hold(struct proxy *proxy, bool hold)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->hold = hold;
    say(proxy);
}

void
proxy_cut(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->cut = true;
    say(proxy);
}

struct proxy_counts
proxy_counts(struct proxy *proxy)
{
    struct proxy_counts counts;

    pthread_mutex_lock(&proxy->lock);
    counts = proxy->counts;
    pthread_mutex_unlock(&proxy->lock);
    return counts;
}

void
proxy_tell(struct proxy *proxy, const char *test, uint64_t seed)
{
    static const char *const names[PROXY_FAULTS_COUNT] = {
        "stalled", "closed", "reset", "swallowed", "flipped",
    };
    struct proxy_counts counts = proxy_counts(proxy);

    printf("{\"test\": \"%s\", \"seed\": %" PRIu64 ", \"connections\": %" PRIu64
           ", \"forgotten\": %" PRIu64 ", \"bytes\": %" PRIu64
           ", \"pieces\": %" PRIu64,
           test, seed, counts.connections, counts.forgotten, counts.bytes,
           counts.pieces);
    for (unsigned i = 0; i < PROXY_FAULTS_COUNT; i++) {
        printf(", \"%s\": %" PRIu64, names[i], counts.faults[i]);
    }
    printf("}\n");
    fflush(stdout);
}

void
proxy_stop(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->stop = true;
    say(proxy);
    require(pthread_join(proxy->thread, NULL) == 0);
    pthread_mutex_destroy(&proxy->lock);
    close(proxy->listener);
    close(proxy->wake);
    free(proxy);
}
