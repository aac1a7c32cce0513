/* Where a case of the conformance suite runs: on a store in memory, or on a
 * whole server. Cases are loop tests over PLACES, and say place_begin(_i) first
 * and place_end() last; what they see has to be the same in both.
 *
 * Whatever fails that is not asked for, fails the test.
 */

#ifndef ACTA_TEST_PLACE_H
#define ACTA_TEST_PLACE_H

#include <acta/acta_group.h>
#include <acta/acta_lease.h>
#include <acta/acta_memory.h>
#include <acta/acta_schedule.h>
#include <acta/acta_snapshot.h>
#include <check.h>

#include "rig.h"
#include "run.h"

#define PLACE_MEMORY 0
#define PLACE_SERVER 1
#define PLACES       2

/* How long a case waits for what has to come. */
#define PLACE_PATIENCE_MS 30000

struct place {
    struct acta_sync *sync; /* To work with. */
    struct acta_err err;    /* Of whatever failed last. */

    struct acta_memory *memory;
    struct rig rig;
};

/* That of the case which runs; one that is open besides it is another. */
extern struct place place;

void place_open(struct place *place, int which);
void place_close(struct place *place);

static inline void
place_begin(int which)
{
    place_open(&place, which);
}

static inline void
place_end(void)
{
    place_close(&place);
}

/* Another client on it, to be closed by acta_sync_close(). */
struct acta_sync *place_client(void);

/* Let the time pass, where that is to be done by hand. On a server it passes by
 * itself, and the case waits for what follows.
 */
void place_pass_ms(uint64_t ms);

#endif
