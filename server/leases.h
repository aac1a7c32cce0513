/* The leases that are held, and who stands in line for them: what a decision
 * needs besides the rows. A lease is here from its grant to its end.
 *
 * Deadlines are of the monotonic clock: the wall's may be set. They begin anew
 * when the server does, since how long it was away cannot be known; so a lease
 * is never given to another before its holder's own time is over.
 *
 * Those who wait are jobs, kept in the order in which they came, and each is
 * given back when it is granted the lease, has waited long enough, or its
 * connection is gone. No I/O, no clock. The writer's thread.
 */

#ifndef ACTA_LEASES_H
#define ACTA_LEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "err.h"
#include "heap.h"
#include "job.h"
#include "kept.h"
#include "lease.h"
#include "name_map.h"
#include "name_order.h"
#include "slice.h"
#include "uuid.h"

struct lease_waiter {
    struct heap_node until; /* When it has waited long enough. */
    TAILQ_ENTRY(lease_waiter) in_line;
    struct kept_job kept;
    struct lease_slot *slot;
    uint64_t since_us;
    struct name_node claimed; /* Its claim, and the name of the lease: */
    uint8_t key[];
};

TAILQ_HEAD(lease_line, lease_waiter);

struct lease_slot {
    struct name_node named;
    struct name_order_node ordered;
    struct heap_node until; /* When it expires. */
    struct lease lease;     /* claim and holder are in what follows. */
    uint8_t claim[UUID_SIZE];
    struct lease_line line;
    size_t line_count;
    uint8_t *holder; /* owned */
    uint8_t name[];
};

struct leases {
    struct name_map by_name;
    struct name_order order; /* The same, for lists. */
    struct heap expiries;
    struct heap waits;
    struct name_map claimed; /* Who waits, by claim. */
    struct kept kept;
};

void leases_init(struct leases *leases);

/* Free all. Nobody may wait any more. */
void leases_fini(struct leases *leases);

struct lease_slot *leases_find(const struct leases *leases, struct slice name);

/* Make the lease held by @lease until @deadline_us: @slot, or if that is NULL a
 * new one. NULL if there is no memory; nothing has changed then.
 */
struct lease_slot *leases_hold(struct leases *leases, struct lease_slot *slot,
                               struct slice name, const struct lease *lease,
                               uint64_t deadline_us);

/* The deadline moves. */
void leases_extend(struct leases *leases, struct lease_slot *slot,
                   uint64_t deadline_us);

/* It is not held any more, and nobody waits: @slot is freed. */
void leases_end(struct leases *leases, struct lease_slot *slot);

/* Put @job behind the others who wait; or if there is one with the same claim,
 * in its place: then *@twin is that one's job, the caller's; else NULL. False
 * if there is no memory.
 */
bool leases_wait(struct leases *leases, struct lease_slot *slot,
                 struct job *job, uint64_t now_us,
                 struct job **twin) ACTA_CHECKED;

/* Take the waiter out: its job is the caller's. */
struct job *leases_take(struct leases *leases, struct lease_waiter *waiter);

/* Take out one who waits and came from this connection, or with NULL from any;
 * NULL: there is none. The job is the caller's.
 */
struct job *leases_forget(struct leases *leases,
                          const struct completions *completions,
                          uint64_t connection_id);

/* The first lease that expires, and the first who has waited long enough, up to
 * @now_us; NULL if there is none.
 */
struct lease_slot *leases_expired(const struct leases *leases, uint64_t now_us);
struct lease_waiter *leases_tired(const struct leases *leases, uint64_t now_us);

/* When one of these will be; UINT64_MAX if there is none. */
uint64_t leases_next(const struct leases *leases);

/* Up to @max leases whose name begins with @prefix and is behind @after, in
 * order of names. Returns how many; *@at_end: there are no more. It takes as
 * long as what it returns, however many are held.
 */
size_t leases_list(const struct leases *leases, struct slice prefix,
                   struct slice after, struct lease_slot **slots, size_t max,
                   bool *at_end);

#endif
