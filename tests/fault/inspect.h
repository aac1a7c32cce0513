/* Opens a database that a fault has left, in a process of its own, and says
 * whether it shows what it may.
 */

#ifndef ACTA_TEST_INSPECT_H
#define ACTA_TEST_INSPECT_H

#include <stdbool.h>

#include "past.h"

struct verdict {
    bool is_good;
    unsigned step;   /* If it is good: the last one that is whole in it. */
    char text[1000]; /* If not: why. */
};

/* Look into the database at @path, which is not there if the fault came early.
 * If
 * @goes_on, it is then stopped, started and appended to, and must be as it was
 * besides.
 */
void inspect(const struct past *past, const struct progress *progress,
             const char *path, bool goes_on, struct verdict *verdict);

#endif
