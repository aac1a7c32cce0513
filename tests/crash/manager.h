/* A process manager, in a process of its own: it follows orders from its
 * checkpoint on, and for each appends a command, schedules a deadline and moves
 * its checkpoint, in one append. It claims its consumer when it starts and
 * whenever it has lost the server or its turn; nothing that it makes has an id
 * that would hide a second time.
 */

#ifndef ACTA_TEST_MANAGER_H
#define ACTA_TEST_MANAGER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon.h"

#define MANAGER_ORDER   "Ordered"
#define MANAGER_COMMAND "Ship" /* Its data are the order's position, */
#define MANAGER_DEADLINE                                                       \
    "TimedOut" /* as are those of the deadline's event.                        \
                */
#define MANAGER_CONSUMER "manager"

/* Start one. It ends, with status 0, soon after *@stopping has become true,
 * which is in memory that processes share. Fork it before there are threads.
 */
pid_t manager_start(const struct daemon *daemon, uint64_t seed,
                    const atomic_bool *stopping);

#endif
