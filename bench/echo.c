#include "echo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "watch.h"

#define PIECE_SIZE ((size_t)256 << 10)
#define READY_MAX  256
#define TICK_MS    100

/* One side's end of a connection. */
struct end {
    int fd;
    size_t received; /* Bytes of the message that comes. */
    size_t owed;     /* Bytes that are still to be sent. */

    /* The client's: when its requests were made, in the order of the answers,
     * a ring.
     */
    uint64_t *starts_ns;
    size_t next;
};

struct side {
    int epoll;
    int wait_ms;    /* For what happens, at most; -1: for ever. */
    size_t in_size; /* Bytes of a message that comes, and of one that goes. */
    size_t out_size;
    struct end *ends; /* owned */
    size_t count;
};

/* ---- both sides ---- */

static uint8_t piece[PIECE_SIZE]; /* What is sent and received: anything. */

/* False: the connection is over. */
static bool
send_owed(struct end *end)
{
    while (end->owed > 0) {
        size_t size = end->owed < PIECE_SIZE ? end->owed : PIECE_SIZE;
        ssize_t sent = send(end->fd, piece, size, MSG_NOSIGNAL);

        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        end->owed -= (size_t)sent;
    }
    return true;
}

/* Take all that has come, since it is told once only. -1: the connection is
 * over; else how many messages are whole now.
 */
static ssize_t
receive_ready(const struct side *side, struct end *end)
{
    ssize_t got;

    do {
        got = recv(end->fd, piece, PIECE_SIZE, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
            return -1;
        }
        end->received += got > 0 ? (size_t)got : 0;
    } while (got == (ssize_t)PIECE_SIZE);
    got = (ssize_t)(end->received / side->in_size);
    end->received %= side->in_size;
    return got;
}

static bool
add_end(struct side *side, int fd)
{
    struct end *end = &side->ends[side->count];
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLET,
        .data.ptr = end,
    };
    int on = 1;

    if (fd < 0) {
        return false;
    }
    end->fd = fd;
    side->count++;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return epoll_ctl(side->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool
open_side(struct side *side, size_t conns)
{
    side->epoll = epoll_create1(EPOLL_CLOEXEC);
    side->ends = calloc(conns, sizeof(*side->ends));
    return side->epoll >= 0 && side->ends != NULL;
}

static void
close_side(struct side *side)
{
    for (size_t i = 0; i < side->count; i++) {
        close(side->ends[i].fd);
        free(side->ends[i].starts_ns);
    }
    free(side->ends);
    if (side->epoll >= 0) {
        close(side->epoll);
    }
}

/* ---- the server ---- */

/* Answer until a connection is over. */
static void
serve(struct side *side)
{
    struct epoll_event ready[READY_MAX];

    for (;;) {
        int count = epoll_wait(side->epoll, ready, READY_MAX, side->wait_ms);

        for (int i = 0; i < count; i++) {
            struct end *end = ready[i].data.ptr;
            ssize_t whole = receive_ready(side, end);

            if (whole < 0) {
                return;
            }
            end->owed += (size_t)whole * side->out_size;
            if (!send_owed(end)) {
                return;
            }
        }
    }
}

/* Ends with the process that has forked it. */
static void
run_server(int listener, const struct echo *echo)
{
    struct side side = {
        .wait_ms = echo->stays_awake ? 0 : -1,
        .in_size = echo->request_size,
        .out_size = echo->answer_size,
    };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!open_side(&side, echo->conns)) {
        _exit(EXIT_FAILURE);
    }
    while (side.count < echo->conns) {
        if (!add_end(&side, accept4(listener, NULL, NULL, SOCK_NONBLOCK))) {
            _exit(EXIT_FAILURE);
        }
    }
    serve(&side);
    _exit(EXIT_SUCCESS);
}

/* ---- the client ---- */

struct client {
    const struct echo *echo;
    struct side side;
    pid_t server;
    struct echoed *echoed;
    bool counts;
};

static void
make_requests(struct client *client, struct end *end, size_t count)
{
    uint64_t now_ns = clock_ns();
    size_t pipeline = client->echo->pipeline;

    for (size_t i = 0; i < count; i++) {
        if (client->counts) {
            hist_add(&client->echoed->hist, now_ns - end->starts_ns[end->next]);
        }
        end->starts_ns[end->next] = now_ns;
        end->next = end->next + 1 == pipeline ? 0 : end->next + 1;
    }
    end->owed += count * client->side.out_size;
}

static enum acta_code
fail(struct acta_err *err, const char *doing)
{
    return acta_fail(err, ACTA_IO, "echo: %s: %s", doing, strerror(errno));
}

static enum acta_code
turn(struct client *client, struct acta_err *err)
{
    struct epoll_event ready[READY_MAX];
    int count =
        epoll_wait(client->side.epoll, ready, READY_MAX, client->side.wait_ms);

    for (int i = 0; i < count; i++) {
        struct end *end = ready[i].data.ptr;
        ssize_t whole = receive_ready(&client->side, end);

        if (whole < 0) {
            return acta_fail(err, ACTA_IO, "echo: the connection is over");
        }
        make_requests(client, end, (size_t)whole);
        if (!send_owed(end)) {
            return fail(err, "send");
        }
    }
    return watch_check(err);
}

/* However short that is, and however busy the machine: what counts has an
 * answer.
 */
static enum acta_code
turn_until(struct client *client, uint64_t until_ns, struct acta_err *err)
{
    const struct hist *hist = &client->echoed->hist;
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK &&
           (clock_ns() < until_ns || (client->counts && hist->count == 0))) {
        code = turn(client, err);
    }
    return code;
}

static double
used_us(clockid_t clock)
{
    struct timespec used = {0};

    clock_gettime(clock, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static enum acta_code
measure(struct client *client, struct acta_err *err)
{
    struct echoed *echoed = client->echoed;
    uint64_t duration_ns = client->echo->duration_ns;
    uint64_t start_ns;
    enum acta_code code;
    clockid_t server;

    if (clock_getcpuclockid(client->server, &server) != 0) {
        return fail(err, "the clock of the server");
    }
    code = turn_until(client, clock_ns() + duration_ns / 10, err);
    start_ns = clock_ns();
    client->counts = true;
    echoed->server_us = -used_us(server);
    echoed->client_us = -used_us(CLOCK_PROCESS_CPUTIME_ID);
    if (code == ACTA_OK) {
        code = turn_until(client, start_ns + duration_ns, err);
    }
    echoed->server_us += used_us(server);
    echoed->client_us += used_us(CLOCK_PROCESS_CPUTIME_ID);
    if (code != ACTA_OK) {
        return code;
    }
    echoed->rate =
        (double)echoed->hist.count * 1e9 / (double)(clock_ns() - start_ns);
    echoed->server_us /= (double)echoed->hist.count;
    echoed->client_us /= (double)echoed->hist.count;
    return ACTA_OK;
}

/* -1: it failed. */
static int
connect_to(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 &&
        (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
         fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static enum acta_code
open_client(struct client *client, const struct sockaddr_in *address,
            struct acta_err *err)
{
    const struct echo *echo = client->echo;

    if (!open_side(&client->side, echo->conns)) {
        return fail(err, "connections");
    }
    while (client->side.count < echo->conns) {
        struct end *end = &client->side.ends[client->side.count];

        if (!add_end(&client->side, connect_to(address))) {
            return fail(err, "connect");
        }
        end->starts_ns = calloc(echo->pipeline, sizeof(*end->starts_ns));
        if (end->starts_ns == NULL) {
            return acta_fail(err, ACTA_MEMORY, "echo");
        }
        make_requests(client, end, echo->pipeline);
    }
    return ACTA_OK;
}

/* ---- both ---- */

void
echo_add_traffic(struct traffic *traffic, int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
        traffic->sent += info.tcpi_bytes_sent;
        traffic->received += info.tcpi_bytes_received;
    }
}

static size_t
mean_size(uint64_t before, uint64_t after, uint64_t requests)
{
    uint64_t size = requests > 0 ? (after - before) / requests : 0;

    return size > 0 ? size : 1;
}

void
echo_sizes(struct echo *echo, const struct traffic *before,
           const struct traffic *after, uint64_t requests)
{
    echo->request_size = mean_size(before->sent, after->sent, requests);
    echo->answer_size = mean_size(before->received, after->received, requests);
}

static int
listen_on(struct sockaddr_in *address, size_t conns)
{
    socklen_t size = sizeof(*address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (listener >= 0 &&
        (bind(listener, (struct sockaddr *)address, size) != 0 ||
         listen(listener, (int)conns) != 0 ||
         getsockname(listener, (struct sockaddr *)address, &size) != 0)) {
        close(listener);
        return -1;
    }
    return listener;
}

enum acta_code
echo_run(const struct echo *echo, struct echoed *echoed, struct acta_err *err)
{
    struct client client = {.echo = echo, .echoed = echoed};
    struct sockaddr_in address;
    int listener = listen_on(&address, echo->conns);
    enum acta_code code;

    memset(echoed, 0, sizeof(*echoed));
    client.side.epoll = -1;
    client.side.wait_ms = echo->stays_awake ? 0 : TICK_MS;
    client.side.in_size = echo->answer_size;
    client.side.out_size = echo->request_size;
    if (listener < 0) {
        return fail(err, "listen");
    }
    client.server = fork();
    if (client.server == 0) {
        run_server(listener, echo);
    }
    close(listener);
    if (client.server < 0) {
        return fail(err, "fork");
    }
    watch_begin();
    code = open_client(&client, &address, err);
    if (code == ACTA_OK) {
        code = measure(&client, err);
    }
    close_side(&client.side);
    kill(client.server, SIGKILL);
    while (waitpid(client.server, NULL, 0) < 0 && errno == EINTR) {
    }
    watch_begin(); /* Its end is that of no database. */
    return code;
}
