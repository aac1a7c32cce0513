/* Leases: one holder at a time, for a time.
 *
 * For "only one of us runs the projection", and for locks on what is worked on
 * for longer than an append takes:
 *
 *     #include <acta/acta_lease.h>
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_acquire acquire = acta_acquire_of("nightly", 10000);
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_lease *lease = NULL;
 *         struct acta_sync *sync = NULL;
 *
 *         acquire.wait_ms = 1000;
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_sync_acquire(sync, &acquire, &lease, &err) == ACTA_OK) {
 *             if (acta_lease_is_held(lease)) {
 *                 printf("we are the one\n");
 *             }
 *             acta_sync_release(sync, lease, &err);
 *         }
 *         if (err.code != ACTA_OK) {
 *             fprintf(stderr, "%s\n", err.text); // HELD: another one is
 *         }
 *         acta_sync_close(sync);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
 *
 * The same in a loop of one's own:
 *
 *     struct acta_acquire acquire = acta_acquire_of("projection", 10000);
 *
 *     acquire.wait_ms = ACTA_WAIT_FOR_EVER;
 *     acquire.on_held = on_held;    // it may go
 *     acquire.on_ended = on_ended;  // it must stop, or could not begin
 *     lease = acta_lease_acquire(client, &acquire, &err);
 *
 * A holder may be late: stopped for a while, or cut off. So before each thing
 * that must not be done by two it asks acta_lease_is_held(), which goes by the
 * time since the lease was asked for, by a clock that nobody sets and that runs
 * while the machine sleeps: it says no before the server lets another one in,
 * whatever the answer took. And it passes the fence on to where the thing is
 * done, since what is late after asking has a smaller one: an append does that
 * with acta_append_lease().
 *
 * The library renews the lease by itself, when a third of its duration has
 * passed, as long as the loop turns. A lease is not bound to a connection: it
 * is acquired and renewed through any number of them, and one that is waited
 * for is waited for again on the next, behind those who wait already.
 *
 * What is said of connections, errors, memory, names, threads and compatibility
 * in acta.h, which this header includes, holds here. The names of leases are
 * like those of streams. There are 100,000 at most.
 */

#ifndef ACTA_ACTA_LEASE_H
#define ACTA_ACTA_LEASE_H

#include "acta.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_lease;

#define ACTA_WAIT_FOR_EVER UINT64_MAX

/* What to acquire, and who is told: made by acta_acquire_of(). */
struct acta_acquire {
    size_t size; /* Of this struct. */
    const char *name;
    const char *holder;   /* For people; NULL: the name in the options. */
    uint64_t duration_ms; /* 1 ms to 24 h. */
    uint64_t wait_ms; /* How long to wait while others hold it; 0: not at all */
    bool no_renewal;  /* Only acta_lease_renew() renews it. */
    void *user;       /* Passed to all of the functions: */

    /* It is held, under this fence, which is greater than those of all who held
     * it before. Comes once.
     */
    void (*on_held)(void *user, uint64_t fence);

    /* It is not held, for another reason than acta_lease_release(), and its
     * handle is gone.
     *
     * HELD: others held it for all of wait_ms.
     * FENCED: it was lost; its time was over before it was renewed.
     * TIMEOUT: no answer came in wait_ms and the time-out of the options, so it
     *     was not held. It may be taken until its duration is over.
     * others: it was refused.
     */
    void (*on_ended)(void *user, const struct acta_err *err);
};

static inline struct acta_acquire
acta_acquire_of(const char *name, uint64_t duration_ms)
{
    struct acta_acquire acquire;

    memset(&acquire, 0, sizeof(acquire));
    acquire.size = sizeof(acquire);
    acquire.name = name;
    acquire.duration_ms = duration_ms;
    return acquire;
}

/* Acquire a lease. Callbacks come from the loop, not from within this call. The
 * handle is the caller's, to be ended by acta_lease_release(), or until
 * on_ended is called.
 *
 * NULL: INVALID, TOO_LARGE (names, duration), BUSY, MEMORY, IO.
 */
ACTA_API struct acta_lease *
acta_lease_acquire(struct acta_client *client,
                   const struct acta_acquire *acquire, struct acta_err *err);

/* True if nobody else can hold it now, and for acta_lease_left_ms() from now.
 * Asks the clock, not the server.
 */
ACTA_API bool acta_lease_is_held(const struct acta_lease *lease);
ACTA_API uint64_t acta_lease_left_ms(const struct acta_lease *lease);

/* Its fence; 0: it was not held yet. */
ACTA_API uint64_t acta_lease_fence(const struct acta_lease *lease);

/* Renew it now, for its duration: one renewal is under way at a time. Does
 * nothing before on_held.
 */
ACTA_API void acta_lease_renew(struct acta_lease *lease);

/* Give it back, or stop waiting for it: the next one who waits has it at once.
 * It is not held from the time of this call. No callback is called any more.
 * May be NULL.
 */
ACTA_API void acta_lease_release(struct acta_lease *lease);

/* ---- who holds what ---- */

struct acta_lease_info {
    const char *name;
    const char *holder;
    uint64_t fence;
    uint64_t duration_us;
    uint64_t remaining_us; /* When the server answered. */
    uint64_t since_us;     /* When it was granted, since 1970. */
    uint64_t waiters_count;
    const char *const *waiters; /* The first ones, in their order: */
    size_t waiters_named;       /* up to 16. */
};

struct acta_leases {
    const struct acta_lease_info *const *leases;
    size_t leases_count;
    bool at_end; /* Else list again, after the last name here. */
};

/* List the leases that are held by name, as acta_list() does streams: 1,000 at
 * most at once.
 */
typedef void acta_on_leases(void *user, const struct acta_err *err,
                            const struct acta_leases *leases);
ACTA_API uint64_t acta_list_leases(struct acta_client *client,
                                   const char *prefix, const char *after,
                                   size_t count_max, uint64_t timeout_ms,
                                   acta_on_leases *done, void *user,
                                   struct acta_err *err);

/* ---- the same, waited for: see acta_sync.h ---- */

struct acta_sync;

/* Acquire a lease, and wait for it: wait_ms and the time-out of the options at
 * most. The callbacks in @acquire are not called. *@lease is the caller's, to
 * be given back by acta_sync_release(), also after it was lost; it is forgotten
 * with @sync, and held until its duration is over.
 *
 * It is renewed only within calls that wait, so for work between them give it a
 * duration that is enough, or call acta_sync_renew().
 *
 * HELD: others held it for all of wait_ms.
 */
ACTA_API enum acta_code acta_sync_acquire(struct acta_sync *sync,
                                          const struct acta_acquire *acquire,
                                          struct acta_lease **lease,
                                          struct acta_err *err);

/* Renew it for its duration. FENCED: it is lost. TIMEOUT: no answer came in the
 * time-out of the options; it is held as long as it was before, and longer if
 * the answer comes.
 */
ACTA_API enum acta_code acta_sync_renew(struct acta_sync *sync,
                                        struct acta_lease *lease,
                                        struct acta_err *err);

/* Give it back. It may be lost already; @lease is freed in any case, and may be
 * NULL.
 */
ACTA_API enum acta_code acta_sync_release(struct acta_sync *sync,
                                          struct acta_lease *lease,
                                          struct acta_err *err);

ACTA_API enum acta_code
acta_sync_list_leases(struct acta_sync *sync, const char *prefix,
                      const char *after, size_t count_max,
                      const struct acta_leases **leases, struct acta_err *err);

#ifdef __cplusplus
}
#endif

#endif
