/* Leases. Whoever stands in line is a wait, in the order of arrival. */

#include <stdlib.h>

#include "limit.h"
#include "memory_handle.h"
#include "msg_lease.h"

static struct memory_lease *
at(const struct table *leases, size_t index)
{
    return (struct memory_lease *)leases->entries[index];
}

uint64_t
memory_leases_due(const struct acta_memory *memory)
{
    uint64_t due_us = UINT64_MAX;

    for (size_t i = 0; i < memory->leases.count; i++) {
        uint64_t until_us = at(&memory->leases, i)->until_us;

        due_us = until_us < due_us ? until_us : due_us;
    }
    return due_us;
}

static void
answer(struct memory_connection *connection, uint64_t id,
       const struct memory_lease *lease, bool changed, uint64_t waited_us)
{
    struct msg_lease_changed told = {
        .fence = lease->fence,
        .remaining_us = lease->until_us - connection->memory->now_us,
        .changed = changed,
        .waited_us = waited_us,
    };

    msg_lease_changed_encode(&connection->out, id, &told);
}

static void
grant(struct acta_memory *memory, struct memory_lease *lease,
      struct slice holder, const uint8_t *claim, uint64_t duration_us)
{
    memory_free_copy(&lease->holder);
    lease->holder = memory_copy(holder);
    memcpy(lease->claim, claim, UUID_SIZE);
    lease->fence = ++memory->counter;
    lease->duration_us = duration_us;
    lease->since_us = memory->now_us;
    lease->until_us = memory->now_us + duration_us;
}

/* ---- ends ---- */

static bool
waits_for(const struct memory_wait *wait, const struct memory_lease *lease)
{
    return wait->is_for_lease && slice_equal(wait->name, lease->named.name);
}

/* Its holder is over: to the next in line, if there is one. */
static void
pass_on(struct acta_memory *memory, struct memory_lease *lease)
{
    struct memory_wait *wait = memory->waits;

    while (wait != NULL && !waits_for(wait, lease)) {
        wait = wait->next;
    }
    if (wait != NULL) {
        grant(memory, lease, wait->holder, wait->claim, wait->duration_us);
        answer(wait->connection, wait->request_id, lease, true,
               memory->now_us - wait->since_us);
        memory_end_wait(memory, wait);
        return;
    }
    table_remove(&memory->leases, &lease->named);
    memory_free_copy(&lease->holder);
    free(lease);
}

void
memory_end_leases(struct acta_memory *memory)
{
    size_t i = 0;

    while (i < memory->leases.count) {
        size_t before = memory->leases.count;
        struct memory_lease *lease = at(&memory->leases, i);

        if (lease->until_us <= memory->now_us) {
            pass_on(memory, lease);
        }
        i += memory->leases.count == before;
    }
}

void
memory_leases_fini(struct acta_memory *memory)
{
    while (memory->leases.count > 0) {
        struct memory_lease *lease =
            at(&memory->leases, memory->leases.count - 1);

        table_remove(&memory->leases, &lease->named);
        memory_free_copy(&lease->holder);
        free(lease);
    }
    table_fini(&memory->leases);
}

/* ---- changes ---- */

/* Who waits for it with this claim already; NULL: nobody. */
static struct memory_wait *
find_twin(const struct acta_memory *memory, const struct memory_lease *lease,
          const uint8_t *claim)
{
    struct memory_wait *wait = memory->waits;

    while (wait != NULL && !(waits_for(wait, lease) &&
                             memcmp(wait->claim, claim, UUID_SIZE) == 0)) {
        wait = wait->next;
    }
    return wait;
}

/* If it was sent before, over a connection that may be dead, it takes the place
 * of that one.
 */
static void
wait_in_line(struct memory_connection *connection, uint64_t id,
             const struct msg_change_lease *change,
             const struct memory_lease *lease)
{
    struct acta_memory *memory = connection->memory;
    struct memory_wait *twin = find_twin(memory, lease, change->claim);
    struct memory_wait *wait =
        memory_add_wait(connection, id, change->name, change->wait_us, twin);

    wait->is_for_lease = true;
    wait->holder = memory_copy(change->holder);
    memcpy(wait->claim, change->claim, UUID_SIZE);
    wait->duration_us = change->duration_us;
    if (twin != NULL) {
        memory_refuse_wait(memory, twin, ACTA_CANCELLED,
                           "the same claim came again");
    }
}

static enum acta_code
acquire(struct memory_connection *connection, uint64_t id,
        const struct msg_change_lease *change, struct memory_lease *lease,
        struct acta_err *err)
{
    struct acta_memory *memory = connection->memory;

    if (lease == NULL) {
        lease = memory_alloc(sizeof(*lease));
        table_put(&memory->leases, &lease->named, change->name);
        grant(memory, lease, change->holder, change->claim,
              change->duration_us);
        answer(connection, id, lease, true, 0);
        return ACTA_OK;
    }
    if (memcmp(lease->claim, change->claim, UUID_SIZE) == 0) {
        /* It was sent again, since no answer has come. */
        lease->until_us = memory->now_us + lease->duration_us;
        answer(connection, id, lease, false, 0);
        return ACTA_OK;
    }
    if (change->wait_us == 0) {
        return acta_fail(err, ACTA_HELD, "lease is held by %.*s",
                         (int)lease->holder.size,
                         (const char *)lease->holder.data);
    }
    wait_in_line(connection, id, change, lease);
    return ACTA_OK;
}

static enum acta_code
renew(struct memory_connection *connection, uint64_t id,
      const struct msg_change_lease *change, struct memory_lease *lease,
      struct acta_err *err)
{
    if (lease == NULL || lease->fence != change->fence) {
        return acta_fail(err, ACTA_FENCED,
                         "lease is not held under fence %ju any more",
                         (uintmax_t)change->fence);
    }
    if (change->duration_us > lease->duration_us) {
        lease->duration_us = change->duration_us;
    }
    lease->until_us = connection->memory->now_us + change->duration_us;
    answer(connection, id, lease, true, 0);
    return ACTA_OK;
}

static void
release(struct memory_connection *connection, uint64_t id,
        const struct msg_change_lease *change, struct memory_lease *lease)
{
    struct msg_lease_changed told = {
        .fence = change->fence,
        .changed = lease != NULL && lease->fence == change->fence,
    };

    msg_lease_changed_encode(&connection->out, id, &told);
    if (told.changed) {
        pass_on(connection->memory, lease);
    }
}

enum acta_code
handle_change_lease(struct memory_connection *connection, uint64_t id,
                    struct slice body, struct acta_err *err)
{
    struct msg_change_lease change;
    struct memory_lease *lease;
    enum acta_code code = msg_change_lease_decode(&change, body, err);

    if (code == ACTA_OK && change.kind == MSG_LEASE_ACQUIRE &&
        change.wait_us > 0) {
        code = memory_check_waits(connection, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    lease = table_find(&connection->memory->leases, change.name);
    switch (change.kind) {
    case MSG_LEASE_ACQUIRE:
        return acquire(connection, id, &change, lease, err);
    case MSG_LEASE_RENEW:
        return renew(connection, id, &change, lease, err);
    case MSG_LEASE_RELEASE:
        release(connection, id, &change, lease);
        break;
    }
    return ACTA_OK;
}

/* ---- lists ---- */

static void
add(struct memory_connection *connection, struct msg_open *open,
    const struct memory_lease *lease)
{
    const struct acta_memory *memory = connection->memory;
    struct msg_lease told = {
        .name = lease->named.name,
        .holder = lease->holder,
        .fence = lease->fence,
        .duration_us = lease->duration_us,
        .remaining_us = lease->until_us - memory->now_us,
        .since_us = lease->since_us,
    };

    for (const struct memory_wait *wait = memory->waits; wait != NULL;
         wait = wait->next) {
        if (!waits_for(wait, lease)) {
            continue;
        }
        if (told.waiters_named < MSG_WAITERS_MAX) {
            told.waiters[told.waiters_named++] = wait->holder;
        }
        told.waiters_count++;
    }
    msg_leases_add(&connection->out, open, &told);
}

enum acta_code
handle_list_leases(struct memory_connection *connection, uint64_t id,
                   struct slice body, struct acta_err *err)
{
    const struct table *leases = &connection->memory->leases;
    size_t max = ACTA_PAGE_ROWS_MAX;
    bool at_end = true;
    struct msg_list list;
    struct msg_open open;
    enum acta_code code = msg_list_decode(&list, OP_LIST_LEASES, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (list.count_max > 0 && list.count_max < max) {
        max = (size_t)list.count_max;
    }
    open = msg_leases_begin(&connection->out, id);
    for (size_t i = table_first(leases, list.prefix, list.after);
         at_end && table_has(leases, i, list.prefix); i++) {
        at_end = max > 0;
        if (max > 0) {
            add(connection, &open, at(leases, i));
            max--;
        }
    }
    msg_leases_end(&connection->out, open, at_end);
    return ACTA_OK;
}
