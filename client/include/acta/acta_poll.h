/* A client of libacta in a loop of its own over poll(2). Header-only.
 *
 *     #include <acta/acta.h>
 *     #include <acta/acta_poll.h>
 *     #include <stdio.h>
 *
 *     static bool done;
 *
 *     static void
 *     on_pong(void *user, const struct acta_err *err, uint64_t head)
 *     {
 *         (void)user;
 *         printf("%s %ju\n", err == NULL ? "head" : err->text,
 *                (uintmax_t)head);
 *         done = true;
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_client *client;
 *         struct acta_poll loop;
 *         struct acta_err err;
 *
 *         if (acta_poll_open(&loop, &client, &options, &err) != ACTA_OK) {
 *             fprintf(stderr, "%s\n", err.text);
 *             return 1;
 *         }
 *         done = acta_ping(client, 0, on_pong, NULL, &err) == 0;
 *         while (!done) {
 *             acta_poll_turn(&loop, -1);
 *         }
 *         acta_close(client);
 *         return 0;
 *     }
 *
 * A program that polls descriptors of its own puts the client's among them,
 * and calls acta_poll_prepare() before poll(2) and acta_poll_dispatch() after.
 *
 * The struct acta_poll is the caller's and must stay where it is until the
 * client is closed. One thread at a time, that of the client.
 */

#ifndef ACTA_ACTA_POLL_H
#define ACTA_ACTA_POLL_H

#include <poll.h>
#include <time.h>

#include "acta.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_poll {
    struct acta_client *client;
    int fd; /* -1: none */
    unsigned events;
    uint64_t due_ms;  /* When the timer fires; ACTA_NO_TIMER: never. */
    uint64_t busy_us; /* Of each turn, before it sleeps. */
};

static inline uint64_t
acta_poll_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline uint64_t
acta_poll_now_ms(void)
{
    return acta_poll_now_us() / 1000;
}

static inline void
acta_poll_watch(void *data, int fd, unsigned events)
{
    struct acta_poll *loop = (struct acta_poll *)data;

    loop->fd = events == 0 ? -1 : fd;
    loop->events = events;
}

static inline void
acta_poll_timer(void *data, uint64_t delay_ms)
{
    struct acta_poll *loop = (struct acta_poll *)data;

    loop->due_ms = delay_ms == ACTA_NO_TIMER ? ACTA_NO_TIMER
                                             : acta_poll_now_ms() + delay_ms;
}

/* acta_open() with this loop. */
static inline enum acta_code
acta_poll_open(struct acta_poll *loop, struct acta_client **client,
               const struct acta_options *options, struct acta_err *err)
{
    struct acta_loop hooks;
    enum acta_code code;

    loop->fd = -1;
    loop->events = 0;
    loop->due_ms = ACTA_NO_TIMER;
    /* A program of before has options that end before that. */
    loop->busy_us =
        options->size < sizeof(*options) ? 0 : options->busy_poll_us;
    hooks.size = sizeof(hooks);
    hooks.data = loop;
    hooks.watch = acta_poll_watch;
    hooks.timer = acta_poll_timer;
    code = acta_open(client, options, &hooks, err);
    loop->client = *client;
    return code;
}

/* Fill @pollfd for poll(2), and return how long to wait: @timeout_ms, or less
 * if the client has something to do before; -1: for ever.
 */
static inline int
acta_poll_prepare(const struct acta_poll *loop, struct pollfd *pollfd,
                  int timeout_ms)
{
    uint64_t now_ms = acta_poll_now_ms();
    uint64_t left_ms;

    pollfd->fd = loop->fd;
    pollfd->events = (short)((loop->events & ACTA_READ ? POLLIN : 0) |
                             (loop->events & ACTA_WRITE ? POLLOUT : 0));
    pollfd->revents = 0;
    if (loop->due_ms == ACTA_NO_TIMER) {
        return timeout_ms;
    }
    left_ms = loop->due_ms > now_ms ? loop->due_ms - now_ms : 0;
    if (timeout_ms >= 0 && (uint64_t)timeout_ms <= left_ms) {
        return timeout_ms;
    }
    return left_ms < 1000000000 ? (int)left_ms : 1000000000;
}

/* Do what poll(2) has found to be due. Callbacks are called from here; one of
 * them may close the client, after which neither function does anything.
 */
static inline void
acta_poll_dispatch(struct acta_poll *loop, const struct pollfd *pollfd)
{
    unsigned ready = 0;

    if (pollfd->revents & POLLIN) {
        ready |= ACTA_READ;
    }
    if (pollfd->revents & POLLOUT) {
        ready |= ACTA_WRITE;
    }
    if (pollfd->revents & (POLLERR | POLLHUP | POLLNVAL)) {
        ready |= ACTA_READ | ACTA_WRITE;
    }
    if (ready != 0 && loop->fd >= 0 && loop->fd == pollfd->fd) {
        acta_handle_ready(loop->client, ready);
    }
    /* A closed client has no timer. */
    if (loop->due_ms != ACTA_NO_TIMER && acta_poll_now_ms() >= loop->due_ms) {
        loop->due_ms = ACTA_NO_TIMER;
        acta_handle_timer(loop->client);
    }
}

/* poll(2), after the time in which the loop stays awake. */
static inline int
acta_poll_wait(const struct acta_poll *loop, struct pollfd *pollfd, int wait_ms)
{
    uint64_t end_us;
    int ready = 0;

    if (loop->busy_us == 0 || wait_ms == 0 || pollfd->fd < 0) {
        return poll(pollfd, 1, wait_ms);
    }
    end_us = acta_poll_now_us() + loop->busy_us;
    do {
        ready = poll(pollfd, 1, 0);
    } while (ready == 0 && acta_poll_now_us() < end_us);
    if (ready == 0) {
        /* It has a millisecond at most, and that is over. */
        ready = poll(pollfd, 1, wait_ms > 0 ? wait_ms - 1 : wait_ms);
    }
    return ready;
}

/* Wait @timeout_ms at most (negative: as long as it takes) for something to
 * do, and do it.
 */
static inline void
acta_poll_turn(struct acta_poll *loop, int timeout_ms)
{
    struct pollfd pollfd;
    int wait_ms = acta_poll_prepare(loop, &pollfd, timeout_ms);

    if (acta_poll_wait(loop, &pollfd, wait_ms) < 0) {
        pollfd.revents = 0; /* A signal: its handler may want a look around. */
    }
    acta_poll_dispatch(loop, &pollfd);
}

#ifdef __cplusplus
}
#endif

#endif
