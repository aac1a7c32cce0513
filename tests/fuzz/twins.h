/* The two who answer the same protocol with no code in common but the codec: a
 * session in front of a real database, and the store in memory of the client's
 * testing kit. Both are asked the same and must say the same. Whatever differs
 * breaks a promise.
 *
 * They go by one clock, which the target moves.
 */

#ifndef ACTA_TEST_TWINS_H
#define ACTA_TEST_TWINS_H

#include "buf.h"

/* Both are new, and empty. */
void twins_open(void);
void twins_close(void);

/* The next request's id. */
uint64_t twins_next_id(void);

/* Ask both what @request says, a whole frame, and compare their answers. What
 * takes time, or has to be waited for, is not asked.
 */
void twins_ask(const struct buf *request);

/* Ask both for all that there is. */
void twins_compare(void);

/* The time goes on, at most for TWINS_PASS_US_MAX in all. */
#define TWINS_PASS_US_MAX UINT64_C(3600000000)
void twins_pass(uint64_t duration_us);

/* Stop and start the database, or, @killed, go on with its files as they are.
 */
void twins_restart(bool killed);

#endif
