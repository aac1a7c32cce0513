#include "leases.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "outer.h"

void
leases_init(struct leases *leases)
{
    *leases = (struct leases){0};
    kept_init(&leases->kept);
}

static void
free_slot(struct name_node *node)
{
    struct lease_slot *slot = OUTER(struct lease_slot, named, node);

    free(slot->holder);
    free(slot);
}

void
leases_fini(struct leases *leases)
{
    kept_fini(&leases->kept);
    name_map_fini(&leases->claimed, NULL); /* It is empty. */
    name_map_fini(&leases->by_name, free_slot);
    heap_fini(&leases->expiries);
    heap_fini(&leases->waits);
}

struct lease_slot *
leases_find(const struct leases *leases, struct slice name)
{
    struct name_node *node = name_map_find(&leases->by_name, name);

    return node == NULL ? NULL : OUTER(struct lease_slot, named, node);
}

static struct lease_slot *
add_slot(struct leases *leases, struct slice name)
{
    struct lease_slot *slot;

    if (!name_map_reserve(&leases->by_name, 1) ||
        !heap_reserve(&leases->expiries, 1)) {
        return NULL;
    }
    slot = calloc(1, sizeof(*slot) + name.size);
    if (slot == NULL) {
        return NULL;
    }
    memcpy(slot->name, name.data, name.size);
    slot->named.name = slice_make(slot->name, name.size);
    slot->ordered.name = slot->named.name;
    TAILQ_INIT(&slot->line);
    name_map_put(&leases->by_name, &slot->named);
    name_order_put(&leases->order, &slot->ordered);
    return slot;
}

struct lease_slot *
leases_hold(struct leases *leases, struct lease_slot *slot, struct slice name,
            const struct lease *lease, uint64_t deadline_us)
{
    uint8_t *holder = malloc(lease->holder.size + 1);

    if (holder == NULL) {
        return NULL;
    }
    if (slot == NULL) {
        slot = add_slot(leases, name);
    }
    if (slot == NULL) {
        free(holder);
        return NULL;
    }
    if (lease->holder.size > 0) {
        memcpy(holder, lease->holder.data, lease->holder.size);
    }
    free(slot->holder);
    slot->holder = holder;
    memcpy(slot->claim, lease->claim, UUID_SIZE);
    slot->lease = *lease;
    slot->lease.holder = slice_make(holder, lease->holder.size);
    slot->lease.claim = slot->claim;
    leases_extend(leases, slot, deadline_us);
    return slot;
}

void
leases_extend(struct leases *leases, struct lease_slot *slot,
              uint64_t deadline_us)
{
    heap_remove(&leases->expiries, &slot->until);
    slot->until.time = deadline_us;
    slot->until.order = slot->lease.fence;
    heap_put(&leases->expiries, &slot->until);
}

void
leases_end(struct leases *leases, struct lease_slot *slot)
{
    assert(TAILQ_EMPTY(&slot->line));

    heap_remove(&leases->expiries, &slot->until);
    name_order_remove(&leases->order, &slot->ordered);
    name_map_remove(&leases->by_name, &slot->named);
    free_slot(&slot->named);
}

/* ---- who waits ---- */

#define KEY_SIZE_MAX (UUID_SIZE + ACTA_NAME_SIZE_MAX)

/* By what a waiter is found: a claim is of one lease. */
static struct slice
write_key(uint8_t *to, const struct msg_change_lease *wanted)
{
    memcpy(to, wanted->claim, UUID_SIZE);
    memcpy(to + UUID_SIZE, wanted->name.data, wanted->name.size);
    return slice_make(to, UUID_SIZE + wanted->name.size);
}

static struct lease_waiter *
find_twin(const struct leases *leases, const struct job *job)
{
    uint8_t key[KEY_SIZE_MAX];
    struct name_node *node =
        name_map_find(&leases->claimed, write_key(key, &job->lease));

    return node == NULL ? NULL : OUTER(struct lease_waiter, claimed, node);
}

static struct lease_waiter *
make_waiter(struct leases *leases, struct lease_slot *slot, struct job *job,
            uint64_t now_us)
{
    struct lease_waiter *waiter =
        malloc(sizeof(*waiter) + UUID_SIZE + job->lease.name.size);

    if (waiter == NULL || !heap_reserve(&leases->waits, 1) ||
        !name_map_reserve(&leases->claimed, 1) ||
        !kept_add(&leases->kept, &waiter->kept, job)) {
        free(waiter);
        return NULL;
    }
    waiter->until = (struct heap_node){.time = now_us + job->lease.wait_us,
                                       .order = now_us};
    waiter->slot = slot;
    waiter->since_us = now_us;
    waiter->claimed.name = write_key(waiter->key, &job->lease);
    return waiter;
}

bool
leases_wait(struct leases *leases, struct lease_slot *slot, struct job *job,
            uint64_t now_us, struct job **twin)
{
    struct lease_waiter *waiter = make_waiter(leases, slot, job, now_us);
    struct lease_waiter *older;

    *twin = NULL;
    if (waiter == NULL) {
        return false;
    }
    older = find_twin(leases, job);
    if (older == NULL) {
        TAILQ_INSERT_TAIL(&slot->line, waiter, in_line);
    } else {
        TAILQ_INSERT_BEFORE(older, waiter, in_line);
        *twin = leases_take(leases, older);
    }
    slot->line_count++;
    heap_put(&leases->waits, &waiter->until);
    name_map_put(&leases->claimed, &waiter->claimed);
    return true;
}

struct job *
leases_take(struct leases *leases, struct lease_waiter *waiter)
{
    struct job *job = kept_take(&leases->kept, &waiter->kept);

    heap_remove(&leases->waits, &waiter->until);
    TAILQ_REMOVE(&waiter->slot->line, waiter, in_line);
    name_map_remove(&leases->claimed, &waiter->claimed);
    waiter->slot->line_count--;
    free(waiter);
    return job;
}

struct job *
leases_forget(struct leases *leases, const struct completions *completions,
              uint64_t connection_id)
{
    struct kept_job *first =
        kept_first(&leases->kept, completions, connection_id);

    return first == NULL
               ? NULL
               : leases_take(leases, OUTER(struct lease_waiter, kept, first));
}

/* ---- what time brings ---- */

struct lease_slot *
leases_expired(const struct leases *leases, uint64_t now_us)
{
    struct heap_node *node = heap_first(&leases->expiries);

    return node == NULL || node->time > now_us
               ? NULL
               : OUTER(struct lease_slot, until, node);
}

struct lease_waiter *
leases_tired(const struct leases *leases, uint64_t now_us)
{
    struct heap_node *node = heap_first(&leases->waits);

    return node == NULL || node->time > now_us
               ? NULL
               : OUTER(struct lease_waiter, until, node);
}

uint64_t
leases_next(const struct leases *leases)
{
    const struct heap_node *expiry = heap_first(&leases->expiries);
    const struct heap_node *wait = heap_first(&leases->waits);
    uint64_t next = UINT64_MAX;

    if (expiry != NULL) {
        next = expiry->time;
    }
    if (wait != NULL && wait->time < next) {
        next = wait->time;
    }
    return next;
}

/* ---- in order of names ---- */

size_t
leases_list(const struct leases *leases, struct slice prefix,
            struct slice after, struct lease_slot **slots, size_t max,
            bool *at_end)
{
    bool at_prefix = slice_compare(prefix, after) > 0;
    struct name_order_node *node = name_order_behind(
        &leases->order, at_prefix ? prefix : after, at_prefix);
    size_t count = 0;

    while (node != NULL && slice_starts_with(node->name, prefix) &&
           count < max) {
        slots[count++] = OUTER(struct lease_slot, ordered, node);
        node = name_order_next(node);
    }
    *at_end = node == NULL || !slice_starts_with(node->name, prefix);
    return count;
}
