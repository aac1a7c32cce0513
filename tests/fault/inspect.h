/* Opens a database that a fault has left, in a process of its own, and says
 * whether it shows what it may.
 */

#ifndef ACTA_TEST_INSPECT_H
#define ACTA_TEST_INSPECT_H

#include <stdbool.h>

#include "past.h"

/* How far it looks. */
enum inspection {
    INSPECT_STARTS,
    INSPECT_GOES_ON, /* It is then stopped, started and appended to, and must be
                        as it was besides. */
    INSPECT_ERASES,  /* When it has carried out what is to be erased, no file
                        has any of that. */
};

struct verdict {
    bool is_good;
    unsigned step;   /* If it is good: the last one that is whole in it. */
    char text[1000]; /* If not: why. */
    unsigned erased; /* Events whose data were looked for, */
    unsigned found;  /* and of these, that were there before the start. */
};

/* Look into the database at @path, which is not there if the fault came early.
 */
void inspect(const struct past *past, const struct progress *progress,
             const char *path, enum inspection inspection,
             struct verdict *verdict);

#endif
