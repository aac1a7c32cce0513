/* Leases: one holder at a time, and a fence that only grows.
 *
 * When a lease is free it goes to whoever has waited longest, in the same
 * entry; so between two holders there is no moment in which one that has just
 * come could get in front.
 */

#include <inttypes.h>

#include "decider.h"
#include "limit.h"

#define NAMED(slice) (int)(slice).size, (const char *)(slice).data

static uint64_t
remaining(const struct decider *decider, const struct lease_slot *slot)
{
    return slot->until.time > decider->mono_us
               ? slot->until.time - decider->mono_us
               : 0;
}

static void
answer(struct decider *decider, struct job *job, const struct lease_slot *slot,
       bool changed)
{
    job->outcome.lease_changed.fence = slot->lease.fence;
    job->outcome.lease_changed.remaining_us = remaining(decider, slot);
    job->outcome.lease_changed.changed = changed;
}

static void
refuse_held(struct decider *decider, struct job *job,
            const struct lease_slot *slot)
{
    job_refuse(job, ACTA_HELD,
               "lease %.*s is held by %.*s, under fence %" PRIu64
               ", for another %" PRIu64 " ms",
               NAMED(slot->named.name), NAMED(slot->lease.holder),
               slot->lease.fence, remaining(decider, slot) / 1000);
}

static enum acta_code
keep(struct decider *decider, const struct lease_slot *slot,
     struct acta_err *err)
{
    lease_encode(decider_value(decider), &slot->lease);
    return decider_set(decider, ROW_LEASE, slot->named.name, err);
}

/* Give the lease, which nobody holds or whose holder is over, to who asks for
 * it in @job.
 */
static enum acta_code
grant(struct decider *decider, struct lease_slot *slot, struct job *job,
      struct acta_err *err)
{
    const struct msg_change_lease *wanted = &job->lease;
    struct lease lease = {
        .fence = decider_number(decider),
        .duration_us = wanted->duration_us,
        .since_us = decider->heads->time_us,
        .claim = wanted->claim,
        .holder = wanted->holder,
    };

    slot = leases_hold(&decider->leases, slot, wanted->name, &lease,
                       decider->mono_us + wanted->duration_us);
    if (slot == NULL) {
        job_refuse(job, ACTA_MEMORY, "grant lease");
        return ACTA_OK;
    }
    answer(decider, job, slot, true);
    return keep(decider, slot, err);
}

/* ---- the end of a lease ---- */

/* Its holder is over: to the next in line, if there is one. */
static enum acta_code
pass_on(struct decider *decider, struct lease_slot *slot, struct acta_err *err)
{
    struct lease_waiter *waiter = TAILQ_FIRST(&slot->line);
    enum acta_code code;
    uint64_t since_us;
    struct job *job;

    if (waiter == NULL) {
        code = decider_remove(decider, ROW_LEASE, slot->named.name, err);
        leases_end(&decider->leases, slot);
        return code;
    }
    since_us = waiter->since_us;
    job = leases_take(&decider->leases, waiter);
    job->outcome.lease_changed.waited_us = decider->mono_us - since_us;
    code = grant(decider, slot, job, err);
    decider_is_done(decider, job);
    return code;
}

enum acta_code
expire_leases(struct decider *decider, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct lease_slot *slot;
    size_t done = 0;

    while (code == ACTA_OK && done++ < LEASES_A_COMMIT &&
           (slot = leases_expired(&decider->leases, decider->mono_us)) !=
               NULL) {
        code = pass_on(decider, slot, err);
    }
    return code;
}

void
end_waits(struct decider *decider)
{
    struct lease_waiter *waiter;

    while ((waiter = leases_tired(&decider->leases, decider->mono_us)) !=
           NULL) {
        struct lease_slot *held = waiter->slot;
        struct job *job = leases_take(&decider->leases, waiter);

        refuse_held(decider, job, held);
        decider_is_done(decider, job);
    }
}

/* ---- what is asked for ---- */

static bool
is_of_claim(const struct lease_slot *slot, const uint8_t *claim)
{
    return memcmp(slot->claim, claim, UUID_SIZE) == 0;
}

/* An acquire has to wait. If it was sent before, over a connection that may be
 * dead by now, it takes the place of that one: else the lease could be given to
 * where nobody hears of it, while who is there waits for itself.
 */
static bool
wait_in_line(struct decider *decider, struct lease_slot *slot, struct job *job)
{
    struct job *twin;

    if (!leases_wait(&decider->leases, slot, job, decider->mono_us, &twin)) {
        job_refuse(job, ACTA_MEMORY, "wait for lease");
        return false;
    }
    if (twin != NULL) {
        job_refuse(twin, ACTA_CANCELLED,
                   "the same claim came again, and waits in place of this");
        decider_is_done(decider, twin);
    }
    return true;
}

static enum acta_code
acquire(struct decider *decider, struct job *job, struct lease_slot *slot,
        bool *waits, struct acta_err *err)
{
    if (slot == NULL) {
        if (decider->leases.by_name.count >= ACTA_LEASES_MAX) {
            job_refuse(job, ACTA_BUSY, "too many leases are held");
            return ACTA_OK;
        }
        return grant(decider, NULL, job, err);
    }
    if (is_of_claim(slot, job->lease.claim)) {
        /* It was sent again, since no answer has come. */
        leases_extend(&decider->leases, slot,
                      decider->mono_us + slot->lease.duration_us);
        answer(decider, job, slot, false);
        return ACTA_OK;
    }
    if (job->lease.wait_us > 0) {
        *waits = wait_in_line(decider, slot, job);
    } else {
        refuse_held(decider, job, slot);
    }
    return ACTA_OK;
}

static void
refuse_lost(struct job *job, const struct lease_slot *slot)
{
    if (slot == NULL) {
        job_refuse(job, ACTA_FENCED,
                   "lease %.*s is not held under fence %" PRIu64
                   " any more, nor by another",
                   NAMED(job->lease.name), job->lease.fence);
    } else {
        job_refuse(job, ACTA_FENCED,
                   "lease %.*s is not held under fence %" PRIu64
                   " any more: %.*s has it, under fence %" PRIu64,
                   NAMED(job->lease.name), job->lease.fence,
                   NAMED(slot->lease.holder), slot->lease.fence);
    }
}

/* A deadline is not journaled: after a restart the whole duration begins anew.
 * Only a longer one has to be known then.
 */
static enum acta_code
renew(struct decider *decider, struct job *job, struct lease_slot *slot,
      struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (slot == NULL || slot->lease.fence != job->lease.fence) {
        refuse_lost(job, slot);
        return ACTA_OK;
    }
    if (job->lease.duration_us > slot->lease.duration_us) {
        slot->lease.duration_us = job->lease.duration_us;
        code = keep(decider, slot, err);
    }
    leases_extend(&decider->leases, slot,
                  decider->mono_us + job->lease.duration_us);
    answer(decider, job, slot, true);
    return code;
}

static enum acta_code
release(struct decider *decider, struct job *job, struct lease_slot *slot,
        struct acta_err *err)
{
    job->outcome.lease_changed.fence = job->lease.fence;
    if (slot == NULL || slot->lease.fence != job->lease.fence) {
        return ACTA_OK;
    }
    job->outcome.lease_changed.changed = true;
    return pass_on(decider, slot, err);
}

bool
lease_stays(const struct decider *decider,
            const struct msg_change_lease *wanted)
{
    const struct lease_slot *slot = leases_find(&decider->leases, wanted->name);

    if (slot == NULL || slot->until.time <= decider->mono_us) {
        return false;
    }
    switch (wanted->kind) {
    case MSG_LEASE_ACQUIRE:
        return true;
    case MSG_LEASE_RENEW:
        return wanted->duration_us <= slot->lease.duration_us;
    case MSG_LEASE_RELEASE:
        break;
    }
    return false;
}

enum acta_code
change_lease(struct decider *decider, struct job *job, bool *waits,
             struct acta_err *err)
{
    struct lease_slot *slot = leases_find(&decider->leases, job->lease.name);
    enum acta_code code = ACTA_OK;

    /* More may have expired than one batch ends. */
    if (slot != NULL && slot->until.time <= decider->mono_us) {
        code = pass_on(decider, slot, err);
        slot = leases_find(&decider->leases, job->lease.name);
    }
    if (code != ACTA_OK) {
        return code;
    }
    switch (job->lease.kind) {
    case MSG_LEASE_ACQUIRE:
        return acquire(decider, job, slot, waits, err);
    case MSG_LEASE_RENEW:
        return renew(decider, job, slot, err);
    case MSG_LEASE_RELEASE:
        return release(decider, job, slot, err);
    }
    return ACTA_OK;
}

/* ---- listing ---- */

static void
add_lease(struct decider *decider, const struct lease_slot *slot,
          struct buf *out, struct msg_open *open)
{
    struct msg_lease lease = {
        .name = slot->named.name,
        .holder = slot->lease.holder,
        .fence = slot->lease.fence,
        .duration_us = slot->lease.duration_us,
        .remaining_us = remaining(decider, slot),
        .since_us = slot->lease.since_us,
        .waiters_count = slot->line_count,
    };
    const struct lease_waiter *waiter;

    TAILQ_FOREACH(waiter, &slot->line, in_line)
    {
        if (lease.waiters_named == MSG_WAITERS_MAX) {
            break;
        }
        lease.waiters[lease.waiters_named++] = waiter->kept.job->lease.holder;
    }
    msg_leases_add(out, open, &lease);
}

void
list_leases(struct decider *decider, struct job *job)
{
    struct lease_slot *slots[ACTA_PAGE_ROWS_MAX];
    struct buf *out = &job->outcome.reply;
    size_t max = ACTA_PAGE_ROWS_MAX;
    struct msg_open open;
    size_t count;
    bool at_end;

    if (job->list.count_max > 0 && job->list.count_max < max) {
        max = (size_t)job->list.count_max;
    }
    count = leases_list(&decider->leases, job->list.prefix, job->list.after,
                        slots, max, &at_end);
    open = msg_leases_begin(out, job->request_id);
    for (size_t i = 0; i < count; i++) {
        add_lease(decider, slots[i], out, &open);
    }
    msg_leases_end(out, open, at_end);
    if (buf_failed(out)) {
        job_refuse(job, ACTA_MEMORY, "list leases");
    }
    decider->steps_spent += count;
}
