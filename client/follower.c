/* A follower is a subscription that is paused whenever it has news, until they
 * have been taken.
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sync.h"

struct acta_follower {
    struct acta_follower *prev, *next;
    struct acta_sync *sync;
    struct acta_sub *sub; /* NULL: it is over. */
    struct answer answer; /* owned: what news points to */
    struct acta_news news;
    bool has_news;       /* Which may have come in while others were waiting. */
    bool handed_out;     /* The news, to the caller. */
    struct acta_err err; /* Why it is over. */
    int interrupt_fd;    /* Can be read after an interruption. */
};

static void
tell(struct acta_follower *follower)
{
    follower->has_news = true;
    acta_pause(follower->sub);
}

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct acta_follower *follower = user;

    follower->news.events = batch->events;
    follower->news.events_count = batch->events_count;
    follower->news.position = batch->position;
    follower->news.head = batch->head;
    tell(follower);
}

static void
on_moved(void *user, uint64_t position, uint64_t head)
{
    struct acta_follower *follower = user;

    follower->news.position = position;
    follower->news.head = head;
    tell(follower);
}

/* Live or not: it is no news if both that and the position are known, as they
 * are after a connection was lost for a moment.
 */
static void
set_live(struct acta_follower *follower, bool live, uint64_t position)
{
    if (follower->news.live == live && follower->news.position == position) {
        return;
    }
    follower->news.live = live;
    follower->news.position = position;
    if (live && follower->news.head < position) {
        follower->news.head = position;
    }
    tell(follower);
}

static void
on_caught_up(void *user, uint64_t position)
{
    set_live(user, true, position);
}

static void
on_fell_behind(void *user, uint64_t position)
{
    set_live(user, false, position);
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct acta_follower *follower = user;

    (void)position;
    follower->sub = NULL;
    follower->err = *err;
}

enum acta_code
acta_follower_open(struct acta_follower **follower, struct acta_sync *sync,
                   const struct acta_query *query, uint64_t after,
                   struct acta_err *err)
{
    struct acta_follow follow = acta_follow_of(query, after);
    struct acta_follower *made = calloc(1, sizeof(*made));
    struct acta_err why = {ACTA_OK, ""};

    *follower = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "follower");
    }
    made->sync = sync;
    made->answer.keeps = true;
    made->news.position = after;
    made->interrupt_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    made->next = sync->followers;
    if (made->next != NULL) {
        made->next->prev = made;
    }
    sync->followers = made;
    if (made->interrupt_fd < 0) {
        acta_fail(&why, ACTA_IO, "follower: %s", strerror(errno));
    } else {
        follow.user = made;
        follow.on_events = on_events;
        follow.on_moved = on_moved;
        follow.on_caught_up = on_caught_up;
        follow.on_fell_behind = on_fell_behind;
        follow.on_ended = on_ended;
        sync_keep_in(sync, &made->answer);
        made->sub = acta_subscribe(sync->client, &follow, &why);
    }
    if (made->sub == NULL) {
        follower_free(made);
        return acta_fail(err, why.code, "%s", why.text);
    }
    acta_flush(sync->client);
    *follower = made;
    return ACTA_OK;
}

/* Wait for the loop, or for an interruption: then true is returned. */
static bool
turn(struct acta_follower *follower, int timeout_ms)
{
    struct acta_poll *loop = &follower->sync->loop;
    struct pollfd fds[2];
    uint64_t signals;
    int wait_ms = acta_poll_prepare(loop, &fds[0], timeout_ms);

    fds[1] = (struct pollfd){.fd = follower->interrupt_fd, .events = POLLIN};
    if (poll(fds, 2, wait_ms) < 0) {
        fds[0].revents = 0; /* A signal, whose handler may interrupt. */
    }
    acta_poll_dispatch(loop, &fds[0]);
    return read(follower->interrupt_fd, &signals, sizeof(signals)) > 0;
}

/* What was handed out is done with. */
static void
take_back(struct acta_follower *follower)
{
    if (!follower->handed_out) {
        return;
    }
    follower->handed_out = false;
    follower->has_news = false;
    follower->news.events = NULL;
    follower->news.events_count = 0;
    if (follower->sub != NULL) {
        acta_resume(follower->sub);
    }
}

enum acta_code
acta_follower_next(struct acta_follower *follower, int timeout_ms,
                   const struct acta_news **news, struct acta_err *err)
{
    uint64_t end_ms = acta_poll_now_ms() + (uint64_t)(unsigned)timeout_ms;
    int left_ms = timeout_ms;

    take_back(follower);
    *news = &follower->news;
    while (!follower->has_news) {
        uint64_t now_ms;

        if (follower->sub == NULL) {
            return acta_fail(err, follower->err.code, "%s", follower->err.text);
        }
        if (turn(follower, left_ms)) {
            return acta_fail(err, ACTA_CANCELLED, "follower was interrupted");
        }
        now_ms = acta_poll_now_ms();
        if (timeout_ms >= 0 && now_ms >= end_ms && !follower->has_news) {
            return acta_fail(err, ACTA_TIMEOUT, "no news in %d ms", timeout_ms);
        }
        left_ms = timeout_ms < 0 ? -1 : (int)(end_ms - now_ms);
    }
    follower->handed_out = true;
    return ACTA_OK;
}

void
acta_follower_interrupt(struct acta_follower *follower)
{
    int saved = errno;
    uint64_t one = 1;

    /* If it is full the interruption before still stands. */
    ssize_t written = write(follower->interrupt_fd, &one, sizeof(one));

    (void)written;
    errno = saved;
}

void
follower_free(struct acta_follower *follower)
{
    acta_unsubscribe(follower->sub);
    if (follower->prev == NULL) {
        follower->sync->followers = follower->next;
    } else {
        follower->prev->next = follower->next;
    }
    if (follower->next != NULL) {
        follower->next->prev = follower->prev;
    }
    if (follower->interrupt_fd >= 0) {
        close(follower->interrupt_fd);
    }
    answer_fini(&follower->answer);
    free(follower);
}

void
acta_follower_close(struct acta_follower *follower)
{
    if (follower != NULL) {
        follower_free(follower);
    }
}
