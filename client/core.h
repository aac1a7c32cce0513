/* The connection's state machine: bytes and the time come in, bytes, due times
 * and callbacks go out. It knows no socket and no clock.
 *
 *     down ── core_connected() ──> hello ── welcome ──> ready
 *       ^                            │                    │
 *       └──────────── core_lost() ───┴────────────────────┘
 *
 * Requests, subscriptions, memberships and leases live on through any number of
 * connections. All callbacks of the library's user are called from here. A
 * callback may call whatever changes these, and core_shutdown(); but none of
 * core_connected(), core_lost(), core_received(), core_tick().
 *
 * Where a function fails that was given bytes or the time, the connection has
 * to be closed, and core_lost() be called with what went wrong.
 *
 * Times are monotonic, in milliseconds. One thread at a time.
 */

#ifndef ACTA_CLIENT_CORE_H
#define ACTA_CLIENT_CORE_H

#include <acta/acta.h>

#include "answer.h"
#include "buf.h"
#include "options.h"
#include "request.h"

/* Ids of the core's own requests: slots above those of all others. */
#define CORE_ID_HELLO       0xffff
#define CORE_ID_PING        0xfffe
#define CORE_ID_UNSUBSCRIBE 0xfffd
#define CORE_ID_LEAVE       0xfffc

enum core_state {
    CORE_DOWN,
    CORE_HELLO,
    CORE_READY,
};

/* What the server said of itself, and where the texts are. */
struct core_server {
    struct acta_server told; /* Points to what follows. */
    struct acta_id server_id;
    struct acta_id database_id;
    char version[64];
    char database[64];
    struct acta_limits limits;
};

struct core_subs {
    struct acta_sub **slots; /* owned: each with its subscription, or NULL */
    size_t capacity;
    size_t count;
    size_t idle;   /* Have to be subscribed on this connection. */
    size_t behind; /* Are resumed, and hold what came while they were paused. */
    size_t moving; /* Have a checkpoint to be moved. */
};

struct core_members {
    struct acta_member **slots; /* owned: each with its membership, or NULL */
    size_t capacity;
    size_t count;
    size_t idle;   /* Have to join on this connection. */
    bool is_stuck; /* There is no room for requests until an answer comes. */
};

struct core_leases {
    struct acta_lease *first, *last; /* owned, by age */
    uint64_t serial;                 /* Of the youngest. */
    size_t to_send;                  /* Have something to say. */
    uint64_t due_ms; /* Nothing is to be done before; UINT64_MAX: at all. */
};

struct core {
    const struct options *options;
    void *owner; /* The client that this is part of; not used here. */
    enum core_state state;
    bool closing;
    bool useful; /* This connection has brought an answer. */

    struct buf in;
    struct buf out;
    struct buf scratch; /* The frame of the request that is being made, */
    uint64_t begun_id;  /* and its id. */
    size_t room_size;   /* To be read at once. */

    struct requests requests;
    struct core_subs subs;
    struct core_members members;
    struct core_leases leases;
    uint64_t now_ms;      /* Of the call that is under way. */
    struct answer answer; /* Of those who bring none of their own. */

    bool server_known; /* There was a welcome. */
    struct core_server server;

    /* The server was busy or stopping: send no request before hold_until_ms
     * (0: at any time), and hold longer if it is so again.
     */
    uint64_t hold_until_ms;
    uint64_t hold_ms;

    uint64_t heard_ms;  /* When bytes came last, or were last awaited. */
    uint64_t pinged_ms; /* When the silence was broken by a ping; 0: not. */

    struct acta_err trouble; /* Why requests wait: of the last failure. */
};

/* @options must outlive the core. MEMORY. */
enum acta_code core_init(struct core *core, const struct options *options,
                         struct acta_err *err) ACTA_CHECKED;

/* Requires core_shutdown(). */
void core_fini(struct core *core);

/* End all with CANCELLED, and take no more. */
void core_shutdown(struct core *core);

/* ---- the connection ---- */

/* There is one now: say hello. */
void core_connected(struct core *core, uint64_t now_ms);

/* There is none any more. */
void core_lost(struct core *core, const struct acta_err *why, uint64_t now_ms);

/* None could be made, to any host. */
void core_unreachable(struct core *core, const struct acta_err *why);

/* Where to put bytes that come in: *@size of them at most. NULL: no memory. */
uint8_t *core_room(struct core *core, size_t *size);

/* @size bytes have come into the room: handle all frames that are whole.
 *
 * PROTOCOL, TOO_LARGE: the peer does not keep to the protocol.
 * others: what the server said when it refused the connection; MEMORY.
 */
enum acta_code core_received(struct core *core, size_t size, uint64_t now_ms,
                             struct acta_err *err) ACTA_CHECKED;

/* What is to be written, and that @size of it has been. */
static inline struct slice
core_output(const struct core *core)
{
    return buf_slice(&core->out);
}

/* True if there was no memory for what is to be written: the connection has to
 * be closed, since something is missing on it.
 */
static inline bool
core_is_broken(const struct core *core)
{
    return buf_failed(&core->out);
}

void core_written(struct core *core, size_t size, uint64_t now_ms);

/* When core_tick() has to be called; UINT64_MAX: never. It may be called
 * sooner.
 */
uint64_t core_due(const struct core *core);

/* Do what is due. TIMEOUT: the server is silent. */
enum acta_code core_tick(struct core *core, uint64_t now_ms,
                         struct acta_err *err) ACTA_CHECKED;

/* Send what may be sent now. */
void core_pump(struct core *core, uint64_t now_ms);

/* ---- requests ---- */

/* Begin a request: write its frame, with the id *@id, into the buf returned.
 * Nothing has to be undone if it is not submitted. NULL: BUSY, CANCELLED.
 */
struct buf *core_begin(struct core *core, uint64_t *id, struct acta_err *err);

/* The same, of one that the server may keep until something happens: there may
 * be ACTA_WAITS_MAX of them, whatever there is else.
 */
struct buf *core_begin_wait(struct core *core, uint64_t *id,
                            struct acta_err *err);

/* Submit what was begun. NULL: BUSY, MEMORY, TOO_LARGE. The caller sets what
 * remains: kind, done, user, answer, is_command, is_known; then it calls
 * core_pump().
 */
struct request *core_submit(struct core *core, uint64_t timeout_ms,
                            uint64_t now_ms, struct acta_err *err);

/* The same, of the library's own: without a deadline, and forgotten with the
 * connection. NULL: there is no memory, and nothing is sent for a while; then
 * it is to be tried again.
 */
struct request *core_submit_own(struct core *core, enum opcode kind,
                                request_on_own *done, void *user);

/* End a request with CANCELLED. NOT_FOUND. */
enum acta_code core_cancel(struct core *core, uint64_t id);

/* Forget a request of the library's own, without a callback. */
void core_drop(struct core *core, uint64_t id);

/* Give a request @timeout_ms from now on. Does nothing if there is none. */
void core_set_timeout(struct core *core, uint64_t id, uint64_t timeout_ms,
                      uint64_t now_ms);

/* ---- for sub.c, member.c, lease.c ---- */

/* True if a refusal with this code passes by itself. */
bool core_is_passing(enum acta_code code);

/* Send nothing for a while, longer each time, because of @why. */
void core_hold(struct core *core, const struct acta_err *why, uint64_t now_ms);

/* Send again at @at_ms at the latest. */
void core_hold_no_longer(struct core *core, uint64_t at_ms);

/* The server has answered as it should. */
void core_is_well(struct core *core);

#endif
