/* A client that claims consumers which others claim as well, moves their
 * checkpoints with an event each, also when the claim may be over, and writes
 * down what it asked and was told, for tests/check/check.py. It runs in a
 * thread of its own.
 */

#ifndef ACTA_TEST_KEEPER_H
#define ACTA_TEST_KEEPER_H

#include <stdatomic.h>
#include <stdint.h>

#include "daemon.h"

struct keeper;

/* Start the keeper @number; its notes are in @dir. It ends soon after
 * *@stopping has become true, which must outlive it.
 */
struct keeper *keeper_start(const struct daemon *daemon, const char *dir,
                            unsigned number, uint64_t seed,
                            const atomic_bool *stopping);

/* Wait for its end, and free it. */
void keeper_join(struct keeper *keeper);

#endif
