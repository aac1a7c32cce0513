/* What the blocking calls, cursors and followers share: a client in a loop of
 * its own, which is turned while something is waited for.
 */

#ifndef ACTA_CLIENT_SYNC_H
#define ACTA_CLIENT_SYNC_H

#include <acta/acta_group.h>
#include <acta/acta_poll.h>
#include <acta/acta_sync.h>

#include "answer.h"

struct acta_sync {
    struct acta_poll loop;
    struct acta_client *client;
    struct answer answer; /* Of the last call; owned. */

    acta_on_link *on_link; /* The caller's. */
    void *on_link_user;
    bool link_told; /* A connection stands, or could not be made. */
    struct acta_err link_err;

    struct acta_cursor *cursors;     /* To be closed with it. */
    struct acta_follower *followers; /* The same. */
    struct acta_worker *workers;     /* The same. */
};

struct near;

/* acta_sync_open() of a server in the same process. */
enum acta_code sync_open_near(struct acta_sync **sync,
                              const struct acta_options *options,
                              struct near *near,
                              struct acta_err *err) ACTA_CHECKED;

/* One call that is waited for. */
struct sync_call {
    bool done;
    struct acta_err err; /* Code OK: it went well. */
};

/* To be called by the callback: remember how the call went. */
void sync_call_done(struct sync_call *call, const struct acta_err *err);

/* Begin requests whose replies are read to @answer, up to the next call. */
void sync_keep_in(struct acta_sync *sync, struct answer *answer);

/* Begin a call whose reply is read to the answer that is handed out. */
struct acta_client *sync_begin(struct acta_sync *sync);

/* Turn the loop until the call is done. @request is what the asynchronous call
 * returned: if it is 0 then it failed with @err.
 */
enum acta_code sync_wait(struct acta_sync *sync, uint64_t request,
                         struct sync_call *call,
                         struct acta_err *err) ACTA_CHECKED;

/* Turn the loop once, until @end_ms by acta_poll_now_ms() at most. False: that
 * is over.
 */
bool sync_turn_until(struct acta_sync *sync, uint64_t end_ms);

/* Turn the loop once, @timeout_ms at most (negative: as long as it takes). True
 * if that was interrupted, and @interrupt_fd can be again.
 */
bool sync_turn(struct acta_sync *sync, int interrupt_fd, int timeout_ms);

/* A descriptor to be interrupted by; -1: IO. Interrupting: any thread, and
 * signal handlers too. -1 may be closed.
 */
int interrupt_open(struct acta_err *err);
void interrupt_signal(int interrupt_fd);
void interrupt_close(int interrupt_fd);

/* Let news be all that has come in by then, as one: for those for whom each
 * piece has a price of its own.
 */
void follower_merge(struct acta_follower *follower);

/* Take it from the lists of @sync and free it. */
void cursor_free(struct acta_cursor *cursor);
void follower_free(struct acta_follower *follower);
void worker_free(struct acta_worker *worker);

#endif
