#include "client.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "given.h"
#include "sub.h"

#define MS_PER_S  1000
#define NS_PER_MS 1000000

const char *
acta_version(void)
{
    return ACTA_VERSION;
}

/* It goes on while the machine sleeps, as leases and deadlines do. */
static uint64_t
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

static void
watch(struct acta_client *client)
{
    int fd = io_fd(&client->io);
    unsigned events = fd < 0 ? 0 : io_wants(&client->io);

    if (fd == client->watched_fd && events == client->watched_events) {
        return;
    }
    client->loop.watch(client->loop.data, fd, events);
    client->watched_fd = fd;
    client->watched_events = events;
}

/* The loop must let go of a descriptor before it is closed: the next one may
 * have the same number, and loops over epoll(7) would take it for the old one.
 */
static void
unwatch(void *owner)
{
    struct acta_client *client = owner;

    if (client->watched_events != 0) {
        client->loop.watch(client->loop.data, client->watched_fd, 0);
    }
    client->watched_fd = -1;
    client->watched_events = 0;
}

/* A timer that fires too early does no harm: so it is moved only to be sooner,
 * and not at every request.
 */
static void
arm(struct acta_client *client, uint64_t now_ms)
{
    uint64_t due_ms = io_due(&client->io);

    if (due_ms >= client->armed_ms) {
        return;
    }
    client->armed_ms = due_ms;
    client->loop.timer(client->loop.data,
                       due_ms > now_ms ? due_ms - now_ms : 0);
}

static void
destroy(struct acta_client *client)
{
    io_fini(&client->io);
    core_fini(&client->core);
    options_fini(&client->options);
    free(client);
}

void
client_enter(struct acta_client *client)
{
    client->depth++;
}

void
client_leave(struct acta_client *client, uint64_t now_ms)
{
    assert(client->depth > 0);
    client->depth--;
    if (client->depth > 0) {
        return;
    }
    if (client->closed) {
        destroy(client);
        return;
    }
    watch(client);
    arm(client, now_ms);
}

/* With a clock, or with a server near by that has one. */
static enum acta_code
make(struct acta_client **client, const struct acta_options *options,
     const struct acta_loop *loop, uint64_t (*clock)(void), struct near *near,
     struct acta_err *err)
{
    struct acta_client *made = calloc(1, sizeof(*made));
    uint64_t now_ms = near == NULL ? clock() : near->now_ms(near);
    enum acta_code code;

    *client = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "client");
    }
    if (!given_copy(&made->loop, sizeof(made->loop), loop) ||
        made->loop.watch == NULL || made->loop.timer == NULL) {
        free(made);
        return acta_fail(err, ACTA_INVALID, "loop has no hooks");
    }
    code = options_init(&made->options, options, err);
    if (code != ACTA_OK) {
        free(made);
        return code;
    }
    code = core_init(&made->core, &made->options, err);
    if (code != ACTA_OK) {
        options_fini(&made->options);
        free(made);
        return code;
    }
    made->clock = clock;
    made->core.owner = made;
    made->watched_fd = -1;
    made->armed_ms = UINT64_MAX;
    io_init(&made->io, &made->core, &made->options, unwatch, now_ms);
    made->io.near = near;
    client_enter(made);
    client_leave(made, now_ms);
    *client = made;
    return ACTA_OK;
}

enum acta_code
client_new(struct acta_client **client, const struct acta_options *options,
           const struct acta_loop *loop, uint64_t (*clock)(void),
           struct acta_err *err)
{
    return make(client, options, loop, clock, NULL, err);
}

enum acta_code
client_new_near(struct acta_client **client, const struct acta_options *options,
                const struct acta_loop *loop, struct near *near,
                struct acta_err *err)
{
    return make(client, options, loop, NULL, near, err);
}

enum acta_code
acta_open(struct acta_client **client, const struct acta_options *options,
          const struct acta_loop *loop, struct acta_err *err)
{
    return client_new(client, options, loop, monotonic_ms, err);
}

void
acta_close(struct acta_client *client)
{
    if (client == NULL || client->closed) {
        return;
    }
    client_enter(client);
    client->closed = true;
    core_shutdown(&client->core);
    unwatch(client);
    client->loop.timer(client->loop.data, ACTA_NO_TIMER);
    client_leave(client, 0);
}

void
acta_handle_ready(struct acta_client *client, unsigned events)
{
    uint64_t now_ms = client_now_ms(client);

    if (client->closed) {
        return;
    }
    client_enter(client);
    io_ready(&client->io, events, now_ms);
    client_leave(client, now_ms);
}

void
acta_handle_timer(struct acta_client *client)
{
    uint64_t now_ms = client_now_ms(client);

    if (client->closed) {
        return;
    }
    client->armed_ms = UINT64_MAX;
    client_enter(client);
    io_tick(&client->io, now_ms);
    client_leave(client, now_ms);
}

void
acta_flush(struct acta_client *client)
{
    uint64_t now_ms = client_now_ms(client);

    /* Within a callback it is written when the callback has returned. */
    if (client->closed || client->depth > 0) {
        return;
    }
    client_enter(client);
    core_pump(&client->core, now_ms);
    io_flush(&client->io, now_ms);
    client_leave(client, now_ms);
}

size_t
acta_in_flight(const struct acta_client *client)
{
    return client->core.requests.count;
}

const struct acta_server *
acta_server(const struct acta_client *client)
{
    return client->core.server_known ? &client->core.server.told : NULL;
}

enum acta_code
acta_cancel(struct acta_client *client, uint64_t request)
{
    enum acta_code code;

    client_enter(client);
    code = core_cancel(&client->core, request);
    client_leave(client, client_now_ms(client));
    return code;
}

/* ---- subscriptions ---- */

struct acta_sub *
acta_subscribe(struct acta_client *client, const struct acta_follow *follow,
               struct acta_err *err)
{
    uint64_t now_ms = client_now_ms(client);
    struct acta_sub *sub;

    client_enter(client);
    sub = sub_new(&client->core, follow, err);
    if (sub != NULL) {
        sub->answer = client->keep_in;
        core_pump(&client->core, now_ms);
    }
    client_leave(client, now_ms);
    return sub;
}

void
acta_unsubscribe(struct acta_sub *sub)
{
    struct acta_client *client;

    if (sub == NULL) {
        return;
    }
    client = sub->core->owner;
    client_enter(client);
    sub_cancel(sub);
    client_leave(client, client_now_ms(client));
}

void
acta_pause(struct acta_sub *sub)
{
    sub_pause(sub);
}

void
acta_resume(struct acta_sub *sub)
{
    struct acta_client *client = sub->core->owner;

    client_enter(client);
    sub_resume(sub);
    client_leave(client, client_now_ms(client));
}

uint64_t
acta_sub_position(const struct acta_sub *sub)
{
    return sub->position;
}
