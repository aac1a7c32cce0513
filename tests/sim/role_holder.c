/* Holds a lease, and appends while it does: nobody else may think the same at
 * the same time, and no append of one who held it before may come behind those
 * of who held it after.
 */

#include <inttypes.h>

#include <acta/acta_lease.h>

#include "roles.h"
#include "task.h"

#define LEASE           "leader"
#define DURATION_MAX_MS 3000

/* Who thinks that it holds the lease, until when, by its own reckoning. */
static struct {
    const struct party *party;
    uint64_t until_ns;
    uint64_t fence;
} held;

static void
check_held(const struct party *party, const struct acta_lease *lease)
{
    uint64_t now_ns = task_now_ns(), fence = acta_lease_fence(lease);

    if (!acta_lease_is_held(lease)) {
        return;
    }
    if (held.party != party && held.until_ns > now_ns) {
        sim_fail("two hold the lease, under %" PRIu64 " and %" PRIu64,
                 held.fence, fence);
    }
    if (fence < held.fence || (fence == held.fence && held.party != party)) {
        sim_fail("the lease is held under %" PRIu64 ", and was under %" PRIu64,
                 fence, held.fence);
    }
    roles_counts()->leases += fence > held.fence;
    held.party = party;
    held.fence = fence;
    held.until_ns = now_ns + acta_lease_left_ms(lease) * SIM_MS;
}

static void
let_go(const struct party *party)
{
    if (held.party == party) {
        held.until_ns = 0;
    }
}

/* An append that counts only while the lease is held. */
static void
append_guarded(struct party *party, uint64_t fence)
{
    struct attempt *attempt = oracle_attempt();
    struct acta_append *append;

    attempt->fence = fence;
    oracle_write(attempt, (unsigned)sim_below(ORACLE_STREAMS), ACTA_EXPECT_ANY,
                 1);
    append = oracle_append(attempt);
    acta_append_lease(append, LEASE, fence);
    role_append(party, attempt, append);
    acta_append_free(append);
}

/* False: it must connect anew. */
static void
hold(struct party *party, struct acta_lease *lease)
{
    uint64_t fence = acta_lease_fence(lease);
    struct acta_err err;

    check_held(party, lease);
    while (sim_once_in(3)) {
        if (sim_once_in(3)) {
            append_guarded(party, fence);
        } else if (sim_once_in(2)) {
            (void)acta_sync_renew(party->sync, lease, &err);
        } else {
            party_pause();
        }
        check_held(party, lease);
    }
    if (sim_once_in(4)) {
        party_die(party); /* It is held until its time is over. */
        let_go(party);
    } else {
        let_go(party);
        (void)acta_sync_release(party->sync, lease, &err);
    }
    if (sim_once_in(2)) {
        task_sleep(sim_below(DURATION_MAX_MS) * SIM_MS);
        append_guarded(party, fence); /* It should know better. */
    }
}

static bool
acquire(struct party *party, uint64_t wait_ms)
{
    struct acta_acquire acquire = acta_acquire_of(LEASE, 200 + sim_below(3000));
    struct acta_lease *lease;
    struct acta_err err;
    enum acta_code code;

    acquire.wait_ms = wait_ms;
    acquire.holder = party->name;
    code = acta_sync_acquire(party_connect(party), &acquire, &lease, &err);
    if (code != ACTA_OK) {
        if (code != ACTA_HELD && code != ACTA_FENCED &&
            !party_is_passing(code)) {
            sim_fail("a lease is refused: %s", err.text);
        }
        return false;
    }
    hold(party, lease);
    return true;
}

void
role_holder(struct party *party)
{
    while (roles_go_on()) {
        (void)acquire(party, sim_once_in(2) ? 0 : sim_below(4000));
        party_pause();
    }
    while (!acquire(party, 60000)) {
        party_pause();
    }
    roles_end_writing();
}
