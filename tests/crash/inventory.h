/* Everything that a database keeps by name: consumers with their checkpoints,
 * groups with what they have parked, leases, snapshots and schedules. Made at
 * random, and told field by field, to compare what was there with what is.
 */

#ifndef ACTA_TEST_INVENTORY_H
#define ACTA_TEST_INVENTORY_H

#include "buf.h"
#include "rnd.h"
#include "wire.h"

/* Make one round of them. @round is in their names. When it returns, all of it
 * was acknowledged, and no client has anything in hand.
 */
void inventory_make(struct wire *wire, struct rnd *rnd, unsigned round);

/* Write all that there is to @text, a line each, with a zero at its end. What
 * changes by itself is left out: the age of what lags, what is left of a
 * lease's time.
 */
void inventory_tell(struct wire *wire, struct buf *text);

/* Use what the last inventory_make() made, with the numbers that clients got
 * then: they must still be good, and those of former holders must not.
 */
void inventory_use(struct wire *wire);

#endif
