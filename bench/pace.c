#include "pace.h"

#include <stddef.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"

static uint64_t
next_due(const struct pace *pace)
{
    return pace->start_ns + (uint64_t)((double)pace->sent * pace->interval_ns);
}

static void
on_due(struct ev_loop *loop, ev_io *io, int revents)
{
    struct pace *pace = io->data;
    uint64_t times;

    (void)loop;
    (void)revents;
    if (read(pace->fd, &times, sizeof(times)) > 0) {
        pace_go(pace);
    }
}

bool
pace_start(struct pace *pace, struct ev_loop *loop, double rate,
           pace_send *send, void *user)
{
    *pace = (struct pace){
        .loop = loop,
        .fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
        .interval_ns = (double)NS_PER_S / rate,
        .start_ns = clock_ns(),
        .send = send,
        .user = user,
    };
    if (pace->fd < 0) {
        pace->loop = NULL;
        return false;
    }
    ev_io_init(&pace->io, on_due, pace->fd, EV_READ);
    pace->io.data = pace;
    ev_io_start(loop, &pace->io);
    pace_go(pace);
    return true;
}

void
pace_stop(struct pace *pace)
{
    if (pace->loop != NULL) {
        ev_io_stop(pace->loop, &pace->io);
        close(pace->fd);
        pace->loop = NULL;
    }
}

void
pace_go(struct pace *pace)
{
    struct itimerspec when = {0};
    uint64_t due_ns;

    if (pace->loop == NULL) {
        return;
    }
    while ((due_ns = next_due(pace)) <= clock_ns()) {
        if (!pace->send(pace->user, due_ns)) {
            return;
        }
        pace->sent++;
    }
    when.it_value.tv_sec = (time_t)(due_ns / NS_PER_S);
    when.it_value.tv_nsec = (long)(due_ns % NS_PER_S);
    timerfd_settime(pace->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void
pace_add_unsent(struct pace *pace, uint64_t from_ns, uint64_t until_ns,
                struct hist *hist)
{
    uint64_t due_ns;

    for (; (due_ns = next_due(pace)) < until_ns; pace->sent++) {
        if (due_ns >= from_ns) {
            hist_add(hist, until_ns - due_ns);
        }
    }
}
