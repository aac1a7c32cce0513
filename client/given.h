/* Taking in structs of the public header, which begin with their size: a caller
 * that was compiled against an older header has fewer fields, whose defaults
 * are zero; one against a newer header has fields that are not known here, and
 * are passed over. Any thread.
 */

#ifndef ACTA_GIVEN_H
#define ACTA_GIVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Copy what the caller gave into @to of @to_size bytes. False if it was not
 * made by the function that makes it: its size is none.
 */
static inline bool
given_copy(void *to, size_t to_size, const void *from)
{
    size_t from_size;

    memcpy(&from_size, from, sizeof(from_size));
    if (from_size <= sizeof(from_size) || from_size > 65536) {
        return false;
    }
    memset(to, 0, to_size);
    memcpy(to, from, from_size < to_size ? from_size : to_size);
    return true;
}

#endif
