/* What an append does besides storing its events: see acta_append.h. Kept as
 * the wire's encoder takes it.
 */

#ifndef ACTA_CLIENT_APPEND_EFFECTS_H
#define ACTA_CLIENT_APPEND_EFFECTS_H

#include "msg.h"

/* Names, and bytes of snapshots and schedules, are owned: each is memory of its
 * own.
 */
struct append_effects {
    struct msg_checkpoint *checkpoints; /* owned */
    size_t checkpoints_count;
    size_t checkpoints_capacity;
    struct msg_fence *leases; /* owned */
    size_t leases_count;
    size_t leases_capacity;
    struct msg_snapshot *snapshots; /* owned */
    size_t snapshots_count;
    size_t snapshots_capacity;
    struct msg_schedule *schedules; /* owned */
    size_t schedules_count;
    size_t schedules_capacity;
    struct slice *cancellations; /* owned */
    size_t cancellations_count;
    size_t cancellations_capacity;
    size_t size; /* On the wire, nearly. */
};

/* Forget all effects; keep the memory of the arrays. */
void effects_clear(struct append_effects *effects);
void effects_fini(struct append_effects *effects);

/* Say them in the message, which borrows them. */
void effects_put(const struct append_effects *effects,
                 struct msg_append_more *more);

/* True if an append may have no events because of them. */
bool effects_suffice(const struct append_effects *effects);

#endif
