/* A client of libacta in a loop of libev. Header-only: a program that includes
 * it links with -lev.
 *
 *     #include <acta/acta.h>
 *     #include <acta/acta_ev.h>
 *     #include <stdio.h>
 *
 *     static void
 *     on_pong(void *user, const struct acta_err *err, uint64_t head)
 *     {
 *         printf("%s %ju\n", err == NULL ? "head" : err->text,
 *                (uintmax_t)head);
 *         ev_break(user, EVBREAK_ALL);
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct ev_loop *loop = ev_default_loop(0);
 *         struct acta_client *client;
 *         struct acta_err err;
 *         struct acta_ev glue;
 *
 *         if (acta_ev_open(&glue, loop, &client, &options, &err) != ACTA_OK) {
 *             fprintf(stderr, "%s\n", err.text);
 *             return 1;
 *         }
 *         if (acta_ping(client, 0, on_pong, loop, &err) != 0) {
 *             ev_run(loop, 0);
 *         }
 *         acta_close(client);
 *         return 0;
 *     }
 *
 * The struct acta_ev is the caller's and must stay where it is until the
 * client is closed by acta_close(), which leaves nothing of it in the loop. One
 * thread at a time, that of the loop.
 */

#ifndef ACTA_ACTA_EV_H
#define ACTA_ACTA_EV_H

#include <ev.h>

#include "acta.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_ev {
    struct ev_loop *loop;
    struct acta_client *client;
    ev_io io;
    ev_timer timer;
};

static inline void
acta_ev_on_io(struct ev_loop *loop, ev_io *io, int revents)
{
    struct acta_ev *glue = (struct acta_ev *)io->data;

    (void)loop;
    acta_handle_ready(glue->client, (revents & EV_READ ? ACTA_READ : 0) |
                                        (revents & EV_WRITE ? ACTA_WRITE : 0));
}

static inline void
acta_ev_on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct acta_ev *glue = (struct acta_ev *)timer->data;

    (void)loop;
    (void)revents;
    acta_handle_timer(glue->client);
}

static inline void
acta_ev_watch(void *data, int fd, unsigned events)
{
    struct acta_ev *glue = (struct acta_ev *)data;

    ev_io_stop(glue->loop, &glue->io);
    if (events != 0) {
        ev_io_set(&glue->io, fd,
                  (events & ACTA_READ ? EV_READ : 0) |
                      (events & ACTA_WRITE ? EV_WRITE : 0));
        ev_io_start(glue->loop, &glue->io);
    }
}

static inline void
acta_ev_timer(void *data, uint64_t delay_ms)
{
    struct acta_ev *glue = (struct acta_ev *)data;

    ev_timer_stop(glue->loop, &glue->timer);
    if (delay_ms != ACTA_NO_TIMER) {
        ev_timer_set(&glue->timer, (double)delay_ms / 1000, 0.);
        ev_timer_start(glue->loop, &glue->timer);
    }
}

/* acta_open() with @loop. */
static inline enum acta_code
acta_ev_open(struct acta_ev *glue, struct ev_loop *loop,
             struct acta_client **client, const struct acta_options *options,
             struct acta_err *err)
{
    struct acta_loop hooks;
    enum acta_code code;

    glue->loop = loop;
    ev_init(&glue->io, acta_ev_on_io);
    ev_init(&glue->timer, acta_ev_on_timer);
    glue->io.data = glue;
    glue->timer.data = glue;
    hooks.size = sizeof(hooks);
    hooks.data = glue;
    hooks.watch = acta_ev_watch;
    hooks.timer = acta_ev_timer;
    code = acta_open(client, options, &hooks, err);
    glue->client = *client;
    return code;
}

#ifdef __cplusplus
}
#endif

#endif
