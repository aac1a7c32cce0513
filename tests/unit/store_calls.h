/* Calls of LMDB that fail: those of whatever is linked into the program itself,
 * for tests that depend on store_calls_dep (see tests/meson.build). One thread.
 */

#ifndef ACTA_TEST_STORE_CALLS_H
#define ACTA_TEST_STORE_CALLS_H

#include <stddef.h>

/* Have the call number @nth from now on, the first is 0, return @rc. */
void store_calls_fail(size_t nth, int rc);

/* Let all succeed again. Returns the name of the call that failed, or NULL if
 * there were not so many.
 */
const char *store_calls_succeed(void);

#endif
