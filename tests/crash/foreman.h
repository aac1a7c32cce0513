/* Who looks after a group of workers: it makes the group, pauses it, lists what
 * is parked, replays and drops that, waits until all is done, and writes down
 * all of it for tests/check/check.py. For a server that stays up meanwhile; one
 * thread.
 */

#ifndef ACTA_TEST_FOREMAN_H
#define ACTA_TEST_FOREMAN_H

#include <stddef.h>
#include <stdint.h>

#include "msg_consumer.h"
#include "msg_group.h"
#include "notes.h"
#include "wire.h"
#include "worker.h"

#define FOREMAN_PARKED_MAX 20000

struct foreman {
    struct wire wire;
    struct notes *notes; /* owned */
    const struct workers *workers;

    /* As listed last: of these some by a worker's answer; without texts. */
    size_t parked_count;
    size_t rejected_count;
    struct msg_parked parked[FOREMAN_PARKED_MAX];
};

/* Connect, and create the group of @workers, which outlive the foreman: it
 * hands out the feeder's events. Notes are in @dir.
 */
void foreman_init(struct foreman *foreman, const struct daemon *daemon,
                  const char *dir, const struct workers *workers,
                  enum msg_on_park on_park);
void foreman_fini(struct foreman *foreman);

/* Pause or resume the group. */
void foreman_change(struct foreman *foreman, enum msg_consumer_change kind);

struct msg_consumer foreman_describe(struct foreman *foreman);

/* List what is parked. */
void foreman_list(struct foreman *foreman);

/* Replay or drop one that was listed. */
void foreman_change_parked(struct foreman *foreman, enum msg_parked_change kind,
                           size_t index);

/* Wait until all is handled that can be, and no more than @parked_max are
 * parked: on a busy machine a replayed event may run out of time and be parked
 * again, so they are replayed until they are not.
 */
void foreman_rest(struct foreman *foreman, uint64_t parked_max);

#endif
