/* The points of server/failpoint.h in a process that can die at them, and how
 * often it came to each.
 *
 * ACTA_FAILPOINT=NAME:N in the environment: SIGKILL, when the point has been
 * reached for the N-th time. ACTA_FAILPOINT_COUNTS=PATH: a file of a struct
 * failpoint_counts, in which all processes that have it count together; without
 * it each counts for itself.
 */

#ifndef ACTA_TEST_FAILPOINT_COUNTS_H
#define ACTA_TEST_FAILPOINT_COUNTS_H

#include <stdint.h>

#define FAILPOINTS_MAX     64
#define FAILPOINT_NAME_MAX 40

struct failpoint_counts {
    struct {
        char name[FAILPOINT_NAME_MAX]; /* Empty: there are no more. */
        uint64_t count;
    } points[FAILPOINTS_MAX];
};

/* As server/failpoint.h has it, under ACTA_FAILPOINTS. */
void failpoint_reach(const char *name);

#endif
