/* Points at which a process can be made to die, for tests of what is left then.
 *
 * FAILPOINT("name") marks a moment between two steps that change files or tell
 * somebody. It is nothing at all, unless ACTA_FAILPOINTS is defined, as it is
 * only for a program of the tests, which says what becomes of it
 * (tests/fault/failpoint.c). A name is given once.
 */

#ifndef ACTA_FAILPOINT_H
#define ACTA_FAILPOINT_H

#ifdef ACTA_FAILPOINTS
void failpoint_reach(const char *name);
#define FAILPOINT(name) failpoint_reach(name)
#else
#define FAILPOINT(name) ((void)0)
#endif

#endif
