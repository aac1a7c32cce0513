/* What ends a measurement from outside: the user, with Ctrl-C, or the end of a
 * server that this process has started, which clients would wait for for ever.
 *
 * One for the process, since signals are. Any thread.
 */

#ifndef ACTA_BENCH_WATCH_H
#define ACTA_BENCH_WATCH_H

#include <acta/acta.h>

/* Let SIGINT and SIGTERM, and the end of a child, end whatever runs. */
void watch_signals(void);

/* A server that was stopped before is none of what comes now. */
void watch_begin(void);

/* CANCELLED: the user wants the end. UNREACHABLE: a child has ended. */
enum acta_code watch_check(struct acta_err *err);

#endif
