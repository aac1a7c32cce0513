/* The client: core and socket, in the caller's event loop. */

#ifndef ACTA_CLIENT_CLIENT_H
#define ACTA_CLIENT_CLIENT_H

#include "core.h"
#include "io.h"

struct acta_client {
    uint64_t (*clock)(void); /* Monotonic, in milliseconds; NULL: that of the
                                server near by. */
    struct options options;
    struct core core;
    struct io io;
    struct acta_loop loop;

    /* Calls from outside that are under way: callbacks may call, too. The last
     * one to return writes, tells the loop what has changed, and frees a
     * client that was closed.
     */
    unsigned depth;
    bool closed;

    /* What the loop was asked for last. */
    int watched_fd;
    unsigned watched_events;
    uint64_t armed_ms; /* When the timer fires; UINT64_MAX: not at all. */

    /* For acta_sync: where the replies to requests that are made from now on,
     * and the batches of subscriptions, are read to; NULL: nowhere special.
     */
    struct answer *keep_in;
};

/* acta_open() with a clock of the caller's. */
enum acta_code client_new(struct acta_client **client,
                          const struct acta_options *options,
                          const struct acta_loop *loop, uint64_t (*clock)(void),
                          struct acta_err *err) ACTA_CHECKED;

/* acta_open() of a server in the same process, by its clock. */
enum acta_code client_new_near(struct acta_client **client,
                               const struct acta_options *options,
                               const struct acta_loop *loop, struct near *near,
                               struct acta_err *err) ACTA_CHECKED;

static inline uint64_t
client_now_ms(const struct acta_client *client)
{
    struct near *near = client->io.near;

    return near == NULL ? client->clock() : near->now_ms(near);
}

/* Every function that may change what the client does is between these. */
void client_enter(struct acta_client *client);
void client_leave(struct acta_client *client, uint64_t now_ms);

/* Submit the request that core_begin() began, and send it if that may be. What
 * all requests end with: its number, or 0 with @err.
 */
uint64_t client_submit(struct acta_client *client, enum opcode kind,
                       uint64_t timeout_ms, union request_done done, void *user,
                       struct acta_err *err);

/* Ask for a list of @kind, one of those of msg_list_encode(). */
uint64_t client_list(struct acta_client *client, enum opcode kind,
                     const char *prefix, const char *after, size_t count_max,
                     uint64_t timeout_ms, union request_done done, void *user,
                     struct acta_err *err);

#endif
