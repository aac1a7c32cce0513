#include "sync.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client.h"
#include "given.h"

void
sync_call_done(struct sync_call *call, const struct acta_err *err)
{
    call->done = true;
    if (err != NULL) {
        call->err = *err;
    }
}

void
sync_keep_in(struct acta_sync *sync, struct answer *answer)
{
    sync->client->keep_in = answer;
}

enum acta_code
sync_wait(struct acta_sync *sync, uint64_t request, struct sync_call *call,
          struct acta_err *err)
{
    if (request != 0) {
        acta_flush(sync->client);
        while (!call->done) {
            acta_poll_turn(&sync->loop, -1);
        }
    }
    if (call->err.code != ACTA_OK && err != NULL) {
        *err = call->err;
    }
    return call->err.code;
}

bool
sync_turn_until(struct acta_sync *sync, uint64_t end_ms)
{
    uint64_t now_ms = acta_poll_now_ms();

    if (now_ms >= end_ms) {
        return false;
    }
    acta_poll_turn(&sync->loop,
                   end_ms - now_ms < INT_MAX ? (int)(end_ms - now_ms) : -1);
    return true;
}

/* ---- interruptions ---- */

bool
sync_turn(struct acta_sync *sync, int interrupt_fd, int timeout_ms)
{
    struct pollfd fds[2];
    uint64_t signals;
    int wait_ms = acta_poll_prepare(&sync->loop, &fds[0], timeout_ms);

    fds[1] = (struct pollfd){.fd = interrupt_fd, .events = POLLIN};
    if (poll(fds, 2, wait_ms) < 0) {
        fds[0].revents = 0; /* A signal, whose handler may interrupt. */
    }
    acta_poll_dispatch(&sync->loop, &fds[0]);
    return read(interrupt_fd, &signals, sizeof(signals)) > 0;
}

int
interrupt_open(struct acta_err *err)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0) {
        acta_fail(err, ACTA_IO, "eventfd: %s", strerror(errno));
    }
    return fd;
}

void
interrupt_signal(int interrupt_fd)
{
    int saved = errno;
    uint64_t one = 1;

    /* If it is full the interruption before still stands. */
    ssize_t written = write(interrupt_fd, &one, sizeof(one));

    (void)written;
    errno = saved;
}

void
interrupt_close(int interrupt_fd)
{
    if (interrupt_fd >= 0) {
        close(interrupt_fd);
    }
}

/* ---- opening and closing ---- */

static void
on_link(void *user, bool up, const struct acta_err *err)
{
    struct acta_sync *sync = user;

    if (!sync->link_told && !up) {
        sync->link_err = *err;
    }
    sync->link_told = true;
    if (sync->on_link != NULL) {
        sync->on_link(sync->on_link_user, up, err);
    }
}

/* As acta_poll_open(). */
static enum acta_code
open_near(struct acta_poll *loop, struct acta_client **client,
          const struct acta_options *options, struct near *near,
          struct acta_err *err)
{
    struct acta_loop hooks = {
        .size = sizeof(hooks),
        .data = loop,
        .watch = acta_poll_watch,
        .timer = acta_poll_timer,
    };
    enum acta_code code;

    *loop = (struct acta_poll){.fd = -1, .due_ms = ACTA_NO_TIMER};
    code = client_new_near(client, options, &hooks, near, err);
    loop->client = *client;
    return code;
}

/* Until the first connection is up, or each host was tried, or it has taken as
 * long as any request may.
 */
static void
wait_for_link(struct acta_sync *sync, uint64_t timeout_ms)
{
    uint64_t end_ms = acta_poll_now_ms() + timeout_ms;

    while (!sync->link_told && sync_turn_until(sync, end_ms)) {
    }
    if (sync->link_told) {
        return;
    }
    sync->link_err = sync->client->io.why;
    if (sync->link_err.code == ACTA_OK) { /* It is the first one still. */
        acta_fail(&sync->link_err, ACTA_UNREACHABLE,
                  "%s: no answer within %" PRIu64 " ms", sync->client->io.where,
                  timeout_ms);
    }
}

/* @near may be NULL. */
static enum acta_code
open_sync(struct acta_sync **sync, const struct acta_options *options,
          struct near *near, struct acta_err *err)
{
    struct acta_sync *made = calloc(1, sizeof(*made));
    struct acta_options ours;
    enum acta_code code;

    *sync = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "client");
    }
    if (!given_copy(&ours, sizeof(ours), options)) {
        free(made);
        return acta_fail(err, ACTA_INVALID,
                         "options are not of acta_options_of()");
    }
    made->on_link = ours.on_link;
    made->on_link_user = ours.user;
    ours.size = sizeof(ours);
    ours.on_link = on_link;
    ours.user = made;
    made->answer.keeps = true;
    code = near == NULL
               ? acta_poll_open(&made->loop, &made->client, &ours, err)
               : open_near(&made->loop, &made->client, &ours, near, err);
    if (code != ACTA_OK) {
        free(made);
        return code;
    }
    wait_for_link(made, ours.timeout_ms);
    if (made->link_err.code != ACTA_OK) {
        code = acta_fail(err, made->link_err.code, "%s", made->link_err.text);
        acta_sync_close(made);
        return code;
    }
    *sync = made;
    return ACTA_OK;
}

enum acta_code
acta_sync_open(struct acta_sync **sync, const struct acta_options *options,
               struct acta_err *err)
{
    return open_sync(sync, options, NULL, err);
}

enum acta_code
sync_open_near(struct acta_sync **sync, const struct acta_options *options,
               struct near *near, struct acta_err *err)
{
    return open_sync(sync, options, near, err);
}

void
acta_sync_close(struct acta_sync *sync)
{
    if (sync == NULL) {
        return;
    }
    while (sync->cursors != NULL) {
        cursor_free(sync->cursors);
    }
    while (sync->followers != NULL) {
        follower_free(sync->followers);
    }
    while (sync->workers != NULL) {
        worker_free(sync->workers);
    }
    acta_flush(sync->client);
    acta_close(sync->client);
    answer_fini(&sync->answer);
    free(sync);
}

const struct acta_server *
acta_sync_server(const struct acta_sync *sync)
{
    return acta_server(sync->client);
}

/* ---- calls ---- */

struct acta_client *
sync_begin(struct acta_sync *sync)
{
    answer_clear(&sync->answer);
    sync_keep_in(sync, &sync->answer);
    return sync->client;
}

static void
on_pong(void *user, const struct acta_err *err, uint64_t head)
{
    (void)head;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_ping(struct acta_sync *sync, uint64_t *head, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_ping(client, 0, on_pong, &call, &call.err);
    enum acta_code code = sync_wait(sync, id, &call, err);

    if (head != NULL) {
        *head = code == ACTA_OK ? sync->answer.number : 0;
    }
    return code;
}

static void
on_status(void *user, const struct acta_err *err,
          const struct acta_status *status)
{
    (void)status;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_status(struct acta_sync *sync, const struct acta_status **status,
                 struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_status(client, 0, on_status, &call, &call.err);

    *status = &sync->answer.status;
    return sync_wait(sync, id, &call, err);
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    (void)appended;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_append(struct acta_sync *sync, const struct acta_append *append,
                 const struct acta_appended **appended, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_append(client, append, 0, on_appended, &call, &call.err);

    if (appended != NULL) {
        *appended = &sync->answer.appended;
    }
    return sync_wait(sync, id, &call, err);
}

enum acta_code
acta_sync_find_command(struct acta_sync *sync, const struct acta_id *id,
                       const struct acta_appended **appended,
                       struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t request =
        acta_find_command(client, id, 0, on_appended, &call, &call.err);

    *appended = &sync->answer.appended;
    return sync_wait(sync, request, &call, err);
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    (void)page;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_read(struct acta_sync *sync, const struct acta_read *read,
               const struct acta_page **page, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_read(client, read, 0, on_page, &call, &call.err);

    *page = &sync->answer.page;
    return sync_wait(sync, id, &call, err);
}

enum acta_code
acta_sync_read_version(struct acta_sync *sync, const char *stream,
                       uint64_t version, const struct acta_event **event,
                       struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_read_version(client, stream, version, 0, on_page, &call,
                                    &call.err);
    enum acta_code code = sync_wait(sync, id, &call, err);

    *event = NULL;
    if (code != ACTA_OK) {
        return code;
    }
    if (sync->answer.page.events_count == 0) {
        return acta_fail(err, ACTA_NOT_FOUND,
                         "stream %s has no event of version %ju", stream,
                         (uintmax_t)version);
    }
    *event = sync->answer.page.events[0];
    return ACTA_OK;
}

enum acta_code
acta_sync_read_id(struct acta_sync *sync, const struct acta_id *id,
                  const struct acta_page **page, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t request = acta_read_id(client, id, 0, on_page, &call, &call.err);
    enum acta_code code = sync_wait(sync, request, &call, err);

    *page = &sync->answer.page;
    if (code == ACTA_OK && sync->answer.page.events_count == 0) {
        return acta_fail(err, ACTA_NOT_FOUND, "no event has this id");
    }
    return code;
}

static void
on_position(void *user, const struct acta_err *err, uint64_t position)
{
    (void)position;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_find_time(struct acta_sync *sync, uint64_t time_us,
                    uint64_t *position, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id =
        acta_find_time(client, time_us, 0, on_position, &call, &call.err);
    enum acta_code code = sync_wait(sync, id, &call, err);

    *position = code == ACTA_OK ? sync->answer.number : 0;
    return code;
}
