/* Allocations counted, and made to fail.
 *
 * Only for tests that depend on alloc_dep (see tests/meson.build): then the
 * linker sends every malloc() of the program through here.
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

/* Count from 0, and let nothing fail. */
void alloc_reset(void);

#endif
