/* A client that wants leases, in a process of its own: it takes, waits for,
 * renews, uses and gives up a few that others want as well, uses now and then
 * one that it must have lost, and writes down what it asked and was told, for
 * tests/check/check.py.
 */

#ifndef ACTA_TEST_HOLDER_H
#define ACTA_TEST_HOLDER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon.h"

#define HOLDER_DURATION_US_MAX 100000

/* Start the client @number. It ends, with status 0, soon after *@stopping has
 * become true, which is in memory that processes share. Fork it before there
 * are threads.
 */
pid_t holder_start(const struct daemon *daemon, const char *dir,
                   unsigned number, uint64_t seed, const atomic_bool *stopping);

#endif
