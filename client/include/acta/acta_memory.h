/* A store in memory: what a server does, in the process, for tests.
 *
 *     #include <acta/acta_memory.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_memory *memory = acta_memory_new();
 *         struct acta_draft draft = acta_draft_of("PaymentLate", NULL, 0);
 *         struct acta_append *late = acta_append_new();
 *         struct acta_append *append = acta_append_new();
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *         uint64_t head = 0;
 *
 *         acta_append_stream(late, "order-42", ACTA_EXPECT_ANY);
 *         acta_append_event(late, &draft);
 *         acta_append_schedule_in(append, "order-42", 1800000, late);
 *         if (acta_sync_open_memory(&sync, memory, NULL, &err) == ACTA_OK &&
 *             acta_sync_append(sync, append, NULL, &err) == ACTA_OK) {
 *             acta_memory_pass(memory, UINT64_C(1800000000)); // half an hour
 *             acta_sync_ping(sync, &head, &err);
 *         }
 *         printf("%ju events\n", (uintmax_t)head);
 *         acta_sync_close(sync);
 *         acta_memory_free(memory);
 *         acta_append_free(append);
 *         acta_append_free(late);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
 *
 * All that acta_sync.h and its companions can do is done on it. It answers what
 * a server answers, but for the texts of errors, and what acta_status() tells,
 * which is little. Nothing is kept when it is freed, nothing is refused for
 * want of a disk, and nothing is too much to be decided: UNDECIDED and BUSY do
 * not occur.
 *
 * Its clock stands still, at 2000-01-01 00:00 UTC, until it is moved: leases
 * end, schedules take place, delays and the time to ack pass, and events grow
 * too old, at that moment and in their order. The clients on it go by the same
 * clock: so acta_lease_is_held() and the time-outs of requests do, too. Only
 * who waits, for a lease or for a consumer, and has done so in vain for as long
 * as it said by the clock of the machine, moves it by that time. Functions that
 * take a time to wait for news go by the clock of the machine.
 *
 * There may be any number of clients on one memory, each used by one thread at
 * a time as always, in any number of threads. A memory without room left ends
 * the process with abort(): it is for tests.
 */

#ifndef ACTA_ACTA_MEMORY_H
#define ACTA_ACTA_MEMORY_H

#include "acta_sync.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_memory;

/* NULL: no memory. */
ACTA_API struct acta_memory *acta_memory_new(void);

/* All clients on it must be closed. May be NULL. */
ACTA_API void acta_memory_free(struct acta_memory *memory);

/* acta_sync_open() and acta_open() on it. @options may be NULL for those of
 * acta_options_of(); of the URL only the database's name is used, which is
 * "main" if there is one.
 */
ACTA_API enum acta_code
acta_sync_open_memory(struct acta_sync **sync, struct acta_memory *memory,
                      const struct acta_options *options, struct acta_err *err);
ACTA_API enum acta_code acta_open_memory(struct acta_client **client,
                                         struct acta_memory *memory,
                                         const struct acta_options *options,
                                         const struct acta_loop *loop,
                                         struct acta_err *err);

/* What time it is there, in microseconds since 1970. Any thread, as are those
 * that follow.
 */
ACTA_API uint64_t acta_memory_time(struct acta_memory *memory);

/* Move the time: to @time_us, which does nothing if it is over, or by a
 * duration. All that is due up to then happens, in its order, before this
 * returns; clients are told when they turn next. At 2^62, in the year 148107,
 * it stands still for ever.
 */
ACTA_API void acta_memory_set_time(struct acta_memory *memory,
                                   uint64_t time_us);
ACTA_API void acta_memory_pass(struct acta_memory *memory,
                               uint64_t duration_us);

#ifdef __cplusplus
}
#endif

#endif
