/* Allocations counted, and made to fail: malloc(), calloc(), realloc(),
 * reallocarray(), strdup() and strndup() of whatever is linked into the program
 * itself, and not of libraries that it loads.
 *
 * Only for tests that depend on alloc_dep (see tests/meson.build): then the
 * linker sends these calls through here. Not for several threads at once.
 */

#ifndef ACTA_TEST_ALLOC_H
#define ACTA_TEST_ALLOC_H

#include <stddef.h>

/* Calls and bytes asked for since alloc_reset(). Check allocates too: copy them
 * before the next assertion.
 */
extern size_t alloc_calls;
extern size_t alloc_bytes;

/* Calls that still succeed before one fails; -1: none fails. */
extern int alloc_fail_after;

/* How many fail then, one after the other; it is -1 again behind the last. 1,
 * unless set after alloc_reset().
 */
extern int alloc_fail_times;

/* Calls that have failed since alloc_reset(). */
extern int alloc_failed;

/* Count from 0, and let nothing fail. */
void alloc_reset(void);

#endif
