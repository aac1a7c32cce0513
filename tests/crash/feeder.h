/* A client that appends events for a group: many keys, of which some are tags
 * and some streams, and now and then an event that the group does not want. It
 * runs in a thread of its own, and appends each event once, whatever becomes of
 * the server meanwhile.
 */

#ifndef ACTA_TEST_FEEDER_H
#define ACTA_TEST_FEEDER_H

#include <stdint.h>

#include "daemon.h"

#define FEEDER_TYPE    "Wanted" /* Of the events that the group wants. */
#define FEEDER_KEY_TAG "lot:"

struct feeder;

/* Append @events, and end. */
struct feeder *feeder_start(const struct daemon *daemon, unsigned events,
                            uint64_t seed);

/* Wait for its end. */
void feeder_join(struct feeder *feeder);

#endif
