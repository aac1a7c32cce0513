/* Calls of the system that fail, and allocations: those of whatever is linked
 * into the program itself, for tests that depend on file_calls_dep (see
 * tests/meson.build). Only those of the thread that has asked for it.
 */

#ifndef ACTA_TEST_FILE_CALLS_H
#define ACTA_TEST_FILE_CALLS_H

#include <stddef.h>

/* Have @count calls from number @nth on, the next is 0, fail with @error. */
void file_calls_fail(size_t nth, size_t count, int error);

/* The same of the calls named @name, a constant. */
void file_calls_fail_of(const char *name, size_t nth, size_t count, int error);

/* Let all succeed again. Returns the name of the last call that failed, or NULL
 * if there were not so many.
 */
const char *file_calls_succeed(void);

#endif
