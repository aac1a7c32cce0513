/* Leases, each of which is acquired, renewed and given back over any number of
 * connections.
 *
 *     asking ── granted ──> held ── renewed ──┐
 *       │ refused,           │ ^──────────────┘
 *       v too late           v lost
 *     over <─────────────────┘          released: leaving ──> gone
 *
 * How long it is held is reckoned from when the request was sent, on whatever
 * the server answers: it cannot have begun to count before. A request that was
 * sent on a connection that is lost is asked anew on the next one.
 *
 * A lease that its caller has let go of lives on until the server knows.
 *
 * One thread at a time, that of the core. Times are monotonic, and go on while
 * the machine sleeps.
 */

#ifndef ACTA_CLIENT_LEASE_H
#define ACTA_CLIENT_LEASE_H

#include <acta/acta_lease.h>

#include "core.h"

enum lease_state {
    LEASE_ASKING,
    LEASE_HELD,
    LEASE_LEAVING, /* Its handle is gone. */
    LEASE_OVER,    /* Only its handle is left: it is the caller's to release. */
};

struct acta_lease {
    struct acta_lease *prev, *next;
    struct core *core;
    uint64_t serial;
    enum lease_state state;
    struct acta_acquire acquire; /* name, holder: not to be used. */
    char *name;                  /* owned */
    char *holder;                /* owned */
    struct acta_id claim;

    bool was_asked;    /* The server may know of it. */
    bool is_due;       /* Something is to be sent. */
    uint64_t request;  /* That is not answered; 0: none. */
    uint64_t asked_ms; /* When it was made. */
    uint64_t fence;    /* 0: it was not granted yet. */
    uint64_t until_ms; /* Held before that. */
    uint64_t renew_ms; /* To be renewed then. */
    uint64_t give_up_ms;
    uint64_t wait_until_ms;

    bool keeps_handle;           /* The handle stays when it is over. */
    struct acta_err err;         /* Why it is over. */
    void (*on_gone)(void *user); /* When the server knows; may be NULL. */
    void *gone_user;
};

/* See acta_lease_acquire(). */
struct acta_lease *lease_new(struct core *core,
                             const struct acta_acquire *acquire,
                             uint64_t now_ms, struct acta_err *err);

/* Renew it; @now_ms is not used before it is sent. */
void lease_renew(struct acta_lease *lease);

/* Let go of it: @lease is not the caller's any more. @on_gone is called when
 * the server knows, or need not.
 */
void lease_release(struct acta_lease *lease, void (*on_gone)(void *user),
                   void *user);

static inline bool
lease_is_held(const struct acta_lease *lease, uint64_t now_ms)
{
    return lease->state == LEASE_HELD && now_ms < lease->until_ms;
}

/* Send what is due. */
void core_leases_send(struct core *core, uint64_t now_ms);

/* Until when nothing may be sent, at the most: else a lease that is held could
 * be lost. UINT64_MAX: as long as it likes.
 */
uint64_t core_leases_patience(const struct core *core, uint64_t now_ms);

/* End what is too late, and renew what is to be renewed. */
void core_leases_tick(struct core *core, uint64_t now_ms);

/* The connection is lost: what was asked is asked again. */
void core_leases_lost(struct core *core);

/* End all with @why. */
void core_leases_end(struct core *core, const struct acta_err *why);

/* Free what is left. */
void core_leases_fini(struct core *core);

#endif
