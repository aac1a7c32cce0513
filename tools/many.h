/* The events of one append, read from stdin as acta import takes them. One
 * thread.
 */

#ifndef ACTA_MANY_H
#define ACTA_MANY_H

#include <acta/acta.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd.h"

struct many {
    struct acta_append *append; /* The caller's. */
    const char **streams;       /* owned, as are the names: a write each */
    int64_t *expected;          /* owned */
    size_t writes;
    uint64_t lines;
};

/* Begin with @append empty. False if there is no memory: that is told. */
bool many_init(struct many *many, struct acta_append *append);
void many_fini(struct many *many);

/* Read stdin to its end into the append. EXIT_OK, or what to exit with: that is
 * told.
 */
int many_read(struct many *many);

#endif
